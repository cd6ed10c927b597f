"""The JSON that scripts rely on, as models: `docs/schema.json` is made from them, and tests hold the program to them.

Fields may be added in any release; none is removed, renamed or given another meaning without a new major version.
Nothing at run time needs this module: `orvideo help schema` prints what it says, and tests compare.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Object(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Quote(_Object):
    """What a request will cost, in USD, and how far that is known."""

    kind: Literal["listed", "about", "unknown"]
    """listed: the price list's own figure; about: an estimate. Only a bill is a true price."""
    usd: float | None
    """The price, or the best estimate of it; null when it is unknown."""
    low: float | None
    high: float | None
    """The most it may cost, where that is more than `usd`: limits are held against it. What such jobs were billed
    before raises it."""
    reasons: list[str]
    """Why the bill may differ."""


class Output(_Object):
    """One video of a job."""

    index: int
    path: str | None
    """Where it was saved, absolute; null when it went to a pipe or was not fetched."""
    bytes: int | None
    sha256: Sha256 | None


class Job(_Object):
    """A job as the local record has it."""

    id: str | None
    """The service's id; null until one was received."""
    handle: str
    """The local name, which every command takes for the job as well."""
    status: str
    """The service's own word (pending, in_progress, completed, failed, cancelled, expired, or one that is new), or
    one of orvideo's: submitting, not_sent (nothing was sent), refused (by the service: nothing was bought),
    outcome_unknown."""
    model: str | None
    prompt: str | None
    endpoint: str
    """The base URL that the job lives at, or sandbox."""
    created_at: Time
    ended_at: Time | None
    """When its end was seen."""
    watched: bool
    """Whether the end was seen soon after it came, so that `ended_at` tells how long the job took."""
    quote: Quote | None
    """What it was quoted at when it was submitted; null for a job from elsewhere."""
    cost_usd: float | None
    """What the service billed; null where it billed the user's own provider key alone."""
    is_byok: bool | None
    """Whether the provider billed the user's own key; null where the service does not say."""
    error: str | None
    """The service's reason, or why nothing was sent, or why the outcome is unknown."""
    outputs: list[Output]
    request: dict[str, Any] | None
    """What was sent; data URLs are replaced by type, length and sha256."""
    generation_id: str | None
    extra: dict[str, Any]
    """What the service sent beyond what orvideo knows."""


class Answer(_Object):
    """The service's answer to a submit, as it came, kept until an id is found in it."""

    status: int | None
    """The HTTP status."""
    body: str
    """Without keys, cut at 2,000 characters."""


class ShownJob(Job):
    """A job, and what is kept of it where its submit has no known outcome."""

    answer: Answer | None
    """Null where no answer came, and for every job that has an id."""


class DryRun(_Object):
    """What would be sent, and what it would cost."""

    request: dict[str, Any]
    quote: Quote


class ErrorBody(_Object):
    """How a command failed."""

    kind: str
    """One word for each exit code: usage, no_video, auth, money, rejected, unavailable, still_running,
    outcome_unknown, not_fetched, record, bad_reply, output_exists, output_unwritable, unsafe, batch_incomplete,
    interrupted, bug."""
    message: str
    hint: str | None
    """What to do next, for a person."""
    exit_code: int
    charged: Literal["no", "yes", "unknown"]
    job_id: str | None
    resume: str | None
    """The command that goes on."""


class Error(_Object):
    """What is on stderr, in one line, when a command fails under --json or --events."""

    error: ErrorBody


class Model(BaseModel):
    """A model as the service describes it: the fields are the service's; what it does not say is missing or null."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow")

    id: str


class PricedModel(Model):
    """A model of the list, with what a second costs at its lowest resolution (USD), the cheapest first."""

    usd_per_second: float | None


class OfferedModel(Model):
    """A model that can make the clip that was asked for, with that clip's price."""

    quote: Quote
    filled_request: dict[str, Any]
    """The request with what was left open filled in."""


class Spending(_Object):
    """What the jobs of one model, day or month cost that pass the filters; each is in one of the four counts."""

    key: str | None
    sandbox: bool
    """Whether these are jobs of the sandbox, which are summed apart: their money is none."""
    cost_usd: float | None
    """The sum of what the service billed; null when that is not known of any."""
    known: int
    """How many jobs have a known cost."""
    unknown: int
    """How many jobs are at their end, or of unknown outcome, and have no known cost."""
    pending: int
    """How many jobs are not at their end."""
    pending_usd: float | None
    """The most that those may cost by their quotes; null when none has one."""
    byok: int
    """How many jobs were billed to the user's own provider key."""


