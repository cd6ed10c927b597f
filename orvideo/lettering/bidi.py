"""Text of two directions on one line: which pieces there are, and in which order they stand from left to right.

The part of Unicode's bidirectional algorithm (UAX 9) that prompts need: letters, numbers and what is between them.
Marks that embed or override a direction do not come this far (`typeset.plain`).
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import NamedTuple

#: Beside a number, these belong to it: 1.5, 10 %, -3.
_OF_NUMBERS = {"ES", "ET", "CS"}


class Piece(NamedTuple):
    """Text of one direction."""

    text: str
    rtl: bool


def runs_right_to_left(text: str) -> bool:
    """Say whether a text as a whole goes from right to left, which its first letter with a direction decides."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), False)


def pieces(text: str, *, rtl: bool) -> list[Piece]:
    """Return the pieces of a line in the order in which they stand, from left to right."""
    levels = _levels(text, rtl)
    runs = [
        ("".join(text[at] for at in places), level)
        for level, places in ((level, list(group)) for level, group in groupby(range(len(text)), levels.__getitem__))
    ]
    for level in range(max(levels, default=0), 0, -1):
        runs = _turned(runs, level)
    return [Piece(run, level % 2 == 1) for run, level in runs]


def _turned(runs: list[tuple[str, int]], least: int) -> list[tuple[str, int]]:
    """Return the runs with each row of those at a level, or above it, the other way round."""
    found: list[tuple[str, int]] = []
    for inside, group in groupby(runs, lambda run: run[1] >= least):
        row = list(group)
        found += reversed(row) if inside else row
    return found


def _levels(text: str, rtl: bool) -> list[int]:
    """Return the level of each letter: even ones go from left to right."""
    outer = "R" if rtl else "L"
    kinds = _resolved(text, outer)
    for start, end in _neutral_spans(kinds):
        sides = {"L" if side == "L" else "R" for side in (*kinds[max(0, start - 1) : start], *kinds[end : end + 1])}
        if start == 0 or end == len(kinds):
            sides.add(outer)
        kinds[start:end] = [sides.pop() if len(sides) == 1 else outer] * (end - start)
    of_kind = {"R": 1, "L": 2, "N": 2} if rtl else {"L": 0, "R": 1, "N": 2}
    return [of_kind[kind] for kind in kinds]


def _resolved(text: str, outer: str) -> list[str]:
    """Return L, R, N (a number among R) or nothing (neutral) for each letter."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    found: list[str] = []
    strong = outer
    for at, kind in enumerate(kinds):
        if kind in ("L", "R", "AL"):
            strong = "L" if kind == "L" else "R"
            found.append(strong)
        elif kind in ("EN", "AN"):
            found.append("N" if strong == "R" or kind == "AN" else "L")
        elif found and (kind in ("NSM", "BN") or (kind in _OF_NUMBERS and _beside_number(kinds, at))):
            found.append(found[-1])
        else:
            found.append("")
    return found


def _beside_number(kinds: list[str], at: int) -> bool:
    """Say whether a sign stands between two numbers, or, such as %, right after one."""
    before, after = kinds[at - 1], kinds[at + 1 : at + 2]
    return before in ("EN", "AN") and (kinds[at] == "ET" or after in (["EN"], ["AN"]))


def _neutral_spans(kinds: list[str]) -> list[tuple[int, int]]:
    spans, at = [], 0
    for kind, group in groupby(list(kinds)):
        count = len(list(group))
        if not kind:
            spans.append((at, at + count))
        at += count
    return spans
