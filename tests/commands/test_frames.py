"""A job, or a video file, stands for a picture: the service gets the still, and the record knows of which video."""

from __future__ import annotations

import base64
import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from orvideo.commands._frames import FrameFinder
from orvideo.context import Context
from orvideo.environment import CommonOptions, Environment
from orvideo.errors import UsageError
from orvideo.film.moment import FIRST, LAST, Moment, parse_moment
from orvideo.film.stills import still
from orvideo.interrupts import Interrupts
from orvideo.request.frames import FrameWord
from orvideo.sandbox.server import Sandbox
from tests.commands.services import Service, first_and_last
from tests.film.clips import Making, make, psnr
from tests.request.images import picture
from tests.shell import Shell, Stream

MODEL = ("-m", "sandbox/slow", "-d", "1", "-r", "480p")


@pytest.fixture
def service(orvideo: Shell, tmp_path: Path) -> Iterator[Service]:
    with Sandbox(tmp_path / "service", speed=1e6) as sandbox:
        yield Service(sandbox, orvideo)
    assert sandbox.crashes == []


@pytest.fixture
def clip(service: Service, home: Path) -> str:
    """A job whose video is saved as a.mp4, by its id."""
    done = service.submit("a boat", *MODEL, "--wait", "-o", "a.mp4")
    assert done.code == 0, done.err
    return str(service.shell("jobs", "show", "1", "--json").json["id"])


def sent_pictures(request: dict[str, Any]) -> list[tuple[str, Image.Image]]:
    """Return the pictures that a request has: what each is for, and what it shows."""
    found = []
    for part in (*request.get("frame_images", ()), *request.get("input_references", ())):
        head, _, data = part["image_url"]["url"].partition(",")
        shown = Image.open(io.BytesIO(base64.b64decode(data)))
        assert head == f"data:image/{shown.format.lower()};base64"  # type: ignore[union-attr]
        found.append((part.get("frame_type", "reference"), shown))
    return found


def is_still(shown: Image.Image, video: Path, moment: Moment) -> bool:
    expected = still(video, moment).image
    return shown.mode == expected.mode and shown.size == expected.size and shown.tobytes() == expected.tobytes()


def record(service: Service, job: str = "1") -> dict[str, Any]:
    document: dict[str, Any] = service.shell("jobs", "show", job, "--json").json
    return document


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_clip_begins_with_the_last_frame_of_another(service: Service, clip: str, home: Path) -> None:
    done = service.submit("and on", *MODEL, "--first-frame", "@1", "--wait", "-o", "b.mp4")
    assert done.code == 0, done.err
    ((use, shown),) = sent_pictures(service.last())
    assert (use, shown.format) == ("first_frame", "PNG")
    assert is_still(shown, home / "a.mp4", LAST)
    assert f"first frame: the last frame of {clip}" in done.err
    before, after = first_and_last(home / "a.mp4"), first_and_last(home / "b.mp4")
    assert psnr(before[1], after[0]) > 35 > psnr(before[0], before[1])


@pytest.mark.long
@pytest.mark.parametrize(
    ("line", "use", "moment"),
    [
        (["--first-frame", "{id}"], "first_frame", "last"),
        (["--first-frame", "{id}:FIRST"], "first_frame", "first"),
        (["--first-frame", "{piece}:0.5s"], "first_frame", "0.5s"),
        (["--first-frame", "@last:first"], "first_frame", "first"),
        (["--first-frame", "1"], "first_frame", "last"),
        (["--last-frame", "@1"], "last_frame", "first"),
        (["--last-frame", "@1:last"], "last_frame", "last"),
        (["--first-frame", "a.mp4"], "first_frame", "last"),
        (["--first-frame", "image:{home}/a.mp4:.25s"], "first_frame", "0.25s"),
        (["--last-frame", "film"], "last_frame", "first"),
        (["--reference", "@1:last"], "reference", "last"),
        (["--reference", "a.mp4"], "reference", "first"),
    ],
)
def test_words_for_a_frame(service: Service, clip: str, home: Path, line: list[str], use: str, moment: str) -> None:
    (home / "film").write_bytes((home / "a.mp4").read_bytes())
    words = [word.format(id=clip, piece=clip[-8:], home=home) for word in line]
    done = service.submit("and on", *MODEL, *words)
    assert done.code == 0, done.err
    ((sent, shown),) = sent_pictures(service.last())
    assert sent == use
    assert is_still(shown, home / "a.mp4", parse_moment(moment))
    (frame,) = record(service)["frames"]
    assert (frame["use"], frame["at"], frame["number"]) == (use, moment, 0)
    if "film" in line or "a.mp4" in line[1]:
        assert (frame["job"], frame["file"]) == (None, str(home / ("film" if "film" in line else "a.mp4")))
    else:
        assert (frame["job"], frame["file"], frame["output"]) == (clip, None, 0)
    assert frame["sha256"] == record(service, clip)["outputs"][0]["sha256"]


