"""Texts to values and back: lengths of time, sizes, amounts of money, yes and no.

The same parsers read a flag, a variable and a line of the store. Each refuses with `BadValue`, which says what would
do.
"""

from __future__ import annotations

import re
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

#: K, M and G alone mean what they mean to `ls -h` and `du -h`.
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
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class BadValue(UsageError):
    """A text that cannot be read as what it should be; the message names the text and says what would do."""

    def __init__(self, text: str, wanted: str) -> None:
        super().__init__(f"{_quoted(text)} is not {wanted}.")
        self.text = text
        self.wanted = wanted


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 80 else f"'{text[:79]}…'"


def parse_duration(text: str) -> float:
    """Return a length of time in seconds: `90s`, `20m`, `1h`, `1h30m`, or plain seconds. Raises BadValue."""
    folded = text.strip().lower()
    if re.fullmatch(_SECONDS, folded):
        return float(folded)
    found = re.fullmatch(_TIME, folded)
    if not folded or not found:
        raise BadValue(text, "a length of time such as 90s, 20m, 1h or 1h30m")
    hours, minutes, seconds = (float(found[unit] or 0) for unit in "hms")
    return hours * 3600 + minutes * 60 + seconds


def parse_some_time(text: str) -> float:
    """Return a length of time in seconds as `parse_duration` does, but not zero. Raises BadValue."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise BadValue(text, "a length of time above zero, such as 5s")
    return seconds


def show_duration(seconds: float) -> str:
    """Return seconds the way a person would type them: `1h30m`, `90s` as `1m30s`, `2.5s`."""
    if seconds != int(seconds):
        return f"{seconds:g}s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if number]
    return "".join(parts) or "0s"


def parse_clip_length(text: str) -> int:
    """Return a video's length in whole seconds, `8` or `8s`: the service takes nothing finer. Raises BadValue."""
    try:
        seconds = parse_duration(text)
    except BadValue:
        seconds = 0
    if seconds < 1 or seconds != int(seconds):
        raise BadValue(text, "a whole number of seconds such as 8")
    return int(seconds)


def parse_size(text: str) -> int:
    """Return a size in bytes: `20MiB`, `20M` (the same), `20MB` (powers of 1000), or plain bytes. Raises BadValue."""
    found = re.fullmatch(_SIZE, text.strip())
    unit = _UNITS.get(found["unit"].lower()) if found else None
    if found is None or unit is None:
        raise BadValue(text, "a size such as 20MiB, 500KB or 1048576")
    size = int(Decimal(found["number"]) * unit)
    if size < 1:
        raise BadValue(text, "a size of at least one byte, such as 20MiB")
    return size


def show_size(size: int) -> str:
    """Return a size as `parse_size` reads it, in the largest unit that divides it."""
    for unit, factor in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_money(text: str) -> Decimal:
    """Return an amount in USD, exactly as written: `0.50` or `$0.50`. Raises BadValue."""
    found = re.fullmatch(_MONEY, text.strip())
    if not found:
        raise BadValue(text, "an amount in US dollars such as 0.50")
    return Decimal(found["amount"])


def show_money(amount: Decimal) -> str:
    """Return an amount in USD without an exponent and without a currency sign."""
    return f"{amount:f}"


def parse_yes_no(text: str) -> bool:
    """Return a choice: true, yes, on or 1; false, no, off or 0. Raises BadValue."""
    folded = text.strip().lower()
    if folded in _YES:
        return True
    if folded in _NO:
        return False
    raise BadValue(text, "a choice: true or false (also yes, no, on, off, 1, 0)")


def show_yes_no(choice: bool) -> str:
    return "true" if choice else "false"


def parse_whole(text: str) -> int:
    """Return a whole number. Raises BadValue."""
    if not re.fullmatch(_WHOLE, text.strip()):
        raise BadValue(text, "a whole number such as 42")
    return int(text)


def parse_factor(text: str) -> float:
    """Return a number above zero that multiplies something, at most a million. Raises BadValue."""
    stripped = text.strip()
    if not re.fullmatch(_SECONDS, stripped) or not 0 < float(stripped) <= 1_000_000:
        raise BadValue(text, "a number above zero such as 10")
    return float(stripped)


def parse_word(text: str) -> str:
    """Return a name of the service's (a model, a resolution): one word of any script. Raises BadValue."""
    word = text.strip()
    if not word or not word.isprintable() or any(letter.isspace() for letter in word):
        raise BadValue(text, "one word without spaces")
    return word


def parse_words(text: str) -> str:
    """Return a name that the catalogue gives something, whatever its form (finding C12). Raises BadValue."""
    return parse_line(text).strip()


def parse_line(text: str) -> str:
    """Return one line of printable text, such as a path. Raises BadValue."""
    if not text.strip() or not text.isprintable():
        raise BadValue(text, "one line of text")
    return text


def parse_header(text: str) -> str:
    """Return a text that may stand in a header of HTTP: printable ASCII on one line. Raises BadValue."""
    header = text.strip()
    if not header or not header.isascii() or not header.isprintable():
        raise BadValue(text, "one line of plain ASCII text")
    return header
