"""The deadline: what is left of a command's time, handed down to whatever waits."""

from __future__ import annotations

import threading

import pytest

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from tests.clocks import HandClock


def test_what_is_left_is_never_more_than_asked_for_nor_than_there_is() -> None:
    hand = HandClock()
    deadline = Deadline.after(hand.clock(), 10)
    assert (deadline.left(60), deadline.left(3)) == (10, 3)
    hand.sleep(8)
    assert deadline.left(60) == pytest.approx(2)
    hand.sleep(5)
    assert (deadline.left(60), deadline.is_over) == (0.0, True)


def test_without_a_limit_every_wait_has_its_own() -> None:
    deadline = Deadline.after(HandClock().clock(), None)
    assert deadline.left(60) == 60
    assert not deadline.is_over


def test_a_sleep_ends_at_the_deadline() -> None:
    hand = HandClock()
    Deadline.after(hand.clock(), 1.5).sleep(100)
    assert hand.elapsed == pytest.approx(1.5)


def test_a_sleep_is_as_long_as_it_was_asked_for() -> None:
    hand = HandClock()
    Deadline(hand.clock()).sleep(0.7)
    assert hand.elapsed == pytest.approx(0.7)


def test_a_cancel_ends_a_sleep() -> None:
    deadline = Deadline(Clock())
    slept = threading.Event()

    def work() -> None:
        deadline.sleep(60)
        slept.set()

    thread = threading.Thread(target=work)
    thread.start()
    deadline.cancel()
    assert slept.wait(240)
    thread.join(240)
    assert (deadline.left(60), deadline.is_over) == (0.0, True)
