"""The clients of a run: one for each thread, service and key."""

from __future__ import annotations

import pytest

from orvideo.api.client import Client
from orvideo.jobs.workers import Connections
from orvideo.record.values import Place
from tests.commands.payers import CLIENT_A, MINE

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
