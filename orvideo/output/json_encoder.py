"""JSON text: amounts with their own digits, times in ISO 8601, no NaN, and ASCII alone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from math import isfinite
from typing import Any

from orvideo.output.text import iso_time

#: What is nested deeper becomes null, so that an absurd field of a reply does not break the document (drill X01).
DEEPEST = 100


def encode(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as one JSON document in ASCII; compact unless `indent` is given.

    Decimal becomes a number with its own digits, datetime an ISO 8601 text in UTC, a path a text, NaN and infinity
    null. Other objects must have `as_json()`; else it raises TypeError.
    """
    mark, marked = _mark()
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_plain(value, mark, 0), indent=indent, separators=separators, allow_nan=False)
    return marked.sub(r"\1", text)


@cache
def _mark() -> tuple[str, re.Pattern[str]]:
    """Return what marks a text that is an amount, and what finds it.

    The json module cannot write a Decimal. An amount is written as a text with a mark that nobody knows, and the quotes
    and the mark are removed afterwards.
    """
    mark = os.urandom(12).hex()
    return mark, re.compile(f'"{mark}([^"]*)"')


def _plain(value: Any, mark: str, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | str | float | Decimal | datetime | Enum | os.PathLike):
        return _scalar(value, mark)
    if depth == DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item, mark, depth + 1) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [_plain(item, mark, depth + 1) for item in value]
    if hasattr(value, "as_json"):
        return _plain(value.as_json(), mark, depth + 1)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def _scalar(value: Any, mark: str) -> Any:
    if isinstance(value, Enum):
        return _scalar(value.value, mark)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Decimal):
        return f"{mark}{value}" if value.is_finite() else None
    if isinstance(value, datetime):
        return iso_time(value)
    return os.fspath(value) if isinstance(value, os.PathLike) else value
