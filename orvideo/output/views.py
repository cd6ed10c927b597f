"""Values to text: what a job, a model or a quote looks like as a row, a page or a line.

The values are plain mappings in the documented shapes (a job document, a quote document, the fields of a model), so
that what a person sees and what `--json` says come from the same place. Nothing here writes. What is not known is
said to be unknown, or left out: never shown as 0 or "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from orvideo.output.tables import Cell, Column, Row
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
    "outcome_unknown": "unsure",
}


def status_style(status: str) -> str | None:
    """Return the style a status is shown in; a word not known to orvideo is a job that goes on."""
    return _STATUS_STYLES.get(status, "busy")


# Jobs


def jobs_table(jobs: Iterable[Mapping[str, Any]], now: datetime) -> Table:
    """Return the table of `orvideo jobs`. In a pipe: id, status, model, created_at, USD, first path, prompt."""
    columns = [
        *_job_columns(),
        Column("FILE", priority=5, flexible=True),
        Column("PROMPT", priority=1, flexible=True, least=20),
    ]
    return columns, [[*_job_cells(job, now), _file(job), _text(job.get("prompt"))] for job in jobs]


def status_table(jobs: Iterable[Mapping[str, Any]], now: datetime) -> Table:
    """Return the table of `orvideo status`. In a pipe: id, status, model, created_at, USD, first path, error."""
    columns = [
        *_job_columns(),
        Column("FILE", priority=5, flexible=True),
        Column("ERROR", priority=1, flexible=True, least=20),
    ]
    return columns, [[*_job_cells(job, now), _file(job), _text(job.get("error"))] for job in jobs]


def job_page(job: Mapping[str, Any], now: datetime) -> Lines:
    """Return everything about one job, for `orvideo jobs show`."""
    request = job.get("request") or {}
    pairs = [
        ("job", job_name(job)),
        ("status", _text(job.get("status")) or "unknown"),
        ("error", cut(_text(job.get("error")))),
        ("model", _text(job.get("model"))),
        ("prompt", _text(job.get("prompt"))),
        ("request", request_summary(request)),
        ("created", _moment_and_age(job.get("created_at"), now)),
        ("ended" if job.get("watched") else "end seen", _moment_and_age(job.get("ended_at"), now)),
        ("took", _took(job) if job.get("watched") else ""),
        ("quote", quote_text(job["quote"]) if job.get("quote") else ""),
        ("cost", money_text(amount(job.get("cost_usd")))),
        ("endpoint", _text(job.get("endpoint"))),
        ("generation", _text(job.get("generation_id"))),
        ("answer", _answer_text(job.get("answer"))),
    ]
    files = [("file", _output_text(output)) for output in job.get("outputs") or ()]
    return [(label, text) for label, text in [*pairs, *files] if text]


def finished_line(job: Mapping[str, Any]) -> str:
    """Return one line for the end of a job: `ID: completed in 0:41, $0.12`."""
    cost = amount(job.get("cost_usd"))
    parts = [f"{job_name(job)}: {end_text(job)}"]
    parts.append(money_text(cost) if cost is not None else "cost unknown")
    if job.get("quote"):
        parts[-1] += f" (quoted {quote_text(job['quote'])})"
    return ", ".join(parts)


def end_text(job: Mapping[str, Any]) -> str:
    """Return how a job ended, with how long it took only where its end was watched (finding B05).

    `completed in 0:41`, or `completed (seen after 1:15)` for a job that nobody had looked at meanwhile.
    """
    status, took = _text(job.get("status")) or "unknown", _took(job)
    if took and job.get("watched"):
        return f"{status} in {took}"
    # When a job from elsewhere was submitted is not known.
    return f"{status} (seen after {took})" if took and job.get("request") else status


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


def _answer_text(answer: Mapping[str, Any] | None) -> str:
    if not answer:
        return ""
    status = answer.get("status")
    return (f"HTTP {status}: " if status is not None else "") + (_text(answer.get("body")) or "nothing in it")


def job_name(job: Mapping[str, Any]) -> str:
    """Return what a job is called: the service's id, else the record's own name for it."""
    return _text(job.get("id")) or _text(job.get("handle")) or "unknown"


def _job_columns() -> list[Column]:
    return [
        Column("JOB"),
        Column("STATUS", paint=status_style),
        Column("MODEL", priority=4, flexible=True, least=16),
        Column("AGE", right=True, priority=3),
        Column("COST", right=True, priority=2),
    ]


def _job_cells(job: Mapping[str, Any], now: datetime) -> list[str | Cell]:
    created = _when(job.get("created_at"))
    status = _text(job.get("status")) or "unknown"
    cost = amount(job.get("cost_usd"))
    # A job under way has no cost yet; one that is done and has none is a thing to know.
    unpriced = "unknown" if status == "completed" else ""
    return [
        job_name(job),
        status,
        _text(job.get("model")),
        Cell(age((now - created).total_seconds()), moment(created)) if created else Cell("?", ""),
        Cell(unpriced, "") if cost is None else Cell(money_text(cost), str(cost)),
    ]


def _file(job: Mapping[str, Any]) -> Cell:
    paths = [path for path in (_text(output.get("path")) for output in job.get("outputs") or ()) if path]
    if not paths:
        return Cell("", "")
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return Cell(paths[0].rstrip("/").rsplit("/", 1)[-1] + more, paths[0])


def _output_text(output: Mapping[str, Any]) -> str:
    path = _text(output.get("path"))
    size = output.get("bytes")
    return f"{path} ({bytes_text(size)})" if path and isinstance(size, int) else path or "not downloaded"


def _took(job: Mapping[str, Any]) -> str:
    created, ended = _when(job.get("created_at")), _when(job.get("ended_at"))
    return elapsed((ended - created).total_seconds()) if created and ended and ended >= created else ""


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
    lines += [("why", _text(reason)) for reason in quote["reasons"]]
    if evidence is not None and evidence.found:
        lines.append(("before", evidence_text(evidence)))
    if sandbox:
        lines.append(("to", "the sandbox: nothing is charged"))
    elif endpoint:
        lines.append(("to", endpoint))
    return _labelled_once(lines)


def evidence_text(typical: Typical) -> str:
    """Return what such jobs really cost and took: `3 such jobs cost $0.12 each and took about 0:41`."""
    jobs = count(typical.found, "such job", "such jobs")
    facts = []
    if typical.cost is not None and typical.cost_low == typical.cost_high:
        facts.append(f"cost {money_text(typical.cost)}" + (" each" if typical.priced > 1 else ""))
    elif typical.cost is not None:
        low, high = money_text(typical.cost_low), money_text(typical.cost_high)
        facts.append(f"cost {money_text(typical.cost)} ({low} to {high})")
    if typical.seconds is not None:
        facts.append(f"took about {elapsed(typical.seconds)}")
    return f"{jobs} {' and '.join(facts)}" if facts else f"{jobs} finished"


def _labelled_once(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return aligned lines, a label only on the first of those that share it."""
    listed = list(pairs)
    column = max(len(label) for label, _ in listed) + 2
    lines: list[str] = []
    before = ""
    for label, text in listed:
        lines.append(f"{label + ':' if label != before else '':<{column}}{text}")
        before = label
    return lines


