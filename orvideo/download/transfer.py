"""Bringing every byte of one video here: over as many attempts and from as many places as it takes.

A place yields the bytes from an offset on. What fails is tried again later, and meanwhile the places that were not
tried yet; but a place whose file can be gone on with is stayed with. An attempt that brings the video further than it
ever was resets the count; five in a row that do not are the end of a place (drill D01), except right after the end of
the job, when the service may not have the bytes everywhere yet (F-B06). No one place has all of the time while others
are left, nor ends the fetch (F-B03).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.deadline import Cancelled, Deadline
from orvideo.download import container, disk
from orvideo.download.container import BadContainer, Incomplete, NotAVideo
from orvideo.errors import (
    AuthError,
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
    Stalled,
    Unavailable,
    Unsafe,
    UsageError,
)

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.download import Download
    from orvideo.api.schemas import Job
    from orvideo.clock import Clock

#: A signed URL that dies within this many seconds is not begun with.
FRESH_FOR = 30.0
#: Attempts in a row that bring nothing new, before a place is left.
ATTEMPTS = 5
#: Seconds before a place is tried again, and before one that has refused is: twice as long each time, up to the last.
PAUSE, REFUSED_PAUSE, MOST_PAUSE = 0.5, 1.0, 8.0
#: The longest that a service's Retry-After is waited out here, in seconds.
LONGEST_PAUSE = 60.0
#: Where a pause does not fit into the time limit, the last attempts are made after this share of what is left.
BEFORE_THE_LAST = 0.75
#: So many bytes buy a place a second more, beyond its share of the time.
PACE = 1024
#: The largest file that is taken, in bytes, where nobody says otherwise (F-C03).
MAX_BYTES = 8 << 30
#: So many bytes are written before the disk is asked again whether it has room for as many more.
ROOM_STEP = 1 << 20
#: No file is announced with more bytes than this in earnest; such a length is unknown.
ABSURD = 1 << 40

#: Is told how many bytes are here, and of how many; a lower number than before says that it began again.
OnProgress = Callable[[int, int | None], None]


class Place(NamedTuple):
    """Where a video can be had from. `url` tells places apart, `name` is for a person.

    `open` begins at an offset, if the file is still the one that the strong validator names.
    """

    url: str
    name: str
    open: Callable[[int, str | None, Deadline], AbstractContextManager[Download]]


class Places:
    """The places that one output of a job can be had from, best first.

    Signed URLs come first while they are fresh, without the key; then the content endpoint, with it; then the URLs that
    the service names besides (api notes).
    """

    def __init__(
        self, client: Client, job_id: str, job: Job | None, index: int, clock: Clock, *, names_outputs: bool
    ) -> None:
        self._client, self._job_id, self._job = client, job_id, job
        self._index, self._clock = index, clock
        #: Whether a reply or the record names an output at all; if not, the service may have made none (drill P06).
        self.names_outputs = names_outputs

    def listed(self) -> list[Place]:
        client, job_id, index = self._client, self._job_id, self._index
        places = [
            Place(
                "content", "The service's own place",
                lambda start, etag, deadline: client.content(job_id, index, start=start, etag=etag, deadline=deadline),
            )
        ]  # fmt: skip
        job = self._job
        if job is None:
            return places
        signed, named = _at(job.urls, index), _at(job.unsigned_urls, index)
        # The real service names the content endpoint once more.
        if named and named != signed and not client.is_content_url(named, job_id, index):
            places.append(self._at_url(named, "The URL that the job names", signed=False))
        if signed:
            is_fresh = job.expires_at is None or job.expires_at - FRESH_FOR > self._clock.now().timestamp()
            # One of the two clocks may be wrong: what seems to have expired comes last.
            places.insert(0 if is_fresh else len(places), self._at_url(signed, "The storage's URL", signed=True))
        return places

    def refreshed(self, deadline: Deadline) -> list[Place]:
        """Look at the job again and return what it names now (drill D12). Raises OrvideoError."""
        fresh = self._client.job(self._job_id, deadline=deadline)
        if fresh.output_count:  # a stale look names nothing (drill P08)
            self._job = fresh
        return self.listed()

    def _at_url(self, url: str, name: str, *, signed: bool) -> Place:
        client = self._client
        return Place(
            url, name,
            lambda start, etag, deadline: client.fetch(url, start=start, etag=etag, signed=signed, deadline=deadline),
        )  # fmt: skip


def _at(urls: list[str | None] | None, index: int) -> str | None:
    return urls[index] if urls and index < len(urls) else None


class Bounds(NamedTuple):
    """How much and how long: the largest file in bytes, the seconds for which a refusal may only mean "not yet"
    (F-B06), and the first pause between attempts in seconds."""

    max_bytes: int = MAX_BYTES
    settle_seconds: float = 0.0
    pause: float = PAUSE


class Verdict(Enum):
    """What a place's trouble means: it may work later, it is of no use, or the fetch stops altogether."""

    WAIT = "wait"
    NEXT = "next"
    STOP = "stop"


