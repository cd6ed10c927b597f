"""Every wait on the wire ends with the caller's deadline, whatever the service does, and never looks like an answer.

The servers are sockets that fall silent, or drip, in each of the phases of a call. Upper bounds throughout: a deadline
is over within a second more.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from orvideo.api import sockets
from orvideo.api.client import Call, Client, Limits
from orvideo.api.sockets import ExchangeTimer
from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import NotSent, OrvideoError, OutcomeUnknown, ServerFault, Stalled, Unavailable
from tests.drills.raw_server import (
    Behaviour,
    Drip,
    Flood,
    Peer,
    RawServer,
    Reply,
    Send,
    Stall,
    chunked,
    closed_port,
    http,
    in_thread,
    silent_port,
)

KEY = "sk-or-v1-canary0123456789abcdef"
JOB = {"id": "job-1", "status": "pending"}
HEAD = b"HTTP/1.1 200 X\r\n"
SHORT = 0.8
#: How long after its deadline a call may end, in seconds; on a machine that is busy with other things as well.
SOON = 5.0
drill = pytest.mark.drill


def handshake(peer: Peer) -> None:
    """Drip a TLS record that never ends."""
    peer.drip(b"\x16\x03\x03\x40\x00" + b"\x00" * 10_000, every=0.05)


SILENCE = [
    pytest.param(Stall(), id="head"),
    pytest.param(Stall(HEAD + b"Content-Length: 999\r\n\r\n{"), id="body"),
    pytest.param(Stall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), id="chunks"),
    pytest.param(Flood(), id="1xx"),
    pytest.param(Drip(b"X: 1\r\n", at_once=HEAD), id="dripping-head"),
    pytest.param(Drip(b" ", at_once=HEAD + b"Content-Length: 99999\r\n\r\n"), id="dripping-body"),
    pytest.param(Drip(b"1\r\n \r\n", at_once=HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), id="dripping-chunks"),
]


def drain(client: Client, deadline: Deadline) -> None:
    with client.content("job-1", deadline=deadline) as download:
        for _ in download.chunks():
            pass


CALLS: dict[str, Callable[[Client, Deadline], object]] = {
    "job": lambda client, deadline: client.job("job-1", deadline=deadline),
    "models": lambda client, deadline: client.models(deadline=deadline),
    "modalities": lambda client, deadline: client.model_modalities(deadline=deadline),
    "endpoints": lambda client, deadline: client.endpoints("a/b", deadline=deadline),
    "key": lambda client, deadline: client.key(deadline=deadline),
    "content": drain,
}


@contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took <= seconds + SOON, f"it took {took:.2f} s"


def missed(client: Client, call: str, deadline: Deadline) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        CALLS[call](client, deadline)
    return caught.value


@drill("R-A5", "F-B02")
@pytest.mark.parametrize(
    ("call", "behaviour"),
    [
        *(pytest.param(call, *each.values, id=f"{call}-{each.id}") for call in ("job", "content") for each in SILENCE),
        *(pytest.param(call, Stall(), id=call) for call in CALLS if call not in ("job", "content")),
    ],
)
def test_a5_no_silence_outlasts_the_deadline(call: str, behaviour: Behaviour) -> None:
    with RawServer(behaviour) as server, Client(server.url, KEY) as client, ending_within(SHORT):
        error = missed(client, call, Deadline.after(Clock(), SHORT))
    assert type(error) is ServerFault
    assert "time limit" in error.message


@drill("R-A5", "F-B02")
@pytest.mark.parametrize("call", CALLS)
def test_a5_a_host_that_takes_no_connection_does_not_outlast_the_deadline(call: str) -> None:
    with silent_port() as port, Client(f"http://127.0.0.1:{port}/api/v1", KEY) as client, ending_within(SHORT):
        assert type(missed(client, call, Deadline.after(Clock(), SHORT))) is NotSent


@drill("R-A5", "F-B02")
@pytest.mark.parametrize("behaviour", [handshake, lambda peer: peer.stall()], ids=["drip", "silence"])
def test_a5_a_handshake_does_not_outlast_the_deadline(behaviour: Behaviour) -> None:
    with (
        RawServer(behaviour) as server,
        Client(f"https://localhost:{server.port}/api/v1", KEY) as client,
        ending_within(SHORT),
    ):
        assert type(missed(client, "job", Deadline.after(Clock(), SHORT))) is NotSent


@drill("R-A5", "F-B02")
def test_a5_a_proxy_that_is_silent_does_not_outlast_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(Stall()) as proxy, ending_within(SHORT):
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with Client("https://openrouter.invalid/api/v1", KEY) as client:
            assert type(missed(client, "job", Deadline.after(Clock(), SHORT))) is NotSent


@drill("R-A5", "F-B02")
@pytest.mark.parametrize("behaviour", SILENCE)
@pytest.mark.parametrize("call", ["job", "content"])
def test_a5_a_cancel_from_another_thread_is_heard_at_once(call: str, behaviour: Behaviour) -> None:
    deadline = Deadline(Clock())
    timer = threading.Timer(0.5, deadline.cancel)
    with RawServer(behaviour) as server, Client(server.url, KEY) as client, ending_within(0.5):
        timer.start()
        missed(client, call, deadline)
    timer.join()


@drill("R-A5", "F-B02")
@pytest.mark.parametrize("call", CALLS)
def test_a5_nothing_is_asked_for_after_the_deadline(call: str) -> None:
    with RawServer(Reply(200, JOB)) as server, Client(server.url, KEY) as client:
        deadline = Deadline(Clock())
        deadline.cancel()
        assert type(missed(client, call, deadline)) is NotSent
        client.job("job-1")
        assert isinstance(missed(client, call, deadline), Unavailable), "nor on a connection that was kept"
        assert len(server.requests) <= 1 + (call != "content")


@drill("R-A5")
def test_a5_a_deadline_that_is_far_changes_nothing() -> None:
    film = b"x" * 100_000
    body = http(200, chunked(film), {"Transfer-Encoding": "chunked"})
    with RawServer(Reply(200, JOB, close=True), Send(body)) as server, Client(server.url, KEY) as client:
        deadline = Deadline.after(Clock(), 1e9)
        assert client.job("job-1", deadline=deadline).id == "job-1"
        with client.content("job-1", deadline=deadline) as download:
            assert b"".join(download.chunks()) == film


@drill("P01")
def test_a_look_has_limits_of_its_own_without_a_deadline() -> None:
    limits = Limits(connect=0.4, call_total=0.8, read=5)
    deadline = Deadline(Clock())
    with silent_port() as port, ending_within(0.4), Client(f"http://127.0.0.1:{port}/x", KEY, limits=limits) as client:
        assert type(missed(client, "job", deadline)) is NotSent
    drip = Drip(b"X: 1\r\n", at_once=HEAD)
    with RawServer(drip) as server, ending_within(0.8), Client(server.url, KEY, limits=limits) as client:
        assert "in 0.8 seconds" in missed(client, "job", deadline).message


@drill("R-B13")
def test_b13_a_look_that_was_too_late_on_a_kept_connection_is_not_made_again() -> None:
    def answer_once(peer: Peer) -> None:
        if peer.read_request() is not None and peer.send(http(200, b'{"id": "job-1"}')):
            peer.stall()

    calls: list[Call] = []
    limits = Limits(call_total=0.5, read=5)
    with RawServer(answer_once) as server, Client(server.url, KEY, limits=limits, on_call=calls.append) as client:
        client.job("job-1")
        assert type(missed(client, "job", Deadline(Clock()))) is ServerFault
    assert len(calls) == 2


@drill("R-B13")
@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_b13_a_look_that_reaches_nobody_connects_once(silent: bool) -> None:
    calls: list[Call] = []
    limits = Limits(connect=0.5)
    with silent_port() if silent else closed_port() as port:
        client = Client(f"http://127.0.0.1:{port}/api/v1", KEY, limits=limits, on_call=calls.append)
        for number in (1, 2):
            with pytest.raises(NotSent):
                client.job("job-1")
            assert len(calls) == number
        client.close()


@drill("F-C07")
@pytest.mark.parametrize("dead", [1, 2])
def test_c07_a_dead_address_costs_a_moment_and_not_ten_seconds(dead: int) -> None:
    with silent_port() as port, RawServer() as server, ending_within(sockets.STAGGER * dead):
        backend = sockets.Backend()
        backend.timer = ExchangeTimer(Deadline(Clock()))
        addresses: list[Any] = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in [port] * dead + [server.port]
        ]
        connected = backend._first_of(addresses, 10)
        assert connected.getpeername()[1] == server.port
        connected.close()


@drill("F-C07")
def test_c07_an_address_that_refuses_costs_nothing() -> None:
    with closed_port() as port, RawServer() as server, ending_within(0):
        backend = sockets.Backend()
        backend.timer = ExchangeTimer(Deadline(Clock()))
        addresses: list[Any] = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", each)) for each in [port] * 8 + [server.port]
        ]
        backend._first_of(addresses, 10).close()


@drill("F-C07")
def test_c07_addresses_that_are_all_dead_share_one_limit() -> None:
    with silent_port() as port, ending_within(1.0):
        backend = sockets.Backend()
        backend.timer = ExchangeTimer(Deadline(Clock()))
        addresses: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * 3
        with pytest.raises(TimeoutError):
            backend._first_of(addresses, 1.0)


class SlowReader:
    """Reads a request at a slow and steady pace, and answers it."""

    def __init__(self, length: int, rate: int) -> None:
        self.length, self.rate = length, rate

    def __call__(self, peer: Peer) -> None:
        got = 0
        while got < self.length:
            data = peer.connection.recv(4096)
            if not data:
                return
            got += len(data)
            if peer.server.stopping.wait(len(data) / self.rate):
                return
        peer.send(http(202, b'{"id": "job-1"}'))


@drill("F-B09")
def test_b09_a_request_that_moves_is_not_cut_however_long_it_takes() -> None:
    length, rate = 300_000, 60_000
    server = RawServer(SlowReader(length, rate))
    server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # It is sent for about five seconds: more than what the answer may take, and than what a fast line takes for it.
    with server, Client(server.url, KEY, limits=Limits(connect=1, submit_total=2.5, read=2)) as client:
        assert client.submit({"prompt": "x" * length}).id == "job-1"


@drill("F-B09", "M07")
def test_b09_a_request_that_does_not_move_is_cut_by_its_pauses() -> None:
    def never(peer: Peer) -> None:
        peer.server.stopping.wait(240)

    server = RawServer(never)
    server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with (
        server,
        Client(server.url, KEY, limits=Limits(submit_total=600, read=1)) as client,
        ending_within(1),
        pytest.raises(OutcomeUnknown, match="it stopped taking the request"),
    ):
        client.submit({"prompt": "x" * 3_000_000})


@drill("F-B09", "M07")
def test_b09_a_request_that_crawls_is_cut_by_the_stall_rule() -> None:
    limits = Limits(submit_total=600, read=600, stall_seconds=1, stall_bytes_per_second=1_000_000)
    server = RawServer(SlowReader(3_000_000, 60_000))
    server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with server, Client(server.url, KEY, limits=limits) as client, ending_within(2), pytest.raises(OutcomeUnknown):
        client.submit({"prompt": "x" * 3_000_000})


@drill("F-B09", "M23")
def test_b09_the_answers_clock_begins_when_the_request_is_out() -> None:
    with (
        RawServer(Flood()) as server,
        Client(server.url, KEY, limits=Limits(submit_total=1)) as client,
        ending_within(1),
        pytest.raises(OutcomeUnknown),
    ):
        client.submit({"prompt": "x" * 3_000_000})


def cut_off(data: bytes, after: float) -> Behaviour:
    """Send the beginning of a film that can be resumed, and close a while later."""

    def behave(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(http(200, data, {"Content-Length": "999999", "ETag": '"v1"'}))
            peer.server.stopping.wait(after)

    return behave


@drill("F-B08", "D11")
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(cut_off(b"x", 1), Stalled, id="a-byte"),
        pytest.param(cut_off(b"x" * 500, 1), Stalled, id="500-bytes"),
        pytest.param(cut_off(b"x" * 50_000, 1), ServerFault, id="50-kB"),
        pytest.param(Drip(b"x", at_once=http(200, b"", {"Content-Length": "999999"})), Stalled, id="drip"),
    ],
)
def test_b08_an_attempt_that_brings_too_little_for_its_time_has_stalled(
    behaviour: Behaviour, kind: type[OrvideoError]
) -> None:
    limits = Limits(stall_seconds=2)
    with RawServer(behaviour) as server, Client(server.url, KEY, limits=limits) as client, ending_within(3):
        assert type(missed(client, "content", Deadline(Clock()))) is kind


@drill("F-B08", "D11")
def test_b08_a_download_ends_by_its_deadline_and_not_as_a_stall() -> None:
    drip = Drip(b"x" * 100, at_once=http(200, b"", {"Content-Length": "999999"}))
    with RawServer(drip) as server, Client(server.url, KEY) as client, ending_within(SHORT):
        error = missed(client, "content", Deadline.after(Clock(), SHORT))
    assert type(error) is ServerFault


@drill("S03")
@pytest.mark.parametrize("where", ["connect", "head", "body"])
def test_s03_a_signal_ends_a_call_whichever_thread_the_system_hands_it_to(where: str) -> None:
    """A call is made in the main thread: it must look up now and then, since nothing wakes it."""
    silent = silent_port() if where == "connect" else nullcontext(0)
    with silent as port, RawServer(Stall(b"" if where == "head" else HEAD + b"Content-Length: 9\r\n\r\n")) as server:
        url = f"http://127.0.0.1:{port}/api/v1" if port else server.url
        code = (
            "import signal, threading, time\n"
            "from orvideo.api.client import Client\n"
            "other = threading.Thread(target=time.sleep, args=(30,), daemon=True)\n"
            "other.start()\n"
            "def send():\n"
            "    time.sleep(0.7)\n"
            "    print(time.monotonic(), flush=True)\n"
            f"    signal.pthread_kill(other.ident, {int(signal.SIGINT)})\n"
            "threading.Thread(target=send, daemon=True).start()\n"
            f"try:\n    Client({url!r}, 'sk-or-v1-x').job('x')\n"
            "except KeyboardInterrupt:\n    print(time.monotonic())\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True)
    sent, heard = map(float, done.stdout.split())
    assert heard - sent < SOON


@drill("S02")
def test_s02_hurry_from_another_thread_ends_a_submit_in_any_phase() -> None:
    for behaviour in (Stall(), Flood(), Stall(b"HTTP/1.1 202 X\r\nContent-Length: 9\r\n\r\n")):
        with RawServer(behaviour) as server, Client(server.url, KEY) as client:
            sent = threading.Event()

            def hurry(client: Client = client, sent: threading.Event = sent) -> None:
                if sent.wait(240):
                    time.sleep(0.3)
                    client.hurry(0.2)

            with in_thread(hurry), ending_within(0.5), pytest.raises(OutcomeUnknown):
                client.submit({}, on_sending=sent.set)
    with silent_port() as port, Client(f"http://127.0.0.1:{port}/api/v1", KEY) as client:
        timer = threading.Timer(0.3, lambda: client.hurry(60))
        timer.start()
        with ending_within(0.3), pytest.raises(NotSent, match="Interrupted before"):
            client.submit({})
        timer.join()
