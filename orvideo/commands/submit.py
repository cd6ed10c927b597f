"""`orvideo submit`: one request, checked, priced, sent once; followed and saved when asked to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action, Answering, options_of
from orvideo.commands._follow import answer_submitted, errors_of, follow_and_save, run_tasks, terms_from
from orvideo.commands._hooks import NOTHING, Hooks, hooks_from
from orvideo.commands._key import check_key
from orvideo.commands._options import (
    AspectRatio,
    Audio,
    CallbackUrl,
    Continue,
    Creativity,
    Duration,
    Events,
    Exec,
    FirstFrame,
    Force,
    Interval,
    Json,
    LastFrame,
    Like,
    MaxSize,
    Model,
    Notify,
    Output,
    Param,
    Quiet,
    Receipt,
    Reference,
    RequestFile,
    Resolution,
    Seed,
    SessionId,
    Size,
    Timeout,
    Trace,
    Upscale,
    User,
    UseSandbox,
    Verbose,
    option,
)
from orvideo.commands._receipts import check_before_submit
from orvideo.commands._request import RequestOptions, wanted_request
from orvideo.errors import MoneyError, RecordError

if TYPE_CHECKING:
    from orvideo.catalogue.planning import Plan
    from orvideo.context import Context, Service
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import Task
    from orvideo.record.values import Typical
    from orvideo.request.build import Wanted
    from orvideo.settings import Settings


class SubmitOptions(NamedTuple):
    """A submit line, parsed: what to make, and what to do with it."""

    asked: RequestOptions
    max_cost: str | None = None
    wait: bool = False
    output: str | None = None
    force: bool = False
    receipt: bool = False
    max_size: str | None = None
    timeout: str | None = None
    interval: str | None = None
    yes: bool = False
    dry_run: bool = False
    hooks: Hooks = NOTHING


def register(app: typer.Typer) -> None:
    @app.command(epilog='Example: orvideo submit "a paper boat drifts down a rainy street" --wait -o boat.mp4')
    def submit(
        ctx: typer.Context,
        prompt: Annotated[str | None, typer.Argument(help="What the video shows; - reads it from stdin.")] = None,
        prompt_file: Annotated[str | None, option("Request", "Read the prompt from a file.", metavar="FILE")] = None,
        model: Model = None,
        duration: Duration = None,
        resolution: Resolution = None,
        aspect_ratio: AspectRatio = None,
        size: Size = None,
        audio: Audio = None,
        seed: Seed = None,
        first_frame: FirstFrame = None,
        last_frame: LastFrame = None,
        reference: Reference = None,
        continue_: Continue = None,
        request: RequestFile = None,
        like: Like = None,
        creativity: Creativity = None,
        upscale: Upscale = None,
        param: Param = None,
        callback_url: CallbackUrl = None,
        user: User = None,
        session_id: SessionId = None,
        trace: Trace = None,
        wait: Annotated[bool, option("Waiting", "Follow the job to its end.", "--wait", "-w")] = False,
        timeout: Timeout = None,
        interval: Interval = None,
        exec_: Exec = None,
        notify: Notify = False,
        output: Output = None,
        force: Force = False,
        receipt: Receipt = False,
        max_size: MaxSize = None,
        max_cost: Annotated[
            str | None,
            option("Money", "Send nothing that may cost more.", metavar="USD"),
        ] = None,
        yes: Annotated[bool, option("Money", "Do not ask before an expensive job.", "--yes", "-y")] = False,
        dry_run: Annotated[
            bool,
            option("Money", "Check, quote, print the request, send nothing.", "--dry-run"),
        ] = False,
        no_check: Annotated[
            bool,
            option("Request", "Send even what the catalogue says cannot work.", "--no-check"),
        ] = False,
        json: Json = False,
        events: Events = False,
        quiet: Quiet = False,
        verbose: Verbose = False,
        sandbox: UseSandbox = False,
    ) -> Action:
        """Submit one video job; with --wait and -o, follow it and save the video."""
        options = options_of(
            SubmitOptions, ctx.params, asked=RequestOptions.of(ctx.params), hooks=hooks_from(exec_, notify, waits=wait)
        )
        return Action(lambda context: run(context, options), options_of(Answering, ctx.params))


def run(context: Context, options: SubmitOptions) -> None:
    """Plan, show, guard, buy; then follow and save when asked to. Everything that can refuse comes before the money."""
    settings = context.settings.with_flags({"max-cost": options.max_cost})
    terms = terms_from(context, options.timeout, options.interval)
    _ = settings.max_cost  # a limit that cannot be read is a bad line, whatever else is wrong
    wanted = wanted_request(context, options.asked)
    if not options.dry_run:
        _ = context.ledger  # what cannot be written down is not bought (drill J04)
    fetcher = context.fetcher(options.output, force=options.force, max_size=options.max_size)
    for note in fetcher.check_before_submit(wait=options.wait):
        context.terminal.warn(note)
    if options.receipt:
        check_before_submit(context, fetcher, wait=options.wait)
    context.terminal.require_stdout()
    service = context.service(needs_key=not options.dry_run)
    planned = _planned(context, service, wanted, check=not options.asked.no_check)
    _show_plan(context, service, planned)
    _guard_money(context, settings, service, planned, options)
    if options.dry_run:
        _answer_dry_run(context, planned)
        return
    task = _task(planned, service, fetcher)
    context.ending.watch([task], context.journal)
    if options.wait:
        follow_and_save(context, [task], terms, fetcher, options.hooks, receipt=options.receipt)
        return
    errors = [*run_tasks(context, [task], terms._replace(follow=False), fetcher), *errors_of([task])]
    if task.record is not None and task.record.id is not None:
        context.terminal.hint(f"orvideo wait {task.record.name}")
        answer_submitted(context, task.record)
    context.ending.fail(errors)


def _planned(context: Context, service: Service, wanted: Wanted, *, check: bool) -> Plan:
    from orvideo.request.planner import Planner

    planner = Planner(service.client, context.catalogue(service), warn=context.terminal.warn, check=check)
    return planner.plan(wanted)


def _show_plan(context: Context, service: Service, planned: Plan) -> None:
    """Say what will be sent where and what it will cost, before the money is spent (drill N17)."""
    from orvideo.output.views import plan_lines
    from orvideo.settings.definitions import DEFAULT_BASE_URL

    known = service.is_sandbox or service.endpoint == DEFAULT_BASE_URL
    endpoint = None if known else service.endpoint
    evidence = _evidence(context, service, planned)
    for line in plan_lines(planned, endpoint=endpoint, sandbox=service.is_sandbox, evidence=evidence):
        context.terminal.note(line)


def _evidence(context: Context, service: Service, planned: Plan) -> Typical | None:
    """Return what such jobs really cost and took; a record that cannot be read is reported when it is needed."""
    from orvideo.record.values import shape_of

    endpoint = service.endpoint if service.is_sandbox else None
    with suppress(RecordError):
        return context.ledger_to_read.typical(shape_of(planned.request.body()), endpoint=endpoint)
    return None


def _guard_money(context: Context, settings: Settings, service: Service, planned: Plan, options: SubmitOptions) -> None:
    """Refuse what costs more than a limit allows, and ask about what is dear or unpriced (drills M28, M29)."""
    from orvideo.output.text import money_text

    quote, limit = planned.quote, settings.max_cost
    most = quote.high if quote.high is not None else quote.usd
    if limit is not None and (most is None or most > limit):
        unknown = f"has an unknown price ({'; '.join(quote.reasons)})"
        costs = unknown if most is None else f"may cost {money_text(most)}"
        raise MoneyError(
            f"This {costs}, and the limit is {money_text(limit)}; nothing was sent.",
            hint="ask for less, choose another model (orvideo models), or raise --max-cost",
        )
    dear = most is None or most > settings.confirm_above
    if not options.dry_run and (dear or context.answering.verbose):
        check_key(context, service, most)
    if options.yes or options.dry_run or service.is_sandbox or not context.terminal.can_ask:
        return
    if dear:
        price = money_text(most) if most is not None else "an unknown price"
        if not context.terminal.confirm(f"Submit this for {price}?"):
            raise MoneyError("The quote was declined; nothing was sent.")


def _answer_dry_run(context: Context, planned: Plan) -> None:
    """Print the exact request; with --json, the request and its quote in one document."""
    body = planned.request.body()
    context.terminal.document({"request": body, "quote": planned.quote.as_json()})
    context.terminal.answer_json(body)


def _task(planned: Plan, service: Service, fetcher: Fetcher) -> Task:
    """Return what is to be bought; the run spends the money, once."""
    from orvideo.jobs.task import Task
    from orvideo.record.values import Intent

    order = Intent(
        request=planned.request.body(),
        endpoint=service.endpoint,
        quote=planned.quote.as_json(),
        target=fetcher.remembered,
    )
    return Task(order=lambda: order)
