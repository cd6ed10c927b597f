"""`orvideo batch`: many prompts from one file, checked and priced whole, and run so that it can be stopped anywhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import errors_of, run_tasks, terms_from
from orvideo.commands._groups import Fields
from orvideo.commands._key import check_key
from orvideo.commands._options import Following, Saving, Waiting, option
from orvideo.commands._receipts import write_receipts
from orvideo.commands._request import RequestGroup, RequestOptions
from orvideo.errors import (
    PRECEDENCE,
    AuthError,
    BatchIncomplete,
    ExitCode,
    JobEnded,
    MoneyError,
    NoOutput,
    OrvideoError,
    OutcomeUnknown,
    OutputUnwritable,
    Rejected,
    StillRunning,
    Unavailable,
    UsageError,
    worst,
)
from orvideo.files import expanded

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked, Offer, Price, Reader
    from orvideo.batch.entry import Entry
    from orvideo.batch.rows import Row, Trouble
    from orvideo.batch.source import Source
    from orvideo.batch.standing import History
    from orvideo.context import Context, Service
    from orvideo.jobs.task import RunOptions
    from orvideo.output.batch_views import ReportFile
    from orvideo.record.values import Record
    from orvideo.settings import Settings

_MOST_JOBS = 1000


class Running(NamedTuple):
    """How the rows are run."""

    jobs: Annotated[
        int, option("Running", "Rows in flight at once.", "--jobs", "-j", metavar="N", min=1, max=_MOST_JOBS)
    ] = 4
    fail_fast: Annotated[bool, option("Running", "Start no more rows after the first failure.", "--fail-fast")] = False
    retry_failed: Annotated[
        bool, option("Running", "Submit failed rows again, as new jobs that cost anew.", "--retry-failed")
    ] = False


class Spending(NamedTuple):
    """What may be spent, and whether a person is asked."""

    max_cost: Annotated[str | None, option("Money", "The most that the whole batch may cost.", metavar="USD")] = None
    yes: Annotated[bool, option("Money", "Do not ask before an expensive batch.", "--yes", "-y")] = False
    again: Annotated[bool, option("Money", "Buy rows once more that another batch has bought.", "--again")] = False
    dry_run: Annotated[bool, option("Money", "Check, price, print the requests, send nothing.", "--dry-run")] = False


class BatchOptions(NamedTuple):
    """A batch line, parsed; `typed` is the same line as it was typed."""

    typed: str
    file: str
    form: str | None
    name: str | None
    allow_outside: bool
    asked: RequestOptions
    running: Running
    waiting: Waiting
    output: str | None
    saving: Saving
    report: str | None
    spending: Spending


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
        spending: Spending,
        answering: Following,
    ) -> Action:
        """Submit, follow and save many videos; the same command goes on where it was stopped."""
        typed = shlex.join(["orvideo", *ctx.obj])
        options = BatchOptions(
            typed, file, form, name, allow_outside, asked, running, waiting, output, saving, report, spending
        )
        return Action(lambda context: run(context, options), answering)


class Batch(NamedTuple):
    """A batch that was read and checked: what is asked, how it stands by the record, and what is to be bought."""

    source: Source
    id: str
    reader: Reader
    asked: list[Asked]
    history: History
    offers: dict[str, Offer]
    specs: dict[str, str]

    @property
    def to_buy(self) -> list[Asked]:
        return [one for one in self.asked if one.key in self.offers]


def run(context: Context, options: BatchOptions) -> None:
    """Read, check, price, guard; then run, answer, and say what did not work. Nothing is sent before all is checked."""
    from orvideo.batch.naming import make_output_folder
    from orvideo.output.batch_views import ReportFile

    settings = context.settings.with_flags(options.asked.flags)
    most = options.spending.max_cost
    limit = context.settings.with_flags({"max-cost": most}).max_cost if most else None
    terms = terms_from(context, options.waiting)
    if not options.spending.dry_run:
        context.require_saving()
    source = _read(context, options)
    report = ReportFile(_report_path(options, source)) if options.report is not None else None
    context.terminal.require_stdout()
    service = context.service(needs_key=not options.spending.dry_run)
    batch = _checked(context, options, settings, service, source)
    price = _show_price(context, batch, limit)
    _guard_money(context, settings, service, batch, price, limit, options)
    if options.spending.dry_run:
        _answer_dry_run(context, batch, price)
        return
    make_output_folder(options.output if options.output is not None else context.settings.output)
    entries = _entries(context, batch, service, limit, options)
    _run(context, options, entries, terms, report)


# --- reading and checking -------------------------------------------------------------------------------------------


def _read(context: Context, options: BatchOptions) -> Source:
    from orvideo.batch.formats import Form
    from orvideo.batch.source import read_source

    if options.form is not None and options.form.casefold() not in tuple(Form):
        raise UsageError(f"--format takes {', '.join(Form)}, not {options.form!r}.")
    stdin = context.environment.stdin
    form = Form(options.form.casefold()) if options.form is not None else None
    return read_source(options.file, getattr(stdin, "buffer", None), form)


def _report_path(options: BatchOptions, source: Source) -> str:
    assert options.report is not None, "asked only where there is one"
    report = expanded(options.report)
    if source.path is not None and Path(report).resolve() == source.path:
        raise UsageError(f"The report would overwrite the batch file {report}.")
    return report


def _checked(context: Context, options: BatchOptions, settings: Settings, service: Service, source: Source) -> Batch:
    """Check every row in every way; raises UsageError or Rejected with all problems at once."""
    from orvideo.batch.checking import Pricing
    from orvideo.batch.identity import batch_id, batch_label
    from orvideo.batch.rows import read_rows
    from orvideo.batch.standing import History

    output = options.output if options.output is not None else context.settings.output
    rows, troubles = read_rows(source, output=output, check=not options.asked.no_check)
    if not rows and not troubles:
        raise UsageError(f"There is no row in {source.shown}.")
    reader = _reader(context, options, settings, source)
    asked, bad = reader.ask(rows)
    troubles += bad
    label = batch_label(source, options.name)
    identity = batch_id(label, service.endpoint)
    if source.path is None and options.name is None:
        context.terminal.note(
            f"{source.shown} has no path: this batch is known by its content (--name gives it a name, so that rows can "
            "be changed)"
        )
    history = History.of(context.ledger.rows_of_batch(identity))
    wanted = [one for one in asked if _is_to_be_bought(history.last.get(one.key), options)]
    check = not options.asked.no_check
    planner = context.planner(service, check=check)
    offers, dear = Pricing(planner, each=context.settings.max_cost).offers(wanted)
    troubles += dear
    specs, misplaced = _specs(context, options, output, source, asked, history, offers)
    troubles += misplaced
    if troubles:
        raise _refusal(troubles, source)
    for warning in dict.fromkeys(warning for one in asked for warning in one.warnings):
        context.terminal.warn(warning)
    return Batch(source, identity, reader, asked, history, offers, specs)


def _reader(context: Context, options: BatchOptions, settings: Settings, source: Source) -> Reader:
    """Return what puts the requests of rows together, with the line's options and the settings below each row."""
    from orvideo.batch.checking import Reader
    from orvideo.request.build import MediaSource, request_fields

    asked, folder = options.asked, source.folder
    line, media = asked.line_fields(settings), asked.media()
    if media:
        # Pictures on the line are for every row: read once, from where the line says and not from FILE's folder.
        from_line = MediaSource(settings.max_image_bytes, fix=asked.fix_image)
        built = request_fields({**media, "prompt": "-"}, from_line, check=not asked.no_check)
        line |= {name: value for name, value in built.fields.items() if name != "prompt"}
    root = None if options.allow_outside else folder
    where = MediaSource(settings.max_image_bytes, root=root, base=folder, fix=asked.fix_image)
    return Reader(where, asked.defaults(settings), line, asked.params(), not asked.no_check)


