"""Amounts in USD as a person reads them, and when a bill is more than its quote."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

#: So much may a bill differ from its quote without being more than it: services round to four decimals. USD.
ROUNDING = Decimal("0.00005")

_MOST_DIGITS = 30
_PRECISE = Context(prec=80)


def money_text(amount: Decimal | None, *, about: bool = False, against: Decimal | None = None) -> str:
    """Return USD as `$0.40`, an estimate as `~$0.14`, and what is not known as `unknown`, never as $0 (drill M29).

    An amount has two decimals, or as many as it takes to show two digits that count: `$5.63`, `$0.0052` (finding A10).
    It has more where it would else seem to keep `against`, a limit, and does not, or the other way round.
    """
    if amount is None or not amount.is_finite():
        return "unknown"
    if amount.adjusted() > 12:
        return f"${amount:.3e}"
    digits = max(2, 1 - amount.adjusted()) if amount else 2
    shown = _rounded(amount, digits)
    while against is not None and digits < _MOST_DIGITS and (shown > against) is not (amount > against):
        digits += 1
        shown = _rounded(amount, digits)
    return ("~" if about else "") + full_text(shown)


def full_text(amount: Decimal) -> str:
    """Return an amount with all its digits, as a price list or a limit has them: `$0.40`, `$0.1358`, `$0.0000035`."""
    if amount and not -20 <= amount.adjusted() <= 12:
        return f"${amount.normalize():E}"
    whole, _, cents = f"{amount:f}".partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"


def is_above(bill: Decimal, quoted: Decimal) -> bool:
    """Return whether a bill is more than its quote, beyond what rounding makes of it (finding A05)."""
    return bill - quoted > ROUNDING


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, _PRECISE)
