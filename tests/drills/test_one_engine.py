"""One engine, one judgement, one account of money: what a paid job meets after the purchase, in every command."""

from __future__ import annotations

import json
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.transport import Limits
from orvideo.clock import MAX_WAIT
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, State, Submission
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Peer, Received, chunked, http
from tests.drills.service import ORDER, assert_clean
from tests.drills.wire import DONE, JOB, Step, Wire, film, record_path, refuse
from tests.shell import Result, Shell

drill = pytest.mark.drill
OTHER = "job-5e6f7a8b"
OTHER_LOOK = f"/api/v1/videos/{OTHER}"
VIDEO = mp4()
PENDING: Step = {"status": "pending"}
PAGE = http(404, b"<!DOCTYPE html><html><title>Not here</title></html>", {"Content-Type": "text/html"})


@pytest.fixture
def hand(orvideo: Shell) -> HandClock:
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


def then(do: Any, step: Step) -> Step:
    """Do something, then answer like `step`; the step must be fields or bytes."""

    def run(peer: Peer, request: Received) -> bool:
        do()
        data = (
            step
            if isinstance(step, bytes)
            else http(200, json.dumps({"id": request.path.rsplit("/", 1)[-1], **step}).encode())
        )  # type: ignore[dict-item]
        return peer.send(data)

    return run


def slow_film(data: bytes, seconds: float) -> Step:
    """Send a film in chunks, as the service does, over so many seconds."""

    def step(peer: Peer, request: Received) -> bool:
        peer.send(b"HTTP/1.1 200 X\r\nContent-Type: video/mp4\r\nTransfer-Encoding: chunked\r\n\r\n")
        pieces = 10
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            if peer.server.stopping.wait(seconds / pieces) or not peer.send(
                chunked(data[start : start + size], end=False)
            ):
                return False
        return peer.send(b"0\r\n\r\n")

    return step


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the record's write lock, as another process does."""
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.close()


class Lock:
    """Takes the record's write lock when it is told to, and lets go after some seconds."""

    def __init__(self, shell: Shell, seconds: float) -> None:
        self._shell, self._seconds = shell, seconds
        self._holder: sqlite3.Connection | None = None
        self._timer: threading.Timer | None = None

    def take(self) -> None:
        if self._holder is None:
            self._holder = sqlite3.connect(record_path(self._shell), isolation_level=None, check_same_thread=False)
            self._holder.execute("BEGIN IMMEDIATE")
            self._timer = threading.Timer(self._seconds, self.release)
            self._timer.start()

    def release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._holder is not None:
            self._holder.close()


# --- the record after the purchase (R-A2, F-A08, F-C02, M30)


@drill("R-A2", "M30")
def test_a2_a_record_that_is_locked_in_mid_wait_stops_nothing(orvideo: Shell) -> None:
    lock = Lock(orvideo, 4)
    with Wire(then(lock.take, {"status": "in_progress"}), DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(orvideo.home / "boat.mp4"), "--json")
    lock.release()
    assert done.code == 0, done.err
    assert (orvideo.home / "boat.mp4").read_bytes() == VIDEO
    assert (done.json["status"], done.json["cost_usd"]) == ("completed", 0.12)
    with Ledger(record_path(orvideo)) as ledger:
        record = ledger.find(JOB)
    assert (record.status, record.is_fetched) == ("completed", True)
    assert wire.posts == 1
    assert_clean(orvideo.home, done)


