"""Send signals to orvideo at random moments, let the next commands go on, and look for what was lost.

    python -m tests.drills.signal_sweep                          # 200 rounds of each command
    python -m tests.drills.signal_sweep --rounds 20 wait batch   # a few, of some
    python -m tests.drills.signal_sweep --seed 7 --only 12 submit   # one round again

The installed script runs against a service in this process whose jobs take most of a second and whose videos come
slowly, half of them chunked as the service sends them, half with a length and a validator. In each round one of KILL,
TERM, INT, INT twice, HUP, and STOP with CONT comes: half of them at any moment of the run, half soon after a submit, a
look or a video was asked for. Then the command that goes on is run until all is done. Only the command line, the files
and what reached the service are looked at:

lost        a submit that the service accepted and that is on record neither by its id nor as unknown
twice       a submit that the service accepted more than once
partial     a file under a name that a person would open that is not a whole video, at any time
left        what is in the folders when all is done and would not be there after a quiet run
other       an exit code that the signal does not explain, a video that did not come, a command that does not end
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.download.films import mp4
from tests.drills.raw_server import Peer, RawServer, Received, http
from tests.drills.service import ORDER, SUBMITS, model_list, surroundings
from tests.processes import default_signals
from tests.shell import SCRIPT, Result, Shell

COMMANDS = ("submit", "wait", "download", "batch")
#: A job that was accepted is at its end after so many seconds; one that is only fetched was at its end before.
TAKES = 0.7
#: And a submit is answered so long after it was accepted: what dies in between has bought without knowing it.
THINKS = 0.1
PIECE, EVERY = 24_000, 0.03
FILMS = [mp4(size, seed) for seed, size in enumerate((180_000, 260_000, 340_000))]
SUMS = {hashlib.sha256(film).hexdigest() for film in FILMS}
ROWS = 3
#: So often the command that goes on is run again before it counts as one that does not get there.
TRIES = 4
#: Names of the person's own; everything else that appears is orvideo's.
OURS = re.compile(r"boat\.mp4|clips/[\w-]+\.mp4|rows\.jsonl")


class Blow(NamedTuple):
    """A signal, or two with a pause between them, and how the process may end for it, besides well."""

    name: str
    signals: tuple[signal.Signals, ...]
    codes: tuple[int, ...]


BLOWS = (
    Blow("KILL", (signal.SIGKILL,), (-9,)),
    Blow("TERM", (signal.SIGTERM,), (143, -15)),
    Blow("INT", (signal.SIGINT,), (130, -2)),
    Blow("INT twice", (signal.SIGINT, signal.SIGINT), (130, -2)),
    Blow("HUP", (signal.SIGHUP,), (129, -1)),
    Blow("STOP, CONT", (signal.SIGSTOP, signal.SIGCONT), ()),
)


#: What a blow may come soon after, and how soon (seconds).
MARKS, SOON = ("submit", "look", "video"), 0.15


class Service:
    """Accepts every submit, and knows by its prompt whose it was; a job's id is made of its prompt."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        #: What has been asked for: the round, and one of MARKS.
        self.asked: set[tuple[str, str]] = set()
        self._ready: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if not self._answer(peer, request):
                return

    def take(self, tag: str, seconds: float) -> str:
        """Have a job that was submitted elsewhere, at its end after so many seconds."""
        with self._lock:
            self._ready["job-" + tag] = time.monotonic() + seconds
        return "job-" + tag

    def _answer(self, peer: Peer, request: Received) -> bool:
        if request.method == "POST":
            # A body that a signal has cut short is no submit: no server would take it for one.
            if len(request.body) < int(request.headers["content-length"]):
                return False
            tag = json.loads(request.body)["prompt"]
            self._note(tag, "submit")
            with self._lock:
                self.accepted[tag] += 1
            job = self.take(tag, TAKES)
            time.sleep(THINKS)
            return peer.send(_json(202, {"id": job, "status": "pending"}))
        job = request.path.removeprefix(SUBMITS + "/").partition("/")[0]
        ready = self._ready.get(job)
        if ready is None:
            return peer.send(http(200, model_list()) if request.path.endswith("/models") else _json(404, {}))
        self._note(job.removeprefix("job-"), "video" if request.path.endswith("/content") else "look")
        if request.path.endswith("/content"):
            return send_film(peer, request, job)
        done = time.monotonic() >= ready
        about = {"status": "completed", "usage": {"cost": 0.12}} if done else {"status": "in_progress"}
        return peer.send(_json(200, {"id": job, **about}))

    def _note(self, tag: str, mark: str) -> None:
        command, number, *_ = tag.split("-")
        self.asked.add((f"{command}-{number}", mark))


