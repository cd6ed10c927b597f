"""The sandbox against the schema of the service's video API: `schema_check.py`, in a pytest of its own.

schemathesis makes up its cases while tests are collected, which every process of the suite would do.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("schema_check.py")


@pytest.mark.long
def test_answers_as_the_schema_says() -> None:
    options = ["-n", "0", "-p", "schemathesis.pytest.plugin", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(CHECK)],
        cwd=CHECK.parents[2], capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
