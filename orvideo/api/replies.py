"""What an answer means: a value, or the error of `errors.py` that says it to a person.

Every documented error shape is read, and the ones that happen anyway: ZodError, HTML pages, empty bodies, wrong types
(api notes). Server text is passed on as it is, without the key; making it harmless to a terminal is the output's job.
"""

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx

from orvideo.api import payload
from orvideo.api.exchange import Answer
from orvideo.api.payload import NotJson
from orvideo.api.redaction import Redactor
from orvideo.errors import (
    AuthError,
    BadReply,
    BadRequest,
    Forbidden,
    Gone,
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
    Unprocessable,
)

#: Text of a server is cut here, in characters (drills M21, P07).
LONGEST_TEXT, LONGEST_TITLE = 2000, 120
MOST_REASONS = 20
#: A Retry-After beyond this is "not in our lifetime", in seconds.
_FOREVER = 1e9

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?([eE]\+?[0-9]{1,3})?")
_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)


class Reading(NamedTuple):
    """An answer with its content encodings undone and the key taken out: everything later works on this."""

    status: int
    headers: httpx.Headers
    data: bytes
    whole: bool
    too_big: bool
    unknown_encoding: str | None
    redactor: Redactor

    @property
    def is_html(self) -> bool:
        head = self.data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return head.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<title"))

    def json(self) -> Any:
        """Return the body as JSON; raises NotJson."""
        if self.too_big:
            raise NotJson("the answer is too large")
        if self.unknown_encoding is not None:
            raise NotJson(f"the answer has the content encoding {self.unknown_encoding!r}, which was not asked for")
        try:
            # Once more: escapes may have hidden a key from the first look.
            return self.redactor.value(payload.parse(self.data))
        except NotJson as error:
            raise NotJson(str(error), cut=error.cut or not self.whole, foreign=error.foreign) from None


def read(answer: Answer, redactor: Redactor, cap: int) -> Reading:
    """Return what an answer brought; never raises. `answer.status` must be there."""
    assert answer.status is not None
    decoded = payload.decode(bytes(answer.body), answer.headers.get("content-encoding", ""), cap)
    return Reading(
        status=answer.status,
        headers=answer.headers,
        data=redactor.raw(decoded.data),
        whole=answer.complete and decoded.whole,
        too_big=answer.oversized or decoded.too_big,
        unknown_encoding=None if decoded.unknown is None else redactor.text(decoded.unknown)[:80],
        redactor=redactor,
    )


def value_of(reading: Reading, host: str) -> dict[str, Any]:
    """Return the object that a successful GET brought.

    Raises ServerFault where something else answered or the answer was cut (drill M21: a missed look), BadReply where
    the service answered and it makes no sense (drills X01, X02).
    """
    if reading.is_html:
        raise ServerFault(f"{host} answered {reading.status} with {_page(reading)}.", hint="orvideo doctor")
    try:
        value = reading.json()
    except NotJson as error:
        if (error.foreign or error.cut) and not reading.too_big and reading.unknown_encoding is None:
            raise ServerFault(f"{host} answered {reading.status}, but {error}.", hint="orvideo doctor") from error
        raise BadReply(f"{host} answered {reading.status}, but {error}.", hint="orvideo doctor") from error
    if not isinstance(value, dict):
        raise BadReply(f"{host} answered {reading.status} with JSON that is not an object.", hint="orvideo doctor")
    return value


def has_json_error(reading: Reading) -> bool:
    """Say whether an error answer is the service's own: JSON with an `error` in it, and not a proxy's page."""
    try:
        value = reading.json()
    except NotJson:
        return False
    return isinstance(value, dict) and bool(value.get("error"))


def service_reply(reading: Reading, redactor: Redactor, now: datetime) -> ServiceReply:
    """Return what the service said when it refused, whatever shape it said it in; never raises."""
    error = _error_object(reading)
    metadata = redactor.value(error.get("metadata"))
    metadata = metadata if isinstance(metadata, dict) else {}
    message = _first_text(_zod(error), error.get("message"), error.get("text")) or _bodyless(reading)
    return ServiceReply(
        status=reading.status,
        message=_cut(redactor.text(message)),
        provider=_first_text(metadata.get("provider_name")),
        provider_message=_provider_words(metadata.get("raw")),
        reasons=tuple(_reasons(metadata)),
        retry_after=retry_after(reading.headers, metadata, now),
        reason=_first_text(metadata.get("reason")),
        ray=redactor.text(reading.headers.get("cf-ray", ""))[:LONGEST_TITLE] or None,
        metadata=metadata,
    )


