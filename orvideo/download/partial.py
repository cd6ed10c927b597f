"""The file a video grows in, and the step that gives it its name.

The size of a `.part` is the progress: it is never allocated ahead, and bytes are only added at its end, so that a
process that is killed at any point leaves a file that says the truth (drill D14). One process at a time holds it.

The name is given by a hard link where the file system has them: a link never replaces anything, and until the `.part`
is removed, after the save is on record, the two names of one file tell the next process that it was finished.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self

from orvideo.download.container import HEAD

#: What a file system says that has no hard links, or no more of them.
_NO_LINKS = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL))
_RENAME_NOREPLACE = 1
_AT_FDCWD = -100


class Busy(Exception):
    """Another process holds the file."""


class Partial:
    """An open `.part`, held by this process. Every method raises OSError for what the disk refuses."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    @classmethod
    def hold(cls, path: Path) -> Self:
        """Open the file, or make it, and hold it; what is there stays. Raises Busy, and OSError.

        A file with a second name is not written to: that name is a finished video's, which a person may have moved.
        """
        for _ in range(20):
            descriptor = _open(path)
            try:
                _lock(descriptor)
                if _is_at(descriptor, path):
                    if os.fstat(descriptor).st_nlink == 1:
                        return cls(path, descriptor)
                    os.unlink(path)
            except BaseException:
                os.close(descriptor)
                raise
            # Given its name, or removed, by whoever held it until now.
            os.close(descriptor)
        raise Busy

    def append(self, data: bytes) -> None:
        """Write at the end; what was written before an error counts."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self.descriptor, view, self.size)
            self.size += written
            view = view[written:]

    def empty(self) -> None:
        os.ftruncate(self.descriptor, 0)
        self.size = 0

    def head(self) -> bytes:
        """Return the bytes that say what it is."""
        return os.pread(self.descriptor, HEAD, 0)

    def sync(self) -> None:
        os.fsync(self.descriptor)

    def remove(self) -> None:
        """Remove its name, if that is still its own."""
        if _is_at(self.descriptor, self.path):
            os.unlink(self.path)

    def close(self) -> None:
        os.close(self.descriptor)


def give_name(part: Path, path: Path, *, replace: bool) -> None:
    """Give a finished file its name, for good once the folder is synced; `part` stays where links are to be had.

    Without `replace` raises FileExistsError for whatever has the name, and leaves it alone (drill O01).
    """
    if replace:
        _put_over(part, path)
    else:
        _put_where_nothing_is(part, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last; file systems that cannot sync a folder are trusted."""
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def _put_over(part: Path, path: Path) -> None:
    second = part.with_name(part.name + ".new")
    with suppress(FileNotFoundError):
        os.unlink(second)
    try:
        os.link(part, second)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.replace(part, path)
    else:
        try:
            os.replace(second, path)
        except OSError:
            with suppress(OSError):
                os.unlink(second)
            raise


def _put_where_nothing_is(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        return
    if not _rename_no_replace(part, path):
        # Neither links nor this rename: what is left is to look first, with a moment in between.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
        os.rename(part, path)


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
    if number in (errno.EINVAL, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number), os.fspath(new))


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode) or _was_planted(descriptor, path.parent):
        os.close(descriptor)
        raise OSError(errno.EEXIST, "it is in the way and was not made by orvideo", os.fspath(path))
    return descriptor


def _was_planted(descriptor: int, folder: Path) -> bool:
    """Tell whether somebody else made the file in a folder such as /tmp, and could change it under our hands.

    Elsewhere the owner says nothing: mounts of other systems show one owner for all files.
    """
    return os.fstat(descriptor).st_uid != os.geteuid() and bool(os.stat(folder).st_mode & stat.S_ISVTX)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Busy from error
    except OSError as error:  # some network file systems have no locks
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
            raise


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False
