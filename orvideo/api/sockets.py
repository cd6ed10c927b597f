"""The sockets under httpx: connecting, TLS, and reads and writes that end at a deadline.

httpx limits only the pause between two bytes: not name resolution, not the attempts at several addresses, not a server
that sends a byte a minute. So this is a network backend for httpcore, the library that carries httpx's requests. Every
wait gives up after a `MAX_WAIT` and asks `ExchangeTimer` whether to go on, so that a deadline, a `cancel` from another
thread and a signal take effect in time.
"""

from __future__ import annotations

import errno
import itertools
import math
import queue
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

import httpcore

from orvideo import system
from orvideo.clock import MAX_WAIT
from orvideo.deadline import Deadline

#: The next address of a name is tried beside the one before after this many seconds (RFC 8305, finding C07).
STAGGER = 0.25
#: How many bytes of a request the system may hold unsent.
MAX_UNSENT = 64 * 1024
#: The most bytes that are read at once.
PIECE = 256 * 1024
# One larger block that comes and goes: before that, glibc hands each freed piece back to the system, and gets the next
# one page by page (mallopt(3), M_MMAP_THRESHOLD): half a million page faults for each GiB, which took half a second.
bytearray(8 * PIECE)
#: What `connect_ex` returns for a connection that is being established.
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)})
#: poll has no limit on the numbers of descriptors, unlike select.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

T = TypeVar("T")


class ExchangeTimer:
    """Limits how long one exchange waits: to the end of its current phase, and never beyond the caller's deadline.

    `seconds` is the time spent waiting for the network so far, in real time whatever clock the deadline uses; the time
    that the caller takes in between does not count.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.seconds = 0.0
        #: Whether a connection was opened or tried; otherwise a kept one was used.
        self.has_connected = False
        self._until = self._hurry_by = math.inf
        self._min_rate: tuple[float, int] | None = None
        self._window_seconds, self._window_bytes = 0.0, 0

    @property
    def is_over(self) -> bool:
        return self._left(1.0) <= 0

    def begin_phase(self, seconds: float | None, min_rate: tuple[float, int] | None = None) -> None:
        """Begin a phase that may take `seconds`; None is no limit of its own.

        `min_rate` is a window in seconds and the bytes a second that must move in it; less is a timeout (drill D11).
        """
        self._until = math.inf if seconds is None else self.seconds + seconds
        self._min_rate = min_rate
        self._window_seconds, self._window_bytes = self.seconds, 0

    def hurry(self, seconds: float) -> None:
        """End the exchange within `seconds`. May be called from a signal handler and from any thread."""
        self._hurry_by = self.seconds + seconds

    def until_done(self, attempt: Callable[[], T], most: float | None) -> T:
        """Repeat `attempt`, which raises TimeoutError after about a `MAX_WAIT`, until it returns; return its result.

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

    def count_bytes(self, count: int) -> None:
        """Count bytes; raises TimeoutError where they are fewer than the minimum rate allows."""
        self._window_bytes += count
        if self._min_rate is None:
            return
        waited = self.seconds - self._window_seconds
        if waited >= self._min_rate[0]:
            if self._window_bytes < self._min_rate[1] * waited:
                raise TimeoutError
            self._window_seconds, self._window_bytes = self.seconds, 0

    def _left(self, most: float) -> float:
        return self.deadline.left(max(0.0, min(most, self._until - self.seconds, self._hurry_by - self.seconds)))


