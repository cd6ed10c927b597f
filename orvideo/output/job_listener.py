"""Tells what happens to jobs: as progress for a person, and as `--events` for a machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orvideo.clock import Clock
from orvideo.errors import OrvideoError
from orvideo.output.progress import Progress, output_name
from orvideo.output.text import visible
from orvideo.output.views import finished_line, overrun_text, service_progress, service_progress_text

if TYPE_CHECKING:
    from orvideo.api.schemas import Job
    from orvideo.download.save import Saved
    from orvideo.jobs.polling import PollResult
    from orvideo.jobs.task import Task
    from orvideo.output.terminal import Terminal
    from orvideo.record.values import Record


@dataclass(eq=False, repr=False)
class _Told:
    """What was told of a job last; when it began, by the monotonic clock, and how long such jobs take."""

    began: float
    usual: float | None
    status: str | None = None
    reported: Mapping[str, Any] | None = None


class JobListener:
    """Tells of jobs on the terminal: a `jobs.task.Listener`, and what is shown lives until `close`.

    `usual_seconds(record)` says how long such jobs took before, None where nothing is known. `jobs`, how many there
    are, can be set until the first of them is told of: a log has a line for each change of a few, and counts of many.
    """

    def __init__(
        self, terminal: Terminal, clock: Clock, *, usual_seconds: Callable[[Record], float | None] = lambda record: None
    ) -> None:
        self.jobs = 1
        self._terminal, self._clock = terminal, clock
        self._usual_seconds = usual_seconds
        self._told: dict[int, _Told] = {}

    def close(self) -> None:
        """Take what is shown away; nothing more can be shown."""
        if "_progress" in self.__dict__:
            self._progress.close()

    # Submitting

    def submitting(self, task: Task) -> None:
        self._progress.step("submitting", self._name(task))

    def waiting(self, error: OrvideoError, seconds: float) -> None:
        """Say that the service asked for patience before it takes a job."""
        self._terminal.note(f"not now: {error.message} Trying again in {seconds:.0f} s; {self._not_submitted}.")
        self._terminal.event(
            {"event": "waiting", "time": self._clock.now(), "message": error.message, "seconds": round(seconds, 1)}
        )

    #: What is true while the service asks for patience.
    _not_submitted = "nothing was submitted yet"

    def submitted(self, task: Task) -> None:
        self._progress.over("")  # it has a name now
        self._tell(task, f"submitted {task.on_record.name}")
        self._progress.step("submitted", self._name(task))
        self._event("submitted", task)

    # Following

    def looked(self, task: Task, look: PollResult) -> None:
        """Tell of one look: what it brought, or that it was missed and when the next one is."""
        if look.missed is not None:
            self._missed(task, look, look.missed)
            self._event("missed", task, message=look.missed.message, next_in=look.next_in)
        elif look.job is not None:
            self._seen(task, look.job, is_new_word=look.first_unknown_status)

    def _missed(self, task: Task, look: PollResult, error: OrvideoError) -> None:
        later = f"; looking again in {look.next_in:.0f} s" if look.next_in is not None else ""
        reason = error.message.rstrip().removesuffix(".")
        self._terminal.note(f"{self._name(task)}: missed a look: {reason}{later}")

    def _seen(self, task: Task, job: Job, *, is_new_word: bool) -> None:
        record, name, status, now = task.on_record, self._name(task), job.status, self._clock.monotonic()
        if record.seq not in self._told:
            # The wall clock is asked once, then the monotonic one runs (drill P14).
            age = (self._clock.now() - (record.submitted_at or record.created_at)).total_seconds()
            usual = None if job.is_final else self._usual_seconds(record)
            self._told[record.seq] = _Told(now - max(0.0, age), usual)
        told = self._told[record.seq]
        if is_new_word:
            self._terminal.warn(f"{name}: the status {visible(status)!r} is new to orvideo; waiting on.")
        if told.status == "in_progress" and status == "pending":
            self._terminal.warn(f"{name}: the status went back from in_progress to pending; waiting on.")
        reported, is_change = service_progress(job.extra), told.status != status
        if is_change or told.reported != reported:
            self._event("status", task, status=status, progress=reported)
        told.status, told.reported = status, reported
        if job.is_final:  # since when it is at its end is not known, so that has no time (finding B05)
            self._progress.state(name, status, None)
            return
        text = service_progress_text(reported)
        self._progress.state(name, status, now - told.began, told.usual, text)
        if is_change:
            self._changed(task, f"{status}{text}")

    def _changed(self, task: Task, text: str) -> None:
        """Nothing: what shows how jobs go on says so itself."""

    # Fetching

    def downloading(self, task: Task, index: int, done: int, total: int | None) -> None:
        self._progress.download(self._name(task), done, total, index)

    def saved(self, task: Task, index: int, saved: Saved) -> None:
        """Say that a video is here, and what a person should know of it, such as a name that had to be cut."""
        for note in saved.notes:
            self.remark(note)
        if saved.already:
            self._terminal.note(f"{output_name(self._name(task), index)} is here already, whole")
        else:
            self._progress.downloaded(self._name(task), saved.bytes, index)
        self._event(
            "saved", task, index=index, path=str(saved.path) if saved.path else None, bytes=saved.bytes,
            sha256=saved.sha256,
        )  # fmt: skip

    def remark(self, text: str) -> None:
        self._terminal.warn(text)

    # The end

    def over(self, task: Task) -> None:
        """Say how a job ended and what it cost, also where that is more than it was quoted at (finding A05)."""
        self._progress.over(self._name(task))
        overrun = overrun_text(task.record) if task.record is not None and not task.was_here else None
        self._ended(task)
        if overrun is not None:
            self._terminal.warn_of_money(f"{self._name(task)} was {overrun}")

    def _ended(self, task: Task) -> None:
        """Say how a job ended; why it has no video is said by whoever ends the command."""
        record = task.record
        if record is None or not record.final:
            return
        self._event("ended", task, status=record.status, cost_usd=record.cost, error=record.error)
        if task.was_here:
            self._terminal.note(f"{record.name} is here already, whole")
        elif task.error is None:
            self._terminal.note(finished_line(record.as_json()))

    def stopped(self, reason: str) -> None:
        """Say that nothing more is started, and why."""
        stop = "" if reason.rstrip().endswith(".") else "."
        self._terminal.warn(f"nothing more is started: {reason}{stop} What was accepted is followed to its end.")
        self._terminal.event({"event": "stopped", "time": self._clock.now(), "reason": reason})

    def tick(self, in_flight: int) -> None:
        """Nothing: what is shown runs by itself."""

    # How it is told

    @cached_property
    def _progress(self) -> Progress:
        return self._terminal.progress(self.jobs)

    def _name(self, task: Task) -> str:
        """Return what a job is called; nothing before it has a name."""
        return task.record.name if task.record is not None else ""

    def _about(self, task: Task) -> Mapping[str, Any]:
        """Return the fields of an event that say whose it is."""
        return {"job_id": task.on_record.id, "handle": task.on_record.handle}

    def _tell(self, task: Task, text: str) -> None:
        self._terminal.note(text)

    def _event(self, what: str, task: Task, **facts: Any) -> None:
        self._terminal.event({"event": what, "time": self._clock.now(), **self._about(task), **facts})
