"""One attempt to sign in: its secret, the address that a person opens, and the code that comes of it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import NamedTuple
from urllib.parse import urlencode

from orvideo.api.auth import METHOD
from orvideo.api.urls import origin_of

#: The service shows a name of so many characters.
LONGEST_LABEL = 80
_LONGEST_CODE = 512
#: What copying may add around a code.
_WRAPPING = "\"'`\u201c\u201d\u2018\u2019\u200b\ufeff"


class Attempt(NamedTuple):
    """The verifier proves that whoever brings the code is who asked for it (RFC 7636)."""

    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        return cls(secrets.token_urlsafe(64))

    def __repr__(self) -> str:
        return "Attempt()"

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def address(self, base_url: str, label: str, callback: str | None = None) -> str:
        """Return the page on which a person allows a key; without a callback it shows the code."""
        asked = {"callback_url": callback} if callback is not None else {}
        asked |= {"code_challenge": self.challenge, "code_challenge_method": METHOD, "key_label": label}
        return f"{origin_of(base_url).url}/auth?{urlencode(asked)}"


def clean_code(text: str) -> str | None:
    """Return the code in a text, without what copying adds around and in it; None for what can be none."""
    code = "".join(text.split()).strip(_WRAPPING)
    return code if 0 < len(code) <= _LONGEST_CODE and code.isascii() and code.isprintable() else None
