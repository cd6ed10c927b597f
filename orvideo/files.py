"""File operations: private folders, atomic writes, and renames that never replace another file by accident."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from orvideo import system
from orvideo.errors import UsageError


def expand_user(path: str) -> str:
    """Return a path with `~` expanded, which shells leave in `--output=~/x` (finding D02).

    Raises UsageError where it names a user that is not there.
    """
    if not path.startswith("~"):
        return path
    from orvideo.system.names import HERE  # rarely needed

    whole, name = os.path.expanduser(path), HERE.split(path)[0]
    # Nobody knows on Windows where others are at home, and Python guesses: beside one's own.
    if not whole.startswith("~") and not (HERE.forbids and name != "~" and not os.path.isdir(os.path.expanduser(name))):
        return whole
    if not os.path.lexists(name):
        raise UsageError(f"There is no home of {name}.", hint=f"a name that begins so: ./{path}")
    return path


def path_as_asked(path: Path, spec: str | None) -> Path:
    """Return a path for an answer: relative to the current directory where `spec`, the -o of the line, is no absolute
    path, or None.
    """
    try:
        here = Path.cwd()
    except OSError:  # it was removed meanwhile
        return path
    typed = spec is None or not Path(spec).is_absolute()
    return path.relative_to(here) if typed and path.is_relative_to(here) else path


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal. Raises OSError."""
    import hashlib  # it loads a library of ciphers, which a list of jobs does without

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_private_folder(folder: Path) -> None:
    """Create a folder and its missing parents, each with mode 0700; existing ones are unchanged (drills J12, K06)."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with system.files_in_the_way():
            place.mkdir(mode=0o700, exist_ok=True)
        system.sync_folder(place.parent)


def move_into_place(old: Path, new: Path, *, replace: bool = False, durable: bool = True) -> None:
    """Rename a finished file to its final name in the same folder; with `durable`, flush the new name to the disk.

    Without `replace` raises FileExistsError if anything has the name, which is left unchanged (drill O01).
    """
    if replace:
        system.replace(old, new)
    else:
        system.rename(old, new)
    if durable:
        system.sync_folder(new.parent)


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o666, replace: bool = True, durable: bool = True
) -> None:
    """Write a file atomically: at any time its name leads to the old content or to the new.

    `mode` is that of the new file, before the umask. Without `durable` nothing is flushed to the disk, and a power cut
    may undo the write. Raises OSError, and without `replace` FileExistsError.
    """
    new = path.with_name(f".orvideo-{os.urandom(6).hex()}.new")
    descriptor = system.open_file(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                system.sync(descriptor)
        move_into_place(new, path, replace=replace, durable=durable)
    finally:
        with suppress(OSError):  # it was renamed, unless something failed
            os.unlink(new)
