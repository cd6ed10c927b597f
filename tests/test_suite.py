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


def run_suite(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run tests of this text under the suite's conftest, with SIGINT and SIGHUP ignored, as under nohup."""
    (folder / "test_it.py").write_text(text)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "--rootdir", str(folder), *options, "."]
    ignoring = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh", *line]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(ignoring, cwd=folder, env=environ, capture_output=True, text=True, timeout=100, check=False)


def test_a_child_has_sigint_whatever_was_inherited(tmp_path: Path) -> None:
    done = run_suite(
        tmp_path,
        "import subprocess\n"
        "def test_it():\n"
        "    child = subprocess.run(['sleep', '0'])\n"
        "    said = subprocess.run(['grep', 'SigIgn', '/proc/self/status'], capture_output=True, text=True).stdout\n"
        "    assert int(said.split()[1], 16) & 0b11 == 0, said\n",
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"--randomly-seed=\d+", done.stdout), "the seed is shown under -q too"


def test_a_test_that_leaves_a_process_behind_fails_and_the_process_is_gone(tmp_path: Path) -> None:
    """Also one that hides in a session of its own behind a parent that has ended."""
    done = run_suite(
        tmp_path,
        "import subprocess\n"
        "def test_it():\n"
        "    subprocess.run(['sh', '-c', 'setsid sleep 4321 >/dev/null 2>&1 & echo $! > number'])\n",
    )
    assert (done.returncode, "1 error" in done.stdout) == (1, True), done.stdout
    assert "sleep 4321" in done.stdout
    number = int((tmp_path / "number").read_text())
    assert not Path(f"/proc/{number}").exists() or "sleep" not in Path(f"/proc/{number}/cmdline").read_text()
