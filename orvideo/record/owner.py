"""Which process works on a row of the record, and whether it has ended."""

import json
import os
from typing import NamedTuple, Self

from orvideo import system


class Owner(NamedTuple):
    """One process, distinguished from a later one with the same pid.

    `boot` and `pids` (the pid namespace: a container has its own) are known on Linux only, else "". What is not known
    of `started` is "" too.
    """

    host: str
    boot: str
    pids: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        """Return the process this runs in."""
        pid = os.getpid()
        return cls(system.host(), system.boot_id(), system.pid_namespace(), pid, system.process_started(pid))

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
        if self.host != me.host:
            return None
        if self.boot != me.boot:
            return True
        if self.pids != me.pids:
            return None
        is_there = system.is_process(self.pid, self.started)
        return None if is_there is None else not is_there
