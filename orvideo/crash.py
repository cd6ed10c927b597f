"""Where the details of a bug go: a file that only its owner can read, without the key (drill K04)."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from orvideo import __version__

if TYPE_CHECKING:
    from orvideo.settings.resolving import Settings


def write_crash_report(bug: BaseException, settings: Settings) -> Path | None:
    """Write the traceback of `bug`, redacted, into the state directory; return where, None when that cannot be done."""
    try:
        from orvideo.api.redaction import Redactor

        text = "".join(traceback.format_exception(bug))
        for key in (None, *settings.keys(malformed=True)):
            text = Redactor(key).text(text)
        folder = settings.state_dir
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"crash-{os.getpid()}.txt"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"orvideo {__version__}\n{text}")
    except Exception:  # a bug is being reported: nothing that goes wrong now may hide it
        return None
    return path
