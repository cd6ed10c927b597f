"""Saving a video: whole and under its name, or not under its name at all (drills D01 to D20).

The order of a save to a file: the `.part` is opened and held; bytes arrive (`transfer`); the container is walked to
its end; the file is synced; a row of the record says that it is whole, with its sha256 and the name it is meant for; it
gets that name in a way that replaces nothing; the folder is synced; the output is put on record. Killed at any point,
the next save of the same output goes on from there, under the lock of the `.part`: with the missing bytes where the
service has validators, from the start where it has none, and without a byte where only the name or the record is
missing.

If something has appeared under the name meanwhile, it is left alone, and the video is saved beside it
(`boat-<id>.mp4`), or above what has a folder's name: what was paid for is on the disk. Whoever comes second finds the
output on record and has nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from orvideo.clock import MAX_WAIT
from orvideo.deadline import Cancelled, Deadline
from orvideo.download import disk
from orvideo.download.container import KINDS, BadContainer, check
from orvideo.download.disk import Busy, Part
from orvideo.download.naming import Facts, beside
from orvideo.download.targets import Form, Target, beside_for
from orvideo.download.transfer import Bounds, OnProgress, Places, Transfer
from orvideo.errors import BadReply, NotFetched, OrvideoError, OutputExists, OutputUnwritable
from orvideo.files import sync_folder
from orvideo.record.journal import PATIENCE
from orvideo.record.values import Output, ResumeState

if TYPE_CHECKING:
    from orvideo.clock import Clock
    from orvideo.record.ledger import Ledger


#: So many names a `.part` may have, where others are taken by what is not ours.
_PARTS = 10


class Saved(NamedTuple):
    """A video that is where it should be. `path` is absolute, and None when it went to a stream.

    `kind` is the extension that says what it is by its bytes; `notes` are what a person should be told. `already` says
    that it was here before this save, `beside` that the name was taken by another file, `is_recorded` that it is on
    record.
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
    """What the record knows of one output, asked anew each time. Every call may raise OrvideoError."""

    def __init__(self, ledger: Ledger, seq: int, index: int, clock: Clock) -> None:
        self._ledger, self._seq, self._index, self._clock = ledger, seq, index, clock

    def output(self) -> Output | None:
        """Return the output as it is on record."""
        record = self._ledger.peek(self._seq, patience=PATIENCE)
        outputs = record.outputs if record is not None else ()
        return next((output for output in outputs if output.index == self._index), None)

    def state(self) -> ResumeState | None:
        return self._ledger.resume_state(self._seq, self._index, patience=PATIENCE)

    def remember(self, state: ResumeState) -> None:
        self._ledger.set_resume_state(self._seq, self._index, state, patience=PATIENCE)

    def forget(self) -> None:
        self._ledger.clear_resume_state(self._seq, self._index, patience=PATIENCE)

    def saved(self, saved: Saved) -> None:
        self._ledger.output_saved(self._seq, as_output(self._index, saved, self._clock.now()), patience=PATIENCE)


def as_output(index: int, saved: Saved, now: datetime) -> Output:
    """Return a saved video as the record keeps it."""
    return Output(index, None if saved.path is None else str(saved.path), saved.bytes, saved.sha256, now)


class Wanted(NamedTuple):
    """What is to be saved where: one output of a job, by its number from 0, and what its name is made of.

    With `since`, a target that overwrites still counts an output as here that another process has put on record after
    that time. `stdout` is where "-" goes.
    """

    target: Target
    facts: Facts
    number: int = 0
    since: datetime | None = None
    stdout: BinaryIO | None = None


def save(
    places: Places,
    wanted: Wanted,
    memory: OutputRecord,
    deadline: Deadline,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
    *,
    on_progress: OnProgress = lambda done, total: None,
    on_warning: Callable[[str], None] = lambda text: None,
) -> Saved:
    """Save one output of a job where it is wanted, and return what was saved.

    Raises NotFetched, AuthError, BadReply, NoOutput, OutputUnwritable, Unsafe where no place is left, and Cancelled.
    BrokenPipeError passes through. A record that fails costs a resume and is told by `Saved.is_recorded`.
    """
    saving = _Saving(wanted, memory, Transfer(places, deadline, bounds, on_progress, on_warning))
    return saving.to_stream() if wanted.target.is_stream else saving.to_file()


