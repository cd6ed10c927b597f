"""`--receipt`: beside each saved video a file that says what it was made from and what it cost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orvideo.deadline import Deadline
from orvideo.errors import OrvideoError, OutputExists, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import Task
    from orvideo.record.values import Record


#: How long a receipt waits for the list of models, in seconds.
_PATIENCE = 5.0


def check_before_submit(context: Context, fetcher: Fetcher, *, wait: bool) -> None:
    """Refuse, before any money is spent, a receipt that could not be written after it."""
    from orvideo.download.receipts import receipt_path
    from orvideo.download.targets import Form, parse_target

    later = "orvideo jobs show JOB --receipt writes it later"
    if fetcher.spec_for_new_jobs is None or not wait:
        raise UsageError(
            "--receipt goes beside a video, and this line saves none.", hint=f"add --wait -o PATH; {later}"
        )
    spec = fetcher.spec_for_new_jobs
    # That it can be written was checked with the rest of what -o means.
    target = parse_target(spec, force=True, stdout_is_tty=context.terminal.out_is_tty)
    if target.is_stream:
        with fetcher.explained(spec):
            raise UsageError(f"--receipt goes beside a video, and the output {spec} leaves no file.", hint=later)
    receipt = receipt_path(target.folder / target.name)
    if target.form is Form.FILE and not fetcher.options.force and os.path.lexists(receipt):
        raise OutputExists(f"{receipt} exists already.", hint="name another file with -o, or overwrite with --force")


def write_receipts(context: Context, tasks: Sequence[Task], *, force: bool) -> list[OrvideoError]:
    """Write the receipts of all that is on this disk, also if the rest failed; return what went wrong."""
    errors = []
    catalogues = _Catalogues(context)
    for task in tasks:
        if task.paths and task.record is not None:
            try:
                write_receipt_of(context, task.record, force=force, catalogues=catalogues)
            except OrvideoError as error:
                error.seq = task.seq
                task.error = task.error or error
                errors.append(error)
    return errors


def write_receipt_of(
    context: Context, record: Record, *, force: bool, catalogues: _Catalogues | None = None
) -> list[Path]:
    """Write the receipt of each video of a job that is on this disk, and return their paths.

    Raises OutputExists where another file has the name, OutputUnwritable.
    """
    from orvideo.download.receipts import receipt_document, write_receipt

    now = context.ledger_to_read.get(record.seq)
    slug = (catalogues or _Catalogues(context)).slug(now)
    receipts = []
    for output in now.outputs:
        if output.path is not None and os.path.exists(output.path):
            document = receipt_document(now, output, canonical_slug=slug)
            receipts.append(write_receipt(Path(output.path), document, force=force))
            context.terminal.note(f"receipt {receipts[-1]}")
    return receipts


class _Catalogues:
    """The lists of models of the services that jobs live at; one that cannot be had now is asked for once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._missing: set[str] = set()

    def slug(self, record: Record) -> str | None:
        """Return the model's canonical slug; a receipt neither fails nor waits long because the list cannot be had."""
        context = self._context
        if record.model is None or record.endpoint in self._missing:
            return None
        deadline = Deadline.after(context.clock, context.deadline.left(_PATIENCE))
        try:
            service = context.service(record.place, needs_key=False)
            model = context.catalogue(service, deadline=deadline).get(record.model)
        except OrvideoError:
            self._missing.add(record.endpoint)
            return None
        return model.canonical_slug if model else None