def test_a_picture_a_url_and_a_file_with_a_jobs_name_are_what_they_were(
    service: Service, clip: str, home: Path
) -> None:
    names = [clip, "first.mp4", "x:last", "1"]
    if sys.platform == "win32":  # where a colon begins a stream of a file
        names.remove("x:last")
    for name in names:
        (home / name).write_bytes(picture("PNG", (640, 360)))
        assert service.submit("a boat", *MODEL, "--first-frame", name).code == 0
        ((_, shown),) = sent_pictures(service.last())
        assert shown.getpixel((0, 0)) == (200, 60, 20)
        assert record(service)["frames"] == []
    url = "https://example.com/a.mp4"
    assert service.submit("a boat", *MODEL, "--reference", url, "--reference", f"image:{url}", "--no-check").code == 0
    assert [part["type"] for part in service.last()["input_references"]] == ["video_url", "image_url"]


def test_several_at_once_each_in_its_place(service: Service, clip: str, home: Path) -> None:
    (home / "p.png").write_bytes(picture("PNG", (640, 360)))
    line = ["--reference", "p.png", "--reference", "@1:last", "--first-frame", "@1", "--last-frame", "a.mp4:first"]
    assert service.submit("a boat", *MODEL, *line).code == 0
    assert [use for use, _ in sent_pictures(service.last())] == ["first_frame", "last_frame", "reference", "reference"]
    assert is_still(sent_pictures(service.last())[3][1], home / "a.mp4", LAST)
    places = [(frame["use"], frame["number"]) for frame in record(service)["frames"]]
    assert places == [("first_frame", 0), ("last_frame", 1), ("reference", 1)]


@pytest.mark.long
def test_a_frame_larger_than_a_picture_may_be_is_a_jpeg_that_is_hardly_different(
    service: Service, clip: str, home: Path
) -> None:
    done = service.submit("a boat", *MODEL, "--first-frame", "@1", env={"ORVIDEO_MAX_IMAGE_SIZE": "80KiB"})
    assert done.code == 0, done.err
    ((_, shown),) = sent_pictures(service.last())
    assert shown.format == "JPEG"
    assert shown.layer[0][1:3] == shown.layer[1][1:3], "each pixel has its own colour"  # type: ignore[attr-defined]
    assert psnr(shown, still(home / "a.mp4", LAST).image) > 35
    small = service.submit("a boat", *MODEL, "--first-frame", "@1", env={"ORVIDEO_MAX_IMAGE_SIZE": "5KiB"})
    assert (small.code, len(service.sandbox.received())) == (2, 2)
    assert "is too large" in small.err


def test_a_dry_run_shows_it_and_sends_nothing(service: Service, clip: str, home: Path) -> None:
    done = service.submit("and on", *MODEL, "--first-frame", "@1", "--dry-run", "--json")
    assert (done.code, len(service.sandbox.received())) == (0, 1)
    (frame,) = done.json["frames"]
    assert (frame["use"], frame["job"], frame["at"], frame["named"]) == ("first_frame", clip, "last", "@1")
    ((_, shown),) = sent_pictures(done.json["request"])
    assert is_still(shown, home / "a.mp4", LAST)


@pytest.mark.long
def test_a_video_that_is_gone_or_changed_is_fetched_again(service: Service, clip: str, home: Path) -> None:
    video = home / "a.mp4"
    true = still(video, LAST).image
    for spoil in (video.unlink, lambda: make(video)):
        spoil()
        done = service.submit("and on", *MODEL, "--first-frame", clip)
        assert done.code == 0, done.err
        assert sent_pictures(service.last())[0][1].tobytes() == true.tobytes()
        assert done.lines == [record(service)["id"]], "the answer is the new job alone"
    assert len(service.sandbox.received()) == 3, "what was bought is not bought again"


def test_the_same_request_is_told_as_a_second_purchase(service: Service, clip: str) -> None:
    for _ in range(2):
        done = service.submit("and on", *MODEL, "--first-frame", clip)
    assert "the same request was submitted" in done.err


# --- made again -------------------------------------------------------------------------------------------------------


