"""How a command ends: what it has bought, what still runs at the service, and the command that continues.

No error knows by itself whether something was charged. The record knows it for the jobs of the command; messages,
JSON errors, hints and resume commands are made from that, here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from orvideo.errors import Charged, JobEnded, NoOutput, OrvideoError, OutputUnwritable, RecordError, Stopped, worst
from orvideo.record.values import SANDBOX, Record, State

if TYPE_CHECKING:
    from pathlib import Path

    from orvideo.jobs.task import Task
    from orvideo.output.terminal import Terminal
    from orvideo.record.journal import Journal

#: The statuses of a refusal that the same request would get again.
_FINAL_REFUSALS = (400, 404, 413, 422)
#: How a submit of this process stands once the process has ended; that of another one goes on.
_WHEN_ENDED = {State.PREPARED: State.NOT_SENT, State.SENDING: State.UNKNOWN}
#: How many jobs are named one by one, in a message and in a command.
_MOST_NAMED, _MOST_IN_A_COMMAND = 3, 10


def charged_for(record: Record) -> Charged:
    """Return whether a job was charged, as far as the record knows."""
    if record.state in (State.PREPARED, State.NOT_SENT):
        return "no"
    if record.state in (State.SENDING, State.UNKNOWN):
        return "unknown"
    if record.final and record.cost is not None and not record.is_byok:
        return "yes" if record.cost > 0 else "no"
    # An accepted job is paid for. One that ended without a video is often free, but the service did not say.
    return "unknown" if record.final and record.status != "completed" else "yes"


def resume_command(record: Record) -> str | None:
    """Return the command that continues a job, None if there is nothing to do."""
    if record.is_running:
        return f"orvideo wait {record.name}"
    if record.state is State.UNKNOWN:
        return f"orvideo jobs show {record.name}"
    if record.state is not State.SUBMITTED:
        return None
    if record.status == "completed":
        return None if record.is_fetched else f"orvideo download {record.name}"
    return f"orvideo jobs show {record.name}"


class Ending:
    """Reports how a command ended."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._tasks: Sequence[Task] = ()
        self._journal: Journal | None = None
        self._resume: str | None = None

    def track(self, tasks: Sequence[Task], journal: Journal, *, resume: str | None = None) -> None:
        """Take the jobs of the command, and the command that continues all of them if there is one."""
        self._tasks, self._journal, self._resume = tasks, journal, resume

    def report(self, error: OrvideoError) -> OrvideoError:
        """Write the error that ends the command, with what is not on record, and return it."""
        [error] = self.annotate([error])
        lacking = self._lacking()
        if lacking is not None and lacking.message not in error.message:
            error.message += f" {lacking.message}"
        for job_id in self.unwritten_ids():
            # It must reach a person on every stream there is (drill J05); one that is gone keeps it from no other.
            with suppress(OSError, OutputUnwritable):
                self._terminal.answer(job_id)
        self._terminal.error(error)
        return error

    def unheard(self) -> None:
        """Say nothing, for nobody reads the answer any more (drill O09), but of ids that are not on record."""
        lacking = self._lacking()
        if lacking is not None and lacking.hint is not None:
            self.report(lacking)

    def unwritten_ids(self) -> list[str]:
        """Return the ids that are not on record: `report` answers with them, whatever ends the command."""
        return self._journal.unwritten_ids() if self._journal is not None else []

    def _lacking(self) -> OutputUnwritable | None:
        return self._journal.lacking() if self._journal is not None else None

    def annotate(self, errors: Sequence[OrvideoError]) -> list[OrvideoError]:
        """Return the errors with their job, what was charged, and the command that continues."""
        records = self._records()
        told = [self._annotate(error, records) for error in errors]
        lacking = self._lacking()
        if lacking is not None and lacking.hint is not None:
            # No other command knows a job that is not on record.
            for error in told:
                error.hint = error.resume = lacking.hint
        return told

    def _annotate(self, error: OrvideoError, records: Sequence[Record]) -> OrvideoError:
        bought = [record for record in records if charged_for(record) != "no"]
        about = [record for record in records if record.seq == error.seq] or records
        if isinstance(error, RecordError) and bought:
            # A RecordError says that nothing was sent, which is not true any more (finding A08).
            error = _as_unwritable(error)
        error.charged = _overall_charge(map(charged_for, about))
        if isinstance(error, JobEnded | NoOutput) and len(about) == 1:
            from orvideo.output.job_text import charge_text

            error.message = f"{error.message} {charge_text(about[0].as_json())}".rstrip()
        if self._resume is not None:
            unknown = any(record.state in (State.SENDING, State.UNKNOWN) for record in records)
            error.resume = (
                self._resume if self._is_unfinished(records) else "orvideo jobs --unknown" if unknown else None
            )
        elif len(about) == 1:
            error.job_id = error.job_id or about[0].id
            error.resume = (
                f"orvideo jobs show {about[0].name}" if isinstance(error, NoOutput) else resume_command(about[0])
            )
        elif about:
            error.resume = _resume_command_for_all(about)
        if error.hint is None and bought:
            error.hint = error.resume
        return error

    def interrupted(self, exit_code: int) -> None:
        """Report a signal, and the jobs that still run: the service cannot cancel them (drill S03)."""
        from orvideo.jobs.task import Phase

        unknown = self._record_unknown()
        records = [record for record in self._records() if record.state is State.SUBMITTED]
        saved = {task.seq for task in self._tasks if task.phase is Phase.DONE and task.error is None}
        running = [record for record in records if not record.final]
        finished = [
            record
            for record in records
            if record.final and record.status == "completed" and not record.is_fetched and record.seq not in saved
        ]
        hint = None
        if unknown:
            message = f"Interrupted while {_names(unknown)} was being sent; it may have been accepted and charged."
            message += " Submitting again may pay again."
            from orvideo.jobs.submit import unknown_outcome_hint

            hint = unknown_outcome_hint(unknown[0].name)
        elif running:
            where = "at the service, already paid for" if _costs_money(running) else "in the sandbox"
            message = f"Interrupted; {_with_verb(running, 'goes', 'go')} on {where}."
        elif finished:
            paid = " and paid for," if _costs_money(finished) else ""
            message = f"Interrupted; {_with_verb(finished, 'is', 'are')} finished{paid} and not saved yet."
        elif records:
            message = f"Interrupted; {_with_verb(records, 'is at its', 'are at their')} end already."
        else:
            message = "Interrupted; nothing was submitted."
        self.report(Stopped(message, exit_code=exit_code, hint=hint))

    def bug(self, bug: Exception, where: Path | None) -> None:
        """Report a bug in orvideo, and where the details are (drill K04)."""
        unknown = self._record_unknown()
        message = f"This is a bug in orvideo: {type(bug).__name__}."
        if unknown:
            message += f" {_names(unknown)} may have been accepted and charged; submitting again may pay again."
        self.report(OrvideoError(message, hint=f"please report it with {where}" if where else "please report it"))

    def raise_worst(self, errors: Sequence[OrvideoError]) -> None:
        """Raise the error that decides the exit code, after writing all others; do nothing without errors."""
        if not errors:
            return
        decisive = worst(errors)
        lacking = self._lacking()
        for error in self.annotate([error for error in errors if error is not decisive]):
            # What the record lacks is told with the one that decides.
            if lacking is None or error.message != lacking.message:
                self._terminal.failure(error)
        raise decisive

    def _tracked(self) -> list[tuple[Task, Record]]:
        """Return each task that is on record with its record as it is now, or as this process knows it."""
        found = []
        for task in self._tasks:
            record = self._journal.record(task.seq) if self._journal is not None and task.seq is not None else None
            if record is not None or task.record is not None:
                record = record or task.on_record
                if task.make_submission is not None:
                    record = record._replace(state=_WHEN_ENDED.get(record.state, record.state))
                if task.is_missing:  # it was saved once, or said to have no video
                    record = record._replace(outputs=(), expected_outputs=None)
                found.append((task, record))
        return found

    def _is_unfinished(self, records: Sequence[Record]) -> bool:
        """Return whether the same command would submit, follow or download anything more."""
        verbs = {(resume_command(record) or "orvideo -").split()[1] for record in records}
        # What the service refused for its content would be refused again (finding D11).
        may_go = [one for one in records if one.state is State.NOT_SENT and one.answer_status not in _FINAL_REFUSALS]
        unsent = len(records) < len(self._tasks) or bool(may_go)
        return unsent or bool(verbs & {"wait", "download"})

    def _records(self) -> list[Record]:
        return [record for _, record in self._tracked()]

    def _record_unknown(self) -> list[Record]:
        """Record the submits that were interrupted as of unknown outcome, and return them (drill S02)."""
        cut = [
            record
            for task, record in self._tracked()
            if record.state is State.UNKNOWN and task.make_submission is not None
        ]
        for record in cut:
            if self._journal is not None:
                self._journal.outcome_unknown(record.seq, "The command was ended before the answer was on record.")
        return cut


