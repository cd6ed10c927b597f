"""The signal drills, with real processes and, where one matters, a real terminal.

No assertion is about time, but for one: a command that was asked to stop is gone within a few seconds.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from orvideo.catalogue.cache import file_name
from orvideo.cli import _run
from orvideo.commands._action import Action
from orvideo.context import Context
from orvideo.environment import CommonOptions, Environment
from orvideo.interrupts import Interrupted, Interrupts
from orvideo.record.values import State
from tests.drills.raw_server import Behaviour, Peer, RawServer, Reply, Stall, http
from tests.drills.service import (
    ORDER,
    SUBMITS,
    Looks,
    assert_clean,
    model_list,
    on_record,
    record_path,
    service,
    surroundings,
)
from tests.shell import KEY, Result, Shell, Stream

if os.name != "posix":
    pytest.skip("signals and terminals are POSIX's", allow_module_level=True)

drill = pytest.mark.drill

JOB = {"id": "job-1", "status": "in_progress"}
#: A command that was asked to stop has this long; the promise is about one second, and the machine is shared.
SOON = 30.0


def until(condition: Any, what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.001)


@contextmanager
def started(orvideo: Shell, server: RawServer, *argv: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Start the script against a server, with pipes for streams, and kill it if the test does not."""
    env = {**surroundings(server), **more.pop("env", {})}
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
    with orvideo.popen(*argv, env=env, **more) as process:
        try:
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals) -> Result:
    """Send signals, a moment between them, and return how the process ended."""
    for number, one in enumerate(signals):
        if number:
            time.sleep(0.3)
        process.send_signal(one)
    out, err = process.communicate(timeout=SOON)
    return Result(process.returncode, out.decode(), err.decode())


