"""Videos that a line names, by their jobs or as files; what is not on this disk is fetched first."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from orvideo.commands._follow import errors_of, prepare, run_tasks
from orvideo.errors import NoOutput, OutputExists, UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.film.moment import Moment
    from orvideo.jobs.fetch import Fetcher
    from orvideo.record.values import Record

VIDEO_HELP = "A job (an id, a piece of one, or 1 for the newest) or a video file."
#: A number, with or without `@`, is a job, also beside a file of that name.
_NUMBER = re.compile(r"@?[0-9]+|@(?:last)")


class Video(NamedTuple):
    """A video on this disk; the job that made it and its number there, where a job was named."""

    path: Path
    record: Record | None = None
    number: int = 0

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.path.name

    @property
    def owner(self) -> str:
        """The job by its name, or the file."""
        return self.record.name if self.record is not None else self.name


def named_moment(word: str | None) -> tuple[str | None, Moment | None]:
    """Return the video of `JOB:last` or `clip.mp4:2.5s`, and the moment; a file that has the whole name is a video."""
    from orvideo.film.moment import split_moment

    return split_moment(word) if word and not _is_there(word) else (word, None)


def _is_there(word: str) -> bool:
    from orvideo.files import expand_user

    return Path(expand_user(word)).is_file()


def find_videos(context: Context, words: Sequence[str] | None) -> list[Video]:
    """Return the videos that a line names, in its order; one of a job that is not on this disk is fetched.

    A job can have several. No name at all is a usage error. Raises what fetching raises.
    """
    if not words:
        raise UsageError("A job or a video file is needed, such as 1 for the newest job.", hint="orvideo jobs")
    named: list[Path | Record] = [_file(word) if is_file(word) else context.ledger_to_read.find(word) for word in words]
    jobs = {one.seq: one for one in named if not isinstance(one, Path)}
    of_jobs = videos_of(context, list(jobs.values())) if jobs else {}
    found: list[Video] = []
    for one in named:
        found += [Video(one)] if isinstance(one, Path) else of_jobs[one.seq]
    return found


def videos_of(context: Context, records: Sequence[Record]) -> dict[int, list[Video]]:
    """Return the videos of jobs, by their numbers on record; what is not on this disk is fetched. Raises its errors."""
    fetcher = context.fetcher(None, always=True)
    missing = [record for record in records if len(fetcher.saved_paths(record)) < record.output_count]
    if missing:
        _fetch(context, missing, fetcher)
    found = {}
    for record in records:
        now = context.ledger_to_read.get(record.seq) if record in missing else record
        paths = sorted(fetcher.saved_paths(now).items())
        if not paths:
            raise NoOutput(f"Job {record.name} has no video.", hint=f"orvideo jobs show {record.name}")
        if record in missing:
            for _, path in paths:
                context.terminal.note(f"saved {fetcher.display_path(path, now)}")
        found[record.seq] = [Video(path, now, index) for index, path in paths]
    return found


def _fetch(context: Context, records: Sequence[Record], fetcher: Fetcher) -> None:
    """Fetch the videos of jobs to where their -o said, or here."""
    from orvideo.download.targets import takes_stdout
    from orvideo.jobs.task import RunOptions

    for record in records:
        if takes_stdout(record.target if record.target is not None else context.settings.output):
            raise UsageError(
                f"The video of {record.name} goes to stdout, so there is no file of it.",
                hint=f"orvideo download {record.name} -o FILE",
            )
    tasks = prepare(context, records, fetcher)
    settings = context.settings
    is_limited, timeout = context.deadline.at is not None, settings.timeout
    if timeout is not None:
        timeout = context.deadline.left(timeout)
    options = RunOptions(timeout=timeout, interval=settings.interval, timeout_is_explicit=is_limited, wait=False)
    context.listener.jobs = len(tasks)
    errors = [*run_tasks(context, tasks, options, fetcher), *errors_of(tasks)]
    for beside in errors:
        if isinstance(beside, OutputExists):  # it is here all the same
            context.terminal.warn(beside.message)
    context.ending.raise_worst([error for error in errors if not isinstance(error, OutputExists)])


def refuse_overwriting(videos: Sequence[Video], path: Path, what: str) -> None:
    """Refuse a name under which one of the videos that are read would be gone, also with --force. Raises UsageError."""
    from orvideo.download.disk import is_same_file

    if any(is_same_file(video.path, path) for video in videos):
        raise UsageError(f"{path} is one of the videos, and cannot be {what}.", hint="another name with -o")


def is_file(word: str) -> bool:
    """Return whether a word names a file, and not a job: it has a folder or a suffix, or is there."""
    if _NUMBER.fullmatch(word):
        return False
    path = Path(word)
    has_folder = word.startswith("~") or any(sign in word for sign in (os.sep, os.altsep) if sign)
    return has_folder or bool(path.suffix) or path.exists()


def _file(word: str) -> Path:
    from orvideo.files import expand_user

    path = Path(expand_user(word))
    if path.is_dir():
        raise UsageError(f"{word} is a folder, and no video.", hint="name the video files in it")
    if not path.is_file():
        raise UsageError(f"There is no video file {word}.", hint="orvideo jobs")
    return path
