"""The sound of a sandbox film: a quiet tone that changes each second, in the pentatonic scale."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import cache

#: Samples per second.
RATE = 48_000
#: Whole numbers of hertz, so that each second begins and ends at rest: A major pentatonic around A3.
_SCALE = (220, 247, 277, 330, 370, 440)
_STEPS = (2, 1, 3, 2, 4, 1, 2)
_LEVEL = 0.11


@cache
def _note(hertz: int) -> bytes:
    """Return one second of a soft struck tone as 32-bit floats: a fundamental, an octave and a fifth, dying away."""
    wave = array("f", bytes(4 * RATE))
    turn = 2 * math.pi * hertz / RATE
    sine = math.sin
    for number in range(RATE):
        fade = min(1.0, number / 960) * min(1.0, (RATE - number) / 2400) * (0.35 + 0.65 * 0.25 ** (number / RATE * 2))
        at = turn * number
        wave[number] = _LEVEL * fade * (sine(at) + 0.35 * sine(2 * at) + 0.12 * sine(3 * at))
    return wave.tobytes()


def notes(seed: int, seconds: int) -> Iterator[bytes]:
    """Yield one second of sound after another; neighbours always differ."""
    position = seed % len(_SCALE)
    for second in range(seconds):
        yield _note(_SCALE[position])
        position = (position + _STEPS[(seed + second) % len(_STEPS)]) % len(_SCALE)
