"""Price lists and requests that Hypothesis makes up: whatever comes, the quote stays honest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.choices import cheapest, fill
from orvideo.catalogue.fit import check, normalise
from orvideo.catalogue.pricing import parse_price_list
from orvideo.catalogue.quote import Quote, UnknownPrice, bill, quote
from orvideo.catalogue.sizes import output_size
from orvideo.catalogue.words import describe_prices, price_per_second
from tests.catalogue.shelf import AUDIO, FIRST, LAST, MODELS, REFERENCE, VIDEO, invented

_REAL_KEYS = sorted({key for model in MODELS.values() for key in model.pricing_skus or {}})
_KEYS = st.sampled_from([*_REAL_KEYS, "per-video-second", "per-video-second-1080p", "generate"])
_AMOUNTS = st.decimals(0, 1000, allow_nan=False, places=5).map(str)
_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(["-1", "NaN", "Infinity", "1e999999", "1e-999999", "0x10", "1,5", "sNaN", "9" * 500]),
)
_SANE = st.dictionaries(_KEYS, _AMOUNTS, max_size=6)
_WILD = st.dictionaries(st.one_of(_KEYS, st.text(max_size=12)), st.one_of(_AMOUNTS, _JUNK), max_size=6)

_RESOLUTIONS = st.sampled_from(["360p", "480p", "720p", "768p", "1080p", "1K", "2K", "4K", "cinema", ""])
_RATIOS = st.sampled_from(["16:9", "1:1", "9:21", "0:1", "wide"])
_MODELS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["acme/one", "bytedance/seedance-9"]),
        "supported_resolutions": st.none() | st.lists(_RESOLUTIONS, max_size=3),
        "supported_aspect_ratios": st.none() | st.lists(_RATIOS, max_size=3),
        "supported_durations": st.none() | st.lists(st.integers(-2, 40), max_size=4),
        "generate_audio": st.none() | st.booleans(),
    }
)
_REQUESTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "resolution": _RESOLUTIONS,
        "aspect_ratio": _RATIOS,
        "size": st.sampled_from(["1280x720", "640x640", "1x1", "99999x99999", "big"]),
        "duration": st.integers(-5, 60) | st.just(10**12),
        "generate_audio": st.booleans(),
        "frame_images": st.lists(st.sampled_from([FIRST, LAST]), max_size=3),
        "input_references": st.lists(st.sampled_from([REFERENCE, VIDEO, AUDIO]), max_size=3),
        "previous_job_id": st.just("job-1"),
        "creativity": st.integers(0, 2),
    },
)


def _is_honest(made: Quote) -> None:
    amounts = [amount for amount in (made.usd, made.low, made.high) if amount is not None]
    assert all(amount.is_finite() and amount >= 0 for amount in amounts)
    assert (made.usd is None) == (made.kind == "unknown")
    assert bool(made.reasons) == (made.kind != "listed")
    if made.usd is not None and made.low is not None and made.high is not None:
        assert made.low <= made.usd <= made.high


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(stated=_MODELS, skus=_WILD | _SANE, fields=_REQUESTS)
@example(stated={"supported_resolutions": [""]}, skus={}, fields={"resolution": ""})
def test_no_price_list_and_no_request_can_crash_or_mislead(
    stated: dict[str, Any], skus: dict[str, Any], fields: dict[str, Any]
) -> None:
    model = invented(pricing_skus=skus, **stated)
    request = VideoRequest(model=model.id, prompt="x", **fields)
    made = quote(model, request)
    _is_honest(made)
    prices = parse_price_list(skus)
    if prices.unknown_keys or prices.unreadable_keys:
        assert made.kind == "unknown"
        assert made.low is None
    check(model, request)
    normalise(model, request)
    filled, lines = fill(model, request)
    assert (filled == request) == (not lines)
    _is_honest(quote(model, filled))
    describe_prices(model)
    price_per_second(model)
    cheapest([model], request)
    width, height = output_size(model, request)
    try:
        assert bill(model, request, width=width, height=height, seconds=5) >= 0
    except UnknownPrice as unknown:
        assert unknown.reason  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(stated=_MODELS, skus=_SANE, fields=_REQUESTS, one=st.integers(1, 60), more=st.integers(0, 60))
def test_a_longer_video_never_costs_less(
    stated: dict[str, Any], skus: dict[str, Any], fields: dict[str, Any], one: int, more: int
) -> None:
    model = invented(pricing_skus=skus, **stated)
    short, long = (
        quote(model, VideoRequest(**{"model": model.id, **fields, "duration": seconds}))
        for seconds in (one, one + more)
    )
    assert short.kind == long.kind
    if short.usd is not None and long.usd is not None:
        assert short.usd <= long.usd
    if short.low is not None and long.low is not None:
        assert short.low <= long.low


@settings(max_examples=200, deadline=None)
@given(model=st.sampled_from(list(MODELS.values())), fields=_REQUESTS, key=st.text(min_size=1, max_size=30))
def test_an_unknown_key_makes_any_real_list_unknown_and_is_named(
    model: VideoModel, fields: dict[str, Any], key: str
) -> None:
    if not parse_price_list({key: "1"}).unknown_keys:
        return
    puzzled = model._replace(pricing_skus={**(model.pricing_skus or {}), key: "1"})
    made = quote(puzzled, VideoRequest(model=model.id, **fields))
    assert (made.kind, made.usd, made.low, made.high) == ("unknown", None, None, None)
    assert key in made.reasons[0]


@settings(max_examples=200, deadline=None)
@given(price=st.decimals("0.00001", 1000, allow_nan=False, places=5), seconds=st.integers(1, 10_000))
def test_decimals_are_never_rounded_on_the_way(price: Decimal, seconds: int) -> None:
    made = quote(
        invented(pricing_skus={"duration_seconds": str(price)}),
        VideoRequest(model="acme/one", duration=seconds),
    )
    assert made.usd == price * seconds
