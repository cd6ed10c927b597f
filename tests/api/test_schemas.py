"""Nothing from the wire sets the size of a number or the length of a loop (faults B1 and B14, finding C03)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.api import payload
from orvideo.api.download import total_of_partial, total_of_unsatisfied, whole_length
from orvideo.api.schemas import LARGEST_WHOLE, MOST_OUTPUTS, Job, VideoModel

URL = "https://storage.example/x.mp4"
drill = pytest.mark.drill


def job(**fields: Any) -> Job:
    return Job.model_validate({"id": "job-1", "status": "completed", **fields})


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
    assert VideoModel.model_validate({"id": "a/b", "supported_durations": [said]}).supported_durations == (
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
        ([URL] * 3000, MOST_OUTPUTS),
        ([None] * 3000 + [URL], 0),
    ],
    ids=["none", "null", "nulls", "one", "padded", "second", "junk", "many", "beyond"],
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
    assert whole_length(httpx.Headers({"Content-Length": text})) == size
    assert total_of_unsatisfied(httpx.Headers({"Content-Range": f"bytes */{text}"})) == size
    expected = size if size else None
    assert total_of_partial(httpx.Headers({"Content-Range": f"bytes 0-0/{text}"}), 0) == expected


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
