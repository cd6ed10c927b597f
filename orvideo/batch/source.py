"""Where the rows of a batch come from: a file or a stream, read to its end before anything else happens."""

import os
import stat
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple

from orvideo.errors import UsageError

STDIN = "-"
#: A list of prompts is never longer; an endless stream always is (drill B15).
MOST_BYTES = 64 * 1024**2
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Form(StrEnum):
    """How rows are written down."""

    JSONL = "jsonl"
    CSV = "csv"
    TEXT = "text"


_BY_SUFFIX = {
    ".jsonl": Form.JSONL, ".ndjson": Form.JSONL, ".json": Form.JSONL, ".csv": Form.CSV, ".txt": Form.TEXT,
    ".text": Form.TEXT, ".md": Form.TEXT,
}  # fmt: skip


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
    path: Path | None = None
    try:
        if spec == STDIN:
            data = stdin.read(MOST_BYTES + 1) if stdin is not None else b""
        else:
            with open(spec, "rb") as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    path = Path(os.path.realpath(spec))
                data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"The batch file {shown} cannot be read: {why}.") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"The batch in {shown} is too large: at most {MOST_BYTES // 1024**2} MiB are read.")
    text = _decoded(data, shown)
    return Source(shown, text, form or _BY_SUFFIX.get(Path(spec).suffix.casefold()) or _form_of(text), path)


def _decoded(data: bytes, shown: str) -> str:
    """Return the text without a byte order mark; raises UsageError with the line where it is no UTF-8."""
    if data.startswith(_UTF16):
        raise UsageError(f"{shown} is UTF-16; a batch is UTF-8.", hint="iconv -f UTF-16 -t UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{shown}, line {line}: the text is not UTF-8.", hint="iconv -f LATIN1 -t UTF-8") from None


def _form_of(text: str) -> Form:
    """Return how a text that has no telling name is written: JSON begins with a brace, a CSV names its columns."""
    from orvideo.batch.rows import column_name, is_known

    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if first.startswith(("{", '"')):
        return Form.JSONL
    columns = [column_name(cell) for cell in first.split(",")]
    return Form.CSV if len(columns) > 1 and all(map(is_known, columns)) else Form.TEXT