def _as_unwritable(error: RecordError) -> OutputUnwritable:
    told = OutputUnwritable(error.message)
    told.seq = error.seq
    return told


def _overall_charge(charges: Iterable[Charged]) -> Charged:
    found = set(charges)
    return "unknown" if "unknown" in found else "yes" if "yes" in found else "no"


def _names(records: Sequence[Record]) -> str:
    if len(records) > _MOST_NAMED:
        return f"{len(records)} jobs"
    return ", ".join(record.name for record in records)


def _costs_money(records: Iterable[Record]) -> bool:
    """Return whether any of the jobs costs money; those of the sandbox do not."""
    return any(record.endpoint != SANDBOX for record in records)


def _with_verb(records: Sequence[Record], one: str, many: str) -> str:
    return f"{_names(records)} {one if len(records) == 1 else many}"


def _resume_command_for_all(records: Sequence[Record]) -> str | None:
    """Return one command that continues several jobs; `wait` also downloads those that are finished."""
    commands = [(record.name, command) for record in records if (command := resume_command(record)) is not None]
    verbs = [(name, verb) for name, command in commands if (verb := command.split()[1]) in ("wait", "download")]
    if not verbs:
        return commands[0][1] if commands else None
    names = [name for name, _ in verbs]
    verb = "wait" if any(verb == "wait" for _, verb in verbs) else "download"
    return f"orvideo {verb} " + (" ".join(names) if len(names) <= _MOST_IN_A_COMMAND else "--all")
