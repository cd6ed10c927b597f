"""The values and protocols of `engine`: one job in a run, the options of the run, and its callbacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from orvideo.clock import Clock
from orvideo.errors import NotStarted

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.api.client import Client
    from orvideo.api.values import Job
    from orvideo.deadline import Deadline
    from orvideo.download.save import Saved
    from orvideo.errors import OrvideoError
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.polling import PollResult, PollSchedule
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Place, Record, Submission


#: The most polls of all jobs together: a thousand jobs every five seconds, and some more to catch up.
MAX_POLLS_PER_SECOND = 250.0


class Phase(StrEnum):
    """The phase of a job in this run."""

    WAITING = "waiting"
    PREPARING = "preparing"
    SUBMITTING = "submitting"
    SUBMITTED_ELSEWHERE = "elsewhere"
    CHECKING = "checking"
    FOLLOWING = "following"
    FETCHING = "fetching"
    HOOKS = "hooks"
    DONE = "over"


@dataclass(eq=False, repr=False)
class Task:
    """One job in a run: a submission to make, or a job on record, which another run may be submitting; and its results.

    `seq` is its number on record, as soon as it has one. `saved` has the saved outputs by index, `paths` their paths
    for messages. `was_here`: all of it was saved before this run. `is_missing`: its videos were looked for on this disk
    and are not all there, whatever the record says. A task that is done without an error and without a job was not
    started.
    """

    record: Record | None = None
    make_submission: Callable[[], Submission] | None = None
    phase: Phase = Phase.WAITING
    seq: int | None = None
    job: Job | None = None
    error: OrvideoError | None = None
    saved: dict[int, Saved] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)
    was_here: bool = False
    is_missing: bool = False
    deadline: Deadline | None = None
    poll: PollSchedule | None = None
    #: The state of the download: the output's index, the bytes so far, and the total.
    progress: tuple[int, int, int | None] | None = None
    #: When the download last brought something, or began: a reading of the monotonic clock.
    moved_at: float = 0.0
    after: Sequence[Task] = ()
    prepare: Callable[[Callable[[Task], None]], None] | None = None
    is_prepared: bool = False

    @property
    def on_record(self) -> Record:
        """The record of the job, which must have one."""
        assert self.record is not None, "the task has a job"
        return self.record

    @property
    def is_late(self) -> bool:
        """Whether the deadline is over."""
        return self.deadline is not None and self.deadline.is_over

    @property
    def has_video(self) -> bool:
        """Whether its video, the first of several, is on this disk."""
        return self.was_here or 0 in self.saved

    def not_started(self, other: Task) -> OrvideoError:
        """Return the error of this task where `other`, after which it comes, has ended without a video."""
        return NotStarted("Not started: the job that it waits for has no video.")

    def record_of_other_run(self, ledger: Ledger) -> Record | None:
        """Return the job that another run has submitted for the same row of a batch, if any."""
        return None


class RunOptions(NamedTuple):
    """The options of a run. `timeout` and `interval` (between polls) are seconds for each job; None for the default.

    `timeout_is_explicit`: the user has set the timeout, which then includes the submit and the download; a default one
    starts anew with the download (drill D11). Without `follow` a task is done when it has an id; without `wait`, after
    a poll of a job that is not at its end; with `poll_once`, after one poll; without `fetch`, at the job's end.
    """

    max_in_flight: int = 1000
    timeout: float | None = None
    interval: float | None = None
    timeout_is_explicit: bool = False
    follow: bool = True
    wait: bool = True
    poll_once: bool = False
    fetch: bool = True
    polls_per_second: float = MAX_POLLS_PER_SECOND


class Listener(Protocol):
    """Is told of the progress of a run; called from the main thread only."""

    def submitting(self, task: Task) -> None: ...

    def waiting(self, error: OrvideoError, seconds: float) -> None: ...

    def submitted(self, task: Task) -> None: ...

    def looked(self, task: Task, look: PollResult) -> None: ...

    def downloading(self, task: Task, index: int, done: int, total: int | None) -> None: ...

    def saved(self, task: Task, index: int, saved: Saved) -> None: ...

    def remark(self, text: str) -> None: ...

    def over(self, task: Task) -> None: ...

    def stopped(self, reason: str) -> None: ...

    def tick(self, in_flight: int) -> None: ...


class StopPolicy(Protocol):
    """Decides when a run starts no more jobs: `refused` and `over` return the reason, None to continue."""

    def accepted(self) -> None: ...

    def refused(self, error: OrvideoError) -> str | None: ...

    def over(self, task: Task) -> str | None: ...


class Dependencies(NamedTuple):
    """The dependencies of a run. `connect(place)` returns a factory for the client of one thread; it may raise."""

    ledger: Ledger
    journal: Journal
    fetcher: Fetcher
    connect: Callable[[Place], Callable[[], Client]]
    clock: Clock = Clock()
    #: Called in a thread for each job at its end; must return soon after the deadline is cancelled.
    hooks: Callable[[Task, Deadline], None] | None = None
    #: Asked again and again for more tasks; a run that has it goes on until it is interrupted.
    newcomers: Callable[[], Sequence[Task]] | None = None
