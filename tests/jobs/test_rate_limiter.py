"""The rate limiter of submits: one answer for all to "not now"."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import NotSent
from orvideo.jobs.rate_limiter import RateLimiter, SubmitsStopped
from tests.clocks import HandClock

ENDLESS = Deadline(Clock())
OVER = Deadline(Clock(), 0.0)


def nothing() -> None:
    """What would hurry a submit."""


def submit(rate_limiter: RateLimiter, went: list[str], name: str) -> None:
    with rate_limiter.permit(nothing, ENDLESS):
        went.append(name)


def refuse(rate_limiter: RateLimiter, seconds: float) -> None:
    with rate_limiter.permit(nothing, ENDLESS):
        pass
    rate_limiter.pause(seconds)


def lets_another_go(rate_limiter: RateLimiter) -> bool:
    """Return whether a submit of another thread is let through at once; it is refused for now by then."""
    went: list[bool] = []

    def come() -> None:
        with suppress(NotSent), rate_limiter.permit(nothing, OVER):
            went.append(True)
        rate_limiter.submit_ended(refused=True)

    other = threading.Thread(target=come, daemon=True)
    other.start()
    other.join(240)
    return went == [True]


def test_nobody_goes_before_the_time_that_was_named() -> None:
    rate_limiter, went = RateLimiter(Clock()), []
    refuse(rate_limiter, 0.2)
    began = time.monotonic()
    submit(rate_limiter, went, "next")
    assert went == ["next"]
    assert time.monotonic() - began >= 0.15


def test_after_a_refusal_one_goes_first_and_the_others_follow_when_it_was_taken() -> None:
    rate_limiter, went = RateLimiter(Clock()), []
    refuse(rate_limiter, 0)
    probe = rate_limiter.permit(nothing, ENDLESS)
    probe.__enter__()
    others = [threading.Thread(target=submit, args=(rate_limiter, went, str(n)), daemon=True) for n in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join(0.1)
    assert went == []
    probe.__exit__(None, None, None)
    rate_limiter.submit_ended(refused=False)
    for other in others:
        other.join(240)
    assert sorted(went) == ["0", "1", "2"]


def test_a_probe_that_is_refused_leaves_the_way_to_the_next_one() -> None:
    rate_limiter, went = RateLimiter(Clock()), []
    refuse(rate_limiter, 0)
    refuse(rate_limiter, 0)
    rate_limiter.submit_ended(refused=True)
    other = threading.Thread(target=submit, args=(rate_limiter, went, "other"), daemon=True)
    other.start()
    other.join(240)
    assert went == ["other"]


def test_after_a_probe_that_gave_up_one_goes_again_and_not_all() -> None:
    rate_limiter = RateLimiter(Clock())
    refuse(rate_limiter, 0)
    with rate_limiter.permit(nothing, ENDLESS):
        assert not lets_another_go(rate_limiter), "one is under way"
    rate_limiter.submit_ended(refused=True)
    assert lets_another_go(rate_limiter), "that one was it"
    with rate_limiter.permit(nothing, ENDLESS):
        assert not lets_another_go(rate_limiter), "nothing was taken yet"
    rate_limiter.submit_ended(refused=False)
    with rate_limiter.permit(nothing, ENDLESS):
        assert lets_another_go(rate_limiter)


def test_what_was_on_the_wire_before_a_refusal_opens_nothing_when_it_is_taken() -> None:
    rate_limiter = RateLimiter(Clock())
    sent, refused = threading.Event(), threading.Event()

    def earlier() -> None:
        with rate_limiter.permit(nothing, ENDLESS):
            sent.set()
            refused.wait(240)
        rate_limiter.submit_ended(refused=False)

    other = threading.Thread(target=earlier, daemon=True)
    with rate_limiter.permit(nothing, ENDLESS):
        other.start()
        assert sent.wait(240)
    rate_limiter.pause(0)
    refused.set()
    other.join(240)
    with rate_limiter.permit(nothing, ENDLESS):
        assert not lets_another_go(rate_limiter)


def test_the_longest_time_that_was_named_holds() -> None:
    hand = HandClock()
    rate_limiter = RateLimiter(hand.clock())
    for seconds in (30, 2):
        rate_limiter.pause(seconds)
    hand.elapsed = 29
    with pytest.raises(NotSent), rate_limiter.permit(nothing, OVER):
        pytest.fail("it went")
    hand.elapsed = 30
    submit(rate_limiter, went := [], "next")
    assert went == ["next"]


def test_once_shut_who_waits_and_who_comes_is_sent_away() -> None:
    rate_limiter, sent_away = RateLimiter(Clock()), []
    refuse(rate_limiter, 60)

    def come() -> None:
        with pytest.raises(SubmitsStopped):
            submit(rate_limiter, [], "never")
        sent_away.append(True)

    pause = threading.Thread(target=come, daemon=True)
    pause.start()
    rate_limiter.stop()
    pause.join(240)
    come()
    rate_limiter.sleep(60)
    assert sent_away == [True, True]


def test_what_is_on_the_wire_is_hurried() -> None:
    rate_limiter, hurried = RateLimiter(Clock()), []
    rate_limiter.hurry()
    with rate_limiter.permit(lambda: hurried.append(True), ENDLESS):
        rate_limiter.hurry()
    rate_limiter.hurry()
    assert hurried == [True]


def test_b02_nobody_waits_at_the_gate_beyond_its_deadline() -> None:
    rate_limiter = RateLimiter(Clock())
    refuse(rate_limiter, 60)
    with pytest.raises(NotSent), rate_limiter.permit(nothing, Deadline.after(Clock(), 0.2)):
        pytest.fail("it went")


def test_a_pause_lasts_as_long_as_it_was_asked_for() -> None:
    hand = HandClock()
    RateLimiter(hand.clock()).sleep(30)
    assert hand.elapsed == pytest.approx(30)


def test_shutting_ends_a_pause() -> None:
    rate_limiter, over = RateLimiter(Clock()), threading.Event()

    def pause() -> None:
        rate_limiter.sleep(60)
        over.set()

    threading.Thread(target=pause, daemon=True).start()
    time.sleep(0.1)
    rate_limiter.stop()
    assert over.wait(240)
