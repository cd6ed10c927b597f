"""What every test stands on: no home, no real key, no network, no terminal width of this machine's."""

from __future__ import annotations

import compileall
import ipaddress
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import hypothesis.core
import pytest

from tests.processes import adopt_orphans, default_signals, left_behind
from tests.shell import Shell, own_folders

# A shared machine is slow at times, and a failure must say how to have it again.
hypothesis.settings.register_profile("orvideo", deadline=None, print_blob=True)


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


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        # Python itself may leave half a compiled file behind where no file may grow, as in the drills of a full disk.
        compileall.compile_dir(Path(__file__).parents[1] / "orvideo", quiet=2)
    # Compiling the tests takes each process many seconds: once is enough, also where Python is told to keep nothing.
    sys.dont_write_bytecode = False
    if config.getoption("numprocesses", None) and not list(Path(__file__).parent.glob("drills/__pycache__/*-pytest-*")):
        line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *config.args]
        subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    default_signals()
    adopt_orphans()
    hypothesis.settings.load_profile("orvideo")
    sys.addaudithook(_no_network)
    for name in list(os.environ):
        if name == "ORVIDEO_TEST_NODE_MODULES":  # where the TypeScript SDK is, if it is
            continue
        if name.startswith(("OPENROUTER_", "ORVIDEO_", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS"):
            del os.environ[name]
    os.environ["HOME"] = "/nonexistent-home-of-the-tests"
    if sys.platform == "win32":  # which asks no HOME: the person's own is never reached (finding W27)
        os.environ |= own_folders(Path("Z:/nonexistent-home-of-the-tests"))
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip on Windows what asks for another system, each test with its reason."""
    if sys.platform != "win32":
        return
    reasons: dict[str, str] = {}
    reason = ""
    for line in Path(__file__).with_name("platforms").joinpath("windows_skips.txt").read_text().splitlines():
        if line.startswith("    "):
            reasons[line.strip()] = reason
        elif not line.startswith("#"):
            reason = line
    for item in items:
        found = reasons.get(item.nodeid) or reasons.get(item.nodeid.partition("[")[0])
        if found:
            item.add_marker(pytest.mark.skip(reason=found))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Let the seed of the order be Hypothesis' seed too: a test's examples then do not depend on what ran before it."""
    if hypothesis.core.global_force_seed is None:
        hypothesis.core.global_force_seed = session.config.getoption("randomly_seed", None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    # pytest-randomly says it in the header, which -q leaves out.
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"seed of the order and of Hypothesis: --randomly-seed={seed}")


@pytest.fixture(scope="session", autouse=True)
def _no_certificates() -> None:
    """Spare httpx reading all of the world's certificates for each request: tests talk to this machine alone."""
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = os.environ["HOME"]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Fail a test that leaves a process behind, or a signal that is handled otherwise than before."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    before = left_behind(())
    yield
    after = {one: signal.getsignal(one) for one in handlers}
    default_signals()
    left = left_behind(before, patience=5)
    assert not left, f"the test left processes behind, which were killed: {left}"
    assert after == handlers, "a signal is handled otherwise than before"


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
