"""The table of contents: every command of orvideo, and the Typer app made of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

import orvideo
from orvideo.commands._options import ANSWERING
from orvideo.commands._typer import App

#: The commands in the order in which help shows them. A module of `orvideo.commands` each, with a `register(app)`.
COMMANDS = (
    "submit",
    "status",
    "wait",
    "download",
    "batch",
    "join",
    "models",
    "jobs",
    "frame",
    "sheet",
    "login",
    "logout",
    "whoami",
    "config",
    "doctor",
    "sandbox",
    "completion",
    "help",
)

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
#: Rich draws the help where a terminal has so many columns; in fewer it cuts the names of options (finding D06).
_RICH_HELP_FROM = 60


def build_app(commands: Sequence[str] = COMMANDS, *, columns: int | None = None) -> typer.Typer:
    """Return the Typer app with the named commands, for a terminal of so many `columns`, None for plain help."""
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

    for name in commands:
        import_module(f"orvideo.commands.{name}").register(app)
    return app


def _versions(verbose: bool) -> list[str]:
    if not verbose:
        return [f"orvideo {orvideo.__version__}"]
    from orvideo.installers import report

    return report()
