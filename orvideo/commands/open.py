"""`orvideo open`: plays saved videos, in the system's player or by a command, or draws a still in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from orvideo.commands._action import Action
from orvideo.commands._options import Asking
from orvideo.commands._videos import VIDEO_HELP, find_videos, named_moment
from orvideo.errors import UsageError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.output.capabilities import Protocol


class OpenOptions(NamedTuple):
    """How videos are opened."""

    player: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="COMMAND",
            help="Play with this command, which gets the paths last, or in place of {}. Default: the setting player, "
            "else the system's player.",
        ),
    ] = None
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Draw a still here instead; of JOB:first, JOB:last or JOB:2.5s that one.")
    ] = False


def register(app: typer.Typer) -> None:
    @app.command("open", epilog="Example: orvideo open 1")
    def open_(
        *,
        jobs: Annotated[list[str] | None, typer.Argument(metavar="JOB|FILE", help=VIDEO_HELP)] = None,
        options: OpenOptions,
        answering: Asking,
    ) -> Action:
        """Play saved videos. One that is not on this disk is fetched first."""
        if options.terminal and options.player is not None:
            raise UsageError("--terminal draws a still, and --with plays the video; one at a time.")
        return Action(lambda context: run(context, jobs or [], options), answering)


def run(context: Context, words: list[str], options: OpenOptions) -> None:
    """Fetch what is not here, answer with the paths, and play or draw the videos."""
    if options.terminal:
        _draw(context, words)
        return
    from orvideo.commands._pictures import source_document
    from orvideo.commands._player import open_with, open_with_system
    from orvideo.settings.definitions import PLAYER

    line = PLAYER.read(options.player, "--with") if options.player is not None else context.settings.player
    videos = [video._replace(path=video.path.absolute()) for video in find_videos(context, words)]
    for video in videos:
        context.terminal.answer(video.path)
    context.terminal.document([source_document(video) for video in videos])
    paths = [video.path for video in videos]
    if line is not None:
        open_with(context, line, paths)
    else:
        open_with_system(context, paths)


def _draw(context: Context, words: list[str]) -> None:
    from orvideo.commands._still import draw_still
    from orvideo.installers import needing

    protocol = _protocol(context, words)
    with needing("film", "orvideo open --terminal"):
        import av  # noqa: F401
    for name, moment in map(named_moment, words or [""]):
        for video in find_videos(context, [name] if name else None):
            draw_still(context, video.path, protocol, moment=moment)
            context.terminal.answer(video.path.absolute())


def _protocol(context: Context, words: list[str]) -> Protocol:
    """Return how this terminal draws pictures. Raises UsageError, which says why it does not."""
    from orvideo import shells

    protocol = context.terminal.picture_protocol(context.settings.pictures)
    if protocol is not None:
        return protocol
    still = f"{shells.command_line(['orvideo', 'frame', *words[:1]])} -o still.png"
    if context.answering.json:
        raise UsageError("--terminal draws for a person, and --json is for a program; one at a time.", hint=still)
    if not context.terminal.out_is_tty:
        raise UsageError("--terminal draws on a terminal, and stdout is none.", hint=still)
    if context.settings.pictures == "off":
        variable, where = context.settings.overriding_variable("pictures"), context.settings.get("pictures").location
        mend = shells.unset_variable(variable) if variable else "orvideo config unset pictures"
        raise UsageError(f"Pictures are switched off by {where}.", hint=mend)
    environ = context.environment.environ
    if plain := [name for name in ("NO_COLOR", "CI") if environ.get(name)]:
        raise UsageError(f"Nothing is drawn where {plain[0]} is set.", hint=shells.unset_variable(*plain))
    if environ.get("TERM") == "dumb":
        raise UsageError("Nothing is drawn where TERM is dumb.", hint=still)
    raise UsageError(
        "This terminal is not known to draw pictures, or to have the 256 colours that half blocks need.",
        hint="orvideo config set pictures blocks",
    )
