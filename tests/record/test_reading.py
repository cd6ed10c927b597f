"""A record that can only be read: every committed row is found, whatever is still in SQLite's log."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from orvideo.errors import RecordError
from orvideo.record.file import Unwritable, open_to_read
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, State
from orvideo.record.wal import apply_log
from tests.record.ledger_support import bring_to, finished, raw, request

WHY = Unwritable("The record cannot be written.")
pytestmark = [
    pytest.mark.skipif(not hasattr(sqlite3.Connection, "deserialize"), reason="SKIPPED: this SQLite lacks deserialize")
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.db"


def dump(connection: sqlite3.Connection) -> list[str]:
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return list(connection.iterdump())


def by_sqlite(content: bytes, log: bytes, place: Path) -> list[str]:
    """Return what SQLite itself makes of a database and its log."""
    place.mkdir(exist_ok=True)
    path = place / "copy.db"
    for leftover in place.iterdir():
        leftover.unlink()
    path.write_bytes(content)
    Path(f"{path}-wal").write_bytes(log)
    with raw(path) as connection:
        return dump(connection)


def by_us(content: bytes, log: bytes) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(apply_log(log, content))
        return dump(connection)


def snapshots(path: Path) -> list[tuple[bytes, bytes]]:
    """Return the file and the log of a record at many moments of its life: grown, shrunk, checkpointed, begun anew."""
    found: list[tuple[bytes, bytes]] = []
    with Ledger(path) as ledger:
        for number in range(6):
            for more in range(4):
                finished(ledger, f"job-{number}-{more}", request=request(prompt="p" * 3000))
            if number == 2:
                for record in ledger.list()[2:]:
                    ledger.forget(record.seq)
            if number in (1, 4):
                with raw(path) as other:
                    other.execute(f"PRAGMA wal_checkpoint({'PASSIVE' if number == 1 else 'RESTART'})")
            if number == 3:
                with raw(path) as other:
                    other.execute("VACUUM")
            found.append((path.read_bytes(), Path(f"{path}-wal").read_bytes()))
    return found


@pytest.mark.drill("F-C02")
def test_the_log_is_applied_as_sqlite_applies_it(path: Path, tmp_path: Path) -> None:
    taken = snapshots(path)
    assert any(len(log) > 32 for _, log in taken)
    for content, log in taken:
        assert by_us(content, log) == by_sqlite(content, log, tmp_path / "copy")


@pytest.mark.drill("F-C02")
def test_a_log_that_was_cut_or_spoilt_counts_up_to_its_last_whole_commit(path: Path, tmp_path: Path) -> None:
    content, log = snapshots(path)[0]
    frame = 24 + 4096
    for length in {0, 10, 31, 32, 33, 32 + frame - 1, *range(32, len(log), frame), len(log) - 1, len(log) - frame}:
        assert by_us(content, log[:length]) == by_sqlite(content, log[:length], tmp_path / "copy"), length
    for place in (0, 8, 16, 20, 24, 32, 36, 40, 48, 32 + frame + 100, len(log) // 2, len(log) - 5):
        spoilt = bytearray(log)
        spoilt[place] ^= 0x5A
        assert by_us(content, bytes(spoilt)) == by_sqlite(content, bytes(spoilt), tmp_path / "copy"), place


def logged(*frames: tuple[int, int, bytes]) -> bytes:
    """Return a log of these frames: page number, size of the database in pages after a commit (else 0), page."""

    def checked(data: bytes, total: tuple[int, int]) -> tuple[int, int]:
        first, second = total
        for even, odd in struct.iter_unpack(">2I", data):
            first = (first + even + second) % 2**32
            second = (second + odd + first) % 2**32
        return first, second

    log = struct.pack(">6I", 0x377F0683, 3007000, 512, 0, 1, 2)
    total = checked(log, (0, 0))
    log += struct.pack(">2I", *total)
    for number, size, page in frames:
        head = struct.pack(">2I", number, size)
        total = checked(head + page, total)
        log += head + struct.pack(">4I", 1, 2, *total) + page
    return log


def test_pages_that_a_log_does_not_have_are_empty_and_those_past_the_end_are_none() -> None:
    one, other = b"1" * 512, b"2" * 512
    log = logged((5, 0, one), (4, 0, one), (3, 4, other), (2, 0, b"x" * 512))
    assert apply_log(log, one)[512:] == bytes(512) + other + one
    assert len(apply_log(logged((1, 1, one)), one + other)) == 512


def test_what_is_no_log_changes_nothing(path: Path) -> None:
    Ledger(path).close()
    content = path.read_bytes()
    for log in (b"", b"x" * 31, bytes(5000), b"\xff" * 9000):
        assert apply_log(log, content)[20:] == content[20:]


# Begins to commit, says so, and commits and checkpoints until its stdin is closed.
_WRITER = """
import os, select, sys
from pathlib import Path
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
with Ledger(Path(sys.argv[1])) as ledger:
    number = 0
    while not select.select([0], [], [], 0)[0]:
        ledger.prepare(Submission({"model": "m", "prompt": f"{number} " + "p" * 2000}, "sandbox"))
        number += 1
        if number % 7 == 0:
            ledger._connection.execute("PRAGMA wal_checkpoint(RESTART)")
        os.write(1, b"%d\\n" % number)
