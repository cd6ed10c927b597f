"""A whole request as JSON, read strictly: what a person wrote is either understood completely or refused.

Replies of the service are read leniently (`api.payload`); here a guess would cost money.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO, NoReturn

from orvideo.api.payload import is_too_deep
from orvideo.errors import UsageError
from orvideo.request.texts import STDIN, check_prompt, read_text

#: Two frames and some references at the largest size that is sent by default, as base64.
MOST_BYTES = 128 * 1024**2


def read_request(source: str, stdin: BinaryIO | None, *, most: int = MOST_BYTES) -> dict[str, Any]:
    """Return the JSON object in a file, or on stdin for `-`: never more than `most` bytes (drill X01).

    Raises UsageError.
    """
    text, _ = read_text(source, stdin, "request in", most)
    name = "stdin" if source == STDIN else source
    try:
        value = parse_json(text)
    except ValueError as error:
        raise UsageError(f"The request in {name} is not JSON that can be used: {error}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"The request in {name} is not a JSON object.", hint="orvideo submit ... --dry-run prints one")
    if isinstance(value.get("prompt"), str):
        check_prompt(f"The prompt in {name}", value["prompt"])
    return value


def parse_json(text: str) -> Any:
    """Return a JSON value. Raises ValueError, saying why; `json.JSONDecodeError` where it is no JSON at all.

    Refused: NaN and numbers beyond a float, a name given twice, nesting deeper than 64.
    """
    with _deep_refused():
        value = _decoder().decode(text)
    return _not_too_deep(value)


def parse_values(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of a JSON list, or of JSON values one after the other, and where each begins.

    Raises what `parse_json` does.
    """
    place, is_list = _skipped(text, 0), False
    if text[place : place + 1] == "[":
        place, is_list = _skipped(text, place + 1), True
    while text[place : place + 1] not in ("]" if is_list else "", ""):
        with _deep_refused():
            value, end = _decoder().raw_decode(text, place)
        yield place, _not_too_deep(value)
        place = _skipped(text, end)
        if is_list and text[place : place + 1] != "]":
            if text[place : place + 1] != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, place)
            place = _skipped(text, place + 1)
    if is_list and _skipped(text, place + 1) < len(text):
        raise json.JSONDecodeError("Extra data", text, place + 1)
    if is_list and place == len(text):
        raise json.JSONDecodeError("Expecting value", text, place)


def _skipped(text: str, place: int) -> int:
    """Return where the next character is that is no white space of JSON."""
    found = re.compile(r"[ \t\r\n]*").match(text, place)
    return found.end() if found else place


@cache
def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_constant=_no_constant, parse_float=_number, parse_int=_whole, object_pairs_hook=_object
    )


@contextmanager
def _deep_refused() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _not_too_deep(value: Any) -> Any:
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
