"""The money drills through the command: what `orvideo submit` says, exits with, and leaves on record.

The same faults are drilled at the client in `test_wire`; here it is the promise to the person that is proved. In every
row the server must have seen one POST and no more (drill M32).
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.transport import Limits
from orvideo.catalogue.cache import file_name
from orvideo.record.values import State
from tests.clocks import HandClock
from tests.drills.raw_server import (
    Behaviour,
    Drip,
    Flood,
    Peer,
    RawServer,
    Reply,
    Send,
    Stall,
    close_after_request,
    close_at_once,
    http,
    never_read,
    reset_after_request,
    reset_at_once,
    reset_in_body,
)
from tests.drills.service import (
    HASTY,
    ORDER,
    QUICK,
    SUBMITS,
    Looks,
    assert_clean,
    look_at_record,
    models_with,
    on_record,
    service,
    surroundings,
)
from tests.request.images import chunk, picture
from tests.shell import KEY, Result, Shell

JOB = {"id": "job-1", "polling_url": "https://openrouter.ai/api/v1/videos/job-1", "status": "pending"}
JOB_BYTES = json.dumps(JOB).encode()
GZIPPED = gzip.compress(JOB_BYTES)
HTML = b"<!DOCTYPE html><html><title>Log in to the hotel</title>"
drill = pytest.mark.drill


def row(name: str, *values: Any, what: str = "") -> Any:
    """A case that proves one row of the drills, named by it."""
    return pytest.param(*values, marks=drill(name), id=f"{name}-{what}" if what else name)


def oops(status: int, message: str = "oops", **more: Any) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, **more}})


@pytest.fixture
def quick(orvideo: Shell) -> Shell:
    """The command with little patience: calls end within a second or two instead of a minute."""
    return replace(orvideo, limits=QUICK)


def submit(
    shell: Shell, server: RawServer, *argv: str, order: Sequence[str] = ORDER, stdin: str = "", tty: bool = False
) -> Result:
    return shell("submit", *order, *argv, env=surroundings(server), stdin=stdin, tty=tty)


# --- sent, and no readable answer: on record, told, never repeated


UNKNOWN = [
    row("M04", close_at_once, QUICK, what="close"),
    row("M04", reset_at_once, QUICK, what="reset"),
    row("M05", close_after_request, QUICK, what="close"),
    row("M05", reset_after_request, QUICK, what="reset"),
    row("M06", Stall(), QUICK, what="silence"),
    row("M06", Stall(), HASTY, what="deadline"),
    row("M07", reset_in_body, QUICK, what="reset"),
    row("M07", never_read, QUICK, what="stall"),
    row("M08", Stall(b"HTTP/1.1 202 X\r\nContent-Length: 99\r\n\r\n"), QUICK, what="no-body"),
    row("M08", Send(http(202, b'{"id": "jo', {"Content-Length": "99"})), QUICK, what="cut-in-the-id"),
    row("M08", Send(http(202, b"", {"Transfer-Encoding": "chunked"}) + b"zz\r\n"), QUICK, what="bad-chunk"),
    row("M09", Send(http(202, b'{"id":"job-\xff\xfe1"}')), QUICK, what="undecodable-id"),
    row("M09", Send(http(202, b"\x1f\x8b junk", {"Content-Encoding": "gzip"})), QUICK, what="bad-gzip"),
    row("M10", Reply(202, {"status": "pending"}), QUICK, what="none"),
    row("M10", Reply(202, {"id": ""}), QUICK, what="empty"),
    row("M10", Reply(202, {"id": ["job-1"]}), QUICK, what="list"),
    row("M13", Reply(204), QUICK, what="204"),
    row("M13", Reply(200), QUICK, what="200"),
    *(row("M20", oops(n), QUICK, what=str(n)) for n in (408, 500, 501, 502, 504, 520, 521, 522, 523, 524, 529)),
    *(row("F-A07", oops(n), QUICK, what=str(n)) for n in (405, 406, 409, 410, 418, 425, 451, 499)),
    row("F-A07", Reply(409, HTML), QUICK, what="page"),
    row("M21", Reply(200, HTML), QUICK, what="200"),
    row("M21", Reply(502, HTML, {"CF-Ray": "8f00ba4"}), QUICK, what="502"),
    row("M21", Reply(503, HTML), QUICK, what="503"),
    row("M22", Reply(307, b"", {"Location": "/api/v1/videos/"}), QUICK, what="same-origin"),
    row("M22", Reply(302, b"", {"Location": "junk\x7f"}), QUICK, what="junk"),
    row("M22", Reply(301), QUICK, what="no-location"),
    row("M23", Flood(), HASTY, what="1xx"),
    row("M23", Drip(b"X-Slow: 1\r\n", at_once=b"HTTP/1.1 202 X\r\n"), HASTY, what="header"),
    row("N14", Drip(b" ", at_once=b"HTTP/1.1 202 X\r\nContent-Length: 9999\r\n\r\n"), HASTY, what="body"),
    row("N15", Send(b"HTTP/1.1 202 X\r\nX-Big: " + b"x" * 300_000 + b"\r\n\r\n"), QUICK, what="300-KB-header"),
    row("N15", Send(http(202, b"{}", [("Content-Length", "2"), ("Content-Length", "3")])), QUICK, what="lengths"),
    row("N15", Send(b"\x00\x01 garbage\r\n\r\n"), QUICK, what="status-line"),
    row("N15", Send(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), QUICK, what="101"),
]


@pytest.mark.parametrize(("behaviour", "limits"), UNKNOWN)
def test_an_unknown_outcome_is_on_record_and_told_and_not_repeated(
    orvideo: Shell, home: Path, behaviour: Behaviour, limits: Limits
) -> None:
    shell = replace(orvideo, limits=limits)
    large = behaviour in (reset_in_body, never_read)
    order = (*ORDER, "--first-frame", "large.png") if large else ORDER
    if large:
        plain = picture()
        (home / "large.png").write_bytes(plain[:-12] + chunk(b"orVi", b"boat " * 1_500_000) + plain[-12:])
    with service(behaviour) as server:
        done = submit(shell, server, "--json", order=order)
    assert server.count("POST") <= 1
    assert server.connections == 2, "one for the model list, one for the submit"
    assert (done.code, done.out) == (9, "")
    [record] = on_record(home)
    assert (record.state, record.id) == (State.UNKNOWN, None)
    assert record.request["model"] == "google/veo-3.1-lite"
    error = done.error
    assert (error["kind"], error["charged"], error["exit_code"]) == ("outcome_unknown", "unknown", 9)
    assert error["resume"] == f"orvideo jobs show {record.handle}"
    assert record.handle in error["message"]
    assert f"{record.created_at:%Y-%m-%d %H:}" in error["message"]
    assert "Submitting again may pay again" in error["message"]
    assert [job["handle"] for job in look_at_record(orvideo, "--unknown")] == [record.handle]
    assert_clean(home, done)


@drill("M06")
def test_a_person_is_told_where_it_is_on_record_and_what_another_try_may_cost(quick: Shell, home: Path) -> None:
    with service(Stall()) as server:
        done = submit(quick, server)
    [record] = on_record(home)
    assert (done.code, done.out, server.count("POST")) == (9, "", 1)
    assert done.err.count("error: ") == 1
    assert record.handle in done.err
    assert "UTC and may have been accepted and charged" in done.err
    assert "Submitting again may pay again" in done.err
    assert f"hint: look at https://openrouter.ai/activity, then: orvideo jobs show {record.handle}" in done.err
    assert "try again" not in done.err.lower()
    shown = quick("jobs", "show", record.handle)
    assert "unknown" in shown.out
    assert "orvideo jobs adopt ID" in shown.err
    assert f"orvideo jobs forget {record.handle}" in shown.err
    assert_clean(home, done, shown, quick("jobs"))


@drill("M09")
def test_an_answer_that_cannot_be_read_is_kept_for_a_person(quick: Shell, home: Path) -> None:
    answer = b'{"status": "pending", "key": "%s", "note": "\xff\xfe' % KEY.encode() + b"x" * 100_000
    with service(Send(http(202, answer))) as server:
        done = submit(quick, server)
    [record] = on_record(home)
    assert (done.code, record.state, record.answer_status) == (9, State.UNKNOWN, 202)
    assert record.answer is not None
    assert record.answer.startswith(b'{"status": "pending"')
    assert b"\xff\xfe" in record.answer
    assert len(record.answer) <= 64 * 1024
    assert_clean(home, done)


@drill("M21")
def test_a_page_is_named_by_its_title_and_ray(quick: Shell) -> None:
    page = b"<html><title>" + b"Bad gateway " * 50 + b"</title>"
    with service(Reply(502, page, {"CF-Ray": "8f00ba4"})) as server:
        done = submit(quick, server)
    assert "502" in done.err
    assert "8f00ba4" in done.err
    assert "Bad gateway" in done.err
    assert "Bad gateway " * 12 not in done.err, "at most 120 characters of it"


@drill("M06")
def test_what_is_unknown_is_looked_for_by_hand_and_forgotten_by_hand(quick: Shell, home: Path) -> None:
    with service(Stall()) as server:
        submit(quick, server)
    [record] = on_record(home)
    waited = quick("wait", record.handle, "--json")
    assert (waited.code, waited.error["charged"]) == (9, "unknown")
    assert quick("wait", "--all").code == 0, "there is no id to wait for"
    assert quick("jobs", "forget", record.handle).code == 0
    assert on_record(home) == []


# --- an id in whatever shape: recorded, printed


ACCEPTED = [
    row("M08", Send(http(202, b'{"id":"job-1","polling_url":"htt', {"Content-Length": "999"})), what="length"),
    row(
        "M08",
        Send(b"HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\nf\r\n" + b'{"id":"job-1","' + b"\r\n"),
        what="chunk",
    ),
    row("M08", Stall(http(202, JOB_BYTES, {"Content-Length": "999"})), what="silence-after-the-id"),
    row("M08", Send(http(202, JOB_BYTES, {"Content-Length": "999"}), reset=True), what="reset-after-the-id"),
    row("M09", Send(http(202, b'{"id":"job-1","x":"\xff\xfe"}')), what="bad-utf8"),
    row("M09", Send(http(202, b'{"id":"job-1","x":"\\ud800"}')), what="lone-surrogate"),
    row("M09", Send(http(202, GZIPPED[:-9], {"Content-Encoding": "gzip"})), what="cut-gzip"),
    row("M10", Send(http(202, b'{"id":1}')), what="number"),
    row("M11", Send(http(202, b'{"id":"job-1"}')), what="bare"),
    row("M11", Send(http(202, b'{"id":"job-1","polling_url":"https://evil.example/x","status":[]}')), what="odd"),
    row("M12", Reply(200, JOB), what="200"),
    row("M12", Reply(201, JOB), what="201"),
    row("M12", Reply(202, JOB), what="202"),
]


@pytest.mark.parametrize("behaviour", ACCEPTED)
def test_an_id_is_recorded_printed_and_followed(quick: Shell, home: Path, behaviour: Behaviour) -> None:
    with service(behaviour) as server:
        done = submit(quick, server)
    assert server.count("POST") == 1
    [record] = on_record(home)
    # A number alone would be a position in the list: such a job is called by its local name.
    assert (done.code, done.lines) == (0, [record.name]), done.err
    assert (record.id, record.name) in (("job-1", "job-1"), ("1", record.handle))
    assert (record.state, record.answer) == (State.SUBMITTED, None)
    assert f"orvideo wait {record.name}" in done.err
    assert_clean(home, done)


@drill("M11")
def test_the_job_is_looked_at_by_its_id_and_not_where_the_answer_says(orvideo: Shell, home: Path) -> None:
    """Also M24 and M32: the looks share connections, and the one submit has one of its own."""
    ended = {"id": "job-1", "status": "failed", "error": "no"}
    looks = Looks(*[{**JOB, "polling_url": "https://evil.example/x"}] * 19, ended)
    shell = replace(orvideo, clock=HandClock().clock(), limits=QUICK)
    with service(Reply(202, {**JOB, "polling_url": "https://evil.example/x"}), looks=looks) as server:
        done = submit(shell, server, "--wait")
    assert done.code == 3, done.err
    assert server.count("GET", f"{SUBMITS}/job-1") == 20
    assert (server.count("POST"), looks.strays) == (1, [])
    assert 3 <= server.connections <= 5, "the model list, the submit, and the looks of one job in few threads"


# --- refused: nothing was bought, and the message says why


REFUSED = [
    row("M14", oops(400, "duration: too long"), 6, "duration: too long", what="400"),
    row("M14", oops(404, "No endpoints found for x"), 6, "No endpoints found", what="404"),
    row("M14", oops(413), 6, "oops", what="413"),
    row("M14", oops(422, '[{"path": ["prompt"], "message": "is empty"}]'), 6, "prompt: is empty", what="422-zod"),
    row("M15", oops(401, f"No auth {KEY}"), 4, "OPENROUTER_API_KEY", what="401"),
    row("M16", oops(402, "Insufficient credits"), 5, "Insufficient credits", what="402"),
    row(
        "M17",
        oops(403, "Moderated", metadata={"reasons": ["violence", "\x1b[31mred"], "patterns": ["p-7"]}),
        6,
        "violence",
        what="403",
    ),
    row("M22", Reply(307, b"", {"Location": "https://evil.example/api/v1/videos"}), 15, "evil.example", what="host"),
    row("M22", Reply(308, b"", {"Location": "//evil.example/x"}), 15, "evil.example", what="no-scheme"),
]


@drill("M22")
@pytest.mark.parametrize("where", ["https://evil.example/api/v1/videos", "https://xn--/x"])
def test_m22_what_is_told_of_a_redirect_are_no_words_of_the_service(quick: Shell, where: str) -> None:
    with service(Reply(307, b"", {"Location": where})) as server:
        done = submit(quick, server, "--json")
        told = submit(quick, server)
    assert (done.code, done.error["charged"]) == (15, "no")
    assert "\n" not in done.error["message"]
    assert "service:" not in told.err


@pytest.mark.parametrize(("behaviour", "code", "says"), REFUSED)
def test_a_refusal_is_told_and_nothing_was_bought(
    quick: Shell, home: Path, behaviour: Behaviour, code: int, says: str
) -> None:
    with service(behaviour) as server:
        done = submit(quick, server, "--json")
        told = submit(quick, server)
    assert server.count("POST") == 2, "two lines, two submits"
    assert (done.code, done.out, told.code, told.out) == (code, "", code, "")
    assert says in done.error["message"]
    assert says in told.err
    assert "\x1b" not in told.err
    assert (done.error["charged"], done.error["exit_code"], done.error["job_id"]) == ("no", code, None)
    assert {(record.state, record.id) for record in on_record(home)} == {(State.NOT_SENT, None)}
    assert look_at_record(quick, "--unknown") == []
    assert_clean(home, done, told, quick("jobs", "show", "@1"))


@drill("M15")
def test_a_refused_key_out_of_the_store_is_named_by_its_file(quick: Shell, home: Path) -> None:
    with service(oops(401)) as server:
        env = {"ORVIDEO_BASE_URL": server.url}
        assert quick("config", "set", "api-key", stdin=KEY + "\n", env=env).code == 0
    with service(oops(401)) as other:
        # Stored for the other origin, so it is not even sent: the port is part of an origin.
        done = quick("submit", *ORDER, env={"ORVIDEO_BASE_URL": other.url})
        assert (done.code, other.count("POST")) == (15, 0)
        assert KEY not in done.err


# --- not now: the only answers after which a submit is sent again


class Answers:
    """Answers every submit, each on a connection of its own, and the looks between them, in this order."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = list(replies)
        self.looks = Looks()

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])


