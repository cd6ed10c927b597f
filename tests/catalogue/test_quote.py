"""Quotes and bills, held against recorded bills and a table worked out by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from orvideo.catalogue.quote import Quote, UnknownPrice, bill, quote
from orvideo.catalogue.sizes import output_size
from tests.catalogue.hand import RECORDED, ROWS, VIDEO_REFERENCE, Row
from tests.catalogue.shelf import FIRST, MODELS, REFERENCE, VIDEO, ask, invented


def _id(row: Row) -> str:
    return row.name


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_quote_is_what_hand_and_bill_say(row: Row) -> None:
    made = quote(MODELS[row.model], ask(row.model, **row.fields))
    assert (made.kind, made.usd) == (row.kind, row.usd)
    assert bool(made.reasons) == (row.kind == "about")


@pytest.mark.parametrize("row", ROWS, ids=_id)
def test_sandbox_bills_what_hand_says(row: Row) -> None:
    width, height, seconds = row.made
    request = ask(row.model, **row.fields)
    assert bill(MODELS[row.model], request, width=width, height=height, seconds=seconds) == row.usd


@pytest.mark.parametrize("row", [row for row in ROWS if row.fields.get("aspect_ratio")], ids=_id)
def test_the_film_has_the_size_that_is_billed(row: Row) -> None:
    assert output_size(MODELS[row.model], ask(row.model, **row.fields)) == row.made[:2]


def test_recorded_bills_are_quoted_to_the_last_digit_as_text() -> None:
    texts = [f"{quote(MODELS[row.model], ask(row.model, **row.fields)).usd:.4f}" for row in RECORDED]
    assert texts == ["0.0500", "0.0520", "0.1200", "1.0080", "0.1358"]


def test_a_video_reference_is_unknown_until_its_length_is_known() -> None:
    row, seconds = VIDEO_REFERENCE
    model, request = MODELS[row.model], ask(row.model, **row.fields)
    unknown = quote(model, request)
    # 1280 x 720 x 97 / 1024 = 87300 tokens of output are certain
    assert (unknown.kind, unknown.usd, unknown.low) == ("unknown", None, Decimal("0.18333"))
    assert "length of the referenced video" in unknown.reasons[0]
    known = quote(model, request, input_seconds=Decimal(seconds))
    assert (known.kind, known.usd) == ("about", row.usd)
    assert bill(model, request, width=1280, height=720, seconds=4, input_seconds=seconds) == row.usd


def test_token_price_says_why_it_is_about_and_which_picture_it_takes() -> None:
    mini = MODELS["bytedance/seedance-2.0-mini"]
    fields = {"duration": 4, "resolution": "480p", "generate_audio": False}
    seen = quote(mini, ask(mini.id, aspect_ratio="1:1", **fields)).reasons[0]
    assert "video token" in seen
    assert "minimums" in seen
    assert "640x640, as billed before" in seen
    assert "as the provider publishes" in quote(mini, ask(mini.id, aspect_ratio="4:3", **fields)).reasons[0]


@pytest.mark.drill("M29")
@pytest.mark.parametrize(
    ("skus", "named"),
    [
        ({"duration_seconds": "0.1", "moon_phase_surcharge": "0.2"}, "moon_phase_surcharge"),
        ({"duration_seconds": "free"}, "duration_seconds"),
        ({"duration_seconds": "-0.1"}, "duration_seconds"),
        ({"duration_seconds": "NaN"}, "duration_seconds"),
        ({"duration_seconds": "1e999999"}, "duration_seconds"),
        ({"duration_seconds": "0,10"}, "duration_seconds"),
        ({"duration_seconds": None}, "duration_seconds"),
        ({"duration_seconds": True}, "duration_seconds"),
        ({"duration_seconds": ["0.1"]}, "duration_seconds"),
        ({"duration_seconds": "0.1", "cents_per_image_input": "?"}, "cents_per_image_input"),
        ({"duration_seconds": "0.1", "cents_per_second_output": "11"}, "duration_seconds, cents_per_second_output"),
        ({"duration_seconds": "0.1", "video_tokens": "0.00001"}, "by second and by video token"),
        ({}, "names no price"),
        (None, "names no price"),
        ({"cents_per_image_input": "1"}, "names no price"),
        ({"duration_seconds_720p": "0.1"}, "no price for a video from text at 480p"),
        ({"reference_duration_seconds": "0.1"}, "no price for a video from text"),
        ({"duration_seconds_without_audio": "0.1"}, "with sound"),
    ],
)
def test_what_cannot_be_priced_is_unknown_and_never_zero(skus: object, named: str) -> None:
    model = invented(pricing_skus=skus)
    request = ask(model.id, duration=4, resolution="480p", aspect_ratio="16:9", generate_audio=True)
    made = quote(model, request)
    assert (made.kind, made.usd) == ("unknown", None)
    assert named in made.reasons[0]
    assert made.as_json()["usd"] is None
    with pytest.raises(UnknownPrice):
        bill(model, request, width=854, height=480, seconds=4)


@pytest.mark.drill("X07")
def test_prices_sent_as_numbers_or_with_an_exponent_are_read_as_decimal() -> None:
    request = ask("acme/one", duration=4, resolution="480p", aspect_ratio="16:9", generate_audio=True)
    for price in (0.05, "0.05", "5e-2", " 0.05 "):
        assert quote(invented(pricing_skus={"duration_seconds": price}), request).usd == Decimal("0.20")


def test_documented_keys_are_read_too() -> None:
    request = ask("acme/one", duration=4, resolution="1080p", aspect_ratio="16:9", generate_audio=True)
    per_second = invented(pricing_skus={"per-video-second": "0.1", "per-video-second-1080p": "0.3"})
    assert quote(per_second, request) == Quote("listed", Decimal("1.2"))
    flat = invented(pricing_skus={"generate": "0.50"})
    assert quote(flat, request._replace(duration=None)) == Quote("listed", Decimal("0.50"))


def test_what_is_left_open_spans_from_the_cheapest_to_the_dearest() -> None:
    model = invented(pricing_skus={"duration_seconds_with_audio": "0.2", "duration_seconds_without_audio": "0.1"})
    made = quote(model, ask(model.id))
    assert (made.kind, made.usd, made.low, made.high) == (
        "about",
        Decimal("1.6"),
        Decimal("0.2"),
        Decimal("1.6"),
    )
    assert made.reasons == ("duration and sound left open; the dearest is shown",)


def test_what_is_left_open_and_costs_the_same_is_exact() -> None:
    model = invented(pricing_skus={"duration_seconds": "0.1"})
    assert quote(model, ask(model.id, duration=4)) == Quote("listed", Decimal("0.4"))


def test_a_length_that_nobody_stated_is_unknown_with_the_floor_as_the_least() -> None:
    aleph = MODELS["runway/aleph-2"]
    made = quote(aleph, ask(aleph.id, input_references=[VIDEO]))
    assert (made.kind, made.usd, made.low) == ("unknown", None, Decimal("0.56"))


def test_a_fallback_to_the_general_price_is_said() -> None:
    flux = MODELS["black-forest-labs/flux-3-video"]
    request = ask(flux.id, duration=5, resolution="4K", generate_audio=True, previous_job_id="job-1")
    made = quote(flux, request)
    assert (made.kind, made.usd) == ("about", Decimal("0.85"))
    assert "continuing a video at 4K" in made.reasons[0]


def test_references_without_a_price_of_their_own_cost_what_images_do() -> None:
    wan = MODELS["alibaba/wan-2.6"]
    made = quote(wan, ask(wan.id, duration=5, resolution="720p", generate_audio=True, input_references=[REFERENCE]))
    assert (made.kind, made.usd) == ("about", Decimal("0.50"))


def test_an_image_never_gets_the_price_for_text() -> None:
    model = invented(
        pricing_skus={"text_to_video_duration_seconds_480p": "0.1", "image_to_video_duration_seconds_1080p": "0.3"}
    )
    made = quote(model, ask(model.id, duration=4, resolution="480p", generate_audio=True, frame_images=[FIRST]))
    assert made.kind == "unknown"


@pytest.mark.parametrize("duration", [0, -4, 10**30])
def test_an_impossible_duration_has_no_price(duration: int) -> None:
    assert quote(invented(), ask("acme/one", duration=duration, generate_audio=False)).kind == "unknown"


def test_a_quote_in_json_has_the_documented_fields() -> None:
    made = quote(MODELS["bytedance/seedance-2.0-mini"], ask("bytedance/seedance-2.0-mini", duration=4))
    written = json.loads(json.dumps(made.as_json()))
    assert set(written) == {"kind", "usd", "low", "high", "reasons"}
