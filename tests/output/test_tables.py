"""Tables: whole and tab-separated in a pipe, aligned and fitted on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orvideo.output.stream import OutputStream
from orvideo.output.tables import Cell, Column, aligned, page_lines, tab_separated
from orvideo.output.text import width
from tests.output.screens import HOSTILE, only_visible

COLUMNS = [
    Column("JOB"),
    Column("STATUS"),
    Column("MODEL", priority=4, flexible=True),
    Column("COST", right=True, priority=3),
    Column("PROMPT", priority=2, flexible=True, least=14),
]
ROWS: Sequence[Sequence[str | Cell]] = [
    ["vid_01", "completed", "google/veo-3.1-lite", Cell("$0.12", "0.12"), "a paper boat drifts down a rainy street"],
    ["vid_0234", "failed", "x-ai/grok-imagine-video", Cell("", ""), "雨の通りを紙の船が流れる、静かな夜に"],
]


def test_a_pipe_gets_every_column_whole_and_in_its_plain_form() -> None:
    assert list(tab_separated(ROWS)) == [
        "vid_01\tcompleted\tgoogle/veo-3.1-lite\t0.12\ta paper boat drifts down a rainy street",
        "vid_0234\tfailed\tx-ai/grok-imagine-video\t\t雨の通りを紙の船が流れる、静かな夜に",
    ]


def test_a_cell_cannot_make_a_column_or_a_line_of_its_own() -> None:
    assert list(tab_separated([["a\tb", "c\nd", "e\u2028f"]])) == ["a\\tb\tc\\nd\te<U+2028>f"]


def test_with_room_nothing_is_cut() -> None:
    lines = list(aligned(COLUMNS, ROWS, 120))
    assert lines == [
        "JOB       STATUS     MODEL                     COST  PROMPT",
        "vid_01    completed  google/veo-3.1-lite      $0.12  a paper boat drifts down a rainy street",
        "vid_0234  failed     x-ai/grok-imagine-video         雨の通りを紙の船が流れる、静かな夜に",
    ]


@pytest.mark.parametrize("cells", range(20, 120))
def test_a_table_is_never_wider_than_the_terminal(cells: int) -> None:
    lines = list(aligned(COLUMNS, ROWS, cells))
    assert max(map(width, lines)) <= cells
    assert all(name in "\n".join(lines) for name in ("vid_01", "vid_0234", "completed", "failed"))


def test_at_40_columns_the_least_wanted_columns_are_left_out() -> None:
    assert list(aligned(COLUMNS, ROWS, 40)) == [
        "JOB       STATUS     PROMPT",
        "vid_01    completed  a paper boat drift…",
        "vid_0234  failed     雨の通りを紙の船が…",
    ]


def test_what_fits_no_table_is_stacked_with_the_id_whole() -> None:
    identifier = "0b6324a0-7725-4a93-8f57-b3bb3348dfb0"
    rows = [[identifier, "completed", "", "", "a paper boat"], ["b", "failed", "", "", "x" * 60]]
    assert list(aligned(COLUMNS, rows, 40)) == [
        identifier,
        "  status: completed",
        "  prompt: a paper boat",
        "",
        "b",
        "  status: failed",
        "  prompt: " + "x" * 29 + "…",
    ]


@pytest.mark.drill("T01")
def test_hostile_cells_are_visible_and_measured_as_they_are_shown() -> None:
    columns = [Column("A"), Column("B", flexible=True)]
    lines = [*aligned(columns, [[HOSTILE, HOSTILE]], 400), *tab_separated([[HOSTILE]])]
    assert all(only_visible(line) for line in lines if "\t" not in line)
    assert "[bold]x[/bold] [/x]" in lines[-1]


def test_spaces_stay_outside_the_colour() -> None:
    columns = [Column("A", style=lambda text: "good"), Column("B")]
    sink = OutputStream(None, {"FORCE_COLOR": "1"})
    lines = list(aligned(columns, [["x", "y"], ["long", "z"]], 40, sink))
    assert lines == ["\x1b[1mA\x1b[0m     \x1b[1mB\x1b[0m", "\x1b[32mx\x1b[0m     y", "\x1b[32mlong\x1b[0m  z"]


def test_a_block_aligns_its_values() -> None:
    assert list(page_lines([("a", "1"), ("long", "2\n3"), "free \x1b"])) == ["a:    1", "long: 2\\n3", "free \\x1b"]


@pytest.mark.drill("F-D09")
def test_d09_columns_stand_under_each_other_whatever_the_script() -> None:
    rows = [["👨‍👩‍👧‍👦 می‌خواهم", "x"], ["क्‍षमा", "x"], ["\U0001f1e9\U0001f1ea a", "x"], ["a\u200db", "x"]]
    lines = list(aligned([Column("PROMPT", flexible=True), Column("END")], rows, 40))
    assert lines[1:] == [
        "👨‍👩‍👧‍👦 می‌خواهم  x",
        "क्‍षमा        x",
        "\U0001f1e9\U0001f1ea a        x",
        "a<U+200D>b  x",
    ]
    narrow = list(aligned([Column("PROMPT", flexible=True, least=6), Column("END")], rows, 11))
    assert narrow[1] == "👨‍👩‍👧‍👦 می‌…  x"
    assert all(width(line) <= 11 for line in narrow)


@pytest.mark.drill("F-D06")
def test_d06_a_page_is_folded_under_its_columns() -> None:
    rows = [("2", "usage: a bad option, input or file", "charged: no"), ("141", "the reader left", "charged: yes")]
    assert list(page_lines(rows, 52)) == [
        "2:   usage: a bad option, input or      charged: no",
        "     file",
        "141: the reader left                    charged: yes",
    ]
    assert list(page_lines(rows, 40)) == [
        "2:   usage: a bad option, input or file;",
        "     charged: no",
        "141: the reader left; charged: yes",
    ]
    assert list(page_lines(["-q    a value   one, two, three", "  a b c d", "a line of words"], 24)) == [
        "-q    a value   one,",
        "  two, three",
        "  a b c d",
        "a line of words",
    ]
    assert list(page_lines(["-q   one, two, three"], 14)) == ["-q   one, two,", "     three"]
