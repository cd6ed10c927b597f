"""Playing videos: in the system's player, which goes on by itself, or by a command, which has the terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo import shells, system
from orvideo.children import running
from orvideo.clock import MAX_WAIT
from orvideo.errnos import reason
from orvideo.errors import UsageError
from orvideo.files import expand_user

if TYPE_CHECKING:
    from orvideo.context import Context

#: How long to watch whether the system's player says that it cannot open a file, in seconds.
_WATCHED = 3.0
#: os.startfile has no say in the environment: a Python without the key is asked to call it.
_START_FILE = "import os, sys; os.startfile(sys.argv[1])"
#: What stands for the videos in a command.
_PLACE = "{}"


def opener(environ: Mapping[str, str], platform: str) -> list[str] | None:
    """Return the command that opens a file as a double click does, None where there is no desktop."""
    if platform == "win32":
        return [sys.executable, "-I", "-c", _START_FILE]
    if platform == "darwin":
        known = [["open"]]
    else:
        known = [["wslview"]] if environ.get("WSL_DISTRO_NAME") else []
        if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
            known += [["xdg-open"], ["gio", "open"]]
    found = ((_which(name, environ), more) for name, *more in known)
    return next(([program, *more] for program, more in found if program is not None), None)


def open_with_system(context: Context, paths: Sequence[Path]) -> None:
    """Open each video in the system's player. Raises UsageError where there is none, or it refuses."""
    command = opener(context.environment.environ, context.environment.platform)
    if command is None:
        raise UsageError(f"There is no desktop here that could play {paths[0]}.", hint=_by_name(paths))
    quiet = subprocess.DEVNULL
    begun = []
    for path in paths:
        try:
            child = subprocess.Popen(
                [*command, str(path)], env=_environ(context), stdin=quiet, stdout=quiet, stderr=quiet,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"{command[0]} cannot be started: {reason(error)}.") from error
        begun.append((path, child))
    for path, child in begun:
        with suppress(subprocess.TimeoutExpired):
            if child.wait(_WATCHED) != 0:
                raise UsageError(
                    f"The system has no player for {path}: {Path(command[0]).name} ended with code {child.returncode}.",
                    hint=_by_name([path]),
                )


def open_with(context: Context, line: str, paths: Sequence[Path]) -> None:
    """Run a command with all videos, and wait for its end; what it prints is no part of the answer.

    A signal is for the player first. Raises UsageError where it cannot be started, or fails.
    """
    words = _filled(line, paths)
    name = words[0]
    program = _which(expand_user(name), context.environment.environ)
    if program is None:
        raise UsageError(f"There is no program {name} here to play videos with.", hint=_by_name(paths))
    terminal = context.terminal
    with terminal.lend_stderr() as stream:
        where = subprocess.DEVNULL if stream is None else stream
        has_screen = terminal.out_is_tty and not context.answering.json
        stdout = None if has_screen else where
        try:
            code = _code_of(context, [program, *words[1:]], env=_environ(context), stdout=stdout, stderr=where)
        except OSError as error:
            raise UsageError(f"{name} cannot be started: {reason(error)}.") from error
    if code != 0:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        raise UsageError(f"The player {how}: {line}")


def _by_name(paths: Sequence[Path]) -> str:
    return f"name a player: {shells.command_line(['orvideo', 'open', *map(str, paths[:1]), '--with', 'mpv'])}"


def _filled(line: str, paths: Sequence[Path]) -> list[str]:
    """Return the words of a command with the paths in place of {}, else behind them."""
    from orvideo.settings.values import command_words

    words = command_words(line)
    if not any(_PLACE in word for word in words[1:]):
        return [*words, *map(str, paths)]
    filled = words[:1]
    for word in words[1:]:
        filled += [word.replace(_PLACE, str(path)) for path in paths] if _PLACE in word else [word]
    return filled


def _code_of(context: Context, line: Sequence[str], **options: Any) -> int:
    """Run a player to its end. Of Ctrl-C it knows, as all of a terminal's foreground does; other signals are told."""
    players: list[subprocess.Popen[bytes]] = []

    def pass_on() -> None:
        for player in players:
            if context.interrupts.pending != signal.SIGINT:
                player.terminate()

    with context.interrupts.deferred(pass_on), running(line, **options) as player:
        players.append(player)
        if context.interrupts.pending is not None:  # it came while the player was being started, or before
            with suppress(subprocess.TimeoutExpired):
                player.wait(_WATCHED)
            player.terminate()
        while True:
            # In short steps: Windows lets no signal through meanwhile.
            with suppress(subprocess.TimeoutExpired):
                return player.wait(MAX_WAIT)


def _environ(context: Context) -> Mapping[str, Any]:
    return {name: system.variable(value) for name, value in context.settings.environ_without_key().items()}


def _which(program: str, environ: Mapping[str, str]) -> str | None:
    return shutil.which(program, path=environ.get("PATH", os.defpath))
