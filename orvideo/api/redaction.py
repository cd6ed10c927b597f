"""Checking the API key, and removing it from everything that is shown or written down."""

from __future__ import annotations

import re
from typing import Any

from orvideo.api.payload import each_text
from orvideo.errors import AuthError

MASK = "[key hidden]"
_ANY_KEY = re.compile(r"sk-or-v1-[0-9A-Za-z_-]{6,}")
_ANY_KEY_RAW = re.compile(_ANY_KEY.pattern.encode("ascii"))
#: A shorter "key" would also be found in innocent words.
_SHORTEST_EXACT = 8


def check_key(key: str) -> str:
    """Return the key if it can be a header's value, else raise AuthError without repeating it (drill K02)."""
    if key and key.isascii() and key.isprintable() and " " not in key:
        return key
    wrong = "is empty" if not key.strip() else "has a character in it that no key has (a space, a line end, a quote)"
    raise AuthError(f"The API key {wrong}; nothing was sent.", hint="orvideo config set api-key")


class Secret:
    """A text that no representation of an object shows (drill K13)."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret()"

    def reveal(self) -> str:
        return self._text


class Redactor:
    """Takes the key, and whatever looks like one, out of what a server sent (drill K05)."""

    def __init__(self, key: str | None) -> None:
        self._key = key if key is not None and len(key) >= _SHORTEST_EXACT else None
        # Encoded here, not when an answer has come: loading a codec reads the disk, and an answer must be recorded
        # at once.
        encodings = ("utf-8", "utf-16-le", "utf-16-be") if self._key is not None else ()
        self._masked = [((self._key or "").encode(encoding), MASK.encode(encoding)) for encoding in encodings]

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, text: str) -> str:
        """Return `text` without the key."""
        if self._key is not None:
            text = text.replace(self._key, MASK)
        return _ANY_KEY.sub(MASK, text)

    def raw(self, data: bytes) -> bytes:
        """Return `data` without the key, whether it is there as UTF-8 or as UTF-16."""
        for key, mask in self._masked:
            data = data.replace(key, mask)
        return _ANY_KEY_RAW.sub(MASK.encode("ascii"), data)

    def value(self, value: Any) -> Any:
        """Take the key out of every text in parsed JSON, in place; escapes may have hidden one from `raw`."""
        return each_text(value, self.text)
