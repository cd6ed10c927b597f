"""Chooses the cheapest value for what a request leaves open, and the cheapest model; each choice is shown and sent."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.fit import check, normalise, passthrough_keys
from orvideo.catalogue.pricing import price_list
from orvideo.catalogue.quote import Quote, quote
from orvideo.catalogue.sizes import default_ratio, nearest_ratio, rank

#: Models of the sandbox that simulate failures; they are never chosen, only named.
_FAILING_MODELS = "sandbox/"
#: The aspect ratio of the picture that the video is made from.
_ADAPTIVE = "adaptive"

_Choice = tuple[str, Any, str]
_Frame = tuple[int, int] | None


class Offer(NamedTuple):
    """A request completed for one model, its quote, and a line for each choice that was made."""

    model: VideoModel
    request: VideoRequest
    quote: Quote
    choices: tuple[str, ...]


def fill(model: VideoModel, request: VideoRequest, *, frame: _Frame = None) -> tuple[VideoRequest, tuple[str, ...]]:
    """Return the completed request, and a line for each choice made.

    The choices are: the shortest duration; the lowest resolution, unless another is quoted cheaper; the aspect ratio
    nearest to the first `frame` where its size in pixels is known, else 16:9, else the first listed (`adaptive` where
    that is listed and the video begins with a picture); no sound where it costs or may cost extra. A given size stands
    for resolution and aspect ratio. What the catalogue does not list stays open; no image or seed is added.
    """
    lines: list[str] = []
    shape = partial(_shape, frame=frame)
    for choose in (_duration, _resolution, shape, _creativity, _upscale_factor, _sound):
        field, value, line = choose(model, request)
        if value is not None:
            request = request._replace(**{field: value})
            lines.append(line)
    return request, tuple(lines)


def _no_choice(field: str) -> _Choice:
    return field, None, ""


def _among(listed: Sequence[object], why: str) -> str:
    return why if len(listed) > 1 else "the only one"


def _duration(model: VideoModel, request: VideoRequest) -> _Choice:
    listed = [seconds for seconds in model.supported_durations or [] if seconds > 0]
    if request.duration is not None or not listed:
        return _no_choice("duration")
    shortest = min(listed)
    return "duration", shortest, f"duration {shortest} s ({_among(listed, 'shortest')})"


def _resolution(model: VideoModel, request: VideoRequest) -> _Choice:
    listed = model.supported_resolutions
    if request.resolution or request.size or not listed:
        return _no_choice("resolution")
    lowest = min(listed, key=rank)

    def cost(resolution: str) -> tuple[Decimal, int]:
        usd = quote(model, request._replace(resolution=resolution)).usd
        return (Decimal("Infinity") if usd is None else usd, rank(resolution))

    chosen = min(listed, key=cost)
    why = _among(listed, "lowest" if chosen == lowest else "cheapest")
    return "resolution", chosen, f"resolution {chosen} ({why})"


def _shape(model: VideoModel, request: VideoRequest, frame: _Frame) -> _Choice:
    listed = model.supported_aspect_ratios
    if request.aspect_ratio or request.size or not listed:
        return _no_choice("aspect_ratio")
    own = next((word for word in listed if word.casefold() == _ADAPTIVE), None)
    if own and (request.frame_images or request.previous_job_id):
        # A model that lists it may refuse other ratios for a video that begins with a picture (api notes).
        return "aspect_ratio", own, f"aspect ratio {own} (that of the picture it begins with)"
    near = nearest_ratio(frame, listed) if frame and min(frame) > 0 else None
    if near:
        why = _among(listed, "nearest to the first frame")
        return "aspect_ratio", near, f"aspect ratio {near} ({why})"
    chosen = default_ratio(listed)
    return "aspect_ratio", chosen, f"aspect ratio {chosen} ({_among(listed, 'usual')})"


def _creativity(model: VideoModel, request: VideoRequest) -> _Choice:
    if request.creativity is not None or not model.creativity:
        return _no_choice("creativity")
    chosen = min(model.creativity)
    return "creativity", chosen, f"creativity {chosen} ({_among(model.creativity, 'lowest')})"


def _upscale_factor(model: VideoModel, request: VideoRequest) -> _Choice:
    span = model.upscale_factor
    if request.upscale_factor is not None or span is None or span.min is None or not span.min > 0:
        return _no_choice("upscale_factor")
    return "upscale_factor", span.min, f"upscale factor {span.min:g} (lowest)"


def _sound(model: VideoModel, request: VideoRequest) -> _Choice:
    if request.generate_audio is not None or not model.generate_audio:
        return _no_choice("generate_audio")
    on, off = (quote(model, request._replace(generate_audio=sound)).usd for sound in (True, False))
    if on is None or off is None:
        free = not price_list(model).defect and not price_list(model).by_sound
        why = "may cost extra"
    else:
        free, why = on <= off, "costs extra"
    return "generate_audio", free, "sound on (costs nothing extra)" if free else f"sound off ({why})"


def offer(
    model: VideoModel,
    request: VideoRequest | Mapping[str, Any],
    *,
    modalities: Mapping[str, Sequence[str]] | None = None,
    frame: _Frame = None,
) -> Offer | None:
    """Return the request completed for a model, None unless the catalogue says that it can do all of it.

    Unlike in `check`, what the catalogue does not state counts as impossible. `modalities` maps model ids to their
    input modalities (`GET /models?output_modalities=video`), where they are known. The request's own model is ignored.
    """
    wanted = request if isinstance(request, VideoRequest) else VideoRequest.of({**request, "model": model.id})
    wanted = wanted._replace(model=model.id)
    if not _promises(model, wanted, (modalities or {}).get(model.id)):
        return None
    wanted = normalise(model, wanted)
    if check(model, wanted):
        return None
    filled, choices = fill(model, wanted, frame=frame)
    return Offer(model, filled, quote(model, filled), choices)


def _promises(model: VideoModel, request: VideoRequest, inputs: Sequence[str] | None) -> bool:
    """Return whether the catalogue states that a model can do all of this.

    Models that edit a given video state no durations, which is how they are told from those that make videos.
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
    # Only the service knows the model of the job that is continued; upscaling needs a video.
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
    # All models take image references; only a price shows that one takes video references (api notes).
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
    """Return the model that can do everything at the lowest quote, the completed request and the quote, or None.

    Models with an unknown price, and those under `sandbox/`, which simulate failures, are left out. Among equal prices
    a listed quote comes first, then the newer model, then the order of ids.
    """
    offers = [
        (_preference(model, made.quote.usd, about=made.quote.kind != "listed"), made)
        for model in models
        if not model.id.startswith(_FAILING_MODELS)
        and (made := offer(model, request, modalities=modalities, frame=frame)) is not None
        and made.quote.usd is not None
    ]
    if not offers:
        return None
    _, best = min(offers, key=itemgetter(0))
    return best.model, best.request, best.quote


def cheapest_for_all(
    models: Iterable[VideoModel],
    requests: Sequence[tuple[Mapping[str, Any], int]],
    *,
    modalities: Mapping[str, Sequence[str]] | None = None,
) -> VideoModel | None:
    """Return the model that can do all of these requests, each so many times, at the lowest sum, None where none can.

    What `cheapest` leaves out is left out here, and equal sums are told apart as there.
    """
    best, chosen = None, None
    for model in models:
        if model.id.startswith(_FAILING_MODELS):
            continue
        total, about = Decimal(0), False
        for request, times in requests:
            made = offer(model, request, modalities=modalities)
            if made is None or made.quote.usd is None:
                break
            total += made.quote.usd * times
            about |= made.quote.kind != "listed"
        else:
            preference = _preference(model, total, about=about)
            if best is None or preference < best:
                best, chosen = preference, model
    return chosen


def _preference(model: VideoModel, usd: Decimal, *, about: bool) -> tuple[Decimal, bool, int, str]:
    """Return what models at a price are ordered by, the best first; `about` says that the price is an estimate."""
    return usd, about, -(model.created or 0), model.id
