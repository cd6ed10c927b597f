"""The drills on signing in (L): what a browser, a foreign page, the service and the disk do wrong meanwhile.

The command is a process of its own; its browser is a script that hands the address over, and the test comes back
instead of it, rightly or wrongly.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from orvideo.sandbox.server import Sandbox
from tests.drills.raw_server import (
    Behaviour,
    Peer,
    RawServer,
    Reply,
    close_after_request,
    http,
    reset_after_request,
)
from tests.drills.tracing import needs_strace
from tests.shell import Result, Shell
from tests.sign_in.person import PATIENCE, Login, allow, key_file, press, signing_in

drill = pytest.mark.drill
NEW = "sk-or-v1-" + "0ddba11e" * 8
MADE = {"key": NEW, "user_id": "u"}
FINE = {"label": "mine", "limit": None, "limit_remaining": None, "usage": 0}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SKIPPED: the browser of these drills is a POSIX script")


@contextmanager
def service(keys: Behaviour | None = None, key: Behaviour | None = None) -> Iterator[RawServer]:
    """A service that makes a key of any code, unless it is told otherwise."""
    routes = {"/api/v1/auth/keys": keys or Reply(200, MADE), "/api/v1/key": key or Reply(200, {"data": FINE})}
    with RawServer(routes=routes) as server:
        yield server


@contextmanager
def sandbox(home: Path) -> Iterator[str]:
    """The real thing, as far as there is one here."""
    with Sandbox(home / "service", speed=1_000_000) as running:
        yield running.base_url


def say(login: Login, data: bytes) -> bytes:
    """Send bytes to the listener and return all that it answers."""
    with socket.create_connection(("127.0.0.1", login.port), PATIENCE) as connection:
        connection.sendall(data)
        answer = b""
        while more := connection.recv(65536):
            answer += more
        return answer


def status(login: Login, *lines: str) -> int:
    return int(say(login, "\r\n".join([*lines, "", ""]).encode()).split()[1])


def assert_nothing_stored(shell: Shell, done: Result) -> None:
    """Check that no key is here, and that none was shown."""
    assert not key_file(shell).exists()
    assert NEW[-12:] not in done.out + done.err
    assert "Traceback" not in done.err
    for path in shell.home.rglob("*"):
        assert not path.is_file() or NEW.encode() not in path.read_bytes(), path


@drill("L01")
def test_l01_a_wrong_nonce_is_nobody_and_the_right_one_still_comes(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        for path in ("/", "/?code=theirs", login.callback.rpartition("/")[2][:-1] + "?code=theirs"):
            wrong = httpx.get(f"http://127.0.0.1:{login.port}/{path.lstrip('/')}", timeout=PATIENCE)
            assert wrong.status_code == 404
        assert httpx.get(f"{login.callback}/more?code=theirs", timeout=PATIENCE).status_code == 404
        assert server.requests == []
        assert login.come_back("code=ours").status_code == 200
        done = login.done()
        assert [one.json()["code"] for one in server.requests if one.method == "POST"] == ["ours"]
    assert done.code == 0, done.err


@drill("L01", "L05")
def test_l05_nobody_comes_back_in_time(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url, "--timeout", "3s", "--json") as login:
        with suppress(httpx.HTTPError):  # a slow machine may be too late itself
            httpx.get(f"http://127.0.0.1:{login.port}/guessed?code=theirs", timeout=PATIENCE)
        done = login.done()
        assert (done.code, server.requests, done.out) == (4, [], "")
    assert done.error["kind"] == "auth"
    assert "within 3s" in done.error["message"]
    assert "orvideo login --no-browser" in done.error["hint"]
    assert_nothing_stored(orvideo, done)


@drill("L02")
def test_l02_whoever_comes_back_second_is_refused(orvideo: Shell) -> None:
    asked, may_answer = threading.Event(), threading.Event()

    def answer(peer: Peer) -> None:
        request = peer.read_request()
        assert request is not None
        asked.set()
        may_answer.wait(PATIENCE)
        peer.send(http(200, b'{"key": "%s"}' % NEW.encode()))

    first: list[httpx.Response] = []
    with service(answer) as server, signing_in(orvideo, server.url) as login:
        callback = login.callback
        thread = threading.Thread(target=lambda: first.append(login.come_back("code=ours")))
        thread.start()
        try:
            assert asked.wait(PATIENCE)
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{callback}?code=theirs", timeout=PATIENCE)
        finally:
            may_answer.set()
            thread.join(PATIENCE)
        done = login.done()
        assert [one.json()["code"] for one in server.requests if one.method == "POST"] == ["ours"]
    assert (done.code, first[0].status_code) == (0, 200), done.err


@drill("L03")
def test_l03_a_wrong_code_ends_it(orvideo: Shell, home: Path) -> None:
    with sandbox(home) as base_url, signing_in(orvideo, base_url) as login:
        page = login.come_back("code=auth_code_guessed")
        done = login.done()
    assert (done.code, page.status_code) == (4, 400), done.err
    assert "You are not signed in" in page.text
    assert "hint: orvideo login" in done.err
    assert_nothing_stored(orvideo, done)


@drill("L03")
@pytest.mark.parametrize("query", ["code=a&code=b", "code=", "", "code=%ff", "x=1", "code=a&error=no"])
def test_l03_what_is_no_code_is_sent_nowhere(orvideo: Shell, query: str) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        page = login.come_back(query)
        done = login.done()
        assert (done.code, page.status_code, server.requests) == (4, 400, []), done.err
    assert_nothing_stored(orvideo, done)


@drill("L04")
def test_l04_a_code_that_was_made_for_another_program_is_worth_nothing(orvideo: Shell, home: Path) -> None:
    with sandbox(home) as base_url, signing_in(orvideo, base_url) as login:
        theirs = allow(login.address.replace(login.asked("code_challenge"), "A" * 43))
        page = httpx.get(theirs, timeout=PATIENCE)
        done = login.done()
    assert (done.code, page.status_code) == (4, 400)
    assert "did not take the code: Invalid code or code_verifier." in done.err
    assert_nothing_stored(orvideo, done)


@drill("L06")
def test_l06_a_person_who_denies_it_has_no_key(orvideo: Shell, home: Path) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        assert login.come_back("error=access_denied").status_code == 400
        done = login.done()
        assert (done.code, server.requests) == (4, [])
    assert "was not allowed: the answer was access_denied" in done.err
    assert_nothing_stored(orvideo, done)
    # The sandbox does as the page says, and sends nobody back.
    with sandbox(home) as base_url, signing_in(orvideo, base_url, "--timeout", "3s") as login:
        assert "Denied" in press("deny", login.address).text
        assert login.done().code == 4
    assert_nothing_stored(orvideo, done)


@drill("L07")
def test_l07_two_at_once_take_a_port_each(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as one, signing_in(orvideo, server.url) as other:
        assert one.port != other.port
        assert {login.come_back("code=x").status_code for login in (one, other)} == {200}
        assert (one.done().code, other.done().code) == (0, 0)


@drill("L07")
@needs_strace
def test_l07_where_no_port_is_to_be_had_the_code_is_typed(orvideo: Shell) -> None:
    fault = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=bind", "--inject=bind:error=EADDRNOTAVAIL")
    with service() as server, signing_in(orvideo, server.url, through=fault) as login:
        assert login.process.stdin is not None
        login.process.stdin.write(b"typed\n")
        done = login.done()
        assert (done.code, server.count("POST")) == (0, 1), done.err
    assert "nobody can listen on 127.0.0.1 here" in done.err
    assert "callback_url" not in done.err


@drill("L08")
def test_l08_ctrl_c_while_waiting(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        port = login.port
        login.process.send_signal(signal.SIGINT)
        done = login.done()
        assert (done.code, server.requests) == (130, [])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), PATIENCE)
    assert_nothing_stored(orvideo, done)


@drill("L08")
def test_l08_ctrl_c_while_the_key_is_made_says_that_there_may_be_one(orvideo: Shell) -> None:
    asked = threading.Event()

    def silent(peer: Peer) -> None:
        peer.read_request()
        asked.set()
        peer.stall()

    with service(silent) as server, signing_in(orvideo, server.url) as login:
        callback = login.callback

        def come_back() -> None:
            with pytest.raises(httpx.HTTPError):
                httpx.get(f"{callback}?code=x", timeout=PATIENCE)

        thread = threading.Thread(target=come_back)
        thread.start()
        assert asked.wait(PATIENCE)
        login.process.send_signal(signal.SIGINT)
        done = login.done()
        thread.join(PATIENCE)
    assert done.code == 130
    assert "can be revoked at https://openrouter.ai/settings/keys" in done.err
    assert_nothing_stored(orvideo, done)


@drill("L09")
def test_l09_a_foreign_page_that_finds_the_port_gets_nowhere(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        path = "/" + login.callback.rpartition("/")[2]
        right = f"GET {path}?code=theirs HTTP/1.1"
        host = f"Host: 127.0.0.1:{login.port}"
        assert status(login, right, "Host: evil.example") == 403  # a name that was made to lead here
        assert status(login, right, f"Host: evil.example:{login.port}") == 403
        assert status(login, right, "Host: 127.0.0.1") == 403
        assert status(login, f"GET {path}?code=theirs HTTP/1.0") == 403
        assert status(login, right) == 400
        assert status(login, right, host, "Host: evil.example") == 400
        for method in ("POST", "HEAD", "OPTIONS", "PUT"):
            assert status(login, f"{method} {path}?code=theirs HTTP/1.1", host, "Content-Length: 0") == 405
        assert status(login, "POST / HTTP/1.1", host, "Origin: https://evil.example", "Content-Length: 5") == 404
        assert status(login, f"GET http://127.0.0.1:{login.port}{path}?code=x HTTP/1.1", host) == 404
        answer = httpx.options(login.callback, headers={"Origin": "https://evil.example"}, timeout=PATIENCE)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert server.requests == []
        assert status(login, right.replace("theirs", "ours"), f"Host: LOCALHOST:{login.port}") == 200
        assert login.done().code == 0
        assert [one.json()["code"] for one in server.requests if one.method == "POST"] == ["ours"]


@drill("L10")
def test_l10_connections_that_say_nothing_hold_up_nobody(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as login, ExitStack() as held:
        for number in range(100):
            silent = held.enter_context(socket.create_connection(("127.0.0.1", login.port), PATIENCE))
            silent.sendall(b"GET / HTTP/1.1\r\nHost: " if number % 2 else b"")
        assert login.come_back("code=x").status_code == 200
        assert login.done().code == 0


@drill("L11")
def test_l11_what_is_too_large_or_no_request_is_refused_and_the_right_one_still_comes(orvideo: Shell) -> None:
    with service() as server, signing_in(orvideo, server.url) as login:
        host = f"Host: 127.0.0.1:{login.port}"
        assert status(login, "GET / HTTP/1.1", host, "X: " + "x" * 100_000) == 431
        assert status(login, f"GET /{'x' * 100_000} HTTP/1.1", host) == 431
        assert status(login, "GET / HTTP/1.1", host, *(f"X{number}: y" for number in range(10_000))) == 431
        assert status(login, "\x16\x03\x01\x02garbage") == 400
        assert login.come_back("&".join(f"a{number}=b" for number in range(100)) + "&code=x").status_code == 400
        done = login.done()
    assert done.code == 4, done.err


PAGE = Reply(200, b"<!DOCTYPE html><title>Log in to the hotel</title>")
LEAKY = f"of {NEW} nothing is left"
#: What the service answers to the code: what the command ends with, and words of it.
ANSWERS: dict[str, tuple[Behaviour, int, str]] = {
    "403": (Reply(403, {"error": {"code": 403, "message": "Invalid code"}}), 4, "did not take the code: Invalid code"),
    "400": (Reply(400, {"error": {"code": 400, "message": "Invalid method"}}), 4, "Invalid method"),
    "with a key in its words": (Reply(403, {"error": {"code": 403, "message": LEAKY}}), 4, "[key hidden]"),
    "403 of a gateway": (Reply(403, b"<html><title>Blocked</title></html>"), 7, "403"),
    "404": (Reply(404, b"<html>no</html>"), 6, "is the base URL right?"),
    "429": (Reply(429, {"error": {"code": 429, "message": "slow down"}}), 7, "slow down"),
    "500": (Reply(500, {"error": {"code": 500, "message": "oops"}}), 7, "oops"),
    "502 page": (Reply(502, b"<html><title>Bad gateway</title></html>"), 7, "Bad gateway"),
    "page": (PAGE, 7, "Log in to the hotel"),
    "nothing": (Reply(200, b""), 7, "with an empty"),
    "hangs up": (close_after_request, 7, "gave no answer"),
    "resets": (reset_after_request, 7, "gave no answer"),
    "garbage": (Reply(200, b"\x00\xff{]"), 12, "without a key"),
    "another shape": (Reply(200, {"data": {"token": NEW}}), 12, "without a key"),
    "no text": (Reply(200, {"key": [NEW]}), 12, "without a key"),
    "no key": (Reply(200, {"key": f"{NEW} \n"}), 12, "without a key"),
    "cut": (Reply(200, b'{"key": "sk-or-v1-0ddb', {"Content-Length": "99"}, close=True), 12, "without a key"),
}


@drill("L12")
@pytest.mark.parametrize(("answer", "code", "says"), ANSWERS.values(), ids=ANSWERS)
def test_l12_an_answer_without_a_key_stores_none(orvideo: Shell, answer: Behaviour, code: int, says: str) -> None:
    with service(answer) as server:
        done = orvideo("login", "--no-browser", stdin="auth_code_1\n", env={"ORVIDEO_BASE_URL": server.url})
        assert (done.code, server.count("POST"), server.count("GET")) == (code, 1, 0), done.err
    assert says in " ".join(done.err.split())
    assert "hint: " in done.err
    assert_nothing_stored(orvideo, done)
    if code == 12 or "gave no answer" in says:
        assert "can be revoked at https://openrouter.ai/settings/keys" in done.err


@drill("L12")
def test_l12_a_redirect_does_not_take_the_code_elsewhere(orvideo: Shell) -> None:
    with RawServer(Reply(200, MADE)) as elsewhere:
        for way in (301, 302, 307, 308):
            with service(Reply(way, b"", {"Location": f"{elsewhere.url}/auth/keys"})) as server:
                env = {"ORVIDEO_BASE_URL": server.url}
                done = orvideo("login", "--no-browser", stdin="auth_code_1\n", env=env)
                assert (done.code, server.count("POST")) == (15, 1), done.err
        assert elsewhere.requests == []
    assert_nothing_stored(orvideo, done)


@drill("L12")
def test_l12_the_browser_is_told_what_went_wrong(orvideo: Shell) -> None:
    oops = Reply(500, {"error": {"code": 500, "message": "<b>oops</b>"}})
    with service(oops) as server, signing_in(orvideo, server.url) as login:
        page = login.come_back("code=x")
        done = login.done()
    assert (done.code, page.status_code) == (7, 400)
    assert "&lt;b&gt;oops&lt;/b&gt;" in page.text
    assert_nothing_stored(orvideo, done)


@drill("L13")
def test_l13_a_new_key_that_the_service_refuses_is_not_kept(orvideo: Shell) -> None:
    refuses = Reply(401, {"error": {"code": 401, "message": "User not found."}})
    with service(key=refuses) as server, signing_in(orvideo, server.url) as login:
        page = login.come_back("code=x")
        done = login.done()
    assert (done.code, page.status_code) == (4, 400), done.err
    assert "The key was not stored" in page.text
    assert "revoke it at https://openrouter.ai/settings/keys" in done.err
    assert NEW[-12:] not in page.text
    assert_nothing_stored(orvideo, done)


@drill("L14")
def test_l14_a_key_that_finds_no_room_is_not_lost_in_silence(orvideo: Shell) -> None:
    full = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
    with service() as server, signing_in(orvideo, server.url, "--no-browser", through=full) as login:
        assert login.process.stdin is not None
        login.process.stdin.write(b"auth_code_1\n")
        done = login.done()
    assert done.code == 14, done.err
    assert "The key cannot be stored" in done.err
    assert "revoke it at https://openrouter.ai/settings/keys" in done.err
    assert "make room" in done.err
    assert_nothing_stored(orvideo, done)


@drill("L14")
def test_l14_where_there_is_no_place_for_a_key_none_is_made(orvideo: Shell) -> None:
    with service() as server:
        env = {"ORVIDEO_BASE_URL": server.url, "HOME": "", "XDG_CONFIG_HOME": ""}
        done = orvideo("login", "--no-browser", stdin="auth_code_1\n", env=env)
        assert (done.code, server.requests) == (2, [])


@drill("L15")
def test_l15_a_service_that_cannot_be_asked_about_the_key_keeps_it_from_nobody(orvideo: Shell) -> None:
    """The key is made and paid with trust: it is stored, and said to be untried."""
    with service(key=Reply(503, b"")) as server:
        done = orvideo("login", "--no-browser", "--json", stdin="x\n", env={"ORVIDEO_BASE_URL": server.url})
    assert (done.code, done.json["accepted"]) == (0, None), done.err
    assert "could not be checked now" in done.err
    assert NEW in key_file(orvideo).read_text()
