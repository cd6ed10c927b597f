"""Names and paths by the rules of each system: what separates folders, what no file can be called, what is one place.

The rules are values, so that those of one system can be asked, and tested, on another.
"""

import errno
import ntpath
import os
import re
import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

#: The names that Windows keeps for devices, whatever extension they have.
RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"]
)
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')


class Fault(NamedTuple):
    """A name that a system does not take: what is wrong with it, and one that works."""

    message: str
    better: str


class Rules(NamedTuple):
    """What a system makes of names and paths.

    `separators` are between folders, `forbids`: it takes no names that Windows forbids, `folds`: names that differ by
    case alone are one, `longest`: that of a folder's path in characters, where the error for a longer one hides it.
    """

    separators: str
    forbids: bool = False
    folds: bool = False
    longest: int | None = None

    def is_folder(self, spec: str) -> bool:
        """Return whether a path means a folder, by its end."""
        return spec.endswith(tuple(self.separators))

    def split(self, path: str) -> list[str]:
        """Return what is between the separators."""
        return re.split(f"[{re.escape(self.separators)}]", path)

    def is_null(self, spec: str) -> bool:
        """Return whether a path is the device of Windows that takes bytes and keeps none."""
        return self.forbids and spec.upper() in ("NUL", "NUL:", r"\\.\NUL")

    def is_device(self, path: Path) -> bool:
        """Return whether Windows takes the name of a path for one of its devices, which are in every folder."""
        return self.forbids and is_reserved(path.name)

    def is_on_network(self, path: str) -> bool:
        """Return whether a path names another machine: `\\\\server\\share`."""
        return self.forbids and path.startswith(("\\\\", "//")) and not path.startswith("\\\\?\\")

    def fault(self, path: str) -> Fault | None:
        """Return what is wrong with a path that is typed; None for what this system takes."""
        if not self.forbids:
            return None
        drive, rest = ntpath.splitdrive(path)
        if drive.endswith(":") and rest[:1] not in ("\\", "/"):
            return Fault(f"{path!r} does not say which folder of drive {drive} is meant.", f"{drive}\\{rest}")
        faults = (name_fault(name) for name in self.split(rest) if name not in ("", ".", ".."))
        return next((fault for fault in faults if fault is not None), None)

    def is_too_long(self, error: OSError, path: str | os.PathLike[str] = "") -> bool:
        """Return whether the path of an error, else `path`, is too long, which Windows tells as missing (W11)."""
        if self.longest is None or error.errno not in (errno.ENOENT, errno.ENAMETOOLONG):
            return False
        place = Path(error.filename if isinstance(error.filename, str) else path)
        return len(str(place.absolute())) > self.longest and place.parent.is_dir()

    def place_key(self, path: Path) -> tuple[str, str]:
        """Return what all paths have in common that lead to one place, there or not (M1).

        It is its folder, and the rest of the way; in that case does not count where the folder ignores it.
        """
        path = Path(os.path.normpath(path))
        folder = next((place for place in path.parents if os.path.isdir(place)), None)
        if folder is None:
            return "", os.fspath(path)
        found, rest = folder.stat(), os.fspath(path.relative_to(folder))
        return f"{found.st_dev}:{found.st_ino}", folded(rest) if self.folds or _ignores_case(folder) else rest


LINUX = Rules("/")
MACOS = Rules("/", folds=True)
#: Windows can be told to allow longer paths; the path of a file may be eleven longer.
WINDOWS = Rules("\\/", forbids=True, folds=True, longest=247)
#: The rules of the system that this runs on.
HERE = {"win32": WINDOWS, "darwin": MACOS}.get(sys.platform, LINUX)


def name_fault(name: str) -> Fault | None:
    """Return why a file cannot have a name on Windows, nor on disks that keep its rules; None where it can."""
    bare = name.rstrip(". ")
    if wrong := _FORBIDDEN.search(name):
        why = f"{wrong[0]!r} is not allowed in it"
    elif is_reserved(name):
        why = f"{name.partition('.')[0]} is a device"
    elif bare != name:
        why = f"it ends with {'a space' if name.endswith(' ') else 'a dot'}"
    else:
        return None
    better = _FORBIDDEN.sub("-", bare) or "video"
    better = f"_{better}" if is_reserved(better) else better
    return Fault(f"{name!r} cannot be a name on Windows: {why}.", better)


def is_reserved(name: str) -> bool:
    """Return whether Windows takes a name for one of its devices."""
    return name.partition(".")[0].rstrip(" ").upper() in RESERVED


def folded(name: str) -> str:
    """Return what names have in common that differ by case alone, or by how an accent is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@cache
def _ignores_case(folder: Path) -> bool:
    """Return whether two names in a folder that differ by case are one; a file is made to see it."""
    import tempfile

    try:
        with tempfile.NamedTemporaryFile(prefix=".orvideo-case-", dir=folder) as tried:
            return os.path.lexists(folder / os.path.basename(tried.name).swapcase())
    except OSError:
        return False
