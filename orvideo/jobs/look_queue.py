"""Which job is looked at next, of many: a heap, a limit of looks a second, and the pauses that a service asked for."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from orvideo.clock import Clock
from orvideo.errors import OrvideoError, RateLimited

if TYPE_CHECKING:
    from orvideo.jobs.task import Task
    from orvideo.record.values import Record

#: Looks that were not made in the last while may be caught up with at once, in seconds' worth of them.
_BURST = 0.2
#: When a limit of the key is met, nobody asks for this long at the most, in seconds.
_LONGEST_SHARED_PAUSE = 60.0


class _Due(NamedTuple):
    """A look that is due. The number is given once, so that ties never compare what follows it."""

    when: float
    number: int
    task: Task


class LookQueue:
    """When which job is looked at: a heap, a limit of looks a second, and pauses that an endpoint asked for.

    A limit of the key is shared by all jobs of an endpoint, a limit of one job is its own (finding B01): it is the
    key's when two jobs meet it one after the other.
    """

    def __init__(self, clock: Clock, most_per_second: float) -> None:
        self._clock, self._apart = clock, 1 / most_per_second
        self._heap: list[_Due] = []
        self._numbers = itertools.count()
        self._not_before = 0.0
        self._limited: dict[str, int] = {}
        self._closed_until: dict[str, float] = {}

    def add(self, task: Task, due: float) -> None:
        heapq.heappush(self._heap, _Due(due, next(self._numbers), task))

    def next_due(self, *, room: bool) -> float:
        """Return when the next look is due, a reading of the monotonic clock; never, where there is no room for it."""
        return max(self._heap[0].when, self._not_before) if self._heap and room else float("inf")

    def due(self, most: int) -> Iterator[Task]:
        """Yield up to `most` jobs that are to be looked at now."""
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

    def missed(self, record: Record, error: OrvideoError) -> None:
        """Note an error of a look: a second job in a row that is told to wait makes all of them wait."""
        if not isinstance(error, RateLimited):
            return
        asked = error.reply.retry_after if error.reply and error.reply.retry_after is not None else 1.0
        if self._limited.get(record.endpoint, record.seq) != record.seq:
            until = self._clock.monotonic() + min(asked, _LONGEST_SHARED_PAUSE)
            self._closed_until[record.endpoint] = max(self._closed_until.get(record.endpoint, 0.0), until)
        self._limited[record.endpoint] = record.seq

    def answered(self, record: Record) -> None:
        self._limited.pop(record.endpoint, None)
        self._closed_until.pop(record.endpoint, None)

    def _opens(self, task: Task) -> float:
        """Return when a job may be looked at for the sake of the others, and never later than its own deadline."""
        closed = self._closed_until.get(task.on_record.endpoint, 0.0)
        at = task.deadline.at if task.deadline is not None else None
        return closed if at is None else min(closed, at)
