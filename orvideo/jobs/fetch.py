"""Fetching the videos of a finished job: which are wanted, where they are saved, and which are saved already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.download.naming import LONGEST_FACTS, facts_of
from orvideo.download.published import Published
from orvideo.download.save import OutputRecord, Saved, SaveRequest, as_output, is_saved, save
from orvideo.download.sources import Sources
from orvideo.download.targets import Form, Target, absolute_spec, check_target, parse_target, takes_stdout
from orvideo.download.transfer import MAX_BYTES, Transfer, TransferLimits
from orvideo.errors import NoOutput, NotFetched, OrvideoError, OutputUnwritable, UsageError, worst
from orvideo.files import path_as_asked
from orvideo.record.values import SANDBOX, Output, Record

if TYPE_CHECKING:
    from orvideo.api.client import Client
    from orvideo.api.values import Job
    from orvideo.record.journal import Journal
    from orvideo.record.ledger import Ledger

#: The free space that a new video needs before it is bought, in bytes.
SIZE_ESTIMATE = 16 * 1024 * 1024
#: The forms of -o that several jobs can share.
_SHAREABLE_FORMS = (Form.FOLDER, Form.TEMPLATE, Form.DEVICE)


class FetchResult(NamedTuple):
    """The result of a fetch: what is saved and the errors of the rest, with the index of each output.

    `unrecorded` are saved outputs that could not be put on record.
    """

    saved: tuple[tuple[int, Saved], ...] = ()
    errors: tuple[tuple[int, OrvideoError], ...] = ()
    unrecorded: tuple[Output, ...] = ()

    def error_of(self, record: Record) -> OrvideoError | None:
        """Return one error for a job, which lists the missing outputs where it has several (drill D13).

        A disk that does not take one of them is the error, also beside one that could not be had (drill D18).
        """
        outputs = len(self.saved) + len(self.errors)
        if not self.errors:
            return None
        if outputs == 1:
            return self.errors[0][1]
        missing = "; ".join(f"video {index}: {error.message}" for index, error in self.errors)
        message = f"{len(self.errors)} of the {outputs} videos of job {record.name} were not fetched: {missing}"
        decisive = worst([error for _, error in self.errors])
        kind = OutputUnwritable if isinstance(decisive, OutputUnwritable) else NotFetched
        return kind(message, hint=decisive.hint)


class OutputOptions(NamedTuple):
    """Where the videos of a command are saved.

    `spec` is the value of `-o`; None without it: then a job's own target counts, then `default_spec` (the setting, from
    the variable or file `default_source`), and with `save_always` the current directory. With `answers_with_document`
    stdout is not free for a video. `names_relative`: messages name files relative to the current directory
    (a batch). For `settle_seconds` after a job's end a refusal may mean "not yet", divided by `sandbox_speed` in the
    sandbox; `stdout` returns the stream for "-".
    """

    spec: str | None = None
    default_spec: str | None = None
    default_source: str | None = None
    answers_with_document: bool = False
    save_always: bool = False
    force: bool = False
    stdout_is_tty: bool = False
    stdout: Callable[[], BinaryIO] | None = None
    names_relative: bool = False
    max_bytes: int = MAX_BYTES
    settle_seconds: float = 30.0
    sandbox_speed: float = 1.0


class Fetcher:
    """Fetches the videos of one command; many threads may use it."""

    def __init__(self, ledger: Ledger, journal: Journal, clock: Clock, options: OutputOptions) -> None:
        self._ledger, self._journal, self._clock, self.options = ledger, journal, clock, options
        self._began = clock.now()
        #: The targets that were decided before a purchase or a wait; they hold, whatever appears under a name later.
        self._decided: dict[str | None, Target] = {}
        self._published = Published()

    # Targets

    def wants(self, record: Record) -> bool:
        """Return whether the videos of a job are to be saved at all."""
        return self.options.save_always or self._spec_for(record) is not None

    @property
    def spec_for_new_jobs(self) -> str | None:
        """The output spec of jobs that are submitted now."""
        return self.options.spec if self.options.spec is not None else self.options.default_spec

    @property
    def spec_to_record(self) -> str | None:
        """The spec for the record, so that a later command in another directory can use it."""
        return absolute_spec(self.spec_for_new_jobs)

    def targets_to_record(self, records: Sequence[Record]) -> list[tuple[int, str]]:
        """Return (seq, target) for the jobs whose target on record `-o` changes; not for fetched ones."""
        target = absolute_spec(self.options.spec)
        if target is None:
            return []
        return [(record.seq, target) for record in records if not record.is_fetched and record.target != target]

    def check_before_submit(self, *, wait: bool) -> tuple[str, ...]:
        """Check before any money is spent that a video can be saved (drills O01 to O08); return notes for the user."""
        spec = self.spec_for_new_jobs
        if spec is None:
            return ()
        if not wait and self.spec_to_record is None:
            with self.explained(spec):
                raise UsageError(
                    f"The output {spec} is written by the command that waits, and --wait was not given.",
                    hint="add --wait, or name a file",
                )
        target = self._decide(spec, size_estimate=SIZE_ESTIMATE)
        target.refuse_existing(None)
        return (target.note,) if target.note else ()

    def check(self, records: Sequence[Record]) -> None:
        """Check, before the wait, that the videos of these jobs can be saved.

        A name that is taken is no error: the jobs are bought, and their videos are saved beside it (R-A4).
        """
        sharing = [record for record in records if self.options.spec is not None or record.target is None]
        shared = self.spec_for_new_jobs
        if shared is not None and len(sharing) > 1 and self._decide(shared).form not in _SHAREABLE_FORMS:
            with self.explained(shared):
                raise UsageError(
                    f"The output {shared} is one place, and there are {len(sharing)} jobs.",
                    hint="name a directory, or a template such as -o '{model}-{id}.mp4'",
                )
        if len(records) == 1 and self.wants(records[0]) and 0 not in self.saved_paths(records[0]):
            spec = self._spec_for(records[0])
            self._decide(spec, record=records[0], is_bought=spec != self.spec_for_new_jobs)

    @contextmanager
    def explained(self, spec: str | None, record: Record | None = None) -> Iterator[None]:
        """Say of an error about a place that nobody has typed which setting names it, and the way past it."""
        try:
            yield
        except OrvideoError as error:
            if self.options.spec is None:
                is_setting = spec is not None and spec == self.options.default_spec
                if is_setting:
                    error.message = f"{self.options.default_source}: {error.message}"
                if record is not None and (is_setting or error.hint is None):
                    verb = "download" if record.final else "wait"
                    error.hint = f"save it elsewhere: orvideo {verb} {record.name} -o FILE"
                error.hint = error.hint or "name another place with -o"
            raise

    def display_path(self, path: Path, record: Record) -> Path:
        """Return a saved path for messages: relative where a relative one was asked for."""
        return path_as_asked(path, None if self.options.names_relative else self._spec_for(record))

    # Fetching

    def saved_paths(self, record: Record) -> dict[int, Path]:
        """Return the paths of outputs that are saved and unchanged where they are wanted, by index."""
        if not self.wants(record):
            return {}
        # Without -o they may lie anywhere.
        target = Target(Form.FOLDER, "", Path("/"), force=self.options.force)
        if self.options.spec is not None:
            try:
                target = self._decided.get(self.options.spec) or self._parse(self.options.spec)
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
    ) -> FetchResult:
        """Save every output of a finished job that is not saved yet, and put each on record at once.

        `job` is the result of its last poll, None where no poll succeeded: then only the content endpoint is used.
        `on_progress(index, done, total)` counts bytes. Raises only Cancelled and BrokenPipeError; other errors are in
        the result.
        """
        # The current record: another process may have fetched it meanwhile (R-A3).
        now = self._journal.record(record.seq) or record
        job_id = record.service_id
        here = self.saved_paths(now)
        before = {output.index: output for output in now.outputs if output.index in here}
        # A poll may name fewer outputs than an earlier one, or have failed (drill D13).
        polled = job.output_count if job is not None else 0
        count = max(now.output_count, polled)
        named = bool(now.expected_outputs or now.outputs or polled)
        saved: list[tuple[int, Saved]] = []
        errors: list[tuple[int, OrvideoError]] = []
        unrecorded: list[Output] = []
        for index in range(count):
            if index in before:
                saved.append((index, _saved_before(before[index])))
                continue
            try:
                sources = Sources(client, job_id, job, index, self._clock, names_outputs=named)
                one = self._fetch_one(now, sources, deadline, (index, count), (on_progress, on_warning))
            except OrvideoError as error:
                if isinstance(error, NoOutput) and job is not None and job.error_text:
                    error = NoOutput(f"{error.message} The service says: {job.error_text}", reply=error.reply)
                if isinstance(error, OutputUnwritable) and error.hint is None:
                    error.hint = f"save it elsewhere: orvideo download {record.name} -o FILE"
                errors.append((index, error))
                continue
            saved.append((index, one))
            if not one.is_recorded:
                unrecorded.append(as_output(index, one, self._clock.now()))
        return FetchResult(tuple(saved), tuple(errors), tuple(unrecorded))

    def _fetch_one(
        self,
        record: Record,
        sources: Sources,
        deadline: Deadline,
        index_of: tuple[int, int],
        tell: tuple[Callable[[int, int, int | None], None], Callable[[str], None]],
    ) -> Saved:
        index, count = index_of
        spec = self._spec_for(record)
        target = self._decided.get(spec) or self._parse(spec, record=record, is_bought=True)
        if target.is_stream and count > 1:
            raise NotFetched(f"Job {record.name} has {count} videos, and {target.spec} can take one.")
        stdout = self.options.stdout() if target.form is Form.STDOUT and self.options.stdout else None
        on_progress, on_warning = tell
        transfer = Transfer(
            sources,
            deadline,
            TransferLimits(self.options.max_bytes, self._settle_seconds(record)),
            lambda done, total: on_progress(index, done, total),
            on_warning,
        )
        request = SaveRequest(target, facts_of(record), index, self._began, stdout)
        output_record = OutputRecord(self._ledger, record.seq, index, self._clock)
        return save(transfer, request, output_record, self._published)

    def _settle_seconds(self, record: Record) -> float:
        """Return for how many seconds from now a refusal may only mean that the video is not everywhere yet."""
        longest = self.options.settle_seconds / (self.options.sandbox_speed if record.endpoint == SANDBOX else 1.0)
        if record.ended_at is None:
            return longest
        since = (self._clock.now() - record.ended_at).total_seconds()
        return min(longest, max(0.0, longest - since))

    def _parse(self, spec: str | None, *, record: Record | None = None, is_bought: bool = False) -> Target:
        options = self.options
        with self.explained(spec, record):
            self._refuse_taken_stdout(spec)
            return parse_target(spec, force=options.force, stdout_is_tty=options.stdout_is_tty, is_bought=is_bought)

    def _decide(
        self, spec: str | None, *, size_estimate: int = 0, record: Record | None = None, is_bought: bool = False
    ) -> Target:
        target = self._parse(spec, record=record, is_bought=is_bought)
        with self.explained(spec, record):
            facts = LONGEST_FACTS if record is None else facts_of(record)
            check_target(target, size_estimate=size_estimate, facts=facts)
        self._decided[spec] = target
        if (remembered := absolute_spec(spec)) is not None:
            self._decided[remembered] = target
        return target

    def _refuse_taken_stdout(self, spec: str | None) -> None:
        if self.options.answers_with_document and takes_stdout(spec):
            raise UsageError(
                f"The output {spec} gives stdout to the video, and --json or --events to a document.",
                hint="name a file with -o",
            )

    def _spec_for(self, record: Record) -> str | None:
        if self.options.spec is not None:
            return self.options.spec
        return record.target if record.target is not None else self.options.default_spec


def _saved_before(output: Output) -> Saved:
    assert output.path is not None, "a saved output has a path"
    return Saved(Path(output.path), output.bytes or 0, output.sha256 or "", already=True)
