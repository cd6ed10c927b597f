"""The interface of `orvideo.system` on Windows. Every function raises OSError where the system refuses.

What makes it differ: text mode changes bytes unless O_BINARY is given; a descriptor and its copies share one position;
what is open can be neither renamed nor removed; a lock keeps others from the bytes that are locked; folders cannot be
opened; virus scanners hold new files open for a moment.
"""

from __future__ import annotations

import errno
import msvcrt
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from orvideo.system import names, processes

if TYPE_CHECKING:
    import socket

# By this a type checker leaves the rest out where it checks for another system.
assert sys.platform == "win32"

__all__ = [
    "MOVES_OPEN_FILES", "boot_id", "boot_time", "broken_pipes", "cell_size", "changes_piped_bytes", "claim_port",
    "files_in_the_way", "has_modes", "hold", "host", "is_database_in_use", "is_foreign", "is_lockless",
    "is_open_to_write", "is_process", "is_sink", "limit_unsent", "lock", "longest_name", "network_error", "open_file",
    "open_terminal", "pid_namespace", "prepare_streams", "process_started", "read_at", "read_hidden", "release",
    "rename", "replace", "start_writing", "sync", "sync_folder", "take_from_others", "variable", "wait_for_input",
    "wait_for_room", "write_at",
]  # fmt: skip

#: Whether a file that is open, here or elsewhere, can be renamed and removed.
MOVES_OPEN_FILES = False

#: The byte that is locked, behind every end: what is locked can be read and written by nobody else.
_LOCKED_BYTE = 1 << 40
#: How often, and with what pauses in seconds, a file is tried that somebody else has open for a moment (W25).
_TRIES, _PAUSE = 6, 0.05
_ACCESS_DENIED, _SHARING_VIOLATION = 5, 32
_NO_READER = (109, 232)

T = TypeVar("T")

#: A position is shared by all that use a descriptor: who moves it also reads or writes there before another one does.
_position = threading.Lock()


# Files


