"""Whether a browser here can come back to this program, and opening an address in it."""

from __future__ import annotations

import subprocess
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

#: What docker and podman put into a container.
_OF_CONTAINERS = ("/.dockerenv", "/run/.containerenv")


def why_none(environ: Mapping[str, str], platform: str) -> str | None:
    """Return why there is no browser that could reach this machine's own ports, None where there may be one.

    A person who set BROWSER has one, unless they sit at another machine.
    """
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return "this is a session over ssh"
    if environ.get("BROWSER", "").strip():
        return None
    if environ.get("container") or any(map(_is_there, _OF_CONTAINERS)):
        return "this is a container"
    if platform.startswith("linux") and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return "there is no desktop here"
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return "there is no browser here"
    # One in the terminal would sit on top of this program.
    return "the only browser here is one of the terminal" if type(found) is webbrowser.GenericBrowser else None


def _is_there(path: str) -> bool:
    with suppress(OSError):
        return Path(path).exists()
    return False


def open_address(address: str, environ: Mapping[str, str]) -> bool:
    """Have the browser open an address, in a process that has no part in this one; return whether that was begun.

    `environ` is the browser's, which is to know no key. A browser may take as long as it likes, and say what it likes.
    """
    line = [sys.executable, "-I", "-m", "webbrowser", address]
    quiet = subprocess.DEVNULL
    try:
        subprocess.Popen(line, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    except OSError:
        return False
    return True
