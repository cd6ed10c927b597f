"""A gallery that is served from a record of a test's own, and bare requests to it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from orvideo.gallery.live import LiveGallery
from orvideo.gallery.server import GalleryServer
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Output, Record, Submission

#: Seconds until an answer that should come is there, on a machine however busy.
PATIENCE = 120


class Answer(NamedTuple):
    """What came back, exactly."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served(NamedTuple):
    """A server, and the record behind it, opened once more as another program would."""

    server: GalleryServer
    ledger: Ledger
    path: str

    @property
    def port(self) -> int:
        return int(self.server.origin.rpartition(":")[2])

    def ask(self, path: str = "", method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """Ask for what is below the token."""
        return self.ask_whole(self.path + path, method, body, **headers)

    def ask_whole(self, target: str, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
        """Ask for a target as it stands; a header that is "" is left out."""
        named = {"Host": f"127.0.0.1:{self.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body or method == "POST":
            named.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items() if value)]
        with self.connection() as one:
            one.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)
            return read_answer(one, has_body=method != "HEAD")

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def mark(self, body: Any, **headers: str) -> Answer:
        """Send a mark as the page does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual = {"Content_Type": "application/json", "Origin": self.server.origin}
        return self.ask("marks", "POST", raw, **{**usual, **headers})


def read_answer(connection: socket.socket, *, has_body: bool = True) -> Answer:
    with connection.makefile("rb") as file:
        status = int(file.readline().split()[1])
        headers = {}
        while line := file.readline().strip().decode("latin-1"):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Answer(status, headers, file.read() if has_body else b"")


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """Serve all jobs of a record in a folder."""
    path = folder / "jobs.db"
    with Ledger(path) as ledger, Ledger(path, lock_timeout=0.2) as shown:
        gallery = LiveGallery(shown, lambda own: own.list())
        server = GalleryServer(gallery)
        with server:
            yield Served(server, ledger, f"/{gallery.token}/")
        assert server.crashes == []


def running(ledger: Ledger, job_id: str = "job-1", prompt: str = "a paper boat") -> Record:
    """Put a job on record that runs."""
    seq = ledger.prepare(Submission({"model": "a/one", "prompt": prompt}, "https://example.invalid/api/v1"))
    ledger.sending(seq)
    ledger.submitted(seq, job_id, status="in_progress")
    return ledger.get(seq)


def saved(ledger: Ledger, path: Path, job_id: str = "job-1") -> Record:
    """Put a job on record whose video was saved to a path."""
    record = running(ledger, job_id)
    ledger.observed(record.seq, Observation("completed", final=True))
    ledger.output_saved(record.seq, Output(0, str(path), path.stat().st_size if path.is_file() else 1))
    return ledger.get(record.seq)
