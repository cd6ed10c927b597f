"""The threads that do the slow work of a run (submits, polls, downloads, hooks), and the clients that they use."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.deadline import Deadline
from orvideo.jobs.task import Phase, Task

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.record.values import Place


class Result(NamedTuple):
    """The result of finished work; `phase` is the phase that its task had when the work began."""

    phase: Phase
    task: Task
    value: Any = None
    error: BaseException | None = None


class Workers:
    """Threads whose results come back in one queue; only `run_later` and `wake` may be called by any thread.

    `busy` counts the work of each phase; `deadlines` has the deadline of each task that is being worked on. A thousand
    jobs are 200 pieces of work a second, so there are no futures between: nobody would wait for one.
    """

    def __init__(self, most: int) -> None:
        self.busy: Counter[Phase] = Counter()
        self.deadlines: dict[Task, Deadline] = {}
        self._results: queue.SimpleQueue[Result | Callable[[], None]] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._most, self._threads = most, 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being worked on and no result is waiting."""
        return not self.deadlines and self._results.empty()

    def start(self, task: Task, deadline: Deadline, work: Callable[[], Any]) -> None:
        """Do the work of a task's phase in a thread; `deadline` is the one that the work obeys."""
        phase = task.phase

        def run() -> None:
            try:
                result = Result(phase, task, work())
            except BaseException as error:
                result = Result(phase, task, error=error)
            self._results.put(result)

        self.busy[phase] += 1
        self.deadlines[task] = deadline
        self._work.put(run)
        if self._threads < min(self._most, self.busy.total()):
            self._threads += 1
            threading.Thread(target=self._run_all, name=f"orvideo-{self._threads}", daemon=True).start()

    def _run_all(self) -> None:
        while (run := self._work.get()) is not None:
            run()
            del run  # it holds its task until the next one comes

    def run_later(self, call: Callable[[], None]) -> None:
        """Have `call` run by the thread that takes the results."""
        self._results.put(call)

    def wake(self) -> None:
        """End the wait for a result; safe in a signal handler."""
        self._results.put(lambda: None)

    def next_result(self, seconds: float) -> Result | None:
        """Return the next result, None for a call, which is run here. Raises queue.Empty after `seconds`."""
        result = self._results.get(timeout=seconds) if seconds > 0 else self._results.get_nowait()
        if not isinstance(result, Result):
            result()
            return None
        self.busy[result.phase] -= 1
        if result.task.phase in (result.phase, Phase.DONE):
            self.deadlines.pop(result.task, None)
        return result

    def close(self) -> None:
        """Start nothing more; threads that are at work are left to end by themselves."""
        with suppress(queue.Empty):
            while True:
                self._work.get_nowait()
        for _ in range(self._threads):
            self._work.put(None)


class Connections:
    """Creates a client for each thread and place, and closes them all at the end."""

    def __init__(self, connect: Callable[[Place], Callable[[], Client]]) -> None:
        self._connect = connect
        self._makers: dict[Place, Callable[[], Client]] = {}
        self._local = threading.local()
        self._all: list[Client] = []

    def prepare(self, place: Place) -> None:
        """Get the client factory of a place, in the main thread; raises what `connect` raises."""
        if place not in self._makers:
            self._makers[place] = self._connect(place)

    def client(self, place: Place) -> Client:
        clients: dict[Place, Client] = self._local.__dict__.setdefault("clients", {})
        if place not in clients:
            clients[place] = self._makers[place]()
            self._all.append(clients[place])
        return clients[place]

    def close(self) -> None:
        for client in self._all:
            client.close()
