"""The run of a batch: rows are started while there is room, looked at by one schedule, and saved as they finish.

One thread decides everything; three crews of threads do what takes time (submits, looks, downloads), each thread with
a connection of its own. What is in flight is bounded by the caller, what is in memory by the rows.

Whatever ends the run early (a signal, a closed pipe, a full disk), the submits that are on the wire are seen to their
end first: an id that was paid for is on record before anything else happens.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from orvideo.batch.crew import Abandoned, Crew, Done, reraise_bug
from orvideo.batch.gate import Closed, Gate
from orvideo.batch.standing import Standing, standing_of
from orvideo.clock import Clock
from orvideo.download.partial import Busy
from orvideo.errors import (
    AuthError,
    JobEnded,
    MoneyError,
    OrvideoError,
    OutcomeUnknown,
    OutputExists,
    OutputUnwritable,
    PaymentRequired,
    RateLimited,
    RecordError,
    ServiceUnavailable,
)
from orvideo.jobs.follow import Patience, Reach, Story, ThreadLooker, about, judge
from orvideo.jobs.polling import MOST_LOOKS_PER_SECOND, Outcome, Schedule
from orvideo.jobs.submit import Order, Submitting

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.batch.rows import Row
    from orvideo.download.save import Saved
    from orvideo.jobs.fetch import Saving
    from orvideo.jobs.follow import Lifecycle
    from orvideo.jobs.polling import Look
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Record

#: So many equal refusals in a row are no accident: the next row would only be another one (drill B11).
EQUAL_REFUSALS = 5
SUBMITTERS, FETCHERS = 8, 3
#: All rows together are not looked at more often than this, unless a fixed interval is asked for.
LOOKS_PER_SECOND = 50.0
#: How often a row that another run is submitting is looked up on record, in seconds.
ELSEWHERE_PAUSE = 1.0
#: How often a video that another run is saving is looked for, in seconds.
BUSY_PAUSE = 0.5


class Phase(StrEnum):
    """Where a row is in this run."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    ELSEWHERE = "elsewhere"
    RUNNING = "running"
    SAVING = "saving"
    OVER = "over"


@dataclass
class Entry:
    """One row in a run: what it was when the run began, and what has become of it.

    `order` makes what is sent; None for a row that is not to be submitted. `paths` are what was saved, as a person
    would name it. A row that is over without an error and without a job was not started.
    """

    row: Row
    key: str
    order: Callable[[], Order] | None
    record: Record | None = None
    quote: dict[str, Any] | None = None
    phase: Phase = Phase.WAITING
    error: OrvideoError | None = None
    paths: list[Path] = field(default_factory=list)
    was_done: bool = False


class BatchStory(Protocol):
    """Whoever tells how a batch goes on; always called from the one thread that decides, but for `waiting`."""

    def submitting(self, entry: Entry) -> None: ...

    def waiting(self, error: OrvideoError, seconds: float) -> None: ...

    def submitted(self, entry: Entry) -> None: ...

    def looked(self, entry: Entry, look: Look) -> None: ...

    def saving(self, entry: Entry) -> None: ...

    def over(self, entry: Entry) -> None: ...

    def stopped(self, reason: str) -> None: ...

    def tick(self, run: Run) -> None: ...


@dataclass(frozen=True)
class Terms:
    """How a run is to be done: rows in flight, patience for each job, and when to stop starting new ones."""

    jobs: int = 4
    patience: Patience = field(default_factory=Patience)
    fail_fast: bool = False
    submitters: int = SUBMITTERS
    fetchers: int = FETCHERS


