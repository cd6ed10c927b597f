"""The benchmarks run: each part, small, without a peer. No figure is judged here; a busy machine is no fault."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.download.films import check_container

pytest.importorskip("resource", reason="the benchmarks measure by what POSIX counts")

from bench.server import film_head

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the benchmarks read /proc and send with sendfile")
#: Those that most others are made like; all of them: python -m bench --quick --here.
@pytest.mark.parametrize("part", ["start", "trip", "many", "record", "join"])
def test_a_part_runs_and_writes_its_figures(part: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", part, "--quick", "--here", "--json", str(figures)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(figures.read_text())["parts"][part]
    assert found["title"] in done.stdout
    assert found["figures"]


def test_the_film_that_is_served_is_a_whole_one(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with open(film, "wb") as file:
        file.write(film_head(100_000))
        file.truncate(100_000)
    assert check_container(film) == "mp4"
