from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orvideo.download.container import (
    HEAD,
    MOST_PARTS,
    BadContainer,
    Incomplete,
    Kind,
    NotAVideo,
    Trail,
    check_container,
    sniff,
)
from tests.download.films import box, element, mp4, noise, webm

FTYP = box(b"ftyp", b"isom\0\0\2\0")
MOOV = box(b"moov", noise(50))

WHOLE: dict[str, tuple[bytes, Kind]] = {
    "index-first": (mp4(), "mp4"),
    "index-last": (FTYP + box(b"mdat", noise(300)) + MOOV, "mp4"),
    "64-bit-size": (FTYP + MOOV + box(b"mdat", noise(300), large=True), "mp4"),
    "media-to-the-end": (FTYP + MOOV + box(b"mdat", noise(300), size=0), "mp4"),
    "fragments": (FTYP + MOOV + (box(b"moof", noise(20)) + box(b"mdat", noise(99))) * 5, "mp4"),
    "empty-free-box": (FTYP + box(b"free", b"") + MOOV + box(b"mdat", b"x"), "mp4"),
    "padded-with-zeros": (mp4() + bytes(5), "mp4"),
    "webm": (webm(), "webm"),
    "live-webm": (webm(unknown=True), "webm"),
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
    "webm-element-without-a-size": element("1a45dfa3", b"1234") + element("ec", b"", unknown=True),
}
OTHER: dict[str, bytes] = {
    "html": b"<!DOCTYPE html><title>502</title>",
    "json": b'{"error": {"code": 500}}',
    "short-json": b'{"e":1}',
    "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "zeros": bytes(100),
}


def walk(data: bytes, tmp_path: Path) -> Kind:
    path = tmp_path / "video"
    path.write_bytes(data)
    return check_container(path)


def follow(data: bytes, piece: int) -> Kind:
    kind = sniff(data[:HEAD])
    assert kind is not None
    trail = Trail(kind)
    for offset in range(0, len(data), piece):
        trail.feed(data[offset : offset + piece])
    trail.end()
    return kind


def judged(judge: Callable[[], Kind]) -> object:
    try:
        return judge()
    except BadContainer as bad:
        return type(bad)


@pytest.mark.parametrize(("data", "kind"), WHOLE.values(), ids=WHOLE.keys())
def test_a_whole_video_is_walked_to_its_end(data: bytes, kind: Kind, tmp_path: Path) -> None:
    assert walk(data, tmp_path) == kind
    assert {follow(data, piece) for piece in (1, 7, 64, len(data))} == {kind}


@pytest.mark.drill("D06")
@pytest.mark.parametrize("data", CUT.values(), ids=CUT.keys())
def test_a_cut_or_damaged_video_is_incomplete(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Incomplete):
        walk(data, tmp_path)
    if len(data) >= HEAD:
        for piece in (1, 7, len(data)):
            with pytest.raises(Incomplete):
                follow(data, piece)


@pytest.mark.drill("D07")
@pytest.mark.parametrize("data", OTHER.values(), ids=OTHER.keys())
def test_what_is_no_video_is_told_apart(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotAVideo):
        walk(data, tmp_path)


def test_every_cut_of_a_film_with_the_index_last_is_noticed(tmp_path: Path) -> None:
    film = FTYP + box(b"mdat", noise(40)) + MOOV
    for length in range(1, len(film)):
        with pytest.raises(Incomplete):
            walk(film[:length], tmp_path)


def test_a_walk_over_endless_tiny_boxes_ends(tmp_path: Path) -> None:
    with pytest.raises(NotAVideo, match="more than"):
        walk(FTYP + box(b"free", b"") * (MOST_PARTS + 1), tmp_path)


def test_media_is_skipped_and_never_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.mp4"
    size = 1 << 42
    with path.open("wb") as file:
        file.write(FTYP + MOOV + box(b"mdat", b"", large=True, size=size))
        file.truncate(len(FTYP + MOOV) + size)
    assert check_container(path) == "mp4"


def test_a_trail_goes_on_after_an_early_end() -> None:
    film = mp4()
    trail = Trail("mp4")
    trail.feed(film[:1000])
    with pytest.raises(Incomplete):
        trail.end()
    trail.feed(film[1000:])
    trail.end()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([FTYP, FTYP + MOOV, webm(10), b""]), st.integers(1, 50))
def test_any_bytes_are_judged_the_same_on_disk_and_passing_by(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, head: bytes, piece: int
) -> None:
    data = head + tail
    if sniff(data[:HEAD]) is None:
        return  # nothing to follow
    folder = tmp_path_factory.getbasetemp()
    assert judged(lambda: walk(data, folder)) == judged(lambda: follow(data, piece))
