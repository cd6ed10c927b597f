"""Errors as text and as JSON: the message, the words of the service and its provider, and what to type next."""

from __future__ import annotations

from typing import Any

from orvideo.errors import OrvideoError
from orvideo.output.text import cut


def error_lines(error: OrvideoError) -> list[tuple[str, str]]:
    """Return `(label, text)` pairs: the error, the words of service and provider, the job, and hints.

    Words of others are cut at 2,000 characters, and left out if the message has them. No text is made visible yet.
    """
    lines = [("error", error.message), *_words_of_others(error)]
    said = "\n".join([error.message, error.hint or "", error.resume or ""])
    if error.job_id and error.job_id not in said:
        lines.append(("job", error.job_id))
    if error.hint:
        lines.append(("hint", error.hint))
    if error.resume and error.resume not in (error.hint or ""):
        lines.append(("hint", error.resume))
    return lines


def error_document(error: OrvideoError) -> dict[str, Any]:
    """Return the JSON document of an error; the words of service and provider are part of `message`."""
    body = error.as_json()
    words = [text for _, text in _words_of_others(error)]
    body["message"] = "\n".join([error.message, *words])
    return {"error": body}


def _words_of_others(error: OrvideoError) -> list[tuple[str, str]]:
    reply = error.reply
    if reply is None:
        return []
    lines: list[tuple[str, str]] = []
    if reply.message and cut(reply.message).rstrip("….") not in error.message:
        lines.append(("service", cut(reply.message)))
    if reply.provider_message and reply.provider_message not in error.message:
        who = f"{reply.provider}: " if reply.provider else ""
        lines.append(("provider", who + cut(reply.provider_message)))
    reasons = [reason for reason in reply.reasons if reason not in error.message]
    if reasons:
        lines.append(("reasons", cut(", ".join(reasons))))
    if reply.ray and reply.ray not in error.message:
        lines.append(("ray", cut(reply.ray, 120)))
    return lines
