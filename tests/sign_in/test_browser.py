"""The whole sign-in in a real browser: orvideo opens it, a person presses the button, and it comes back by itself."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Start
from tests.sandbox.listener import listening
from tests.shell import Shell
from tests.sign_in.person import key_file, signing_in

pytestmark = browser.MARKS


def test_from_the_first_line_to_a_key_that_works(start: Start, orvideo: Shell, window: Browser, home: Path) -> None:
    base_url = start(key=None).sandbox.base_url
    with signing_in(orvideo, base_url, "--label", "<b>my laptop</b>") as login:
        # The browser that orvideo opens hands the address to the window that is driven.
        window.open(login.address)
        window.wait_for("<b>my laptop</b> asks for a key")
        window.click("button[value=allow]")
        window.wait_for("You are signed in")
        assert window.text("p").startswith("orvideo has its key now.")
        assert window.property("html", "lang") == "en"
        # Its own style is let through by its policy, in both schemes, and nothing else.
        light = window.colour("body", "background-color")
        window.picture(home / "light.png")
        window.dark()
        assert window.colour("body", "background-color") != light
        window.picture(home / "dark.png")
        done = login.done()
    assert done.code == 0, done.err
    stored = key_file(orvideo).read_text()
    assert "sk-or-v1-" in stored
    whoami = orvideo("whoami", env={"ORVIDEO_BASE_URL": base_url})
    assert (whoami.code, "<b>my laptop</b>" in whoami.out) == (0, True), whoami.err


def test_what_failed_is_said_in_the_browser(start: Start, orvideo: Shell, window: Browser) -> None:
    with signing_in(orvideo, start(key=None).sandbox.base_url) as login:
        window.open(f"{login.callback}?code=auth_code_of_somebody_else")
        window.wait_for("You are not signed in")
        assert "Invalid code or code_verifier" in window.text("p")
        assert login.done().code == 4
    assert not key_file(orvideo).exists()


def test_a_denied_key_ends_with_the_time(start: Start, orvideo: Shell, window: Browser) -> None:
    with signing_in(orvideo, start(key=None).sandbox.base_url, "--timeout", "60s") as login:
        window.open(login.address)
        window.click("button[value=deny]")
        window.wait_for("Denied")
        assert login.process.poll() is None
    assert not key_file(orvideo).exists()


def test_another_page_neither_reads_nor_frames_nor_ends_it(start: Start, orvideo: Shell, window: Browser) -> None:
    base_url = start(key=None).sandbox.base_url
    with listening() as evil, signing_in(orvideo, base_url) as login:
        window.open(evil.url)
        door = f"http://127.0.0.1:{login.port}/"
        read = window.run(f"return fetch('{door}?code=theirs').then(answer => answer.text(), () => 'not readable')")
        assert read == "not readable"
        window.run(
            "return new Promise(done => { const frame = document.createElement('iframe');"
            f"frame.onload = () => done(true); frame.src = '{door}'; document.body.append(frame); }})"
        )
        assert "Nothing to see" not in window.framed_source()
        window.run(
            f"const form = document.createElement('form'); form.method = 'post'; form.action = '{door}';"
            "document.body.append(form); form.submit();"
        )
        window.wait_for("Nothing to see")
        window.open(login.address)
        window.click("button[value=allow]")
        window.wait_for("You are signed in")
        assert login.done().code == 0


def test_where_there_is_no_callback_the_code_is_copied(start: Start, orvideo: Shell, window: Browser) -> None:
    with signing_in(orvideo, start(key=None).sandbox.base_url, "--no-browser") as login:
        assert login.process.stderr is not None
        assert login.process.stdin is not None
        login.process.stderr.readline()
        window.open(login.process.stderr.readline().decode().strip())
        window.click("button[value=allow]")
        window.wait_for("Your code")
        login.process.stdin.write(f"{window.text('#code')}\n".encode())
        done = login.done()
    assert done.code == 0, done.err
    assert "sk-or-v1-" in key_file(orvideo).read_text()
