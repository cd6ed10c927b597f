"""One open download: where its bytes begin, the bytes, and the detection of stalls."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpcore
import httpx

from orvideo.api.exchange import Limits
from orvideo.api.redaction import Redactor
from orvideo.api.replies import is_html_page
from orvideo.api.transport import Opened, failure_text
from orvideo.errors import ServerFault, Stalled

_RANGE_OF_206 = r"(?i)bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})"
_RANGE_OF_416 = r"(?i)bytes \*/([0-9]{1,18})"
_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,256}"')
_LENGTH = re.compile(r"[0-9]{1,18}")
#: An announced size beyond this many bytes counts as unknown (finding C03).
MAX_LENGTH = 1 << 40


class Download:
    """An opened download; what is not known is None.

    `status` is 200, 206 or 416. `start` is the offset at which the bytes really begin: 0 for a 200, whatever was
    asked for (drill D02). `length` is the size of the whole file, not of the rest. `etag` is a strong one or None.
    A 416 has no bytes: it says that the file ends at or before the `start` that was asked for, which is complete if
    `length` is equal to it (drill D04); `start` repeats what was asked.
    """

    def __init__(self, opened: Opened, start: int, length: int | None, limits: Limits, redactor: Redactor) -> None:
        self.status = opened.answer.status if opened.answer.status in (206, 416) else 200
        self.start, self.length, self.etag = start, length, strong_etag(opened.answer.headers)
        self._opened, self._limits, self._redactor = opened, limits, redactor

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they arrive, once.

        Raises ServerFault where the body is cut, where it is a page and says so, and where the deadline ends. Raises
        Stalled where less than `Limits.stall_bytes_per_second` arrives over `stall_seconds` of waiting for it (drill
        D11), and for a cut after less than that on average (finding B08); time that the caller takes between two chunks
        does not count.
        """
        answer, timer, host, _ = self._opened
        if answer.response is None:
            return
        limits = self._limits
        rate, began, brought = limits.stall_bytes_per_second, timer.seconds, 0
        may_be_page = "html" in answer.headers.get("content-type", "").lower()
        timer.begin_phase(None, limits.min_rate)
        try:
            for piece in answer.response.iter_stream():
                if may_be_page and not brought and is_html_page(piece):
                    # Such as the login page of a network; the service itself may have the video (finding A09).
                    raise ServerFault(f"{host} answered {self.status} with a page that is not the service's.")
                brought += len(piece)
                yield piece
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            if timer.is_over:
                raise ServerFault(f"The download from {host} had not ended at the time limit.") from error
            if isinstance(error, httpcore.ReadTimeout):
                raise Stalled(
                    f"The download from {host} stalled: less than {rate} bytes a second "
                    f"for {limits.stall_seconds:g} seconds."
                ) from error
            kind = Stalled if brought < rate * (timer.seconds - began) else ServerFault
            raise kind(f"The download from {host} was cut: {failure_text(error, self._redactor)}.") from error


def total_of_206(headers: httpx.Headers, asked: int) -> int | None:
    """Return the size of the whole file that a 206 is a part of, None where the part is not the rest from `asked`
    (D03).

    Refused are a missing or junk header, several of them, an unknown total (`*`), `multipart/byteranges`, and any
    other start than `asked`.
    """
    values = headers.get_list("content-range")
    if len(values) != 1 or "multipart" in headers.get("content-type", "").lower():
        return None
    match = re.fullmatch(_RANGE_OF_206, values[0].strip())
    if match is None:
        return None
    start, last, total = int(match[1]), int(match[2]), int(match[3])
    return total if start == asked and start <= last < total <= MAX_LENGTH else None


def total_of_416(headers: httpx.Headers) -> int | None:
    """Return the size that a 416 names in `Content-Range: bytes */N`."""
    match = re.fullmatch(_RANGE_OF_416, headers.get("content-range", "").strip())
    return int(match[1]) if match and int(match[1]) <= MAX_LENGTH else None


def content_length(headers: httpx.Headers) -> int | None:
    """Return the Content-Length of a 200, None where it is chunked, missing, or absurd."""
    text = headers.get("content-length", "").strip()
    chunked = "transfer-encoding" in headers or not _LENGTH.fullmatch(text)
    return None if chunked or int(text) > MAX_LENGTH else int(text)


def strong_etag(headers: httpx.Headers) -> str | None:
    """Return the ETag if it can be used with If-Range: a strong one, and well formed."""
    etag = headers.get("etag", "").strip()
    return etag if _ETAG.fullmatch(etag) else None
