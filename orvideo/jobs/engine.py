"""One run over jobs: some are to be bought, some followed, some fetched (drill P12).

`submit`, `wait`, `download` and `batch` are all this run. One thread decides everything; what takes time (submits,
looks, downloads) is done by a pool of threads, each with connections of its own, and comes back through one queue.
Each job has its own next look and its own deadline, which is handed down to the socket.

Whatever ends the run early (a signal, a full disk), the submits that are on the wire are seen to their end first: an
id that was paid for is on record before anything else happens.
"""

from __future__ import annotations

import queue
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.clock import NAP
from orvideo.deadline import Cancelled, Deadline
from orvideo.errors import (
    NoOutput,
    NotFetched,
    OrvideoError,
    OutputExists,
    RecordError,
)
from orvideo.jobs import judgement
from orvideo.jobs.connections import Connections
from orvideo.jobs.gate import Closed, Gate
from orvideo.jobs.look_queue import LookQueue
from orvideo.jobs.polling import Poll
from orvideo.jobs.submit import Submitter
from orvideo.jobs.task import Listener, Phase, Rules, Task, Terms, Tools
from orvideo.record.values import State

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.api.schemas import Job
    from orvideo.jobs.fetch import Fetched
    from orvideo.record.values import Record, Submission

#: So long after its end, a job that has no video may have had one.
_MAY_EXPIRE = timedelta(hours=1)
#: How many of each may be on their way at once. 32 looks are 200 a second at a service that takes a tenth of a second,
#: and half more.
SUBMITS, LOOKS, FETCHES, HOOKS = 8, 32, 3, 4
#: After so many missed looks in a row, what is on record of a finished job is believed.
_ENOUGH_MISSES = 3
#: After so many, a command that does not wait gives up.
_MOST_MISSES = 5
#: How long after a job's deadline its last look may take, and how long what is under way may take to end by itself.
_LAST_LOOK, _GRACE = 0.3, 0.1
#: How long a run that ends early waits for what is under way, in seconds: a submit ends by itself, in its own time; a
#: command of --exec is given a second by itself, and another one after it was told to end.
_MOMENTS = ((Phase.SUBMITTING, inf), (Phase.FETCHING, 1.0), (Phase.HOOKS, 3.0))
#: A turn of the run that is so late, in seconds, says that the machine slept.
_STOOD_STILL = 10.0
#: How often a row that another process is submitting is looked up on record, in seconds.
_ELSEWHERE_PAUSE = 1.0


#: What is at the service, or on its way there, and counts as in flight.
_IN_FLIGHT = (Phase.SUBMITTING, Phase.ELSEWHERE, Phase.FOLLOWING)
#: What ends with its deadline, whatever it hangs in.
_EXPIRING = (Phase.ELSEWHERE, Phase.FOLLOWING, Phase.FETCHING)


class _Done(NamedTuple):
    """What work in the pool has brought; `phase` is that of its task when it was handed out, and says what it was."""

    phase: Phase
    task: Task
    result: Any = None
    error: BaseException | None = None


