"""A moment of a video, as a person names it: `first`, `last`, or a time such as `2.5s`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from orvideo.errors import UsageError

_TIME = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})s?")
#: What may stand behind the colon of `JOB:last`: a number alone could be anything.
_BEHIND = re.compile(r"(?P<name>.+):(?P<moment>first|last|[0-9.]+s)", re.IGNORECASE | re.DOTALL)


class Moment(NamedTuple):
    """A moment: `seconds` after the first frame, None for the last frame."""

    seconds: Fraction | None

    @property
    def text(self) -> str:
        """The moment as a person would type it."""
        if self.seconds is None:
            return "last"
        return f"{float(self.seconds):.9f}".rstrip("0").rstrip(".") + "s" if self.seconds else "first"


FIRST, LAST = Moment(Fraction(0)), Moment(None)


def parse_moment(text: str) -> Moment:
    """Return the moment that `first`, `last`, `2.5s` or `2.5` stands for. Raises UsageError."""
    word = text.strip().lower()
    if word in ("first", "last"):
        return FIRST if word == "first" else LAST
    if (time := _TIME.fullmatch(word)) is None:
        raise UsageError(f"{text!r} is no moment of a video.", hint="say first, last, or a time such as 2.5s")
    return Moment(Fraction(time["number"]))


def split_moment(word: str) -> tuple[str, Moment | None]:
    """Return what `JOB:last` or `clip.mp4:2.5s` names and the moment; None where the word has none (`C:\\clip.mp4`)."""
    found = _BEHIND.fullmatch(word)
    if found is None:
        return word, None
    return found["name"], parse_moment(found["moment"])
