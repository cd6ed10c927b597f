"""A rate limiter for submits, which works like a circuit breaker.

Every attempt of a submit needs a permit. After a refusal there are none for as long as the service asked; then one
submit is let through as a probe, and the others only when it was accepted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import NotSent


class SubmitsStopped(NotSent):
    """The run submits no more jobs; nothing was sent."""


class RateLimiter:
    """Permits submits, from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._condition = threading.Condition()
        self._resumes_at = 0.0
        #: Whether no submit was accepted since the last refusal; then only the thread `_probe` may submit.
        self._is_half_open = False
        self._probe: int | None = None
        self._is_stopped = False
        self._hurries: list[Callable[[], None]] = []
        self._pauses: list[Deadline] = []

    @contextmanager
    def permit(self, hurry: Callable[[], None], deadline: Deadline) -> Iterator[None]:
        """Wait until a submit may be sent; `hurry` is called where it must end soon.

        Raises SubmitsStopped after `stop`, and NotSent when the deadline comes first.
        """
        self._wait_for_permit(hurry, deadline)
        try:
            yield
        finally:
            with self._condition:
                self._hurries.remove(hurry)

    def pause(self, seconds: float) -> None:
        """Permit no submit for so many seconds, after a refusal; ends this thread's turn as the probe."""
        with self._condition:
            self._resumes_at = max(self._resumes_at, self._clock.monotonic() + seconds)
            self._is_half_open = True
            self._release_probe()

    def submit_ended(self, *, refused: bool) -> None:
        """End this thread's submit; if it was the probe, all may submit unless it was refused for now."""
        with self._condition:
            if self._probe == threading.get_ident():
                self._is_half_open = refused
            self._release_probe()

    def sleep(self, seconds: float) -> None:
        """Sleep until `stop` at most."""
        pause = Deadline(self._clock)
        self._pauses.append(pause)
        try:
            if not self._is_stopped:
                pause.sleep(seconds)
        finally:
            self._pauses.remove(pause)

    def stop(self) -> None:
        """Permit no submit any more; waiting ones raise SubmitsStopped."""
        with self._condition:
            self._is_stopped = True
            self._condition.notify_all()
        for pause in list(self._pauses):
            pause.cancel()

    def hurry(self) -> None:
        """End the submits that are being sent soon; takes no lock, so that a signal handler may call it."""
        for hurry in list(self._hurries):
            hurry()

    def _wait_for_permit(self, hurry: Callable[[], None], deadline: Deadline) -> None:
        me = threading.get_ident()
        with self._condition:
            while True:
                if self._is_stopped:
                    raise SubmitsStopped("Nothing more is started; this was not submitted.")
                left = self._resumes_at - self._clock.monotonic()
                if left <= 0 and not (self._is_half_open and self._probe not in (None, me)):
                    break
                if deadline.is_over:
                    raise NotSent("The time limit ended before the service took a request again; nothing was sent.")
                self._condition.wait(deadline.left(left if left > 0 else 1.0))
            if self._is_half_open:
                self._probe = me
            self._hurries.append(hurry)

    def _release_probe(self) -> None:
        if self._probe == threading.get_ident():
            self._probe = None
        self._condition.notify_all()
