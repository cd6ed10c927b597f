"""Buying a video: written down first, sent once, and never again by itself.

The order is the promise (drills J02, J03): the intent is on disk before the first byte is sent, the id is on disk
before anybody is told. Whatever comes back in between is one of three things: accepted (there is an id), refused
(nothing was bought), or unknown (drills M04 to M23), which stays on record until a person decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from orvideo.errors import (
    OrvideoError,
    OutcomeUnknown,
    PaymentRequired,
    RateLimited,
    RecordError,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.deadline import Deadline
    from orvideo.jobs.gate import Gate
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record, Submission

#: How long a submit may wait in all for a service that says "not now" (drill M18), in seconds.
PATIENCE = 120.0
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 30.0
#: The shortest pause before another try, whatever the service says, in seconds.
SHORTEST_PAUSE = 1.0
#: How long the reply is still waited for after a first Ctrl-C (drill S02), in seconds.
HURRY = 2.0
#: What is answered with another try, for it says that nothing was bought, and "not now".
NOT_NOW = (RateLimited, ServiceUnavailable, PaymentRequired)


class Submitter:
    """The one place where money is spent: hands orders to the service and keeps the record true while it does."""

    def __init__(self, client: Client, ledger: Ledger, journal: Journal, gate: Gate, deadline: Deadline) -> None:
        self._client, self._ledger, self._journal = client, ledger, journal
        self._gate, self._deadline = gate, deadline
        #: The status with which the service last said "not now".
        self._refused_with: int | None = None

    def submit(
        self, order: Submission, *, begun: Callable[[int], None], waiting: Callable[[OrvideoError, float], None]
    ) -> Record:
        """Submit `order` once and return its record, which has the service's id.

        `begun(seq)` is told of the row that stands for the order before anything is sent, so that whoever is
        interrupted can look there what became of it; `waiting(error, seconds)` of each pause that the service asks for.

        Raises what the client raises, with the record brought up to date first: NotSent, Rejected, AuthError,
        MoneyError, Unavailable (nothing was bought), OutcomeUnknown (perhaps), and RecordError (nothing was sent).
        """
        try:
            # Read back before anything is sent: its local name must be at hand if the disk fails afterwards.
            prepared = self._ledger.get(self._ledger.prepare(order))
        except RecordError as error:
            error.say_nothing_was_sent()
            raise
        self._journal.cache(prepared)
        begun(prepared.seq)
        refused = False
        try:
            return self._send(prepared, order, waiting)
        except OutcomeUnknown as error:
            raise self._unknown(prepared, error) from error
        except RecordError as error:
            error.say_nothing_was_sent()
            if self._refused_with is not None:
                # The row may still say "sending", and nothing was bought.
                self._journal.not_sent(prepared.seq, error.message, refused_with=self._refused_with)
            raise
        except OrvideoError as error:
            # Refused, never reached, or not let through the gate.
            status = error.reply.status if error.reply is not None else self._refused_with
            self._journal.not_sent(prepared.seq, error.message, refused_with=status)
            refused = isinstance(error, NOT_NOW)
            raise
        finally:
            self._gate.settled(refused=refused)

    def _send(self, prepared: Record, order: Submission, waiting: Callable[[OrvideoError, float], None]) -> Record:
        """Send until the service has decided: only "not now" is answered with another try (drills M18, M19)."""
        clock = self._deadline.clock
        give_up = clock.monotonic() + self._deadline.left(PATIENCE)
        backoff = FIRST_BACKOFF
        while True:
            try:
                with self._gate.hold(lambda: self._client.hurry(HURRY), self._deadline):
                    job = self._send_once(prepared.seq, order)
            except NOT_NOW as error:
                pause = _pause(error, backoff)
                if pause is None or clock.monotonic() + pause > give_up:
                    raise
                self._gate.waiting(error, pause)
                waiting(error, pause)
                self._gate.sleep(pause)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
                continue
            # Paid for from here on: a record that cannot be written is kept trying, and stops nothing (drill M30).
            self._journal.submitted(
                prepared.seq, job.id, status=job.status, generation_id=job.generation_id, extra=job.extra
            )
            return self._journal.record(prepared.seq) or prepared

    def _send_once(self, seq: int, order: Submission) -> Job:
        def sending() -> None:
            if self._refused_with is not None:
                # Once more, should the record have been held then: nobody goes on from "sending" to "sending".
                self._ledger.refused_for_now(seq)
            self._ledger.sending(seq)

        try:
            return self._client.submit(
                dict(order.request),
                on_sending=sending,
                on_answer=lambda status, raw: self._keep_answer(seq, status, raw),
                deadline=self._deadline,
            )
        except NOT_NOW as error:
            self._refused_with = error.reply.status if error.reply is not None else None
            with suppress(RecordError):
                self._ledger.refused_for_now(seq)
            raise

    def _keep_answer(self, seq: int, status: int, raw: bytes) -> None:
        """Keep the raw answer until its id is safe (drill M09); a disk that is full now must not cost the answer."""
        with suppress(RecordError):
            self._ledger.answered(seq, status, raw)

    def _unknown(self, prepared: Record, error: OutcomeUnknown) -> OutcomeUnknown:
        """Put the outcome on record as unknown and say what a person can do about it (drill M06)."""
        # Where that cannot be written now, the row still says "sending", which every later reader takes for unknown.
        self._journal.outcome_unknown(prepared.seq, error.message)
        name = prepared.handle
        when = self._deadline.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
        return OutcomeUnknown(
            f"{error.message} The request was sent at {when} and may have been accepted and charged; it is on record "
            f"as {name}. Submitting again may pay again.",
            hint=what_to_do(name),
            reply=error.reply,
        )


def what_to_do(name: str) -> str:
    """Return what a person can do about an outcome that nobody here knows; `name` is the local one."""
    return f"look at https://openrouter.ai/activity, then: orvideo jobs show {name}"


def _pause(error: OrvideoError, backoff: float) -> float | None:
    """Return how many seconds to wait before another try, None where another try is pointless.

    A 402 is final unless it names a time (api notes: the budget that is in flight); the others back off by
    themselves when the service names none. What the service calls final is (finding A06).
    """
    if error.reply is not None and error.reply.retryable is False:
        return None
    asked = error.reply.retry_after if error.reply else None
    if asked is not None:
        # "At once", or a time that has passed, is still not an invitation to knock without a pause.
        return max(asked, SHORTEST_PAUSE)
    if isinstance(error, PaymentRequired):
        return None
    return random.uniform(backoff / 2, backoff)  # noqa: S311 - jitter, not a secret
