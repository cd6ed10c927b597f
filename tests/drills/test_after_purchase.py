"""What was paid for while the record could not be written, or while the service said odd things of it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from orvideo.cli import main
from orvideo.environment import Environment
from orvideo.record.ledger import Ledger
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import http
from tests.drills.service import ORDER
from tests.drills.test_one_engine import PENDING, Lock, then
from tests.drills.wire import CONTENT, DONE, JOB, LOOK, Step, Wire, film, record_path, refuse
from tests.shell import Result, Shell, Stream

drill = pytest.mark.drill
VIDEO = mp4()


@pytest.fixture
def hand(orvideo: Shell) -> HandClock:
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


def accepted(job_id: str = JOB) -> bytes:
    return http(202, json.dumps({"id": job_id, "status": "pending"}).encode())


# --- the record is locked from the POST on (J05, M30)


@drill("J05", "M30")
def test_h1_a_job_that_is_not_on_record_is_fetched_by_the_services_id(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    target = orvideo.home / "boat.mp4"
    completed: Step = {"status": "completed", "usage": {"cost": 0.12}}
    with Wire(completed, content=[film(VIDEO)], submit=[then(lock.take, accepted())]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(target))
        asked = {request.path for request in wire.requests if JOB in request.path or "sub-" in request.path}
    lock.release()
    assert (done.code, done.lines) == (14, [str(target), JOB])
    assert target.read_bytes() == VIDEO
    assert asked == {LOOK, CONTENT}


# --- a cost before the end (P09)

ZERO: dict[str, Any] = {"status": "in_progress", "usage": {"cost": 0}}


@drill("P09")
def test_h10_a_cost_that_is_told_before_the_end_is_not_what_a_job_costs(orvideo: Shell, hand: HandClock) -> None:
    with Wire(ZERO) as wire:
        orvideo.environ |= wire.env
        running = orvideo("submit", *ORDER, "--wait", "--timeout", "6s", "--json")
        assert (running.code, running.error["charged"]) == (8, "yes")
        assert [job["cost_usd"] for job in orvideo("jobs", "--json").json] == [None]


@drill("P09")
def test_h10_a_cost_that_is_told_before_the_end_is_none_of_a_batch(orvideo: Shell, hand: HandClock) -> None:
    with Wire(ZERO) as wire:
        orvideo.environ |= wire.env
        (orvideo.home / "rows.txt").write_text("a boat\n")
        done = orvideo("batch", str(orvideo.home / "rows.txt"), *ORDER[1:], "--yes", "--timeout", "6s", "--json")
    assert (done.code, done.error["charged"]) == (20, "yes")
    assert (done.json["totals"]["cost_usd"], done.json["totals"]["cost_unknown"]) == (0, 1)


@drill("P09")
@pytest.mark.parametrize("is_locked", [False, True])
def test_h10_a_cost_that_the_end_does_not_tell_is_not_known(orvideo: Shell, hand: HandClock, is_locked: bool) -> None:
    lock = Lock(orvideo, 600)
    first = then(lock.take, ZERO) if is_locked else ZERO
    with Wire(first, ZERO, {"status": "completed", "usage": None}, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(orvideo.home / "boat.mp4"), "--json")
    lock.release()
    assert done.code == (14 if is_locked else 0), done.err
    assert done.json["cost_usd"] is None
    assert not is_locked or done.error["charged"] == "yes"


# --- one id for two submits


@drill("M11")
@pytest.mark.parametrize("way", [(), ("--wait", "-o", "boat.mp4")])
def test_m1_an_id_that_another_submit_was_given_is_an_unknown_outcome(
    orvideo: Shell, hand: HandClock, way: tuple[str, ...]
) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("submit", *ORDER, "--yes", *way, "--json")
        shown = orvideo("jobs", "--json").json
    assert (done.code, done.error["charged"], wire.posts) == (9, "unknown", 1)
    assert done.err.count("had given to") == 2, "as a warning, and as the error"
    assert (wire.looks, wire.fetches, done.out) == (0, [], "")
    assert [job["status"] for job in shown] == ["outcome_unknown", "pending"]
    assert done.error["resume"] == f"orvideo jobs show {shown[0]['handle']}"


@drill("M11")
def test_m1_a_row_with_the_id_of_another_row_is_an_unknown_outcome(orvideo: Shell, hand: HandClock) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        (orvideo.home / "rows.txt").write_text("a boat\na ship\n")
        done = orvideo("batch", str(orvideo.home / "rows.txt"), *ORDER[1:], "--yes", "-o", str(orvideo.home), "--json")
    assert done.code == 9, done.err
    assert sorted(row["status"] for row in done.json["rows"]) == ["completed", "outcome_unknown"]
    assert (wire.looks, len(wire.fetches)) == (1, 1)


@drill("M11", "M30")
def test_m1_an_id_that_turns_out_to_be_another_submits_is_fetched_by_no_other_name(
    orvideo: Shell, hand: HandClock
) -> None:
    lock = Lock(orvideo, 600)
    released = then(lock.release, PENDING)
    with Wire(released, PENDING, DONE, content=[film(VIDEO)], submit=[then(lock.take, accepted())]) as wire:
        wire.bought(orvideo)
        done = orvideo("submit", *ORDER, "--yes", "--wait", "-o", str(orvideo.home / "boat.mp4"), "--json")
    assert (done.code, done.error["charged"], wire.fetches) == (9, "unknown", []), done.err


@drill("J05")
def test_m1_a_job_that_is_forgotten_before_its_answer_comes_is_followed_all_the_same(
    orvideo: Shell, hand: HandClock
) -> None:
    def forget() -> None:
        with Ledger(record_path(orvideo)) as ledger:
            ledger.forget(ledger.list()[0].seq)

    target = orvideo.home / "boat.mp4"
    with Wire(DONE, content=[film(VIDEO)], submit=[then(forget, accepted())]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", str(target))
    assert (done.code, done.lines, wire.posts) == (0, [str(target)], 1), done.err


# --- ids that are not on record reach a person, whatever ends the command (J05)

TWO = ("job-aaaa0000", "job-bbbb1111")


def not_on_record(orvideo: Shell, lock: Lock, *ids: str, looks: Sequence[Step]) -> Wire:
    """Return a service that gives these ids when all the submits are there and the record is locked from then on."""
    all_are_here = threading.Barrier(len(ids), lock.take, 60)
    places = {f"/api/v1/videos/{one}": looks for one in ids}
    wire = Wire(submit=[then(all_are_here.wait, accepted(one)) for one in ids], places=places)
    orvideo.environ |= wire.env
    (orvideo.home / "rows.txt").write_text("".join(f"boat {number}\n" for number in range(len(ids))))
    return wire


def batch(orvideo: Shell, *more: str) -> Result:
    return orvideo("batch", str(orvideo.home / "rows.txt"), *ORDER[1:], "--yes", *more)


def assert_adoptable(orvideo: Shell, hint: str, *ids: str) -> None:
    """Assert that the hinted commands bring the ids on record."""
    commands = [command.split() for command in hint.split("; ")]
    assert sorted(command[-1] for command in commands) == sorted(ids)
    for command in commands:
        assert orvideo(*command[1:]).code == 0
        assert orvideo("wait", command[-1], "--timeout", "3s").code == 8, "it is known again"


def hint_in(done: Result) -> str:
    return [line for line in done.err.splitlines() if line.startswith("hint: ")][-1].removeprefix("hint: ").strip()


@drill("J05", "M30")
@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_h2_a_batch_tells_the_ids_that_are_not_on_record(
    orvideo: Shell, hand: HandClock, quiet: tuple[str, ...]
) -> None:
    lock = Lock(orvideo, 600)
    with not_on_record(orvideo, lock, *TWO, looks=[PENDING]) as wire:
        done = batch(orvideo, "--timeout", "8s", *quiet)
        lock.release()
        assert (done.code, sorted(done.lines)) == (14, list(TWO)), done.err
        assert "2 of 2 rows did not make it: 2 still running" in done.err
        assert all(done.err.count(f"its id, {one}") == 1 for one in TWO)
        assert_adoptable(orvideo, hint_in(done), *TWO)
        assert wire.posts == 2


@drill("J05", "M30")
def test_h2_a_script_is_told_the_ids_of_a_batch_as_well(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    with not_on_record(orvideo, lock, *TWO, looks=[PENDING]):
        done = batch(orvideo, "--timeout", "8s", "--json")
    lock.release()
    assert done.code == 14
    assert sorted(row["id"] for row in done.json["rows"]) == list(TWO)
    assert all(f"orvideo jobs adopt {one}" in done.error["resume"] for one in TWO)


@drill("J05", "M30")
def test_h2_an_id_that_is_not_on_record_is_answered_once(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    with not_on_record(orvideo, lock, JOB, looks=[PENDING]):
        done = orvideo("submit", *ORDER, "--yes")
    lock.release()
    assert (done.code, done.lines) == (14, [JOB]), done.err
    assert "orvideo wait" not in done.err, "nothing on record has this id"
    assert hint_in(done) == f"orvideo jobs adopt {JOB}"


@drill("J05", "S03")
@pytest.mark.parametrize("command", ["submit", "batch"])
def test_h3_a_signal_does_not_keep_back_an_id_that_is_not_on_record(
    orvideo: Shell, hand: HandClock, command: str
) -> None:
    lock = Lock(orvideo, 600)
    signals = [signal.SIGINT]
    signalled = then(lambda: signals and signal.raise_signal(signals.pop()), PENDING)
    ids = TWO if command == "batch" else TWO[:1]
    with not_on_record(orvideo, lock, *ids, looks=[PENDING, PENDING, signalled, PENDING]) as wire:
        done = orvideo("submit", *ORDER, "--wait", "--yes", "-q") if command == "submit" else batch(orvideo, "-q")
        lock.release()
        assert (done.code, sorted(done.lines)) == (130, list(ids)), done.err
        assert all(f"its id, {one}" in done.err for one in ids)
        assert_adoptable(orvideo, hint_in(done), *ids)
        assert wire.posts == len(ids)


@drill("J05", "S03")
def test_h3_a_script_is_told_of_the_id_as_well(orvideo: Shell, hand: HandClock) -> None:
    lock = Lock(orvideo, 600)
    signalled = then(lambda: signal.raise_signal(signal.SIGTERM), PENDING)
    with not_on_record(orvideo, lock, JOB, looks=[signalled, PENDING]):
        done = orvideo("submit", *ORDER, "--wait", "--yes", "--json")
    lock.release()
    error = done.error
    assert (done.code, error["job_id"], error["charged"]) == (143, JOB, "yes")
    assert error["hint"] == error["resume"] == f"orvideo jobs adopt {JOB}"


class Gone(Stream):
    """A stdout whose reader has left."""

    is_gone = True

    def flush(self) -> None:
        if self.is_gone:
            raise BrokenPipeError
        super().flush()


@drill("J05", "O09")
@pytest.mark.parametrize("is_locked", [True, False])
def test_h2_a_reader_of_stdout_that_has_left_keeps_no_id_from_stderr(
    orvideo: Shell, hand: HandClock, is_locked: bool
) -> None:
    lock = Lock(orvideo, 600)
    answer = then(lock.take, accepted()) if is_locked else accepted()
    with Wire(DONE, content=[film(VIDEO)], submit=[answer]) as wire:
        (orvideo.home / "rows.txt").write_text("a boat\n")
        line = ["batch", str(orvideo.home / "rows.txt"), *ORDER[1:], "--yes", "-q", "-o", str(orvideo.home)]
        gone, err = Gone(), Stream()
        code = main(line, Environment({**orvideo.environ, **wire.env}, Stream(), gone, err, hand.clock()))
        gone.is_gone = False
    lock.release()
    assert code == 141
    assert err.text().count(f"orvideo jobs adopt {JOB}") == is_locked


# --- what a batch tells and hints


def two_rows(looks: Step, content: Step) -> Wire:
    """Return a service that takes two rows, and answers so when it is asked for them and for their videos."""
    places: dict[str, Sequence[Step]] = {f"/api/v1/videos/{one}": [{**looks, "id": one}] for one in TWO}
    places |= {f"/api/v1/videos/{one}/content": [content] for one in TWO}
    return Wire(submit=[accepted(one) for one in TWO], places=places)


NO_URLS: dict[str, Any] = {**DONE, "unsigned_urls": None}


@drill("R-A5", "B11")
def test_rows_that_are_finished_and_not_fetched_have_not_failed(orvideo: Shell, hand: HandClock) -> None:
    (orvideo.home / "rows.txt").write_text("a boat\na ship\n")
    with two_rows(NO_URLS, refuse(403, "not yet")) as wire:
        orvideo.environ |= wire.env
        done = batch(orvideo, "--timeout", "20s", "-q")
    assert done.code == 10, done.err
    assert "2 of 2 rows did not make it: 2 finished but not fetched." in done.err
    assert "--retry-failed" not in done.err


@drill("B11")
def test_a_batch_from_stdin_goes_on_with_a_command_that_can_be_typed(orvideo: Shell, hand: HandClock) -> None:
    with two_rows(PENDING, film(VIDEO)) as wire:
        orvideo.environ |= wire.env
        line = ("batch", "-", "--format", "text", *ORDER[1:], "--name", "boats", "--yes", "--timeout", "8s", "-q")
        done = orvideo(*line, stdin="a boat\na ship\n")
        assert done.code == 20, done.err
        assert hint_in(done).split()[:2] == ["orvideo", "wait"]
        for one in TWO:
            wire._steps["GET", f"/api/v1/videos/{one}"] = [{**NO_URLS, "id": one}]
        again = orvideo(*hint_in(done).split()[1:])
        assert (again.code, len(again.lines)) == (0, 2), again.err
        assert wire.posts == 2
