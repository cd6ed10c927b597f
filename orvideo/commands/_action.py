"""What a command line is parsed into: what to do, and how to answer.

A command's Typer function only parses. It returns an `Action`, which `cli.main` runs outside of Typer, because Typer
turns a closed pipe into exit 1 and a Ctrl-C into silence.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from orvideo.environment import CommonOptions

if TYPE_CHECKING:
    from orvideo.context import Context


class Action(NamedTuple):
    """A parsed command line: `run` does it with what the context hands out."""

    run: "Callable[[Context], None]"
    answering: CommonOptions = CommonOptions()
