"""Every field of a request, once: what it takes, and the option and the setting that give it.

`submit`, `batch`, `models`, the columns of a batch, request files and TAB take theirs from here. The fields are those
of the API (VideoGenerationRequest), and after them short names of our own, of which `build` makes fields.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """What a field takes: in words, and as a test."""

    words: str
    fits: Callable[[object], bool]


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


TEXT = Kind("a text", _is(str))
WHOLE = Kind("a whole number", _is_whole)
NUMBER = Kind("a number", _is_number)
YES_NO = Kind("true or false", _is(bool))
LIST = Kind("a list", _is(list))
OBJECT = Kind("an object", _is(dict))
#: Of short names: one text or a list of them; the same, or an object.
TEXTS = Kind("a text or a list", _is(str, list))
PAIRS = Kind("KEY=VALUE, or an object", _is(str, list, dict))

_BOTH = ("submit", "batch")
_ALL = (*_BOTH, "models")


class Field(NamedTuple):
    """A field of a request.

    `flags` are the option's names, `typed` is what Typer reads it as, `commands` are those that have it. `setting`
    gives the value where the line does not. What is `ours` is a short name, which is not sent.
    """

    name: str
    kind: Kind
    flags: tuple[str, ...] = ()
    help: str = ""
    metavar: str | None = None
    panel: str = "Request"
    typed: Any = str
    setting: str | None = None
    commands: tuple[str, ...] = _BOTH
    ours: bool = False

    @property
    def word(self) -> str:
        """The option's name as a word: `aspect_ratio` of --aspect-ratio."""
        return self.flags[0].partition("/")[0].strip("-").replace("-", "_")


TABLE = (
    Field("model", TEXT, ("--model", "-m"), "The model. See: orvideo models.", "ID", setting="model"),
    Field("prompt", TEXT),
    Field(
        "duration", WHOLE, ("--duration", "-d"), "Whole seconds.", "SECONDS", setting="duration", commands=_ALL,
    ),
    Field(
        "resolution", TEXT, ("--resolution", "-r"), "480p, 720p, 1080p, 4K, ...", "NAME", setting="resolution",
        commands=_ALL,
    ),
    Field(
        "aspect_ratio", TEXT, ("--aspect-ratio", "-a"), "16:9, 9:16, 1:1, ...", "W:H", setting="aspect-ratio",
        commands=_ALL,
    ),
    Field(
        "size", TEXT, ("--size",), "Exact pixels, instead of resolution and aspect ratio.", "WxH", commands=_ALL,
    ),
    Field(
        "generate_audio", YES_NO, ("--audio/--no-audio",), "With or without sound.", typed=bool, setting="audio",
        commands=_ALL,
    ),
    Field(
        "seed", WHOLE, ("--seed",), "The same seed aims at the same video.", "N", typed=int, setting="seed",
        commands=_ALL,
    ),
    Field("frame_images", LIST),
    Field("input_references", LIST),
    Field(
        "first_frame", TEXT, ("--first-frame",),
        "The image it begins with: a file, an https URL, -, or a frame: JOB or clip.mp4 (its last), @1:first, ID:2s.",
        "IMAGE", "From", commands=_ALL, ours=True,
    ),
    Field(
        "last_frame", TEXT, ("--last-frame",), "The image it ends with, as above; of a video alone, its first frame.",
        "IMAGE", "From", commands=_ALL, ours=True,
    ),
    Field(
        "reference", TEXTS, ("--reference",),
        "Something to be guided by: an image as above, or audio or video by https URL. May be repeated.", "WHAT",
        "From", typed=list[str], ours=True,
    ),
    Field(
        "previous_job_id", TEXT, ("--continue",), "Go on from a completed job.", "JOB", "From", commands=("submit",),
    ),
    Field(
        "creativity", WHOLE, ("--creativity",), "How freely an upscaling model works.", "N", "More", typed=int,
    ),
    Field(
        "upscale_factor", NUMBER, ("--upscale",), "How many times larger, for upscaling.", "FACTOR", "More",
        typed=float,
    ),
    Field("provider", OBJECT),
    Field(
        "param", PAIRS, ("--param",), "A parameter of the provider's own; JSON where it is JSON. May be repeated.",
        "[PROVIDER:]KEY=VALUE", "More", typed=list[str], ours=True,
    ),
    Field("callback_url", TEXT, ("--callback-url",), "An https URL to be told of the end at.", "URL", "More"),
    Field("user", TEXT, ("--user",), "Who asks, for your own logs.", "ID", "More"),
    Field("session_id", TEXT, ("--session-id",), "What this belongs to, for your own logs.", "ID", "More"),
    Field(
        "trace", OBJECT, ("--trace",), "More for your own logs. May be repeated.", "KEY=VALUE", "More",
        typed=list[str],
    ),
)  # fmt: skip

#: By the service's name, without our own.
FIELDS: Mapping[str, Field] = {field.name: field for field in TABLE if not field.ours}
SHORT_NAMES = tuple(field.name for field in TABLE if field.ours)
#: Those that are the service's name of an option's: `audio` is `generate_audio`.
ALIASES = {field.word: field.name for field in TABLE if field.flags and field.word != field.name}
