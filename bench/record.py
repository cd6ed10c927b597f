"""The record at 100, 10,000 and 1,000,000 jobs: what a submit writes, and what a look-up costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Goal, Part
from bench.peers import Peers, surroundings

SCRIPTS = Path(__file__).with_name("scripts")


def measure_record(peers: Peers, *, quick: bool) -> Part:
    part = Part("The record")
    sizes = [100, 1000] if quick else [100, 10_000, 1_000_000]
    python = str(peers.orvideo().with_name("python"))
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder:
        command = [python, str(SCRIPTS / "record.py"), folder, "5" if quick else "200", *map(str, sizes)]
        done = subprocess.run(command, env=surroundings(Path(folder)), check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)["medians"]
        syncs = _syncs_of_a_submit(python, Path(folder), sizes[0])
    names = ["newest 20", "id prefix", "@1", "unfinished", "a submit", "open and close"]
    rows = [[name, *(f"{found[str(jobs)][name] * 1e6:.0f}" for jobs in sizes)] for name in names]
    rows.append(["bytes a job", *(f"{found[str(jobs)]['bytes a job']:.0f}" for jobs in sizes)])
    part.table("microseconds, medians", ["jobs on record", *(f"{jobs:,}" for jobs in sizes)], rows)
    part.figures = {"seconds": found, "fsyncs of a submit": syncs}
    if syncs is None:
        part.skipped.append("the syncs of a submit: strace is not here, or may not trace")
    else:
        part.table("", ["a submit's syncs (prepared, sending, answer, id)", ""], [["fsync and fdatasync", str(syncs)]])
    for name in names[:3]:
        growth = found[str(sizes[-1])][name] / found[str(sizes[0])][name]
        part.goals.append(Goal(f"{name}, from {sizes[0]:,} jobs to {sizes[-1]:,}", growth, 1.1))
    return part


def _syncs_of_a_submit(python: str, folder: Path, jobs: int) -> int | None:
    """Count what one submit syncs, once the record is open; None where that cannot be traced."""
    if shutil.which("strace") is None:
        return None
    log = folder / "strace"
    command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,write", "-o", str(log), python]
    command += [str(SCRIPTS / "one_submit.py"), str(folder / f"{jobs}.db")]
    if subprocess.run(command, env=surroundings(folder), capture_output=True).returncode:
        return None
    said = log.read_text(errors="replace").partition('"begin\\n"')[2].partition('"end\\n"')[0]
    return sum(" fsync(" in line or " fdatasync(" in line for line in said.splitlines())
