"""The values of the record; imports neither SQLite nor pydantic, so that every module can import it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from orvideo.record.frames import FrameSource

#: The endpoint of jobs in the built-in sandbox, which cost nothing and are left out of statistics.
SANDBOX = "sandbox"
#: What a person can mark a job as.
MARKS = ("keep", "reject")
#: The longest note on a job, in characters.
MAX_NOTE = 2000


class State(StrEnum):
    """How far the submit of a job got (drill J03); what the service says of the job afterwards is its `status`.

    PREPARED: on disk, nothing sent. SENDING: the request may be on its way now. SUBMITTED: there is an id.
    UNKNOWN: sent, and no readable answer came. NOT_SENT: nothing was bought; where there is an `answer_status`, the
    service refused it (finding A07).
    """

    PREPARED = "prepared"
    SENDING = "sending"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


#: The status of a job without a status of the service; none of them is a status of the service.
_WORDS = {
    State.PREPARED: "submitting",
    State.SENDING: "submitting",
    State.SUBMITTED: "pending",
    State.UNKNOWN: "outcome_unknown",
    State.NOT_SENT: "not_sent",
}

#: Every word that a job can have as its status before the service has said one, and "saved".
OWN_STATUS_WORDS = frozenset({*_WORDS.values(), "refused", "saved"})


def word_of(state: State, answer_status: int | None) -> str:
    """Return the status of a job without one of the service; with `answer_status` it was refused (F-A07)."""
    return "refused" if state is State.NOT_SENT and answer_status is not None else _WORDS[state]


def is_without_video(final: bool, status: str | None, expected_outputs: int | None) -> bool:
    """Return whether a job is at its end and has no video: it failed, or turned out to have made none (finding D10).

    Only such a row of a batch is bought again (drill B09).
    """
    return bool(final) and (status != "completed" or expected_outputs == 0)


#: An id that a shell reads as one plain word, and no command as a position in the list.
_PLAIN = re.compile(r"(?![0-9]{1,3}\Z)[A-Za-z0-9_][A-Za-z0-9_.:,@%+=-]*")


@dataclass(frozen=True)
class Output:
    """One video of a job. `path` is None when it went to a pipe; `saved_at` is None when it was not fetched."""

    index: int
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    saved_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the documented output object."""
        return {"index": self.index, "path": self.path, "bytes": self.bytes, "sha256": self.sha256}


class Place(NamedTuple):
    """Where a job lives, and who asks there: a base URL or the sandbox, and the profile whose key is used, if any."""

    endpoint: str
    profile: str | None = None


class Submission(NamedTuple):
    """A submission: `request` as it is sent, `quote` as the documented object, `profile` whose key buys it.

    `target` is -o as it was given. `row_key` names a row within its `batch`, `max_total` is what the whole of
    that batch may cost in USD, `batch_name` is what a person calls it. `frames` says which pictures
    of the request were taken from videos.
    """

    request: Mapping[str, Any]
    endpoint: str
    quote: Mapping[str, Any] | None = None
    target: str | None = None
    batch: str | None = None
    row_key: str | None = None
    row_number: int | None = None
    max_total: Decimal | None = None
    profile: str | None = None
    batch_name: str | None = None
    frames: tuple[FrameSource, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.endpoint, self.profile)


class Marking(NamedTuple):
    """What a job is marked as, and a note on it; None leaves either as it is, and an empty text removes it."""

    seq: int
    mark: str | None = None
    note: str | None = None


class Observation(NamedTuple):
    """What the service says of a job; None for what it leaves out. `final`: the job does not change any more.

    `at` is the time of the reply, None for now. `is_byok`: the provider billed the user's own key.
    """

    status: str | None
    cost: Decimal | None = None
    error: str | None = None
    generation_id: str | None = None
    model: str | None = None
    extra: Mapping[str, Any] | None = None
    final: bool = False
    expected_outputs: int | None = None
    at: datetime | None = None
    is_byok: bool | None = None


