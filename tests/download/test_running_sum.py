"""The sum is that of all bytes in their order, though threads compute it."""

from __future__ import annotations

import hashlib

import pytest

from orvideo.download.running_sum import STEP, RunningSum
from tests.download.films import noise

SIZES = (1, STEP - 1, STEP, 7, 8 * STEP, 3 * STEP + 1, 0, STEP, 5 * STEP, 11)
#: The last of these begins a thread, which still has all of them to add when the sum is asked for.
SMALL = (STEP // 512,) * 512
#: Made before, so that nothing keeps one thread from meeting the next.
PIECES = [noise(size, number) for number, size in enumerate((*SIZES, *SIZES, *SMALL))]


@pytest.mark.parametrize("asked_each_time", [False, True])
def test_it_is_the_sum_of_what_was_added(asked_each_time: bool) -> None:
    running, so_far = RunningSum(), b""
    for piece in PIECES:
        running.add(memoryview(piece))
        if asked_each_time and len(piece) != SMALL[0]:
            so_far += piece
            assert running.hexdigest() == hashlib.sha256(so_far).hexdigest()
    assert running.hexdigest() == hashlib.sha256(b"".join(PIECES)).hexdigest() == running.hexdigest()
