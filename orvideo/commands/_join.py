"""What joins videos to a film: where it goes, decided first; how, said before it begins; and one file, whole or not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.download.naming import Facts
from orvideo.errors import OutputExists, OutputUnwritable, UsageError
from orvideo.files import file_sha256

if TYPE_CHECKING:
    from orvideo.commands._videos import Video
    from orvideo.context import Context
    from orvideo.deadline import Deadline
    from orvideo.download.disk import Part
    from orvideo.download.targets import Target
    from orvideo.film.plan import Plan, Wishes
    from orvideo.record.values import Record

#: The name of a film that was given none.
FILM = "film.mp4"
#: What the file is; people call it by any of these.
_SUFFIXES = (".mp4", ".m4v")
#: What the name of its `.part` is made of: the same in every process.
PART = Facts("join", datetime(2000, 1, 1, tzinfo=UTC))
#: The longest title of a chapter, in bytes: MP4 has one byte for its length.
_LONGEST_TITLE = 250
#: How the file says what it was made from.
_MADE_FROM = "made by orvideo join from "
#: Reasons and names that are told one by one.
_MOST_TOLD = 5


class Joining(NamedTuple):
    """How videos are to be joined. With `copy_only` nothing is encoded anew; `crossfade` is in seconds."""

    size: tuple[int, int] | None = None
    crossfade: Fraction = Fraction(0)
    keep_repeated: bool = False
    copy_only: bool = False


class Film(NamedTuple):
    """A film on this disk."""

    path: Path
    bytes: int
    sha256: str | None
    frames: tuple[int, ...]
    plan: Plan

    def as_json(self, videos: Sequence[Video]) -> dict[str, Any]:
        """Return the documented object."""
        plan = self.plan
        return {
            **film_document(self.path, self.bytes, self.sha256, was_here=False),
            "seconds": round(float(plan.seconds), 3),
            "frames": sum(self.frames) - round(plan.crossfade * plan.rate) * (len(videos) - 1),
            "reencoded": bool(plan.reasons),
            "sound_reencoded": bool(plan.sound_reasons),
            "reasons": list(dict.fromkeys((*plan.reasons, *plan.sound_reasons))),
            "clips": [
                {
                    "source": _source(video),
                    "path": str(video.path.absolute()),
                    "start": round(float(piece.start), 3),
                    "seconds": round(float(piece.length), 3),
                    "frames": frames,
                    "repeated_left_out": before is not None and before.drops_last,
                }
                for video, piece, frames, before in zip(
                    videos, plan.pieces, self.frames, (None, *plan.pieces[:-1]), strict=True
                )
            ],
        }


def film_document(path: Path, size: int, sha256: str | None, *, was_here: bool) -> dict[str, Any]:
    """Return what the documented objects of a film that was made, and of one that was here, have in common."""
    return {"path": str(path), "bytes": size, "sha256": sha256, "was_here": was_here}


def film_target(context: Context, spec: str | None, *, force: bool = False, to_make: Path | None = None) -> Target:
    """Return where a film goes: `spec` is -o. Before anything is fetched, made or bought.

    `to_make` is a folder that will be made before the film is. Whether something has the name is not looked at.

    Raises UsageError for what is no file's name, and where the extra is missing; OutputUnwritable.
    """
    from orvideo.download.targets import Form, check_target, parse_target
    from orvideo.installers import needing

    with needing("film", "Joining videos"):
        from orvideo.film.libraries import load

        load()
    target = parse_target(FILM if spec is None else spec, force=force, stdout_is_tty=context.terminal.out_is_tty)
    if target.form is Form.FOLDER:
        target = target._replace(form=Form.FILE, name=FILM)
    if target.form is not Form.FILE:
        raise UsageError("A film is written to a file, which -o names.", hint=f"-o {FILM}")
    if Path(target.name).suffix.lower() not in _SUFFIXES:
        raise UsageError(f"A film is an MP4, and {target.name} is another name.", hint=f"-o {FILM}")
    if target.note:
        context.terminal.note(target.note)
    check_target(target, to_make=to_make, facts=PART)
    return target


def join_videos(context: Context, videos: Sequence[Video], target: Target, joining: Joining) -> Film:
    """Join videos in their order to one file. Raises UsageError, OutputExists, OutputUnwritable.

    How it is done is said before it begins. Nothing has the film's name before it is whole.
    """
    from orvideo.commands._videos import refuse_overwriting
    from orvideo.film.clips import clip_of
    from orvideo.film.plan import Wishes, plan_film

    refuse_overwriting(videos, target.folder / target.name, "the film")
    clips = {path: clip_of(path) for path in dict.fromkeys(video.path for video in videos)}
    repeats = [False] + [repeats_last(one, other) for one, other in itertools.pairwise(videos)]
    wishes: Wishes = Wishes(joining.size, joining.crossfade, () if joining.keep_repeated else tuple(repeats))
    plan = plan_film([clips[video.path] for video in videos], wishes)
    _tell_plan(context, plan, copy_only=joining.copy_only)
    film = _write(context, videos, target, plan)
    _tell_repeated(context, plan, crossfaded=any(repeats) and bool(joining.crossfade))
    return film


def repeats_last(before: Video, video: Video) -> bool:
    """Return whether a video begins with the last frame of the one before, as the record of its job knows."""
    frames = video.record.frames if video.record is not None else ()
    source = next((frame for frame in frames if frame.use == "first_frame" and frame.at == "last"), None)
    return source is not None and file_sha256(before.path) == source.sha256


def _tell_plan(context: Context, plan: Plan, *, copy_only: bool) -> None:
    """Say how the film is made. Raises UsageError where that may not be."""
    reasons = {"the frames": plan.reasons, "the sound": plan.sound_reasons}
    if copy_only and any(reasons.values()):
        told = "; ".join(_some(one) for one in reasons.values() if one)
        raise UsageError(f"The videos cannot be joined as they are: {told}.", hint="leave out --no-reencode")
    for what, why in reasons.items():
        if why:
            context.terminal.note(f"{what} will be encoded anew: {_some(why)}")


def _some(reasons: Sequence[str]) -> str:
    more = len(reasons) - _MOST_TOLD
    return "; ".join(reasons[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _tell_repeated(context: Context, plan: Plan, *, crossfaded: bool) -> None:
    from orvideo.output.text import count

    if plan.left_out:
        context.terminal.note(f"left out at {count(plan.left_out, 'seam')}: the frame that both clips have")
    if plan.kept:
        context.terminal.note(
            f"kept at {count(plan.kept, 'seam')}: the frame that both clips have, since others are built on it"
        )


def _write(context: Context, videos: Sequence[Video], target: Target, plan: Plan) -> Film:
    """Write a film; a signal ends that soon, with nothing left, and is raised then."""
    from orvideo.deadline import Cancelled, Deadline

    deadline = Deadline(context.clock)
    with context.interrupts.deferred(deadline.cancel), suppress(Cancelled):
        return _write_whole(context, videos, target, plan, deadline)
    raise Cancelled  # the signal was raised where the block was left


def _write_whole(context: Context, videos: Sequence[Video], target: Target, plan: Plan, deadline: Deadline) -> Film:
    """Write a film to its `.part`, check it, and give it its name. Raises Cancelled."""
    from orvideo.container import BadContainer, check
    from orvideo.deadline import Cancelled
    from orvideo.download import disk

    path = target.folder / target.name
    disk.require_room(target.folder if target.folder.is_dir() else target.base, _expected_bytes(plan))
    with disk.disk_errors(path), _part(target) as part:
        frames = _join(context, videos, part, plan, deadline)
        part.measure()
        try:
            check(part.read, part.size)
        except BadContainer as error:
            raise OutputUnwritable(f"{path} was not written whole.") from error
        part.sync()
        digest = part.digest() if context.answering.json else None
        if deadline.is_cancelled:
            raise Cancelled
        try:
            part.give_name(path, replace=target.force and disk.can_be_replaced(path))
        except FileExistsError as error:
            raise OutputExists(f"{path} exists by now.", hint="name another file with -o") from error
    return Film(path, part.size, digest, tuple(frames), plan)


def _expected_bytes(plan: Plan) -> int:
    """Return about how large a film will be: as large as its clips together."""
    return sum(piece.clip.path.stat().st_size for piece in plan.pieces)


@contextmanager
def _part(target: Target) -> Iterator[Part]:
    """Open and lock an empty `.part`, also one that a killed join has left; it is gone at the end, or has its name."""
    from orvideo.download.disk import FileInUse, Part, make_folders

    make_folders(target.folder, target.base)
    path = target.part_for(PART)
    try:
        part = Part.open_locked(path)
    except FileInUse as error:
        raise OutputUnwritable(f"Another orvideo is writing {target.folder / target.name}.") from error
    try:
        part.empty()
        yield part
    finally:
        try:
            part.remove()
        finally:
            part.close()


def _join(context: Context, videos: Sequence[Video], part: Part, plan: Plan, deadline: Deadline) -> list[int]:
    """Write a film to an open file, with a bar that tells how far it is. Raises Cancelled."""
    from orvideo.deadline import Cancelled
    from orvideo.film.join import join
    from orvideo.output.text import count, elapsed

    progress = context.terminal.progress()
    whole = max(1, round(plan.seconds))
    told = -1

    def tell(seconds: int) -> None:
        nonlocal told
        if deadline.is_cancelled:
            raise Cancelled
        if seconds > told:
            told = min(seconds, whole)
            progress.total(f"{count(len(videos), 'video')}, {elapsed(told)} of {elapsed(whole)}", told, whole)

    try:
        with open(part.descriptor, "wb", closefd=False) as file:
            return join(plan, file, titles=[_title(one) for one in videos], metadata=_metadata(videos), tell=tell)
    finally:
        progress.close()


def _title(video: Video) -> str:
    """Return the title of a clip's chapter: its prompt, else its file's name."""
    from orvideo.download.naming import cut
    from orvideo.output.text import visible

    record = video.record
    text = record.prompt if record is not None and record.prompt else video.path.stem
    return cut(visible(" ".join(text.split())), _LONGEST_TITLE)


def _metadata(videos: Sequence[Video]) -> dict[str, str]:
    """Return what the file says of itself: what it was made from."""
    from orvideo.output.text import visible

    return {"comment": _MADE_FROM + ", ".join(visible(_source(video)) for video in videos)}


def made_from(path: Path) -> list[str]:
    """Return the sources of a film, each once and in their order, as its file says; nothing for any other file."""
    from orvideo.film.reading import opened

    if not path.is_file():
        return []
    try:
        with opened(path, decoding=False) as (film, _):
            comment = film.metadata.get("comment", "")
    except UsageError:
        return []
    return list(dict.fromkeys(comment.removeprefix(_MADE_FROM).split(", "))) if comment.startswith(_MADE_FROM) else []


def _source(video: Video) -> str:
    """Return the id of the job that made a video, else its file's name."""
    record: Record | None = video.record
    return record.name if record is not None else video.name
