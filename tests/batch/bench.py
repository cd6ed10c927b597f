"""A batch against a sandbox of its own: what was sent is known to the byte, and the smallest film is made once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orvideo.record.ledger import Ledger
from orvideo.record.values import Record
from orvideo.sandbox.server import Sandbox
from tests.shell import KEY, Result, Shell

#: A job ends within a millisecond of its submit.
AT_ONCE = 1e6
#: The smallest film there is, in as few words as possible: $0.02.
SMALL = ("-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1", "-r", "480p", "-a", "16:9")
PRICE = 0.02


def rows(count: int, **more: Any) -> str:
    """Return that many rows that differ only in what a film does not show, so that one film serves them all."""
    return "".join(json.dumps({"prompt": "a boat", "user": f"row-{n}", **more}) + "\n" for n in range(1, count + 1))


@dataclass
class Bench:
    """A shell in an empty home, and the sandbox that it buys from."""

    shell: Shell
    home: Path
    sandbox: Sandbox

    def write(self, text: str | bytes, name: str = "rows.jsonl") -> Path:
        path = self.home / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def batch(self, *line: str, file: str = "rows.jsonl", stdin: str | bytes = "", tty: bool = False) -> Result:
        return self.shell("batch", file, *SMALL, *line, stdin=stdin, tty=tty)

    @property
    def received(self) -> list[dict[str, Any]]:
        """Every submit that the sandbox accepted."""
        return self.sandbox.received()

    def users(self) -> list[str]:
        return sorted(body["user"] for body in self.received)

    def records(self) -> list[Record]:
        """Everything on record, oldest first."""
        with Ledger(Path(self.shell.environ["XDG_STATE_HOME"]) / "orvideo" / "jobs.db") as ledger:
            return ledger.list()[::-1]


class SmallSandbox(Sandbox):
    """Has few threads, which take as long to start as all the rest."""

    threads = 5


def point(shell: Shell, sandbox: Sandbox) -> None:
    """Make a shell buy from this sandbox, as from any endpoint with a key."""
    shell.environ |= {"ORVIDEO_BASE_URL": sandbox.base_url, "OPENROUTER_API_KEY": KEY}


@contextmanager
def bench(
    shell: Shell, home: Path, faults: Sequence[str] = (), speed: float = AT_ONCE, kind: type[Sandbox] = SmallSandbox
) -> Iterator[Bench]:
    """Start a sandbox with these faults and point the shell at it."""
    with kind(home / "service", speed=speed, faults=faults) as sandbox:
        point(shell, sandbox)
        yield Bench(shell, home, sandbox)
        assert not sandbox.crashes
