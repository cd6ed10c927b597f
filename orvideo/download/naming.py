"""Safe file names for videos, whatever the prompt, the model and the service's id contain.

A file name consists of what a person typed (kept as it is, cut only where the file system would refuse it) and of
fields, each reduced to one safe component (drill O15). Templates have their own substitution over a fixed list of
fields: no value is ever evaluated or formatted (drill O16).
"""

import hashlib
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from orvideo.errors import UsageError
from orvideo.system import names

if TYPE_CHECKING:
    from orvideo.record.values import Record

#: The text for a field that a job does not have, or of which no safe character is left.
MISSING_FIELD = "none"
#: The longest file name of nearly every file system, in bytes.
MAX_NAME_BYTES = 255

_PUNCTUATION = frozenset("._-+=,@()")


class Facts(NamedTuple):
    """The facts about a job that a name can contain. `id` is the service's id, or else the local handle."""

    id: str
    created_at: datetime
    model: str | None = None
    prompt: str | None = None
    seed: int | None = None
    resolution: str | None = None
    duration: int | None = None
    aspect_ratio: str | None = None
    row: int | str | None = None


#: The facts that make the longest names: by these a target is checked before there is a job.
LONGEST_FACTS = Facts(
    id="0" * 36,
    created_at=datetime(2000, 1, 1, tzinfo=UTC),
    model="m" * 40,
    prompt="w" * 80,
    seed=2**32,
    resolution="1920x1080",
    duration=10,
    aspect_ratio="16:9",
    row="00000",
)


def facts_of(record: "Record") -> Facts:
    """Return the facts about a job on record that a name can contain."""
    request = record.request
    return Facts(
        id=record.name,
        created_at=record.created_at,
        model=record.model,
        prompt=record.prompt,
        seed=request.get("seed"),
        resolution=request.get("resolution") or request.get("size"),
        duration=request.get("duration"),
        aspect_ratio=request.get("aspect_ratio"),
        row=record.row_number,
    )


# A batch names each of its rows several times, of 100,000 rows as well.
@lru_cache(maxsize=1024, typed=True)
def component(value: Hashable, *, longest: int = 80) -> str:
    """Return a value as one path component that is safe on every system and in every shell.

    No separator, control or invisible character, no leading or trailing `-` or `.`, no name that Windows keeps for
    itself, at most `longest` bytes, and never empty.
    """
    text = unicodedata.normalize("NFC", "" if value is None else str(value))
    text = re.sub(r"-[-\s]*", "-", "".join(c if c in _PUNCTUATION or c.isalnum() or _is_mark(c) else "-" for c in text))
    if not _can_be_encoded(text):
        text = re.sub(r"-+", "-", text.encode("ascii", "replace").decode().replace("?", "-"))
    text = cut(text.strip("-. "), longest).strip("-. ")
    if names.is_reserved(text):
        text = "_" + text
    return text or MISSING_FIELD


@lru_cache(maxsize=64)
def slug(prompt: str | None) -> str:
    """Return the first words of a prompt, at most 40 bytes: Latin letters without their accents, others as they are."""
    words: list[str] = []
    room = 40
    for word in re.findall(r"\S+", _bare(prompt or "")):
        if len(os.fsencode(component(word))) + 1 > room and words:
            break
        words.append(cut(word, room))
        room -= len(words[-1].encode("utf-8", "replace")) + 1
        if len(words) == 6 or room < 3:
            break
    return component("-".join(words) or "video", longest=40)


def short_id(job_id: str) -> str:
    """Return eight characters that identify a job in a file name: the last ones of its id, which vary most."""
    plain = re.sub(r"[^0-9A-Za-z]", "", job_id if job_id.isascii() else "")
    return plain[-8:] if len(plain) >= 4 else _digest(job_id)


def default_name(facts: Facts, extension: str) -> str:
    """Return the default name of a video: `20261121-023000-veo-3.1-a-paper-boat-x7f3k2p1.mp4`.

    It begins with the UTC time of the submit, so that plain `ls` sorts by time.
    """
    when = _utc(facts).strftime("%Y%m%d-%H%M%S")
    words = [when, component(_model(facts), longest=40), slug(facts.prompt), short_id(facts.id)]
    return "-".join(words) + f".{extension}"


def numbered(name: str, index: int) -> str:
    """Return the name of a job's output: `boat.mp4` for index 0, `boat-2.mp4` for index 1."""
    return name if index == 0 else beside(name, str(index + 1))


def beside(name: str, mark: str) -> str:
    """Return `name` with `-mark` before its extension."""
    stem, extension = _split(name)
    return f"{stem}-{mark}{extension}"


def part_name(name: str, job_id: str, index: int, *, longest: int = MAX_NAME_BYTES) -> str:
    """Return the name of a `.part`, one for each target, job and output.

    It leaves ten bytes for longer names of files beside it, such as `.json`.
    """
    suffix = f".{_digest(job_id)}-{index}.part"
    return fit(name, longest - len(suffix) - 10) + suffix


def fit(name: str, longest: int = MAX_NAME_BYTES) -> str:
    """Return `name` with at most `longest` bytes: cut between characters, with a hash of the whole (drill O07)."""
    raw = os.fsencode(name)
    if len(raw) <= longest:
        return name
    stem, extension = _split(name)
    mark = f"-{hashlib.sha256(raw).hexdigest()[:8]}{extension}"
    return cut(stem, longest - len(os.fsencode(mark))) + mark


