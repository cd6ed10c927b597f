"""Text for people: durations, prices and input kinds of a model."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.pricing import Mode, Price, Unit, price_list
from orvideo.catalogue.quote import FRAMES_PER_SECOND, PIXELS_PER_TOKEN
from orvideo.catalogue.sizes import default_ratio, picture, rank
from orvideo.money import exact_money_text


def durations_text(durations: Sequence[int] | None) -> str:
    """Return durations as text: `4-15` for three or more in a row, else `4, 6, 8`; "" for none."""
    runs: list[list[int]] = []
    for seconds in sorted(set(durations or [])):
        if runs and seconds == runs[-1][-1] + 1:
            runs[-1].append(seconds)
        else:
            runs.append([seconds])
    parts = [[f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(seconds) for seconds in run] for run in runs]
    return ", ".join(part for group in parts for part in group)


class PerSecond(NamedTuple):
    """A price per second in USD; it is `estimated` where the model is priced by video tokens."""

    usd: Decimal
    estimated: bool


def price_per_second(model: VideoModel) -> PerSecond | None:
    """Return the price of a second from text, without sound, at the lowest resolution; None when there is none.

    There is none for prices by the video or the megapixel, for unknown keys, and for a resolution without a price.
    Token prices are converted at 16:9 (or the model's first ratio) and 24 frames a second.
    """
    prices = price_list(model)
    if prices.defect:
        return None
    lowest = min(model.supported_resolutions or [], key=rank, default=None)
    if prices.units[0] is Unit.SECOND:
        found = prices.per_second(Mode.TEXT, sound=False, resolution=lowest)
        return PerSecond(found.price.usd, False) if found else None
    if prices.units[0] is not Unit.TOKEN or lowest is None:
        return None
    ratio = default_ratio(model.supported_aspect_ratios or ["16:9"])
    found = prices.per_token(sound=False, resolution=lowest, video_input=False)
    shot = picture(model, VideoRequest(model=model.id, resolution=lowest, aspect_ratio=ratio))
    if not found or not shot:
        return None
    pixels = Decimal(shot.width * shot.height * FRAMES_PER_SECOND)
    return PerSecond(found.price.usd * pixels / PIXELS_PER_TOKEN, True)


_MODE_TEXTS = {
    None: "",
    Mode.TEXT: " from text",
    Mode.IMAGE: " from images",
    Mode.REFERENCE: " with references",
    Mode.CONTINUATION: " when continuing a video",
}


def describe_prices(model: VideoModel) -> list[str]:
    """Return a line for each entry of the price list, in USD, also for those that orvideo cannot read."""
    prices = price_list(model)
    lines = [_line(price) for price in prices.prices]
    skus = model.pricing_skus or {}
    lines += [
        f"{key}: {str(skus.get(key))[:80]} (not known to orvideo, so nothing can be quoted)"
        for key in prices.unknown_keys
    ]
    lines += [
        f"{key}: {str(skus.get(key))[:80]} (not a price, so nothing can be quoted)" for key in prices.unreadable_keys
    ]
    return lines


def _line(price: Price) -> str:
    at = f" at {_resolution_text(price.resolution)}" if price.resolution else ""
    sound = "" if price.sound is None else " with sound" if price.sound else " without sound"
    video = " with video references" if price.video_input else ""
    if price.unit is Unit.FLOOR:
        return f"{exact_money_text(price.usd)} at least per video"
    if price.unit is Unit.TOKEN:
        return f"{exact_money_text(price.usd * 10**6)} per million video tokens{at}{sound}{video}"
    if price.unit is Unit.MEGAPIXEL_SECOND:
        level = "1 (creative)" if price.creative else "0 (precise)"
        return f"{exact_money_text(price.usd)} per megapixel and second at creativity {level}"
    return f"{exact_money_text(price.usd)} per {price.unit}{_MODE_TEXTS[price.mode]}{at}{sound}"


def _resolution_text(resolution: str) -> str:
    return resolution.upper() if resolution.endswith("k") else resolution


def input_kinds(model: VideoModel, modalities: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return what a model can make a video from: text, first, last (frame), references, video.

    `modalities` are its input modalities, where they are known; without them only prices show that it takes references.
    """
    prices = price_list(model).prices
    found = []
    if model.supported_durations and model.upscale_factor is None:
        found.append("text")
    found += [kind.removesuffix("_frame") for kind in model.supported_frame_images or ()]
    if any(price.mode is Mode.REFERENCE or price.unit is Unit.REFERENCE_IMAGE or price.video_input for price in prices):
        found.append("references")
    if model.upscale_factor is not None or any(price.mode is Mode.CONTINUATION for price in prices):
        found.append("video")
    for kind in modalities or ():
        if kind not in ("text", "image") and kind not in found:
            found.append(kind)
    return tuple(found)
