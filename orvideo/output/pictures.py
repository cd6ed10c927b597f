"""A picture as a terminal draws it: kitty's graphics protocol, iTerm2's inline images, sixel, or half blocks.

textual-image makes the sixels. Its own classes would ask the terminal what it is, on stdin, when they are imported.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from orvideo.output.capabilities import Colours, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

#: The size in pixels of a cell that says none: that of the VT340, by which Windows Terminal counts.
USUAL_CELL = 10, 20
#: kitty takes data in pieces of at most so many bytes.
_PIECE = 4096
#: Sixels take a second for so many pixels; cells of a sharp screen would have five times as many.
_MOST_IN_SIXELS = 500_000


class Room(NamedTuple):
    """The room for a picture, in cells; the size of a cell in pixels; the colours of half blocks."""

    columns: int
    rows: int
    cell: tuple[int, int] = USUAL_CELL
    colours: Colours = "truecolor"


class _Size(NamedTuple):
    """The size of a picture, in cells and in pixels."""

    columns: int
    rows: int
    pixels: tuple[int, int]


def drawn(image: Image, protocol: Protocol, room: Room) -> str:
    """Return what a terminal is sent to draw an image as large as there is room; the cursor is then below it."""
    image = image.convert("RGB")
    size = _fitted(image, room, _MOST_IN_SIXELS if protocol is Protocol.SIXEL else None)
    match protocol:
        case Protocol.KITTY:
            return _kitty(image, size) + "\n"
        case Protocol.ITERM2:
            return _iterm2(image, size) + "\n"
        case Protocol.SIXEL:
            return _sixel(image, size) + "\n"
        case Protocol.BLOCKS:
            return _blocks(image, size, room.colours)


def _fitted(image: Image, room: Room, most: int | None = None) -> _Size:
    """Return the largest size in the room, of at most so many pixels, that has the proportions of the image."""
    wide, high = room.cell
    factor = min(room.columns * wide / image.width, room.rows * high / image.height)
    if most is not None:
        factor = min(factor, (most / (image.width * image.height)) ** 0.5)
    columns = min(max(round(image.width * factor / wide), 1), room.columns)
    rows = min(max(round(image.height * factor / high), 1), room.rows)
    return _Size(columns, rows, (columns * wide, rows * high))


def _png(image: Image, size: _Size) -> bytes:
    """Return the image as a PNG with no more pixels than are shown."""
    if image.width > size.pixels[0]:
        image = image.resize(size.pixels)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _kitty(image: Image, size: _Size) -> str:
    data = b64encode(_png(image, size)).decode("ascii")
    pieces = [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
    # a=T draws it at once, f=100 is PNG, and q=2 asks for no answer: it would be typed into the shell.
    keys = [f"a=T,f=100,q=2,c={size.columns},r={size.rows},", *[""] * (len(pieces) - 1)]
    more = [*[1] * (len(pieces) - 1), 0]
    return "".join(f"\x1b_G{key}m={left};{piece}\x1b\\" for key, left, piece in zip(keys, more, pieces, strict=True))


def _iterm2(image: Image, size: _Size) -> str:
    png = _png(image, size)
    shape = f"width={size.columns};height={size.rows};preserveAspectRatio=1"
    return f"\x1b]1337;File=inline=1;size={len(png)};{shape}:{b64encode(png).decode('ascii')}\x07"


def _sixel(image: Image, size: _Size) -> str:
    from textual_image._sixel import image_to_sixels

    return image_to_sixels(image.resize(size.pixels))


def _blocks(image: Image, size: _Size, colours: Colours) -> str:
    """Return lines of half blocks, each with the colours of two pixels."""
    from rich.color import Color
    from rich.console import Console
    from rich.segment import Segment, Segments
    from rich.style import Style

    small = image.resize((size.columns, size.rows * 2))
    raw = small.tobytes()

    def colour(x: int, y: int) -> Color:
        start = 3 * (y * size.columns + x)
        return Color.from_rgb(*raw[start : start + 3])

    def cells() -> Iterator[Segment]:
        for row in range(size.rows):
            for x in range(size.columns):
                yield Segment("▀", Style(color=colour(x, 2 * row), bgcolor=colour(x, 2 * row + 1)))
            yield Segment.line()

    console = Console(
        file=None, width=size.columns, force_terminal=True, color_system=colours, legacy_windows=False, _environ={}
    )
    with console.capture() as captured:
        console.print(Segments(cells()), end="", crop=False)
    return captured.get()
