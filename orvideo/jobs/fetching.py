"""Bringing a finished job's videos to this disk: where the bytes are, in which order to ask, and what to record.

Signed URLs come first while they are fresh, without the key; then the URLs the service names as its own, then the
content endpoint (api notes). `saving.save` does the rest: it only sees a source that can be opened at an offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orvideo.clock import Clock

if TYPE_CHECKING:
    from orvideo.api.client import Client, Download
    from pathlib import Path

    from orvideo.api.schemas import Job
    from orvideo.jobs.records import Record

Open = Callable[[int, "str | None"], "AbstractContextManager[Download]"]

#: A signed URL that dies within this many seconds is not begun with.
FRESH_FOR = 30.0


@dataclass
class Sources:
    """The places that one output of a job can be had from, best first; each is offered once."""

    client: Client
    job: Job
    index: int
    clock: Clock

    def __post_init__(self) -> None:
        self._places = self._in_order()

    def next(self) -> Open | None:
        """Return the next best place, None when there is none left."""
        return next(self._places, None)

    def refresh(self) -> Open | None:
        """Look at the job again, since its URLs may have expired, and start over with what it names now (D12)."""
        self.job = self.client.job(self.job.id)
        self._places = self._in_order()
        return self.next()

    def _in_order(self) -> Iterator[Open]:
        job, index = self.job, self.index
        signed = _at(job.urls, index)
        if signed and (job.expires_at is None or job.expires_at - FRESH_FOR > self.clock.now().timestamp()):
            yield lambda start, etag: self.client.fetch(signed, start=start, etag=etag)
        yield lambda start, etag: self.client.content(job.id, index, start=start, etag=etag)


def _at(urls: list[str | None] | None, index: int) -> str | None:
    return urls[index] if urls and index < len(urls) else None


def outputs_of(job: Job) -> range:
    """Return the indexes of a job's outputs; a job that names none is tried at index 0 (drill P06)."""
    return range(max(job.output_count, 1))


class Saving:
    """Where the videos of one command go: decided before money is spent, done when a job is finished."""

    def __init__(self, spec: str | None, *, always: bool = False) -> None:
        self.spec = spec
        self.always = always
        self.paths: list[Path] = []

    @property
    def wanted(self) -> bool:
        return self.spec is not None or self.always

    @property
    def remembered(self) -> str | None:
        return self.spec

    def check_before_submit(self, *, wait: bool) -> None: ...

    def check(self, records: Sequence[Record]) -> None: ...

    def is_here(self, record: Record) -> bool:
        return False

    def save(self, record: Record, job: Job) -> None: ...
