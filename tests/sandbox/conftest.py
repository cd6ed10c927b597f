"""Sandboxes for tests: on loopback, in an empty directory, at a pace that makes every job end at once."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from orvideo.clock import Clock
from orvideo.sandbox.server import KEY, Sandbox
from tests.sandbox import browser
from tests.sandbox.browser import Browser

#: A job ends within a millisecond of its submit.
AT_ONCE = 1e6


class Turned:
    """A wall clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def turn(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.time)


@pytest.fixture
def turned() -> Turned:
    return Turned()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    """A window of a real browser, with a profile of its own."""
    with browser.opened(tmp_path / "profile") as one:
        yield one


class Caller:
    """A client of a running sandbox, with a key."""

    def __init__(self, sandbox: Sandbox, key: str | None = KEY) -> None:
        self.sandbox = sandbox
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=240, verify=False)

    def submit(self, **body: Any) -> httpx.Response:
        return self.http.post("/videos", json={**SMALL, **body})

    def job(self, **body: Any) -> dict[str, Any]:
        """Submit, and return the job at its end."""
        answer = self.submit(**body)
        assert answer.status_code == 202, answer.text
        return self.look(answer.json()["id"])

    def look(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/videos/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def film(self, tmp_path: Path, **body: Any) -> Path:
        """Submit, fetch, and return the file."""
        job = self.job(**body)
        for _ in range(500):
            answer = self.http.get(f"/videos/{job['id']}/content")
            if answer.status_code != 409:
                break
            time.sleep(0.01)  # even at this speed the slowest job takes some milliseconds
        assert answer.status_code == 200, answer.text
        path = tmp_path / f"{job['id']}.mp4"
        path.write_bytes(answer.content)
        return path


#: The smallest film of a real model.
SMALL = {
    "model": "x-ai/grok-imagine-video",
    "prompt": "a paper boat drifts down a rainy street",
    "duration": 1,
    "resolution": "480p",
}

Start = Callable[..., Caller]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start sandboxes; all are stopped at the end of the test, and must not have crashed."""
    started: list[Caller] = []

    def begin(*faults: str, key: str | None = KEY, **options: Any) -> Caller:
        options = {"speed": AT_ONCE, "home": tmp_path / "sandbox", **options}
        sandbox = Sandbox(options.pop("home"), faults=faults, **options)
        sandbox.start()
        started.append(Caller(sandbox, key))
        return started[-1]

    yield begin
    for caller in started:
        caller.http.close()
        caller.sandbox.stop()
        assert caller.sandbox.crashes == []


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (320, 240), kind: str = "PNG") -> bytes:
    """Return an image with a disc in it."""
    image = Image.new("RGB", size, colour)
    across, down = size
    disc = Image.new("RGB", (across // 4, down // 4), (250, 240, 200))
    image.paste(disc, (across // 8, down // 8))
    held = io.BytesIO()
    image.save(held, kind)
    return held.getvalue()
