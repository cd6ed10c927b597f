"""The plan of a film: where each clip begins, whether its frames and its sound can be copied, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, lcm
from typing import NamedTuple

from orvideo.errors import UsageError
from orvideo.film import h264
from orvideo.film.clips import Clip, Picture, Sound
from orvideo.film.reading import MAX_PIXELS

#: What is put into an MP4 as it is; by their names in FFmpeg, with those that people know.
_COPIED = {"h264": "H.264", "hevc": "H.265", "av1": "AV1", "vp9": "VP9"}
_NAMES = {**_COPIED, "vp8": "VP8", "mpeg4": "MPEG-4", "aac": "AAC", "opus": "Opus", "vorbis": "Vorbis", "mp3": "MP3"}
#: The plain kind of AAC, as its configuration begins (ISO 14496-3): its packets are all as long.
_PLAIN_AAC = 2
_CHANNELS = {1: "mono", 2: "stereo"}
#: Samples in a packet of AAC. At lower rates a packet is too long to begin in step with its picture.
PACKET, _LEAST_RATE = 1024, 32000
#: Frames a second of a film whose clips have none in common, and the most that it takes over from them.
_RATE, _MOST_RATE = Fraction(24), 120
_LEAST_SIDE = 16
#: Pixels of the frames of a crossfade, which are in memory all at once: a gigabyte of them.
_MOST_WAITING = 700_000_000


class Wishes(NamedTuple):
    """What a person asks of a film: another size, seconds of crossfade.

    `repeats` has for each clip whether its first frame repeats the last one of the clip before.
    """

    size: tuple[int, int] | None = None
    crossfade: Fraction = Fraction(0)
    repeats: tuple[bool, ...] = ()


class Clock(NamedTuple):
    """Tells times of a film by times of a file, rounded: in whole numbers, for each packet is asked for."""

    factor: int
    offset: int
    divisor: int

    @classmethod
    def of(cls, factor: Fraction, offset: Fraction) -> Clock:
        divisor = lcm(factor.denominator, offset.denominator)
        return cls(int(factor * divisor), int(offset * divisor), divisor)

    def at(self, time: int) -> int:
        return (2 * (time * self.factor + self.offset) + self.divisor) // (2 * self.divisor)


class Piece(NamedTuple):
    """A clip in a film: when it begins there and how long it is shown, in seconds.

    `drops_last`: its last frame is left out, since the next clip begins with it.
    """

    clip: Clip
    start: Fraction
    length: Fraction
    drops_last: bool = False

    @property
    def ends(self) -> Fraction:
        return self.start + self.length

    def clock(self, unit: Fraction, tick: Fraction, *, after: Fraction = Fraction(0)) -> Clock:
        """Return what tells the film's time, in units of `tick`, by a time in a clip's file, in units of `unit`.

        `after` is by how many seconds the film's time is later.
        """
        offset = (self.start + after - self.clip.begins * self.clip.unit) / tick
        return Clock.of(unit / tick, offset)


class Plan(NamedTuple):
    """How clips become a film. Where there are no `reasons` the frames are copied, and so is the sound.

    `left_out` and `kept` are how many frames that repeat the one before are left out, and how many stay.
    """

    pieces: tuple[Piece, ...]
    reasons: tuple[str, ...]
    sound_reasons: tuple[str, ...]
    size: tuple[int, int]
    rate: Fraction
    crossfade: Fraction
    left_out: int = 0
    kept: int = 0

    @property
    def seconds(self) -> Fraction:
        return self.pieces[-1].ends

    @property
    def sound(self) -> Sound | None:
        """The first sound that there is, None in a silent film."""
        return next((piece.clip.sound for piece in self.pieces if piece.clip.sound is not None), None)


def plan_film(clips: Sequence[Clip], wishes: Wishes) -> Plan:
    """Return how clips become a film. Raises UsageError for a size or a crossfade that cannot be."""
    size = _size(clips[0], wishes.size)
    reasons = _reasons(clips, wishes)
    rate = _common_rate(clips)
    crossfade = Fraction(round(wishes.crossfade * rate)) / rate if len(clips) > 1 else Fraction(0)
    lengths = [_on_grid(clip.seconds, rate) if reasons else clip.seconds for clip in clips]
    if wishes.crossfade and len(clips) > 1:
        _check_crossfade(clips, lengths, crossfade)
        _check_memory(crossfade * rate, size)
    repeats = () if crossfade else wishes.repeats
    pieces: list[Piece] = []
    start = Fraction(0)
    for number, (clip, length) in enumerate(zip(clips, lengths, strict=True)):
        drops = any(repeats[number + 1 : number + 2]) and _can_drop(clip, length, rate, encoded=bool(reasons))
        if drops:
            length = length - 1 / rate if reasons else (clip.last - clip.begins) * clip.unit
        pieces.append(Piece(clip, start, length, drops))
        start += length - crossfade
    left_out = sum(piece.drops_last for piece in pieces)
    return Plan(
        tuple(pieces), reasons, _sound_reasons(clips, crossfade), size, rate, crossfade,
        left_out, sum(repeats[1:]) - left_out,
    )  # fmt: skip


def _can_drop(clip: Clip, length: Fraction, rate: Fraction, *, encoded: bool) -> bool:
    return length > 1 / rate if encoded else clip.last_is_free and clip.last > clip.begins


def _on_grid(seconds: Fraction, rate: Fraction) -> Fraction:
    """Return a length in whole frames, at least one."""
    return max(1, round(seconds * rate)) / rate


def _size(first: Clip, asked: tuple[int, int] | None) -> tuple[int, int]:
    width, height = asked or first.picture.shown
    if asked and (width % 2 or height % 2 or min(asked) < _LEAST_SIDE or width * height > MAX_PIXELS):
        raise UsageError(f"A film cannot have {width}x{height}: both sides are even, from {_LEAST_SIDE} on.")
    # Each two by two pixels share their colour.
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _common_rate(clips: Sequence[Clip]) -> Fraction:
    rates = {clip.picture.rate for clip in clips}
    rate = rates.pop()
    return rate if rate and not rates and 1 <= rate <= _MOST_RATE else _RATE


def _check_crossfade(clips: Sequence[Clip], lengths: Sequence[Fraction], crossfade: Fraction) -> None:
    if not crossfade:
        raise UsageError("The crossfade is shorter than a frame.")
    for number, (clip, length) in enumerate(zip(clips, lengths, strict=True)):
        needed = crossfade * (1 if number in (0, len(clips) - 1) else 2)
        if length < needed:
            raise UsageError(
                f"{clip.name} is {float(clip.seconds):.2f} s long, and its crossfades need {float(needed):.2f} s.",
                hint="a shorter --crossfade",
            )


def _check_memory(frames: Fraction, size: tuple[int, int]) -> None:
    """Refuse a crossfade whose frames, which wait for the next clip, would take too much of the memory."""
    if frames * size[0] * size[1] > _MOST_WAITING:
        raise UsageError(f"So long a crossfade of {_by(size)} takes too much memory.", hint="a shorter --crossfade")


# Why frames are encoded anew


def _reasons(clips: Sequence[Clip], wishes: Wishes) -> tuple[str, ...]:
    first, size = clips[0].picture, wishes.size
    reasons = []
    if len(clips) > 1 and wishes.crossfade:
        reasons.append("of the crossfade")
    if size is not None and size != first.shown:
        reasons.append(f"{clips[0].name} is {_by(first.shown)}, the film {_by(size)}")
    if first.codec not in _COPIED:
        reasons.append(f"{clips[0].name} is {_named(first.codec)}, which does not go into every MP4")
    for clip in clips:
        if (difference := _difference(clip.picture, first)) is not None:
            reasons.append(f"{clip.name} {difference}")
        elif not clip.is_plain:
            reasons.append(f"{clip.name} has frames that are not to be shown")
    return tuple(reasons)


def _difference(picture: Picture, first: Picture) -> str | None:
    """Return what makes that frames cannot stand in one track; None where they can."""
    if picture == first:
        return None
    if picture.codec != first.codec:
        return f"is {_named(picture.codec)}, the first is {_named(first.codec)}"
    if picture.shown != first.shown:
        return f"is {_by(picture.shown)}, the first is {_by(first.shown)}"
    if picture.rate != first.rate:
        return f"has {_rate(picture.rate)} frames a second, the first has {_rate(first.rate)}"
    if picture.format != first.format:
        return f"has the pixel format {picture.format}, the first has {first.format}"
    if picture.profile != first.profile:
        return f"is {_named(picture.codec)} {picture.profile}, the first is {_named(first.codec)} {first.profile}"
    if picture.rotation != first.rotation or picture.aspect != first.aspect:
        return "is turned or stretched in another way than the first when it is shown"
    if picture.colours != first.colours:
        return "means its colours in another way than the first"
    if not (picture.codec == "h264" and h264.can_share(picture.parameters, first.parameters)):
        return "was encoded with other parameters than the first"
    return None


def _sound_reasons(clips: Sequence[Clip], crossfade: Fraction) -> tuple[str, ...]:
    """Return why sound is encoded anew; a clip without sound is no reason, for silence can be put in its place."""
    first = next((clip for clip in clips if clip.sound is not None), None)
    if first is None or first.sound is None:
        return ()
    reasons = ["of the crossfade"] if crossfade else []
    if not _can_copy(first.sound):
        reasons.append(f"{first.name} has {_heard(first.sound)}")
    for clip in clips:
        if clip.sound is not None and clip.sound != first.sound:
            reasons.append(f"{clip.name} has {_heard(clip.sound)}, {first.name} has {_heard(first.sound)}")
    return tuple(reasons)


def _can_copy(sound: Sound) -> bool:
    is_plain = sound.codec == "aac" and sound.config[:1] != b"" and sound.config[0] >> 3 == _PLAIN_AAC
    return is_plain and sound.rate >= _LEAST_RATE


def slot(seconds: Fraction, rate: int, *, up: bool = False) -> int:
    """Return which packet of AAC is heard at a time, the nearest or the next one."""
    exact = seconds * rate / PACKET
    return ceil(exact) if up else round(exact)


def _heard(sound: Sound) -> str:
    channels = _CHANNELS.get(sound.channels, f"{sound.channels} channels")
    return f"{_named(sound.codec)} sound ({sound.rate} Hz, {channels})"


def _named(codec: str) -> str:
    return _NAMES.get(codec, codec)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _rate(rate: Fraction | None) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".") if rate else "an unknown number of"
