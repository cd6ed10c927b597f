"""An HTTP server made of sockets, for faults that are exact to the byte. Standard library only.

    with RawServer(Reply(202, {"id": "job-1"})) as server:
        ...server.url...
    assert server.count("POST", "/api/v1/videos") == 1

A server is given behaviours. The first connection gets the first one, and so on; the last one serves all that follow.
A behaviour is a callable that is handed the `Peer` of a connection and does with it what it wants; those below read,
answer, stall, drip, cut and reset. `routes` takes the behaviour by path instead of by order. Every request that was
read whole, or as far as it came, is in `requests`.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

#: A certificate for localhost and 127.0.0.1 that is signed by itself, and its key: good for tests and nothing else.
CERTIFICATE = Path(__file__).with_name("localhost.pem")
_IDLE = 120.0


@dataclass
class Received:
    """A request as it came: header names in lower case; the last of several wins, all of them are in `raw`."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """The other end of one connection, as a behaviour sees it."""

    def __init__(self, connection: socket.socket, server: RawServer) -> None:
        self.connection, self.server = connection, server
        self._buffer = b""

    def read_head(self) -> Received | None:
        """Read a request up to its empty line and note it; None when the peer is gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)}
        received = Received(method, target, headers, b"", head)
        self.server.note(received)
        return received

    def read_request(self) -> Received | None:
        """Read a request with its body and note it; None when the peer went away before its header ended."""
        received = self.read_head()
        if received is None:
            return None
        length = int(received.headers.get("content-length", "0"))
        while len(self._buffer) < length and self._more():
            pass
        received.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return received

    def asks(self, method: str) -> bool:
        """Tell whether the request that comes has this method; it is not read yet."""
        while not self._buffer:
            if not self._more():
                return False
        return self._buffer.startswith(method.encode())

    def send(self, data: bytes) -> bool:
        """Send bytes; False when the peer is gone."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def drip(self, data: bytes, *, size: int = 1, every: float = 0.02) -> bool:
        """Send bytes a few at a time; False when the peer is gone or the server stops."""
        for start in range(0, len(data), size):
            if not self.send(data[start : start + size]) or self.server.stopping.wait(every):
                return False
        return True

    def reset(self) -> None:
        """Close with an RST instead of a FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def stall(self, seconds: float = _IDLE) -> None:
        """Say nothing until the peer is gone, the server stops, or the time is over."""
        end = time.monotonic() + seconds
        self.connection.settimeout(0.02)
        while time.monotonic() < end and not self.server.stopping.is_set():
            try:
                if not self.connection.recv(65536):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _more(self) -> bool:
        try:
            data = self.connection.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


Behaviour = Callable[[Peer], None]


def http(status: int, body: bytes = b"", headers: Mapping[str, str] | list[tuple[str, str]] = {}) -> bytes:  # noqa: B006
    """Return a response with a Content-Length, as bytes; a list of headers may name one twice."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "content-length" not in names and "transfer-encoding" not in names and status >= 200:
        pairs.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + body


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    """Return pieces in chunked framing, with its end or cut before it."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + (b"0\r\n\r\n" if end else b"")


@dataclass
class Reply:
    """Reads each request whole and answers it, for as long as the connection is kept.

    `body` is sent as it is, or as JSON when it is not bytes. `close` ends the connection after one answer.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] | list[tuple[str, str]] = field(default_factory=dict)
    close: bool = False

    def __call__(self, peer: Peer) -> None:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        while peer.read_request() is not None:
            if not peer.send(http(self.status, body, self.headers)) or self.close:
                return


@dataclass
class Send:
    """Reads one request whole, sends exactly these bytes, and closes, or resets with `reset`."""

    data: bytes
    reset: bool = False

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(self.data)
            if self.reset:
                peer.reset()


@dataclass
class Drip:
    """Reads one request, sends `at_once`, then `data` over and over, `size` bytes every so many seconds."""

    data: bytes
    at_once: bytes = b""
    size: int = 1
    every: float = 0.02
    forever: bool = True

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is None or not peer.send(self.at_once):
            return
        while peer.drip(self.data, size=self.size, every=self.every) and self.forever:
            pass


@dataclass
class Stall:
    """Reads one request, sends `first`, and then nothing for as long as the peer has patience."""

    first: bytes = b""

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is not None and peer.send(self.first):
            peer.stall()


@dataclass
class Flood:
    """Reads one request and answers with informational responses without end (drill M23)."""

    data: bytes = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    every: float = 0.005

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is None:
            return
        while peer.send(self.data) and not peer.server.stopping.wait(self.every):
            pass


def close_at_once(peer: Peer) -> None:
    """Accept and close, without reading."""


def reset_at_once(peer: Peer) -> None:
    """Accept, and reset when the request begins to arrive, without reading it.

    An earlier reset can hit the peer while it is still connecting, which proves that nothing was sent.
    """
    select.select([peer.connection], [], [], _IDLE)
    peer.reset()


def close_after_request(peer: Peer) -> None:
    """Read the whole request, then close."""
    peer.read_request()


def reset_after_request(peer: Peer) -> None:
    """Read the whole request, then reset."""
    if peer.read_request() is not None:
        peer.reset()


def reset_in_body(peer: Peer) -> None:
    """Read the header and a little of the body, then reset."""
    if peer.read_head() is not None:
        peer.reset()


def never_read(peer: Peer) -> None:
    """Leave the request in the network's buffers until the server stops."""
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.server.stopping.wait(_IDLE)


