"""Bringing a finished job's videos to this disk: where the bytes are, where they go, and what is put on record.

Signed URLs come first while they are fresh, without the key; then the content endpoint, with it; then the URLs that
the service names besides (api notes). `saving.save.save` does the rest: it only sees places that open at an offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orvideo.clock import Clock
from orvideo.download.naming import facts_of
from orvideo.download.save import Open, Saved, already_saved, save
from orvideo.download.targets import Form, Target, absolute_spec, decide_target
from orvideo.errors import BadReply, NotFetched, OrvideoError, UsageError
from orvideo.record.values import Output, Record, ResumeState

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.download import Download
    from orvideo.api.schemas import Job
    from orvideo.jobs.follow import Reach, Story
    from orvideo.record.ledger import Ledger

#: A signed URL that dies within this many seconds is not begun with.
FRESH_FOR = 30.0
#: Room that is asked for before a video of unknown size is bought or fetched, in bytes.
USUAL_SIZE = 16 * 1024 * 1024


@dataclass(eq=False, repr=False)
class Sources:
    """The places that one output of a job can be had from, best first; each is offered once."""

    client: Client
    job: Job
    index: int
    clock: Clock

    def __post_init__(self) -> None:
        self._tried: set[str] = set()
        self._places = self._in_order()

    def next(self) -> Open | None:
        """Return the next best place, None when there is none left."""
        return next(self._places, None)

    def refresh(self) -> Open | None:
        """Look at the job again, since its URLs may have expired, and go on with what it names now (drill D12)."""
        self.job = self.client.job(self.job.id)
        self._places = self._in_order()
        return self.next()

    def _in_order(self) -> Iterator[Open]:
        job, index = self.job, self.index
        signed, named = _at(job.urls, index), _at(job.unsigned_urls, index)
        if signed and (job.expires_at is None or job.expires_at - FRESH_FOR > self.clock.now().timestamp()):
            yield from self._once(signed, self._place(signed, signed=True))
        yield from self._once("content", self._content)
        # The real service names the content endpoint once more.
        if named and not self.client.is_content_url(named, job.id, index):
            yield from self._once(named, self._place(named, signed=False))

    def _once(self, url: str, place: Open) -> Iterator[Open]:
        if url not in self._tried:
            self._tried.add(url)
            yield place

    def _content(self, start: int, etag: str | None) -> AbstractContextManager[Download]:
        return self.client.content(self.job.id, self.index, start=start, etag=etag)

    def _place(self, url: str, *, signed: bool) -> Open:
        return lambda start, etag: self.client.fetch(url, start=start, etag=etag, signed=signed)


def _at(urls: list[str | None] | None, index: int) -> str | None:
    return urls[index] if urls and index < len(urls) else None


def outputs_of(job: Job) -> range:
    """Return the indexes of a job's outputs; a job that names none is tried at index 0 (drill P06)."""
    return range(max(job.output_count, 1))


@dataclass(eq=False, repr=False)
class LedgerMemory:
    """Keeps on record how one partial download can be gone on with (`saving.ResumeMemory`)."""

    ledger: Ledger
    seq: int
    index: int

    def get(self) -> ResumeState | None:
        return self.ledger.resume_state(self.seq, self.index)

    def set(self, state: ResumeState) -> None:
        self.ledger.set_resume_state(self.seq, self.index, state)

    def clear(self) -> None:
        self.ledger.clear_resume_state(self.seq, self.index)


