"""`orvideo wait`: follows jobs to their end, and saves them where `-o`, now or at submit, said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action, Answering
from orvideo.commands._follow import find_jobs, follow_and_save, patience_from
from orvideo.commands._hooks import NOTHING, Afterwards, afterwards_from
from orvideo.commands._options import (
    Events,
    Exec,
    Force,
    Interval,
    JobsArgument,
    Json,
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
    afterwards: Afterwards = NOTHING


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
        json: Json = False,
        events: Events = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Follow jobs to their end, and save what they made."""
        afterwards = afterwards_from(exec_, notify)
        options = WaitOptions(jobs, everything, output, force, timeout, interval, receipt, afterwards)
        return Action(lambda context: run(context, options), Answering(json, events, quiet, verbose, sandbox))


def run(context: Context, options: WaitOptions) -> None:
    """Wait for the named jobs, or for all that are unfinished, whoever submitted them."""
    patience = patience_from(context, options.timeout, options.interval)
    unfinished = context.ledger.list(unfinished=True) if options.all else None
    records = find_jobs(context, options.jobs, otherwise=unfinished)
    if not records:
        context.terminal.note("nothing to wait for: every job on record is at its end")
    saving = context.saving(options.output, force=options.force, receipt=options.receipt)
    saving.check(records)
    saving.remember(records)
    follow_and_save(context, records, patience, saving, options.afterwards)
