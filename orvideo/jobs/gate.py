"""One answer for all to a service that says "not now": nobody submits before it said, and then one goes first.

Every submit passes here, before it is sent and again before each further try. A refusal closes the gate for as long
as the service asked; after that a single submit is let through, and only when it is taken the others follow. So a
limit is met by one request and not by a herd.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import NotSent, OrvideoError


class Closed(NotSent):
    """No more is to be submitted; nothing was sent."""


class Gate:
    """Lets submits through, from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._change = threading.Condition()
        self._opens_at = 0.0
        #: Since the last refusal nothing was taken; the thread that tries it is the only one that may.
        self._on_trial = False
        self._probe: int | None = None
        self._shut = False
        self._on_the_wire: list[Callable[[], None]] = []
        self._pauses: list[Deadline] = []

    @contextmanager
    def hold(self, hurry: Callable[[], None], deadline: Deadline) -> Iterator[None]:
        """Wait until a submit may go, and know of it while it is under way.

        Raises Closed once the gate is shut, and NotSent when the deadline comes first.
        """
        self._enter(hurry, deadline)
        try:
            yield
        finally:
            with self._change:
                self._on_the_wire.remove(hurry)

    def waiting(self, error: OrvideoError, seconds: float) -> None:
        """Close for as long as the service asked."""
        with self._change:
            self._opens_at = max(self._opens_at, self._clock.monotonic() + seconds)
            self._on_trial = True
            self._leave()

    def settled(self, *, refused: bool) -> None:
        """Know that this thread's submit is over; unless it was refused for now, the way is free for all."""
        with self._change:
            if self._probe == threading.get_ident():
                self._on_trial = refused
            self._leave()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not on after the gate is shut."""
        pause = Deadline(self._clock)
        self._pauses.append(pause)
        try:
            if not self._shut:
                pause.sleep(seconds)
        finally:
            self._pauses.remove(pause)

    def shut(self) -> None:
        """Let nobody through any more; who waits is sent away."""
        with self._change:
            self._shut = True
            self._change.notify_all()
        for pause in list(self._pauses):
            pause.cancel()

    def hurry(self) -> None:
        """Bring what is on the wire to its end soon; safe in a signal handler, which must not wait for a lock."""
        for hurry in list(self._on_the_wire):
            hurry()

    def _enter(self, hurry: Callable[[], None], deadline: Deadline) -> None:
        me = threading.get_ident()
        with self._change:
            while True:
                if self._shut:
                    raise Closed("Nothing more is started; this was not submitted.")
                left = self._opens_at - self._clock.monotonic()
                if left <= 0 and not (self._on_trial and self._probe not in (None, me)):
                    break
                if deadline.is_over:
                    raise NotSent("The time limit ended before the service took a request again; nothing was sent.")
                self._change.wait(deadline.left(left if left > 0 else 1.0))
            if self._on_trial:
                self._probe = me
            self._on_the_wire.append(hurry)

    def _leave(self) -> None:
        if self._probe == threading.get_ident():
            self._probe = None
        self._change.notify_all()
