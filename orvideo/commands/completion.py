"""`orvideo completion`: the script that makes TAB know orvideo, shown or put where the shell finds it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orvideo.commands._action import Action
from orvideo.commands._app import build_app
from orvideo.commands._options import Local, common_options
from orvideo.commands._typer import App
from orvideo.environment import CommonOptions

if TYPE_CHECKING:
    from orvideo.context import Context


class Shell(StrEnum):
    """The shells there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"
    powershell = "powershell"


def register(app: typer.Typer) -> None:
    completion = App(
        help="Let TAB complete commands, options, models and jobs.",
        no_args_is_help=False,
        epilog="Example: orvideo completion install",
    )
    app.add_typer(completion, name="completion")

    @completion.command("install", epilog="Example: orvideo completion install zsh")
    def install(
        *,
        shell: Annotated[
            Shell | None, typer.Argument(help="The shell; else that of $SHELL, or PowerShell on Windows.")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Replace a file that is not orvideo's.")] = False,
        answering: Local,
    ) -> Action:
        """Put the script where the shell finds it, and say what is left to do; no rc file is changed."""
        return Action(lambda context: run_install(context, shell, force=force), answering)

    @completion.command("show", epilog="Example: orvideo completion show bash > orvideo.bash")
    def show(
        *,
        shell: Annotated[Shell, typer.Argument(help="The shell.")],
        answering: Annotated[CommonOptions, common_options("json")],
    ) -> Action:
        """Print the script, to keep it elsewhere or to package it."""
        return Action(lambda context: run_show(context, shell), answering)


def run_install(context: Context, shell: Shell | None, *, force: bool) -> None:
    """Install for one shell; the answer is the file's path."""
    from orvideo.completion.install import detect_shell, install
    from orvideo.completion.scripts import script

    environ, platform = context.environment.environ, context.environment.platform
    name = shell.value if shell else detect_shell(environ, platform)
    done = install(name, script(name, build_app()), environ, force=force, platform=platform)
    path = str(done.path) if done.path else None
    context.terminal.document({"shell": done.shell, "path": path, "changed": done.is_new, "notes": list(done.notes)})
    if path is not None:
        if not done.is_new:
            context.terminal.note("already there and current")
        context.terminal.answer(path)
    for note in done.notes:
        context.terminal.note(note)


def run_show(context: Context, shell: Shell) -> None:
    """Print a script as it is; it has nothing in it that did not come from orvideo."""
    from orvideo.completion.scripts import script

    text = script(shell.value, build_app())
    context.terminal.document({"shell": shell.value, "script": text})
    for line in text.splitlines():
        context.terminal.answer(line)
