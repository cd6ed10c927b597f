"""Statistics of finished jobs: what jobs of one shape cost and took, and spending by model or time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any, Literal

from orvideo.record.rows import ReadContext, amount, moment
from orvideo.record.values import SANDBOX, Shape, Spending, State, Tally, Typical, word_of

#: How many of the newest jobs count: prices and speeds change.
SAMPLE_SIZE = 50

GroupBy = Literal["model", "day", "month"]
_TIMES = {"day": "%Y-%m-%d", "month": "%Y-%m"}

#: What `spent` reads of a job, beside what decides whether it passes a filter.
SPENT_COLUMNS = ", model, created_at, endpoint, cost, is_byok, quoted_most"


def typical(connection: sqlite3.Connection, shape: Shape, endpoint: str) -> Typical:
    """Return what the newest finished jobs of a shape cost and took at an endpoint."""
    rows = connection.execute(
        f"""
        SELECT cost, is_byok, submitted_at, ended_at, watched FROM jobs
        WHERE status = 'completed' AND model = :model AND mode IS :mode AND resolution IS :resolution
        AND duration IS :duration AND audio IS :audio AND final = 1 AND endpoint = :endpoint
        ORDER BY ended_at DESC LIMIT {SAMPLE_SIZE}
        """,  # noqa: S608 - our own words only
        {**shape._asdict(), "endpoint": endpoint},
    ).fetchall()
    if not rows:
        return Typical()
    from statistics import median  # slow to import, and few commands ask

    # What OpenRouter bills for a provider's own key is no price of the clip.
    costs = [cost for row in rows if not row["is_byok"] and (cost := amount(row["cost"])) is not None]
    times = [(row["ended_at"] - row["submitted_at"]) / 1e6 for row in rows if row["watched"]]
    return Typical(
        found=len(rows),
        priced=len(costs),
        cost=median(costs) if costs else None,
        cost_low=min(costs, default=None),
        cost_high=max(costs, default=None),
        timed=len(times),
        seconds=median(times) if times else None,
    )


def dearest(connection: sqlite3.Connection, shape: Shape, endpoint: str) -> Decimal | None:
    """Return the highest bill, in USD, of the newest jobs that cost no more than a job of this shape does.

    The same picture from the same kind of source, no longer than this one; sound where both say (finding A05).
    """
    rows = connection.execute(
        f"""
        SELECT cost FROM jobs WHERE status = 'completed' AND model = :model AND mode IS :mode
        AND resolution IS :resolution AND (duration IS :duration OR duration <= :duration)
        AND (audio IS :audio OR audio IS NULL OR :audio IS NULL) AND endpoint = :endpoint AND is_byok IS NOT 1
        ORDER BY ended_at DESC LIMIT {SAMPLE_SIZE}
        """,  # noqa: S608 - our own words only
        {**shape._asdict(), "endpoint": endpoint},
    )
    return max((cost for row in rows if (cost := amount(row["cost"])) is not None), default=None)


HighestBills = dict[tuple[Shape, str], Decimal | None]


def max_cost(
    connection: sqlite3.Connection, job: Mapping[str, Any] | sqlite3.Row, highest_bills: HighestBills
) -> Decimal | None:
    """Return the most that a job without a bill may cost in USD: its quote, or the bills of such jobs (finding A05).

    None without a quote. `highest_bills` caches the highest bill of each shape.
    """
    quoted = amount(job["quoted_most"])
    if quoted is None:
        return None
    shape = Shape(*(job[name] for name in Shape._fields))
    place = (shape, job["endpoint"])
    if place not in highest_bills:
        highest_bills[place] = dearest(connection, *place)
    return max(quoted, highest_bills[place] or quoted)


def tally(rows: Collection[sqlite3.Row], context: ReadContext) -> Tally:
    """Return how many jobs there are of each status, the most frequent first, and what all of them cost."""
    statuses = Counter(_word(row, context) for row in rows)
    return Tally(dict(statuses.most_common()), tuple(spent(rows, None, context)))


def _word(row: sqlite3.Row, context: ReadContext) -> str:
    state = context.state_of(row)
    if state in (State.PREPARED, State.SENDING) or (state is State.SUBMITTED and not row["final"]):
        return "running"
    return row["status"] or word_of(state, row["answer_status"])


def spent(rows: Iterable[sqlite3.Row], by: GroupBy | None, context: ReadContext) -> list[Spending]:
    """Return what jobs cost, the sandbox's apart and last: the dearest model, or the newest time first (UTC).

    By nothing: all of them together.

    A job that may have been charged counts (finding A11); amounts are added up here, since SQLite's sums are floats.
    """
    found: dict[tuple[str | None, bool], Spending] = {}
    for row in rows:
        state = context.state_of(row)
        if state in (State.PREPARED, State.NOT_SENT):
            continue
        key = _key(row, by)
        place = (key, row["endpoint"] == SANDBOX)
        found[place] = _with_job(found.get(place) or Spending(*place), row, state)
    sums = sorted(found.values(), key=lambda one: one.key or "", reverse=by != "model")
    if by == "model":
        sums.sort(key=lambda one: one.cost, reverse=True)
    return sorted(sums, key=lambda one: one.sandbox)


def _with_job(sums: Spending, row: sqlite3.Row, state: State) -> Spending:
    cost, quoted = amount(row["cost"]), amount(row["quoted_most"])
    if row["is_byok"]:
        return sums._replace(byok=sums.byok + 1, cost=sums.cost + (cost or 0))
    if cost is not None:
        return sums._replace(known=sums.known + 1, cost=sums.cost + cost)
    if state is State.UNKNOWN or row["final"]:
        return sums._replace(unknown=sums.unknown + 1)
    return sums._replace(
        pending=sums.pending + 1, quoted=sums.quoted if quoted is None else (sums.quoted or 0) + quoted
    )


def _key(row: sqlite3.Row, by: GroupBy | None) -> str | None:
    if by is None:
        return None
    return row["model"] if by == "model" else _time(row["created_at"], by)


def _time(created_at: int, by: GroupBy) -> str | None:
    when = moment(created_at)
    return when.astimezone(UTC).strftime(_TIMES[by]) if when else None
