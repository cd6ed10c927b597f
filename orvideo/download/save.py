"""Saving a video: whole and under its name, or not under its name at all (drills D01 to D20).

The order of a save to a file: the `.part` is opened and held; bytes arrive (`transfer`); the container is walked to
its end; the file is synced; it gets its name in a way that replaces nothing; the folder is synced; the caller puts it
on record; the `.part` goes. Killed at any point, the next save of the same output goes on from there: with the
missing bytes where the service has validators, from the start where it has none, and without a byte where only the
record is missing.

If a file has appeared under the name meanwhile, it is left alone, the video is saved beside it (`boat-<id>.mp4`) and
put on record, and OutputExists says so: what was paid for is on the disk, and a script sees that its name is not it.
"""

import hashlib
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from orvideo.clock import Clock
from orvideo.download.container import HEAD, Kind, sniff
from orvideo.download.landing import FileLanding, StreamLanding, putting_into, unwritable
from orvideo.download.naming import Facts, beside, part_name
from orvideo.download.partial import Busy, Partial, give_name, sync_folder
from orvideo.download.resuming import ResumeMemory, Sidecar
from orvideo.download.targets import Form, Target, beside_for, is_leftover, longest_name
from orvideo.download.transfer import PAUSES, Another, Broken, OnProgress, Open, Stream, Transfer
from orvideo.errors import BadReply, NotFetched, OrvideoError, OutputExists, OutputUnwritable

__all__ = ["OnProgress", "Open", "ResumeMemory", "Saved", "Stream", "already_saved", "save"]


class Saved(NamedTuple):
    """A video that is where it should be. `path` is absolute, and None when it went to a stream.

    `kind` is what it is by its bytes; `notes` are what a person should be told.
    """

    path: Path | None
    bytes: int
    sha256: str
    kind: Kind
    notes: tuple[str, ...] = ()


def save(
    source: Open,
    target: Target,
    *,
    facts: Facts,
    index: int = 0,
    refresh: Another | None = None,
    others: Another | None = None,
    memory: ResumeMemory | None = None,
    on_progress: OnProgress = lambda done, total: None,
    on_saved: Callable[[Saved], None] = lambda saved: None,
    clock: Clock | None = None,
    deadline: float | None = None,
    stdout: BinaryIO | None = None,
    pauses: Sequence[float] = PAUSES,
) -> Saved:
    """Save one output of a job where `target` says, and return what was saved.

    `refresh` is asked once for a fresh place when one refuses (drill D12), `others` for further places until it has
    none. `memory` keeps what a later process needs (by default a small file beside the `.part`). `on_saved` puts the
    save on record while the `.part` still stands for it. `deadline` is in the seconds of `clock.monotonic`. `stdout`
    is where "-" goes.

    Raises NotFetched, AuthError, BadReply, OutputExists, OutputUnwritable, and Unsafe as it came from the source: each
    with the job's id and the command that fetches it. BrokenPipeError passes through.
    """
    transfer = _Order(source, refresh, others, on_progress, clock or Clock(), deadline, pauses)
    with _about(facts):
        if target.is_stream:
            return _save_to_stream(transfer, target, stdout, on_saved)
        return _save_to_file(transfer, target, facts, index, memory, on_saved)


def already_saved(
    path: str | os.PathLike[str], sha256: str | None, size: int | None, *, job_id: str | None = None, index: int = 0
) -> bool:
    """Tell whether a recorded video is still at its path, by its size and then its sha256.

    With the `job_id`, the `.part` of a save that was killed after it was recorded is removed as well.
    """
    try:
        with open(path, "rb", opener=_open_regular) as file:
            if size is None or sha256 is None or os.fstat(file.fileno()).st_size != size:
                return False
            same = hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower()
    except OSError:
        return False
    if same and job_id is not None:
        _remove_leftover(Path(path), job_id, index)
    return same


class _Order(NamedTuple):
    """How a video is to be brought here, wherever it lands."""

    source: Open
    refresh: Another | None
    others: Another | None
    on_progress: OnProgress
    clock: Clock
    deadline: float | None
    pauses: Sequence[float]

    def to(self, landing: FileLanding | StreamLanding, etag: str | None = None, total: int | None = None) -> Transfer:
        return Transfer(
            self.source, landing, self.refresh, self.others, self.on_progress, self.clock, self.deadline,
            self.pauses, etag, total,
        )  # fmt: skip


@contextmanager
def _about(facts: Facts) -> Iterator[None]:
    """Give every failure the job's id and the command that goes on; the job is paid for, whatever fails here."""
    try:
        yield
    except OrvideoError as error:
        error.job_id = error.job_id or facts.id
        error.resume = error.resume or f"orvideo download {shlex.quote(facts.id)}"
        if not isinstance(error, BadReply):
            error.charged = "yes"
        where = f"the video is still at the service: {error.resume}"
        if error.hint is None:
            error.hint = where
        elif isinstance(error, OutputUnwritable):
            error.hint += f"; {where}"
        raise


# To a file


