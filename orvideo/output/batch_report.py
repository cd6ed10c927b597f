"""The result of a batch: an object for each row, their sums, and the file that `--report` writes."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.download import disk
from orvideo.errors import NotStarted, OutcomeUnknown, OutputExists, OutputUnwritable
from orvideo.files import write_atomically
from orvideo.output.json_encoder import encode
from orvideo.output.text import visible
from orvideo.record.values import Record, State

if TYPE_CHECKING:
    from orvideo.batch.entry import Entry

#: The fields of `--report`, in the order of the columns of a CSV.
FIELDS = ("row", "line", "name", "status", "id", "path", "cost_usd", "seconds", "error")

_NOT_SUBMITTED = "not_submitted"
#: A row that was not bought, since what it waits for has no video.
_WAITING = "waiting"
_UNSENT = (_NOT_SUBMITTED, _WAITING, "refused")
#: How rows end without their videos, in the order in which it is told.
TROUBLES = (
    "failed", "refused", "not submitted", "finished but not fetched", "saved under another name", "outcome unknown",
    "still running", "waiting for another row", "not started",
)  # fmt: skip


def row_document(entry: Entry) -> dict[str, Any]:
    """Return the JSON object of one row; what is not known is null."""
    record = entry.record if entry.record is not None and entry.record.state is not State.NOT_SENT else None
    error = entry.error.message if entry.error is not None else None
    return {
        "row": entry.row.number,
        "line": entry.row.line,
        "name": entry.row.name,
        "after": entry.row.after,
        "status": record.status_word if record else _unsent_word(entry),
        "id": record.id if record else None,
        "handle": record.handle if record else None,
        "profile": record.profile if record else None,
        "prompt": entry.row.fields.get("prompt"),
        "path": entry.paths[0] if entry.paths else None,
        "paths": list(entry.paths),
        "quote": record.quote if record else entry.quote,
        "cost_usd": record.cost if record else None,
        "is_byok": record.is_byok if record else None,
        "seconds": _seconds(record),
        "error": error or (record.error if record and record.status != "completed" else None),
    }


def _unsent_word(entry: Entry) -> str:
    """Return the status of a row that bought nothing: `refused` where the service said so (finding A07)."""
    if isinstance(entry.error, NotStarted):
        return _WAITING
    record = entry.record
    return record.status_word if record is not None and record.answer_status is not None else _NOT_SUBMITTED


def trouble_of(entry: Entry) -> str:
    """Return how a row ended without its video, one of TROUBLES: by the record where its end is on record."""
    record = entry.record if entry.record is not None and entry.record.state is not State.NOT_SENT else None
    if isinstance(entry.error, OutcomeUnknown):
        return "outcome unknown"
    if isinstance(entry.error, NotStarted):
        return "waiting for another row"
    if record is None:
        return _unsent_word(entry).replace("_", " ")
    if not record.final:
        return "still running"
    if isinstance(entry.error, OutputExists) and entry.saved:
        return "saved under another name"
    return "failed" if record.is_without_video else "finished but not fetched"


def _seconds(record: Record | None) -> float | None:
    """Return how many seconds a job took at the service, None if its end was not watched (finding B05)."""
    if record is None or not record.watched or record.ended_at is None or record.submitted_at is None:
        return None
    return round(max(0.0, (record.ended_at - record.submitted_at).total_seconds()), 1)


def row_totals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over the rows: counts by status, and the known costs in USD."""
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    byok = sum(bool(row["is_byok"]) for row in rows)
    unknown = [row for row in rows if row["status"] not in _UNSENT and row["cost_usd"] is None]
    return {
        "rows": len(rows),
        "saved": sum(bool(row["paths"]) for row in rows),
        "statuses": dict(Counter(row["status"] for row in rows)),
        "cost_usd": sum(costs, Decimal(0)),
        "cost_unknown": sum(not row["is_byok"] for row in unknown),
        "byok": byok,
    }


class ReportFile:
    """A file of JSON lines, or a CSV if its name ends in `.csv`, written whole or not at all.

    Raises OutputUnwritable, also when it is made: that is before any money is spent.
    """

    def __init__(self, spec: str) -> None:
        self.path = Path(spec)
        with self._refused():
            if self.path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            if self._is_file:
                disk.try_folder(self.path.parent, f".orvideo-{os.getpid()}.try")

    @property
    def _is_file(self) -> bool:
        return self.path.is_file() or not self.path.exists()

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        text = _csv(rows) if self.path.suffix.casefold() == ".csv" else _json_lines(rows)
        content = text.encode("utf-8", "surrogateescape")
        with self._refused():
            # A pipe or a device cannot be replaced, only written to.
            if self._is_file:
                write_atomically(self.path, content)
            else:
                self.path.write_bytes(content)

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputUnwritable(f"The report {self.path} cannot be written: {error.strerror or error}.") from error


def _json_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(encode({name: row[name] for name in FIELDS}) + "\n" for row in rows)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV with a heading; control characters are made visible (drill T06)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow("" if row[name] is None else visible(str(row[name])) for name in FIELDS)
    return text.getvalue()
