"""Is an MP4 file all there: its boxes say how long they are."""

from __future__ import annotations

import os
from pathlib import Path

_SIZE_AND_NAME = 8


def is_cut(path: Path) -> bool:
    """Return whether the last box of an MP4 file says that more should follow; False for other files."""
    total = os.stat(path).st_size
    at = 0
    with path.open("rb") as file:
        while at < total:
            file.seek(at)
            head = file.read(2 * _SIZE_AND_NAME)
            if at == 0 and head[4:8] != b"ftyp":
                return False
            size, least = int.from_bytes(head[:4], "big"), _SIZE_AND_NAME
            if size == 1:
                size, least = int.from_bytes(head[8:16], "big"), 2 * _SIZE_AND_NAME
            if size == 0:  # up to the end of the file
                return False
            if size < least:
                return len(head) < least
            at += size
    return at > total
