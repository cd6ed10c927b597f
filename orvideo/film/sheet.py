"""A contact sheet: frames of one video or of several in one picture, with names and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import UsageError
from orvideo.film.moment import Moment
from orvideo.film.stills import Source
from orvideo.installers import needing

if TYPE_CHECKING:
    from PIL import Image

#: Pixels of a sheet at most: some 120 MB while it is drawn. More videos have smaller frames.
MAX_PIXELS = 40_000_000
#: The narrowest frame that one can see something in, in pixels.
_NARROWEST = 48
_MARGIN, _GAP = 16, 8
#: How high a frame may be for its width: a phone's 9:16 stays whole.
_TALLEST = Fraction(16, 9)
_GROUND, _TEXT, _FAINT = (24, 24, 27), (244, 244, 245), (161, 161, 170)
_GRID = re.compile(r"(?P<columns>[1-9][0-9]?)x(?P<rows>[1-9][0-9]?)", re.IGNORECASE)


class Grid(NamedTuple):
    """So many frames beside each other, and so many rows of them."""

    columns: int
    rows: int


class Strip(NamedTuple):
    """A video of a sheet: where it is, and what stands above its frames."""

    path: Path
    title: str


class Cell(NamedTuple):
    """A frame of a sheet, in seconds after the first; the picture is None where the frame is damaged."""

    seconds: Fraction
    image: Image.Image | None


class Sheet(NamedTuple):
    """A sheet, and the cells of each video."""

    image: Image.Image
    cells: list[list[Cell]]


def parse_grid(text: str) -> Grid:
    """Return the grid that `4x3` stands for. Raises UsageError."""
    if (found := _GRID.fullmatch(text.strip())) is None:
        raise UsageError(f"{text!r} is no grid.", hint="say columns x rows, such as 4x3; at most 99x99")
    return Grid(int(found["columns"]), int(found["rows"]))


def sheet(strips: Sequence[Strip], grid: Grid, width: int) -> Sheet:
    """Return a sheet at most so wide: one video fills the grid, several have a row of its columns each.

    Raises UsageError where a video cannot be read, or there is no room.
    """
    with needing("film", "A contact sheet"):
        from PIL import Image
    rows = grid.rows if len(strips) == 1 else 1
    sources = [Source(strip.path) for strip in strips]
    sizes = [source.size for source in sources]
    layout = _fitting(sizes, Grid(grid.columns, rows), width)
    picture = Image.new("RGB", (layout.width, layout.height), _GROUND)
    cells, top = [], _MARGIN
    for strip, source, size in zip(strips, sources, sizes, strict=True):
        _write(picture, (_MARGIN, top), strip.title, (layout.width - 2 * _MARGIN, layout.line), _TEXT)
        top += layout.line
        box = layout.box(size)
        cells.append(list(_cells(source, grid.columns * rows, box)))
        for number, cell in enumerate(cells[-1]):
            row, column = divmod(number, grid.columns)
            left = _MARGIN + column * (layout.cell + _GAP)
            _draw_cell(picture, cell, (left, top + row * (box[1] + layout.line)), box, layout)
        top += rows * (box[1] + layout.line) + _GAP
    return Sheet(picture, cells)


class _Layout(NamedTuple):
    """The sizes of a sheet in pixels: of the whole, the width of a cell, and the height of a line of text."""

    width: int
    height: int
    cell: int
    line: int

    def box(self, size: tuple[int, int]) -> tuple[int, int]:
        return _box(size, self.cell)


def _box(size: tuple[int, int], cell: int) -> tuple[int, int]:
    """Return the size of a video's frames in cells of a width; none is larger than it is."""
    scale = min(Fraction(1), Fraction(cell, size[0]), cell * _TALLEST / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _fitting(sizes: Sequence[tuple[int, int]], grid: Grid, width: int) -> _Layout:
    """Return the sizes of the largest sheet that is no wider than asked for, and not too large as a whole."""
    gaps = 2 * _MARGIN + (grid.columns - 1) * _GAP
    cell = min((width - gaps) // grid.columns, max(_NARROWEST, *(_box(size, width)[0] for size in sizes)))
    while cell >= _NARROWEST:
        line = max(15, round(cell * 0.055))
        heights = (line + grid.rows * (_box(size, cell)[1] + line) + _GAP for size in sizes)
        layout = _Layout(gaps + grid.columns * cell, 2 * _MARGIN + sum(heights), cell, line)
        if layout.width * layout.height <= MAX_PIXELS:
            return layout
        cell = cell * 9 // 10
    if len(sizes) == 1:
        raise UsageError(
            f"So many frames have no room in {width} pixels.", hint="a smaller --grid, or a larger --width"
        )
    raise UsageError(
        f"{len(sizes)} videos have no room on one sheet of {width} pixels with {grid.columns} columns.",
        hint="name fewer videos, or take fewer columns: --grid 2x1",
    )


def _cells(source: Source, count: int, box: tuple[int, int]) -> Iterator[Cell]:
    """Yield frames evenly from the first to the last, each once."""
    from PIL import Image

    shown: set[Fraction] = set()
    for seconds in source.spread(count):
        try:
            still = source.still(Moment(seconds))
        except UsageError:
            yield Cell(seconds, None)
            continue
        if still.seconds not in shown:
            shown.add(still.seconds)
            small = still.image if still.image.size == box else still.image.resize(box, Image.Resampling.LANCZOS)
            yield Cell(still.seconds, small)


def _draw_cell(picture: Image.Image, cell: Cell, at: tuple[int, int], box: tuple[int, int], layout: _Layout) -> None:
    left, top = at
    label = f"{float(cell.seconds):.2f}s"
    if cell.image is not None:
        picture.paste(cell.image, (left + (layout.cell - box[0]) // 2, top))
    else:
        label += " damaged"
    _write(picture, (left, top + box[1]), label, (layout.cell, layout.line), _FAINT)


def _write(
    picture: Image.Image, at: tuple[int, int], text: str, room: tuple[int, int], fill: tuple[int, int, int]
) -> None:
    """Write one line, cut to the room that there is."""
    from orvideo.lettering.typeset import plain, set_text

    width, height = room
    size = height * 0.72
    block = set_text(plain(text), width, height, largest=size, smallest=size)
    block.draw(picture, at[0], at[1] + max(0, round((height - block.size * 1.25) / 2)), fill)
