"""What is chosen for a user who leaves something open."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from orvideo.api.values import VideoModel
from orvideo.catalogue.choices import cheapest, fill, offer
from orvideo.catalogue.fit import check
from orvideo.catalogue.quote import quote
from tests.catalogue.shelf import AUDIO, FIRST, LAST, MODELS, REFERENCE, VIDEO, ask, invented

MAKERS = [model for model in MODELS.values() if model.supported_durations]


def test_what_is_open_is_filled_and_said() -> None:
    filled, lines = fill(invented(), ask("acme/one"))
    assert filled == ask("acme/one", duration=2, resolution="480p", aspect_ratio="16:9", generate_audio=True)
    assert lines == (
        "duration 2 s (shortest)",
        "resolution 480p (lowest)",
        "aspect ratio 16:9 (usual)",
        "sound on (costs nothing extra)",
    )


def test_what_was_given_is_left_alone() -> None:
    given = ask("acme/one", duration=8, resolution="1080p", aspect_ratio="9:16", generate_audio=False)
    assert fill(invented(), given) == (given, ())


def test_a_size_stands_for_resolution_and_shape() -> None:
    filled, lines = fill(invented(), ask("acme/one", size="854x480"))
    assert (filled.resolution, filled.aspect_ratio) == (None, None)
    assert [line.split()[0] for line in lines] == ["duration", "sound"]


@pytest.mark.parametrize(
    ("skus", "sound", "line"),
    [
        ({"duration_seconds": "0.1", "duration_seconds_with_audio": "0.2"}, False, "sound off (costs extra)"),
        ({"duration_seconds": "0.1"}, True, "sound on (costs nothing extra)"),
        ({"duration_seconds": "0.1", "mystery": "1"}, False, "sound off (may cost extra)"),
        ({"duration_seconds_without_audio": "0.1"}, False, "sound off (may cost extra)"),
        (None, False, "sound off (may cost extra)"),
    ],
)
def test_sound_is_off_where_it_costs_or_may_cost(skus: dict[str, str] | None, sound: bool, line: str) -> None:
    filled, lines = fill(invented(pricing_skus=skus), ask("acme/one"))
    assert filled.generate_audio is sound
    assert line in lines


@pytest.mark.parametrize("capability", [False, None])
def test_sound_is_not_mentioned_to_a_model_that_does_not_state_it(capability: bool | None) -> None:
    filled, _ = fill(invented(generate_audio=capability), ask("acme/one"))
    assert filled.generate_audio is None
    assert "generate_audio" not in filled.body()


def test_a_higher_resolution_is_taken_only_when_it_is_cheaper() -> None:
    odd = invented(pricing_skus={"duration_seconds_480p": "0.3", "duration_seconds_1080p": "0.2"})
    filled, lines = fill(odd, ask("acme/one"))
    assert filled.resolution == "1080p"
    assert "resolution 1080p (cheapest)" in lines


def test_the_shape_follows_a_first_frame_whose_size_is_known() -> None:
    filled, lines = fill(invented(), ask("acme/one", frame_images=[FIRST]), frame=(1080, 1920))
    assert filled.aspect_ratio == "9:16"
    assert "aspect ratio 9:16 (nearest to the first frame)" in lines


def test_without_16_9_the_first_shape_is_taken() -> None:
    filled, lines = fill(invented(supported_aspect_ratios=["1:1", "4:3"]), ask("acme/one"))
    assert filled.aspect_ratio == "1:1"
    assert "aspect ratio 1:1 (usual)" in lines


def test_what_is_not_stated_stays_open() -> None:
    edit = MODELS["black-forest-labs/flux-video-edit"]
    assert fill(edit, ask(edit.id)) == (ask(edit.id), ())


def test_an_upscaler_gets_its_cheapest_settings() -> None:
    upscale = MODELS["black-forest-labs/flux-video-upscale"]
    filled, lines = fill(upscale, ask(upscale.id))
    assert (filled.creativity, filled.upscale_factor) == (0, 1.5)
    assert lines == ("creativity 0 (lowest)", "upscale factor 1.5 (lowest)")


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_filling_yields_a_request_that_fits(model: VideoModel) -> None:
    filled, _ = fill(model, ask(model.id))
    assert check(model, filled) == []
    assert fill(model, filled) == (filled, ())


@pytest.mark.parametrize("model", MAKERS, ids=lambda model: model.id)
@pytest.mark.parametrize("inputs", [{}, {"input_references": [REFERENCE]}], ids=["text", "reference"])
def test_the_filled_request_is_the_cheapest_of_its_shape(model: VideoModel, inputs: dict[str, Any]) -> None:
    """Of its shape: 16:9 is chosen because it is usual, though 1:1 of Seedance has fewer pixels at 480p."""
    filled, _ = fill(model, ask(model.id, **inputs))
    chosen = quote(model, filled).usd
    assert chosen is not None
    others = product(
        {min(model.supported_durations or []), max(model.supported_durations or [])},
        model.supported_resolutions or [],
        [True, False] if model.generate_audio else [None],
    )
    for duration, resolution, sound in others:
        other = filled._replace(duration=duration, resolution=resolution, generate_audio=sound)
        usd = quote(model, other).usd
        assert usd is not None
        assert chosen <= usd


def _pick(**fields: Any) -> tuple[str, Decimal | None] | None:
    found = cheapest(MODELS.values(), {"prompt": "a paper boat", **fields})
    return (found[0].id, found[2].usd) if found else None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # 1 s x 2 cents
        ({}, ("x-ai/grok-imagine-video-1.5-lite", Decimal("0.02"))),
        # 864 x 496 x 97 / 1024 x 0.0000024, with sound; grok does not state that it has any
        ({"generate_audio": True}, ("bytedance/seedance-1-5-pro", Decimal("0.0974256"))),
        # 1280 x 720 x 193 / 1024 x 0.0000012 is less than 8 s x 3 cents
        ({"duration": 8, "resolution": "720p"}, ("bytedance/seedance-1-5-pro", Decimal("0.20844"))),
        ({"resolution": "4k"}, ("google/veo-3.1-fast", Decimal("1.00"))),
        # grok takes no last frame
        ({"frame_images": [FIRST, LAST]}, ("bytedance/seedance-1-5-pro", Decimal("0.0487128"))),
        ({"frame_images": [FIRST]}, ("x-ai/grok-imagine-video-1.5-lite", Decimal("0.03"))),
        ({"seed": 7, "resolution": "768p"}, ("heygen/heygen-video-1", Decimal("0.15"))),
        ({"aspect_ratio": "9:21", "resolution": "1080p"}, ("bytedance/seedance-1-5-pro", Decimal("0.2372184"))),
        ({"size": "3840x2160", "duration": 8}, ("google/veo-3.1-fast", Decimal("2.00"))),
        ({"duration": 99}, None),
        ({"previous_job_id": "job-1"}, None),
        ({"upscale_factor": 2.0}, None),
        ({"input_references": [AUDIO]}, None),
    ],
)  # fmt: skip
def test_the_cheapest_that_can_do_everything(fields: dict[str, Any], expected: tuple[str, Decimal] | None) -> None:
    assert _pick(**fields) == expected


def test_a_prompt_alone_never_goes_to_a_model_that_needs_a_video() -> None:
    """However cheap it is made: what works on a given video states no durations."""
    for name in (
        "black-forest-labs/flux-video-edit",
        "black-forest-labs/flux-video-upscale",
        "runway/aleph-2",
        "heygen/avatar-iv",
    ):
        free = MODELS[name]._replace(pricing_skus={"generate": "0.0001"})
        found = cheapest([free, *MAKERS], {"prompt": "a paper boat"})
        assert found is not None
        assert found[0].id == "x-ai/grok-imagine-video-1.5-lite"


def test_a_rehearsal_is_never_chosen() -> None:
    trap = invented(id="sandbox/fails", pricing_skus={"generate": "0"})
    assert cheapest([trap], {"prompt": "x"}) is None


def test_an_unknown_price_never_wins() -> None:
    riddle = invented(id="acme/riddle", pricing_skus={"duration_seconds": "0.0001", "mystery": "1"})
    plain = invented(id="acme/plain")
    found = cheapest([riddle, plain], {"prompt": "x"})
    assert found is not None
    assert found[0].id == "acme/plain"


def test_equal_prices_go_to_the_newer_and_then_by_id() -> None:
    old, new = invented(id="acme/a", created=1), invented(id="acme/z", created=2)
    twin = invented(id="acme/b", created=2)
    found = [cheapest(order, {"prompt": "x"}) for order in ([old, new, twin], [twin, new, old])]
    assert [item[0].id for item in found if item] == ["acme/b", "acme/b"]


def test_modalities_decide_where_they_are_known() -> None:
    video = {"prompt": "x", "input_references": [VIDEO]}
    one, two = invented(id="acme/one"), invented(id="acme/two", pricing_skus={"duration_seconds": "0.2"})
    assert cheapest([one, two], video) is None
    known = {"acme/one": ["text", "image"], "acme/two": ["text", "image", "video"]}
    found = cheapest([one, two], video, modalities=known)
    assert found is not None
    assert found[0].id == "acme/two"
    assert cheapest([one], {"prompt": "x"}, modalities={"acme/one": ["video"]}) is None


def test_an_offer_is_the_completed_request_with_its_price_and_choices() -> None:
    veo = MODELS["google/veo-3.1-lite"]
    made = offer(veo, {"prompt": "x", "resolution": "720P"})
    assert made is not None
    assert made.request.body() == {
        "model": veo.id,
        "prompt": "x",
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "generate_audio": False,
    }
    assert made.quote.usd == Decimal("0.12")
    assert len(made.choices) == 3
    assert offer(veo, ask("another/model", resolution="4K")) is None
