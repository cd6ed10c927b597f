"""The main job on a Linux Python that is as poor as that of Windows, or of macOS (rows W1 to W6, W10, M2, M3).

The real thing for Windows is `python -m tests.platforms.windows`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.download.films import mp4
from tests.drills.test_fetching import parts, wait_until
from tests.drills.wire import DONE, JOB, Wire, film, send_and_stall
from tests.shell import Shell, own_folders

SHIMS = Path(__file__).parent / "shims"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the shims make of Linux what it is not"),
]


@pytest.fixture(params=["windows", "macos"])
def elsewhere(request: pytest.FixtureRequest, orvideo: Shell) -> Shell:
    """The command as the other system has it; what was asked for there and does not exist is in `refused.log`."""
    orvideo.environ |= {
        "PYTHONPATH": str(SHIMS / request.param),
        "SHIM_LOG": str(orvideo.home.parent / "refused.log"),
        "ORVIDEO_SANDBOX_SPEED": "1000000",
        # The folders of tests are longer than a person's.
        "SHIM_LONG_PATHS": "1",
        **own_folders(orvideo.home),
    }
    return orvideo


def refused(shell: Shell) -> list[str]:
    """Return what orvideo asked the system for and did not get, but for signals, which it asks for to find out."""
    log = Path(shell.environ["SHIM_LOG"])
    lines = log.read_text().splitlines() if log.exists() else []
    return [line for line in lines if "\tsignal." not in line]


@pytest.mark.drill("W1", "W2", "W3", "W6")
def test_w1_a_video_is_bought_and_saved_and_nothing_is_left_beside_it(elsewhere: Shell) -> None:
    line = ("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", "--receipt")
    done = elsewhere.process(*line)
    assert (done.code, done.lines) == (0, ["boat.mp4"]), done.err
    (record,) = elsewhere.process("jobs", "--json").json
    content = Path("boat.mp4").read_bytes()
    (output,) = record["outputs"]
    assert (output["bytes"], output["sha256"]) == (len(content), sha256(content).hexdigest())
    again = elsewhere.process(*line, "--force", "--yes")
    assert (again.code, again.lines) == (0, ["boat.mp4"]), again.err
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == ["boat.mp4", "boat.mp4.json"]
    assert refused(elsewhere) == []


@pytest.mark.drill("W3", "W4", "W6")
def test_w4_a_download_of_20_mb_that_was_killed_is_resumed(elsewhere: Shell) -> None:
    video = mp4(20_000_000)
    half = len(video) // 2
    head = f'HTTP/1.1 200 X\r\nETag: "v1"\r\nContent-Length: {len(video)}\r\n\r\n'.encode()
    with Wire(DONE, content=[send_and_stall(head + video[:half]), film(video)]) as wire:
        wire.bought(elsewhere)
        process = elsewhere.popen("download", JOB, "-o", "boat.mp4")
        wait_until(lambda: any(Path(part).stat().st_size == half for part in parts()))
        process.send_signal(signal.SIGKILL)
        process.wait(240)
        again = elsewhere.process("download", JOB, "-o", "boat.mp4")
        assert (again.code, again.lines) == (0, ["boat.mp4"]), again.err
        assert [fetch.headers.get("range") for fetch in wire.fetches] == [None, f"bytes={half}-"]
    assert Path("boat.mp4").read_bytes() == video
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["boat.mp4"]
    assert refused(elsewhere) == []


@pytest.mark.drill("W5")
def test_w5_the_second_of_two_downloads_of_one_name_waits_for_the_first(elsewhere: Shell) -> None:
    video = mp4(2_000_000)
    head = f"HTTP/1.1 200 X\r\nContent-Length: {len(video)}\r\n\r\n".encode()
    with Wire(DONE, content=[send_and_stall(head + video[:1_000_000]), film(video)]) as wire:
        wire.bought(elsewhere)
        first = elsewhere.popen("download", JOB, "-o", "boat.mp4")
        wait_until(lambda: any(Path(part).stat().st_size == 1_000_000 for part in parts()))
        second = elsewhere.process("download", JOB, "-o", "boat.mp4", "--timeout", "3s")
        assert second.code == 10, second.err
        assert "Another orvideo" in second.err
        assert len(wire.fetches) == 1
        first.kill()
        first.wait(240)
        third = elsewhere.process("download", JOB, "-o", "boat.mp4")
        assert (third.code, third.lines) == (0, ["boat.mp4"]), third.err
    assert Path("boat.mp4").read_bytes() == video
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["boat.mp4"]


@pytest.mark.drill("W1", "W2")
def test_w1_a_batch_is_bought_and_saved(elsewhere: Shell) -> None:
    Path("rows.txt").write_text("a boat\na ship\n")
    done = elsewhere.process("batch", "rows.txt", "--sandbox", "--yes", "-o", "clips/", "--json")
    assert done.code == 0, done.err
    paths = [path for row in done.json["rows"] for path in row["paths"]]
    assert len(paths) == 2
    assert sorted(os.listdir("clips")) == sorted(Path(path).name for path in paths)
    again = elsewhere.process("batch", "rows.txt", "--sandbox", "--yes", "-o", "clips/", "--json")
    assert [row["status"] for row in again.json["rows"]] == ["completed", "completed"]
    assert refused(elsewhere) == []


@pytest.mark.drill("W1")
def test_w1_a_video_goes_into_a_pipe(elsewhere: Shell) -> None:
    done = elsewhere.process("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", "-q")
    assert done.code == 0, done.err
    process = elsewhere.popen("download", "1", "-o", "-", "-q", stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == 0
    assert sha256(out).hexdigest() == sha256(Path("boat.mp4").read_bytes()).hexdigest()


@pytest.mark.drill("W10", "M2")
def test_w10_what_a_killed_process_was_sending_is_unknown_at_once(elsewhere: Shell) -> None:
    with Wire(submit=[send_and_stall(b"")]) as wire:
        elsewhere.environ |= wire.env
        process = elsewhere.popen("submit", "a boat", "-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p", "--yes")
        wait_until(lambda: wire.posts == 1)
        (record,) = json.loads(elsewhere.process("jobs", "--json").out)
        assert record["status"] == "submitting", "its process lives"
        process.kill()
        process.wait(240)
        (record,) = json.loads(elsewhere.process("jobs", "--json").out)
        assert record["status"] == "outcome_unknown"