class ResumeState(NamedTuple):
    """What a later process needs to resume a partial download.

    `part` is the partial file, `etag` a strong validator, `total` the size of the whole in bytes. With a `sha256` the
    file is complete, checked and synced: only its final name, `path`, or its row in the outputs is missing.
    """

    part: str
    etag: str | None = None
    total: int | None = None
    sha256: str | None = None
    path: str | None = None


class Shape(NamedTuple):
    """What decides the price and the duration of a job; jobs of one shape are compared.

    `resolution` is the size, where a request has one; `mode` is "text", "image", "reference" or "continuation".
    """

    model: str | None
    resolution: str | None
    duration: int | None
    audio: bool | None
    mode: str | None


class Typical(NamedTuple):
    """What finished jobs of one shape really cost (USD) and took (seconds): medians and extremes.

    `found` jobs were found, `priced` of them with a known cost, `timed` of them watched closely to their end. What
    nothing is known of is None.
    """

    found: int = 0
    priced: int = 0
    cost: Decimal | None = None
    cost_low: Decimal | None = None
    cost_high: Decimal | None = None
    timed: int = 0
    seconds: float | None = None


class Spending(NamedTuple):
    """What one model, day or month cost, in the sandbox or not; every job is in one of the four counts.

    `cost` is the sum in USD over `known` jobs. Of `unknown` jobs nobody knows the cost. `pending` ones are not at their
    end; `quoted` is the most that they may cost as far as they have a quote, None where none has. `byok` ones were
    billed to the user's own provider key.
    """

    key: str | None
    sandbox: bool = False
    cost: Decimal = Decimal(0)
    known: int = 0
    unknown: int = 0
    pending: int = 0
    quoted: Decimal | None = None
    byok: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "sandbox": self.sandbox,
            "cost_usd": money_number(self.cost) if self.known or self.cost else None,
            "known": self.known,
            "unknown": self.unknown,
            "pending": self.pending,
            "pending_usd": money_number(self.quoted),
            "byok": self.byok,
        }