def _is_to_be_bought(record: Record | None, options: BatchOptions) -> bool:
    from orvideo.batch.standing import Standing, standing_of

    standing = standing_of(record)
    return standing is Standing.NEW or (options.running.retry_failed and standing is Standing.FAILED)


def _specs(
    context: Context,
    options: BatchOptions,
    output: str | None,
    source: Source,
    asked: Sequence[Asked],
    history: History,
    offers: Mapping[str, Offer],
) -> tuple[dict[str, str], list[Trouble]]:
    """Return where each row saves, and the rows that would be in each other's way or in that of a file."""
    from orvideo.batch.naming import check_targets, folder_to_make, spec_for
    from orvideo.batch.rows import Trouble

    specs: dict[str, str] = {}
    troubles: list[Trouble] = []
    for one in asked:
        try:
            specs[one.key] = spec_for(one.row, output, len(asked))
        except UsageError as problem:
            troubles.append(Trouble(one.row.line, problem.message))
    taken = {Path(path): "the batch file" for path in [source.path] if path is not None}
    if options.report is not None:
        taken[Path(expanded(options.report)).absolute()] = "the report"
    for one in asked:
        record = history.last.get(one.key)
        if record is not None and one.key not in offers:
            taken |= {Path(o.path): f"that of line {one.row.line}" for o in record.outputs if o.path is not None}
    new: list[tuple[Row, str, Mapping[str, Any]]] = [
        (one.row, specs[one.key], offers[one.key].body) for one in asked if one.key in offers and one.key in specs
    ]
    now, to_make = context.clock.now(), folder_to_make(output)
    troubles += check_targets(new, taken, force=options.saving.force, now=now, total=len(asked), to_make=to_make)
    return specs, troubles


