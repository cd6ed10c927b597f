"""The open record: one connection for all threads of a process, transactions, and waiting for other processes."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from orvideo.backoff import backoff
from orvideo.clock import Clock
from orvideo.errors import RecordError
from orvideo.record.file import Unwritable, is_busy, open_file, open_to_read, translate_error
from orvideo.record.owner import Owner
from orvideo.record.rows import ReadContext, to_micros

T = TypeVar("T")

#: How long a transaction waits for another process after `hurry`, in seconds.
HURRIED_LOCK_TIMEOUT = 0.3


class Database:
    """The file of the record, opened; created, private and complete, where there is none.

    `lock_timeout` is how long, in seconds, another process may be waited for; each transaction may have its own. Every
    method raises RecordError, which names the file, when it cannot be read or written. `warnings` are messages for the
    user. With `must_write` off, a file that cannot be written (a full disk, no rights) is read from a copy in memory:
    then `read_only` is true, and a method that writes raises Unwritable unless the file can be written by now.
    """

    def __init__(
        self, path: Path, *, clock: Clock | None = None, lock_timeout: float = 10.0, must_write: bool = True
    ) -> None:
        self.path = Path(os.path.abspath(path))
        self.clock = clock or Clock()
        self._lock_timeout = lock_timeout
        self._hurried = False
        self._lock = threading.Lock()
        self._me = Owner.current()
        self._unwritable: Unwritable | None = None
        self._connection: sqlite3.Connection | None = None
        try:
            connection, self.warnings = open_file(self.path, self._retry_while_locked)
        except Unwritable as why:
            if must_write:
                raise
            connection, self.warnings = open_to_read(self.path, why)
            self._unwritable = why
        self._take(connection)

    def _take(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written is on the disk already."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()

    def hurry(self) -> None:
        """Wait for other processes no longer; takes no lock, so that a signal handler may call it."""
        self._hurried = True

    @property
    def read_only(self) -> bool:
        """Whether the record can only be read."""
        return self._unwritable is not None

    def _now(self) -> int:
        return to_micros(self.clock.now())

    def _context(self) -> ReadContext:
        return ReadContext(self._me, self._now())

    def require_writable(self) -> None:
        """Raise Unwritable, which says why, where the record can only be read."""
        if self._unwritable is not None:
            raise self._unwritable

    def _write(self, work: Callable[[sqlite3.Connection], T], lock_timeout: float | None = None) -> T:
        """Run `work` in one transaction, which is on the disk when this returns."""
        if self._unwritable is not None:
            self._open_to_write()
        return self._transaction("BEGIN IMMEDIATE", work, lock_timeout)

    def _read(self, work: Callable[[sqlite3.Connection], T], lock_timeout: float | None = None) -> T:
        """Run `work` on one consistent state of the record."""
        return self._transaction("BEGIN", work, lock_timeout)

    def _open_to_write(self) -> None:
        """Open the file itself instead of a copy of it; raises Unwritable where that is still impossible."""
        with self._lock:
            if self._unwritable is not None and self._connection is not None:
                if not self.path.exists():
                    raise self._unwritable
                connection, _ = open_file(self.path, lambda step: self._retry_while_locked(step, 0.0))
                self._connection.close()
                self._take(connection)
                self._unwritable = None

    def _transaction(self, begin: str, work: Callable[[sqlite3.Connection], T], lock_timeout: float | None) -> T:
        def attempt() -> T:
            # Not locked while this waits for another process: the other threads continue (R-B9).
            with self._lock:
                connection = self._connection
                if connection is None:
                    raise RecordError(f"The record {self.path} was closed.")
                try:
                    connection.execute(begin)
                    answer = work(connection)
                    connection.execute("COMMIT")
                    return answer
                except BaseException:
                    # Also for a signal's exception: the next transaction must not find half of this one.
                    with suppress(sqlite3.Error):
                        if connection.in_transaction:
                            connection.execute("ROLLBACK")
                    raise

        return self._retry_while_locked(attempt, lock_timeout)

    def _retry_while_locked(self, attempt: Callable[[], T], lock_timeout: float | None = None) -> T:
        """Repeat `attempt` while another process has the file locked (drill J06).

        The waiting is done here and not in SQLite, so that signals and `hurry` take effect.
        """
        most = self._lock_timeout if lock_timeout is None else lock_timeout
        began = self.clock.monotonic()
        attempts = 0
        while True:
            try:
                return attempt()
            except sqlite3.Error as error:
                limit = min(most, HURRIED_LOCK_TIMEOUT) if self._hurried else most
                if not is_busy(error) or self.clock.monotonic() - began >= limit:
                    raise translate_error(self.path, error) from error
            attempts += 1
            self.clock.sleep(backoff(attempts, 0.001, 0.05))
