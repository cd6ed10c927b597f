"""The sandbox by itself: how fast it films and answers, so that nobody blames it for what it is not."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.measure import Failed, Goal, Part
from bench.peers import Peers, surroundings

SCRIPTS = Path(__file__).with_name("scripts")
#: Clients at the same time, and how much memory the sandbox may take with them, in MB.
CLIENTS, MOST = 200, 200


def measure_sandbox(peers: Peers, *, quick: bool) -> Part:
    part = Part("The sandbox")
    orvideo = peers.orvideo_with_sandbox()
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder:
        env = surroundings(Path(folder))
        seconds, heights = (1, ["480"]) if quick else (8, ["480", "720", "1080"])
        command = [str(orvideo.with_name("python")), str(SCRIPTS / "films.py"), folder, str(seconds), *heights]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        films = json.loads(done.stdout)
        requests = _requests(orvideo, env, 0.5 if quick else 5.0)
        crowd = _crowd(orvideo, env, films=2 if quick else 40)
    rows = [
        [f"{height}p", f"{film['film_seconds_per_second']:.1f}", f"{film['cpu']:.2f}", f"{film['mb']:.1f}"]
        for height, film in films.items()
    ]
    part.table(f"a film of {seconds} s with sound", ["", "film s a second", "CPU s a film s", "MB"], rows)
    rows = [[name, f"{found:.0f}"] for name, found in requests.items()]
    part.table("requests a second, over 4 connections that are kept", ["", ""], rows)
    rows = [
        [name, *(f"{crowd[name][what]:.3f}" for what in ("median", "p99", "most"))]
        for name in ("submits", "looks", "fetches")
    ]
    part.table(f"{CLIENTS} clients at the same time: seconds for an answer", ["", "median", "99 %", "most"], rows)
    part.goals.append(Goal("the sandbox with all of them", crowd["peak_mb"], MOST, unit="MB"))
    part.figures = {"films": films, "requests_per_second": requests, "crowd": crowd}
    return part


def _crowd(orvideo: Path, env: dict[str, str], *, films: int) -> dict[str, Any]:
    """Have many clients submit, look and fetch at the same time; they are a process of their own."""
    with _sandbox(orvideo, env) as (process, base_url):
        script = str(SCRIPTS / "crowd.py")
        order = ["x-ai/grok-imagine-video", "1", "720p"]
        command = [sys.executable, script, base_url, str(CLIENTS), str(films), *order]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if found["failures"]:
            raise Failed(f"{len(found['failures'])} clients got no film: {found['failures'][0]}")
        return {**found, "peak_mb": _peak(process.pid)}


def _peak(pid: int) -> float:
    """Return the most memory that a process has had, in MB; Linux alone tells."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


@contextmanager
def _sandbox(orvideo: Path, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [str(orvideo), "sandbox", "--port", "0", "--quiet"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def _requests(orvideo: Path, env: dict[str, str], seconds: float) -> dict[str, float]:
    with _sandbox(orvideo, env) as (_, base_url):
        base = urlsplit(base_url)
        key = {"Authorization": "Bearer " + env["OPENROUTER_API_KEY"], "Content-Type": "application/json"}
        order = {"model": "sandbox/slow", "prompt": "a boat", "duration": 4, "resolution": "480p"}
        job = _ask(http.client.HTTPConnection(base.netloc), "POST", f"{base.path}/videos", key, json.dumps(order))
        return {
            "looks": _rate(base.netloc, f"{base.path}/videos/{json.loads(job)['id']}", key, seconds),
            "model lists": _rate(base.netloc, f"{base.path}/videos/models", key, seconds),
        }


def _rate(host: str, path: str, headers: dict[str, str], seconds: float) -> float:
    counts: list[int] = []

    def ask() -> None:
        connection, count = http.client.HTTPConnection(host), 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            _ask(connection, "GET", path, headers)
            count += 1
        connection.close()
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: str = ""
) -> bytes:
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status >= 400:
        raise Failed(f"the sandbox answered {answer.status}: {data[:200]!r}")
    return data
