"""One job in a run, how the run is done, and who is told of it: the values and protocols of `engine`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orvideo.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.deadline import Deadline
    from orvideo.download.save import Saved
    from orvideo.errors import OrvideoError
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.polling import Look, Poll
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record, Submission


#: All jobs together are not looked at more often than this: a thousand of them every five seconds, with room to catch
#: up; more jobs wait longer for their turn instead.
MOST_LOOKS_PER_SECOND = 250.0


class Phase(StrEnum):
    """Where a job is in this run."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    ELSEWHERE = "elsewhere"
    CHECKING = "checking"
    FOLLOWING = "following"
    FETCHING = "fetching"
    HOOKS = "hooks"
    OVER = "over"


@dataclass(eq=False, repr=False)
class Task:
    """One job in a run: what is to be bought (`order`), or a job on record, and what has become of it.

    `seq` is its number on record, as soon as it has one. `saved` holds what is on this disk, by output, and `paths`
    the files of it, as a person would name them. A task that is
    over without an error and without a job was not started.
    """

    record: Record | None = None
    order: Callable[[], Submission] | None = None
    phase: Phase = Phase.WAITING
    seq: int | None = None
    job: Job | None = None
    error: OrvideoError | None = None
    saved: dict[int, Saved] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    was_here: bool = False
    deadline: Deadline | None = None
    poll: Poll | None = None
    #: The download as it stands: the output's index, the bytes that are here, and of how many.
    progress: tuple[int, int, int | None] | None = None

    @property
    def on_record(self) -> Record:
        """The job as it is on record; only for what was bought."""
        assert self.record is not None, "the task has a job"
        return self.record

    def in_other_hands(self, ledger: Ledger) -> Record | None:
        """Return the job that another run has made of this order; only a row of a batch can have one."""
        return None


class Terms(NamedTuple):
    """How a run is done: `jobs` in flight at most, seconds to wait for each job and between looks (None: by itself).

    `firm` says that a person has set the timeout: then it holds for everything together, the submit and the download
    included; the usual one begins anew with the download (drill D11). `follow` off ends a submit with the id; `wait`
    off takes a job that is not at its end for one that has no video yet; `once` looks once and fetches nothing.
    """

    jobs: int = 1000
    timeout: float | None = None
    interval: float | None = None
    firm: bool = False
    follow: bool = True
    wait: bool = True
    once: bool = False
    looks_per_second: float = MOST_LOOKS_PER_SECOND


class Listener(Protocol):
    """Whoever tells how a run goes on; always called from the thread that decides."""

    def submitting(self, task: Task) -> None: ...

    def waiting(self, error: OrvideoError, seconds: float) -> None: ...

    def submitted(self, task: Task) -> None: ...

    def looked(self, task: Task, look: Look) -> None: ...

    def downloading(self, task: Task, index: int, done: int, total: int | None) -> None: ...

    def saved(self, task: Task, index: int, saved: Saved) -> None: ...

    def remark(self, text: str) -> None: ...

    def over(self, task: Task) -> None: ...

    def stopped(self, reason: str) -> None: ...

    def tick(self, in_flight: int) -> None: ...


class Rules(Protocol):
    """When a run starts no more jobs: `refused` and `over` return the reason, None to go on."""

    def accepted(self) -> None: ...

    def refused(self, error: OrvideoError) -> str | None: ...

    def over(self, task: Task) -> str | None: ...


class Tools(NamedTuple):
    """What a run works with. `connect` gives, for an endpoint, what makes a client for one thread; it may raise."""

    ledger: Ledger
    journal: Journal
    fetcher: Fetcher
    connect: Callable[[str], Callable[[], Client]]
    clock: Clock = Clock()
    #: Done for each job at its end, in a thread, until the deadline that it is handed is cancelled.
    hooks: Callable[[Task, Deadline], None] | None = None
