"""Every exit code of the contract, by at least two command lines through the installed script.

An in-process runner hides wrong codes, so two rows of each code are processes. A row says how the ground is laid, what
is typed, and the code; what every row shares is checked for all: the message, the error object, the key nowhere.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orvideo.clock import Clock
from orvideo.commands.help import EXIT_CODES
from orvideo.errors import ExitCode
from orvideo.record.ledger import Ledger
from orvideo.record.values import State
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import http
from tests.drills.service import ORDER, assert_clean
from tests.drills.wire import DONE, JOB, Step, Wire, close, film, record_path, refuse, send_and_stall
from tests.record.ledger_support import bring_to, request
from tests.shell import Result, Shell

VIDEO = mp4(3000)
CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
SUBMIT = ("submit", *ORDER)


@dataclass
class Row:
    """One way to end: `wire` scripts the service, `before` lays the ground, `argv` is typed."""

    code: ExitCode
    argv: tuple[str, ...]
    id: str
    looks: tuple[Step, ...] = (DONE,)
    content: tuple[Step, ...] = (film(VIDEO),)
    submit: tuple[Step, ...] = ()
    before: Callable[[Shell], object] = lambda shell: None
    env: dict[str, str] = field(default_factory=dict)
    charged: str | None = None
    says: str = ""


def write(name: str, text: str = "mine") -> Callable[[Shell], object]:
    return lambda shell: (shell.home / name).write_text(text)


def spoil_record(shell: Shell) -> None:
    path = record_path(shell)
    path.parent.mkdir(parents=True, exist_ok=True)
    for companion in path.parent.glob("jobs.db-*"):
        companion.unlink()
    path.write_bytes(b"this is no record " * 99)


def break_a_library(shell: Shell) -> None:
    """Put a module before the real one that breaks in a way that nobody foresaw, with the key in its words."""
    folder = shell.home / "broken"
    folder.mkdir()
    (folder / "httpx.py").write_text("import os\nraise LookupError('boom ' + os.environ['OPENROUTER_API_KEY'])\n")
    shell.environ["PYTHONPATH"] = str(folder)


def store_key_elsewhere(shell: Shell) -> None:
    stored = shell.process("config", "set", "api-key", stdin=b"sk-or-v1-0123456789abcdef-canary\n", env={
        "ORVIDEO_BASE_URL": "https://openrouter.ai/api/v1"})  # fmt: skip
    assert stored.code == 0, stored.err
    del shell.environ["OPENROUTER_API_KEY"]


C = ExitCode
ROWS = [
    Row(C.OK, (*SUBMIT, "--wait", "-o", "boat.mp4"), "submit-wait"),
    Row(C.OK, ("download", JOB, "-o", "boat.mp4"), "download"),
    Row(C.OK, ("--version",), "version"),
    Row(C.BUG, SUBMIT, "submit", before=break_a_library, charged="no", says="This is a bug in orvideo: LookupError"),
    Row(C.BUG, ("status", JOB), "status", before=break_a_library, says="crash-"),
    Row(C.USAGE, ("submit",), "no-prompt", charged="no", says="A prompt is needed"),
    Row(C.USAGE, ("wait", "@9"), "no-such-job", charged="no", says="@9"),
    Row(C.USAGE, (*SUBMIT, "--first-frame", "/dev/zero"), "no-picture", charged="no", says="a device"),
    Row(C.USAGE, ("fly",), "no-such-command", charged="no", says="fly"),
    Row(C.NO_VIDEO, ("wait", JOB), "failed", looks=({"status": "failed", "error": "no boats"},), says="no boats"),
    Row(C.NO_VIDEO, (*SUBMIT, "--wait"), "expired", looks=({"status": "expired"},), says="ended as expired"),
    Row(C.AUTH, SUBMIT, "no-key", env={"OPENROUTER_API_KEY": ""}, charged="no", says="There is no API key"),
    Row(C.AUTH, SUBMIT, "no-such-key", env={"OPENROUTER_API_KEY": "a b"}, charged="no", says="OPENROUTER_API_KEY"),
    Row(C.AUTH, SUBMIT, "refused", submit=(refuse(401, "User not found."),), charged="no", says="OPENROUTER_API_KEY"),
    Row(C.AUTH, ("wait", JOB), "revoked", looks=(refuse(401),), charged="yes"),
    Row(C.MONEY, SUBMIT, "no-credits", submit=(refuse(402, "Insufficient credits."),), charged="no"),
    Row(C.MONEY, (*SUBMIT, "--max-cost", "0.01"), "limit", charged="no", says="$0.12"),
    Row(C.REJECTED, SUBMIT, "400", submit=(refuse(400, "No such frame."),), charged="no", says="No such frame."),
    Row(C.REJECTED, ("submit", "x", "-m", "google/veo-3.1-lite", "-d", "99"), "catalogue", charged="no", says="99"),
    Row(C.UNAVAILABLE, ("status", JOB), "look", looks=(refuse(502),), charged="yes"),
    Row(C.UNAVAILABLE, ("models",), "models", env={"ORVIDEO_BASE_URL": "http://127.0.0.1:9/api/v1"}, charged="no"),
    Row(C.STILL_RUNNING, ("wait", JOB, "--timeout", "0.2s"), "wait", looks=({"status": "pending"},), charged="yes"),
    Row(C.STILL_RUNNING, (*SUBMIT, "--wait", "--timeout", "10s"), "submit", looks=({"status": "x"},), charged="yes"),
    Row(C.OUTCOME_UNKNOWN, SUBMIT, "cut", submit=(close,), charged="unknown", says="Submitting again may pay again"),
    Row(C.OUTCOME_UNKNOWN, SUBMIT, "500", submit=(refuse(500),), charged="unknown", says="orvideo jobs show sub-"),
    Row(C.NOT_FETCHED, ("download", JOB, "-o", "boat.mp4"), "gone", content=(refuse(410),), charged="yes"),
    Row(C.NOT_FETCHED, ("wait", JOB, "-o", "b.mp4", "--timeout", "4s"), "forbidden",
        content=(refuse(403),), charged="yes"),
    Row(C.RECORD, SUBMIT, "garbage", before=spoil_record, charged="no", says="jobs.db"),
    Row(C.RECORD, SUBMIT, "no-place", env={"XDG_STATE_HOME": "/proc/x"}, charged="no", says="/proc/x/orvideo/jobs.db"),
    Row(C.RECORD, ("jobs",), "nowhere", env={"HOME": "", "XDG_STATE_HOME": ""}, charged="no", says="HOME"),
    Row(C.BAD_REPLY, ("wait", JOB), "another-job", looks=({"id": "other", "status": "completed"},)),
    Row(C.BAD_REPLY, ("download", JOB, "-o", "b.mp4"), "no-video", content=(http(200, b"<html>" * 99),)),
    Row(C.OUTPUT_EXISTS, (*SUBMIT, "--wait", "-o", "boat.mp4"), "submit", before=write("boat.mp4"), charged="no"),
    Row(C.OUTPUT_EXISTS, ("download", JOB, "-o", "boat.mp4"), "download", before=write("boat.mp4")),
    Row(C.OUTPUT_UNWRITABLE, (*SUBMIT, "--wait", "-o", "no/such/boat.mp4"), "no-folder", charged="no", says="mkdir -p"),
    Row(C.OUTPUT_UNWRITABLE, ("download", JOB, "-o", "f/boat.mp4"), "a-file", before=write("f")),
    Row(C.UNSAFE, SUBMIT, "stored-key", before=store_key_elsewhere, charged="no", says="is not sent to"),
    Row(C.UNSAFE, ("models",), "plain-http", env={"ORVIDEO_BASE_URL": "http://example.com/api/v1"}, charged="no"),
    Row(C.UNSAFE, ("wait", JOB), "redirect", looks=(http(307, headers={"Location": "https://evil.invalid/x"}),)),
    Row(C.BATCH_INCOMPLETE, ("batch", "rows.txt", "-o", "{row}.mp4", *CHEAP, "--yes"), "rejected",
        before=write("rows.txt", "a boat\n"), submit=(refuse(400, "No."),)),
    Row(C.BATCH_INCOMPLETE, ("batch", "rows.txt", "-o", "{row}.mp4", *CHEAP, "--yes"), "one-of-two",
        before=write("rows.txt", "a boat\na ship\n"), submit=(refuse(413), refuse(400))),
]  # fmt: skip


PROCESSES = [row for row in ROWS if row in [one for one in ROWS if one.code == row.code][:2]]


@pytest.mark.drill("K04")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{int(row.code)}-{row.id}")
def test_a_command_line_and_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: Row) -> None:
    # An in-process runner hides wrong codes: the first two rows of each code are processes.
    plain = run(row, tmp_path / "plain", monkeypatch, in_process=row.code is not C.BUG and row not in PROCESSES)
    assert plain.code == row.code, plain.err
    if row.code is C.OK:
        assert plain.out
        return
    assert "error: " in plain.err
    assert row.says in plain.err
    # The same line once more, for a machine: a process where the code is only seen in one.
    machine = run(row, tmp_path / "machine", monkeypatch, "--json", in_process=row.code is not C.BUG)
    assert machine.code == row.code, machine.err
    check_error_object(machine, row)


def run(row: Row, home: Path, monkeypatch: pytest.MonkeyPatch, *more: str, in_process: bool = False) -> Result:
    """Run a row on its own ground; whatever it is, at most one POST a row of work, and no key anywhere."""
    home.mkdir()
    monkeypatch.chdir(home)
    # Some codes need several looks, seconds apart: only a process has to wait for them.
    shell = Shell(home, clock=HandClock().clock() if in_process else Clock())
    with Wire(*row.looks, content=row.content, submit=row.submit) as wire:
        shell.environ |= wire.env
        if JOB in row.argv:
            wire.bought(shell)
        row.before(shell)
        shell.environ |= row.env
        done = (shell if in_process else shell.process)(*row.argv, *more)
        assert wire.posts <= max(len(row.submit), row.argv[0] == "submit")
    if row.code is C.BUG:
        check_crash_report(home, done)
    elif row.id != "stored-key":
        assert_clean(home, done)
    return done


def check_error_object(done: Result, row: Row) -> None:
    """The error is one JSON object with the documented fields, and says the code that it ends with."""
    error = done.error
    assert list(error) == ["kind", "message", "hint", "exit_code", "charged", "job_id", "resume"]
    assert error["exit_code"] == row.code
    assert row.charged in (None, error["charged"])
    assert error["charged"] in ("no", "yes", "unknown")
    assert error["message"].endswith((".", "?", ")", '"')) or "\n" in error["message"], error["message"]


def check_crash_report(home: Path, done: Result) -> None:
    """The details of a bug are in a file of the owner's, without the key, and not on the screen (drill K04)."""
    (path,) = home.rglob("crash-*.txt")
    assert "LookupError: boom [key hidden]" in path.read_text()
    assert "canary" not in path.read_text() + done.out + done.err
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in done.err


