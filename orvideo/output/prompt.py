"""Lines read from a person or a pipe: what is typed may have to stay unseen (drill K15)."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from orvideo.clock import NAP
from orvideo.errors import UsageError

#: No line typed or piped in where one is asked for is longer.
LONGEST_LINE = 64 * 1024


def open_terminal() -> tuple[TextIO, TextIO] | None:
    """Open the controlling terminal to read from and to write to, as ssh and git do; None where there is none (A04)."""
    try:
        if sys.platform == "win32":
            return open("CONIN$", encoding="utf-8"), open("CONOUT$", "w", encoding="utf-8")
        raw = io.FileIO(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC), "r+")
    except OSError:
        return None
    # Unbuffered in both directions, as a terminal is no place to seek in.
    stream = io.TextIOWrapper(raw, errors="replace", write_through=True)
    return stream, stream


def read_line(stdin: TextIO) -> str:
    """Return one line without its end, empty at the end of input. Raises UsageError for what is no text."""
    try:
        _wait_for_person(stdin)
        return stdin.readline(LONGEST_LINE).rstrip("\r\n")
    except (OSError, ValueError):
        raise UsageError("Standard input cannot be read as text.") from None


def _wait_for_person(stdin: TextIO) -> None:
    """Wait until a line is typed, in naps: a signal that comes on the way into a blocking read waits for a key."""
    if sys.platform == "win32" or not stdin.isatty():
        return
    with suppress(OSError, ValueError):  # a stream that only claims to be a terminal
        descriptor = stdin.fileno()
        while not select.select([descriptor], [], [], NAP)[0]:
            pass


def read_hidden_line(stdin: TextIO, ask: Callable[[], None]) -> str:
    """Return one line typed at a terminal that shows none of it; `ask` is called when it has stopped showing.

    Raises UsageError where the terminal cannot be kept from showing it: nothing has been read then.
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
    except (OSError, ValueError):  # a stream that only claims to be a terminal shows nothing by itself
        yield
        return
    try:
        before = termios.tcgetattr(descriptor)
        # What was typed before the question is dropped (FLUSH): it was seen on the screen.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
    except termios.error:
        raise UsageError("The terminal cannot be kept from showing what is typed; give it on stdin instead.") from None
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may have gone away meanwhile
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
