"""The life of a job on record: what is written, what moves to what, and what is never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.errors import MoneyError, RecordError, UsageError
from orvideo.record.ledger import MAX_ANSWER, Ledger
from orvideo.record.owner import Owner
from orvideo.record.rows import Forgotten, quoted_most
from orvideo.record.values import SANDBOX, Marking, Observation, Output, ResumeState, State, Submission
from tests.clocks import HandClock
from tests.record.ledger_support import HERE, START, bring_to, finished, quote, raw, request


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


# --- the submit


def test_an_intent_holds_everything_that_is_known_before_sending(ledger: Ledger) -> None:
    body = request(generate_audio=False)
    seq = ledger.prepare(Submission(body, HERE, quote(0.2), "/v/boat.mp4", batch="b", row_key="r", row_number=7))

    record = ledger.get(seq)
    assert (record.id, record.status, record.state) == (None, None, State.PREPARED)
    assert (record.model, record.prompt, record.target) == (body["model"], body["prompt"], "/v/boat.mp4")
    assert (record.request, record.quote) == (body, quote(0.2))
    assert (record.batch, record.row_key, record.row_number) == ("b", "r", 7)
    assert (record.created_at, record.submitted_at, record.ended_at) == (START, None, None)
    assert record.name == record.handle
    assert record.handle.startswith("sub-")


def test_an_id_takes_the_place_of_the_handle_and_of_the_raw_answer(ledger: Ledger, time: HandClock) -> None:
    seq = bring_to(ledger, State.SENDING)
    time.elapsed += 1
    ledger.answered(seq, 202, b'{"id": "job-1"}')
    assert (ledger.get(seq).answer_status, ledger.get(seq).answer) == (202, b'{"id": "job-1"}')

    ledger.submitted(seq, "job-1", status="pending", generation_id="gen-1", extra={"new": 1, "urls": ["secret"]})

    record = ledger.get(seq)
    assert (record.name, record.state, record.status) == ("job-1", State.SUBMITTED, "pending")
    assert (record.generation_id, record.extra) == ("gen-1", {"new": 1})
    assert (record.answer_status, record.answer) == (None, None)
    assert record.submitted_at == START, "the time of the sending, not of the answer"


def test_an_answer_is_not_kept_beside_an_id(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.answered(seq, 202, b'{"id": "job-1"}')
    assert (ledger.get(seq).answer_status, ledger.get(seq).answer) == (None, None)


@pytest.mark.drill("M09")
def test_no_more_than_64_kib_of_an_answer_are_kept_and_an_unknown_outcome_keeps_them(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SENDING)
    ledger.answered(seq, 202, b"x" * (MAX_ANSWER + 1))
    ledger.outcome_unknown(seq, "no id in it")

    assert ledger.get(seq).answer == b"x" * MAX_ANSWER
    assert ledger.get(seq).error == "no id in it"


def test_not_now_may_be_followed_by_another_try(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SENDING)
    ledger.answered(seq, 429, b"slow down")
    ledger.refused_for_now(seq)
    assert (ledger.get(seq).state, ledger.get(seq).answer) == (State.PREPARED, None)

    ledger.sending(seq)
    ledger.submitted(seq, "job-1")

    assert ledger.get(seq).state is State.SUBMITTED


@pytest.mark.parametrize("state", [State.SENDING, State.SUBMITTED, State.UNKNOWN, State.NOT_SENT])
def test_what_was_sent_or_given_up_is_never_sent_again(ledger: Ledger, state: State) -> None:
    seq = bring_to(ledger, state)

    with pytest.raises(RecordError, match="cannot become sending"):
        ledger.sending(seq)
    assert ledger.get(seq).state is state


@pytest.mark.parametrize("state", [State.SUBMITTED, State.UNKNOWN])
def test_what_may_have_been_bought_never_becomes_not_sent(ledger: Ledger, state: State) -> None:
    seq = bring_to(ledger, state)

    with pytest.raises(RecordError):
        ledger.not_sent(seq, "surely not")
    with pytest.raises(RecordError):
        ledger.refused_for_now(seq)
    assert ledger.get(seq).state is state


@pytest.mark.parametrize("state", [State.PREPARED, State.SENDING, State.UNKNOWN, State.NOT_SENT])
def test_an_id_is_kept_from_whatever_state_the_submit_was_in(ledger: Ledger, state: State, time: HandClock) -> None:
    seq = bring_to(ledger, state)
    time.elapsed += 1

    ledger.submitted(seq, "late-1")

    assert (ledger.find("late-1").seq, ledger.get(seq).error) == (seq, None)
    was_sent = state in (State.SENDING, State.UNKNOWN)
    assert ledger.get(seq).submitted_at == START + timedelta(seconds=0 if was_sent else 1)


def test_an_id_that_is_on_record_is_not_replaced(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED, job_id="job-1")
    ledger.observed(seq, Observation(status="completed", final=True))

    ledger.submitted(seq, "job-1", status="pending")
    with pytest.raises(RecordError, match="job-1"):
        ledger.submitted(seq, "job-2")

    assert (ledger.get(seq).id, ledger.get(seq).status) == ("job-1", "completed")


def test_a_job_adopted_while_it_was_being_submitted_becomes_one_job(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SENDING)
    adopted = ledger.adopt("job-1", endpoint=HERE)
    ledger.observed(adopted.seq, Observation(status="completed", final=True))
    ledger.output_saved(adopted.seq, Output(0, "/v/a.mp4", 1, "ab"))
    ledger.set_resume_state(adopted.seq, 1, ResumeState("/v/b.part"))

    ledger.submitted(seq, "job-1", status="completed")

    assert [record.seq for record in ledger.list()] == [seq]
    assert ledger.list(not_downloaded=True) == []
    assert ledger.get(seq).outputs[0].path == "/v/a.mp4"
    assert ledger.get(seq).request == request()
    part = ledger.resume_state(seq, 1)
    assert part is not None
    assert part.part == "/v/b.part"


def test_one_id_for_two_submits_loses_neither(ledger: Ledger) -> None:
    first = bring_to(ledger, State.SUBMITTED, job_id="job-1")
    second = bring_to(ledger, State.SENDING)

    with pytest.raises(RecordError, match="job-1"):
        ledger.submitted(second, "job-1")

    assert ledger.find("job-1").seq == first
    assert ledger.get(second).state is State.UNKNOWN
    assert "job-1" in (ledger.get(second).error or "")


def test_one_id_may_live_at_two_endpoints(ledger: Ledger) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="job-1", endpoint=HERE)
    bring_to(ledger, State.SUBMITTED, job_id="job-1", endpoint="sandbox")

    assert [record.endpoint for record in ledger.list()] == ["sandbox", HERE]


def test_every_handle_is_another_one(ledger: Ledger) -> None:
    assert len({ledger.get(bring_to(ledger, State.PREPARED)).handle for _ in range(50)}) == 50


def test_odd_text_of_a_service_is_kept_as_far_as_it_can_be_written(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SENDING, request=request(prompt="caf\udce9 \x00 \U0001f6f6"))
    ledger.submitted(seq, "job-\ud800", status="pend\udc00ing", extra={"x": "\ud800", "big": 10**6000})
    ledger.observed(
        seq, Observation(status="failed", error="\ud83d\ude00 " + "e" * 5000, final=True, extra={"nan": float("nan")})
    )

    record = ledger.get(seq)
    assert record.prompt == "caf\ufffd \x00 \U0001f6f6"
    assert record.id == "job-\ufffd"
    assert len(record.error or "") <= 2000
    assert (record.error or "").startswith("\U0001f600 eee")
    assert record.extra == {"nan": None}
    json.dumps(record.as_json(), allow_nan=False)


def test_what_a_reply_adds_is_bounded_and_cannot_break_the_record(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"x": deep}

    ledger.observed(seq, Observation(status="pending", extra=deep))
    assert ledger.get(seq).extra == {"dropped": "it cannot be written as JSON"}
    ledger.observed(seq, Observation(status="in_progress", extra={"x": "y" * 65_000}))
    assert list(ledger.get(seq).extra) == ["x"]
    ledger.observed(seq, Observation(status="uploading", extra={"x": "y" * 66_000}))
    assert list(ledger.get(seq).extra) == ["dropped"]


@pytest.mark.parametrize("length", [1999, 2000, 2001])
def test_a_reason_is_kept_as_far_as_2000_characters(ledger: Ledger, length: int) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation("failed", error="e" * length, final=True))
    assert ledger.get(seq).error == ("e" * length if length <= 2000 else "e" * 1999 + "…")


@pytest.mark.parametrize(("length", "kept"), [(65_536, True), (65_537, False)])
def test_what_a_reply_adds_is_kept_as_far_as_64_kib(ledger: Ledger, length: int, kept: bool) -> None:
    seq = bring_to(ledger, State.SENDING)
    ledger.submitted(seq, "job-1", extra={"x": "y" * (length - len('{"x":""}'))})
    assert ledger.get(seq).extra == ({"x": "y" * (length - 8)} if kept else {"dropped": "65537 characters"})
    ledger.observed(seq, Observation("pending", extra={}))
    assert ledger.get(seq).extra, "nothing more was said"


def test_amounts_of_a_quote_keep_their_own_digits(ledger: Ledger) -> None:
    said = {"kind": "about", "usd": Decimal("0.10"), "low": Decimal("NaN"), "high": None, "at": START}
    record = ledger.get(bring_to(ledger, State.PREPARED, quote=said))
    assert record.quote == {"kind": "about", "usd": 0.1, "low": None, "high": None, "at": str(START)}
    assert ledger.get(bring_to(ledger, State.PREPARED)).quote is None


# --- processes that are gone


def _leave(path: Path, seq: int, **owner: object) -> None:
    """Make a row look as if a process like this one, but for `owner`, had been at work on it."""
    left = Owner.current()._replace(**owner)  # type: ignore[arg-type]
    with raw(path) as connection:
        connection.execute("UPDATE jobs SET owner = ? WHERE seq = ?", (left.as_text(), seq))


_GONE = {"started": "1"}  # the number was given to another process since
_ELSEWHERE = {"host": "another-host"}


@pytest.mark.drill("J03")
@pytest.mark.parametrize(("state", "seen"), [(State.SENDING, State.UNKNOWN), (State.PREPARED, State.NOT_SENT)])
@pytest.mark.parametrize("owner", [_GONE, {"boot": "an earlier one"}, {"pid": 2**30, "started": ""}])
@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
def test_a_submit_whose_process_is_gone_is_seen_for_what_it_is_at_once(
    ledger: Ledger, path: Path, state: State, seen: State, owner: dict[str, object]
) -> None:
    seq = bring_to(ledger, state)
    _leave(path, seq, **owner)

    assert ledger.get(seq).state is seen
    assert ledger.get(seq).error
    assert [record.seq for record in ledger.list(unknown=True)] == ([seq] if seen is State.UNKNOWN else [])


@pytest.mark.drill("J03")
@pytest.mark.parametrize(("state", "seen"), [(State.SENDING, State.UNKNOWN), (State.PREPARED, State.NOT_SENT)])
@pytest.mark.parametrize("owner", [_ELSEWHERE, {"pids": "another container's"}])
def test_of_a_process_elsewhere_only_the_age_is_known(
    ledger: Ledger, path: Path, time: HandClock, state: State, seen: State, owner: dict[str, object]
) -> None:
    seq = bring_to(ledger, state)
    _leave(path, seq, **owner)

    time.elapsed += 600
    assert ledger.get(seq).state is state
    time.elapsed += 1
    assert ledger.get(seq).state is seen


@pytest.mark.drill("J03")
@pytest.mark.parametrize("owner", [None, "", "junk", '{"pid": 1}'])
@pytest.mark.parametrize(("state", "seen"), [(State.SENDING, State.UNKNOWN), (State.PREPARED, State.NOT_SENT)])
def test_of_a_process_that_is_not_known_the_age_decides_as_well(
    ledger: Ledger, path: Path, time: HandClock, state: State, seen: State, owner: str | None
) -> None:
    seq = bring_to(ledger, state)
    with raw(path) as connection:
        connection.execute("UPDATE jobs SET owner = ? WHERE seq = ?", (owner, seq))
    time.elapsed += 600
    assert ledger.get(seq).state is state
    time.elapsed += 1e-6
    assert ledger.get(seq).state is seen


def test_ten_minutes_on_the_wire_are_unknown_even_while_the_process_is_there(ledger: Ledger, time: HandClock) -> None:
    sending, prepared = bring_to(ledger, State.SENDING), bring_to(ledger, State.PREPARED)
    assert ledger.list(unknown=True) == []

    time.elapsed += 601

    assert ledger.get(sending).state is State.UNKNOWN
    assert ledger.get(prepared).state is State.PREPARED
    assert [record.seq for record in ledger.list(unknown=True)] == [sending]
    ledger.submitted(sending, "job-1")
    assert ledger.get(sending).state is State.SUBMITTED


def test_what_else_is_written_of_a_request_does_not_keep_it_on_the_wire(ledger: Ledger, time: HandClock) -> None:
    seq = bring_to(ledger, State.SENDING)
    time.elapsed += 599
    ledger.set_target(seq, "/v/a.mp4")
    time.elapsed += 2
    assert ledger.get(seq).state is State.UNKNOWN


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
def test_only_the_process_that_sent_a_request_can_say_that_nothing_was_bought(ledger: Ledger, path: Path) -> None:
    seq = bring_to(ledger, State.SENDING)
    _leave(path, seq, **_GONE)

    with pytest.raises(RecordError):
        ledger.not_sent(seq, "how would I know")
    with pytest.raises(RecordError):
        ledger.refused_for_now(seq)
    ledger.outcome_unknown(seq, "seen by another process")

    assert ledger.get(seq).state is State.UNKNOWN


@pytest.mark.skipif(not os.path.exists("/proc/self/ns/pid"), reason="SKIPPED: known on Linux only")
def test_a_process_on_linux_is_told_apart_by_all_that_is_known_of_it() -> None:
    me = Owner.current()
    assert (me.pid, me.pids) == (os.getpid(), os.readlink("/proc/self/ns/pid"))
    assert me.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert me.started.isdecimal()


def test_an_owner_is_read_back_and_junk_is_none() -> None:
    me = Owner.current()

    assert Owner.from_text(me.as_text()) == me
    assert me.is_gone(me) is False
    assert [Owner.from_text(text) for text in (None, "", "{}", "[1]", '{"pid": 1, "more": 2}')] == [None] * 5


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
@pytest.mark.parametrize(
    ("fields", "gone"),
    [
        ({}, False),
        ({"host": "another"}, None),
        ({"host": "another", "boot": "another"}, None),
        ({"boot": "another"}, True),
        ({"boot": "another", "pids": "another"}, True),
        ({"pids": "another"}, None),
        ({"pid": 2**30}, True),
        ({"pid": 2**80}, True),
        ({"started": "1"}, True),
        ({"started": ""}, None),
        ({"pid": 1, "started": ""}, None),
    ],
)
def test_whether_a_process_is_gone_is_told_where_it_can_be(fields: dict[str, Any], gone: bool | None) -> None:
    me = Owner.current()
    assert me._replace(**fields).is_gone(me) is gone


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
def test_a_process_of_somebody_else_is_there() -> None:
    code = (
        "import os\n"
        "from orvideo import system\n"
        "from orvideo.record.owner import Owner\n"
        "me = Owner.current()\n"
        "os.geteuid() or os.setuid(65534)\n"
        "print(me._replace(pid=1, started=system.process_started(1)).is_gone(me))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="what a process is called is known on Linux only")
def test_a_process_that_has_ended_and_is_not_waited_for_is_gone() -> None:
    me = Owner.current()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        owner = me._replace(pid=child.pid, started=started)
        assert owner.is_gone(me) is False
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert owner.is_gone(me) is True


# --- looks


def test_looks_bring_the_record_up_to_date_and_an_end_has_its_time(ledger: Ledger, time: HandClock) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    time.elapsed += 5
    ledger.observed(seq, Observation(status="in_progress", generation_id="gen-1", extra={"a": 1}, model="another/name"))
    assert (ledger.get(seq).status, ledger.get(seq).ended_at) == ("in_progress", None)
    time.elapsed += 5
    ledger.observed(seq, Observation(status="completed", cost=Decimal("0.1358"), final=True, expected_outputs=2))
    time.elapsed += 5
    ledger.observed(seq, Observation(status="completed", final=True))

    record = ledger.get(seq)
    assert (record.status, record.final, record.cost) == ("completed", True, Decimal("0.1358"))
    assert record.ended_at == START + timedelta(seconds=10)
    assert (record.generation_id, record.extra, record.expected_outputs) == ("gen-1", {"a": 1}, 2)
    assert record.model == request()["model"], "what was asked for stays"


def test_an_end_keeps_the_time_at_which_it_was_seen_first(ledger: Ledger, time: HandClock) -> None:
    seq = finished(ledger, "job-1", None)
    time.elapsed += 60
    ledger.observed(seq, Observation("completed", cost=Decimal("0.05"), final=True))
    assert (ledger.get(seq).cost, ledger.get(seq).ended_at) == (Decimal("0.05"), START)


def test_a_failure_has_its_reason(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1", None, status="failed")
    ledger.observed(seq, Observation(status="failed", error="filtered", cost=Decimal(0), final=True))

    assert (ledger.get(seq).error, ledger.get(seq).cost) == ("filtered", Decimal(0))


def test_a_reason_that_is_said_no_more_is_not_kept_and_no_amount_is_no_cost(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation("pending", error="the provider is slow", cost=Decimal("NaN")))
    assert (ledger.get(seq).error, ledger.get(seq).cost) == ("the provider is slow", None)
    ledger.observed(seq, Observation("pending"))
    assert ledger.get(seq).error is None


@pytest.mark.drill("P08")
def test_h7_an_end_stays_an_end_whatever_a_later_look_says(ledger: Ledger, time: HandClock) -> None:
    seq = finished(ledger, "job-1")
    before = ledger.get(seq)
    time.elapsed += 60
    ledger.observed(seq, Observation(status="in_progress", cost=Decimal(9), error="odd"))

    assert ledger.get(seq) == before
    assert ledger.list(unfinished=True) == []
    ledger.observed(seq, Observation("expired", final=True))
    assert (ledger.get(seq).status, ledger.get(seq).ended_at) == ("expired", before.ended_at), "another end counts"


def test_a_status_that_comes_and_goes_is_shown_each_time(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    for _ in range(2):
        ledger.observed(seq, Observation("in_progress"))
        assert ledger.get(seq).status == "in_progress"
        ledger.observed(seq, Observation("pending"))
        assert ledger.get(seq).status == "pending"


def test_a_look_that_brings_nothing_new_writes_nothing(ledger: Ledger, path: Path) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation("in_progress", extra={"a": 1}))
    with raw(path) as other:
        before = other.execute("PRAGMA data_version").fetchone()
        for _ in range(3):
            ledger.observed(seq, Observation("in_progress", extra={"a": 1}))
        assert other.execute("PRAGMA data_version").fetchone() == before
        ledger.observed(seq, Observation("in_progress", generation_id="gen-1", extra={"a": 1}))
        assert other.execute("PRAGMA data_version").fetchone() != before


def test_a_look_that_brings_nothing_new_waits_for_no_other_process(ledger: Ledger, path: Path) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    seen = Observation("in_progress", cost=Decimal("0.05"), model="another", extra={"a": 1}, expected_outputs=0)
    ledger.observed(seq, seen)
    with Ledger(path) as other, raw(path) as third:
        third.execute("BEGIN IMMEDIATE")
        other.observed(seq, seen, lock_timeout=0)
        other.observed(seq, Observation("in_progress"), lock_timeout=0)
        with pytest.raises(RecordError, match="Another orvideo holds"):
            other.observed(seq, Observation("completed", final=True), lock_timeout=0)
        third.execute("ROLLBACK")


def test_what_changes_at_every_look_costs_a_write_a_minute(ledger: Ledger, path: Path, time: HandClock) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation("in_progress", extra={"progress": 0}))
    writes = 0
    with raw(path) as other:
        version = other.execute("PRAGMA data_version").fetchone()
        for look in range(1, 62):
            time.elapsed += 2
            ledger.observed(seq, Observation("in_progress", extra={"progress": look}))
            now = other.execute("PRAGMA data_version").fetchone()
            writes, version = writes + (now != version), now
    assert writes == 2, "two minutes"
    assert ledger.get(seq).extra == {"progress": 60}

    ledger.observed(seq, Observation("uploading", extra={"progress": 62}))
    assert (ledger.get(seq).status, ledger.get(seq).extra) == ("uploading", {"progress": 62}), "with other news at once"
    time.elapsed += 2
    ledger.observed(seq, Observation("uploading", extra={"progress": 63}))
    time.elapsed += 60
    ledger.observed(seq, Observation("uploading", extra={"progress": 63}))
    assert ledger.get(seq).extra == {"progress": 63}, "late, but never lost"
    time.elapsed -= 3600
    ledger.observed(seq, Observation("uploading", extra={"progress": 64}))
    assert ledger.get(seq).extra == {"progress": 64}, "also by a clock that was put back"


def test_a_look_that_could_not_be_written_down_is_written_down_by_the_next_one(path: Path, time: HandClock) -> None:
    with Ledger(path, clock=time.clock(), lock_timeout=0.5) as ledger, raw(path) as other:
        seq = bring_to(ledger, State.SUBMITTED)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError):
            ledger.observed(seq, Observation(status="in_progress"))
        other.execute("ROLLBACK")

        ledger.observed(seq, Observation(status="in_progress"))

        assert ledger.get(seq).status == "in_progress"


def test_an_end_that_another_process_saw_is_not_undone_by_a_look_that_sees_less(ledger: Ledger, path: Path) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation(status="in_progress"))
    with Ledger(path) as other:
        other.observed(seq, Observation(status="completed", final=True))

    ledger.observed(seq, Observation(status="in_progress"))
    assert ledger.get(seq).final

    ledger.observed(seq, Observation(status="pending"))
    assert (ledger.get(seq).status, ledger.get(seq).final) == ("completed", True)


def test_a_job_that_was_forgotten_meanwhile_stays_forgotten(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1")
    ledger.forget(seq)

    ledger.observed(seq, Observation(status="completed", final=True))
    ledger.output_saved(seq, Output(0, "/v/a.mp4", 1, "ab"))
    ledger.set_resume_state(seq, 0, ResumeState("/v/a.part"))
    ledger.set_target(seq, "/v/b.mp4")

    assert ledger.list() == []
    assert ledger.count() == 0
    with pytest.raises(UsageError):
        ledger.get(seq)
    with pytest.raises(RecordError):
        ledger.submitted(seq, "job-1")
    assert bring_to(ledger, State.PREPARED) > seq, "a number is never given twice"


# --- outputs


def test_outputs_are_kept_in_order_and_replaced_by_index(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1")
    ledger.output_saved(seq, Output(1, "/v/b.mp4", 5, "bb"))
    ledger.output_saved(seq, Output(0, "/v/a.mp4", 3, "aa"))
    ledger.output_saved(seq, Output(1, "/w/b.mp4", 6, "cc"))

    assert ledger.get(seq).outputs == (Output(0, "/v/a.mp4", 3, "aa", START), Output(1, "/w/b.mp4", 6, "cc", START))


def test_a_job_is_fetched_when_all_its_outputs_are(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1")
    assert [record.seq for record in ledger.list(not_downloaded=True)] == [seq]

    ledger.output_saved(seq, Output(0, "/v/a.mp4", 3, "aa"))
    assert ledger.list(not_downloaded=True) == []
    assert ledger.get(seq).is_fetched

    ledger.observed(seq, Observation(status="completed", final=True, expected_outputs=2))
    assert [record.seq for record in ledger.list(not_downloaded=True)] == [seq]
    assert not ledger.get(seq).is_fetched

    ledger.observed(seq, Observation(status="completed", final=True, expected_outputs=1))
    assert not ledger.get(seq).is_fetched, "an output that was named once is not forgotten"

    ledger.output_saved(seq, Output(1, None, 3, "bb"))
    assert ledger.list(not_downloaded=True) == []


def test_file_names_that_are_not_utf_8_come_back_as_they_were(ledger: Ledger) -> None:
    name = os.fsdecode(b"/v/caf\xe9.mp4")
    seq = finished(ledger, "job-1", target=name)
    ledger.output_saved(seq, Output(0, name, 3, "aa"))

    assert (ledger.get(seq).target, ledger.get(seq).outputs[0].path) == (name, name)


def test_a_partial_download_is_remembered_until_it_is_whole(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1")
    state = ResumeState("/v/a.part", '"etag"', 100)
    whole = ResumeState("/v/a.part", None, 100, "ab" * 32, "/v/a.mp4")
    assert ledger.resume_state(seq, 0) is None

    ledger.set_resume_state(seq, 0, ResumeState("/v/old.part"))
    ledger.set_resume_state(seq, 0, state)
    ledger.set_resume_state(seq, 1, ResumeState("/v/b.part"))
    assert (ledger.resume_state(seq, 0), ledger.resume_state(seq, 1)) == (state, ResumeState("/v/b.part"))
    ledger.set_resume_state(seq, 0, whole)
    assert ledger.resume_state(seq, 0) == whole

    ledger.output_saved(seq, Output(0, "/v/a.mp4", 100, "aa"))
    assert ledger.resume_state(seq, 0) is None
    ledger.clear_resume_state(seq, 1)
    assert ledger.resume_state(seq, 1) is None


# --- adopting and forgetting


def test_adopting_is_the_same_however_often(ledger: Ledger) -> None:
    first = ledger.adopt("elsewhere-1", endpoint=HERE)
    again = ledger.adopt("elsewhere-1", endpoint=HERE)

    assert (first.state, first.request, first.model, first.submitted_at) == (State.SUBMITTED, {}, None, None)
    assert (again.seq, ledger.count()) == (first.seq, 1)
    assert ledger.adopt("elsewhere-1", endpoint="sandbox").seq != first.seq
    ledger.observed(first.seq, Observation(status="completed", model="m", final=True))
    assert ledger.get(first.seq).model == "m"


def test_forgetting_takes_outputs_and_partial_downloads_with_it(ledger: Ledger, path: Path) -> None:
    seq = finished(ledger, "job-1")
    ledger.output_saved(seq, Output(0, "/v/a.mp4", 3, "aa"))
    ledger.set_resume_state(seq, 1, ResumeState("/v/b.part"))
    ledger.forget(seq)

    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM outputs").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM partial_downloads").fetchone() == (0,)


# --- batches


def _row(ledger: Ledger, key: str, usd: float | None = 0.1, **more: object) -> int:
    given = {"quote": quote(usd) if usd is not None else {"kind": "unknown", "usd": None, "low": None, "high": None}}
    return ledger.prepare(
        Submission(**{"request": request(), "endpoint": HERE, "batch": "b", "row_key": key, **given, **more})
    )  # type: ignore[arg-type]


def test_the_rows_of_a_batch_oldest_first(ledger: Ledger) -> None:
    seqs = [_row(ledger, key) for key in "abc"]
    bring_to(ledger, State.PREPARED, batch="another", row_key="a")

    assert [record.seq for record in ledger.rows_of_batch("b")] == seqs


@pytest.mark.drill("B09")
@pytest.mark.parametrize("state", [State.PREPARED, State.SENDING, State.SUBMITTED, State.UNKNOWN])
def test_a_row_that_may_have_been_bought_is_not_bought_again(ledger: Ledger, state: State) -> None:
    bring_to(ledger, state, batch="b", row_key="a")

    with pytest.raises(RecordError, match="not submitted again"):
        _row(ledger, "a")
    assert len(ledger.rows_of_batch("b")) == 1


def test_a_row_that_is_done_is_not_bought_again_but_one_that_failed_may_be(ledger: Ledger) -> None:
    finished(ledger, "job-1", batch="b", row_key="done")
    finished(ledger, "job-2", batch="b", row_key="failed", status="failed")
    bring_to(ledger, State.NOT_SENT, batch="b", row_key="refused")

    with pytest.raises(RecordError):
        _row(ledger, "done")
    _row(ledger, "failed")
    _row(ledger, "refused")
    with pytest.raises(RecordError):
        _row(ledger, "failed")


@pytest.mark.drill("B09")
@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
def test_a_row_whose_process_died_before_sending_is_taken_over_for_good(ledger: Ledger, path: Path) -> None:
    left = bring_to(ledger, State.PREPARED, batch="b", row_key="a")
    _leave(path, left, **_GONE)

    taken = _row(ledger, "a")

    # Should the first one only have been asleep: it finds that it may not send any more.
    with pytest.raises(RecordError):
        ledger.sending(left)
    ledger.sending(taken)
    assert ledger.get(left).state is State.NOT_SENT


@pytest.mark.drill("B13")
def test_the_limit_of_a_batch_holds_for_the_whole(ledger: Ledger) -> None:
    for key in "ab":
        _row(ledger, key, 0.1, max_total=Decimal("0.3"))
    # Decimal, not float: 0.1 + 0.1 + 0.1 is 0.3.
    _row(ledger, "c", 0.1, max_total=Decimal("0.3"))
    with pytest.raises(MoneyError, match=r"limit of \$0\.3"):
        _row(ledger, "d", 0.01, max_total=Decimal("0.3"))

    assert len(ledger.rows_of_batch("b")) == 3, "what is refused is not on record"


@pytest.mark.drill("B13")
def test_a_limit_counts_what_jobs_really_cost_and_leaves_out_what_was_never_sent(ledger: Ledger) -> None:
    finished(ledger, "job-1", "0.02", batch="b", row_key="a", quote=quote(0.2))
    bring_to(ledger, State.NOT_SENT, batch="b", row_key="b", quote=quote(5))
    bring_to(ledger, State.PREPARED, batch="another", row_key="b", quote=quote(5))

    _row(ledger, "c", 0.2, max_total=Decimal("0.22"))


@pytest.mark.drill("F-A05")
def test_a05_a_limit_counts_a_row_with_what_such_jobs_were_billed(ledger: Ledger) -> None:
    limit = Decimal("0.70")
    for key in "ab":
        _row(ledger, key, 0.2, max_total=limit)
    finished(ledger, "job-1", "0.9", request=request(duration=8))
    finished(ledger, "job-2", "0.9", endpoint=SANDBOX)
    _row(ledger, "c", 0.2, max_total=limit)
    finished(ledger, "job-3", "0.35")
    with pytest.raises(MoneyError, match=r"may cost \$0\.35 and the batch \$1\.05 before it"):
        _row(ledger, "d", 0.05, max_total=limit)


@pytest.mark.drill("B13")
@pytest.mark.skipif(os.name != "posix", reason="processes cannot be asked for here without ending them")
def test_a_limit_leaves_out_what_a_process_that_is_gone_never_sent(ledger: Ledger, path: Path) -> None:
    prepared, sending = (_row(ledger, key, 5) for key in "ab")
    _leave(path, prepared, **_GONE)
    _row(ledger, "c", 0.2, max_total=Decimal("5.2"))
    ledger.sending(sending)
    _leave(path, sending, **_GONE)
    with pytest.raises(MoneyError, match=r"batch \$5\.20"):
        _row(ledger, "d", 0.2, max_total=Decimal("5.2"))


@pytest.mark.drill("B13")
@pytest.mark.drill("M29")
def test_a_limit_cannot_be_kept_where_a_price_is_unknown(ledger: Ledger) -> None:
    with pytest.raises(MoneyError, match="not known"):
        _row(ledger, "a", None, max_total=Decimal(100))
    with pytest.raises(MoneyError, match="not known"):
        _row(ledger, "a", quote={**quote(0.1), "kind": "unknown"}, max_total=Decimal(100))
    _row(ledger, "a", None)
    with pytest.raises(MoneyError, match="not known"):
        _row(ledger, "b", 0.1, max_total=Decimal(100))


def test_the_dearest_possibility_of_a_quote_counts(ledger: Ledger) -> None:
    about = {"kind": "about", "usd": 0.1, "low": 0.1, "high": 0.4, "reasons": []}
    _row(ledger, "a", quote=about, max_total=Decimal("0.5"))

    with pytest.raises(MoneyError):
        _row(ledger, "b", quote=about, max_total=Decimal("0.5"))


@pytest.mark.drill("B09")
@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (Observation("in_progress"), "Row 7 of this batch is on record as job-1 (in_progress)"),
        (Observation("failed"), "Row 7 of this batch is on record as job-1 (failed)"),
        (Observation("completed", final=True), "Row 7 of this batch is on record as job-1 (completed)"),
    ],
)
def test_only_what_is_at_its_end_and_failed_is_bought_again(ledger: Ledger, seen: Observation, says: str) -> None:
    seq = bring_to(ledger, State.SUBMITTED, batch="b", row_key="a")
    ledger.observed(seq, seen)
    with pytest.raises(RecordError) as refusal:
        _row(ledger, "a", row_number=7)
    assert refusal.value.message == f"{says}; it was not submitted again."
    for status in ("failed", "expired", "cancelled"):
        ledger.observed(seq, Observation(status, final=True))
        ledger.forget(_row(ledger, "a"))


@pytest.mark.drill("B09", "F-D10")
def test_h6_a_row_that_made_no_video_is_bought_again_and_was_not_bought_before(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED, batch="b", row_key="a")
    ledger.observed(seq, Observation("completed", final=True))

    def before() -> list[int]:
        lately = ledger.sent_lately([request()], HERE, START - timedelta(days=1))
        return [record.seq for record in [*lately, *ledger.same_rows(["a"], "another", HERE)]]

    assert before() == [seq, seq]
    ledger.made_nothing(seq, "none")
    assert before() == []
    ledger.forget(_row(ledger, "a"))
    ledger.output_saved(seq, Output(0, "/v/a.mp4", 3, "aa"))
    assert before() == [seq, seq], "it has one after all"
    with pytest.raises(RecordError, match="on record as job-1"):
        _row(ledger, "a")


@pytest.mark.drill("B09")
def test_a_row_that_has_no_number_and_no_id_is_named_by_what_it_has(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.UNKNOWN, batch="b", row_key="a")
    with pytest.raises(RecordError) as refusal:
        _row(ledger, "a")
    assert f"Row a of this batch is on record as {ledger.get(seq).handle} (unknown)" in refusal.value.message


def test_a_row_that_came_to_nothing_keeps_its_reason_when_another_takes_its_place(ledger: Ledger, path: Path) -> None:
    refused = bring_to(ledger, State.NOT_SENT, batch="b", row_key="a")
    left = _row(ledger, "b")
    _leave(path, left, **_GONE)
    for key in "ab":
        _row(ledger, key)
    assert ledger.get(refused).error == "nobody was there"
    assert ledger.get(left).error == "The process that was to send it ended before anything was sent."


@pytest.mark.drill("B13")
def test_a_limit_may_be_reached_and_not_passed(ledger: Ledger) -> None:
    finished(ledger, "job-1", "0.25", batch="b", row_key="free", quote=quote(0.5), status="failed")
    with pytest.raises(MoneyError) as refusal:
        _row(ledger, "a", 0.76, max_total=Decimal(1))
    assert refusal.value.message == (
        "This job may cost $0.76 and the batch $0.25 before it, more than the limit of $1.00 in all; "
        "nothing more was sent."
    )
    _row(ledger, "a", 0.75, max_total=Decimal(1))
    _row(ledger, "b", 0, max_total=Decimal(1))
    with pytest.raises(MoneyError):
        _row(ledger, "c", 1e-9, max_total=Decimal(1))
    _row(ledger, "c", 9, max_total=None)


@pytest.mark.parametrize(
    ("said", "most"),
    [
        (None, None),
        ({"kind": "about", "usd": 1, "high": 2}, 2),
        ({"kind": "about", "usd": 1, "high": 0}, 0),
        ({"kind": "about", "usd": 1, "high": None}, 1),
        ({"kind": "about", "usd": None, "high": 2}, 2),
        ({"kind": "unknown", "usd": 1, "high": 2}, None),
        ({"kind": "about", "usd": True, "high": "NaN"}, None),
        ({"kind": "about", "usd": "1.5", "high": "much"}, "1.5"),
    ],
)
def test_the_most_that_a_quote_says(said: dict[str, object] | None, most: object) -> None:
    assert quoted_most(said) == (None if most is None else Decimal(str(most)))


# --- threads, and the end


def test_many_threads_take_turns_on_one_ledger(ledger: Ledger) -> None:
    troubles: list[BaseException] = []

    def live(number: int) -> None:
        try:
            for turn in range(5):
                seq = bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}-{turn}")
                ledger.observed(seq, Observation(status="completed", cost=Decimal("0.05"), final=True))
                ledger.output_saved(seq, Output(0, f"/v/{number}-{turn}.mp4", 1, "ab"))
                assert ledger.find(f"job-{number}-{turn}").seq == seq
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=live, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles == []
    assert len(ledger.list()) == 40
    assert all(record.is_fetched for record in ledger.list())


@pytest.mark.drill("B13")
def test_threads_together_do_not_pass_a_limit(ledger: Ledger) -> None:
    refused: list[MoneyError] = []

    def buy(number: int) -> None:
        try:
            _row(ledger, str(number), 0.1, max_total=Decimal("0.5"))
        except MoneyError as error:
            refused.append(error)

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(ledger.list()), len(refused)) == (5, 7)


def test_what_was_written_is_there_for_the_next_process(path: Path, time: HandClock) -> None:
    with Ledger(path, clock=time.clock()) as ledger:
        seq = finished(ledger, "job-1")
        before = ledger.get(seq)
    with Ledger(path, clock=time.clock()) as ledger:
        assert ledger.get(seq) == before
        assert ledger.check() == ()


def test_a_closed_ledger_says_so(path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()
    ledger.close()

    with pytest.raises(RecordError, match="closed"):
        ledger.list()


class _Interruption(BaseException):
    """What a signal raises where the program stands."""


@pytest.mark.drill("S10")
def test_a_signal_in_the_middle_of_a_write_leaves_the_state_before(ledger: Ledger, path: Path) -> None:
    seq = bring_to(ledger, State.SENDING)

    class Hostile(dict[str, object]):
        def items(self) -> object:  # type: ignore[override]
            raise _Interruption

    with pytest.raises(_Interruption):
        ledger.submitted(seq, "job-1", extra=Hostile(a=1))

    assert ledger.get(seq).state is State.SENDING
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody holds the lock
        other.execute("ROLLBACK")
    ledger.submitted(seq, "job-1")
    assert ledger.get(seq).state is State.SUBMITTED


# --- marks


def test_a_mark_and_a_note_are_set_left_alone_and_removed(ledger: Ledger) -> None:
    seq = finished(ledger, "job-1")
    before = ledger.get(seq)
    for given, there in (
        (("keep", "the\tbest\none "), ("keep", "the best one")),
        ((None, "better"), ("keep", "better")),
        (("reject", None), ("reject", "better")),
        (("", None), (None, "better")),
        (("keep", ""), ("keep", None)),
        ((None, None), ("keep", None)),
        (("", "half \ud83d"), (None, "half \ufffd")),
        (("", ""), (None, None)),
    ):
        ledger.set_mark(seq, *given)
        record = ledger.get(seq)
        assert (record.mark, record.note) == there
    assert ledger.get(seq) == before


def test_marks_are_set_together_or_not_at_all(ledger: Ledger) -> None:
    first, gone = finished(ledger, "job-1"), finished(ledger, "job-2")
    ledger.forget(gone)
    with pytest.raises(Forgotten):
        ledger.set_marks([Marking(first, "keep"), Marking(gone, "keep")])
    with pytest.raises(UsageError, match="keep or reject, not 'best'"):
        ledger.set_marks([Marking(first, "keep"), Marking(first, "best")])
    with pytest.raises(UsageError, match=r"at most 2,000 characters, and this one has 2,001"):
        ledger.set_mark(first, "keep", "x" * 2001)
    assert ledger.get(first).mark is None


def test_a_mark_on_an_adopted_job_stays_when_its_submit_is_found(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.UNKNOWN)
    adopted = ledger.adopt("job-1", endpoint=HERE)
    ledger.set_mark(adopted.seq, "keep", "found it")
    ledger.submitted(seq, "job-1")
    assert [(one.seq, one.mark, one.note) for one in ledger.list()] == [(seq, "keep", "found it")]
