"""`orvideo gallery --serve` as a person runs it: the real command in a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from orvideo.record.ledger import Ledger
from orvideo.sandbox.stage import KEY
from tests.gallery.served import PATIENCE, running
from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import SMALL, Start, Turned
from tests.shell import COMMAND, Result, Shell

#: A browser that writes down where it was sent.
_BROWSER = """#!{python}
import os, sys
with open("{path}.new", "w") as file:
    file.write("\\n".join([sys.argv[1], *os.environ.values()]))
os.rename("{path}.new", "{path}")
"""


class Serving:
    """A running `orvideo gallery --serve`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdout is not None
        self.first = process.stdout.readline().decode().strip()

    @property
    def address(self) -> str:
        return self.first

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].partition("/")[0])

    def cards(self) -> list[dict[str, Any]]:
        cards: list[dict[str, Any]] = httpx.get(f"{self.address}state", timeout=PATIENCE).json()["cards"]
        return cards

    def statuses(self) -> list[str]:
        """Return how the jobs are, the newest first."""
        return [card["status"] for card in self.cards()]

    def end(self, number: int = signal.SIGINT) -> Result:
        self.process.send_signal(number)
        return self.done()

    def done(self) -> Result:
        out, err = self.process.communicate(timeout=PATIENCE)
        return Result(self.process.returncode, self.first + out.decode(), err.decode())


@contextmanager
def serving(shell: Shell, *argv: str, env: Mapping[str, str] | None = None) -> Iterator[Serving]:
    """Run the command; what still runs at the end is killed."""
    line = [*COMMAND, "gallery", "--serve", *argv]
    environ = {**shell.environ, **(env or {})}
    with subprocess.Popen(line, env=environ, cwd=shell.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield Serving(process)
        finally:
            process.kill()


def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return seen


@pytest.fixture
def record(orvideo: Shell) -> Path:
    """A record with one job that runs at a service that nobody here can reach."""
    path = orvideo.home / "state/orvideo/jobs.db"
    with Ledger(path) as ledger:
        running(ledger)
    return path


def test_ctrl_c_ends_it_at_once(orvideo: Shell, record: Path) -> None:
    with serving(orvideo) as gallery:
        assert gallery.statuses() == ["in_progress"]
        with socket.create_connection(("127.0.0.1", gallery.port)) as idle, httpx.Client() as kept:
            assert kept.get(gallery.address).status_code == 200
            idle.sendall(b"GET / HT")
            began = time.monotonic()
            done = gallery.end()
        assert time.monotonic() - began < 30
    assert (done.code, done.out) == (0, gallery.address)
    assert "Ctrl-C ends it" in done.err


@pytest.mark.long
def test_a_signal_from_elsewhere_is_an_exit_code(orvideo: Shell, record: Path) -> None:
    with serving(orvideo) as gallery:
        assert gallery.end(signal.SIGTERM).code == 143


@pytest.mark.long
def test_each_run_has_an_address_of_its_own(orvideo: Shell) -> None:
    with serving(orvideo) as one, serving(orvideo) as other:
        assert one.address.rsplit("/", 2)[1] != other.address.rsplit("/", 2)[1]
        refused = orvideo("gallery", "--serve", "--port", str(one.port))
        assert (refused.code, refused.out) == (2, "")
        assert f"Port {one.port} on 127.0.0.1 cannot be used" in refused.err
    with serving(orvideo, "--port", str(one.port)) as again:
        assert again.port == one.port


def test_json_has_the_address(orvideo: Shell, record: Path) -> None:
    with serving(orvideo, "--json") as gallery:
        document = json.loads(gallery.first)
        assert httpx.get(document["url"], timeout=PATIENCE).status_code == 200
        assert (document["path"], document["jobs"], document["videos"]) == (None, 1, 0)


@pytest.mark.long
def test_without_a_key_the_record_is_shown_and_it_is_said_once(orvideo: Shell, record: Path) -> None:
    with Ledger(record) as ledger:
        running(ledger, "job-2")
    with serving(orvideo) as gallery:
        assert gallery.statuses() == ["in_progress", "in_progress"]
        assert gallery.process.stderr is not None
        lines = [gallery.process.stderr.readline().decode() for _ in range(2)]
        assert "are shown as they were last seen: There is no API key." in lines[1]
        with Ledger(record) as ledger:
            running(ledger, "job-3")
        until(lambda: len(gallery.cards()) == 3)
        done = gallery.end()
    assert done.code == 0
    assert "no API key" not in done.err


@pytest.mark.long
def test_jobs_that_run_are_followed_and_nothing_is_fetched(start: Start, orvideo: Shell, turned: Turned) -> None:
    caller = start(speed=1, clock=turned.clock())
    env = {"ORVIDEO_BASE_URL": caller.sandbox.base_url, "OPENROUTER_API_KEY": KEY}
    line = ["submit", SMALL["prompt"], "--model", SMALL["model"], "--duration", "1", "--yes", "-o", "boat.mp4"]
    first = orvideo(*line, env=env)
    assert first.code == 0, first.err
    with serving(orvideo, env=env) as gallery:
        assert gallery.statuses() == ["pending"]
        # One that is submitted while it runs is followed as well.
        second = orvideo(*line[:-1], "kite.mp4", "--seed", "7", env=env)
        assert second.code == 0, second.err
        until(lambda: len(gallery.cards()) == 2)
        turned.turn(3600)
        until(lambda: gallery.statuses() == ["completed", "completed"])
        card = gallery.cards()[0]
        assert (card["outputs"], card["next"]) == ([], f"orvideo download {second.lines[0]}")
        assert not list(orvideo.home.glob("*.mp4*"))
        assert orvideo("download", second.lines[0], env=env).code == 0
        until(lambda: gallery.cards()[0]["outputs"])
        film = httpx.get(gallery.address + gallery.cards()[0]["outputs"][0]["url"], timeout=PATIENCE)
        assert film.content == (orvideo.home / "kite.mp4").read_bytes()
        assert gallery.end().code == 0
    assert len(caller.sandbox.received()) == 2, "nothing was bought"


@pytest.mark.long
def test_the_filters_hold_and_what_was_shown_stays(orvideo: Shell, record: Path) -> None:
    with Ledger(record) as ledger, serving(orvideo, "--search", "paper") as gallery:
        running(ledger, "job-2", "a kite")
        newest = running(ledger, "job-3", "paper kite")
        until(lambda: len(gallery.cards()) == 2)
        assert gallery.cards()[0]["handle"] == newest.handle
    with Ledger(record) as ledger, serving(orvideo, "--marked", "none", "--limit", "2") as gallery:
        assert [card["id"] for card in gallery.cards()] == ["job-3", "job-2"]
        ledger.set_mark(newest.seq, "keep")
        until(lambda: [card["mark"] for card in gallery.cards()][:2] == ["keep", None])
    with serving(orvideo, "job-2") as gallery:
        assert [card["id"] for card in gallery.cards()] == ["job-2"]


def test_nothing_on_record_yet(orvideo: Shell) -> None:
    with serving(orvideo) as gallery:
        assert gallery.cards() == []
        with Ledger(orvideo.home / "state/orvideo/jobs.db") as ledger:
            running(ledger)
        until(gallery.cards)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["--serve", "-o", "page.html"], "it goes without -o"),
        (["--serve", "--force"], "it goes without --force"),
        (["--port", "8000"], "--port is where --serve serves"),
        (["--serve", "--port", "70000"], "from 0 to 65535"),
        (["--serve", "nothing-of-that-name"], "No job in the record is called"),
        (["--serve", "--status", "nonsense"], "No job has the status"),
    ],
)
def test_lines_that_cannot_be_meant(orvideo: Shell, argv: list[str], told: str) -> None:
    done = orvideo("gallery", *argv)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert not list(orvideo.home.glob("*.html"))


