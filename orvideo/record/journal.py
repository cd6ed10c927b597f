"""What a run writes after the purchase: kept and tried again where the record cannot be written, never in the way.

To follow and to fetch what is paid for does not depend on the record (drills M30, J05; R-A2, F-A08, F-C02): a write
that fails is told once, kept in memory, and tried again until the end of the run, which `settle` reports.
"""

from __future__ import annotations

import math
import shlex
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.errors import OutputUnwritable, RecordError
from orvideo.record.file import Locked
from orvideo.record.rows import Conflict, Forgotten
from orvideo.record.values import SANDBOX, Output, Record, Seen, State

if TYPE_CHECKING:
    from orvideo.deadline import Deadline
    from orvideo.record.ledger import Ledger

#: How long a write may wait for another process, and how long one round of tries may take, in seconds.
PATIENCE = 0.3
#: How often what could not be written is tried again, in seconds.
RETRY_EVERY = 1.0
#: How long the end of a run may wait for a record that another process holds, and the least it tries, in seconds.
LAST_PATIENCE, LAST_TRY = 10.0, 0.5
#: How many things an error names that are missing from the record; ids are all named.
MOST_NAMED = 10


class Pending(NamedTuple):
    """A write that is still to be done: `work(patience=…)` does it, `change` does it to a record in memory.

    `missing` says what the record lacks of the job without it; `job_id` is an id that is nowhere else.
    """

    seq: int
    missing: str
    work: Callable[..., object]
    change: Callable[[Record], Record]
    job_id: str | None = None


