"""Converting between rows of the record and its `values`."""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from orvideo.errors import RecordError, UsageError
from orvideo.record.frames import FrameSource
from orvideo.record.owner import Owner
from orvideo.record.redaction import redact_extra, redact_request
from orvideo.record.values import MARKS, MAX_NOTE, Marking, Observation, Output, Record, State, Submission, shape_of

#: A request that was sent longer ago gets no answer any more; a submit gives up after a minute.
STALE_AFTER = timedelta(minutes=10)
#: The limit for unmodelled fields of a reply, in characters of JSON.
MAX_EXTRA = 64 * 1024
MAX_ERROR = 2000
#: The most values in one SQL statement.
CHUNK = 500

_JOBS = """SELECT *, EXISTS (
    SELECT 1 FROM jobs other WHERE other.job_id = jobs.job_id AND other.endpoint <> jobs.endpoint) AS is_id_shared
  FROM jobs"""
_HANDLE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # 32, so that each is as likely; none reads like a digit
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since_epoch: int | None) -> datetime | None:
    return None if since_epoch is None else _EPOCH + since_epoch * _MICROSECOND


def text(value: str | None) -> str | None:
    """Return a text that SQLite accepts: a lone surrogate becomes U+FFFD (drill X01)."""
    if value is None:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def path_to_column(path: str | None) -> str | bytes | None:
    """Return a path in a form that can be stored without loss: bytes where it is not UTF-8."""
    if path is None or text(path) == path:
        return path
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return text(path)


def path_from_column(find_row: str | bytes | None) -> str | None:
    return os.fsdecode(find_row) if find_row is not None else None


def cut_error(value: str | None) -> str | None:
    """Return an error text cut to 2000 characters (drill P07)."""
    if value is not None and len(value) > MAX_ERROR:
        value = value[: MAX_ERROR - 1] + "…"
    return text(value)


def json_text(value: Mapping[str, Any]) -> str:
    """Return a mapping as JSON in ASCII; an amount becomes a number with its own digits as far as a float has them."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    return str(value)


def extra_json(extra: Mapping[str, Any] | None) -> str | None:
    """Return what a reply had beyond the model as JSON, None when there was nothing; never raises (drill X01)."""
    if not extra:
        return None
    try:
        written = json_text(redact_extra(extra))
    except (RecursionError, ValueError, TypeError):
        return json_text({"dropped": "it cannot be written as JSON"})
    return written if len(written) <= MAX_EXTRA else json_text({"dropped": f"{len(written)} characters"})


def amount(value: object) -> Decimal | None:
    """Return a finite amount as Decimal, by its digits as printed; None for anything else."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def quoted_most(quote: Mapping[str, Any] | None) -> Decimal | None:
    """Return the most that a quote says a job can cost, None when it does not know."""
    if not quote or quote.get("kind") == "unknown":
        return None
    high = amount(quote.get("high"))
    return high if high is not None else amount(quote.get("usd"))


class ReadContext(NamedTuple):
    """The process that reads a row, and the time (microseconds since 1970); they decide a row's effective state."""

    me: Owner
    now: int

    def state_of(self, row: sqlite3.Row) -> State:
        """Return the effective state of a row, which differs where the submitting process has ended (drill J03).

        After ten minutes a sent request counts as unanswered even if the process exists, and a process that cannot be
        checked (another host) as ended.
        """
        try:
            state = State(row["state"])
        except ValueError as error:
            raise _damage(row, error) from error
        if state not in (State.PREPARED, State.SENDING):
            return state
        owner = Owner.from_text(row["owner"])
        gone = owner.is_gone(self.me) if owner else None
        since = row["sending_at"] if state is State.SENDING else row["updated_at"]
        stale = self.now - since > STALE_AFTER // _MICROSECOND
        if state is State.SENDING:
            return State.UNKNOWN if gone or stale else state
        return State.NOT_SENT if gone or (gone is None and stale) else state


#: The error of a job whose submitting process has ended, by the job's effective state.
ABANDONED_REASONS = {
    State.UNKNOWN: "The process that sent it ended, or stood still, before an answer was on record.",
    State.NOT_SENT: "The process that was to send it ended before anything was sent.",
}


