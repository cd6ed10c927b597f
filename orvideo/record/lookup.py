"""Finding jobs in the record: one by its name, many by a filter."""

import json
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypedDict

from orvideo.errors import UsageError
from orvideo.record.rows import ReadContext, load_records, text, to_micros
from orvideo.record.values import Record, State, word_of

SHORTEST_PREFIX = 4
MAX_CANDIDATES = 5
_POSITION = re.compile(r"@(last|[0-9]{1,15})|([0-9]{1,3})", re.ASCII)
_LOOK_AT = "orvideo jobs lists what is there; orvideo jobs adopt ID takes up a job from elsewhere"


class NoSuchJob(UsageError):
    """Nothing on record has this name."""


def find(connection: sqlite3.Connection, ref: str, context: ReadContext) -> Record:
    """Return the job that `ref` stands for: an id, a handle, a unique piece of either, `@N`, `N` or `@last`.

    A piece is a prefix of the whole or stands in its last part, since ids begin with the time (finding C11). An exact
    name wins over a prefix, and a prefix over what is in the middle. Raises UsageError, with the candidates when there
    are several. All but the last way are index look-ups whatever the size of the record.
    """
    seqs = _matching(connection, ref.strip())
    if len(seqs) == 1:
        return load_records(connection, seqs, context)[0]
    if not seqs:
        raise _not_found(ref)
    raise _ambiguous(ref, load_records(connection, seqs[:MAX_CANDIDATES], context), len(seqs) > MAX_CANDIDATES)


def _matching(connection: sqlite3.Connection, ref: str) -> list[int]:
    position = _POSITION.fullmatch(ref)
    if position:
        number = 1 if position[1] == "last" else int(position[1] or position[2])
        return (
            _seqs(connection, "SELECT seq FROM jobs ORDER BY seq DESC LIMIT 1 OFFSET ?", number - 1) if number else []
        )
    if not ref or text(ref) != ref:
        return []
    exact = _seqs(connection, "SELECT seq FROM jobs WHERE job_id = ?", ref) or _seqs(
        connection, "SELECT seq FROM jobs WHERE handle = ?", ref
    )
    if exact or len(ref) < SHORTEST_PREFIX:
        return exact
    found = dict.fromkeys(_with_prefix(connection, "job_id", ref) + _with_prefix(connection, "handle", ref))
    return list(found or _with_piece(connection, ref))[: MAX_CANDIDATES + 1]


def _with_piece(connection: sqlite3.Connection, piece: str) -> list[int]:
    query = "SELECT seq, coalesce(job_id, ''), handle FROM jobs WHERE instr(job_id, :piece) OR instr(handle, :piece)"
    rows = connection.execute(f"{query} ORDER BY seq DESC", {"piece": piece})
    return [seq for seq, *names in rows if any(piece in name.rpartition("-")[2] for name in names)]


def positions(connection: sqlite3.Connection, most: int) -> dict[str, int]:
    """Return the N of @N of the newest jobs, by handle."""
    rows = connection.execute("SELECT handle FROM jobs ORDER BY seq DESC LIMIT ?", (most,))
    return {handle: place for place, (handle,) in enumerate(rows, start=1)}


def _seqs(connection: sqlite3.Connection, query: str, *values: object) -> list[int]:
    return [row[0] for row in connection.execute(query, values)]


def _with_prefix(connection: sqlite3.Connection, column: str, prefix: str) -> list[int]:
    """Find a prefix as a range of the index, where wildcards of LIKE have no meaning."""
    after = _successor(prefix)
    if after is None:
        return []
    return _seqs(
        connection,
        f"SELECT seq FROM jobs WHERE {column} >= ? AND {column} < ? ORDER BY {column} LIMIT ?",  # noqa: S608 - constants only
        prefix,
        after,
        MAX_CANDIDATES + 1,
    )


