"""`orvideo login`, `logout` and `whoami` against the sandbox, as a person uses them."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from orvideo import system
from orvideo.clock import Clock
from orvideo.sign_in.attempt import Attempt, clean_code
from orvideo.sign_in.browser import why_none
from tests.drills.raw_server import RawServer, Reply, close_after_request, closed_port
from tests.sandbox.conftest import Start
from tests.sandbox.test_sign_in import CHALLENGE, VERIFIER
from tests.shell import KEY, Shell
from tests.sign_in.person import PATIENCE, allow, browser, key_file, shown_code, signing_in

NEW = "sk-or-v1-" + "5ca1ab1e" * 8
CODE = "auth_code_0123"
FINE = {"label": "mine", "limit": 10, "limit_remaining": 9.5, "limit_reset": "daily", "expires_at": None}


def stored(shell: Shell) -> Any:
    return json.loads(key_file(shell).read_text())


def accounts(key: Any = None, made: Any = None) -> RawServer:
    """A service that makes one key of any code."""
    return RawServer(
        routes={
            "/api/v1/auth/keys": Reply(200, {"key": NEW, "user_id": "u"}) if made is None else made,
            "/api/v1/key": Reply(200, {"data": FINE}) if key is None else key,
        }
    )


def test_the_challenge_is_that_of_the_rfc() -> None:
    assert Attempt(VERIFIER).challenge == CHALLENGE
    one, other = Attempt.new(), Attempt.new()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43,128}", one.verifier)
    assert one.verifier != other.verifier
    assert one.verifier not in repr(one)


@pytest.mark.parametrize("text", [CODE, f"  {CODE}\t", f'"{CODE}"', "auth_code\n _0123", f"\ufeff{CODE}"])
def test_a_code_is_pasted_with_whatever_copying_adds(text: str) -> None:
    assert clean_code(text) == CODE


@pytest.mark.parametrize("text", ["", " ", "''", "ä", "x" * 513, "a\x1bb"])
def test_what_no_code_can_be(text: str) -> None:
    assert clean_code(text) is None


@pytest.mark.parametrize(
    ("environ", "platform", "there_is_one"),
    [
        ({"BROWSER": "firefox"}, "linux", True),
        ({"BROWSER": "firefox", "container": "podman"}, "linux", True),
        ({"BROWSER": "firefox", "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, "linux", False),
        ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/0"}, "darwin", False),
        ({"container": "podman", "DISPLAY": ":0"}, "linux", False),
        ({"BROWSER": " "}, "linux", False),
        ({}, "linux", False),
    ],
    ids=repr,
)
def test_where_a_browser_can_come_back(environ: dict[str, str], platform: str, there_is_one: bool) -> None:
    assert (why_none(environ, platform) is None) is there_is_one


def test_a_person_signs_in(start: Start, orvideo: Shell) -> None:
    base_url = start(key=None).sandbox.base_url
    with signing_in(orvideo, base_url, "--label", "my laptop", "--json", env={"OPENROUTER_API_KEY": KEY}) as login:
        assert login.address.startswith(base_url.removesuffix("/api/v1") + "/auth?")
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[A-Za-z0-9_-]{22,}", login.callback)
        assert (login.asked("code_challenge_method"), login.asked("key_label")) == ("S256", "my laptop")
        assert "state" not in login.address
        page = httpx.get(allow(login.address), timeout=PATIENCE)
        done = login.done()
    assert done.code == 0, done.err
    assert "<h1>You are signed in</h1>" in page.text
    assert page.status_code == 200
    key = stored(orvideo)["key"]
    assert done.json == {
        "key": f"…{key[-4:]}", "source": "store", "where": str(key_file(orvideo)), "base_url": base_url,
        "accepted": True, "label": "my laptop", "limit_usd": None, "left_usd": None, "limit_reset": None,
        "expires_at": None,
    }  # fmt: skip
    assert login.address in done.err, "a browser may not open"
    assert "OPENROUTER_API_KEY is set and beats" in done.err
    assert key[-12:] not in done.out + done.err + page.text
    assert not any(KEY in value for value in login.browsers_environment)
    assert system.has_modes() is (key_file(orvideo).stat().st_mode & 0o077 == 0)
    whoami = orvideo("whoami", env={"ORVIDEO_BASE_URL": base_url})
    assert (whoami.code, "my laptop" in whoami.out, f"…{key[-4:]}" in whoami.out) == (0, True, True)


def test_the_page_keeps_to_itself(start: Start, orvideo: Shell) -> None:
    with signing_in(orvideo, start(key=None).sandbox.base_url) as login:
        pages = [httpx.get(f"http://127.0.0.1:{login.port}/", timeout=PATIENCE), login.come_back("error=<b>no")]
        assert login.done().code == 4
    for page in pages:
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "script" not in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert not re.search(r"<script|<b>|(src|href)=|url\(|@import", page.text)
    assert "&lt;b&gt;no" in pages[1].text


def test_where_there_is_no_browser_the_code_is_typed(start: Start, orvideo: Shell) -> None:
    base_url = start(key=None).sandbox.base_url
    with signing_in(orvideo, base_url, env={"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}) as login:
        assert login.process.stderr is not None
        assert login.process.stdin is not None
        said = [login.process.stderr.readline().decode() for _ in range(3)]
        assert "over ssh" in said[0]
        address = said[2].strip()
        assert "callback_url" not in address
        login.process.stdin.write(f" {shown_code(address)} \n".encode())
        done = login.done()
    assert done.code == 0, done.err
    assert stored(orvideo)["key"][-12:] not in done.err


@pytest.mark.parametrize("tty", [True, False])
def test_no_browser_asks_for_the_code(orvideo: Shell, tty: bool) -> None:
    with accounts() as server:
        done = orvideo("login", "--no-browser", "-q", stdin=f"{CODE}\n", tty=tty, env={"ORVIDEO_BASE_URL": server.url})
        assert done.code == 0, done.err
        (asked,) = [one for one in server.requests if one.method == "POST"]
    assert ("Code: " in done.err) is tty
    (address,) = [line for line in done.err.splitlines() if line.startswith(f"{server.origin}/auth?code_challenge=")]
    assert "key_label=" in address, "it is whole, also where lines are folded"
    assert asked.json()["code"] == CODE
    assert asked.json()["code_challenge_method"] == "S256"
    assert "authorization" not in asked.headers
    challenge = re.search(r"code_challenge=([^&]+)", done.err)
    assert challenge is not None
    assert Attempt(asked.json()["code_verifier"]).challenge == challenge[1]
    assert asked.json()["code_verifier"] not in done.err
    assert stored(orvideo)["key"] == NEW


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "No code was given"),
        ("\n", "No code was given"),
        ("ä\n", "cannot be a code"),
        (f"{KEY}\n", "a key and not"),
    ],
)
def test_what_is_typed_and_is_no_code_is_sent_nowhere(orvideo: Shell, typed: str, says: str) -> None:
    with accounts() as server:
        done = orvideo("login", "--no-browser", stdin=typed, env={"ORVIDEO_BASE_URL": server.url})
        assert (done.code, server.requests) == (4, [])
    assert says in done.err
    assert KEY[-12:] not in done.err
    assert not key_file(orvideo).exists()


@pytest.mark.parametrize("line", [("login", "--with-key"), ("config", "set", "api-key")], ids=" ".join)
def test_a_key_that_a_person_has_is_tried_and_stored_by_either_name(orvideo: Shell, line: tuple[str, ...]) -> None:
    with accounts() as server:
        done = orvideo(*line, stdin=NEW, env={"ORVIDEO_BASE_URL": server.url})
        assert (done.code, server.count("GET", "/api/v1/key")) == (0, 1), done.err
        again = orvideo(*line, stdin=KEY, env={"ORVIDEO_BASE_URL": server.url})
        assert f"it replaces …{NEW[-4:]}, which the service takes until it is revoked: " in again.err
        once_more = orvideo(*line, stdin=KEY, env={"ORVIDEO_BASE_URL": server.url})
        assert "it replaces" not in once_more.err + done.err
        orvideo(*line, stdin=NEW, env={"ORVIDEO_BASE_URL": server.url})
    assert "accepts the key, $9.50 left" in done.err
    assert stored(orvideo) == {"key": NEW, "origin": server.origin}
    assert NEW[-12:] not in done.err + done.out
    with accounts(key=Reply(401, {"error": {"code": 401, "message": "User not found."}})) as server:
        done = orvideo(*line, stdin=KEY, env={"ORVIDEO_BASE_URL": server.url})
    assert (done.code, stored(orvideo)["key"]) == (4, NEW), "a wrong one replaces no good one"


def test_the_sandbox_needs_no_key(orvideo: Shell) -> None:
    refused = orvideo("login", "--sandbox")
    assert (refused.code, "needs no key" in refused.err) == (2, True)
    assert orvideo("whoami", "--sandbox").lines[:2] == ["key:     the sandbox's own", "service: sandbox"]
    with accounts() as server:
        env = {"ORVIDEO_BASE_URL": server.url, "ORVIDEO_SANDBOX": "1"}
        done = orvideo("login", "--with-key", stdin=NEW, env=env)
    assert (done.code, "sandbox is on (ORVIDEO_SANDBOX)" in done.err) == (0, True)


@pytest.mark.parametrize("time", ["0", "soon", "-1s"])
def test_a_time_that_is_none_is_refused_before_anything(orvideo: Shell, time: str) -> None:
    assert orvideo("login", f"--timeout={time}").code == 2


def test_logout_forgets_the_key_and_says_where_it_can_be_revoked(orvideo: Shell) -> None:
    with accounts() as server:
        orvideo("login", "--with-key", stdin=NEW, env={"ORVIDEO_BASE_URL": server.url})
    done = orvideo("logout", "--json", env={"OPENROUTER_API_KEY": KEY})
    assert done.json == {"removed": True, "revoke_at": "https://openrouter.ai/settings/keys"}
    assert "https://openrouter.ai/settings/keys" in done.err
    assert "OPENROUTER_API_KEY is set" in done.err
    assert not key_file(orvideo).exists()
    again = orvideo("logout")
    assert (again.code, again.err) == (0, "no key was stored\n")
    orvideo("config", "set", "api-key-command", "pass show openrouter")
    still = orvideo("logout")
    assert "api-key-command (pass) gives a key still; to use none: orvideo config unset api-key-command" in still.err


def test_whoami_says_which_key_from_where_and_what_is_left(orvideo: Shell) -> None:
    with accounts(key=Reply(200, {"data": {**FINE, "expires_at": "2100-01-01T00:00:00Z"}})) as server:
        env = {"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": NEW}
        done = orvideo("whoami", env=env)
        told = orvideo("whoami", "--json", env=env).json
    assert (done.code, done.err) == (0, "")
    assert done.lines == [
        "key:     …ab1e from OPENROUTER_API_KEY", f"service: {server.url}", "name:    mine",
        "left:    $9.50 left", "until:   2100-01-01 00:00 UTC",
    ]  # fmt: skip
    assert told == {
        "key": "…ab1e", "source": "environment", "where": "OPENROUTER_API_KEY", "base_url": server.url,
        "accepted": True, "label": "mine", "limit_usd": 10, "left_usd": 9.5, "limit_reset": "daily",
        "expires_at": "2100-01-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (Reply(401, {"error": {"code": 401, "message": "User not found."}}), 4, "refused the API key"),
        (Reply(500, b""), 7, "answered with 500"),
        (close_after_request, 7, "gave no answer"),
        (Reply(404, b"<html>no</html>"), 0, "does not tell of keys"),
        (Reply(200, {"data": {"limit": 1, "limit_remaining": 0}}), 0, "Nothing is left"),
        (Reply(200, {"data": {"expires_at": "2020-01-01"}}), 0, "expired at 2020-01-01"),
    ],
)
def test_whoami_tells_what_is_known_here_whatever_the_service_says(
    orvideo: Shell, answer: Any, code: int, says: str
) -> None:
    with accounts(key=answer) as server:
        done = orvideo("whoami", env={"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": NEW})
    assert (done.code, done.lines[0]) == (code, "key:     …ab1e from OPENROUTER_API_KEY")
    assert says in done.err


def test_whoami_without_a_key_or_with_one_for_another_service(orvideo: Shell) -> None:
    none = orvideo("whoami", "--json")
    assert (none.code, none.error["kind"], none.out) == (4, "auth", "")
    with accounts() as server:
        orvideo("login", "--with-key", stdin=NEW, env={"ORVIDEO_BASE_URL": server.url})
    with closed_port() as port:
        elsewhere = orvideo("whoami", env={"ORVIDEO_BASE_URL": f"http://127.0.0.1:{port}/api/v1"})
    assert (elsewhere.code, server.origin in elsewhere.err) == (15, True)


def test_the_wait_for_the_browser_goes_by_the_clock_that_it_is_given(orvideo: Shell) -> None:
    turns = iter(range(0, 100_000, 100))
    orvideo.clock = Clock(monotonic=lambda: float(next(turns)))
    with accounts() as server:
        env = {"ORVIDEO_BASE_URL": server.url, "BROWSER": browser("-c", "pass")}
        done = orvideo("login", "--timeout", "5m", env=env)
    assert (done.code, "within 5m" in done.err) == (4, True)
