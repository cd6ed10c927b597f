"""The film that `batch --join` makes: one file of all the rows' videos, in the order of their file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.commands._join import Joining, film_document, film_target, join_videos, made_from
from orvideo.commands._videos import Video
from orvideo.errors import NotFetched, OutputExists, UsageError
from orvideo.files import file_sha256, path_as_asked

if TYPE_CHECKING:
    from orvideo.batch.entry import Entry
    from orvideo.context import Context
    from orvideo.jobs.fetch import Fetcher
    from orvideo.record.values import Record

#: So many rows are named that have no video.
_MOST_NAMED = 20


class BatchFilm:
    """A film that is to be made: where it goes is checked when this is made, before anything is bought.

    Raises what `film_target` raises. `new_folder` is a folder that is made before the first row is bought.
    """

    def __init__(self, context: Context, spec: str, *, force: bool, new_folder: Path | None) -> None:
        self._context, self._is_here = context, False
        try:
            self._target = film_target(context, spec, force=force, to_make=new_folder)
        except UsageError as error:
            error.hint = error.hint and error.hint.replace("-o ", "--join ")
            raise

    @property
    def path(self) -> Path:
        """Where it will be."""
        return (self._target.folder / self._target.name).absolute()

    def look(self, records: Sequence[Record | None]) -> None:
        """Look whether the film of just these jobs is here; before anything is bought.

        Raises OutputExists where anything else has its name.
        """
        from orvideo.output.text import visible

        try:
            self._target.refuse_existing(None)
        except OutputExists as error:
            names = [visible(record.name) if record is not None else None for record in records]
            self._is_here = made_from(self.path) == names
            if self._is_here:
                return
            error.hint = "name another film with --join"  # --force would fetch all videos anew
            raise

    def make(self, entries: Sequence[Entry], fetcher: Fetcher) -> dict[str, Any]:
        """Join the videos of the rows, answer with the film's path, and return the documented object."""
        if self._is_here:
            return self._answer_here()
        videos = [video for entry in entries for video in _videos_of(entry, fetcher)]
        film = join_videos(self._context, videos, self._target, Joining())
        self._context.terminal.answer(path_as_asked(film.path, None))
        return film.as_json(videos)

    def _answer_here(self) -> dict[str, Any]:
        from orvideo.download.disk import disk_errors

        shown = path_as_asked(self.path, None)
        self._context.terminal.note(f"{shown} is here already")
        self._context.terminal.answer(shown)
        with disk_errors(self.path):
            digest = file_sha256(self.path) if self._context.answering.json else None
            return film_document(self.path, self.path.stat().st_size, digest, was_here=True)

    def tell_missing(self, entries: Sequence[Entry]) -> None:
        """Say that there is no film, and why."""
        from orvideo.output.text import ranges

        rows = [entry.row.number for entry in entries if not entry.has_video]
        more = ", ..." if len(rows) > _MOST_NAMED else ""
        self._context.terminal.note(
            f"no film yet: without a video are rows {ranges(rows[:_MOST_NAMED])}{more}; when all rows have theirs, "
            "the same command joins them"
        )


def _videos_of(entry: Entry, fetcher: Fetcher) -> list[Video]:
    record = entry.on_record
    paths = sorted(fetcher.saved_paths(record).items())
    if not paths:
        raise NotFetched(f"The video of row {entry.row.number} is gone, so no film was made.")
    return [Video(path, record, index) for index, path in paths]
