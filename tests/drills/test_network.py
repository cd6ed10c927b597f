"""The drills on networks and URLs (N) through the commands: what is said, what is sent where, and with which key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orvideo import shells
from orvideo.api.client import Client
from orvideo.api.transport import Limits
from orvideo.errors import AuthError, NotSent, OrvideoError
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Drip, Flood, RawServer, Reply, Send, Stall, closed_port, http
from tests.drills.service import ORDER, assert_clean, service, surroundings
from tests.drills.wire import CONTENT, DONE, JOB, LOOK, Wire, film
from tests.shell import KEY, Shell

drill = pytest.mark.drill
VIDEO = mp4(3000)


@pytest.fixture(autouse=True)
def hand(orvideo: Shell) -> HandClock:
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


@pytest.fixture
def elsewhere() -> Iterator[RawServer]:
    """Another origin, which has the video; it must never see the key."""
    with RawServer(Reply(200, VIDEO, close=True)) as server:
        yield server
        assert [request.target for request in server.requests if "authorization" in request.headers] == []
        assert not any(KEY.encode() in request.raw for request in server.requests)


@drill("N01")
@pytest.mark.parametrize("url", ["/api/v1/videos/x", "x", "", None, 7])
def test_n01_the_polling_url_is_made_of_the_id(orvideo: Shell, url: object) -> None:
    accepted = http(202, json.dumps({"id": JOB, "polling_url": url}).encode())
    with Wire(DONE, submit=[accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-q")
    assert (done.code, done.lines) == (0, [JOB])
    assert wire.looks == 1


@drill("N03")
@drill("K14")
@pytest.mark.parametrize(
    "form", ["{}/api/v1/videos/" + JOB, "//{host}/api/v1/videos/" + JOB, "http://127.0.0.1@{host}/x"]
)
def test_n03_a_polling_url_elsewhere_is_not_used(orvideo: Shell, elsewhere: RawServer, form: str) -> None:
    url = form.format(elsewhere.origin, host=f"127.0.0.1:{elsewhere.port}")
    accepted = http(202, json.dumps({"id": JOB, "polling_url": url}).encode())
    with Wire(DONE, submit=[accepted]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait")
    assert (done.code, wire.looks) == (0, 1)
    assert elsewhere.requests == []


@drill("N02")
@pytest.mark.parametrize(
    "form", ["{origin}/films/1", "HTTP://127.0.0.1:{port}/films/1", "/films/1", "//127.0.0.1:{port}/films/1"]
)
def test_n02_the_services_own_urls_get_the_key(orvideo: Shell, form: str) -> None:
    with Wire(places={"/films/1": [film(VIDEO)]}, content=[b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"]) as wire:
        named = form.format(origin=wire.origin, port=wire.port)
        wire._steps["GET", f"/api/v1/videos/{JOB}"][:] = [{**DONE, "unsigned_urls": [named]}]
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4")
        assert done.code == 0, done.err
        (request,) = [request for request in wire.requests if request.path == "/films/1"]
    assert request.headers["authorization"] == f"Bearer {KEY}"


@drill("N03")
@drill("K14")
@pytest.mark.parametrize("name", ["urls", "unsigned_urls"])
def test_n03_a_video_elsewhere_is_fetched_without_the_key(orvideo: Shell, elsewhere: RawServer, name: str) -> None:
    missing = b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"
    with Wire({**DONE, name: [f"{elsewhere.origin}/film.mp4?signature=s3cret"]}, content=[missing]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "-v")
    assert done.code == 0, done.err
    assert Path("boat.mp4").read_bytes() == VIDEO
    assert len(elsewhere.requests) == 1
    assert {"http-referer", "x-openrouter-title", "cookie"}.isdisjoint(elsewhere.requests[0].headers)
    # A signature is a secret too: neither told nor written down.
    assert "s3cret" not in done.out + done.err
    assert not any(b"s3cret" in path.read_bytes() for path in orvideo.home.rglob("*") if path.is_file())


BAD_URLS = [
    ("N04", "http://videos.invalid/film.mp4"),
    ("N05", "file:///etc/passwd"),
    ("N05", "ftp://videos.invalid/film.mp4"),
    ("N05", "javascript:alert(1)"),
    ("N05", "data:video/mp4;base64,AAAA"),
    ("N05", "https://videos.invalid/\x00film.mp4"),
    ("N05", "https://videos.invalid/\nHost: evil"),
    ("N06", "https://user:secret@videos.invalid/film.mp4"),
    ("N03", "https://openrouter.ai@videos.invalid:x/film.mp4"),
]


@pytest.mark.parametrize(("row", "url"), [pytest.param(*pair, marks=drill(pair[0])) for pair in BAD_URLS])
@drill("R-A7")
def test_a_url_that_must_not_be_used_is_refused(orvideo: Shell, row: str, url: str) -> None:
    """It costs the video only where there is no other place: the second try has the service's own."""
    nowhere = to("http://videos.invalid/film.mp4")
    with Wire({**DONE, "urls": [url]}, content=[nowhere, film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
        error = done.error
        assert (done.code, done.out, error["kind"], error["charged"]) == (15, "", "unsafe", "yes")
        assert error["job_id"] == JOB
        assert list(Path().glob("boat*")) == []
        assert len(wire.fetches) == 1, "the service's own place, once"
        again = orvideo("download", JOB, "-o", "boat.mp4")
        assert (again.code, again.out) == (0, "boat.mp4\n")
        assert Path("boat.mp4").read_bytes() == VIDEO
    assert again.err.count("The storage's URL is not used: ") == 1
    assert "secret" not in done.err + again.err
    assert {request.path for request in wire.requests} == {LOOK, CONTENT}


def to(where: str, status: int = 302) -> bytes:
    return http(status, b"", {"Location": where})


@drill("N08")
@drill("K14")
def test_n08_a_download_is_followed_abroad_without_the_key(orvideo: Shell, elsewhere: RawServer) -> None:
    with Wire(DONE, content=[to("/moved")]) as wire:
        wire._steps["GET", "/moved"] = [to(f"{elsewhere.origin}/film.mp4")]
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4")
        assert done.code == 0, done.err
        moved = [request for request in wire.requests if request.path == "/moved"]
    assert [request.headers["authorization"] for request in moved] == [f"Bearer {KEY}"]
    assert len(elsewhere.requests) == 1


@drill("N08")
@pytest.mark.parametrize(
    "where", ["/again", "file:///etc/passwd", "https://u:p@videos.invalid/", "http://videos.invalid/film.mp4"]
)
def test_n08_a_download_is_not_led_astray(orvideo: Shell, where: str) -> None:
    with Wire(DONE, content=[to(where)], places={"/again": [to("/again")]}) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
        assert wire.count("GET", "/again") <= 5
    assert (done.code, done.error["charged"], done.error["job_id"]) == (15, "yes", JOB)
    assert list(Path().glob("boat*")) == []


PROXIES = [
    ("HTTPS_PROXY", "http://[bad", "HTTPS_PROXY"),
    ("HTTPS_PROXY", "http://user:pass word@:99999", "HTTPS_PROXY"),
    ("ALL_PROXY", "socks5://127.0.0.1:1080", "socksio"),
    ("SSL_CERT_FILE", "/nonexistent.pem", "SSL_CERT_FILE"),
    ("SSL_CERT_FILE", "EMPTY", "SSL_CERT_FILE"),
]


@drill("N10")
@pytest.mark.parametrize(
    ("variable", "value", "says", "argv"),
    [*((*row, ("submit", *ORDER)) for row in PROXIES), *((*row, ("models",)) for row in PROXIES[::3])],
)
def test_n10_a_broken_set_up_is_named(
    orvideo: Shell, variable: str, value: str, says: str, argv: tuple[str, ...]
) -> None:
    empty = orvideo.home / "EMPTY"
    empty.touch()
    env = {"OPENROUTER_API_KEY": KEY, variable: str(empty) if value == "EMPTY" else value}
    if variable == "ALL_PROXY":
        env["HTTPS_PROXY"] = ""
    done = orvideo.process(*argv, "--json", env=env)
    assert (done.code, done.error["kind"], done.error["charged"]) == (2, "usage", "no")
    assert says in done.error["message"]
    assert "pass word" not in done.err
    assert_clean(orvideo.home, done)


@drill("M03")
@drill("K14")
def test_a_proxy_is_asked_for_a_tunnel_and_nothing_else(orvideo: Shell) -> None:
    with RawServer(Reply(407, b"")) as proxy:
        env = {"OPENROUTER_API_KEY": KEY, "HTTPS_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}"}
        done = orvideo.process("models", "--json", env=env)
        assert {request.method for request in proxy.requests} == {"CONNECT"}
        assert not any(KEY.encode() in request.raw for request in proxy.requests)
    assert done.code == 4
    assert "secret" not in done.err


@drill("F-C06")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_c06_a_dead_proxy_is_named_as_the_proxy(variable: str, orvideo: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as port:
        monkeypatch.delenv("HTTPS_PROXY", raising=False)
        monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{port}")
        with Client("https://svc.invalid/api/v1", KEY, clock=HandClock().clock()) as client:
            for ask in (client.models, client.key, lambda: client.submit({"model": "x"})):
                with pytest.raises(NotSent) as caught:
                    ask()
                message = f"The proxy 127.0.0.1:{port} ({variable}) could not be reached: Connection refused. Nothing"
                assert caught.value.message.startswith(message)
                without = shells.add_to_list("NO_PROXY", "svc.invalid")
                assert caught.value.hint == f"check {variable}, or do without it: {without}"


@drill("F-C06", "M03")
@pytest.mark.parametrize(("status", "kind"), [(407, AuthError), (502, NotSent)])
def test_c06_a_proxy_that_repeats_its_user_and_password_is_not_repeated(
    status: int, kind: type[OrvideoError], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = b"HTTP/1.1 %d user anna, pass p%%40ss or p@ss, bm: YW5uYTpwQHNz\r\nContent-Length: 0\r\n\r\n" % status
    with RawServer(Send(said)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://anna:p%40ss@127.0.0.1:{proxy.port}")
        with Client("https://svc.invalid/api/v1", KEY) as client, pytest.raises(kind) as caught:
            client.models()
    assert f"The proxy 127.0.0.1:{proxy.port} (HTTPS_PROXY)" in caught.value.message
    assert not any(secret in caught.value.message for secret in ("anna", "p@ss", "p%40ss", "YW5uYTpwQHNz"))


@drill("F-C06")
@pytest.mark.parametrize(
    "form", ["https://svc.invalid", "HTTPS://svc.invalid/", "x.y, *.invalid", "svc.invalid:443", "*"]
)
def test_c06_no_proxy_is_understood_in_its_usual_forms(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "not a proxy at all://")
    monkeypatch.setenv("NO_PROXY", form)
    with Client("https://svc.invalid/api/v1", KEY) as client, pytest.raises(NotSent) as caught:
        client.models()
    assert caught.value.message.startswith("svc.invalid could not be reached")


QUICK = Limits(connect=5, read=1, submit_total=1.5, call_total=1.5, stall_seconds=1)
SLOW = [
    Stall(),
    Flood(),
    Drip(b"X: y\r\n", at_once=b"HTTP/1.1 200 OK\r\n"),
    Drip(b" ", at_once=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
]
ODD = [
    Send(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n{}"),
    Send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n{}"),
    Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}   "),
    Send(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"),
    Send(b"SSH-2.0-OpenSSH_9.2\r\n"),
    Send(b"HTTP/1.1 9999 What\r\n\r\n"),
    Send(b"\x00" * 1000),
]


@pytest.mark.parametrize(
    "behaviour",
    [*(pytest.param(one, marks=drill("N14")) for one in SLOW), *(pytest.param(one, marks=drill("N15")) for one in ODD)],
)
def test_n14_n15_a_submit_has_a_deadline_and_an_outcome(orvideo: Shell, behaviour: Any) -> None:
    orvideo.limits = QUICK
    with service(behaviour) as server:
        done = orvideo("submit", *ORDER, "--json", env=surroundings(server))
        assert server.count("POST") == 1
    assert (done.code, done.error["charged"]) == (9, "unknown")
    assert_clean(orvideo.home, done)


@pytest.mark.parametrize(
    "behaviour",
    [*(pytest.param(one, marks=drill("N14")) for one in SLOW), *(pytest.param(one, marks=drill("N15")) for one in ODD)],
)
def test_n14_n15_a_look_has_a_deadline_and_is_missed(orvideo: Shell, behaviour: Any) -> None:
    orvideo.limits = QUICK
    with RawServer(behaviour) as server:
        done = orvideo("models", "--json", env=surroundings(server))
    assert done.code in (7, 12)
    assert done.error["charged"] == "no"
    assert_clean(orvideo.home, done)


@drill("N17")
def test_n17_nothing_is_read_from_the_current_directory(orvideo: Shell) -> None:
    with RawServer(Reply(200, {"data": []})) as server:
        for name in (".env", "config.toml", "orvideo.toml", ".orvideo"):
            Path(name).write_text(
                f'OPENROUTER_BASE_URL={server.url}\nbase-url = "{server.url}"\nOPENROUTER_API_KEY={KEY}\n'
            )
        done = orvideo("submit", *ORDER, "--json")
        listed = orvideo("config", "get", "base-url")
        assert server.requests == []
    assert done.code == 4
    assert listed.lines == ["https://openrouter.ai/api/v1"]


@drill("N17")
def test_n17_another_base_url_is_shown_before_money_is_spent(orvideo: Shell) -> None:
    with Wire(DONE) as wire:
        env = {"OPENROUTER_BASE_URL": wire.url, "OPENROUTER_API_KEY": KEY}
        done = orvideo("submit", *ORDER, env=env)
    assert done.code == 0
    story = done.err.splitlines()
    told = next(number for number, line in enumerate(story) if wire.url in line)
    assert told < next(number for number, line in enumerate(story) if line.startswith("submitted"))


@drill("N17")
@drill("K14")
@pytest.mark.parametrize("variable", ["OPENROUTER_BASE_URL", "ORVIDEO_BASE_URL"])
def test_n17_a_stored_key_goes_to_its_own_origin_only(orvideo: Shell, variable: str) -> None:
    assert orvideo("config", "set", "api-key", stdin=KEY + "\n").code == 0
    with RawServer(Reply(200, {})) as server:
        for argv in (("submit", *ORDER), ("doctor",), ("jobs", "adopt", "job-12345678")):
            done = orvideo(*argv, "--json", env={variable: server.url})
            assert done.code == 15, (argv, done.err)
            assert "is not sent to" in done.error["message"]
        assert [request for request in server.requests if "authorization" in request.headers] == []


@drill("N04")
@pytest.mark.parametrize(
    "url", ["http://openrouter.ai/api/v1", "http://127.0.0.1.evil.invalid/api", "ftp://x/", "https://u:p@h/"]
)
def test_n04_a_base_url_is_https_or_this_machine(orvideo: Shell, url: str) -> None:
    done = orvideo("submit", *ORDER, "--json", env={"OPENROUTER_API_KEY": KEY, "ORVIDEO_BASE_URL": url})
    assert done.code in (2, 15)
    assert done.error["charged"] == "no"
    assert "u:p" not in done.err
