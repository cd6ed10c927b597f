"""A deadline, passed as a parameter to everything that waits.

It is over at its time, or when any thread calls `cancel`. Whatever waits checks it at least every `MAX_WAIT` seconds.
"""

from __future__ import annotations

from orvideo.clock import MAX_WAIT, Clock


class Cancelled(BaseException):
    """The work was cancelled. It is no `Exception`, so that no handler takes it for a failure."""


class Deadline:
    """The latest end of some work: `at`, in the time of `clock.monotonic` (None: no limit), or a call to `cancel`.

    A part `of` another piece of work is cancelled with it.
    """

    def __init__(self, clock: Clock, at: float | None = None, of: Deadline | None = None) -> None:
        self.clock, self.at = clock, at
        self._of, self._is_cancelled = of, False

    @classmethod
    def after(cls, clock: Clock, seconds: float | None) -> Deadline:
        """Return the deadline `seconds` from now; None is no limit."""
        return cls(clock, None if seconds is None else clock.monotonic() + seconds)

    def later(self, seconds: float) -> Deadline:
        """Return the deadline that is so much later, and is cancelled with this one."""
        return Deadline(self.clock, None if self.at is None else self.at + seconds, of=self)

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled or (self._of is not None and self._of.is_cancelled)

    @property
    def is_over(self) -> bool:
        return self.is_cancelled or (self.at is not None and self.clock.monotonic() >= self.at)

    def left(self, most: float) -> float:
        """Return the seconds left, at most `most`; 0.0 when the deadline is over."""
        if self.is_cancelled:
            return 0.0
        return most if self.at is None else max(0.0, min(most, self.at - self.clock.monotonic()))

    def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the deadline, and at most `MAX_WAIT` after `cancel`."""
        until = self.clock.monotonic() + seconds
        while (pause := self.left(min(MAX_WAIT, until - self.clock.monotonic()))) > 0:
            self.clock.sleep(pause)

    def cancel(self) -> None:
        """End the work: whatever waits stops within `MAX_WAIT` seconds."""
        self._is_cancelled = True
