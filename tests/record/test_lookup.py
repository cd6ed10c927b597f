"""Finding and listing jobs, and what finished jobs teach; none of it slower in a large record than in a small one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.errors import UsageError
from orvideo.record import lookup
from orvideo.record.ledger import Ledger
from orvideo.record.lookup import Filter
from orvideo.record.owner import Owner
from orvideo.record.rows import ReadContext
from orvideo.record.values import SANDBOX, Observation, Output, Record, Spending, State, Typical, shape_of
from tests.clocks import HandClock
from tests.record.ledger_support import HERE, START, bring_to, finished, quote, raw, request


@pytest.fixture
def time() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(tmp_path: Path, time: HandClock) -> Iterator[Ledger]:
    with Ledger(tmp_path / "jobs.db", clock=time.clock()) as ledger:
        yield ledger


def _names(records: list[Record]) -> list[str]:
    return [record.name for record in records]


# --- one job


def test_a_job_is_found_by_id_prefix_handle_and_place(ledger: Ledger) -> None:
    for job_id in ("abcd-1111", "abce-2222", "zzzz-3333"):
        bring_to(ledger, State.SUBMITTED, job_id=job_id)
    handle = ledger.find("abce-2222").handle

    for ref in ("abcd-1111", " abcd-1111 ", "abcd", "abcd-11", "@3"):
        assert ledger.find(ref).id == "abcd-1111", ref
    for ref in (handle, handle[:9], "@2"):
        assert ledger.find(ref).id == "abce-2222", ref
    for ref in ("@1", "@last", "@01"):
        assert ledger.find(ref).id == "zzzz-3333", ref


@pytest.mark.drill("F-C11")
def test_c11_a_piece_of_the_last_part_names_a_job_made_in_the_same_second(ledger: Ledger) -> None:
    ids = ["gen-vid-1764123456-aB3dE5fG7hJ9kL1mN2pQ", "gen-vid-1764123456-zY3xE5wV7uT9sR1qP2oN"]
    for job_id in ids:
        bring_to(ledger, State.SUBMITTED, job_id=job_id)
    for ref in ("aB3d", "7hJ9", "mN2pQ", ids[0], ids[0][:25], "2", "@2"):
        assert ledger.find(ref).id == ids[0], ref
    handle = ledger.find(ids[1]).handle
    for ref in ("zY3x", "P2oN", "1", handle[-4:]):
        assert ledger.find(ref).id == ids[1], ref
    for ref in ("gen-vid-1764123456", "176412", "gen-"):
        with pytest.raises(UsageError, match=r"any of these|No job"):
            ledger.find(ref)
    # The time is no piece of the last part, and neither is what is shorter than four characters.
    for ref in ("1234", "aB3", "0", "3", "vid-", "x%y_"):
        with pytest.raises(UsageError, match="No job"):
            ledger.find(ref)


def test_an_exact_id_wins_over_those_it_begins(ledger: Ledger) -> None:
    for job_id in ("abcd-1", "abcd-10", "abcd-100"):
        bring_to(ledger, State.SUBMITTED, job_id=job_id)

    assert ledger.find("abcd-1").id == "abcd-1"
    assert ledger.find("abcd-100").id == "abcd-100"


def test_a_local_name_is_its_own_also_where_an_id_begins_with_it(ledger: Ledger) -> None:
    first = ledger.get(bring_to(ledger, State.SUBMITTED, job_id="abcd-1"))
    bring_to(ledger, State.SUBMITTED, job_id=f"{first.handle}9")
    assert ledger.find(first.handle) == first


_NOWHERE = ["abcd%", "abcd_1", "____", "%%%%", "abc*", "ABCD", "abcd-9", "", " ", "abc", "' OR 1=1"]
_ODD_PLACES = ["@9", "@0", "@", "@x", "@-1", "@99999999999999999999", "ab\ud800cd", "abc\ud7ff", "\U0010ffff" * 4]


@pytest.mark.parametrize("ref", _NOWHERE + _ODD_PLACES)
def test_what_is_not_there_is_not_found_and_the_way_on_is_named(ledger: Ledger, ref: str) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="abcd-1")

    with pytest.raises(UsageError) as refusal:
        ledger.find(ref)
    assert refusal.value.exit_code == 2
    assert "orvideo jobs" in (refusal.value.hint or "")
    assert "orvideo jobs adopt ID" in (refusal.value.hint or "")
    assert ("at least 4" in refusal.value.message) == (ref in ("", " ", "abc"))


def test_a_prefix_that_is_too_short_is_told_so(ledger: Ledger) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="abcd-1")

    with pytest.raises(UsageError, match="at least 4"):
        ledger.find("abc")
    with pytest.raises(UsageError, match="at least 4"):
        ledger.find(" abc ")
    bring_to(ledger, State.SUBMITTED, job_id="xyz")
    assert ledger.find("xyz").id == "xyz", "a whole id may be short"


@pytest.mark.parametrize(("count", "more"), [(2, False), (5, False), (6, True), (50, True)])
def test_what_may_be_several_jobs_lists_five_of_them(ledger: Ledger, count: int, more: bool) -> None:
    for number in range(count):
        bring_to(ledger, State.SUBMITTED, job_id=f"same-{number:02}")

    with pytest.raises(UsageError) as refusal:
        ledger.find("same")
    assert refusal.value.message.count("same-") == min(count, 5)
    assert ("more" in refusal.value.message) is more


def test_one_id_at_two_endpoints_is_told_apart_by_the_local_names(ledger: Ledger) -> None:
    first = bring_to(ledger, State.SUBMITTED, job_id="job-1")
    assert ledger.get(first).name == "job-1"
    there = ledger.get(bring_to(ledger, State.SUBMITTED, job_id="job-1", endpoint=SANDBOX))
    here = ledger.get(first)

    with pytest.raises(UsageError) as refusal:
        ledger.find("job-1")
    for record in (here, there):
        assert record.handle in refusal.value.message
        assert record.endpoint in refusal.value.message
        assert ledger.find(record.handle) == record
        assert record.name == record.handle, "what is copied from a hint means this job"


@pytest.mark.parametrize("job_id", ["-job", "7", "123"])
def test_an_id_that_a_command_would_read_as_something_else_is_not_a_name(ledger: Ledger, job_id: str) -> None:
    record = ledger.get(bring_to(ledger, State.SUBMITTED, job_id=job_id))
    assert ledger.find(record.name) == record
    assert record.name == record.handle


_IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6).map(str.strip).filter(bool)


@given(prefix=_IDS.map(lambda text: (text * 4)[:8]), ends=st.sets(_IDS, max_size=4), others=st.sets(_IDS, max_size=4))
def test_a_prefix_finds_exactly_what_begins_with_it(
    tmp_path_factory: pytest.TempPathFactory, prefix: str, ends: set[str], others: set[str]
) -> None:
    ids = {prefix + end for end in ends} | {other for other in others if not other.startswith("@")}
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE jobs (seq INTEGER PRIMARY KEY, job_id TEXT)")
        connection.executemany("INSERT INTO jobs (job_id) VALUES (?)", [(job_id,) for job_id in ids])
        found = lookup._with_prefix(connection, "job_id", prefix)
        names = {connection.execute("SELECT job_id FROM jobs WHERE seq = ?", (seq,)).fetchone()[0] for seq in found}
    connection.close()

    assert names == {job_id for job_id in ids if job_id.startswith(prefix)}


@pytest.mark.parametrize("last", ["\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"])
def test_a_prefix_may_end_anywhere_in_unicode(ledger: Ledger, last: str) -> None:
    for job_id in (f"abcd{last}1", f"abcd{last}\U0010ffff", f"abcd{chr(ord(last) - 1)}", "abcd", "abce"):
        bring_to(ledger, State.SUBMITTED, job_id=job_id)
    with pytest.raises(UsageError) as refusal:
        ledger.find(f"abcd{last}")
    assert refusal.value.message.count("(pending)") == 2


# --- many jobs


def test_the_newest_come_first_and_a_limit_holds(ledger: Ledger) -> None:
    for number in range(5):
        bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}")

    assert _names(ledger.list()) == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert _names(ledger.list(limit=2)) == ["job-4", "job-3"]
    assert ledger.list(limit=0) == []
    assert [ledger.find(f"@{place}").name for place in (1, 2)] == _names(ledger.list(limit=2))
    assert ledger.count() == 5


def test_the_lists_of_what_is_to_be_done(ledger: Ledger) -> None:
    submitting = [bring_to(ledger, State.SENDING), bring_to(ledger, State.PREPARED)]
    bring_to(ledger, State.NOT_SENT)
    unknown = bring_to(ledger, State.UNKNOWN)
    running = bring_to(ledger, State.SUBMITTED, job_id="running")
    finished(ledger, "failed", status="failed")
    unfetched = finished(ledger, "unfetched")
    ledger.output_saved(finished(ledger, "fetched"), Output(0, "/v/a.mp4", 1, "ab"))

    assert [record.seq for record in ledger.list(unfinished=True)] == [running]
    assert sorted(record.seq for record in ledger.list(submitting=True)) == submitting
    everything = ledger.list(unfinished=True, submitting=True, unknown=True)
    assert sorted(record.seq for record in everything) == [*submitting, unknown, running]
    assert [record.seq for record in ledger.list(unknown=True)] == [unknown]
    assert [record.seq for record in ledger.list(not_downloaded=True)] == [unfetched]
    assert [record.seq for record in ledger.list(unfinished=True, unknown=True)] == [running, unknown]
    assert [r.seq for r in ledger.list(unfinished=True, not_downloaded=True, limit=1)] == [unfetched]


def test_filters_hold_together(ledger: Ledger, time: HandClock) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="job-1", request=request(model="a"))
    time.elapsed += 60
    bring_to(ledger, State.SUBMITTED, job_id="job-2", request=request(model="b"), batch="night")
    finished(ledger, "job-3", request=request(model="b"), endpoint=SANDBOX)

    assert _names(ledger.list(model="b")) == ["job-3", "job-2"]
    assert _names(ledger.list(model="b", status="pending")) == ["job-2"]
    assert _names(ledger.list(batches=("night",))) == ["job-2"]
    assert _names(ledger.list(status="PENDING")) == ["job-2", "job-1"]
    assert _names(ledger.list(status="saved")) == []
    assert _names(ledger.list(status="pending, completed")) == ["job-3", "job-2", "job-1"]
    assert _names(ledger.list(status="failed,completed")) == ["job-3"]
    assert _names(ledger.list(status="completed")) == ["job-3"]
    assert _names(ledger.list(since=START + timedelta(seconds=60))) == ["job-3", "job-2"]
    assert _names(ledger.list(since=START + timedelta(seconds=61))) == []
    assert _names(ledger.list(since=START, model="b", unfinished=True)) == ["job-2"]


@pytest.mark.parametrize(
    ("needle", "found"),
    [
        ("BOAT", ["job-1"]),
        ("strasse", ["job-2"]),
        ("ÉTÉ", ["job-2"]),
        ("veo", ["job-2"]),
        ("job-", ["job-2", "job-1"]),
        ("100%", ["job-1"]),
        ("100_", []),
        ("nothing like it", []),
    ],
)
def test_text_is_found_in_any_case_and_means_itself(ledger: Ledger, needle: str, found: list[str]) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="job-1", request=request(prompt="a Boat at 100% speed", model="grok"))
    bring_to(ledger, State.SUBMITTED, job_id="job-2", request=request(prompt="été, Straße", model="Google/VEO-3"))

    assert _names(ledger.list(text=needle)) == found
    assert _names(ledger.list(text=needle, limit=1)) == found[:1]


def test_outputs_of_many_jobs_come_with_their_jobs(ledger: Ledger) -> None:
    for number in range(5):
        seq = finished(ledger, f"job-{number}")
        for index in range(number):
            ledger.output_saved(seq, Output(index, f"/v/{number}-{index}.mp4", 1, "ab"))

    assert {record.id: len(record.outputs) for record in ledger.list()} == {f"job-{n}": n for n in range(5)}


def test_more_jobs_than_are_read_at_once_come_in_their_order_with_their_outputs(tmp_path: Path) -> None:
    path = tmp_path / "many.db"
    with Ledger(path) as ledger:
        _grow(path, 1001)
        ledger.output_saved(1, Output(0, "/v/a.mp4", 1, "ab"))
        jobs = ledger.list()
        assert [job.seq for job in jobs] == list(range(1001, 0, -1))
        assert [job.seq for job in jobs if job.outputs] == [1]
        assert len(ledger.list(limit=501)) == 501


def _grow(path: Path, jobs: int) -> None:
    """Add finished and fetched jobs to a record, quickly."""
    with raw(path) as connection:
        connection.execute(
            """
            INSERT INTO jobs (handle, job_id, endpoint, state, status, final, fetched, created_at, updated_at, model,
                              prompt, request, cost)
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            SELECT 'sub-' || printf('%08x', (i * 2654435761) % 4294967296),
                   printf('%08x', (i * 2246822519) % 4294967296),
                   'https://openrouter.example/api/v1', 'submitted', 'completed', 1, 1, i, i, 'm', 'a boat ' || i, '{}',
                   '0.05'
            FROM n
            """,
            (jobs,),
        )


def _effort(path: Path, work: Callable[[sqlite3.Connection], object]) -> int:
    """Return how many instructions of SQLite's machine `work` takes: a measure that no clock and no load disturbs."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with raw(path) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.set_progress_handler(count, 1)
        work(connection)
        connection.set_progress_handler(None, 0)
    return steps


