"""Text made visible, cut to cells, and put into the words of people."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.output.text import (
    age,
    bytes_text,
    count,
    cut,
    elapsed,
    fit,
    fold,
    iso_time,
    ranges,
    visible,
    width,
)


@pytest.mark.drill("T01")
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x08\x7f\x00", r"\x08\x7f\x00"),
        ("\x85", r"\x85"),
    ],
)
def test_controls_are_shown_as_escapes(raw: str, shown: str) -> None:
    assert visible(raw) == shown


@pytest.mark.drill("T02")
@pytest.mark.parametrize(
    "code",
    [0x61C, 0x200B, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, 0x2060,
     0xFEFF, 0xAD, 0xE0001, 0xE0041, 0xE0100, 0x3164],
)  # fmt: skip
def test_unseen_characters_are_named(code: int) -> None:
    assert visible(f"a{chr(code)}b") == f"a<U+{code:04X}>b"


@pytest.mark.drill("O12")
def test_lone_surrogates_are_shown_and_nothing_else_is_touched() -> None:
    assert visible("caf\udce9 \ud83d") == r"caf\udce9 \ud83d"
    plain = "[bold]雨[/x] :smile: é 🎬 \\n ✈️"
    assert visible(plain) == plain


def test_a_newline_stays_one_only_where_lines_are_wanted() -> None:
    assert visible("a\nb\r\n", multiline=True) == "a\nb\\r\n"
    assert visible("a\nb") == r"a\nb"


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_is_obeyed_or_hidden_is_left(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert visible(shown) == shown


@given(st.text(), st.integers(0, 30))
def test_what_is_cut_fits(text: str, cells: int) -> None:
    shown = visible(text)
    fitted = fit(shown, cells)
    assert width(fitted) <= cells
    if width(shown) <= cells:
        assert fitted == shown


@pytest.mark.parametrize(
    ("text", "cells", "fitted"),
    [
        ("paper boat", 10, "paper boat"),
        ("paper boat", 6, "paper…"),
        ("雨の通り", 8, "雨の通り"),
        ("雨の通り", 6, "雨の…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("abc", 0, ""),
        ("abc", 1, "…"),
    ],
)
def test_cutting_counts_cells_and_keeps_marks_with_their_letters(text: str, cells: int, fitted: str) -> None:
    assert fit(text, cells) == fitted


def test_cutting_without_an_ellipsis_character() -> None:
    assert fit("paper boat", 8, ellipsis="...") == "paper..."
    assert fit("paper boat", 2, ellipsis="...") == "pa"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-5, "0:00"), (0, "0:00"), (65.9, "1:05"), (3599, "59:59"), (3725, "1:02:05")]
)
def test_elapsed(seconds: float, shown: str) -> None:
    assert elapsed(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(-9, "0s"), (59, "59s"), (330, "5m"), (7200, "2h"), (200000, "2d")])
def test_age(seconds: float, shown: str) -> None:
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (999_960, "1.0 MB"), (45_600_000, "45.6 MB"),
     (2_000_000_000, "2.0 GB"), (3_000_000_000_000, "3.0 TB")],
)  # fmt: skip
def test_bytes(number: int, shown: str) -> None:
    assert bytes_text(number) == shown


def test_small_forms() -> None:
    assert (count(1, "job"), count(0, "job"), count(2, "reply", "replies")) == ("1 job", "0 jobs", "2 replies")
    assert cut("x" * 3000) == "x" * 1999 + "…"
    assert ranges([8, 4, 6]) == "4, 6, 8"
    assert ranges([1, 2, 3, 4, 10, 11]) == "1-4, 10, 11"
    assert (
        iso_time(datetime(2026, 11, 21, 3, 38, 1, 999, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-21T02:38:01Z"
    )
    assert iso_time(datetime(2026, 11, 21, tzinfo=UTC)) == "2026-11-21T00:00:00Z"


PERSIAN, HINDI, SINHALA, KHMER = "می‌خواهم", "क्‍षमा", "ශ්‍රී", "ភាសា\u200bខ្មែរ"
FAMILY, ROCKET, HEART, ENGLAND = (
    "👨‍👩‍👧‍👦",
    "👩🏽‍🚀",
    "❤️‍🔥",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
)


@pytest.mark.drill("F-D09")
@pytest.mark.parametrize("text", [PERSIAN, HINDI, SINHALA, KHMER, FAMILY, ROCKET, HEART, ENGLAND])
def test_d09_joiners_between_letters_and_signs_are_text(text: str) -> None:
    assert visible(text) == text
    assert visible(f"a {text}, b\n{text}", multiline=True) == f"a {text}, b\n{text}"


@pytest.mark.drill("F-D09")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pass\u200dword", "pass<U+200D>word"),
        ("a\u200cb", "a<U+200C>b"),
        ("می\u200c", "می<U+200C>"),
        ("\u200cمی", "<U+200C>می"),
        ("می\u200c\u200cخ", "می<U+200C><U+200C>خ"),
        ("می\u200b\u200cخ", "می<U+200B><U+200C>خ"),
        ("می\u202eخ", "می<U+202E>خ"),
        ("👩\u200d x", "👩<U+200D> x"),
        ("👩\u200cx", "👩<U+200C>x"),
        ("雨\u200d通", "雨<U+200D>通"),
        ("می\u200bخ", "می<U+200B>خ"),
        ("\U0001f3f4\U000e0068\U000e0069\U000e007f", "\U0001f3f4<U+E0068><U+E0069><U+E007F>"),
    ],
)
def test_d09_what_hides_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


@pytest.mark.drill("F-D09")
@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (PERSIAN, 7),
        (HINDI, 4),
        (FAMILY, 2),
        (ROCKET, 2),
        (HEART, 2),
        (ENGLAND, 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("1️⃣", 2),
        ("⌚️", 2),
    ],
)
def test_d09_what_is_drawn_as_one_is_counted_and_cut_as_one(text: str, cells: int) -> None:
    assert width(text) == cells
    assert fit(text + "x", cells + 1) == text + "x"
    assert fit(text + "xy", cells + 1) == text + "…"
    if cells == 2:
        assert fit(text + "x", 2) == "…"


@pytest.mark.drill("F-D06")
@given(st.text(st.sampled_from("ab 雨é-"), max_size=80), st.integers(4, 30))
def test_d06_a_line_is_broken_at_spaces_and_no_word_is(text: str, cells: int) -> None:
    lines = fold(text, cells, "  ")
    assert " ".join(lines).split() == text.split()
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(width(line) <= cells for line in lines if len(line.split()) > 1)


@pytest.mark.drill("F-D06")
def test_d06_a_command_stays_in_one_line_so_that_it_can_be_copied() -> None:
    command = "orvideo submit 'a boat' --max-cost 0.10"
    assert fold(command, 20) == [command]
    assert fold(f"hint: {command}", 20, "  ") == ["hint:", f"  {command}"]
    assert fold("error: orvideo: it failed", 20, "  ") == ["error: orvideo: it", "  failed"]
    assert fold("this is a bug in orvideo of ours", 20) == ["this is a bug in", "orvideo of ours"]
