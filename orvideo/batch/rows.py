"""The rows of a batch file as values, and every line that is wrong, with its number as an editor counts them.

Nothing is guessed: what a row says is understood completely or refused (drills B01 to B07), because the service drops
what it does not know without a word, and a misspelt field would be paid for a hundred times.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from orvideo.batch.source import Form, Source
from orvideo.errors import ExitCode, UsageError
from orvideo.request.build import SHORT_NAMES
from orvideo.request.fields import FIELDS, check_texts, nearest
from orvideo.request.file import parse_json

#: What a row says of its file, and not of its video.
_NAMING = ("output", "name")
#: Other names for a field; a row that uses both has said it twice.
_ALIASES = {
    "audio": "generate_audio", "upscale": "upscale_factor", "references": "reference", "params": "param",
    "continue": "previous_job_id",
}  # fmt: skip
KNOWN = frozenset((*FIELDS, *SHORT_NAMES, *_NAMING, *_ALIASES))
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


@dataclass(frozen=True)
class Row:
    """One row: `number` counts rows from 1, `line` is the physical line it begins on.

    `fields` are the request's, under the service's names or `first_frame`, `last_frame`, `reference` and `param`.
    `own` are the columns that mean something in an output's name only.
    """

    number: int
    line: int
    fields: dict[str, Any]
    name: str | None = None
    output: str | None = None
    own: dict[str, str] = field(default_factory=dict)


class Trouble(NamedTuple):
    """What is wrong with a line; `code` says whether the file is (2) or what it asks for (6, 5)."""

    line: int
    message: str
    code: ExitCode = ExitCode.USAGE


def read_rows(source: Source, *, output: str | None, check: bool = True) -> tuple[list[Row], list[Trouble]]:
    """Return the rows that can be understood and every line that cannot.

    `output` is what -o says: columns that it names are the row's own, others that nobody knows are refused unless
    `check` is off.
    """
    read = {Form.JSONL: _jsonl, Form.CSV: _csv, Form.TEXT: _text}[source.form]
    rows: list[Row] = []
    troubles: list[Trouble] = []
    named = fields_in(output)
    for line, given in read(source.text):
        if isinstance(given, Trouble):
            troubles.append(given)
            continue
        try:
            rows.append(_row(len(rows) + 1, line, given, named, check, from_text=source.form is Form.CSV))
        except UsageError as problem:
            troubles.append(Trouble(line, problem.message))
    return rows, troubles


def fields_in(template: str | None) -> frozenset[str]:
    """Return the names that an output's name has in braces."""
    return frozenset(name for name in _FIELD.findall(template or "") if name)


def column_name(text: str) -> str:
    """Return a key as the fields are spelt, where it is one of them: `Aspect-Ratio ` is `aspect_ratio`."""
    folded = text.strip().casefold().replace("-", "_").replace(" ", "_")
    return folded if folded in KNOWN else text.strip()


def is_known(name: str) -> bool:
    return name in KNOWN


# --- the three ways to write rows -----------------------------------------------------------------------------------

_Given = Iterator[tuple[int, "Mapping[str, Any] | Trouble"]]


def _lines(text: str) -> list[str]:
    r"""Cut at `\n` and nothing else (drill B06); a file of old Macs, which has none, at `\r` (drill B01)."""
    cut = "\r" if "\n" not in text else "\n"
    return [line.removesuffix("\r") for line in text.split(cut)]


def _jsonl(text: str) -> _Given:
    for number, line in enumerate(_lines(text), 1):
        if not line.strip(" \t\r"):
            continue
        try:
            value = parse_json(line)
        except json.JSONDecodeError as error:
            yield number, Trouble(number, f"This is not JSON: {error.msg} at character {error.pos + 1}.")
            continue
        except ValueError as error:
            yield number, Trouble(number, f"This is not JSON that can be used: {error}.")
            continue
        if isinstance(value, str):
            value = {"prompt": value}
        if not isinstance(value, dict):
            kind = {list: "a list", bool: "true or false", type(None): "null"}.get(type(value), "a number")
            yield number, Trouble(number, f"A row is an object or a text, not {kind}.")
            continue
        yield number, value


def _text(text: str) -> _Given:
    for number, line in enumerate(_lines(text), 1):
        prompt = line.strip()
        if prompt and not prompt.startswith("#"):
            yield number, {"prompt": prompt}


