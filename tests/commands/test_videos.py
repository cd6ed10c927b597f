"""Which videos a line names: jobs and files, what is fetched for it, and how it ends where there is none."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.sandbox.server import KEY, Sandbox
from tests.film.clips import Making, make
from tests.shell import Shell

CHEAP = ("-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "-r", "480p")


@pytest.fixture
def service(orvideo: Shell, tmp_path: Path) -> Iterator[Sandbox]:
    """A service of which the shell knows the address: what is not there any more is fetched from it."""
    with Sandbox(tmp_path / "service", speed=1_000_000) as one:
        orvideo.environ |= {"ORVIDEO_BASE_URL": one.base_url, "OPENROUTER_API_KEY": KEY}
        yield one


def submit(orvideo: Shell, *words: str) -> str:
    done = orvideo("submit", "a boat", *CHEAP, *words)
    assert done.code == 0, done.err
    return json.loads(orvideo("jobs", "--json").out)[0]["id"]


def source(orvideo: Shell, *words: str) -> dict[str, object]:
    done = orvideo("frame", *words, "--force", "-o", "still.png", "--json")
    assert done.code == 0, done.err
    found: dict[str, object] = done.json["source"]
    return found


def test_a_job_whose_video_is_here_is_not_fetched_again(orvideo: Shell, service: Sandbox, home: Path) -> None:
    job = submit(orvideo, "--wait", "-o", "boat.mp4")
    service.stop()
    expected = {"path": str(home / "boat.mp4"), "job_id": job, "index": 0}
    assert [source(orvideo, word) for word in ("1", "@1", "@last", job, job[-8:])] == [expected] * 5


def test_a_video_that_is_not_here_is_fetched_to_where_o_said(orvideo: Shell, service: Sandbox, home: Path) -> None:
    submit(orvideo, "-o", "later.mp4")
    assert source(orvideo, "1")["path"] == str(home / "later.mp4")
    assert (home / "later.mp4").is_file()


def test_a_video_that_is_not_here_is_fetched_to_here(orvideo: Shell, service: Sandbox, home: Path) -> None:
    submit(orvideo)
    (path,) = [Path(str(source(orvideo, "1")["path"]))]
    assert path.parent == home
    assert path.suffix == ".mp4"


def test_a_video_that_was_deleted_is_fetched_again(orvideo: Shell, service: Sandbox, home: Path) -> None:
    submit(orvideo, "--wait", "-o", "boat.mp4")
    (home / "boat.mp4").unlink()
    assert source(orvideo, "1")["path"] == str(home / "boat.mp4")


def test_a_video_whose_name_is_taken_is_saved_beside_it_and_used(orvideo: Shell, service: Sandbox, home: Path) -> None:
    submit(orvideo, "-o", "boat.mp4")
    (home / "boat.mp4").write_bytes(b"mine")
    found = Path(str(source(orvideo, "1")["path"]))
    assert (found.parent, found.name.startswith("boat-")) == (home, True)
    assert (home / "boat.mp4").read_bytes() == b"mine"


def test_only_the_picture_is_on_stdout(orvideo: Shell, service: Sandbox) -> None:
    submit(orvideo)
    done = orvideo("frame", "1", "-o", "still.png")
    (video,) = orvideo("jobs", "--json").json[0]["outputs"]
    assert done.out == "still.png\n"
    assert f"saved {Path(video['path']).name}" in done.err


def test_a_job_that_still_runs_ends_with_8_and_the_line_that_goes_on(orvideo: Shell, tmp_path: Path) -> None:
    with Sandbox(tmp_path / "service", speed=1) as one:
        orvideo.environ |= {"ORVIDEO_BASE_URL": one.base_url, "OPENROUTER_API_KEY": KEY}
        job = submit(orvideo)
        done = orvideo("frame", "1")
    assert (done.code, done.out) == (8, ""), done.err
    assert f"orvideo wait {job}" in done.err


def test_a_job_that_failed_ends_with_3(orvideo: Shell, service: Sandbox) -> None:
    orvideo("submit", "a boat", "-m", "sandbox/fails", "--wait")
    done = orvideo("frame", "1")
    assert done.code == 3, done.err


def test_a_job_that_was_saved_to_stdout_has_no_file(orvideo: Shell, service: Sandbox) -> None:
    job = submit(orvideo)
    done = orvideo("frame", "1", "-o", "still.png", env={"ORVIDEO_OUTPUT": "-"})
    assert done.code == 2
    assert f"The video of {job} goes to stdout, so there is no file of it." in " ".join(done.err.split())
    assert f"orvideo download {job} -o FILE" in done.err


@pytest.mark.parametrize("line", ["frame 1", "sheet 1"])
def test_of_several_videos_frame_takes_the_first_and_names_the_others(
    orvideo: Shell, service: Sandbox, home: Path, line: str
) -> None:
    orvideo("submit", "a boat", "-m", "sandbox/two-outputs", "--wait", "-o", "two.mp4", "--yes")
    one, other = orvideo("jobs", "--json").json[0]["outputs"]
    done = orvideo(*line.split(), "-o", "picture.png", "--json")
    assert done.code == 0, done.err
    if line == "frame 1":
        assert done.json["source"]["path"] == one["path"]
        assert f"orvideo frame {other['path']}" in done.err
    else:
        assert [video["source"]["path"] for video in done.json["videos"]] == [one["path"], other["path"]]
        assert [video["source"]["index"] for video in done.json["videos"]] == [0, 1]


def test_files_and_jobs_are_told_apart(
    orvideo: Shell, service: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USERPROFILE" if sys.platform == "win32" else "HOME", str(home))
    job = submit(orvideo, "--wait", "-o", "boat.mp4")
    (home / "clips").mkdir()
    for name in ("1", "clip", "clips/clip", "clip.mp4", job[-8:]):
        make(home / "made.mp4", Making(times=range(2))).replace(home / name)
    assert source(orvideo, "1")["job_id"] == job, "a number is a job"
    for name in ("./1", "clip", "clips/clip", "clip.mp4", "~/clip", job[-8:]):
        found = source(orvideo, name)
        assert (found["job_id"], found["index"]) == (None, None), name
        assert Path(found["path"]).as_posix().endswith(name.lstrip("~.")), name


@pytest.mark.parametrize("word", ["nowhere.mp4", "./nowhere", "~/nowhere"])
def test_a_file_that_is_not_there_is_said(orvideo: Shell, word: str) -> None:
    done = orvideo("frame", word)
    assert done.code == 2
    assert f"There is no video file {word}." in done.err


@pytest.mark.parametrize("word", ["clips", "clips/", "."])
def test_a_folder_is_no_video(orvideo: Shell, word: str, home: Path) -> None:
    (home / "clips").mkdir()
    done = orvideo("sheet", word)
    assert done.code == 2
    assert f"{word} is a folder, and no video." in done.err


def test_a_job_that_is_not_on_record_is_said(orvideo: Shell, home: Path) -> None:
    done = orvideo("sheet", "no-such-job")
    assert done.code == 2
    assert "no-such-job" in done.err


@pytest.mark.parametrize("line", ["frame", "sheet"])
def test_no_video_is_a_usage_error(orvideo: Shell, line: str) -> None:
    done = orvideo(line)
    assert done.code == 2
    assert "A job or a video file is needed" in done.err


def test_a_job_without_a_video_ends_with_12(orvideo: Shell) -> None:
    orvideo("submit", "a boat", "-m", "sandbox/filtered", "--wait", "--yes", "--sandbox")
    done = orvideo("frame", "1")
    assert (done.code, done.out) == (12, ""), done.err
