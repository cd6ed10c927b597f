"""Makes a Linux Python answer code of `orvideo` as Windows would. For everything else it stays Linux.

    export PYTHONPATH=tests/platforms/shims/windows SHIM_LOG=$PWD/refused.log
    orvideo submit "a boat" --sandbox --wait -o boat.mp4
    sort refused.log | uniq -c | sort -rn     # what was asked for and is not there, with module and line

SHIM_LOG=FILE notes what was refused, SHIM_WINDOWS=0 turns it off, SHIM_LONG_PATHS=1 lifts MAX_PATH.

"Code of orvideo" is a module of that package, by itself or through pathlib, shutil, tempfile, contextlib, os, io or
codecs. The standard library's own needs, other packages and the tests are answered as ever, so that the project's tests
run. A child process is answered so too if it gets this PYTHONPATH.

As on Windows:
- `os.name` is "nt", `sys.platform` "win32". What `os`, `signal`, `time`, `select`, `socket` and `sys` lack there is an
  AttributeError (the lists are those of CPython 3.11 for Windows); fcntl, termios, pwd and others cannot be imported.
- `os.open` opens no folder, and without O_BINARY it opens in text mode: `os.write` makes `\\r\\n` of `\\n`, `os.read`
  ends at 0x1A, the first byte of every WebM.
- A file that this process has open, by whatever descriptor, cannot be removed, renamed or replaced (WinError 32).
- `os.rename` replaces nothing (183). `os.fsync` needs a descriptor that may write. `select.select` takes sockets, at
  least one. `os.kill(pid, 0)` does not ask: here it is an AssertionError. `ctypes.CDLL(None)` is a TypeError.
- No file can be made under a name that Windows does not take (123, 87), nor a path beyond MAX_PATH (3). `nul.mp4` is
  refused as well, which Windows 10 takes for a device and Windows 11 for a file.
- `msvcrt` has locking, setmode and get_osfhandle. The OSErrors made here have `winerror`; those of Linux have not.

Not as on Windows, and so for `windows_python.py` or a real one:
- Paths: `/`, no drives; `a:b` is refused where NTFS makes a stream; a final dot or space stays; a path that is too long
  can still be read. Names that differ by case are two files (mount an NTFS image with `-o ignore_case` for that).
- Files that another process has open can be removed. Locks are advisory; on Windows nobody else, not even a second
  descriptor of the same process, reads or writes what is locked.
- Modes, owners, symbolic links, FIFOs, `st_rdev` and `st_blocks` are Linux's. platformdirs answers as on Linux.
- Code pages (PYTHONIOENCODING=cp1252 gives the streams one), console modes, escape sequences, Ctrl-C, cmd.exe, the
  Windows-only parts of ctypes and subprocess.
Each start takes longer: measure no times with it.
"""

import builtins
import errno
import functools
import io
import os
import re
import stat
import sys

