"""`main`, which runs one command line: the one place where an error becomes an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import cache
from shutil import get_terminal_size
from typing import TYPE_CHECKING, TextIO

import typer

from orvideo import system
from orvideo.commands._action import Action
from orvideo.commands._app import COMMANDS, build_app
from orvideo.environment import CommonOptions, Environment
from orvideo.errors import ExitCode, OrvideoError, OutputUnwritable, UsageError
from orvideo.interrupts import Interrupted, Interrupts
from orvideo.output.prompt import open_terminal

if TYPE_CHECKING:
    from orvideo.context import Context


def main(argv: Sequence[str] | None = None, environment: Environment | None = None) -> int:
    """Run one command line and return its exit code; nothing below exits the process."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    typed = arguments
    profile, arguments = _profile_before_command(arguments)
    environment = environment or process_environment()
    # Where Typer refuses the line, nobody parsed how to answer: what the line says is taken by its letters.
    answering = CommonOptions(json="--json" in arguments, events="--events" in arguments)
    try:
        action = parse(_explained(arguments), environment, typed=typed)
        if action is None:
            return ExitCode.OK
        if action.answering.profile is None:
            action = action._replace(answering=action.answering._replace(profile=profile))
    except OrvideoError as error:
        action = Action(_raise(error), answering)
    except BrokenPipeError:
        return _broken_pipe(environment)
    except OSError as error:
        action = Action(_raise_unwritable(error), answering)
    return _run(action, environment)


def _profile_before_command(arguments: list[str]) -> tuple[str | None, list[str]]:
    """Return the profile that stands before the command, as `orvideo --profile NAME COMMAND` has it, and the rest."""
    profile = None
    while arguments:
        if arguments[0].startswith("--profile="):
            profile, arguments = arguments[0].partition("=")[2], arguments[1:]
        elif arguments[0] == "--profile" and len(arguments) > 1:
            profile, arguments = arguments[1], arguments[2:]
        else:
            break
    return profile, arguments


def _explained(arguments: list[str]) -> list[str]:
    """Return the line that shows what a line asks about: of `help jobs show` and `jobs help` those with --help.

    Raises UsageError for what is neither a command nor a page.
    """
    if len(arguments) == 2 and arguments[0] in COMMANDS and arguments[1] == "help":
        return [arguments[0], "--help"]
    asked = [word for word in arguments[1:] if not word.startswith("-")]
    if arguments == ["help"] or (arguments[:1] == ["help"] and asked[:1] != [] and asked[0] in COMMANDS):
        return [*asked, "--help"]
    if arguments[:1] == ["help"] and asked:
        from orvideo.commands.help import check_page

        check_page(asked[0], COMMANDS)
    return arguments


def _run(action: Action, environment: Environment) -> int:
    """Run an action with signals handled, and turn however it ends into a message and an exit code."""
    from orvideo.context import Context

    # An exit without clean-up, for a person who has asked twice: all that must survive is on disk (drill S09).
    interrupts = Interrupts(exit_now=os._exit)
    with interrupts.installed(), Context(environment, action.answering, interrupts) as context:
        try:
            interrupts.start_raising()
            return _act(action, context)
        except Interrupted as signal:
            context.ending.interrupted(signal.exit_code)
            return signal.exit_code


def _act(action: Action, context: Context) -> int:
    """Run an action and report how it ends, unless a signal comes first; only Interrupted passes through."""
    interrupts = context.interrupts
    try:
        action.run(context)
        context.terminal.close()
        interrupts.stop_raising()
    except OrvideoError as error:
        interrupts.stop_raising()
        told = context.ending.report(error)
        return 128 + interrupts.pending if interrupts.pending else told.exit_code
    except BrokenPipeError:
        context.ending.unheard()
        return _broken_pipe(context.environment)
    except Exception as bug:
        if interrupts.pending:
            raise Interrupted(interrupts.pending) from bug
        interrupts.stop_raising()
        from orvideo.crash import write_crash_report

        context.ending.bug(bug, write_crash_report(bug, context.settings))
        return ExitCode.BUG
    return ExitCode.OK


def parse(arguments: Sequence[str], environment: Environment, *, typed: Sequence[str] | None = None) -> Action | None:
    """Turn a command line into an action, None when it only asked for help, which is printed.

    `typed` is the line as it was typed, with what stands before the command.
    Raises UsageError, and OSError when the help cannot be printed.
    """
    # One command's module is enough to run one command: the others cost start-up time and are not asked.
    first = next((word for word in arguments if not word.startswith("-")), "")
    others = bool(arguments) and first not in COMMANDS
    named = [word for word in (arguments if others else [first]) if word in COMMANDS]
    is_terminal = environment.stdout is not None and environment.stdout.isatty()
    columns = get_terminal_size().columns if is_terminal else None
    command = _command(frozenset(named), others=others, columns=columns)
    try:
        # Typer prints help to the process's stdout, and makes exit 1 of a pipe without a reader.
        with redirect_stdout(_Held(environment.stdout)) as held:
            parsed = command(args=list(arguments), prog_name="orvideo", standalone_mode=False, obj=typed or arguments)
    except typer.TyperException as refused:
        raise UsageError(_sentence(refused.format_message()), hint=_help_for(refused)) from refused
    if isinstance(parsed, Action):
        return parsed
    _print_help(held.getvalue(), environment.stdout)
    return None


@cache
def _command(names: frozenset[str], *, others: bool, columns: int | None) -> Callable[..., object]:
    return typer.main.get_command(build_app(names, others=others, columns=columns))


def _raise(error: OrvideoError) -> Callable[[Context], None]:
    def run(context: Context) -> None:
        raise error

    return run


def _sentence(message: str) -> str:
    """Make Typer's message the sentence that the contract asks for."""
    message = " ".join(message.split())
    return message if message.endswith((".", "?", "!", ")")) else message + "."


def _help_for(refused: typer.TyperException) -> str:
    """Return the command whose help tells what the line should have been: `orvideo jobs forget --help`."""
    context = getattr(refused, "ctx", None)
    return f"{context.command_path if context is not None else 'orvideo'} --help"


def process_environment() -> Environment:
    """Return the surroundings of this process; a stream that the shell closed is None."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # Else the next file that is opened, the record perhaps, would get the number and whatever is written to it.
            system.open_file(os.devnull, os.O_RDWR)
    environ = dict(os.environ)
    # pydantic looks through the metadata of all that is installed for plugins, which takes as long as all our models.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    system.prepare_streams(sys.stdin, sys.stdout, sys.stderr)
    return Environment(environ, sys.stdin, sys.stdout, sys.stderr, open_terminal=open_terminal)


class _Held(io.StringIO):
    """Takes what Typer prints for a stream; rich asks it what that stream is."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()


def _print_help(text: str, stream: TextIO | None) -> None:
    """Print a help text; a full disk, or no stdout at all, must not pass for success (drill O10)."""
    if stream is None:
        raise OSError("it is closed")
    stream.write(text)
    stream.flush()


def _raise_unwritable(error: OSError) -> Callable[[Context], None]:
    def run(context: Context) -> None:
        # What is left of the help must not be tried again when the interpreter ends.
        context.terminal.abandon_stdout()
        raise OutputUnwritable(f"Standard output cannot be written: {error.strerror or error}.") from error

    return run


def _broken_pipe(environment: Environment) -> int:
    """End quietly: whoever read stdout has had enough (drill O09). The interpreter must not flush it again at exit."""
    if environment.stdout is sys.stdout and sys.stdout is not None:
        os.dup2(system.open_file(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.BROKEN_PIPE
