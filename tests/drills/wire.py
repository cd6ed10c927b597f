"""A service of one job, scripted by path and exact to the byte: what each look, each download and each submit meets.

    with Wire({"status": "pending"}, {"status": "completed"}, content=[film(mp4())]) as wire:
        record = wire.bought(orvideo)
        orvideo("wait", "job-1", "-o", "boat.mp4", env=wire.env)

Each list is used up step by step; its last step answers everything that follows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orvideo.record.ledger import Ledger
from orvideo.record.values import Record, Submission
from tests.drills.raw_server import Peer, RawServer, Received, http
from tests.drills.service import model_list
from tests.shell import KEY, Shell

#: What one request meets: a job's fields (as JSON with 200), exact bytes, or what is to be done with the connection.
#: The last says whether the connection goes on.
Step = Mapping[str, Any] | bytes | Callable[[Peer, Received], bool]

JOB = "job-1a2b3c4d"
LOOK = f"/api/v1/videos/{JOB}"
CONTENT = f"{LOOK}/content"
DONE: dict[str, Any] = {
    "status": "completed",
    "unsigned_urls": [f"{CONTENT}?index=0"],
    "usage": {"cost": 0.12},
}


def refuse(status: int, message: str = "no", **headers: str) -> bytes:
    """Return an error as the service sends it; header names with `_` for `-`."""
    body = json.dumps({"error": {"code": status, "message": message}}).encode()
    return http(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def close(peer: Peer, request: Received) -> bool:
    """Close without an answer."""
    return False


def reset(peer: Peer, request: Received) -> bool:
    """Reset without an answer."""
    peer.reset()
    return False


def send_and_close(data: bytes) -> Step:
    """Send exactly these bytes and close."""

    def step(peer: Peer, request: Received) -> bool:
        peer.send(data)
        return False

    return step


def send_and_stall(data: bytes) -> Step:
    """Send exactly these bytes and then nothing more."""

    def step(peer: Peer, request: Received) -> bool:
        peer.send(data)
        peer.stall()
        return False

    return step


def film(data: bytes, *, etag: str | None = '"v1"', ranges: bool = True, **headers: str) -> Step:
    """Serve a file whole, and its rest where it is asked for with the right validator."""

    def step(peer: Peer, request: Received) -> bool:
        named = {"Content-Type": "video/mp4", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if etag is not None:
            named["ETag"] = etag
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked is None or not ranges or request.headers.get("if-range") != etag:
            return peer.send(http(200, data, named))
        start = int(asked[1])
        if start >= len(data):
            return peer.send(http(416, b"", named | {"Content-Range": f"bytes */{len(data)}"}))
        return peer.send(
            http(206, data[start:], named | {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})
        )

    return step


def cut_film(data: bytes, after: int, *, etag: str | None = '"v1"', start: int = 0) -> Step:
    """Announce a whole file (or, with `start`, its rest), and close after so many bytes."""
    tag = f"ETag: {etag}\r\n" if etag else ""
    where = f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}\r\n" if start else ""
    head = f"HTTP/1.1 {206 if start else 200} X\r\n{tag}{where}Content-Length: {len(data) - start}\r\n\r\n"
    return send_and_close(head.encode() + data[start : start + after])


class Wire(RawServer):
    """A server that plays the service for one job, `JOB`, and holds what was asked in `requests`."""

    def __init__(
        self,
        *looks: Step,
        content: Sequence[Step] = (),
        submit: Sequence[Step] = (),
        places: Mapping[str, Sequence[Step]] | None = None,
    ) -> None:
        super().__init__(self._talk)
        missing = refuse(404, "nothing here")
        models = http(200, model_list())
        accepted = http(202, json.dumps({"id": JOB, "status": "pending"}).encode())
        self._steps: dict[tuple[str, str], list[Step]] = {
            ("POST", "/api/v1/videos"): list(submit) or [accepted],
            ("GET", "/api/v1/videos/models"): [models],
            ("GET", "/api/v1/key"): [http(200, b'{"data": {"label": "k", "limit": 5, "limit_remaining": 4.5}}')],
            ("GET", LOOK): list(looks) or [missing],
            ("GET", CONTENT): list(content) or [missing],
        }
        for path, steps in (places or {}).items():
            self._steps["GET", path] = list(steps)
        self._missing = missing
        self.now_open = self.most_open = 0

    @property
    def env(self) -> dict[str, str]:
        """The variables that lead orvideo here, with the canary key."""
        return {"ORVIDEO_BASE_URL": self.url, "OPENROUTER_API_KEY": KEY}

    @property
    def looks(self) -> int:
        return self.count("GET", LOOK)

    @property
    def fetches(self) -> list[Received]:
        return [request for request in self.requests if request.path == CONTENT]

    @property
    def posts(self) -> int:
        return self.count("POST")

    def bought(self, shell: Shell, job_id: str = JOB, *, target: str | None = None, status: str = "pending") -> Record:
        """Put a job on record as a submit to this service would have left it, and lead the shell here."""
        shell.environ |= self.env
        with Ledger(record_path(shell), clock=shell.clock) as ledger:
            request = {"model": "google/veo-3.1-lite", "prompt": "a paper boat", "duration": 4, "resolution": "720p"}
            seq = ledger.prepare(Submission(request=request, endpoint=self.url, target=target))
            ledger.sending(seq)
            ledger.submitted(seq, job_id, status=status)
            return ledger.get(seq)

    def _talk(self, peer: Peer) -> None:
        with self._lock:
            self.now_open += 1
            self.most_open = max(self.most_open, self.now_open)
        try:
            while (request := peer.read_request()) is not None and self._answer(peer, request):
                pass
        finally:
            with self._lock:
                self.now_open -= 1

    def _answer(self, peer: Peer, request: Received) -> bool:
        with self._lock:
            steps = self._steps.get((request.method, request.path), [self._missing])
            step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, bytes):
            return peer.send(step)
        if isinstance(step, Mapping):
            job_id = request.path.rsplit("/", 1)[-1]
            return peer.send(http(200, json.dumps({"id": job_id, **step}).encode()))
        return step(peer, request)


def record_path(shell: Shell) -> Path:
    return Path(shell.environ["XDG_STATE_HOME"]) / "orvideo" / "jobs.db"
