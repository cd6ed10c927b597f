"""The official SDKs read what the sandbox says beside the video API: each answer is valid in their own models."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter

from orvideo.sandbox.offer import Offer
from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Caller, Start, Turned

SCRIPT = Path(__file__).with_name("neighbours.mjs")
PACKAGE = "@openrouter/sdk"
#: Where the SDK was installed to; nothing is installed by a test.
NODE_MODULES = os.environ.get("ORVIDEO_TEST_NODE_MODULES", "")

#: Two fields of `/key` are deprecated, which the SDK says each time it reads them.
pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")


@pytest.fixture
def known(start: Start, turned: Turned) -> tuple[Caller, str]:
    """A sandbox, and a job of it that `/generation` knows."""
    caller = start(clock=turned.clock())
    job_id = caller.submit(
        frame_images=[
            {"type": "image_url", "image_url": {"url": "https://a.example/a.png"}, "frame_type": "first_frame"}
        ],
        session_id="a-session",
    ).json()["id"]
    turned.turn(60)
    return caller, job_id


@pytest.fixture
def sdk(known: tuple[Caller, str]) -> Iterator[OpenRouter]:
    base_url = known[0].sandbox.base_url
    with httpx.Client(timeout=240) as http, OpenRouter(api_key=KEY, server_url=base_url, client=http) as client:
        yield client


def test_the_python_sdk_reads_them(sdk: OpenRouter, known: tuple[Caller, str]) -> None:
    job_id = known[1]
    listed = sdk.models.list(output_modalities="video", limit=10)
    models = []
    while listed is not None:
        models += listed.result.data
        listed = listed.next()  # type: ignore[assignment]
    assert {model.id for model in models} >= {"google/veo-3.1", "sandbox/fails"}
    assert sdk.models.count(output_modalities="video").data.count == len(models)
    own = sdk.models.list_for_user(security={"bearer": KEY}, output_modalities="video")
    assert own is not None
    assert own.result.data == models
    for model in models:
        author, _, slug = model.id.partition("/")
        (endpoint,) = sdk.endpoints.list(author=author, slug=slug).data.endpoints
        assert endpoint.tag
    key = sdk.api_keys.get_current_key_metadata().data
    assert (key.usage, key.usage_daily, key.effective_budget) == (0.052, 0.052, None)
    assert sdk.credits.get_credits().data.total_usage == 0.052
    generation = sdk.generations.get_generation(id=job_id).data
    assert (generation.id, generation.total_cost, generation.session_id) == (job_id, 0.052, "a-session")
    assert (generation.num_media_prompt, generation.num_media_completion) == (1, 1)


def test_the_python_sdk_reads_them_asynchronously(known: tuple[Caller, str]) -> None:
    caller, job_id = known

    async def ask() -> tuple[Any, ...]:
        async with (
            httpx.AsyncClient(timeout=240) as http,
            OpenRouter(api_key=KEY, server_url=caller.sandbox.base_url, async_client=http) as client,
        ):
            return (
                await client.models.list_async(output_modalities="video"),
                await client.models.count_async(output_modalities="video"),
                await client.models.list_for_user_async(security={"bearer": KEY}, output_modalities="video"),
                await client.endpoints.list_async(author="bytedance", slug="seedance-2.0"),
                await client.api_keys.get_current_key_metadata_async(),
                await client.credits.get_credits_async(),
                await client.generations.get_generation_async(id=job_id),
            )

    models, count, own, endpoints, key, credits_, generation = asyncio.run(ask())
    assert count.data.count == len(models.result.data) == len(own.result.data)
    assert endpoints.data.endpoints[0].tag == "seed"
    assert key.data.usage == credits_.data.total_usage == generation.data.total_cost == 0.052


@pytest.fixture
def node_modules() -> str:
    """A folder that the TypeScript SDK was installed into."""
    if not shutil.which("node") or not NODE_MODULES or not (Path(NODE_MODULES) / PACKAGE).is_dir():
        how = f"npm install {PACKAGE}, and name its node_modules in ORVIDEO_TEST_NODE_MODULES"
        pytest.skip(f"the TypeScript SDK is not run: it needs Node (the package nodejs); then {how}")
    return NODE_MODULES


def test_the_typescript_sdk_reads_them(node_modules: str, known: tuple[Caller, str]) -> None:
    caller, job_id = known
    done = subprocess.run(
        ["node", str(SCRIPT), node_modules, caller.sandbox.base_url, KEY, job_id],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    models = len(Offer.shipped().models)
    assert json.loads(done.stdout) == {
        "models": models,
        "count": models,
        "own": models,
        "tag": "seed",
        "usage": [0.052, 0.052, 0.052, 0.052],
        "totalUsage": 0.052,
        "generation": [job_id, 0.052],
    }
