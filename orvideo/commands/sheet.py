"""`orvideo sheet`: a contact sheet of one video, or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._options import Asking
from orvideo.commands._pictures import DIGITS, Destination, SavingPicture, source_document
from orvideo.commands._videos import VIDEO_HELP, Video, find_videos

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.film.sheet import Cell

_NARROWEST, _WIDEST = 160, 8000


class SheetOptions(NamedTuple):
    """A line of `sheet`, parsed."""

    videos: Sequence[str] | None
    grid: str
    width: int
    saving: SavingPicture


def register(app: typer.Typer) -> None:
    @app.command(epilog="Example: orvideo sheet 1 --grid 4x3 -o sheet.png")
    def sheet(
        *,
        videos: Annotated[list[str] | None, typer.Argument(metavar="JOB|FILE", help=VIDEO_HELP)] = None,
        grid: Annotated[
            str,
            typer.Option("--grid", metavar="CxR", help="Columns and rows; with several videos the rows are theirs."),
        ] = "4x3",
        width: Annotated[
            int, typer.Option("--width", metavar="PIXELS", min=_NARROWEST, max=_WIDEST, help="At most so wide.")
        ] = 1600,
        saving: SavingPicture,
        answering: Asking,
    ) -> Action:
        """Draw frames of videos on one sheet. One video fills the grid, each of several has a row.

        The frames are spread evenly from the first to the last. The sheet is a PNG called NAME-sheet.png after the
        first video, in the current folder, unless -o says otherwise.
        """
        return Action(lambda context: run(context, SheetOptions(videos, grid, width, saving)), answering)


def run(context: Context, options: SheetOptions) -> None:
    """Save the sheet, and answer with its path."""
    from orvideo.film.sheet import Strip, parse_grid, sheet

    grid = parse_grid(options.grid)
    destination = Destination(context, options.saving)
    videos = find_videos(context, options.videos)
    made = sheet([Strip(video.path, _title(video)) for video in videos], grid, options.width)
    path = destination.save(made.image, f"{videos[0].path.stem}-sheet.png", videos)
    for video, cells in zip(videos, made.cells, strict=True):
        if damaged := sum(cell.image is None for cell in cells):
            context.terminal.warn(f"{damaged} of the frames of {video.name} cannot be decoded")
    destination.answer(
        path,
        {
            "width": made.image.width,
            "height": made.image.height,
            "videos": [_document(video, cells) for video, cells in zip(videos, made.cells, strict=True)],
        },
    )


def _title(video: Video) -> str:
    """Return what stands above a video: its file, and the model that made it."""
    model = video.record.model if video.record is not None else None
    return f"{video.name}  ·  {model}" if model else video.name


def _document(video: Video, cells: Sequence[Cell]) -> dict[str, Any]:
    return {
        "source": source_document(video),
        "frames": [{"at_seconds": round(float(cell.seconds), DIGITS), "damaged": cell.image is None} for cell in cells],
    }
