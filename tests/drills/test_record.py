"""The drills on the record through the command: where it cannot be written nothing is sent, and no id is lost.

`test_journal` drills the record itself, `test_kills` and `kill_sweep` kill the command.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orvideo.record.values import State
from tests.clocks import HandClock
from tests.drills import kill_sweep
from tests.drills.kill_sweep import Counting, SubmitDrill
from tests.drills.raw_server import Peer, RawServer, Reply, http
from tests.drills.service import (
    ORDER,
    Looks,
    assert_clean,
    model_list,
    on_record,
    record_path,
    service,
    surroundings,
)
from tests.shell import KEY, SCRIPT, Result, Shell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SKIPPED: rights, limits and strace are POSIX's")
drill = pytest.mark.drill
JOB = {"id": "job-1", "status": "pending"}


def primed(orvideo: Shell, server: RawServer) -> None:
    """Make the record and the model list, so that a drill has something to break."""
    assert orvideo("models", env=surroundings(server)).code == 0
    assert orvideo("jobs").code == 0


def assert_refused(done: Result, server: RawServer, path: Path) -> None:
    """Nothing was sent, and the message names the file."""
    assert (done.code, done.out, server.count("POST")) == (11, "", 0), done.err
    assert str(path) in done.err
    assert "othing was sent" in done.err
    assert "Traceback" not in done.err


def as_anybody() -> list[str]:
    """Return what to put before a command so that rights are heeded: root may write everywhere otherwise."""
    if os.geteuid() != 0:
        return []
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*drop, "true"], capture_output=True, check=False).returncode:
        pytest.skip("SKIPPED: root may write everywhere; run this as a user, or with setpriv of the package util-linux")
    return drop


def run(orvideo: Shell, server: RawServer, before: list[str], **more: object) -> Result:
    environ = {**orvideo.environ, **surroundings(server)}
    command = [*before, str(SCRIPT), "submit", *ORDER]
    done = subprocess.run(command, env=environ, cwd=orvideo.home, capture_output=True, text=True, timeout=240, **more)  # type: ignore[call-overload]
    return Result(done.returncode, done.stdout, done.stderr)


# --- J04: it cannot be written


@drill("J04")
def test_a_record_without_rights_sends_nothing(orvideo: Shell, home: Path) -> None:
    with service(Reply(202, JOB)) as server:
        primed(orvideo, server)
        path = record_path(home)
        path.chmod(0o400)
        path.parent.chmod(0o500)
        try:
            done = run(orvideo, server, as_anybody())
        finally:
            path.parent.chmod(0o700)
    assert_refused(done, server, path)


@drill("J04")
def test_a_state_directory_that_cannot_be_made_sends_nothing(orvideo: Shell, home: Path) -> None:
    with service(Reply(202, JOB)) as server:
        assert orvideo("models", env=surroundings(server)).code == 0
        (home / "state").write_text("a file is in the way")
        done = orvideo("submit", *ORDER, env=surroundings(server))
    assert_refused(done, server, home / "state")


@drill("J04")
def test_a_full_disk_sends_nothing(orvideo: Shell, home: Path) -> None:
    resource = pytest.importorskip("resource", reason="resource is there on POSIX alone")
    with service(Reply(202, JOB)) as server:
        primed(orvideo, server)
        path = record_path(home)
        size = path.stat().st_size

        def full() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))

        done = run(orvideo, server, [], preexec_fn=full)
    assert_refused(done, server, path)
    assert path.stat().st_size == size
    assert on_record(home) == []


# --- J05: the id comes, and cannot be written down


@drill("J05", "M30")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SKIPPED: needs Linux's prlimit")
def test_an_id_that_cannot_be_written_down_is_printed_everywhere(orvideo: Shell, home: Path) -> None:
    resource = pytest.importorskip("resource", reason="resource is there on POSIX alone")
    running: list[subprocess.Popen[bytes]] = []

    def full_from_now_on(peer: Peer) -> None:
        """Let no file of the command grow any more, from the moment that its request is here."""
        if peer.read_request() is not None:
            resource.prlimit(running[0].pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            peer.send(http(202, json.dumps({"id": "job-2", "status": "pending"}).encode()))

    with service(full_from_now_on) as server:
        primed(orvideo, server)
        process = orvideo.popen(
            "submit", *ORDER, env=surroundings(server), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        running.append(process)
        try:
            out, err = process.communicate(timeout=240)
        finally:
            process.kill()
        done = Result(process.returncode, out.decode(), err.decode())
    assert done.code == 14, done.err
    assert server.count("POST") == 1
    assert "job-2" in done.lines
    assert "its id, job-2" in done.err
    assert "orvideo jobs adopt job-2" in done.err
    assert "Traceback" not in done.err
    newest = on_record(home)[0]
    assert (newest.state, newest.id) == (State.UNKNOWN, None), "the intent is still there"
    assert_clean(home, done)


# --- J06, J07: others are at work


@drill("J06")
def test_a_record_that_another_process_holds_is_waited_for_and_then_nothing_is_sent(orvideo: Shell, home: Path) -> None:
    hands = HandClock()
    shell = replace(orvideo, clock=hands.clock())
    with service(Reply(202, JOB)) as server:
        primed(orvideo, server)
        path = record_path(home)
        holder = sqlite3.connect(path, isolation_level=None)
        try:
            holder.execute("BEGIN IMMEDIATE")
            done = shell("submit", *ORDER, env=surroundings(server))
        finally:
            holder.execute("ROLLBACK")
            holder.close()
    assert_refused(done, server, path)
    assert "run this again when it is done" in done.err
    assert 9 <= hands.elapsed <= 12


@drill("J07")
def test_many_submits_at_the_same_time_are_as_many_records(orvideo: Shell, home: Path) -> None:
    """Six here, all at once into a record that does not exist yet; fifty with DRILLS=all."""
    many = 50 if os.environ.get("DRILLS") == "all" else 6
    counting = Counting()
    with RawServer(counting) as server:
        assert orvideo("models", "-q", env=surroundings(server)).code == 0
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started = [
            orvideo.popen("submit", f"boat-{n}", *ORDER[1:], env=surroundings(server), **pipes) for n in range(many)
        ]
        ended = [(process.communicate(timeout=240), process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * many, [err for (_, err), code in ended if code]
    assert sorted(counting.accepted.values()) == [1] * many
    printed = {out.decode().strip() for (out, _), _ in ended}
    assert printed == {f"job-boat-{n}" for n in range(many)} == {record.id for record in on_record(home)}


# --- J03, J08, J11, J12, J13


@drill("J03")
def test_a_submit_that_was_killed_before_it_was_sent_is_told_as_such(orvideo: Shell, tmp_path: Path) -> None:
    if reason := kill_sweep.why_not():
        pytest.skip(f"SKIPPED: {reason}")
    with SubmitDrill(tmp_path / "work" if (tmp_path / "work").mkdir() is None else tmp_path) as drill_:
        home = drill_.home("boat")
        strace = [
            "strace",
            "-f",
            "-qq",
            "-o",
            os.devnull,
            "-e",
            "trace=connect",
            "-e",
            "inject=connect:signal=KILL:when=1",
        ]
        killed = drill_.run(strace, "boat", home)
        assert killed.returncode in kill_sweep.KILLED
        [record] = on_record(home)
        assert (record.state, drill_.service.accepted["boat"]) == (State.NOT_SENT, 0)
        waited = Shell(home)("wait", record.handle, "--json", env=drill_.env)
        assert (waited.code, waited.error["charged"]) == (2, "no")
        assert "was never accepted" in waited.error["message"]


BROKEN = {
    "zero length": b"",
    "garbage": b"this is not a database " * 500,
    "cut": None,
    "another program's": None,
    "newer": None,
}


@drill("J08")
@pytest.mark.parametrize("how", list(BROKEN))
def test_a_broken_record_is_left_alone_and_nothing_is_sent(orvideo: Shell, home: Path, how: str) -> None:
    with service(Reply(202, JOB)) as server:
        primed(orvideo, server)
        path = record_path(home)
        content = BROKEN[how]
        if content is not None:
            path.write_bytes(content)
        elif how == "cut":
            path.write_bytes(path.read_bytes()[:700])
        else:
            pragma = "user_version = 9999" if how == "newer" else "application_id = 7"
            database = sqlite3.connect(path)
            database.execute(f"PRAGMA {pragma}")
            database.close()
        before = path.read_bytes()
        done = orvideo("submit", *ORDER, env=surroundings(server))
    assert_refused(done, server, path)
    assert "orvideo doctor --move-record-aside\n" in done.err
    assert path.read_bytes() == before
    assert orvideo("jobs").code == 11
    assert orvideo("doctor", "--move-record-aside").code == 0
    [aside] = path.parent.glob(f"aside-*/{path.name}")
    assert aside.read_bytes() == before
    assert orvideo("jobs", "--json").json == []


@drill("J11")
def test_without_a_home_the_message_is_clear_and_nothing_is_sent(orvideo: Shell) -> None:
    with service(Reply(202, JOB)) as server:
        bare = {
            "PATH": os.environ["PATH"],
            **surroundings(server),
            "HOME": "",
            "XDG_STATE_HOME": "",
            "XDG_CACHE_HOME": "",
        }
        shell = Shell(orvideo.home)
        shell.environ = bare
        done = shell("submit", *ORDER)
    assert done.code in (2, 11), done.err
    assert server.count("POST") == 0
    assert "HOME" in done.err
    assert "Traceback" not in done.err


@drill("J11")
def test_a_relative_state_directory_is_ignored(orvideo: Shell, home: Path) -> None:
    with service(Reply(202, JOB)) as server:
        done = orvideo("submit", *ORDER, env={**surroundings(server), "XDG_STATE_HOME": "here"})
    assert done.code == 0, done.err
    assert not (home / "here").exists()
    assert list(home.rglob("jobs.db")) == [home / ".local/state/orvideo/jobs.db"]


@drill("J12")
def test_the_record_is_private(orvideo: Shell, home: Path) -> None:
    old = os.umask(0)
    try:
        with service(Reply(202, JOB)) as server:
            assert orvideo("submit", *ORDER, env=surroundings(server)).code == 0
    finally:
        os.umask(old)
    path = record_path(home)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@drill("J13")
def test_a_picture_is_not_in_the_record_and_neither_is_the_key(orvideo: Shell, home: Path) -> None:
    import base64
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    noise = bytes(range(256)) * 3
    header = struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"tEXt", noise) + chunk(b"IEND", b"")
    (home / "boat.png").write_bytes(png)
    with service(Reply(202, JOB), looks=Looks()) as server:
        done = orvideo("submit", *ORDER, "--first-frame", "boat.png", env=surroundings(server))
        assert done.code == 0, done.err
        sent = json.loads(next(r for r in server.requests if r.method == "POST").body)
    assert base64.b64encode(png).decode() in json.dumps(sent)
    kept = b"".join(file.read_bytes() for file in record_path(home).parent.iterdir())
    assert base64.b64encode(png)[100:160] not in kept
    assert KEY.encode() not in kept
    assert "sha256" in json.dumps(orvideo("jobs", "show", "@1", "--json").json["request"])
    assert model_list()
