"""Files and URLs into the parts of a request: the first and last frame, and the references.

An https URL goes as it is. A picture on this disk becomes a data URL, built once, from one look at one open file
(drills I01 to I05). Sound and film on this disk cannot be sent: the service refuses them (api notes).
"""

import base64
import binascii
import errno
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote_to_bytes, urlsplit

from orvideo import shells, system
from orvideo.errors import UsageError
from orvideo.files import expand_user
from orvideo.record.frames import FrameSource
from orvideo.request.checking import MediaSource, https_parts
from orvideo.request.frames import FrameWord
from orvideo.request.pictures import NotAPicture, Picture, read_picture

Kind = Literal["image", "audio", "video"]

STDIN = "-"
#: No camera and no provider has sides like these; a header that claims them is a trap (drill I04). In pixels.
LONGEST_SIDE = 20_000
#: What some providers want (api notes): sides in pixels, and width divided by height.
SIDES = (300, 6000)
RATIOS = (0.4, 2.5)

_EXTENSIONS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "avif", "heic", "bmp", "tif", "tiff"), "image"
    ),
    **dict.fromkeys(("mp3", "wav", "m4a", "aac", "flac", "ogg", "oga", "opus", "aif", "aiff", "wma"), "audio"),
    **dict.fromkeys(("mp4", "m4v", "mov", "webm", "mkv", "avi", "mpg", "mpeg", "ogv", "ts"), "video"),
}
_SAID_KIND = re.compile(r"(image|audio|video):(?!//)(.+)", re.DOTALL)
#: One letter is a drive of Windows; without two slashes only these are URLs and not odd names of files.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(//)?")
_BARE_SCHEMES = frozenset({"http", "https", "data", "file", "ftp", "blob", "javascript", "about", "mailto"})


@dataclass(frozen=True)
class Part:
    """One piece of media as the service takes it.

    `body` is the wrapped shape that is sent; its `repr` is left out, because it may hold a whole picture (drill I08).
    `origin` names the source to a person, `source` says of which video it is a frame. Sizes are in pixels, None for
    what is not on this disk.
    """

    body: dict[str, Any] = field(repr=False)
    kind: Kind
    origin: str
    width: int | None = None
    height: int | None = None
    warnings: tuple[str, ...] = ()
    source: FrameSource | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """The width and the height, None where they are not known."""
        return (self.width, self.height) if self.width and self.height else None


def frame(source: str, frame_type: str, where: MediaSource) -> Part:
    """Return a first or last frame: an image by https URL, data URL, file or stdin (`-`), or a frame of a video.

    Raises UsageError, and what fetching a video raises.
    """
    said, rest = _said_kind(source)
    part = _frame_of_video(rest, said, frame_type, where) or _part(rest, said, where)
    if part.kind != "image":
        raise UsageError(
            f"{part.origin} is {_a(part.kind)}, and a {frame_type.replace('_', ' ')} is an image.",
            hint=f"if it is an image: image:{rest}" if said is None else "give it with --reference",
        )
    return replace(part, body={**part.body, "frame_type": frame_type})


def reference(source: str, where: MediaSource) -> Part:
    """Return a reference: an image as `frame` takes it, or audio or video by https URL.

    What a URL leads to is taken from the extension of its path, or said before it: `audio:https://…`. Raises
    UsageError.
    """
    said, rest = _said_kind(source)
    part = _frame_of_video(rest, said, "reference", where) or _part(rest, said, where)
    if said is None and _scheme(rest) == "https" and _kind_by_name(rest) is None:
        unsaid = f"{part.origin} does not say what it is; it is sent as an image (or write audio: or video: before it)"
        return replace(part, warnings=(*part.warnings, unsaid))
    return part


# --- what a source is -------------------------------------------------------------------------------------------------


def _said_kind(source: str) -> tuple[Kind | None, str]:
    """Split `audio:…` into what it says and what it says it of."""
    if found := _SAID_KIND.fullmatch(source):
        kind: Any = found[1]
        return kind, found[2]
    return None, source


def _frame_of_video(word: str, said: Kind | None, use: str, where: MediaSource) -> Part | None:
    """Return the picture that a word stands for as a frame of a video, None for a word that does not."""
    if where.frame_of is None or said in ("audio", "video") or not word.strip() or word == STDIN or _scheme(word):
        return None
    frame = where.frame_of(FrameWord(word, use, partial(_placed, where=where)))
    if frame is None:
        return None
    if len(frame.data) > where.max_bytes:
        raise _too_large(frame.origin, len(frame.data), where.max_bytes)
    part = _from_bytes(frame.data, frame.origin, where)
    return replace(part, warnings=(*frame.warnings, *part.warnings), source=frame.source)


