"""Signing in over plain HTTP: the page, the code and the key; `test_sign_in_browser` presses the buttons."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.sandbox.conftest import Caller, Start, Turned

#: The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "http://127.0.0.1:49152/nonce?kept=1"
S256 = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


class Visitor:
    """Somebody at the page, without a browser."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        base = urlsplit(caller.sandbox.base_url)
        self.origin = f"{base.scheme}://{base.netloc}"

    def open(self, **link: str) -> httpx.Response:
        return httpx.get(f"{self.origin}/auth", params=link, timeout=240)

    def press(self, answer: str, page: httpx.Response, **headers: str) -> httpx.Response:
        token = re.search(r'name="token" value="([^"]+)"', page.text)
        assert token is not None, page.text
        data = {"token": token[1], "answer": answer}
        return httpx.post(f"{self.origin}/auth", data=data, headers=headers, timeout=240)

    def code(self, **link: str) -> str:
        """Return the code that a link without a callback shows in the end."""
        shown = re.search(r'id="code"[^>]*>([^<]+)<', self.press("allow", self.open(**link)).text)
        assert shown is not None
        return shown[1]

    def exchange(self, code: Any, verifier: Any = VERIFIER, method: Any = "S256") -> httpx.Response:
        body = {"code": code, "code_verifier": verifier, "code_challenge_method": method}
        given = {name: value for name, value in body.items() if value is not None}
        # json.dumps keeps half a surrogate as an escape, which httpx does not.
        return httpx.post(f"{self.caller.sandbox.base_url}/auth/keys", content=json.dumps(given), timeout=240)


@pytest.fixture
def visitor(start: Start, turned: Turned) -> Visitor:
    return Visitor(start(clock=turned.clock(), key=None))


def said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


NO_CODE = (403, "Invalid code or code_verifier")
NO_METHOD = (400, "Invalid code_challenge_method")


def test_from_the_link_to_a_key_that_works(visitor: Visitor) -> None:
    page = visitor.open(callback_url=CALLBACK, key_label="my laptop", state="abc", **S256)
    assert page.status_code == 200
    assert "my laptop" in page.text
    assert "http://127.0.0.1:49152" in page.text
    gone = visitor.press("allow", page, Origin=visitor.origin)
    assert gone.status_code == 303
    to = re.fullmatch(re.escape(CALLBACK) + r"&code=([A-Za-z0-9_]+)", gone.headers["location"])
    assert to is not None  # and no state: it is not echoed
    answer = visitor.exchange(to[1])
    assert answer.status_code == 200
    assert set(answer.json()) == {"key", "user_id"}
    key = answer.json()["key"]
    assert re.fullmatch(r"sk-or-v1-[0-9a-f]{64}", key)
    headers = {"Authorization": f"Bearer {key}"}
    base = visitor.caller.sandbox.base_url
    assert httpx.get(f"{base}/key", headers=headers, timeout=240).json()["data"]["label"] == "my laptop"
    assert said(visitor.exchange(to[1])) == NO_CODE  # once


@pytest.mark.long
def test_a_code_and_its_verifier_belong_together(visitor: Visitor) -> None:
    code = visitor.code(**S256)
    assert said(visitor.exchange("auth_code_other")) == NO_CODE
    for verifier in ("wrong", CHALLENGE, "", None, "\ud800"):
        assert said(visitor.exchange(code, verifier)) == NO_CODE
    for method in ("plain", "s256", "S512", None):
        assert said(visitor.exchange(code, method=method)) == NO_METHOD
    for body in ({"code": 1}, {"code": None}, {"verifier": 1, "code": "x"}, {"code": "x", "method": 7}):
        assert visitor.exchange(**body).status_code == 400
    assert visitor.exchange(code).status_code == 200


def test_plain_and_no_challenge_at_all(visitor: Visitor) -> None:
    code = visitor.code(code_challenge="a secret", code_challenge_method="plain")
    assert said(visitor.exchange(code, "another", "plain")) == NO_CODE
    assert visitor.exchange(code, "a secret", "plain").status_code == 200
    code = visitor.code(code_challenge="a secret")
    assert said(visitor.exchange(code, "another", None)) == NO_CODE
    assert visitor.exchange(code, "a secret", None).status_code == 200
    assert visitor.exchange(visitor.code(), None, None).status_code == 200


