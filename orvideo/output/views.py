"""Values to text: what a job, a quote or a failure looks like as a row, a page or a line.

The values are plain mappings in the documented shapes (a job document, a quote document, the fields of a model), so
that what a person sees and what `--json` says come from the same place. Nothing here writes. What is not known is
said to be unknown, or left out: never shown as 0 or "no".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import compress
from typing import TYPE_CHECKING, Any

from orvideo.errors import OrvideoError
from orvideo.money import exact_money_text, exceeds_quote, money_text
from orvideo.output.tables import Cell, Column, Row, Table, block
from orvideo.output.text import age, bytes_text, count, cut, elapsed, local_time, moment

if TYPE_CHECKING:
    from orvideo.batch.checking import Price
    from orvideo.catalogue.planning import Plan
    from orvideo.catalogue.quote import Quote
    from orvideo.record.values import Record, Spending, Typical

Lines = list[str | tuple[str, str]]

#: The endpoint of a job of the built-in sandbox, whose money is none.
_SANDBOX = "sandbox"
#: What is said of the cost of a job whose provider billed an account of the user's own (finding A11).
OWN_KEY = "billed to your own provider key"

_STATUS_STYLES = {
    "completed": "good",
    "saved": "good",
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


def spending_table(sums: Iterable[Spending], by: str, *, whole: bool) -> Table:
    """Return the table of `orvideo jobs --cost`: unless `whole`, without the counts that are 0 in every row.

    In a pipe: key, USD, jobs billed, of unknown cost, pending, USD that those may cost, billed to an own key, where.
    """
    columns = [
        Column(by.upper(), flexible=True, least=12), Column("COST", right=True), Column("BILLED", right=True),
        Column("UNKNOWN", right=True), Column("PENDING", right=True), Column("QUOTED", right=True),
        Column("OWN KEY", right=True), Column("WHERE"),
    ]  # fmt: skip
    rows: list[Row] = [
        [
            one.key or "unknown",
            _sum_cell(one.cost if one.known or one.cost else None),
            *(str(number) for number in (one.known, one.unknown, one.pending)),
            _sum_cell(one.quoted) if one.pending else Cell("", ""),
            str(one.byok),
            "sandbox" if one.sandbox else "real",
        ]
        for one in sums
    ]
    empty = (Cell("", ""), "0")
    shown = [whole or place in (0, 1, 7) or any(row[place] not in empty for row in rows) for place in range(8)]
    return list(compress(columns, shown)), [list(compress(row, shown)) for row in rows]


def _sum_cell(amount: Decimal | None) -> Cell:
    return Cell(money_text(amount), "" if amount is None else f"{amount:f}")


def cost_text(job: Mapping[str, Any]) -> str:
    """Return what a job cost: `$0.12`, `$0.12 in the sandbox`, `billed to your own provider key`, `cost unknown`."""
    cost = amount(job["cost_usd"])
    if job["is_byok"]:
        return OWN_KEY if not cost else f"{money_text(cost)}, and the rest {OWN_KEY}"
    if cost is None:
        return "cost unknown"
    return money_text(cost) + (" in the sandbox" if job["endpoint"] == _SANDBOX else "")


def charge_text(job: Mapping[str, Any]) -> str:
    """Return what the service said that a job was charged, as a sentence, empty where it did not (finding A11)."""
    if job["is_byok"]:
        return f"It was {OWN_KEY}."
    return f"It was charged {cost_text(job)}." if job["cost_usd"] is not None else ""


def overrun_text(record: Record) -> str | None:
    """Return that a job was billed more than it was quoted at, None where it was not (finding A05)."""
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
        return f"{moment(time)} ({local_time(time)}{age((now - time).total_seconds())} ago)" if time else ""

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
        ("cost", cost_text(job).removeprefix("cost ")),
        ("endpoint", job["endpoint"]),
        ("generation", job["generation_id"]),
        ("answer", _answer_text(job["answer"]) if job["answer"] else ""),
    ]
    files = [("file", _output_text(output)) for output in job["outputs"]]
    return [(label, text) for label, text in [*pairs, *files] if text]


def finished_line(job: Mapping[str, Any]) -> str:
    """Return one line for the end of a job: `ID: completed in 0:41, $0.12`."""
    quoted = f" (quoted {quote_text(job['quote'])})" if job["quote"] else ""
    return f"{job_name(job)}: {end_text(job)}, {cost_text(job)}{quoted}"


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


def short_name(job: Mapping[str, Any]) -> str:
    """Return the end of what a job is called, which names it in a line as well (finding C11)."""
    last = job_name(job).rpartition("-")[2]
    return last[-8:] if len(last) >= 8 else job_name(job)


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
    planned: Plan,
    *,
    endpoint: str | None = None,
    sandbox: bool = False,
    evidence: Typical | None = None,
    limit: Decimal | None = None,
) -> list[str]:
    """Return what is said before money is spent: the choices made for the user, the price, and where it goes.

    `endpoint` is a base URL that is not the usual one (drill N17); in the sandbox nothing is charged. `evidence` is
    what such jobs really cost and took before. No amount is told as if it were on another side of `limit` than it is.
    """
    quote = planned.quote.as_json()
    lines = [("chosen", choice) for choice in planned.choices]
    lines.append(("quote", f"{quote_text(quote, limit)} for {request_summary(planned.request.body())}"))
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


def quote_text(quote: Mapping[str, Any], limit: Decimal | None = None) -> str:
    """Return `$0.12 listed`, `~$0.14 ($0.10 to $0.19)` or `unknown price`; never $0 for unknown (drill M29).

    Where bills have raised it: `$0.30 listed ($0.30 to $0.49)`.
    """
    usd, low, high = (amount(quote.get(name)) for name in ("usd", "low", "high"))
    if quote.get("kind") == "unknown" or usd is None:
        return "unknown price" + (f", at least {money_text(low)}" if low else "")
    is_listed = quote.get("kind") == "listed"
    price = money_text(usd, approximate=not is_listed, limit=limit) + (" listed" if is_listed else "")
    return price + range_text(low, high, limit)


def price_words(price: Quote | Price, limit: Decimal | None = None) -> str:
    """Return a price as a question has it (finding A10): `$0.12`, `about $5.63`, `an unknown price`.

    Where it may cost more than it is likely to: `$0.30, or up to $0.49`.
    """
    if price.most is None or price.usd is None:
        return "an unknown price"
    usd, most = money_text(price.usd, limit=limit), money_text(price.most, limit=limit)
    words = usd if price.kind == "listed" else f"about {usd}"
    return words if most == usd else f"{words}, or up to {most}"


def range_text(low: Decimal | None, high: Decimal | None, limit: Decimal | None = None) -> str:
    """Return ` ($0.10 to $0.19)` to stand behind a price, or nothing where there is no such range."""
    least, most = money_text(low, limit=limit), money_text(high, limit=limit)
    return f" ({least} to {most})" if low is not None and high is not None and least != most else ""


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
