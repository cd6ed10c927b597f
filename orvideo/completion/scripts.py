"""The completion script of each shell, and the manual page, generated from the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from orvideo.completion import bash, fish, man, powershell, zsh
from orvideo.completion.spec import CommandSpec, read_app

if TYPE_CHECKING:
    from typer import Typer

#: The shells, and the usual name of the script for each.
FILE_NAMES = {"bash": "orvideo.bash", "zsh": "_orvideo", "fish": "orvideo.fish", "powershell": "orvideo.ps1"}

#: In the first lines of every generated script; without it a file is not orvideo's.
MARK = "Made by: python -m orvideo.completion."

_WRITERS: dict[str, Callable[[CommandSpec], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
    "powershell": powershell.script,
}


def script(shell: str, app: Typer) -> str:
    """Return the script for one of the shells in `FILE_NAMES`."""
    return _WRITERS[shell](read_app(app))


def manual(app: Typer, exit_codes: Iterable[tuple[int, str, str]]) -> str:
    """Return the manual page; `exit_codes` has for each code its meaning and whether money was charged."""
    return man.page(read_app(app), [(str(int(code)), meaning) for code, meaning, _ in exit_codes])
