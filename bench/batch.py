"""A batch with many rows in flight: what it costs to have 1, 10, 100 and 1,000 of them under way.

    python -m bench.batch           # in an environment of its own; --here measures the one that runs this

The rows are submitted to the bare server, which takes 100 ms to answer and finishes nothing until it is told to. What
is counted lies between the moment at which all rows are in flight and that moment; the peak is that of the whole run,
with the films that are saved at its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.many import _cpu, _until
from bench.measure import Failed, Goal, Part, machine, run, serving
from bench.peers import Peers, surroundings

FILM = 200_000
REQUEST = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p", "-a", "16:9", "--no-audio")


def measure_batch(peers: Peers, *, quick: bool = False) -> Part:
    """Return what rows in flight cost, by their number."""
    part = Part("Batches: rows in flight, 100 ms of latency")
    rows = []
    for jobs in [10] if quick else [1, 10, 100, 1000]:
        found = _run(peers, jobs, seconds=3 if quick else 30)
        part.figures[str(jobs)] = found
        rows.append(
            [
                str(jobs), f"{found['all_in_flight']:.1f}", f"{found['looks_per_second']:.1f}", f"{found['core']:.1%}",
                f"{found['server_core']:.1%}", f"{found['flying_mb']:.0f}", f"{found['peak_mb']:.0f}",
                f"{found['cpu_ms_per_row']:.1f}",
            ]
        )  # fmt: skip
    part.table(
        "",
        [
            "in flight", "s to submit all", "looks/s", "of a core", "server's", "MB in flight", "peak MB",
            "CPU ms a row, all told",
        ],
        rows,
    )  # fmt: skip
    if "1000" in part.figures:
        most = part.figures["1000"]
        part.goals.append(Goal("1,000 rows in flight: share of a core", most["core"], 0.10, unit="of a core"))
        part.goals.append(Goal("1,000 rows in flight: memory", most["flying_mb"], 150, unit="MB"))
    return part


def _run(peers: Peers, jobs: int, *, seconds: float) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder,
        serving("--latency", "0.1", "--looks", "0", "--size", str(FILM)) as server,
    ):
        home = Path(folder)
        env = surroundings(home, server.base_url)
        text = "".join(json.dumps({"prompt": "a boat", "user": f"row-{n}"}) + "\n" for n in range(jobs))
        (home / "rows.jsonl").write_text(text)
        command = [str(peers.orvideo()), "batch", "rows.jsonl", *REQUEST, "--jobs", str(jobs), "--yes"]
        with open(home / "said", "wb") as said:
            began = time.monotonic()
            process = subprocess.Popen(command, env=env, cwd=home, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
            try:
                _until(lambda: server.control("stats")["submits"] >= jobs, process, said.name)
                all_in_flight = time.monotonic() - began
                _until(lambda: server.control("stats")["looks"] >= jobs, process, said.name)
                before, cpu_before = server.control("stats"), _cpu(process.pid)
                time.sleep(seconds)
                after, cpu_after = server.control("stats"), _cpu(process.pid)
                flying = _resident(process.pid)
                server.control("finish")
            except BaseException:
                process.kill()
                raise
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        films = len(list(home.glob("*.mp4")))
        if process.returncode or films != jobs:
            raise Failed(f"{films} films, and it ended with {process.returncode}: {(home / 'said').read_text()[-500:]}")
        passed = after["seconds"] - before["seconds"]
        return {
            "all_in_flight": all_in_flight,
            "looks_per_second": (after["looks"] - before["looks"]) / passed,
            "core": (cpu_after - cpu_before) / passed,
            "server_core": (after["cpu"] - before["cpu"]) / passed,
            "flying_mb": flying / 1e6,
            "peak_mb": usage.ru_maxrss * 1024 / 1e6,
            "cpu_ms_per_row": (usage.ru_utime + usage.ru_stime) / jobs * 1e3,
        }


def measure_dry_run(peers: Peers, *, quick: bool = False) -> Part:
    """Check and price many rows from one file, and print what each would send."""
    rows = 200 if quick else 100_000
    part = Part(f"batch --dry-run of {rows:,} rows")
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder, serving() as server:
        home = Path(folder)
        with open(home / "rows.jsonl", "w") as file:
            for number in range(rows):
                file.write(json.dumps({"prompt": f"a paper boat in street number {number}", "seed": number}) + "\n")
        command = [str(peers.orvideo()), "batch", "rows.jsonl", *REQUEST, "--dry-run"]
        sample = run(command, env=surroundings(home, server.base_url), cwd=home, stdout=home / "requests")
        with open(home / "requests") as requests:
            printed = sum(1 for _ in requests)
        if printed != rows:
            raise Failed(f"{printed} of {rows} rows were printed")
    part.compare("", {"orvideo": [sample]}, "orvideo")
    part.figures["us a row"] = sample.cpu / rows * 1e6
    part.goals.append(Goal(f"{rows:,} rows", sample.wall, 100, unit="s"))
    part.goals.append(Goal(f"{rows:,} rows: memory", sample.peak / 1e6, 200, unit="MB"))
    return part


def _resident(pid: int) -> int:
    """Return the memory that a process has now, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    flags = sys.argv[1:]
    part = measure_batch(Peers(here="--here" in flags), quick="--quick" in flags)
    print(", ".join(machine().values()))
    print(part.show())
    return not all(goal.is_met for goal in part.goals)


if __name__ == "__main__":
    sys.exit(main())
