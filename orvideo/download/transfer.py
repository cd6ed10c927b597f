"""Downloading all bytes of one video, with retries, resumes and several sources.

A source yields the bytes from an offset on. A source that failed is retried later, and meanwhile the sources that were
not tried yet; but a source whose file can be resumed is retried at once. After five failed attempts in a row without
progress a source is given up (drill D01), except right after the end of the job, when the service may not have the
video everywhere yet (F-B06); progress resets the count. No source has all of the time while others are left, nor ends
the download (F-B03).

The file is longer than 400 lines because one download is one state, which every step here changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo import container
from orvideo.container import BadContainer, Incomplete, NotAVideo
from orvideo.deadline import Cancelled, Deadline
from orvideo.download import disk
from orvideo.download.sources import (
    REFUSALS_OF_NONE,
    Cut,
    DamagedVideo,
    NoRoom,
    Source,
    Sources,
    TooLarge,
    TooSlow,
    Verdict,
    counts_none,
    judge_source_error,
    reply_of,
    says_none,
    shown_error,
    status_of,
)
from orvideo.errors import (
    AuthError,
    BadReply,
    MoneyError,
    NotFetched,
    OrvideoError,
    OutputUnwritable,
    Rejected,
    Stalled,
    Unavailable,
    Unsafe,
    UsageError,
)

if TYPE_CHECKING:
    from orvideo.api.download import Download

#: Failed attempts in a row without progress, before a source is given up.
ATTEMPTS = 5
#: Seconds before a source is retried, and before one that has refused is: doubled each time, up to the last.
PAUSE, REFUSED_PAUSE, MAX_PAUSE = 0.5, 1.0, 8.0
#: The longest pause that a Retry-After can cause, in seconds.
LONGEST_PAUSE = 60.0
#: Where a pause does not fit into the time limit, the last attempts are made after this share of what is left.
LAST_ATTEMPTS_AT = 0.75
#: So many bytes get a source a second more, beyond its share of the time.
BYTES_PER_EXTRA_SECOND = 1024
#: The default limit of a file's size, in bytes (F-C03).
MAX_BYTES = 8 << 30
#: The free space on the disk is checked each time that so many bytes are written.
ROOM_STEP = 1 << 20
#: An announced length of so many bytes or more counts as unknown.
UNKNOWN_LENGTH_FROM = 1 << 40

#: Called with the bytes that are here, and the total or None; a lower number than before means a restart.
OnProgress = Callable[[int, int | None], None]


class TransferLimits(NamedTuple):
    """The limits of a download: its size in bytes, for how many seconds from now a refusal may only mean "not yet"
    (F-B06), and the first pause between attempts in seconds."""

    max_bytes: int = MAX_BYTES
    settle_seconds: float = 0.0
    pause: float = PAUSE


@dataclass(eq=False, repr=False)
class _SourceState:
    """A source that is left: its attempts, how many failed in a row, and when it is retried."""

    source: Source
    attempts: int = 0
    failures: int = 0
    due: float = 0.0
    was_slow: bool = False


class Transfer:
    """The download of one video. `etag` and `total` belong to the bytes that are here; None if unknown."""

    part: disk.Part
    _remember: Callable[[str | None, int | None], bool]
    _keep_damaged: Callable[[], Path | None]

    def __init__(
        self,
        sources: Sources,
        deadline: Deadline,
        limits: TransferLimits = TransferLimits(),  # noqa: B008 - frozen
        on_progress: OnProgress = lambda done, total: None,
        on_warning: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.deadline, self.on_warning = deadline, on_warning
        self._sources, self._limits, self._on_progress = sources, limits, on_progress
        self.etag: str | None = None
        self.total: int | None = None
        #: Whether a later process can resume with the bytes that are here.
        self.is_resumable = False
        self._damaged: Path | None = None
        self._now = deadline.clock.monotonic
        self._settle_until = self._now() + limits.settle_seconds
        self._reported_at = self._now() - 1.0
        self._room_checked_at = 0
        self._began_at = 0
        self._seen_damaged: tuple[int, str] | None = None
        self._furthest = 0
        self._had_bytes = False
        self._refusals_of_none = 0
        self._source_name: str | None = None
        self._reason: tuple[int, OrvideoError] | None = None
        self._said = ""
        self._is_last = False

    def resume(self, etag: str | None, total: int | None) -> None:
        """Resume with the bytes that are here."""
        self.etag, self.total, self.is_resumable = etag, total, etag is not None

    def run(
        self,
        part: disk.Part,
        *,
        remember: Callable[[str | None, int | None], bool] = lambda etag, total: False,
        keep_damaged: Callable[[], Path | None] = lambda: None,
    ) -> str:
        """Download the video into `part` and return its kind.

        `remember(etag, total)` is called before the first byte that they describe, and returns whether a later process
        can resume; `keep_damaged` moves a damaged file to another name, and returns its path.

        Raises NotFetched (10), AuthError (4), BadReply (12), Unsafe (15), OutputUnwritable (14), Cancelled, and OSError
        where the disk fails. What was received stays in `part`.
        """
        self.part, self._remember, self._keep_damaged = part, remember, keep_damaged
        self._furthest, self._had_bytes = part.size, bool(part.size)
        todo = [_SourceState(source) for source in self._sources.listed()]
        later: list[_SourceState] = []
        tried: set[str] = set()
        is_fresh = not self._sources.names_outputs
        while todo or later:
            state = todo.pop(0) if todo else min(later, key=lambda one: one.due)
            if state in later:
                self._wait_for(state, later)
                later.remove(state)
            tried.add(state.source.url)
            trouble = self._try(state, others=sum(not one.was_slow for one in (*todo, *later)))
            if trouble is None:
                return self.kind
            state.was_slow = isinstance(trouble, TooSlow)
            verdict = self._verdict(trouble)
            is_worn = state.failures >= ATTEMPTS
            if verdict is Verdict.RETRY and (not is_worn or self._may_come(trouble)):
                state.due = self._now() + self._pause_after(trouble, state.failures)
                later.append(state)
            refused = isinstance(trouble, Rejected | AuthError | MoneyError)
            if not is_fresh and (refused or (not todo and (is_worn or verdict is Verdict.NEXT))):
                is_fresh = True
                fresh = self._refreshed()
                todo = todo if fresh is None else [_SourceState(source) for source in fresh if source.url not in tried]
        assert self._reason is not None, "a source that is given up has a reason"
        raise self._reason[1]

    # One source

    def _try(self, state: _SourceState, others: int) -> Exception | None:
        """Download from one source; return None when the video is complete, and otherwise why it was left.

        `others` is how many sources are left that may still answer: each of them gets its share of the time.
        """
        source = state.source
        if self._source_name not in (None, source.name):
            self.etag = None  # a validator is valid for its own source only
        self._source_name = source.name
        while True:
            state.attempts += 1
            had_bytes = self._had_bytes
            try:
                if self._is_complete:
                    self._report(at_once=True)
                else:
                    self._attempt(source, others)
                self.kind = self._checked()
                return None
            except (OrvideoError, BadContainer, Cut) as trouble:
                verdict = self._after_failure(state, trouble, had_bytes=had_bytes)
                if verdict is Verdict.STOP:
                    raise
                pause = self._pause_after(trouble, state.failures)
                fits = pause <= MAX_PAUSE and self.deadline.left(pause) >= pause
                has_begun = self.etag is not None and self.part.size > 0
                can_resume = has_begun and not isinstance(trouble, TooSlow | Rejected)
                if verdict is Verdict.NEXT or state.failures >= ATTEMPTS or not (can_resume and fits):
                    return trouble
                self.deadline.sleep(pause)
                self._raise_if_over(trouble)

    def _after_failure(self, state: _SourceState, trouble: Exception, *, had_bytes: bool) -> Verdict:
        """Note a failed attempt and return what to do next. Raises NotFetched and Cancelled when the time is over.

        `had_bytes`: whether any byte of the video had come before the attempt.
        """
        self._raise_if_over(trouble)
        verdict = self._verdict(trouble)
        if verdict is Verdict.STOP:
            return verdict
        self._note(state.source, trouble, state.attempts)
        if isinstance(trouble, NotAVideo | BadReply):
            self.part.empty()
            self._had_bytes = had_bytes
        # A source that stalls brings bytes as well, and would go on for ever (F-B08).
        made_progress = self.part.size > self._furthest and not isinstance(trouble, Stalled)
        state.failures = 0 if made_progress else state.failures + 1
        self._furthest = max(self._furthest, self.part.size)
        if state.failures >= ATTEMPTS and isinstance(trouble, Incomplete):
            said = f"The video could not be fetched in {state.attempts} attempts: {trouble}."
            self._note(state.source, self._broken(said), state.attempts)
        return verdict

    def _verdict(self, trouble: Exception) -> Verdict:
        settling = self._is_settling or (self._may_be_none(trouble) and not self._is_none(trouble))
        return judge_source_error(trouble, settling=settling, names_outputs=self._sources.names_outputs)

    def _may_be_none(self, trouble: Exception) -> bool:
        """Return whether a refusal may mean that there is no video: no reply names one, and no byte has come."""
        return not self._sources.names_outputs and not self._had_bytes and says_none(trouble)

    def _is_none(self, trouble: Exception) -> bool:
        """Return whether it means that for good: one answer may be that of one server of many (drill P06)."""
        is_certain = counts_none(trouble) or self._refusals_of_none >= REFUSALS_OF_NONE
        return self._may_be_none(trouble) and is_certain

    @property
    def _is_settling(self) -> bool:
        return self._now() < self._settle_until

    def _may_come(self, trouble: Exception) -> bool:
        """Return whether a source that has failed often may only be one that does not have the video yet."""
        return self._is_settling and (status_of(trouble) is not None or not self._had_bytes)

    @property
    def _is_complete(self) -> bool:
        return self.etag is not None and self.total is not None and 0 < self.total == self.part.size

    def _attempt(self, source: Source, others: int) -> None:
        """Download for as long as the source's share of the time, which is longer the more it brings."""
        share = Deadline(self.deadline.clock, self.deadline.at, of=self.deadline)
        if others and self.deadline.at is not None:
            share.at = self._now() + (self.deadline.at - self._now()) / (others + 1)
        # Without a validator it could be another file.
        asked = self.part.size if self.etag is not None else 0
        try:
            with source.open(asked, self.etag if asked else None, share) as stream:
                if stream.status == 416:
                    self._range_not_satisfiable(stream, asked)
                    return
                self._begin(stream, asked)
                for chunk in stream.chunks():
                    self._append(chunk)
                    self._report()
                    self._raise_if_over()
                    if share.at is not None and self.deadline.at is not None:
                        share.at = min(share.at + len(chunk) / BYTES_PER_EXTRA_SECOND, self.deadline.at)
        except Unavailable as trouble:
            if share.is_over and not self.deadline.is_over:
                raise TooSlow("too little came in its share of the time") from trouble
            raise
        size = self.part.size
        self._report(at_once=True)
        if not size:
            raise Cut("the service sent an empty file")
        if self.total is not None and size < self.total:
            raise Cut(f"only {size} of {self.total} bytes arrived")

    def _range_not_satisfiable(self, stream: Download, asked: int) -> None:
        """Handle a 416: the download is complete if the file has as many bytes as are here (drill D04)."""
        if stream.length != asked:
            self.part.empty()
            raise Cut("the service has no such part of the file")
        self.total = asked

    def _begin(self, stream: Download, asked: int) -> None:
        """Prepare `part` for the bytes that are about to arrive, or refuse them (drills D02, D03)."""
        begins = stream.start if stream.status == 206 else 0
        length = stream.length if stream.length is not None and stream.length < UNKNOWN_LENGTH_FROM else None
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
        if self.total is not None and self.total > self._limits.max_bytes:
            raise self._too_large(f"has {self.total:,} bytes")
        self._check_room(None if self.total is None else self.total - self.part.size)
        if before != (self.etag, self.total) or not begins:
            self.is_resumable = self._remember(self.etag, self.total)
        self._report(at_once=True)

    def _append(self, chunk: bytes) -> None:
        before = self.part.size
        if before + len(chunk) > self._limits.max_bytes:
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
                raise  # the rest may follow
            # All bytes are here and damaged: in transit the first time; the same damage twice is in the service's file.
            seen = (self.part.size, self.part.digest())
            if seen == self._seen_damaged:
                raise self._broken(f"The service's file is damaged: {trouble}.") from trouble
            self._seen_damaged = seen
            if self.total is not None:
                self.etag = None
            raise

    def _broken(self, message: str) -> DamagedVideo:
        """Keep the damaged file, which is all that the service has, and return the error that names it (R-B4)."""
        self._damaged = self._keep_damaged() or self._damaged
        self.etag = self.total = None
        return DamagedVideo(message if self._damaged is None else f"{message} What came is kept: {self._damaged}")

    def _too_large(self, why: str) -> TooLarge:
        self.part.empty()
        most = f"{self._limits.max_bytes:,}"
        return TooLarge(f"The video {why}; more than {most} are not taken, and nothing of it is kept.")

    # Between sources

    def _refreshed(self) -> list[Source] | None:
        """Ask for the job again and return its sources; None if that fails, so that the others are tried (R-A6)."""
        try:
            return self._sources.refreshed(self.deadline)
        except OrvideoError as trouble:
            self._raise_if_over(trouble)
            return None

    def _note(self, source: Source, trouble: Exception, attempts: int) -> None:
        """Keep the most informative reason why there is no video.

        A kept damaged file ranks first, then an answer of the service, then a failed connection, then a URL that must
        not be used.
        """
        self._said = trouble.message if isinstance(trouble, OrvideoError) else f"{trouble}."
        self._refusals_of_none += self._may_be_none(trouble)
        error = shown_error(trouble, self._said, attempts, made_none=self._is_none(trouble))
        if isinstance(trouble, Unsafe | UsageError):
            self.on_warning(f"{source.name} is not used: {trouble.message}")
            rank = 0
        elif isinstance(error, DamagedVideo | NoRoom):
            rank = 3
        else:
            rank = 2 if error.reply is not None or isinstance(error, BadReply | TooLarge) else 1
        if self._reason is None or rank >= self._reason[0]:
            self._reason = (rank, error)

    # Time

    def _pause_after(self, trouble: Exception, failures: int) -> float:
        """Return for how many seconds a source is left alone after so many failures in a row."""
        first, reply = REFUSED_PAUSE if isinstance(trouble, Rejected) else self._limits.pause, reply_of(trouble)
        pause = min(first * 2.0 ** min(max(failures - 1, 0), 9), MAX_PAUSE)
        if self._is_settling:
            pause = min(pause, self._settle_until - self._now())
        asked_for = reply.retry_after or 0.0 if reply is not None else 0.0
        return max(pause, min(asked_for, LONGEST_PAUSE))

    def _wait_for(self, state: _SourceState, later: list[_SourceState]) -> None:
        """Wait until a source is due; where the time ends before that, all are tried a last time within it."""
        pause = max(0.0, state.due - self._now())
        if (left := self.deadline.left(pause)) < pause and not self.deadline.is_cancelled:
            if self._is_last:
                raise self._too_late()
            self._is_last = True
            pause = left * LAST_ATTEMPTS_AT
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

    def _report(self, *, at_once: bool = False) -> None:
        now = self._now()
        if at_once or now - self._reported_at >= 0.05:
            self._reported_at = now
            self._on_progress(self.part.size, self.total)
