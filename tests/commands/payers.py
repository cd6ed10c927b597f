"""A service that tells by the key who asks: each key has jobs of its own, and no other key sees them."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Any

from tests.download.films import mp4
from tests.drills.raw_server import Peer, RawServer, Received, http
from tests.drills.service import model_list

MINE = "sk-or-v1-0123456789abcdef-mine"
CLIENT_A = "sk-or-v1-0123456789abcdef-of-a"
CLIENT_B = "sk-or-v1-0123456789abcdef-of-b"


#: A line for --exec that writes all that it finds around it into the file `told`.
TELL = f"\"{sys.executable}\" -c \"import os; open('told', 'w').write(str(dict(os.environ)))\""


def tail(key: str) -> str:
    return key.rpartition("def-")[2]


class Payers(RawServer):
    """Takes any key; a job's id has the tail of the key that bought it, and only that key may look at it."""

    def __init__(self, status: str = "completed") -> None:
        super().__init__(self._talk)
        self.status = status
        self._numbers = itertools.count(1)

    def _talk(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if not peer.send(self._answer(request)):
                return

    def _answer(self, request: Received) -> bytes:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        place = request.path.removeprefix("/api/v1")
        if place == "/videos/models":
            return http(200, model_list())
        if not key:
            return _refused("No cookie auth credentials found")
        if place == "/key":
            return _json(200, {"data": {"label": tail(key), "limit": None, "limit_remaining": None}})
        if request.method == "POST":
            return _json(202, {"id": f"job-{next(self._numbers)}-{tail(key)}", "status": "pending"})
        if not place.partition("?")[0].removesuffix("/content").endswith(f"-{tail(key)}"):
            return _refused("User not found.")
        if place.endswith("/content"):
            return http(200, mp4(3000), {"Content-Type": "video/mp4"})
        return _json(200, {"id": place.rpartition("/")[2], "status": self.status, "usage": {"cost": 0.12}})

    def payers(self, path: str | None = None) -> set[str]:
        """Return the keys that asked with one, by their tails."""
        return {
            tail(request.headers["authorization"])
            for request in list(self.requests)
            if "authorization" in request.headers and path in (None, request.path)
        }


def _json(status: int, document: Any) -> bytes:
    return http(status, json.dumps(document).encode())


def _refused(message: str) -> bytes:
    return _json(401, {"error": {"code": 401, "message": message}})
