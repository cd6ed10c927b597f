"""The terminal: the answer goes to stdout, the story to stderr, each in the form its reader can use.

The only place that writes to the streams. Every text is made visible here (drills T01, T02), whoever wrote it; no
text is ever markup (drill T03). What cannot be written to stdout is a failure (drill O10); what cannot be written to
stderr is dropped, since there is nobody left to be told (drill S05).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from orvideo.clock import Clock
from orvideo.errors import OrvideoError, OutputUnwritable, UsageError
from orvideo.output.error_text import error_document, error_lines
from orvideo.output.prompt import read_hidden_line, read_line
from orvideo.output.stream import OutputStream, is_dumb, is_set, is_terminal
from orvideo.output.tables import Column, Row, aligned, block, separated
from orvideo.output.text import fold, visible

if TYPE_CHECKING:
    from orvideo.output.live_progress import LiveProgress
    from orvideo.output.progress import Progress


class Terminal:
    """Everything a command can say, in the mode the command line and the surroundings ask for.

    Each call stands for itself and can be made in any mode: what the mode has no place for is not written. `json`
    and `events` keep stdout to JSON alone, `quiet` keeps stderr to errors. Safe to use from several threads.
    """

    def __init__(
        self,
        stdout: TextIO | None,
        stderr: TextIO | None,
        stdin: TextIO | None,
        environ: Mapping[str, str],
        *,
        quiet: bool = False,
        verbose: int = 0,
        json: bool = False,
        events: bool = False,
        clock: Clock | None = None,
        open_terminal: Callable[[], tuple[TextIO, TextIO] | None] = lambda: None,
    ) -> None:
        self.quiet, self.verbose, self.json, self.events = quiet, verbose, json, events
        self._out, self._err = OutputStream(stdout, environ), OutputStream(stderr, environ)
        self.out_is_tty, self.err_is_tty, self.in_is_tty = self._out.is_tty, self._err.is_tty, is_terminal(stdin)
        self._stdout, self._stdin, self._environ = stdout, stdin, environ
        self._for_machine = json or events
        self._clock, self._open_terminal = clock or Clock(), open_terminal
        self._lock = threading.RLock()
        #: How many child processes write to stderr now.
        self.lent = 0
        self._progress: LiveProgress | None = None
        self._gives_bytes = False
        self._told_of_data = False

    # What the streams are

    @property
    def live(self) -> bool:
        """Tell whether stderr gets a live line: a terminal that can move its cursor, not CI, not quiet."""
        return self.err_is_tty and not self.quiet and not is_set(self._environ, "CI") and not is_dumb(self._environ)

    @property
    def width(self) -> int:
        """The columns of the terminal: COLUMNS when it is a sane number, else what the terminal says now, else 80."""
        asked = self._environ.get("COLUMNS", "")
        if asked.isdecimal() and 0 < int(asked[:9]) < 100_000:
            return int(asked)
        return self._out.size[0] or self._err.size[0] or 80

    @property
    def live_size(self) -> tuple[int, int]:
        """The columns and lines a live display may take: no more than there really are, or it could not be erased."""
        columns, lines = self._err.size
        return min(self.width, columns or self.width), lines or 24

    # The answer, on stdout

    def require_stdout(self) -> None:
        """Raise OutputUnwritable when stdout is closed: asked before money is spent on an answer (drill O10)."""
        try:
            if self._stdout is not None:
                os.fstat(self._stdout.fileno())
                return
        except ValueError:
            # Either closed, or a stream without a descriptor, which is as good as any.
            if self._stdout is not None and not self._stdout.closed:
                return
        except OSError:
            pass
        raise _unwritable("it is closed")

    def answer(self, line: str | os.PathLike[str]) -> None:
        """Write one line of the answer; not under `--json` and `--events`, whose documents are the answer.

        A text is made visible. A path given as a Path goes into a pipe or file as the very bytes it has on disk, so
        that `$(orvideo …)` names the file; on a terminal it is made visible like everything else, and is a link.
        """
        if self._for_machine or self._gives_bytes:
            return
        if not isinstance(line, os.PathLike):
            self._answer_text(visible(line) + "\n")
        elif self.out_is_tty:
            self._answer_text(self._out.link(visible(os.fspath(line)), os.fspath(line)) + "\n")
        else:
            self._answer_bytes(os.fsencode(line) + b"\n")

    def document(self, value: Any) -> None:
        """Write the one JSON document of `--json`; nothing in other modes. Never through rich."""
        if self.json:
            self._answer_json(value, indent=2 if self.out_is_tty else None)

    def answer_json(self, value: Any) -> None:
        """Write an answer that is JSON without being asked for it (a request); not under `--json` and `--events`."""
        if not self._for_machine:
            self._answer_json(value, indent=2)

    def request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request as stdout shows it: whole into a pipe or a file, on a terminal without the data of its
        pictures, of which their type, length and sha256 are shown (finding D05).
        """
        from orvideo.record.values import redact_request, redacted_media

        if not self.out_is_tty:
            return dict(body)
        shown = redact_request(body)
        if redacted_media(shown) and not self._told_of_data:
            self._told_of_data = True
            self.note("the data of pictures is not shown on a terminal; a pipe or a file gets the whole request")
        return shown

    def event(self, value: Mapping[str, Any]) -> None:
        """Write one object of `--events` as a line; nothing in other modes."""
        if self.events:
            self._answer_json(value)

    def table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Write a table: fitted to the terminal with a heading, or tab-separated without; not under JSON."""
        if not self._for_machine:
            self._answer_lines(aligned(columns, rows, self.width, self._out) if self.out_is_tty else separated(rows))

    def page(self, lines: Iterable[str | tuple[str, ...]]) -> None:
        """Write a page of the answer (see `tables.block`), folded on a terminal; not under JSON."""
        if not self._for_machine:
            self._answer_lines(block(lines, self.width if self.out_is_tty else None))

    def binary_stdout(self) -> BinaryIO:
        """Return stdout for bytes (`-o -`). From here on the bytes are the answer, and `answer` writes nothing more.

        Raises OutputUnwritable when stdout is closed, UsageError when it is a terminal (drill O08). Errors of writing
        are the caller's.
        """
        self.require_stdout()
        if self.out_is_tty:
            raise UsageError(
                "A video is not written to a terminal.", hint="redirect stdout, or name a file with -o FILE"
            )
        buffer = getattr(self._stdout, "buffer", None)
        if buffer is None:
            raise _unwritable("it takes no bytes")
        self._out.flush()
        self._gives_bytes = True
        binary: BinaryIO = buffer
        return binary

    # The story, on stderr

    def note(self, text: str) -> None:
        """Tell a part of the story."""
        self._story(self._folded(visible(text)))

    def warn(self, text: str) -> None:
        self._story(self._labelled("warning", text))

    def warn_of_money(self, text: str) -> None:
        """Warn of money that is about to be spent, or was, also under `--quiet`: that is no story."""
        self._say(self._labelled("warning", text))

    def hint(self, text: str) -> None:
        self._story(self._labelled("hint", text))

    def verbose_line(self, text: str) -> None:
        """Tell what only `-v` tells: one line per request."""
        if self.verbose:
            self._story(self._err.paint(self._folded(visible(text)), "faint"))

    def error(self, error: OrvideoError) -> None:
        """Say why the command ends: `error:` and `hint:` lines, or one JSON object under `--json` and `--events`."""
        if self._for_machine:
            from orvideo.output.json_encoder import encode

            self._say(encode(error_document(error)))
        else:
            self._say("\n".join(self._labelled(label, text) for label, text in error_lines(error)))

    def failure(self, error: OrvideoError) -> None:
        """Tell of a failure that does not decide how the command ends; under `--json` one error object is all."""
        if self._for_machine:
            self.warn(error.message)
        else:
            self.error(error)

    def progress(self, jobs: int = 1) -> Progress:
        """Return what tells how `jobs` go on: a live display, plain lines, or nothing under `--quiet`."""
        from orvideo.output.progress import PlainProgress, Progress

        if self.quiet:
            return Progress()
        if not self.live:
            return PlainProgress(self.note, clock=self._clock, jobs=jobs)
        from orvideo.output.live_progress import LiveProgress

        return LiveProgress(self, self._err, clock=self._clock)

    def bell(self) -> None:
        """Ring the terminal's bell (`--notify`)."""
        if self.err_is_tty:
            self._say("\a", end="")

    @contextmanager
    def lent_stderr(self) -> Iterator[int | None]:
        """Lend a child process the stream of the story, None where there is none.

        The live display stays away until the last child is done. What is told meanwhile does not wait for that.
        """
        with self._lock:
            self.lent += 1
            if self._progress is not None:
                self._progress.live.stop()
        try:
            yield self._err.descriptor
        finally:
            with self._lock:
                self.lent -= 1
                if self._progress is not None:
                    self._progress.start()

    # Questions

    def confirm(self, question: str) -> bool | None:
        """Ask a person, and return whether the answer is `y` or `yes`; None where nobody can be asked (finding A04).

        Where stdin or stderr is no terminal, the controlling one is asked on, as by ssh and git.
        """
        if self._stdin is not None and self.in_is_tty and self.err_is_tty:
            return self._confirm(question, self._stdin, self._err.try_write)
        opened = self._open_terminal()
        if opened is None:
            return None
        reader, writer = opened
        try:
            with reader, writer:
                return self._confirm(question, reader, writer.write)
        except OSError:  # it went away: that is no yes
            return False

    def _confirm(self, question: str, reader: TextIO, write: Callable[[str], object]) -> bool:
        with self._above():
            write(f"{self._folded(visible(question))} [y/N] ")
            reply = read_line(reader)
            if not reply:
                write("\n")  # after Ctrl-D the cursor still stands behind the question
        return reply.strip().casefold() in ("y", "yes")

    def secret(self, prompt: str) -> str:
        """Return a line that is never shown: typed without echo, or one line of stdin where that is no terminal (K15).

        Raises UsageError when there is nothing to read from, or when the echo cannot be turned off.
        """
        if self._stdin is None:
            raise UsageError("Standard input is closed: there is nothing to read from.")
        if not self.in_is_tty:
            return read_line(self._stdin)
        with self._above():
            try:
                return read_hidden_line(self._stdin, lambda: self._err.try_write(visible(prompt)))
            finally:
                self._err.try_write("\n")

    # The end

    def close(self) -> None:
        """End the live line and flush; raises OutputUnwritable when the answer did not get out (drill O10)."""
        if self._progress is not None:
            self._progress.close()
        try:
            with self._answering():
                self._out.flush()
        finally:
            self._err.try_write("")

    def abandon_stdout(self) -> None:
        """Drop what stdout still holds: nobody reads it, and the interpreter must not stumble over it at its end."""
        self._out.abandon()

    # How it is written

    def _labelled(self, label: str, text: str) -> str:
        """Return `label: text`; further lines are indented, so that no text from elsewhere can pose as a label."""
        label += ":"
        shown = self._folded(f"{label} {visible(text, multiline=True)}")
        return self._err.paint(label, label[:-1]) + shown.removeprefix(label)

    def _folded(self, text: str) -> str:
        """Return a visible text with every line but the first indented, folded at words on a terminal (finding D06)."""
        lines = text.replace("\n", "\n  ").split("\n")
        if self.err_is_tty and not is_set(self._environ, "CI"):
            lines = [piece for line in lines for piece in fold(line, self.live_size[0], "  ")]
        return "\n".join(lines)

    def _story(self, text: str) -> None:
        if not self.quiet:
            self._say(text)

    def _say(self, text: str, end: str = "\n") -> None:
        with self._above():
            self._err.try_write(text + end)

    def _answer_json(self, value: Any, indent: int | None = None) -> None:
        from orvideo.output.json_encoder import encode

        self._answer_text(encode(value, indent=indent) + "\n")

    def _answer_lines(self, lines: Iterable[str]) -> None:
        text = "".join(line + "\n" for line in lines)
        if text:
            self._answer_text(text)

    def _answer_text(self, text: str) -> None:
        with self._above(), self._answering():
            self._out.write(text)

    def _answer_bytes(self, raw: bytes) -> None:
        with self._above(), self._answering():
            self._out.write_bytes(raw)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Raise OutputUnwritable when stdout cannot be written; a reader that left is the caller's (O09)."""
        try:
            yield
        except BrokenPipeError:
            self._out.abandon()
            raise
        except OSError as error:
            self._out.abandon()
            raise _unwritable(os.strerror(error.errno) if error.errno else str(error)) from error

    @contextmanager
    def _above(self) -> Iterator[None]:
        """Write with the live line out of the way."""
        with self._lock:
            if self._progress is None:
                yield
            else:
                with self._progress.paused():
                    yield

    def attach(self, progress: LiveProgress | None) -> None:
        """Name the live line that is on the screen (called by the line itself), so that others can be put above it."""
        with self._lock:
            self._progress = progress


def _unwritable(reason: str) -> OutputUnwritable:
    return OutputUnwritable(f"Standard output cannot be written: {reason}.")
