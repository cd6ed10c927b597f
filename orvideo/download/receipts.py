"""Receipts: `<file>.json` beside a saved video, with its request, its cost and its checksum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orvideo import __version__
from orvideo.api.redaction import Redactor
from orvideo.download.disk import disk_errors
from orvideo.download.naming import MAX_NAME_BYTES, fit
from orvideo.errors import OutputExists
from orvideo.files import write_atomically
from orvideo.record.redaction import map_values, redact_request
from orvideo.record.values import Output, Record, money_number, time_text

#: Names that are removed from a receipt in any case, since people share receipts (drill O17).
_SECRET_NAMES = frozenset(("urls", "unsigned_urls", "polling_url", "callback_url", "authorization", "api_key"))
_REDACTOR = Redactor(None)


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
        "is_byok": record.is_byok,
        "output": {
            "index": output.index,
            "file": Path(output.path).name if output.path else None,
            "bytes": output.bytes,
            "sha256": output.sha256,
            "saved_at": time_text(output.saved_at),
        },
        "request": _shareable(redact_request(record.request)) if record.request else None,
        "frames": [_without_folder(frame.as_json()) for frame in record.frames],
    }


def _shareable(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request without its callback URL and without the signatures in its URLs."""
    shared = {name: value for name, value in request.items() if name != "callback_url"}
    for name in ("frame_images", "input_references"):
        if isinstance(shared.get(name), list):
            shared[name] = map_values(shared[name], _unsigned)
    return shared


def _without_folder(frame: Mapping[str, Any]) -> dict[str, Any]:
    return {**frame, "file": Path(frame["file"]).name if frame["file"] else None}


def _unsigned(value: Any) -> Any:
    is_link = isinstance(value, str) and value.casefold().startswith("https:")
    return value.partition("#")[0].partition("?")[0] if is_link else value


def receipt_path(path: Path) -> Path:
    """Return the path of a video's receipt."""
    return path.with_name(fit(path.name, MAX_NAME_BYTES - 5) + ".json")


def write_receipt(path: Path, document: Mapping[str, Any], *, force: bool = False) -> Path:
    """Write the receipt of the video at `path` in one step and return its own path.

    The same receipt may be written again; raises OutputExists where
    another file has the name, unless `force`, and OutputUnwritable.
    """
    receipt = receipt_path(path)
    text = json.dumps(map_values(document, _without_key, _SECRET_NAMES), indent=2, allow_nan=False) + "\n"
    with disk_errors(receipt):
        try:
            # With the usual mode of files, since a receipt is shared with its video.
            write_atomically(receipt, text.encode("ascii"), replace=force)
        except FileExistsError as error:
            if not _holds(receipt, text):
                raise OutputExists(f"{receipt} exists already.", hint="overwrite it with --force") from error
    return receipt


def _without_key(value: Any) -> Any:
    return _REDACTOR.text(value) if isinstance(value, str) else value


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="ascii") == text
    except (OSError, ValueError):
        return False
