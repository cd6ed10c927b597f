"""What the sandbox refuses, in the service's words (api notes, "Errors"), and what it drops without a word.

First the shape of the request by the schema, then the request against its model. Unknown keys, the blocks of other
providers and passthrough keys that the model does not list are dropped. The client is not told, as at the service; the
person who runs the sandbox is.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from orvideo.api.urls import origin_of
from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.sizes import parse_size
from orvideo.errors import Unsafe
from orvideo.sandbox import ids
from orvideo.sandbox.offer import Offer, continues, needs_prompt, upscales
from orvideo.sandbox.providers import OnNote, routed
from orvideo.sandbox.refusals import Refusal

#: A request body may not be larger; the service's own cap is not documented.
MAX_BODY = 40 * 2**20
#: The largest picture that is made for a size or an upscale factor that the catalogue does not limit.
_MAX_SIDE, _MAX_PIXELS, _MIN_SIDE = 7680, 34_000_000, 64
_LONGEST = 30
#: Whole numbers beyond this one are not exact in JSON with a decimal point.
_LARGEST_EXACT = 2**53

_PARTS = ("image_url", "audio_url", "video_url")

_MAGIC: dict[str, Callable[[bytes], bool]] = {
    "image/png": lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda head: head.startswith(b"\xff\xd8\xff"),
    "image/webp": lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP",
}

Issue = tuple[str, str]
Check = Callable[[str, Any], Iterator[Issue]]


def parse(raw: bytes) -> dict[str, Any]:
    """Return the body of a submit as it was sent. Raises Refusal 400, or 413 for one that is too large."""
    if len(raw) > MAX_BODY:
        raise Refusal(413, "Request payload too large")
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, "Invalid JSON in request body") from None
    if not isinstance(body, dict):
        raise Refusal(400, f"Invalid input: expected object, received {_kind(body)}")
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _kind(value: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def _expected(path: str, what: str, value: object) -> Iterator[Issue]:
    yield path, f"expected {what}, received {_kind(value)}"


def _text(path: str, value: Any) -> Iterator[Issue]:
    if not isinstance(value, str):
        yield from _expected(path, "string", value)


def _short_text(path: str, value: Any) -> Iterator[Issue]:
    yield from _text(path, value)
    if isinstance(value, str) and len(value) > 256:
        yield path, "String must contain at most 256 character(s)"


def _flag(path: str, value: Any) -> Iterator[Issue]:
    if not isinstance(value, bool):
        yield from _expected(path, "boolean", value)


def _number(path: str, value: Any) -> Iterator[Issue]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield from _expected(path, "number", value)


def _whole(path: str, value: Any) -> Iterator[Issue]:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        yield path, f"expected integer, received {_kind(value)}"
    elif isinstance(value, float) and abs(value) > _LARGEST_EXACT:
        yield path, "out of range"


def _duration(path: str, value: Any) -> Iterator[Issue]:
    issues = list(_whole(path, value))
    yield from issues
    if not issues and value < 1:
        yield path, "Number must be greater than or equal to 1"


def _factor(path: str, value: Any) -> Iterator[Issue]:
    issues = list(_number(path, value))
    yield from issues
    if not issues and not value > 0:
        yield path, "Number must be greater than 0"


def _one_of(options: tuple[str, ...]) -> Check:
    def check(path: str, value: Any) -> Iterator[Issue]:
        if not isinstance(value, str) or value not in options:
            yield path, f"Invalid option: expected one of {'|'.join(options)}"

    return check


def _object(path: str, value: Any) -> Iterator[Issue]:
    if not isinstance(value, dict):
        yield from _expected(path, "object", value)


def _provider(path: str, value: Any) -> Iterator[Issue]:
    yield from _object(path, value)
    if isinstance(value, dict) and "options" in value:
        options = value["options"]
        yield from _object(f"{path}.options", options)
        for slug, block in options.items() if isinstance(options, dict) else ():
            yield from _object(f"{path}.options.{slug}", block)


def _part(path: str, value: Any, kinds: tuple[str, ...]) -> Iterator[Issue]:
    if not isinstance(value, dict):
        yield from _expected(path, "object", value)
        return
    kind = value.get("type")
    yield from _one_of(kinds)(f"{path}.type", kind)
    if kind not in kinds:
        return
    inner = value.get(kind)
    yield from _object(f"{path}.{kind}", inner)
    if isinstance(inner, dict):
        yield from _text(f"{path}.{kind}.url", inner.get("url"))


def _list_of(check: Check) -> Check:
    def check_all(path: str, value: Any) -> Iterator[Issue]:
        if not isinstance(value, list):
            yield from _expected(path, "array", value)
            return
        for number, item in enumerate(value):
            yield from check(f"{path}[{number}]", item)

    return check_all


def _frame(path: str, value: Any) -> Iterator[Issue]:
    yield from _part(path, value, ("image_url",))
    if isinstance(value, dict):
        yield from _one_of(("first_frame", "last_frame"))(f"{path}.frame_type", value.get("frame_type"))


def _reference(path: str, value: Any) -> Iterator[Issue]:
    yield from _part(path, value, _PARTS)


def _callback(path: str, value: Any) -> Iterator[Issue]:
    yield from _text(path, value)
    if isinstance(value, str) and not _is_https(value) and not is_on_this_machine(value):
        yield path, "Must be a valid HTTPS URL"


def _previous(path: str, value: Any) -> Iterator[Issue]:
    yield from _text(path, value)
    if isinstance(value, str) and not ids.is_published(value):
        yield path, f"Invalid string: must match pattern /{ids.PUBLISHED}/"


#: The fields of the schema (VideoGenerationRequest); anything else at the top is dropped.
_FIELDS: dict[str, Check] = {
    "model": _text,
    "prompt": _text,
    "duration": _duration,
    "resolution": _text,
    "aspect_ratio": _text,
    "size": _text,
    "frame_images": _list_of(_frame),
    "input_references": _list_of(_reference),
    "generate_audio": _flag,
    "seed": _whole,
    "previous_job_id": _previous,
    "creativity": _whole,
    "upscale_factor": _factor,
    "provider": _provider,
    "callback_url": _callback,
    "user": _text,
    "session_id": _short_text,
    "trace": _object,
}


def understand(
    body: Mapping[str, Any], offer: Offer, note: OnNote, *, old_ids: bool = False
) -> tuple[VideoModel, VideoRequest]:
    """Return the model and the request that a body stands for. Raises Refusal 400.

    What is dropped is told to `note`. With `old_ids`, `previous_job_id` takes the form from before October 2026 too.
    """
    _check_shape(body, old_ids=old_ids)
    request = VideoRequest.of({name: _as_whole(body[name]) for name in _FIELDS if name in body})
    model = offer.models.get(request.model)
    if model is None:
        raise Refusal(400, f"{request.model} is not a valid model ID")
    _check_media(request)
    _check_model(model, request)
    for name in body:
        if name not in _FIELDS:
            note(f"dropped {name[:80]}: an unknown key")
    return model, routed(model, request, note)


def _as_whole(value: Any) -> Any:
    """Return `4.0` as 4: in JSON they are the same number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_shape(body: Mapping[str, Any], *, old_ids: bool) -> None:
    issues = [] if "model" in body else [("model", "Required")]
    before = body.get("previous_job_id")
    continues_old = old_ids and isinstance(before, str) and ids.is_old(before)
    for name, check in _FIELDS.items():
        if name in body and not (continues_old and name == "previous_job_id"):
            issues += check(name, body[name])
    if issues:
        raise Refusal(400, "Invalid input: " + "; ".join(f"{path}: {what}" for path, what in issues[:5]))


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def is_on_this_machine(url: str) -> bool:
    """Say whether a callback's host is this machine: it may be called, and over plain http too, as at no service."""
    try:
        return origin_of(url).is_loopback
    except Unsafe:
        return False


