"""Writes to the record after the purchase: kept in memory and retried where the record cannot be written.

Following and fetching paid jobs does not depend on the record (drills M30, J05; R-A2, F-A08, F-C02). The first write
that fails is reported; failed writes are retried until the end of the run, when `flush` reports what is missing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo import shells
from orvideo.errors import OutputUnwritable, RecordError
from orvideo.record.file import Locked
from orvideo.record.rows import Conflict, Forgotten
from orvideo.record.values import SANDBOX, Observation, Output, Record, State

if TYPE_CHECKING:
    from orvideo.deadline import Deadline
    from orvideo.record.ledger import Ledger

#: How long a write may wait for another process, and how long one round of retries may take, in seconds.
LOCK_TIMEOUT = 0.3
#: How often failed writes are retried, in seconds.
RETRY_EVERY = 1.0
#: The longest and the shortest time that `flush` waits for a record that another process has locked, in seconds.
FLUSH_TIMEOUT, MIN_FLUSH_TIME = 10.0, 0.5
#: How many missing writes an error names; ids are all named.
MAX_NAMED = 10


class PendingWrite(NamedTuple):
    """A write that is still to be done: `work(lock_timeout=…)` does it, `change` applies it to a record in memory.

    `missing` describes it in an error; `job_id` is an id that is only in memory.
    """

    seq: int
    missing: str
    work: Callable[..., object]
    change: Callable[[Record], Record]
    job_id: str | None = None


class Journal:
    """Writes to the record for a run that continues without the record; any thread may use it.

    No method raises RecordError. `on_failure(error)` is called once, by the first write that fails.
    """

    def __init__(self, ledger: Ledger, on_failure: Callable[[RecordError], None] = lambda error: None) -> None:
        self._ledger, self._clock, self._on_trouble = ledger, ledger.clock, on_failure
        self._pending: dict[Hashable, PendingWrite] = {}
        self._known: dict[int, Record] = {}
        self._refused: list[Conflict] = []
        self._failure: RecordError | None = None
        self._reported = False
        self._tried_at = 0.0
        #: Serializes the pending writes, so that they keep their order.
        self._writing = threading.Lock()

    # The writes. Each is tried at once, after pending ones, and kept when that fails.

    def submitted(self, seq: int, job_id: str, *, extra: Mapping[str, Any] | None = None, **said: Any) -> None:
        """Record the service's id of a job, and its `status` and `generation_id` (drill J05)."""
        work, now = partial(self._ledger.submitted, seq, job_id, extra=extra, **said), self._clock.now()

        def change(record: Record) -> Record:
            return record._replace(
                id=job_id, state=State.SUBMITTED, **said, error=None, submitted_at=record.submitted_at or now,
                answer=None, answer_status=None,
            )  # fmt: skip

        self.write(("submitted", seq), PendingWrite(seq, f"its id, {job_id}", work, change, job_id))

    def outcome_unknown(self, seq: int, reason: str) -> None:
        """Record that a request was sent and no readable answer came."""
        work, change = partial(self._ledger.outcome_unknown, seq, reason), _replacing(state=State.UNKNOWN, error=reason)
        self.write(("outcome", seq), PendingWrite(seq, "that its outcome is unknown", work, change))

    def not_sent(self, seq: int, reason: str, *, refused_with: int | None = None) -> None:
        """Record that nothing was bought, and with which status the service refused it, if it did."""
        work = partial(self._ledger.not_sent, seq, reason, refused_with=refused_with)
        change = _replacing(state=State.NOT_SENT, error=reason, answer_status=refused_with, answer=None)
        self.write(("outcome", seq), PendingWrite(seq, "that it was not bought", work, change))

    def observed(self, seq: int, observation: Observation) -> None:
        """Record what the service says of a job now, also when it is written later."""
        observation = observation._replace(at=observation.at or self._clock.now())

        def change(record: Record) -> Record:
            if record.final and not observation.final:
                return record
            said = {name: value for name, value in observation._asdict().items() if value is not None and name != "at"}
            said |= {"model": record.model or observation.model, "error": observation.error, "was_seen": True}
            if observation.expected_outputs is not None:
                said["expected_outputs"] = max(observation.expected_outputs, record.expected_outputs or 0)
            return record._replace(**said, ended_at=(record.ended_at or observation.at) if observation.final else None)

        work = partial(self._ledger.observed, seq, observation)
        self.write(("observed", seq), PendingWrite(seq, f"its status, {observation.status}", work, change))

    def output_saved(self, seq: int, output: Output) -> None:
        """Record a saved output."""
        output = replace(output, saved_at=output.saved_at or self._clock.now())

        def change(record: Record) -> Record:
            outputs = {one.index: one for one in (*record.outputs, output)}
            saved = tuple(outputs[index] for index in sorted(outputs))
            return record._replace(outputs=saved, expected_outputs=record.expected_outputs or None)

        missing = f"its video, {output.path or 'which went to a pipe'}"
        work = partial(self._ledger.output_saved, seq, output)
        self.write(("output", seq, output.index), PendingWrite(seq, missing, work, change))

    def made_nothing(self, seq: int, reason: str) -> None:
        """Record that a completed job has no video, and why."""
        work, change = partial(self._ledger.made_nothing, seq, reason), _replacing(expected_outputs=0, error=reason)
        self.write(("observed", seq), PendingWrite(seq, "that it made no video", work, change))

    def set_target(self, seq: int, target: str | None) -> None:
        """Record where a job's videos are to be saved."""
        work, change = partial(self._ledger.set_target, seq, target), _replacing(target=target)
        self.write(("target", seq), PendingWrite(seq, "where it is to be saved", work, change))

    def write(self, key: Hashable, pending: PendingWrite) -> None:
        """Do a write now, or keep it: the latest one for each key, in the order of the keys' first writes."""
        self._pending[key] = pending
        if self._failure is None:
            self._write_pending(LOCK_TIMEOUT)

    # Pending writes

    def retry(self) -> None:
        """Retry the pending writes; to be called about once a second."""
        now = self._clock.monotonic()
        if self._pending and now - self._tried_at >= RETRY_EVERY:
            self._write_pending(0.0, now + LOCK_TIMEOUT)

    def flush(self, deadline: Deadline, *, hurry: bool = False) -> OutputUnwritable | None:
        """Retry the pending writes for the last time; return the error that names what is missing, None if nothing is.

        Waits for a locked record until the deadline, 10 s at most, and half a second at least, which is all in a
        `hurry`.
        """
        until = self._clock.monotonic() + max(0.0 if hurry else deadline.left(FLUSH_TIMEOUT), MIN_FLUSH_TIME)
        while self._pending:
            self._write_pending(0.0, until)
            if not isinstance(self._failure, Locked) or self._clock.monotonic() >= until:
                break
            self._clock.sleep(0.05)
        return self.lacking()

    def unwritten_ids(self) -> list[str]:
        """Return the ids of the service that are only in memory (drill J05)."""
        return [one.job_id for one in list(self._pending.values()) if one.job_id is not None]

    def cache(self, record: Record) -> None:
        """Cache a record for when the file cannot be read."""
        self._known[record.seq] = record

    def record(self, seq: int) -> Record | None:
        """Return a job as it is on record, or was when last read, with its pending writes.

        None for a job that another process forgot (F-B10).
        """
        try:
            found = self._ledger.find_by_seq(seq, lock_timeout=LOCK_TIMEOUT if self._failure is None else 0.0)
        except RecordError:
            found = self._known.get(seq)
        if found is None:
            return None
        self._known[seq] = found
        for pending in list(self._pending.values()):
            if pending.seq == seq:
                found = pending.change(found)
        return found

    def _write_pending(self, lock_timeout: float, until: float = math.inf) -> None:
        """Do the pending writes in order, up to the first failure, or until the monotonic clock reads `until`."""
        failed: list[RecordError] = []
        with self._writing:
            self._tried_at = self._clock.monotonic()
            for key, pending in list(self._pending.items()):
                try:
                    pending.work(lock_timeout=lock_timeout)
                except Conflict as conflict:
                    # A retry does not help; for a forgotten row nothing is missing (R-B5).
                    if pending.job_id is not None and not isinstance(conflict, Forgotten):
                        self._refused.append(conflict)
                        failed.append(conflict)
                except RecordError as error:
                    self._failure = error
                    failed.append(error)
                    break
                # A newer write may have replaced it meanwhile.
                if self._pending.get(key) is pending:
                    del self._pending[key]
                if self._clock.monotonic() >= until:
                    break
            if not self._pending:
                self._failure = None
        if failed and not self._reported:
            self._reported = True
            tries = "" if isinstance(failed[0], Conflict) else " and keeps trying to write it down"
            self._on_trouble(RecordError(f"{failed[0].message} orvideo goes on{tries}."))

    def lacking(self) -> OutputUnwritable | None:
        """Return the error for an incomplete record, with the command that completes it; None if it is complete."""
        pending = sorted(self._pending.values(), key=lambda one: one.job_id is None)
        ids = [one.job_id for one in pending if one.job_id is not None]
        if not pending:
            return OutputUnwritable(self._refused[0].message) if self._refused else None
        lacking = [f"of {self._name(one.seq)}, {one.missing}" for one in pending[: max(MAX_NAMED, len(ids))]]
        if len(pending) > len(lacking):
            lacking.append(f"and {len(pending) - len(lacking)} more")
        why = self._failure.message if self._failure else f"There was no time to bring {self._ledger.path} up to date."
        adopting = "; ".join(map(self._adopting, pending[: len(ids)]))
        return OutputUnwritable(f"{why} The record lacks: {'; '.join(lacking)}.", hint=adopting or None)

    def _adopting(self, one: PendingWrite) -> str:
        """Return the command that puts an id on record which is only in memory, as a shell reads it (X03)."""
        known = self._known.get(one.seq)
        where = " --sandbox" if known is not None and known.endpoint == SANDBOX else ""
        return f"orvideo jobs adopt{where} {shells.word(one.job_id or '')}"

    def _name(self, seq: int) -> str:
        """Return the name of a job, as far as it is in memory."""
        known = self._known.get(seq)
        return known.name if known else f"job number {seq}"


def _replacing(**fields: Any) -> Callable[[Record], Record]:
    return lambda record: record._replace(**fields)
