"""The interface of `orvideo.system` on Linux and macOS. Every function raises OSError where the system refuses.

It is longer than 400 lines because it is one interface, and each function of it is short.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

TYPE_CHECKING = False  # TAB completion waits for the imports here: typing is not among them
if TYPE_CHECKING:
    import socket
    from pathlib import Path
    from typing import TextIO

# By this a type checker leaves the rest out where it checks for another system.
assert sys.platform != "win32"

__all__ = [
    "MOVES_OPEN_FILES", "boot_id", "boot_time", "broken_pipes", "cell_size", "changes_piped_bytes", "claim_port",
    "files_in_the_way", "has_modes", "hold", "host", "is_database_in_use", "is_foreign", "is_lockless",
    "is_open_to_write", "is_process", "is_sink", "limit_unsent", "lock", "longest_name", "network_error", "open_file",
    "open_terminal", "pid_namespace", "prepare_streams", "process_started", "read_at", "read_hidden", "release",
    "rename", "replace", "start_writing", "sync", "sync_folder", "take_from_others", "variable", "wait_for_input",
    "wait_for_room", "write_at",
]  # fmt: skip

#: Whether a file that is open, here or elsewhere, can be renamed and removed.
MOVES_OPEN_FILES = True

#: The file system does not support an operation, such as a lock, a hard link or the sync of a folder.
_UNSUPPORTED = frozenset((errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS))
#: The errors of a file system without hard links, or with no more of them for a file.
_NO_LINKS = _UNSUPPORTED | {errno.EPERM, errno.EMLINK}
#: Major 1 are the memory devices of Linux: null (3), zero (5) and full (7) take bytes and keep none.
_MEMORY_DEVICES = frozenset((1, minor) for minor in (3, 5, 7))
#: The byte of a database's -shm that everyone locks who has it open (UNIX_SHM_DMS of SQLite's os_unix.c).
_SHM_IN_USE = 128


# Files


def open_file(path: str | os.PathLike[str], flags: int, mode: int = 0o666, *, follow: bool = True) -> int:
    """Open a file in binary, for this process alone; a FIFO is not waited for. Returns the descriptor."""
    extra = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    return os.open(path, flags | extra, mode)


def files_in_the_way() -> AbstractContextManager[None]:
    """Raise NotADirectoryError where a part of a path is a file: here every call does that by itself."""
    return nullcontext()


def read_at(descriptor: int, count: int, offset: int) -> bytes:
    return os.pread(descriptor, count, offset)


def write_at(descriptor: int, data: memoryview, offset: int) -> int:
    return os.pwrite(descriptor, data, offset)


def start_writing(descriptor: int, start: int, count: int) -> None:
    """Have the system begin to bring bytes of a file to the disk, so that `sync` has little left to wait for.

    Advice, and Linux alone takes it; what goes wrong with the disk is told by `sync`.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.posix_fadvise(descriptor, start, count, os.POSIX_FADV_DONTNEED)


