"""Signals as one exception, which ends a command cleanly (drills S01 to S09).

A signal raises `Interrupted` in the main thread. Within `deferred` (while a request may be on the wire) the first
signal calls a function instead, and raises at the end of the block; a second one raises at once. Any signal after
`Interrupted` was raised, or before `start_raising`, ends the process at once: what must survive is on disk. After
`stop_raising` nobody catches an exception any more, so the first signal is ignored.

Python drops an exception that is raised in a finalizer or in the callback of a weak reference, also in those of the
import system. A signal that is lost there is sent again when the finalizer is over.
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
#: SIGBREAK is what Windows sends when the console is closed, and for Ctrl-Break.
_ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)

#: Seconds between two checks whether the finalizer that dropped a signal is over.
_RETRY_AFTER = 0.005


class Interrupted(BaseException):
    """A signal asked the program to stop. No `Exception`, so that no `except Exception` catches it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum

    @property
    def exit_code(self) -> int:
        return 128 + self.signum


class Interrupts:
    """Turns ending signals into `Interrupted`; its handlers are installed within `installed()` alone."""

    def __init__(self, exit_now: Callable[[int], object]) -> None:
        self._exit_now = exit_now
        self._on_signal: Callable[[], None] | None = None
        self._deferred: int | None = None
        self._raised: int | None = None
        self._started = False
        self._stopped = False
        self._ending = False
        self._in_finalizer = False
        self._report_unraisable = sys.unraisablehook

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Install the handlers for a `with` block; does nothing outside the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # A signal that is ignored stays so: `nohup orvideo wait ID` must outlive its terminal.
        before = {number: signal.getsignal(number) for number in _ENDING_SIGNALS}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._receive)
        self._report_unraisable, sys.unraisablehook = sys.unraisablehook, self._resend_dropped
        try:
            yield
        finally:
            sys.unraisablehook = self._report_unraisable
            for number, handler in before.items():
                if handler is not None:
                    signal.signal(number, handler)

    def start_raising(self) -> None:
        """Raise `Interrupted` on a signal from now on; the caller catches it."""
        self._started = True

    def stop_raising(self) -> None:
        """Raise nothing from now on: the command has ended, and only reports how."""
        self._stopped = True

    @contextmanager
    def deferred(self, on_signal: Callable[[], None]) -> Iterator[None]:
        """Raise on a signal only at the end of the block; call `on_signal` so that it ends soon (drill S02).

        Raises `Interrupted` at the start if a signal was raised before and its exception got lost.
        """
        if self._raised is not None:
            raise Interrupted(self._raised)
        self._on_signal, self._deferred = on_signal, None
        try:
            yield
        finally:
            self._on_signal = None
        if self._deferred is not None:
            self._raise(self._deferred)

    @contextmanager
    def ctrl_c_left_to_child(self) -> Iterator[None]:
        """Ignore Ctrl-C in a `with` block: a child that has the terminal gets it too, and does what it means there.

        Does nothing outside the main thread, and where Ctrl-C is ignored already.
        """
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
            yield
            return
        # A function, and not SIG_IGN, which the child would inherit.
        signal.signal(signal.SIGINT, lambda signum, frame: None)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @property
    def pending(self) -> int | None:
        """A signal that came and has not ended the command as `Interrupted`, None if there is none.

        It is deferred, or its exception was replaced by another one, as Python does while a class is being created.
        """
        return self._deferred if self._raised is None else self._raised

    def _receive(self, signum: int, frame: FrameType | None) -> None:
        if self._ending or not self._started:
            self._exit_now(128 + signum)
            return
        if self._stopped:
            self._ending = True
            return
        if self._on_signal is not None and self._deferred is None:
            self._deferred = signum
            self._on_signal()
            return
        self._raise(signum)

    def _raise(self, signum: int) -> None:
        self._on_signal = None
        self._ending, self._raised = True, signum
        raise Interrupted(signum)

    def _resend_dropped(self, dropped: UnraisableHookArgs) -> None:
        """Send a signal again whose exception Python drops; pass anything else to the previous hook."""
        if not isinstance(dropped.exc_value, Interrupted):
            self._report_unraisable(dropped)
            return
        self._in_finalizer = True
        threading.Thread(target=self._send_again, args=(dropped.exc_value.signum,), daemon=True).start()
        # This must come last: a signal that comes before would be dropped as well.
        self._in_finalizer = False

    def _send_again(self, signum: int) -> None:
        """Send a signal to the main thread once that has left the finalizer; runs in a thread of its own."""
        time.sleep(_RETRY_AFTER)
        while self._in_finalizer:
            time.sleep(_RETRY_AFTER)
        self._ending = False
        if hasattr(signal, "pthread_kill"):
            # This wakes the main thread.
            signal.pthread_kill(threading.main_thread().ident or 0, signum)
        else:
            signal.raise_signal(signum)
