"""Following: when to look, what a look means, when to stop (drills P01 to P16)."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from orvideo.api.schemas import Job
from orvideo.clock import Clock
from orvideo.errors import (
    AuthError,
    BadReply,
    Forbidden,
    NotFetched,
    NotFound,
    NotSent,
    OrvideoError,
    RateLimited,
    ServerFault,
    ServiceReply,
    StillRunning,
    Unauthorized,
    Unsafe,
)
from orvideo.jobs.polling import Following, Look, Schedule, follow, pauses
from tests.clocks import HandClock

drill = pytest.mark.drill


def job(status: str, **more: object) -> Job:
    return Job.model_validate({"id": "job-1", "status": status, **more})


class Service:
    """Answers looks from a script of statuses and errors, the last of them for ever, and notes when each look came."""

    def __init__(self, hand: HandClock, *script: str | OrvideoError) -> None:
        self.hand, self.script, self.looks = hand, list(script), []

    def __call__(self, following: Following) -> Job:
        self.looks.append(self.hand.elapsed)
        word = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(word, OrvideoError):
            raise word
        return job(word)

    @property
    def gaps(self) -> list[float]:
        return [round(later - earlier, 3) for earlier, later in itertools.pairwise(self.looks)]


def following(hand: HandClock, **more: object) -> Following:
    more.setdefault("jitter", lambda low, high: high)
    return Following("job-1", "https://api.test", hand.clock(), **more)  # type: ignore[arg-type]


def test_pauses_begin_short_grow_and_stay_at_about_ten_seconds() -> None:
    first = list(itertools.islice(pauses(None), 12))
    assert first[0] == 2.0
    assert first == sorted(first)
    assert first[-1] == 10.0


def test_an_interval_fixes_the_pause_but_never_below_two_seconds() -> None:
    assert list(itertools.islice(pauses(7), 3)) == [7, 7, 7]
    assert next(pauses(0.1)) == 2.0


def test_a_job_that_is_complete_at_the_first_look_is_not_waited_for() -> None:
    hand = HandClock()
    assert follow(following(hand), Service(hand, "completed"), tell=lambda look: None).is_completed
    assert hand.slept == []


@drill("P11")
def test_looks_are_never_closer_than_two_seconds() -> None:
    hand = HandClock()
    eager = RateLimited("slow down", reply=ServiceReply(429, "slow down", retry_after=0.0))
    service = Service(hand, "pending", eager, eager, "in_progress", "completed")
    follow(following(hand), service, tell=lambda look: None)
    assert min(service.gaps) >= 2.0


@drill("P01")
@pytest.mark.parametrize("miss", [NotSent("no route"), ServerFault("502"), ServerFault("cut")])
def test_a_missed_look_is_not_a_failed_job(miss: OrvideoError) -> None:
    hand = HandClock()
    service = Service(hand, "pending", *[miss] * 9, "completed")
    assert follow(following(hand), service, tell=lambda look: None).is_completed
    assert service.gaps[1:10] == [2, 2, 4, 8, 16, 32, 60, 60, 60]


@drill("P01")
def test_a_retry_after_is_obeyed() -> None:
    hand = HandClock()
    busy = RateLimited("busy", reply=ServiceReply(429, "busy", retry_after=45.0))
    service = Service(hand, busy, "completed")
    follow(following(hand), service, tell=lambda look: None)
    assert service.gaps == [45.0]


@drill("P01", "M31")
def test_the_deadline_ends_the_wait_with_one_last_look_and_no_word_of_failure() -> None:
    hand = HandClock()
    service = Service(hand, "in_progress")
    with pytest.raises(StillRunning) as caught:
        follow(following(hand, deadline=1000.0 + 31), service, tell=lambda look: None)
    assert service.looks[-1] == 31
    assert caught.value.charged == "yes"
    assert "still running" in caught.value.message
    assert "again" not in caught.value.message


@drill("P02")
def test_a_404_right_after_the_submit_is_tolerated() -> None:
    hand = HandClock()
    service = Service(hand, NotFound("Job job-1 not found"), NotFound("Job job-1 not found"), "completed")
    assert follow(following(hand), service, tell=lambda look: None).is_completed


@drill("P02")
def test_a_404_that_stays_ends_after_a_minute_with_the_id() -> None:
    hand = HandClock()
    with pytest.raises(NotFetched, match="job-1"):
        follow(following(hand), Service(hand, NotFound("Job job-1 not found")), tell=lambda look: None)
    assert 60 <= hand.elapsed < 130


def test_a_404_after_the_job_was_seen_is_final() -> None:
    hand = HandClock()
    with pytest.raises(NotFetched):
        follow(following(hand), Service(hand, "pending", NotFound("gone")), tell=lambda look: None)


@drill("P03")
@pytest.mark.parametrize("refusal", [Unauthorized("User not found."), Forbidden("key not allowed")])
def test_a_key_that_is_revoked_on_the_way_ends_the_wait_as_an_authentication_error(refusal: OrvideoError) -> None:
    hand = HandClock()
    with pytest.raises(AuthError):
        follow(following(hand), Service(hand, "pending", refusal), tell=lambda look: None)


@drill("P08", "P10")
@pytest.mark.parametrize("error", [BadReply("another id"), Unsafe("foreign redirect")])
def test_what_cannot_be_trusted_ends_the_wait(error: OrvideoError) -> None:
    hand = HandClock()
    with pytest.raises(type(error)):
        follow(following(hand), Service(hand, error), tell=lambda look: None)


@drill("P04")
def test_an_unknown_status_is_waited_out_and_pointed_out_once() -> None:
    hand = HandClock()
    looks: list[Look] = []
    follow(following(hand), Service(hand, "baking", "baking", "cooling", "completed"), tell=looks.append)
    assert [look.first_unknown_status for look in looks] == [True, False, True, False]


@drill("P16")
@pytest.mark.parametrize("end", ["failed", "cancelled", "expired"])
def test_every_end_is_returned_as_a_value(end: str) -> None:
    hand = HandClock()
    assert follow(following(hand), Service(hand, "pending", end), tell=lambda look: None).status == end


@drill("P14")
def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    hand = HandClock()
    steady = hand.clock()
    wild = Clock(now=lambda: pytest.fail("the wall clock was read"), monotonic=steady.monotonic, sleep=steady.sleep)
    walk = Following("job-1", "https://api.test", wild, deadline=1000.0 + 10)
    with pytest.raises(StillRunning):
        follow(walk, Service(hand, "pending"), tell=lambda look: None)


class Crew:
    """Makes lookers and counts how many look at the same moment; job `n` is complete at its `n % 4`-th look."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at_once = self.most_at_once = self.made = self.closed = 0
        self.looks: dict[str, int] = {}

    def connect(self) -> Crew:
        with self.lock:
            self.made += 1
        return self

    def look(self, following: Following) -> Job:
        with self.lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            seen = self.looks[following.job_id] = self.looks.get(following.job_id, 0) + 1
        with self.lock:
            self.at_once -= 1
        if following.job_id.endswith("7"):
            raise Unauthorized("User not found.")
        return Job(id=following.job_id, status="completed" if seen > int(following.job_id[4:]) % 2 else "pending")

    def close(self) -> None:
        with self.lock:
            self.closed += 1


@pytest.fixture
def soon() -> Callable[[], float]:
    """A monotonic clock on which a hundred seconds pass in one."""
    import time

    begin = time.monotonic()
    return lambda: begin + (time.monotonic() - begin) * 100


@drill("P12")
def test_many_jobs_share_one_schedule_and_a_bounded_number_of_looks(soon: Callable[[], float]) -> None:
    crew = Crew()
    clock = Clock(monotonic=soon)
    schedule: Schedule[int] = Schedule(crew.connect, workers=4, clock=clock)
    for number in range(60):
        schedule.add(number, Following(f"job-{number}", "https://api.test", clock))
    ends = {outcome.key: outcome for outcome in schedule.outcomes() if outcome.is_end}
    schedule.close()
    assert set(ends) == set(range(60))
    assert all(isinstance(ends[n].error, AuthError) for n in range(60) if n % 10 == 7)
    assert all(ends[n].job is not None for n in range(60) if n % 10 != 7)
    assert crew.most_at_once <= 4
    assert crew.made <= 4