class Gate:
    """Reads a submit and answers when the test says so."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self.came, self.go = threading.Event(), threading.Event()

    def __call__(self, peer: Peer) -> None:
        if peer.read_request() is not None:
            self.came.set()
            while not self.go.wait(0.05) and not peer.server.stopping.is_set():
                pass
            peer.send(self._answer)


# --- S01: before the submit


@drill("S01")
def test_ctrl_c_while_the_submit_is_not_sent_yet_sends_nothing(orvideo: Shell, home: Path) -> None:
    """A proxy accepts the connection and says nothing: the request waits for a tunnel."""
    with service(Reply(500)) as server:
        assert orvideo("models", env=surroundings(server)).code == 0
    elsewhere = "https://openrouter.invalid/api/v1"
    [cached] = (home / "cache").rglob(file_name(server.url))
    shutil.copy(cached, cached.with_name(file_name(elsewhere)))
    with RawServer(Stall()) as proxy:
        env = {"ORVIDEO_BASE_URL": elsewhere, "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        with started(orvideo, server, "submit", *ORDER, env=env) as process:
            until(lambda: proxy.count("CONNECT"), "the tunnel to be asked for")
            done = stop(process, signal.SIGINT)
    assert (done.code, done.out) == (130, "")
    assert "nothing was submitted" in done.err
    assert "charged" not in done.err
    [record] = on_record(home)
    assert record.state == State.NOT_SENT
    assert (proxy.count("POST"), KEY.encode() in b"".join(r.raw for r in proxy.requests)) == (0, False)
    assert_clean(home, done)


@drill("S01")
def test_ctrl_c_while_the_model_list_is_awaited_sends_nothing(orvideo: Shell, home: Path) -> None:
    with RawServer(Stall()) as server, started(orvideo, server, "submit", *ORDER, "--json") as process:
        until(lambda: server.count("GET"), "the look at the models")
        done = stop(process, signal.SIGINT)
    assert (done.code, done.error["charged"], server.count("POST")) == (130, "no", 0)
    assert done.error["message"] == "Interrupted; nothing was submitted."
    assert_clean(home, done)


@drill("S01")
@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.15])
def test_ctrl_c_while_the_program_is_being_loaded_shows_no_traceback(orvideo: Shell, home: Path, after: float) -> None:
    with RawServer(Stall()) as server, started(orvideo, server, "submit", *ORDER) as process:
        past_the_interpreter(process)
        time.sleep(after)
        done = stop(process, signal.SIGINT)
    assert done.code in (130, -signal.SIGINT), "a shell shows both as 130"
    assert "Traceback" not in done.err
    assert server.count("POST") == 0


def past_the_interpreter(process: subprocess.Popen[bytes]) -> None:
    """Wait for our first line: the interpreter's own start is nobody's to guard."""
    if not Path("/proc/self/status").exists():
        time.sleep(0.2)
        return
    # The interpreter catches SIGINT, and our first line gives that up.
    until(lambda: _catches(process, signal.SIGINT), "the interpreter")
    # Only the command's own handlers, which come later, catch SIGTERM: a slow test may see those first.
    until(lambda: not _catches(process, signal.SIGINT) or _catches(process, signal.SIGTERM), "our first line")


def _catches(process: subprocess.Popen[bytes], one: signal.Signals) -> bool:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) & 1 << (one - 1))


@drill("S01")
def test_ctrl_c_at_the_question_is_a_no(orvideo: Shell, home: Path) -> None:
    with service(Reply(202, JOB)) as server:
        code, screen = in_terminal(
            orvideo, server, "submit", *ORDER, env={"ORVIDEO_CONFIRM_ABOVE": "0.01"}, see="[y/N]", then=b"\x03"
        )
    assert (code, server.count("POST")) == (130, 0)
    assert "nothing was submitted" in screen
    assert "Traceback" not in screen


# --- S02: with the request on the wire


@drill("S02")
@pytest.mark.parametrize(("stopper", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_submit_waits_a_little_and_then_the_outcome_is_unknown(
    orvideo: Shell, home: Path, stopper: signal.Signals, code: int
) -> None:
    gate = Gate()
    with service(gate) as server, started(orvideo, server, "submit", *ORDER, "--json") as process:
        assert gate.came.wait(240)
        done = stop(process, stopper)
        gate.go.set()
    [record] = on_record(home)
    assert (done.code, done.out, server.count("POST")) == (code, "", 1)
    assert (record.state, record.id) == (State.UNKNOWN, None)
    assert (done.error["charged"], done.error["resume"]) == ("unknown", f"orvideo jobs show {record.handle}")
    assert "Submitting again may pay again" in done.error["message"]
    assert_clean(home, done)


needs_tgkill = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "tgkill"), reason="SKIPPED: no way to send a signal to one thread"
)


def send_to_another_thread(process: subprocess.Popen[bytes]) -> None:
    """Any thread may be given a signal; only the main thread can act on it, and nothing wakes it where it waits.

    A command may well have no other thread at that moment: then the main thread gets it.
    """
    threads = {int(path.name) for path in Path(f"/proc/{process.pid}/task").iterdir()} - {process.pid}
    assert ctypes.CDLL(None).tgkill(process.pid, min(threads, default=process.pid), signal.SIGINT) == 0


@drill("S02")
@needs_tgkill
def test_a_signal_that_the_system_hands_to_another_thread_is_heard(orvideo: Shell, home: Path) -> None:
    gate = Gate()
    with service(gate) as server, started(orvideo, server, "submit", *ORDER, "--json") as process:
        assert gate.came.wait(240)
        send_to_another_thread(process)
        out, err = process.communicate(timeout=SOON)
        gate.go.set()
    assert (process.returncode, out, server.count("POST")) == (130, b"", 1)
    [record] = on_record(home)
    assert record.state is State.UNKNOWN
    assert b"Submitting again may pay again" in err


@drill("S02")
def test_an_answer_that_comes_in_time_is_recorded_and_named(orvideo: Shell, home: Path) -> None:
    gate = Gate(http(202, b'{"id": "job-1", "status": "pending"}'))
    with service(gate) as server, started(orvideo, server, "submit", *ORDER) as process:
        assert gate.came.wait(240)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        gate.go.set()
        _, err = process.communicate(timeout=SOON)
    assert (process.returncode, server.count("POST")) == (130, 1)
    [record] = on_record(home)
    assert (record.state, record.id) == (State.SUBMITTED, "job-1")
    assert b"job-1 goes on at the service, already paid for" in err
    assert b"orvideo wait job-1" in err
    assert b"nothing was submitted" not in err


@drill("S02")
def test_a_second_ctrl_c_in_the_submit_ends_it_now_and_it_is_unknown(orvideo: Shell, home: Path) -> None:
    gate = Gate()
    with service(gate) as server, started(orvideo, server, "submit", *ORDER) as process:
        assert gate.came.wait(240)
        began = time.monotonic()
        done = stop(process, signal.SIGINT, signal.SIGINT)
        took = time.monotonic() - began
        gate.go.set()
    [record] = on_record(home)
    assert (done.code, server.count("POST")) == (130, 1)
    assert (record.state, record.id) == (State.UNKNOWN, None)
    assert f"Interrupted while {record.handle} was being sent" in done.err
    assert "Submitting again may pay again" in done.err
    assert "nothing was submitted" not in done.err
    assert took < SOON
    assert_clean(home, done)


# --- S03, S04: afterwards


@drill("S03")
@pytest.mark.parametrize(
    ("stopper", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=drill("S04"), id="S04")]
)
def test_a_signal_while_waiting_names_the_job_and_the_command(
    orvideo: Shell, home: Path, stopper: signal.Signals, code: int
) -> None:
    looks = Looks(JOB)
    with service(Reply(202, JOB), looks=looks) as server:
        with started(orvideo, server, "submit", *ORDER, "--wait", "-o", "boat.mp4") as process:
            until(lambda: server.count("GET", f"{SUBMITS}/job-1"), "the first look")
            done = stop(process, stopper)
        assert (done.code, done.out, server.count("POST")) == (code, "", 1)
        assert "job-1 goes on at the service, already paid for" in done.err
        assert "hint: orvideo wait job-1" in done.err or "orvideo wait job-1" in done.err
    [record] = on_record(home)
    assert (record.state, record.id, record.target) == (State.SUBMITTED, "job-1", str(home / "boat.mp4"))
    assert not (home / "boat.mp4").exists()
    assert_clean(home, done)


class Slow:
    """Serves a finished job whose video never ends, and comes in small pieces, so many seconds apart."""

    def __init__(self, every: float = 0.02) -> None:
        self._every = every

    def __call__(self, peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if request.path.endswith("/content"):
                head = b'HTTP/1.1 200 X\r\nContent-Length: 1000000\r\nETag: "v1"\r\n\r\n'
                peer.send(head + b"\x00\x00\x00\x18ftypisom" + b"\x00" * 5000)
                while peer.drip(b"\x00" * 2000, size=2000, every=self._every):
                    pass
                return
            body = model_list() if request.path.endswith("/models") else b'{"id": "job-1", "status": "completed"}'
            status = 202 if request.method == "POST" else 200
            if not peer.send(http(status, body)):
                return


@drill("S03")
def test_ctrl_c_while_downloading_keeps_what_came_and_says_how_to_go_on(orvideo: Shell, home: Path) -> None:
    with RawServer(Slow()) as server:
        with started(orvideo, server, "submit", *ORDER, "--wait", "-o", "boat.mp4") as process:
            until(lambda: _part(home) > 4000, "some of the video")
            done = stop(process, signal.SIGINT)
        assert (done.code, server.count("POST")) == (130, 1)
        assert "job-1 is finished and paid for" in done.err
        assert "orvideo download job-1" in done.err
        kept = _part(home)
        assert kept > 4000
        with started(orvideo, server, "download", "@1") as process:
            until(lambda: _part(home) > kept, "more of the video")
            again = stop(process, signal.SIGINT)
    assert again.code == 130
    assert "orvideo download job-1" in again.err
    ranges = [request.headers.get("range") for request in server.requests if request.path.endswith("/content")]
    assert ranges[0] is None
    assert ranges[1] == f"bytes={kept}-"
    assert not (home / "boat.mp4").exists()
    assert_clean(home, done, again)


@drill("S03")
@needs_tgkill
def test_a_signal_is_heard_while_a_download_stalls_whichever_thread_it_is_handed_to(orvideo: Shell, home: Path) -> None:
    line = ["submit", *ORDER, "--wait", "-o", "boat.mp4"]
    with RawServer(Slow(every=20.0)) as server, started(orvideo, server, *line) as process:
        until(lambda: _part(home) > 4000, "some of the video")
        send_to_another_thread(process)
        _, err = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert b"orvideo download job-1" in err


@drill("S03")
@needs_tgkill
def test_a_signal_is_heard_while_a_command_of_exec_runs_whichever_thread_it_is_handed_to(
    orvideo: Shell, home: Path
) -> None:
    line = ["submit", *ORDER, "--wait", "--exec", "echo $$ >begun; exec sleep 60"]
    looks = Looks({"id": "job-1", "status": "failed"})
    with service(Reply(202, JOB), looks=looks) as server, started(orvideo, server, *line) as process:
        until(lambda: (home / "begun").exists(), "the command to begin")
        time.sleep(0.2)  # the program is waiting for it by then
        send_to_another_thread(process)
        _, err = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert b"is at its end already" in err


def _part(home: Path) -> int:
    """Return how much of the video is here; the file that only tries the folder comes and goes."""
    largest = 0
    for path in home.glob("*.part"):
        with suppress(FileNotFoundError):
            largest = max(largest, path.stat().st_size)
    return largest


# --- S05: the terminal goes away


@contextmanager
def terminal() -> Iterator[tuple[FileIO, FileIO]]:
    """Give the two ends of a pseudo-terminal, each to be closed earlier, too."""
    pty = pytest.importorskip("pty", reason="pty is there on POSIX alone")
    # Files, not numbers: the number of one that was closed may be a stranger's socket by then.
    ours, theirs = (FileIO(end, "r+") for end in pty.openpty())
    with ours, theirs:
        yield ours, theirs


def _controlled() -> None:
    """Make stdin the controlling terminal, so that its loss and its Ctrl-C are signals."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_screen(ours: FileIO, wanted: str = "", seconds: float = 20.0) -> str:
    """Read what the terminal shows, until `wanted` is there, or to its end."""
    seen = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                data = os.read(ours.fileno(), 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        if wanted and wanted in seen.decode("utf-8", "replace"):
            break
    return seen.decode("utf-8", "replace")


def in_terminal(
    orvideo: Shell, server: RawServer, *argv: str, env: dict[str, str], see: str, then: bytes
) -> tuple[int, str]:
    """Run a command on a terminal, type something once it shows `see`, and return its exit code and the screen."""
    with terminal() as (ours, theirs):
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "preexec_fn": _controlled}
        with started(orvideo, server, *argv, env={"TERM": "xterm-256color", **env}, **streams) as process:
            screen = read_screen(ours, see)
            assert see in screen
            ours.write(then)
            screen += read_screen(ours, "submitted.", SOON)
            code = process.wait(timeout=SOON)
    return code, screen