def _check_media(request: VideoRequest) -> None:
    for name in ("frame_images", "input_references"):
        for number, part in enumerate(getattr(request, name) or []):
            kind = part["type"]
            url = part[kind]["url"]
            where = f"Invalid reference URL: {name}[{number}].{kind}.url"
            if kind == "image_url" and url.startswith("data:"):
                if data_image(url) is None:
                    raise Refusal(
                        400, f"{where}: Only base64 image/png, image/jpeg and image/webp data URLs are allowed"
                    )
            elif not _is_https(url):
                raise Refusal(400, f"{where}: Only HTTPS URLs are allowed")


def data_image(url: str) -> bytes | None:
    """Return the bytes of an image data URL, None when it is not one or is not what it says it is."""
    head, comma, text = url.partition(",")
    mime, _, encoding = head.removeprefix("data:").partition(";")
    if not comma or encoding != "base64" or mime not in _MAGIC:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _MAGIC[mime](data[:16]) else None


def _unsupported(name: str, value: object, plural: str, listed: list[Any]) -> Refusal:
    offered = ", ".join(str(item) for item in listed)
    return Refusal(400, f"{name} {value} is not supported for this model. Supported {plural}: {offered}")


def _check_model(model: VideoModel, request: VideoRequest) -> None:
    durations = model.supported_durations or list(range(1, _LONGEST + 1))
    if request.duration is not None and request.duration not in durations:
        raise _unsupported("Duration", f"{request.duration}s", "durations", sorted(durations))
    for name, plural, value, listed in (
        ("Resolution", "resolutions", request.resolution, model.supported_resolutions),
        ("Aspect ratio", "aspect ratios", request.aspect_ratio, model.supported_aspect_ratios),
        ("Size", "sizes", request.size, model.supported_sizes),
    ):
        if value is not None and listed and value not in listed:
            raise _unsupported(name, value, plural, listed)
    if request.size is not None and not is_possible(parse_size(request.size)):
        raise Refusal(400, f"Size {request.size} is not supported for this model.")
    _check_frames(model, request)
    _check_switches(model, request)
    if not (request.prompt or "").strip() and (needs_prompt(model) or not _has_input(request)):
        raise Refusal(400, "Prompt is required for this model")


