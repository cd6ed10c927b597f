"""Which of many jobs is polled next: a heap, a rate limit, and the pauses that a service asked for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from orvideo.clock import Clock
from orvideo.errors import OrvideoError, RateLimited

if TYPE_CHECKING:
    from orvideo.jobs.task import Task
    from orvideo.record.values import Place, Record

#: How many seconds' worth of polls may be made at once after a delay.
_BURST = 0.2
#: The longest pause of all polls with a key after a limit of the key, in seconds.
_LONGEST_SHARED_PAUSE = 60.0


class _Due(NamedTuple):
    """A scheduled poll; the number is unique, so that tasks are never compared."""

    when: float
    number: int
    task: Task


class PollQueue:
    """The scheduled polls of all jobs.

    A rate limit of one job holds for that job; when a second job in a row is refused, it is a limit of the key and
    holds for all jobs that are asked for with it (finding B01).
    """

    def __init__(self, clock: Clock, max_per_second: float) -> None:
        self._clock, self._apart = clock, 1 / max_per_second
        self._heap: list[_Due] = []
        self._numbers = itertools.count()
        self._not_before = 0.0
        self._limited: dict[Place, int] = {}
        self._closed_until: dict[Place, float] = {}

    def add(self, task: Task, due: float) -> None:
        heapq.heappush(self._heap, _Due(due, next(self._numbers), task))

    def next_due(self, *, room: bool) -> float:
        """Return when the next poll is due on the monotonic clock; infinity without room for it."""
        return max(self._heap[0].when, self._not_before) if self._heap and room else float("inf")

    def due(self, most: int) -> Iterator[Task]:
        """Yield up to `most` jobs that are to be polled now."""
        now = self._clock.monotonic()
        while most > 0 and self._heap and max(self._heap[0].when, self._not_before) <= now:
            task = heapq.heappop(self._heap).task
            opens = self._opens(task)
            if opens > now:
                self.add(task, opens)
                continue
            self._not_before = max(self._not_before + self._apart, now - _BURST)
            most -= 1
            yield task

    def failed(self, record: Record, error: OrvideoError) -> None:
        """Note a failed poll; a second job in a row that is refused for now makes all jobs of the place wait."""
        if not isinstance(error, RateLimited):
            return
        asked = error.reply.retry_after if error.reply and error.reply.retry_after is not None else 1.0
        if self._limited.get(record.place, record.seq) != record.seq:
            until = self._clock.monotonic() + min(asked, _LONGEST_SHARED_PAUSE)
            self._closed_until[record.place] = max(self._closed_until.get(record.place, 0.0), until)
        self._limited[record.place] = record.seq

    def succeeded(self, record: Record) -> None:
        self._limited.pop(record.place, None)
        self._closed_until.pop(record.place, None)

    def _opens(self, task: Task) -> float:
        """Return when the place may be polled again, but not later than the job's own deadline."""
        closed = self._closed_until.get(task.on_record.place, 0.0)
        at = task.deadline.at if task.deadline is not None else None
        return closed if at is None else min(closed, at)
