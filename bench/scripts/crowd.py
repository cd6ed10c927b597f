"""Many clients of one sandbox at the same time: each submits, looks until its job is done, and fetches the film.

Usage: crowd.py BASE_URL CLIENTS FILMS MODEL SECONDS RESOLUTION; answers with JSON.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import threading
import time
from urllib.parse import urlsplit

KEY = "sk-or-v1-" + "0" * 64
PAUSE = 0.5


class Crowd:
    """What all clients ask for, and how long each answer took."""

    def __init__(self, base_url: str, films: int, order: dict[str, object]) -> None:
        self._base, self._films, self._order = urlsplit(base_url), films, order
        self.submits: list[float] = []
        self.looks: list[float] = []
        self.fetches: list[float] = []
        self.failures: list[str] = []

    def visit(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._base.netloc, timeout=600)
        try:
            body = json.dumps({**self._order, "prompt": f"boat number {number % self._films}"})
            job = json.loads(self._ask(connection, self.submits, "POST", "/videos", body))
            while job["status"] != "completed":
                time.sleep(PAUSE)
                job = json.loads(self._ask(connection, self.looks, "GET", f"/videos/{job['id']}"))
            film = self._ask(connection, self.fetches, "GET", f"/videos/{job['id']}/content")
            if film[4:8] != b"ftyp":
                self.failures.append("not a film")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, taken: list[float], method: str, path: str, body: str = ""
    ) -> bytes:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        began = time.perf_counter()
        connection.request(method, self._base.path + path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        taken.append(time.perf_counter() - began)
        if answer.status >= 400:
            raise ValueError(f"{method} {path}: {answer.status}")
        return data


def spread(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "count": len(ordered),
        "median": statistics.median(ordered),
        "p99": ordered[len(ordered) * 99 // 100],
        "most": ordered[-1],
    }


def main() -> None:
    base_url, count, films, model, seconds, resolution = sys.argv[1:]
    order = {"model": model, "duration": int(seconds), "resolution": resolution, "aspect_ratio": "16:9"}
    crowd = Crowd(base_url, int(films), order)
    clients = [threading.Thread(target=crowd.visit, args=(number,)) for number in range(int(count))]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    found = {
        "wall": time.perf_counter() - began,
        "failures": crowd.failures,
        "submits": spread(crowd.submits),
        "looks": spread(crowd.looks),
        "fetches": spread(crowd.fetches),
    }
    print(json.dumps(found))


main()