def _refusal(troubles: Sequence[Trouble], source: Source) -> OrvideoError:
    """Return one error that lists everything that is wrong, in the order of the lines."""
    from orvideo.batch.rows import shown_list

    ordered = sorted(troubles, key=lambda trouble: trouble.line)
    lines = len({trouble.line for trouble in ordered})
    message = f"{lines} line{'s' if lines != 1 else ''} of {source.shown} cannot be used; nothing was submitted.\n"
    message += shown_list(ordered)
    codes = {trouble.code for trouble in ordered}
    if codes == {ExitCode.REJECTED}:
        return Rejected(message, hint="see what each model can do: orvideo models")
    if codes == {ExitCode.MONEY}:
        return MoneyError(message)
    return UsageError(message)


# --- money ----------------------------------------------------------------------------------------------------------


def _show_price(context: Context, batch: Batch, limit: Decimal | None) -> Price:
    """Say how the batch stands, what will be bought, and what all of it costs, before any of it is."""
    from orvideo.batch.checking import price_of
    from orvideo.output.batch_views import left_behind_line, plan_lines
    from orvideo.settings.definitions import DEFAULT_BASE_URL

    price = price_of(batch.offers.values())
    for line in plan_lines(batch.asked, batch.history, batch.offers, price, limit):
        context.terminal.note(line)
    if context.endpoint == "sandbox":
        context.terminal.note("to: the sandbox; nothing is charged")
    elif context.endpoint != DEFAULT_BASE_URL:
        context.terminal.note(f"to: {context.endpoint}")
    left = batch.history.left_behind(batch.asked)
    if left:
        context.terminal.warn(left_behind_line(left))
    context.terminal.event(
        {"event": "planned", "time": context.clock.now(), "rows": len(batch.asked), "price": price.as_json()}
    )
    return price


