"""A client that we did not write: the official Python SDK follows a job from submit to video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter, errors
from openrouter.utils import BackoffStrategy, RetryConfig

from orvideo.sandbox.server import KEY, Sandbox
from tests.sandbox.conftest import Start, picture
from tests.sandbox.test_service import data_url, frame, reference

#: The SDK repeats a POST for up to an hour; a test is told at once.
NO_RETRIES = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


@pytest.fixture
def sandbox(start: Start) -> Sandbox:
    return start().sandbox


@pytest.fixture
def sdk(sandbox: Sandbox) -> Iterator[OpenRouter]:
    with httpx.Client(timeout=240) as http, OpenRouter(api_key=KEY, server_url=sandbox.base_url, client=http) as client:
        yield client


def test_generates_follows_and_fetches(sdk: OpenRouter, sandbox: Sandbox) -> None:
    frames: Any = [frame(data_url(picture((1, 2, 3))))]
    passthrough: Any = {"options": {"fake-provider": {"parameters": {"mood": "calm"}}}}
    job = sdk.video_generation.generate(
        model="sandbox/two-outputs",
        prompt="a paper boat",
        duration=1,
        resolution="480p",
        aspect_ratio="1:1",
        generate_audio=False,
        seed=7,
        frame_images=frames,
        provider=passthrough,
        retries=NO_RETRIES,
    )
    assert job.status == "pending"
    done = sdk.video_generation.get_generation(job_id=job.id)
    assert done.status == "completed"
    assert done.usage is not None
    assert done.usage.cost == 0.02
    assert done.unsigned_urls is not None
    films = []
    for index in range(len(done.unsigned_urls)):
        answer = sdk.video_generation.get_video_content(job_id=job.id, index=index)
        films.append(b"".join(answer.iter_bytes()))
    assert len(films) == 2
    assert all(film[4:8] == b"ftyp" for film in films)
    (received,) = sandbox.received()
    assert received["seed"] == 7
    # The SDK sends no slug that is not of its list.
    assert received["provider"] == passthrough
    assert sandbox.studio.job(job.id).request["provider"] == {"parameters": {"mood": "calm"}}


def test_references_of_every_kind(sdk: OpenRouter, sandbox: Sandbox) -> None:
    given: Any = [
        reference("https://a.example/a.png"),
        reference("https://a.example/a.mp3", "audio_url"),
        reference("https://a.example/a.mp4", "video_url"),
    ]
    job = sdk.video_generation.generate(
        model="bytedance/seedance-2.0-mini", prompt="x", duration=4, resolution="480p", input_references=given
    )
    assert sandbox.received()[0]["input_references"] == given
    assert sdk.video_generation.get_generation(job_id=job.id).status == "completed"


def test_lists_the_models(sdk: OpenRouter) -> None:
    listed = sdk.video_generation.list_videos_models()
    assert {model.id for model in listed.data} >= {"google/veo-3.1", "sandbox/fails"}


def test_understands_every_refusal(sdk: OpenRouter, start: Start) -> None:
    with pytest.raises(errors.BadRequestResponseError) as bad:
        sdk.video_generation.generate(model="no/such", prompt="x", retries=NO_RETRIES)
    assert bad.value.data.error.message == "no/such is not a valid model ID"
    with pytest.raises(errors.NotFoundResponseError):
        sdk.video_generation.get_generation(job_id="nothere", retries=NO_RETRIES)
    job = sdk.video_generation.generate(model="sandbox/slow", prompt="x", duration=1, retries=NO_RETRIES)
    with pytest.raises(errors.BadRequestResponseError):
        sdk.video_generation.get_video_content(job_id=job.id, index=3, retries=NO_RETRIES)
    poor = start("submit-402").sandbox
    with (
        httpx.Client(timeout=240) as http,
        OpenRouter(api_key=KEY, server_url=poor.base_url, client=http) as client,
        pytest.raises(errors.PaymentRequiredResponseError),
    ):
        client.video_generation.generate(model="sandbox/slow", prompt="x", retries=NO_RETRIES)
