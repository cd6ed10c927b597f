"""What a batch line asks for, before anything is sent: its file read, every row checked, priced and given a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from orvideo.commands._chain import require_film
from orvideo.commands._money import Spending
from orvideo.commands._options import Saving, Waiting, option
from orvideo.commands._request import RequestOptions
from orvideo.errors import ExitCode, MoneyError, OrvideoError, Rejected, UsageError
from orvideo.files import expand_user

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked, Reader
    from orvideo.batch.row_state import History
    from orvideo.batch.rows import Row, Trouble
    from orvideo.batch.source import Source
    from orvideo.catalogue.planning import Plan
    from orvideo.context import Context, Service
    from orvideo.record.frames import FrameSource
    from orvideo.record.values import Record
    from orvideo.request.frames import FrameOf
    from orvideo.settings.resolving import Settings

_MOST_JOBS = 1000


class Running(NamedTuple):
    """How the rows are run."""

    jobs: Annotated[
        int, option("Running", "Rows in flight at once.", "--jobs", "-j", metavar="N", min=1, max=_MOST_JOBS)
    ] = 4
    fail_fast: Annotated[bool, option("Running", "Start no more rows after the first failure.", "--fail-fast")] = False
    chain: Annotated[
        bool, option("Running", "Each row begins with the last frame of the one before it in FILE.", "--chain")
    ] = False
    retry_failed: Annotated[
        bool, option("Running", "Submit failed rows again, as new jobs that cost anew.", "--retry-failed")
    ] = False


class BatchOptions(NamedTuple):
    """A batch line, parsed; `typed` is the same line for going on: without what would buy failed rows once more."""

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
    join: str | None

    @property
    def resume(self) -> str | None:
        """The same line, which goes on where this run stops; None if stdin or a pipe would have to be read again."""
        return self.typed if self.file != "-" and Path(self.file).is_file() else None


class BatchFile(NamedTuple):
    """A batch file, read: what it is called, its rows, and the lines that are none."""

    #: Without its text: that of a large file is not kept beside its rows.
    source: Source
    label: str
    rows: list[Row]
    troubles: list[Trouble]


class Batch(NamedTuple):
    """A batch that was read and checked: what is asked, how it stands by the record, and what is to be bought."""

    id: str
    reader: Reader
    asked: list[Asked]
    history: History
    plans: dict[str, Plan]
    specs: dict[str, str]
    #: Where the line, or the setting, says that videos go.
    output: str | None
    #: What a person can call it; None for a stream without a name.
    name: str | None
    #: What the whole may cost, USD; None without a limit.
    limit: Decimal | None = None

    @property
    def to_buy(self) -> list[Asked]:
        return [one for one in self.asked if one.key in self.plans]


def read_file(context: Context, options: BatchOptions, output: str | None) -> BatchFile:
    """Return the batch file, read; `output` is where its videos go. Raises UsageError for what is none."""
    from orvideo.batch.formats import Form
    from orvideo.batch.identity import batch_label
    from orvideo.batch.rows import read_rows
    from orvideo.batch.source import read_source

    if options.form is not None and options.form.casefold() not in tuple(Form):
        raise UsageError(f"--format takes {', '.join(Form)}, not {options.form!r}.")
    stdin = context.environment.stdin
    form = Form(options.form.casefold()) if options.form is not None else None
    source = read_source(options.file, getattr(stdin, "buffer", None), form)
    rows, troubles = read_rows(source, output=output, check=not options.asked.no_check)
    if not rows and not troubles:
        raise UsageError(f"There is no row in {source.shown}.")
    return BatchFile(source._replace(text=""), batch_label(source, options.name), rows, troubles)


def reserved_places(options: BatchOptions, source: Source, film: Path | None) -> dict[Path, str]:
    """Return the places that no row's video may have, with what to call them."""
    places = [(source.path, "the batch file"), (film, "the film")]
    if options.report is not None:
        places.append((Path(expand_user(options.report)).absolute(), "the report"))
    return {path: what for path, what in places if path is not None}


def report_path(options: BatchOptions, source: Source) -> str:
    """Return where the report goes; raises UsageError where that is the batch file."""
    assert options.report is not None, "asked only where there is one"
    report = expand_user(options.report)
    if source.path is not None and Path(report).resolve() == source.path:
        raise UsageError(f"The report would overwrite the batch file {report}.")
    return report


