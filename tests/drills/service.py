"""The service as the command line sees it in the drills: a model list that works, and a submit that goes wrong.

The first connection that orvideo opens brings the model list; the second one is the submit, because a submit never
reuses a connection. So the behaviours that are given here are those of the submits, exact to the byte. Connections
that come later are told apart by what they ask first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import orvideo.sandbox
from orvideo.api.transport import Limits
from orvideo.record.ledger import Ledger
from orvideo.record.values import Record
from tests.drills.raw_server import Behaviour, Peer, RawServer, http
from tests.shell import KEY, Result, Shell

#: The request of most drills: its price is known, nothing is left to choose.
ORDER = ("a paper boat", "-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
QUICK = Limits(connect=5, read=1, submit_total=3, call_total=3, stall_seconds=1)
HASTY = Limits(connect=5, read=5, submit_total=1.5, call_total=1.5, stall_seconds=1)
SUBMITS = "/api/v1/videos"


@cache
def model_list() -> bytes:
    """Return the service's model list, as bytes."""
    return (Path(orvideo.sandbox.__file__).parent / "models.json").read_bytes()


def models_with(**changed: Any) -> bytes:
    """Return the model list with these fields of the drilled model changed."""
    document = json.loads(model_list())
    for model in document["data"]:
        if model["id"] == "google/veo-3.1-lite":
            model |= changed
    return json.dumps(document).encode()


class Looks:
    """Answers the looks on one connection: the model list, and a job's states one after the other; refuses a POST."""

    def __init__(self, *jobs: Mapping[str, Any], models: bytes | None = None) -> None:
        self._jobs = list(jobs)
        self._models = models or model_list()
        #: What was asked for on this connection that has no business there.
        self.strays: list[str] = []

    def __call__(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if request.method != "GET":
                self.strays.append(request.method)
                return
            if request.path.endswith("/videos/models"):
                answer = http(200, self._models)
            elif request.path.startswith(SUBMITS + "/") and self._jobs:
                job = self._jobs.pop(0) if len(self._jobs) > 1 else self._jobs[0]
                answer = http(200, json.dumps(job).encode())
            else:
                answer = http(404, b'{"error": {"code": 404, "message": "no such thing"}}')
            if not peer.send(answer):
                return


@contextmanager
def service(*submits: Behaviour, looks: Looks | None = None) -> Iterator[RawServer]:
    """Run a service whose model list works and whose submits behave like this, one after the other."""
    looks = looks or Looks()

    def later(peer: Peer) -> None:
        """After the submits come looks, on connections of their own, or more submits."""
        (looks if not submits or peer.asks("GET") else submits[-1])(peer)

    with RawServer(looks, *submits, later) as server:
        yield server


def surroundings(server: RawServer) -> dict[str, str]:
    """Return the variables that lead orvideo to a server, with the canary key."""
    return {"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": KEY}


def record_path(home: Path) -> Path:
    found = list((home / "state").rglob("jobs.db"))
    assert len(found) == 1, found
    return found[0]


def on_record(home: Path) -> list[Record]:
    """Return what is on record, newest first, as the next process would read it."""
    with Ledger(record_path(home)) as ledger:
        assert ledger.check() == ()
        return ledger.list()


def assert_clean(home: Path, *results: Result) -> None:
    """Check what holds for every row: no key anywhere, no traceback (drill K03)."""
    for result in results:
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert result.code != 1, result.err
    for path in home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def look_at_record(orvideo: Shell, *argv: str) -> Any:
    """Return what `orvideo jobs --json` answers."""
    listed = orvideo("jobs", "--json", *argv)
    assert listed.code == 0, listed.err
    return listed.json
