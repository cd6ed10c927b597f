"""`orvideo frame` and `orvideo sheet`: where the picture goes, what is said, and what a wrong line ends with."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.film.clips import Making, decoded, difference, make
from tests.film.test_stills import PLAIN, spoil
from tests.output.test_json_schema import check
from tests.shell import Shell


@pytest.fixture
def clip(home: Path) -> Path:
    """A clip of two seconds, in the current folder."""
    return make(home / "clip.mp4", Making(times=range(48)))


def frame_of(path: Path, number: int) -> bytes:
    return decoded(path)[number].image.tobytes()


@pytest.mark.parametrize(
    ("words", "number", "name"),
    [
        (["clip.mp4"], 0, "clip-first.png"),
        (["clip.mp4", "--at", "last"], 47, "clip-last.png"),
        (["clip.mp4", "--at", "1.5s"], 36, "clip-1.5s.png"),
        (["clip.mp4", "--at", "1.5"], 36, "clip-1.5s.png"),
        (["clip.mp4", "--at", "1.958333"], 47, "clip-1.958333s.png"),
        (["clip.mp4", "--at", "0"], 0, "clip-first.png"),
        (["clip.mp4:last"], 47, "clip-last.png"),
        (["clip.mp4:0.51s"], 12, "clip-0.51s.png"),
        (["clip.mp4:last", "--at", "LAST"], 47, "clip-last.png"),
        (["clip.mp4", "-o", "still.png"], 0, "still.png"),
        (["clip.mp4", "-o", "pictures/"], 0, "pictures/clip-first.png"),
        (["clip.mp4", "-o", "new/still.PNG"], 0, "new/still.PNG"),
        (["clip.mp4", "-o", "~/home.webp"], 0, "home.webp"),
        (["clip.mp4", "-o", "bare"], 0, "bare"),
    ],
)
def test_the_frame_is_saved_where_the_line_says(
    orvideo: Shell, clip: Path, home: Path, words: list[str], number: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(home))
    done = orvideo("frame", *words)
    assert (done.code, done.err) == (0, "")
    assert (home / done.out.rstrip("\n")).samefile(home / name)
    with Image.open(home / name) as picture:
        assert picture.format == ("WEBP" if name.endswith("webp") else "PNG")
        assert picture.convert("RGB").tobytes() == frame_of(clip, number)


def test_a_jpeg_is_near_to_the_frame(orvideo: Shell, clip: Path, home: Path) -> None:
    assert orvideo("frame", "clip.mp4:1s", "-o", "still.jpg").out == "still.jpg\n"
    with Image.open(home / "still.jpg") as picture:
        assert picture.format == "JPEG"
        assert difference(picture.convert("RGB"), decoded(clip)[24].image) < 3


def test_the_answer_as_json(orvideo: Shell, clip: Path, home: Path) -> None:
    done = orvideo("frame", "clip.mp4:last", "--json")
    check(done.json, "frame")
    assert done.json == {
        "path": str(home / "clip-last.png"),
        "at_seconds": 1.958333,
        "width": 96,
        "height": 64,
        "source": {"path": str(clip), "job_id": None, "index": None},
    }
    made = orvideo("sheet", "clip.mp4", "--grid", "2x1", "--json")
    check(made.json, "sheet")
    assert made.json["path"] == str(home / "clip-sheet.png")
    assert [frame["at_seconds"] for frame in made.json["videos"][0]["frames"]] == [0, 1.958333]


@pytest.mark.parametrize("line", ["frame ./bare", "frame ./bare --at last", "sheet ./bare", "sheet clip.mp4 ./bare"])
@pytest.mark.parametrize("output", ["bare", "link.png"])
def test_a_picture_never_takes_the_place_of_its_video(
    orvideo: Shell, clip: Path, home: Path, line: str, output: str
) -> None:
    video = clip.read_bytes()
    (home / "bare").write_bytes(video)  # a name without a suffix could be a picture's
    if sys.platform == "win32":  # where a link needs a right, and a second name does not
        (home / "link.png").hardlink_to(home / "bare")
    else:
        (home / "link.png").symlink_to("bare")
    done = orvideo(*line.split(), "-o", output, "--force")
    assert (done.code, done.out) == (2, "")
    assert "is one of the videos, and cannot be the picture" in done.err
    assert (home / "bare").read_bytes() == video


@pytest.mark.parametrize("line", ["frame clip.mp4", "sheet clip.mp4"])
def test_a_file_that_is_there_is_kept(orvideo: Shell, clip: Path, home: Path, line: str) -> None:
    name = "clip-first.png" if line.startswith("frame") else "clip-sheet.png"
    (home / name).write_bytes(b"mine")
    (home / "other.png").write_bytes(b"mine")
    for words, path in (((), home / name), (("-o", "other.png"), home / "other.png")):
        done = orvideo(*line.split(), *words)
        assert (done.code, done.out) == (13, "")
        assert "exists already" in done.err
        assert path.read_bytes() == b"mine"
        assert orvideo(*line.split(), *words, "--force").code == 0
        assert path.read_bytes()[:4] == b"\x89PNG"
    assert sorted(one.name for one in home.iterdir() if one.name.startswith(".orvideo")) == []


@pytest.mark.parametrize("line", ["frame clip.mp4:last", "sheet clip.mp4"])
def test_a_picture_goes_into_a_pipe_and_not_to_a_terminal(orvideo: Shell, clip: Path, line: str, home: Path) -> None:
    out = home / "piped"
    with out.open("wb") as file:
        child = orvideo.popen(*line.split(), "-o", "-", stdout=file)
        assert child.wait(timeout=240) == 0
    picture = Image.open(io.BytesIO(out.read_bytes()))
    assert picture.format == "PNG"
    if line.startswith("frame"):
        assert picture.tobytes() == frame_of(clip, 47)
    done = orvideo(*line.split(), "-o", "-", tty=True)
    assert done.code == 2
    assert "do not go to a terminal" in done.err
    done = orvideo(*line.split(), "-o", "-", "--json")
    assert (done.code, done.out, done.error["kind"]) == (2, "", "usage")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/full")
def test_a_full_disk_is_said(orvideo: Shell, clip: Path) -> None:
    with open("/dev/full", "wb") as full:
        child = orvideo.popen("frame", "clip.mp4", "-o", "-", stdout=full)
        assert child.wait(timeout=240) == 14


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["frame", "clip.mp4", "--at", "soon"], 2, "'soon' is no moment"),
        (["frame", "clip.mp4", "--at", "-1"], 2, "no moment"),
        (["frame", "clip.mp4", "--at", "2.1s"], 2, "is 2s long, and has no frame at 2.1s"),
        (["frame", "clip.mp4:last", "--at", "first"], 2, "Two moments are named"),
        (["frame", "clip.mp4", "clip.mp4"], 2, "clip.mp4"),
        (["frame", "clip.mp4", "-o", "still.gif"], 2, "cannot be written as .gif"),
        (["frame", "clip.mp4", "-o", "clip.mp4", "--force"], 2, "cannot be written as .mp4"),
        (["frame", "clip.mp4", "-o", ""], 2, "this one is empty"),
        (["frame", "clip.mp4", "-o", "{id}.png"], 2, "is not written to {id}.png"),
        (["frame", "clip.mp4", "-o", "{n}.png"], 2, "is not written to {n}.png"),
        (["frame", "clip.mp4", "-o", "a/b/c.png"], 14, "does not exist"),
        (["frame", "clip.mp4", "-o", "clip.mp4/a.png"], 14, "clip.mp4"),
        (["frame", "text.mp4"], 2, "is not a video"),
        (["sheet", "clip.mp4", "text.mp4"], 2, "is not a video"),
        (["sheet", "clip.mp4", "--grid", "4"], 2, "is no grid"),
        (["sheet", "clip.mp4", "--grid", "99x1"], 2, "no room"),
        (["sheet", "clip.mp4", "--width", "1"], 2, "--width"),
        (["sheet", "clip.mp4", "--width", "99999999"], 2, "--width"),
        (["sheet", "clip.mp4", "-o", "sheet.bmp"], 2, "cannot be written as .bmp"),
    ],
)
def test_a_wrong_line_is_said_and_leaves_nothing(
    orvideo: Shell, clip: Path, home: Path, words: list[str], code: int, said: str
) -> None:
    (home / "text.mp4").write_text("no film\n" * 100)
    before = {path: path.read_bytes() for path in home.glob("*.*")}
    done = orvideo(*words)
    assert (done.code, done.out) == (code, ""), done.err
    assert said in " ".join(done.err.split())
    assert {path: path.read_bytes() for path in home.glob("*.*")} == before


def test_a_last_frame_that_is_damaged_is_told(orvideo: Shell, home: Path) -> None:
    path = make(home / "clip.mp4", PLAIN)
    spoil(path, range(36, 48))
    done = orvideo("frame", "clip.mp4:last")
    assert done.code == 0
    assert "the last frame of" in done.err
    assert "this is the last one that is whole" in " ".join(done.err.split())
    done = orvideo("sheet", "clip.mp4", "--grid", "3x1")
    assert (done.code, "1 of the frames of clip.mp4 cannot be decoded" in done.err) == (0, True)


def test_nothing_that_a_codec_says_reaches_the_terminal(orvideo: Shell, home: Path) -> None:
    spoil(make(home / "clip.mp4", PLAIN), range(12, 40))
    done = orvideo.process("frame", "clip.mp4", "-o", "still.png")
    assert (done.code, done.out, done.err) == (0, "still.png\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a folder's mode says nothing there")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_files_is_said(orvideo: Shell, clip: Path, home: Path) -> None:
    (home / "locked").mkdir(mode=0o500)
    assert orvideo("frame", "clip.mp4", "-o", "locked/").code == 14


def test_a_file_whose_whole_name_looks_like_a_moment_is_a_file(orvideo: Shell, home: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("a name has no colon there")
    make(home / "clip.mp4", Making(times=range(3))).replace(home / "take:last")
    assert orvideo("frame", "take:last", "--json").json["at_seconds"] == 0


def test_a_long_name_is_cut_to_what_the_disk_takes(orvideo: Shell, home: Path) -> None:
    make(home / "clip.mp4", Making(times=range(3))).replace(home / ("x" * 250 + ".mp4"))
    done = orvideo("frame", "x" * 250 + ".mp4", "--at", "last")
    assert done.code == 0, done.err
    assert done.out.endswith(".png\n")
    assert (home / done.out.strip()).is_file()
