"""The kind of a video file, and whether it is complete: its container is read from header to header to the end.

The media between two headers is skipped, so a check takes the same time for 10 MiB and 1 GiB. A kind is named by its
file extension.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from typing import NamedTuple

#: Every known kind by its extension, with its name in messages. "bin" is neither known nor text.
KINDS = {
    "mp4": "an MP4",
    "webm": "a WebM",
    "mov": "a QuickTime movie",
    "mkv": "a Matroska video",
    "avi": "an AVI",
    "gif": "a GIF",
    "ts": "an MPEG transport stream",
    "mpg": "an MPEG program stream",
    "ogv": "an Ogg video",
    "flv": "a Flash video",
    "wmv": "a Windows Media video",
    "avif": "an AVIF image",
    "heic": "an HEIF image",
    "webp": "a WebP image",
    "png": "a PNG image",
    "jpg": "a JPEG image",
    "bin": "a file of a kind that orvideo does not know",
}

#: This many bytes from the beginning of a file decide what it is.
HEAD = 512
#: The most top-level boxes or elements that are read; real files have thousands at most.
MAX_PARTS = 200_000
#: The shortest file of an unknown kind that counts as a video, in bytes.
MIN_UNKNOWN_SIZE = 64

#: Reads so many bytes from an offset on; fewer where the file ends.
Read = Callable[[int, int], bytes]

_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
#: What an MP4 or a QuickTime movie may begin with.
_FIRST_BOXES = frozenset((b"ftyp", b"styp", b"free", b"skip", b"wide", b"pnot", b"moov", b"mdat"))
_IMAGE_BRANDS = {b"avif": "avif", b"avis": "avif", b"heic": "heic", b"heix": "heic", b"mif1": "heic"}
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*(<[!?/A-Za-z]|\{\s*[\"}]|\[\s*[\[{\"\]\d-])")
_CONTROLS = re.compile(r"[\0-\x06\x0e-\x1a\x1c-\x1f\x7f]")


class BadContainer(Exception):
    """The bytes are not a whole video; the text says why, without a full stop."""


class NotAVideo(BadContainer):
    """The bytes are a text: an error page, JSON (drill D07)."""


class Incomplete(BadContainer):
    """The bytes are cut short or damaged (drill D06)."""


class CutShort(Incomplete):
    """More bytes should follow."""


class Box(NamedTuple):
    """A part of an MP4 file: where it begins, and where its contents do and end; None up to the end of the file."""

    name: bytes
    offset: int
    contents: int
    end: int | None


def refuse_text(head: bytes) -> None:
    """Raise NotAVideo where a file begins like HTML, JSON or any other text."""
    if head and (_MARKUP.match(head) or _is_plain(head)):
        raise NotAVideo("it is a text")


def check(read: Read, size: int) -> str:
    """Walk a file of `size` bytes to its end and return its kind (F-C09).

    A kind that cannot be walked counts as whole. Raises NotAVideo and Incomplete.
    """
    head = read(HEAD, 0)
    refuse_text(head)
    kind = _kind_of(head)
    if kind == "bin":
        if size < MIN_UNKNOWN_SIZE:
            raise Incomplete(f"it is {size} bytes long")
        if not any(head):
            raise Incomplete("it begins with nothing but zeros")
    walk = _WALKS.get(kind)
    return kind if walk is None else walk(read, size) or kind


def _kind_of(head: bytes) -> str:
    if head[4:8] in _FIRST_BOXES:
        return "mp4"
    if head[:4] == b"RIFF":
        return {b"AVI ": "avi", b"WEBP": "webp"}.get(head[8:12], "bin")
    for packet in (188, 192):  # a transport stream has a sync byte in each packet, M2TS four bytes before it
        if head[packet - 188 :: packet][:2] == b"GG":
            return "ts"
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    return "bin"


_MAGIC = {
    _EBML: "webm",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"OggS": "ogv",
    b"\0\0\1\xba": "mpg",
    b"FLV\1": "flv",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "wmv",
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
}


def _is_plain(head: bytes) -> bool:
    """Return whether bytes are plain text: UTF-16 with a BOM, or UTF-8, without control characters."""
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = getincrementaldecoder("utf-16" if wide else "utf-8")().decode(head)
    except UnicodeError:
        return False
    return not _CONTROLS.search(text)


def _mp4(read: Read, size: int) -> str:
    brand = b"qt  "  # movies from before brands are QuickTime's
    found: set[bytes] = set()
    for box in boxes(read, size):
        found.add(box.name)
        if box.name == b"ftyp":
            brand = read(4, box.offset + 8)
    if brand in _IMAGE_BRANDS and b"moov" not in found:
        return _IMAGE_BRANDS[brand]
    for name, what in ((b"moov", "index"), (b"mdat", "media")):
        if name not in found:
            raise Incomplete(f"it has no {what} ({name.decode()} box)")
    return "mov" if brand == b"qt  " else "mp4"


def boxes(read: Read, size: int) -> Iterator[Box]:
    """Yield the top-level boxes of an MP4 file of `size` bytes. Raises CutShort, also Incomplete after damage."""
    offset = 0
    for _ in range(MAX_PARTS):
        head = read(16, offset)
        if len(head) < 8 and not any(head):
            return  # the end, or a few zeros that some muxers pad with
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:], "big"), 16
        if len(head) < header:
            raise CutShort("it ends within the header of a box")
        yield Box(head[4:8], offset, offset + header, offset + length if length else None)
        if length == 0:
            return
        if length < header:
            raise Incomplete(f"a box claims to be {length} bytes long, less than its own header")
        offset += length
        _require(offset, size)
    raise Incomplete(f"it has more than {MAX_PARTS} boxes")


def _ebml(read: Read, size: int) -> str:
    """Walk a WebM or Matroska file: the elements of a segment one by one, to a cluster and to the end."""
    offset, found = 0, set()
    for _ in range(MAX_PARTS):
        if offset == size:
            break
        name, length, start = _element(read, offset)
        found.add(name)
        offset = start
        if name == _SEGMENT:  # its elements are walked like its neighbours
            _require(start + (length or 0), size)
        elif length is not None:
            offset += length
            _require(offset, size)
        elif name == _CLUSTER:  # live: the end of such a cluster is unknown without reading the media
            offset = size
        else:
            raise Incomplete("an element has no size")
    else:
        raise Incomplete(f"it has more than {MAX_PARTS} elements")
    for name, what in ((_SEGMENT, "segment"), (_CLUSTER, "cluster, which has the media")):
        if name not in found:
            raise Incomplete(f"it has no {what}")
    return "mkv" if b"matroska" in read(HEAD, 0) else "webm"


def _element(read: Read, offset: int) -> tuple[bytes, int | None, int]:
    """Return the name of an EBML element, its length (None: unknown) and where its content begins."""
    head = read(12, offset)
    name = _number(head, most=4)
    size = _number(head[len(name) :], most=8)
    bits = 7 * len(size)
    length = int.from_bytes(size, "big") & (1 << bits) - 1
    return name, None if length == (1 << bits) - 1 else length, offset + len(name) + len(size)


def _number(head: bytes, *, most: int) -> bytes:
    """Return the bytes of a number; the leading zeros of the first byte give its length."""
    length = 9 - head[0].bit_length() if head else 0
    if length > most:
        raise Incomplete("an element's header makes no sense")
    if not 0 < length <= len(head):
        raise Incomplete("it ends within the header of an element")
    return head[:length]


def _riff(read: Read, size: int) -> None:
    """Walk the RIFF chunks of an AVI (a large one has several) or a WebP."""
    offset = 0
    while offset + 8 <= size and offset // 8 < MAX_PARTS:
        head = read(8, offset)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or length in (0, 0xFFFFFFFF):  # padding, or written without knowing the end
            return
        offset += 8 + length
        _require(offset, size)
        offset += length % 2


def _ogg(read: Read, size: int) -> None:
    offset = 0
    for _ in range(MAX_PARTS):
        if offset >= size:
            return
        head = read(27 + 255, offset)
        if not head.startswith(b"OggS") or len(head) < 27:
            raise Incomplete("it ends within a page")
        segments = head[27 : 27 + head[26]]
        offset += 27 + head[26] + sum(segments)
        _require(offset, size)


def _ends_with(*ends: bytes) -> Callable[[Read, int], None]:
    def walk(read: Read, size: int) -> None:
        if not read(64, max(0, size - 64)).rstrip(b"\0").endswith(ends):
            raise Incomplete("its end is missing")

    return walk


def _packets(read: Read, size: int) -> None:
    if size % 188 and size % 192:
        raise Incomplete("it ends within a packet")


def _require(end: int, size: int) -> None:
    if end > size:
        raise CutShort(f"{end - size} bytes of it are missing")


_WALKS: dict[str, Callable[[Read, int], str | None]] = {
    "mp4": _mp4,
    "webm": _ebml,
    "avi": _riff,
    "webp": _riff,
    "ogv": _ogg,
    "gif": _ends_with(b";"),
    "png": _ends_with(b"IEND\xaeB`\x82"),
    "jpg": _ends_with(b"\xff\xd9"),
    "ts": _packets,
}