@drill("R-A2", "F-A08")
def test_a2_a_record_that_stays_locked_is_14_and_the_video_is_here(orvideo: Shell) -> None:
    lock = Lock(orvideo, 600)
    with Wire(then(lock.take, {"status": "in_progress"}), DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        # It ends while the lock is still held.
        done = orvideo("submit", *ORDER, "--wait", "-o", str(orvideo.home / "boat.mp4"), "--json")
    lock.release()
    error = done.error
    assert (done.code, error["charged"], error["job_id"]) == (14, "yes", JOB)
    assert "again" not in (error["hint"] or "")
    assert (orvideo.home / "boat.mp4").read_bytes() == VIDEO
    assert wire.posts == 1


@drill("R-A2")
def test_a2_two_jobs_are_both_saved_beside_a_locked_record(orvideo: Shell) -> None:
    lock = Lock(orvideo, 3)
    places = {OTHER_LOOK: [DONE], f"{OTHER_LOOK}/content": [film(VIDEO)]}
    with Wire(then(lock.take, DONE), content=[film(VIDEO)], places=places) as wire:
        wire.bought(orvideo)
        wire.bought(orvideo, OTHER)
        done = orvideo("wait", JOB, OTHER, "-o", str(orvideo.home / "{id}.mp4"))
    lock.release()
    assert done.code == 0, done.err
    assert len(done.lines) == 2
    assert len(list(orvideo.home.glob("*.mp4"))) == 2


@drill("F-A08")
def test_a08_an_error_about_a_paid_job_says_so_whatever_its_class(orvideo: Shell) -> None:
    with Wire(PENDING) as wire:
        wire.bought(orvideo)
        without_key = orvideo("wait", JOB, "--json", env={"OPENROUTER_API_KEY": ""})
    assert without_key.code == 4
    error = without_key.error
    assert (error["charged"], error["job_id"], error["resume"]) == ("yes", JOB, f"orvideo wait {JOB}")


@drill("R-B9")
def test_b9_a_signal_is_heard_while_another_process_holds_the_record(orvideo: Shell) -> None:
    with Wire(PENDING) as wire:
        wire.bought(orvideo)
        with locked(record_path(orvideo)):
            process = orvideo.popen("wait", JOB, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                deadline = time.monotonic() + 20
                while not wire.looks and time.monotonic() < deadline:
                    time.sleep(0.05)
                time.sleep(0.3)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=240)
            finally:
                process.kill()
    assert process.returncode == 130, err
    assert b"Interrupted" in err


# --- two commands, one job (R-A3, F-C01)


def at_once(shell: Shell, *lines: tuple[str, ...], env: dict[str, str] | None = None) -> list[tuple[int, str, str]]:
    """Run commands side by side and return how each ended."""
    running = [
        shell.popen(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=True)
        for line in lines
    ]
    try:
        ended = [process.communicate(timeout=240) for process in running]
    finally:
        for process in running:
            process.kill()
    return [
        (process.returncode, out.decode(), err.decode()) for process, (out, err) in zip(running, ended, strict=True)
    ]


@drill("R-A3", "F-C01")
def test_a3_whoever_comes_second_finds_the_jobs_own_file(orvideo: Shell) -> None:
    with Wire(DONE, content=[slow_film(VIDEO, 0.5)]) as wire:
        wire.bought(orvideo)
        target = str(orvideo.home / "boat.mp4")
        ends = at_once(orvideo, *[("download", JOB, "-o", target)] * 5)
    assert [code for code, _, _ in ends] == [0] * 5, ends
    assert all(out.strip() == target for _, out, _ in ends)
    assert Path(target).read_bytes() == VIDEO
    assert [path.name for path in orvideo.home.iterdir() if "boat" in path.name] == ["boat.mp4"]


@drill("R-A3")
def test_a3_four_that_wait_for_all_end_well(orvideo: Shell) -> None:
    clips = orvideo.home / "clips"
    clips.mkdir()
    states = [PENDING] * 4 + [DONE]
    with Wire(*states, content=[slow_film(VIDEO, 0.3)]) as wire:
        wire.bought(orvideo)
        ends = at_once(orvideo, *[("wait", "--all")] * 4, env={"ORVIDEO_OUTPUT": str(clips)})
    assert [code for code, _, _ in ends] == [0] * 4, ends
    assert len(list(clips.iterdir())) == 1


@drill("R-A4", "O01")
def test_a4_a_file_that_appears_while_waiting_is_left_alone_and_the_video_saved_beside(orvideo: Shell) -> None:
    target = orvideo.home / "boat.mp4"
    look = then(lambda: target.write_bytes(b"mine"), {"status": "in_progress"})
    with Wire(look, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(target), "--json")
        text = orvideo("download", JOB)
    error = done.error
    assert (done.code, error["charged"], error["job_id"]) == (13, "yes", JOB)
    assert target.read_bytes() == b"mine"
    [beside] = [path for path in orvideo.home.glob("*.mp4") if path != target]
    assert beside.read_bytes() == VIDEO
    assert str(beside) in error["message"]
    assert text.code == 0, text.err


OTHER_VIDEO = VIDEO + b"\0\0\0\x10free12345678"


@drill("R-A3", "R-A4", "O01")
@pytest.mark.parametrize(
    ("line", "recorded"),
    [
        (("download", JOB, OTHER, "-o", "{model}.mp4"), None),
        (("download", JOB, OTHER), "x.mp4"),
        (("wait", "--all"), "x.mp4"),
    ],
    ids=["one name", "recorded", "wait all"],
)
def test_a3_force_replaces_no_video_that_the_same_command_has_just_saved(
    orvideo: Shell, line: tuple[str, ...], recorded: str | None
) -> None:
    target = str(orvideo.home / recorded) if recorded is not None else None
    with Wire(DONE, content=[film(VIDEO)], places=other_done()) as wire:
        wire.bought(orvideo, target=target)
        wire.bought(orvideo, OTHER, target=target)
        done = orvideo(*line, "--force")
        again = orvideo("download", JOB, OTHER, *line[3:], "--force")
        left = orvideo("download", "--all")
    assert (done.code, len(set(done.lines))) == (13, 2), done.err
    assert [Path(path).read_bytes() for path in again.lines] == [VIDEO, OTHER_VIDEO]
    assert (left.code, left.lines) == (0, [])


@drill("O01")
def test_o01_force_replaces_a_foreign_file_and_the_jobs_own_one(orvideo: Shell) -> None:
    target = orvideo.home / "boat.mp4"
    target.write_bytes(b"foreign")
    with Wire(DONE, content=[film(VIDEO), film(OTHER_VIDEO)]) as wire:
        wire.bought(orvideo)
        for video in (VIDEO, OTHER_VIDEO):
            done = orvideo("download", JOB, "-o", str(target), "--force")
            assert (done.code, target.read_bytes()) == (0, video), done.err


def other_done() -> dict[str, list[Step]]:
    """Return what `OTHER` meets: it is completed, and has a film of its own."""
    done = {**DONE, "unsigned_urls": [f"{OTHER_LOOK}/content?index=0"]}
    return {OTHER_LOOK: [done], f"{OTHER_LOOK}/content": [film(OTHER_VIDEO)]}


# --- time (R-A5, F-B01, F-B02)


@drill("R-A5", "F-B01")
@pytest.mark.parametrize("asked", ["40", "1000000000"])
def test_a5_a_limit_that_a_service_asks_for_outlasts_no_deadline(orvideo: Shell, hand: HandClock, asked: str) -> None:
    limited = refuse(429, "slow down", Retry_After=asked)
    with Wire(limited, places={OTHER_LOOK: [limited]}) as wire:
        wire.bought(orvideo)
        wire.bought(orvideo, OTHER)
        done = orvideo("wait", JOB, OTHER, "--timeout", "4s")
    assert done.code == 8, done.err
    assert hand.elapsed < 5


@drill("F-B01")
def test_b01_a_job_that_is_told_to_wait_does_not_hold_up_the_others(orvideo: Shell, hand: HandClock) -> None:
    limited = refuse(429, "slow down", Retry_After="100")
    with Wire(limited, places={OTHER_LOOK: [PENDING, PENDING, DONE]}) as wire:
        wire.bought(orvideo)
        wire.bought(orvideo, OTHER)
        done = orvideo("wait", JOB, OTHER, "--timeout", "30s")
    assert done.code == 8
    assert wire.count("GET", OTHER_LOOK) == 3
    assert hand.elapsed < 32


#: Longer than a test may take: what ends before has ended for its deadline.
FOREVER = 1000.0
PATIENT = Limits(connect=FOREVER, read=FOREVER, submit_total=FOREVER, call_total=FOREVER, stall_seconds=FOREVER)


def fall_silent(data: bytes) -> Step:
    """Send these bytes and then nothing, for as long as the other end has patience."""

    def step(peer: Peer, request: Received) -> bool:
        peer.send(data)
        peer.stall(FOREVER)
        return False

    return step


SILENT: dict[str, dict[str, Any]] = {
    "look": {"looks": [fall_silent(b"")]},
    "head": {"looks": [fall_silent(b"HTTP/1.1 200 X\r\n")]},
    "look body": {"looks": [fall_silent(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{")]},
    "content": {"looks": [DONE], "content": [fall_silent(b"")]},
    "film": {
        "looks": [DONE],
        "content": [fall_silent(b"HTTP/1.1 200 X\r\nContent-Length: 9000\r\n\r\n" + VIDEO[:500])],
    },
}


@pytest.mark.long
@drill("R-A5", "F-B02", "N14")
@pytest.mark.parametrize("where", SILENT)
@pytest.mark.parametrize("command", ["wait", "download"])
def test_b02_a_service_that_falls_silent_outlasts_no_deadline(orvideo: Shell, where: str, command: str) -> None:
    steps = SILENT[where]
    with Wire(*steps["looks"], content=steps.get("content", ())) as wire:
        wire.bought(orvideo)
        orvideo.limits = PATIENT
        done = orvideo(command, JOB, "-o", str(orvideo.home / "x.mp4"), "--timeout", "3s", "--json")
    assert done.code == (10 if "content" in steps else 8), done.err
    assert (done.error["charged"], done.error["job_id"]) == ("yes", JOB)


@drill("R-A5", "F-B02")
def test_b02_more_jobs_than_can_be_looked_at_at_once_outlast_no_deadline(orvideo: Shell) -> None:
    jobs = [f"job-{number:04}" for number in range(150)]
    with Wire(places={f"/api/v1/videos/{job}": [fall_silent(b"")] for job in jobs}) as wire:
        for job in jobs:
            wire.bought(orvideo, job)
        orvideo.limits = PATIENT
        done = orvideo("wait", "--all", "--timeout", "2s", "--json")
    assert done.code == 8, done.err
    assert len(done.json) == len(jobs)
    looks = sum(wire.count("GET", f"/api/v1/videos/{job}") for job in jobs)
    assert looks < len(jobs), "the last ones are not looked at any more: each round takes its time"


@drill("F-B02")
def test_b02_a_download_that_hangs_is_told_to_a_hook_once(orvideo: Shell) -> None:
    with Wire(DONE, content=[fall_silent(b"HTTP/1.1 200 X\r\nContent-Length: 9000\r\n\r\n")]) as wire:
        wire.bought(orvideo)
        hook = "sleep 1; echo $ORVIDEO_JOB_STATUS >>ended"
        done = orvideo.process("wait", JOB, "-o", "x.mp4", "--timeout", "2s", "--exec", hook)
    assert done.code == 10, done.err
    assert (orvideo.home / "ended").read_text().split() == ["completed"]


@drill("R-A5", "M23")
@pytest.mark.parametrize(("late", "code"), [(0.3, 8), (0.6, 9)])
@pytest.mark.parametrize("wait", [(), ("--wait",)], ids=["submit", "wait"])
def test_a5_an_id_that_comes_right_after_the_time_limit_is_kept(
    orvideo: Shell, hand: HandClock, wait: tuple[str, ...], late: float, code: int
) -> None:
    def answer(peer: Peer, request: Received) -> bool:
        hand.elapsed += 2 + late
        # So long that whoever has no patience left has gone.
        peer.server.stopping.wait(3 * MAX_WAIT)
        return peer.send(http(202, json.dumps({"id": JOB, "status": "pending"}).encode()))

    with Wire(PENDING, submit=[answer]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, *wait, "--timeout", "2s", "--json")
    assert done.code == (code if wait or code == 9 else 0), done.err
    assert hand.elapsed < 3
    assert wire.looks == 0
    with Ledger(record_path(orvideo)) as ledger:
        [record] = ledger.list()
    assert record.id == (None if code == 9 else JOB)


@drill("R-B16")
def test_b16_a_command_of_exec_that_takes_long_holds_up_neither_the_looks_nor_what_is_told(orvideo: Shell) -> None:
    go = orvideo.home / "go"
    over = then(go.touch, DONE)  # type: ignore[arg-type]
    with Wire(DONE, places={OTHER_LOOK: [PENDING, {"status": "in_progress"}, over]}) as wire:
        wire.bought(orvideo)
        wire.bought(orvideo, OTHER)
        hook = f"while [ $ORVIDEO_JOB_ID = {JOB} ] && [ ! -e go ]; do sleep 0.05; done; echo $ORVIDEO_JOB_ID >>ended"
        done = orvideo.process("wait", JOB, OTHER, "--exec", hook)
    assert done.code == 0, done.err
    assert f"{OTHER}: in_progress" in done.err
    assert set((orvideo.home / "ended").read_text().split()) == {JOB, OTHER}


@drill("R-B16")
def test_b16_what_is_downloaded_is_not_told_again_while_a_hook_runs(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo.process("wait", JOB, "-o", "x.mp4", "--exec", "sleep 0.5")
    assert done.code == 0, done.err
    assert done.err.count(": downloading") == 1


@drill("R-A5")
def test_a5_a_time_limit_of_a_batch_is_no_failure(orvideo: Shell, hand: HandClock) -> None:
    with Wire(PENDING) as wire:
        orvideo.environ |= wire.env
        (orvideo.home / "rows.txt").write_text("a boat\n")
        done = orvideo("batch", "rows.txt", *ORDER[1:], "--timeout", "4s", "--yes")
    assert done.code == 20, done.err
    assert "1 still running" in done.err
    assert "failed" not in done.err
    assert "--retry-failed" not in done.err
    assert hand.elapsed < 9


# --- the judgement of a look (R-A8, F-A09, R-B6, R-B7, F-B04)


@drill("F-A09", "R-A8")
@pytest.mark.parametrize("answer", [refuse(n) for n in (400, 401, 402, 403, 404, 405, 410, 418, 422, 451)] + [PAGE])
@pytest.mark.parametrize("command", ["wait", "submit", "download"])
def test_a09_one_odd_answer_to_a_look_is_a_missed_look(
    orvideo: Shell, hand: HandClock, answer: bytes, command: str
) -> None:
    target = str(orvideo.home / "boat.mp4")
    with Wire(answer, DONE, content=[film(VIDEO)]) as wire:
        if command == "submit":
            orvideo.environ |= wire.env
            done = orvideo("submit", *ORDER, "--wait", "-o", target)
        else:
            wire.bought(orvideo, status="in_progress")
            done = orvideo(command, JOB, "-o", target)
    assert done.code == 0, done.err
    assert Path(target).read_bytes() == VIDEO


ENDS = [(401, 4), (402, 4), (403, 4), (404, 10), (410, 10)]


@drill("R-A8", "P03")
@pytest.mark.parametrize(("status", "code"), ENDS)
@pytest.mark.parametrize("command", ["wait", "download"])
def test_a8_a_refusal_that_stays_ends_every_command_alike(
    orvideo: Shell, hand: HandClock, status: int, code: int, command: str
) -> None:
    with Wire({"status": "in_progress"}, refuse(status)) as wire:
        wire.bought(orvideo)
        orvideo("status", JOB)
        done = orvideo(command, JOB, "--json")
    assert done.code == code, done.err
    assert (done.error["charged"], done.error["job_id"]) == ("yes", JOB)
    assert done.error["hint"] != "orvideo models MODEL shows what the model takes"
    assert wire.looks == 4


@drill("R-B6", "P12")
@pytest.mark.parametrize("command", ["wait", "download"])
def test_b6_one_bad_job_costs_the_others_nothing(orvideo: Shell, command: str) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        with Ledger(record_path(orvideo)) as ledger:
            seq = ledger.prepare(Submission({"prompt": "x"}, wire.url))
            ledger.not_sent(seq, "no way there")
            bad = ledger.get(seq).name
        done = orvideo(command, bad, JOB, "-o", str(orvideo.home / "{id}.mp4"), "--json")
    assert done.code == 2
    assert [path.read_bytes() for path in orvideo.home.glob("*.mp4")] == [VIDEO]
    assert done.error["job_id"] is None
    assert done.error["charged"] == "no"
    assert done.err.count('{"error"') == 1


@drill("R-B7", "P02")
def test_b7_a_job_that_was_seen_and_is_unknown_now_is_not_waited_for(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "in_progress"}, refuse(404, "no such job")) as wire:
        wire.bought(orvideo)
        orvideo("status", JOB)
        done = orvideo("wait", JOB)
    assert done.code == 10
    assert hand.elapsed < 10


@drill("R-B7", "P02")
def test_b7_the_grace_for_a_job_that_is_not_known_yet_is_a_minute_and_no_more(orvideo: Shell, hand: HandClock) -> None:
    with Wire(refuse(404, "no such job")) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert done.code == 10
    assert 60 <= hand.elapsed < 65


@drill("F-B04")
@pytest.mark.parametrize("word", ["dead", "canceled", "error"])
def test_b04_a_word_for_failure_of_the_neighbourhood_ends_the_wait(orvideo: Shell, hand: HandClock, word: str) -> None:
    with Wire({"status": word, "error": "the machine caught fire"}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert done.code == 3
    assert "caught fire" in done.err
    assert wire.looks == 1


@drill("F-B04")
def test_b04_a_word_that_nobody_knows_is_told_as_it_was_seen(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "composting", "error": "worms at work"}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "1m", "--json")
    assert done.code == 8
    assert "'composting'" in done.error["message"]
    assert "worms at work" in done.error["message"]
    assert "goes on" not in done.error["message"]


DUBIOUS: Step = {**DONE, "status": "succeeded"}


@drill("F-B04")
def test_m5_videos_beside_a_word_that_nobody_knows_are_tried_by_download(orvideo: Shell, hand: HandClock) -> None:
    target = orvideo.home / "boat.mp4"
    with Wire(DUBIOUS, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo, target=str(target))
        waited = orvideo("wait", JOB, "--timeout", "1m", "--json")
        assert (waited.code, waited.error["hint"]) == (8, f"orvideo download {JOB}"), waited.err
        assert "names a video" in waited.error["message"]
        assert wire.fetches == []
        done = orvideo("download", JOB)
        assert (done.code, done.lines) == (0, [str(target)]), done.err
        assert orvideo("wait", "--all").code == 0, "it is here, and nothing is waited for"
    assert target.read_bytes() == VIDEO


@drill("F-B04")
def test_m5_videos_beside_such_a_word_that_are_not_there_keep_the_job_as_it_is(orvideo: Shell, hand: HandClock) -> None:
    with Wire(DUBIOUS, content=[refuse(409, "not finished")]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
    assert (done.code, done.error["resume"], done.error["charged"]) == (10, f"orvideo wait {JOB}", "yes"), done.err
    assert "not have the video ready yet" in done.error["message"]
    with Ledger(record_path(orvideo)) as ledger:
        assert ledger.find(JOB).is_running


@drill("F-B04")
def test_m5_such_a_word_without_a_video_is_still_no_end(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "succeeded"}, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
    assert (done.code, wire.fetches, done.error["hint"]) == (8, [], f"orvideo wait {JOB}")
    assert "names a video" not in done.error["message"]


# --- many (R-B3, R-B5, R-B16)


def listening(pid: int) -> int:
    """Return how many sockets a process listens on."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                inodes.add(f"socket:[{fields[9]}]")
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:
            continue
    return sum(link in inodes for link in links)


@drill("R-B3")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
def test_b3_many_sandbox_jobs_have_one_sandbox(orvideo: Shell) -> None:
    slow = {"ORVIDEO_SANDBOX_SPEED": "0.01"}
    for _ in range(3):
        assert orvideo("submit", "a boat", "-d", "1", "--sandbox", env=slow).code == 0
    process = orvideo.popen("wait", "--all", env=slow, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        seen = [0]
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            seen.append(listening(process.pid))
            # A second one would come right after the first.
            if seen[-2:] == [0, 1]:
                end = time.monotonic() + 2
            time.sleep(0.1)
    finally:
        process.kill()
        process.communicate()
    assert max(seen) == 1, seen


@drill("R-B5", "F-B10")
def test_b10_a_job_that_is_forgotten_meanwhile_costs_the_others_nothing(orvideo: Shell) -> None:
    def forget() -> None:
        with Ledger(record_path(orvideo)) as ledger:
            ledger.forget(ledger.find(OTHER).seq)

    places = {OTHER_LOOK: [PENDING, DONE], f"{OTHER_LOOK}/content": [film(VIDEO)]}
    with Wire(PENDING, then(forget, PENDING), DONE, content=[film(VIDEO)], places=places) as wire:
        wire.bought(orvideo)
        wire.bought(orvideo, OTHER)
        done = orvideo("wait", JOB, OTHER, "-o", str(orvideo.home / "{id}.mp4"))
    assert done.code in (0, 10), done.err
    assert any(JOB in line for line in done.lines)
    assert (orvideo.home / f"{JOB}.mp4").read_bytes() == VIDEO


@drill("R-B16")
def test_b16_a_slow_download_does_not_hold_up_the_looks_at_the_others(orvideo: Shell) -> None:
    over = threading.Event()
    seen: list[bool] = []

    def film_to_its_end(peer: Peer, request: Received) -> bool:
        went_on = slow_film(VIDEO, 7)(peer, request)  # type: ignore[operator]
        over.set()
        return bool(went_on)

    last_look = then(lambda: seen.append(over.is_set()), DONE)
    with Wire(DONE, content=[film_to_its_end], places={OTHER_LOOK: [PENDING, PENDING, last_look]}) as wire:
        wire.bought(orvideo, target=str(orvideo.home / "a.mp4"))
        wire.bought(orvideo, OTHER)
        done = orvideo("wait", JOB, OTHER, "--interval", "2s")
    assert done.code == 0, done.err
    assert seen == [False]


@drill("F-C03")
@pytest.mark.parametrize("how", ["option", "setting"])
def test_c03_a_file_that_is_larger_than_a_person_allows_is_not_kept(orvideo: Shell, how: str) -> None:
    with Wire(DONE, content=[slow_film(VIDEO, 0.1)]) as wire:
        wire.bought(orvideo)
        line = ("wait", JOB, "-o", str(orvideo.home / "boat.mp4"), "--json")
        small, large = f"{len(VIDEO) - 1}B", f"{len(VIDEO)}B"
        if how == "option":
            refused, taken = orvideo(*line, "--max-size", small), orvideo(*line, "--max-size", large)
        else:
            refused = orvideo(*line, env={"ORVIDEO_MAX_SIZE": small})
            taken = orvideo(*line, env={"ORVIDEO_MAX_SIZE": large})
    assert (refused.code, refused.error["charged"]) == (10, "yes")
    assert taken.code == 0, taken.err
    assert [path.name for path in orvideo.home.iterdir() if "boat" in path.name] == ["boat.mp4"]


@drill("F-C02")
def test_c02_a_record_that_can_only_be_read_keeps_no_video_away(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        with locked_for_itself(record_path(orvideo)):
            done = orvideo("download", JOB, "-o", str(orvideo.home / "boat.mp4"), "--json", "--timeout", "3s")
    assert done.code == 14, done.err
    assert (done.error["charged"], done.error["job_id"]) == ("yes", JOB)
    assert (orvideo.home / "boat.mp4").read_bytes() == VIDEO


@contextmanager
def locked_for_itself(path: Path) -> Iterator[None]:
    """Hold the record so that nobody else can even read it by SQLite."""
    code = (
        "import sqlite3, sys\n"
        "held = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "held.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "held.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline().strip() == b"held"
            yield
        finally:
            holder.kill()


# --- what is told at the end


def has(shell: Shell, wire: Wire, job_id: str, end: str | None = None) -> None:
    """Put a job on record, as far as it has come: it runs, or it is at its end."""
    seq = wire.bought(shell, job_id).seq
    if end is not None:
        with Ledger(record_path(shell)) as ledger:
            ledger.observed(seq, Observation(end, final=True))


MANY = [f"job-{number:04}" for number in range(11)]


@pytest.mark.parametrize(
    ("ends", "resume"),
    [
        ({JOB: None, OTHER: None}, f"orvideo wait {JOB} {OTHER}"),
        ({JOB: "completed", OTHER: None}, f"orvideo wait {JOB} {OTHER}"),
        ({JOB: "completed", OTHER: "completed"}, f"orvideo download {JOB} {OTHER}"),
        ({JOB: "failed", OTHER: "completed"}, f"orvideo download {OTHER}"),
        ({JOB: "failed", OTHER: None}, f"orvideo wait {OTHER}"),
        ({JOB: "failed", OTHER: "expired"}, f"orvideo jobs show {JOB}"),
        (dict.fromkeys(MANY[:10]), "orvideo wait " + " ".join(MANY[:10])),
        (dict.fromkeys(MANY), "orvideo wait --all"),
        (dict.fromkeys(MANY, "completed"), "orvideo download --all"),
    ],
)
def test_one_command_goes_on_with_what_several_jobs_still_need(
    orvideo: Shell, ends: dict[str, str | None], resume: str
) -> None:
    with Wire() as wire:
        for job_id, end in ends.items():
            has(orvideo, wire, job_id, end)
        done = orvideo("wait", *ends, "-o", "one.mp4", "--json")
    assert (done.code, done.error["resume"]) == (2, resume)
    assert done.error["job_id"] is None


@drill("J05", "M30")
def test_j05_an_id_that_could_not_be_written_down_is_answered_beside_its_video(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    target = orvideo.home / "boat.mp4"
    with Wire(DONE, content=[film(VIDEO)], submit=[then(lock.take, accepted)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(target))
    lock.release()
    assert (done.code, done.lines) == (14, [str(target), JOB])
    assert f"orvideo jobs adopt {JOB}" in done.err
    assert target.read_bytes() == VIDEO


@drill("B11")
def test_b11_a_row_that_waits_for_another_try_when_the_batch_is_stopped_is_not_sent_again(orvideo: Shell) -> None:
    both = threading.Barrier(2, timeout=240)
    steps = [then(both.wait, refuse(429, "slow down", Retry_After="2")), then(both.wait, refuse(401, "no such key"))]
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    with Wire(DONE, submit=[*steps, accepted]) as wire:
        orvideo.environ |= wire.env
        (orvideo.home / "rows.txt").write_text("a boat\na ship\n")
        done = orvideo("batch", "rows.txt", *ORDER[1:], "--yes", "--json")
    assert (done.code, wire.posts) == (4, 2), done.err
    assert "1 refused, 1 not started" in done.error["message"]
    with Ledger(record_path(orvideo)) as ledger:
        assert [record.state for record in ledger.list()] == [State.NOT_SENT] * 2


@drill("R-A5", "P12")
def test_a5_each_row_of_a_batch_has_its_own_time(orvideo: Shell, hand: HandClock) -> None:
    accepted = [http(202, json.dumps({"id": job, "status": "pending"}).encode()) for job in (JOB, OTHER)]
    with Wire(PENDING, submit=accepted, places={OTHER_LOOK: [PENDING]}) as wire:
        orvideo.environ |= wire.env
        (orvideo.home / "rows.txt").write_text("a boat\na ship\n")
        done = orvideo("batch", "rows.txt", *ORDER[1:], "--jobs", "1", "--timeout", "4s", "--yes")
    assert (done.code, wire.posts) == (20, 2), done.err
    assert "2 still running" in done.err
    assert 8 <= hand.elapsed < 9, "one after the other"


#: Looks that say nothing of a job whose end is on record.
MISSED = {
    "502": refuse(502), "404": refuse(404, "no such job"), "401": refuse(401), "another": {"id": OTHER, **DONE},
    "nonsense": http(200, b"[1]"), "page": PAGE,
}  # fmt: skip


@drill("P01", "P02", "P03", "P08", "P13")
@pytest.mark.parametrize("look", MISSED)
@pytest.mark.parametrize("command", ["wait", "download"])
@pytest.mark.parametrize(("end", "code"), [("completed", 0), ("failed", 3)])
def test_h8_an_end_that_is_on_record_is_believed_when_one_look_was_missed(
    orvideo: Shell, hand: HandClock, end: str, code: int, look: str, command: str
) -> None:
    target = orvideo.home / "boat.mp4"
    with Wire(MISSED[look], content=[film(VIDEO)]) as wire:
        has(orvideo, wire, JOB, end)
        done = orvideo(command, JOB, "-o", str(target))
    assert (done.code, wire.looks) == (code, 1), done.err
    assert target.exists() == (code == 0)
    assert "check failed: " in done.err
    assert "looking again" not in done.err


@drill("F-B02", "P13")
@pytest.mark.parametrize("command", ["wait", "download"])
def test_h8_a_look_that_is_silent_leaves_time_for_a_video_whose_end_is_on_record(orvideo: Shell, command: str) -> None:
    target = orvideo.home / "boat.mp4"
    with Wire(fall_silent(b""), content=[film(VIDEO)]) as wire:
        has(orvideo, wire, JOB, "completed")
        orvideo.limits = PATIENT
        done = orvideo(command, JOB, "-o", str(target), "--timeout", "10s")
    assert done.code == 0, done.err
    assert target.read_bytes() == VIDEO


@drill("P03")
def test_h8_a_key_that_is_refused_everywhere_is_told_of_a_finished_job(orvideo: Shell, hand: HandClock) -> None:
    with Wire(refuse(401), content=[refuse(401)]) as wire:
        has(orvideo, wire, JOB, "completed")
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
    assert (done.code, done.error["resume"]) == (4, f"orvideo download {JOB}")


@drill("P13")
def test_h8_a_job_whose_end_another_process_saw_is_not_said_to_run(orvideo: Shell, hand: HandClock) -> None:
    def end_it() -> None:
        with Ledger(record_path(orvideo)) as ledger:
            ledger.observed(ledger.find(JOB).seq, Observation("completed", final=True))
        hand.sleep(60)

    with Wire(then(end_it, PENDING)) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "30s", "--json")
    assert (done.code, done.json["status"]) == (0, "completed"), done.err
    assert "running" not in done.err


@drill("D13", "S03")
@pytest.mark.parametrize("how", ["refused", "silent", "interrupted", "look"])
def test_m4_a_video_that_was_saved_once_and_is_gone_is_missing_with_the_command_that_fetches_it(
    orvideo: Shell, how: str
) -> None:
    target = orvideo.home / "boat.mp4"
    signalled = then(lambda: signal.raise_signal(signal.SIGINT), refuse(502))
    step = {"refused": refuse(410), "silent": fall_silent(b""), "interrupted": signalled}.get(how, film(VIDEO))
    with Wire(DONE, *[signalled] * (how == "look"), content=[film(VIDEO), step]) as wire:
        wire.bought(orvideo, target=str(target))
        assert orvideo("download", JOB).code == 0
        target.unlink()
        done = orvideo("download", JOB, "--timeout", "2s", "--json")
    assert done.code == (10 if how in ("refused", "silent") else 130), done.err
    assert done.error["hint"] == done.error["resume"] == f"orvideo download {JOB}"
    assert done.error["charged"] == "yes"
    assert "at its end already" not in done.err


@drill("F-D10")
def test_m4_a_job_that_was_said_to_have_no_video_is_asked_for_again_after_trouble(
    orvideo: Shell, hand: HandClock
) -> None:
    none = refuse(400, "Video index 0 out of range (0 videos available)")
    with Wire({"status": "completed"}, content=[none, refuse(502)]) as wire:
        wire.bought(orvideo)
        told = orvideo("download", JOB, "--json")
        assert (told.code, told.error["resume"]) == (12, f"orvideo jobs show {JOB}")
        done = orvideo("download", JOB, "--json")
    assert (done.code, done.error["hint"]) == (10, f"orvideo download {JOB}"), done.err


# --- time limits, one after the other


class Waking(HandClock):
    """A clock that is turned by hand, and does something once its time has come."""

    def __init__(self, at: float, do: Callable[[], object]) -> None:
        super().__init__()
        self._at, self._do = at, do

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.elapsed >= self._at:
            self._at = math.inf
            self._do()


def sending(shell: Shell, wire: Wire) -> tuple[Ledger, int]:
    """Put a job on record that another orvideo is submitting, and return the record that it holds."""
    shell.environ |= wire.env
    ledger = Ledger(record_path(shell), clock=shell.clock)
    seq = ledger.prepare(Submission({"prompt": "a boat"}, wire.url))
    ledger.sending(seq)
    return ledger, seq


def test_a_submit_of_another_orvideo_is_waited_for_and_no_longer_than_asked(orvideo: Shell, hand: HandClock) -> None:
    with Wire() as wire:
        ledger, seq = sending(orvideo, wire)
        with ledger:
            handle = ledger.get(seq).handle
            done = orvideo("wait", handle, "--timeout", "4s", "--json")
            assert ledger.get(seq).state is State.SENDING
    assert (done.code, done.error["charged"], wire.looks) == (8, "unknown", 0), done.err
    assert done.error["resume"] == done.error["hint"] == f"orvideo wait {handle}"
    assert 4 <= hand.elapsed < 5


@drill("R-A8", "M31")
def test_a8_a_submit_of_another_orvideo_that_the_service_puts_off_is_waited_for_too(
    orvideo: Shell, hand: HandClock
) -> None:
    with Wire() as wire:
        ledger, seq = sending(orvideo, wire)
        with ledger:
            ledger.refused_for_now(seq)
            done = orvideo("wait", "--all", "--timeout", "4s", "--json")
            handle = ledger.get(seq).handle
    assert (done.code, done.error["charged"], done.error["resume"]) == (8, "no", f"orvideo wait {handle}"), done.err


@pytest.mark.parametrize("everything", [False, True])
def test_a_submit_of_another_orvideo_is_followed_once_it_is_through(orvideo: Shell, everything: bool) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        ledger, seq = sending(orvideo, wire)
        with ledger:
            hand = Waking(3, lambda: ledger.submitted(seq, JOB))
            orvideo.clock = hand.clock()
            target = orvideo.home / "boat.mp4"
            name = "--all" if everything else ledger.get(seq).handle
            done = orvideo("wait", name, "-o", str(target), "--timeout", "30s")
    assert (done.code, done.lines) == (0, [str(target)]), done.err
    assert 3 <= hand.elapsed < 5


@drill("R-A8", "J03")
@pytest.mark.parametrize("owner", ["it ended", "it stands still"])
def test_a8_what_nobody_can_wait_for_is_told_and_not_called_ended(orvideo: Shell, hand: HandClock, owner: str) -> None:
    with Wire() as wire:
        ledger, seq = sending(orvideo, wire)
        with ledger:
            if owner == "it ended":
                ledger.outcome_unknown(seq, "No answer came.")
            else:
                hand.sleep(700)
            done = orvideo("wait", "--all")
    assert (done.code, done.out) == (0, ""), done.err
    assert "1 job of unknown outcome" in done.err
    assert "orvideo jobs --unknown" in done.err
    assert "every job on record" not in done.err


def test_with_nothing_left_every_job_is_at_its_end(orvideo: Shell) -> None:
    with Wire() as wire:
        wire.bought(orvideo, status="pending")
        with Ledger(record_path(orvideo)) as ledger:
            ledger.observed(ledger.find(JOB).seq, Observation("failed", final=True))
        done = orvideo("wait", "--all")
    assert (done.code, done.out) == (0, "")
    assert "every job on record is at its end" in done.err


NOT_YET = refuse(404, "not yet")


@drill("D11")
def test_d11_a_limit_that_a_person_sets_holds_for_the_wait_and_the_download_together(
    orvideo: Shell, hand: HandClock
) -> None:
    with Wire(*[PENDING] * 5, DONE, content=[NOT_YET]) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4", "--timeout", "20s", "--json")
    assert (done.code, done.error["resume"]) == (10, f"orvideo download {JOB}"), done.err
    assert hand.elapsed < 21


@drill("D11")
def test_d11_the_usual_limit_begins_anew_with_the_download(orvideo: Shell, hand: HandClock) -> None:
    late = then(lambda: hand.sleep(1797), PENDING)
    with Wire(late, DONE, content=[NOT_YET, NOT_YET, film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", str(orvideo.home / "boat.mp4"))
    assert done.code == 0, done.err
    assert 1800 < hand.elapsed < 1830


@drill("M18", "R-A5")
def test_m18_a_service_that_takes_nothing_now_is_not_waited_for_beyond_the_limit(
    orvideo: Shell, hand: HandClock
) -> None:
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    with Wire(DONE, submit=[refuse(429, "slow down", Retry_After="60"), accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "--timeout", "20s", "--json")
    assert (done.code, done.error["charged"], wire.posts) == (7, "no", 1), done.err
    assert hand.elapsed < 1, "there is no use in waiting"


@drill("M18", "M31")
def test_m31_a_limit_that_a_person_sets_holds_for_the_submit_and_the_wait_together(
    orvideo: Shell, hand: HandClock
) -> None:
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    with Wire(PENDING, submit=[refuse(429, "slow down", Retry_After="15"), accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "--timeout", "20s", "--json")
    assert (done.code, done.error["resume"]) == (8, f"orvideo wait {JOB}"), done.err
    assert hand.elapsed == pytest.approx(20, abs=0.9)


@drill("M31")
def test_m31_the_usual_limit_begins_when_the_job_is_accepted(orvideo: Shell, hand: HandClock) -> None:
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    late = then(lambda: hand.sleep(1790), PENDING)
    with Wire(late, PENDING, submit=[refuse(429, "slow down", Retry_After="60"), accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "--json")
    assert (done.code, done.error["resume"]) == (8, f"orvideo wait {JOB}"), done.err
    assert 1860 <= hand.elapsed < 1861


def download_all(orvideo: Shell, jobs: list[str], content: Step) -> Result:
    """Run `download --all` over completed jobs, each with this content."""
    places: dict[str, list[Step]] = {}
    for job in jobs:
        places |= {f"/api/v1/videos/{job}": [{"status": "completed"}], f"/api/v1/videos/{job}/content": [content]}
    with Wire(places=places) as wire:
        for job in jobs:
            has(orvideo, wire, job, "completed")
        return orvideo("download", "--all", "-o", str(orvideo.home / "{id}.mp4"), "--json")


@drill("M18", "M30")
def test_m18_a_refusal_that_cannot_be_written_down_does_not_end_the_submit(orvideo: Shell) -> None:
    lock = Lock(orvideo, 600)
    orvideo.clock = Waking(57, lock.release).clock()
    accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
    with Wire(submit=[then(lock.take, refuse(429, "slow down", Retry_After="40")), accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER)
    lock.release()
    assert (done.code, done.lines, wire.posts) == (0, [JOB], 2), done.err


def test_three_videos_are_fetched_at_once_and_no_more(orvideo: Shell) -> None:
    three, running, most = threading.Barrier(3, timeout=240), 0, 0
    counting = threading.Lock()

    def count(by: int) -> None:
        nonlocal running, most
        with counting:
            running += by
            most = max(most, running)

    def slowly(peer: Peer, request: Received) -> bool:
        count(1)
        three.wait()
        peer.server.stopping.wait(0.2)
        count(-1)
        return bool(film(VIDEO)(peer, request))  # type: ignore[operator]

    jobs = [f"job-{number:04}" for number in range(6)]
    done = download_all(orvideo, jobs, slowly)
    assert (done.code, most) == (0, 3), done.err
    assert sorted(document["id"] for document in done.json) == jobs


@drill("R-B16", "F-B02")
def test_m7_a_fetch_that_brings_nothing_holds_up_no_other(orvideo: Shell, hand: HandClock) -> None:
    """Three contents are silent until the two others are fetched."""
    counting, others_are_here = threading.Lock(), threading.Event()
    asked = served = 0
    in_time: list[bool] = []

    def content(peer: Peer, request: Received) -> bool:
        nonlocal asked, served
        with counting:
            asked += 1
            is_silent = asked <= 3
        if is_silent:
            hand.sleep(6)
            in_time.append(others_are_here.wait(30))
        went_on = bool(film(VIDEO)(peer, request))  # type: ignore[operator]
        with counting:
            served += 1
            if served == 2:
                others_are_here.set()
        return went_on

    jobs = [f"job-{number:04}" for number in range(5)]
    done = download_all(orvideo, jobs, content)
    assert (done.code, in_time) == (0, [True] * 3), done.err


@drill("M18", "M30")
def test_m18_a_record_that_stays_locked_after_a_refusal_is_told_and_nothing_was_bought(
    orvideo: Shell, hand: HandClock
) -> None:
    lock = Lock(orvideo, 600)
    with Wire(submit=[then(lock.take, refuse(429, "slow down", Retry_After="5"))]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--json")
    lock.release()
    assert (done.code, done.error["charged"], wire.posts) == (14, "no", 1), done.err
    assert "that it was not bought" in done.error["message"]
    assert "Nothing was sent." in done.err


@pytest.mark.parametrize("more", [(), ("--wait", "-o", "boat.mp4")])
def test_a_record_that_is_locked_before_the_submit_sends_nothing(
    orvideo: Shell, hand: HandClock, more: tuple[str, ...]
) -> None:
    with Wire() as wire:
        wire.bought(orvideo)
        with locked(record_path(orvideo)):
            done = orvideo("submit", *ORDER, *more, "--json")
    assert (done.code, done.error["charged"], done.error["job_id"], wire.posts) == (11, "no", None, 0), done.err
    assert "Nothing was sent" in done.error["message"]


@drill("P01")
def test_p01_a_download_gives_up_after_five_looks_that_brought_nothing(orvideo: Shell, hand: HandClock) -> None:
    with Wire(refuse(502)) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
    assert (done.code, done.error["charged"], wire.looks) == (7, "yes", 5), done.err
    assert done.error["hint"] == done.error["resume"] == f"orvideo wait {JOB}"


@drill("R-A1")
def test_a1_a_job_that_made_nothing_is_told_with_what_it_cost(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "completed", "usage": {"cost": 0.12}}, content=[NOT_YET]) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4", "--json")
    assert (done.code, done.error["charged"]) == (12, "yes"), done.err
    assert done.error["message"].count("charged $0.12.") == 1


@pytest.mark.parametrize("command", ["wait", "download"])
def test_a_video_that_is_here_is_answered_without_a_request(orvideo: Shell, command: str) -> None:
    target = orvideo.home / "boat.mp4"
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        first = orvideo(command, JOB, "-o", str(target))
        asked = len(wire.requests)
        again = orvideo(command, JOB, "-o", str(target))
    assert (again.code, again.lines) == (0, first.lines) == (0, [str(target)])
    assert len(wire.requests) == asked
    assert "nothing to" not in first.err + again.err


def test_a_job_without_a_place_to_save_is_answered_with_its_name(orvideo: Shell) -> None:
    with Wire(DONE) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert (done.code, done.lines) == (0, [JOB])


@drill("S03", "M30")
def test_s03_a_signal_does_not_wait_for_a_record_that_another_process_holds(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    signalled = then(lambda: signal.raise_signal(signal.SIGINT), PENDING)
    with Wire(then(lock.take, {"status": "in_progress"}), signalled) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    lock.release()
    assert (done.code, done.error["charged"], done.error["resume"]) == (130, "yes", f"orvideo wait {JOB}")
    assert hand.elapsed < 5


@drill("R-A8", "P03")
@pytest.mark.parametrize(("status", "code"), ENDS)
def test_a8_one_look_that_is_refused_is_judged_as_a_wait_would(orvideo: Shell, status: int, code: int) -> None:
    with Wire(refuse(status)) as wire:
        wire.bought(orvideo)
        done = orvideo("status", JOB, "--json")
    assert (done.code, done.error["charged"], wire.looks) == (code, "yes", 1), done.err
