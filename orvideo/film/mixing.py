"""Crossfades: two frames, or two pieces of sound, become one."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from orvideo.installers import needing

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.plane import VideoPlane
    from PIL import Image


def blend(old: VideoFrame, new: VideoFrame, share: float) -> VideoFrame:
    """Return two frames of one size in YUV laid over each other; `share` is how much is seen of the new one."""
    with needing("film", "A crossfade"):
        from av.video.frame import VideoFrame as Frame
        from PIL import Image
    made = Frame(new.width, new.height, new.format.name)
    for before, after, plane in zip(old.planes, new.planes, made.planes, strict=True):
        mixed = Image.blend(_picture(before), _picture(after), share)
        plane.update(mixed.tobytes("raw", "L", plane.line_size, 1).ljust(plane.buffer_size, b"\0"))
    return made


def _picture(plane: VideoPlane) -> Image.Image:
    from PIL import Image

    return Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)


def mix(old: bytes, new: bytes, first: int, count: int) -> bytes:
    """Return stereo sound (32-bit float, two channels side by side) that leads from the old to the new.

    It is the piece of a crossfade of `count` samples that begins at the sample `first`.
    """
    before, after = array("f", old), array("f", new)
    for at, (one, other) in enumerate(zip(before, after, strict=True)):
        share = (first + at // 2 + 1) / (count + 1)
        before[at] = one * (1 - share) + other * share
    return before.tobytes()