def load_records(connection: sqlite3.Connection, seqs: Sequence[int], context: ReadContext) -> list[Record]:
    """Return the jobs with these numbers, in the order given; forgotten ones are left out.

    Raises sqlite3.Error, also for a row with values that orvideo never writes (finding C05).
    """
    found: dict[int, Record] = {}
    for start in range(0, len(seqs), CHUNK):
        chunk = seqs[start : start + CHUNK]
        marks = ",".join("?" * len(chunk))
        outputs: dict[int, list[Output]] = {}
        for row in connection.execute(
            f"SELECT * FROM outputs WHERE seq IN ({marks}) ORDER BY seq, number",  # noqa: S608 - question marks
            chunk,
        ):
            outputs.setdefault(row["seq"], []).append(_output(row))
        for row in connection.execute(_JOBS + f" WHERE seq IN ({marks})", chunk):
            try:
                found[row["seq"]] = _record(row, outputs.get(row["seq"], ()), context)
            except (ValueError, TypeError, ArithmeticError) as error:
                raise _damage(row, error) from error
    return [found[seq] for seq in seqs if seq in found]


def _output(row: sqlite3.Row) -> Output:
    return Output(row["number"], path_from_column(row["path"]), row["bytes"], row["sha256"], moment(row["saved_at"]))


def _record(row: sqlite3.Row, outputs: Iterable[Output], context: ReadContext) -> Record:
    state = context.state_of(row)
    return Record(
        seq=row["seq"],
        handle=row["handle"],
        id=row["job_id"],
        endpoint=row["endpoint"],
        profile=row["profile"],
        state=state,
        created_at=_EPOCH + row["created_at"] * _MICROSECOND,
        status=row["status"],
        final=bool(row["final"]),
        model=row["model"],
        prompt=row["prompt"],
        submitted_at=moment(row["submitted_at"]),
        ended_at=moment(row["ended_at"]),
        watched=bool(row["watched"]),
        was_seen=row["looked_at"] is not None,
        request=_object(row["request"]),
        quote=_object(row["quote"]) if row["quote"] else None,
        cost=amount(row["cost"]),
        is_byok=None if row["is_byok"] is None else bool(row["is_byok"]),
        error=row["error"] or (ABANDONED_REASONS.get(state) if state != row["state"] else None),
        generation_id=row["generation_id"],
        target=path_from_column(row["target"]),
        outputs=tuple(outputs),
        expected_outputs=row["expected_outputs"],
        extra=_object(row["extra"]),
        batch=row["batch"],
        batch_name=row["batch_name"],
        row_key=row["row_key"],
        row_number=row["row_number"],
        answer_status=row["answer_status"],
        answer=row["answer"],
        is_id_shared=bool(row["is_id_shared"]),
        mark=row["mark"],
        note=row["note"],
        frames=_frames(row["frames"]),
    )


def _damage(row: sqlite3.Row, error: Exception) -> sqlite3.DatabaseError:
    """Return the error for a row with values that orvideo never writes: as for a corrupt file."""
    damage = sqlite3.DatabaseError(f"job number {row['seq']} cannot be read: {error}")
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return damage


def _frames(json_text: str | None) -> tuple[FrameSource, ...]:
    return tuple(map(FrameSource.from_json, json.loads(json_text))) if json_text else ()


def _object(json_text: str) -> dict[str, Any]:
    value = json.loads(json_text)
    if not isinstance(value, dict):
        raise TypeError("a document in it is no object")
    return value


def new_row(submission: Submission, owner: Owner, now: int) -> dict[str, Any]:
    """Return the first row of a submission, without the data URLs in its request (drill J13)."""
    shape, most = shape_of(submission.request), quoted_most(submission.quote)
    return {
        "endpoint": text(submission.endpoint),
        "profile": text(submission.profile),
        "state": State.PREPARED,
        "created_at": now,
        "updated_at": now,
        "owner": owner.as_text(),
        "model": text(shape.model),
        "prompt": text(submission.request.get("prompt")),
        "resolution": text(shape.resolution),
        "duration": shape.duration,
        "audio": shape.audio,
        "mode": shape.mode,
        "request": json_text(redact_request(submission.request)),
        "frames": json.dumps([frame.as_json() for frame in submission.frames]) if submission.frames else None,
        "quote": json_text(submission.quote) if submission.quote is not None else None,
        "quoted_most": str(most) if most is not None else None,
        "target": path_to_column(submission.target),
        "batch": text(submission.batch),
        "batch_name": text(submission.batch_name),
        "row_key": text(submission.row_key),
        "row_number": submission.row_number,
    }


