"""Bringing every byte of one video here, over as many attempts as it takes: resumed, restarted, or given up on.

Two sides meet here. A place (`Open`) yields the bytes from an offset on; a `Landing` takes them. An attempt that
brings the video further than it ever was resets the count; five in a row that do not end the transfer (drill D01).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from orvideo.clock import Clock
from orvideo.download.container import Incomplete, Kind, NotAVideo
from orvideo.errors import AuthError, BadReply, MoneyError, NotFetched, NotReadyYet, OrvideoError, Rejected, Unavailable

#: Attempts in a row that bring nothing new, before the transfer is given up.
ATTEMPTS = 5
#: Seconds before the next attempt, by how many brought nothing.
PAUSES = (0.5, 1.0, 2.0, 4.0)
#: The longest that a service's Retry-After is waited out here, in seconds.
LONGEST_PAUSE = 60.0


class Stream(Protocol):
    """An opened download, as `api.client.Download` is: bytes that really begin at `start`; unknowns are None."""

    @property
    def status(self) -> int: ...

    @property
    def start(self) -> int: ...

    @property
    def length(self) -> int | None: ...

    @property
    def etag(self) -> str | None: ...

    def chunks(self) -> Iterator[bytes]: ...


#: Opens a download at an offset, if it is still the file that the strong validator names.
Open = Callable[[int, str | None], AbstractContextManager[Stream]]
#: Names another place for the same bytes; None when there is none.
Another = Callable[[], Open | None]
#: Is told how many bytes are here, and of how many; a lower number than before says that it began again.
OnProgress = Callable[[int, int | None], None]


class Landing(Protocol):
    """Where the bytes go."""

    #: How many bytes are here; the next ones begin at this offset.
    @property
    def size(self) -> int: ...

    def restart(self) -> None:
        """Begin again at 0."""

    def expect(self, etag: str | None, total: int | None) -> None:
        """Make ready for bytes under this validator, and for this many in all."""

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises NotAVideo as soon as they are none."""

    def check(self) -> Kind:
        """Look at the whole. Raises NotAVideo and Incomplete."""

    def digest(self) -> str:
        """Return the sha256 of all that is here."""


class _Cut(Exception):
    """An attempt ended before the video did; the text says how."""


class Broken(NotFetched):
    """All bytes that the service has are here, and they are not a whole video."""


