"""The page of many videos: writing it, and a browser that shows it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measure import Goal, Part, Sample, median, rounds, run
from bench.peers import Peers, surroundings

SCRIPTS = Path(__file__).with_name("scripts")
BROWSER = "chromium"


def measure_gallery(peers: Peers, *, quick: bool) -> Part:
    """Measure `orvideo gallery` of 1,000 jobs as a process, and Chromium until it has the page, an empty one taken off.

    A browser that only prints what a page has become shows every card once, but plays nothing.
    """
    count, times = (20, 2) if quick else (1000, 7)
    part = Part(f"The gallery of {count:,} videos")
    orvideo = peers.orvideo()
    with tempfile.TemporaryDirectory(prefix="orvideo-bench-") as folder:
        home = Path(folder)
        env = surroundings(home)
        record, page, empty = home / "state" / "orvideo" / "jobs.db", home / "gallery.html", home / "empty.html"
        subprocess.run(
            [orvideo.with_name("python"), SCRIPTS / "shelf.py", record, home, str(count)], env=env, check=True
        )
        empty.write_text("<!doctype html><title>nothing</title>")

        def of(*line: str | Path) -> Callable[[], Sample]:
            return lambda: run([*map(str, line)], env=env, cwd=home)

        def nothing() -> Sample:
            return run([str(orvideo.with_name("python")), "-c", "pass"], env=env)

        written = rounds({"written": of(orvideo, "gallery", "-o", page, "--force"), "python -c pass": nothing}, times)
        part.compare("orvideo gallery", written, "python -c pass")
        part.figures["bytes"] = page.stat().st_size
        part.goals.append(Goal("written", median(written["written"], "wall"), 1, unit="s"))
        if not peers.command(BROWSER):
            part.skipped.append(f"{BROWSER}: {peers.missing[BROWSER]}")
            return part
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        shows = [BROWSER, "--headless", "--disable-gpu", *as_root, f"--user-data-dir={home / 'browser'}", "--dump-dom"]
        shown = rounds({"shown": of(*shows, page.as_uri()), "an empty page": of(*shows, empty.as_uri())}, times)
        part.compare("Chromium, until it has the whole page", shown, "an empty page")
        both = zip(shown["shown"], shown["an empty page"], strict=True)
        took = sorted(page.wall - other.wall for page, other in both)
        part.figures["shown"] = took
        part.goals.append(Goal("shown", took[len(took) // 2], 2, unit="s"))
    return part
