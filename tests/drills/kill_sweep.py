"""Kills orvideo at its system calls, from the opening of the record to the exit, and looks for the job afterwards.

    python -m tests.drills.kill_sweep                  # every call that can change anything, and a few of the others
    python -m tests.drills.kill_sweep --every 1        # every call there is: about an hour
    python -m tests.drills.kill_sweep --minutes 5 download
    python -m tests.drills.kill_sweep --quick          # a dozen points of each

The calls of one run are listed with strace. Then the same command is run again and again, and killed with SIGKILL
right before the Nth call of one name; the server in this process counts what it has accepted. Most calls of a Python
program only look for modules on disk (stat, open, read, seek): they touch neither the record nor the wire, so by
default only one in 25 of them is a point. From the first byte on the wire that matters every call is one.

strace counts the calls of each thread by itself. Points that only the second thread reaches, after the main thread has
made as many calls of that name, are therefore met by the main thread; the names that matter there (sendto, recvfrom,
connect, poll) are its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from orvideo.record.values import State
from tests.download.films import mp4
from tests.drills.raw_server import Peer, RawServer, http
from tests.drills.service import ORDER, SUBMITS, model_list, on_record, surroundings
from tests.processes import default_signals
from tests.shell import KEY, SCRIPT, Shell

#: Calls that a Python program makes by the thousand to load itself, and that change nothing.
LOADING = frozenset(
    re.findall(
        r"\w+",
        "newfstatat stat lstat fstat statx access openat read lseek ioctl close getdents64 brk getrandom mmap munmap "
        "mprotect madvise getpid gettid",
    )
)
KILLED = (-9, 137)
FILM = mp4(20_000)
MOST_UNKNOWN = 0.02


class Point(NamedTuple):
    """The Nth call of a name, from 1, and where it stood in the run that was listed."""

    call: str
    number: int
    place: int = 0


@dataclass
class Tally:
    """What the kills did."""

    points: int = 0
    killed: int = 0
    not_sent: int = 0
    known: int = 0
    unknown: list[Point] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        # A sweep that killed nothing would be as clean; a few points are missed, since no two runs are alike.
        return not (self.lost or self.double or self.faults) and self.killed >= 0.9 * self.points


class Counting:
    """A service that accepts every submit at once, and knows by its prompt whose it was."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if request.method == "POST":
                # A body that a kill has cut short is no submit: no server would take it for one.
                if len(request.body) < int(request.headers["content-length"]):
                    return
                prompt = json.loads(request.body)["prompt"]
                with self._lock:
                    self.accepted[prompt] += 1
                answer = http(202, json.dumps({"id": "job-" + prompt, "status": "pending"}).encode())
            elif request.path.endswith("/content"):
                begin = int(request.headers.get("range", "bytes=0-")[6:].partition("-")[0])
                headers = {"Content-Type": "video/mp4", "ETag": '"v1"'}
                if begin:
                    headers["Content-Range"] = f"bytes {begin}-{len(FILM) - 1}/{len(FILM)}"
                answer = http(206 if begin else 200, FILM[begin:], headers)
            elif request.path.startswith(SUBMITS + "/job-"):
                answer = http(200, json.dumps({"id": request.path.rpartition("/")[2], "status": "completed"}).encode())
            else:
                answer = http(200, model_list())
            if not peer.send(answer):
                return


