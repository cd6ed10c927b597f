"""One POST to this machine, with an end to its time and a way to give it up from another thread."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote, urlsplit

from orvideo.api.urls import origin_of

#: How many seconds one POST may take in all, and how many of them to connect.
SECONDS, _TO_CONNECT = 10.0, 2.0
_MOST_READ = 64 * 1024


class Caller:
    """Makes one call at a time. Redirects are not followed, and a proxy is never asked."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Give up the call that is under way, and refuse all others."""
        with self._lock:
            self._closed = True
            self._cut()

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int | None, str]:
        """Return the answer's status, None without an answer, and words for it."""
        connection = _connection(url)
        try:
            connection.connect()
            with self._limited(connection.sock):
                connection.request("POST", _target(url), body, {"User-Agent": "orvideo-sandbox", **headers})
                response = connection.getresponse()
                response.read(_MOST_READ)
        except (OSError, http.client.HTTPException) as error:
            return None, f"no answer: {getattr(error, 'strerror', None) or str(error) or type(error).__name__}"
        finally:
            connection.close()
        return response.status, str(response.status)

    @contextmanager
    def _limited(self, sock: socket.socket) -> Iterator[None]:
        """Let what is done with a socket end in time, or when the caller is closed."""
        sock.settimeout(self._seconds)
        with self._lock:
            if self._closed:
                raise OSError("the sandbox stops")
            self._socket = sock
        # The socket's own limit is for each piece: a listener that sends a letter a second never meets it.
        timer = threading.Timer(self._seconds, self._cut)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            with self._lock:
                self._socket = None

    def _cut(self) -> None:
        sock = self._socket
        if sock is not None:
            with suppress(OSError):
                # Not the shutdown of a TLS socket, which takes the session away under whoever reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _connection(url: str) -> http.client.HTTPConnection:
    origin = origin_of(url)
    if origin.scheme == "http":
        return http.client.HTTPConnection(origin.host, origin.port, timeout=_TO_CONNECT)
    # On this machine nobody has a certificate that others vouch for.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(origin.host, origin.port, timeout=_TO_CONNECT, context=context)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="%!$&'()*+,;=:@/?-._~")
