"""One request and its answer, with a limit for every phase (drills M23, N14).

The exchange calls the caller before it writes the first byte of a request: a request that the caller did not allow was
not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import httpcore
import httpx

from orvideo.api.pool import OriginPool
from orvideo.api.proxies import EnvironmentProxy
from orvideo.api.sockets import ExchangeTimer
from orvideo.deadline import Deadline


class Limits(NamedTuple):
    """The time limits, in seconds, and size limits, in bytes, of calls.

    `connect` is for connecting to a host, with all its addresses; `read` for the pause between two bytes, in both
    directions; `submit_total` and `call_total` for an answer, from the moment that the request is sent. A body that
    moves at less than `stall_bytes_per_second` over `stall_seconds` of waiting has stalled, in either direction (drill
    D11). `job_bytes` and `list_bytes` are for JSON. For `settle_seconds` after a job's end the service may not have the
    video everywhere yet.
    """

    connect: float = 10
    read: float = 60
    submit_total: float = 60
    call_total: float = 60
    job_bytes: int = 1024 * 1024
    list_bytes: int = 16 * 1024 * 1024
    stall_seconds: float = 60
    stall_bytes_per_second: int = 1024
    settle_seconds: float = 30

    @property
    def min_rate(self) -> tuple[float, int]:
        """The slowest that a body may move: a window in seconds, and bytes a second in it."""
        return self.stall_seconds, self.stall_bytes_per_second


class ExchangeResult(NamedTuple):
    """The result of an exchange: a response, or how far it got.

    `status` is None without a response. Unless `may_have_been_sent`, no byte of the request was sent. `complete`: the
    body is whole by its framing. `timed_out`: a limit ended the exchange. `reused`: the connection was a kept one.
    `response` is still open, for the caller to close, and then `body` is empty. `failed_proxy` is the proxy, where the
    request got no further than that.
    """

    status: int | None = None
    headers: httpx.Headers = httpx.Headers()
    body: bytes = b""
    complete: bool = False
    too_large: bool = False
    error: Exception | None = None
    timed_out: bool = False
    may_have_been_sent: bool = False
    reused: bool = False
    response: httpcore.Response | None = None
    failed_proxy: EnvironmentProxy | None = None


class NotAllowed(Exception):
    """The caller did not allow the request to be written: nothing was sent."""


class Exchange:
    """Runs one request in the calling thread; `run` returns within its limits whatever the network does.

    `opening_seconds` limits the time until the request may be written, `answer_seconds` the time from its end to the
    end of the answer; the body of a request may take any time while it moves (finding B09). `on_sending` is called
    right before the first byte; what it raises stops the request unsent.
    """

    def __init__(
        self,
        request: httpx.Request,
        limits: Limits,
        deadline: Deadline,
        opening_seconds: float,
        answer_seconds: float,
        on_sending: Callable[[], None] | None = None,
    ) -> None:
        self.request, self.timer = request, ExchangeTimer(deadline)
        self._limits, self._on_sending = limits, on_sending
        self._opening_seconds, self._answer_seconds = opening_seconds, answer_seconds
        self._may_have_been_sent = self._hurried = False
        self._refused: BaseException | None = None

    def run(self, pool: OriginPool, max_bytes: int, keep_open: frozenset[int] = frozenset()) -> ExchangeResult:
        """Return the result, with about `max_bytes` of the body; a response with a status in `keep_open` stays open.

        Raises only what `on_sending` or a signal handler raises.
        """
        self.timer.begin_phase(self._opening_seconds)
        answer, body = ExchangeResult(), bytearray()
        try:
            response = pool.send(self.request, self.timer, self._trace)
            answer = answer._replace(status=response.status, headers=httpx.Headers(response.headers))
            if response.status in keep_open:
                answer = answer._replace(response=response)
            else:
                with closing(response):
                    for chunk in response.iter_stream():
                        body += chunk
                        if len(body) > max_bytes:
                            break
                answer = answer._replace(too_large=len(body) > max_bytes, complete=len(body) <= max_bytes)
        except Exception as error:  # every failure is a result here; the caller judges it
            if error is self._refused:
                raise
            answer = answer._replace(error=error, failed_proxy=pool.failed)
        return answer._replace(
            body=bytes(body),
            timed_out=answer.error is not None and self.timer.is_over,
            may_have_been_sent=self._may_have_been_sent,
            reused=not self.timer.has_connected,
        )

    def hurry(self, seconds: float) -> None:
        """End within `seconds`, at once where nothing was sent yet. May be called from a signal handler."""
        self._hurried = True
        self.timer.hurry(seconds if self._may_have_been_sent else 0.0)

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        """Follow httpcore's documented `trace` events."""
        if name == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            self._allow()
            self.timer.begin_phase(None, self._limits.min_rate)
        elif name == "http11.receive_response_headers.started" and self._may_have_been_sent:
            self.timer.begin_phase(self._answer_seconds)

    def _allow(self) -> None:
        try:
            if self._on_sending is not None and not self._hurried:
                self._on_sending()
        except BaseException as refused:
            self._refused = refused
            raise
        # In this order, so that a `hurry` from another thread knows whether it was in time.
        self._may_have_been_sent = True
        if self._hurried:
            self._may_have_been_sent = False
            raise NotAllowed
