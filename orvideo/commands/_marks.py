"""`orvideo jobs mark`: what a person thinks of jobs, from the line or from a file that the gallery's page gives out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._follow import find_jobs
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.ledger import Ledger
    from orvideo.record.values import Marking

#: The file of ten thousand jobs with long notes is not longer; an endless stream always is.
MOST_BYTES = 4 * 1024**2
#: So many wrong lines are told of; then no more are looked for.
_MOST_TOLD = 20
_NO_MARK = "-"


class MarkOptions(NamedTuple):
    """What jobs are marked as."""

    keep: Annotated[bool, typer.Option("--keep", help="Mark them as worth keeping.")] = False
    reject: Annotated[bool, typer.Option("--reject", help="Mark them as not worth keeping; no file is removed.")] = (
        False
    )
    clear: Annotated[bool, typer.Option("--clear", help="Remove mark and note, before what else is said.")] = False
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help="A note on them.")] = None
    file: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Read lines of a job, keep, reject or -, and a note, between tabs; - is stdin.",
        ),
    ] = None

    @property
    def said(self) -> tuple[str | None, str | None]:
        """The mark and the note that the line says; empty for none, None where it says nothing. Raises UsageError."""
        if self.keep and self.reject:
            raise UsageError("--keep and --reject exclude each other.")
        unsaid = "" if self.clear else None
        mark = "keep" if self.keep else "reject" if self.reject else unsaid
        return mark, unsaid if self.note is None else self.note


class _Line(NamedTuple):
    """A line of a file of marks; what it does not say is None."""

    number: int
    job: str
    mark: str | None = None
    note: str | None = None


def run_mark(context: Context, names: Sequence[str] | None, options: MarkOptions) -> None:
    """Mark jobs, all of them or none, and answer with their ids."""
    if options.file is None:
        markings = _of_line(context, names, options)
    elif names:
        raise UsageError("Jobs on the line and --from are two lists of jobs; one at a time.")
    else:
        markings = _of_file(context, options.file, options)
    ledger = context.ledger
    ledger.set_marks(markings)
    documents = []
    for marking in markings:
        record = ledger.get(marking.seq)
        context.terminal.answer(record.name)
        documents.append({"id": record.id, "handle": record.handle, "mark": record.mark, "note": record.note})
    context.terminal.document(documents)


def _of_line(context: Context, names: Sequence[str] | None, options: MarkOptions) -> list[Marking]:
    from orvideo.record.values import Marking

    mark, note = options.said
    if mark is None and note is None:
        raise UsageError(
            "It is not said what the jobs are to be marked as.", hint="add --keep, --reject, --clear or --note TEXT"
        )
    return [Marking(record.seq, mark, note) for record in find_jobs(context, names)]


def _of_file(context: Context, spec: str, options: MarkOptions) -> list[Marking]:
    """Return what a file says of jobs; a line with a job alone says what the command line does. Raises UsageError."""
    from orvideo.request.texts import STDIN, read_text

    said = options.said
    shown = "stdin" if spec == STDIN else spec
    stdin = getattr(context.environment.stdin, "buffer", None)
    text, _ = read_text(spec, stdin, "list of marks on" if spec == STDIN else "list of marks", MOST_BYTES)
    markings: dict[int, tuple[int, Marking]] = {}
    troubles: list[str] = []
    for line in _lines(text):
        try:
            marking = _marking(line, said, context.ledger)
            before, first = markings.setdefault(marking.seq, (line.number, marking))
            if first != marking:
                raise UsageError(f"{line.job} is the job of line {before}, which says otherwise.")
        except UsageError as error:
            troubles.append(f"line {line.number}: {error.message}")
        if len(troubles) == _MOST_TOLD:
            troubles.append("there may be more")
            break
    if troubles:
        raise UsageError("\n".join([f"{shown} cannot be used as it is; nothing was marked.", *troubles]))
    if not markings:
        raise UsageError(f"There is no job in {shown}.", hint="orvideo jobs mark --help")
    return [marking for _, marking in markings.values()]


def _lines(text: str) -> Iterator[_Line]:
    """Yield the lines that have a job: its name, and behind tabs (or spaces, where no tab is) a mark and a note."""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            cells = line.split("\t", 2) if "\t" in line.strip() else line.split(None, 2)
            job, mark, note = (*cells, None, None)[:3]
            yield _Line(number, str(job).strip(), mark.strip().casefold() if mark else None, note)


def _marking(line: _Line, said: tuple[str | None, str | None], ledger: Ledger) -> Marking:
    """Return what one line says of which job. Raises UsageError."""
    from orvideo.record.rows import mark_columns
    from orvideo.record.values import Marking

    mark, note = (line.mark or None, line.note) if line.mark or line.note else said
    if mark == _NO_MARK:
        mark = ""
    if mark is None and note is None:
        raise UsageError("it says no mark, and the command line none for it: add --keep or --reject.")
    marking = Marking(ledger.find(line.job).seq, mark, note)
    mark_columns(marking)
    return marking
