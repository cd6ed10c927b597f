"""Reports what happens to jobs: progress for a person, `--events` for a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orvideo.clock import Clock
from orvideo.errors import OrvideoError
from orvideo.output.job_text import finished_line, overrun_text, service_progress, service_progress_text
from orvideo.output.progress import Progress, output_name
from orvideo.output.text import visible

if TYPE_CHECKING:
    from orvideo.api.values import Job
    from orvideo.download.save import Saved
    from orvideo.jobs.polling import PollResult
    from orvideo.jobs.task import Task
    from orvideo.output.terminal import Terminal
    from orvideo.record.values import Record


@dataclass(eq=False, repr=False)
class _Shown:
    """What was reported of a job last, its start by the monotonic clock, and how many seconds such jobs take."""

    started: float
    typical: float | None
    status: str | None = None
    reported: Mapping[str, Any] | None = None


class JobListener:
    """Reports jobs on the terminal until `close`; a `jobs.task.Listener`.

    `typical_seconds(record)` returns how long such jobs took before, None where that is not known. `jobs` is how many
    there are; it can be set until the first report.
    """

    def __init__(
        self,
        terminal: Terminal,
        clock: Clock,
        *,
        typical_seconds: Callable[[Record], float | None] = lambda record: None,
    ) -> None:
        self.jobs = 1
        self._terminal, self._clock = terminal, clock
        self._typical_seconds = typical_seconds
        self._shown: dict[int, _Shown] = {}

    def close(self) -> None:
        """Remove the progress from the screen; nothing can be reported afterwards."""
        if "_progress" in self.__dict__:
            self._progress.close()

    def submitting(self, task: Task) -> None:
        self._progress.activity("submitting", self._name(task))

    def waiting(self, error: OrvideoError, seconds: float) -> None:
        """Report that the service takes no job yet, and that the submit is tried again after some seconds."""
        self._terminal.note(f"not now: {error.message} Trying again in {seconds:.0f} s; {self._not_submitted}.")
        self._terminal.event(
            {"event": "waiting", "time": self._clock.now(), "message": error.message, "seconds": round(seconds, 1)}
        )

    #: What `waiting` says was not submitted.
    _not_submitted = "nothing was submitted yet"

    def submitted(self, task: Task) -> None:
        self._progress.remove("")  # it has a name now
        self._log(task, f"submitted {task.on_record.name}")
        self._progress.activity("submitted", self._name(task))
        self._event("submitted", task)

    def looked(self, task: Task, look: PollResult) -> None:
        """Report one check of a job: what it found, or why it failed and when the next one is."""
        if look.missed is not None:
            self._missed(task, look, look.missed)
            self._event("missed", task, message=look.missed.message, next_in=look.next_in)
        elif look.job is not None:
            self._seen(task, look.job, is_unknown=look.first_unknown_status)

    def _missed(self, task: Task, look: PollResult, error: OrvideoError) -> None:
        later = f"; next check in {look.next_in:.0f} s" if look.next_in is not None else ""
        reason = error.message.rstrip().removesuffix(".")
        self._terminal.note(f"{self._name(task)}: check failed: {reason}{later}")

    def _seen(self, task: Task, job: Job, *, is_unknown: bool) -> None:
        record, name, status, now = task.on_record, self._name(task), job.status, self._clock.monotonic()
        if record.seq not in self._shown:
            # The age is read off the wall clock once; from then on the monotonic clock counts (drill P14).
            age = (self._clock.now() - (record.submitted_at or record.created_at)).total_seconds()
            typical = None if job.is_final else self._typical_seconds(record)
            self._shown[record.seq] = _Shown(now - max(0.0, age), typical)
        shown = self._shown[record.seq]
        if is_unknown:
            self._terminal.warn(f"{name}: orvideo does not know the status {visible(status)!r}; still waiting.")
        if shown.status == "in_progress" and status == "pending":
            self._terminal.warn(f"{name}: the status went back from in_progress to pending; still waiting.")
        reported, is_change = service_progress(job.extra), shown.status != status
        if is_change or shown.reported != reported:
            self._event("status", task, status=status, progress=reported)
        shown.status, shown.reported = status, reported
        if job.is_final:  # when it ended is not known, so no time is shown (finding B05)
            self._progress.status(name, status, None)
            return
        text = service_progress_text(reported)
        self._progress.status(name, status, now - shown.started, shown.typical, text)
        if is_change:
            self._changed(task, f"{status}{text}")

    def _changed(self, task: Task, text: str) -> None:
        """Do nothing: the progress shows it."""

    def downloading(self, task: Task, index: int, done: int, total: int | None) -> None:
        self._progress.download(self._name(task), done, total, index)

    def saved(self, task: Task, index: int, saved: Saved) -> None:
        """Report a saved video and the notes about it, such as that its name was shortened."""
        for note in saved.notes:
            self.remark(note)
        if saved.already:
            self._terminal.note(f"{output_name(self._name(task), index)} is already saved")
        else:
            self._progress.downloaded(self._name(task), saved.bytes, index)
        self._event(
            "saved", task, index=index, path=str(saved.path) if saved.path else None, bytes=saved.bytes,
            sha256=saved.sha256,
        )  # fmt: skip

    def remark(self, text: str) -> None:
        self._terminal.warn(text)

    def over(self, task: Task) -> None:
        """Report how a job ended, what it cost, and whether that is more than its quote (finding A05)."""
        self._progress.remove(self._name(task))
        overrun = overrun_text(task.record) if task.record is not None and not task.was_here else None
        self._ended(task)
        if overrun is not None:
            self._terminal.warn_of_money(f"{self._name(task)} was {overrun}")

    def _ended(self, task: Task) -> None:
        """Report how a job ended. `Ending` reports why it has no video."""
        record = task.record
        if record is None or not record.final:
            return
        self._event("ended", task, status=record.status, cost_usd=record.cost, error=record.error)
        if task.was_here:
            self._terminal.note(f"{record.name} is already saved")
        elif task.error is None:
            self._terminal.note(finished_line(record.as_json()))

    def stopped(self, reason: str) -> None:
        """Report that no more jobs are started, and why."""
        stop = "" if reason.rstrip().endswith(".") else "."
        self._terminal.warn(f"nothing more is started: {reason}{stop} What was accepted is followed to its end.")
        self._terminal.event({"event": "stopped", "time": self._clock.now(), "reason": reason})

    def tick(self, in_flight: int) -> None:
        """Do nothing: the progress updates itself."""

    @cached_property
    def _progress(self) -> Progress:
        return self._terminal.progress(self.jobs)

    def _name(self, task: Task) -> str:
        """Return the name of a job, empty before it has one."""
        return task.record.name if task.record is not None else ""

    def _identity(self, task: Task) -> Mapping[str, Any]:
        """Return the fields that tell which job an event is about."""
        return {"job_id": task.on_record.id, "handle": task.on_record.handle}

    def _log(self, task: Task, text: str) -> None:
        self._terminal.note(text)

    def _event(self, what: str, task: Task, **facts: Any) -> None:
        self._terminal.event({"event": what, "time": self._clock.now(), **self._identity(task), **facts})
