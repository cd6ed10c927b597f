"""Progress reporters: none under `--quiet`, plain lines for a log, and the base of the live display.

A generation has no percentage: what is shown is the status, the time since the submit, how long such jobs usually
take, and what the service reports. A download has a bar where its size is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from orvideo.clock import Clock
from orvideo.output.text import bytes_text, elapsed

#: Seconds between two lines of counts, so that the log of a thousand jobs stays short.
_COUNTS_EVERY = 10.0
#: A log has a line for each change of up to so many jobs. Of more it has only the counts.
_MOST_IN_FULL = 10


class Progress:
    """Takes the progress of jobs and shows nothing, as under `--quiet`; the base of the other reporters.

    A job is named by its id, or "" before it has one.
    """

    def activity(self, text: str, job: str = "") -> None:
        """Show what is done with a job that has no status yet, such as `submitting`; only a live display does."""

    def status(
        self, job: str, status: str, seconds: float | None, typical: float | None = None, reported: str = ""
    ) -> None:
        """Show a job's status, the seconds since its submit, and how many such jobs take; None where not known.

        `reported` is what the service says of the progress. It is shown behind the status.
        """

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        """Show how many bytes of a video were received, of how many; fewer than before mean that it starts over."""

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        """Show that a video was received whole."""

    def remove(self, job: str) -> None:
        """Show nothing more of a job."""

    def total(self, text: str, done: int, total: int) -> None:
        """Show the progress of all jobs together; only a live display does."""

    def close(self) -> None:
        """Stop; may be called more than once."""


class LogProgress(Progress):
    """Writes lines with `write`, for logs, CI and terminals without cursor control.

    A line for each change of status, or now and then the counts where there are many `jobs`.
    """

    def __init__(self, write: Callable[[str], None], *, clock: Clock, jobs: int = 1) -> None:
        self._write, self._clock, self._jobs = write, clock, jobs
        self._counting = jobs > _MOST_IN_FULL
        self._statuses: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._last_counts, self._counts_due = "", clock.monotonic()
        self._downloads: dict[str, int] = {}

    def status(
        self, job: str, status: str, seconds: float | None, typical: float | None = None, reported: str = ""
    ) -> None:
        before = self._statuses.get(job)
        self._statuses[job] = status
        if self._counting:
            self._counts[status] += 1
            if before is not None:
                self._counts[before] -= 1
            if self._clock.monotonic() >= self._counts_due:
                self._write_counts()
        elif before != status:
            is_early = before is None and max(seconds or 0.0, 1.0) < (typical or 0.0)
            usually = f", usually about {elapsed(typical or 0.0)}" if is_early else ""
            after = f" after {elapsed(seconds)}" if seconds is not None and seconds >= 1 else ""
            self._write(f"{job}: {status}{reported}{after}{usually}")

    def download(self, job: str, done: int, total: int | None = None, index: int = 0) -> None:
        name = output_name(job, index)
        before = self._downloads.get(name)
        self._downloads[name] = done
        if self._counting:
            return
        if before is None:
            resumed = f", {bytes_text(done)} of it here" if done and done != total else ""
            self._write(f"{name}: downloading{f' {bytes_text(total)}' if total is not None else ''}{resumed}")
        elif done < before:
            self._write(f"{name}: the download starts over")

    def downloaded(self, job: str, size: int, index: int = 0) -> None:
        name = output_name(job, index)
        self._downloads.pop(name, None)
        if not self._counting:
            self._write(f"{name}: downloaded {bytes_text(size)}")

    def _write_counts(self) -> None:
        text = f"{counts_text(self._counts)} (of {self._jobs})"
        if text != self._last_counts:
            self._last_counts, self._counts_due = text, self._clock.monotonic() + _COUNTS_EVERY
            self._write(text)

    def close(self) -> None:
        if self._counts:
            self._write_counts()


def output_name(job: str, index: int) -> str:
    """Return the name of a job's video: the job's own, and a number behind it for any but the first."""
    return job if index == 0 else f"{job} [{index}]"


def counts_text(counts: Mapping[str, int]) -> str:
    """Return `3 in_progress, 2 completed`, without the counts that are 0."""
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number > 0) or "nothing yet"