class Cut(Exception):
    """An attempt ended before the video did; the text says how."""


class Silent(Cut):
    """A place has had its share of the time, and others are left."""


class NoRoom(OutputUnwritable):
    """A place announces more than the disk has room for."""


class TooLarge(NotFetched):
    """The service sends more than a person lets it."""


class Broken(NotFetched):
    """All bytes that the service has are here, and they are not a whole video."""


def judge_place(trouble: Exception, *, settling: bool = False, names_outputs: bool = True) -> Verdict:
    """Say what the trouble with a place means for a download.

    While `settling`, right after the end of the job, the service may not have the bytes everywhere yet: a refusal
    then only means "not yet" (F-B06), unless it counts the videos. No one place ends a fetch (F-B03): only this disk
    does, and not the length that a place announces.
    """
    if isinstance(trouble, OutputUnwritable):
        return Verdict.NEXT if isinstance(trouble, NoRoom) else Verdict.STOP
    if isinstance(trouble, Cut | Incomplete | Unavailable):
        return Verdict.WAIT
    not_yet = isinstance(trouble, NotFound | Forbidden | NotAVideo) or _status(trouble) in (416, 425)
    if settling and (not_yet or (isinstance(trouble, BadRequest) and not names_outputs and not _counts_none(trouble))):
        return Verdict.WAIT
    return Verdict.NEXT


@dataclass(eq=False, repr=False)
class _Trying:
    """A place that is left: how often it was asked, how often in a row in vain, and when it is asked again."""

    place: Place
    attempts: int = 0
    failures: int = 0
    due: float = 0.0
    is_silent: bool = False


