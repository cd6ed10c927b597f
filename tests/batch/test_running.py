"""How a batch runs: several at once, one answer to a limit, signals, two processes, reports."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from orvideo.record.values import State
from tests.batch.bench import PRICE, SMALL, Bench, bench, rows
from tests.shell import Shell


def test_a_report_has_a_line_for_each_row(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        service.write(rows(1, name="first") + json.dumps({"prompt": "b", "user": "bad", "model": "sandbox/fails"}))
        assert service.batch("--report", "r.jsonl").code == 3
        assert service.batch("--report", "r.csv").code == 3
    lines = [json.loads(line) for line in (home / "r.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["completed", "failed"]
    assert lines[0] == {
        "row": 1, "line": 1, "name": "first", "status": "completed", "id": lines[0]["id"], "path": lines[0]["path"],
        "cost_usd": PRICE, "seconds": lines[0]["seconds"], "error": None,
    }  # fmt: skip
    assert (home / lines[0]["path"]).is_file()
    assert "Content policy violation" in lines[1]["error"]
    with open(home / "r.csv", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [row["status"] for row in cells] == ["completed", "failed"]
    assert cells[0]["cost_usd"] == str(PRICE)


def test_a_report_that_cannot_be_written_is_refused_before_any_money(service: Bench) -> None:
    service.write(rows(1))
    for report, code in (("missing/r.csv", 14), ("rows.jsonl", 2), (".", 14)):
        assert service.batch("--report", report).code == code
    assert service.received == []


def test_a_receipt_lies_beside_each_video(service: Bench, home: Path) -> None:
    service.write(rows(2))
    done = service.batch("--receipt", "-o", "{row}.mp4")
    assert done.code == 0, done.err
    for number in (1, 2):
        receipt = json.loads((home / f"00{number}.mp4.json").read_text())
        assert f"row-{number}" in json.dumps(receipt)
    assert service.batch("--receipt", "-o", "{row}.mp4").code == 0


def test_json_is_one_document_with_rows_and_totals(service: Bench) -> None:
    service.write(rows(2))
    document = service.batch("--json").json
    assert [row["row"] for row in document["rows"]] == [1, 2]
    assert document["totals"] == {
        "rows": 2, "saved": 2, "statuses": {"completed": 2}, "cost_usd": 2 * PRICE, "cost_unknown": 0,
        "byok": 0,
    }  # fmt: skip


def test_events_are_one_object_a_line(service: Bench) -> None:
    service.write(rows(2))
    done = service.batch("--events")
    events = [json.loads(line) for line in done.lines]
    assert (events[0]["event"], events[-1]["event"]) == ("planned", "batch_ended")
    assert events[0]["price"]["usd"] == 2 * PRICE
    told = [(event["event"], event["row"]) for event in events[1:-1]]
    assert {(what, row) for what in ("submitted", "status", "ended") for row in (1, 2)} <= set(told)


def test_a_dry_run_prints_the_requests_and_sends_nothing(service: Bench) -> None:
    service.write(rows(2))
    done = service.batch("--dry-run")
    assert [json.loads(line)["user"] for line in done.lines] == ["row-1", "row-2"]
    assert json.loads(done.lines[0])["duration"] == 1
    plan = service.batch("--dry-run", "--json").json
    assert plan["price"] | {"listed": 2, "unknown": 0, "usd": 2 * PRICE} == plan["price"]
    assert [row["request"]["user"] for row in plan["rows"]] == ["row-1", "row-2"]
    assert service.received == []
    assert service.records() == []


def test_a_terminal_is_asked_for_the_whole(service: Bench) -> None:
    service.write(rows(60))
    done = service.batch(tty=True, stdin="n\n")
    assert done.code == 5
    assert "Submit 60 rows for $1.20?" in done.err
    assert service.received == []


def test_never_more_in_flight_than_asked_for(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, speed=0.01) as service:
        service.write(rows(6))
        # Rows give up after a second each, and then others may begin; never are more than three on their way.
        events = [json.loads(line) for line in service.batch("--jobs", "3", "--timeout", "4", "--events").lines]
    running = most = 0
    for event in events:
        running += {"submitted": 1, "ended": -1}.get(event["event"], 0)
        most = max(most, running)
    assert most <= 3


def test_one_refusal_for_now_holds_all_rows_back(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["submit-429:1:3"]) as service:
        service.write(rows(12))
        done = service.batch("--jobs", "8", "--events")
        assert done.code == 0, done.err
        assert len(service.received) == 12
    waits = [json.loads(line) for line in done.lines if '"waiting"' in line]
    # Three refusals in all: had each thread asked for itself, there would be as many waits as threads.
    assert len(waits) == 3


def test_looks_and_downloads_that_fail_now_and_then_cost_nothing(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["poll-500:0.2", "content-500:0.3"]) as service:
        service.write(rows(6))
        done = service.batch("--jobs", "6")
        assert done.code == 0, done.err
        assert len(service.received) == 6


@pytest.mark.long
def test_two_runs_of_one_batch_at_the_same_time_buy_each_row_once(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        service.write(rows(12))
        both = [
            orvideo.popen("batch", "rows.jsonl", *SMALL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        ended = [(process.communicate(timeout=240), process.returncode) for process in both]
        assert [code for _, code in ended] == [0, 0], ended
        assert service.users() == sorted(f"row-{n}" for n in range(1, 13))
        assert len(list(home.glob("*.mp4"))) == 12


@pytest.mark.drill("S03")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_every_job_on_record_and_names_the_same_command(
    orvideo: Shell, home: Path, number: signal.Signals, code: int
) -> None:
    with bench(orvideo, home, speed=0.01) as service:
        service.write(rows(6))
        process = orvideo.popen(
            "batch", "rows.jsonl", *SMALL, "--report", "r.jsonl", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        _until(lambda: len(service.received) == 4)
        process.send_signal(number)
        _, err = process.communicate(timeout=240)
        assert process.returncode == code, err
        assert b"4 jobs go on at the service" in err
        assert b"orvideo batch rows.jsonl -m x-ai" in err
        assert {record.state for record in service.records()} == {State.SUBMITTED}
        assert len(service.records()) == 4
    statuses = [json.loads(line)["status"] for line in (home / "r.jsonl").read_text().splitlines()]
    assert statuses[4:] == ["not_submitted"] * 2


@pytest.mark.drill("S02")
def test_a_signal_during_submits_puts_them_on_record(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home, ["slow-submit:1"], speed=0.01) as service:
        service.write(rows(6))
        process = orvideo.popen("batch", "rows.jsonl", *SMALL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _until(lambda: sum(record.state is State.SENDING for record in service.records()) == 4)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=240)
        assert process.returncode == 130, err
        records = service.records()
        assert len(records) == 4
        assert {record.state for record in records} == {State.SUBMITTED}


def test_a_folder_that_is_missing_is_refused_before_any_money(service: Bench) -> None:
    service.write(rows(2, output="gone/below/{row}.mp4"))
    done = service.batch()
    assert done.code == 14
    assert "hint: mkdir " in done.err
    assert service.received == []


@pytest.mark.drill("F-D01")
def test_d01_a_new_folder_takes_rows_that_name_their_own_file_as_well(service: Bench, home: Path) -> None:
    service.write("prompt;output\na boat;red.mp4\na boat at sea;\n", "rows.csv")
    assert service.batch("-o", "new/", "--dry-run", file="rows.csv").code == 0
    assert not (home / "new").exists()
    done = service.batch("-o", "new/", file="rows.csv")
    assert done.code == 0, done.err
    assert "red.mp4" in os.listdir(home / "new")
    assert len(list((home / "new").glob("*.mp4"))) == 2
    # A folder's own folder is not made: it may be misspelt.
    refused = service.batch("-o", "a/b/", "--name", "other", file="rows.csv")
    assert (refused.code, len(service.received)) == (14, 2)


@pytest.mark.drill("F-D01")
def test_d01_rows_that_are_saved_elsewhere_are_told_with_the_way_to_have_them_there(service: Bench, home: Path) -> None:
    service.write(rows(2))
    assert service.batch("-o", "clips/").code == 0
    same = service.batch("-o", "./clips/")
    assert "not where this line says" not in same.err
    done = service.batch("-o", "clips2/")
    assert (done.code, sorted(done.lines)) == (0, sorted(same.lines)), done.err
    assert not (home / "clips2").exists()
    said = " ".join(done.err.split())
    assert f"2 rows are finished and saved in {home / 'clips'}, not where this line says" in said
    line = re.search(r"orvideo (download [^:]+ -o clips2/)", said)
    assert line is not None, said
    fetched = service.shell(*line[1].split())
    assert fetched.code == 0, fetched.err
    assert len(list((home / "clips2").glob("*.mp4"))) == 2
    assert "not where this line says" not in service.batch("-o", "clips2/").err
    assert "-o FOLDER/" in service.batch("-o", "{row}.mp4").err


def _until(happened: object, patience: float = 30.0) -> None:
    ends = time.monotonic() + patience
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.02)


def test_the_line_that_goes_on_buys_no_failed_row_again(orvideo: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text('{"prompt": "a", "model": "sandbox/fails"}\n{"prompt": "b"}\n')
    line = ("batch", "rows.jsonl", "--sandbox", "--yes", "-j", "1", "--fail-fast", "--retry-failed", "--json")
    done = orvideo(*line)
    assert done.error["resume"] == "orvideo batch rows.jsonl --sandbox --yes -j 1 --fail-fast --json"
