"""Receipts: beside a saved video, `<file>.json` with what it was made from and what it cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from orvideo.api.redaction import Redactor
from orvideo.download.disk import refused
from orvideo.download.naming import LONGEST, fit
from orvideo.errors import OutputExists
from orvideo.files import write_whole

#: A net under the caller's care: what must never be in a file that people pass on (drill O17).
_SECRET_NAMES = frozenset(("urls", "unsigned_urls", "polling_url", "callback_url", "authorization", "api_key"))
_REDACTOR = Redactor(None)


def receipt_path(path: Path) -> Path:
    """Return where a video's receipt goes."""
    return path.with_name(fit(path.name, LONGEST - 5) + ".json")


def write_receipt(path: Path, document: Mapping[str, Any], *, force: bool = False) -> Path:
    """Write the receipt of the video at `path` in one step and return its own path.

    The document is JSON values, Decimal and datetime. The same receipt may be written again; raises OutputExists where
    another file has the name, unless `force`, and OutputUnwritable.
    """
    receipt = receipt_path(path)
    text = json.dumps(_without_secrets(document), indent=2, default=_as_json, allow_nan=False) + "\n"
    with refused(receipt):
        try:
            # With the mode of any file of the person's: a receipt is passed on with its video.
            write_whole(receipt, text.encode("ascii"), replace=force)
        except FileExistsError as error:
            if not _holds(receipt, text):
                raise OutputExists(f"{receipt} exists already.", hint="overwrite it with --force") from error
    return receipt


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return _REDACTOR.text(value)
    if isinstance(value, Mapping):
        return {
            str(name): _without_secrets(item) for name, item in value.items() if str(name).lower() not in _SECRET_NAMES
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(item) for item in value]
    return value


def _as_json(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a receipt cannot hold a {type(value).__name__}")


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="ascii") == text
    except (OSError, ValueError):
        return False
