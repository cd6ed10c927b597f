"""`orvideo jobs`: the local record of every job: list, search, show one whole, adopt one from elsewhere, forget."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._filters import FilterOptions, wanted
from orvideo.commands._follow import answer_submitted, find_jobs
from orvideo.commands._options import JOB_HELP, Asking, Force, Local
from orvideo.commands._receipts import write_receipt_of
from orvideo.commands._typer import App
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.terminal import Terminal
    from orvideo.record.ledger import Ledger
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


class ListOptions(NamedTuple):
    """How a list is shown."""

    sort: Annotated[Order, typer.Option("--sort", help="The order of the list.")] = Order.newest
    columns: Annotated[
        str | None, typer.Option("--columns", metavar="NAMES", help="Which columns, such as id,status,file.")
    ] = None
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, metavar="N", help="At most N jobs; 0 for all. Default of a list: 100."),
    ] = None
    cost: Annotated[Sums | None, typer.Option("--cost", help="Sum what they cost, by model, day or month.")] = None


def register(app: typer.Typer) -> None:
    jobs = App(
        help="The local record: list, search, show, adopt, forget.",
        invoke_without_command=True,
        epilog="Example: orvideo jobs --unfinished",
    )
    app.add_typer(jobs, name="jobs")

    @jobs.callback(invoke_without_command=True)
    def list_(
        *,
        ctx: typer.Context,
        filters: FilterOptions,
        options: ListOptions,
        answering: Local,
    ) -> Action | None:
        """List the jobs on record, newest first."""
        if ctx.invoked_subcommand is not None:
            return None
        return Action(lambda context: run_list(context, filters, options), answering)

    jobs.command("list", epilog="Example: orvideo jobs list --status failed")(list_)

    @jobs.command(epilog="Example: orvideo jobs show 1")
    def show(
        *,
        job: Annotated[str, typer.Argument(metavar="JOB", help=JOB_HELP)],
        request: Annotated[
            bool, typer.Option("--request", help="Only its request, as JSON that submit --request takes.")
        ] = False,
        receipt: Annotated[
            bool, typer.Option("--receipt", help="Write the receipts beside its videos, and answer with their paths.")
        ] = False,
        force: Force = False,
        answering: Local,
    ) -> Action:
        """Show everything on record about one job."""
        if request and receipt:
            raise UsageError("--request and --receipt are two answers; one at a time.")
        if receipt:
            return Action(lambda context: run_receipt(context, job, force=force), answering)
        return Action(lambda context: (run_show_request if request else run_show)(context, job), answering)

    @jobs.command(epilog="Example: orvideo jobs adopt 1a2b3c4d")
    def adopt(
        *,
        job_id: Annotated[str, typer.Argument(metavar="ID", help="An id that the service gave to another client.")],
        answering: Asking,
    ) -> Action:
        """Take a job from elsewhere into the record, after one look at it."""
        return Action(lambda context: run_adopt(context, job_id), answering)

    @jobs.command(epilog="Example: orvideo jobs forget @3")
    def forget(
        *,
        jobs: Annotated[list[str], typer.Argument(metavar="JOB", help=JOB_HELP)],
        force: Annotated[bool, typer.Option("--force", help="Even one that runs, or is not on this disk.")] = False,
        answering: Local,
    ) -> Action:
        """Remove jobs from the record; files and the jobs at the service stay."""
        return Action(lambda context: run_forget(context, jobs, force=force), answering)


def run_list(context: Context, filters: FilterOptions, options: ListOptions) -> None:
    """List what passes the filters; with --cost, what that cost together."""
    from orvideo.output.job_table import PIPE_COLUMNS, TERMINAL_COLUMNS, job_table, spending_table

    ledger, terminal = context.ledger_to_read, context.terminal
    passing, limit = wanted(context, filters), options.limit
    if options.cost is not None:
        sums = ledger.spent(options.cost.value, limit=limit or None, **passing)
        terminal.document([one.as_json() for one in sums])
        terminal.table(*spending_table(sums, options.cost.value, whole=not terminal.out_is_tty))
        listed = len(sums)
    else:
        records = _sorted(ledger, passing, options.sort, USUAL_LIMIT if limit is None else limit, terminal)
        documents = [record.as_json() for record in records]
        terminal.document(documents)
        usual = TERMINAL_COLUMNS if terminal.out_is_tty else PIPE_COLUMNS
        columns = usual if options.columns is None else [name.strip() for name in options.columns.lower().split(",")]
        terminal.table(*job_table(documents, context.clock.now(), columns, ledger.positions()))
        listed = len(records)
    if not listed and terminal.out_is_tty:
        terminal.note("no job on record passes" if filters != FilterOptions() else "no job on record yet")


def _sorted(ledger: Ledger, passing: Filter, order: Order, most: int, terminal: Terminal) -> list[Record]:
    """Return the first jobs in an order, at most so many (0: all), and say where there are more."""
    records = ledger.list(limit=most + 1 if most and order is Order.newest else None, **passing)
    if order is Order.oldest:
        records.reverse()
    elif order is Order.cost:
        records.sort(key=lambda record: record.cost or 0, reverse=True)
    if most and len(records) > most:
        terminal.note(f"the first {most} are shown; there are more (-n 0 for all)")
    return records[:most] if most else records


def run_show(context: Context, name: str) -> None:
    from orvideo.output.job_text import job_page, kept_answer

    record = context.ledger_to_read.find(name)
    document = {**record.as_json(), "answer": kept_answer(record)}
    context.terminal.document(document)
    context.terminal.page(job_page(document, context.clock.now()))
    if record.state == "unknown":
        context.terminal.hint(
            "look at https://openrouter.ai/activity; if the job is there: orvideo jobs adopt ID; "
            f"if it is not: orvideo jobs forget {record.name}"
        )


def run_show_request(context: Context, name: str) -> None:
    """Print the request of a past job as `submit --request` takes it; images are not on record, so say which.

    What was a frame of a video is a word in it, of which `submit` makes the picture again.
    """
    from orvideo.record.frames import with_frame_words
    from orvideo.request.build import missing_media

    record = context.ledger_to_read.find(name)
    if not record.request:
        raise UsageError(f"The request of {record.name} is not on record: the job was submitted elsewhere.")
    request = with_frame_words(record.request, record.frames)
    context.terminal.document(request)
    context.terminal.answer_json(request)
    for said, flag in missing_media(request):
        context.terminal.warn(f"{said} is not on record; give it anew with {flag}")


def run_receipt(context: Context, name: str, *, force: bool) -> None:
    record = context.ledger_to_read.find(name)
    receipts = write_receipt_of(context, record, force=force)
    if not receipts:
        raise UsageError(
            f"No video of {record.name} is where it was saved, so there is nothing to put a receipt beside.",
            hint=f"orvideo download {record.name} --receipt",
        )
    for path in receipts:
        context.terminal.answer(path)
    context.terminal.document([str(path) for path in receipts])


def run_adopt(context: Context, job_id: str) -> None:
    """Look at the job first, so that no mistyped id gets on record; one that cannot be seen now is adopted unseen."""
    from orvideo.errors import NotFound, Unavailable

    service = context.service()
    job = None
    try:
        job = service.client.job(job_id)
    except NotFound as error:
        if error.reply is None or not error.reply.own:
            raise  # something else than the service does not know it
        raise UsageError(
            f"The service knows no job {job_id}: {error.message}", hint="check the id and the key", reply=error.reply
        ) from error
    except Unavailable as away:
        context.terminal.warn(f"the job could not be looked at now: {away.message}")
        if away.hint is not None:
            context.terminal.hint(away.hint)
    from orvideo.jobs.judgement import observation_of

    record = context.ledger.adopt(job_id, endpoint=service.endpoint, profile=service.profile)
    if job is not None:
        context.journal.observed(record.seq, observation_of(job))
    context.terminal.note(f"adopted {job_id}")
    answer_submitted(context, context.ledger.get(record.seq))


def run_forget(context: Context, names: list[str], *, force: bool) -> None:
    """Remove jobs; what runs, or was paid for and is not on this disk, only when it is insisted on."""
    records = find_jobs(context, names)
    for record in records:
        held = "is still running" if record.is_running else None
        if record.status == "completed" and not record.is_fetched:
            held = "is paid for and not on this disk"
        if held and not force:
            raise UsageError(
                f"Job {record.name} {held}; its id is on no other list. Nothing was forgotten.",
                hint=f"orvideo jobs forget {record.name} --force",
            )
    forgotten: list[Any] = []
    for record in records:
        context.ledger.forget(record.seq)
        forgotten.append({"id": record.id, "handle": record.handle})
        context.terminal.note(f"forgot {record.name}")
    context.terminal.document(forgotten)