def not_now(status: int, *headers: tuple[str, str], message: str = "later") -> bytes:
    return http(status, json.dumps({"error": {"code": status, "message": message}}).encode(), list(headers))


def pauses_told(done: Result) -> list[int]:
    """Return the pauses between submits that a person was told of, in whole seconds."""
    return [int(seconds) for seconds in re.findall(r"^not now: .*Trying again in (\d+) s", done.err, re.MULTILINE)]


PAUSES = [
    row("M18", 429, [("Retry-After", "7")], 7.0, what="seconds"),
    row("M18", 429, [("Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT")], 30.0, what="date"),
    row("M18", 429, [("Retry-After", "Sat, 21 Nov 2020 12:00:30 GMT")], 0.0, what="past-date"),
    row("M18", 429, [("Retry-After", "0")], 0.0, what="zero"),
    row("M18", 429, [("Retry-After", "-5")], None, what="negative"),
    row("M18", 429, [("Retry-After", "soon")], None, what="junk"),
    row("M18", 429, [("Retry-After", "junk"), ("Retry-After", "3")], 3.0, what="two-headers"),
    row("M18", 429, [], None, what="none"),
    row("M19", 503, [], None, what="503"),
    row("M19", 503, [("Retry-After", "4")], 4.0, what="503-seconds"),
    row("M16", 402, [("Retry-After", "5")], 5.0, what="402-budget-in-flight"),
]


