"""The ways in which rows are written down: JSON, the dialects of CSV, plain text; and which of them a file is.

A file is read as what it is, or refused with what it looks like (finding A02): each line of anything else would be
bought as a prompt.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from orvideo.batch.columns import KNOWN, column_name
from orvideo.request.file import parse_json, parse_values
from orvideo.request.kinds import recognise, recognise_lines
from orvideo.request.lists import DELIMITERS, MARKDOWN, is_table, looks_of_list


class Form(StrEnum):
    """How rows are written down."""

    JSONL = "jsonl"
    CSV = "csv"
    TEXT = "text"


class Wrong(NamedTuple):
    """Why a line is no row."""

    message: str


_BLANK = " \t\r"
_Given = Iterator[tuple[int, "Mapping[str, Any] | Wrong"]]

# --- which of them a file is ----------------------------------------------------------------------------------------

_BY_SUFFIX = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), Form.JSONL), **dict.fromkeys((".csv", ".tsv", ".tab"), Form.CSV),
    **dict.fromkeys(("", ".txt", ".prompts"), Form.TEXT),
}  # fmt: skip
#: What files are called that hold text, and no prompts by the line.
_OTHERS = {
    **dict.fromkeys((".yaml", ".yml"), "YAML"), **dict.fromkeys((".md", ".markdown", ".rst"), "a document"),
    **dict.fromkeys((".html", ".htm", ".xhtml", ".xml"), "a web page or XML"),
    **dict.fromkeys((".toml", ".ini", ".cfg", ".conf", ".env", ".properties"), "settings"),
    **dict.fromkeys((".py", ".js", ".ts", ".sh", ".bat", ".ps1", ".sql"), "a program"), ".log": "a log",
}  # fmt: skip
#: What files are by their whole names, without a suffix or before one that says only that it is text.
_OTHERS_BY_STEM = {
    **dict.fromkeys(("makefile", "gnumakefile", "dockerfile", "containerfile", "jenkinsfile", "vagrantfile", "gemfile",
                     "rakefile", "procfile", "brewfile", "cmakelists"), "a program"),
    **dict.fromkeys(("license", "licence", "copying", "notice", "authors", "contributors", "readme", "changelog"),
                    "a document"),
    **dict.fromkeys(("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "authorized_keys", "known_hosts", "credentials",
                     "passwd", "shadow", "htpasswd"), "settings or secrets"),
    **dict.fromkeys(("requirements", "requirements-dev", "constraints"), "a list of packages"),
}  # fmt: skip
#: A row has at least one of these, and so has the heading of a CSV that is not called one.
_MAKING = frozenset(("prompt", "first_frame", "reference", "references", "frame_images", "input_references", "continue",
                     "previous_job_id"))  # fmt: skip
#: Each line of such a file would be bought, and its heading too.
UNKNOWN_COLUMNS = "a CSV without a column that orvideo knows"
#: What begins each line of a log: a time, an address, or a level.
_LOGGED = (
    r"\W{0,2}(\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d|\d\d:\d\d:\d\d\b|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|"
    r"\d+\.\d+\.\d+\.\d+\s|\d+\.\d{3,}\]|(TRACE|DEBUG|INFO|WARN(ING)?|ERROR|FATAL|CRITICAL)\b[\]: ])"
)
_PAIR = r"\s*(- )?(?P<key>[\w.-]+)\s*[:=](\s|$)"
#: So many lines are looked at.
_LOOKED_AT = 1000


def form_of(text: str, name: str) -> tuple[Form | None, str]:
    """Return how a text is written, by its file's name and by its content; else None and what it looks like."""
    stem, suffix = _stem_and_suffix(name)
    by_name = _BY_SUFFIX.get(suffix)
    if (kind := recognise(text[:2048].encode("utf-8", "replace"))) is not None:
        return None, kind.name
    if by_name is Form.CSV:
        return Form.CSV, ""
    if by_name is not Form.JSONL and _names_columns(text):
        return Form.CSV, ""
    looks = _looks(text)
    if by_name is Form.JSONL:
        begins = text.lstrip()[:1]
        return (None, looks or "plain text") if begins and begins not in '{["' else (Form.JSONL, "")
    if looks == "JSON" and suffix not in (".txt", ".prompts"):
        return Form.JSONL, ""
    looks = looks or (_OTHERS_BY_STEM.get(stem, "") if suffix in ("", ".txt") else "")
    if by_name is Form.TEXT and not looks:
        return Form.TEXT, ""
    return None, looks or _OTHERS.get(suffix, f"what {suffix} files are")


