"""A keyring for tests, chosen as a person's is: PYTHON_KEYRING_BACKEND=tests.keyrings.FileRing, in a real process.

It keeps what it is given in the file that KEYRING_OF_TESTS names. Where that file has a word instead of a document, it
fails as a keyring does that is locked or broken.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

ROOT = Path(__file__).parent.parent


def variables(file: Path) -> dict[str, str]:
    """Return the variables that lead a process to this keyring."""
    path = os.pathsep.join([str(Path(__file__).with_name("installed_alone")), str(ROOT)])
    return {
        "PYTHON_KEYRING_BACKEND": "tests.keyrings.FileRing",
        "KEYRING_OF_TESTS": str(file),
        "PYTHONPATH": path,
    }


class FileRing(KeyringBackend):
    """Keeps secrets in a file."""

    priority = 5  # type: ignore[assignment]

    def _read(self) -> dict[str, str]:
        path = Path(os.environ["KEYRING_OF_TESTS"])
        content = path.read_text() if path.exists() else "{}"
        if content == "locked":
            raise KeyringLocked("locked, and sk-or-v1-secret-of-the-backend")
        if content == "broken":
            raise OSError("no bus, and sk-or-v1-secret-of-the-backend")
        kept: dict[str, str] = json.loads(content)
        return kept

    def _write(self, kept: dict[str, str]) -> None:
        Path(os.environ["KEYRING_OF_TESTS"]).write_text(json.dumps(kept))

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = self._read()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not there")
        self._write(kept)
