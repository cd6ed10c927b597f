"""What a run writes after the purchase: nothing is in its way, nothing is lost in silence."""

from __future__ import annotations

import sqlite3
import threading
import time as real_time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo.deadline import Deadline
from orvideo.errors import RecordError
from orvideo.record.file import Unwritable
from orvideo.record.journal import FLUSH_TIMEOUT, LOCK_TIMEOUT, MAX_NAMED, MIN_FLUSH_TIME, Journal, PendingWrite
from orvideo.record.ledger import Ledger
from orvideo.record.values import SANDBOX, Observation, Output, Record, State, Submission
from tests.clocks import HandClock
from tests.record.ledger_support import HERE, START, bring_to, raw

FILM = Output(0, "/v/boat.mp4", 3, "ab")
DONE = Observation("completed", Decimal("0.05"), generation_id="gen-1", extra={"a": 1}, final=True, expected_outputs=1)


@pytest.fixture
def time() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "jobs.db"


@pytest.fixture
def ledger(path: Path, time: HandClock) -> Iterator[Ledger]:
    with Ledger(path, clock=time.clock()) as ledger:
        yield ledger


@pytest.fixture
def told() -> list[RecordError]:
    return []


@pytest.fixture
def journal(ledger: Ledger, told: list[RecordError]) -> Journal:
    return Journal(ledger, told.append)


