"""Moments of a video, as a person names them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from orvideo.errors import UsageError
from orvideo.film.moment import FIRST, LAST, Moment, parse_moment, split_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("first", FIRST), (" Last ", LAST), ("2.5s", Moment(Fraction(5, 2))), ("2.5", Moment(Fraction(5, 2))),
        (".5s", Moment(Fraction(1, 2))), ("0s", FIRST), ("12", Moment(Fraction(12))),
    ],
)  # fmt: skip
def test_a_moment_is_a_word_or_a_time(text: str, moment: Moment) -> None:
    assert parse_moment(text) == moment
    assert parse_moment(moment.text) == moment


@pytest.mark.parametrize("text", ["", "middle", "-1s", "1m", "nan", "inf", "1e3", "2,5s", "٣s", "1.5.2s", "9999999s"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no moment"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("@1", ("@1", None)), ("@1:last", ("@1", LAST)), ("clip.mp4:2.5s", ("clip.mp4", Moment(Fraction(5, 2)))),
        (r"C:\clips\a.mp4", (r"C:\clips\a.mp4", None)), (r"C:\a.mp4:first", (r"C:\a.mp4", FIRST)),
        ("a:last:first", ("a:last", FIRST)), (":last", (":last", None)), ("clip:2", ("clip:2", None)),
    ],
)  # fmt: skip
def test_a_moment_stands_behind_a_colon(word: str, parts: tuple[str, Moment | None]) -> None:
    assert split_moment(word) == parts
