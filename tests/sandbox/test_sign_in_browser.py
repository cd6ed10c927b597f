"""Signing in as a person does: in a real browser, with a program that listens for the code."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.test_sign_in import S256, Visitor

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(browser.missing()), reason=f"no browser: apt-get install {' '.join(browser.missing())}"),
]


@contextmanager
def listening() -> Iterator[tuple[str, queue.Queue[str]]]:
    """Listen as a program that signs in does: yield its address, and the paths that it is asked for."""
    asked: queue.Queue[str] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "favicon" not in self.path:
                asked.put(self.path)
            body = b"<!DOCTYPE html><title>Done</title><h1>You are signed in</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Browser]:
    with browser.opened(tmp_path / "profile") as one:
        yield one


def test_a_person_signs_in_with_a_browser(start: Start, window: Browser, tmp_path: Path) -> None:
    visitor = Visitor(start(key=None))

    def link(**given: str) -> str:
        return f"{visitor.origin}/auth?{urlencode({**S256, **given})}"

    with listening() as (address, asked):
        window.open(link(callback_url=f"{address}/nonce", key_label="<b>a label</b>"))
        assert window.text("h1") == "<b>a label</b> asks for a key"
        assert address in window.text("main")
        assert [window.label(f"button[value={one}]") for one in ("allow", "deny")] == ["Allow", "Deny"]
        assert window.property("html", "lang") == "en"
        # The page's own style is let through by its policy, in both schemes; what it does not know is not.
        light = window.colour("body", "background-color")
        window.picture(tmp_path / "light.png")
        window.dark()
        assert window.colour("body", "background-color") != light
        window.picture(tmp_path / "dark.png")
        window.click("button[value=allow]")
        assert window.text("h1") == "You are signed in"
        path = urlsplit(asked.get(timeout=240))
        assert path.path == "/nonce"
        (code,) = parse_qs(path.query)["code"]
        assert visitor.exchange(code).status_code == 200

        window.open(link(callback_url=f"{address}/nonce"))
        window.click("button[value=deny]")
        assert window.text("h1") == "Denied"
        assert asked.empty()

        window.open(link())
        window.click("button[value=allow]")
        assert window.text("h1") == "Your code"
        assert window.label("#code") == "Your code"
        assert visitor.exchange(window.text("#code")).status_code == 200
        window.picture(tmp_path / "code.png")


def test_another_page_neither_frames_nor_reads_nor_presses(start: Start, window: Browser) -> None:
    visitor = Visitor(start(key=None))
    with listening() as (address, asked):
        window.open(address)
        assert asked.get(timeout=240) == "/"
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
        assert window.text("h1") == "This does not work"
