"""Stills are the very frames that a whole decode gives, and what the sandbox drew; what is broken is said."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from orvideo.container import MAX_PARTS
from orvideo.errors import UsageError
from orvideo.film.boxes import is_cut, is_upright
from orvideo.film.moment import FIRST, LAST, Moment
from orvideo.film.stills import info, still
from orvideo.sandbox.card import Film, card
from orvideo.sandbox.film import make as make_film
from orvideo.sandbox.planes import of_frame
from orvideo.sandbox.scene import Scene
from tests.download.films import box
from tests.film.clips import MILLISECOND, Making, copied, decoded, difference, drawn, make, psnr

B_FRAMES = {"bf": "4", "b-pyramid": "normal"}
UNEVEN = [0, 30, 31, 90, 210, 230, 600, 620, 640, 2000, 2010, 2500, 2540, 2600]
FORMS = {
    "plain.mp4": Making(options={"bf": "0"}),
    "reordered.mp4": Making(options=B_FRAMES),
    "open-groups.mp4": Making(options={"x264-params": "open-gop=1:bframes=5:keyint=10:b-adapt=0"}),
    "one-group.mp4": Making(gop=1000, options=B_FRAMES),
    "uneven.mp4": Making(times=UNEVEN, time_base=MILLISECOND, gop=5, options=B_FRAMES),
    "fragments.mp4": Making(options=B_FRAMES, container={"movflags": "frag_keyframe+empty_moov+default_base_moof"}),
    "ten-bit.mp4": Making(codec="libx265", pix_fmt="yuv420p10le", options={"x265-params": "log-level=none:keyint=10"}),
    "all-colours.mp4": Making(pix_fmt="yuv444p", options={"crf": "5"}),
    "vp9.webm": Making(codec="libvpx-vp9", options={"cpu-used": "8"}, gop=10),
    "vp9-live.webm": Making(codec="libvpx-vp9", options={"cpu-used": "8"}, gop=10, container={"live": "1"}),
    "matroska.mkv": Making(options=B_FRAMES),
    "broadcast.ts": Making(options=B_FRAMES),
    "old.avi": Making(codec="mpeg4"),
    "odd-size.mkv": Making(codec="ffv1", pix_fmt="bgr0", size=(97, 61)),
    "single.mp4": Making(times=[0]),
}


@pytest.fixture(scope="module", params=FORMS)
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clips") / request.param, FORMS[request.param])


def check_each(path: Path) -> None:
    """Compare a still of each frame, by its own time and by one within it, with a whole decode."""
    whole = decoded(path)
    assert still(path, FIRST).image.tobytes() == whole[0].image.tobytes()
    last = still(path, LAST)
    assert (last.image.tobytes(), last.seconds, last.warning) == (whole[-1].image.tobytes(), whole[-1].seconds, None)
    for number, (seconds, image) in enumerate(whole):
        after = whole[number + 1].seconds if number + 1 < len(whole) else seconds + Fraction(1, 100)
        for time in (seconds, (seconds + after) / 2 if after - seconds > 4 * MILLISECOND else seconds):
            found = still(path, Moment(time))
            assert (found.seconds, found.image.tobytes()) == (seconds, image.tobytes()), (number, time)


@pytest.mark.long
def test_every_frame_is_that_of_a_whole_decode(clip: Path) -> None:
    check_each(clip)


def test_a_start_that_is_not_0_is_the_first_frame(tmp_path: Path) -> None:
    source = make(tmp_path / "source.mp4", FORMS["reordered.mp4"])
    for name in ("late.ts", "late.mkv"):
        late = copied(source, tmp_path / name, later=Fraction(100))
        with av.open(str(late)) as container:
            stream = container.streams.video[0]
            assert stream.start_time is not None
            assert stream.time_base is not None
            assert stream.start_time * stream.time_base > 90
        check_each(late)


def test_frames_that_an_edit_list_hides_are_not_shown(tmp_path: Path) -> None:
    """The edit list begins half a second into the film, in the middle of a group."""
    path = make(tmp_path / "whole.mp4", Making(options={"bf": "0"}))
    whole = decoded(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12  # behind version, flags and the number of edits
    scale = data.index(b"mdhd") + 16
    begins = int.from_bytes(data[scale : scale + 4], "big") * 9 // 24
    data[at + 4 : at + 8] = begins.to_bytes(4, "big")
    path.write_bytes(data)
    assert still(path, FIRST).image.tobytes() == whole[9].image.tobytes()
    check_each(path)


def test_what_the_sandbox_drew_is_what_is_seen(tmp_path: Path) -> None:
    """Each still is nearest to the frame that was drawn for its time, and as near as the codec leaves it."""
    film = Film(320, 180, 2, "google/veo-3.1-lite", "a paper boat drifts down a rainy street")
    path = tmp_path / "film.mp4"
    make_film(film, path)
    scene = Scene(film, card(film))
    expected = [of_frame(scene.draw(number, 48).to_frame()) for number in range(48)]
    for number in (0, 1, 23, 24, 25, 40, 46, 47):
        moment = {0: FIRST, 47: LAST}.get(number, Moment(Fraction(number, 24)))
        seen = still(path, moment).image
        likeness = [psnr(seen, one) for one in expected]
        assert likeness.index(max(likeness)) == number
        assert max(likeness) > 34


RED, GREEN, SKY = (200, 30, 40), (30, 170, 60), (60, 120, 220)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5, None], ids=["bt709", "bt601", "untold"])
@pytest.mark.parametrize("height", [64, 720])
def test_colours_are_those_that_the_file_means(tmp_path: Path, matrix: int | None, full: bool, height: int) -> None:
    meant = matrix or (1 if height == 720 else 5)
    path = tmp_path / "colours.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, height, "yuv420p"
        stream.codec_context.options = {"crf": "1", "preset": "ultrafast"}
        stream.codec_context.color_range = 2 if full else 1
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        picture = Image.new("RGB", (96, height), RED)
        picture.paste(GREEN, (32, 0, 64, height))
        picture.paste(SKY, (64, 0, 96, height))
        source = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
        frame = source.reformat(format="yuv420p", dst_colorspace=meant, dst_color_range=2 if full else 1)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seen = still(path, FIRST).image
    for left, colour in ((16, RED), (48, GREEN), (80, SKY)):
        assert max(abs(a - b) for a, b in zip(seen.getpixel((left, 20)), colour, strict=True)) <= 4  # type: ignore[arg-type]


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_a_film_that_lies_on_its_side_is_shown_upright(tmp_path: Path, turn: int) -> None:
    path = make(tmp_path / "turned.mp4", Making(rotation=turn, times=range(3)))
    upright = drawn(0).rotate(turn, expand=True)
    seen = still(path, FIRST).image
    assert seen.size == upright.size == info(path)[1:3]
    assert difference(seen, upright) < 6


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (128, 64)), (Fraction(1, 2), (96, 128))])
def test_pixels_that_are_not_square_become_square(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = make(tmp_path / "wide.mp4", Making(pixel_aspect=aspect, times=range(3)))
    seen = still(path, FIRST).image
    assert seen.size == size == info(path)[1:3]
    assert difference(seen, drawn(0).resize(size)) < 6


def test_a_time_beyond_the_end_names_the_length(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4")
    assert still(path, Moment(Fraction("1.66"))).seconds == Fraction(39, 24)
    for time in ("1.7", "5", "999999"):
        with pytest.raises(UsageError, match=r"is 1\.666s long"):
            still(path, Moment(Fraction(time)))


def test_the_length_itself_is_the_last_frame(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", Making(times=range(48)))
    assert still(path, Moment(Fraction(2))).seconds == Fraction(47, 24)


def test_what_a_film_is(tmp_path: Path) -> None:
    make_film(Film(320, 180, 2, "a/b", "a boat", sound=True), tmp_path / "film.mp4")
    assert info(tmp_path / "film.mp4") == (Fraction(2), 320, 180, Fraction(24), "h264", "aac")


def packets(path: Path) -> list[tuple[int, int, bool]]:
    """Return where each packet of a clip lies, its size, and whether it is a keyframe."""
    with av.open(str(path)) as container:
        found = [(one.pos, one.size, one.is_keyframe) for one in container.demux(video=0) if one.size]
    return [(pos, size, key) for pos, size, key in found if pos is not None]


def spoil(path: Path, numbers: range) -> None:
    """Overwrite some packets of a clip."""
    data = bytearray(path.read_bytes())
    for pos, size, _ in [packets(path)[number] for number in numbers]:
        data[pos : pos + size] = b"\xff" * size
    path.write_bytes(data)


PLAIN = Making(options={"bf": "0", "sc_threshold": "0"}, times=range(48))


def test_nothing_is_decoded_that_need_not_be(tmp_path: Path) -> None:
    """The second group is broken: what is not in it is found all the same."""
    path = make(tmp_path / "clip.mp4", PLAIN)
    whole = decoded(path)
    spoil(path, range(12, 24))
    assert still(path, FIRST).image.tobytes() == whole[0].image.tobytes()
    assert still(path, LAST) == (still(path, LAST).image, Fraction(47, 24), None)
    assert still(path, Moment(Fraction(30, 24))).image.tobytes() == whole[30].image.tobytes()


def test_a_damaged_frame_is_said_and_not_shown(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", PLAIN)
    whole = decoded(path)
    spoil(path, range(14, 15))
    assert still(path, Moment(Fraction(13, 24))).image.tobytes() == whole[13].image.tobytes()
    for number in (14, 15, 23):  # those that are built on it as well
        with pytest.raises(UsageError, match="is damaged: its frame at"):
            still(path, Moment(Fraction(number, 24)))
    assert still(path, Moment(Fraction(24, 24))).image.tobytes() == whole[24].image.tobytes()


def test_of_a_broken_end_the_last_whole_frame_is_shown_and_that_is_said(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", PLAIN)
    whole = decoded(path)
    spoil(path, range(36, 48))
    found = still(path, LAST)
    assert found.image.tobytes() == whole[35].image.tobytes()
    assert found.seconds == Fraction(35, 24)
    assert found.warning == f"the last frame of {path} is damaged"


def test_a_first_frame_that_is_damaged_is_an_error(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", PLAIN)
    spoil(path, range(3))
    with pytest.raises(UsageError, match="its first frame cannot be decoded"):
        still(path, FIRST)


def test_a_film_that_is_cut_has_a_beginning_and_no_end(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", PLAIN._replace(container={"movflags": "faststart"}))
    data = path.read_bytes()
    path.write_bytes(data[: packets(path)[30][0]])
    assert still(path, FIRST).seconds == 0
    assert still(path, Moment(Fraction(20, 24))).seconds == Fraction(20, 24)
    for moment in (LAST, Moment(Fraction(40, 24))):
        with pytest.raises(UsageError, match="is cut short: its end is missing"):
            still(path, moment)


def test_a_file_of_endless_small_boxes_is_soon_done(tmp_path: Path) -> None:
    path = tmp_path / "boxes.mp4"
    path.write_bytes(box(b"ftyp", b"isom" + bytes(4)) + box(b"free", b"") * (MAX_PARTS + 2) + b"\0\0\1\0cut!")
    # The last one is cut; nobody walks so far.
    assert not is_cut(path)
    assert not is_upright(path)
    with pytest.raises(UsageError, match="is not a video that can be read"):
        still(path, FIRST)


def test_a_film_that_is_cut_before_its_table_cannot_be_read(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", PLAIN)  # the table of frames is at the end
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UsageError, match="is cut short, and nothing of it can be read"):
        still(path, FIRST)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"this is no film\n" * 50, "is not a video"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:2,\nfile://clip.mp4\n#EXT-X-ENDLIST\n", "is not a video"),
        ("list.mp4", b"ffconcat version 1.0\nfile clip.mp4\n", "is not a video"),
    ],
)
def test_what_is_no_video_is_said(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    make(tmp_path / "clip.mp4")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said):
        still(tmp_path / name, FIRST)


def test_a_picture_and_a_song_are_no_videos(tmp_path: Path) -> None:
    drawn(0).save(tmp_path / "picture.png")
    with pytest.raises(UsageError, match="is not a video"):
        still(tmp_path / "picture.png", FIRST)
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode(None))  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="has no pictures"):
        still(tmp_path / "song.mp4", FIRST)


@pytest.mark.long
def test_a_picture_that_is_too_large_is_said(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 8000, 5200, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(8000, 5200, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(UsageError, match="8000x5200, which is too large to be decoded"):
        still(path, FIRST)


_MEASURED = """
import sys
from pathlib import Path
from orvideo.container import MAX_PARTS
from orvideo.errors import UsageError
from orvideo.film.boxes import is_cut, is_upright
from orvideo.film.moment import FIRST
from orvideo.film.stills import still
try:
    still(Path(sys.argv[1]), FIRST)
