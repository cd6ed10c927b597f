from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.errors import ExitCode, UsageError
from orvideo.request.checking import MediaSource
from orvideo.request.media import Part, frame, reference
from tests.request.images import picture

LIMIT = 20 * 1024**2


@pytest.fixture
def png(tmp_path: Path) -> Path:
    file = tmp_path / "boat.png"
    file.write_bytes(picture("PNG", (640, 480)))
    return file


@pytest.mark.parametrize("frame_type", ["first_frame", "last_frame"])
def test_a_frame_by_url_has_the_shape_of_the_service(frame_type: str) -> None:
    url = "https://example.org/a%20b.png?sig=secret#x"
    part = frame(url, frame_type, MediaSource(LIMIT))
    assert part.body == {"type": "image_url", "image_url": {"url": url}, "frame_type": frame_type}
    assert (part.kind, part.origin) == ("image", "https://example.org/a%20b.png")
    assert (part.size, part.warnings) == (None, ())


def test_a_file_becomes_a_data_url(png: Path) -> None:
    part = frame(str(png), "first_frame", MediaSource(LIMIT))
    content = png.read_bytes()
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    assert part.body == {"type": "image_url", "image_url": {"url": url}, "frame_type": "first_frame"}
    assert part == Part(part.body, "image", str(png), 640, 480, ())


def test_a_reference_has_no_frame_type(png: Path) -> None:
    part = reference(str(png), MediaSource(LIMIT))
    assert set(part.body) == {"type", "image_url"}
    assert part.body["type"] == "image_url"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("https://example.org/a.MP3", "audio"),
        ("https://example.org/a.wav?x=.png", "audio"),
        ("https://example.org/dir.png/a.mp4", "video"),
        ("https://example.org/a.webm#t=3", "video"),
        ("https://example.org/a.jpeg", "image"),
        ("HTTPS://EXAMPLE.org/a.mov", "video"),
        ("audio:https://example.org/a.mp4", "audio"),
        ("video:https://example.org/stream", "video"),
        ("image:https://example.org/a.mp4", "image"),
    ],
)
def test_a_url_is_what_its_path_or_its_prefix_says(source: str, kind: str) -> None:
    part = reference(source, MediaSource(LIMIT))
    url = source.partition(":")[2] if source.startswith(("audio:", "video:", "image:")) else source
    assert part.body == {"type": f"{kind}_url", f"{kind}_url": {"url": url}}
    assert part.kind == kind
    assert part.warnings == ()


@pytest.mark.parametrize(
    "url", ["https://example.org/", "https://example.org", "https://e.org/x?f=a.mp4", "https://e.org/v1.2"]
)
def test_a_url_that_does_not_say_is_an_image_and_it_is_said(url: str) -> None:
    part = reference(url, MediaSource(LIMIT))
    assert part.kind == "image"
    (warning,) = part.warnings
    assert "audio: or video:" in warning
    assert frame(url, "last_frame", MediaSource(LIMIT)).warnings == ()


@pytest.mark.parametrize(
    "source", ["https://example.org/a.mp4", "video:https://example.org/a", "audio:https://e.org/a"]
)
def test_a_frame_is_an_image(source: str) -> None:
    with pytest.raises(UsageError, match="a first frame is an image"):
        frame(source, "first_frame", MediaSource(LIMIT))
    assert frame("image:https://example.org/a.mp4", "first_frame", MediaSource(LIMIT)).kind == "image"


@pytest.mark.parametrize(
    "source",
    [
        "http://example.org/a.png",
        "HTTP://example.org/a.png",
        "ftp://example.org/a.png",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "javascript:alert(1)",
        "blob:https://example.org/x",
        "s3://bucket/a.png",
        "gs://bucket/a.png",
        "audio:http://example.org/a.mp3",
    ],
)
def test_only_https_is_taken(source: str) -> None:
    with pytest.raises(UsageError) as refused:
        reference(source, MediaSource(LIMIT))
    assert refused.value.exit_code == ExitCode.USAGE
    assert refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///a.png",
        "https:a.png",
        "https://user:password@example.org/a.png",
        "https://user@example.org/a.png",
        "https://example.org/a b.png",
        "https://example.org/a\r\nb.png",
        "https://example.org\\@evil.example/a.png",
        "https://example.org:port/a.png",
        "https://[::1/a.png",
        "https://example.org/\x1b[2J",
    ],
)
def test_a_url_that_makes_no_sense_or_tells_a_password_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="URL") as refused:
        reference(url, MediaSource(LIMIT))
    assert "password@" not in refused.value.message


@pytest.mark.parametrize("name", ["shot:1.png", "a.b:c.png", "C:x.png", "-.png", "audio", "[red]{x}.png", "ünï.png"])
def test_an_odd_name_is_the_name_of_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(picture())
    assert reference(name, MediaSource(LIMIT)).origin == name


@pytest.mark.parametrize("prefix", ["", "image:"])
def test_stdin_is_read_once(prefix: str) -> None:
    content = picture("WEBP", (320, 640))
    stdin = io.BytesIO(content)
    part = frame(f"{prefix}-", "first_frame", MediaSource(LIMIT, stdin=stdin))
    assert (part.origin, part.size) == ("stdin", (320, 640))
    assert part.body["image_url"]["url"].startswith("data:image/webp;base64,")
    with pytest.raises(UsageError, match="empty") as refused:
        frame("-", "last_frame", MediaSource(LIMIT, stdin=stdin))
    assert "once" in str(refused.value.hint)


