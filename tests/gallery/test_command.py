"""`orvideo gallery`: which jobs are on the page, where it goes, and what it may replace."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orvideo.record.values import Output
from tests.gallery.shelf import record_of
from tests.record.ledger_support import finished, request
from tests.shell import Shell
from tests.sign_in.person import browser


@pytest.fixture
def shelf(home: Path) -> Path:
    """Four finished jobs of two models, of which two videos are on this disk."""
    with record_of(home) as ledger:
        for number in range(1, 5):
            asked = request(prompt=f"boat {number}", model=f"maker/model-{number % 2}")
            finished(ledger, f"gen-vid-{number}", request=asked)
    for number in (1, 2):
        save(home, number)
    return home


def save(home: Path, number: int) -> None:
    path = home / f"boat {number}.mp4"
    path.write_bytes(b"film")
    with record_of(home) as ledger:
        ledger.output_saved(ledger.find(f"gen-vid-{number}").seq, Output(0, str(path), 4, "0" * 64))


def names(page: Path) -> list[str]:
    return [card["name"] for card in cards(page)]


def cards(page: Path) -> list[dict[str, Any]]:
    text = page.read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["cards"]
    return found


def test_all_jobs_are_on_the_page_the_newest_first_with_the_videos_as_they_lie(orvideo: Shell, shelf: Path) -> None:
    done = orvideo("gallery")
    assert (done.code, done.out) == (0, "gallery.html\n")
    assert names(shelf / "gallery.html") == [f"gen-vid-{number}" for number in (4, 3, 2, 1)]
    found = [[one["url"] for one in card["outputs"]] for card in cards(shelf / "gallery.html")]
    assert found == [[], [], ["boat%202.mp4"], ["boat%201.mp4"]]
    assert done.err.splitlines() == [
        "4 jobs, 2 videos",
        "2 jobs have videos that are not on this disk",
        "hint: orvideo download gen-vid-4 gen-vid-3",
    ]


def test_the_document(orvideo: Shell, shelf: Path) -> None:
    done = orvideo("gallery", "1", "gen-vid-1", "--json")
    assert done.json == {"path": str(shelf / "gallery.html"), "url": None, "jobs": 2, "videos": 1}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (("2", "4", "2"), (3, 1)),
        (("--model", "model-1"), (3, 1)),
        (("--search", "BOAT 2"), (2,)),
        (("--limit", "1"), (4,)),
        (("--marked", "keep"), (2,)),
        (("--not-downloaded",), (4, 3)),
    ],
)
def test_the_line_chooses_the_jobs(orvideo: Shell, shelf: Path, line: tuple[str, ...], wanted: tuple[int, ...]) -> None:
    with record_of(shelf) as ledger:
        ledger.set_mark(ledger.find("gen-vid-2").seq, "keep")
    assert orvideo("gallery", *line).code == 0
    assert names(shelf / "gallery.html") == [f"gen-vid-{number}" for number in wanted]


@pytest.mark.parametrize("line", [("--search", "nothing like it"), ()])
def test_where_no_job_passes_nothing_is_written(orvideo: Shell, home: Path, line: tuple[str, ...]) -> None:
    done = orvideo("gallery", *line)
    assert (done.code, done.out) == (0, "")
    assert "nothing was written" in done.err
    assert not (home / "gallery.html").exists()
    assert orvideo("gallery", *line, "--json").json == {"path": None, "url": None, "jobs": 0, "videos": 0}


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (("1", "--search", "boat"), "orvideo gallery --help"),
        (("-o", "-"), "orvideo gallery -o gallery.html"),
        (("-o", os.devnull), "name a file with -o"),
        (("nosuchjob",), "orvideo jobs"),
        (("--status", "faild"), "did you mean failed?"),
    ],
)
def test_what_is_refused(orvideo: Shell, shelf: Path, line: tuple[str, ...], hint: str) -> None:
    if sys.platform == "win32" and os.devnull in line:
        pytest.skip("NUL is found by its name there")
    done = orvideo("gallery", *line)
    assert done.code == 2
    assert hint in done.err
    assert not (shelf / "gallery.html").exists()


def test_a_gallery_is_replaced_and_any_other_file_is_not(orvideo: Shell, shelf: Path) -> None:
    assert orvideo("gallery", "1").code == 0
    assert orvideo("gallery", "2").code == 0
    assert names(shelf / "gallery.html") == ["gen-vid-3"]
    (shelf / "gallery.html").write_text("a diary")
    done = orvideo("gallery")
    assert done.code == 13
    assert (shelf / "gallery.html").read_text() == "a diary"
    assert orvideo("gallery", "--force").code == 0
    assert len(names(shelf / "gallery.html")) == 4


def test_a_folder_is_made_where_its_parent_is_there_and_links_lead_out_of_it(orvideo: Shell, shelf: Path) -> None:
    assert orvideo("gallery", "gen-vid-1", "-o", "pages/").out == f"{Path('pages', 'gallery.html')}\n"
    assert cards(shelf / "pages" / "gallery.html")[0]["outputs"][0]["url"] == "../boat%201.mp4"
    done = orvideo("gallery", "-o", "none/such/page.html")
    assert done.code == 14
    assert not (shelf / "none").exists()


def test_what_cannot_be_written_is_said(orvideo: Shell, shelf: Path) -> None:
    done = orvideo("gallery", "-o", "boat 1.mp4/page.html")
    assert (done.code, "a part of its path is a file" in done.err) == (14, True), done.err


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_and_what_it_leads_to_is_replaced(orvideo: Shell, shelf: Path) -> None:
    assert orvideo("gallery", "-o", "real.html").code == 0
    (shelf / "link.html").symlink_to("real.html")
    assert orvideo("gallery", "1", "-o", "link.html").code == 0
    assert (shelf / "link.html").is_symlink()
    assert len(names(shelf / "real.html")) == 1


def test_open_starts_the_browser_with_the_page_and_without_a_key(orvideo: Shell, shelf: Path) -> None:
    seen, script = shelf / "seen", shelf / "browser.py"
    script.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        f"new = Path({str(seen)!r} + '.new')\n"
        'new.write_text(f\'{sys.argv[1]} {os.environ.get("OPENROUTER_API_KEY", "")}\')\n'
        f"new.rename({str(seen)!r})\n"
    )
    env = {"BROWSER": browser(script.as_posix()), "OPENROUTER_API_KEY": "sk-or-v1-secret"}
    done = orvideo("gallery", "--open", env=env)
    assert done.code == 0, done.err
    give_up = time.monotonic() + 60
    while not seen.exists():
        assert time.monotonic() < give_up
        time.sleep(0.02)
    assert seen.read_text() == f"{(shelf / 'gallery.html').as_uri()} "


def test_without_a_browser_the_page_is_written_and_why_it_is_not_open_is_said(orvideo: Shell, shelf: Path) -> None:
    done = orvideo("gallery", "--open", env={"SSH_CONNECTION": "1"})
    assert done.code == 0
    assert "the page was not opened: this is a session over ssh" in done.err