def _part(source: str, said: Kind | None, where: MediaSource) -> Part:
    if not source.strip():
        raise UsageError("An image, a file or a URL is needed, and the name given is empty.")
    scheme = _scheme(source)
    if scheme == "https":
        part = _from_url(source, said)
        if where.fix and part.kind == "image":
            return replace(part, warnings=(f"{part.origin} is not on this machine, and is sent as it is",))
        return part
    if scheme == "file":
        raise UsageError("A file is given by its path, not as a file: URL.", hint="leave file:// away")
    if scheme not in (None, "data"):
        raise UsageError(
            f"{scheme}: URLs are not taken: the service fetches https only.",
            hint="give an https URL, or the path of an image on this machine",
        )
    origin = "the data URL" if scheme else "stdin" if source == STDIN else source
    if said in ("audio", "video"):
        raise _cannot_send(origin, _a(said))
    if scheme:
        data = _decoded(source, where.max_bytes)
    elif source == STDIN:
        data = _from_stdin(where)
    else:
        data = _from_file(source, where)
    return _from_bytes(data, origin, where)


def _wrapped(kind: Kind, url: str) -> dict[str, Any]:
    """Return the service's own shape for a piece of media (api notes)."""
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def _scheme(source: str) -> str | None:
    found = _SCHEME.match(source)
    if found and (found[2] or found[1].lower() in _BARE_SCHEMES):
        return found[1].lower()
    return None


# --- URLs -------------------------------------------------------------------------------------------------------------


def _from_url(url: str, said: Kind | None) -> Part:
    parts = https_parts(url)
    kind = said or _kind_by_name(url) or "image"
    # Without the query: that is where signed links have their secret.
    return Part(_wrapped(kind, url), kind, f"https://{parts.netloc}{parts.path}")


def _kind_by_name(url: str) -> Kind | None:
    """Return what the extension of a URL's path says, None when it says nothing."""
    name = urlsplit(url).path.rpartition("/")[2]
    return _EXTENSIONS.get(name.rpartition(".")[2].lower()) if "." in name else None


def _decoded(url: str, limit: int) -> bytes:
    """Return the bytes of a data URL."""
    head, comma, body = url.partition(",")
    if not comma:
        raise UsageError("The data URL makes no sense: there is no comma in it.")
    is_base64 = head.lower().endswith(";base64")
    if is_base64 and len(body) > limit * 4 // 3 + 4:
        raise _too_large("the data URL", len(body) * 3 // 4, limit)
    try:
        data = base64.b64decode(body, validate=True) if is_base64 else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        raise UsageError("The data URL makes no sense: it is not base64.") from None
    if len(data) > limit:
        raise _too_large("the data URL", len(data), limit)
    return data


# --- bytes of this machine --------------------------------------------------------------------------------------------


def _from_stdin(where: MediaSource) -> bytes:
    """Return what stdin has, up to the limit; a second `-` finds it empty."""
    if where.root is not None:
        raise UsageError("'-' cannot be used here: stdin is not part of a batch.")
    if where.stdin is None:
        raise UsageError("'-' reads an image from stdin, and stdin is closed.")
    if where.stdin.isatty():
        way = shells.fed_with("orvideo ... -", "image.png")
        raise UsageError("'-' reads an image from stdin, and stdin is a terminal.", hint=way)
    stdin = where.stdin
    try:
        data = _at_most(where.max_bytes, "stdin", stdin.read)
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror or error}.") from error
    if not data:
        raise UsageError("There is no image on stdin: it is empty.", hint="'-' can be given once in a command")
    return data


def _from_file(source: str, where: MediaSource) -> bytes:
    """Return a regular file's bytes: one open, and fstat and read on what was opened (drills I01, I02, I05)."""
    path = _placed(source, where)
    try:
        # The final component is not followed when it was resolved.
        descriptor = system.open_file(path, os.O_RDONLY, follow=not where.root)
    except (OSError, ValueError) as error:
        raise _cannot_open(source, path, error) from error
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise _irregular(source, state.st_mode)
        if state.st_size > where.max_bytes:
            raise _too_large(source, state.st_size, where.max_bytes)
        return _at_most(where.max_bytes, source, lambda size: os.read(descriptor, size))
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror or error}.") from error
    finally:
        os.close(descriptor)


def _placed(source: str, where: MediaSource) -> Path:
    start, named = where.base or where.root, Path(expand_user(source))
    path = start / named if start else named
    if where.root is None:
        return path
    try:
        real, inside = Path(os.path.realpath(path)), Path(os.path.realpath(where.root))
    except (OSError, ValueError) as error:
        raise _cannot_open(source, path, error) from error
    if not real.is_relative_to(inside):
        raise UsageError(
            f"{source} is outside of {where.root}, the folder of the batch file.",
            hint="move it there, or allow it: --allow-outside",
        )
    return real