_HELPERS = {"pathlib", "shutil", "tempfile", "contextlib", "os", "posixpath", "genericpath", "io", "codecs", "_pyio"}
_MODULES = set("crypt curses fcntl grp nis posix pty pwd readline resource syslog termios tty".split())
_OS_FAMILIES = re.compile(
    r"(CLD|EFD|EX|GRND|MFD|POSIX|PRIO|RTLD|RWF|SCHED|SPLICE|ST|XATTR|posix|sched)_(?!OK$)\w+"
    r"|F_(LOCK|TEST|TLOCK|ULOCK)|P_(ALL|PGID|PID|PIDFD)|SEEK_(DATA|HOLE)|W(?!_OK)[A-Z]+"
    r"|O_(?!(APPEND|CREAT|EXCL|RDONLY|RDWR|TRUNC|WRONLY)$)\w+"
)
_OS_NAMES = set(
    """NGROUPS_MAX chown chroot confstr confstr_names copy_file_range ctermid environb eventfd eventfd_read
    eventfd_write fchdir fchown fdatasync fork forkpty fpathconf fstatvfs fwalk getegid getenvb geteuid getgid
    getgrouplist getgroups getloadavg getpgid getpgrp getpriority getrandom getresgid getresuid getsid getuid getxattr
    initgroups killpg lchown listxattr lockf login_tty major makedev memfd_create minor mkfifo mknod nice openpty
    pathconf pathconf_names pidfd_open pipe2 pread preadv pwrite pwritev readv register_at_fork removexattr sendfile
    setegid seteuid setgid setgroups setpgid setpgrp setpriority setregid setresgid setresuid setreuid setsid setuid
    setxattr spawnlp spawnlpe spawnvp spawnvpe splice statvfs sync sysconf sysconf_names tcgetpgrp tcsetpgrp ttyname
    uname wait wait3 wait4 waitid waitid_result writev""".split()
)
_OS_NAMES |= {"get_blocking", "set_blocking"} if sys.version_info < (3, 12) else set()
_OS_NAMES |= {"fchmod"} if sys.version_info < (3, 13) else set()
_SIGNALS = re.compile(r"SIG(?!(ABRT|BREAK|FPE|ILL|INT|SEGV|TERM|_DFL|_IGN)$)\w+|ITIMER_\w+|Itimer\w+|Sigmasks")
_SIGNAL_NAMES = set(
    """alarm getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending
    sigtimedwait sigwait sigwaitinfo struct_siginfo""".split()
)
_CLOCKS = re.compile(r"(CLOCK|clock)_\w+|pthread_getcpuclockid|tzset")
_POLLS = re.compile(r"E?POLL\w+|e?poll|PIPE_BUF")
_SOCKETS = set(
    """AF_UNIX CMSG_LEN CMSG_SPACE MSG_DONTWAIT MSG_NOSIGNAL SCM_RIGHTS SOCK_CLOEXEC SOCK_NONBLOCK SO_REUSEPORT
    recv_fds send_fds sethostname""".split()
)
_SYS = {"abiflags", "getdlopenflags", "setdlopenflags"}
# Flags that only Windows has; Linux is not asked to understand them.
_FLAGS = {
    "O_BINARY": 0x4000_0000, "O_TEXT": 0x2000_0000, "O_SEQUENTIAL": 0x1000_0000, "O_RANDOM": 0x0800_0000,
    "O_TEMPORARY": 0x0400_0000, "O_SHORT_LIVED": 0x0200_0000,
}  # fmt: skip
_RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | {f"{p}{n}" for p in ("COM", "LPT") for n in "123456789"}
# The usual setting (LongPathsEnabled is 0): 260 characters with drive and NUL, 12 fewer for a folder.
_LONGEST_FILE, _LONGEST_FOLDER, _DRIVE = 259, 247, 2

_log = os.environ.get("SHIM_LOG")
_long_paths = bool(os.environ.get("SHIM_LONG_PATHS"))
_open, _os_open, _close, _dup, _dup2, _read, _write = (
    builtins.open, os.open, os.close, os.dup, os.dup2, os.read, os.write,
)  # fmt: skip
_unlink, _rename, _replace, _link, _mkdir, _fsync, _kill = (
    os.unlink, os.rename, os.replace, os.link, os.mkdir, os.fsync, os.kill,
)  # fmt: skip
_stat, _fstat, _import = os.stat, os.fstat, builtins.__import__


# Who asks


def _package(frame):
    """Return the package whose code runs in a frame; a script and `python -m` count as what they start."""
    name = frame.f_globals.get("__name__") or ""
    if name == "__main__":
        spec = frame.f_globals.get("__spec__")
        name = spec.name if spec else os.path.basename(frame.f_globals.get("__file__") or "")
    return name.partition(".")[0]


def _is_direct(depth=2):
    """Tell whether orvideo itself asks: pathlib and the others choose their own code by what the system has."""
    return _package(sys._getframe(depth)) == "orvideo"


