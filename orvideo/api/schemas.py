"""What the service says of a key and of a model's providers, as pydantic models that tolerate its changes.

Unknown fields are kept (`model_extra`), and a field of an unexpected type becomes None rather than an error. Few
commands ask for either, so this module is imported where one does; jobs are plain values (`values`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from orvideo.api import values

Text = Annotated[str | None, BeforeValidator(values.text)]
Flag = Annotated[bool | None, BeforeValidator(values.flag)]
Money = Annotated[Decimal | None, BeforeValidator(values.money)]
Amount = Annotated[Decimal | None, BeforeValidator(values.amount)]


class ServiceModel(BaseModel):
    """The base of both: unknown fields are kept, and input values never appear in errors."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, protected_namespaces=())


class Endpoint(ServiceModel):
    """One provider of a model (`GET /models/{id}/endpoints`); `tag` is the slug that provider options are keyed by."""

    name: Text = None
    provider_name: Text = None
    tag: Text = None


class Budget(ServiceModel):
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


class KeyInfo(ServiceModel):
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
