"""An output stream, stdout or stderr: what it can show, and how it is written to."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from orvideo import system
from orvideo.output.capabilities import Protocol, colours, picture_protocol, shows_links, shows_progress
from orvideo.output.text import visible

if TYPE_CHECKING:
    from orvideo.output.pictures import Room

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
        #: Whether more than text is shown: links (OSC 8), and progress in a tab or task bar (OSC 9;4).
        self._shows_more = self.is_tty and not is_dumb(environ) and not is_set(environ, "CI")
        self.links = self._shows_more and shows_links(environ)
        self._has_progress = self._shows_more and shows_progress(environ)
        self._environ = environ
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
        return f"\x1b]8;;{_file_url(path)}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and text else text

    def picture_protocol(self, wanted: str) -> Protocol | None:
        """Return how this stream draws pictures, None where it does not: `auto`, `off`, or a protocol by its name."""
        if wanted == "off" or not self._shows_more or not self.colour:
            return None
        found = picture_protocol(self._environ) if wanted == "auto" else Protocol(wanted)
        return None if found is Protocol.BLOCKS and not self.can_encode("▀") else found

    def room(self, columns: int, share: float) -> Room:
        """Return the room for a picture in so many columns and that share of the lines; the prompt is below it."""
        from orvideo.output.pictures import USUAL_CELL, Room

        cell = None
        with suppress(OSError):
            cell = system.cell_size(self.descriptor) if self.descriptor is not None else None
        # A line of its full width might wrap.
        lines = (self.size[1] or 24) - 2
        return Room(
            max(columns - 1, 1), max(int(lines * share), 1), cell or USUAL_CELL, colours(self._environ) or "256"
        )

    def tell_progress(self, state: str) -> None:
        """Tell the terminal a state of its tab or task bar (OSC 9;4), such as `1;40`, where it shows one."""
        if self._has_progress:
            self.try_write(f"\x1b]9;4;{state}\x1b\\")

    def write(self, text: str) -> None:
        """Write a text and flush it."""
        with self._opened() as stream:
            if (raw := _unbuffered(stream)) is None:
                stream.write(self._encodable(text))
            else:
                _write_whole(raw, self.encoded(text.replace("\n", os.linesep)))
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
            if (unbuffered := _unbuffered(stream)) is not None:
                _write_whole(unbuffered, raw)
            elif hasattr(stream, "buffer"):
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


def _unbuffered(stream: TextIO) -> RawIOBase | None:
    """Return what is right under a stream where Python has no buffer for it (PYTHONUNBUFFERED, as in many images)."""
    under = getattr(stream, "buffer", None)
    return under if isinstance(under, RawIOBase) else None


def _write_whole(raw: RawIOBase, data: bytes) -> None:
    """Write all of it: the system may take a part at a time, and tells only the next write why it took no more."""
    left = memoryview(data)
    while left:
        written = raw.write(left)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = left[written:]


def _file_url(path: str) -> str:
    """Return the URL of a file; with the host's name, so that over ssh nobody's own file of that name is opened."""
    url = Path(path).absolute().as_uri()
    if sys.platform == "win32":  # where a host is a share of the network
        return url
    import socket
    from urllib.parse import quote

    return url.replace("file://", f"file://{quote(socket.gethostname())}", 1)
