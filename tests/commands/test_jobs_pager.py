"""The pager of `orvideo jobs`: at a pseudo-terminal, with less itself and with one that notes what it gets."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orvideo.output.pager import find_pager
from tests.commands.test_jobs import record_of
from tests.record.ledger_support import finished, request
from tests.shell import COMMAND, KEY, Shell

pexpect = pytest.importorskip("pexpect")
if not hasattr(pexpect, "spawn"):
    pytest.skip("only POSIX has pseudo-terminals", allow_module_level=True)

LINES = 24
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z=>]|\x1b[=>]")


@pytest.fixture
def thirty(orvideo: Shell) -> Shell:
    """A record of thirty jobs, which is more than the screen has lines."""
    with record_of(orvideo) as ledger:
        for number in range(1, 31):
            finished(ledger, f"job-{number:04}")
    return orvideo


class Seen:
    """What a person saw of a command, and how it ended."""

    def __init__(self, child: pexpect.spawn, before: bytes = b"") -> None:
        child.expect(pexpect.EOF)
        raw = (before + child.before).decode("utf-8", "replace")
        child.close()
        self.coloured = "\x1b[32m" in raw
        self.text = _STYLE.sub("", raw).replace("\r\n", "\n")
        self.code = child.exitstatus


def start(shell: Shell, *words: str, env: Mapping[str, str] | None = None, columns: int = 80) -> pexpect.spawn:
    environ = {name: value for name, value in shell.environ.items() if name != "COLUMNS"}
    return pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "jobs", *words], env={**environ, "TERM": "xterm-256color", **(env or {})},
        dimensions=(LINES, columns), timeout=60, cwd=str(shell.home),
    )  # fmt: skip


def noting(home: Path) -> dict[str, str]:
    """Return the variable of a pager that notes in files what it gets, and its environment."""
    script = home / "my pager"
    script.write_text(f'#!/bin/sh\ncat > "{home}/got"\nenv > "{home}/env"\necho "$@" > "{home}/words"\n')
    script.chmod(0o755)
    return {"PAGER": f"'{script}' -a 'b c'"}


def test_a_list_that_is_longer_than_the_screen_goes_to_the_pager_without_the_key(thirty: Shell, home: Path) -> None:
    seen = Seen(start(thirty, env={**noting(home), "OPENROUTER_API_KEY": KEY}))
    assert (seen.code, seen.text) == (0, "")
    got = (home / "got").read_text(encoding="utf-8")
    assert "\x1b[32mcompleted\x1b[0m" in got
    lines = _STYLE.sub("", got).splitlines()
    assert (len(lines), lines[0].split()[:2]) == (32, ["@", "JOB"])
    assert lines[-1].startswith("30 jobs: 30 completed; $1.50 billed")
    assert max(map(len, lines)) <= 80
    environ = (home / "env").read_text(encoding="utf-8")
    assert "LESS=FRX" in environ.splitlines()
    assert KEY[-12:] not in environ
    assert (home / "words").read_text() == "-a b c\n"


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("-n", "5"), {}),
        (("--no-pager",), {}),
        (("--json",), {}),
        ((), {"CI": "1"}),
        ((), {"TERM": "dumb"}),
        ((), {"ORVIDEO_PAGER": ""}),
        ((), {"ORVIDEO_PAGER": "cat"}),
    ],
)
def test_where_there_is_no_pager(thirty: Shell, home: Path, words: tuple[str, ...], env: dict[str, str]) -> None:
    seen = Seen(start(thirty, *words, env={**noting(home), **env}))
    assert seen.code == 0
    assert "job-0030" in seen.text
    assert not (home / "got").exists()


def test_a_pipe_gets_no_pager(thirty: Shell, home: Path) -> None:
    done = thirty.process("jobs", env={**noting(home), "TERM": "xterm"})
    assert (done.code, len(done.lines), (home / "got").exists()) == (0, 30, False)


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.skipif(shutil.which("less") is None, reason="SKIPPED: less is not installed")
def test_less_is_left_with_q_and_ctrl_c_is_its_own(thirty: Shell, columns: int) -> None:
    child = start(thirty, columns=columns)
    child.expect_exact(":")
    child.sendintr()
    before = b""
    for _ in range(60):  # the terminal drops what was typed when Ctrl-C comes
        child.send("G")
        there = child.expect_exact(["(END)", pexpect.TIMEOUT], timeout=1)
        before += child.before if there == 0 else b""
        if there == 0:
            break
    child.send("q")
    seen = Seen(child, before)
    assert seen.code == 0
    assert seen.coloured
    assert "job-0001" in seen.text
    assert "30 jobs: 30 completed" in seen.text
    assert "Traceback" not in seen.text


@pytest.mark.skipif(shutil.which("less") is None, reason="SKIPPED: less is not installed")
def test_q_before_the_end_is_no_error(thirty: Shell) -> None:
    with record_of(thirty) as ledger:
        finished(ledger, "job-0031", request=request(prompt="p" * 6000))
    # Every line is as long as the longest, and all together are more than a pipe holds.
    child = start(thirty, "--columns", "prompt,model", columns=6100)
    child.expect_exact(":")
    child.send("q")
    seen = Seen(child)
    assert seen.code == 0
    assert "rror" not in seen.text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/nowhere/pager", "the pager /nowhere/pager did not show the list: No such file or directory"),
        ("'open", "the pager 'open did not show the list:"),
        ("false", "the pager false did not show the list: it ended with code 1"),
    ],
)
def test_a_pager_that_shows_nothing_is_told_and_done_without(thirty: Shell, line: str, told: str) -> None:
    seen = Seen(start(thirty, env={"PAGER": line}))
    assert seen.code == 0
    assert told in " ".join(seen.text.split())
    assert "30 jobs: 30 completed" in seen.text


def test_a_pager_that_has_enough_is_no_trouble(thirty: Shell) -> None:
    seen = Seen(start(thirty, env={"PAGER": "head -2"}))
    assert (seen.code, len(seen.text.splitlines())) == (0, 2)


def test_a_signal_ends_the_pager_too(thirty: Shell, home: Path) -> None:
    script = home / "slow"
    script.write_text("#!/bin/sh\necho here\nexec sleep 600\n")
    script.chmod(0o755)
    child = start(thirty, env={"PAGER": str(script)})
    child.expect_exact("here")
    child.kill(15)
    assert Seen(child).code == 143


def test_which_pager_is_found(tmp_path: Path) -> None:
    less = tmp_path / "less"
    less.write_text("")
    less.chmod(0o755)
    here = {"PATH": str(tmp_path), "TERM": "xterm"}
    for environ, words in (
        (here, [str(less)]),
        ({**here, "PAGER": "most -s"}, ["most", "-s"]),
        ({**here, "PAGER": "most", "ORVIDEO_PAGER": "less -R"}, ["less", "-R"]),
        ({**here, "PAGER": "most", "ORVIDEO_PAGER": ""}, None),
        ({**here, "PAGER": " "}, None),
        ({**here, "CI": "true"}, None),
        ({**here, "TERM": "dumb"}, None),
        ({"PATH": str(tmp_path / "empty")}, None),
    ):
        found = find_pager(environ, "linux")
        assert (found and found.words) == words
    assert find_pager({**here, "LESS": "S"}, "linux").environ["LESS"] == "S"  # type: ignore[union-attr]
    assert find_pager(here, "win32") is None
    found = find_pager({"PAGER": r'"C:\Program Files\less.exe" -R'}, "win32")
    assert found is not None
    assert found.words == [r"C:\Program Files\less.exe", "-R"]
    assert sys.platform != "win32"
