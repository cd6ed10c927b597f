"""What a command line is parsed into: how to answer, and what to do.

A command's Typer function only parses. It returns an `Action`, which `cli.main` runs outside of Typer, because Typer
turns a closed pipe into exit 1 and a Ctrl-C into silence.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from orvideo.context import Context


Options = TypeVar("Options", bound=tuple[Any, ...])


def options_of(kind: type[Options], line: Mapping[str, Any], **others: Any) -> Options:
    """Return what a parsed line says for the fields of `kind`, a NamedTuple, by the names of its parameters."""
    named: Any = kind
    options: Options = named(**{name: line[name] for name in named._fields if name in line}, **others)
    return options


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
