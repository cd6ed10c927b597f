"""Saving a video under its final name, complete or not at all (drills D01 to D20).

The steps of a save to a file: open and lock the `.part`; download the bytes (`transfer`); check the container to its
end; sync the file; record that the `.part` is complete, with its sha256 and its final name; rename it without replacing
anything; sync the folder; put the output on record. After a kill at any point the next save of the same output
continues there, under the lock of the `.part`: with the missing bytes where the service has validators, from the start
where it has none, and without a download where only the name or the record is missing.

Whatever has appeared under the final name is left alone, and the video is saved beside it (`boat-<id>.mp4`),
or in the folder above where a folder's name is taken: what was paid for is on the disk. A process that comes second
finds the output on record and has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from orvideo import system
from orvideo.clock import MAX_WAIT
from orvideo.container import KINDS, BadContainer, check
from orvideo.deadline import Cancelled
from orvideo.download import disk
from orvideo.download.disk import FileInUse, Part
from orvideo.download.naming import Facts, beside
from orvideo.download.published import Published
from orvideo.download.targets import Form, Target, beside_for
from orvideo.download.transfer import Transfer
from orvideo.errors import BadReply, NotFetched, OrvideoError, OutputExists, OutputUnwritable
from orvideo.record.journal import LOCK_TIMEOUT
from orvideo.record.values import Output, ResumeState

if TYPE_CHECKING:
    from orvideo.clock import Clock
    from orvideo.record.ledger import Ledger


#: How many names are tried for a `.part` whose name is taken by another file.
_PART_NAMES = 10


class Saved(NamedTuple):
    """A saved video. `path` is absolute, and None when it went to a stream.

    `kind` is the extension for its content; `notes` are messages for the user. `already`: it was here before this save;
    `beside`: its name was taken by another file; `is_recorded`: it is on record.
    """

    path: Path | None
    bytes: int
    sha256: str
    kind: str = "mp4"
    notes: tuple[str, ...] = ()
    already: bool = False
    beside: bool = False
    is_recorded: bool = True


class OutputRecord:
    """Reads and writes one output in the record. Every call may raise OrvideoError."""

    def __init__(self, ledger: Ledger, seq: int, index: int, clock: Clock) -> None:
        self._ledger, self._seq, self._index, self._clock = ledger, seq, index, clock

    def output(self) -> Output | None:
        """Return the output as it is on record."""
        record = self._ledger.find_by_seq(self._seq, lock_timeout=LOCK_TIMEOUT)
        outputs = record.outputs if record is not None else ()
        return next((output for output in outputs if output.index == self._index), None)

    def state(self) -> ResumeState | None:
        return self._ledger.resume_state(self._seq, self._index, lock_timeout=LOCK_TIMEOUT)

    def remember(self, state: ResumeState) -> None:
        self._ledger.set_resume_state(self._seq, self._index, state, lock_timeout=LOCK_TIMEOUT)

    def forget(self) -> None:
        self._ledger.clear_resume_state(self._seq, self._index, lock_timeout=LOCK_TIMEOUT)

    def saved(self, saved: Saved) -> None:
        self._ledger.output_saved(
            self._seq, as_output(self._index, saved, self._clock.now()), lock_timeout=LOCK_TIMEOUT
        )


def as_output(index: int, saved: Saved, now: datetime) -> Output:
    """Return a saved video as the record keeps it."""
    return Output(index, None if saved.path is None else str(saved.path), saved.bytes, saved.sha256, now)


class SaveRequest(NamedTuple):
    """One output of a job that is to be saved: its target, the facts for its name, its number from 0.

    With `since`, an output that another process has saved after that time is not overwritten. `stdout` is the stream
    for "-".
    """

    target: Target
    facts: Facts
    number: int = 0
    since: datetime | None = None
    stdout: BinaryIO | None = None


def save(
    transfer: Transfer, request: SaveRequest, output_record: OutputRecord, published: Published | None = None
) -> Saved:
    """Save one output of a job, and return what was saved; `published` are the files of the same command.

    Raises NotFetched, AuthError, BadReply, NoOutput, OutputUnwritable, Unsafe where no source is left, Cancelled, and
    BrokenPipeError. A record that cannot be written raises nothing: see `Saved.is_recorded`.
    """
    saving = _Saving(request, output_record, transfer, published or Published())
    return saving.to_stream() if request.target.is_stream else saving.to_file()


class _Saving:
    """One save of one output."""

    def __init__(
        self, request: SaveRequest, output_record: OutputRecord, transfer: Transfer, published: Published
    ) -> None:
        self.request, self.output_record, self.transfer = request, output_record, transfer
        self.published = published
        self.target, self.facts, self.index = request.target, request.facts, request.number
        #: Damaged files that this save has kept; removed when another source has a whole one.
        self._kept_damaged: list[Path] = []
        self._is_remembered = self._is_above = False

    # To a file

    def to_file(self) -> Saved:
        self._make_folders()
        path = self.target.part_for(self.facts, self.index)
        part = self._open_locked(path)
        try:
            with disk.disk_errors(path):
                # Under the lock the record is up to date with the process that held it before.
                return self._already_saved(part) or self._finished_after_kill(part) or self._downloaded(part)
        finally:
            part.close()

    def _make_folders(self) -> None:
        """Create the missing folders; where something else has their name, save in the folder above (drill O01)."""
        folder = self.target.path_for(self.facts, self.index).parent
        with disk.disk_errors(folder):
            try:
                disk.make_folders(folder, self.target.base)
            except (FileExistsError, NotADirectoryError):
                self.target, self._is_above = self.target.above(), True

    def _open_locked(self, path: Path) -> Part:
        """Open and lock the `.part`, or one beside what has its name; waits while another process has it."""
        deadline = self.transfer.deadline
        told = False
        while True:
            with disk.disk_errors(path), suppress(FileInUse):
                return Part.open_first(islice(_numbered(path), _PART_NAMES))
            if deadline.is_cancelled:
                raise Cancelled
            if deadline.is_over:
                raise NotFetched("The time limit ended while another orvideo was downloading this video.")
            if not told:
                self.transfer.on_warning(f"Another orvideo is downloading {self.facts.id}; waiting for it.")
                told = True
            deadline.sleep(MAX_WAIT)

    def _already_saved(self, part: Part) -> Saved | None:
        """Return the output if it is on record and saved where it should be (R-A3)."""
        output = None
        with suppress(OrvideoError):
            output = self.output_record.output()
        if output is None or not is_saved(output, self.request._replace(target=self.target)):
            return None
        with suppress(OSError):
            part.remove()
        assert output.path is not None, "a saved output has a path"
        return Saved(Path(output.path), output.bytes or 0, output.sha256 or "", already=True)

    def _finished_after_kill(self, part: Part) -> Saved | None:
        """Finish a save that was killed after the download: its name or its record is missing (drill D14)."""
        state = self._resume_state(part)
        if state is None or state.sha256 is None or state.total is None or state.path is None:
            return None
        if part.size == state.total and part.digest() == state.sha256:
            with suppress(BadContainer):  # another version of orvideo may have accepted it
                return self._publish(part, check(part.read, part.size))
        intended = Path(state.path)
        for path in _candidates(intended, self.facts):
            if self.published.keep(path, state.total, state.sha256):
                with disk.disk_errors(path):
                    system.sync_folder(path.parent)
                    part.remove()
                beside = self._is_above or path != intended
                return self._put_on_record(Saved(path, state.total, state.sha256, beside=beside))
        return None

    def _downloaded(self, part: Part) -> Saved:
        transfer, state = self.transfer, self._resume_state(part)
        if state is not None and _is_resumable(part, state):
            transfer.resume(state.etag, state.total)
        try:
            kind = transfer.run(
                part,
                remember=lambda etag, total: self._remember_validator(part, etag, total),
                keep_damaged=lambda: self._keep_damaged(part),
            )
            part.sync()
        except BaseException as error:
            if isinstance(error, BadReply) or part.is_spoiled or not (transfer.is_resumable and part.size):
                self._forget()
                with suppress(OSError):
                    part.remove()
            raise
        saved = self._publish(part, kind)
        for path in self._kept_damaged:
            with suppress(OSError):
                path.unlink()
        return saved

    def _publish(self, part: Part, kind: str) -> Saved:
        """Give a complete file its final name, or the one beside it where that is taken (drill O01).

        Only a file is ever overwritten, and none that the same command has just saved.
        """
        path = self.target.path_for(self.facts, self.index, kind)
        with disk.disk_errors(path):
            digest = part.digest()
        saved = Saved(path, part.size, digest, kind, _notes(path, self.target, kind))
        self._remember(ResumeState(str(part.path), None, part.size, digest, str(path)))
        for candidate in _candidates(path, self.facts):
            with disk.disk_errors(candidate):
                try:
                    replace = self.target.force and disk.can_be_replaced(candidate)
                    self.published.give_name(part, candidate, replace=replace)
                except FileExistsError:
                    if not disk.has_content(candidate, part.size, digest):
                        continue
                    # An earlier command has saved the same video; only the record lacks it.
                    part.remove()
                    return self._put_on_record(saved._replace(path=candidate, already=True, beside=candidate != path))
            return self._put_on_record(saved._replace(path=candidate, beside=self._is_above or candidate != path))
        raise OutputExists(f"{path} exists already, and so do the names beside it.")

    def _keep_damaged(self, part: Part) -> Path | None:
        """Move a damaged file to another name, and continue with an empty `.part` (R-B4)."""
        path = self.target.path_for(self.facts, self.index)
        first = path.with_name(beside(path.name, "damaged"))
        for candidate in _numbered(first):
            try:
                part.move_aside(candidate)
            except FileExistsError:
                if not disk.has_content(candidate, part.size, part.digest()):
                    continue
                part.empty()  # it is kept already
            except FileInUse:
                return candidate
            else:
                self._kept_damaged.append(candidate)
            return candidate
        return None

    # The resume state on record

    def _resume_state(self, part: Part) -> ResumeState | None:
        with suppress(OrvideoError):
            state = self.output_record.state()
            self._is_remembered = state is not None
            return state if state is not None and state.part == str(part.path) else None
        return None

    def _remember_validator(self, part: Part, etag: str | None, total: int | None) -> bool:
        """Record the validator of the next bytes; without one a later process cannot resume."""
        if etag is not None:
            return self._remember(ResumeState(str(part.path), etag, total))
        self._forget()
        return False

    def _forget(self) -> None:
        """Remove the resume state from the record, if there is one."""
        if self._is_remembered:
            with suppress(OrvideoError):
                self.output_record.forget()
                self._is_remembered = False

    def _remember(self, state: ResumeState) -> bool:
        """Put a resume state on record; return False where that fails, which is no error (F-C02)."""
        try:
            self.output_record.remember(state)
        except OrvideoError:
            return False
        self._is_remembered = True
        return True

    def _put_on_record(self, saved: Saved) -> Saved:
        try:
            self.output_record.saved(saved)
        except OrvideoError:
            return saved._replace(is_recorded=False)
        return saved

    # To a stream

    def to_stream(self) -> Saved:
        """Save to an unnamed temporary file, then copy it to the stream: the reader gets a whole video, or nothing."""
        target = self.target
        with disk.disk_errors(Path("the temporary folder")):
            part = Part.unnamed()
        try:
            with self._output_stream() as stream:
                with disk.disk_errors(part.folder):
                    kind = self.transfer.run(part)
                disk.copy_out(part, stream, "stdout" if target.form is Form.STDOUT else target.spec)
            path = target.device if target.form is Form.DEVICE else None
            return self._put_on_record(Saved(path, part.size, part.digest(), kind, _notes(path, target, kind)))
        finally:
            part.close()

    @contextmanager
    def _output_stream(self) -> Iterator[BinaryIO | int]:
        """Open the stream of the target; an inherited descriptor is not closed."""
        target = self.target
        if target.form is Form.STDOUT:
            if self.request.stdout is None:
                raise OutputUnwritable("stdout cannot be written: it is closed.")
            yield self.request.stdout
        elif target.descriptor is not None:
            yield target.descriptor
        else:
            with disk.opened_to_write(target.device) as descriptor:
                yield descriptor


def is_saved(output: Output, request: SaveRequest, *, anywhere: bool = False) -> bool:
    """Return whether a recorded output is unchanged where it was requested, or `anywhere`; has no effects (R-B8)."""
    target = request.target
    if output.path is None or target.is_stream:
        return False
    if target.force and not (request.since and output.saved_at and output.saved_at > request.since):
        return False
    path = Path(output.path)
    is_place = anywhere or target.is_place(path, request.facts, request.number)
    return is_place and disk.has_content(path, output.bytes, output.sha256)


def _is_resumable(part: Part, state: ResumeState) -> bool:
    """Return whether the bytes in `part` can be those that a resume state describes."""
    fits = state.total is None or part.size <= state.total
    return state.sha256 is None and part.size > 0 and fits and not part.is_older_than_this_boot()


def _candidates(path: Path, facts: Facts) -> Iterator[Path]:
    """Yield the names that a video may get, the preferred one first."""
    yield path
    yield from _numbered(beside_for(path, facts))


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, 100):
        yield path.with_name(beside(path.name, str(number)))


def _notes(path: Path | None, target: Target, kind: str) -> tuple[str, ...]:
    """Return a note where the content is not what the name or the user expects (F-C09)."""
    what = KINDS[kind]
    if path is None or target.form is not Form.FILE:
        return () if kind in ("mp4", "webm") else (f"The service sent {what}, not an MP4.",)
    fitting = ("", f".{kind}", *((".m4v",) if kind == "mp4" else ()))
    return () if path.suffix.lower() in fitting else (f"{path.name} holds {what}, whatever its name says.",)
