"""Running a process under strace: to see its system calls in order, to fail one, or to kill it at one.

Where strace is missing or may not trace, the drills that need it are skipped, loudly.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")


class Point(NamedTuple):
    """The `number`th time (from 1) that the process makes a `call`."""

    call: str
    number: int


class Call(NamedTuple):
    name: str
    text: str
    number: int


@cache
def why_not() -> str | None:
    """Return why nothing can be traced here, None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed; the package strace would prove this"
    probe = ["strace", "-f", "-e", "trace=close", "-e", "inject=fsync:error=EIO", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=240)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:200]}"


_WHY_NOT = why_not()
needs_strace = pytest.mark.skipif(_WHY_NOT is not None, reason=f"SKIPPED: {_WHY_NOT}")


def run(module: str, arguments: Sequence[str], *faults: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m module`, with faults as strace writes them where there are any."""
    strace = _strace("/dev/null", faults) if faults else []
    return _run([*strace, sys.executable, "-m", module, *arguments])


def run_with(fault: str, module: str, arguments: Sequence[str], *more: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` with faults as strace writes them, such as `link:signal=KILL:when=1`."""
    return run(module, arguments, fault, *more)


def _strace(log: str, faults: Sequence[str], *, trace: bool = True) -> list[str]:
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    chosen = ["-e", f"trace={calls}"] if trace and calls else []
    return ["strace", "-f", "-qq", "-o", log, *chosen, *(f"--inject={fault}" for fault in faults)]


def traced(module: str, arguments: Sequence[str], log: Path, *, after: str, faults: Sequence[str] = ()) -> list[Call]:
    """Run `python -m module` and return the main thread's calls since the first one that mentions `after`."""
    strace = _strace(str(log), faults, trace=False)
    done = _run([*strace, "-s", "64", sys.executable, "-m", module, *arguments])
    assert done.returncode == 0, done.stderr
    calls: list[Call] = []
    counts: Counter[str] = Counter()
    main = None
    begun = False
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found is None:
            continue
        main = main or found[1]
        if found[1] != main:
            continue
        counts[found[2]] += 1
        begun = begun or after in found[3]
        if begun:
            calls.append(Call(found[2], found[3], counts[found[2]]))
    return calls


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
