"""What was paid for while the record could not be written, or while the service said odd things of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import http
from tests.drills.service import ORDER
from tests.drills.test_one_engine import Lock, then
from tests.drills.wire import CONTENT, JOB, LOOK, Step, Wire, film
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
