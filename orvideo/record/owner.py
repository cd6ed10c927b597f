"""Which process works on a row of the record, and whether it has ended."""

import json
import os
import platform
from pathlib import Path
from typing import NamedTuple, Self


class Owner(NamedTuple):
    """One process, distinguished from a later one with the same pid.

    `boot` and `pids` (the pid namespace: a container has its own) and `started` are known on Linux only, else "".
    """

    host: str
    boot: str
    pids: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        """Return the process this runs in."""
        return cls(
            platform.node(), _read("/proc/sys/kernel/random/boot_id"), _namespace(), os.getpid(), _started("self")
        )

    def as_text(self) -> str:
        return json.dumps(self._asdict())

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Return what `as_text` wrote; None for anything else."""
        try:
            fields = json.loads(text or "")
            return cls(**fields)
        except (ValueError, TypeError):
            return None

    def is_gone(self, me: Self) -> bool | None:
        """Return whether this process has ended, seen from the process `me`; None where that cannot be told."""
        if self == me:
            return False
        # Signal 0 ends a process on Windows instead of asking about it.
        if self.host != me.host or os.name != "posix":
            return None
        if self.boot != me.boot:
            return True
        if self.pids != me.pids:
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            pass  # another user's process: it exists
        return bool(self.started) and _started(str(self.pid)) != self.started


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="latin-1").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: str) -> str:
    """Return when a process started, in ticks since boot; "" when unknown, and for a zombie."""
    # The second field is the program's name, which may hold spaces and parentheses.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""
