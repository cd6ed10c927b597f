"""The page as a file: where it is written, and what it may replace."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orvideo import system
from orvideo.errnos import hint, sentence
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from orvideo.files import expand_user, write_atomically
from orvideo.gallery.page import GENERATOR

NAME = "gallery.html"
#: The tag that tells a page of ours stands in the first bytes of the file.
_TAG = f'<meta name="generator" content="{GENERATOR}">'.encode()
_HEAD = 4096


def page_path(spec: str | None) -> Path:
    """Return the whole path that -o means: a file, or the usual name in a folder. Raises UsageError."""
    if spec is None:
        return Path(os.path.abspath(NAME))
    if spec == "-" or not spec or "\0" in spec:
        raise UsageError(
            "The page leads to videos by where it lies, so it is a file.", hint=f"orvideo gallery -o {NAME}"
        )
    whole = os.path.abspath(expand_user(spec))
    is_folder = os.path.isdir(whole) or spec.endswith(tuple(one for one in (os.sep, os.altsep) if one))
    return Path(whole, NAME) if is_folder else Path(whole)


def check(path: Path, *, force: bool) -> None:
    """Refuse a path that the page may not have: only a page of ours is replaced without `force`.

    Raises OutputExists, OutputUnwritable, and UsageError for what is no file.
    """
    try:
        with system.files_in_the_way():
            mode = os.lstat(path).st_mode
    except FileNotFoundError:
        _check_folder(path.parent)
        return
    except (OSError, ValueError) as error:
        raise _unwritable(error, path) from error
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise UsageError(f"{path} is no regular file; the page is not written there.", hint="name a file with -o")
    if not force and not _is_page(path):
        raise OutputExists(
            f"{path} exists already, and is no gallery.", hint="name another file with -o, or overwrite it with --force"
        )


def write(path: Path, page: str, *, force: bool) -> None:
    """Write the page atomically; a folder is made when its parent is there. Raises as `check`."""
    check(path, force=force)
    is_there = os.path.lexists(path)
    try:
        path.parent.mkdir(exist_ok=True)
        # Overwriting means what a link leads to; the link itself stays.
        write_atomically(Path(os.path.realpath(path)), page.encode(), replace=is_there)
    except FileExistsError as error:
        raise OutputExists(f"{path} exists already.", hint="name another file with -o") from error
    except OSError as error:
        raise _unwritable(error, path) from error


def _check_folder(folder: Path) -> None:
    if folder.is_dir() or folder.parent.is_dir():
        return
    raise OutputUnwritable(f"The folder {folder.parent} does not exist.", hint="name another with -o")


def _is_page(path: Path) -> bool:
    """Return whether a file was written by a gallery; one that cannot be read was not."""
    try:
        with path.open("rb") as file:
            return _TAG in file.read(_HEAD)
    except OSError:
        return False


def _unwritable(error: OSError | ValueError, path: Path) -> OutputUnwritable:
    if isinstance(error, ValueError):
        return OutputUnwritable(f"{path} cannot be written: {error}.")
    return OutputUnwritable(sentence(error, path), hint=hint(error, path))