def film_of(job: str) -> bytes:
    return FILMS[sum(job.encode()) % len(FILMS)]


def send_film(peer: Peer, request: Received, job: str) -> bool:
    """Send a video slowly: whole and chunked, or with its length, in parts and with a validator."""
    film = film_of(job)
    chunked = sum(job.encode()) % 2 == 0
    begin = 0 if chunked else int(request.headers.get("range", "bytes=0-")[6:].partition("-")[0])
    headers = {"Content-Type": "video/mp4"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers |= {"ETag": f'"{job}"', "Content-Length": str(len(film) - begin)}
    if begin:
        headers["Content-Range"] = f"bytes {begin}-{len(film) - 1}/{len(film)}"
    if not peer.send(http(206 if begin else 200, b"", headers)):
        return False
    for start in range(begin, len(film), PIECE):
        piece = film[start : start + PIECE]
        if not peer.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece):
            return False
        time.sleep(EVERY)
    return not chunked or peer.send(b"0\r\n\r\n")


def _json(status: int, body: object) -> bytes:
    return http(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


class Tally:
    """What the rounds of one command came to; a problem is a round's name and what is wrong."""

    def __init__(self) -> None:
        self.rounds = self.hit = self.nothing_sent = self.known = self.unknown = 0
        self.problems: dict[str, list[str]] = {kind: [] for kind in ("lost", "twice", "partial", "left", "other")}

    @property
    def is_clean(self) -> bool:
        return not any(self.problems.values())


class Sweep:
    """Rounds of one command, each in a home of its own."""

    def __init__(self, command: str, work: Path, seed: int) -> None:
        self.command, self.work, self.seed = command, work, seed
        self.service = Service()
        self.server = RawServer(self.service)
        self.tally = Tally()
        self._lock = threading.Lock()
        self.seconds, self.usual = 1.0, frozenset[str]()

    @contextmanager
    def running(self) -> Iterator[Sweep]:
        """Serve, fetch the model list once for all homes, and make one quiet run to compare with."""
        with self.server:
            self.env = surroundings(self.server)
            ready = self.work / "ready"
            ready.mkdir()
            assert Shell(ready)("models", "-q", env=self.env).code == 0
            one = Round(self, 0)
            began = time.monotonic()
            process = one.start()
            process.wait(timeout=240)
            self.seconds = time.monotonic() - began
            assert process.returncode == 0, one.said()
            one.go_on()
            self.usual = frozenset(one.names())
            assert not one.problems, one.problems
            yield self

    def beside(self, shell: Shell, *argv: str) -> Result:
        """Run a command that is not what a round is about, in this process and one at a time."""
        with self._lock:
            return shell(*argv)

    def round(self, number: int) -> None:
        one = Round(self, number)
        try:
            one.strike()
        except Exception as error:
            one.wrong("other", f"{type(error).__name__}: {error}")
        with self._lock:
            self.tally.rounds += 1
            self.tally.hit += one.hit
            self.tally.nothing_sent += one.nothing_sent
            self.tally.known += one.known
            self.tally.unknown += one.unknown
            for kind, what in one.problems:
                self.tally.problems[kind].append(what)
        if not one.problems:
            shutil.rmtree(one.home)


class Round:
    """One run of the command, one blow, and what comes after."""

    def __init__(self, sweep: Sweep, number: int) -> None:
        self.sweep, self.number = sweep, number
        self.tag = self.name = f"{sweep.command}-{number}"
        self.chance = random.Random(f"{sweep.seed} {self.tag}")
        self.home = sweep.work / self.tag
        shutil.copytree(sweep.work / "ready", self.home)
        self.shell = Shell(self.home, dict(sweep.env))
        self.problems: list[tuple[str, str]] = []
        self.hit = False
        self.nothing_sent = self.known = self.unknown = 0
        (self.home / "clips").mkdir()
        rows = [json.dumps({"prompt": f"{self.tag}-{row}"}) + "\n" for row in range(1, ROWS + 1)]
        (self.home / "rows.jsonl").write_text("".join(rows))
        #: The prompts of the submits that this round is about.
        self.bought = {"submit": [self.tag], "batch": [f"{self.tag}-{row}" for row in range(1, ROWS + 1)]}.get(
            sweep.command, []
        )
        self.job = "job-" + self.tag
        if not self.bought:
            self.job = sweep.service.take(self.tag, 0.0)
            self.adopted()

    def adopted(self) -> None:
        """Put the job on record before the command; it runs on when it is to be waited for."""
        done = self.sweep.beside(self.shell, "jobs", "adopt", self.job, "-q")
        assert done.code == 0, done.err
        if self.sweep.command == "wait":
            self.sweep.service.take(self.tag, TAKES)
        self.sweep.service.asked.discard((self.tag, "look"))

    def line(self) -> list[str]:
        match self.sweep.command:
            case "submit":
                return ["submit", self.tag, *ORDER[1:], "--wait", "-o", "boat.mp4", "--json"]
            case "batch":
                return ["batch", "rows.jsonl", *ORDER[1:], "-o", "clips/", "--jobs", "2", "-q"]
            case command:
                return [command, self.job, "-o", "boat.mp4", "--json"]

    def start(self) -> subprocess.Popen[bytes]:
        with (self.home / "out").open("wb") as out, (self.home / "err").open("wb") as err:
            return self.shell.popen(*self.line(), stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def said(self) -> str:
        return (self.home / "err").read_text(errors="replace")[-400:]

    def strike(self) -> None:
        blow, pause = self.chance.choice(BLOWS), self.chance.uniform(0.01, 0.3)
        marks = MARKS if self.bought else MARKS[1:]
        mark = self.chance.choice(marks) if self.chance.random() < 0.5 else None
        moment = self.chance.uniform(0, SOON if mark else self.sweep.seconds)
        self.name = f"{self.tag}: {blow.name} {moment:.3f} s after {mark or 'its start'}"
        process = self.start()
        try:
            while mark and process.poll() is None and (self.tag, mark) not in self.sweep.service.asked:
                time.sleep(0.002)
            try:
                process.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                self.hit = True
                for number, one in enumerate(blow.signals):
                    if number:
                        time.sleep(pause)
                    process.send_signal(one)
            process.wait(timeout=240)
        finally:
            process.kill()
            process.wait()
        if process.returncode not in (0, *blow.codes) and not self.in_the_interpreter():
            self.wrong("other", f"exit {process.returncode}: {self.said()}")
        self.whole()
        self.go_on()
        self.whole()
        if left := sorted(self.names() - self.sweep.usual):
            self.wrong("left", ", ".join(left))

    def in_the_interpreter(self) -> bool:
        """Say whether the signal met Python before the first line of orvideo: nobody can guard that."""
        said = (self.home / "err").read_text(errors="replace")
        return "KeyboardInterrupt" in said and "/orvideo/" not in said

    def go_on(self) -> None:
        """Run the commands that go on until all is done, and check the money and the videos."""
        if self.sweep.command == "batch":
            done = self.again(self.line(), (0, 9))
            statuses = {row["prompt"]: row["status"] for row in self.on_record()}
            for tag in self.bought:
                self.account(tag, [(job, statuses[prompt]) for job, prompt in self.rows() if prompt == tag])
            if (done.code == 9) != bool(self.unknown):
                self.wrong("other", f"{self.unknown} rows are unknown, and the batch ended with {done.code}")
            return
        if self.sweep.command == "submit":
            rows = self.on_record()
            if not self.sweep.service.accepted[self.tag] and not any(row["id"] for row in rows):
                self.nothing_sent += 1
                if not rows or not self.is_unknown(rows[0]["status"]):
                    self.again(self.line(), (0,))
                    rows = self.on_record()
            self.account(self.tag, [(row["id"], row["status"]) for row in rows if not self.is_unsent(row["status"])])
            if not self.known:
                return
            command = "wait"
        else:
            self.known += 1
            command = self.sweep.command
        self.again([command, self.job, "-o", "boat.mp4", "-q"], (0,))
        boat = self.home / "boat.mp4"
        if not boat.is_file() or boat.read_bytes() != film_of(self.job):
            self.wrong("other", "the video is not under its name")

    def account(self, tag: str, rows: list[tuple[str | None, str]]) -> None:
        """Compare what the service accepted with what is on record."""
        accepted = self.sweep.service.accepted[tag]
        ids = [job for job, _ in rows if job]
        if accepted > 1:
            self.wrong("twice", f"{tag} was accepted {accepted} times")
        if ids:
            self.known += 1
            if ids != ["job-" + tag]:
                self.wrong("other", f"{tag} is on record as {ids}")
            elif self.sweep.command == "batch" and not self.has(film_of(ids[0])):
                self.wrong("other", f"{tag} was bought and its video is not here")
        elif any(self.is_unknown(status) for _, status in rows):
            self.unknown += 1
        elif accepted:
            self.wrong("lost", f"{tag}: on record as {rows}")
        else:
            self.wrong("other", f"{tag} was never bought: {rows}")

    def on_record(self) -> list[dict[str, str]]:
        listed = self.sweep.beside(self.shell, "jobs", "--json", "-n", "0")
        if listed.code != 0:
            self.wrong("other", f"jobs: exit {listed.code}: {listed.err[-300:]}")
            return []
        return list(listed.json)

    def rows(self) -> list[tuple[str | None, str]]:
        return [(row["id"], row["prompt"]) for row in self.on_record() if not self.is_unsent(row["status"])]

    @staticmethod
    def is_unknown(status: str) -> bool:
        return "unknown" in status or status == "sending"

    @staticmethod
    def is_unsent(status: str) -> bool:
        return status.startswith("not") or status == "prepared"

    def again(self, line: list[str], good: tuple[int, ...]) -> Result:
        """Run a command until it ends as it should."""
        for _ in range(TRIES):
            done = self.shell.process(*line, timeout=240)
            self.whole()
            if done.code in good:
                return done
        self.wrong("other", f"{' '.join(line[:2])} ends with {done.code}: {done.err[-300:]}")
        return done

    def whole(self) -> None:
        """Check that every file that has a name of the person's is a whole video."""
        for path in self.home.rglob("*.mp4"):
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except FileNotFoundError:
                continue
            if digest not in SUMS:
                self.wrong("partial", f"{path.name}, {path.stat().st_size} bytes")

    def has(self, film: bytes) -> bool:
        return any(path.read_bytes() == film for path in (self.home / "clips").glob("*.mp4"))

    def names(self) -> set[str]:
        """Return the names of all files, those of the person's own as one."""
        found = {str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file()}
        return {OURS.sub("(ours)", name) for name in found}

    def wrong(self, kind: str, what: str) -> None:
        problem = (kind, f"{self.name}: {what}")
        if problem not in self.problems:
            self.problems.append(problem)


def sweep(
    command: str,
    rounds: int,
    work: Path,
    *,
    seed: int = 1,
    only: int | None = None,
    at_once: int = 2,
    show: bool = False,
) -> Tally:
    """Make so many rounds of a command; the blow of each depends on the seed and its number alone."""
    work.mkdir()
    with Sweep(command, work, seed).running() as made, ThreadPoolExecutor(at_once) as pool:
        numbers = range(1, rounds + 1) if only is None else [only]
        for done, _ in enumerate(pool.map(made.round, numbers), 1):
            if show and done % 20 == 0:
                print(f"{command}: {done} rounds", file=sys.stderr, flush=True)
        return made.tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"of: {', '.join(COMMANDS)}")
    parser.add_argument("--rounds", type=int, default=200, help="of each command")
    parser.add_argument("--quick", action="store_true", help="ten rounds of each")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="rounds at once; most only wait")
    parser.add_argument("--seed", type=int, help="the same seed strikes at the same moments")
    parser.add_argument("--only", type=int, metavar="ROUND", help="this round alone")
    parser.add_argument("--keep", action="store_true", help="leave the homes of rounds with a problem, and say where")
    asked = parser.parse_args()
    default_signals()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    rounds = 10 if asked.quick else asked.rounds
    print(f"--seed {seed}, orvideo is {SCRIPT}")
    print("command    rounds   hit  nothing sent  known  unknown   lost  twice  partial  left  other  seconds")
    folder = Path(tempfile.mkdtemp(prefix="orvideo-signals-"))
    clean, faults = True, []
    for command in asked.commands or COMMANDS:
        began = time.monotonic()
        tally = sweep(command, rounds, folder / command, seed=seed, only=asked.only, at_once=asked.jobs, show=True)
        counts = {kind: len(found) for kind, found in tally.problems.items()}
        print(
            f"{command:9} {tally.rounds:7} {tally.hit:5} {tally.nothing_sent:13} {tally.known:6} {tally.unknown:8} "
            "{lost:6} {twice:6} {partial:8} {left:5} {other:6}".format(**counts),
            f"{time.monotonic() - began:8.0f}",
            flush=True,
        )
        clean = clean and tally.is_clean
        faults += [f"{kind}: {what}" for kind, found in tally.problems.items() for what in found]
    for fault in faults:
        print(f"FAULT {fault}")
    if asked.keep and not clean:
        print(f"the homes are in {folder}")
    else:
        shutil.rmtree(folder)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
