"""The sandbox refuses what the service refuses, in its words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from orvideo.sandbox.server import KEY, WRONG_KEY
from orvideo.sandbox.validation import MAX_BODY
from tests.sandbox.conftest import SMALL, Start, picture
from tests.sandbox.test_service import data_url, frame, reference

VEO = {"model": "google/veo-3.1-lite", "duration": 4, "resolution": "720p"}


def words(answer: httpx.Response, status: int = 400) -> str:
    """Return the message of a refusal, whose status and shape are checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"] == status
    return str(error["message"])


@pytest.mark.parametrize("path", ["/videos/abc", "/videos/abc/content", "/key", "/credits", "/generation?id=x"])
def test_a_key_is_needed(start: Start, path: str) -> None:
    http = start(key=None).http
    assert words(http.get(path), 401) == "No cookie auth credentials found"
    for wrong in ("Bearer nonsense", "Bearer sk-or-v1-", f"Basic {KEY}", KEY, f"Bearer {WRONG_KEY}"):
        assert words(http.get(path, headers={"Authorization": wrong}), 401) == "User not found."


def test_a_submit_needs_a_key_before_it_is_looked_at(start: Start) -> None:
    http = start(key=None).http
    assert words(http.post("/videos", content=b"nonsense"), 401) == "No cookie auth credentials found"


@pytest.mark.parametrize("path", ["/videos/models", "/models", "/models/google/veo-3.1/endpoints"])
def test_lists_need_none(start: Start, path: str) -> None:
    assert start(key=None).http.get(path).status_code == 200


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "no/such-model"}, "no/such-model is not a valid model ID"),
        (
            {**VEO, "duration": 99},
            "Duration 99s is not supported for this model. Supported durations: 4, 6, 8",
        ),
        (
            {**VEO, "resolution": "4K"},
            "Resolution 4K is not supported for this model. Supported resolutions: 720p, 1080p",
        ),
        (
            {**VEO, "aspect_ratio": "21:9"},
            "Aspect ratio 21:9 is not supported for this model. Supported aspect ratios: 16:9, 9:16",
        ),
        (
            {**VEO, "resolution": "720p", "size": "1x1"},
            "Size 1x1 is not supported for this model. Supported sizes: 1280x720, 720x1280, 1920x1080, 1080x1920",
        ),
        ({"model": "sandbox/slow", "size": "99999x99999"}, "Size 99999x99999 is not supported for this model."),
        ({"model": "sandbox/slow", "size": "wide"}, "Size wide is not supported for this model."),
        (
            {"input_references": [reference("http://example.com/a.mp4", "video_url")]},
            "Invalid reference URL: input_references[0].video_url.url: Only HTTPS URLs are allowed",
        ),
        (
            {
                "input_references": [
                    reference("https://a.example/a.png"),
                    reference("data:audio/mp3;base64,AA", "audio_url"),
                ]
            },
            "Invalid reference URL: input_references[1].audio_url.url: Only HTTPS URLs are allowed",
        ),
        (
            {"frame_images": [frame("file:///etc/passwd")]},
            "Invalid reference URL: frame_images[0].image_url.url: Only HTTPS URLs are allowed",
        ),
        (
            {"frame_images": [frame(data_url(b"GIF89a", "gif"))]},
            "Invalid reference URL: frame_images[0].image_url.url: "
            "Only base64 image/png, image/jpeg and image/webp data URLs are allowed",
        ),
        (
            {"frame_images": [frame(data_url(picture((1, 2, 3)), "jpeg"))]},
            "Invalid reference URL: frame_images[0].image_url.url: "
            "Only base64 image/png, image/jpeg and image/webp data URLs are allowed",
        ),
        (
            {"frame_images": [frame("https://a.example/a.png", "last_frame")]},
            "Frame type last_frame is not supported for this model. Supported frame types: first_frame",
        ),
        (
            {
                "model": "openai/sora-2-pro",
                "duration": 4,
                "resolution": "720p",
                "frame_images": [frame("https://a.b/c")],
            },
            "openai/sora-2-pro does not support frame_images",
        ),
        (
            {"previous_job_id": f"gen-vid-1764123456-{'x' * 20}"},
            "x-ai/grok-imagine-video does not support previous_job_id",
        ),
        ({"upscale_factor": 2}, "x-ai/grok-imagine-video does not support upscale_factor"),
        ({"creativity": 1}, "x-ai/grok-imagine-video does not support creativity"),
        (
            {"model": "runway/gen-4.5", "duration": 2, "resolution": "720p", "generate_audio": True},
            "runway/gen-4.5 does not support generate_audio",
        ),
        (
            {"model": "openai/sora-2-pro", "duration": 4, "resolution": "720p", "seed": 1},
            "openai/sora-2-pro does not support seed",
        ),
        ({"callback_url": "http://example.com/hook"}, "Invalid input: callback_url: Must be a valid HTTPS URL"),
        ({"session_id": "x" * 257}, "Invalid input: session_id: String must contain at most 256 character(s)"),
        ({"prompt": ""}, "Prompt is required for this model"),
        ({"duration": "4"}, "Invalid input: duration: expected integer, received string"),
        ({"duration": 1e300}, "Invalid input: duration: out of range"),
        ({"seed": True}, "Invalid input: seed: expected integer, received boolean"),
        ({"seed": None}, "Invalid input: seed: expected integer, received null"),
        ({"prompt": None}, "Invalid input: prompt: expected string, received null"),
        (
            {"provider": {"options": {"xai": 1}}},
            "Invalid input: provider.options.xai: expected object, received number",
        ),
        ({"frame_images": [{}]}, None),
        ({"input_references": [{"type": "image_url"}]}, None),
        ({"trace": []}, "Invalid input: trace: expected object, received array"),
    ],
)
def test_refuses_in_the_services_words(start: Start, asked: dict[str, Any], said: str | None) -> None:
    message = words(start().submit(**asked))
    if said is not None:
        assert message == said


