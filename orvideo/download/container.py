"""What a file is by its bytes, and whether it is all there: MP4 boxes and WebM elements walked to the end.

Only headers are read; the media between them is skipped, so a walk costs the same for 10 MiB and 1 GiB. The same
parsers follow bytes on disk (`check_container`) and bytes that pass by on the way to a pipe (`Trail`).
"""

import os
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["mp4", "webm"]
KINDS: tuple[Kind, ...] = ("mp4", "webm")

#: This many bytes from the beginning of a file decide what it is.
HEAD = 12
#: Real files have thousands of top-level boxes or elements at most, one pair a fragment; more is an attack.
MOST_PARTS = 200_000

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_CLUSTER = b"\x1f\x43\xb6\x75"


class BadContainer(Exception):
    """The bytes are not a whole video; the text says why, without a full stop."""


class NotAVideo(BadContainer):
    """The bytes do not even begin like a video: an error page, JSON, another kind of file (drill D07)."""


class Incomplete(BadContainer):
    """The bytes begin like a video and are cut short or damaged (drill D06)."""


def sniff(head: bytes) -> Kind | None:
    """Return what a file is by its first `HEAD` bytes, None for anything that is no video we know."""
    if head[4:8] == b"ftyp":
        return "mp4"
    return "webm" if head[:4] == _EBML else None


def check_container(file: Path | int) -> Kind:
    """Walk a file, given by path or descriptor, to its end and return what it is.

    Raises NotAVideo, Incomplete, and OSError where the file cannot be read.
    """
    if isinstance(file, int):
        return _check_descriptor(file)
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        return _check_descriptor(descriptor)
    finally:
        os.close(descriptor)


def _check_descriptor(descriptor: int) -> Kind:
    size = os.fstat(descriptor).st_size
    kind = require_kind(os.pread(descriptor, HEAD, 0))
    parser = _PARSERS[kind]()
    step, offset = next(parser), 0
    with suppress(StopIteration):
        while True:
            if isinstance(step, _Read):
                answer = os.pread(descriptor, step.amount, offset)
                offset += len(answer)
            else:
                answer = b""
                offset = size if step.amount is None else offset + step.amount
                if offset > size:
                    raise Incomplete(f"{offset - size} bytes of it are missing")
            step = parser.send(answer)
    return kind


def require_kind(head: bytes) -> Kind:
    """Return what a file is by its first bytes. Raises NotAVideo, and Incomplete where there are too few to say."""
    kind = sniff(head)
    if kind is not None:
        return kind
    if len(head) < HEAD and (head[:1] == b"\0" or _EBML.startswith(head[:4])):
        raise Incomplete(f"it is {len(head)} bytes long")
    raise NotAVideo("it is neither MP4 nor WebM")


class Trail:
    """Walks a file that passes by in pieces and is not kept; nothing but a header at a time is held."""

    def __init__(self, kind: Kind) -> None:
        self._parser = _PARSERS[kind]()
        self._step: _Step | None = next(self._parser)
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Follow the next bytes of the file. Raises Incomplete or NotAVideo as soon as they make no sense."""
        offset = 0
        while self._step is not None and offset < len(data):
            if isinstance(self._step, _Read):
                piece = data[offset : offset + self._step.amount - len(self._held)]
                offset += len(piece)
                self._held += piece
                if len(self._held) == self._step.amount:
                    self._answer()
            elif self._step.amount is None:
                return
            else:
                taken = min(self._step.amount, len(data) - offset)
                offset += taken
                self._step = _Skip(self._step.amount - taken)
            self._pass_empty()

    def end(self) -> None:
        """Say that the file is over. Raises Incomplete if it should not be.

        After "bytes are missing" and "ends within a header" the walk may go on when more of the file arrives.
        """
        if isinstance(self._step, _Skip) and self._step.amount:
            raise Incomplete(f"{self._step.amount} bytes of it are missing")
        if any(self._held):
            raise Incomplete("it ends within a header")
        while self._step is not None:
            self._answer()
            if isinstance(self._step, _Skip) and self._step.amount:
                raise Incomplete(f"{self._step.amount} bytes of it are missing")

    def _pass_empty(self) -> None:
        while isinstance(self._step, _Skip) and self._step.amount == 0:
            self._answer()

    def _answer(self) -> None:
        held, self._held = self._held, b""
        try:
            self._step = self._parser.send(held)
        except StopIteration:
            self._step = None


class _Read(NamedTuple):
    """A parser wants the next bytes; it is given fewer at the end of the file, none when it is over."""

    amount: int


class _Skip(NamedTuple):
    """A parser has no use for the next bytes, but they must be there; None for all that are left."""

    amount: int | None


_Step = _Read | _Skip
_Parser = Generator[_Step, bytes, None]


def _mp4() -> _Parser:
    found: set[bytes] = set()
    for _ in range(MOST_PARTS):
        head = yield _Read(8)
        if not any(head) and len(head) < 8:
            break  # the end, or a few zeros that some muxers pad with
        if len(head) < 8:
            raise Incomplete("it ends within the header of a box")
        size, name, header = int.from_bytes(head[:4], "big"), head[4:], 8
        found.add(name)
        if size == 0:  # to the end of the file
            yield _Skip(None)
            continue
        if size == 1:
            large = yield _Read(8)
            if len(large) < 8:
                raise Incomplete("it ends within the header of a box")
            size, header = int.from_bytes(large, "big"), 16
        if size < header:
            raise Incomplete(f"a box claims to be {size} bytes long, less than its own header")
        yield _Skip(size - header)
    else:
        raise NotAVideo(f"it has more than {MOST_PARTS} boxes")
    for name, what in ((b"moov", "index"), (b"mdat", "media")):
        if name not in found:
            raise Incomplete(f"it has no {what} ({name.decode()} box)")


def _webm() -> _Parser:
    found: set[bytes] = set()
    for _ in range(MOST_PARTS):
        first = yield _Read(1)
        if not first:
            break
        name = first + (yield from _rest(first, most=4))
        first = yield _Read(1)
        rest = yield from _rest(first, most=8)
        bits = 7 * (len(rest) + 1)
        size = int.from_bytes(first + rest, "big") & (1 << bits) - 1
        found.add(name)
        if size != (1 << bits) - 1:
            yield _Skip(size)
        elif name == _CLUSTER:  # live WebM: the end of such a cluster cannot be told without reading the media
            yield _Skip(None)
        elif name != _SEGMENT:  # the elements in a segment of unknown size are walked like its neighbours
            raise Incomplete("an element has no size")
    else:
        raise NotAVideo(f"it has more than {MOST_PARTS} elements")
    if _SEGMENT not in found:
        raise Incomplete("it has no segment")


def _rest(first: bytes, *, most: int) -> Generator[_Step, bytes, bytes]:
    """Read the rest of a number whose length is told by the leading zeros of its first byte."""
    if not first:
        raise Incomplete("it ends within the header of an element")
    length = 9 - first[0].bit_length()
    if length > most:
        raise Incomplete("an element's header makes no sense")
    if length == 1:
        return b""
    rest = yield _Read(length - 1)
    if len(rest) < length - 1:
        raise Incomplete("it ends within the header of an element")
    return rest


_PARSERS = {"mp4": _mp4, "webm": _webm}
