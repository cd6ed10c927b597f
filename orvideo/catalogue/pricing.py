"""Parses a model's price list (`pricing_skus`) and looks prices up. All amounts are USD, as Decimal.

The keys, the units and the order of the lookup are those of the api notes, "Prices". An unknown key makes every quote
of its model unknown, since it may cost anything.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from orvideo.api.values import VideoModel, money
from orvideo.catalogue.sizes import rank


class Unit(StrEnum):
    """The unit of a price. By one of the first four a clip is priced; the others are added."""

    SECOND = "second"
    TOKEN = "video token"  # noqa: S105 - a unit of price
    MEGAPIXEL_SECOND = "megapixel-second"
    VIDEO = "video"
    IMAGE = "input image"
    REFERENCE_IMAGE = "reference image"
    FLOOR = "floor"


_MAIN_UNITS = (Unit.SECOND, Unit.TOKEN, Unit.MEGAPIXEL_SECOND, Unit.VIDEO)


class Mode(StrEnum):
    """What a clip is made from, as far as prices depend on it."""

    CONTINUATION = "continuing a video"
    REFERENCE = "references"
    IMAGE = "images"
    TEXT = "text"


class Price(NamedTuple):
    """One entry of a price list: `usd` per `unit`, and what it is for; None means any.

    `sound` is True for a price with sound, False for one without. `resolution` is the suffix of the key (`4k`).
    """

    key: str
    usd: Decimal
    unit: Unit
    mode: Mode | None = None
    sound: bool | None = None
    resolution: str | None = None
    video_input: bool = False
    creative: bool | None = None


_RESOLUTION = r"(?P<resolution>[0-9]{3,4}p|[0-9]k)"
_MODES = {"text_to_video": Mode.TEXT, "image_to_video": Mode.IMAGE, "reference": Mode.REFERENCE}
#: (pattern, unit, in cents, fixed mode). The patterns also match resolutions that no model has yet.
_GRAMMAR: tuple[tuple[str, Unit, bool, Mode | None], ...] = (
    (rf"duration_seconds(?:_(?P<sound>with|without)_audio)?(?:_{_RESOLUTION})?", Unit.SECOND, False, None),
    (
        rf"(?P<mode>text_to_video|image_to_video|reference)_duration_seconds(?:_{_RESOLUTION})?",
        Unit.SECOND,
        False,
        None,
    ),
    (rf"cents_per_second_output(?:_{_RESOLUTION})?", Unit.SECOND, True, None),
    (rf"cents_per_video_output_second(?:_{_RESOLUTION})?", Unit.SECOND, True, None),
    (rf"cents_per_second_video_continuation(?:_{_RESOLUTION})?", Unit.SECOND, True, Mode.CONTINUATION),
    (rf"per-video-second(?:-{_RESOLUTION})?", Unit.SECOND, False, None),
    (r"generate", Unit.VIDEO, False, None),
    (
        rf"video_tokens(?:_{_RESOLUTION})?(?:_(?P<sound>without)_audio)?(?P<video>_with_video_input)?",
        Unit.TOKEN,
        False,
        None,
    ),
    (r"cents_per_megapixel_second_(?P<creative>precise|creative)", Unit.MEGAPIXEL_SECOND, True, None),
    (r"cents_per_image_input", Unit.IMAGE, True, None),
    (r"reference_images", Unit.REFERENCE_IMAGE, False, None),
    (r"minimum_cents_per_generation", Unit.FLOOR, True, None),
)

#: The range of valid prices, in which no multiplication can overflow or round to zero.
_LARGEST, _SMALLEST = Decimal(10) ** 6, Decimal(10) ** -12


def _amount(value: str) -> Decimal | None:
    usd = money(value) if len(value) <= 64 else None
    if usd is None or usd > _LARGEST or 0 < usd < _SMALLEST:
        return None
    return usd


def _parse(key: str, usd: Decimal) -> Price | None:
    for pattern, unit, cents, mode in _GRAMMAR:
        if match := re.fullmatch(pattern, key):
            part = match.groupdict()
            sound, creative = part.get("sound"), part.get("creative")
            return Price(
                key=key,
                usd=usd.scaleb(-2) if cents else usd,
                unit=unit,
                mode=mode or _MODES.get(part.get("mode") or ""),
                sound=None if sound is None else sound == "with",
                resolution=part.get("resolution"),
                video_input=part.get("video") is not None,
                creative=None if creative is None else creative == "creative",
            )
    return None


_PriceKey = tuple[Unit, Mode | None, bool | None, str | None, bool, bool | None]


def _price_key(price: Price) -> _PriceKey:
    return price.unit, price.mode, price.sound, price.resolution, price.video_input, price.creative


class PriceMatch(NamedTuple):
    """The price that applies, and why it may be another one; None when the list states it."""

    price: Price
    doubt: str | None = None


class PriceList(NamedTuple):
    """A parsed price list, with the keys that could not be parsed or contradict each other.

    `units` are those by which it prices a clip, and `defect` says why nothing can be priced by it: a list without a
    defect has exactly one unit.
    """

    prices: tuple[Price, ...] = ()
    unknown_keys: tuple[str, ...] = ()
    unreadable_keys: tuple[str, ...] = ()
    clashing_keys: tuple[str, ...] = ()
    by_key: Mapping[_PriceKey, Price] = MappingProxyType({})
    units: tuple[Unit, ...] = ()
    defect: str | None = None

    @property
    def by_sound(self) -> bool:
        """Return whether any price depends on sound."""
        return any(price.sound is not None for price in self.prices)

    def flat_price(self, unit: Unit) -> Decimal | None:
        """Return the price of a unit that does not depend on the clip (image, floor, video), in USD."""
        price = self.by_key.get((unit, None, None, None, False, None))
        return price.usd if price else None

    def per_second(self, mode: Mode, *, sound: bool, resolution: str | None) -> PriceMatch | None:
        """Return the price of a second, looked up by mode, then sound, then resolution (api notes).

        With sound, a `with_audio` price comes before those by mode (Kling), except for continuations and references.
        """
        endings = (*suffixes(resolution), None)
        for key_mode, key_sound, doubt in _lookup_order(mode, sound):
            for suffix in endings:
                price = self.by_key.get((Unit.SECOND, key_mode, key_sound, suffix, False, None))
                if price:
                    return PriceMatch(price, doubt or self._doubt(price, mode, resolution))
        return None

    def _doubt(self, price: Price, mode: Mode, resolution: str | None) -> str | None:
        if price.mode is mode or price.sound or mode is Mode.TEXT:
            return None
        if not any(other.mode is mode for other in self.prices):
            return None
        return f"the price list has no price for {mode} at {resolution or 'this resolution'}; the general one is taken"

    def per_token(self, *, sound: bool, resolution: str | None, video_input: bool) -> PriceMatch | None:
        """Return the price of a video token, looked up by video input, then resolution, then sound.

        Resolution comes before sound because `video_tokens_4k` has no variant without audio.
        """
        silent = (None,) if sound else (False, None)
        for video in (True, False) if video_input else (False,):
            for suffix in (*suffixes(resolution), None):
                for sound_key in silent:
                    price = self.by_key.get((Unit.TOKEN, None, sound_key, suffix, video, None))
                    if price:
                        doubt = "the price list has no price for video references; the general one is taken"
                        return PriceMatch(price, doubt if video_input and not video else None)
        return None

    def per_megapixel_second(self, *, creative: bool) -> PriceMatch | None:
        """Return the price of a megapixel-second; creativity 0 is precise, 1 is creative (api notes, G)."""
        price = self.by_key.get((Unit.MEGAPIXEL_SECOND, None, None, None, False, creative))
        return PriceMatch(price) if price else None


def _names(keys: Sequence[str]) -> str:
    shown = ", ".join(key if len(key) <= 80 else key[:79] + "…" for key in keys[:5])
    return shown if len(keys) <= 5 else f"{shown} and {len(keys) - 5} more"


def _lookup_order(mode: Mode, sound: bool) -> Iterator[tuple[Mode | None, bool | None, str | None]]:
    if mode in (Mode.CONTINUATION, Mode.REFERENCE):
        yield mode, None, None
    if sound:
        yield None, True, None
    if mode in (Mode.IMAGE, Mode.TEXT):
        yield mode, None, None
    if not sound:
        yield None, False, None
    yield None, None, None
    if mode is Mode.REFERENCE:
        yield Mode.IMAGE, None, "the price list has no price for references; the one for images is taken"
    if not sound:
        yield None, True, "the price list has no price without sound; the one with sound is taken"


@lru_cache(maxsize=64)
def suffixes(resolution: str | None) -> tuple[str, ...]:
    """Return the suffixes that price lists use for a resolution: `4k` and `2160p` for `4K`."""
    if not resolution:
        return ()
    folded = resolution.strip().casefold()
    twins = {"1k": "1024p", "2k": "1440p", "4k": "2160p"}
    twins |= {lines: name for name, lines in twins.items()}
    return (folded, twins[folded]) if folded in twins else (folded,)


def parse_price_list(skus: Mapping[str, Any] | None) -> PriceList:
    """Parse a `pricing_skus` mapping; never raises."""
    items = tuple((str(key), _plain(value)) for key, value in (skus or {}).items())
    return _parse_items(items)


def price_list(model: VideoModel) -> PriceList:
    """Return the price list of a model, parsed once and cached."""
    return parse_price_list(model.pricing_skus)


def _plain(value: object) -> str:
    """Return a price as text, "" for a value of another type."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        # A number too long to print is not a price, and Python refuses to print it.
        return str(value) if abs(value) <= 10**12 else ""
    return str(value) if isinstance(value, float | Decimal) else ""


