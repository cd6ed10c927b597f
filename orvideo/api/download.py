"""A video on its way: the bytes as they come, with the truth about where they begin and whether they still move."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from orvideo.api.body import pieces
from orvideo.api.exchange import Line
from orvideo.api.redaction import Redactor
from orvideo.api.transport import Limits, reason_of
from orvideo.clock import Clock
from orvideo.errors import ServerFault

_RANGE = r"(?i)bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})"
_UNSATISFIED = r"(?i)bytes \*/([0-9]{1,18})"
_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,256}"')
_LENGTH = re.compile(r"[0-9]{1,18}")


@dataclass(eq=False, repr=False)
class Download:
    """An opened download; what is not known is None.

    `status` is 200, 206 or 416. `start` is the offset at which the bytes really begin: 0 for a 200, whatever was
    asked for (drill D02). `length` is the size of the whole file, not of the rest. `etag` is a strong one or None.
    A 416 has no bytes: it says that the file ends at or before the `start` that was asked for, which is complete if
    `length` is equal to it (drill D04); `start` repeats what was asked.
    """

    status: int
    start: int
    length: int | None
    etag: str | None
    content_type: str | None
    host: str = ""
    _response: httpx.Response | None = field(default=None, repr=False)
    _line: Line | None = field(default=None, repr=False)
    _limits: Limits = field(default_factory=Limits, repr=False)
    _clock: Clock = field(default_factory=Clock, repr=False)
    _redactor: Redactor = field(default_factory=lambda: Redactor(None), repr=False)

    @property
    def is_past_the_end(self) -> bool:
        """Say whether the service has no bytes from the offset that was asked for (a 416)."""
        return self.status == 416

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they arrive, once.

        Raises ServerFault where the body is cut, and where less than `Limits.stall_bytes_per_second` arrives over
        `stall_seconds` of waiting for it (drill D11); time that the caller takes between two chunks does not count.
        """
        if self._response is None:
            return
        watch = _Watch(self._line, self._limits, self._clock)
        try:
            arriving = pieces(self._response)
            while True:
                watch.waiting()
                piece = next(arriving, None)
                if watch.arrived(0 if piece is None else len(piece)):
                    raise self._stalled()
                if piece is None:
                    return
                yield piece
        except httpx.HTTPError as error:
            if watch.gave_up or isinstance(error, httpx.ReadTimeout):
                raise self._stalled() from error
            raise ServerFault(f"The download from {self.host} was cut: {reason_of(error, self._redactor)}.") from error
        finally:
            watch.close()

    def _stalled(self) -> ServerFault:
        return ServerFault(
            f"The download from {self.host} stalled: less than {self._limits.stall_bytes_per_second} bytes a second "
            f"for {self._limits.stall_seconds:g} seconds."
        )


class _Watch:
    """The stall rule: counts what arrives in the time that is spent waiting.

    A server that drips framing and no data never returns from the read, so a thread cuts the line when a single wait
    outlasts the limit.
    """

    def __init__(self, line: Line | None, limits: Limits, clock: Clock) -> None:
        self._line, self._limits, self._clock = line, limits, clock
        self._since: float | None = None
        self._waited = 0.0
        self._bytes = 0
        self._over = threading.Event()
        self.gave_up = False
        self._thread = threading.Thread(target=self._look_on, name="orvideo-stall", daemon=True)
        self._thread.start()

    def waiting(self) -> None:
        self._since = self._clock.monotonic()

    def arrived(self, count: int) -> bool:
        """Note what came; return whether the download has stalled."""
        if self._since is not None:
            self._waited += self._clock.monotonic() - self._since
            self._since = None
        self._bytes += count
        if self._waited < self._limits.stall_seconds or count == 0:
            return False
        stalled = self._bytes < self._limits.stall_bytes_per_second * self._waited
        self._waited, self._bytes = 0.0, 0
        return stalled

    def close(self) -> None:
        self._over.set()
        self._thread.join(1)

    def _look_on(self) -> None:
        while not self._over.wait(min(1.0, self._limits.stall_seconds / 2)):
            since = self._since
            if since is not None and self._clock.monotonic() - since > self._limits.stall_seconds:
                self.gave_up = True
                if self._line is not None:
                    self._line.cut()
                return


def total_of_partial(headers: httpx.Headers, asked: int) -> int | None:
    """Return the size of the whole file that a 206 is the rest of, None where it is not just that (drill D03).

    Refused are a missing or junk header, several of them, an unknown total (`*`), `multipart/byteranges`, and any
    other start than `asked`.
    """
    values = headers.get_list("content-range")
    if len(values) != 1 or "multipart" in headers.get("content-type", "").lower():
        return None
    match = re.fullmatch(_RANGE, values[0].strip())
    if match is None:
        return None
    start, last, total = int(match[1]), int(match[2]), int(match[3])
    return total if start == asked and start <= last < total else None


def total_of_unsatisfied(headers: httpx.Headers) -> int | None:
    """Return the size that a 416 names in `Content-Range: bytes */N`."""
    match = re.fullmatch(_UNSATISFIED, headers.get("content-range", "").strip())
    return int(match[1]) if match else None


def whole_length(headers: httpx.Headers) -> int | None:
    """Return the Content-Length of a 200, None where it is chunked or not said."""
    text = headers.get("content-length", "").strip()
    return int(text) if _LENGTH.fullmatch(text) and "transfer-encoding" not in headers else None


def strong_etag(headers: httpx.Headers) -> str | None:
    """Return the ETag if it can be used with If-Range: a strong one, and well formed."""
    etag = headers.get("etag", "").strip()
    return etag if _ETAG.fullmatch(etag) else None