def sync(descriptor: int) -> None:
    """Bring a file to the disk, on macOS also through the cache of the drive."""
    if sys.platform == "darwin":
        with suppress(OSError):  # network drives have no such call
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where its file system can do that (finding C04)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED | {errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, wait: bool = False) -> None:
    """Lock an open file until it is closed; where its file system has no locks, do nothing.

    Raises BlockingIOError where another one has it and there is no waiting.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _UNSUPPORTED | {errno.ENOLCK}:
            raise


def hold(path: Path) -> tuple[int, int | None]:
    """Open or create a file, not through a link, and lock it; returns its descriptor and what `release` takes.

    Raises BlockingIOError where another one has it.
    """
    descriptor = open_file(path, os.O_RDWR | os.O_CREAT, follow=False)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            lock(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, None


def release(path: Path, held: int | None) -> None:
    """End what `hold` began, after the descriptor is closed: here the lock ended with it."""


def replace(old: Path, new: Path) -> None:
    os.replace(old, new)


def rename(old: Path, new: Path) -> None:
    """Rename a file in its folder; raises FileExistsError if anything has the name, which is left unchanged."""
    try:
        os.link(old, new)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _rename_without_links(old, new)
    else:
        os.unlink(old)


def _rename_without_links(old: Path, new: Path) -> None:
    if _rename_exclusively(old, new):
        return
    # The system cannot do it at once: check and rename, one orvideo process at a time.
    folder = os.open(new.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(new))
        os.rename(old, new)
    finally:
        os.close(folder)


def _rename_exclusively(old: Path, new: Path) -> bool:
    """Rename with renameat2 or renamex_np; return False where the system or the file system does not support it."""
    import ctypes

    names = os.fsencode(old), os.fsencode(new)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, 4)  # RENAME_EXCL
        else:
            here = -100  # AT_FDCWD
            failed = library.renameat2(here, names[0], here, names[1], 1)  # RENAME_NOREPLACE
    except (AttributeError, OSError, TypeError):
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), os.fspath(new))


def longest_name(folder: Path) -> int | None:
    """Return how many bytes a name in a folder may have, None where that is not known."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError):
        return None


def is_open_to_write(descriptor: int) -> bool:
    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def is_sink(path: Path) -> bool:
    """Return whether a path is a device that takes bytes and keeps none, such as /dev/null."""
    found = os.stat(path)
    if not stat.S_ISCHR(found.st_mode):
        return False
    return (os.major(found.st_rdev), os.minor(found.st_rdev)) in _MEMORY_DEVICES or (
        found.st_rdev == os.stat(os.devnull).st_rdev
    )


