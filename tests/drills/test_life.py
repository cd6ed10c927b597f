"""The life of jobs as a state machine: whatever goes wrong in whatever order, each accepted job is on record.

Every step is a real command line through `main()` against a real server on a real socket; a kill is a copy of the
command that stops dead at the wire, as a process does that gets SIGKILL there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orvideo.record.ledger import Ledger
from orvideo.record.values import Record, State
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Peer, RawServer, Received, http
from tests.drills.service import ORDER, QUICK, SUBMITS, model_list, surroundings
from tests.shell import KEY, Result, Shell

FILM = mp4(3000)
HTML = b"<!DOCTYPE html><title>Log in</title>"
#: What a submit meets: (accepted or not, what is answered). `None` closes without an answer.
ANSWERS: dict[str, tuple[bool, bytes | None]] = {
    "202": (True, b""),
    "accepted, cut before the id": (True, http(202, b'{"id": "', {"Content-Length": "99"})),
    "accepted, closed": (True, None),
    "accepted, 502": (True, http(502, HTML)),
    "accepted, 204": (True, http(204)),
    "closed": (False, None),
    "500": (False, http(500, b'{"error": {"code": 500, "message": "oops"}}')),
    "400": (False, http(400, b'{"error": {"code": 400, "message": "no"}}')),
    "401": (False, http(401, b'{"error": {"code": 401, "message": "no"}}')),
    "402": (False, http(402, b'{"error": {"code": 402, "message": "poor"}}')),
    "429": (False, http(429, b'{"error": {"code": 429, "message": "later"}}', {"Retry-After": "500"})),
}
#: What the command must end with, by what the submit met.
CODES = {"202": 0, "closed": 9, "500": 9, "400": 6, "401": 4, "402": 5, "429": 7}
FINAL = ("completed", "failed", "expired")


@dataclass
class Service:
    """The service as it is really: what it accepted, and how that goes on."""

    jobs: dict[str, str] = field(default_factory=dict)
    posts: int = 0
    next: str = "202"
    looks: str = "fine"
    killing: bool = False

    def __call__(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            answer = self._submit(peer) if request.method == "POST" else self._look(request)
            if answer is None or not peer.send(answer):
                return

    def _submit(self, peer: Peer) -> bytes | None:
        self.posts += 1
        accepted, answer = ANSWERS[self.next]
        if accepted:
            job = f"job-{len(self.jobs):04}"
            self.jobs[job] = "pending"
            if answer == b"":
                return http(202, json.dumps({"id": job, "status": "pending"}).encode())
        return answer

    def _look(self, request: Received) -> bytes | None:
        if request.path.endswith("/models"):
            return http(200, model_list())
        if self.looks == "closed":
            return None
        if self.looks != "fine":
            return http(int(self.looks), HTML)
        job = request.path.removeprefix(SUBMITS + "/").partition("/")[0]
        if job not in self.jobs:
            return http(404, b'{"error": {"code": 404, "message": "no such job"}}')
        if request.path.endswith("/content"):
            return http(200, FILM, {"Content-Type": "video/mp4"})
        return http(200, json.dumps({"id": job, "status": self.jobs[job], "usage": {"cost": 0.12}}).encode())


#: A command that dies at the wire: SIGKILL before, or after, the server has what was sent.
KILLED = """
import os, signal, sys
from orvideo.record.ledger import Ledger
moved = getattr(Ledger, sys.argv[1])
def die(self, *args, **named):
    if sys.argv[2] == "after":
        moved(self, *args, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(Ledger, sys.argv[1], die)
from orvideo.cli import main
main(sys.argv[3:])
"""


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="orvideo-life-"))
        self.service = Service()
        self.server = RawServer(self.service)
        self.server.__enter__()
        self.clock = HandClock()
        self.shell = replace(Shell(self.home), clock=self.clock.clock(), limits=QUICK)
        self.env = surroundings(self.server)
        self.path = self.home / "state" / "orvideo" / "jobs.db"
        #: Rows that a person has taken off the record, by the id they had, and how many there were without one.
        self.forgotten: set[str] = set()
        self.forgotten_unknown = 0
        self.submits = self.killed = 0

    def teardown(self) -> None:
        self.server.__exit__(None, None, None)
        shutil.rmtree(self.home)

    # --- what a person does

    def run(self, *argv: str) -> Result:
        done = self.shell(*argv, env=self.env)
        assert KEY not in done.out + done.err
        assert done.code != 1, done.err
        return done

    def records(self) -> list[Record]:
        if not self.path.exists():
            return []
        with Ledger(self.path, clock=self.clock.clock()) as ledger:
            return ledger.list()

    @initialize()
    def begin(self) -> None:
        assert self.run("models", "-q").code == 0

    @rule(meets=st.sampled_from(list(ANSWERS)), wait=st.booleans())
    def submit(self, meets: str, wait: bool) -> None:
        self.service.next = meets
        posts, jobs, before = self.service.posts, set(self.service.jobs), len(self.records())
        waiting = ["--wait", "--timeout", "30s", "-o", f"boat-{self.submits}.mp4"] if wait else []
        done = self.run("submit", f"boat {self.submits}", *ORDER[1:], *waiting, "--json")
        self.submits += 1
        assert self.service.posts == posts + 1, "one submit, one POST"
        assert len(self.records()) == before + 1
        newest = self.records()[0]
        accepted = set(self.service.jobs) - jobs
        if meets == "202":
            assert {newest.id} == accepted
            # A look that goes wrong does not make it less bought.
            assert done.code == (8 if wait else 0), done.err
            assert not wait or done.error["charged"] == "yes"
        elif accepted or CODES[meets] == 9:
            assert (done.code, done.error["charged"], newest.state) == (9, "unknown", State.UNKNOWN)
        else:
            assert (done.code, done.error["charged"], newest.state) == (CODES[meets], "no", State.NOT_SENT)

    @rule(step=st.sampled_from(["sending", "answered", "submitted"]), when=st.sampled_from(["before", "after"]))
    def submit_and_be_killed(self, step: str, when: str) -> None:
        if self.killed >= 2:
            return  # each is a process of its own; two in a life are enough
        self.killed += 1
        self.service.next = "202"
        posts, jobs = self.service.posts, set(self.service.jobs)
        command = [sys.executable, "-c", KILLED, step, when, "submit", f"boat {self.submits}", *ORDER[1:]]
        environ = {**self.shell.environ, **self.env}
        done = subprocess.run(command, env=environ, cwd=self.home, capture_output=True, timeout=240, check=False)
        self.submits += 1
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert self.service.posts - posts == (0 if step == "sending" else 1)
        assert self.run("jobs", "-q").code == 0  # whoever opens the record next reads what was kept
        newest = self.records()[0]
        accepted = set(self.service.jobs) - jobs
        if (step, when) == ("sending", "before"):
            assert newest.state is State.NOT_SENT
        elif (step, when) in (("sending", "after"), ("answered", "before")):
            assert newest.state is State.UNKNOWN
        else:
            assert {newest.id} == accepted, "the answer was kept, so it is known"

    def _accepted_on_record(self) -> list[Record]:
        return [record for record in self.records() if record.id is not None]

    @precondition(lambda self: self.service.jobs)
    @rule(data=st.data(), status=st.sampled_from(["in_progress", "queued for tea", *FINAL]))
    def the_service_goes_on(self, data: Any, status: str) -> None:
        job = data.draw(st.sampled_from(sorted(self.service.jobs)))
        if self.service.jobs[job] not in FINAL:
            self.service.jobs[job] = status

    @precondition(lambda self: self._accepted_on_record())
    @rule(data=st.data(), looks=st.sampled_from(["fine", "fine", "503", "502", "closed"]))
    def look(self, data: Any, looks: str) -> None:
        self.service.looks = looks
        record = data.draw(st.sampled_from(self._accepted_on_record()))
        done = self.run("status", record.id or "", "--json")
        self.service.looks = "fine"
        assert done.code == 0 if looks == "fine" else done.code in (0, 7), done.err

    @precondition(lambda self: self._accepted_on_record())
    @rule(data=st.data(), looks=st.sampled_from(["fine", "503", "closed"]))
    def wait(self, data: Any, looks: str) -> None:
        self.service.looks = looks
        record = data.draw(st.sampled_from(self._accepted_on_record()))
        status = self.service.jobs.get(record.id or "", "")
        done = self.run("wait", record.id or "", "--timeout", "20s", "--json")
        self.service.looks = "fine"
        if looks == "fine" and status in FINAL:
            assert done.code in ((0, 13) if status == "completed" else (3,)), done.err
        else:
            assert (done.code, done.error["charged"], done.error["job_id"]) == (8, "yes", record.id)
            assert done.error["resume"] == f"orvideo wait {record.id}"

    @precondition(lambda self: any(status == "completed" for status in self.service.jobs.values()))
    @rule()
    def download_all(self) -> None:
        folder = self.home / "films"
        folder.mkdir(exist_ok=True)
        for job, status in self.service.jobs.items():
            if status == "completed" and job in {record.id for record in self.records()}:
                assert self.run("status", job, "-q").code == 0
        done = self.run("download", "--all", "-o", str(folder) + "/", "--json")
        assert done.code == 0, done.err
        for record in self._accepted_on_record():
            if record.status == "completed":
                assert record.is_fetched
                assert all(Path(output.path or "").read_bytes() == FILM for output in record.outputs)

    @precondition(lambda self: self.records())
    @rule(data=st.data())
    def forget(self, data: Any) -> None:
        record = data.draw(st.sampled_from(self.records()))
        done = self.run("jobs", "forget", record.handle, "--force")
        assert done.code == 0, done.err
        if record.id is not None:
            self.forgotten.add(record.id)
        elif record.state is State.UNKNOWN:
            self.forgotten_unknown += 1

    @precondition(lambda self: self.service.jobs)
    @rule(data=st.data())
    def adopt(self, data: Any) -> None:
        job = data.draw(st.sampled_from(sorted(self.service.jobs)))
        posts = self.service.posts
        done = self.run("jobs", "adopt", job, "--json")
        assert (done.code, done.json["id"], self.service.posts) == (0, job, posts), done.err
        self.forgotten.discard(job)

    # --- what holds after every step

    @invariant()
    def every_accepted_job_is_on_record_or_was_forgotten(self) -> None:
        records = self.records()
        known = [record.id for record in records if record.id is not None]
        assert len(known) == len(set(known)), "no job twice"
        assert set(known) <= set(self.service.jobs), "no job out of nothing"
        unknown = sum(record.state is State.UNKNOWN for record in records) + self.forgotten_unknown
        missing = set(self.service.jobs) - set(known) - self.forgotten
        assert len(missing) <= unknown, (missing, records)

    @invariant()
    def no_more_posts_than_submits(self) -> None:
        assert self.service.posts <= self.submits

    @invariant()
    def no_half_file_under_a_name(self) -> None:
        for path in self.home.rglob("*.mp4"):
            assert path.read_bytes() == FILM


Life.TestCase.settings = settings(
    max_examples=60 if os.environ.get("DRILLS") == "all" else 4,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=os.environ.get("DRILLS") != "all",
    # A life that fails is short enough to be read; making it shorter would take minutes of real processes.
    phases=(Phase.generate,),
    database=None,
)
TestLife = pytest.mark.long(Life.TestCase)