@pytest.fixture
def other(ledger: Ledger, path: Path) -> Iterator[sqlite3.Connection]:
    """Another process, which may hold the record."""
    with raw(path) as connection:
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def hold(other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")


def let_go(other: sqlite3.Connection) -> None:
    other.execute("ROLLBACK")


def whole_life(journal: Journal, seq: int, job_id: str = "job-1") -> None:
    journal.submitted(seq, job_id, status="pending")
    journal.observed(seq, Observation("in_progress"))
    journal.observed(seq, DONE)
    journal.output_saved(seq, FILM)


def assert_whole(record: Record | None) -> None:
    assert record is not None
    assert (record.id, record.state, record.status, record.final) == ("job-1", State.SUBMITTED, "completed", True)
    assert (record.cost, record.generation_id, record.extra) == (Decimal("0.05"), "gen-1", {"a": 1})
    assert (record.ended_at is not None, record.is_fetched, record.outputs[0].path) == (True, True, "/v/boat.mp4")


def test_what_can_be_written_is_on_the_disk_when_the_journal_returns(
    ledger: Ledger, journal: Journal, path: Path, told: list[RecordError]
) -> None:
    seq = bring_to(ledger, State.SENDING)
    journal.submitted(seq, "job-1")
    with Ledger(path) as next_process:
        assert next_process.find("job-1").seq == seq
    journal.observed(seq, DONE)
    journal.output_saved(seq, FILM)
    journal.set_target(seq, "/v/boat.mp4")
    with Ledger(path) as next_process:
        assert_whole(next_process.get(seq))
        assert next_process.get(seq).target == "/v/boat.mp4"
    assert journal.flush(Deadline(ledger.clock)) is None
    assert told == []


@pytest.mark.drill("M30", "R-A2", "F-A08")
def test_a_record_that_is_held_for_25_seconds_costs_a_run_nothing(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock, told: list[RecordError]
) -> None:
    seq = bring_to(ledger, State.SENDING)
    hold(other)
    whole_life(journal, seq)
    for _ in range(25):
        time.elapsed += 1
        journal.retry()
    assert LOCK_TIMEOUT <= sum(time.slept) <= LOCK_TIMEOUT + 0.1, "only the first write waits"
    assert ledger.get(seq).id is None
    assert_whole(journal.record(seq))

    let_go(other)
    time.elapsed += 1
    journal.retry()

    assert_whole(ledger.get(seq))
    assert journal.flush(Deadline(ledger.clock)) is None
    (warning,) = told
    assert "Another orvideo holds the record" in warning.message
    assert "orvideo goes on and keeps trying" in warning.message
    assert warning.hint is None, "to run it again would be to buy it again"
    assert "sent" not in warning.message


def test_after_trouble_a_write_is_done_at_once_again(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SENDING)
    hold(other)
    journal.submitted(seq, "job-1")
    let_go(other)
    time.elapsed += 2
    journal.retry()
    journal.observed(seq, DONE)
    assert ledger.get(seq).status == "completed"


def test_while_there_is_trouble_a_write_waits_for_the_next_round(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    hold(other)
    journal.observed(seq, Observation("in_progress"))
    let_go(other)
    waited = sum(time.slept)
    journal.observed(seq, DONE)
    journal.retry()
    assert ledger.get(seq).status == "pending", "less than a second has passed"
    time.elapsed += 1
    journal.retry()
    assert (ledger.get(seq).status, sum(time.slept)) == ("completed", waited)


def test_only_the_latest_look_is_kept_and_the_id_comes_before_it(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection
) -> None:
    seq = bring_to(ledger, State.SENDING)
    hold(other)
    journal.outcome_unknown(seq, "the line went dead")
    journal.observed(seq, Observation("in_progress", error="odd"))
    journal.submitted(seq, "job-1", status="pending")
    journal.observed(seq, DONE)
    let_go(other)
    assert journal.flush(Deadline(ledger.clock)) is None
    record = ledger.get(seq)
    assert (record.id, record.state, record.error) == ("job-1", State.SUBMITTED, None)
    # The look came first, so the word of the submit stands over it until the next look.
    assert record.final


@pytest.mark.drill("F-D10", "M30")
def test_h6_a_video_that_is_saved_after_all_is_not_said_to_be_none(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection
) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    journal.observed(seq, Observation("completed", final=True))
    journal.made_nothing(seq, "none")
    hold(other)
    journal.output_saved(seq, FILM)
    record = journal.record(seq)
    let_go(other)
    assert record is not None
    assert not record.is_without_video


@pytest.mark.drill("P08", "M30")
def test_h7_an_end_on_record_stands_over_a_stale_look_that_is_not_written_yet(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection
) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    journal.observed(seq, DONE)
    hold(other)
    journal.observed(seq, Observation("in_progress", error="odd"))
    record = journal.record(seq)
    let_go(other)
    assert record is not None
    assert (record.status, record.final, record.error) == ("completed", True, None)


@pytest.mark.drill("J05", "M30")
def test_an_id_that_cannot_be_written_is_in_memory_and_in_the_error_at_the_end(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SENDING)
    handle = ledger.get(seq).handle
    assert journal.record(seq) is not None
    hold(other)
    whole_life(journal, seq)
    before = time.elapsed

    error = journal.flush(Deadline(ledger.clock))

    assert FLUSH_TIMEOUT <= time.elapsed - before <= FLUSH_TIMEOUT + 0.2
    assert error is not None
    assert (error.exit_code, error.hint) == (14, "orvideo jobs adopt job-1")
    for part in (str(ledger.path), handle, "its id, job-1", "its status, completed", "its video, /v/boat.mp4"):
        assert part in error.message
    assert error.message.index("job-1") < error.message.index("completed")


@pytest.mark.drill("J05", "X03")
def test_the_commands_that_adopt_ids_can_be_copied(ledger: Ledger, journal: Journal, other: sqlite3.Connection) -> None:
    plain, odd = bring_to(ledger, State.SENDING), bring_to(ledger, State.SENDING)
    sandbox = ledger.prepare(Submission(request={}, endpoint=SANDBOX))
    assert journal.record(sandbox) is not None
    hold(other)
    for seq, job_id in ((plain, "job-1"), (odd, "$(reboot)"), (sandbox, "job-3")):
        journal.submitted(seq, job_id)
    error = journal.flush(Deadline.after(ledger.clock, 0))
    assert error is not None
    assert error.hint is not None
    assert error.hint.split("; ") == [
        "orvideo jobs adopt job-1",
        "orvideo jobs adopt '$(reboot)'",
        "orvideo jobs adopt --sandbox job-3",
    ]


def test_a_run_whose_deadline_is_over_tries_once_more_and_no_longer(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    hold(other)
    journal.observed(seq, DONE)
    before = time.elapsed
    error = journal.flush(Deadline.after(ledger.clock, 0))
    assert error is not None
    assert error.hint is None, "the id is on record"
    assert time.elapsed - before <= MIN_FLUSH_TIME + 0.1
    let_go(other)
    assert journal.flush(Deadline.after(ledger.clock, 0)) is None
    assert ledger.get(seq).final


def test_what_is_let_go_before_the_end_is_over_is_no_failure(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    hold(other)
    journal.observed(seq, DONE)

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if time.elapsed > 5 and other.in_transaction:
            let_go(other)

    journal._clock = ledger.clock._replace(sleep=sleep)
    assert journal.flush(Deadline(ledger.clock)) is None
    assert ledger.get(seq).final
    assert 5 <= time.elapsed <= 6


def test_a_long_list_of_what_is_missing_is_cut_but_every_id_is_named(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection
) -> None:
    looked = [bring_to(ledger, State.SUBMITTED, job_id=f"old-{number}") for number in range(MAX_NAMED + 5)]
    sending = [bring_to(ledger, State.SENDING) for _ in range(MAX_NAMED + 2)]
    hold(other)
    for seq in looked:
        journal.observed(seq, DONE)
    for number, seq in enumerate(sending):
        journal.submitted(seq, f"new-{number:02}")
    error = journal.flush(Deadline.after(ledger.clock, 0))
    assert error is not None
    assert all(f"new-{number:02}" in error.message for number in range(len(sending)))
    assert f"and {len(looked)} more" in error.message
    let_go(other)
    assert journal.flush(Deadline.after(ledger.clock, 0)) is None


@pytest.mark.drill("R-B5", "F-B10")
def test_a_row_that_was_forgotten_meanwhile_raises_nothing_and_is_missed_by_nobody(
    ledger: Ledger, journal: Journal, told: list[RecordError]
) -> None:
    seq = bring_to(ledger, State.SENDING)
    assert journal.record(seq) is not None
    ledger.forget(seq)
    whole_life(journal, seq)
    journal.outcome_unknown(seq, "why")
    journal.not_sent(seq, "why")
    assert journal.record(seq) is None
    assert journal.flush(Deadline(ledger.clock)) is None
    assert (told, ledger.list(), ledger.find_by_seq(seq)) == ([], [], None)


def test_what_the_record_knows_better_is_left_as_it_is(ledger: Ledger, journal: Journal, told: list[object]) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    journal.not_sent(seq, "surely not")
    journal.outcome_unknown(seq, "who knows")
    assert journal.flush(Deadline(ledger.clock)) is None
    assert (ledger.get(seq).state, told) == (State.SUBMITTED, [])


def test_one_id_for_two_submits_is_told_and_ends_the_run_with_14(
    ledger: Ledger, journal: Journal, told: list[RecordError]
) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="job-1")
    seq = bring_to(ledger, State.SENDING)
    journal.submitted(seq, "job-1")
    error = journal.flush(Deadline(ledger.clock))
    assert error is not None
    assert error.exit_code == 14
    assert "job-1" in error.message
    assert "keeps trying" not in told[0].message


def test_changes_in_memory_are_those_that_the_record_would_have_had(
    ledger: Ledger, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    """What is told of a job must not depend on whether the record could be written."""
    seqs = [bring_to(ledger, State.SENDING) for _ in range(4)]
    ledger.answered(seqs[0], 202, b"{}")
    adopted = ledger.adopt("elsewhere", endpoint=HERE).seq
    bought, running, unknown, refused = seqs
    hold(other)
    time.elapsed += 5
    whole_life(journal, bought)
    journal.output_saved(bought, Output(1, "/v/b.mp4", 1, "cd", START))
    journal.output_saved(bought, Output(0, "/v/a.mp4", 3, "ab", START + timedelta(seconds=1)))
    journal.submitted(running, "job-2", status="pending", generation_id="gen-2")
    journal.observed(running, Observation("in_progress", error="odd", model="another"))
    journal.outcome_unknown(unknown, "the line went dead")
    journal.not_sent(refused, "no")
    journal.observed(adopted, Observation("in_progress", model="m"))
    journal.set_target(running, "/v/c.mp4")
    in_memory = [journal.record(seq) for seq in (*seqs, adopted)]
    assert in_memory[0] is not None
    assert in_memory[0].submitted_at is not None
    assert [one.saved_at for one in in_memory[0].outputs] == [START + timedelta(seconds=1), START]
    time.elapsed += 25
    let_go(other)
    assert journal.flush(Deadline(ledger.clock)) is None
    on_record = [ledger.get(seq) for seq in (*seqs, adopted)]
    for kept, written in zip(in_memory, on_record, strict=True):
        assert kept is not None
        # The time of the submit is that of the sending on record; whether an end was watched is worked out there.
        assert kept._replace(submitted_at=None, watched=False) == written._replace(submitted_at=None, watched=False)


@pytest.mark.drill("F-C02")
def test_a_record_that_can_no_longer_be_read_is_known_from_memory(
    ledger: Ledger, journal: Journal, time: HandClock
) -> None:
    seq = bring_to(ledger, State.SENDING)
    journal.cache(ledger.get(seq))
    ledger.close()
    whole_life(journal, seq)
    assert_whole(journal.record(seq))
    assert journal.record(seq + 1) is None
    error = journal.flush(Deadline(ledger.clock))
    assert error is not None
    assert "its id, job-1" in error.message
    assert time.slept == [], "there is nobody to wait for"


def _pending(work: Callable[[float], object]) -> PendingWrite:
    return PendingWrite(1, "something", work, lambda record: record)


def test_nothing_overtakes_a_write_that_failed(ledger: Ledger, journal: Journal, time: HandClock) -> None:
    done: list[str] = []
    full = [True]

    def first(*, lock_timeout: float) -> None:
        if full:
            raise Unwritable("The disk is full.")
        done.append("first")

    journal.write("first", _pending(first))
    journal.write("second", _pending(lambda lock_timeout: done.append("second")))
    time.elapsed += 1
    journal.retry()
    assert done == []
    full.clear()
    assert journal.flush(Deadline(ledger.clock)) is None
    assert done == ["first", "second"]


def test_what_is_newer_than_what_is_being_written_is_written_as_well(journal: Journal) -> None:
    done: list[str] = []
    newer = _pending(lambda lock_timeout: done.append("newer"))
    other = threading.Thread(target=lambda: journal.write("key", newer))

    def older(lock_timeout: float) -> None:
        other.start()
        while journal._pending["key"] is not newer:
            real_time.sleep(0.001)
        done.append("older")

    journal.write("key", _pending(older))
    other.join(240)
    assert done == ["older", "newer"]


def test_a_round_of_tries_is_short_however_much_there_is_to_write(
    ledger: Ledger, path: Path, journal: Journal, other: sqlite3.Connection, time: HandClock
) -> None:
    """An engine that looks after a thousand jobs must not stand still while they are written."""
    seqs = [bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}") for number in range(20)]
    hold(other)
    for seq in seqs:
        journal.observed(seq, Observation("in_progress"))
    let_go(other)
    reading = ledger.clock.monotonic

    def slow() -> float:
        time.elapsed += 0.01  # each look at the clock, as if the disk had taken it
        return reading()

    ledger.clock = journal._clock = ledger.clock._replace(monotonic=slow)
    time.elapsed += 1
    before = time.elapsed
    journal.retry()
    assert time.elapsed - before <= LOCK_TIMEOUT + 0.2
    written = sum(record.status == "in_progress" for record in ledger.list())
    assert 0 < written < len(seqs)
    assert journal.flush(Deadline(ledger.clock)) is None
    assert {record.status for record in ledger.list()} == {"in_progress"}


def test_threads_and_another_process_lose_nothing(path: Path) -> None:
    with Ledger(path) as ledger, raw(path) as other:
        journal = Journal(ledger)
        seqs = [bring_to(ledger, State.SENDING) for _ in range(24)]

        def live(mine: list[int]) -> None:
            for seq in mine:
                journal.submitted(seq, f"job-{seq}", status="pending")
                journal.observed(seq, DONE)
                journal.output_saved(seq, FILM)

        threads = [threading.Thread(target=live, args=(seqs[number::6],)) for number in range(6)]
        hold(other)
        for thread in threads:
            thread.start()
        journal.retry()
        let_go(other)
        for thread in threads:
            thread.join(60)
        assert journal.flush(Deadline(ledger.clock)) is None
        records = ledger.list()
        assert {record.id for record in records} == {f"job-{seq}" for seq in seqs}
        assert all(record.is_fetched and record.final for record in records)
