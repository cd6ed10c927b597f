"""A clock that a test turns by hand: sleeping moves it, nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orvideo.clock import Clock


class HandClock:
    """Time that passes only in `sleep`; `slept` lists how long each sleep was, in seconds."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds

    def clock(self) -> Clock:
        start = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        return Clock(
            now=lambda: start + timedelta(seconds=self.elapsed),
            monotonic=lambda: 1000.0 + self.elapsed,
            sleep=self.sleep,
        )
