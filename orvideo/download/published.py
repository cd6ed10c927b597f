"""The files that one command has saved: `--force` replaces none of them with another of its videos (drill O01)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from orvideo.download import disk

if TYPE_CHECKING:
    from orvideo.download.disk import Part


class Published:
    """The files that one command has saved, known by what lies on the disk, since two names may be one file.

    Many threads may use it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._files: set[tuple[int, int]] = set()

    def give_name(self, part: Part, path: Path, *, replace: bool) -> None:
        """Do what `Part.give_name` does, and replace no file of this command."""
        with self._lock:
            part.give_name(path, replace=replace and _identity(path) not in self._files)
            self._files.add(part.identity)

    def keep(self, path: Path, size: int, sha256: str) -> bool:
        """Return whether a file has this content; it then counts as saved by this command."""
        with self._lock:
            found = _identity(path) if disk.has_content(path, size, sha256) else None
            if found is not None:
                self._files.add(found)
            return found is not None


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from every other one; None where nothing has the name."""
    with suppress(OSError):
        found = os.lstat(path)
        return found.st_dev, found.st_ino
    return None
