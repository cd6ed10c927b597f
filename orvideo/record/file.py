"""The file of the record: created private and complete; never repaired, replaced or emptied.

A new record is built under another name and renamed when it is on disk, so that a kill at any moment leaves either no
record or a complete one (drill J01). A file that is no complete record is left as it is and refused, with the command
that moves it aside (drill J08).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from orvideo import errnos, shells, system
from orvideo.errors import RecordError
from orvideo.files import make_private_folder, move_into_place
from orvideo.record.migrations import APPLICATION_ID, STEPS, migrate, version_of
from orvideo.system import names

#: The command that moves a record aside, on every system (finding W20).
MOVE_ASIDE = "orvideo doctor --move-record-aside"
_ELSEWHERE = shells.set_variable("ORVIDEO_STATE_DIR", shells.a_folder())
_WHEN_IT_ENDS = "run this again when no other orvideo runs"

#: SQLite's smallest page, in bytes: it would begin a new database in a shorter file.
MIN_FILE_SIZE = 512


def _companions(path: Path) -> list[Path]:
    """Return the files that SQLite keeps beside a record while it is in use."""
    return [Path(f"{path}{end}") for end in ("-wal", "-shm", "-journal")]


class Unwritable(RecordError):
    """The record exists, but the disk, the rights or the file system do not allow writing it."""


class Locked(Unwritable):
    """Another process has the record locked; waiting may help."""

    def say_nothing_was_sent(self) -> None:
        super().say_nothing_was_sent()
        self.hint = "run this again when it is done"


def open_file(
    path: Path, retry_while_locked: Callable[[Callable[[], None]], None], rules: names.Rules = names.HERE
) -> tuple[sqlite3.Connection, list[str]]:
    """Open the record at `path`, created first where there is none; return it with warnings for the user.

    `retry_while_locked` repeats a step while another process has the file locked. Raises RecordError, naming the path,
    where the record cannot be used (Unwritable, where it may be readable); nothing is repaired or replaced.
    """
    if rules.is_on_network(str(path)):
        raise RecordError(
            f"The record {path} is on a network drive, which cannot hold it.",
            hint="keep it on a drive of this computer: set ORVIDEO_STATE_DIR to a folder there",
        )
    try:
        _ensure(path)
        warnings = _tighten(path)
        connection = _connect(path, "mode=rw")
    except OSError as error:
        raise unusable_error(path, error) from error
    except sqlite3.Error as error:
        raise translate_error(path, error) from error
    try:
        retry_while_locked(lambda: _prepare(path, connection))
    except BaseException:
        connection.close()
        raise
    return connection, warnings


def open_to_read(path: Path, why: Unwritable) -> tuple[sqlite3.Connection, list[str]]:
    """Open a copy in memory of a record that cannot be written, such as on a full disk.

    Nothing is written anywhere, and no lock is needed (F-C02). Every committed row is in it. Raises `why` where the
    bytes cannot be read, and where a rollback journal holds a part of them.
    """
    try:
        if _size(f"{path}-journal"):
            raise why
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        # SQLite lacks this where its builder left it out.
        connection.deserialize(_image(path))
    except (OSError, AttributeError, sqlite3.Error) as error:
        raise why from error
    try:
        if _version(path, connection) < len(STEPS):
            raise why
    except sqlite3.Error as error:
        connection.close()
        raise why from error
    except BaseException:
        connection.close()
        raise
    return connection, [f"{why.message} It can be read, but nothing is added to it."]


def _image(path: Path) -> bytes:
    """Return the database as of its last commit: the file, with what its write-ahead log adds.

    The file is read before the log, so that a page which a checkpoint writes meanwhile is in the log as well; where
    the log was begun anew between the two, both are read again.
    """
    from orvideo.record.wal import apply_log  # only needed for a record that cannot be written

    for _ in range(20):
        before = _generation(path)
        content, log = path.read_bytes(), _log(path)
        if _generation(path) == before:
            return apply_log(log, content)
    raise OSError(errno.EBUSY, "it is written to all the time", str(path))


def _generation(path: Path) -> tuple[object, ...]:
    """Return values that change when SQLite restarts the log, and so changes the file."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _log(path, 32)


