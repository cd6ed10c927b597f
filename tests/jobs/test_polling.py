"""When a job is looked at next, and what each answer to a look means (drills P01 to P16, finding A09)."""

from __future__ import annotations

import itertools

import pytest

from orvideo.api.values import Job
from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import (
    AuthError,
    BadReply,
    BadRequest,
    Forbidden,
    Gone,
    NotFetched,
    NotFound,
    NotSent,
    OrvideoError,
    PaymentRequired,
    RateLimited,
    ServerFault,
    ServiceReply,
    Unauthorized,
    Unsafe,
    UsageError,
)
from orvideo.jobs.poll_queue import PollQueue
from orvideo.jobs.polling import LONGEST_RETRY_AFTER, PollResult, PollSchedule, pauses
from orvideo.jobs.task import Task
from orvideo.record.values import Place
from tests.clocks import HandClock

drill = pytest.mark.drill


def job(status: str, **more: object) -> Job:
    return Job.of({"id": "job-1", "status": status, **more})


def own(error: type[OrvideoError], status: int, retry_after: float | None = None) -> OrvideoError:
    """Return an error that the service itself has answered."""
    return error("no", reply=ServiceReply(status, "no", retry_after=retry_after, own=True))


def page(error: type[OrvideoError], status: int) -> OrvideoError:
    """Return an error that something in front of the service has answered."""
    return error("a page", reply=ServiceReply(status, "a page"))


class Walk:
    """Looks at one job by a script of statuses and errors, the last of them for ever, until it ends."""

    def __init__(self, *script: str | OrvideoError, timeout: float | None = None, known: bool = False, most: int = 60):
        self.hand = HandClock()
        self.deadline = Deadline.after(self.hand.clock(), timeout)
        poll = PollSchedule(self.deadline, known=known, jitter=lambda low, high: high)
        self.looks: list[PollResult] = []
        self.times: list[float] = []
        for step in itertools.islice(itertools.chain(script, itertools.repeat(script[-1])), most):
            self.hand.sleep(poll.due - self.hand.clock().monotonic())
            self.times.append(self.hand.elapsed)
            look = poll.failed(step) if isinstance(step, OrvideoError) else poll.succeeded(job(step))
            self.looks.append(look)
            if look.next_in is None or self.deadline.is_over:
                break

    @property
    def last(self) -> PollResult:
        return self.looks[-1]

    @property
    def gaps(self) -> list[float]:
        return [round(later - earlier, 3) for earlier, later in itertools.pairwise(self.times)]


def test_pauses_begin_short_grow_and_stay_at_about_ten_seconds() -> None:
    first = list(itertools.islice(pauses(None), 12))
    assert first[:2] == [2.0, 2.5]
    assert first == sorted(first)
    assert first[-1] == 10.0


def test_an_interval_fixes_the_pause_but_never_below_two_seconds() -> None:
    assert list(itertools.islice(pauses(7), 3)) == [7, 7, 7]
    assert list(itertools.islice(pauses(0.1), 2)) == [2.0, 2.0]


def test_the_first_look_comes_at_once() -> None:
    walk = Walk("completed")
    assert walk.times == [0]
    assert walk.last.job is not None
    assert walk.last.next_in is None


@drill("P11")
def test_looks_are_never_closer_than_two_seconds() -> None:
    eager = own(RateLimited, 429, retry_after=0.0)
    walk = Walk("pending", eager, eager, "in_progress", "completed")
    assert min(walk.gaps) >= 2.0


@drill("P01", "F-A09")
@pytest.mark.parametrize(
    "miss",
    [
        NotSent("no route"), ServerFault("502"), own(BadRequest, 400), page(NotFound, 404), page(Forbidden, 403),
        page(Gone, 410), page(PaymentRequired, 402), page(Unauthorized, 401),
    ],
    ids=lambda miss: type(miss).__name__,
)  # fmt: skip
def test_a_missed_look_is_not_a_failed_job_however_often(miss: OrvideoError) -> None:
    walk = Walk("pending", *[miss] * 9, "completed")
    assert walk.last.job is not None
    assert walk.gaps[1:10] == [2, 2, 4, 8, 16, 32, 60, 60, 60]