SIGNALS = [
    (getattr(signal, name), code)
    for name, code in [("SIGINT", C.INTERRUPTED), ("SIGTERM", C.TERMINATED), ("SIGHUP", C.HANGUP)]
    if hasattr(signal, name)  # Windows has no SIGHUP
]


@pytest.mark.parametrize(("signum", "code"), SIGNALS)
@pytest.mark.parametrize("command", ["wait", "download"])
def test_a_signal_and_its_exit_code(orvideo: Shell, signum: signal.Signals, code: ExitCode, command: str) -> None:
    looks: tuple[Step, ...] = ({"status": "pending"},) if command == "wait" else (DONE,)
    slow = send_and_stall(f"HTTP/1.1 200 X\r\nContent-Length: {len(VIDEO)}\r\n\r\n".encode() + VIDEO[:1000])
    with Wire(*looks, content=[slow]) as wire:
        wire.bought(orvideo)
        process = orvideo.popen(command, JOB, "-o", "boat.mp4", "--json", stdout=-1, stderr=-1)
        wait_until(lambda: wire.looks > 0 and (command == "wait" or bool(wire.fetches)))
        process.send_signal(signum)
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (code, b"")
    error = json.loads(err.splitlines()[-1])["error"]
    assert (error["exit_code"], error["job_id"], error["charged"]) == (code, JOB, "yes")
    assert error["resume"].endswith(JOB)
    assert not (orvideo.home / "boat.mp4").exists()