class Engine:
    """Runs `tasks` to their ends; afterwards each has its `error` or what was `saved`, and `stopped` says why jobs were
    left that could have been started."""

    def __init__(
        self, tasks: Sequence[Task], tools: Tools, terms: Terms, listener: Listener, rules: Rules | None = None
    ) -> None:
        self.tasks, self.terms = tasks, terms
        self.stopped: OrvideoError | None = None
        self.is_interrupted = False
        self._tools, self._listener, self._rules = tools, listener, rules
        self._ledger, self._journal, self._clock = tools.ledger, tools.journal, tools.clock
        self._gate = Gate(self._clock)
        self._waiting: deque[Task] = deque()
        self._phases = Counter(task.phase for task in tasks)
        self._done: queue.SimpleQueue[_Done | Callable[[], None] | None] = queue.SimpleQueue()
        self._looks = LookQueue(self._clock, terms.looks_per_second)
        self._for_disk: deque[Task] = deque()
        self._for_hooks: deque[Task] = deque()
        self._busy: Counter[Phase] = Counter()
        self._under_way: dict[Task, Deadline] = {}
        self._connections = Connections(tools.connect)
        self._pool = ThreadPoolExecutor(SUBMITS + LOOKS + FETCHES + HOOKS, "orvideo")
        self._next_expiry = inf
        #: When the last turn was, and when the machine last woke up: jobs are owed a look then (drill P16).
        self._turned_at = self._awake_since = self._clock.monotonic()
        self._elsewhere_due = self._ticked = 0.0

    # What is asked of a run

    def run(self) -> None:
        """Run until every task is over, or nothing more can be done. Raises only what is a bug."""
        try:
            for task in self.tasks:
                self._take_up(task)
            while self._phases.total() > self._phases[Phase.OVER] and not self.is_interrupted:
                self._start()
                self._wait()
                self._expire()
                self._look_elsewhere()
                self._tick()
        finally:
            self._wind_down()

    def interrupt(self) -> None:
        """End soon: from a signal handler. Submits that are on the wire get two seconds more (drill S02)."""
        self.is_interrupted = True
        self._ledger.hurry()
        self._gate.hurry()
        self._done.put(None)

    @property
    def in_flight(self) -> int:
        """How many jobs are submitted and not at their end, those on their way included."""
        return sum(self._phases[phase] for phase in _IN_FLIGHT)

    def stop(self, error: OrvideoError, reason: str) -> None:
        """Start nothing more; what is accepted is followed to its end."""
        if self.stopped is None:
            self.stopped = error
            self._gate.shut()
            self._listener.stopped(reason)

    # Taking up and starting

    def _take_up(self, task: Task) -> None:
        """Put a task where it stands by the record."""
        if task.phase is Phase.OVER:
            return
        if task.order is not None:
            self._waiting.append(task)
        else:
            self._go_on(task, task.on_record)

    def _go_on(self, task: Task, record: Record) -> None:
        """Go on with a job that is on record."""
        task.record, task.seq = record, record.seq
        if record.state in (State.PREPARED, State.SENDING):
            task.deadline = task.deadline or self._deadline()
            self._put(task, Phase.ELSEWHERE)
        elif (error := judgement.cannot_follow(record)) is not None:
            self._over(task, error)
        elif record.is_fetched and self._wants(record):
            # All of it was saved once: whether it is still there is a matter of this disk.
            self._put(task, Phase.CHECKING)
            self._for_disk.append(task)
        else:
            self._follow(task)

    def _follow(self, task: Task) -> None:
        record = task.on_record
        try:
            self._connections.prepare(record.endpoint)
        except OrvideoError as error:
            self._over(task, error)
            return
        task.deadline = task.deadline or self._deadline()
        task.poll = Poll(task.deadline, interval=self.terms.interval, known=record.was_seen)
        self._put(task, Phase.FOLLOWING)
        self._looks.add(task, task.poll.due)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, self.terms.timeout)

    def _wants(self, record: Record) -> bool:
        return not self.terms.once and self._tools.fetcher.wants(record)

    def _start(self) -> None:
        """Hand out what is due to the pool, as far as there is room."""
        if self.stopped is not None:
            while self._waiting:
                self._over(self._waiting.popleft())
        while self._waiting and self.in_flight < self.terms.jobs and self._busy[Phase.SUBMITTING] < SUBMITS:
            self._start_submit(self._waiting.popleft())
            if self.stopped is not None:
                return
        for task in self._looks.due(LOOKS - self._busy[Phase.FOLLOWING]):
            if task.phase is Phase.FOLLOWING:
                self._start_look(task)
        while self._for_disk and self._busy[Phase.CHECKING] + self._busy[Phase.FETCHING] < FETCHES:
            task = self._for_disk.popleft()
            if task.phase is Phase.CHECKING:
                self._start_check(task)
            elif task.phase is Phase.FETCHING:
                self._start_fetch(task)
        while self._for_hooks and self._busy[Phase.HOOKS] < HOOKS:
            self._start_hooks(self._for_hooks.popleft())

    def _start_submit(self, task: Task) -> None:
        assert task.order is not None, "only what is to be bought waits"
        try:
            order = task.order()
            self._connections.prepare(order.endpoint)
        except OrvideoError as error:
            self._over(task, error)
            self._judge_refusal(error)
            return
        self._put(task, Phase.SUBMITTING)
        self._listener.submitting(task)
        task.deadline = deadline = self._deadline() if self.terms.firm else Deadline(self._clock)
        self._give(task, deadline, lambda: self._buy(task, order, deadline))

    def _start_look(self, task: Task) -> None:
        record, limit = task.on_record, task.deadline or self._deadline()
        now = self._clock.monotonic()
        deadline = Deadline(self._clock, None if limit.at is None else max(limit.at, now) + _LAST_LOOK)
        endpoint, job_id = record.endpoint, record.id or ""
        self._give(
            task, deadline,
            lambda: self._connections.client(endpoint).job(job_id, deadline=deadline),
        )  # fmt: skip

    def _start_check(self, task: Task) -> None:
        record = task.on_record
        self._give(task, Deadline(self._clock), lambda: self._tools.fetcher.here(record))

    def _start_fetch(self, task: Task) -> None:
        record, deadline = task.on_record, task.deadline or self._deadline()

        def on_progress(index: int, done: int, total: int | None) -> None:
            task.progress = (index, done, total)

        def fetch() -> Fetched:
            client = self._connections.client(record.endpoint)
            return self._tools.fetcher.fetch(record, task.job, client, deadline, on_progress, self._remark)

        self._give(task, deadline, fetch)

    def _start_hooks(self, task: Task) -> None:
        hooks, deadline = self._tools.hooks, Deadline(self._clock)
        assert hooks is not None, "only where there are any"
        self._give(task, deadline, lambda: hooks(task, deadline))

    def _give(self, task: Task, deadline: Deadline, work: Callable[[], Any]) -> None:
        """Have the work of a task's phase done by the pool; what it brings comes back through the queue."""
        phase = task.phase

        def bring() -> None:
            try:
                done = _Done(phase, task, work())
            except BaseException as error:
                done = _Done(phase, task, error=error)
            self._done.put(done)

        self._busy[phase] += 1
        self._under_way[task] = deadline
        self._next_expiry = min(self._next_expiry, self._expiry(task))
        self._pool.submit(bring)

    def _remark(self, text: str) -> None:
        """Say something from a thread of the pool."""
        self._done.put(lambda: self._listener.remark(text))

    # The submit, in a thread of the pool

    def _buy(self, task: Task, order: Submission, deadline: Deadline) -> Record:
        def begun(seq: int) -> None:
            task.seq = seq

        def waiting(error: OrvideoError, seconds: float) -> None:
            self._done.put(lambda: self._listener.waiting(error, seconds))

        client = self._connections.client(order.endpoint)
        submitter = Submitter(client, self._ledger, self._journal, self._gate, deadline)
        return submitter.submit(order, begun=begun, waiting=waiting)

    # What the pool brings

    def _wait(self) -> None:
        """Wait until something is brought or due, in naps, so that a signal is heard."""
        now = self._clock.monotonic()
        until = min(now + NAP, self._looks.next_due(room=self._busy[Phase.FOLLOWING] < LOOKS), self._next_expiry)
        lock_timeout = max(0.0, until - now)
        if not self._under_way and self._done.empty():
            if lock_timeout:
                self._clock.sleep(lock_timeout)
            return
        with suppress(queue.Empty):
            self._handle(self._done.get(timeout=lock_timeout))
            while not self.is_interrupted:
                self._handle(self._done.get_nowait())

    def _handle(self, done: _Done | Callable[[], None] | None) -> None:
        if done is None:
            return
        if not isinstance(done, _Done):
            done()
            return
        task = done.task
        self._busy[done.phase] -= 1
        if task.phase in (done.phase, Phase.OVER):
            self._under_way.pop(task, None)
        if isinstance(done.error, Cancelled):
            return
        if done.error is not None and not isinstance(done.error, OrvideoError):
            raise done.error
        if task.phase is not done.phase:
            return  # its time was over before this came
        match done.phase:
            case Phase.SUBMITTING:
                self._bought(task, done.result, done.error)
            case Phase.FOLLOWING:
                self._looked(task, done.result if done.error is None else done.error)
            case Phase.CHECKING:
                self._checked(task, done.result or {})
            case Phase.FETCHING:
                self._fetched(task, done.result, done.error)
            case _:
                self._over(task, task.error)

    def _bought(self, task: Task, record: Record | None, error: OrvideoError | None) -> None:
        if record is not None:
            task.record = record
            self._listener.submitted(task)
            if self._rules is not None:
                self._rules.accepted()
            if not self.terms.firm:
                task.deadline = None
            if self.terms.follow:
                self._follow(task)
            else:
                self._over(task)
            return
        assert error is not None, "a submit brings a record or an error"
        if isinstance(error, Closed):
            self._over(task)
            return
        if isinstance(error, RecordError) and (other := task.in_other_hands(self._ledger)) is not None:
            self._go_on(task, other)
            return
        self._over(task, error)
        self._judge_refusal(error)

    def _looked(self, task: Task, answer: Job | OrvideoError) -> None:
        record, poll = task.on_record, task.poll
        assert poll is not None, "what is looked at is followed"
        if isinstance(answer, OrvideoError):
            look = poll.missed(answer)
            self._looks.missed(record, answer)
        else:
            look = poll.saw(answer)
            self._looks.answered(record)
            task.job = answer
            self._journal.observed(record.seq, judgement.seen(answer))
        if self.terms.once:
            self._over(task, look.missed and (judgement.could_end(look.missed) or look.missed))
            return
        self._listener.looked(task, look)
        if look.job is not None and look.job.is_final:
            self._ended(task, look.job.status, look.job.error_text)
        elif look.end is not None:
            if isinstance(look.end, NotFetched):
                look.end.hint = f"orvideo jobs show {record.name}"
            self._over(task, look.end)
        elif record.final and poll.misses >= _ENOUGH_MISSES:
            # The end is on record: the content endpoint may answer all the same.
            self._ended(task, record.status, record.error)
        elif not self.terms.wait and poll.misses >= _MOST_MISSES:
            self._over(task, look.missed)
        elif (task.deadline is not None and task.deadline.is_over) or (look.job is not None and not self.terms.wait):
            self._over(task, judgement.still_running(record, task.job))
        else:
            self._looks.add(task, poll.due)

    def _ended(self, task: Task, status: str | None, reason: str | None) -> None:
        """Go on with a job that is at its end at the service: fetch what it made, where that is wanted."""
        record = task.on_record
        error = judgement.error_of_end(record, status, reason)
        if error is None and self._wants(record):
            self._queue_fetch(task)
        else:
            self._finish(task, error)

    def _queue_fetch(self, task: Task) -> None:
        self._refresh(task)
        if not self.terms.firm:
            task.deadline = self._deadline()
        self._put(task, Phase.FETCHING)
        self._for_disk.append(task)

    def _checked(self, task: Task, here: dict[int, Path]) -> None:
        record = task.on_record
        if len(here) >= max(len(record.outputs), 1):
            task.was_here = True
            task.paths = [self._tools.fetcher.named(path, record) for path in here.values()]
            self._finish(task)
        else:
            self._follow(task)

    def _fetched(self, task: Task, fetched: Fetched | None, error: OrvideoError | None) -> None:
        if task.progress is not None:
            self._listener.downloading(task, *task.progress)
        if fetched is not None:
            for output in fetched.unrecorded:
                self._journal.output_saved(task.on_record.seq, output)
            for index, saved in fetched.saved:
                task.saved[index] = saved
                if saved.path is not None:
                    task.paths.append(self._tools.fetcher.named(saved.path, task.on_record))
                self._listener.saved(task, index, saved)
            error = fetched.trouble(task.on_record) or self._beside(task)
        if isinstance(error, NoOutput):
            self._made_nothing(task.on_record, error)
        self._finish(task, error)

    def _made_nothing(self, record: Record, error: NoOutput) -> None:
        """Put on record that a job made no video, so that it is offered no more (finding D10)."""
        if record.ended_at is not None and self._clock.now() - record.ended_at > _MAY_EXPIRE:
            error.message = "The service has no video of this job: it made none, or the bytes have expired."
        self._journal.made_nothing(record.seq, error.message)

    def _beside(self, task: Task) -> OutputExists | None:
        """Return the error of a video whose name was taken: it is here, and not where a script looks (drill O01)."""
        moved = [str(saved.path) for saved in task.saved.values() if saved.beside]
        return OutputExists(f"The name was taken; the video is saved as {', '.join(moved)}.") if moved else None

    # How a task ends, and what that means for the others

    def _finish(self, task: Task, error: OrvideoError | None = None) -> None:
        """End a task whose job is at its end: its hooks come first."""
        if self._tools.hooks is None:
            self._over(task, error)
            return
        task.error = error
        self._refresh(task)
        self._put(task, Phase.HOOKS)
        self._for_hooks.append(task)

    def _over(self, task: Task, error: OrvideoError | None = None) -> None:
        self._put(task, Phase.OVER)
        task.error = error
        if error is not None:
            error.seq = task.seq
        self._refresh(task)
        if not self.terms.once:
            self._listener.over(task)
        reason = self._rules.over(task) if self._rules is not None else None
        if reason is not None and error is not None:
            self.stop(error, reason)

    def _refresh(self, task: Task) -> None:
        """Bring a task's record up to date: from the file, or from memory where that cannot be read."""
        if task.seq is not None:
            task.record = self._journal.record(task.seq) or task.record

    def _judge_refusal(self, error: OrvideoError) -> None:
        """Decide what a job that was not accepted means for the next ones (drill B11)."""
        reason = self._rules.refused(error) if self._rules is not None else None
        if reason is not None:
            self.stop(error, reason)

    def _put(self, task: Task, phase: Phase) -> None:
        self._phases[task.phase] -= 1
        self._phases[phase] += 1
        task.phase = phase
        if phase in _EXPIRING:
            self._next_expiry = min(self._next_expiry, self._expiry(task))

    # Time

    def _expiry(self, task: Task) -> float:
        """Return when a task has had its time, a reading of the monotonic clock: a last look is owed, and no more."""
        deadline = self._under_way.get(task)
        if deadline is not None:
            return inf if deadline.at is None else deadline.at + _GRACE
        if task.deadline is None or task.deadline.at is None:
            return inf
        at = task.deadline.at
        return (max(at, self._awake_since) + _LAST_LOOK if task.phase is Phase.FOLLOWING else at) + _GRACE

    def _expire(self) -> None:
        """End what is not over after its deadline: nothing that hangs may hold a command (finding B02)."""
        now = self._clock.monotonic()
        if now - self._turned_at > _STOOD_STILL:
            self._awake_since = now
        self._turned_at = now
        if now < self._next_expiry:
            return
        for task in self.tasks:
            if task.phase in _EXPIRING and now >= self._expiry(task):
                if task.phase is Phase.FETCHING:
                    self._finish(task, NotFetched("The time limit ended in the middle of the download."))
                else:
                    self._over(task, judgement.still_running(task.on_record, task.job))
        self._next_expiry = min((self._expiry(task) for task in self.tasks if task.phase in _EXPIRING), default=inf)

    def _look_elsewhere(self) -> None:
        """Look up the rows that another process is submitting."""
        now = self._clock.monotonic()
        if not self._phases[Phase.ELSEWHERE] or now < self._elsewhere_due:
            return
        self._elsewhere_due = now + _ELSEWHERE_PAUSE
        for task in self.tasks:
            if task.phase is Phase.ELSEWHERE and task.seq is not None:
                record = self._journal.record(task.seq)
                if record is not None:
                    self._go_on(task, record)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if now - self._ticked < NAP / 2:
            return
        self._ticked = now
        self._journal.retry()
        for task in self._under_way:
            if task.phase is Phase.FETCHING and task.progress is not None:
                self._listener.downloading(task, *task.progress)
        self._listener.tick(self.in_flight)

    # The end

    def _wind_down(self) -> None:
        """See the submits on the wire to their end, and give what else is under way a moment to end by itself."""
        self._gate.shut()
        for task, deadline in list(self._under_way.items()):
            if task.phase is not Phase.SUBMITTING:
                deadline.cancel()
        bug: Exception | None = None
        began = self._clock.monotonic()
        try:
            while any(self._busy[phase] and self._clock.monotonic() < began + most for phase, most in _MOMENTS):
                try:
                    with suppress(queue.Empty):
                        self._handle(self._done.get(timeout=0.05))
                except Exception as error:  # raised when all that was paid for is on record
                    bug = error
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._connections.close()
        if bug is not None:
            raise bug