class Journal:
    """Writes to the record for a run that goes on whatever becomes of the record; any thread may use it.

    No method raises RecordError. `on_trouble(error)` is called once, by the first write that fails.
    """

    def __init__(self, ledger: Ledger, on_trouble: Callable[[RecordError], None] = lambda error: None) -> None:
        self._ledger, self._clock, self._on_trouble = ledger, ledger.clock, on_trouble
        self._pending: dict[Hashable, Pending] = {}
        self._known: dict[int, Record] = {}
        self._refused: list[Conflict] = []
        self._trouble: RecordError | None = None
        self._told = False
        self._tried_at = 0.0
        #: Held while the pending writes are done, one after the other, so that they keep their order.
        self._writing = threading.Lock()

    # What a run writes. Each is tried at once, after what is pending, and kept when that fails.

    def submitted(self, seq: int, job_id: str, *, extra: Mapping[str, Any] | None = None, **said: Any) -> None:
        """Write down the service's id of a job, and its `status` and `generation_id` (drill J05)."""
        work, now = partial(self._ledger.submitted, seq, job_id, extra=extra, **said), self._clock.now()

        def change(record: Record) -> Record:
            return record._replace(
                id=job_id, state=State.SUBMITTED, **said, error=None, submitted_at=record.submitted_at or now,
                answer=None, answer_status=None,
            )  # fmt: skip

        self.write(("submitted", seq), Pending(seq, f"its id, {job_id}", work, change, job_id))

    def outcome_unknown(self, seq: int, reason: str) -> None:
        """Write down that a request was sent and no readable answer came."""
        work, change = partial(self._ledger.outcome_unknown, seq, reason), _with(state=State.UNKNOWN, error=reason)
        self.write(("outcome", seq), Pending(seq, "that its outcome is unknown", work, change))

    def not_sent(self, seq: int, reason: str, *, refused_with: int | None = None) -> None:
        """Write down that nothing was bought, and with which status the service refused it, if it did."""
        work = partial(self._ledger.not_sent, seq, reason, refused_with=refused_with)
        change = _with(state=State.NOT_SENT, error=reason, answer_status=refused_with, answer=None)
        self.write(("outcome", seq), Pending(seq, "that it was not bought", work, change))

    def looked(self, seq: int, seen: Seen) -> None:
        """Write down what the service says of a job now; also later that it was seen now."""
        seen = seen._replace(at=seen.at or self._clock.now())

        def change(record: Record) -> Record:
            if record.final and not seen.final:
                return record
            said = {name: value for name, value in seen._asdict().items() if value is not None and name != "at"}
            said |= {"model": record.model or seen.model, "error": seen.error, "was_seen": True}
            if seen.expected_outputs is not None:
                said["expected_outputs"] = max(seen.expected_outputs, record.expected_outputs or 0)
            return record._replace(**said, ended_at=(record.ended_at or seen.at) if seen.final else None)

        work = partial(self._ledger.looked, seq, seen)
        self.write(("looked", seq), Pending(seq, f"its status, {seen.status}", work, change))

    def output_saved(self, seq: int, output: Output) -> None:
        """Write down a saved output."""
        output = replace(output, saved_at=output.saved_at or self._clock.now())

        def change(record: Record) -> Record:
            outputs = {one.index: one for one in (*record.outputs, output)}
            saved = tuple(outputs[index] for index in sorted(outputs))
            return record._replace(outputs=saved, expected_outputs=record.expected_outputs or None)

        missing = f"its video, {output.path or 'which went to a pipe'}"
        work = partial(self._ledger.output_saved, seq, output)
        self.write(("output", seq, output.index), Pending(seq, missing, work, change))

    def made_nothing(self, seq: int, reason: str) -> None:
        """Write down that a completed job has no video, and why."""
        work, change = partial(self._ledger.made_nothing, seq, reason), _with(expected_outputs=0, error=reason)
        self.write(("looked", seq), Pending(seq, "that it made no video", work, change))

    def set_target(self, seq: int, target: str | None) -> None:
        """Remember where a job's videos are to be saved."""
        work, change = partial(self._ledger.set_target, seq, target), _with(target=target)
        self.write(("target", seq), Pending(seq, "where it is to be saved", work, change))

    def write(self, key: Hashable, pending: Pending) -> None:
        """Do a write now, or keep it: the latest of each key, in the order in which the keys came."""
        self._pending[key] = pending
        if self._trouble is None:
            self._write_pending(PATIENCE)

    # What becomes of what could not be written.

    def retry(self) -> None:
        """Try what is pending again; to be called about once a second."""
        now = self._clock.monotonic()
        if self._pending and now - self._tried_at >= RETRY_EVERY:
            self._write_pending(0.0, now + PATIENCE)

    def settle(self, deadline: Deadline, *, hurry: bool = False) -> OutputUnwritable | None:
        """Try what is pending for the last time, and return the error that says what the record lacks, if anything.

        Waits for a record that another process holds, for what is left of the deadline and 10 s at most; half a second
        in a `hurry`, and where nothing is left.
        """
        until = self._clock.monotonic() + max(0.0 if hurry else deadline.left(LAST_PATIENCE), LAST_TRY)
        while self._pending:
            self._write_pending(0.0, until)
            if not isinstance(self._trouble, Locked) or self._clock.monotonic() >= until:
                break
            self._clock.sleep(0.05)
        return self.lacking()

    def unwritten_ids(self) -> list[str]:
        """Return the ids of the service that are nowhere but in memory (drill J05)."""
        return [one.job_id for one in list(self._pending.values()) if one.job_id is not None]

    def keep(self, record: Record) -> None:
        """Remember a record for when the file cannot be read."""
        self._known[record.seq] = record

    def record(self, seq: int) -> Record | None:
        """Return what is known of a job: what is on record, or was when it was read last, and what is pending.

        None for a job that another process forgot (F-B10).
        """
        try:
            found = self._ledger.peek(seq, patience=PATIENCE if self._trouble is None else 0.0)
        except RecordError:
            found = self._known.get(seq)
        if found is None:
            return None
        self._known[seq] = found
        for pending in list(self._pending.values()):
            if pending.seq == seq:
                found = pending.change(found)
        return found

    def _write_pending(self, patience: float, until: float = math.inf) -> None:
        """Do what is pending, in order, up to the first that fails, or to a reading of the clock."""
        failed: list[RecordError] = []
        with self._writing:
            self._tried_at = self._clock.monotonic()
            for key, pending in list(self._pending.items()):
                try:
                    pending.work(patience=patience)
                except Conflict as conflict:
                    # Trying again does not help; a row that was forgotten misses nothing (R-B5).
                    if pending.job_id is not None and not isinstance(conflict, Forgotten):
                        self._refused.append(conflict)
                        failed.append(conflict)
                except RecordError as error:
                    self._trouble = error
                    failed.append(error)
                    break
                # A newer one may have taken its place meanwhile.
                if self._pending.get(key) is pending:
                    del self._pending[key]
                if self._clock.monotonic() >= until:
                    break
            if not self._pending:
                self._trouble = None
        if failed and not self._told:
            self._told = True
            tries = "" if isinstance(failed[0], Conflict) else " and keeps trying to write it down"
            self._on_trouble(RecordError(f"{failed[0].message} orvideo goes on{tries}."))

    def lacking(self) -> OutputUnwritable | None:
        """Return what a run ends with when the record is not complete, with the command that completes it."""
        pending = sorted(self._pending.values(), key=lambda one: one.job_id is None)
        ids = [one.job_id for one in pending if one.job_id is not None]
        if not pending:
            return OutputUnwritable(self._refused[0].message) if self._refused else None
        lacking = [f"of {self._name(one.seq)}, {one.missing}" for one in pending[: max(MOST_NAMED, len(ids))]]
        if len(pending) > len(lacking):
            lacking.append(f"and {len(pending) - len(lacking)} more")
        why = self._trouble.message if self._trouble else f"There was no time to bring {self._ledger.path} up to date."
        adopting = "; ".join(map(self._adopting, pending[: len(ids)]))
        return OutputUnwritable(f"{why} The record lacks: {'; '.join(lacking)}.", hint=adopting or None)

    def _adopting(self, one: Pending) -> str:
        """Return the command that puts an id on record which is nowhere but in memory; a shell can read it (X03)."""
        known = self._known.get(one.seq)
        where = " --sandbox" if known is not None and known.endpoint == SANDBOX else ""
        return f"orvideo jobs adopt{where} {shlex.quote(one.job_id or '')}"

    def _name(self, seq: int) -> str:
        """Return what the record calls a job, as far as that is in memory."""
        known = self._known.get(seq)
        return known.name if known else f"job number {seq}"


def _with(**fields: Any) -> Callable[[Record], Record]:
    return lambda record: record._replace(**fields)
