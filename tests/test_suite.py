"""The suite's own promises: the signals as a terminal has them, nothing left behind, an order whose seed is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")


def run_suite(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run tests of this text under the suite's conftest, with SIGINT and SIGHUP ignored, as under nohup."""
    (folder / "test_it.py").write_text(text)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "tests.conftest"]
    line += ["--rootdir", str(folder), "."]
    ignoring = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", *line]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(ignoring, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False)


TESTS = """
import subprocess

def test_a_child():
    child = subprocess.run(["grep", "SigIgn", "/proc/self/status"], capture_output=True, text=True)
    assert int(child.stdout.split()[1], 16) & 0b11 == 0, child.stdout

def test_an_orphan():
    subprocess.run(["sh", "-c", "setsid sleep 4321 >/dev/null 2>&1 & echo $! > number"])
"""


@pytest.mark.long
def test_a_child_has_sigint_whatever_was_inherited_and_a_test_that_leaves_a_process_behind_fails(
    tmp_path: Path,
) -> None:
    """The process is gone too; here it hides in a session of its own behind a parent that has ended."""
    done = run_suite(tmp_path, TESTS)
    assert (done.returncode, "2 passed, 1 error" in done.stdout) == (1, True), done.stdout
    assert "sleep 4321" in done.stdout
    number = int((tmp_path / "number").read_text())
    assert not Path(f"/proc/{number}").exists() or "sleep" not in Path(f"/proc/{number}/cmdline").read_text()
    assert re.search(r"--randomly-seed=\d+", done.stdout), "the seed is shown under -q too"


def test_what_is_skipped_on_windows_is_still_there() -> None:
    listed = (ROOT / "tests" / "platforms" / "windows_skips.txt").read_text().splitlines()
    for line in listed:
        if line.startswith("    "):
            file, _, name = line.strip().partition("[")[0].partition("::")
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), line