@lru_cache(maxsize=1024)
def _parse_items(items: tuple[tuple[str, str], ...]) -> PriceList:
    prices: list[Price] = []
    unknown: list[str] = []
    unreadable: list[str] = []
    clashing: list[str] = []
    slots: dict[_PriceKey, Price] = {}
    for key, value in items:
        usd = _amount(value)
        price = _parse(key, usd if usd is not None else Decimal(0))
        if price is None:
            unknown.append(key)
        elif usd is None:
            unreadable.append(key)
        else:
            prices.append(price)
            twin = slots.setdefault(_price_key(price), price)
            if twin.usd != price.usd:
                clashing += [twin.key, price.key]
    prices.sort(key=_order)
    present = {price.unit for price in prices}
    units = tuple(unit for unit in _MAIN_UNITS if unit in present)
    clashing = list(dict.fromkeys(clashing))
    defect = _defect(unknown, unreadable, clashing, units)
    return PriceList(tuple(prices), tuple(unknown), tuple(unreadable), tuple(clashing), slots, units, defect)


def _defect(
    unknown: Sequence[str], unreadable: Sequence[str], clashing: Sequence[str], units: Sequence[Unit]
) -> str | None:
    """Return why nothing can be priced by a list, None when something can."""
    if unknown:
        return f"the price list has an entry that orvideo does not know: {_names(unknown)}"
    if unreadable:
        return f"the price list has an entry that is not a price: {_names(unreadable)}"
    if clashing:
        return f"the price list has two prices for the same thing: {_names(clashing)}"
    if not units:
        return "the catalogue names no price for this model"
    if len(units) > 1:
        return "the price list mixes prices by " + " and by ".join(units)
    return None


def _order(price: Price) -> tuple[int, int, bool, bool, int, bool, str]:
    modes = [None, Mode.TEXT, Mode.IMAGE, Mode.REFERENCE, Mode.CONTINUATION]
    resolution = rank(price.resolution) if price.resolution else 0
    return (
        list(Unit).index(price.unit),
        modes.index(price.mode),
        price.video_input,
        bool(price.creative),
        resolution,
        bool(price.sound),
        price.key,
    )
