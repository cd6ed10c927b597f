"""The films' queue: one thread makes them, one after the other, and whoever wants one waits for it elsewhere."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

from orvideo.sandbox.refusals import Cancelled
from orvideo.sandbox.shelf import Shelf

#: Films made at the same time. FFmpeg has threads of its own (`film.THREADS`), and a second takes as much memory again.
ENCODERS = 1
#: Films waiting to be made before anybody asks for them. More would keep those waiting that are asked for.
AHEAD = 4

#: Makes a film at a path, or raises Cancelled once the function that it is given says so.
Make = Callable[[Path, Callable[[], bool]], None]


class Films:
    """The films of one home, by name. Each is made once, however many ask for it at the same time."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._encoders = ThreadPoolExecutor(ENCODERS, thread_name_prefix="orvideo-sandbox-films")
        self._lock = threading.Lock()
        self._orders: dict[str, Future[None]] = {}
        self._closed = threading.Event()

    def path(self, name: str) -> Path:
        return self._shelf.folder("films") / f"{name}.mp4"

    @contextlib.contextmanager
    def film(self, name: str, make: Make) -> Iterator[Path]:
        """Lend a film's file, made if it is not there; kept for as long as it is lent. Raises Cancelled, OSError."""
        path = self.path(name)
        with self._shelf.holding(path):
            if not path.exists():
                self._wait(self._order(name, make))
            with contextlib.suppress(OSError):
                os.utime(path)
            yield path

    def ahead(self, name: str, make: Make) -> None:
        """Have a film made that nobody has asked for yet, if there is room in the queue."""
        if len(self._orders) < AHEAD and not self._closed.is_set() and not self.path(name).exists():
            with contextlib.suppress(Cancelled):
                self._order(name, make)

    @contextlib.contextmanager
    def made_now(self, name: str, make: Make) -> Iterator[Path]:
        """Lend a film, made in this thread if it is not there: for a film in the making that goes on from it."""
        path = self.path(name)
        with self._shelf.holding(path):
            if not path.exists():
                make(path, self._closed.is_set)
                self._shelf.added(path)
            yield path

    def close(self) -> None:
        """Stop making films; one that is half-way is given up, and made again when it is asked for."""
        with self._lock:
            self._closed.set()
        self._encoders.shutdown(cancel_futures=True)

    def _order(self, name: str, make: Make) -> Future[None]:
        with self._lock:
            if self._closed.is_set():
                raise Cancelled
            order = self._orders.get(name)
            if order is None:
                order = self._orders[name] = self._encoders.submit(self._make_ordered, name, make)
        return order

    def _make_ordered(self, name: str, make: Make) -> None:
        try:
            with self.made_now(name, make):
                pass
        finally:
            with self._lock:
                del self._orders[name]

    def _wait(self, order: Future[None]) -> None:
        try:
            order.result()
        except CancelledError:
            raise Cancelled from None