def test_a_code_lives_ten_minutes(visitor: Visitor, turned: Turned) -> None:
    one, other = visitor.code(**S256), visitor.code(**S256)
    turned.turn(599)
    assert visitor.exchange(one).status_code == 200
    turned.turn(1)
    assert said(visitor.exchange(other)) == (403, "Authorization code expired")


def test_a_callback_with_a_fragment_gets_its_code_in_the_query(visitor: Visitor) -> None:
    gone = visitor.press("allow", visitor.open(callback_url="https://example.com/a#top"))
    assert re.fullmatch(r"https://example\.com/a\?code=\w+#top", gone.headers["location"])


def test_a_denied_wish_gives_nothing(visitor: Visitor) -> None:
    answer = visitor.press("deny", visitor.open(callback_url=CALLBACK))
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert "Denied" in answer.text
    assert "auth_code" not in answer.text


@pytest.mark.long
@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost@example.com/",
        "javascript:alert(1)",
        "ftp://localhost/",
        "//localhost/",
        "http://localhost\\@example.com/",
        "http://local host/",
        "myapp://callback",
    ],
)
def test_where_no_code_is_sent_to(visitor: Visitor, url: str) -> None:
    page = visitor.open(callback_url=url)
    assert page.status_code == 400
    assert "callback_url" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize("url", ["http://localhost:3000/cb", "http://[::1]:3000/", "https://example.com/"])
def test_where_a_code_is_sent_to(visitor: Visitor, url: str) -> None:
    gone = visitor.press("allow", visitor.open(callback_url=url))
    assert gone.headers["location"].startswith(f"{url}?code=")


def test_an_unknown_method_is_said_on_the_page(visitor: Visitor) -> None:
    page = visitor.open(code_challenge="x", code_challenge_method="S512")
    assert (page.status_code, "code_challenge_method" in page.text) == (400, True)


def test_nothing_of_a_link_becomes_markup_and_no_page_frames_it(visitor: Visitor) -> None:
    label = "<script>alert(1)</script>\u202e\"'&" + "x" * 200
    page = visitor.open(key_label=label, callback_url="http://127.0.0.1:1/<b>")
    assert "<script" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;" in page.text
    assert "\u202e" not in page.text
    assert "x" * 80 not in page.text
    for answer in (page, visitor.press("allow", page), visitor.open(callback_url="nothing")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
    assert "form-action 'self' http://127.0.0.1:1;" in page.headers["content-security-policy"]
    assert not re.search(r"(src|href)=|url\(|@import", page.text)


@pytest.mark.long
def test_the_button_is_pressed_on_the_page_and_once(visitor: Visitor) -> None:
    page = visitor.open()
    assert visitor.press("allow", page, Origin="https://evil.example").status_code == 403
    assert visitor.press("allow", page, Origin="null").status_code == 403
    assert visitor.press("allow", page).status_code == 200
    again = visitor.press("allow", page)
    assert (again.status_code, "auth_code" in again.text) == (403, False)
    for data in ({"answer": "allow"}, {"token": "guessed", "answer": "allow"}, {}):
        assert httpx.post(f"{visitor.origin}/auth", data=data, timeout=240).status_code == 403
    large = httpx.post(f"{visitor.origin}/auth", data={"token": "x" * 70_000}, timeout=240)
    assert large.status_code == 413


def test_only_so_much_is_remembered(visitor: Visitor) -> None:
    from orvideo.sandbox.sign_in import SignIn, Wish

    sign_in = SignIn(lambda: 0.0)
    wish = Wish(None, None, None, "")
    tokens = [sign_in.ask(wish) for _ in range(1001)]
    assert sign_in.answered(tokens[0]) is None
    assert sign_in.answered(tokens[1]) == wish


def test_the_official_sdk_exchanges_a_code(visitor: Visitor) -> None:
    from openrouter import OpenRouter

    with OpenRouter(api_key="none", server_url=visitor.caller.sandbox.base_url) as sdk:
        done = sdk.o_auth.exchange_auth_code_for_api_key(
            code=visitor.code(**S256), code_verifier=VERIFIER, code_challenge_method="S256"
        )
    assert done.key.startswith("sk-or-v1-")
    assert done.user_id
