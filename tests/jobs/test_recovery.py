"""An answer that was kept names its job, to whoever opens the record next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orvideo.errors import OutcomeUnknown
from orvideo.jobs.recovery import recover_ids
from orvideo.record.ledger import MAX_ANSWER, Ledger
from orvideo.record.values import State, Submission

ENDPOINT = "https://openrouter.example/api/v1"


def killed_after(path: Path, status: int, answer: bytes) -> None:
    """Leave the record as a process does that is killed between the answer and its id."""
    script = (
        "import os, sys; from pathlib import Path; from orvideo.record.ledger import Ledger\n"
        "from orvideo.record.values import Submission; ledger = Ledger(Path(sys.argv[1]))\n"
        f"seq = ledger.prepare(Submission({{'model': 'm', 'prompt': 'p'}}, {ENDPOINT!r})); ledger.sending(seq)\n"
        f"ledger.answered(seq, {status}, sys.stdin.buffer.read()); os.kill(os.getpid(), {int(signal.SIGKILL)})"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], input=answer, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name != "posix", reason="SKIPPED: kills are POSIX's")
@pytest.mark.drill("J01")
def test_a_job_that_was_killed_between_its_answer_and_its_id_is_known_to_the_next(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    killed_after(path, 202, b'{"id": "job-1", "status": "queued", "generation_id": "gen-1", "polling_url": "x"}')
    with Ledger(path) as ledger:
        assert ledger.list()[0].state is State.UNKNOWN
        assert [record.id for record in recover_ids(ledger)] == ["job-1"]
        record = ledger.find("job-1")
        assert (record.state, record.status, record.generation_id) == (State.SUBMITTED, "queued", "gen-1")
        assert record.answer is None
        assert recover_ids(ledger) == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, b'{"id": "job-1"}'),
        (202, b'{"status": "pending"}'),
        (202, b'{"id": "job-1", "id": "job-2"}'),
        (202, b'{"id": "../x\\u0000"}'),
        (202, b'{"id": "job-1", "x": "' + b"x" * MAX_ANSWER),
        (202, b""),
    ],
)
def test_what_leaves_a_doubt_stays_unknown(tmp_path: Path, status: int, answer: bytes) -> None:
    with Ledger(tmp_path / "jobs.db") as ledger:
        seq = ledger.prepare(Submission(request={"model": "m"}, endpoint=ENDPOINT))
        ledger.sending(seq)
        ledger.answered(seq, status, answer)
        ledger.outcome_unknown(seq, OutcomeUnknown("no id").message)
        assert recover_ids(ledger) == []
        assert ledger.get(seq).state is State.UNKNOWN


def test_a_submit_that_is_under_way_is_left_to_its_process(tmp_path: Path) -> None:
    with Ledger(tmp_path / "jobs.db") as ledger:
        seq = ledger.prepare(Submission(request={"model": "m"}, endpoint=ENDPOINT))
        ledger.sending(seq)
        ledger.answered(seq, 202, b'{"id": "job-1"}')
        assert recover_ids(ledger) == []
        assert ledger.get(seq).state is State.SENDING
