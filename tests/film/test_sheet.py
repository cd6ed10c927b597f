"""A contact sheet shows the frames that it names, in their places, however many videos there are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from orvideo.errors import UsageError
from orvideo.film.sheet import MAX_PIXELS, Grid, Strip, parse_grid, sheet
from tests.film.clips import Making, decoded, difference, make

GROUND = (24, 24, 27)
#: Where the first cell is: the margin, and a line of text.
LEFT, TOP, LINE, GAP = 16, 31, 15, 8


def clip(path: Path, **making: object) -> Path:
    return make(path, Making(**{"times": range(48), **making}))  # type: ignore[arg-type]


def near(whole: list[Image.Image], picture: Image.Image) -> int:
    """Return the number of the frame that a picture is."""
    differences = [difference(one.resize(picture.size), picture) for one in whole]
    assert min(differences) < 1
    return differences.index(min(differences))


def test_one_video_fills_the_grid_from_the_first_frame_to_the_last(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4")
    whole = [one.image for one in decoded(path)]
    made = sheet([Strip(path, "clip.mp4")], Grid(4, 3), 1600)
    ((*cells,),) = made.cells
    expected = [47 * number // 11 for number in range(12)]
    assert [cell.seconds for cell in cells] == [Fraction(number, 24) for number in expected]
    for place, number in enumerate(expected):
        row, column = divmod(place, 4)
        left, top = LEFT + column * (96 + GAP), TOP + row * (64 + LINE)
        assert made.image.crop((left, top, left + 96, top + 64)).tobytes() == whole[number].tobytes()
        below = made.image.crop((left, top + 64, left + 96, top + 64 + LINE))
        assert difference(below, Image.new("RGB", below.size, GROUND)) > 1, "a time stands under each frame"
    assert made.image.size == (2 * LEFT + 4 * 96 + 3 * GAP, 2 * LEFT + LINE + 3 * (64 + LINE) + GAP)


def test_of_several_videos_each_has_a_row(tmp_path: Path) -> None:
    paths = [clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", size=(64, 96)), clip(tmp_path / "c.mp4", times=[0])]
    made = sheet([Strip(path, path.name) for path in paths], Grid(3, 7), 1600)
    assert [[cell.seconds for cell in row] for row in made.cells] == [
        [0, Fraction(23, 24), Fraction(47, 24)],
        [0, Fraction(23, 24), Fraction(47, 24)],
        [0],
    ]
    whole = [one.image for one in decoded(paths[1])]
    top = TOP + 64 + LINE + GAP + LINE
    for column, number in enumerate((0, 23, 47)):
        left = LEFT + column * (96 + GAP) + 16  # in the middle of its cell
        assert near(whole, made.image.crop((left, top, left + 64, top + 96))) == number


def test_frames_are_made_smaller_to_the_width_and_never_larger(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", size=(640, 360))
    whole = [one.image for one in decoded(path)]
    made = sheet([Strip(path, "clip.mp4")], Grid(2, 1), 400)
    assert made.image.width == 400
    seen = made.image.crop((LEFT, TOP, LEFT + 180, TOP + 101))
    assert difference(seen, whole[0].resize((180, 101), Image.Resampling.LANCZOS)) < 1
    wide = sheet([Strip(path, "clip.mp4")], Grid(2, 1), 8000)
    assert wide.image.width == 2 * LEFT + 2 * 640 + GAP


@pytest.mark.long
def test_many_videos_have_room_in_bounded_memory(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", size=(320, 568), times=[0])
    one = sheet([Strip(path, "a name")], Grid(2, 1), 1600).image
    made = sheet([Strip(path, "a name")] * 100, Grid(2, 3), 1600)
    assert 100 * one.width * (one.height - 2 * LEFT) > MAX_PIXELS >= made.image.width * made.image.height
    assert len(made.cells) == 100


def test_what_has_no_room_is_said(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", times=range(3))
    with pytest.raises(UsageError, match="So many frames have no room in 1600 pixels"):
        sheet([Strip(path, "a")], Grid(99, 1), 1600)
    with pytest.raises(UsageError, match="2 videos have no room on one sheet of 400 pixels with 20 columns"):
        sheet([Strip(path, "a")] * 2, Grid(20, 1), 400)


def test_names_stay_in_the_sheet_in_any_script(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", times=range(2))
    for title in (
        "x" * 3000,
        "many words " * 300,
        "小舟が雨の街を漂う" * 50,
        "قارب ورقي صغير" * 50,
        "a\x1b[31m\u202e\n\0b\udcff",
        "",
    ):
        picture = sheet([Strip(path, title)], Grid(2, 1), 400).image
        edge = picture.crop((picture.width - LEFT + 2, 0, picture.width, picture.height))
        assert edge.getcolors() == [(edge.width * edge.height, GROUND)], title[:10]


def test_a_damaged_frame_leaves_its_place_empty(tmp_path: Path) -> None:
    from tests.film.test_stills import PLAIN, spoil

    path = make(tmp_path / "clip.mp4", PLAIN)
    spoil(path, range(12, 24))
    made = sheet([Strip(path, "clip")], Grid(4, 1), 1600)
    assert [(cell.seconds, cell.image is None) for cell in made.cells[0]] == [
        (0, False),
        (Fraction(47, 72), True),
        (Fraction(31, 24), False),
        (Fraction(47, 24), False),
    ]
    left = LEFT + 96 + GAP
    assert made.image.crop((left, TOP, left + 96, TOP + 64)).getcolors() == [(96 * 64, GROUND)]


@pytest.mark.parametrize("text", ["", "4", "4x", "x3", "0x3", "4x0", "100x1", "-1x2", "4 by 3", "4x3x2", "٤x٣"])
def test_what_is_no_grid_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no grid"):
        parse_grid(text)


def test_grids() -> None:
    assert (parse_grid("4x3"), parse_grid(" 12X1 ")) == (Grid(4, 3), Grid(12, 1))
