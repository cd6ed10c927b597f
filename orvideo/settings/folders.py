"""The folders of settings, record and cache.

`ORVIDEO_CONFIG_DIR`, `ORVIDEO_STATE_DIR` and `ORVIDEO_CACHE_DIR` name a folder itself. Otherwise the folder is
`orvideo` below the base folder of the XDG specification; on macOS without XDG's variable, and on Windows, it is the one
that platformdirs names. (On Linux platformdirs names the same as XDG, but reads the variables of the process instead of
those it is handed.) TAB completion imports this module, so it imports neither typing nor pathlib, and errors late;
where platformdirs is asked, that brings pathlib along.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # instead of typing's own, whose import costs a third of an interpreter's start
if TYPE_CHECKING:
    from collections.abc import Mapping

    from orvideo.errors import OrvideoError

APP = "orvideo"


class Folder:
    """One kind of folder: what it holds, and its default base below HOME according to XDG."""

    def __init__(self, kind: str, contents: str, xdg_default: str) -> None:
        self.kind, self.contents, self.xdg_default = kind, contents, xdg_default
        self.variable = f"ORVIDEO_{kind.upper()}_DIR"
        self.xdg_variable = f"XDG_{kind.upper()}_HOME"


CONFIG = Folder("config", "the settings", ".config")
STATE = Folder("state", "the record of jobs", ".local/state")
CACHE = Folder("cache", "the cache", ".cache")
FOLDERS = (CONFIG, STATE, CACHE)


def locate(folder: Folder, environ: Mapping[str, str], *, platform: str = sys.platform) -> str:
    """Return the absolute path of a folder, which need not exist.

    Raises UsageError for the settings, RecordError for the others, when the variables name no place (drill J11).
    """
    if own := os.path.expanduser(environ.get(folder.variable, "").strip()):
        if not os.path.isabs(own):
            # A relative path would be another folder in each directory: the record would be lost by `cd`.
            from orvideo import shells

            raise _error(
                folder,
                f"{folder.variable} must be an absolute path, and is '{own}'.",
                shells.set_variable(folder.variable, _below_here(own, platform), platform=platform),
            )
        return own
    xdg_is_set = os.path.isabs(environ.get(folder.xdg_variable, ""))
    if platform == "win32" or (platform == "darwin" and not xdg_is_set):
        from platformdirs import PlatformDirs

        path: str = getattr(PlatformDirs(APP, appauthor=False), f"user_{folder.kind}_dir")
        return path
    if base := xdg_base(folder.xdg_variable, folder.xdg_default, environ):
        return os.path.join(base, APP)
    from orvideo import shells

    home = environ.get("HOME", "")
    problem = f"HOME is '{home}', which is no absolute path" if home else "HOME is not set"
    raise _error(
        folder,
        f"There is no place for {folder.contents}: {problem}.",
        shells.set_variable(folder.variable, shells.a_folder()),
    )


def _below_here(own: str, platform: str) -> str:
    return f"$PWD\\{own}" if platform == "win32" else f'"$PWD/{own}"'


def xdg_base(variable: str, default: str, environ: Mapping[str, str]) -> str | None:
    """Return a base folder: the XDG variable's, if that is absolute, else `default` below HOME; None without HOME."""
    base = environ.get(variable, "")
    if os.path.isabs(base):
        return base
    home = environ.get("HOME", "")
    return os.path.join(home, default) if os.path.isabs(home) else None


def _error(folder: Folder, message: str, hint: str) -> OrvideoError:
    from orvideo.errors import RecordError, UsageError

    return UsageError(message, hint=hint) if folder is CONFIG else RecordError(message, hint=hint)
