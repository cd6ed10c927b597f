"""The still of a video, drawn in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orvideo.film.moment import Moment

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.capabilities import Protocol


def draw_still(
    context: Context, path: Path, protocol: Protocol, *, moment: Moment | None = None, share: float = 1.0
) -> None:
    """Draw the frame of a moment, else the one in the middle: the first is often a fade-in, or the picture given.

    It takes at most that share of the screen's lines. Raises UsageError where the video cannot be read, or a library
    is missing.
    """
    from orvideo.film.stills import info, still
    from orvideo.installers import needing

    with needing("film", "A still in the terminal"):
        shown = still(path, moment or Moment(info(path).seconds / 2))
        if shown.warning is not None:
            context.terminal.warn(f"{shown.warning}; this is the last one that is whole")
        context.terminal.picture(shown.image, protocol, share=share)
