"""The one account of money: what is told of the jobs in hand when a command ends early."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orvideo.ending import Ending, charged_for, resume_command
from orvideo.errors import (
    Charged,
    JobEnded,
    NoOutput,
    NotFetched,
    OrvideoError,
    OutcomeUnknown,
    OutputUnwritable,
    RecordError,
    StillRunning,
    Stopped,
    UsageError,
)
from orvideo.jobs.task import Phase, Task
from orvideo.record.journal import Journal
from orvideo.record.ledger import Ledger
from orvideo.record.values import SANDBOX, Observation, Output, State, Submission
from tests.output.screens import terminal_on
from tests.record.ledger_support import HERE, bring_to, finished, request
from tests.shell import Stream


class Desk:
    """A record, and an ending that tells what it has to say as JSON."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.journal = ledger, Journal(ledger)
        self._stderr = Stream()
        self.ending = Ending(terminal_on(Stream(), self._stderr, None, {}, json=True))

    def make(self, *names: str) -> list[Task]:
        """Put jobs on record, each as far as its name says, and take them in hand."""
        tasks = []
        for number, name in enumerate(names):
            seq = MAKERS[name](self.ledger, f"job-{number}")
            order = self._order if name in ("cut before it was sent", "cut short", "unknown", "not_sent") else None
            tasks.append(Task(self.ledger.get(seq), order, seq=seq))
        self.ending.track(tasks, self.journal)
        return tasks

    @staticmethod
    def _order() -> Submission:
        return Submission(request(), HERE)

    @property
    def told(self) -> dict[str, Any]:
        """The one error object that was told."""
        [line] = self._stderr.text().splitlines()
        return json.loads(line)["error"]  # type: ignore[no-any-return]


def saved(ledger: Ledger, job_id: str) -> int:
    seq = finished(ledger, job_id)
    ledger.output_saved(seq, Output(0, "/v/boat.mp4", 3, "ab"))
    return seq


def own_key(ledger: Ledger, job_id: str) -> int:
    seq = bring_to(ledger, State.SUBMITTED, job_id=job_id)
    ledger.observed(seq, Observation("completed", final=True, is_byok=True))
    return seq


def running(ledger: Ledger, job_id: str) -> int:
    seq = bring_to(ledger, State.SUBMITTED, job_id=job_id)
    ledger.observed(seq, Observation("in_progress", Decimal(0)))
    return seq


