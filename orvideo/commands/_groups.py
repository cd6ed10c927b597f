"""Options that belong together as one parameter of a command: a NamedTuple, of which Typer sees the fields.

    def wait(*, jobs: JobsArgument = None, saving: Saving, answering: CommonOptions) -> Action: ...

A parameter whose annotation is a NamedTuple with annotated fields stands for an option each, in their order. In
`Annotated[KIND, GROUP]` the group says which options there are and makes the value from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Protocol, get_args, get_type_hints


class Group(Protocol):
    """Stands in a signature for options, and makes one value of them."""

    def parameters(self) -> Sequence[inspect.Parameter]:
        """Return a parameter for each option, as Typer is to see it."""

    def value(self, line: Mapping[str, Any]) -> Any:
        """Return what a parsed line says, by the names of the parameters."""


class Fields:
    """A group of a NamedTuple's fields: those named, else all. The others keep their defaults, or are handed in.

    `hints` are the options by name, where the NamedTuple itself has no annotations for Typer.
    """

    def __init__(self, kind: Any, *names: str, hints: Mapping[str, Any] | None = None) -> None:
        self._kind = kind
        self._names = names or kind._fields
        self._hints = hints

    def parameters(self) -> list[inspect.Parameter]:
        hints = self._hints or get_type_hints(self._kind, include_extras=True)
        defaults = self._kind._field_defaults
        return [parameter(name, hints[name], defaults[name]) for name in self._names]

    def value(self, line: Mapping[str, Any]) -> Any:
        return self._kind(**{name: line[name] for name in self._kind._fields if name in line})


def parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    """Return the parameter of one option."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command's function with a parameter for each option of its groups, in their place."""
    signature = inspect.signature(function)
    groups = {name: group for name, one in signature.parameters.items() if (group := _group(one.annotation))}
    members = {name: group.parameters() for name, group in groups.items()}

    def call(**line: Any) -> Any:
        for name, group in groups.items():
            mine = {member.name: line.pop(member.name) for member in members[name]}
            line[name] = group.value(mine)
        return function(**line)

    shown = [one for name, own in signature.parameters.items() for one in members.get(name, (own,))]
    update_wrapper(call, function)
    call.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in shown}
    return call


def _group(annotation: Any) -> Group | None:
    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        return Fields(annotation)
    return next((one for one in get_args(annotation)[1:] if hasattr(one, "parameters")), None)
