"""Resolutions, aspect ratios and sizes, and the size in pixels that a request is billed for.

Where a model is priced by video tokens, the catalogue's sizes are nominal, and the bill follows the pixels that the
provider really makes (api notes, "Prices").
"""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from orvideo.api.values import VideoModel, VideoRequest

Source = Literal["asked", "billed", "published", "listed", "derived"]


class Picture(NamedTuple):
    """The size of a picture in pixels, and its source.

    `asked`: the request's own size. `billed`: seen on bills (api notes). `published`: the provider's table.
    `listed`: the catalogue's size. `derived`: calculated from resolution and aspect ratio.
    """

    width: int
    height: int
    source: Source


#: Seedance 1.5 pro and 2.x, as ByteDance publishes it; 16:9 and 1:1 at 480p were also seen on bills (api notes).
#: The upright ratios are the wide ones rotated, also 9:21, which is not in ByteDance's table.
_SEEDANCE_WIDE: dict[str, dict[str, tuple[int, int]]] = {
    "480p": {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    "720p": {"16:9": (1280, 720), "4:3": (1112, 834), "1:1": (960, 960), "21:9": (1470, 630)},
    "1080p": {"16:9": (1920, 1080), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2206, 946)},
    "4k": {"16:9": (3840, 2160), "4:3": (3326, 2494), "1:1": (2880, 2880), "21:9": (4398, 1886)},
}
_BILLED = {("480p", "16:9"), ("480p", "1:1")}


def _rotated(ratio: str) -> str:
    across, _, down = ratio.partition(":")
    return f"{down}:{across}"


_SEEDANCE: dict[tuple[str, str], tuple[int, int]] = {
    key: size
    for resolution, row in _SEEDANCE_WIDE.items()
    for ratio, (width, height) in row.items()
    for key, size in {
        (resolution, ratio): (width, height),
        (resolution, _rotated(ratio)): (height, width),
    }.items()
}
_SEEDANCE_BY_SIZE = {size: key for key, size in _SEEDANCE.items()}

#: The short side of resolutions that are not written as a number of lines. No model lists 1K yet; it is taken as 1024
#: lines because there is a price for `1024p`.
_K_SIDES = {"1k": 1024, "2k": 1440, "4k": 2160, "8k": 4320}
_LINES_OF_SIDE = {2160: "4K", 1440: "2K", 4320: "8K"}
_RATIO_TOLERANCE = Fraction(3, 100)


def short_side(resolution: str) -> int | None:
    """Return the shorter side of a resolution in pixels (`720p` → 720, `4K` → 2160), None when it is unknown."""
    folded = resolution.strip().casefold()
    if folded in _K_SIDES:
        return _K_SIDES[folded]
    match = re.fullmatch(r"([0-9]{3,4})p", folded)
    return int(match[1]) if match else None


def rank(resolution: str) -> int:
    """Return a sort key from low to high resolutions; unknown ones are last."""
    return short_side(resolution) or 1_000_000


def parse_size(size: str) -> tuple[int, int] | None:
    """Return `(width, height)` of `WIDTHxHEIGHT`, None when it is not of that form or a side is 0."""
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", size.strip().casefold(), re.ASCII)
    if not match:
        return None
    width, height = int(match[1]), int(match[2])
    return (width, height) if width and height else None


@lru_cache(maxsize=256)
def parse_ratio(ratio: str) -> Fraction | None:
    """Return width / height of `16:9`, None when it is not of that form."""
    match = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", ratio.strip(), re.ASCII)
    if not match or not int(match[1]) or not int(match[2]):
        return None
    return Fraction(int(match[1]), int(match[2]))


def has_ratio(size: tuple[int, int], ratio: str) -> bool:
    """Return whether a size has an aspect ratio within 3 %, as 864x496 has 16:9 and 992x432 has 21:9."""
    wanted = parse_ratio(ratio)
    return wanted is not None and abs(Fraction(*size) / wanted - 1) <= _RATIO_TOLERANCE


def nearest_ratio(size: tuple[int, int], ratios: Iterable[str]) -> str | None:
    """Return the one of `ratios` that is nearest to a size; ratios not of the form W:H are ignored."""
    shape = Fraction(*size)

    def distance(ratio: str) -> Fraction:
        other = parse_ratio(ratio) or Fraction(1)
        return max(shape / other, other / shape)

    return min((ratio for ratio in ratios if parse_ratio(ratio)), key=distance, default=None)


