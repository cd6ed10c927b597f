"""The sum is that of all bytes in their order, though threads compute it."""

from __future__ import annotations

import hashlib

import pytest

from orvideo.download.running_sum import STEP, RunningSum
from tests.download.films import noise

PIECES = [noise(size, size) for size in (1, STEP - 1, STEP, 7, 8 * STEP, 3 * STEP + 1, 0, STEP, 5 * STEP, 11)]


@pytest.mark.parametrize("asked_each_time", [False, True])
def test_it_is_the_sum_of_what_was_added(asked_each_time: bool) -> None:
    whole, running = hashlib.sha256(), RunningSum()
    for piece in PIECES * 2:
        whole.update(piece)
        running.add(memoryview(piece))
        if asked_each_time:
            assert running.hexdigest() == whole.hexdigest()
    assert running.hexdigest() == whole.hexdigest() == running.hexdigest()
