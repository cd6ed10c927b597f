"""The gallery's server, request by request: who is let in, films by ranges, marks as the only thing that changes."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.gallery.served import Served, read_answer, running, saved, served

FILM = bytes(range(256)) * 5000  # more than is read at once
GIGABYTE = 1024**3


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as one:
        yield one


@pytest.fixture
def film(gallery: Served, tmp_path: Path) -> str:
    """The address, below the token, of a film."""
    path = tmp_path / "boat.mp4"
    path.write_bytes(FILM)
    return f"video/{saved(gallery.ledger, path).handle}/0"


# Who is let in


def test_whoever_knows_the_address_sees_the_page(gallery: Served) -> None:
    running(gallery.ledger, prompt="<script>alert(1)</script>")
    page = gallery.ask()
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert b"<script>alert(1)" not in page.body
    assert page.headers["cache-control"] == gallery.ask("state").headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer", "the token must not leak"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert b"connect-src &#39;self&#39;" in page.body
    assert not [name for name in page.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil", "x@localhost", ""],
)
def test_another_name_of_this_machine_is_refused(gallery: Served, host: str) -> None:
    assert gallery.ask(Host=host.format(port=gallery.port)).status == 421


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_names_of_loopback_are_fine(gallery: Served, host: str) -> None:
    assert gallery.ask(Host=host.format(port=gallery.port)).status == 200


@pytest.mark.parametrize(
    "target", ["/", "/state", "/marks", "/video/x/0", "/wrong/", "/{token}", "/{short}/", "/%00/", "//"]
)
def test_without_the_token_nothing_is_there(gallery: Served, target: str) -> None:
    token = gallery.path.strip("/")
    for method in ("GET", "POST", "HEAD", "OPTIONS"):
        answer = gallery.ask_whole(target.format(token=token, short=token[:-1]), method)
        assert answer.status == 404, method
        assert token.encode() not in answer.body


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("", "POST", 403),
        ("state", "PUT", 405),
        ("marks", "GET", 405),
        ("marks", "DELETE", 405),
        ("nothing", "GET", 404),
    ],
)
def test_what_is_not_offered(gallery: Served, path: str, method: str, status: int) -> None:
    assert gallery.ask(path, method).status == status


# News


def test_the_state_says_what_changed_since(gallery: Served) -> None:
    first = running(gallery.ledger, "job-1")
    before = gallery.ask("state").json
    assert [card["handle"] for card in before["cards"]] == [first.handle]
    assert gallery.ask(f"state?since={before['version']}").json == {"version": before["version"], "cards": []}
    second = running(gallery.ledger, "job-2")
    after = gallery.ask(f"state?since={before['version']}").json
    assert [card["handle"] for card in after["cards"]] == [second.handle]
    assert after["version"] > before["version"]
    assert len(gallery.ask("state?since=0").json["cards"]) == 2


@pytest.mark.parametrize("since", ["-1", "x", "1e9", ""])
def test_a_version_that_is_none(gallery: Served, since: str) -> None:
    assert gallery.ask(f"state?since={since}").status in (200, 400)


# Films


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("", 200, 0, len(FILM)),
        ("bytes=0-", 206, 0, len(FILM)),
        ("bytes=1000000-", 206, 1_000_000, len(FILM)),
        ("bytes=5-9", 206, 5, 10),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=100-99999999", 206, 100, len(FILM)),
        ("bytes=-7", 206, len(FILM) - 7, len(FILM)),
        ("bytes=-99999999", 206, 0, len(FILM)),
        ("bytes=0-4,10-20", 200, 0, len(FILM)),
        ("bytes=9-5", 200, 0, len(FILM)),
        ("bytes=-", 200, 0, len(FILM)),
        ("bytes=a-b", 200, 0, len(FILM)),
        ("lines=0-4", 200, 0, len(FILM)),
        ("nonsense", 200, 0, len(FILM)),
    ],
)
def test_a_film_whole_or_in_part(gallery: Served, film: str, asked: str, status: int, start: int, end: int) -> None:
    answer = gallery.ask(film, Range=asked)
    assert (answer.status, answer.body) == (status, FILM[start:end])
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers.get("content-range") == (f"bytes {start}-{end - 1}/{len(FILM)}" if status == 206 else None)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("asked", [f"bytes={len(FILM)}-", f"bytes={len(FILM) + 5}-{len(FILM) + 9}"])
def test_a_range_behind_the_end(gallery: Served, film: str, asked: str) -> None:
    answer = gallery.ask(film, Range=asked)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(FILM)}")


def test_a_film_that_was_replaced_is_sent_anew(gallery: Served, film: str) -> None:
    etag = gallery.ask(film, "HEAD").headers["etag"]
    assert gallery.ask(film, Range="bytes=0-4", If_Range=etag).status == 206
    assert gallery.ask(film, Range="bytes=0-4", If_Range='"another"').status == 200


def test_head_says_how_long_it_is(gallery: Served, film: str) -> None:
    answer = gallery.ask(film, "HEAD", Range="bytes=0-4")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, str(len(FILM)), b"")


def test_a_film_that_vanished_is_not_found(gallery: Served, film: str, tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").unlink()
    answer = gallery.ask(film)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_regular_file_is_never_opened(gallery: Served, tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    record = saved(gallery.ledger, tmp_path / "none.mp4", "job-9")
    with sqlite3.connect(tmp_path / "jobs.db") as raw:
        raw.execute("UPDATE outputs SET path = ?, bytes = NULL WHERE seq = ?", (str(path), record.seq))
    raw.close()
    assert gallery.ask(f"video/{record.handle}/0").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "video/../../etc/passwd", "video/..%2f..%2fetc%2fpasswd/0", "video/%2e%2e/0", "video//etc/passwd/0",
        "video/{handle}/1", "video/{handle}/-1", "video/{handle}/0/", "video/{handle}%00/0", "video/{id}/0",
        "video/{piece}/0", "../video/{handle}/0", "video/%FF/0",
    ],
)  # fmt: skip
def test_nothing_but_the_videos_on_record(gallery: Served, film: str, path: str) -> None:
    record = gallery.ledger.find("@1")
    answer = gallery.ask(path.format(handle=record.handle, id=record.id, piece=record.handle[:5]))
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(gallery: Served, tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.truncate(GIGABYTE)
    address = f"video/{saved(gallery.ledger, path).handle}/0"
    with gallery.connection() as one:
        one.sendall(f"GET {gallery.path}{address} HTTP/1.1\r\nHost: 127.0.0.1:{gallery.port}\r\n\r\n".encode())
        assert one.recv(100)
        os.truncate(path, 1000)
        while one.recv(1 << 20):
            pass
    assert gallery.ask("state").status == 200


def test_slow_readers_of_large_films_hold_up_nobody(gallery: Served, tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.truncate(5 * GIGABYTE)
    address = f"video/{saved(gallery.ledger, path).handle}/0"
    request = f"GET {gallery.path}{address} HTTP/1.1\r\nHost: 127.0.0.1:{gallery.port}\r\n\r\n".encode()
    before = resident()
    held = [gallery.connection() for _ in range(50)]
    try:
        for one in held[:25]:
            one.sendall(request)
            assert one.recv(10) == b"HTTP/1.1 2"
        for one in held[25:]:
            one.sendall(b"GET / HT")
        assert gallery.ask("state").status == 200
        end = gallery.ask(address, Range=f"bytes={5 * GIGABYTE - 3}-")
        assert (end.status, end.body) == (206, b"\0\0\0")
        assert resident() - before < 150 * 1024**2
    finally:
        for one in held:
            one.close()


def resident() -> int:
    """Return how much memory this process has, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# Marks


