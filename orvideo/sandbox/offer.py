"""The models of the sandbox: the service's own list, and a few that exist only here, to rehearse bad days."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from orvideo.api.schemas import VideoModel
from orvideo.catalogue.pricing import price_list

#: Seconds of video that a model makes which lists no durations and is given none.
OPEN_DURATION = 5
#: What a referenced video is taken to be, since the sandbox never calls out: its seconds, width and height.
REFERENCED_SECONDS, REFERENCED_SIZE = 5, (1280, 720)

#: The slug that `provider.options` is keyed by, where it is not the model's author.
_PROVIDERS = {
    "x-ai": ("xAI", "xai"),
    "google": ("Google Vertex", "google-vertex"),
    "kwaivgi": ("Kling", "kling"),
    "bytedance": ("BytePlus", "byteplus"),
    "openai": ("OpenAI", "openai"),
    "minimax": ("MiniMax", "minimax"),
    "heygen": ("HeyGen", "heygen"),
    "sandbox": ("Sandbox", "sandbox"),
}

_REHEARSALS = {
    "fails": (
        "Fails",
        "Always fails after a while: status failed, nothing billed, with a reason in the service's words.",
    ),
    "expires": ("Expires", "Never finishes in time: status expired, nothing billed."),
    "cancelled": ("Cancelled", "Is cancelled on the way: status cancelled, nothing billed."),
    "filtered": ("Filtered", "Completes with no output, as when the content was filtered: nothing billed."),
    "slow": ("Slow", "Takes half an hour of the sandbox's time: three minutes at the default speed of 10."),
    "two-outputs": ("Two outputs", "Completes with two videos: /content takes index 0 and 1."),
}


@cache
def model_list() -> list[dict[str, Any]]:
    """Return the entries of `GET /videos/models`, the sandbox's own last."""
    text = files("orvideo.sandbox").joinpath("models.json").read_text(encoding="utf-8")
    listed: list[dict[str, Any]] = json.loads(text)["data"]
    return [*listed, *(_rehearsal(number, slug) for number, slug in enumerate(_REHEARSALS))]


def _rehearsal(number: int, slug: str) -> dict[str, Any]:
    name, description = _REHEARSALS[slug]
    return {
        "id": f"sandbox/{slug}",
        "canonical_slug": f"sandbox/{slug}-20261101",
        "hugging_face_id": None,
        "name": f"Sandbox: {name}",
        "description": f"Exists only in orvideo's sandbox. {description}",
        "created": 1793491200 + number,
        "supported_resolutions": ["480p", "720p"],
        "supported_aspect_ratios": ["16:9", "9:16", "1:1"],
        "supported_sizes": None,
        "supported_durations": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "supported_frame_images": ["first_frame", "last_frame"],
        "upscale_factor": None,
        "creativity": None,
        "generate_audio": True,
        "seed": True,
        "pricing_skus": {"duration_seconds_480p": "0.02", "duration_seconds_720p": "0.04"},
        "allowed_passthrough_parameters": ["mood", "negative_prompt"],
    }


@cache
def models() -> dict[str, VideoModel]:
    """Return the models by id."""
    return {entry["id"]: VideoModel.model_validate(entry) for entry in model_list()}


def provider_of(model: VideoModel) -> tuple[str, str]:
    """Return the provider's name and the slug that `provider.options` is keyed by."""
    author = model.id.partition("/")[0]
    return _PROVIDERS.get(author, (author.replace("-", " ").title(), author))


def upscales(model: VideoModel) -> bool:
    """Say whether a model enlarges a given video instead of making one."""
    return model.upscale_factor is not None


def edits(model: VideoModel) -> bool:
    """Say whether a model works on a given video: no durations are listed, and no size of its own."""
    return model.supported_durations is None and model.supported_resolutions is None


def continues(model: VideoModel) -> bool:
    """Say whether a model takes `previous_job_id`. The service's list does not tell; here it is those with a price
    for it, those that work on videos, and the sandbox's own."""
    priced = any("continuation" in key for key in model.pricing_skus or {})
    return priced or edits(model) or model.id.startswith("sandbox/")


def input_modalities(model: VideoModel) -> list[str]:
    """Return what a model takes, as `GET /models` says it."""
    if upscales(model):
        return ["video"]
    if edits(model):
        return ["text", "image", "video"]
    if model.supported_durations is None:
        return ["text", "image", "audio"]
    if any(price.video_input for price in price_list(model).prices):
        return ["text", "image", "audio", "video"]
    return ["text", "image"]


def needs_prompt(model: VideoModel) -> bool:
    """Say whether a model cannot work from images or a video alone."""
    return not (upscales(model) or edits(model) or model.supported_frame_images)


def general_entry(model: VideoModel) -> dict[str, Any]:
    """Return a model's entry in `GET /models`. The prices there mean nothing (api notes)."""
    return {
        "id": model.id,
        "canonical_slug": model.canonical_slug,
        "name": model.name,
        "created": model.created,
        "description": model.description or "",
        "context_length": 0,
        "architecture": {
            "modality": f"{'+'.join(input_modalities(model))}->video",
            "input_modalities": input_modalities(model),
            "output_modalities": ["video"],
        },
        "pricing": {"prompt": "0", "completion": "0"},
        "supported_parameters": [],
    }


def endpoints_entry(model: VideoModel) -> dict[str, Any]:
    """Return the answer of `GET /models/{id}/endpoints`: one provider."""
    name, tag = provider_of(model)
    entry = general_entry(model)
    return {
        "id": model.id,
        "name": model.name,
        "created": model.created,
        "description": entry["description"],
        "architecture": entry["architecture"],
        "endpoints": [
            {
                "name": f"{name} | {model.canonical_slug}",
                "model_name": model.name,
                "provider_name": name,
                "tag": tag,
                "context_length": 0,
                "pricing": entry["pricing"],
                "status": 0,
            }
        ],
    }
