"""Clips become a film: one MP4 with a chapter for each, read and written packet by packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from orvideo.film.clips import sound_of
from orvideo.film.pictures import CopiedPicture, EncodedPicture, damaged
from orvideo.film.plan import Piece, Plan
from orvideo.film.reading import opened
from orvideo.film.sounds import CopiedSound, EncodedSound

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.container.core import Chapter
    from av.packet import Packet
    from av.stream import Stream

#: Chapters and the length of clips are told to the millisecond.
_MILLISECONDS = 1000
#: Bytes that are written at once.
_BUFFER = 1 << 20


def join(
    plan: Plan,
    file: BinaryIO,
    *,
    titles: Sequence[str],
    metadata: Mapping[str, str],
    tell: Callable[[int], object],
) -> list[int]:
    """Write a film to an open file, and return how many frames each clip has in it.

    `titles` are those of the chapters. `tell` is called with the seconds that are done; what it raises ends the work.
    Raises UsageError where a clip is damaged, OSError where the film cannot be written.
    """
    import av

    frames = []
    with av.open(file, "w", format="mp4", buffer_size=_BUFFER) as output:
        output.metadata.update(metadata)
        output.set_chapters(_chapters(plan, titles))
        tracks = Tracks(_picture(output, plan, tell), _sound(output, plan, tell))
        for piece in plan.pieces:
            _put(piece, tracks, tell)
            frames.append(tracks.picture.frames)
        tracks.picture.close()
        if tracks.sound is not None:
            tracks.sound.close()
    return frames


class Tracks(NamedTuple):
    """The tracks of a film; a silent one has no sound."""

    picture: CopiedPicture | EncodedPicture
    sound: CopiedSound | EncodedSound | None


def _put(piece: Piece, tracks: Tracks, tell: Callable[[int], object]) -> None:
    """Put a clip into the film."""
    clip, (picture, sound) = piece.clip, tracks
    seconds = piece.clock(clip.unit, Fraction(1))
    copies = isinstance(picture, CopiedPicture) and not isinstance(sound, EncodedSound)
    with opened(clip.path, decoding=not (copies and clip.is_upright_mp4)) as (container, stream):
        heard = sound_of(container) if sound is not None else None
        picture.begin(piece, stream)
        if sound is not None:
            sound.begin(piece, heard)
        for packet in _packets(piece, container, [stream, *([heard] if heard is not None else [])]):
            if packet.stream is stream:
                tell(seconds.at(packet.pts or clip.begins))
                picture.take(piece, packet)
            elif sound is not None:
                sound.take(piece, packet)
        picture.end(piece)
        if sound is not None:
            sound.end(piece)


def _packets(piece: Piece, container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Any]]:
    from av.error import FFmpegError

    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError as error:
            raise damaged(piece) from error
        if packet is None:
            return
        yield packet


def _picture(output: OutputContainer, plan: Plan, tell: Callable[[int], object]) -> CopiedPicture | EncodedPicture:
    if plan.reasons:
        return EncodedPicture(output, plan, tell)
    with opened(plan.pieces[0].clip.path) as (_, stream):
        return CopiedPicture(output, plan, stream)


def _sound(output: OutputContainer, plan: Plan, tell: Callable[[int], object]) -> CopiedSound | EncodedSound | None:
    if plan.sound is None:
        return None
    if plan.sound_reasons:
        return EncodedSound(output, plan, tell)
    first = next(piece.clip for piece in plan.pieces if piece.clip.sound is not None)
    with opened(first.path) as (container, _):
        template = sound_of(container)
        assert template is not None, "it had sound before"
        return CopiedSound(output, plan, template, tell)


def _chapters(plan: Plan, titles: Sequence[str]) -> list[Chapter]:
    """Return a chapter for each clip; each ends where the next one begins."""
    starts = [round(piece.start * _MILLISECONDS) for piece in plan.pieces]
    ends = [*starts[1:], round(plan.seconds * _MILLISECONDS)]
    return [
        {
            "id": number,
            "start": start,
            "end": end,
            "time_base": Fraction(1, _MILLISECONDS),
            "metadata": {"title": title},
        }
        for number, (start, end, title) in enumerate(zip(starts, ends, titles, strict=True), 1)
    ]
