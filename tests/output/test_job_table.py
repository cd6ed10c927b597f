"""The table of jobs: what a person sees at each width, and what a script gets."""

from __future__ import annotations

from typing import Any

import pytest

from orvideo.errors import UsageError
from orvideo.output.job_table import COLUMN_NAMES, PIPE_COLUMNS, PIPE_STATUS_COLUMNS, TERMINAL_COLUMNS, job_table
from orvideo.output.tables import aligned, tab_separated
from orvideo.output.text import width
from tests.output.test_views import DONE, LOST, NOW

NEW = "gen-vid-1764123456-aB3dE5fG7hJ9kL1mN2pQ"
PLACES = {DONE["handle"]: 1, "sub-bbbbbbbb": 2}
RUNNING: dict[str, Any] = {
    **DONE, "id": NEW, "handle": "sub-bbbbbbbb", "status": "in_progress", "outputs": [], "cost_usd": None,
    "model": "bytedance/seedance-2.0-mini",
}  # fmt: skip
FREE = {**DONE, "endpoint": "sandbox"}


def test_jobs_in_a_pipe() -> None:
    _, rows = job_table([DONE, LOST], NOW, PIPE_COLUMNS)
    assert list(tab_separated(rows)) == [
        "vid_0123456789\tcompleted\tgoogle/veo-3.1-lite\t2026-11-21T12:00:00Z\t0.12\t/films/boat.mp4\t"
        "a paper boat drifts down a rainy street",
        "sub-aaaaaaaa\toutcome_unknown\tgoogle/veo-3.1-lite\t2026-11-21T12:00:00Z\t\t\t"
        "a paper boat drifts down a rainy street",
    ]
    _, rows = job_table([{**DONE, "error": "no\nwords"}], NOW, PIPE_STATUS_COLUMNS)
    assert next(tab_separated(rows)).endswith("\tno\\nwords")


@pytest.mark.drill("F-D07")
def test_d07_at_80_columns_nothing_is_missing() -> None:
    assert list(aligned(*job_table([DONE, RUNNING, LOST, FREE], NOW, TERMINAL_COLUMNS, PLACES), 80)) == [
        "@  JOB       STATUS           MODEL                 COST  AGE  FILE OR PROMPT",
        "1  23456789  saved            veo-3.1-lite         $0.12   5m  boat.mp4",
        "2  kL1mN2pQ  in_progress      seedance-2.0-mini            5m  a paper boat dri…",
        "1  aaaaaaaa  outcome_unknown  veo-3.1-lite                 5m  a paper boat dri…",
        "1  23456789  saved            veo-3.1-lite       sandbox   5m  boat.mp4",
    ]


def test_a_narrow_terminal_keeps_place_id_and_status() -> None:
    for cells in range(32, 100):
        lines = list(aligned(*job_table([DONE, LOST, RUNNING], NOW, TERMINAL_COLUMNS, PLACES), cells))
        assert max(map(width, lines)) <= cells
        assert all(word in "".join(lines) for word in ("23456789", "outcome_unknown", "kL1mN2pQ"))


def test_models_are_named_without_their_maker_unless_two_are_then_called_the_same() -> None:
    other = {**DONE, "model": "elsewhere/veo-3.1-lite"}
    lines = list(aligned(*job_table([DONE, other, RUNNING], NOW, ("model",)), 80))
    assert lines == ["MODEL", "google/veo-3.1-lite", "elsewhere/veo-3.1-lite", "seedance-2.0-mini"]


def test_a_finished_job_without_a_price_says_so() -> None:
    failed = {**DONE, "status": "failed", "cost_usd": None}
    rows = [failed, {**DONE, "cost_usd": None}, {**DONE, "cost_usd": 0}]
    assert list(aligned(*job_table(rows, NOW, ("status", "cost")), 80))[1:] == [
        "failed", "saved   unknown", "saved     $0.00",
    ]  # fmt: skip


def test_columns_can_be_chosen_and_a_wrong_name_is_told() -> None:
    for name in COLUMN_NAMES:
        columns, rows = job_table([DONE], NOW, (name,))
        assert (len(columns), len(rows[0])) == (1, 1)
    with pytest.raises(UsageError, match=r"no column 'colour'.*status"):
        job_table([], NOW, ("id", "colour"))
