"""The drills on streams (O08 to O12), with the installed script in a process of its own.

Every command in its four forms: on a terminal, in a pipe, with --json, with --events; and what surrounds a process that
can go wrong: no colours, no width, no locale, no stdout, no room, no reader.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.download.films import mp4
from tests.drills.service import ORDER, assert_clean
from tests.drills.wire import CONTENT, DONE, JOB, Wire, film, refuse
from tests.output.screens import Screen
from tests.shell import KEY, SCRIPT, Result, Shell

drill = pytest.mark.drill
VIDEO = mp4(3000)
NEW = "job-99999999"
ANSI = re.compile(r"\x1b")

#: A command of each kind, and whether it has --events.
COMMANDS: dict[str, tuple[tuple[str, ...], bool]] = {
    "submit": (("submit", *ORDER), True),
    "submit-wait": (("submit", *ORDER, "--wait", "-o", "new.mp4"), True),
    "status": (("status", JOB), False),
    "wait": (("wait", JOB), True),
    "download": (("download", JOB, "-o", "boat.mp4"), True),
    "models": (("models", "veo"), False),
    "model": (("models", "google/veo-3.1-lite"), False),
    "jobs": (("jobs",), False),
    "jobs-show": (("jobs", "show", JOB), False),
    "config": (("config", "list"), False),
    "doctor": (("doctor",), False),
}
every_command = pytest.mark.parametrize("name", COMMANDS)
#: Streams are the same for all commands: these few are run in processes of their own, with pipes.
IN_PIPES = ("submit-wait", "status", "download")


def run(shell: Shell, name: str, *more: str) -> Result:
    return (shell.process if name in IN_PIPES else shell)(*COMMANDS[name][0], *more)


@pytest.fixture
def wire(orvideo: Shell) -> Iterator[Wire]:
    """A service with one job that is bought, and another one for whoever submits."""
    accepted = b'HTTP/1.1 202 X\r\nContent-Length: 45\r\n\r\n{"id": "job-99999999",    "status":"pending"}'
    places = {f"/api/v1/videos/{NEW}": [DONE], f"/api/v1/videos/{NEW}/content": [film(VIDEO)]}
    with Wire(DONE, content=[film(VIDEO)], submit=[accepted], places=places) as wire:
        wire.bought(orvideo)
        yield wire


def on_screen(shell: Shell, columns: int, *argv: str, env: Mapping[str, str] | None = None) -> tuple[int, Screen]:
    """Run the script with a pseudo-terminal for all three streams."""
    screen = Screen(columns)
    environ = {"TERM": "xterm-256color", **(env or {})}
    del shell.environ["COLUMNS"]
    try:
        process = shell.popen(
            *argv, env=environ, stdin=screen.slave, stdout=screen.slave, stderr=screen.slave, start_new_session=True
        )
        code = process.wait(40)
    finally:
        shell.environ["COLUMNS"] = "80"
        screen.close()
    return code, screen


@drill("O11")
@every_command
def test_o11_in_a_pipe_the_answer_is_alone_on_stdout_and_nothing_is_painted(
    orvideo: Shell, wire: Wire, name: str
) -> None:
    done = run(orvideo, name)
    assert done.code == 0, done.err
    assert not ANSI.search(done.out + done.err)
    assert done.out.endswith("\n")
    expected = {
        "submit": [NEW], "submit-wait": ["new.mp4"], "wait": [JOB], "download": ["boat.mp4"],
    }.get(name)  # fmt: skip
    assert expected in (None, done.lines)
    if name in ("status", "jobs"):
        assert [line.split("\t")[0] for line in done.lines] == [JOB]
        assert len(done.lines[0].split("\t")) == 7
    if name == "models":
        assert all(line.count("\t") == 6 for line in done.lines)
    assert_clean(orvideo.home, done)


@drill("O11")
@every_command
@pytest.mark.parametrize("extra", [(), ("-v",)], ids=["", "verbose"])
def test_o11_json_is_one_document_whatever_the_story(
    orvideo: Shell, wire: Wire, name: str, extra: tuple[str, ...]
) -> None:
    done = run(orvideo, name, "--json", *(extra if name not in ("jobs", "jobs-show", "config") else ()))
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert isinstance(document, list if name in ("status", "jobs", "models", "config", "doctor") else dict)
    assert done.out.count("\n") == 1
    assert not ANSI.search(done.out + done.err)
    assert_clean(orvideo.home, done)


@drill("O11")
@every_command
def test_o11_events_are_objects_in_lines_and_only_where_there_are_any(orvideo: Shell, wire: Wire, name: str) -> None:
    has_events = COMMANDS[name][1]
    done = run(orvideo, name, "--events")
    if not has_events:
        assert (done.code, done.out) == (2, "")
        assert "No such option: --events" in done.error["message"]
        return
    assert done.code == 0, done.err
    events = [json.loads(line) for line in done.lines]
    assert all({"event", "time", "job_id"} <= set(event) for event in events)
    assert {event["job_id"] for event in events} == {NEW if name.startswith("submit") else JOB}
    assert not ANSI.search(done.out + done.err)


@drill("O11")
@pytest.mark.parametrize(
    ("name", "columns"), [*((name, 80) for name in COMMANDS), *((name, 40) for name in ("status", "jobs", "models"))]
)
def test_o11_on_a_terminal_every_line_fits_and_nothing_is_left_behind(
    orvideo: Shell, wire: Wire, name: str, columns: int
) -> None:
    argv, _ = COMMANDS[name]
    code, screen = on_screen(orvideo, columns, *argv)
    assert code == 0, screen.lines()
    text = screen.raw.decode()
    assert KEY not in text
    # What was hidden is shown again, and the live line is gone.
    assert text.count("\x1b[?25l") <= text.count("\x1b[?25h")
    assert not any(line.startswith(("⠋", "⠙", "⠹", "⠸")) for line in screen.lines())
    if name in ("status", "jobs", "models"):
        # A table never goes on in the next line of the screen.
        rows = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in text.replace("\r", "").split("\n")]
        assert all(len(row) <= columns for row in rows), rows
        assert rows[0].startswith(("@", "MODEL"))


@drill("O11")
@pytest.mark.parametrize(
    ("env", "painted", "live"),
    [
        ({}, True, True),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, True),
        ({"CI": "1"}, True, False),
    ],
    ids=["plain", "dumb", "no-color", "ci"],
)
def test_o11_a_terminal_is_what_its_surroundings_say(
    orvideo: Shell, wire: Wire, env: dict[str, str], painted: bool, live: bool
) -> None:
    code, screen = on_screen(orvideo, 80, "wait", JOB, "--timeout", "1s", env=env)
    text = screen.raw.decode()
    assert code == 0
    assert ("\x1b[?25l" in text) == live
    if env.get("TERM") == "dumb":
        assert "\x1b" not in text
    _, screen = on_screen(orvideo, 80, "jobs", env=env)
    assert (re.search(r"\x1b\[[0-9;]*m", screen.raw.decode()) is not None) == painted


@drill("O11")
def test_o11_colours_in_a_pipe_only_when_forced(orvideo: Shell, wire: Wire) -> None:
    assert "\x1b[" in orvideo.process("wait", "@9", env={"FORCE_COLOR": "1"}).err
    assert "\x1b" not in orvideo.process("wait", "@9", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).err
    forced = orvideo.process("jobs", "--json", env={"FORCE_COLOR": "1"})
    assert json.loads(forced.out)
    assert "\x1b" not in forced.out


@drill("O08")
@pytest.mark.parametrize(
    ("command", "spec"), [("submit", "-"), ("submit", "/dev/stdout"), ("wait", "-"), ("download", "/dev/stdout")]
)
def test_o08_no_video_goes_to_a_terminal(orvideo: Shell, wire: Wire, spec: str, command: str) -> None:
    argv = ("submit", *ORDER, "--wait") if command == "submit" else (command, JOB)
    code, screen = on_screen(orvideo, 80, *argv, "-o", spec)
    assert code == 2
    assert any("terminal" in line for line in screen.lines())
    assert wire.requests == []


@drill("O03")
@drill("O09")
@pytest.mark.parametrize("spec", ["-", "/dev/stdout", "/dev/fd/1"])
def test_o09_a_pipe_gets_the_video_and_nothing_else(orvideo: Shell, wire: Wire, spec: str) -> None:
    done = subprocess.run(
        [str(SCRIPT), "download", JOB, "-o", spec], capture_output=True, env=orvideo.environ, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == VIDEO


@drill("O11")
@pytest.mark.parametrize("mode", ["--json", "--events"])
@pytest.mark.parametrize("spec", ["-", "/dev/stdout"])
@pytest.mark.parametrize("argv", [("submit", *ORDER, "--wait"), ("wait", JOB), ("download", JOB)], ids=lambda a: a[0])
def test_o11_a_video_and_a_document_do_not_share_stdout(
    orvideo: Shell, wire: Wire, argv: tuple[str, ...], spec: str, mode: str
) -> None:
    done = orvideo(*argv, "-o", spec, mode)
    charged = "no" if argv[0] == "submit" else "yes"
    assert (done.code, done.out, done.error["charged"]) == (2, "", charged)
    assert wire.requests == []


ANSWERS = [
    ("--version",), ("--help",), ("submit", "--help"), ("jobs", "--json"), ("models",), ("status", JOB),
    ("config", "list"), ("help", "exit-codes"), ("doctor",), ("wait", JOB), ("download", JOB, "-o", "-"),
]  # fmt: skip


@drill("O10")
@pytest.mark.parametrize(
    ("argv", "stdout"),
    [*((argv, ">/dev/full") for argv in ANSWERS), *((argv, ">&-") for argv in ANSWERS[:2] + ANSWERS[-2:])],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_o10_an_answer_that_cannot_be_written_is_a_failure(
    orvideo: Shell, wire: Wire, argv: tuple[str, ...], stdout: str
) -> None:
    done = in_shell(orvideo, stdout, *argv)
    assert (done.code, done.out) == (14, ""), done.err
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err
    assert "Exception" not in done.err


@drill("O10")
def test_o10_without_a_stdout_nothing_is_bought(orvideo: Shell, wire: Wire) -> None:
    done = in_shell(orvideo, ">&-", "submit", *ORDER)
    assert (done.code, wire.posts) == (14, 0), done.err


@drill("O10")
@drill("J05")
def test_o10_an_id_that_cannot_be_written_to_stdout_is_told_on_stderr(orvideo: Shell, wire: Wire) -> None:
    done = in_shell(orvideo, ">/dev/full", "submit", *ORDER)
    assert (done.code, wire.posts) == (14, 1)
    assert f"orvideo wait {NEW}" in done.err
    assert [job["id"] for job in orvideo("jobs", "--json").json] == [NEW, JOB]


@drill("O10")
def test_o10_a_script_is_told_what_a_document_that_cannot_be_written_has_cost(orvideo: Shell, wire: Wire) -> None:
    unbought = in_shell(orvideo, ">&-", "submit", *ORDER, "--json")
    assert (unbought.code, wire.posts) == (14, 0)
    assert (unbought.error["charged"], unbought.error["job_id"], unbought.error["resume"]) == ("no", None, None)
    bought = in_shell(orvideo, ">/dev/full", "submit", *ORDER, "--json")
    assert (bought.code, wire.posts) == (14, 1)
    error = bought.error
    assert (error["kind"], error["charged"], error["job_id"]) == ("output_unwritable", "yes", NEW)
    assert error["resume"] == f"orvideo wait {NEW}"


@drill("O10")
@pytest.mark.parametrize("stderr", ["2>&-", "2>/dev/full"])
def test_o10_a_story_that_cannot_be_told_costs_nothing(orvideo: Shell, wire: Wire, stderr: str) -> None:
    done = in_shell(orvideo, stderr, "submit", *ORDER, "--wait", "-o", "new.mp4")
    assert (done.code, done.lines) == (0, ["new.mp4"])
    assert Path("new.mp4").read_bytes() == VIDEO


@drill("O12")
@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["C", "ascii"],
)
def test_o12_no_locale_is_a_reason_to_fail(orvideo: Shell, env: dict[str, str]) -> None:
    told = "雨 🎬 é \udc80"
    with Wire({"status": "failed", "error": told}) as wire:
        wire.bought(orvideo)
        for argv in (("wait", JOB), ("jobs", "show", JOB), ("--help",)):
            done = orvideo.process(*argv, env=env)
            assert done.code == (3 if argv[0] == "wait" else 0), done.err
            assert "Traceback" not in done.err
            if "show" in argv and "C" not in env.get("LC_ALL", ""):
                assert r"\u96e8" in done.out


@drill("O12")
def test_o12_a_prompt_that_is_no_text_is_bought_or_refused_but_breaks_nothing(orvideo: Shell, wire: Wire) -> None:
    done = subprocess.run(
        [str(SCRIPT).encode(), b"submit", b"a \xff boat", *[word.encode() for word in ORDER[1:]]],
        capture_output=True, env=orvideo.environ, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 2), done.stderr
    assert b"Traceback" not in done.stderr
    listed = orvideo("jobs", "--json")
    assert listed.code == 0
    json.loads(listed.out)


@drill("O09")
def test_o09_a_reader_that_leaves_in_the_middle_of_a_video_ends_it_quietly(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(mp4(3_000_000))]) as wire:
        wire.bought(orvideo)
        process = orvideo.popen("download", JOB, "-o", "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1000)[4:8] == b"ftyp"
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(240) == 141
        assert b"error" not in err
        assert orvideo("jobs", "--not-downloaded", "--json").json[0]["id"] == JOB


def test_quiet_is_quiet_and_errors_are_not(orvideo: Shell, wire: Wire) -> None:
    wire._steps["GET", CONTENT][:] = [refuse(410)]
    assert orvideo.process("wait", JOB, "-q") == Result(0, f"{JOB}\n", "")
    done = orvideo.process("download", JOB, "-q", "-o", "boat.mp4")
    assert done.code == 10
    assert done.err.startswith("error: ")


def in_shell(shell: Shell, redirection: str, *argv: str) -> Result:
    """Run the script from a POSIX shell, which can close a stream."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" "$@" {redirection}', str(SCRIPT), *argv],
        capture_output=True, env=shell.environ, cwd=os.getcwd(), timeout=240, check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())
