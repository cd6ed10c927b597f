"""Where the rows of a batch come from: a file or a stream, read to its end before anything else happens."""

from pathlib import Path
from typing import BinaryIO, NamedTuple

from orvideo import shells
from orvideo.batch.formats import UNKNOWN_COLUMNS, Form, form_of
from orvideo.errors import UsageError
from orvideo.request.lists import NO_HEADING, NUMBERED, names_files
from orvideo.request.texts import STDIN, read_text

#: A list of prompts is never longer; an endless stream always is (drill B15).
MOST_BYTES = 64 * 1024**2


class Source(NamedTuple):
    """A batch file's text, and what it is called. `path` is its real path, None for a stream, which has none."""

    shown: str
    text: str
    form: Form
    path: Path | None

    @property
    def folder(self) -> Path:
        """The folder that the row's local files are looked for in (drill I07)."""
        return self.path.parent if self.path is not None else Path.cwd()


def read_source(spec: str, stdin: BinaryIO | None, form: Form | None = None) -> Source:
    """Read all of a file, or of stdin for `-`, and find out how it is written. Raises UsageError.

    A stream other than stdin (a FIFO, `/dev/fd/63`) is read to its end as well and has no path either.
    """
    shown = "stdin" if spec == STDIN else spec
    text, path = read_text(spec, stdin, "batch on" if spec == STDIN else "batch file", MOST_BYTES)
    looks = ""
    if form is None:
        form, looks = form_of(text, "" if spec == STDIN else Path(spec).name)
        folders = [Path(), *([path.parent] if path is not None else ())]
        if form is Form.TEXT and names_files(text[: 1 << 16].split("\n"), folders):
            form, looks = None, "a list of files"
    if form is None:
        raise UsageError(f"{shown} looks like {looks}, and is not read as a batch by itself.", hint=_hint(looks, spec))
    return Source(shown, text, form, path)


def _hint(looks: str, spec: str) -> str:
    if "YAML" in looks and "Markdown" not in looks:
        return f"{shells.yaml_to_rows(spec)} (or --format text: each line is a prompt)"
    if looks == NUMBERED:
        return f"{shells.without_numbers(spec)} (or --format text: each line is a prompt)"
    if looks in (UNKNOWN_COLUMNS, NO_HEADING):
        return "name the column of the prompts prompt; or --format text takes each line for a prompt"
    if looks == "JSON":
        return "--format jsonl reads it as rows, --format text takes each line for a prompt"
    return "rows are JSON lines, CSV, or plain text with a prompt a line; --format jsonl, csv or text says which"
