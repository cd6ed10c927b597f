"""What a receipt says: what a video was made from, by what, when and for how much; fit to be passed on with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orvideo import __version__
from orvideo.record.values import Output, Record, money_number, redact_request, time_text


def receipt_document(record: Record, output: Output, *, canonical_slug: str | None) -> dict[str, Any]:
    """Return the receipt of one saved video: JSON values, times in UTC, money in USD, null for what is not known.

    No key, no signed URL, and no path of this machine (drill O17).
    """
    return {
        "orvideo": __version__,
        "job_id": record.id,
        "generation_id": record.generation_id,
        "endpoint": record.endpoint,
        "model": record.model,
        "canonical_slug": canonical_slug,
        "status": record.status,
        "created_at": time_text(record.created_at),
        "submitted_at": time_text(record.submitted_at),
        "ended_at": time_text(record.ended_at),
        "quote": record.quote,
        "cost_usd": money_number(record.cost),
        "output": {
            "index": output.index,
            "file": Path(output.path).name if output.path else None,
            "bytes": output.bytes,
            "sha256": output.sha256,
            "saved_at": time_text(output.saved_at),
        },
        "request": _shareable(redact_request(record.request)) if record.request else None,
    }


def _shareable(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request without what its URLs may hold in secret: where a callback goes, and how a link is signed."""
    shared = {name: value for name, value in request.items() if name != "callback_url"}
    for name in ("frame_images", "input_references"):
        if isinstance(shared.get(name), list):
            shared[name] = [_unsigned(part) for part in shared[name]]
    return shared


def _unsigned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unsigned(item) for key, item in value.items()}
    if isinstance(value, str) and value.casefold().startswith("https:"):
        return value.partition("#")[0].partition("?")[0]
    return value
