"""The signals that a test and its children have, and which processes it has started and not ended.

Only Linux can say what has not ended; elsewhere nothing is known to be left.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def default_signals() -> None:
    """Have the signals as a terminal has them, whatever was inherited: `nohup` and some CI ignore SIGINT or SIGHUP.

    A program started from here has them too: what is handled is reset when it starts, and only what is ignored stays.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGCHLD"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can hide behind a dead one."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(of: int) -> dict[int, str]:
    """Return the live processes below one: process id to command line. One that only waits to be reaped is dead."""
    found: dict[int, str] = {}
    todo = _children(of)
    while todo:
        number = todo.pop()
        with suppress(OSError):
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            found[number] = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            todo += _children(number)
    return found


def _children(of: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{of}/task"):
            # Each test asks twice, so it is not asked through pathlib.
            with suppress(OSError), open(f"/proc/{of}/task/{thread}/children") as children:
                found += map(int, children.read().split())
    return found


def left_behind(known: Collection[int], *, patience: float = 0.0) -> dict[int, str]:
    """Return what runs below this process and is not known; what does not end within `patience` seconds is killed."""
    end = time.monotonic() + patience
    while True:
        left = {number: line for number, line in descendants(os.getpid()).items() if number not in known}
        if not left or time.monotonic() >= end:
            break
        time.sleep(0.02)
    if patience:
        for number in left:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
    return left
