"""Who answers which request: a few threads for what is answered at once, and as many as it takes for films.

A film may have to be made first, and a client may be slow to take it. Neither may hold up a look or a submit.
"""

from __future__ import annotations

import threading
from typing import Any

from waitress.task import ThreadedTaskDispatcher

#: Threads that answer at once, and threads that wait for films at most: a thread that waits costs some kilobytes.
AT_ONCE, FOR_FILMS = 16, 512


class _Growing(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads that are started as they are needed."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._adding = threading.Lock()

    def add_task(self, task: Any) -> None:
        with self._adding:
            with self.lock:
                count = len(self.threads)
                idle = count - self.stop_count - self.active_count - len(self.queue)
            if idle <= 0 and count < self._most:
                self.set_thread_count(count + 1)
            super().add_task(task)


class Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Waitress's threads, with others beside them for the requests that films are asked for with."""

    def __init__(self) -> None:
        super().__init__()
        self._films = _Growing(FOR_FILMS)
        self.set_thread_count(AT_ONCE)

    def add_task(self, task: Any) -> None:
        """Have the first request of a connection answered."""
        if _asks_for_film(task.requests[0].path or ""):
            self._films.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End all threads, once what they are at is done."""
        films_ended = self._films.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout)) and films_ended


def _asks_for_film(path: str) -> bool:
    return path.endswith("/content") or path.startswith("/storage/")
