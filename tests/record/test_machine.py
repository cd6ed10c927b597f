"""The record under any sequence of events, against a plain model of what must never be lost or changed."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from orvideo.errors import RecordError
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Output, State, Submission
from tests.clocks import HandClock
from tests.record.ledger_support import HERE, request


@dataclass
class Expected:
    """What a row must say; `sent` counts how often its request was let onto the wire."""

    state: State
    id: str | None = None
    sent: int = 0
    refused: int = 0
    status: str | None = None
    cost: Decimal | None = None
    final: bool = False


_STATUSES = ["in_progress", "completed", "failed", "new_word"]


class LifeOfTheRecord(RuleBasedStateMachine):
    """Submits, answers, looks and restarts in any order. A restart here keeps the process, so nothing looks dead."""

    jobs: Bundle[int] = Bundle("jobs")

    @initialize()
    def begin(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self._path = Path(self._directory.name) / "jobs.db"
        self._time = HandClock()
        self._ledger = Ledger(self._path, clock=self._time.clock())
        self._expected: dict[int, Expected] = {}
        self._ids = 0

    def teardown(self) -> None:
        if hasattr(self, "_ledger"):
            self._ledger.close()
            self._directory.cleanup()

    def _may(self, seq: int, *states: State) -> bool:
        return self._expected[seq].state in states

    @rule(target=jobs)
    def prepare(self) -> int:
        seq = self._ledger.prepare(Submission(request=request(), endpoint=HERE))
        assert seq not in self._expected
        self._expected[seq] = Expected(State.PREPARED)
        return seq

    @rule(seq=jobs)
    def send(self, seq: int) -> None:
        job = self._expected[seq]
        if job.state is State.PREPARED:
            self._ledger.sending(seq)
            job.state, job.sent = State.SENDING, job.sent + 1
        else:
            _refused(lambda: self._ledger.sending(seq))

    @rule(seq=jobs, raw=st.binary(max_size=10))
    def answer(self, seq: int, raw: bytes) -> None:
        self._ledger.answered(seq, 202, raw)

    @rule(seq=jobs)
    def accept(self, seq: int) -> None:
        job = self._expected[seq]
        self._ids += 1
        if job.id is None:
            self._ledger.submitted(seq, f"job-{self._ids:04}", status="pending")
            job.state, job.id, job.status = State.SUBMITTED, f"job-{self._ids:04}", "pending"
        else:
            _refused(lambda: self._ledger.submitted(seq, f"job-{self._ids:04}"))
            self._ledger.submitted(seq, job.id)

    @rule(seq=jobs)
    def refuse(self, seq: int) -> None:
        if self._may(seq, State.PREPARED, State.SENDING, State.NOT_SENT):
            self._ledger.not_sent(seq, "400")
            self._expected[seq].state = State.NOT_SENT
        else:
            _refused(lambda: self._ledger.not_sent(seq, "400"))

    @rule(seq=jobs)
    def not_now(self, seq: int) -> None:
        job = self._expected[seq]
        if self._may(seq, State.PREPARED, State.SENDING):
            job.refused += job.state is State.SENDING
            self._ledger.refused_for_now(seq)
            job.state = State.PREPARED
        else:
            _refused(lambda: self._ledger.refused_for_now(seq))

    @rule(seq=jobs)
    def lose(self, seq: int) -> None:
        if self._may(seq, State.PREPARED, State.SENDING, State.UNKNOWN):
            self._ledger.outcome_unknown(seq, "the line went dead")
            self._expected[seq].state = State.UNKNOWN
        else:
            _refused(lambda: self._ledger.outcome_unknown(seq, "the line went dead"))

    @rule(seq=jobs, status=st.sampled_from(_STATUSES), cents=st.integers(0, 99))
    def look(self, seq: int, status: str, cents: int) -> None:
        job = self._expected[seq]
        if job.id is None:
            return
        final = status in ("completed", "failed")
        if final or not job.final:
            job.status, job.cost, job.final = status, Decimal(cents) / 100 if final else job.cost, final
        self._ledger.observed(seq, Observation(status=status, cost=job.cost, final=final))

    @rule(seq=jobs, index=st.integers(0, 2))
    def save(self, seq: int, index: int) -> None:
        self._ledger.output_saved(seq, Output(index, f"/v/{seq}-{index}.mp4", 1, "ab"))

    @rule(seq=jobs)
    def adopt_what_is_known(self, seq: int) -> None:
        job = self._expected[seq]
        if job.id is not None:
            assert self._ledger.adopt(job.id, endpoint=HERE).seq == seq

    @rule(seq=consumes(jobs))
    def forget(self, seq: int) -> None:
        self._ledger.forget(seq)
        del self._expected[seq]

    @rule()
    def restart(self) -> None:
        self._ledger.close()
        self._ledger = Ledger(self._path, clock=self._time.clock())

    @rule(seconds=st.sampled_from([1, 100]))
    def wait(self, seconds: int) -> None:
        self._time.elapsed += min(seconds, max(0.0, 590 - self._time.elapsed))

    @invariant()
    def the_record_says_what_happened(self) -> None:
        if not hasattr(self, "_ledger"):
            return
        records = self._ledger.list()
        assert {record.seq: (record.state, record.id, record.status, record.cost) for record in records} == {
            seq: (job.state, job.id, job.status, job.cost) for seq, job in self._expected.items()
        }
        ids = [record.id for record in records if record.id]
        assert len(set(ids)) == len(ids)
        assert len({record.handle for record in records}) == len(records)
        for job in self._expected.values():
            # On the wire at most once more than the service took nothing.
            assert job.sent <= job.refused + 1
        unfinished = {record.seq for record in self._ledger.list(unfinished=True, submitting=True)}
        assert unfinished == {record.seq for record in records if record.is_running}
        unfetched = {record.seq for record in self._ledger.list(not_downloaded=True)}
        assert unfetched == {r.seq for r in records if r.status == "completed" and not r.is_fetched}


def _refused(attempt: object) -> None:
    try:
        attempt()  # type: ignore[operator]
    except RecordError:
        return
    raise AssertionError("this must be refused")


TestLifeOfTheRecord = LifeOfTheRecord.TestCase
TestLifeOfTheRecord.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