def is_possible(size: tuple[int, int] | None) -> bool:
    """Say whether the sandbox makes pictures of a size."""
    return size is not None and min(size) >= _MIN_SIDE and max(size) <= _MAX_SIDE and size[0] * size[1] <= _MAX_PIXELS


def _has_input(request: VideoRequest) -> bool:
    return bool(request.frame_images or request.input_references or request.previous_job_id)


def _check_frames(model: VideoModel, request: VideoRequest) -> None:
    kinds = [str(frame["frame_type"]) for frame in request.frame_images or []]
    listed = model.supported_frame_images or []
    for kind in kinds:
        if not listed:
            raise Refusal(400, f"{model.id} does not support frame_images")
        if kind not in listed:
            raise _unsupported("Frame type", kind, "frame types", listed)
        if kinds.count(kind) > 1:
            raise Refusal(400, f"Only one {kind} image is allowed")


def _check_switches(model: VideoModel, request: VideoRequest) -> None:
    if request.generate_audio and model.generate_audio is False:
        raise Refusal(400, f"{model.id} does not support generate_audio")
    if request.seed is not None and model.seed is False:
        raise Refusal(400, f"{model.id} does not support seed")
    if request.previous_job_id is not None and not continues(model):
        raise Refusal(400, f"{model.id} does not support previous_job_id")
    if not upscales(model):
        for name in ("creativity", "upscale_factor"):
            if getattr(request, name) is not None:
                raise Refusal(400, f"{model.id} does not support {name}")
        return
    if request.creativity is not None and model.creativity and request.creativity not in model.creativity:
        raise _unsupported("Creativity", request.creativity, "levels", model.creativity)
    span, factor = model.upscale_factor, request.upscale_factor
    if span and factor is not None and not (span.min or 0) <= factor <= (span.max or factor):
        raise Refusal(
            400, f"Upscale factor {factor:g} is not supported for this model. Range: {span.min:g}-{span.max:g}"
        )
