"""`orvideo models`: what each model can do and what it costs; with one whole id, everything about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._options import Asking, option
from orvideo.commands._request import FieldOptions
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.api.values import VideoModel
    from orvideo.catalogue.choices import Offer
    from orvideo.catalogue.listing import Catalogue
    from orvideo.context import Context
    from orvideo.output.tables import Cell


class Sort(StrEnum):
    """The orders a list of models can have."""

    price = "price"
    name = "name"


@dataclass(frozen=True)
class ModelsOptions:
    """A models line, parsed: a text to look for, and what a model must be able to do, as request fields."""

    text: str | None
    needs: dict[str, Any] = field(default_factory=dict)
    max_cost: str | None = None
    sort: Sort = Sort.price
    refresh: bool = False


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo models --resolution 1080p --duration 8 --audio --max-cost 1")
    def models(
        *,
        text: Annotated[
            str | None, typer.Argument(help="Part of an id or name; one whole id shows everything.")
        ] = None,
        needs: Annotated[dict[str, Any], FieldOptions("models")],
        max_cost: Annotated[str | None, option("Money", "Costs at most this.", metavar="USD")] = None,
        sort: Annotated[Sort, typer.Option(help="The order of the list.")] = Sort.price,
        refresh: Annotated[bool, typer.Option("--refresh", help="Ask the service even if the list is fresh.")] = False,
        answering: Asking,
    ) -> Action:
        """List the models: what they can do and cost. With one whole id, everything about it."""
        # What is in the files of frames matters to no model.
        frames = [name for name in ("first_frame", "last_frame") if needs.pop(name, None)]
        options = ModelsOptions(text, needs | ({"frames": frames} if frames else {}), max_cost, sort, refresh)
        return Action(lambda context: run(context, options), answering)


def run(context: Context, options: ModelsOptions) -> None:
    """Show one model whole, or the list of those that fit."""
    settings = context.settings.with_flags({"max-cost": options.max_cost, "duration": options.needs.get("duration")})
    service = context.service(needs_key=False)
    catalogue = context.catalogue(service, refresh=options.refresh)
    if service.is_sandbox:
        context.terminal.note("this is the sandbox's list; models that begin with sandbox/ exist only there")
    if catalogue.skipped:
        context.terminal.warn(f"{catalogue.skipped} entries of the service's list made no sense and were left out")
    one = catalogue.get(options.text) if options.text else None
    if one is not None:
        _show_one(context, catalogue, one)
        return
    needs = dict(options.needs)
    if "duration" in needs:
        needs["duration"] = settings.duration
    _show_list(context, catalogue, options, needs, settings.max_cost if options.max_cost else None)


def _show_one(context: Context, catalogue: Catalogue, model: VideoModel) -> None:
    from orvideo.catalogue.words import describe_prices, input_kinds
    from orvideo.output.model_text import model_page

    raw = catalogue.raw[model.id]
    context.terminal.document(raw)
    page = model_page(raw, prices=describe_prices(model), sources=input_kinds(model), example=_example(model))
    context.terminal.page(page)


def _example(model: VideoModel) -> str:
    """Return a line to copy: a prompt in quotes, and the choices that would be made, spelled out."""
    from orvideo.api.values import VideoRequest
    from orvideo.catalogue.choices import fill

    request, _ = fill(model, VideoRequest(model=model.id))
    given = [("--duration", request.duration), ("--resolution", request.resolution)]
    options = " ".join(f"{flag} {value}" for flag, value in given if value is not None)
    return f'orvideo submit "a paper boat" -m {model.id} {options}'.rstrip() + " --wait -o boat.mp4"


def _show_list(
    context: Context, catalogue: Catalogue, options: ModelsOptions, needs: dict[str, Any], limit: Decimal | None
) -> None:
    from orvideo.catalogue.words import input_kinds
    from orvideo.output.model_text import models_table

    models = [model for model in catalogue.models if _matches(model, options.text)]
    if options.text and not models:
        nearest = catalogue.nearest(options.text)
        raise UsageError(
            f"No model has {options.text!r} in its id or name.",
            hint=f"did you mean {' or '.join(nearest)}?" if nearest else "orvideo models",
        )
    clips = needs or limit is not None
    listed = _that_can(context, models, needs, limit) if clips else _with_price_per_second(models)
    if options.sort is Sort.name:
        listed.sort(key=lambda entry: entry.model.id)
    if not listed:
        context.terminal.note("no model can do all of that")
    context.terminal.document([{**catalogue.raw[entry.model.id], **entry.as_json()} for entry in listed])
    table = models_table(
        [catalogue.raw[entry.model.id] for entry in listed],
        prices={entry.model.id: entry.price for entry in listed},
        sources={entry.model.id: input_kinds(entry.model) for entry in listed},
        price_title="THIS CLIP" if clips else "PER SECOND",
    )
    context.terminal.table(*table)


class _Listed(NamedTuple):
    """A model in the list with its price in USD (None: not known), which is an estimate where it is `about` that."""

    model: VideoModel
    usd: Decimal | None
    about: bool
    offer: Offer | None = None

    @property
    def price(self) -> Cell:
        """The price in words, and for a script in full."""
        from orvideo.money import money_text
        from orvideo.output.tables import Cell

        if self.usd is None:
            return Cell("not comparable", "")
        return Cell(money_text(self.usd, approximate=self.about), f"{self.usd:f}")

    def as_json(self) -> dict[str, Any]:
        if self.offer is None:
            return {"usd_per_second": None if self.usd is None else float(self.usd)}
        return {"quote": self.offer.quote.as_json(), "filled_request": self.offer.request.body()}


def _matches(model: VideoModel, text: str | None) -> bool:
    folded = (text or "").casefold()
    return folded in model.id.casefold() or folded in (model.name or "").casefold()


def _with_price_per_second(models: list[VideoModel]) -> list[_Listed]:
    """Return every model with what a second costs at its lowest resolution, the cheapest first, the unpriced last."""
    from orvideo.catalogue.words import price_per_second

    prices = [(model, price_per_second(model)) for model in models]
    return sorted(
        (_Listed(model, price.usd if price else None, bool(price and price.estimated)) for model, price in prices),
        key=_by_price,
    )


def _that_can(
    context: Context, models: list[VideoModel], needs: dict[str, Any], limit: Decimal | None
) -> list[_Listed]:
    """Return the models that can do all of `needs`, each with the price of that very clip, within the limit.

    A limit is held against what such clips were billed as well (finding A05).
    """
    from orvideo.catalogue.choices import offer

    wanted = {"prompt": "a video", **{name: value for name, value in needs.items() if name != "frames"}}
    if "frames" in needs:
        wanted["frame_images"] = [{"type": "image_url", "frame_type": kind} for kind in needs["frames"]]
    offers = [(model, made) for model in models if (made := offer(model, wanted)) is not None]
    listed = []
    for model, made in offers:
        bill = context.dearest_bill(made.request.body(), context.endpoint)
        made = made._replace(quote=made.quote.including_bill(bill))
        if limit is None or (made.quote.most is not None and made.quote.most <= limit):
            listed.append(_Listed(model, made.quote.usd, made.quote.kind == "about", made))
    return sorted(listed, key=_by_price)


def _by_price(entry: _Listed) -> tuple[bool, Decimal, str]:
    return entry.usd is None, entry.usd or Decimal(0), entry.model.id
