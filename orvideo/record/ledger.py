"""The record of jobs: what makes sure that nothing paid for is lost and nothing is bought twice.

One SQLite file in WAL mode with `synchronous=FULL`. Every method that writes is one transaction, and what it wrote is
on the disk when it returns; a signal in the middle leaves the state before or the state after (drill S10). One
`Ledger` may be used by many threads, which take turns on its one connection; many processes may use one file.

The state of a submit only moves along these lines (drill J03)::

    prepared ──> sending ──> submitted
       ^  │         │  └───> unknown ───> submitted   (an id turned up after all)
       │  │         ├──────> not_sent ──> submitted
       │  └─────────┼──────> not_sent                 (the service refused, or was never reached)
       └────────────┘                                 (the service said "not now")

"unknown" never becomes "not sent": only a person can know that, and forgets the job.
"""

import json
import os
import random
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar, Unpack

from orvideo.clock import Clock
from orvideo.errors import RecordError, UsageError
from orvideo.record import evidence, lookup
from orvideo.record.batch_rules import refuse_overrun, refuse_taken
from orvideo.record.file import Unwritable, is_busy, open_file, open_to_read, translate
from orvideo.record.owner import Owner
from orvideo.record.rows import (
    Conflict,
    Viewpoint,
    columns_of,
    count_outputs,
    document,
    error_text,
    extra_document,
    insert,
    load,
    micros,
    news_in,
    path_in,
    path_out,
    require,
    row_of,
    stored,
    text,
    update,
)
from orvideo.record.values import (
    Intent,
    Output,
    Record,
    ResumeState,
    Seen,
    Shape,
    Spending,
    State,
    Typical,
    redact_request,
)

Answer = TypeVar("Answer")
Records = list[Record]

#: How much of a raw answer is kept until its id is on record (drill M09), in bytes.
MOST_ANSWER = 64 * 1024
#: A job's time counts as evidence when its end was seen this soon after the look before, in microseconds.
WATCHED_GAP = 15_000_000
#: How often what a reply has beyond the model is written when nothing else in it changes, in microseconds: some
#: services count something up in it, and each write waits for the disk.
EXTRA_EVERY = 60_000_000
#: How long a write waits for another process once there is hurry, in seconds.
IN_A_HURRY = 0.3


class _LastLook(NamedTuple):
    """When this process last looked at a job and last compared it with the record (microseconds), and what it saw."""

    at: int
    compared: int
    columns: dict[str, Any]

    def says_all(self, columns: Mapping[str, Any], now: int) -> bool:
        """Return whether a look that saw `columns` need not be compared with the record."""
        changed = {name for name, value in columns.items() if self.columns[name] != value}
        return not changed or (changed == {"extra"} and 0 <= now - self.compared < EXTRA_EVERY)