def _is_ours(depth=2):
    """Tell whether orvideo asks, itself or through a helper of the standard library."""
    frame = sys._getframe(depth)
    while frame is not None:
        package = _package(frame)
        if package == "orvideo":
            return True
        if package not in _HELPERS:
            return False
        frame = frame.f_back
    return False


def _note(what):
    if _log:
        frame = sys._getframe(2)
        while frame and _package(frame) != "orvideo":
            frame = frame.f_back
        where = f"{frame.f_globals['__name__']}:{frame.f_lineno}" if frame else "?"
        with _open(_log, "a") as file:
            file.write(f"{where}\t{what}\n")


def _refuse(number, windows, path, other=None):
    """Raise the OSError that Windows would. `open` and `os.open` give no WinError: they ask Microsoft's C library."""
    _note(f"[{f'WinError {windows}' if windows else f'Errno {number}'}] {os.fsdecode(path)}")
    error = OSError(number, os.strerror(number), os.fspath(path), None, other if other is None else os.fspath(other))
    error.winerror = windows
    raise error


# What is not there


def _impoverish(module, missing, more=None):
    """Make orvideo see a module without the names of `missing` and with those of `more`."""
    more = more or {}
    kind = type(module)

    class Poor(kind):
        def __getattribute__(self, name):
            if name in missing and _is_direct():
                _note(f"{module.__spec__.name}.{name} does not exist")
                raise AttributeError(f"module {module.__spec__.name!r} has no attribute {name!r}")
            if name in more and _is_direct():
                return more[name]
            return kind.__getattribute__(self, name)

    module.__class__ = Poor


def _import_(name, globals=None, locals=None, fromlist=(), level=0):
    if (name in _MODULES or name == "msvcrt") and level == 0 and _is_direct():
        if name == "msvcrt":
            return _msvcrt()
        _note(f"import {name}")
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _import(name, globals, locals, fromlist, level)


@functools.cache
def _msvcrt():
    """A stand-in: locks by region that belong to an open file, as there, so that a second process meets them."""
    import fcntl
    import struct
    import time
    import types

    module = types.ModuleType("msvcrt")
    module.LK_UNLCK, module.LK_LOCK, module.LK_NBLCK, module.LK_RLCK, module.LK_NBRLCK = range(5)

    def locking(descriptor, mode, count):
        kind = fcntl.F_UNLCK if mode == module.LK_UNLCK else fcntl.F_WRLCK
        start = os.lseek(descriptor, 0, os.SEEK_CUR)
        region = struct.pack("hhqqi4x", kind, os.SEEK_SET, start, count, 0)
        for attempt in range(10, 0, -1):
            try:
                fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, region)
                return
            except (BlockingIOError, PermissionError):
                if mode in (module.LK_NBLCK, module.LK_NBRLCK):
                    raise PermissionError(errno.EACCES, "Permission denied") from None
                if attempt > 1:
                    time.sleep(1)
        raise OSError(errno.EDEADLK, "Resource deadlock avoided")

    module.locking = locking
    module.get_osfhandle = lambda descriptor: descriptor
    module.open_osfhandle = lambda handle, flags: handle
    module.setmode = lambda descriptor, mode: _set_text(descriptor, not mode & _FLAGS["O_BINARY"])
    return module


# The text mode of Microsoft's C library

_text = {}  # descriptor: the file it was when it was opened so


def _set_text(descriptor, text):
    if text:
        there = _fstat(descriptor)
        _text[descriptor] = there.st_dev, there.st_ino
    else:
        _text.pop(descriptor, None)


def _is_text(descriptor):
    if descriptor not in _text:
        return False
    there = _fstat(descriptor)
    return _text[descriptor] == (there.st_dev, there.st_ino)