def default_ratio(listed: Sequence[str]) -> str:
    """Return 16:9 where it is listed, else the first of the form W:H, else the first."""
    return "16:9" if "16:9" in listed else next(filter(parse_ratio, listed), listed[0])


def is_seedance(model: VideoModel) -> bool:
    """Return whether the published Seedance sizes apply to a model (1.5 pro and later)."""
    return "seedance" in model.id.casefold() and "seedance-1-0" not in model.id.casefold()


def resolution_of(model: VideoModel, size: tuple[int, int]) -> str | None:
    """Return the resolution of a size, in the catalogue's spelling; None when no listed one matches."""
    if is_seedance(model) and size in _SEEDANCE_BY_SIZE:
        name = _SEEDANCE_BY_SIZE[size][0]
    else:
        side = min(size)
        name = _LINES_OF_SIDE.get(side, f"{side}p")
    listed = {item.casefold(): item for item in model.supported_resolutions or []}
    if listed:
        return listed.get(name.casefold()) or _by_side(listed.values(), name)
    return name


def _by_side(resolutions: Iterable[str], name: str) -> str | None:
    side = short_side(name)
    return next((item for item in resolutions if short_side(item) == side), None)


def picture(model: VideoModel, request: VideoRequest) -> Picture | None:
    """Return the picture that a request is billed for, None when the request leaves it open.

    An asked size of Seedance is nominal: 480x480 is billed as 640x640 (api notes).
    """
    asked = parse_size(request.size) if request.size else None
    if asked:
        return _of_size(model, asked)
    if not request.resolution or not request.aspect_ratio:
        return None
    return _of_names(model, request.resolution, request.aspect_ratio)


def _of_size(model: VideoModel, size: tuple[int, int]) -> Picture:
    if is_seedance(model) and size not in _SEEDANCE_BY_SIZE:
        resolution = resolution_of(model, size)
        ratio = next((ratio for _, ratio in _SEEDANCE if has_ratio(size, ratio)), None)
        if resolution and ratio and (resolution.casefold(), ratio) in _SEEDANCE:
            return _seedance(resolution.casefold(), ratio)
    return Picture(*size, "asked")


def _seedance(resolution: str, ratio: str) -> Picture:
    source: Source = "billed" if (resolution, ratio) in _BILLED else "published"
    return Picture(*_SEEDANCE[resolution, ratio], source)


def _of_names(model: VideoModel, resolution: str, ratio: str) -> Picture | None:
    folded, ratio = resolution.strip().casefold(), ratio.strip()
    if is_seedance(model) and (folded, ratio) in _SEEDANCE:
        return _seedance(folded, ratio)
    side, shape = short_side(resolution), parse_ratio(ratio)
    if side is None or shape is None:
        return None
    for size in map(parse_size, model.supported_sizes or []):
        if size and min(size) == side and has_ratio(size, ratio):
            return Picture(*size, "listed")
    long_side = 2 * round(side * max(shape, 1 / shape) / 2)
    return Picture(long_side, side, "derived") if shape >= 1 else Picture(side, long_side, "derived")


def with_defaults(model: VideoModel, request: VideoRequest) -> VideoRequest:
    """Return the request with the sandbox's defaults for resolution and aspect ratio.

    They are 720p and 16:9 where the model lists them or lists nothing, else the lowest resolution and the first ratio.
    The defaults of real providers are not documented; orvideo always sends both (`choices.fill`).
    """
    if request.size:
        return request
    resolutions = model.supported_resolutions or ["720p"]
    ratios = model.supported_aspect_ratios or ["16:9"]
    return request._replace(
        resolution=request.resolution or ("720p" if "720p" in resolutions else min(resolutions, key=rank)),
        aspect_ratio=request.aspect_ratio or default_ratio(ratios),
    )


def output_size(model: VideoModel, request: VideoRequest) -> tuple[int, int]:
    """Return the size of the sandbox's film for a request: what is billed for it, in even numbers.

    H.264 in 4:2:0 has no odd sides, so an odd one grows by a pixel. An unknown resolution counts as 720p.
    """
    nameless = request._replace(size=None) if not parse_size(request.size or "") else request
    found = picture(model, with_defaults(model, nameless))
    width, height = (found.width, found.height) if found else (1280, 720)
    return width + width % 2, height + height % 2
