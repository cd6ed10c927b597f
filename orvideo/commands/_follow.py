"""What submit, wait and download share: one run over jobs, and the answer with what it brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orvideo.commands._hooks import NOTHING, Hooks, run_hooks
from orvideo.commands._options import Saving, Waiting
from orvideo.commands._receipts import write_receipts
from orvideo.errors import OrvideoError, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.deadline import Deadline
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import RunOptions, StopPolicy, Task
    from orvideo.output.job_listener import JobListener
    from orvideo.record.values import Record


def run_options_from(context: Context, waiting: Waiting) -> RunOptions:
    """Return how long and how often to look, from the line or the settings; seconds. The time begins now."""
    from orvideo.deadline import Deadline
    from orvideo.jobs.task import RunOptions
    from orvideo.settings.definitions import Source

    settings = context.settings.with_flags({"timeout": waiting.timeout, "interval": waiting.interval})
    firm = settings.get("timeout").source is not Source.DEFAULT
    if firm:
        context.deadline = Deadline.after(context.clock, settings.timeout)
    return RunOptions(timeout=settings.timeout, interval=settings.interval, timeout_is_explicit=firm)


def find_jobs(context: Context, names: Sequence[str] | None) -> list[Record]:
    """Return the jobs that a line names, each once. No name at all is a usage error."""
    if not names:
        raise UsageError("A job is needed: an id, a piece of one, or 1 for the newest.", hint="orvideo jobs")
    found = {record.seq: record for record in map(context.ledger_to_read.find, names)}
    return list(found.values())


class FollowOptions(NamedTuple):
    """A line of `wait` or `download`, parsed."""

    jobs: list[str] | None
    all: bool
    saving: Saving
    waiting: Waiting
    hooks: Hooks = NOTHING


def follow_named(
    context: Context, options: FollowOptions, *, wait: bool, everything: Callable[[], Sequence[Record]]
) -> None:
    """Take up the named jobs, or with --all `everything`, which says itself where it is nothing, and save the videos.

    Without `wait`, a job that still runs is left alone, and a video is saved even where no -o ever said so.
    """
    saving = options.saving
    run_options = run_options_from(context, options.waiting)._replace(wait=wait)
    if options.all and options.jobs:
        raise UsageError("--all stands for every job; it goes with no JOB.")
    records = everything() if options.all else find_jobs(context, options.jobs)
    fetcher = context.fetcher(saving.output, force=saving.force, always=not wait, max_size=saving.max_size)
    tasks = prepare(context, records, fetcher)
    follow_and_save(context, tasks, run_options, fetcher, options.hooks, receipt=saving.receipt)


def run_tasks(
    context: Context,
    tasks: Sequence[Task],
    run_options: RunOptions,
    fetcher: Fetcher,
    *,
    hooks: Hooks = NOTHING,
    listener: JobListener | None = None,
    rules: StopPolicy | None = None,
) -> list[OrvideoError]:
    """Run tasks to their ends, and return what went wrong besides; a signal ends the run cleanly first (drill S03).

    Each task has its own `error`; what is returned is why no more were started, and what the record lacks.
    """
    from orvideo.deadline import Deadline
    from orvideo.jobs.engine import Engine
    from orvideo.jobs.task import Dependencies

    def at_the_end(task: Task, deadline: Deadline) -> None:
        run_hooks(context, task, hooks, deadline)

    if run_options.follow and run_options.wait:
        tell_shortest_interval(context, run_options.interval)
    listener = listener or context.listener
    buys = any(task.make_submission is not None for task in tasks)
    tools = Dependencies(
        context.ledger if buys else context.ledger_to_read,
        context.journal,
        fetcher,
        context.connect,
        context.clock,
        None if hooks == NOTHING else at_the_end,
    )
    if buys and run_options.timeout_is_explicit and run_options.timeout is not None:
        # The service was asked before: for the list of models, and about the key.
        run_options = run_options._replace(timeout=context.deadline.left(run_options.timeout))
    engine = Engine(tasks, tools, run_options, listener, rules)
    deadline = Deadline.after(context.clock, run_options.timeout if run_options.timeout_is_explicit else None)
    with context.interrupts.deferred(engine.interrupt):
        try:
            engine.run()
        finally:
            listener.close()
            unrecorded = context.journal.flush(deadline, hurry=engine.is_interrupted)
    return [error for error in (engine.stopped, unrecorded) if error is not None]


def tell_shortest_interval(context: Context, interval: float | None) -> None:
    """Say that nobody looks as often as `interval` (seconds) says, where that is so (finding D03)."""
    from orvideo.jobs.polling import SHORTEST_PAUSE
    from orvideo.settings.values import format_duration

    if interval is not None and interval < SHORTEST_PAUSE:
        shortest = format_duration(SHORTEST_PAUSE)
        context.terminal.warn(f"the interval of {format_duration(interval)} is too short; looks are {shortest} apart")


def prepare(context: Context, records: Sequence[Record], fetcher: Fetcher) -> list[Task]:
    """Take jobs in hand: check that their videos can be saved, and remember where -o says, for a later command."""
    from orvideo.jobs.task import Task

    tasks = [Task(record, seq=record.seq) for record in records]
    context.ending.track(tasks, context.journal)
    fetcher.check(records)
    for seq, target in fetcher.targets_to_record(records):
        context.journal.set_target(seq, target)
    return tasks


def follow_and_save(
    context: Context,
    tasks: Sequence[Task],
    run_options: RunOptions,
    fetcher: Fetcher,
    hooks: Hooks = NOTHING,
    *,
    receipt: bool = False,
) -> None:
    """Run tasks, answer with the saved paths, or the names of what is not to be saved, and raise the worst error."""
    context.listener.jobs = len(tasks)
    errors = [*run_tasks(context, tasks, run_options, fetcher, hooks=hooks), *errors_of(tasks)]
    for task in tasks:
        for path in task.paths:
            context.terminal.answer(path)
    for task in tasks:
        if task.record is not None and not fetcher.wants(task.record) and _is_on_record(context, task.record):
            context.terminal.answer(task.record.name)
            if task.error is None and task.record.status == "completed" and not task.record.is_fetched:
                context.terminal.hint(f"not saved: orvideo download {task.record.name}")
    if receipt:
        errors += write_receipts(context, tasks, force=fetcher.options.force)
    documents = [task.record.as_json() for task in tasks if task.record is not None]
    # One job that came to nothing is an error object on stderr, not half an answer on stdout as well.
    if len(tasks) > 1 or not errors or tasks[0].paths:
        context.terminal.document(documents[0] if len(tasks) == 1 else documents)
    context.ending.raise_worst(errors)


def errors_of(tasks: Sequence[Task]) -> list[OrvideoError]:
    return [task.error for task in tasks if task.error is not None]


def answer_submitted(context: Context, record: Record) -> None:
    """Answer with the job that was just accepted."""
    if _is_on_record(context, record):
        context.terminal.answer(record.name)
    context.terminal.document(record.as_json())


def _is_on_record(context: Context, record: Record) -> bool:
    """Whether other commands know the job by its id; what they do not is answered at the end (drill J05)."""
    return record.id is not None and record.id not in context.ending.unwritten_ids()
