"""The two landings of a download: a `.part` beside its target, and a stream that takes bytes and gives none back."""

from __future__ import annotations

import errno
import hashlib
import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from orvideo.download.container import HEAD, Incomplete, Kind, Trail, check_container, require_kind
from orvideo.download.hashing import FollowingHash
from orvideo.download.partial import Partial
from orvideo.download.resuming import ResumeMemory
from orvideo.download.targets import require_room
from orvideo.errors import NotFetched, OrvideoError, OutputUnwritable
from orvideo.record.values import ResumeState

#: What a disk says that is full; what it took before that is good.
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class FileLanding:
    """Takes a video into a `.part`, hashes it on the way, and knows whether a later process can go on with it."""

    def __init__(self, partial: Partial, memory: ResumeMemory) -> None:
        self._partial, self._memory = partial, memory
        self._hash: FollowingHash | None = None
        self._resumable = False
        self._spoiled = False
        self._is_remembered = False
        self._expected: tuple[str | None, int | None] | None = None

    @property
    def size(self) -> int:
        return self._partial.size

    def recall(self) -> tuple[str | None, int | None]:
        """Return the validator and the total under which the bytes that are here came.

        Bytes that nothing is known of are dropped.
        """
        state = self._remembered()
        if state is None or not self.size or not self._fits(state):
            self.restart()
            return None, None
        self._resumable = True
        self._expected = (state.etag, state.total)
        return self._expected

    def _fits(self, state: ResumeState) -> bool:
        """Tell whether the bytes that are here can be what a state says of them."""
        if state.etag is None:  # whole, checked and synced
            return state.total == self.size
        if state.total is not None and self.size > state.total:
            return False
        # After a power cut a file may have its size and not its bytes.
        return not _is_older_than_this_boot(self._partial.descriptor)

    def restart(self) -> None:
        self._stop_hashing()
        if self.size:
            with self.disk():
                self._partial.empty()

    def expect(self, etag: str | None, total: int | None) -> None:
        """Remember the validator before the first byte under it; make sure that there is room for the rest."""
        require_room(self._partial.path.parent, (total or 0) - self.size)
        if self._expected == (etag, total):
            return
        self._expected = (etag, total)
        self._resumable = etag is not None
        # The record may be busy or gone; that costs the resume in a later process and nothing else.
        if etag is None:
            self._forget()
        else:
            self._remember(etag, total)

    def write(self, data: bytes) -> None:
        before = self.size
        with self.disk():
            self._partial.append(data)
            self._hashing().reach(self.size)
            if before < HEAD <= self.size:
                require_kind(self._partial.head())

    def check(self) -> Kind:
        with self.disk():
            return check_container(self._partial.descriptor)

    def digest(self) -> str:
        with self.disk():
            digest = self._hashing().finish(self.size)
        self._hash = None
        return digest

    def sync(self) -> None:
        with self.disk():
            try:
                self._partial.sync()
            except OSError:
                # The system may have dropped pages and will not say so twice.
                self._spoiled = True
                raise

    def remember_whole(self) -> None:
        """Remember that all of it is here and checked: a later process only has to give it its name."""
        self._remember(None, self.size)

    @property
    def is_resumable(self) -> bool:
        """Whether a later process can go on with what is here."""
        return self._resumable and not self._spoiled and (self._hash is None or self._hash.error is None)

    def stop(self) -> None:
        """End the helper thread."""
        self._stop_hashing()

    def discard(self) -> None:
        """Remove what is here, and what is remembered of it."""
        self._forget()
        with suppress(OSError):
            self._partial.remove()

    @contextmanager
    def disk(self) -> Iterator[None]:
        """Turn what the disk refuses into OutputUnwritable (drill D18)."""
        try:
            yield
        except OSError as error:
            if error.errno not in _FULL:
                self._spoiled = True
            raise unwritable(self._partial.path, error) from error

    def _remembered(self) -> ResumeState | None:
        state = None
        with suppress(OrvideoError):
            state = self._memory.get()
        self._is_remembered = state is not None
        return state if state is not None and state.part == os.fspath(self._partial.path) else None

    def _remember(self, etag: str | None, total: int | None) -> None:
        with suppress(OrvideoError):
            self._memory.set(ResumeState(os.fspath(self._partial.path), etag, None, total))
            self._is_remembered = True

    def _forget(self) -> None:
        """Forget what is remembered; a record that holds nothing is not written to."""
        if self._is_remembered:
            with suppress(OrvideoError):
                self._memory.clear()
                self._is_remembered = False

    def _hashing(self) -> FollowingHash:
        if self._hash is None:
            self._hash = FollowingHash(self._partial.descriptor)
        return self._hash

    def _stop_hashing(self) -> None:
        if self._hash is not None:
            self._hash.stop()
            self._hash = None


