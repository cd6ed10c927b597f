"""`orvideo download`: fetches finished videos, again if need be; never submits anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import FollowOptions, follow_named
from orvideo.commands._groups import Fields
from orvideo.commands._options import Following, JobsArgument, Saving, Waiting

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.values import Record


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo download 1 -o boat.mp4")
    def download(
        *,
        jobs: JobsArgument = None,
        everything: Annotated[bool, typer.Option("--all", help="Every finished job that is not on this disk.")] = False,
        saving: Saving,
        waiting: Annotated[Waiting, Fields(Waiting, "timeout")],
        answering: Following,
    ) -> Action:
        """Fetch finished videos, again if need be. Nothing is ever submitted."""
        options = FollowOptions(jobs, everything, saving, waiting)
        return Action(lambda context: run(context, options), answering)


def run(context: Context, options: FollowOptions) -> None:
    """Fetch the named jobs, or all that are finished and not on this disk."""
    follow_named(context, options, wait=False, everything=lambda: _not_downloaded(context))


def _not_downloaded(context: Context) -> list[Record]:
    records = context.ledger_to_read.list(not_downloaded=True)
    if not records:
        context.terminal.note("nothing to fetch: what the finished jobs on record have made was saved")
    return records