class _Saving:
    """One save on its way."""

    def __init__(self, wanted: Wanted, memory: OutputRecord, transfer: Transfer) -> None:
        self.wanted, self.memory, self.transfer = wanted, memory, transfer
        self.target, self.facts, self.index = wanted.target, wanted.facts, wanted.number
        #: Damaged files that this save has kept: of no use when another place has a whole one.
        self._set_aside_now: list[Path] = []
        self._is_remembered = self._is_above = False

    # To a file

    def to_file(self) -> Saved:
        self._make_folders()
        path = self.target.part_for(self.facts, self.index)
        part = self._hold(path)
        try:
            with disk.refused(path):
                # Under the lock the record says what whoever held it until now has done.
                return self._found(part) or self._settled(part) or self._fetched(part)
        finally:
            part.close()

    def _make_folders(self) -> None:
        """Make the folders that are missing, or take the one above what is in their way (drill O01)."""
        folder = self.target.path_for(self.facts, self.index).parent
        with disk.refused(folder):
            try:
                disk.make_folders(folder, self.target.base)
            except (FileExistsError, NotADirectoryError):
                self.target, self._is_above = self.target.above(), True

    def _hold(self, path: Path) -> Part:
        """Hold the `.part`, or one beside what is in its way; another process that has it is waited for."""
        deadline = self.transfer.deadline
        told = False
        while True:
            with disk.refused(path), suppress(Busy):
                return Part.hold_one(islice(_numbered(path), _PARTS))
            if deadline.is_cancelled:
                raise Cancelled
            if deadline.is_over:
                raise NotFetched("The time limit ended while another orvideo was downloading this video.")
            if not told:
                self.transfer.on_warning(f"Another orvideo is downloading {self.facts.id}; waiting for it.")
                told = True
            deadline.sleep(MAX_WAIT)

    def _found(self, part: Part) -> Saved | None:
        """Return the output that is on record, whole and where it is wanted, by now (R-A3)."""
        output = None
        with suppress(OrvideoError):
            output = self.memory.output()
        if output is None or not is_here(output, self.wanted._replace(target=self.target)):
            return None
        with suppress(OSError):
            part.remove()
        assert output.path is not None, "an output that is here has a path"
        return Saved(Path(output.path), output.bytes or 0, output.sha256 or "", already=True)

    def _settled(self, part: Part) -> Saved | None:
        """Finish a save that was killed when all bytes were here: its name or its record is missing (drill D14)."""
        state = self._state(part)
        if state is None or state.sha256 is None or state.total is None or state.path is None:
            return None
        if part.size == state.total and part.digest() == state.sha256:
            with suppress(BadContainer):  # another version of orvideo may know it by another kind
                return self._named(part, check(part.read, part.size))
        wanted = Path(state.path)
        for path in _candidates(wanted, self.facts):
            if disk.holds(path, state.total, state.sha256):
                with disk.refused(path):
                    sync_folder(path.parent)
                    part.remove()
                return self._recorded(Saved(path, state.total, state.sha256, beside=self._is_above or path != wanted))
        return None

    def _fetched(self, part: Part) -> Saved:
        transfer, state = self.transfer, self._state(part)
        if state is not None and _can_go_on(part, state):
            transfer.resume(state.etag, state.total)
        try:
            kind = transfer.run(
                part,
                remember=lambda etag, total: self._remember_validator(part, etag, total),
                set_aside=lambda: self._set_aside(part),
            )
            part.sync()
        except BaseException as error:
            if isinstance(error, BadReply) or part.is_spoiled or not (transfer.is_resumable and part.size):
                self._forget()
                with suppress(OSError):
                    part.remove()
            raise
        saved = self._named(part, kind)
        for path in self._set_aside_now:
            with suppress(OSError):
                path.unlink()
        return saved

    def _named(self, part: Part, kind: str) -> Saved:
        """Give a whole file its name, or the one beside it where something has appeared there (drill O01).

        Only a file is ever overwritten.
        """
        path = self.target.path_for(self.facts, self.index, kind)
        with disk.refused(path):
            digest = part.digest()
        saved = Saved(path, part.size, digest, kind, _notes(path, self.target, kind))
        self._remember(ResumeState(str(part.path), None, part.size, digest, str(path)))
        for candidate in _candidates(path, self.facts):
            with disk.refused(candidate):
                try:
                    part.give_name(candidate, replace=self.target.force and disk.can_be_replaced(candidate))
                except FileExistsError:
                    if not disk.holds(candidate, part.size, digest):
                        continue
                    # The job's own file: an earlier command saved it, and the record does not know.
                    part.remove()
                    return self._recorded(saved._replace(path=candidate, already=True, beside=candidate != path))
            return self._recorded(saved._replace(path=candidate, beside=self._is_above or candidate != path))
        raise OutputExists(f"{path} exists already, and so do the names beside it.")

    def _set_aside(self, part: Part) -> Path | None:
        """Keep a damaged file under a name of its own, and go on with an empty `.part` (R-B4)."""
        path = self.target.path_for(self.facts, self.index)
        first = path.with_name(beside(path.name, "damaged"))
        for candidate in _numbered(first):
            try:
                part.move_aside(candidate)
            except FileExistsError:
                if not disk.holds(candidate, part.size, part.digest()):
                    continue
                part.empty()  # it is kept already
            except Busy:
                return candidate
            else:
                self._set_aside_now.append(candidate)
            return candidate
        return None

    # What is remembered

    def _state(self, part: Part) -> ResumeState | None:
        with suppress(OrvideoError):
            state = self.memory.state()
            self._is_remembered = state is not None
            return state if state is not None and state.part == str(part.path) else None
        return None

    def _remember_validator(self, part: Part, etag: str | None, total: int | None) -> bool:
        """Remember under what the next bytes come; without a validator there is nothing to go on with."""
        if etag is not None:
            return self._remember(ResumeState(str(part.path), etag, total))
        self._forget()
        return False

    def _forget(self) -> None:
        """Forget what is remembered; a record that holds nothing is not written to."""
        if self._is_remembered:
            with suppress(OrvideoError):
                self.memory.forget()
                self._is_remembered = False

    def _remember(self, state: ResumeState) -> bool:
        """Put a state on record; a record that fails costs the resume in a later process and nothing else (F-C02)."""
        try:
            self.memory.remember(state)
        except OrvideoError:
            return False
        self._is_remembered = True
        return True

    def _recorded(self, saved: Saved) -> Saved:
        try:
            self.memory.saved(saved)
        except OrvideoError:
            return saved._replace(is_recorded=False)
        return saved

    # To a stream

    def to_stream(self) -> Saved:
        """Save to a file without a name, and copy that out: the reader gets a whole video, or nothing."""
        target = self.target
        with disk.refused(Path("the temporary folder")):
            part = Part.without_a_name()
        try:
            with self._opened() as stream:
                with disk.refused(part.folder):
                    kind = self.transfer.run(part)
                disk.copy_out(part, stream, "stdout" if target.form is Form.STDOUT else target.spec)
            path = target.device if target.form is Form.DEVICE else None
            return self._recorded(Saved(path, part.size, part.digest(), kind, _notes(path, target, kind)))
        finally:
            part.close()

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO | int]:
        """Open what a stream target means; a descriptor that was handed to us is not closed."""
        target = self.target
        if target.form is Form.STDOUT:
            if self.wanted.stdout is None:
                raise OutputUnwritable("stdout cannot be written: it is closed.")
            yield self.wanted.stdout
        elif target.descriptor is not None:
            yield target.descriptor
        else:
            with disk.opened_to_write(target.device) as descriptor:
                yield descriptor


