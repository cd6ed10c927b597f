"""Nothing from the wire sets the size of a number or the length of a loop (faults B1 and B14, finding C03)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.api import payload
from orvideo.api.download import content_length, strong_etag, total_of_206, total_of_416
from orvideo.api.values import LARGEST_WHOLE, MAX_OUTPUTS, Job, VideoModel, moment, money

URL = "https://storage.example/x.mp4"
drill = pytest.mark.drill


def job(**fields: Any) -> Job:
    found = Job.of({"id": "job-1", "status": "completed", **fields})
    assert found is not None
    return found


@drill("R-B1", "F-C03")
@pytest.mark.parametrize(
    ("said", "understood"),
    [
        (1_764_000_000, 1_764_000_000),
        (1_764_000_000.0, 1_764_000_000),
        (LARGEST_WHOLE, LARGEST_WHOLE),
        (LARGEST_WHOLE + 1, None),
        (-LARGEST_WHOLE - 1, None),
        (10**400, None),
        (-(10**400), None),
        (1e300, None),
        (float("inf"), None),
        (float("nan"), None),
        (True, None),
        ("1764000000", None),
    ],
)
def test_b1_a_number_beyond_all_times_is_not_known(said: object, understood: int | None) -> None:
    assert job(expires_at=said).expires_at == understood
    assert VideoModel.of({"id": "a/b", "supported_durations": [said]}).supported_durations == (
        [] if understood is None else [understood]
    )


@drill("R-B1", "X01")
def test_b1_a_number_of_many_digits_is_not_known_wherever_it_stands() -> None:
    body = b'{"id":"job-1","expires_at":1%s,"new":{"n":[1%s]},"seed":%s}' % (b"0" * 400, b"0" * 400, b"9" * 40)
    assert payload.parse(body) == {"id": "job-1", "expires_at": None, "new": {"n": [None]}, "seed": int("9" * 40)}


@drill("R-B14", "F-C03")
@pytest.mark.parametrize("name", ["urls", "unsigned_urls"])
@pytest.mark.parametrize(
    ("urls", "outputs"),
    [
        ([], 0),
        ([None], 0),
        ([None] * 300, 0),
        ([URL], 1),
        ([URL] + [None] * 300, 1),
        ([None, URL, None], 2),
        ([URL, "", 7, {}], 1),
        ([{"url": URL}], 1),
        ([URL, {"url": URL}, None], 2),
        ([URL] * 3000, MAX_OUTPUTS),
        ([None] * 3000 + [URL], 0),
    ],
    ids=["none", "null", "nulls", "one", "padded", "second", "junk", "object", "objects", "many", "beyond"],
)
def test_b14_padding_is_no_output(name: str, urls: list[Any], outputs: int) -> None:
    assert job(**{name: urls}).output_count == outputs


@drill("R-B14")
def test_b14_two_lists_name_as_many_outputs_as_the_longer_one() -> None:
    assert job(urls=[URL, None], unsigned_urls=["/a", "/b", None]).output_count == 2
    assert job(urls=[None, URL], unsigned_urls=["/a"]).output_count == 2
    assert job(urls=[None] * 64, unsigned_urls=["/a"]).output_count == 1


@drill("F-C03")
@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("3000", 3000), (str(1 << 40), 1 << 40), (str((1 << 40) + 1), None), ("9" * 17, None)]
)
def test_c03_a_size_beyond_belief_is_not_known(text: str, size: int | None) -> None:
    assert content_length(httpx.Headers({"Content-Length": text})) == size
    assert total_of_416(httpx.Headers({"Content-Range": f"bytes */{text}"})) == size
    expected = size if size else None
    assert total_of_206(httpx.Headers({"Content-Range": f"bytes 0-0/{text}"}), 0) == expected


@drill("R-B2", "F-C03")
@pytest.mark.parametrize("part", [b"{},", b"[],", b"[[]],", b'"a",', b"1,", b'{"a":1},', b'"\\u0041",'])
def test_b2_what_is_little_on_the_wire_and_much_in_memory_is_refused(part: bytes) -> None:
    payload.parse(b'{"x":[' + part * 100 + b"0]}", 4 * 1_000_000)
    with pytest.raises(payload.NotJson, match="too large"):
        payload.parse(b'{"x":[' + part * (1_000_000 // len(part)) + b"0]}", 4 * 1_000_000)


@drill("R-B2")
@pytest.mark.parametrize("text", ["A fine film, indeed. ", "Бумажный кораблик, дождь. ", "🎬"], ids=["1", "2", "4"])
def test_b2_an_honest_answer_of_a_full_size_is_read(text: str) -> None:
    size = 900_000 // len(text.encode())
    body = ('{"error":"' + text * size + '"}').encode()
    assert payload.parse(body, payload.EXPANSION * 1024 * 1024) == {"error": text * size}


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    )
)
def test_every_text_is_changed_and_nothing_else(value: Any) -> None:
    def changed(one: Any) -> Any:
        if isinstance(one, str):
            return one + "!"
        if isinstance(one, list):
            return [changed(item) for item in one]
        return {name + "!": changed(item) for name, item in one.items()} if isinstance(one, dict) else one

    expected = changed(value)
    assert payload.each_text(value, lambda text: text + "!") == expected


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        (0.05, "0.05"),
        (" 0.5 ", "0.5"),
        (0, "0"),
        ("-0.0", "0"),
        ("0e999999", "0"),
        ("999999999999", "999999999999"),
        ("1e12", None),
        ("1e-29", "1e-29"),
        ("9e-30", None),
        (-0.01, None),
        ("NaN", None),
        ("Infinity", None),
        ("half", None),
        (True, None),
        ([1], None),
        (None, None),
    ],
)
def test_an_amount_is_known_where_it_can_be_one(said: object, amount: str | None) -> None:
    assert money(said) == (None if amount is None else Decimal(amount))
    assert job(usage={"cost": said}).cost == money(said)
    assert str(money("0e999999")) == "0", "nothing is written out with its exponent"


@pytest.mark.parametrize(
    ("status", "final"),
    [(word, True) for word in ("completed", "failed", "cancelled", "expired", "canceled", "dead", "error")]
    + [(word, False) for word in ("pending", "in_progress", "queued", "complete", "done", "")],
)
def test_a_job_is_at_its_end_where_the_service_says_one_of_its_words(status: str, final: bool) -> None:
    assert job(status=status).is_final == final
    assert job(status=f" {status.upper()}\n").is_final is final


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (None, None),
        ("", None),
        ("no", "no"),
        ({"message": "no", "code": 1}, "no"),
        ({"message": 7}, '{"message": 7}'),
        (["ü"], '["ü"]'),
        (0, "0"),
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 1999 + "…"),
    ],
)
def test_a_reason_is_one_text_of_2000_characters_at_most(said: object, text: str | None) -> None:
    assert job(error=said).error_text == text


@pytest.mark.parametrize("said", [7, True, "", [], {}, 1.5])
def test_a_field_of_another_type_is_not_known(said: object) -> None:
    assert job(model=said, polling_url=said, generation_id=said, urls="x", usage=said).model is None
    assert job(usage=said).cost is None
    entry = VideoModel.of(
        {"id": "a/b", "name": said, "supported_sizes": ["1x1", said, ""], "pricing_skus": [said], "upscale_factor": 7}
    )
    assert (entry.name, entry.supported_sizes, entry.pricing_skus, entry.upscale_factor) == (None, ["1x1"], None, None)
    assert entry.supported_durations is None
    assert VideoModel.of({"id": "a/b", "seed": said}).seed is (said if said is True else None)


@pytest.mark.parametrize(
    ("said", "understood"), [("x", "x"), (0, "0"), (12, "12"), (True, None), (None, None), (" ", None), (1.5, None)]
)
def test_an_id_is_a_text_or_a_whole_number(said: object, understood: str | None) -> None:
    found = Job.of({"id": said})
    assert (None if found is None else found.id) == understood


@pytest.mark.parametrize(
    ("headers", "total"),
    [
        ({"Content-Range": "bytes 5-9/10"}, 10),
        ({"Content-Range": "BYTES 5-5/10"}, 10),
        ({"Content-Range": "bytes 5-10/10"}, None),
        ({"Content-Range": "bytes 5-4/10"}, None),
        ({"Content-Range": "bytes 4-9/10"}, None),
        ({"Content-Range": "bytes 6-9/10"}, None),
        ({"Content-Range": "bytes 5-9/*"}, None),
        ({"Content-Range": "bytes 5-9/10", "Content-Type": "Multipart/byteranges"}, None),
        ({}, None),
    ],
)
def test_the_rest_of_a_file_is_that_which_was_asked_for(headers: dict[str, str], total: int | None) -> None:
    assert total_of_206(httpx.Headers(headers), 5) == total
    assert total_of_206(httpx.Headers([*headers.items(), *headers.items()]), 5) is None, "said twice"


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({"Content-Length": " 7 "}, 7),
        ({"Content-Length": "7", "Transfer-Encoding": "chunked"}, None),
        ({"Content-Length": "-7"}, None),
        ({"Content-Length": "7, 7"}, None),
        ({}, None),
    ],
)
def test_a_size_is_known_where_one_is_said(headers: dict[str, str], size: int | None) -> None:
    assert content_length(httpx.Headers(headers)) == size


@pytest.mark.parametrize(
    ("said", "strong"),
    [
        ('"v1"', True),
        ('""', True),
        (f'"{"x" * 256}"', True),
        (f'"{"x" * 257}"', False),
        ('W/"v1"', False),
        ("v1", False),
        ('"v 1"', False),
        ('"a"b"', False),
        ("", False),
    ],
)
def test_only_a_strong_and_well_formed_etag_is_used(said: str, strong: bool) -> None:
    assert strong_etag(httpx.Headers({"ETag": said})) == (said if strong else None)


@pytest.mark.parametrize("said", ["1x1", 7, {"1x1": 1}, None, True])
def test_a_list_that_is_none_is_not_known(said: object) -> None:
    entry = VideoModel.of({"id": "a/b", "supported_sizes": said, "supported_durations": said})
    assert (entry.supported_sizes, entry.supported_durations) == (None, None)
    assert job(urls=said).urls is None


def test_the_bounds_are_the_last_second_of_9999_and_64_outputs() -> None:
    assert moment(LARGEST_WHOLE) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert job(urls=[URL] * 65).output_count == 64
