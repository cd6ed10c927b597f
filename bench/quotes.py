"""The catalogue: what a quote costs, over every combination that a real list of models names."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from bench.measure import Goal, Part
from bench.peers import Peers, surroundings
from bench.server import MODELS

SCRIPT = Path(__file__).with_name("scripts") / "quotes.py"


def measure_quotes(peers: Peers, *, quick: bool) -> Part:
    part = Part("The catalogue: every listed combination of every model")
    command = [str(peers.orvideo().with_name("python")), str(SCRIPT), str(MODELS), *(["500"] if quick else [])]
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as home:
        done = subprocess.run(command, env=surroundings(Path(home)), check=True, capture_output=True, text=True)
    part.figures = json.loads(done.stdout)
    found = part.figures
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found["kinds"].items()))
    part.table(
        f"{found['quotes']:,} quotes over {found['models']} models: {kinds}",
        ["", "microseconds"],
        [
            ["one quote", f"{found['us_per_quote']:.1f}"],
            ["one check of a request", f"{found['us_per_check']:.1f}"],
            ["reading the whole list, once a process", f"{found['ms_to_read_the_list'] * 1e3:.0f}"],
        ],
    )
    part.goals.append(Goal("one quote", found["us_per_quote"], 15, unit="microseconds"))
    return part