@dataclass(eq=False, repr=False)
class Saving:
    """Where the videos of one command go: decided before money is spent, done when a job is finished.

    `spec` is what `-o` said now, None where it said nothing: then each job's own target counts, as it was given at
    submit, then `usual`, which is the setting, and with `always` the current directory. `timeout` is in seconds for
    each job, `deadline` a reading of the monotonic clock for all of them. `receipt` says that each video gets one
    beside it, which whoever called `save` writes. `paths` are the saved files as a person would name them from here; a
    stream has none.
    """

    reach: Reach
    ledger: Ledger
    story: Story
    clock: Clock
    spec: str | None
    stdout_is_tty: bool
    stdout: Callable[[], BinaryIO]
    force: bool = False
    always: bool = False
    timeout: float | None = None
    receipt: bool = False
    deadline: float | None = None
    paths: list[Path] = field(default_factory=list)
    usual: str | None = None

    def wants(self, record: Record) -> bool:
        """Return whether the videos of a job are to be saved at all."""
        return self.always or self._spec_for(record) is not None

    @property
    def for_new_jobs(self) -> str | None:
        """Where the videos of jobs go that are submitted now."""
        return self.spec if self.spec is not None else self.usual

    @property
    def remembered(self) -> str | None:
        """What the record keeps of `-o`, for a later command in another directory."""
        return absolute_spec(self.for_new_jobs)

    def remember(self, records: Sequence[Record]) -> None:
        """Keep what `-o` said now, for videos that are not here yet: the command that goes on need not say it again."""
        target = absolute_spec(self.spec)
        for record in records:
            if target is not None and not record.is_fetched and record.target != target:
                self.ledger.set_target(record.seq, target)

    def check_before_submit(self, *, wait: bool) -> None:
        """Refuse before any money is spent what could not be saved after it (drills O01 to O08)."""
        spec = self.for_new_jobs
        if spec is None:
            return
        if not wait and self.remembered is None:
            raise UsageError(
                f"-o {spec} is written by the command that waits, and --wait was not given.",
                hint="add --wait, or name a file",
            )
        target = self._decide(spec, None)
        if target.note:
            self.story.remark(target.note)

    def check(self, records: Sequence[Record]) -> None:
        """Refuse, before anything is waited for, an output that cannot take what these jobs make."""
        sharing = [record for record in records if self.spec is not None or record.target is None]
        shared = self.for_new_jobs
        if shared is not None and len(sharing) > 1 and self._decide(shared, None).form not in _FOR_MANY:
            raise UsageError(
                f"-o {shared} is one place, and there are {len(sharing)} jobs.",
                hint="name a directory, or a template such as -o '{model}-{id}.mp4'",
            )
        if len(records) == 1 and self.wants(records[0]) and 0 not in self._here(records[0]):
            self._decide(self._spec_for(records[0]), records[0])

    def is_here(self, record: Record) -> bool:
        """Return whether all outputs are on this disk, whole and where they are wanted; then they count as saved."""
        here = self._here(record) if record.is_fetched else {}
        if not here or len(here) < len(record.outputs):
            return False
        self.paths += [self._as_named(path, record) for path in here.values()]
        return True

    def _here(self, record: Record) -> dict[int, Path]:
        """Return the outputs that are on this disk, whole and where they are wanted, by their index."""
        if self.force or not record.outputs or not self.wants(record):
            return {}
        recorded = {output.index: output for output in record.outputs if output.path is not None}
        return {
            index: Path(output.path)
            for index, output in recorded.items()
            if output.path is not None
            and self._is_wanted_at(record, index, Path(output.path))
            and already_saved(output.path, output.sha256, output.bytes, job_id=record.name, index=index)
        }

    def save(self, record: Record, job: Job) -> None:
        """Save every output of a finished job, and put each on record as soon as it is there.

        Raises what `saving.save` raises; when only some could be saved, NotFetched lists the others (drill D13).
        """
        if not self.wants(record):
            return
        here = self._here(record)
        # One that an earlier command has saved may well have the name.
        target = self._decide(self._spec_for(record), record, force=bool(here))._replace(force=self.force)
        indexes = outputs_of(job)
        if target.is_stream and len(indexes) > 1:
            raise NotFetched(f"Job {record.name} has {len(indexes)} videos, and {target.spec} can take one.")
        limits = [self.deadline, None if self.timeout is None else self.clock.monotonic() + self.timeout]
        deadline = min((limit for limit in limits if limit is not None), default=None)
        troubles: dict[int, OrvideoError] = {}
        for index in indexes:
            if index in here:
                self.paths.append(self._as_named(here[index], record))
                continue
            try:
                self._save_one(record, job, index, target, deadline)
            except OrvideoError as error:
                troubles[index] = _without_a_video(record, job, error)
        if troubles:
            raise _summed_up(record, len(indexes), troubles)

    def _save_one(self, record: Record, job: Job, index: int, target: Target, deadline: float | None) -> None:
        sources = Sources(self.reach.client(record.endpoint), job, index, self.clock)
        first = sources.next()
        assert first is not None, "the content endpoint is always a place"
        saved = save(
            first,
            target,
            facts=facts_of(record),
            index=index,
            # A job that names no output is tried once, not asked again for a better place (drill P06).
            refresh=sources.refresh if job.output_count else None,
            others=sources.next,
            memory=None if target.is_stream else LedgerMemory(self.ledger, record.seq, index),
            on_progress=lambda done, total: self.story.downloading(record, index, done, total),
            on_saved=lambda saved: self._put_on_record(record, index, saved),
            clock=self.clock,
            deadline=deadline,
            stdout=self.stdout() if target.form is Form.STDOUT else None,
        )
        if saved.path is not None:
            self.paths.append(self._as_named(saved.path, record))
        self.story.saved(record, index, saved)

    def _put_on_record(self, record: Record, index: int, saved: Saved) -> None:
        path = None if saved.path is None else str(saved.path)
        self.ledger.output_saved(record.seq, Output(index, path, saved.bytes, saved.sha256, self.clock.now()))

    def _decide(self, spec: str | None, record: Record | None, *, force: bool = False) -> Target:
        facts = None if record is None else facts_of(record)
        return decide_target(
            spec, force=self.force or force, stdout_is_tty=self.stdout_is_tty, size_estimate=USUAL_SIZE, facts=facts
        )

    def _spec_for(self, record: Record) -> str | None:
        if self.spec is not None:
            return self.spec
        return record.target if record.target is not None else self.usual

    def _is_wanted_at(self, record: Record, index: int, path: Path) -> bool:
        """Return whether a video that lies at `path` is where this command wants it; without -o it may lie anywhere."""
        if self.spec is None:
            return True
        target = decide_target(self.spec, force=True, stdout_is_tty=self.stdout_is_tty)
        return not target.is_stream and path in target.places(facts_of(record), index)

    def _as_named(self, path: Path, record: Record) -> Path:
        """Return a saved path as a person would: relative where a relative one was asked for."""
        spec = self._spec_for(record)
        try:
            here = Path.cwd()
        except OSError:  # it was removed meanwhile
            return path
        relative = (spec is None or not Path(spec).is_absolute()) and path.is_relative_to(here)
        return path.relative_to(here) if relative else path


#: The outputs that many jobs can share.
_FOR_MANY = (Form.FOLDER, Form.TEMPLATE, Form.DEVICE)


def _without_a_video(record: Record, job: Job, error: OrvideoError) -> OrvideoError:
    """Tell a job that completed with nothing (drill P06) from one whose video could not be fetched."""
    if job.output_count or not isinstance(error, NotFetched):
        return error
    reason = f": {job.error_text}" if job.error_text else "."
    cost = job.cost
    return BadReply(
        f"Job {record.name} completed with no output{reason}",
        hint=f"orvideo jobs show {record.name}",
        charged="unknown" if cost is None else "yes" if cost > 0 else "no",
        job_id=record.id,
    )


def _summed_up(record: Record, outputs: int, troubles: dict[int, OrvideoError]) -> OrvideoError:
    """Return the one error of a job with one output, or a list of what is missing of several (drill D13)."""
    first = next(iter(troubles.values()))
    if outputs == 1:
        return first
    missing = "; ".join(f"video {index}: {error.message}" for index, error in troubles.items())
    return NotFetched(
        f"{len(troubles)} of the {outputs} videos of job {record.name} were not fetched: {missing}",
        job_id=record.id,
        resume=f"orvideo download {record.name}",
    )
