"""`orvideo download`: fetches finished videos, again if need be; never submits anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action, Answering
from orvideo.commands._follow import find_jobs, follow_and_save, prepare, terms_from
from orvideo.commands._options import (
    Events,
    Force,
    JobsArgument,
    Json,
    MaxSize,
    Output,
    Quiet,
    Receipt,
    Timeout,
    UseSandbox,
    Verbose,
)

if TYPE_CHECKING:
    from orvideo.context import Context


class DownloadOptions(NamedTuple):
    """A download line, parsed."""

    jobs: list[str] | None
    all: bool
    output: str | None
    force: bool
    timeout: str | None
    receipt: bool = False
    max_size: str | None = None


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo download @1 -o boat.mp4")
    def download(
        jobs: JobsArgument = None,
        everything: Annotated[bool, typer.Option("--all", help="Every finished job that is not on this disk.")] = False,
        output: Output = None,
        force: Force = False,
        receipt: Receipt = False,
        max_size: MaxSize = None,
        timeout: Timeout = None,
        json: Json = False,
        events: Events = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Fetch finished videos, again if need be; nothing is ever submitted."""
        options = DownloadOptions(jobs, everything, output, force, timeout, receipt, max_size)
        return Action(lambda context: run(context, options), Answering(json, events, quiet, verbose, sandbox))


def run(context: Context, options: DownloadOptions) -> None:
    """Fetch the named jobs, or all that are finished and not on this disk."""
    terms = terms_from(context, options.timeout, None)
    missing = context.ledger_to_read.list(not_downloaded=True) if options.all else None
    records = find_jobs(context, options.jobs, otherwise=missing)
    if not records:
        context.terminal.note("nothing to fetch: every finished job on record is on this disk")
    fetcher = context.fetcher(options.output, force=options.force, always=True, max_size=options.max_size)
    tasks = prepare(context, records, fetcher)
    follow_and_save(context, tasks, terms._replace(wait=False), fetcher, receipt=options.receipt)
