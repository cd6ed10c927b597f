"""A body that is read off the connection itself is whole, however it is cut up on its way, and its end is told."""

from __future__ import annotations

import hashlib
import random
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest

from orvideo.api.body import PIECE, pieces
from orvideo.clock import NAP
from tests.drills.raw_server import CERTIFICATE, Behaviour, Drip, Peer, RawServer, Send, Stall, chunked, http

BODY = random.Random(7).randbytes(5 * PIECE + 12_345)
CUT = {"Content-Length": str(len(BODY))}


@contextmanager
def answered(behaviour: Behaviour, *, tls: bool = False) -> Iterator[httpx.Response]:
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(CERTIFICATE)) if tls else False
    with (
        RawServer(behaviour, tls=tls) as server,
        httpx.Client(verify=verify, trust_env=False, timeout=0.5) as client,
        client.stream("GET", server.url) as response,
    ):
        yield response


def in_parts(*at: int, pause: float = 0.03) -> Behaviour:
    """Send the answer in parts that arrive apart: cut at these offsets of the body."""

    def behave(peer: Peer) -> None:
        if peer.read_request() is None:
            return
        answer = http(200, BODY)
        head = len(answer) - len(BODY)
        edges = [0, *(head + offset for offset in at), len(answer)]
        for begin, end in pairwise(edges):
            peer.send(answer[begin:end])
            peer.server.stopping.wait(pause)

    return behave


@pytest.mark.parametrize(
    "at",
    [(), (0,), (1,), (-3,), (PIECE - 1,), (PIECE,), (PIECE + 1,), (70_000, 70_001), (3 * PIECE, len(BODY) - 1)],
    ids=str,
)
def test_a_body_arrives_whole_however_it_is_cut_up(at: tuple[int, ...]) -> None:
    with answered(in_parts(*at)) as response:
        arrived = list(pieces(response))
    assert hashlib.sha256(b"".join(arrived)).hexdigest() == hashlib.sha256(BODY).hexdigest()
    assert max(map(len, arrived)) <= PIECE


def test_a_body_over_tls_arrives_whole() -> None:
    with answered(in_parts(5, 2 * PIECE), tls=True) as response:
        assert b"".join(pieces(response)) == BODY


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_body_that_pauses_for_longer_than_a_nap_arrives_whole(tls: bool) -> None:
    with answered(in_parts(5, 2 * PIECE, pause=1.5 * NAP), tls=tls) as response:
        assert b"".join(pieces(response)) == BODY


def test_what_follows_a_body_is_no_part_of_it() -> None:
    with answered(Send(http(200, BODY + b"more", CUT))) as response:
        assert b"".join(pieces(response)) == BODY


@pytest.mark.parametrize("headers", [{"Transfer-Encoding": "chunked"}, {"Connection": "close"}], ids=["chunks", "end"])
def test_a_body_without_a_length_is_left_to_the_parser(headers: dict[str, str]) -> None:
    body = chunked(BODY[:1000], BODY[1000:]) if "Transfer-Encoding" in headers else BODY
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with answered(Send(f"HTTP/1.1 200 X\r\n{head}\r\n".encode() + body)) as response:
        assert b"".join(pieces(response)) == BODY


@pytest.mark.parametrize("had", [0, 1, PIECE, 3 * PIECE + 5, len(BODY) - 1])
def test_a_body_that_ends_too_early_is_an_error(had: int) -> None:
    with answered(Send(http(200, BODY[:had], CUT))) as response:
        arrived: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            arrived.extend(pieces(response))
    assert b"".join(arrived) == BODY[:had]


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Stall(http(200, BODY[: 2 * PIECE], CUT)), httpx.ReadTimeout),
        (Send(http(200, BODY[: 2 * PIECE], CUT), reset=True), httpx.ReadError),
    ],
    ids=["silence", "reset"],
)
def test_what_httpx_calls_a_failure_keeps_its_name(behaviour: Behaviour, error: type[Exception]) -> None:
    with answered(behaviour) as response, pytest.raises(error):
        list(pieces(response))


def test_bytes_that_drip_in_are_handed_on_as_they_come() -> None:
    slow = Drip(BODY[1000:], at_once=http(200, BODY[:1000], CUT), size=50_000, every=0.01, forever=False)
    with answered(slow) as response:
        arrived = list(pieces(response))
    assert b"".join(arrived) == BODY
    assert len(arrived) > len(BODY) // PIECE + 2
