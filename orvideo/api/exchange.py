"""One request and its answer, with a limit for every phase (drills M23, N14).

The exchange asks before it writes the first byte of a request, which is the proof that the money drills need: what was
never allowed was never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import httpcore
import httpx

from orvideo.api.proxies import Via
from orvideo.api.wire import Waits, Wire
from orvideo.deadline import Deadline


class Limits(NamedTuple):
    """How long and how much: seconds, and bytes.

    `connect` is for connecting to a host, with all its addresses; `read` for the pause between two bytes, in both
    directions; `submit_total` and `call_total` for an answer, from the moment that the request is out. What moves at
    less than `stall_bytes_per_second` over `stall_seconds` of waiting has stalled (drill D11): a body in either
    direction. `job_bytes` and `list_bytes` are for JSON. `settle_seconds` after a job's end the service may not have
    the bytes everywhere yet.
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
    def pace(self) -> tuple[float, int]:
        """What a body must move at: so many seconds, and so many bytes in each."""
        return self.stall_seconds, self.stall_bytes_per_second


class Answer(NamedTuple):
    """What came of an exchange, as far as it came.

    `status` is None where no answer was begun. `touched` says that the request may have reached the wire; without it,
    nothing was sent. `complete` says that the framing promised no more bytes, `late` that a limit ended it. `reused`
    says that the connection was one that had been kept. `response` is an open one, to be closed by whoever takes it,
    and then `body` is empty. `failed_proxy` is the proxy where it came no further than that.
    """

    status: int | None = None
    headers: httpx.Headers = httpx.Headers()
    body: bytes = b""
    complete: bool = False
    oversized: bool = False
    error: Exception | None = None
    late: bool = False
    touched: bool = False
    reused: bool = False
    response: httpcore.Response | None = None
    failed_proxy: Via | None = None


class NotAllowed(Exception):
    """The caller did not allow the request to be written: nothing was sent."""


class Exchange:
    """Runs one request, in the thread that calls `run`, which returns within its limits whatever the network does.

    `opening_seconds` limits the time until the request may be written, `answer_seconds` the time from its end to the
    end of the answer; the body of a request may take as long as it moves (finding B09). `on_sending` is called right
    before the first byte; what it raises stops the request unsent.
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
        self.request, self.waits = request, Waits(deadline)
        self._limits, self._on_sending = limits, on_sending
        self._opening_seconds, self._answer_seconds = opening_seconds, answer_seconds
        self._touched = self._hurried = False
        self._refused: BaseException | None = None

    def run(self, wire: Wire, cap: int, keep_open: frozenset[int] = frozenset()) -> Answer:
        """Return the answer, with at most about `cap` bytes of its body; one with a status of `keep_open` stays open.

        Raises only what `on_sending` or a signal handler raises.
        """
        self.waits.begin(self._opening_seconds)
        answer, body = Answer(), bytearray()
        try:
            response = wire.send(self.request, self.waits, self._trace)
            answer = answer._replace(status=response.status, headers=httpx.Headers(response.headers))
            if response.status in keep_open:
                answer = answer._replace(response=response)
            else:
                with closing(response):
                    for chunk in response.iter_stream():
                        body += chunk
                        if len(body) > cap:
                            break
                answer = answer._replace(oversized=len(body) > cap, complete=len(body) <= cap)
        except Exception as error:  # every failure is an answer here; the caller judges it
            if error is self._refused:
                raise
            answer = answer._replace(error=error, failed_proxy=wire.failed)
        return answer._replace(
            body=bytes(body),
            late=answer.error is not None and self.waits.is_over,
            touched=self._touched,
            reused=not self.waits.has_connected,
        )

    def hurry(self, seconds: float) -> None:
        """End within `seconds`, at once where nothing was sent yet. May be called from a signal handler."""
        self._hurried = True
        self.waits.hurry(seconds if self._touched else 0.0)

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        """Follow httpcore's documented `trace` events."""
        if name == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            self._allow()
            self.waits.begin(None, self._limits.pace)
        elif name == "http11.receive_response_headers.started" and self._touched:
            self.waits.begin(self._answer_seconds)

    def _allow(self) -> None:
        try:
            if self._on_sending is not None and not self._hurried:
                self._on_sending()
        except BaseException as refused:
            self._refused = refused
            raise
        # In this order: a hurry from another thread sees either that it was in time, or that it was not.
        self._touched = True
        if self._hurried:
            self._touched = False
            raise NotAllowed
