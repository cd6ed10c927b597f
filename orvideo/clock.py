"""Time as a parameter: what is waited on, compared and written down comes from here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

#: The longest that the main thread waits at a time, in seconds. A signal that comes on the way into a wait, or that the
#: system hands to another thread, wakes nobody: its handler runs when the main thread wakes up by itself (drill S02).
NAP = 0.2


def _sleep(seconds: float) -> None:
    """Sleep in short naps, so that a signal is heard soon."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, NAP))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(NamedTuple):
    """The three clocks of a program: `now` (UTC, for records), `monotonic` and `sleep` (seconds, for waiting)."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = _sleep
