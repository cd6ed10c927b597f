"""A row of a batch in a run, and when a batch starts no more of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orvideo.batch.row_state import RowState, row_state
from orvideo.errors import (
    AuthError,
    JobEnded,
    MoneyError,
    NoOutput,
    NotStarted,
    OrvideoError,
    OutcomeUnknown,
    OutputUnwritable,
    RateLimited,
    RecordError,
    ServiceUnavailable,
)
from orvideo.jobs.task import Task
from orvideo.record.values import State

if TYPE_CHECKING:
    from orvideo.batch.rows import Row
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record

#: So many equal refusals in a row are no accident: the next row would only be another one (drill B11).
EQUAL_REFUSALS = 5
#: All rows together are not looked at more often than this, unless a fixed interval is asked for.
POLLS_PER_SECOND = 50.0


@dataclass(eq=False, repr=False, kw_only=True)
class Entry(Task):
    """One row in a run: `key` names it within its `batch`, `quote` is what it was quoted at."""

    row: Row
    key: str
    batch: str
    quote: Mapping[str, Any] | None = None

    def not_started(self, other: Task) -> NotStarted:
        """Return why this row is not bought: the row that it waits for, or one before that in the chain, has failed."""
        if isinstance(other.error, NotStarted):
            return NotStarted(other.error.message)
        assert isinstance(other, Entry), "rows wait for rows"
        return NotStarted(f"Not started: it waits for row {other.row.number}, {_end_of(other)}.")

    def record_of_other_run(self, ledger: Ledger) -> Record | None:
        """Return the job that another run has made of this row: then it is followed, not bought."""
        # The record lets a row have one job at most that has not come to nothing.
        for record in ledger.rows_of_batch(self.batch):
            if record.row_key == self.key and row_state(record) not in (RowState.NEW, RowState.FAILED):
                return record
        return None


def _end_of(entry: Entry) -> str:
    """Say how a row has ended that has no video on this disk."""
    error, record = entry.error, entry.record
    if isinstance(error, OutcomeUnknown):
        return "whose outcome is unknown"
    if isinstance(error, NoOutput):
        return "which has no video"
    if isinstance(error, JobEnded):
        return "which failed"
    if record is None or record.state is State.NOT_SENT:
        return "which was not bought"
    return "whose video is not here" if record.final else "which is still running"


class StopRules:
    """When a batch starts no more rows (drill B11): `jobs.task.StopPolicy`."""

    def __init__(self, *, fail_fast: bool) -> None:
        self._fail_fast = fail_fast
        self._refusals, self._failures = _Streak(), _Streak()

    def accepted(self) -> None:
        """Note that a row was accepted."""
        self._refusals.ended()

    def refused(self, error: OrvideoError) -> str | None:
        """Return why a row that was not accepted stops the next ones, None where it does not.

        The row's own line has said what the service said (finding D11).
        """
        reply = error.reply
        same = self._refusals.add(
            type(error), reply.status if reply else None, reply.message if reply else error.message
        )
        if isinstance(error, AuthError):
            return "the key is refused"
        if isinstance(error, RateLimited | ServiceUnavailable):
            return "the service takes nothing"
        if isinstance(error, MoneyError):
            return "a row was refused for money"
        if isinstance(error, RecordError | OutputUnwritable):
            return "the record cannot be used"
        return f"{same} refusals in a row were the same" if same >= EQUAL_REFUSALS else None

    def over(self, task: Task) -> str | None:
        """Return why a row that is over stops the next ones, None where it does not."""
        error = task.error
        if isinstance(error, NotStarted):
            return None  # what it waits for has failed, and that was judged
        if error is None:
            self._failures.ended()
            return None
        if isinstance(error, AuthError):
            return "the key is refused"
        if isinstance(error, OutputUnwritable):
            return "what was paid for could not be saved"
        if self._fail_fast:
            return "a row failed (--fail-fast)"
        if isinstance(error, JobEnded) and task.record is not None:
            same = self._failures.add(task.record.status, task.record.error)
            if same >= EQUAL_REFUSALS:
                return f"{same} jobs in a row ended alike"
        return None


class _Streak:
    """Counts how often the same thing has happened in a row."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] | None = None
        self._times = 0

    def add(self, *what: object) -> int:
        self._times = self._times + 1 if what == self._last else 1
        self._last = what
        return self._times

    def ended(self) -> None:
        self._last = None
