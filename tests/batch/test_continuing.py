"""The same command goes on: what is done is skipped, what is new is bought, and everything is said before."""

from __future__ import annotations

import json
from pathlib import Path

from orvideo.record.values import State
from tests.batch.bench import Bench, bench, rows
from tests.shell import Shell


def test_rows_are_bought_followed_and_saved_under_names_that_sort(service: Bench, home: Path) -> None:
    service.write(rows(3))
    done = service.batch()
    assert done.code == 0, done.err
    assert service.users() == ["row-1", "row-2", "row-3"]
    assert sorted(done.lines) == sorted(path.name for path in home.glob("*.mp4"))
    assert [line[:11] for line in sorted(done.lines)] == ["001-a-boat-", "002-a-boat-", "003-a-boat-"]
    assert all((home / line).read_bytes()[4:8] == b"ftyp" for line in done.lines)
    assert "$0.06 for 3 rows: 3 listed" in done.err


def test_the_same_command_again_buys_nothing_and_answers_the_same(service: Bench) -> None:
    service.write(rows(3))
    first, second = service.batch(), service.batch()
    assert second.code == 0, second.err
    assert sorted(second.lines) == sorted(first.lines)
    assert len(service.received) == 3
    assert "nothing to submit" in second.err


def test_a_file_that_is_gone_is_fetched_again_and_not_bought_again(service: Bench, home: Path) -> None:
    service.write(rows(2))
    first = sorted(service.batch().lines)
    (home / first[1]).unlink()
    again = service.batch()
    assert (again.code, sorted(again.lines)) == (0, first)
    assert len(service.received) == 2


def test_a_changed_row_is_a_new_row_and_said_to_be(service: Bench) -> None:
    service.write(rows(3))
    service.batch()
    lines = rows(3).splitlines()
    lines[1] = json.dumps({"prompt": "a boat", "user": "row-2b"})
    service.write("\n".join(lines))
    done = service.batch()
    assert done.code == 0, done.err
    assert service.users() == ["row-1", "row-2", "row-2b", "row-3"]
    assert "3 rows: 2 finished, 1 to submit" in done.err
    assert "changed since they were bought, so new: line 2" in done.err
    assert "1 job of this batch belong to rows that were changed or taken out" in done.err


def test_rows_may_be_added_taken_out_and_moved(service: Bench) -> None:
    service.write(rows(3))
    service.batch()
    moved = rows(4).splitlines()
    service.write("\n".join([moved[3], moved[2], moved[0]]))
    done = service.batch()
    assert done.code == 0, done.err
    assert service.users() == ["row-1", "row-2", "row-3", "row-4"]


def test_equal_rows_are_told_apart_by_their_order(service: Bench) -> None:
    service.write("a boat\n" * 3, "b.txt")
    assert service.batch(file="b.txt").code == 0
    assert len(service.received) == 3
    service.write("a boat\n" * 4, "b.txt")
    assert service.batch(file="b.txt").code == 0
    assert len(service.received) == 4


def test_another_default_on_the_line_makes_all_rows_new(service: Bench) -> None:
    service.write(rows(2))
    service.batch()
    done = service.batch("-d", "2", "--dry-run")
    assert "2 to submit" in done.err
    assert "changed since they were bought, so new: line 1, 2" in done.err


def test_the_output_and_the_name_do_not_make_a_row_new(service: Bench) -> None:
    service.write(rows(2, output="{name}-{row}.mp4", name="a"))
    service.batch()
    service.write(rows(2, output="{name}_{row}.mp4", name="b"))
    assert service.batch().code == 0
    assert len(service.received) == 2


def test_another_name_is_another_batch(service: Bench) -> None:
    service.write(rows(2))
    service.batch()
    assert service.batch("--name", "take-2", "--again").code == 0
    assert len(service.received) == 4
    service.write(rows(2), "copy.jsonl")
    assert service.batch("--name", "take-2", file="copy.jsonl").code == 0
    assert len(service.received) == 4


def test_stdin_is_known_by_its_content_or_by_its_name(service: Bench) -> None:
    assert service.batch(file="-", stdin=rows(2)).code == 0
    again = service.batch(file="-", stdin=rows(2))
    assert "known by its content" in again.err
    assert len(service.received) == 2
    assert service.batch("--name", "pipe", "--again", file="-", stdin=rows(2)).code == 0
    assert service.batch("--name", "pipe", file="-", stdin=rows(3)).code == 0
    assert len(service.received) == 5


def test_rows_in_flight_are_followed_and_not_bought_again(orvideo: Shell, home: Path) -> None:
    # Nothing ends within this test's patience: the first run leaves its rows running.
    with bench(orvideo, home, speed=0.01) as service:
        service.write(rows(2))
        left = service.batch("--timeout", "4", "--json")
        assert left.code == 20, left.err
        assert {row["status"] for row in left.json["rows"]} <= {"pending", "in_progress"}
        assert "orvideo batch rows.jsonl" in left.error["resume"]
        again = service.batch("--timeout", "4")
        assert "2 rows: 2 in flight, 0 to submit" in again.err
        assert len(service.received) == 2


def test_failed_rows_are_bought_again_when_asked_to_and_at_a_price_that_is_named(service: Bench) -> None:
    service.write(rows(1) + json.dumps({"prompt": "a boat", "user": "bad", "model": "sandbox/fails"}) + "\n")
    first = service.batch("--json")
    assert first.code == 3, first.err
    assert [row["status"] for row in first.json["rows"]] == ["completed", "failed"]
    assert "Content policy violation" in first.json["rows"][1]["error"]
    again = service.batch()
    assert again.code == 3
    assert "1 failed before (--retry-failed buys them again)" in again.err
    assert len(service.received) == 2
    retried = service.batch("--retry-failed")
    assert "1 to submit (1 of them again)" in retried.err
    assert "for 1 row: 1 listed" in retried.err
    assert service.users() == ["bad", "bad", "row-1"]


def test_fail_fast_starts_nothing_after_the_first_failure(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["submit-403:0.5"]) as service:
        service.write(rows(6))
        done = service.batch("--fail-fast", "--jobs", "1", "--json")
        assert done.code == 20
        assert service.users() == ["row-1"]
        assert [row["status"] for row in done.json["rows"]] == ["completed", "refused"] + ["not_submitted"] * 4
        assert len([record for record in service.records() if record.state is State.NOT_SENT]) == 1


def test_refused_rows_are_tried_again_by_the_same_command(orvideo: Shell, home: Path) -> None:
    # Every second submit is refused.
    with bench(orvideo, home, ["submit-403:0.5"]) as service:
        service.write(rows(2))
        assert service.batch("--jobs", "1").code == 20
        assert service.users() == ["row-1"]
        assert service.batch("--jobs", "1").code == 0
        assert service.users() == ["row-1", "row-2"]
