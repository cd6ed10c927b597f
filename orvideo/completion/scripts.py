"""The completion script of each shell, and the manual page, made from the app as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from orvideo.completion import bash, fish, powershell, zsh
from orvideo.completion.tree import Command, read

if TYPE_CHECKING:
    from typer import Typer

#: The shells, with the name under which each looks for the script, or a person keeps it.
FILE_NAMES = {"bash": "orvideo.bash", "zsh": "_orvideo", "fish": "orvideo.fish", "powershell": "orvideo.ps1"}

#: In the first lines of every script of ours: a file without it is somebody else's.
MARK = "Made by: python -m orvideo.completion."

_WRITERS: dict[str, Callable[[Command], str]] = {
    "bash": bash.script,
    "zsh": zsh.script,
    "fish": fish.script,
    "powershell": powershell.script,
}


def script(shell: str, app: Typer) -> str:
    """Return the script for one of the shells in `FILE_NAMES`."""
    return _WRITERS[shell](read(app))


def manual(app: Typer, exit_codes: Iterable[tuple[int, str, str]]) -> str:
    """Return the manual page, with a table of exit codes: a code, what it means, whether money was charged."""
    from orvideo.completion import man

    return man.page(read(app), [(str(int(code)), meaning) for code, meaning, _ in exit_codes])
