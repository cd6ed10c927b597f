"""Buying a video: recorded first, then sent once, and again only after a refusal that may be retried.

The order matters (drills J02, J03): the submission is on disk before the first byte is sent, and the id is on disk
before it is reported. Every submit ends as accepted (there is an id), refused (nothing was bought) or unknown (drills
M04 to M23), which stays on record until a person decides.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from orvideo.backoff import backoff
from orvideo.errors import OrvideoError, OutcomeUnknown, PaymentRequired, RateLimited, RecordError, ServiceUnavailable
from orvideo.jobs import judgement
from orvideo.record.values import State
from orvideo.request.awaited import awaited_in

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.values import Job
    from orvideo.deadline import Deadline
    from orvideo.jobs.rate_limiter import RateLimiter
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record, Submission

#: How long a submit may wait in all after refusals that may be retried (drill M18), in seconds.
RETRY_TIMEOUT = 120.0
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 30.0
#: The shortest pause before a retry, whatever the service asks, in seconds.
SHORTEST_PAUSE = 1.0
#: How long a submit waits for its reply after a first Ctrl-C (drill S02), in seconds.
INTERRUPT_GRACE = 2.0
#: How long a locked record is waited for to keep the raw answer, in seconds: the id is not told before that.
ANSWER_LOCK_TIMEOUT = 2.0
#: The refusals that may be retried: they say that nothing was bought.
RETRYABLE = (RateLimited, ServiceUnavailable, PaymentRequired)


class Submitter:
    """Submits jobs, and keeps the record up to date meanwhile; the only class that spends money."""

    def __init__(
        self, client: Client, ledger: Ledger, journal: Journal, rate_limiter: RateLimiter, deadline: Deadline
    ) -> None:
        self._client, self._ledger, self._journal = client, ledger, journal
        self._rate_limiter, self._deadline = rate_limiter, deadline
        #: The status of the last refusal that was retried.
        self._refused_with: int | None = None

    def submit(
        self, submission: Submission, *, begun: Callable[[int], None], waiting: Callable[[OrvideoError, float], None]
    ) -> Record:
        """Submit once and return the record of the job, which has the service's id.

        `begun(seq)` is called with the number of its row before anything is sent, so that an interrupted caller finds
        it; `waiting(error, seconds)` is called before each pause after a refusal.

        Raises what the client raises, with the record brought up to date first: NotSent, Rejected, AuthError,
        MoneyError, Unavailable (nothing was bought), OutcomeUnknown (perhaps), and RecordError (nothing was sent).
        """
        if awaited_in(submission.request):
            raise ValueError("a picture of the request is not there yet")  # a bug: nothing is sent
        try:
            # Read back before anything is sent: its local name is needed if the disk fails afterwards.
            prepared = self._ledger.get(self._ledger.prepare(submission))
        except RecordError as error:
            error.say_nothing_was_sent()
            raise
        self._journal.cache(prepared)
        begun(prepared.seq)
        refused = False
        try:
            return self._send(prepared, submission, waiting)
        except OutcomeUnknown as error:
            raise self._unknown(prepared, error) from error
        except RecordError as error:
            error.say_nothing_was_sent()
            if self._refused_with is not None:
                # The row may still say "sending", but nothing was bought.
                self._journal.not_sent(prepared.seq, error.message, refused_with=self._refused_with)
            raise
        except OrvideoError as error:
            # Refused, not reached, or not permitted.
            status = error.reply.status if error.reply is not None else self._refused_with
            self._journal.not_sent(prepared.seq, error.message, refused_with=status)
            refused = isinstance(error, RETRYABLE)
            raise
        finally:
            self._rate_limiter.submit_ended(refused=refused)

    def _send(self, prepared: Record, submission: Submission, waiting: Callable[[OrvideoError, float], None]) -> Record:
        """Send until the service accepts or refuses; only RETRYABLE refusals are retried (drills M18, M19)."""
        clock = self._deadline.clock
        give_up = clock.monotonic() + self._deadline.left(RETRY_TIMEOUT)
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._rate_limiter.permit(lambda: self._client.hurry(INTERRUPT_GRACE), self._deadline):
                    job = self._send_once(prepared.seq, submission)
            except RETRYABLE as error:
                pause = _pause(error, attempt)
                if pause is None or clock.monotonic() + pause > give_up:
                    raise
                self._rate_limiter.pause(pause)
                waiting(error, pause)
                self._rate_limiter.sleep(pause)
                continue
            # Paid for from here on: the journal retries a failed write, and nothing stops for it (drill M30).
            self._journal.submitted(
                prepared.seq, job.id, status=job.status, generation_id=job.generation_id, extra=job.extra
            )
            if job.is_final:
                # Its end is in the same answer: what it cost, and why there is no video.
                self._journal.observed(prepared.seq, judgement.observation_of(job))
            # A row that another process forgot meanwhile has its id all the same.
            accepted = prepared._replace(id=job.id, state=State.SUBMITTED, status=job.status)
            record = self._journal.record(prepared.seq) or accepted
            if record.id is None:  # another submit was given it before
                raise OutcomeUnknown(record.error or "The id that the service gave cannot be used.")
            return record

    def _send_once(self, seq: int, submission: Submission) -> Job:
        def sending() -> None:
            if self._refused_with is not None:
                # Once more, in case the record was locked then: "sending" cannot follow "sending".
                self._ledger.refused_for_now(seq)
            self._ledger.sending(seq)

        try:
            return self._client.submit(
                dict(submission.request),
                on_sending=sending,
                on_answer=lambda status, raw: self._keep_answer(seq, status, raw),
                deadline=self._deadline,
            )
        except RETRYABLE as error:
            self._refused_with = error.reply.status if error.reply is not None else None
            with suppress(RecordError):
                self._ledger.refused_for_now(seq)
            raise

    def _keep_answer(self, seq: int, status: int, raw: bytes) -> None:
        """Record the raw answer until its id is on record (drill M09); a failure is ignored."""
        with suppress(RecordError):
            self._ledger.answered(seq, status, raw, lock_timeout=self._deadline.left(ANSWER_LOCK_TIMEOUT))

    def _unknown(self, prepared: Record, error: OutcomeUnknown) -> OutcomeUnknown:
        """Record the outcome as unknown, and return the error with what a person can do about it (drill M06)."""
        # Where that fails, the row still says "sending", which later processes read as unknown.
        self._journal.outcome_unknown(prepared.seq, error.message)
        name = prepared.handle
        when = self._deadline.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
        return OutcomeUnknown(
            f"{error.message} The request was sent at {when} and may have been accepted and charged; it is on record "
            f"as {name}. Submitting again may pay again.",
            hint=unknown_outcome_hint(name),
            reply=error.reply,
        )


def unknown_outcome_hint(name: str) -> str:
    """Return the hint for an unknown outcome; `name` is the job's local name."""
    return f"look at https://openrouter.ai/activity, then: orvideo jobs show {name}"


def _pause(error: OrvideoError, attempt: int) -> float | None:
    """Return how many seconds to wait after refusal number `attempt`, None where a retry is pointless.

    A 402 is final unless it names a time (api notes: the budget that is in flight), and so is what the service calls
    final (finding A06). Without a time of the service, the pause is a back-off.
    """
    if error.reply is not None and error.reply.retryable is False:
        return None
    asked = error.reply.retry_after if error.reply else None
    if asked is not None:
        return max(asked, SHORTEST_PAUSE)
    return None if isinstance(error, PaymentRequired) else backoff(attempt, FIRST_BACKOFF, LONGEST_BACKOFF)
