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
        return "strace is not installed"
    probe = ["strace", "-f", "-e", "trace=close", "-e", "inject=fsync:error=EIO", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=30)
    return None if done.returncode == 0 else f"strace may not trace here: {done.stderr.strip()[:200]}"


needs_strace = pytest.mark.skipif("__import__('tests.drills.tracing', fromlist=['x']).why_not() is not None")


def run(module: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` as it is."""
    return _run([sys.executable, "-m", module, *arguments])


def run_with(fault: str, module: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` with a fault as strace writes it, such as `link:signal=KILL:when=1`."""
    calls = fault.partition(":")[0]
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={fault}"]
    return _run([*strace, sys.executable, "-m", module, *arguments])


def traced(module: str, arguments: Sequence[str], log: Path, *, after: str) -> list[Call]:
    """Run `python -m module` and return the main thread's calls since the first one that mentions `after`."""
    done = _run(["strace", "-f", "-qq", "-s", "64", "-o", str(log), sys.executable, "-m", module, *arguments])
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
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