_VIEW = ReadContext(Owner.current(), 10**15)


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda c: lookup.select(c, Filter(), 20, _VIEW), id="newest 20"),
        pytest.param(lambda c: lookup.find(c, "last-", _VIEW), id="prefix of an id"),
        pytest.param(lambda c: lookup.find(c, "last-job", _VIEW), id="id"),
        pytest.param(lambda c: lookup.find(c, "sub-last", _VIEW), id="prefix of a handle"),
        pytest.param(lambda c: lookup.find(c, "@20", _VIEW), id="place"),
        pytest.param(lambda c: lookup.select(c, Filter(unfinished=True), None, _VIEW), id="unfinished"),
        pytest.param(lambda c: lookup.select(c, Filter(unknown=True), None, _VIEW), id="unknown"),
        pytest.param(lambda c: lookup.select(c, Filter(not_downloaded=True), None, _VIEW), id="not downloaded"),
        pytest.param(
            lambda c: lookup.select(c, Filter(unfinished=True, unknown=True, not_downloaded=True), None, _VIEW),
            id="all that is to be done",
        ),
        pytest.param(lambda c: lookup.select(c, Filter(batches=("night",)), None, _VIEW), id="batch"),
        pytest.param(lambda c: lookup.select(c, Filter(text="a boat"), 20, _VIEW), id="text that is everywhere"),
    ],
)
def test_no_more_effort_in_a_record_of_thousands(
    work: Callable[[sqlite3.Connection], object], small: Path, large: Path
) -> None:
    assert _effort(large, work) <= 1.3 * _effort(small, work)


