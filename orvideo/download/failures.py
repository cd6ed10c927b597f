"""Failures of download sources: what to do next, and the error that is shown."""

from __future__ import annotations

from enum import Enum

from orvideo.download.container import Incomplete, NotAVideo
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


class Verdict(Enum):
    """What to do after a failure: retry the source, go to the next one, or stop the download."""

    WAIT = "wait"
    NEXT = "next"
    STOP = "stop"


class Cut(Exception):
    """An attempt ended before the video was complete; the text says how."""


class TooLarge(NotFetched):
    """The video is larger than the limit."""


class Broken(NotFetched):
    """All bytes of the service are here, and they are no complete video."""


def judge_source_error(trouble: Exception, *, settling: bool = False, names_outputs: bool = True) -> Verdict:
    """Return what to do after a failure of a source.

    While `settling`, right after the end of the job, a refusal may only mean that the service does not have the video
    everywhere yet (F-B06). No source ends a download (F-B03), only this disk does.
    """
    if isinstance(trouble, OutputUnwritable):
        return Verdict.STOP
    if isinstance(trouble, Cut | Incomplete | Unavailable):
        return Verdict.WAIT
    not_yet = isinstance(trouble, NotFound | Forbidden) or status_of(trouble) in (416, 425)
    if settling and (not_yet or (isinstance(trouble, BadRequest) and not names_outputs)):
        return Verdict.WAIT
    return Verdict.NEXT


def shown_error(trouble: Exception, said: str, attempts: int, *, may_have_no_output: bool) -> OrvideoError:
    """Return the error to show for a failure of a source, whose message is `said`.

    `may_have_no_output`: the job names no output and no byte has come, so there may be no video (drill P06).
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
    elif isinstance(trouble, NotFound | BadRequest) and may_have_no_output:
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


def status_of(trouble: Exception) -> int | None:
    reply = reply_of(trouble)
    return None if reply is None else reply.status
