"""Where one output of a job can be downloaded from: signed URLs, the content endpoint, and other URLs of the job."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from orvideo.deadline import Deadline

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.download import Download
    from orvideo.api.schemas import Job
    from orvideo.clock import Clock

#: A signed URL that expires within so many seconds is not used.
FRESH_FOR = 30.0


class Source(NamedTuple):
    """One source of a video; `url` identifies it, `name` is for messages.

    `open(start, etag, deadline)` opens the bytes from an offset on, if the file still has that strong validator.
    """

    url: str
    name: str
    open: Callable[[int, str | None, Deadline], AbstractContextManager[Download]]


class Sources:
    """The sources of one output of a job, best first.

    A signed URL comes first while it is fresh, without the key; then the content endpoint, with it; then the unsigned
    URL of the job (api notes).
    """

    def __init__(self, client: Client, job_id: str, job: Job | None, index: int, clock: Clock) -> None:
        self._client, self._job_id, self._job = client, job_id, job
        self._index, self._clock = index, clock
        #: Whether the job's reply names an output, or is unknown; if not, the service may have made none (drill P06).
        self.names_outputs = job is None or job.output_count > 0

    def listed(self) -> list[Source]:
        """Return the sources by the latest reply."""
        client, job_id, index = self._client, self._job_id, self._index
        sources = [
            Source(
                "content", "The service's own place",
                lambda start, etag, deadline: client.content(job_id, index, start=start, etag=etag, deadline=deadline),
            )
        ]  # fmt: skip
        job = self._job
        if job is None:
            return sources
        signed, named = _at(job.urls, index), _at(job.unsigned_urls, index)
        if signed and (job.expires_at is None or job.expires_at - FRESH_FOR > self._clock.now().timestamp()):
            sources.insert(0, self._url_source(signed, "The storage's URL", signed=True))
        # The real service names the content endpoint here.
        if named and named != signed and not client.is_content_url(named, job_id, index):
            sources.append(self._url_source(named, "The URL that the job names", signed=False))
        return sources

    def refreshed(self, deadline: Deadline) -> list[Source]:
        """Ask for the job again and return its sources (drill D12). Raises OrvideoError."""
        self._job = self._client.job(self._job_id, deadline=deadline)
        return self.listed()

    def _url_source(self, url: str, name: str, *, signed: bool) -> Source:
        client = self._client
        return Source(
            url, name,
            lambda start, etag, deadline: client.fetch(url, start=start, etag=etag, signed=signed, deadline=deadline),
        )  # fmt: skip


def _at(urls: list[str | None] | None, index: int) -> str | None:
    return urls[index] if urls and index < len(urls) else None
