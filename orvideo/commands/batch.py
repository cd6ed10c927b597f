"""`orvideo batch`: many prompts from one file, checked and priced whole, and run so that it can be stopped anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orvideo import shells
from orvideo.commands._action import Action
from orvideo.commands._batch_plan import (
    Batch,
    BatchOptions,
    Running,
    check_batch,
    read_file,
    report_path,
    reserved_places,
)
from orvideo.commands._chain import Camera, Pictures
from orvideo.commands._follow import errors_of, run_options_from, run_tasks
from orvideo.commands._groups import Fields
from orvideo.commands._money import Purchase, Spending, guard, notice_of_rows
from orvideo.commands._options import Following, Saving, Waiting, option
from orvideo.commands._receipts import write_receipts
from orvideo.commands._request import RequestGroup, RequestOptions
from orvideo.errors import (
    PRECEDENCE,
    AuthError,
    BatchIncomplete,
    ExitCode,
    MoneyError,
    NotStarted,
    OrvideoError,
    OutputUnwritable,
    Rejected,
    Unavailable,
    worst,
)

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked, Price
    from orvideo.batch.entry import Entry
    from orvideo.commands._batch_film import BatchFilm
    from orvideo.context import Context, Service
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import RunOptions
    from orvideo.output.batch_report import ReportFile
    from orvideo.record.values import Submission


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo batch prompts.csv -o 'clips/{row}-{slug}.{ext}' --max-cost 20 --yes")
    def batch(
        ctx: typer.Context,
        *,
        file: Annotated[
            str, typer.Argument(metavar="FILE", help="JSON, CSV, or plain text with a prompt a line; - for stdin.")
        ],
        form: Annotated[
            str | None,
            typer.Option("--format", metavar="FORM", help="jsonl, csv or text. Default: by name and content."),
        ] = None,
        name: Annotated[
            str | None,
            typer.Option(metavar="NAME", help="Names the batch. Default: FILE's path. Another name buys anew."),
        ] = None,
        allow_outside: Annotated[
            bool, typer.Option("--allow-outside", help="Rows may name files outside of FILE's folder.")
        ] = False,
        asked: Annotated[RequestOptions, RequestGroup("batch", after=("fix_image", "no_check"))],
        running: Running,
        waiting: Waiting,
        output: Annotated[
            str | None,
            option(
                "Saving",
                "A directory, or a name with fields such as {row}, {name}, {slug} or a row's own. Default: here.",
                "--output",
                "-o",
                metavar="PATH",
            ),
        ] = None,
        saving: Annotated[Saving, Fields(Saving, "force", "receipt", "max_size")],
        report: Annotated[
            str | None, option("Saving", "Write what became of each row: JSONL, or CSV for .csv.", metavar="FILE")
        ] = None,
        join: Annotated[
            str | None,
            option("Saving", "Join the videos of all rows, in their order, to this film at the end.", metavar="FILE"),
        ] = None,
        spending: Spending,
        answering: Following,
    ) -> Action:
        """Submit, follow and save many videos. The same command goes on where it was stopped."""
        # What failed once more is not bought again by the line that goes on.
        typed = shells.command_line(["orvideo", *(word for word in ctx.obj if word != "--retry-failed")])
        options = BatchOptions(
            typed,
            file,
            form,
            name,
            allow_outside,
            asked,
            running,
            waiting,
            output,
            saving,
            report,
            spending,
            join,
        )
        return Action(lambda context: run(context, options), answering)


def run(context: Context, options: BatchOptions) -> None:
    """Read, check, price, guard; then run, answer, and say what did not work. Nothing is sent before all is checked."""
    from orvideo.batch.naming import make_output_folder
    from orvideo.output.batch_report import ReportFile

    settings = context.settings.with_flags(options.asked.flags)
    most = options.spending.max_cost
    limit = context.settings.with_flags({"max-cost": most}).max_cost if most else None
    run_options = run_options_from(context, options.waiting)
    output = options.output if options.output is not None else context.settings.output
    file = read_file(context, options, output)
    report = ReportFile(report_path(options, file.source)) if options.report is not None else None
    film = _film(context, options, output)
    context.terminal.require_stdout()
    service = context.service(needs_key=not options.spending.dry_run)
    reserved = reserved_places(options, file.source, film.path if film is not None else None)
    batch = check_batch(context, options, settings, service, file, output, reserved)._replace(limit=limit)
    if film is not None:
        film.look([batch.history.last.get(one.key) for one in batch.asked])
    price = _show_price(context, batch, options)
    _guard_money(context, service, batch, price, options)
    if options.spending.dry_run:
        _answer_dry_run(context, batch, price)
        return
    if batch.plans:
        make_output_folder(output)
    saving = options.saving
    fetcher = context.fetcher(None, force=saving.force, always=True, names_relative=True, max_size=saving.max_size)
    entries = _entries(batch, service, Camera(fetcher, settings.max_image_bytes))
    rows, stopped = _run(context, options, entries, run_options, fetcher, report)
    made = None
    if film is not None:
        made = _join(film, entries, fetcher, stopped)
    _answer(context, entries, rows, made, stopped)


def _film(context: Context, options: BatchOptions, output: str | None) -> BatchFilm | None:
    """Return the film that is to be made, None where none is; raises where it cannot be."""
    if options.join is None:
        return None
    from orvideo.batch.naming import folder_to_make
    from orvideo.commands._batch_film import BatchFilm

    return BatchFilm(context, options.join, force=options.saving.force, new_folder=folder_to_make(output))


# --- money ----------------------------------------------------------------------------------------------------------


def _show_price(context: Context, batch: Batch, options: BatchOptions) -> Price:
    """Say how the batch stands, what will be bought, and what all of it costs, before any of it is."""
    from orvideo.batch.checking import price_of
    from orvideo.batch.naming import folder_of, is_elsewhere
    from orvideo.output.batch_text import (
        MOST_NAMED,
        chain_lines,
        dropped_rows_line,
        parted_line,
        plan_lines,
        saved_elsewhere_line,
    )
    from orvideo.settings.definitions import DEFAULT_BASE_URL

    price = price_of([plan.quote for plan in batch.plans.values()])
    for line in plan_lines(batch.asked, batch.history, batch.plans, price, batch.limit):
        context.terminal.note(line)
    for line in chain_lines(batch.to_buy, most=None if options.spending.dry_run else MOST_NAMED):
        context.terminal.note(line)
    if context.endpoint == "sandbox":
        context.terminal.note("to: the sandbox; nothing is charged")
    elif context.endpoint != DEFAULT_BASE_URL:
        context.terminal.note(f"to: {context.endpoint}")
    if (parted := parted_line(batch.asked, batch.plans)) is not None:
        context.terminal.warn(parted)
    left = batch.history.left_behind(batch.asked)
    if left:
        context.terminal.warn(dropped_rows_line(left))
    elsewhere = [
        one for key, one in batch.history.last.items() if is_elsewhere(one, batch.specs.get(key), batch.output)
    ]
    if elsewhere:
        context.terminal.warn(saved_elsewhere_line(elsewhere, folder_of(batch.output)))
    context.terminal.event(
        {"event": "planned", "time": context.clock.now(), "rows": len(batch.asked), "price": price.as_json()}
    )
    return price


def _guard_money(context: Context, service: Service, batch: Batch, price: Price, options: BatchOptions) -> None:
    """Hold the whole, with what was spent on it before, against --max-cost; ask about what is dear or not new."""
    from orvideo.output.batch_text import most_spent
    from orvideo.output.quote_text import price_words
    from orvideo.output.text import count

    if not batch.plans:
        return
    rows = count(price.rows, "row", "rows")
    words = price_words(price, context.settings.confirm_above)
    purchase = Purchase("This batch", rows, words, price.most, is_batch=True)
    if batch.limit is not None:
        purchase = purchase._replace(spent=most_spent(batch.history.last.values()))
    # One by one, and only where they are read: each may have pictures in it. What waits for one was never sent before.
    bodies = (batch.reader.shown(one, batch.plans[one.key]) for one in batch.to_buy if not one.awaits)
    known = {one.key for one in batch.asked}
    notice = partial(notice_of_rows, context, batch.plans, bodies, known, batch.id, service.endpoint)
    guard(context, service, purchase, batch.limit, options.spending, notice)


def _answer_dry_run(context: Context, batch: Batch, price: Price) -> None:
    """Print the requests of the rows that would be bought, one a line; with --json, the whole plan in one document."""
    from orvideo.output.json_encoder import encode

    # One by one where they are lines: 100,000 documents take more memory than all of the batch.
    requests = (
        (one, context.terminal.shown_request(batch.reader.shown(one, batch.plans[one.key]))) for one in batch.to_buy
    )
    if not context.answering.json:
        for _, request in requests:
            context.terminal.answer(encode(request))
        return
    rows = [
        {
            "row": one.row.number, "line": one.row.line, "after": one.row.after, "request": request,
            "quote": batch.plans[one.key].quote.as_json(), "output": batch.specs[one.key],
            "frames": [frame.as_json() for frame in one.wanted.frames],
        }
        for one, request in requests
    ]  # fmt: skip
    context.terminal.document({"rows": rows, "price": price.as_json()})


# --- the run --------------------------------------------------------------------------------------------------------


def _entries(batch: Batch, service: Service, camera: Camera) -> list[Entry]:
    """Return the rows as the run takes them: what is to be bought, followed, fetched, or left alone."""
    from orvideo.batch.entry import Entry
    from orvideo.batch.row_state import RowState, row_state
    from orvideo.jobs import judgement
    from orvideo.jobs.task import Phase

    entries = {one.row.number: Entry(row=one.row, key=one.key, batch=batch.id) for one in batch.asked}
    for one in batch.asked:
        record, plan, entry = batch.history.last.get(one.key), batch.plans.get(one.key), entries[one.row.number]
        if plan is not None:
            pictures = Pictures(camera, one.awaits, entries)
            entry.make_submission = partial(_order, batch, service, one, pictures)
            entry.quote = plan.quote.as_json()
            if one.awaits:
                entry.after, entry.prepare = [entries[number] for number in one.row.after], pictures.prepare
            continue
        assert record is not None, "what is not bought has a job"
        entry.record, entry.seq = record, record.seq
        state = row_state(record)
        if state is RowState.UNKNOWN:
            entry.error, entry.phase = judgement.error_without_id(record), Phase.DONE
        elif state is RowState.FAILED:
            entry.error, entry.phase = judgement.error_on_record(record), Phase.DONE
    return list(entries.values())


def _order(batch: Batch, service: Service, one: Asked, pictures: Pictures) -> Submission:
    """Return what is sent for a row, with its pictures in it."""
    from orvideo.record.values import Submission

    plan = batch.plans[one.key]
    request, frames = batch.reader.order(one, plan, pictures.hand_over())
    return Submission(
        request=request, endpoint=service.endpoint, quote=plan.quote.as_json(), target=batch.specs[one.key],
        batch=batch.id, row_key=one.key, row_number=one.row.number, max_total=batch.limit, profile=service.profile,
        batch_name=batch.name, frames=frames,
    )  # fmt: skip


def _run(
    context: Context,
    options: BatchOptions,
    entries: list[Entry],
    run_options: RunOptions,
    fetcher: Fetcher,
    report: ReportFile | None,
) -> tuple[list[dict[str, Any]], list[OrvideoError]]:
    """Run the rows and, whatever ends it, report how each stands; return that, and what went wrong besides."""
    from orvideo.batch.entry import POLLS_PER_SECOND, StopRules
    from orvideo.output.batch_listener import BatchListener

    run_options = run_options._replace(max_in_flight=options.running.jobs)
    if run_options.interval is None:
        run_options = run_options._replace(polls_per_second=POLLS_PER_SECOND)
    context.ending.track(entries, context.journal, resume=options.resume)
    listener = BatchListener(context.terminal, context.clock, total=len(entries))
    rules = StopRules(fail_fast=options.running.fail_fast)
    for entry in entries:
        if entry.error is not None:
            listener.failed(entry)
    stopped: list[OrvideoError] = []
    try:
        stopped += run_tasks(context, entries, run_options, fetcher, listener=listener, rules=rules)
        if options.saving.receipt:
            write_receipts(context, entries, force=options.saving.force)
    finally:
        rows = _documents(entries)
        if report is not None:
            try:
                report.write(rows)
            except OutputUnwritable as error:
                # The answer has the same rows, and what went wrong before says more.
                context.terminal.warn(error.message)
                stopped.append(error)
    return rows, stopped


def _join(
    film: BatchFilm, entries: Sequence[Entry], fetcher: Fetcher, stopped: list[OrvideoError]
) -> dict[str, Any] | None:
    """Make the film of all rows, where all have a video; what goes wrong is put with what has stopped the run."""
    if not all(entry.has_video for entry in entries):
        film.tell_missing(entries)
        return None
    try:
        return film.make(entries, fetcher)
    except OrvideoError as error:
        stopped.append(error)
        return None


def _documents(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    from orvideo.output.batch_report import row_document

    return [row_document(entry) for entry in entries]


def _answer(
    context: Context,
    entries: Sequence[Entry],
    rows: list[dict[str, Any]],
    film: dict[str, Any] | None,
    stopped: list[OrvideoError],
) -> None:
    """Answer with the whole, tell what failed and why, and raise when not every row has its video."""
    from orvideo.output.batch_report import row_totals
    from orvideo.output.batch_text import summary_line

    sums = row_totals(rows)
    context.terminal.event({"event": "batch_ended", "time": context.clock.now(), **sums})
    failed = [entry for entry in entries if entry.error is not None]
    context.terminal.note(summary_line(sums, sandbox=context.endpoint == "sandbox"))
    context.terminal.document({"rows": rows, "totals": sums, "film": film})
    left = [entry for entry in entries if entry.error is None and not (entry.saved or entry.was_here)]
    if failed or left or stopped:
        raise _incomplete(context, [*errors_of(failed), *stopped], failed, left, len(entries))


def _incomplete(
    context: Context, errors: list[OrvideoError], failed: Sequence[Entry], left: Sequence[Entry], rows: int
) -> OrvideoError:
    """Return the one error of a batch: its code by the precedence of the contract, and the command that goes on."""
    from orvideo.output.batch_report import TROUBLES, trouble_of

    # A row that waits for another one has not failed; that one has.
    decisive = worst([error for error in errors if not isinstance(error, NotStarted)] or errors) if errors else None
    # Where more of the same is refused, the same line is no help: what the refusal itself advises is (finding D11).
    hint = decisive.hint if isinstance(decisive, AuthError | MoneyError | Rejected | Unavailable) else None
    told = context.ending.annotate(errors)
    code = decisive.exit_code if decisive is not None else ExitCode.BATCH_INCOMPLETE
    nothing_bought = all(entry.record is None for entry in [*failed, *left]) and len(failed) + len(left) == rows
    same = len({error.exit_code for error in told if not isinstance(error, NotStarted)}) == 1
    kept = code in PRECEDENCE or (nothing_bought and same and code in (ExitCode.UNAVAILABLE, ExitCode.RECORD))
    counts = {"not started": len(left)} | Counter(trouble_of(entry) for entry in failed)
    unknown = "outcome unknown" in counts
    parts = ", ".join(f"{counts[what]} {what}" for what in TROUBLES if counts.get(what))
    if not parts:
        return BatchIncomplete(told[-1].message, exit_code=code, hint=hint)
    ended = counts.get("failed")
    waiting = ", and then what waits for them" if counts.get("waiting for another row") else ""
    retry = f" {ended} ended without a video; --retry-failed buys them again{waiting}." if ended else ""
    maybe = " What is unknown may be paid for, and is not sent again." if unknown else ""
    return BatchIncomplete(
        f"{len(failed) + len(left)} of {rows} rows did not make it: {parts}.{retry}{maybe}",
        exit_code=code if kept else ExitCode.BATCH_INCOMPLETE,
        hint=hint or ("orvideo jobs --unknown" if unknown else None),
    )
