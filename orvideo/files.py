"""What orvideo needs of every file system: private folders, names that are given once, files that are whole."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from orvideo import errnos
from orvideo.errors import UsageError

#: What a file system says that has no hard links, or no more of them.
_NO_LINKS = errnos.MISSING | {errno.EPERM, errno.EMLINK}
_RENAME_NOREPLACE, _AT_FDCWD = 1, -100


def expanded(path: str) -> str:
    """Return a path as a shell would have made it of `~`: shells leave it in `--output=~/x` (finding D02).

    Raises UsageError where it names a user that is not there.
    """
    whole = os.path.expanduser(path)
    if whole.startswith("~") and not os.path.lexists(path.partition("/")[0]):
        raise UsageError(f"There is no home of {path.partition('/')[0]}.", hint=f"a name that begins so: ./{path}")
    return whole


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; a file system that cannot sync a folder is trusted (F-C04)."""
    if os.name != "posix":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in errnos.MISSING | {errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """Make a folder and its missing parents, each 0700 (drills J12, K06); one that exists keeps the rights it has."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
        sync_folder(place.parent)


def give_name(old: Path, new: Path, *, replace: bool = False, must_last: bool = True) -> None:
    """Give a finished file its name and make that last.

    Without `replace` raises FileExistsError for whatever has the name, and leaves it alone (drill O01).
    """
    if replace:
        os.replace(old, new)
    else:
        try:
            os.link(old, new)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _rename_to_a_free_name(old, new)
        else:
            os.unlink(old)
    if must_last:
        sync_folder(new.parent)


def write_whole(path: Path, content: bytes, *, mode: int = 0o666, replace: bool = True, must_last: bool = True) -> None:
    """Write a file whole or not at all, and make it last; what was there is whole until then.

    `mode` is that of a new file, before the umask. With `must_last` off nothing waits for the disk, and a power cut may
    take the file back. Raises OSError, without `replace` FileExistsError.
    """
    new = path.with_name(f".orvideo-{secrets.token_hex(6)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(new, flags, mode), "wb") as file:
        try:
            file.write(content)
            file.flush()
            if must_last:
                os.fsync(file.fileno())
            give_name(new, path, replace=replace, must_last=must_last)
        finally:
            with suppress(OSError):  # it has its name, as a rule
                os.unlink(new)


def _rename_to_a_free_name(old: Path, new: Path) -> None:
    if _rename_no_replace(old, new):
        return
    if os.name != "posix":
        os.rename(old, new)  # this one refuses to replace
        return
    # Neither links nor such a rename: what is left is to look first, one process of ours at a time.
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
    """Rename by Linux's renameat2; False where the system or the file system does not have it."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    if call(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in errnos.MISSING:
        return False
    raise OSError(number, os.strerror(number), os.fspath(new))
