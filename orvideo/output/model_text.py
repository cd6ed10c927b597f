"""Models as text: the table of `orvideo models` and the page of one. What the service does not say is `?`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orvideo.output.job_text import Lines
from orvideo.output.quote_text import text_of
from orvideo.output.tables import Cell, Column, Row, Table
from orvideo.output.text import ranges

#: Fields that the page of a model does not show as they are; other unknown fields are shown so.
_NOT_SHOWN = ("created", "hugging_face_id", "pricing_skus")


def models_table(
    models: Iterable[Mapping[str, Any]],
    *,
    prices: Mapping[str, Cell],
    sources: Mapping[str, Sequence[str]],
    price_title: str,
) -> Table:
    """Return the table of models, with `prices` and `sources` (what a video is made from) by model id.

    A pipe gets id, sources, resolutions, seconds, sound, seed and USD, empty where not known.
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
        seconds = _seconds(model.get("supported_durations"))
        rows.append(
            [
                name,
                Cell(", ".join(sources.get(name, ())) or "?", ",".join(sources.get(name, ()))),
                Cell(", ".join(resolutions) or "?", ",".join(resolutions)),
                Cell(ranges(seconds) or "?", ",".join(map(str, sorted(seconds)))),
                _stated(model.get("generate_audio")),
                _stated(model.get("seed")),
                prices[name],
            ]
        )
    return columns, rows


def model_page(model: Mapping[str, Any], *, prices: Iterable[str], sources: Sequence[str], example: str) -> Lines:
    """Return the page of one model, with its prices in words and an example to copy."""
    left = {key: value for key, value in model.items() if key not in _NOT_SHOWN and value is not None}

    def listed(name: str) -> str:
        return ", ".join(_items(left.pop(name, None)))

    pairs = [
        ("model", text_of(left.pop("id", None))),
        ("name", text_of(left.pop("name", None))),
        ("about", text_of(left.pop("description", None))),
        ("version", text_of(left.pop("canonical_slug", None))),
        ("made from", ", ".join(sources)),
        ("resolutions", listed("supported_resolutions")),
        ("sizes", listed("supported_sizes")),
        ("aspect ratios", listed("supported_aspect_ratios")),
        ("seconds", ranges(_seconds(left.pop("supported_durations", None))) or "unknown"),
        ("frames", listed("supported_frame_images").replace("_", " ")),
        ("sound", _stated(left.pop("generate_audio", None)).shown.replace("?", "unknown")),
        ("seed", _stated(left.pop("seed", None)).shown.replace("?", "unknown")),
        ("upscale factor", _range(left.pop("upscale_factor", None))),
        ("creativity", listed("creativity")),
        ("parameters", listed("allowed_passthrough_parameters")),
        *(("price", price) for price in prices),
        *((key, text_of(value)) for key, value in left.items()),
        ("example", example),
    ]
    return [(label, text) for label, text in pairs if text]


def _seconds(values: Any) -> list[int]:
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
    """Return the entries of a list as texts, none for what is no list (drill X04)."""
    return [text_of(item) for item in values if item is not None] if isinstance(values, list) else []
