"""Makes the plan of a request: completed from the catalogue, checked against the model, and quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orvideo.api.values import VideoModel, VideoRequest
    from orvideo.catalogue.listing import Catalogue
    from orvideo.catalogue.quote import Quote


class Plan(NamedTuple):
    """The request to send, its model (None if unknown) and quote, and a line for each choice that was made."""

    request: VideoRequest
    model: VideoModel | None
    quote: Quote
    choices: tuple[str, ...]


def plan(
    wanted: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    check: bool = True,
    modalities: Mapping[str, Sequence[str]] | None = None,
    frame: tuple[int, int] | None = None,
) -> Plan:
    """Complete the wanted request fields from the catalogue, check them against the model, and quote the result.

    Without a "model" in `wanted` the cheapest that can do everything is chosen. Without `check` nothing is refused, for
    a catalogue that is older than the service. `modalities` maps model ids to their input modalities, where they are
    known; `frame` is the size of the first frame in pixels. Raises Rejected with all problems and the possible values.
    """
    from orvideo.api.values import VideoRequest
    from orvideo.catalogue.choices import fill
    from orvideo.catalogue.fit import check as problems_of
    from orvideo.catalogue.fit import normalise
    from orvideo.catalogue.quote import quote

    named = wanted.get("model")
    if named is None:
        return _cheapest(wanted, catalogue, modalities, frame)
    request = VideoRequest.of(wanted)
    model = catalogue.find(named)
    if model is None:
        if check:
            raise _unknown_model(named, catalogue)
        return Plan(request, None, unknown_quote(f"{named} is not in the catalogue"), ())
    if catalogue.get(named) is None:
        request = request._replace(model=model.id)  # it was named without its author
    request = normalise(model, request)
    if check and (problems := problems_of(model, request, inputs=(modalities or {}).get(model.id))):
        raise Rejected(
            f"{model.id} cannot do this: " + " ".join(problem.message for problem in problems),
            hint=f"orvideo models {model.id}",
        )
    request, choices = fill(model, request, frame=frame)
    return Plan(request, model, quote(model, request), choices)


def _cheapest(
    wanted: Mapping[str, Any],
    catalogue: Catalogue,
    modalities: Mapping[str, Sequence[str]] | None,
    frame: tuple[int, int] | None,
) -> Plan:
    from orvideo.catalogue.choices import cheapest, offer

    found = cheapest(catalogue.models, wanted, modalities=modalities, frame=frame)
    made = offer(found[0], wanted, modalities=modalities, frame=frame) if found else None
    if made is None:
        raise _none_chosen(wanted, catalogue, modalities)
    pin = f"model {made.model.id} (the cheapest that fits; to keep it: orvideo config set model {made.model.id})"
    return Plan(made.request, made.model, made.quote, (pin, *made.choices))


def _none_chosen(
    wanted: Mapping[str, Any], catalogue: Catalogue, modalities: Mapping[str, Sequence[str]] | None
) -> Rejected:
    """Return the error that says why no model was chosen, and which ones the user may name."""
    from orvideo.catalogue.choices import offer

    hint = "see what each can do: orvideo models"
    if wanted.get("upscale_factor") is not None or wanted.get("creativity") is not None:
        able = [model.id for model in catalogue.models if model.upscale_factor is not None]
        message = "An upscaling model is not chosen by itself."
    else:
        able = [model.id for model in catalogue.models if offer(model, wanted, modalities=modalities)]
        message = "What this costs is not known before with any model that can do it, so none is chosen."
    if not able:
        return Rejected("No model in the catalogue can do everything that is asked for.", hint=hint)
    return Rejected(
        message, hint=f"name one: --model {able[0]}" + (f" (or {', '.join(able[1:4])})" if able[1:] else "")
    )


def unknown_quote(reason: str) -> Quote:
    """Return the quote of a request whose price is unknown."""
    from orvideo.catalogue.quote import Quote

    return Quote("unknown", None, None, None, (reason,))


def _unknown_model(name: str, catalogue: Catalogue) -> Rejected:
    nearest = catalogue.nearest(name)
    hint = f"did you mean {' or '.join(nearest)}?" if nearest else "orvideo models"
    return Rejected(f"There is no model {name!r} in the catalogue.", hint=hint)
