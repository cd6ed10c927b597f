"""What the tests of the record share: requests, quotes, and a job brought to any state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, State, Submission

HERE = "https://openrouter.example/api/v1"
#: The time that `HandClock` begins at.
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def request(**fields: Any) -> dict[str, Any]:
    return {"model": "x-ai/grok-imagine-video", "prompt": "a paper boat", "duration": 4, "resolution": "480p", **fields}


def quote(usd: float) -> dict[str, Any]:
    return {"kind": "listed", "usd": usd, "low": usd, "high": usd, "reasons": []}


def bring_to(ledger: Ledger, state: State, *, job_id: str = "job-1", endpoint: str = HERE, **prepared: Any) -> int:
    """Return the number of a new job in `state`."""
    seq = ledger.prepare(Submission(**{"request": request(), "endpoint": endpoint, **prepared}))
    if state is State.NOT_SENT:
        ledger.not_sent(seq, "nobody was there")
    elif state is not State.PREPARED:
        ledger.sending(seq)
        if state is State.UNKNOWN:
            ledger.outcome_unknown(seq, "the line went dead")
        elif state is State.SUBMITTED:
            ledger.submitted(seq, job_id, status="pending")
    return seq


def finished(
    ledger: Ledger, job_id: str, cost: str | None = "0.05", *, status: str = "completed", **prepared: Any
) -> int:
    """Return the number of a new job that is at its end."""
    seq = bring_to(ledger, State.SUBMITTED, job_id=job_id, **prepared)
    ledger.observed(seq, Observation(status=status, cost=Decimal(cost) if cost else None, final=True))
    return seq


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Look at the file of a record past the ledger."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
