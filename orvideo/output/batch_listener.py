"""Reports what happens to the rows of a batch: a live display or lines for a person, `--events` for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from orvideo.clock import Clock
from orvideo.errors import JobEnded, NoOutput, OrvideoError
from orvideo.money import money_text
from orvideo.output.job_listener import JobListener
from orvideo.output.job_text import charge_text, cost_text, end_text
from orvideo.output.progress import Progress, counts_text
from orvideo.output.text import elapsed

if TYPE_CHECKING:
    from decimal import Decimal

    from orvideo.batch.entry import Entry
    from orvideo.download.save import Saved
    from orvideo.jobs.polling import PollResult
    from orvideo.jobs.task import Task
    from orvideo.output.terminal import Terminal

#: Seconds between two updates of the row for the whole batch.
_TOTAL_EVERY = 0.2


class BatchListener(JobListener):
    """Reports `total` rows; every task is an `Entry` of a batch."""

    def __init__(self, terminal: Terminal, clock: Clock, *, total: int) -> None:
        super().__init__(terminal, clock)
        self._total = total
        self._counts: Counter[str] = Counter()
        self._started = clock.monotonic()
        self._completed_now = 0
        self._cost: Decimal | None = None
        self._unpriced = 0
        self._total_due = 0.0
        self._reasons: dict[str, str] = {}

    _not_submitted = "no row is submitted until then"

    def _missed(self, task: Task, look: PollResult, error: OrvideoError) -> None:
        self._terminal.verbose_line(f"{self._name(task)}: check failed: {error.message}")

    def _changed(self, task: Task, text: str) -> None:
        self._log(task, f"{task.on_record.name}: {text}")

    def saved(self, task: Task, index: int, saved: Saved) -> None:
        for note in saved.notes:
            self.remark(f"{self._name(task)}: {note}")
        self._progress.downloaded(self._name(task), saved.bytes, index)

    def _ended(self, task: Task) -> None:
        """Report how a row ended, and write the paths of its videos to stdout."""
        entry, record = _entry(task), task.record
        if record is not None and record.final and not task.was_here:
            if record.cost is not None:
                self._cost = (self._cost or 0) + record.cost
            else:
                self._unpriced += 1
        if task.error is not None:
            self.failed(task)
        elif record is not None and record.final:
            self._counts["completed"] += 1
            if not task.was_here:
                self._completed_now += 1
                job = record.as_json()
                self._log(task, ", ".join([end_text(job), cost_text(job), *map(str, entry.paths)]))
        for path in entry.paths:
            self._terminal.answer(path)
        self._event(
            "ended", task, status=record.status_word if record else None, cost_usd=record.cost if record else None,
            paths=list(entry.paths), error=task.error.as_json() if task.error else None,
        )  # fmt: skip

    def failed(self, task: Task) -> None:
        """Report a row that failed, now or in an earlier run; nothing else reports it (finding D11)."""
        self._counts["not completed"] += 1
        ended = isinstance(task.error, JobEnded | NoOutput) and task.record is not None
        charge = charge_text(task.record.as_json()) if ended and task.record is not None else ""
        if task.error is not None:
            # A reason that many rows share is written once.
            first = self._reasons.setdefault(task.error.message, self._name(task))
            message = task.error.message if first == self._name(task) else f"the same as {first}"
            self._terminal.note(f"{self._name(task)}: {message} {charge}".rstrip())

    def tick(self, in_flight: int) -> None:
        """Update the row for the whole batch, at most every `_TOTAL_EVERY` seconds."""
        now = self._clock.monotonic()
        if now < self._total_due or not self._terminal.live:
            return
        self._total_due = now + _TOTAL_EVERY
        completed, failed = self._counts["completed"], self._counts["not completed"]
        counts = {"completed": completed, "running": in_flight, "not completed": failed}
        parts = [f"{counts_text(counts)} (of {self._total}) {elapsed(now - self._started)}"]
        if self._cost is not None:
            parts.append(money_text(self._cost) + (" and more" if self._unpriced else ""))
        minutes = (now - self._started) / 60
        if self._completed_now and minutes > 0:
            parts.append(f"{self._completed_now / minutes:.1f}/min")
        self._progress.total("  ".join(parts), completed, self._total)

    @cached_property
    def _progress(self) -> Progress:
        """A live display, or nothing: then `_log` writes lines."""
        return self._terminal.progress() if self._terminal.live else Progress()

    def _log(self, task: Task, text: str) -> None:
        """Write a change as a line where no live display shows it."""
        if not self._terminal.live:
            self._terminal.note(f"{self._name(task)}: {text}")

    def _name(self, task: Task) -> str:
        return f"row {_entry(task).row.number}"

    def _identity(self, task: Task) -> Mapping[str, Any]:
        entry = _entry(task)
        return {"row": entry.row.number, "line": entry.row.line, "job_id": task.record.id if task.record else None}


def _entry(task: Task) -> Entry:
    return cast("Entry", task)