def _successor(prefix: str) -> str | None:
    """Return the first text, by code points, after everything with this prefix; None when there is none."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # There is no text between the surrogates' neighbours.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)


#: So much of a name that no job has is shown.
_LONGEST_SHOWN = 200


def _not_found(ref: str) -> NoSuchJob:
    why = ""
    if _POSITION.fullmatch(ref.strip()):
        why = "; numbers count back from the newest"
    elif not ref.startswith("@") and len(ref.strip()) < SHORTEST_PREFIX:
        why = f"; a piece of an id needs at least {SHORTEST_PREFIX} characters"
    # A list of marks may have anything for a name.
    shown = ref if len(ref) <= _LONGEST_SHOWN else f"{ref[:_LONGEST_SHOWN]}..."
    return NoSuchJob(f"No job in the record is called {shown!r}{why}.", hint=_LOOK_AT)


def _ambiguous(ref: str, candidates: Sequence[Record], more: bool) -> UsageError:
    if not any(record.is_id_shared for record in candidates):
        listed = [f"{record.name} ({record.status_word})" for record in candidates]
        hint = "give more of the id, or see: orvideo jobs"
    else:
        # The same id at two endpoints: only the local name tells them apart.
        listed = [f"{record.handle} ({record.id} at {record.endpoint})" for record in candidates]
        hint = f"use the local name, such as {candidates[0].handle}"
    return UsageError(f"{ref!r} may be any of these: {', '.join(listed)}{', and more' if more else ''}.", hint=hint)


class Filter(TypedDict, total=False):
    """Which jobs to list. Of the first four any one is enough; everything else that is given must hold.

    `unfinished`: accepted, and not at its end. `submitting`: a living process submits it. `unknown`: the outcome of the
    submit is. `not_downloaded`: completed, with an output that is not saved. `text` is looked for in prompt, model, id
    and handle, in any case, `model` in the model; `status` is one or more words as people see them
    (`Record.status_word`), with commas. `batches` are ids of batches, `marked` is one of `MARKS`, "any" or "none".
    """

    unfinished: bool
    submitting: bool
    unknown: bool
    not_downloaded: bool
    since: datetime | None
    text: str | None
    status: str | None
    model: str | None
    batches: Collection[str] | None
    marked: str | None


# Written as the partial indexes are, so that SQLite sees that they apply; `submitting` has none and reads every row.
_LISTS = {
    "unfinished": "(state = 'submitted' AND final = 0)",
    "submitting": "(state IN ('prepared', 'sending'))",
    "unknown": "(state IN ('sending', 'unknown'))",
    "not_downloaded": "(status = 'completed' AND fetched = 0)",
}


#: The list of a row whose submit is not at its end, by its effective state (`ReadContext.state_of`).
_LIST_OF = {State.PREPARED: "submitting", State.SENDING: "submitting", State.UNKNOWN: "unknown"}


def select(connection: sqlite3.Connection, wanted: Filter, limit: int | None, context: ReadContext) -> list[Record]:
    """Return the jobs that pass, newest first, at most `limit`: only those are read whole."""
    return load_records(connection, [row["seq"] for row in passing(connection, wanted, limit, context)], context)


def passing(
    connection: sqlite3.Connection, wanted: Filter, limit: int | None, context: ReadContext, columns: str = ""
) -> Iterator[sqlite3.Row]:
    """Yield the rows that pass, newest first, at most `limit`, with what decides that and more `columns` (`, cost`)."""
    conditions, values = _conditions(wanted)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    searched = ", prompt, model, job_id, handle" if wanted.get("text") else ""
    rows = connection.execute(
        "SELECT seq, state, final, fetched, status, owner, updated_at, sending_at, answer_status"  # noqa: S608 - our own words only
        f"{searched}{columns} FROM jobs{where} ORDER BY seq DESC",
        values,
    )
    return islice((row for row in rows if _passes(row, wanted, context)), limit)


def _conditions(wanted: Filter) -> tuple[list[str], list[object]]:
    lists = [condition for name, condition in _LISTS.items() if wanted.get(name)]
    if len(lists) > 1:
        # OR would read the whole table; each of these reads its own short index.
        each = " UNION ALL ".join(f"SELECT seq FROM jobs WHERE {condition}" for condition in lists)  # noqa: S608
        lists = [f"seq IN ({each})"]
    conditions = lists
    values: list[object] = []
    batches, model, marked = wanted.get("batches"), wanted.get("model"), wanted.get("marked")
    if batches is not None:
        conditions.append(f"batch IN ({','.join('?' * len(batches))})")
        values += map(text, batches)
    if model is not None:
        conditions.append("instr(lower(model), lower(?))")
        values.append(text(model))
    if marked in ("any", "none"):
        conditions.append(f"mark IS {'NOT ' if marked == 'any' else ''}NULL")
    elif marked is not None:
        conditions.append("mark = ?")
        values.append(marked)
    since = wanted.get("since")
    if since is not None:
        conditions.append("created_at >= ?")
        values.append(to_micros(since))
    return conditions, values


def _passes(row: sqlite3.Row, wanted: Filter, context: ReadContext) -> bool:
    """Check what SQL cannot: whether a process has ended, and case-insensitive matches."""
    if row["state"] in (State.PREPARED, State.SENDING):
        lists = {name for name in _LISTS if wanted.get(name)}
        if lists and _LIST_OF.get(context.state_of(row)) not in lists:
            return False
    words = {row["status"] or word_of(context.state_of(row), row["answer_status"]), "saved" if row["fetched"] else None}
    statuses = {word.strip() for word in (wanted.get("status") or "").casefold().split(",")}
    if wanted.get("status") and not statuses & words:
        return False
    needle = (wanted.get("text") or "").casefold()
    return not needle or any(
        needle in (row[column] or "").casefold() for column in ("prompt", "model", "job_id", "handle")
    )


class Batch(NamedTuple):
    """A batch on record; `name` is what a person called it, or the path of its file, where that is known."""

    id: str
    endpoint: str
    name: str | None


def batches(connection: sqlite3.Connection) -> list[Batch]:
    """Return the batches on record, the newest first."""
    query = "SELECT batch, endpoint, max(batch_name) FROM jobs WHERE batch IS NOT NULL GROUP BY batch, endpoint"
    return [Batch(*row) for row in connection.execute(f"{query} ORDER BY max(seq) DESC")]


# What was bought before (finding A12)

#: Jobs that were sent and are not `is_without_video`.
_BOUGHT = (
    "state IN ('sending', 'submitted', 'unknown')"
    " AND (final = 0 OR (status = 'completed' AND expected_outputs IS NOT 0))"
)


#: Fields that the provider does not receive: they do not change the video.
_NOT_THE_PROVIDERS = ("user", "session_id", "trace", "callback_url")


def request_key(request: Mapping[str, Any], *, labelled: bool) -> str:
    """Return a redacted request as a text for comparison; `labelled` includes what the provider does not receive."""
    left = () if labelled else _NOT_THE_PROVIDERS
    return json.dumps({name: request[name] for name in request if name not in left}, sort_keys=True)


def sent_lately(
    connection: sqlite3.Connection, endpoint: str, since: datetime, *, labelled: bool
) -> list[tuple[int, str]]:
    """Return the numbers and request keys of jobs sent to an endpoint since a time, or with an unknown outcome."""
    found: dict[int, str] = {}
    for condition, *values in ((f"{_BOUGHT} AND created_at >= ?", to_micros(since)), (_LISTS["unknown"],)):
        query = f"SELECT seq, request FROM jobs WHERE {condition} AND endpoint = ?"  # noqa: S608 - our own words
        for seq, request in connection.execute(query, (*values, endpoint)):
            found[seq] = request_key(json.loads(request), labelled=labelled)
    return sorted(found.items(), reverse=True)


def same_rows(connection: sqlite3.Connection, keys: Collection[str], batch: str, endpoint: str) -> list[int]:
    """Return the numbers of what other batches at an endpoint bought for rows with these keys, oldest first."""
    others = connection.execute(
        f"SELECT seq, row_key FROM jobs WHERE batch <> ? AND endpoint = ? AND {_BOUGHT} ORDER BY seq",  # noqa: S608 - our own words
        (batch, endpoint),
    )
    return [seq for seq, key in others if key in keys]
