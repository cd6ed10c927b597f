"""docs/film.md, typed from top to bottom in the sandbox, and the films that it makes, looked at."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from orvideo.film.moment import FIRST, LAST
from orvideo.film.stills import still
from orvideo.record.ledger import Ledger
from tests.batch.test_chain import psnr
from tests.shell import Shell
from tests.test_docs import DOCS, lines_of, typed

pytestmark = pytest.mark.long

PAGE = (DOCS / "film.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```csv (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def chapters(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [chapter["metadata"]["title"] for chapter in container.chapters()]


def seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return float(Fraction(container.duration or 0, 1_000_000))


def test_a_story_of_five_rows_becomes_a_film(orvideo: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    for name, text in FILES.items():
        (home / name).write_text(text, encoding="utf-8")
    for line in lines_of(DOCS / "film.md"):
        code, err = typed(orvideo, line)
        assert code == 0, f"{line}\n{err}"
    with Ledger(home / "state" / "orvideo" / "jobs.db") as ledger:
        made = ledger.list()[::-1]
    # The second version: what comes before the changed scene was not bought again.
    assert len(made) == 5 + 3 + 5
    story = [path.name for path in sorted((home / "clips").iterdir())]
    assert len(story) == 8
    titles = [line.partition(",")[2].strip('"') for line in FILES["story.csv"].splitlines()[1:]]
    assert chapters(home / "film.mp4") == titles
    assert chapters(home / "fog.mp4") == [*titles[:2], "Fog comes up and the sea is white", *titles[3:]]
    for name in ("film.mp4", "fog.mp4"):
        assert seconds(home / name) == pytest.approx(10, abs=0.3)
    by_name = {record.name: record for record in made}
    for record in made:
        for frame in record.frames:
            before = still(Path(by_name[frame.job or ""].outputs[0].path or ""), LAST)
            after = still(Path(record.outputs[0].path or ""), FIRST)
            if frame.at == "last":
                assert psnr(before.image, after.image) > 35
    with Image.open(home / "story.png") as sheet:
        assert sheet.width > sheet.height