@dataclass(eq=False, repr=False)
class Transfer:
    """One video on its way. `deadline` is in the seconds of `clock.monotonic`."""

    place: Open
    landing: Landing
    refresh: Another | None = None
    others: Another | None = None
    on_progress: OnProgress = lambda done, total: None
    clock: Clock = field(default_factory=Clock)
    deadline: float | None = None
    pauses: Sequence[float] = PAUSES
    etag: str | None = None
    total: int | None = None

    def __post_init__(self) -> None:
        self._failures = 0
        self._furthest = self.landing.size
        self._told_at = self.clock.monotonic() - 1.0
        self._damaged: str | None = None
        self._reason: OrvideoError | None = None

    def run(self) -> Kind:
        """Bring the video here and return what it is.

        Raises NotFetched (10), AuthError (4), BadReply (12), and whatever the landing raises when it cannot take the
        bytes. What was received is left where it is.
        """
        here = self.total is not None and self.landing.size == self.total and self.total > 0
        while True:
            try:
                if here:
                    self._tell(at_once=True)
                else:
                    self._attempt()
                return self._checked()
            except (Unavailable, _Cut, Incomplete) as trouble:
                self._go_on_after(trouble)
            except (Rejected, AuthError, MoneyError) as refusal:
                self._go_on_elsewhere(refusal)
            except NotAVideo as trouble:
                self._leave_nonsense(BadReply(f"The service sent something else than a video: {trouble}."), trouble)
            except BadReply as reply:
                self._leave_nonsense(reply)
            here = False

    def _attempt(self) -> None:
        self._check_deadline()
        if self.landing.size and self.etag is None:
            self.landing.restart()  # without a validator nothing says that it would be the same file
        asked = self.landing.size
        with self.place(asked, self.etag if asked else None) as stream:
            if stream.status == 416:
                self._past_the_end(stream, asked)
                return
            self._begin(stream, asked)
            for chunk in stream.chunks():
                self.landing.write(chunk)
                if self.total is not None and self.landing.size > self.total:
                    self.landing.restart()
                    raise _Cut(f"the service sent more than the {self.total} bytes it announced")
                self._tell()
                self._check_deadline()
        size = self.landing.size
        self._tell(at_once=True)
        if not size:
            raise _Cut("the service sent an empty file")
        if self.total is not None and size < self.total:
            raise _Cut(f"only {size} of {self.total} bytes arrived")

    def _past_the_end(self, stream: Stream, asked: int) -> None:
        """Judge a 416: all is here, if the file is as long as what is here (drill D04)."""
        if stream.length != asked:
            self.landing.restart()
            raise _Cut("the service has no such part of the file")
        self.total = asked

    def _begin(self, stream: Stream, asked: int) -> None:
        """Make the landing agree with what is about to arrive, or refuse it (drills D02, D03)."""
        begins = stream.start if stream.status == 206 else 0
        other = begins and (
            begins != asked
            or (self.total is not None and stream.length is not None and stream.length != self.total)
            or (stream.etag is not None and stream.etag != self.etag)
        )
        if begins != asked or other:
            self.landing.restart()
        if other:
            self.etag = self.total = None
            raise _Cut("the service sent another part than the one asked for")
        if not begins:
            self.etag, self.total = stream.etag, stream.length
        elif stream.length is not None:
            self.total = stream.length
        self.landing.expect(self.etag, self.total)
        self._tell(at_once=True)

    def _checked(self) -> Kind:
        try:
            return self.landing.check()
        except Incomplete as trouble:
            if self.total is None:
                raise
            # All that was announced is here: once may be an accident on the way, twice the same is the file itself.
            digest = self.landing.digest()
            if digest == self._damaged:
                raise Broken(f"The service's file is damaged: {trouble}.") from trouble
            self._damaged = digest
            self.etag = None
            raise

    def _go_on_after(self, trouble: Exception) -> None:
        """Pause before the next attempt, or give up."""
        if self.landing.size > self._furthest:
            self._furthest = self.landing.size
            self._failures = 0
        else:
            self._failures += 1
        if self._failures >= ATTEMPTS:
            said = trouble.message if isinstance(trouble, OrvideoError) else f"{trouble}."
            kind = Broken if isinstance(trouble, Incomplete) else NotFetched
            reply = trouble.reply if isinstance(trouble, OrvideoError) else None
            message = f"The video could not be fetched in {ATTEMPTS} attempts: {said}"
            if isinstance(trouble, NotReadyYet):
                message = f"The service does not have the video ready yet: {said}"
            error = kind(message, reply=reply)
            error.__cause__ = trouble
            self._leave(error, self.others, self.refresh)
            return
        self._pause(trouble)

    def _pause(self, trouble: Exception) -> None:
        reply = trouble.reply if isinstance(trouble, OrvideoError) else None
        seconds = self.pauses[min(max(self._failures, 1), len(self.pauses)) - 1]
        if reply is not None and reply.retry_after is not None:
            seconds = min(max(seconds, reply.retry_after), LONGEST_PAUSE)
        if self.deadline is not None and self.clock.monotonic() + seconds >= self.deadline:
            raise self._too_late() from trouble
        self.clock.sleep(seconds)

    def _go_on_elsewhere(self, refusal: OrvideoError) -> None:
        """Ask for a fresh place, once, then for any other; nothing is repeated where it was refused (drill D12)."""
        error = refusal
        if not isinstance(refusal, AuthError):
            gone = refusal.reply is not None and refusal.reply.status in (404, 410)
            why = " The bytes may have expired at the provider." if gone else ""
            error = NotFetched(f"The video could not be fetched: {refusal.message}{why}", reply=refusal.reply)
            error.__cause__ = refusal
        self._leave(error, self.refresh, self.others)

    def _leave_nonsense(self, error: BadReply, cause: Exception | None = None) -> None:
        """Leave a place that sends nonsense for another one, if there is one (drills D07, D10)."""
        error.__cause__ = cause or error.__cause__
        self._leave(error, self.others)
        self.landing.restart()

    def _leave(self, error: OrvideoError, *elsewhere: Another | None) -> None:
        """Go on at another place, or raise: what a place answered says more than that one could not be reached."""
        answered = error.reply is not None or isinstance(error, BadReply | Broken)
        if answered or self._reason is None:
            self._reason = error
        if not any(self._ask(another) for another in elsewhere):
            raise self._reason

    def _ask(self, another: Another | None) -> bool:
        """Go on at the place that `another` names; say whether there is one. A fresh place is asked for only once."""
        if another is None:
            return False
        fresh = another is self.refresh
        if fresh:
            self.refresh = None
        try:
            place = another()
        except Unavailable:
            return False  # it could not be asked for; what was known before decides
        if place is None:
            return False
        if not fresh:
            self.etag = None  # another place's validators are its own
        self.place, self._failures, self._damaged = place, 0, None
        return True

    def _tell(self, *, at_once: bool = False) -> None:
        now = self.clock.monotonic()
        if at_once or now - self._told_at >= 0.05:
            self._told_at = now
            self.on_progress(self.landing.size, self.total)

    def _check_deadline(self) -> None:
        if self.deadline is not None and self.clock.monotonic() >= self.deadline:
            raise self._too_late()

    def _too_late(self) -> NotFetched:
        of = f" of {self.total}" if self.total is not None else ""
        return NotFetched(f"The time limit ended in the middle of the download, after {self.landing.size}{of} bytes.")
