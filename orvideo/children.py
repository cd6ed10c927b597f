"""Programs that orvideo runs and waits for: none is left behind, whatever ends the wait."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

#: How long a program has to end by itself once it was told to, and how long one may take to begin, in seconds.
_GRACE = 2.0
_LONGEST_START = 10.0


@contextmanager
def running(line: Sequence[str] | str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for a `with` block; one that is still there at its end is told to end. `options` are Popen's.

    It is started in a thread of its own: a signal that raises in the main thread meanwhile would leave a program behind
    that nobody knows of. Raises OSError and ValueError where it cannot be started.
    """
    begun: list[subprocess.Popen[bytes]] = []
    failed: list[Exception] = []
    is_over = threading.Event()

    def start() -> None:
        try:
            begun.append(subprocess.Popen(line, **options))
        except Exception as error:  # raised where it is waited for
            failed.append(error)
        finally:
            is_over.set()

    try:
        threading.Thread(target=start, daemon=True).start()
        is_over.wait()
        if failed:
            raise failed[0]
        yield begun[0]
    finally:
        is_over.wait(_LONGEST_START)  # not for ever: a signal may have come before there was a thread
        for child in begun:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    if child.poll() is None:
        child.kill()
        child.wait()