def quote_text(quote: Mapping[str, Any]) -> str:
    """Return `$0.12 exact`, `~$0.14 ($0.10 to $0.19)` or `unknown price`; never $0 for unknown (drill M29)."""
    usd, low, high = (amount(quote.get(name)) for name in ("usd", "low", "high"))
    if quote.get("kind") == "exact" and usd is not None:
        return f"{money_text(usd)} exact"
    if quote.get("kind") == "about" and usd is not None:
        open_ended = low is not None and high is not None and low != high
        return money_text(usd, about=True) + (f" ({money_text(low)} to {money_text(high)})" if open_ended else "")
    return "unknown price" + (f", at least {money_text(low)}" if low else "")


def request_summary(request: Mapping[str, Any]) -> str:
    """Return what a request asks for in a few words: `google/veo-3.1-lite, 4 s, 720p, 16:9, silent`."""
    audio = request.get("generate_audio")
    sound = ("with sound" if audio else "silent") if isinstance(audio, bool) else ""
    duration, seed = request.get("duration"), request.get("seed")
    factor, creativity = request.get("upscale_factor"), request.get("creativity")
    images = [image for image in request.get("frame_images") or () if isinstance(image, Mapping)]
    frames = [_text(image.get("frame_type")).replace("_", " ") for image in images]
    references = len(request.get("input_references") or ())
    parts = [
        _text(request.get("model")),
        f"{duration} s" if duration is not None else "",
        _text(request.get("size")) or _text(request.get("resolution")),
        _text(request.get("aspect_ratio")),
        f"{factor:g} x larger" if isinstance(factor, int | float) else "",
        f"creativity {creativity}" if creativity is not None else "",
        sound,
        *frames,
        count(references, "reference") if references else "",
        f"continuing {_text(request.get('previous_job_id'))}" if request.get("previous_job_id") else "",
        f"seed {seed}" if seed is not None else "",
    ]
    return ", ".join(part for part in parts if part)


# Small forms


def amount(value: Any) -> Decimal | None:
    """Return money in whatever form a document holds it as Decimal; None when it is not a finite amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _when(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _moment_and_age(value: Any, now: datetime) -> str:
    when = _when(value)
    return f"{moment(when)} ({age((now - when).total_seconds())} ago)" if when else ""
