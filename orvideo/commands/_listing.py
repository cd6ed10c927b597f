"""The list of jobs on record: in which order, with which columns, and what they cost together."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.commands._filters import FilterOptions, wanted

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.pager import Pager
    from orvideo.record.lookup import Filter
    from orvideo.record.values import Record

#: How many jobs are listed when the line does not say.
USUAL_LIMIT = 100


class Sums(StrEnum):
    """What the cost of jobs can be summed by."""

    model = "model"
    day = "day"
    month = "month"


class Order(StrEnum):
    """The orders a list of jobs can have."""

    newest = "newest"
    oldest = "oldest"
    cost = "cost"
    model = "model"
    status = "status"


class ListOptions(NamedTuple):
    """How a list is shown."""

    sort: Annotated[Order, typer.Option("--sort", help="The order of the list; of cost, the dearest first.")] = (
        Order.newest
    )
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="NAMES", help="Which columns, such as id,status,file.")
    ] = None
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most N jobs; 0 for all. Default of a list: 100."),
    ] = None
    cost: Annotated[Sums | None, typer.Option("--cost", help="Sum what they cost, by model, day or month.")] = None
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help="All at once, also where it is longer than the screen.")
    ] = False


def run_list(context: Context, filters: FilterOptions, options: ListOptions) -> None:
    """List what passes the filters; with --cost, what that cost together."""
    passing = wanted(context, filters)
    listed = (_show_jobs if options.cost is None else _show_sums)(context, passing, options)
    if not listed and context.terminal.out_is_tty:
        context.terminal.note("no job on record passes" if filters != FilterOptions() else "no job on record yet")


def _show_sums(context: Context, passing: Filter, options: ListOptions) -> int:
    """Show what jobs cost together, and return how many rows that has."""
    from orvideo.output.job_table import spending_table

    assert options.cost is not None, "it was asked for"
    terminal = context.terminal
    sums = context.ledger_to_read.spent(options.cost.value, limit=options.limit or None, **passing)
    terminal.document([one.as_json() for one in sums])
    table = spending_table(sums, options.cost.value, whole=not terminal.out_is_tty)
    terminal.long_table(table, "", _pager(context, options))
    return len(sums)


def _show_jobs(context: Context, passing: Filter, options: ListOptions) -> int:
    """Show jobs, and return how many."""
    from orvideo.output.job_table import job_table

    ledger, terminal = context.ledger_to_read, context.terminal
    records, all_of_them = _listed(context, passing, options)
    documents = [record.as_json() for record in records]
    columns = _columns(options.columns, documents, is_tty=terminal.out_is_tty)
    table = job_table(documents, context.clock.now(), columns, ledger.positions())
    terminal.document(documents)
    foot = ""
    if terminal.out_is_tty and records and not terminal.json:
        from orvideo.output.tally_text import tally_text

        foot = tally_text(ledger.tally(**passing), shown=len(records))
    elif not all_of_them:
        terminal.note(f"the first {len(records)} are shown; there are more (-n 0 for all)")
    terminal.long_table(table, foot, _pager(context, options))
    return len(records)


def _columns(asked: str | None, documents: Sequence[dict[str, Any]], *, is_tty: bool) -> list[str]:
    """Return the columns that are asked for, else the usual ones: on a terminal with the marks where there are any."""
    from orvideo.output.job_table import PIPE_COLUMNS, TERMINAL_COLUMNS

    if asked is not None:
        return [name.strip() for name in asked.lower().split(",")]
    columns = list(TERMINAL_COLUMNS if is_tty else PIPE_COLUMNS)
    if is_tty and any(document["mark"] for document in documents):
        columns.insert(columns.index("status") + 1, "mark")
    return columns


def _listed(context: Context, passing: Filter, options: ListOptions) -> tuple[list[Record], bool]:
    """Return the first jobs in the order that is asked for, and whether these are all."""
    most = USUAL_LIMIT if options.limit is None else options.limit
    is_newest = (options.sort, options.reverse) == (Order.newest, False)
    records = context.ledger_to_read.list(limit=most + 1 if most and is_newest else None, **passing)
    ordered = _ordered(records, options.sort, reverse=options.reverse)
    return (ordered[:most], len(ordered) <= most) if most else (ordered, True)


def _ordered(records: list[Record], order: Order, *, reverse: bool) -> list[Record]:
    """Return jobs, the newest first, in another order; those of which what decides it is not known come last."""
    if order in (Order.newest, Order.oldest):
        return records[::-1] if (order is Order.oldest) != reverse else records

    def key(record: Record) -> Any:
        return {Order.cost: record.cost, Order.model: record.model, Order.status: record.status_word}[order]

    known = [record for record in records if key(record) is not None]
    known.sort(key=key, reverse=(order is Order.cost) != reverse)
    return known + [record for record in records if key(record) is None]


def _pager(context: Context, options: ListOptions) -> Pager | None:
    """Return what shows a list that is longer than the screen; it never gets the key."""
    if options.no_pager or not context.terminal.out_is_tty or context.answering.json:
        return None
    from orvideo.output.pager import find_pager

    pager = find_pager(context.settings.environ_without_key(), context.environment.platform)
    return pager and pager._replace(guard=context.interrupts.ctrl_c_left_to_child)
