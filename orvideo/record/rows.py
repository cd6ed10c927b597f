"""Between the rows of the record's tables and its `values`."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from orvideo.errors import RecordError
from orvideo.record.owner import Owner
from orvideo.record.values import Intent, Output, Record, Seen, State, redact_extra, redact_request, shape_of

#: A request that has been on the wire for longer than this has no answer any more; a submit gives up after a minute.
STALE_AFTER = timedelta(minutes=10)
#: What a reply may add to the record beyond what is modelled, in characters of JSON.
MOST_EXTRA = 64 * 1024
MOST_ERROR = 2000
#: How many values one statement is given.
CHUNK = 500

_HANDLE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # none that reads like a digit
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since_epoch: int | None) -> datetime | None:
    return None if since_epoch is None else _EPOCH + since_epoch * _MICROSECOND


def text(value: str | None) -> str | None:
    """Return a text that SQLite takes: a lone surrogate, which UTF-8 has no form for, becomes U+FFFD (drill X01)."""
    if value is None:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def path_in(path: str | None) -> str | bytes | None:
    """Return a path as it can be stored and had back: one that is not UTF-8 on disk goes as its bytes."""
    if path is None or text(path) == path:
        return path
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return text(path)


def path_out(stored: str | bytes | None) -> str | None:
    return os.fsdecode(stored) if stored is not None else None


def error_text(value: str | None) -> str | None:
    """Return a reason cut to what is kept of one (drill P07)."""
    if value is not None and len(value) > MOST_ERROR:
        value = value[: MOST_ERROR - 1] + "…"
    return text(value)


def document(value: Mapping[str, Any]) -> str:
    """Return a mapping as JSON in ASCII; an amount becomes a number with its own digits as far as a float has them."""
    return json.dumps(value, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    return str(value)


def extra_document(extra: Mapping[str, Any] | None) -> str | None:
    """Return what a reply had beyond the model as JSON, None when there was nothing; never raises (drill X01)."""
    if not extra:
        return None
    try:
        written = document(redact_extra(extra))
    except (RecursionError, ValueError, TypeError):
        return document({"dropped": "it cannot be written as JSON"})
    return written if len(written) <= MOST_EXTRA else document({"dropped": f"{len(written)} characters"})


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


class Viewpoint(NamedTuple):
    """Who reads a row, and when (microseconds since 1970): what a submit that is under way looks like from here."""

    me: Owner
    now: int

    def state_of(self, row: sqlite3.Row) -> State:
        """Return the state a row is really in: a process that is gone neither sends nor answers any more (drill J03).

        Age decides as well: alone where the process cannot be asked for (another host), and for a request that has
        been on the wire for ten minutes even if it is there.
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


#: Why a job is in the state that it was left in by a process that is gone.
LEFT = {
    State.UNKNOWN: "The process that sent it ended, or stood still, before an answer was on record.",
    State.NOT_SENT: "The process that was to send it ended before anything was sent.",
}