def _save_to_file(
    order: _Order,
    target: Target,
    facts: Facts,
    index: int,
    memory: ResumeMemory | None,
    on_saved: Callable[[Saved], None],
) -> Saved:
    part = target.part_for(facts, index)
    memory = memory or Sidecar(part)
    _make_folders(part.parent, target.folder)
    finished = _finish_killed_save(target, facts, index, memory, on_saved)
    if finished is not None:
        return finished
    target.refuse_existing(facts, index)
    partial = _hold(part)
    landing = FileLanding(partial, memory)
    whole = False
    try:
        etag, total = landing.recall()
        # Whoever held the `.part` until now may just have given it its name.
        target.refuse_existing(facts, index)
        kind = order.to(landing, etag, total).run()
        sha256 = landing.digest()
        landing.sync()
        whole = True
        saved = _give_name(landing, part, target, facts, index, Saved(None, landing.size, sha256, kind))
        on_saved(saved)
        landing.discard()
    except Broken as broken:
        # It may be worth a look: it is all that the service has of a video that was paid for.
        memory.clear()
        broken.message += f" What came is kept: {part}"
        broken.args = (broken.message,)
        raise
    except BaseException as error:
        _leave_in_order(landing, error, whole)
        raise
    finally:
        landing.stop()
        partial.close()
    path = target.path_for(facts, index, kind)
    if saved.path != path:
        raise OutputExists(
            f"A file has appeared as {path} and was left alone; the video is whole and saved as {saved.path}.",
            hint=f"orvideo jobs show {shlex.quote(facts.id)}",
        )
    return saved


def _give_name(landing: FileLanding, part: Path, target: Target, facts: Facts, index: int, whole: Saved) -> Saved:
    """Give the finished file its name, or the one beside it where something has appeared there (drill O01)."""
    path = target.path_for(facts, index, whole.kind)
    candidates = [path, beside_for(path, facts)]
    candidates += [path.with_name(beside(candidates[1].name, str(number))) for number in range(2, 100)]
    for candidate in candidates:
        try:
            with landing.disk():
                give_name(part, candidate, replace=target.force)
        except OutputUnwritable as error:
            if isinstance(error.__cause__, FileExistsError):
                continue
            raise
        return whole._replace(path=candidate, notes=_wrong_extension(path, target, whole.kind))
    raise OutputExists(f"{path} exists already, and so do the names beside it.")


def _wrong_extension(path: Path, target: Target, kind: Kind) -> tuple[str, ...]:
    fitting = ("", ".mp4", ".m4v") if kind == "mp4" else ("", ".webm")
    if target.form is not Form.FILE or path.suffix.lower() in fitting:
        return ()
    return (f"{path.name} holds {'an MP4' if kind == 'mp4' else 'a WebM'} video, whatever its name says.",)


def _leave_in_order(landing: FileLanding, error: BaseException, whole: bool) -> None:
    """Keep what a later run can go on with, and nothing else."""
    if whole:
        # Complete and checked: only its name, or its place in the record, is missing.
        landing.remember_whole()
    elif isinstance(error, BadReply) or not landing.is_resumable:
        landing.discard()


def _finish_killed_save(
    target: Target, facts: Facts, index: int, memory: ResumeMemory, on_saved: Callable[[Saved], None]
) -> Saved | None:
    """Put a save on record that was killed between its name and the record (drill D14)."""
    part = target.part_for(facts, index)
    for path in target.places(facts, index):
        if not is_leftover(path, part):
            continue
        try:
            with open(path, "rb", opener=_open_regular) as file:
                kind = sniff(file.read(HEAD)) or "mp4"
                file.seek(0)
                saved = Saved(
                    path, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest(), kind
                )
            sync_folder(path.parent)
            on_saved(saved)
            memory.clear()
            part.unlink()
        except OSError as error:
            raise unwritable(path, error) from error
        return saved
    return None


def _hold(part: Path) -> Partial:
    try:
        return Partial.hold(part)
    except Busy as busy:
        raise NotFetched(
            f"Another orvideo is downloading this video just now: {part}", hint="let it finish: orvideo jobs"
        ) from busy
    except OSError as error:
        raise unwritable(part, error) from error


def _make_folders(folder: Path, base: Path) -> None:
    """Make the folders that a template's fields name, below the one that a person named."""
    try:
        for name in reversed([folder, *folder.parents]):
            if name.is_relative_to(base) and name != base and not name.is_dir():
                name.mkdir(exist_ok=True)
                sync_folder(name.parent)
    except OSError as error:
        raise unwritable(folder, error) from error


def _open_regular(path: str, flags: int) -> int:
    """Open a file for reading without ever waiting for the other end of a FIFO."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


def _remove_leftover(path: Path, job_id: str, index: int) -> None:
    for name in dict.fromkeys((path.name, path.with_suffix(".mp4").name)):
        part = path.with_name(part_name(name, job_id, index, longest=longest_name(path.parent)))
        if is_leftover(path, part):
            with suppress(OSError):
                part.unlink()


# To a stream


def _save_to_stream(order: _Order, target: Target, stdout: BinaryIO | None, on_saved: Callable[[Saved], None]) -> Saved:
    with _opened(target, stdout) as stream:
        landing = StreamLanding(putting_into(stream, "stdout" if target.form is Form.STDOUT else target.spec))
        kind = order.to(landing).run()
    path = target.device if target.form is Form.DEVICE else None
    saved = Saved(path, landing.size, landing.digest(), kind)
    on_saved(saved)
    return saved


@contextmanager
def _opened(target: Target, stdout: BinaryIO | None) -> Iterator[BinaryIO | int]:
    """Open what a stream target means; a descriptor that was handed to us is not closed."""
    if target.form is Form.STDOUT:
        if stdout is None:
            raise OutputUnwritable("stdout cannot be written: it is closed.")
        yield stdout
        return
    if target.descriptor is not None:
        yield target.descriptor
        return
    try:
        descriptor = os.open(target.device, os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise unwritable(target.device, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
