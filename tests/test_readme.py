"""The README, typed from top to bottom in one shell of a clean home: each line works, and prints what is shown."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from orvideo.sandbox.server import Sandbox
from tests.shell import CERTIFICATES, SCRIPT, Shell

pytest.importorskip("pty", reason="only POSIX has pseudo-terminals")

from tests.terminal_session import TerminalSession

ROOT = Path(__file__).parent.parent
#: A block of lines, and below it, mostly, what they print.
_BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
#: What is another one each time, as it is in the README and as it may be.
_VARIES = [
    (r"gen-vid-\d+-[0-9A-Za-z]{20}", r"gen-vid-\\d+-[0-9A-Za-z]{20}"),
    (r"\d{8}-\d{6}(?=-)", r"\\d{8}-\\d{6}"),
    (r"(?<=-)[0-9A-Za-z]{8}(?=\.mp4)", r"[0-9A-Za-z]{8}"),
    (r"(?<=^\d  )[0-9A-Za-z]{8}(?= )", r"[0-9A-Za-z]{8}"),
    (r"\b\d+:\d\d\b", r"\\d+:\\d\\d"),
    (r"\b\d+s\b", r"\\d+[smh]"),
    (r"/home/me/", r"/\\S+/"),
]
#: What sets a machine up: a line, or a part of one before or behind `&&`.
_SETTING_UP = ("python3 -m venv ", ". .venv/", "pip install ", "pytest", "uv ", "uvx ", "pipx ")
#: How this machine reaches an index of packages; where installers put what they install is not among it.
_OF_THE_INDEX = re.compile(r"(PIP|UV)_(?!TOOL|PYTHON)\w+|REQUESTS_CA_\w+")
#: What has tests of its own, and takes minutes.
_ELSEWHERE = "python -m bench "
#: The suite within the suite: a few tests by the very line.
_FEW_TESTS = {"PYTEST_ADDOPTS": "-n 0 tests/test_money.py"}
_BROWSER = """#!{python}
import sys
sys.path.insert(0, {root!r})
import httpx
from tests.sign_in.person import allow
httpx.get(allow(sys.argv[1]))
"""


class Block(NamedTuple):
    """Lines to type, and what the page says that they print; None where it says nothing."""

    lines: list[str]
    shown: str | None


def blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [
        Block([line for line in lines.splitlines() if not line.startswith(_ELSEWHERE)], shown or None)
        for lines, shown in _BLOCK.findall(text)
    ]


def pattern(line: str) -> str:
    """Return a line of the README as a regular expression: what varies may, and blanks are blanks."""
    varying = "|".join(f"({found})" for found, _ in _VARIES)
    parts, end = [], 0
    for found in re.finditer(varying, line):
        assert found.lastindex is not None
        parts += [re.escape(line[end : found.start()]), _VARIES[found.lastindex - 1][1].replace("\\\\", "\\")]
        end = found.end()
    return re.sub(r"(?:\\ )+", r"\\s+", "".join([*parts, re.escape(line[end:])]))


def in_order(lines: list[str]) -> list[str]:
    """Return lines without the empty ones; the films of a batch, which come as they are done, by their numbers."""
    groups = groupby((line for line in lines if line.strip()), key=lambda line: line.startswith("clips/0"))
    return [line for is_film, group in groups for line in (sorted(group) if is_film else group)]


def check(shown: list[str], promised: str) -> None:
    """Compare what a screen showed with what the README says that it shows."""
    expected, found = in_order(promised.splitlines()), in_order(shown)
    wrong = [pair for pair in zip(expected, found, strict=False) if not re.fullmatch(pattern(pair[0]), pair[1])]
    assert (wrong, len(found)) == ([], len(expected)), "\n".join(["the README says:", promised, "and it was:", *found])


def without_setting_up(line: str) -> str:
    return " && ".join(part for part in line.split(" && ") if not part.startswith(_SETTING_UP))


@pytest.fixture
def environ(orvideo: Shell, home: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A clean home, a service to sign in at, and a browser in which a person allows the key."""
    browser = tmp_path / "browser"
    browser.write_text(_BROWSER.format(python=sys.executable, root=str(ROOT)))
    browser.chmod(0o755)
    with Sandbox(tmp_path / "service", speed=1_000_000) as service:
        yield orvideo.environ | {"ORVIDEO_BASE_URL": service.base_url, "BROWSER": str(browser), "HISTFILE": ""}


