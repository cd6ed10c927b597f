"""From what a person wants to a plan, asking the service for the little that only it knows.

Two things are not in the catalogue: what a model takes as a reference, and the names of its providers. Both are asked
for only where a request depends on them, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orvideo.api.urls import origin_of
from orvideo.catalogue.planning import Plan, plan
from orvideo.errors import BadReply, NotFound, Unavailable, UsageError
from orvideo.request.build import Param, RequestDraft, with_parameter
from orvideo.request.checking import is_plain_callback

if TYPE_CHECKING:
    from decimal import Decimal

    from orvideo.api.client import Client
    from orvideo.catalogue.listing import Catalogue
    from orvideo.deadline import Deadline

Modalities = dict[str, list[str]]


@dataclass(eq=False, repr=False)
class Planner:
    """Makes plans against one catalogue; `warn` is told a sentence where something could not be checked.

    `dearest_bill` says what such a request cost at most before, in USD; no quote is below it (finding A05).
    """

    client: Client
    catalogue: Catalogue
    warn: Callable[[str], None]
    check: bool = True
    dearest_bill: Callable[[Mapping[str, Any]], Decimal | None] = lambda request: None
    deadline: Deadline | None = None
    _slugs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def plan(self, wanted: RequestDraft) -> Plan:
        """Return what will be sent; nothing is sent here. Raises Rejected, UsageError, what `endpoints` raises."""
        self._check_callback(wanted)
        planned = plan(
            wanted.fields,
            self.catalogue,
            check=self.check,
            modalities=self._modalities_for(wanted),
            frame=wanted.frame,
        )
        planned = planned._replace(quote=planned.quote.including_bill(self.dearest_bill(planned.request.body())))
        return self._with_providers(planned, wanted.params) if wanted.params else planned

    def model_for_all(self, wanted: Sequence[tuple[RequestDraft, int]]) -> str | None:
        """Return the model that can do all of this, each so many times, at the lowest price; None where none can."""
        from orvideo.catalogue.choices import cheapest_for_all

        known = (self._modalities_for(one) for one, _ in wanted)
        modalities = next((found for found in known if found is not None), None)
        requests = [(one.fields, times) for one, times in wanted]
        model = cheapest_for_all(self.catalogue.models, requests, modalities=modalities)
        return model.id if model is not None else None

    def _check_callback(self, wanted: RequestDraft) -> None:
        """Refuse to have the service call this machine, which only a stand-in on it can; raises UsageError."""
        callback = wanted.fields.get("callback_url")
        if callback is None or not is_plain_callback(callback) or origin_of(self.client.base_url).is_loopback:
            return
        raise UsageError(
            f"The callback URL {callback!r} is on this machine, which the service cannot reach.",
            hint="--callback-url https://HOST/PATH, or rehearse it: --sandbox",
        )

    def _modalities_for(self, wanted: RequestDraft) -> Modalities | None:
        kinds = {str(item.get("type")) for item in wanted.fields.get("input_references") or ()}
        if not self.check or not kinds & {"audio_url", "video_url"}:
            return None
        return self._modalities

    @cached_property
    def _modalities(self) -> Modalities | None:
        try:
            return self.client.model_modalities(deadline=self.deadline)
        except (Unavailable, BadReply) as away:
            self.warn(f"what the models take as references could not be checked: {away.message}")
            return None

    def _with_providers(self, planned: Plan, params: tuple[Param, ...]) -> Plan:
        """Put the parameters of no named provider under every provider of the model.

        Only the block of the provider that the service routes to is used, and a wrong one is dropped without a word
        (api notes); so with several of them, each gets the parameters.
        """
        request = planned.request
        slugs = self._providers(request.model, params[0].key)
        provider = dict(request.provider or {})
        provider["options"] = {slug: block for slug, block in provider["options"].items() if slug != ""}
        for param in params:
            for slug in slugs:
                provider = with_parameter(provider, slug, param.key, param.value)
        keys = ", ".join(param.key for param in params)
        several = "; the service reads the one it chooses" if len(slugs) > 1 else ""
        choice = f"provider{'s' if several else ''} {', '.join(slugs)} (for {keys}{several})"
        request = request._replace(provider=provider)
        return planned._replace(request=request, choices=(*planned.choices, choice))

    def _providers(self, model_id: str, key: str) -> tuple[str, ...]:
        if model_id not in self._slugs:
            try:
                endpoints = self.client.endpoints(model_id, deadline=self.deadline)
            except NotFound:
                endpoints = []
            self._slugs[model_id] = tuple(dict.fromkeys(item.tag for item in endpoints if item.tag))
        if not self._slugs[model_id]:
            raise UsageError(
                f"The service names no provider of {model_id}, so it is not known whose parameter {key} is.",
                hint=f"name it: --param PROVIDER:{key}=...",
            )
        return self._slugs[model_id]
