"""Models to text: a row of the list, and the page of one. What the service does not say is `?`, never "no"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orvideo.output.tables import Cell, Column, Row
from orvideo.output.text import spans
from orvideo.output.views import Lines, Table, text_of

#: The fields of a model that the page has a place for; all others are shown as they came.
_SHOWN = frozenset(
    (
        *("id", "name", "description", "canonical_slug", "created", "hugging_face_id"),
        *("supported_resolutions", "supported_sizes", "supported_aspect_ratios", "supported_durations"),
        *("supported_frame_images", "generate_audio", "seed", "upscale_factor", "creativity"),
        *("allowed_passthrough_parameters", "pricing_skus"),
    )
)


def models_table(
    models: Iterable[Mapping[str, Any]],
    *,
    prices: Mapping[str, str],
    sources: Mapping[str, Sequence[str]],
    price_title: str,
) -> Table:
    """Return the table of `orvideo models`: `prices` in short and `sources` (what it makes from) by model id.

    In a pipe: id, sources, resolutions, seconds, sound, seed, price; what is not known is empty there.
    """
    columns = [
        Column("MODEL"),
        Column("FROM", priority=4, flexible=True, least=10),
        Column("RESOLUTIONS", priority=3, flexible=True, least=11),
        Column("SECONDS", priority=1, flexible=True, least=8),
        Column("SOUND", priority=5),
        Column("SEED", priority=6),
        Column(price_title, right=True),
    ]
    rows: list[Row] = []
    for model in models:
        name = text_of(model.get("id"))
        resolutions = _items(model.get("supported_resolutions"))
        seconds = _seconds(model)
        rows.append(
            [
                name,
                Cell(", ".join(sources.get(name, ())) or "?", ",".join(sources.get(name, ()))),
                Cell(", ".join(resolutions) or "?", ",".join(resolutions)),
                Cell(spans(seconds) or "?", ",".join(map(str, sorted(seconds)))),
                _stated(model.get("generate_audio")),
                _stated(model.get("seed")),
                Cell(prices.get(name) or "not comparable", prices.get(name) or ""),
            ]
        )
    return columns, rows


def model_page(model: Mapping[str, Any], *, prices: Iterable[str], sources: Sequence[str], example: str) -> Lines:
    """Return everything about one model: `prices` as lines in words, unknown fields as they came, a line to copy."""
    pairs = [
        ("model", text_of(model.get("id"))),
        ("name", text_of(model.get("name"))),
        ("about", text_of(model.get("description"))),
        ("version", text_of(model.get("canonical_slug"))),
        ("makes from", ", ".join(sources)),
        ("resolutions", _list(model.get("supported_resolutions"))),
        ("sizes", _list(model.get("supported_sizes"))),
        ("aspect ratios", _list(model.get("supported_aspect_ratios"))),
        ("seconds", spans(_seconds(model)) or "not said"),
        ("frames", _list(model.get("supported_frame_images")).replace("_", " ")),
        ("sound", _stated(model.get("generate_audio")).shown.replace("?", "not said")),
        ("seed", _stated(model.get("seed")).shown.replace("?", "not said")),
        ("upscale factor", _range(model.get("upscale_factor"))),
        ("creativity", _list(model.get("creativity"))),
        ("parameters", _list(model.get("allowed_passthrough_parameters"))),
        *(("price", price) for price in prices),
        *((key, text_of(value)) for key, value in model.items() if key not in _SHOWN and value is not None),
        ("example", example),
    ]
    return [(label, text) for label, text in pairs if text]


def _seconds(model: Mapping[str, Any]) -> list[int]:
    values = model.get("supported_durations")
    return [item for item in values if type(item) is int] if isinstance(values, list) else []


def _stated(value: Any) -> Cell:
    if not isinstance(value, bool):
        return Cell("?", "")
    return Cell("yes", "yes") if value else Cell("no", "no")


def _range(span: Any) -> str:
    ends = [span.get("min"), span.get("max")] if isinstance(span, Mapping) else []
    if not ends or not all(isinstance(end, int | float) for end in ends):
        return ""
    return f"{ends[0]:g} to {ends[1]:g}"


def _items(values: Any) -> list[str]:
    """Return the entries of a list as texts; what is no list, whatever the service means by it, has none (X04)."""
    return [text_of(item) for item in values if item is not None] if isinstance(values, list) else []


def _list(values: Any) -> str:
    return ", ".join(_items(values))
