"""Waits on this machine, at an address that nobody can guess, for the browser to come back with the code.

One thread, and nothing that blocks: a browser opens connections that it never uses, and any page or program may try the
port. Each connection has little time and little room; only the request that knows the nonce ends the wait.
"""

from __future__ import annotations

import hmac
import secrets
import selectors
import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qs

import h11

from orvideo import system
from orvideo.clock import MAX_WAIT
from orvideo.deadline import Deadline
from orvideo.sign_in import pages
from orvideo.sign_in.attempt import clean_code
from orvideo.sign_in.pages import Page

#: How long a connection may take to bring its request, and the last page to be taken; seconds.
_PATIENCE = 10.0
#: The largest request line with its headers, in bytes; a browser brings the cookies of all that runs on this machine.
_LARGEST_HEAD = 64 * 1024
#: How many connections are open at once; the oldest goes first.
_MOST = 64
_MOST_FIELDS = 20
#: How much of the service's word for why there is no code is told, in characters.
_LONGEST_WORD = 100


class Callback(NamedTuple):
    """What the browser came back with: a code, or the service's word for why there is none."""

    code: str | None
    error: str | None = None


class _Visitor:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
        self.until = time.monotonic() + _PATIENCE
        #: It has had its answer; what it still sends is read away, else the answer could get lost.
        self.is_answered = False

    def answer(self, page: Page, *, to_head: bool = False) -> None:
        """Send a page, as far as the connection takes it; whoever is gone needs none."""
        headers = [*pages.HEADERS, ("Content-Length", str(len(page.body)))]
        if page.status == 405:
            headers.append(("Allow", "GET"))
        self.is_answered = True
        with suppress(OSError, h11.LocalProtocolError):
            body = h11.Data(b"" if to_head else page.body)
            events = (h11.Response(status_code=page.status, headers=headers), body, h11.EndOfMessage())
            self.connection.sendall(b"".join(self.http.send(event) or b"" for event in events))
            self.connection.shutdown(socket.SHUT_WR)


class Listener:
    """Listens from its making to the end of its `with` block. Raises OSError where 127.0.0.1 is not to be had."""

    def __init__(self) -> None:
        self._path = f"/{secrets.token_urlsafe(32)}"
        self._door = _listening_socket()
        self.port: int = self._door.getsockname()[1]
        self._hosts = {f"{name}:{self.port}".encode() for name in ("127.0.0.1", "localhost")}
        self._visitors: dict[socket.socket, _Visitor] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._door, selectors.EVENT_READ)
        self._caller: _Visitor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut()
        if self._caller is not None:
            self._caller.connection.close()

    @property
    def url(self) -> str:
        """Where the browser is to come back to."""
        return f"http://127.0.0.1:{self.port}{self._path}"

    def wait(self, deadline: Deadline) -> Callback | None:
        """Return what the browser came back with, None when nobody came in time; whoever comes later is refused."""
        try:
            while not deadline.is_over:
                for ready, _ in self._selector.select(deadline.left(MAX_WAIT)):
                    visitor: _Visitor | None = ready.data
                    if visitor is None:
                        self._let_in()
                    elif visitor.connection in self._visitors and (callback := self._hear(visitor)) is not None:
                        return callback
                self._drop_the_late()
            return None
        finally:
            self._shut()

    def answer(self, page: Page) -> None:
        """Show the browser that came back how it ended."""
        if self._caller is not None:
            self._caller.connection.settimeout(_PATIENCE)
            self._caller.answer(page)

    def _let_in(self) -> None:
        if len(self._visitors) >= _MOST:
            self._drop(next(iter(self._visitors.values())))
        try:
            connection, _ = self._door.accept()
        except OSError:  # whoever knocked is gone
            return
        connection.setblocking(False)
        visitor = self._visitors[connection] = _Visitor(connection)
        self._selector.register(connection, selectors.EVENT_READ, visitor)

    def _hear(self, visitor: _Visitor) -> Callback | None:
        """Read what a connection brings; return the callback when it is the one."""
        try:
            data = visitor.connection.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._drop(visitor)
            return None
        if visitor.is_answered:
            return None
        try:
            visitor.http.receive_data(data)
            event = visitor.http.next_event()
        except h11.RemoteProtocolError as error:
            visitor.answer(pages.refused(error.error_status_hint))
            return None
        if not isinstance(event, h11.Request):
            return None
        if (status := self._status_for(event)) != 200:
            visitor.answer(pages.refused(status), to_head=event.method == b"HEAD")
            return None
        self._caller = visitor
        self._forget(visitor)
        return _callback_in(event.target.partition(b"?")[2])

    def _status_for(self, request: h11.Request) -> int:
        """Return 200 for the one request that is waited for; a page elsewhere knows neither the name nor the nonce."""
        host = dict(request.headers).get(b"host", b"")
        if host.lower() not in self._hosts:
            return 403
        if not hmac.compare_digest(request.target.partition(b"?")[0], self._path.encode("ascii")):
            return 404
        return 200 if request.method == b"GET" else 405

    def _drop_the_late(self) -> None:
        now = time.monotonic()
        for visitor in [one for one in self._visitors.values() if one.until <= now]:
            self._drop(visitor)

    def _forget(self, visitor: _Visitor) -> None:
        del self._visitors[visitor.connection]
        self._selector.unregister(visitor.connection)

    def _drop(self, visitor: _Visitor) -> None:
        self._forget(visitor)
        visitor.connection.close()

    def _shut(self) -> None:
        """Stop listening, and close what is open but for the browser that came back."""
        for visitor in list(self._visitors.values()):
            self._drop(visitor)
        self._selector.close()
        self._door.close()


def _listening_socket() -> socket.socket:
    """Return a socket that listens on a free port of 127.0.0.1. Raises OSError."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        system.claim_port(listening)
        listening.bind(("127.0.0.1", 0))
        listening.listen(_MOST)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _callback_in(query: bytes) -> Callback:
    """Read a query: one code, or none at all."""
    try:
        given = parse_qs(query.decode("ascii", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Callback(None)
    if error := given.get("error"):
        return Callback(None, error[0][:_LONGEST_WORD])
    codes = given.get("code", [])
    return Callback(clean_code(codes[0]) if len(codes) == 1 else None)
