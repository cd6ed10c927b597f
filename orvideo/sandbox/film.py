"""Real films: H.264 in MP4 that show the prompt, the model and the passing seconds over a drifting landscape.

The same `Film` gives the same bytes with the same versions of PyAV and Pillow: no clock, no random source, a fixed
number of encoder threads and FFmpeg's bit-exact mode. Everything that moves is drawn straight into the planes of a
YUV picture as masks on a pan, so a frame costs a few copies; type and landscape are drawn once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.codec.context
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from orvideo.sandbox.card import Film, Still, card
from orvideo.sandbox.planes import Planes, blend, from_picture, of_frame
from orvideo.sandbox.refusals import Cancelled
from orvideo.sandbox.scene import Scene
from orvideo.sandbox.tune import RATE, notes

FPS = 24
#: Frames of the crossfade between a given image and the scene: three quarters of a second, less in a short film.
FADE = 18
#: Encoder threads. The number is part of what makes the bytes: never take it from the machine.
THREADS = 2


def make(film: Film, path: Path, *, cancelled: Callable[[], bool] = lambda: False) -> None:
    """Write the film to `path`: whole or, whatever happens, not at all. Raises `Cancelled`, OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
    try:
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(str(part), "w", format="mp4", options=options) as container:
            _encode(film, container, cancelled)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _encode(film: Film, container: OutputContainer, cancelled: Callable[[], bool]) -> None:
    video = _video_stream(film, container)
    audio = _audio_stream(container) if film.sound else None
    tune = notes(film.seed, film.seconds) if audio else iter(())
    frames = _frames(film)
    for second in range(film.seconds):
        for number in range(second * FPS, (second + 1) * FPS):
            if cancelled():
                raise Cancelled
            frame = _frame(next(frames), number)
            if film.last and number == film.seconds * FPS - 1:
                # A picture that was given is coded by itself, as the first one is: it should be seen as it was.
                frame.pict_type = PictureType.I
            container.mux(video.encode(frame))
        if audio:
            for number, samples in _audio_frames(next(tune), second):
                container.mux(audio.encode(_audio_frame(samples, number)))
    container.mux(video.encode(None))
    if audio:
        container.mux(audio.encode(None))


def _video_stream(film: Film, container: OutputContainer) -> VideoStream:
    stream = container.add_stream("libx264", rate=FPS)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    stream.width, stream.height, stream.pix_fmt = film.width, film.height, "yuv420p"
    context.time_base = Fraction(1, FPS)
    context.gop_size = FPS
    context.thread_count = THREADS
    context.flags |= av.codec.context.Flags.bitexact
    # BT.709, limited range: said in the file, so that no player has to guess.
    context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
    context.options = {"preset": "ultrafast", "crf": "20"}
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=RATE, layout="stereo")
    assert isinstance(stream, AudioStream)
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    stream.codec_context.bit_rate = 96_000
    return stream


def _frames(film: Film) -> Iterator[Planes]:
    """Yield the pictures: a given first (last) image is the first (last) frame, crossfaded with the scene."""
    total = film.seconds * FPS
    fade = min(FADE, total // 3)
    scene = Scene(film, card(film))
    first = from_picture(film.first.fill(film.width, film.height)) if film.first else None
    last = from_picture(film.last.fill(film.width, film.height)) if film.last else None
    for number in range(total):
        left = total - 1 - number
        picture = first if first and number == 0 else last if last and left == 0 else scene.draw(number, total)
        if first and 0 < number < fade:
            picture = blend(first, picture, _ease(number / fade))
        if last and 0 < left < fade:
            picture = blend(last, picture, _ease(left / fade))
        yield picture


def _ease(share: float) -> float:
    return share * share * (3 - 2 * share)


def _frame(planes: Planes, number: int) -> VideoFrame:
    frame = planes.to_frame()
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def _audio_frames(second: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    """Cut one second of samples (32-bit float) into pieces; yields (first sample's number, bytes)."""
    step = 1000
    for start in range(0, RATE, step):
        yield number * RATE + start, second[start * 4 : (start + step) * 4]


def _audio_frame(samples: bytes, number: int) -> AudioFrame:
    frame = AudioFrame(format="fltp", layout="stereo", samples=len(samples) // 4)
    for plane in frame.planes:
        plane.update(samples.ljust(plane.buffer_size, b"\0"))
    frame.sample_rate = RATE
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame


def last_frame(path: Path) -> Image.Image:
    """Return the last picture of a film: what a continued job begins with."""
    last: VideoFrame | None = None
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.duration is not None:
            container.seek(max(stream.duration - 1, 0), stream=stream)
        for frame in container.decode(stream):
            last = frame
    if last is None:
        raise ValueError(f"{path.name} has no picture")
    return of_frame(last)


__all__ = ["FPS", "Cancelled", "Film", "Still", "last_frame", "make"]
