"""The last line of a list of jobs: how many there are, and what they cost; what is not known is said to be so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orvideo.money import money_text
from orvideo.output.text import count

if TYPE_CHECKING:
    from orvideo.record.values import Spending, Tally


def tally_text(tally: Tally, *, shown: int) -> str:
    """Return `12 jobs: 10 completed, 1 failed, 1 running; $1.23 billed, $0.20 more quoted`, and how many are shown."""
    listed = f" ({shown:,} shown; -n 0 for all)" if shown < tally.jobs else ""
    statuses = ", ".join(f"{number:,} {word}" for word, number in tally.statuses.items())
    money = "; ".join(filter(None, map(_sum_text, tally.sums)))
    jobs = f"{tally.jobs:,} {'job' if tally.jobs == 1 else 'jobs'}"
    return f"{jobs}{listed}: {statuses}" + (f"; {money}" if money else "")


def _sum_text(one: Spending) -> str:
    """Return what the jobs of one place cost, as far as that is known; an empty text where they cost nothing."""
    if one.sandbox:
        return f"{money_text(one.cost)} in the sandbox" if one.known else ""
    parts = [f"{money_text(one.cost)} billed"] if one.known or one.cost else []
    if one.quoted is not None:
        parts.append(f"{money_text(one.quoted)} {'more ' if parts else ''}quoted")
    elif one.pending:
        parts.append(f"{one.pending:,} without a quote")
    if one.unknown:
        parts.append(f"{one.unknown:,} without a bill")
    if one.byok:
        parts.append(f"{count(one.byok, 'job')} billed to your own provider key")
    return ", ".join(parts)
