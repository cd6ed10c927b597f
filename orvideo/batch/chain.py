"""Rows that take a picture from the video of another row: `row:3` or `row:NAME`, or --chain for the whole file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from orvideo.batch.rows import Link, Row, Trouble
from orvideo.catalogue.sizes import parse_ratio, parse_size
from orvideo.errors import Rejected, UsageError
from orvideo.film.moment import LAST, split_moment
from orvideo.request.checking import nearest
from orvideo.request.frames import USUAL

if TYPE_CHECKING:
    from orvideo.api.values import VideoModel

#: The pictures that make videos follow one another.
_FRAMES = ("first_frame", "last_frame")
#: With one of these a row says itself how it begins, and --chain leaves it alone.
_BEGINNINGS = ("first_frame", "previous_job_id")
_WORD = re.compile(r"\s*row:\s*(?P<rest>.*?)\s*", re.IGNORECASE | re.DOTALL)
#: What stands for no row: with it a row of --chain begins with no picture.
_NO_ROW = "none"
#: So many lines of a circle are named.
_MOST_NAMED = 10


def link_rows(rows: Sequence[Row], *, chain: bool = False, is_whole: bool = True) -> tuple[list[Row], list[Trouble]]:
    """Return the rows with the links that their `row:` words stand for, and the lines whose words stand for nothing.

    With `chain` each row that does not say how it begins does so with the last frame of the one before it. Where the
    file is not `is_whole`, a row that is not there may be one that could not be read, which is told already.
    """
    names = _Names(rows)
    linked: list[Row] = []
    troubles: list[Trouble] = []
    before: Row | None = None
    for row in rows:
        try:
            one = _linked(row, names)
        except _NoSuchRow as missing:
            troubles += [Trouble(row.line, missing.message)] if is_whole else []
        except UsageError as problem:
            troubles.append(Trouble(row.line, problem.message))
        else:
            if chain and before is not None and not _begins_by_itself(row):
                one = replace(one, fields={**one.fields, "first_frame": Link(before.number, LAST)})
            linked.append(one)
        before = row
    if not any(row.links for row in linked):
        return linked, troubles
    depths, circles = _depths(linked)
    return [replace(row, depth=depths[row.number]) for row in linked if row.number in depths], troubles + circles


def _begins_by_itself(row: Row) -> bool:
    frames = row.fields.get("frame_images")
    kinds = [frame.get("frame_type") for frame in frames if isinstance(frame, dict)] if isinstance(frames, list) else []
    return "first_frame" in kinds or any(name in row.fields for name in _BEGINNINGS)


# --- what a word stands for -----------------------------------------------------------------------------------------


class _NoSuchRow(UsageError):
    """A word names a row that is not there."""


class _Names:
    """The rows of a file by what a word may call them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_number = {row.number: row for row in rows}
        self.by_name: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row.name is not None:
                self.by_name[row.name.strip()].append(row)

    def find(self, name: str) -> Row:
        """Return the row of a number or a name; raises UsageError where that is none, or several."""
        found = list(self.by_name.get(name, ()))
        if re.fullmatch("[0-9]{1,9}", name) and (numbered := self.by_number.get(int(name))) is not None:
            found += [numbered] if numbered not in found else []
        if len(found) > 1:
            lines = " and ".join(str(row.line) for row in found[:_MOST_NAMED])
            raise UsageError(f"row:{name} may be any of these: lines {lines}.")
        if not found:
            raise _NoSuchRow(self._missing(name))
        return found[0]

    def _missing(self, name: str) -> str:
        if not name:
            return "row: names no row; it is followed by a row's number or name, as in row:3."
        if name.isdigit():
            return f"There is no row {name[:20]}; the file has {len(self.by_number)}."
        near = nearest(name, list(self.by_name))
        guess = f" Did you mean row:{near}?" if near else ""
        if name.rpartition(":")[0] in {*self.by_name, *map(str, self.by_number)}:
            guess = " A moment is first, last, or a time such as 2.5s."
        return f"There is no row that is named {name[:80]!r}.{guess}"


