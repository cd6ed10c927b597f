"""What the sandbox keeps on disk, and what goes when it is too old or more than it may be.

Films go first, since they can be made again; then media, then jobs; of each the oldest. A film that is held, since it
is being sent, stays.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: What is kept at most, in bytes, where nothing else is said.
KEEP = 2 * 1024**3
#: What there is, in the order in which it goes, and the days after which it is too old.
_DAYS = {"films": 1, "media": 31, "jobs": 31}
#: Disks hand out whole blocks.
_BLOCK = 4096
#: Down to this share of the bound: else every film would have the folders counted anew.
_ROOM = 0.9


class _Kept(NamedTuple):
    path: Path
    used_at: float
    size: int


class Shelf:
    """The folders of one home: what is put there, what is held, and how much it may be."""

    def __init__(self, home: Path, keep: int = KEEP) -> None:
        if keep < 1:
            raise ValueError(f"a size to keep is a number of bytes above 0, not {keep}")
        self._home, self._keep = home, keep
        self._lock = threading.Lock()
        self._total = 0
        self._held: Counter[Path] = Counter()
        for name in _DAYS:
            self.folder(name).mkdir(parents=True, exist_ok=True, mode=0o700)

    def folder(self, name: str) -> Path:
        return self._home / name

    @contextlib.contextmanager
    def holding(self, path: Path) -> Iterator[None]:
        """Keep a film from being removed for as long as this lasts."""
        with self._lock:
            self._held[path] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[path] -= 1
                if not self._held[path]:
                    del self._held[path]
            self._keep_within()

    def added(self, path: Path) -> None:
        """Count a file that was put there, and make room where there is too much."""
        with contextlib.suppress(OSError):
            size = _on_disk(path.stat().st_size)
            with self._lock:
                self._total += size
        self._keep_within()

    def tidy(self, now: float) -> None:
        """Remove what is too old, count what is left, and make room where there is too much."""
        with self._lock:
            for name, days in _DAYS.items():
                for kept in self._all(name):
                    if now - kept.used_at > days * 86400:
                        self._remove(kept)
            self._make_room(self._keep)

    def _keep_within(self) -> None:
        with self._lock:
            if self._total > self._keep:
                self._make_room(int(self._keep * _ROOM))

    def _make_room(self, most: int) -> None:
        """Count anew, since other processes use these folders too, and remove the oldest down to `most` bytes."""
        films, media, jobs = (sorted(self._all(name), key=lambda kept: kept.used_at) for name in _DAYS)
        others = [*media, *jobs]
        total = sum(kept.size for kept in (*films, *others))
        if total > self._keep:
            total -= self._remove_oldest(films, total - most)
            # No job goes for a film that is held.
            total -= self._remove_oldest(others, sum(kept.size for kept in others) - most)
        self._total = total

    def _remove_oldest(self, kept: list[_Kept], excess: int) -> int:
        """Remove so many bytes, the first first, and return how many there were."""
        removed = 0
        for one in kept:
            if removed >= excess:
                break
            # A name with a dot is a file that is being written.
            if not one.path.name.startswith(".") and self._remove(one):
                removed += one.size
        return removed

    def _all(self, name: str) -> Iterator[_Kept]:
        for path in self.folder(name).iterdir():
            with contextlib.suppress(OSError):
                found = path.stat()
                yield _Kept(path, found.st_mtime, _on_disk(found.st_size))

    def _remove(self, kept: _Kept) -> bool:
        if kept.path in self._held:
            return False
        with contextlib.suppress(OSError):
            kept.path.unlink()
            return True
        return False


def _on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
