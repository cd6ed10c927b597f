"""How a command goes on: a live display for a person, one plain line a change for a log, nothing under `--quiet`.

No percentage of a generation is shown: only the status, the time since submit, how long such jobs usually take, and
what the service says itself. A download has a bar when its size is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from orvideo.clock import Clock
from orvideo.output.text import bytes_text, elapsed

#: Seconds between two plain lines about many jobs: a log of a thousand jobs stays a log.
_LINES_APART = 10.0
#: A log has a line for each change of so many jobs; of more it has the counts.
_MOST_TOLD = 10


class Progress:
    """What is shown while a command waits. This one shows nothing: it is what `--quiet` gets."""

    def step(self, text: str, job: str = "") -> None:
        """Say what is done with a job, such as `submitting`, that is no status; only a live display shows it."""

    def state(self, job: str, status: str, since: float | None, usual: float | None = None, reported: str = "") -> None:
        """Say how a job stands: seconds since submit, and how many such jobs usually take (None: not known).

        `reported` is what the service says of its progress, to stand behind the status.
        """

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        """Say how many bytes of a video are here, of how many (None: not known); fewer than before: it began anew."""

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        """Say that a video is here whole."""

    def over(self, job: str) -> None:
        """Say that there is nothing more to show of a job."""

    def overall(self, text: str, done: int, total: int) -> None:
        """Say how all of it stands, `done` of `total`; only a live display shows it."""

    def close(self) -> None:
        """End it; may be called more than once."""


class PlainProgress(Progress):
    """Lines through `tell`, for logs, CI and terminals that cannot move the cursor.

    One line per change of state, or only the counts now and then where there are many `jobs`.
    """

    def __init__(self, tell: Callable[[str], None], *, clock: Clock, jobs: int = 1) -> None:
        self._tell, self._clock, self._jobs = tell, clock, jobs
        self._counting = jobs > _MOST_TOLD
        self._statuses: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._counts_told, self._due = "", clock.monotonic()
        self._downloads: dict[str, int] = {}

    def state(self, job: str, status: str, since: float | None, usual: float | None = None, reported: str = "") -> None:
        before = self._statuses.get(job)
        self._statuses[job] = status
        if self._counting:
            self._counts[status] += 1
            if before is not None:
                self._counts[before] -= 1
            if self._clock.monotonic() >= self._due:
                self._tell_counts()
        elif before != status:
            ahead = before is None and max(since or 0.0, 1.0) < (usual or 0.0)
            usually = f", usually about {elapsed(usual or 0.0)}" if ahead else ""
            after = f" after {elapsed(since)}" if since is not None and since >= 1 else ""
            self._tell(f"{job}: {status}{reported}{after}{usually}")

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        name = output_name(job, index)
        before = self._downloads.get(name)
        self._downloads[name] = done
        if self._counting:
            return
        if before is None:
            had = f", {bytes_text(done)} of it here" if done and done != total else ""
            self._tell(f"{name}: downloading{f' {bytes_text(total)}' if total is not None else ''}{had}")
        elif done < before:
            self._tell(f"{name}: the download starts over")

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        name = output_name(job, index)
        self._downloads.pop(name, None)
        if not self._counting:
            self._tell(f"{name}: downloaded {bytes_text(size)}")

    def _tell_counts(self) -> None:
        text = f"{counts_text(self._counts)} (of {self._jobs})"
        if text != self._counts_told:
            self._counts_told, self._due = text, self._clock.monotonic() + _LINES_APART
            self._tell(text)

    def close(self) -> None:
        if self._counts:
            self._tell_counts()


def output_name(job: str, index: int) -> str:
    """Return what a job's video is called: by its job, and by its number where it is not the first."""
    return job if index == 0 else f"{job} [{index}]"


def counts_text(counts: Mapping[str, int]) -> str:
    """Return `3 in_progress, 2 completed`, without those that are none."""
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number > 0) or "nothing yet"
