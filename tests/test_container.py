from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orvideo.container import (
    HEAD,
    KINDS,
    MAX_PARTS,
    BadContainer,
    Incomplete,
    NotAVideo,
    check,
    refuse_text,
)
from tests.download.films import box, check_container, element, mp4, noise, webm


def ogg(body: int = 300) -> bytes:
    """Return one page of an Ogg file."""
    return b"OggS" + bytes(22) + bytes([2, 255, body - 255]) + noise(body)


FTYP = box(b"ftyp", b"isom\0\0\2\0")
MOOV = box(b"moov", noise(50))

WHOLE: dict[str, tuple[bytes, str]] = {
    "index-first": (mp4(), "mp4"),
    "index-last": (FTYP + box(b"mdat", noise(300)) + MOOV, "mp4"),
    "64-bit-size": (FTYP + MOOV + box(b"mdat", noise(300), large=True), "mp4"),
    "media-to-the-end": (FTYP + MOOV + box(b"mdat", noise(300), size=0), "mp4"),
    "fragments": (FTYP + MOOV + (box(b"moof", noise(20)) + box(b"mdat", noise(99))) * 5, "mp4"),
    "empty-free-box": (FTYP + box(b"free", b"") + MOOV + box(b"mdat", b"x"), "mp4"),
    "padded-with-zeros": (mp4() + bytes(5), "mp4"),
    "free-box-first": (box(b"free", noise(20)) + mp4(), "mp4"),
    "wide-and-media-first": (box(b"wide", b"") + box(b"mdat", noise(99)) + MOOV, "mov"),
    "quicktime": (box(b"ftyp", b"qt  \0\0\2\0") + MOOV + box(b"mdat", noise(99)), "mov"),
    "webm": (webm(), "webm"),
    "matroska": (
        webm()
        .replace(b"\x42\x82\x84webm", b"\x42\x82\x88matroska")
        .replace(struct.pack(">Q", 7 | 1 << 56), struct.pack(">Q", 11 | 1 << 56), 1),
        "mkv",
    ),
    "gif": (b"GIF89a" + noise(200) + b";", "gif"),
    "transport-stream": ((b"G" + noise(187)) * 9, "ts"),
    "m2ts": ((b"\0\0\0\0G" + noise(187)) * 9, "ts"),
    "avi": (b"RIFF" + struct.pack("<I", 4 + 300) + b"AVI " + noise(300), "avi"),
    "avi-in-two": ((b"RIFF" + struct.pack("<I", 4 + 300) + b"AVI " + noise(300)) * 2, "avi"),
    "avi-of-unknown-length": (b"RIFF" + bytes(4) + b"AVI " + noise(300), "avi"),
    "webp": (b"RIFF" + struct.pack("<I", 4 + 300) + b"WEBP" + noise(300), "webp"),
    "ogg": (ogg() * 3, "ogv"),
    "mpeg-program-stream": (b"\0\0\1\xba" + noise(300), "mpg"),
    "flv": (b"FLV\1" + noise(300), "flv"),
    "wmv": (bytes.fromhex("3026b2758e66cf11") + noise(300), "wmv"),
    "png": (b"\x89PNG\r\n\x1a\n" + noise(300) + b"IEND\xaeB`\x82", "png"),
    "jpeg": (b"\xff\xd8\xff\xe0" + noise(300) + b"\xff\xd9", "jpg"),
    "avif": (box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", noise(40)), "avif"),
    "heif": (box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", noise(40)), "heic"),
    "unknown": (b"\x01\x02\x03" + noise(300), "bin"),
    "live-webm": (webm(unknown=True), "webm"),
    "unknown-of-64-bytes": (b"\x01\x02\x03" + noise(61), "bin"),
    "unknown-that-ends-in-zeros": (b"\x01" + bytes(100), "bin"),
    "padded-with-seven-zeros": (mp4() + bytes(7), "mp4"),
    "padded-with-many-zeros": (mp4() + bytes(100), "mp4"),
    "empty-boxes": (FTYP + box(b"moov", b"") + box(b"mdat", b""), "mp4"),
    "64-bit-box-that-is-empty": (FTYP + MOOV + box(b"mdat", b"", large=True), "mp4"),
    "quicktime-without-a-type": (MOOV + box(b"mdat", noise(99)), "mov"),
    "avif-of-a-film": (box(b"ftyp", b"avis\0\0\0\0") + MOOV + box(b"mdat", noise(40)), "mp4"),
    "mif1": (box(b"ftyp", b"mif1\0\0\0\0") + box(b"meta", noise(40)), "heic"),
    "heix": (box(b"ftyp", b"heix\0\0\0\0") + box(b"meta", noise(40)), "heic"),
    "segment": (box(b"styp", b"msdh\0\0\0\0") + MOOV + box(b"mdat", noise(40)), "mov"),
    "gif-of-87-padded": (b"GIF87a" + noise(200) + b";" + bytes(63), "gif"),
    "avi-of-odd-length": (
        b"RIFF" + struct.pack("<I", 4 + 301) + b"AVI " + noise(301) + b"\0RIFF" + struct.pack("<I", 4) + b"AVIX",
        "avi",
    ),
    "avi-with-a-few-bytes-more": (b"RIFF" + struct.pack("<I", 4 + 300) + b"AVI " + noise(300) + bytes(7), "avi"),
    "avi-with-something-else-behind": (
        b"RIFF" + struct.pack("<I", 4 + 300) + b"AVI " + noise(300) + b"JUNK" * 9,
        "avi",
    ),
    "avi-written-without-an-end": (b"RIFF" + b"\xff" * 4 + b"AVI " + noise(300), "avi"),
    "riff-of-something-else": (b"RIFF" + struct.pack("<I", 4) + b"WAVE" + noise(300), "bin"),
    "two-packets": ((b"G" + noise(187)) * 2, "ts"),
    "one-packet": (b"G\x01" + noise(186), "bin"),
    "empty-ogg-pages": (b"OggS" + bytes(23) + ogg(), "ogv"),
}
CUT: dict[str, bytes] = {
    "in-the-media": mp4()[:-1],
    "in-a-header": mp4() + box(b"free", b"")[:5],
    "in-a-64-bit-header": FTYP + MOOV + box(b"mdat", noise(300), large=True)[:12],
    "before-the-media": FTYP + MOOV,
    "no-index": FTYP + box(b"mdat", noise(300)),
    "no-index-and-open-media": FTYP + box(b"mdat", noise(300), size=0),
    "only-the-type": FTYP,
    "in-the-first-bytes": FTYP[:10],
    "size-below-the-header": FTYP + MOOV + box(b"mdat", b"", size=7),
    "64-bit-size-below-the-header": FTYP + MOOV + box(b"mdat", b"", large=True, size=15),
    "64-bit-size-beyond-everything": FTYP + MOOV + box(b"mdat", b"x" * 40, large=True, size=2**64 - 1),
    "webm-in-the-media": webm()[:-1],
    "webm-in-a-number": webm()[:15],
    "webm-without-a-segment": element("1a45dfa3", b"\x42\x82\x84webm1234"),
    "webm-number-of-nine-bytes": webm() + b"\xec\x00",
    "webm-name-of-five-bytes": webm() + b"\x08",
    "webm-whole-but-for-a-number-of-nine-bytes": webm() + b"\xec\x00" + bytes(7) + b"\3abc",
    "webm-whole-but-for-a-name-of-five-bytes": webm() + b"\x08\1\2\3\4\x81x",
    "webm-of-18-bytes": bytes.fromhex("1a45dfa3840000000018538067" + "84ec820000"),
    "webm-without-a-cluster": element("1a45dfa3", b"\x42\x82\x84webm")
    + element("18538067", element("1549a966", b"\0" * 20)),
    "webm-whose-segment-is-longer": element("1a45dfa3", b"\x42\x82\x84webm")
    + element("18538067", element("1f43b675", noise(50)) + element("ec", noise(50)))[:-59],
    "gif": b"GIF89a" + noise(200),
    "transport-stream": (b"G" + noise(187)) * 9 + b"G",
    "avi": b"RIFF" + struct.pack("<I", 4 + 301) + b"AVI " + noise(300),
    "webp": b"RIFF" + struct.pack("<I", 4 + 301) + b"WEBP" + noise(300),
    "ogg": ogg()[:-1],
    "ogg-in-a-header": ogg() + ogg()[:20],
    "png": b"\x89PNG\r\n\x1a\n" + noise(300),
    "jpeg": b"\xff\xd8\xff\xe0" + noise(300),
    "short-and-unknown": b"\x01\x02\x03" + noise(60),
    "zeros": bytes(100),
    "nothing": b"",
    "webm-element-without-a-size": element("1a45dfa3", b"1234") + element("ec", b"", unknown=True),
    "unknown-of-63-bytes": b"\x01\x02\x03" + noise(60),
    "padded-with-something": mp4() + b"\0\0\0\0\0\0\1",
    "gif-padded-too-far": b"GIF87a" + noise(200) + b";" + bytes(64),
    "second-avi": b"RIFF" + struct.pack("<I", 4) + b"AVI " + b"RIFF" + struct.pack("<I", 5) + b"AVIX",
    "avif-without-media": box(b"ftyp", b"avif\0\0\0\0") + MOOV,
    "m2ts": (b"\0\0\0\0G" + noise(187)) * 9 + b"\0",
}
OTHER: dict[str, bytes] = {
    "html": b"<!DOCTYPE html><title>502</title>",
    "html-with-zeros": b"  <html>" + bytes(100),
    "xml": b"\xef\xbb\xbf<?xml version='1.0'?><Error/>",
    "json": b'{"error": {"code": 500}}',
    "short-json": b'{"e":1}',
    "json-list": b"[1, 2]",
    "text": b"Bad gateway\r\n",
    "latin-html": b"<p>ung\xfcltig</p>",
    "utf-16": "<html>nö".encode("utf-16"),
    "text-cut-in-a-character": ("x" * (HEAD - 1) + "ü" * 20).encode(),
}


def walk(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "video"
    path.write_bytes(data)
    return check_container(path)


@pytest.mark.drill("F-C09")
@pytest.mark.parametrize(("data", "kind"), WHOLE.values(), ids=WHOLE.keys())
def test_f_c09_a_whole_video_is_walked_to_its_end_whatever_its_container(
    data: bytes, kind: str, tmp_path: Path
) -> None:
    assert walk(data, tmp_path) == kind
    assert kind in KINDS
    refuse_text(data[:HEAD])


@pytest.mark.drill("D06", "F-C09")
@pytest.mark.parametrize("data", CUT.values(), ids=CUT.keys())
def test_a_cut_or_damaged_video_is_incomplete(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Incomplete):
        walk(data, tmp_path)


@pytest.mark.drill("D07")
@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER.keys())
def test_what_is_no_video_is_told_apart(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotAVideo):
        walk(data, tmp_path)
    with pytest.raises(NotAVideo):
        refuse_text(data[:HEAD])


def test_every_cut_of_a_film_with_the_index_last_is_noticed(tmp_path: Path) -> None:
    film = FTYP + box(b"mdat", noise(40)) + MOOV
    for length in range(1, len(film)):
        with pytest.raises(Incomplete):
            walk(film[:length], tmp_path)


def test_a_walk_over_endless_tiny_boxes_ends(tmp_path: Path) -> None:
    with pytest.raises(Incomplete, match="more than"):
        walk(FTYP + box(b"free", b"") * (MAX_PARTS + 1), tmp_path)


def test_media_is_skipped_and_never_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.mp4"
    size = 1 << 42
    with path.open("wb") as file:
        file.write(FTYP + MOOV + box(b"mdat", b"", large=True, size=size))
        file.truncate(len(FTYP + MOOV) + size)
    assert check_container(path) == "mp4"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([FTYP, FTYP + MOOV, webm(10), b"", b"OggS", b"RIFF", b"GIF89a"]))
def test_any_bytes_are_judged_and_never_read_behind_their_end(tail: bytes, head: bytes) -> None:
    data = head + tail

    def read(count: int, offset: int) -> bytes:
        assert 0 <= offset <= len(data)
        return data[offset : offset + count]

    with suppress(BadContainer):
        assert check(read, len(data)) in KINDS