@pytest.mark.parametrize(("status", "headers", "pause"), PAUSES)
def test_not_now_is_waited_out_and_sent_again(
    orvideo: Shell, home: Path, status: int, headers: list[tuple[str, str]], pause: float | None
) -> None:
    hands = HandClock()
    shell = replace(orvideo, clock=hands.clock(), limits=QUICK)
    with service(Answers(not_now(status, *headers), http(202, JOB_BYTES))) as server:
        done = submit(shell, server)
    assert (done.code, done.lines) == (0, ["job-1"]), done.err
    assert server.count("POST") == 2, "one was refused, one was accepted"
    slept = hands.elapsed
    if pause is None:
        assert 1.0 <= slept <= 2.0
    else:
        assert slept == pytest.approx(max(pause, 1.0)), "never without a pause"
    assert done.err.count("nothing was submitted yet") == len(pauses_told(done)) == 1
    assert pauses_told(done) == [pytest.approx(slept, abs=0.5)]
    [record] = on_record(home)
    assert (record.id, record.state) == ("job-1", State.SUBMITTED)
    assert_clean(home, done)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        row("M18", [("Retry-After", "1e9")], "wait 277778 h", what="1e9"),
        row("M18", [("Retry-After", "121")], "wait 3 min", what="beyond-the-patience"),
        row("M18", [("Retry-After", "50")], "wait 50 s", what="again-and-again"),
        row("M18", [], "wait a minute", what="never"),
    ],
)
def test_patience_ends_after_two_minutes_and_says_when(
    orvideo: Shell, home: Path, headers: list[tuple[str, str]], says: str
) -> None:
    hands = HandClock()
    shell = replace(orvideo, clock=hands.clock(), limits=QUICK)
    with service(Answers(not_now(429, *headers))) as server:
        done = submit(shell, server, "--json")
    assert (done.code, done.error["charged"]) == (7, "no")
    assert says in done.error["hint"]
    assert hands.elapsed <= 120
    pauses = pauses_told(done)
    assert server.count("POST") == len(pauses) + 1, "each further one comes after a pause"
    assert hands.elapsed == pytest.approx(sum(pauses), abs=0.5 * len(pauses))
    [record] = on_record(home)
    assert record.state == State.NOT_SENT
    assert_clean(home, done)


