"""The JSON documents of `--json`, as pydantic models. `json_schema` makes docs/schema.json from them.

A release may add fields. It removes, renames or redefines one only with a new major version.

The file is longer than 400 lines because it is that whole contract, and is read beside docs/json.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Document(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Quote(Document):
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


class Output(Document):
    """One video of a job."""

    index: int
    path: str | None
    """Where it was saved, absolute; null when it went to a pipe or was not fetched."""
    bytes: int | None
    sha256: Sha256 | None


class FrameSource(Document):
    """A picture of a request that was a frame of a video."""

    use: Literal["first_frame", "last_frame", "reference"]
    number: int
    """Its place in `frame_images`, or for a reference in `input_references`, from 0."""
    job: str | None
    """The job whose video it was: its id, or its local name where the id is not clear."""
    output: int
    """Which of the job's videos."""
    file: str | None
    """The video where no job was named, absolute."""
    at: str
    """The moment: first, last, or a time such as 2.5s."""
    sha256: Sha256
    """The video's."""
    named: str | None
    """How the line named the job where that was a place in the list, such as @1."""


class Job(Document):
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
    profile: str | None
    """The profile whose key bought it; null where none was selected."""
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
    frames: list[FrameSource]
    """Which of its pictures were frames of videos."""
    generation_id: str | None
    batch: str | None
    """The name of the batch that it is a row of, or the path of the batch's file, or the record's own name for it; null
    for a job of no batch."""
    mark: Literal["keep", "reject"] | None
    """What a person marked it as (`orvideo jobs mark`)."""
    note: str | None
    """A person's note on it, one line."""
    extra: dict[str, Any]
    """What the service sent beyond what orvideo knows."""


class Answer(Document):
    """The service's answer to a submit, as it came, kept until an id is found in it."""

    status: int | None
    """The HTTP status."""
    body: str
    """Without keys, cut at 2,000 characters."""


class ShownJob(Job):
    """A job, and what is kept of it where its submit has no known outcome."""

    answer: Answer | None
    """Null where no answer came, and for every job that has an id."""


class DryRun(Document):
    """What would be sent, and what it would cost."""

    request: dict[str, Any]
    quote: Quote
    frames: list[FrameSource]


class ErrorBody(Document):
    """How a command failed."""

    kind: str
    """One word for each exit code: usage, no_video, auth, money, rejected, unavailable, still_running,
    outcome_unknown, not_fetched, record, bad_reply, output_exists, output_unwritable, unsafe, batch_incomplete,
    not_started, interrupted, bug."""
    message: str
    hint: str | None
    """What to do next, for a person."""
    exit_code: int
    charged: Literal["no", "yes", "unknown"]
    job_id: str | None
    resume: str | None
    """The command that goes on."""


class Error(Document):
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


class Spending(Document):
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


class Marked(Document):
    """A job that was marked, and how it is marked now."""

    id: str | None
    handle: str
    mark: Literal["keep", "reject"] | None
    note: str | None


class Forgotten(Document):
    """A job that is no longer on record."""

    id: str | None
    handle: str


class Setting(Document):
    """A setting, its value as a person would type it (a key: masked), and who said so."""

    name: str
    value: str | None
    source: Literal["flag", "environment", "command", "keyring", "store", "default"]
    where: str | None
    """The variable, the file, or the table of a profile that it comes from; of a key also the command or keyring."""
    beaten: list[str]
    """Where else a key is that is not used; empty for other settings."""


class ListedSetting(Setting):
    """A setting in the list of all."""

    problem: str | None
    """Why its value cannot be used."""


class Profile(Document):
    """A profile of the settings."""

    name: str
    active: bool
    """Whether this command line selects it."""
    base_url: str | None
    key: str | None
    """The key, masked; null where the profile has none of its own."""
    key_from: str | None
    problem: str | None
    """Why its settings or its key cannot be used."""


class StoredSetting(Document):
    """A setting that was stored."""

    name: str
    value: str


class StoredKey(StoredSetting):
    """A key that was stored; `value` is masked."""

    accepted: bool | None
    """Whether the service accepts it; null when it could not be asked."""


class Key(Document):
    """The key that is used, or that was stored, and what the service says of it; amounts in USD."""

    key: str | None
    """Its last four characters; null for the sandbox's own."""
    source: str
    """Who said so: environment, store, sandbox, or a word that is new."""
    where: str | None
    """The variable or file that it comes from."""
    base_url: str
    """The base URL that it is for, or sandbox."""
    accepted: bool | None
    """Whether the service accepts it; null when it did not say."""
    label: str | None
    """The key's name at the service."""
    limit_usd: float | None
    left_usd: float | None
    """What may still be spent with it; null without a limit, and where that is not known."""
    limit_reset: str | None
    """When the limit begins anew, in the service's word: daily, weekly, monthly."""
    expires_at: Time | None


