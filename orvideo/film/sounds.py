"""The sound of a film: packets copied in step with the pictures, or encoded anew sample by sample."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from orvideo.film.clips import Sound
from orvideo.film.mixing import mix
from orvideo.film.pictures import damaged
from orvideo.film.plan import PACKET, Piece, Plan, slot
from orvideo.film.reading import unit_of

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

#: The sound that is made: stereo, as 32-bit float until it is encoded.
_RATE, _CHANNELS, _BYTES = 48000, 2, 8
_BIT_RATE = 192_000
#: Where sound says that it goes on later or earlier than this, in seconds, there is a hole or an overlap.
_JITTER = Fraction(1, 50)
_LAYOUTS = {1: "mono", 2: "stereo"}
#: Packets of silence until the encoder has forgotten its beginning.
_SETTLED = 4


class CopiedSound:
    """Puts packets of AAC one after the other, without a hole: each is heard in a slot of its own.

    A clip's sound begins in the slot that is nearest to its picture, so that it is out of step by half a packet at
    most, however many clips there are. What is missing is silence, what is too much is left out. The packet before a
    clip's first leads its decoder in, and takes the place of the last one of the clip before.
    """

    def __init__(
        self, output: OutputContainer, plan: Plan, template: AudioStream, tell: Callable[[int], object]
    ) -> None:
        assert plan.sound is not None, "a silent film has no sound"
        self._output, self._plan, self._sound, self._report = output, plan, plan.sound, tell
        self.stream = output.add_stream_from_template(template)
        self._silence = silent_packet(plan.sound)
        self._next, self._tick = -1, Fraction(1, plan.sound.rate)

    def begin(self, piece: Piece, stream: AudioStream | None) -> None:
        rate = self._sound.rate
        is_last = piece is self._plan.pieces[-1]
        self._end = slot(piece.ends, rate, up=True) if is_last else slot(piece.ends, rate) - 1
        self._following: int | None = None
        self._slots = None if stream is None else piece.clock(unit_of(stream), Fraction(PACKET, rate))

    def take(self, piece: Piece, packet: Packet[AudioStream]) -> None:
        if packet.size == 0:  # the end of the stream
            return
        if packet.pts is None or self._slots is None:
            raise damaged(piece)
        place = self._slots.at(packet.pts)
        if self._following is not None and abs(place - self._following) <= 1:  # times may be rounded
            place = self._following
        self._following = place + 1
        if self._next < 0 <= place:
            self._next = 0
        if self._next <= place < self._end:
            self._fill(place)
            self._put(packet)

    def _fill(self, end: int) -> None:
        """Put silence into the slots up to one; where there is none that fits, the slots stay empty."""
        from av.packet import Packet

        while self._next < end and self._silence is not None:
            packet: Packet[AudioStream] = Packet(self._silence)  # type: ignore[assignment]
            packet.is_keyframe = True
            self._report(self._next * PACKET // self._sound.rate)
            self._put(packet)
        self._next = max(self._next, end)

    def _put(self, packet: Packet[AudioStream]) -> None:
        packet.stream = self.stream
        packet.time_base = self._tick
        packet.pts = packet.dts = self._next * PACKET
        packet.duration = PACKET
        self._output.mux_one(packet)
        self._next += 1

    def end(self, piece: Piece) -> None:
        if self._next < 0:
            self._next = 0
        self._fill(self._end)

    def close(self) -> None:
        pass


def silent_packet(sound: Sound) -> bytes | None:
    """Return a packet of silence for a decoder of this sound; None where none can be made."""
    from av.audio.frame import AudioFrame
    from av.codec import CodecContext
    from av.error import FFmpegError

    layout = _LAYOUTS.get(sound.channels)
    if layout is None:
        return None
    try:
        encoder = CodecContext.create("aac", "w")
        encoder.sample_rate, encoder.layout, encoder.format = sound.rate, layout, "fltp"
        encoder.time_base = Fraction(1, sound.rate)
        packets: list[bytes] = []
        for number in range(_SETTLED):
            frame = AudioFrame(format="fltp", layout=layout, samples=PACKET)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.sample_rate, frame.pts, frame.time_base = sound.rate, number * PACKET, Fraction(1, sound.rate)
            packets += [bytes(packet) for packet in encoder.encode(frame)]
    except (FFmpegError, ValueError):
        return None
    return packets[-1] if packets and bytes(encoder.extradata or b"")[:2] == sound.config else None


class EncodedSound:
    """Encodes the sound of clips anew as AAC: each begins and ends with its picture, to the sample."""

    def __init__(self, output: OutputContainer, plan: Plan, tell: Callable[[int], object]) -> None:
        self._output, self._plan, self._report = output, plan, tell
        self.stream: AudioStream = output.add_stream("aac", rate=_RATE, layout="stereo")
        self.stream.bit_rate = _BIT_RATE
        self._fade = round(plan.crossfade * _RATE)
        #: What waits for the encoder, and how many samples it has.
        self._pending, self._encoded = bytearray(), 0
        #: The end of the clip before, which is faded into this one, and the end of this one.
        self._before, self._tail = bytearray(), bytearray()

    def begin(self, piece: Piece, stream: AudioStream | None) -> None:
        from av.audio.resampler import AudioResampler

        self._resampler: AudioResampler | None = None
        if stream is not None:
            self._is_mono = stream.codec_context.channels == 1
            self._resampler = AudioResampler(format="flt", layout="mono" if self._is_mono else "stereo", rate=_RATE)
        self._count = round(piece.ends * _RATE) - round(piece.start * _RATE)
        is_last = piece is self._plan.pieces[-1]
        self._held_from = self._count - (0 if is_last else self._fade)
        self._before, self._tail = self._tail, bytearray()
        #: Samples of the clip that are told, and where its own sound goes on.
        self._told = 0
        self._following: int | None = None

    def take(self, piece: Piece, packet: Packet[AudioStream]) -> None:
        from av.error import FFmpegError

        try:
            frames = packet.decode()
        except FFmpegError as error:
            raise damaged(piece) from error
        for frame in frames:
            self._resample(piece, frame)

    def _resample(self, piece: Piece, frame: AudioFrame | None) -> None:
        if self._resampler is None:
            return
        clip = piece.clip
        try:
            frames = self._resampler.resample(frame)
        except ValueError as error:  # the rate or the channels have changed
            raise damaged(piece) from error
        for one in frames:
            if one.pts is None or not one.time_base:
                raise damaged(piece)
            first = round((one.pts * one.time_base - clip.begins * clip.unit) * _RATE)
            if self._following is not None and abs(first - self._following) < _JITTER * _RATE:
                first = self._following
            self._following = first + one.samples
            self._place(first, _stereo(one, is_mono=self._is_mono))

    def _place(self, first: int, samples: bytes) -> None:
        """Tell samples that begin at a time of the clip: silence before them, nothing twice, nothing after its end."""
        self._silence(min(first, self._count))
        self._tell(samples[max(0, self._told - first) * _BYTES : max(0, self._count - first) * _BYTES])

    def _silence(self, end: int) -> None:
        """Tell silence up to a sample, a second at a time: an hour of it at once would be a gigabyte."""
        while self._told < end:
            self._tell(bytes(min(end - self._told, _RATE) * _BYTES))

    def _tell(self, samples: bytes) -> None:
        first, self._told = self._told, self._told + len(samples) // _BYTES
        old = bytes(self._before[first * _BYTES : self._told * _BYTES])
        if old:
            samples = mix(old, samples[: len(old)], first, self._fade) + samples[len(old) :]
        cut = max(0, self._held_from - first) * _BYTES
        self._tail += samples[cut:]
        self._pending += samples[:cut]
        while len(self._pending) >= PACKET * _BYTES:
            self._encode(bytes(self._pending[: PACKET * _BYTES]))
            del self._pending[: PACKET * _BYTES]

    def _encode(self, samples: bytes) -> None:
        from av.audio.frame import AudioFrame

        self._report(self._encoded // _RATE)
        count = len(samples) // _BYTES
        frame = AudioFrame(format="fltp", layout="stereo", samples=count)
        mixed = array("f", samples)
        for channel, plane in enumerate(frame.planes):
            plane.update(mixed[channel::_CHANNELS].tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = _RATE, self._encoded, Fraction(1, _RATE)
        self._encoded += count
        self._output.mux(self.stream.encode(frame))

    def end(self, piece: Piece) -> None:
        self._resample(piece, None)
        self._silence(self._count)

    def close(self) -> None:
        if self._pending:
            self._encode(bytes(self._pending))
        self._output.mux(self.stream.encode(None))


def _stereo(frame: AudioFrame, *, is_mono: bool) -> bytes:
    """Return samples for two channels; mono is as loud in each of them, which the resampler would make quieter."""
    if not is_mono:
        return bytes(frame.planes[0])[: frame.samples * _BYTES]
    one = array("f", bytes(frame.planes[0])[: frame.samples * _BYTES // _CHANNELS])
    both = array("f", bytes(frame.samples * _BYTES))
    for channel in range(_CHANNELS):
        both[channel::_CHANNELS] = one
    return both.tobytes()
