"""The bare server of the benchmarks: answers at once, and costs as little as Python can make it.

It speaks just enough of the video API for one trip (submit, look, content), sends its film with `sendfile`, and is
told from the command line how: how large, over TLS or not, how fast, how late. The film comes as the service sends it,
in chunks and with nothing said about it; with `--stored` as a signed URL of a store sends it: with its length, an ETag,
and a part where one is asked for. It runs in a process of its own, prints its base URL when it listens, and ends when
its stdin does. Nothing here is part of orvideo.

`GET /bench/stats` returns what it counted since `POST /bench/reset`, or since `/bench/begin`, which forgets no job;
`POST /bench/finish` completes every job.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import socket
import ssl
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

API = "/api/v1"
ROOT = Path(__file__).resolve().parents[1]
CERTIFICATE = ROOT / "tests" / "drills" / "localhost.pem"
MODELS = ROOT / "orvideo" / "sandbox" / "models.json"
_PIECE = 1 << 20
_CHUNK = 256 << 10


def film_head(size: int) -> bytes:
    """Return the beginning of an MP4 of `size` bytes whose media is the zeros that follow: ftyp, moov, mdat."""
    ftyp = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    moov = _box(b"moov", _box(b"mvhd", bytes(100)))
    rest = size - len(ftyp) - len(moov)
    return ftyp + moov + (1).to_bytes(4, "big") + b"mdat" + rest.to_bytes(8, "big")


def _box(name: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name + body


@dataclass
class Manner:
    """How the server behaves: sizes in bytes, times in seconds, rates in bytes a second."""

    size: int = 10 << 20
    #: With a length, an ETag and ranges, as a store sends it; else in chunks, as the service does.
    stored: bool = False
    tls: bool = False
    rate: float | None = None
    latency: float = 0.0
    #: Looks before a job is completed; None: only when `/bench/finish` is called.
    looks: int | None = 1


@dataclass
class Counts:
    """What was asked of the server."""

    submits: int = 0
    looks: int = 0
    downloads: int = 0
    connections: int = 0
    began: float = field(default_factory=time.monotonic)
    cpu: float = 0.0
    #: Seconds between the answer to a job's look and its next look.
    gaps: list[float] = field(default_factory=list)


class Server:
    """Takes connections on a free port of loopback, one thread each."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self._film = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        head = film_head(manner.size)
        self._film.write(head)
        self._film.truncate(manner.size)
        self._film.flush()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._context: ssl.SSLContext | None = None
        if manner.tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(CERTIFICATE)
            self._zeros = memoryview(bytes(_PIECE))
            self._head = head
        self._models = MODELS.read_bytes()
        self._lock = threading.Lock()
        self._looks: dict[str, int] = {}
        self._answered: dict[str, float] = {}
        self._finished = False
        self._counts = Counts()
        port = self._listener.getsockname()[1]
        self.origin = f"https://localhost:{port}" if manner.tls else f"http://127.0.0.1:{port}"

    @property
    def base_url(self) -> str:
        return self.origin + API

    def serve_forever(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._counts.connections += 1
            self._talk(connection)
        except OSError:
            pass  # the client has what it wants
        finally:
            connection.close()

    def _talk(self, connection: socket.socket) -> None:
        buffer = b""
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                data = connection.recv(65536)
                if not data:
                    return
                buffer += data
            head, buffer = buffer[:end], buffer[end + 4 :]
            method, path = head.split(b" ", 2)[:2]
            length = _length_of(head)
            if b"100-continue" in head:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while len(buffer) < length:
                buffer += connection.recv(65536)
            buffer = buffer[length:]
            if path.startswith(API.encode()) and self.manner.latency:
                time.sleep(self.manner.latency)
            self._answer(connection, method.decode(), path.decode(), head)

    def _answer(self, connection: socket.socket, method: str, path: str, head: bytes) -> None:
        where = path.partition("?")[0]
        if where.startswith("/bench/"):
            _send_json(connection, 200, self._control(where))
        elif method == "POST" and where == f"{API}/videos":
            _send_json(connection, 202, self._submit())
        elif where == f"{API}/videos/models":
            _send(connection, 200, self._models)
        elif where.endswith("/content"):
            with self._lock:
                self._counts.downloads += 1
            self._send_film(connection, _start_of(head) if self.manner.stored else 0)
        elif where.startswith(f"{API}/videos/"):
            _send_json(connection, 200, self._look(where.rpartition("/")[2]))
        else:
            _send_json(connection, 404, {"error": {"code": 404, "message": "nothing here"}})

    def _submit(self) -> dict[str, object]:
        with self._lock:
            self._counts.submits += 1
            job_id = f"bench-{self._counts.submits:08d}"
        return self._job(job_id, "pending")

    def _look(self, job_id: str) -> dict[str, object]:
        now = time.monotonic()
        with self._lock:
            self._counts.looks += 1
            seen = self._looks[job_id] = self._looks.get(job_id, 0) + 1
            if job_id in self._answered:
                # It came `latency` ago: what is answered now was asked then.
                self._counts.gaps.append(now - self.manner.latency - self._answered[job_id])
            self._answered[job_id] = now
        enough = self.manner.looks is not None and seen >= self.manner.looks
        return self._job(job_id, "completed" if enough or self._finished else "in_progress")

    def _job(self, job_id: str, status: str) -> dict[str, object]:
        place = f"{self.base_url}/videos/{job_id}"
        job: dict[str, object] = {"id": job_id, "polling_url": place, "status": status}
        if status == "completed":
            job |= {"unsigned_urls": [f"{place}/content?index=0"], "usage": {"cost": 0.2, "is_byok": False}}
        return job

    def _control(self, where: str) -> dict[str, object]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = usage.ru_utime + usage.ru_stime
        with self._lock:
            if where == "/bench/finish":
                self._finished = True
            elif where == "/bench/reset":
                self._counts, self._looks, self._answered, self._finished = Counts(cpu=cpu), {}, {}, False
            elif where == "/bench/begin":
                self._counts = Counts(cpu=cpu)
            counts = self._counts
            return {
                "submits": counts.submits,
                "looks": counts.looks,
                "downloads": counts.downloads,
                "connections": counts.connections,
                "seconds": time.monotonic() - counts.began,
                "cpu": cpu - counts.cpu,
                "gaps": sorted(counts.gaps),
                "waiting": sorted(time.monotonic() - answered for answered in self._answered.values()),
            }

    # The film

    def _send_film(self, connection: socket.socket, start: int) -> None:
        size, stored = self.manner.size, self.manner.stored
        framing = "Transfer-Encoding: chunked"
        if stored:
            framing = f'ETag: "bench"\r\nAccept-Ranges: bytes\r\nContent-Length: {size - start}'
        if start:
            framing += f"\r\nContent-Range: bytes {start}-{size - 1}/{size}"
        head = f"HTTP/1.1 {206 if start else 200} OK\r\nContent-Type: video/mp4\r\n{framing}\r\n\r\n"
        connection.sendall(head.encode())
        piece = _PIECE if stored else _CHUNK
        if self.manner.rate:
            piece = min(piece, 256 << 10)
        began, sent = time.monotonic(), start
        while sent < size:
            count = min(piece, size - sent)
            if not stored:
                connection.sendall(b"%x\r\n" % count)
            self._send_piece(connection, sent, count)
            if not stored:
                connection.sendall(b"\r\n")
            sent += count
            if self.manner.rate:
                time.sleep(max(0.0, began + (sent - start) / self.manner.rate - time.monotonic()))
        if not stored:
            connection.sendall(b"0\r\n\r\n")

    def _send_piece(self, connection: socket.socket, start: int, count: int) -> None:
        if self._context is not None:
            piece = self._zeros[:count]
            if start == 0:
                piece = memoryview(self._head + bytes(count - len(self._head)))
            connection.sendall(piece)
            return
        end = start + count
        while start < end:
            start += os.sendfile(connection.fileno(), self._film.fileno(), start, end - start)


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _start_of(head: bytes) -> int:
    """Return where the part begins that is asked for: 0 where the whole is."""
    asked = re.search(rb"\r\nrange: *bytes=(\d+)-", head, re.IGNORECASE)
    return int(asked[1]) if asked else 0


def _send_json(connection: socket.socket, status: int, document: dict[str, object]) -> None:
    _send(connection, status, json.dumps(document).encode())


def _send(connection: socket.socket, status: int, body: bytes) -> None:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=10 << 20)
    parser.add_argument("--stored", action="store_true", help="with a length, an ETag and ranges")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--rate", type=float, default=None)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--looks", type=int, default=1, help="0: completed only when told to")
    given = parser.parse_args()
    manner = Manner(given.size, given.stored, given.tls, given.rate, given.latency, given.looks or None)
    server = Server(manner)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.base_url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
