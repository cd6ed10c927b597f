"""`orvideo wait`: follows jobs to their end, and saves them where `-o`, now or at submit, said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import FollowOptions, follow_named
from orvideo.commands._hooks import Hooks, refuse_unsafe
from orvideo.commands._options import Following, JobsArgument, Saving, Waiting

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.values import Record


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo wait 1 -o boat.mp4")
    def wait(
        *,
        jobs: JobsArgument = None,
        everything: Annotated[bool, typer.Option("--all", help="Every job that is not at its end.")] = False,
        waiting: Waiting,
        hooks: Hooks,
        saving: Saving,
        answering: Following,
    ) -> Action:
        """Follow jobs to their end, and save what they made."""
        options = FollowOptions(jobs, everything, saving, waiting, hooks)
        return Action(lambda context: run(context, options), answering)


def run(context: Context, options: FollowOptions) -> None:
    """Wait for the named jobs, or for all that are unfinished, whoever submitted them."""
    refuse_unsafe(options.hooks.command, context.environment.platform)
    follow_named(context, options, wait=True, everything=lambda: _running(context))


def _running(context: Context) -> list[Record]:
    """Return what the service, or a living submit, may still change; say of what nobody can wait for."""
    from orvideo.output.text import count

    records = context.ledger_to_read.list(unfinished=True, submitting=True, unknown=True)
    running = [record for record in records if record.is_running]
    lost = len(records) - len(running)
    if lost:
        context.terminal.warn(
            f"{count(lost, 'job')} of unknown outcome may be paid for, and cannot be waited for: orvideo jobs --unknown"
        )
    elif not running:
        context.terminal.note("nothing to wait for: every job on record is at its end")
    return running
