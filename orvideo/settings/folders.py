"""Where orvideo keeps things: the store, the record and the cache of one person on one machine.

`ORVIDEO_CONFIG_DIR`, `ORVIDEO_STATE_DIR` and `ORVIDEO_CACHE_DIR` name the folder itself. Otherwise XDG's variables do,
with `orvideo` below them. Without either, Linux and its kin have XDG's defaults below HOME: platformdirs has the same,
but takes them from the process and not from the variables that orvideo was handed (a test says that both agree). On
macOS and Windows platformdirs is asked, which asks the operating system.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orvideo.errors import OrvideoError, RecordError, UsageError
from orvideo.files import expanded

APP = "orvideo"


class Folder(NamedTuple):
    """One kind of folder: its variables, its place below HOME, and the error that its absence is."""

    kind: str
    what: str
    xdg_default: str
    error: type[OrvideoError]

    @property
    def variable(self) -> str:
        return f"ORVIDEO_{self.kind.upper()}_DIR"

    @property
    def xdg_variable(self) -> str:
        return f"XDG_{self.kind.upper()}_HOME"


CONFIG = Folder("config", "the settings", ".config", UsageError)
STATE = Folder("state", "the record of jobs", ".local/state", RecordError)
CACHE = Folder("cache", "the cache", ".cache", RecordError)
FOLDERS = (CONFIG, STATE, CACHE)


def locate(folder: Folder, environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """Return where `folder` is; it need not exist. Raises the folder's own error when nothing says so (drill J11)."""
    if own := expanded(environ.get(folder.variable, "").strip()):
        if not os.path.isabs(own):
            # A relative place would be another one in each directory: a record that is lost by `cd`.
            raise folder.error(
                f"{folder.variable} must be an absolute path, and is '{own}'.",
                hint=f'export {folder.variable}="$PWD/{own}"',
            )
        return Path(own)
    if platform == "win32":
        return _from_platformdirs(folder)
    xdg = environ.get(folder.xdg_variable, "")
    if os.path.isabs(xdg):  # a relative one is to be ignored, says XDG
        return Path(xdg, APP)
    if platform == "darwin":
        return _from_platformdirs(folder)
    home = environ.get("HOME", "")
    if not os.path.isabs(home):
        said = f"HOME is '{home}', which is no absolute path" if home else "HOME is not set"
        raise folder.error(
            f"There is no place for {folder.what}: {said}.", hint=f"export {folder.variable}=/path/to/a/folder"
        )
    return Path(home, folder.xdg_default, APP)


def _from_platformdirs(folder: Folder) -> Path:
    from platformdirs import PlatformDirs

    folders = PlatformDirs(APP, appauthor=False)
    paths = {"config": folders.user_config_path, "state": folders.user_state_path, "cache": folders.user_cache_path}
    return paths[folder.kind]
