"""What a word such as `@1:last` or `clip.mp4:2.5s` is turned into, where somebody is there who can: a frame of a video.

The record and the decoder are not known here: `MediaSource.frame_of` is handed in.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from orvideo.film.moment import FIRST, LAST
from orvideo.record.frames import FrameSource

#: The frame of a video that is meant where a word names no moment: a video goes on where another ends.
USUAL = {"first_frame": LAST, "last_frame": FIRST, "reference": FIRST}


class FrameWord(NamedTuple):
    """A word that is neither a URL nor stdin: as it was given, and for what (first_frame, last_frame or reference).

    `place` returns where a file of a name is. It raises UsageError for one that must not be read.
    """

    text: str
    use: str
    place: Callable[[str], Path]


class Frame(NamedTuple):
    """A frame as a picture: the bytes of a PNG or JPEG, its name for people, its video, and what to say of it."""

    data: bytes
    origin: str
    source: FrameSource
    warnings: tuple[str, ...] = ()


#: Returns None for what is no frame of a video: it is then a picture in a file. Raises OrvideoError.
FrameOf = Callable[[FrameWord], Frame | None]
