"""A shell for tests: the real `main()` in this process, or the installed script in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orvideo.api.transport import Limits
from orvideo.cli import main
from orvideo.clock import Clock
from orvideo.environment import Environment

#: The key of every test that needs one. Its tail must never be seen in any output.
KEY = "sk-or-v1-0123456789abcdef-canary"

SCRIPT = Path(sysconfig.get_path("scripts")) / "orvideo"
#: What starts the installed command: on Windows the script is a program that is made when the package is installed.
COMMAND = [sys.executable, "-m", "orvideo"] if sys.platform == "win32" else [str(SCRIPT)]

#: How this machine reaches an index of packages; the tests themselves reach nothing (`conftest`).
CERTIFICATES = {name: value for name, value in os.environ.items() if name.startswith("SSL_CERT_")}

#: Put before what is installed: it hides click, which is here for other tests and would slow down every process.
ALONE = Path(__file__).with_name("installed_alone")


def own_folders(home: Path) -> dict[str, str]:
    """Return the variables that put all that orvideo keeps below a home, where XDG's variables mean nothing."""
    return {f"ORVIDEO_{name}_DIR": str(home / name.lower() / "orvideo") for name in ("CONFIG", "STATE", "CACHE")}


@dataclass(frozen=True)
class Result:
    """How a command ended: its exit code, and its two streams as text."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object that --json promises on stderr."""
        return json.loads([line for line in self.err.splitlines() if line.startswith('{"error"')][-1])["error"]


class Stream(io.TextIOWrapper):
    """A text stream over memory that may claim to be a terminal."""

    def __init__(self, data: bytes = b"", *, tty: bool = False) -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8", errors="surrogateescape", newline="", write_through=True)
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]


@dataclass
class Person:
    """Sits at the controlling terminal, types `reply` when asked, and remembers what was `asked`."""

    reply: str
    asked: list[str] = field(default_factory=list)

    def sit(self) -> tuple[io.StringIO, io.StringIO]:
        return io.StringIO(self.reply), Screen(self.asked)


class Screen(io.StringIO):
    """Puts what was written to it into a list when it is closed."""

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self._seen = seen

    def close(self) -> None:
        if not self.closed:
            self._seen.append(self.getvalue())
        super().close()


@dataclass
class Shell:
    """Runs orvideo with an environment of its own under `home`; nothing of this machine's is seen by it."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    limits: Limits | None = None
    platform: str = sys.platform

    def __post_init__(self) -> None:
        self.environ = {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "COLUMNS": "80",
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ALONE),
            # Nowhere: a test that reaches for the real service fails at once instead of spending money.
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1,localhost",
            "ORVIDEO_SANDBOX_SPEED": "1000000",
            # Nobody's keyring: a test that has one says so.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            **self.environ,
        }
        if sys.platform == "win32":  # HOME and XDG mean nothing there: it must not reach the person's own (finding W27)
            self.environ |= {
                "USERPROFILE": str(self.home),
                # The command is a module there (COMMAND): that of this checkout, whichever is installed.
                "PYTHONPATH": os.pathsep.join((str(ALONE), str(ALONE.parents[1]))),
                "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
                # Which processor it is, Python reads there.
                "PROCESSOR_ARCHITECTURE": os.environ.get("PROCESSOR_ARCHITECTURE", ""),
                **own_folders(self.home),
            }

    def __call__(
        self,
        *argv: str,
        stdin: str | bytes = "",
        tty: bool = False,
        env: Mapping[str, str] | None = None,
        person: Person | None = None,
    ) -> Result:
        """Run the real `main()` in this process; `tty` makes all three streams claim to be a terminal.

        `person` sits at the controlling terminal, wherever the three streams lead.
        """
        data = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = Stream(tty=tty), Stream(tty=tty)
        environment = Environment(
            {**self.environ, **(env or {})}, Stream(data, tty=tty), out, err, self.clock, self.limits,
            person.sit if person is not None else lambda: None, self.platform,
        )  # fmt: skip
        code = main(list(argv), environment)
        return Result(int(code), out.text(), err.text())

    def process(
        self,
        *argv: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 240,
    ) -> Result:
        """Run the installed script in a process of its own, with pipes for streams."""
        done = subprocess.run(
            [*COMMAND, *argv],
            input=stdin,
            capture_output=True,
            env={**self.environ, **(env or {})},
            cwd=cwd or self.home,
            timeout=timeout,
            check=False,
            start_new_session=True,  # it has no controlling terminal: whoever runs the tests is not asked
        )
        return Result(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def popen(self, *argv: str, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        """Start the installed script and hand out the process: for signals, pipes and terminals."""
        return subprocess.Popen(
            [*COMMAND, *argv], env={**self.environ, **(env or {})}, cwd=more.pop("cwd", self.home), **more
        )
