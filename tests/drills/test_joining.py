"""A join that is stopped, killed or runs out of room leaves nothing under the film's name, and no hindrance."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.film.sounding import PLAIN, make_sounding, seen
from tests.shell import SCRIPT, Shell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SKIPPED: signals and limits are POSIX's")
#: Encoded anew, and copied: enough clips that there is something to stop.
LINES = {"encoded": ["clip.mp4"] * 40 + ["--size", "320x180"], "copied": ["clip.mp4"] * 200}
#: How large the `.part` is when the blow comes; the muxer writes a megabyte at once.
SIZES = {"encoded": (0, 0, 0), "copied": (0, 1_000_000, 6_000_000)}


def parts() -> list[Path]:
    return list(Path().glob("*.part"))


def begun(orvideo: Shell, line: list[str], size: int) -> subprocess.Popen[bytes]:
    """Start a join, and return it when its `.part` is so large."""
    process = orvideo.popen("join", *line, "-o", "film.mp4", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 120
    while not any(part.stat().st_size >= size for part in parts()) and process.poll() is None:
        assert time.monotonic() < end, "waited in vain for a .part"
        time.sleep(0.002)
    return process


@pytest.fixture
def clip(orvideo: Shell, home: Path) -> Path:
    return make_sounding(home / "clip.mp4", PLAIN._replace(size=(320, 240), options={"preset": "ultrafast", "qp": "4"}))


@pytest.mark.long
@pytest.mark.parametrize("how", LINES)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_join_and_leaves_nothing(orvideo: Shell, clip: Path, how: str, name: str) -> None:
    number = getattr(signal, name)
    stopped = 0
    for size in SIZES[how]:
        process = begun(orvideo, LINES[how], size)
        process.send_signal(number)
        out, err = process.communicate(timeout=240)
        if process.returncode:
            stopped += 1
            assert (process.returncode, out) == (128 + number, b""), err
            assert not Path("film.mp4").exists()
        Path("film.mp4").unlink(missing_ok=True)
        assert parts() == []
        assert b"Traceback" not in err
    assert stopped


def test_a_signal_ends_a_join_within_one_frame_that_lasts_for_hours(orvideo: Shell, clip: Path, home: Path) -> None:
    make_sounding(home / "still.mp4", PLAIN._replace(size=(640, 480), times=(*range(24), 24 * 3600 * 10)))
    process = begun(orvideo, ["still.mp4", clip.name], 0)
    try:
        time.sleep(1)  # it is in the middle of that frame then, or on its way there
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143, err
    assert parts() == []
    assert not Path("film.mp4").exists()


@pytest.mark.long
@pytest.mark.parametrize("how", LINES)
def test_what_is_killed_leaves_no_film_and_the_next_join_clears_the_rest(orvideo: Shell, clip: Path, how: str) -> None:
    killed = 0
    for size in SIZES[how]:
        process = begun(orvideo, LINES[how], size)
        process.kill()
        process.communicate(timeout=240)
        killed += process.returncode != 0
        assert process.returncode == 0 or not Path("film.mp4").exists()
        Path("film.mp4").unlink(missing_ok=True)
    assert killed
    done = orvideo("join", "clip.mp4", "clip.mp4", "-o", "film.mp4")
    assert done.code == 0, done.err
    assert seen(Path("film.mp4")).sums == seen(clip).sums * 2
    assert parts() == []


def test_a_limit_of_the_shell_ends_a_join(orvideo: Shell, clip: Path) -> None:
    resource = pytest.importorskip("resource", reason="resource is there on POSIX alone")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))

    process = orvideo.popen(
        "join", *LINES["copied"], "-o", "film.mp4", preexec_fn=little_room, stdout=-1, stderr=subprocess.PIPE
    )
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (14, b""), err
    assert b"cannot be written" in err
    assert parts() == []
    assert not Path("film.mp4").exists()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="SKIPPED: util-linux is not installed: no small disk")
def test_no_room_is_told_before_it_begins(orvideo: Shell, clip: Path) -> None:
    script = 'mount -t tmpfs -o size=4m none small || exit 77; "$@"; code=$?; ls small >&2; exit $code'
    Path("small").mkdir()
    line = ["unshare", "-rm", "sh", "-c", script, "sh", str(SCRIPT), "join", *LINES["copied"], "-o", "small/film.mp4"]
    done = subprocess.run(line, env=orvideo.environ, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip(f"SKIPPED: nothing can be mounted here: {done.stderr.strip()[:100]}")
    assert done.returncode == 14, done.stderr
    assert "There is no room" in done.stderr
    assert "film" not in done.stderr.partition("hint:")[2].partition("\n")[2]


def peak(orvideo: Shell, clips: list[str], film: str) -> int:
    """Join clips, and return how much memory that took at most."""
    process = orvideo.popen("join", *clips, "-o", film, stdout=-1, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    return usage.ru_maxrss


@pytest.mark.long
def test_memory_does_not_grow_with_the_film(orvideo: Shell, home: Path) -> None:
    filled = "nal-hrd=cbr:filler=1:bitrate=6000:vbv-maxrate=6000:vbv-bufsize=600"
    options = {"preset": "ultrafast", "x264-params": filled}
    clip = make_sounding(home / "clip.mp4", PLAIN._replace(options=options))

    few, many = (peak(orvideo, [clip.name] * count, f"{count}.mp4") for count in (3, 60))
    size = Path("60.mp4").stat().st_size
    assert size > 30_000_000
    assert many < few * 1.15


@pytest.mark.long
def test_memory_does_not_grow_with_silence(orvideo: Shell, home: Path) -> None:
    low = PLAIN._replace(sound_rate=22050)  # sound that is encoded anew, beside frames that are copied
    make_sounding(home / "clip.mp4", low)
    make_sounding(home / "still.mp4", low._replace(frames=2, times=(0, 24 * 900), sound_seconds=1))
    short, silent = (peak(orvideo, names, f"{names[-1]}-film.mp4") for names in (["clip.mp4"] * 2, ["still.mp4"] * 2))
    assert silent < short * 1.5