def _sized(path: Path, jobs: int) -> Path:
    with Ledger(path) as ledger:
        _grow(path, jobs)
        bring_to(ledger, State.UNKNOWN)
        finished(ledger, "unfetched", batch="night", row_key="1")
        seq = bring_to(ledger, State.SUBMITTED, job_id="last-job")
    with raw(path) as connection:
        connection.execute("UPDATE jobs SET handle = 'sub-last-one' WHERE seq = ?", (seq,))
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _sized(tmp_path_factory.mktemp("small") / "jobs.db", 100)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _sized(tmp_path_factory.mktemp("large") / "jobs.db", 20_000)


# --- evidence


def _clip(ledger: Ledger, time: HandClock, job_id: str, cost: str | None, seconds: float, **more: object) -> int:
    """Live through one finished job that was looked at every two seconds."""
    body = request(**{"generate_audio": False, **more.pop("request", {})})  # type: ignore[dict-item]
    seq = bring_to(ledger, State.SUBMITTED, job_id=job_id, request=body, **more)
    gone = 0.0
    while gone + 2 < seconds:
        time.elapsed += 2
        gone += 2
        ledger.observed(seq, Observation(status="in_progress"))
    time.elapsed += seconds - gone
    ledger.observed(seq, Observation(status="completed", cost=Decimal(cost) if cost else None, final=True))
    return seq


