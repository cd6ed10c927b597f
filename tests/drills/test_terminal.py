"""Drills T and O08 to O12: what reaches a terminal, a pipe and a full disk, from a process of its own.

The children speak through `Terminal` alone, so that every way of saying something is drilled, whichever command
uses it today.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.output.screens import HOSTILE, Screen, only_visible

drill = pytest.mark.drill

#: A command in small: says everything, and ends as `cli.main` ends.
CHILD = """
import os, sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from orvideo.errors import JobEnded, OrvideoError, ServiceReply
from orvideo.environment import CommonOptions, Environment
from orvideo.output.tables import Cell, Column
from orvideo.output.terminal import Terminal

modes = dict.fromkeys(sys.argv[1:], True)
text = os.fsdecode(bytes.fromhex(os.environ["TEXT"]))
terminal = Terminal(Environment(os.environ, sys.stdin, sys.stdout, sys.stderr), CommonOptions(**modes))
try:
    with closing(terminal.progress()) as progress:
        progress.activity(text)
        progress.status("vid_1 " + text, "in_progress", 65, 60)
        terminal.note(text)
        progress.download(text, 50, 100)
        progress.total(text, 3, 10)
        terminal.warn(text)
        terminal.event({"text": text, "usd": Decimal("0.40")})
    terminal.table([Column("JOB", flexible=True), Column("PROMPT", flexible=True)], [["vid_1", text], [text, "x"]])
    terminal.page([("prompt", text)])
    terminal.answer(text)
    terminal.document({"text": text, "usd": Decimal("0.40")})
    reply = ServiceReply(400, text + "s", text, text + "p", (text + "r",))
    error = JobEnded("failed: " + text, hint=text, reply=reply)
    error.job_id = text + "j"
    terminal.error(error)
    terminal.close()
except BrokenPipeError:
    sys.exit(141)
except OrvideoError as error:
    terminal.error(error)
    sys.exit(int(error.exit_code))