MAKERS: dict[str, Callable[[Ledger, str], int]] = {
    "prepared": lambda ledger, _: bring_to(ledger, State.PREPARED),
    "not_sent": lambda ledger, _: bring_to(ledger, State.NOT_SENT),
    "sending": lambda ledger, _: bring_to(ledger, State.SENDING),
    "cut before it was sent": lambda ledger, _: bring_to(ledger, State.PREPARED),
    "cut short": lambda ledger, _: bring_to(ledger, State.SENDING),
    "unknown": lambda ledger, _: bring_to(ledger, State.UNKNOWN),
    "running": lambda ledger, job_id: bring_to(ledger, State.SUBMITTED, job_id=job_id),
    "running, no bill yet": running,
    "in the sandbox": lambda ledger, job_id: bring_to(ledger, State.SUBMITTED, job_id=job_id, endpoint=SANDBOX),
    "finished": finished,
    "finished, no bill": lambda ledger, job_id: finished(ledger, job_id, None),
    "free": lambda ledger, job_id: finished(ledger, job_id, "0"),
    "saved": saved,
    "own key": own_key,
    "failed": lambda ledger, job_id: finished(ledger, job_id, None, status="failed"),
    "failed, billed": lambda ledger, job_id: finished(ledger, job_id, "0.05", status="failed"),
    "failed, free": lambda ledger, job_id: finished(ledger, job_id, "0", status="failed"),
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Ledger(tmp_path / "jobs.db") as ledger:
        yield Desk(ledger)


@pytest.mark.parametrize(
    ("name", "charged", "verb"),
    [
        ("prepared", "no", "wait"),
        ("not_sent", "no", None),
        ("sending", "unknown", "wait"),
        ("unknown", "unknown", "jobs show"),
        ("running", "yes", "wait"),
        ("running, no bill yet", "yes", "wait"),
        ("finished", "yes", "download"),
        ("finished, no bill", "yes", "download"),
        ("free", "no", "download"),
        ("saved", "yes", None),
        ("own key", "yes", "download"),
        ("failed", "unknown", "jobs show"),
        ("failed, billed", "yes", "jobs show"),
        ("failed, free", "no", "jobs show"),
    ],
)
def test_what_a_job_has_cost_and_what_goes_on_with_it(
    desk: Desk, name: str, charged: Charged, verb: str | None
) -> None:
    record = desk.make(name)[0].on_record
    assert charged_for(record) == charged
    assert resume_command(record) == (verb and f"orvideo {verb} {record.name}")
    told = desk.ending.report(StillRunning("Time is up."))
    assert (told.charged, told.resume, told.job_id) == (charged, resume_command(record), record.id)
    assert told.hint == (None if charged == "no" else told.resume), "a hint goes on with what was paid for"


@pytest.mark.parametrize(
    ("name", "charged", "verb"), [("cut before it was sent", "no", None), ("cut short", "unknown", "jobs show")]
)
def test_a_submit_of_this_process_goes_on_in_no_other(
    desk: Desk, name: str, charged: Charged, verb: str | None
) -> None:
    record = desk.make(name)[0].on_record
    told = desk.ending.report(StillRunning("Time is up."))
    assert (told.charged, told.resume) == (charged, verb and f"orvideo {verb} {record.name}")


def test_a_hint_that_an_error_has_is_kept(desk: Desk) -> None:
    desk.make("running")
    assert desk.ending.report(StillRunning("Time is up.", hint="look there")).hint == "look there"


def test_no_output_is_looked_at_and_not_fetched_again(desk: Desk) -> None:
    desk.make("finished")
    assert desk.ending.report(NoOutput("There is none.")).resume == "orvideo jobs show job-0"


@pytest.mark.parametrize(
    ("names", "charged"),
    [
        ((), "no"),
        (("not_sent", "prepared", "cut before it was sent"), "no"),
        (("not_sent", "running"), "yes"),
        (("running", "unknown"), "unknown"),
        (("free", "failed"), "unknown"),
    ],
)
def test_what_several_jobs_have_cost_is_the_worst_of_them(desk: Desk, names: tuple[str, ...], charged: str) -> None:
    desk.make(*names)
    error = desk.ending.report(UsageError("One place for all."))
    assert (error.charged, error.job_id) == (charged, None)


def test_an_error_of_one_job_is_accounted_for_by_that_job_alone(desk: Desk) -> None:
    first, second = desk.make("unknown", "running")
    about = [StillRunning("Time is up."), OutcomeUnknown("Who knows.")]
    about[0].seq, about[1].seq = second.seq, first.seq
    told = desk.ending.annotate(about)
    assert [(error.charged, error.job_id) for error in told] == [("yes", "job-1"), ("unknown", None)]
    assert told[0].resume == "orvideo wait job-1"
    assert told[1].resume == f"orvideo jobs show {first.on_record.handle}"


@pytest.mark.drill("F-A08")
@pytest.mark.parametrize(("name", "kind"), [("not_sent", RecordError), ("running", OutputUnwritable)])
def test_a_record_that_fails_after_the_money_is_an_output_that_cannot_be_written(
    desk: Desk, name: str, kind: type[OrvideoError]
) -> None:
    [task] = desk.make(name)
    error = RecordError("The disk is full.")
    error.seq = task.seq
    told = desk.ending.report(error)
    assert type(told) is kind
    assert (told.message, told.seq) == ("The disk is full.", task.seq)


def test_a_line_that_goes_on_with_all_is_the_resume_of_every_error(desk: Desk) -> None:
    tasks = desk.make("running", "finished")
    desk.ending.track(tasks, desk.journal, resume="orvideo batch rows.txt")
    error = NotFetched("It broke.")
    error.seq = tasks[1].seq
    told = desk.ending.report(error)
    assert (told.resume, told.hint) == ("orvideo batch rows.txt", "orvideo batch rows.txt")


def test_a_signal_calls_nothing_paid_for_that_is_in_the_sandbox(desk: Desk) -> None:
    desk.make("in the sandbox")
    desk.ending.interrupted(130)
    assert desk.told["message"] == "Interrupted; job-0 goes on in the sandbox."


@pytest.mark.drill("S02", "S03")
@pytest.mark.parametrize(
    ("names", "says", "resume"),
    [
        ((), "Interrupted; nothing was submitted.", None),
        (("not_sent",), "Interrupted; nothing was submitted.", None),
        (("running",), "Interrupted; job-0 goes on at the service, already paid for.", "orvideo wait job-0"),
        (
            ("running", "failed", "running"),
            "Interrupted; job-0, job-2 go on at the service, already paid for.",
            "orvideo wait job-0 job-2",
        ),
        (
            ("finished", "running"),
            "Interrupted; job-1 goes on at the service, already paid for.",
            "orvideo wait job-0 job-1",
        ),
        (
            ("running",) * 3,
            "Interrupted; job-0, job-1, job-2 go on at the service, already paid for.",
            "orvideo wait job-0 job-1 job-2",
        ),
        (
            ("running",) * 4,
            "Interrupted; 4 jobs go on at the service, already paid for.",
            "orvideo wait job-0 job-1 job-2 job-3",
        ),
        (("finished",), "Interrupted; job-0 is finished and paid for, and not saved yet.", "orvideo download job-0"),
        (
            ("finished", "saved", "finished"),
            "Interrupted; job-0, job-2 are finished and paid for, and not saved yet.",
            "orvideo download job-0 job-2",
        ),
        (("saved",), "Interrupted; job-0 is at its end already.", None),
        (("failed",), "Interrupted; job-0 is at its end already.", "orvideo jobs show job-0"),
        (("saved", "failed"), "Interrupted; job-0, job-1 are at their end already.", "orvideo jobs show job-1"),
    ],
)
def test_a_signal_says_what_goes_on_and_with_which_line(
    desk: Desk, names: tuple[str, ...], says: str, resume: str | None
) -> None:
    desk.make(*names)
    desk.ending.interrupted(130)
    assert (desk.told["message"], desk.told["exit_code"]) == (says, 130)
    assert desk.told["resume"] == resume


def test_a_video_that_is_saved_and_not_on_record_yet_is_not_said_to_be_missing(desk: Desk) -> None:
    first, second = desk.make("finished", "finished")
    first.phase = second.phase = Phase.DONE
    second.error = NotFetched("It broke.")
    desk.ending.interrupted(143)
    assert desk.told["message"] == "Interrupted; job-1 is finished and paid for, and not saved yet."


@pytest.mark.drill("S02")
@pytest.mark.parametrize("name", ["cut short", "unknown"])
def test_a_submit_that_a_signal_cut_short_is_unknown_from_then_on(desk: Desk, name: str) -> None:
    task, _ = desk.make(name, "running")
    desk.ending.interrupted(130)
    handle = task.on_record.handle
    assert desk.told["message"] == (
        f"Interrupted while {handle} was being sent; it may have been accepted and charged. "
        "Submitting again may pay again."
    )
    assert handle in desk.told["hint"]
    assert desk.told["charged"] == "unknown"
    record = desk.ledger.get(task.seq or 0)
    assert record.state is State.UNKNOWN
    assert record.error is not None


@pytest.mark.drill("S02")
def test_a_submit_of_another_command_is_left_alone_by_a_signal(desk: Desk) -> None:
    [task] = desk.make("sending")
    desk.ending.interrupted(130)
    assert desk.told["message"] == "Interrupted; nothing was submitted."
    assert desk.ledger.get(task.seq or 0).state is State.SENDING


@pytest.mark.drill("K04")
@pytest.mark.parametrize("where", [Path("/s/crash-1.txt"), None])
def test_a_bug_names_the_submits_that_it_has_cut_short(desk: Desk, where: Path | None) -> None:
    task, _ = desk.make("cut short", "running")
    desk.ending.bug(LookupError("boom"), where)
    assert desk.told["message"] == (
        f"This is a bug in orvideo: LookupError. {task.on_record.handle} may have been accepted and charged; "
        "submitting again may pay again."
    )
    assert desk.told["hint"] == ("please report it with /s/crash-1.txt" if where else "please report it")
    assert (desk.told["exit_code"], desk.told["charged"]) == (1, "unknown")
    assert desk.ledger.get(task.seq or 0).state is State.UNKNOWN


def test_the_failure_that_decides_is_raised_and_the_others_are_told(desk: Desk) -> None:
    first, second = desk.make("failed", "unknown")
    errors: list[OrvideoError] = [JobEnded("It failed."), OutcomeUnknown("Who knows.")]
    errors[0].seq, errors[1].seq = first.seq, second.seq
    with pytest.raises(OutcomeUnknown):
        desk.ending.raise_worst(errors)
    desk.ending.raise_worst([])


def test_before_any_job_is_in_hand_nothing_was_charged(desk: Desk) -> None:
    told = desk.ending.report(Stopped("It was stopped.", exit_code=130))
    assert (told.charged, told.job_id, told.resume, told.hint) == ("no", None, None, None)


@pytest.mark.drill("S02")
def test_a_submit_that_was_cut_short_is_found_between_rows_of_every_kind(desk: Desk) -> None:
    tasks = desk.make("running", "cut short")
    waiting = [Task(make_submission=desk._order) for _ in range(2)]
    desk.ending.track([waiting[0], *tasks, waiting[1]], desk.journal)
    desk.ending.interrupted(130)
    cut = desk.ledger.get(tasks[1].seq or 0)
    assert f"Interrupted while {cut.handle} was being sent" in desk.told["message"]
    assert (desk.told["charged"], cut.state) == ("unknown", State.UNKNOWN)
