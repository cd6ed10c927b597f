"""Video files read frame by frame: no other file is opened, what is declared is bounded, damage is seen."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errnos import reason
from orvideo.errors import UsageError
from orvideo.film.boxes import is_cut
from orvideo.installers import needing

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    #: A packet, and a frame that it brought out; None where it cannot be decoded.
    Decoded = tuple[Packet[VideoStream], VideoFrame | None]

#: Larger pictures are not decoded: 8K has 35 million pixels, and each takes some six bytes on its way to a PNG.
MAX_PIXELS = 40_000_000
#: Playlists and the like would have FFmpeg open other files and addresses.
_FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif"
#: Groups of pictures at the end of a file that are tried before it is decoded as a whole.
_LAST_GROUPS = 4
#: Bytes that are read at once.
_BUFFER = 1 << 18


class Shot(NamedTuple):
    """A decoded frame, when it is shown and until when, in the stream's own units; damaged ones are not `whole`."""

    frame: VideoFrame
    begins: int
    ends: Fraction
    whole: bool


class Ends(NamedTuple):
    """Of a stream, by its packets: when its last frame begins and ends, and its last keyframes, in its own units.

    `last_is_free`: the last frame that is shown is the last that is decoded, so that no other is built on it.
    `is_whole`: the file has nothing near its end that is not to be shown.
    """

    begins: int
    ends: Fraction
    keyframes: tuple[int, ...]
    last_is_free: bool = False
    is_whole: bool = True


@contextmanager
def opened(path: Path, *, decoding: bool = True) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a video file and its picture. Raises UsageError where there is none, or it is too large.

    Without `decoding` no frame is decoded to find out more than the file says, which takes a tenth of the time: enough
    for an MP4, which carries the times of all its packets.
    """
    with needing("film", "A picture of a video"):
        import av
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from error
    options = {"format_whitelist": _FORMATS, "max_pixels": str(MAX_PIXELS)}
    if not decoding:
        options["codec_whitelist"] = "none"
    with file:
        try:
            container = av.open(file, "r", options=options, buffer_size=_BUFFER)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise _unreadable(path) from error
        with container:
            stream = _picture_of(container, path)
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            yield container, stream


def _unreadable(path: Path) -> UsageError:
    if os.stat(path).st_size == 0:
        return UsageError(f"{path} is empty.")
    if is_cut(path):
        return UsageError(f"{path} is cut short, and nothing of it can be read.")
    return UsageError(f"{path} is not a video that can be read.")


def _picture_of(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream of pictures that a player would show; the cover of an album is none."""
    from av.stream import Disposition

    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        raise UsageError(f"{path} has no pictures.")
    stream = streams[0]
    if stream.codec_context is None:
        raise UsageError(f"The pictures in {path} are in a form that cannot be decoded here.")
    if not stream.width * stream.height:  # FFmpeg forgets a size that it must not decode
        raise UsageError(f"{path} is damaged, or its pictures are too large to be decoded.")
    if stream.width * stream.height > MAX_PIXELS:
        raise UsageError(f"{path} says that it is {stream.width}x{stream.height}, which is too large to be decoded.")
    return stream


class Shots:
    """The frames of a file in the order in which they are shown, from the beginning, or from before a time.

    Iterate it once. `lost` are the times of packets of which no frame came.
    """

    def __init__(self, path: Path, start: int | None = None) -> None:
        self._path, self._start = path, start
        self.lost: list[int] = []

    def __iter__(self) -> Generator[Shot, None, None]:
        with opened(self._path) as (container, stream):
            if self._start is not None and not _seek(container, stream, self._start):
                return
            # A frame is built on those before it, since a keyframe: damage stays until the next.
            whole = self._start is None
            for packet, frame in self._frames(container, stream):
                if frame is None:
                    whole = False
                    self.lost += [] if (when := _time_of(packet)) is None else [when]
                    continue
                whole = (whole or frame.key_frame) and not frame.is_corrupt
                if (begins := frame.pts if frame.pts is not None else frame.dts) is None:
                    raise UsageError(f"The frames of {self._path} carry no times.")
                yield Shot(frame, begins, begins + _duration(frame.duration, stream), whole)

    def _frames(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[tuple[Packet[VideoStream], VideoFrame | None]]:
        """Yield what each packet brings out."""
        from av.error import FFmpegError

        for packet in packets_of(container, stream):
            try:
                frames = packet.decode()
            except FFmpegError:
                yield packet, None
                continue
            for frame in frames:
                yield packet, frame


def packets_of(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of a stream, and last an empty one, which brings out what the decoder holds."""
    from av.error import FFmpegError
    from av.packet import Packet

    try:
        yield from container.demux(stream)
    except FFmpegError:  # what comes after cannot be read
        empty: Packet[VideoStream] = Packet()  # type: ignore[assignment]
        empty.stream = stream
        yield empty


def _seek(container: InputContainer, stream: VideoStream, time: int) -> bool:
    from av.error import FFmpegError

    try:
        container.seek(time, stream=stream)
    except (FFmpegError, OSError):
        return False
    return True


def _time_of(packet: Packet[VideoStream]) -> int | None:
    return packet.pts if packet.pts is not None else packet.dts


def _duration(told: int | None, stream: VideoStream) -> Fraction:
    """Return how long a frame is shown, in the stream's units, as the file or the rate tells; 0 where neither does."""
    if told:
        return Fraction(told)
    return 1 / (stream.average_rate * unit_of(stream)) if stream.average_rate else Fraction(0)


def unit_of(stream: VideoStream | AudioStream) -> Fraction:
    """Return the unit in which a stream counts time, in seconds."""
    return stream.time_base or Fraction(1, 1_000_000)


def first_shot(path: Path) -> Shot:
    """Return the first frame that is shown. Raises UsageError where it is damaged, or there is none."""
    shots = Shots(path)
    with closing(iter(shots)) as each:
        shot = next(each, None)
    if shot is None or not shot.whole or any(lost < shot.begins for lost in shots.lost):
        raise UsageError(f"{path} is damaged: its first frame cannot be decoded.")
    return shot


def ends_of(path: Path) -> Ends:
    """Return where a stream ends, by its packets: only the last are read where the file can be searched by time."""
    with opened(path) as (container, stream):
        return ends_in(path, container, stream)


def ends_in(path: Path, container: InputContainer, stream: VideoStream) -> Ends:
    """Return where a stream of an open file ends; it is read to its end."""
    _seek_to_the_end(container, stream)
    keyframes: deque[int] = deque(maxlen=_LAST_GROUPS)
    last, ends, latest, is_whole = None, Fraction(0), None, True
    for packet in packets_of(container, stream):
        when = _time_of(packet)
        if when is None or packet.size == 0:
            continue
        if packet.is_discard:
            is_whole = False
            continue
        if packet.is_keyframe:
            keyframes.append(when)
        latest = when
        if last is None or when > last:
            last, ends = when, when + _duration(packet.duration, stream)
    if last is None:
        raise UsageError(f"{path} is damaged: its frames cannot be read.")
    return Ends(last, ends, tuple(keyframes), latest == last, is_whole)


def _seek_to_the_end(container: InputContainer, stream: VideoStream) -> None:
    """Go near the end of a file that says how long it is; another is read from the beginning."""
    if stream.duration:
        _seek(container, stream, (stream.start_time or 0) + stream.duration)
    elif container.duration:
        seconds = Fraction((container.start_time or 0) + container.duration, 1_000_000)
        _seek(container, stream, int(seconds / unit_of(stream)))
