"""The clock as a parameter, so that tests can replace the time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

#: The longest single wait of the main thread, in seconds. A signal that arrives just before a wait, or in another
#: thread, does not end the wait: Python runs its handler only when the main thread continues (drill S02).
MAX_WAIT = 0.2


def _sleep(seconds: float) -> None:
    """Sleep in short steps, so that signals are handled soon."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, MAX_WAIT))


def local(moment: datetime) -> datetime:
    """Return a time in local time, in UTC where that is not known: Windows knows it for the years 1970 to 3000 alone.

    A time without a zone is a local one.
    """
    try:
        return moment.astimezone()
    except (OSError, OverflowError, ValueError):
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Clock(NamedTuple):
    """The three clocks of a program: `now` (UTC), `monotonic` and `sleep` (seconds)."""

    now: Callable[[], datetime] = _utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = _sleep
