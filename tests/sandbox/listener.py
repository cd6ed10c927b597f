"""A program that is called back: a real HTTP server on this machine, which keeps what it is sent."""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.drills.raw_server import CERTIFICATE

#: Longer than any call on this machine takes, however busy it is.
PATIENCE = 240


class Call(NamedTuple):
    """One request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Listener:
    """Where it listens, and what came. It answers with the statuses it is given, then with 200."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: queue.Queue[Call] = queue.Queue()
        self.answers: list[int] = []
        #: After so many calls, each waits until `answer`.
        self.unanswered_after: int | None = None
        self._answering = threading.Event()
        self._count = 0

    def call(self) -> Call:
        """Return the next call."""
        return self.calls.get(timeout=PATIENCE)

    def answer(self) -> None:
        """Answer all that wait, and all that come."""
        self._answering.set()

    def _reply(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if "favicon" not in handler.path:  # a browser asks for it
            self.calls.put(Call(handler.command, handler.path, dict(handler.headers), body))
        self._count += 1
        if self.unanswered_after is not None and self._count > self.unanswered_after:
            self._answering.wait(PATIENCE)
        handler.send_response(self.answers.pop(0) if self.answers else 200)
        handler.send_header("Location", f"{self.url}/elsewhere")
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<!DOCTYPE html><title>Heard</title><h1>Heard</h1>")


@contextmanager
def listening(*, tls: bool = False) -> Iterator[Listener]:
    """Listen on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            listener._reply(self)

        def do_GET(self) -> None:
            listener._reply(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        listener = Listener(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield listener
        finally:
            listener.answer()
            server.shutdown()
            thread.join()