def open_(path, flags, mode=0o777, *, dir_fd=None):
    if not _is_ours():
        descriptor = _os_open(path, flags, mode, dir_fd=dir_fd)
        _set_text(descriptor, False)
        return descriptor
    direct, text = _is_direct(), not flags & _FLAGS["O_BINARY"]
    if direct and dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if flags & os.O_CREAT:
        _check_name(path, opening=True)
    if direct and os.path.isdir(path):
        _refuse(errno.EACCES, None, path)
    flags = flags & ~sum(_FLAGS.values()) | os.O_CLOEXEC
    if direct and _is_fifo(path):
        flags |= os.O_NONBLOCK  # orvideo cannot ask for it, and would wait for ever for a writer that no test has
    descriptor = _os_open(path, flags, mode, dir_fd=dir_fd)
    _set_text(descriptor, direct and text)
    return descriptor


def _is_fifo(path):
    try:
        return stat.S_ISFIFO(_stat(path).st_mode)
    except OSError:
        return False


def open_file(file, mode="r", *args, **more):
    if not isinstance(file, int) and set(mode) & set("wax") and _is_ours():
        _check_name(file, opening=True)
    opened = _open(file, mode, *args, **more)
    try:
        _set_text(opened.fileno(), False)  # a file object asks for binary, whatever its own mode
    except (OSError, ValueError, AttributeError):
        pass
    return opened


def close(descriptor):
    _text.pop(descriptor, None)
    _close(descriptor)


def dup(descriptor):
    new = _dup(descriptor)
    _set_text(new, _is_text(descriptor))
    return new


def dup2(descriptor, other, inheritable=True):
    new = _dup2(descriptor, other, inheritable)
    _set_text(new, _is_text(descriptor))
    return new


def write(descriptor, data):
    if _is_text(descriptor) and _is_direct():
        raw = bytes(data)
        if b"\n" in raw:
            _note("write of \\n in text mode: a \\r is put before it")
        rest = raw.replace(b"\n", b"\r\n")
        while rest:
            rest = rest[_write(descriptor, rest) :]
        return len(raw)
    return _write(descriptor, data)


def read(descriptor, size):
    raw = _read(descriptor, size)
    if _is_text(descriptor) and _is_direct():
        if b"\x1a" in raw or b"\r\n" in raw:
            _note("read in text mode: \\r\\n and Ctrl-Z are not what they were")
        return raw.partition(b"\x1a")[0].replace(b"\r\n", b"\n")
    return raw


# Names and open files


def _check_name(path, *, longest=_LONGEST_FILE, opening=False):
    if isinstance(path, int):
        return
    text = os.fsdecode(path)
    if len(os.path.abspath(text)) + _DRIVE > longest and not _long_paths:
        _refuse(errno.ENOENT, None if opening else 3, path)
    for part in text.split("/"):
        if any(c in '<>:"|?*\\' or c < " " for c in part):
            _refuse(errno.EINVAL, None if opening else 123, path)
        if part.partition(".")[0].rstrip(" ").upper() in _RESERVED:
            _refuse(errno.EINVAL, None if opening else 87, path)


def _is_held(path, dir_fd=None):
    """Tell whether this process has the file open: no handle of CPython's shares the right to delete."""
    try:
        there = _stat(path, dir_fd=dir_fd, follow_symlinks=False)
        if stat.S_ISDIR(there.st_mode):
            return False
        for name in os.listdir("/proc/self/fd"):
            try:
                if os.path.samestat(_fstat(int(name)), there):
                    return True
            except OSError:
                pass
    except OSError:
        pass
    return False


def unlink(path, *, dir_fd=None):
    if _is_ours() and _is_held(path, dir_fd):
        _refuse(errno.EACCES, 32, path)
    _unlink(path, dir_fd=dir_fd)


def rename(src, dst, **more):
    if _is_ours():
        if os.path.lexists(dst):
            _refuse(errno.EEXIST, 183, src, dst)
        if _is_held(src):
            _refuse(errno.EACCES, 32, src, dst)
        _check_name(dst)
    _rename(src, dst, **more)


