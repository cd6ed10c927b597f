"""What a bug in the work of one task does to the others of its run (R-A7), and a run that takes up new tasks.

A bug cannot be had through the wire, so these give the engine a client that has one; everything else is real.
"""

from __future__ import annotations

from typing import Any

import pytest

from orvideo.api.client import Client
from orvideo.api.values import Job
from orvideo.errors import OrvideoError
from orvideo.jobs.engine import Engine
from orvideo.jobs.fetch import Fetcher, OutputOptions
from orvideo.jobs.task import Dependencies, Phase, RunOptions, Task
from orvideo.record.journal import Journal
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.wire import DONE, JOB, Step, Wire, film, record_path
from tests.shell import KEY, Shell

drill = pytest.mark.drill
OTHER = "job-5e6f7a8b"
THIRD = "job-9c0d1e2f"
LOOK = f"/api/v1/videos/{OTHER}"
VIDEO = mp4()
PENDING: Step = {"status": "pending"}


class Odd(Client):
    """A client in which some calls meet a bug."""

    def job(self, job_id: str, **more: Any) -> Job:
        if job_id == JOB:
            raise LookupError("a bug in a look")
        return super().job(job_id, **more)

    def content(self, job_id: str, *argv: Any, **more: Any) -> Any:
        if job_id == THIRD:
            raise ZeroDivisionError("a bug in a download")
        return super().content(job_id, *argv, **more)

    def submit(self, *argv: Any, **more: Any) -> Job:
        raise LookupError("a bug in a submit")


class Quiet:
    """A listener that hears nothing, but what was told to have stopped."""

    def __init__(self, *, broken: bool = False, broken_at_the_end: bool = False) -> None:
        self.reasons: list[str] = []
        self._is_broken, self._is_broken_at_the_end = broken, broken_at_the_end

    def submitted(self, task: Task) -> None: ...

    def looked(self, task: Task, look: object) -> None:
        if self._is_broken and task.on_record.id == OTHER:
            raise LookupError("a bug in what is told")

    def over(self, task: Task) -> None:
        if self._is_broken_at_the_end and task.on_record.id == OTHER:
            raise LookupError("a bug in what is told of an end")

    def stopped(self, reason: str) -> None:
        self.reasons.append(reason)

    def __getattr__(self, name: str) -> Any:
        return lambda *argv: None


def engine_of(orvideo: Shell, wire: Wire, tasks: list[Task], listener: Quiet) -> tuple[Engine, Ledger]:
    """Return an engine over tasks, with a client that has bugs."""
    clock = HandClock().clock()
    ledger = Ledger(record_path(orvideo), clock=clock)
    journal = Journal(ledger)
    fetcher = Fetcher(ledger, journal, clock, OutputOptions("{id}.mp4"))
    tools = Dependencies(ledger, journal, fetcher, lambda endpoint: lambda: Odd(wire.url, KEY, clock=clock), clock)
    return Engine(tasks, tools, RunOptions(max_in_flight=1), listener), ledger  # type: ignore[arg-type]


@drill("R-A7", "R-B6", "P12")
def test_a_bug_in_the_work_of_one_job_ends_that_one_alone(orvideo: Shell) -> None:
    places = {f"/api/v1/videos/{name}": [PENDING, DONE] for name in (OTHER, THIRD)}
    places |= {f"/api/v1/videos/{name}/content": [film(VIDEO)] for name in (OTHER, THIRD)}
    with Wire(PENDING, places=places) as wire:
        tasks = [Task(record, seq=record.seq) for record in (wire.bought(orvideo, n) for n in (JOB, THIRD, OTHER))]
        engine, ledger = engine_of(orvideo, wire, tasks, Quiet())
        with ledger, pytest.raises((LookupError, ZeroDivisionError), match="a bug in a look"):
            engine.run()
    broken, unfetched, good = tasks
    assert (type(broken.error), str(broken.error)) == (OrvideoError, "This is a bug in orvideo: LookupError.")
    assert str(unfetched.error) == "This is a bug in orvideo: ZeroDivisionError."
    assert (good.error, good.phase) == (None, Phase.DONE)
    [path] = good.paths
    assert path.read_bytes() == VIDEO


@drill("R-A7")
def test_so_does_a_bug_in_what_is_told_of_one(orvideo: Shell) -> None:
    places = {f"/api/v1/videos/{THIRD}": [PENDING, {"status": "failed"}], LOOK: [PENDING]}
    with Wire(places=places) as wire:
        tasks = [Task(record, seq=record.seq) for record in (wire.bought(orvideo, name) for name in (OTHER, THIRD))]
        engine, ledger = engine_of(orvideo, wire, tasks, Quiet(broken=True))
        with ledger, pytest.raises(LookupError):
            engine.run()
    assert [task.phase for task in tasks] == [Phase.DONE] * 2
    assert "ended as failed" in str(tasks[1].error)


@drill("R-A7")
def test_a_bug_in_what_is_told_of_an_end_takes_that_end_back_from_none(orvideo: Shell) -> None:
    failed: list[Step] = [PENDING, {"status": "failed"}]
    with Wire(places={LOOK: failed, f"/api/v1/videos/{THIRD}": [PENDING, *failed]}) as wire:
        tasks = [Task(record, seq=record.seq) for record in (wire.bought(orvideo, name) for name in (OTHER, THIRD))]
        engine, ledger = engine_of(orvideo, wire, tasks, Quiet(broken_at_the_end=True))
        with ledger, pytest.raises(LookupError, match="told of an end"):
            engine.run()
    assert ["ended as failed" in str(task.error) for task in tasks] == [True, True]


@drill("R-A7")
def test_with_a_bug_nothing_more_is_bought(orvideo: Shell) -> None:
    with Wire(PENDING) as wire:
        order = Submission(request={"model": "google/veo-3.1-lite", "prompt": "a boat"}, endpoint=wire.url)
        tasks = [Task(make_submission=lambda: order) for _ in range(3)]
        listener = Quiet()
        engine, ledger = engine_of(orvideo, wire, tasks, listener)
        with ledger, pytest.raises(LookupError):
            engine.run()
    assert [task.seq for task in tasks] == [1, None, None]
    assert listener.reasons == ["This is a bug in orvideo: LookupError."]


def test_a_run_takes_up_new_tasks_fetches_nothing_and_ends_when_it_is_told(orvideo: Shell) -> None:
    clock = HandClock().clock()
    with (
        Wire(PENDING, DONE, places={LOOK: [PENDING, DONE]}) as wire,
        Ledger(record_path(orvideo), clock=clock) as ledger,
    ):
        tasks = [Task(record, seq=record.seq) for record in (wire.bought(orvideo, JOB), wire.bought(orvideo, OTHER))]
        waiting = list(tasks)

        def newcomers() -> list[Task]:
            if all(task.phase is Phase.DONE for task in tasks):
                engine.interrupt()
            return [waiting.pop()] if waiting else []

        journal = Journal(ledger)
        fetcher = Fetcher(ledger, journal, clock, OutputOptions("{id}.mp4"))
        tools = Dependencies(
            ledger, journal, fetcher, lambda endpoint: lambda: Client(wire.url, KEY, clock=clock), clock,
            newcomers=newcomers,
        )  # fmt: skip
        engine = Engine([], tools, RunOptions(fetch=False), Quiet())  # type: ignore[arg-type]
        engine.run()
        assert [ledger.get(task.on_record.seq).status for task in tasks] == ["completed", "completed"]
    assert [(task.error, task.paths) for task in tasks] == [(None, [])] * 2
    assert not list(orvideo.home.glob("*.mp4"))
