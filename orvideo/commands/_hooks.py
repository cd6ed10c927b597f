"""`--exec` and `--notify`: what a person wants done when a job ends.

Both are told of each job whose end a command saw, whatever the end is; a timeout is not an end. Nothing that goes
wrong here changes the exit code, which speaks of the job and of the money.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, NamedTuple

from orvideo import system
from orvideo.clock import MAX_WAIT
from orvideo.commands._options import option
from orvideo.errors import OrvideoError, UsageError

if TYPE_CHECKING:
    import subprocess

    from orvideo.context import Context
    from orvideo.deadline import Deadline
    from orvideo.jobs.task import Task
    from orvideo.record.values import Record

#: What the command of `--exec` finds in its environment; empty where it is not known.
VARIABLES: tuple[tuple[str, str], ...] = (
    ("ORVIDEO_JOB_ID", "the job's id"),
    ("ORVIDEO_JOB_STATUS", "how it ended: completed, failed, cancelled, expired"),
    ("ORVIDEO_JOB_PATH", "the saved video; of several, the first"),
    ("ORVIDEO_JOB_PATHS", "all saved videos, one a line"),
    ("ORVIDEO_JOB_COST", "what it cost, USD"),
    ("ORVIDEO_JOB_MODEL", "the model"),
    ("ORVIDEO_JOB_PROMPT", "the prompt"),
    ("ORVIDEO_JOB_ERROR", "why there is no video"),
)

#: A variable may have 128 KiB on Linux; no command needs that much of a prompt. In characters.
_LONGEST = 16_000
#: How long a desktop may take to show a notification, and a command to end after a signal; seconds.
_NOTIFY_SECONDS = 5.0
_GRACE = 2.0


class Hooks(NamedTuple):
    """What is to be done when a job ends: a shell's command line, a desktop notification."""

    command: Annotated[
        str | None,
        option(
            "Waiting",
            "Run this in the shell when a job ends, with ORVIDEO_JOB_ID, _STATUS, _PATH, ... set.",
            "--exec",
            metavar="COMMAND",
        ),
    ] = None
    notify: Annotated[
        bool, option("Waiting", "Notify the desktop when a job ends, or ring the terminal's bell.", "--notify")
    ] = False


NOTHING = Hooks()


def refuse_without_wait(hooks: Hooks) -> None:
    """Raise UsageError for wishes that nobody would be there to fulfil."""
    if hooks != NOTHING:
        name = "--exec" if hooks.command is not None else "--notify"
        raise UsageError(f"{name} is for the end of a job, and --wait was not given.", hint="add --wait")


def refuse_unsafe(command: str | None, platform: str) -> None:
    """Raise UsageError for a line of --exec in which cmd.exe would put a prompt, and run what that says (finding W26).

    cmd.exe replaces variables before it parses the line, whatever their case; the program that it starts finds them in
    its environment.
    """
    if platform == "win32" and command is not None and re.search(r"[%!]ORVIDEO_JOB_", command, re.IGNORECASE):
        raise UsageError(
            "--exec cannot have a job's variable in its line on Windows: cmd.exe would run what a prompt says.",
            hint="start a program that reads the variable itself, such as: powershell -File done.ps1, with "
            "$env:ORVIDEO_JOB_PATH in it",
        )


def run_hooks(context: Context, task: Task, hooks: Hooks, deadline: Deadline) -> None:
    """Do what was wished for if a task's job is at its end; a command that still runs when `deadline` ends is ended."""
    record = task.record
    if record is None or not record.final:
        return
    if hooks.command is not None:
        _run(context, hooks.command, facts_of(record, task.error), deadline)
    if hooks.notify and not deadline.is_over:
        _notify(context, record)


def facts_of(record: Record, trouble: OrvideoError | None = None) -> dict[str, str]:
    """Return the variables that tell a command about a job; each is there, and empty where it is not known."""
    paths = [output.path for output in record.outputs if output.path is not None]
    facts = {
        "ORVIDEO_JOB_ID": record.name,
        "ORVIDEO_JOB_STATUS": record.status_word,
        "ORVIDEO_JOB_PATH": paths[0] if paths else "",
        "ORVIDEO_JOB_PATHS": "\n".join(paths),
        "ORVIDEO_JOB_COST": "" if record.cost is None else f"{record.cost:f}",
        "ORVIDEO_JOB_MODEL": record.model or "",
        "ORVIDEO_JOB_PROMPT": (record.prompt or "")[:_LONGEST],
        "ORVIDEO_JOB_ERROR": (record.error or (trouble.message if trouble else ""))[:_LONGEST],
    }
    return {name: value.replace("\0", "") for name, value in facts.items()}


# --- --exec ----------------------------------------------------------------------------------------------------------


def _run(context: Context, command: str, facts: Mapping[str, str], deadline: Deadline) -> None:
    """Run a command line in the shell: what it prints goes to stderr, and stdout is only for the answer."""
    import subprocess

    code: int | None
    variables = {**context.settings.environ_without_key(), **facts}
    environ = {name: system.variable(value) for name, value in variables.items()}
    with context.terminal.lend_stderr() as stream:
        where = subprocess.DEVNULL if stream is None else stream
        try:
            # A shell is what --exec promises; a job's facts reach it as variables only, never as part of the line.
            child = subprocess.Popen(  # noqa: S602
                command, shell=True, env=environ, stdin=subprocess.DEVNULL, stdout=where, stderr=where
            )
            code = _done(child, deadline)
        except OSError as error:
            code, why = None, error.strerror or str(error)
        else:
            why = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
    if code != 0 and not deadline.is_over:
        context.terminal.warn(f"--exec: {why}: {command}")


def _done(child: subprocess.Popen[bytes], deadline: Deadline) -> int:
    """Wait for the end of a command; a signal to orvideo is one to the command as well (drill S03)."""
    import subprocess

    while not deadline.is_over:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(MAX_WAIT)
    _stop(child)
    return child.poll() or 0


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Give a command the time to end by itself, then tell it to."""
    import subprocess

    # Ctrl-C has reached it already, as it reaches all of a terminal's foreground; other signals have not.
    with suppress(subprocess.TimeoutExpired):
        child.wait(_GRACE / 2)
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE / 2)


# --- --notify --------------------------------------------------------------------------------------------------------


def _notify(context: Context, record: Record) -> None:
    """Show a desktop notification; where there is no desktop, ring the terminal's bell."""
    import subprocess

    environ = context.settings.environ_without_key()
    command = notification(record, sys.platform, environ)
    if command:
        with suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(
                command, env=environ, timeout=_NOTIFY_SECONDS, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if done.returncode == 0:
                return
    context.terminal.bell()


def notification(record: Record, platform: str, environ: Mapping[str, str]) -> list[str] | None:
    """Return the command that shows how a job ended, None where there is none.

    Words that are not orvideo's are arguments of their own, never part of a script, and no markup.
    """
    import shutil

    from orvideo.output.text import fit, visible

    title = f"{record.status_word}: {record.name}"
    body = fit(visible(record.prompt or record.model or ""), 200)
    if platform == "darwin":
        script = "display notification (item 2 of argv) with title (item 1 of argv)"
        program, arguments = "osascript", ["-e", "on run argv", "-e", script, "-e", "end run", visible(title), body]
    elif platform != "win32":
        # Desktops read the body as a little HTML; the title they take as it is.
        plain = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        program, arguments = "notify-send", ["--app-name=orvideo", "--", visible(title), plain]
    else:
        return None
    found = shutil.which(program, path=environ.get("PATH", os.defpath))
    return [found, *arguments] if found else None