def test_what_jobs_of_one_shape_cost_and_took(ledger: Ledger, time: HandClock) -> None:
    for number, (cost, seconds) in enumerate([("0.10", 30), ("0.30", 50), ("0.20", 40), (None, 60)]):
        _clip(ledger, time, f"job-{number}", cost, seconds)

    assert ledger.typical(shape_of(request(generate_audio=False)), HERE) == Typical(
        found=4,
        priced=3,
        cost=Decimal("0.20"),
        cost_low=Decimal("0.10"),
        cost_high=Decimal("0.30"),
        timed=4,
        seconds=45.0,
    )


@pytest.mark.parametrize(
    "other",
    [
        {"model": "another"},
        {"resolution": "720p"},
        {"size": "864x496"},
        {"duration": 8},
        {"generate_audio": True},
        {"generate_audio": None},
        {"frame_images": [{"type": "image_url"}]},
        {"input_references": [{"type": "image_url"}]},
        {"previous_job_id": "job-0"},
    ],
)
def test_jobs_of_another_shape_are_no_evidence(ledger: Ledger, time: HandClock, other: dict[str, object]) -> None:
    _clip(ledger, time, "job-1", "9.99", 30, request=other)

    assert ledger.typical(shape_of(request(generate_audio=False)), HERE) == Typical()
    assert ledger.typical(shape_of(request(**{"generate_audio": False, **other})), HERE).found == 1


