"""Our Typer app: parameters in groups, lines checked before Typer reads them, and a fast way to read plain values."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from orvideo.commands._fast_values import with_fast_values
from orvideo.commands._groups import spread
from orvideo.commands._parsing import check_values, with_command_first


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
        return with_fast_values(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        check_values(self.get_params(ctx), args)
        return super().parse_args(ctx, args)


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return with_fast_values(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own, commands = self.get_params(ctx), self.list_commands(ctx)
        args = with_command_first(args, commands, lambda name: [*own, *self.commands[name].get_params(ctx)])
        if not args or args[0] not in commands:
            check_values(own, args)
        return super().parse_args(ctx, args)
