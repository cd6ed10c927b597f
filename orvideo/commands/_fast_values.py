"""Values of options that need no conversion, taken as they are: half of the start-up of a short command.

Typer 0.29 builds a pydantic adapter for every parameter of a command, given or not, only to hand the value back. Here
text stays text, a default stays what it is, and nothing stays nothing; numbers and choices that are given are converted
by Typer. This knows the inside of the versions in `KNOWN`: with any other, Typer reads everything in its own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperOption

from orvideo.commands._parsing import refuse_value

KNOWN = ("0.28", "0.29")


def with_fast_values(parameters: list[Any]) -> list[Any]:
    """Return the parameters, made to take plain values as they are; Typer has no place to name their class."""
    if typer.__version__.rpartition(".")[0] in KNOWN:
        for parameter in parameters:
            if type(parameter) is TyperOption:
                parameter.__class__ = _Option
            elif type(parameter) is TyperArgument:
                parameter.__class__ = _Argument
    return parameters


class _Option(TyperOption):
    def process_value(self, ctx: Any, value: Any) -> Any:
        return _processed(self, ctx, value, super().process_value)

    def display_type_rich(self, ctx: Any) -> str | None:
        """Return what help shows as the value of an option: nothing for a flag, which has none (finding D06)."""
        return "" if self.is_flag or self.count else super().display_type_rich(ctx)


class _Argument(TyperArgument):
    def process_value(self, ctx: Any, value: Any) -> Any:
        return _processed(self, ctx, value, super().process_value)

    def display_type_rich(self, ctx: Any) -> str | None:
        """Return what help shows beside an argument: its choices, and no type such as `<list[str]>` (finding D06)."""
        shown = super().display_type_rich(ctx)
        return shown if shown and "|" in shown else ""


def _processed(parameter: Any, ctx: Any, value: Any, convert: Callable[[Any, Any], Any]) -> Any:
    if _is_plain(parameter, value):
        value = list(value or ()) if _is_many(parameter) else value
        return value if parameter.callback is None else parameter.callback(ctx, parameter, value)
    try:
        return convert(ctx, value)
    except typer.BadParameter as bad:
        # Typer 0.28 has no descriptor; and a value that is missing is told by Typer.
        if type(bad) is not typer.BadParameter or not hasattr(parameter, "type_descriptor"):
            raise
        refuse_value(parameter, ctx, value)


def _is_plain(parameter: Any, value: Any) -> bool:
    """Tell whether a value needs neither conversion nor a complaint."""
    if value is None:
        return not parameter.required
    # Typer 0.28 has no descriptor, and converts without pydantic.
    asked = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    if not _is_many(parameter):
        return type(value) is asked
    is_of_texts = get_origin(asked) is list and get_args(asked) == (str,)
    return is_of_texts and isinstance(value, list | tuple) and bool(value) and all(type(item) is str for item in value)


def _is_many(parameter: Any) -> bool:
    return bool(parameter.nargs == -1 or getattr(parameter, "multiple", False))
