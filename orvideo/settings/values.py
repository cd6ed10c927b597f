"""Parsers and formatters of settings: durations, sizes, amounts of money, booleans, numbers and texts.

The same parsers read flags, variables and config.toml. Each raises `InvalidValue`, which says what is expected.
"""

from __future__ import annotations

import re
import sys
from decimal import Decimal

from orvideo.errors import UsageError

_TIME = (
    r"(?:(?P<h>[0-9]{1,6}(?:\.[0-9]{1,6})?)h)?"
    r"(?:(?P<m>[0-9]{1,6}(?:\.[0-9]{1,6})?)m)?"
    r"(?:(?P<s>[0-9]{1,9}(?:\.[0-9]{1,6})?)s)?"
)
_SECONDS = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
_SIZE = r"(?P<number>[0-9]{1,12}(?:\.[0-9]{1,6})?) ?(?P<unit>[A-Za-z]*)"
_MONEY = r"\$? ?(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"
_WHOLE = r"[+-]?[0-9]{1,18}"

#: K, M and G alone are powers of 1024, as in `ls -h` and `du -h`.
_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "k": 1024,
    "m": 1024**2,
    "g": 1024**3,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
}
#: How pictures are drawn in the terminal.
PICTURES = ("auto", "off", "kitty", "iterm2", "sixel", "blocks")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class InvalidValue(UsageError):
    """A text that cannot be parsed; the message quotes it and says what is expected."""

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(f"{_quoted(text)} is not {expected}.")


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 80 else f"'{text[:79]}…'"


def parse_duration(text: str) -> float:
    """Return a duration in seconds: `90s`, `20m`, `1h`, `1h30m`, or a number of seconds. Raises InvalidValue."""
    folded = text.strip().lower()
    if re.fullmatch(_SECONDS, folded):
        return float(folded)
    found = re.fullmatch(_TIME, folded)
    if not folded or not found:
        raise InvalidValue(text, "a length of time such as 90s, 20m, 1h or 1h30m")
    hours, minutes, seconds = (float(found[unit] or 0) for unit in "hms")
    return hours * 3600 + minutes * 60 + seconds


def parse_positive_duration(text: str) -> float:
    """Return a duration in seconds, as `parse_duration` does, above zero. Raises InvalidValue."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise InvalidValue(text, "a length of time above zero, such as 5s")
    return seconds


def format_duration(seconds: float) -> str:
    """Return seconds as `parse_duration` reads them: `1h30m`, `1m30s`, `2.5s`."""
    if seconds != int(seconds):
        return f"{seconds:g}s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if number]
    return "".join(parts) or "0s"


def parse_video_duration(text: str) -> int:
    """Return a video's duration in whole seconds, from `8` or `8s`. Raises InvalidValue."""
    try:
        seconds = parse_duration(text)
    except InvalidValue:
        seconds = 0
    if seconds < 1 or seconds != int(seconds):
        raise InvalidValue(text, "a whole number of seconds such as 8")
    return int(seconds)


def parse_size(text: str) -> int:
    """Return a size in bytes: `20MiB` = `20M`, `20MB` (powers of 1000), or a number. Raises InvalidValue."""
    found = re.fullmatch(_SIZE, text.strip())
    unit = _UNITS.get(found["unit"].lower()) if found else None
    if found is None or unit is None:
        raise InvalidValue(text, "a size such as 20MiB, 500KB or 1048576")
    size = int(Decimal(found["number"]) * unit)
    if size < 1:
        raise InvalidValue(text, "a size of at least one byte, such as 20MiB")
    return size


def format_size(size: int) -> str:
    """Return a size as `parse_size` reads it, in the largest unit that divides it."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_money(text: str) -> Decimal:
    """Return an amount in USD, exactly as written: `0.50` or `$0.50`. Raises InvalidValue."""
    found = re.fullmatch(_MONEY, text.strip())
    if not found:
        raise InvalidValue(text, "an amount in US dollars such as 0.50")
    return Decimal(found["amount"])


def format_money(amount: Decimal) -> str:
    """Return an amount in USD as `parse_money` reads it, without an exponent."""
    return f"{amount:f}"


def parse_bool(text: str) -> bool:
    """Return a boolean: true, yes, on or 1; false, no, off or 0. Raises InvalidValue."""
    folded = text.strip().lower()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise InvalidValue(text, "a choice: true or false (also yes, no, on, off, 1, 0)")


def format_bool(value: bool) -> str:
    return "true" if value else "false"


def parse_integer(text: str) -> int:
    """Return a whole number. Raises InvalidValue."""
    if not re.fullmatch(_WHOLE, text.strip()):
        raise InvalidValue(text, "a whole number such as 42")
    return int(text)


def parse_positive_number(text: str) -> float:
    """Return a number above zero, at most a million. Raises InvalidValue."""
    stripped = text.strip()
    if not re.fullmatch(_SECONDS, stripped) or not 0 < float(stripped) <= 1_000_000:
        raise InvalidValue(text, "a number above zero such as 10")
    return float(stripped)


def parse_word(text: str) -> str:
    """Return one printable word, such as the id of a model. Raises InvalidValue."""
    word = text.strip()
    if not word or not word.isprintable() or any(letter.isspace() for letter in word):
        raise InvalidValue(text, "one word without spaces")
    return word


def parse_stripped_line(text: str) -> str:
    """Return one line without blanks around it, such as a name in the catalogue (finding C12). Raises InvalidValue."""
    return parse_line(text).strip()


def parse_line(text: str) -> str:
    """Return one line of printable text, such as a path. Raises InvalidValue."""
    if not text.strip() or not text.isprintable():
        raise InvalidValue(text, "one line of text")
    return text


def parse_key_command(text: str) -> str:
    """Return a command that prints the key, which does not stand in it. Raises InvalidValue, UsageError."""
    if "sk-or-" in text:
        raise UsageError(
            "a key stands in this command, where others can see it: name a command that reads it from a safe place.",
            hint="orvideo config set api-key",
        )
    return _parse_command(text, "a command such as pass show openrouter")


def parse_player(text: str) -> str:
    """Return a command that plays videos. Raises InvalidValue."""
    return _parse_command(text, "a command such as mpv --loop")


def _parse_command(text: str, expected: str) -> str:
    words = command_words(text) if text.isprintable() else []
    if not words or not words[0]:
        raise InvalidValue(text, expected)
    return text.strip()


def command_words(line: str) -> list[str]:
    """Return the words of a command as a shell splits them; none where a quote is left open."""
    import shlex

    try:
        words = shlex.split(line, posix=sys.platform != "win32")
    except ValueError:
        return []
    # On Windows a backslash is part of a path, and shlex then leaves the quotes where they are.
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] == '"' else word for word in words]


def parse_pictures(text: str) -> str:
    """Return how pictures are drawn: auto, off, or the name of a protocol. Raises InvalidValue."""
    word = text.strip().lower()
    if word not in PICTURES:
        raise InvalidValue(text, f"one of {', '.join(PICTURES)}")
    return word


def parse_header_value(text: str) -> str:
    """Return the value of an HTTP header: printable ASCII on one line. Raises InvalidValue."""
    header = text.strip()
    if not header or not header.isascii() or not header.isprintable():
        raise InvalidValue(text, "one line of plain ASCII text")
    return header
