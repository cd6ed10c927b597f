"""How long orvideo takes to start, as multiples of `python -c pass` in the environment that runs this script.

    python -m venv /tmp/clean && /tmp/clean/bin/pip install .
    /tmp/clean/bin/python bench/startup.py [--runs N] [--json] [--own-loop]

What only writes to a pipe is measured by hyperfine where it is installed; the rest (a terminal, the first byte on the
wire), and everything without hyperfine, by a loop of its own that takes turns with the yardstick. Medians. Nothing
leaves this machine: the service of the last row is a socket on 127.0.0.1. The exit code is 0, whatever is found: a
busy machine is no fault. Measure in a clean environment: with a `click` distribution `import httpx` is much slower.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import pty
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

SCRIPT = Path(sysconfig.get_path("scripts")) / "orvideo"
YARDSTICK = [sys.executable, "-c", "pass"]
ENDPOINT = "https://openrouter.ai/api/v1"
JOBS = 1000
MODEL = {
    "id": "bench/model",
    "name": "A model",
    "supported_resolutions": ["720p"],
    "supported_aspect_ratios": ["16:9"],
    "supported_durations": [4, 8],
    "generate_audio": True,
    "pricing_skus": {"duration_seconds": "0.05"},
}


@dataclass(frozen=True)
class Case:
    """One way to start; `how` is "pipe", "terminal" or "first byte", `limit` in multiples of the yardstick."""

    name: str
    command: list[str]
    limit: float
    how: str = "pipe"


@dataclass(frozen=True)
class Figure:
    """What was measured: medians in milliseconds, and their ratio."""

    name: str
    limit: float
    milliseconds: float
    yardstick: float
    ratio: float
    with_hyperfine: bool


def cases(home: Path) -> list[Case]:
    """Return the table of what is promised, in its order."""
    new = home / "orvideo-as-pip-makes-it-now"
    new.write_text(f"#!{sys.executable}\nimport sys\nfrom orvideo.__main__ import run\nsys.exit(run())\n")
    new.chmod(0o755)
    # pip before 25 has its scripts import `re`, which costs half an interpreter's start.
    old = "import re" in SCRIPT.read_text(encoding="utf-8")
    here, installed = str(SCRIPT), "--version, script as installed"
    typer = importlib.metadata.version("typer")
    return [
        Case("--version", [str(new), "--version"], 1.1),
        Case(f"{installed} (old pip)" if old else installed, [here, "--version"], 1.75 if old else 1.1),
        Case("TAB: models", [here, "__complete", "models", "", "submit"], 1.7),
        Case("TAB: durations of a model", [here, "__complete", "durations", "", "submit", "-m", "bench/model3"], 1.7),
        Case(f"TAB: jobs, {JOBS} on record", [here, "__complete", "jobs", ""], 1.7),
        Case("--help in a pipe", [here, "--help"], 7),
        Case("submit --help in a pipe", [here, "submit", "--help"], 7),
        Case("--help on a terminal", [here, "--help"], 12, "terminal"),
        Case("submit --help on a terminal", [here, "submit", "--help"], 12, "terminal"),
        Case(f"jobs in a pipe, {JOBS} jobs, Typer {typer}", [here, "jobs"], 7),
        Case("submit up to the first byte", [here, "submit", "a boat", "-q", "-m", "bench/model3"], 15, "first byte"),
    ]


def prepare(home: Path, base_url: str) -> dict[str, str]:
    """Fill a home with a record and a catalogue, and return the environment for everything that is measured."""
    from orvideo.catalogue import cache
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Submission

    models = [{**MODEL, "id": f"bench/model{number}"} for number in range(30)]
    for endpoint in (ENDPOINT, base_url):
        cache.write(home / "cache" / cache.file_name(endpoint), models, datetime.now(UTC))
    with Ledger(home / "state" / "jobs.db") as ledger:
        for number in range(JOBS):
            prompt = f"a paper boat drifts down street number {number}"
            seq = ledger.prepare(
                Submission(request={"model": "bench/model3", "prompt": prompt, "duration": 4}, endpoint=ENDPOINT)
            )
            ledger.sending(seq)
            ledger.submitted(seq, f"job-{number:08}", status="pending", generation_id=None, extra={})
    return {
        "HOME": str(home),
        "ORVIDEO_CACHE_DIR": str(home / "cache"),
        "ORVIDEO_STATE_DIR": str(home / "state"),
        "ORVIDEO_CONFIG_DIR": str(home / "config"),
        "OPENROUTER_API_KEY": "sk-or-v1-of-no-use-to-anybody",
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
    }


class FirstByte:
    """A service that refuses every request, and remembers when the first byte of one came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api/v1"
        self.came: list[float] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(1)
                self.came.append(time.perf_counter())
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def run_once(case: Case, environ: dict[str, str], service: FirstByte) -> float:
    """Run a command once and return its seconds, to its end or to the first byte that it sends."""
    if case.how == "terminal":
        return _on_terminal(case.command, environ)
    if case.how == "first byte":
        environ = {**environ, "ORVIDEO_BASE_URL": service.base_url}
        service.came.clear()
    begin = time.perf_counter()
    subprocess.run(case.command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    end = time.perf_counter()
    if case.how != "first byte":
        return end - begin
    if not service.came:
        raise SystemExit("submit sent nothing: run it by hand to see why")
    return service.came[0] - begin


def _on_terminal(command: list[str], environ: dict[str, str]) -> float:
    """Run a command whose three streams are a terminal that is read as fast as it writes."""
    master, slave = pty.openpty()
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while os.read(master, 65536):
            pass
    process.wait()
    os.close(master)
    return time.perf_counter() - begin


def in_turns(case: Case, runs: int, environ: dict[str, str], service: FirstByte) -> Figure:
    """Measure a case and the yardstick in turns, so that both see the same machine."""
    yardstick = Case("", YARDSTICK, 1, "terminal" if case.how == "terminal" else "pipe")
    times: list[float] = []
    bases: list[float] = []
    for number in range(runs + 2):
        pair = run_once(yardstick, environ, service), run_once(case, environ, service)
        if number >= 2:  # the first ones fill the machine's caches and write byte code
            bases.append(pair[0])
            times.append(pair[1])
    return _figure(case, statistics.median(times), statistics.median(bases), with_hyperfine=False)


def by_hyperfine(case: Case, runs: int, environ: dict[str, str], home: Path) -> Figure:
    """Measure a case and the yardstick in one call of hyperfine."""
    out = home / "hyperfine.json"
    commands = [shlex.join(YARDSTICK), shlex.join(case.command)]
    options = ["-N", "--warmup", "3", "--runs", str(runs), "--style", "none", "--export-json", str(out)]
    subprocess.run(["hyperfine", *options, *commands], env=environ, check=True, capture_output=True)
    base, timed = json.loads(out.read_text())["results"]
    return _figure(case, timed["median"], base["median"], with_hyperfine=True)


def _figure(case: Case, seconds: float, base: float, *, with_hyperfine: bool) -> Figure:
    milliseconds, yardstick = round(seconds * 1e3, 2), round(base * 1e3, 2)
    return Figure(case.name, case.limit, milliseconds, yardstick, round(seconds / base, 2), with_hyperfine)


def measure(runs: int, *, own_loop: bool, tell: Callable[[Figure], None]) -> list[Figure]:
    """Measure every case of the table, telling each figure as it comes."""
    figures: list[Figure] = []
    service = FirstByte()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environ = prepare(home, service.base_url)
        hyperfine = not own_loop and shutil.which("hyperfine") is not None
        for case in cases(home):
            if hyperfine and case.how == "pipe":
                figure = by_hyperfine(case, runs, environ, home)
            else:
                figure = in_turns(case, runs, environ, service)
            tell(figure)
            figures.append(figure)
    return figures


def line(figure: Figure) -> str:
    verdict = "" if figure.ratio <= figure.limit else "   over"
    times = f"{figure.milliseconds:8.1f} ms {figure.yardstick:8.1f} ms"
    return f"{figure.name:48} {times} {figure.ratio:7.2f} x {figure.limit:7.2f} x{verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="runs of each case (20)")
    parser.add_argument("--json", action="store_true", help="answer with JSON")
    parser.add_argument("--own-loop", action="store_true", help="do without hyperfine")
    options = parser.parse_args()
    if not options.json:
        print(f"{'what':48} {'median':>11} {'python':>11} {'ratio':>9} {'at most':>9}")
    figures = measure(
        options.runs,
        own_loop=options.own_loop,
        tell=lambda figure: None if options.json else print(line(figure), flush=True),
    )
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))


if __name__ == "__main__":
    main()
