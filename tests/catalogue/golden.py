"""The golden table: what every combination that a real model lists is quoted at, for a person to read.

    python -m tests.catalogue.golden            shows it
    python -m tests.catalogue.golden --write    writes it to golden-prices.txt

Combinations of one price share a line. Prices that grow evenly are shown by the second; the others one by one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from orvideo.api.values import VideoModel
from orvideo.catalogue.pricing import price_list
from orvideo.catalogue.quote import Quote, quote
from orvideo.catalogue.words import durations_text
from orvideo.money import exact_money_text
from tests.catalogue.shelf import FIRST, LAST, MODELS, REFERENCE, VIDEO, ask

PATH = Path(__file__).with_name("golden-prices.txt")

_HEAD = """\
What every model of the sandbox's catalogue is quoted at, for every combination that it lists.
Written by: python -m tests.catalogue.golden --write

Columns: resolution | shape | made from | sound | durations and prices in USD.  ~ is "about".
"5-15 s  $0.02 a second + $0.01" holds for each whole second of the range; its first and last price follow.
Sizes are not repeated: a test holds that each listed size costs what its resolution and shape cost.
"""

Combination = tuple[str | None, str | None, str, bool | None]


def made_from(model: VideoModel) -> dict[str, dict[str, Any]]:
    """What a video of this model can be made from, as far as the catalogue says: a name and request fields each."""
    ways: dict[str, dict[str, Any]] = {"text": {}}
    frames = model.supported_frame_images or []
    if "first_frame" in frames:
        ways["first frame"] = {"frame_images": [FIRST]}
    if "last_frame" in frames:
        ways["first and last frame"] = {"frame_images": [FIRST, LAST]}
    ways["image reference"] = {"input_references": [REFERENCE]}
    if any(price.video_input for price in price_list(model).prices):
        ways["video reference"] = {"input_references": [VIDEO]}
    if any(price.mode == "continuing a video" for price in price_list(model).prices):
        ways["continuation"] = {"previous_job_id": "job-1"}
    return ways


def combinations(model: VideoModel) -> Iterator[Combination]:
    """Every (resolution, shape, made from, sound) that a model lists; None where it lists nothing."""
    yield from product(
        model.supported_resolutions or [None],
        model.supported_aspect_ratios or [None],
        made_from(model),
        [False, True] if model.generate_audio else [None],
    )


def quotes(model: VideoModel, combination: Combination) -> tuple[Quote, ...]:
    """One quote for each listed duration; a single one when none is listed."""
    resolution, shape, way, sound = combination
    fields = {"resolution": resolution, "aspect_ratio": shape, "generate_audio": sound, **made_from(model)[way]}
    return tuple(
        quote(model, ask(model.id, duration=seconds, **fields))
        for seconds in sorted(model.supported_durations or []) or [None]
    )


def _merged(rows: dict[tuple[tuple[str, ...], ...], str], column: int) -> dict[tuple[tuple[str, ...], ...], str]:
    """Join the rows that differ in one column only and have the same prices."""
    joined: dict[tuple[Any, str], list[str]] = {}
    for key, prices in rows.items():
        rest = key[:column] + key[column + 1 :]
        joined.setdefault((rest, prices), []).extend(key[column])
    return {(*rest[:column], tuple(values), *rest[column:]): prices for (rest, prices), values in joined.items()}


def _prices(model: VideoModel, found: tuple[Quote, ...]) -> str:
    if any(item.usd is None for item in found):
        least = f", at least {exact_money_text(found[0].low)}" if found[0].low is not None else ""
        return f"unknown: {found[0].reasons[0]}{least}"
    (kind,) = {item.kind for item in found}
    mark = "~" if kind == "about" else ""
    seconds = sorted(model.supported_durations or [])
    amounts = [item.usd for item in found if item.usd is not None]
    if len(seconds) < 2:
        return " ".join(f"{mark}{exact_money_text(amount)}" for amount in amounts)
    rate = (amounts[1] - amounts[0]) / (seconds[1] - seconds[0])
    extra = amounts[0] - rate * seconds[0]
    if all(amount == rate * length + extra for amount, length in zip(amounts, seconds, strict=True)):
        more = f" + {exact_money_text(extra)}" if extra else ""
        span = f"{mark}{exact_money_text(amounts[0])} ... {mark}{exact_money_text(amounts[-1])}"
        return f"{durations_text(seconds)} s  {mark}{exact_money_text(rate)} a second{more}  {span}"
    pairs = zip(seconds, amounts, strict=True)
    return ", ".join(f"{length} s {mark}{exact_money_text(amount)}" for length, amount in pairs)


def _sound(sound: bool | None) -> str:
    return "as it is" if sound is None else "with" if sound else "without"


def _table(model: VideoModel) -> Iterator[str]:
    rows: dict[tuple[tuple[str, ...], ...], str] = {}
    for combination in combinations(model):
        resolution, shape, way, sound = combination
        key = ((resolution or "-",), (shape or "-",), (way,), (_sound(sound),))
        rows[key] = _prices(model, quotes(model, combination))
    for column in (1, 3, 2, 0):
        rows = _merged(rows, column)
    for key, prices in rows.items():
        yield "  " + " | ".join([*(", ".join(values) for values in key), prices])


def table() -> str:
    """The whole table as text."""
    blocks = [_HEAD]
    for model in MODELS.values():
        blocks.append("\n".join([model.id, *_table(model), ""]))
    return "\n".join(blocks)


def cells() -> int:
    """How many prices the table stands for."""
    return sum(len(quotes(model, item)) for model in MODELS.values() for item in combinations(model))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PATH.write_text(table(), encoding="utf-8")
        print(f"{PATH.name}: {cells()} prices")
    else:
        print(table())
