"""Tables and pages as lines: fitted to the width of a terminal, or tab-separated and whole for a pipe.

Not by rich.table: it cannot leave columns out, and its import adds more than half to the time of `orvideo jobs`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from orvideo.output.stream import OutputStream
from orvideo.output.text import fit, fold, visible, width

_GAP = "  "
#: A value has at least so many cells beside a third part of its line.
_VALUE_LEAST = 30
#: The last column that can be left out is first cut down to so many cells.
_SQUEEZED = 8


class Cell(NamedTuple):
    """A value as a person sees it (`2m`, `$0.12`), and as a script gets it (a time in full, `0.12`)."""

    shown: str
    plain: str


class Column(NamedTuple):
    """A column of a table.

    Where the terminal is too narrow, texts of `flexible` columns are cut, down to `least` cells; then columns are left
    out, the highest `priority` first and those of priority 0 never. `style(text)` returns the style of a cell.
    """

    title: str
    right: bool = False
    priority: int = 0
    flexible: bool = False
    least: int = 12
    style: Callable[[str], str | None] | None = None


Row = Sequence[str | Cell]
Table = tuple[Sequence[Column], list[Row]]
#: A stream without colours that can encode everything.
_ANY = OutputStream(None, {})


def tab_separated(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a tab-separated line for each row: all columns, nothing cut, tabs and newlines in a cell made visible."""
    for row in rows:
        yield "\t".join(visible(cell.plain if isinstance(cell, Cell) else cell) for cell in row)


def aligned(columns: Sequence[Column], rows: Iterable[Row], cells: int, stream: OutputStream = _ANY) -> Iterator[str]:
    """Yield the lines of a table with a heading, at most `cells` wide; a block for each row where no table fits."""
    texts = [[stream.printable(cell.shown if isinstance(cell, Cell) else cell) for cell in row] for row in rows]
    if not texts:
        return
    natural = [max(map(width, texts_of)) for texts_of in zip([one.title for one in columns], *texts, strict=True)]
    widths = _fitted(columns, natural, cells)
    if widths is None:
        yield from _stacked(columns, texts, cells, stream)
        return
    yield _line(columns, widths, [column.title for column in columns], stream, lambda column, text: "heading")
    for row in texts:
        yield _line(columns, widths, row, stream, _style)


def with_foot(table: Table, foot: str, cells: int, stream: OutputStream = _ANY) -> Iterator[str]:
    """Yield the lines of a table as `aligned` does, and below it a text about it, folded."""
    yield from aligned(*table, cells, stream)
    if foot:
        yield from (stream.styled(line, "faint") for line in fold(stream.printable(foot), cells, _GAP))


def _style(column: Column, text: str) -> str | None:
    return column.style(text) if column.style else None


def _line(
    columns: Sequence[Column],
    widths: dict[int, int],
    row: Sequence[str],
    stream: OutputStream,
    style: Callable[[Column, str], str | None],
) -> str:
    """Return a line of a table. Padding is not coloured, and no line ends in spaces."""
    parts: list[str] = []
    for place, cells in widths.items():
        text = fit(row[place], cells, ellipsis=stream.ellipsis)
        space = " " * (cells - width(text))
        painted = stream.styled(text, style(columns[place], row[place]))
        parts.append(space + painted if columns[place].right else painted + space)
    return _GAP.join(parts).rstrip(" ")


def _fitted(columns: Sequence[Column], natural: list[int], cells: int) -> dict[int, int] | None:
    """Return the width of each column that is shown, by its index; None if those of priority 0 do not fit."""
    kept = list(range(len(columns)))
    while (widths := _shrunk(columns, natural, kept, cells)) is None:
        least_wanted = max(kept, key=lambda place: (columns[place].priority, place))
        if columns[least_wanted].priority == 0:
            return None
        kept.remove(least_wanted)
    return widths


def _shrunk(columns: Sequence[Column], natural: list[int], kept: list[int], cells: int) -> dict[int, int] | None:
    """Return the widths with the flexible columns made narrower, the widest first; None if they still do not fit."""
    widths = {place: natural[place] for place in kept}
    least = {place: columns[place].least for place in kept}
    could_go = [place for place in kept if columns[place].priority > 0]
    if len(could_go) == 1:
        least[could_go[0]] = min(least[could_go[0]], _SQUEEZED)
    excess = sum(widths.values()) + len(_GAP) * (len(kept) - 1) - cells
    while excess > 0:
        giving = [place for place in kept if columns[place].flexible and widths[place] > least[place]]
        if not giving:
            return None
        widest = max(giving, key=lambda place: widths[place])
        others = [widths[place] for place in giving if widths[place] < widths[widest]]
        floor = max([least[widest], *others])
        given = min(excess, max(widths[widest] - floor, 1))
        widths[widest] -= given
        excess -= given
    return widths


def _stacked(columns: Sequence[Column], texts: list[list[str]], cells: int, stream: OutputStream) -> Iterator[str]:
    """Yield each row as a block: its first cell whole, then an indented `title: value` line for each other cell."""
    for number, row in enumerate(texts):
        if number:
            yield ""
        yield stream.styled(row[0], _style(columns[0], row[0]))
        for column, text in list(zip(columns, row, strict=True))[1:]:
            label = f"{_GAP}{column.title.lower()}: "
            if text:
                room = max(cells - width(label), column.least)
                yield label + stream.styled(fit(text, room, ellipsis=stream.ellipsis), _style(column, text))


def page_lines(lines: Iterable[str | tuple[str, ...]], cells: int | None = None) -> Iterator[str]:
    """Yield the lines of a page of texts and `(label, value)` pairs, folded to `cells` where these are given.

    Values are aligned. The third part of a triple is a column of its own where there is room, else follows the value.
    """
    shown = [[visible(part) for part in ((line,) if isinstance(line, str) else line)] for line in lines]
    start = max((width(row[0]) + (row[0] != "") for row in shown if len(row) > 1), default=0) + 1
    beside = max((width(row[2]) for row in shown if len(row) > 2), default=0) + len(_GAP)
    room = 0 if cells is None else cells - start - beside
    for label, *values in shown:
        if not values:
            yield from _folded(label, cells, _indent(label))
        elif values[1:] and room >= _VALUE_LEAST:
            value, *more = fold(values[0], room)
            yield _labelled(label, value, start) + " " * (room - width(value)) + _GAP + values[1]
            yield from (" " * start + line for line in more)
        else:
            yield from _folded(_labelled(label, "; ".join(values), start).rstrip(" "), cells, " " * start)


def _labelled(label: str, value: str, start: int) -> str:
    label = label and label + ":"
    return label + " " * (start - width(label)) + value


def _folded(text: str, cells: int | None, indent: str) -> list[str]:
    return [text] if cells is None else fold(text, cells, indent if len(indent) <= cells // 2 else _GAP)


def _indent(line: str) -> str:
    """Return the indent for the folded rest of a line: that of its last column, where it has columns."""
    gaps = [gap.end() for gap in re.finditer(r"^ +|  +", line)]
    return " " * gaps[-1] if gaps else ""