def observation_columns(observation: Observation) -> dict[str, Any]:
    """Return an observation as columns; None for what the reply does not say."""
    return {
        "status": text(observation.status),
        "cost": str(observation.cost) if observation.cost is not None else None,
        "is_byok": observation.is_byok,
        "error": cut_error(observation.error),
        "generation_id": text(observation.generation_id),
        "model": text(observation.model),
        "extra": extra_json(observation.extra),
        "final": observation.final,
        "expected_outputs": observation.expected_outputs,
    }


def mark_columns(marking: Marking) -> dict[str, str | None]:
    """Return the columns that a marking sets. Raises UsageError for an unknown mark or a note that is too long."""
    columns: dict[str, str | None] = {}
    if marking.mark is not None:
        if marking.mark not in (*MARKS, ""):
            raise UsageError(f"A job is marked {' or '.join(MARKS)}, not {marking.mark[:40]!r}.")
        columns["mark"] = marking.mark or None
    if marking.note is not None:
        note = " ".join(marking.note.split())
        if len(note) > MAX_NOTE:
            raise UsageError(f"A note has at most {MAX_NOTE:,} characters, and this one has {len(note):,}.")
        columns["note"] = text(note) or None
    return columns


def changed_columns(columns: Mapping[str, Any], row: sqlite3.Row) -> dict[str, Any]:
    """Return the columns that an observation changes: missing values, except the error, and a known model stay.

    An end stays an end: an observation without one is older (drill P08). An output that was named once stays known,
    also where its URL has gone (drill D13).
    """
    if row["final"] and not columns["final"]:
        return {}
    news = {
        name: value
        for name, value in columns.items()
        if row[name] != value and (value is not None or name == "error") and (name != "model" or row["model"] is None)
    }
    if news.get("expected_outputs", 0) < (row["expected_outputs"] or 0):
        news.pop("expected_outputs", None)
    return news


def find_row(connection: sqlite3.Connection, seq: int) -> sqlite3.Row | None:
    """Return a job's row, None when it was forgotten."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM jobs WHERE seq = ?", (seq,)).fetchone()
    return row


class Conflict(RecordError):
    """The record contradicts what was to be written; a retry does not help."""


class Forgotten(Conflict):
    """The job is not in the record any more."""


def require_row(connection: sqlite3.Connection, seq: int) -> sqlite3.Row:
    """Return a job's row; raises Forgotten."""
    row = find_row(connection, seq)
    if row is None:
        raise Forgotten("The job is not in the record any more: it was forgotten.")
    return row


def insert_job(connection: sqlite3.Connection, row: Mapping[str, Any]) -> int:
    """Insert a job under a new handle and return its number. Column names are trusted."""
    handle = _new_handle()
    while connection.execute("SELECT 1 FROM jobs WHERE handle = ?", (handle,)).fetchone():
        handle = _new_handle()
    values = {**row, "handle": handle}
    cursor = connection.execute(
        f"INSERT INTO jobs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608
        tuple(values.values()),
    )
    return int(cursor.lastrowid or 0)


def _new_handle() -> str:
    return "sub-" + "".join(_HANDLE_LETTERS[byte % len(_HANDLE_LETTERS)] for byte in os.urandom(8))


def update_job(connection: sqlite3.Connection, seq: int, **written: Any) -> None:
    """Set columns of one row. Column names are trusted."""
    connection.execute(
        f"UPDATE jobs SET {', '.join(f'{column} = ?' for column in written)} WHERE seq = ?",  # noqa: S608
        (*written.values(), seq),
    )


def count_outputs(connection: sqlite3.Connection, seq: int) -> None:
    """Update the column `fetched` (see `Record.is_fetched`), by which unfetched jobs are indexed."""
    connection.execute(
        "UPDATE jobs SET fetched = (SELECT count(*) FROM outputs WHERE outputs.seq = jobs.seq AND saved_at IS NOT NULL)"
        " >= coalesce(expected_outputs, 1) WHERE seq = ?",
        (seq,),
    )
