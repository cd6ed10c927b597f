"""Processes by psutil, where there is no /proc: on Windows and macOS it is installed with orvideo."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

#: The script that pip makes, and the Python of a virtual environment, each start another process.
_OURSELVES = ("orvideo.exe", "python.exe", "pythonw.exe", "py.exe")
#: A change of the clock may move a start time by so many seconds.
_TOLERANCE = 5.0


def started(pid: int) -> str:
    """Return when a process started, in seconds since 1970; "" when unknown."""
    try:
        import psutil

        return f"{psutil.Process(pid).create_time():.2f}"
    except Exception:  # psutil is not here, or has an error of its own: what is not known is no error
        return ""


def is_process(pid: int, when: str) -> bool | None:
    """Return whether the process of this pid is the one that started then; None where that cannot be told."""
    try:
        import psutil

        if not psutil.pid_exists(pid):
            return False
    except Exception:
        return None
    now = started(pid)
    return abs(float(now) - float(when)) <= _TOLERANCE if now and when else None


def shell() -> str:
    """Return the name of the program that started this one, in small letters; "" when unknown."""
    with suppress(Exception):
        import psutil

        return started_by([one.name() for one in psutil.Process().parents()])
    return ""


def started_by(parents: Sequence[str]) -> str:
    """Return the first of a process's parents that is not orvideo itself, as pip and a virtual environment start it."""
    names = (name.casefold() for name in parents)
    return next((name for name in names if name not in _OURSELVES), "")


def boot_time() -> float | None:
    """Return when the system started, in seconds since 1970; None where that is not known."""
    with suppress(Exception):
        import psutil

        return psutil.boot_time()
    return None