def retry_after(headers: httpx.Headers, metadata: dict[str, Any], now: datetime) -> float | None:
    """Return the seconds that the service asks to wait: the largest usable Retry-After, else the metadata's (M18).

    A date is measured against the answer's own Date, because clocks differ; a past date is 0. Negative numbers and
    junk are None: back off by yourself.
    """
    base = _date(headers.get("date", "")) or now
    asked = [_delay(text, base) for text in headers.get_list("retry-after")]
    usable = [seconds for seconds in asked if seconds is not None]
    if usable:
        return max(usable)
    named = metadata.get("retry_after_seconds")
    return _delay(str(named), base) if isinstance(named, int | float | str) and not isinstance(named, bool) else None


def _delay(text: str, base: datetime) -> float | None:
    text = text.strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return min(seconds, _FOREVER) if math.isfinite(seconds) else _FOREVER
    date = _date(text)
    return None if date is None else min(max((date - base).total_seconds(), 0.0), _FOREVER)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def refusal(
    reply: ServiceReply,
    host: str,
    *,
    doing: str = "answered",
    source: str | None = None,
    with_key: bool = True,
) -> OrvideoError:
    """Return the error that a refusing status stands for, with the service's words and a command to type next.

    `host` answered; `source` is where the key came from, if it was sent there. The statuses that leave a submit's
    outcome open are not judged here.
    """
    kind, default_hint = _KINDS.get(reply.status, (Rejected if reply.status < 500 else ServerFault, "orvideo doctor"))
    hint: str | None = default_hint
    told = told_by(reply)
    if kind is Unauthorized and not with_key:
        hint = None  # a signed URL was refused, and no key in the world would help
    elif kind is Unauthorized:
        key = f"the API key from {source}" if source else "the API key"
        return Unauthorized(f"{host} refused {key}: {told}", hint=hint, reply=reply)
    if reply.retry_after is not None and kind in (RateLimited, ServiceUnavailable, PaymentRequired):
        hint = f"wait {_duration(reply.retry_after)}, then run the same command"
    elif "valid model" in reply.message or "No endpoints found" in reply.message:
        hint = "orvideo models"
    return kind(f"{host} {doing} with {reply.status}: {told}", hint=hint, reply=reply)


#: Status to class and hint. What is not here is Rejected below 500 and ServerFault above.
_KINDS: dict[int, tuple[type[OrvideoError], str | None]] = {
    400: (BadRequest, "orvideo models MODEL shows what the model takes"),
    401: (Unauthorized, "orvideo config set api-key"),
    402: (PaymentRequired, "add credits at https://openrouter.ai/settings/credits"),
    403: (Forbidden, "look at what the key may do at https://openrouter.ai/settings/keys, or change the prompt"),
    404: (NotFound, "orvideo jobs"),
    407: (AuthError, "put the proxy's name and password into HTTPS_PROXY"),
    408: (ServerFault, "orvideo doctor"),
    409: (NotReadyYet, "orvideo wait JOB"),
    410: (Gone, None),
    413: (PayloadTooLarge, "give smaller images, or images by their HTTPS URL"),
    422: (Unprocessable, "orvideo models MODEL shows what the model takes"),
    429: (RateLimited, "wait a minute, then run the same command"),
    503: (ServiceUnavailable, "wait a minute, then run the same command"),
}


def told_by(reply: ServiceReply) -> str:
    """Return the service's words, the reasons and the provider's words as one text that ends like a sentence."""
    parts = [_sentence(reply.message)]
    if reply.reasons:
        parts.append(f"Reasons: {', '.join(reply.reasons)}.")
    if reply.provider_message and reply.provider_message not in reply.message:
        parts.append(_sentence(f"{reply.provider or 'The provider'} says: {reply.provider_message}"))
    elif reply.provider:
        parts.append(f"The provider was {reply.provider}.")
    if reply.ray:
        parts.append(f"(ray {reply.ray})")
    return " ".join(parts)


