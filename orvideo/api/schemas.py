"""The replies of the service, as pydantic models that tolerate changes of the service.

Enums are open strings, unknown fields are kept (`model_extra`), and a field of an unexpected type becomes None
rather than an error: a reply that can be followed is followed. Only what a command cannot do without raises.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from orvideo.api import values
from orvideo.api.values import FINAL_STATUSES

Text = Annotated[str | None, BeforeValidator(values.text)]
TextsInPlace = Annotated[list[str | None] | None, BeforeValidator(values.texts_in_place)]
Whole = Annotated[int | None, BeforeValidator(values.whole)]
Flag = Annotated[bool | None, BeforeValidator(values.flag)]
Money = Annotated[Decimal | None, BeforeValidator(values.money)]
Amount = Annotated[Decimal | None, BeforeValidator(values.amount)]


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