def _at_most(limit: int, origin: str, read: Callable[[int], bytes]) -> bytes:
    """Read to the end, and one byte past the limit where there is no end in sight."""
    data = bytearray()
    while chunk := read(min(1 << 20, limit + 1 - len(data))):
        data += chunk
        if len(data) > limit:
            raise _too_large(origin, None, limit)
    return bytes(data)


def _from_bytes(data: bytes, origin: str, where: MediaSource) -> Part:
    try:
        picture = read_picture(data)
    except NotAPicture as not_one:
        raise _no_picture(origin, not_one) from None
    width, height = picture.width, picture.height
    if max(width, height) > LONGEST_SIDE:
        raise UsageError(
            f"{origin} says that it is {width} × {height} pixels; more than {LONGEST_SIDE} a side is not sent.",
            hint=f"make it smaller first: some providers take no more than {SIDES[1]}",
        )
    if where.fix and not picture.plain:
        from orvideo.request.mending import mended

        data = mended(data, picture, origin)
        if len(data) > where.max_bytes:
            raise _too_large(f"{origin}, mended,", len(data), where.max_bytes)
        picture = read_picture(data)
    warnings = (*_remarks(origin, picture), *_size_warnings(origin, width, height))
    url = f"data:{picture.media_type};base64,{base64.b64encode(data).decode('ascii')}"
    return Part(_wrapped("image", url), "image", origin, width, height, warnings)


def _remarks(origin: str, picture: Picture) -> list[str]:
    remarks = [f"{origin} {remark}" for remark in picture.remarks]
    if picture.mendable:
        said = " and ".join((", ".join(picture.mendable[:-1]), picture.mendable[-1])).removeprefix(" and ")
        remarks.append(
            f"{origin} {said}; --fix-image sends it upright, in 8-bit sRGB, without transparency and metadata"
        )
    return remarks


def _size_warnings(origin: str, width: int, height: int) -> list[str]:
    warnings = []
    if min(width, height) < SIDES[0] or max(width, height) > SIDES[1]:
        warnings.append(f"{origin} is {width} × {height}; some providers want sides of {SIDES[0]} to {SIDES[1]} pixels")
    if not RATIOS[0] <= width / height <= RATIOS[1]:
        ratio = f"{width / height:.2g}"
        warnings.append(
            f"{origin} is {width} × {height}, a ratio of {ratio}; some providers want {RATIOS[0]} to {RATIOS[1]}"
        )
    return warnings


# --- refusals ---------------------------------------------------------------------------------------------------------


def _no_picture(origin: str, not_one: NotAPicture) -> UsageError:
    if not_one.kind in ("audio", "video"):
        return _cannot_send(origin, str(not_one).removeprefix("is "))
    if not_one.kind == "image":
        hint = f"convert it to PNG first, with ImageMagick for example: {_conversion(origin)}"
    else:
        hint = "PNG, JPEG and WebP are taken, whole and by their content, whatever the name says"
    return UsageError(f"{origin} {not_one}; it cannot be sent as an image.", hint=hint)


def _conversion(origin: str) -> str:
    if origin in ("stdin", "the data URL"):
        return "magick - png:-"
    return shells.command_line(["magick", origin, os.path.splitext(origin)[0] + ".png"])


def _cannot_send(origin: str, what: str) -> UsageError:
    return UsageError(
        f"{origin} is {what}, and the service takes sound and film by https URL only.",
        hint="put the file where https reaches it, and give that URL with --reference",
    )


def _too_large(origin: str, size: int | None, limit: int) -> UsageError:
    has = f"{size:,} bytes" if size is not None else "more bytes than that"
    return UsageError(
        f"{origin} is too large: at most {limit:,} bytes are sent as an image, and it has {has}.",
        hint="make it smaller, or raise the limit: orvideo config set max-image-size 30MiB",
    )


def _irregular(source: str, mode: int) -> UsageError:
    what = {
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }.get(stat.S_IFMT(mode), "no regular file")
    return UsageError(f"{source} is {what}; an image is read from a file, or from stdin as '-'.")


def _cannot_open(source: str, path: Path, error: OSError | ValueError) -> UsageError:
    if isinstance(error, FileNotFoundError):
        return UsageError(f"There is no file {source}.", hint=f"looked in {path.absolute().parent}")
    if isinstance(error, IsADirectoryError):  # on Windows no folder can be opened
        return _irregular(source, stat.S_IFDIR)
    if isinstance(error, OSError) and error.errno in (errno.ENXIO, errno.EOPNOTSUPP):
        return UsageError(f"{source} is a socket or a device; an image is read from a file, or from stdin as '-'.")
    why = error.strerror if isinstance(error, OSError) else "the name cannot be the name of a file"
    return UsageError(f"{source} cannot be opened: {why}.")


def _a(kind: str) -> str:
    return "audio" if kind == "audio" else f"a{'n' if kind == 'image' else ''} {kind}"