def _stem_and_suffix(name: str) -> tuple[str, str]:
    """Cut a file's name at its last point, where the whole name of `.env` is a suffix: it is no name of prompts."""
    stem, point, suffix = name.casefold().rpartition(".")
    return (stem, point + suffix) if suffix and point else (stem or suffix, "")


def _names_columns(text: str) -> bool:
    """Say whether the first line is the heading of a CSV, whatever the file is called."""
    names = _dialect(text).heading
    return "prompt" in names or (len(names) > 1 and not _MAKING.isdisjoint(names) and KNOWN.issuperset(names))


def _looks(text: str) -> str:
    """Return what a text looks like that holds no prompts by the line; empty where nothing speaks against them."""
    lines = [line for line in islice(_lines(text[: 1 << 20]), _LOOKED_AT) if line.strip()]
    first = lines[0].strip() if lines else ""
    if re.fullmatch(r"\[[A-Za-z][\w.-]*\]", first):
        return "settings"
    if len(lines) > 1 and sum(re.match(_LOGGED, line) is not None for line in lines) * 2 > len(lines):
        return "a log"
    if first.startswith(("{", "[")) or _is_json_text(first):
        return "JSON"
    if first.startswith("#!"):
        return "a program"
    if re.fullmatch(r"---|%YAML.*", first):
        return "YAML or Markdown"
    if looks := looks_of_list(lines):
        return looks
    pairs = [re.match(_PAIR, line) for line in lines if not line.lstrip().startswith("#")]
    if pairs and pairs[0] and (pairs[0]["key"] in KNOWN or (len(pairs) > 1 and all(pairs))):
        return "YAML or settings"
    if looks := recognise_lines(lines):
        return looks
    if any(re.match(MARKDOWN, line) for line in lines):
        return "Markdown"
    return UNKNOWN_COLUMNS if is_table(lines, DELIMITERS) else ""


def _is_json_text(line: str) -> bool:
    if not line.startswith('"'):
        return False
    try:
        return isinstance(parse_json(line), str)
    except ValueError:
        return False


# --- JSON and plain text --------------------------------------------------------------------------------------------


def _lines(text: str) -> Iterator[str]:
    r"""Cut at `\n` and nothing else (drill B06); a file of old Macs, which has none, at `\r` (drill B01)."""
    cut = "\r" if "\n" not in text else "\n"
    begin = 0
    while (end := text.find(cut, begin)) >= 0:
        yield text[begin:end].removesuffix("\r")
        begin = end + 1
    yield text[begin:].removesuffix("\r")


def _json(text: str) -> _Given:
    begin = list(islice((line for line in _lines(text) if line.strip(_BLANK)), 2))
    if begin and _is_of_one_piece(begin[0], more=len(begin) > 1):
        yield from _values(text)
        return
    for number, line in enumerate(_lines(text), 1):
        if not line.strip(_BLANK):
            continue
        try:
            yield number, _row_of(parse_json(line))
        except json.JSONDecodeError as error:
            yield number, Wrong(f"This is not JSON: {error.msg} at character {error.pos + 1}.")
        except ValueError as error:
            yield number, Wrong(f"This is not JSON that can be used: {error}.")


def _is_of_one_piece(first: str, *, more: bool) -> bool:
    """Say whether the first line begins a list of rows, or an object that goes on in the next line."""
    try:
        value = parse_json(first)
    except json.JSONDecodeError as error:
        return more and first.lstrip()[:1] in ("{", "[") and error.pos >= len(first.rstrip())
    except ValueError:
        return False
    return not more and isinstance(value, list) and bool(value) and all(isinstance(item, dict | str) for item in value)


