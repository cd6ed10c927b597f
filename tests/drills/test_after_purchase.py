"""What was paid for while the record could not be written, or while the service said odd things of it."""

from __future__ import annotations

import json
from pathlib import Path

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
