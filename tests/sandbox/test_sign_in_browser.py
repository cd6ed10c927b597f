"""Signing in as a person does: in a real browser, with a program that listens for the code."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.listener import listening
from tests.sandbox.test_sign_in import S256, Visitor

pytestmark = browser.MARKS


def test_a_person_signs_in_with_a_browser(start: Start, window: Browser, tmp_path: Path) -> None:
    visitor = Visitor(start(key=None))

    def link(**given: str) -> str:
        return f"{visitor.origin}/auth?{urlencode({**S256, **given})}"

    with listening() as program:
        window.open(link(callback_url=f"{program.url}/nonce", key_label="<b>a label</b>"))
        window.wait_for("<b>a label</b> asks for a key")
        assert program.url in window.text("main")
        assert [window.label(f"button[value={one}]") for one in ("allow", "deny")] == ["Allow", "Deny"]
        assert window.property("html", "lang") == "en"
        # The page's own style is let through by its policy, in both schemes; what it does not know is not.
        light = window.colour("body", "background-color")
        window.picture(tmp_path / "light.png")
        window.dark()
        assert window.colour("body", "background-color") != light
        window.picture(tmp_path / "dark.png")
        window.click("button[value=allow]")
        window.wait_for("Heard")
        path = urlsplit(program.call().path)
        assert path.path == "/nonce"
        (code,) = parse_qs(path.query)["code"]
        assert visitor.exchange(code).status_code == 200

        window.open(link(callback_url=f"{program.url}/nonce"))
        window.click("button[value=deny]")
        window.wait_for("Denied")
        assert program.calls.empty()

        window.open(link())
        window.click("button[value=allow]")
        window.wait_for("Your code")
        assert window.label("#code") == "Your code"
        assert visitor.exchange(window.text("#code")).status_code == 200
        window.picture(tmp_path / "code.png")


def test_another_page_neither_frames_nor_reads_nor_presses(start: Start, window: Browser) -> None:
    visitor = Visitor(start(key=None))
    with listening() as program:
        window.open(program.url)
        assert program.call().path == "/"
        page = f"{visitor.origin}/auth"
        window.run(
            "return new Promise(done => { const frame = document.createElement('iframe');"
            f"frame.onload = () => done(true); frame.src = '{page}'; document.body.append(frame); }})"
        )
        assert "asks for a key" not in window.framed_source()
        read = window.run(f"return fetch('{page}').then(answer => answer.text(), () => 'not readable')")
        assert read == "not readable"
        window.run(
            f"const form = document.createElement('form'); form.method = 'post'; form.action = '{page}';"
            "document.body.append(form); form.submit();"
        )
        window.wait_for("This does not work")