def type_all(session: TerminalSession, block: Block) -> None:
    shown: list[str] = []
    for line in block.lines:
        done = session.type(line)
        assert done.code == 0, "\n".join([line, *done.shown])
        # A pip that is not the newest says so, and one with a setting that it does not like.
        shown += [said for said in done.shown if not said.startswith(("[notice]", "WARNING: "))]
    if block.shown is not None:
        check(shown, block.shown)


@pytest.mark.long
@pytest.mark.drill("F-D01")
def test_d01_every_line_of_the_readme_prints_what_the_readme_shows(environ: dict[str, str], home: Path) -> None:
    """What sets up the machine is left out: a test has it all already."""
    environ |= {"PATH": f"{SCRIPT.parent}:{environ['PATH']}"}
    with TerminalSession(home, environ) as session:
        for block in blocks():
            lines = [left for line in block.lines if (left := without_setting_up(line))]
            if lines:
                type_all(session, Block(lines, block.shown))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.drill("F-D01")
def test_d01_a_stranger_types_the_whole_readme_in_a_fresh_checkout(environ: dict[str, str], home: Path) -> None:
    """Nothing is there but Python: each way to install is gone, and the shell that is left goes on."""
    line = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", home / "try", "hatchling"]
    if subprocess.run(line, env={"HOME": str(home), "PATH": environ["PATH"]}, check=False).returncode:
        pytest.skip("SKIPPED: no index of packages can be reached, so nothing can be installed")
    checkout = home / "orvideo"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.mp4")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    for name in ("PYTHONPATH", "HTTPS_PROXY", "NO_PROXY"):
        environ.pop(name)
    environ |= {name: value for name, value in os.environ.items() if _OF_THE_INDEX.fullmatch(name)} | CERTIFICATES
    own = {str(SCRIPT.parent), str(SCRIPT.parent.resolve())}
    environ["PATH"] = ":".join(part for part in environ["PATH"].split(":") if part not in own)
    with TerminalSession(checkout, environ | _FEW_TESTS) as session:
        for block in blocks():
            for line in [line for line in block.lines if line.startswith(("uv ", "uvx ", "pipx "))]:
                if shutil.which(line.split()[0], path=environ["PATH"]) is None:
                    print(f"NOT TRIED, {line.split()[0]} is not here: {line}")
                    block.lines.remove(line)
                elif " install " in line:
                    # The ways to install exclude each other: each has a home of its own.
                    block.lines[block.lines.index(line)] = f"(export HOME=$(mktemp -d) && {line})"
            type_all(session, block)


@pytest.mark.drill("F-D01")
def test_d01_two_lines_set_a_checkout_up_and_leave_a_shell_in_which_orvideo_is_a_command() -> None:
    lines = [line for block in blocks() for line in block.lines]
    first = [line for line in lines if line.startswith("python3 -m venv ")]
    assert [shlex.split(line)[-1] for line in first] == ["--sandbox", "pytest"]
    for line in first:
        parts = line.split(" && ")
        assert parts.index(". .venv/bin/activate") < min(
            place for place, part in enumerate(parts) if part.startswith("pip install -q ")
        )
    assert lines.index(first[0]) < min(place for place, line in enumerate(lines) if line.startswith("orvideo "))


@pytest.mark.parametrize(
    ("promised", "shown"),
    [
        ("a 0:04", "a 0:14"),
        ("1  5FFuhhZm  saved", "1  abcdefgh   saved"),
        ("/home/me/x", "/tmp/a/b/x"),
        ("$0.02", "$0.02"),
    ],
)
def test_what_varies_may_and_nothing_else(promised: str, shown: str) -> None:
    check([shown], promised)
    for other in ([], [shown, "more"], [shown + "!"]):
        with pytest.raises(AssertionError):
            check(other, promised)
