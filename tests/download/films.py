"""Small videos and small places to fetch them from, for the tests of saving: real bytes, no network, no own code."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orvideo.container import check
from orvideo.deadline import Deadline
from orvideo.download import sources
from orvideo.download.naming import Facts
from orvideo.download.save import Saved
from orvideo.errors import OrvideoError, RecordError
from orvideo.record.values import Output, ResumeState

FACTS = Facts(
    "vid-gen-2f9c1a7d", datetime(2026, 11, 21, 2, 30, tzinfo=UTC), "google/veo-3.1", "A paper boat drifts", seed=7
)


def box(name: bytes, body: bytes, *, large: bool = False, size: int | None = None) -> bytes:
    """Return an MP4 box; `large` uses the 64-bit size, `size` lies about it."""
    header = 16 if large else 8
    told = header + len(body) if size is None else size
    if large:
        return struct.pack(">I4sQ", 1, name, told) + body
    return struct.pack(">I4s", told, name) + body


def noise(count: int, seed: int = 0) -> bytes:
    """Return bytes that look like media and are the same each time."""
    return hashlib.shake_128(b"%d" % seed).digest(count)


def mp4(media: int = 5000, seed: int = 0) -> bytes:
    """Return a whole MP4 with `media` bytes of media."""
    return box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"moov", noise(200, seed)) + box(b"mdat", noise(media, seed))


def is_whole_mp4(data: bytes) -> bool:
    """Say whether the boxes of an MP4 end where its bytes do, by a walk of the tests' own."""
    place, names = 0, []
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        if size == 1 and place + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, place + 8)
        if size < 8:
            return False
        names.append(name)
        place += size
    return place == len(data) and names[:1] == [b"ftyp"] and {b"moov", b"mdat"} <= set(names)


def element(name: str, body: bytes, *, unknown: bool = False) -> bytes:
    """Return an EBML element with an eight-byte size."""
    size = b"\x01" + b"\xff" * 7 if unknown else struct.pack(">Q", len(body) | 1 << 56)
    return bytes.fromhex(name) + size + body


def webm(media: int = 5000, *, unknown: bool = False) -> bytes:
    """Return a whole WebM; `unknown` leaves the sizes of segment and cluster open, as live ones do."""
    cluster = element("1f43b675", noise(media), unknown=unknown)
    segment = element("1549a966", b"\0" * 20) + cluster
    return element("1a45dfa3", b"\x42\x82\x84webm") + element("18538067", segment, unknown=unknown)


def check_container(path: Path) -> str:
    """Walk the file at `path` to its end and return its kind: see `container.check`."""
    with open(path, "rb") as file:

        def read(count: int, offset: int) -> bytes:
            file.seek(offset)
            return file.read(count)

        return check(read, file.seek(0, 2))


@dataclass
class Answer:
    """One opened download (`api.download.Download`): its bytes, and how it ends."""

    status: int
    start: int
    length: int | None
    etag: str | None
    body: bytes
    end: BaseException | None = None
    piece: int = 1000

    def chunks(self) -> Iterator[bytes]:
        for offset in range(0, len(self.body), self.piece):
            yield self.body[offset : offset + self.piece]
        if self.end is not None:
            raise self.end


@dataclass
class Place:
    """A service that holds one file. Each opening does what the next of `script` says, then all goes well.

    A script's entry is an error (raised on opening), a number (the bytes that arrive before `cut` is raised; None for
    a clean end there), or a whole `Answer`.
    """

    data: bytes
    etag: str | None = '"v1"'
    ranges: bool = True
    tells_length: bool = True
    script: list[object] = field(default_factory=list)
    cut: BaseException | None = None
    piece: int = 1000
    name: str = "The storage's URL"
    asked: list[tuple[int, str | None]] = field(default_factory=list)

    @contextmanager
    def __call__(self, start: int, etag: str | None) -> Iterator[Answer]:
        self.asked.append((start, etag))
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Answer):
            yield step
            return
        begins = start if self.ranges and start and etag == self.etag else 0
        length = len(self.data) if self.tells_length else None
        if begins >= len(self.data):
            yield Answer(416, start, len(self.data), self.etag, b"")
            return
        rest = self.data[begins:] if step is None else self.data[begins:][: int(str(step))]
        end = None if step is None else self.cut
        yield Answer(206 if begins else 200, begins, length, self.etag, rest, end, self.piece)


class Offered:
    """The places of one output (`download.sources.Sources`): `fresh` are those that another look at the job names."""

    def __init__(
        self,
        *places: Place,
        fresh: Sequence[Place] | OrvideoError | None = None,
        names_outputs: bool = True,
    ) -> None:
        self._places, self._fresh, self.names_outputs = places, fresh, names_outputs
        self.refreshes = 0

    def listed(self) -> list[sources.Source]:
        return [self._named(place) for place in self._places]

    def refreshed(self, deadline: Deadline) -> list[sources.Source]:
        self.refreshes += 1
        if isinstance(self._fresh, OrvideoError):
            raise self._fresh
        return [self._named(place) for place in (self._places if self._fresh is None else self._fresh)]

    def _named(self, place: Place) -> sources.Source:
        return sources.Source(str(id(place)), place.name, lambda start, etag, deadline: place(start, etag))


class Notes:
    """A record of one output in memory (`download.save.OutputRecord`); `refuses` makes every call fail."""

    def __init__(self) -> None:
        self.on_record: Output | None = None
        self.resume: ResumeState | None = None
        self.refuses = False
        self.told: list[Saved] = []

    def output(self) -> Output | None:
        self._check()
        return self.on_record

    def state(self) -> ResumeState | None:
        self._check()
        return self.resume

    def remember(self, state: ResumeState) -> None:
        self._check()
        self.resume = state

    def forget(self) -> None:
        self._check()
        self.resume = None

    def saved(self, saved: Saved) -> None:
        self._check()
        self.told.append(saved)
        path = None if saved.path is None else str(saved.path)
        self.on_record = Output(0, path, saved.bytes, saved.sha256, datetime.now(UTC))
        self.resume = None

    def _check(self) -> None:
        if self.refuses:
            raise RecordError("the record is locked")
