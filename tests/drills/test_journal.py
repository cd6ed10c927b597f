"""Drills of group J at the level of the record itself, with real processes, real kills and full disks.

The same group is drilled again through the whole command. `DRILLS=all` kills at every system call here instead
of at a sample of them.
"""

from __future__ import annotations

import base64
import os
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO

import pytest

from orvideo.errors import RecordError
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Record, State, Submission

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SKIPPED: kills, limits and strace are POSIX's")

EVERY_POINT = os.environ.get("DRILLS") == "all"
#: Kills for each step of a life, when not every point is tried.
SAMPLE = 4


@cache
def _strace() -> str | None:
    """Return the path of a strace that works here: it may be missing, or forbidden."""
    found = shutil.which("strace")
    if found is None:
        return None
    tried = subprocess.run([found, "-o", os.devnull, "true"], capture_output=True, check=False)
    return found if tried.returncode == 0 else None


def need_strace() -> str:
    found = _strace()
    if found is None:
        pytest.skip(
            "SKIPPED: strace is missing or forbidden here; the package strace, and the right to trace, would prove this"
        )
    return found


def _as_anybody() -> list[str]:
    """Return what to put before a command so that rights are heeded: root may write everywhere otherwise."""
    if os.geteuid() != 0:
        return []
    setpriv = [shutil.which("setpriv") or "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    if not shutil.which("setpriv") or subprocess.run([*setpriv, "true"], capture_output=True, check=False).returncode:
        pytest.skip("SKIPPED: root may write everywhere; run this as a user, or with setpriv of the package util-linux")
    return setpriv


# What every script below begins with: `say` is one write to stdout, which a trace shows in its place.
_HEAD = """
import os, resource, sys
from pathlib import Path
from orvideo.errors import RecordError
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission, Output, Observation

def say(word):
    os.write(1, word.encode() + b"\\n")

def prepare(ledger, prompt="a boat"):
    return ledger.prepare(Submission(request={"model": "m", "prompt": prompt}, endpoint="https://openrouter.example/api/v1"))

path = Path(sys.argv[1])
"""

# One submit, as the layers above the record go through it. "POST" stands for the first byte on the wire.
_LIFE = """
say("begin")
ledger = Ledger(path)
seq = prepare(ledger)
say("prepared")
ledger.sending(seq)
say("POST")
ledger.answered(seq, 202, b'{"id": "job-1"}')
ledger.submitted(seq, "job-1", status="pending")
say("submitted")
ledger.observed(seq, Observation(status="completed", final=True))
ledger.output_saved(seq, Output(0, "/v/boat.mp4", 1, "ab"))
say("saved")
ledger.close()
say("closed")
"""


def _python(script: str, path: Path) -> list[str]:
    return [sys.executable, "-c", _HEAD + script, str(path)]


def _run(script: str, path: Path, *strace: str) -> subprocess.CompletedProcess[str]:
    command = [*([need_strace(), *strace] if strace else []), *_python(script, path)]
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}  # the same calls every time
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, env=environ)


@contextmanager
def _started(script: str, path: Path) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Start a script that says something and then waits for its stdin to close."""
    with subprocess.Popen(_python(script, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.db"


# --- J01, J02: kills, and the order on disk


def _judge(path: Path, said: list[str], where: str) -> State | None:
    """Check what the next run finds after a kill: no repair, no second job, no lost job. Return the job's state."""
    with Ledger(path) as ledger:
        assert ledger.check() == (), where
        jobs: list[Record] = ledger.list()
        state = jobs[0].state if jobs else None
        assert len(jobs) <= 1, where
        if "submitted" in said:
            assert ledger.find("job-1").state is State.SUBMITTED, where
        elif "POST" in said:
            assert state in (State.UNKNOWN, State.SUBMITTED), where
        elif "prepared" in said:
            assert state in (State.NOT_SENT, State.UNKNOWN), where
        if "saved" in said:
            assert ledger.find("job-1").is_fetched, where
    assert [place.name for place in path.parent.iterdir()] == [path.name], where
    return state


def _kill_points(trace: str) -> list[list[tuple[str, int]]]:
    """Return, for each step of the life, its system calls, each by name and number among its like.

    Strace counts each name apart.
    """
    counts: Counter[str] = Counter()
    steps: list[list[tuple[str, int]]] = []
    for line in trace.splitlines():
        call = line.partition("(")[0]
        counts[call] += 1
        if steps and call.isidentifier() and call != "exit_group":
            steps[-1].append((call, counts[call]))
        if line.startswith('write(1, "'):
            steps.append([])
    return [step for step in steps if step]


