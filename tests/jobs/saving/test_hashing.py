"""The sum of a file that is still growing: right whatever its size, and no burden on the memory of the machine."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.jobs.saving.hashing import FollowingHash

MIB = 1 << 20


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[int]:
    """A new file, open for reading and writing."""
    descriptor = os.open(tmp_path / "film.mp4.part", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def _is_in_memory(descriptor: int, offset: int) -> bool:
    """Ask whether a byte could be read without the disk."""
    try:
        os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    return True


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


@pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux tells what is in memory")
def test_a_long_video_does_not_stay_in_memory_but_its_beginning_does(growing: int) -> None:
    os.pwrite(growing, b"x", 0)
    os.fsync(growing)
    os.posix_fadvise(growing, 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        if _is_in_memory(growing, 0):
            pytest.skip("this file system keeps all of its files in memory")
    except OSError:
        pytest.skip("this file system does not tell what is in memory")
    hashing = FollowingHash(growing)
    gone: list[int] = []
    # Only what is hashed may go: ever slower, until that has caught up on a busy machine as well.
    for mebibytes, pause in ((range(224), 0.002), (range(224, 352), 0.01), (range(352, 480), 0.05)):
        _grow(growing, hashing, mebibytes, pause)
        gone = [number for number in mebibytes if not _is_in_memory(growing, number * MIB)]
        if gone:
            break
    hashing.stop()

    assert gone, "all of it is still in memory"
    assert min(gone) >= 64
