"""The threads of a run, as many as there is work at once, and their clients: one for each thread, service and key."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from orvideo.api.client import Client
from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.jobs.task import Task
from orvideo.jobs.workers import Connections, Workers
from orvideo.record.values import Place
from tests.commands.payers import CLIENT_A, MINE

SOON = 60.0
PLACES = {Place("https://one.test/api/v1"): MINE, Place("https://one.test/api/v1", "client-a"): CLIENT_A}


@pytest.mark.drill("K18")
def test_k18_a_thread_that_serves_two_profiles_has_a_client_for_each() -> None:
    connections = Connections(lambda place: lambda: Client(place.endpoint, PLACES[place]))
    for place in PLACES:
        connections.prepare(place)
    mine, other = (connections.client(place) for place in PLACES)
    assert mine is not other
    assert [connections.client(place) for place in PLACES] == [mine, other]
    connections.close()


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(3)
    yield made
    made.close()


def test_work_that_comes_one_by_one_is_done_by_one_thread(workers: Workers) -> None:
    names = set()
    for _ in range(5):
        workers.start(Task(), Deadline(Clock()), lambda: threading.current_thread().name)
        result = workers.next_result(SOON)
        assert result is not None
        names.add(result.value)
    assert len(names) == 1


def test_there_are_no_more_threads_than_there_may_be_and_all_work_is_done(workers: Workers) -> None:
    here, go = threading.Semaphore(0), threading.Event()

    def work() -> str:
        here.release()
        go.wait(SOON)
        return threading.current_thread().name

    for _ in range(7):
        workers.start(Task(), Deadline(Clock()), work)
    for _ in range(3):
        assert here.acquire(timeout=SOON)
    assert not here.acquire(timeout=0.2)  # a fourth would be here by now, or soon
    go.set()
    results = [workers.next_result(SOON) for _ in range(7)]
    assert len({result.value for result in results if result is not None}) <= 3
    assert workers.is_idle
