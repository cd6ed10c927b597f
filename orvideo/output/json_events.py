"""The JSON objects of `--events`, one a line, as pydantic models. `json_schema` makes docs/schema.json from them."""

from __future__ import annotations

from typing import Literal

from orvideo.output.json_documents import Document, ErrorBody, Price, Sha256, Time, Totals


class _Event(Document):
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
