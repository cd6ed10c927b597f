"""The catalogue in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orvideo.catalogue.words import describe_prices, durations_text, price_per_second
from orvideo.money import exact_money_text
from tests.catalogue.shelf import MODELS, invented


@pytest.mark.parametrize(
    ("durations", "text"),
    [
        (list(range(4, 16)), "4-15"),
        ([8, 4, 6], "4, 6, 8"),
        ([5, 10], "5, 10"),
        ([1, 2], "1, 2"),
        ([1, 2, 3, 7, 9, 10], "1-3, 7, 9, 10"),
        ([5], "5"),
        ([], ""),
        (None, ""),
    ],
)
def test_durations_in_short_form(durations: list[int] | None, text: str) -> None:
    assert durations_text(durations) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.4", "$0.40"),
        ("0", "$0.00"),
        ("0.1358000", "$0.1358"),
        ("12", "$12.00"),
        ("1E+2", "$100.00"),
        ("35E-7", "$0.0000035"),
    ],
)
def test_amounts_are_whole_and_have_two_decimals_at_least(amount: str, text: str) -> None:
    assert exact_money_text(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("model", "usd", "about"),
    [
        ("google/veo-3.1-lite", "0.03", False),
        ("x-ai/grok-imagine-video", "0.05", False),
        ("kwaivgi/kling-v3.0-std", "0.084", False),
        ("alibaba/wan-2.6", "0.08", False),
        ("black-forest-labs/flux-video-edit", "0.03", False),
        # 864 x 496 x 24 / 1024 = 10044 tokens a second x 0.0000012, the silent price
        ("bytedance/seedance-1-5-pro", "0.0120528", True),
    ],
)
def test_a_price_per_second_to_compare(model: str, usd: str, about: bool) -> None:
    assert price_per_second(MODELS[model]) == (Decimal(usd), about)


def test_no_price_per_second_where_there_is_none() -> None:
    assert price_per_second(MODELS["black-forest-labs/flux-video-upscale"]) is None
    for skus in ({"generate": "1"}, {"duration_seconds": "1", "mystery": "2"}, {"duration_seconds_4k": "1"}, None):
        assert price_per_second(invented(pricing_skus=skus)) is None


def test_price_lists_in_words() -> None:
    assert describe_prices(MODELS["x-ai/grok-imagine-video"]) == [
        "$0.05 per second at 480p",
        "$0.07 per second at 720p",
        "$0.002 per input image",
    ]
    assert describe_prices(MODELS["runway/aleph-2"]) == ["$0.28 per second", "$0.56 at least per video"]
    assert describe_prices(MODELS["minimax/hailuo-3"])[1] == "$0.04 per reference image"
    assert "$0.30 per second at 4K with sound" in describe_prices(MODELS["google/veo-3.1-fast"])
    assert "$2.40 per million video tokens at 4K with video references" in describe_prices(
        MODELS["bytedance/seedance-2.0"]
    )


def test_what_cannot_be_read_is_shown_all_the_same() -> None:
    lines = describe_prices(invented(pricing_skus={"mystery": "3", "duration_seconds": "free"}))
    assert lines == [
        "mystery: 3 (not known to orvideo, so nothing can be quoted)",
        "duration_seconds: free (not a price, so nothing can be quoted)",
    ]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_entry_of_every_real_list_is_understood(model: object) -> None:
    lines = describe_prices(model)  # type: ignore[arg-type]
    assert len(lines) == len(model.pricing_skus)  # type: ignore[attr-defined]
    assert all(line.startswith("$") for line in lines)
