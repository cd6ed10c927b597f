"""Keys that can buy nothing: what a submit is told, and what `GET /key` says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orvideo.sandbox.faults import Faults
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.studio_job import when

_KEYS_PAGE = "https://openrouter.ai/settings/keys"
#: In USD: what the key or the budget may spend, and what the budget has spent.
_LIMIT, _SPENT = 10, 10.02


def refuse_key(faults: Faults, now: float) -> None:
    """Refuse a submit with such a key. Raises Refusal 403."""
    if "key-limit" in faults:
        period = faults.word("key-limit")
        raise Refusal(403, f"Key limit exceeded ({period} limit). Manage it using {_KEYS_PAGE}")
    if "budget" in faults:
        budget = _budget(now)
        budget.pop("remaining_usd")
        source = {"limit_source": "openrouter_workspace_budget", **budget}
        hint = "Raise the workspace's budget, or wait until it resets."
        raise Refusal(403, "Budget limit exceeded", metadata={**source, "remedy_hint": hint})
    if "management-key" in faults:
        raise Refusal(403, "Management keys cannot be used to generate. Use an API key.")


def key_changes(faults: Faults, now: float) -> dict[str, Any]:
    """Return the fields of the answer to `GET /key` that such a key has otherwise."""
    changes: dict[str, Any] = {}
    if "key-limit" in faults:
        period = faults.word("key-limit")
        changes |= {"limit": _LIMIT, "limit_remaining": 0, "limit_reset": None if period == "total" else period}
        changes["usage" if period == "total" else f"usage_{period}"] = _LIMIT
    if "budget" in faults:
        budget = _budget(now)
        changes |= {"effective_budget": budget, "budgets": [budget]}
    if "management-key" in faults:
        changes |= {"is_management_key": True, "is_provisioning_key": True}
    if "expired-key" in faults:
        changes["expires_at"] = when(now - 86400)
    return changes


def _budget(now: float) -> dict[str, Any]:
    """Return a monthly budget that is spent."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {
        "scope": "monthly",
        "limit_usd": _LIMIT,
        "spend_usd": _SPENT,
        "remaining_usd": round(_LIMIT - _SPENT, 2),
        "resets_at": when(next_month.timestamp()),
    }
