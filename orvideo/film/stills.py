"""Stills of a video: the frame that is on the screen at a moment."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import UsageError
from orvideo.film.boxes import is_cut
from orvideo.film.moment import Moment
from orvideo.film.picture import picture_of, shown_size
from orvideo.film.reading import MAX_PIXELS, Shot, Shots, ends_of, first_shot, opened, unit_of

if TYPE_CHECKING:
    from PIL import Image

#: Times are named to the millisecond: a frame that begins within half of one is on the screen already.
_TOLERANCE = Fraction(1, 2000)
#: Seconds before a time from which is decoded where the keyframe before it does not lead there.
_EARLIER = 5


class Still(NamedTuple):
    """A frame as it is shown: RGB, upright, with square pixels; its time in seconds after the first frame.

    `warning` says that the last frame is damaged, and this is the last before it that is whole.
    """

    image: Image.Image
    seconds: Fraction
    warning: str | None = None


class Info(NamedTuple):
    """What a video is: its length, size as shown, frames a second, and codecs; None where the file does not tell."""

    seconds: Fraction
    width: int
    height: int
    rate: Fraction | None
    codec: str
    sound: str | None


def still(path: Path, moment: Moment) -> Still:
    """Return the frame of a video that is shown at a moment.

    Raises UsageError where the video is not so long, and where it cannot be read.
    """
    return Source(path).still(moment)


def info(path: Path) -> Info:
    """Return what a video is. Raises UsageError where it cannot be read."""
    source = Source(path)
    with opened(path) as (container, stream):
        sound = next((one.codec_context.codec.canonical_name for one in container.streams.audio), None)
        length = (ends_of(path).ends - source.first.begins) * source.unit
        return Info(length, *source.size, stream.average_rate, stream.codec_context.codec.canonical_name, sound)


class Source:
    """A video that stills are taken of. Raises UsageError where its first frame cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with opened(path) as (_, stream):
            self.unit, self._pixel_aspect = unit_of(stream), stream.sample_aspect_ratio
        self.first = first_shot(path)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as shown."""
        frame = self.first.frame
        width, height = shown_size(frame.width, frame.height, self._pixel_aspect)
        return (height, width) if round(frame.rotation / 90) % 2 else (width, height)

    def still(self, moment: Moment) -> Still:
        """Return the frame that is shown at a moment."""
        shot, warning = self.first, None
        if moment.seconds is None:
            shot, warning = _last(self._path)
        elif moment.seconds:
            shot = _at(self._path, self.first.begins, moment.seconds / self.unit, self.unit)
        return Still(self._image(shot), (shot.begins - self.first.begins) * self.unit, warning)

    def spread(self, count: int) -> list[Fraction]:
        """Return so many times, evenly from the first frame to the last, in seconds; fewer where there are no more."""
        _refuse_cut(self._path)
        ends = ends_of(self._path)
        length = (ends.begins - self.first.begins) * self.unit
        return [length * number / (count - 1) for number in range(count)] if count > 1 and length else [Fraction(0)]

    def _image(self, shot: Shot) -> Image.Image:
        from av.error import FFmpegError

        frame = shot.frame
        width, height = shown_size(frame.width, frame.height, self._pixel_aspect)
        if width * height > MAX_PIXELS:
            raise UsageError(f"{self._path} is to be shown at {width}x{height}, which is too large.")
        try:
            return picture_of(frame, self._pixel_aspect)
        except FFmpegError as error:
            raise UsageError(f"The colours of {self._path} cannot be converted ({frame.format.name}).") from error


def _last(path: Path) -> tuple[Shot, str | None]:
    """Return the last frame that is shown, and what is to be said of it."""
    _refuse_cut(path)
    ends = ends_of(path)
    for start in (*reversed(ends.keyframes), None):
        with closing(iter(Shots(path, start))) as shots:
            whole = max((shot for shot in shots if shot.whole), key=lambda shot: shot.begins, default=None)
        if whole is not None:
            return whole, None if whole.begins >= ends.begins else f"the last frame of {path} is damaged"
    raise UsageError(f"{path} is damaged: no frame can be decoded.")


def _refuse_cut(path: Path) -> None:
    if is_cut(path):
        raise UsageError(f"{path} is cut short: its end is missing.")


def _at(path: Path, first: int, after: Fraction, unit: Fraction) -> Shot:
    """Return the frame that is shown so long `after` the first one (in units)."""
    time = first + after + _TOLERANCE / unit
    earlier = int(time - _EARLIER / unit)
    starts = [int(time), *([earlier] if earlier > first else []), None]
    damaged = False
    for start in starts:
        shots = Shots(path, start)
        found = _search(shots, time)
        if found is None:
            continue
        shot, is_end = found
        if is_end and time > shot.ends + 2 * _TOLERANCE / unit:
            _refuse_cut(path)
            raise UsageError(
                f"{path} is {seconds_text((shot.ends - first) * unit)} long, "
                f"and has no frame at {seconds_text(after * unit)}.",
                hint="say last for the last frame",
            )
        damaged = not shot.whole or any(shot.begins < lost <= time for lost in shots.lost)
        if not damaged:
            return shot
    raise UsageError(f"{path} is damaged: its frame at {seconds_text(after * unit)} cannot be decoded.")


def _search(shots: Shots, time: Fraction) -> tuple[Shot, bool] | None:
    """Return the last frame that begins by a time, and whether it is the last of all; None where all begin later."""
    found: Shot | None = None
    with closing(iter(shots)) as each:
        for shot in each:
            if shot.begins > time:
                return (found, False) if found is not None else None
            found = shot
    return (found, True) if found is not None else None


def seconds_text(seconds: Fraction) -> str:
    """Return a time as a person types it, to the millisecond, and never later than it is: `2.5s`."""
    return f"{float(Fraction(int(seconds * 1000), 1000)):.3f}".rstrip("0").rstrip(".") + "s"
