"""Type in every script: which font has a letter, in which order text of two directions stands, what is said without."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageChops, ImageFont

from orvideo.lettering.bidi import pieces, runs_right_to_left
from orvideo.lettering.fonts import Fonts, clusters, kind_of
from orvideo.lettering.typeset import Face, plain, set_text
from orvideo.sandbox.card import Film
from orvideo.sandbox.film import make
from orvideo.sandbox.server import KEY, Sandbox
from orvideo.system.fonts import font_folders
from tests.sandbox.conftest import SMALL

NONE = Fonts(())
MACHINE = Fonts(font_folders())
SAMPLES = {
    "japanese": "小舟が雨の街を漂う",
    "arabic": "قارب ورقي صغير",
    "hebrew": "סירת נייר",
    "hindi": "कागज़ की नाव",
    "thai": "เรือกระดาษลอยน้ำ",
    "russian": "Бумажный кораблик",
    "emoji": "🚤👩‍👩‍👧‍👦🇯🇵",
}


def drawn(text: str, fonts: Fonts) -> Image.Image:
    picture = Image.new("RGBA", (600, 80))
    set_text(text, 600, 80, largest=30, smallest=12, fonts=fonts).draw(picture, 0, 0, (255, 255, 255))
    return picture


def is_here(text: str) -> bool:
    """Say whether this machine has fonts for all letters of a text."""
    found = Fonts(font_folders())
    found.learn(text)
    return found.unsaid() == []


@pytest.mark.parametrize("script", SAMPLES)
def test_letters_that_the_own_font_lacks_come_from_the_machine(script: str) -> None:
    text = SAMPLES[script]
    if not is_here(text):
        pytest.skip(f"no font for {script} here: apt-get install fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji")
    found, boxes = drawn(text, MACHINE), drawn(text, NONE)
    assert ImageChops.difference(found, boxes).getbbox() is not None
    assert found.getbbox() is not None
    assert drawn(text, Fonts(font_folders())).tobytes() == found.tobytes()


@pytest.mark.parametrize("script", SAMPLES)
def test_without_fonts_the_package_is_said_once(script: str) -> None:
    fonts = Fonts(())
    drawn(SAMPLES[script], fonts)
    packages = {"japanese": "fonts-noto-cjk", "emoji": "fonts-noto-color-emoji"}
    (said,) = fonts.unsaid()
    assert said.endswith(f"apt-get install {packages.get(script, 'fonts-noto-core')}")
    drawn(SAMPLES[script] + SAMPLES[script][::-1], fonts)
    assert fonts.unsaid() == []


def test_the_sandbox_says_in_its_log_which_package_has_the_letters(tmp_path: Path) -> None:
    said: list[str] = []
    sandbox = Sandbox(tmp_path, speed=1e6, on_note=said.append)
    sandbox.studio.fonts = Fonts(())
    head = {"Authorization": f"Bearer {KEY}"}
    with sandbox, httpx.Client(base_url=sandbox.base_url, headers=head, timeout=240, verify=False) as http:
        for prompt in ("a boat", "小舟", "小舟 again"):
            job = http.post("/videos", json={**SMALL, "prompt": prompt}).json()
            while (answer := http.get(f"/videos/{job['id']}/content")).status_code == 409:
                pass
            assert answer.status_code == 200
    assert sandbox.crashes == []
    assert len(said) == 1
    assert "fonts-noto-cjk" in said[0]


def test_latin_text_asks_no_font_of_the_machine(tmp_path: Path) -> None:
    """So that such a film, which is what most tests make, is the same on every machine."""
    text = "A boat: 3.5 km, “fast” … · ©"
    assert {path for _, path in MACHINE.runs(text)} == {None}
    assert drawn(text, MACHINE).tobytes() == drawn(text, NONE).tobytes()
    for name, fonts in (("one", MACHINE), ("other", NONE)):
        make(Film(320, 180, 1, "x/y", "a paper boat", fonts=fonts), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "NotoSansThai-Regular.ttf").write_bytes(b"no font")
    (tmp_path / "NotoSansThai.ttf").mkdir()
    fonts = Fonts([tmp_path, tmp_path / "not there"])
    drawn("เรือ", fonts)
    assert len(fonts.unsaid()) == 1


def test_the_font_called_by_the_script_is_taken(tmp_path: Path) -> None:
    """Two files of one font: what it is called decides, and bold comes last."""
    found = next((path for folder in font_folders() for path in folder.rglob("DejaVuSans.ttf")), None)
    if found is None:
        pytest.skip("no DejaVu Sans here: apt-get install fonts-dejavu-core")
    for name in ("Aaa.ttf", "NotoSansHebrew-Bold.ttf", "NotoSansHebrew-Regular.ttf"):
        shutil.copy(found, tmp_path / name)
    ((_, path),) = Fonts([tmp_path]).runs("סירה")
    assert path == tmp_path / "NotoSansHebrew-Regular.ttf"


def test_what_is_one_letter_is_not_cut() -> None:
    assert clusters("né👍🏽क्षि👩‍👧") == ("n", "é", "👍🏽", "क्", "षि", "👩‍👧")
    lines = set_text("เรือกระดาษลอยน้ำท่วมถึงเข่า" * 8, 200, 400, largest=24, smallest=12, fonts=NONE).lines
    assert len(lines) > 1
    assert not any(line[0] in "ัิีึืุู็่้๊๋์ำ" and line[0] != "ำ" for line in lines)


def test_kinds_of_letters() -> None:
    kinds = {"あ": "cjk", "ー": "cjk", "。": "cjk", "한": "cjk", "ק": "hebrew", "ع": "arabic", "क": "devanagari"}
    assert {letter: kind_of(letter) for letter in kinds} == kinds
    assert kind_of("🚤") == kind_of("☔") == "emoji"
    assert kind_of("\U00050000") == "common"


@pytest.mark.parametrize(
    ("text", "rtl", "seen"),
    [
        ("abc", False, ["abc"]),
        ("אבג", True, ["<אבג"]),
        ("abc אבג def", False, ["abc ", "<אבג", " def"]),
        ("אבג abc דהו", True, ["< דהו", "abc", "<אבג "]),
        ("אבג 3.5 דהו", True, ["< דהו", "3.5", "<אבג "]),
        ("x אב 12 גד y", False, ["x ", "< ".replace(" ", " ") + "גד", "12", "<אב ", " y"]),
        ("(אבג).", True, ["<(אבג)."]),
        ("abc (אבג).", False, ["abc (", "<אבג", ")."]),
        ("10% של", True, ["< של", "10%"]),
        ("", False, []),
    ],
)
def test_pieces_stand_from_left_to_right(text: str, rtl: bool, seen: list[str]) -> None:
    found = pieces(text, rtl=rtl)
    assert [("<" if piece.rtl else "") + piece.text for piece in found] == seen


def test_the_first_letter_decides_the_direction() -> None:
    assert runs_right_to_left("123 אבג abc")
    assert not runs_right_to_left("123 abc אבג")
    assert not runs_right_to_left("123")


def test_text_from_right_to_left_begins_at_the_right() -> None:
    box = drawn("אב", NONE).getbbox()
    other = drawn("ab", NONE).getbbox()
    assert box is not None
    assert other is not None
    assert box[0] > 500
    assert other[2] < 100


def test_brackets_are_turned_where_nothing_shapes_them() -> None:
    face = Face(30, NONE)
    assert face.own.layout_engine == ImageFont.Layout.BASIC
    one, other = Image.new("RGBA", (60, 60)), Image.new("RGBA", (60, 60))
    face.draw(one, (5, 5), "(", (255, 255, 255), rtl=True)
    face.draw(other, (5, 5), ")", (255, 255, 255))
    assert one.tobytes() == other.tobytes()


def test_joiners_are_kept_and_other_controls_are_not() -> None:
    assert plain("می‌خواهم") == "می‌خواهم"
    assert plain("a‮b⁦c") == "a b c"
    assert plain("é") == "é"


@pytest.mark.parametrize(
    ("platform", "has"),
    [("linux", "/usr/share/fonts"), ("darwin", "/System/Library/Fonts"), ("freebsd", "/usr/local/share/fonts")],
)
def test_each_system_has_its_folders(platform: str, has: str) -> None:
    assert Path(has) in font_folders(platform=platform)


def test_windows_has_its_folder() -> None:
    assert any(str(folder).endswith("Fonts") for folder in font_folders(platform="win32"))
