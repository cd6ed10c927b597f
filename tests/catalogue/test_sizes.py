"""Pixels: the real pictures, the nominal sizes, and the sizes of the sandbox's films."""

from __future__ import annotations

import pytest

from orvideo.catalogue.sizes import nearest_ratio, output_size, parse_size, picture, rank, resolution_of
from tests.catalogue.shelf import MODELS, ask, invented

MINI = MODELS["bytedance/seedance-2.0-mini"]
SEEDANCE = MODELS["bytedance/seedance-2.0"]


@pytest.mark.parametrize(
    ("resolution", "ratio", "expected"),
    [
        ("480p", "1:1", (640, 640, "billed")),
        ("480p", "16:9", (864, 496, "billed")),
        ("480p", "9:16", (496, 864, "published")),
        ("480p", "4:3", (752, 560, "published")),
        ("480p", "3:4", (560, 752, "published")),
        ("480p", "9:21", (432, 992, "published")),
        ("720p", "21:9", (1470, 630, "published")),
        ("1080p", "4:3", (1664, 1248, "published")),
        ("4K", "1:1", (2880, 2880, "published")),
        ("4k", "9:16", (2160, 3840, "published")),
    ],
)
def test_seedance_makes_the_pictures_that_its_provider_publishes(
    resolution: str, ratio: str, expected: tuple[int, int, str]
) -> None:
    assert picture(SEEDANCE, ask(SEEDANCE.id, resolution=resolution, aspect_ratio=ratio)) == expected


@pytest.mark.parametrize(
    ("size", "real"), [("480x480", (640, 640)), ("854x480", (864, 496)), ("720x1680", (630, 1470))]
)
def test_a_listed_size_of_seedance_is_nominal(size: str, real: tuple[int, int]) -> None:
    found = picture(MINI, ask(MINI.id, size=size))
    assert found is not None
    assert found[:2] == real


def test_other_models_make_the_size_they_list_or_the_one_that_follows() -> None:
    horse = MODELS["alibaba/happyhorse-1.1"]
    assert picture(horse, ask(horse.id, resolution="1080p", aspect_ratio="21:9")) == (2520, 1080, "listed")
    heygen = MODELS["heygen/heygen-video-1"]
    assert picture(heygen, ask(heygen.id, resolution="768p", aspect_ratio="16:9")) == (1366, 768, "derived")
    assert picture(heygen, ask(heygen.id, resolution="2K", aspect_ratio="9:16")) == (1440, 2560, "derived")


def test_an_open_picture_is_not_guessed() -> None:
    assert picture(MINI, ask(MINI.id, resolution="480p")) is None
    assert picture(MINI, ask(MINI.id, aspect_ratio="1:1")) is None
    assert picture(MINI, ask(MINI.id, resolution="cinema", aspect_ratio="1:1")) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"size": "1280x720"}, (1280, 720)),
        ({"size": "481x271"}, (482, 272)),
        ({"resolution": "480p", "aspect_ratio": "16:9"}, (854, 480)),
        ({"resolution": "480p", "aspect_ratio": "9:16"}, (480, 854)),
        ({"resolution": "1080p", "aspect_ratio": "1:1"}, (1080, 1080)),
        ({"resolution": "1080p"}, (1920, 1080)),
        ({}, (854, 480)),
        ({"size": "wide"}, (854, 480)),
        ({"resolution": "cinema"}, (1280, 720)),
    ],
)
def test_a_film_has_the_asked_size_or_a_sensible_even_one(fields: dict[str, str], expected: tuple[int, int]) -> None:
    assert output_size(invented(), ask("acme/one", **fields)) == expected


def test_a_film_of_a_model_that_states_nothing_is_720p() -> None:
    edit = MODELS["black-forest-labs/flux-video-edit"]
    assert output_size(edit, ask(edit.id)) == (1280, 720)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_film_has_even_sides(model: object) -> None:
    for resolution in (*(model.supported_resolutions or []), None):  # type: ignore[attr-defined]
        for ratio in (*(model.supported_aspect_ratios or []), None):  # type: ignore[attr-defined]
            width, height = output_size(model, ask("x", resolution=resolution, aspect_ratio=ratio))  # type: ignore[arg-type]
            assert width % 2 == height % 2 == 0


@pytest.mark.parametrize(
    "text", ["", "x", "1280", "1280x", "0x720", "-1x5", "1280*720", "999999x1", "1e3x5", "1280 x 720"]
)
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None


def test_resolutions_sort_by_their_lines() -> None:
    shuffled = ["4K", "768p", "odd", "1080p", "2K", "1K", "360p", "720p", "480p"]
    assert sorted(shuffled, key=rank) == ["360p", "480p", "720p", "768p", "1K", "1080p", "2K", "4K", "odd"]


def test_a_size_belongs_to_the_resolution_with_its_shorter_side() -> None:
    veo = MODELS["google/veo-3.1"]
    assert resolution_of(veo, (2160, 3840)) == "4K"
    assert resolution_of(veo, (1000, 1000)) is None
    # Seedance's own pictures are known by name: 960x960 is its 720p
    assert resolution_of(MODELS["bytedance/seedance-2.5"], (960, 960)) == "720p"


def test_the_nearest_shape_goes_by_ratio_whichever_way_it_lies() -> None:
    assert nearest_ratio((1080, 1920), ["16:9", "1:1", "9:16"]) == "9:16"
    assert nearest_ratio((1000, 900), ["16:9", "1:1", "9:16"]) == "1:1"
    assert nearest_ratio((1000, 900), ["auto"]) is None