def _log(path: Path, most: int = -1) -> bytes:
    """Return the first bytes of the write-ahead log; none where it is missing or no regular file."""
    if not _size(f"{path}-wal"):
        return b""
    with open(f"{path}-wal", "rb") as log:
        return log.read(most)


def _size(place: str) -> int:
    """Return the size of a regular file, 0 where there is none."""
    try:
        found = os.stat(place)
    except FileNotFoundError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to an existing file, and only to an existing one; transactions are explicit."""
    return sqlite3.connect(
        f"{path.as_uri()}?{mode}",
        uri=True,
        # Waiting for a lock is done above SQLite, where a signal is heard.
        timeout=0,
        isolation_level=None,
        check_same_thread=False,
    )


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    """Check that this is a record of a known version, and configure the connection."""
    connection.execute("PRAGMA synchronous = FULL")
    # macOS keeps writes in the drive's cache unless it is told; elsewhere these do nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    # Prompts do not belong in a temporary directory that others share.
    connection.execute("PRAGMA temp_store = MEMORY")
    _version(path, connection)
    connection.execute("PRAGMA journal_mode = WAL")
    migrate(connection)


def _version(path: Path, connection: sqlite3.Connection) -> int:
    """Return the version of a record; refuse another program's database and one of a newer orvideo."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise RecordError(
            f"The file {path} is an SQLite database, but not orvideo's record.",
            hint=MOVE_ASIDE,
        )
    version = version_of(connection)
    if version > len(STEPS):
        raise RecordError(
            f"The record {path} was written by a newer orvideo (its version is {version}, this orvideo knows "
            f"{len(STEPS)}).",
            hint=f"update orvideo, or begin a new record with: {MOVE_ASIDE}",
        )
    return version


def _ensure(path: Path) -> None:
    """Create the record where it is missing; raise RecordError for a file that cannot be one."""
    # In this order: SQLite creates the companion after the file, so a file that is missing beside one was removed.
    orphaned = os.path.lexists(f"{path}-wal")
    if not os.path.lexists(path):
        if orphaned:
            raise RecordError(
                f"The record {path} is missing, but {path.name}-wal, which holds a part of it, is still there; "
                "nothing was sent.",
                hint=f"put {path.name} back, or begin a new record with: {MOVE_ASIDE}",
            )
        _create(path)
    found = path.stat()
    for place in (path, *_companions(path)):
        # SQLite would block on a pipe.
        if os.path.exists(place) and not place.is_file():
            raise RecordError(f"The record {place} is not a regular file.", hint=MOVE_ASIDE)
    if found.st_size < MIN_FILE_SIZE:
        raise RecordError(
            f"The record {path} is damaged: the file has only {found.st_size} bytes.",
            hint=f"keep it and begin a new one with: {MOVE_ASIDE}",
        )
    if found.st_nlink > 1:
        _sweep(path)
    for needed, access in ((path, os.R_OK | os.W_OK), (path.parent, os.W_OK | os.X_OK)):
        if not os.access(needed, access):
            raise Unwritable(f"The record {path} cannot be written: no write access to {needed}.")


def _create(path: Path) -> None:
    make_private_folder(path.parent)
    new = path.with_name(f"{_prefix(path)}{os.getpid()}-{os.urandom(4).hex()}")
    try:
        _build(new)
        with suppress(FileExistsError):
            move_into_place(new, path)
    except (OSError, sqlite3.Error):
        # Another process was quicker and has removed our unfinished file; its record is as good.
        if not os.path.lexists(path):
            raise
    finally:
        new.unlink(missing_ok=True)
    # Also by the slower process: what it writes next needs the name on disk.
    system.sync_folder(path.parent)
    _sweep(path)