def test_a_closed_stdin_and_a_terminal_are_refused() -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("a terminal was read: it would wait for a person")

    with pytest.raises(UsageError, match="stdin is closed"):
        reference("-", MediaSource(LIMIT))
    with pytest.raises(UsageError, match="stdin is a terminal"):
        reference("-", MediaSource(LIMIT, stdin=Terminal()))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x00\x00\x00\x1cftypisom" + b"\x00" * 64, "a video (MP4)"),
        (b"\x1a\x45\xdf\xa3" + b"\x00" * 64, "a video (WebM or Matroska)"),
        (b"ID3\x04" + b"\x00" * 64, "audio (MP3)"),
        (b"RIFF\x40\x00\x00\x00WAVEfmt " + b"\x00" * 64, "audio (WAV)"),
    ],
)
def test_sound_and_film_on_this_disk_are_refused_with_the_way_out(content: bytes, what: str, tmp_path: Path) -> None:
    file = tmp_path / "clip.png"
    file.write_bytes(content)
    with pytest.raises(UsageError) as refused:
        reference(str(file), MediaSource(LIMIT))
    assert refused.value.message == f"{file} is {what}, and the service takes sound and film by https URL only."
    assert "https" in str(refused.value.hint)


@pytest.mark.parametrize("source", ["audio:{}", "video:{}", "video:-", "video:data:video/mp4;base64,AAAA"])
def test_a_prefix_does_not_make_a_local_file_acceptable(source: str, png: Path) -> None:
    with pytest.raises(UsageError, match="by https URL only"):
        reference(source.format(png), MediaSource(LIMIT, stdin=io.BytesIO(b"x")))


@pytest.mark.parametrize(("format_", "name"), [("GIF", "a GIF"), ("TIFF", "a TIFF"), ("BMP", "a BMP")])
def test_other_pictures_are_refused_with_how_to_convert_them(format_: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / "my picture.jpg"
    file.write_bytes(picture(format_))
    with pytest.raises(UsageError, match=name) as refused:
        reference(str(file), MediaSource(LIMIT))
    assert shells.command_line(["magick", str(file), str(tmp_path / "my picture.png")]) in str(refused.value.hint)
    with pytest.raises(UsageError, match=f"stdin is {name}") as refused:
        reference("-", MediaSource(LIMIT, stdin=io.BytesIO(picture(format_))))
    assert str(refused.value.hint).endswith("magick - png:-")


def test_a_data_url_of_an_image_is_checked_and_built_anew() -> None:
    content = picture("JPEG", (400, 400))
    given = "data:image/png;charset=x;BASE64," + base64.b64encode(content).decode()
    part = reference(given, MediaSource(LIMIT))
    assert part.body["image_url"]["url"] == "data:image/jpeg;base64," + base64.b64encode(content).decode()
    assert (part.origin, part.width) == ("the data URL", 400)


@pytest.mark.parametrize(
    "url",
    [
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,AAA",
        "data:image/svg+xml,<svg/>",
        "data:text/html,<html>",
        "data:image/png,%ff%d8",
    ],
)
def test_a_data_url_of_anything_else_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="data URL"):
        reference(url, MediaSource(LIMIT))


def test_a_data_url_has_the_same_limit() -> None:
    content = picture("PNG", (400, 400))
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    assert reference(url, MediaSource(len(content))).size is not None
    with pytest.raises(UsageError, match="at most"):
        reference(url, MediaSource(len(content) - 1))
    with pytest.raises(UsageError, match="at most"):
        reference("data:image/png," + "a" * 100, MediaSource(99))


@pytest.mark.parametrize("source", ["", "  ", "image:"])
def test_an_empty_name_is_refused(source: str) -> None:
    with pytest.raises(UsageError):
        reference(source, MediaSource(LIMIT))


@pytest.mark.parametrize("source", ["missing.png", "/nowhere/missing.png", "a\0b.png", "x" * 5000, "\udcff.png"])
def test_a_file_that_cannot_be_opened_is_refused(source: str) -> None:
    with pytest.raises(UsageError) as refused:
        reference(source, MediaSource(LIMIT))
    assert refused.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((299, 400), "sides of 300 to 6000"),
        ((6001, 5000), "sides of 300 to 6000"),
        ((400, 1001), "ratio of 0.4"),
        ((1001, 400), "ratio of 2.5"),
    ],
)
def test_what_some_providers_refuse_is_a_warning(size: tuple[int, int], said: str, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(picture("PNG", size))
    (warning,) = reference(str(file), MediaSource(LIMIT)).warnings
    assert said in warning
    assert f"{size[0]} × {size[1]}" in warning


@pytest.mark.parametrize("size", [(300, 300), (6000, 2400), (2400, 6000)])
def test_what_all_providers_take_is_no_warning(size: tuple[int, int], tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(picture("PNG", size))
    assert reference(str(file), MediaSource(LIMIT)).warnings == ()


def test_relative_paths_start_at_the_base(png: Path) -> None:
    assert reference("boat.png", MediaSource(LIMIT, base=png.parent)).width == 640
    assert reference("boat.png", MediaSource(LIMIT, root=png.parent)).width == 640
    (png.parent / "sub").mkdir()
    assert reference("../boat.png", MediaSource(LIMIT, base=png.parent / "sub")).origin == "../boat.png"
