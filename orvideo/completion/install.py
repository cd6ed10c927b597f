"""Where a shell finds a completion script of the user's own, and putting it there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orvideo.completion.scripts import FILE_NAMES, MARK
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from orvideo.files import write_whole

#: What the shells are called by $SHELL and by people.
_NAMES = {"bash": "bash", "zsh": "zsh", "fish": "fish", "pwsh": "powershell", "powershell": "powershell"}


class Installed(NamedTuple):
    """What was done, and what is left to do: lines to type or to add somewhere, in the words of the shell.

    `path` is None where there is no place for scripts (PowerShell). `is_new` is False when the file was there as it is.
    """

    shell: str
    path: Path | None
    is_new: bool
    notes: tuple[str, ...]


def shell_of(environ: Mapping[str, str]) -> str:
    """Return the shell of $SHELL. Raises UsageError when it names none that there is a script for."""
    said = environ.get("SHELL", "")
    name = _NAMES.get(os.path.basename(said).removesuffix(".exe"))
    if name is None:
        what = f"SHELL is '{said}'" if said else "SHELL is not set"
        raise UsageError(
            f"The shell cannot be told: {what}.", hint=f"name it: orvideo completion install {'|'.join(FILE_NAMES)}"
        )
    return name


def place(shell: str, environ: Mapping[str, str]) -> Path | None:
    """Return the file in which `shell` looks for the completion of orvideo, None for PowerShell, which has none."""
    if shell == "bash":
        own = environ.get("BASH_COMPLETION_USER_DIR", "")
        folder = Path(own) if os.path.isabs(own) else _xdg("DATA", ".local/share", environ) / "bash-completion"
        return folder / "completions" / "orvideo"
    if shell == "zsh":
        return _home(environ) / ".zfunc" / FILE_NAMES[shell]
    if shell == "fish":
        return _xdg("CONFIG", ".config", environ) / "fish" / "completions" / FILE_NAMES[shell]
    return None


def install(shell: str, text: str, environ: Mapping[str, str], *, force: bool = False) -> Installed:
    """Put a script, as `text`, where `shell` looks for it; no other file is touched.

    Raises OutputExists for a file there that is not ours (unless `force`), OutputUnwritable; UsageError without HOME.
    """
    path = place(shell, environ)
    if path is None:
        return Installed(shell, None, False, _NOTES[shell])
    try:
        is_new = _write(path, text, force)
    except OSError as error:
        raise OutputUnwritable(
            f"The script cannot be written: {path}: {error.strerror or error}.",
            hint=f"put it elsewhere: orvideo completion show {shell} > FILE",
        ) from error
    return Installed(shell, path, is_new, _NOTES[shell])


def _write(path: Path, text: str, force: bool) -> bool:
    """Write the script in one step and say whether that changed anything."""
    if os.path.lexists(path) and not force:
        there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if there == text:
            return False
        if MARK not in there[:500]:
            raise OutputExists(f"{path} exists and is not orvideo's.", hint="add --force to replace it")
    path.parent.mkdir(parents=True, exist_ok=True)
    # A shell that starts now must not read half a script.
    write_whole(path, text.encode())
    return True


def _xdg(kind: str, default: str, environ: Mapping[str, str]) -> Path:
    said = environ.get(f"XDG_{kind}_HOME", "")
    return Path(said) if os.path.isabs(said) else _home(environ) / default


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    if not os.path.isabs(home):
        raise UsageError("There is no place for the script: HOME is not set.", hint="orvideo completion show SHELL")
    return Path(home)


_NOTES: dict[str, tuple[str, ...]] = {
    "bash": (
        "bash loads it by itself where the package bash-completion is set up: open a new shell and try TAB",
        'without that package, add to ~/.bashrc: eval "$(orvideo completion show bash)"',
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
