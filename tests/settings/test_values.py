from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.errors import ExitCode, UsageError
from orvideo.settings import values


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("20m", 1200.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("1h30m15s", 5415.0),
        ("45", 45.0),
        ("2.5", 2.5),
        ("0.5h", 1800.0),
        (" 20M ", 1200.0),
        ("0", 0.0),
    ],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert values.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "s", "1h30", "30m1h", "-5s", "5 m", "1e3", "inf", "nan", "1d", "٣s", "5s5s", "1,5s", "9" * 10]
)
def test_what_is_no_length_of_time_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a length of time such as 90s") as refused:
        values.parse_duration(text)
    assert refused.value.exit_code == ExitCode.USAGE
    assert f"'{text}'" in refused.value.message


@given(st.integers(0, 400_000_000))
def test_a_shown_length_of_time_reads_as_the_same(seconds: int) -> None:
    assert values.parse_duration(values.format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20MiB", 20 * 1024**2),
        ("20M", 20 * 1024**2),
        ("20mb", 20_000_000),
        ("1.5KiB", 1536),
        ("1 GiB", 1024**3),
        ("1048576", 1048576),
        ("12B", 12),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert values.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "20 XiB", "-1", "0", "0.2", "1e6", "20MiBs", "∞"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a size"):
        values.parse_size(text)


@given(st.integers(1, 2**50))
def test_a_shown_size_reads_as_the_same(size: int) -> None:
    assert values.parse_size(values.format_size(size)) == size if size < 10**12 else True


@pytest.mark.drill("X07")
@pytest.mark.parametrize(
    ("text", "amount"), [("0.50", "0.50"), ("$0.50", "0.50"), ("3", "3"), (".05", "0.05"), ("0.1", "0.1"), ("0", "0")]
)
def test_money_is_read_exactly(text: str, amount: str) -> None:
    read = values.parse_money(text)
    assert isinstance(read, Decimal)
    assert read == Decimal(amount)


@pytest.mark.drill("X07")
@pytest.mark.parametrize("text", ["", "$", "-1", "1,50", "1e3", "NaN", "inf", "1.", "€1", "0x1", "1" * 10])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not an amount in US dollars such as 0\.50"):
        values.parse_money(text)


@pytest.mark.parametrize("text", ["1", "true", "YES", "On"])
def test_yes(text: str) -> None:
    assert values.parse_bool(text) is True


@pytest.mark.parametrize("text", ["0", "false", "NO", "Off"])
def test_no(text: str) -> None:
    assert values.parse_bool(text) is False


@pytest.mark.parametrize("text", ["", "2", "maybe", "y", "tru"])
def test_neither_yes_nor_no_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="true or false"):
        values.parse_bool(text)


@pytest.mark.parametrize("text", ["0", "-4", "2.5", "8 s", "x", ""])
def test_a_clip_has_whole_seconds(text: str) -> None:
    assert values.parse_video_duration("8s") == values.parse_video_duration("8") == 8
    with pytest.raises(UsageError, match="whole number of seconds"):
        values.parse_video_duration(text)


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "né", "", "a\x00b"])
def test_a_header_cannot_carry_another_one(text: str) -> None:
    with pytest.raises(UsageError, match="plain ASCII"):
        values.parse_header_value(text)


def test_a_long_text_is_cut_in_the_complaint() -> None:
    with pytest.raises(UsageError) as refused:
        values.parse_duration("x" * 10_000)
    assert len(refused.value.message) < 200
