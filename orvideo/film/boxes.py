"""The boxes of an MP4 file: is all of it there, and are its pictures to be turned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from orvideo.container import Box, CutShort, Incomplete, boxes

_SIZE_AND_NAME = 8
#: How a picture is laid on the screen as it is, as a track's header has it (ISO 14496-12, 8.3.2): a matrix.
_UPRIGHT = b"".join(one.to_bytes(4, "big") for one in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
#: Where the matrix is in a track's header, by its version.
_MATRIX_AT = {0: 40, 1: 52}
#: Larger lists of contents are not read at once.
_MAX_CONTENTS = 64 << 20


def is_cut(path: Path) -> bool:
    """Return whether the last box of an MP4 file says that more should follow; False for other files."""
    try:
        with path.open("rb") as file:
            for _ in _boxes(file):
                pass
    except CutShort:
        return True
    except Incomplete:  # damage is for the decoder to judge
        return False
    return False


def is_upright(path: Path) -> bool:
    """Return whether an MP4 file says that all its pictures are shown as they are; False for other files."""
    tracks = list(_boxes_in(_contents(path), b"trak"))
    return bool(tracks) and all(_matrix(track) == _UPRIGHT for track in tracks)


def _contents(path: Path) -> bytes:
    """Return the list of contents of an MP4 file ("moov"), nothing where there is none."""
    with path.open("rb") as file, suppress(Incomplete):
        for box in _boxes(file):
            if box.name == b"moov" and box.end is not None and box.end - box.contents <= _MAX_CONTENTS:
                file.seek(box.contents)
                return file.read(box.end - box.contents)
    return b""


def _boxes(file: BinaryIO) -> Iterator[Box]:
    """Yield the boxes of an MP4 file, none of other files. Raises CutShort, Incomplete."""

    def read(size: int, offset: int) -> bytes:
        file.seek(offset)
        return file.read(size)

    is_mp4 = read(_SIZE_AND_NAME, 0)[4:] == b"ftyp"
    yield from boxes(read, os.fstat(file.fileno()).st_size) if is_mp4 else ()


def _boxes_in(data: bytes, name: bytes) -> Iterator[bytes]:
    """Yield the contents of the boxes of a name."""
    at = 0
    while at + _SIZE_AND_NAME <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < _SIZE_AND_NAME:
            return
        if data[at + 4 : at + 8] == name:
            yield data[at + _SIZE_AND_NAME : at + size]
        at += size


def _matrix(track: bytes) -> bytes | None:
    header = next(_boxes_in(track, b"tkhd"), b"")
    at = _MATRIX_AT.get(header[0]) if header else None
    return header[at : at + len(_UPRIGHT)] if at is not None else None
