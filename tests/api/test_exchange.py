"""The limits of one exchange, with time counted by hand: what was waited is what the test says was waited."""

from __future__ import annotations

import httpx
import pytest

from orvideo.api.exchange import Exchange, Limits
from orvideo.api.sockets import ExchangeTimer
from orvideo.deadline import Deadline
from tests.clocks import HandClock

REQUEST = httpx.Request("POST", "https://openrouter.ai/api/v1/videos", content=b"{}")


def waits(seconds: float | None = None) -> tuple[ExchangeTimer, HandClock]:
    hand = HandClock()
    return ExchangeTimer(Deadline.after(hand.clock(), seconds)), hand


def test_the_usual_limits() -> None:
    assert Limits() == Limits(
        connect=10, read=60, submit_total=60, call_total=60, job_bytes=1 << 20, list_bytes=16 << 20, stall_seconds=60,
        stall_bytes_per_second=1024, settle_seconds=30,
    )  # fmt: skip


def test_a_phase_ends_at_its_limit_counted_from_its_beginning() -> None:
    waited, _ = waits()
    assert not waited.is_over
    waited.seconds = 3.0
    waited.begin_phase(5.0)
    waited.seconds = 7.9
    assert not waited.is_over
    waited.seconds = 8.0
    assert waited.is_over
    waited.begin_phase(None)
    assert not waited.is_over


def test_a_hurry_and_a_deadline_end_every_phase() -> None:
    waited, hand = waits(10.0)
    waited.seconds = 3.0
    waited.hurry(2.0)
    waited.begin_phase(100.0)
    assert not waited.is_over
    waited.seconds = 5.0
    assert waited.is_over
    other, hand = waits(10.0)
    hand.elapsed = 9.9
    assert not other.is_over
    hand.elapsed = 10.0
    assert other.is_over
    cancelled, _ = waits()
    cancelled.deadline.cancel()
    assert cancelled.is_over


@pytest.mark.drill("S01", "S02")
def test_a_hurry_ends_what_is_not_on_the_wire_at_once() -> None:
    exchange = Exchange(REQUEST, Limits(), Deadline(HandClock().clock()), 30, 60)
    assert not exchange.timer.is_over
    exchange.hurry(5.0)
    assert exchange.timer.is_over


@pytest.mark.drill("D11")
@pytest.mark.parametrize(("brought", "stalls"), [(10 * 1024, False), (10 * 1024 - 1, True)])
def test_what_moves_at_less_than_its_pace_has_stalled(brought: int, stalls: bool) -> None:
    waited, _ = waits()
    waited.count_bytes(1)
    waited.seconds = 100.0
    waited.begin_phase(None, (10, 1024))
    waited.seconds = 109.9
    waited.count_bytes(0)
    waited.seconds = 110.0
    if stalls:
        with pytest.raises(TimeoutError):
            waited.count_bytes(brought)
        waited.begin_phase(None)
        waited.count_bytes(0)
    else:
        waited.count_bytes(brought)
        waited.seconds = 119.9
        waited.count_bytes(0)
        waited.seconds = 120.0
        with pytest.raises(TimeoutError):
            waited.count_bytes(brought - 1)


def test_an_attempt_is_made_again_until_it_succeeds_or_its_time_is_over() -> None:
    waited, hand = waits(10.0)
    tries = 0

    def attempt() -> str:
        nonlocal tries
        tries += 1
        hand.elapsed += 3
        if tries < 3:
            raise TimeoutError
        return "done"

    assert waited.until_done(attempt, None) == "done"
    assert tries == 3
    tries = -9
    with pytest.raises(TimeoutError):
        waited.until_done(attempt, None)
    assert tries == -8, "after ten seconds nothing more is tried"
    with pytest.raises(TimeoutError):
        waited.until_done(lambda: pytest.fail("tried"), 0.0)
    fresh, _ = waits()

    def refused() -> None:
        raise TimeoutError(110, "Connection timed out")

    with pytest.raises(TimeoutError, match="Connection timed out"):
        fresh.until_done(refused, None)
