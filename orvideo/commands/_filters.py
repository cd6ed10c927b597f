"""The filters that lists of jobs share: which jobs on record a line means."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.clock import local
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.ledger import Ledger
    from orvideo.record.lookup import Batch, Filter

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
#: So many batches are named to choose from.
_MOST_NAMED = 5


class Marked(StrEnum):
    """What `--marked` asks for."""

    keep = "keep"
    reject = "reject"
    any = "any"
    none = "none"


class FilterOptions(NamedTuple):
    """Which jobs a line means; what is not said is not asked for."""

    text: Annotated[str | None, typer.Option("--search", "-s", metavar="TEXT", help="In prompt, model or id.")] = None
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Not at their end.")] = False
    unknown: Annotated[bool, typer.Option("--unknown", help="Sent, outcome unknown.")] = False
    not_downloaded: Annotated[bool, typer.Option("--not-downloaded", help="Finished, not on this disk.")] = False
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="A date (2026-11-21), or an age such as 2h or 7d.")
    ] = None
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="WORDS", help="With this status, or one of these: completed,failed."),
    ] = None
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="TEXT", help="Of this model, or part of its name.")
    ] = None
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="NAME", help="Of this batch: its --name or file, or part of that.")
    ] = None
    marked: Annotated[Marked | None, typer.Option("--marked", help="Marked so (orvideo jobs mark).")] = None


def wanted(context: Context, options: FilterOptions) -> Filter:
    """Return the filter that a line asks for. Raises UsageError for a status, a time or a batch that nobody knows."""
    ledger = context.ledger_to_read
    if options.status:
        _check_statuses(options.status, ledger)
    return {
        "unfinished": options.unfinished,
        "submitting": options.unfinished,
        "unknown": options.unknown,
        "not_downloaded": options.not_downloaded,
        "since": _moment(options.since, context.clock.now()) if options.since else None,
        "text": options.text,
        "status": options.status,
        "model": options.model,
        "batches": None if options.batch is None else _batches(options.batch, ledger),
        "marked": None if options.marked is None else options.marked.value,
    }


def _check_statuses(words: str, ledger: Ledger) -> None:
    """Refuse a status that nobody knows and no job on record has. Raises UsageError."""
    from orvideo.api.values import KNOWN_STATUSES
    from orvideo.record.values import OWN_STATUS_WORDS
    from orvideo.request.checking import nearest

    known = KNOWN_STATUSES | OWN_STATUS_WORDS
    for word in (part.strip() for part in words.casefold().split(",")):
        if word and word not in known and not ledger.list(status=word, limit=1):
            near = nearest(word, sorted(known))
            hint = f"did you mean {near}?" if near else "orvideo jobs --status completed,failed"
            raise UsageError(f"No job has the status {word!r}, and orvideo knows none of that name.", hint=hint)


def _moment(text: str, now: datetime) -> datetime:
    """Return the time that `2026-11-21`, an ISO 8601 time, or an age such as `2h` or `7d` stands for."""
    from orvideo.settings.values import InvalidValue, parse_duration

    if _DAY.match(text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"--since {text!r} is not a date, such as 2026-11-21.") from None
        return moment if moment.tzinfo else local(moment)
    days = re.fullmatch(r"(\d{1,5})d", text.strip())
    if days:
        return now - timedelta(days=int(days[1]))
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (InvalidValue, OverflowError):
        raise UsageError(
            f"--since {text!r} is neither a date, such as 2026-11-21, nor an age, such as 2h or 7d."
        ) from None


def _batches(asked: str, ledger: Ledger) -> list[str]:
    """Return the ids of the batches that a name, a file or a part of either stands for. Raises UsageError."""
    known, part = ledger.batches(), asked.strip().casefold()
    if exact := [one.id for one in known if _is_called(one, asked.strip())]:
        return exact
    short = {one.name: _short(one.name).casefold() for one in known if one.name is not None}
    for names in (
        [name for name in short if short[name] == part],
        [name for name in short if part and part in short[name]],
    ):
        if len(names) == 1:
            return [one.id for one in known if one.name in names]
        if names:
            raise UsageError(f"{asked!r} may be any of these batches: {_listed(names)}.", hint="give more of the name")
    there = f" There are {_listed(list(short))}." if short else ""
    raise UsageError(f"No batch on record is called {asked!r}.{there}", hint="orvideo jobs --columns id,batch")


def _is_called(batch: Batch, asked: str) -> bool:
    """Say whether a batch has a name, also where that is not on record: it was bought before names were kept."""
    from orvideo.batch.identity import batch_id
    from orvideo.files import expand_user

    path = os.path.realpath(expand_user(asked)) if asked and "\0" not in asked else asked
    if asked in (batch.id, batch.name) or path == batch.name:
        return True
    return batch.name is None and batch.id in (
        batch_id(f"name:{asked}", batch.endpoint),
        batch_id(f"file:{path}", batch.endpoint),
    )


def _short(name: str) -> str:
    """Return what a person remembers of a batch: of a path the file's name."""
    return os.path.basename(name) if os.path.isabs(name) else name


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
