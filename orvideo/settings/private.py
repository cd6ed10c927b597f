"""Files for nobody else: 0600 from the first moment, in a 0700 directory, whole or not at all (drill K06)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orvideo.files import make_private, sync_folder, write_whole

#: Far above any settings a person writes; a link to something endless must not fill the memory.
LARGEST = 1024 * 1024


def read_private(path: Path) -> bytes | None:
    """Return a small file's bytes, None when there is no file. Raises OSError, also for what is no file at all."""
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError("it is larger than 1 MiB")
    return content


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step and make it last; where `path` is a link, the file it leads to is replaced.

    Raises OSError. The old file is whole until the new one is.
    """
    _make_private(path.parent)
    write_whole(Path(os.path.realpath(path)), content, mode=0o600)


def remove_private(path: Path) -> bool:
    """Remove a file for good and say whether there was one. Raises OSError."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    sync_folder(path.parent)
    return True


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else can read, or tighten the one that is there. Raises OSError."""
    make_private(folder)
    if os.name != "posix":
        return
    state = folder.stat()
    # Somebody else's directory, or one that is shared on purpose such as /tmp, is not ours to lock.
    if state.st_uid == os.geteuid() and not state.st_mode & stat.S_ISVTX and state.st_mode & 0o077:
        folder.chmod(0o700)


def is_loose(path: Path) -> bool:
    """Say whether others may read or write a file of ours; never where modes mean nothing."""
    if os.name != "posix":
        return False
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False


def is_open(folder: Path) -> bool:
    """Say whether others may swap the files in a folder; never where modes mean nothing, or only owners may."""
    if os.name != "posix":
        return False
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & 0o022) and not mode & stat.S_ISVTX


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that of two changes at the same time neither is lost, and sweep what was left there.

    Without `fcntl` (Windows) the later of the two wins. The lock is on a file of its own, because a file that gets
    replaced cannot carry one. Raises OSError.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    _make_private(folder)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # What a process that was killed left half written may have the key in it (finding C08).
            for left in folder.glob(".orvideo-*.new"):
                left.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)
