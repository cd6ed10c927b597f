"""The sha256 of a file that is still growing, worked out beside the network.

A thread follows the file on disk instead of being fed: the memory is one buffer whatever the size, a resumed
download's old bytes are hashed by the same loop, and what is hashed is what the file has. Another one starts the
write-back to the disk every few MiB, so that the fsync at the end has little left to wait for; it waits for the disk
while the first one works. A long video's bytes that are on the disk and hashed need not stay in memory as well: the
system takes the next ones into the same memory, which is warm, and keeps what other programs had there.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

_BUFFER = 1 << 20
#: How many bytes are written back at a time, at least and at most, and otherwise a quarter of what is here: few at
#: first, so that a small video is nearly on the disk when all of it is here; ever more then, since each step makes the
#: disk wait for the file system's journal.
_LEAST_WRITE_BACK, _MOST_WRITE_BACK = 4 << 20, 64 << 20
#: How much of the beginning stays in memory, in bytes: all of a usual video, for whoever plays it next.
_STAYS = 64 << 20

_start_write_back = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class FollowingHash:
    """Hashes a file's bytes as far as it is told that they are there."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._done = self._told = self._written_back = 0
        self._buffer = memoryview(bytearray(_BUFFER))
        self._hashing = _Follower(descriptor, self._hash_up_to, "orvideo-hash")
        self._writing: _Follower | None = None

    def reach(self, size: int) -> None:
        """Say that the file has `size` bytes now. Raises OSError if the disk failed on earlier ones."""
        if size - self._told >= _BUFFER:
            self._told = size
            self._hashing.follow(size)
        if size - self._written_back >= min(max(_LEAST_WRITE_BACK, size // 4), _MOST_WRITE_BACK):
            self._written_back = size
            if self._writing is None:
                self._writing = _Follower(self._descriptor, self._write_back, "orvideo-write-back")
            self._writing.follow(size)
        self._raise_what_failed()

    def finish(self, size: int) -> str:
        """Return the hexadecimal digest of the first `size` bytes. Raises OSError if they cannot be read back."""
        self._hashing.follow(size)
        self._hashing.end()
        if self._writing is not None:
            self._writing.end()
        self._raise_what_failed()
        if self._done != size:
            # Whatever ended the thread, the sum of a part must not pass for that of the whole.
            raise OSError("the file could not be read back")
        return self._hash.hexdigest()

    def stop(self) -> None:
        """Give up, at once even where the disk is slow; may be called at any time, also twice."""
        for follower in (self._hashing, self._writing):
            if follower is not None:
                follower.give_up()

    @property
    def error(self) -> OSError | None:
        """What the disk refused so far; it says so once, whoever asks, and never again."""
        return self._hashing.error or (self._writing.error if self._writing is not None else None)

    def _raise_what_failed(self) -> None:
        if self.error is not None:
            raise self.error

    def _hash_up_to(self, follower: _Follower, size: int) -> None:
        while self._done < size and not follower.stopped:
            count = os.preadv(follower.descriptor, [self._buffer[: min(_BUFFER, size - self._done)]], self._done)
            if not count:
                raise OSError("the file is shorter than what was written to it")
            self._hash.update(self._buffer[:count])
            self._done += count

    def _write_back(self, follower: _Follower, size: int) -> None:
        _start_write_back(follower.descriptor)
        _let_go(follower.descriptor, min(size, self._done))


class _Follower:
    """A thread that does something up to each size that it is told of, in order, until the first error."""

    def __init__(self, descriptor: int, do: Callable[[_Follower, int], None], name: str) -> None:
        # A descriptor of its own: the thread may be a moment behind when the file is closed.
        self.descriptor = os.dup(descriptor)
        self.error: OSError | None = None
        self.stopped = False
        self._do = do
        self._sizes: SimpleQueue[int | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def follow(self, size: int) -> None:
        self._sizes.put(size)

    def end(self) -> None:
        """Wait until all is done."""
        self._sizes.put(None)
        self._thread.join()

    def give_up(self) -> None:
        self.stopped = True
        self._sizes.put(None)
        self._thread.join(0.2)

    def _run(self) -> None:
        try:
            while (size := self._sizes.get()) is not None:
                if not self.stopped:
                    self._do(self, size)
        except OSError as error:
            self.error = error
        finally:
            os.close(self.descriptor)


def _let_go(descriptor: int, size: int) -> None:
    """Say that a file's bytes after `_STAYS` and up to `size` may leave the memory; only advice, and only on Linux."""
    if size > _STAYS and hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, _STAYS, size - _STAYS, os.POSIX_FADV_DONTNEED)
