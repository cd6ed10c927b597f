"""The sockets under httpx: connecting, TLS, and waits that end.

httpx limits the pause between two bytes and nothing else: not a name that does not resolve, not several addresses one
after the other, not a drip. So its requests are carried by the pool of httpcore, which is what carries them anyway,
with a network backend of our own, as httpcore documents it. Every wait asks `Waits` how long it may be, and looks up
each `MAX_WAIT`: a deadline, a `cancel` from another thread and a signal are heard in time, in any thread.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import queue
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache, partial
from typing import Any, TypeVar, cast

import httpcore
import httpx

from orvideo.api import urls
from orvideo.api.proxies import Via, proxy_for
from orvideo.clock import MAX_WAIT
from orvideo.deadline import Deadline
from orvideo.errors import UsageError

#: The next address of a name is tried beside the one before after this many seconds (RFC 8305, finding C07).
STAGGER = 0.25
#: So many bytes of a request may lie with the system, unsent.
MOST_UNSENT = 64 * 1024
#: What `connect_ex` answers for a connection that is on its way.
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)})
#: poll has no limit on the numbers of descriptors, unlike select.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

T = TypeVar("T")
#: Is told of each step by httpcore, which documents its names.
Trace = Callable[[str, dict[str, Any]], None]


class Waits:
    """How long the waits of one exchange may be: up to its phase's limit, and never beyond the caller's deadline.

    `seconds` is how long was waited for the network so far. It is real time, whatever clock the deadline goes by, and
    what the caller does in between does not count.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.seconds = 0.0
        #: Whether a connection was opened, or tried: without it, one that was kept has been used.
        self.has_connected = False
        self._until = self._hurry_by = math.inf
        self._pace: tuple[float, int] | None = None
        self._window_seconds, self._window_bytes = 0.0, 0

    @property
    def is_over(self) -> bool:
        return self._left(1.0) <= 0

    def begin(self, seconds: float | None, pace: tuple[float, int] | None = None) -> None:
        """Begin a phase that may take so many seconds; None is no limit of its own.

        With a pace, fewer than so many bytes a second, over so many seconds of waiting, are a timeout (drill D11).
        """
        self._until = math.inf if seconds is None else self.seconds + seconds
        self._pace = pace
        self._window_seconds, self._window_bytes = self.seconds, 0

    def hurry(self, seconds: float) -> None:
        """End within `seconds`, whatever phase it is. May be called from a signal handler and from any thread."""
        self._hurry_by = self.seconds + seconds

    def until_done(self, attempt: Callable[[], T], most: float | None) -> T:
        """Return what `attempt` returns, which is repeated after its TimeoutError at about each `MAX_WAIT`.

        Raises TimeoutError after `most` seconds, at the end of the phase, and at the deadline.
        """
        left = math.inf if most is None else most
        while self._left(left) > 0:
            began = time.monotonic()
            try:
                return attempt()
            except TimeoutError as error:
                if error.errno is not None:  # the system's own
                    raise
            finally:
                took = time.monotonic() - began
                self.seconds += took
                left -= took
        raise TimeoutError

    def moved(self, count: int) -> None:
        """Count bytes; raises TimeoutError where they are too few for the pace."""
        self._window_bytes += count
        if self._pace is None:
            return
        waited = self.seconds - self._window_seconds
        if waited >= self._pace[0]:
            if self._window_bytes < self._pace[1] * waited:
                raise TimeoutError
            self._window_seconds, self._window_bytes = self.seconds, 0

    def _left(self, most: float) -> float:
        return self.deadline.left(max(0.0, min(most, self._until - self.seconds, self._hurry_by - self.seconds)))


