"""Writes crash reports: files that only their owner can read, without the key (drill K04)."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from orvideo import __version__
from orvideo.files import make_private_folder, write_atomically

if TYPE_CHECKING:
    from orvideo.settings.resolving import Settings


def write_crash_report(bug: BaseException, settings: Settings) -> Path | None:
    """Write the redacted traceback of `bug` to the state folder; return the file, None when that fails."""
    try:
        from orvideo.api.redaction import Redactor

        text = "".join(traceback.format_exception(bug))
        for key in (None, *settings.keys(malformed=True)):
            text = Redactor(key).text(text)
        path = settings.state_dir / f"crash-{os.getpid()}.txt"
        make_private_folder(path.parent)
        content = f"orvideo {__version__}\n{text}".encode("utf-8", "backslashreplace")
        write_atomically(path, content, mode=0o600)
    except Exception:  # the bug itself must still be reported
        return None
    return path
