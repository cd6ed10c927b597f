"""`orvideo wait`: follows jobs to their end, and saves them where `-o`, now or at submit, said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action, Answering
from orvideo.commands._follow import find_jobs, follow_and_save, prepare, terms_from
from orvideo.commands._hooks import NOTHING, Hooks, hooks_from
from orvideo.commands._options import (
    Events,
    Exec,
    Force,
    Interval,
    JobsArgument,
    Json,
    MaxSize,
    Notify,
    Output,
    Quiet,
    Receipt,
    Timeout,
    UseSandbox,
    Verbose,
)

if TYPE_CHECKING:
    from orvideo.context import Context


class WaitOptions(NamedTuple):
    """A wait line, parsed."""

    jobs: list[str] | None
    all: bool
    output: str | None
    force: bool
    timeout: str | None
    interval: str | None
    receipt: bool = False
    max_size: str | None = None
    hooks: Hooks = NOTHING


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo wait @1 -o boat.mp4")
    def wait(
        jobs: JobsArgument = None,
        everything: Annotated[bool, typer.Option("--all", help="Every job that is not at its end.")] = False,
        timeout: Timeout = None,
        interval: Interval = None,
        exec_: Exec = None,
        notify: Notify = False,
        output: Output = None,
        force: Force = False,
        receipt: Receipt = False,
        max_size: MaxSize = None,
        json: Json = False,
        events: Events = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Follow jobs to their end, and save what they made."""
        hooks = hooks_from(exec_, notify)
        options = WaitOptions(jobs, everything, output, force, timeout, interval, receipt, max_size, hooks)
        return Action(lambda context: run(context, options), Answering(json, events, quiet, verbose, sandbox))


def run(context: Context, options: WaitOptions) -> None:
    """Wait for the named jobs, or for all that are unfinished, whoever submitted them."""
    terms = terms_from(context, options.timeout, options.interval)
    unfinished = context.ledger_to_read.list(unfinished=True) if options.all else None
    records = find_jobs(context, options.jobs, otherwise=unfinished)
    if not records:
        context.terminal.note("nothing to wait for: every job on record is at its end")
    fetcher = context.fetcher(options.output, force=options.force, max_size=options.max_size)
    tasks = prepare(context, records, fetcher)
    follow_and_save(context, tasks, terms, fetcher, options.hooks, receipt=options.receipt)