def _build(new: Path) -> None:
    """Write an empty record and bring it to the disk, 0600 from the first moment (drill J12)."""
    os.close(system.open_file(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = _connect(new, "mode=rw")
    try:
        # No other process uses this file: what a kill leaves of it is removed, not rolled back. All is synced below.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrate(connection)
        # Switched here, so that the first processes do not compete for the exclusive lock.
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    handle = system.open_file(new, os.O_RDWR)
    try:
        system.sync(handle)
    finally:
        os.close(handle)


def _prefix(path: Path) -> str:
    return f".{path.name}.new-"


def _sweep(path: Path) -> None:
    """Remove the unfinished records that killed processes have left."""
    for leftover in path.parent.glob(f"{_prefix(path)}*"):
        try:
            leftover.unlink()
        except OSError:
            continue  # it does no harm


def _tighten(path: Path) -> list[str]:
    """Remove the permissions of group and others; return a warning where that is not allowed."""
    if not system.has_modes():
        return []
    warnings = []
    for place in (path, *_companions(path)):
        try:
            found = place.stat()
        except FileNotFoundError:
            continue
        if not stat.S_IMODE(found.st_mode) & 0o077:
            continue
        try:
            place.chmod(0o600)
        except PermissionError:
            warnings.append(f"The record {place} can be read by others, and it is not yours to change.")
    return warnings


def move_aside(path: Path) -> tuple[Path, list[str]]:
    """Move a record and its companions to a new folder beside it; return the folder and the names of what was moved.

    Nothing is opened, so that any record can be moved. Raises RecordError where there is none, where another orvideo
    has it open, and where it cannot be moved: then it is where it was.
    """
    try:
        places = sorted(one for one in path.parent.iterdir() if one.name.startswith(path.name))
        if not places:
            raise FileNotFoundError
        if system.is_database_in_use(path):
            raise RecordError(f"Another orvideo has the record {path} open; nothing was moved.", hint=_WHEN_IT_ENDS)
        folder = _new_folder(path)
        _move_all(places, folder)
    except FileNotFoundError:
        raise RecordError(f"There is no record to move: {path}.") from None
    except OSError as error:
        raise RecordError(
            f"The record {path} cannot be moved: {errnos.reason(error)}; nothing was moved.", hint=_WHEN_IT_ENDS
        ) from error
    system.sync_folder(folder)
    system.sync_folder(path.parent)
    return folder, [place.name for place in places]


def _new_folder(path: Path) -> Path:
    number = 1
    while True:
        folder = path.with_name(f"aside-{number}-{path.name}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _move_all(places: list[Path], folder: Path) -> None:
    """Move files to a folder, the record first: where one cannot be moved, all are moved back."""
    moved: list[Path] = []
    try:
        for place in places:
            with suppress(FileNotFoundError):  # SQLite may remove a companion at any time
                system.replace(place, folder / place.name)
                moved.append(place)
    except OSError:
        for place in moved:
            system.replace(folder / place.name, place)
        folder.rmdir()
        raise


def unusable_error(path: Path, error: OSError) -> RecordError:
    """Return the error for a record whose path cannot be used, with the path (drills J04, J11; F-C04)."""
    place = error.filename if isinstance(error.filename, str) else str(path)
    about = "" if place == str(path) else f" ({place})"
    hint = errnos.own_folder_hint(error, place, "ORVIDEO_STATE_DIR")
    return RecordError(f"The record {path} cannot be used: {errnos.reason(error)}{about}.", hint=hint)


_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_UNWRITABLE = (
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
)
#: Extended codes: what fails where a file system has no locks, or no memory that processes share.
_LOCKLESS = (
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_SHMMAP,
)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's extended result code of an error, 0 for one of the module's own."""
    return int(getattr(error, "sqlite_errorcode", 0))


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process has the file locked, so that waiting helps."""
    return _code(error) & 0xFF in _BUSY


def translate_error(path: Path, error: sqlite3.Error) -> RecordError:
    """Return a RecordError, which names the record, for an error of SQLite."""
    kind = _code(error) & 0xFF
    if _code(error) in _LOCKLESS or (kind in _BUSY and system.is_lockless(path.parent)):
        return Unwritable(
            f"The record {path} cannot be written: its file system has no locks.",
            hint=f"keep the record on another file system: {_ELSEWHERE}",
        )
    if kind in _BUSY:
        return Locked(f"Another orvideo holds the record {path} and did not let go of it.")
    if kind in _DAMAGED:
        return RecordError(
            f"The record {path} is damaged ({error}); it was left as it is.",
            hint=f"keep it and begin a new one with: {MOVE_ASIDE}",
        )
    if kind == sqlite3.SQLITE_FULL:
        return Unwritable(f"The record {path} cannot be written: the disk is full.", hint=errnos.room_hint(path))
    if kind in _UNWRITABLE:
        return Unwritable(f"The record {path} cannot be written ({error}).")
    return RecordError(f"The record {path} cannot be used ({error}).")
