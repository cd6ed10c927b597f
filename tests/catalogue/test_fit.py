"""A request against its model: what is refused, what is passed, and how it is spelled."""

from __future__ import annotations

from typing import Any

import pytest

from orvideo.catalogue.fit import check, normalise
from tests.catalogue.shelf import FIRST, LAST, MODELS, ask, invented


def _parameters(*keys: str, slug: str = "acme") -> dict[str, Any]:
    return {"options": {slug: {"parameters": dict.fromkeys(keys, 1)}}}


UPSCALER = {"upscale_factor": {"min": 1.5, "max": 3}, "creativity": [0, 1]}


@pytest.mark.parametrize(
    ("stated", "fields", "field", "value", "allowed"),
    [
        ({}, {"duration": 5}, "duration", "5", ("2", "4", "8")),
        ({"supported_durations": None}, {"duration": 0}, "duration", "0", ()),
        ({}, {"resolution": "720p"}, "resolution", "720p", ("1080p", "480p")),
        ({}, {"aspect_ratio": "1:1"}, "aspect_ratio", "1:1", ("9:16", "16:9")),
        ({"supported_sizes": ["854x480"]}, {"size": "1280x720"}, "size", "1280x720", ("854x480",)),
        ({}, {"size": "large"}, "size", "large", ()),
        ({}, {"size": "854x480", "resolution": "1080p"}, "size", "854x480", ()),
        ({}, {"size": "854x480", "aspect_ratio": "9:16"}, "size", "854x480", ()),
        ({}, {"frame_images": [LAST]}, "frame_images", "last_frame", ("first_frame",)),
        ({"supported_frame_images": []}, {"frame_images": [FIRST]}, "frame_images", "first_frame", ()),
        ({}, {"frame_images": [FIRST, FIRST]}, "frame_images", "first_frame", ("first_frame",)),
        ({"generate_audio": False}, {"generate_audio": True}, "generate_audio", "true", ("false",)),
        ({"seed": False}, {"seed": 7}, "seed", "7", ()),
        (UPSCALER, {"creativity": 2}, "creativity", "2", ("0", "1")),
        (UPSCALER, {"upscale_factor": 4.0}, "upscale_factor", "4", ("1.5", "3")),
        (UPSCALER, {"upscale_factor": 1.0}, "upscale_factor", "1", ("1.5", "3")),
        ({}, {"provider": _parameters("mood")}, "provider", "mood", ("negative_prompt",)),
        (
            {"allowed_passthrough_parameters": []},
            {"provider": _parameters("negative_prompt")},
            "provider",
            "negative_prompt",
            (),
        ),
    ],
)
def test_a_problem_names_the_field_the_value_the_model_and_what_would_do(
    stated: dict[str, Any], fields: dict[str, Any], field: str, value: str, allowed: tuple[str, ...]
) -> None:
    (problem,) = check(invented(**stated), ask("acme/one", **fields))
    assert (problem.field, problem.value, problem.allowed) == (field, value, allowed)
    assert problem.message.endswith(".")
    assert "acme/one" in problem.message
    # Rows of a batch that differ in their seed alone are refused in the same words.
    assert field == "seed" or value.replace("_", " ") in problem.message.replace("_", " ")
    assert all(item.replace("_", " ") in problem.message.replace("_", " ") for item in allowed if item != "false")


def test_all_problems_come_at_once() -> None:
    request = ask(
        "acme/one",
        duration=99,
        resolution="4K",
        aspect_ratio="1:1",
        frame_images=[LAST],
        seed=1,
        generate_audio=True,
        provider=_parameters("mood", "tempo"),
    )
    problems = check(invented(seed=False, generate_audio=False), request)
    assert [problem.field for problem in problems] == [
        "duration",
        "resolution",
        "aspect_ratio",
        "frame_images",
        "generate_audio",
        "seed",
        "provider",
        "provider",
    ]


def test_durations_are_offered_in_short_form() -> None:
    (problem,) = check(MODELS["bytedance/seedance-2.0"], ask("x", duration=99))
    assert problem.message == "bytedance/seedance-2.0 does not offer a duration of 99 s. It offers 4-15 s."


def test_what_is_not_stated_is_not_refused() -> None:
    silent_about_all = invented(
        supported_resolutions=None,
        supported_aspect_ratios=None,
        supported_sizes=None,
        supported_durations=None,
        supported_frame_images=None,
        generate_audio=None,
        seed=None,
        allowed_passthrough_parameters=None,
    )
    request = ask(
        "acme/one",
        duration=99,
        resolution="8K",
        aspect_ratio="5:4",
        frame_images=[FIRST, LAST],
        seed=1,
        generate_audio=True,
        creativity=5,
        upscale_factor=9.0,
        provider=_parameters("mood"),
        previous_job_id="job-1",
    )
    assert check(silent_about_all, request) == []


def test_an_entry_whose_lists_could_not_be_read_refuses_nothing() -> None:
    odd = invented(supported_durations=["4"], supported_resolutions=[1080], supported_sizes=[None])
    assert check(odd, ask("acme/one", duration=5, resolution="720p", aspect_ratio="16:9")) == []


def test_case_does_not_matter_and_the_catalogue_spelling_is_sent() -> None:
    veo = MODELS["google/veo-3.1"]
    request = ask("Google/VEO-3.1", resolution="4k", size=None, duration=8)
    assert check(veo, request) == []
    sent = normalise(veo, request)
    assert (sent.model, sent.resolution) == ("google/veo-3.1", "4K")
    assert normalise(veo, ask(veo.id, size="1280X720")).size == "1280x720"


def test_normalising_never_clamps() -> None:
    veo = MODELS["google/veo-3.1"]
    request = ask(veo.id, duration=99, resolution="700p", aspect_ratio="1:1", seed=5)
    assert normalise(veo, request) == request


def test_silence_asked_of_a_silent_model_is_not_sent() -> None:
    assert normalise(invented(generate_audio=False), ask("acme/one", generate_audio=False)).generate_audio is None
    assert normalise(invented(generate_audio=True), ask("acme/one", generate_audio=False)).generate_audio is False
    assert check(invented(generate_audio=False), ask("acme/one", generate_audio=False)) == []


def test_a_size_may_stand_beside_a_resolution_and_shape_that_say_the_same() -> None:
    veo = MODELS["google/veo-3.1"]
    assert check(veo, ask(veo.id, size="3840x2160", resolution="4k", aspect_ratio="16:9")) == []


@pytest.mark.parametrize(
    "provider", [{}, {"options": None}, {"options": {"a": None}}, {"options": {"a": {"parameters": []}}}]
)
def test_an_odd_provider_block_is_passed_over(provider: dict[str, Any]) -> None:
    assert check(invented(), ask("acme/one", provider=provider)) == []
