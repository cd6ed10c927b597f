"""The requests and replies of the service, as pydantic models that tolerate changes of the service.

Enums are open strings, unknown fields are kept (`model_extra`), and a field of an unexpected type becomes None
rather than an error: a reply that can be followed is followed. Only what a command cannot do without raises.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

#: The last second of the year 9999. A larger whole number is no time, and no count of anything here.
LARGEST_WHOLE = 253_402_300_799
#: Outputs beyond this number are ignored; no job has so many (fault B14, finding C03).
MAX_OUTPUTS = 64


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds since 1970 as a text: so many digits are no date.
_SECONDS = re.compile(r"[0-9]{9,13}(\.[0-9]{1,9})?")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> int | None:
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


def _texts(value: object) -> list[str] | None:
    return [item for item in value if isinstance(item, str) and item] if isinstance(value, list) else None


def _texts_in_place(value: object) -> list[str | None] | None:
    """Keep the positions, since output N of a job stays output N when a neighbour is null, up to the last one named.

    An object in the place of a URL names an output as well, in a form that is not known (drill P06).
    """
    if not isinstance(value, list):
        return None
    items = value[:MAX_OUTPUTS]
    while items and not (items[-1] and isinstance(items[-1], str | dict | list)):
        items.pop()
    return [_text(item) for item in items]


def _wholes(value: object) -> list[int] | None:
    if not isinstance(value, list):
        return None
    return [number for number in map(_whole, value) if number is not None]


def _mapping(value: object) -> dict[str, Any] | None:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else None


Text = Annotated[str | None, BeforeValidator(_text)]
Texts = Annotated[list[str] | None, BeforeValidator(_texts)]
TextsInPlace = Annotated[list[str | None] | None, BeforeValidator(_texts_in_place)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Wholes = Annotated[list[int] | None, BeforeValidator(_wholes)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Money = Annotated[Decimal | None, BeforeValidator(money)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]
Mapping = Annotated[dict[str, Any] | None, BeforeValidator(_mapping)]


class ServiceModel(BaseModel):
    """The base of everything received: unknown fields are kept, and input values never appear in errors."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, protected_namespaces=())

    @property
    def extra(self) -> dict[str, Any]:
        """Return what the service sent beyond what is modelled here."""
        return dict(self.model_extra or {})


class Usage(ServiceModel):
    """What a job was billed: `cost` in USD, None when the service did not say."""

    cost: Money = None
    is_byok: Flag = None


def _usage(value: object) -> object:
    return value if isinstance(value, dict | Usage) else None


