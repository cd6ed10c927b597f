"""Callbacks reach who asked for them, and nobody else."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from orvideo.sandbox.caller import Caller
from orvideo.sandbox.server import Sandbox
from tests.sandbox.conftest import SMALL, Start, Turned
from tests.sandbox.conftest import Caller as Client
from tests.sandbox.listener import PATIENCE, Call, Listener, listening

#: It takes some seconds at ten times the speed, on a clock that stands still.
SLOW: dict[str, Any] = {"model": "google/veo-3.1-lite", "duration": 4, "resolution": "720p"}
SECRET = "whsec_ünder the mat"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


class Log:
    """What the sandbox says of its own, in the order in which it says it."""

    def __init__(self) -> None:
        self._said: queue.Queue[str] = queue.Queue()

    def __call__(self, text: str) -> None:
        self._said.put(text)

    def until(self, words: str) -> list[str]:
        """Wait for a line with these words, and return all up to it."""
        lines: list[str] = []
        while not lines or words not in lines[-1]:
            lines.append(self._said.get(timeout=PATIENCE))
        return lines


@pytest.fixture
def log() -> Log:
    return Log()


def owed(caller: Client) -> list[str]:
    return sorted(path.name for path in (caller.sandbox.studio.home / "callbacks").iterdir())


def wait_until_nothing_is_owed(caller: Client) -> None:
    end = time.monotonic() + PATIENCE
    while owed(caller):
        assert time.monotonic() < end
        time.sleep(0.01)


def verified(call: Call, secret: str) -> bool:
    """Check a signature as the service's own page shows it, with nothing of the sandbox's code."""
    parts = dict(part.split("=", 1) for part in call.headers["X-OpenRouter-Signature"].split(","))
    assert abs(time.time() - int(parts["t"])) < 300
    signed = hmac.new(secret.encode(), f"{parts['t']},".encode() + call.body, hashlib.sha256)
    return hmac.compare_digest(parts["v1"], signed.hexdigest())


def test_a_completed_job_is_told_of(start: Start, listener: Listener) -> None:
    caller = start(webhook_secret=SECRET)
    job_id = caller.submit(callback_url=f"{listener.url}/hook?kept=1").json()["id"]
    call = listener.call()
    assert (call.method, call.path) == ("POST", "/hook?kept=1")
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["X-OpenRouter-Idempotency-Key"] == f"{job_id}-completed"
    assert "Authorization" not in call.headers
    assert verified(call, SECRET)
    assert not verified(call._replace(body=call.body + b" "), SECRET)
    event = json.loads(call.body)
    looked = caller.look(job_id)
    assert set(event) == {"type", "created_at", "data"}
    assert event["type"] == "video.generation.completed"
    assert event["created_at"].endswith("Z")
    assert event["data"] == {
        "id": job_id,
        "status": "completed",
        "generation_id": looked["generation_id"],
        "model": SMALL["model"],
        "unsigned_urls": looked["unsigned_urls"],
        "usage": looked["usage"],
    }
    wait_until_nothing_is_owed(caller)


@pytest.mark.parametrize(
    ("model", "status", "error"),
    [
        ("sandbox/fails", "failed", "Content policy violation"),
        ("sandbox/expires", "expired", "Job exceeded maximum time to live"),
        ("sandbox/cancelled", "cancelled", "Job was cancelled"),
    ],
)
def test_a_job_without_a_video_is_told_of_with_its_reason(
    start: Start, listener: Listener, model: str, status: str, error: str
) -> None:
    job_id = start().submit(model=model, callback_url=listener.url).json()["id"]
    call = listener.call()
    assert call.path == "/"
    assert call.headers["X-OpenRouter-Idempotency-Key"] == f"{job_id}-{status}"
    assert "X-OpenRouter-Signature" not in call.headers  # there is no secret
    event = json.loads(call.body)
    assert event["type"] == f"video.generation.{status}"
    assert {name: event["data"][name] for name in ("id", "status", "model", "error")} == {
        "id": job_id,
        "status": status,
        "model": model,
        "error": error,
    }
    assert not {"unsigned_urls", "usage"} & set(event["data"])


def test_a_callback_over_tls_needs_no_certificate_that_others_vouch_for(start: Start) -> None:
    with listening(tls=True) as listener:
        start().submit(callback_url=listener.url)
        assert listener.call().method == "POST"


def test_three_tries_and_no_more(start: Start, listener: Listener, log: Log) -> None:
    listener.answers = [500, 307, 404]
    caller = start(on_note=log, webhook_secret=SECRET)
    job_id = caller.submit(callback_url=f"{listener.url}/hook?token=secret").json()["id"]
    calls = [listener.call() for _ in range(3)]
    assert len({(call.body, call.headers["X-OpenRouter-Idempotency-Key"]) for call in calls}) == 1
    assert all(verified(call, SECRET) for call in calls)
    assert log.until("given up") == [
        *(f"POST {listener.url}/hook {status}" for status in (500, 307, 404)),
        f"{job_id}: its callback is given up after 3 tries",
    ]
    wait_until_nothing_is_owed(caller)
    assert listener.calls.empty()  # the redirect was not followed either


def test_a_second_try_ends_it(start: Start, listener: Listener, log: Log) -> None:
    listener.answers = [503, 200]
    caller = start(on_note=log)
    caller.submit(callback_url=listener.url)
    assert len(log.until(" 200")) == 2
    wait_until_nothing_is_owed(caller)
    assert listener.calls.qsize() == 2


def test_nobody_there(start: Start, log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start(on_note=log).submit(callback_url=f"http://localhost:{port}/")
    assert sum("no answer" in line for line in log.until("given up")) == 3


def test_callbacks_that_are_lost(start: Start, listener: Listener, log: Log) -> None:
    caller = start("callback-lost:0.5", on_note=log)
    first = caller.submit(callback_url=listener.url).json()["id"]
    assert json.loads(listener.call().body)["data"]["id"] == first
    second = caller.submit(callback_url=listener.url).json()["id"]
    assert log.until("lost")[-1] == f"{second}: its callback is lost (callback-lost)"
    wait_until_nothing_is_owed(caller)
    assert listener.calls.empty()


def test_callbacks_that_come_twice(start: Start, listener: Listener) -> None:
    caller = start("callback-twice")
    caller.submit(callback_url=listener.url)
    one, other = listener.call(), listener.call()
    assert (one.body, one.headers["X-OpenRouter-Idempotency-Key"]) == (
        other.body,
        other.headers["X-OpenRouter-Idempotency-Key"],
    )
    wait_until_nothing_is_owed(caller)
    assert listener.calls.empty()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?token=secret",
        "https://127.0.0.1.example.com/",
        "https://192.168.0.1/",
        "https://user@localhost/",
        "https://0.0.0.0/",
    ],
)
def test_nobody_but_this_machine_is_called(start: Start, log: Log, url: str) -> None:
    # The tests let no connection out (tests/conftest.py): a try would be a line of its own here.
    caller = start(on_note=log)
    job = caller.submit(callback_url=url)
    assert job.status_code == 202
    (line,) = log.until("not made")
    assert "secret" not in line
    assert line.startswith(f"{job.json()['id']}: its callback is not made, since the sandbox calls nobody but")
    wait_until_nothing_is_owed(caller)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://127.0.0.1.example.com/", "http://a@localhost/", "ftp://localhost/"]
)
def test_plain_http_is_for_this_machine(start: Start, url: str) -> None:
    answer = start().submit(callback_url=url)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid input: callback_url: Must be a valid HTTPS URL"


def test_each_is_told_of_at_its_own_end(start: Start, listener: Listener) -> None:
    caller = start(speed=1)  # nobody waits for the first: it takes half an hour
    slow = caller.submit(model="sandbox/slow", duration=4, callback_url=listener.url).json()["id"]
    quick = start().submit(callback_url=listener.url).json()["id"]
    assert json.loads(listener.call().body)["data"]["id"] == quick
    caller.sandbox.stop()
    assert listener.calls.empty()
    assert slow in owed(caller)


def test_what_ended_while_no_sandbox_was_up_is_told_of_for_a_day(
    start: Start, listener: Listener, turned: Turned, log: Log
) -> None:
    first = start(clock=turned.clock(), speed=10)
    jobs = [first.submit(**SLOW, callback_url=listener.url).json()["id"]]
    first.sandbox.stop()
    assert listener.calls.empty()
    assert owed(first) == jobs
    turned.turn(3600)
    second = start(clock=turned.clock())
    assert json.loads(listener.call().body)["data"]["id"] == jobs[0]
    wait_until_nothing_is_owed(second)
    second.sandbox.studio.speed = 10
    second.submit(**SLOW, callback_url=listener.url)
    second.sandbox.stop()
    turned.turn(86400 + 60)
    third = start(clock=turned.clock(), on_note=log)
    assert "more than a day ago" in log.until("day ago")[-1]
    wait_until_nothing_is_owed(third)
    assert listener.calls.empty()


def test_two_sandboxes_of_one_home_deliver_once(start: Start, listener: Listener, turned: Turned) -> None:
    slow = {**SLOW, "callback_url": listener.url}
    first = start(clock=turned.clock(), speed=10)
    job_id = first.submit(**slow).json()["id"]
    first.sandbox.stop()
    turned.turn(3600)
    listener.unanswered_after = 0
    second = start(clock=turned.clock())
    listener.call()
    assert owed(second) == [f"{job_id}.taken"]
    third = start(clock=turned.clock())
    third.sandbox.stop()
    listener.answer()
    wait_until_nothing_is_owed(second)
    assert listener.calls.empty()


def test_one_that_a_killed_process_had_taken_is_delivered_by_a_later_one(
    start: Start, listener: Listener, turned: Turned
) -> None:
    first = start(clock=turned.clock(), speed=10)
    job_id = first.submit(**SLOW, callback_url=listener.url).json()["id"]
    first.sandbox.stop()
    folder = first.sandbox.studio.home / "callbacks"
    taken = (folder / job_id).rename(folder / f"{job_id}.taken")
    (folder / "gone").touch()
    turned.turn(3600)
    os.utime(taken, (turned.time.timestamp() - 301,) * 2)
    second = start(clock=turned.clock())
    assert json.loads(listener.call().body)["data"]["id"] == job_id
    wait_until_nothing_is_owed(second)


@pytest.mark.parametrize("tries_before", [0, 2])
def test_stop_ends_a_call_that_is_never_answered_and_owes_it_still(
    listener: Listener, tmp_path: Path, tries_before: int
) -> None:
    before = set(threading.enumerate())
    listener.answers = [500] * tries_before
    listener.unanswered_after = tries_before
    with Sandbox(tmp_path / "own", speed=1e6) as sandbox:
        headers = {"Authorization": "Bearer sk-or-v1-any"}
        body = {**SMALL, "callback_url": listener.url}
        job = httpx.post(f"{sandbox.base_url}/videos", json=body, headers=headers, timeout=PATIENCE).json()
        for _ in range(tries_before + 1):
            listener.call()
    ours = [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("orvideo")]
    assert ours == []
    assert [path.name for path in (tmp_path / "own" / "callbacks").iterdir()] == [job["id"]]


def test_a_disk_that_takes_no_note_of_it_stops_no_job(start: Start, listener: Listener, log: Log) -> None:
    caller = start(on_note=log)
    folder = caller.sandbox.studio.home / "callbacks"
    folder.rmdir()
    folder.write_text("no folder")
    assert caller.submit(callback_url=listener.url).status_code == 202
    assert "its callback is lost" in log.until("lost")[-1]


def test_a_job_is_told_of_although_its_reply_was_lost(start: Start, listener: Listener) -> None:
    caller = start("lost-reply")
    with pytest.raises(httpx.RemoteProtocolError):
        caller.submit(callback_url=listener.url)
    told: dict[str, Any] = json.loads(listener.call().body)
    assert [job.id for job in caller.sandbox.studio.jobs()] == [told["data"]["id"]]


def test_a_listener_that_answers_letter_by_letter_is_given_up() -> None:
    stopped = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            while not stopped.wait(0.05):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        try:
            status, said = Caller(seconds=0.5).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        finally:
            stopped.set()
            thread.join()
    assert status is None
    assert said.startswith("no answer: ")
