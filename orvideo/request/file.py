"""A whole request as JSON, read strictly: what a person wrote is either understood completely or refused.

Replies of the service are read leniently (`api.payload`); here a guess would cost money.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from orvideo.api.payload import is_too_deep
from orvideo.errors import UsageError

STDIN = "-"
#: Two frames and some references at the largest size that is sent by default, as base64.
MOST_BYTES = 128 * 1024**2


def read_request(source: str, stdin: BinaryIO | None, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file, or on stdin for `-`: UTF-8, never more than `most` bytes (drill X01).

    Raises UsageError.
    """
    name = "stdin" if source == STDIN else source
    try:
        if source == STDIN:
            data = stdin.read(most + 1) if stdin is not None else b""
        else:
            with Path(source).open("rb") as file:
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"The request in {name} cannot be read: {why}.") from error
    if len(data) > most:
        raise UsageError(f"The request in {name} is too large: at most {most:,} bytes are read.")
    try:
        value = parse_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UsageError(f"The request in {name} is not UTF-8.") from None
    except ValueError as error:
        raise UsageError(f"The request in {name} is not JSON that can be used: {error}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"The request in {name} is not a JSON object.", hint="orvideo submit ... --dry-run prints one")
    return value


def parse_json(text: str) -> Any:
    """Return a JSON value. Raises ValueError, saying why; `json.JSONDecodeError` where it is no JSON at all.

    Refused: NaN and numbers beyond a float, a name given twice, nesting deeper than 64.
    """
    try:
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_number, parse_int=_whole, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if is_too_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > 40:
        raise ValueError(f"the number {text[:20]}... is too long")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:80]!r} is given twice")
        found[name] = value
    return found
