"""The story of jobs: what their life tells, as progress for a person and as `--events` for a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orvideo.clock import Clock
from orvideo.errors import OrvideoError
from orvideo.output.text import visible

if TYPE_CHECKING:
    from orvideo.download.save import Saved
    from orvideo.jobs.polling import Look
    from orvideo.output.progress import Progress
    from orvideo.output.terminal import Terminal
    from orvideo.record.values import Record


class JobStory:
    """Tells of jobs on the terminal: implements `jobs.lifecycle.Story`.

    `usual_seconds(record)` says how long such jobs took before, None where nothing is known. `together` says that
    many jobs are told of in one line.
    """

    def __init__(
        self,
        terminal: Terminal,
        clock: Clock,
        *,
        usual_seconds: Callable[[Record], float | None],
    ) -> None:
        self._terminal, self._clock = terminal, clock
        self._usual_seconds = usual_seconds
        self._progress: Progress | None = None
        self._usual: dict[int, float | None] = {}
        self._began: dict[int, float] = {}
        self._statuses: dict[int, str] = {}
        #: How many jobs have each status: counted as it changes, since a thousand of them tell of a look each.
        self._counts: Counter[str] = Counter()
        self.together = 0
        self._since = clock.monotonic()

    @property
    def progress(self) -> Progress:
        if self._progress is None:
            self._progress = self._terminal.progress()
        return self._progress

    def close(self) -> None:
        if self._progress is not None:
            self._progress.close()

    # --- submitting ----------------------------------------------------------------------------------------------

    def submitting(self) -> None:
        self.progress.step("submitting")

    def waiting(self, error: OrvideoError, seconds: float) -> None:
        """Say that the service asked for patience; nothing was bought yet."""
        self._terminal.note(f"not now: {error.message} Trying again in {seconds:.0f} s; nothing was submitted yet.")
        self._event("waiting", message=error.message, seconds=round(seconds, 1))

    def submitted(self, record: Record) -> None:
        self._terminal.note(f"submitted {record.name}")
        self._event("submitted", record)

    # --- following -----------------------------------------------------------------------------------------------

    def looked(self, record: Record, look: Look) -> None:
        """Tell of one look: a state, or that it was missed and when the next one is."""
        if look.missed is not None:
            later = f"; looking again in {look.next_in:.0f} s" if look.next_in is not None else ""
            self._terminal.note(f"{record.name}: missed a look: {_without_stop(look.missed.message)}{later}")
            self._event("missed", record, message=look.missed.message, next_in=look.next_in)
            return
        if look.job is None:
            return
        status = look.job.status
        if look.first_unknown_status:
            self._terminal.warn(f"{record.name}: the status {visible(status)!r} is new to orvideo; waiting on.")
        before = self._statuses.get(record.seq)
        if before == "in_progress" and status == "pending":
            self._terminal.warn(f"{record.name}: the status went back from in_progress to pending; waiting on.")
        if before != status:
            self._event("status", record, status=status)
            self._counts.update({status: 1} if before is None else {status: 1, before: -1})
        self._statuses[record.seq] = status
        if self.together:
            self.progress.many(self._counts, self.together, self._clock.monotonic() - self._since)
        else:
            self.progress.state(record.name, status, self._elapsed(record), self._usually(record))

    def tick(self) -> None:
        """Nothing: a live line runs by itself between two looks."""

    # --- fetching ------------------------------------------------------------------------------------------------

    def downloading(self, record: Record, index: int, done: int, total: int | None, restart: bool = False) -> None:
        if not self.together:
            self.progress.download(_output_name(record, index), done, total, restart=restart)

    def remark(self, text: str) -> None:
        """Say what a person should know of an output, such as a name that had to be cut."""
        self._terminal.warn(text)

    def saved(self, record: Record, index: int, saved: Saved) -> None:
        for note in saved.notes:
            self.remark(note)
        if not self.together:
            self.progress.downloaded(_output_name(record, index), saved.bytes)
        self._event(
            "saved", record, index=index, path=str(saved.path) if saved.path else None, bytes=saved.bytes,
            sha256=saved.sha256,
        )  # fmt: skip

    def ended(self, record: Record) -> None:
        """Say how it ended and what it cost; the last thing told of a job."""
        self._event("ended", record, status=record.status, cost_usd=record.cost, error=record.error)

    # --- how it is told ------------------------------------------------------------------------------------------

    def _usually(self, record: Record) -> float | None:
        if record.seq not in self._usual:
            self._usual[record.seq] = self._usual_seconds(record)
        return self._usual[record.seq]

    def _elapsed(self, record: Record) -> float:
        """Return the seconds since submit: the wall clock is asked once, then the monotonic one runs (drill P14)."""
        now = self._clock.monotonic()
        if record.seq not in self._began:
            since: datetime = record.submitted_at or record.created_at
            self._began[record.seq] = now - max(0.0, (self._clock.now() - since).total_seconds())
        return now - self._began[record.seq]

    def _event(self, what: str, record: Record | None = None, **facts: Any) -> None:
        about: Mapping[str, Any] = {"job_id": record.id, "handle": record.handle} if record else {}
        self._terminal.event({"event": what, "time": self._clock.now(), **about, **facts})


def _output_name(record: Record, index: int) -> str:
    return record.name if index == 0 else f"{record.name} [{index}]"


def _without_stop(sentence: str) -> str:
    return sentence.rstrip().removesuffix(".")