@drill("M18")
def test_an_unknown_outcome_ends_the_repeating(orvideo: Shell, home: Path) -> None:
    shell = replace(orvideo, clock=HandClock().clock(), limits=QUICK)
    with service(Answers(not_now(429, ("Retry-After", "1")), not_now(500), http(202, JOB_BYTES))) as server:
        done = submit(shell, server)
    assert (done.code, server.count("POST")) == (9, 2)
    assert on_record(home)[0].state == State.UNKNOWN


# --- nothing could be sent


@pytest.fixture
def hands() -> HandClock:
    return HandClock()


@pytest.fixture
def primed(orvideo: Shell, hands: HandClock) -> tuple[Shell, str]:
    """A shell that has the model list, and the base URL of a service that is gone since."""
    shell = replace(orvideo, clock=hands.clock(), limits=QUICK)
    with service(Reply(500)) as server:
        assert shell("models", env=surroundings(server)).code == 0
    return shell, server.url


def move_cache(home: Path, base_url: str, to: str) -> None:
    [cached] = (home / "cache").rglob(file_name(base_url))
    shutil.copy(cached, cached.with_name(file_name(to)))


def assert_not_sent(home: Path, done: Result, code: int) -> None:
    assert (done.code, done.error["charged"], done.out) == (code, "no", "")
    assert "othing was submitted" in done.error["message"]
    [record] = on_record(home)
    assert (record.state, record.id) == (State.NOT_SENT, None)
    assert_clean(home, done)


