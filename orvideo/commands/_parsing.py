"""What Typer leaves open in a line: an option that lost its value, options before a command, a value of no use.

Typer takes the word behind an option for its value, whatever it is: `-o $OUT --dry-run` with OUT unset would be a file
called `--dry-run`, and a purchase (finding A01).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from enum import Enum
from typing import Any, NoReturn, get_args

from orvideo.errors import UsageError

OptionsOf = Callable[[str], Iterable[Any]]
_NUMBER = re.compile(r"-[0-9.][0-9.,_a-zA-Z]*")


def check_values(parameters: Iterable[Any], words: Sequence[str]) -> None:
    """Raise UsageError for an option that has no value, or the name of another option for one (finding A01)."""
    options = _with_value(parameters)
    names = iter(words)
    for word in names:
        if word == "--":
            return
        name, attached = _takes_next(word, options)
        if name is None:
            continue
        value = next(names, None) if attached is None else attached
        if value is None or not value.strip():
            raise UsageError(f"{name} needs a value." if value is None else f"{name} needs a value; this one is empty.")
        if attached is not None and not word.startswith("--") and value.startswith("="):
            raise UsageError(f"{word} is {name} with the value {value!r}.", hint=_meant(options[name], value[1:]))
        if attached is None and value.startswith("-") and value != "-" and not _NUMBER.fullmatch(value):
            raise UsageError(f"{name} needs a value; {value} looks like an option.", hint=_meant(options[name], value))


def with_command_first(words: Sequence[str], commands: Collection[str], options_of: OptionsOf) -> list[str]:
    """Return a line with the options that stand before a command, and their values, behind it (finding D03)."""
    for place, word in enumerate(words):
        if word in ("--", "--help", "-h", "--version", "-V"):
            break
        if word in commands and _are_options(words[:place], _with_value(options_of(word))):
            return [word, *words[:place], *words[place + 1 :]]
    return list(words)


def _are_options(words: Sequence[str], options: Collection[str]) -> bool:
    """Tell whether words are options and their values, and nothing else."""
    following = iter(words)
    for word in following:
        if not word.startswith("-"):
            return False
        name, attached = _takes_next(word, options)
        if name is not None and attached is None and next(following, None) is None:
            return False
    return True


def refuse_value(parameter: Any, context: Any, value: Any) -> NoReturn:
    """Raise UsageError for a value that Typer could not convert: what the option takes, and what it got."""
    name = max(parameter.opts, key=len) if parameter.param_type_name == "option" else parameter.name.upper()
    raise UsageError(f"{name} takes {_takes(parameter)}, not {value!r}.", hint=f"{context.command_path} --help")


def _takes(parameter: Any) -> str:
    descriptor = parameter.type_descriptor
    kinds = [kind for kind in (descriptor.annotation, *get_args(descriptor.annotation)) if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, Enum):
            *most, last = [str(one.value) for one in kind]
            return f"{', '.join(most)} or {last}"
    least, greatest = descriptor.parameter_info.min, descriptor.parameter_info.max
    number = "a whole number" if int in kinds else "a number"
    if greatest is not None:
        return f"{number} from {least} to {greatest}"
    return number if least is None else f"{number}, {least} at least"


def _with_value(parameters: Iterable[Any]) -> dict[str, Any]:
    """Return the options that take a value, by each of their names."""
    return {name: one for one in parameters if one.param_type_name == "option" and not one.is_flag for name in one.opts}


def _takes_next(word: str, options: Collection[str]) -> tuple[str | None, str | None]:
    """Return the option of a word that takes a value, and the value where it is in the word itself."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return (name, value if equals else None) if name in options else (None, None)
    if word.startswith("-"):
        for place, letter in enumerate(word[1:], start=2):
            if f"-{letter}" in options:
                return f"-{letter}", word[place:] or None
    return None, None


def _meant(option: Any, value: str) -> str:
    return f"if it is meant so: {max(option.opts, key=len)}={value}"
