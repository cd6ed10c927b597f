"""File system operations of downloads: the locked `.part`, final names, free space, streams.

The size of a `.part` is the progress: it is never allocated ahead, and bytes are only appended, so that its size is
true after a kill at any point (drill D14). One process at a time has it open, by a lock that the system releases when
the process ends.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Self

from orvideo import errnos, system
from orvideo.download.naming import MAX_NAME_BYTES
from orvideo.download.running_sum import STEP, RunningSum
from orvideo.errors import OutputUnwritable
from orvideo.files import move_into_place

#: The free space that a download leaves on a disk: this share, and at most so many bytes (F-C03).
RESERVED_SHARE, RESERVED_MOST = 0.05, 1 << 30

_PIECE = 1 << 20


class FileInUse(Exception):
    """Another process or thread has the file locked."""


class Part:
    """The open and locked file that a video is downloaded to. Every method raises OSError.

    `path` is None for an unnamed file. `is_spoiled`: the disk has failed, so the content must not be used to resume.
    """

    def __init__(self, path: Path | None, descriptor: int, held: int | None = None) -> None:
        self.path, self.descriptor, self._held = path, descriptor, held
        self._file = os.fstat(descriptor)
        self.size = self._file.st_size
        self.is_spoiled = False
        self._sum, self._summed = RunningSum(), 0
        self._writing_from = 0

    @classmethod
    def open_locked(cls, path: Path) -> Self:
        """Open the file, or create it, and lock it; its content stays. Raises FileInUse, and OSError.

        A file with a second hard link is not written to: the link is a finished video.
        """
        for _ in range(100):
            try:
                part = cls(path, *system.hold(path))
            except BlockingIOError as error:
                raise FileInUse from error
            try:
                part._refuse_foreign()
                if part._is_at_its_path and part._file.st_nlink == 1:
                    return part
                part.remove()  # does nothing where the process that had it before has renamed or removed it
            except BaseException:
                part.close()
                raise
            part.close()
        raise FileInUse

    @classmethod
    def open_first(cls, paths: Iterable[Path]) -> Self:
        """Open and lock the first of these whose name is not taken by another file. Raises FileInUse and OSError."""
        trouble: OSError | None = None
        for path in paths:
            try:
                return cls.open_locked(path)
            except OSError as error:
                trouble = trouble or error
                if not os.path.lexists(path):
                    break
        assert trouble is not None, "there is at least one path"
        raise trouble

    @classmethod
    def unnamed(cls) -> Self:
        """Create an unnamed file in the temporary folder; it is gone when it is closed, however the process ends."""
        import tempfile

        with tempfile.TemporaryFile(buffering=0) as file:
            return cls(None, os.dup(file.fileno()))

    @property
    def folder(self) -> Path:
        if self.path is not None:
            return self.path.parent
        import tempfile

        return Path(tempfile.gettempdir())

    @property
    def identity(self) -> tuple[int, int]:
        """What tells the file from every other one, whatever its name."""
        return self._file.st_dev, self._file.st_ino

    def append(self, data: bytes) -> None:
        """Append `data`; what was written before an error counts."""
        if self._summed < self.size:
            self.digest()
        view = memoryview(data)
        try:
            while view:
                written = system.write_at(self.descriptor, view, self.size)
                self._sum.add(view[:written])
                self.size = self._summed = self.size + written
                view = view[written:]
            if self.size - self._writing_from >= STEP:
                system.start_writing(self.descriptor, self._writing_from, self.size - self._writing_from)
                self._writing_from = self.size
        except OSError as error:
            self.is_spoiled = error.errno not in errnos.NO_SPACE
            raise

    def empty(self) -> None:
        if self.size:
            os.ftruncate(self.descriptor, 0)
        self.size = self._summed = self._writing_from = 0
        self._sum = RunningSum()

    def measure(self) -> None:
        """Take up what was written to the file by other means than `append`."""
        self.size = os.fstat(self.descriptor).st_size
        self._sum, self._summed = RunningSum(), 0

    def read(self, count: int, offset: int) -> bytes:
        return system.read_at(self.descriptor, count, offset)

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """Yield the content from an offset on, in pieces of 1 MiB."""
        while start < self.size:
            piece = self.read(min(_PIECE, self.size - start), start)
            if not piece:
                raise OSError(errno.EIO, "the file is shorter than what was written to it")
            yield piece
            start += len(piece)

    def digest(self) -> str:
        """Return the sha256 of the content in hexadecimal; what an earlier process wrote is read once."""
        for piece in self.pieces(self._summed):
            self._sum.add(memoryview(piece))
            self._summed += len(piece)
        return self._sum.hexdigest()

    def sync(self) -> None:
        """Sync the file, and raise the errors that a close would raise, before it gets its name (F-C04)."""
        try:
            system.sync(self.descriptor)
            os.close(os.dup(self.descriptor))
        except OSError:
            # The system may have dropped pages, and reports that only once.
            self.is_spoiled = True
            raise

    def is_older_than_this_boot(self) -> bool:
        """Return whether it was last written before the system started: after a power cut its size proves nothing."""
        began = system.boot_time()
        return began is not None and os.fstat(self.descriptor).st_mtime < began

    def give_name(self, path: Path, *, replace: bool) -> None:
        """Rename it: see `move_into_place`. Raises OSError where its current name leads to another file by now."""
        assert self.path is not None, "only a file with a name is given another one"
        if not self._is_at_its_path:
            raise OSError(errno.ESTALE, "somebody has removed or replaced it", os.fspath(self.path))
        old = self.path
        self._without_descriptor(lambda: move_into_place(old, path, replace=replace))

    def move_aside(self, path: Path) -> None:
        """Rename it, and continue with an empty file under the old name. Raises FileInUse as well."""
        assert self.path is not None, "only a file with a name is moved"
        self.give_name(path, replace=False)
        if not system.MOVES_OPEN_FILES:
            self.close()
        fresh = type(self).open_locked(self.path)
        self.close()
        self.__dict__.update(fresh.__dict__)

    def remove(self) -> None:
        """Remove its name, if that is still its own."""
        path = self.path
        if path is not None and self._is_at_its_path:
            self._without_descriptor(lambda: os.unlink(path))

    def close(self) -> None:
        with suppress(OSError):  # `sync` has asked already
            if self.descriptor >= 0:
                os.close(self.descriptor)
        if self.path is not None:
            system.release(self.path, self._held)
        self.descriptor, self._held = -1, None

    def _refuse_foreign(self) -> None:
        assert self.path is not None, "an unnamed file is nobody else's"
        if not stat.S_ISREG(self._file.st_mode) or system.is_foreign(self.descriptor, self.path.parent):
            raise OSError(errno.EEXIST, "it is in the way and was not made by orvideo", os.fspath(self.path))

    @property
    def _is_at_its_path(self) -> bool:
        try:
            return self.path is not None and os.path.samestat(self._file, os.lstat(self.path))
        except FileNotFoundError:
            return False

    def _without_descriptor(self, move: Callable[[], None]) -> None:
        """Change the name of the file; it is closed first where the system moves no open file, and stays locked."""
        if system.MOVES_OPEN_FILES:
            move()
            return
        assert self.path is not None, "an unnamed file is not moved"
        os.close(self.descriptor)
        self.descriptor = -1
        try:
            move()
        except BaseException:
            self.descriptor = system.open_file(self.path, os.O_RDWR)
            raise


def make_folders(folder: Path, base: Path) -> None:
    """Make the folders below `base` that lead to `folder`."""
    for place in reversed([folder, *folder.parents]):
        if place.is_relative_to(base) and place != base and not place.is_dir():
            with system.files_in_the_way():
                place.mkdir(exist_ok=True)
            system.sync_folder(place.parent)


def can_be_replaced(path: Path) -> bool:
    """Return whether a name is free, or a regular file's: nothing else is ever overwritten."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return True


