"""The real catalogue that the sandbox serves, and requests made short, for the tests of this folder and others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orvideo.sandbox
from orvideo.api.values import VideoModel, VideoRequest

RAW: list[dict[str, Any]] = json.loads(
    (Path(orvideo.sandbox.__file__).parent / "models.json").read_text(encoding="utf-8")
)["data"]
MODELS: dict[str, VideoModel] = {entry["id"]: VideoModel.of(entry) for entry in RAW}

_IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
FIRST: dict[str, Any] = {**_IMAGE, "frame_type": "first_frame"}
LAST: dict[str, Any] = {**_IMAGE, "frame_type": "last_frame"}
REFERENCE: dict[str, Any] = dict(_IMAGE)
VIDEO: dict[str, Any] = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}
AUDIO: dict[str, Any] = {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}}


def ask(model: str, **fields: Any) -> VideoRequest:
    return VideoRequest(model=model, prompt="a paper boat", **fields)


def invented(**fields: Any) -> VideoModel:
    """A model of our own: makes 2, 4 and 8 s in two resolutions and shapes, with and without sound, unless told."""
    return VideoModel.of(
        {
            "id": "acme/one",
            "supported_resolutions": ["1080p", "480p"],
            "supported_aspect_ratios": ["9:16", "16:9"],
            "supported_durations": [8, 2, 4],
            "supported_frame_images": ["first_frame"],
            "generate_audio": True,
            "seed": True,
            "pricing_skus": {"duration_seconds": "0.1"},
            "allowed_passthrough_parameters": ["negative_prompt"],
            **fields,
        }
    )
