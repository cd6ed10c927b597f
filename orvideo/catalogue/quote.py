"""Quotes what a request will cost; the sandbox bills by the same code.

Both `quote` and `bill` convert a request to `Clip`s, in which all choices are made, and price those by `price_of`. The
rules are those of the api notes, "Prices"; only the service's `usage.cost` is the true price.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from itertools import product
from typing import Any, Literal, NamedTuple, Self

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.pricing import Mode, PriceList, PriceMatch, Unit, price_list
from orvideo.catalogue.sizes import Picture, parse_ratio, parse_size, picture, resolution_of, with_defaults
from orvideo.money import exceeds_quote, money_text

Kind = Literal["listed", "about", "unknown"]

FRAMES_PER_SECOND = 24
PIXELS_PER_TOKEN = 1024
_LONGEST_SECONDS = 10**6


class Quote(NamedTuple):
    """What a request will cost, in USD, and how certain that is.

    `listed`: `usd` is from the price list. `about`: `usd` is an estimate; where the request leaves something open it is
    the highest of the possible prices, which are between `low` and `high`. `unknown`: `usd` is None, never 0; `low` may
    be the least it costs. `reasons` says why the bill may differ.
    """

    kind: Kind
    usd: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    reasons: tuple[str, ...] = ()

    @property
    def most(self) -> Decimal | None:
        """The most that it may cost in USD, which is compared with limits; None when unknown."""
        if self.kind == "unknown":
            return None
        return self.high if self.high is not None else self.usd

    def including_bill(self, bill: Decimal | None) -> Self:
        """Return the quote with `high` raised to the highest bill of such a job so far (finding A05)."""
        most = self.most
        if bill is None or most is None or not exceeds_quote(bill, most):
            return self
        reason = f"such jobs were billed up to {money_text(bill, limit=most)} before"
        low = self.low if self.low is not None else self.usd
        return self._replace(low=low, high=bill, reasons=(*self.reasons, reason))

    def as_json(self) -> dict[str, Any]:
        """Return the quote as JSON: `kind, usd, low, high, reasons`; amounts are numbers in USD or null."""
        return {
            "kind": self.kind,
            "usd": _number(self.usd),
            "low": _number(self.low),
            "high": _number(self.high),
            "reasons": list(self.reasons),
        }


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


class UnknownPrice(LookupError):
    """The price list has no price for a clip; `at_least` is the least it costs in USD, where that is known."""

    def __init__(self, reason: str, at_least: Decimal | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at_least = at_least


class Clip(NamedTuple):
    """The properties of a video on which its price depends; `seconds` is None only where the price does not.

    `images` counts the frames, or without any the image references; `reference_images` counts the latter alone.
    `input_seconds` is the length of all referenced videos together, None when unknown.
    """

    mode: Mode
    sound: bool
    resolution: str | None
    size: tuple[int, int] | None
    seconds: Decimal | None
    images: int = 0
    reference_images: int = 0
    video_input: bool = False
    input_seconds: Decimal | None = None
    creative: bool | None = None


def quote(model: VideoModel, request: VideoRequest, *, input_seconds: Decimal | None = None) -> Quote:
    """Return what a request to a model will cost; never raises.

    `input_seconds` is the length of the referenced videos, where it is known.
    """
    prices = price_list(model)
    try:
        possible = _clips(model, request, prices, input_seconds)
        priced = [price_of(prices, clip) for clip in possible.clips]
    except UnknownPrice as unknown:
        return Quote("unknown", low=unknown.at_least, reasons=(unknown.reason,))
    amounts = [amount for amount, _ in priced]
    low, high = min(amounts), max(amounts)
    reasons = tuple(dict.fromkeys([*possible.doubts, *(doubt for _, doubt in priced if doubt)]))
    if low == high:
        return Quote("about" if reasons else "listed", high, reasons=reasons)
    return Quote("about", high, low, high, (_spread(possible.clips, amounts), *reasons))


def bill(
    model: VideoModel,
    request: VideoRequest,
    *,
    width: int,
    height: int,
    seconds: Decimal | int,
    input_seconds: Decimal | int = 0,
) -> Decimal:
    """Return what the sandbox charges in USD for a film of `width` x `height` and `seconds`, by the rules of `quote`.

    A nominal size of a token-priced model is billed as the real one (api notes). Raises UnknownPrice when the price
    list has no price.
    """
    prices = price_list(model)
    if prices.defect:
        raise UnknownPrice(prices.defect)
    settled = with_defaults(model, request)
    real = picture(model, settled) if request.size else None
    clip = _common(settled, Decimal(input_seconds))(
        sound=request.generate_audio if request.generate_audio is not None else model.generate_audio is True,
        resolution=_resolution(model, settled),
        size=(real.width, real.height) if real else (width, height),
        seconds=Decimal(seconds),
        creative=_creative(settled),
    )
    amount, _ = price_of(prices, clip)
    return amount


def video_tokens(size: tuple[int, int], seconds: Decimal, input_seconds: Decimal = Decimal(0)) -> Decimal:
    """Return width x height x frames / 1024, rounded down; frames = 24 x seconds + 1, and those of the input."""
    frames = FRAMES_PER_SECOND * (seconds + input_seconds) + 1
    return (size[0] * size[1] * frames / PIXELS_PER_TOKEN).to_integral_value(rounding=ROUND_FLOOR)


def price_of(prices: PriceList, clip: Clip) -> tuple[Decimal, str | None]:
    """Return the price of a clip in USD, and why it is uncertain or None. Raises UnknownPrice."""
    usd, doubt = _base(prices, clip)
    for unit, number in ((Unit.IMAGE, clip.images), (Unit.REFERENCE_IMAGE, clip.reference_images)):
        if number:
            usd += (prices.flat_price(unit) or 0) * number
    return max(usd, prices.flat_price(Unit.FLOOR) or Decimal(0)), doubt


def _base(prices: PriceList, clip: Clip) -> tuple[Decimal, str | None]:
    unit = prices.units[0]
    if unit is Unit.VIDEO:
        return prices.flat_price(Unit.VIDEO) or Decimal(0), None
    if clip.seconds is None:
        raise UnknownPrice(f"priced by the {unit}, and the length is not known before", prices.flat_price(Unit.FLOOR))
    if unit is Unit.SECOND:
        found = prices.per_second(clip.mode, sound=clip.sound, resolution=clip.resolution)
        found = _found(found, clip, prices)
        return found.price.usd * clip.seconds, found.doubt
    if clip.size is None:
        raise UnknownPrice(f"priced by the {unit}, and the picture's size is not known", prices.flat_price(Unit.FLOOR))
    if unit is Unit.MEGAPIXEL_SECOND:
        found = _found(prices.per_megapixel_second(creative=bool(clip.creative)), clip, prices)
        return found.price.usd * clip.size[0] * clip.size[1] / 10**6 * clip.seconds, found.doubt
    return _by_tokens(prices, clip, clip.size, clip.seconds)


def _by_tokens(prices: PriceList, clip: Clip, size: tuple[int, int], seconds: Decimal) -> tuple[Decimal, str | None]:
    found = prices.per_token(sound=clip.sound, resolution=clip.resolution, video_input=clip.video_input)
    found = _found(found, clip, prices)
    if clip.video_input and clip.input_seconds is None:
        at_least = video_tokens(size, seconds) * found.price.usd
        raise UnknownPrice("the length of the referenced video is billed too, and is not known", at_least)
    return video_tokens(size, seconds, clip.input_seconds or Decimal(0)) * found.price.usd, found.doubt


def _found(found: PriceMatch | None, clip: Clip, prices: PriceList) -> PriceMatch:
    if found is None:
        sound = "" if not prices.by_sound else " with sound" if clip.sound else " without sound"
        at = f" at {clip.resolution}" if clip.resolution else ""
        raise UnknownPrice(f"the price list has no price for a video from {clip.mode}{at}{sound}")
    return found


class _ClipSet(NamedTuple):
    """Every clip that a request may become, and why the price is uncertain even if it is the same for all."""

    clips: list[Clip]
    doubts: list[str]


def _clips(model: VideoModel, request: VideoRequest, prices: PriceList, input_seconds: Decimal | None) -> _ClipSet:
    """Return one clip for each possible choice of what the request leaves open and the price depends on."""
    if prices.defect:
        raise UnknownPrice(prices.defect)
    unit = prices.units[0]
    frames = _frames(model, request, by_picture=unit in _BY_PICTURE)
    clip = _common(request, input_seconds)
    creative = _creative(request)
    levels = (False, True) if unit is Unit.MEGAPIXEL_SECOND and creative is None else (creative,)
    clips = [
        clip(
            sound=sound,
            resolution=resolution,
            size=(shot.width, shot.height) if shot else None,
            seconds=length,
            creative=creative,
        )
        for length, sound, (resolution, shot), creative in product(
            _seconds(model, request), _sounds(model, request), frames, levels
        )
    ]
    doubts = [*_length_doubts(model, request, unit), *_picture_doubts(unit, [shot for _, shot in frames])]
    return _ClipSet(clips, doubts)


def _spread(clips: Sequence[Clip], amounts: Sequence[Decimal]) -> str:
    """Return a reason that names the open choices on which the price depends."""
    names = []
    for name, fields in _CHOICES.items():
        settled: dict[Clip, set[Decimal]] = {}
        for clip, amount in zip(clips, amounts, strict=True):
            settled.setdefault(clip._replace(**fields), set()).add(amount)
        if any(len(found) > 1 for found in settled.values()):
            names.append(name)
    return f"{' and '.join(names)} left open; the dearest is shown"


_BY_PICTURE = (Unit.TOKEN, Unit.MEGAPIXEL_SECOND)
_CHOICES: dict[str, dict[str, Any]] = {
    "duration": {"seconds": None},
    "sound": {"sound": False},
    "picture": {"resolution": None, "size": None},
    "creativity": {"creative": None},
}


def _common(request: VideoRequest, input_seconds: Decimal | None) -> Callable[..., Clip]:
    """Return what makes a clip of a request, without what it may leave open."""
    frames = request.frame_images or []
    # With both, the service uses frame_images and ignores the references (api notes).
    references = [] if frames else request.input_references or []
    pictures = sum(1 for item in references if item.get("type") == "image_url")
    if request.previous_job_id:
        mode = Mode.CONTINUATION
    elif references:
        mode = Mode.REFERENCE
    else:
        mode = Mode.IMAGE if frames else Mode.TEXT
    return partial(
        Clip,
        mode=mode,
        images=len(frames) + pictures,
        reference_images=pictures,
        video_input=any(item.get("type") == "video_url" for item in references),
        input_seconds=input_seconds,
    )


def _creative(request: VideoRequest) -> bool | None:
    return None if request.creativity is None else request.creativity > 0


def _seconds(model: VideoModel, request: VideoRequest) -> Sequence[Decimal | None]:
    if request.duration is not None:
        return (Decimal(request.duration),) if 0 < request.duration <= _LONGEST_SECONDS else (None,)
    listed = [seconds for seconds in model.supported_durations or [] if 0 < seconds <= _LONGEST_SECONDS]
    return tuple(Decimal(seconds) for seconds in sorted({min(listed), max(listed)})) if listed else (None,)


def _sounds(model: VideoModel, request: VideoRequest) -> Sequence[bool]:
    """Where the request does not say, the endpoint decides (api notes), and may differ from the catalogue."""
    if request.generate_audio is not None:
        return (request.generate_audio,)
    return (False,) if model.generate_audio is False else (True, False)


def _resolution(model: VideoModel, request: VideoRequest) -> str | None:
    asked = parse_size(request.size) if request.size else None
    return resolution_of(model, asked) if asked else request.resolution


def _frames(
    model: VideoModel, request: VideoRequest, *, by_picture: bool
) -> Sequence[tuple[str | None, Picture | None]]:
    """Return the possible (resolution, picture) pairs; with `by_picture` off, without the pictures."""
    listed = _or_open(model.supported_resolutions)
    if request.size:
        resolution = _resolution(model, request)
        return [(item, picture(model, request)) for item in ([resolution] if resolution else listed)]
    resolutions = [request.resolution] if request.resolution else listed
    if not by_picture:
        return [(item, None) for item in resolutions]
    shapes = [ratio for ratio in model.supported_aspect_ratios or () if parse_ratio(ratio)]
    given = request.aspect_ratio
    # A name such as `adaptive` stands for any of the ratios.
    ratios = [given] if given and (parse_ratio(given) or not shapes) else _or_open(shapes)
    if len(resolutions) == len(ratios) == 1 and (request.resolution, given) == (resolutions[0], ratios[0]):
        return [(request.resolution, picture(model, request))]  # nothing is open, as with most requests
    return [
        (item, picture(model, request._replace(resolution=item, aspect_ratio=ratio)))
        for item, ratio in product(resolutions, ratios)
    ]


def _or_open(listed: list[str] | None) -> Sequence[str | None]:
    return listed or (None,)


def _length_doubts(model: VideoModel, request: VideoRequest, unit: Unit) -> list[str]:
    if unit is Unit.VIDEO or model.supported_durations or request.duration is None:
        return []
    return ["the model lists no durations: it may decide the length itself"]


_SOURCES = {
    "asked": "as asked",
    "billed": "as billed before",
    "published": "as the provider publishes it",
    "listed": "as listed; the real one may differ",
    "derived": "by its resolution and shape; the real one may differ",
}


def _picture_doubts(unit: Unit, shots: Sequence[Picture | None]) -> list[str]:
    if unit not in _BY_PICTURE:
        return []
    priced = f"priced by the {unit}, provider minimums are not listed"
    seen = [shot for shot in dict.fromkeys(shots) if shot]
    if len(seen) != 1:
        return [priced]
    shot = seen[0]
    return [f"{priced}; the picture is taken as {shot.width}x{shot.height}, {_SOURCES[shot.source]}"]
