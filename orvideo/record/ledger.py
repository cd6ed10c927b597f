"""Writing the record of jobs, so that nothing paid for is lost and nothing is bought twice.

One SQLite file in WAL mode with `synchronous=FULL`. Every method that writes is one transaction, which is on the disk
when the method returns; a signal in the middle leaves the state before or the state after (drill S10). Many threads
may use one `Ledger`, and many processes one file.

The transitions of a submit's state (drill J03)::

    prepared ──> sending ──> submitted
       ^  │         │  └───> unknown ───> submitted   (an id turned up after all)
       │  │         ├──────> not_sent ──> submitted
       │  └─────────┼──────> not_sent                 (the service refused, or was never reached)
       └────────────┘                                 (the service said "not now")

"unknown" never becomes "not sent": only a person can find that out, and then forgets the job.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from orvideo.clock import Clock
from orvideo.record.batch_rules import refuse_duplicate_row, refuse_over_limit
from orvideo.record.owner import Owner
from orvideo.record.reader import RecordReader
from orvideo.record.rows import (
    Conflict,
    changed_columns,
    count_outputs,
    cut_error,
    extra_json,
    find_row,
    insert_job,
    mark_columns,
    new_row,
    observation_columns,
    path_from_column,
    path_to_column,
    require_row,
    text,
    to_micros,
    update_job,
)
from orvideo.record.values import Marking, Observation, Output, Record, ResumeState, State, Submission

#: How much of a raw answer is kept until its id is on record (drill M09), in bytes.
MAX_ANSWER = 64 * 1024
#: A job's duration is known when its end was seen this soon after the poll before, in microseconds.
WATCHED_GAP = 15_000_000
#: How often unmodelled fields of a reply are written when nothing else changes, in microseconds: some services have a
#: counter in them, and each write waits for the disk.
EXTRA_EVERY = 60_000_000


class _LastObservation(NamedTuple):
    """The last observation of a job by this process: its columns, its time, and that of the last comparison with the
    record (microseconds)."""

    at: int
    compared: int
    columns: dict[str, Any]

    def covers(self, columns: Mapping[str, Any], now: int) -> bool:
        """Return whether a new observation with these columns need not be compared with the record."""
        changed = {name for name, value in columns.items() if self.columns[name] != value}
        return not changed or (changed == {"extra"} and 0 <= now - self.compared < EXTRA_EVERY)


class Ledger(RecordReader):
    """The record of jobs; see `Database` for how it is opened, and `RecordReader` for what it returns."""

    def __init__(
        self, path: Path, *, clock: Clock | None = None, lock_timeout: float = 10.0, must_write: bool = True
    ) -> None:
        super().__init__(path, clock=clock, lock_timeout=lock_timeout, must_write=must_write)
        self._last_observations: dict[int, _LastObservation] = {}

    # The submit: each state is on the disk before the next step

    def prepare(self, submission: Submission) -> int:
        """Record what is about to be sent, without data URLs, and return the row's number.

        Raises RecordError for a row of a batch that has a job already, unless that one failed or was not bought. With
        `max_total`, MoneyError is raised when the batch might cost more with this job, or when that cannot be known
        (drill B13).
        """
        row = new_row(submission, self._me, self._now())

        def work(connection: sqlite3.Connection) -> int:
            if submission.batch is not None:
                refuse_duplicate_row(connection, row, self._context())
                if submission.max_total is not None:
                    refuse_over_limit(connection, row, submission.max_total, self._context())
            return insert_job(connection, row)

        return self._write(work)

    def sending(self, seq: int) -> None:
        """Record that the request may be sent from now on. Raises RecordError if it must not be sent."""
        self._transition(seq, State.SENDING, {State.PREPARED}, sending_at=self._now(), owner=self._me.as_text())

    def answered(self, seq: int, status: int, raw: bytes, *, lock_timeout: float | None = None) -> None:
        """Keep the raw answer (its first 64 KiB, already free of secrets) until an id is on record."""
        self._write(
            lambda connection: connection.execute(
                "UPDATE jobs SET answer_status = ?, answer = ? WHERE seq = ? AND state <> 'submitted'",
                (status, raw[:MAX_ANSWER], seq),
            ),
            lock_timeout,
        )

    def submitted(
        self,
        seq: int,
        job_id: str,
        *,
        status: str | None = None,
        generation_id: str | None = None,
        extra: Mapping[str, Any] | None = None,
        lock_timeout: float | None = None,
    ) -> None:
        """Record the service's id, whatever the state of the submit was; the raw answer is dropped.

        Raises Conflict when the row is gone or has another id, or another submit to the same endpoint has this id.
        """
        known = text(job_id) or ""

        def work(connection: sqlite3.Connection) -> str | None:
            row = require_row(connection, seq)
            if row["job_id"] not in (None, known):
                raise Conflict(f"Job {row['handle']} has the id {row['job_id']} on record already, not {known}.")
            if row["state"] == State.SUBMITTED:
                return None
            now = self._now()
            trouble = _merge_adopted_row(connection, row, known)
            if trouble:
                update_job(connection, seq, state=State.UNKNOWN, error=trouble, updated_at=now)
                return trouble
            said = {"status": text(status), "generation_id": text(generation_id), "extra": extra_json(extra)}
            written: dict[str, Any] = {column: value for column, value in said.items() if value is not None}
            written |= {"job_id": known, "state": State.SUBMITTED, "answer": None, "answer_status": None, "error": None}
            written["submitted_at"] = row["sending_at"] or now
            update_job(connection, seq, **written, updated_at=now)
            count_outputs(connection, seq)
            return None

        trouble = self._write(work, lock_timeout)
        if trouble:
            raise Conflict(trouble)

    def not_sent(
        self, seq: int, reason: str, *, refused_with: int | None = None, lock_timeout: float | None = None
    ) -> None:
        """Record that nothing was bought, and why; `refused_with` is the status of a refusal.

        Raises Conflict where the request was sent, or another process may be sending it.
        """
        allowed = {State.PREPARED, State.SENDING, State.NOT_SENT}
        why = {"error": cut_error(reason), "answer": None, "answer_status": refused_with}
        self._transition(seq, State.NOT_SENT, allowed, lock_timeout, **why)

    def refused_for_now(self, seq: int) -> None:
        """Record that the service refused for now and may be asked again: back to prepared."""
        self._transition(seq, State.PREPARED, {State.PREPARED, State.SENDING}, answer=None, answer_status=None)

    def outcome_unknown(self, seq: int, reason: str, *, lock_timeout: float | None = None) -> None:
        """Record that the request was sent and no readable answer came, and why; the raw answer is kept."""
        allowed = {State.PREPARED, State.SENDING, State.UNKNOWN}
        self._transition(seq, State.UNKNOWN, allowed, lock_timeout, error=cut_error(reason))

    # After the submit. Nothing is written, or raised, for a job that another process has forgotten.

    def observed(self, seq: int, observation: Observation, *, lock_timeout: float | None = None) -> None:
        """Record what the service says of a job; what it leaves out stays as it was, except for the error.

        A job that has ended stays at its end, whatever a later observation says (drill P08). It ends at its first final
        observation. After the first observation only changes are written.
        """
        columns, now = observation_columns(observation), to_micros(observation.at) if observation.at else self._now()
        last = self._last_observations.get(seq)
        if last is not None and last.covers(columns, now):
            self._last_observations[seq] = last._replace(at=now)
            return

        def work(connection: sqlite3.Connection) -> None:
            row = find_row(connection, seq)
            if row is None:
                return
            news = changed_columns(columns, row)
            if observation.final and not row["final"]:
                before = max(last.at if last else 0, row["looked_at"] or 0)
                news |= {"ended_at": now, "watched": _was_watched(row, before, now)}
            update_job(connection, seq, **news, looked_at=now, updated_at=now)
            count_outputs(connection, seq)

        row = self._read(lambda connection: find_row(connection, seq), lock_timeout)
        if row is not None and (row["looked_at"] is None or changed_columns(columns, row)):
            self._write(work, lock_timeout)
        if observation.final:
            self._last_observations.pop(seq, None)
        else:
            self._last_observations[seq] = _LastObservation(now, now, columns)

    def output_saved(self, seq: int, output: Output, *, lock_timeout: float | None = None) -> None:
        """Record a saved output, which replaces an earlier one and its resume state.

        Then it is no longer on record that the job made none.
        """
        saved_at = to_micros(output.saved_at) if output.saved_at else self._now()

        def work(connection: sqlite3.Connection) -> None:
            row = find_row(connection, seq)
            if row is None:
                return
            connection.execute(
                "INSERT OR REPLACE INTO outputs (seq, number, path, bytes, sha256, saved_at) VALUES (?, ?, ?, ?, ?, ?)",
                (seq, output.index, path_to_column(output.path), output.bytes, output.sha256, saved_at),
            )
            _forget_partial(connection, seq, output.index)
            update_job(connection, seq, expected_outputs=row["expected_outputs"] or None, updated_at=self._now())
            count_outputs(connection, seq)

        self._write(work, lock_timeout)

    def made_nothing(self, seq: int, reason: str, *, lock_timeout: float | None = None) -> None:
        """Record that a completed job has no video, and why (finding D10)."""

        def work(connection: sqlite3.Connection) -> None:
            update_job(connection, seq, expected_outputs=0, error=cut_error(reason), updated_at=self._now())
            count_outputs(connection, seq)

        self._write(work, lock_timeout)

    def set_target(self, seq: int, target: str | None, *, lock_timeout: float | None = None) -> None:
        """Record where a job's videos are to be saved."""
        written = {"target": path_to_column(target), "updated_at": self._now()}
        self._write(lambda connection: update_job(connection, seq, **written), lock_timeout)

    def resume_state(self, seq: int, index: int, *, lock_timeout: float | None = None) -> ResumeState | None:
        """Return the state of a partial download, None when there is none."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT part, etag, total, sha256, path FROM partial_downloads WHERE seq = ? AND number = ?",
                (seq, index),
            ).fetchone(),
            lock_timeout,
        )
        if row is None:
            return None
        part, etag, total, sha256, path = row
        return ResumeState(path_from_column(part) or "", etag, total, sha256, path_from_column(path))

    def set_resume_state(self, seq: int, index: int, state: ResumeState, *, lock_timeout: float | None = None) -> None:
        """Record the state of a partial download."""

        part, path = path_to_column(state.part), path_to_column(state.path)
        values = (seq, index, part, text(state.etag), state.total, state.sha256, path)

        def work(connection: sqlite3.Connection) -> None:
            if find_row(connection, seq) is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO partial_downloads (seq, number, part, etag, total, sha256, path) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    values,
                )

        self._write(work, lock_timeout)

    def clear_resume_state(self, seq: int, index: int, *, lock_timeout: float | None = None) -> None:
        """Remove the state of a partial download."""
        self._write(lambda connection: _forget_partial(connection, seq, index), lock_timeout)

    # Marks, jobs of other programs, and jobs to be forgotten

    def set_mark(self, seq: int, mark: str | None = None, note: str | None = None) -> None:
        """Mark one job, see `set_marks`."""
        self.set_marks([Marking(seq, mark, note)])

    def set_marks(self, markings: Iterable[Marking]) -> None:
        """Record what a person thinks of jobs: all of it or, where a job is not there any more, nothing.

        A note is one line. Raises UsageError for an unknown mark or a note that is too long.
        """
        written = [(one.seq, mark_columns(one)) for one in markings]

        def work(connection: sqlite3.Connection) -> None:
            for seq, columns in written:
                require_row(connection, seq)
                if columns:
                    update_job(connection, seq, **columns)

        self._write(work)

    def adopt(self, job_id: str, *, endpoint: str, profile: str | None = None) -> Record:
        """Return the record of a job that was submitted elsewhere, added if it is missing; its request is unknown."""
        now = self._now()
        row = {
            "job_id": text(job_id),
            "endpoint": text(endpoint),
            "profile": text(profile),
            "state": State.SUBMITTED,
            "created_at": now,
            "updated_at": now,
            "request": "{}",
        }

        def work(connection: sqlite3.Connection) -> int:
            there = connection.execute(
                "SELECT seq FROM jobs WHERE job_id = ? AND endpoint = ?", (row["job_id"], row["endpoint"])
            ).fetchone()
            return insert_job(connection, row) if there is None else int(there["seq"])

        return self.get(self._write(work))

    def forget(self, seq: int) -> None:
        """Remove a job from the record, not its files. The caller decides whether it may be removed."""
        self._write(lambda connection: connection.execute("DELETE FROM jobs WHERE seq = ?", (seq,)))

    def _transition(
        self, seq: int, to: State, allowed: set[State], lock_timeout: float | None = None, **written: Any
    ) -> None:
        """Change the state of a submit; raises Conflict when it is in none of the `allowed` states."""

        def work(connection: sqlite3.Connection) -> None:
            row = require_row(connection, seq)
            state = State(row["state"])
            foreign = state is State.SENDING and Owner.from_text(row["owner"]) != self._me
            if state not in allowed or (foreign and to is not State.UNKNOWN):
                raise Conflict(f"Job {row['job_id'] or row['handle']} is on record as {state}; it cannot become {to}.")
            update_job(connection, seq, state=to, updated_at=self._now(), **written)

        self._write(work, lock_timeout)


def _merge_adopted_row(connection: sqlite3.Connection, row: sqlite3.Row, job_id: str) -> str | None:
    """Merge a row that only adopted this id into `row`; return an error text where another submit has the id."""
    other = connection.execute(
        "SELECT seq, handle, request, mark, note FROM jobs WHERE job_id = ? AND endpoint = ? AND seq <> ?",
        (job_id, row["endpoint"], row["seq"]),
    ).fetchone()
    if other is None:
        return None
    if other["request"] != "{}":
        return f"The service gave {row['handle']} the id {job_id}, which it had given to {other['handle']} before."
    for table in ("outputs", "partial_downloads"):
        connection.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (row["seq"], other["seq"]))  # noqa: S608
    update_job(connection, row["seq"], mark=row["mark"] or other["mark"], note=row["note"] or other["note"])
    connection.execute("DELETE FROM jobs WHERE seq = ?", (other["seq"],))
    return None


def _forget_partial(connection: sqlite3.Connection, seq: int, index: int) -> None:
    connection.execute("DELETE FROM partial_downloads WHERE seq = ? AND number = ?", (seq, index))


def _was_watched(row: sqlite3.Row, last_look: int, now: int) -> bool:
    """Return whether a job's end was seen so soon that its duration is known."""
    submitted_at: int | None = row["submitted_at"]
    if submitted_at is None:
        return False
    gap, total = now - max(last_look, submitted_at), now - submitted_at
    return gap >= 0 and (gap <= WATCHED_GAP or gap * 5 <= total)
