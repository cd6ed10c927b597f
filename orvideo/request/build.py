"""What a person gives for a request, on a line, in a file or in a row of a batch, turned into the fields to be sent.

A *given* mapping has the fields of `fields.TABLE`: the service's own, and these short names beside them:
`first_frame`, `last_frame` (a file, a URL, or a word for a frame of a video), `reference` (one or a list of them),
`param` (`[SLUG:]KEY=VALUE`, one or a list of them, or an object).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.errors import UsageError
from orvideo.record.frames import LISTS, FrameSource
from orvideo.record.redaction import redacted_media
from orvideo.request.awaited import Awaited, awaited_in
from orvideo.request.checking import FRAME_TYPES, MediaSource, check_fields, check_values, media_urls
from orvideo.request.fields import SHORT_NAMES
from orvideo.request.file import parse_json
from orvideo.request.wording import EXAMPLE, check_prompt_seen, check_wording

if TYPE_CHECKING:
    from orvideo.request import media

_INPUTS = ("frame_images", "input_references", "previous_job_id")


class Param(NamedTuple):
    """A parameter for a provider; `slug` None leaves open which one, until the model is known."""

    slug: str | None
    key: str
    value: Any


class RequestDraft(NamedTuple):
    """A request as far as a person has decided it.

    `fields` are ready for `catalogue.planning.plan`, but for `params`, whose provider is known once the model is.
    `frame` is the first frame's size in pixels, None where it is not on this disk. `warnings` are sentences to say.
    `frames` says which pictures are frames of videos.
    """

    fields: dict[str, Any]
    params: tuple[Param, ...] = ()
    frame: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()
    frames: tuple[FrameSource, ...] = ()


def request_fields(
    given: Mapping[str, Any],
    source: MediaSource,
    *,
    base: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    check: bool = True,
    taken: Mapping[str, FrameSource] = MappingProxyType({}),
) -> RequestDraft:
    """Return the request that `given` makes of `base` (a whole request), with `defaults` for what both leave open.

    None as a value stands for "left open", whatever the layers below say. Without `check`, unknown fields are sent.
    `taken` says of which videos pictures of `base` are frames, by their data URLs.
    Raises UsageError for a name or a kind of value that does not fit, for a picture that cannot be sent (drills I01 to
    I05, I07), and for pictures of `base` that are not on record and are not given anew.
    """
    base = base or {}
    check_fields(given, also=SHORT_NAMES, unknown=not check)
    check_fields(base, unknown=not check)
    parts = _Parts.read(given, source)
    params = parse_params(given.get("param"))
    upper = {name: value for name, value in given.items() if name not in SHORT_NAMES}
    fields = parts.make_room(_over(_over(defaults or {}, base), upper), upper)
    _refuse_missing(fields)
    if strange := awaited_in(fields):
        raise UsageError(f"The URL {strange[0].url[:80]!r} leads to no picture.")
    said: list[str] = []
    frame = None
    if check or source.fix:
        said, frame, fields = _look_at_media(fields, source)
    fields = parts.add_to(fields)
    for param in params:  # those of no named provider stand under "" for now
        fields["provider"] = with_parameter(fields.get("provider"), param.slug or "", param.key, param.value)
    fields = {name: value for name, value in fields.items() if value is not None}
    check_values(fields)
    check_prompt_seen(fields.get("prompt"))
    if check:
        check_wording(fields.get("prompt"))
    if not (fields.get("prompt") or any(fields.get(name) for name in _INPUTS)):
        raise UsageError("A prompt is needed.", hint=EXAMPLE)
    return RequestDraft(
        fields,
        tuple(param for param in params if param.slug is None),
        parts.frame or frame,
        (*parts.warnings, *said, *_ignored(fields)),
        _frames(fields, {**taken, **parts.taken}),
    )


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one set of fields over another. A size, and a resolution with a shape, are two ways to ask for one thing."""
    kept = dict(lower)
    if upper.get("size") is not None:
        kept.pop("resolution", None)
        kept.pop("aspect_ratio", None)
    if upper.get("resolution") is not None or upper.get("aspect_ratio") is not None:
        kept.pop("size", None)
    merged = {**kept, **upper}
    if isinstance(kept.get("trace"), dict) and isinstance(upper.get("trace"), dict):
        merged["trace"] = {**kept["trace"], **upper["trace"]}
    return merged


# --- pictures ---------------------------------------------------------------------------------------------------------


