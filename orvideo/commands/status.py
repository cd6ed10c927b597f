"""`orvideo status`: one look at jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orvideo.commands._action import Action, Answering
from orvideo.commands._follow import find_jobs, raise_worst
from orvideo.commands._options import JobsArgument, Json, Quiet, UseSandbox, Verbose
from orvideo.errors import OrvideoError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orvideo.context import Context
    from orvideo.record.values import Record


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo status @1")
    def status(
        jobs: JobsArgument = None,
        json: Json = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Look once at jobs and show how they are."""
        answering = Answering(json=json, quiet=quiet, verbose=verbose, sandbox=sandbox)
        return Action(lambda context: run(context, jobs), answering)


def run(context: Context, names: Sequence[str] | None) -> None:
    """Look at each job once; one that cannot be seen is shown as last seen, and its error decides the exit code."""
    from orvideo.output.views import status_table

    seen: list[Record] = []
    troubles: list[OrvideoError] = []
    for record in find_jobs(context, names):
        if record.id is not None:
            try:
                context.lifecycle.look(record)
            except OrvideoError as error:
                error.job_id = error.job_id or record.id
                troubles.append(error)
        seen.append(context.ledger.get(record.seq))
    documents = [record.as_json() for record in seen]
    context.terminal.document(documents)
    context.terminal.table(*status_table(documents, context.clock.now()))
    raise_worst(context, troubles)