class StreamLanding:
    """Hands a video on to a pipe or a device. What was handed on cannot be taken back.

    When the service begins again, the bytes that went out before are compared by their sha256 and not sent twice.
    """

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put
        self._sent = 0
        self._sent_hash = hashlib.sha256()
        self._position = 0
        self._again = hashlib.sha256()
        self._head = b""
        self._trail: Trail | None = None
        self._kind: Kind | None = None
        self._damage: Incomplete | None = None

    @property
    def size(self) -> int:
        return self._position

    def restart(self) -> None:
        self._position = 0
        self._again = hashlib.sha256()
        if not self._sent:
            self._head = b""

    def expect(self, etag: str | None, total: int | None) -> None:
        pass

    def write(self, data: bytes) -> None:
        if self._kind is None:
            data = self._until_known(data)
        known = data[: max(0, self._sent - self._position)] if self._kind is not None else b""
        self._position += len(known)
        if known:
            self._again.update(known)
            if self._position == self._sent and self._again.digest() != self._sent_hash.digest():
                raise NotFetched("The service sent another file when asked again, and the first one is partly out.")
        self._hand_on(data[len(known) :])

    def check(self) -> Kind:
        if self._kind is None:
            return require_kind(self._head)
        if self._position < self._sent:
            raise Incomplete("the service sent less than before")
        if self._damage is not None:
            raise self._damage
        if self._trail is not None:
            self._trail.end()
        return self._kind

    def digest(self) -> str:
        return self._sent_hash.hexdigest()

    def _until_known(self, data: bytes) -> bytes:
        """Hold the first bytes back until they are known to be a video's; return them when they are (drill D07)."""
        self._head += data
        self._position = len(self._head)
        if len(self._head) < HEAD:
            return b""
        self._kind = require_kind(self._head)
        self._trail = Trail(self._kind)
        held, self._head = self._head, b""
        self._position = 0
        return held

    def _hand_on(self, data: bytes) -> None:
        if self._kind is None or not data:
            return
        if self._trail is not None and self._damage is None:
            try:
                self._trail.feed(data)
            except Incomplete as damage:
                self._damage = damage
        self._put(data)
        self._sent_hash.update(data)
        self._sent += len(data)
        self._position = self._sent


def putting_into(stream: BinaryIO | int, name: str) -> Callable[[bytes], None]:
    """Return what writes bytes to an open stream or descriptor, all of them and at once.

    It raises BrokenPipeError when the reader left (drill O09), OutputUnwritable for everything else (O10).
    """
    descriptor = stream if isinstance(stream, int) else _descriptor(stream)

    def put(data: bytes) -> None:
        try:
            if descriptor is not None:
                _write_all(descriptor, data)
            elif not isinstance(stream, int):
                stream.write(data)
                stream.flush()
        except BrokenPipeError:
            raise
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise OutputUnwritable(f"{name} cannot be written: {reason}.") from error

    return put


def unwritable(path: Path, error: OSError) -> OutputUnwritable:
    return OutputUnwritable(f"{path} cannot be written: {error.strerror or error}.")


def _descriptor(stream: BinaryIO) -> int | None:
    """Return what is behind a stream, with its buffer emptied; None for one that lives in memory."""
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # whoever made the pipe set it so
            select.select([], [descriptor], [])


def _is_older_than_this_boot(descriptor: int) -> bool:
    """Tell whether a file was last written before the system started; False where that cannot be known."""
    import time

    try:
        up = time.clock_gettime(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):
        return False
    return os.fstat(descriptor).st_mtime < time.time() - up
