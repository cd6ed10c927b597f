"""What a file is by its bytes, and how large a picture is by its header. Nothing is ever decoded (drills I03, I04).

The name of a file and the type that somebody declared count for nothing here.
"""

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from orvideo.request.exif import Exif, read_exif
from orvideo.request.kinds import recognise

#: Blanks and zeros that some programs pad a file with.
_PADDING = b"\x00\r\n\t "
#: The start of a file within a JPEG's tail: archives, programs and pages, none of which a camera writes.
_STOWAWAYS = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"%PDF", b"<", b"\x7fELF", b"MZ", b"\x1f\x8b")


class NotAPicture(Exception):
    """These bytes cannot be sent as an image; the message ends the sentence "NAME …"."""

    def __init__(self, why: str, *, kind: str | None = None) -> None:
        super().__init__(why)
        #: What the file is instead, as far as that is known: "image", "audio", "video".
        self.kind = kind


class Picture(NamedTuple):
    """A PNG, JPEG or WebP: its media type and its size in pixels, as every viewer shows it (finding C10).

    `remarks` and `mendable` end the sentence "NAME …"; of the latter `mending` can make a picture that has none.
    `lossy` is how it was compressed. `plain` is one that neither has anything to mend nor says anything of its making.
    """

    media_type: str
    width: int
    height: int
    remarks: tuple[str, ...] = ()
    mendable: tuple[str, ...] = ()
    lossy: bool = False
    plain: bool = True


class _Seen:
    """What a header and what stands around it have said of a picture."""

    def __init__(self) -> None:
        self._exif: Exif | None = None
        self._located = False
        self._has_metadata = False
        self._colours: list[str] = []

    def exif(self, data: bytes) -> None:
        """Note EXIF; the first of several counts."""
        self._has_metadata = True
        if self._exif is None:
            self._exif = read_exif(data)

    def metadata(self, data: bytes = b"") -> None:
        """Note metadata of another kind, such as XMP, which may say where it was taken as well."""
        self._has_metadata = True
        self._located = self._located or b"GPSLatitude" in data

    def colours(self, said: str, *, when: bool = True) -> None:
        if when and said not in self._colours:
            self._colours.append(said)

    def picture(self, media_type: str, width: int, height: int, remarks: tuple[str, ...], *, lossy: bool) -> Picture:
        exif = self._exif or Exif()
        shown = (height, width) if exif.is_sideways else (width, height)
        mendable = list(self._colours)
        if exif.orientation != 1:
            sizes = f", shown as {shown[0]} × {shown[1]}" if exif.is_sideways else ""
            mendable.insert(0, f"is stored turned ({width} × {height}{sizes})")
        if exif.position or self._located:
            mendable.append("says where it was taken (GPS)")
        plain = not (mendable or self._has_metadata)
        return Picture(media_type, *shown, remarks, tuple(mendable), lossy, plain)


def read_picture(data: bytes) -> Picture:
    """Return what the bytes of a whole file show.

    Raises NotAPicture for another kind of file, for one that was cut short, and for more than a picture.
    """
    if not data:
        raise NotAPicture("is empty")
    for magic, read in _READERS:
        if magic.match(data):
            picture = read(data)
            if picture.width < 1 or picture.height < 1:
                raise NotAPicture("has a header that says 0 pixels")
            return picture
    kind = recognise(data)
    raise NotAPicture(f"is {kind.name if kind else 'no picture'}", kind=kind.medium if kind else None)


# --- the three kinds --------------------------------------------------------------------------------------------------


#: Chunks of a PNG that say something of its making.
_PNG_METADATA = frozenset((b"iTXt", b"tEXt", b"zTXt", b"tIME", b"iCCP", b"gAMA", b"cHRM"))


