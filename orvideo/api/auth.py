"""The answer to `POST /auth/keys`, which turns the code of a sign-in into a key (api notes, "Signing in")."""

from __future__ import annotations

from datetime import datetime

from orvideo.api import payload, refusals, replies
from orvideo.api.exchange import ExchangeResult
from orvideo.api.payload import NotJson
from orvideo.api.redaction import Redactor, check_key
from orvideo.errors import AuthError, BadReply, ServerFault, Unsafe

#: How the challenge is made of the verifier.
METHOD = "S256"
#: The statuses by which the service does not take a code.
_REFUSES = (400, 401, 403)


def read_key(answer: ExchangeResult, host: str, max_bytes: int, now: datetime) -> str:
    """Return the key in an answer.

    Raises AuthError for a refusal by the service itself, Unsafe for a redirect, Unavailable for what may work later,
    BadReply for an answer without a key that can be one; in none of them is any text that looks like a key.
    """
    if answer.status is None:
        raise ServerFault(f"{host} gave no answer to the code.")
    redactor = Redactor(None)
    reading = replies.read(answer, redactor, max_bytes)
    if 300 <= reading.status < 400:
        raise Unsafe(f"{host} redirects the sign-in ({reading.status}), which is not followed.")
    if reading.status >= 400:
        reply = replies.service_reply(reading, redactor, now)
        if reading.status in _REFUSES and reply.is_json:
            words = refusals.reply_text(reply)
            raise AuthError(f"{host} did not take the code: {words}", hint="orvideo login", reply=reply)
        raise refusals.refusal(reply, host)
    if reading.is_html or not reading.data:
        raise ServerFault(f"{host} answered {reading.status} with {replies.page_text(reading)}.")
    key = _key_in(answer, max_bytes)
    if key is None:
        raise BadReply(f"{host} answered {reading.status} without a key.")
    return key


def _key_in(answer: ExchangeResult, max_bytes: int) -> str | None:
    """Return the key of an answer, read as it came: in every other reading keys are hidden."""
    decoded = payload.decode(answer.body, answer.headers.get("content-encoding", ""), max_bytes)
    try:
        value = payload.parse(decoded.data, payload.EXPANSION * max_bytes)
        key = value.get("key") if isinstance(value, dict) else None
        return check_key(key) if isinstance(key, str) else None
    except (NotJson, AuthError):
        return None