def test_upscaling_has_its_limits(start: Start) -> None:
    http = start().http
    body = {
        "model": "black-forest-labs/flux-video-upscale",
        "input_references": [reference("https://a.example/a.mp4", "video_url")],
    }
    assert "Range: 1.5-3" in words(http.post("/videos", json={**body, "upscale_factor": 9}))
    assert "Supported levels: 0, 1" in words(http.post("/videos", json={**body, "creativity": 5}))
    assert words(http.post("/videos", json={"model": body["model"]})) == "Prompt is required for this model"


def test_a_job_to_go_on_from_must_be_there_done_and_of_the_same_model(start: Start) -> None:
    caller = start()
    other, failed = caller.job(model="sandbox/two-outputs"), caller.job(model="sandbox/fails")
    nowhere = f"gen-vid-1764123456-{'x' * 20}"
    assert words(caller.submit(model="sandbox/slow", previous_job_id=nowhere), 404) == f"Job {nowhere} not found"
    assert "same model" in words(caller.submit(model="sandbox/slow", previous_job_id=other["id"]))
    assert "not completed" in words(caller.submit(model="sandbox/fails", previous_job_id=failed["id"]))


@pytest.mark.parametrize("path", ["/videos/nothere", "/videos/nothere/content", "/videos/NotHere"])
def test_an_unknown_job(start: Start, path: str) -> None:
    job_id = path.split("/")[2]
    assert words(start().http.get(path), 404) == f"Job {job_id} not found"


@pytest.mark.parametrize("index", ["", "-1", "x", "1.5", "９", "99999999999999999999"])
def test_an_index_that_is_none(start: Start, index: str) -> None:
    caller = start()
    job = caller.job()
    assert "index" in words(caller.http.get(f"/videos/{job['id']}/content", params={"index": index}))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"model": NaN}',
        b"[" * 100_000,
        b'{"seed": ' + b"9" * 5000 + b"}",
        b'{"model": "\\ud800", "prompt": "x"}',
    ],
    ids=["empty", "cut", "list", "null", "text", "not-utf8", "nan", "deep", "long-number", "surrogate"],
)
def test_a_body_that_makes_no_sense(start: Start, raw: bytes) -> None:
    assert words(start().http.post("/videos", content=raw))


def test_a_body_that_is_too_large(start: Start) -> None:
    answer = start().http.post("/videos", content=b" " * (MAX_BODY + 1))
    assert words(answer, 413) == "Request payload too large"


def test_a_prompt_is_not_needed_with_an_image(start: Start) -> None:
    body = {name: value for name, value in SMALL.items() if name != "prompt"}
    http = start().http
    assert http.post("/videos", json={**body, "frame_images": [frame("https://a.example/a.png")]}).status_code == 202
    assert words(http.post("/videos", json=body)) == "Prompt is required for this model"
