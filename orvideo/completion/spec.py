"""The commands, options and arguments of the app as data, from which the completion scripts are generated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, get_args

import typer

#: A word without characters that are special to a shell: only such words are put into a script.
_PLAIN_WORD = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_MAX_HELP = 90


@dataclass(frozen=True)
class Choice:
    """A fixed word that can be completed, and its help in one line. Raises ValueError for a word that needs quotes."""

    text: str
    help: str = ""

    def __post_init__(self) -> None:
        if not _PLAIN_WORD.fullmatch(self.text):
            raise ValueError(f"{self.text!r} is no word for a completion script")


class ValueSpec(NamedTuple):
    """What an option or argument takes: one of `choices`, files, what `answer` offers as `dynamic`, or any text."""

    title: str
    choices: tuple[Choice, ...] = ()
    files: bool = False
    dynamic: str | None = None


class OptionSpec(NamedTuple):
    """An option with all its names; `value` is None for a flag."""

    names: tuple[str, ...]
    help: str
    value: ValueSpec | None = None
    repeatable: bool = False


class ArgumentSpec(NamedTuple):
    """A positional argument."""

    value: ValueSpec
    repeatable: bool = False


class CommandSpec(NamedTuple):
    """A command; its path is such as ("jobs", "show"), and () for the program itself."""

    path: tuple[str, ...]
    help: str
    options: tuple[OptionSpec, ...]
    arguments: tuple[ArgumentSpec, ...]
    commands: tuple[CommandSpec, ...] = ()

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def key(self) -> str:
        """The path as a text: "jobs show", and "" for the program."""
        return " ".join(self.path)

    def walk(self) -> Iterator[CommandSpec]:
        """Yield the command and all its subcommands."""
        yield self
        for command in self.commands:
            yield from command.walk()


#: Options whose values `answer` offers, with the kind it knows them by.
DYNAMIC_OPTIONS = {
    "--profile": "profiles",
    "--model": "models",
    "--duration": "durations",
    "--resolution": "resolutions",
    "--aspect-ratio": "aspect-ratios",
    "--size": "sizes",
}
#: The same for arguments, by command and name; besides, every argument named JOB is a job on record.
DYNAMIC_ARGUMENTS = {("models", "text"): "models", ("config set", "value"): "setting-values"}
_JOB_NAMES = ("job", "jobs")
_JOB_METAVAR = "JOB"
#: An argument that takes a job or a video file.
_VIDEO_METAVAR = "JOB|FILE"
#: Options that take a file among other values, which their metavar does not show.
_FILE_OPTIONS = ("--reference",)
_SETTING_COMMANDS = ("config get", "config set", "config unset")
#: Words in a metavar that stand for a file.
_FILE_WORDS = frozenset({"FILE", "PATH", "DIR", "IMAGE", "VIDEO", "AUDIO"})


def read_app(app: typer.Typer) -> CommandSpec:
    """Return the command line of an app, without what is hidden from --help."""
    return _command(typer.main.get_command(app), None, ())


def _command(command: Any, parent: Any, path: tuple[str, ...]) -> CommandSpec:
    context = typer.Context(
        command, info_name=path[-1] if path else "orvideo", parent=parent, **command.context_settings
    )
    parameters = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    below = getattr(command, "commands", {})
    key = " ".join(path)
    return CommandSpec(
        path,
        _one_line(command.help),
        tuple(_option(one) for one in parameters if one.param_type_name == "option"),
        tuple(_argument(one, key) for one in parameters if one.param_type_name == "argument"),
        tuple(_command(one, context, (*path, name)) for name, one in below.items() if not one.hidden),
    )


def _option(parameter: Any) -> OptionSpec:
    # Long names first. Typer keeps the names of --help in a set, whose order varies.
    names = tuple(sorted((*parameter.opts, *parameter.secondary_opts), key=lambda name: not name.startswith("--")))
    for name in names:
        Choice(name)
    help_text = _one_line(parameter.help)
    if parameter.is_flag or parameter.count:
        return OptionSpec(names, help_text)
    dynamic = "jobs" if parameter.metavar == _JOB_METAVAR else DYNAMIC_OPTIONS.get(names[0])
    return OptionSpec(names, help_text, _value(parameter, dynamic), bool(parameter.multiple))


def _argument(parameter: Any, key: str) -> ArgumentSpec:
    dynamic = DYNAMIC_ARGUMENTS.get((key, parameter.name))
    if parameter.name in _JOB_NAMES:
        dynamic = "jobs"
    if parameter.metavar == _VIDEO_METAVAR:
        dynamic = "videos"
    if key in _SETTING_COMMANDS and parameter.name == "name":
        return ArgumentSpec(ValueSpec("setting", choices=_settings()))
    return ArgumentSpec(_value(parameter, dynamic), parameter.nargs == -1)


def _value(parameter: Any, dynamic: str | None) -> ValueSpec:
    title = re.sub(r"[^A-Za-z0-9]+", " ", parameter.metavar or parameter.name or "value").strip()
    choices = tuple(Choice(choice) for choice in _choices(parameter))
    files = bool(_FILE_WORDS & set(re.split(r"[^A-Z]+", parameter.metavar or ""))) or parameter.opts[0] in _FILE_OPTIONS
    return ValueSpec(title.lower(), choices, files and not choices, None if choices else dynamic)


def _choices(parameter: Any) -> list[str]:
    """Return the choices of an enum, which Typer keeps in another place since 0.29."""
    kind = getattr(parameter, "type", None)
    if kind is not None:
        return [str(getattr(one, "value", one)) for one in getattr(kind, "choices", ())]
    return [str(one.value) for one in _members(parameter.type_descriptor.annotation)]


def _members(annotation: Any) -> list[Enum]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    return [member for inner in get_args(annotation) for member in _members(inner)]


def _settings() -> tuple[Choice, ...]:
    from orvideo.settings.definitions import API_KEY, DEFINITIONS

    return (Choice(API_KEY, "the key for the service"), *(Choice(one.name, _one_line(one.help)) for one in DEFINITIONS))


def _one_line(text: str | None) -> str:
    """Return the first sentence of a help text, short enough for a line of a list."""
    text = " ".join((text or "").split())
    first = re.split(r"(?<=[^.])\. (?=[A-Z])", text)[0].rstrip(".") if not text.endswith("...") else text
    return first if len(first) <= _MAX_HELP else first[: _MAX_HELP - 1] + "…"
