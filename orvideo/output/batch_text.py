"""Batches as text: the plan before anything is bought, what the rows cost, and the summary at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orvideo import shells
from orvideo.batch.row_state import RowState, row_state
from orvideo.batch.rows import Link
from orvideo.film.moment import FIRST, LAST
from orvideo.money import money_text
from orvideo.output.job_text import OWN_KEY
from orvideo.output.quote_text import range_text
from orvideo.output.text import count, ranges
from orvideo.record.values import Record, State

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked, Price
    from orvideo.batch.row_state import History
    from orvideo.catalogue.planning import Plan

#: How many jobs, or folders, are named one by one.
MOST_NAMED = 5
_STATE_TEXTS = {
    RowState.COMPLETED: "finished",
    RowState.RUNNING: "in flight",
    RowState.ELSEWHERE: "in another run",
    RowState.FAILED: "failed before (--retry-failed buys them again)",
    RowState.UNKNOWN: "of unknown outcome, left alone",
}


def plan_lines(
    asked: Sequence[Asked], history: History, plans: Mapping[str, Plan], price: Price, limit: Decimal | None = None
) -> list[str]:
    """Return the plan that is shown before money is spent: rows by status, choices made for the user, and price.

    Amounts are rounded so that none appears on the wrong side of `limit` (finding A10).
    """
    states = Counter(row_state(history.last.get(one.key)) for one in asked if one.key not in plans)
    parts = [f"{number} {_STATE_TEXTS[state]}" for state, number in states.items()]
    again = sum(row_state(history.last.get(key)) is RowState.FAILED for key in plans)
    new = f"{len(plans)} to submit" + (f" ({again} of them again)" if again else "")
    lines = [f"{count(len(asked), 'row')}: {', '.join([*parts, new])}"]
    changed = history.changed(asked)
    if changed:
        lines.append(f"changed since they were bought, so new: line {ranges([one.row.line for one in changed])}")
    chosen = Counter(choice for plan in plans.values() for choice in plan.choices)
    lines += [f"chosen: {choice}" + _share(number, len(plans)) for choice, number in chosen.items()]
    if plans:
        lines.append(f"quote: {_price_text(price, limit)}")
        reasons = Counter(reason for plan in plans.values() for reason in plan.quote.reasons)
        lines += [f"why: {reason}{_share(number, len(plans))}" for reason, number in reasons.items()]
    elif set(states) == {RowState.COMPLETED}:
        lines.append("nothing to submit; another --name makes all of them again")
    return lines


def chain_lines(rows: Sequence[Asked], *, most: int | None) -> list[str]:
    """Return a line for each picture that a row takes from another one; at most so many."""
    lines = [
        f"row {one.row.number} {_picture_text(field, item)}"
        for one in rows
        for field, value in one.row.fields.items()
        for item in (value if type(value) is list else [value])
        if isinstance(item, Link)
    ]
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"and {len(lines) - most} more such rows (--dry-run lists all)"]


def _picture_text(field: str, link: Link) -> str:
    """Return `begins where row 3 ends`."""
    if (field, link.moment) == ("first_frame", LAST):
        return f"begins where row {link.row} ends"
    if (field, link.moment) == ("last_frame", FIRST):
        return f"ends where row {link.row} begins"
    what = {"first_frame": "begins with", "last_frame": "ends with"}.get(field, "has as a reference")
    return f"{what} {link.text}"


def _share(number: int, total: int) -> str:
    return "" if number == total else f" ({count(number, 'row')})"


def _price_text(price: Price, limit: Decimal | None = None) -> str:
    """Return `$2.40 for 20 rows: 18 listed, 1 about, 1 unknown`."""
    kinds = {"listed": price.listed, "about": price.about, "unknown": price.unknown}
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    about = bool(price.about)
    total = money_text(price.usd, approximate=about, limit=limit) if price.usd is not None else "an unknown price"
    more = " and more" if price.unknown and price.usd is not None else ""
    span = range_text(price.low, price.high, limit)
    return f"{total}{more}{span} for {count(price.rows, 'row')}: {told}"


def dropped_rows_line(records: Sequence[Record]) -> str:
    """Return a warning about jobs whose rows are no longer in the file."""
    running = [record.name for record in records if record.is_running]
    text = f"{count(len(records), 'job')} of this batch belong to rows that were changed or taken out"
    if running:
        text += f"; {len(running)} still running: orvideo wait {' '.join(running[:MOST_NAMED])}"
    return text + "."


def parted_line(asked: Sequence[Asked], plans: Mapping[str, Plan]) -> str | None:
    """Return a warning about rows that stay as they are, and were made with a picture of a video that is made anew."""
    new = {one.row.number for one in asked if one.key in plans}
    parted = [one.row.number for one in asked if one.key not in plans and new.intersection(one.row.after)]
    if not parted:
        return None
    return (
        f"{count(len(parted), 'row')} ({ranges(parted)}) on record took a picture of an earlier video of a row that is "
        "bought anew, and will not fit to the new one; orvideo jobs forget JOB lets a row be bought anew"
    )


def saved_elsewhere_line(records: Sequence[Record], folder: str | None) -> str:
    """Return a warning about finished rows whose videos are not where this line says; `folder` is what it names."""
    paths = [output.path for record in records for output in record.outputs if output.path is not None]
    folders = sorted({os.path.dirname(path) for path in paths})
    names = " ".join(record.name for record in records[:MOST_NAMED]) + (" ..." if len(records) > MOST_NAMED else "")
    where = f"finished and saved in {', '.join(folders[:MOST_NAMED])}, not where this line says"
    way = f"orvideo download {names} -o {shells.word(folder or 'FOLDER/')}"
    return f"{count(len(records), 'row is', 'rows are')} {where}; to save there as well: {way}"


def most_spent(records: Iterable[Record]) -> Decimal | None:
    """Return the most that these jobs cost or may cost, in USD; None if it is unknown for one of them."""
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
    """Return the last line of a batch: `20 rows: 19 completed, 1 failed; $2.40`."""
    parts = [f"{number} {status.replace('_', ' ')}" for status, number in sums["statuses"].items()]
    cost = money_text(sums["cost_usd"]) + (" and more" if sums["cost_unknown"] else "")
    cost += " in the sandbox" if sandbox else ""
    if sums["byok"]:
        cost += f", and {count(sums['byok'], 'job')} {OWN_KEY}"
    return f"{count(sums['rows'], 'row')}: {', '.join(parts)}; {cost}"
