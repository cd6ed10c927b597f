"""The two streams that are written to: what each can show, and what happens when it cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from orvideo.output.text import visible

#: Styles by name, so that the rest of the code speaks of meaning and not of colour.
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
#: What orvideo's own lines are drawn with, for a stream whose encoding has none of it.
_PLAIN = str.maketrans({"…": "...", "—": "-", "–": "-", "·": "-", "×": "x", "✓": "+", "✗": "x"})
#: What TERM begins with for terminals in a window.
_WINDOWS = frozenset({"xterm", "screen", "tmux", "foot", "alacritty", "rxvt", "konsole", "wezterm", "contour"})
#: By which variable and value terminals are known that show OSC 9;4; to others it is a message, or nothing.
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
    """A text stream that may be closed, absent, full, of a narrow encoding, or a terminal that has gone away.

    `write` raises OSError (BrokenPipeError where the reader left) for whatever keeps the bytes from being written.
    """

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self.failed = False
        self.is_tty = is_terminal(stream)
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.colour = self._wants_colour(environ)
        #: Whether it takes OSC 8, a link, as every terminal with a window does; and OSC 9;4, progress in a task bar.
        windowed = self.is_tty and environ.get("TERM", "dumb").partition("-")[0] in _WINDOWS
        self.links = windowed and not is_set(environ, "CI")
        known = any(environ.get(name) in values for name, values in _TASK_BARS.items())
        self.taskbar = self.is_tty and (known or "WT_SESSION" in environ)
        self.ellipsis = "…" if self.can_show("…") else "..."

    def _wants_colour(self, environ: Mapping[str, str]) -> bool:
        if environ.get("NO_COLOR"):
            return False
        if environ.get("FORCE_COLOR"):
            return is_set(environ, "FORCE_COLOR")
        return self.is_tty and not is_dumb(environ)

    @property
    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal behind the stream right now; 0 where it does not say."""
        descriptor = self.descriptor if self.is_tty else None
        if descriptor is None:
            return 0, 0
        try:
            return os.get_terminal_size(descriptor)
        except OSError:
            return 0, 0

    @property
    def descriptor(self) -> int | None:
        """The descriptor behind the stream, None for one that is closed or has none."""
        try:
            return None if self._stream is None else self._stream.fileno()
        except (OSError, ValueError):
            return None

    def can_show(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def shown(self, text: str) -> str:
        """Return `text` as this stream can show it: visible, and in characters it has."""
        return self.encodable(visible(text))

    def encodable(self, text: str) -> str:
        """Return `text` in characters that this stream has: others as escapes such as `\\u4e2d` (drill O12)."""
        if self.can_show(text):
            return text
        try:
            return text.translate(_PLAIN).encode(self.encoding, "backslashreplace").decode(self.encoding)
        except LookupError:
            return ascii(text)[1:-1]

    def paint(self, text: str, style: str | None) -> str:
        """Give a text a named style, where this stream has colours; one that is not known changes nothing."""
        code = _STYLES.get(style or "")
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text

    def link(self, text: str, path: str) -> str:
        """Return a text that leads to a file, where this stream takes links."""
        return f"\x1b]8;;{Path(path).absolute().as_uri()}\x1b\\{text}\x1b]8;;\x1b\\" if self.links else text

    def show_percent(self, percent: int | None) -> None:
        """Show how far something is in the task bar of the terminal, None for nothing, where it has one."""
        if self.taskbar:
            self.try_write("\x1b]9;4;0;0\x1b\\" if percent is None else f"\x1b]9;4;1;{percent}\x1b\\")

    def write(self, text: str) -> None:
        """Write text and flush it: what was said has left the process."""
        with self._opened() as stream:
            stream.write(self.encodable(text))
            stream.flush()

    def try_write(self, text: str) -> None:
        """Write what may get lost: a terminal or log that has gone away is let go, and not an error (drill S05)."""
        try:
            self.write(text)
        except BlockingIOError:
            pass  # full for the moment; the next line may find room
        except OSError:
            self.abandon()

    def write_bytes(self, raw: bytes) -> None:
        """Write bytes as they are, after all text before them; a stream without bytes gets them as escaped text."""
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

    def abandon(self) -> None:
        """Let go of what could not be written, so that the interpreter does not try it again at its end."""
        if self.descriptor is not None:
            with suppress(OSError), open(os.devnull, "wb") as null:
                os.dup2(null.fileno(), self.descriptor)

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        try:
            if self._stream is None:
                raise ValueError
            yield self._stream
        except ValueError as error:
            self.failed = True
            raise OSError("it is closed") from error
        except OSError:
            self.failed = True
            raise
