"""What the record keeps of a request and of a reply: no picture's data, and nothing that is a secret.

Imports neither SQLite nor pydantic, so that every module can import it.
"""

import binascii
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

_DATA_URL = re.compile(r"\s*data:(?P<type>[^,;\s]*)(?P<parameters>(?:;[^,;]*)*),", re.IGNORECASE)


def redact_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request fit to be written down: data URLs become their type, length and sha256 (drills J13, I08).

    A data URL anywhere but in the prompt becomes `{"data_url": {"type": "image/png", "bytes": 1234, "sha256": "…"}}`,
    length and sum being those of the decoded data; `redacted_media` finds them again. A number that JSON does not
    have becomes null.
    """
    # The prompt is a person's text, whatever it begins with; losing it would be the greater harm.
    return {str(key): value if key == "prompt" else map_values(value, _redact) for key, value in request.items()}


def map_values(value: Any, change: Callable[[Any], Any], dropped: Collection[str] = ()) -> Any:
    """Return JSON-like data with `change` applied to each text and number, and without the names in `dropped`.

    `dropped` has lower-case names; case does not matter in the data.
    """
    if isinstance(value, Mapping):
        items = ((str(name), item) for name, item in value.items() if str(name).casefold() not in dropped)
        return {name: map_values(item, change, dropped) for name, item in items}
    if isinstance(value, list | tuple):
        return [map_values(item, change, dropped) for item in value]
    return change(value)


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return {"data_url": dict(_described(value))} if _DATA_URL.match(value) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


@lru_cache(maxsize=8)  # the rows of a batch share the pictures of its line (R-B17); more than one request has
def _described(url: str) -> Mapping[str, Any]:
    """Return what a data URL is: media type, length and sum of the decoded data."""
    found = _DATA_URL.match(url)
    assert found is not None, "asked for data URLs only"
    content = unquote_to_bytes(url[found.end() :])
    if found["parameters"].casefold().endswith(";base64"):
        import base64  # of the few requests with data in them

        # Broken base64 is described as it stands: it is still not to be written down.
        with suppress(binascii.Error):
            content = base64.b64decode(content, validate=False)
    import hashlib  # it loads a library of ciphers, which a look at the record does without

    kind = found["type"].casefold() or "text/plain"
    return {"type": kind, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def redacted_media(request: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return where a request lacks the data it was sent with, as (`frame_images[0].image_url.url`, description).

    A request for which this is not empty cannot be submitted again without being given those files anew.
    """
    return list(_placeholders("", request))


def _placeholders(where: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, Mapping):
        described = value.get("data_url")
        if len(value) == 1 and isinstance(described, dict) and "sha256" in described:
            yield where, described
            return
        for key, item in value.items():
            yield from _placeholders(f"{where}.{key}" if where else str(key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _placeholders(f"{where}[{index}]", item)


def redact_extra(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reply had beyond what is modelled, without its signed `urls`: those are secrets (drill O17)."""
    cleaned: dict[str, Any] = map_values(extra, _redact, ("urls",))
    return cleaned
