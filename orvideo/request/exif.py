"""What the EXIF of a picture says that matters to whoever is sent it: which way up it is, and where it was taken."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_ORIENTATION, _GPS, _LATITUDE, _LONGITUDE = 0x0112, 0x8825, 2, 4
_SHORT = 3
#: No camera writes more entries into one directory.
_MOST_ENTRIES = 1000


class Exif(NamedTuple):
    """How a picture is turned, 1 (not at all) to 8, and whether it says where it was taken."""

    orientation: int = 1
    position: bool = False

    @property
    def is_sideways(self) -> bool:
        """Whether width and height change places when it is shown."""
        return self.orientation >= 5


def read_exif(data: bytes) -> Exif:
    """Return what EXIF says, with or without the mark before it; broken EXIF says nothing. Reads directories only."""
    data = data.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None:
        return Exif()
    entries = dict(_entries(data, order, _number(data, order, 4)))
    kind, value = entries.get(_ORIENTATION, (_SHORT, bytes(4)))
    (turned,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), value)
    position: set[int] = set()
    if _GPS in entries:
        position = {tag for tag, _ in _entries(data, order, _number(entries[_GPS][1], order, 0))}
    return Exif(turned if 1 <= turned <= 8 else 1, {_LATITUDE, _LONGITUDE} <= position)


def _number(data: bytes, order: str, place: int) -> int:
    return int(struct.unpack_from(order + "I", data, place)[0]) if place + 4 <= len(data) else len(data)


def _entries(data: bytes, order: str, place: int) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Yield the tags of one directory, each with its kind and its four bytes of value; as far as there are any."""
    if place + 2 > len(data):
        return
    (count,) = struct.unpack_from(order + "H", data, place)
    for number in range(min(count, _MOST_ENTRIES)):
        at = place + 2 + 12 * number
        if at + 12 > len(data):
            return
        tag, kind = struct.unpack_from(order + "HH", data, at)
        yield tag, (kind, data[at + 8 : at + 12])
