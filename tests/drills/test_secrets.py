"""The drills on the key (K): a canary key goes through every command and every kind of error, and is looked for
everywhere: in both streams, in every byte of the record, the cache and the side files, and on every other origin.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import RawServer, Reply, http
from tests.drills.service import ORDER
from tests.drills.wire import DONE, JOB, Step, Wire, close, film, refuse, reset
from tests.output.screens import Screen
from tests.shell import KEY, Result, Shell

drill = pytest.mark.drill
VIDEO = mp4(3000)
#: A key that no pattern knows: only its exact value can be taken out of what a server sends.
ODD_KEY = "token:Zq7/canary+0123456789=="
KEYS = pytest.mark.parametrize("key", [KEY, ODD_KEY], ids=["usual", "odd"])
EVERY_COMMAND: list[tuple[str, ...]] = [
    ("submit", *ORDER, "--dry-run"),
    ("submit", *ORDER),
    ("submit", *ORDER, "--wait", "-o", "new.mp4", "--receipt"),
    ("submit", *ORDER, "--wait", "-o", "new-{id}.mp4", "--events"),
    ("status", JOB),
    ("wait", JOB, "-o", "boat.mp4"),
    ("download", JOB, "-o", "boat.mp4", "--receipt"),
    ("models", "--refresh"),
    ("models", "google/veo-3.1-lite"),
    ("jobs",),
    ("jobs", "show", JOB),
    ("jobs", "adopt", "job-adopted-1"),
    ("config", "list"),
    ("config", "get", "api-key"),
    ("config", "path"),
    ("doctor",),
    ("help", "environment"),
    ("batch", "rows.txt", *ORDER[1:], "--yes", "-o", "{row}.mp4", "--report", "report.jsonl"),
]


@pytest.fixture(autouse=True)
def hand(orvideo: Shell) -> HandClock:
    hand = HandClock()
    orvideo.clock = hand.clock()
    (orvideo.home / "rows.txt").write_text("a boat\n")
    return hand


def assert_unseen(key: str, orvideo: Shell, *results: Result, kept: Path | None = None) -> None:
    """Check that no tail of the key is in what was said or written, in any of the forms a library may give it."""
    tail = key[-12:]
    for result in results:
        assert tail not in result.out + result.err
        assert "Traceback" not in result.err
    for path in orvideo.home.rglob("*"):
        if path.is_file() and path != kept:
            assert tail.encode() not in path.read_bytes(), path


@drill("K03")
@drill("J13")
@drill("O17")
@KEYS
@pytest.mark.parametrize("extra", [(), ("-v",), ("--json",)], ids=["plain", "verbose", "json"])
def test_k03_the_key_is_in_no_output_and_in_no_file(
    orvideo: Shell, caplog: pytest.LogCaptureFixture, key: str, extra: tuple[str, ...]
) -> None:
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG), world(key) as wire:
            wire.bought(orvideo)
            orvideo.environ |= {"OPENROUTER_API_KEY": key, "HTTPX_LOG_LEVEL": "trace"}
            ends = [(argv, orvideo(*argv, *extra)) for argv in EVERY_COMMAND if takes(argv, extra)]
            used = [request for request in wire.requests if "authorization" in request.headers]
    finally:
        root.setLevel(logging.WARNING)
    assert {argv: done.err for argv, done in ends if done.code != 0} == {}
    assert len(used) > 8
    assert {request.headers["authorization"] for request in used} == {f"Bearer {key}"}
    assert_unseen(key, orvideo, *(done for _, done in ends))
    assert key[-12:] not in caplog.text


def takes(argv: tuple[str, ...], extra: tuple[str, ...]) -> bool:
    local = argv[0] in ("config", "help") or argv[:2] in (("jobs", "show"), ("jobs",))
    return not (extra == ("-v",) and local) and not (extra == ("--json",) and "--events" in argv)


class world(Wire):  # noqa: N801 - reads as a function
    """A service that is so talkative that it repeats the key in every answer."""

    def __init__(self, key: str) -> None:
        job = {**DONE, "key": key, "error": None, "model": f"echo/{key}", "headers": {"Authorization": f"Bearer {key}"}}
        places: dict[str, list[Step]] = {"/api/v1/videos/job-adopted-1": [{**job, "id": "job-adopted-1"}]}
        self.number = 0
        super().__init__(job, content=[film(VIDEO, X_Key=key)], submit=[self.accept], places=places)
        self.job = job

    def accept(self, peer: Any, request: Any) -> bool:
        self.number += 1
        name = f"job-new{self.number}"
        self._steps["GET", f"/api/v1/videos/{name}"] = [self.job]
        self._steps["GET", f"/api/v1/videos/{name}/content"] = [film(VIDEO)]
        body = f'{{"id": "{name}", "status": "pending", "echo": "{self.job["key"]}"}}'
        return bool(peer.send(http(202, body.encode(), {"X-Key": self.job["key"]})))


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def errors_of(key: str) -> dict[str, Step]:
    said = f"the key {key} (Bearer {key}) is bad"
    return {
        **{
            str(status): refuse(status, said, X_Key=key)
            for status in (400, 401, 402, 403, 404, 409, 413, 429, 500, 503)
        },
        "html": http(502, f"<html><title>{said}</title>{said}</html>".encode()),
        "escaped": http(400, b'{"error": {"message": "%s"}}' % escaped(key).encode()),
        "escaped-job": http(
            200, b'{"id": "%s", "status": "failed", "error": "%s"}' % (JOB.encode(), escaped(key).encode())
        ),
        "entities": http(502, f"<title>{''.join(f'&#{ord(c)};' for c in key)}</title>".encode(), {"CF-Ray": key}),
        "encoding": http(200, b"{}", {"Content-Encoding": "x" * 40 + key}),
        "utf-16": http(400, f'{{"error": {{"message": "{key}"}}}}'.encode("utf-16")),
        "metadata": http(
            403, f'{{"error": {{"message": "no", "metadata": {{"reasons": ["{key}"], "raw": "{key}"}}}}}}'.encode()
        ),
        "no-json": http(200, said.encode()),
        "another-id": {"id": f"job-{key}", "status": "completed"},
        "failed": {"status": "failed", "error": {"message": said}},
        "redirect": http(302, b"", {"Location": f"https://evil.invalid/{key}?key={key}"}),
        "garbage": lambda peer, request: peer.send(f"{key}\r\n\r\n".encode()) and False,
        "header": lambda peer, request: (
            peer.send(f"HTTP/1.1 200 {key}\r\nContent-Length: {key}\r\n\r\n".encode()) and False
        ),
        "closed": close,
        "reset": reset,
    }


@drill("K03")
@drill("K05")
@KEYS
@pytest.mark.parametrize("name", list(errors_of("x")))
def test_k05_a_key_that_a_service_repeats_is_not_shown_and_not_kept(orvideo: Shell, key: str, name: str) -> None:
    step = errors_of(key)[name]
    orvideo.clock = HandClock().clock()
    with Wire(step, content=[step], submit=[step]) as wire:
        wire.bought(orvideo)
        orvideo.environ["OPENROUTER_API_KEY"] = key
        ends = [
            orvideo("submit", *ORDER, "--json"),
            orvideo("status", JOB, "-v"),
            orvideo("wait", JOB, "--timeout", "5s"),
            orvideo("jobs", "show", "@1"),
            orvideo("jobs", "show", JOB, "--json"),
        ]
        wire._steps["GET", f"/api/v1/videos/{JOB}"][:] = [DONE]
        ends.append(orvideo("download", JOB, "-o", "boat.mp4"))
    assert any(done.code for done in ends)
    assert all(done.code != 1 for done in ends)
    assert_unseen(key, orvideo, *ends)


@drill("K01")
@pytest.mark.parametrize("command", ["submit", "wait", "download", "status", "models", "doctor", "batch"])
def test_k01_no_option_takes_a_key(orvideo: Shell, command: str) -> None:
    done = orvideo(command, f"--api-key={KEY}")
    assert done.code == 2
    assert "No such option: --api-key" in done.err
    assert KEY not in done.err


@drill("K02")
@pytest.mark.parametrize(
    "key",
    [
        "sk-or-v1-\ncanary-0123456789", "sk-or-v1-\rcanary-0123456789", "sk or canary-0123456789",
        "sk-or-v1-ключ-canary-0123456789", "sk-or-v1-\x7fcanary-0123456789", "sk-or\x1b[31m-canary-0123456789",
    ],
)  # fmt: skip
def test_k02_a_key_that_can_be_none_is_refused_without_being_repeated(orvideo: Shell, key: str) -> None:
    with Wire(DONE) as wire:
        orvideo.environ |= wire.env | {"OPENROUTER_API_KEY": key}
        ends = [orvideo(*argv) for argv in (("submit", *ORDER), ("doctor",), ("config", "list"))]
        if key.isprintable():  # of several lines the first one is read, and that is a key
            ends.append(orvideo("config", "set", "api-key", stdin=key + "\n"))
            assert ends[-1].code == 4
        assert all("authorization" not in request.headers for request in wire.requests)
    assert [done.code for done in ends[:2]] == [4, 4]
    assert all("canary-0123456789" not in done.out + done.err for done in ends)


@drill("K02")
@pytest.mark.parametrize("form", [" {} ", "{}\n", "Bearer {}", '"{}"', "\ufeff{}"])
def test_k02_a_key_as_people_paste_it_is_made_good(orvideo: Shell, form: str) -> None:
    with Wire(DONE) as wire:
        orvideo.environ |= wire.env | {"OPENROUTER_API_KEY": form.format(KEY)}
        done = orvideo("submit", *ORDER)
        sent = {request.headers.get("authorization") for request in wire.requests if request.method == "POST"}
    assert (done.code, sent) == (0, {f"Bearer {KEY}"}), done.err


@drill("K06")
@drill("K11")
@drill("K15")
def test_k11_a_stored_key_is_private_and_four_characters_are_shown(orvideo: Shell) -> None:
    with Wire(DONE) as wire:
        orvideo.environ["ORVIDEO_BASE_URL"] = wire.url
        ends = [orvideo("config", "set", "api-key", stdin=KEY + "\n")]
        files = [path for path in orvideo.home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
        ends += [orvideo(*argv) for argv in (("config", "list"), ("config", "list", "--json"), ("doctor",))]
        ends += [orvideo("doctor", "--json"), orvideo("config", "get", "api-key")]
        ends.append(orvideo("config", "set", "api-key", "x", stdin=KEY))
    (kept,) = files
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    shown = "".join(done.out + done.err for done in ends)
    assert "nary" in shown
    assert "anary" not in shown
    assert_unseen(KEY, orvideo, *ends, kept=kept)


@drill("K15")
@drill("K12")
def test_k15_a_key_is_typed_unseen(orvideo: Shell) -> None:
    screen = Screen(80)
    process = orvideo.popen(
        "config", "set", "api-key", env={"TERM": "xterm"},
        stdin=screen.slave, stdout=screen.slave, stderr=screen.slave, start_new_session=True,
    )  # fmt: skip
    screen.wait_for(lambda lines: any(line.rstrip().endswith(":") for line in lines))
    import os

    os.write(screen.master, KEY.encode() + b"\n")
    assert process.wait(240) == 0
    screen.close()
    assert KEY[-12:].encode() not in screen.raw
    assert orvideo("config", "get", "api-key").out.strip().endswith("nary")


@drill("K10")
def test_k10_what_orvideo_starts_does_not_know_the_key(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo.process("wait", JOB, "-o", "boat.mp4", "--exec", "env > child.txt")
    assert done.code == 0, done.err
    child = Path("child.txt").read_text()
    assert f"ORVIDEO_JOB_ID={JOB}" in child
    assert KEY not in child
    assert "OPENROUTER_API_KEY" not in child


@drill("K04")
@KEYS
def test_k04_a_bug_tells_no_secret(orvideo: Shell, key: str) -> None:
    """The clock of this environment breaks with the key in its words, as any library might."""
    steady = orvideo.clock

    def now() -> Any:
        raise LookupError(f"boom {key}")

    with Wire(DONE) as wire:
        wire.bought(orvideo)
        orvideo.environ["OPENROUTER_API_KEY"] = key
        orvideo.clock = type(steady)(now=now, monotonic=steady.monotonic, sleep=steady.sleep)
        done = orvideo("jobs", "show", JOB)
    assert done.code == 1
    assert done.err.startswith("error: This is a bug in orvideo: LookupError.")
    (report,) = orvideo.home.rglob("crash-*.txt")
    assert str(report) in done.err
    assert "boom [key hidden]" in report.read_text()
    assert_unseen(key, orvideo, done)


@pytest.fixture
def others() -> Iterator[RawServer]:
    with RawServer(Reply(200, VIDEO, close=True)) as server:
        yield server


@drill("K14")
def test_k14_no_other_origin_ever_sees_the_key(orvideo: Shell, others: RawServer) -> None:
    """Every way in which an answer can name another place, at once."""
    url = f"{others.origin}/film.mp4"
    moved = http(307, b"", {"Location": url})
    job = {**DONE, "urls": [url], "unsigned_urls": [url], "polling_url": url, "callback_url": url}
    ways: list[dict[str, Any]] = [
        {"looks": [job]},
        {"looks": [{**DONE, "unsigned_urls": [url]}], "content": [refuse(404)]},
        {"looks": [DONE], "content": [moved]},
        {"looks": [moved]},
        {"looks": [DONE], "submit": [moved]},
        {"looks": [DONE], "submit": [http(202, b'{"id": "%s", "polling_url": "%s"}' % (JOB.encode(), url.encode()))]},
    ]
    for way in ways:
        with Wire(*way["looks"], content=way.get("content", ()), submit=way.get("submit", ())) as wire:
            home = orvideo.home / f"home-{ways.index(way)}"
            home.mkdir()
            shell = Shell(home, clock=orvideo.clock)
            shell.environ |= wire.env
            if "submit" in way:
                shell("submit", *ORDER, "--wait")
            else:
                wire.bought(shell)
                shell("wait", JOB, "-o", str(home / "boat.mp4"))
                shell("download", JOB, "-o", str(home / "boat.mp4"), "--force")
    assert len(others.requests) >= 3
    assert [request.target for request in others.requests if "authorization" in request.headers] == []
    assert not any(b"canary" in request.raw + request.body for request in others.requests)


@drill("F-C08")
def test_c08_a_wrong_key_replaces_no_good_one(orvideo: Shell) -> None:
    good, wrong = KEY, "sk-or-v1-a-wrong-one-0123456789"
    with Wire(DONE) as wire:
        orvideo.environ["ORVIDEO_BASE_URL"] = wire.url
        assert orvideo("config", "set", "api-key", stdin=good + "\n").code == 0
    refuses = RawServer(Reply(401, b'{"error": {"code": 401, "message": "User not found."}}'))
    with refuses as server:
        orvideo.environ["ORVIDEO_BASE_URL"] = server.url
        done = orvideo("config", "set", "api-key", stdin=wrong + "\n")
    assert (done.code, "was not stored" in done.err) == (4, True)
    assert orvideo("config", "get", "api-key").out.strip().endswith(good[-4:])
    # Where nobody can be asked, the key is taken at its word.
    orvideo.environ["ORVIDEO_BASE_URL"] = "http://127.0.0.1:9/api/v1"
    done = orvideo("config", "set", "api-key", "--json", stdin=wrong + "\n")
    assert (done.code, done.json["accepted"]) == (0, None)