def is_here(output: Output, wanted: Wanted, *, anywhere: bool = False) -> bool:
    """Tell whether a recorded output lies whole where it is wanted, or `anywhere`. Asking changes nothing (R-B8)."""
    target = wanted.target
    if output.path is None or target.is_stream:
        return False
    if target.force and not (wanted.since and output.saved_at and output.saved_at > wanted.since):
        return False
    path = Path(output.path)
    is_place = anywhere or target.is_place(path, wanted.facts, wanted.number)
    return is_place and disk.holds(path, output.bytes, output.sha256)


def _can_go_on(part: Part, state: ResumeState) -> bool:
    """Tell whether the bytes that are here can be what a state says of them."""
    fits = state.total is None or part.size <= state.total
    return state.sha256 is None and part.size > 0 and fits and not part.is_older_than_this_boot()


def _candidates(path: Path, facts: Facts) -> Iterator[Path]:
    """Yield the names that a video may get: its own, and those beside it."""
    yield path
    yield from _numbered(beside_for(path, facts))


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, 100):
        yield path.with_name(beside(path.name, str(number)))


def _notes(path: Path | None, target: Target, kind: str) -> tuple[str, ...]:
    """Say what a video is where that is not what one would think (F-C09)."""
    what = KINDS[kind]
    if path is None or target.form is not Form.FILE:
        return () if kind in ("mp4", "webm") else (f"The service sent {what}, not an MP4.",)
    fitting = ("", f".{kind}", *((".m4v",) if kind == "mp4" else ()))
    return () if path.suffix.lower() in fitting else (f"{path.name} holds {what}, whatever its name says.",)
