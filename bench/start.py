"""Start-up: the table of `bench/startup.py`, and `--version` beside the programs that people have anyway."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measure import Goal, Part, Sample, rounds, run
from bench.peers import Peers, surroundings

STARTUP = Path(__file__).with_name("startup.py")
#: Environment, script in it.
OTHERS = {"hf": "hf", "yt-dlp": "yt-dlp", "llm": "llm", "httpie": "http"}


def measure_start(peers: Peers, *, quick: bool) -> Part:
    part = Part("Start")
    orvideo = peers.orvideo()
    if not quick:
        command = [str(orvideo.with_name("python")), str(STARTUP), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        cases = json.loads(done.stdout)
        part.figures["startup"] = cases
        rows = [
            [case["name"], f"{case['milliseconds']:.1f}", f"{case['ratio']:.2f}", f"{case['limit']:g}"]
            for case in cases
        ]
        part.table("beside `python -c pass` of the same environment", ["", "ms", "ratio", "at most"], rows)
        part.goals += [Goal(case["name"], case["ratio"], case["limit"]) for case in cases]
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as home:
        env = surroundings(Path(home))

        def version_of(*command: str | Path) -> Callable[[], Sample]:
            return lambda: run([*map(str, command), "--version"], env=env)

        contenders = {"orvideo": version_of(orvideo)}
        for name, script in OTHERS.items():
            if found := peers.script_of(name, script):
                contenders[script] = version_of(found)
        if peers.command("curl"):
            contenders["curl"] = version_of("curl")
        part.compare("--version", rounds(contenders, 2 if quick else 10), "orvideo")
    part.skipped = [f"{name}: {why}" for name, why in peers.missing.items()]
    return part