def test_the_sandbox_and_jobs_that_failed_are_no_evidence(ledger: Ledger, time: HandClock) -> None:
    _clip(ledger, time, "job-1", "0.10", 1, endpoint=SANDBOX)
    finished(ledger, "job-2", "0", status="failed", request=request(generate_audio=False))
    bring_to(ledger, State.SUBMITTED, job_id="job-3", request=request(generate_audio=False))
    shape = shape_of(request(generate_audio=False))

    assert ledger.typical(shape, HERE) == Typical()
    assert ledger.typical(shape, SANDBOX).found == 1
    assert ledger.typical(shape, "https://other.example").found == 0


@pytest.mark.drill("F-A11")
def test_a11_what_a_users_own_provider_key_paid_is_no_evidence_of_a_price(ledger: Ledger) -> None:
    shape = shape_of(request(generate_audio=False))
    for number, (cost, is_byok) in enumerate([(None, True), (Decimal("0.006"), True), (Decimal("0.12"), False)]):
        seq = bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}", request=request(generate_audio=False))
        ledger.observed(seq, Observation("completed", cost, final=True, is_byok=is_byok))
        assert ledger.get(seq).is_byok is is_byok
    found = ledger.typical(shape, HERE)
    assert (found.found, found.priced, found.cost_low, found.cost_high) == (3, 1, Decimal("0.12"), Decimal("0.12"))