def test_a_mark_is_on_record(gallery: Served) -> None:
    handle = running(gallery.ledger).handle
    seen = gallery.ask("state").json["version"]
    assert gallery.mark({"id": handle, "mark": "keep", "note": "the best"}).status == 204
    record = gallery.ledger.find(handle)
    assert (record.mark, record.note) == ("keep", "the best")
    [card] = gallery.ask(f"state?since={seen}").json["cards"]
    assert (card["mark"], card["note"]) == ("keep", "the best")
    assert gallery.mark({"id": handle, "mark": "", "note": ""}).status == 204
    record = gallery.ledger.find(handle)
    assert (record.mark, record.note) == (None, None)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": ""}, 415),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
    ],
)
def test_only_the_page_itself_sets_marks(gallery: Served, headers: dict[str, str], status: int) -> None:
    handle = running(gallery.ledger).handle
    given = {name: value.format(port=gallery.port) for name, value in headers.items()}
    assert gallery.mark({"id": handle, "mark": "keep"}, **given).status == status
    assert gallery.ledger.find(handle).mark is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 50_000, 400),
        (["keep"], 400),
        ({"mark": "keep"}, 400),
        ({"id": 1, "mark": "keep"}, 400),
        ({"id": "{handle}", "mark": 7}, 400),
        ({"id": "{handle}", "mark": "keep", "prompt": "another"}, 400),
        ({"id": "{handle}", "mark": "best"}, 422),
        ({"id": "{handle}", "note": "x" * 20_000}, 422),
        ({"id": "{handle}", "note": "x" * 100_000}, 413),
        ({"id": "unknown", "mark": "keep"}, 410),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_mark(gallery: Served, body: Any, status: int) -> None:
    handle = running(gallery.ledger).handle
    if isinstance(body, dict) and body.get("id") == "{handle}":
        body = {**body, "id": handle}
    assert gallery.mark(body).status == status
    record = gallery.ledger.find(handle)
    assert (record.mark, record.note) == (None, None)


def test_a_record_that_is_locked_takes_the_mark_later(gallery: Served, tmp_path: Path) -> None:
    handle = running(gallery.ledger).handle
    with sqlite3.connect(tmp_path / "jobs.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = gallery.mark({"id": handle, "mark": "keep"})
        other.execute("ROLLBACK")
    other.close()
    assert refused.status == 503
    assert b"jobs.db" in refused.body
    assert gallery.mark({"id": handle, "mark": "keep"}).status == 204


# Its end


def test_it_ends_at_once_and_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with served(tmp_path) as one:
        idle, asking = one.connection(), one.connection()
        asking.sendall(b"GET / HT")
    assert set(threading.enumerate()) <= before
    for connection in (idle, asking):
        with suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    idle.close()
    asking.close()


def test_two_requests_on_one_connection(gallery: Served) -> None:
    request = f"GET {gallery.path}state HTTP/1.1\r\nHost: 127.0.0.1:{gallery.port}\r\n"
    with gallery.connection() as one:
        one.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        answer = read_answer(one)
    assert (answer.status, answer.body.count(b"HTTP/1.1 200")) == (200, 1)
