"""`orvideo submit`: one request, checked, priced, sent once; followed and saved when asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._follow import answer_submitted, errors_of, follow_and_save, run_options_from, run_tasks
from orvideo.commands._groups import Fields
from orvideo.commands._hooks import Hooks, refuse_unsafe, refuse_without_wait
from orvideo.commands._money import Purchase, Spending, guard, notice_of_request
from orvideo.commands._options import Following, Saving, Waiting, option
from orvideo.commands._receipts import check_before_submit
from orvideo.commands._request import RequestGroup, RequestOptions, request_draft

if TYPE_CHECKING:
    from orvideo.catalogue.planning import Plan
    from orvideo.context import Context, Service
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import Task
    from orvideo.record.frames import FrameSource
    from orvideo.settings.resolving import Settings


class SubmitOptions(NamedTuple):
    """A submit line, parsed: what to make, and what to do with it."""

    asked: RequestOptions
    spending: Spending
    wait: bool
    waiting: Waiting
    hooks: Hooks
    saving: Saving


ASKED = RequestGroup("submit", before=("prompt", "prompt_file"), after=("fix_image", "request", "like", "no_check"))


def register(app: typer.Typer) -> None:
    @app.command(epilog='Example: orvideo submit "a paper boat drifts down a rainy street" --wait -o boat.mp4')
    def submit(
        *,
        asked: Annotated[RequestOptions, ASKED],
        wait: Annotated[bool, option("Waiting", "Follow the job to its end.", "--wait", "-w")] = False,
        waiting: Waiting,
        hooks: Hooks,
        saving: Saving,
        spending: Annotated[Spending, Fields(Spending, "max_cost", "yes", "dry_run")],
        answering: Following,
    ) -> Action:
        """Submit one video job. With --wait and -o, follow it and save the video."""
        if not wait:
            refuse_without_wait(hooks)
        options = SubmitOptions(asked, spending, wait, waiting, hooks, saving)
        return Action(lambda context: run(context, options), answering)


def run(context: Context, options: SubmitOptions) -> None:
    """Plan, show, guard, buy; then follow and save when asked to. Everything that can refuse comes before the money."""
    refuse_unsafe(options.hooks.command, context.environment.platform)
    saving = options.saving
    settings = context.settings.with_flags({"max-cost": options.spending.max_cost})
    run_options = run_options_from(context, options.waiting)
    _ = settings.max_cost  # a limit that cannot be read is a bad line, whatever else is wrong
    wanted = request_draft(context, options.asked)
    if not options.spending.dry_run:
        _ = context.ledger  # what cannot be written down is not bought (drill J04)
    fetcher = context.fetcher(saving.output, force=saving.force, max_size=saving.max_size)
    for note in fetcher.check_before_submit(wait=options.wait):
        context.terminal.warn(note)
    if saving.receipt:
        check_before_submit(context, fetcher, wait=options.wait)
    context.terminal.require_stdout()
    service = context.service(needs_key=not options.spending.dry_run)
    planned = context.planner(service, check=not options.asked.no_check).plan(wanted)
    _show_plan(context, settings, service, planned)
    _guard_money(context, settings, service, planned, options)
    if options.spending.dry_run:
        _answer_dry_run(context, planned, wanted.frames)
        return
    task = _task(planned, service, fetcher, wanted.frames)
    context.ending.track([task], context.journal)
    if options.wait:
        follow_and_save(context, [task], run_options, fetcher, options.hooks, receipt=saving.receipt)
        return
    errors = [*run_tasks(context, [task], run_options._replace(follow=False), fetcher), *errors_of([task])]
    if task.record is not None and task.record.id is not None:
        if not errors and not task.record.final:
            context.terminal.hint(f"orvideo wait {task.record.name}")
        answer_submitted(context, task.record)
    context.ending.raise_worst(errors)


def _show_plan(context: Context, settings: Settings, service: Service, planned: Plan) -> None:
    """Say what will be sent where and what it will cost, before the money is spent (drill N17)."""
    from orvideo.output.quote_text import plan_lines
    from orvideo.settings.definitions import DEFAULT_BASE_URL

    known = service.is_sandbox or service.endpoint == DEFAULT_BASE_URL
    endpoint = None if known else service.endpoint
    before = context.typical(planned.request.body(), service.endpoint)
    for line in plan_lines(
        planned, endpoint=endpoint, sandbox=service.is_sandbox, evidence=before, limit=settings.max_cost
    ):
        context.terminal.note(line)


def _guard_money(context: Context, settings: Settings, service: Service, planned: Plan, options: SubmitOptions) -> None:
    from orvideo.output.quote_text import price_words

    quote = planned.quote
    purchase = Purchase("This", "this", price_words(quote, settings.confirm_above), quote.most, why=quote.reasons)
    guard(
        context, service, purchase, settings.max_cost, options.spending,
        lambda: notice_of_request(context, planned.request.body(), service.endpoint),
    )  # fmt: skip


def _answer_dry_run(context: Context, planned: Plan, frames: tuple[FrameSource, ...]) -> None:
    """Print the exact request; with --json, the request and its quote in one document."""
    body = context.terminal.shown_request(planned.request.body())
    context.terminal.document(
        {"request": body, "quote": planned.quote.as_json(), "frames": [frame.as_json() for frame in frames]}
    )
    context.terminal.answer_json(body)


def _task(planned: Plan, service: Service, fetcher: Fetcher, frames: tuple[FrameSource, ...]) -> Task:
    """Return what is to be bought; the run spends the money, once."""
    from orvideo.jobs.task import Task
    from orvideo.record.values import Submission

    order = Submission(
        request=planned.request.body(),
        endpoint=service.endpoint,
        quote=planned.quote.as_json(),
        target=fetcher.spec_to_record,
        profile=service.profile,
        frames=frames,
    )
    return Task(make_submission=lambda: order)
