"""What the sandbox does on the wire, as the service does: chunks, HEAD, pages in a browser, names of the host."""

from __future__ import annotations

from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Caller, Start

SITE = "https://studio.example"
#: Every path that is looked at, with whether it needs a key.
LOOKS = (
    ("/videos/models", False), ("/models?output_modalities=video", False), ("/models/google/veo-3.1/endpoints", False),
    ("/key", True), ("/credits", True),
)  # fmt: skip


def connection(caller: Caller) -> HTTPConnection:
    return HTTPConnection(urlsplit(caller.sandbox.base_url).netloc, timeout=240)


def test_json_comes_in_chunks_without_a_length(start: Start) -> None:
    caller = start()
    job = caller.submit()
    answers = [job, caller.http.get(f"/videos/{job.json()['id']}"), caller.http.get("/videos/nothere")]
    answers += [caller.http.get(path) for path, _ in LOOKS]
    for answer in answers:
        assert answer.headers["transfer-encoding"] == "chunked", answer.url
        assert "content-length" not in answer.headers
        assert answer.json()


def test_a_connection_stays_open_after_chunks_and_after_head(start: Start) -> None:
    line = connection(start())
    line.connect()
    first = line.sock
    for method in ("GET", "HEAD", "GET", "HEAD", "GET"):
        line.request(method, "/api/v1/videos/models")
        answer = line.getresponse()
        assert answer.status == 200
        assert bool(answer.read()) is (method == "GET")
        assert line.sock is first
    line.request("GET", "/api/v1/videos/models", headers={"Connection": "close"})
    assert line.getresponse().read()
    assert line.sock is None
    line.close()


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer", "bEaReR"])
def test_bearer_is_read_in_any_case(start: Start, scheme: str) -> None:
    http = start(key=None).http
    assert http.get("/key", headers={"Authorization": f"{scheme} {KEY}"}).status_code == 200
    assert http.get("/key", headers={"Authorization": f"{scheme}{KEY}"}).status_code == 401


def test_head_says_what_get_says_without_the_body(start: Start) -> None:
    caller = start()
    for path, _ in LOOKS:
        got, head = caller.http.get(path), caller.http.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == got.headers["content-type"]
    assert caller.http.head("/videos/nothere").status_code == 404
    assert caller.http.head("/videos").status_code == 405
    assert start(key=None).http.head("/key").status_code == 401


def test_head_of_a_film_does_not_make_it(start: Start) -> None:
    caller = start()
    job = caller.submit().json()["id"]
    while (head := caller.http.head(f"/videos/{job}/content")).status_code == 409:
        pass
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "video/mp4", b"")
    assert list((caller.sandbox.studio.home / "films").iterdir()) == []
    assert "content-length" not in head.headers
    assert caller.http.head(f"/videos/{job}/content?index=5").status_code == 400
    assert caller.http.get(f"/videos/{job}/content").content[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("path", "method"), [("/videos", "POST"), ("/videos/abc", "GET"), ("/videos/abc/content", "HEAD"), ("/key", "GET")]
)
def test_a_browser_may_ask_before_it_has_shown_a_key(start: Start, path: str, method: str) -> None:
    asked = {
        "Origin": SITE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    answer = start(key=None).http.options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["access-control-allow-private-network"] == "true"


def test_a_page_may_read_every_answer_and_every_refusal(start: Start) -> None:
    caller = start("poll-429:1")
    page = {"Origin": SITE}
    answers = [
        caller.http.get("/key", headers=page),
        caller.http.get("/videos/x", headers=page),
        caller.http.get("/nothing", headers=page),
        caller.http.post("/videos", content=b"no", headers=page),
        httpx.get(f"{caller.sandbox.base_url}/key", headers=page, timeout=240),
    ]
    assert [answer.status_code for answer in answers] == [200, 429, 404, 400, 401]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "LocalHost", "[::1]", "127.0.0.1:1", "localhost:8787", "[::1]:9"]
)
def test_loopback_is_answered_by_any_of_its_names(start: Start, name: str) -> None:
    assert start().http.get("/key", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "evil.example", "evil.example:8787", "localhost.evil.example", "127.0.0.1.evil.example",
        "evil.example@localhost",         "192.168.0.1", "0.0.0.0", "localhost:x", "localhost/", "",
    ],
)  # fmt: skip
def test_another_name_is_refused_whatever_it_asks_for(start: Start, name: str) -> None:
    caller = start()
    for method, path in (("GET", "/videos/models"), ("POST", "/videos"), ("OPTIONS", "/videos"), ("GET", "/nothing")):
        answer = caller.http.request(method, path, headers={"Host": name})
        assert answer.status_code == 403
        assert answer.json()["error"]["message"] == (
            "The sandbox answers only to 127.0.0.1, localhost and [::1], not to other host names."
        )
    assert caller.sandbox.received() == []
