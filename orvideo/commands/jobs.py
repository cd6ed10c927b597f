"""`orvideo jobs`: the local record of every job: list, search, show one whole, adopt one from elsewhere, forget."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.clock import local
from orvideo.commands._action import Action
from orvideo.commands._follow import answer_submitted, find_jobs
from orvideo.commands._options import JOB_HELP, Asking, Force, Local
from orvideo.commands._receipts import write_receipt_of
from orvideo.commands._typer import App
from orvideo.errors import OrvideoError, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.capabilities import Protocol
    from orvideo.output.terminal import Terminal
    from orvideo.record.ledger import Ledger
    from orvideo.record.lookup import Filter
    from orvideo.record.values import Record

#: How many jobs are listed when the line does not say.
USUAL_LIMIT = 100
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


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
    """A jobs line, parsed."""

    text: Annotated[str | None, typer.Option("--search", "-s", metavar="TEXT", help="In prompt, model or id.")] = None
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Not at their end.")] = False
    unknown: Annotated[bool, typer.Option("--unknown", help="Sent, outcome unknown.")] = False
    not_downloaded: Annotated[bool, typer.Option("--not-downloaded", help="Finished, not on this disk.")] = False
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="A date (2026-11-21), or an age such as 2h or 7d.")
    ] = None
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="WORDS", help="With this status, or one of these: completed,failed."),
    ] = None
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="TEXT", help="Of this model, or part of its name.")
    ] = None
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
        options: ListOptions,
        answering: Local,
    ) -> Action | None:
        """List the jobs on record, newest first."""
        if ctx.invoked_subcommand is not None:
            return None
        return Action(lambda context: run_list(context, options), answering)

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
        no_picture: Annotated[
            bool, typer.Option("--no-picture", help="Draw no still of its video. Setting: pictures.")
        ] = False,
        answering: Local,
    ) -> Action:
        """Show everything on record about one job, and on a terminal a still of its video."""
        if request and receipt:
            raise UsageError("--request and --receipt are two answers; one at a time.")
        if receipt:
            return Action(lambda context: run_receipt(context, job, force=force), answering)
        if request:
            return Action(lambda context: run_show_request(context, job), answering)
        return Action(lambda context: run_show(context, job, picture=not no_picture), answering)

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


def run_list(context: Context, options: ListOptions) -> None:
    """List what passes the filters; with --cost, what that cost together."""
    from orvideo.output.job_table import PIPE_COLUMNS, TERMINAL_COLUMNS, job_table, spending_table

    ledger, terminal = context.ledger_to_read, context.terminal
    wanted: Filter = {
        "unfinished": options.unfinished, "submitting": options.unfinished, "unknown": options.unknown,
        "not_downloaded": options.not_downloaded,
        "since": _moment(options.since, context.clock.now()) if options.since else None, "text": options.text,
        "status": options.status, "model": options.model,
    }  # fmt: skip
    if options.status:
        _check_statuses(options.status, ledger)
    limit = options.limit
    if options.cost is not None:
        sums = ledger.spent(options.cost.value, limit=limit or None, **wanted)
        terminal.document([one.as_json() for one in sums])
        terminal.table(*spending_table(sums, options.cost.value, whole=not terminal.out_is_tty))
        listed = len(sums)
    else:
        records = _sorted(ledger, wanted, options.sort, USUAL_LIMIT if limit is None else limit, terminal)
        documents = [record.as_json() for record in records]
        terminal.document(documents)
        usual = TERMINAL_COLUMNS if terminal.out_is_tty else PIPE_COLUMNS
        columns = usual if options.columns is None else [name.strip() for name in options.columns.lower().split(",")]
        terminal.table(*job_table(documents, context.clock.now(), columns, ledger.positions()))
        listed = len(records)
    if not listed and terminal.out_is_tty:
        terminal.note("no job on record passes" if _is_filtered(options) else "no job on record yet")


def _check_statuses(words: str, ledger: Ledger) -> None:
    """Refuse a status that nobody knows and no job on record has. Raises UsageError."""
    from orvideo.api.schemas import KNOWN_STATUSES
    from orvideo.record.values import OWN_STATUS_WORDS
    from orvideo.request.checking import nearest

    known = KNOWN_STATUSES | OWN_STATUS_WORDS
    for word in (part.strip() for part in words.casefold().split(",")):
        if word and word not in known and not ledger.list(status=word, limit=1):
            near = nearest(word, sorted(known))
            hint = f"did you mean {near}?" if near else "orvideo jobs --status completed,failed"
            raise UsageError(f"No job has the status {word!r}, and orvideo knows none of that name.", hint=hint)


def _sorted(ledger: Ledger, wanted: Filter, order: Order, most: int, terminal: Terminal) -> list[Record]:
    """Return the first jobs in an order, at most so many (0: all), and say where there are more."""
    records = ledger.list(limit=most + 1 if most and order is Order.newest else None, **wanted)
    if order is Order.oldest:
        records.reverse()
    elif order is Order.cost:
        records.sort(key=lambda record: record.cost or 0, reverse=True)
    if most and len(records) > most:
        terminal.note(f"the first {most} are shown; there are more (-n 0 for all)")
    return records[:most] if most else records


def _is_filtered(options: ListOptions) -> bool:
    usual = ListOptions(limit=options.limit, cost=options.cost, sort=options.sort, columns=options.columns)
    return options != usual


def _moment(text: str, now: datetime) -> datetime:
    """Return the time that `2026-11-21`, an ISO 8601 time, or an age such as `2h` or `7d` stands for."""
    from orvideo.settings.values import InvalidValue, parse_duration

    if _DAY.match(text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"--since {text!r} is not a date, such as 2026-11-21.") from None
        return moment if moment.tzinfo else local(moment)
    days = re.fullmatch(r"(\d{1,5})d", text.strip())
    if days:
        return now - timedelta(days=int(days[1]))
    try:
        return now - timedelta(seconds=parse_duration(text))
    except (InvalidValue, OverflowError):
        raise UsageError(
            f"--since {text!r} is neither a date, such as 2026-11-21, nor an age, such as 2h or 7d."
        ) from None


def run_show(context: Context, name: str, *, picture: bool) -> None:
    from orvideo.output.job_text import job_page, kept_answer

    record = context.ledger_to_read.find(name)
    document = {**record.as_json(), "answer": kept_answer(record)}
    # What the setting says counts only where something is drawn.
    has_screen = picture and context.terminal.out_is_tty and not context.answering.json
    protocol = context.terminal.picture_protocol(context.settings.pictures) if has_screen else None
    context.terminal.document(document)
    context.terminal.page(job_page(document, context.clock.now()))
    if protocol is not None:
        _draw_still(context, record, protocol)
    if record.state == "unknown":
        context.terminal.hint(
            "look at https://openrouter.ai/activity; if the job is there: orvideo jobs adopt ID; "
            f"if it is not: orvideo jobs forget {record.name}"
        )


def _draw_still(context: Context, record: Record, protocol: Protocol) -> None:
    """Draw a still of a job's video where the file is here and can be read; else nothing."""
    path = next((one.path for one in record.outputs if one.path and os.path.isfile(one.path)), None)
    if path is None:
        return
    from orvideo.commands._still import draw_still

    # The page is the answer: a video that cannot be read, or a library that is missing, takes nothing from it.
    with suppress(OrvideoError):
        draw_still(context, Path(path), protocol, share=0.5)


def run_show_request(context: Context, name: str) -> None:
    """Print the request of a past job as `submit --request` takes it; images are not on record, so say which."""
    from orvideo.request.build import missing_media

    record = context.ledger_to_read.find(name)
    if not record.request:
        raise UsageError(f"The request of {record.name} is not on record: the job was submitted elsewhere.")
    context.terminal.document(record.request)
    context.terminal.answer_json(record.request)
    for said, flag in missing_media(record.request):
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
