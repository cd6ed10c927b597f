"""Parameter sets of H.264: clips that were encoded apart can share a track where each keyframe brings its own.

An MP4 keeps the sets beside the frames ("avcC", ISO 14496-15): a version, profile and level, how many bytes a length
takes, then the sets of the sequence and those of the pictures. In front of a keyframe they are units like any others.
"""

from __future__ import annotations

from typing import NamedTuple

#: The tag of a track whose frames bring their parameter sets.
IN_BAND = "avc3"
_HEAD = 5
_VERSION = 1
#: The unit that may stand before parameter sets: it marks the beginning of a picture.
_DELIMITER = 9


class ParameterSets(NamedTuple):
    """The parameter sets of a clip, as units; `length_size` is how many bytes tell the length of a unit."""

    length_size: int
    units: tuple[bytes, ...]

    def before(self, frame: bytes) -> bytes:
        """Return a keyframe with the parameter sets in front."""
        sets = b"".join(len(unit).to_bytes(self.length_size, "big") + unit for unit in self.units)
        size = self.length_size
        if len(frame) > size and frame[size] & 0x1F == _DELIMITER:
            end = size + int.from_bytes(frame[:size], "big")
            return frame[:end] + sets + frame[end:]
        return sets + frame


def parse(parameters: bytes) -> ParameterSets | None:
    """Return the sets of an "avcC", None where it is none, or not whole."""
    if len(parameters) <= _HEAD or parameters[0] != _VERSION:
        return None
    units: list[bytes] = []
    at = _HEAD
    for mask in (0x1F, 0xFF):
        if at >= len(parameters):
            return None
        count, at = parameters[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(parameters[at : at + 2], "big")
            unit, at = parameters[at + 2 : at + 2 + size], at + 2 + size
            if not unit or len(unit) < size:
                return None
            units.append(unit)
    return ParameterSets((parameters[_HEAD - 1] & 3) + 1, tuple(units))


def can_share(one: bytes, other: bytes) -> bool:
    """Return whether frames with these parameters can stand in one track."""
    if one == other:
        return True
    mine, others = parse(one), parse(other)
    return mine is not None and others is not None and mine.length_size == others.length_size