def has_content(path: Path, size: int | None, sha256: str | None) -> bool:
    """Return whether a regular file has this size and sha256; False where it cannot be read."""
    try:
        with open(system.open_file(path, os.O_RDONLY), "rb") as file:
            if size is None or sha256 is None or os.fstat(file.fileno()).st_size != size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower()
    except OSError:
        return False


def try_folder(folder: Path, name: str) -> None:
    """Create, write and remove a file in a folder: permissions alone do not tell whether that works (O04).

    The name is always the same, so that the next try removes what a kill has left (drill D14).
    """
    probe = folder / name
    for _ in range(20):
        try:
            descriptor = system.open_file(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, follow=False)
        except FileExistsError:
            probe.unlink(missing_ok=True)
            continue
        try:
            os.write(descriptor, bytes(1024))
        finally:
            os.close(descriptor)
            probe.unlink(missing_ok=True)  # gone, if another process is trying as well
        return
    # Other processes made one again and again: the folder takes files.


def refuses_name(path: Path) -> bool:
    """Return whether a disk does not take a name, as those with the rules of Windows do (G6).

    A folder of this name is made and removed; a file could have been replaced by a video until it is removed.
    """
    try:
        os.mkdir(path)
    except OSError as error:
        return error.errno == errno.EINVAL
    with suppress(OSError):  # somebody has put something into it
        os.rmdir(path)
    return False


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two paths lead to one file that is there."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def require_room(folder: Path, needed: int | None, *, at_least: int = 0) -> None:
    """Raise OutputUnwritable when `needed` bytes more do not fit beside the reserve (F-C03).

    Where `needed` is None, `at_least` is an estimate for the check, which the message does not name (F-B05). File
    systems that report no size pass.
    """
    try:
        total, _, free = shutil.disk_usage(folder)
    except OSError:
        return
    reserved = min(total * RESERVED_SHARE, RESERVED_MOST)
    if total and free - (at_least if needed is None else needed) < reserved:
        wanted = f"the rest of the video has {_mib(needed)}, " if needed else ""
        raise OutputUnwritable(
            f"There is no room in {folder}: {wanted}{_mib(free)} are free, and {_mib(reserved)} are left free.",
            hint="make room, or save elsewhere with -o",
        )


def longest_name(folder: Path) -> int:
    """Return how many bytes a name in `folder` may have; some encrypting file systems take 143."""
    return min(system.longest_name(folder) or MAX_NAME_BYTES, MAX_NAME_BYTES)


def copy_out(part: Part, stream: BinaryIO | int, name: str) -> None:
    """Write the whole content to an open stream or descriptor.

    Raises BrokenPipeError when the reader has closed it (drill O09), OutputUnwritable for other errors (O10).
    """
    try:
        descriptor = stream if isinstance(stream, int) else _descriptor(stream)
        for piece in part.pieces():
            with system.broken_pipes():
                if descriptor is not None:
                    _write_all(descriptor, piece)
                elif not isinstance(stream, int):
                    stream.write(piece)
                    stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputUnwritable(f"{name} cannot be written: {errnos.reason(error)}.") from error
    except ValueError as error:
        raise OutputUnwritable(f"{name} cannot be written: {error}.") from error


@contextmanager
def opened_to_write(device: Path) -> Iterator[int]:
    """Open a device for writing; an error of its close is an error of writing."""
    with disk_errors(device):
        descriptor = system.open_file(device, os.O_WRONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise OutputUnwritable for an OSError (drill D18)."""
    try:
        with system.files_in_the_way():
            yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputUnwritable(errnos.sentence(error, path), hint=errnos.hint(error, path)) from error


def _descriptor(stream: BinaryIO) -> int | None:
    """Flush a stream and return its descriptor; None for a stream in memory."""
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # the pipe is non-blocking
            system.wait_for_room(descriptor)


def _mib(count: float) -> str:
    return f"{count / 2**20:,.1f} MiB"