def open_file(path: str | os.PathLike[str], flags: int, mode: int = 0o666, *, follow: bool = True) -> int:
    """Open a file in binary, for this process alone. Returns the descriptor."""
    if not follow and os.path.islink(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    name = os.path.basename(os.fspath(path))
    if names.is_reserved(name) and name.upper() != "NUL":  # a read from it would wait for a line that never comes
        raise OSError(errno.EINVAL, f"{name.partition('.')[0]} is a device", os.fspath(path))
    if os.path.isdir(path):  # else it would be told as a lack of permission
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    with files_in_the_way():
        return os.open(path, flags | os.O_BINARY | os.O_NOINHERIT, mode)


@contextmanager
def files_in_the_way() -> Iterator[None]:
    """Raise NotADirectoryError where a part of a path is a file, which Windows tells as missing (W32)."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename is None:
            raise
        place = os.path.dirname(os.path.abspath(error.filename))
        while not os.path.exists(place) and place != os.path.dirname(place):
            place = os.path.dirname(place)
        if not os.path.exists(place) or os.path.isdir(place):
            raise
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from error


def read_at(descriptor: int, count: int, offset: int) -> bytes:
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, count)


def write_at(descriptor: int, data: memoryview, offset: int) -> int:
    with _position:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)


def start_writing(descriptor: int, start: int, count: int) -> None:
    """Do nothing: the system writes when it likes to."""


def sync(descriptor: int) -> None:
    """Bring a file to the disk; it must be open for writing."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Do nothing: folders cannot be opened, and NTFS keeps a journal of names."""


def lock(descriptor: int, *, wait: bool = False) -> None:
    """Lock an open file until it is closed.

    Raises BlockingIOError where another one has it and there is no waiting.
    """
    while True:
        with _position:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except OSError as error:
                if not wait:
                    raise BlockingIOError(errno.EAGAIN, "another process has it") from error
        time.sleep(_PAUSE)


def hold(path: Path) -> tuple[int, int | None]:
    """Open or create a file, not through a link, and lock it; returns its descriptor and what `release` takes.

    The lock is on a file beside it, since the file is closed when it gets its name. Raises BlockingIOError where
    another one has it.
    """
    # One that is being removed can be opened by nobody, for a moment.
    guard = _patiently(lambda: open_file(_guard(path), os.O_RDWR | os.O_CREAT, follow=False))
    try:
        lock(guard)
    except BaseException:
        os.close(guard)
        raise
    try:
        return open_file(path, os.O_RDWR | os.O_CREAT, follow=False), guard
    except BaseException:
        release(path, guard)
        raise


def release(path: Path, held: int | None) -> None:
    """End what `hold` began, after the descriptor is closed."""
    if held is not None:
        os.close(held)
        with suppress(OSError):  # the next one has it open already
            os.unlink(_guard(path))


def _guard(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def replace(old: Path, new: Path) -> None:
    _patiently(lambda: os.replace(old, new))


def rename(old: Path, new: Path) -> None:
    """Rename a file in its folder; raises FileExistsError if anything has the name, which is left unchanged."""
    _patiently(lambda: os.rename(old, new))


def _patiently(act: Callable[[], T]) -> T:
    """Try a few times: a virus scanner, or another orvideo, may have a file open for a moment (W25)."""
    for _ in range(_TRIES - 1):
        try:
            return act()
        except PermissionError as error:
            if error.winerror not in (_ACCESS_DENIED, _SHARING_VIOLATION, None):
                raise
        time.sleep(_PAUSE)
    return act()


def longest_name(folder: Path) -> int | None:
    """Return how many bytes a name in a folder may have, None where that is not known."""
    return None


def is_open_to_write(descriptor: int) -> bool:
    """Return True: only the first write can tell."""
    return True


def is_sink(path: Path) -> bool:
    """Return False: the device that takes bytes and keeps none is known by its name (`names.Rules.is_null`)."""
    return False


def is_lockless(folder: Path) -> bool:
    """Return False: a network drive tells of itself when SQLite opens the record."""
    return False


def is_database_in_use(path: Path) -> bool:
    """Return False: what is open cannot be moved, and is told of then."""
    return False


# Users


def has_modes() -> bool:
    """Return whether files have modes that keep other users out: access lists do that here."""
    return False


def take_from_others(folder: Path) -> None:
    """Do nothing: a folder inherits who may read it."""


def is_foreign(descriptor: int, folder: Path) -> bool:
    """Return False: each user has a folder for temporary files."""
    return False


# Processes


def host() -> str:
    """Return what tells this machine from others."""
    import platform

    return platform.node()


def boot_id() -> str:
    """Return "": the start times of processes are enough to tell them apart."""
    return ""


def boot_time() -> float | None:
    """Return when the system started, in seconds since 1970; None where that is not known."""
    return processes.boot_time()


def pid_namespace() -> str:
    """Return "": pids count for the whole system."""
    return ""


def process_started(pid: int) -> str:
    """Return when a process started, to be compared by `is_process`; "" when unknown."""
    return processes.started(pid)


def is_process(pid: int, started: str) -> bool | None:
    """Return whether the process of this pid is the one that started then; None where that cannot be told."""
    return processes.is_process(pid, started)


# Networks


def claim_port(door: socket.socket) -> None:
    """Let a socket, before it is bound, share its port with no other: with SO_REUSEADDR it could be taken (W35)."""
    import socket

    door.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)


def network_error(code: int, words: str | None = None) -> OSError:
    """Return the error for a code that a socket or the resolver gave: the C library has no words for these (W30)."""
    import ctypes

    return ctypes.WinError(code)


def limit_unsent(connected: socket.socket, count: int) -> None:
    """Let the system hold at most about so many bytes that have not arrived: by itself it buffers what it likes.

    The last send may go beyond it, by all of its bytes (W33).
    """
    import socket

    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, count)


# Terminals and shells


@contextmanager
def broken_pipes() -> Iterator[None]:
    """Raise BrokenPipeError where a reader has gone, which the C library tells as EINVAL (W22)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno == errno.EINVAL or error.winerror in _NO_READER:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        raise


def prepare_streams(*streams: TextIO | None) -> None:
    """Make pipes and files take UTF-8 with plain newlines (W21), and the console understand escape sequences (W16)."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if stream is None or reconfigure is None:
            continue
        if stream.isatty():
            from colorama import just_fix_windows_console

            just_fix_windows_console()
        else:
            reconfigure(encoding="utf-8", newline="\n")


def changes_piped_bytes() -> bool:
    """Return whether the shell reads what a program writes into a pipe as text: PowerShell 5.1 (finding PS9)."""
    return processes.shell() == "powershell.exe"


def open_terminal() -> tuple[TextIO, TextIO]:
    """Return the console as a stream to read and one to write."""
    return open("CONIN$", encoding="utf-8"), open("CONOUT$", "w", encoding="utf-8")


def cell_size(descriptor: int) -> tuple[int, int] | None:
    """Return None: no console of Windows says how large a cell is."""
    return None


def wait_for_input(descriptor: int, seconds: float) -> bool:
    """Return True: a read from the console ends with Ctrl-C."""
    return True


def wait_for_room(descriptor: int) -> None:
    """Do nothing: pipes block."""


def read_hidden(stdin: TextIO, ask: Callable[[], None], read: Callable[[TextIO], str]) -> str:
    """Ask, and return the line that is typed at the console, which does not show it.

    Raises KeyboardInterrupt at Ctrl-C (finding W18).
    """
    import getpass

    ask()
    return getpass.getpass("")


def variable(value: str) -> str:
    """Return a variable's value for a process that is started."""
    return value
