"""`orvideo frame`: one still of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._options import Asking
from orvideo.commands._pictures import DIGITS, Destination, SavingPicture, source_document
from orvideo.commands._videos import VIDEO_HELP, Video, find_videos, named_moment
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.film.moment import Moment


class FrameOptions(NamedTuple):
    """A line of `frame`, parsed."""

    video: str | None
    at: str | None
    saving: SavingPicture


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo frame 1 --at last -o last.png")
    def frame(
        *,
        video: Annotated[
            str | None,
            typer.Argument(metavar="JOB|FILE", help=f"{VIDEO_HELP} :last or :2.5s behind it is --at."),
        ] = None,
        at: Annotated[
            str | None,
            typer.Option("--at", metavar="MOMENT", help="first (the default), last, or a time such as 2.5s."),
        ] = None,
        saving: SavingPicture,
        answering: Asking,
    ) -> Action:
        """Save one frame of a video as a picture. It is the first, the last, or the one at a time.

        It is a PNG called NAME-last.png after the video, in the current folder, unless -o says otherwise.
        """
        return Action(lambda context: run(context, FrameOptions(video, at, saving)), answering)


def run(context: Context, options: FrameOptions) -> None:
    """Save the frame, and answer with its path."""
    from orvideo.film.moment import FIRST
    from orvideo.film.stills import still

    word, behind = named_moment(options.video)
    moment = _the_moment(behind, options.at) or FIRST
    destination = Destination(context, options.saving)
    videos = find_videos(context, [word] if word else None)
    video = videos[0]
    taken = still(video.path, moment)
    if taken.warning:
        context.terminal.warn(f"{taken.warning}; this is the last one that is whole")
    path = destination.save(taken.image, f"{video.path.stem}-{moment.text}.png", videos)
    destination.answer(
        path,
        {
            "at_seconds": round(float(taken.seconds), DIGITS),
            "width": taken.image.width,
            "height": taken.image.height,
            "source": source_document(video),
        },
    )
    _tell_others(context, videos)


def _the_moment(behind: Moment | None, at: str | None) -> Moment | None:
    from orvideo.film.moment import parse_moment

    asked = parse_moment(at) if at is not None else None
    if behind is not None and asked is not None and behind != asked:
        raise UsageError(
            f"Two moments are named: {behind.text} behind the video, and {asked.text} by --at.", hint="name one of them"
        )
    return behind or asked


def _tell_others(context: Context, videos: list[Video]) -> None:
    """Say where the other videos of a job are: they are named as files."""
    from orvideo.shells import command_line

    if len(videos) > 1:
        context.terminal.note(f"{videos[0].owner} has {len(videos)} videos, and this is of the first; of the others:")
        for video in videos[1:]:
            context.terminal.hint(command_line(["orvideo", "frame", str(video.path)]))