def test_like_takes_the_frames_again_in_their_order(service: Service, clip: str, home: Path) -> None:
    line = ["--first-frame", "@1", "--reference", "https://example.com/a.webp", "--reference", "a.mp4:0.5s"]
    assert service.submit("and on", *MODEL, *line).code == 0
    first = service.last()
    again = service.submit("--like", "1")
    assert again.code == 0, again.err
    assert service.last() == first
    assert "not the same" not in again.err
    assert record(service)["frames"] == [{**frame, "named": None} for frame in record(service, "2")["frames"]]


@pytest.mark.long
def test_like_says_where_the_picture_is_another_and_what_is_missing(service: Service, clip: str, home: Path) -> None:
    assert service.submit("and on", *MODEL, "--first-frame", "a.mp4", "--last-frame", clip).code == 0
    make(home / "a.mp4", Making(size=(640, 360)))
    other = service.submit("--like", "1", "--dry-run")
    assert other.code == 0, other.err
    assert f"the last frame of {home / 'a.mp4'} is not the same picture as it was for" in other.err
    (home / "a.mp4").unlink()
    gone = service.submit("--like", "1")
    assert gone.code == 2
    assert f"{home / 'a.mp4'} is gone" in gone.err
    (home / "p.png").write_bytes(picture("PNG", (640, 360)))
    assert service.submit("--like", "1", "--first-frame", "p.png", "--dry-run").code == 0
    assert service.shell("jobs", "forget", clip, "--force").code == 0
    forgotten = service.submit("--like", "1", "--first-frame", "p.png")
    assert forgotten.code == 2
    assert f"job {clip} is not on record any more" in forgotten.err
    assert "--last-frame FILE" in forgotten.err
    assert record(service)["frames"][1]["job"] == clip
    assert len(service.sandbox.received()) == 2


@pytest.mark.long
def test_a_request_on_record_is_one_that_can_be_sent(service: Service, clip: str, home: Path) -> None:
    line = ["--first-frame", "@1:0.5s", "--reference", "https://example.com/a.webp", "--reference", "a.mp4"]
    assert service.submit("and on", *MODEL, *line).code == 0
    shown = service.shell("jobs", "show", "1", "--request")
    assert shown.json["first_frame"] == f"{clip}:0.5s"
    assert shown.json["reference"] == ["image:https://example.com/a.webp", f"{home / 'a.mp4'}:first"]
    assert not {"frame_images", "input_references"} & set(shown.json)
    assert "not on record" not in shown.err
    first = service.last()
    assert service.submit("--request", "-", stdin=shown.out).code == 0
    assert service.last() == first


@pytest.mark.long
def test_a_request_file_may_have_short_names_and_the_line_beats_them(service: Service, clip: str, home: Path) -> None:
    url = {"type": "image_url", "image_url": {"url": "https://example.com/a.webp"}}
    order = {"prompt": "and on", "first_frame": "@1", "reference": "a.mp4:last", "input_references": [url]}
    (home / "order.json").write_text(json.dumps(order))
    assert service.submit("--request", "order.json", *MODEL).code == 0
    assert service.last()["input_references"][0] == url
    assert is_still(sent_pictures({"frame_images": service.last()["frame_images"]})[0][1], home / "a.mp4", LAST)
    assert [frame["number"] for frame in record(service)["frames"]] == [0, 1]
    beaten = ["--first-frame", "@2:first", "--reference", "@2:first"]
    assert service.submit("--request", "order.json", *MODEL, *beaten).code == 0
    assert len(service.last()["input_references"]) == 1
    assert is_still(sent_pictures(service.last())[0][1], home / "a.mp4", FIRST)


def test_the_record_shows_it_and_a_receipt_has_no_folder(service: Service, clip: str, home: Path) -> None:
    line = ["--first-frame", "@1", "--last-frame", "a.mp4:0.5s", "--wait", "-o", "b.mp4", "--receipt"]
    assert service.submit("and on", *MODEL, *line).code == 0
    page = " ".join(service.shell("jobs", "show", "1", env={"COLUMNS": "300"}).out.split())
    assert f"first frame: last frame of {clip}" in page
    assert f"last frame: frame at 0.5s of {home / 'a.mp4'}" in page
    receipt = json.loads((home / "b.mp4.json").read_text())
    assert [(frame["job"], frame["file"]) for frame in receipt["frames"]] == [(clip, None), (None, "a.mp4")]
    assert str(home) not in (home / "b.mp4.json").read_text()


