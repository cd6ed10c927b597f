"""Following a job to its end: when to look, what a look means, and when to stop looking.

`Following` is the life of one wait without any input or output, `follow` drives one of them, `Schedule` drives
hundreds with one heap and a few threads. The only module that sleeps between states.
"""

from __future__ import annotations

import gc
import heapq
import queue
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from orvideo.clock import Clock
from orvideo.errors import (
    AuthError,
    BadReply,
    Forbidden,
    Gone,
    MoneyError,
    NotFetched,
    NotFound,
    OrvideoError,
    StillRunning,
    Unavailable,
    Unsafe,
)

if TYPE_CHECKING:
    from orvideo.api.schemas import Job

#: No service is looked at more often than this, whatever it says (drill P11).
SHORTEST_PAUSE = 2.0
#: A job that was just accepted may not be known everywhere yet (drill P02).
NOT_FOUND_GRACE = 60.0
#: Backing off after missed looks, in seconds (drill P01).
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 60.0
LONGEST_PAUSE = 10.0
#: All jobs together are not looked at more often than this: a thousand of them every five seconds, with room to catch
#: up; more jobs wait longer for their turn instead.
MOST_LOOKS_PER_SECOND = 250.0
#: So many looks may be on their way at once: 200 a second at a service that takes a tenth of a second, and half more.
MOST_WORKERS = 32
GROWTH = 1.25
#: Looks that were not made in the last while may be caught up with at once, in seconds' worth of them.
_BURST = 0.2


def pauses(interval: float | None) -> Iterator[float]:
    """Yield the seconds between looks: soon at first and then further apart, or always `interval`."""
    pause = SHORTEST_PAUSE if interval is None else max(interval, SHORTEST_PAUSE)
    while True:
        yield pause
        if interval is None:
            pause = min(pause * GROWTH, LONGEST_PAUSE)


class Look(NamedTuple):
    """One look at a job, for whoever tells the story: the job, or why it was not seen, and when the next look is."""

    job: Job | None
    missed: OrvideoError | None
    next_in: float | None
    first_unknown_status: bool = False


@dataclass(eq=False, repr=False)
class Following:
    """One job being followed: it is told what each look brought and says when the next one is due.

    `deadline` and `due` are readings of the monotonic clock, in seconds; `found` says that the service is known to
    know the job, so that a 404 needs no patience.
    """

    job_id: str
    endpoint: str
    clock: Clock
    interval: float | None = None
    deadline: float | None = None
    found: bool = False
    jitter: Callable[[float, float], float] = random.uniform
    due: float = field(init=False)
    status: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.due = self._began = self.clock.monotonic()
        self._pauses = pauses(self.interval)
        self._missed_in_a_row = 0
        self._words_seen: set[str] = set()

    def saw(self, job: Job) -> Look:
        """Take in what the service said, and plan the next look when the job is not at its end."""
        from orvideo.api.schemas import KNOWN_STATUSES

        self.found, self._missed_in_a_row, self.status = True, 0, job.status
        new_word = job.status not in KNOWN_STATUSES and job.status not in self._words_seen
        self._words_seen.add(job.status)
        if job.is_final:
            return Look(job, None, None)
        return Look(job, None, self._plan(next(self._pauses)), first_unknown_status=new_word)

    def missed(self, error: OrvideoError) -> Look:
        """Take in a look that brought nothing: plan another one, or raise where looking again cannot help.

        Raises AuthError (drill P03), Unsafe (P10), BadReply (P08), NotFetched (P02): each with the id.
        """
        if isinstance(error, AuthError | Unsafe | BadReply):
            raise error
        if isinstance(error, Forbidden | MoneyError):
            # The job is bought already: what is refused now is the key, not the price.
            raise AuthError(error.message, hint=error.hint, charged="yes", reply=error.reply) from error
        if isinstance(error, NotFound | Gone):
            if self.found or self.clock.monotonic() - self._began >= NOT_FOUND_GRACE:
                raise NotFetched(
                    f"The service does not know job {self.job_id}: {error.message}",
                    charged="unknown",
                    reply=error.reply,
                ) from error
        elif not isinstance(error, Unavailable):
            raise error
        self._missed_in_a_row += 1
        return Look(None, error, self._plan(self._backoff(error)))

    def give_up_if_late(self) -> None:
        """Raise StillRunning when the deadline has passed: an end of patience, never a failure (drill M31)."""
        if self.deadline is not None and self.clock.monotonic() >= self.deadline:
            seen = f"last seen as {self.status}" if self.status else "not seen yet"
            raise StillRunning(f"Job {self.job_id} is still running ({seen}); it is paid for and goes on.")

    def _backoff(self, error: OrvideoError) -> float:
        ceiling = min(FIRST_BACKOFF * 2 ** (self._missed_in_a_row - 1), LONGEST_BACKOFF)
        wait = self.jitter(ceiling / 2, ceiling)
        asked = error.reply.retry_after if error.reply else None
        return wait if asked is None else max(wait, asked)

    def _plan(self, pause: float) -> float:
        """Set the next look `pause` seconds ahead, or at the deadline when that comes first: one last look is owed."""
        now = self.clock.monotonic()
        self.due = now + max(pause, SHORTEST_PAUSE)
        if self.deadline is not None:
            self.due = min(self.due, max(self.deadline, now))
        return self.due - now


