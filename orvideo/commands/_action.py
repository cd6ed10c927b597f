"""What a command line is parsed into: how to answer, and what to do.

A command's Typer function only parses. It returns an `Action`, which `cli.main` runs outside of Typer, because Typer
turns a closed pipe into exit 1 and a Ctrl-C into silence.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from orvideo.context import Context


class Answering(NamedTuple):
    """The options that say how a command answers, and from where."""

    json: bool = False
    events: bool = False
    quiet: bool = False
    verbose: bool = False
    sandbox: bool = False


class Action(NamedTuple):
    """A parsed command line: `run` does it with what the context hands out."""

    run: "Callable[[Context], None]"
    answering: Answering = Answering()
