"""What stands between a price and a purchase, for one job and for a batch: a limit, a notice, and a question."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from orvideo.errors import MoneyError

if TYPE_CHECKING:
    from orvideo.context import Context
    from orvideo.record.values import Record

#: The same request within this time is told as a second purchase (finding A12).
RECENTLY = timedelta(minutes=10)


class Purchase(NamedTuple):
    """What is to be bought: as the subject of a sentence ("This"), as its object ("12 rows"), and what it costs.

    `price` is the price in words, `most` the most it can cost in USD (None: nobody knows, and `why` says why), `spent`
    what may have been spent on the same batch before. `notice` says that it was bought before.
    """

    subject: str
    name: str
    price: str
    most: Decimal | None
    spent: Decimal | None = Decimal(0)
    why: Sequence[str] = ()
    notice: str | None = None


def ask(context: Context, purchase: Purchase, *, above: Decimal, yes: bool, again: bool = True) -> None:
    """Say what was bought before, and ask about that, and about what may cost more than `above` (USD) or anything.

    Where nobody can be asked, an unknown price is refused, and so is a second purchase unless it is meant (`again`).
    Raises MoneyError (drills M28, M29, findings A04, A12).
    """
    if purchase.notice is not None:
        context.terminal.warn_of_money(purchase.notice)
        if not again and yes:
            raise _submitted_before()
    unknown = purchase.most is None
    dear = purchase.most is None or purchase.most > above
    if yes or not (dear or purchase.notice is not None):
        return
    asked_at = context.clock.monotonic()
    answer = context.terminal.confirm(f"Submit {purchase.name} for {purchase.price}?")
    # A person's time to think is no part of --timeout.
    context.deadline = context.deadline.later(context.clock.monotonic() - asked_at)
    if answer is False:
        raise MoneyError("The quote was declined; nothing was sent.")
    if answer is None and unknown:
        raise MoneyError(
            "The price is unknown, and there is no terminal to ask on; nothing was sent.",
            hint="name a model with a price (orvideo models), or add --yes to buy it at any price",
        )
    if answer is None and purchase.notice is not None and not again:
        raise _submitted_before()


def keep_to_limit(purchase: Purchase, limit: Decimal | None) -> None:
    """Raise MoneyError for what may cost more than the limit, with what was spent on it before."""
    from orvideo.money import full_text, money_text

    if limit is None:
        return
    total = None if purchase.most is None or purchase.spent is None else purchase.most + purchase.spent
    if total is None or total > limit:
        why = f" ({'; '.join(purchase.why)})" if purchase.why else ""
        costs = f"has an unknown price{why}" if total is None else f"may cost {money_text(total, against=limit)}"
        costs += " in all" if purchase.spent else ""
        raise MoneyError(
            f"{purchase.subject} {costs}, and the limit is {full_text(limit)}; nothing was sent.",
            hint="ask for less, choose another model (orvideo models), or raise --max-cost",
        )


def _submitted_before() -> MoneyError:
    return MoneyError("These rows were submitted before; nothing was sent.", hint="add --again to buy them once more")


def notice_of_request(context: Context, request: Mapping[str, Any], endpoint: str) -> str | None:
    """Return what is to be said of a request that was sent before, None where nothing is."""
    found = context.ledger_to_read.sent_lately([request], endpoint, context.clock.now() - RECENTLY)
    return _notice_of("the same request", found, context) if found else None


def _notice_of(what: str, found: Sequence[Record], context: Context) -> str:
    unknown = [record for record in found if record.state == "unknown"]
    one = (unknown or found)[0]
    if unknown:
        return f"{what} was sent {_ago(one, context)}, and its outcome is unknown: {one.name} may be paid for"
    return f"{what} was submitted {_ago(one, context)} as {one.name}; this buys it once more"


def notice_of_rows(
    context: Context, keys: Collection[str], bodies: Iterable[Mapping[str, Any]], known: Collection[str],
    batch: str, endpoint: str,
) -> str | None:  # fmt: skip
    """Return what is to be said of rows that were bought before, None where none was.

    `keys` and `bodies` (read only where anything was sent lately) are those of the rows to be bought. They may be on
    record under another name, or have been sent otherwise, but for rows of this very batch with a `known` key.
    """
    found = context.ledger_to_read.same_rows(keys, batch, endpoint)
    if found:
        # Rows of unknown outcome are told as that: nobody knows whether they were bought (finding A08).
        unknown = [record for record in found if record.state in ("sending", "unknown")]
        sure = [record for record in found if record not in unknown]
        parts = [
            f"{_rows_of(records)} of the {len(keys)} rows {what} in a batch of another name, the last one "
            f"{_ago(records[-1], context)} as {records[-1].name}"
            for records, what in (
                (sure, "were bought before"),
                (unknown, "were sent before, outcome unknown (may be paid for),"),
            )
            if records
        ]
        again = "buys" if sure else "may buy"
        return f"{'; '.join(parts)}; this {again} them once more. To go on with a batch, keep its FILE or its --name"
    since = context.clock.now() - RECENTLY
    # Rows that differ in a label alone are meant to be several.
    lately = context.ledger_to_read.sent_lately(bodies, endpoint, since, labelled=True)
    others = [record for record in lately if record.batch != batch or record.row_key not in known]
    return _notice_of("the request of a row", others, context) if others else None


def _rows_of(records: Sequence[Record]) -> int:
    return len({record.row_key for record in records})


def _ago(record: Record, context: Context) -> str:
    from orvideo.output.text import age

    return f"{age((context.clock.now() - record.created_at).total_seconds())} ago"
