"""The values of a request, checked before it is sent.

The service is silent: it drops an unknown field without a word, so that a typo is never reported (api notes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from urllib.parse import SplitResult, urlsplit

from orvideo.api.urls import origin_of
from orvideo.errors import Unsafe, UsageError
from orvideo.request.fields import FIELDS, OBJECT, TEXT, Kind
from orvideo.request.texts import check_texts
from orvideo.request.wording import MEANT

if TYPE_CHECKING:
    from orvideo.request.frames import FrameOf

LONGEST_SESSION_ID = 256
FRAME_TYPES = ("first_frame", "last_frame")
_FRAME_PARTS = ("image_url",)
_REFERENCE_PARTS = ("image_url", "audio_url", "video_url")


def check_fields(given: Mapping[str, Any], *, also: Iterable[str] = (), unknown: bool = False) -> None:
    """Refuse fields that the service does not know and values of the wrong kind; None stands for "left open".

    `also` are names with a meaning of their own to the caller; `unknown` lets unknown fields pass (`--no-check`).
    Raises UsageError.
    """
    own = frozenset(also)
    if not unknown:
        _refuse_unknown("The request", [name for name in given if name not in own], FIELDS, others=own)
    for name, value in given.items():
        if name in FIELDS and name not in own and value is not None:
            _expect(name, value, FIELDS[name].kind)
    for name, kinds in (("frame_images", _FRAME_PARTS), ("input_references", _REFERENCE_PARTS)):
        for number, part in enumerate(given.get(name) or ()):
            _check_part(f"{name}[{number}]", part, kinds, unknown=unknown)
    if isinstance(provider := given.get("provider"), dict):
        _check_provider(provider, unknown=unknown)


def check_values(fields: Mapping[str, Any]) -> None:
    """Refuse what the service would refuse of fields that no model decides about. Raises UsageError."""
    check_texts(fields)
    callback = fields.get("callback_url")
    if callback is not None and not _is_https(callback) and not is_plain_callback(callback):
        raise UsageError(f"The callback URL {callback!r} is not an https URL.", hint="--callback-url https://HOST/PATH")
    session = fields.get("session_id")
    if session is not None and len(session) > LONGEST_SESSION_ID:
        raise UsageError(f"A session id has at most {LONGEST_SESSION_ID} characters; this one has {len(session)}.")
    factor = fields.get("upscale_factor")
    if factor is not None and not factor > 0:
        raise UsageError(f"The upscale factor {factor:g} is not more than 0.")


def _refuse_unknown(what: str, names: Iterable[str], known: Iterable[str], *, others: Iterable[str] = ()) -> None:
    strange = [name for name in names if name not in known]
    if not strange:
        return
    near = dict.fromkeys(found for name in strange if (found := nearest(name, [*known, *others])))
    guess = f"did you mean {' and '.join(near)}? " if near else ""
    raise UsageError(
        f"{what} has {'a field' if len(strange) == 1 else 'fields'} that the service does not know: "
        f"{', '.join(repr(name[:80]) for name in strange[:10])}.",
        hint=f"{guess}{MEANT}",
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `name` is probably a misspelling of, None when nothing is near."""
    import difflib

    found = difflib.get_close_matches(name[:80].casefold(), list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def _expect(path: str, value: object, kind: Kind) -> None:
    if not kind.fits(value):
        raise UsageError(f"{path} takes {kind.words}, not {_said(value)}.")


def _said(value: object) -> str:
    """Name a value by its kind, and show a short one."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 40 else f"a text of {len(value)} characters"
    return f"the number {str(value)[:40]}"


def _check_part(path: str, part: object, kinds: tuple[str, ...], *, unknown: bool) -> None:
    """Check one piece of media in the service's own wrapped shape (api notes)."""
    if not isinstance(part, dict):
        raise UsageError(f"{path} takes an object, not {_said(part)}.")
    kind = part.get("type")
    if kind not in kinds:
        raise UsageError(f"{path}.type is one of {', '.join(kinds)}, not {_said(kind)}.")
    inner = part.get(kind)
    _expect(f"{path}.{kind}", inner, OBJECT)
    url = inner.get("url") if isinstance(inner, dict) else None
    if not is_placeholder(url):
        _expect(f"{path}.{kind}.url", url, TEXT)
    is_frame = kinds == _FRAME_PARTS
    if is_frame and part.get("frame_type") not in FRAME_TYPES:
        raise UsageError(f"{path}.frame_type is {' or '.join(FRAME_TYPES)}, not {_said(part.get('frame_type'))}.")
    if not unknown:
        _refuse_unknown(path, part, ("type", kind, *(("frame_type",) if is_frame else ())))


def is_placeholder(url: object) -> bool:
    """Say whether this is what the record keeps instead of a data URL (`redaction.redact_request`)."""
    return isinstance(url, dict) and len(url) == 1 and isinstance(url.get("data_url"), dict)


def _check_provider(provider: Mapping[str, Any], *, unknown: bool) -> None:
    if not unknown:
        _refuse_unknown("provider", provider, ("options",))
    options = provider.get("options")
    if options is None:
        return
    _expect("provider.options", options, OBJECT)
    for slug, block in options.items():
        if not slug:
            raise UsageError("provider.options names no provider: one of its names is empty.")
        _expect(f"provider.options.{slug}", block, OBJECT)
        if block.get("parameters") is not None:
            _expect(f"provider.options.{slug}.parameters", block["parameters"], OBJECT)


def https_parts(url: str) -> SplitResult:
    """Take an https URL that a person gave apart; raises UsageError for what the service is not to be sent to."""
    if not url.isprintable() or "\\" in url or any(letter.isspace() for letter in url):
        raise UsageError("A URL has no spaces, backslashes or control characters in it.", hint="percent-encode them")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("A URL makes no sense: it cannot be taken apart.", hint="https://HOST/PATH") from error
    if "@" in parts.netloc:
        raise UsageError("A URL with a user name or a password in it is not sent to the service.")
    if not host:
        raise UsageError("A URL makes no sense: it names no host.", hint="https://HOST/PATH")
    return parts


def is_plain_callback(url: str) -> bool:
    """Say whether a callback URL is plain http to this machine: a service on this machine alone may be given it."""
    try:
        origin = origin_of(url)
    except Unsafe:
        return False
    return origin.scheme == "http" and origin.is_loopback


def _is_https(url: str) -> bool:
    try:
        return https_parts(url).scheme == "https"
    except UsageError:
        return False


class MediaSource(NamedTuple):
    """Where media are read from: the largest file in bytes, stdin for `-`, and two folders.

    Local paths start at `base` (else `root`, else the current directory), and must stay inside `root` when one is given
    (drill I07). With `fix` pictures are mended before they are sent (`mending`). `frame_of` makes pictures of words
    that stand for a frame of a video; without it, every word is the name of a picture.
    """

    max_bytes: int
    stdin: BinaryIO | None = None
    root: Path | None = None
    base: Path | None = None
    fix: bool = False
    frame_of: FrameOf | None = None


def media_urls(fields: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str | None]]:
    """Return the URLs of a request's media, placeholders left out.

    Each is (`frame_images[0].image_url.url`, `image`, the URL, a frame's type).
    """
    for name in ("frame_images", "input_references"):
        for number, part in enumerate(fields.get(name) or ()):
            kind = part["type"]
            url = part[kind]["url"]
            if isinstance(url, str):
                yield f"{name}[{number}].{kind}.url", kind.removesuffix("_url"), url, part.get("frame_type")