def replace(src, dst, **more):
    if _is_ours():
        if _is_held(src) or _is_held(dst):
            _refuse(errno.EACCES, 32, src, dst)
        _check_name(dst)
    _replace(src, dst, **more)


def link(src, dst, **more):
    if _is_ours():
        _check_name(dst)
    _link(src, dst, **more)


def mkdir(path, mode=0o777, **more):
    if _is_ours():
        _check_name(path, longest=_LONGEST_FOLDER)
    _mkdir(path, mode, **more)


def fsync(descriptor):
    if _is_ours():
        import fcntl

        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            _note("fsync of a descriptor that cannot write")
            raise OSError(errno.EBADF, "Bad file descriptor")
    _fsync(descriptor)


def kill(pid, number):
    if number == 0 and _is_direct():
        _note(f"os.kill({pid}, 0)")
        raise AssertionError("os.kill(pid, 0) does not ask on Windows: 0 is CTRL_C_EVENT")
    _kill(pid, number)


def _install():
    # Whoever builds on the real things does it before they change.
    import contextlib  # noqa: F401
    import ctypes
    import pathlib  # noqa: F401
    import select
    import shutil  # noqa: F401
    import signal
    import socket
    import subprocess  # noqa: F401
    import tempfile  # noqa: F401
    import time
    import types

    # staticmethod: a class may keep one as its attribute, as it may keep what is built in.
    for function in (close, dup, dup2, write, read, unlink, rename, replace, link, mkdir, fsync, kill):
        setattr(os, function.__name__, staticmethod(function))
    os.open, os.remove = staticmethod(open_), os.unlink
    # pathlib and os.fdopen open through io.open.
    builtins.open = io.open = staticmethod(open_file)
    builtins.__import__ = _import_

    real_select = select.select

    def select_(readers, writers, others, timeout=None):
        if _is_direct():
            if not (readers or writers or others):
                _note("select of nothing")
                raise OSError(10022, "An invalid argument was supplied")
            for thing in (*readers, *writers, *others):
                number = thing if isinstance(thing, int) else thing.fileno()
                if not stat.S_ISSOCK(_fstat(number).st_mode):
                    _note("select of something that is no socket")
                    raise OSError(10038, "An operation was attempted on something that is not a socket")
        return real_select(readers, writers, others, timeout)

    select.select = staticmethod(select_)
    real_load = ctypes.CDLL.__init__

    def load(self, name, *args, **more):
        if name is None and _is_ours():
            _note("ctypes.CDLL(None)")
            raise TypeError("argument of type 'NoneType' is not iterable")
        real_load(self, name, *args, **more)

    ctypes.CDLL.__init__ = load

    def of(module, pattern):
        return {name for name in dir(module) if pattern.fullmatch(name)}

    version = types.SimpleNamespace(
        major=10, minor=0, build=19045, platform=2, service_pack="", product_type=1, platform_version=(10, 0, 19045)
    )
    windows_os = {"name": "nt", "O_NOINHERIT": os.O_CLOEXEC, "supports_dir_fd": set(), **_FLAGS}
    _impoverish(os, of(os, _OS_FAMILIES) | _OS_NAMES, windows_os)
    windows_signal = {"SIGBREAK": 21, "CTRL_C_EVENT": 0, "CTRL_BREAK_EVENT": 1}
    _impoverish(signal, of(signal, _SIGNALS) | _SIGNAL_NAMES, windows_signal)
    _impoverish(time, of(time, _CLOCKS))
    _impoverish(select, of(select, _POLLS))
    # On Linux a port is shared with nobody anyway; what is asked for must be a number that Linux takes.
    _impoverish(socket, _SOCKETS, {"SO_EXCLUSIVEADDRUSE": socket.SO_REUSEADDR})
    _impoverish(sys, _SYS, {"platform": "win32", "getwindowsversion": lambda: version})


if sys.platform == "linux" and os.environ.get("SHIM_WINDOWS", "1") != "0":
    _install()
