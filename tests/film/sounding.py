"""Clips with sound for tests: a click at each whole second, so that sound can be held against the pictures."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

from tests.film.clips import drawn

#: Samples of a click, and from which height on it is one.
_CLICK, _HEARD = 96, 0.3
#: Seconds in which there is no second click: the codec has echoes of the first.
_APART = 0.06
_PIECE = 1000


class Sounding(NamedTuple):
    """How a clip is made. `sound_seconds` is how long it sounds, as long as it is seen without; 0 is a silent clip."""

    frames: int = 48
    rate: int = 24
    size: tuple[int, int] = (96, 64)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = {"preset": "veryfast"}
    gop: int = 12
    rotation: int = 0
    times: tuple[int, ...] = ()
    sound: str = "aac"
    layout: str = "stereo"
    sound_rate: int = 48000
    sound_seconds: float | None = None


PLAIN = Sounding()


def make_sounding(path: Path, making: Sounding = PLAIN) -> Path:
    """Write a clip and return its path."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream(making.codec, rate=making.rate)
        assert isinstance(picture, av.VideoStream)
        picture.width, picture.height = making.size
        picture.pix_fmt = making.pix_fmt
        picture.codec_context.time_base = Fraction(1, making.rate)
        picture.codec_context.gop_size = making.gop
        picture.codec_context.options = dict(making.options)
        if making.rotation:
            picture.set_display_rotation(making.rotation)
        seconds = making.frames / making.rate if making.sound_seconds is None else making.sound_seconds
        sound = container.add_stream(making.sound, rate=making.sound_rate, layout=making.layout) if seconds else None
        for number, time in enumerate(making.times or range(making.frames)):
            frame = VideoFrame.from_image(drawn(number, making.size)).reformat(format=making.pix_fmt)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = time, Fraction(1, making.rate)
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound is not None:
            assert isinstance(sound, av.AudioStream)
            _encode_clicks(container, sound, making, round(seconds * making.sound_rate))
    return path


def _encode_clicks(
    container: av.container.OutputContainer, stream: av.AudioStream, making: Sounding, count: int
) -> None:
    samples = array("f", bytes(4 * count))
    for second in range(0, count, making.sound_rate):
        for at in range(second, min(second + _CLICK, count)):
            samples[at] = 0.9
    for start in range(0, count, _PIECE):
        piece = samples[start : start + _PIECE].tobytes()
        frame = AudioFrame(format="fltp", layout=making.layout, samples=len(piece) // 4)
        for plane in frame.planes:
            plane.update(piece.ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = making.sound_rate, start, Fraction(1, making.sound_rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def clicks(path: Path) -> list[float]:
    """Return when clicks are heard, in seconds."""
    found: list[float] = []
    resampler = AudioResampler(format="flt", layout="mono", rate=48000)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for one in resampler.resample(frame):
                assert one.pts is not None
                begins = float(one.pts * Fraction(1, 48000))
                for at, value in enumerate(array("f", bytes(one.planes[0])[: one.samples * 4])):
                    when = begins + at / 48000
                    if abs(value) > _HEARD and (not found or when - found[-1] > _APART):
                        found.append(when)
    return found


class Seen(NamedTuple):
    """The frames of a video: when each is shown, and a sum of what is seen."""

    times: list[Fraction]
    sums: list[str]


def seen(path: Path) -> Seen:
    """Decode a video whole."""
    times, sums = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            times.append(frame.pts * (frame.time_base or Fraction(1)))
            content = hashlib.sha256()
            for plane in frame.planes:
                raw = bytes(plane)
                for row in range(plane.height):
                    content.update(raw[row * plane.line_size :][: plane.width])
            sums.append(content.hexdigest())
    return Seen(times, sums)
