"""What answers of the service mean for a job, for every command.

A failed poll ends a wait only where the service itself says three times in a row what another poll cannot change: a
refused key (drill P03), an unknown job (P02), an answer that makes no sense (P08), a redirect that is not followed
(P10). A single such answer may come from a proxy, or from one of many servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orvideo.errors import (
    AuthError,
    BadReply,
    Forbidden,
    Gone,
    JobEnded,
    MoneyError,
    NoOutput,
    NotFetched,
    NotFound,
    OrvideoError,
    OutcomeUnknown,
    StillRunning,
    Unsafe,
    UsageError,
    as_sentence,
)
from orvideo.record.values import SANDBOX, Observation

if TYPE_CHECKING:
    from orvideo.api.values import Job
    from orvideo.record.values import Record

#: How many such answers in a row end a wait (finding A09).
REFUSALS_TO_END = 3


def ending_error(error: OrvideoError) -> OrvideoError | None:
    """Return the error that ends a wait if the service repeats this answer, None if polling should go on."""
    own = error.reply is not None and error.reply.own
    if isinstance(error, UsageError | BadReply | Unsafe) or (isinstance(error, AuthError) and error.reply is None):
        return error
    if isinstance(error, AuthError) and own:
        return error
    if isinstance(error, Forbidden | MoneyError) and own:
        # The job is bought already, so the key is refused, not the price.
        return AuthError(error.message, reply=error.reply)
    if isinstance(error, NotFound | Gone) and own:
        return NotFetched(f"The service does not know this job: {error.message}", reply=error.reply)
    return None


def is_certain(error: OrvideoError, times: int) -> bool:
    """Return whether an `ending_error` ends a wait after `times` such answers in a row."""
    local = isinstance(error, UsageError) or (isinstance(error, AuthError) and error.reply is None)
    return local or times >= REFUSALS_TO_END


def observation_of(job: Job) -> Observation:
    """Return a job of the service as an observation for the record: its cost only at its end, as it may grow."""
    cost = job.cost if job.is_final else None
    return Observation(
        job.status, cost, job.error_text, job.generation_id, job.model, job.extra, job.is_final,
        job.output_count or None, is_byok=job.is_byok,
    )  # fmt: skip


def error_on_record(record: Record) -> OrvideoError | None:
    """Return the error of a job whose end is on record, None for one that has a video."""
    if record.expected_outputs == 0:
        return NoOutput(record.error or "The service made no video.")
    return error_of_end(record, record.status, record.error)


def error_of_end(record: Record, status: str | None, reason: str | None) -> JobEnded | None:
    """Return the error of a job that is at its end without a video, None for one that is completed."""
    if status == "completed":
        return None
    return JobEnded(
        f"Job {record.name} ended as {status}{f': {as_sentence(reason)}' if reason else '.'}",
        hint=f"orvideo jobs show {record.name}",
    )


def error_without_id(record: Record) -> OrvideoError | None:
    """Return the error of a job without an id, None for a job that has one."""
    if record.id is not None:
        return None
    if record.state == "not_sent":
        return UsageError(
            f"{record.name} was never accepted by the service: {record.error or 'nothing was sent'}",
            hint=f"orvideo jobs show {record.name}",
        )
    why = f" {record.error}" if record.error else " No id was received, so there is nothing to ask the service for."
    return OutcomeUnknown(
        f"The outcome of {record.name} is unknown.{why}",
        hint="look at https://openrouter.ai/activity; a job found there: orvideo jobs adopt ID",
    )


def may_have_videos(job: Job) -> bool:
    """Return whether a job whose status nobody knows names videos all the same: they are worth a try (finding B04)."""
    from orvideo.api.values import KNOWN_STATUSES

    return job.status not in KNOWN_STATUSES and job.output_count > 0


def went_back(record: Record, job: Job) -> str:
    """Return the warning for a poll that says less than the record: an end stays an end (drill P08)."""
    return f"{record.name}: the status went back from {record.status} to {job.status}; its end is on record and counts."


def still_running(record: Record, job: Job | None) -> StillRunning:
    """Return the error of a wait whose time is over, which is no failure of the job (drill M31)."""
    from orvideo.api.values import KNOWN_STATUSES

    name = record.name
    if record.id is None:
        return StillRunning(f"Another orvideo is still submitting {name}.")
    status = job.status if job is not None else record.status
    if status is not None and status not in KNOWN_STATUSES:
        added = f" The service adds: {as_sentence(job.error_text)}" if job is not None and job.error_text else ""
        named = job is not None and may_have_videos(job)
        return StillRunning(
            f"Job {name} is not at its end: its status is {status!r}, which orvideo does not know.{added}"
            + (" It names a video all the same." if named else ""),
            hint=f"orvideo download {name}" if named else None,
        )
    seen = f"last seen as {status}" if status else "not seen yet"
    goes_on = "it goes on in the sandbox" if record.endpoint == SANDBOX else "it is paid for and goes on"
    return StillRunning(f"Job {name} is still running ({seen}); {goes_on}.")
