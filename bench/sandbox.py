"""The sandbox by itself: how fast it films and answers, so that nobody blames it for what it is not."""

from __future__ import annotations

import http.client
import json
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from bench.measure import Failed, Part
from bench.peers import Peers, surroundings

SCRIPT = Path(__file__).with_name("scripts") / "films.py"


def measure_sandbox(peers: Peers, *, quick: bool) -> Part:
    part = Part("The sandbox")
    orvideo = peers.orvideo_with_sandbox()
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder:
        env = surroundings(Path(folder))
        seconds, heights = (1, ["480"]) if quick else (8, ["480", "720", "1080"])
        command = [str(orvideo.with_name("python")), str(SCRIPT), folder, str(seconds), *heights]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
        films = json.loads(done.stdout)
        requests = _requests(orvideo, env, 0.5 if quick else 5.0)
    rows = [
        [f"{height}p", f"{film['film_seconds_per_second']:.1f}", f"{film['cpu']:.2f}", f"{film['mb']:.1f}"]
        for height, film in films.items()
    ]
    part.table(f"a film of {seconds} s with sound", ["", "film s a second", "CPU s a film s", "MB"], rows)
    rows = [[name, f"{found:.0f}"] for name, found in requests.items()]
    part.table("requests a second, over 4 connections that are kept", ["", ""], rows)
    part.figures = {"films": films, "requests_per_second": requests}
    return part


def _requests(orvideo: Path, env: dict[str, str], seconds: float) -> dict[str, float]:
    command = [str(orvideo), "sandbox", "--port", "0", "--quiet"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            base = urlsplit(process.stdout.readline().strip())
            key = {"Authorization": "Bearer " + env["OPENROUTER_API_KEY"], "Content-Type": "application/json"}
            order = {"model": "sandbox/slow", "prompt": "a boat", "duration": 4, "resolution": "480p"}
            job = _ask(http.client.HTTPConnection(base.netloc), "POST", f"{base.path}/videos", key, json.dumps(order))
            return {
                "looks": _rate(base.netloc, f"{base.path}/videos/{json.loads(job)['id']}", key, seconds),
                "model lists": _rate(base.netloc, f"{base.path}/videos/models", key, seconds),
            }
        finally:
            process.terminate()


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
