"""What goes wrong on purpose with submits and looks, and with what is sent back for them."""

from __future__ import annotations

from typing import Any

import falcon

from orvideo.sandbox.answers import cut, encode
from orvideo.sandbox.bad_keys import refuse_key
from orvideo.sandbox.faults import Faults
from orvideo.sandbox.refusals import Page, Refusal
from orvideo.sandbox.stage import Stage
from orvideo.sandbox.studio_job import Terms

_REFUSALS: dict[str, tuple[int, str, dict[str, Any] | None]] = {
    "submit-402": (402, "Insufficient credits. Add more using https://openrouter.ai/credits", None),
    "submit-403": (
        403,
        "Your prompt was flagged by moderation.",
        {"reasons": ["violence"], "flagged_input": "...", "provider_name": "Sandbox", "model_slug": "sandbox"},
    ),
    "submit-404": (404, "No endpoints found matching your data policy", None),
    "submit-413": (413, "Request payload too large", None),
    "submit-500": (500, "Provider returned error", {"raw": '{"error":"overloaded"}', "provider_name": "Sandbox"}),
}
_LATER = (
    ("submit-429", 429, "Rate limit exceeded"),
    ("submit-503", 503, "No available model provider that meets your routing requirements"),
    ("submit-402-budget", 402, "In-flight budget exhausted"),
)


def before_submit(stage: Stage) -> None:
    """Refuse a submit of which no job is made. Raises Refusal, Page."""
    faults = stage.faults
    if "slow-submit" in faults:
        stage.closing.wait(faults.argument("slow-submit"))
    refuse_key(faults, stage.studio.now())
    for name, (status, message, metadata) in _REFUSALS.items():
        if faults.strikes(name):
            raise Refusal(status, message, metadata=metadata)
    for name, status, message in _LATER:
        if faults.strikes(name):
            raise _later(status, message, faults.argument(name))
    if faults.strikes("submit-html"):
        raise Page(502)
    _challenge(faults, "submit")


def terms_of(faults: Faults) -> Terms:
    """Return what is different for a job that is made today."""
    least = int(faults.argument("min-duration")) if "min-duration" in faults else 0
    return Terms(
        is_dead="dead" in faults, is_byok="byok" in faults, least_seconds=least, has_old_id="old-ids" in faults
    )


def after_submit(faults: Faults, resp: falcon.Response, document: object) -> None:
    """Spoil the answer to a submit of which a job was made. Raises Refusal."""
    if faults.strikes("499"):
        raise Refusal(499, "Client closed request")
    if faults.strikes("lost-reply"):
        resp.stream = cut(iter(()))
    elif faults.strikes("half-reply"):
        whole = encode(document)
        resp.stream = cut(iter((whole[: len(whole) * 3 // 4],)))


def before_look(faults: Faults) -> None:
    """Refuse a look, before its job is looked for. Raises Refusal, Page."""
    if faults.strikes("poll-500"):
        raise Refusal(500, "Internal Server Error")
    if faults.strikes("poll-429"):
        raise _later(429, "Rate limit exceeded", 1)
    if faults.strikes("poll-html"):
        raise Page(502)
    _challenge(faults, "look")


def in_envelope(faults: Faults, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job as it is sent: bare, or wrapped by a gateway."""
    return {"success": True, "data": job} if "envelope" in faults else job


def _challenge(faults: Faults, what: str) -> None:
    if faults.strikes("challenge-page", what):
        raise Page(403, title="Just a moment...", headers={"cf-mitigated": "challenge", "cf-ray": "8f0sandbox0000-AMS"})


def _later(status: int, message: str, seconds: float) -> Refusal:
    metadata: dict[str, Any] = {"retry_after_seconds": int(seconds)}
    if status == 402:
        metadata["reason"] = "in_flight_budget_exhausted"
    return Refusal(status, message, metadata=metadata, headers={"Retry-After": str(int(seconds))})