class _ThreadReach:
    """Gives one thread a client of its own for each service."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._clients: dict[str, Client] = {}

    def client(self, endpoint: str) -> Client:
        if endpoint not in self._clients:
            self._clients[endpoint] = self._reach.fresh(endpoint)
        return self._clients[endpoint]

    def fresh(self, endpoint: str) -> Client:
        return self._reach.fresh(endpoint)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class _Quiet:
    """The story of one download among many: none, but the moment at which it is found to be unwanted."""

    def __init__(self, unwanted: Callable[[], bool]) -> None:
        self._unwanted = unwanted

    def looked(self, record: Record, look: Look) -> None: ...

    def downloading(self, record: Record, index: int, done: int, total: int | None) -> None:
        if self._unwanted():
            raise Abandoned

    def remark(self, text: str) -> None: ...

    def saved(self, record: Record, index: int, saved: Saved) -> None: ...

    def tick(self) -> None: ...


@dataclass
class Run:
    """One run over `entries`, from the first start to the last file.

    `endpoint` is where rows are bought. After `go`, `error` of each entry says why it has no video, and `stopped`
    why rows were left that could have been started.
    """

    entries: Sequence[Entry]
    batch: str
    endpoint: str
    reach: Reach
    ledger: Ledger
    lifecycle: Lifecycle
    story: BatchStory
    terms: Terms
    #: Makes what saves videos, for a thread that has its own reach and tells its own story.
    saving: Callable[[Reach, Story], Saving]
    #: Gives a saved path the name that a person would.
    named: Callable[[Path], Path]
    clock: Clock = field(default_factory=Clock)
    stopped: OrvideoError | None = None

    def __post_init__(self) -> None:
        self._interrupted = self._given_up = False
        self._gate = Gate(self.clock)
        self._refusals = _Streak()
        self._failures = _Streak()
        self._waiting: deque[Entry] = deque()
        self._elsewhere_due = 0.0
        self._phases = Counter(entry.phase for entry in self.entries)
        self._schedule: Schedule[int] = Schedule(
            lambda: ThreadLooker(self.reach),
            workers=max(4, min(16, self.terms.jobs // 32)),
            clock=self.clock,
            most_per_second=LOOKS_PER_SECOND if self.terms.patience.interval is None else MOST_LOOKS_PER_SECOND,
        )
        self._by_seq: dict[int, Entry] = {}
        self._buyers: Crew[_ThreadReach, tuple[Entry, Order], Record] = Crew(
            "submit", min(self.terms.jobs, self.terms.submitters),
            equip=lambda: _ThreadReach(self.reach), work=self._buy, ready=self._schedule.wake,
        )  # fmt: skip
        self._savers: Crew[_ThreadReach, tuple[Entry, Job], list[Path]] = Crew(
            "download", self.terms.fetchers,
            equip=lambda: _ThreadReach(self.reach), work=self._save, ready=self._schedule.wake,
        )  # fmt: skip

    # What is asked of a run

    def go(self) -> None:
        """Run until every row is over, or nothing more can be done. Raises what makes that impossible."""
        try:
            for entry in self.entries:
                self._take_up(entry)
            while not self._interrupted and self._has_work():
                self._start()
                for outcome in self._schedule.step(0.25):
                    self._looked(outcome)
                self._collect()
                self._look_elsewhere()
                self.story.tick(self)
        finally:
            self._wind_down()

    def interrupt(self) -> None:
        """End soon: from a signal handler. Submits that are on the wire get two seconds more."""
        self._interrupted = True
        self._gate.hurry()

    @property
    def in_flight(self) -> int:
        """Rows that are submitted and not finished, those on their way included."""
        return sum(self._phases[phase] for phase in (Phase.SUBMITTING, Phase.ELSEWHERE, Phase.RUNNING))

    def _put(self, entry: Entry, phase: Phase) -> None:
        self._phases[entry.phase] -= 1
        self._phases[phase] += 1
        entry.phase = phase

    # Taking rows up, starting them

    def _take_up(self, entry: Entry) -> None:
        """Put a row where it stands by the record."""
        standing = standing_of(entry.record)
        if entry.order is not None:
            self._waiting.append(entry)
        elif standing is Standing.RUNNING:
            self._follow(entry)
        elif standing is Standing.COMPLETED and not entry.was_done:
            # One look more: the places a video is had from do not last.
            self._follow(entry)
        elif standing is Standing.ELSEWHERE:
            self._put(entry, Phase.ELSEWHERE)
        else:
            self._put(entry, Phase.OVER)

    def _has_work(self) -> bool:
        return any(self._phases[phase] for phase in Phase if phase is not Phase.OVER)

    def _start(self) -> None:
        """Hand rows to the submitters while there is room; no more than they can take at once."""
        if self.stopped is not None:
            self._leave_the_rest()
            return
        room = self.terms.jobs - self.in_flight if self._waiting else 0
        while self._waiting and room > 0 and self._buyers.busy < self._buyers.size and self.stopped is None:
            entry = self._waiting.popleft()
            order = self._order(entry)
            if order is None:
                continue
            room -= 1
            self._put(entry, Phase.SUBMITTING)
            self.story.submitting(entry)
            self._buyers.give((entry, order))

    def _order(self, entry: Entry) -> Order | None:
        assert entry.order is not None, "only rows to be submitted wait"
        try:
            return entry.order()
        except OrvideoError as error:
            self._end(entry, error)
            self._refused(error)
            return None

    def _leave_the_rest(self) -> None:
        while self._waiting:
            entry = self._waiting.popleft()
            self._put(entry, Phase.OVER)
            self.story.over(entry)

    def _stop(self, reason: OrvideoError, said: str) -> None:
        """Start nothing more; what is accepted is followed to its end."""
        if self.stopped is None:
            self.stopped = reason
            self._gate.shut()
            self.story.stopped(said)

    # The crews' work, in their threads

    def _buy(self, reach: _ThreadReach, task: tuple[Entry, Order]) -> Record:
        """Submit one row, once; in a thread of the submitters."""
        clock = Clock(self.clock.now, self.clock.monotonic, self._gate.sleep)
        submitting = Submitting(
            reach.client(self.endpoint), self.ledger, clock, hold=self._gate.hold, waiting=self._wait
        )
        refused = False
        try:
            return submitting.submit(task[1])
        except (RateLimited, ServiceUnavailable, PaymentRequired):
            refused = True
            raise
        finally:
            self._gate.settled(refused=refused)

    def _wait(self, error: OrvideoError, seconds: float) -> None:
        self._gate.waiting(error, seconds)
        self.story.waiting(error, seconds)

    def _save(self, reach: _ThreadReach, task: tuple[Entry, Job]) -> list[Path]:
        """Save what one row made; in a thread of the fetchers."""
        entry, job = task
        assert entry.record is not None, "what is saved was bought"
        saving = self.saving(reach, _Quiet(lambda: self._given_up))
        while not saving.is_here(self.ledger.get(entry.record.seq)):
            try:
                saving.save(entry.record, job)
                break
            except OrvideoError as error:
                # Another run may have been quicker, or be at it just now.
                if not isinstance(error.__cause__, Busy) and not saving.is_here(self.ledger.get(entry.record.seq)):
                    raise
            if self._given_up:
                raise Abandoned
            self.clock.sleep(BUSY_PAUSE)
        return saving.paths

    # What they bring

    def _collect(self) -> None:
        for bought in self._buyers.take():
            self._bought(bought)
        for saved in self._savers.take():
            self._saved(saved)

    def _bought(self, done: Done[tuple[Entry, Order], Record]) -> None:
        entry = done.task[0]
        if done.brought is not None:
            self._refusals.ended()
            entry.record = done.brought
            self.story.submitted(entry)
            self._follow(entry)
            return
        assert done.error is not None, "a task brings something or fails"
        error = reraise_bug(done.error)
        if isinstance(error, Closed):
            self._put(entry, Phase.OVER)
            self.story.over(entry)
            return
        if isinstance(error, RecordError) and self._is_in_other_hands(entry):
            return
        self._end(entry, error)
        self._refused(error)

    def _is_in_other_hands(self, entry: Entry) -> bool:
        """Find out whether another run has this row: then it is followed, not bought."""
        record = self._on_record(entry)
        if record is None or standing_of(record) in (Standing.NEW, Standing.FAILED):
            return False
        entry.record = record
        self._take_up_from_elsewhere(entry)
        return True

    def _on_record(self, entry: Entry) -> Record | None:
        if entry.record is not None and standing_of(entry.record) is Standing.ELSEWHERE:
            return self.ledger.get(entry.record.seq)
        rows = self.ledger.rows_of_batch(self.batch)
        mine = [record for record in rows if record.row_key == entry.key and standing_of(record) is not Standing.NEW]
        return mine[-1] if mine else None

    def _look_elsewhere(self) -> None:
        """Look up the rows that another process is submitting."""
        now = self.clock.monotonic()
        if now < self._elsewhere_due:
            return
        self._elsewhere_due = now + ELSEWHERE_PAUSE
        if not self._phases[Phase.ELSEWHERE]:
            return
        for entry in self.entries:
            if entry.phase is Phase.ELSEWHERE and entry.record is not None:
                entry.record = self.ledger.get(entry.record.seq)
                if standing_of(entry.record) is not Standing.ELSEWHERE:
                    self._take_up_from_elsewhere(entry)

    def _take_up_from_elsewhere(self, entry: Entry) -> None:
        standing = standing_of(entry.record)
        if standing in (Standing.RUNNING, Standing.COMPLETED):
            self._follow(entry)
        elif standing is Standing.ELSEWHERE:
            self._put(entry, Phase.ELSEWHERE)
        elif standing is Standing.UNKNOWN:
            self._end(entry, unknown(entry.record))
        else:
            self._put(entry, Phase.OVER)
            self.story.over(entry)

    def _follow(self, entry: Entry) -> None:
        record = entry.record
        assert record is not None, "what is followed was bought"
        try:
            following = self.lifecycle.following(record, self.terms.patience)
        except OrvideoError as error:
            self._end(entry, error)
            return
        self._put(entry, Phase.RUNNING)
        self._by_seq[record.seq] = entry
        self._schedule.add(record.seq, following)

    def _looked(self, outcome: Outcome[int]) -> None:
        entry = self._by_seq[outcome.key]
        record = entry.record
        assert record is not None, "what is followed was bought"
        if outcome.look is not None:
            if outcome.look.job is not None:
                self.lifecycle.write_down(record, outcome.look.job)
            self.story.looked(entry, outcome.look)
        if outcome.error is not None:
            self._end(entry, about(outcome.error, record))
            if isinstance(outcome.error, AuthError):
                self._stop(outcome.error, "the key is refused")
        elif outcome.job is not None:
            self._ended(entry, record, outcome.job)

    def _ended(self, entry: Entry, record: Record, job: Job) -> None:
        """Judge a job that is at its end; a video is fetched by the crew that does that."""
        try:
            judge(record, job)
        except OrvideoError as error:
            self._end(entry, error)
            same = self._failures.add(job.status, job.error_text)
            if self.terms.fail_fast:
                self._stop(error, "a row failed (--fail-fast)")
            elif same >= EQUAL_REFUSALS:
                self._stop(error, f"{same} jobs in a row ended alike: {error.message}")
            return
        self._failures.ended()
        self._put(entry, Phase.SAVING)
        self.story.saving(entry)
        self._savers.give((entry, job))

    def _saved(self, done: Done[tuple[Entry, Job], list[Path]]) -> None:
        entry = done.task[0]
        if isinstance(done.error, Abandoned):
            return
        entry.paths = list(map(self.named, done.brought or []))
        error = reraise_bug(done.error) if done.error is not None else None
        if isinstance(error, OutputExists):
            entry.paths = self._paths_on_record(entry)
        self._end(entry, error)
        if isinstance(error, OutputUnwritable):
            self._stop(error, "what was paid for could not be saved")

    def _paths_on_record(self, entry: Entry) -> list[Path]:
        from pathlib import Path

        assert entry.record is not None, "what is saved was bought"
        outputs = self.ledger.get(entry.record.seq).outputs
        return [self.named(Path(output.path)) for output in outputs if output.path]

    # How a row ends, and what that means for the others

    def _end(self, entry: Entry, error: OrvideoError | None) -> None:
        self._put(entry, Phase.OVER)
        entry.error = error
        if entry.record is not None:
            entry.record = self.ledger.get(entry.record.seq)
        elif error is not None and isinstance(error, OutcomeUnknown | OutputUnwritable):
            entry.record = self._on_record(entry)
        self.story.over(entry)
        if error is not None and self.terms.fail_fast:
            self._stop(error, "a row failed (--fail-fast)")

    def _refused(self, error: OrvideoError) -> None:
        """Decide what a row that was not accepted means for the next ones (drill B11)."""
        reply = error.reply
        same = self._refusals.add(
            type(error), reply.status if reply else None, reply.message if reply else error.message
        )
        if isinstance(error, MoneyError):
            self._stop(error, error.message)
        elif isinstance(error, AuthError):
            self._stop(error, "the key is refused")
        elif isinstance(error, RateLimited | ServiceUnavailable):
            self._stop(error, f"the service has taken nothing for two minutes: {error.message}")
        elif isinstance(error, RecordError | OutputUnwritable):
            self._stop(error, error.message)
        elif same >= EQUAL_REFUSALS:
            self._stop(error, f"{same} refusals in a row were the same: {error.message}")

    # The end

    def _wind_down(self) -> None:
        """See the submits on the wire to their end, and let everything else go."""
        self._given_up = True
        self._gate.shut()
        while self._buyers.busy:
            for bought in self._buyers.take(0.25):
                entry = bought.task[0]
                if bought.brought is not None:
                    entry.record = bought.brought
                    self._put(entry, Phase.RUNNING)
                    self.story.submitted(entry)
                elif isinstance(bought.error, OrvideoError) and not isinstance(bought.error, Closed):
                    self._end(entry, bought.error)
                else:
                    self._put(entry, Phase.WAITING)
        for saved in self._savers.take():
            if not isinstance(saved.error, Abandoned):
                self._saved(saved)
        self._schedule.close()
        self._buyers.dismiss(1.0)
        self._savers.dismiss(1.0)


def unknown(record: Record | None) -> OutcomeUnknown:
    """Return the error of a row whose submit has no known outcome: reported, and left alone (drill B14)."""
    name = record.name if record is not None else "a submit"
    why = f": {record.error}" if record is not None and record.error else "."
    return OutcomeUnknown(
        f"The outcome of {name} is unknown{why}",
        hint=f"look at https://openrouter.ai/activity; then adopt its job or forget it: orvideo jobs show {name}",
        resume=f"orvideo jobs show {name}",
    )


def ended_before(record: Record) -> JobEnded:
    """Return the error of a row whose job ended without a video in an earlier run."""
    reason = f": {record.error}" if record.error else "."
    return JobEnded(
        f"Job {record.name} ended as {record.status}{reason}",
        hint="buy it again with --retry-failed",
        charged="unknown" if record.cost is None else "yes" if record.cost > 0 else "no",
        job_id=record.id,
    )


class _Streak:
    """Counts how often the same thing has happened in a row."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] | None = None
        self._times = 0

    def add(self, *what: object) -> int:
        self._times = self._times + 1 if what == self._last else 1
        self._last = what
        return self._times

    def ended(self) -> None:
        self._last, self._times = None, 0


__all__ = ["BatchStory", "Entry", "Phase", "Run", "Terms", "ended_before", "unknown"]
