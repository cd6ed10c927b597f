"""The story of a batch: one live line in all for a person, a line a change for a log, `--events` for a machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orvideo.clock import Clock
from orvideo.errors import OrvideoError, OutputUnwritable
from orvideo.output.tables import Column, aligned
from orvideo.output.text import elapsed, money_text, spans

if TYPE_CHECKING:
    from decimal import Decimal

    from orvideo.batch.run import Entry, Run
    from orvideo.jobs.polling import Look
    from orvideo.output.progress import Progress
    from orvideo.output.terminal import Terminal

#: The live line is composed anew this often, in seconds; the clock in it runs by itself.
_LINE_EVERY = 0.2
#: Rows that are named in the live line.
_MOST_NAMED = 6


class BatchStory:
    """Tells of the rows of a batch: implements `jobs.batch.run.BatchStory`. `done` rows were here before it began."""

    def __init__(self, terminal: Terminal, clock: Clock, *, total: int, done: int) -> None:
        self._terminal, self._clock = terminal, clock
        self._total = total
        self._counts: Counter[str] = Counter(completed=done)
        self._began = clock.monotonic()
        self._completed_now = 0
        self._cost: Decimal | None = None
        self._unpriced = 0
        self._statuses: dict[int, str] = {}
        self._running: dict[int, None] = {}
        self._line_due = 0.0
        self._progress: Progress | None = None

    def close(self) -> None:
        """Take the live line away."""
        if self._progress is not None:
            self._progress.close()

    # What happens to rows

    def submitting(self, entry: Entry) -> None:
        self._running[entry.row.number] = None

    def waiting(self, error: OrvideoError, seconds: float) -> None:
        """Say that the service asked for patience; all rows wait for it."""
        self._terminal.note(f"not now: {error.message} No row is submitted for {seconds:.0f} s.")
        self._terminal.event(
            {"event": "waiting", "time": self._clock.now(), "message": error.message, "seconds": round(seconds, 1)}
        )

    def submitted(self, entry: Entry) -> None:
        self._running[entry.row.number] = None
        self._tell(entry, f"submitted {_job(entry)}")
        self._event("submitted", entry)

    def looked(self, entry: Entry, look: Look) -> None:
        """Tell of a change of state; a look that was missed is told under -v and as an event."""
        number = entry.row.number
        if look.missed is not None:
            self._terminal.verbose_line(f"row {number}: missed a look: {look.missed.message}")
            self._event("missed", entry, message=look.missed.message, next_in=look.next_in)
        elif look.job is not None and self._statuses.get(number) != look.job.status:
            self._running[number] = None
            self._statuses[number] = look.job.status
            self._event("status", entry, status=look.job.status)
            if not look.job.is_final:
                self._tell(entry, f"{_job(entry)}: {look.job.status}")

    def saving(self, entry: Entry) -> None:
        """Nothing: what is told is that the file is there."""

    def over(self, entry: Entry) -> None:
        """Tell how a row ended, and answer with what it made."""
        number, record = entry.row.number, entry.record
        self._running.pop(number, None)
        if record is not None and record.final:
            if record.cost is not None:
                self._cost = (self._cost or 0) + record.cost
            else:
                self._unpriced += 1
        if entry.error is not None:
            self._counts["not completed"] += 1
            self._terminal.note(f"row {number}: {entry.error.message}")
        elif record is None or not record.final:
            self._counts["not started"] += 1
        else:
            self._counts["completed"] += 1
            self._completed_now += 1
            self._tell(entry, _completed(entry))
        for path in entry.paths:
            self._terminal.answer(path)
        if isinstance(entry.error, OutputUnwritable) and entry.error.job_id and not (record and record.id):
            # An id that could not be written down must reach a person on every stream there is (drill J05).
            self._terminal.answer(entry.error.job_id)
            self._terminal.error(entry.error)
        self._event(
            "ended", entry, status=record.status_word if record else None, cost_usd=record.cost if record else None,
            paths=list(entry.paths), error=entry.error.as_json() if entry.error else None,
        )  # fmt: skip

    def stopped(self, reason: str) -> None:
        """Say that nothing more is started, and why."""
        stop = "" if reason.rstrip().endswith(".") else "."
        self._terminal.warn(f"no more rows are started: {reason}{stop} What was accepted is followed to its end.")
        self._terminal.event({"event": "stopped", "time": self._clock.now(), "reason": reason})

    def tick(self, run: Run) -> None:
        """Bring the live line up to date, not more often than a person could see."""
        now = self._clock.monotonic()
        if not self._terminal.live or now < self._line_due:
            return
        self._line_due = now + _LINE_EVERY
        if self._progress is None:
            self._progress = self._terminal.progress()
        counts = {
            "completed": self._counts["completed"],
            "running": run.in_flight,
            "not completed": self._counts["not completed"],
        }
        self._progress.many(counts, self._total, now - self._began, more=self._more(now))

    # How it is told

    def _more(self, now: float) -> str:
        """Return what stands behind the counts: cost so far, rows a minute, the rows that are running."""
        parts = [] if self._cost is None else [money_text(self._cost) + (" and more" if self._unpriced else "")]
        minutes = (now - self._began) / 60
        if self._completed_now and minutes > 0:
            parts.append(f"{self._completed_now / minutes:.1f}/min")
        if self._running:
            rows = sorted(self._running)
            more = ", ..." if len(rows) > _MOST_NAMED else ""
            parts.append(f"(rows {spans(rows[:_MOST_NAMED])}{more})")
        return "  ".join(parts)

    def _tell(self, entry: Entry, text: str) -> None:
        """Tell a change as a line, where there is no live line to show it."""
        if not self._terminal.live:
            self._terminal.note(f"row {entry.row.number}: {text}")

    def _event(self, what: str, entry: Entry, **facts: Any) -> None:
        record = entry.record
        about: Mapping[str, Any] = {
            "row": entry.row.number,
            "line": entry.row.line,
            "job_id": record.id if record else None,
        }
        self._terminal.event({"event": what, "time": self._clock.now(), **about, **facts})


def _job(entry: Entry) -> str:
    return entry.record.name if entry.record is not None else "unknown"


def _completed(entry: Entry) -> str:
    record = entry.record
    assert record is not None, "what is completed was bought"
    took = (record.ended_at - record.created_at).total_seconds() if record.ended_at else None
    cost = money_text(record.cost) if record.cost is not None else "cost unknown"
    places = "".join(f", {path}" for path in entry.paths)
    return f"completed{f' in {elapsed(took)}' if took is not None else ''}, {cost}{places}"


def failure_table(terminal: Terminal, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Tell on stderr what failed and why: row, line, job or name, reason."""
    columns = [
        Column("ROW", right=True), Column("LINE", right=True, priority=2), Column("JOB", priority=1),
        Column("WHY", flexible=True, least=20),
    ]  # fmt: skip
    lines: Iterable[str] = aligned(columns, rows, terminal.width)
    for line in lines:
        terminal.note(line)
