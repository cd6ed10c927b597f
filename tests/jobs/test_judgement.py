"""What a command says of a job by its record and by the last look at it, in the words that a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.api.values import Job
from orvideo.errors import NoOutput, OutcomeUnknown, UsageError
from orvideo.jobs.judgement import error_on_record, error_without_id, still_running
from orvideo.record.ledger import Ledger
from orvideo.record.values import SANDBOX, Observation, State
from tests.record.ledger_support import HERE, bring_to, finished


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "jobs.db") as ledger:
        yield ledger


def job(status: str, **more: object) -> Job:
    return Job.of({"id": "job-1", "status": status, **more})


@pytest.mark.parametrize(
    ("endpoint", "words"), [(HERE, "it is paid for and goes on"), (SANDBOX, "it goes on in the sandbox")]
)
def test_a_job_that_goes_on_is_paid_for_but_in_the_sandbox(ledger: Ledger, endpoint: str, words: str) -> None:
    record = ledger.get(bring_to(ledger, State.SUBMITTED, endpoint=endpoint))
    error = still_running(record, job("in_progress"))
    assert error.message == f"Job job-1 is still running (last seen as in_progress); {words}."
    assert still_running(record, None).message == f"Job job-1 is still running (last seen as pending); {words}."


@pytest.mark.parametrize(
    ("more", "added", "hint"),
    [
        ({}, "", None),
        ({"error": "worms at work"}, " The service adds: worms at work.", None),
        ({"unsigned_urls": ["https://x.example/1"]}, " It names a video all the same.", "orvideo download job-1"),
    ],
)
def test_a_word_that_nobody_knows_is_told_with_what_stands_beside_it(
    ledger: Ledger, more: dict[str, object], added: str, hint: str | None
) -> None:
    record = ledger.get(bring_to(ledger, State.SUBMITTED))
    error = still_running(record, job("composting", **more))
    said = "Job job-1 is not at its end: its status is 'composting', which orvideo does not know."
    assert (error.message, error.hint) == (said + added, hint)


def test_a_word_that_nobody_knows_is_told_also_where_no_look_succeeds(ledger: Ledger) -> None:
    seq = bring_to(ledger, State.SUBMITTED)
    ledger.observed(seq, Observation("composting"))
    error = still_running(ledger.get(seq), None)
    said = "Job job-1 is not at its end: its status is 'composting', which orvideo does not know."
    assert (error.message, error.hint) == (said, None)


def test_a_submit_of_another_orvideo_is_no_job_that_runs(ledger: Ledger) -> None:
    record = ledger.get(bring_to(ledger, State.SENDING))
    assert still_running(record, None).message == f"Another orvideo is still submitting {record.name}."


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("The line went dead.", "The line went dead."),
        ("", "No id was received, so there is nothing to ask the service for."),
    ],
)
def test_an_unknown_outcome_is_told_with_its_reason(ledger: Ledger, reason: str, words: str) -> None:
    seq = bring_to(ledger, State.SENDING)
    ledger.outcome_unknown(seq, reason)
    error = error_without_id(ledger.get(seq))
    assert isinstance(error, OutcomeUnknown)
    assert error.message == f"The outcome of {ledger.get(seq).name} is unknown. {words}"
    assert error.hint == "look at https://openrouter.ai/activity; a job found there: orvideo jobs adopt ID"


@pytest.mark.parametrize(("reason", "words"), [("nobody was there", "nobody was there"), ("", "nothing was sent")])
def test_a_job_that_was_never_bought_is_told_with_its_reason(ledger: Ledger, reason: str, words: str) -> None:
    seq = bring_to(ledger, State.PREPARED)
    ledger.not_sent(seq, reason)
    record = ledger.get(seq)
    error = error_without_id(record)
    assert isinstance(error, UsageError)
    assert error.message == f"{record.name} was never accepted by the service: {words}"
    assert error.hint == f"orvideo jobs show {record.name}"


@pytest.mark.parametrize(
    ("reason", "words"), [("The filter stopped it.", "The filter stopped it."), ("", "The service made no video.")]
)
def test_a_job_without_a_video_is_told_with_the_reason_on_record(ledger: Ledger, reason: str, words: str) -> None:
    seq = finished(ledger, "job-1")
    assert error_on_record(ledger.get(seq)) is None
    ledger.made_nothing(seq, reason)
    error = error_on_record(ledger.get(seq))
    assert isinstance(error, NoOutput)
    assert error.message == words