@drill("P01")
def test_a_retry_after_is_obeyed_but_not_for_ever() -> None:
    assert Walk(own(RateLimited, 429, retry_after=45.0), "completed").gaps == [45.0]
    assert Walk(own(RateLimited, 429, retry_after=1e9), "completed").gaps == [LONGEST_RETRY_AFTER]


@drill("F-B01", "P01", "M31")
@pytest.mark.parametrize("step", ["in_progress", own(RateLimited, 429, retry_after=1e9), NotSent("no route")])
def test_one_last_look_is_owed_at_the_deadline(step: str | OrvideoError) -> None:
    walk = Walk(step, timeout=31)
    assert walk.times[-1] == 31
    assert walk.last.end is None


@drill("P02")
def test_a_404_right_after_the_submit_is_tolerated() -> None:
    missing = own(NotFound, 404)
    assert Walk(missing, missing, missing, missing, "completed").last.job is not None


@drill("P02", "R-B7")
def test_a_404_that_stays_ends_when_the_minute_is_over_and_not_later() -> None:
    walk = Walk(own(NotFound, 404))
    assert isinstance(walk.last.end, NotFetched)
    assert 60 <= walk.times[-1] <= 62


@drill("R-B7", "P02")
@pytest.mark.parametrize("error", [own(NotFound, 404), own(Gone, 410)])
def test_a_404_for_a_job_that_was_seen_is_believed_the_third_time(error: OrvideoError) -> None:
    for walk in (Walk("pending", error), Walk(error, known=True)):
        assert isinstance(walk.last.end, NotFetched)
        assert [look.missed is error for look in walk.looks[-3:]] == [True] * 3
        assert walk.times[-1] < 10
    assert len(Walk(error, known=True).looks) == 3


@drill("P03", "R-A8")
@pytest.mark.parametrize(
    "refusal", [own(Unauthorized, 401), own(PaymentRequired, 402), own(Forbidden, 403)], ids=lambda e: type(e).__name__
)
def test_a_key_that_the_service_refuses_three_times_ends_the_wait(refusal: OrvideoError) -> None:
    walk = Walk("pending", refusal)
    assert isinstance(walk.last.end, AuthError)
    assert len(walk.looks) == 4
    assert walk.gaps[1:] == [2, 2]


@drill("P08", "P10", "F-A09")
@pytest.mark.parametrize("error", [BadReply("another id"), Unsafe("foreign redirect")])
def test_what_cannot_be_trusted_ends_the_wait_the_third_time(error: OrvideoError) -> None:
    walk = Walk(error)
    assert walk.last.end is error
    assert len(walk.looks) == 3


@drill("F-A09")
def test_an_answer_in_between_begins_the_count_anew() -> None:
    refused = own(Unauthorized, 401)
    walk = Walk(refused, refused, "pending", refused, refused, ServerFault("502"), refused, refused, "completed")
    assert walk.last.job is not None


@pytest.mark.parametrize("error", [AuthError("There is no API key."), UsageError("SSL_CERT_FILE names no file.")])
def test_what_is_wrong_on_this_side_ends_the_wait_at_once(error: OrvideoError) -> None:
    walk = Walk(error)
    assert walk.last.end is error
    assert len(walk.looks) == 1


@drill("P04")
def test_an_unknown_status_is_waited_out_and_pointed_out_once() -> None:
    walk = Walk("baking", "baking", "cooling", "completed")
    assert [look.first_unknown_status for look in walk.looks] == [True, False, True, False]


@drill("P16", "F-B04")
@pytest.mark.parametrize("end", ["failed", "cancelled", "expired", "dead", "canceled", "error"])
def test_every_end_is_an_end(end: str) -> None:
    walk = Walk("pending", end)
    assert walk.last.job is not None
    assert walk.last.job.is_final
    assert walk.last.job.status != "completed"


@drill("P14")
def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    steady = HandClock().clock()
    wild = Clock(now=lambda: pytest.fail("the wall clock was read"), monotonic=steady.monotonic, sleep=steady.sleep)
    assert PollSchedule(Deadline.after(wild, 10)).succeeded(job("pending")).next_in == 2


