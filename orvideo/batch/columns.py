"""The columns of a batch: what they may be called, and what a cell of one stands for."""

import math
import re
from collections.abc import Callable
from typing import Any

from orvideo.errors import UsageError
from orvideo.request import fields
from orvideo.request.file import parse_json

#: What a row says of its file, and not of its video.
NAMING = ("output", "name")
#: Other names for a field; a row that uses both has said it twice.
ALIASES = {**fields.ALIASES, "references": "reference", "params": "param"}
_FIELDS = {field.name: field for field in fields.TABLE}
KNOWN = frozenset((*_FIELDS, *NAMING, *ALIASES))
#: The one text for each of them: a hundred thousand rows need not have their own.
_SPELT = {name: name for name in KNOWN}


def column_name(text: str) -> str:
    """Return a key as the fields are spelt, where it is one of them: `Aspect-Ratio ` is `aspect_ratio`."""
    folded = re.sub(r"[\s_-]+", "_", text.strip().casefold())
    return _SPELT.get(folded) or text.strip()


# --- cells: a CSV has texts only ------------------------------------------------------------------------------------
_YES_NO = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _whole(text: str) -> int:
    # Spreadsheets write 4 as 4.0 where the column has an empty cell or a fraction.
    if not (found := re.fullmatch(r"([+-]?[0-9]{1,18})(\.0{1,2})?", _with_point(text))):
        raise ValueError("a whole number")
    return int(found[1])


def _with_point(text: str) -> str:
    """Return a number with a decimal comma as one with a point; three digits may be thousands (finding A02)."""
    return text.replace(",", ".") if re.fullmatch(r"[+-]?[0-9]+,[0-9]{1,2}", text) else text


def _number(text: str) -> float:
    text = _with_point(text)
    try:
        number = float(text)
    except ValueError:
        raise ValueError("a number") from None
    if not math.isfinite(number):
        raise ValueError("a number")
    return number


def _yes_no(text: str) -> bool:
    if text.casefold() not in _YES_NO:
        raise ValueError("true or false")
    return _YES_NO[text.casefold()]


def _json_value(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        raise ValueError("JSON") from None


def _reference(text: str) -> Any:
    return _json_value(text) if text.startswith("[") else text


_CELLS: dict[fields.Kind, Callable[[str], Any]] = {
    fields.WHOLE: _whole, fields.NUMBER: _number, fields.YES_NO: _yes_no, fields.LIST: _json_value,
    fields.OBJECT: _json_value, fields.TEXTS: _reference, fields.PAIRS: _json_value,
}  # fmt: skip


def from_cell(name: str, cell: str) -> Any:
    """Return what a cell of a CSV stands for; an empty one was left out before."""
    read = _CELLS.get(_FIELDS[name].kind) if name in _FIELDS else None
    if read is None:
        return cell.strip()
    try:
        return read(cell.strip())
    except ValueError as wanted:
        raise UsageError(f"{name} takes {wanted}, not {cell.strip()[:40]!r}.") from None
