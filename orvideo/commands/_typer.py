"""A Typer app that takes values as they are, where they are what a command asks for.

Typer 0.29 builds a pydantic adapter for every parameter of a command, given or not, only to hand the value back: a
third of the time of `orvideo jobs`, which has no other use for pydantic. Here text stays text, a default stays what it
is, and nothing stays nothing. Numbers and choices that are given are converted by Typer as ever.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from orvideo.commands._groups import spread
from orvideo.commands._parsing import check_values, refuse_value, with_command_first


class App(typer.Typer):
    """Takes commands like any Typer app; a parameter of theirs may be a group of options (`_groups`)."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=_Group, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        return _taking(super().command(name, cls=_Command, **settings))

    def callback(self, **settings: Any) -> Callable[[Any], Any]:
        return _taking(super().callback(**settings))


def _taking(register: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def take(function: Any) -> Any:
        # Typer evaluates an annotation that is a text still four times: 2 ms for the 40 options of submit.
        function.__annotations__ = inspect.get_annotations(function, eval_str=True)
        return register(spread(function))

    return take


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _adopted(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        check_values(self.get_params(ctx), args)
        return super().parse_args(ctx, args)


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _adopted(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        commands = self.list_commands(ctx)
        own = self.get_params(ctx)
        args = with_command_first(args, commands, lambda name: [*own, *self.commands[name].get_params(ctx)])
        if not args or args[0] not in commands:
            check_values(own, args)
        return super().parse_args(ctx, args)


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
        return _as_it_is(parameter, ctx, value)
    try:
        return convert(ctx, value)
    except typer.BadParameter as bad:
        # Typer 0.28 has no descriptor; and a value that is missing is told by Typer.
        if type(bad) is not typer.BadParameter or not hasattr(parameter, "type_descriptor"):
            raise
        refuse_value(parameter, ctx, value)


def _adopted(parameters: list[Any]) -> list[Any]:
    """Return the parameters as ours; Typer has no place where one could name the class to make."""
    for parameter in parameters:
        if type(parameter) is TyperOption:
            parameter.__class__ = _Option
        elif type(parameter) is TyperArgument:
            parameter.__class__ = _Argument
    return parameters


def _as_it_is(parameter: Any, ctx: Any, value: Any) -> Any:
    if _is_many(parameter):
        value = list(value or ())
    return value if parameter.callback is None else parameter.callback(ctx, parameter, value)


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
