"""The page that is alive, in a real browser: marks go to the record, jobs move, and nobody is lied to about either."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from orvideo.gallery.live import LiveGallery
from orvideo.gallery.server import GalleryServer
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation
from tests.gallery.served import PATIENCE, running, saved, served
from tests.sandbox import browser
from tests.sandbox.browser import Browser
from tests.shell import Shell

pytestmark = browser.MARKS

TROUBLE = "document.querySelector('.trouble').textContent"


def until(found: Callable[[], Any]) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return seen


def becomes(window: Browser, expression: str) -> Any:
    """Wait until an expression of the page is true, and return it."""
    return until(lambda: window.run(f"return {expression}"))


def test_a_mark_set_in_the_page_is_on_record(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        window.click("[data-do=keep]")
        until(lambda: one.ledger.get(record.seq).mark == "keep")
        # What the record has is not taken out any more, and a second click takes the mark away.
        becomes(window, "document.querySelector('#changes').hidden")
        window.click("[data-do=keep]")
        until(lambda: one.ledger.get(record.seq).mark is None)
        # What another program marks is shown.
        one.ledger.set_mark(record.seq, "reject", "too dark")
        becomes(window, "document.querySelector('.card').dataset.mark === 'reject'")
        assert window.text(".note") == "too dark"


def test_a_mark_that_cannot_be_written_is_kept_and_sent_again(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        other = sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        window.click("[data-do=reject]")
        trouble = becomes(window, TROUBLE)
        assert "jobs.db" in trouble
        assert "1 mark not on record yet" in trouble
        other.execute("ROLLBACK")
        other.close()
        until(lambda: one.ledger.get(record.seq).mark == "reject")
        becomes(window, f"!{TROUBLE}")


def test_a_mark_that_is_refused_is_said_and_not_sent_for_ever(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        one.ledger.observed(record.seq, Observation("failed", final=True))
        one.ledger.forget(record.seq)
        window.click("[data-do=keep]")
        said = becomes(window, "document.querySelector('#status-line').textContent.includes('not taken')")
        assert said
        assert window.run(f"return {TROUBLE}") == ""
        # Nor does the card say what is nowhere on record.
        assert window.run("return document.querySelector('.card').dataset.mark") == ""


def test_a_job_moves_by_itself(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        window.run("window.isTheSame = true")
        assert window.text(".told strong") == "In progress"
        one.ledger.observed(record.seq, Observation("completed", final=True))
        becomes(window, "document.querySelector('.told strong').textContent === 'Not on this disk'")
        assert window.text(".told .line") == f"orvideo download {record.name}"
        newest = running(one.ledger, "job-2", "a kite")
        becomes(window, "document.querySelectorAll('.card').length === 2")
        assert window.run("return document.querySelector('.card').dataset.handle") == newest.handle
        assert window.run("return window.isTheSame"), "the page was not loaded again"


def test_what_else_was_marked_elsewhere_meanwhile_stays(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        with closing(sqlite3.connect(tmp_path / "jobs.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            window.click("[data-do=keep]")
            becomes(window, f"{TROUBLE}.includes('1 mark not on record yet')")
            other.execute("UPDATE jobs SET note = 'from elsewhere'")
            other.execute("COMMIT")
        until(lambda: one.ledger.get(record.seq).mark == "keep")
        assert one.ledger.get(record.seq).note == "from elsewhere"


def test_what_is_shown_large_is_as_it_is_now_and_a_note_from_elsewhere_stays(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        window.click("[data-do=open]")
        one.ledger.set_mark(record.seq, "keep", "from elsewhere")
        becomes(window, "document.querySelector('#note').value === 'from elsewhere'")
        one.ledger.observed(record.seq, Observation("failed", final=True, error="too bright"))
        becomes(window, "document.querySelector('#viewer dl').textContent.includes('too bright')")
        # What a person writes is not written over, and holds.
        window.run("const note = document.querySelector('#note'); note.value = 'from here'")
        one.ledger.set_mark(record.seq, "reject", None)
        becomes(window, "document.querySelector('#viewer [data-do=reject]').ariaPressed === 'true'")
        assert window.property("#note", "value") == "from here"
        window.click("#viewer .bar button")
        until(lambda: one.ledger.get(record.seq).note == "from here")
        # To look at it and to close it again writes nothing.
        window.click("[data-do=open]")
        one.ledger.set_mark(record.seq, None, "later")
        window.click("#viewer .bar button")
        becomes(window, "document.querySelector('.note').textContent === 'later'")
        window.click("[data-do=keep]")
        until(lambda: one.ledger.get(record.seq).mark == "keep")
        assert one.ledger.get(record.seq).note == "later"


def test_a_job_that_made_nothing_is_not_said_to_have_a_video_elsewhere(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        record = running(one.ledger)
        window.open(one.server.address)
        assert window.text("#sums") == "1 job · 1 not billed yet"
        one.ledger.observed(record.seq, Observation("completed", final=True))
        one.ledger.made_nothing(record.seq, "the reply names no video")
        becomes(window, "document.querySelector('.told strong').textContent === 'Completed without a video'")
        assert window.text("#sums") == "1 job · 1 without a bill"
        assert window.property("[data-do=compare]", "hidden") is True


def test_cards_stay_where_they_are_when_jobs_come(window: Browser, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    with served(tmp_path) as one:
        for number in range(3):
            saved(one.ledger, film, f"job-{number}")
        window.open(one.server.address)
        window.until("return document.querySelector('#grid').dataset.whole")
        window.run(
            "window.left = 0; const watch = new MutationObserver("
            "(seen) => seen.forEach((one) => window.left += one.removedNodes.length));"
            "watch.observe(document.querySelector('#grid'), {childList: true})"
        )
        newest = running(one.ledger, "job-9", "a kite")
        becomes(window, "document.querySelectorAll('.card').length === 4")
        assert window.run("return document.querySelector('.card').dataset.handle") == newest.handle
        # A card that is taken out of the page, be it for a moment, stops what it plays and loses the place.
        assert window.run("return window.left") == 0


def test_another_gallery_at_the_same_port_takes_no_mark_and_loses_none(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        running(one.ledger)
        window.open(one.server.address)
        becomes(window, "document.querySelector('.trouble') !== null")
    with (
        Ledger(tmp_path / "jobs.db") as ledger,
        GalleryServer(LiveGallery(ledger, lambda own: own.list()), port=one.port),
    ):
        window.click("[data-do=keep]")
        becomes(window, f"{TROUBLE}.includes('1 mark not on record yet')")
        window.click("#take-out")
        assert window.property("#marks-text", "value") == "job-1\tkeep\t\n"


def test_a_gallery_that_ended_is_said(window: Browser, tmp_path: Path) -> None:
    with served(tmp_path) as one:
        running(one.ledger)
        window.open(one.server.address)
        becomes(window, "document.querySelector('.trouble') !== null")
        assert window.run(f"return {TROUBLE}") == ""
    assert "has ended" in becomes(window, TROUBLE)
    window.click("[data-do=keep]")
    assert "1 mark not on record yet" in becomes(window, f"{TROUBLE}.includes('mark') && {TROUBLE}")
    window.click("#take-out")
    assert window.property("#marks-text", "value") == "job-1\tkeep\t\n"


def test_a_film_plays_and_seeks(window: Browser, orvideo: Shell, home: Path) -> None:
    done = orvideo("submit", "a boat", "--duration", "4", "--wait", "-o", "boat.mp4", "--sandbox")
    assert done.code == 0, done.err
    with served(home / "state/orvideo") as one:
        window.open(one.server.address)
        becomes(window, "document.querySelector('.card video').readyState >= 2")
        window.run("const video = document.querySelector('.card video'); video.muted = true; video.play()")
        becomes(window, "document.querySelector('.card video').currentTime > 0.2")
        window.run("document.querySelector('.card video').currentTime = 3")
        becomes(window, "!document.querySelector('.card video').seeking")
        assert window.run("return document.querySelector('.card video').currentTime") >= 3
        assert window.run("return document.querySelector('.card video').error") is None
