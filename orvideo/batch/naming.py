"""Where each row's video goes: decided for all rows together, before any of them is bought (drill B16).

A row's own `output` comes first, then what `-o` says. `{row}`, `{name}` and the row's own columns are filled in here,
each as one harmless component (drill O15), so that what is put on record is a target that any later command knows.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.batch.rows import Row, Trouble
from orvideo.download import disk, naming, targets
from orvideo.download.naming import LONGEST_FACTS, Facts
from orvideo.errors import OrvideoError, OutputUnwritable, UsageError
from orvideo.system.names import HERE, Rules

if TYPE_CHECKING:
    from orvideo.record.values import Record

#: Sorts by row, says what it is, and is nobody else's.
DEFAULT_NAME = "{row}-{slug}-{short}.{ext}"
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_SHARED = (targets.Form.FOLDER, targets.Form.FILE, targets.Form.TEMPLATE, targets.Form.DEVICE)


def row_text(number: int, total: int) -> str:
    """Return a row's number as names have it: as wide as the last one's, so that `ls` sorts by row."""
    return f"{number:0{max(3, len(str(total)))}d}"


def spec_for(row: Row, output: str | None, total: int) -> str:
    """Return a row's target as the record keeps it: absolute, with nothing in it that only the batch knows.

    Raises UsageError for a field that the row does not have, and for a stream, which is one place for many.
    """
    spec = _beside(row.output, output) if row.output is not None else output or DEFAULT_NAME
    if _is_folder(spec):
        spec = os.path.join(_escaped(spec), DEFAULT_NAME)
    filled = _filled(spec, {"row": row_text(row.number, total), "name": row.name, **row.own})
    absolute = targets.absolute_spec(filled)
    if absolute is None:
        raise UsageError(f"The output {spec} is one place; the videos of a batch go to files.")
    return absolute


def _beside(own: str, output: str | None) -> str:
    """Return a row's own output, which is meant from the folder that -o names, where it names one."""
    return os.path.join(_escaped(output), own) if output is not None and _is_folder(output) else own


def folder_to_make(output: str | None) -> Path | None:
    """Return the folder that -o names and that is not there yet: rows have their own files in it (finding D01)."""
    absolute = targets.absolute_spec(output)
    is_new = absolute is not None and HERE.is_folder(absolute) and "{" not in absolute and not os.path.lexists(absolute)
    return Path(absolute) if absolute is not None and is_new else None


def make_output_folder(output: str | None) -> None:
    """Make that folder. Raises OutputUnwritable."""
    folder = folder_to_make(output)
    if folder is not None:
        with disk.disk_errors(folder):
            disk.make_folders(folder, folder.parent)


def folder_of(output: str | None) -> str | None:
    """Return what -o names where that is a folder, None where it names files."""
    return output if output is not None and _is_folder(output) else None


def is_elsewhere(record: Record, spec: str | None, output: str | None) -> bool:
    """Return whether a row has saved videos, and not where its target is by now."""
    if spec is None or record.target is None or os.path.normpath(spec) == os.path.normpath(record.target):
        return False
    folder = None if folder_of(output) is None else os.path.dirname(os.path.normpath(spec))
    return any(one.path is not None and os.path.dirname(one.path) != folder for one in record.outputs)


def _is_folder(spec: str) -> bool:
    return HERE.is_folder(spec) or os.path.isdir(spec)


def _escaped(folder: str) -> str:
    return folder.replace("{", "{{").replace("}", "}}") if os.path.isdir(folder) else folder


def _filled(spec: str, values: Mapping[str, str | None]) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name is None or name not in values:
            return match[0]
        value = values[name]
        if value is None or not value.strip():
            raise UsageError(f"The output {spec!r} asks for {{{name}}}, and the row has none.")
        return naming.component(value)

    return _PIECE.sub(fill, spec)


def check_targets(
    asked: Iterable[tuple[Row, str, Mapping[str, Any]]],
    taken: Mapping[Path, str],
    *,
    force: bool,
    now: datetime,
    total: int,
    to_make: Path | None = None,
    rules: Rules = HERE,
) -> Iterator[Trouble]:
    """Yield what is wrong with where rows (row, target, request) would save: clashes, and what is there already.

    `taken` are the places that other things of this batch have, with what to call them; `to_make` is a folder that is
    made before the first row is bought. By the `rules` of a system names that differ by case may be one (M1).
    """
    owners: defaultdict[str, dict[str, str | int]] = defaultdict(dict)
    for path, what in taken.items():
        folder, rest = rules.place_key(path)
        owners[folder][rest] = what
    for row, spec, request in asked:
        try:
            place = _place(row, spec, request, force, now, total, to_make)
        except OutputUnwritable:
            raise
        except OrvideoError as problem:
            yield Trouble(row.line, problem.message)
            continue
        if place is None:
            continue
        folder, rest = rules.place_key(place)
        owner = owners[folder].setdefault(rest, row.line)
        if owner != row.line:
            what = owner if isinstance(owner, str) else f"the one of line {owner}"
            yield Trouble(row.line, f"Its output {place} is {what} as well.")


def check_kept(rows: Iterable[tuple[Row, str]], awaited: Collection[int]) -> Iterator[Trouble]:
    """Yield the rows, with their targets, whose videos are not kept and whose numbers others take pictures from."""
    for row, spec in rows:
        with suppress(OrvideoError):  # `check_targets` says what is wrong
            if row.number in awaited and targets.parse_target(spec).is_stream:
                yield Trouble(row.line, f"Another row takes a picture of its video, which {spec} does not keep.")


def _place(
    row: Row, spec: str, request: Mapping[str, Any], force: bool, now: datetime, total: int, to_make: Path | None
) -> Path | None:
    """Return the path a row would get, None where nothing is kept. The folder is tried by making a file in it."""
    facts = Facts(
        # What the service will call it is not known; that no two jobs are called the same is.
        id=f"{row.number:08d}",
        created_at=now,
        model=request.get("model"),
        prompt=request.get("prompt"),
        seed=request.get("seed"),
        resolution=request.get("resolution") or request.get("size"),
        duration=request.get("duration"),
        aspect_ratio=request.get("aspect_ratio"),
        row=row_text(row.number, total),
    )
    target = targets.parse_target(spec, force=force)
    targets.check_target(target, to_make=to_make, facts=facts._replace(id=LONGEST_FACTS.id))
    if target.form not in _SHARED:
        raise UsageError(f"The output {spec} is one place; the videos of a batch go to files.")
    if target.is_stream:
        return None
    target.refuse_existing(facts)
    return target.path_for(facts)