class Forgotten(_Object):
    """A job that is no longer on record."""

    id: str | None
    handle: str


class Setting(_Object):
    """A setting, its value as a person would type it (a key: masked), and who said so."""

    name: str
    value: str | None
    source: Literal["flag", "environment", "store", "default"]
    where: str | None
    """The variable or file that it comes from."""


class ListedSetting(Setting):
    """A setting in the list of all."""

    problem: str | None
    """Why its value cannot be used."""


class StoredSetting(_Object):
    """A setting that was stored."""

    name: str
    value: str


class StoredKey(StoredSetting):
    """A key that was stored; `value` is masked."""

    accepted: bool | None
    """Whether the service accepts it; null when it could not be asked."""


class UnsetSetting(_Object):
    """A setting that is no longer stored."""

    name: str
    removed: bool


class Folder(_Object):
    """The folder of the settings."""

    path: str


class Check(_Object):
    """One thing that doctor looked at."""

    name: str
    ok: bool
    detail: str
    hint: str | None


class Sandbox(_Object):
    """Where the sandbox serves."""

    base_url: str
    key: str
    speed: float


class Fault(_Object):
    """A way for the sandbox to misbehave."""

    fault: str
    does: str


class ExitCode(_Object):
    """An exit code."""

    code: int
    meaning: str
    charged: str


class Variable(_Object):
    """An environment variable."""

    variable: str
    meaning: str


class Text(_Object):
    """A page of text."""

    text: str


class CompletionInstalled(_Object):
    """What became of a shell's completion script."""

    shell: str
    path: str | None
    changed: bool
    notes: list[str]


class CompletionScript(_Object):
    """A completion script."""

    shell: str
    script: str


# --- batch -----------------------------------------------------------------------------------------------------------


class Row(_Object):
    """What became of one row of a batch."""

    row: int
    line: int
    name: str | None
    status: str
    """The job's status, refused, or not_submitted."""
    id: str | None
    handle: str | None
    prompt: str | None
    path: str | None
    paths: list[str]
    quote: Quote | None
    cost_usd: float | None
    is_byok: bool | None
    seconds: float | None
    """How long the service took; null where the end was not watched."""
    error: str | None


class Price(_Object):
    """What the rows that are to be bought will cost together, in USD: how many quotes are of which kind, and sums."""

    rows: int
    listed: int
    about: int
    unknown: int
    usd: float | None
    """The sum of what is known."""
    low: float | None
    high: float | None


class PlannedRow(_Object):
    """A row that is to be bought."""

    row: int
    line: int
    request: dict[str, Any]
    quote: Quote
    output: str


class BatchPlan(_Object):
    """What a batch would send, and what it would cost."""

    rows: list[PlannedRow]
    price: Price


class Totals(_Object):
    """The sums over the rows of a batch."""

    rows: int
    saved: int
    statuses: dict[str, int]
    """How many rows have which status."""
    cost_usd: float
    """What the service billed, as far as that is known."""
    cost_unknown: int
    """How many jobs have no known cost."""
    byok: int
    """How many jobs were billed to the user's own provider key; none of them is in `cost_unknown`."""


class Batch(_Object):
    """What became of a batch."""

    rows: list[Row]
    totals: Totals


# --- events ----------------------------------------------------------------------------------------------------------


class _Event(_Object):
    event: str
    time: Time


class _JobEvent(_Event):
    job_id: str | None
    handle: str


class Waiting(_Event):
    """The service asked for patience before it takes a job; nothing was bought yet."""

    event: Literal["waiting"]
    message: str
    seconds: float


class Submitted(_JobEvent):
    """A job was accepted."""

    event: Literal["submitted"]


class _Status(_Event):
    event: Literal["status"]
    status: str
    progress: dict[str, str | int | float]
    """What the service says of it, under its own names, such as progress or queue_position; mostly empty."""


class Status(_Status, _JobEvent):
    """A job's status, or what the service says of its progress, is another than before."""


class _Missed(_Event):
    event: Literal["missed"]
    message: str
    next_in: float | None


