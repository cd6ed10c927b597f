"""How long the waits of one exchange with a server may be: the limit of its phase, and the caller's deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

from orvideo.deadline import Deadline

T = TypeVar("T")


class ExchangeTimer:
    """Limits how long one exchange waits: to the end of its current phase, and never beyond the caller's deadline.

    `seconds` is the time spent waiting for the network so far, in real time whatever clock the deadline uses; the time
    that the caller takes in between does not count.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.seconds = 0.0
        #: Whether a connection was opened or tried; otherwise a kept one was used.
        self.has_connected = False
        self._until = self._hurry_by = math.inf
        self._min_rate: tuple[float, int] | None = None
        self._window_seconds, self._window_bytes = 0.0, 0

    @property
    def is_over(self) -> bool:
        return self._left(1.0) <= 0

    def begin_phase(self, seconds: float | None, min_rate: tuple[float, int] | None = None) -> None:
        """Begin a phase that may take `seconds`; None is no limit of its own.

        `min_rate` is a window in seconds and the bytes a second that must move in it; less is a timeout (drill D11).
        """
        self._until = math.inf if seconds is None else self.seconds + seconds
        self._min_rate = min_rate
        self._window_seconds, self._window_bytes = self.seconds, 0

    def hurry(self, seconds: float) -> None:
        """End the exchange within `seconds`. May be called from a signal handler and from any thread."""
        self._hurry_by = self.seconds + seconds

    def until_done(self, attempt: Callable[[], T], most: float | None) -> T:
        """Repeat `attempt`, which raises TimeoutError after about a `NAP`, until it returns; return its result.

        Raises TimeoutError after `most` seconds, at the end of the phase, and at the deadline.
        """
        left = math.inf if most is None else most
        while self._left(left) > 0:
            began = time.monotonic()
            try:
                return attempt()
            except TimeoutError as error:
                if error.errno is not None:  # the system's own
                    raise
            finally:
                took = time.monotonic() - began
                self.seconds += took
                left -= took
        raise TimeoutError

    def count_bytes(self, count: int) -> None:
        """Count bytes; raises TimeoutError where they are fewer than the minimum rate allows."""
        self._window_bytes += count
        if self._min_rate is None:
            return
        waited = self.seconds - self._window_seconds
        if waited >= self._min_rate[0]:
            if self._window_bytes < self._min_rate[1] * waited:
                raise TimeoutError
            self._window_seconds, self._window_bytes = self.seconds, 0

    def _left(self, most: float) -> float:
        return self.deadline.left(max(0.0, min(most, self._until - self.seconds, self._hurry_by - self.seconds)))
