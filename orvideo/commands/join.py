"""`orvideo join`: several videos become one film."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._join import FILM, Joining, film_target, join_videos
from orvideo.commands._options import Asking, Force, option
from orvideo.commands._videos import VIDEO_HELP, find_videos
from orvideo.errors import UsageError
from orvideo.files import path_as_asked

if TYPE_CHECKING:
    from orvideo.context import Context


class Look(NamedTuple):
    """What a film is to look like."""

    size: Annotated[
        str | None,
        option("Film", "Make it this large, such as 1280x720; as large as the first video without.", "--size"),
    ] = None
    crossfade: Annotated[
        str | None,
        option("Film", "Fade each video into the next for so long, such as 0.5s.", "--crossfade", metavar="TIME"),
    ] = None
    keep_repeated: Annotated[
        bool,
        option("Film", "Keep the first frame of a video that goes on from the last one before.", "--keep-repeated"),
    ] = False
    no_reencode: Annotated[
        bool, option("Film", "Copy frames and sound as they are, or make no film.", "--no-reencode")
    ] = False


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo join 3 2 1 -o film.mp4")
    def join(
        *,
        videos: Annotated[list[str] | None, typer.Argument(metavar="VIDEO", help=VIDEO_HELP)] = None,
        output: Annotated[
            str | None,
            option("Saving", f"The film's file; {FILM} here without.", "--output", "-o", metavar="PATH"),
        ] = None,
        force: Force = False,
        look: Look,
        answering: Asking,
    ) -> Action:
        """Join videos to one film, in the order of the line. Frames are copied where they agree."""
        return Action(lambda context: run(context, videos, output, look, force=force), answering)


def run(context: Context, words: list[str] | None, output: str | None, look: Look, *, force: bool) -> None:
    """Join the named videos, and answer with the film's path."""
    joining = _joining(look)
    target = film_target(context, output, force=force)
    if words:  # a line without any says that first
        target.refuse_existing(None)
    videos = find_videos(context, words)
    film = join_videos(context, videos, target, joining)
    context.terminal.answer(path_as_asked(film.path, output))
    context.terminal.document(film.as_json(videos))


def _joining(look: Look) -> Joining:
    """Return what the options say. Raises UsageError."""
    from orvideo.settings.values import InvalidValue, parse_positive_duration

    size = _size(look.size) if look.size is not None else None
    try:
        crossfade = Fraction(parse_positive_duration(look.crossfade)) if look.crossfade is not None else Fraction(0)
    except InvalidValue as error:
        raise UsageError(f"--crossfade: {error}", hint="--crossfade 0.5s") from error
    if look.no_reencode and (size or crossfade):
        raise UsageError("--no-reencode goes with neither --size nor --crossfade: they encode the frames anew.")
    return Joining(size, crossfade, look.keep_repeated, look.no_reencode)


def _size(text: str) -> tuple[int, int]:
    from orvideo.catalogue.sizes import parse_size  # it takes half a second

    if (size := parse_size(text)) is None:
        raise UsageError(f"{text!r} is not a size.", hint="--size 1280x720")
    return size
