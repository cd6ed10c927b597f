"""Clips of a film: what a video consists of, as far as it decides how videos can be joined."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import UsageError
from orvideo.film.boxes import is_cut, is_upright
from orvideo.film.picture import shown_size
from orvideo.film.reading import Ends, ends_in, opened, packets_of, unit_of

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.codec.context import CodecContext
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

#: Packets in which the first frame comes out of a decoder, however far it looks ahead.
_FIRST_PACKETS = 40
#: A WebM says how long it is: what is missing is no rounding from so many seconds on.
_MISSING = 1


class Picture(NamedTuple):
    """The pictures of a video: what has to agree where they are copied. `colours` are range, matrix, primaries, curve.

    `parameters` is what the decoder has to know, as the file has it.
    """

    codec: str
    profile: str | None
    width: int
    height: int
    format: str
    rate: Fraction | None
    aspect: Fraction
    rotation: int
    colours: tuple[int, ...]
    parameters: bytes

    @property
    def shown(self) -> tuple[int, int]:
        """The size as a player shows it: upright, with square pixels."""
        width, height = shown_size(self.width, self.height, self.aspect)
        return (height, width) if round(self.rotation / 90) % 2 else (width, height)


class Sound(NamedTuple):
    """The sound of a video: what has to agree where it is copied."""

    codec: str
    rate: int
    channels: int
    config: bytes


class Clip(NamedTuple):
    """A video that is to be joined. Times are in units of `unit` seconds, of its own clock.

    `lead` is by how many seconds decoding is ahead of showing. `is_plain`: every frame in the file is shown, the first
    one stands by itself, and all carry their times. `last_is_free`: no other frame is built on the last one.
    `is_upright_mp4`: its packets are all that a copy has to look at.
    """

    path: Path
    picture: Picture
    sound: Sound | None
    unit: Fraction
    begins: int
    last: int
    ends: Fraction
    lead: Fraction
    is_plain: bool
    is_upright_mp4: bool
    last_is_free: bool

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def seconds(self) -> Fraction:
        return (self.ends - self.begins) * self.unit

    @property
    def bytes(self) -> int:
        return self.path.stat().st_size


def clip_of(path: Path) -> Clip:
    """Return what a video consists of. Raises UsageError where it cannot be read, or its end is missing."""
    upright = is_upright(path)
    with opened(path, decoding=not upright) as (container, stream):
        if is_cut(path):
            raise UsageError(f"{path} is cut short: its end is missing.")
        first, begins, rotation = _beginning(path, container, stream, upright=upright)
        unit, dts = unit_of(stream), first.dts
        sound = sound_of(container)
        picture, heard = _picture(stream, rotation), _sound(sound) if sound is not None else None
        ends = ends_in(path, container, stream)
        _refuse_missing(path, container, ends.ends * unit)
        is_plain = first.is_keyframe and not first.is_discard and first.pts == begins and dts is not None
        lead = (begins - dts) * unit if dts is not None else Fraction(0)
        return Clip(
            path, picture, heard, unit, begins, ends.begins, _end(stream, ends), lead,
            is_plain and ends.is_whole, upright, ends.last_is_free,
        )  # fmt: skip


def sound_of(container: InputContainer) -> AudioStream | None:
    """Return the sound that a player would play, None where there is none that can be decoded."""
    return next((one for one in container.streams.audio if one.codec_context is not None), None)


def _beginning(
    path: Path, container: InputContainer, stream: VideoStream, *, upright: bool
) -> tuple[Packet[VideoStream], int, int]:
    """Return the first packet, when the first frame is shown, and by how much it is turned, in degrees."""
    from av.error import FFmpegError

    stream.thread_type = "SLICE"  # threads of frames would hold back the first
    first: Packet[VideoStream] | None = None
    for number, packet in enumerate(packets_of(container, stream)):
        first = first or packet
        if upright and first.pts is not None:
            return first, first.pts, 0
        try:
            frames = packet.decode()
        except FFmpegError:
            break
        if frames and frames[0].pts is not None:
            return first, frames[0].pts, frames[0].rotation
        if number > _FIRST_PACKETS:
            break
    raise UsageError(f"{path} is damaged: its first frame cannot be decoded.")


def _picture(stream: VideoStream, rotation: int) -> Picture:
    context = stream.codec_context
    colours = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
    return Picture(
        codec_name(context),
        context.profile,
        stream.width,
        stream.height,
        context.pix_fmt or "",
        stream.average_rate,
        stream.sample_aspect_ratio or Fraction(1),
        rotation,
        tuple(int(one) for one in colours),
        bytes(context.extradata or b""),
    )


def _sound(stream: AudioStream) -> Sound:
    context = stream.codec_context
    # The first two bytes of an AAC configuration are its kind, rate and channels; encoders write more or less behind.
    config = bytes(context.extradata or b"")[:2]
    return Sound(codec_name(context), context.sample_rate, context.channels, config)


def codec_name(context: CodecContext) -> str:
    """Return the name of a codec, and not that of the library that decodes it."""
    return context.codec.canonical_name


def _end(stream: VideoStream, ends: Ends) -> Fraction:
    """Return when the last frame ends: a file that says nothing of it is taken at its rate."""
    if ends.ends > ends.begins:
        return ends.ends
    return ends.begins + 1 / (Fraction(24) * unit_of(stream))


def _refuse_missing(path: Path, container: InputContainer, ends: Fraction) -> None:
    """Refuse a WebM that says that it is longer than both its pictures and its sound are."""
    if container.duration is None or "matroska" not in container.format.name:
        return
    told = Fraction((container.start_time or 0) + container.duration, 1_000_000)
    if told - ends > _MISSING and told - _end_of_sound(container) > _MISSING:
        raise UsageError(f"{path} is cut short: its end is missing.")


def _end_of_sound(container: InputContainer) -> Fraction:
    from av.error import FFmpegError

    end, sound = Fraction(0), sound_of(container)
    if sound is not None:
        with suppress(FFmpegError):  # what comes after cannot be read
            container.seek(0)
            for packet in container.demux(sound):
                if packet.pts is not None:
                    end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
    return end