def follow(
    following: Following,
    look: Callable[[Following], Job],
    *,
    tell: Callable[[Look], None],
    tick: Callable[[], None] = lambda: None,
) -> Job:
    """Look at one job until it is at its end, and return it as it is then, whatever that end is.

    `tell` hears of every look; `tick` runs about four times a second while nothing happens. Raises StillRunning at
    the deadline and whatever `Following.missed` raises.
    """
    while True:
        try:
            seen = following.saw(look(following))
        except OrvideoError as error:
            seen = following.missed(error)
        tell(seen)
        if seen.job is not None and seen.job.is_final:
            return seen.job
        following.give_up_if_late()
        _sleep_until(following.due, following.clock, tick)


def _sleep_until(due: float, clock: Clock, tick: Callable[[], None]) -> None:
    """Sleep in short naps, so that a live line keeps moving and a signal is heard at once."""
    while (left := due - clock.monotonic()) > 0:
        clock.sleep(min(left, 0.25))
        tick()


#: What a worker thread is given to look with: made once a thread, closed when the thread ends.
Connect = Callable[[], "Looker"]


class Looker(Protocol):
    """What one thread looks with: asks the service that a job lives at, and lets its connections go at the end."""

    def look(self, following: Following) -> Job: ...

    def close(self) -> None: ...


Key = TypeVar("Key")


class _Due(NamedTuple, Generic[Key]):
    """When a job is looked at next. A number is given once, so that nothing after it is ever compared."""

    when: float
    number: int
    key: Key
    following: Following


class Outcome(NamedTuple, Generic[Key]):
    """What happened to one of many: a look, and at the end the job, or the error that ended the wait."""

    key: Key
    look: Look | None
    job: Job | None = None
    error: OrvideoError | None = None

    @property
    def is_end(self) -> bool:
        return self.job is not None or self.error is not None


class Schedule(Generic[Key]):
    """Many jobs followed by one schedule: a heap of looks that are due, and a few threads that take them (drill P12).

    The looks are made by up to `workers` threads, each with a `Looker` of its own and started when all others are
    busy; what they bring is handled by the one thread that iterates over `outcomes()`, so nothing above needs a lock.
    A Retry-After that one look was given holds all of them back: the limit is the key's, not the job's.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        clock: Clock,
        workers: int = MOST_WORKERS,
        most_per_second: float = MOST_LOOKS_PER_SECOND,
    ) -> None:
        # Each look and each download leaves cycles behind, in the HTTP library: with many of them they are to be found
        # sooner than in a short command, which never looks for any (`__main__`). What is here already stays: it need
        # not be looked through, and does not make the collector wait for as much again.
        gc.freeze()
        gc.set_threshold(5_000, 10, 10)
        self._connect, self._clock = connect, clock
        self._apart = 1 / most_per_second
        self._due: list[_Due[Key]] = []
        self._todo: queue.SimpleQueue[_Due[Key] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[_Due[Key], Job | BaseException] | None] = queue.SimpleQueue()
        self._in_hand = 0
        self._number = 0
        self._not_before = 0.0
        self._workers = workers
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return len(self._due) + self._in_hand

    def add(self, key: Key, following: Following) -> None:
        """Follow one more job, from its `due` on."""
        self._number += 1
        heapq.heappush(self._due, _Due(following.due, self._number, key, following))

    def step(self, patience: float) -> Iterator[Outcome[Key]]:
        """Hand out the looks that are due, wait at most `patience` seconds, and yield what came back."""
        now = self._clock.monotonic()
        while self._due and max(self._due[0].when, self._not_before) <= now:
            self._in_hand += 1
            self._not_before = max(self._not_before + self._apart, now - _BURST)
            self._todo.put(heapq.heappop(self._due))
            if len(self._threads) < min(self._workers, self._in_hand):
                thread = threading.Thread(target=self._work, name=f"look-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        if self._due:
            patience = min(patience, max(0.0, max(self._due[0].when, self._not_before) - now))
        try:
            done = self._done.get(timeout=patience)
            while done is not None:
                self._in_hand -= 1
                yield self._judge(*done)
                done = self._done.get_nowait()
        except queue.Empty:
            return

    def wake(self) -> None:
        """End the `step` that is waiting now: something else has happened. From any thread."""
        self._done.put(None)

    def outcomes(self, tick: Callable[[], None] = lambda: None) -> Iterator[Outcome[Key]]:
        """Yield every outcome until all jobs are at their end; `tick` runs a few times a second."""
        while len(self):
            yield from self.step(0.25)
            tick()

    def close(self) -> None:
        """Let the threads go; a look that is under way ends by itself in its own time."""
        for _ in self._threads:
            self._todo.put(None)
        self._threads.clear()

    def _judge(self, due: _Due[Key], brought: Job | BaseException) -> Outcome[Key]:
        following = due.following
        try:
            if isinstance(brought, OrvideoError):
                look = following.missed(brought)
                asked = brought.reply.retry_after if brought.reply else None
                if asked is not None:
                    self._not_before = max(self._not_before, self._clock.monotonic() + asked)
            elif isinstance(brought, BaseException):
                raise brought
            else:
                look = following.saw(brought)
            if look.job is not None and look.job.is_final:
                return Outcome(due.key, look, job=look.job)
            following.give_up_if_late()
        except OrvideoError as error:
            return Outcome(due.key, None, error=error)
        self.add(due.key, following)
        return Outcome(due.key, look)

    def _work(self) -> None:
        looker: Looker | None = None
        try:
            while (due := self._todo.get()) is not None:
                try:
                    looker = looker or self._connect()
                    self._done.put((due, looker.look(due.following)))
                except BaseException as error:  # handed to the thread that judges, never swallowed
                    self._done.put((due, error))
        finally:
            if looker is not None:
                looker.close()