class Backend(httpcore.NetworkBackend):
    """Opens connections; `waits` is what the waits of the exchange that is under way go by."""

    def __init__(self) -> None:
        self.waits: Waits

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.waits.has_connected = True
        with _raising(httpcore.ConnectTimeout, httpcore.ConnectError):
            connected = self._first_of(self._addresses(host, port, timeout), timeout)
            connected.settimeout(MAX_WAIT)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if (unsent := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
                # What the system has taken and not sent is not out yet; without this it takes 4 MB (finding B09).
                with suppress(OSError):
                    connected.setsockopt(socket.IPPROTO_TCP, unsent, MOST_UNSENT)
        return Stream(self, connected)

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[Any]:
        """Return the addresses of a name, the two families in turns; a resolver that hangs is left to itself."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answer.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except Exception as error:  # handed over: gaierror, and UnicodeError for what can be no name
                answer.put(error)

        def wait() -> Any:
            try:
                return answer.get(timeout=MAX_WAIT)
            except queue.Empty:
                raise TimeoutError from None

        threading.Thread(target=ask, name="orvideo-name", daemon=True).start()
        found = self.waits.until_done(wait, timeout)
        if isinstance(found, Exception):
            raise OSError(str(found)) from found
        same = [entry for entry in found if entry[0] == found[0][0]]
        others = [entry for entry in found if entry[0] != found[0][0]]
        return [entry for pair in itertools.zip_longest(same, others) for entry in pair if entry]

    def _first_of(self, addresses: list[Any], timeout: float | None) -> socket.socket:
        """Return a connection to whichever address answers first: each has a little start on the next one."""
        trouble = OSError("the name has no address")
        trying = _Selector()

        def step() -> socket.socket:
            nonlocal trouble
            if not addresses and not trying.get_map():
                raise trouble
            try:
                if addresses:
                    trying.register(_begin(*addresses.pop(0)), selectors.EVENT_WRITE)
                for key, _ in trying.select(STAGGER if addresses else MAX_WAIT):
                    one = cast(socket.socket, key.fileobj)
                    trying.unregister(one)
                    if not (code := one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
                        return one
                    one.close()
                    raise OSError(code, os.strerror(code))
            except OSError as error:
                trouble = error
            raise TimeoutError

        try:
            return self.waits.until_done(step, timeout)
        finally:
            for key in list(trying.get_map().values()):
                cast(socket.socket, key.fileobj).close()
            trying.close()


def _begin(family: int, kind: int, protocol: int, name: str, address: Any) -> socket.socket:
    """Begin to connect to one of the addresses that `getaddrinfo` gives."""
    one = socket.socket(family, kind, protocol)
    try:
        one.setblocking(False)
        code = one.connect_ex(address)
        if code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
    except BaseException:
        one.close()
        raise
    return one


class Stream(httpcore.NetworkStream):
    """One connection, in TLS or out. Its socket gives up each `MAX_WAIT`, and `Waits` says whether to go on."""

    def __init__(self, backend: Backend, connected: socket.socket) -> None:
        self._backend, self._socket = backend, connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        waits = self._backend.waits
        with _raising(httpcore.ReadTimeout, httpcore.ReadError):
            data = waits.until_done(partial(self._socket.recv, max_bytes), timeout)
            waits.moved(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        waits = self._backend.waits
        with _raising(httpcore.WriteTimeout, httpcore.WriteError):
            rest = memoryview(buffer)
            while rest:
                count = waits.until_done(partial(self._socket.send, rest), timeout)
                waits.moved(count)
                rest = rest[count:]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            with _raising(httpcore.ConnectTimeout, httpcore.ConnectError):
                if isinstance(self._socket, ssl.SSLSocket):
                    return TlsInTls(self, ssl_context, server_hostname, timeout)
                secured = ssl_context.wrap_socket(
                    self._socket, server_hostname=server_hostname, do_handshake_on_connect=False
                )
                self._socket = secured
                self._backend.waits.until_done(secured.do_handshake, timeout)
                return self
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """Say whether there is something to read, which of an idle connection is its end; no more is asked for."""
        if info != "is_readable":
            return None
        with _Selector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(0))


class TlsInTls(httpcore.NetworkStream):
    """TLS with the service inside of TLS with a proxy (HTTPS_PROXY=https://…): sockets can be wrapped only once."""

    def __init__(self, outer: Stream, context: ssl.SSLContext, host: str | None, timeout: float | None) -> None:
        self._outer, self._coming, self._going = outer, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._coming, self._going, server_hostname=host)
        self._do(self._tls.do_handshake, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _raising(httpcore.ReadTimeout, httpcore.ReadError):
            return self._do(partial(self._tls.read, max_bytes), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _raising(httpcore.WriteTimeout, httpcore.WriteError):
            for start in range(0, len(buffer), 65536):
                self._do(partial(self._tls.write, buffer[start : start + 65536]), timeout)

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:
        return self._outer.get_extra_info(info)

    def _do(self, step: Callable[[], T], timeout: float | None) -> T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self._outer.write(self._going.read(), timeout)
                if data := self._outer.read(65536, timeout):
                    self._coming.write(data)
                else:
                    self._coming.write_eof()
            else:
                self._outer.write(self._going.read(), timeout)
                return done


class Wire:
    """The connections to one origin: what they carry is neither followed, repeated nor remembered by themselves.

    `failed` is the proxy through which the last request went, where it did not come any further (finding C06).
    """

    def __init__(self, origin: urls.Origin, *, keep_alive: bool = False) -> None:
        """Raise UsageError for a broken set-up (drill N10)."""
        self.backend = Backend()
        self.failed: Via | None = None
        self._via = proxy_for(origin)
        self._pool = httpcore.ConnectionPool(
            # Without TLS in play the certificates need not be read: an empty context trusts nobody.
            ssl_context=tls_context() if origin.scheme == "https" else _no_tls(),
            proxy=None if self._via is None else _proxy_of(self._via.proxy),
            max_keepalive_connections=1 if keep_alive else 0,
            keepalive_expiry=30,
            network_backend=self.backend,
        )

    def send(self, request: httpx.Request, waits: Waits, trace: Trace) -> httpcore.Response:
        """Send a request and return its answer up to the body; raises what httpcore, a wait or `trace` raises."""
        self.backend.waits = waits
        self.failed = self._via

        def follow(name: str, info: dict[str, Any]) -> None:
            # TLS begins behind the proxy (`connection` is the one to the proxy itself): from here on it is the service.
            if name.endswith("start_tls.started") and not name.startswith("connection."):
                self.failed = None
            trace(name, info)

        try:
            return self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    _url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={**request.extensions, "trace": follow},
                )
            )
        except httpcore.ProxyError:
            self.failed = self._via
            raise

    def close(self) -> None:
        self._pool.close()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxy_of(proxy: httpx.Proxy) -> httpcore.Proxy:
    tls = tls_context() if proxy.url.scheme == "https" else None
    return httpcore.Proxy(_url(proxy.url), auth=proxy.raw_auth, ssl_context=tls)


class _raising:  # noqa: N801 - used like a function; one made with contextlib costs as much as the read in it
    """Raise httpcore's errors for the system's."""

    def __init__(self, late: type[Exception], other: type[Exception]) -> None:
        self._late, self._other = late, other

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise self._late(str(error)) from error
        if isinstance(error, OSError):
            raise self._other(str(error)) from error


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS set-up of the process; reading the certificates costs more than a connection.

    Raises UsageError where SSL_CERT_FILE names something that holds no certificates (drill N10).
    """
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "they cannot be read"
        raise UsageError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {plain(str(reason))}.",
            hint="unset SSL_CERT_FILE SSL_CERT_DIR, or name a file with certificates in PEM form",
        ) from error


@cache
def _no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain(words: str) -> str:
    """Drop `[Errno 111]` and `[SSL: …]`, and cut at 200 characters."""
    words = words.strip()
    while words.startswith("[") and "]" in words:
        words = words.partition("]")[2].strip()
    return words.partition(" (_ssl.c")[0][:200]
