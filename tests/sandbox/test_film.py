"""Films are real, exact and the same each time."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from orvideo.lettering.typeset import plain, set_text
from orvideo.sandbox.card import Film, Still
from orvideo.sandbox.film import FPS, last_frame, make
from orvideo.sandbox.planes import of_frame
from orvideo.sandbox.refusals import Cancelled
from tests.sandbox.conftest import picture

RED, BLUE = (190, 50, 40), (30, 60, 170)


def small(**fields: object) -> Film:
    given = {"width": 320, "height": 180, "seconds": 1, "model": "google/veo-3.1-lite", "prompt": "a paper boat"}
    return Film(**{**given, **fields})  # type: ignore[arg-type]


def pictures(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [of_frame(frame) for frame in container.decode(video=0)]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@pytest.mark.parametrize(
    ("width", "height", "seconds"), [(320, 180, 1), (864, 496, 2), (480, 854, 1), (834, 1112, 1), (1470, 630, 1)]
)
def test_size_rate_and_length_are_exact(tmp_path: Path, width: int, height: int, seconds: int) -> None:
    path = tmp_path / "film.mp4"
    make(small(width=width, height=height, seconds=seconds), path)
    with av.open(str(path)) as container:
        assert container.format.name.startswith("mov,mp4")
        (stream,) = container.streams
        assert isinstance(stream, av.VideoStream)
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == FPS
        assert (stream.width, stream.height) == (width, height)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert stream.duration * stream.time_base == seconds
        assert sum(1 for _ in container.decode(stream)) == seconds * FPS


def test_sound_only_when_asked_for(tmp_path: Path) -> None:
    make(small(sound=True, seconds=3), tmp_path / "loud.mp4")
    make(small(sound=False), tmp_path / "silent.mp4")
    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio
    with av.open(str(tmp_path / "loud.mp4")) as container:
        (stream,) = container.streams.audio
        assert stream.codec_context.name == "aac"
        frames = list(container.decode(stream))
        assert abs(sum(frame.samples for frame in frames) - 3 * 48_000) <= 2048
        assert any(any(bytes(frame.planes[0])) for frame in frames)


def test_the_tone_changes_each_second() -> None:
    from orvideo.sandbox.tune import notes

    for seed in range(50):
        seconds = list(notes(seed, 8))
        assert all(one != other for one, other in pairwise(seconds))


def test_the_same_film_has_the_same_bytes(tmp_path: Path) -> None:
    film = small(sound=True, seconds=2, first=Still("first frame", picture(RED)), references=(Still("r", None, "x"),))
    for name in ("one", "other"):
        make(film, tmp_path / name)
    make(small(seed=1, sound=True, seconds=2), tmp_path / "third")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert (tmp_path / "one").read_bytes() != (tmp_path / "third").read_bytes()


def test_plays_while_it_loads_and_names_no_time(tmp_path: Path) -> None:
    make(small(), tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert "creation_time" not in container.metadata


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_given_images_are_the_first_and_the_last_frame(tmp_path: Path, kind: str) -> None:
    first, last = Still("first frame", picture(RED, kind=kind)), Still("last frame", picture(BLUE, (200, 400), kind))
    make(small(first=first, last=last), tmp_path / "film.mp4")
    shown = pictures(tmp_path / "film.mp4")
    assert difference(shown[0], first.fill(320, 180)) < 4
    assert difference(shown[-1], last.fill(320, 180)) < 4
    assert difference(shown[12], first.fill(320, 180)) > 25
    assert difference(shown[12], last.fill(320, 180)) > 25
    assert difference(last_frame(tmp_path / "film.mp4"), shown[-1]) < 2


def test_an_image_that_lies_on_its_side_is_shown_upright() -> None:
    image = Image.new("RGB", (200, 100), RED)
    turned = Image.Exif()
    turned[0x0112] = 6
    held = io.BytesIO()
    image.save(held, "JPEG", exif=turned)
    found = Still("x", held.getvalue()).picture()
    assert found is not None
    assert found.size == (100, 200)


def test_the_picture_moves_and_shows_the_prompt_the_model_and_the_time(tmp_path: Path) -> None:
    make(small(width=640, height=360, seconds=2), tmp_path / "film.mp4")
    make(small(width=640, height=360, seconds=2, prompt="something else"), tmp_path / "prompt.mp4")
    make(small(width=640, height=360, seconds=2, model="openai/sora-2-pro"), tmp_path / "model.mp4")
    shown = pictures(tmp_path / "film.mp4")
    clock = (430, 290, 640, 340)
    assert difference(shown[0].crop(clock), shown[30].crop(clock)) > 1
    hills = (0, 220, 420, 290)
    assert difference(shown[0].crop(hills), shown[30].crop(hills)) > 1
    heading, prompt = (0, 15, 640, 45), (0, 46, 640, 110)
    other_prompt, other_model = pictures(tmp_path / "prompt.mp4")[5], pictures(tmp_path / "model.mp4")[5]
    assert difference(shown[5].crop(prompt), other_prompt.crop(prompt)) > 2
    assert difference(shown[5].crop(heading), other_prompt.crop(heading)) < 1
    assert difference(shown[5].crop(heading), other_model.crop(heading)) > 1


def test_two_references_appear_side_by_side(tmp_path: Path) -> None:
    both = (Still("reference 1", picture(RED)), Still("reference 2", picture(BLUE)))
    make(small(width=640, height=360, references=both), tmp_path / "film.mp4")
    shown = pictures(tmp_path / "film.mp4")[3]
    pixels = [shown.getpixel((x, y)) for x in range(0, 640, 4) for y in range(0, 360, 4)]
    for colour in (RED, BLUE):
        near = [p for p in pixels if isinstance(p, tuple) and all(abs(a - b) < 25 for a, b in zip(p, colour))]  # noqa: B905
        assert len(near) > 40


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        " ",
        "x" * 5000,
        "word " * 3000,
        "小舟が雨の街を漂う",
        "Кораблик 🚤 👩‍👩‍👧‍👦 العربية",
        "\ud800 half \udfff",
        "\x1b[31m \x00 \u202e [bold] \n\n lines \t tabs",
    ],
    ids=["empty", "space", "long-word", "long-text", "cjk", "emoji", "surrogates", "controls"],
)
def test_any_text_can_be_set(tmp_path: Path, prompt: str) -> None:
    make(small(prompt=prompt, facts=("4 s", prompt[:40])), tmp_path / "film.mp4")
    assert len(pictures(tmp_path / "film.mp4")) == FPS


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 640), (900, 66)])
def test_odd_shapes_do_not_break_the_layout(tmp_path: Path, width: int, height: int) -> None:
    stills = tuple(Still(f"reference {n}", None, "https://example.com/cat.png") for n in range(9))
    make(small(width=width, height=height, references=stills, first=stills[0]), tmp_path / "film.mp4")
    assert pictures(tmp_path / "film.mp4")[0].size == (width, height)


def test_text_that_does_not_fit_ends_in_an_ellipsis_and_stays_in_its_box() -> None:
    block = set_text(plain("many words " * 300), 400, 120, largest=60, smallest=16)
    assert block.lines[-1].endswith("…")
    assert block.height <= 120
    assert all(block.face.getlength(line) <= 400 for line in block.lines)
    assert set_text("a cat", 400, 120, largest=60, smallest=16).size == 60


def test_a_broken_image_or_a_bomb_is_a_card_not_a_crash() -> None:
    assert Still("x", b"\x89PNG\r\n\x1a\n broken").picture() is None
    assert Still("x", b"\x89PNG\r\n\x1a\n broken").fill(64, 64).size == (64, 64)
    header = picture(RED)
    bomb = header[:16] + (50_000).to_bytes(4, "big") * 2 + header[24:]
    assert Still("x", bomb).picture() is None


def test_a_film_given_up_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        make(small(), tmp_path / "film.mp4", cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []
