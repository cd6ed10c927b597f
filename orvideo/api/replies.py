"""Reading answers: a JSON value, or the service's message about a refusal (`refusals` makes an error of it).

Every documented error shape is read, and undocumented ones: ZodError, HTML pages, empty bodies, wrong types (api
notes). Server text is passed on as it is, without the key; `output` makes it safe for a terminal.
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
from orvideo.api.exchange import ExchangeResult
from orvideo.api.limits import spending_limit
from orvideo.api.payload import NotJson
from orvideo.api.redaction import Redactor
from orvideo.api.refusals import NO_MESSAGE
from orvideo.errors import BadReply, ServerFault, ServiceReply

#: Text of a server is cut here, in characters (drills M21, P07).
LONGEST_TEXT, LONGEST_TITLE = 2000, 120
#: A value of a header is read up to here.
LONGEST_VALUE = 1024
MAX_REASONS = 20
#: The most characters of a note, and the most models that are named.
LONGEST_NOTE, MAX_MODELS = 300, 3
#: The longest Retry-After that is returned, in seconds.
_FOREVER = 1e9

_SECONDS = re.compile(r"[0-9]+(\.[0-9]*)?([eE]\+?[0-9]{1,3})?")
_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)


class DecodedReply(NamedTuple):
    """An answer, decompressed and without the key."""

    status: int
    headers: httpx.Headers
    data: bytes
    whole: bool
    too_large: bool
    unknown_encoding: str | None
    max_memory: int
    redactor: Redactor

    @property
    def is_html(self) -> bool:
        return is_html_page(self.data)

    def json(self) -> Any:
        """Return the body as JSON; raises NotJson."""
        if self.too_large:
            raise NotJson("the answer is too large")
        if self.unknown_encoding is not None:
            raise NotJson(f"the answer has the content encoding {self.unknown_encoding!r}, which was not asked for")
        try:
            value = payload.parse(self.data, self.max_memory)
            # Once more: escapes, or another encoding, may have hidden a key.
            return self.redactor.value(value) if b"\\" in self.data or b"\0" in self.data else value
        except NotJson as error:
            raise NotJson(str(error), cut=error.cut or not self.whole, foreign=error.foreign) from None


def is_html_page(data: bytes) -> bool:
    """Return whether a body begins as a page does."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<title"))


def read(answer: ExchangeResult, redactor: Redactor, max_bytes: int) -> DecodedReply:
    """Decode an answer, which must have a status; never raises."""
    assert answer.status is not None
    decoded = payload.decode(answer.body, answer.headers.get("content-encoding", ""), max_bytes)
    return DecodedReply(
        status=answer.status,
        headers=answer.headers,
        data=redactor.raw(decoded.data),
        whole=answer.complete and decoded.whole,
        too_large=answer.too_large or decoded.too_large,
        unknown_encoding=None if decoded.unknown is None else redactor.text(decoded.unknown)[:80],
        max_memory=payload.EXPANSION * max_bytes,
        redactor=redactor,
    )


def json_object(reading: DecodedReply, host: str) -> dict[str, Any]:
    """Return the JSON object in the answer to a successful GET.

    Raises ServerFault for an answer of something else, or one that was cut (drill M21), and BadReply for one of the
    service that makes no sense (drills X01, X02).
    """
    try:
        value = reading.json()
    except NotJson as error:
        if error.foreign or error.cut:
            raise ServerFault(f"{host} answered {reading.status}, but {error}.") from error
        raise BadReply(f"{host} answered {reading.status}, but {error}.") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0]  # as some gateways wrap it (finding C13)
    if not isinstance(value, dict):
        raise BadReply(f"{host} answered {reading.status} with JSON that is not an object.")
    return value


def service_reply(reading: DecodedReply, redactor: Redactor, now: datetime) -> ServiceReply:
    """Return the message of a refusal, whatever its shape; never raises."""
    error, own, is_json = _error_object(reading)
    metadata = _mapping(error.get("metadata"))
    said, detail, several = error.get("message"), error.get("detail"), _complaints(error.get("errors"))
    message = _first_text(
        _complaints(said), said, error.get("text"), _complaints(detail), detail, several, error.get("title")
    )
    provider_message = _provider_words(metadata.get("raw"))
    reasons = tuple(_reasons(metadata))
    offered = _mapping(error.get("availability")) or _mapping(metadata.get("availability"))
    told = {**error, **metadata}
    return ServiceReply(
        status=reading.status,
        message=_cut(redactor.text(message or _bodyless(reading))),
        provider=_first_text(metadata.get("provider_name")),
        provider_message=redactor.text(provider_message or "") or None,
        reasons=reasons,
        retry_after=retry_after(reading.headers, {"retry_after_seconds": offered.get("retry_after"), **metadata}, now),
        ray=_ray(reading),
        own=own,
        is_json=is_json,
        limit=spending_limit(reading.status, message or "", provider_message or "", told, is_moderated=bool(reasons)),
        retryable=_retryable(told, offered),
        notes=tuple(map(redactor.text, _notes(offered))),
        remedy=redactor.text(_one_line(told.get("remedy_hint")))[:LONGEST_NOTE] or None,
        fallback_models=tuple(_models(offered.get("fallback_models"))),
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
    text = text.strip()[:LONGEST_VALUE]
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


def page_text(reading: DecodedReply) -> str:
    """Describe an answer that is not the service's: an empty body, or a page."""
    if not reading.data:
        return "an empty body"
    ray = _ray(reading)
    return _page(reading) + (f" (ray {ray})" if ray else "")


def _page(reading: DecodedReply) -> str:
    title = _title(reading)
    return "a page that is not the service's" + (f", titled {title!r}" if title else "")


def _ray(reading: DecodedReply) -> str | None:
    """Return the id of the call at the CDN."""
    return reading.redactor.text(reading.headers.get("cf-ray", "")[:LONGEST_VALUE])[:LONGEST_TITLE] or None


def _title(reading: DecodedReply) -> str | None:
    match = _TITLE.search(reading.data[:65536])
    if match is None:
        return None
    import html  # slow to import, and only HTML pages need it

    # Once more: entities may have hidden a key.
    words = reading.redactor.text(" ".join(html.unescape(match[1].decode("utf-8", "replace")).split()))
    return (words if len(words) <= LONGEST_TITLE else words[: LONGEST_TITLE - 1] + "…") or None


def _error_object(reading: DecodedReply) -> tuple[dict[str, Any], bool, bool]:
    """Return the `error` object of any of the known shapes, whether it is the service's own, and whether it was JSON.

    A text becomes its message, and a list its `errors`; gateways answer these, and `{"detail": …}` (finding C13).
    """
    try:
        value = reading.json()
    except NotJson:
        return {}, False, False
    if not isinstance(value, dict):
        return ({"message": value} if isinstance(value, str) else {"errors": value}), False, True
    error = value.get("error", value)
    if isinstance(error, str):
        return {**value, "message": error}, False, True
    if isinstance(error, list):
        return {"errors": error}, False, True
    own = isinstance(value.get("error"), dict) and not {"code", "message", "name"}.isdisjoint(error)
    return (error if isinstance(error, dict) else value), own, True


def _complaints(said: Any) -> str | None:
    """Read a list of complaints, or one in JSON: `field: what is wrong with it` (a ZodError, RFC 9457, api notes)."""
    issues = payload.json_in(said) if isinstance(said, str) and said.lstrip().startswith("[") else said
    if not isinstance(issues, list):
        return None
    lines = []
    for issue in issues[:MAX_REASONS]:
        words = issue.strip() if isinstance(issue, str) else next(_messages_in(issue), None)
        if words:
            path = issue.get("path", issue.get("loc")) if isinstance(issue, dict) else None
            field = ".".join(str(step) for step in path) if isinstance(path, list) else ""
            lines.append(f"{field}: {words}" if field else words)
    return "; ".join(lines) or None


def _provider_words(raw: Any) -> str | None:
    """Return the provider's own words from `metadata.raw`: a text, often JSON with a message somewhere inside."""
    value = payload.json_in(raw) if isinstance(raw, str) else raw
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


def _reasons(metadata: dict[str, Any]) -> Iterator[str]:
    """Yield why a request was moderated: `reasons` and `patterns`, each a text or something that holds one (M17)."""
    for name in ("reasons", "patterns"):
        items = metadata.get(name)
        for item in (items if isinstance(items, list) else [items])[:MAX_REASONS]:
            text = item if isinstance(item, str) else next(_messages_in(item), None)
            if text:
                yield text[:200]


def _retryable(told: dict[str, Any], offered: dict[str, Any]) -> bool | None:
    """Return whether the service says that the same request may work later, None where it does not say."""
    if told.get("reason") == "weight_exceeds_budget":
        return False
    said = offered.get("retryable")
    return said if isinstance(said, bool) else None


def _notes(offered: dict[str, Any]) -> Iterator[str]:
    """Yield what `error.availability` adds, as short texts (finding A06)."""
    for name, words in (("excluded_by", "Excluded by"), ("constraint", "Constraint"), ("docs_url", "More at")):
        said = _one_line(offered.get(name))
        if said:
            yield f"{words}: {said[:LONGEST_NOTE]}"


def _one_line(value: Any) -> str:
    """Return a text, the texts of a list, or what an object says, as one line; nothing for anything else."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return ", ".join(filter(None, map(_one_line, value[:MAX_REASONS])))
    if isinstance(value, dict):
        return next(_messages_in(value), None) or json.dumps(value, ensure_ascii=False)
    return ""


def _models(value: Any) -> Iterator[str]:
    """Yield the ids in a list of models, or of objects that have one; only what can stand in a command line."""
    found = 0
    for item in value if isinstance(value, list) else ():
        name = item.get("id", item.get("model")) if isinstance(item, dict) else item
        if found < MAX_MODELS and isinstance(name, str) and re.fullmatch(r"[\w~][\w.~:@/+-]{0,119}", name, re.ASCII):
            found += 1
            yield name


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _bodyless(reading: DecodedReply) -> str:
    if reading.is_html:
        return _page(reading)
    if not reading.data:
        return NO_MESSAGE
    if reading.too_large or reading.unknown_encoding is not None:
        return "a message that cannot be read"
    text = payload.text_of(reading.data[: 4 * LONGEST_TEXT]).strip()
    return text if text and not text.startswith(("{", "[")) else NO_MESSAGE


def _first_text(*candidates: Any) -> str | None:
    return next((text.strip() for text in candidates if isinstance(text, str) and text.strip()), None)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
