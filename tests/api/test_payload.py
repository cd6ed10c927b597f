from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.api.payload import NotJson, decode, lenient_id, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_json_is_understood(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_bytes_end_as_a_value_or_as_one_error(data: bytes) -> None:
    with contextlib.suppress(NotJson):
        json.dumps(parse(data), ensure_ascii=False, allow_nan=False).encode()
    lenient_id(data)


@pytest.mark.drill("P09")
def test_numbers_that_are_none_are_not_known() -> None:
    assert parse(b"[NaN, Infinity, -Infinity, 1e999, 0.1, 1e-3]") == [None, None, None, None, 0.1, 0.001]


@pytest.mark.drill("X01")
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"9" * 5000,
        b'{"a":1,"a":2}',
        b"",
        b"<html>",
        b'{"a"',
        b"\xff",
    ],
    ids=["open", "deep", "huge-int", "duplicates", "empty", "html", "cut", "bytes"],
)
def test_what_is_not_usable_json_is_one_error(data: bytes) -> None:
    with pytest.raises(NotJson):
        parse(data)


@pytest.mark.drill("X01")
def test_what_can_be_understood_is() -> None:
    assert parse(b'\xef\xbb\xbf {"a": 1}') == {"a": 1}
    assert parse('{"a": "ü"}'.encode("utf-16")) == {"a": "ü"}
    assert parse(b'{"a": 1, "a": 1}') == {"a": 1}
    assert parse(b'{"\\ud800": ["\\udfff", "\\ud83d\\ude00"]}') == {"\ufffd": ["\ufffd", "\U0001f600"]}


def test_a_cut_beginning_is_told_from_something_else() -> None:
    for data, cut, foreign in [(b'{"a": "b', True, False), (b"<p>", False, True), (b'{"a": }', False, False)]:
        with pytest.raises(NotJson) as caught:
            parse(data)
        assert (caught.value.cut, caught.value.foreign) == (cut, foreign)


@given(JSON.filter(lambda value: not isinstance(value, dict)), st.text(min_size=1).filter(str.strip), st.data())
def test_a_cut_answer_gives_its_own_id_or_none(other: Any, name: str, data: st.DataObject) -> None:
    """However an answer is cut, and whatever hides in the rest, no other id than the job's comes out."""
    fields = {"error": {"id": "wrong"}, "x": [{"id": "wrong"}], "id": name, "y": other, "note": '"id":"wrong"'}
    order = data.draw(st.permutations(list(fields)))
    whole = json.dumps({field: fields[field] for field in order}, ensure_ascii=data.draw(st.booleans())).encode()
    cut = data.draw(st.integers(0, len(whole)))
    assert lenient_id(whole[:cut]) in (None, name)
    assert lenient_id(whole) == name


def test_gzip_and_deflate_are_undone() -> None:
    data = b'{"id": "x"}' * 100
    for encoding, body in [
        ("gzip", gzip.compress(data)),
        ("deflate", zlib.compress(data)),
        ("deflate", zlib.compress(data)[2:-4]),
        ("GZIP , identity", gzip.compress(data)),
        ("gzip, gzip", gzip.compress(gzip.compress(data))),
        ("", data),
    ]:
        decoded = decode(body, encoding, 10_000)
        assert (decoded.data, decoded.whole, decoded.too_large) == (data, True, False)


def test_what_cannot_be_undone_is_kept() -> None:
    data = bytes(range(256)) * 40
    cut = decode(gzip.compress(data)[:-20], "gzip", 100_000)
    assert not cut.whole
    assert cut.data
    assert data.startswith(cut.data)
    assert decode(b"plain", "gzip", 100).data == b"plain"
    assert decode(b"plain", "br", 100).unknown == "br"
    assert decode(b"plain", "gzip, gzip, gzip", 100).unknown is not None


@pytest.mark.drill("D10")
def test_a_bomb_ends_at_the_cap() -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * 20_000_000))
    decoded = decode(bomb, "gzip, gzip", 1_000_000)
    assert decoded.too_large
    assert len(decoded.data) == 1_000_000


def nested(depth: int, inner: bytes = b"") -> bytes:
    return b"[" * depth + inner + b"]" * depth


@pytest.mark.drill("X01")
def test_64_levels_are_read_and_65_are_not() -> None:
    assert parse(nested(64, b"1"))
    assert parse(b'{"a":' * 64 + b"1" + b"}" * 64)
    for bad in (nested(65), b'{"a":' * 65 + b"1" + b"}" * 65):
        with pytest.raises(NotJson, match="nested too deeply"):
            parse(bad)


@pytest.mark.parametrize(("digits", "known"), [(40, True), (41, False)])
def test_a_number_of_40_digits_is_one(digits: int, known: bool) -> None:
    number = "9" * digits
    assert parse(number.encode()) == (int(number) if known else None)
    assert lenient_id(b'{"id": %s}' % number.encode()) == (number if known else None)


@pytest.mark.parametrize(
    ("size", "data", "too_large"), [(99, 99, False), (100, 100, False), (101, 100, True), (5000, 100, True)]
)
def test_a_body_is_undone_up_to_its_cap(size: int, data: int, too_large: bool) -> None:
    for encoding, body in [
        ("gzip", gzip.compress(b"x" * size)),
        ("x-gzip", gzip.compress(b"x" * size)),
        ("deflate", zlib.compress(b"x" * size)),
        ("gzip, deflate", zlib.compress(gzip.compress(b"x" * size))),
    ]:
        decoded = decode(body, encoding, 100)
        assert (len(decoded.data), decoded.too_large) == (data, too_large), encoding
    plain = decode(b"x" * size, "br", 100)
    assert (len(plain.data), plain.whole, plain.unknown) == (data, False, "br")


@pytest.mark.drill("M08")
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"id": "a", "x', "a"),
        (b'{"id" : "a"', "a"),
        (b'{"id": 12, ', "12"),
        (b'{"id": 12}', "12"),
        (b'{"id": 12', None),
        (b'{"id": "a', None),
        (b'{"id": " ", ', None),
        (b'{"id": "a", "id": "a", ', "a"),
        (b'{"id": "a", "id": "b", ', None),
        (b'{"x": {"id": "b"}, "id": "a", ', "a"),
        (b'{"x": [{"id": "b"}], ', None),
        (b'{"x": "id", "y": "b", ', None),
        (b'{"x": ["id", "b"], "id": "a"', "a"),
        (b'{"a"}{"id": "b"', None),
        (b'[{"id": "b"', None),
        (b'{"id": {"id": "b"}, ', None),
        (b'{"id": null, ', None),
        (b'\xef\xbb\xbf  {"id": "a", ', "a"),
    ],
)
def test_an_id_is_taken_from_a_cut_answer_where_there_is_no_doubt(data: bytes, found: str | None) -> None:
    assert lenient_id(data) == found
