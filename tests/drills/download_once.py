"""One download in a process of its own, so that a drill can kill it or fail its system calls.

It does what `download` does around `save`, with a small file as the record: what `save` remembers, and what it saved.
Usage: python -m tests.drills.download_once FOLDER [force] [no-etag]
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.download.save import Saved, SaveRequest, save
from orvideo.download.transfer import Transfer, TransferLimits
from orvideo.errors import OrvideoError, ServerFault
from orvideo.record.values import Output, ResumeState
from tests.download.deciding import decide_target
from tests.download.films import FACTS, Offered, Place, mp4

#: Asked for right before the work begins, so that a trace shows where the start of the interpreter ends.
MARK = "/the-drill-begins-here"
FILM = mp4(2_500_000)


class FileRecord:
    """A record of one output in a JSON file, replaced in one step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def output(self) -> Output | None:
        known = self._read().get("output")
        return Output(0, known["path"], known["bytes"], known["sha256"], datetime.now(UTC)) if known else None

    def state(self) -> ResumeState | None:
        known = self._read().get("state")
        return ResumeState(*known) if known else None

    def remember(self, state: ResumeState) -> None:
        self._write({**self._read(), "state": state})

    def forget(self) -> None:
        self._write({**self._read(), "state": None})

    def saved(self, saved: Saved) -> None:
        self._write({"output": {"path": str(saved.path), "sha256": saved.sha256, "bytes": saved.bytes}})

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}

    def _write(self, known: object) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(known))
        new.rename(self.path)


def main(folder: Path, words: list[str]) -> int:
    os.access(MARK, os.F_OK)
    etag = None if "no-etag" in words else '"v1"'
    place = Place(FILM, etag=etag, script=[1_200_000], cut=ServerFault("cut"), piece=300_000)
    try:
        target = decide_target(str(folder / "boat.mp4"), force="force" in words)
        memory = FileRecord(folder / "record")
        transfer = Transfer(Offered(place), Deadline(Clock()), TransferLimits(pause=0.0))
        saved = save(transfer, SaveRequest(target, FACTS), memory)
    except OrvideoError as error:
        print(json.dumps({**error.as_json(), "asked": place.asked}))
        return int(error.exit_code)
    print(json.dumps({"asked": place.asked, "already": saved.already, "beside": saved.beside}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
