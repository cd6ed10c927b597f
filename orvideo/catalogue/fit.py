"""Checks a request against the catalogue's entry of its model, before anything is sent.

None in the catalogue means "not stated", and refuses nothing. Case is ignored. No value is changed to fit.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.sizes import has_ratio, parse_ratio, parse_size, resolution_of
from orvideo.catalogue.words import durations_text


class Problem(NamedTuple):
    """One thing that a model cannot do: the request's field and value, a sentence, and the values that are possible.

    `allowed` is empty where the field has to be left out.
    """

    field: str
    value: str
    message: str
    allowed: tuple[str, ...] = ()


def check(model: VideoModel, request: VideoRequest, *, inputs: Sequence[str] | None = None) -> list[Problem]:
    """Return everything about a request that its model cannot do, in the order of the request's fields.

    `inputs` are the model's input modalities (`GET /models?output_modalities=video`), where they are known.
    """
    return [
        *_duration(model, request),
        *_listed(model, "resolution", request.resolution, model.supported_resolutions),
        *_shape(model, request),
        *_size(model, request),
        *_frames(model, request),
        *_references(model, request, inputs),
        *_switches(model, request),
        *_upscaling(model, request),
        *_passthrough(model, request),
    ]


def _or_list(values: Iterable[str]) -> str:
    texts = list(values)
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"


def _duration(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    # An empty list of durations, resolutions, ratios or sizes states nothing: probably its entries were not readable.
    listed = sorted(set(model.supported_durations or []))
    seconds = request.duration
    if seconds is None or seconds in listed:
        return
    if not listed and seconds > 0:
        return
    offer = f"It offers {durations_text(listed)} s." if listed else "A video lasts 1 s or more."
    yield Problem(
        "duration",
        str(seconds),
        f"{model.id} does not offer a duration of {seconds} s. {offer}",
        tuple(map(str, listed)),
    )


def _listed(model: VideoModel, field: str, value: str | None, listed: list[str] | None) -> Iterator[Problem]:
    if value is None or not listed or _spelling(value, listed) is not None:
        return
    name = field.replace("_", " ")
    yield Problem(
        field, value, f"{model.id} does not offer the {name} {value}. It offers {_or_list(listed)}.", tuple(listed)
    )


def _spelling(value: str, listed: Iterable[str]) -> str | None:
    folded = value.strip().casefold()
    return next((item for item in listed if item.casefold() == folded), None)


def _shape(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    """A listed ratio is valid in any form; where none are listed, it must have the form W:H (finding C12)."""
    ratio, listed = request.aspect_ratio, model.supported_aspect_ratios
    yield from _listed(model, "aspect_ratio", ratio, listed)
    if ratio is not None and not listed and parse_ratio(ratio) is None:
        message = f"{ratio} is not an aspect ratio for {model.id}, which lists none. One is written W:H, such as 16:9."
        yield Problem("aspect_ratio", ratio, message)


def _size(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    if request.size is None:
        return
    yield from _listed(model, "size", request.size, model.supported_sizes)
    size = parse_size(request.size)
    if size is None:
        if not model.supported_sizes:
            message = f"{request.size} is not a size for {model.id}. A size is written WIDTHxHEIGHT, such as 1280x720."
            yield Problem("size", request.size, message)
        return
    # A size and a resolution or ratio may both be given if they agree (api notes).
    resolution = resolution_of(model, size)
    if request.resolution and (resolution or "").casefold() != request.resolution.strip().casefold():
        yield _contradiction(model, request, f"resolution {request.resolution}")
    if request.aspect_ratio and parse_ratio(request.aspect_ratio) and not has_ratio(size, request.aspect_ratio):
        yield _contradiction(model, request, f"aspect ratio {request.aspect_ratio}")


def _contradiction(model: VideoModel, request: VideoRequest, other: str) -> Problem:
    size = request.size or ""
    return Problem(
        "size", size, f"The size {size} contradicts the {other}. {model.id} takes either a size or the other two."
    )


def _frames(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    kinds = [str(frame.get("frame_type")) for frame in request.frame_images or []]
    listed = model.supported_frame_images
    for kind in dict.fromkeys(kinds):
        name = kind.replace("_", " ")
        if kinds.count(kind) > 1:
            message = f"The request has {kinds.count(kind)} images as {name}; {model.id} can take one."
            yield Problem("frame_images", kind, message, (kind,))
        if listed is not None and kind not in listed:
            offer = _or_list(item.replace("_", " ") for item in listed) if listed else "no frame images"
            yield Problem("frame_images", kind, f"{model.id} does not take a {name}. It takes {offer}.", tuple(listed))


def _references(model: VideoModel, request: VideoRequest, inputs: Sequence[str] | None) -> Iterator[Problem]:
    """The service reports no error for references that a model ignores (api notes)."""
    if not inputs:
        return
    kinds = dict.fromkeys(str(item.get("type")).removesuffix("_url") for item in request.input_references or [])
    taken = [kind for kind in inputs if kind != "text"]
    for kind in kinds:
        if kind not in inputs:
            offer = _or_list(taken) if taken else "no references"
            message = f"{model.id} does not take {kind} as a reference. It takes {offer}."
            yield Problem("input_references", kind, message, tuple(taken))


def _switches(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    if request.generate_audio and model.generate_audio is False:
        yield Problem("generate_audio", "true", f"{model.id} cannot make sound (asked: true).", ("false",))
    if request.seed is not None and model.seed is False:
        message = f"{model.id} takes no seed. Leave it out."
        yield Problem("seed", str(request.seed), message)


def _upscaling(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    levels = model.creativity
    if request.creativity is not None and levels and request.creativity not in levels:
        texts = tuple(map(str, levels))
        message = f"{model.id} does not offer creativity {request.creativity}. It offers {_or_list(texts)}."
        yield Problem("creativity", str(request.creativity), message, texts)
    span, factor = model.upscale_factor, request.upscale_factor
    if span is None or factor is None:
        return
    too_small = span.min is not None and factor < span.min
    too_large = span.max is not None and factor > span.max
    if too_small or too_large or not factor > 0:
        ends = tuple(f"{end:g}" for end in (span.min, span.max) if end is not None)
        offer = f"It offers {' to '.join(ends)}." if len(ends) == 2 else "A factor is more than 0."
        message = f"{model.id} does not offer an upscale factor of {factor:g}. {offer}"
        yield Problem("upscale_factor", f"{factor:g}", message, ends)


def passthrough_keys(request: VideoRequest) -> list[str]:
    """Return the keys under `provider.options.<slug>.parameters`, each once, in the order given."""
    options: Any = (request.provider or {}).get("options")
    blocks = options.values() if isinstance(options, dict) else []
    parameters = [block.get("parameters") for block in blocks if isinstance(block, dict)]
    return list(dict.fromkeys(str(key) for item in parameters if isinstance(item, dict) for key in item))


def _passthrough(model: VideoModel, request: VideoRequest) -> Iterator[Problem]:
    """An empty list means none; the service drops other keys and reports no error (api notes)."""
    allowed = model.allowed_passthrough_parameters
    if allowed is None:
        return
    for key in passthrough_keys(request):
        if key not in allowed:
            offer = f"It takes {_or_list(allowed)}." if allowed else "It takes none."
            message = f"{model.id} does not take the provider parameter {key}. {offer}"
            yield Problem("provider", key, message, tuple(allowed))


def normalise(model: VideoModel, request: VideoRequest) -> VideoRequest:
    """Return the request in the catalogue's spelling (`4k` → `4K`); values that are not listed are unchanged.

    `generate_audio: false` is left out for a model without sound, where the field can be answered with 400 (api notes).
    """
    changes: dict[str, Any] = {}
    if request.model.casefold() == model.id.casefold():
        changes["model"] = model.id
    for field, listed in (
        ("resolution", model.supported_resolutions),
        ("aspect_ratio", model.supported_aspect_ratios),
        ("size", model.supported_sizes),
    ):
        value = getattr(request, field)
        if value is not None and (spelled := _spelling(value, listed or [])):
            changes[field] = spelled
    if request.generate_audio is False and model.generate_audio is False:
        changes["generate_audio"] = None
    return request._replace(**changes)
