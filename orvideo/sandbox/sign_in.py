"""Signing in: the page on which a person allows a program to have a key, and the call that turns its code into one.

As OAuth with PKCE at the service (api notes, "Signing in"): no client id, no secret, and `state` is not echoed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, urlsplit

import falcon

from orvideo.api.urls import Origin, origin_of
from orvideo.errors import Unsafe
from orvideo.sandbox import sign_in_page as page
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.validation import parse

#: How long a code can be turned into a key, in seconds.
CODE_SECONDS = 600
METHODS = ("S256", "plain")
_USER = "user_orvideosandbox"
#: How many open pages, codes and keys are remembered; the oldest go first.
_MOST = 1000
_LARGEST_FORM = 64 * 1024

T = TypeVar("T")


class Wish(NamedTuple):
    """What a program asks for by the link it opens; `callback` None has the code shown."""

    callback: str | None
    challenge: str | None
    method: str | None
    label: str

    @property
    def origin(self) -> Origin | None:
        """Where the browser goes with the code."""
        return None if self.callback is None else origin_of(self.callback)

    def proves(self, verifier: str) -> bool:
        """Say whether a verifier is the one that the challenge was made of; without a challenge any is."""
        if self.challenge is None:
            return True
        made = _s256(verifier) if self.method == "S256" else verifier
        return hmac.compare_digest(made.encode("utf-8", "replace"), self.challenge.encode("utf-8", "replace"))


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("utf-8", "replace")).digest()).rstrip(b"=").decode()


class SignIn:
    """What was asked for and allowed, in memory: a code dies with its sandbox."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open: dict[str, Wish] = {}
        self._codes: dict[str, tuple[Wish, float]] = {}
        self._labels: dict[str, str] = {}

    def ask(self, wish: Wish) -> str:
        """Remember what a page shows, and return the token that its buttons carry: nobody else has it."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            _remember(self._open, token, wish)
        return token

    def answered(self, token: str) -> Wish | None:
        """Return what a page showed, once; None where there is no such page any more."""
        with self._lock:
            return self._open.pop(token, None)

    def code(self, wish: Wish) -> str:
        """Return a new code for what was allowed."""
        code = f"auth_code_{secrets.token_hex(16)}"
        with self._lock:
            _remember(self._codes, code, (wish, self._now() + CODE_SECONDS))
        return code

    def exchange(self, code: str, verifier: str, method: str | None) -> str:
        """Return a new key for a code, which is then used up. Raises Refusal 400 and 403 in the service's words."""
        with self._lock:
            wish, until = self._codes.get(code, (None, 0.0))
            if method not in (None, *METHODS) or (wish is not None and wish.method != method):
                raise Refusal(400, "Invalid code_challenge_method")
            if wish is None or not wish.proves(verifier):
                raise Refusal(403, "Invalid code or code_verifier")
            if self._now() >= until:
                raise Refusal(403, "Authorization code expired")
            del self._codes[code]
            key = f"sk-or-v1-{secrets.token_hex(32)}"
            _remember(self._labels, key, wish.label)
        return key

    def label(self, authorization: str | None) -> str | None:
        """Return the label of the key in an Authorization header, None where none was asked for."""
        with self._lock:
            return self._labels.get((authorization or "").rpartition(" ")[2]) or None


def _remember(kept: dict[str, T], name: str, value: T) -> None:
    kept[name] = value
    if len(kept) > _MOST:
        del kept[next(iter(kept))]


class AuthPage:
    """`GET /auth`: the page with the two buttons; `POST /auth`: one of them was pressed."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        try:
            wish = _wish(req)
        except ValueError as problem:
            page.show(resp, page.problem(str(problem)), status=400)
            return
        page.show(resp, page.question(self._sign_in.ask(wish), wish.label, wish.origin), leads_to=wish.origin)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        # A browser says where a form comes from: no other page presses the button, whatever it could read.
        if req.get_header("Origin") not in (None, req.prefix):
            page.show(resp, page.problem("Another page pressed this button, which is not allowed."), status=403)
            return
        form = _form(req)
        wish = self._sign_in.answered(form.get("token", ""))
        if wish is None:
            told = "This page was answered already, or is too old. Start again in the program that opened it."
            page.show(resp, page.problem(told), status=403)
        elif form.get("answer") != "allow":
            page.show(resp, page.refused())
        elif wish.callback is None:
            page.show(resp, page.code(self._sign_in.code(wish)))
        else:
            resp.status = 303
            resp.set_header("Location", _with_code(wish.callback, self._sign_in.code(wish)))
            page.protect(resp)


class AuthKeys:
    """`POST /auth/keys`: a code and its verifier give a key."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = parse(_read(req))
        resp.media = {"key": self._exchange(body), "user_id": _USER}

    def _exchange(self, body: dict[str, Any]) -> str:
        given = {name: body.get(name) for name in ("code", "code_verifier", "code_challenge_method")}
        for name, value in given.items():
            if value is not None and not isinstance(value, str):
                raise Refusal(400, f"Invalid input: {name}: expected string")
        if given["code"] is None:
            raise Refusal(400, "Invalid input: code: Required")
        return self._sign_in.exchange(given["code"], given["code_verifier"] or "", given["code_challenge_method"])


def _wish(req: falcon.Request) -> Wish:
    """Read the link. Raises ValueError with a sentence for the person who opened it."""
    given = {
        name: req.get_param(name) or None
        for name in ("callback_url", "code_challenge", "code_challenge_method", "key_label")
    }
    method = given["code_challenge_method"]
    if method not in (None, *METHODS):
        raise ValueError("The link asks for a code_challenge_method that there is not: S256 and plain are known.")
    if callback := given["callback_url"]:
        _check_callback(callback)
    return Wish(callback, given["code_challenge"], method, _label(given["key_label"] or ""))


def _check_callback(url: str) -> None:
    try:
        origin = origin_of(url)
    except Unsafe:
        raise ValueError("The link's callback_url is not an http or https URL that can be followed.") from None
    if origin.scheme == "http" and not origin.is_loopback:
        raise ValueError("The link's callback_url is plain http to another machine: the code could be read on its way.")


def _label(text: str) -> str:
    """Return a name that can be shown: printable, not long."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:80]


def _with_code(callback: str, code: str) -> str:
    """Return the callback with the code behind what its query already has."""
    parts = urlsplit(callback)
    query = f"{parts.query}&code={code}" if parts.query else f"code={code}"
    return falcon.uri.encode_check_escaped(parts._replace(query=query).geturl())


def _read(req: falcon.Request) -> bytes:
    if (req.content_length or 0) > _LARGEST_FORM:
        raise Refusal(413, "Request payload too large")
    raw: bytes = req.bounded_stream.read(_LARGEST_FORM)
    return raw


def _form(req: falcon.Request) -> dict[str, str]:
    text = _read(req).decode("ascii", "replace")
    return {name: values[-1] for name, values in parse_qs(text).items()}
