"""The choices made for a user who leaves something open: the cheapest, said aloud, and sent explicitly."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from orvideo.api.schemas import VideoModel, VideoRequest
from orvideo.catalogue.fit import check, normalise, passthrough_keys
from orvideo.catalogue.pricing import price_list
from orvideo.catalogue.quote import Quote, quote
from orvideo.catalogue.sizes import nearest_ratio, rank, usual_ratio

#: Models that rehearse bad days exist only in the sandbox, and are taken by name only.
_REHEARSAL = "sandbox/"


#: The word for the shape of what a video is made from.
_OWN_SHAPE = "adaptive"

_Choice = tuple[str, Any, str]
_Frame = tuple[int, int] | None


class Offer(NamedTuple):
    """What a model would make of a request: the request completed, its price, and the choices made, as lines."""

    model: VideoModel
    request: VideoRequest
    quote: Quote
    choices: tuple[str, ...]


def fill(model: VideoModel, request: VideoRequest, *, frame: _Frame = None) -> tuple[VideoRequest, tuple[str, ...]]:
    """Return the request with what it left open filled in, and a line for each choice made.

    Shortest duration; lowest resolution (another only if it is quoted cheaper); the shape nearest to the first
    `frame` where its size in pixels is known, else 16:9 when offered, else the first listed (`adaptive` where that is
    listed and the video begins with a picture); sound off where it costs
    extra or may, and on, as the service would have it, where it is free. A given size stands for resolution and
    shape. What the catalogue does not state is left open, and no image, seed or parameter is invented.
    """
    lines: list[str] = []
    shape = partial(_shape, frame=frame)
    for choose in (_duration, _resolution, shape, _creativity, _upscale_factor, _sound):
        field, value, line = choose(model, request)
        if value is not None:
            request = request.model_copy(update={field: value})
            lines.append(line)
    return request, tuple(lines)


def _nothing(field: str) -> _Choice:
    return field, None, ""


def _among(listed: Sequence[object], why: str) -> str:
    return why if len(listed) > 1 else "the only one"


def _duration(model: VideoModel, request: VideoRequest) -> _Choice:
    listed = [seconds for seconds in model.supported_durations or [] if seconds > 0]
    if request.duration is not None or not listed:
        return _nothing("duration")
    shortest = min(listed)
    return "duration", shortest, f"duration {shortest} s ({_among(listed, 'shortest')})"


def _resolution(model: VideoModel, request: VideoRequest) -> _Choice:
    listed = model.supported_resolutions
    if request.resolution or request.size or not listed:
        return _nothing("resolution")
    lowest = min(listed, key=rank)

    def cost(resolution: str) -> tuple[Decimal, int]:
        usd = quote(model, request.model_copy(update={"resolution": resolution})).usd
        return (Decimal("Infinity") if usd is None else usd, rank(resolution))

    chosen = min(listed, key=cost)
    why = _among(listed, "lowest" if chosen == lowest else "cheapest")
    return "resolution", chosen, f"resolution {chosen} ({why})"


def _shape(model: VideoModel, request: VideoRequest, frame: _Frame) -> _Choice:
    listed = model.supported_aspect_ratios
    if request.aspect_ratio or request.size or not listed:
        return _nothing("aspect_ratio")
    own = next((word for word in listed if word.casefold() == _OWN_SHAPE), None)
    if own and (request.frame_images or request.previous_job_id):
        # Where a model lists it, it may refuse another shape for a video that begins with a picture (api notes).
        return "aspect_ratio", own, f"aspect ratio {own} (that of the picture it begins with)"
    near = nearest_ratio(frame, listed) if frame and min(frame) > 0 else None
    if near:
        why = _among(listed, "nearest to the first frame")
        return "aspect_ratio", near, f"aspect ratio {near} ({why})"
    chosen = usual_ratio(listed)
    return "aspect_ratio", chosen, f"aspect ratio {chosen} ({_among(listed, 'usual')})"


def _creativity(model: VideoModel, request: VideoRequest) -> _Choice:
    if request.creativity is not None or not model.creativity:
        return _nothing("creativity")
    chosen = min(model.creativity)
    return "creativity", chosen, f"creativity {chosen} ({_among(model.creativity, 'lowest')})"


def _upscale_factor(model: VideoModel, request: VideoRequest) -> _Choice:
    span = model.upscale_factor
    if request.upscale_factor is not None or span is None or span.min is None or not span.min > 0:
        return _nothing("upscale_factor")
    return "upscale_factor", span.min, f"upscale factor {span.min:g} (lowest)"


def _sound(model: VideoModel, request: VideoRequest) -> _Choice:
    if request.generate_audio is not None or not model.generate_audio:
        return _nothing("generate_audio")
    loud, hushed = (quote(model, request.model_copy(update={"generate_audio": sound})).usd for sound in (True, False))
    if loud is None or hushed is None:
        free = not price_list(model).defect and not price_list(model).by_sound
        why = "may cost extra"
    else:
        free, why = loud <= hushed, "costs extra"
    return "generate_audio", free, "sound on (costs nothing extra)" if free else f"sound off ({why})"


def offer(
    model: VideoModel,
    request: VideoRequest | Mapping[str, Any],
    *,
    modalities: Mapping[str, Sequence[str]] | None = None,
    frame: _Frame = None,
) -> Offer | None:
    """Return what a model would make of a request, None when the catalogue does not say that it can do all of it.

    Stricter than `check`: what is not stated is no promise. `modalities` maps model ids to their input modalities
    (`GET /models?output_modalities=video`), where the caller has them. The request's own model is not looked at.
    """
    given = request.model_dump(exclude_none=True) if isinstance(request, VideoRequest) else dict(request)
    wanted = VideoRequest(**{**given, "model": model.id})
    if not _promises(model, wanted, (modalities or {}).get(model.id)):
        return None
    wanted = normalise(model, wanted)
    if check(model, wanted):
        return None
    filled, choices = fill(model, wanted, frame=frame)
    return Offer(model, filled, quote(model, filled), choices)


def _promises(model: VideoModel, request: VideoRequest, inputs: Sequence[str] | None) -> bool:
    """Return whether the catalogue says outright that a model does all of this.

    Nothing in the catalogue tells a model that makes videos from one that edits them; but those that make them state
    durations, and those that work on a given video cannot, nor do they say how long their result will be.
    """
    if not model.supported_durations or model.upscale_factor is not None:
        return False
    frames = {str(item.get("frame_type")) for item in request.frame_images or []}
    stated = (
        (request.resolution, model.supported_resolutions),
        (request.aspect_ratio, model.supported_aspect_ratios),
        (request.size, model.supported_sizes),
        (frames, model.supported_frame_images),
        (passthrough_keys(request), model.allowed_passthrough_parameters),
    )
    if any(asked and not listed for asked, listed in stated):
        return False
    if (request.generate_audio and not model.generate_audio) or (request.seed is not None and not model.seed):
        return False
    # The job to go on from belongs to one model, and only the service knows which; upscaling needs a video.
    if request.previous_job_id or request.creativity is not None or request.upscale_factor is not None:
        return False
    return _takes(model, request, inputs)


def _takes(model: VideoModel, request: VideoRequest, inputs: Sequence[str] | None) -> bool:
    kinds = {str(item.get("type")) for item in request.input_references or []}
    needs = {kind.removesuffix("_url") for kind in kinds} | ({"image"} if request.frame_images else set())
    if request.prompt:
        needs.add("text")
    if inputs:
        return needs <= set(inputs)
    # Image references are taken by all; of the rest only a price for it tells (api notes).
    return needs <= {"text", "image"} | (
        {"video"} if any(price.video_input for price in price_list(model).prices) else set()
    )


def cheapest(
    models: Iterable[VideoModel],
    request: VideoRequest | Mapping[str, Any],
    *,
    modalities: Mapping[str, Sequence[str]] | None = None,
    frame: _Frame = None,
) -> tuple[VideoModel, VideoRequest, Quote] | None:
    """Return the model that does everything a request asks for at the lowest quote, the completed request, the quote.

    Only models whose price is known take part. An equal price goes to the listed quote, then to the newer model, then
    by id. None when no model is left. Models under `sandbox/` are never chosen: they rehearse bad days.
    """
    offers = [
        made
        for model in models
        if not model.id.startswith(_REHEARSAL)
        and (made := offer(model, request, modalities=modalities, frame=frame)) is not None
        and made.quote.usd is not None
    ]
    if not offers:
        return None
    best = min(offers, key=_preference)
    return best.model, best.request, best.quote


def _preference(made: Offer) -> tuple[Decimal, bool, int, str]:
    usd = made.quote.usd if made.quote.usd is not None else Decimal("Infinity")
    return usd, made.quote.kind != "listed", -(made.model.created or 0), made.model.id
