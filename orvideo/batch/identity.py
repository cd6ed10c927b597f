"""What makes a batch the same batch, and a row the same row, from one run to the next.

A batch is known by its name and by where it buys, never by its content: a row that is changed must not make the
others new, or they would all be bought again. A row is known by what it asks for, as it was given: by the row and by
the defaults of the line and the settings, and not by what was chosen for it from a catalogue that changes from day to
day. Rows that ask for the same are told apart by their order among themselves. A picture of another row's video counts
by that row's key: where a row is changed, what follows from it is new as well, and nothing else is.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orvideo.batch.source import Source
from orvideo.record.frames import LISTS, FrameSource
from orvideo.record.redaction import redact_request
from orvideo.request.awaited import awaited_in, with_names

if TYPE_CHECKING:
    from orvideo.request.build import RequestDraft

#: What is a row's own, beside its pictures: neither its price nor its model depends on what it says.
OWN = ("prompt", "seed", "user", "session_id", "trace")
#: Spelt in any case, they mean the same.
_CASELESS = ("model", "resolution", "aspect_ratio", "size")
_LONGEST_NAME = 200


def batch_label(source: Source, name: str | None) -> str:
    """Return what a batch is called: its --name, else its file's real path, else, for a stream, its content."""
    if name is not None:
        return f"name:{name.strip()[:_LONGEST_NAME]}"
    if source.path is not None:
        return f"file:{source.path}"
    return f"content:{_digest(source.text)[:16]}"


def batch_name(label: str) -> str | None:
    """Return what a person can call a batch: its --name, its file's real path, or None for a stream."""
    kind, _, shown = label.partition(":")
    return None if kind == "content" else shown


def batch_id(label: str, endpoint: str) -> str:
    """Return what the record calls a batch; the same rows in the sandbox and at the service are two batches."""
    return "batch-" + _digest(json.dumps(["orvideo batch 1", endpoint, label]))[:24]


class RowKeys:
    """Gives rows their keys, one after the other, from what they ask for."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next(self, content: str) -> str:
        """Return the key of a row whose `content_key` this is; `content_of` is the way back."""
        key = f"{content}-{self._seen[content]}"
        self._seen[content] += 1
        return key


def content_of(key: str) -> str:
    return key.rpartition("-")[0]


def content_key(fields: Mapping[str, Any], frames: Sequence[FrameSource] = ()) -> str:
    """Return the sum of what a row asks for; a request and the same without its data (`redact_request`) have one.

    A frame of a video counts by the video and the moment: another decoder makes other bytes of the same frame.
    """
    return _digest(_canonical(fields, frames))[:32]


def price_key(wanted: RequestDraft) -> str:
    """Return the sum of what the price and the possible models depend on: not what is `OWN`, nor which picture."""
    shape = with_names(wanted.fields, dict.fromkeys(awaited_in(wanted.fields), "a picture"))
    shape |= {name: wanted.fields.get(name) is not None for name in OWN}
    return json.dumps([shape, wanted.params, wanted.frame], sort_keys=True, default=str)


def _canonical(fields: Mapping[str, Any], frames: Sequence[FrameSource]) -> str:
    plain = redact_request({name: value for name, value in fields.items() if value is not None})
    for frame in frames:
        part = plain[LISTS[frame.use]][frame.number]
        part[part["type"]] = {"frame": {"video": frame.sha256, "at": frame.at}}
    for name in _CASELESS:
        if isinstance(plain.get(name), str):
            plain[name] = plain[name].strip().casefold()
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
