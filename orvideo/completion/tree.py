"""The command line as data: what the scripts of all shells are made from, read off the app itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, get_args

import typer

#: A word that no shell reads anything into. What is baked into a script has to be one.
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
_LONGEST_HELP = 90


@dataclass(frozen=True)
class Word:
    """A word that can be completed to, and what it is, in one line."""

    text: str
    help: str = ""

    def __post_init__(self) -> None:
        if not _PLAIN.fullmatch(self.text):
            raise ValueError(f"{self.text!r} is no word for a completion script")


class Value(NamedTuple):
    """What an option or an argument takes: one of `words`, files, or what the `live` part says. Else anything."""

    title: str
    words: tuple[Word, ...] = ()
    files: bool = False
    live: str | None = None


class Option(NamedTuple):
    """An option under all its names; `value` is None for a flag."""

    names: tuple[str, ...]
    help: str
    value: Value | None = None
    repeatable: bool = False


class Argument(NamedTuple):
    value: Value
    many: bool = False


class Command(NamedTuple):
    """A command by its path below the program, such as ("jobs", "show"); the program itself has the path ()."""

    path: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[Command, ...] = ()

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def key(self) -> str:
        """The path as one text: "" for the program, else such as "jobs show"."""
        return " ".join(self.path)

    def all(self) -> Iterator[Command]:
        """Yield the command and all below it."""
        yield self
        for command in self.commands:
            yield from command.all()


#: What the values of these options are comes from the catalogue in the cache.
LIVE_OPTIONS = {
    "--model": "models",
    "--duration": "durations",
    "--resolution": "resolutions",
    "--aspect-ratio": "aspect-ratios",
    "--size": "sizes",
}
#: The same for arguments, by command and name; every argument that is called JOB is one on record.
LIVE_ARGUMENTS = {("models", "text"): "models", ("config set", "value"): "setting-values"}
_JOB_NAMES = ("job", "jobs")
_JOB_METAVAR = "JOB"
#: Takes a file among other things, which its metavar cannot say.
_FILE_OPTIONS = ("--reference",)
_SETTING_COMMANDS = ("config get", "config set", "config unset")
#: A metavar with one of these words in it means a file; an image may be a URL as well, which nobody can complete.
_FILE_WORDS = frozenset({"FILE", "PATH", "DIR", "IMAGE", "VIDEO", "AUDIO"})


def read(app: typer.Typer) -> Command:
    """Return the whole command line of an app; what is hidden from help is hidden from TAB."""
    return _command(typer.main.get_command(app), None, ())


def _command(command: Any, parent: Any, path: tuple[str, ...]) -> Command:
    context = typer.Context(
        command, info_name=path[-1] if path else "orvideo", parent=parent, **command.context_settings
    )
    parameters = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    below = getattr(command, "commands", {})
    key = " ".join(path)
    return Command(
        path,
        _one_line(command.help),
        tuple(_option(one) for one in parameters if one.param_type_name == "option"),
        tuple(_argument(one, key) for one in parameters if one.param_type_name == "argument"),
        tuple(_command(one, context, (*path, name)) for name, one in below.items() if not one.hidden),
    )


def _option(parameter: Any) -> Option:
    # Long names first. Typer has those of --help in a set, whose order is another one each time.
    names = tuple(sorted((*parameter.opts, *parameter.secondary_opts), key=lambda name: not name.startswith("--")))
    for name in names:
        Word(name)
    help_text = _one_line(parameter.help)
    if parameter.is_flag or parameter.count:
        return Option(names, help_text)
    live = "jobs" if parameter.metavar == _JOB_METAVAR else LIVE_OPTIONS.get(names[0])
    return Option(names, help_text, _value(parameter, live), bool(parameter.multiple))


def _argument(parameter: Any, key: str) -> Argument:
    live = LIVE_ARGUMENTS.get((key, parameter.name))
    if parameter.name in _JOB_NAMES:
        live = "jobs"
    if key in _SETTING_COMMANDS and parameter.name == "name":
        return Argument(Value("setting", words=_settings()))
    return Argument(_value(parameter, live), parameter.nargs == -1)


def _value(parameter: Any, live: str | None) -> Value:
    title = re.sub(r"[^A-Za-z0-9]+", " ", parameter.metavar or parameter.name or "value").strip()
    words = tuple(Word(choice) for choice in _choices(parameter))
    files = bool(_FILE_WORDS & set(re.split(r"[^A-Z]+", parameter.metavar or ""))) or parameter.opts[0] in _FILE_OPTIONS
    return Value(title.lower(), words, files and not words, None if words else live)


def _choices(parameter: Any) -> list[str]:
    """Return the choices of an enum: Typer says them in another place since 0.29."""
    kind = getattr(parameter, "type", None)
    if kind is not None:
        return [str(getattr(one, "value", one)) for one in getattr(kind, "choices", ())]
    return [str(one.value) for one in _members(parameter.type_descriptor.annotation)]


def _members(annotation: Any) -> list[Enum]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    return [member for inner in get_args(annotation) for member in _members(inner)]


def _settings() -> tuple[Word, ...]:
    from orvideo.settings.definitions import API_KEY, DEFINITIONS

    return (Word(API_KEY, "the key for the service"), *(Word(one.name, _one_line(one.help)) for one in DEFINITIONS))


def _one_line(text: str | None) -> str:
    """Return the first sentence of a help text, short enough for a line of a list."""
    text = " ".join((text or "").split())
    first = re.split(r"(?<=[^.])\. (?=[A-Z])", text)[0].rstrip(".") if not text.endswith("...") else text
    return first if len(first) <= _LONGEST_HELP else first[: _LONGEST_HELP - 1] + "…"
