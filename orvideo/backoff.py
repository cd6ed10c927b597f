"""Exponential back-off with jitter, for everything that is retried."""

from __future__ import annotations

from collections.abc import Callable


def backoff(attempt: int, first: float, longest: float, jitter: Callable[[float, float], float] | None = None) -> float:
    """Return the pause after failed attempt number `attempt`, from 1, in the unit of `first` and `longest`.

    It doubles from `first` up to `longest`, and is then chosen between half of that and all of it.
    """
    from random import uniform  # slow to import, and little fails

    ceiling = min(first * 2 ** min(attempt - 1, 20), longest)
    return (jitter or uniform)(ceiling / 2, ceiling)
