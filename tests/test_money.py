"""Amounts as a person reads them: two digits that count, never on the wrong side of a limit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.money import exact_money_text, exceeds_quote, money_text

AMOUNTS = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=9)


@pytest.mark.drill("F-A10", "M29")
@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "unknown"),
        (Decimal("NaN"), "unknown"),
        (Decimal("Infinity"), "unknown"),
        (Decimal("0"), "$0.00"),
        (Decimal("0.4"), "$0.40"),
        (Decimal("0.400"), "$0.40"),
        (Decimal("0.492079"), "$0.49"),
        (Decimal("5.6288925"), "$5.63"),
        (Decimal("1.008"), "$1.01"),
        (Decimal("0.1358"), "$0.14"),
        (Decimal("0.0998"), "$0.10"),
        (Decimal("0.05"), "$0.05"),
        (Decimal("0.052"), "$0.052"),
        (Decimal("0.00521"), "$0.0052"),
        (Decimal("0.996"), "$1.00"),
        (Decimal("12"), "$12.00"),
        (Decimal("1E+2"), "$100.00"),
        (Decimal("0.00000352"), "$0.0000035"),
        (Decimal("1E-29"), "$1E-29"),
        (Decimal("1E+999999"), "$1.000e+999999"),
    ],
)
def test_a10_money_has_two_digits_that_count_and_the_unknown_is_never_zero(amount: Decimal | None, shown: str) -> None:
    assert money_text(amount) == shown
    if shown.startswith("$0."):
        assert money_text(amount, approximate=True) == f"~{shown}"


@pytest.mark.drill("F-A10")
@pytest.mark.parametrize(
    ("amount", "limit", "shown"),
    [
        ("0.30", "0.30", "$0.30"),
        ("0.3001", "0.30", "$0.3001"),
        ("0.3004", "0.3001", "$0.3004"),
        ("0.2999", "0.30", "$0.30"),
        ("0.2964", "0.2999", "$0.296"),
        ("5.001", "5", "$5.001"),
        ("0.494", "0.30", "$0.49"),
        ("1234567890.123456789012345678", "1234567890.123456789012345677", "$1234567890.1235"),
    ],
)
def test_a10_no_price_is_told_as_if_it_kept_a_limit_that_it_passes(amount: str, limit: str, shown: str) -> None:
    assert money_text(Decimal(amount), limit=Decimal(limit)) == shown


@pytest.mark.drill("F-A10")
@given(AMOUNTS, AMOUNTS)
def test_a10_what_is_shown_keeps_a_limit_if_and_only_if_what_is_meant_does(amount: Decimal, limit: Decimal) -> None:
    shown = Decimal(money_text(amount, limit=limit).removeprefix("$"))
    assert (shown > limit) == (amount > limit)
    assert len(money_text(amount).partition(".")[2]) >= 2


def test_a_limit_and_a_price_list_are_told_in_full() -> None:
    assert [exact_money_text(Decimal(amount)) for amount in ("0.4", "0.1358", "0.0000035", "20")] == [
        "$0.40", "$0.1358", "$0.0000035", "$20.00",
    ]  # fmt: skip


@pytest.mark.drill("F-A05")
def test_a05_what_a_service_rounds_off_is_not_more_than_the_quote() -> None:
    assert not exceeds_quote(Decimal("0.1358"), Decimal("0.135778"))
    assert not exceeds_quote(Decimal("0.30000000000000004"), Decimal("0.3"))
    assert exceeds_quote(Decimal("0.1201"), Decimal("0.12"))
