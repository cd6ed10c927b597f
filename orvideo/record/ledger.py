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

import os
import random
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from orvideo.clock import Clock
from orvideo.errors import RecordError, UsageError
from orvideo.record import evidence, lookup
from orvideo.record.batch_rules import refuse_overrun, refuse_taken
from orvideo.record.file import Unwritable, is_busy, open_file, open_to_read, translate
from orvideo.record.owner import Owner
from orvideo.record.rows import (
    Viewpoint,
    count_outputs,
    document,
    error_text,
    extra_document,
    insert,
    load,
    micros,
    path_in,
    path_out,
    quoted_most,
    require,
    stored,
    text,
    update,
)
from orvideo.record.values import (
    Output,
    Record,
    ResumeState,
    Shape,
    Spending,
    State,
    Typical,
    redact_request,
    shape_of,
)

Answer = TypeVar("Answer")
Records = list[Record]

#: How much of a raw answer is kept until its id is on record (drill M09), in bytes.
MOST_ANSWER = 64 * 1024
#: A job's time counts as evidence when its end was seen this soon after the look before, in microseconds.
WATCHED_GAP = 15_000_000


class _Sight(NamedTuple):
    """A look that is on record: when it was, in microseconds, and what it told."""

    at: int
    what: dict[str, Any]


