"""Amounts in USD as text, and the comparison of a bill with its quote."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

#: How much a bill may exceed its quote by rounding, in USD: services round to four decimals.
ROUNDING_TOLERANCE = Decimal("0.00005")

_MAX_DIGITS = 30
_PRECISE = Context(prec=80)


def money_text(amount: Decimal | None, *, approximate: bool = False, limit: Decimal | None = None) -> str:
    """Return USD as `$0.40`, an estimate as `~$0.14`, and None as `unknown`, never as $0 (drill M29).

    An amount is rounded to two decimals, or to two significant digits: `$5.63`, `$0.0052` (finding A10). It has more
    digits where the rounded amount would be on the other side of `limit`.
    """
    if amount is None or not amount.is_finite():
        return "unknown"
    if amount.adjusted() > 12:
        return f"${amount:.3e}"
    digits = max(2, 1 - amount.adjusted()) if amount else 2
    shown = _rounded(amount, digits)
    while limit is not None and digits < _MAX_DIGITS and (shown > limit) is not (amount > limit):
        digits += 1
        shown = _rounded(amount, digits)
    return ("~" if approximate else "") + exact_money_text(shown)


def exact_money_text(amount: Decimal) -> str:
    """Return an amount with all its digits, for prices and limits: `$0.40`, `$0.1358`, `$0.0000035`."""
    if amount and not -20 <= amount.adjusted() <= 12:
        return f"${amount.normalize():E}"
    whole, _, cents = f"{amount:f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"


def exceeds_quote(bill: Decimal, quoted: Decimal) -> bool:
    """Return whether a bill is more than its quote by more than rounding (finding A05)."""
    return bill - quoted > ROUNDING_TOLERANCE


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _PRECISE)
