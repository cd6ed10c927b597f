"""What submit, wait and download share: waiting for jobs, saving what they made, and answering with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from orvideo.commands._hooks import NOTHING, Afterwards, at_the_end
from orvideo.commands._receipts import save_with_receipts, write_receipts
from orvideo.errors import OrvideoError, UsageError, worst

if TYPE_CHECKING:
    from orvideo.api.schemas import Job
    from orvideo.context import Context
    from orvideo.jobs.fetch import Saving
    from orvideo.jobs.follow import Patience
    from orvideo.record.values import Record


def patience_from(context: Context, timeout: str | None, interval: str | None) -> Patience:
    """Return how long and how often to look, from the line or the settings; seconds."""
    from orvideo.jobs.follow import Patience
    from orvideo.settings.source import Source

    settings = context.settings.with_flags({"timeout": timeout, "interval": interval})
    firm = settings.get("timeout").source is not Source.DEFAULT
    return Patience(timeout=settings.timeout, interval=settings.interval, firm=firm)


def find_jobs(
    context: Context, names: Sequence[str] | None, *, otherwise: Sequence[Record] | None = None
) -> list[Record]:
    """Return the jobs that a line names, each once, or `otherwise` for --all. No name at all is a usage error."""
    if otherwise is not None:
        if names:
            raise UsageError("--all stands for every job; it goes with no JOB.")
        return list(otherwise)
    if not names:
        raise UsageError("A job is needed: an id, a prefix of one, or @1 for the newest.", hint="orvideo jobs")
    found = {record.seq: record for record in map(context.ledger.find, names)}
    return list(found.values())


def follow_and_save(
    context: Context,
    records: Sequence[Record],
    patience: Patience,
    saving: Saving,
    afterwards: Afterwards = NOTHING,
) -> None:
    """Follow jobs to their ends, save each as soon as it is finished, do what is wished for then, and answer.

    Raises the worst of what went wrong; the others are told of before.
    """
    context.in_hand[:] = [record.name for record in records]
    context.story.together = len(records) if len(records) > 1 else 0
    if patience.firm and patience.timeout is not None:
        saving.deadline = context.clock.monotonic() + patience.timeout
    troubles: list[OrvideoError] = []
    for record, end in _ends(context, records, patience):
        trouble: OrvideoError | None = None
        try:
            if isinstance(end, OrvideoError):
                raise end
            finish(context, record, end, saving)
        except OrvideoError as error:
            trouble = error
            troubles.append(error)
        at_the_end(context, record, afterwards, trouble)
        if len(records) > 1:
            context.in_hand.remove(record.name)
    _answer_and_raise(context, records, saving, troubles)


def download_jobs(context: Context, records: Sequence[Record], saving: Saving) -> None:
    """Fetch finished jobs one after the other and answer; nothing is ever submitted."""
    context.in_hand[:] = [record.name for record in records]
    context.goes_on_with = "orvideo download"
    troubles: list[OrvideoError] = []
    for record in records:
        try:
            if saving.is_here(record):
                context.terminal.note(f"{record.name} is here already, whole")
                if saving.receipt:
                    write_receipts(context, record, force=saving.force)
            else:
                finish(context, record, context.lifecycle.look(record), saving)
        except OrvideoError as error:
            error.job_id = error.job_id or record.id
            error.resume = error.resume or f"orvideo download {record.name}"
            troubles.append(error)
    _answer_and_raise(context, records, saving, troubles)


def finish(context: Context, record: Record, job: Job, saving: Saving) -> None:
    """Judge a job's end, save its videos where they are wanted, and say what it cost."""
    from orvideo.jobs.follow import judge
    from orvideo.output.views import finished_line

    try:
        judge(record, job)
        save_with_receipts(context, record, job, saving)
    except OrvideoError:
        if job.is_final:
            context.story.ended(context.ledger.get(record.seq))
        raise
    ended = context.ledger.get(record.seq)
    context.story.ended(ended)
    context.story.close()
    context.terminal.note(finished_line(ended.as_json()))


def _ends(
    context: Context, records: Sequence[Record], patience: Patience
) -> Iterator[tuple[Record, Job | OrvideoError]]:
    if len(records) > 1:
        yield from context.lifecycle.follow_all(records, patience)
        return
    for record in records:
        try:
            yield record, context.lifecycle.follow(record, patience)
        except OrvideoError as error:
            yield record, error


def _answer_and_raise(
    context: Context, records: Sequence[Record], saving: Saving, troubles: list[OrvideoError]
) -> None:
    context.story.close()
    now = [context.ledger.get(record.seq) for record in records]
    for path in saving.paths:
        context.terminal.answer(path)
    for record in now:
        if not saving.wants(record):
            context.terminal.answer(record.name)
    documents = [record.as_json() for record in now]
    # One job that went wrong is an error object on stderr, not half an answer on stdout as well.
    if not (troubles and len(records) == 1):
        context.terminal.document(documents[0] if len(documents) == 1 else documents)
    raise_worst(context, troubles)


def answer_submitted(context: Context, record: Record) -> None:
    """Answer with the job that was just accepted."""
    context.terminal.answer(record.name)
    context.terminal.document(record.as_json())


def raise_worst(context: Context, troubles: list[OrvideoError]) -> None:
    """Tell of every trouble, and raise the one that decides the exit code."""
    if not troubles:
        return
    decisive = worst(troubles)
    for trouble in troubles:
        if trouble is not decisive:
            context.terminal.error(trouble)
    raise decisive
