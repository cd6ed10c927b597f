"""Signals, made into one exception that a command can pass through cleanly (drills S01 to S09).

Outside a held section a signal raises `Interrupted` where the program stands. Inside one (the moment in which a
request is on the wire) the first signal only hurries the section up; a second one raises at once. While the program
is already on its way out, a further signal ends the process without any more clean-up: what must survive is on disk.
Before the command has begun there is nothing to clean up, and once it is settled how it ends, one signal is let pass:
nobody is left to catch an exception then.

Python drops what is raised in a finalizer or in the callback of a weak reference, the import system's own among them,
and a signal may come while one runs. Such a signal is raised once more, as soon as the finalizer is over.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: The signals that end a command, each with the exit code 128 + its number.
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

#: How long a finalizer that dropped a signal is given to be over before it is looked at again, in seconds.
_MOMENT = 0.005


class Interrupted(BaseException):
    """A signal asked the program to stop. Not an `Exception`: nothing on the way may swallow it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum

    @property
    def exit_code(self) -> int:
        return 128 + self.signum


class Interrupts:
    """Turns the ending signals into `Interrupted`; the handlers are in place only inside `installed()`."""

    def __init__(self, exit_now: Callable[[int], object]) -> None:
        self._exit_now = exit_now
        self._hurry: Callable[[], None] | None = None
        self._held: int | None = None
        self._raised: int | None = None
        self._begun = False
        self._settled = False
        self._ending = False
        self._in_finalizer = False
        self._report_unraisable = sys.unraisablehook

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the ending signals for the time of a command; elsewhere than in the main thread, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # A signal that is ignored on purpose stays ignored: `nohup orvideo wait ID` must outlive its terminal.
        before = {number: signal.getsignal(number) for number in ENDING}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._receive)
        self._report_unraisable, sys.unraisablehook = sys.unraisablehook, self._take_unraisable
        try:
            yield
        finally:
            sys.unraisablehook = self._report_unraisable
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)

    def begin(self) -> None:
        """From here on a signal raises `Interrupted`; the caller catches it."""
        self._begun = True

    def settle(self) -> None:
        """From here on nothing is raised any more: how the command ends is known, and is only to be said."""
        self._settled = True

    @contextmanager
    def held(self, hurry: Callable[[], None]) -> Iterator[None]:
        """Hold the first signal back until the section is over, calling `hurry` so that it is over soon (drill S02).

        A signal that was raised already, and that something on the way has dropped, lets nobody in.
        """
        if self._raised is not None:
            raise Interrupted(self._raised)
        self._hurry, self._held = hurry, None
        try:
            yield
        finally:
            self._hurry = None
        if self._held is not None:
            self._end(self._held)

    @property
    def pending(self) -> int | None:
        """The signal that has come but did not end the command as `Interrupted`, None when there is none.

        A held section has put it off, or something on the way made another exception of it: Python itself does that
        to whatever is raised while a class is being made.
        """
        return self._held if self._raised is None else self._raised

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._ending or not self._begun:
            self._exit_now(128 + signum)
            return
        if self._settled:
            self._ending = True
            return
        if self._hurry is not None and self._held is None:
            self._held = signum
            self._hurry()
            return
        self._end(signum)

    def _end(self, signum: int) -> None:
        self._hurry = None
        self._ending, self._raised = True, signum
        raise Interrupted(signum)

    def _take_unraisable(self, dropped: UnraisableHookArgs) -> None:
        """Send a signal again whose exception Python is about to drop; leave anything else to the hook before."""
        if not isinstance(dropped.exc_value, Interrupted):
            self._report_unraisable(dropped)
            return
        self._in_finalizer = True
        threading.Thread(target=self._send_again, args=(dropped.exc_value.signum,), daemon=True).start()
        # The last that is done here: a signal that comes any earlier would be dropped as well.
        self._in_finalizer = False

    def _send_again(self, signum: int) -> None:
        """Send a signal to the main thread, in a thread of its own, once the main thread is out of the finalizer."""
        time.sleep(_MOMENT)
        while self._in_finalizer:
            time.sleep(_MOMENT)
        self._ending = False
        if hasattr(signal, "pthread_kill"):
            # Wakes the main thread where it waits.
            signal.pthread_kill(threading.main_thread().ident or 0, signum)
        else:
            signal.raise_signal(signum)
