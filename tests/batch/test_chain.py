"""Rows that take pictures from each other: what their words stand for, what they cost, and how they run."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from orvideo.batch.chain import link_rows
from orvideo.batch.rows import Link, Row
from orvideo.film.moment import FIRST, LAST, parse_moment
from orvideo.film.stills import still
from orvideo.record.values import State
from tests.batch.bench import AT_ONCE, PRICE, Bench, SmallSandbox, bench, point, rows
from tests.film.clips import psnr
from tests.shell import Shell

#: A row with a picture costs half as much again.
WITH_PICTURE = 0.03


def row(number: int, name: str | None = None, **fields: Any) -> Row:
    return Row(number, number + 1, {"prompt": "a boat", **fields}, name)


def lines(*made: dict[str, Any]) -> str:
    """Return rows that differ in what a film does not show."""
    return "".join(json.dumps({"prompt": "a boat", "user": f"row-{n}", **one}) + "\n" for n, one in enumerate(made, 1))


CHAIN = lines({}, {"first_frame": "row:1"}, {"first_frame": "row:2"})


def first_picture(request: dict[str, Any]) -> bytes:
    """Return the picture that a request has as its first frame."""
    [frame] = request["frame_images"]
    assert frame["frame_type"] == "first_frame"
    return base64.b64decode(frame["image_url"]["url"].partition(",")[2])


def clips(service: Bench) -> dict[str, Path]:
    """Return the videos by the users of their rows."""
    return {record.request["user"]: Path(record.outputs[0].path or "") for record in service.records()}


# --- what words stand for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "word", "link"),
    [
        ("first_frame", "row:2", Link(2, LAST)),
        ("first_frame", "row:sea", Link(2, LAST)),
        ("first_frame", " Row: sea ", Link(2, LAST)),
        ("first_frame", "row:2:first", Link(2, FIRST)),
        ("first_frame", "row:sea:2.5s", Link(2, parse_moment("2.5"))),
        ("first_frame", "row:a:b:last", Link(3, LAST)),
        ("last_frame", "row:2", Link(2, FIRST)),
        ("last_frame", "row:2:last", Link(2, LAST)),
        ("reference", "row:2:last", Link(2, LAST)),
    ],
)
def test_a_word_stands_for_a_picture_of_a_row(field: str, word: str, link: Link) -> None:
    linked, troubles = link_rows([row(1, **{field: word}), row(2, "sea"), row(3, " a:b ")])
    assert troubles == []
    assert linked[0].fields[field] == link
    assert (linked[0].after, linked[0].depth) == ([link.row], 1)


def test_references_keep_their_order() -> None:
    [_, one], _ = link_rows([row(1), row(2, reference=["a.png", "row:1:2s", "b.png"])])
    assert one.fields["reference"] == ["a.png", Link(1, parse_moment("2s")), "b.png"]


@pytest.mark.parametrize("word", ["clip.mp4:last", "@1", "rows:1", "https://host/row:1", "row/1.png"])
def test_other_words_are_left_as_they_are(word: str) -> None:
    [one], troubles = link_rows([row(1, first_frame=word)])
    assert (one.fields["first_frame"], troubles) == (word, [])


def test_chain_begins_each_row_where_the_one_before_it_ended() -> None:
    frames = [{"type": "image_url", "image_url": {"url": "https://h/a.png"}, "frame_type": "first_frame"}]
    made = [
        row(1), row(2), row(3, first_frame="a.png"), row(4, last_frame="b.png"), row(5, frame_images=frames),
        row(6, first_frame="row:none"), row(7, first_frame="row:1"), row(8, previous_job_id="job-1"),
    ]  # fmt: skip
    linked, troubles = link_rows(made, chain=True)
    assert troubles == []
    assert [one.after for one in linked] == [[], [1], [], [3], [], [], [1], []]
    assert "first_frame" not in linked[5].fields
    assert linked[2].fields["first_frame"] == "a.png"


def test_a_chain_may_be_long() -> None:
    linked, _ = link_rows([row(number) for number in range(1, 3001)], chain=True)
    assert linked[-1].depth == 2999


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ([row(1, first_frame="row:7")], ["line 2: There is no row 7; the file has 1."]),
        ([row(1, first_frame="row:0")], ["line 2: There is no row 0; the file has 1."]),
        ([row(1, first_frame="row:see"), row(2, "sea")], ["named 'see'. Did you mean row:sea?"]),
        ([row(1, first_frame="row:")], ["row: names no row"]),
        ([row(1, first_frame="row:2:9x"), row(2)], ["named '2:9x'. A moment is first, last, or a time such as 2.5s."]),
        ([row(1, first_frame="row:1")], ["first_frame is a picture of the row's own video"]),
        ([row(1, "a"), row(2, "a"), row(3, first_frame="row:a")], ["row:a may be any of these: lines 2 and 3."]),
        ([row(1), row(2, first_frame="row:1"), row(3, "1")], ["row:1 may be any of these: lines 4 and 2."]),
        (
            [row(1, first_frame="row:2"), row(2, last_frame="row:3"), row(3, reference=["row:1"]), row(4),
             row(5, first_frame="row:6"), row(6, first_frame="row:5")],
            ["in a circle: line 2 for line 3, line 3 for line 4, line 4 for line 2.",
             "in a circle: line 6 for line 7, line 7 for line 6."],
        ),
    ],
)  # fmt: skip
def test_words_that_stand_for_nothing_are_told_with_their_lines(made: list[Row], says: list[str]) -> None:
    _, troubles = link_rows(made)
    told = sorted(f"line {trouble.line}: {trouble.message}" for trouble in troubles)
    assert len(told) == len(says)
    for part in says:
        assert any(part in line for line in told), told


# --- before anything is sent ----------------------------------------------------------------------------------------


def test_what_cannot_be_is_refused_before_anything_is_sent(service: Bench) -> None:
    service.write(CHAIN + lines({"first_frame": "row:99"}, {"first_frame": "row:5"}, {"first_frame": "row:1:9s"}))
    done = service.batch()
    assert done.code == 2
    said = " ".join(done.err.split())
    assert "line 4: There is no row 99; the file has 6." in said
    assert "line 5: first_frame is a picture of the row's own video" in said
    assert service.received == []
    assert service.records() == []


def test_a_moment_after_the_end_is_refused_before_the_video_is_paid_for(service: Bench) -> None:
    service.write(lines({}, {"first_frame": "row:1:9s"}))
    done = service.batch()
    assert (done.code, service.received) == (2, [])
    assert "line 2: The video of row 1 will be 1 s long, and has no 9s." in " ".join(done.err.split())


def test_a_model_that_takes_no_such_frame_is_refused(service: Bench) -> None:
    service.write(lines({}, {"last_frame": "row:1"}))
    done = service.batch()
    assert (done.code, service.received) == (6, [])
    assert "does not take a last frame" in done.err


def test_a_video_that_is_not_kept_gives_no_pictures(service: Bench) -> None:
    service.write(CHAIN)
    done = service.batch("-o", os.devnull)
    assert (done.code, service.received) == (2, [])
    refusal = f"line 1: Another row takes a picture of its video, which {os.devnull} does not keep."
    assert refusal in " ".join(done.err.split())


def test_what_takes_the_frames_is_asked_for_before_anything_is_sent(service: Bench, home: Path) -> None:
    (home / "lacking" / "av").mkdir(parents=True)
    (home / "lacking" / "av" / "__init__.py").write_text("raise ModuleNotFoundError('No av', name='av')\n")
    service.write(CHAIN)
    path = f"{home / 'lacking'}{os.pathsep}{service.shell.environ['PYTHONPATH']}"
    done = service.shell.process("batch", "rows.jsonl", "--json", env={"PYTHONPATH": path})
    assert (done.code, service.received) == (2, [])
    assert "needs av, which is not installed" in done.error["message"]
    assert "orvideo[film" in done.error["hint"]


def test_the_whole_chain_is_priced_and_shown_before(service: Bench) -> None:
    service.write(lines({}, {"first_frame": "row:1"}, {"first_frame": "row:2:first"}))
    done = service.batch("--dry-run", "--json")
    assert done.code == 0, done.err
    plan = done.json
    assert plan["price"]["usd"] == pytest.approx(PRICE + 2 * WITH_PICTURE)
    assert [one["after"] for one in plan["rows"]] == [[], [1], [2]]
    assert plan["rows"][1]["request"]["frame_images"][0]["image_url"]["url"] == "row:1:last"
    assert plan["rows"][2]["quote"]["usd"] == pytest.approx(WITH_PICTURE)
    told = service.batch("--dry-run").err
    assert "row 2 begins where row 1 ends\n" in told
    assert "row 3 begins with the first frame of row 2\n" in told
    assert service.received == []


def test_a_row_has_the_shape_of_the_picture_that_it_will_begin_with(orvideo: Shell, service: Bench) -> None:
    service.write(lines({"aspect_ratio": "9:16"}, {"first_frame": "row:1"}))
    line = ["batch", "rows.jsonl", "-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "--dry-run"]
    made = [json.loads(one) for one in orvideo(*line).lines]
    assert [one["aspect_ratio"] for one in made] == ["9:16", "9:16"]


@pytest.mark.long
def test_a_batch_that_costs_more_than_its_limit_with_its_pictures_is_not_begun(service: Bench) -> None:
    service.write(CHAIN)
    assert service.batch("--max-cost", "0.07").code == 5
    assert service.received == []
    assert service.batch("--max-cost", "0.08").code == 0


# --- the run --------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("jobs", ["1", "1000"])
def test_each_row_is_sent_the_very_frame_of_the_one_before(service: Bench, jobs: str) -> None:
    service.write(CHAIN + lines({}, {"first_frame": "row:4:first"}).replace("row-", "other-"))
    done = service.batch("-o", "clips/", "--jobs", jobs, "--json")
    assert done.code == 0, done.err
    sent = {one["user"]: one for one in service.received}
    videos = clips(service)
    records = {record.request["user"]: record for record in service.records()}
    for user, before, moment in (
        ("row-2", "row-1", LAST), ("row-3", "row-2", LAST), ("other-2", "other-1", FIRST),
    ):  # fmt: skip
        given = Image.open(io.BytesIO(first_picture(sent[user])))
        assert given.format == "PNG"
        taken = still(videos[before], moment).image
        assert ImageChops.difference(given.convert("RGB"), taken).getbbox() is None
        # A chain can be seen to be one.
        assert psnr(still(videos[user], FIRST).image, taken) > 35
        [frame] = records[user].frames
        assert (frame.use, frame.number, frame.job, frame.at) == ("first_frame", 0, records[before].name, moment.text)
        assert frame.sha256 == hashlib.sha256(videos[before].read_bytes()).hexdigest()
    assert done.json["totals"]["cost_usd"] == pytest.approx(2 * PRICE + 3 * WITH_PICTURE)
    assert [one["after"] for one in done.json["rows"]] == [[], [1], [2], [], [4]]


@pytest.mark.long
def test_a_row_may_wait_for_a_later_one_and_for_several(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        model = "google/veo-3.1-lite"
        service.write(
            lines({"first_frame": "row:end", "last_frame": "row:2"}, {"name": "sea"}, {"name": "end"}).replace(
                '"a boat"', f'"a boat", "model": "{model}", "duration": 4'
            )
        )
        done = orvideo("batch", "rows.jsonl", "--json")
        assert done.code == 0, done.err
        assert [one["user"] for one in service.received][-1] == "row-1"
        kinds = [(frame["use"], frame["at"]) for frame in orvideo("jobs", "show", "1", "--json").json["frames"]]
        assert kinds == [("first_frame", "last"), ("last_frame", "first")]


def test_a_chain_of_the_whole_file(service: Bench) -> None:
    service.write(rows(3))
    assert service.batch("--chain").code == 0
    assert ["frame_images" in one for one in service.received] == [False, True, True]
    again = service.batch("--chain")
    assert "3 rows: 3 finished, 0 to submit" in again.err


def test_the_line_gives_the_picture_that_a_chain_begins_with(service: Bench, home: Path) -> None:
    Image.new("RGB", (854, 480), "navy").save(home / "navy.png")
    service.write(rows(2))
    assert service.batch("--chain", "--first-frame", str(home / "navy.png")).code == 0
    first, second = service.received
    assert first_picture(first) == (home / "navy.png").read_bytes()
    assert first_picture(second) != first_picture(first)


@pytest.mark.long
def test_only_what_follows_from_a_changed_row_is_new(service: Bench) -> None:
    fields: list[dict[str, Any]] = [
        {"name": "a"}, {"name": "b", "first_frame": "row:a"}, {"name": "c", "first_frame": "row:b"}, {},
    ]  # fmt: skip
    text = lines(*fields)
    service.write(text)
    assert service.batch().code == 0

    def to_submit(text: str) -> list[str]:
        service.write(text)
        return [json.loads(line)["user"] for line in service.batch("--dry-run").lines]

    assert to_submit(text) == []
    assert to_submit(text.replace('"row-2"', '"new"')) == ["new", "row-3"]
    assert to_submit(text.replace("row:b", "row:b:first")) == ["row-3"]
    before = json.dumps({"prompt": "a boat", "user": "before"}) + "\n"
    assert to_submit(before + "".join(reversed(text.splitlines(keepends=True)))) == ["before"]


@pytest.mark.long
def test_equal_rows_have_chains_of_their_own(service: Bench) -> None:
    text = "".join(
        json.dumps({"prompt": "a boat", "name": name, **more}) + "\n"
        for name, more in (
            ("a", {}), ("b", {}), ("a2", {"first_frame": "row:a"}), ("b2", {"first_frame": "row:b"}),
        )
    )  # fmt: skip
    service.write(text)
    assert service.batch().code == 0
    assert len(service.received) == 4
    assert {record.frames[0].job for record in service.records() if record.frames} == {
        record.name for record in service.records() if not record.frames
    }


def test_nothing_is_bought_after_a_row_that_failed(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        service.write(lines({"model": "sandbox/fails"}, {"first_frame": "row:1"}, {"first_frame": "row:2"}, {}))
        done = service.batch("--json", "--report", "r.csv")
        assert done.code == 3
        assert service.users() == ["row-1", "row-4"]
        assert [one["status"] for one in done.json["rows"]] == ["failed", "waiting", "waiting", "completed"]
        assert done.json["rows"][2]["error"] == "Not started: it waits for row 1, which failed."
        assert done.json["totals"]["statuses"] == {"failed": 1, "waiting": 2, "completed": 1}
        assert "1 failed, 2 waiting for another row" in done.error["message"]
        assert "--retry-failed" in done.error["message"]
        assert '2,2,,waiting,,,,,"Not started: it waits for row 1, which failed."' in (home / "r.csv").read_text()
        again = service.batch()
        assert (again.code, len(service.received)) == (3, 2)
        assert "row 3: the same as row 2" in again.err


@pytest.mark.parametrize(
    ("fault", "code", "why"),
    [
        ("lost-reply:1", 9, "whose outcome is unknown"),
        ("submit-403:1", 20, "which was not bought"),
        ("submit-402:1", 5, "which was not bought"),
        ("content-gone", 10, "whose video is not here"),
    ],
)
def test_the_exit_code_is_that_of_what_really_failed(
    orvideo: Shell, home: Path, fault: str, code: int, why: str
) -> None:
    with bench(orvideo, home, [fault]) as service:
        service.write(lines({}, {"first_frame": "row:1"}))
        done = service.batch("--json")
        assert done.code == code, done.err
        assert done.json["rows"][1]["error"] == f"Not started: it waits for row 1, {why}."
        assert len([record for record in service.records() if record.state is not State.NOT_SENT]) <= 1


def test_a_row_that_still_runs_is_waited_for_by_the_next_run(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, speed=0.01) as service:
        service.write(CHAIN)
        done = service.batch("--timeout", "3", "--json")
        assert done.code == 20
        assert [one["status"] for one in done.json["rows"]][1:] == ["waiting", "waiting"]
        assert done.json["rows"][1]["error"] == "Not started: it waits for row 1, which is still running."
        assert "orvideo batch rows.jsonl" in done.error["resume"]


@contextmanager
def later(service: Bench, port: int) -> Iterator[Bench]:
    """Serve the same jobs at the same place, with nothing wrong any more."""
    with SmallSandbox(service.home / "service", speed=AT_ONCE, port=port) as sandbox:
        point(service.shell, sandbox)
        yield Bench(service.shell, service.home, sandbox)


@pytest.mark.long
def test_a_failed_row_is_bought_anew_and_then_what_waits_for_it(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["dead"]) as service:
        port = int(service.sandbox.base_url.split(":")[2].split("/")[0])
        service.write(CHAIN)
        assert service.batch().code == 3
        assert service.users() == ["row-1"]
    with later(service, port) as service:
        assert service.batch("--retry-failed").code == 0
        assert service.users() == ["row-1", "row-1", "row-2", "row-3"]


def test_fail_fast_and_a_stopped_run_start_none_of_a_chain(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        service.write(lines({"model": "sandbox/fails"}, {}, {"first_frame": "row:2"}, {"first_frame": "row:3"}))
        done = service.batch("--fail-fast", "--jobs", "1", "--json")
        assert done.code == 3
        assert service.users() == ["row-1"]
        assert [one["status"] for one in done.json["rows"]][1:] == ["not_submitted"] * 3


@pytest.mark.long
def test_a_video_that_is_gone_is_fetched_again_and_not_bought(service: Bench, home: Path) -> None:
    service.write(lines({}))
    assert service.batch("-o", "clips/").code == 0
    [path] = (home / "clips").iterdir()
    path.unlink()
    service.write(CHAIN)
    done = service.batch("-o", "clips/")
    assert done.code == 0, done.err
    assert service.users() == ["row-1", "row-2", "row-3"]
    assert path.is_file()


@pytest.mark.long
def test_a_stopped_chain_goes_on_where_it_was(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, speed=2) as service:
        service.write(CHAIN)
        process = orvideo.popen(
            "batch", "rows.jsonl", "-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "-o", "clips/",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        until(lambda: bool(service.received))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 130, err
        assert b"orvideo batch rows.jsonl" in err
        assert service.users() == ["row-1"]
        port = int(service.sandbox.base_url.split(":")[2].split("/")[0])
    with later(service, port) as service:
        done = orvideo("batch", "rows.jsonl", "-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "-o", "clips/")
        assert done.code == 0, done.err
        assert service.users() == ["row-1", "row-2", "row-3"]


@pytest.mark.long
def test_two_runs_of_one_chain_at_the_same_time_buy_each_row_once(service: Bench, home: Path) -> None:
    service.write(rows(3) + rows(3).replace("row-", "other-").replace("}", ', "first_frame": "row:none"}', 1))
    line = ["batch", "rows.jsonl", "-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "--chain", "-o", "clips/"]
    both = [service.shell.popen(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(process.communicate(timeout=240), process.returncode) for process in both]
    assert [code for _, code in ended] == [0, 0], ended
    assert Counter(service.users()) == Counter([f"{who}-{n}" for who in ("row", "other") for n in (1, 2, 3)])
    assert len(list((home / "clips").iterdir())) == 6


def until(happened: Any, patience: float = 60.0) -> None:
    ends = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)
