"""Runs the suite, or a part of it, in a real Windows Python under wine: `python -m tests.platforms.windows [WHAT…]`.

The first run makes that Python (as root, on Debian 12, x86-64; a few minutes and 1.1 GB, see setup_windows.py). What is
given is handed to pytest; without anything it is `tests`. It is too heavy for CI.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
#: No schemathesis and no long tests: what they try does not depend on the system.
PYTEST = ["-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "--continue-on-collection-errors"]


def main(arguments: list[str]) -> int:
    made = subprocess.run([sys.executable, str(HERE / "setup_windows.py"), "--project", str(ROOT)], check=False)
    if made.returncode:
        return made.returncode
    line = [sys.executable, str(HERE / "windows_python.py"), *PYTEST, *(arguments or ["tests"])]
    return subprocess.run(line, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
