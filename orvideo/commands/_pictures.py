"""What frame and sheet share: where a picture goes, and how it gets there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from orvideo.commands._options import Force, option
from orvideo.errors import OutputExists, UsageError
from orvideo.files import path_as_asked

if TYPE_CHECKING:
    from PIL import Image

    from orvideo.commands._videos import Video
    from orvideo.context import Context
    from orvideo.download.targets import Target


#: Digits of a time in JSON: frames are some milliseconds apart.
DIGITS = 6


class SavingPicture(NamedTuple):
    """Where a picture is saved."""

    output: Annotated[
        str | None,
        option(
            "Saving",
            "Save the picture here: a file (.png, .jpg, .webp), a folder, or - for stdout.",
            "--output",
            "-o",
            metavar="PATH",
        ),
    ] = None
    force: Force = False


class Destination:
    """Where the picture of a command goes: decided before any work is done. Raises what a wrong -o is refused with."""

    def __init__(self, context: Context, saving: SavingPicture) -> None:
        self._context, self._saving = context, saving
        self._target = self._parse()

    def _parse(self) -> Target | None:
        """Return where -o leads, None for stdout."""
        from orvideo.download.targets import Form, parse_target, takes_stdout
        from orvideo.film.encoding import kind_of

        spec, terminal = self._saving.output, self._context.terminal
        if takes_stdout(spec):
            if terminal.json:
                raise UsageError(
                    f"The output {spec} gives stdout to the picture, and --json to a document.",
                    hint="name a file with -o",
                )
            if terminal.out_is_tty:
                raise UsageError(
                    "A picture's bytes do not go to a terminal.", hint="pipe them on, or name a file with -o"
                )
            terminal.require_stdout()
            self._context.warn_of_piped_bytes("a picture")
            return None
        no_place = UsageError(f"A picture is not written to {spec}.", hint="name a file or a folder with -o")
        try:
            target = parse_target(spec, force=self._saving.force)
        except UsageError as error:
            if spec is not None and "{" in spec:  # a mistake in a field: there are none in a picture's name
                raise no_place from error
            raise
        if target.form in (Form.TEMPLATE, Form.DESCRIPTOR):
            raise no_place
        if target.form is Form.FILE:
            kind_of(target.name)
            target.refuse_existing(None)
        return target

    def save(self, image: Image.Image, name: str, videos: Sequence[Video]) -> Path | None:
        """Save a picture of videos, under this name where -o names none, and return its whole path; None for stdout.

        No --force lets it take the place of one of them.
        """
        from orvideo.commands._videos import refuse_overwriting
        from orvideo.download.disk import disk_errors
        from orvideo.film.encoding import Kind, encoded, kind_of

        if self._target is None:
            self._context.terminal.answer_bytes(encoded(image, Kind.PNG))
            return None
        path = self._path(name)
        refuse_overwriting(videos, path, "the picture")
        data = encoded(image, kind_of(path.name))
        with disk_errors(path):
            if self._target.is_stream:
                path.write_bytes(data)
            else:
                self._write(path, data)
        return path

    def _path(self, name: str) -> Path:
        from orvideo.download.disk import longest_name
        from orvideo.download.naming import fit
        from orvideo.download.targets import Form

        target = self._target
        assert target is not None, "stdout has no path"
        if target.form is Form.FOLDER:
            return target.folder / fit(name, longest_name(target.folder))
        return target.folder / target.name

    def _write(self, path: Path, data: bytes) -> None:
        from orvideo.files import write_atomically

        path.parent.mkdir(exist_ok=True)
        try:
            write_atomically(path, data, replace=self._saving.force)
        except FileExistsError as error:
            raise OutputExists(
                f"{path} exists already.", hint="name another file with -o, or overwrite it with --force"
            ) from error

    def answer(self, path: Path | None, document: dict[str, object]) -> None:
        """Answer with the path, as relative as it was asked for, or with the document."""
        if path is None:
            return
        terminal = self._context.terminal
        terminal.answer(path_as_asked(path, self._saving.output))
        terminal.document({"path": str(path), **document})


def source_document(video: Video) -> dict[str, object]:
    """Return which video a picture was taken from, as JSON."""
    record = video.record
    return {
        "path": str(video.path.absolute()),
        "job_id": record.id if record else None,
        "index": video.number if record else None,
    }
