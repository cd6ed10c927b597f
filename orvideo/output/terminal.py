"""The terminal: answers go to stdout, messages to stderr, in the form that suits a person, a pipe or a program.

Only this module writes to the two streams. It makes every text visible (drills T01, T02) and takes none as markup
(drill T03). A failed write to stdout raises OutputUnwritable (drill O10); one to stderr is ignored (drill S05).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from orvideo.environment import CommonOptions, Environment
from orvideo.errors import OrvideoError, OutputUnwritable, UsageError
from orvideo.output.error_text import error_document, error_lines
from orvideo.output.prompt import read_hidden_line, read_line
from orvideo.output.stream import OutputStream, is_dumb, is_set, is_terminal
from orvideo.output.tables import Column, Row, aligned, page_lines, tab_separated
from orvideo.output.text import fold, visible

if TYPE_CHECKING:
    from orvideo.output.live_progress import LiveProgress
    from orvideo.output.progress import Progress


class Terminal:
    """Writes what a command has to say, as the options and the environment ask for.

    Every method can be called in every mode, and writes nothing where the mode has no place for it: under `json` and
    `events` stdout has JSON alone, under `quiet` stderr has errors alone. Safe to use from several threads.
    """

    def __init__(self, environment: Environment, answering: CommonOptions | None = None) -> None:
        answering = answering or CommonOptions()
        self.quiet, self.verbose = answering.quiet, answering.verbose
        self.json, self.events = answering.json, answering.events
        self._for_machine = self.json or self.events
        self._stdin, self._stdout, self._environ = environment.stdin, environment.stdout, environment.environ
        self._clock, self._open_terminal = environment.clock, environment.open_terminal
        self._out = OutputStream(environment.stdout, self._environ)
        self._err = OutputStream(environment.stderr, self._environ)
        self.out_is_tty, self.err_is_tty = self._out.is_tty, self._err.is_tty
        self.in_is_tty = is_terminal(self._stdin)
        self._lock = threading.RLock()
        #: How many child processes may write to stderr now.
        self.children = 0
        self._progress: LiveProgress | None = None
        self._stdout_is_binary = False
        self._noted_media = False

    @property
    def live(self) -> bool:
        """Whether stderr gets a live display: on a terminal with cursor control, not in CI, not under `--quiet`."""
        return self.err_is_tty and not self.quiet and not is_set(self._environ, "CI") and not is_dumb(self._environ)

    @property
    def width(self) -> int:
        """The columns of the terminal: COLUMNS if it is a sane number, else what the terminal reports, else 80."""
        asked = self._environ.get("COLUMNS", "")
        if asked.isdecimal() and 0 < int(asked[:9]) < 100_000:
            return int(asked)
        return self._out.size[0] or self._err.size[0] or 80

    @property
    def live_size(self) -> tuple[int, int]:
        """The columns and lines for a live display, no more than the terminal has: it could not erase others."""
        columns, lines = self._err.size
        return min(self.width, columns or self.width), lines or 24

    # Answers, on stdout

    def require_stdout(self) -> None:
        """Raise OutputUnwritable if stdout is closed; called before money is spent (drill O10)."""
        try:
            if self._stdout is not None:
                os.fstat(self._stdout.fileno())
                return
        except ValueError:
            # It is closed, or has no descriptor and can be written to.
            if self._stdout is not None and not self._stdout.closed:
                return
        except OSError:
            pass
        raise _unwritable("it is closed")

    def answer(self, line: str | os.PathLike[str]) -> None:
        """Write one line of the answer; not under `--json` and `--events`.

        A text is made visible. A Path is written to a pipe or file as its bytes on disk, so that `$(orvideo …)` names
        the file; on a terminal it is made visible and is a link.
        """
        if self._for_machine or self._stdout_is_binary:
            return
        if not isinstance(line, os.PathLike):
            self._answer_text(visible(line) + "\n")
        elif self.out_is_tty:
            self._answer_text(self._out.link(visible(os.fspath(line)), os.fspath(line)) + "\n")
        else:
            self._answer_bytes(os.fsencode(line) + b"\n")

    def document(self, value: Any) -> None:
        """Write the one JSON document of `--json`; nothing in other modes."""
        if self.json:
            self._answer_json(value, indent=2 if self.out_is_tty else None)

    def answer_json(self, value: Any) -> None:
        """Write an answer that is JSON in every mode (a request); not under `--json` and `--events`."""
        if not self._for_machine:
            self._answer_json(value, indent=2)

    def shown_request(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request as stdout shows it (finding D05).

        A pipe or file gets it whole. A terminal gets type, length and sha256 in place of the data of pictures.
        """
        from orvideo.record.redaction import redact_request, redacted_media

        if not self.out_is_tty:
            return dict(body)
        shown = redact_request(body)
        if redacted_media(shown) and not self._noted_media:
            self._noted_media = True
            self.note("the data of pictures is not shown on a terminal; a pipe or a file gets the whole request")
        return shown

    def event(self, value: Mapping[str, Any]) -> None:
        """Write one object of `--events` as a line; nothing in other modes."""
        if self.events:
            self._answer_json(value)

    def table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Write a table: fitted to the terminal with a heading, or tab-separated without; not under JSON."""
        if not self._for_machine:
            self._answer_lines(
                aligned(columns, rows, self.width, self._out) if self.out_is_tty else tab_separated(rows)
            )

    def page(self, lines: Iterable[str | tuple[str, ...]]) -> None:
        """Write a page of the answer (see `tables.block`), folded on a terminal; not under JSON."""
        if not self._for_machine:
            self._answer_lines(page_lines(lines, self.width if self.out_is_tty else None))

    def answer_bytes(self, raw: bytes) -> None:
        """Write an answer that is no text, a picture: the caller has seen that stdout is no terminal."""
        self._answer_bytes(raw)

    def binary_stdout(self) -> BinaryIO:
        """Return stdout for the bytes of a video (`-o -`); from now on `answer` writes nothing.

        Raises OutputUnwritable if stdout is closed, UsageError if it is a terminal (drill O08). The caller handles
        errors of writing.
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
        self._stdout_is_binary = True
        binary: BinaryIO = buffer
        return binary

    # Messages, on stderr

    def note(self, text: str) -> None:
        """Write a message; not under `--quiet`."""
        self._note(self._folded(visible(text)))

    def warn(self, text: str) -> None:
        self._note(self._labelled("warning", text))

    def warn_of_money(self, text: str) -> None:
        """Warn that money is or was spent, also under `--quiet`."""
        self._write_stderr(self._labelled("warning", text))

    def hint(self, text: str) -> None:
        self._note(self._labelled("hint", text))

    def verbose_line(self, text: str) -> None:
        """Write a message under `--verbose` only."""
        if self.verbose:
            self._note(self._err.styled(self._folded(visible(text)), "faint"))

    def error(self, error: OrvideoError) -> None:
        """Write the error that ends the command: `error:` and `hint:` lines, or one JSON object."""
        if self._for_machine:
            from orvideo.output.json_encoder import encode

            self._write_stderr(encode(error_document(error)))
        else:
            self._write_stderr("\n".join(self._labelled(label, text) for label, text in error_lines(error)))

    def failure(self, error: OrvideoError) -> None:
        """Write an error that does not decide the exit code; under `--json` and `--events` it is a warning."""
        if self._for_machine:
            self.warn(error.message)
        else:
            self.error(error)

    def progress(self, jobs: int = 1) -> Progress:
        """Return the progress reporter for so many jobs: a live display, plain lines, or none under `--quiet`."""
        from orvideo.output.progress import LogProgress, Progress

        if self.quiet:
            return Progress()
        if not self.live:
            return LogProgress(self.note, clock=self._clock, jobs=jobs)
        from orvideo.output.live_progress import LiveProgress

        return LiveProgress(self, self._err, clock=self._clock)

    def bell(self) -> None:
        """Ring the terminal's bell (`--notify`)."""
        if self.err_is_tty:
            self._write_stderr("\a", end="")

    @contextmanager
    def lend_stderr(self) -> Iterator[int | None]:
        """Yield the descriptor of stderr for a child process, None where there is none.

        The live display is off until the last child is done. Messages are written meanwhile.
        """
        with self._lock:
            self.children += 1
            if self._progress is not None:
                self._progress.live.stop()
        try:
            yield self._err.descriptor
        finally:
            with self._lock:
                self.children -= 1
                if self._progress is not None:
                    self._progress.start()

    # Questions

    def confirm(self, question: str) -> bool | None:
        """Ask a question, and return whether the answer is `y` or `yes`; None without a terminal (finding A04).

        If stdin or stderr is no terminal, the controlling terminal is used, as ssh and git do.
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
        except OSError:  # the terminal has gone away
            return False

    def _confirm(self, question: str, reader: TextIO, write: Callable[[str], object]) -> bool:
        with self._display_paused():
            write(f"{self._folded(visible(question))} [y/N] ")
            reply = read_line(reader)
            if not reply:
                write("\n")  # after Ctrl-D the cursor is still behind the question
        return reply.strip().casefold() in ("y", "yes")

    def address(self, url: str) -> None:
        """Write an address that a person is to open: whole, for folded it could not be copied; under `--quiet` too."""
        self._write_stderr(visible(url))

    def line(self, prompt: str) -> str:
        """Return a line typed after a prompt, or one line of stdin if that is no terminal.

        Raises UsageError if there is nothing to read from.
        """
        stdin = self._open_stdin()
        if not self.in_is_tty:
            return read_line(stdin)
        with self._display_paused():
            self._err.try_write(visible(prompt))
            return read_line(stdin)

    def _open_stdin(self) -> TextIO:
        if self._stdin is None:
            raise UsageError("Standard input is closed: there is nothing to read from.")
        return self._stdin

    def secret(self, prompt: str) -> str:
        """Return a line typed without echo, or one line of stdin if that is no terminal (drill K15).

        Raises UsageError if there is nothing to read from, or if the echo cannot be turned off.
        """
        stdin = self._open_stdin()
        if not self.in_is_tty:
            return read_line(stdin)
        with self._display_paused():
            try:
                return read_hidden_line(stdin, lambda: self._err.try_write(visible(prompt)))
            finally:
                self._err.try_write("\n")

    def close(self) -> None:
        """Remove the live display and flush; raises OutputUnwritable if the answer cannot be written (drill O10)."""
        if self._progress is not None:
            self._progress.close()
        try:
            with self._stdout_errors():
                self._out.flush()
        finally:
            self._err.try_write("")

    def abandon_stdout(self) -> None:
        """Drop what is buffered for stdout: nobody reads it, and Python would fail to flush it at exit."""
        self._out.discard()

    def _labelled(self, label: str, text: str) -> str:
        """Return `label: text`; further lines are indented, so that no text from elsewhere looks like a label."""
        label += ":"
        shown = self._folded(f"{label} {visible(text, multiline=True)}")
        return self._err.styled(label, label[:-1]) + shown.removeprefix(label)

    def _folded(self, text: str) -> str:
        """Return a visible text with every line but the first indented; on a terminal it is folded (finding D06)."""
        lines = text.replace("\n", "\n  ").split("\n")
        if self.err_is_tty and not is_set(self._environ, "CI"):
            lines = [piece for line in lines for piece in fold(line, self.live_size[0], "  ")]
        return "\n".join(lines)

    def _note(self, text: str) -> None:
        if not self.quiet:
            self._write_stderr(text)

    def _write_stderr(self, text: str, end: str = "\n") -> None:
        with self._display_paused():
            self._err.try_write(text + end)

    def _answer_json(self, value: Any, indent: int | None = None) -> None:
        from orvideo.output.json_encoder import encode

        self._answer_text(encode(value, indent=indent) + "\n")

    def _answer_lines(self, lines: Iterable[str]) -> None:
        text = "".join(line + "\n" for line in lines)
        if text:
            self._answer_text(text)

    def _answer_text(self, text: str) -> None:
        with self._display_paused(), self._stdout_errors():
            self._out.write(text)

    def _answer_bytes(self, raw: bytes) -> None:
        with self._display_paused(), self._stdout_errors():
            self._out.write_bytes(raw)

    @contextmanager
    def _stdout_errors(self) -> Iterator[None]:
        """Turn errors of writing stdout into OutputUnwritable; BrokenPipeError is passed on (drill O09)."""
        try:
            yield
        except BrokenPipeError:
            self._out.discard()
            raise
        except OSError as error:
            self._out.discard()
            raise _unwritable(os.strerror(error.errno) if error.errno else str(error)) from error

    @contextmanager
    def _display_paused(self) -> Iterator[None]:
        """Hold the lock, with the live display off the screen."""
        with self._lock:
            if self._progress is None:
                yield
            else:
                with self._progress.paused():
                    yield

    def attach(self, progress: LiveProgress | None) -> None:
        """Take the live display that is on the screen, None for none; the display calls this itself."""
        with self._lock:
            self._progress = progress


def _unwritable(reason: str) -> OutputUnwritable:
    return OutputUnwritable(f"Standard output cannot be written: {reason}.")
