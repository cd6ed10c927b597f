"""How long a piece of work may take, as a value that is handed down to whatever waits.

A deadline is over when its time has come or when somebody calls `cancel`, from any thread. What waits asks it, at
least once a `NAP`, how long it still may.
"""

from __future__ import annotations

from orvideo.clock import NAP, Clock


class Cancelled(BaseException):
    """The work is not wanted any more. Not an `Exception`: nothing on the way may take it for a failure."""


class Deadline:
    """The end of a piece of work: `at`, a reading of `clock.monotonic` (None: no limit), or a call to `cancel`.

    A part `of` another piece of work is cancelled with it.
    """

    def __init__(self, clock: Clock, at: float | None = None, of: Deadline | None = None) -> None:
        self.clock, self.at = clock, at
        self._of, self._is_cancelled = of, False

    @classmethod
    def after(cls, clock: Clock, seconds: float | None) -> Deadline:
        """Return the deadline that is `seconds` from now; None is no limit."""
        return cls(clock, None if seconds is None else clock.monotonic() + seconds)

    def later(self, seconds: float) -> Deadline:
        """Return the deadline that is so much later."""
        return Deadline(self.clock, None if self.at is None else self.at + seconds)

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled or (self._of is not None and self._of.is_cancelled)

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
        """End the work now: what waits stops waiting within a nap."""
        self._is_cancelled = True
