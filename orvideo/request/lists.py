"""Lines that are no prompts, by the line or all together: lists, tables, Markdown (finding A02)."""

import csv
import os
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

NUMBERED = "a list with numbers"
NO_HEADING = "a CSV without a heading"
DELIMITERS = ",;\t|"
MARKDOWN = r"\s{0,3}(```|~~~|#{2,6} |[*+>-] |[\u2022\u25e6\u25aa\u2023\u25cf]\s|\|.*\|\s*$|!\[|={3,}\s*$|-{3,}\s*$)"
_NUMBER = r"\s*\(?(\d{1,4})(?:[.):]+\s+|[.)])(?=[^\d\s])"
#: What an assistant says before the prompts that it was asked for.
_ANSWER = (
    r"((sure|certainly|of course|absolutely|okay|great)\b[^:]{0,40})?\b(here|below)( are| is|['\u2019]s)\b|"
    r"(sure|certainly|of course|absolutely)\b[!,.]|voici\b|hier (sind|ist)\b|aqu\u00ed (tienes|est\u00e1n?)\b"
)
#: What one says after them.
_OFFER = r"(let me know if|would you like me to|feel free to|i hope (this|these)|hope (this|these)) "
_ASKED_FOR = r"\b(prompts?|ideas?|lists?|id\u00e9es|ideen|ideas)\b"
#: So many names are looked for on the disk, and so much of a line is cut into cells.
_LOOKED_FOR = 200
_LONGEST = 2000


def looks_of_list(lines: Sequence[str]) -> str:
    """Return what kind of list lines are whose lines are no prompts as they stand; empty where they may be."""
    said = [line for line in lines if not line.startswith("#")]
    numbers = [int(found[1]) if (found := re.match(_NUMBER, line)) else None for line in said]
    known = [number for number in numbers if number is not None]
    answers = len(said) > 1 and (is_answer(said[0]) or re.match(_OFFER, said[-1].strip(), re.IGNORECASE) is not None)
    in_order = len(known) > 1 and all(after == one + 1 for one, after in pairwise(known))
    if in_order and (answers or len(known) * 2 > len(said)):
        return NUMBERED
    if answers:
        return "the answer of an assistant"
    return NO_HEADING if has_no_heading(said) else ""


def is_answer(line: str) -> bool:
    """Say whether a line leads to prompts that somebody was asked for: "Here are five prompts:"."""
    bare = line.strip()
    if not bare.endswith(":") or not re.match(_ANSWER, bare, re.IGNORECASE):
        return False
    return re.search(_ASKED_FOR, bare, re.IGNORECASE) is not None


def has_no_heading(lines: Sequence[str]) -> bool:
    """Say whether most lines have as many cells, three at least, and a number or a quoted text always in one place."""
    for delimiter in ",;\t":
        kinds = [_cell_kinds(line, delimiter) for line in lines]
        for many in {len(kind) for kind in kinds if len(kind) > 2}:
            alike = [kind for kind in kinds if len(kind) == many]
            if len(alike) > 1 and len(alike) * 2 > len(lines) and any(map(all, zip(*alike, strict=True))):
                return True
    return False


def _cell_kinds(line: str, delimiter: str) -> list[bool]:
    """Return of each cell of a line whether it is a bare number or quoted."""
    sign = re.escape(delimiter)
    cells = re.findall(rf'(?:^|{sign})("(?:[^"]|"")*"(?={sign}|$)|[^{sign}]*)', line.strip()[:_LONGEST])
    return [re.fullmatch(r'".*"|-?\d+([.,]\d+)?', cell) is not None for cell in cells]


def is_table(lines: Sequence[str], delimiters: str) -> bool:
    """Say whether all lines have as many cells; with commas, below a line of single words as headings are."""
    for delimiter in delimiters if len(lines) > 1 else "":
        if delimiter not in lines[0]:
            continue
        # Prose has a space after a comma; a heading has none, and no cell of it is a sentence.
        if delimiter == "," and not re.fullmatch(r"[^,]{1,30}(,[^\s,][^,]{0,29})*,?", lines[0].strip()):
            continue
        try:
            counts = {len(cells) for cells in csv.reader(lines, delimiter=delimiter, strict=True)}
        except csv.Error:
            continue
        if len(counts) == 1:
            return True
    return False


def names_files(lines: Iterable[str], folders: Sequence[Path]) -> bool:
    """Say whether most lines are the names of what is in one of these folders, as a listing of it is."""
    said = [line.strip() for line in lines if line.strip() and not line.startswith("#")][:_LOOKED_FOR]
    return len(said) > 1 and sum(_is_there(name, folders) for name in said) * 2 > len(said)


def _is_there(name: str, folders: Sequence[Path]) -> bool:
    try:
        return any(os.path.exists(folder / name) for folder in folders)
    except (OSError, ValueError):
        return False


def looks_of_prompt(lines: Sequence[str]) -> str:
    """Return what the lines of one prompt look like that are none; a list may well be the shots of one film."""
    said = [line for line in lines if line.strip()]
    if not said:
        return ""
    cells = [re.sub(r"[\"\s]", "", cell).casefold() for cell in re.split(r"[,;\t|]", said[0])]
    if len(said) > 1 and "prompt" in cells:
        return "a CSV"
    if has_no_heading(said) or is_table(said, "\t"):
        return "a CSV or a table"
    if any(re.match(r"\s{0,3}(```|~~~)|\s*\|[\s:|-]*--[\s:|-]*\|\s*$", line) for line in said):
        return "Markdown"
    if re.match(r"\[\s*'[^']*'\s*[,\]]", said[0]):
        return "a list in a program"
    return "the answer of an assistant" if is_answer(said[0]) else ""
