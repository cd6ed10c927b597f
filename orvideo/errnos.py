"""Plain words for the system's error numbers (errno), for every file that is read or written."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from orvideo import shells
from orvideo.system.names import HERE

#: The reason by errno, to stand after a colon: without a capital and a full stop.
_REASONS = {
    # Windows says the same of a file that another program holds open for itself.
    errno.EACCES: "you have no permission" + (", or another program has it open" if sys.platform == "win32" else ""),
    errno.EPERM: "you have no permission",
    errno.EROFS: "its file system can only be read",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota on this disk is used up",
    errno.EFBIG: "it is larger than its file system, or the limit of this shell (ulimit -f), allows",
    errno.EIO: "the disk reports an input/output error and may be failing",
    errno.ENAMETOOLONG: "its name is too long for the file system",
    errno.ENOENT: "it does not exist",
    errno.EEXIST: "something with this name exists already",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.ELOOP: "it is a symbolic link that is not followed",
    errno.ENOLCK: "its file system has no locks",
    errno.EBUSY: "something else is using it",
    errno.EMFILE: "too many files are open (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENXIO: "there is no device behind it",
    errno.ENODEV: "there is no device behind it",
    errno.EBADF: "it is closed",
    errno.EPIPE: "its reader has gone",
    errno.ESTALE: "the network drive has lost it",
    errno.ETIMEDOUT: "the network drive does not answer",
    errno.EHOSTDOWN: "the network drive does not answer",
    errno.ENOTCONN: "the network drive is not connected",
    errno.ENOMEM: "there is no memory left",
}

#: There is no room for more; what was written before is intact.
NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def reason(error: OSError, path: str | os.PathLike[str] = "") -> str:
    """Return why something failed, to stand after a colon: without a capital and a full stop.

    `path` is where, for an error that does not say it. A message of the error's own is kept, unless it is the
    system's text for its number.
    """
    if HERE.is_too_long(error, path):
        return "with the names in it the path is too long for Windows"
    number, own = error.errno or 0, error.strerror
    if number in _REASONS and (not own or own == os.strerror(number)):
        return _REASONS[number]
    return own or str(error) or type(error).__name__


def sentence(error: OSError, path: str | os.PathLike[str]) -> str:
    """Return a sentence that says why `path` cannot be written."""
    folder = _missing_folder(error, path)
    if folder is not None:
        return f"The folder {folder} does not exist."
    return f"{os.fspath(path)} cannot be written: {reason(error, path)}."


def hint(error: OSError, path: str | os.PathLike[str]) -> str | None:
    """Return a command, or a step, that removes the cause; None where there is none."""
    if HERE.is_too_long(error, path):
        return "take a folder with a shorter path, or turn LongPathsEnabled on in the registry"
    folder = _missing_folder(error, path)
    return None if folder is None else shells.make_folder(os.fspath(folder))


def room_hint(path: str | os.PathLike[str]) -> str:
    """Return what to do about a full disk."""
    folder = Path(path)
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return f"make room, then run the same command; what is free: {shells.free_space(os.fspath(folder))}"


def own_folder_hint(error: OSError, path: str | os.PathLike[str], variable: str) -> str:
    """Return what to do where a folder of orvideo's own cannot be used; `variable` names another folder."""
    if error.errno in NO_SPACE:
        return room_hint(path)
    return f"keep it elsewhere: {shells.set_variable(variable, shells.a_folder())}"


def _missing_folder(error: OSError, path: str | os.PathLike[str]) -> Path | None:
    """Return the missing folder of `path`, None when the error has another cause."""
    folder = Path(path).parent
    return folder if error.errno == errno.ENOENT and not os.path.lexists(folder) else None