def _csv(text: str) -> _Given:
    # No universal newlines: a line break inside of quotes is part of the prompt, and U+2028 never ends a line.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    heading: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # The reader is lost from here on, and says where it noticed, not where the row began (drill B03).
            why = "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)
            yield line, Trouble(line, f"The row that begins here cannot be read: {why}; nothing after it was read.")
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if heading is None:
            heading = [column_name(cell) for cell in cells]
            if trouble := _bad_heading(heading, line):
                yield line, trouble
                return
        elif len(cells) != len(heading):
            many = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
            yield line, Trouble(line, f"The row that begins here has {many}, and the heading has {len(heading)}.")
        else:
            yield line, {name: cell for name, cell in zip(heading, cells, strict=True) if cell.strip()}


def _bad_heading(heading: list[str], line: int) -> Trouble | None:
    twice = next((name for name in heading if heading.count(name) > 1), None)
    if twice is not None:
        return Trouble(line, f"The column {twice!r} is there twice." if twice else "Two columns have no name.")
    if "" in heading:
        return Trouble(line, "A column has no name.")
    return None


# --- what a row says ------------------------------------------------------------------------------------------------


def _row(
    number: int, line: int, given: Mapping[str, Any], named: frozenset[str], check: bool, *, from_text: bool
) -> Row:
    said = _spelt(given)
    output = said.get("output")
    known_here = named | fields_in(output if isinstance(output, str) else None)
    own = {name: said.pop(name) for name in list(said) if name not in KNOWN and name in known_here}
    if check and (strange := [name for name in said if name not in KNOWN]):
        raise UsageError(_strange(strange))
    fields = {name: _from_cell(name, value) if from_text else value for name, value in said.items()}
    fields = {name: value for name, value in fields.items() if value is not None}
    _check_texts(fields)
    name, output = fields.pop("name", None), fields.pop("output", None)
    return Row(number, line, fields, name, output, {key: _own(key, value) for key, value in own.items()})


def _spelt(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row under the names of the fields; one that is said twice under two names is refused."""
    said: dict[str, Any] = {}
    for key, value in given.items():
        name = column_name(key)
        name = _ALIASES.get(name, name)
        if name in said:
            raise UsageError(f"{name} is said twice.")
        said[name] = value
    return said


def _strange(names: list[str]) -> str:
    told = []
    for name in names[:5]:
        near = nearest(name, sorted(KNOWN))
        told.append(f"There is no field {name[:60]!r}." + (f" Did you mean {near}?" if near else ""))
    return " ".join(told) + " (A field of your own goes with an output that names it in braces.)"


def _check_texts(fields: Mapping[str, Any]) -> None:
    """Check what the request itself does not: the kinds of all other fields are checked where it is put together."""
    if not fields:
        raise UsageError("The row says nothing.")
    prompt = fields.get("prompt")
    if isinstance(prompt, str) and not prompt.strip():
        raise UsageError("The prompt is empty.")
    for name in _NAMING:
        if name in fields and (not isinstance(fields[name], str) or not fields[name].strip()):
            raise UsageError(f"{name} takes a text.")
    check_texts(fields)


def _own(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        raise UsageError(f"{name} is used in an output's name and takes a text or a number.")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


# --- cells: a CSV has texts only ------------------------------------------------------------------------------------

_YES_NO = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError("a whole number")
    return int(text)


def _number(text: str) -> float:
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


_CELLS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("duration", "seed", "creativity"), _whole),
    **dict.fromkeys(("frame_images", "input_references", "provider", "trace", "param"), _json_value),
    "generate_audio": _yes_no,
    "upscale_factor": _number,
    "reference": _reference,
}


def _from_cell(name: str, cell: str) -> Any:
    """Return what a cell of a CSV stands for; an empty one was left out before."""
    if name not in _CELLS:
        return cell.strip()
    try:
        return _CELLS[name](cell.strip())
    except ValueError as wanted:
        raise UsageError(f"{name} takes {wanted}, not {cell.strip()[:40]!r}.") from None


def shown_list(troubles: Iterable[Trouble]) -> str:
    """Return every trouble on a line of its own, with its line number."""
    return "\n".join(f"line {trouble.line}: {trouble.message}" for trouble in troubles)
