"""Jobs as text: the page of one job, the line at its end, what it cost, and the progress that the service reports.

A job is the document that `--json` shows. What is not known is said to be unknown or left out, never shown as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orvideo.money import exact_money_text, exceeds_quote, money_text
from orvideo.output.quote_text import amount, quote_text, request_summary
from orvideo.output.text import age, bytes_text, cut, elapsed, iso_time, local_time
from orvideo.record.frames import FrameSource
from orvideo.record.values import SANDBOX

if TYPE_CHECKING:
    from orvideo.record.values import Record

Lines = list[str | tuple[str, str]]


#: The cost of a job that the provider billed to the user's own account there (finding A11).
OWN_KEY = "billed to your own provider key"


def cost_text(job: Mapping[str, Any]) -> str:
    """Return what a job cost: `$0.12`, `$0.12 in the sandbox`, `billed to your own provider key`, `cost unknown`."""
    cost = amount(job["cost_usd"])
    if job["is_byok"]:
        return OWN_KEY if not cost else f"{money_text(cost)}, and the rest {OWN_KEY}"
    if cost is None:
        return "cost unknown"
    return money_text(cost) + (" in the sandbox" if job["endpoint"] == SANDBOX else "")


def charge_text(job: Mapping[str, Any]) -> str:
    """Return what a job was charged as a sentence, empty where the service did not say (finding A11)."""
    if job["is_byok"]:
        return f"It was {OWN_KEY}."
    return f"It was charged {cost_text(job)}." if job["cost_usd"] is not None else ""


def overrun_text(record: Record) -> str | None:
    """Return a text if a job was billed more than its quote, else None (finding A05)."""
    from orvideo.record.rows import quoted_most

    cost, quoted = record.cost, quoted_most(record.quote)
    if cost is None or quoted is None or not exceeds_quote(cost, quoted):
        return None
    billed, most = money_text(cost), money_text(quoted)
    if billed == most:
        billed, most = exact_money_text(cost), exact_money_text(quoted)
    return f"billed {billed}, more than its quote of {most}; the next quote of such a job takes that into account"


def job_page(job: Mapping[str, Any], now: datetime) -> Lines:
    """Return everything about one job, for `orvideo jobs show`."""

    def when(name: str) -> str:
        time = datetime.fromisoformat(job[name]) if job[name] else None
        return f"{iso_time(time)} ({local_time(time)}{age((now - time).total_seconds())} ago)" if time else ""

    pairs = [
        ("job", job_name(job)),
        ("status", job["status"]),
        ("error", cut(job["error"] or "")),
        ("model", job["model"]),
        ("prompt", job["prompt"]),
        ("request", request_summary(job["request"] or {})),
        *(_frame_line(frame) for frame in job["frames"]),
        ("created", when("created_at")),
        ("ended" if job["watched"] else "end seen", when("ended_at")),
        ("took", _took(job) if job["watched"] else ""),
        ("quote", quote_text(job["quote"]) if job["quote"] else ""),
        ("cost", cost_text(job).removeprefix("cost ")),
        ("endpoint", job["endpoint"]),
        ("profile", job["profile"]),
        ("generation", job["generation_id"]),
        ("answer", _answer_text(job["answer"]) if job["answer"] else ""),
    ]
    files = [("file", _output_text(output)) for output in job["outputs"]]
    return [(label, text) for label, text in [*pairs, *files] if text]


def finished_line(job: Mapping[str, Any]) -> str:
    """Return the line at the end of a job: `ID: completed in 0:41, $0.12`."""
    quoted = f" (quoted {quote_text(job['quote'])})" if job["quote"] else ""
    return f"{job_name(job)}: {end_text(job)}, {cost_text(job)}{quoted}"


def end_text(job: Mapping[str, Any]) -> str:
    """Return `completed in 0:41`, or `completed (seen after 1:15)` if its end was not watched (finding B05)."""
    status, took = job["status"], _took(job)
    if took and job["watched"]:
        return f"{status} in {took}"
    # It is not known when an adopted job was submitted.
    return f"{status} (seen after {took})" if took and job["request"] else status


#: The fields in which a service reports progress, and how many characters of them are shown.
_PROGRESS_NAMES = (
    "progress", "progress_percent", "percent", "queue_position", "position", "eta", "stage", "message",
)  # fmt: skip

_MOST_OF_ONE, _MOST_OF_ALL = 40, 80

_LARGEST = 10**15


def service_progress(extra: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Return the progress that the service reports, as it names it and of bounded length (finding B11)."""
    found: dict[str, str | int | float] = {}
    for name in _PROGRESS_NAMES:
        value = extra.get(name)
        if isinstance(value, str) and value:
            found[name] = cut(value, _MOST_OF_ONE)
        elif isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
            found[name] = value
    return found


def service_progress_text(progress: Mapping[str, str | int | float]) -> str:
    """Return ` (service: progress 40, queue_position 3)` to put behind a status, or an empty text."""
    words = ", ".join(f"{name} {value}" for name, value in progress.items())
    return f" (service: {cut(words, _MOST_OF_ALL)})" if words else ""


def kept_answer(record: Record) -> dict[str, Any] | None:
    """Return the HTTP status and body of the answer to a submit without an id, None if none came (finding B11).

    Keys in the body are hidden, and it is cut at 2,000 characters.
    """
    from orvideo.api.redaction import Redactor

    if record.answer is None:
        return None
    body = Redactor(None).text(record.answer.decode("utf-8", "replace"))
    return {"status": record.answer_status, "body": cut(body)}


def _answer_text(answer: Mapping[str, Any]) -> str:
    status = "" if answer["status"] is None else f"HTTP {answer['status']}: "
    return status + (answer["body"] or "nothing in it")


def job_name(job: Mapping[str, Any]) -> str:
    """Return the name of a job: the id of the service, else the local handle."""
    name: str = job["id"] or job["handle"]
    return name


def short_name(job: Mapping[str, Any]) -> str:
    """Return the last characters of a job's name, which commands accept as well (finding C11)."""
    last = job_name(job).rpartition("-")[2]
    return last[-8:] if len(last) >= 8 else job_name(job)


def _frame_line(frame: Mapping[str, Any]) -> tuple[str, str]:
    return frame["use"].replace("_", " "), FrameSource.from_json(frame).text


def _output_text(output: Mapping[str, Any]) -> str:
    path, size = output["path"], output["bytes"]
    return f"{path} ({bytes_text(size)})" if path and size is not None else path or "not downloaded"


def _took(job: Mapping[str, Any]) -> str:
    if not job["ended_at"]:
        return ""
    seconds = (datetime.fromisoformat(job["ended_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()
    return elapsed(seconds) if seconds >= 0 else ""
