"""The models of the sandbox: the service's own list, and a few that exist only here, to rehearse bad days."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from orvideo.api.values import VideoModel
from orvideo.catalogue.listing import parse_models
from orvideo.catalogue.pricing import price_list

#: Seconds of video that a model makes which lists no durations and is given none.
OPEN_DURATION = 5
#: What a referenced video is taken to be, since the sandbox never calls out: its seconds, width and height.
REFERENCED_SECONDS, REFERENCED_SIZE = 5, (1280, 720)

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


class Offer:
    """The models of one sandbox: a list as the service sends it, and the sandbox's own, which come last."""

    def __init__(self, listed: list[Any]) -> None:
        # A list that was taken from a sandbox has the sandbox's own models in it already.
        others = [entry for entry in listed if not _is_own(entry)]
        #: The entries of `GET /videos/models`, each as it was given.
        self.entries = [*others, *(_rehearsal(number, slug) for number, slug in enumerate(_REHEARSALS))]
        #: The models that can be used, by id.
        self.models: dict[str, VideoModel] = {model.id: model for model in parse_models(self.entries)[0]}

    def find(self, name: str) -> VideoModel | None:
        """Return a model by its id or its canonical slug."""
        by_slug = (model for model in self.models.values() if model.canonical_slug == name)
        return self.models.get(name) or next(by_slug, None)

    @classmethod
    def shipped(cls) -> Self:
        """Return the list that the sandbox brings with it."""
        text = files("orvideo.sandbox").joinpath("models.json").read_text(encoding="utf-8")
        return cls(json.loads(text)["data"])

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the list of a file: any answer of `GET /videos/models`. Raises OSError, ValueError."""
        try:
            # Bytes, so that UTF-16, which Windows PowerShell writes, is read too.
            document = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            raise ValueError(f"{path} is not JSON") from None
        listed = document.get("data") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise ValueError(f'{path} has no list of models under "data"')
        if not parse_models(listed)[0]:
            raise ValueError(f"{path} has no model that can be used")
        return cls(listed)


def _is_own(entry: object) -> bool:
    return isinstance(entry, dict) and str(entry.get("id")).startswith("sandbox/")


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
