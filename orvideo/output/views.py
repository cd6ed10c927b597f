"""Values to text: what a job, a quote or a failure looks like as a row, a page or a line.

The values are plain mappings in the documented shapes (a job document, a quote document, the fields of a model), so
that what a person sees and what `--json` says come from the same place. Nothing here writes. What is not known is
said to be unknown, or left out: never shown as 0 or "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orvideo.errors import OrvideoError
from orvideo.output.tables import Cell, Column, Row, block
from orvideo.output.text import age, bytes_text, count, cut, elapsed, moment, money_text

if TYPE_CHECKING:
    from orvideo.catalogue.planning import Plan
    from orvideo.record.values import Record, Typical

Lines = list[str | tuple[str, str]]
Table = tuple[Sequence[Column], list[Row]]

_STATUS_STYLES = {
    "completed": "good",
    "failed": "bad",
    "cancelled": "bad",
    "expired": "bad",
    "not_sent": "faint",
    "refused": "bad",
    "outcome_unknown": "unsure",
}


def status_style(status: str) -> str | None:
    """Return the style a status is shown in; a word not known to orvideo is a job that goes on."""
    return _STATUS_STYLES.get(status, "busy")


# Jobs


def jobs_table(jobs: Iterable[Mapping[str, Any]], now: datetime) -> Table:
    """Return the table of `orvideo jobs`. In a pipe: id, status, model, created_at, USD, first path, prompt."""
    return _table(jobs, now, "prompt")


def status_table(jobs: Iterable[Mapping[str, Any]], now: datetime) -> Table:
    """Return the table of `orvideo status`. In a pipe: id, status, model, created_at, USD, first path, error."""
    return _table(jobs, now, "error")


def _table(jobs: Iterable[Mapping[str, Any]], now: datetime, last: str) -> Table:
    columns = [
        Column("JOB"),
        Column("STATUS", paint=status_style),
        Column("MODEL", priority=4, flexible=True, least=16),
        Column("AGE", right=True, priority=3),
        Column("COST", right=True, priority=2),
        Column("FILE", priority=5, flexible=True),
        Column(last.upper(), priority=1, flexible=True, least=20),
    ]
    rows: list[Row] = []
    for job in jobs:
        created, cost = datetime.fromisoformat(job["created_at"]), amount(job["cost_usd"])
        # A job under way has no cost yet; one that is done and has none is a thing to know.
        unpriced = "unknown" if job["status"] == "completed" else ""
        rows.append(
            [
                job_name(job),
                job["status"],
                job["model"] or "",
                Cell(age((now - created).total_seconds()), moment(created)),
                Cell(unpriced, "") if cost is None else Cell(money_text(cost), str(cost)),
                _file(job),
                job[last] or "",
            ]
        )
    return columns, rows


def job_page(job: Mapping[str, Any], now: datetime) -> Lines:
    """Return everything about one job, for `orvideo jobs show`."""

    def when(name: str) -> str:
        time = datetime.fromisoformat(job[name]) if job[name] else None
        return f"{moment(time)} ({age((now - time).total_seconds())} ago)" if time else ""

    pairs = [
        ("job", job_name(job)),
        ("status", job["status"]),
        ("error", cut(job["error"] or "")),
        ("model", job["model"]),
        ("prompt", job["prompt"]),
        ("request", request_summary(job["request"] or {})),
        ("created", when("created_at")),
        ("ended" if job["watched"] else "end seen", when("ended_at")),
        ("took", _took(job) if job["watched"] else ""),
        ("quote", quote_text(job["quote"]) if job["quote"] else ""),
        ("cost", money_text(amount(job["cost_usd"]))),
        ("endpoint", job["endpoint"]),
        ("generation", job["generation_id"]),
        ("answer", _answer_text(job["answer"]) if job["answer"] else ""),
    ]
    files = [("file", _output_text(output)) for output in job["outputs"]]
    return [(label, text) for label, text in [*pairs, *files] if text]


def finished_line(job: Mapping[str, Any]) -> str:
    """Return one line for the end of a job: `ID: completed in 0:41, $0.12`."""
    cost = amount(job["cost_usd"])
    price = money_text(cost) if cost is not None else "cost unknown"
    quoted = f" (quoted {quote_text(job['quote'])})" if job["quote"] else ""
    return f"{job_name(job)}: {end_text(job)}, {price}{quoted}"


def end_text(job: Mapping[str, Any]) -> str:
    """Return how a job ended, with how long it took only where its end was watched (finding B05).

    `completed in 0:41`, or `completed (seen after 1:15)` for a job that nobody had looked at meanwhile.
    """
    status, took = job["status"], _took(job)
    if took and job["watched"]:
        return f"{status} in {took}"
    # When a job from elsewhere was submitted is not known.
    return f"{status} (seen after {took})" if took and job["request"] else status


#: Under which names a service tells of a job's progress, and how much is shown of it, in characters.
_PROGRESS_NAMES = (
    "progress", "progress_percent", "percent", "queue_position", "position", "eta", "stage", "message",
)  # fmt: skip
_MOST_OF_ONE, _MOST_OF_ALL = 40, 80
_LARGEST = 10**15


def service_progress(extra: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Return what the service says of a job's progress, in its own words, each of bounded length (finding B11)."""
    found: dict[str, str | int | float] = {}
    for name in _PROGRESS_NAMES:
        value = extra.get(name)
        if isinstance(value, str) and value:
            found[name] = cut(value, _MOST_OF_ONE)
        elif isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST:
            found[name] = value
    return found


