"""An output stream, stdout or stderr: what it can show, and how it is written to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from orvideo import system
from orvideo.output.text import visible

#: The theme: a style's name and its ANSI code.
_STYLES = {
    "error": "1;31",
    "warning": "33",
    "hint": "36",
    "heading": "1",
    "good": "32",
    "bad": "31",
    "busy": "33",
    "unsure": "35",
    "faint": "2",
}
#: ASCII for the signs in orvideo's own texts, for a stream that cannot encode them.
_PLAIN = str.maketrans({"…": "...", "—": "-", "–": "-", "·": "-", "×": "x", "✓": "+", "✗": "x"})
#: First parts of TERM of terminals that show links.
_WINDOWS = frozenset({"xterm", "screen", "tmux", "foot", "alacritty", "rxvt", "konsole", "wezterm", "contour"})
#: Variables of terminals that show a progress in the task bar (OSC 9;4); others would show a message.
_TASK_BARS = {
    "ConEmuANSI": ("ON",),
    "TERM_PROGRAM": ("ghostty", "WezTerm", "iTerm.app"),
}


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Tell whether a variable such as CI or FORCE_COLOR is on: non-empty and neither `0` nor `false`."""
    return environ.get(name, "").strip().lower() not in ("", "0", "false")


def is_dumb(environ: Mapping[str, str]) -> bool:
    return environ.get("TERM", "").strip().lower() in ("dumb", "unknown")


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


class OutputStream:
    """A text stream, which may be None, closed, full, of a narrow encoding, or a terminal that has gone away.

    `write` raises OSError if the text cannot be written, BrokenPipeError if nobody reads it.
    """

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self.failed = False
        self.is_tty = is_terminal(stream)
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.colour = self._wants_colour(environ)
        #: Whether the terminal shows links (OSC 8), and progress in a task bar (OSC 9;4).
        windowed = self.is_tty and environ.get("TERM", "dumb").partition("-")[0] in _WINDOWS
        self.links = windowed and not is_set(environ, "CI")
        known = any(environ.get(name) in values for name, values in _TASK_BARS.items())
        self._has_task_bar = self.is_tty and (known or "WT_SESSION" in environ)
        self.ellipsis = "…" if self.can_encode("…") else "..."

    def _wants_colour(self, environ: Mapping[str, str]) -> bool:
        if environ.get("NO_COLOR"):
            return False
        if environ.get("FORCE_COLOR"):
            return is_set(environ, "FORCE_COLOR")
        return self.is_tty and not is_dumb(environ)

    @property
    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal now; 0 where that is not known."""
        descriptor = self.descriptor if self.is_tty else None
        if descriptor is None:
            return 0, 0
        try:
            return os.get_terminal_size(descriptor)
        except OSError:
            return 0, 0

    @property
    def descriptor(self) -> int | None:
        """The file descriptor of the stream, None if it is closed or has none."""
        try:
            return None if self._stream is None else self._stream.fileno()
        except (OSError, ValueError):
            return None

    def can_encode(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def printable(self, text: str) -> str:
        """Return `text` made visible, in characters that this stream can encode."""
        return self._encodable(visible(text))

    def encoded(self, text: str) -> bytes:
        """Return a text as the bytes that `write` writes."""
        return self._encodable(text).encode(self.encoding, "backslashreplace")

    def _encodable(self, text: str) -> str:
        """Return `text` with escapes such as `\\u4e2d` for what this stream cannot encode (drill O12)."""
        if self.can_encode(text):
            return text
        try:
            return text.translate(_PLAIN).encode(self.encoding, "backslashreplace").decode(self.encoding)
        except LookupError:
            return ascii(text)[1:-1]

    def styled(self, text: str, style: str | None) -> str:
        """Return a text in a named style of the theme, unchanged where there is no colour or no such style."""
        code = _STYLES.get(style or "")
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def link(self, text: str, path: str) -> str:
        """Return a text as a link to a file, where this stream shows links."""
        return f"\x1b]8;;{Path(path).absolute().as_uri()}\x1b\\{text}\x1b]8;;\x1b\\" if self.links else text

    def show_percent(self, percent: int | None) -> None:
        """Show a percentage in the task bar, None for none, where the terminal has one."""
        if self._has_task_bar:
            self.try_write("\x1b]9;4;0;0\x1b\\" if percent is None else f"\x1b]9;4;1;{percent}\x1b\\")

    def write(self, text: str) -> None:
        """Write a text and flush it."""
        with self._opened() as stream:
            stream.write(self._encodable(text))
            stream.flush()

    def try_write(self, text: str) -> None:
        """Write a text, and ignore errors: from then on nothing more is written (drill S05)."""
        try:
            self.write(text)
        except BlockingIOError:
            pass  # full for now; the next line may be written
        except OSError:
            self.discard()

    def write_bytes(self, raw: bytes) -> None:
        """Write bytes behind the text so far; a stream for text alone gets them decoded."""
        with self._opened() as stream:
            stream.flush()
            if hasattr(stream, "buffer"):
                stream.buffer.write(raw)
            else:
                stream.write(os.fsdecode(raw))
            stream.flush()

    def flush(self) -> None:
        if self._stream is not None and not self.failed:
            with self._opened() as stream:
                stream.flush()

    def discard(self) -> None:
        """Drop what could not be written, so that Python does not try it again at exit."""
        if self.descriptor is not None:
            with suppress(OSError), open(os.devnull, "wb") as null:
                os.dup2(null.fileno(), self.descriptor)

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        try:
            if self._stream is None:
                raise ValueError
            with system.broken_pipes():
                yield self._stream
        except ValueError as error:
            self.failed = True
            raise OSError("it is closed") from error
        except OSError:
            self.failed = True
            raise
