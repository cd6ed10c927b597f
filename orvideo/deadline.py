"""How long a piece of work may take, as a value that is handed down to whatever waits.

A deadline is over when its time has come or when somebody calls `cancel`, from any thread. What waits asks it how long
it still may (`left`, `sleep`); what cannot ask, because it is stuck in a socket, is ended from outside (`guard`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orvideo.clock import NAP, Clock


class Deadline:
    """The end of a piece of work: `at`, a reading of `clock.monotonic` (None: no limit), or a call to `cancel`."""

    def __init__(self, clock: Clock, at: float | None = None) -> None:
        self.clock, self.at = clock, at
        self.is_cancelled = False
        self._guards: list[Guard] = []

    @classmethod
    def after(cls, clock: Clock, seconds: float | None) -> Deadline:
        """Return the deadline that is `seconds` from now; None is no limit."""
        return cls(clock, None if seconds is None else clock.monotonic() + seconds)

    @property
    def is_over(self) -> bool:
        return self.is_cancelled or (self.at is not None and self.clock.monotonic() >= self.at)

    def left(self, most: float) -> float:
        """Return how many seconds a wait may take that would take `most` without a deadline; 0.0 when it is over."""
        if self.is_cancelled:
            return 0.0
        return most if self.at is None else max(0.0, min(most, self.at - self.clock.monotonic()))

    def sleep(self, seconds: float) -> None:
        """Sleep, and no longer than to the deadline; a `cancel` is heard within a nap."""
        until = self.clock.monotonic() + seconds
        while (nap := self.left(min(NAP, until - self.clock.monotonic()))) > 0:
            self.clock.sleep(nap)

    def cancel(self) -> None:
        """End the work now: what waits stops waiting, what is guarded is cut."""
        self.is_cancelled = True
        for guard in list(self._guards):
            guard.fire()

    @contextmanager
    def guard(self, cut: Callable[[], None], most: float | None = None) -> Iterator[Guard]:
        """Call `cut` once, from another thread, at the deadline, or when `most` seconds pass without a `renew`."""
        guard = Guard(self, cut, most)
        self._guards.append(guard)
        _watch(guard)
        try:
            if self.is_cancelled:
                guard.fire()
            yield guard
        finally:
            _unwatch(guard)
            self._guards.remove(guard)


class Guard:
    """Ends one blocking call from outside; `fired` says that it did."""

    def __init__(self, deadline: Deadline, cut: Callable[[], None], most: float | None) -> None:
        self.fired = False
        self._deadline, self._cut, self._most = deadline, cut, most
        self.due = float("inf")
        self.renew()

    def renew(self) -> None:
        """Begin to count the idle seconds anew: something has come."""
        clock, at = self._deadline.clock, self._deadline.at
        idle = float("inf") if self._most is None else clock.monotonic() + self._most
        self.due = min(idle, float("inf") if at is None else at)

    def is_due(self) -> bool:
        return self._deadline.clock.monotonic() >= self.due

    def fire(self) -> None:
        if not self.fired:
            self.fired = True
            self._cut()


#: How often the guards are looked at, in seconds.
_EVERY = 0.1
_guards: set[Guard] = set()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def _watch(guard: Guard) -> None:
    global _thread
    if guard.due == float("inf"):
        return
    with _lock:
        _guards.add(guard)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_look_on, name="orvideo-deadlines", daemon=True)
            _thread.start()


def _unwatch(guard: Guard) -> None:
    with _lock:
        _guards.discard(guard)


def _look_on() -> None:
    """Fire what is due; one thread for the process, which ends when nothing is left to guard."""
    global _thread
    pause = threading.Event()
    idle = 0
    while True:
        with _lock:
            guards = list(_guards)
            idle = 0 if guards else idle + 1
            if idle > 20:
                _thread = None
                return
        for guard in guards:
            if not guard.fired and guard.is_due():
                guard.fire()
        pause.wait(_EVERY)
