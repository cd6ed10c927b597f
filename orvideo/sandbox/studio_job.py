"""One job of the sandbox as it is kept, and what a bad day makes different for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from orvideo.sandbox import ids


@dataclass(frozen=True)
class StudioJob:
    """One job as it is kept. `request` is what reached the provider, `received` the whole body as it was sent.

    Data URLs in both are replaced by a reference to media/. `seconds` is the length of the film, `takes` how long the
    job takes in seconds of the service's time, `speed` how many of those pass in one of ours.
    """

    id: str
    model: str
    created_at: float
    speed: float
    takes: float
    status: str
    outputs: int
    width: int
    height: int
    seconds: int
    sound: bool
    cost: str | None
    error: str | None
    request: dict[str, Any]
    received: dict[str, Any] = field(default_factory=dict)
    is_byok: bool = False

    @property
    def generation_id(self) -> str:
        return ids.generation_id(self.id, self.created_at)

    @property
    def ends_at(self) -> float:
        """When the job ends, in seconds since the epoch."""
        return self.created_at + self.takes / self.speed

    @property
    def usd(self) -> Decimal | None:
        return None if self.cost is None else Decimal(self.cost)


class Terms(NamedTuple):
    """What is different for a job that is made on a bad day."""

    is_dead: bool = False
    is_byok: bool = False
    least_seconds: int = 0
    has_old_id: bool = False


def when(timestamp: float) -> str:
    """Return a time as the service writes it: ISO 8601 in UTC."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")
