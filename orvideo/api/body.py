"""The bytes of a body as they come off the wire, without a parser where there is nothing to parse.

Where the length of a body was said, all that follows the head are its bytes. httpx still makes an event of each piece,
sets a timeout for it and enters four context managers, which together is dearer than the copying. So all pieces but the
first are read from the connection itself, by the `network_stream` that httpx documents for those who want to: in TLS
and through a proxy it is the same call. A body in chunks, or one that ends with the connection, is left to httpx.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import httpcore
import httpx

from orvideo.clock import NAP

#: How much is taken off the wire at a time. From 128 KiB on, malloc asks the system for each buffer, and TLS, which
#: fills 16 KiB of it, becomes half as fast. For httpx, which takes 64 KiB, it is the number of a class that it exports.
PIECE = 120 * 1024
httpcore.HTTP11Connection.READ_NUM_BYTES = PIECE


def pieces(response: httpx.Response) -> Iterator[bytes]:
    """Yield the bytes of an open response as they arrive, once; raises httpx's errors where they end too early."""
    length = _length(response.headers)
    wire = response.extensions.get("network_stream")
    if wire is None or length is None or length <= PIECE or not _parser_keeps_nothing():
        yield from response.iter_raw()
        return
    # Kept until the end: what reads the body closes the connection when it is forgotten.
    parsed = response.iter_raw()
    first = next(parsed, b"")
    yield first
    yield from _rest(wire, len(first), length, response.request.extensions["timeout"]["read"])


def _rest(wire: Any, had: int, length: int, seconds: float | None) -> Iterator[bytes]:
    while had < length:
        try:
            piece = _read(wire, min(PIECE, length - had), seconds)
        except httpcore.ReadTimeout as error:
            raise httpx.ReadTimeout(str(error)) from error
        except httpcore.NetworkError as error:
            raise httpx.ReadError(str(error)) from error
        if not piece:
            raise httpx.RemoteProtocolError(f"the connection ended after {had} of {length} bytes")
        had += len(piece)
        yield piece


def _read(wire: Any, most: int, seconds: float | None) -> bytes:
    """Read what is there, waiting in short naps, so that a signal is heard (see `clock.NAP`)."""
    left = float("inf") if seconds is None else seconds
    while True:
        nap = min(left, NAP)
        try:
            piece: bytes = wire.read(most, nap)
            return piece
        except httpcore.ReadTimeout:
            left -= nap
            if left <= 0:
                raise


def _length(headers: httpx.Headers) -> int | None:
    """Return how many bytes the body has by its framing; the parser has refused what is no number."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and "transfer-encoding" not in headers else None


@functools.cache
def _parser_keeps_nothing() -> bool:
    """Tell whether the parser hands on all that it has been given, as it always did, by an answer made up for it.

    What it kept would be missing in the middle of a video; another version than the one we know is not trusted.
    """
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    begin, rest = bytes(PIECE - len(head)), b"rest"
    wire = httpcore.MockStream([head + begin, rest])
    origin = httpcore.Origin(b"http", b"localhost", 80)
    with httpcore.HTTP11Connection(origin, wire) as connection, connection.stream("GET", "http://localhost/") as answer:
        parsed = answer.iter_stream()
        return next(parsed) == begin and wire.read(PIECE) == rest