def _png(data: bytes) -> Picture:
    if _at_least(data, 33)[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise NotAPicture("begins as a PNG and does not go on as one")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    seen = _Seen()
    seen.colours("has 16 bits a channel", when=depth == 16)
    seen.colours("has an alpha channel", when=colour in (4, 6))
    position, name, animated = 8, b"", False
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", _at_least(data, position + 8), position)
        start = position + 8
        position += 12 + length
        _at_least(data, position)
        animated = animated or name == b"acTL"
        if name == b"eXIf":
            seen.exif(data[start : start + length])
        elif name in _PNG_METADATA:
            seen.metadata(data[start : start + length])
        seen.colours("has an alpha channel", when=name == b"tRNS")
    _refuse_tail(data[position:])
    return seen.picture("image/png", width, height, _if_animated(animated), lossy=False)


def _webp(data: bytes) -> Picture:
    end = 8 + int.from_bytes(_at_least(data, 30)[4:8], "little")
    _at_least(data, end)
    name, animated, alpha = data[12:16], False, False
    if name == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        animated, alpha = bool(data[20] & 0x02), bool(data[20] & 0x10)
    elif name == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        alpha = bool(bits >> 28 & 1)
    elif name == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise NotAPicture("begins as a WebP and does not go on as one")
    _refuse_tail(data[end:])
    seen = _Seen()
    seen.colours("has an alpha channel", when=alpha)
    lossless = _webp_chunks(data[:end], seen)
    return seen.picture("image/webp", width, height, _if_animated(animated), lossy=not lossless)


def _webp_chunks(data: bytes, seen: _Seen) -> bool:
    """Note what the chunks of a WebP say; return whether the picture is compressed without loss."""
    position, lossless = 12, False
    while position + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, position)
        body = data[position + 8 : position + 8 + length] if name in (b"EXIF", b"XMP ") else b""
        if name == b"EXIF":
            seen.exif(body)
        elif name in (b"XMP ", b"ICCP"):
            seen.metadata(body)
        lossless = lossless or name == b"VP8L"
        position += 8 + length + length % 2
    return lossless


_MARKER = re.compile(rb"\xff+([^\xff])")
#: Markers without a segment after them.
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
#: Start of frame, all kinds: C4, C8 and CC are other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Within a scan 0xFF is followed by 00 (itself), by D0 to D7 (a restart), by FF (padding), or the scan is over.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def _jpeg(data: bytes) -> Picture:
    position, size, seen = 2, None, _Seen()
    while True:
        found = _MARKER.match(_at_least(data, position + 2), position)
        if found is None:
            raise NotAPicture("begins as a JPEG and does not go on as one")
        marker, position = found[1][0], found.end()
        if marker == 0xD9:
            break
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", _at_least(data, position + 2), position)
        if marker in _FRAMES and size is None:
            depth, height, width, channels = struct.unpack_from(">BHHB", _at_least(data, position + 8), position + 2)
            size = (width, height)
            seen.colours("is in CMYK", when=channels == 4)
            seen.colours(f"has {depth} bits a channel", when=depth > 8)
        elif 0xE1 <= marker <= 0xED or marker == 0xFE:
            body = data[position + 2 : position + length]
            (seen.exif if body.startswith(b"Exif\x00\x00") else seen.metadata)(body)
        position += max(length, 2)
        if marker == 0xDA:
            over = _AFTER_SCAN.search(data, position)
            position = over.start() if over else len(data)
    if size is None:
        raise NotAPicture("is a JPEG without a picture in it")
    return seen.picture("image/jpeg", *size, _tail_of_a_photo(data[position:]), lossy=True)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], Picture]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"\xff\xd8\xff"), _jpeg),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _webp),
)


def _at_least(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise NotAPicture("ends before the picture does: a copy or a download was cut short")
    return data


def _if_animated(animated: bool) -> tuple[str, ...]:
    return ("is animated: a model sees one picture of it at most",) if animated else ()


def _refuse_tail(tail: bytes) -> None:
    """Refuse what follows the end of a PNG or WebP: it is no picture, and would leave this machine unseen."""
    if tail.strip(_PADDING):
        raise NotAPicture(f"has {len(tail):,} bytes of something else after the end of the picture")


def _tail_of_a_photo(tail: bytes) -> tuple[str, ...]:
    """Let pass, with a word, what phones append to a JPEG (a second picture, a short film), and nothing else known."""
    rest = tail.lstrip(_PADDING)
    if rest.startswith(_STOWAWAYS):
        raise NotAPicture(f"has {len(rest):,} bytes of something else after the end of the picture")
    return (f"has {len(rest):,} bytes after the end of the picture, which are sent with it",) if rest else ()
