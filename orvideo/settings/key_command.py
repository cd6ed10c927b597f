"""Runs `api-key-command`: a command of the person's own, such as `pass show openrouter`, that prints the key.

It is run without a shell, once, and only when a key is needed. Its stderr, and stdin where that is a terminal, are the
person's: it may ask for a passphrase. What it prints is kept nowhere, and told nowhere.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from orvideo import shells
from orvideo.children import running
from orvideo.errnos import reason
from orvideo.errors import AuthError
from orvideo.settings.definitions import KEY_COMMAND, Source
from orvideo.settings.keys import MAX_LENGTH, ApiKey, clean_key
from orvideo.settings.private import is_accessible_to_others, is_writable_by_others
from orvideo.settings.profiles import set_line

#: How long a command may take, and how often it is looked at, in seconds: it may wait for a person.
LONGEST = 60.0
_LOOK_EVERY = 0.1
#: How long its last words may take after its end, in seconds.
_GRACE = 2.0


class KeyCommand(NamedTuple):
    """A command as config.toml has it: for which origin its key is, and for which profile."""

    text: str
    file: Path
    origin: str
    profile: str | None = None

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text, posix=sys.platform != "win32")

    @property
    def name(self) -> str:
        """The program alone: what stands behind it may be nobody's business."""
        return Path(self.words[0].strip('"')).name

    @property
    def location(self) -> str:
        return f"{KEY_COMMAND.name} ({self.name})"

    @property
    def mend(self) -> str:
        """The command that sets another one."""
        return set_line(f"{KEY_COMMAND.name} COMMAND", self.profile)


def ask_command(
    command: KeyCommand, environ: Mapping[str, str], is_stopped: Callable[[], bool], *, longest: float = LONGEST
) -> ApiKey:
    """Run a command and return the key that it prints.

    Raises AuthError where it fails, prints no key, takes too long, or where others can say what is run.
    """
    _refuse_loose(command)
    line = _first_line(command, environ, is_stopped, longest)
    try:
        text = line.decode("utf-8").strip()
        if not text:
            raise AuthError(f"{command.location} printed no key: its first line is empty.", hint=_try(command))
        key = clean_key(text, command.location)
    except UnicodeDecodeError:
        raise AuthError(f"{command.location} printed no key: it is not text.", hint=_try(command)) from None
    except AuthError as error:
        raise AuthError(error.message, hint=_try(command)) from None
    return ApiKey(key, Source.COMMAND, command.location, mend=command.mend)


def _refuse_loose(command: KeyCommand) -> None:
    """Refuse to run what others may have written."""
    file, folder = command.file, command.file.parent
    if is_writable_by_others(folder) or is_accessible_to_others(file, mode=0o022):
        raise AuthError(
            f"Others on this machine can change {file}, so its {KEY_COMMAND.name} is not run.",
            hint=f"chmod go-w {shells.word(str(folder))} {shells.word(str(file))}",
        )


def _first_line(
    command: KeyCommand, environ: Mapping[str, str], is_stopped: Callable[[], bool], longest: float
) -> bytes:
    """Return the first line that a command prints, once it has ended well."""
    # Windows has each program read its own line.
    words = command.text if sys.platform == "win32" else command.words
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    stdin = None if has_terminal else subprocess.DEVNULL
    try:
        with running(words, env=environ, stdout=subprocess.PIPE, stdin=stdin) as child:
            assert child.stdout is not None, "it is a pipe"
            reader = _Reader(child.stdout)
            code = _end_of(child, command, is_stopped, longest)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else "its line cannot be read"
        raise AuthError(f"{command.location} cannot be run: {why}.", hint=command.mend) from None
    if code != 0:
        how = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
        raise AuthError(f"{command.location} gave no key: {how}.", hint=_try(command))
    return reader.line()


def _end_of(child: subprocess.Popen[bytes], command: KeyCommand, is_stopped: Callable[[], bool], longest: float) -> int:
    for _ in range(max(1, round(longest / _LOOK_EVERY))):
        with suppress(subprocess.TimeoutExpired):
            return child.wait(_LOOK_EVERY)
        if is_stopped():
            raise AuthError(f"{command.location} was interrupted.")
    raise AuthError(f"{command.location} gave no key within {longest:g} seconds.", hint=_try(command))


def _try(command: KeyCommand) -> str:
    """Return the line itself, which a person can run to see what it says."""
    return f"try it: {command.text}"


class _Reader(threading.Thread):
    """Reads all that a command prints, so that it is held up nowhere, and keeps the first line."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream, self._line, self._has_line = stream, b"", threading.Event()
        self.start()

    def run(self) -> None:
        with suppress(OSError, ValueError), self._stream as stream:
            # One character more than a key has is enough to be refused.
            self._line = stream.readline(2 * MAX_LENGTH)
            self._has_line.set()
            while stream.read(1 << 16):
                pass
        self._has_line.set()

    def line(self) -> bytes:
        """Return the line; what a command left running may hold the pipe open, and is not waited for."""
        self._has_line.wait(_GRACE)
        return self._line