class Ledger:
    """The record in one file; made, private and whole, where there is none.

    `lock_timeout` is how long, in seconds, another process may be in the way; `patience` is that of one write. Every
    method raises RecordError, naming the file, when the record cannot be read or written. `warnings` holds what a
    person should know of the file. With `must_write` off, a record that cannot be written (a full disk, no rights) is
    read from a copy in memory: then `read_only` is true, and a method that writes raises unless it can be by now.
    """

    def __init__(
        self, path: Path, *, clock: Clock | None = None, lock_timeout: float = 10.0, must_write: bool = True
    ) -> None:
        self.path = Path(os.path.abspath(path))
        self.clock = clock or Clock()
        self._lock_timeout = lock_timeout
        self._hurried = False
        self._lock = threading.Lock()
        self._me = Owner.current()
        self._looks: dict[int, _LastLook] = {}
        self._unwritable: Unwritable | None = None
        self._connection: sqlite3.Connection | None = None
        try:
            connection, self.warnings = open_file(self.path, self._patiently)
        except Unwritable as why:
            if must_write:
                raise
            connection, self.warnings = open_to_read(self.path, why)
            self._unwritable = why
        self._take(connection)

    def _take(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was written is on the disk already."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    def hurry(self) -> None:
        """Let nothing wait for another process any more; takes no lock, so that a signal's handler may call it."""
        self._hurried = True

    @property
    def read_only(self) -> bool:
        """Whether the record can only be read."""
        return self._unwritable is not None

    # The submit: each step is on the disk before the next one is taken.

    def prepare(self, intent: Intent) -> int:
        """Write down what is about to be sent, without the data in it, and return the row's number.

        While a row of a batch has a job that may have been bought and did not fail, another is refused with
        RecordError, whichever process asks. With `max_total`, MoneyError is raised when the batch might cost more with
        this job, or when that cannot be known (drill B13).
        """
        row = row_of(intent, self._me, self._now())

        def work(connection: sqlite3.Connection) -> int:
            if intent.batch is not None:
                refuse_taken(connection, row, self._view())
                if intent.max_total is not None:
                    refuse_overrun(connection, row, intent.max_total, self._view())
            return insert(connection, row)

        return self._write(work)

    def sending(self, seq: int) -> None:
        """Write down that the request may touch the wire from now on. Raises RecordError if it must not be sent."""
        self._move(seq, State.SENDING, {State.PREPARED}, sending_at=self._now(), owner=self._me.as_text())

    def answered(self, seq: int, status: int, raw: bytes, *, patience: float | None = None) -> None:
        """Keep the raw answer (its first 64 KiB, already free of secrets) until an id is on record."""
        self._write(
            lambda connection: connection.execute(
                "UPDATE jobs SET answer_status = ?, answer = ? WHERE seq = ? AND state <> 'submitted'",
                (status, raw[:MOST_ANSWER], seq),
            ),
            patience,
        )

    def submitted(
        self,
        seq: int,
        job_id: str,
        *,
        status: str | None = None,
        generation_id: str | None = None,
        extra: Mapping[str, Any] | None = None,
        patience: float | None = None,
    ) -> None:
        """Write down the service's id, from whatever state the submit was in; the raw answer is dropped.

        Raises Conflict when the row is gone, has another id, or another submit to the same endpoint has this one.
        """
        known = text(job_id) or ""

        def work(connection: sqlite3.Connection) -> str | None:
            row = require(connection, seq)
            if row["job_id"] not in (None, known):
                raise Conflict(f"Job {row['handle']} has the id {row['job_id']} on record already, not {known}.")
            if row["state"] == State.SUBMITTED:
                return None
            now = self._now()
            trouble = _give_way(connection, row, known)
            if trouble:
                update(connection, seq, state=State.UNKNOWN, error=trouble, updated_at=now)
                return trouble
            said = {"status": text(status), "generation_id": text(generation_id), "extra": extra_document(extra)}
            written: dict[str, Any] = {column: value for column, value in said.items() if value is not None}
            written |= {"job_id": known, "state": State.SUBMITTED, "answer": None, "answer_status": None, "error": None}
            written["submitted_at"] = row["sending_at"] or now
            update(connection, seq, **written, updated_at=now)
            count_outputs(connection, seq)
            return None

        trouble = self._write(work, patience)
        if trouble:
            raise Conflict(trouble)

    def not_sent(
        self, seq: int, reason: str, *, refused_with: int | None = None, patience: float | None = None
    ) -> None:
        """Write down that nothing was bought, and why: the service refused with this status, or was never reached.

        For a request that is on the wire only the process that sent it can say so. Raises Conflict otherwise.
        """
        allowed = {State.PREPARED, State.SENDING, State.NOT_SENT}
        why = {"error": error_text(reason), "answer": None, "answer_status": refused_with}
        self._move(seq, State.NOT_SENT, allowed, patience, **why)

    def refused_for_now(self, seq: int) -> None:
        """Write down that the service took nothing and may be asked again: back to prepared."""
        self._move(seq, State.PREPARED, {State.PREPARED, State.SENDING}, answer=None, answer_status=None)

    def outcome_unknown(self, seq: int, reason: str, *, patience: float | None = None) -> None:
        """Write down that the request was sent and no readable answer came, and why; the raw answer is kept."""
        allowed = {State.PREPARED, State.SENDING, State.UNKNOWN}
        self._move(seq, State.UNKNOWN, allowed, patience, error=error_text(reason))

    # What is seen and saved afterwards. A job that another process forgot meanwhile is passed over in silence.

    def looked(self, seq: int, seen: Seen, *, patience: float | None = None) -> None:
        """Write down what the service says of a job now; what it leaves out stays as it was, but for the error.

        A job that is at its end stays there, whatever a later look says (drill P08). The time of the first look that is
        final is the job's end. A look after the first one writes only what is new.
        """
        columns, now = columns_of(seen), micros(seen.at) if seen.at else self._now()
        last = self._looks.get(seq)
        if last is not None and last.says_all(columns, now):
            self._looks[seq] = last._replace(at=now)
            return

        def work(connection: sqlite3.Connection) -> None:
            row = stored(connection, seq)
            if row is None:
                return
            news = news_in(columns, row)
            if seen.final and not row["final"]:
                before = max(last.at if last else 0, row["looked_at"] or 0)
                news |= {"ended_at": now, "watched": _was_watched(row, before, now)}
            update(connection, seq, **news, looked_at=now, updated_at=now)
            count_outputs(connection, seq)

        row = self._read(lambda connection: stored(connection, seq), patience)
        if row is not None and (row["looked_at"] is None or news_in(columns, row)):
            self._write(work, patience)
        if seen.final:
            self._looks.pop(seq, None)
        else:
            self._looks[seq] = _LastLook(now, now, columns)

    def output_saved(self, seq: int, output: Output, *, patience: float | None = None) -> None:
        """Write down a saved output, in place of what was on record of it; its partial download is over.

        Then it is not true any more that the job made none.
        """
        saved_at = micros(output.saved_at) if output.saved_at else self._now()

        def work(connection: sqlite3.Connection) -> None:
            row = stored(connection, seq)
            if row is None:
                return
            connection.execute(
                "INSERT OR REPLACE INTO outputs (seq, number, path, bytes, sha256, saved_at) VALUES (?, ?, ?, ?, ?, ?)",
                (seq, output.index, path_in(output.path), output.bytes, output.sha256, saved_at),
            )
            _forget_partial(connection, seq, output.index)
            update(connection, seq, expected_outputs=row["expected_outputs"] or None, updated_at=self._now())
            count_outputs(connection, seq)

        self._write(work, patience)

    def made_nothing(self, seq: int, reason: str, *, patience: float | None = None) -> None:
        """Write down that a completed job has no video, and why: there is nothing left to fetch (finding D10)."""

        def work(connection: sqlite3.Connection) -> None:
            update(connection, seq, expected_outputs=0, error=error_text(reason), updated_at=self._now())
            count_outputs(connection, seq)

        self._write(work, patience)

    def set_target(self, seq: int, target: str | None, *, patience: float | None = None) -> None:
        """Remember where a job's videos are to be saved."""
        written = {"target": path_in(target), "updated_at": self._now()}
        self._write(lambda connection: update(connection, seq, **written), patience)

    def resume_state(self, seq: int, index: int, *, patience: float | None = None) -> ResumeState | None:
        """Return what is needed to go on with a partial download, None when there is none."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT part, etag, total, sha256, path FROM partial_downloads WHERE seq = ? AND number = ?",
                (seq, index),
            ).fetchone(),
            patience,
        )
        if row is None:
            return None
        part, etag, total, sha256, path = row
        return ResumeState(path_out(part) or "", etag, total, sha256, path_out(path))

    def set_resume_state(self, seq: int, index: int, state: ResumeState, *, patience: float | None = None) -> None:
        """Remember how a partial download can be gone on with."""

        def work(connection: sqlite3.Connection) -> None:
            if stored(connection, seq) is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO partial_downloads (seq, number, part, etag, total, sha256, path) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        seq,
                        index,
                        path_in(state.part),
                        text(state.etag),
                        state.total,
                        state.sha256,
                        path_in(state.path),
                    ),
                )

        self._write(work, patience)

    def clear_resume_state(self, seq: int, index: int, *, patience: float | None = None) -> None:
        """Forget a partial download."""
        self._write(lambda connection: _forget_partial(connection, seq, index), patience)

    # Jobs from elsewhere, and jobs to be forgotten.

    def adopt(self, job_id: str, *, endpoint: str) -> Record:
        """Put a job that was submitted elsewhere on record, or return it where it is there; its request is unknown."""
        now = self._now()
        row = {
            "job_id": text(job_id),
            "endpoint": text(endpoint),
            "state": State.SUBMITTED,
            "created_at": now,
            "updated_at": now,
            "request": "{}",
        }

        def work(connection: sqlite3.Connection) -> int:
            there = connection.execute(
                "SELECT seq FROM jobs WHERE job_id = ? AND endpoint = ?", (row["job_id"], row["endpoint"])
            ).fetchone()
            return insert(connection, row) if there is None else int(there["seq"])

        return self.get(self._write(work))

    def forget(self, seq: int) -> None:
        """Remove a job from the record, not its files. Whether it may go is for the caller to decide."""
        self._write(lambda connection: connection.execute("DELETE FROM jobs WHERE seq = ?", (seq,)))

    # Reading.

    def get(self, seq: int) -> Record:
        """Return a job by its number in the record; UsageError when it was forgotten."""
        found = self.peek(seq)
        if found is None:
            raise UsageError("The job is not in the record any more: it was forgotten.", hint="orvideo jobs")
        return found

    def peek(self, seq: int, *, patience: float | None = None) -> Record | None:
        """Return a job by its number in the record, None when another process forgot it meanwhile (R-B5, F-B10)."""
        found = self._read(lambda connection: load(connection, [seq], self._view()), patience)
        return found[0] if found else None

    def find(self, ref: str) -> Record:
        """Return the job that `ref` stands for: an id, a unique prefix (four characters or more), `@N` or `@last`.

        The local handle does as well. Raises UsageError with up to five candidates, or when there is none.
        """
        return self._read(lambda connection: lookup.find(connection, ref, self._view()))

    def list(self, *, limit: int | None = None, **wanted: Unpack[lookup.Filter]) -> Records:
        """Return jobs, newest first, at most `limit`; `lookup.Filter` says what passes."""
        return self._read(lambda connection: lookup.select(connection, wanted, limit, self._view()))

    def positions(self, most: int = 1000) -> dict[str, int]:
        """Return the N of @N of the newest jobs, by handle."""
        return self._read(lambda connection: lookup.positions(connection, most))

    def rows_of_batch(self, batch: str) -> Records:
        """Return every job of a batch, oldest first: a row that was submitted again has several."""
        return self.list(batch=batch)[::-1]

    def sent_lately(
        self, requests: Iterable[Mapping[str, Any]], endpoint: str, since: datetime, *, labelled: bool = False
    ) -> Records:
        """Return the jobs that asked for one of these videos, newest first: since a time, or with an unknown outcome.

        What the provider does not get, such as `user`, makes no difference unless `labelled` (finding A12).
        """
        sent = self._read(lambda connection: lookup.sent_lately(connection, endpoint, since, labelled=labelled))
        plains = (json.loads(document(redact_request(one))) for one in requests) if sent else ()
        wishes = {lookup.wish(plain, labelled=labelled) for plain in plains}
        seqs = [seq for seq, wish in sent if wish in wishes]
        return self._read(lambda connection: load(connection, seqs, self._view())) if seqs else []

    def same_rows(self, keys: Collection[str], batch: str, endpoint: str) -> Records:
        """Return the jobs that other batches at an endpoint bought for rows with these keys, oldest first."""

        def work(connection: sqlite3.Connection) -> Records:
            return load(connection, lookup.same_rows(connection, keys, batch, endpoint), self._view())

        return self._read(work)

    def dearest(self, shape: Shape, endpoint: str) -> Decimal | None:
        """Return the dearest bill of jobs that one of this shape costs as much as, or more, USD (finding A05)."""
        return self._read(lambda connection: evidence.dearest(connection, shape, endpoint))

    def typical(self, shape: Shape, endpoint: str) -> Typical:
        """Return what the 50 newest finished jobs of a shape (`values.shape_of`) cost and took at an endpoint."""
        return self._read(lambda connection: evidence.typical(connection, shape, endpoint))

    def spent(
        self, by: evidence.By, *, limit: int | None = None, **wanted: Unpack[lookup.Filter]
    ) -> tuple[Spending, ...]:
        """Return what the jobs that `list` would return cost: by model (dearest first), day or month (newest first)."""

        def work(connection: sqlite3.Connection) -> list[Spending]:
            view = self._view()
            rows = lookup.passing(connection, wanted, limit, view, evidence.SPENT_COLUMNS)
            return evidence.spent(rows, by, view)

        return tuple(self._read(work))

    def count(self) -> int:
        """Return how many jobs are on record."""
        return int(self._read(lambda connection: connection.execute("SELECT count(*) FROM jobs").fetchone()[0]))

    def check(self) -> tuple[str, ...]:
        """Read the whole file and return what is wrong with it; nothing when it is sound."""
        rows = self._read(lambda connection: connection.execute("PRAGMA quick_check").fetchall())
        return tuple(row[0] for row in rows if row[0] != "ok")

    # How all of the above reaches the file.

    def _now(self) -> int:
        return micros(self.clock.now())

    def _view(self) -> Viewpoint:
        return Viewpoint(self._me, self._now())

    def require_writable(self) -> None:
        """Raise Unwritable, which says why, where the record can only be read."""
        if self._unwritable is not None:
            raise self._unwritable

    def _move(self, seq: int, to: State, allowed: set[State], patience: float | None = None, **written: Any) -> None:
        """Move a submit on to another state; raises Conflict when it is not in one of those it may come from."""

        def work(connection: sqlite3.Connection) -> None:
            row = require(connection, seq)
            state = State(row["state"])
            foreign = state is State.SENDING and Owner.from_text(row["owner"]) != self._me
            if state not in allowed or (foreign and to is not State.UNKNOWN):
                raise Conflict(f"Job {row['job_id'] or row['handle']} is on record as {state}; it cannot become {to}.")
            update(connection, seq, state=to, updated_at=self._now(), **written)

        self._write(work, patience)

    def _write(self, work: Callable[[sqlite3.Connection], Answer], patience: float | None = None) -> Answer:
        """Do `work` in one transaction that is on the disk when this returns."""
        if self._unwritable is not None:
            self._open_to_write()
        return self._transaction("BEGIN IMMEDIATE", work, patience)

    def _read(self, work: Callable[[sqlite3.Connection], Answer], patience: float | None = None) -> Answer:
        """Do `work` on one state of the record, whatever others write meanwhile."""
        return self._transaction("BEGIN", work, patience)

    def _open_to_write(self) -> None:
        """Go on with the file itself where it was read from a copy; raises Unwritable as long as it must be."""
        with self._lock:
            if self._unwritable is not None and self._connection is not None:
                if not self.path.exists():
                    raise self._unwritable
                connection, _ = open_file(self.path, lambda step: self._patiently(step, 0.0))
                self._connection.close()
                self._take(connection)
                self._unwritable = None

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], Answer], patience: float | None) -> Answer:
        def attempt() -> Answer:
            # Not held while another process is waited for: the threads beside this one go on (R-B9).
            with self._lock:
                connection = self._connection
                if connection is None:
                    raise RecordError(f"The record {self.path} was closed.")
                try:
                    connection.execute(begin)
                    answer = work(connection)
                    connection.execute("COMMIT")
                    return answer
                except BaseException:
                    # Also for a signal's exception: half a transaction must not lie in wait for the next one.
                    with suppress(sqlite3.Error):
                        if connection.in_transaction:
                            connection.execute("ROLLBACK")
                    raise

        return self._patiently(attempt, patience)

    def _patiently(self, attempt: Callable[[], Answer], patience: float | None = None) -> Answer:
        """Run `attempt`, again and again while another process holds the file (drill J06).

        The waiting is done here and not in SQLite, where neither a signal nor `hurry` would be heard.
        """
        most = self._lock_timeout if patience is None else patience
        began = self.clock.monotonic()
        pause = 0.001
        while True:
            try:
                return attempt()
            except sqlite3.Error as error:
                limit = min(most, IN_A_HURRY) if self._hurried else most
                if not is_busy(error) or self.clock.monotonic() - began >= limit:
                    raise translate(self.path, error) from error
            self.clock.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads processes out, hides nothing
            pause = min(pause * 2, 0.05)


def _give_way(connection: sqlite3.Connection, row: sqlite3.Row, job_id: str) -> str | None:
    """Make room for an id: a row that only adopted it is folded into this one. Return why not, where it cannot be."""
    other = connection.execute(
        "SELECT seq, handle, request FROM jobs WHERE job_id = ? AND endpoint = ? AND seq <> ?",
        (job_id, row["endpoint"], row["seq"]),
    ).fetchone()
    if other is None:
        return None
    if other["request"] != "{}":
        return f"The service gave {row['handle']} the id {job_id}, which it had given to {other['handle']} before."
    for table in ("outputs", "partial_downloads"):
        connection.execute(f"UPDATE {table} SET seq = ? WHERE seq = ?", (row["seq"], other["seq"]))  # noqa: S608
    connection.execute("DELETE FROM jobs WHERE seq = ?", (other["seq"],))
    return None


def _forget_partial(connection: sqlite3.Connection, seq: int, index: int) -> None:
    connection.execute("DELETE FROM partial_downloads WHERE seq = ? AND number = ?", (seq, index))


def _was_watched(row: sqlite3.Row, last_look: int, now: int) -> bool:
    """Return whether a job's end was seen soon enough after it happened for its time to be worth anything."""
    submitted_at: int | None = row["submitted_at"]
    if submitted_at is None:
        return False
    gap, total = now - max(last_look, submitted_at), now - submitted_at
    return gap >= 0 and (gap <= WATCHED_GAP or gap * 5 <= total)
