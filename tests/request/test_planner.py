"""What only the service knows of a request: asked for when it matters, once, and its absence told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orvideo.api.client import Client
from orvideo.catalogue.listing import Catalogue
from orvideo.errors import Rejected, UsageError
from orvideo.request.build import MediaSource, RequestDraft, request_fields
from orvideo.request.planner import Planner
from tests.catalogue.shelf import AUDIO, invented
from tests.drills.raw_server import RawServer, Reply

CATALOGUE = Catalogue([invented()], datetime(2026, 11, 21, tzinfo=UTC))
ASKED = {"model": "acme/one", "prompt": "a boat"}


def wanted(**given: object) -> RequestDraft:
    return request_fields({**ASKED, **given}, MediaSource(1000))


def tagged(*tags: str | None) -> Reply:
    return Reply(200, {"data": {"endpoints": [{"tag": tag, "provider_name": "x"} for tag in tags]}})


def test_with_several_providers_each_gets_the_parameters_and_it_is_said() -> None:
    with RawServer(tagged("acme", "zeta/fast", None, "acme")) as server, Client(server.url, None) as client:
        planner = Planner(client, CATALOGUE, warn=pytest.fail)
        planned = planner.plan(wanted(param=["negative_prompt=people", "zeta/fast:negative_prompt=1"]))
        block = {"parameters": {"negative_prompt": "people"}}
        assert planned.request.provider == {"options": {"acme": block, "zeta/fast": block}}
        assert planned.choices[-1] == (
            "providers acme, zeta/fast (for negative_prompt; the service reads the one it chooses)"
        )
        planner.plan(wanted(param={"negative_prompt": 2}))
        assert server.count("GET") == 1


def test_no_look_up_without_need() -> None:
    with RawServer() as server, Client(server.url, None) as client:
        planner = Planner(client, CATALOGUE, warn=pytest.fail)
        planned = planner.plan(wanted(param="acme:negative_prompt=people"))
        assert planned.request.provider == {"options": {"acme": {"parameters": {"negative_prompt": "people"}}}}
        assert server.count("GET") == 0


@pytest.mark.parametrize("reply", [tagged(), tagged(None), Reply(404, {"error": {"code": 404, "message": "no"}})])
def test_without_a_provider_the_parameter_is_not_dropped(reply: Reply) -> None:
    with RawServer(reply) as server, Client(server.url, None) as client:
        planner = Planner(client, CATALOGUE, warn=pytest.fail)
        with pytest.raises(UsageError, match="names no provider of acme/one") as refused:
            planner.plan(wanted(param="negative_prompt=people"))
        assert refused.value.hint == "name it: --param PROVIDER:negative_prompt=..."


def test_what_a_model_takes_is_asked_once() -> None:
    body = {"data": [{"id": "acme/one", "architecture": {"input_modalities": ["text", "image"]}}]}
    with RawServer(Reply(200, body)) as server, Client(server.url, None) as client:
        planner = Planner(client, CATALOGUE, warn=pytest.fail)
        for _ in range(2):
            with pytest.raises(Rejected, match="does not take audio as a reference"):
                planner.plan(wanted(input_references=[AUDIO]))
        assert server.count("GET") == 1
        unchecked = Planner(client, CATALOGUE, warn=pytest.fail, check=False)
        assert unchecked.plan(wanted(input_references=[AUDIO])).request.input_references == [AUDIO]
        assert server.count("GET") == 1


def test_what_cannot_be_checked_is_said_and_stops_nothing() -> None:
    said: list[str] = []
    with (
        RawServer(Reply(500, {"error": {"code": 500, "message": "away"}})) as server,
        Client(server.url, None) as client,
    ):
        planned = Planner(client, CATALOGUE, warn=said.append).plan(wanted(input_references=[AUDIO]))
    assert planned.request.input_references == [AUDIO]
    assert len(said) == 1
    assert "could not be checked" in said[0]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/hook", "http://localhost/", "http://[::1]:1/"])
def test_plain_http_to_this_machine_is_for_a_service_on_this_machine(url: str) -> None:
    asked = wanted(callback_url=url)
    with RawServer() as server, Client(server.url, None) as client:
        planned = Planner(client, CATALOGUE, warn=pytest.fail).plan(asked)
        assert planned.request.callback_url == url
    for check in (True, False):
        with Client("https://openrouter.ai/api/v1", None) as client:
            planner = Planner(client, CATALOGUE, warn=pytest.fail, check=check)
            with pytest.raises(UsageError, match="on this machine, which the service cannot reach"):
                planner.plan(asked)
            secure = wanted(callback_url="https://example.com/")
            assert planner.plan(secure).request.callback_url == "https://example.com/"