def _guard_money(
    context: Context,
    settings: Settings,
    service: Service,
    batch: Batch,
    price: Price,
    limit: Decimal | None,
    options: BatchOptions,
) -> None:
    """Refuse a whole that may pass --max-cost, with what was spent on it before; ask about what is dear or not new."""
    from orvideo.commands._money import Purchase, ask, keep_to_limit, notice_of_rows
    from orvideo.output.batch_views import most_so_far
    from orvideo.output.text import count
    from orvideo.output.views import price_words

    if not batch.offers:
        return
    rows = count(price.rows, "row", "rows")
    purchase = Purchase("This batch", rows, price_words(price, settings.confirm_above), price.most)
    if limit is not None:
        purchase = purchase._replace(spent=most_so_far(batch.history.last.values()))
    keep_to_limit(purchase, limit)
    if options.spending.dry_run or service.is_sandbox:
        return
    check_key(context, service, price.most)
    # One by one, and only where they are read: each may have pictures in it.
    bodies = (batch.reader.body(one, batch.offers[one.key]) for one in batch.to_buy)
    known = {one.key for one in batch.asked}
    notice = notice_of_rows(context, batch.offers, bodies, known, batch.id, service.endpoint)
    purchase = purchase._replace(notice=notice)
    ask(context, purchase, above=settings.confirm_above, yes=options.spending.yes, again=options.spending.again)


def _answer_dry_run(context: Context, batch: Batch, price: Price) -> None:
    """Print the requests of the rows that would be bought, one a line; with --json, the whole plan in one document."""
    from orvideo.output.documents import dump

    rows = [
        {
            "row": one.row.number, "line": one.row.line,
            "request": context.terminal.request(batch.reader.body(one, batch.offers[one.key])),
            "quote": batch.offers[one.key].quote.as_json(), "output": batch.specs[one.key],
        }
        for one in batch.to_buy
    ]  # fmt: skip
    context.terminal.document({"rows": rows, "price": price.as_json()})
    for row in rows:
        context.terminal.answer(dump(row["request"]))


# --- the run --------------------------------------------------------------------------------------------------------


def _entries(
    context: Context, batch: Batch, service: Service, limit: Decimal | None, options: BatchOptions
) -> list[Entry]:
    """Return the rows as the run takes them: what is to be bought, followed, fetched, or left alone."""
    from orvideo.batch.entry import Entry
    from orvideo.batch.standing import Standing, standing_of
    from orvideo.jobs import judgement
    from orvideo.jobs.task import Phase
    from orvideo.record.values import Submission

    def order(one: Asked, offer: Offer) -> Submission:
        return Submission(
            request=batch.reader.body(one, offer), endpoint=service.endpoint, quote=offer.quote.as_json(),
            target=batch.specs[one.key], batch=batch.id, row_key=one.key, row_number=one.row.number, max_total=limit,
        )  # fmt: skip

    entries: list[Entry] = []
    for one in batch.asked:
        record, offer = batch.history.last.get(one.key), batch.offers.get(one.key)
        entry = Entry(row=one.row, key=one.key, batch=batch.id)
        entries.append(entry)
        if offer is not None:
            entry.make_submission, entry.quote = partial(order, one, offer), offer.quote.as_json()
            continue
        assert record is not None, "what has no offer has a job"
        entry.record, entry.seq = record, record.seq
        standing = standing_of(record)
        if standing is Standing.UNKNOWN:
            entry.error, entry.phase = judgement.error_without_id(record), Phase.DONE
        elif standing is Standing.FAILED:
            entry.error, entry.phase = judgement.error_on_record(record), Phase.DONE
    return entries