class Transfer:
    """One video on its way here. `etag` and `total` are those under which its bytes came, None if unknown."""

    part: disk.Part
    _remember: Callable[[str | None, int | None], bool]
    _set_aside: Callable[[], Path | None]

    def __init__(
        self,
        places: Places,
        deadline: Deadline,
        bounds: Bounds,
        on_progress: OnProgress,
        on_warning: Callable[[str], None],
    ) -> None:
        self.deadline, self.on_warning = deadline, on_warning
        self._places, self._bounds, self._on_progress = places, bounds, on_progress
        self.etag: str | None = None
        self.total: int | None = None
        #: Whether a later process can go on with what is here.
        self.is_resumable = False
        self._damaged: Path | None = None
        self._now = deadline.clock.monotonic
        self._settle_until = self._now() + bounds.settle_seconds
        self._told_at = self._now() - 1.0
        self._room_checked_at = 0
        self._began_at = 0
        self._seen_damaged: tuple[int, str] | None = None
        self._furthest = 0
        self._had_bytes = False
        self._from: str | None = None
        self._reason: tuple[int, OrvideoError] | None = None
        self._said = ""
        self._is_last = False

    def resume(self, etag: str | None, total: int | None) -> None:
        """Go on with the bytes that are here."""
        self.etag, self.total, self.is_resumable = etag, total, etag is not None

    def run(
        self,
        part: disk.Part,
        *,
        remember: Callable[[str | None, int | None], bool] = lambda etag, total: False,
        set_aside: Callable[[], Path | None] = lambda: None,
    ) -> str:
        """Bring the video into `part` and return its kind.

        `remember` is told `etag` and `total` before the first byte under them and says whether a later process can go
        on with it; `set_aside` keeps a damaged file that is all there is, and returns its new path.

        Raises NotFetched (10), AuthError (4), BadReply (12), Unsafe (15), OutputUnwritable (14), Cancelled, and OSError
        where the disk fails. What was received is left where it is.
        """
        self.part, self._remember, self._set_aside = part, remember, set_aside
        self._furthest, self._had_bytes = part.size, bool(part.size)
        todo = [_Trying(place) for place in self._places.listed()]
        later: list[_Trying] = []
        tried: set[str] = set()
        is_fresh = not self._places.names_outputs
        while todo or later:
            trying = todo.pop(0) if todo else min(later, key=lambda one: one.due)
            if trying in later:
                self._wait_for(trying, later)
                later.remove(trying)
            tried.add(trying.place.url)
            trouble = self._try(trying, others=sum(not one.is_silent for one in (*todo, *later)))
            if trouble is None:
                return self.kind
            trying.is_silent = isinstance(trouble, Silent)
            verdict = self._verdict(trouble)
            is_worn = trying.failures >= ATTEMPTS
            if verdict is Verdict.WAIT and (not is_worn or self._may_come(trouble)):
                trying.due = self._now() + self._pause_after(trouble, trying.failures)
                later.append(trying)
            refused = isinstance(trouble, Rejected | AuthError | MoneyError)
            if not is_fresh and (refused or (not todo and (is_worn or verdict is Verdict.NEXT))):
                is_fresh = True
                fresh = self._refreshed()
                todo = todo if fresh is None else [_Trying(place) for place in fresh if place.url not in tried]
        assert self._reason is not None, "a place that is left has a reason"
        raise self._reason[1]

    # One place

    def _try(self, trying: _Trying, others: int) -> Exception | None:
        """Fetch from one place; return None when all is here, and otherwise what it was left for.

        `others` is how many places are left that may still answer: each of them is owed its share of the time.
        """
        place = trying.place
        if self._from not in (None, place.name):
            self.etag = None  # another place's validators are its own
        self._from = place.name
        while True:
            trying.attempts += 1
            had_bytes = self._had_bytes
            try:
                if self._is_all_here:
                    self._tell(at_once=True)
                else:
                    self._attempt(place, others)
                self.kind = self._checked()
                return None
            except (OrvideoError, BadContainer, Cut) as trouble:
                self._raise_if_over(trouble)
                verdict = self._verdict(trouble)
                if verdict is Verdict.STOP:
                    raise
                self._note(place, trouble, trying.attempts)
                if isinstance(trouble, NotAVideo | BadReply):
                    self.part.empty()
                    self._had_bytes = had_bytes
                # What stalls brings bytes as well, and would bring them for ever (F-B08).
                if self.part.size > self._furthest and not isinstance(trouble, Stalled):
                    trying.failures = 0
                else:
                    trying.failures += 1
                self._furthest = max(self._furthest, self.part.size)
                if trying.failures >= ATTEMPTS and isinstance(trouble, Incomplete):
                    said = f"The video could not be fetched in {trying.attempts} attempts: {trouble}."
                    self._note(place, self._broken(said), trying.attempts)
                pause = self._pause_after(trouble, trying.failures)
                fits = pause <= MOST_PAUSE and self.deadline.left(pause) >= pause
                can_go_on = self.etag is not None and self.part.size > 0 and not isinstance(trouble, Silent | Rejected)
                if verdict is Verdict.NEXT or trying.failures >= ATTEMPTS or not (can_go_on and fits):
                    return trouble
                self.deadline.sleep(pause)
                self._raise_if_over(trouble)

    def _verdict(self, trouble: Exception) -> Verdict:
        return judge_place(trouble, settling=self._is_settling, names_outputs=self._places.names_outputs)

    @property
    def _is_settling(self) -> bool:
        return self._now() < self._settle_until

    def _may_come(self, trouble: Exception) -> bool:
        """Return whether a place that has failed often may only be a place that has nothing yet."""
        return self._is_settling and (_status(trouble) is not None or not self._had_bytes)

    @property
    def _is_all_here(self) -> bool:
        return self.etag is not None and self.total is not None and 0 < self.total == self.part.size

    def _attempt(self, place: Place, others: int) -> None:
        """Bring what a place has, for as long as its share of the time, which what it brings makes longer."""
        share = Deadline(self.deadline.clock, self.deadline.at, of=self.deadline)
        if others and self.deadline.at is not None:
            share.at = self._now() + (self.deadline.at - self._now()) / (others + 1)
        # Without a validator nothing says that it would be the same file.
        asked = self.part.size if self.etag is not None else 0
        try:
            with place.open(asked, self.etag if asked else None, share) as stream:
                if stream.status == 416:
                    self._past_the_end(stream, asked)
                    return
                self._begin(stream, asked)
                for chunk in stream.chunks():
                    self._take(chunk)
                    self._tell()
                    self._raise_if_over()
                    if share.at is not None and self.deadline.at is not None:
                        share.at = min(share.at + len(chunk) / PACE, self.deadline.at)
        except Unavailable as trouble:
            if share.is_over and not self.deadline.is_over:
                raise Silent("too little came in its share of the time") from trouble
            raise
        size = self.part.size
        self._tell(at_once=True)
        if not size:
            raise Cut("the service sent an empty file")
        if self.total is not None and size < self.total:
            raise Cut(f"only {size} of {self.total} bytes arrived")

    def _past_the_end(self, stream: Download, asked: int) -> None:
        """Judge a 416: all is here, if the file is as long as what is here (drill D04)."""
        if stream.length != asked:
            self.part.empty()
            raise Cut("the service has no such part of the file")
        self.total = asked

    def _begin(self, stream: Download, asked: int) -> None:
        """Make what is here agree with what is about to arrive, or refuse it (drills D02, D03)."""
        begins = stream.start if stream.status == 206 else 0
        length = stream.length if stream.length is not None and stream.length < ABSURD else None
        other = begins and (
            begins != asked
            or (self.total is not None and length is not None and length != self.total)
            or stream.etag != self.etag
        )
        if begins != asked or other or not begins:
            self.part.empty()
        if other:
            self.etag = self.total = None
            raise Cut("the service sent another part than the one asked for")
        before = (self.etag, self.total)
        if not begins:
            self.etag, self.total = stream.etag, length
        elif length is not None:
            self.total = length
        self._began_at = begins
        if self.total is not None and self.total > self._bounds.max_bytes:
            raise self._too_large(f"has {self.total:,} bytes")
        self._check_room(None if self.total is None else self.total - self.part.size)
        if before != (self.etag, self.total) or not begins:
            self.is_resumable = self._remember(self.etag, self.total)
        self._tell(at_once=True)

    def _take(self, chunk: bytes) -> None:
        before = self.part.size
        if before + len(chunk) > self._bounds.max_bytes:
            raise self._too_large(f"goes on after {before:,} bytes")
        self.part.append(chunk)
        if before < container.HEAD <= self.part.size:
            container.refuse_text(self.part.read(container.HEAD, 0))
        self._had_bytes = True
        if self.total is not None and self.part.size > self.total:
            self.part.empty()
            raise Cut(f"the service sent more than the {self.total} bytes it announced")
        if self.part.size - self._room_checked_at >= ROOM_STEP:
            self._check_room(None)

    def _check_room(self, needed: int | None) -> None:
        self._room_checked_at = self.part.size
        try:
            disk.require_room(self.part.folder, needed, at_least=ROOM_STEP)
        except OutputUnwritable as error:
            if needed is None:
                raise
            raise NoRoom(error.message, hint=error.hint) from error

    def _checked(self) -> str:
        try:
            return container.check(self.part.read, self.part.size)
        except Incomplete as trouble:
            if self._began_at and self.total is None:
                raise  # the rest of it may follow
            # All that the service has is here: once may be an accident on the way, twice the same is the file itself.
            seen = (self.part.size, self.part.digest())
            if seen == self._seen_damaged:
                raise self._broken(f"The service's file is damaged: {trouble}.") from trouble
            self._seen_damaged = seen
            if self.total is not None:
                self.etag = None
            raise

    def _broken(self, message: str) -> Broken:
        """Return the error for a damaged file, which may be worth a look: it is all that the service has (R-B4)."""
        self._damaged = self._set_aside() or self._damaged
        self.etag = self.total = None
        return Broken(message if self._damaged is None else f"{message} What came is kept: {self._damaged}")

    def _too_large(self, why: str) -> TooLarge:
        self.part.empty()
        most = f"{self._bounds.max_bytes:,}"
        return TooLarge(f"The video {why}; more than {most} are not taken, and nothing of it is kept.")

    # Between places

    def _refreshed(self) -> list[Place] | None:
        """Look at the job again; None where that fails for whatever reason: the other places are left (R-A6)."""
        try:
            return self._places.refreshed(self.deadline)
        except OrvideoError as trouble:
            self._raise_if_over(trouble)
            return None

    def _note(self, place: Place, trouble: Exception, attempts: int) -> None:
        """Keep the reason that says the most of why there is no video.

        What a place answered says more than that one could not be reached; a damaged file that is kept says most, and
        a place that must not be used says least.
        """
        self._said = trouble.message if isinstance(trouble, OrvideoError) else f"{trouble}."
        error = self._told(trouble, attempts)
        if isinstance(trouble, Unsafe | UsageError):
            self.on_warning(f"{place.name} is not used: {trouble.message}")
            rank = 0
        elif isinstance(error, Broken | NoRoom):
            rank = 3
        else:
            rank = 2 if error.reply is not None or isinstance(error, BadReply | TooLarge) else 1
        if self._reason is None or rank >= self._reason[0]:
            self._reason = (rank, error)

    def _told(self, trouble: Exception, attempts: int) -> OrvideoError:
        """Return a trouble with a place, which said `self._said`, as what it is for the video."""
        reply, said = _reply(trouble), self._said
        error: OrvideoError
        if isinstance(trouble, NotAVideo):
            error = BadReply(f"The service sent something else than a video: {said}")
        elif isinstance(trouble, NotReadyYet):
            error = NotFetched(f"The service does not have the video ready yet: {said}", reply=reply)
        elif isinstance(trouble, Cut | Incomplete | Unavailable):
            count = f"{attempts} attempts" if attempts > 1 else "one attempt"
            error = NotFetched(f"The video could not be fetched in {count}: {said}", reply=reply)
        elif self._says_there_is_none(trouble):
            error = NoOutput("The service made no video; its filter may have stopped it.", reply=reply)
        elif isinstance(trouble, Rejected | MoneyError):
            gone = " The bytes may have expired at the provider." if _status(trouble) in (404, 410) else ""
            error = NotFetched(f"The video could not be fetched: {said}{gone}", reply=reply)
        else:
            assert isinstance(trouble, OrvideoError), "what is caught is one of these"
            return trouble
        error.__cause__ = trouble
        return error

    def _says_there_is_none(self, trouble: Exception) -> bool:
        """Whether the service itself, and not a page on the way (finding A09), says that nothing was made."""
        reply = _reply(trouble)
        own = isinstance(trouble, NotFound | BadRequest) and reply is not None and reply.own
        return own and not self._places.names_outputs and not self._had_bytes

    # Time

    def _pause_after(self, trouble: Exception, failures: int) -> float:
        """Return for how many seconds a place is left alone after so many failures in a row."""
        first, reply = REFUSED_PAUSE if isinstance(trouble, Rejected) else self._bounds.pause, _reply(trouble)
        pause = min(first * 2.0 ** min(max(failures - 1, 0), 9), MOST_PAUSE)
        if self._is_settling:
            pause = min(pause, self._settle_until - self._now())
        asked_for = reply.retry_after or 0.0 if reply is not None else 0.0
        return max(pause, min(asked_for, LONGEST_PAUSE))

    def _wait_for(self, trying: _Trying, later: list[_Trying]) -> None:
        """Wait until a place is to be tried again; where the time ends before, all are tried a last time within it."""
        pause = max(0.0, trying.due - self._now())
        if (left := self.deadline.left(pause)) < pause and not self.deadline.is_cancelled:
            if self._is_last:
                raise self._too_late()
            self._is_last = True
            pause = left * BEFORE_THE_LAST
            for one in later:
                one.due = 0.0
        self.deadline.sleep(pause)
        self._raise_if_over()

    def _raise_if_over(self, cause: Exception | None = None) -> None:
        if self.deadline.is_cancelled:
            raise Cancelled from cause
        if self.deadline.is_over:
            raise self._too_late() from cause

    def _too_late(self) -> NotFetched:
        if not self.deadline.is_over:
            return NotFetched(f"The time limit leaves no time for another attempt at the video. {self._said}".rstrip())
        of = f" of {self.total}" if self.total is not None else ""
        if self.part.size:
            return NotFetched(f"The time limit ended in the middle of the download, after {self.part.size}{of} bytes.")
        return NotFetched(f"The time limit ended before the video began to arrive. {self._said}".rstrip())

    def _tell(self, *, at_once: bool = False) -> None:
        now = self._now()
        if at_once or now - self._told_at >= 0.05:
            self._told_at = now
            self._on_progress(self.part.size, self.total)


def _reply(trouble: Exception | None) -> ServiceReply | None:
    return trouble.reply if isinstance(trouble, OrvideoError) else None


def _counts_none(trouble: Exception) -> bool:
    """Whether it is the service's "Video index 0 out of range (0 videos available)": that is no "not yet" (D10)."""
    reply = _reply(trouble)
    return reply is not None and reply.own and "(0 videos available)" in reply.message


def _status(trouble: Exception) -> int | None:
    reply = _reply(trouble)
    return None if reply is None else reply.status
