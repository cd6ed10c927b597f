"""Files that only their owner can read, with mode 0600 in a 0700 folder, replaced atomically (drill K06)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orvideo import system
from orvideo.files import make_private_folder, write_atomically

#: The largest file that is read: a link to an endless file must not fill the memory.
_MAX_BYTES = 1024 * 1024


def read_private(path: Path) -> bytes | None:
    """Return a file's content, None when there is no file. Raises OSError, also for what is no regular file."""
    try:
        descriptor = system.open_file(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise OSError("it is larger than 1 MiB")
    return content


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically; where `path` is a link, the file it leads to. Raises OSError."""
    _ensure_private(path.parent)
    write_atomically(Path(os.path.realpath(path)), content, mode=0o600)


def remove_private(path: Path) -> bool:
    """Remove a file and return whether there was one. Raises OSError."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    system.sync_folder(path.parent)
    return True


def _ensure_private(folder: Path) -> None:
    """Create a folder with mode 0700, or take the rights of others from an existing one. Raises OSError."""
    make_private_folder(folder)
    system.take_from_others(folder)


def is_accessible_to_others(path: Path, *, mode: int = 0o077) -> bool:
    """Return whether other users may do what `mode` says to a file; False on systems without POSIX modes."""
    if not system.has_modes():
        return False
    try:
        return bool(path.stat().st_mode & mode)
    except OSError:
        return False


def is_writable_by_others(folder: Path) -> bool:
    """Return whether other users may replace files in a folder; False on systems without POSIX modes."""
    if not system.has_modes():
        return False
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & 0o022) and not mode & stat.S_ISVTX


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder while its files are changed, and remove what killed processes left there.

    The lock is on a file `.lock`, because the other files get replaced. Raises OSError.
    """
    _ensure_private(folder)
    descriptor = system.open_file(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(OSError):  # what cannot be removed does no harm
            system.lock(descriptor, wait=True)
            # An unfinished file of a killed process may contain the key (finding C08).
            for unfinished in folder.glob(".orvideo-*.new"):
                unfinished.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)