def cut(text: str, longest: int) -> str:
    """Return the beginning of a text, at most `longest` bytes, cut between characters."""
    text = text[:longest]
    # A lone surrogate counts as one byte.
    while len(text.encode(sys.getfilesystemencoding(), "replace")) > longest:
        text = text[:-1]
    return text


# Templates


FIELDS: dict[str, Callable[[Facts], object]] = {
    "id": lambda facts: facts.id,
    "short": lambda facts: short_id(facts.id),
    "model": lambda facts: _model(facts),
    "date": lambda facts: _utc(facts).strftime("%Y%m%d"),
    "time": lambda facts: _utc(facts).strftime("%H%M%S"),
    "seed": lambda facts: facts.seed,
    "slug": lambda facts: slug(facts.prompt),
    "prompt": lambda facts: facts.prompt,
    "resolution": lambda facts: facts.resolution,
    "duration": lambda facts: facts.duration,
    "aspect": lambda facts: facts.aspect_ratio and facts.aspect_ratio.replace(":", "x"),
    "row": lambda facts: facts.row,
}
#: Fields that depend on the output: `index` counts from 1, as the names of several outputs do.
OUTPUT_FIELDS = ("index", "ext")
ALL_FIELDS = (*FIELDS, *OUTPUT_FIELDS)

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


class Field(NamedTuple):
    """A field of a template, which a value replaces."""

    name: str


class Template(NamedTuple):
    """A path with fields in it.

    `base` are the folders before the first field, as typed: they must be there, and the result stays under them.
    `components` are what is between the slashes after it, each a row of texts and fields.
    """

    base: str
    components: tuple[tuple[str | Field, ...], ...]

    @property
    def has_fields(self) -> bool:
        return any(isinstance(part, Field) for parts in self.components for part in parts)

    @property
    def text(self) -> str:
        """The template as it was typed, but for doubled braces."""
        return self.base + "/".join("".join(map(_typed, parts)) for parts in self.components)

    @property
    def counts(self) -> bool:
        """Whether the name contains the number of the output."""
        return Field("index") in self.components[-1]

    def fill(self, facts: Facts, index: int, extension: str) -> tuple[str, ...]:
        """Return the components after `base`; the last is the file's name, and an empty one stands for the default."""
        made = ["".join(_fill(part, facts, index, extension) for part in parts) for parts in self.components]
        if not made[-1]:
            made[-1] = default_name(facts, extension)
        return tuple(made)


@lru_cache(maxsize=64)
def parse_template(spec: str, rules: names.Rules = names.HERE) -> Template:
    """Read a path with `{fields}`; `{{` and `}}` stand for braces. Raises UsageError naming the nearest field."""
    components: list[list[str | Field]] = [[]]
    for match in _PIECE.finditer(spec):
        piece, name = match[0], match[1]
        if name is not None:
            components[-1].append(_field(name))
        elif piece in "{}":
            raise UsageError(f"The output {_shown(spec)} has a brace without its other half.", hint=_BRACES)
        else:
            first, *more = rules.split("{" if piece == "{{" else "}" if piece == "}}" else piece)
            if first:
                components[-1].append(first)
            components.extend([text] if text else [] for text in more)
    base = ""
    while len(components) > 1 and not any(isinstance(part, Field) for part in components[0]):
        base += "".join(map(str, components.pop(0))) + "/"
    if any(parts in ([".."], ["."]) for parts in components):
        raise UsageError(f"The output {_shown(spec)} leaves its own folder after a field.")
    return Template(base, tuple(map(tuple, components)))


_BRACES = "{{ and }} stand for braces; fields are " + " ".join("{" + name + "}" for name in ALL_FIELDS)


def _field(name: str) -> Field:
    if name in ALL_FIELDS:
        return Field(name)
    from difflib import get_close_matches

    near = get_close_matches(name, ALL_FIELDS, 1, 0.4)
    meant = f" Did you mean {{{near[0]}}}?" if near else ""
    raise UsageError(f"There is no field {_shown('{' + name + '}')} for an output's name.{meant}", hint=_BRACES)


def _typed(part: str | Field) -> str:
    return part if isinstance(part, str) else f"{{{part.name}}}"


def _fill(part: str | Field, facts: Facts, index: int, extension: str) -> str:
    if isinstance(part, str):
        return part
    if part.name == "ext":
        return extension
    return component(index + 1 if part.name == "index" else FIELDS[part.name](facts))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or not extension.isalnum() or len(os.fsencode(extension)) > 10:
        return name, ""
    return stem, dot + extension


def _model(facts: Facts) -> str:
    return (facts.model or "").rstrip("/").rpartition("/")[2].replace(":", "-")


def _utc(facts: Facts) -> datetime:
    when = facts.created_at
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _bare(prompt: str) -> str:
    """Return the words of a prompt, lower case; Latin letters lose their accents, other scripts keep their marks."""
    kept: list[str] = []
    for character in unicodedata.normalize("NFC", prompt[:2000]).lower():
        base = unicodedata.normalize("NFKD", character)[:1]
        if base.isascii() and base.isalnum():
            kept.append(base)
        elif character not in "'’":  # don't -> dont
            kept.append(character if character.isalnum() or _is_mark(character) else " ")
    return "".join(kept)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Mc")


def _can_be_encoded(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
