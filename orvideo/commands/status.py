"""`orvideo status`: one look at jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import errors_of, find_jobs, run_tasks
from orvideo.commands._options import Asking, JobsArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orvideo.context import Context


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo status 1")
    def status(*, jobs: JobsArgument = None, answering: Asking) -> Action:
        """Look once at jobs and show how they are."""
        return Action(lambda context: run(context, jobs), answering)


def run(context: Context, names: Sequence[str] | None) -> None:
    """Look at each job once; one that cannot be seen is shown as last seen, and its error decides the exit code."""
    from orvideo.jobs.task import RunOptions, Task
    from orvideo.output.job_table import PIPE_STATUS_COLUMNS, TERMINAL_STATUS_COLUMNS, job_table
    from orvideo.output.job_text import overrun_text

    records = find_jobs(context, names)
    tasks = [Task(record) for record in records if record.id is not None]
    context.ending.track(tasks, context.journal)
    errors = [*run_tasks(context, tasks, RunOptions(poll_once=True), context.fetcher(None)), *errors_of(tasks)]
    documents = [(context.journal.record(record.seq) or record).as_json() for record in records]
    context.terminal.document(documents)
    columns = TERMINAL_STATUS_COLUMNS if context.terminal.out_is_tty else PIPE_STATUS_COLUMNS
    positions = context.ledger_to_read.positions()
    context.terminal.table(*job_table(documents, context.clock.now(), columns, positions))
    for record in filter(None, (task.record for task in tasks)):
        if (overrun := overrun_text(record)) is not None:
            context.terminal.warn_of_money(f"{record.name} was {overrun}")
    context.ending.raise_worst(errors)
