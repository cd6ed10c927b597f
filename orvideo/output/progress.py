"""How a command goes on: a live line for a person, one plain line a change for a log, nothing under `--quiet`.

The service gives no percentage of a generation, so none is shown: only the status, the time since submit and, when
the caller knows it from the record, how long such jobs usually take. A download has a bar when its size is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orvideo.clock import Clock
from orvideo.output.text import bytes_text, elapsed

if TYPE_CHECKING:
    from types import TracebackType

#: Seconds between two plain lines about many jobs: a log of a thousand jobs stays a log.
_LINES_APART = 10.0
_FRAMES_PER_SECOND = 8


class Progress:
    """The story of one command while it waits. This one tells nothing: it is what `--quiet` gets.

    A context manager; leaving it, by whatever way, leaves the terminal as it was found.
    """

    def step(self, text: str) -> None:
        """Say what is being done before there is a job, such as `submitting`; only a live line shows it."""

    def state(self, job: str, status: str, elapsed_seconds: float | None, typical_seconds: float | None = None) -> None:
        """Say how a job stands: seconds since submit, and how many such jobs usually take (None: not known)."""

    def download(self, job: str, done: int, total: int | None = None, *, restart: bool = False) -> None:
        """Say how many bytes of a video are here, of how many (None: not known); `restart` when it began anew."""

    def downloaded(self, job: str, size: int) -> None:
        """Say that a video is here whole."""

    def many(
        self,
        counts: Mapping[str, int],
        total: int | None = None,
        elapsed_seconds: float | None = None,
        more: str = "",
    ) -> None:
        """Say how many jobs stand how, in the order given; counts of zero are left out; a live line shows `more`."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the live line away for as long as something else is written."""
        yield

    def close(self) -> None:
        """End the story; may be called more than once."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PlainProgress(Progress):
    """One line per change of state, through `tell`: for logs, CI and terminals that cannot move the cursor."""

    def __init__(self, tell: Callable[[str], None], *, clock: Clock) -> None:
        self._tell, self._clock = tell, clock
        self._statuses: dict[str, str] = {}
        self._downloading: set[str] = set()
        self._counts: tuple[str, float] | None = None
        self._untold: str | None = None

    def state(self, job: str, status: str, elapsed_seconds: float | None, typical_seconds: float | None = None) -> None:
        if self._statuses.get(job) == status:
            return
        still_ahead = typical_seconds is not None and max(elapsed_seconds or 0.0, 1.0) < typical_seconds
        usually = f", usually about {elapsed(typical_seconds)}" if still_ahead and job not in self._statuses else ""
        after = f" after {elapsed(elapsed_seconds)}" if elapsed_seconds is not None and elapsed_seconds >= 1 else ""
        self._statuses[job] = status
        self._tell(f"{job}: {status}{after}{usually}")

    def download(self, job: str, done: int, total: int | None = None, *, restart: bool = False) -> None:
        if restart:
            self._tell(f"{job}: the download starts over")
        elif job not in self._downloading:
            had = f", {bytes_text(done)} of it already here" if done and done != total else ""
            self._tell(f"{job}: downloading{f' {bytes_text(total)}' if total is not None else ''}{had}")
        self._downloading.add(job)

    def downloaded(self, job: str, size: int) -> None:
        self._downloading.discard(job)
        self._tell(f"{job}: downloaded {bytes_text(size)}")

    def many(
        self,
        counts: Mapping[str, int],
        total: int | None = None,
        elapsed_seconds: float | None = None,
        more: str = "",
    ) -> None:
        text = summary(counts, total)
        now = self._clock.monotonic()
        if self._counts is not None and self._counts[0] == text:
            self._untold = None
        elif self._counts is not None and now - self._counts[1] < _LINES_APART:
            self._untold = text
        else:
            self._counts, self._untold = (text, now), None
            self._tell(text)

    def close(self) -> None:
        if self._untold is not None:
            self._tell(self._untold)
            self._untold = None


def summary(counts: Mapping[str, int], total: int | None) -> str:
    """Return `3 in_progress, 2 completed (of 10)`."""
    parts = [f"{number} {name}" for name, number in counts.items() if number] or ["nothing yet"]
    return ", ".join(parts) + (f" (of {total})" if total is not None else "")
