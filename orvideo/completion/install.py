"""Installs a completion script where the user's shell looks for it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orvideo.completion.scripts import FILE_NAMES, MARK
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from orvideo.files import write_atomically
from orvideo.settings.folders import xdg_base

#: The shells by the names that $SHELL and people use.
_NAMES = {"bash": "bash", "zsh": "zsh", "fish": "fish", "pwsh": "powershell", "powershell": "powershell"}


class Installation(NamedTuple):
    """What was installed, and notes for the user: lines to type or to add to a start-up file of the shell.

    `path` is None for PowerShell, which has no place for scripts. `is_new` is False when the same script was there.
    """

    shell: str
    path: Path | None
    is_new: bool
    notes: tuple[str, ...]


def detect_shell(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the shell of $SHELL, without it PowerShell on Windows. Raises UsageError where there is no script."""
    said = environ.get("SHELL", "")
    if not said and platform == "win32":
        return "powershell"
    name = _NAMES.get(os.path.basename(said.replace("\\", "/")).removesuffix(".exe"))
    if name is None:
        what = f"SHELL is '{said}'" if said else "SHELL is not set"
        raise UsageError(
            f"The shell cannot be told: {what}.", hint=f"name it: orvideo completion install {'|'.join(FILE_NAMES)}"
        )
    return name


def script_path(shell: str, environ: Mapping[str, str]) -> Path | None:
    """Return the file in which `shell` looks for the completion of orvideo, None for PowerShell, which has none.

    Raises UsageError without HOME.
    """
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    environ = {**environ, "HOME": home}
    folder: str | None
    if shell == "bash":
        folder, name = environ.get("BASH_COMPLETION_USER_DIR", ""), "completions/orvideo"
        if not os.path.isabs(folder):
            folder, name = xdg_base("XDG_DATA_HOME", ".local/share", environ), "bash-completion/completions/orvideo"
    elif shell == "zsh":
        folder, name = home if os.path.isabs(home) else None, f".zfunc/{FILE_NAMES[shell]}"
    elif shell == "fish":
        folder, name = xdg_base("XDG_CONFIG_HOME", ".config", environ), f"fish/completions/{FILE_NAMES[shell]}"
    else:
        return None
    if folder is None:
        raise UsageError("There is no place for the script: HOME is not set.", hint="orvideo completion show SHELL")
    return Path(folder, name)


def install(
    shell: str, text: str, environ: Mapping[str, str], *, force: bool = False, platform: str = sys.platform
) -> Installation:
    """Write a script, given as `text`, where `shell` looks for it; no other file is changed.

    Raises OutputExists for a file there that orvideo did not make (unless `force`), OutputUnwritable, and UsageError
    without HOME.
    """
    path = script_path(shell, environ)
    if path is None:
        return Installation(shell, None, False, notes(shell, platform))
    try:
        is_new = _write(path, text, force)
    except OSError as error:
        raise OutputUnwritable(
            f"The script cannot be written: {path}: {error.strerror or error}.",
            hint=f"put it elsewhere: orvideo completion show {shell} > FILE",
        ) from error
    return Installation(shell, path, is_new, notes(shell, platform))


def _write(path: Path, text: str, force: bool) -> bool:
    """Write the script atomically and return whether that changed anything."""
    if os.path.lexists(path) and not force:
        there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if there == text:
            return False
        if MARK not in there[:500]:
            raise OutputExists(f"{path} exists and is not orvideo's.", hint="add --force to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    return True


_NOTES: dict[str, tuple[str, ...]] = {
    "bash": (
        "bash loads it by itself where the package bash-completion is set up: open a new shell and try TAB",
        'without that package, add to {bashrc}: eval "$(orvideo completion show bash)"',
    ),
    "zsh": (
        "zsh finds it when ~/.zshrc has these lines, in this order; nothing was added to it:",
        "  fpath=(~/.zfunc $fpath)",
        "  autoload -Uz compinit && compinit",
        "then open a new shell; where TAB knows nothing yet: rm -f ~/.zcompdump*",
    ),
    "fish": ("fish finds it by itself, in the shells that are open as well",),
    "powershell": (
        "PowerShell has no place for scripts; add this line to the file that $PROFILE names:",
        "  orvideo completion show powershell | Out-String | Invoke-Expression",
    ),
}


def notes(shell: str, platform: str) -> tuple[str, ...]:
    """Return what is left to do; Terminal.app of macOS opens login shells, which read another file (finding M7)."""
    bashrc = "~/.bash_profile" if platform == "darwin" else "~/.bashrc"
    return tuple(note.replace("{bashrc}", bashrc) for note in _NOTES[shell])