class RawServer:
    """Listens on a free port of this machine from `__enter__` to `__exit__`, which joins every thread it started."""

    def __init__(
        self,
        *behaviours: Behaviour,
        routes: Mapping[str, Behaviour] | None = None,
        tls: bool | Path = False,
        refusing: bool = False,
    ) -> None:
        self._behaviours = list(behaviours) or [Reply(404, {"error": {"code": 404, "message": "nothing here"}})]
        self._routes = dict(routes or {})
        self._tls = _tls_context(tls if isinstance(tls, Path) else CERTIFICATE) if tls else None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self.requests: list[Received] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._refusing = refusing
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}" if self._tls else f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The API's base URL."""
        return self.origin + "/api/v1"

    def behave(self, *behaviours: Behaviour) -> None:
        """Replace the behaviours; the first one is for the first connection that has not come yet."""
        with self._lock:
            self._behaviours = [self._behaviours[0]] * self.connections + list(behaviours)

    def note(self, received: Received) -> None:
        with self._lock:
            self.requests.append(received)

    def count(self, method: str, path: str | None = None) -> int:
        """Return how many requests with this method, and path when given, have come."""
        with self._lock:
            return sum(r.method == method and path in (None, r.path) for r in self.requests)

    def listen(self) -> None:
        """Begin to take connections; until then a server made with `refusing` refuses them."""
        self._refusing = False
        self._listener.listen(128)
        self._start(self._listen)

    def __enter__(self) -> RawServer:
        if not self._refusing:
            self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        # A connection of our own wakes the accept, on every system.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(240)
            assert not thread.is_alive(), "a behaviour of the raw server does not end"
        self._listener.close()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.stopping.is_set():
                connection.close()
                return
            with self._lock:
                number = self.connections
                self.connections += 1
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.settimeout(_IDLE)
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._tls is not None:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except OSError:
                    return
                stack.callback(connection.close)
            with self._lock:
                self._open.add(connection)
            try:
                self._behave(Peer(connection, self), number)
            except OSError:
                pass  # the peer went away first
            finally:
                with self._lock:
                    self._open.discard(connection)

    def _behave(self, peer: Peer, number: int) -> None:
        behaviour = self._behaviours[min(number, len(self._behaviours) - 1)]
        if self._routes:
            received = peer.read_request()
            if received is None:
                return
            behaviour = self._routes.get(received.path, behaviour)
            peer = _Reread(peer, received)
        behaviour(peer)


class _Reread(Peer):
    """A peer whose first request was read already, to find its route."""

    def __init__(self, peer: Peer, received: Received) -> None:
        super().__init__(peer.connection, peer.server)
        self._first: Received | None = received

    def read_request(self) -> Received | None:
        # One request a connection: the next one may belong to another route.
        received, self._first = self._first, None
        return received

    read_head = read_request


def _tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port on which nothing listens: connections to it are refused."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def in_thread(run: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run something beside the test and join it; the test fails if it does not end."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(240)
        assert not thread.is_alive()


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """Give a port that does not answer whoever connects: its queue is full, and nobody takes from it."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        time.sleep(0.1)
        yield listener.getsockname()[1]
