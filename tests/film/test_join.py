"""`orvideo join`: the frames of a film are those of its clips, its sound is in step, and it is whole or not there."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageStat

from orvideo.commands._join import PART
from orvideo.download.disk import Part
from orvideo.download.targets import parse_target
from tests.film.clips import copied, decoded, difference, drawn, psnr
from tests.film.sounding import PLAIN, Sounding, clicks, make_sounding, seen
from tests.shell import Shell

#: How far sound may be out of step, in seconds.
IN_STEP = 0.020
B_FRAMES = {"preset": "medium", "bf": "3", "b-pyramid": "normal"}


def film_of(orvideo: Shell, *words: str | Path) -> dict[str, Any]:
    """Join and return the document."""
    done = orvideo("join", *map(str, words), "--json")
    assert done.code == 0, done.err
    document: dict[str, Any] = done.json
    return document


def assert_in_step(film: Path, document: dict[str, Any], seconds_of: dict[int, int]) -> None:
    """Each clip clicks as it begins and at each second after; `seconds_of` has how many clicks, by number of clip."""
    wanted = [
        clip["start"] + second
        for number, clip in enumerate(document["clips"])
        for second in range(seconds_of.get(number, 0))
    ]
    heard = clicks(film)
    assert len(heard) == len(wanted), (heard, wanted)
    assert max(abs(one - other) for one, other in zip(heard, wanted, strict=True)) < IN_STEP


def assert_even(times: list[Fraction], rate: int = 24) -> None:
    """The frames follow each other at one rate, from 0 on, to the unit of the file."""
    assert all(abs(time - Fraction(number, rate)) < Fraction(1, 5000) for number, time in enumerate(times))


# As they are


@pytest.mark.long
@pytest.mark.parametrize("options", [{"preset": "veryfast", "bf": "0"}, B_FRAMES], ids=["in order", "reordered"])
def test_frames_are_copied_bit_for_bit_and_sound_stays_in_step(
    orvideo: Shell, home: Path, options: dict[str, str]
) -> None:
    makings = [
        PLAIN._replace(frames=50, options=options),
        PLAIN._replace(frames=37, options=options, sound_seconds=3.0),
        PLAIN._replace(frames=48, options=options, sound_seconds=0),
        PLAIN._replace(frames=61, options=options, sound_seconds=1.1),
        PLAIN._replace(frames=29, options=options),
    ]
    clips = [make_sounding(home / f"{number}.mp4", one) for number, one in enumerate(makings)]
    document = film_of(orvideo, *clips, "-o", "film.mp4")
    film = home / "film.mp4"
    assert (document["reencoded"], document["sound_reencoded"], document["reasons"]) == (False, False, [])
    found = seen(film)
    assert found.sums == [one for clip in clips for one in seen(clip).sums]
    assert_even(found.times)
    assert [clip["frames"] for clip in document["clips"]] == [50, 37, 48, 61, 29]
    assert document["frames"] == len(found.times)
    assert_in_step(film, document, {0: 3, 1: 2, 3: 2, 4: 2})


@pytest.mark.long
def test_sound_is_in_step_after_many_clips(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(frames=35, sound_rate=44100))
    document = film_of(orvideo, *[clip] * 40, "-o", "film.mp4")
    assert document["frames"] == 1400
    heard = clicks(home / "film.mp4")
    for one in document["clips"]:
        assert min(abs(click - one["start"]) for click in heard) < IN_STEP


def test_clips_that_were_encoded_apart_share_a_track(orvideo: Shell, home: Path) -> None:
    makings = [PLAIN, PLAIN._replace(options={**B_FRAMES, "refs": "2"}), PLAIN._replace(options=B_FRAMES)]
    clips = [make_sounding(home / f"{number}.mp4", one) for number, one in enumerate(makings)]
    parameters = set()
    for clip in clips:
        with av.open(str(clip)) as container:
            parameters.add(container.streams.video[0].codec_context.extradata)
    assert len(parameters) > 1
    document = film_of(orvideo, *clips, "-o", "film.mp4")
    assert document["reencoded"] is False
    found = seen(home / "film.mp4")
    assert found.sums == [one for clip in clips for one in seen(clip).sums]
    assert_even(found.times)


def test_a_film_is_joined_to_a_longer_one(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(options=B_FRAMES))
    film_of(orvideo, clip, clip, "-o", "two.mp4")
    document = film_of(orvideo, "two.mp4", clip, "-o", "three.mp4")
    assert document["reencoded"] is False
    assert seen(home / "three.mp4").sums == seen(clip).sums * 3
    assert_in_step(home / "three.mp4", document | {"clips": [{"start": n * 2.0} for n in range(3)]}, {0: 2, 1: 2, 2: 2})


def test_a_turned_clip_stays_turned(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(rotation=90))
    assert film_of(orvideo, clip, clip, "-o", "film.mp4")["reencoded"] is False
    assert decoded(home / "film.mp4")[0].image.size == (64, 96)


# Encoded anew

OTHERS = {
    "vp9.webm": Sounding(codec="libvpx-vp9", options={"cpu-used": "8"}, sound="libopus", layout="mono"),
    "large.mp4": Sounding(size=(192, 108)),
    "upright.mp4": Sounding(size=(64, 96)),
    "odd.mkv": Sounding(size=(97, 61), codec="ffv1", pix_fmt="bgr0", options={}),
    "fast.mp4": Sounding(frames=60, rate=30),
    "uneven.mp4": Sounding(times=(0, 1, 2, 9, 10, 30, 47), frames=48),
    "turned.mp4": Sounding(rotation=90, size=(64, 96)),
    "all-colours.mp4": Sounding(pix_fmt="yuv444p"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", OTHERS)
def test_what_does_not_agree_is_encoded_anew(orvideo: Shell, home: Path, name: str) -> None:
    first = make_sounding(home / "first.mp4")
    other = make_sounding(home / name, OTHERS[name])
    done = orvideo("join", str(first), str(other), str(first), "--json", "-o", "film.mp4")
    assert done.code == 0, done.err
    document, film = done.json, home / "film.mp4"
    assert document["reencoded"] is True
    assert f"the frames will be encoded anew: {name} " in " ".join(done.err.split())
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (96, 64, 24)
        assert (stream.codec_context.name, stream.pix_fmt, int(stream.colorspace)) == ("h264", "yuv420p", 1)
        assert container.streams.audio[0].layout.name == "stereo"
    frames = decoded(film)
    assert document["frames"] == len(frames) == 144
    assert_even([frame.seconds for frame in frames])
    assert_in_step(film, document, {0: 2, 1: 2, 2: 2})
    assert min(psnr(frames[number].image, drawn(number % 96)) for number in (0, 47, 96, 143)) > 20


def test_another_shape_has_bars_and_is_not_stretched(orvideo: Shell, home: Path) -> None:
    wide = make_sounding(home / "wide.mp4", PLAIN._replace(size=(192, 96)))
    tall = make_sounding(home / "tall.mp4", PLAIN._replace(size=(96, 192)))
    film_of(orvideo, wide, tall, "-o", "film.mp4")
    picture = decoded(home / "film.mp4")[-1].image
    assert picture.size == (192, 96)
    for bar in (picture.crop((0, 0, 68, 96)), picture.crop((124, 0, 192, 96))):
        assert max(ImageStat.Stat(bar).mean) < 4
    shown = picture.crop((72, 0, 120, 96))
    assert difference(shown, decoded(tall)[-1].image.resize((48, 96), Image.Resampling.LANCZOS)) < 6


def test_a_size_of_its_own(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    document = film_of(orvideo, clip, clip, "--size", "192x128", "-o", "film.mp4")
    assert document["reasons"] == ["clip.mp4 is 96x64, the film 192x128"]
    assert decoded(home / "film.mp4")[0].image.size == (192, 128)
    assert film_of(orvideo, clip, "--size", "96x64", "-o", "same.mp4")["reencoded"] is False


def test_silence_is_put_where_a_clip_has_no_sound(orvideo: Shell, home: Path) -> None:
    silent = make_sounding(home / "silent.mp4", PLAIN._replace(sound_seconds=0))
    mono = make_sounding(home / "mono.mp4", PLAIN._replace(layout="mono", sound_rate=44100))
    stereo = make_sounding(home / "stereo.mp4")
    document = film_of(orvideo, silent, mono, stereo, silent, "-o", "film.mp4")
    assert (document["reencoded"], document["sound_reencoded"]) == (False, True)
    assert seen(home / "film.mp4").sums == [one for clip in (silent, mono, stereo, silent) for one in seen(clip).sums]
    assert_in_step(home / "film.mp4", document, {1: 2, 2: 2})
    assert film_of(orvideo, silent, silent, "-o", "quiet.mp4")["sound_reencoded"] is False


def test_mono_is_as_loud_as_stereo(orvideo: Shell, home: Path) -> None:
    mono = make_sounding(home / "mono.mp4", PLAIN._replace(layout="mono"))
    stereo = make_sounding(home / "stereo.mp4")
    film_of(orvideo, mono, stereo, "-o", "film.mp4")
    with av.open(str(home / "film.mp4")) as container:
        sounds = [
            (frame.pts or 0, max(map(abs, array("f", bytes(frame.planes[0])[: frame.samples * 4]))))
            for frame in container.decode(audio=0)
        ]
    first, second = (max(loud for when, loud in sounds if begin <= when < begin + 48000) for begin in (0, 2 * 48000))
    assert abs(first / second - 1) < 0.1


def test_a_crossfade_leads_from_one_clip_into_the_next(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(options={"crf": "5"}))
    document = film_of(orvideo, clip, clip, clip, "--crossfade", "0.5s", "-o", "film.mp4")
    frames = decoded(home / "film.mp4")
    assert document["frames"] == len(frames) == 3 * 48 - 2 * 12
    assert document["seconds"] == 5.0
    mixed = Image.blend(drawn(36 + 5), drawn(5), 6 / 13)
    assert psnr(frames[36 + 5].image, mixed) > psnr(frames[36 + 5].image, drawn(5)) + 5
    heard = clicks(home / "film.mp4")
    assert all(min(abs(when - click) for click in heard) < IN_STEP for when in (0, 1, 2.5, 4))


# What both clips have


def chain(orvideo: Shell, count: int) -> list[Path]:
    """Submit jobs in the sandbox, each of which begins with the last frame of the one before."""
    paths = []
    for number in range(count):
        more = ["--first-frame", "@1"] if number else []
        done = orvideo(
            "submit",
            f"scene {number}",
            *more,
            "--duration",
            "4",
            "--audio",
            "--wait",
            "-o",
            f"{number}.mp4",
            "--sandbox",
        )
        assert done.code == 0, done.err
        paths.append(Path(f"{number}.mp4").absolute())
    return paths


@pytest.mark.long
def test_a_chain_of_four_jobs_has_each_shared_frame_once(orvideo: Shell, home: Path) -> None:
    paths = chain(orvideo, 4)
    done = orvideo("join", "4", "3", "2", "1", "-o", "film.mp4")
    assert (done.code, done.lines) == (0, ["film.mp4"]), done.err
    assert "left out at 3 seams: the frame that both clips have" in " ".join(done.err.split())
    sums = [seen(path).sums for path in paths]
    assert seen(home / "film.mp4").sums == [*sums[0][:-1], *sums[1][:-1], *sums[2][:-1], *sums[3]]
    for one, other in itertools.pairwise(paths):
        assert psnr(decoded(one)[-1].image, decoded(other)[0].image) > 35
    document = film_of(orvideo, "4", "3", "2", "1", "-o", "kept.mp4", "--keep-repeated")
    assert document["frames"] == sum(map(len, sums))
    document = film_of(orvideo, "4", "3", "2", "1", "-o", "small.mp4", "--size", "320x180")
    assert document["frames"] == sum(map(len, sums)) - 3
    assert [clip["repeated_left_out"] for clip in document["clips"]] == [False, True, True, True]
    chapters = probe(home / "film.mp4")["chapters"]
    assert [one["tags"]["title"] for one in chapters] == [f"scene {number}" for number in range(4)]


# What the file says of itself


def probe(path: Path) -> dict[str, Any]:
    if shutil.which("ffprobe") is None:
        pytest.skip("no ffprobe: apt-get install ffmpeg")
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_chapters", "-show_format", "-show_streams", str(path)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def test_ffprobe_reads_chapters_length_and_what_it_was_made_from(orvideo: Shell, home: Path) -> None:
    long = "a very long name of a clip, and on and on " * 5
    clips = [make_sounding(home / f"{name}.mp4") for name in ("eins", long.strip(), "紙の舟")]
    film_of(orvideo, *clips, "-o", "film.mp4")
    told = probe(home / "film.mp4")
    assert [chapter["tags"]["title"] for chapter in told["chapters"]] == [clip.stem for clip in clips]
    assert [float(chapter["start_time"]) for chapter in told["chapters"]] == [0, 2, 4]
    assert float(told["chapters"][-1]["end_time"]) == 6
    assert abs(float(told["format"]["duration"]) - 6) < 0.025
    assert told["format"]["tags"]["comment"].startswith("made by orvideo join from eins.mp4, ")


# Whole, or not there


def refused(orvideo: Shell, home: Path, *words: str, code: int = 2) -> str:
    """Join what cannot be, and return what is said; nothing is made."""
    before = sorted(os.listdir(home))
    done = orvideo("join", *words)
    assert (done.code, done.out) == (code, ""), done.err
    assert sorted(os.listdir(home)) == before
    return " ".join(done.err.split())


def test_what_cannot_be_joined_is_named_and_nothing_is_made(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    (home / "cut.mp4").write_bytes(clip.read_bytes()[:-900])
    live = make_sounding(home / "whole.webm", OTHERS["vp9.webm"])
    (home / "cut.webm").write_bytes(live.read_bytes()[: live.stat().st_size // 3])
    (home / "empty.mp4").touch()
    (home / "text.mp4").write_text("no film at all")
    with av.open(str(home / "heard.m4a"), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48000)
        for number in range(9):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            frame.sample_rate, frame.pts, frame.time_base = 48000, 1024 * number, Fraction(1, 48000)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "cut.mp4 is cut short" in refused(orvideo, home, "clip.mp4", "cut.mp4")
    assert "cut.webm is cut short" in refused(orvideo, home, "clip.mp4", "cut.webm")
    assert "empty.mp4 is empty" in refused(orvideo, home, "clip.mp4", "empty.mp4")
    assert "text.mp4 is not a video" in refused(orvideo, home, "text.mp4", "clip.mp4")
    assert "heard.m4a has no pictures" in refused(orvideo, home, "clip.mp4", "heard.m4a")
    assert "There is no video file none.mp4" in refused(orvideo, home, "none.mp4")
    assert "A job or a video file is needed" in refused(orvideo, home)


def test_damage_inside_is_named(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    damaged = bytearray(clip.read_bytes())
    at = damaged.index(b"mdat") + 2000
    damaged[at : at + 3000] = bytes(3000)
    (home / "damaged.mp4").write_bytes(damaged)
    told = refused(orvideo, home, "clip.mp4", "damaged.mp4", "--size", "64x64")
    assert "damaged.mp4 is damaged" in told


def test_where_a_film_cannot_go(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    (home / "taken.mp4").write_text("somebody's")
    assert "exists already" in refused(orvideo, home, "clip.mp4", "-o", "taken.mp4", code=13)
    assert "is one of the videos" in refused(orvideo, home, "clip.mp4", "-o", "clip.mp4", "--force")
    assert "A film is an MP4" in refused(orvideo, home, "clip.mp4", "-o", "film.webm")
    assert "A film is written to a file" in refused(orvideo, home, "clip.mp4", "-o", "-")
    assert "A film is written to a file" in refused(orvideo, home, "clip.mp4", "-o", "{id}.mp4")
    refused(orvideo, home, "clip.mp4", "-o", "none/of/these.mp4", code=14)
    assert clip.read_bytes()[4:8] == b"ftyp"
    assert (home / "taken.mp4").read_text() == "somebody's"
    film_of(orvideo, clip, "-o", "taken.mp4", "--force")
    film_of(orvideo, clip, "-o", "new/film.mp4")
    film_of(orvideo, clip, "-o", "other/")
    film_of(orvideo, clip)
    assert all(seen(home / name).sums == seen(clip).sums for name in ("taken.mp4", "new/film.mp4", "film.mp4"))


def test_options_that_cannot_be(orvideo: Shell, home: Path) -> None:
    make_sounding(home / "clip.mp4")
    make_sounding(home / "other.mp4", OTHERS["large.mp4"])
    for size in ("12x", "0x10", "97x64", "2x2", "99998x99998"):
        refused(orvideo, home, "clip.mp4", "--size", size)
    for time in ("soon", "0", "-1s", "0.001s", "1.1s"):
        refused(orvideo, home, "clip.mp4", "clip.mp4", "clip.mp4", f"--crossfade={time}")
    assert "is 192x108" in refused(orvideo, home, "clip.mp4", "other.mp4", "--no-reencode")
    refused(orvideo, home, "clip.mp4", "--no-reencode", "--size", "64x64")


def test_a_crossfade_of_frames_that_have_no_room_is_refused(orvideo: Shell, home: Path) -> None:
    make_sounding(home / "still.mp4", PLAIN._replace(frames=2, times=(0, 24 * 3600)))
    line = ("still.mp4", "still.mp4", "--size", "1920x1080", "--crossfade", "60s")
    assert "too much memory" in refused(orvideo, home, *line)


def test_a_crossfade_of_one_clip_leaves_it_as_it_is(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    document = film_of(orvideo, clip, "--crossfade", "0.5s")
    assert (document["reencoded"], document["sound_reencoded"], document["reasons"]) == (False, False, [])
    assert seen(home / document["path"]).sums == seen(clip).sums


def test_one_clip_and_the_same_one_again_and_many(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(frames=3, gop=3))
    assert seen(home / film_of(orvideo, clip, "-o", "one.mp4")["path"]).sums == seen(clip).sums
    document = film_of(orvideo, *[clip] * 200, "-o", "many.mp4")
    assert document["frames"] == 600
    assert len(seen(home / "many.mp4").sums) == 600


def test_very_long_names(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / ("x" * 250 + ".mp4"))
    document = film_of(orvideo, clip, clip, "-o", "y" * 300 + ".mp4")
    assert Path(document["path"]).is_file()


def test_what_a_killed_join_has_left_is_cleared(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.mp4")
    document = film_of(orvideo, clip, "-o", "film.mp4")
    os.unlink(document["path"])
    part = parse_target("film.mp4").part_for(PART)
    part.write_bytes(b"left" * 1_000_000)
    again = film_of(orvideo, clip, "-o", "film.mp4")
    assert (again["bytes"], again["sha256"]) == (document["bytes"], document["sha256"])
    assert not part.exists()


def test_two_joins_do_not_write_one_film(orvideo: Shell, home: Path) -> None:
    make_sounding(home / "clip.mp4")
    held = Part.open_locked(parse_target("film.mp4").part_for(PART))
    try:
        assert "Another orvideo is writing" in refused(orvideo, home, "clip.mp4", "-o", "film.mp4", code=14)
    finally:
        held.remove()
        held.close()


def test_a_webm_of_the_same_codec_is_copied_into_an_mp4(orvideo: Shell, home: Path) -> None:
    clip = make_sounding(home / "clip.webm", OTHERS["vp9.webm"]._replace(sound_seconds=0))
    document = film_of(orvideo, clip, clip, "-o", "film.mp4")
    assert document["reencoded"] is False
    assert seen(home / "film.mp4").sums == seen(clip).sums * 2
    matroska = copied(make_sounding(home / "plain.mp4", PLAIN._replace(options=B_FRAMES)), home / "clip.mkv")
    document = film_of(orvideo, matroska, home / "plain.mp4", "-o", "mixed.mp4")
    assert seen(home / "mixed.mp4").sums[48:] == seen(home / "plain.mp4").sums or document["reencoded"]
