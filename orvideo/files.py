"""File operations: private folders, atomic writes, and renames that never replace another file by accident."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from orvideo import errnos
from orvideo.errors import UsageError

#: The errors of a file system without hard links, or with no more of them for a file.
_NO_LINKS = errnos.UNSUPPORTED | {errno.EPERM, errno.EMLINK}
_RENAME_NOREPLACE, _AT_FDCWD = 1, -100


def expand_user(path: str) -> str:
    """Return a path with `~` expanded, which shells leave in `--output=~/x` (finding D02).

    Raises UsageError where it names a user that is not there.
    """
    whole = os.path.expanduser(path)
    if whole.startswith("~") and not os.path.lexists(path.partition("/")[0]):
        raise UsageError(f"There is no home of {path.partition('/')[0]}.", hint=f"a name that begins so: ./{path}")
    return whole


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where its file system can do that (finding C04)."""
    if os.name != "posix":
        return  # Windows cannot open folders
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in errnos.UNSUPPORTED | {errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, each with mode 0700; existing ones are unchanged (drills J12, K06)."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
        sync_folder(place.parent)


def move_into_place(old: Path, new: Path, *, replace: bool = False, durable: bool = True) -> None:
    """Rename a finished file to its final name in the same folder; with `durable`, flush the new name to the disk.

    Without `replace` raises FileExistsError if anything has the name, which is left unchanged (drill O01).
    """
    if replace:
        os.replace(old, new)
    else:
        try:
            os.link(old, new)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _rename_to_free_name(old, new)
        else:
            os.unlink(old)
    if durable:
        sync_folder(new.parent)


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o666, replace: bool = True, durable: bool = True
) -> None:
    """Write a file atomically: at any time its name leads to the old content or to the new.

    `mode` is that of the new file, before the umask. Without `durable` nothing is flushed to the disk, and a power cut
    may undo the write. Raises OSError, and without `replace` FileExistsError.
    """
    new = path.with_name(f".orvideo-{os.urandom(6).hex()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(new, flags, mode), "wb") as file:
        try:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
            move_into_place(new, path, replace=replace, durable=durable)
        finally:
            with suppress(OSError):  # it was renamed, unless something failed
                os.unlink(new)


def _rename_to_free_name(old: Path, new: Path) -> None:
    if _rename_no_replace(old, new):
        return
    if os.name != "posix":
        os.rename(old, new)  # on Windows it never replaces
        return
    # Neither hard links nor renameat2: check and rename, one orvideo process at a time.
    import fcntl

    folder = os.open(new.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(new))
        os.rename(old, new)
    finally:
        os.close(folder)


def _rename_no_replace(old: Path, new: Path) -> bool:
    """Rename with Linux's renameat2; return False where the system or the file system does not support it."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in errnos.UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), os.fspath(new))
