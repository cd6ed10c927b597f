from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.request.pictures import NotAPicture, Picture, read_picture
from tests.request.images import jpeg_that_claims, picture, png_that_claims, webp

ENCODINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("PNG", "image/png", {}),
    ("JPEG", "image/jpeg", {}),
    ("JPEG", "image/jpeg", {"progressive": True}),
    ("WEBP", "image/webp", {}),
    ("WEBP", "image/webp", {"lossless": True}),
    ("WEBP", "image/webp", {"exif": b"Exif\x00\x00abcd"}),
]


@pytest.mark.parametrize(("format_", "media_type", "how"), ENCODINGS)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (3, 701), (1300, 77)])
def test_the_size_is_read_from_the_header(
    format_: str, media_type: str, how: dict[str, Any], size: tuple[int, int]
) -> None:
    assert read_picture(picture(format_, size, **how))[:5] == Picture(media_type, *size)[:5]


@pytest.mark.drill("I03")
@pytest.mark.parametrize(("format_", "media_type", "how"), ENCODINGS)
def test_a_file_that_was_cut_short_is_refused(format_: str, media_type: str, how: dict[str, Any]) -> None:
    whole = picture(format_, (64, 48), **how)
    for length in (*range(40), len(whole) // 2, len(whole) - 1):
        with pytest.raises(NotAPicture):
            read_picture(whole[:length])
    with pytest.raises(NotAPicture, match="cut short"):
        read_picture(whole[: len(whole) // 2])


def test_the_bones_of_a_jpeg_are_walked() -> None:
    for frame in (0xC0, 0xC1, 0xC2, 0xC9):
        assert read_picture(jpeg_that_claims(321, 123, frame=frame))[:5] == Picture("image/jpeg", 321, 123)[:5]
    with pytest.raises(NotAPicture, match="without a picture"):
        read_picture(b"\xff\xd8\xff\xd9")
    with pytest.raises(NotAPicture, match="0 pixels"):
        read_picture(jpeg_that_claims(321, 0))


def test_the_largest_sides_of_a_webp() -> None:
    vp8x = webp(b"VP8X", b"\x00\x00\x00\x00" + b"\xff\xff\xff" + b"\x00\x00\x00")
    assert read_picture(vp8x)[:5] == Picture("image/webp", 1 << 24, 1)[:5]
    with pytest.raises(NotAPicture, match="does not go on as one"):
        read_picture(webp(b"VP8 ", b"<script>alert(1)</script>"))


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_a_moving_picture_is_remarked(format_: str) -> None:
    from PIL import Image

    more = [Image.new("RGB", (64, 48), "blue")]
    (remark,) = read_picture(picture(format_, (64, 48), save_all=True, append_images=more)).remarks
    assert "animated" in remark


@pytest.mark.drill("I03")
@pytest.mark.parametrize("tail", [b"PK\x03\x04archive", b"<html>", b"%PDF-1.7", b"<?php", b"\n\n<script>"])
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_is_something_else_as_well_is_refused(format_: str, tail: bytes) -> None:
    with pytest.raises(NotAPicture, match="after the end of the picture"):
        read_picture(picture(format_) + tail)


def test_padding_after_a_picture_is_nothing() -> None:
    for format_ in ("PNG", "JPEG", "WEBP"):
        assert read_picture(picture(format_) + b"\x00" * 64 + b"\r\n").remarks == ()


def test_what_a_phone_appends_to_a_jpeg_passes_with_a_remark() -> None:
    (remark,) = read_picture(picture("JPEG") + picture("JPEG", (8, 8))).remarks
    assert "after the end of the picture, which are sent with it" in remark


@pytest.mark.drill("I03")
@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"", "is empty", None),
        (b"\x89PNG\r\n\x1a\n<html>" + b" " * 99, "begins as a PNG", None),
        (b"\xff\xd8\xffabc" + b" " * 99, "cut short", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG", "image"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg>\n<SVG/>", "an SVG", "image"),
        (b"<!doctype html><html><svg/></html>", "a web page", None),
        (b"<html>\x89PNG\r\n\x1a\n", "a web page", None),
        (b"GIF89a\x01\x00\x01\x00", "a GIF", "image"),
        (b"\x00\x00\x00\x1cftypheic\x00\x00", "a HEIC", "image"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00", "an AVIF", "image"),
        (b"\x00\x00\x00\x1cftypisom\x00\x00", "a video (MP4)", "video"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00", "audio (M4A)", "audio"),
        (b"\x1a\x45\xdf\xa3webm", "a video (WebM or Matroska)", "video"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a video (AVI)", "video"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio (WAV)", "audio"),
        (b"ID3\x04\x00", "audio (MP3)", "audio"),
        (b"\xff\xfb\x90\x64", "audio (MP3)", "audio"),
        (b"fLaC\x00", "audio (FLAC)", "audio"),
        (b"OggS\x00", "audio (Ogg)", "audio"),
        (b"II*\x00abc", "a TIFF", "image"),
        (b"%PDF-1.7", "a PDF", None),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", None),
        (b"\x00" * 100, "no picture", None),
        (b"just words", "no picture", None),
    ],
)
def test_everything_else_is_called_by_its_name(data: bytes, name: str, kind: str | None) -> None:
    with pytest.raises(NotAPicture) as refused:
        read_picture(data)
    assert name in str(refused.value)
    assert refused.value.kind == kind


def test_the_formats_of_a_real_encoder_are_told_apart() -> None:
    for format_, name in (("GIF", "a GIF"), ("BMP", "a BMP"), ("TIFF", "a TIFF"), ("ICO", "an icon")):
        with pytest.raises(NotAPicture, match=name) as refused:
            read_picture(picture(format_, (32, 32)))
        assert refused.value.kind == "image"


@pytest.mark.drill("I03")
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\xff\xd8\xff", b"RIFF\x20\x00\x00\x00WEBPVP8X"]),
    st.binary(max_size=200),
)
def test_no_bytes_whatever_break_the_reader(head: bytes, rest: bytes) -> None:
    with contextlib.suppress(NotAPicture):
        found = read_picture(head + rest)
        assert found.width > 0
        assert found.height > 0


@pytest.mark.drill("I03")
@given(st.data())
def test_a_damaged_picture_breaks_nothing(data: st.DataObject) -> None:
    whole = bytearray(
        data.draw(st.sampled_from([png_that_claims(9, 9), jpeg_that_claims(9, 9), picture("WEBP", (9, 9))]))
    )
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NotAPicture):
        read_picture(bytes(whole))
