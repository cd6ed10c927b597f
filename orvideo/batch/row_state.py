"""How the rows of a batch stand by the record, when a run begins: what is done, what is under way, what is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from orvideo.record.values import Record, State

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked


class RowState(StrEnum):
    """NEW: to be submitted. RUNNING: accepted, not at its end. ELSEWHERE: another process is submitting it now.

    COMPLETED: to be fetched, or here already. FAILED: ended without a video. UNKNOWN: sent, and nobody knows.
    """

    NEW = "new"
    ELSEWHERE = "elsewhere"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    UNKNOWN = "unknown"


def row_state(record: Record | None) -> RowState:
    """Return how a row stands whose last job is `record`."""
    if record is None or record.state is State.NOT_SENT:
        return RowState.NEW
    if record.state in (State.PREPARED, State.SENDING):
        return RowState.ELSEWHERE
    if record.state is State.UNKNOWN:
        return RowState.UNKNOWN
    if not record.final:
        return RowState.RUNNING
    return RowState.FAILED if record.is_without_video else RowState.COMPLETED


class History(NamedTuple):
    """What the record has of a batch: the last job of each row by its key, oldest rows first."""

    last: dict[str, Record]

    @classmethod
    def of(cls, records: Iterable[Record]) -> History:
        """Sort the jobs of a batch, oldest first; one that came to nothing never hides one that did not."""
        last: dict[str, Record] = {}
        for record in records:
            key = record.row_key or ""
            if key not in last or record.state is not State.NOT_SENT or last[key].state is State.NOT_SENT:
                last[key] = record
        return cls(last)

    def left_behind(self, asked: Sequence[Asked]) -> list[Record]:
        """Return the jobs of rows that are in the file no more, or not as they were; those that were sent."""
        keys = {one.key for one in asked}
        return [record for key, record in self.last.items() if key not in keys and record.state is not State.NOT_SENT]

    def changed(self, asked: Sequence[Asked]) -> list[Asked]:
        """Return the rows that stand where another row stood before: they are new, and a person should know."""
        places = {record.row_number for record in self.left_behind(asked)}
        return [one for one in asked if one.key not in self.last and one.row.number in places]
