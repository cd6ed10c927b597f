"""When a job is polled: often at first, then less often, with a back-off after failed polls.

Nothing here waits or sends: a `PollSchedule` gets the result of each poll and returns when the next one is due.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from orvideo.backoff import backoff
from orvideo.errors import NotFetched, OrvideoError
from orvideo.jobs.judgement import REFUSALS_TO_END, ending_error, is_certain

if TYPE_CHECKING:
    from orvideo.api.values import Job
    from orvideo.deadline import Deadline

#: The shortest time between two polls of a job, in seconds (drill P11).
SHORTEST_PAUSE = 2.0
#: A job that was just accepted may not be known everywhere yet, for so many seconds (drill P02).
NOT_FOUND_GRACE = 60.0
#: The back-off after failed polls, in seconds (drill P01).
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
LONGEST_PAUSE = 10.0
GROWTH = 1.25
#: A Retry-After is obeyed up to this, in seconds, and never beyond what is left of the deadline (finding B01).
LONGEST_RETRY_AFTER = 600.0


def pauses(interval: float | None) -> Iterator[float]:
    """Yield the seconds between polls: growing ones, or always `interval`."""
    pause = SHORTEST_PAUSE if interval is None else max(interval, SHORTEST_PAUSE)
    while True:
        yield pause
        if interval is None:
            pause = min(pause * GROWTH, LONGEST_PAUSE)


class PollResult(NamedTuple):
    """The result of one poll: the job, or the error `missed` and, with `end`, the error that ends the polling.

    `next_in` is the time to the next poll in seconds, None after the last one.
    """

    job: Job | None = None
    missed: OrvideoError | None = None
    next_in: float | None = None
    first_unknown_status: bool = False
    end: OrvideoError | None = None


class PollSchedule:
    """Schedules the polls of one job; `due` is on the monotonic clock, `known`: the service has shown it before."""

    def __init__(
        self,
        deadline: Deadline,
        *,
        interval: float | None = None,
        known: bool = False,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock, self._deadline, self._known, self._jitter = deadline.clock, deadline, known, jitter
        self.due = self._began = self._clock.monotonic()
        self.failures = 0
        self._refusals = 0
        self._pauses = pauses(interval)
        self._unknown_words: set[str] = set()

    def succeeded(self, job: Job) -> PollResult:
        """Take the job from a poll, and schedule the next one unless it is final."""
        from orvideo.api.values import KNOWN_STATUSES

        self._known, self.failures, self._refusals = True, 0, 0
        if job.is_final:
            return PollResult(job)
        new_word = job.status not in KNOWN_STATUSES and job.status not in self._unknown_words
        if new_word and len(self._unknown_words) < 20:
            self._unknown_words.add(job.status)
        return PollResult(job, None, self._plan(next(self._pauses)), first_unknown_status=new_word)

    def failed(self, error: OrvideoError) -> PollResult:
        """Take the error of a failed poll, and schedule the next one or end the polling."""
        self.failures += 1
        end = ending_error(error)
        self._refusals = self._refusals + 1 if end is not None else 0
        grace = self._began + NOT_FOUND_GRACE - self._clock.monotonic()
        if isinstance(end, NotFetched) and not self._known and grace > 0:
            # It was accepted a moment ago; after the grace period one "not found" is enough.
            self._refusals = REFUSALS_TO_END
            return PollResult(None, error, self._plan(min(self._backoff(error), grace)))
        if end is not None and is_certain(end, self._refusals):
            return PollResult(None, error, end=end)
        return PollResult(None, error, self._plan(SHORTEST_PAUSE if end is not None else self._backoff(error)))

    def _backoff(self, error: OrvideoError) -> float:
        wait = backoff(self.failures, FIRST_BACKOFF, LONGEST_BACKOFF, self._jitter)
        asked = error.reply.retry_after if error.reply else None
        return wait if asked is None else max(wait, min(asked, LONGEST_RETRY_AFTER))

    def _plan(self, pause: float) -> float:
        """Schedule the next poll in `pause` seconds, or at the deadline if that is sooner; return the seconds."""
        now = self._clock.monotonic()
        self.due = now + self._deadline.left(max(pause, SHORTEST_PAUSE))
        return self.due - now
