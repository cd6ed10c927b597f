"""Models, requests and jobs as plain values, and how values in the service's answers are read.

A value of an unexpected type is None rather than an error: what can be used is used. Requests are priced and copied
by the hundred thousand, models are read before each submit, and what a purchase brought is read by as little as
possible, so none of them is a pydantic model (`schemas` has those).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, NamedTuple

#: The last second of the year 9999. A larger whole number is no time, and no count of anything here.
LARGEST_WHOLE = 253_402_300_799
#: Outputs beyond this number are ignored; no job has so many (fault B14, finding C03).
MAX_OUTPUTS = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds since 1970 as a text: so many digits are no date.
_SECONDS = re.compile(r"[0-9]{9,13}(\.[0-9]{1,9})?")


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) <= LARGEST_WHOLE else None


def money(value: object) -> Decimal | None:
    """Return an amount as Decimal, or None for what is not a thinkable, non-negative amount (drills P09, X07)."""
    found = amount(value)
    return None if found is not None and found < 0 else found


def amount(value: object) -> Decimal | None:
    """Return what is left of something, or is spent, as Decimal; a limit may have been overrun (finding A13)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(value).strip())
    except (InvalidOperation, ValueError):
        return None
    if not found.is_finite():
        return None
    if not found:
        return Decimal(0)
    # An exponent like 1e999999 is no price, and would fill the memory when it is written out.
    return found if -30 < found.adjusted() < 12 else None


def moment(value: object) -> datetime | None:
    """Return a time that was given as ISO 8601, or as seconds since 1970, in UTC; None for anything else."""
    try:
        if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Of a service that counts in milliseconds, too: no time of ours is that far away.
            return _EPOCH + timedelta(seconds=value / 1000 if value > LARGEST_WHOLE else value)
    except (ValueError, OverflowError):
        return None
    return None


def texts(value: object) -> list[str] | None:
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else None


def texts_in_place(value: object) -> list[str | None] | None:
    """Keep the positions, since output N of a job stays output N when a neighbour is null, up to the last one named.

    An object in the place of a URL names an output as well, in a form that is not known (drill P06).
    """
    if not isinstance(value, list):
        return None
    items = value[:MAX_OUTPUTS]
    while items and not (items[-1] and isinstance(items[-1], str | dict | list)):
        items.pop()
    return [text(item) for item in items]


def wholes(value: object) -> list[int] | None:
    if not isinstance(value, list):
        return None
    return [number for number in map(whole, value) if number is not None]


def mapping(value: object) -> dict[str, Any] | None:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST_WHOLE else None  # also nan is not


#: The statuses after which a job changes no more (api notes): those of the service, and the words for a failure that
#: its neighbourhood uses. Any other word means "not finished" (drill P04, finding B04).
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled", "expired", "canceled", "dead", "error"})
KNOWN_STATUSES = FINAL_STATUSES | {"pending", "in_progress"}


class Span(NamedTuple):
    """The range that an upscaling model accepts."""

    min: float | None = None
    max: float | None = None


def _span(value: object) -> Span | None:
    return Span(_number(value.get("min")), _number(value.get("max"))) if isinstance(value, dict) else None


class VideoModel(NamedTuple):
    """One entry of `GET /videos/models`. None means "the service does not say", never "no" (see `fit`)."""

    id: str
    canonical_slug: str | None = None
    name: str | None = None
    description: str | None = None
    created: int | None = None
    hugging_face_id: str | None = None
    supported_resolutions: list[str] | None = None
    supported_aspect_ratios: list[str] | None = None
    supported_sizes: list[str] | None = None
    supported_durations: list[int] | None = None
    supported_frame_images: list[str] | None = None
    upscale_factor: Span | None = None
    creativity: list[int] | None = None
    generate_audio: bool | None = None
    seed: bool | None = None
    pricing_skus: dict[str, Any] | None = None
    allowed_passthrough_parameters: list[str] | None = None

    @classmethod
    def of(cls, entry: object) -> VideoModel | None:
        """Return an entry of the list, None for what is no model: it has no id."""
        if not isinstance(entry, dict) or (name := text(entry.get("id"))) is None:
            return None
        return cls(name, **{field: read(entry.get(field)) for field, read in _MODEL_FIELDS.items()})


_MODEL_FIELDS: dict[str, Callable[[object], Any]] = {
    **dict.fromkeys(("canonical_slug", "name", "description", "hugging_face_id"), text),
    **dict.fromkeys(("supported_resolutions", "supported_aspect_ratios", "supported_sizes"), texts),
    **dict.fromkeys(("supported_frame_images", "allowed_passthrough_parameters"), texts),
    **dict.fromkeys(("supported_durations", "creativity"), wholes),
    **dict.fromkeys(("generate_audio", "seed"), flag),
    "created": whole,
    "upscale_factor": _span,
    "pricing_skus": mapping,
}


