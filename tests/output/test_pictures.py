"""Pictures in the terminal: which protocol where, and what a terminal then makes of the bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import pytest
from PIL import Image, ImageChops

from orvideo.output.capabilities import Protocol, picture_protocol
from orvideo.output.pictures import Room, drawn
from tests.output import pictures
from tests.output.pictures import Seen
from tests.output.screens import on_screen, over_memory, terminal_on

DECODED: Mapping[Protocol, Callable[[str], Seen]] = {
    Protocol.KITTY: pictures.kitty,
    Protocol.ITERM2: pictures.iterm2,
    Protocol.SIXEL: pictures.sixel,
    Protocol.BLOCKS: pictures.blocks,
}
XTERM = {"TERM": "xterm-256color"}


def scene(width: int = 320, height: int = 180) -> Image.Image:
    """Return a picture of large patches in some colours: nothing is lost where a protocol has a palette."""
    dice = random.Random(4)
    image = Image.new("RGB", (width, height))
    for x in range(0, width, 40):
        for y in range(0, height, 36):
            image.paste(tuple(dice.choice((0, 102, 153, 255)) for _ in range(3)), (x, y, x + 40, y + 36))
    return image


def difference(one: Image.Image, other: Image.Image) -> int:
    """Return by how much the most different pixels of two pictures of one size differ."""
    assert one.size == other.size
    return max(high for _, high in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({**XTERM, "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({**XTERM, "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({**XTERM, "KONSOLE_VERSION": "230804"}, "kitty"),
        ({**XTERM, "KONSOLE_VERSION": "210401"}, "blocks"),
        ({**XTERM, "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({**XTERM, "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({**XTERM, "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({**XTERM, "TERM_PROGRAM": "mintty"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "mlterm-256color"}, "sixel"),
        ({"WT_SESSION": "1"}, "sixel"),
        ({**XTERM, "WT_SESSION": "1"}, "sixel"),
        # A terminal that was started in another one has its variables too.
        ({**XTERM, "TERM_PROGRAM": "vscode", "KITTY_WINDOW_ID": "1", "WT_SESSION": "1"}, "blocks"),
        ({**XTERM, "VTE_VERSION": "7600", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "foot", "KITTY_WINDOW_ID": "1"}, "sixel"),
        # What is between does not pass pictures on.
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "screen-256color", "STY": "1", "TERM_PROGRAM": "iTerm.app"}, "blocks"),
        ({**XTERM, "ZELLIJ": "0", "WT_SESSION": "1"}, "blocks"),
        (XTERM, "blocks"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "blocks"),
        ({"TERM": "xterm-direct"}, "blocks"),
        ({"TERM": "xterm"}, None),
        ({"TERM": "linux"}, None),
        ({}, None),
    ],
)
def test_the_protocol_of_a_terminal(environ: dict[str, str], found: str | None) -> None:
    assert picture_protocol(environ) == found
    assert over_memory(environ, tty=True).terminal.picture_protocol("auto") == found
    assert over_memory(environ).terminal.picture_protocol("auto") is None


@pytest.mark.parametrize(
    ("environ", "modes"),
    [
        ({"TERM": "dumb"}, {}),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, {}),
        ({"TERM": "xterm-kitty", "CI": "true"}, {}),
        ({"TERM": "xterm-kitty"}, {"json": True}),
    ],
)
def test_nothing_is_drawn_where_a_person_did_not_want_it(environ: dict[str, str], modes: dict[str, bool]) -> None:
    terminal = over_memory(environ, tty=True, **modes).terminal
    assert [terminal.picture_protocol(wanted) for wanted in ("auto", "off", "kitty", "blocks")] == [None] * 4


def test_the_setting_names_the_protocol_and_no_pipe_gets_a_picture() -> None:
    for name in Protocol:
        assert over_memory({"TERM": "xterm"}, tty=True).terminal.picture_protocol(name) == name
        assert over_memory({"TERM": "xterm"}).terminal.picture_protocol(name) is None
    assert over_memory({"TERM": "xterm-kitty"}, tty=True).terminal.picture_protocol("off") is None


@pytest.mark.parametrize("protocol", [Protocol.KITTY, Protocol.ITERM2])
def test_a_picture_that_is_no_larger_than_the_room_is_sent_pixel_by_pixel(protocol: Protocol) -> None:
    image = scene()
    seen = DECODED[protocol](drawn(image, protocol, Room(79, 22)))
    assert difference(seen.image, image) == 0


def test_kitty_is_told_the_cells_and_to_draw_at_once_and_not_to_answer() -> None:
    keys = pictures.kitty(drawn(scene(), Protocol.KITTY, Room(40, 22, (10, 20)))).keys
    assert keys == {"a": "T", "f": "100", "q": "2", "c": "40", "r": "11"}


def test_iterm2_is_told_the_cells_and_to_draw_in_the_line() -> None:
    keys = pictures.iterm2(drawn(scene(), Protocol.ITERM2, Room(40, 22, (10, 20)))).keys
    del keys["size"]
    assert keys == {"inline": "1", "width": "40", "height": "11", "preserveAspectRatio": "1"}


def test_sixels_have_the_pixels_of_their_cells_and_the_colours_of_the_picture() -> None:
    image = scene()
    seen = pictures.sixel(drawn(image, Protocol.SIXEL, Room(32, 22, (10, 20))))
    assert seen.image.size == (320, 180)
    # A sixel's colours are percentages.
    assert difference(seen.image, image) <= 3


def test_half_blocks_are_two_pixels_each() -> None:
    image = scene()
    seen = pictures.blocks(drawn(image, Protocol.BLOCKS, Room(40, 22, (10, 20))))
    assert seen.image.size == (40, 22)
    assert difference(seen.image, image.resize((40, 22))) == 0


@pytest.mark.parametrize("cell", [(10, 20), (7, 15), (22, 46)])
@pytest.mark.parametrize("shape", [(1920, 1080), (1080, 1920), (4000, 40), (3, 2)])
@pytest.mark.parametrize("room", [(39, 22), (79, 11), (200, 5), (1, 1)])
def test_a_picture_fits_its_room_and_keeps_its_proportions(
    cell: tuple[int, int], shape: tuple[int, int], room: tuple[int, int]
) -> None:
    keys = pictures.kitty(drawn(Image.new("RGB", shape), Protocol.KITTY, Room(*room, cell))).keys
    columns, rows = int(keys["c"]), int(keys["r"])
    assert 1 <= columns <= room[0]
    assert 1 <= rows <= room[1]
    assert columns == room[0] or rows == room[1]
    # To the nearest cell.
    assert abs(columns * cell[0] - rows * cell[1] * shape[0] / shape[1]) <= max(cell[0], cell[1] * shape[0] / shape[1])


def test_no_more_pixels_are_sent_than_are_shown() -> None:
    seen = pictures.kitty(drawn(scene(3200, 1800), Protocol.KITTY, Room(40, 40, (10, 20))))
    assert seen.image.size == (400, 220)


def test_sixels_of_a_sharp_screen_are_fewer_than_it_has_room_for() -> None:
    width, height = pictures.sixel(drawn(scene(), Protocol.SIXEL, Room(150, 60, (20, 40)))).image.size
    assert 450_000 < width * height < 550_000


# 16:9, in cells that are twice as high as wide; in 80 columns and 24 lines the lines are what is short.
@pytest.mark.parametrize(("columns", "size"), [(40, (39, 11)), (80, (78, 22))])
def test_half_blocks_wrap_nowhere_and_leave_the_cursor_below(columns: int, size: tuple[int, int]) -> None:
    with on_screen(columns, {"COLORTERM": "truecolor"}) as (screen, terminal):
        terminal.picture(scene(), Protocol.BLOCKS)
        terminal.answer("below")
        lines = screen.wait_for(lambda lines: lines[-1] == "below")
        assert lines[:-1] == ["▀" * size[0]] * size[1]
        first = scene().resize((size[0], 2 * size[1])).getpixel((0, 0))
        assert screen.drawn().buffer[0][0].fg == bytes(first).hex()  # type: ignore[arg-type]


def test_the_size_of_a_cell_is_what_the_terminal_says() -> None:
    for cell in ((8, 16), (20, 40)):
        with on_screen(41, {"TERM": "foot"}, cell=cell) as (screen, terminal):
            terminal.picture(scene(), Protocol.SIXEL)
            terminal.answer("below")
            screen.wait_for(lambda lines: any("below" in line for line in lines))
            width, height = pictures.sixel(screen.raw.decode()).image.size
            assert (width, height % cell[1]) == (40 * cell[0], 0)


def test_a_picture_has_at_most_its_share_of_the_lines() -> None:
    said = over_memory({"TERM": "xterm-kitty", "COLUMNS": "200"}, tty=True)
    said.terminal.picture(scene(), Protocol.KITTY, share=0.5)
    assert pictures.kitty(said.out).keys["r"] == "11"


def test_a_stream_that_has_no_blocks_gets_none() -> None:
    said = over_memory(XTERM, tty=True)
    said.stdout.reconfigure(encoding="ascii")
    terminal = terminal_on(said.stdout, said.stderr, None, XTERM)
    assert terminal.picture_protocol("auto") is None
