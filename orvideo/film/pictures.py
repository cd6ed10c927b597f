"""The picture of a film: frames copied as they are, or encoded anew in one size and at one rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from orvideo.errors import UsageError
from orvideo.film import h264
from orvideo.film.mixing import blend
from orvideo.film.picture import SD_LINES, UNSPECIFIED
from orvideo.film.plan import Clock, Piece, Plan
from orvideo.film.reading import unit_of

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.filter.graph import Graph
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

#: Of libx264: what the eye does not tell from the original, at some thirty frames of 720p a second on one core.
_QUALITY = {"preset": "fast", "crf": "17"}
_BT709 = 1


def damaged(piece: Piece) -> UsageError:
    return UsageError(f"{piece.clip.path} is damaged: not all of it can be read.")


class CopiedPicture:
    """Puts the frames of clips one after the other as they are; only their times are new."""

    def __init__(self, output: OutputContainer, plan: Plan, template: VideoStream) -> None:
        self._output = output
        self.stream = output.add_stream_from_template(template, opaque=True)
        self._unit = plan.pieces[0].clip.unit
        self._lead = max(piece.clip.lead for piece in plan.pieces)
        self._latest: int | None = None
        if len({piece.clip.picture.parameters for piece in plan.pieces}) > 1:
            self.stream.codec_context.codec_tag = h264.IN_BAND
            self._sets = {
                piece.clip.picture.parameters: h264.parse(piece.clip.picture.parameters) for piece in plan.pieces
            }
        else:
            self._sets = {}

    def begin(self, piece: Piece, stream: VideoStream) -> None:
        self.frames = 0
        self._has_last = False
        clip = piece.clip
        self._shown = piece.clock(clip.unit, self._unit)
        self._decoded = piece.clock(clip.unit, self._unit, after=clip.lead - self._lead)
        self._units = Clock.of(clip.unit / self._unit, Fraction(0))
        self._own_sets = self._sets.get(clip.picture.parameters)

    def take(self, piece: Piece, packet: Packet[VideoStream]) -> None:
        if packet.size == 0:  # the end of the stream
            return
        clip = piece.clip
        if packet.pts is None or packet.dts is None:
            raise damaged(piece)
        if packet.pts == clip.last:
            self._has_last = True
            if piece.drops_last:
                return
        shown, decoded = self._shown.at(packet.pts), self._next(self._decoded.at(packet.dts))
        duration = self._units.at(packet.duration or 0)
        if self._own_sets is not None and packet.is_keyframe:
            packet = _with_sets(packet, self._own_sets)
        packet.stream = self.stream
        packet.time_base = self._unit
        packet.pts, packet.dts, packet.duration = shown, decoded, duration
        self._output.mux_one(packet)
        self.frames += 1

    def _next(self, time: int) -> int:
        """Return a time of decoding that comes after the one before, whatever was rounded."""
        self._latest = time if self._latest is None else max(time, self._latest + 1)
        return self._latest

    def end(self, piece: Piece) -> None:
        if not self._has_last:
            raise damaged(piece)

    def close(self) -> None:
        pass


def _with_sets(packet: Packet[VideoStream], sets: h264.ParameterSets) -> Packet[VideoStream]:
    from av.packet import Packet

    new: Packet[VideoStream] = Packet(sets.before(bytes(packet)))  # type: ignore[assignment]
    new.is_keyframe = True
    return new


class EncodedPicture:
    """Encodes the frames of clips anew: as large as the film, with bars where the shape is another, at its rate."""

    def __init__(self, output: OutputContainer, plan: Plan, tell: Callable[[int], object]) -> None:
        self._output, self._plan, self._tell = output, plan, tell
        stream: VideoStream = output.add_stream("libx264", rate=plan.rate, options=dict(_QUALITY))
        stream.width, stream.height = plan.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = 1 / plan.rate
        context.color_range = context.colorspace = context.color_primaries = context.color_trc = _BT709
        self.stream = stream
        self._fade = round(plan.crossfade * plan.rate)
        #: The frames at the end of a clip into which the next one is faded.
        self._tail: deque[VideoFrame] = deque()

    def begin(self, piece: Piece, stream: VideoStream) -> None:
        stream.thread_type = "AUTO"
        self._source = stream
        self._graph: Graph | None = None
        self._first = round(piece.start * self._plan.rate)
        self._count = round(piece.length * self._plan.rate)
        self._held = 0 if piece is self._plan.pieces[-1] else self._fade
        self._last: VideoFrame | None = None
        self.frames = 0

    def take(self, piece: Piece, packet: Packet[VideoStream]) -> None:
        from av.error import FFmpegError

        try:
            frames = packet.decode()
        except FFmpegError as error:
            raise damaged(piece) from error
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                raise damaged(piece)
            if self._graph is None:
                self._graph = _graph(self._plan, piece, self._source, frame)
            frame.pts -= piece.clip.begins
            self._graph.vpush(frame)
            self._pull()

    def _pull(self) -> None:
        from av.error import BlockingIOError as NotYet
        from av.error import EOFError as AtEnd

        while self._graph is not None:
            try:
                frame = self._graph.vpull()
            except (NotYet, AtEnd):
                return
            self._put(frame)

    def _put(self, frame: VideoFrame) -> None:
        """Take the next frame of the clip, at the film's rate and in its size."""
        if self.frames >= self._count:
            return
        self._last = frame
        number = self.frames
        self.frames += 1
        if self._tail and number < self._fade:
            frame = blend(self._tail.popleft(), frame, (number + 1) / (self._fade + 1))
        if number >= self._count - self._held:
            self._tail.append(frame)
        else:
            self._encode(frame, self._first + number, is_first=number == 0)

    def _encode(self, frame: VideoFrame, number: int, *, is_first: bool) -> None:
        from av.video.frame import PictureType

        self._tell(int(number / self._plan.rate))  # one that is shown for an hour is many
        frame.pts, frame.time_base = number, 1 / self._plan.rate
        frame.pict_type = PictureType.I if is_first else PictureType.NONE
        self._output.mux(self.stream.encode(frame))

    def end(self, piece: Piece) -> None:
        if self._graph is not None:
            self._graph.vpush(None)
            self._pull()
        if self._last is None:
            raise damaged(piece)
        while self.frames < self._count:
            self._put(self._last)

    def close(self) -> None:
        self._output.mux(self.stream.encode(None))


