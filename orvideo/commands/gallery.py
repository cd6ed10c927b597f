"""`orvideo gallery`: one HTML page of the videos on record, to look at, to compare and to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo import shells
from orvideo.commands._action import Action
from orvideo.commands._filters import FilterOptions, wanted
from orvideo.commands._follow import find_jobs
from orvideo.commands._options import Force, JobsArgument, Local, option
from orvideo.commands._serve import COMMAND, Serving, serve
from orvideo.errors import UsageError
from orvideo.files import path_as_asked

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record

#: So many jobs are named in the line that fetches what is not on this disk.
_MOST_NAMED = 10


class PageOptions(NamedTuple):
    """Where the page is written, and how much is on it."""

    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=0, metavar="N", help="At most N jobs, the newest. Default: all.")
    ] = None
    output: Annotated[
        str | None,
        option("Saving", "Write the page here: a file or a folder. Default: gallery.html.", "--output", "-o",
               metavar="PATH"),
    ] = None  # fmt: skip
    force: Force = False
    opens: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the page in the browser. Default: with --serve on a terminal."),
    ] = None


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo gallery --since 7d --open")
    def gallery(
        *,
        jobs: JobsArgument = None,
        filters: FilterOptions,
        options: PageOptions,
        serving: Serving,
        answering: Local,
    ) -> Action:
        """Write a page of videos to look at, compare and mark. Without JOB, of all on record."""
        if jobs and filters != FilterOptions():
            raise UsageError("A line names jobs or has filters, not both.", hint="orvideo gallery --help")
        if serving.serve:
            _check_nothing_is_written(options)
            return Action(lambda context: run_serve(context, jobs, filters, options, serving), answering)
        if serving.port is not None:
            raise UsageError("--port is where --serve serves.", hint=f"{COMMAND} --port {serving.port}")
        return Action(lambda context: run(context, jobs, filters, options), answering)


def run(context: Context, jobs: Sequence[str] | None, filters: FilterOptions, options: PageOptions) -> None:
    """Write the page of the jobs that a line means, and say what is not on it."""
    from orvideo.gallery import file
    from orvideo.gallery.cards import beside, card_of
    from orvideo.gallery.page import render

    path = file.page_path(options.output)
    file.check(path, force=options.force)
    records = chosen(context, jobs, filters, options.limit)
    if not records:
        context.terminal.note("no job on record passes: nothing was written" if _is_asked(filters) else _NONE)
        context.terminal.document({"path": None, "url": None, "jobs": 0, "videos": 0})
        return
    address = beside(path.parent)
    cards = [card_of(record, address) for record in records]
    file.write(path, render(cards, made_at=context.clock.now()), force=options.force)
    videos = sum(one["url"] is not None for card in cards for one in card["outputs"])
    _tell(context, records, videos)
    context.terminal.answer(path_as_asked(path, options.output))
    context.terminal.document({"path": str(path), "url": None, "jobs": len(cards), "videos": videos})
    if options.opens:
        _open(context, path)


def _check_nothing_is_written(options: PageOptions) -> None:
    given = [name for name, is_given in (("-o", options.output is not None), ("--force", options.force)) if is_given]
    if given:
        raise UsageError(f"With --serve no file is written, so it goes without {given[0]}.", hint=COMMAND)


def run_serve(
    context: Context, jobs: Sequence[str] | None, filters: FilterOptions, options: PageOptions, serving: Serving
) -> None:
    """Serve the page of the jobs that a line means, those that come later too."""
    serve(context, _lister(context, jobs, filters, options.limit), port=serving.port, opens=options.opens)


def _lister(
    context: Context, jobs: Sequence[str] | None, filters: FilterOptions, limit: int | None
) -> Callable[[Ledger], list[Record]]:
    """Return what finds the jobs that a line means, again and again."""
    if not jobs:
        passing = wanted(context, filters)
        return lambda ledger: ledger.list(limit=limit or None, **passing)
    seqs = [record.seq for record in chosen(context, jobs, filters, limit)]
    return lambda ledger: [record for seq in seqs if (record := ledger.find_by_seq(seq)) is not None]


_NONE = "no job on record yet: nothing was written"


def chosen(
    context: Context, jobs: Sequence[str] | None, filters: FilterOptions, limit: int | None = None
) -> list[Record]:
    """Return the jobs that a line means, the newest first."""
    if jobs:
        records = sorted(find_jobs(context, jobs), key=lambda record: record.seq, reverse=True)
        return records[: limit or None]
    return context.ledger_to_read.list(limit=limit or None, **wanted(context, filters))


def _is_asked(filters: FilterOptions) -> bool:
    return filters != FilterOptions()


def _tell(context: Context, records: Sequence[Record], videos: int) -> None:
    """Say how much is on the page, and how what is not on this disk is had."""
    from orvideo.gallery.cards import is_missing
    from orvideo.output.text import count

    terminal = context.terminal
    terminal.note(f"{count(len(records), 'job')}, {count(videos, 'video')}")
    missing = [record for record in records if is_missing(record)]
    if missing:
        has = "has a video that is" if len(missing) == 1 else "have videos that are"
        terminal.note(f"{count(len(missing), 'job')} {has} not on this disk")
        terminal.hint(_fetching(missing))


def _fetching(missing: Sequence[Record]) -> str:
    """Return the line that fetches videos; --all means those that were never saved."""
    if len(missing) > _MOST_NAMED and not any(record.is_fetched for record in missing):
        return "orvideo download --all"
    return shells.command_line(["orvideo", "download", *(record.name for record in missing[:_MOST_NAMED])])


def _open(context: Context, path: Path) -> None:
    from orvideo.sign_in.browser import open_address, why_none

    environment = context.environment
    if why := why_none(environment.environ, environment.platform):
        context.terminal.warn(f"the page was not opened: {why}")
    elif not open_address(path.as_uri(), context.settings.environ_without_key()):
        context.terminal.warn("the browser could not be started")
