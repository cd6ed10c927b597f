"""Buying a video: written down first, sent once, and never again by itself.

The order is the promise (drills J02, J03): the intent is on disk before the first byte is sent, the id is on disk
before anybody is told. Whatever comes back in between is one of three things: accepted (there is an id), refused
(nothing was bought), or unknown (drills M04 to M23), which stays on record until a person decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from orvideo.clock import Clock
from orvideo.errors import (
    NotSent,
    OrvideoError,
    OutcomeUnknown,
    OutputUnwritable,
    PaymentRequired,
    RateLimited,
    RecordError,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record

#: How long a submit may wait in all for a service that says "not now" (drill M18), in seconds.
PATIENCE = 120.0
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 30.0
#: The shortest pause before another try, whatever the service says, in seconds.
SHORTEST_PAUSE = 1.0
#: How long the reply is still waited for after a first Ctrl-C (drill S02), in seconds.
HURRY = 2.0


class Hold(Protocol):
    """Holds a first signal back while a request is on the wire (`interrupts.Interrupts.held`, drill S02)."""

    def __call__(self, hurry: Callable[[], None]) -> AbstractContextManager[None]: ...


@contextmanager
def _no_hold(hurry: Callable[[], None]) -> Iterator[None]:
    yield


class Order(NamedTuple):
    """What is to be bought, and what is to be remembered of it: money in USD, `target` as a person gave it."""

    body: dict[str, Any]
    endpoint: str
    quote: dict[str, Any] | None = None
    target: str | None = None
    mode: str | None = None
    batch: str | None = None
    row: str | None = None
    row_number: int | None = None
    max_total: Decimal | None = None


@dataclass(eq=False, repr=False)
class Submitting:
    """The one place where money is spent: hands orders to the service and keeps the record true while it does.

    `waiting(error, seconds)` is told of each pause that the service asked for, `begun(seq)` of the row that stands
    for an order, before anything is sent: whoever is interrupted can look there what became of it.
    """

    client: Client
    ledger: Ledger
    clock: Clock = field(default_factory=Clock)
    hold: Hold = _no_hold
    waiting: Callable[[OrvideoError, float], None] = lambda error, seconds: None
    begun: Callable[[int], None] = lambda seq: None

    def submit(self, order: Order) -> Record:
        """Submit `order` once and return its record, which has the service's id.

        Raises what the client raises, with the record brought up to date first: NotSent, Rejected, AuthError,
        MoneyError, Unavailable (nothing was bought), OutcomeUnknown (perhaps), RecordError (nothing was sent), and
        OutputUnwritable when the id was given but could not be written down (drill J05).
        """
        try:
            # Read back before anything is sent: its local name must be at hand if the disk fails afterwards.
            prepared = self.ledger.get(self._prepare(order))
        except RecordError as error:
            error.say_nothing_was_sent()
            raise
        self.begun(prepared.seq)
        return self._send(prepared, order)

    def _prepare(self, order: Order) -> int:
        return self.ledger.prepare(
            request=order.body,
            endpoint=order.endpoint,
            quote=order.quote,
            target=order.target,
            mode=order.mode,
            batch=order.batch,
            row_key=order.row,
            row_number=order.row_number,
            max_total=order.max_total,
        )

    def _send(self, prepared: Record, order: Order) -> Record:
        """Send until the service has decided: only "not now" is answered with another try (drills M18, M19)."""
        deadline = self.clock.monotonic() + PATIENCE
        backoff = FIRST_BACKOFF
        while True:
            # The answer and its place on disk are one section: a signal must not come between them.
            try:
                with self.hold(lambda: self.client.hurry(HURRY)):
                    record, not_now = self._send_once(prepared, order)
            except NotSent as error:
                # Also from the hold itself, which may let nobody through any more.
                self._put_down_as_not_sent(prepared.seq, error)
                raise
            if record is not None:
                return record
            assert not_now is not None, "accepted, refused for now, or an exception"
            pause = _pause(not_now, backoff)
            if pause is None or self.clock.monotonic() + pause > deadline:
                self._put_down_as_not_sent(prepared.seq, not_now)
                raise not_now
            backoff = min(backoff * 2, LONGEST_BACKOFF)
            self.waiting(not_now, pause)
            self.clock.sleep(pause)

    def _send_once(self, prepared: Record, order: Order) -> tuple[Record | None, OrvideoError | None]:
        """Send the order once and bring the record up to date; return it, or the error that allows another try."""
        seq = prepared.seq
        try:
            job = self.client.submit(
                order.body,
                on_sending=lambda: self.ledger.sending(seq),
                on_answer=lambda status, raw: self._keep_answer(seq, status, raw),
            )
        except (RateLimited, ServiceUnavailable, PaymentRequired) as error:
            self.ledger.refused_for_now(seq)
            return None, error
        except OutcomeUnknown as error:
            raise self._unknown(prepared, error) from error
        except RecordError as error:
            error.say_nothing_was_sent()
            raise
        except OrvideoError as error:
            self._put_down_as_not_sent(seq, error)
            raise
        return self._write_down(seq, job), None

    def _put_down_as_not_sent(self, seq: int, error: OrvideoError) -> None:
        """Put a refusal on record; why the service refused matters more than a record that cannot be written now."""
        with suppress(RecordError):
            self.ledger.not_sent(seq, error.message)

    def _keep_answer(self, seq: int, status: int, raw: bytes) -> None:
        """Keep the raw answer until its id is safe (drill M09); a disk that is full now must not cost the answer."""
        with suppress(RecordError):
            self.ledger.answered(seq, status, raw)

    def _write_down(self, seq: int, job: Job) -> Record:
        try:
            self.ledger.submitted(seq, job.id, status=job.status, generation_id=job.generation_id, extra=job.extra)
            return self.ledger.get(seq)
        except RecordError as error:
            raise OutputUnwritable(
                f"Job {job.id} was accepted and is paid for, but its id could not be written down: {error.message}",
                hint=f"keep the id; once there is room: orvideo jobs adopt {job.id}",
                charged="yes",
                job_id=job.id,
                resume=f"orvideo jobs adopt {job.id}",
            ) from error

    def _unknown(self, prepared: Record, error: OutcomeUnknown) -> OutcomeUnknown:
        """Put the outcome on record as unknown and say what a person can do about it (drill M06)."""
        recorded = "it is on record"
        try:
            self.ledger.outcome_unknown(prepared.seq, error.message)
        except RecordError as trouble:
            # The row still says "sending", which every later reader takes for unknown.
            recorded = f"the record could not be brought up to date ({trouble.message})"
        name = prepared.handle
        when = self.clock.now().strftime("%Y-%m-%d %H:%M:%S UTC")
        return OutcomeUnknown(
            f"{error.message} The request was sent at {when} and may have been accepted and charged; {recorded} as "
            f"{name}. Submitting again may pay again.",
            hint=what_to_do(name),
            charged="unknown",
            resume=f"orvideo jobs show {name}",
            reply=error.reply,
        )


def what_to_do(name: str) -> str:
    """Return what a person can do about an outcome that nobody here knows; `name` is the local one."""
    return f"look at https://openrouter.ai/activity, then: orvideo jobs show {name}"


def _pause(error: OrvideoError, backoff: float) -> float | None:
    """Return how many seconds to wait before another try, None where another try is pointless.

    A 402 is final unless it names a time (api notes: the budget that is in flight); the others back off by
    themselves when the service names none.
    """
    asked = error.reply.retry_after if error.reply else None
    if asked is not None:
        # "At once", or a time that has passed, is still not an invitation to knock without a pause.
        return max(asked, SHORTEST_PAUSE)
    if isinstance(error, PaymentRequired):
        return None
    return random.uniform(backoff / 2, backoff)  # noqa: S311 - jitter, not a secret
