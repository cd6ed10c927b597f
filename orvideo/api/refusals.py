"""The error of `errors.py` for a refusal by the service, with a hint.

The service's own advice, and the models that it names, come before our hints (api notes).
"""

import math
from datetime import UTC
from typing import NamedTuple

from orvideo import shells
from orvideo.api import urls
from orvideo.clock import local
from orvideo.errors import (
    CREDITS,
    AuthError,
    BadRequest,
    Forbidden,
    Gone,
    Limit,
    MoneyError,
    NotFound,
    NotReadyYet,
    OrvideoError,
    PayloadTooLarge,
    PaymentRequired,
    RateLimited,
    Rejected,
    ServerFault,
    ServiceReply,
    ServiceUnavailable,
    Unauthorized,
    Unavailable,
    Unprocessable,
    as_sentence,
)

#: The message of an answer that has none.
NO_MESSAGE = "no message"
#: Status to class. What is not here is Rejected below 500 and ServerFault above.
_KINDS: dict[int, type[OrvideoError]] = {
    400: BadRequest,
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    407: AuthError,
    408: ServerFault,
    409: NotReadyYet,
    410: Gone,
    413: PayloadTooLarge,
    422: Unprocessable,
    429: RateLimited,
    503: ServiceUnavailable,
}

_RAISE_THE_LIMIT = "look at the limit at https://openrouter.ai/settings/keys"
_WHAT_IT_TAKES = "orvideo models MODEL shows what the model takes"
_LATER = "wait a minute, then run the same command"

#: The statuses that say that no job was made (503 only in the service's own words), with a hint for each. After any
#: other one the outcome is unknown (drill M20, finding A07).
_SUBMIT_HINTS: dict[int, str | None] = {
    400: _WHAT_IT_TAKES,
    401: None,
    402: "add credits at https://openrouter.ai/settings/credits",
    403: "look at what the key may do at https://openrouter.ai/settings/keys, or change the prompt",
    404: "orvideo models",
    413: "give smaller images, or images by their HTTPS URL",
    422: _WHAT_IT_TAKES,
    429: _LATER,
    503: _LATER,
}


class KeySource(NamedTuple):
    """Where a key came from, in words, and the command that sets another one there."""

    place: str
    mend: str


def refusal(
    reply: ServiceReply, host: str, *, doing: str = "answered", source: KeySource | None = None, with_key: bool = True
) -> OrvideoError:
    """Return the error for a refusal, with the service's words.

    `host` answered; `source` is where the key came from, if it was sent there. A hint is given only where
    it always helps: what the refusal means for a job is not known here (fault B12).
    """
    kind = Unavailable if with_key and is_foreign(reply) else _kind_of(reply)
    told = reply_text(reply)
    if kind is Unauthorized and with_key:
        key = f"the API key from {source.place}" if source else "the API key"
        return Unauthorized(f"{host} refused {key}: {told}", hint=key_hint(source), reply=reply)
    hint = "put the proxy's name and password into HTTPS_PROXY" if reply.status == 407 else None
    return kind(f"{host} {doing} with {reply.status}: {told}", hint=hint, reply=reply)


def refused_submit(reply: ServiceReply, host: str, source: KeySource | None) -> OrvideoError | None:
    """Return the error of a submit that bought nothing, with a hint; None where that is not certain (M14 to M20)."""
    status = reply.status
    if status not in _SUBMIT_HINTS or (status == 503 and not reply.own):
        return None
    error = refusal(reply, host, doing="answered" if status in (429, 503) else "refused the request", source=source)
    error.hint = _service_advice(reply) or error.hint or _default_hint(error, reply)
    return error


def _kind_of(reply: ServiceReply) -> type[OrvideoError]:
    """Return the class of a refusal: by what it says where it is about money, else by its status (finding A06)."""
    # A 402 may be waited for; so may a 429 or a 503 that names a time.
    may_wait = reply.status == 402 or (reply.status in (429, 503) and reply.retry_after is not None)
    if reply.limit is not None and not may_wait:
        return MoneyError
    return _KINDS.get(reply.status, Rejected if reply.status < 500 else ServerFault)


def is_foreign(reply: ServiceReply) -> bool:
    """Return whether a page refused the call: it knows neither the key nor the credits (finding A09)."""
    return not reply.is_json and reply.status in (401, 402, 403) and reply.message != NO_MESSAGE


