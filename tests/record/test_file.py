"""The file of the record: made private and whole, refused when it is not, never repaired and never replaced."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orvideo.errors import RecordError
from orvideo.record import file as ledger_file
from orvideo.record.file import Locked, Unwritable, translate_error
from orvideo.record.ledger import Ledger
from orvideo.record.migrations import APPLICATION_ID, STEPS, migrate, version_of
from orvideo.record.values import Observation, Output, State, Submission
from tests.clocks import HandClock
from tests.record.ledger_support import HERE, bring_to, finished, raw, request

posix = pytest.mark.skipif(os.name != "posix", reason="rights and links are POSIX's")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.db"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- making it


@posix
@pytest.mark.drill("J12")
def test_a_new_record_and_its_directories_are_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "jobs.db"
    before = os.umask(0)
    try:
        with Ledger(path) as ledger:
            bring_to(ledger, State.PREPARED)
            names = sorted(place.name for place in path.parent.iterdir())
            assert names == ["jobs.db", "jobs.db-shm", "jobs.db-wal"]
            assert {_mode(place) for place in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert (_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b")) == (0o700, 0o700)


@posix
@pytest.mark.drill("J12")
def test_no_file_is_readable_by_others_at_any_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    real_link = os.link

    def watching(*args: object, **more: object) -> None:
        seen.update(_mode(place) for place in path.parent.iterdir())
        real_link(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", watching)
    Ledger(path).close()

    assert seen == {0o600}


@posix
@pytest.mark.drill("J12")
def test_a_directory_that_is_there_keeps_its_rights_and_a_loose_file_is_tightened(path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    Ledger(path).close()
    path.chmod(0o644)

    with Ledger(path) as ledger:
        assert ledger.warnings == []

    assert (_mode(path.parent), _mode(path)) == (0o755, 0o600)


def test_settings_of_every_connection(path: Path) -> None:
    with Ledger(path):
        pass
    with raw(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert version_of(connection) == len(STEPS)
    connection, _ = ledger_file.open_file(path, lambda attempt: attempt())
    with closing(connection):
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_nothing_is_left_beside_a_new_record(path: Path) -> None:
    Ledger(path).close()

    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


@pytest.mark.drill("J01")
def test_what_a_killed_process_left_of_an_unfinished_record_is_swept_away(path: Path) -> None:
    path.parent.mkdir()
    for end in ("", "-wal", "-shm"):
        (path.parent / f".jobs.db.new-1-abcd{end}").write_bytes(b"half a record")

    Ledger(path).close()

    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


@posix
@pytest.mark.drill("J01")
def test_a_kill_between_the_two_names_of_a_new_record_leaves_no_second_name(path: Path) -> None:
    Ledger(path).close()
    os.link(path, path.parent / ".jobs.db.new-1-abcd")

    Ledger(path).close()

    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


@pytest.mark.drill("J01")
def test_whoever_is_second_to_make_the_record_uses_the_first_ones(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "rename" if sys.platform == "win32" else "link"
    really = getattr(os, name)
    made: list[int] = []

    def overtaken(*args: object, **more: object) -> None:
        monkeypatch.undo()
        with Ledger(path) as quicker:  # sweeps our unfinished file away as well
            made.append(bring_to(quicker, State.SUBMITTED, job_id="first-1"))
        really(*args, **more)

    monkeypatch.setattr(os, name, overtaken)
    with Ledger(path) as second:
        assert second.find("first-1").seq == made[0]
    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


@posix
def test_without_hard_links_the_record_is_renamed_into_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **more: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED, job_id="first-1")
    with Ledger(path) as ledger:
        assert ledger.find("first-1")
    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


def test_a_path_with_anything_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a ?b#c%41'é" / "jobs?mode=ro.db"
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
    assert path.is_file()


# --- what is not a record is left as it is


def _whole(path: Path) -> bytes:
    with Ledger(path) as ledger:
        for number in range(30):
            finished(ledger, f"job-{number}", request=request(prompt="p" * 500))
    return path.read_bytes()


def _other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (name)")


def _newer(path: Path) -> None:
    _whole(path)
    with raw(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")


_BROKEN: list[tuple[str, Callable[[Path], object], str]] = [
    ("zero length", lambda path: path.write_bytes(b""), "only 0 bytes"),
    ("one byte", lambda path: path.write_bytes(b"x"), "only 1 bytes"),
    ("garbage", lambda path: path.write_bytes(bytes(range(256)) * 64), "damaged"),
    ("text", lambda path: path.write_text("my notes\n" * 500), "damaged"),
    ("cut after 100 bytes", lambda path: path.write_bytes(_whole(path)[:100]), "damaged"),
    ("cut in the middle", lambda path: path.write_bytes(_whole(path)[: 4096 * 3 + 7]), "damaged"),
    ("cut by a page", lambda path: path.write_bytes(_whole(path)[:-4096]), "damaged"),
    ("garbage at its head", lambda path: path.write_bytes(b"\xff" * 512 + _whole(path)[512:]), "damaged"),
    ("another program's", _other_database, "not orvideo's record"),
    ("newer", _newer, "newer orvideo"),
    ("a directory", lambda path: path.mkdir(), "not a regular file"),
]


@pytest.mark.drill("J08")
@pytest.mark.parametrize(("spoil", "says"), [pytest.param(*case[1:], id=case[0]) for case in _BROKEN])
def test_what_is_not_a_record_is_refused_left_alone_and_moved_aside_by_the_command_it_says(
    path: Path, spoil: Callable[[Path], object], says: str
) -> None:
    path.parent.mkdir()
    spoil(path)
    before = _content(path.parent)

    for _ in range(2):
        with pytest.raises(RecordError, match=says) as refusal:
            Ledger(path)
        assert str(path) in refusal.value.message
    assert _content(path.parent) == before

    assert (refusal.value.hint or "").endswith("orvideo doctor --move-record-aside")
    ledger_file.move_aside(path)
    with Ledger(path) as ledger:
        assert ledger.list() == []
    assert _content(path.parent / "aside-1-jobs.db") == before


def _content(directory: Path) -> dict[str, bytes | None]:
    return {place.name: place.read_bytes() if place.is_file() else None for place in directory.iterdir()}


@pytest.mark.drill("J08")
def test_a_record_that_is_gone_while_its_wal_is_there_is_not_begun_anew(path: Path) -> None:
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
        wal = Path(f"{path}-wal").read_bytes()
    Path(f"{path}-wal").write_bytes(wal)
    path.rename(path.with_name("taken-away"))

    with pytest.raises(RecordError, match="missing") as refusal:
        Ledger(path)

    assert Path(f"{path}-wal").read_bytes() == wal
    assert not path.exists()
    assert ledger_file.MOVE_ASIDE in (refusal.value.hint or "")


def test_the_command_that_moves_aside_takes_the_companions_along_and_a_free_name(tmp_path: Path) -> None:
    path = tmp_path / "it's here.db"
    (tmp_path / "aside-1-it's here.db").mkdir()
    for end in ("", "-wal"):
        Path(f"{path}{end}").write_bytes(end.encode())

    aside, names = ledger_file.move_aside(path)

    assert (aside, names) == (tmp_path / "aside-2-it's here.db", ["it's here.db", "it's here.db-wal"])
    assert _content(aside) == {"it's here.db": b"", "it's here.db-wal": b"-wal"}
    assert not path.exists()


@pytest.mark.drill("W20")
def test_w20_a_record_that_another_process_has_open_is_not_moved(path: Path) -> None:
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
    holding = "import sys; from orvideo.record.ledger import Ledger; from pathlib import Path\n"
    holding += "with Ledger(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"open"
        before = sorted(one.name for one in path.parent.iterdir())
        with pytest.raises(RecordError, match="nothing was moved") as refusal:
            ledger_file.move_aside(path)
        assert "no other orvideo" in (refusal.value.hint or "")
        assert sorted(one.name for one in path.parent.iterdir()) == before
        other.communicate()
    assert path.name in ledger_file.move_aside(path)[1]


@pytest.mark.drill("W20")
def test_w20_a_companion_that_cannot_be_moved_leaves_all_where_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    for end in ("", "-wal"):
        Path(f"{path}{end}").write_bytes(b"x")
    replace = ledger_file.system.replace

    def refuse(old: Path, new: Path) -> None:
        if old.name.endswith("-wal"):
            raise PermissionError(13, "Sharing violation")
        replace(old, new)

    monkeypatch.setattr(ledger_file.system, "replace", refuse)
    with pytest.raises(RecordError, match="nothing was moved"):
        ledger_file.move_aside(path)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}-wal"]


def test_where_there_is_no_record_none_is_moved(path: Path) -> None:
    with pytest.raises(RecordError, match="no record to move"):
        ledger_file.move_aside(path)


@posix
@pytest.mark.drill("J08")
def test_a_link_that_leads_nowhere_is_not_replaced(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent / "elsewhere.db")

    with pytest.raises(RecordError, match=str(path)):
        Ledger(path)
    assert path.is_symlink()
    assert [place.name for place in path.parent.iterdir()] == ["jobs.db"]


@posix
@pytest.mark.timeout(240)
def test_a_pipe_in_its_place_is_refused_and_not_waited_on(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(RecordError, match="not a regular file"):
        Ledger(path)


def test_damage_that_shows_later_is_refused_as_well(path: Path) -> None:
    _whole(path)
    content = bytearray(path.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)

    with Ledger(path) as ledger:
        with pytest.raises(RecordError, match="damaged") as refusal:
            ledger.list()
        assert ledger_file.MOVE_ASIDE in (refusal.value.hint or "")
        with pytest.raises(RecordError):
            bring_to(ledger, State.PREPARED)


# --- places that cannot be written


@pytest.mark.drill("J04")
def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    with pytest.raises(RecordError, match=re.escape(str(tmp_path / "state" / "jobs.db"))) as refusal:
        Ledger(tmp_path / "state" / "jobs.db")
    assert refusal.value.exit_code == 11


@pytest.mark.drill("J08")
@pytest.mark.parametrize("spoil", [case[1] for case in _BROKEN])
def test_only_a_whole_record_is_opened_to_be_read(path: Path, spoil: Callable[[Path], object]) -> None:
    path.parent.mkdir()
    spoil(path)

    with pytest.raises(RecordError):
        Ledger(path, must_write=False)


def test_a_record_that_can_be_written_is_never_opened_to_be_read_only(path: Path) -> None:
    with Ledger(path, must_write=False) as ledger:
        assert not ledger.read_only
        bring_to(ledger, State.SUBMITTED)


_PLACES: list[tuple[str, Callable[[Path], Path], str]] = [
    ("a link to itself", lambda home: _loop(home), "cannot be used: it is a symbolic link"),
    ("a link to itself above it", lambda home: _loop(home) / "jobs.db", "cannot be used"),
    ("a file above it", lambda home: _file(home) / "jobs.db", "a part of its path is a file"),
    ("a file far above it", lambda home: _file(home) / "state" / "jobs.db", "a part of its path is a file"),
    ("a pipe above it", lambda home: _pipe(home) / "jobs.db", "cannot be used"),
    ("a pipe", lambda home: _pipe(home), "not a regular file"),
    ("a directory", lambda home: home, "not a regular file"),
    ("a name that is too long", lambda home: home / ("j" * 300), "its name is too long"),
    ("where nothing can be made", lambda home: Path("/proc/orvideo/jobs.db"), "cannot be used"),
]


def _loop(home: Path) -> Path:
    (home / "loop").symlink_to(home / "loop")
    return home / "loop"


def _file(home: Path) -> Path:
    (home / "file").write_text("not a folder")
    return home / "file"


def _pipe(home: Path) -> Path:
    os.mkfifo(home / "pipe")
    return home / "pipe"


@posix
@pytest.mark.timeout(240)
@pytest.mark.drill("F-C05", "F-C04")
@pytest.mark.parametrize("must_write", [True, False])
@pytest.mark.parametrize(("place", "says"), [pytest.param(*case[1:], id=case[0]) for case in _PLACES])
def test_a_place_that_cannot_be_is_told_in_a_sentence_and_not_waited_on(
    tmp_path: Path, place: Callable[[Path], Path], says: str, must_write: bool
) -> None:
    path = place(tmp_path)
    with pytest.raises(RecordError, match=says) as refusal:
        Ledger(path, must_write=must_write)
    assert str(path) in refusal.value.message
    assert refusal.value.message.endswith(".")


@posix
@pytest.mark.timeout(240)
@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_a_pipe_beside_the_record_is_not_waited_on(path: Path, end: str) -> None:
    Ledger(path).close()
    os.mkfifo(f"{path}{end}")
    for must_write in (True, False):
        with pytest.raises(RecordError, match=f"{path}{end} is not a regular file"):
            Ledger(path, must_write=must_write)


# --- versions


def test_a_step_is_one_transaction_and_is_taken_once(path: Path) -> None:
    steps = (*STEPS, ("ALTER TABLE jobs ADD COLUMN colour TEXT", "UPDATE jobs SET colour = 'old'"))
    with Ledger(path) as ledger:
        bring_to(ledger, State.SUBMITTED)
    with raw(path) as connection:
        migrate(connection, steps)
        migrate(connection, steps)
        assert version_of(connection) == len(steps)
        assert connection.execute("SELECT colour FROM jobs").fetchall() == [("old",)]


def test_a_step_that_fails_leaves_the_version_before(path: Path) -> None:
    Ledger(path).close()
    with raw(path) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, (*STEPS, ("ALTER TABLE jobs ADD COLUMN colour TEXT", "UPDATE nothing SET x = 1")))
        assert version_of(connection) == len(STEPS)
        assert not connection.in_transaction
        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
    Ledger(path).close()


def test_two_processes_that_migrate_at_once_take_each_step_once(path: Path) -> None:
    Ledger(path).close()
    step = ("ALTER TABLE jobs ADD COLUMN colour TEXT",)
    with raw(path) as first, raw(path) as second:
        assert version_of(second) == len(STEPS)
        migrate(first, (*STEPS, step))
        migrate(second, (*STEPS, step))
        assert version_of(second) == len(STEPS) + 1


# The record as the first release wrote it, word for word. Every later release must open it: never change this.
_VERSION_1 = """
PRAGMA application_id = 1869772388;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, handle TEXT NOT NULL, job_id TEXT, endpoint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('prepared', 'sending', 'submitted', 'unknown', 'not_sent')),
    status TEXT, final INTEGER NOT NULL DEFAULT 0, fetched INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, sending_at INTEGER, submitted_at INTEGER, looked_at INTEGER, ended_at INTEGER,
    watched INTEGER NOT NULL DEFAULT 0, owner TEXT, model TEXT, prompt TEXT, resolution TEXT, duration INTEGER,
    audio INTEGER, mode TEXT, request TEXT NOT NULL, quote TEXT, quoted_most TEXT, cost TEXT, max_cost TEXT, error TEXT,
    generation_id TEXT, target TEXT, expected_outputs INTEGER, extra TEXT NOT NULL DEFAULT '{}', batch TEXT,
    row_key TEXT, row_number INTEGER, answer_status INTEGER, answer BLOB,
    CHECK (state <> 'submitted' OR job_id IS NOT NULL)
);
CREATE UNIQUE INDEX jobs_by_handle ON jobs (handle);
CREATE UNIQUE INDEX jobs_by_id ON jobs (job_id, endpoint) WHERE job_id IS NOT NULL;
CREATE INDEX jobs_by_time ON jobs (created_at);
CREATE INDEX jobs_by_batch ON jobs (batch, row_key) WHERE batch IS NOT NULL;
CREATE INDEX jobs_by_shape ON jobs (model, mode, resolution, duration, audio, ended_at) WHERE status = 'completed';
CREATE INDEX jobs_unfinished ON jobs (seq) WHERE state = 'submitted' AND final = 0;
CREATE INDEX jobs_unknown ON jobs (seq) WHERE state IN ('sending', 'unknown');
CREATE INDEX jobs_not_fetched ON jobs (seq) WHERE status = 'completed' AND fetched = 0;
CREATE TABLE outputs (
    seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE, number INTEGER NOT NULL, path TEXT, bytes INTEGER,
    sha256 TEXT, saved_at INTEGER, PRIMARY KEY (seq, number)
) WITHOUT ROWID;
CREATE TABLE partial_downloads (
    seq INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE, number INTEGER NOT NULL, part TEXT NOT NULL,
    etag TEXT, source TEXT, total INTEGER, PRIMARY KEY (seq, number)
) WITHOUT ROWID;
PRAGMA user_version = 1;
INSERT INTO jobs VALUES (
    1, 'sub-abcdefgh', 'old-1', 'https://openrouter.example/api/v1', 'submitted', 'completed', 1, 1, 1793275200000000,
    1793275260000000, 1793275200500000, 1793275200500000, 1793275250000000, 1793275260000000, 1, NULL, 'x-ai/grok',
    'a paper boat', '480p', 1, 0, 'text', '{"model":"x-ai/grok","prompt":"a paper boat"}',
    '{"kind":"exact","usd":0.05,"low":0.05,"high":0.05,"reasons":[]}', '0.05', '0.05', NULL, NULL, 'gen-1',
    '/v/boat.mp4', 1, '{}', NULL, NULL, NULL, NULL, NULL
);
INSERT INTO outputs VALUES (1, 0, '/v/boat.mp4', 7, 'ab', 1793275261000000);
"""


def test_a_record_of_the_first_release_opens_and_goes_on(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_VERSION_1)

    with Ledger(path) as ledger:
        job = ledger.find("old-1")
        assert (job.prompt, str(job.cost), job.outputs[0].sha256, job.is_fetched) == (
            "a paper boat",
            "0.05",
            "ab",
            True,
        )
        assert ledger.list(not_downloaded=True) == []
        assert (job.quote or {})["kind"] == "listed", "no price is called exact any more (finding A05)"
        assert (job.is_byok, job.profile, ledger.spent("model")[0].known) == (None, None, 1)
        assert (job.mark, job.note, job.batch_name, job.frames) == (None, None, None, ())
        ledger.set_mark(job.seq, "keep", "the first")
        marked = ledger.find("old-1")
        assert (marked.mark, marked.note) == ("keep", "the first")
        finished(ledger, "new-1")
        assert [record.name for record in ledger.list()] == ["new-1", "old-1"]
    with raw(path) as connection:
        assert version_of(connection) == len(STEPS)


def test_a_new_record_has_the_tables_of_one_that_went_through_every_version(tmp_path: Path, path: Path) -> None:
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.executescript(_VERSION_1)
        migrate(connection)
        from_old = _schema(connection)
    Ledger(path).close()
    with raw(path) as connection:
        assert _schema(connection) == from_old


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what each table and index is made of, spelt in one way."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: "".join(sql.split()) for name, sql in rows}


# --- another process in the way


@pytest.mark.drill("J06")
def test_a_lock_that_is_not_let_go_is_waited_for_ten_seconds_and_then_refused(path: Path) -> None:
    time = HandClock()
    with Ledger(path, clock=time.clock()) as ledger, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="Another orvideo holds the record") as refusal:
            ledger.prepare(Submission(request=request(), endpoint=HERE))
        assert refusal.value.exit_code == 11
        assert 9.9 <= sum(time.slept) <= 10.1
        assert max(time.slept) <= 0.05, "a signal is heard at once"
        assert ledger.list() == [], "reading goes on"
        other.execute("ROLLBACK")
        bring_to(ledger, State.SUBMITTED)


@pytest.mark.drill("J06")
def test_a_lock_that_is_let_go_in_time_is_no_trouble(path: Path) -> None:
    time = HandClock()
    Ledger(path).close()
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")

        def sleep(seconds: float) -> None:
            time.sleep(seconds)
            if sum(time.slept) > 3 and other.in_transaction:
                other.execute("ROLLBACK")

        with Ledger(path, clock=time.clock()._replace(sleep=sleep)) as ledger:
            bring_to(ledger, State.PREPARED)
            assert len(ledger.list()) == 1


@pytest.mark.drill("J06", "R-A2")
def test_waiting_helps_before_a_submit_and_only_there_it_is_said(path: Path) -> None:
    time = HandClock()
    with Ledger(path, clock=time.clock(), lock_timeout=0.1) as ledger, raw(path) as other:
        prepared, sending = bring_to(ledger, State.PREPARED), bring_to(ledger, State.SENDING)
        other.execute("BEGIN IMMEDIATE")
        for before in (lambda: bring_to(ledger, State.PREPARED), lambda: ledger.sending(prepared)):
            with pytest.raises(Locked) as refusal:
                before()
            assert refusal.value.hint is None
            refusal.value.say_nothing_was_sent()
            assert refusal.value.message.endswith(" Nothing was sent.")
            assert refusal.value.hint == "run this again when it is done"
        for after in (
            lambda: ledger.submitted(sending, "job-1"),
            lambda: ledger.outcome_unknown(sending, "why"),
            lambda: ledger.observed(sending, Observation("pending")),
            lambda: ledger.output_saved(sending, Output(0, "/v/a.mp4")),
        ):
            with pytest.raises(RecordError, match="Another orvideo holds the record") as refusal:
                after()
            assert refusal.value.hint is None
            assert "sent" not in refusal.value.message


@pytest.mark.drill("R-B9")
def test_a_write_that_waits_is_in_nobodys_way_and_ends_at_once_when_there_is_hurry(path: Path) -> None:
    with Ledger(path, lock_timeout=3600) as ledger, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        refusals: list[RecordError] = []

        def wait() -> None:
            try:
                bring_to(ledger, State.PREPARED)
            except RecordError as error:
                refusals.append(error)

        threads = [threading.Thread(target=wait, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            assert ledger.list() == [], "reads go on beside them"
        assert all(thread.is_alive() for thread in threads)

        ledger.hurry()
        for thread in threads:
            thread.join(240)
        assert not any(thread.is_alive() for thread in threads)
        assert len(refusals) == 3
        other.execute("ROLLBACK")
        bring_to(ledger, State.PREPARED)


@pytest.mark.drill("R-B9")
def test_in_a_hurry_a_moments_lock_is_still_waited_for(path: Path) -> None:
    time = HandClock()
    with Ledger(path, clock=time.clock()) as ledger, raw(path) as other:
        ledger.hurry()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError):
            bring_to(ledger, State.PREPARED)
        assert 0.2 <= sum(time.slept) <= 0.4


@pytest.mark.drill("R-B9")
def test_each_write_may_have_a_patience_of_its_own(path: Path) -> None:
    time = HandClock()
    with Ledger(path, clock=time.clock()) as ledger, raw(path) as other:
        seq = bring_to(ledger, State.SENDING)
        other.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: ledger.submitted(seq, "job-1", lock_timeout=0.3),
            lambda: ledger.not_sent(seq, "why", lock_timeout=0.3),
            lambda: ledger.outcome_unknown(seq, "why", lock_timeout=0.3),
            lambda: ledger.observed(seq, Observation("pending"), lock_timeout=0.3),
            lambda: ledger.output_saved(seq, Output(0, "/v/a.mp4"), lock_timeout=0.3),
            lambda: ledger.set_target(seq, "/v/a.mp4", lock_timeout=0.3),
        ):
            time.slept.clear()
            with pytest.raises(RecordError):
                write()
            assert 0.3 <= sum(time.slept) <= 0.4


@pytest.mark.drill("J06")
def test_the_time_to_wait_is_a_parameter(path: Path) -> None:
    time = HandClock()
    with Ledger(path, clock=time.clock(), lock_timeout=0.5) as ledger, raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError):
            bring_to(ledger, State.PREPARED)
        assert sum(time.slept) <= 0.6


@pytest.mark.drill("F-C04")
@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (sqlite3.SQLITE_BUSY, Locked, "Another orvideo holds"),
        (sqlite3.SQLITE_LOCKED, Locked, "Another orvideo holds"),
        (sqlite3.SQLITE_CORRUPT, RecordError, "is damaged"),
        (sqlite3.SQLITE_NOTADB, RecordError, "is damaged"),
        (sqlite3.SQLITE_FULL, Unwritable, "the disk is full"),
        (sqlite3.SQLITE_READONLY, Unwritable, "cannot be written (why)"),
        (sqlite3.SQLITE_NOMEM, RecordError, "cannot be used (why)"),
        (None, RecordError, "cannot be used (why)"),
    ],
)
def test_c04_each_error_of_sqlite_is_told_as_what_it_is(
    tmp_path: Path, code: int | None, kind: type[RecordError], says: str
) -> None:
    error = sqlite3.OperationalError("why")
    if code is not None:
        error.sqlite_errorcode = code
    told = translate_error(tmp_path / "jobs.db", error)
    assert (type(told), says in told.message) == (kind, True), told.message
