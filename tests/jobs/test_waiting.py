"""Tasks that wait for the videos of others: when they begin, when they never do, and what is asked for again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.client import Client
from orvideo.batch.entry import Entry
from orvideo.batch.rows import Link, Row
from orvideo.clock import Clock
from orvideo.commands._chain import Camera, Pictures
from orvideo.errors import NotFetched, NotStarted, OrvideoError
from orvideo.film.moment import LAST
from orvideo.jobs.engine import Engine
from orvideo.jobs.fetch import Fetcher, OutputOptions
from orvideo.jobs.task import Dependencies, Phase, RunOptions, Task
from orvideo.record.journal import Journal
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
from orvideo.request.awaited import Awaited
from tests.batch.bench import Bench, bench
from tests.jobs.test_engine import Quiet
from tests.shell import KEY, Shell

REQUEST = {
    "model": "x-ai/grok-imagine-video-1.5-lite", "prompt": "a boat", "duration": 1, "resolution": "480p",
    "aspect_ratio": "16:9",
}  # fmt: skip


@pytest.fixture
def service(orvideo: Shell, home: Path) -> Iterator[Bench]:
    with bench(orvideo, home) as made:
        yield made


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with Ledger(home / "jobs.db") as made:
        yield made


class Run:
    """An engine over the sandbox, and the tasks that it is to run."""

    def __init__(self, service: Bench, ledger: Ledger, folder: Path) -> None:
        self.service, self.ledger = service, ledger
        self.journal = Journal(ledger)
        self.fetcher = Fetcher(
            ledger, self.journal, Clock(), OutputOptions(default_spec=str(folder / "{id}.mp4"), save_always=True)
        )
        self.told = Quiet()

    def order(self, user: str, **more: Any) -> Submission:
        return Submission(request={**REQUEST, "user": user, **more}, endpoint=self.service.sandbox.base_url)

    def task(self, user: str, *after: Task, **more: Any) -> Task:
        return Task(make_submission=lambda: self.order(user, **more), after=after)

    def run(self, tasks: Sequence[Task], jobs: int = 4, timeout: float | None = None) -> Engine:
        base_url = self.service.sandbox.base_url
        tools = Dependencies(self.ledger, self.journal, self.fetcher, lambda place: lambda: Client(base_url, KEY))
        options = RunOptions(max_in_flight=jobs, timeout=timeout, timeout_is_explicit=timeout is not None)
        engine = Engine(tasks, tools, options, self.told)  # type: ignore[arg-type]
        engine.run()
        return engine

    def sent(self) -> list[str]:
        return [body["user"] for body in self.service.received]


@pytest.fixture
def run(service: Bench, ledger: Ledger, home: Path) -> Run:
    return Run(service, ledger, home)


@pytest.mark.parametrize("jobs", [1, 1000])
def test_chains_come_to_their_ends_however_many_run_at_once(run: Run, jobs: int) -> None:
    tasks: list[Task] = []
    for chain in "abc":
        before: tuple[Task, ...] = ()
        for number in range(5):
            tasks.append(run.task(f"{chain}{number}", *before))
            before = (tasks[-1],)
    # The order of the tasks is not the order of need.
    run.run(tasks[::-1], jobs=jobs)
    assert [task.error for task in tasks] == [None] * 15
    sent = run.sent()
    assert len(sent) == 15
    for chain in "abc":
        assert [user for user in sent if user[0] == chain] == [f"{chain}{number}" for number in range(5)]


def test_what_is_begun_is_gone_on_with_before_anything_else(run: Run) -> None:
    first = run.task("a0")
    run.run([first, run.task("b0"), run.task("a1", first)], jobs=1)
    assert sorted(run.sent()) == ["a0", "a1", "b0"]


def test_a_task_is_sent_when_all_that_it_waits_for_are_here(run: Run) -> None:
    one, other = run.task("one"), run.task("other")
    seen: list[bool] = []
    last = run.task("last", one, other)
    last.prepare = lambda fetch_again: seen.append(one.has_video and other.has_video)
    run.run([last, one, other])
    assert seen == [True]
    assert run.sent()[-1] == "last"
    assert last.is_prepared


def test_a_long_chain_that_fails_is_ended_whole(run: Run) -> None:
    tasks = [run.task("first", model="sandbox/fails")]
    for number in range(3000):
        tasks.append(run.task(f"then-{number}", tasks[-1]))
    run.run(tasks)
    assert all(isinstance(task.error, NotStarted) for task in tasks[1:])
    assert run.sent() == ["first"]


def test_what_failed_before_the_run_holds_back_as_well(run: Run) -> None:
    failed = Task(phase=Phase.DONE, error=OrvideoError("It failed."))
    waiting = run.task("waiting", failed)
    run.run([waiting, failed])
    assert isinstance(waiting.error, NotStarted)
    assert run.sent() == []


def test_a_task_that_cannot_be_prepared_is_not_sent(run: Run) -> None:
    def refuse(fetch_again: Callable[[Task], None]) -> None:
        raise NotStarted("The picture cannot be had.")

    first = run.task("first")
    second = run.task("second", first)
    third = run.task("third", second)
    second.prepare = refuse
    run.run([first, second, third])
    assert str(second.error) == "The picture cannot be had."
    assert isinstance(third.error, NotStarted)
    assert run.sent() == ["first"]


def test_a_bug_while_a_task_is_prepared_buys_nothing_more(run: Run) -> None:
    def break_down(fetch_again: Callable[[Task], None]) -> None:
        raise LookupError("a bug")

    first = run.task("first")
    second = run.task("second", first)
    second.prepare = break_down
    with pytest.raises(LookupError, match="a bug"):
        run.run([first, second, run.task("third", second)])
    assert run.sent() == ["first"]


def test_no_picture_is_taken_by_the_thread_that_decides(run: Run) -> None:
    import threading

    threads: list[str] = []
    first = run.task("first")
    second = run.task("second", first)
    second.prepare = lambda fetch_again: threads.append(threading.current_thread().name)
    run.run([first, second])
    assert threads[0] != threading.current_thread().name


def test_a_signal_while_a_task_is_prepared_sends_nothing(run: Run) -> None:
    first = run.task("first")
    second = run.task("second", first)
    engines: list[Engine] = []
    tools = Dependencies(
        run.ledger, run.journal, run.fetcher, lambda place: lambda: Client(run.service.sandbox.base_url, KEY)
    )
    engine = Engine([first, second], tools, RunOptions(), run.told)  # type: ignore[arg-type]
    engines.append(engine)
    second.prepare = lambda fetch_again: engine.interrupt()
    engine.run()
    assert run.sent() == ["first"]
    assert second.record is None


def test_a_body_in_which_a_picture_is_missing_is_never_sent(run: Run) -> None:
    frame = {"type": "image_url", "image_url": {"url": Awaited("key:last").url}, "frame_type": "first_frame"}
    task = run.task("waits", frame_images=[frame])
    with pytest.raises(ValueError, match="not there yet"):
        run.run([task])
    assert run.sent() == []
    assert run.ledger.list() == []


# --- pictures -------------------------------------------------------------------------------------------------------


@contextmanager
def of_two(run: Run) -> Iterator[tuple[Entry, Entry, dict[Awaited, Any]]]:
    """Yield a row that is done, one that begins where it ends, and the pictures that this one was sent."""
    first = Entry(row=Row(1, 1, {}), key="one", batch="b", make_submission=lambda: run.order("first"))
    run.run([first])
    first.make_submission = None
    camera = Camera(run.fetcher, 20 << 20)
    awaited = Awaited("one:last")
    pictures = Pictures(camera, {awaited: Link(1, LAST)}, {1: first})
    got: dict[Awaited, Any] = {}

    def order() -> Submission:
        got.update(pictures.hand_over())
        return run.order("second")

    second = Entry(row=Row(2, 2, {}), key="two", batch="b", make_submission=order)
    second.after, second.prepare = [first], pictures.prepare
    yield first, second, got


@pytest.mark.parametrize("harm", ["gone", "another", "cut"])
def test_a_video_that_is_not_what_it_was_is_fetched_again_and_never_bought(run: Run, harm: str) -> None:
    with of_two(run) as (first, second, got):
        [path] = first.paths
        whole = path.read_bytes()
        if harm == "gone":
            path.unlink()
        else:
            path.write_bytes(b"another" * 99 if harm == "another" else whole[:-2000])
        run.run([first, second])
        assert second.error is None
        assert run.sent() == ["first", "second"]
        assert got[Awaited("one:last")].url.startswith("data:image/png;base64,")
        # What has its name is left alone, and the video lies beside it.
        assert first.paths[-1].read_bytes() == whole
        assert (path.read_bytes() == whole) == (harm == "gone")


def test_a_video_that_cannot_be_had_again_leaves_the_row_unbought(run: Run) -> None:
    with of_two(run) as (first, second, _):
        first.paths[0].unlink()
        asked: list[Task] = []

        def away(task: Task) -> None:
            asked.append(task)
            raise NotFetched("The service has it no more.")

        prepare = second.prepare
        assert prepare is not None
        second.prepare = lambda fetch_again: prepare(away)
        run.run([first, second])
        assert asked == [first]
        assert str(second.error) == ("Not started: the last frame of row 1 cannot be had. The service has it no more.")
        assert run.sent() == ["first"]


def test_what_takes_too_long_to_prepare_is_given_up(run: Run) -> None:
    import threading

    release = threading.Event()
    first = Task(phase=Phase.DONE, was_here=True)
    first.record = run.ledger.adopt("job-of-before", endpoint=run.service.sandbox.base_url)
    second = run.task("second", first)
    second.prepare = lambda fetch_again: release.wait(60) and None
    run.run([first, second], timeout=1)
    release.set()
    assert str(second.error) == "Not started: the time limit ended before it could be sent."
    assert run.sent() == []
