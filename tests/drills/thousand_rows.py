"""Run a batch of a thousand rows against a service that is rough: refusals, missed looks, cut downloads.

    python -m tests.drills.thousand_rows --rows 1000 --jobs 100
    python -m tests.drills.thousand_rows --quick                   # sixty rows

One submit in twenty is answered 429 with a second's Retry-After, one look in twenty 500, and one download in twenty is
cut in the middle. Every row must end completed, bought once, whole on the disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from waitress.channel import ClientDisconnected

from orvideo.sandbox.server import Sandbox
from tests.batch.bench import SMALL, bench, rows
from tests.download.films import is_whole_mp4
from tests.processes import default_signals
from tests.shell import Shell


class Rough(Sandbox):
    """A sandbox that is evenly rough: of each kind of call every twentieth goes wrong."""

    @property
    def application(self) -> Any:
        inner, every = super().application, _Every(20)

        def rough(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            if method == "POST" and every.hits("submit"):
                start_response("429 Too Many Requests", [("Content-Type", "application/json"), ("Retry-After", "1")])
                return [b'{"error": {"code": 429, "message": "Rate limit exceeded"}}']
            answer = inner(environ, start_response)
            return _cut(answer) if path.endswith("/content") and every.hits("download") else answer

        return rough


class _Every:
    """Hits on every `share`th call of a kind."""

    def __init__(self, share: int) -> None:
        self._share = share
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def hits(self, what: str) -> bool:
        with self._lock:
            self._calls[what] += 1
            return self._calls[what] % self._share == 0


def _cut(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield half of the first chunk, and lose the connection."""
    for chunk in chunks:
        yield chunk[: len(chunk) // 2]
        raise ClientDisconnected


def run(folder: Path, count: int, jobs: int) -> list[str]:
    """Run the batch in a process of its own and return what is wrong with how it ended."""
    shell = Shell(folder)
    (folder / "clips").mkdir()
    with bench(shell, folder, ["poll-500:0.05"], kind=Rough) as made:
        made.write(rows(count))
        began = time.monotonic()
        done = shell.process(
            "batch", "rows.jsonl", *SMALL, "-o", "clips/", "--jobs", str(jobs), "--events", "-q", timeout=3600
        )
        took = time.monotonic() - began
        bought = Counter(made.users())
        records = made.records()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    events = Counter(json.loads(line)["event"] for line in done.lines)
    print(f"{count} rows, {jobs} in flight: exit {done.code} in {took:.0f} s")
    print(f"events: {dict(events)}")
    print(f"orvideo itself: {used.ru_utime + used.ru_stime:.1f} s of CPU, {used.ru_maxrss / 1024:.0f} MB at most")
    wrong = [f"{user} was bought {times} times" for user, times in bought.items() if times != 1]
    wrong += [f"ended with {done.code}: {done.err[-500:]}"] if done.code else []
    wrong += [f"{len(bought)} rows were bought, not {count}"] if len(bought) != count else []
    wrong += [f"{record.name} is {record.status_word}" for record in records if record.id and not record.is_fetched]
    films = list((folder / "clips").glob("*.mp4"))
    wrong += [f"{len(films)} files for {count} rows"] if len(films) != count else []
    wrong += [f"{film.name} is not a whole video" for film in films if not is_whole_mp4(film.read_bytes())]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="sixty rows, twenty in flight")
    asked = parser.parse_args()
    default_signals()
    if asked.quick:
        asked.rows, asked.jobs = 60, 20
    with tempfile.TemporaryDirectory(prefix="orvideo-thousand-") as root:
        wrong = run(Path(root), asked.rows, asked.jobs)
    for line in wrong[:20]:
        print(line)
    print("every row ended as it should" if not wrong else f"{len(wrong)} things are wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
