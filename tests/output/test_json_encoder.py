"""JSON: money exact, times in UTC, and nothing in it that is not JSON or that a terminal obeys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orvideo.output.json_encoder import encode
from tests.output.screens import HOSTILE


@pytest.mark.drill("X07")
@pytest.mark.parametrize("digits", ["0.40", "0.1", "1.008", "0.00000350", "123456789.123456789123", "0", "1E+2"])
def test_an_amount_is_a_number_with_its_own_digits(digits: str) -> None:
    assert encode({"usd": Decimal(digits)}) == f'{{"usd":{digits}}}'


@pytest.mark.drill("P09")
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("Infinity")])
def test_what_json_has_no_number_for_is_null(odd: float | Decimal) -> None:
    assert encode({"cost": odd, "deep": [odd]}) == '{"cost":null,"deep":[null]}'


@pytest.mark.drill("T06")
def test_nothing_in_a_document_is_obeyed_by_a_terminal() -> None:
    text = encode({"prompt": HOSTILE, HOSTILE: 1})
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["prompt"] == HOSTILE


def test_values_of_the_house() -> None:
    class Status(StrEnum):
        DONE = "completed"

    class Quote:
        def as_json(self) -> dict[str, Any]:
            return {"usd": Decimal("0.12")}

    value = {
        "at": datetime(2026, 11, 21, 2, 38, tzinfo=UTC),
        "path": Path("a/caf\udce9.mp4"),
        "status": Status.DONE,
        "quote": Quote(),
        "sizes": ("a", 1, True, None),
    }
    assert encode(value) == (
        '{"at":"2026-11-21T02:38:00Z","path":"a/caf\\udce9.mp4","status":"completed","quote":{"usd":0.12},'
        '"sizes":["a",1,true,null]}'
    )


def test_a_document_is_never_lost_to_one_absurd_field() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    answer = json.loads(encode({"id": "vid_1", "extra": deep}))
    assert answer["id"] == "vid_1"
    # Taken apart level by level: the interpreter would not survive letting go of it at once.
    while deep:
        deep = deep.pop()


def test_what_has_no_place_in_json_is_a_bug_and_not_a_guess() -> None:
    with pytest.raises(TypeError):
        encode({"raw": b"bytes"})


@settings(max_examples=30)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=20)
)
def test_plain_values_come_back(value: object) -> None:
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize("layout", [lambda value: encode(value), lambda value: encode(value, indent=2)])
def test_a_text_cannot_pose_as_an_amount(layout: Callable[[object], str]) -> None:
    value = {"prompt": '"0.40"', "cost": Decimal("0.40"), "0.40": "0.40"}
    assert json.loads(layout(value)) == {"prompt": '"0.40"', "cost": 0.4, "0.40": "0.40"}
