"""Many jobs followed by one process: what a look costs, and whether every look is made when it is due."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.measure import Failed, Goal, Part, serving
from bench.peers import Peers, surroundings

SCRIPTS = Path(__file__).with_name("scripts")
#: A look that comes this many seconds later than it was due is late.
LATE = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def measure_many(peers: Peers, *, quick: bool) -> Part:
    """Follow 1 to 1,000 jobs with `wait --all`, a look every 5 s, at a service that takes 100 ms to answer.

    What is counted lies in a window that begins when every job has been looked at once and ends before any is
    finished: start-up and the end are no part of a look. A look is in time if it comes at most half a second later
    than `interval` after the answer to the one before.
    """
    part = Part("Many jobs: orvideo wait --all, a look every 5 s, 100 ms of latency")
    sizes = [10] if quick else [1, 10, 100, 1000]
    rows, cost = [], {}
    for jobs in sizes:
        found = _follow(peers, jobs, seconds=1 if quick else 60 if jobs <= 10 else 30, interval=2 if quick else 5)
        cost[jobs] = found["cpu_ms_per_look"]
        part.figures[str(jobs)] = found
        rows.append(
            [
                str(jobs), f"{found['looks']:.0f}", f"{found['served']:.1%}", _seconds(found["gap"]),
                _seconds(found["longest_gap"]), f"{found['cpu_ms_per_look']:.2f}", f"{found['core']:.1%}",
                f"{found['server_core']:.1%}", f"{found['peak_mb']:.0f}", f"{found['cpu_ms_per_job']:.1f}",
            ]
        )  # fmt: skip
    part.table(
        "",
        [
            "jobs",
            "looks",
            "in time",
            "gap s",
            "longest",
            "CPU ms a look",
            "of a core",
            "server's",
            "peak MB",
            "CPU ms a job, all told",
        ],
        rows,
    )
    if 1000 in cost:
        most = part.figures["1000"]
        part.goals.append(Goal("1,000 jobs: looks made in time, of those that were due", most["served"], 1, least=True))
        part.goals.append(Goal("1,000 jobs: share of a core", most["core"], 0.15, unit="of a core"))
        part.goals.append(Goal("1,000 jobs: memory", most["peak_mb"], 50, unit="MB"))
        part.goals.append(Goal("a look's cost, from 10 jobs to 1,000", cost[1000] / cost[10], 1.2))
    return part


def _follow(peers: Peers, jobs: int, *, seconds: float, interval: int) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder,
        serving("--latency", "0.1", "--looks", "0") as server,
    ):
        home = Path(folder)
        env = surroundings(home, server.base_url)
        orvideo = peers.orvideo()
        # Makes the record and its folder where this platform has them.
        subprocess.run([orvideo, "jobs", "adopt", "bench-first"], env=env, check=True, capture_output=True)
        (record,) = home.rglob("jobs.db")
        subprocess.run([orvideo, "jobs", "forget", "--force", "@1"], env=env, check=True, capture_output=True)
        python = orvideo.with_name("python")
        subprocess.run([python, SCRIPTS / "adopt.py", record, server.base_url, str(jobs)], env=env, check=True)
        server.control("reset")
        command = [str(orvideo), "wait", "--all", "--interval", f"{interval}s"]
        with open(home / "said", "wb") as said:
            process = subprocess.Popen(command, env=env, cwd=home, stdout=said, stderr=said)
            try:
                _until(lambda: server.control("stats")["looks"] >= jobs, process, said.name)
                time.sleep(interval)  # the second round is spread as all later ones are
                server.control("begin")
                cpu_before = _cpu(process.pid)
                time.sleep(seconds)
                after, cpu_after = server.control("stats"), _cpu(process.pid)
                server.control("finish")
            except BaseException:
                process.kill()
                raise
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        # Jobs that are finished at the end have no film to save: they were adopted without -o.
        if process.returncode:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}: {(home / 'said').read_text()[-500:]}")
        looks, passed = after["looks"], after["seconds"]
        cpu = cpu_after - cpu_before
        late = sum(gap > interval + LATE for gap in after["gaps"] + after["waiting"])
        return {
            "looks": looks,
            "served": 1 - late / max(looks, 1),
            # None where no job was looked at twice: in a quick run there may be no time for it.
            "gap": statistics.median(after["gaps"]) if after["gaps"] else None,
            "longest_gap": max(after["gaps"] + after["waiting"]),
            "cpu_ms_per_look": cpu / max(looks, 1) * 1e3,
            "core": cpu / passed,
            "server_core": after["cpu"] / passed,
            "peak_mb": usage.ru_maxrss * 1024 / 1e6,
            "cpu_ms_per_job": (usage.ru_utime + usage.ru_stime) / jobs * 1e3,
        }


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _until(there: object, process: subprocess.Popen[bytes], said: str) -> None:
    assert callable(there)
    end = time.monotonic() + 120
    while not there():
        if process.poll() is not None or time.monotonic() > end:
            raise Failed(f"the jobs were not followed: {Path(said).read_text()[-500:]}")
        time.sleep(0.1)


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and its threads, living and dead, have had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
