"""Streams for tests of the output: over memory, or a real pseudo-terminal whose screen can be read."""

from __future__ import annotations

import io
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO

import pyte
import pytest

from orvideo.clock import Clock
from orvideo.environment import CommonOptions, Environment
from orvideo.output.terminal import Terminal
from tests.shell import Stream

fcntl, pty, termios = (
    pytest.importorskip(name, reason="only POSIX has pseudo-terminals") for name in ("fcntl", "pty", "termios")
)

#: Everything that T01 and T02 name, in one text: each of these would move, hide, retitle or reorder something.
HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]52;c;aGk=\x1b\\ \x1bP1$r\x1b\\ \x9b31m \x90 \x08\x08 \r\x07\x00\x7f "
    "\u061c\u200e\u200f\u202a\u202e\u2066\u2069 \u200b\u200d\u2060\ufeff \u2028\u2029\x85 \U000e0041 \udc80 "
    "[bold]x[/bold] [/x] [link=http://e] :smile: @click=a"
)


def only_visible(text: str) -> bool:
    """Tell whether a text has nothing in it that a terminal obeys or hides, newlines apart."""
    return not any(character in text for character in set(HOSTILE) if not character.isprintable())


def terminal_on(
    stdout: TextIO | None,
    stderr: TextIO | None,
    stdin: TextIO | None,
    environ: Mapping[str, str],
    clock: Clock | None = None,
    **modes: Any,
) -> Terminal:
    """Return a terminal over these streams; `modes` are the fields of `CommonOptions`."""
    return Terminal(Environment(environ, stdin, stdout, stderr, clock or Clock()), CommonOptions(**modes))


class Full(io.TextIOBase):
    """A stream on a full disk: writing is buffered, and flushing is what fails."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def close(self) -> None:
        """Nothing is left to flush."""


@dataclass
class Said:
    """A Terminal over memory, and what was written to its two streams."""

    terminal: Terminal
    stdout: Stream
    stderr: Stream

    @property
    def out(self) -> str:
        return self.stdout.text()

    @property
    def err(self) -> str:
        return self.stderr.text()


def over_memory(
    environ: Mapping[str, str] | None = None, *, tty: bool = False, stdin: bytes = b"", **modes: Any
) -> Said:
    stdout, stderr = Stream(tty=tty), Stream(tty=tty)
    terminal = terminal_on(stdout, stderr, Stream(stdin, tty=tty), {"COLUMNS": "80", **(environ or {})}, **modes)
    return Said(terminal, stdout, stderr)


class Screen:
    """A pseudo-terminal, the bytes that reached it, and what they look like on a screen."""

    def __init__(self, columns: int, rows: int = 24, cell: tuple[int, int] = (0, 0)) -> None:
        self._rows, self._cell = rows, cell
        self.master, self.slave = pty.openpty()
        self.resize(columns)
        self._raw = b""
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, columns: int) -> None:
        self.columns = columns
        pixels = columns * self._cell[0], self._rows * self._cell[1]
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", self._rows, columns, *pixels))

    def stream(self, mode: str = "w") -> TextIO:
        raw = io.FileIO(os.dup(self.slave), mode)
        binary = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
        return io.TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", line_buffering=mode == "w")

    def _read(self) -> None:
        while True:
            try:
                raw = os.read(self.master, 65536)
            except OSError:
                return
            if not raw:
                return
            with self._lock:
                self._raw += raw

    @property
    def raw(self) -> bytes:
        return self._raw

    def forget(self) -> None:
        """Begin with an empty screen."""
        with self._lock:
            self._raw = b""

    def drawn(self) -> pyte.Screen:
        screen = pyte.Screen(self.columns, self._rows)
        pyte.ByteStream(screen).feed(self.raw)
        return screen

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.drawn().display if line.strip()]

    def wait_for(self, what: Callable[[list[str]], bool]) -> list[str]:
        """Return the lines of the screen as soon as they are as wanted; fail when they never are.

        `what` may ask for a line that is not there, as between two frames there is none: that is not as wanted.
        """
        patience = time.monotonic() + 240
        while time.monotonic() < patience:
            lines = self.lines()
            with suppress(IndexError):
                if what(lines):
                    return lines
            time.sleep(0.02)
        raise AssertionError(self.lines())

    def close(self) -> None:
        os.close(self.slave)
        self._reader.join(10)
        os.close(self.master)


@contextmanager
def on_screen(
    columns: int,
    environ: Mapping[str, str] | None = None,
    *,
    clock: Clock | None = None,
    rows: int = 24,
    cell: tuple[int, int] = (0, 0),
    **modes: Any,
) -> Iterator[tuple[Screen, Terminal]]:
    """Give a Terminal whose three streams are one pseudo-terminal; `cell` is what it says of a cell, in pixels."""
    screen = Screen(columns, rows, cell)
    streams = screen.stream(), screen.stream(), screen.stream("r")
    terminal = terminal_on(*streams, {"TERM": "xterm-256color", **(environ or {})}, clock=clock, **modes)
    try:
        yield screen, terminal
    finally:
        terminal.close()
        for stream in streams:
            stream.close()
        screen.close()
