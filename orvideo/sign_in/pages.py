"""The pages that the browser ends on: plain HTML without a script, with nothing from elsewhere in it."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import NamedTuple

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem;
  color: light-dark(#1b1f27, #e9e7e1); background: light-dark(#fbfaf7, #16181d); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 1rem; }
p { overflow-wrap: anywhere; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
)


class Page(NamedTuple):
    """A page and its HTTP status."""

    status: int
    body: bytes


def done() -> Page:
    """Return the page after a key was stored."""
    return _page(
        200, "You are signed in", "orvideo has its key now. You can close this page and go back to the terminal."
    )


def failed(told: str) -> Page:
    """Return the page that says why no key was stored."""
    return _page(400, "You are not signed in", f"{told} You can close this page; the terminal says what to do.")


#: What was wrong with a request that is not the browser's return, by its status.
_REFUSED = {
    400: "This is no request that can be read.",
    403: "This address is not reached by that name.",
    404: "There is nothing here.",
    405: "This address is only opened.",
    431: "This request is too large.",
}


def refused(status: int) -> Page:
    """Return the page for whoever came by mistake, or to try the door."""
    return _page(status, "Nothing to see", _REFUSED.get(status, _REFUSED[400]))


def _page(status: int, title: str, text: str) -> Page:
    html = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} - orvideo</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n</main>\n</body>\n</html>\n"
    )
    return Page(status, html.encode("utf-8", "replace"))
