"""The checked-in price table is what the code quotes today, and the catalogue's own lists agree with it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orvideo.api.values import VideoModel
from orvideo.catalogue.quote import bill, quote
from orvideo.catalogue.sizes import has_ratio, output_size, parse_size, resolution_of
from tests.catalogue.golden import PATH, combinations, made_from, table
from tests.catalogue.shelf import MODELS, ask

_ALL = [pytest.param(model, id=model.id) for model in MODELS.values()]


@pytest.mark.long
def test_the_checked_in_table_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == table(), "run: python -m tests.catalogue.golden --write"


def test_every_model_is_in_the_table() -> None:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert len(MODELS) == 31
    assert all(model in lines for model in MODELS)


@pytest.mark.parametrize("model", _ALL)
def test_each_listed_size_costs_what_its_resolution_and_shape_cost(model: VideoModel) -> None:
    for text in model.supported_sizes or []:
        size = parse_size(text)
        assert size
        resolution = resolution_of(model, size)
        assert resolution in (model.supported_resolutions or [])
        shape = next(ratio for ratio in model.supported_aspect_ratios or [] if has_ratio(size, ratio))
        by_size = quote(model, ask(model.id, duration=8, generate_audio=True, size=text))
        by_name = quote(
            model, ask(model.id, duration=8, generate_audio=True, resolution=resolution, aspect_ratio=shape)
        )
        assert (by_size.kind, by_size.usd) == (by_name.kind, by_name.usd)


@pytest.mark.parametrize("model", _ALL)
def test_the_sandbox_bills_what_is_quoted(model: VideoModel) -> None:
    """The film made for a request is billed what its quote says, for the shortest duration of each combination."""
    seconds = min(model.supported_durations or [4])
    for resolution, shape, way, sound in combinations(model):
        request = ask(
            model.id,
            duration=seconds,
            resolution=resolution,
            aspect_ratio=shape,
            generate_audio=sound,
            **made_from(model)[way],
        )
        made = quote(model, request, input_seconds=Decimal(0))
        width, height = output_size(model, request)
        if made.usd is not None:
            assert bill(model, request, width=width, height=height, seconds=seconds) == made.usd
        else:
            # Only the megapixels of an unknown input are unknown here; the film has a size, so the bill is known.
            assert model.upscale_factor is not None
            assert bill(model, request, width=width, height=height, seconds=seconds) > 0