@pytest.mark.long
@pytest.mark.drill("J01")
@pytest.mark.timeout(3600 if EVERY_POINT else 300)
def test_a_kill_at_any_system_call_loses_nothing_and_the_next_run_opens_without_repair(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    whole = _run(_LIFE, tmp_path / "whole" / "jobs.db", "-qq", "-o", str(trace))
    assert whole.stdout.split() == ["begin", "prepared", "POST", "submitted", "saved", "closed"]
    steps = _kill_points(trace.read_text())
    points = [point for step in steps for point in (step if EVERY_POINT else step[:: len(step) // SAMPLE + 1])]

    states: set[State | None] = set()
    kills = 0
    for call, number in points:
        path = tmp_path / f"kill-{call}-{number}" / "jobs.db"
        killed = _run(_LIFE, path, "-qq", "-o", os.devnull, "-e", f"inject={call}:signal=KILL:when={number}")
        # The interpreter's own calls vary a little: at the last points it may have come to its end.
        assert killed.returncode != 0 or "closed" in killed.stdout, killed.stderr
        kills += killed.returncode != 0
        states.add(_judge(path, killed.stdout.split(), f"killed at {call} number {number}"))
        shutil.rmtree(path.parent, ignore_errors=True)
    assert kills >= 0.9 * len(points)
    assert states == {None, State.NOT_SENT, State.UNKNOWN, State.SUBMITTED}, "the kills did not reach everywhere"


def _order(trace: str) -> list[str]:
    """Reduce a trace to "write" and "sync" of the WAL, and the words that were said."""
    events = []
    for line in trace.splitlines():
        call, _, rest = line.partition("(")
        if "jobs.db-wal>" in rest and call in ("pwrite64", "write"):
            events.append("write")
        elif "jobs.db-wal>" in rest and call in ("fsync", "fdatasync"):
            events.append("sync")
        elif call == "write" and rest.startswith("1<"):
            events.append(rest.partition('"')[2].partition("\\n")[0])
    return events


@pytest.mark.drill("J02")
def test_every_step_is_on_disk_before_the_next_one_is_taken(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    _run(_LIFE, path, "-qq", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", str(trace))
    events = _order(trace.read_text())

    for word in ("prepared", "POST", "submitted", "saved"):
        before = events[: events.index(word)]
        since_the_last_word = before[max(i for i, event in enumerate(before) if event not in ("write", "sync")) + 1 :]
        assert "write" in since_the_last_word, f"nothing was written before {word!r}"
        assert since_the_last_word[-1] == "sync", f"{word!r} was said before the disk had it"


@pytest.mark.drill("J02")
def test_a_new_record_has_its_name_on_disk_before_anything_is_sent(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    _run(_LIFE, path, "-qq", "-y", "-e", "trace=write,fsync,fdatasync,link,linkat", "-o", str(trace))
    lines = trace.read_text().splitlines()

    linked = next(number for number, line in enumerate(lines) if line.startswith("link"))
    synced_file = [n for n, line in enumerate(lines) if line.startswith("fsync") and ".jobs.db.new-" in line]
    synced_directory = [n for n, line in enumerate(lines) if line.startswith("fsync") and f"{path.parent}>" in line]
    prepared = next(number for number, line in enumerate(lines) if '"prepared\\n"' in line)
    assert any(number < linked for number in synced_file)
    assert any(linked < number < prepared for number in synced_directory)


# --- J03: processes that die, seen by others


@pytest.mark.drill("J03")
@pytest.mark.parametrize(
    ("step", "alive", "dead"),
    [("pass", State.PREPARED, State.NOT_SENT), ("ledger.sending(seq)", State.SENDING, State.UNKNOWN)],
)
def test_a_killed_submit_is_seen_for_what_it_is_at_once(path: Path, step: str, alive: State, dead: State) -> None:
    script = f"ledger = Ledger(path)\nseq = prepare(ledger)\n{step}\nsay('ready')\nsys.stdin.read()"
    with _started(script, path) as (process, out), Ledger(path) as ledger:
        assert out.readline() == "ready\n"
        assert ledger.find("@1").state is alive

        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert ledger.find("@1").state is dead, "dead, but its parent has not noticed yet"

        process.wait()
        assert ledger.find("@1").state is dead


# --- J04, J05, J16: disks that are full or broken


@pytest.mark.drill("J04")
def test_a_place_where_nothing_can_be_made() -> None:
    place = Path("/proc/orvideo-drill/jobs.db")
    if not Path("/proc").is_dir():
        pytest.skip("SKIPPED: there is no /proc here")

    with pytest.raises(RecordError, match=str(place)) as refusal:
        Ledger(place)
    assert refusal.value.exit_code == 11


_REPORTING = """
try:
    with Ledger(path) as ledger:
        say("open")
        seq = prepare(ledger)
        say("prepared")
        ledger.sending(seq)
        say("POST")
except RecordError as error:
    say(f"{int(error.exit_code)} {error.message}")
"""


@pytest.mark.drill("J04")
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    ("calls", "error"),
    [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fsync,fdatasync", "EIO"), ("pwrite64,ftruncate,openat", "EROFS")],
)
def test_a_disk_that_does_not_take_the_intent_stops_the_submit(path: Path, calls: str, error: str, there: bool) -> None:
    if there:
        Ledger(path).close()
    # Only calls about the record: the interpreter opens files as well.
    only = f"-P{path.parent}", *(f"-P{path}{end}" for end in ("", "-wal", "-shm"))
    path.parent.mkdir(exist_ok=True)
    ended = _run(
        _REPORTING, path, "-qq", "-o", os.devnull, *(only if "openat" in calls else ()), "-e",
        f"inject={calls}:error={error}:when=1+",
    )  # fmt: skip

    said = ended.stdout.splitlines()
    assert ended.stderr == ""
    assert "POST" not in said
    assert said[-1].startswith("11 ")
    assert str(path) in said[-1]
    with Ledger(path) as ledger:
        assert all(record.state is State.NOT_SENT for record in ledger.list())
        assert ledger.check() == ()


@pytest.mark.drill("J04")
@pytest.mark.parametrize(("locked", "there"), [(".", False), (".", True), ("jobs.db", True)])
def test_rights_that_do_not_allow_to_write_stop_the_submit(path: Path, locked: str, there: bool) -> None:
    path.parent.mkdir()
    if there:
        Ledger(path).close()
    place = path.parent / locked
    place.chmod(0o500)
    try:
        command = [*_as_anybody(), *_python(_REPORTING, path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    finally:
        place.chmod(0o700)

    assert (ended.stdout[:3], ended.stderr) == ("11 ", "")
    assert str(path) in ended.stdout
    assert [file.name for file in path.parent.iterdir()] == (["jobs.db"] if there else [])


_READING = """
try:
    with Ledger(path, must_write=False) as ledger:
        record = ledger.find("job-1")
        say(f"{ledger.read_only} {record.status} {len(ledger.warnings)} {' '.join(record.extra)}".strip())
        try:
            prepare(ledger)
        except RecordError as error:
            say(f"{int(error.exit_code)} {error.message}")
except RecordError as error:
    say(f"{int(error.exit_code)} {error.message}")
"""


@pytest.mark.drill("J04")
def test_what_is_paid_for_is_found_on_a_full_disk_as_well(path: Path) -> None:
    assert _run(_LIFE, path).stdout.endswith("closed\n")
    full = ("-qq", "-o", os.devnull, "-e", "inject=pwrite64,ftruncate,fallocate:error=ENOSPC:when=1+")

    said = _run(_READING, path, *full).stdout.splitlines()
    assert said[0] == "True completed 1"
    assert said[1].startswith("11 ")
    assert str(path) in said[1]

    # Also what is still in the WAL, and only there (F-C02).
    with Ledger(path) as ledger:
        ledger.observed(ledger.find("job-1").seq, Observation("completed", extra={"new": 1}, final=True))
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{path}.copy{end}")
    said = _run(_READING, Path(f"{path}.copy"), *full).stdout.splitlines()
    assert said[0] == "True completed 1 new"
    assert said[1].startswith("11 ")


_LOCKLESS = """
import fcntl, tempfile
say("begin")
try:
    with Ledger(path, lock_timeout=0.1) as ledger:
        say("open")
        prepare(ledger)
        say("prepared")
except RecordError as error:
    say(f"{int(error.exit_code)} {error.message} {error.hint}")
"""


@pytest.mark.drill("F-C04")
@pytest.mark.parametrize("error", ["ENOLCK", "EINVAL", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_told_as_that_and_not_as_another_orvideo(path: Path, error: str) -> None:
    Ledger(path).close()
    trace = path.parent.parent / "trace"
    assert _run(_LOCKLESS, path, "-qq", "-o", str(trace)).stdout.endswith("prepared\n")
    # The interpreter needs this call as well, to begin with.
    before = sum(line.startswith("fcntl(") for line in trace.read_text().partition('write(1, "begin')[0].splitlines())
    ended = _run(_LOCKLESS, path, "-qq", "-o", os.devnull, "-e", f"inject=fcntl:error={error}:when={before + 1}+")
    assert ended.stderr == ""
    said = ended.stdout.splitlines()[-1]
    assert said.startswith("11 ")
    assert "its file system has no locks" in said
    assert "ORVIDEO_STATE_DIR" in said
    assert str(path) in said
    assert "Another orvideo" not in said


@pytest.mark.drill("F-C04")
@pytest.mark.parametrize("error", ["EINVAL", "EOPNOTSUPP"])
def test_a_file_system_that_cannot_sync_a_folder_is_trusted(path: Path, error: str) -> None:
    path.parent.mkdir()
    only = ("-P", str(path.parent), "-P", str(path.parent.parent))
    ended = _run(_REPORTING, path, "-qq", "-o", os.devnull, *only, "-e", f"inject=fsync:error={error}:when=1+")
    assert (ended.stdout.split(), ended.stderr) == (["open", "prepared", "POST"], "")


@pytest.mark.drill("F-C04")
def test_a_folder_whose_sync_fails_stops_the_submit(path: Path) -> None:
    path.parent.mkdir()
    only = ("-P", str(path.parent))
    ended = _run(_REPORTING, path, "-qq", "-o", os.devnull, *only, "-e", "inject=fsync:error=EIO:when=1+")
    assert ended.stdout.startswith("11 ")
    assert "input/output error" in ended.stdout


_LIMITED = """
ledger = Ledger(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    prepare(ledger)
    say("prepared")
except RecordError as error:
    say(f"{int(error.exit_code)} {error.message}")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
prepare(ledger)
say("and again")
ledger.close()
"""


@pytest.mark.drill("J04")
def test_a_file_that_cannot_grow_stops_the_submit_and_the_ledger_goes_on_when_it_can(path: Path) -> None:
    said = _run(_LIMITED, path).stdout.splitlines()

    assert said[0].startswith("11 ")
    assert str(path) in said[0]
    assert said[1:] == ["and again"]
    with Ledger(path) as ledger:
        assert [record.state for record in ledger.list()] == [State.NOT_SENT]


_FULL_AT_THE_ID = """
ledger = Ledger(path)
seq = prepare(ledger)
ledger.sending(seq)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    ledger.submitted(seq, "job-1")
except RecordError as error:
    say("not recorded")
os._exit(0)
"""


@pytest.mark.drill("J05")
def test_an_id_that_finds_no_room_leaves_an_unknown_outcome_and_can_be_adopted(path: Path) -> None:
    assert _run(_FULL_AT_THE_ID, path).stdout == "not recorded\n"

    with Ledger(path) as ledger:
        assert [record.state for record in ledger.list()] == [State.UNKNOWN]
        ledger.adopt("job-1", endpoint="https://openrouter.example/api/v1")
        assert ledger.find("job-1").state is State.SUBMITTED


_FULL_AT_THE_CHECKPOINT = """
ledger = Ledger(path)
size = path.stat().st_size
for number in range(20):
    seq = prepare(ledger, "p" * 10_000)
    ledger.sending(seq)
    ledger.submitted(seq, f"job-{number:02}")
assert path.stat().st_size == size, "it was checkpointed before the disk was full"
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
ledger.close()
say("closed")
"""


@pytest.mark.drill("J16")
def test_a_disk_that_fills_during_a_checkpoint_loses_nothing_that_was_committed(path: Path) -> None:
    ended = _run(_FULL_AT_THE_CHECKPOINT, path)
    assert (ended.stdout, ended.stderr) == ("closed\n", "")
    assert Path(f"{path}-wal").stat().st_size > 0, "the checkpoint went through, so nothing was drilled"

    with Ledger(path) as ledger:
        assert [record.id for record in ledger.list()] == [f"job-{number:02}" for number in reversed(range(20))]
        assert ledger.check() == ()


# --- J06, J07: processes beside each other


@pytest.mark.drill("J06")
def test_a_second_process_that_holds_the_lock_is_waited_for_and_then_named(path: Path) -> None:
    Ledger(path).close()
    holding = """
import sqlite3
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
say("held")
sys.stdin.read()
"""
    with _started(holding, path) as (process, out), Ledger(path, lock_timeout=0.3) as ledger:
        assert out.readline() == "held\n"
        with pytest.raises(RecordError, match="Another orvideo") as refusal:
            ledger.prepare(Submission(request={"model": "m"}, endpoint="sandbox"))
        assert str(path) in refusal.value.message
        assert ledger.list() == []

        process.kill()
        process.wait()
        ledger.prepare(Submission(request={"model": "m"}, endpoint="sandbox"))


_FIFTY = """
children = []
gate, opener = os.pipe()
for number in range(50):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(opener)
            os.read(gate, 1)  # all of them start when the pipe is closed
            with Ledger(path) as ledger:
                seq = prepare(ledger, f"boat {number}")
                ledger.sending(seq)
                say("POST")
                ledger.submitted(seq, f"job-{number:02}", status="pending")
            code = 0
        except RecordError as error:
            say(error.message)
        finally:
            os._exit(code)
    children.append(child)
os.close(opener)
say(f"codes {sorted({os.waitpid(child, 0)[1] for child in children})}")
"""


@pytest.mark.drill("J07")
def test_fifty_processes_at_once_make_fifty_records_in_a_record_that_was_not_there(path: Path) -> None:
    said = _run(_FIFTY, path).stdout.splitlines()

    assert said[-1] == "codes [0]", said
    assert said.count("POST") == 50
    with Ledger(path) as ledger:
        assert sorted(record.name for record in ledger.list()) == [f"job-{number:02}" for number in range(50)]
        assert {record.state for record in ledger.list()} == {State.SUBMITTED}
        assert ledger.check() == ()
    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


# --- J13: what is not on disk


@pytest.mark.drill("J13")
@pytest.mark.drill("I08")
def test_no_byte_of_an_image_reaches_the_disk(path: Path) -> None:
    picture = base64.b64encode(b"a picture of my front door" * 100).decode()
    with Ledger(path) as ledger:
        frame = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
        seq = ledger.prepare(Submission(request={"model": "m", "frame_images": [frame]}, endpoint="sandbox"))
        ledger.sending(seq)
        ledger.submitted(seq, "job-1", extra={"echo": frame, "urls": ["https://store.example/?signature=canary"]})
        on_disk = b"".join(place.read_bytes() for place in path.parent.iterdir())
    on_disk += path.read_bytes()

    assert b"job-1" in on_disk
    assert picture[40:80].encode() not in on_disk
    assert b"canary" not in on_disk


# --- S10: signals in the middle of a commit


_INTERRUPTED = """
ledger = Ledger(path)
number = caught = 0
owed = "ready"
while caught < int(sys.argv[2]):
    try:
        if owed:  # said in here, because the next signal comes as soon as it is
            say(owed)
            owed = ""
        seq = prepare(ledger)
        ledger.sending(seq)
        ledger.submitted(seq, f"job-{number:05}")
        say(f"job-{number:05}")
    except KeyboardInterrupt:
        caught += 1
        owed = "!"
    number += 1
say("!")
ledger.close()
say("closed")
"""


def _read_on(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], 5)[0]:
        return b""
    chunk = os.read(process.stdout.fileno(), 65536)
    assert chunk, "it ended too early"
    return chunk


@pytest.mark.drill("S10")
def test_signals_at_any_moment_leave_whole_transactions(path: Path) -> None:
    signals = 30
    said = b""
    with subprocess.Popen([*_python(_INTERRUPTED, path), str(signals)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while b"ready" not in said:
            said += _read_on(process)
        while (taken := said.count(b"!")) < signals:
            process.send_signal(signal.SIGINT)
            # Until it has taken this one; the next one follows at once and falls anywhere.
            while said.count(b"!") == taken and (chunk := _read_on(process)):
                said += chunk
        said += process.stdout.read()
    words = said.decode().split()

    assert process.returncode == 0
    assert words[-1] == "closed"
    with Ledger(path) as ledger:
        ids = {record.id for record in ledger.list() if record.id}
        assert {word for word in words if word.startswith("job-")} <= ids
        assert ledger.check() == ()
        for record in ledger.list():
            assert (record.state is State.SUBMITTED) == (record.id is not None)
