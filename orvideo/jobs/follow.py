"""The life of a job after it was bought: followed to its end, fetched, and on record at every step.

Nothing here prints: what happens is told to a `Story`, and what ends badly is a value (`Job`) or an error that the
command judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orvideo.clock import Clock
from orvideo.errors import (
    AuthError,
    JobEnded,
    NotFetched,
    OrvideoError,
    OutcomeUnknown,
    StillRunning,
    Unavailable,
    Unsafe,
    UsageError,
)
from orvideo.jobs.polling import Following, Look, Schedule, follow

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.download.save import Saved
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record


class Story(Protocol):
    """Whoever tells a person, or a machine, what is happening."""

    def looked(self, record: Record, look: Look) -> None: ...

    def downloading(self, record: Record, index: int, done: int, total: int | None) -> None: ...

    def remark(self, text: str) -> None: ...

    def saved(self, record: Record, index: int, saved: Saved) -> None: ...

    def tick(self) -> None: ...


class Reach(Protocol):
    """Gives a client for the service that a job lives at; `fresh` for one that a thread may keep and must close."""

    def client(self, endpoint: str) -> Client: ...

    def fresh(self, endpoint: str) -> Client: ...


@dataclass(eq=False, repr=False)
class ThreadLooker:
    """Looks from one thread, with one connection to each service that is asked."""

    reach: Reach
    clients: dict[str, Client] = field(default_factory=dict)

    def look(self, following: Following) -> Job:
        if following.endpoint not in self.clients:
            self.clients[following.endpoint] = self.reach.fresh(following.endpoint)
        return self.clients[following.endpoint].job(following.job_id)

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


class Patience(NamedTuple):
    """How long and how often to look: seconds; None for "no limit" and "soon at first, then further apart".

    `firm` says that a person has set the timeout: then it is the limit of the download that follows as well (D11).
    """

    timeout: float | None = None
    interval: float | None = None
    firm: bool = False


@dataclass(eq=False, repr=False)
class Lifecycle:
    """Follows jobs on record and keeps the record true while it does."""

    reach: Reach
    ledger: Ledger
    story: Story
    clock: Clock = field(default_factory=Clock)

    def look(self, record: Record) -> Job:
        """Look at a job once and write down what was seen."""
        job_id = _id_of(record)
        try:
            job = self.reach.client(record.endpoint).job(job_id)
        except OrvideoError as error:
            raise about(error, record) from error
        self.write_down(record, job)
        return job

    def follow(self, record: Record, patience: Patience) -> Job:
        """Follow one job to its end and return it as it is then, whatever the end is.

        Raises StillRunning when patience runs out, NotFetched when the service no longer knows the job, AuthError
        when the key is refused on the way: each with the id and the command that goes on.
        """
        following = self.following(record, patience)

        def tell(look: Look) -> None:
            if look.job is not None:
                self.write_down(record, look.job)
            self.story.looked(record, look)

        client = self.reach.client(record.endpoint)
        try:
            return follow(following, lambda f: client.job(f.job_id), tell=tell, tick=self.story.tick)
        except OrvideoError as error:
            raise about(error, record) from error

    def follow_all(self, records: Sequence[Record], patience: Patience) -> Iterator[tuple[Record, Job | OrvideoError]]:
        """Follow many jobs at once; yield each with its last state, or with what ended the wait, as it happens."""
        schedule: Schedule[Record] = Schedule(lambda: ThreadLooker(self.reach), clock=self.clock)
        try:
            for record in records:
                schedule.add(record, self.following(record, patience))
            for outcome in schedule.outcomes(tick=self.story.tick):
                if outcome.look is not None:
                    if outcome.look.job is not None:
                        self.write_down(outcome.key, outcome.look.job)
                    self.story.looked(outcome.key, outcome.look)
                if outcome.job is not None:
                    yield outcome.key, outcome.job
                elif outcome.error is not None:
                    yield outcome.key, about(outcome.error, outcome.key)
        finally:
            schedule.close()

    def following(self, record: Record, patience: Patience) -> Following:
        """Return the wait for a job, which begins now. Raises for a job that has no id to ask for."""
        now = self.clock.monotonic()
        return Following(
            _id_of(record),
            record.endpoint,
            self.clock,
            interval=patience.interval,
            deadline=None if patience.timeout is None else now + patience.timeout,
            found=record.status is not None and record.submitted_at is None,
        )

    def write_down(self, record: Record, job: Job) -> None:
        """Put what was seen of a job on record."""
        self.ledger.looked(
            record.seq,
            status=job.status,
            cost=job.cost,
            error=job.error_text,
            generation_id=job.generation_id,
            model=job.model,
            extra=job.extra,
            final=job.is_final,
            expected_outputs=job.output_count or None,
        )


def judge(record: Record, job: Job) -> None:
    """Raise JobEnded for a job that ended without a video; below, that is a value like any other."""
    if job.is_completed:
        return
    if not job.is_final:
        raise about(StillRunning(f"Job {record.name} is not finished: {job.status}."), record)
    reason = f": {_sentence(job.error_text)}" if job.error_text else "."
    cost = job.cost
    raise JobEnded(
        f"Job {record.name} ended as {job.status}{reason}",
        hint=f"orvideo jobs show {record.name}",
        charged="unknown" if cost is None else "yes" if cost > 0 else "no",
        job_id=record.id,
        resume=f"orvideo jobs show {record.name}",
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _id_of(record: Record) -> str:
    """Return the service's id of a job, or say why there is none to ask for."""
    if record.id is not None:
        return record.id
    if record.state == "not_sent":
        raise UsageError(
            f"{record.name} was never accepted by the service: {record.error or 'nothing was sent'}",
            hint=f"orvideo jobs show {record.name}",
        )
    raise OutcomeUnknown(
        f"The outcome of {record.name} is unknown: no id was received, so there is nothing to ask the service for.",
        hint="look at https://openrouter.ai/activity; a job found there: orvideo jobs adopt ID",
    )


def about(error: OrvideoError, record: Record) -> OrvideoError:
    """Give an error the id of its job and the command that goes on."""
    error.job_id = error.job_id or record.id
    error.resume = error.resume or f"orvideo wait {record.name}"
    if isinstance(error, AuthError | Unavailable | Unsafe):
        error.charged = "yes"  # the look cost nothing, but the job it was about did
    if isinstance(error, StillRunning) and error.hint is None:
        error.hint = error.resume
    if isinstance(error, NotFetched) and error.hint is None:
        error.hint = f"check the id, the key and the endpoint with: orvideo jobs show {record.name}"
    return error