def check_batch(
    context: Context,
    options: BatchOptions,
    settings: Settings,
    service: Service,
    file: BatchFile,
    output: str | None,
    reserved: Mapping[Path, str],
) -> Batch:
    """Check every row in every way; raises UsageError or Rejected with all problems at once.

    `output` is where the videos go; `reserved` are the places that other things of this batch have, with what to call
    them.
    """
    from orvideo.batch.chain import link_rows
    from orvideo.batch.checking import Pricing
    from orvideo.batch.identity import batch_id, batch_name
    from orvideo.batch.row_state import History
    from orvideo.commands._frames import FrameFinder

    source = file.source
    rows, unlinked = link_rows(file.rows, chain=options.running.chain, is_whole=not file.troubles)
    troubles = [*file.troubles, *unlinked]
    identity = batch_id(file.label, service.endpoint)
    before = context.ledger.rows_of_batch(identity)
    frame_of = FrameFinder(context, settings.max_image_bytes, batch=identity, rows=before)
    reader = _reader(options, settings, source, frame_of)
    asked, bad = reader.ask(rows)
    troubles += bad
    if source.path is None and options.name is None:
        context.terminal.note(
            f"{source.shown} has no path: this batch is known by its content (--name gives it a name, so that rows can "
            "be changed)"
        )
    history = History.of(before)
    wanted = [one for one in asked if _is_to_be_bought(history.last.get(one.key), options)]
    check = not options.asked.no_check
    planner = context.planner(service, check=check)
    pricing = Pricing(planner, each=context.settings.max_cost)
    plans, dear = pricing.plans(wanted, asked, _requests_on_record(asked, history))
    troubles += dear
    if plans:
        _refuse_other_profile(history, service)
        require_film(wanted)
    specs, misplaced = _specs(context, options, output, reserved, asked, history, plans)
    troubles += misplaced
    if troubles:
        raise _refusal(troubles, source)
    for warning in dict.fromkeys(warning for one in asked for warning in one.warnings):
        context.terminal.warn(warning)
    return Batch(identity, reader, asked, history, plans, specs, output, batch_name(file.label))


def _refuse_other_profile(history: History, service: Service) -> None:
    """Refuse to go on with a batch with another key than it was begun with: who pays for the rest is no accident."""
    from orvideo.record.values import State

    bought = [record for record in history.last.values() if record.state is not State.NOT_SENT]
    begun = sorted({record.profile or "" for record in bought} - {service.profile or ""})
    if not begun:
        return
    profile = begun[0] or None
    told = f"the profile {profile}" if profile is not None else "no profile"
    way = f"add --profile {profile}" if profile is not None else "run it without --profile"
    raise UsageError(
        f"This batch was begun with {told}, and its other rows would be bought with another key.",
        hint=f"{way}; or, to buy all its rows anew: --name NEW",
    )


def _reader(options: BatchOptions, settings: Settings, source: Source, frame_of: FrameOf) -> Reader:
    """Return what puts the requests of rows together, with the line's options and the settings below each row."""
    from orvideo.batch.checking import Reader
    from orvideo.request.build import MediaSource, request_fields, taken_of

    asked, folder = options.asked, source.folder
    line, media = asked.line_fields(settings), asked.media()
    taken: Mapping[str, FrameSource] = {}
    if media:
        # Pictures on the line are for every row: read once, from where the line says and not from FILE's folder.
        from_line = MediaSource(settings.max_image_bytes, fix=asked.fix_image, frame_of=frame_of)
        built = request_fields({**media, "prompt": "-"}, from_line, check=not asked.no_check)
        line |= {name: value for name, value in built.fields.items() if name != "prompt"}
        taken = taken_of(built)
    root = None if options.allow_outside else folder
    where = MediaSource(settings.max_image_bytes, root=root, base=folder, fix=asked.fix_image, frame_of=frame_of)
    return Reader(where, asked.defaults(settings), line, asked.params(), not asked.no_check, taken)


def _requests_on_record(asked: Sequence[Asked], history: History) -> dict[int, Mapping[str, Any]]:
    """Return the requests of the rows that were bought, by the rows' numbers."""
    return {one.row.number: history.last[one.key].request for one in asked if one.key in history.last}


def _is_to_be_bought(record: Record | None, options: BatchOptions) -> bool:
    from orvideo.batch.row_state import RowState, row_state

    state = row_state(record)
    return state is RowState.NEW or (options.running.retry_failed and state is RowState.FAILED)


def _specs(
    context: Context,
    options: BatchOptions,
    output: str | None,
    reserved: Mapping[Path, str],
    asked: Sequence[Asked],
    history: History,
    plans: Mapping[str, Plan],
) -> tuple[dict[str, str], list[Trouble]]:
    """Return where each row saves, and the rows that would be in each other's way or in that of a file."""
    from orvideo.batch.naming import check_kept, check_targets, folder_to_make, spec_for
    from orvideo.batch.rows import Trouble

    specs: dict[str, str] = {}
    troubles: list[Trouble] = []
    for one in asked:
        try:
            specs[one.key] = spec_for(one.row, output, len(asked))
        except UsageError as problem:
            troubles.append(Trouble(one.row.line, problem.message))
    taken = dict(reserved)
    for one in asked:
        record = history.last.get(one.key)
        if record is not None and one.key not in plans:
            taken |= {Path(o.path): f"that of line {one.row.line}" for o in record.outputs if o.path is not None}
    new = [one for one in asked if one.key in plans and one.key in specs]
    requests = ((one.row, specs[one.key], one.body(plans[one.key])) for one in new)
    now, to_make = context.clock.now(), folder_to_make(output)
    awaited = {number for one in asked if one.key in plans for number in one.row.after}
    troubles += check_kept(((one.row, specs[one.key]) for one in new), awaited)
    troubles += check_targets(requests, taken, force=options.saving.force, now=now, total=len(asked), to_make=to_make)
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
