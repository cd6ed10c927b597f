"""Prices worked out by hand from the price lists, against which both the quote and the sandbox's bill are held.

Each row: an id, the request, what is made (width, height, seconds), the price in USD, and the kind of the quote.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

from tests.catalogue.shelf import FIRST, LAST, REFERENCE, VIDEO


class Row(NamedTuple):
    name: str
    model: str
    fields: dict[str, Any]
    made: tuple[int, int, int]
    usd: Decimal
    kind: str


def _row(name: str, model: str, made: str, usd: str, kind: str = "listed", **fields: Any) -> Row:
    size, _, seconds = made.partition(" ")
    width, _, height = size.partition("x")
    fields.setdefault("duration", int(seconds))
    return Row(name, model, fields, (int(width), int(height), int(seconds)), Decimal(usd), kind)


#: The five bills that the api notes record.
RECORDED = [
    _row("grok", "x-ai/grok-imagine-video", "854x480 1", "0.05", resolution="480p", aspect_ratio="16:9"),
    _row(
        "grok-image",
        "x-ai/grok-imagine-video",
        "854x480 1",
        "0.052",
        resolution="480p",
        aspect_ratio="16:9",
        frame_images=[FIRST],
    ),
    _row("veo", "google/veo-3.1-lite", "1280x720 4", "0.12", resolution="720p", generate_audio=False),
    _row(
        "kling",
        "kwaivgi/kling-v3.0-std",
        "1280x720 12",
        "1.008",
        resolution="720p",
        generate_audio=False,
        frame_images=[FIRST],
    ),
    _row(
        "seedance",
        "bytedance/seedance-2.0-mini",
        "640x640 4",
        "0.1358",
        "about",
        resolution="480p",
        aspect_ratio="1:1",
        generate_audio=False,
        frame_images=[FIRST, LAST],
    ),
]

#: By hand: the arithmetic is in the comment.
WORKED_OUT = [
    # 8 x 3 cents + 1 cent for the reference
    _row(
        "cents",
        "x-ai/grok-imagine-video-1.5-lite",
        "1280x720 8",
        "0.25",
        resolution="720p",
        input_references=[REFERENCE],
    ),
    # 5 x 0.06, not 5 x 0.03
    _row(
        "reference",
        "heygen/heygen-video-1",
        "1366x768 5",
        "0.30",
        resolution="768p",
        input_references=[REFERENCE],
    ),
    # frames win: the reference beside them is ignored, so 5 x 0.03
    _row(
        "frames-win",
        "heygen/heygen-video-1",
        "1366x768 5",
        "0.15",
        resolution="768p",
        frame_images=[FIRST],
        input_references=[REFERENCE],
    ),
    # `2K` in the list, `_2k` in the key: 5 x 0.09
    _row("2k", "heygen/heygen-video-1", "2560x1440 5", "0.45", resolution="2K"),
    # 5 x 0.13 + 2 x 0.04
    _row(
        "reference-images",
        "minimax/hailuo-3",
        "2560x1440 5",
        "0.73",
        resolution="2K",
        generate_audio=True,
        input_references=[REFERENCE, REFERENCE],
    ),
    # first frames are no reference images: 5 x 0.13
    _row(
        "frames-are-no-references",
        "minimax/hailuo-3",
        "2560x1440 5",
        "0.65",
        resolution="2K",
        generate_audio=True,
        frame_images=[FIRST],
    ),
    # with_audio beats text_to_video_duration_seconds_720p: 10 x 0.126
    _row("kling-sound", "kwaivgi/kling-v3.0-std", "1280x720 10", "1.26", resolution="720p", generate_audio=True),
    # and image_to_video_duration_seconds_720p: 3 x 0.168
    _row(
        "kling-sound-image",
        "kwaivgi/kling-v3.0-pro",
        "1280x720 3",
        "0.504",
        resolution="720p",
        generate_audio=True,
        frame_images=[FIRST],
    ),
    # 5 x 0.08 from text, 5 x 0.10 from an image
    _row("wan-text", "alibaba/wan-2.6", "1280x720 5", "0.40", resolution="720p", generate_audio=True),
    _row(
        "wan-image",
        "alibaba/wan-2.6",
        "1280x720 5",
        "0.50",
        resolution="720p",
        generate_audio=True,
        frame_images=[FIRST],
    ),
    # 8 x 0.30, from `_4k`; 8 x 0.12 at 1080p, which has no key of its own
    _row("veo-4k", "google/veo-3.1-fast", "3840x2160 8", "2.40", resolution="4K", generate_audio=True),
    _row("veo-1080p", "google/veo-3.1-fast", "1920x1080 8", "0.96", resolution="1080p", generate_audio=True),
    # a size is the resolution it belongs to: 4 x 0.25
    _row("veo-size", "google/veo-3.1-fast", "2160x3840 4", "1.00", size="2160x3840", generate_audio=False),
    # 5 x 29 cents, and 5 x 53 when continuing
    _row("flux", "black-forest-labs/flux-3-video", "1920x1080 5", "1.45", resolution="1080p"),
    _row(
        "flux-continued",
        "black-forest-labs/flux-3-video",
        "1920x1080 5",
        "2.65",
        resolution="1080p",
        previous_job_id="job-1",
    ),
    # 1 x 28 cents is under the floor of 56 cents; 3 x 28 cents is not
    _row("floor", "runway/aleph-2", "1280x720 1", "0.56", "about"),
    _row("above-floor", "runway/aleph-2", "1280x720 3", "0.84", "about"),
    # 864 x 496 x 97 / 1024 = 40594.5, rounded down, x 0.0000035
    _row(
        "tokens-16:9",
        "bytedance/seedance-2.0-mini",
        "864x496 4",
        "0.142079",
        "about",
        resolution="480p",
        aspect_ratio="16:9",
        generate_audio=True,
    ),
    # the same picture by its listed size, 854x480
    _row(
        "tokens-size",
        "bytedance/seedance-2.0-mini",
        "854x480 4",
        "0.142079",
        "about",
        size="854x480",
        generate_audio=True,
    ),
    # 1920 x 1080 x 121 / 1024 = 245025 x 0.0000077; silence has no price of its own at 1080p
    _row(
        "tokens-1080p",
        "bytedance/seedance-2.0",
        "1920x1080 5",
        "1.8866925",
        "about",
        resolution="1080p",
        aspect_ratio="16:9",
        generate_audio=False,
    ),
    # 3840 x 2160 x 97 / 1024 = 785700 x 0.000004
    _row(
        "tokens-4k",
        "bytedance/seedance-2.0",
        "3840x2160 4",
        "3.1428",
        "about",
        resolution="4K",
        aspect_ratio="16:9",
        generate_audio=True,
    ),
    # 1280 x 720 x 97 / 1024 = 87300 x 0.0000012 silent, x 0.0000024 with sound
    _row(
        "tokens-silent",
        "bytedance/seedance-1-5-pro",
        "1280x720 4",
        "0.10476",
        "about",
        resolution="720p",
        aspect_ratio="16:9",
        generate_audio=False,
    ),
    _row(
        "tokens-sound",
        "bytedance/seedance-1-5-pro",
        "1280x720 4",
        "0.20952",
        "about",
        resolution="720p",
        aspect_ratio="16:9",
        generate_audio=True,
    ),
    # 1920 x 1080 / 1,000,000 x 4 s x 7.5 cents, and 10.5 at creativity 1
    _row(
        "precise",
        "black-forest-labs/flux-video-upscale",
        "1920x1080 4",
        "0.62208",
        "about",
        size="1920x1080",
        creativity=0,
    ),
    _row(
        "creative",
        "black-forest-labs/flux-video-upscale",
        "1920x1080 4",
        "0.870912",
        "about",
        size="1920x1080",
        creativity=1,
    ),
]

ROWS = RECORDED + WORKED_OUT

#: A video of 6 s given as a reference to Seedance: 1280 x 720 x (24 x (4 + 6) + 1) / 1024 = 216900 tokens x 0.0000021.
VIDEO_REFERENCE = (
    _row(
        "video-reference",
        "bytedance/seedance-2.0-mini",
        "1280x720 4",
        "0.45549",
        "about",
        resolution="720p",
        aspect_ratio="16:9",
        generate_audio=True,
        input_references=[VIDEO],
    ),
    6,
)
