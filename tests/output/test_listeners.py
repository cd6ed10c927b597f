"""What is told of jobs and rows: to a person on a terminal, in a log, and to a machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.values import Job
from orvideo.batch.rows import Row
from orvideo.download.save import Saved
from orvideo.errors import NotFetched, RateLimited, Unavailable
from orvideo.jobs.polling import PollResult
from orvideo.jobs.task import Listener, Task
from orvideo.output.batch_listener import BatchListener
from orvideo.output.batch_report import row_document
from orvideo.output.job_listener import JobListener
from orvideo.record.values import Record, State
from tests.clocks import HandClock
from tests.output.screens import Said, on_screen, over_memory
from tests.output.test_json_schema import check


@dataclass(eq=False, repr=False)
class Entry(Task):
    """A row of a batch, as `batch.run` has it."""

    row: Row = field(default_factory=lambda: Row(3, 4, {"prompt": "a boat"}, None))
    paths: list[Path] = field(default_factory=list)
    quote: dict[str, Any] | None = None


def job_record(hand: HandClock, number: int = 1, **fields: Any) -> Record:
    now = hand.clock().now()
    known: dict[str, Any] = {"submitted_at": now, "status": "pending", "request": {"model": "a/b"}, **fields}
    return Record(
        seq=number, handle=f"sub-{number:08}", id=f"vid_{number}", endpoint="x", state=State.SUBMITTED,
        created_at=now, **known,
    )  # fmt: skip


def seen(task: Task, status: str, **extra: Any) -> PollResult:
    return PollResult(Job.of({"id": task.on_record.id, "status": status, **extra}), next_in=2.0)


def ended(record: Record, hand: HandClock, *, watched: bool = True, **fields: Any) -> Record:
    return record._replace(
        status="completed", final=True, cost=Decimal("0.12"), watched=watched, ended_at=hand.clock().now(), **fields
    )


def saved(path: str = "/films/boat.mp4", **fields: Any) -> Saved:
    return Saved(Path(path), 1_234_567, "ab" * 32, "mp4", **fields)


def events(said: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.out.splitlines()]


def jobs_told(hand: HandClock, jobs: int = 1, **modes: Any) -> tuple[Said, JobListener]:
    said = over_memory(clock=hand.clock(), **modes)
    listener = JobListener(said.terminal, hand.clock(), typical_seconds=lambda record: 60.0)
    listener.jobs = jobs
    return said, listener


def rows_told(hand: HandClock, **modes: Any) -> tuple[Said, BatchListener]:
    said = over_memory(clock=hand.clock(), **modes)
    return said, BatchListener(said.terminal, hand.clock(), total=5)


def a_whole_life(listener: Listener, task: Task, hand: HandClock) -> None:
    """Tell of a job from its submit to its end."""
    listener.submitting(task)
    listener.waiting(RateLimited("Slow down."), 5.0)
    task.record = job_record(hand)
    listener.submitted(task)
    for status, seconds in (("pending", 2), ("pending", 2), ("in_progress", 6), ("in_progress", 5)):
        hand.sleep(seconds)
        listener.looked(task, seen(task, status))
        listener.tick(1)
    listener.looked(task, PollResult(missed=Unavailable("Nobody answers."), next_in=4.0))
    hand.sleep(26)
    listener.looked(task, seen(task, "completed"))
    for done in range(0, 1_200_000, 400_000):
        listener.downloading(task, 0, done, 1_234_567)
        listener.tick(0)
    task.saved[0] = saved(notes=("The name was cut.",))
    listener.saved(task, 0, task.saved[0])
    task.record = ended(task.on_record, hand)
    if isinstance(task, Entry):
        task.paths = [Path("boat.mp4")]
    listener.over(task)


def test_a_job_in_a_log() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand)
    a_whole_life(listener, Task(), hand)
    listener.close()
    assert said.err.splitlines() == [
        "not now: Slow down. Trying again in 5 s; nothing was submitted yet.",
        "submitted vid_1",
        "vid_1: pending after 0:02, usually about 1:00",
        "vid_1: in_progress after 0:10",
        "vid_1: check failed: Nobody answers; next check in 4 s",
        "vid_1: completed",
        "vid_1: downloading 1.2 MB",
        "warning: The name was cut.",
        "vid_1: downloaded 1.2 MB",
        "vid_1: completed in 0:41, $0.12",
    ]


def test_a_job_in_events() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand, events=True, quiet=True)
    a_whole_life(listener, Task(), hand)
    told = events(said)
    assert [event["event"] for event in told] == [
        "waiting", "submitted", "status", "status", "missed", "status", "saved", "ended",
    ]  # fmt: skip
    for event in told:
        check(event, "--events")
    assert all(event["job_id"] == "vid_1" and event["handle"] == "sub-00000001" for event in told[1:])
    assert told[2] | {"time": None} == {
        "event": "status", "time": None, "job_id": "vid_1", "handle": "sub-00000001", "status": "pending",
        "progress": {},
    }  # fmt: skip
    assert told[-2]["path"] == "/films/boat.mp4"
    assert (told[-1]["status"], told[-1]["cost_usd"], told[-1]["error"]) == ("completed", 0.12, None)


def test_a_row_in_a_log() -> None:
    hand = HandClock()
    said, listener = rows_told(hand)
    a_whole_life(listener, Entry(), hand)
    listener.close()
    assert said.err.splitlines() == [
        "not now: Slow down. Trying again in 5 s; no row is submitted until then.",
        "row 3: submitted vid_1",
        "row 3: vid_1: pending",
        "row 3: vid_1: in_progress",
        "warning: row 3: The name was cut.",
        "row 3: completed in 0:41, $0.12, boat.mp4",
    ]
    assert said.out == "boat.mp4\n"


def test_a_row_in_events() -> None:
    hand = HandClock()
    said, listener = rows_told(hand, events=True, quiet=True)
    a_whole_life(listener, Entry(), hand)
    told = events(said)
    assert [event["event"] for event in told] == [
        "waiting", "submitted", "status", "status", "missed", "status", "ended",
    ]  # fmt: skip
    for event in told:
        check(event, "batch --events")
    assert all((event["row"], event["line"], event["job_id"]) == (3, 4, "vid_1") for event in told[1:])
    assert (told[-1]["status"], told[-1]["paths"], told[-1]["error"]) == ("completed", ["boat.mp4"], None)


@pytest.mark.drill("F-D11")
def test_d11_a_row_that_failed_is_told_once_and_one_that_was_not_started_is_not() -> None:
    hand = HandClock()
    said, listener = rows_told(hand)
    failed = Entry(record=ended(job_record(hand), hand), error=NotFetched("The bytes are gone."))
    listener.over(failed)
    listener.over(Entry(record=job_record(hand, 2), row=Row(4, 5, {}, None), error=NotFetched("The bytes are gone.")))
    listener.over(Entry())
    listener.stopped("the key is refused")
    assert said.err.splitlines() == [
        "row 3: The bytes are gone.",
        "row 4: the same as row 3",
        "warning: nothing more is started: the key is refused. What was accepted is followed to its end.",
    ]


def test_an_end_without_a_video_is_an_event_and_its_reason_is_for_others_to_say() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand, events=True)
    record = job_record(hand)
    failed = record._replace(status="failed", final=True, error="no")
    listener.over(Task(record=failed, error=NotFetched("no")))
    listener.over(Task(record=record, error=NotFetched("patience is over")))
    listener.over(Task(error=NotFetched("never sent")))
    assert said.err == ""
    (event,) = events(said)
    assert (event["event"], event["status"], event["error"]) == ("ended", "failed", "no")


def test_a_status_that_is_new_or_goes_back_is_a_warning() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand)
    task = Task(record=job_record(hand))
    listener.looked(task, seen(task, "baking\x1b")._replace(first_unknown_status=True))
    listener.looked(task, seen(task, "in_progress"))
    listener.looked(task, seen(task, "pending"))
    assert said.err.splitlines() == [
        r"warning: vid_1: orvideo does not know the status 'baking\\x1b'; still waiting.",
        r"vid_1: baking\x1b, usually about 1:00",
        "vid_1: in_progress",
        "warning: vid_1: the status went back from in_progress to pending; still waiting.",
        "vid_1: pending",
    ]


def test_what_was_here_already_is_said_to_be() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand)
    listener.over(Task(record=ended(job_record(hand), hand), was_here=True))
    assert said.err.splitlines() == ["vid_1 is already saved"]
    rows, batch = rows_told(hand)
    batch.over(Entry(record=ended(job_record(hand), hand), was_here=True, paths=[Path("boat.mp4")]))
    assert (rows.err, rows.out) == ("", "boat.mp4\n")


@pytest.mark.drill("F-B05")
def test_how_long_a_job_took_is_told_only_where_its_end_was_watched() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand)
    rows, batch = rows_told(hand)
    record = job_record(hand)
    hand.sleep(75)
    task, entry = Task(record=record), Entry(record=record)
    listener.looked(task, seen(task, "completed"))
    batch.looked(entry, seen(entry, "completed"))
    task.record = entry.record = ended(record, hand, watched=False)
    listener.over(task)
    batch.over(entry)
    assert said.err.splitlines() == ["vid_1: completed", "vid_1: completed (seen after 1:15), $0.12"]
    assert rows.err.splitlines() == ["row 3: completed (seen after 1:15), $0.12"]
    assert row_document(entry)["seconds"] is None  # type: ignore[arg-type]
    entry.record = ended(record, hand)
    assert row_document(entry)["seconds"] == 75.0  # type: ignore[arg-type]


@pytest.mark.drill("F-B05")
def test_nothing_is_being_submitted_once_it_is() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal):
        listener = JobListener(terminal, hand.clock())
        task = Task()
        listener.submitting(task)
        screen.wait_for(lambda lines: [line[2:] for line in lines] == ["submitting 0:00"])
        task.record = job_record(hand)
        listener.submitted(task)
        screen.wait_for(lambda lines: [line[2:] for line in lines[1:]] == ["vid_1: submitted 0:00"])
        listener.looked(task, seen(task, "pending"))
        screen.wait_for(lambda lines: [line[2:] for line in lines[1:]] == ["vid_1: pending 0:00"])
        listener.close()
        assert screen.wait_for(lambda lines: lines == ["submitted vid_1"])


@pytest.mark.drill("F-B07")
@pytest.mark.parametrize("columns", [80, 40])
def test_the_display_lives_to_the_end_of_the_command(columns: int) -> None:
    hand = HandClock()
    with on_screen(columns, clock=hand.clock()) as (screen, terminal):
        listener = JobListener(terminal, hand.clock())
        tasks = [Task(record=job_record(hand, number)) for number in (1, 2, 3)]
        for task in tasks:
            listener.looked(task, seen(task, "in_progress"))
        screen.wait_for(lambda lines: [line[2:] for line in lines] == [f"vid_{n}: in_progress 0:00" for n in (1, 2, 3)])
        tasks[0].record = ended(tasks[0].on_record, hand)
        listener.over(tasks[0])
        listener.downloading(tasks[1], 0, 50, 100)
        lines = screen.wait_for(lambda lines: len(lines) == 3 and "50%" in lines[1])
        assert lines[0] == "vid_1: completed in 0:00, $0.12"
        assert lines[2][2:] == "vid_3: in_progress 0:00"
        listener.downloading(tasks[2], 1, 1000, None)
        screen.wait_for(lambda lines: lines[-1][2:] == "vid_3 [1]: downloading 1.0 kB")
        for task in tasks[1:]:
            listener.over(task)
        screen.wait_for(lambda lines: len(lines) == 1)
        assert screen.drawn().cursor.hidden, "the command is not over"
        listener.close()
        terminal.note("end")
        screen.wait_for(lambda lines: lines[1:] == ["end"])
        assert not screen.drawn().cursor.hidden


@pytest.mark.drill("F-B07")
def test_a_log_of_a_few_jobs_tells_each_and_of_many_the_counts() -> None:
    hand = HandClock()
    for jobs, lines in ((10, 20), (11, 2)):
        said, listener = jobs_told(hand, jobs)
        tasks = [Task(record=job_record(hand, number)) for number in range(jobs)]
        for status in ("pending", "in_progress"):
            for task in tasks:
                listener.looked(task, seen(task, status))
        listener.close()
        assert len(said.err.splitlines()) == lines
    assert said.err.splitlines() == ["1 pending (of 11)", "11 in_progress (of 11)"]


@pytest.mark.drill("F-B11")
def test_what_the_service_says_of_progress_is_told_as_its_words() -> None:
    hand = HandClock()
    said, listener = jobs_told(hand, events=True)
    task = Task(record=job_record(hand))
    words = {"queue_position": 3, "progress": 40, "other": "x", "stage": "a\x1b[2J"}
    listener.looked(task, seen(task, "in_progress", **words))
    listener.looked(task, seen(task, "in_progress", **words))
    listener.looked(task, seen(task, "in_progress", progress=50))
    told = events(said)
    assert [event["status"] for event in told] == ["in_progress", "in_progress"]
    assert told[0]["progress"] == {"progress": 40, "queue_position": 3, "stage": "a\x1b[2J"}
    assert told[1]["progress"] == {"progress": 50}
    assert said.err.splitlines() == [
        r"vid_1: in_progress (service: progress 40, queue_position 3, stage a\x1b[2J), usually about 1:00"
    ]
    with on_screen(80, clock=hand.clock()) as (screen, terminal):
        live = JobListener(terminal, hand.clock())
        live.looked(task, seen(task, "in_progress", progress=40, queue_position=3))
        expected = "vid_1: in_progress (service: progress 40, queue_position 3) 0:00"
        screen.wait_for(lambda lines: [line[2:] for line in lines] == [expected])
        live.close()


@pytest.mark.drill("F-D08")
@pytest.mark.parametrize(
    ("columns", "last"),
    [
        (80, " 2 completed, 2 running (of 5) 1:00  $0.12  1.0/min"),
        (40, " 2 completed, 2 running (of 5) 1:00  …"),
    ],
)
def test_a_batch_has_rows_and_a_bar_for_all(columns: int, last: str) -> None:
    hand = HandClock()
    with on_screen(columns, clock=hand.clock()) as (screen, terminal):
        listener = BatchListener(terminal, hand.clock(), total=5)
        entries = [Entry(record=job_record(hand, n), row=Row(n, n, {}, None)) for n in (1, 2, 3)]
        for entry in entries:
            listener.submitting(entry)
            listener.submitted(entry)
            listener.looked(entry, seen(entry, "in_progress"))
        hand.sleep(60)
        listener.downloading(entries[1], 0, 3, 10)
        entries[0].record = ended(entries[0].on_record, hand)
        listener.over(entries[0])
        listener.over(Entry(record=ended(job_record(hand, 4), hand), row=Row(4, 4, {}), was_here=True))
        listener.tick(2)
        lines = screen.wait_for(lambda lines: len(lines) == 3 and "30%" in lines[0])
        assert lines[0][2:].startswith("row 2 ━")
        assert lines[1][2:] == "row 3: in_progress 1:00"
        assert lines[2].endswith(last)
        assert ("━" in lines[2]) == (columns == 80)
        listener.close()
        screen.wait_for(lambda lines: lines == [])


def test_a_listener_that_told_nothing_starts_no_display() -> None:
    hand = HandClock()
    with on_screen(80, clock=hand.clock()) as (screen, terminal):
        JobListener(terminal, hand.clock()).close()
        terminal.note("end")
        assert screen.wait_for(lambda lines: lines == ["end"])
        assert b"\x1b" not in screen.raw
