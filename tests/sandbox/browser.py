"""A real browser for tests: chromium, driven through chromedriver's own HTTP protocol (W3C WebDriver)."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

#: What has to be there, and the Debian package that has it.
NEEDED = {"chromium": "chromium", "chromedriver": "chromium-driver"}
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # It is on this machine that the pages are; a proxy of the machine is none of its business.
    "--no-proxy-server",
    "--window-size=900,700",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing() -> list[str]:
    """Return the Debian packages that are not here."""
    return [package for program, package in NEEDED.items() if shutil.which(program) is None]


#: Of a test that drives the browser: it takes long, and says what it lacks.
MARKS = [
    pytest.mark.long,
    pytest.mark.skipif(bool(missing()), reason=f"no browser: apt-get install {' '.join(missing())}"),
]

#: Seconds until a page that should come is there, on a machine however busy.
_PATIENCE = 240


class NotThere(Exception):
    """What was asked of the page cannot be had: another page may just be coming."""


class Browser:
    """One window."""

    def __init__(self, driver: httpx.Client, session: str) -> None:
        self._driver, self._session = driver, session

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._driver.request(method, f"/session/{self._session}{path}", json=body)
        value = answer.json()["value"]
        if answer.status_code != 200:
            raise NotThere(value["message"])
        return value

    def open(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        return str(self._call("GET", "/url"))

    @property
    def source(self) -> str:
        return str(self._call("GET", "/source"))

    def framed_source(self) -> str:
        """Return the source of the first frame of the page."""
        self._call("POST", "/frame", {"id": 0})
        source = self.source
        self._call("POST", "/frame", {"id": None})
        return source

    def text(self, selector: str) -> str:
        return str(self._call("GET", f"/element/{self._find(selector)}/text"))

    def wait_for(self, heading: str) -> None:
        """Wait for the page that has this heading; a click does not wait for the page that it leads to."""
        end = time.monotonic() + _PATIENCE
        seen = ""
        while seen != heading:
            assert time.monotonic() < end, seen
            with suppress(NotThere):
                seen = self.text("h1")
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        self._call("POST", f"/element/{self._find(selector)}/click", {})

    def property(self, selector: str, name: str) -> Any:
        return self._call("GET", f"/element/{self._find(selector)}/property/{name}")

    def label(self, selector: str) -> str:
        """Return an element's name as a screen reader says it."""
        return str(self._call("GET", f"/element/{self._find(selector)}/computedlabel"))

    def colour(self, selector: str, name: str) -> str:
        return str(self._call("GET", f"/element/{self._find(selector)}/css/{name}"))

    def run(self, script: str) -> Any:
        """Run a script in the page and return what it returns; the protocol is not held by the page's policy."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def hover(self, selector: str) -> None:
        """Move the pointer to the middle of an element."""
        origin = {_ELEMENT: self._find(selector)}
        self._act("pointer", [{"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin}])

    def press(self, *keys: str) -> None:
        """Press keys one after the other, where the focus is."""
        self._act("key", [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")])

    def _act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        self._call("POST", "/actions", {"actions": [{"type": kind, "id": kind, "actions": actions}]})

    def complaints(self) -> list[str]:
        """Return what the browser has had to complain of since it was asked last: errors, breaches of a policy."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def until(self, script: str) -> Any:
        """Run a script until what it returns is true, and return that."""
        end = time.monotonic() + _PATIENCE
        while not (found := self.run(script)):
            assert time.monotonic() < end, script
            time.sleep(0.05)
        return found

    def as_phone(self) -> None:
        """Let the window be a phone's from now on."""
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        self._call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": size})

    def dark(self) -> None:
        """Let the person prefer dark pages from now on."""
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        self._call(
            "POST",
            "/goog/cdp/execute",
            {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}},
        )

    def picture(self, path: Path) -> None:
        """Save what is seen."""
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))

    def _find(self, selector: str) -> str:
        return str(self._call("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT])


@contextmanager
def opened(profile: Path) -> Iterator[Browser]:
    """Open a browser with an empty profile, and close it and its driver."""
    with _driver() as url, httpx.Client(base_url=url, timeout=240, trust_env=False) as driver:
        options = {"args": [*_FLAGS, f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        begun = driver.post("/session", json=wanted).json()["value"]
        assert "sessionId" in begun, begun
        session = begun["sessionId"]
        try:
            yield Browser(driver, session)
        finally:
            driver.delete(f"/session/{session}")


@contextmanager
def _driver() -> Iterator[str]:
    """Run chromedriver and yield its address; one that another driver took the port from is started again."""
    for _ in range(5):
        with subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                if (url := _address(process)) is not None:
                    yield url
                    return
            finally:
                process.terminate()
    raise AssertionError("chromedriver did not start")


def _address(process: subprocess.Popen[str]) -> str | None:
    """Return where it listens, None where it has ended."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"started successfully on port (\d+)", line):
            return f"http://127.0.0.1:{found[1]}"
    return None
