"""The table of contents: every command of orvideo, and the Typer app made of them."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Annotated

import typer

import orvideo
from orvideo.commands._options import ANSWERING
from orvideo.commands._typer import App

#: The commands in the order in which help shows them, each with the first words of its own help: to list them all, none
#: is loaded. A module of `orvideo.commands` each, with a `register(app)`.
COMMANDS = {
    "submit": "Submit one video job. With --wait and -o, follow it and save the video.",
    "status": "Look once at jobs and show how they are.",
    "wait": "Follow jobs to their end, and save what they made.",
    "download": "Fetch finished videos, again if need be. Nothing is ever submitted.",
    "batch": "Submit, follow and save many videos. The same command goes on where it was stopped.",
    "join": "Join videos to one film, in the order of the line. Frames are copied where they agree.",
    "models": "List the models: what they can do and cost. With one whole id, everything about it.",
    "jobs": "The local record: list, search, show, mark, adopt, forget.",
    "gallery": "Write a page of videos to look at, compare and mark. Without JOB, of all on record.",
    "open": "Play saved videos. One that is not on this disk is fetched first.",
    "frame": "Save one frame of a video as a picture. It is the first, the last, or the one at a time.",
    "sheet": "Draw frames of videos on one sheet. One video fills the grid, each of several has a row.",
    "login": "Sign in through the browser. orvideo gets a key of its own, tried and stored.",
    "logout": "Forget the stored key, and say where it can be revoked.",
    "whoami": "Say which key is used, and what is left of it. Also from where, and until when.",
    "config": "Read and change the settings.",
    "doctor": "Check key, service, record, disk and versions. Say what to do.",
    "sandbox": "Serve the whole video API on this machine. Free, offline, with real films.",
    "completion": "Let TAB complete commands, options, models and jobs.",
    "help": "Show a page of help. Exit codes, variables, output, the schema of all JSON.",
}

SUMMARY = "Make videos through OpenRouter: submit, follow, fetch."
#: What `orvideo` alone says: what it is, the lines that one needs, and where help is.
_FIRST_PAGE = """\
orvideo makes videos through OpenRouter, from the command line.

  Try it, free:     orvideo submit "a paper boat" --wait -o boat.mp4 --sandbox
  Sign in, once:    orvideo login
  Make a video:     orvideo submit "a paper boat" --wait -o boat.mp4
  Go on with jobs:  orvideo wait --all
  See them all:     orvideo jobs

Help: orvideo help, or orvideo help COMMAND. Something is wrong: orvideo doctor"""
#: Rich draws the help where a terminal has so many columns; in fewer it cuts the names of options (finding D06). It
#: leaves one of them free in an old console of Windows.
_RICH_HELP_FROM = 61


def build_app(
    commands: Collection[str] = COMMANDS.keys(), *, others: bool = False, columns: int | None = None
) -> typer.Typer:
    """Return the Typer app with the named commands, for a terminal of so many `columns`, None for plain help.

    With `others`, the other commands can be listed, and no more.
    """
    rich_help = columns is not None and columns >= _RICH_HELP_FROM
    # By itself Typer writes plain help in no fewer than 50 columns.
    width = {} if columns is None or rich_help else {"terminal_width": columns}
    app = App(
        name="orvideo",
        help=SUMMARY,
        no_args_is_help=False,
        add_completion=False,
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="markdown" if rich_help else None,
        context_settings={"help_option_names": ["--help", "-h"], **width},
        epilog='Example: orvideo submit "a paper boat drifts down a rainy street" --wait -o boat.mp4\n\n'
        "More: orvideo help COMMAND, or one of: exit-codes, environment, output, schema, man.",
    )

    @app.callback(invoke_without_command=True)
    def root(
        ctx: typer.Context,
        version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.")] = False,
        verbose: Annotated[
            bool, typer.Option("--verbose", "-v", help="With --version: also Python, system, place and extras.")
        ] = False,
        # What a line has of it before the command, `cli` takes off and hands to the command.
        profile: Annotated[str | None, ANSWERING["profile"].__metadata__[0]] = None,
    ) -> None:
        if version:
            typer.echo("\n".join(_versions(verbose)))
            raise typer.Exit
        if ctx.invoked_subcommand is None:
            typer.echo(_FIRST_PAGE)
            raise typer.Exit

    for name, summary in COMMANDS.items():
        if name in commands:
            import_module(f"orvideo.commands.{name}").register(app)
        elif others:
            app.command(name, help=summary)(_not_loaded)
    return app


def _not_loaded() -> None:
    """Stand for a command that is only listed."""


def _versions(verbose: bool) -> list[str]:
    if not verbose:
        return [f"orvideo {orvideo.__version__}"]
    from orvideo.installers import report

    return report()
