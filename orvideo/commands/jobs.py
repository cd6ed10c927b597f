"""`orvideo jobs`: the local record of every job: list, search, show one whole, mark, adopt from elsewhere, forget."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orvideo.commands._action import Action
from orvideo.commands._filters import FilterOptions
from orvideo.commands._follow import answer_submitted, find_jobs
from orvideo.commands._listing import ListOptions, run_list
from orvideo.commands._marks import MarkOptions, run_mark
from orvideo.commands._options import JOB_HELP, Asking, Force, JobsArgument, Local
from orvideo.commands._receipts import write_receipt_of
from orvideo.commands._typer import App
from orvideo.errors import OrvideoError, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.capabilities import Protocol
    from orvideo.record.values import Record


def register(app: typer.Typer) -> None:
    jobs = App(
        help="The local record: list, search, show, mark, adopt, forget.",
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

    @jobs.command(epilog="Example: orvideo jobs mark 1 2 --keep")
    def mark(*, jobs: JobsArgument = None, options: MarkOptions, answering: Local) -> Action:
        """Mark jobs as keep or reject, or put a note on them; money and files stay as they are."""
        return Action(lambda context: run_mark(context, jobs, options), answering)

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
