"""The pages of signing in: plain HTML without a script, which nothing can be put into and no other page can frame."""

from __future__ import annotations

import base64
import hashlib
from html import escape

import falcon

from orvideo.api.urls import Origin

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem;
  color: light-dark(#1b1f27, #e9e7e1); background: light-dark(#fbfaf7, #16181d); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .25rem 0 1rem; overflow-wrap: anywhere; }
.mark { margin: 0; font-size: .9375rem; color: light-dark(#5a4b16, #e6c65c); }
.quiet { font-size: .9375rem; color: light-dark(#50555f, #b3b6bd); }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.75rem 0; }
button { font: inherit; font-weight: 600; padding: .625rem 1.5rem; min-height: 2.75rem; border-radius: .5rem;
  cursor: pointer; border: 2px solid light-dark(#1d4f91, #8db9f2); background: transparent;
  color: light-dark(#1d4f91, #8db9f2); }
button.first { background: light-dark(#1d4f91, #8db9f2); color: light-dark(#ffffff, #10141c); }
button:focus-visible, code:focus-visible { outline: 3px solid light-dark(#b25d00, #ffb454); outline-offset: 3px; }
code { display: block; padding: .75rem 1rem; border-radius: .5rem; overflow-wrap: anywhere; user-select: all;
  font: 1.0625rem/1.5 ui-monospace, monospace; background: light-dark(#eceae3, #262a33); }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def protect(resp: falcon.Response, leads_to: Origin | None = None) -> None:
    """Set what keeps a page to itself; a form may lead on to `leads_to`, by the redirect that answers it."""
    allowed = "'self'" if leads_to is None else f"'self' {_source(leads_to)}"
    resp.set_header(
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {allowed}; "
        "frame-ancestors 'none'; base-uri 'none'",
    )
    resp.set_header("X-Frame-Options", "DENY")
    resp.set_header("X-Content-Type-Options", "nosniff")
    resp.set_header("Cross-Origin-Opener-Policy", "same-origin")
    resp.set_header("Referrer-Policy", "same-origin")
    resp.set_header("Cache-Control", "no-store")


def _source(origin: Origin) -> str:
    # The policy's grammar has no IPv6 addresses.
    return f"{origin.scheme}:" if ":" in origin.host else origin.url


def show(resp: falcon.Response, body: str, *, status: int = 200, leads_to: Origin | None = None) -> None:
    """Answer with a page."""
    protect(resp, leads_to)
    resp.status = status
    resp.content_type = "text/html; charset=utf-8"
    resp.text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Sign in - orvideo sandbox</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        '<p class="mark">orvideo sandbox: a rehearsal, with no account and no money behind it</p>\n'
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def question(token: str, label: str, origin: Origin | None) -> str:
    """Return the page that asks."""
    who = f"<bdi>{escape(label)}</bdi>" if label else "A program"
    where = (
        f"If you allow it, your browser goes on to {escape(origin.url)}, which gets a code for the key."
        if origin is not None
        else "If you allow it, you are shown a code to copy into the program."
    )
    return (
        f"<h1>{who} asks for a key</h1>\n"
        f"<p>With the key it can use the API of this sandbox. {where}</p>\n"
        '<form method="post" action="/auth">\n'
        f'<input type="hidden" name="token" value="{escape(token)}">\n'
        '<button class="first" name="answer" value="allow">Allow</button>\n'
        '<button name="answer" value="deny">Deny</button>\n'
        "</form>\n"
        '<p class="quiet">Did you not start this yourself? Then deny it.</p>'
    )


def code(text: str) -> str:
    """Return the page that shows a code to be copied."""
    return (
        '<h1 id="what">Your code</h1>\n'
        f'<code id="code" tabindex="0" aria-labelledby="what">{escape(text)}</code>\n'
        "<p>Copy it into the program that asked for it. It works once, for 10 minutes.</p>\n"
        '<p class="quiet">Then you can close this page.</p>'
    )


def refused() -> str:
    """Return the page after a no."""
    return "<h1>Denied</h1>\n<p>No key was given out. You can close this page.</p>"


def problem(told: str) -> str:
    """Return the page that says why there is nothing to allow."""
    return f"<h1>This does not work</h1>\n<p>{escape(told)}</p>"
