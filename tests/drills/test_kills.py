"""A sample of the kill points; all of them are `python -m tests.drills.kill_sweep` (drills J01, J02, J03, D14)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.kill_sweep import DownloadDrill, Drill, Point, SubmitDrill, Tally, sweep, why_not

#: How many kills of each command the suite can afford; the sweep makes hundreds.
SAMPLE = 4


@pytest.fixture(scope="module", autouse=True)
def _strace() -> None:
    if reason := why_not():
        pytest.skip(f"SKIPPED: {reason}, so nobody drilled kills")


@pytest.fixture(scope="module")
def submitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SubmitDrill]:
    with SubmitDrill(tmp_path_factory.mktemp("submit")) as drill:
        yield drill


Calls = list[tuple[str, str, str]]


@pytest.fixture(scope="module")
def calls(submitting: SubmitDrill) -> Calls:
    return submitting.calls()


def first(calls: Calls, name: str, words: str, start: int = 0) -> int:
    """Return the place of the first call of a name that has these words."""
    return next(n for n, (_, call, rest) in enumerate(calls) if n >= start and call == name and words in rest)


def last_before(calls: Calls, place: int, name: str) -> int:
    return max(n for n, (_, call, _) in enumerate(calls[:place]) if call == name)


def sample(drill: Drill, points: list[Point]) -> Tally:
    step = max(len(points) // SAMPLE, 1)
    tally = sweep(drill, points[step // 2 :: step])
    assert tally.is_clean, tally
    assert tally.killed > SAMPLE // 2
    return tally


@pytest.mark.drill("J02")
def test_the_intent_is_on_disk_before_the_post_and_the_id_before_it_is_told(calls: Calls) -> None:
    posted = first(calls, "sendto", "POST /api/v1/videos")
    told = first(calls, "write", '1, "job-listed')
    received = first(calls, "recvfrom", "HTTP/1.1 202", posted)
    written = [n for n, (_, name, _) in enumerate(calls) if name == "pwrite64"]
    synced = [n for n, (_, name, _) in enumerate(calls) if name == "fdatasync"]
    intent = [n for n in written if n < posted]
    assert intent
    assert any(max(intent) < n < posted for n in synced), "what was written before the POST was on disk by then"
    answer = [n for n in written if received < n < told]
    assert answer
    assert any(max(answer) < n < told for n in synced), "what was written of the answer was on disk by then"
    assert not [n for n in written if posted < n < received]


@pytest.mark.long
@pytest.mark.drill("J01")
def test_a_submit_that_is_killed_anywhere_is_bought_once_and_never_lost(submitting: SubmitDrill, calls: Calls) -> None:
    points = [point for point in submitting.points(calls, every=200) if point.call != "futex"]
    tally = sample(submitting, points)
    assert not tally.double
    assert not tally.lost


@pytest.mark.long
@pytest.mark.drill("J01", "J03")
def test_killed_at_the_wire_it_is_unknown_and_right_after_the_answer_it_is_known(
    submitting: SubmitDrill, calls: Calls
) -> None:
    """The dearest moments by name: before the body goes, before its answer is read, before the id is told."""
    posted = first(calls, "sendto", "POST /api/v1/videos")
    told = first(calls, "write", '1, "job-listed')
    thread = calls[posted][0]

    def number(place: int) -> int:
        owner, name, _ = calls[place]
        return sum((one, call) == (owner, name) for one, call, _ in calls[: place + 1])

    body = first(calls, "sendto", '{\\"model\\"', posted)
    read = next(n for n, (one, name, _) in enumerate(calls) if (one, name) == (thread, "recvfrom") and n > posted)
    before_body = sweep(submitting, [Point("sendto", number(body))])
    assert (before_body.killed, before_body.not_sent, before_body.is_clean) == (1, 1, True), before_body
    before_read = sweep(submitting, [Point("recvfrom", number(read))])
    assert (before_read.killed, len(before_read.unknown), before_read.is_clean) == (1, 1, True), before_read
    # From the moment the answer is on disk, nothing is unknown any more.
    kept = next(n for n, (_, name, _) in enumerate(calls) if name == "fdatasync" and n > read)

    def by_others(name: str) -> int:
        return sum(call == name and one != thread for one, call, _ in calls)

    # Points are counted for each thread: one that no other thread comes to.
    later = [n for n, (one, _, _) in enumerate(calls) if kept < n < told and one == thread]
    after_answer = next((n for n in later if number(n) > by_others(calls[n][1])), told)
    points = [Point(calls[place][1], number(place)) for place in sorted({after_answer, told})]
    tally = sweep(submitting, points)
    assert (tally.killed, tally.known, tally.is_clean) == (len(points), len(points), True), tally


@pytest.mark.long
@pytest.mark.drill("D14")
def test_a_download_that_is_killed_anywhere_leaves_no_half_file_and_is_completed_by_the_next(tmp_path: Path) -> None:
    with DownloadDrill(tmp_path) as drill:
        calls = drill.calls()
        wire = next(n for n, call in enumerate(calls) if "/content" in call[2])
        points = [p for p in drill.points(calls, every=10_000) if p.place > wire and p.call != "futex"]
        tally = sample(drill, points)
        # Also in the check before the fetch, which makes a file to see that one can be made.
        probe = sweep(drill, [Point("write", 1)])
    assert tally.known == tally.points
    assert (probe.killed, probe.known, probe.is_clean) == (1, 1, True), probe
