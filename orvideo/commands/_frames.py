"""Frames of videos as the pictures of a request: `@1:last`, `ID`, `clip.mp4:2.5s`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.commands._videos import videos_of
from orvideo.errnos import reason
from orvideo.errors import JobEnded, NoOutput, NotFetched, StillRunning, UsageError
from orvideo.files import file_sha256
from orvideo.film.moment import Moment, parse_moment, split_moment
from orvideo.installers import needing
from orvideo.record.frames import FrameSource
from orvideo.record.lookup import NoSuchJob
from orvideo.request.frames import USUAL, Frame, FrameWord
from orvideo.request.kinds import recognise
from orvideo.system import names

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.values import Record

#: A place in the list of jobs, which is never a file.
_PLACE = re.compile(r"@(?P<number>last|[0-9]{1,15})(?::(?P<moment>.*))?", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)
#: Bytes of a file by which is told what it is.
_HEAD = 4096
#: What goes on with a job of which there is no video here.
_GOES_ON = {StillRunning: "wait", NotFetched: "download", JobEnded: "jobs show", NoOutput: "jobs show"}
#: Pictures that are kept: the rows of a batch share those of its line.
_KEPT = 8


class _Video(NamedTuple):
    """A video on this disk with its sum, and how its frames are named."""

    path: Path
    sha256: str
    source: FrameSource


class FrameFinder:
    """Turns words into frames of videos: `request.frames.FrameOf`. A job is looked up, and fetched, once.

    In a batch (`batch` is its id, `rows` its jobs so far) `@1` is the newest job that is none of its rows; and once a
    row was bought with it, it stays that job, so that the rows of a batch that goes on are the same rows.
    """

    def __init__(
        self, context: Context, max_bytes: int, *, batch: str | None = None, rows: Sequence[Record] = ()
    ) -> None:
        self._context = context
        self._batch, self._rows = batch, len(rows)
        self._named = {frame.named: frame.job for row in rows for frame in row.frames if frame.named and frame.job}
        self._jobs: dict[str, _Video] = {}
        self._picture = lru_cache(maxsize=_KEPT)(partial(take_frame, max_bytes=max_bytes))

    def __call__(self, word: FrameWord) -> Frame | None:
        usual = USUAL[word.use]
        if (place := _PLACE.fullmatch(word.text)) is not None:
            number = 1 if place["number"] == "last" else int(place["number"])
            said = usual if place["moment"] is None else parse_moment(place["moment"])
            return self._frame(self._job(f"@{number}"), said)
        name: str = word.text
        moment: Moment | None = None
        if not _exists(path := word.place(name)):
            name, moment = split_moment(word.text)
            path = word.place(name)
        if _exists(path):
            if moment is None and not _is_video(path):
                return None
            return self._frame(self._file(path, name), moment or usual)
        if _is_path(name):
            raise UsageError(f"There is no file {name}.", hint=f"looked in {path.absolute().parent}")
        return self._frame(self._job(name), moment or usual)

    # Videos

    def _file(self, path: Path, name: str) -> _Video:
        if not path.is_file():
            raise UsageError(f"{name} is no video file.")
        digest = _sum(path)
        return _Video(path, digest, FrameSource("", digest, file=str(path.absolute())))

    def _job(self, name: str) -> _Video:
        if name not in self._jobs:
            self._jobs[name] = self._find(name)
        return self._jobs[name]

    def _find(self, name: str) -> _Video:
        record = self._record(name)
        if self._batch is not None and name.startswith("@"):
            self._context.terminal.note(f"{name} is {record.name}")
        if record.id is None:
            raise UsageError(
                f"Job {record.name} has no video to take a frame of ({record.status_word}).",
                hint=f"orvideo jobs show {record.name}",
            )
        try:
            video, *others = videos_of(self._context, [record])[record.seq]
        except tuple(_GOES_ON) as error:
            # Their codes would say that something was bought now.
            word = next(word for kind, word in _GOES_ON.items() if isinstance(error, kind))
            hint = error.hint or f"orvideo {word} {record.name}"
            raise UsageError(f"{error.message} There is no frame of its video.", hint=hint) from error
        finally:
            self._context.ending.track([], self._context.journal)
        if others:
            self._context.terminal.warn(f"{record.name} has {len(others) + 1} videos; the frame is one of the first")
        assert video.record is not None, "a job was named"
        digest = next(output.sha256 for output in video.record.outputs if output.index == video.number)
        named = f"@{name}" if _NUMBER.fullmatch(name) else name if name.startswith("@") else None
        source = FrameSource("", digest or "", job=record.name, output=video.number, named=named)
        return _Video(video.path, digest or "", source)

    def _record(self, name: str) -> Record:
        ledger = self._context.ledger_to_read
        if self._batch is None:
            return self._found(name)
        if _NUMBER.fullmatch(name):
            raise UsageError(f"{name} could be a job (@{name}), a row (row:{name}) or a file (./{name}).")
        if name in self._named or not name.startswith("@"):
            return self._found(self._named.get(name, name))
        number = int(name[1:])
        others = [one for one in ledger.list(limit=number + self._rows) if one.batch != self._batch]
        if not 0 < number <= len(others):
            raise UsageError(f"There is no job {name} beside those of this batch.", hint="orvideo jobs")
        return others[number - 1]

    def _found(self, name: str) -> Record:
        try:
            return self._context.ledger_to_read.find(name)
        except NoSuchJob as error:
            if name.startswith("@"):
                raise
            raise NoSuchJob(f"There is no file {name}, and no job of that name on record.", hint=error.hint) from error

    # Pictures

    def _frame(self, video: _Video, moment: Moment) -> Frame:
        data, warning = self._picture(video.path, video.sha256, moment)
        source = video.source._replace(at=moment.text)
        return Frame(data, f"the {source.text}", source, (warning,) if warning else ())


def take_frame(path: Path, digest: str, moment: Moment, max_bytes: int) -> tuple[bytes, str | None]:
    """Return a frame as a picture, and what is to be said of it; only ever of the video with this sha256.

    It is a PNG, and a JPEG where that has more bytes than `max_bytes`. Raises UsageError.
    """
    with needing("film", "A frame of a video"):
        from orvideo.film.encoding import Kind, encoded
        from orvideo.film.stills import still

        shown = still(path, moment)
        data = encoded(shown.image, Kind.PNG)
        if len(data) > max_bytes:
            data = encoded(shown.image, Kind.JPEG)
    if _sum(path) != digest:
        raise UsageError(f"{path} has changed since it was checked; nothing was sent.")
    return data, shown.warning


def _exists(path: Path) -> bool:
    """Return whether something is there; a device is, and whoever reads it as a picture refuses it (finding W14)."""
    try:
        return path.exists() or names.HERE.is_device(path)
    except (OSError, ValueError):
        return False


def _is_video(path: Path) -> bool:
    """Return whether a file is a video by its content."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            kind = recognise(file.read(_HEAD))
    except OSError:
        return False  # whoever reads it as a picture says why
    return kind is not None and kind.medium == "video"


def _is_path(name: str) -> bool:
    return bool(Path(name).suffix) or "/" in name or "\\" in name or name.startswith("~")


def _sum(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from error


def check_sources(context: Context, record: Record, frames: Sequence[FrameSource]) -> None:
    """Raise UsageError where what frames of a job's request were taken from is gone."""
    for frame in frames:
        if _is_there(context, frame):
            continue
        use = frame.use.replace("_", " ")
        missing = f"{frame.file} is gone" if frame.file else f"job {frame.job} is not on record any more"
        raise UsageError(
            f"The {use} of {record.name} was the {frame.text}, and {missing}.",
            hint=f"give another picture: --{use.replace(' ', '-')} FILE",
        )


def _is_there(context: Context, frame: FrameSource) -> bool:
    if frame.job is None:
        return frame.file is not None and _exists(Path(frame.file))
    try:
        context.ledger_to_read.find(frame.job)
    except NoSuchJob:
        return False
    return True
