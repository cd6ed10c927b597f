"""What finished jobs teach: what a clip of a shape really costs and takes, and where the money went."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Literal

from orvideo.record.rows import amount, micros
from orvideo.record.values import SANDBOX, Shape, Spending, Typical

#: How many of the newest jobs count: prices and speeds change.
NEWEST = 50

By = Literal["model", "day", "month"]
_KEYS = {
    "model": "model",
    "day": "strftime('%Y-%m-%d', created_at / 1000000, 'unixepoch')",
    "month": "strftime('%Y-%m', created_at / 1000000, 'unixepoch')",
}

#: Whether every endpoint but one is meant, or one.
_AT = {True: "endpoint <> :endpoint", False: "endpoint = :endpoint"}


def typical(connection: sqlite3.Connection, shape: Shape, endpoint: str | None) -> Typical:
    """Return what the newest finished jobs of a shape cost and took; of every endpoint but the sandbox by default."""
    rows = connection.execute(
        f"""
        SELECT cost, submitted_at, ended_at, watched FROM jobs
        WHERE status = 'completed' AND model = :model AND mode IS :mode AND resolution IS :resolution
        AND duration IS :duration AND audio IS :audio AND final = 1 AND {_AT[endpoint is None]}
        ORDER BY ended_at DESC LIMIT {NEWEST}
        """,  # noqa: S608 - our own words only
        {**shape._asdict(), "endpoint": SANDBOX if endpoint is None else endpoint},
    ).fetchall()
    from statistics import median  # slow to import, and few commands ask

    costs = [cost for row in rows if (cost := amount(row["cost"])) is not None]
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


def spent(connection: sqlite3.Connection, by: By, since: datetime | None, endpoint: str | None) -> list[Spending]:
    """Return what was spent, dearest model or newest time first; jobs that may have been charged count as unknown.

    Equal amounts are counted by SQLite and added up here, as decimals: its own sums are floats.
    """
    rows = connection.execute(
        f"""
        SELECT {_KEYS[by]} AS key, cost, count(*) AS jobs FROM jobs
        WHERE state IN ('submitted', 'sending', 'unknown') AND created_at >= :since AND {_AT[endpoint is None]}
        GROUP BY 1, 2
        """,  # noqa: S608 - our own words only
        {"since": micros(since) if since else 0, "endpoint": SANDBOX if endpoint is None else endpoint},
    )
    costs: dict[str | None, Decimal] = defaultdict(Decimal)
    known: dict[str | None, int] = defaultdict(int)
    unknown: dict[str | None, int] = defaultdict(int)
    for row in rows:
        key, cost = row["key"], amount(row["cost"])
        costs[key] += cost * row["jobs"] if cost is not None else 0
        (unknown if cost is None else known)[key] += row["jobs"]
    found = [Spending(key, costs[key], known[key], unknown[key]) for key in costs]
    if by == "model":
        return sorted(found, key=lambda spending: (-spending.cost, spending.key or ""))
    return sorted(found, key=lambda spending: spending.key or "", reverse=True)