def _linked(row: Row, names: _Names) -> Row:
    """Return a row with links in place of its `row:` words; most rows have none, and stay the same."""

    def read(field: str, value: object) -> object:
        found = _WORD.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return value
        name, moment = split_moment(found["rest"])
        other = names.find(name.strip())
        if other.number == row.number:
            raise UsageError(f"{field} is a picture of the row's own video, which is not there before it.")
        return Link(other.number, moment or USUAL[field])

    fields = dict(row.fields)
    first = fields.get("first_frame")
    word = _WORD.fullmatch(first) if isinstance(first, str) else None
    bare = word is not None and word["rest"].casefold() == _NO_ROW
    if bare:
        if named := names.by_name.get(word["rest"] if word is not None else ""):
            raise UsageError(f"{first} is no picture, or the row of that name (line {named[0].line}); rename that one.")
        del fields["first_frame"]
    for field in USUAL:
        value = fields.get(field)
        if value is not None:
            fields[field] = [read(field, item) for item in value] if isinstance(value, list) else read(field, value)
    return replace(row, fields=fields, begins_bare=bare) if bare or fields != row.fields else row


# --- the order of need ----------------------------------------------------------------------------------------------


def _depths(rows: Sequence[Row]) -> tuple[dict[int, int], list[Trouble]]:
    """Return how many rows come before each one in its chain, and the circles; their rows have no depth."""
    lines = {row.number: row.line for row in rows}
    needs = {row.number: {link.row for link in row.links} & lines.keys() for row in rows}
    circles: list[Trouble] = []
    while True:
        try:
            order = list(TopologicalSorter(needs).static_order())
            break
        except CycleError as error:
            circle: list[int] = error.args[1][::-1]  # each waits for the next, and the last is the first
            circles.append(_circle([lines[number] for number in circle]))
            for number in circle:
                needs.pop(number, None)
            needs = {number: others & needs.keys() for number, others in needs.items()}
    depths: dict[int, int] = {}
    for number in order:
        depths[number] = max((depths[other] + 1 for other in needs[number]), default=0)
    return depths, circles


def _circle(lines: Sequence[int]) -> Trouble:
    named = [f"line {line} for line {other}" for line, other in pairwise(lines)]
    more = ", and so on" if len(named) > _MOST_NAMED else ""
    return Trouble(min(lines), f"Rows wait for each other in a circle: {', '.join(named[:_MOST_NAMED])}{more}.")


def chains_of(rows: Sequence[Row]) -> list[list[int]]:
    """Return the chains by the numbers of their rows: those that begin or end with pictures of each other's videos.

    A reference is no part of a film's course, and joins no chain.
    """
    chains = {row.number: [row.number] for row in rows}
    for row in rows:
        for field in _FRAMES:
            link = row.fields.get(field)
            if isinstance(link, Link) and link.row in chains and (other := chains[link.row]) is not chains[row.number]:
                longer, shorter = sorted((other, chains[row.number]), key=len, reverse=True)
                longer += shorter
                chains |= dict.fromkeys(shorter, longer)
    return [sorted(chain) for number, chain in chains.items() if len(chain) > 1 and number == min(chain)]


# --- what is known of a picture before it is there ------------------------------------------------------------------


def refuse_late_moments(row: Row, requests: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse a moment after the end of the video that another row asks for, before that video is paid for.

    `requests` are those of the rows before it, by their numbers. Raises UsageError.
    """
    for link in row.links:
        length = requests.get(link.row, {}).get("duration")
        if length is not None and link.moment.seconds is not None and link.moment.seconds > length:
            raise UsageError(f"The video of row {link.row} will be {length} s long, and has no {link.moment.text}.")


def refuse_unlisted_frames(row: Row, model: VideoModel | None) -> None:
    """Refuse a picture of another row where the catalogue does not list that the model takes one.

    Where a request is refused nothing is lost, but for a chain the video before it is paid for. Raises Rejected.
    """
    if model is None or model.supported_frame_images is not None:
        return
    for field in _FRAMES:
        if isinstance(link := row.fields.get(field), Link):
            raise Rejected(
                f"The catalogue does not say that {model.id} takes a {field.replace('_', ' ')}, and the video of row "
                f"{link.row} would be paid for before that shows (--no-check sends it)."
            )


def frame_shape(row: Row, requests: Mapping[int, Mapping[str, Any]]) -> tuple[int, int] | None:
    """Return the width and height, or numbers in the same ratio, of the frame that a row will begin with.

    None where it begins with no other row's frame, and where the request of that row does not tell.
    """
    link = row.fields.get("first_frame")
    if not isinstance(link, Link):
        return None
    request = requests.get(link.row, {})
    if size := parse_size(request.get("size") or ""):
        return size
    ratio = parse_ratio(request.get("aspect_ratio") or "")
    return (ratio.numerator, ratio.denominator) if ratio else None
