"""Pictures are read as every viewer shows them, and mended where somebody asks for it (C10)."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from orvideo.errors import UsageError
from orvideo.installers import line_for
from orvideo.request.build import request_fields
from orvideo.request.checking import MediaSource
from orvideo.request.exif import Exif, read_exif
from orvideo.request.media import frame
from orvideo.request.pictures import read_picture
from tests.request.images import exif, halves, picture, png_that_claims
from tests.shell import Shell

pytestmark = pytest.mark.drill("F-C10")
LIMIT = 20 * 1024**2
FORMATS = ["JPEG", "PNG", "WEBP"]


def saved(image: Image.Image, format: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **how)
    return file.getvalue()


def sent(data: bytes, path: Path, *, fix: bool = True) -> tuple[Image.Image, str]:
    """Return the picture that would be sent for a file, and what is said of it."""
    path.write_bytes(data)
    part = frame(str(path), "first_frame", MediaSource(LIMIT, fix=fix))
    assert path.read_bytes() == data, "the file is left as it is"
    body = base64.b64decode(part.body["image_url"]["url"].partition(",")[2])
    image = Image.open(io.BytesIO(body))
    image.load()
    assert part.size == image.size or not fix
    return image, "; ".join(part.warnings)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_c10_width_and_height_are_those_that_are_shown(format_: str, orientation: int) -> None:
    found = read_picture(picture(format_, exif=exif(orientation=orientation)))
    sideways = orientation >= 5
    assert (found.width, found.height) == ((480, 640) if sideways else (640, 480))
    assert bool(found.mendable) is (orientation != 1)
    assert any("shown as 480 × 640" in said for said in found.mendable) is sideways


@pytest.mark.parametrize("format_", FORMATS)
def test_c10_where_a_picture_was_taken_is_said(format_: str) -> None:
    data = picture(format_, exif=exif(orientation=1, position=True))
    assert read_picture(data).mendable == ("says where it was taken (GPS)",)
    assert read_picture(picture(format_, exif=exif(orientation=1))).mendable == ()


def test_c10_where_a_picture_was_taken_is_found_in_xmp_as_well() -> None:
    xmp = b'<x:xmpmeta><rdf:Description exif:GPSLatitude="52,31.2N"/></x:xmpmeta>'
    for format_ in ("JPEG", "WEBP"):
        assert read_picture(picture(format_, xmp=xmp)).mendable == ("says where it was taken (GPS)",)


@pytest.mark.parametrize(
    ("image", "format_", "says"),
    [
        (Image.new("CMYK", (400, 400)), "JPEG", "is in CMYK"),
        (Image.new("I;16", (400, 400), 40000), "PNG", "has 16 bits a channel"),
        (Image.new("RGBA", (400, 400)), "PNG", "has an alpha channel"),
        (Image.new("LA", (400, 400)), "PNG", "has an alpha channel"),
        (Image.new("RGBA", (400, 400)), "WEBP", "has an alpha channel"),
    ],
)
def test_c10_what_a_provider_may_see_otherwise_is_said_and_mended(
    image: Image.Image, format_: str, says: str, tmp_path: Path
) -> None:
    data = saved(image, format_)
    raw, said = sent(data, tmp_path / "a", fix=False)
    assert says in said
    assert "--fix-image" in said
    assert raw.mode == Image.open(io.BytesIO(data)).mode, "nothing is mended unasked"
    mended, said = sent(data, tmp_path / "a")
    assert (mended.mode, said) == ("RGB", "")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("orientation", "top"), [(6, "red"), (8, "blue")])
def test_c10_a_mended_picture_is_upright_and_says_nothing_of_its_making(
    format_: str, orientation: int, top: str, tmp_path: Path
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = halves(format_, exif=exif(orientation=orientation, position=True), icc_profile=profile)
    image, said = sent(data, tmp_path / "a")
    assert (image.size, image.mode, said) == ((480, 640), "RGB", "")
    red, _, blue = image.getpixel((240, 20))  # type: ignore[misc]
    assert (red > blue) is (top == "red")
    assert not {"exif", "icc_profile", "xmp", "dpi"} & set(image.info)
    again, _ = sent(saved(image, "PNG"), tmp_path / "a")
    assert again.format == "PNG"


def test_c10_transparent_parts_become_white_and_sixteen_bits_eight(tmp_path: Path) -> None:
    assert sent(saved(Image.new("RGBA", (400, 400), (255, 0, 0, 0)), "PNG"), tmp_path / "a")[0].getpixel((9, 9)) == (
        255, 255, 255,
    )  # fmt: skip
    grey = sent(saved(Image.new("I;16", (400, 400), 32768), "PNG"), tmp_path / "a")[0]
    assert grey.getpixel((9, 9)) == (128, 128, 128)


def test_c10_a_profile_is_followed_and_a_broken_one_is_not_fatal(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (lab, b"nonsense"):
        image, _ = sent(picture("PNG", icc_profile=profile), tmp_path / "a")
        assert image.getpixel((9, 9)) == (200, 60, 20)


def test_c10_what_needs_no_mending_goes_byte_for_byte(tmp_path: Path) -> None:
    for format_ in FORMATS:
        data = picture(format_)
        assert read_picture(data).plain
        (tmp_path / "a").write_bytes(data)
        part = frame(str(tmp_path / "a"), "first_frame", MediaSource(LIMIT, fix=True))
        assert base64.b64decode(part.body["image_url"]["url"].partition(",")[2]) == data


def test_c10_a_picture_of_a_request_is_mended_too_and_one_elsewhere_is_not() -> None:
    data = picture("JPEG", exif=exif(orientation=6))
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    far = "https://example.com/a.png"
    parts = [
        {"type": "image_url", "image_url": {"url": one}, "frame_type": kind}
        for one, kind in ((url, "first_frame"), (far, "last_frame"))
    ]
    wanted = request_fields({}, MediaSource(LIMIT, fix=True), base={"prompt": "a", "frame_images": parts})
    assert wanted.frame == (480, 640)
    mended, left = (part["image_url"]["url"] for part in wanted.fields["frame_images"])
    assert read_picture(base64.b64decode(mended.partition(",")[2])).plain
    assert left == far
    assert wanted.warnings == ("https://example.com/a.png is not on this machine, and is sent as it is",)


def test_c10_a_giant_and_a_broken_picture_are_not_opened(tmp_path: Path) -> None:
    for side, says in ((10_000, "opens at most"), (400, "cannot be opened")):
        data = bytearray(png_that_claims(side, side))
        data[24] = 16  # bits a channel, so that there is something to mend
        with pytest.raises(UsageError, match=says):
            sent(bytes(data), tmp_path / "a")


@given(st.binary(max_size=200), st.sampled_from([b"II*\x00", b"MM\x00*", b"Exif\x00\x00II*\x00\x08\x00\x00\x00"]))
def test_c10_no_exif_whatever_breaks_the_reader(rest: bytes, head: bytes) -> None:
    assert 1 <= read_exif(head + rest).orientation <= 8


def test_c10_exif_that_goes_in_circles_is_read_once() -> None:
    entry = struct.pack("<HHII", 0x8825, 4, 1, 8)
    circle = b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", 65535) + entry * 5000
    assert read_exif(circle) == Exif()


# --- through the command line -------------------------------------------------------------------------------------


@pytest.fixture
def photo(home: Path) -> Path:
    path = home / "photo.jpg"
    path.write_bytes(picture("JPEG", (1600, 900), exif=exif(orientation=6, position=True)))
    (home / "rows.csv").write_text("prompt,first_frame\na boat,photo.jpg\n")
    return path


LINE = ("--sandbox", "-m", "google/veo-3.1-lite", "--dry-run", "--json")


@pytest.mark.parametrize("words", [("submit", "a boat", "--first-frame", "photo.jpg"), ("batch", "rows.csv")])
def test_c10_a_phones_upright_picture_makes_an_upright_film(
    orvideo: Shell, photo: Path, words: tuple[str, ...]
) -> None:
    done = orvideo(*words, *LINE)
    assert done.code == 0, done.err
    request = done.json["request"] if "request" in done.json else done.json["rows"][0]["request"]
    assert request["aspect_ratio"] == "9:16"
    said = " ".join(done.err.split())
    assert "photo.jpg is stored turned (1600 × 900, shown as 900 × 1600) and says where it was taken (GPS)" in said
    fixed = orvideo(*words, *LINE, "--fix-image")
    request = fixed.json["request"] if "request" in fixed.json else fixed.json["rows"][0]["request"]
    assert request["aspect_ratio"] == "9:16"
    assert "GPS" not in fixed.err
    url = request["frame_images"][0]["image_url"]["url"]
    assert read_picture(base64.b64decode(url.partition(",")[2]))[:3] == ("image/jpeg", 900, 1600)


def test_c10_without_pillow_the_command_that_installs_it_is_named(
    orvideo: Shell, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = orvideo("submit", "a boat", "--first-frame", "photo.jpg", *LINE, "--fix-image")
    assert done.code == 2
    assert done.error["hint"] == line_for("images")


@pytest.mark.drill("F-D05")
@pytest.mark.parametrize("words", [("submit", "a boat", "--first-frame", "photo.jpg"), ("batch", "rows.csv")])
@pytest.mark.parametrize("as_json", [False, True])
def test_d05_a_terminal_gets_no_picture_and_a_pipe_gets_it_whole(
    orvideo: Shell, photo: Path, words: tuple[str, ...], as_json: bool
) -> None:
    line = (*words, *LINE[: -1 + as_json or None])
    shown, whole = orvideo(*line, tty=True), orvideo(*line)
    assert (shown.code, whole.code) == (0, 0), shown.err
    data = base64.b64encode(photo.read_bytes()).decode()
    assert data in whole.out
    assert data[:100] not in shown.out
    assert len(shown.out) < 3000
    about = json.loads(json.dumps(shown.json))
    for name in ("rows", 0, "request") if "rows" in about else ("request",):
        about = about[name] if isinstance(about, list) or name in about else about
    placeholder = about["frame_images"][0]["image_url"]["url"]["data_url"]
    assert placeholder["type"] == "image/jpeg"
    assert placeholder["bytes"] == len(photo.read_bytes())
    assert len(placeholder["sha256"]) == 64
    assert "a pipe or a file gets the whole request" in " ".join(shown.err.split())
