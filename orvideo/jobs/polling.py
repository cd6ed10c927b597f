"""When a job is looked at next: soon at first and then further apart, backing off where a look brought nothing.

Nothing here waits, asks or prints: a `Poll` is told what each look brought and says when the next one is due.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import NotFetched, OrvideoError
from orvideo.jobs.judgement import CERTAIN, could_end, is_certain

if TYPE_CHECKING:
    from orvideo.api.schemas import Job
    from orvideo.deadline import Deadline

#: No service is looked at more often than this, whatever it says, in seconds (drill P11).
SHORTEST_PAUSE = 2.0
#: A job that was just accepted may not be known everywhere yet, for so many seconds (drill P02).
NOT_FOUND_GRACE = 60.0
#: Backing off after missed looks, in seconds (drill P01).
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
LONGEST_PAUSE = 10.0
GROWTH = 1.25
#: A Retry-After is obeyed up to this, in seconds, and never beyond what is left of the deadline (finding B01).
LONGEST_RETRY_AFTER = 600.0


def pauses(interval: float | None) -> Iterator[float]:
    """Yield the seconds between looks: soon at first and then further apart, or always `interval`."""
    pause = SHORTEST_PAUSE if interval is None else max(interval, SHORTEST_PAUSE)
    while True:
        yield pause
        if interval is None:
            pause = min(pause * GROWTH, LONGEST_PAUSE)


class Look(NamedTuple):
    """What one look brought: the job, or why it was missed and, with `end`, why there is no use in another one.

    `next_in` is in seconds; None after the last look.
    """

    job: Job | None = None
    missed: OrvideoError | None = None
    next_in: float | None = None
    first_unknown_status: bool = False
    end: OrvideoError | None = None


class Poll:
    """One job being looked at: `due` is on the monotonic clock; `known` says that the service has shown it before."""

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
        self.misses = 0
        self._refusals = 0
        self._pauses = pauses(interval)
        self._unknown_words: set[str] = set()

    def saw(self, job: Job) -> Look:
        """Take in what the service said, and plan the next look when the job is not at its end."""
        from orvideo.api.schemas import KNOWN_STATUSES

        self._known, self.misses, self._refusals = True, 0, 0
        if job.is_final:
            return Look(job)
        new_word = job.status not in KNOWN_STATUSES and job.status not in self._unknown_words
        if new_word and len(self._unknown_words) < 20:
            self._unknown_words.add(job.status)
        return Look(job, None, self._plan(next(self._pauses)), first_unknown_status=new_word)

    def missed(self, error: OrvideoError) -> Look:
        """Take in a look that brought nothing: plan another one, or say why there is no use in it."""
        self.misses += 1
        end = could_end(error)
        self._refusals = self._refusals + 1 if end is not None else 0
        grace = self._began + NOT_FOUND_GRACE - self._clock.monotonic()
        if isinstance(end, NotFetched) and not self._known and grace > 0:
            # It was accepted a moment ago: from the end of the grace on, "not found" is believed at once.
            self._refusals = CERTAIN
            return Look(None, error, self._plan(min(self._backoff(error), grace)))
        if end is not None and is_certain(end, self._refusals):
            return Look(None, error, end=end)
        return Look(None, error, self._plan(SHORTEST_PAUSE if end is not None else self._backoff(error)))

    def _backoff(self, error: OrvideoError) -> float:
        ceiling = min(FIRST_BACKOFF * 2 ** min(self.misses - 1, 10), LONGEST_BACKOFF)
        wait = self._jitter(ceiling / 2, ceiling)
        asked = error.reply.retry_after if error.reply else None
        return wait if asked is None else max(wait, min(asked, LONGEST_RETRY_AFTER))

    def _plan(self, pause: float) -> float:
        """Set the next look `pause` seconds ahead, or at the deadline when that comes first: one last look is owed."""
        now = self._clock.monotonic()
        self.due = now + self._deadline.left(max(pause, SHORTEST_PAUSE))
        return self.due - now
