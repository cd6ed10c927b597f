"""What was paid for while the record could not be written, or while the service said odd things of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orvideo.record.ledger import Ledger
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import http
from tests.drills.service import ORDER
from tests.drills.test_one_engine import PENDING, Lock, then
from tests.drills.wire import CONTENT, DONE, JOB, LOOK, Step, Wire, film, record_path
from tests.shell import Shell

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
