"""Values to text: jobs, models, quotes and plans as a person and a pipe see them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orvideo.api.values import VideoRequest
from orvideo.batch.checking import Price
from orvideo.catalogue.planning import Plan
from orvideo.catalogue.quote import Quote
from orvideo.output.job_table import job_table, spending_table, status_style
from orvideo.output.job_text import (
    charge_text,
    cost_text,
    finished_line,
    job_page,
    kept_answer,
    overrun_text,
    service_progress,
    service_progress_text,
)
from orvideo.output.quote_text import plan_lines, price_words, quote_text, request_summary
from orvideo.output.tables import aligned, tab_separated
from orvideo.record.values import Record, Spending, State

NOW = datetime(2026, 11, 21, 12, 5, tzinfo=UTC)

DONE: dict[str, Any] = {
    "id": "vid_0123456789",
    "handle": "sub-aaaaaaaa",
    "status": "completed",
    "model": "google/veo-3.1-lite",
    "prompt": "a paper boat drifts down a rainy street",
    "endpoint": "https://openrouter.ai/api/v1",
    "profile": None,
    "created_at": "2026-11-21T12:00:00.000Z",
    "ended_at": "2026-11-21T12:00:41.500Z",
    "watched": True,
    "quote": {"kind": "listed", "usd": 0.12, "low": None, "high": None, "reasons": []},
    "cost_usd": 0.12,
    "is_byok": None,
    "error": None,
    "outputs": [{"index": 0, "path": "/films/boat.mp4", "bytes": 1_234_567, "sha256": "ab"}],
    "request": {"model": "google/veo-3.1-lite", "duration": 4, "resolution": "720p", "generate_audio": False},
    "frames": [],
    "generation_id": "gen-1",
    "batch": None,
    "mark": None,
    "note": None,
    "extra": {},
    "answer": None,
}
LOST: dict[str, Any] = {
    **DONE,
    "id": None,
    "status": "outcome_unknown",
    "ended_at": None,
    "cost_usd": None,
    "error": "sent, no readable answer",
    "outputs": [],
}


def test_the_page_of_a_job() -> None:
    assert job_page(DONE, NOW) == [
        ("job", "vid_0123456789"),
        ("status", "completed"),
        ("model", "google/veo-3.1-lite"),
        ("prompt", "a paper boat drifts down a rainy street"),
        ("request", "google/veo-3.1-lite, 4 s, 720p, silent"),
        ("created", "2026-11-21T12:00:00Z (5m ago)"),
        ("ended", "2026-11-21T12:00:41Z (4m ago)"),
        ("took", "0:41"),
        ("quote", "$0.12 listed"),
        ("cost", "$0.12"),
        ("endpoint", "https://openrouter.ai/api/v1"),
        ("generation", "gen-1"),
        ("file", "/films/boat.mp4 (1.2 MB)"),
    ]
    lost = dict(line for line in job_page(LOST, NOW) if not isinstance(line, str))
    assert lost["cost"] == "unknown"
    assert not {"took", "ended", "answer"} & set(lost)


@pytest.mark.drill("F-B05")
def test_when_a_job_ended_is_told_only_where_it_was_watched() -> None:
    seen = {**DONE, "watched": False}
    page = dict(line for line in job_page(seen, NOW) if not isinstance(line, str))
    assert page["end seen"] == "2026-11-21T12:00:41Z (4m ago)"
    assert not {"took", "ended"} & set(page)
    assert finished_line(seen) == "vid_0123456789: completed (seen after 0:41), $0.12 (quoted $0.12 listed)"
    # Of a job that was adopted it is not known when it began either.
    adopted = {**seen, "request": None, "quote": None}
    assert finished_line(adopted) == "vid_0123456789: completed, $0.12"


@pytest.mark.drill("F-B11")
def test_what_the_service_says_of_progress_is_shown_in_its_words_and_bounded() -> None:
    extra = {"progress": 40, "queue_position": 3, "eta": 12.5, "stage": "x" * 100, "message": "", "percent": True,
             "position": [1], "progress_percent": 10**400, "other": 1}  # fmt: skip
    progress = service_progress(extra)
    assert progress == {"progress": 40, "queue_position": 3, "eta": 12.5, "stage": "x" * 39 + "…"}
    assert service_progress_text({"progress": 40, "queue_position": 3}) == " (service: progress 40, queue_position 3)"
    assert len(service_progress_text(progress)) < 100
    assert service_progress({"eta": float("nan"), "percent": float("inf")}) == {}
    assert service_progress_text({}) == ""


@pytest.mark.drill("F-B11")
def test_the_kept_answer_of_a_submit_is_shown_without_keys_and_bounded() -> None:
    raw = b'{"job": "sk-or-v1-0123456789abcdef", "x": "\xff' + b"y" * 5000
    record = Record(
        seq=1, handle="sub-aaaaaaaa", id=None, endpoint="x", state=State.UNKNOWN, created_at=NOW,
        answer_status=202, answer=raw,
    )  # fmt: skip
    answer = kept_answer(record)
    assert answer is not None
    assert answer["status"] == 202
    assert answer["body"].startswith('{"job": "[key hidden]", "x": "\N{REPLACEMENT CHARACTER}yyy')
    assert len(answer["body"]) == 2000
    page = dict(line for line in job_page({**LOST, "answer": answer}, NOW) if not isinstance(line, str))
    assert page["answer"].startswith('HTTP 202: {"job": "[key hidden]"')
    assert kept_answer(record._replace(answer=None, answer_status=None)) is None
    empty = {"status": None, "body": ""}
    assert ("answer", "nothing in it") in job_page({**LOST, "answer": empty}, NOW)


def test_the_line_at_the_end() -> None:
    assert finished_line(DONE) == "vid_0123456789: completed in 0:41, $0.12 (quoted $0.12 listed)"


@pytest.mark.drill("M29")
@pytest.mark.parametrize(
    ("quote", "text"),
    [
        (Quote("listed", Decimal("0.12")), "$0.12 listed"),
        (Quote("about", Decimal("0.19"), Decimal("0.1"), Decimal("0.19")), "~$0.19 ($0.10 to $0.19)"),
        (Quote("about", Decimal("0.14"), Decimal("0.14"), Decimal("0.14")), "~$0.14"),
        (Quote("listed", Decimal("0.2964")).including_bill(Decimal("0.494")), "$0.30 listed ($0.30 to $0.49)"),
        (Quote("listed", Decimal("0.2964")).including_bill(Decimal("0.29")), "$0.30 listed"),
        (Quote("about", Decimal("5.6288925")), "~$5.63"),
        (Quote("unknown").including_bill(Decimal("0.494")), "unknown price"),
        (Quote("unknown"), "unknown price"),
        (Quote("unknown", None, Decimal("0.56")), "unknown price, at least $0.56"),
        (Quote("listed", Decimal(0)), "$0.00 listed"),
    ],
)
def test_a_quote_in_words(quote: Quote, text: str) -> None:
    assert quote_text(quote.as_json()) == text


@pytest.mark.drill("F-A10")
@pytest.mark.parametrize(
    ("price", "words"),
    [
        (Quote("listed", Decimal("0.12")), "$0.12"),
        (Quote("listed", Decimal("0.2964")).including_bill(Decimal("0.494")), "$0.30, or up to $0.49"),
        (Quote("about", Decimal("5.6288925")), "about $5.63"),
        (Quote("about", Decimal("0.19"), Decimal("0.1"), Decimal("0.19")), "about $0.19"),
        (Quote("unknown", None, Decimal("0.56")), "an unknown price"),
        (Price(2, 0, 0, Decimal("0.24"), Decimal("0.24"), Decimal("0.24")), "$0.24"),
        (Price(1, 1, 0, Decimal("0.24"), Decimal("0.24"), Decimal("0.24")), "about $0.24"),
        (Price(1, 1, 1, Decimal("0.24"), Decimal("0.24"), Decimal("0.24")), "an unknown price"),
    ],
)
def test_a10_a_question_says_how_far_the_price_is_known(price: Quote | Price, words: str) -> None:
    assert price_words(price) == words


@pytest.mark.drill("F-A11")
def test_a11_what_a_job_cost_says_whose_account_paid_and_which_money_is_none() -> None:
    own = {**DONE, "cost_usd": None, "is_byok": True}
    assert finished_line(own) == (
        "vid_0123456789: completed in 0:41, billed to your own provider key (quoted $0.12 listed)"
    )
    assert charge_text(own) == "It was billed to your own provider key."
    fee = {**own, "cost_usd": 0.006}
    assert cost_text(fee) == "$0.006, and the rest billed to your own provider key"
    play = {**DONE, "endpoint": "sandbox"}
    assert charge_text(play) == "It was charged $0.12 in the sandbox."
    assert charge_text({**DONE, "cost_usd": None}) == ""
    columns, rows = job_table([own, fee, play], NOW, ("cost",))
    assert [line.strip() for line in list(aligned(columns, rows, 40))[1:]] == ["own key", "own key", "sandbox"]
    assert list(tab_separated(rows)) == ["", "0.006", "0.12"]


@pytest.mark.drill("F-A11")
def test_a11_a_table_of_sums_names_the_sandbox_and_leaves_out_what_is_nowhere() -> None:
    sums = [Spending("a", cost=Decimal("0.4925"), known=2), Spending("a", True, byok=1)]
    columns, rows = spending_table(sums, "model", whole=False)
    assert [line.split() for line in aligned(columns, rows, 80)] == [
        ["MODEL", "COST", "BILLED", "OWN", "KEY", "WHERE"],
        ["a", "$0.49", "2", "0", "real"],
        ["a", "unknown", "0", "1", "sandbox"],
    ]
    pending = Spending(None, pending=2, quoted=Decimal("0.24"))
    assert list(tab_separated(spending_table([*sums, pending], "model", whole=True)[1])) == [
        "a\t0.4925\t2\t0\t0\t\t0\treal",
        "a\t\t0\t0\t0\t\t1\tsandbox",
        "unknown\t\t0\t0\t2\t0.24\t0\treal",
    ]


@pytest.mark.drill("F-A05")
@pytest.mark.parametrize(
    ("cost", "quoted", "said"),
    [
        ("0.494", {"kind": "listed", "usd": 0.2964}, "billed $0.49, more than its quote of $0.30"),
        ("0.1204", {"kind": "listed", "usd": 0.1199}, "billed $0.1204, more than its quote of $0.1199"),
        ("0.494", {"kind": "about", "usd": 0.2964, "high": 0.494}, None),
        ("0.12", {"kind": "listed", "usd": 0.12}, None),
        ("9", {"kind": "unknown", "usd": None}, None),
        ("9", None, None),
        (None, {"kind": "listed", "usd": 0.12}, None),
    ],
)
def test_a05_a_bill_above_its_quote_is_said(cost: str | None, quoted: dict[str, Any] | None, said: str | None) -> None:
    record = Record(
        seq=1, handle="sub-aaaaaaaa", id="vid_1", endpoint="x", state=State.SUBMITTED, created_at=NOW,
        cost=Decimal(cost) if cost else None, quote=quoted,
    )  # fmt: skip
    text = overrun_text(record)
    assert text is None if said is None else (text or "").startswith(said)


def test_a_plan_says_what_was_chosen_what_it_costs_and_where_it_goes() -> None:
    request = VideoRequest(model="a/b", duration=4, resolution="720p", aspect_ratio="16:9", generate_audio=False)
    quote = Quote("about", Decimal("0.14"), reasons=("tokens are counted by the provider",))
    plan = Plan(request, None, quote, ("duration 4 s (shortest)", "sound off (costs extra)"))
    assert plan_lines(plan, endpoint="http://127.0.0.1:1/api/v1") == [
        "chosen: duration 4 s (shortest)",
        "        sound off (costs extra)",
        "quote:  ~$0.14 for a/b, 4 s, 720p, 16:9, silent",
        "why:    tokens are counted by the provider",
        "to:     http://127.0.0.1:1/api/v1",
    ]
    assert plan_lines(Plan(request, None, Quote("listed", Decimal("0.12")), ()), sandbox=True) == [
        "quote: $0.12 listed for a/b, 4 s, 720p, 16:9, silent",
        "to:    the sandbox: nothing is charged",
    ]


def test_what_a_request_asks_for() -> None:
    request = {
        "model": "a/b", "size": "854x480", "generate_audio": True, "seed": 0, "previous_job_id": "vid_0",
        "frame_images": [{"frame_type": "first_frame"}, {"frame_type": "last_frame"}], "input_references": [{}, {}],
        "upscale_factor": 2.0, "creativity": 3,
    }  # fmt: skip
    assert request_summary(request) == (
        "a/b, 854x480, 2 x larger, creativity 3, with sound, first frame, last frame, 2 references, continuing vid_0, "
        "seed 0"
    )
    assert request_summary({}) == ""


def test_the_style_of_a_status() -> None:
    assert [status_style(word) for word in ("completed", "failed", "paused", "outcome_unknown")] == [
        "good",
        "bad",
        "busy",
        "unsure",
    ]
