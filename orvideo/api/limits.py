"""Which spending limit a refusal is about, read from its text, since the status alone does not say (F-A06)."""

from __future__ import annotations

import re
from typing import Any

from orvideo.api.schemas import amount, moment
from orvideo.errors import CREDITS, Limit

#: Whose money a refusal is about, by `metadata.limit_source` (api notes).
_LAYERS = {
    "openrouter_key_limit": "your key's limit",
    "openrouter_guardrail_budget": "the budget of a guardrail",
    "openrouter_workspace_budget": "the workspace's budget",
}
_PERIOD = r"(total|daily|weekly|monthly)"
_IS = r"(?:has been |have been |is |are |was )?"
_OVER = r"(?:exceeded|exhausted|reached|spent|hit|depleted|used up)"
#: How the service says it where it names no source, and which words tell of a request for money at all.
_KEY_LIMIT = re.compile(
    rf"\bkey(?:'s)? (?:{_PERIOD} )?(?:spend(?:ing)? |credit )?limit {_IS}(?:exceeded|reached|exhausted|hit)"
    rf"(?: \({_PERIOD} limit\))?",
    re.IGNORECASE,
)
_BUDGET = re.compile(
    rf"\b(?:budget|spend(?:ing)?|billing)(?: hard)?(?: limit| cap)? {_IS}{_OVER}\b"
    r"|\b(?:exceed(?:s|ed)?|reached|hit|over) (?:(?!token|time|pixel|frame)[\w']+ ){0,4}"
    r"(?:budget|(?:spend(?:ing)?|billing)(?: hard)? (?:limit|cap))\b",
    re.IGNORECASE,
)
_CREDITS = re.compile(
    r"\b(?:insufficient|not enough|out of|no more|requires? more|needs? more)(?: [\w']+)? (?:credits?|funds|balance)\b"
    rf"|\b(?:credits?|funds|balance)(?: balance)? {_IS}(?:insufficient|not sufficient|too low|negative|{_OVER})\b"
    r"|\bno (?:remaining )?(?:credits|funds)\b|\bnegative (?:credit )?balance\b|\bcan only afford\b"
    r"|\bpayment (?:is )?(?:required|needed|overdue)\b",
    re.IGNORECASE,
)
_QUOTA = re.compile(
    rf"\bquota {_IS}{_OVER}\b|\bexceed(?:s|ed)? (?:[\w']+ ){{0,3}}quota\b|\binsufficient[_ ]quota\b", re.IGNORECASE
)
#: A part of what is said, and whose budget it then is.
_OWNERS = {"workspace": "the workspace's budget", "guardrail": "the budget of a guardrail"}


def spending_limit(
    status: int, message: str, provider_message: str, told: dict[str, Any], *, is_moderated: bool
) -> Limit | None:
    """Return whose limit a refusal is about, None where it is not about money (finding A06).

    A `limit_source` says so whatever the status; else the service's words do, or those that it passes on.
    """
    source, scope = told.get("limit_source"), told.get("scope")
    if isinstance(source, str) and source:
        layer: str | None = _LAYERS.get(source, f"the limit {source[:80]!r}")
    elif not 400 <= status < 500:
        return None
    else:
        layer = _layer_of(message, status, is_moderated) or _layer_of(provider_message, 429, is_moderated)
    if layer is None:
        return None
    if isinstance(scope, str) and scope.strip() and scope.casefold() not in layer.casefold():
        layer += f" ({' '.join(scope.split())[:40]})"
    return Limit(layer, amount(told.get("limit_usd")), amount(told.get("spend_usd")), moment(told.get("resets_at")))


def _layer_of(words: str, status: int, is_moderated: bool) -> str | None:
    """Return whose limit words are about, None where they are not about money.

    Words about a moderated prompt may repeat it, so only the service's own term for a key's limit counts there (drill
    M17). A quota of a 429 is one of requests.
    """
    key = _KEY_LIMIT.search(words)
    if key is not None:
        period = key[1] or key[2]
        return f"your key's {period.lower()} limit" if period else "your key's limit"
    if is_moderated:
        return None
    if _BUDGET.search(words):
        owner = next((layer for name, layer in _OWNERS.items() if name in words.casefold()), None)
        return owner or "a budget of your account"
    if _CREDITS.search(words):
        return CREDITS
    return "a quota of your account" if status != 429 and _QUOTA.search(words) else None