@drill("S05")
@pytest.mark.parametrize("phase", ["waiting", "in the submit"])
def test_a_terminal_that_is_closed_ends_the_command_in_order(orvideo: Shell, home: Path, phase: str) -> None:
    gate = Gate(http(202, b'{"id": "job-1", "status": "pending"}'))
    submit: Behaviour = Reply(202, JOB) if phase == "waiting" else gate
    with service(submit, looks=Looks(JOB)) as server, terminal() as (ours, theirs):
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "preexec_fn": _controlled}
        with started(orvideo, server, "submit", *ORDER, "--wait", env={"TERM": "xterm"}, **streams) as process:
            theirs.close()
            if phase == "waiting":
                read_screen(ours, "in_progress")
            else:
                until(gate.came.is_set, "the submit")
            ours.close()  # the window is gone: SIGHUP, and every write fails from now on
            gate.go.set()
            code = process.wait(timeout=SOON)
    assert code == 129
    assert server.count("POST") == 1
    [record] = on_record(home)
    assert record.id == "job-1"
    assert not list(home.rglob("crash*")), "a dead terminal is no bug"


@drill("S05")
def test_a_signal_that_is_ignored_on_purpose_stays_ignored(orvideo: Shell, home: Path) -> None:
    """`nohup orvideo wait ID`: the terminal goes, the wait goes on."""
    ended = {"id": "job-1", "status": "failed", "error": "no"}

    def ignoring() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with (
        service(Reply(202, JOB), looks=Looks(JOB, ended)) as server,
        started(orvideo, server, "submit", *ORDER, "--wait", preexec_fn=ignoring) as process,
    ):
        until(lambda: server.count("GET", f"{SUBMITS}/job-1"), "the first look")
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=240)
    assert process.returncode == 3, err


