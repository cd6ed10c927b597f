"""What the page knows of a job, and where it finds its videos."""

from __future__ import annotations

import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo.gallery.cards import Card, beside, card_of, is_missing, url_from
from orvideo.record.ledger import Ledger
from orvideo.record.values import Output, Record, State
from tests.record.ledger_support import bring_to, finished, quote, request


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    with Ledger(tmp_path / "jobs.db") as one:
        yield one


def card(record: Record, folder: Path = Path("/")) -> Card:
    return card_of(record, beside(folder))


def saved(ledger: Ledger, folder: Path, name: str = "boat.mp4", **prepared: object) -> Record:
    """Return a job whose video of four bytes is saved."""
    seq = finished(ledger, "gen-vid-1", **prepared)
    (folder / name).write_bytes(b"film")
    ledger.output_saved(seq, Output(0, str(folder / name), 4, "0" * 64))
    return ledger.get(seq)


def test_a_video_is_found_from_the_folder_of_the_page(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    # Windows takes no question mark.
    name, quoted = ("a #1 50%.mp4", "") if sys.platform == "win32" else ("a #1 50%?.mp4", "%3F")
    record = saved(ledger, tmp_path / "films", name)
    found = card(record, tmp_path / "pages")["outputs"]
    assert found == [
        {"url": f"../films/a%20%231%2050%25{quoted}.mp4", "path": str(tmp_path / "films" / name), "bytes": 4}
    ]
    assert not is_missing(record)


@pytest.mark.skipif(sys.platform == "win32", reason="a name in bytes")
def test_a_name_that_is_no_text_has_an_address_of_its_bytes() -> None:
    assert url_from(Path("/a"), Path(os.fsdecode(b"/a/\xff:b.mp4"))) == "%FF%3Ab.mp4"


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_video_that_is_not_on_this_disk_has_no_address_and_a_line_that_fetches_it(
    ledger: Ledger, tmp_path: Path, change: str
) -> None:
    record = saved(ledger, tmp_path)
    if change == "gone":
        (tmp_path / "boat.mp4").unlink()
    else:
        (tmp_path / "boat.mp4").write_bytes(b"something else")
    assert is_missing(record)
    made = card(record, tmp_path)
    assert [one["url"] for one in made["outputs"]] == [None]
    assert made["next"] == "orvideo download gen-vid-1"


def test_a_job_without_a_video_says_why_and_one_that_runs_how_to_go_on(ledger: Ledger) -> None:
    failed = card(ledger.get(finished(ledger, "gen-vid-2", None, status="failed", quote=quote(0.4))))
    assert (failed["status"], failed["next"], failed["cost"]) == ("failed", None, "quoted $0.40")
    running = card(ledger.get(bring_to(ledger, State.SUBMITTED, job_id="gen-vid-3")))
    assert (running["is_running"], running["next"]) == (True, "orvideo wait gen-vid-3")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ({}, "orvideo submit --like gen-vid-1"),
        ({"endpoint": "sandbox"}, "orvideo submit --like gen-vid-1 --sandbox"),
        ({"profile": "work"}, "orvideo submit --like gen-vid-1 --profile work"),
    ],
)
def test_another_like_it_is_bought_where_it_was_bought(ledger: Ledger, place: dict[str, str], line: str) -> None:
    assert card(ledger.get(finished(ledger, "gen-vid-1", **place)))["like"] == line


def test_a_job_from_elsewhere_has_no_request_to_repeat(ledger: Ledger) -> None:
    assert card(ledger.adopt("gen-vid-9", endpoint="https://openrouter.example/api/v1"))["like"] is None


def test_texts_from_elsewhere_are_visible_and_bounded(ledger: Ledger) -> None:
    prompt = "\u202eevil \x1b[31m " + "x" * 100_000
    made = card(ledger.get(finished(ledger, "gen-vid-1", request=request(prompt=prompt, seed=7, aspect_ratio="9:16"))))
    assert made["prompt"].startswith(r"<U+202E>evil \x1b[31m xxx")
    assert len(made["prompt"]) == 20_000
    assert (made["seed"], made["size"], made["duration"], made["cost_usd"]) == (7, "480p 9:16", 4, 0.05)


def test_marks_and_the_batch_are_on_the_card(ledger: Ledger, tmp_path: Path) -> None:
    seq = finished(ledger, "gen-vid-1", batch="b1", batch_name=str(tmp_path / "rows.txt"), row_number=3)
    ledger.set_mark(seq, "keep", "the light")
    made = card(ledger.get(seq))
    assert (made["mark"], made["note"], made["batch"], made["batch_row"]) == ("keep", "the light", "rows.txt", 3)
    assert Decimal(str(made["cost_usd"])) == Decimal("0.05")


def test_a_job_whose_outcome_is_unknown_says_where_to_look(ledger: Ledger) -> None:
    record = ledger.get(bring_to(ledger, State.UNKNOWN))
    assert card(record)["next"] == f"orvideo jobs show {record.name}"


@pytest.mark.parametrize(
    ("state", "bill", "cost"),
    [
        (State.NOT_SENT, None, "nothing charged"),
        (State.UNKNOWN, "unknown", "cost unknown"),
        (State.SUBMITTED, "pending", "not billed yet"),
    ],
)
def test_the_bill_is_what_the_sums_of_jobs_take_it_for(
    ledger: Ledger, state: State, bill: str | None, cost: str
) -> None:
    made = card(ledger.get(bring_to(ledger, state)))
    assert (made["bill"], made["cost"], made["cost_usd"]) == (bill, cost, None)
    ended = card(ledger.get(finished(ledger, "gen-vid-4", None, status="failed")))
    assert (ended["bill"], ended["cost"]) == ("unknown", "cost unknown")
