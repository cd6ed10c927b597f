"""A few threads that do one kind of work, each with tools of its own; what they bring is handled by another thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from orvideo.errors import OrvideoError


class Abandoned(BaseException):
    """The work is not wanted any more. Not an `Exception`: nothing on the way may take it for a failure."""


class Tools(Protocol):
    """What a thread works with, made in it and closed in it."""

    def close(self) -> None: ...


Tool = TypeVar("Tool", bound=Tools)
Task = TypeVar("Task")
Brought = TypeVar("Brought")


@dataclass(frozen=True)
class Done(Generic[Task, Brought]):
    """A task that is over, with what it brought or why it failed."""

    task: Task
    brought: Brought | None = None
    error: BaseException | None = None


class Crew(Generic[Tool, Task, Brought]):
    """Does tasks on up to `size` threads, which are started as they are needed; `ready` is called after each."""

    def __init__(
        self,
        name: str,
        size: int,
        *,
        equip: Callable[[], Tool],
        work: Callable[[Tool, Task], Brought],
        ready: Callable[[], None],
    ) -> None:
        self._name, self.size = name, size
        self._equip, self._work, self._ready = equip, work, ready
        self._todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done[Task, Brought]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        #: Tasks that were given and not yet handed back.
        self.busy = 0

    def give(self, task: Task) -> None:
        self.busy += 1
        self._todo.put(task)
        if len(self._threads) < min(self.size, self.busy):
            thread = threading.Thread(target=self._labour, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def take(self, patience: float = 0.0) -> list[Done[Task, Brought]]:
        """Return what is done by now, waiting at most `patience` seconds for the first."""
        found: list[Done[Task, Brought]] = []
        while True:
            try:
                found.append(self._done.get(timeout=patience) if patience and not found else self._done.get_nowait())
            except queue.Empty:
                return found
            self.busy -= 1

    def dismiss(self, patience: float) -> None:
        """Let the threads go, and wait up to `patience` seconds in all for them to put their tools away."""
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:
            thread.join(max(patience / len(self._threads), 0.01))

    def _labour(self) -> None:
        tool: Tool | None = None
        try:
            while (task := self._todo.get()) is not None:
                try:
                    if tool is None:
                        tool = self._equip()
                    done: Done[Task, Brought] = Done(task, self._work(tool, task))
                except BaseException as error:  # handed to the thread that judges, never swallowed
                    done = Done(task, error=error)
                self._done.put(done)
                self._ready()
        finally:
            if tool is not None:
                tool.close()


def reraise_bug(error: BaseException) -> OrvideoError:
    """Return an error that a person is told about; anything else is a bug and goes on its way."""
    if isinstance(error, OrvideoError):
        return error
    raise error
