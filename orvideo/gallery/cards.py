"""What the gallery's page knows of each job: its card."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import quote

from orvideo.money import money_text
from orvideo.output.job_text import cost_text
from orvideo.output.quote_text import amount
from orvideo.output.text import cut, visible
from orvideo.record.values import SANDBOX, Output, Record, State, money_number, time_text
from orvideo.shells import command_line

#: How much of a prompt the page has; a service takes less.
_LONGEST_PROMPT = 20_000


class Picture(TypedDict):
    """A video of a card: `url` is where the page finds it, None when it is not on this disk."""

    url: str | None
    path: str | None
    bytes: int | None


class Card(TypedDict):
    """A job as the page shows it. Texts from elsewhere are visible (`output.text`); what is not known is None.

    `handle` names the card on the page, `name` the job on a command line. `cost` is a text for a person, `cost_usd` the
    bill, and `bill` says what is known of it: known, pending, unknown, own key, or None where nothing was sent (as the
    sums of `orvideo jobs` have it). `size` is `720p 16:9` or `1280x720`. `like` is the line that submits it again,
    `next` the line that goes on with a job that runs, whose video is not on this disk, or whose outcome is unknown.
    `mark` is keep or reject.
    """

    handle: str
    id: str | None
    name: str
    status: str
    is_running: bool
    is_sandbox: bool
    model: str | None
    prompt: str | None
    created_at: str | None
    ended_at: str | None
    duration: int | float | None
    size: str | None
    seed: int | None
    cost: str
    cost_usd: int | float | None
    bill: str | None
    quote: dict[str, Any] | None
    error: str | None
    batch: str | None
    batch_row: int | None
    outputs: list[Picture]
    mark: str | None
    note: str | None
    like: str | None
    next: str | None


#: Says where the page finds a video of a job, None where it is not on this disk.
Address = Callable[[Record, Output], str | None]


def card_of(record: Record, address: Address) -> Card:
    """Return the card of a job."""
    document = record.as_json()
    outputs = [Picture(url=address(record, one), path=_text(one.path), bytes=one.bytes) for one in record.outputs]
    request, bill = record.request, _bill(record)
    return Card(
        handle=record.handle,
        id=_text(record.id),
        name=record.name,
        status=visible(record.status_word),
        is_running=record.is_running,
        is_sandbox=record.endpoint == SANDBOX,
        model=_text(record.model),
        prompt=_text(record.prompt, _LONGEST_PROMPT),
        created_at=time_text(record.created_at),
        ended_at=time_text(record.ended_at),
        duration=_number(request.get("duration")),
        size=_size(request),
        seed=_whole(request.get("seed")),
        cost=_cost(document, bill),
        cost_usd=money_number(record.cost),
        bill=bill,
        quote=record.quote,
        error=_text(record.error),
        batch=_batch(record),
        batch_row=record.row_number,
        outputs=outputs,
        mark=record.mark,
        note=record.note,
        like=_like(record),
        next=_next(record),
    )


def beside(folder: Path) -> Address:
    """Return where a page in a folder finds videos: by a path from there, or the whole one from another drive."""

    def address(record: Record, output: Output) -> str | None:
        path = on_disk(output)
        return url_from(folder, path) if path is not None else None

    return address


def on_disk(output: Output) -> Path | None:
    """Return where a video lies, None where it does not: the name is free now, or a file of another size has it."""
    if output.path is None or output.saved_at is None:
        return None
    path = Path(output.path)
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return path if output.bytes in (None, found.st_size) else None


def is_missing(record: Record) -> bool:
    """Return whether a job has a video, as far as is known, that is not on this disk."""
    has_videos = record.status == "completed" and not record.is_without_video
    return has_videos and sum(on_disk(one) is not None for one in record.outputs) < record.output_count


def url_from(folder: Path, path: Path) -> str:
    """Return the address of a file for a page in a folder."""
    try:
        steps = Path(os.path.relpath(path, folder)).parts
    except ValueError:  # another drive
        return path.as_uri()
    return "/".join(quote(os.fsencode(step), safe="") for step in steps)


def _like(record: Record) -> str | None:
    """Return the line that submits the same again, where it was bought; None where the request is not on record."""
    return _line(record, "submit", "--like", record.name) if record.request else None


def _next(record: Record) -> str | None:
    if record.is_running:
        return _line(record, "wait", record.name) if record.id is not None else None
    if record.state is State.UNKNOWN:
        return _line(record, "jobs", "show", record.name)
    return _line(record, "download", record.name) if is_missing(record) else None


def _line(record: Record, *words: str) -> str:
    """Return a line of orvideo; only a submit has to be told where a job lives, the others know it by the record."""
    where: tuple[str, ...] = ()
    if words[0] == "submit":
        where = (
            ("--sandbox",) if record.endpoint == SANDBOX else ("--profile", record.profile) if record.profile else ()
        )
    return command_line(["orvideo", *words, *where])


def _bill(record: Record) -> str | None:
    if record.state in (State.PREPARED, State.NOT_SENT):
        return None
    if record.is_byok:
        return "own key"
    if record.cost is not None:
        return "known"
    return "unknown" if record.final or record.state is State.UNKNOWN else "pending"


def _cost(document: Mapping[str, Any], bill: str | None) -> str:
    quoted = document["quote"]
    if bill is None:
        return "nothing charged"
    if bill in ("pending", "unknown") and quoted and quoted.get("usd") is not None:
        return f"quoted {money_text(amount(quoted['usd']))}"
    return "not billed yet" if bill == "pending" else cost_text(document)


def _batch(record: Record) -> str | None:
    """Return what a person calls the batch: its name, or that of its file without the folders."""
    name = record.batch_name
    return _text(os.path.basename(name) if name and os.path.isabs(name) else name or record.batch)


def _size(request: Mapping[str, Any]) -> str | None:
    words = [request.get("size") or request.get("resolution"), request.get("aspect_ratio")]
    return " ".join(visible(word) for word in words if isinstance(word, str)) or None


def _text(text: str | None, most: int = 2000) -> str | None:
    return cut(visible(text, multiline=True), most) if text is not None else None


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