# --- S09, S10


@drill("S09")
def test_two_ctrl_c_in_a_row_end_it_and_the_record_is_whole(orvideo: Shell, home: Path) -> None:
    with RawServer(Slow()) as server, started(orvideo, server, "submit", *ORDER, "--wait", "-o", "boat.mp4") as process:
        until(lambda: _part(home) > 4000, "some of the video")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert b"Traceback" not in err
    [record] = on_record(home)
    assert (record.id, record.status) == ("job-1", "completed")
    assert not (home / "boat.mp4").exists()


@drill("S09")
def test_a_second_signal_on_the_way_out_exits_at_once() -> None:
    exits: list[int] = []
    interrupts = Interrupts(exit_now=exits.append)
    with interrupts.installed():
        signal.raise_signal(signal.SIGTERM)
        assert exits == [143], "nothing has begun, so there is nothing to clean up"
        interrupts.start_raising()
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert exits == [143, 130]


@drill("S09")
def test_a_signal_while_the_end_is_told_raises_nothing() -> None:
    exits: list[int] = []
    interrupts = Interrupts(exit_now=exits.append)
    with interrupts.installed():
        interrupts.start_raising()
        interrupts.stop_raising()
        signal.raise_signal(signal.SIGINT)
        assert exits == []
        signal.raise_signal(signal.SIGINT)
        assert exits == [130]