class Missed(_Missed, _JobEvent):
    """A look at a job failed; the next is in `next_in` seconds."""


class Saved(_JobEvent):
    """A video is here, whole."""

    event: Literal["saved"]
    index: int
    path: str | None
    """Null when it went to a pipe."""
    bytes: int
    sha256: Sha256


class Ended(_JobEvent):
    """A job is at its end, and its videos are saved as far as they could be: the last event of a job."""

    event: Literal["ended"]
    status: str
    cost_usd: float | None
    error: str | None


Event = Waiting | Submitted | Status | Missed | Saved | Ended


class _RowEvent(_Event):
    row: int
    line: int
    job_id: str | None


class RowSubmitted(_RowEvent):
    """A row's job was accepted."""

    event: Literal["submitted"]


class RowStatus(_Status, _RowEvent):
    """The status of a row's job, or what the service says of its progress, is another than before."""


class RowMissed(_Missed, _RowEvent):
    """A look at a row's job failed; the next is in `next_in` seconds."""


class RowEnded(_RowEvent):
    """A row is done with: the last event of a row."""

    event: Literal["ended"]
    status: str | None
    cost_usd: float | None
    paths: list[str]
    error: ErrorBody | None


class Stopped(_Event):
    """No more rows are started."""

    event: Literal["stopped"]
    reason: str


class Planned(_Event):
    """A batch was read, checked and priced."""

    event: Literal["planned"]
    rows: int
    price: Price


class BatchEnded(_Event, Totals):
    """A batch is over: the last event."""

    event: Literal["batch_ended"]


BatchEvent = Planned | Waiting | RowSubmitted | RowStatus | RowMissed | RowEnded | Stopped | BatchEnded

#: What stdout has under --json, by the words of the command; `Job | list[Job]` is an object for one job, else an array.
ANSWERS: dict[str, Any] = {
    "submit": Job,
    "submit --dry-run": DryRun,
    "status": list[Job],
    "wait": Job | list[Job],
    "download": Job | list[Job],
    "models": list[PricedModel] | list[OfferedModel],
    "models ID": Model,
    "jobs": list[Job],
    "jobs list": list[Job],
    "jobs --cost": list[Spending],
    "jobs show": ShownJob,
    "jobs show --request": dict[str, Any],
    "jobs show --receipt": list[str],
    "jobs adopt": Job,
    "jobs forget": list[Forgotten],
    "batch": Batch,
    "batch --dry-run": BatchPlan,
    "config list": list[ListedSetting],
    "config get": Setting,
    "config set": StoredSetting,
    "config set api-key": StoredKey,
    "config unset": UnsetSetting,
    "config path": Folder,
    "doctor": list[Check],
    "sandbox": Sandbox,
    "sandbox --list-faults": list[Fault],
    "completion install": CompletionInstalled,
    "completion show": CompletionScript,
    "help": list[str],
    "help exit-codes": list[ExitCode],
    "help environment": list[Variable],
    "help output": Text,
    "help man": Text,
    # And what is no answer of --json: a line of --events; under both, a failure on stderr.
    "--events": Event,
    "batch --events": BatchEvent,
    "on failure": Error,
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of everything: each answer under `$defs` by its command, each object by its name."""
    answers = [(name, "serialization", TypeAdapter(kind)) for name, kind in ANSWERS.items()]
    by_answer, described = TypeAdapter.json_schemas(answers)  # type: ignore[arg-type]
    definitions = {name: by_answer[name, "serialization"] for name in ANSWERS} | described["$defs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The JSON of orvideo",
        "description": (
            "Under $defs: what a command prints under --json, by the command's words; `--events`, a line of that; "
            "`on failure`, stderr when a command fails under either. Times are ISO 8601 in UTC, amounts are USD, "
            "what is not known is null. Fields may be added; ignore those you do not know."
        ),
        "$defs": {name: _tidy(definition) for name, definition in definitions.items()},
    }


def _tidy(value: Any) -> Any:
    """Drop the titles, which repeat the names, and join what the source had to break into lines."""
    if isinstance(value, dict):
        return {
            key: " ".join(item.split()) if key == "description" and isinstance(item, str) else _tidy(item)
            for key, item in value.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_tidy(item) for item in value] if isinstance(value, list) else value
