"""Reads a line from a person or a pipe, without echo for a secret (drill K15)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from orvideo import system
from orvideo.clock import MAX_WAIT
from orvideo.errors import UsageError
from orvideo.interrupts import Interrupted

#: The longest line that is read, in characters.
_LONGEST_LINE = 64 * 1024


def open_terminal() -> tuple[TextIO, TextIO] | None:
    """Return the controlling terminal as a stream to read and one to write, None if there is none (finding A04)."""
    try:
        return system.open_terminal()
    except OSError:
        return None


def read_line(stdin: TextIO) -> str:
    """Return one line without its newline, empty at the end of input. Raises UsageError if it is no text."""
    try:
        _wait_for_person(stdin)
        return stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    except (OSError, ValueError):
        raise UsageError("Standard input cannot be read as text.") from None


def _wait_for_person(stdin: TextIO) -> None:
    """Wait until a line is typed, in short naps: a signal just before a blocking read would wait for a key."""
    if not stdin.isatty():
        return
    with suppress(OSError, ValueError):  # a stream that only claims to be a terminal
        descriptor = stdin.fileno()
        while not system.wait_for_input(descriptor, MAX_WAIT):
            pass


def read_hidden_line(stdin: TextIO, ask: Callable[[], None]) -> str:
    """Return one line typed without echo; `ask` is called when the echo is off.

    Raises UsageError, before anything is read, if the echo cannot be turned off.
    """
    try:
        return system.read_hidden(stdin, ask, read_line)
    except KeyboardInterrupt:
        raise Interrupted(signal.SIGINT) from None
    except OSError:
        raise UsageError("The terminal cannot be kept from showing what is typed; give it on stdin instead.") from None
