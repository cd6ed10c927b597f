"""JSON as the contract wants it: money exact, times in ISO 8601, NaN impossible, no control character unescaped."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from orvideo.output.text import moment

#: What is nested deeper is left out as null: a document is never lost to one absurd field of a reply (drill X01).
DEEPEST = 100


def encode(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as one JSON document in ASCII; compact unless `indent` is given.

    Decimal becomes a number with its own digits, datetime an ISO 8601 text in UTC, a path its text; a number that
    JSON does not have (NaN, infinity) becomes null. An object may bring itself as plain values in `as_json()`.
    """
    # The C encoder writes floats in their own way only, so an amount travels as a text that nothing else can
    # contain, and its quotes are taken off afterwards.
    mark = os.urandom(12).hex()
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_plain(value, mark, 0), indent=indent, separators=separators, allow_nan=False)
    return re.sub(f'"{mark}([^"]*)"', r"\1", text)


def _plain(value: Any, mark: str, depth: int) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Decimal):
        return f"{mark}{value}" if value.is_finite() else None
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if depth == DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item, mark, depth + 1) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [_plain(item, mark, depth + 1) for item in value]
    if hasattr(value, "as_json"):
        return _plain(value.as_json(), mark, depth + 1)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")