class Record(NamedTuple):
    """One job on record. Amounts are USD, times UTC; None is "not known".

    `handle` is the local name, which stands for the job where the service's `id` is not known. `request` is empty for
    a job that was adopted, and has placeholders where data URLs were (`redact_request`). `error` is the service's
    reason, or why nothing was sent, or why the outcome is unknown. `target` is the -o of the submit. `final` says
    that the service will not change the job any more. `ended_at` is when its end was seen, and with `watched` so soon
    after it that it tells how long the job took. `was_seen` says that the service has shown it. `answer` holds the raw
    reply until an id is recorded, `answer_status` its HTTP status, which is kept of a refusal. `expected_outputs` is 0
    for a completed job that turned out to have none. With `is_byok` the provider billed the user's own key, and `cost`
    is what OpenRouter billed besides. With `is_id_shared` a job of another endpoint has the same id.
    `profile` is the one whose key bought it. `mark` (one of `MARKS`) and `note` are a person's. `batch_name` is what
    the batch is called, None for one of before names were kept. `frames` says which pictures of the request were taken
    from videos.
    """

    seq: int
    handle: str
    id: str | None
    endpoint: str
    state: State
    created_at: datetime
    status: str | None = None
    final: bool = False
    model: str | None = None
    prompt: str | None = None
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    watched: bool = False
    was_seen: bool = False
    request: Mapping[str, Any] = MappingProxyType({})
    quote: dict[str, Any] | None = None
    cost: Decimal | None = None
    is_byok: bool | None = None
    error: str | None = None
    generation_id: str | None = None
    target: str | None = None
    outputs: tuple[Output, ...] = ()
    expected_outputs: int | None = None
    extra: Mapping[str, Any] = MappingProxyType({})
    batch: str | None = None
    row_key: str | None = None
    row_number: int | None = None
    answer_status: int | None = None
    answer: bytes | None = None
    is_id_shared: bool = False
    profile: str | None = None
    mark: str | None = None
    note: str | None = None
    batch_name: str | None = None
    frames: tuple[FrameSource, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.endpoint, self.profile)

    @property
    def name(self) -> str:
        """What a command line calls the job: the service's id, or the handle.

        The handle also where the id means something to a shell, or another job has it too: the name stands in
        commands that people copy (drill X03).
        """
        is_clear = self.id is not None and not self.is_id_shared and _PLAIN.fullmatch(self.id)
        return self.id if self.id is not None and is_clear else self.handle

    @property
    def service_id(self) -> str:
        """The service's id, only of a job that has one: the service is never asked for a local name (drill J05)."""
        assert self.id is not None, "the job has an id"
        return self.id

    @property
    def is_running(self) -> bool:
        """Whether the service, or a submit that is under way, may still change this job."""
        return self.state in (State.PREPARED, State.SENDING) or (self.state is State.SUBMITTED and not self.final)

    @property
    def is_without_video(self) -> bool:
        return is_without_video(self.final, self.status, self.expected_outputs)

    @property
    def output_count(self) -> int:
        """How many outputs are known of; a job that names none is taken to have one (drill P06)."""
        return max(1, self.expected_outputs or 0, *(output.index + 1 for output in self.outputs))

    @property
    def is_fetched(self) -> bool:
        """Whether every output that is known of is saved; a job that names none is taken to have one (drill P06)."""
        expected = 1 if self.expected_outputs is None else self.expected_outputs
        return sum(output.saved_at is not None for output in self.outputs) >= expected

    @property
    def status_word(self) -> str:
        """The service's status, or, before it has said anything, one of our own words.

        `submitting` (also when it has not begun to send), `outcome_unknown`, `refused`, `not_sent`, and `pending` for
        a job that was accepted without a status (drill M11).
        """
        return self.status or word_of(self.state, self.answer_status)

    def as_json(self) -> dict[str, Any]:
        """Return the documented job object: times in ISO 8601, amounts as JSON numbers, unknown as null.

        `id` is null until the service gave one; `handle` names the job all the same.
        """
        return {
            "id": self.id,
            "handle": self.handle,
            "status": self.status_word,
            "model": self.model,
            "prompt": self.prompt,
            "endpoint": self.endpoint,
            "profile": self.profile,
            "created_at": time_text(self.created_at),
            "ended_at": time_text(self.ended_at),
            "watched": self.watched and self.ended_at is not None,
            "quote": self.quote,
            "cost_usd": money_number(self.cost),
            "is_byok": self.is_byok,
            "error": self.error,
            "outputs": [output.as_json() for output in self.outputs],
            "request": dict(self.request) or None,
            "frames": [frame.as_json() for frame in self.frames],
            "generation_id": self.generation_id,
            "batch": self.batch_name or self.batch,
            "mark": self.mark,
            "note": self.note,
            "extra": dict(self.extra),
        }


def money_number(amount: Decimal | None) -> int | float | None:
    """Return an amount as the JSON number that prints as the amount itself (0.05, not 0.05000000000000000277)."""
    if amount is None or not amount.is_finite():
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def time_text(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond: `2026-11-21T02:38:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shape_of(request: Mapping[str, Any]) -> Shape:
    """Return the shape of a request as it is sent; what it leaves open, or says oddly, is None."""
    duration, audio = request.get("duration"), request.get("generate_audio")
    return Shape(
        _word(request.get("model")),
        _word(request.get("size")) or _word(request.get("resolution")),
        duration if isinstance(duration, int) and not isinstance(duration, bool) and abs(duration) < 2**31 else None,
        audio if isinstance(audio, bool) else None,
        mode_of(request),
    )


def mode_of(request: Mapping[str, Any]) -> str:
    """Return what a request makes its video from; frames win over references (api notes)."""
    if request.get("previous_job_id"):
        return "continuation"
    if request.get("frame_images"):
        return "image"
    return "reference" if request.get("input_references") else "text"


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
