"""Images that came with a request as data URLs: each is kept once, as a file, and the job names the file."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

from orvideo.files import write_atomically
from orvideo.sandbox.shelf import Shelf
from orvideo.sandbox.validation import data_image

#: What a name in media/ begins with where a job has it in the place of a data URL.
REFERENCE = "sandbox-media:"


class Media:
    """The images of one home."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def keep(self, value: Any) -> Any:
        """Return a JSON value in which data URLs of images are references to files, which are written."""
        if isinstance(value, dict):
            return {key: self.keep(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.keep(item) for item in value]
        if isinstance(value, str) and value.startswith("data:") and (data := data_image(value)) is not None:
            kind = value[len("data:image/") : value.index(";")]
            name = f"{hashlib.sha256(data).hexdigest()}.{kind}"
            self._write(self._shelf.folder("media") / name, data)
            return REFERENCE + name
        return value

    def _write(self, path: Path, data: bytes) -> None:
        try:
            os.utime(path)  # what is used again is not old
        except OSError:
            write_atomically(path, data, durable=False)
            self._shelf.added(path)

    def restore(self, value: Any) -> Any:
        """Return a JSON value as it came, data URLs and all."""
        if isinstance(value, dict):
            return {key: self.restore(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.restore(item) for item in value]
        if isinstance(value, str) and value.startswith(REFERENCE):
            data = self.read(value)
            kind = value.rpartition(".")[2]
            return f"data:image/{kind};base64,{base64.b64encode(data or b'').decode()}"
        return value

    def read(self, reference: str) -> bytes | None:
        """Return the bytes that a reference names, None where they are not there any more."""
        try:
            return (self._shelf.folder("media") / Path(reference.removeprefix(REFERENCE)).name).read_bytes()
        except OSError:
            return None
