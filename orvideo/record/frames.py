"""Where the pictures of a request came from: frames of videos. Imports neither SQLite nor pydantic."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

#: The list of a request that has the pictures of each use.
LISTS = {"first_frame": "frame_images", "last_frame": "frame_images", "reference": "input_references"}


class FrameSource(NamedTuple):
    """A frame of a video that became a picture of a request: the one shown `at` a moment (`first`, `last`, `2.5s`).

    The video is number `output` of a `job` (its id or handle), or a `file` (absolute); `sha256` is that of the video.
    `use` is first_frame, last_frame or reference, and `number` the picture's place in its list of the request. `named`
    is how the job was named where that was a place in the list of jobs (`@1`).
    """

    at: str
    sha256: str
    job: str | None = None
    output: int = 0
    file: str | None = None
    named: str | None = None
    use: str = ""
    number: int = 0

    @property
    def word(self) -> str:
        """What a line says to have this frame: `JOB:last`, `/home/me/clip.mp4:2.5s`."""
        return f"{self.job or self.file}:{self.at}"

    @property
    def text(self) -> str:
        """What a person calls it: `last frame of JOB`, `frame at 2.5s of /home/me/clip.mp4`."""
        which = f"{self.at} frame" if self.at in ("first", "last") else f"frame at {self.at}"
        return f"{which} of {self.job or self.file}"

    def as_json(self) -> dict[str, Any]:
        """Return the documented object."""
        return {
            "use": self.use, "number": self.number, "job": self.job, "output": self.output, "file": self.file,
            "at": self.at, "sha256": self.sha256, "named": self.named,
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{name: value[name] for name in cls._fields if name in value})


def with_frame_words(request: Mapping[str, Any], frames: Iterable[FrameSource]) -> dict[str, Any]:
    """Return a request on record with words in place of the pictures that were frames: `first_frame: "JOB:last"`.

    References keep their order: where one of them was a frame, those by URL become words as well.
    """
    by_place = {(LISTS[frame.use], frame.number): frame for frame in frames}
    changed = dict(request)
    kept = []
    for number, item in enumerate(request.get("frame_images") or ()):
        if (frame := by_place.get(("frame_images", number))) is not None:
            changed[frame.use] = frame.word
        else:
            kept.append(item)
    _put(changed, "frame_images", kept)
    if any(name == "input_references" for name, _ in by_place):
        words, kept = [], []
        for number, item in enumerate(request.get("input_references") or ()):
            url = item[item["type"]]["url"]
            if (frame := by_place.get(("input_references", number))) is not None:
                words.append(frame.word)
            elif isinstance(url, str):
                words.append(f"{item['type'].removesuffix('_url')}:{url}")
            else:
                kept.append(item)
        changed["reference"] = words
        _put(changed, "input_references", kept)
    return changed


def _put(request: dict[str, Any], name: str, items: list[Any]) -> None:
    if items:
        request[name] = items
    else:
        request.pop(name, None)
