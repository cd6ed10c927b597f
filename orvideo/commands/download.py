"""`orvideo download`: fetches finished videos, again if need be; never submits anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action, Answering
from orvideo.commands._follow import download_jobs, find_jobs
from orvideo.commands._options import (
    Events,
    Force,
    JobsArgument,
    Json,
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


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo download @1 -o boat.mp4")
    def download(
        jobs: JobsArgument = None,
        everything: Annotated[bool, typer.Option("--all", help="Every finished job that is not on this disk.")] = False,
        output: Output = None,
        force: Force = False,
        receipt: Receipt = False,
        timeout: Timeout = None,
        json: Json = False,
        events: Events = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Fetch finished videos, again if need be; nothing is ever submitted."""
        options = DownloadOptions(jobs, everything, output, force, timeout, receipt)
        return Action(lambda context: run(context, options), Answering(json, events, quiet, verbose, sandbox))


def run(context: Context, options: DownloadOptions) -> None:
    """Fetch the named jobs, or all that are finished and not on this disk."""
    missing = context.ledger.list(not_downloaded=True) if options.all else None
    records = find_jobs(context, options.jobs, otherwise=missing)
    if not records:
        context.terminal.note("nothing to fetch: every finished job on record is on this disk")
    timeout = context.settings.with_flags({"timeout": options.timeout}).timeout if options.timeout else None
    saving = context.saving(options.output, force=options.force, always=True, timeout=timeout, receipt=options.receipt)
    saving.check(records)
    saving.remember(records)
    download_jobs(context, records, saving)
