"""SQLite's write-ahead log, applied to a copy of its database: for a record that SQLite itself cannot open.

The format is that of https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import struct

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_LITTLE_ENDIAN, _BIG_ENDIAN = 0x377F0682, 0x377F0683


def apply_log(log: bytes, content: bytes) -> bytes:
    """Return a database with all that its log has committed, as one that has no log.

    Frames count up to the last commit before one that is not whole or is of an earlier log, as SQLite reads them.
    """
    database = bytearray(content)
    pages: dict[int, bytes] = {}
    for number, size, page in _frames(log):
        pages[number] = page
        if size:
            database[size * len(page) :] = bytes(max(0, size * len(page) - len(database)))
            for place, committed in pages.items():
                if place <= size:
                    database[(place - 1) * len(page) : place * len(page)] = committed
            pages.clear()
    # The two bytes of the header that say whether a database has a log.
    database[18:20] = b"\x01\x01"
    return bytes(database)


def _frames(log: bytes) -> list[tuple[int, int, bytes]]:
    """Return the whole frames of a log: page number, size of the database in pages (0: no commit), page."""
    frames: list[tuple[int, int, bytes]] = []
    if len(log) < _HEADER.size:
        return frames
    magic, _, page_size, _, *salts, first, second = _HEADER.unpack_from(log)
    if magic not in (_LITTLE_ENDIAN, _BIG_ENDIAN) or not page_size:
        return frames
    order = "<" if magic == _LITTLE_ENDIAN else ">"
    total = _checksum(order, log[:24], (0, 0))
    if total != (first, second):
        return frames
    for at in range(_HEADER.size, len(log) - _FRAME.size - page_size + 1, _FRAME.size + page_size):
        number, size, *frame_salts, first, second = _FRAME.unpack_from(log, at)
        page = log[at + _FRAME.size : at + _FRAME.size + page_size]
        total = _checksum(order, log[at : at + 8] + page, total)
        if frame_salts != salts or total != (first, second) or not number:
            break
        frames.append((number, size, page))
    return frames


def _checksum(order: str, data: bytes, total: tuple[int, int]) -> tuple[int, int]:
    """Go on with SQLite's checksum over data, whose length is a multiple of eight."""
    first, second = total
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
