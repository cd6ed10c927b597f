"""What a batch needs whose rows take pictures from each other's videos: the extra, and the pictures when it is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import AuthError, NotFetched, NotStarted, OrvideoError, OutputUnwritable, RecordError, UsageError
from orvideo.installers import needing
from orvideo.record.frames import FrameSource
from orvideo.request.awaited import Awaited, Taken, data_url

if TYPE_CHECKING:
    from orvideo.batch.checking import Asked
    from orvideo.batch.entry import Entry
    from orvideo.batch.rows import Link
    from orvideo.film.moment import Moment
    from orvideo.jobs.fetch import Fetcher
    from orvideo.jobs.task import Task

#: What says more about the whole run than about one picture.
_DECISIVE = (AuthError, OutputUnwritable, RecordError)


def require_film(asked: Sequence[Asked]) -> None:
    """Raise UsageError where rows need frames of videos, and what takes them is not installed."""
    if any(one.awaits for one in asked):
        with needing("film", "A batch whose rows take pictures from each other"):
            from orvideo.film.libraries import load

            load()


class Camera(NamedTuple):
    """Takes frames of videos on this disk; a picture has at most `max_bytes`. Many threads may use it."""

    fetcher: Fetcher
    max_bytes: int

    def take(self, entry: Entry, moment: Moment) -> Taken:
        """Return a frame of a row's video. Raises NotFetched where that is not here, UsageError where it is damaged."""
        from orvideo.commands._frames import take_frame

        record = entry.on_record
        path = self.fetcher.saved_paths(record).get(0)
        output = next((one for one in record.outputs if one.index == 0), None)
        if path is None or output is None:
            raise NotFetched(f"The video of row {entry.row.number} is not where it was saved.")
        data, warning = take_frame(path, output.sha256 or "", moment, self.max_bytes)
        if warning:
            raise UsageError(f"{path}: {warning}.")
        if len(data) > self.max_bytes:
            raise UsageError(f"It has {len(data):,} bytes, and an image at most {self.max_bytes:,}.")
        return Taken(data_url(data), FrameSource(moment.text, output.sha256 or "", job=record.name))


class Pictures:
    """The pictures that one row takes from the videos of others: taken right before it is sent, and kept until then."""

    def __init__(self, camera: Camera, awaits: Mapping[Awaited, Link], entries: Mapping[int, Entry]) -> None:
        self._camera, self._awaits, self._entries = camera, awaits, entries
        self._taken: dict[Awaited, Taken] = {}

    def prepare(self, fetch_again: Callable[[Task], None]) -> None:
        """Take the pictures; a video that is gone or damaged is fetched once more, and never bought.

        Raises NotStarted where a picture cannot be had.
        """
        fetched: set[int] = set()

        def fetch_once(entry: Entry) -> None:
            if entry.row.number not in fetched:
                fetched.add(entry.row.number)
                fetch_again(entry)

        for awaited, link in self._awaits.items():
            self._taken[awaited] = self._take(link, fetch_once)

    def _take(self, link: Link, fetch_again: Callable[[Entry], None]) -> Taken:
        entry = self._entries[link.row]
        try:
            try:
                return self._camera.take(entry, link.moment)
            except (OrvideoError, OSError):
                fetch_again(entry)
                return self._camera.take(entry, link.moment)
        except _DECISIVE:
            raise
        except (OrvideoError, OSError) as error:
            raise NotStarted(f"Not started: {link.text} cannot be had. {error}") from error

    def hand_over(self) -> dict[Awaited, Taken]:
        """Return the pictures, which are kept no longer."""
        taken, self._taken = self._taken, {}
        return taken
