"""Recovering the ids of jobs whose command was killed between the answer and the id on record.

The raw answer is on disk before it is parsed (drill M09); the next process that opens the record reads the id from it,
by the same rules as the command itself (drill J01).
"""

from __future__ import annotations

from contextlib import suppress

from orvideo.errors import RecordError
from orvideo.record.ledger import MAX_ANSWER, Ledger
from orvideo.record.values import Record


def recover_ids(ledger: Ledger) -> list[Record]:
    """Record the ids in kept answers, and return the jobs that have one now."""
    if ledger.read_only:
        return []
    recovered: list[Record] = []
    for record in ledger.list(unknown=True):
        # A cut answer could have another id in the missing part.
        if record.answer and record.answer_status in range(200, 300) and len(record.answer) < MAX_ANSWER:
            from orvideo.api.acceptance import job_in_body

            with suppress(RecordError):
                if (job := job_in_body(record.answer)) is not None:
                    ledger.submitted(
                        record.seq, job.id, status=job.status, generation_id=job.generation_id, extra=job.extra
                    )
                    recovered.append(ledger.get(record.seq))
    return recovered