@pytest.mark.drill("P14")
def test_an_end_that_was_not_watched_says_nothing_of_the_time(ledger: Ledger, time: HandClock) -> None:
    seq = bring_to(ledger, State.SUBMITTED, request=request(generate_audio=False))
    time.elapsed += 86_400
    ledger.observed(seq, Observation(status="completed", cost=Decimal("0.10"), final=True))
    back = bring_to(ledger, State.SUBMITTED, job_id="job-2", request=request(generate_audio=False))
    time.elapsed -= 86_400
    ledger.observed(back, Observation(status="completed", cost=Decimal("0.10"), final=True))

    found = ledger.typical(shape_of(request(generate_audio=False)), HERE)

    assert (found.found, found.priced, found.timed, found.seconds) == (2, 2, 0, None)


@pytest.mark.parametrize(("gap", "timed"), [(0, 1), (15, 1), (16, 0)])
def test_an_end_seen_within_15_seconds_was_watched(ledger: Ledger, time: HandClock, gap: int, timed: int) -> None:
    _end_after_a_gap(ledger, time, gap, 20)
    assert ledger.typical(shape_of(request(generate_audio=False)), HERE).timed == timed


@pytest.mark.parametrize(("gap", "timed"), [(40, 1), (41, 0)])
def test_an_end_seen_within_a_fifth_of_its_time_was_watched(
    ledger: Ledger, time: HandClock, gap: int, timed: int
) -> None:
    _end_after_a_gap(ledger, time, gap, 200)
    assert ledger.typical(shape_of(request(generate_audio=False)), HERE).timed == timed


def _end_after_a_gap(ledger: Ledger, time: HandClock, gap: int, total: int) -> None:
    """Live through a job of `total` seconds that nobody looked at in the last `gap` of them."""
    seq = bring_to(ledger, State.SUBMITTED, request=request(generate_audio=False))
    for _ in range(2):
        time.elapsed += (total - gap) / 2
        ledger.observed(seq, Observation("in_progress"))
    time.elapsed += gap
    ledger.observed(seq, Observation("completed", final=True))


def test_a_job_that_is_not_at_its_end_is_no_evidence(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED, request=request(generate_audio=False))
    ledger.observed(seq, Observation("completed", cost=Decimal("9")))
    assert ledger.typical(shape_of(request(generate_audio=False)), HERE) == Typical()


def test_the_newest_fifty_count(ledger: Ledger, time: HandClock) -> None:
    for number in range(55):
        time.elapsed += 1
        finished(ledger, f"job-{number}", "9" if number < 5 else "1", request=request(generate_audio=False))

    found = ledger.typical(shape_of(request(generate_audio=False)), HERE)

    assert (found.found, found.cost_high) == (50, Decimal(1))


# --- sums


def test_sums_are_exact_and_what_is_unknown_is_counted(ledger: Ledger, time: HandClock) -> None:
    finished(ledger, "job-1", "0.1", request=request(model="a"))
    time.elapsed += 86_400 * 20  # the next month
    for number in range(10):
        finished(ledger, f"more-{number}", "0.1", request=request(model="b"))
    finished(ledger, "job-2", "0.2", request=request(model="a"))
    finished(ledger, "job-3", None, status="failed", request=request(model="a"))
    bring_to(ledger, State.UNKNOWN, request=request(model="c"))
    bring_to(ledger, State.SENDING, request=request(model="c"))
    bring_to(ledger, State.NOT_SENT, request=request(model="c"))
    finished(ledger, "job-4", "50", endpoint=SANDBOX)

    assert ledger.spent("model") == (
        Spending("b", False, Decimal("1.0"), 10),
        Spending("a", False, Decimal("0.3"), 2, 1),
        Spending("c", False, Decimal(0), 0, 1, 1),
        Spending("x-ai/grok-imagine-video", True, Decimal(50), 1),
    )
    assert ledger.spent("month") == (
        Spending("2026-12", False, Decimal("1.2"), 11, 2, 1),
        Spending("2026-11", False, Decimal("0.1"), 1),
        Spending("2026-12", True, Decimal(50), 1),
    )
    assert ledger.spent("day", since=START + timedelta(days=1), text="a paper")[:1] == (
        Spending("2026-12-11", False, Decimal("1.2"), 11, 2, 1),
    )