def service_progress_text(progress: Mapping[str, str | int | float]) -> str:
    """Return ` (service: progress 40, queue_position 3)` to stand behind a status, or nothing."""
    words = ", ".join(f"{name} {value}" for name, value in progress.items())
    return f" (service: {cut(words, _MOST_OF_ALL)})" if words else ""


def kept_answer(record: Record) -> dict[str, Any] | None:
    """Return the raw answer that is kept of a submit without an id: its HTTP status and body, None where none came.

    The body has no key in it, and is cut at 2,000 characters (finding B11).
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
    """Return what a job is called: the service's id, else the record's own name for it."""
    name: str = job["id"] or job["handle"]
    return name


def _file(job: Mapping[str, Any]) -> Cell:
    paths = [output["path"] for output in job["outputs"] if output["path"]]
    if not paths:
        return Cell("", "")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Cell(paths[0].rstrip("/").rsplit("/", 1)[-1] + more, paths[0])


def _output_text(output: Mapping[str, Any]) -> str:
    path, size = output["path"], output["bytes"]
    return f"{path} ({bytes_text(size)})" if path and size is not None else path or "not downloaded"


def _took(job: Mapping[str, Any]) -> str:
    if not job["ended_at"]:
        return ""
    seconds = (datetime.fromisoformat(job["ended_at"]) - datetime.fromisoformat(job["created_at"])).total_seconds()
    return elapsed(seconds) if seconds >= 0 else ""


# Quotes


def plan_lines(
    planned: Plan, *, endpoint: str | None = None, sandbox: bool = False, evidence: Typical | None = None
) -> list[str]:
    """Return what is said before money is spent: the choices made for the user, the price, and where it goes.

    `endpoint` is a base URL that is not the usual one (drill N17); in the sandbox nothing is charged. `evidence` is
    what such jobs really cost and took before.
    """
    quote = planned.quote.as_json()
    lines = [("chosen", choice) for choice in planned.choices]
    lines.append(("quote", f"{quote_text(quote)} for {request_summary(planned.request.body())}"))
    lines += [("why", reason) for reason in quote["reasons"]]
    if evidence is not None and evidence.found:
        lines.append(("before", evidence_text(evidence)))
    if sandbox:
        lines.append(("to", "the sandbox: nothing is charged"))
    elif endpoint:
        lines.append(("to", endpoint))
    before = ["", *(label for label, _ in lines[:-1])]
    once = [("" if label == last else label, text) for last, (label, text) in zip(before, lines, strict=True)]
    return list(block(once))


def evidence_text(typical: Typical) -> str:
    """Return what such jobs really cost and took: `3 such jobs cost $0.12 each and took about 0:41`."""
    jobs = count(typical.found, "such job", "such jobs")
    facts = []
    if typical.cost is not None:
        each = " each" if typical.priced > 1 and typical.cost_low == typical.cost_high else ""
        facts.append(f"cost {money_text(typical.cost)}{each}{range_text(typical.cost_low, typical.cost_high)}")
    if typical.seconds is not None:
        facts.append(f"took about {elapsed(typical.seconds)}")
    return f"{jobs} {' and '.join(facts)}" if facts else f"{jobs} finished"


def quote_text(quote: Mapping[str, Any]) -> str:
    """Return `$0.12 exact`, `~$0.14 ($0.10 to $0.19)` or `unknown price`; never $0 for unknown (drill M29)."""
    usd, low, high = (amount(quote.get(name)) for name in ("usd", "low", "high"))
    if quote.get("kind") == "exact" and usd is not None:
        return f"{money_text(usd)} exact"
    if quote.get("kind") == "about" and usd is not None:
        return money_text(usd, about=True) + range_text(low, high)
    return "unknown price" + (f", at least {money_text(low)}" if low else "")


def range_text(low: Decimal | None, high: Decimal | None) -> str:
    """Return ` ($0.10 to $0.19)` to stand behind a price, or nothing where there is no such range."""
    return f" ({money_text(low)} to {money_text(high)})" if None not in (low, high) and low != high else ""


def request_summary(request: Mapping[str, Any]) -> str:
    """Return what a request asks for in a few words: `google/veo-3.1-lite, 4 s, 720p, 16:9, silent`."""
    audio = request.get("generate_audio")
    sound = ("with sound" if audio else "silent") if isinstance(audio, bool) else ""
    duration, seed = request.get("duration"), request.get("seed")
    factor, creativity = request.get("upscale_factor"), request.get("creativity")
    images = [image for image in request.get("frame_images") or () if isinstance(image, Mapping)]
    frames = [text_of(image.get("frame_type")).replace("_", " ") for image in images]
    references = len(request.get("input_references") or ())
    parts = [
        text_of(request.get("model")),
        f"{duration} s" if duration is not None else "",
        text_of(request.get("size")) or text_of(request.get("resolution")),
        text_of(request.get("aspect_ratio")),
        f"{factor:g} x larger" if isinstance(factor, int | float) else "",
        f"creativity {creativity}" if creativity is not None else "",
        sound,
        *frames,
        count(references, "reference") if references else "",
        f"continuing {text_of(request.get('previous_job_id'))}" if request.get("previous_job_id") else "",
        f"seed {seed}" if seed is not None else "",
    ]
    return ", ".join(part for part in parts if part)


# Failures


def error_lines(error: OrvideoError) -> list[tuple[str, str]]:
    """Return `(label, text)` pairs in the order they are shown: the error, others' words, the job, what to type next.

    The words of the service and of the provider are given whole (cut at 2,000 characters) unless the message already
    has them. The text is not yet made visible.
    """
    lines = [("error", error.message), *_words_of_others(error)]
    said = "\n".join([error.message, error.hint or "", error.resume or ""])
    if error.job_id and error.job_id not in said:
        lines.append(("job", error.job_id))
    if error.hint:
        lines.append(("hint", error.hint))
    if error.resume and error.resume not in (error.hint or ""):
        lines.append(("hint", error.resume))
    return lines


def error_document(error: OrvideoError) -> dict[str, Any]:
    """Return `{"error": {...}}` with the documented fields; the words of others are part of `message`."""
    body = error.as_json()
    words = [text for _, text in _words_of_others(error)]
    body["message"] = "\n".join([error.message, *words])
    return {"error": body}


def _words_of_others(error: OrvideoError) -> list[tuple[str, str]]:
    reply = error.reply
    if reply is None:
        return []
    lines: list[tuple[str, str]] = []
    if reply.message and cut(reply.message).rstrip("….") not in error.message:
        lines.append(("service", cut(reply.message)))
    if reply.provider_message and reply.provider_message not in error.message:
        who = f"{reply.provider}: " if reply.provider else ""
        lines.append(("provider", who + cut(reply.provider_message)))
    reasons = [reason for reason in reply.reasons if reason not in error.message]
    if reasons:
        lines.append(("reasons", cut(", ".join(reasons))))
    if reply.ray and reply.ray not in error.message:
        lines.append(("ray", cut(reply.ray, 120)))
    return lines


# Small forms


def amount(usd: float | None) -> Decimal | None:
    """Return the money of a document as Decimal, with the digits that it is printed with."""
    return None if usd is None else Decimal(str(usd))


def text_of(value: Any) -> str:
    return "" if value is None else str(value)