def _run(
    context: Context,
    options: BatchOptions,
    entries: list[Entry],
    terms: RunOptions,
    report: ReportFile | None,
) -> None:
    """Run the rows, and whatever ends it, tell how each stands; raises what the exit code is taken from."""
    from orvideo.batch.entry import POLLS_PER_SECOND, StopRules
    from orvideo.output.batch_listener import BatchListener

    saving = options.saving
    fetcher = context.fetcher(None, force=saving.force, always=True, names_relative=True, max_size=saving.max_size)
    terms = terms._replace(max_in_flight=options.running.jobs)
    if terms.interval is None:
        terms = terms._replace(polls_per_second=POLLS_PER_SECOND)
    context.ending.watch(entries, context.journal, again=options.typed)
    listener = BatchListener(context.terminal, context.clock, total=len(entries))
    rules = StopRules(fail_fast=options.running.fail_fast)
    for entry in entries:
        if entry.error is not None:
            listener.failed(entry)
    stopped: list[OrvideoError] = []
    try:
        stopped += run_tasks(context, entries, terms, fetcher, listener=listener, rules=rules)
        if saving.receipt:
            write_receipts(context, entries, force=saving.force)
    finally:
        rows = _documents(entries)
        if report is not None:
            try:
                report.write(rows)
            except OutputUnwritable as error:
                # The answer has the same rows, and what went wrong before says more.
                context.terminal.warn(error.message)
                stopped.append(error)
    _answer(context, entries, rows, stopped)


def _documents(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    from orvideo.output.batch_views import row_document

    return [row_document(entry) for entry in entries]


def _answer(
    context: Context, entries: Sequence[Entry], rows: list[dict[str, Any]], stopped: list[OrvideoError]
) -> None:
    """Answer with the whole, tell what failed and why, and raise when not every row has its video."""
    from orvideo.output.batch_views import summary_line, totals

    sums = totals(rows)
    context.terminal.event({"event": "batch_ended", "time": context.clock.now(), **sums})
    failed = [entry for entry in entries if entry.error is not None]
    context.terminal.note(summary_line(sums, sandbox=context.endpoint == "sandbox"))
    context.terminal.document({"rows": rows, "totals": sums})
    left = [entry for entry in entries if entry.error is None and not (entry.saved or entry.was_here)]
    if failed or left or stopped:
        raise _incomplete(context, [*errors_of(failed), *stopped], failed, left, len(entries))


def _incomplete(
    context: Context, errors: list[OrvideoError], failed: Sequence[Entry], left: Sequence[Entry], rows: int
) -> OrvideoError:
    """Return the one error of a batch: its code by the precedence of the contract, and the command that goes on."""
    decisive = worst(errors) if errors else None
    # Where more of the same is refused, the same line is no help: what the refusal itself advises is (finding D11).
    hint = decisive.hint if isinstance(decisive, AuthError | MoneyError | Rejected | Unavailable) else None
    told = context.ending.account(errors)
    code = decisive.exit_code if decisive is not None else ExitCode.BATCH_INCOMPLETE
    nothing_bought = all(entry.record is None for entry in [*failed, *left]) and len(failed) + len(left) == rows
    same = len({error.exit_code for error in told}) == 1
    kept = code in PRECEDENCE or (nothing_bought and same and code in (ExitCode.UNAVAILABLE, ExitCode.RECORD))
    running = [entry for entry in failed if isinstance(entry.error, StillRunning)]
    unknown = [entry for entry in failed if isinstance(entry.error, OutcomeUnknown)]
    counts = {
        "failed": len(failed) - len(running) - len(unknown), "outcome unknown": len(unknown),
        "still running": len(running), "not started": len(left),
    }  # fmt: skip
    parts = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    if not parts:
        return BatchIncomplete(told[-1].message, exit_code=code, hint=hint)
    ended = sum(isinstance(entry.error, JobEnded | NoOutput) for entry in failed)
    retry = f" {ended} ended without a video; --retry-failed buys them again." if ended else ""
    maybe = " What is unknown may be paid for, and is not sent again." if unknown else ""
    return BatchIncomplete(
        f"{len(failed) + len(left)} of {rows} rows did not make it: {parts}.{retry}{maybe}",
        exit_code=code if kept else ExitCode.BATCH_INCOMPLETE,
        hint=hint or ("orvideo jobs --unknown" if unknown else None),
    )