@pytest.mark.drill("F-A11")
def test_a11_sums_count_what_is_pending_with_its_quotes_and_what_an_own_key_paid(ledger: Ledger) -> None:
    bring_to(ledger, State.SUBMITTED, job_id="job-1", quote=quote(0.2))
    bring_to(ledger, State.SUBMITTED, job_id="job-2", quote={"kind": "about", "usd": 0.3, "low": 0.1, "high": 0.3})
    bring_to(ledger, State.SUBMITTED, job_id="job-3", quote={"kind": "unknown", "usd": None})
    for number, cost in ((4, None), (5, Decimal("0.006"))):
        seq = bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}")
        ledger.observed(seq, Observation("completed", cost, final=True, is_byok=True))
    bring_to(ledger, State.PREPARED)
    assert ledger.spent("model") == (
        Spending("x-ai/grok-imagine-video", cost=Decimal("0.006"), pending=3, quoted=Decimal("0.5"), byok=2),
    )
    assert ledger.spent("model", limit=2)[0].byok == 1
    assert ledger.spent("model", not_downloaded=True)[0].pending == 0
    assert ledger.spent("model", text="no such thing") == ()


def test_what_was_adopted_has_no_model_until_the_service_says(ledger: Ledger) -> None:
    seq = ledger.adopt("elsewhere", endpoint=HERE).seq
    ledger.observed(seq, Observation(status="completed", cost=Decimal("0.05"), final=True))

    assert ledger.spent("model") == (Spending(None, False, Decimal("0.05"), 1),)
    assert not ledger.get(seq).watched, "nobody knows when it was submitted"


def test_sums_that_are_equal_are_sorted_by_name(ledger: Ledger) -> None:
    for number, model in enumerate(("b", "a", "c")):
        finished(ledger, f"job-{number}", "0.1", request=request(model=model))
    seq = ledger.adopt("elsewhere", endpoint="https://other.example").seq
    ledger.observed(seq, Observation(status="completed", cost=Decimal("0.10"), final=True))
    finished(ledger, "job-9", "0.1", endpoint=SANDBOX)

    assert [spending.key for spending in ledger.spent("model")] == [None, "a", "b", "c", "x-ai/grok-imagine-video"]
    assert ledger.spent("month", since=START + timedelta(microseconds=1)) == ()
    assert ledger.spent("month", since=START)[0].known == 4


def test_jobs_are_listed_by_their_marks(ledger: Ledger) -> None:
    for number, mark in enumerate((None, "keep", "reject", "keep")):
        ledger.set_mark(bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}"), mark)
    for marked, names in (
        ("keep", ["job-3", "job-1"]),
        ("reject", ["job-2"]),
        ("any", ["job-3", "job-2", "job-1"]),
        ("none", ["job-0"]),
    ):
        assert _names(ledger.list(marked=marked)) == names


def test_batches_are_listed_by_place_with_the_name_that_is_known(ledger: Ledger) -> None:
    for number, (batch, name) in enumerate((("a", None), ("b", "night"), ("a", "day"), ("c", None), (None, None))):
        bring_to(ledger, State.SUBMITTED, job_id=f"job-{number}", batch=batch, batch_name=name, row_key=str(number))
    assert ledger.batches() == [("c", HERE, None), ("a", HERE, "day"), ("b", HERE, "night")]
    assert _names(ledger.list(batches=("a", "c"))) == ["job-3", "job-2", "job-0"]
    assert ledger.list(batches=()) == []
