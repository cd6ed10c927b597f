"""The sandbox against the schema of the service's video API, by schemathesis; `test_schema.py` runs it.

python -m pytest -n 0 -p schemathesis.pytest.plugin tests/sandbox/schema_check.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from orvideo.sandbox.server import KEY, Sandbox

_DOCUMENT = yaml.safe_load(Path(__file__).with_name("openapi-videos.yaml").read_text(encoding="utf-8"))
# Each call has the key: a case without one would be "negative", and be right. Keys are tested in test_refusals.
SCHEMA = schemathesis.openapi.from_dict({name: part for name, part in _DOCUMENT.items() if name != "security"})

#: Every check but one: not every request that the schema allows is accepted, since the model decides what it can do.
NOT_PROMISED = [positive_data_acceptance]


MODELS = ("sandbox/two-outputs", "google/veo-3.1-lite", "bytedance/seedance-2.0-mini")
#: The job that random paths are led to; a random id is never found.
known: list[str] = []


@SCHEMA.hook
def map_body(context: object, body: Any) -> Any:
    """Lead valid bodies to models that exist: a random one is never found."""
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = MODELS[len(body) % len(MODELS)]
    return body


@SCHEMA.hook
def map_path_parameters(context: object, path_parameters: Any) -> Any:
    """Lead every other look to a job that exists."""
    if isinstance(path_parameters, dict) and len(str(path_parameters.get("jobId"))) % 2:
        path_parameters["jobId"] = known[0]
    return path_parameters


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    said: set[tuple[str, int]] = set()

    def note(method: str, path: str, status: int) -> None:
        said.add((method, status))

    with Sandbox(tmp_path_factory.mktemp("schema"), speed=1e6, on_request=note) as running:
        body = {"model": "sandbox/two-outputs", "prompt": "a boat", "duration": 1, "resolution": "480p"}
        answer = httpx.post(
            f"{running.base_url}/videos", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=240
        )
        known[:] = [answer.json()["id"]]
        yield running
        assert running.crashes == []
    # Otherwise nothing but refusals was looked at.
    assert {("POST", 202), ("POST", 400), ("GET", 200), ("GET", 404)} <= said


@SCHEMA.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_as_the_schema_says(case: Any, sandbox: Sandbox) -> None:
    case.call_and_validate(
        base_url=sandbox.base_url, headers={"Authorization": f"Bearer {KEY}"}, excluded_checks=NOT_PROMISED
    )
