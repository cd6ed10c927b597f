"""Bringing a finished job's videos to this disk: which are wanted, where they go, and which of them are here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.download.naming import facts_of
from orvideo.download.save import OutputRecord, Saved, SaveRequest, as_output, is_saved, save
from orvideo.download.sources import Sources
from orvideo.download.targets import Form, Target, absolute_spec, decide_target, parse_target
from orvideo.download.transfer import MAX_BYTES, TransferLimits
from orvideo.errors import NoOutput, NotFetched, OrvideoError, UsageError
from orvideo.record.journal import LOCK_TIMEOUT
from orvideo.record.values import SANDBOX, Output, Record

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.schemas import Job
    from orvideo.record.ledger import Ledger

#: Room that is asked for before a video of unknown size is bought, in bytes.
USUAL_SIZE = 16 * 1024 * 1024
#: The outputs that many jobs can share.
_FOR_MANY = (Form.FOLDER, Form.TEMPLATE, Form.DEVICE)


class Fetched(NamedTuple):
    """What came of a fetch, by the index of each output: what is here now, and why the others are not.

    `unrecorded` are outputs that are here and could not be put on record.
    """

    saved: tuple[tuple[int, Saved], ...] = ()
    errors: tuple[tuple[int, OrvideoError], ...] = ()
    unrecorded: tuple[Output, ...] = ()

    def trouble(self, record: Record) -> OrvideoError | None:
        """Return the one error of a job: its own with one output, of several a list of what is missing (drill D13)."""
        outputs = len(self.saved) + len(self.errors)
        if not self.errors:
            return None
        if outputs == 1:
            return self.errors[0][1]
        missing = "; ".join(f"video {index}: {error.message}" for index, error in self.errors)
        message = f"{len(self.errors)} of the {outputs} videos of job {record.name} were not fetched: {missing}"
        return NotFetched(message)


class OutputOptions(NamedTuple):
    """What a command line says of where videos go.

    `spec` is what `-o` said now, None where it said nothing: then each job's own target counts, as it was given at
    submit, then `usual`, which is the setting, and with `always` the current directory. `names_relative` tells of files
    from the current directory, though the record has whole paths (a batch). `settle_seconds` is for how long after a
    job's end a refusal may mean "not yet", at the pace of the sandbox there; `stdout` is called where "-" goes.
    """

    spec: str | None = None
    usual: str | None = None
    always: bool = False
    force: bool = False
    stdout_is_tty: bool = False
    stdout: Callable[[], BinaryIO] | None = None
    names_relative: bool = False
    max_bytes: int = MAX_BYTES
    settle_seconds: float = 30.0
    sandbox_speed: float = 1.0


class Fetcher:
    """Fetches the videos of one command: where they go is decided before money is spent. Many threads may use it."""

    def __init__(self, ledger: Ledger, clock: Clock, options: OutputOptions) -> None:
        self._ledger, self._clock, self.options = ledger, clock, options
        self._began = clock.now()

    # Where videos go

    def wants(self, record: Record) -> bool:
        """Return whether the videos of a job are to be saved at all."""
        return self.options.always or self._spec_for(record) is not None

    @property
    def for_new_jobs(self) -> str | None:
        """Where the videos of jobs go that are submitted now."""
        return self.options.spec if self.options.spec is not None else self.options.usual

    @property
    def remembered(self) -> str | None:
        """What the record keeps of `-o`, for a later command in another directory."""
        return absolute_spec(self.for_new_jobs)

    def to_remember(self, records: Sequence[Record]) -> list[tuple[int, str]]:
        """Return the targets (by seq) that `-o` said now, for videos that are not here yet: they belong on record."""
        target = absolute_spec(self.options.spec)
        if target is None:
            return []
        return [(record.seq, target) for record in records if not record.is_fetched and record.target != target]

    def check_before_submit(self, *, wait: bool) -> tuple[str, ...]:
        """Refuse before any money is spent what could not be saved after it (drills O01 to O08); return notes."""
        spec = self.for_new_jobs
        if spec is None:
            return ()
        if not wait and self.remembered is None:
            raise UsageError(
                f"-o {spec} is written by the command that waits, and --wait was not given.",
                hint="add --wait, or name a file",
            )
        target = self._decide(spec, size_estimate=USUAL_SIZE)
        target.refuse_existing(None)
        return (target.note,) if target.note else ()

    def check(self, records: Sequence[Record]) -> None:
        """Refuse, before anything is waited for, an output that cannot take what these jobs make.

        A name that is taken is no reason: the jobs are bought, and their videos are saved beside it (R-A4).
        """
        sharing = [record for record in records if self.options.spec is not None or record.target is None]
        shared = self.for_new_jobs
        if shared is not None and len(sharing) > 1 and self._decide(shared).form not in _FOR_MANY:
            raise UsageError(
                f"-o {shared} is one place, and there are {len(sharing)} jobs.",
                hint="name a directory, or a template such as -o '{model}-{id}.mp4'",
            )
        if len(records) == 1 and self.wants(records[0]) and 0 not in self.here(records[0]):
            self._decide(self._spec_for(records[0]))

    def named(self, path: Path, record: Record) -> Path:
        """Return a saved path as a person would: relative where a relative one was asked for."""
        spec = self._spec_for(record)
        try:
            here = Path.cwd()
        except OSError:  # it was removed meanwhile
            return path
        typed = self.options.names_relative or spec is None or not Path(spec).is_absolute()
        relative = typed and path.is_relative_to(here)
        return path.relative_to(here) if relative else path

    # What is here, and what is not

    def here(self, record: Record) -> dict[int, Path]:
        """Return the outputs that are on this disk, whole and where they are wanted, by index. Changes nothing."""
        if not self.wants(record):
            return {}
        # Without -o they may lie anywhere.
        target = Target(Form.FOLDER, "", Path("/"), force=self.options.force)
        if self.options.spec is not None:
            try:
                target = self._parse(self.options.spec)
            except OrvideoError:
                return {}
        found = {}
        for output in record.outputs:
            if output.path is None:
                continue
            path = Path(output.path)
            wanted = SaveRequest(target, facts_of(record), output.index, self._began)
            if is_saved(output, wanted, anywhere=self.options.spec is None):
                found[output.index] = path
        return found

    def fetch(
        self,
        record: Record,
        job: Job | None,
        client: Client,
        deadline: Deadline,
        on_progress: Callable[[int, int, int | None], None] = lambda index, done, total: None,
        on_warning: Callable[[str], None] = lambda text: None,
    ) -> Fetched:
        """Save every output of a finished job that is not here, and put each on record as soon as it is.

        `job` is its last look, None where it was never looked at: then its content is asked for. `on_progress` is told
        the index, the bytes that are here and of how many. Raises Cancelled, BrokenPipeError, and nothing else that a
        person is to be told of: errors are in what is returned.
        """
        now = self._fresh(record)
        here = {output.index: output for output in now.outputs if output.index in self.here(now)}
        indexes = range(max(1, job.output_count if job is not None else len(now.outputs)))
        saved: list[tuple[int, Saved]] = []
        errors: list[tuple[int, OrvideoError]] = []
        unrecorded: list[Output] = []
        for index in indexes:
            if index in here:
                saved.append((index, _already(here[index])))
                continue
            try:
                one = self._fetch_one(now, job, client, deadline, index, (on_progress, on_warning))
            except OrvideoError as error:
                if isinstance(error, NoOutput) and job is not None and job.error_text:
                    error = NoOutput(f"{error.message} The service says: {job.error_text}", reply=error.reply)
                errors.append((index, error))
                continue
            saved.append((index, one))
            if not one.is_recorded:
                unrecorded.append(as_output(index, one, self._clock.now()))
        return Fetched(tuple(saved), tuple(errors), tuple(unrecorded))

    def _fetch_one(
        self,
        record: Record,
        job: Job | None,
        client: Client,
        deadline: Deadline,
        index: int,
        tell: tuple[Callable[[int, int, int | None], None], Callable[[str], None]],
    ) -> Saved:
        target = self._decide(self._spec_for(record))
        outputs = job.output_count if job is not None else len(record.outputs)
        if target.is_stream and outputs > 1:
            raise NotFetched(f"Job {record.name} has {outputs} videos, and {target.spec} can take one.")
        stdout = self.options.stdout() if target.form is Form.STDOUT and self.options.stdout else None
        on_progress, on_warning = tell
        return save(
            Sources(client, record.id or record.name, job, index, self._clock),
            SaveRequest(target, facts_of(record), index, self._began, stdout),
            OutputRecord(self._ledger, record.seq, index, self._clock),
            deadline,
            TransferLimits(self.options.max_bytes, self._settle_seconds(record)),
            on_progress=lambda done, total: on_progress(index, done, total),
            on_warning=on_warning,
        )

    def _settle_seconds(self, record: Record) -> float:
        """Return for how long from now a refusal may only mean that the service has the bytes not everywhere yet."""
        longest = self.options.settle_seconds / (self.options.sandbox_speed if record.endpoint == SANDBOX else 1.0)
        if record.ended_at is None:
            return longest
        since = (self._clock.now() - record.ended_at).total_seconds()
        return min(longest, max(0.0, longest - since))

    def _fresh(self, record: Record) -> Record:
        """Return a job as it is on record by now: another process may have fetched it meanwhile (R-A3)."""
        with suppress(OrvideoError):
            return self._ledger.find_by_seq(record.seq, lock_timeout=LOCK_TIMEOUT) or record
        return record

    def _parse(self, spec: str | None) -> Target:
        return parse_target(spec, force=self.options.force, stdout_is_tty=self.options.stdout_is_tty)

    def _decide(self, spec: str | None, *, size_estimate: int = 0) -> Target:
        options = self.options
        return decide_target(
            spec, force=options.force, stdout_is_tty=options.stdout_is_tty, size_estimate=size_estimate
        )

    def _spec_for(self, record: Record) -> str | None:
        if self.options.spec is not None:
            return self.options.spec
        return record.target if record.target is not None else self.options.usual


def _already(output: Output) -> Saved:
    assert output.path is not None, "an output that is here has a path"
    return Saved(Path(output.path), output.bytes or 0, output.sha256 or "", already=True)
