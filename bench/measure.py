"""Processes, measured: wall, CPU and peak memory of a child and all its children; medians and ratios of many runs."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("server.py")
MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Sample:
    """One run of a process: seconds, seconds of CPU, bytes."""

    wall: float
    cpu: float
    peak: int
    out: str = ""


class Failed(Exception):
    """A measured command failed: its figure would be worth nothing."""


def run(
    command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stdout: Path | None = None
) -> Sample:
    """Run a command to its end and measure it. Raises Failed where it fails.

    The peak is the highest of the process and its children, and never less than what this process had when it
    started them (some 25 MB): Linux hands that on.
    """
    with open(stdout or os.devnull, "wb") as out, open(os.devnull, "rb") as nothing:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=dict(env), cwd=cwd, stdin=nothing, stdout=out, stderr=subprocess.PIPE)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
    if process.returncode:
        words = said.decode("utf-8", "replace").strip()[-600:]
        raise Failed(f"{' '.join(command)[:200]} ended with {process.returncode}: {words}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def rounds(contenders: Mapping[str, Callable[[], Sample]], times: int, *, warm: bool = True) -> dict[str, list[Sample]]:
    """Run all contenders one after the other, `times` times: what disturbs the machine disturbs all of them.

    The order is another one in each round, the same in every run: what one leaves behind, such as two gigabytes of
    memory that the system has to find again, falls to whoever comes next.
    """
    taken: dict[str, list[Sample]] = {name: [] for name in contenders}
    if warm:
        for contender in contenders.values():
            contender()
    for number in range(times):
        for name in random.Random(number).sample(list(contenders), len(contenders)):
            taken[name].append(contenders[name]())
    return taken


def median(samples: Sequence[Sample], what: str) -> float:
    return float(statistics.median(getattr(sample, what) for sample in samples))


def ratio(samples: Sequence[Sample], base: Sequence[Sample], what: str = "wall") -> float:
    """Return the median of the ratios within the rounds, which is steadier than the ratio of the medians."""
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(samples, base, strict=True))


@dataclass
class Goal:
    """A figure that is to be reached: at most (or at least, with `least`) so much."""

    name: str
    value: float
    limit: float
    least: bool = False
    unit: str = "x"

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.least else self.value <= self.limit

    def line(self) -> str:
        sign = ">=" if self.least else "<="
        verdict = "reached" if self.is_met else "MISSED "
        return f"{verdict}  {self.name}: {self.value:.3g} {self.unit} ({sign} {self.limit:g})"


@dataclass
class Part:
    """What one part found: tables to print, figures to keep, goals to judge, peers that are absent."""

    title: str
    tables: list[tuple[str, list[str], list[list[str]]]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def table(self, title: str, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.tables.append((title, list(heading), [list(row) for row in rows]))

    def compare(self, title: str, taken: Mapping[str, list[Sample]], base: str) -> None:
        """Add a table of contenders, each beside `base`, and keep its figures."""
        rows = []
        for name, samples in taken.items():
            times = ratio(samples, taken[base]) if base in taken else float("nan")
            wall, cpu, peak = (median(samples, what) for what in ("wall", "cpu", "peak"))
            rows.append([name, f"{wall:.3f}", f"{times:.2f}", f"{cpu:.3f}", f"{peak / 1e6:.0f}"])
            self.figures[f"{title}: {name}"] = {
                "wall": wall, "ratio": times, "cpu": cpu, "peak_mb": peak / 1e6, "walls": [s.wall for s in samples],
            }  # fmt: skip
        self.table(title, ["", "wall s", f"x {base}", "CPU s", "peak MB"], rows)

    def show(self) -> str:
        lines = ["", f"== {self.title}"]
        for title, heading, rows in self.tables:
            lines += ["", *([title] if title else []), *_aligned([heading, *rows])]
        if self.skipped:
            lines += ["", *(f"skipped: {name}" for name in self.skipped)]
        if self.goals:
            lines += ["", *(goal.line() for goal in self.goals)]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        goals = [{**vars(goal), "met": goal.is_met} for goal in self.goals]
        return {"title": self.title, "figures": self.figures, "goals": goals, "skipped": self.skipped}


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Served:
    """A running server: where it is, and what it has counted."""

    base_url: str
    process: subprocess.Popen[str]

    def control(self, what: str) -> dict[str, Any]:
        """Ask for `stats`, `reset`, `begin` or `finish`; of a server without TLS."""
        origin = self.base_url.removesuffix("/api/v1")
        method = "GET" if what == "stats" else "POST"
        request = urllib.request.Request(f"{origin}/bench/{what}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return dict(json.load(answer))


@contextmanager
def serving(*options: str) -> Iterator[Served]:
    """Run the bare server in a process of its own; `options` as its command line takes them."""
    process = subprocess.Popen(
        [sys.executable, str(SERVER), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Served(process.stdout.readline().strip(), process)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def machine() -> dict[str, str]:
    """Return what a reader must know of the machine."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }
