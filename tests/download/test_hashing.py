"""The sum of a file that is still growing: right whatever its size, and no burden on the memory of the machine."""

from __future__ import annotations

import ctypes
import hashlib
import mmap
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.download.hashing import FollowingHash

MIB = 1 << 20


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[int]:
    """A new file, open for reading and writing."""
    descriptor = os.open(tmp_path / "film.mp4.part", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def _gone(descriptor: int, mebibytes: int) -> list[int]:
    """Return of which MiB the first page is not in memory; to look (`mincore`) does not bring it there."""
    page = mmap.PAGESIZE
    with mmap.mmap(descriptor, mebibytes * MIB) as view:
        there = (ctypes.c_ubyte * (len(view) // page))()
        begin = ctypes.c_char.from_buffer(view)
        failed = ctypes.CDLL(None).mincore(ctypes.byref(begin), ctypes.c_size_t(len(view)), there)
        del begin  # else the view could not be closed
    assert not failed
    return [number for number in range(mebibytes) if not there[number * MIB // page] & 1]


def _grow(descriptor: int, hashing: FollowingHash, mebibytes: range, pause: float = 0.0) -> None:
    """Let the file grow as a download does, one page of each MiB being no hole."""
    for number in mebibytes:
        os.pwrite(descriptor, b"%4d" % number * 1024, number * MIB)
        os.ftruncate(descriptor, (number + 1) * MIB)
        hashing.reach((number + 1) * MIB)
        time.sleep(pause)


def test_the_sum_of_a_long_file_is_that_of_its_bytes(growing: int, tmp_path: Path) -> None:
    hashing = FollowingHash(growing)
    _grow(growing, hashing, range(160))

    digest = hashing.finish(160 * MIB)

    with open(tmp_path / "film.mp4.part", "rb") as file:
        assert digest == hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes advice about memory")
def test_a_long_video_does_not_stay_in_memory_but_its_beginning_does(growing: int) -> None:
    os.pwrite(growing, bytes(MIB), 0)
    os.fsync(growing)
    os.posix_fadvise(growing, 0, 0, os.POSIX_FADV_DONTNEED)
    if not _gone(growing, 1):
        pytest.skip("this file system keeps all of its files in memory")
    hashing = FollowingHash(growing)
    gone: list[int] = []
    # Only what is hashed may go: ever slower, until that has caught up on a busy machine as well.
    for mebibytes, pause in ((range(224), 0.002), (range(224, 352), 0.01), (range(352, 480), 0.05)):
        _grow(growing, hashing, mebibytes, pause)
        gone = _gone(growing, mebibytes.stop)
        if len(gone) >= 32:
            break
    hashing.stop()

    # A busy system lets a page or two go by itself, wherever it is.
    of_the_beginning = [number for number in gone if number < 64]
    assert len(gone) >= 32, "nearly all of it is still in memory"
    assert len(of_the_beginning) < 8
