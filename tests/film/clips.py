"""Small video files for tests, each frame unlike the others, and the whole of a file decoded to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import NamedTuple

import av
from av.video.frame import VideoFrame
from PIL import Image, ImageChops, ImageDraw, ImageStat

from orvideo.film.picture import picture_of

MILLISECOND = Fraction(1, 1000)


class Making(NamedTuple):
    """How a clip is made; `times` are those of its frames in `time_base`."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = {}
    size: tuple[int, int] = (96, 64)
    times: Iterable[int] = range(40)
    time_base: Fraction = Fraction(1, 24)
    gop: int = 12
    rotation: int = 0
    pixel_aspect: Fraction | None = None
    container: Mapping[str, str] = {}


PLAINEST = Making()


def drawn(number: int, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Return the picture of a frame: its number is where the bright block is, and its ground changes."""
    width, height = size
    picture = Image.new("RGB", size, (40 + number * 4 % 160, 60, 200 - number * 3 % 120))
    left, top = number * 7 % (width - 16), number * 5 % (height - 16)
    ImageDraw.Draw(picture).rectangle((left, top, left + 15, top + 15), fill=(250, 240, 90))
    return picture


def make(path: Path, making: Making = PLAINEST, pictures: Iterable[Image.Image] | None = None) -> Path:
    """Write a clip and return its path."""
    with av.open(str(path), "w", options=dict(making.container)) as container:
        stream = container.add_stream(making.codec, rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = making.size
        stream.pix_fmt = making.pix_fmt
        stream.codec_context.time_base = making.time_base
        stream.codec_context.gop_size = making.gop
        stream.codec_context.options = dict(making.options)
        if making.pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = making.pixel_aspect
        if making.rotation:
            stream.set_display_rotation(making.rotation)
        shown = iter(pictures or (drawn(number, making.size) for number in count()))
        for time in making.times:
            frame = VideoFrame.from_image(next(shown)).reformat(format=making.pix_fmt)  # type: ignore[no-untyped-call]
            frame.pts, frame.time_base = time, making.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def drawn_at(size: tuple[int, int]):  # type: ignore[no-untyped-def]
    return lambda number: drawn(number, size)


def copied(source: Path, path: Path, *, later: Fraction = Fraction(0), **options: str) -> Path:
    """Write the packets of a clip into another container, `later` by so many seconds, and return its path."""
    with av.open(str(source)) as old, av.open(str(path), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is None:
                continue
            ticks = int(later / packet.time_base)
            packet.pts, packet.dts = (packet.pts or 0) + ticks, packet.dts + ticks
            packet.stream = stream
            new.mux(packet)
    return path


class Decoded(NamedTuple):
    """A frame of a whole decode: seconds after the first, and the picture."""

    seconds: Fraction
    image: Image.Image


def decoded(path: Path) -> list[Decoded]:
    """Return all frames of a clip in the order in which they are shown, with nothing sought."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        unit = stream.time_base
        assert unit is not None
        begins = [frame.pts if frame.pts is not None else frame.dts or 0 for frame in frames]
        aspect = stream.sample_aspect_ratio
        return [
            Decoded((begin - begins[0]) * unit, picture_of(frame, aspect))
            for begin, frame in zip(begins, frames, strict=True)
        ]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean absolute difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return the peak signal-to-noise ratio of two pictures, in dB."""
    from math import inf, log10

    squares = sum(value**2 for value in ImageStat.Stat(ImageChops.difference(one, other)).rms) / 3
    return 10 * log10(255**2 / squares) if squares else inf
