"""Running jobs: buying, following and fetching any number of them at once (drill P12).

`submit`, `wait`, `download`, `status` and `batch` all use this. One thread makes all decisions; submits, polls,
downloads and hooks are done by `workers`, each thread with connections of its own, and their results come back in one
queue. Each job has its own next poll and its own deadline, which is passed down to the socket.

Whatever ends the run early (a signal, a full disk), submits that are being sent are finished first, so that the id of
a paid job is on record.

The file is longer than 400 lines because all changes of a task's phase are in it: they share the same state, belong to
one thread, and are read together.
"""

from __future__ import annotations

import queue
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from orvideo.clock import MAX_WAIT
from orvideo.deadline import Cancelled, Deadline
from orvideo.errors import NoOutput, NotFetched, NotStarted, OrvideoError, OutputExists, RecordError
from orvideo.jobs import judgement
from orvideo.jobs.poll_queue import PollQueue
from orvideo.jobs.polling import PollResult, PollSchedule
from orvideo.jobs.rate_limiter import RateLimiter, SubmitsStopped
from orvideo.jobs.submit import Submitter
from orvideo.jobs.task import Dependencies, Listener, Phase, RunOptions, StopPolicy, Task
from orvideo.jobs.workers import Connections, Result, Workers
from orvideo.record.values import State

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.api.values import Job
    from orvideo.jobs.fetch import FetchResult
    from orvideo.record.values import Record, Submission

#: So long after a job's end, a missing video may have expired.
_MAY_HAVE_EXPIRED = timedelta(hours=1)
#: The most of each at once; tasks that are being prepared count as submits. 32 polls are about 300 a second at a
#: service that answers in a tenth of a second.
SUBMITS, POLLS, FETCHES, HOOKS = 8, 32, 3, 4
#: A fetch that has received nothing for so many seconds holds up no other; with those there are so many at most.
_IDLE_AFTER, MAX_FETCHES = 5.0, 32
#: After so many failed polls in a row, a command that does not wait gives up.
_MAX_MISSES = 5
#: How long the last poll may take after a job's deadline, and work to end by itself after its deadline, in seconds.
_LAST_POLL, _GRACE = 0.3, 0.1
#: How long the poll of a job may take whose end is on record, and half of the time left at most: it only brings URLs.
_POLL_AFTER_END = 10.0
#: How long a run that ends early waits for running work, in seconds. A submit ends by its own limits; a command of
#: --exec gets a second before it is told to end, and another one after that.
_SHUTDOWN_WAITS = ((Phase.SUBMITTING, inf), (Phase.PREPARING, 1.0), (Phase.FETCHING, 1.0), (Phase.HOOKS, 3.0))
#: When a loop turn is so late, in seconds, the machine was suspended.
_SUSPENDED_AFTER = 10.0
#: How often the row of another process's submit is read from the record, in seconds.
_ELSEWHERE_PAUSE = 1.0

#: The phases of jobs that count as in flight.
_IN_FLIGHT = (Phase.PREPARING, Phase.SUBMITTING, Phase.SUBMITTED_ELSEWHERE, Phase.FOLLOWING)
#: The phases that end at the task's deadline, even where the work hangs.
_EXPIRING = (Phase.PREPARING, Phase.SUBMITTED_ELSEWHERE, Phase.FOLLOWING, Phase.FETCHING)