class LoggedOut(Document):
    """Whether a stored key was forgotten."""

    removed: bool
    revoke_at: str
    """The page where the service can be told to take it no more."""


class UnsetSetting(Document):
    """A setting that is no longer stored."""

    name: str
    removed: bool


class Folder(Document):
    """The folder of the settings."""

    path: str


class Check(Document):
    """One thing that doctor looked at."""

    name: str
    ok: bool
    detail: str
    hint: str | None


class Gallery(Document):
    """A page that was written, or is served."""

    path: str | None
    """Where it is, absolute; null where it is served, or no job passes, so that none was written."""
    url: str | None
    """Where it is served (--serve); whoever knows it may look, and set marks."""
    jobs: int
    videos: int
    """How many videos are on it; what is not on this disk is not counted."""


class Sandbox(Document):
    """Where the sandbox serves."""

    base_url: str
    key: str
    speed: float


class Fault(Document):
    """A way for the sandbox to misbehave."""

    fault: str
    does: str


class ExitCode(Document):
    """An exit code."""

    code: int
    meaning: str
    charged: str


class Variable(Document):
    """An environment variable."""

    variable: str
    meaning: str


class Text(Document):
    """A page of text."""

    text: str


class CompletionInstalled(Document):
    """What became of a shell's completion script."""

    shell: str
    path: str | None
    changed: bool
    notes: list[str]


class CompletionScript(Document):
    """A completion script."""

    shell: str
    script: str


class Row(Document):
    """What became of one row of a batch."""

    row: int
    line: int
    name: str | None
    after: list[int]
    """The rows that it takes pictures from, by their numbers."""
    status: str
    """The job's status, refused, not_submitted, or waiting: for a row of `after` that has no video."""
    id: str | None
    handle: str | None
    profile: str | None
    """The profile whose key bought it; null where none was selected, or nothing was bought."""
    prompt: str | None
    path: str | None
    paths: list[str]
    quote: Quote | None
    cost_usd: float | None
    is_byok: bool | None
    seconds: float | None
    """How long the service took; null where the end was not watched."""
    error: str | None


class Price(Document):
    """What the rows that are to be bought will cost together, in USD: how many quotes are of which kind, and sums."""

    rows: int
    listed: int
    about: int
    unknown: int
    usd: float | None
    """The sum of what is known."""
    low: float | None
    high: float | None


class PlannedRow(Document):
    """A row that is to be bought."""

    row: int
    line: int
    after: list[int]
    """The rows that it takes pictures from, by their numbers; `row:3:last` stands in their places in the request."""
    request: dict[str, Any]
    quote: Quote
    output: str
    frames: list[FrameSource]


class BatchPlan(Document):
    """What a batch would send, and what it would cost."""

    rows: list[PlannedRow]
    price: Price


class Totals(Document):
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


class JoinedClip(Document):
    """One video in a film."""

    source: str
    """The id of the job that made it, else the name of its file."""
    path: str
    """The video's file, absolute."""
    start: float
    """When it begins in the film, in seconds."""
    seconds: float
    """How long it is shown; a crossfade belongs to both videos."""
    frames: int
    """How many frames of it the film has."""
    repeated_left_out: bool
    """Whether it goes on from the last frame of the video before, and the film has that frame once."""


class SavedFilm(Document):
    """A film on this disk."""

    path: str
    """Where it was saved, absolute."""
    bytes: int
    sha256: Sha256


class FilmThatWasHere(SavedFilm):
    """The film of a batch that was made before."""

    was_here: Literal[True]


class JoinedFilm(SavedFilm):
    """A film that was made of several videos."""

    was_here: Literal[False]
    seconds: float
    frames: int
    """The sum of what the clips have; less where they are crossfaded."""
    reencoded: bool
    """Whether the frames were encoded anew; else they are the videos' own, bit for bit."""
    sound_reencoded: bool
    """Whether the sound was encoded anew."""
    reasons: list[str]
    """Why frames or sound were encoded anew; empty where neither was."""
    clips: list[JoinedClip]


class Batch(Document):
    """What became of a batch."""

    rows: list[Row]
    totals: Totals
    film: JoinedFilm | FilmThatWasHere | None
    """What --join made, or had made before; null where it was not asked for, and where a row has no video."""