class _Parts(NamedTuple):
    """The media that were given by their short names, read."""

    frames: dict[str, media.Part]
    references: tuple[media.Part, ...]

    @classmethod
    def read(cls, given: Mapping[str, Any], source: MediaSource) -> _Parts:
        kinds = [kind for kind in FRAME_TYPES if given.get(kind) is not None]
        references = _several(given.get("reference"))
        if not kinds and not references:
            return cls({}, ())
        from orvideo.request import media  # most requests have no picture

        return cls(
            {
                kind: _awaited(given[kind], frame_type=kind) or media.frame(_text(kind, given[kind]), kind, source)
                for kind in kinds
            },
            tuple(_awaited(item) or media.reference(_text("reference", item), source) for item in references),
        )

    @property
    def warnings(self) -> Iterator[str]:
        for part in (*self.frames.values(), *self.references):
            yield from part.warnings

    @property
    def frame(self) -> tuple[int, int] | None:
        first = self.frames.get("first_frame")
        return first.size if first else None

    @property
    def taken(self) -> dict[str, FrameSource]:
        """The pictures that are frames of videos, by their data URLs."""
        parts = (*self.frames.values(), *self.references)
        return {part.body["image_url"]["url"]: part.source for part in parts if part.source is not None}

    def make_room(self, fields: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields without what these parts replace: a frame the one of its kind, references those below."""
        changed = dict(fields)
        if self.frames:
            changed["frame_images"] = [
                item for item in fields.get("frame_images") or () if item["frame_type"] not in self.frames
            ]
        if self.references:
            changed["input_references"] = list(upper.get("input_references") or ())
        return changed

    def add_to(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields with these parts, the first frame before the last."""
        changed = dict(fields)
        if self.frames:
            frames = [*fields["frame_images"], *(part.body for part in self.frames.values())]
            changed["frame_images"] = sorted(frames, key=lambda item: FRAME_TYPES.index(item["frame_type"]))
        if self.references:
            changed["input_references"] = [*fields["input_references"], *(part.body for part in self.references)]
        return changed


def _awaited(value: object, **more: str) -> media.Part | None:
    """Return what stands in the place of a picture that is not there yet, None for any other value."""
    if not isinstance(value, Awaited):
        return None
    from orvideo.request import media

    return media.Part({"type": "image_url", "image_url": {"url": value.url}, **more}, "image", value.name)


def _several(value: object) -> list[object]:
    if isinstance(value, Awaited):  # a tuple as well
        return [value]
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def _text(name: str, value: object, what: str = "a file or a URL") -> str:
    if not isinstance(value, str):
        raise UsageError(f"{name} takes {what}, not {type(value).__name__} {str(value)[:40]!r}.")
    return value


def _refuse_missing(fields: Mapping[str, Any]) -> None:
    """Refuse a request whose pictures are known by their sums only, and ask for them anew (drill J13)."""
    if missing := missing_media(fields):
        flags = " ".join(f"{flag} FILE" for _, flag in missing)
        raise UsageError(
            f"{len(missing)} of the images are not on record, only what they were: "
            f"{'; '.join(said for said, _ in missing)}.",
            hint=f"give them anew: {flags}",
        )


def missing_media(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the images that a request on record lacks, each as a sentence's part and the flag that gives it anew."""
    found = []
    for path, about in redacted_media(request):
        size, kind, sha256 = about.get("bytes"), about.get("type"), str(about.get("sha256"))
        bytes_text = f"{size:,} bytes" if isinstance(size, int) else "some bytes"
        said = f"{path.partition('.')[0]} ({kind}, {bytes_text}, sha256 {sha256[:12]}...)"
        found.append((said, _flag_of(request, path)))
    return found


def _flag_of(request: Mapping[str, Any], path: str) -> str:
    """Return the flag that gives what is at a path such as `frame_images[0].image_url.url`."""
    if not path.startswith("frame_images["):
        return "--reference"
    number = int(path.removeprefix("frame_images[").partition("]")[0])
    return "--last-frame" if request["frame_images"][number].get("frame_type") == "last_frame" else "--first-frame"


def _look_at_media(
    fields: dict[str, Any], source: MediaSource
) -> tuple[list[str], tuple[int, int] | None, dict[str, Any]]:
    """Check the media that came in the service's own shape; return what to say of them, the first frame's size, and
    the fields, with pictures mended where the source says so.
    """
    warnings: list[str] = []
    mended: dict[str, str] = {}
    frame = None
    for path, kind, url, frame_type in media_urls(fields):
        if not url[:6].casefold().startswith(("https:", "data:")):
            raise UsageError(
                f"{path} is neither an https URL nor a data URL: {url[:80]!r}.",
                hint="a file is given with --first-frame, --last-frame or --reference",
            )
        try:
            said, size, mended[url] = _look_at(url, kind, source.max_bytes, source.fix)
        except UsageError as error:
            raise UsageError(f"{path}: {error.message}", hint=error.hint) from None
        warnings += said
        if frame_type == "first_frame":
            frame = size or frame
    return warnings, frame, _with_urls(fields, mended) if source.fix else fields


def _with_urls(fields: Mapping[str, Any], urls: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields with other URLs in place of those of their media."""
    changed = dict(fields)
    for name in ("frame_images", "input_references"):
        if fields.get(name):
            changed[name] = [
                {**part, part["type"]: {**part[part["type"]], "url": urls[part[part["type"]]["url"]]}}
                for part in fields[name]
            ]
    return changed


@lru_cache(maxsize=8)  # the rows of a batch share the pictures of its line (R-B17); more than one request has
def _look_at(url: str, kind: str, max_bytes: int, fix: bool) -> tuple[tuple[str, ...], tuple[int, int] | None, str]:
    """Check what a URL of a request leads to, as far as it is in it: what to say, a picture's size, the URL to send."""
    from orvideo.request import media

    part = media.reference(f"{kind}:{url}", MediaSource(max_bytes, fix=fix))
    return part.warnings, part.size, part.body[f"{part.kind}_url"]["url"] if fix else url


def _frames(fields: Mapping[str, Any], taken: Mapping[str, FrameSource]) -> tuple[FrameSource, ...]:
    """Return which pictures of a request are frames of videos, each with its place in it."""
    found = []
    for name in ("frame_images", "input_references") if taken else ():
        for number, part in enumerate(fields.get(name) or ()):
            if (source := taken.get(part[part["type"]]["url"])) is not None:
                found.append(source._replace(use=part.get("frame_type", "reference"), number=number))
    return tuple(found)


def taken_of(draft: RequestDraft) -> dict[str, FrameSource]:
    """Return the pictures of a request that are frames of videos, by their data URLs."""
    lists = {frame: draft.fields[LISTS[frame.use]][frame.number] for frame in draft.frames}
    return {part["image_url"]["url"]: frame for frame, part in lists.items()}


def _ignored(fields: Mapping[str, Any]) -> Iterator[str]:
    if fields.get("frame_images") and fields.get("input_references"):
        yield "with a first or last frame given, the service ignores the references"


# --- parameters of providers, and other pairs -------------------------------------------------------------------------


def parse_params(given: object) -> tuple[Param, ...]:
    """Return provider parameters out of `[SLUG:]KEY=VALUE` texts, or out of an object. Raises UsageError."""
    if isinstance(given, Mapping):
        return tuple(Param(None, str(key), value) for key, value in given.items())
    params = tuple(_param(_text("param", item, "KEY=VALUE")) for item in _several(given))
    for number, param in enumerate(params):
        if any(param[:2] == other[:2] for other in params[:number]):
            raise UsageError(f"The parameter {param.key} is given twice.")
    return params


def _param(text: str) -> Param:
    name, value = _split(text, "--param")
    before, colon, after = name.partition(":")
    slug, key = (before, after) if colon else ("", before)
    if not key or (colon and not slug):
        raise UsageError(f"--param {text[:80]!r} names no parameter.", hint="--param KEY=VALUE or SLUG:KEY=VALUE")
    return Param(slug or None, key, _json_or_text(value, name))


def _split(text: str, flag: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{flag} {text[:80]!r} is not KEY=VALUE.")
    return name.strip(), value


def _json_or_text(text: str, name: str) -> Any:
    try:
        return parse_json(text)
    except json.JSONDecodeError:
        return text
    except ValueError as error:
        if text.lstrip()[:1] in ("{", "["):
            raise UsageError(f"--param {name}: the value looks like JSON, but {error}.") from None
        return text


def parse_pairs(texts: Iterable[str], flag: str) -> dict[str, str]:
    """Return `KEY=VALUE` texts as an object of texts. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        name, value = _split(text, flag)
        if name in found:
            raise UsageError(f"{flag} {name} is given twice.")
        found[name] = value
    return found


def with_parameter(provider: Mapping[str, Any] | None, slug: str, key: str, value: Any) -> dict[str, Any]:
    """Return a copy of the provider field with one more parameter under `options.<slug>.parameters`."""
    provider = provider or {}
    options = provider.get("options") or {}
    block = options.get(slug) or {}
    parameters = {**(block.get("parameters") or {}), key: value}
    return {**provider, "options": {**options, slug: {**block, "parameters": parameters}}}


__all__ = ["MediaSource", "Param", "RequestDraft", "missing_media", "parse_pairs", "request_fields", "taken_of"]