def is_lockless(folder: Path) -> bool:
    """Return whether files in a folder cannot be locked at all, as SQLite needs it (ENOLCK, NFS).

    A file of its own is tried: to open and close the record beside SQLite would drop the locks SQLite has on it.
    """
    import tempfile

    try:
        tried = tempfile.TemporaryFile(dir=folder, prefix=".lock-")  # noqa: SIM115 - below, for its own errors
    except OSError:
        return False
    with tried:
        try:
            fcntl.lockf(tried, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno == errno.ENOLCK or error.errno in _UNSUPPORTED
    return False


def is_database_in_use(path: Path) -> bool:
    """Return whether another process has a database of SQLite open, by the byte of its -shm that all of them lock.

    To be asked by a process that has it not open itself: a close would drop the locks that SQLite has on it.
    """
    try:
        descriptor = os.open(f"{path}-shm", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _SHM_IN_USE)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


# Users


def has_modes() -> bool:
    """Return whether files have modes that keep other users out."""
    return True


def take_from_others(folder: Path) -> None:
    """Take the rights of others from a folder, but not from another user's, nor from a shared one such as /tmp."""
    state = folder.stat()
    if state.st_uid == os.geteuid() and not state.st_mode & stat.S_ISVTX and state.st_mode & 0o077:
        folder.chmod(0o700)


def is_foreign(descriptor: int, folder: Path) -> bool:
    """Return whether another user made a file in a shared folder such as /tmp, and could change it meanwhile.

    In other folders the owner proves nothing: mounts of other systems show one owner for all files.
    """
    return os.fstat(descriptor).st_uid != os.geteuid() and bool(os.stat(folder).st_mode & stat.S_ISVTX)


# Processes


def host() -> str:
    """Return what tells this machine from others; on macOS its name changes with the network (finding M5)."""
    if sys.platform == "darwin":
        import ctypes

        number, no_wait = ctypes.create_string_buffer(16), (ctypes.c_long * 2)(1, 0)
        with suppress(AttributeError, OSError, TypeError):
            if ctypes.CDLL(None).gethostuuid(number, no_wait) == 0:
                return number.raw.hex()
    import platform

    return platform.node()


def boot_id() -> str:
    """Return a text that changes when the system starts anew, "" where there is none."""
    return _read("/proc/sys/kernel/random/boot_id") if sys.platform == "linux" else ""


def boot_time() -> float | None:
    """Return when the system started, in seconds since 1970; None where that is not known."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):
            return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        return None
    from orvideo.system import processes

    return processes.boot_time()


def pid_namespace() -> str:
    """Return the namespace in which pids count, as a container has its own; "" where there are none."""
    if sys.platform == "linux":
        with suppress(OSError):
            return os.readlink("/proc/self/ns/pid")
    return ""


def process_started(pid: int) -> str:
    """Return when a process started, to be compared by `is_process`; "" when unknown, and for a zombie."""
    if sys.platform == "linux":
        # The second field is the program's name, which may hold spaces and parentheses.
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""
    from orvideo.system import processes

    return processes.started(pid)


def is_process(pid: int, started: str) -> bool | None:
    """Return whether the process of this pid is the one that started then; None where that cannot be told."""
    if sys.platform != "linux":
        from orvideo.system import processes

        return processes.is_process(pid, started)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # another user's process: it exists
    return process_started(pid) == started if started else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read().strip()
    except OSError:
        return ""


# Networks


def claim_port(door: socket.socket) -> None:
    """Let a socket, before it is bound, share its port with no other; a port that was left a moment ago is free."""
    import socket

    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def network_error(code: int, words: str | None = None) -> OSError:
    """Return the error for a code that a socket or the resolver gave, in its own words where it has some."""
    return OSError(code, words or os.strerror(code))


def limit_unsent(connected: socket.socket, count: int) -> None:
    """Let the system hold at most so many bytes that are not sent: by itself it buffers 4 MB."""
    import socket

    if (option := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, option, count)


# Terminals and shells


def broken_pipes() -> AbstractContextManager[None]:
    """Raise BrokenPipeError where a reader has gone: here every write does that by itself."""
    return nullcontext()


def prepare_streams(*streams: TextIO | None) -> None:
    """Make the streams write UTF-8 and understand escape sequences: here they do."""


def changes_piped_bytes() -> bool:
    """Return whether the shell reads what a program writes into a pipe as text: no shell does here."""
    return False


def open_terminal() -> tuple[TextIO, TextIO]:
    """Return the controlling terminal as a stream to read and one to write."""
    raw = io.FileIO(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC), "r+")
    # Unbuffered, because a terminal cannot seek.
    stream = io.TextIOWrapper(raw, errors="replace", write_through=True)
    return stream, stream


def cell_size(descriptor: int) -> tuple[int, int] | None:
    """Return the width and height in pixels of a cell of a terminal; None where it does not say so."""
    import struct
    import termios

    rows, columns, wide, high = struct.unpack("HHHH", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    cell = (wide // columns, high // rows) if rows and columns else (0, 0)
    return cell if all(cell) else None


def wait_for_input(descriptor: int, seconds: float) -> bool:
    """Return whether there is something to read within so many seconds."""
    return bool(select.select([descriptor], [], [], seconds)[0])


def wait_for_room(descriptor: int) -> None:
    """Wait until a non-blocking pipe takes bytes again."""
    select.select([], [descriptor], [])


def read_hidden(stdin: TextIO, ask: Callable[[], None], read: Callable[[TextIO], str]) -> str:
    """Ask, and return the line that `read` takes from a terminal, which does not show what is typed.

    Raises OSError, before anything is asked, where the terminal cannot be kept from showing it.
    """
    with _echo_off(stdin):
        ask()
        return read(stdin)


@contextmanager
def _echo_off(stdin: TextIO) -> Iterator[None]:
    """Keep a terminal from showing what is typed; what was typed before is dropped, since it was visible."""
    import termios

    try:
        descriptor = stdin.fileno()
    except (OSError, ValueError):  # a stream that only claims to be a terminal has no echo
        yield
        return
    try:
        before = termios.tcgetattr(descriptor)
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, [*before[:3], before[3] & ~termios.ECHO, *before[4:]])
    except termios.error as error:
        raise OSError(*error.args) from None
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may have gone away meanwhile
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def variable(value: str) -> bytes:
    """Return a variable's value for a process that is started: a path's own bytes, else UTF-8 in every locale."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")