class Ledger:
    """The record in one file; made, private and whole, where there is none.

    `lock_timeout` is how long, in seconds, another process may be in the way. `warnings` holds what a person should
    know of the file. Every method raises RecordError, naming the file, when the record cannot be read or written.
    With `must_write` off, a record that cannot be written (a full disk, no rights) is opened all the same where that
    is safe: then `read_only` is true, and only the methods that write raise.
    """

    def __init__(
        self, path: Path, *, clock: Clock | None = None, lock_timeout: float = 10.0, must_write: bool = True
    ) -> None:
        self.path = Path(os.path.abspath(path))
        self._clock = clock or Clock()
        self._lock_timeout = lock_timeout
        self._lock = threading.Lock()
        self._me = Owner.current()
        #: When this process last looked at a job, and what it saw: a look that brings nothing new is worth no write,
        #: and one that brings the same once more no reading either, which was a quarter of a look's cost.
        self._sights: dict[int, _Sight] = {}
        self._unwritable: Unwritable | None = None
        try:
            connection, self.warnings = open_file(self.path, self._patiently)
        except Unwritable as why:
            if must_write:
                raise
            connection, self.warnings = open_to_read(self.path, why)
            self._unwritable = why
        connection.row_factory = sqlite3.Row
        self._connection: sqlite3.Connection | None = connection

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
                connection.close()

    @property
    def read_only(self) -> bool:
        """Whether the record can only be read."""
        return self._unwritable is not None

    # The submit: each step is on the disk before the next one is taken.

    def prepare(
        self,
        *,
        request: Mapping[str, Any],
        endpoint: str,
        quote: Mapping[str, Any] | None = None,
        target: str | None = None,
        mode: str | None = None,
        max_cost: Decimal | None = None,
        batch: str | None = None,
        row_key: str | None = None,
        row_number: int | None = None,
        max_total: Decimal | None = None,
    ) -> int:
        """Write down that `request` is about to be sent, without the data in it, and return the row's number.

        `quote` is the documented quote object. `row_key` names a row within its `batch`: while that row has a job
        that may have been bought and did not fail, another is refused with RecordError, whichever process asks.
        With `max_total` (USD), MoneyError is raised when the batch might cost more with this job, or when that
        cannot be known (drill B13).
        """
        redacted = redact_request(request)
        shape = shape_of(request)
        prompt = request.get("prompt")
        now = micros(self._clock.now())
        most = quoted_most(quote)
        row: dict[str, Any] = {
            "endpoint": text(endpoint),
            "state": State.PREPARED,
            "created_at": now,
            "updated_at": now,
            "owner": self._me.as_text(),
            "model": text(shape.model),
            "prompt": text(prompt) if isinstance(prompt, str) else None,
            "resolution": text(shape.resolution),
            "duration": shape.duration,
            "audio": shape.audio,
            "mode": text(mode or shape.mode),
            "request": document(redacted),
            "quote": document(quote) if quote is not None else None,
            "quoted_most": str(most) if most is not None else None,
            "max_cost": str(max_cost) if max_cost is not None else None,
            "target": path_in(target),
            "batch": text(batch),
            "row_key": text(row_key),
            "row_number": row_number,
        }

        def work(connection: sqlite3.Connection) -> int:
            if batch is not None and row_key is not None:
                refuse_taken(connection, row, self._view())
            if batch is not None and max_total is not None:
                refuse_overrun(connection, row, max_total, self._view())
            return insert(connection, row)

        return self._write(work)

    def sending(self, seq: int) -> None:
        """Write down that the request may touch the wire from now on. Raises RecordError if it must not be sent."""
        self._move(seq, State.SENDING, {State.PREPARED}, sending_at=self._now(), owner=self._me.as_text())

    def answered(self, seq: int, status: int, raw: bytes) -> None:
        """Keep the raw answer (its first 64 KiB, already free of secrets) until an id is on record."""
        self._write(
            lambda connection: connection.execute(
                "UPDATE jobs SET answer_status = ?, answer = ? WHERE seq = ? AND state <> 'submitted'",
                (status, raw[:MOST_ANSWER], seq),
            )
        )

    def submitted(
        self,
        seq: int,
        job_id: str,
        *,
        status: str | None = None,
        generation_id: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down the service's id, from whatever state the submit was in; the raw answer is dropped.

        Raises RecordError when the row is gone, has another id, or another submit to the same endpoint has this one.
        """
        known = text(job_id) or ""

        def work(connection: sqlite3.Connection) -> str | None:
            row = require(connection, seq)
            if row["job_id"] not in (None, known):
                raise RecordError(f"Job {row['handle']} has the id {row['job_id']} on record already, not {known}.")
            if row["state"] == State.SUBMITTED:
                return None
            trouble = _give_way(connection, row, known)
            now = self._now()
            written = {"status": text(status), "generation_id": text(generation_id), "extra": extra_document(extra)}
            if trouble:
                update(connection, seq, state=State.UNKNOWN, error=trouble, updated_at=now)
                return trouble
            update(
                connection,
                seq,
                job_id=known,
                state=State.SUBMITTED,
                submitted_at=row["submitted_at"] or row["sending_at"] or now,
                updated_at=now,
                error=None,
                answer=None,
                answer_status=None,
                **{column: value for column, value in written.items() if value is not None},
            )
            count_outputs(connection, seq)
            return None

        trouble = self._write(work)
        if trouble:
            raise RecordError(trouble, charged="unknown")

    def not_sent(self, seq: int, reason: str) -> None:
        """Write down that nothing was bought, and why: the service refused, or was never reached.

        For a request that is on the wire only the process that sent it can say so. Raises RecordError otherwise.
        """
        self._move(
            seq,
            State.NOT_SENT,
            {State.PREPARED, State.SENDING, State.NOT_SENT},
            error=error_text(reason),
            answer=None,
            answer_status=None,
        )

    def refused_for_now(self, seq: int) -> None:
        """Write down that the service took nothing and may be asked again: back to prepared."""
        self._move(seq, State.PREPARED, {State.PREPARED, State.SENDING}, answer=None, answer_status=None)

    def outcome_unknown(self, seq: int, reason: str) -> None:
        """Write down that the request was sent and no readable answer came, and why; the raw answer is kept."""
        self._move(seq, State.UNKNOWN, {State.PREPARED, State.SENDING, State.UNKNOWN}, error=error_text(reason))

    # What is seen and saved afterwards. A job that another process forgot meanwhile is passed over in silence.

    def looked(
        self,
        seq: int,
        *,
        status: str | None,
        cost: Decimal | None = None,
        error: str | None = None,
        generation_id: str | None = None,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
        final: bool = False,
        expected_outputs: int | None = None,
    ) -> None:
        """Write down what the service says of a job now; what it leaves out stays as it was, but for the error.

        `final` says that the job is at its end: the time of the first such look is its end. A look that brings
        nothing new writes nothing.
        """
        seen = {
            "final": final,
            "error": error_text(error),
            "status": text(status),
            "cost": str(cost) if cost is not None else None,
            "generation_id": text(generation_id),
            "extra": extra_document(extra),
            "expected_outputs": expected_outputs or None,
        }
        model = text(model)
        now = self._now()
        last, sight = self._sights.get(seq), _Sight(now, {**seen, "model": model})
        if last is not None and last.what == sight.what:
            self._sights[seq] = sight
            return

        def news(row: sqlite3.Row) -> dict[str, Any]:
            lasting = ("status", "cost", "generation_id", "extra", "expected_outputs")
            told = {name: value for name, value in seen.items() if value is not None or name not in lasting}
            if row["model"] is None and model is not None:
                told["model"] = model
            return {name: value for name, value in told.items() if row[name] != value}

        def work(connection: sqlite3.Connection) -> None:
            row = stored(connection, seq)
            told = news(row) if row else {}
            if row is None or not told:
                return
            if final and not row["final"]:
                told["ended_at"] = now
                told["watched"] = _was_watched(row, max(last.at if last else 0, row["looked_at"] or 0), now)
            elif not final:
                told["ended_at"] = None
            update(connection, seq, **told, looked_at=now, updated_at=now)
            count_outputs(connection, seq)

        row = self._read(lambda connection: stored(connection, seq))
        if row is not None and news(row):
            self._write(work)
        if final:
            self._sights.pop(seq, None)
        else:
            self._sights[seq] = sight

    def output_saved(self, seq: int, output: Output) -> None:
        """Write down a saved output, in place of what was on record of it; its partial download is over."""
        saved_at = micros(output.saved_at) if output.saved_at else self._now()

        def work(connection: sqlite3.Connection) -> None:
            if stored(connection, seq) is None:
                return
            connection.execute(
                "INSERT OR REPLACE INTO outputs (seq, number, path, bytes, sha256, saved_at) VALUES (?, ?, ?, ?, ?, ?)",
                (seq, output.index, path_in(output.path), output.bytes, output.sha256, saved_at),
            )
            _forget_partial(connection, seq, output.index)
            update(connection, seq, updated_at=self._now())
            count_outputs(connection, seq)

        self._write(work)

    def set_target(self, seq: int, target: str | None) -> None:
        """Remember where a job's videos are to be saved."""
        self._write(lambda connection: update(connection, seq, target=path_in(target), updated_at=self._now()))

    def resume_state(self, seq: int, index: int) -> ResumeState | None:
        """Return what is needed to go on with a partial download, None when there is none."""
        row = self._read(
            lambda connection: connection.execute(
                "SELECT part, etag, source, total FROM partial_downloads WHERE seq = ? AND number = ?", (seq, index)
            ).fetchone()
        )
        return ResumeState(path_out(row["part"]) or "", row["etag"], row["source"], row["total"]) if row else None

    def set_resume_state(self, seq: int, index: int, state: ResumeState) -> None:
        """Remember how a partial download can be gone on with."""

        def work(connection: sqlite3.Connection) -> None:
            if stored(connection, seq) is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO partial_downloads (seq, number, part, etag, source, total) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (seq, index, path_in(state.part), text(state.etag), state.source, state.total),
                )

        self._write(work)

    def clear_resume_state(self, seq: int, index: int) -> None:
        """Forget a partial download."""
        self._write(lambda connection: _forget_partial(connection, seq, index))

    # Jobs from elsewhere, and jobs to be forgotten.

    def adopt(self, job_id: str, *, endpoint: str, target: str | None = None) -> Record:
        """Put a job that was submitted elsewhere on record, or return it where it is there; its request is unknown."""
        now = self._now()
        row = {
            "job_id": text(job_id),
            "endpoint": text(endpoint),
            "state": State.SUBMITTED,
            "created_at": now,
            "updated_at": now,
            "request": "{}",
            "target": path_in(target),
        }

        def work(connection: sqlite3.Connection) -> int:
            there = connection.execute(
                "SELECT seq FROM jobs WHERE job_id = ? AND endpoint = ?", (row["job_id"], row["endpoint"])
            ).fetchone()
            if there is None:
                return insert(connection, row)
            if target is not None:
                update(connection, there["seq"], target=row["target"], updated_at=now)
            return int(there["seq"])

        return self.get(self._write(work))

    def forget(self, seq: int) -> None:
        """Remove a job from the record, not its files. Whether it may go is for the caller to decide."""
        self._write(lambda connection: connection.execute("DELETE FROM jobs WHERE seq = ?", (seq,)))

    # Reading.

    def get(self, seq: int) -> Record:
        """Return a job by its number in the record; UsageError when it was forgotten."""
        found = self._read(lambda connection: load(connection, [seq], self._view()))
        if not found:
            raise UsageError("The job is not in the record any more: it was forgotten.", hint="orvideo jobs")
        return found[0]

    def find(self, ref: str) -> Record:
        """Return the job that `ref` stands for: an id, a unique prefix (four characters or more), `@N` or `@last`.

        The local handle does as well. Raises UsageError with up to five candidates, or when there is none.
        """
        return self._read(lambda connection: lookup.find(connection, ref, self._view()))

    def list(
        self,
        *,
        unfinished: bool = False,
        unknown: bool = False,
        not_downloaded: bool = False,
        since: datetime | None = None,
        text: str | None = None,
        status: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        batch: str | None = None,
        limit: int | None = None,
    ) -> Records:
        """Return jobs, newest first, at most `limit`; `lookup.Filter` says what passes."""
        wanted = lookup.Filter(unfinished, unknown, not_downloaded, since, text, status, model, endpoint, batch)
        return self._read(lambda connection: lookup.select(connection, wanted, limit, self._view()))

    def rows_of_batch(self, batch: str) -> Records:
        """Return every job of a batch, oldest first: a row that was submitted again has several."""
        return self.list(batch=batch)[::-1]

    def typical(self, shape: Shape, *, endpoint: str | None = None) -> Typical:
        """Return what the 50 newest finished jobs of a shape (`values.shape_of`) cost and took.

        Of one endpoint, or of all but the sandbox.
        """
        return self._read(lambda connection: evidence.typical(connection, shape, endpoint))

    def spent(
        self, by: evidence.By, *, since: datetime | None = None, endpoint: str | None = None
    ) -> tuple[Spending, ...]:
        """Return the sums by model (dearest first), day or month (newest first, UTC).

        Of one endpoint, or of all but the sandbox.
        """
        return tuple(self._read(lambda connection: evidence.spent(connection, by, since, endpoint)))

    def count(self) -> int:
        """Return how many jobs are on record."""
        return int(self._read(lambda connection: connection.execute("SELECT count(*) FROM jobs").fetchone()[0]))

    def check(self) -> tuple[str, ...]:
        """Read the whole file and return what is wrong with it; nothing when it is sound."""
        rows = self._read(lambda connection: connection.execute("PRAGMA quick_check").fetchall())
        return tuple(row[0] for row in rows if row[0] != "ok")

    # How all of the above reaches the file.

    def _now(self) -> int:
        return micros(self._clock.now())

    def _view(self) -> Viewpoint:
        return Viewpoint(self._me, self._now())

    def _move(self, seq: int, to: State, allowed: set[State], **written: Any) -> None:
        """Move a submit on to another state, or raise RecordError when it is not in one of those it may come from."""

        def work(connection: sqlite3.Connection) -> None:
            row = require(connection, seq)
            state = State(row["state"])
            foreign = state is State.SENDING and Owner.from_text(row["owner"]) != self._me
            if state not in allowed or (foreign and to is not State.UNKNOWN):
                raise RecordError(
                    f"Job {row['job_id'] or row['handle']} is on record as {state}; it cannot become {to}."
                )
            update(connection, seq, state=to, updated_at=self._now(), **written)

        self._write(work)

    def _write(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do `work` in one transaction that is on the disk when this returns."""
        if self._unwritable is not None:
            raise self._unwritable
        return self._transaction("BEGIN IMMEDIATE", work)

    def _read(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do `work` on one state of the record, whatever others write meanwhile."""
        return self._transaction("BEGIN", work)

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._lock:
            connection = self._connection
            if connection is None:
                raise RecordError(f"The record {self.path} was closed.")

            def attempt() -> Answer:
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

            return self._patiently(attempt)

    def _patiently(self, attempt: Callable[[], Answer]) -> Answer:
        """Run `attempt`, again and again while another process holds the file (drill J06).

        The waiting is done here and not in SQLite, where a signal would not be heard for as long as it takes.
        """
        began = self._clock.monotonic()
        waited, pause = 0.0, 0.001
        while True:
            try:
                return attempt()
            except sqlite3.Error as error:
                late = waited >= self._lock_timeout or self._clock.monotonic() - began >= self._lock_timeout
                if late or not is_busy(error):
                    raise translate(self.path, error) from error
            nap = pause * random.uniform(0.5, 1)  # noqa: S311 - spreads processes out, hides nothing
            self._clock.sleep(nap)
            waited += nap
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