class VideoRequest(NamedTuple):
    """The body of `POST /videos` (VideoGenerationRequest), and nothing the service would silently drop.

    The media lists hold the service's own wrapped shapes, built by `request.media`. The types are checked where the
    values come from: a line, a file, a row.
    """

    model: str
    prompt: str | None = None
    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    size: str | None = None
    frame_images: list[dict[str, Any]] | None = None
    input_references: list[dict[str, Any]] | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    previous_job_id: str | None = None
    creativity: int | None = None
    upscale_factor: float | None = None
    provider: dict[str, Any] | None = None
    callback_url: str | None = None
    user: str | None = None
    session_id: str | None = None
    trace: dict[str, Any] | None = None
    extra: Mapping[str, Any] = MappingProxyType({})
    """What has no field here, and is sent all the same where a person insists."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> VideoRequest:
        """Return a request of these fields."""
        known = {name: value for name, value in fields.items() if name in _REQUEST_FIELDS}
        extra = {name: value for name, value in fields.items() if name not in _REQUEST_FIELDS}
        return cls(**known, extra=extra) if extra else cls(**known)

    def body(self) -> dict[str, Any]:
        """Return what is sent: the fields that were given, and no nulls."""
        given = {name: getattr(self, name) for name in _REQUEST_FIELDS} | dict(self.extra)
        return {name: value for name, value in given.items() if value is not None}


_REQUEST_FIELDS = tuple(name for name in VideoRequest._fields if name != "extra")


class Usage(NamedTuple):
    """What a job was billed: `cost` in USD, None when the service did not say."""

    cost: Decimal | None = None
    is_byok: bool | None = None


class Job(NamedTuple):
    """A job as the service reports it (VideoGenerationResponse); `extra` is what it sent beyond the other fields."""

    id: str
    status: str = "pending"
    polling_url: str | None = None
    model: str | None = None
    error: Any = None
    generation_id: str | None = None
    unsigned_urls: list[str | None] | None = None
    urls: list[str | None] | None = None
    expires_at: int | None = None
    usage: Usage | None = None
    extra: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def of(cls, value: object) -> Job | None:
        """Return the job in an answer, None for what is no job: it has no id."""
        if not isinstance(value, dict) or (name := _identifier(value.get("id"))) is None:
            return None
        known = {field: read(value[field]) for field, read in _JOB_FIELDS.items() if field in value}
        extra = {field: said for field, said in value.items() if field != "id" and field not in _JOB_FIELDS}
        return cls(name, **known, extra=extra)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES

    @property
    def cost(self) -> Decimal | None:
        """Return the billed amount in USD, None when it is not known: 0 for a provider's own key is not free (A11)."""
        cost = self.usage.cost if self.usage else None
        return None if self.is_byok and not cost else cost

    @property
    def is_byok(self) -> bool | None:
        """Return whether the provider billed the user's own key, None where the service does not say."""
        return self.usage.is_byok if self.usage else None

    @property
    def error_text(self) -> str | None:
        """Return the service's reason as one string, whatever shape it came in, cut at 2,000 characters (drill P07)."""
        if self.error is None or self.error == "":
            return None
        error = self.error
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            error = error["message"]
        text = error if isinstance(error, str) else json.dumps(error, ensure_ascii=False, default=str)
        return text if len(text) <= 2000 else text[:1999] + "…"

    @property
    def output_count(self) -> int:
        """Return how many outputs the service names; 0 when it names none."""
        return max(len(self.urls or ()), len(self.unsigned_urls or ()))


def _identifier(value: object) -> str | None:
    """Return an id, which may be a whole number (drill M10); None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _status(value: object) -> str:
    """Fold the case and the spaces of a status (drill P05); a missing one is `pending` (drill M11)."""
    return value.strip().casefold() if isinstance(value, str) and value.strip() else "pending"


def _usage(value: object) -> Usage | None:
    return Usage(money(value.get("cost")), flag(value.get("is_byok"))) if isinstance(value, dict) else None


_JOB_FIELDS: dict[str, Callable[[object], Any]] = {
    "status": _status,
    **dict.fromkeys(("polling_url", "model", "generation_id"), text),
    **dict.fromkeys(("unsigned_urls", "urls"), texts_in_place),
    "error": lambda value: value,
    "expires_at": whole,
    "usage": _usage,
}