def _identifier(value: object) -> str:
    """Accept an id as text, or as a whole number (drill M10); refuse anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("a job needs an id")


#: The statuses after which a job changes no more (api notes): those of the service, and the words for a failure that
#: its neighbourhood uses. Any other word means "not finished" (drill P04, finding B04).
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled", "expired", "canceled", "dead", "error"})
KNOWN_STATUSES = FINAL_STATUSES | {"pending", "in_progress"}


def _status(value: object) -> str:
    """Fold the case and the spaces of a status (drill P05); a missing one is `pending` (drill M11)."""
    return value.strip().casefold() if isinstance(value, str) and value.strip() else "pending"


class Job(ServiceModel):
    """A job as the service reports it (VideoGenerationResponse)."""

    id: Annotated[str, BeforeValidator(_identifier)]
    status: Annotated[str, BeforeValidator(_status)] = "pending"
    polling_url: Text = None
    model: Text = None
    error: Any = None
    generation_id: Text = None
    unsigned_urls: TextsInPlace = None
    urls: TextsInPlace = None
    expires_at: Whole = None
    usage: Annotated[Usage | None, BeforeValidator(_usage)] = None

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


class Span(ServiceModel):
    """The range that an upscaling model accepts."""

    min: float | None = None
    max: float | None = None


class VideoModel(ServiceModel):
    """One entry of `GET /videos/models`. None means "the service does not say", never "no" (see `fit`)."""

    id: Annotated[str, Field(min_length=1)]
    canonical_slug: Text = None
    name: Text = None
    description: Text = None
    created: Whole = None
    hugging_face_id: Text = None
    supported_resolutions: Texts = None
    supported_aspect_ratios: Texts = None
    supported_sizes: Texts = None
    supported_durations: Wholes = None
    supported_frame_images: Texts = None
    upscale_factor: Annotated[Span | None, BeforeValidator(lambda v: v if isinstance(v, dict | Span) else None)] = None
    creativity: Wholes = None
    generate_audio: Flag = None
    seed: Flag = None
    pricing_skus: Mapping = None
    allowed_passthrough_parameters: Texts = None


class DeferredModel(ServiceModel):
    """The base of models that few commands use, and one thread at a time: pydantic builds them at their first use."""

    model_config = ConfigDict(defer_build=True)


class Endpoint(DeferredModel):
    """One provider of a model (`GET /models/{id}/endpoints`); `tag` is the slug that provider options are keyed by."""

    name: Text = None
    provider_name: Text = None
    tag: Text = None


class Budget(DeferredModel):
    """A budget that a key is held to: `remaining_usd` is below zero where it was overrun."""

    scope: Text = None
    limit_usd: Amount = None
    spend_usd: Amount = None
    remaining_usd: Amount = None
    resets_at: Any = None

    @property
    def left(self) -> Decimal | None:
        """Return what is left in USD, reckoned where it is not said; None where it cannot be known."""
        if self.remaining_usd is None and self.limit_usd is not None and self.spend_usd is not None:
            return self.limit_usd - self.spend_usd
        return self.remaining_usd


def _budget(value: object) -> object:
    return value if isinstance(value, dict | Budget) else None


def _budgets(value: object) -> list[object]:
    return [item for item in value if isinstance(item, dict | Budget)] if isinstance(value, list) else []


class KeyInfo(DeferredModel):
    """What the service says of a key (`GET /key`): amounts in USD, None for "no limit" or "not said"."""

    label: Text = None
    limit: Money = None
    limit_remaining: Amount = None
    limit_reset: Text = None
    usage: Money = None
    usage_daily: Money = None
    usage_weekly: Money = None
    usage_monthly: Money = None
    is_free_tier: Flag = None
    is_management_key: Flag = None
    is_provisioning_key: Flag = None
    allowed_data_regions: Any = None
    expires_at: Any = None
    effective_budget: Annotated[Budget | None, BeforeValidator(_budget)] = None
    budgets: Annotated[list[Budget], BeforeValidator(_budgets)] = []

    @property
    def budget(self) -> Budget | None:
        """Return the budget that counts: the one the service names, else the one with the least left."""
        if self.effective_budget is not None and self.effective_budget.left is not None:
            return self.effective_budget
        known = [budget for budget in self.budgets if budget.left is not None]
        return min(known, key=lambda budget: budget.left or Decimal(0), default=None)

    @property
    def limit_left(self) -> Decimal | None:
        """Return what the key's own limit leaves, reckoned where it is not said; None without a limit."""
        if self.limit == 0:
            return Decimal(0)
        if self.limit_remaining is not None or self.limit is None:
            return self.limit_remaining
        of_period = {"daily": self.usage_daily, "weekly": self.usage_weekly, "monthly": self.usage_monthly}
        used = of_period.get(self.limit_reset.casefold()) if self.limit_reset else self.usage
        return None if used is None else self.limit - used

    @property
    def left(self) -> Decimal | None:
        """Return what may still be spent with the key in USD, None where nothing limits it."""
        of_budget = self.budget.left if self.budget is not None else None
        return min((left for left in (self.limit_left, of_budget) if left is not None), default=None)


class VideoRequest(BaseModel):
    """The body of `POST /videos` (VideoGenerationRequest), and nothing the service would silently drop.

    The media lists hold the service's own wrapped shapes, built by `request.media`.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, protected_namespaces=())

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

    def body(self) -> dict[str, Any]:
        """Return what is sent: the fields that were given, and no nulls."""
        return self.model_dump(mode="json", exclude_none=True)