@drill("M01")
def test_a_refused_connection_is_tried_three_times_and_nothing_is_sent(
    primed: tuple[Shell, str], hands: HandClock, home: Path
) -> None:
    shell, url = primed
    done = shell("submit", *ORDER, "--json", env={"ORVIDEO_BASE_URL": url, "OPENROUTER_API_KEY": KEY})
    assert_not_sent(home, done, 7)
    assert hands.slept == [0.5, 1.0]


@drill("M01")
def test_a_connection_that_comes_about_late_carries_one_submit(primed: tuple[Shell, str], home: Path) -> None:
    shell, url = primed
    with RawServer(Reply(202, JOB), refusing=True) as server:
        move_cache(home, url, server.url)
        late = replace(shell, clock=shell.clock._replace(sleep=lambda seconds: server.listen()))
        done = submit(late, server)
    assert (done.code, done.lines, server.count("POST")) == (0, ["job-1"], 1), done.err


@drill("M01")
def test_a_name_that_does_not_resolve_sends_nothing(
    primed: tuple[Shell, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, url = primed
    elsewhere = "https://no-such-host.invalid/api/v1"
    move_cache(home, url, elsewhere)
    monkeypatch.setenv("NO_PROXY", "*")
    done = shell("submit", *ORDER, "--json", env={"ORVIDEO_BASE_URL": elsewhere, "OPENROUTER_API_KEY": KEY})
    assert_not_sent(home, done, 7)


@pytest.mark.parametrize(
    ("status", "code"), [row("M03", 407, 4, what="407"), row("M03", 403, 7, what="403"), row("M03", 502, 7, what="502")]
)
def test_a_proxy_that_refuses_lets_nothing_through(
    primed: tuple[Shell, str], home: Path, monkeypatch: pytest.MonkeyPatch, status: int, code: int
) -> None:
    shell, url = primed
    elsewhere = "https://openrouter.invalid/api/v1"
    move_cache(home, url, elsewhere)
    with RawServer(Reply(status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret-word@127.0.0.1:{proxy.port}")
        done = shell("submit", *ORDER, "--json", "-v", env={"ORVIDEO_BASE_URL": elsewhere, "OPENROUTER_API_KEY": KEY})
    assert_not_sent(home, done, code)
    assert "secret-word" not in done.err
    assert proxy.count("CONNECT", "openrouter.invalid:443") >= 1
    assert proxy.count("POST") == 0
    assert all(KEY.encode() not in request.raw for request in proxy.requests)


# --- before the money


@drill("M28")
@pytest.mark.parametrize(("answer", "code", "posts"), [("n\n", 5, 0), ("", 5, 0), ("perhaps\n", 5, 0), ("y\n", 0, 1)])
def test_what_is_dear_is_asked_about(quick: Shell, home: Path, answer: str, code: int, posts: int) -> None:
    with service(Reply(202, JOB)) as server:
        env = {**surroundings(server), "ORVIDEO_CONFIRM_ABOVE": "0.05", "TERM": "dumb"}
        done = quick("submit", *ORDER, env=env, stdin=answer, tty=True)
    assert (done.code, server.count("POST")) == (code, posts), done.err
    assert "Submit this for $0.12? [y/N]" in done.err
    if code:
        assert "nothing was sent" in done.err
        assert look_at_record(quick) == []


ODD_PRICES: list[Any] = [
    row("M29", None, what="none"),
    row("M29", {}, what="empty"),
    row("M29", {"duration_seconds_without_audio_720p": "NaN"}, what="NaN"),
    row("M29", {"duration_seconds_without_audio_720p": "Infinity"}, what="infinite"),
    row("M29", {"duration_seconds_without_audio_720p": "-0.03"}, what="negative"),
    row("M29", {"duration_seconds_without_audio_720p": "cheap"}, what="a-word"),
    row("M29", {"duration_seconds_without_audio_720p": {"usd": 1}}, what="an-object"),
    row("M29", {"per_whim": "0.0001"}, what="a-key-nobody-knows"),
]


@pytest.mark.parametrize("skus", ODD_PRICES)
def test_an_odd_price_is_never_zero_and_never_below_a_limit(quick: Shell, skus: Any) -> None:
    models = models_with(pricing_skus=skus)
    with service(Reply(202, JOB), looks=Looks(models=models)) as server:
        limited = submit(quick, server, "--max-cost", "1000", "--json")
        assert (limited.code, limited.error["charged"], server.count("POST")) == (5, "no", 0)
        assert "unknown price" in limited.error["message"]
        quoted = submit(quick, server, "--dry-run", "--json")
        assert quoted.json["quote"]["kind"] == "unknown"
        assert quoted.json["quote"]["usd"] is None
        assert "$0" not in quoted.err
        asked = submit(quick, server, stdin="n\n", tty=True)
        assert (asked.code, server.count("POST")) == (5, 0)
        assert "Submit this for an unknown price?" in asked.err


@drill("M29")
def test_a_limit_is_held_against_the_price_of_now(quick: Shell) -> None:
    """The list may be an hour old: what it says is what is quoted, and what --max-cost is held against."""
    with service(Reply(202, JOB)) as server:
        assert submit(quick, server, "--max-cost", "0.119").code == 5
        assert server.count("POST") == 0
        done = submit(quick, server, "--max-cost", "0.12", "--json")
    assert (done.code, server.count("POST")) == (0, 1)
    assert Decimal(str(done.json["quote"]["usd"])) == Decimal("0.12")


# --- afterwards


@drill("M31")
def test_a_job_that_still_runs_is_no_failure(orvideo: Shell, home: Path, hands: HandClock) -> None:
    shell = replace(orvideo, clock=hands.clock(), limits=QUICK)
    with service(Reply(202, JOB), looks=Looks(JOB)) as server:
        done = submit(shell, server, "--wait", "--timeout", "10m", "-o", "boat.mp4")
    assert (done.code, done.out, server.count("POST")) == (8, "", 1)
    assert "is still running" in done.err
    assert "hint: orvideo wait job-1" in done.err
    assert "again" not in done.err
    assert "failed" not in done.err
    assert hands.elapsed == pytest.approx(600, abs=1)
    [record] = on_record(home)
    assert record.target == str(home / "boat.mp4"), "-o is remembered"
    assert_clean(home, done)


@drill("M24")
def test_a_submit_never_goes_over_the_connection_of_the_looks(quick: Shell) -> None:
    looks = Looks()
    with service(Reply(202, JOB), Reply(202, {**JOB, "id": "job-2"}), looks=looks) as server:
        assert submit(quick, server).code == 0
        assert (looks.strays, server.connections) == ([], 2)
        assert submit(quick, server).code == 0
    assert (looks.strays, server.count("POST"), server.connections) == ([], 2, 3)


@drill("M32")
def test_faults_one_after_the_other_on_one_record_are_as_many_posts_as_submits(quick: Shell, home: Path) -> None:
    faults = [fault for fault in (case.values[0] for case in UNKNOWN) if isinstance(fault, (Reply, Send))][::4]
    for number, fault in enumerate(faults, 1):
        with service(fault) as server:
            assert submit(quick, server, "-q").code == 9
            assert server.count("POST") == 1
        assert len(on_record(home)) == number


@drill("F-B02", "M19")
@pytest.mark.parametrize("more", [(), ("--wait",)])
def test_f_b02_a_submit_that_is_told_to_come_back_ends_with_its_timeout(
    orvideo: Shell, hands: HandClock, more: tuple[str, ...]
) -> None:
    shell = replace(orvideo, clock=hands.clock())
    busy = Reply(503, {"error": {"code": 503, "message": "no provider now"}})
    with service(busy) as server:
        done = submit(shell, server, "--timeout", "5s", "--json", *more)
    assert (done.code, done.error["charged"]) == (7, "no"), done.err
    assert hands.elapsed < 7
