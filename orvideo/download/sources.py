"""The sources of a download (signed URL, content endpoint, unsigned URL), and the meaning of their failures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from orvideo.container import Incomplete, NotAVideo
from orvideo.deadline import Deadline
from orvideo.errors import (
    BadReply,
    BadRequest,
    Forbidden,
    MoneyError,
    NoOutput,
    NotFetched,
    NotFound,
    NotReadyYet,
    OrvideoError,
    OutputUnwritable,
    Rejected,
    ServiceReply,
    Unavailable,
)

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.download import Download
    from orvideo.api.values import Job
    from orvideo.clock import Clock

#: So often the service itself must refuse a video that no reply names before it is believed to have made none (P06).
REFUSALS_OF_NONE = 3
#: A signed URL that expires within so many seconds is used last.
MIN_URL_LIFETIME = 30.0


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

    def __init__(
        self, client: Client, job_id: str, job: Job | None, index: int, clock: Clock, *, names_outputs: bool
    ) -> None:
        self._client, self._job_id, self._job = client, job_id, job
        self._index, self._clock = index, clock
        #: Whether a reply or the record names an output; if not, the service may have made none (drill P06).
        self.names_outputs = names_outputs

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
        # The real service names the content endpoint here.
        if named and named != signed and not client.is_content_url(named, job_id, index):
            sources.append(self._url_source(named, "The URL that the job names", signed=False))
        if signed:
            is_fresh = job.expires_at is None or job.expires_at - MIN_URL_LIFETIME > self._clock.now().timestamp()
            # One of the two clocks may be wrong: a URL that seems to have expired comes last.
            sources.insert(0 if is_fresh else len(sources), self._url_source(signed, "The storage's URL", signed=True))
        return sources

    def refreshed(self, deadline: Deadline) -> list[Source]:
        """Ask for the job again and return its sources (drill D12). Raises OrvideoError."""
        fresh = self._client.job(self._job_id, deadline=deadline)
        if fresh.output_count:  # a stale reply names nothing (drill P08)
            self._job = fresh
        return self.listed()

    def _url_source(self, url: str, name: str, *, signed: bool) -> Source:
        client = self._client
        return Source(
            url, name,
            lambda start, etag, deadline: client.fetch(url, start=start, etag=etag, signed=signed, deadline=deadline),
        )  # fmt: skip


def _at(urls: list[str | None] | None, index: int) -> str | None:
    return urls[index] if urls and index < len(urls) else None


class Verdict(Enum):
    """What to do after a failure: retry the source later, go to the next one for good, or stop the download."""

    RETRY = "retry"
    NEXT = "next"
    STOP = "stop"


class Cut(Exception):
    """An attempt ended before the video was complete; the text says how."""


class TooSlow(Cut):
    """A source has had its share of the time, and others are left."""


class NoRoom(OutputUnwritable):
    """A source announces more than the disk has room for."""


class TooLarge(NotFetched):
    """The video is larger than the limit."""


class DamagedVideo(NotFetched):
    """All bytes of the service are here, and they are no complete video."""


def judge_source_error(trouble: Exception, *, settling: bool = False, names_outputs: bool = True) -> Verdict:
    """Return what to do after a failure of a source.

    While `settling`, right after the end of the job, a refusal may only mean that the service does not have the video
    everywhere yet (F-B06), unless it counts the videos. No source ends a download (F-B03): only this disk does, and
    not the length that a source announces.
    """
    if isinstance(trouble, OutputUnwritable):
        return Verdict.NEXT if isinstance(trouble, NoRoom) else Verdict.STOP
    if isinstance(trouble, Cut | Incomplete | Unavailable):
        return Verdict.RETRY
    not_yet = isinstance(trouble, NotFound | Forbidden | NotAVideo) or status_of(trouble) in (416, 425)
    if settling and (not_yet or (isinstance(trouble, BadRequest) and not names_outputs and not counts_none(trouble))):
        return Verdict.RETRY
    return Verdict.NEXT


def shown_error(trouble: Exception, said: str, attempts: int, *, made_none: bool) -> OrvideoError:
    """Return the error to show for a failure of a source, whose message is `said`.

    `made_none`: the service has said often enough that there is no video (drill P06).
    """
    reply = reply_of(trouble)
    error: OrvideoError
    if isinstance(trouble, NotAVideo):
        error = BadReply(f"The service sent something else than a video: {said}")
    elif isinstance(trouble, NotReadyYet):
        error = NotFetched(f"The service does not have the video ready yet: {said}", reply=reply)
    elif isinstance(trouble, Cut | Incomplete | Unavailable):
        count = f"{attempts} attempts" if attempts > 1 else "one attempt"
        error = NotFetched(f"The video could not be fetched in {count}: {said}", reply=reply)
    elif made_none:
        error = NoOutput("The service made no video; its filter may have stopped it.", reply=reply)
    elif isinstance(trouble, Rejected | MoneyError):
        gone = " The bytes may have expired at the provider." if status_of(trouble) in (404, 410) else ""
        error = NotFetched(f"The video could not be fetched: {said}{gone}", reply=reply)
    else:
        assert isinstance(trouble, OrvideoError), "only these are caught"
        return trouble
    error.__cause__ = trouble
    return error


def reply_of(trouble: Exception | None) -> ServiceReply | None:
    return trouble.reply if isinstance(trouble, OrvideoError) else None


def says_none(trouble: Exception) -> bool:
    """Return whether the service itself, and not a page on the way (finding A09), may say that it made no video."""
    reply = reply_of(trouble)
    return isinstance(trouble, NotFound | BadRequest) and reply is not None and reply.own


def counts_none(trouble: Exception) -> bool:
    """Return whether the service says "Video index 0 out of range (0 videos available)", not "not yet" (D10)."""
    reply = reply_of(trouble)
    return reply is not None and reply.own and "(0 videos available)" in reply.message


def status_of(trouble: Exception) -> int | None:
    reply = reply_of(trouble)
    return None if reply is None else reply.status