# --- refused, before anything is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("@1:9s", "has no frame at 9s"),
        ("@1:soon", "is no moment of a video"),
        ("@9", "No job in the record is called '@9'"),
        ("@0", "No job in the record is called '@0'"),
        ("nothing", "There is no file nothing, and no job of that name"),
        ("nothing:last", "There is no file nothing, and no job of that name"),
        ("gone.mp4:last", "There is no file gone.mp4."),
        ("./1", "There is no file ./1."),
        ("text.mp4", "it cannot be sent as an image"),
        ("text.mp4:last", "is not a video that can be read"),
        ("empty.mp4:last", "is empty"),
        ("folder:last", "folder is no video file"),
        ("cut.mp4", "is cut short"),
        ("sound.mp4", "has no pictures"),
        ("video:a.mp4", "takes sound and film by https URL only"),
        ("", "--first-frame needs a value"),
        (":last", "no job of that name"),
    ],
)
def test_what_is_no_frame_is_refused(service: Service, clip: str, home: Path, word: str, says: str) -> None:
    (home / "text.mp4").write_text("a text")
    (home / "empty.mp4").touch()
    (home / "folder").mkdir()
    (home / "cut.mp4").write_bytes((home / "a.mp4").read_bytes()[:-2000])
    make_sound(home / "sound.mp4")
    done = service.submit("and on", *MODEL, "--first-frame", word)
    assert (done.code, len(service.sandbox.received())) == (2, 1), done.err
    assert says in done.err


def make_sound(path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        for plane in sound.planes:
            plane.update(bytes(plane.buffer_size))
        sound.sample_rate = 44100
        container.mux([*stream.encode(sound), *stream.encode(None)])


def test_a_job_that_runs_or_has_failed_has_no_frame(service: Service, home: Path) -> None:
    slow = service.shell("submit", "a boat", "--sandbox", *MODEL, env={"ORVIDEO_SANDBOX_SPEED": "1"})
    assert slow.code == 0, slow.err
    one = {"ORVIDEO_SANDBOX_SPEED": "1"}
    running = service.shell("submit", "on", "--sandbox", *MODEL, "--first-frame", "@1", "--json", env=one)
    assert (running.code, running.error["charged"]) == (2, "no")
    assert "orvideo wait" in running.error["hint"]
    fails = ("-m", "sandbox/fails")
    assert service.submit("a boat", *fails, "--wait").code == 3
    bought = len(service.sandbox.received())
    failed = service.submit("on", *MODEL, "--first-frame", "@1", "--json")
    assert (failed.code, failed.error["charged"], len(service.sandbox.received())) == (2, "no", bought)


def test_a_job_of_unknown_outcome_has_no_frame(service: Service, home: Path) -> None:
    assert service.submit("a boat", *MODEL).code == 0
    database = home / "state" / "orvideo" / "jobs.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE jobs SET state = 'unknown', job_id = NULL, status = NULL, final = 0")
    connection.close()
    done = service.submit("on", *MODEL, "--first-frame", "@1", "--json")
    assert (done.code, done.error["charged"], len(service.sandbox.received())) == (2, "no", 1)
    assert "has no video to take a frame of (outcome_unknown)" in done.error["message"]


def test_a_missing_extra_is_named_before_anything_is_sent(service: Service, clip: str, home: Path) -> None:
    hidden = home / "hidden" / "av"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'av'\", name='av')")
    path = f"{hidden.parent}{os.pathsep}{service.shell.environ['PYTHONPATH']}"
    done = service.submit("on", *MODEL, "--first-frame", "@1", process=True, env={"PYTHONPATH": path})
    assert (done.code, len(service.sandbox.received())) == (2, 1), done.err
    assert "needs av, which is not installed" in done.err
    assert "orvideo[film]" in done.err


def test_a_name_from_elsewhere_is_shown_as_it_is(service: Service, home: Path) -> None:
    make(home / "a[red]\x1b[31m.mp4", Making(size=(640, 360)))
    done = service.submit("on", *MODEL, "--first-frame", "a[red]\x1b[31m.mp4")
    assert done.code == 0, done.err
    assert "\x1b" not in done.err
    assert "a[red]" in done.err


@pytest.mark.long
def test_never_is_the_frame_of_another_video_sent(service: Service, clip: str, home: Path) -> None:
    """A batch has seen the video and made its price; then another takes its name, and a row is to be sent."""
    shell = service.shell
    environment = Environment(shell.environ, Stream(), Stream(), Stream(), shell.clock)
    with Context(environment, CommonOptions(), Interrupts(exit_now=print)) as context:
        finder = FrameFinder(context, 10**8)
        word = FrameWord(clip, "first_frame", Path)
        first = finder(word)
        assert first is not None
        make(home / "a.mp4", Making(size=(640, 360)))
        assert finder(word) == first
        with pytest.raises(UsageError, match="has changed since it was checked; nothing was sent"):
            finder(word._replace(text=f"{clip}:first"))