class Backend(httpcore.NetworkBackend):
    """Opens connections; `timer` is that of the current exchange."""

    def __init__(self) -> None:
        self.timer: ExchangeTimer

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.timer.has_connected = True
        with _raising(httpcore.ConnectTimeout, httpcore.ConnectError):
            connected = self._first_of(self._addresses(host, port, timeout), timeout)
            connected.settimeout(MAX_WAIT)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # What the system has buffered counts as sent (finding B09).
            system.limit_unsent(connected, MAX_UNSENT)
        return Stream(self, connected)

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[Any]:
        """Return the addresses of a name, the two families alternating; a resolver that hangs is abandoned."""
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
        found = self.timer.until_done(wait, timeout)
        if isinstance(found, OSError) and found.errno is not None:
            raise system.network_error(found.errno, found.strerror) from found
        if isinstance(found, Exception):
            raise OSError(str(found)) from found
        same = [entry for entry in found if entry[0] == found[0][0]]
        others = [entry for entry in found if entry[0] != found[0][0]]
        return [entry for pair in itertools.zip_longest(same, others) for entry in pair if entry]

    def _first_of(self, addresses: list[Any], timeout: float | None) -> socket.socket:
        """Return a connection to the address that answers first; each attempt starts `STAGGER` after the one before."""
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
                    raise system.network_error(code)
            except OSError as error:
                trouble = error
            raise TimeoutError

        try:
            return self.timer.until_done(step, timeout)
        finally:
            for key in list(trying.get_map().values()):
                cast(socket.socket, key.fileobj).close()
            trying.close()


def _begin(family: int, kind: int, protocol: int, name: str, address: Any) -> socket.socket:
    """Start a connection to one of the addresses that `getaddrinfo` returns."""
    one = socket.socket(family, kind, protocol)
    try:
        one.setblocking(False)
        code = one.connect_ex(address)
        if code not in _UNDER_WAY:
            raise system.network_error(code)
    except BaseException:
        one.close()
        raise
    return one


class Stream(httpcore.NetworkStream):
    """One connection, with or without TLS. Its socket times out each `MAX_WAIT`; the timer says whether to go on."""

    def __init__(self, backend: Backend, connected: socket.socket) -> None:
        self._backend, self._socket = backend, connected
        self._failed: OSError | None = None
        self._selector: selectors.BaseSelector | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come. httpcore asks for 64 KiB, and takes what it gets: more at a time costs it less."""
        timer = self._backend.timer
        with _raising(httpcore.ReadTimeout, httpcore.ReadError):
            if self._failed is not None:
                raise self._failed
            data = timer.until_done(partial(self._socket.recv, max(max_bytes, PIECE)), timeout)
            if data and isinstance(self._socket, ssl.SSLSocket):
                data += self._rest(self._socket, PIECE - len(data))
            timer.count_bytes(len(data))
        return data

    def _rest(self, secured: ssl.SSLSocket, most: int) -> bytes:
        """Return what else has come by now: TLS hands out its records one by one, 16 KiB each.

        An error is raised by the next read: what came before it counts.
        """
        pieces: list[bytes] = []
        secured.settimeout(0)
        try:
            while most > 0 and (data := secured.recv(most)):
                pieces.append(data)
                most -= len(data)
        except ssl.SSLWantReadError:
            pass
        except OSError as error:
            self._failed = error
        finally:
            secured.settimeout(MAX_WAIT)
        return b"".join(pieces)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        timer = self._backend.timer
        with _raising(httpcore.WriteTimeout, httpcore.WriteError):
            rest = memoryview(buffer)
            while rest:
                # Windows takes a send whole, however long it is, as soon as there is room for any of it (W33).
                count = timer.until_done(partial(self._socket.send, rest[:MAX_UNSENT]), timeout)
                timer.count_bytes(count)
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
                self._backend.timer.until_done(secured.do_handshake, timeout)
                return self
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        """Say whether there is something to read, all that httpcore asks; an idle connection is closed then."""
        if info != "is_readable":
            return None
        if self._selector is None:
            self._selector = _Selector()
            self._selector.register(self._socket, selectors.EVENT_READ)
        return bool(self._selector.select(0))


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


class _raising:  # noqa: N801 - used like a function; one made with contextlib costs as much as the read in it
    """Raise httpcore's errors for the system's."""

    def __init__(self, timed_out: type[Exception], other: type[Exception]) -> None:
        self._late, self._other = timed_out, other

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise self._late(str(error)) from error
        if isinstance(error, OSError):
            raise self._other(str(error)) from error