class Engine:
    """Runs `tasks` to their ends. Afterwards each has its `error` or what was `saved`; `stopped` is the error because
    of which no more jobs were started."""

    def __init__(
        self,
        tasks: Sequence[Task],
        dependencies: Dependencies,
        options: RunOptions,
        listener: Listener,
        stop_policy: StopPolicy | None = None,
    ) -> None:
        self.tasks, self.options = list(tasks), options
        self.stopped: OrvideoError | None = None
        self.is_interrupted = False
        self._fetcher, self._hooks = dependencies.fetcher, dependencies.hooks
        self._newcomers = dependencies.newcomers
        self._listener, self._stop_policy = listener, stop_policy
        self._ledger, self._journal, self._clock = dependencies.ledger, dependencies.journal, dependencies.clock
        self._rate_limiter = RateLimiter(self._clock)
        self._waiting: deque[Task] = deque()
        #: Those that wait for the video of another task, by that task.
        self._held: defaultdict[Task, list[Task]] = defaultdict(list)
        #: Those that are done, and others still wait for them.
        self._awaited: deque[Task] = deque()
        self._phases = Counter(task.phase for task in tasks)
        self._polls = PollQueue(self._clock, options.polls_per_second)
        self._for_disk: deque[Task] = deque()
        self._for_hooks: deque[Task] = deque()
        self._connections = Connections(dependencies.connect)
        self._workers = Workers(SUBMITS + POLLS + MAX_FETCHES + HOOKS)
        self._next_expiry = inf
        #: The first bug that the work of a task met; it is raised when all others are done.
        self._bug: Exception | None = None
        #: When the last loop turn was, and when the machine last resumed: then jobs are polled once more (drill P16).
        self._turned_at = self._awake_since = self._clock.monotonic()
        self._elsewhere_due = self._ticked = 0.0

    # Control

    def run(self) -> None:
        """Run until every task is done, or `interrupt` is called. Raises only bugs."""
        try:
            for task in self.tasks:
                self._enqueue(task)
            while self._goes_on and not self.is_interrupted:
                self._dispatch()
                self._wait()
                self._expire()
                self._check_elsewhere()
                self._tick()
        finally:
            self._shut_down()

    def interrupt(self) -> None:
        """End soon; for a signal handler. Submits that are being sent get two seconds more (drill S02)."""
        self.is_interrupted = True
        self._ledger.hurry()
        self._rate_limiter.hurry()
        self._workers.wake()

    @property
    def _goes_on(self) -> bool:
        return self._newcomers is not None or self._phases.total() > self._phases[Phase.DONE]

    @property
    def in_flight(self) -> int:
        """How many jobs are submitted, or being submitted, and not at their end."""
        return sum(self._phases[phase] for phase in _IN_FLIGHT)

    def stop(self, error: OrvideoError, reason: str) -> None:
        """Start no more jobs; accepted ones are followed to their end."""
        if self.stopped is None:
            self.stopped = error
            self._rate_limiter.stop()
            self._listener.stopped(reason)

    # Starting work

    def _enqueue(self, task: Task) -> None:
        """Set the first phase of a task."""
        if task.phase is Phase.DONE:
            return
        if task.make_submission is None:
            self._resume(task, task.on_record)
        elif not self._hold(task):
            self._waiting.append(task)

    def _hold(self, task: Task) -> bool:
        """Return whether a task has to wait for the video of another one, or was ended because that has none."""
        for other in task.after:
            if other.phase is not Phase.DONE:
                self._held[other].append(task)
                return True
            if not other.has_video:
                self._finish(task, task.not_started(other))
                return True
        return False

    def _release(self) -> None:
        """Go on with the tasks that have waited for one that is done, before those that wait for nothing."""
        while self._awaited:
            for task in reversed(self._held.pop(self._awaited.popleft(), [])):
                if not self._hold(task):
                    self._waiting.appendleft(task)

    def _resume(self, task: Task, record: Record) -> None:
        """Continue a job that is on record."""
        task.record, task.seq = record, record.seq
        if record.state in (State.PREPARED, State.SENDING):
            task.deadline = task.deadline or self._deadline()
            self._set_phase(task, Phase.SUBMITTED_ELSEWHERE)
        elif (error := judgement.error_without_id(record)) is not None:
            self._finish(task, error)
        elif record.is_fetched and self._is_wanted(record):
            # All of it was saved once; the files may have been moved since.
            self._set_phase(task, Phase.CHECKING)
            self._for_disk.append(task)
        else:
            self._follow(task)

    def _follow(self, task: Task) -> None:
        record = task.on_record
        try:
            self._connections.prepare(record.place)
        except OrvideoError as error:
            self._finish(task, error)
            return
        task.deadline = task.deadline or self._deadline()
        task.poll = PollSchedule(task.deadline, interval=self.options.interval, known=record.was_seen)
        self._set_phase(task, Phase.FOLLOWING)
        self._polls.add(task, task.poll.due)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, self.options.timeout)

    def _is_wanted(self, record: Record) -> bool:
        return self.options.fetch and not self.options.poll_once and self._fetcher.wants(record)

    def _dispatch(self) -> None:
        """Hand out the work that is due, as far as there are threads for it."""
        self._release()
        if self.stopped is not None:
            self._start_no_more()
        while self._may_submit():
            self._start(self._waiting.popleft())
            if self.stopped is not None:
                return
        for task in self._polls.due(POLLS - self._workers.busy[Phase.FOLLOWING]):
            if task.phase is Phase.FOLLOWING:
                self._start_poll(task)
        self._dispatch_after_end()

    def _start_no_more(self) -> None:
        """End the tasks that were not begun."""
        left = [*self._waiting, *(task for tasks in self._held.values() for task in tasks)]
        self._waiting.clear()
        self._held.clear()
        for task in left:
            self._finish(task)

    def _dispatch_after_end(self) -> None:
        """Hand out the checks, downloads and hooks of jobs that are at their end."""
        while self._for_disk and self._has_room_for_a_fetch():
            task = self._for_disk.popleft()
            if task.phase is Phase.CHECKING:
                self._start_check(task)
            elif task.phase is Phase.FETCHING:
                self._start_fetch(task)
        while self._for_hooks and self._workers.busy[Phase.HOOKS] < HOOKS:
            self._start_hooks(self._for_hooks.popleft())

    def _has_room_for_a_fetch(self) -> bool:
        busy = self._workers.busy[Phase.CHECKING] + self._workers.busy[Phase.FETCHING]
        since = self._clock.monotonic() - _IDLE_AFTER
        idle = sum(task.phase is Phase.FETCHING and task.moved_at < since for task in self._workers.deadlines)
        return busy < min(FETCHES + idle, MAX_FETCHES)

    def _may_submit(self) -> bool:
        busy = self._workers.busy[Phase.SUBMITTING] + self._workers.busy[Phase.PREPARING]
        return bool(self._waiting) and self.in_flight < self.options.max_in_flight and busy < SUBMITS

    def _start(self, task: Task) -> None:
        """Prepare or submit a task, or end it where that cannot begin."""
        try:
            if task.prepare is not None and not task.is_prepared:
                for other in task.after:
                    self._connections.prepare(other.on_record.place)
                submission = None
            else:
                assert task.make_submission is not None, "only tasks with a submission wait"
                submission = task.make_submission()
                self._connections.prepare(submission.place)
        except OrvideoError as error:
            self._finish(task, error)
            self._apply_stop_policy(error)
            return
        if task.deadline is None:
            task.deadline = self._deadline() if self.options.timeout_is_explicit else Deadline(self._clock)
        if submission is None:
            self._start_preparing(task, task.deadline)
        else:
            self._start_submit(task, submission, task.deadline)

    def _start_preparing(self, task: Task, deadline: Deadline) -> None:
        prepare = task.prepare
        assert prepare is not None, "only called with something to prepare"
        self._set_phase(task, Phase.PREPARING)
        self._work(task, deadline, lambda: prepare(lambda other: self._fetch_again(other, deadline)))

    def _start_submit(self, task: Task, submission: Submission, deadline: Deadline) -> None:
        self._set_phase(task, Phase.SUBMITTING)
        self._listener.submitting(task)
        self._work(task, deadline, lambda: self._buy(task, submission, deadline))

    def _start_poll(self, task: Task) -> None:
        record, limit = task.on_record, task.deadline or self._deadline()
        now = self._clock.monotonic()
        at = None if limit.at is None else max(limit.at, now) + _LAST_POLL
        if record.final and not self.options.poll_once:
            at = now + limit.left(2 * _POLL_AFTER_END) / 2
        deadline = Deadline(self._clock, at)
        place, job_id = record.place, record.service_id
        self._work(
            task, deadline,
            lambda: self._connections.client(place).job(job_id, deadline=deadline),
        )  # fmt: skip

    def _start_check(self, task: Task) -> None:
        record = task.on_record
        self._work(task, Deadline(self._clock), lambda: self._fetcher.saved_paths(record))

    def _start_fetch(self, task: Task) -> None:
        record, deadline = task.on_record, task.deadline or self._deadline()
        task.moved_at = self._clock.monotonic()

        def on_progress(index: int, done: int, total: int | None) -> None:
            if task.progress is None or task.progress[:2] != (index, done):
                task.moved_at = self._clock.monotonic()
            task.progress = (index, done, total)

        def fetch() -> FetchResult:
            client = self._connections.client(record.place)
            return self._fetcher.fetch(record, task.job, client, deadline, on_progress, self._remark)

        self._work(task, deadline, fetch)

    def _fetch_again(self, other: Task, deadline: Deadline) -> None:
        """Fetch the videos of a task that is done once more, in a thread of the workers. Raises OrvideoError."""
        record, job = other.on_record, None
        client = self._connections.client(record.place)
        with suppress(OrvideoError):  # without its answer there is still the content endpoint
            job = client.job(record.service_id, deadline=deadline)
        fetched = self._fetcher.fetch(record, job, client, deadline, on_warning=self._remark)
        self._refresh(other)
        self._workers.run_later(lambda: self._fetched_again(other, fetched))
        if (error := fetched.error_of(record)) is not None:
            raise error

    def _start_hooks(self, task: Task) -> None:
        hooks, deadline = self._hooks, Deadline(self._clock)
        assert hooks is not None, "only called with hooks"
        self._work(task, deadline, lambda: hooks(task, deadline))

    def _work(self, task: Task, deadline: Deadline, work: Callable[[], Any]) -> None:
        """Have the work of a task's phase done by the workers."""
        self._workers.start(task, deadline, work)
        self._next_expiry = min(self._next_expiry, self._expiry(task))

    def _remark(self, text: str) -> None:
        """Pass a warning to the listener; for any thread."""
        self._workers.run_later(lambda: self._listener.remark(text))

    def _buy(self, task: Task, submission: Submission, deadline: Deadline) -> Record:
        """Submit a job, in a thread of the workers."""

        def begun(seq: int) -> None:
            task.seq = seq

        def waiting(error: OrvideoError, seconds: float) -> None:
            self._workers.run_later(lambda: self._listener.waiting(error, seconds))

        client = self._connections.client(submission.place)
        submitter = Submitter(client, self._ledger, self._journal, self._rate_limiter, deadline)
        return submitter.submit(submission, begun=begun, waiting=waiting)

    # Results

    def _wait(self) -> None:
        """Wait for a result or the next due time, `MAX_WAIT` at most, so that signals take effect."""
        now = self._clock.monotonic()
        has_room = self._workers.busy[Phase.FOLLOWING] < POLLS
        until = min(now + MAX_WAIT, self._polls.next_due(room=has_room), self._next_expiry)
        pause = max(0.0, until - now)
        if self._workers.is_idle:
            if pause:
                self._clock.sleep(pause)
            return
        with suppress(queue.Empty):
            self._handle(self._workers.next_result(pause))
            while not self.is_interrupted:
                self._handle(self._workers.next_result(0))

    def _handle(self, result: Result | None) -> None:
        """Take a result; a bug that the work of one task met ends that task alone, and the others go on (R-A7)."""
        if result is None or isinstance(result.error, Cancelled):
            return
        is_current = result.task.phase is result.phase  # otherwise the task has expired meanwhile
        try:
            if result.error is not None and not isinstance(result.error, OrvideoError):
                raise result.error
            if is_current:
                self._take(result.task, result.phase, result.value, result.error)
        except (OrvideoError, BrokenPipeError):  # of the terminal
            raise
        except Exception as bug:
            self._bug = self._bug or bug
            if is_current and result.task.phase is not Phase.DONE:
                self._broke(result.task, bug)

    def _broke(self, task: Task, bug: Exception) -> None:
        """End a task in whose work a bug showed; nothing more is bought with it."""
        error = OrvideoError(f"This is a bug in orvideo: {type(bug).__name__}.")
        self._finish(task, error)
        if self._waiting or self._held:
            self.stop(error, error.message)

    def _take(self, task: Task, phase: Phase, value: Any, error: OrvideoError | None) -> None:
        match phase:
            case Phase.PREPARING:
                self._prepared(task, error)
            case Phase.SUBMITTING:
                self._submitted(task, value, error)
            case Phase.FOLLOWING:
                self._polled(task, value if error is None else error)
            case Phase.CHECKING:
                self._checked(task, value or {})
            case Phase.FETCHING:
                self._fetched(task, value, error)
            case _:
                self._finish(task, task.error)

    def _prepared(self, task: Task, error: OrvideoError | None) -> None:
        if error is not None:
            self._finish(task, error)
            return
        task.is_prepared = True
        self._set_phase(task, Phase.WAITING)
        self._waiting.appendleft(task)  # before all others: its pictures are in memory

    def _submitted(self, task: Task, record: Record | None, error: OrvideoError | None) -> None:
        if record is not None:
            task.record = record
            self._listener.submitted(task)
            if self._stop_policy is not None:
                self._stop_policy.accepted()
            if not self.options.timeout_is_explicit:
                task.deadline = None
            if not self.options.follow:
                self._finish(task, judgement.error_on_record(record) if record.final else None)
            elif task.is_late:
                self._out_of_time(task)
            else:
                self._follow(task)
            return
        assert error is not None, "a submit has a record or an error"
        if isinstance(error, SubmitsStopped):
            self._finish(task)
            return
        if isinstance(error, RecordError) and (other := task.record_of_other_run(self._ledger)) is not None:
            task.make_submission = None
            self._resume(task, other)
            return
        self._finish(task, error)
        self._apply_stop_policy(error)

    def _polled(self, task: Task, answer: Job | OrvideoError) -> None:
        record, poll = task.on_record, task.poll
        assert poll is not None, "a polled task is followed"
        if isinstance(answer, OrvideoError):
            result, is_stale = poll.failed(answer), False
            self._polls.failed(record, answer)
        else:
            result, is_stale = poll.succeeded(answer), record.final and not answer.is_final
            self._polls.succeeded(record)
            if is_stale:
                self._listener.remark(judgement.went_back(record, answer))
            else:
                task.job = answer
                self._journal.observed(record.seq, judgement.observation_of(answer))
        if self.options.poll_once:
            self._finish(task, result.missed and (judgement.ending_error(result.missed) or result.missed))
            return
        if record.final:
            result = result._replace(next_in=None)  # one poll is enough
        if not is_stale:
            self._listener.looked(task, result)
        self._after_poll(task, result, poll)

    def _after_poll(self, task: Task, result: PollResult, poll: PollSchedule) -> None:
        """Continue with a job by what a poll brought: its end, the next poll, or no more of them."""
        record = task.on_record
        if result.job is not None and result.job.is_final:
            self._ended(task, result.job.status, result.job.error_text)
        elif record.final:
            # The end is on record; the content endpoint may work all the same.
            self._ended(task, record.status, record.error)
        elif result.job is not None and not self.options.wait and judgement.may_have_videos(result.job):
            self._queue_fetch(task)
        elif result.end is not None:
            if isinstance(result.end, NotFetched):
                result.end.hint = f"orvideo jobs show {record.name}"
            self._finish(task, result.end)
        elif not self.options.wait and poll.failures >= _MAX_MISSES:
            self._finish(task, result.missed)
        elif task.is_late or (result.job is not None and not self.options.wait):
            self._out_of_time(task)
        else:
            self._polls.add(task, poll.due)

    def _out_of_time(self, task: Task) -> None:
        """End a wait whose time is over; another process may have seen the end of the job meanwhile."""
        self._refresh(task)
        record = task.on_record
        if record.final:
            self._ended(task, record.status, record.error)
        else:
            self._finish(task, judgement.still_running(record, task.job))

    def _ended(self, task: Task, status: str | None, reason: str | None) -> None:
        """Continue after a job's end at the service: fetch its videos, where they are wanted."""
        record = task.on_record
        error = judgement.error_of_end(record, status, reason)
        if error is None and self._is_wanted(record):
            self._queue_fetch(task)
        else:
            self._run_hooks(task, error)

    def _queue_fetch(self, task: Task) -> None:
        self._refresh(task)
        if (error := judgement.error_without_id(task.on_record)) is not None:
            # Its id turned out to be that of another submit, once the record could be written.
            self._finish(task, error)
            return
        task.is_missing = True
        if not self.options.timeout_is_explicit:
            task.deadline = self._deadline()
        self._set_phase(task, Phase.FETCHING)
        self._for_disk.append(task)

    def _checked(self, task: Task, here: dict[int, Path]) -> None:
        record = task.on_record
        if len(here) >= record.output_count:
            task.was_here = True
            task.paths = [self._fetcher.display_path(path, record) for path in here.values()]
            self._run_hooks(task)
        else:
            task.is_missing = True
            self._follow(task)

    def _fetched(self, task: Task, fetched: FetchResult | None, error: OrvideoError | None) -> None:
        if task.progress is not None:
            self._listener.downloading(task, *task.progress)
        if fetched is not None:
            for output in fetched.unrecorded:
                self._journal.output_saved(task.on_record.seq, output)
            for index, saved in fetched.saved:
                task.saved[index] = saved
                if saved.path is not None:
                    task.paths.append(self._fetcher.display_path(saved.path, task.on_record))
                self._listener.saved(task, index, saved)
            error = fetched.error_of(task.on_record) or self._renamed_error(task)
            task.is_missing = bool(fetched.errors)
        if isinstance(error, NoOutput):
            task.is_missing = False
            self._made_nothing(task.on_record, error)
        self._run_hooks(task, error)

    def _fetched_again(self, other: Task, fetched: FetchResult) -> None:
        record = other.on_record
        for output in fetched.unrecorded:
            self._journal.output_saved(record.seq, output)
        for index, saved in fetched.saved:
            other.saved[index] = saved
            if saved.path is not None and (path := self._fetcher.display_path(saved.path, record)) not in other.paths:
                other.paths.append(path)
            self._listener.saved(other, index, saved)

    def _made_nothing(self, record: Record, error: NoOutput) -> None:
        """Record that a job made no video, so that it is not offered for download again (finding D10).

        Long after its end nobody knows: it may have made one that has expired, and it stays a job to be fetched.
        """
        if record.ended_at is not None and self._clock.now() - record.ended_at > _MAY_HAVE_EXPIRED:
            error.message = "The service has no video of this job: it made none, or the bytes have expired."
            return
        self._journal.made_nothing(record.seq, error.message)

    def _renamed_error(self, task: Task) -> OutputExists | None:
        """Return the error for videos that were saved under another name, where a script does not look (drill O01)."""
        moved = [str(saved.path) for saved in task.saved.values() if saved.beside]
        return OutputExists(f"The name was taken; the video is saved as {', '.join(moved)}.") if moved else None

    # The end of a task

    def _run_hooks(self, task: Task, error: OrvideoError | None = None) -> None:
        """Finish a task after its hooks, if there are any."""
        if self._hooks is None:
            self._finish(task, error)
            return
        task.error = error
        self._refresh(task)
        self._set_phase(task, Phase.HOOKS)
        self._for_hooks.append(task)

    def _finish(self, task: Task, error: OrvideoError | None = None) -> None:
        self._set_phase(task, Phase.DONE)
        task.error = error
        if error is not None:
            error.seq = task.seq
        self._refresh(task)
        if task in self._held:
            self._awaited.append(task)
        if not self.options.poll_once:
            self._listener.over(task)
        reason = self._stop_policy.over(task) if self._stop_policy is not None else None
        if reason is not None and error is not None:
            self.stop(error, reason)

    def _refresh(self, task: Task) -> None:
        """Update a task's record from the journal."""
        if task.seq is not None:
            task.record = self._journal.record(task.seq) or task.record

    def _apply_stop_policy(self, error: OrvideoError) -> None:
        """Stop the run if a job that was not accepted means that the next ones will not be either (drill B11)."""
        reason = self._stop_policy.refused(error) if self._stop_policy is not None else None
        if reason is not None:
            self.stop(error, reason)

    def _set_phase(self, task: Task, phase: Phase) -> None:
        self._phases[task.phase] -= 1
        self._phases[phase] += 1
        task.phase = phase
        if phase in _EXPIRING:
            self._next_expiry = min(self._next_expiry, self._expiry(task))

    # Time

    def _expiry(self, task: Task) -> float:
        """Return when a task is ended by `_expire`, on the monotonic clock; a last poll has its time before that."""
        deadline = self._workers.deadlines.get(task)
        if deadline is not None:
            return inf if deadline.at is None else deadline.at + _GRACE
        if task.deadline is None or task.deadline.at is None:
            return inf
        at = task.deadline.at
        return (max(at, self._awake_since) + _LAST_POLL if task.phase is Phase.FOLLOWING else at) + _GRACE

    def _expire(self) -> None:
        """End the tasks whose deadline is over, so that work that hangs holds no command (finding B02)."""
        now = self._clock.monotonic()
        if now - self._turned_at > _SUSPENDED_AFTER:
            self._awake_since = now
        self._turned_at = now
        if now < self._next_expiry:
            return
        for task in self.tasks:
            if task.phase in _EXPIRING and now >= self._expiry(task):
                if (hanging := self._workers.deadlines.pop(task, None)) is not None:
                    hanging.cancel()
                self._give_up(task)
        self._next_expiry = min((self._expiry(task) for task in self.tasks if task.phase in _EXPIRING), default=inf)

    def _give_up(self, task: Task) -> None:
        """End a task whose time is over."""
        if task.phase is Phase.PREPARING:
            self._finish(task, NotStarted("Not started: the time limit ended before it could be sent."))
        elif task.phase is Phase.FETCHING:
            where = "before the video began to arrive" if task.progress is None else "in the middle of the download"
            self._run_hooks(task, NotFetched(f"The time limit ended {where}."))
        else:
            self._out_of_time(task)

    def _check_elsewhere(self) -> None:
        """Read the rows that another process is submitting."""
        now = self._clock.monotonic()
        if not self._phases[Phase.SUBMITTED_ELSEWHERE] or now < self._elsewhere_due:
            return
        self._elsewhere_due = now + _ELSEWHERE_PAUSE
        for task in self.tasks:
            if task.phase is Phase.SUBMITTED_ELSEWHERE and task.seq is not None:
                record = self._journal.record(task.seq)
                if record is not None:
                    self._resume(task, record)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if now - self._ticked < MAX_WAIT / 2:
            return
        self._ticked = now
        self._admit()
        self._journal.retry()
        for task in self._workers.deadlines:
            if task.phase is Phase.FETCHING and task.progress is not None:
                self._listener.downloading(task, *task.progress)
        self._listener.tick(self.in_flight)

    def _admit(self) -> None:
        """Take up the tasks that are new."""
        for task in self._newcomers() if self._newcomers is not None else ():
            self.tasks.append(task)
            self._phases[task.phase] += 1
            self._enqueue(task)

    # The end of the run

    def _shut_down(self) -> None:
        """Finish the submits that are being sent, and give other work a moment to end by itself."""
        self._rate_limiter.stop()
        for task, deadline in list(self._workers.deadlines.items()):
            if task.phase is not Phase.SUBMITTING:
                deadline.cancel()
        began = self._clock.monotonic()
        try:
            busy = self._workers.busy
            while any(busy[phase] and self._clock.monotonic() < began + most for phase, most in _SHUTDOWN_WAITS):
                try:
                    with suppress(queue.Empty):
                        self._handle(self._workers.next_result(0.05))
                except Exception as error:  # raised when all paid jobs are on record
                    self._bug = self._bug or error
        finally:
            self._workers.close()
            self._connections.close()
        if self._bug is not None:
            raise self._bug
