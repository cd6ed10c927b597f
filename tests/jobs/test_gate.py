"""The gate: one answer for all to "not now"."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import NotSent, RateLimited
from orvideo.jobs.gate import Closed, Gate
from tests.clocks import HandClock

ENDLESS = Deadline(Clock())
OVER = Deadline(Clock(), 0.0)


def nothing() -> None:
    """What would hurry a submit."""


def submit(gate: Gate, went: list[str], name: str) -> None:
    with gate.hold(nothing, ENDLESS):
        went.append(name)


def refuse(gate: Gate, seconds: float) -> None:
    with gate.hold(nothing, ENDLESS):
        pass
    gate.waiting(RateLimited("not now"), seconds)


def lets_another_go(gate: Gate) -> bool:
    """Return whether a submit of another thread is let through at once; it is refused for now by then."""
    went: list[bool] = []

    def come() -> None:
        with suppress(NotSent), gate.hold(nothing, OVER):
            went.append(True)
        gate.settled(refused=True)

    other = threading.Thread(target=come, daemon=True)
    other.start()
    other.join(240)
    return went == [True]


def test_nobody_goes_before_the_time_that_was_named() -> None:
    gate, went = Gate(Clock()), []
    refuse(gate, 0.2)
    began = time.monotonic()
    submit(gate, went, "next")
    assert went == ["next"]
    assert time.monotonic() - began >= 0.15


def test_after_a_refusal_one_goes_first_and_the_others_follow_when_it_was_taken() -> None:
    gate, went = Gate(Clock()), []
    refuse(gate, 0)
    probe = gate.hold(nothing, ENDLESS)
    probe.__enter__()
    others = [threading.Thread(target=submit, args=(gate, went, str(n)), daemon=True) for n in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(0.1)
    assert went == []
    probe.__exit__(None, None, None)
    gate.settled(refused=False)
    for other in others:
        other.join(240)
    assert sorted(went) == ["0", "1", "2"]


def test_a_probe_that_is_refused_leaves_the_way_to_the_next_one() -> None:
    gate, went = Gate(Clock()), []
    refuse(gate, 0)
    refuse(gate, 0)
    gate.settled(refused=True)
    other = threading.Thread(target=submit, args=(gate, went, "other"), daemon=True)
    other.start()
    other.join(240)
    assert went == ["other"]


def test_after_a_probe_that_gave_up_one_goes_again_and_not_all() -> None:
    gate = Gate(Clock())
    refuse(gate, 0)
    with gate.hold(nothing, ENDLESS):
        assert not lets_another_go(gate), "one is under way"
    gate.settled(refused=True)
    assert lets_another_go(gate), "that one was it"
    with gate.hold(nothing, ENDLESS):
        assert not lets_another_go(gate), "nothing was taken yet"
    gate.settled(refused=False)
    with gate.hold(nothing, ENDLESS):
        assert lets_another_go(gate)


def test_what_was_on_the_wire_before_a_refusal_opens_nothing_when_it_is_taken() -> None:
    gate = Gate(Clock())
    sent, refused = threading.Event(), threading.Event()

    def earlier() -> None:
        with gate.hold(nothing, ENDLESS):
            sent.set()
            refused.wait(240)
        gate.settled(refused=False)

    other = threading.Thread(target=earlier, daemon=True)
    with gate.hold(nothing, ENDLESS):
        other.start()
        assert sent.wait(240)
    gate.waiting(RateLimited("not now"), 0)
    refused.set()
    other.join(240)
    with gate.hold(nothing, ENDLESS):
        assert not lets_another_go(gate)


def test_the_longest_time_that_was_named_holds() -> None:
    hand = HandClock()
    gate = Gate(hand.clock())
    for seconds in (30, 2):
        gate.waiting(RateLimited("not now"), seconds)
    hand.elapsed = 29
    with pytest.raises(NotSent), gate.hold(nothing, OVER):
        pytest.fail("it went")
    hand.elapsed = 30
    submit(gate, went := [], "next")
    assert went == ["next"]


def test_once_shut_who_waits_and_who_comes_is_sent_away() -> None:
    gate, sent_away = Gate(Clock()), []
    refuse(gate, 60)

    def come() -> None:
        with pytest.raises(Closed):
            submit(gate, [], "never")
        sent_away.append(True)

    waiting = threading.Thread(target=come, daemon=True)
    waiting.start()
    gate.shut()
    waiting.join(240)
    come()
    gate.sleep(60)
    assert sent_away == [True, True]


def test_what_is_on_the_wire_is_hurried() -> None:
    gate, hurried = Gate(Clock()), []
    gate.hurry()
    with gate.hold(lambda: hurried.append(True), ENDLESS):
        gate.hurry()
    gate.hurry()
    assert hurried == [True]


def test_b02_nobody_waits_at_the_gate_beyond_its_deadline() -> None:
    gate = Gate(Clock())
    refuse(gate, 60)
    with pytest.raises(NotSent), gate.hold(nothing, Deadline.after(Clock(), 0.2)):
        pytest.fail("it went")


def test_a_pause_lasts_as_long_as_it_was_asked_for() -> None:
    hand = HandClock()
    Gate(hand.clock()).sleep(30)
    assert hand.elapsed == pytest.approx(30)


def test_shutting_ends_a_pause() -> None:
    gate, over = Gate(Clock()), threading.Event()

    def pause() -> None:
        gate.sleep(60)
        over.set()

    threading.Thread(target=pause, daemon=True).start()
    time.sleep(0.1)
    gate.shut()
    assert over.wait(240)
