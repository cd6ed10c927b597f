"""All of a batch, before any of it is sent: what each row asks for, what it was, what it costs, and what is wrong.

Pictures are opened to be checked and let go again: a thousand rows with a picture each would not fit into memory, so
a row that has one keeps its sum and reads it once more when it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.batch.identity import content_key, row_keys
from orvideo.batch.rows import Row, Trouble
from orvideo.errors import ExitCode, MoneyError, OrvideoError, Rejected, UsageError
from orvideo.money import exact_money_text, money_text
from orvideo.record.redaction import redact_request, redacted_media
from orvideo.request.build import MediaSource, RequestDraft, request_fields

if TYPE_CHECKING:
    from orvideo.catalogue.planning import Plan
    from orvideo.catalogue.quote import Kind, Quote
    from orvideo.record.frames import FrameSource
    from orvideo.request.planner import Planner

_MEDIA = ("frame_images", "input_references")


@dataclass(frozen=True)
class Asked:
    """What a row asks for, read and understood: `key` names it within its batch, `content` is that without its place.

    `fields` have no media data in them where `has_media` is set.
    """

    row: Row
    key: str
    content: str
    wanted: RequestDraft = field(repr=False)
    has_media: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Offer:
    """What will be sent for a row, at what price; `body` lacks the media of a row that has some."""

    body: dict[str, Any] = field(repr=False)
    quote: Quote
    choices: tuple[str, ...]

    @property
    def most(self) -> Decimal | None:
        """The most that it may cost in USD, None when nobody knows."""
        return self.quote.most


@dataclass
class Reader:
    """Puts the requests of rows together: each row over what the line says, and that over the settings.

    `line` are request fields, `given` short names (`request.build.SHORT_NAMES`) that a row without them has. `taken`
    says of which videos pictures of the line are frames, by their data URLs.
    """

    source: MediaSource
    defaults: Mapping[str, Any]
    line: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    check: bool = True
    taken: Mapping[str, FrameSource] = field(default_factory=dict)

    def ask(self, rows: Iterable[Row]) -> tuple[list[Asked], list[Trouble]]:
        """Return what each row asks for, and the rows for which that cannot be made out."""
        read: list[tuple[Row, RequestDraft, bool]] = []
        troubles: list[Trouble] = []
        for row in rows:
            try:
                wanted = self.wanted(row)
            except UsageError as problem:
                troubles.append(Trouble(row.line, problem.message))
                continue
            # Only what `body` puts back: data anywhere else, as in a provider's options, is sent as it is.
            light = redact_request({name: wanted.fields[name] for name in _MEDIA if name in wanted.fields})
            wanted = wanted._replace(fields={**wanted.fields, **light})
            read.append((row, wanted, bool(redacted_media(light))))
        keys = row_keys((wanted.fields for _, wanted, _ in read), (wanted.frames for _, wanted, _ in read))
        asked = [
            Asked(row, key, content_key(wanted.fields, wanted.frames), wanted, has_media, wanted.warnings)
            for (row, wanted, has_media), key in zip(read, keys, strict=True)
        ]
        return asked, troubles

    def wanted(self, row: Row) -> RequestDraft:
        given = {**self.given, **row.fields}
        return request_fields(
            given, self.source, base=self.line, defaults=self.defaults, check=self.check, taken=self.taken
        )

    def body(self, asked: Asked, offer: Offer) -> dict[str, Any]:
        """Return what is sent, with the media in it. Raises UsageError when a picture has changed since."""
        if not asked.has_media:
            return offer.body
        again = self.wanted(asked.row)
        if content_key(again.fields, again.frames) != asked.content:
            raise UsageError("A picture has changed since it was checked; the row was not submitted.")
        return {**offer.body, **{name: again.fields[name] for name in _MEDIA if name in again.fields}}


@dataclass
class Pricing:
    """Plans rows against the catalogue; rows that differ in their prompt only are planned once."""

    planner: Planner
    #: The most that one job may cost (the setting max-cost), USD.
    each: Decimal | None = None
    _plans: dict[str, Plan | OrvideoError] = field(default_factory=dict)

    def offers(self, asked: Sequence[Asked]) -> tuple[dict[str, Offer], list[Trouble]]:
        """Return the offer for each row by its key, and the rows that cannot be had, all of them."""
        offers: dict[str, Offer] = {}
        troubles: list[Trouble] = []
        for one in asked:
            try:
                offers[one.key] = self._offer(one)
            except (Rejected, MoneyError, UsageError) as problem:
                troubles.append(Trouble(one.row.line, problem.message, ExitCode(problem.exit_code)))
        return offers, troubles

    def _offer(self, asked: Asked) -> Offer:
        plan = self._plan(asked.wanted)
        body = plan.request.body()
        if asked.wanted.fields.get("prompt") is not None:
            body["prompt"] = asked.wanted.fields["prompt"]
        offer = Offer(body, plan.quote, plan.choices)
        if self.each is not None and (offer.most is None or offer.most > self.each):
            price = money_text(offer.most, limit=self.each)
            costs = "has an unknown price" if offer.most is None else f"may cost {price}"
            raise MoneyError(f"This {costs}, and a job may cost {exact_money_text(self.each)} (the setting max-cost).")
        return offer

    def _plan(self, wanted: RequestDraft) -> Plan:
        shape = {name: value for name, value in wanted.fields.items() if name != "prompt"}
        shape["prompt"] = wanted.fields.get("prompt") is not None
        key = json.dumps([shape, wanted.params, wanted.frame], sort_keys=True, default=str)
        if key not in self._plans:
            try:
                self._plans[key] = self.planner.plan(wanted)
            except OrvideoError as refused:
                self._plans[key] = refused
        plan = self._plans[key]
        if isinstance(plan, OrvideoError):
            raise plan
        return plan


class Price(NamedTuple):
    """The price of many rows together, USD: `usd` is the sum of what is known, None where nothing is."""

    listed: int
    about: int
    unknown: int
    usd: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def rows(self) -> int:
        return self.listed + self.about + self.unknown

    @property
    def kind(self) -> Kind:
        """The kind of the sum: that of its least certain part."""
        return "unknown" if self.unknown else "about" if self.about else "listed"

    @property
    def most(self) -> Decimal | None:
        """The most that it may cost, None when nobody knows."""
        return None if self.unknown else self.high

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "listed": self.listed, "about": self.about, "unknown": self.unknown,
            "usd": self.usd, "low": self.low, "high": self.high,
        }  # fmt: skip


def price_of(offers: Iterable[Offer]) -> Price:
    """Return the price of offers together."""
    quotes = [offer.quote for offer in offers]
    known = [quote for quote in quotes if quote.usd is not None]

    def total(pick: Callable[[Quote], Decimal | None]) -> Decimal | None:
        amounts = [pick(quote) if pick(quote) is not None else quote.usd for quote in known]
        return sum((amount for amount in amounts if amount is not None), Decimal(0)) if known or not quotes else None

    kinds = [quote.kind if quote.usd is not None else "unknown" for quote in quotes]
    return Price(
        kinds.count("listed"), kinds.count("about"), kinds.count("unknown"),
        total(lambda quote: quote.usd), total(lambda quote: quote.low), total(lambda quote: quote.high),
    )  # fmt: skip
