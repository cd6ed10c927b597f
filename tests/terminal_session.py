"""A shell at a terminal, in which lines are typed one after the other, and what its screen then shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import pexpect
import pyte

#: bash tells the terminal a title after each line, which no screen shows: the line is done, and this was its exit code.
_DONE = re.compile(rb"\x1b\]0;done (\d+)\x07")
_TELL = r"printf '\033]0;done %s\007' $?"
#: Whatever stands before what a person types would be in the way: a virtual environment puts its name there.
_NO_PROMPT = {"PS1": "", "PS2": "", "PROMPT_COMMAND": _TELL, "TERM": "xterm", "VIRTUAL_ENV_DISABLE_PROMPT": "1"}
#: How long a line may take, in seconds: one of them installs what orvideo needs.
_PATIENCE = 290


class Typed(NamedTuple):
    """What a line ended with, and the lines that the screen showed below it."""

    code: int
    shown: list[str]


class TerminalSession:
    """One bash from `__enter__` to `__exit__`; `answers` are typed where the screen asks for something."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        columns: int = 110,
        answers: Mapping[bytes, str] | None = None,
    ) -> None:
        self._folder, self._environ, self._columns = folder, dict(environ), columns
        self._answers = dict(answers or {})

    def __enter__(self) -> Self:
        self._bash = pexpect.spawn(
            "bash", ["--norc", "--noprofile", "--noediting"], cwd=str(self._folder), echo=False, timeout=_PATIENCE,
            env=self._environ | _NO_PROMPT,
            dimensions=(200, self._columns),
        )  # fmt: skip
        self._bash.expect(_DONE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bash.close(force=True)

    def type(self, line: str) -> Typed:
        """Type a line, wait for its end, and return how it ended and what the screen shows of it."""
        self._bash.sendline(line)
        seen = b""
        while True:
            place = self._bash.expect([_DONE, *map(re.escape, self._answers)])
            seen += self._bash.before
            if place == 0:
                return Typed(int(self._bash.match[1]), self._screen(seen))
            seen += self._bash.after
            self._bash.sendline(list(self._answers.values())[place - 1])

    def _screen(self, written: bytes) -> list[str]:
        # It is wider than the programs know: what they fold is folded, and what they do not fold is whole.
        screen = pyte.Screen(1000, 400)
        pyte.ByteStream(screen).feed(written)
        lines = [line.rstrip() for line in screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines
