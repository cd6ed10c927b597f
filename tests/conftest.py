"""What every test stands on: no home, no real key, no network, no terminal width of this machine's."""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

import pytest

from tests.shell import Shell


def _is_loopback(host: object) -> bool:
    if not isinstance(host, str) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name that cannot exist is what a drill about DNS uses.
        return host.endswith((".invalid", ".localhost"))


def _no_network(event: str, args: tuple[object, ...]) -> None:
    """Refuse every connection that would leave this machine, in every thread of the test process."""
    if event == "socket.connect":
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None
        if host is not None and not _is_loopback(host):
            raise RuntimeError(f"a test reached for the network: {address}")
    elif event == "socket.getaddrinfo" and not _is_loopback(args[0]):
        raise RuntimeError(f"a test reached for the network: {args[0]}")


def pytest_configure() -> None:
    sys.addaudithook(_no_network)
    for name in list(os.environ):
        if name.startswith(("OPENROUTER_", "ORVIDEO_", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS"):
            del os.environ[name]
    os.environ["HOME"] = "/nonexistent-home-of-the-tests"
    os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def orvideo(home: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command, in an empty home and an empty working directory."""
    monkeypatch.chdir(home)
    return Shell(home)
