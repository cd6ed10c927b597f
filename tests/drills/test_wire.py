"""The fault drills at the wire: what the client makes of every way in which a service, or what stands between, fails.

Every server here is a real one on a real socket, and in every test that submits it must have seen one POST at most.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.api import pool
from orvideo.api.client import Call, Client, Limits
from orvideo.api.refusals import KeySource
from orvideo.clock import Clock
from orvideo.errors import (
    AuthError,
    BadReply,
    BadRequest,
    Forbidden,
    Gone,
    NotFound,
    NotReadyYet,
    NotSent,
    OrvideoError,
    OutcomeUnknown,
    PayloadTooLarge,
    PaymentRequired,
    RateLimited,
    RecordError,
    ServerFault,
    ServiceUnavailable,
    Stalled,
    Unauthorized,
    Unavailable,
    Unprocessable,
    Unsafe,
    UsageError,
)
from tests.clocks import HandClock
from tests.drills.raw_server import (
    CERTIFICATE,
    Behaviour,
    Drip,
    Flood,
    Peer,
    RawServer,
    Reply,
    Send,
    Stall,
    chunked,
    close_after_request,
    close_at_once,
    closed_port,
    http,
    in_thread,
    never_read,
    reset_after_request,
    reset_at_once,
    reset_in_body,
)

KEY = "sk-or-v1-canary0123456789abcdef0123456789abcdef"
QUICK = Limits(connect=5, read=1, submit_total=3, call_total=3, stall_seconds=1)
HASTY = Limits(connect=5, read=5, submit_total=1.5, call_total=1.5, stall_seconds=1)
ORDER = {"model": "x-ai/grok-imagine-video", "prompt": "a paper boat"}
JOB = {"id": "job-1", "polling_url": "https://openrouter.ai/api/v1/videos/job-1", "status": "pending"}
JOB_BYTES = json.dumps(JOB).encode()
SLOW_HEADER = b"HTTP/1.1 202 X\r\n"
drill = pytest.mark.drill


def row(name: str, *values: Any, what: str = "") -> Any:
    """A case that proves one row of the drills, named by it."""
    return pytest.param(*values, marks=drill(name), id=f"{name}-{what}" if what else name)


@contextmanager
def talking(*behaviours: Behaviour, limits: Limits = QUICK, **options: Any) -> Iterator[tuple[Client, RawServer]]:
    with RawServer(*behaviours, **options) as server, Client(server.url, KEY, limits=limits) as client:
        yield client, server


def refusal(run: Callable[[], object]) -> OrvideoError:
    """Return the error that something ends with; it must be one of ours, and must not show the key."""
    with pytest.raises(OrvideoError) as caught:
        run()
    error = caught.value
    assert KEY not in json.dumps(error.as_json()) + repr(error) + repr(error.reply)
    return error


def no_threads_left() -> bool:
    """Tell whether the threads of a client have ended with it, or do before long."""
    end = time.monotonic() + 30
    ours = [thread for thread in threading.enumerate() if thread.name.startswith("orvideo")]
    for thread in ours:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in ours)


def oops(status: int) -> Reply:
    return Reply(status, {"error": {"code": status, "message": "oops"}})


# M: the submit


@pytest.mark.parametrize(
    ("behaviour", "limits"),
    [
        row("M04", close_at_once, QUICK, what="close"),
        row("M04", reset_at_once, QUICK, what="reset"),
        row("M05", close_after_request, QUICK, what="close"),
        row("M05", reset_after_request, QUICK, what="reset"),
        row("M06", Stall(), QUICK),
        row("M07", reset_in_body, QUICK, what="reset"),
        row("M07", never_read, QUICK, what="stall"),
        row("M08", Stall(b"HTTP/1.1 202 X\r\nContent-Length: 99\r\n\r\n"), QUICK, what="no-body"),
        row("M08", Send(http(202, b'{"id": "jo', {"Content-Length": "99"})), QUICK, what="cut-in-the-id"),
        row("M08", Send(http(202, b"", {"Transfer-Encoding": "chunked"}) + b"zz\r\n"), QUICK, what="bad-chunk"),
        row("M13", Reply(204), QUICK, what="204"),
        row("M13", Reply(200), QUICK, what="200-empty"),
        *(row("M20", oops(n), QUICK, what=str(n)) for n in (408, 500, 501, 502, 504, 520, 521, 522, 523, 524, 529)),
        *(row("F-A07", oops(n), QUICK, what=str(n)) for n in (405, 406, 409, 410, 418, 425, 451, 499)),
        row("M21", Reply(200, b"<!DOCTYPE html><title>Log in</title>"), QUICK, what="200"),
        row("M21", Reply(502, b"<html><title>Bad gateway</title>"), QUICK, what="502"),
        row("M21", Reply(503, b"<html><title>Unavailable</title>"), QUICK, what="503"),
        row("M23", Flood(), HASTY, what="1xx"),
        row("M23", Drip(b"X-Slow: 1\r\n", at_once=SLOW_HEADER), HASTY, what="header"),
        row("N14", Drip(b" ", at_once=SLOW_HEADER + b"Content-Length: 9999\r\n\r\n"), HASTY, what="body"),
        row("N15", Send(SLOW_HEADER + b"X-Big: " + b"x" * 300_000 + b"\r\n\r\n"), QUICK, what="300-KB-header"),
        row("N15", Send(http(202, b"{}", [("Content-Length", "2"), ("Content-Length", "3")])), QUICK, what="lengths"),
        row("N15", Send(b"\x00\x01 garbage\r\n\r\n"), QUICK, what="status-line"),
        row("N15", Send(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), QUICK, what="101"),
    ],
)
def test_a_submit_without_a_readable_answer_is_unknown_and_sent_once(behaviour: Behaviour, limits: Limits) -> None:
    large = {**ORDER, "prompt": "x" * 8_000_000} if behaviour in (reset_in_body, never_read) else ORDER
    with talking(behaviour, limits=limits) as (client, server):
        error = refusal(lambda: client.submit(large))
    assert type(error) is OutcomeUnknown
    assert error.exit_code == 9
    assert server.connections == 1
    assert server.count("POST") <= 1


@drill("N15")
def test_five_thousand_headers_are_read_or_refused_and_the_submit_is_sent_once() -> None:
    with talking(Send(http(202, JOB_BYTES, [(f"X-{n}", "v") for n in range(5000)]))) as (client, server):
        assert client.submit(ORDER).id == "job-1"
    assert server.count("POST") == 1


GZIPPED = gzip.compress(JOB_BYTES)


@pytest.mark.parametrize(
    "answer",
    [
        row("M08", http(202, b'{"id":"job-1","polling_url":"htt', {"Content-Length": "999"}), what="length"),
        row(
            "M08",
            http(202, chunked(b'{"id":"job-1",', end=False), {"Transfer-Encoding": "chunked"}),
            what="chunks",
        ),
        row("M08", http(202, JOB_BYTES, {"Content-Length": "999"}), what="whole-but-short"),
        row("M09", http(202, b'{"id":"job-1","x":"\xff\xfe"}'), what="bad-utf8"),
        row("M09", http(202, b'{"id":"job-1","x":"\\ud800"}'), what="lone-surrogate"),
        row("M09", http(202, json.dumps(JOB).encode("utf-16")), what="utf-16"),
        row("M09", http(202, GZIPPED, {"Content-Encoding": "gzip"}), what="gzip"),
        row("M09", http(202, GZIPPED[:-9], {"Content-Encoding": "gzip"}), what="cut-gzip"),
        row("M09", http(202, JOB_BYTES, {"Content-Encoding": "gzip"}), what="not-gzip"),
        row("M09", http(202, JOB_BYTES, {"Content-Encoding": "br"}), what="unknown-encoding"),
        row("M11", http(202, b'{"id":"job-1"}'), what="no-polling-url"),
        row("M11", http(202, b'{"id":"job-1","polling_url":7,"status":[]}'), what="odd"),
        row("M12", http(200, JOB_BYTES), what="200"),
        row("M12", http(201, JOB_BYTES), what="201"),
        row("P17", http(202, b'{"id":"job-1","generation_id":null,"model":null,"usage":null}')),
        row("X01", b"HTTP/1.1 202 X\r\n\r\n" + b'{"id":"job-1","n":' + b"9" * 5000 + b"}", what="huge-int"),
        row("X01", http(202, b'{"id":"job-1","n":NaN,"x":' + b"[" * 5000 + b"]" * 5000 + b"}"), what="depth"),
        row("X01", http(202, b'\xef\xbb\xbf{"id":"job-1"}'), what="bom"),
        row("X01", http(202, b'{"id":"job-1","status":"a","status":"b"}'), what="duplicates"),
    ],
)
def test_an_id_that_can_be_read_is_never_lost(answer: bytes) -> None:
    with talking(Send(answer)) as (client, server):
        assert client.submit(ORDER).id == "job-1"
    assert server.count("POST", "/api/v1/videos") == server.connections == 1


@pytest.mark.parametrize(
    "body",
    [
        row("M10", b'{"status":"pending"}', what="none"),
        row("M10", b'{"id":""}', what="empty"),
        row("M10", b'{"id":null}', what="null"),
        row("M10", b'{"id":["job-1"]}', what="list"),
        row("M10", b'{"id":true}', what="bool"),
        row("M10", b'"job-1"', what="a-string"),
        row("M10", b'[{"id":"job-1"},{"id":"job-2"}]', what="a-list"),
        row("M09", b'{"generation_id":"gen-1","x":', what="another-name"),
        row("M09", b'{"error":{"id":"err-1","x":"', what="nested-in-error"),
        row("M09", b'{"a":"\\",\\"id\\":\\"no\\"","b":', what="inside-a-string"),
        row("M09", b'{"x":"id","y":"no","z":', what="as-a-value"),
        row("M09", b'{"x":"id":"no","z":', what="as-a-value-with-a-colon"),
        row("M09", b'{"x":[{"id":"ref-1"}],"y":', what="nested-in-a-list"),
        row("M09", b'{"id":"job-1","id":"job-2"}', what="two-ids"),
        row("M09", b'{"id":"job-\xff\xfe1"}', what="undecodable-id"),
        row("M09", b'{"id":12', what="cut-number"),
        row("M09", b'\x1f\x8b\x08\x00garbage "id":"no"', what="garbage"),
        row("X03", b'{"id":".."}', what="dots"),
        row("X03", b'{"id":"a\\u0000b"}', what="nul"),
        row("X03", json.dumps({"id": "x" * 10_240}).encode(), what="10-KB"),
    ],
)
def test_an_id_that_is_in_doubt_is_not_taken(body: bytes) -> None:
    with talking(Reply(202, body)) as (client, server):
        assert type(refusal(lambda: client.submit(ORDER))) is OutcomeUnknown
    assert server.count("POST") == 1


@drill("M10")
def test_a_whole_number_is_accepted_as_an_id() -> None:
    with talking(Reply(202, {"id": 12345})) as (client, _):
        assert client.submit(ORDER).id == "12345"


WRAPPED = {"success": True, "data": {**JOB, "status": "completed"}}


@drill("F-C13")
def test_c13_a_job_one_level_down_is_read() -> None:
    with talking(Reply(202, WRAPPED, close=True), Reply(200, WRAPPED)) as (client, server):
        assert client.submit(ORDER).id == "job-1"
        assert client.job("job-1").status == "completed"
    assert server.count("POST") == 1


@drill("F-C13")
@pytest.mark.parametrize(
    "body",
    [
        {"success": True, "data": [JOB, {**JOB, "id": "job-2"}]}, {"data": JOB, "result": {**JOB, "id": "job-2"}},
        {"data": {"id": ""}}, {"error": JOB}, {"polling_url": "https://x.example/elsewhere/job-1"},
        b'{"id": "req-1", "success": true, "data": {"id": "job-1", "sta',
    ],
    ids=repr,
)  # fmt: skip
def test_c13_a_job_anywhere_else_is_not_taken(body: Any) -> None:
    with talking(Reply(202, body)) as (client, _):
        assert type(refusal(lambda: client.submit(ORDER))) is OutcomeUnknown


@drill("F-C13")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda job: {"id": "req-1", "success": True, "data": job}, lambda job: {"id": "req-1", "data": job},
        lambda job: {"id": None, "data": job}, lambda job: {"data": [job]}, lambda job: {"result": job},
        lambda job: {"job": job}, lambda job: [job], lambda job: {"success": True, "data": {"job": job}},
    ],
)  # fmt: skip
def test_c13_a_job_in_any_envelope_is_read(wrap: Callable[[object], object]) -> None:
    job = {"id": "job-1", "status": "completed"}
    with talking(Reply(202, wrap(job), close=True), Reply(200, wrap(job))) as (client, _):
        assert client.submit(ORDER).id == "job-1"
        assert client.job("job-1").status == "completed"


@drill("F-C13")
def test_c13_an_id_that_is_only_in_the_polling_url_is_read() -> None:
    job = {"generation_id": "gen-1", "polling_url": "/api/v1/videos/job%2D1?x=/y"}
    with talking(Reply(202, job)) as (client, _):
        assert client.submit(ORDER).id == "job-1"


@drill("F-C13")
def test_c13_an_error_in_an_accepting_answer_is_told() -> None:
    with talking(Reply(200, {"error": {"message": "Insufficient credits"}})) as (client, _):
        error = refusal(lambda: client.submit(ORDER))
    assert type(error) is OutcomeUnknown
    assert error.message.endswith("answered 200 without the id of a job. It says: Insufficient credits.")


@drill("F-C13")
def test_c13_an_id_beside_the_data_is_the_jobs_own() -> None:
    with talking(Reply(202, {"id": "job-1", "data": {"id": "job-2"}})) as (client, _):
        assert client.submit(ORDER).id == "job-1"


@drill("M01")
def test_a_refused_connection_is_tried_three_times_and_then_nothing_was_submitted() -> None:
    hand = HandClock()
    touched: list[str] = []
    with closed_port() as port, Client(f"http://127.0.0.1:{port}/api/v1", KEY, clock=hand.clock()) as client:
        error = refusal(lambda: client.submit(ORDER, on_sending=lambda: touched.append("sent")))
    assert type(error) is NotSent
    assert "Nothing was submitted" in error.message
    assert len(hand.slept) == 2
    assert sum(hand.slept) < 30
    assert touched == []


@drill("M01")
def test_a_name_that_does_not_resolve_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    clock = HandClock().clock()
    with Client("https://openrouter.invalid/api/v1", KEY, limits=QUICK, clock=clock) as client:
        assert type(refusal(lambda: client.submit(ORDER))) is NotSent


@drill("M01")
def test_a_server_that_comes_back_between_two_attempts_gets_one_request() -> None:
    hand = HandClock()
    with RawServer(Reply(202, JOB), refusing=True) as server:
        clock = Clock(monotonic=hand.clock().monotonic, sleep=lambda seconds: server.listen())
        with Client(server.url, KEY, clock=clock) as client:
            assert client.submit(ORDER).id == "job-1"
    assert server.count("POST") == 1


@drill("J02")
def test_the_record_is_told_after_connecting_and_before_the_first_byte() -> None:
    seen: list[int] = []
    with talking(Reply(202, JOB)) as (client, server):

        def sending() -> None:
            deadline = time.monotonic() + 30
            while server.connections == 0 and time.monotonic() < deadline:
                time.sleep(0.005)
            seen.append(len(server.requests))

        client.submit(ORDER, on_sending=sending)
        assert (server.connections, seen) == (1, [0])


@drill("J04")
def test_a_record_that_cannot_be_written_stops_the_request() -> None:
    def fail() -> None:
        raise RecordError("the disk is full")

    with talking(Reply(202, JOB)) as (client, server):
        assert type(refusal(lambda: client.submit(ORDER, on_sending=fail))) is RecordError
        assert server.requests == []
        assert client.submit(ORDER).id == "job-1", "the client is still good"
    assert no_threads_left()


@drill("M03")
@pytest.mark.parametrize(
    ("status", "kind", "code"), [(407, AuthError, 4), (403, NotSent, 7), (502, NotSent, 7)], ids=["407", "403", "502"]
)
def test_a_proxy_that_refuses_means_that_nothing_was_sent(
    status: int, kind: type[OrvideoError], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    with RawServer(Send(http(status))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pa55word@127.0.0.1:{proxy.port}")
        with Client("https://openrouter.invalid/api/v1", KEY, limits=QUICK) as client:
            error = refusal(lambda: client.submit(ORDER, on_sending=lambda: told.append("sent")))
    assert type(error) is kind
    assert error.exit_code == code
    assert "pa55word" not in json.dumps(error.as_json())
    assert "Nothing was submitted" in error.message
    assert told == []
    assert [r.method for r in proxy.requests] == ["CONNECT"]
    assert "authorization" not in proxy.requests[0].headers


@drill("M03")
@pytest.mark.parametrize("behaviour", [close_at_once, close_after_request, Stall()], ids=["close", "cut", "stall"])
def test_a_proxy_that_dies_before_the_tunnel_means_that_nothing_was_sent(
    behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(behaviour) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with Client("https://openrouter.invalid/api/v1", KEY, limits=QUICK) as client:
            assert type(refusal(lambda: client.submit(ORDER))) is NotSent
    assert proxy.count("POST") == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        row("M14", 400, BadRequest, what="400"),
        row("M14", 404, NotFound, what="404"),
        row("M14", 413, PayloadTooLarge, what="413"),
        row("M14", 422, Unprocessable, what="422"),
        row("M15", 401, Unauthorized),
        row("M16", 402, PaymentRequired),
        row("M17", 403, Forbidden),
        row("M18", 429, RateLimited),
        row("M19", 503, ServiceUnavailable),
    ],
)
def test_a_refusal_is_an_error_of_its_own_and_costs_nothing(status: int, kind: type[OrvideoError]) -> None:
    body = {"error": {"code": status, "message": "These are the words."}, "user_id": "u"}
    with talking(Reply(status, body)) as (client, server):
        error = refusal(lambda: client.submit(ORDER))
    assert type(error) is kind
    assert "These are the words." in error.message
    assert error.hint
    assert error.reply is not None
    assert error.reply.status == status
    assert server.count("POST") == server.connections == 1


@drill("M14")
def test_an_answer_given_before_the_whole_body_was_read_is_read() -> None:
    def early(peer: Peer) -> None:
        peer.read_head()
        peer.send(http(413, b'{"error": {"message": "Too much."}}'))
        peer.stall()

    with talking(early) as (client, _):
        error = refusal(lambda: client.submit({**ORDER, "prompt": "x" * 2_000_000}))
    assert type(error) is PayloadTooLarge


@drill("M14")
def test_a_zod_error_names_the_field() -> None:
    issues = [{"code": "too_big", "path": ["duration"], "message": "Number must be less than 60"}]
    body = {"success": False, "error": {"name": "ZodError", "message": json.dumps(issues)}}
    with talking(Reply(400, body)) as (client, _):
        assert "duration: Number must be less than 60" in refusal(lambda: client.submit(ORDER)).message


@drill("M15")
def test_a_refused_key_is_named_by_its_place_and_not_by_itself() -> None:
    with (
        RawServer(Reply(401, {"error": {"code": 401, "message": "User not found."}})) as server,
        Client(server.url, KEY, key_source=KeySource("OPENROUTER_API_KEY", "do this")) as client,
    ):
        error = refusal(lambda: client.submit(ORDER))
    assert "OPENROUTER_API_KEY" in error.message
    assert "User not found." in error.message
    assert error.hint == "do this"
    assert server.count("POST") == 1


@drill("M16")
def test_the_budget_in_flight_says_when_to_come_back() -> None:
    body = {"error": {"code": 402, "message": "Budget", "metadata": {"reason": "in_flight_budget_exhausted"}}}
    with talking(Reply(402, body, {"Retry-After": "7"})) as (client, _):
        reply = refusal(lambda: client.submit(ORDER)).reply
    assert reply is not None
    assert (reply.own, reply.retry_after) == (True, 7.0)


@drill("M17")
def test_moderation_shows_its_reasons_and_the_providers_words() -> None:
    metadata = {
        "reasons": ["violence", 7, {"message": "blood"}],
        "patterns": ["secret-*"],
        "provider_name": "xAI",
        "raw": json.dumps({"error": {"message": "Not in my house"}}),
    }
    with talking(Reply(403, {"error": {"code": 403, "message": "Flagged", "metadata": metadata}})) as (client, _):
        error = refusal(lambda: client.submit(ORDER))
    assert error.reply is not None
    assert error.reply.reasons == ("violence", "blood", "secret-*")
    assert error.reply.provider_message == "Not in my house"
    for words in ("Flagged", "violence", "secret-*", "xAI says: Not in my house"):
        assert words in error.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        row("M18", [("Retry-After", "7")], 7.0, what="seconds"),
        row("M18", [("Retry-After", "0")], 0.0, what="zero"),
        row("M18", [("Retry-After", "-5")], None, what="negative"),
        row("M18", [("Retry-After", "1e9")], 1e9, what="1e9"),
        row("M18", [("Retry-After", "9" * 400)], 1e9, what="400-digits"),
        row("M18", [("Retry-After", "soon")], None, what="junk"),
        row("M18", [("Retry-After", "nan")], None, what="nan"),
        row("M18", [("Retry-After", "")], None, what="empty"),
        row("M18", [("Retry-After", "junk"), ("Retry-After", "3")], 3.0, what="two-headers-one-junk"),
        row("M18", [("Retry-After", "3"), ("Retry-After", "9")], 9.0, what="two-headers"),
        row("M18", [("Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT")], 30.0, what="date"),
        row("M18", [("Retry-After", "Sat, 21 Nov 2020 12:00:30 GMT")], 0.0, what="past-date"),
        row("M18", [("Retry-After", "Sat, 99 Nov 99999 12:00:30 GMT")], None, what="junk-date"),
        row(
            "M18",
            [("Date", "Sat, 21 Nov 2026 09:00:00 GMT"), ("Retry-After", "Sat, 21 Nov 2026 09:00:05 GMT")],
            5.0,
            what="by-the-servers-clock",
        ),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_every_form(headers: list[tuple[str, str]], seconds: float | None, status: int) -> None:
    clock = HandClock().clock()
    answer = Reply(status, {"error": {"code": status, "message": "Later"}}, headers)
    with RawServer(answer) as server, Client(server.url, KEY, clock=clock) as client:
        reply = refusal(lambda: client.submit(ORDER)).reply
    assert reply is not None
    assert reply.retry_after == seconds
    assert server.count("POST") == 1


@drill("M18")
@pytest.mark.parametrize(
    ("named", "seconds"), [(11, 11.0), ("12", 12.0), (-1, None), (True, None), ([], None)], ids=repr
)
def test_retry_after_in_the_metadata(named: object, seconds: float | None) -> None:
    body = {"error": {"code": 429, "message": "Later", "metadata": {"retry_after_seconds": named}}}
    with talking(Reply(429, body)) as (client, _):
        reply = refusal(lambda: client.submit(ORDER)).reply
    assert reply is not None
    assert reply.retry_after == seconds


@drill("M21")
def test_an_html_page_is_shown_by_its_title_and_ray() -> None:
    page = b"<html><head><title>\n Bad &amp; worse " + b"x" * 500 + b"</title></head></html>"
    with talking(Reply(502, page, {"CF-Ray": "8f1-AMS"})) as (client, _):
        for run in (lambda: client.submit(ORDER), lambda: client.job("job-1")):
            error = refusal(run)
            assert "Bad & worse" in error.message
            assert "8f1-AMS" in error.message
            assert "x" * 121 not in error.message


@drill("M22")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["same", "other", "http", "junk", "relative-junk", "none"])
def test_a_redirected_submit_is_not_followed(status: int, where: str) -> None:
    with RawServer(Reply(202, JOB)) as elsewhere, talking() as (client, server):
        location = {
            "same": "/api/v1/videos2",
            "other": elsewhere.url + "/videos",
            "http": "http://openrouter.invalid/api/v1/videos",
            "junk": "http://[",
            "relative-junk": "\\\\",
            "none": None,
        }[where]
        server.behave(Reply(status, b"", {} if location is None else {"Location": location}))
        error = refusal(lambda: client.submit(ORDER))
        assert elsewhere.requests == []
    assert error.exit_code == (15 if where in ("other", "http", "junk") else 9)
    assert server.count("POST") == len(server.requests) == 1


@drill("M24")
def test_a_submit_has_a_fresh_connection_even_beside_one_that_is_kept() -> None:
    with talking(Reply(202, JOB)) as (client, server):
        client.job("job-1")
        client.job("job-1")
        assert server.connections == 1
        client.submit(ORDER)
        client.submit(ORDER)
        assert server.connections == 3
        client.job("job-1")
        assert server.connections == 3


@drill("M24")
def test_a_look_survives_a_kept_connection_that_the_server_dropped() -> None:
    def drop_the_second(peer: Peer) -> None:
        if peer.read_request() is not None and peer.send(http(200, JOB_BYTES)):
            peer.read_request()

    with talking(drop_the_second) as (client, server):
        for _ in range(3):
            assert client.job("job-1").id == "job-1"
    assert server.connections == 3
    assert server.count("GET") == 5, "two looks were lost with their connection, and made again"


@drill("K14")
def test_a_proxy_is_not_asked_for_this_machines_own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(Reply(200, JOB)) as proxy, talking(Reply(202, JOB)) as (client, server):
        monkeypatch.delenv("NO_PROXY")
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)
        client.submit(ORDER)
        client.job("job-1")
        assert proxy.connections == 0
    assert len(server.requests) == 2


@drill("M23")
def test_a_submit_ends_by_the_wall_clock_over_tls_as_well(trusted: None) -> None:
    with talking(Drip(b"X-Slow: 1\r\n", at_once=SLOW_HEADER), limits=HASTY, tls=True) as (client, server):
        assert type(refusal(lambda: client.submit(ORDER))) is OutcomeUnknown
    assert server.count("POST") == 1
    assert no_threads_left()


@drill("M01")
def test_a_tls_handshake_that_never_ends_is_not_sent() -> None:
    def handshake(peer: Peer) -> None:
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x00" * 10_000, every=0.05)

    with RawServer(handshake) as server:
        base = f"https://localhost:{server.port}/api/v1"
        with Client(base, KEY, limits=Limits(connect=0.2)) as client:
            assert type(refusal(lambda: client.submit(ORDER))) is NotSent


@drill("K14")
def test_a_submit_over_tls_works_with_a_certificate_that_is_trusted(trusted: None) -> None:
    with talking(Reply(202, JOB), tls=True) as (client, server):
        assert client.submit(ORDER).id == "job-1"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@drill("K14")
def test_a_certificate_that_nobody_signed_is_refused_with_nothing_sent() -> None:
    with talking(Reply(202, JOB), tls=True) as (client, server):
        error = refusal(lambda: client.submit(ORDER))
        assert type(refusal(lambda: client.job("job-1"))) is Unsafe
    assert type(error) is Unsafe
    assert error.exit_code == 15
    assert server.requests == []
    assert server.connections == 2, "a certificate does not get better by asking again"


@drill("S02")
def test_hurry_ends_a_submit_that_is_waiting() -> None:
    with talking(Stall(), limits=Limits()) as (client, server):
        sent = threading.Event()
        with in_thread(lambda: client.hurry(0.1) if sent.wait(240) else None):
            error = refusal(lambda: client.submit(ORDER, on_sending=sent.set))
    assert error.exit_code in (7, 9), "the hurry may come between the record and the wire"
    assert server.count("POST") == (error.exit_code == 9)


@drill("S02")
def test_hurry_keeps_an_answer_that_comes_in_time() -> None:
    with talking(limits=Limits()) as (client, server):

        def late(peer: Peer) -> None:
            if peer.read_request() is not None:
                client.hurry(5)
                peer.send(http(202, JOB_BYTES))

        server.behave(late)
        assert client.submit(ORDER).id == "job-1"


@drill("S01")
def test_hurry_before_the_wire_is_touched_sends_nothing() -> None:
    with talking(Reply(202, JOB), limits=Limits()) as (client, server):
        client.hurry(2)
        assert type(refusal(lambda: client.submit(ORDER))) is NotSent
        assert type(refusal(lambda: client.submit(ORDER, on_sending=lambda: client.hurry(2)))) is NotSent
        assert client.submit(ORDER).id == "job-1"
    assert server.count("POST") == 1


@drill("M09")
def test_the_raw_answer_is_handed_out_before_it_is_understood() -> None:
    kept: list[tuple[int, bytes]] = []
    broken = b'{"no-id": "' + KEY.encode() + b'", "x": "\xff' + b"x" * 100_000
    with talking(Reply(202, broken)) as (client, _):
        refusal(lambda: client.submit(ORDER, on_answer=lambda status, raw: kept.append((status, raw))))
    [(status, raw)] = kept
    assert status == 202
    assert raw.startswith(b'{"no-id": "[key hidden]", "x": "\xff')
    assert len(raw) == 64 * 1024


# P: looks

BOMB = b'{"id":"job-1","x":"' + b"x" * 30_000_000


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        row("P01", close_at_once, ServerFault, what="close"),
        row("P01", reset_after_request, ServerFault, what="reset"),
        row("P01", Stall(), ServerFault, what="silence"),
        row("P01", oops(429), RateLimited, what="429"),
        row("P01", Reply(500, b""), ServerFault, what="500"),
        row("P01", Reply(503, b"<html>"), ServiceUnavailable, what="503"),
        row("P01", Reply(408), ServerFault, what="408"),
        row("P01", Send(http(200, b'{"id":"job-1"', {"Content-Length": "99"})), ServerFault, what="cut"),
        row("P01", Send(b'HTTP/1.1 200 X\r\n\r\n{"id":"job-1","sta'), ServerFault, what="cut-without-length"),
        row("M21", Reply(200, b"<!DOCTYPE html><title>Log in</title>"), ServerFault, what="get-200"),
        row("M21", Reply(200, b"Welcome to the hotel"), ServerFault, what="get-text"),
        row("M21", Reply(200, b""), ServerFault, what="get-empty"),
        row("P02", oops(404), NotFound),
        row("P03", oops(401), Unauthorized, what="401"),
        row("P03", oops(402), PaymentRequired, what="402"),
        row("P03", oops(403), Forbidden, what="403"),
        row("P08", Reply(200, {"id": "job-2", "status": "completed"}), BadReply, what="another-id"),
        row("P08", Reply(200, {"status": "completed"}), BadReply, what="no-id"),
        row("P08", Reply(200, ["job-1"]), BadReply, what="a-list"),
        row("P08", Reply(200, b"null"), BadReply, what="null"),
        row("N15", Send(b"garbage\r\n\r\n"), ServerFault, what="get-garbage"),
        row("N15", Send(b"HTTP/1.1 200 X\r\nX: " + b"x" * 300_000 + b"\r\n\r\n"), ServerFault, what="get-header"),
        row("X01", Reply(200, b"[" * 200_000), BadReply, what="get-depth-open"),
        row("X01", Reply(200, b"[" * 200_000 + b"]" * 200_000), BadReply, what="get-depth"),
        row("X01", Reply(200, b'{"a":' * 500 + b"1" + b"}" * 500), BadReply, what="get-depth-500"),
        row("X01", Reply(200, b'{"id":"job-1","n":' + b"9" * 5000 + b"}"), BadReply, what="get-huge-int"),
        row("X01", Reply(200, b'{"id":"job-1","status":"a","status":"b"}'), BadReply, what="get-duplicates"),
        row("X01", Reply(200, b'{"id":"job-1",}'), BadReply, what="get-syntax"),
        row("X02", Reply(200, b'{"id":"job-1","x":"' + b"x" * 9_000_000 + b'"}'), BadReply, what="9-MB"),
        row("D10", Reply(200, gzip.compress(BOMB), {"Content-Encoding": "gzip"}), BadReply, what="json-bomb"),
        row(
            "D10",
            Reply(200, gzip.compress(gzip.compress(BOMB)), {"Content-Encoding": "gzip, gzip"}),
            BadReply,
            what="json-bomb-in-a-bomb",
        ),
        row("D10", Reply(200, b"x", {"Content-Encoding": "zstd"}), BadReply, what="json-zstd"),
    ],
)
def test_a_look_that_brings_nothing(behaviour: Behaviour, kind: type[OrvideoError]) -> None:
    with talking(behaviour) as (client, server):
        error = refusal(lambda: client.job("job-1"))
    assert type(error) is kind
    assert error.job_id == "job-1"
    assert server.count("POST") == 0


@drill("N14")
@pytest.mark.parametrize(
    "behaviour",
    [
        Flood(),
        Drip(b"X: 1\r\n", at_once=b"HTTP/1.1 200 X\r\n"),
        Drip(b" ", at_once=b"HTTP/1.1 200 X\r\nContent-Length: 9999\r\n\r\n"),
    ],
    ids=["1xx", "headers", "body"],
)
def test_a_look_ends_by_the_wall_clock(behaviour: Behaviour) -> None:
    with talking(behaviour, Reply(200, JOB), limits=HASTY) as (client, _):
        assert isinstance(refusal(lambda: client.job("job-1")), Unavailable)
        assert client.job("job-1").id == "job-1", "the next look is on a new connection"
    assert no_threads_left()


@drill("X02")
def test_endless_json_is_capped() -> None:
    endless = Drip(b'"x",' * 50_000, at_once=b'HTTP/1.1 200 X\r\n\r\n{"data":[', size=200_000, every=0)
    with talking(endless, limits=Limits(list_bytes=1_000_000)) as (client, _):
        assert type(refusal(client.models)) is BadReply


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        row("P04", {"status": "Dreaming"}, lambda job: job.status == "dreaming" and not job.is_final),
        row("P05", {"status": "  COMPLETED "}, lambda job: job.status == "completed"),
        row("P09", {"usage": None, "later": {"x": 1}}, lambda job: job.cost is None and "later" in job.extra),
        row("P17", {"generation_id": None, "model": None}, lambda job: job.generation_id is None),
        row("X06", {"status": 7, "error": [], "new": []}, lambda job: job.status == "pending"),
        row("X07", {"usage": {"cost": "0.50"}}, lambda job: job.cost == Decimal("0.50"), what="string"),
        row("X07", {"usage": {"cost": 0.1358}}, lambda job: job.cost == Decimal("0.1358"), what="number"),
        row("X07", {"usage": {"cost": "1,50"}}, lambda job: job.cost is None, what="comma"),
        row("X07", {"usage": {"cost": "5e-2"}}, lambda job: job.cost == Decimal("0.05"), what="exponent"),
    ],
)
def test_a_job_of_another_age_is_understood(fields: dict[str, Any], check: Callable[[Any], bool]) -> None:
    with talking(Reply(200, {**JOB, **fields})) as (client, _):
        assert check(client.job("job-1"))


@drill("P09")
@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-Infinity", "1e999", '"1e999"', '"NaN"', "-1", "[]", "true"])
def test_a_cost_that_is_no_amount_is_unknown(cost: str) -> None:
    body = f'{{"id":"job-1","status":"completed","usage":{{"cost":{cost}}}}}'.encode()
    with talking(Reply(200, body)) as (client, _):
        job = client.job("job-1")
    assert job.status == "completed"
    assert job.cost is None


@drill("R-B12", "F-A09")
@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 410, 418, 422, 429, 451, 500, 503])
def test_b12_a_refused_look_or_download_has_no_hint_of_a_submits(status: int) -> None:
    own, page = oops(status), Reply(status, b"<html><title>Log in</title></html>")
    for answer, is_own in ((own, True), (page, False)):
        with talking(answer) as (client, _):
            for run in (lambda: client.job("job-1"), lambda: client.content("job-1").__enter__()):
                error = refusal(run)
                assert (error.hint, error.job_id) == (None, "job-1")
                assert error.reply is not None
                assert error.reply.own is is_own
                assert is_own or "a page that is not the service's, titled 'Log in'" in error.message


@drill("P10")
def test_a_look_follows_five_redirects_at_home_and_not_six() -> None:
    routes: dict[str, Behaviour] = {
        f"/api/v1/videos/hop{n}": Reply(302, b"", {"Location": f"hop{n + 1}"}, close=True) for n in range(9)
    }
    with talking(routes=routes) as (client, server):
        assert type(refusal(lambda: client.job("hop0"))) is Unsafe
        assert server.count("GET") == 6
    routes["/api/v1/videos/hop5"] = Reply(200, {"id": "hop0", "status": "completed"})
    with talking(routes=routes) as (client, server):
        assert client.job("hop0").status == "completed"
        assert server.count("GET") == 6
        assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {KEY}"}


@drill("P10")
@drill("K14")
def test_a_look_is_not_led_elsewhere() -> None:
    with RawServer(Reply(200, JOB)) as other, talking() as (client, server):
        server.behave(Reply(307, b"", {"Location": other.url + "/videos/job-1"}))
        assert type(refusal(lambda: client.job("job-1"))) is Unsafe
        assert other.connections == 0


# N, K, D: URLs, the key, downloads

#: More than one piece, of which only the first goes through the parser.
VIDEO = bytes(range(256)) * 1024


@pytest.mark.parametrize(
    "url",
    [
        row("N01", "/api/v1/videos/job-1/content?index=0", what="relative"),
        row("N02", "{origin}/api/v1/videos/job-1/content?index=0", what="absolute"),
        row("N02", "HTTP://127。0.0.1:{port}/api/v1/videos/job-1/content?index=0", what="ideographic-stop"),
    ],
)
def test_the_apis_own_urls_are_fetched_with_the_key(url: str) -> None:
    with talking(Reply(200, VIDEO, {"Content-Type": "video/mp4", "ETag": '"v1"'})) as (client, server):
        url = url.format(origin=server.origin, port=server.port)
        with client.fetch(url) as download:
            assert (download.status, download.start, download.length) == (200, 0, len(VIDEO))
            assert download.etag == '"v1"'
            assert b"".join(download.chunks()) == VIDEO
    headers = server.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("orvideo/")
    assert {"http-referer", "x-openrouter-title", "x-openrouter-categories"} <= set(headers)


@drill("N03")
@drill("K14")
def test_a_foreign_url_is_fetched_without_the_key_and_without_our_name() -> None:
    with RawServer(Reply(200, VIDEO)) as storage, talking() as (client, server):
        with client.fetch(storage.origin + "/bucket/x.mp4?X-Amz-Signature=s3cret") as download:
            assert b"".join(download.chunks()) == VIDEO
        assert server.requests == []
    [request] = storage.requests
    assert request.target == "/bucket/x.mp4?X-Amz-Signature=s3cret"
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    "url",
    [
        row("N04", "http://openrouter.ai/x.mp4"),
        row("N05", "file:///etc/passwd", what="file"),
        row("N05", "ftp://127.0.0.1/x", what="ftp"),
        row("N05", "javascript:alert(1)", what="javascript"),
        row("N05", "data:video/mp4;base64,AAAA", what="data"),
        row("N05", "", what="empty"),
        row("N05", "https://127.0.0.1/\r\nX: y", what="crlf"),
        row("N05", "https://127.0.0.1/\x00", what="nul"),
        row("N05", "https://127.0.0.1\\@evil.invalid/", what="backslash"),
        row("N06", "https://user:pass@127.0.0.1/x", what="both"),
        row("N06", "https://openrouter.ai@evil.invalid/x", what="name"),
        row("N15", "https://127.0.0.1:99999/x", what="port"),
        row("N15", "https://[::1/x", what="bracket"),
    ],
)
def test_a_url_that_must_not_be_used_is_refused_before_anything_is_opened(url: str) -> None:
    with talking() as (client, server):
        error = refusal(lambda: client.fetch(url).__enter__())
    assert type(error) is Unsafe
    assert error.exit_code == 15
    assert server.connections == 0


@drill("N08")
@drill("K14")
def test_a_download_is_followed_abroad_without_the_key_and_back_home_with_it() -> None:
    with talking() as (client, server), RawServer() as storage:
        server.behave(Reply(302, b"", {"Location": storage.origin + "/a"}, close=True), Reply(200, VIDEO))
        storage.behave(Reply(302, b"", {"Location": server.origin + "/home"}))
        with client.content("job-1") as download:
            assert b"".join(download.chunks()) == VIDEO
    assert [("authorization" in request.headers) for request in server.requests] == [True, True]
    assert [("authorization" in request.headers) for request in storage.requests] == [False]


@pytest.mark.parametrize(
    ("location", "hops"),
    [
        row("N08", "/loop", 6, what="loop"),
        row("N08", "http://openrouter.invalid/x", 1, what="downgrade"),
        row("N08", "https://u:p@openrouter.invalid/x", 1, what="userinfo"),
        row("N08", "file:///etc/passwd", 1, what="file"),
        row("N08", "//[", 1, what="junk"),
    ],
)
def test_a_download_is_not_led_astray(location: str, hops: int) -> None:
    with talking(Reply(302, b"", {"Location": location}, close=True)) as (client, server):
        assert type(refusal(lambda: client.content("job-1").__enter__())) is Unsafe
    assert len(server.requests) == hops


@drill("N08")
def test_a_download_over_tls_is_not_led_down_to_plain_http(trusted: None) -> None:
    with RawServer(Reply(200, VIDEO)) as plain, talking(tls=True) as (client, server):
        server.behave(Reply(302, b"", {"Location": plain.origin + "/x"}))
        assert type(refusal(lambda: client.content("job-1").__enter__())) is Unsafe
        assert plain.connections == 0


@pytest.mark.parametrize("encoding", [row("D10", name, what=name) for name in ("gzip", "gzip, gzip", "br")])
def test_a_video_in_an_encoding_is_refused(encoding: str) -> None:
    body = gzip.compress(VIDEO)
    with talking(Reply(200, body, {"Content-Encoding": encoding})) as (client, _):
        assert type(refusal(lambda: client.content("job-1").__enter__())) is BadReply


@drill("F-C03")
def test_c03_a_size_beyond_belief_is_no_size() -> None:
    huge = Send(http(200, b"x" * 100, {"Content-Length": "9" * 17}))
    part = Reply(206, b"x" * 100, {"Content-Range": f"bytes 100-199/{'9' * 17}"}, close=True)
    with talking(huge) as (client, _), client.content("job-1") as download:
        assert download.length is None
    with talking(part, huge) as (client, _), client.content("job-1", start=100, etag='"v1"') as download:
        assert (download.status, download.start, download.length) == (200, 0, None)


@drill("F-C03")
def test_c03_a_url_of_100_kb_is_not_followed() -> None:
    with talking(Reply(302, b"", {"Location": "/" + "x" * 50_000}, close=True)) as (client, server):
        assert type(refusal(lambda: client.content("job-1").__enter__())) is Unsafe
        assert type(refusal(lambda: client.job("job-1"))) is Unsafe
    assert len(server.requests) == 2


def drain(client: Client, **options: Any) -> bytes:
    with client.content("job-1", **options) as download:
        return b"".join(download.chunks())


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    "behaviour",
    [
        row("D01", Send(http(200, VIDEO[:100], {"Content-Length": "9999"})), what="length"),
        row("D01", Send(http(200, chunked(VIDEO, end=False), CHUNKED)), what="chunks"),
        row("D01", Send(http(200, VIDEO, {"Content-Length": "999999"}), reset=True), what="reset"),
        row("D11", Stall(http(200, VIDEO, {"Content-Length": "999999"})), what="silence"),
        row("D11", Drip(b"x", at_once=b"HTTP/1.1 200 X\r\n\r\n"), what="drip"),
        row("D11", Drip(b"1;" + b"x" * 9_999, at_once=http(200, b"", CHUNKED)), what="framing-only"),
    ],
)
def test_a_download_that_is_cut_or_stalls_is_a_fault_that_can_be_tried_again(behaviour: Behaviour) -> None:
    with talking(behaviour) as (client, _):
        error = refusal(lambda: drain(client))
    stalls = isinstance(behaviour, Stall | Drip)
    assert type(error) is (Stalled if stalls else ServerFault)
    assert ("stalled" if stalls else "was cut") in error.message
    assert no_threads_left()


@drill("D11")
def test_the_time_that_the_reader_takes_is_no_stall() -> None:
    with talking(Send(http(200, VIDEO))) as (client, _), client.content("job-1") as download:
        chunks = download.chunks()
        first = next(chunks)
        time.sleep(QUICK.stall_seconds * 2)
        assert first + b"".join(chunks) == VIDEO


REST = VIDEO[100:]
TOTAL = len(VIDEO)


@drill("D01")
def test_the_rest_of_a_file_is_asked_for_by_its_etag() -> None:
    part = Reply(206, REST, {"Content-Range": f"bytes 100-{TOTAL - 1}/{TOTAL}", "ETag": '"v1"'})
    with talking(part) as (client, server), client.content("job-1", start=100, etag='"v1"') as download:
        assert (download.status, download.start, download.length) == (206, 100, TOTAL)
        assert b"".join(download.chunks()) == REST
    assert server.requests[0].headers["range"] == "bytes=100-"
    assert server.requests[0].headers["if-range"] == '"v1"'


@drill("D02")
def test_a_whole_file_in_place_of_the_rest_says_where_it_begins() -> None:
    with talking(Reply(200, VIDEO)) as (client, _), client.content("job-1", start=100) as download:
        assert (download.status, download.start, download.length) == (200, 0, TOTAL)
        assert b"".join(download.chunks()) == VIDEO


MULTIPART = {"Content-Range": "bytes 100-16383/16384", "Content-Type": "multipart/byteranges; boundary=x"}


@pytest.mark.parametrize(
    "headers",
    [
        row("D03", {"Content-Range": "bytes 0-99/16384"}, what="wrong-start"),
        row("D03", {}, what="missing"),
        row("D03", {"Content-Range": "bytes 100-16383/*"}, what="star"),
        row("D03", {"Content-Range": "bytes */16384"}, what="star-range"),
        row("D03", {"Content-Range": "bytes 100-99999/16384"}, what="beyond-the-end"),
        row("D03", MULTIPART, what="multipart"),
        row("D03", {"Content-Range": "bytes 100-16383/16384", "ETag": '"v2"'}, what="another-file"),
    ],
)
def test_a_part_that_was_not_asked_for_is_discarded_and_the_whole_asked_for(headers: dict[str, str]) -> None:
    with (
        talking(Reply(206, REST, headers, close=True), Reply(200, VIDEO)) as (client, server),
        client.content("job-1", start=100, etag='"v1"') as download,
    ):
        assert (download.status, download.start) == (200, 0)
        assert b"".join(download.chunks()) == VIDEO
    assert ["range" in request.headers for request in server.requests] == [True, False]


@drill("D04")
@pytest.mark.parametrize(("header", "length"), [({"Content-Range": "bytes */100"}, 100), ({}, None)], ids=["yes", "no"])
def test_past_the_end_is_a_download_without_bytes(header: dict[str, str], length: int | None) -> None:
    with talking(Reply(416, b"", header)) as (client, _), client.content("job-1", start=100) as download:
        assert download.status == 416
        assert (download.start, download.length) == (100, length)
        assert list(download.chunks()) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        row("D12", 401, Unauthorized, what="401"),
        row("D12", 403, Forbidden, what="403"),
        row("D12", 404, NotFound, what="404"),
        row("D20", 410, Gone),
        row("D13", 400, BadRequest),
        row("P01", 409, NotReadyYet, what="409"),
        row("P01", 502, ServerFault, what="content-502"),
    ],
)
def test_a_download_that_is_refused(status: int, kind: type[OrvideoError]) -> None:
    with talking(oops(status)) as (client, _):
        error = refusal(lambda: client.content("job-1", 5).__enter__())
    assert type(error) is kind
    assert error.job_id == "job-1"
    assert "oops" in error.message


@drill("N14")
def test_a_download_that_does_not_begin_ends_by_the_wall_clock() -> None:
    with talking(Drip(b"X: 1\r\n", at_once=b"HTTP/1.1 200 X\r\n"), limits=HASTY) as (client, _):
        assert type(refusal(lambda: drain(client))) is ServerFault


@pytest.mark.parametrize(
    "proxy",
    [
        row("N10", "http://[", what="junk"),
        row("N10", "foo://me:pa55word@proxy", what="scheme"),
        row("N10", "http://me:pa55word@proxy:port", what="port"),
        row("N10", "socks5://me:pa55word@127.0.0.1:9", what="socks"),
    ],
)
def test_a_proxy_that_cannot_be_one_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with Client("https://openrouter.invalid/api/v1", KEY) as client:
        for run in (lambda: client.submit(ORDER), client.models, lambda: client.content("x").__enter__()):
            error = refusal(run)
            assert type(error) is UsageError
            assert "HTTPS_PROXY" in error.message
            assert "pa55word" not in json.dumps(error.as_json())


@drill("N10")
@pytest.mark.parametrize("what", ["missing", "empty", "junk"])
def test_certificates_that_cannot_be_read_are_named(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_tls: None
) -> None:
    file = tmp_path / "certificates.pem"
    if what != "missing":
        file.write_bytes(b"" if what == "empty" else b"\x00junk")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with Client("https://openrouter.invalid/api/v1", KEY) as client:
        error = refusal(lambda: client.submit(ORDER))
    assert type(error) is UsageError
    assert "SSL_CERT_FILE" in error.message


@pytest.mark.parametrize(
    "key",
    [
        row("K02", bad, what=name)
        for name, bad in {
            "newline": "sk-or-v1-abcdefgh\n",
            "cr": "sk-or-v1-abc\rdefgh",
            "nul": "sk-or-v1-abc\0defgh",
            "space": "sk-or-v1-abc defgh",
            "bom": "\ufeffsk-or-v1-abcdefgh",
            "non-ascii": "sk-or-v1-abcdéfgh",
            "empty": "",
            "blank": "  ",
            "bearer": "Bearer sk-or-v1-abcdefgh",
            "surrogate": "sk-or-v1-abc\udcffdefgh",
        }.items()
    ],
)
def test_a_key_that_can_be_none_is_refused_without_being_repeated(key: str) -> None:
    with pytest.raises(AuthError) as caught:
        Client("https://openrouter.ai/api/v1", key)
    assert caught.value.exit_code == 4
    assert "abc" not in json.dumps(caught.value.as_json())


@drill("K02")
def test_without_a_key_nothing_that_needs_one_is_sent() -> None:
    with RawServer(Reply(200, {"data": []})) as server, Client(server.url, None) as client:
        for run in (lambda: client.submit(ORDER), lambda: client.job("x"), client.key, lambda: drain(client)):
            assert type(refusal(run)) is AuthError
        assert server.requests == []
        assert client.models().raw == []


@drill("K03")
def test_the_key_is_in_no_log_and_no_call(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Call] = []
    echo = {"X-Echo": KEY, "Retry-After": KEY, "CF-Ray": KEY}
    answer = Reply(401, {"error": {"message": KEY}}, echo)
    with (
        caplog.at_level(logging.DEBUG),
        RawServer(answer) as server,
        Client(server.url, KEY, on_call=calls.append) as client,
    ):
        refusal(lambda: client.submit(ORDER))
        refusal(lambda: client.job("job-1"))
        refusal(lambda: client.content("job-1", 3).__enter__())
        shown = f"{client!r} {vars(client)!r} {vars(client._transport)!r}"
    assert KEY not in caplog.text + repr(calls) + shown
    assert [(call.method, call.status) for call in calls] == [("POST", 401), ("GET", 401), ("GET", 401)]
    assert calls[2].url == server.url + "/videos/job-1/content"


@pytest.mark.parametrize("status", [row("K05", status, what=str(status)) for status in (202, 400, 500)])
@pytest.mark.parametrize("form", ["json", "escaped", "html", "text", "utf-16", "gzip", "metadata", "another"])
def test_a_key_that_comes_back_is_not_shown(status: int, form: str) -> None:
    kept: list[bytes] = []
    headers: dict[str, str] = {}
    echo = "sk-or-v1-somebodyelses0123456789" if form == "another" else KEY
    body = json.dumps({"error": {"code": 400, "message": f"Bad key {echo}"}}).encode()
    if form == "escaped":
        body = body.replace(b"sk-or", b"\\u0073k-or")
    elif form == "html":
        body = f"<html><title>{KEY}</title></html>".encode()
    elif form == "text":
        body = KEY.encode()
    elif form == "utf-16":
        body = body.decode().encode("utf-16")
    elif form == "gzip":
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    elif form == "metadata":
        raw = {"raw": json.dumps({"message": KEY}), "reasons": [KEY], "provider_name": KEY, "x": [{KEY: KEY}]}
        body = json.dumps({"error": {"message": "Bad", "metadata": raw}}).encode()
    with talking(Reply(status, body, headers)) as (client, _):
        error = refusal(lambda: client.submit(ORDER, on_answer=lambda status, raw: kept.append(raw)))
    assert echo not in json.dumps(error.as_json()) + repr(error.reply)
    if form != "escaped":
        assert echo.encode() not in kept[0].replace(b"\0", b"")


@drill("K13")
def test_a_client_shows_no_key() -> None:
    client = Client("https://openrouter.ai/api/v1", KEY)
    assert repr(client) == "<Client of https://openrouter.ai/api/v1 with a key>"
    client.close()


@drill("X03")
@pytest.mark.parametrize("job_id", ["../../x", "x?y", "x#y", "a b", "ü", "%2e%2e"])
def test_an_odd_id_is_one_segment_of_the_path(job_id: str) -> None:
    with talking(Reply(200, {"id": job_id, "status": "completed"})) as (client, server):
        assert client.job(job_id).status == "completed"
    path = server.requests[0].target
    assert path.startswith("/api/v1/videos/")
    assert path.count("/") == 4
    assert "?" not in path


@drill("X03")
@pytest.mark.parametrize(
    "job_id",
    [".", "..", "", "a\x00b", "a\nb", "x" * 10_240, "\ud800", chr(0xFFFD)],
    ids=["dot", "dots", "empty", "nul", "newline", "10-KB", "surrogate", "replacement"],
)
def test_an_id_that_can_be_no_segment_is_refused(job_id: str) -> None:
    with talking() as (client, server):
        assert type(refusal(lambda: client.job(job_id))) is BadReply
        assert type(refusal(lambda: client.content(job_id).__enter__())) is BadReply
    assert server.connections == 0


@drill("X04")
def test_bad_models_are_counted_and_skipped() -> None:
    good = {"id": "a/b", "supported_durations": ["5", 5, 5.0, None], "pricing_skus": {"x": 0.1}, "new": 1}
    with talking(Reply(200, {"data": [good, {}, None, 7, "x", {"id": ""}, {"id": 7}, []]})) as (client, server):
        models = client.models()
    assert models.raw == [good]
    assert models.skipped == 7
    assert "authorization" not in server.requests[0].headers


@drill("X04")
def test_a_million_entries_are_capped() -> None:
    with talking(Reply(200, b'{"data":[' + b"{}," * 3_000_000 + b"{}]}")) as (client, _):
        assert type(refusal(client.models)) is BadReply


@drill("X04")
@pytest.mark.parametrize("data", [None, {}, "x", 7])
def test_a_list_that_is_none_makes_no_sense(data: object) -> None:
    with talking(Reply(200, {"data": data})) as (client, _):
        assert type(refusal(client.models)) is BadReply
        assert type(refusal(client.model_modalities)) is BadReply


@pytest.fixture
def fresh_tls() -> Iterator[None]:
    """Have the certificates read again, here and after."""
    pool.tls_context.cache_clear()
    yield
    pool.tls_context.cache_clear()


@pytest.fixture
def trusted(fresh_tls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the raw server's own certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def relay_to(port: int) -> Behaviour:
    """Be a proxy: let a CONNECT through to a port of this machine, whatever it names."""

    def behave(peer: Peer) -> None:
        if peer.read_head() is None or not peer.send(b"HTTP/1.1 200 Connected\r\n\r\n"):
            return
        with socket.create_connection(("127.0.0.1", port)) as inner, contextlib.suppress(OSError):
            pass_on(peer.connection, inner)

    return behave


def pass_on(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on both ways until an end closes; in one thread, because a TLS connection may be used by one alone."""
    across = {one: other, other: one}
    while True:
        # What TLS has read and not handed out yet is nothing that the system knows of.
        held = [end for end in across if isinstance(end, ssl.SSLSocket) and end.pending()]
        for end in held or select.select(list(across), [], [], 30)[0]:
            data = end.recv(65536)
            if not data:
                return
            across[end].sendall(data)


@drill("M03")
@drill("K14")
def test_a_proxy_that_is_spoken_to_in_tls_sees_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_tls: None
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("SKIPPED: needs openssl, to make a certificate")
    name, pem = "service.localhost", tmp_path / "service.pem"
    line = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    line += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(pem), "-out", str(tmp_path / "only.pem")]
    subprocess.run(line, check=True, capture_output=True)
    pem.write_bytes(pem.read_bytes() + (tmp_path / "only.pem").read_bytes())
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes((tmp_path / "only.pem").read_bytes() + CERTIFICATE.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    large = {**ORDER, "prompt": "x" * 500_000}
    with (
        RawServer(Reply(202, JOB, close=True), Reply(200, VIDEO), tls=pem) as server,
        RawServer(relay_to(server.port), tls=True) as proxy,
    ):
        monkeypatch.delenv("NO_PROXY")
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        with Client(f"https://{name}:{server.port}/api/v1", KEY) as client:
            assert client.submit(large).id == "job-1"
            with client.content("job-1") as download:
                assert b"".join(download.chunks()) == VIDEO
    assert server.requests[0].json() == large
    assert {request.method for request in proxy.requests} == {"CONNECT"}
    assert not any(KEY.encode() in request.raw for request in proxy.requests)