except UsageError as error:
    print(error)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the most memory that was used")
@pytest.mark.parametrize("in_the_table", [False, True])
def test_a_giant_declared_size_takes_no_memory(tmp_path: Path, in_the_table: bool) -> None:
    """A picture of 30,000 x 30,000 would be 1.3 GB decoded, and twice that in RGB."""
    path = make(tmp_path / "clip.mp4", Making(codec="mjpeg", pix_fmt="yuvj420p", times=[0]))
    data = bytearray(path.read_bytes())
    giant = (30_000).to_bytes(2, "big") * 2
    at = data.index(b"\xff\xc0") + 5  # the size in the picture itself, behind the marker's length and the depth
    data[at : at + 4] = giant
    if in_the_table:
        at = data.index(b"stsd") + 12 + 4 + 28
        assert int.from_bytes(data[at : at + 2], "big") == 96
        data[at : at + 4] = giant
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True, timeout=240
    )
    said, kilobytes = done.stdout.splitlines()
    assert ("too large to be decoded" if in_the_table else "cannot be decoded") in said
    assert int(kilobytes) < 300_000


def test_pixels_that_are_absurdly_wide_are_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", Making(pixel_aspect=Fraction(4, 3), times=range(2)))
    data = bytearray(path.read_bytes())
    at = data.index(b"pasp") + 4
    data[at : at + 8] = (60_000).to_bytes(4, "big") + (1).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(UsageError, match="too large"):
        still(path, FIRST)


def test_a_name_in_bytes_that_are_no_text_can_be_read(tmp_path: Path) -> None:
    path = make(tmp_path / "clip.mp4", Making(times=range(2)))
    odd = path.rename(path.with_name("film\udcff: 50%.mp4"))
    assert still(odd, LAST).seconds == Fraction(1, 24)
