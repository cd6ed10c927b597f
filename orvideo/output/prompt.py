"""Reads a line from a person or a pipe, without echo for a secret (drill K15)."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from orvideo.clock import MAX_WAIT
from orvideo.errors import UsageError

#: The longest line that is read, in characters.
_LONGEST_LINE = 64 * 1024


def open_terminal() -> tuple[TextIO, TextIO] | None:
    """Return the controlling terminal as a stream to read and one to write, None if there is none (finding A04)."""
    try:
        if sys.platform == "win32":
            return open("CONIN$", encoding="utf-8"), open("CONOUT$", "w", encoding="utf-8")
        raw = io.FileIO(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC), "r+")
    except OSError:
        return None
    # Unbuffered, because a terminal cannot seek.
    stream = io.TextIOWrapper(raw, errors="replace", write_through=True)
    return stream, stream


def read_line(stdin: TextIO) -> str:
    """Return one line without its newline, empty at the end of input. Raises UsageError if it is no text."""
    try:
        _wait_for_person(stdin)
        return stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    except (OSError, ValueError):
        raise UsageError("Standard input cannot be read as text.") from None


def _wait_for_person(stdin: TextIO) -> None:
    """Wait until a line is typed, in short naps: a signal just before a blocking read would wait for a key."""
    if sys.platform == "win32" or not stdin.isatty():
        return
    with suppress(OSError, ValueError):  # a stream that only claims to be a terminal
        descriptor = stdin.fileno()
        while not select.select([descriptor], [], [], MAX_WAIT)[0]:
            pass


def read_hidden_line(stdin: TextIO, ask: Callable[[], None]) -> str:
    """Return one line typed without echo; `ask` is called when the echo is off.

    Raises UsageError, before anything is read, if the echo cannot be turned off.
    """
    if sys.platform == "win32":
        import getpass

        ask()
        return getpass.getpass("")
    with _no_echo(stdin):
        ask()
        return read_line(stdin)


@contextmanager
def _no_echo(stdin: TextIO) -> Iterator[None]:
    import termios

    try:
        descriptor = stdin.fileno()
    except (OSError, ValueError):  # a stream that only claims to be a terminal has no echo
        yield
        return
    try:
        before = termios.tcgetattr(descriptor)
        # FLUSH drops what was typed before the question: it was visible.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
    except termios.error:
        raise UsageError("The terminal cannot be kept from showing what is typed; give it on stdin instead.") from None
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may have gone away meanwhile
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
