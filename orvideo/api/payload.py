"""Decompressing and parsing JSON from a server; every failure is a `NotJson`.

Bounded: decompressed size, memory and nesting (drills D10, X01).
"""

import json
import math
import re
import sys
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

#: Real answers nest five deep; what nests deeper would break those who print it.
MAX_DEPTH = 64
#: About how many bytes of memory an answer may become for each byte that it may have; 12 kB of gzip were 887 MB (fault
#: B2). Real answers become four to five times as much as their text.
EXPANSION = 4
MAX_MEMORY = EXPANSION * 16 * 1024 * 1024
#: About what each of these costs in memory, in bytes: an object, a list, half a text, the place of a value.
_WEIGHTS = {"{": 180, "[": 100, '"': 20, ",": 32}
#: A whole number of more digits than this is no amount, no time and no count.
_MAX_DIGITS = 40
#: `gzip, gzip` is seen in the wild; longer chains are only seen in attacks.
_MAX_ENCODINGS = 2
#: A lone surrogate: what Python makes of a byte, or of an escape, that is no text.
LONE_SURROGATE = "[\ud800-\udfff]"


class NotJson(ValueError):
    """The body is not usable JSON; `cut`: it looks like the beginning of some; `foreign`: it is something else."""

    def __init__(self, reason: str, *, cut: bool = False, foreign: bool = False) -> None:
        super().__init__(reason)
        self.cut = cut
        self.foreign = foreign


class Decoded(NamedTuple):
    """A decompressed body: `data` as far as it could be decompressed, and what is wrong with the rest."""

    data: bytes
    whole: bool
    too_large: bool = False
    unknown: str | None = None


def decode(body: bytes, content_encoding: str, max_bytes: int) -> Decoded:
    """Undo gzip and deflate up to `max_bytes` bytes; never raises. An unknown encoding leaves the bytes as they are."""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _MAX_ENCODINGS or not all(name in ("gzip", "x-gzip", "deflate") for name in names):
        return Decoded(body[:max_bytes], whole=False, unknown=content_encoding)
    data, whole = body, True
    for _ in names:
        data, complete = _inflate(data, max_bytes + 1)
        whole = whole and complete
    return Decoded(
        data[:max_bytes] or (body[:max_bytes] if not whole else b""), whole=whole, too_large=len(data) > max_bytes
    )


def _inflate(data: bytes, max_bytes: int) -> tuple[bytes, bool]:
    # 47: the zlib and the gzip header are told apart by zlib itself. -15: "deflate" as some servers misread it.
    for window in (47, -15):
        machine = zlib.decompressobj(window)
        pieces: list[bytes] = []
        size = 0
        try:
            # In small steps, so that what comes before the first bad byte is kept.
            for start in range(0, len(data), 1024):
                piece = machine.decompress(data[start : start + 1024], max_bytes - size)
                pieces.append(piece)
                size += len(piece)
                if size >= max_bytes or machine.eof:
                    break
        except zlib.error:
            if not size:
                continue
        return b"".join(pieces), machine.eof
    return b"", False


def text_of(data: bytes) -> str:
    """Return a body as text: UTF-8, or what its first bytes say (BOM, UTF-16); bytes that are none become U+FFFD."""
    try:
        return data.decode(json.detect_encoding(data), "replace")
    except (UnicodeError, LookupError):
        return data.decode("utf-8", "replace")


def parse(data: bytes, max_memory: int = MAX_MEMORY) -> Any:
    """Parse a body as JSON that becomes about `max_memory` bytes at most; raises NotJson, and nothing else.

    NaN, the infinities and numbers beyond a float become None: "not known" (drill P09). A name that is given twice
    with different values is refused: which one was meant?
    """
    text = text_of(data).strip().removeprefix("\N{BYTE ORDER MARK}").lstrip()
    if not text:
        raise NotJson("the answer is empty", foreign=True)
    if text[0] not in '{["-0123456789tfnNI':
        raise NotJson("the answer is not JSON", foreign=True)
    if len(data) + sys.getsizeof(text) + sum(text.count(sign) * cost for sign, cost in _WEIGHTS.items()) > max_memory:
        raise NotJson("the answer is too large")
    try:
        value = json.loads(
            text, parse_constant=_unknown, parse_float=_number, parse_int=_whole, object_pairs_hook=_object
        )
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("the answer is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"the answer is not valid JSON ({error.msg})", cut=text[-1] not in "}]") from None
    except ValueError:
        raise NotJson("the answer has a number in it that is no number") from None
    if is_too_deep(value):
        raise NotJson("the answer is nested too deeply")
    # A lone surrogate cannot be written to any stream or file; U+FFFD shows that something was there.
    return each_text(value, _without_surrogates) if "\\u" in text else value


def json_in(text: str) -> Any:
    """Return the JSON value that a text is, None for any other text."""
    try:
        return parse(text.encode("utf-8", "replace"))
    except NotJson:
        return None


def _unknown(name: str) -> None:
    """Return None for NaN and the infinities."""


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> int | None:
    number = int(text)
    return number if len(text) <= _MAX_DIGITS else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise NotJson("the answer gives one name two values")
        found[name] = value
    return found


def is_too_deep(value: Any) -> bool:
    """Say whether parsed JSON is nested deeper than 64."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            if isinstance(holder, dict | list)
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text in parsed JSON, names included, and return it; in place, since a copy doubles what is large."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        for at, item in enumerate(value):
            value[at] = each_text(item, change)
    elif isinstance(value, dict):
        items = list(value.items())
        value.clear()
        for name, item in items:
            value[change(name)] = each_text(item, change)
    return value


def _without_surrogates(text: str) -> str:
    return text if text.isascii() else re.sub(LONE_SURROGATE, "\N{REPLACEMENT CHARACTER}", text)


_STRING = r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"'
#: A whole string, one bracket, or what is between them; a quote alone begins a string that is cut or broken.
_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\]"]|[^"{{}}\[\]]+')
_ID = re.compile(rf'"id"\s*:\s*(?:([0-9]{{1,40}})(?=\s*[,}}])|({_STRING}))')


def lenient_id(data: bytes) -> str | None:
    """Return the id that a cut or broken answer to a submit still gives, None where there is any doubt (drill M08).

    Only a complete string or whole number that is the value of `id` in the outermost object counts, and only if no
    second one contradicts it: an id inside `error` or `metadata` is not the job's. A parser of cut JSON
    (`pydantic_core.from_json(allow_partial=True)`) is no help: it takes a number that is cut for a whole one, and the
    last of two ids.
    """
    text = text_of(data).strip().removeprefix("\N{BYTE ORDER MARK}").lstrip()
    if not text.startswith("{"):
        return None
    found: set[str] = set()
    depth, is_name = 0, False
    for token in _TOKEN.finditer(text):
        here = token[0]
        if here == '"':
            break
        if here.startswith('"'):
            if depth == 1 and is_name and (named := _ID.match(text, token.start())):
                value = named[1] or json.loads(named[2])
                if value.strip():
                    found.add(value)
            is_name = False
        elif here in ("{", "["):
            depth += 1
            is_name = here == "{"
        elif here in ("}", "]"):
            depth -= 1
            if not depth:
                break
        else:
            is_name = is_name or "," in here
    return found.pop() if len(found) == 1 else None