"""

TEXT = HOSTILE.encode("utf-8", "surrogateescape")


def environ_of(text: bytes, more: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TEXT": text.hex(), **more}


def say(
    *modes: str, text: bytes = TEXT, env: Mapping[str, str] | None = None, **streams: Any
) -> subprocess.CompletedProcess[bytes]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-c", CHILD, *modes]
    return subprocess.run(command, env=environ_of(text, env or {}), timeout=240, check=False, **streams)


def say_on_screen(columns: int, *modes: str, env: Mapping[str, str] | None = None) -> Screen:
    screen = Screen(columns, rows=200)
    done = say(*modes, env={"TERM": "xterm-256color", **(env or {})}, stdin=screen.slave, stdout=screen.slave,
               stderr=screen.slave)  # fmt: skip
    assert done.returncode == 0, screen.raw
    return screen


@drill("T01")
@drill("T02")
@drill("T03")
@pytest.mark.parametrize("columns", [80, 40])
def test_a_terminal_shows_hostile_text_and_obeys_none_of_it(columns: int) -> None:
    screen = say_on_screen(columns)
    screen.wait_for(lambda lines: any(line.startswith("hint:") for line in lines))
    drawn = screen.drawn()
    assert drawn.title == ""
    assert not drawn.cursor.hidden
    # Whatever escapes are left are the live line's own and colours: cursor, erase, SGR.
    left = re.sub(rb"\x1b\[(\?25[hl]|[0-9;]*[mKA])", b"", screen.raw).replace(b"\r\n", b"\n")
    assert only_visible(left.decode().replace("\r", ""))
    screen_text = "".join(line.ljust(columns) for line in drawn.display)
    assert r"\x1b]0;title\x07" in screen_text
    assert "<U+202E>" in screen_text
    assert "[bold]x[/bold] [/x] [link=http://e] :smile: @click=a" in screen_text
    screen.close()


@drill("T01")
@drill("T02")
def test_a_pipe_carries_no_control_character() -> None:
    done = say("verbose")
    assert done.returncode == 0
    assert only_visible(done.stdout.decode().replace("\t", ""))
    assert only_visible(done.stderr.decode())
    assert done.stderr.decode().count(r"\x1b]0;title\x07") >= 8


@drill("O11")
@drill("T06")
def test_json_is_one_document_and_the_rest_is_on_stderr() -> None:
    done = say("json")
    assert done.returncode == 0
    assert done.stdout.isascii()
    document = json.loads(done.stdout)
    assert document == {"text": os.fsdecode(TEXT), "usd": 0.4}
    assert b'"usd":0.40' in done.stdout
    error = json.loads(done.stderr.decode().splitlines()[-1])["error"]
    assert error["exit_code"] == 3
    assert b"\x1b" not in done.stderr


@drill("O11")
def test_events_are_a_stream_of_objects() -> None:
    done = say("events")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [os.fsdecode(TEXT)]


@drill("O11")
@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CI": "true", "NO_COLOR": "1"}])
def test_a_terminal_that_wants_no_colour_gets_none(env: dict[str, str]) -> None:
    screen = say_on_screen(80, env=env)
    screen.wait_for(lambda lines: any(line.startswith("hint:") for line in lines))
    assert re.search(rb"\x1b\[[0-9;]*m", screen.raw) is None
    if "NO_COLOR" not in env or "CI" in env:
        assert b"\x1b" not in screen.raw
    screen.close()


@drill("O10")
def test_a_full_disk_is_a_failure() -> None:
    with open("/dev/full", "wb") as full:
        done = say(stdout=full)
    assert done.returncode == 14
    assert b"error: Standard output cannot be written: No space left on device." in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@drill("O10")
@pytest.mark.parametrize("modes", [(), ("json",), ("events",)])
def test_a_closed_stdout_is_a_failure(modes: tuple[str, ...], tmp_path: Path) -> None:
    story = tmp_path / "story"
    command = '"$0" "$@" >&- 2>' + f"'{story}'"
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, "-c", CHILD, *modes], env=environ_of(b"x", {}), timeout=240, check=False
    )
    assert done.returncode == 14
    assert "cannot be written" in story.read_text()
    assert "Traceback" not in story.read_text()


@drill("O09")
def test_a_reader_that_left_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = say("quiet", stdout=writing)
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""


@drill("S05")
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_cannot_be_written_changes_nothing(stderr: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" "$@" {stderr}', sys.executable, "-c", CHILD],
        env=environ_of(b"x", {}),
        stdout=subprocess.PIPE,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == b"vid_1\tx\nx\tx\nprompt: x\nx\n"


@drill("O12")
@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
)
def test_a_locale_without_the_characters_gets_them_as_escapes(env: dict[str, str]) -> None:
    text = "雨 … 🎬 é ".encode() + b"\xff"
    done = say(text=text, env=env)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"in_progress" in done.stderr
    assert b"\\udcff" in done.stdout
    if "PYTHONIOENCODING" in env:
        assert rb"\u96e8 ... \U0001f3ac" in done.stdout
    screen = say_on_screen(40, env=env)
    screen.wait_for(lambda lines: any(line.startswith("hint:") for line in lines))
    screen.close()


@drill("O12")
@pytest.mark.parametrize("env", [{}, {"PYTHONIOENCODING": "utf-8:strict"}, {"PYTHONIOENCODING": "ascii:strict"}])
def test_a_path_that_is_no_text_reaches_a_pipe_as_it_is(tmp_path: Path, env: dict[str, str]) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom orvideo.output.terminal import Terminal\n"
        "from orvideo.environment import Environment\n"
        "path = Path(os.fsdecode(bytes.fromhex(os.environ['TEXT'])))\n"
        "Terminal(Environment(os.environ, None, sys.stdout, sys.stderr)).answer(path)"
    )
    raw = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    Path(os.fsdecode(raw)).write_bytes(b"film")
    command = 'cat "$("$0" -c "$1")"'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, script],
        env=environ_of(raw, env),
        capture_output=True,
        timeout=240,
        check=True,
    )
    assert done.stdout == b"film"


def test_a_pipe_loads_nothing_heavy() -> None:
    script = (
        "import sys, io\nfrom orvideo.output.terminal import Terminal\nfrom orvideo.output.tables import Column\n"
        "from orvideo.environment import Environment\n"
        "t = Terminal(Environment({}, None, sys.stdout, sys.stderr))\n"
        "t.progress().status('vid_1', 'pending', 0)\nt.table([Column('A')], [['x']])\nt.answer('a')\nt.close()\n"
        "print([m for m in ('rich', 'json', 'httpx', 'pydantic', 'sqlite3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environ_of(b"", {}), capture_output=True, timeout=240)
    assert done.stdout.splitlines()[-1] == b"[]", done
