"""Which spending limit a refusal is about, read from its text, since the status alone does not say (F-A06)."""

from __future__ import annotations

import re
from typing import Any

from orvideo.api.values import amount, moment
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
_KEY_LIMIT = (
    rf"\bkey(?:'s)? (?:{_PERIOD} )?(?:spend(?:ing)? |credit )?limit {_IS}(?:exceeded|reached|exhausted|hit)"
    rf"(?: \({_PERIOD} limit\))?"
)
_BUDGET = (
    r"\b(?<!token )(?<!time )(?<!pixel )(?<!frame )(?:budget|spend(?:ing)?|billing)(?: hard)?(?: limit| cap)? "
    rf"{_IS}{_OVER}\b"
    r"|\b(?:exceed(?:s|ed)?|reached|hit|over) (?:(?!token|time|pixel|frame)[\w']+ ){0,4}"
    r"(?:budget|(?:spend(?:ing)?|billing)(?: hard)? (?:limit|cap))\b"
)
_CREDITS = (
    r"\b(?:insufficient|not enough|out of|no more|requires? more|needs? more)(?: [\w']+)? (?:credits?|funds|balance)\b"
    rf"|\b(?:credits?|funds|balance)(?: balance)? {_IS}(?:insufficient|not sufficient|too low|negative|{_OVER})\b"
    r"|\bno (?:remaining )?(?:credits|funds)\b|\bnegative (?:credit )?balance\b|\bcan only afford\b"
    r"|\bpayment (?:is )?(?:required|needed|overdue)\b"
)
_QUOTA = rf"\bquota {_IS}{_OVER}\b|\bexceed(?:s|ed)? (?:[\w']+ ){{0,3}}quota\b|\binsufficient[_ ]quota\b"
#: A quota of a 429 is one of requests, unless the service speaks of the bill.
_BILLING = r"\bbilling\b|\byour (?:current )?plan\b"
#: What is said about a prompt may repeat it, so money in such words, or in quotes, is a part of a film.
_QUOTED = r'"[^"]*"|“[^”]*”|`[^`]*`'
_ABOUT_PROMPT = r"\bprompt\b(?! tokens)|\bcontent polic|\bsafety\b|\bmoderat|\bflagged\b"
_THIS_KEY = r"\b(?:this|your|the|api) key\b"
#: A part of what is said, and whose budget it then is.
_OWNERS = {"workspace": "the workspace's budget", "guardrail": "the budget of a guardrail"}


def _find(pattern: str, words: str) -> re.Match[str] | None:
    """Look for a pattern, which is compiled only now: few answers are refusals."""
    return re.search(pattern, words, re.IGNORECASE)


def spending_limit(
    status: int, message: str, provider_message: str, told: dict[str, Any], *, is_moderated: bool
) -> Limit | None:
    """Return whose limit a refusal is about, None where it is not about money (finding A06).

    A `limit_source` says so whatever the status; else the service's words do, or those that it passes on.
    """
    source, scope = told.get("limit_source"), told.get("scope")
    if isinstance(source, str) and source:
        layer: str | None = _LAYERS.get(source, f"the limit {source[:80]!r}")
    elif not 400 <= status < 500 and status != 503:
        return None
    else:
        layer = _layer_of(message, status, is_moderated) or _layer_of(provider_message, 429, is_moderated)
        if layer is None and told.get("code") == 402:
            layer = CREDITS
    if layer is None:
        return None
    if isinstance(scope, str) and scope.strip() and scope.casefold() not in layer.casefold():
        layer += f" ({' '.join(scope.split())[:40]})"
    return Limit(layer, amount(told.get("limit_usd")), amount(told.get("spend_usd")), moment(told.get("resets_at")))


def _layer_of(words: str, status: int, is_moderated: bool) -> str | None:
    """Return whose limit words are about, None where they are not about money.

    Of words about a prompt only the service's own term for a key's limit counts (drill M17).
    """
    words = re.sub(_QUOTED, " ", words)
    key = _find(_KEY_LIMIT, words)
    if key is not None:
        return _key_limit(key[1] or key[2])
    if is_moderated or (status != 402 and _find(_ABOUT_PROMPT, words)):
        return None
    if _find(_BUDGET, words):
        if _find(_THIS_KEY, words):
            period = re.search(rf"\b{_PERIOD}\b", words, re.IGNORECASE)
            return _key_limit(period[1] if period else None)
        owner = next((layer for name, layer in _OWNERS.items() if name in words.casefold()), None)
        return owner or "a budget of your account"
    if _find(_CREDITS, words):
        return CREDITS
    is_quota = _find(_QUOTA, words) and (status != 429 or _find(_BILLING, words))
    return "a quota of your account" if is_quota else None


def _key_limit(period: str | None) -> str:
    return f"your key's {period.lower()} limit" if period else "your key's limit"
