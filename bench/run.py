"""One command for all benchmarks: prints a table for each part and writes JSON.

    python -m bench                     everything, half an hour on two cores
    python -m bench trip throughput     some parts
    python -m bench --json figures.json
    python -m bench --list              the parts

Only loopback is measured. Peers are installed into virtual environments under the user's cache, each of its own; one
that cannot be had is named and skipped. Every figure is a median over several runs, and a ratio of things that took
turns on the same machine at the same time. Missed goals do not change the exit code: a busy machine is no fault.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.batch import measure_batch, measure_dry_run
from bench.gallery import measure_gallery
from bench.join import measure_join
from bench.many import measure_many
from bench.measure import Failed, Part, machine
from bench.peers import Peers
from bench.quotes import measure_quotes
from bench.record import measure_record
from bench.sandbox import measure_sandbox
from bench.start import measure_start
from bench.trip import measure_throughput, measure_trips

Measure = Callable[..., Part]
PARTS: dict[str, Measure] = {
    "start": measure_start,
    "trip": measure_trips,
    "throughput": measure_throughput,
    "many": measure_many,
    "record": measure_record,
    "quotes": measure_quotes,
    "batch": measure_batch,
    "dry-run": measure_dry_run,
    "sandbox": measure_sandbox,
    "gallery": measure_gallery,
    "join": measure_join,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of: {', '.join(PARTS)} (all of them)")
    parser.add_argument("--quick", action="store_true", help="small sizes, few runs: to see that it works")
    parser.add_argument("--here", action="store_true", help="measure the orvideo of this interpreter, install nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file")
    parser.add_argument("--list", action="store_true", help="name the parts and stop")
    given = parser.parse_args(argv)
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    if given.list:
        print("\n".join(PARTS))
        return 0
    peers = Peers(here=given.here)
    found: dict[str, Part] = {}
    failed = False
    for name in given.parts or PARTS:
        began = time.monotonic()
        try:
            found[name] = PARTS[name](peers, quick=given.quick)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or ""
            print(f"\n== {name} failed: {error} {said[-800:]}", file=sys.stderr)
            failed = True
            continue
        print(found[name].show())
        print(f"\n({time.monotonic() - began:.0f} s)", flush=True)
    if given.json:
        document = {"machine": machine(), "quick": given.quick, "parts": {n: p.as_json() for n, p in found.items()}}
        given.json.write_text(json.dumps(document, indent=2) + "\n")
    return 1 if failed else 0
