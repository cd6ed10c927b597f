"""Quotes and plans as text: what a request asks for, what it will cost, and what such jobs cost before."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orvideo.money import money_text
from orvideo.output.tables import page_lines
from orvideo.output.text import count, elapsed

if TYPE_CHECKING:
    from orvideo.batch.checking import Price
    from orvideo.catalogue.planning import Plan
    from orvideo.catalogue.quote import Quote
    from orvideo.record.values import Typical


def plan_lines(
    planned: Plan,
    *,
    endpoint: str | None = None,
    sandbox: bool = False,
    evidence: Typical | None = None,
    limit: Decimal | None = None,
) -> list[str]:
    """Return the plan that is shown before money is spent: choices made for the user, price, and destination.

    `endpoint` is a base URL other than the default (drill N17). `evidence` is what such jobs cost and took before.
    Amounts are rounded so that none appears on the wrong side of `limit`.
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
    return list(page_lines(once))


def evidence_text(typical: Typical) -> str:
    """Return what such jobs cost and took before: `3 such jobs cost $0.12 each and took about 0:41`."""
    jobs = count(typical.found, "such job", "such jobs")
    facts = []
    if typical.cost is not None:
        each = " each" if typical.priced > 1 and typical.cost_low == typical.cost_high else ""
        facts.append(f"cost {money_text(typical.cost)}{each}{range_text(typical.cost_low, typical.cost_high)}")
    if typical.seconds is not None:
        facts.append(f"took about {elapsed(typical.seconds)}")
    return f"{jobs} {' and '.join(facts)}" if facts else f"{jobs} finished"


def quote_text(quote: Mapping[str, Any], limit: Decimal | None = None) -> str:
    """Return `$0.12 listed`, `~$0.14 ($0.10 to $0.19)` or `unknown price`, never $0 (drill M29).

    If earlier bills were higher: `$0.30 listed ($0.30 to $0.49)`.
    """
    usd, low, high = (amount(quote.get(name)) for name in ("usd", "low", "high"))
    if quote.get("kind") == "unknown" or usd is None:
        return "unknown price" + (f", at least {money_text(low)}" if low else "")
    is_listed = quote.get("kind") == "listed"
    price = money_text(usd, approximate=not is_listed, limit=limit) + (" listed" if is_listed else "")
    return price + range_text(low, high, limit)


def price_words(price: Quote | Price, limit: Decimal | None = None) -> str:
    """Return a price for a question (finding A10): `$0.12`, `about $5.63`, `$0.30, or up to $0.49`."""
    if price.most is None or price.usd is None:
        return "an unknown price"
    usd, most = money_text(price.usd, limit=limit), money_text(price.most, limit=limit)
    words = usd if price.kind == "listed" else f"about {usd}"
    return words if most == usd else f"{words}, or up to {most}"


def range_text(low: Decimal | None, high: Decimal | None, limit: Decimal | None = None) -> str:
    """Return ` ($0.10 to $0.19)` to put behind a price, or an empty text if there is no range."""
    least, most = money_text(low, limit=limit), money_text(high, limit=limit)
    return f" ({least} to {most})" if low is not None and high is not None and least != most else ""


def request_summary(request: Mapping[str, Any]) -> str:
    """Return a request in a few words: `google/veo-3.1-lite, 4 s, 720p, 16:9, silent`."""
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


def amount(usd: float | None) -> Decimal | None:
    """Return an amount of a JSON document as Decimal, with the digits it has there."""
    return None if usd is None else Decimal(str(usd))


def text_of(value: Any) -> str:
    return "" if value is None else str(value)
