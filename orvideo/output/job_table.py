"""Tables of jobs: `orvideo jobs` and `orvideo status` with one set of columns, and `orvideo jobs --cost`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import compress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.errors import UsageError
from orvideo.money import money_text
from orvideo.output.job_text import job_name, short_name
from orvideo.output.quote_text import amount
from orvideo.output.tables import Cell, Column, Row, Table
from orvideo.output.text import age, iso_time
from orvideo.record.values import SANDBOX

if TYPE_CHECKING:
    from orvideo.record.values import Spending

Document = Mapping[str, Any]

#: The columns of `orvideo jobs` and `orvideo status`. Those for a pipe never change.
TERMINAL_COLUMNS = ("position", "id", "status", "model", "cost", "age", "video")
TERMINAL_STATUS_COLUMNS = (*TERMINAL_COLUMNS[:-1], "error")
PIPE_COLUMNS = ("id", "status", "model", "created", "cost", "file", "prompt")
PIPE_STATUS_COLUMNS = (*PIPE_COLUMNS[:-1], "error")


class _List(NamedTuple):
    """What cells need beside their job: the time, the position of each job, and the short names of models."""

    now: datetime
    positions: Mapping[str, int]
    models: Mapping[str, str]


def job_table(
    jobs: Sequence[Document], now: datetime, columns: Sequence[str], positions: Mapping[str, int] | None = None
) -> Table:
    """Return a table of jobs; `positions` has the N of @N by handle. Raises UsageError for an unknown column."""
    by_title = {column.title.lower(): name for name, (column, _) in _COLUMNS.items()}
    columns = [by_title.get(name, name) for name in columns]
    unknown = [name for name in columns if name not in _COLUMNS]
    if unknown:
        raise UsageError(f"There is no column {unknown[0]!r}. The columns are {', '.join(_COLUMNS)}.")
    listed = _List(now, positions or {}, _short_models(jobs))
    chosen = [_COLUMNS[name] for name in columns]
    return [column for column, _ in chosen], [[cell(job, listed) for _, cell in chosen] for job in jobs]


def _short_models(jobs: Sequence[Document]) -> dict[str, str]:
    """Return short names of the models: without the maker, unless two would then have the same name."""
    models = {job["model"] for job in jobs if job["model"]}
    tails = [model.rpartition("/")[2] for model in models]
    return {model: tail if tails.count(tail) == 1 else model for model, tail in zip(models, tails, strict=True)}


def _status(job: Document, listed: _List) -> Cell:
    status = job["status"]
    saved = job["outputs"] and all(output["bytes"] is not None for output in job["outputs"])
    return Cell("saved" if status == "completed" and saved else status, status)


def _cost(job: Document, listed: _List) -> Cell:
    """Return a cost, empty for a job that has none yet, and `unknown` for a completed one."""
    cost = amount(job["cost_usd"])
    plain = "" if cost is None else str(cost)
    if job["endpoint"] == SANDBOX:
        return Cell("sandbox", plain)
    if job["is_byok"]:
        return Cell("own key", plain)
    unpriced = "unknown" if job["status"] == "completed" else ""
    return Cell(unpriced if cost is None else money_text(cost), plain)


def _age(job: Document, listed: _List) -> Cell:
    created = datetime.fromisoformat(job["created_at"])
    return Cell(age((listed.now - created).total_seconds()), iso_time(created))


def _file(job: Document, listed: _List) -> Cell:
    paths = [output["path"] for output in job["outputs"] if output["path"]]
    if not paths:
        return Cell("", "")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Cell(PurePath(paths[0]).name + more, paths[0], paths[0])


def _video(job: Document, listed: _List) -> Cell:
    file = _file(job, listed)
    return file if file.shown else Cell(job["prompt"] or "", job["prompt"] or "")


def _model(job: Document, listed: _List) -> Cell:
    model = job["model"] or ""
    return Cell(listed.models.get(model, model), model)


def _position(job: Document, listed: _List) -> str:
    return str(listed.positions.get(job["handle"], ""))


_STATUS_STYLES = {
    "completed": "good",
    "saved": "good",
    "failed": "bad",
    "cancelled": "bad",
    "expired": "bad",
    "not_sent": "faint",
    "refused": "bad",
    "outcome_unknown": "unsure",
}


def status_style(status: str) -> str | None:
    """Return the style of a status; an unknown status is that of a running job."""
    return _STATUS_STYLES.get(status, "busy")


def _mark_style(mark: str) -> str | None:
    return {"keep": "good", "reject": "faint"}.get(mark)


_COLUMNS: dict[str, tuple[Column, Callable[[Document, _List], str | Cell]]] = {
    "position": (Column("@", right=True), _position),
    "id": (Column("JOB"), lambda job, _: Cell(short_name(job), job_name(job))),
    "status": (Column("STATUS", style=status_style), _status),
    "model": (Column("MODEL", priority=4, flexible=True, least=12), _model),
    "created": (Column("CREATED", priority=3), lambda job, _: iso_time(datetime.fromisoformat(job["created_at"]))),
    "cost": (Column("COST", right=True, priority=2), _cost),
    "age": (Column("AGE", right=True, priority=3), _age),
    "video": (Column("FILE OR PROMPT", priority=1, flexible=True, least=14), _video),
    "file": (Column("FILE", priority=5, flexible=True), _file),
    "prompt": (Column("PROMPT", priority=1, flexible=True, least=14), lambda job, _: job["prompt"] or ""),
    "error": (Column("ERROR", priority=1, flexible=True, least=14), lambda job, _: job["error"] or ""),
    "endpoint": (Column("ENDPOINT", priority=6), lambda job, _: job["endpoint"]),
    "batch": (Column("BATCH", priority=6, flexible=True), lambda job, _: job["batch"] or ""),
    "mark": (Column("MARK", priority=2, style=_mark_style), lambda job, _: job["mark"] or ""),
    "note": (Column("NOTE", priority=1, flexible=True, least=14), lambda job, _: job["note"] or ""),
    "profile": (Column("PROFILE", priority=6), lambda job, _: job["profile"] or ""),
}

#: The names that --columns takes.
COLUMN_NAMES = tuple(_COLUMNS)


def spending_table(sums: Iterable[Spending], by: str, *, whole: bool) -> Table:
    """Return the table of `orvideo jobs --cost`; without the columns that are 0 in every row, unless `whole`.

    A pipe gets the key, USD, jobs billed, of unknown cost and pending, USD that those may cost, jobs billed to an own
    key, and `sandbox` or `real`.
    """
    columns = [
        Column(by.upper(), flexible=True, least=12), Column("COST", right=True), Column("BILLED", right=True),
        Column("UNKNOWN", right=True), Column("PENDING", right=True), Column("QUOTED", right=True),
        Column("OWN KEY", right=True), Column("WHERE"),
    ]  # fmt: skip
    rows: list[Row] = [
        [
            one.key or "unknown",
            _sum_cell(one.cost if one.known or one.cost else None),
            *(str(number) for number in (one.known, one.unknown, one.pending)),
            _sum_cell(one.quoted) if one.pending else Cell("", ""),
            str(one.byok),
            "sandbox" if one.sandbox else "real",
        ]
        for one in sums
    ]
    empty = (Cell("", ""), "0")
    shown = [whole or place in (0, 1, 7) or any(row[place] not in empty for row in rows) for place in range(8)]
    return list(compress(columns, shown)), [list(compress(row, shown)) for row in rows]


def _sum_cell(amount: Decimal | None) -> Cell:
    return Cell(money_text(amount), "" if amount is None else f"{amount:f}")