"""


@pytest.mark.drill("F-C02")
def test_a_copy_that_is_taken_while_another_process_writes_misses_nothing_that_was_committed(path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdin is not None
        try:
            for _ in range(25):
                committed = int(writer.stdout.readline())
                connection, _ = open_to_read(path, WHY)
                with closing(connection):
                    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                    (there,) = connection.execute("SELECT count(*) FROM jobs").fetchone()
                    assert there >= committed
        finally:
            writer.stdin.close()
            writer.stdout.read()


@pytest.mark.drill("F-C02")
def test_to_read_leaves_no_trace_beside_the_record(path: Path) -> None:
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
        before = {place.name: place.read_bytes() for place in path.parent.iterdir()}
        connection, _ = open_to_read(path, WHY)
        connection.close()
        assert {place.name: place.read_bytes() for place in path.parent.iterdir()} == before


def test_a_rollback_journal_is_not_read_over(path: Path) -> None:
    Ledger(path).close()
    Path(f"{path}-journal").write_bytes(b"half a transaction")
    with pytest.raises(Unwritable) as refusal:
        open_to_read(path, WHY)
    assert refusal.value is WHY
    Path(f"{path}-journal").write_bytes(b"")
    open_to_read(path, WHY)[0].close()


def test_a_record_of_an_earlier_version_that_cannot_be_brought_up_to_date_is_not_read(path: Path) -> None:
    Ledger(path).close()
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    with pytest.raises(Unwritable) as refusal:
        open_to_read(path, WHY)
    assert refusal.value is WHY


_LIMITED = """
import os, resource, sys
from pathlib import Path
from orvideo.record.ledger import Ledger
from orvideo.record.values import Output, Observation
from orvideo.errors import RecordError

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def say(word):
    os.write(1, f"{word}\\n".encode())

path = Path(sys.argv[1])
"""


def python(script: str, path: Path) -> list[str]:
    command = [sys.executable, "-c", _LIMITED + textwrap.dedent(script), str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


@pytest.mark.drill("F-C02", "M30")
@pytest.mark.skipif(os.name != "posix", reason="SKIPPED: limits are POSIX's")
def test_on_a_full_disk_what_is_in_the_log_is_found_and_the_next_writable_moment_writes(path: Path) -> None:
    with Ledger(path) as ledger:
        seq = bring_to(ledger, State.SUBMITTED)
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", path.parent / f"killed.db{end}")
    said = python(
        """
        room(0)
        with Ledger(path, must_write=False) as ledger:
            record = ledger.find("job-1")
            say(ledger.read_only and len(ledger.warnings))
            try:
                ledger.observed(record.seq, Observation("in_progress"))
            except RecordError as error:
                say(f"{int(error.exit_code)} {error.message}")
            say(ledger.find("job-1").status)
            room(resource.RLIM_INFINITY)
            ledger.observed(record.seq, Observation("completed", final=True))
            ledger.output_saved(record.seq, Output(0, "/v/boat.mp4", 3, "ab"))
            say(ledger.read_only)
            say(ledger.find("job-1").is_fetched)
        """,
        path.parent / "killed.db",
    )
    assert said[0] == "1"
    assert said[1].startswith("11 ")
    assert "killed.db cannot be written" in said[1]
    assert "sent" not in said[1]
    assert said[2:] == ["pending", "False", "True"]
    with Ledger(path.parent / "killed.db") as ledger:
        assert ledger.get(seq).final


@pytest.mark.drill("F-C02")
def test_a_record_that_another_program_locked_for_itself_is_read_all_the_same(path: Path) -> None:
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
    holding = """
        import sqlite3
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("UPDATE jobs SET status = 'in_progress'")
        connection.execute("COMMIT")
        say("held")
        sys.stdin.read()
    """
    command = [sys.executable, "-c", _LIMITED + textwrap.dedent(holding), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RecordError, match="Another orvideo holds"):
            Ledger(path, lock_timeout=0.1)
        with Ledger(path, lock_timeout=0.1, must_write=False) as ledger:
            assert (ledger.read_only, ledger.find("job-1").status) == (True, "in_progress")
            with pytest.raises(RecordError, match="Another orvideo holds"):
                ledger.observed(1, Observation("completed", final=True))
            with pytest.raises(RecordError, match="Another orvideo holds"):
                ledger.require_writable()
            closed = Ledger(path, lock_timeout=0.1, must_write=False)
            closed.close()
            with pytest.raises(RecordError, match="was closed"):
                closed.set_target(1, "/v/boat.mp4")
            holder.communicate()
            ledger.observed(1, Observation("completed", final=True))
            ledger.require_writable()
            assert (ledger.read_only, ledger.find("job-1").status) == (False, "completed")


def test_a_record_that_was_taken_away_meanwhile_is_not_begun_anew(path: Path) -> None:
    said = []
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
    said = python(
        """
        room(0)
        with Ledger(path, must_write=False) as ledger:
            room(resource.RLIM_INFINITY)
            path.rename(path.with_name("away.db"))
            try:
                ledger.set_target(1, "x")
            except RecordError as error:
                say(type(error).__name__)
            say(ledger.find("job-1").id)
        """,
        path,
    )
    assert said == ["Unwritable", "job-1"]
    assert not path.exists()


@pytest.mark.drill("F-C02")
def test_a_folder_that_nobody_may_write_to_is_read_with_what_is_in_the_log(path: Path) -> None:
    from tests.drills.test_record import as_anybody

    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
        content = {end: Path(f"{path}{end}").read_bytes() for end in ("", "-wal")}
    for end, data in content.items():
        Path(f"{path}{end}").write_bytes(data)
    for place in path.parent.iterdir():
        place.chmod(0o400)
    path.parent.chmod(0o500)
    script = """
        with Ledger(path, must_write=False) as ledger:
            say(f"{ledger.read_only} {ledger.find('job-1').status}")
    """
    try:
        command = [*as_anybody(), sys.executable, "-c", _LIMITED + textwrap.dedent(script), str(path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    finally:
        path.parent.chmod(0o700)
    assert (ended.stdout, ended.stderr) == ("True pending\n", "")