@pytest.mark.long
@pytest.mark.drill("O09")
@pytest.mark.parametrize("argv", [("jobs",), ("models",), ("--help",), ("--version",), ("wait", JOB),
                                  ("download", JOB, "-o", "-")])  # fmt: skip
def test_whoever_reads_stdout_may_leave(orvideo: Shell, argv: tuple[str, ...]) -> None:
    with Wire(DONE, content=[film(mp4(200_000))]) as wire:
        wire.bought(orvideo)
        reading, writing = os.pipe()
        os.close(reading)
        process = orvideo.popen(*argv, stdout=writing, stderr=-1)
        os.close(writing)
        _, err = process.communicate(timeout=240)
    assert process.returncode == C.BROKEN_PIPE
    assert b"error" not in err
    assert b"Traceback" not in err
    assert b"Exception" not in err


@pytest.mark.drill("O09")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_whoever_reads_stdout_may_leave_in_the_middle_of_it(orvideo: Shell, home: Path, unbuffered: str) -> None:
    with Ledger(home / "state" / "orvideo" / "jobs.db") as ledger:
        bring_to(ledger, State.NOT_SENT, request=request(prompt="long " * 200_000))
    process = orvideo.popen("jobs", stdout=-1, stderr=-1, env={"PYTHONUNBUFFERED": unbuffered})
    assert process.stdout is not None
    assert process.stdout.read(1)
    process.stdout.close()
    _, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (C.BROKEN_PIPE, b"")


