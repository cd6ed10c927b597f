"""The rows of a batch file as values, and every line that is wrong, with its number as an editor counts them.

Nothing is guessed: what a row says is understood completely or refused (drills B01 to B07), because the service drops
what it does not know without a word, and a misspelt field would be paid for a hundred times.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from orvideo.batch.columns import ALIASES, KNOWN, NAMING, column_name, from_cell
from orvideo.batch.formats import READERS, Form, Wrong
from orvideo.batch.source import Source
from orvideo.errors import ExitCode, UsageError
from orvideo.film.moment import Moment
from orvideo.request.checking import nearest
from orvideo.request.texts import check_texts

#: A hundred thousand rows without columns of their own share it.
_NOTHING: Mapping[str, str] = MappingProxyType({})
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class Link(NamedTuple):
    """A picture of another row's video, as the value of a field: the number of that row, and the moment."""

    row: int
    moment: Moment

    @property
    def text(self) -> str:
        """What a person calls it: `the last frame of row 3`, `the frame at 2.5s of row 3`."""
        at = self.moment.text
        return f"the {f'{at} frame' if at in ('first', 'last') else f'frame at {at}'} of row {self.row}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` counts rows from 1, `line` is the physical line it begins on.

    `fields` are the request's, under the service's names or `first_frame`, `last_frame`, `reference` and `param`.
    `own` are the columns that mean something in an output's name only. `depth` is how many rows have to be made before
    it, one after the other (`batch.chain`). One that `begins_bare` has no first frame, whatever the line says.
    """

    number: int
    line: int
    fields: dict[str, Any]
    name: str | None = None
    output: str | None = None
    own: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    depth: int = 0
    begins_bare: bool = False

    @property
    def links(self) -> list[Link]:
        """The pictures that it takes from other rows."""
        values = (item for value in self.fields.values() for item in (value if type(value) is list else [value]))
        return [item for item in values if isinstance(item, Link)]

    @property
    def after(self) -> list[int]:
        """The numbers of the rows that it waits for."""
        return sorted({link.row for link in self.links})


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
    rows: list[Row] = []
    troubles: list[Trouble] = []
    named = fields_in(output)
    for line, given in READERS[source.form](source.text):
        if isinstance(given, Wrong):
            troubles.append(Trouble(line, given.message))
            continue
        number = len(rows) + len(troubles) + 1
        number = line if line == number else number  # most files have a row on each line, and one number for both
        try:
            rows.append(_row(number, line, given, named, check, from_text=source.form is Form.CSV))
        except UsageError as problem:
            troubles.append(Trouble(line, problem.message))
    return rows, troubles


def fields_in(template: str | None) -> frozenset[str]:
    """Return the names that an output's name has in braces."""
    return frozenset(name for name in _FIELD.findall(template or "") if name)


# --- what a row says ------------------------------------------------------------------------------------------------


def _row(
    number: int, line: int, given: Mapping[str, Any], named: frozenset[str], check: bool, *, from_text: bool
) -> Row:
    said = _spelt(given)
    output = said.get("output")
    known_here = named | fields_in(output if isinstance(output, str) else None)
    own: Mapping[str, Any] = {name: said.pop(name) for name in list(said) if name not in KNOWN and name in known_here}
    if check and (strange := [name for name in said if name not in KNOWN]):
        raise UsageError(_strange(strange))
    fields = {name: from_cell(name, value) if from_text else value for name, value in said.items()}
    fields = {name: value for name, value in fields.items() if value is not None}
    _check_texts(fields)
    name, output = fields.pop("name", None), fields.pop("output", None)
    return Row(number, line, fields, name, output, {key: _own(key, value) for key, value in own.items()} or _NOTHING)


def _spelt(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row under the names of the fields; one that is said twice under two names is refused."""
    said: dict[str, Any] = {}
    for key, value in given.items():
        name = column_name(key)
        name = ALIASES.get(name, name)
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
    for name in NAMING:
        if name in fields and (not isinstance(fields[name], str) or not fields[name].strip()):
            raise UsageError(f"{name} takes a text.")
    check_texts(fields)


def _own(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        raise UsageError(f"{name} is used in an output's name and takes a text or a number.")
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def shown_list(troubles: Iterable[Trouble]) -> str:
    """Return every trouble on a line of its own, with its line number."""
    return "\n".join(f"line {trouble.line}: {trouble.message}" for trouble in troubles)
