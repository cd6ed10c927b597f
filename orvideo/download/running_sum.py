"""The sha256 of a video while it comes, in a thread beside the network: a third of the work of a fast download."""

from __future__ import annotations

import hashlib
import threading

#: So many bytes are worth a thread; also how often the system is asked to begin bringing them to the disk.
STEP = 2 << 20


class RunningSum:
    """The sha256 of what is added; bytes that are added must not change afterwards."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._thread: threading.Thread | None = None
        self._gathered: list[memoryview] = []
        self._waiting = 0

    def add(self, data: memoryview) -> None:
        self._gathered.append(data)
        self._waiting += len(data)
        if self._waiting >= STEP:
            self._wait()
            self._thread = threading.Thread(
                target=self._update, args=(self._gathered,), name="orvideo-sum", daemon=True
            )
            self._thread.start()
            self._gathered, self._waiting = [], 0

    def hexdigest(self) -> str:
        self._wait()
        self._update(self._gathered)
        self._gathered, self._waiting = [], 0
        return self._hash.hexdigest()

    def _update(self, pieces: list[memoryview]) -> None:
        for piece in pieces:
            self._hash.update(piece)

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