@pytest.mark.drill("O09")
def test_a_pipe_that_takes_no_more_for_now_is_no_success(orvideo: Shell, home: Path) -> None:
    with Ledger(home / "state" / "orvideo" / "jobs.db") as ledger:
        bring_to(ledger, State.NOT_SENT, request=request(prompt="long " * 200_000))
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    done = orvideo.popen("jobs", stdout=writing, stderr=-1, env={"PYTHONUNBUFFERED": "1"})
    os.close(writing)
    _, err = done.communicate(timeout=240)
    os.close(reading)
    assert (done.returncode, b"Standard output cannot be written" in err) == (C.OUTPUT_UNWRITABLE, True)


def test_no_code_of_the_table_is_left_out() -> None:
    seen = Counter(row.code for row in ROWS)
    seen.update({code: 2 for _, code in SIGNALS} | {C.BROKEN_PIPE: 6})
    assert {code for code, _, _ in EXIT_CODES} == set(ExitCode)
    assert {code: seen[code] for code in ExitCode if seen[code] < 2} == {}


def wait_until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("line", "command"),
    [("jobs forget --nonsense", "orvideo jobs forget"), ("config set", "orvideo config set"), ("nonsense", "orvideo")],
)
def test_a_line_that_is_not_understood_names_the_help_of_its_command(orvideo: Shell, line: str, command: str) -> None:
    done = orvideo(*line.split(), "--json")
    assert (done.code, done.error["hint"]) == (2, f"{command} --help")
