"""What is said of a batch: how it stands, what it will buy, what it cost, and what became of each row."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.batch.standing import Standing, standing_of
from orvideo.download import disk
from orvideo.errors import OutputUnwritable
from orvideo.files import write_whole
from orvideo.money import money_text
from orvideo.output.documents import dump
from orvideo.output.text import count, spans, visible
from orvideo.output.views import OWN_KEY, range_text
from orvideo.record.values import Record, State

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked, Offer, Price
    from orvideo.batch.entry import Entry
    from orvideo.batch.standing import History

#: In the order of a CSV's columns.
FIELDS = ("row", "line", "name", "status", "id", "path", "cost_usd", "seconds", "error")

_NOT_SUBMITTED = "not_submitted"
_UNSENT = (_NOT_SUBMITTED, "refused")
_STANDINGS = {
    Standing.COMPLETED: "finished",
    Standing.RUNNING: "in flight",
    Standing.ELSEWHERE: "in the hands of another run",
    Standing.FAILED: "failed before (--retry-failed buys them again)",
    Standing.UNKNOWN: "of unknown outcome, left alone",
}


def plan_lines(
    asked: Sequence[Asked], history: History, offers: Mapping[str, Offer], price: Price, limit: Decimal | None = None
) -> list[str]:
    """Return how many rows there are and how they stand, the choices made for the user, and the price of the rest.

    No amount is told as if it were on another side of `limit` than it is (finding A10).
    """
    stands = Counter(standing_of(history.last.get(one.key)) for one in asked if one.key not in offers)
    parts = [f"{number} {_STANDINGS[standing]}" for standing, number in stands.items()]
    again = sum(standing_of(history.last.get(key)) is Standing.FAILED for key in offers)
    new = f"{len(offers)} to submit" + (f" ({again} of them again)" if again else "")
    lines = [f"{count(len(asked), 'row')}: {', '.join([*parts, new])}"]
    changed = history.changed(asked)
    if changed:
        lines.append(f"changed since they were bought, so new: line {spans([one.row.line for one in changed])}")
    chosen = Counter(choice for offer in offers.values() for choice in offer.choices)
    lines += [f"chosen: {choice}" + _share(number, len(offers)) for choice, number in chosen.items()]
    if offers:
        lines.append(f"quote: {price_text(price, limit)}")
        reasons = Counter(reason for offer in offers.values() for reason in offer.quote.reasons)
        lines += [f"why: {reason}{_share(number, len(offers))}" for reason, number in reasons.items()]
    elif set(stands) == {Standing.COMPLETED}:
        lines.append("nothing to submit; another --name makes all of them again")
    return lines


def _share(number: int, total: int) -> str:
    return "" if number == total else f" ({count(number, 'row')})"


def price_text(price: Price, limit: Decimal | None = None) -> str:
    """Return `$2.40 for 20 rows: 18 listed, 1 about, 1 unknown`."""
    kinds = {"listed": price.listed, "about": price.about, "unknown": price.unknown}
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    about = bool(price.about)
    total = money_text(price.usd, about=about, against=limit) if price.usd is not None else "an unknown price"
    more = " and more" if price.unknown and price.usd is not None else ""
    span = range_text(price.low, price.high, limit)
    return f"{total}{more}{span} for {count(price.rows, 'row')}: {told}"


def left_behind_line(records: Sequence[Record]) -> str:
    """Return what is to be said of jobs whose rows are not in the file any more."""
    running = [record.name for record in records if record.is_running]
    text = f"{count(len(records), 'job')} of this batch belong to rows that were changed or taken out"
    if running:
        text += f"; {len(running)} still running: orvideo wait {' '.join(running[:5])}"
    return text + "."


def most_so_far(records: Iterable[Record]) -> Decimal | None:
    """Return the most that these jobs have cost or may cost, USD; None when that is not known of one of them."""
    total = Decimal(0)
    for record in records:
        if record.state is State.NOT_SENT:
            continue
        most = record.cost
        if most is None and record.quote is not None:
            high = record.quote.get("high")
            quoted = high if high is not None else record.quote.get("usd")
            most = Decimal(str(quoted)) if quoted is not None else None
        if most is None:
            return None
        total += most
    return total


def summary_line(sums: Mapping[str, Any], *, sandbox: bool = False) -> str:
    """Return the last line of a batch: `20 rows: 19 completed, 1 failed; $2.40`, with `in the sandbox` where it is."""
    parts = [f"{number} {status.replace('_', ' ')}" for status, number in sums["statuses"].items()]
    cost = money_text(sums["cost_usd"]) + (" and more" if sums["cost_unknown"] else "")
    cost += " in the sandbox" if sandbox else ""
    if sums["byok"]:
        cost += f", and {count(sums['byok'], 'job')} {OWN_KEY}"
    return f"{count(sums['rows'], 'row')}: {', '.join(parts)}; {cost}"


def row_document(entry: Entry) -> dict[str, Any]:
    """Return the documented object of one row; what is not known is null."""
    record = entry.record if entry.record is not None and entry.record.state is not State.NOT_SENT else None
    error = entry.error.message if entry.error is not None else None
    return {
        "row": entry.row.number,
        "line": entry.row.line,
        "name": entry.row.name,
        "status": record.status_word if record else _unsent_word(entry.record),
        "id": record.id if record else None,
        "handle": record.handle if record else None,
        "prompt": entry.row.fields.get("prompt"),
        "path": entry.paths[0] if entry.paths else None,
        "paths": list(entry.paths),
        "quote": record.quote if record else entry.quote,
        "cost_usd": record.cost if record else None,
        "is_byok": record.is_byok if record else None,
        "seconds": _seconds(record),
        "error": error or (record.error if record and record.status != "completed" else None),
    }


def _unsent_word(record: Record | None) -> str:
    """Return the status of a row that bought nothing: `refused` where the service said so (finding A07)."""
    return record.status_word if record is not None and record.answer_status is not None else _NOT_SUBMITTED


def _seconds(record: Record | None) -> float | None:
    """Return how long a job took at the service, in seconds, None where its end was not watched (finding B05)."""
    if record is None or not record.watched or record.ended_at is None or record.submitted_at is None:
        return None
    return round(max(0.0, (record.ended_at - record.submitted_at).total_seconds()), 1)


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the sums over the rows: how many stand how, and what they cost in USD as far as that is known."""
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
    """A report that is tried before any money is spent and written whole or not at all; `.csv` makes it a CSV."""

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
            # A pipe or a device has no name to take over; it is written as it is.
            if self._is_file:
                write_whole(self.path, content)
            else:
                self.path.write_bytes(content)

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputUnwritable(f"The report {self.path} cannot be written: {error.strerror or error}.") from error


def _json_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(dump({name: row[name] for name in FIELDS}) + "\n" for row in rows)


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows with a heading; control characters in them are visible (drill T06)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow("" if row[name] is None else visible(str(row[name])) for name in FIELDS)
    return text.getvalue()
