"""One request and its answer under a wall clock (drills M23, N14).

httpx limits the time between two bytes, not the time of a call, and name resolution not at all. So the exchange runs
in a thread of its own while the caller waits for as long as it wants to: at the deadline it cuts the connection and
looks at what has come so far. The thread asks before it writes the first byte of a request, which is the proof that
the money drills need: what was never allowed was never sent.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import httpx

from orvideo.clock import NAP, Clock

#: How long the thread of a call that was cut is waited for, in seconds: it has only to notice.
_GRACE = 0.5


class Line:
    """The socket under a connection, held by a descriptor of our own, so that any thread can cut it, in TLS or out.

    The HTTP library may wrap or close its socket object while we look; a duplicate is nobody else's, and a shutdown
    through it ends the connection for all who hold it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Take over from an earlier connection; a line that is cut already cuts the new one as well."""
        duplicate = connected.dup()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = duplicate
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """End the connection now, for both directions and for good."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def close(self) -> None:
        """Give the descriptor back; the connection itself is left alone."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(eq=False, repr=False)
class Answer:
    """What came of an exchange, as far as it came.

    `status` is None where no answer was begun. `touched` says that the request may have reached the wire; without it,
    nothing was sent. `complete` says that the framing promised no more bytes. `response` is an open one, to be
    closed by whoever takes it, and then `body` is empty.
    """

    status: int | None = None
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    location: str | None = None
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False
    oversized: bool = False
    error: Exception | None = None
    late: bool = False
    touched: bool = False
    reused: bool = True
    response: httpx.Response | None = None


class Hand:
    """A thread that does one exchange after another, so that each of many looks need not begin one.

    Whoever lets an exchange go before its end closes the hand with it: it may be stuck in that one.
    """

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, work: Callable[[], None]) -> None:
        """Have `work` done, after all that was given before; it must not raise."""
        self._todo.put(work)
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="orvideo-looks", daemon=True)
            thread.start()
            self._thread = thread

    def close(self) -> None:
        """Let the thread end when it has done what it does now."""
        self._todo.put(None)

    def _run(self) -> None:
        while (work := self._todo.get()) is not None:
            work()


class _News(Enum):
    ASKING = "asking"
    DONE = "done"
    HURRY = "hurry"
    LATE = "late"


class NotAllowed(Exception):
    """The caller did not allow the request to be written: nothing was sent."""


class Exchange:
    """Runs one request; `run` returns within its deadlines whatever the network does.

    `opening_seconds` limits the time until the request is about to be written, `answer_seconds` the time from there
    to the end of the answer. `on_sending` is called in the caller's thread right before the first byte; what it
    raises stops the request unsent. `keep_open` names the statuses whose body the caller wants to stream. `hand` does
    the exchange where there is one; without it, it has a thread of its own.
    """

    def __init__(
        self,
        client: httpx.Client,
        request: httpx.Request,
        line: Line,
        *,
        clock: Clock,
        opening_seconds: float,
        answer_seconds: float,
        body_cap: int,
        on_sending: Callable[[], None] | None = None,
        keep_open: frozenset[int] = frozenset(),
        hand: Hand | None = None,
    ) -> None:
        self.answer = Answer()
        self.request = request
        self._client, self._line, self._clock = client, line, clock
        self._opening_seconds, self._answer_seconds = opening_seconds, answer_seconds
        self._body_cap, self._on_sending, self._keep_open = body_cap, on_sending, keep_open
        self._hand = hand
        # SimpleQueue.put may be called from a signal handler; Queue and Condition may not.
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._permit: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._abandoned = False
        self._deadline = 0.0
        self._hurry_by: float | None = None
        request.extensions = {**request.extensions, "trace": self._trace}

    def run(self) -> Answer:
        """Do the exchange and return its answer; raises only what `on_sending` or a signal handler raises."""
        self._deadline = self._clock.monotonic() + self._opening_seconds
        thread = self._begin()
        try:
            while (news := self._next_news()) is not _News.DONE:
                if news is _News.ASKING:
                    self._allow()
                elif news is _News.LATE or (news is _News.HURRY and not self.answer.touched):
                    self._give_up()
                    break
        except BaseException:
            self._give_up()
            raise
        if thread is not None and not self._abandoned:
            thread.join(_GRACE)
        return self.answer

    def hurry(self, seconds: float) -> None:
        """End within `seconds`, at once where nothing was sent yet. May be called from a signal handler."""
        self._hurry_by = self._clock.monotonic() + seconds
        self._news.put(_News.HURRY)

    def _begin(self) -> threading.Thread | None:
        if self._hand is not None:
            self._hand.do(self._work)
            return None
        thread = threading.Thread(target=self._work, name="orvideo-call", daemon=True)
        thread.start()
        return thread

    def _next_news(self) -> _News:
        deadline = self._deadline if self._hurry_by is None else min(self._deadline, self._hurry_by)
        left = max(0.0, deadline - self._clock.monotonic())
        while True:
            nap = min(left, NAP)
            try:
                return self._news.get(timeout=nap)
            except queue.Empty:
                left -= nap
            if left <= 0:
                return _News.LATE

    def _allow(self) -> None:
        if self._on_sending is not None and self._hurry_by is None:
            self._on_sending()
        if self._hurry_by is not None:
            self._permit.put(False)
            return
        self.answer.touched = True
        self._deadline = self._clock.monotonic() + self._answer_seconds
        self._permit.put(True)

    def _give_up(self) -> None:
        """Cut the connection, forbid what was not begun, and take what the thread has by then."""
        self._abandoned = True
        self._permit.put(False)
        self._line.cut()
        finish = self._clock.monotonic() + _GRACE
        with contextlib.suppress(queue.Empty):
            while self._news.get(timeout=max(0.0, finish - self._clock.monotonic())) is not _News.DONE:
                pass
        self.answer.late = not self.answer.complete
        self._close_response()

    def _close_response(self) -> None:
        response, self.answer.response = self.answer.response, None
        if response is not None:
            with contextlib.suppress(Exception):
                response.close()

    def _work(self) -> None:
        try:
            self._exchange()
        except Exception as error:  # every failure is an answer here; the caller judges it
            self.answer.error = error
        finally:
            self._news.put(_News.DONE)

    def _exchange(self) -> None:
        answer = self.answer
        response = self._client.send(self.request, stream=True, auth=None, follow_redirects=False)
        answer.headers = response.headers
        answer.location = response.extensions.get("location")
        answer.status = response.status_code
        if response.status_code in self._keep_open:
            answer.response = response
            if self._abandoned:
                self._close_response()
            return
        try:
            for chunk in response.iter_raw():
                answer.body += chunk
                if len(answer.body) > self._body_cap:
                    answer.oversized = True
                    return
            answer.complete = True
        finally:
            response.close()

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        """Follow httpcore's documented `trace` events, in the thread of the exchange."""
        if name.endswith("connect_tcp.complete"):
            self.answer.reused = False
            self._line.hold(info["return_value"].get_extra_info("socket"))
        elif name == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            self._ask()

    def _ask(self) -> None:
        self._news.put(_News.ASKING)
        if not self._permit.get():
            raise NotAllowed


def take_location(response: httpx.Response) -> None:
    """Hide `Location` from httpx, as a response hook: it builds the next request even when told not to follow.

    A junk location would make it raise InvalidURL, which means "not sent", for a request that was sent (drill M22).
    """
    location = response.headers.get("location")
    if location is not None:
        del response.headers["location"]
        response.extensions["location"] = location