def load(connection: sqlite3.Connection, seqs: Sequence[int], view: Viewpoint) -> list[Record]:
    """Return the jobs with these numbers, in the order given; those that are not there any more are left out.

    Raises what SQLite raises, also of a row that holds what orvideo never wrote: damage is damage (finding C05).
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
        for row in connection.execute(f"SELECT * FROM jobs WHERE seq IN ({marks})", chunk):  # noqa: S608
            try:
                found[row["seq"]] = _record(row, outputs.get(row["seq"], ()), view)
            except (ValueError, TypeError, ArithmeticError) as error:
                raise _damage(row, error) from error
    return [found[seq] for seq in seqs if seq in found]


def _output(row: sqlite3.Row) -> Output:
    return Output(row["number"], path_out(row["path"]), row["bytes"], row["sha256"], moment(row["saved_at"]))


def _record(row: sqlite3.Row, outputs: Iterable[Output], view: Viewpoint) -> Record:
    state = view.state_of(row)
    return Record(
        seq=row["seq"],
        handle=row["handle"],
        id=row["job_id"],
        endpoint=row["endpoint"],
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
        error=row["error"] or (LEFT.get(state) if state != row["state"] else None),
        generation_id=row["generation_id"],
        target=path_out(row["target"]),
        outputs=tuple(outputs),
        expected_outputs=row["expected_outputs"],
        extra=_object(row["extra"]),
        batch=row["batch"],
        row_key=row["row_key"],
        row_number=row["row_number"],
        answer_status=row["answer_status"],
        answer=row["answer"],
    )


def _damage(row: sqlite3.Row, error: Exception) -> sqlite3.DatabaseError:
    """Return the error of a row that holds what orvideo never wrote, as SQLite says it of its own pages."""
    damage = sqlite3.DatabaseError(f"job number {row['seq']} cannot be read: {error}")
    damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return damage


def _object(document: str) -> dict[str, Any]:
    value = json.loads(document)
    if not isinstance(value, dict):
        raise TypeError("a document in it is no object")
    return value


def row_of(intent: Intent, owner: Owner, now: int) -> dict[str, Any]:
    """Return the row that an intent begins as, without the data in its request (drill J13)."""
    shape, most = shape_of(intent.request), quoted_most(intent.quote)
    return {
        "endpoint": text(intent.endpoint),
        "state": State.PREPARED,
        "created_at": now,
        "updated_at": now,
        "owner": owner.as_text(),
        "model": text(shape.model),
        "prompt": text(intent.request.get("prompt")),
        "resolution": text(shape.resolution),
        "duration": shape.duration,
        "audio": shape.audio,
        "mode": shape.mode,
        "request": document(redact_request(intent.request)),
        "quote": document(intent.quote) if intent.quote is not None else None,
        "quoted_most": str(most) if most is not None else None,
        "target": path_in(intent.target),
        "batch": text(intent.batch),
        "row_key": text(intent.row_key),
        "row_number": intent.row_number,
    }


def columns_of(seen: Seen) -> dict[str, Any]:
    """Return what a reply says of a job by the columns that hold it; None where it does not say."""
    return {
        "status": text(seen.status),
        "cost": str(seen.cost) if seen.cost is not None else None,
        "is_byok": seen.is_byok,
        "error": error_text(seen.error),
        "generation_id": text(seen.generation_id),
        "model": text(seen.model),
        "extra": extra_document(seen.extra),
        "final": seen.final,
        "expected_outputs": seen.expected_outputs,
    }


def news_in(columns: Mapping[str, Any], row: sqlite3.Row) -> dict[str, Any]:
    """Return the columns that a reply changes: what it leaves out stays, but for the error, and a model asked for.

    An end stays an end: a look that says otherwise is older than it (drill P08). An output that was named once stays
    known, also where its URL has gone (drill D13).
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


def stored(connection: sqlite3.Connection, seq: int) -> sqlite3.Row | None:
    """Return a job's row as it stands, None when it was forgotten."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM jobs WHERE seq = ?", (seq,)).fetchone()
    return row


class Conflict(RecordError):
    """What was to be written contradicts what is on record: to try again does not help."""


class Forgotten(Conflict):
    """The job is not in the record any more."""


def require(connection: sqlite3.Connection, seq: int) -> sqlite3.Row:
    """Return a job's row as it stands; raises Forgotten."""
    row = stored(connection, seq)
    if row is None:
        raise Forgotten("The job is not in the record any more: it was forgotten.")
    return row


def insert(connection: sqlite3.Connection, row: Mapping[str, Any]) -> int:
    """Insert a job under a new handle and return its number. Columns are our own words."""
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
    return "sub-" + "".join(secrets.choice(_HANDLE_LETTERS) for _ in range(8))


def update(connection: sqlite3.Connection, seq: int, **written: Any) -> None:
    """Set columns of one row. Columns are our own words."""
    connection.execute(
        f"UPDATE jobs SET {', '.join(f'{column} = ?' for column in written)} WHERE seq = ?",  # noqa: S608
        (*written.values(), seq),
    )


def count_outputs(connection: sqlite3.Connection, seq: int) -> None:
    """Bring the mark "fetched" up to date (`Record.is_fetched`), which the list of unfetched jobs is indexed by."""
    connection.execute(
        "UPDATE jobs SET fetched = (SELECT count(*) FROM outputs WHERE outputs.seq = jobs.seq AND saved_at IS NOT NULL)"
        " >= coalesce(expected_outputs, 1) WHERE seq = ?",
        (seq,),
    )