def _values(text: str) -> _Given:
    line, seen = 1, 0
    try:
        for place, value in parse_values(text):
            line, seen = line + text.count("\n", seen, place), place
            yield line, _row_of(value)
    except json.JSONDecodeError as error:
        yield (
            error.lineno,
            Wrong(f"This is not JSON: {error.msg} at character {error.colno}; nothing after it was read."),
        )
    except ValueError as error:
        yield line, Wrong(f"This or the next is not JSON that can be used: {error}; nothing after it was read.")


def _row_of(value: object) -> "Mapping[str, Any] | Wrong":
    if isinstance(value, str):
        return {"prompt": value}
    if isinstance(value, dict):
        return value
    kind = {list: "a list", bool: "true or false", type(None): "null"}.get(type(value), "a number")
    return Wrong(f"A row is an object or a text, not {kind}.")


def _text(text: str) -> _Given:
    for number, line in enumerate(_lines(text), 1):
        prompt = line.strip()
        if prompt and not prompt.startswith("#"):
            yield number, {"prompt": prompt}


# --- CSV ------------------------------------------------------------------------------------------------------------


class _Dialect(NamedTuple):
    """What is between cells, and the columns that the heading names so; `said` where a line of Excel's says it."""

    delimiter: str
    heading: list[str]
    said: bool = False


def _dialect(text: str) -> _Dialect:
    """Return the dialect in which the heading names the most columns that are known, of those the most columns."""
    blank = len(text) - len(text.lstrip("\r\n"))
    if found := re.match(r'"?sep=(.)"?\r?\n', text[blank : blank + 16], re.IGNORECASE):
        return _Dialect(found[1], _heading(text[blank + found.end() :], found[1]), said=True)
    found_ones = [_Dialect(delimiter, _heading(text[blank:], delimiter)) for delimiter in DELIMITERS]
    return max(found_ones, key=lambda one: (sum(map(KNOWN.__contains__, one.heading)), len(one.heading)))


def _heading(text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text[: 1 << 16], newline=""), delimiter=delimiter)
    try:
        cells = next((cells for cells in reader if any(cell.strip() for cell in cells)), [])
    except csv.Error:
        return []
    return [column_name(cell) for cell in cells]


def _csv(text: str) -> _Given:
    dialect = _dialect(text)
    # No universal newlines: a line break inside of quotes is part of the prompt, and U+2028 never ends a line.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=dialect.delimiter)
    heading: list[str] | None = None
    said = dialect.said
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # The reader is lost from here on, and says where it noticed, not where the row began (drill B03).
            why = "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)
            yield line, Wrong(f"The row that begins here cannot be read: {why}; nothing after it was read.")
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if said:
            said = False
        elif heading is None:
            heading = [column_name(cell) for cell in cells]
            if wrong := _bad_heading(heading):
                yield line, wrong
                return
        else:
            yield line, _cells(heading, cells)


def _cells(heading: list[str], cells: list[str]) -> "Mapping[str, Any] | Wrong":
    while len(cells) > len(heading) and not cells[-1].strip():
        cells = cells[:-1]  # a delimiter too many, as some spreadsheets end a line
    if len(cells) != len(heading):
        many = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
        return Wrong(f"The row that begins here has {many}, and the heading has {len(heading)}.")
    row = {name: cell for name, cell in zip(heading, cells, strict=True) if cell.strip()}
    return Wrong("There is something in a column that has no name.") if "" in row else row


def _bad_heading(heading: list[str]) -> Wrong | None:
    twice = next((name for name in heading if name and heading.count(name) > 1), None)
    if twice is not None:
        return Wrong(f"The column {twice!r} is there twice.")
    if KNOWN.isdisjoint(heading):
        names = ", ".join(repr(name[:40]) for name in heading[:10] if name)
        return Wrong(f"This is no heading: of its columns ({names}) none is a field, such as prompt or duration.")
    return None


READERS: Mapping[Form, Callable[[str], _Given]] = {Form.JSONL: _json, Form.CSV: _csv, Form.TEXT: _text}
