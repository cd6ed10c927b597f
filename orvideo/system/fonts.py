"""Where each system keeps its fonts."""

import ntpath
import sys
from pathlib import Path

_UNIX = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
_FOLDERS = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": (r"%WINDIR%\Fonts", r"%LOCALAPPDATA%\Microsoft\Windows\Fonts"),
}


def font_folders(*, platform: str = sys.platform) -> list[Path]:
    """Return the folders that a system looks for fonts in, whether they are there or not."""
    named = _FOLDERS.get(platform, _UNIX)
    if platform == "win32":
        return [Path(ntpath.expandvars(name)) for name in named]
    return [Path(name).expanduser() for name in named]
