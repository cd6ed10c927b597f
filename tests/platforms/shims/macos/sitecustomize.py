"""Makes a Linux Python answer code of `orvideo` as macOS would. For everything else it stays Linux.

    export PYTHONPATH=tests/platforms/shims/macos SHIM_LOG=$PWD/refused.log
    orvideo submit "a boat" --sandbox --wait -o boat.mp4
    sort refused.log | uniq -c | sort -rn     # what was asked for and is not there, with module and line

SHIM_LOG=FILE notes what was refused, SHIM_MACOS=0 turns it off.

"Code of orvideo" is a module of that package, by itself or through pathlib, shutil, tempfile, contextlib, os, io or
codecs. The standard library's own needs, other packages and the tests are answered as ever, so that the project's tests
run. A child process is answered so too if it gets this PYTHONPATH.

As on macOS:
- `sys.platform` is "darwin", and `platformdirs.PlatformDirs` is that of macOS (~/Library/…).
- What `os`, `time`, `signal`, `select`, `fcntl` and `resource` lack there is an AttributeError: fdatasync,
  posix_fadvise, posix_fallocate, copy_file_range, O_TMPFILE, CLOCK_BOOTTIME, epoll and more (the lists are those that
  type checkers use for Python 3.11 on macOS). `fcntl.F_FULLFSYNC` is there, and syncs.
- There is no /proc and no /sys: no process's start time, no boot id.
- The C library has no renameat2, statx or getrandom.

Not as on macOS:
- Names that differ by case, or é in two spellings, are two files here and one there (for the first, mount an NTFS image
  with `-o ignore_case`).
- What macOS has and Linux has not, but for F_FULLFSYNC, is missing: renamex_np, kqueue, SIGINFO, chflags.
- The numbers of `errno`, sleep and wake, launchd, Terminal.app, bash 3.2.
Each start takes longer: measure no times with it.
"""

import builtins
import errno
import io
import os
import re
import sys

_HELPERS = {"pathlib", "shutil", "tempfile", "contextlib", "os", "posixpath", "genericpath", "io", "codecs", "_pyio"}
_OS = re.compile(
    r"(EFD|GRND|MFD|POSIX_FADV|RWF|SPLICE|XATTR|eventfd)_?\w+|O_(DIRECT|LARGEFILE|NOATIME|PATH|RSYNC|TMPFILE)|P_PIDFD"
    r"|RTLD_DEEPBIND|SCHED_(BATCH|IDLE|RESET_ON_FORK)|ST_(?!(NOSUID|RDONLY)$)\w+"
    r"|sched_(get|set)(affinity|param|scheduler)|sched_rr_get_interval|copy_file_range|eventfd|fdatasync|getrandom"
    r"|[gs]etres[gu]id|(get|list|remove|set)xattr|memfd_create|pidfd_open|pipe2|posix_fadvise"
    r"|posix_fallocate|splice|waitid|waitid_result"
)
_TIME = re.compile(r"CLOCK_(BOOTTIME|TAI)|pthread_getcpuclockid")
_SIGNAL = re.compile(r"SIG(CLD|POLL|PWR|RTMAX|RTMIN|STKFLT)|pidfd_send_signal|sigtimedwait|sigwaitinfo|struct_siginfo")
_SELECT = re.compile(r"EPOLL\w+|epoll|POLLMSG|POLLRDHUP")
_FCNTL = re.compile(
    r"F_(ADD_SEALS|GET_SEALS|SEAL_\w+|[GS]ETPIPE_SZ|[GS]ETSIG|[GS]ETLKW?64|EXLCK|SHLCK|NOTIFY)|DN_\w+"
    r"|LOCK_(MAND|READ|RW|WRITE)"
)
_RESOURCE = re.compile(r"RLIMIT_(MSGQUEUE|NICE|OFILE|RTPRIO|RTTIME|SIGPENDING)|RUSAGE_THREAD|prlimit")
_C_LIBRARY = {"renameat2", "statx", "getrandom"}
_F_FULLFSYNC = 51

_log = os.environ.get("SHIM_LOG")
_open, _fsync = builtins.open, os.fsync


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


# What is not there


def _impoverish(module, missing, more=None):
    """Make orvideo see a module without the names that match `missing` and with those of `more`."""
    more = more or {}
    gone = {name for name in dir(module) if missing.fullmatch(name)}
    kind = type(module)

    class Poor(kind):
        def __getattribute__(self, name):
            if name in gone and _is_direct():
                _note(f"{module.__spec__.name}.{name} does not exist")
                raise AttributeError(f"module {module.__spec__.name!r} has no attribute {name!r}")
            if name in more and _is_direct():
                return more[name]
            return kind.__getattribute__(self, name)

    module.__class__ = Poor


def _without_proc(function):
    """Return `function` for a world without /proc and /sys."""

    def call(*args, **more):
        path = args[0] if args else more.get("path", more.get("file"))
        if isinstance(path, (str, bytes, os.PathLike)):
            text = os.fsdecode(path)
            if (text.startswith(("/proc/", "/sys/")) or text in ("/proc", "/sys")) and _is_ours():
                _note(f"{text} does not exist")
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
        return function(*args, **more)

    call.__name__ = function.__name__
    # staticmethod: a class may keep one as its attribute, as it may keep what is built in.
    wrapped = staticmethod(call)
    for support in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if function in support:
            support.add(wrapped)
    return wrapped


def _install():
    # Whoever builds on the real things does it before they change.
    import contextlib  # noqa: F401
    import ctypes
    import fcntl
    import pathlib  # noqa: F401
    import resource
    import select
    import shutil  # noqa: F401
    import signal
    import subprocess  # noqa: F401
    import tempfile  # noqa: F401
    import time

    for name in ("open", "stat", "lstat", "readlink", "listdir", "scandir", "access"):
        setattr(os, name, _without_proc(getattr(os, name)))
    # pathlib opens through io.open.
    builtins.open = io.open = _without_proc(_open)

    real_fcntl = fcntl.fcntl

    def fcntl_(descriptor, command, argument=0):
        if command == _F_FULLFSYNC and _is_direct():
            _fsync(descriptor)
            return 0
        return real_fcntl(descriptor, command, argument)

    fcntl.fcntl = staticmethod(fcntl_)
    real_name = ctypes.CDLL.__getattr__

    def name_of(self, name):
        if name in _C_LIBRARY and _is_ours():
            _note(f"the C library has no {name}")
            raise AttributeError(f"dlsym(RTLD_DEFAULT, {name}): symbol not found")
        return real_name(self, name)

    ctypes.CDLL.__getattr__ = name_of

    _impoverish(os, _OS)
    _impoverish(time, _TIME)
    _impoverish(signal, _SIGNAL)
    _impoverish(select, _SELECT)
    _impoverish(fcntl, _FCNTL, {"F_FULLFSYNC": _F_FULLFSYNC})
    _impoverish(resource, _RESOURCE)
    _impoverish(sys, re.compile("(?!)"), {"platform": "darwin"})
    try:
        import platformdirs
        from platformdirs.macos import MacOS
    except ImportError:
        return
    platformdirs.PlatformDirs = MacOS


if sys.platform == "linux" and os.environ.get("SHIM_MACOS", "1") != "0":
    _install()
