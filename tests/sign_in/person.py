"""Somebody who signs in: the real command in a process of its own, and a browser that is a script of the test."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.shell import COMMAND, Result, Shell

#: Longer than anything here takes, however busy the machine is.
PATIENCE = 240
#: Writes down what it is given and what it knows, when the port that it is to come back to can be reached.
_BROWSER = """
import os, socket, sys, urllib.parse
asked = urllib.parse.parse_qs(urllib.parse.urlsplit(sys.argv[1]).query)
back = urllib.parse.urlsplit(asked["callback_url"][0])
socket.create_connection((back.hostname, back.port), {patience}).close()
note = "\\n".join([sys.argv[1], *os.environ.values()])
with open({path!r} + ".new", "w", encoding="utf-8") as file:
    file.write(note)
os.rename({path!r} + ".new", {path!r})
"""


class Login:
    """A running `orvideo login`."""

    def __init__(self, process: subprocess.Popen[bytes], note: Path) -> None:
        self.process, self._note = process, note

    def _noted(self) -> list[str]:
        end = time.monotonic() + PATIENCE
        while not self._note.exists():
            assert self.process.poll() is None, self.done()
            assert time.monotonic() < end, "no browser was opened"
            time.sleep(0.02)
        return self._note.read_text(encoding="utf-8").splitlines()

    @property
    def address(self) -> str:
        """The page that was opened in the browser."""
        return self._noted()[0]

    @property
    def browsers_environment(self) -> list[str]:
        return self._noted()[1:]

    def asked(self, name: str) -> str:
        """Return what the address says of a name."""
        return parse_qs(urlsplit(self.address).query)[name][0]

    @property
    def callback(self) -> str:
        return self.asked("callback_url")

    @property
    def port(self) -> int:
        port = urlsplit(self.callback).port
        assert port is not None
        return port

    def come_back(self, query: str) -> httpx.Response:
        """Be the browser that comes back."""
        return httpx.get(f"{self.callback}?{query}", timeout=PATIENCE)

    def done(self) -> Result:
        out, err = self.process.communicate(timeout=PATIENCE)
        return Result(self.process.returncode, out.decode(), err.decode())


def browser(*arguments: str) -> str:
    """Return the value of BROWSER that runs Python, which splits it as a POSIX shell does on every system."""
    return f"{shlex.join([Path(sys.executable).as_posix(), *arguments])} %s"


@contextmanager
def signing_in(
    shell: Shell, base_url: str, *argv: str, env: Mapping[str, str] | None = None, through: Sequence[str] = ()
) -> Iterator[Login]:
    """Run `orvideo login`; what is still running at the end is killed. `through` is put before the command."""
    folder = shell.home / f"browser-{time.monotonic_ns()}"
    folder.mkdir()
    script, note = folder / "browser.py", folder / "note"
    script.write_text(_BROWSER.format(path=str(note), patience=PATIENCE), encoding="utf-8")
    environ = {**shell.environ, "ORVIDEO_BASE_URL": base_url, "BROWSER": browser(script.as_posix()), **(env or {})}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*through, *COMMAND, "login", *argv], env=environ, cwd=shell.home, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Login(process, note)
        finally:
            process.kill()


def press(answer: str, address: str) -> httpx.Response:
    """Press a button on the sandbox's page."""
    page = httpx.get(address, timeout=PATIENCE)
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None, page.text
    return httpx.post(address.partition("?")[0], data={"token": token[1], "answer": answer}, timeout=PATIENCE)


def allow(address: str) -> str:
    """Allow the key on the sandbox's page, and return where the browser is sent."""
    answer = press("allow", address)
    assert answer.status_code == 303
    return answer.headers["location"]


def shown_code(address: str) -> str:
    """Allow the key on the sandbox's page, and return the code that it shows."""
    shown = re.search(r'id="code"[^>]*>([^<]+)<', press("allow", address).text)
    assert shown is not None
    return shown[1]


def key_file(shell: Shell) -> Path:
    return shell.home / "config" / "orvideo" / "api-key.json"