@pytest.mark.long
@pytest.mark.parametrize(("argv", "opens"), [(["--open"], True), (["--no-open"], False), ([], False)])
def test_the_browser(orvideo: Shell, tmp_path: Path, argv: list[str], opens: bool) -> None:
    script, note = tmp_path / "browser", tmp_path / "note"
    script.write_text(_BROWSER.format(python=sys.executable, path=note))
    script.chmod(0o755)
    env = {"BROWSER": str(script), "OPENROUTER_API_KEY": KEY}
    with serving(orvideo, *argv, env=env) as gallery:
        if opens:
            address, *environ = until(lambda: note.exists() and note.read_text().splitlines())
            token = gallery.address.rstrip("/").rpartition("/")[2]
            assert token not in address, "others on the machine see what the browser was started with"
            led = httpx.get(address)
            assert (led.status_code, led.headers["location"]) == (303, f"/{token}/")
            assert httpx.get(address).status_code == 404, "it leads there once"
            assert KEY not in environ
        done = gallery.end()
    assert done.code == 0, done.err
    assert note.exists() == opens


class TestInARealBrowser:
    pytestmark = browser.MARKS

    def test_a_running_job_becomes_a_video(self, window: Browser, start: Start, orvideo: Shell, turned: Turned) -> None:
        caller = start(speed=1, clock=turned.clock())
        env = {"ORVIDEO_BASE_URL": caller.sandbox.base_url, "OPENROUTER_API_KEY": KEY}
        done = orvideo("submit", "a boat", "--model", SMALL["model"], "--duration", "4", "--yes", env=env)
        assert done.code == 0, done.err
        with serving(orvideo, env=env) as gallery:
            window.open(gallery.address)
            window.run("window.isTheSame = true")
            assert window.text(".told strong") == "Pending"
            turned.turn(3600)
            until(lambda: window.run("return document.querySelector('.told strong').textContent") == "Not on this disk")
            assert orvideo("download", done.lines[0], "-o", "boat.mp4", env=env).code == 0
            until(lambda: window.run("return document.querySelector('.card video').readyState >= 2"))
            window.click("[data-do=keep]")
            until(lambda: orvideo("jobs", "--marked", "keep", "--json").json)
            assert window.run("return window.isTheSame"), "the page was not loaded again"
            assert gallery.end().code == 0
        until(lambda: "has ended" in window.run("return document.querySelector('.trouble').textContent"))