#: Filters that turn a picture upright, by the quarters of a turn against the clock that it needs.
_TURNS: dict[int, tuple[tuple[str, str], ...]] = {
    0: (),
    1: (("transpose", "cclock"),),
    2: (("transpose", "clock"), ("transpose", "clock")),
    3: (("transpose", "clock"),),
}


def _graph(plan: Plan, piece: Piece, stream: VideoStream, frame: VideoFrame) -> Graph:
    """Return the filters that make the film's frames of a clip's: its rate, size and colours, upright and whole."""
    from av.filter import Graph

    turn = round(piece.clip.picture.rotation / 90) % 4
    width, height = _fitting(piece.clip.picture.shown, plan.size)
    if turn % 2:
        width, height = height, width
    matrix = "auto"
    if frame.colorspace == UNSPECIFIED:
        matrix = "bt709" if frame.height > SD_LINES else "bt601"
    graph = Graph()
    chain = [
        graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=unit_of(stream)),
        graph.add("fps", f"fps={plan.rate}:start_time=0:round=near"),
        graph.add(
            "scale",
            f"{width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int"
            f":in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv",
        ),
        graph.add("format", "yuv420p"),
        *(graph.add(name, argument) for name, argument in _TURNS[turn]),
        graph.add("pad", f"{plan.size[0]}:{plan.size[1]}:(ow-iw)/2:(oh-ih)/2"),
        graph.add("setsar", "1"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain).configure()
    return graph


def _fitting(shape: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the largest even size of a shape that fits into a room."""
    scale = min(Fraction(room[0], shape[0]), Fraction(room[1], shape[1]))
    width, height = (max(2, min(most, 2 * round(side * scale / 2))) for side, most in zip(shape, room, strict=True))
    return width, height