def page_of(reading: Reading) -> str:
    """Return in a few words what an answer is that the service's code did not write."""
    return _page(reading) if reading.is_html else ("an empty body" if not reading.data else "an unreadable body")


def _page(reading: Reading) -> str:
    title = _title(reading)
    ray = reading.redactor.text(reading.headers.get("cf-ray", ""))[:LONGEST_TITLE]
    return "an HTML page" + (f" titled {title!r}" if title else "") + (f" (ray {ray})" if ray else "")


def _title(reading: Reading) -> str | None:
    match = _TITLE.search(reading.data[:65536])
    if match is None:
        return None
    import html  # all its entities are not needed until a page comes instead of an answer

    # Once more: entities may have hidden a key from the first look.
    words = reading.redactor.text(" ".join(html.unescape(match[1].decode("utf-8", "replace")).split()))
    return (words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1] + "…") or None


def _error_object(reading: Reading) -> dict[str, Any]:
    """Return the `error` object of any of the known shapes; a text becomes its message."""
    try:
        value = reading.json()
    except NotJson:
        return {}
    if not isinstance(value, dict):
        return {"message": value} if isinstance(value, str) else {}
    error = value.get("error", value)
    if isinstance(error, str):
        return {**value, "message": error}
    return error if isinstance(error, dict) else value


def _zod(error: dict[str, Any]) -> str | None:
    """Read a ZodError's message, which is a list of complaints as JSON: `field: what is wrong with it` (api notes)."""
    message = error.get("message")
    issues = _json_in(message) if isinstance(message, str) and message.lstrip().startswith("[") else message
    if not isinstance(issues, list):
        return None
    lines = []
    for issue in issues[:MOST_REASONS]:
        if isinstance(issue, dict) and isinstance(issue.get("message"), str):
            path = issue.get("path")
            field = ".".join(str(step) for step in path) if isinstance(path, list) else ""
            lines.append(f"{field}: {issue['message']}" if field else issue["message"])
    return "; ".join(lines) or None


def _provider_words(raw: Any) -> str | None:
    """Return the provider's own words from `metadata.raw`: a text, often JSON with a message somewhere inside."""
    value = _json_in(raw) if isinstance(raw, str) else raw
    for candidate in _messages_in(value):
        return _cut(candidate)
    if raw is None or raw in ("", [], {}):
        return None
    return _cut(raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False))


def _messages_in(value: Any) -> Iterator[str]:
    for name in ("message", "detail", "error", "msg", "error_message"):
        item = value.get(name) if isinstance(value, dict) else None
        if isinstance(item, str) and item.strip():
            yield item
        elif isinstance(item, dict):
            yield from _messages_in(item)


def _json_in(text: str) -> Any:
    try:
        return payload.parse(text.encode("utf-8", "replace"))
    except NotJson:
        return None


def _reasons(metadata: dict[str, Any]) -> Iterator[str]:
    """Yield why a request was moderated: `reasons` and `patterns`, each a text or something that holds one (M17)."""
    for name in ("reasons", "patterns"):
        items = metadata.get(name)
        for item in (items if isinstance(items, list) else [items])[:MOST_REASONS]:
            text = item if isinstance(item, str) else next(_messages_in(item), None)
            if text:
                yield text[:200]


def _bodyless(reading: Reading) -> str:
    if reading.is_html:
        return _title(reading) or "an HTML page instead of an answer"
    if not reading.data:
        return "no message"
    if reading.too_big or reading.unknown_encoding is not None:
        return "a message that cannot be read"
    text = payload.text_of(reading.data[: 4 * LONGEST_TEXT]).strip()
    return text if text and not text.startswith(("{", "[")) else "no message"


def _first_text(*candidates: Any) -> str | None:
    return next((text.strip() for text in candidates if isinstance(text, str) and text.strip()), None)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    if seconds < 7200:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 3600)} h"