def _service_advice(reply: ServiceReply) -> str | None:
    """Return the advice of the service, None where there is none."""
    other = f"the same command with -m {reply.fallback_models[0]}" if reply.fallback_models else None
    return "; or ".join(filter(None, (reply.remedy and reply.remedy.rstrip("."), other))) or None


def _default_hint(error: OrvideoError, reply: ServiceReply) -> str | None:
    """Return our hint for a refusal without advice of the service."""
    if reply.retryable is False and reply.status == 402:
        return "ask for a shorter or a smaller video, or add credits at https://openrouter.ai/settings/credits"
    if reply.retry_after is not None and reply.retryable is not False and reply.status in (402, 429, 503):
        return f"wait {_duration(reply.retry_after)}, then run the same command"
    if isinstance(error, MoneyError) and reply.limit is not None and reply.status != 402:
        return _SUBMIT_HINTS[402] if reply.limit.layer == CREDITS else _RAISE_THE_LIMIT
    if not reply.is_json and reply.status in (400, 401, 402, 403, 413, 422):
        # Only the service itself can judge the model's options or the prompt (finding A09).
        return "something before the service answered, such as a proxy or a firewall: orvideo doctor"
    if "data policy" in reply.message:
        return "orvideo models, or allow it at https://openrouter.ai/settings/privacy"
    if "valid model" in reply.message or "No endpoints found" in reply.message:
        return "orvideo models"
    if reply.reasons:
        return "change the prompt"
    if reply.retryable is False and reply.status in (429, 503):
        return "orvideo models"
    return _SUBMIT_HINTS[reply.status]


def reply_text(reply: ServiceReply) -> str:
    """Return the service's words, the reasons and the provider's words as one text that ends like a sentence."""
    parts = [as_sentence(reply.message)]
    if reply.limit is not None and (told := limit_text(reply.limit)):
        parts.append(told)
    if reply.reasons:
        parts.append(f"Reasons: {', '.join(reply.reasons)}.")
    if reply.provider_message and reply.provider_message not in reply.message:
        parts.append(as_sentence(f"{reply.provider or 'The provider'} says: {reply.provider_message}"))
    elif reply.provider:
        parts.append(f"The provider was {reply.provider}.")
    parts += map(as_sentence, reply.notes)
    if reply.fallback_models:
        parts.append(f"The service names other models: {', '.join(reply.fallback_models)}.")
    if reply.ray:
        parts.append(f"(ray {reply.ray})")
    return " ".join(parts)


def limit_text(limit: Limit) -> str:
    """Return whose limit it is, how much is spent and when it resets, as far as that is known."""
    facts = [] if limit.layer == CREDITS else [f"This is {limit.layer}"]
    if limit.usd is not None and limit.spent is not None:
        facts.append(f"${limit.spent:.2f} of ${limit.usd:.2f} is spent")
    elif limit.usd is not None:
        facts.append(f"it is ${limit.usd:.2f}")
    if limit.resets_at is not None:
        utc, here = limit.resets_at.astimezone(UTC), local(limit.resets_at)
        there = f" ({here:%Y-%m-%d %H:%M} here)" if here.utcoffset() else ""
        facts.append(f"it resets at {utc:%Y-%m-%d %H:%M} UTC{there}")
    told = "; ".join(facts)
    return f"{told[0].upper()}{told[1:]}." if told else ""


def has_usual_path(base_url: str) -> bool:
    """Return whether a base URL ends as the service's does."""
    return base_url.endswith("/api/v1")


def base_url_hint(base_url: str, variable: str | None = None) -> str:
    """Return the hint for a base URL where there is no API (finding C13).

    `variable` is the environment variable that sets the base URL, if one does: it overrides the stored one.
    """
    if has_usual_path(base_url):
        unset = f"To use the usual one: {shells.unset_variable(variable)}" if variable else ""
        return f"is the base URL right? {unset or 'See who set it: orvideo config list'}"
    likely = urls.origin_of(base_url).url + "/api/v1"
    mend = shells.set_variable(variable, likely) if variable else f"orvideo config set base-url {likely}"
    return f"is the base URL right? It usually ends in /api/v1: {mend}"


def key_hint(source: KeySource | None) -> str:
    """Return the command that sets another key, for the place that the key came from."""
    return source.mend if source is not None else "orvideo config set api-key"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    if seconds < 7200:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 3600)} h"
