"""One download in a process of its own, so that a drill can kill it or fail its system calls.

It does what `download` does around `save`: look at the record (here a small file), decide on the target, save, record.
Usage: python -m tests.drills.download_once FOLDER [force] [no-etag]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from orvideo.download.save import Saved, already_saved, save
from orvideo.download.targets import decide_target
from orvideo.errors import OrvideoError, ServerFault
from tests.download.films import FACTS, Place, mp4

#: Asked for right before the work begins, so that a trace shows where the start of the interpreter ends.
MARK = "/the-drill-begins-here"
FILM = mp4(2_500_000)


def main(folder: Path, words: list[str]) -> int:
    os.access(MARK, os.F_OK)
    record = folder / "record"
    if record.exists():
        known = json.loads(record.read_text())
        if already_saved(known["path"], known["sha256"], known["bytes"], job_id=FACTS.id):
            return 0
    etag = None if "no-etag" in words else '"v1"'
    place = Place(FILM, etag=etag, script=[1_200_000], cut=ServerFault("cut"), piece=300_000)
    try:
        target = decide_target(str(folder / "boat.mp4"), force="force" in words, facts=FACTS)
        save(place, target, facts=FACTS, on_saved=lambda saved: put_on_record(record, saved), pauses=[0.0])
    except OrvideoError as error:
        print(json.dumps({**error.as_json(), "asked": place.asked}))
        return int(error.exit_code)
    print(json.dumps({"asked": place.asked}))
    return 0


def put_on_record(record: Path, saved: Saved) -> None:
    new = record.with_suffix(".new")
    new.write_text(json.dumps({"path": str(saved.path), "sha256": saved.sha256, "bytes": saved.bytes}))
    new.rename(record)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
