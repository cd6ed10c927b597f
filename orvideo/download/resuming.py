"""What a later process needs to go on with a download: where it is kept, and what it must mean.

A state is only ever written for bytes that begin after it: it names the strong validator under which all bytes of the
`.part` came. A state without a validator says something else: the file is complete and checked, and only its last
step, the name, is missing.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from orvideo.record.values import ResumeState


class ResumeMemory(Protocol):
    """Keeps the resume state of one output; the record offers one, and a file beside the `.part` does as well."""

    def get(self) -> ResumeState | None: ...

    def set(self, state: ResumeState) -> None: ...

    def clear(self) -> None: ...


class Sidecar:
    """Keeps the resume state in `<part>.json`. A file that cannot be read or written only costs the resume."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self._path = part.with_name(part.name + ".json")

    def get(self) -> ResumeState | None:
        """Return the state, None for no file and for one that makes no sense."""
        try:
            with open(self._path, "rb") as file:
                found = json.loads(file.read(4096))
            etag, source, total = found["etag"], found["source"], found["total"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        if not (isinstance(etag, str | None) and isinstance(source, str | None) and isinstance(total, int | None)):
            return None
        return ResumeState(os.fspath(self._part), etag, source, total)

    def set(self, state: ResumeState) -> None:
        """Write the state in one step; there is never half of it."""
        text = json.dumps({"etag": state.etag, "source": state.source, "total": state.total})
        new = self._path.with_name(self._path.name + ".new")
        with suppress(OSError):
            new.unlink(missing_ok=True)
            with open(new, "x", encoding="ascii") as file:
                file.write(text)
            os.replace(new, self._path)

    def clear(self) -> None:
        with suppress(OSError):
            self._path.unlink()