# --- which of many


class Endpoint:
    """A record as the queue needs it: where the job lives, and its number."""

    def __init__(self, seq: int, endpoint: str = "https://one.test", profile: str | None = None) -> None:
        self.seq, self.place = seq, Place(endpoint, profile)


def tasks(hand: HandClock, count: int, timeout: float | None = None) -> list[Task]:
    deadline = Deadline.after(hand.clock(), timeout)
    return [Task(Endpoint(number), deadline=deadline) for number in range(count)]  # type: ignore[arg-type]


def test_looks_come_in_the_order_in_which_they_are_due() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other = tasks(hand, 2)
    now = hand.clock().monotonic()
    queue.add(one, now + 5)
    queue.add(other, now + 3)
    assert list(queue.due(9)) == []
    assert queue.next_due(room=True) == now + 3
    hand.sleep(5)
    assert list(queue.due(9)) == [other, one]


@drill("P12")
def test_all_together_are_not_looked_at_more_often_than_the_limit() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 10)
    for task in tasks(hand, 100):
        queue.add(task, hand.clock().monotonic())
    handed_out = 0
    for _ in range(40):
        handed_out += len(list(queue.due(99)))
        hand.sleep(0.05)
    assert 18 <= handed_out <= 24


def test_no_more_are_handed_out_than_there_is_room_for() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    for task in tasks(hand, 5):
        queue.add(task, 0)
    assert len(list(queue.due(2))) == 2
    assert queue.next_due(room=False) == float("inf")


@drill("F-B01")
def test_a_limit_that_one_job_meets_is_its_own() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other = tasks(hand, 2)
    queue.failed(one.on_record, own(RateLimited, 429, 40))
    queue.failed(one.on_record, own(RateLimited, 429, 40))
    queue.add(other, 0)
    assert list(queue.due(9)) == [other]


@drill("F-B01")
def test_a_limit_that_two_jobs_meet_is_shared_until_one_is_answered() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other, third = tasks(hand, 3)
    queue.failed(one.on_record, own(RateLimited, 429, 40))
    queue.failed(other.on_record, own(RateLimited, 429, 40))
    queue.add(third, 0)
    assert list(queue.due(9)) == []
    hand.sleep(39)
    assert list(queue.due(9)) == []
    hand.sleep(1)
    assert list(queue.due(9)) == [third]
    queue.failed(one.on_record, own(RateLimited, 429, 40))
    queue.succeeded(other.on_record)
    queue.add(third, 0)
    assert list(queue.due(9)) == [third]


@drill("F-B01")
def test_a_limit_that_names_no_time_is_shared_for_a_second() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other, third = tasks(hand, 3)
    for task in (one, other):
        queue.failed(task.on_record, own(RateLimited, 429))
    queue.add(third, 0)
    hand.sleep(0.9)
    assert list(queue.due(9)) == []
    hand.sleep(0.1)
    assert list(queue.due(9)) == [third]


@drill("F-B01")
def test_a_shared_limit_outlasts_no_deadline_and_no_minute() -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other, third = tasks(hand, 3, timeout=5)
    for task in (one, other):
        queue.failed(task.on_record, own(RateLimited, 429, 1e9))
    queue.add(third, 0)
    hand.sleep(5)
    assert list(queue.due(9)) == [third]
    [endless] = tasks(hand, 1)
    queue.add(endless, 0)
    hand.sleep(56)
    assert list(queue.due(9)) == [endless]


@drill("F-B01")
@pytest.mark.parametrize("place", [("https://two.test", None), ("https://one.test", "client-a")], ids=repr)
def test_a_limit_of_one_key_is_none_of_another(place: tuple[str, str | None]) -> None:
    hand = HandClock()
    queue = PollQueue(hand.clock(), 250)
    one, other = tasks(hand, 2)
    elsewhere = Task(Endpoint(9, *place), deadline=Deadline(hand.clock()))  # type: ignore[arg-type]
    for task in (one, other):
        queue.failed(task.on_record, own(RateLimited, 429, 40))
    queue.add(elsewhere, 0)
    assert list(queue.due(9)) == [elsewhere]
