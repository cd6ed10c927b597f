"""The cache of the catalogue: a JSON file, which TAB completion reads with the standard library alone.

The file is `{"version": 1, "fetched_at": "<ISO 8601, UTC>", "models": [<the service's own entries>]}`. Any other
content counts as no cache.
"""

from __future__ import annotations

import json
import os
import re
import stat

TYPE_CHECKING = False  # TAB completion waits for the imports here: typing is not among them
if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Any

_VERSION = 1
_MAX_BYTES = 32 * 1024 * 1024


class Cached:
    """The cached entries as the service sent them, and when that was (UTC)."""

    def __init__(self, fetched_at: datetime, models: list[Any]) -> None:
        self.fetched_at = fetched_at
        self.models = models


def file_name(endpoint: str) -> str:
    """Return the name of the cache file for a base URL, or for `sandbox`."""
    return (
        "models-" + re.sub(r"[^A-Za-z0-9.]+", "-", endpoint.partition("://")[2] or endpoint)[:100].strip("-") + ".json"
    )


def read(path: Path | str) -> Cached | None:
    """Return the cached entries, None when there are none. Never raises, and never blocks on a FIFO."""
    from datetime import UTC, datetime

    try:
        data = _document(path)
        fetched_at = datetime.fromisoformat(data["fetched_at"]).astimezone(UTC)
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    models = data.get("models")
    return Cached(fetched_at, models) if isinstance(models, list) and models else None


def entries(path: Path | str) -> list[dict[str, Any]]:
    """Return the cached model entries that have an id, for completion; empty when there is no cache."""
    try:
        models = _document(path).get("models")
    except (OSError, ValueError, RecursionError):
        return []
    found = models if isinstance(models, list) else []
    return [item for item in found if isinstance(item, dict) and isinstance(item.get("id"), str)]


def _document(path: Path | str) -> dict[str, Any]:
    """Return the parsed file. Raises OSError, ValueError or RecursionError for any other content."""
    data = json.loads(_bytes(path))
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ValueError("not a catalogue of this version")
    return data


def _bytes(path: Path | str) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode):  # a FIFO is not waited for
        raise ValueError("not a regular file")
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ValueError("too large to be a catalogue")
    return data


def write(path: Path, models: list[Any], fetched_at: datetime) -> bool:
    """Replace the cache atomically; return False when it cannot be written."""
    from orvideo.files import make_private_folder, write_atomically

    # ASCII, because a lone surrogate in a description cannot be written as UTF-8.
    text = json.dumps({"version": _VERSION, "fetched_at": fetched_at.isoformat(), "models": models})
    try:
        make_private_folder(path.parent)
        write_atomically(path, text.encode("ascii"), mode=0o600, durable=False)
    except OSError:
        return False
    return True