class Drill:
    """A command to be killed, in homes that are copies of one that was made ready for it."""

    name: str
    #: What the first bytes on the wire that matter have in them.
    mark: str

    def __init__(self, work: Path) -> None:
        self.work = work
        self.service = Counting()
        self.server = RawServer(self.service)
        self.ready = work / "ready"
        self.ready.mkdir()

    def __enter__(self) -> Drill:
        self.server.__enter__()
        self.env = surroundings(self.server)
        assert Shell(self.ready)("models", "-q", env=self.env).code == 0
        self.prepare()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.__exit__(None, None, None)

    def prepare(self) -> None:
        """Bring `ready` to the state in which the command begins."""

    def command(self, tag: str) -> list[str]:
        raise NotImplementedError

    def judge(self, tag: str, home: Path, out: str, killed: bool, point: Point, tally: Tally) -> None:
        raise NotImplementedError

    def calls(self) -> list[tuple[str, str, str]]:
        """Return the calls of one whole run since the opening of the record: thread, name, the rest of the line."""
        home, log = self.home("listed"), self.work / "calls"
        done = self.run(["strace", "-f", "-qq", "-s", "256", "-o", str(log)], "listed", home)
        assert done.returncode == 0, done.stderr
        return parse(log.read_text(errors="replace"))

    def points(self, calls: Sequence[tuple[str, str, str]], every: int) -> list[Point]:
        """Choose where to kill: see the top of this file."""
        counts: Counter[tuple[str, str]] = Counter()
        found: dict[tuple[str, int], Point] = {}
        begun = sent = False
        loading = 0
        for place, (thread, name, rest) in enumerate(calls):
            counts[thread, name] += 1
            begun = begun or "jobs.db" in rest
            sent = sent or self.mark in rest
            if not begun or name in ("exit_group", "exit", "execve"):
                continue
            if name in LOADING and "jobs.db" not in rest and not sent:
                loading += 1
                if loading % every:
                    continue
            number = counts[thread, name]
            found.setdefault((name, number), Point(name, number, place))
        return list(found.values())

    def home(self, tag: str) -> Path:
        home = self.work / tag
        shutil.copytree(self.ready, home)
        return home

    def run(self, before: Sequence[str], tag: str, home: Path) -> subprocess.CompletedProcess[str]:
        environ = {**Shell(home).environ, **self.env, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [*before, str(SCRIPT), *self.command(tag)]
        return subprocess.run(command, env=environ, cwd=home, capture_output=True, text=True, timeout=240, check=False)

    def kill_at(self, point: Point, tally: Tally, lock: threading.Lock) -> None:
        """Run the command, kill it at the point, and judge what the next commands find."""
        tag = f"{point.call}-{point.number}"
        home = self.home(tag)
        inject = f"{point.call}:signal=KILL:when={point.number}"
        strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={point.call}"]
        done = self.run([*strace, "-e", f"inject={inject}"], tag, home)
        killed = done.returncode in KILLED
        with lock:
            tally.points += 1
            tally.killed += killed
            if not killed and done.returncode != 0:
                tally.faults.append(f"{tag}: exit {done.returncode}: {done.stderr[-300:]}")
            try:
                self.judge(tag, home, done.stdout, killed, point, tally)
            except Exception as fault:
                tally.faults.append(f"{tag}: {type(fault).__name__}: {fault}")
        shutil.rmtree(home)


class SubmitDrill(Drill):
    """`orvideo submit`, from a record that does not exist yet."""

    name, mark = "submit", "POST /api"

    def command(self, tag: str) -> list[str]:
        return ["submit", tag, *ORDER[1:]]

    def judge(self, tag: str, home: Path, out: str, killed: bool, point: Point, tally: Tally) -> None:
        shell = Shell(home)
        listed = shell("jobs", "--json", env=self.env)
        assert listed.code == 0, listed.err
        assert shell("wait", "--all", "-q", env=self.env).code == 0
        accepted = self.service.accepted[tag]
        if accepted > 1:
            tally.double.append(f"{tag}: {accepted} submits")
        rows = listed.json
        ids = [row["id"] for row in rows if row["id"]]
        states = [record.state for record in on_record(home)]
        assert len(rows) <= 1
        assert KEY not in listed.out
        if out.strip():
            assert ids == [out.strip()], "what was printed is on record"
        if not accepted:
            tally.not_sent += 1
            assert not ids
        elif ids:
            tally.known += 1
            assert ids == ["job-" + tag]
        elif states == [State.UNKNOWN]:
            tally.unknown.append(point)
        else:
            tally.lost.append(tag)


class DownloadDrill(Drill):
    """`orvideo download`, of a finished job that is on record."""

    name, mark = "download", "/content"

    def prepare(self) -> None:
        done = Shell(self.ready)("jobs", "adopt", "job-boat", env=self.env)
        assert done.code == 0, done.err

    def command(self, tag: str) -> list[str]:
        return ["download", "@1", "-o", "boat.mp4"]

    def judge(self, tag: str, home: Path, out: str, killed: bool, point: Point, tally: Tally) -> None:
        boat = home / "boat.mp4"
        assert not boat.exists() or boat.read_bytes() == FILM, "the target holds a part of a video"
        assert not out.strip() or boat.exists(), "what was printed is there"
        again = Shell(home)("download", "@1", "-o", str(boat), "--json", env=self.env)
        assert again.code == 0, again.err
        assert boat.read_bytes() == FILM
        [output] = again.json["outputs"]
        assert output["bytes"] == len(FILM)
        left = sorted(path.name for path in home.iterdir() if path.is_file() and path != boat)
        assert not left, left
        assert not self.service.accepted, "a download submits nothing"
        tally.known += 1


def parse(log: str) -> list[tuple[str, str, str]]:
    """Return thread, name and the rest of every call that strace wrote down, in the order they were begun."""
    found = (re.match(r"(\d+)\s+(\w+)\((.*)", line) for line in log.splitlines())
    return [(match[1], match[2], match[3]) for match in found if match]


def why_not() -> str | None:
    """Return why nothing can be killed here, None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed; the package strace would prove this"
    probe = [
        "strace",
        "-f",
        "-qq",
        "-o",
        os.devnull,
        "-e",
        "trace=close",
        "-e",
        "inject=close:signal=KILL:when=1",
        "true",
    ]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=240, check=False)
    return None if done.returncode in KILLED else f"strace may not kill here: {done.stderr.strip()[:200]}"


def sweep(drill: Drill, points: Iterable[Point], *, workers: int = 2, minutes: float | None = None) -> Tally:
    """Kill at each point, as far as the time allows."""
    tally, lock = Tally(), threading.Lock()
    end = None if minutes is None else time.monotonic() + minutes * 60

    def one(point: Point) -> None:
        if end is None or time.monotonic() < end:
            drill.kill_at(point, tally, lock)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, points))
    return tally


DRILLS = {drill.name: drill for drill in (SubmitDrill, DownloadDrill)}


def main() -> int:
    """Sweep, and print what came of it; the exit code says whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("drills", nargs="*", metavar="DRILL", help=f"of: {', '.join(DRILLS)}")
    parser.add_argument("--every", type=int, default=25, help="one in how many of the calls that only load modules")
    parser.add_argument("--minutes", type=float, help="for each drill; what is left then is left out, and said")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--quick", action="store_true", help="a dozen points of each drill")
    wanted = parser.parse_args()
    default_signals()
    if reason := why_not():
        print(f"SKIPPED: {reason}", file=sys.stderr)
        return 77
    clean = True
    for name in wanted.drills or list(DRILLS):
        with tempfile.TemporaryDirectory() as folder, DRILLS[name](Path(folder)) as drill:
            calls = drill.calls()
            begun = next(place for place, call in enumerate(calls) if "jobs.db" in call[2])
            points = drill.points(calls, wanted.every)
            # Spread over the run, so that a sweep that runs out of time has seen all of it.
            order = [point for step in range(7) for point in points[step::7]]
            if wanted.quick:
                order = points[len(points) // 24 :: max(len(points) // 12, 1)]
            began = time.monotonic()
            tally = sweep(drill, order, workers=wanted.workers, minutes=wanted.minutes)
        share = len(tally.unknown) / (len(calls) - begun)
        clean = clean and tally.is_clean and share <= MOST_UNKNOWN
        took = time.monotonic() - began
        print(f"{name}: {len(calls) - begun} calls from the opening of the record on, {len(points)} points chosen")
        print(f"  {tally.points} tried in {took:.0f} s, {tally.killed} of them killed there")
        print(f"  nothing sent {tally.not_sent}, on record with its id, or saved whole by the next run {tally.known}")
        print(f"  charged but unknown {len(tally.unknown)} ({share:.2%} of all calls)")
        print(f"  lost {len(tally.lost)}, double {len(tally.double)}, other faults {len(tally.faults)}")
        for point in tally.unknown:
            print(f"  unknown: {point.call} {point.number}: {calls[point.place][2][:80]}")
        for fault in [*tally.lost, *tally.double, *tally.faults]:
            print(f"  FAULT: {fault}")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
