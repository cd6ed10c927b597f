"""What a batch must not do, decided in the transaction that would do it: buy a row twice, or pass its limit."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orvideo.errors import MoneyError, RecordError
from orvideo.money import exact_money_text, money_text
from orvideo.record.evidence import Bills, most_of
from orvideo.record.rows import LEFT, Viewpoint, amount, update
from orvideo.record.values import State, is_without_video


def refuse_taken(connection: sqlite3.Connection, row: Mapping[str, Any], view: Viewpoint) -> None:
    """Refuse a second job for a row of a batch, except after one that came to nothing or has no video (drill B09)."""
    for other in connection.execute(
        "SELECT * FROM jobs WHERE batch = ? AND row_key = ?", (row["batch"], row["row_key"])
    ).fetchall():
        state = view.state_of(other)
        failed = is_without_video(other["final"], other["status"], other["expected_outputs"])
        if state is State.NOT_SENT:
            # From now on the process that prepared it cannot send it any more, should it only have been asleep.
            error = other["error"] or LEFT[State.NOT_SENT]
            update(connection, other["seq"], state=State.NOT_SENT, error=error, updated_at=view.now)
        elif not failed:
            raise RecordError(
                f"Row {row['row_number'] or row['row_key']} of this batch is on record as "
                f"{other['job_id'] or other['handle']} ({other['status'] or state}); it was not submitted again."
            )


def refuse_overrun(connection: sqlite3.Connection, row: Mapping[str, Any], max_total: Decimal, view: Viewpoint) -> None:
    """Refuse a job with which its batch might cost more than `max_total` USD, or might for all we know (drill B13).

    A job counts with its true cost once that is known, and until then with the most it was quoted at, or such jobs
    were billed (finding A05); also one that failed, since a failure is not always free.
    """
    bills: Bills = {}
    this = most_of(connection, row, bills)
    prices = [
        amount(other["cost"]) if other["cost"] and not other["is_byok"] else most_of(connection, other, bills)
        for other in connection.execute("SELECT * FROM jobs WHERE batch = ?", (row["batch"],))
        if view.state_of(other) is not State.NOT_SENT
    ]
    known = [price for price in prices if price is not None]
    if this is None or len(known) < len(prices):
        raise MoneyError(
            f"What this batch may cost is not known, so no limit of {exact_money_text(max_total)} can be kept; "
            "nothing more was sent."
        )
    before = sum(known, Decimal(0))
    if before + this > max_total:
        left = max_total - before
        raise MoneyError(
            f"This job may cost {money_text(this, limit=left)} and the batch {money_text(before, limit=max_total)} "
            f"before it, more than the limit of {exact_money_text(max_total)} in all; nothing more was sent.",
            hint="raise --max-cost and run the same command again",
        )