@drill("S01")
def test_a_signal_that_something_made_another_exception_of_is_still_a_signal(orvideo: Shell, home: Path) -> None:
    """Python 3.11 makes a RuntimeError of whatever is raised while a class is being made; that is no bug of ours."""

    def run(context: Context) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException as interrupted:
            raise RuntimeError("Error calling __set_name__") from interrupted

    out, err = Stream(), Stream()
    code = _run(Action(run, CommonOptions()), Environment(orvideo.environ, Stream(), out, err))
    assert (code, out.text()) == (143, "")
    assert "Interrupted; nothing was submitted." in err.text()
    assert not list(home.rglob("crash*"))


@drill("S01")
def test_a_signal_that_comes_while_python_finalizes_something_is_raised_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Python drops an exception there, with a word on stderr: the program would go on and buy."""
    exits: list[int] = []
    interrupts = Interrupts(exit_now=exits.append)

    class Thing:
        pass

    things = [Thing()]
    watch = weakref.ref(things[0], lambda _: signal.raise_signal(signal.SIGINT))
    with interrupts.installed():
        interrupts.start_raising()
        with pytest.raises(Interrupted):
            until(things.clear, "the signal")
        assert (watch(), exits, capsys.readouterr().err) == (None, [], "")


@drill("S01")
def test_a_signal_that_was_dropped_lets_nobody_begin_to_send() -> None:
    interrupts = Interrupts(exit_now=lambda code: None)
    with interrupts.installed():
        interrupts.start_raising()
        with suppress(Interrupted):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted), interrupts.deferred(lambda: None):
            pytest.fail("went on to send")


@drill("S02")
def test_a_signal_in_a_section_that_fails_is_still_known() -> None:
    interrupts = Interrupts(exit_now=lambda code: None)
    with interrupts.installed():
        interrupts.start_raising()
        assert interrupts.pending is None
        with suppress(LookupError), interrupts.deferred(lambda: None):
            signal.raise_signal(signal.SIGTERM)
            raise LookupError
        assert interrupts.pending == signal.SIGTERM


@drill("S02")
def test_a_held_section_hurries_at_the_first_and_ends_at_the_second() -> None:
    hurried: list[bool] = []
    interrupts = Interrupts(exit_now=lambda code: None)
    with interrupts.installed():
        interrupts.start_raising()
        done: list[bool] = []

        def section() -> None:
            with interrupts.deferred(lambda: hurried.append(True)):
                signal.raise_signal(signal.SIGINT)
                done.append(True)

        with pytest.raises(Interrupted):
            section()
        assert (done, hurried) == ([True], [True])


@drill("S10")
def test_signals_at_random_moments_leave_a_record_that_is_whole(orvideo: Shell, home: Path) -> None:
    """Each of many submits is stopped somewhere on its way: what the server accepted is on record."""
    accepted: list[str] = []
    lock = threading.Lock()

    class Accepts:
        def __call__(self, peer: Peer) -> None:
            while (request := peer.read_request()) is not None:
                if request.method == "POST":
                    with lock:
                        accepted.append(f"job-{len(accepted)}")
                        job = accepted[-1]
                    if not peer.send(http(202, b'{"id": "%s", "status": "pending"}' % job.encode())):
                        return
                elif not peer.send(http(200, model_list())):
                    return

    with RawServer(Accepts()) as server:
        assert orvideo("models", env=surroundings(server)).code == 0
        for step in range(5):
            with started(orvideo, server, "submit", *ORDER) as process:
                past_the_interpreter(process)
                time.sleep(step * 0.1)
                done = stop(process, signal.SIGINT)
            assert "Traceback" not in done.err
            assert done.code in (0, 130, -signal.SIGINT)
            if done.code == 0:
                assert done.lines[0] in accepted
    if list((home / "state").rglob("jobs.db")):
        records = on_record(home)
        known = {record.id for record in records if record.id}
        unknown = sum(record.state == State.UNKNOWN for record in records)
        assert len(set(accepted) - known) <= unknown
        assert oct(record_path(home).stat().st_mode & 0o777) == "0o600"


@drill("F-D13")
def test_ctrl_c_is_how_a_sandbox_in_the_foreground_is_ended(orvideo: Shell) -> None:
    process = orvideo.popen("sandbox", "--port", "0", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=240)
    assert (process.returncode, b"error" in told) == (0, False), told
