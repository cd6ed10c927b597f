"""The values of the record: what is kept of a request, and the documented job object."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.record.frames import FrameSource
from orvideo.record.redaction import redact_extra, redact_request, redacted_media
from orvideo.record.values import Output, Record, Shape, Spending, State, mode_of, money_number, shape_of, time_text

PICTURE = b"\x89PNG not really"
DATA_URL = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
DESCRIBED = {"type": "image/png", "bytes": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest()}


def _frame(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "frame_type": "first_frame"}


@pytest.mark.drill("J13")
@pytest.mark.drill("I08")
def test_a_data_url_becomes_type_length_and_sum() -> None:
    kept = redact_request({"model": "m", "frame_images": [_frame(DATA_URL), _frame("https://example.com/a.png?x=1")]})

    assert kept["frame_images"][0] == {**_frame(""), "image_url": {"url": {"data_url": DESCRIBED}}}
    assert kept["frame_images"][1] == _frame("https://example.com/a.png?x=1")
    assert base64.b64encode(PICTURE).decode() not in json.dumps(kept)


@pytest.mark.drill("J13")
@pytest.mark.parametrize(
    ("url", "kind", "content"),
    [
        pytest.param("DATA:Image/PNG;BASE64,aGk=", "image/png", b"hi", id="upper case"),
        pytest.param("  data:image/png;base64,aGk=", "image/png", b"hi", id="leading spaces"),
        pytest.param("data:image/png;name=a;base64,aGk=", "image/png", b"hi", id="parameters"),
        pytest.param("data:,a%20b", "text/plain", b"a b", id="no type"),
        pytest.param("data:image/png;base64,aGk", "image/png", b"aGk", id="broken base64"),
        pytest.param("data:image/png;base64,", "image/png", b"", id="empty"),
    ],
)
def test_every_form_of_data_url_is_recognised(url: str, kind: str, content: bytes) -> None:
    described = redact_request({"x": url})["x"]["data_url"]

    assert described == {"type": kind, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_a_prompt_is_a_persons_text_whatever_it_begins_with() -> None:
    assert redact_request({"prompt": "data:, the android, walks"}) == {"prompt": "data:, the android, walks"}


def test_what_lacks_its_data_is_found_again() -> None:
    body = {"frame_images": [_frame("https://example.com/a.png"), _frame(DATA_URL)], "provider": {"x": [DATA_URL]}}

    assert redacted_media(redact_request(body)) == [
        ("frame_images[1].image_url.url", DESCRIBED),
        ("provider.x[0]", DESCRIBED),
    ]
    assert redacted_media({"provider": {"data_url": "a person's own word"}}) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=4))
def test_a_kept_request_is_always_json_and_keeping_it_again_changes_nothing(body: dict[str, Any]) -> None:
    kept = redact_request(body)

    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert redact_request(kept) == kept


@pytest.mark.drill("O17")
def test_signed_urls_are_never_kept_of_a_reply() -> None:
    extra = {"urls": ["https://store/?sig=1"], "unsigned_urls": ["https://api/x"], "more": [{"URLs": ["s"], "a": 1}]}

    assert redact_extra(extra) == {"unsigned_urls": ["https://api/x"], "more": [{"a": 1}]}


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({}, "text"),
        ({"frame_images": [1]}, "image"),
        ({"input_references": [1]}, "reference"),
        ({"frame_images": [1], "input_references": [1]}, "image"),
        ({"previous_job_id": "x", "frame_images": [1]}, "continuation"),
    ],
)
def test_the_mode_of_a_request(fields: dict[str, Any], mode: str) -> None:
    assert mode_of(fields) == mode


def test_the_shape_of_a_request() -> None:
    asked = {"model": "m", "resolution": "720p", "duration": 8, "generate_audio": False, "seed": 1}

    assert shape_of(asked) == Shape("m", "720p", 8, False, "text")
    assert shape_of({"model": "m", "size": "1280x720"}) == Shape("m", "1280x720", None, None, "text")
    assert shape_of({"model": "m", "duration": -(10**30)}).duration is None
    assert shape_of({"model": 5, "duration": 10**30, "generate_audio": "yes"}) == Shape(None, None, None, None, "text")


@pytest.mark.parametrize(
    ("amount", "printed"),
    [
        ("0.05", "0.05"),
        ("0.1358", "0.1358"),
        ("3", "3"),
        ("3.00", "3"),
        ("0", "0"),
        ("1E+2", "100"),
        ("0.000001", "1e-06"),
    ],
)
def test_an_amount_prints_as_itself(amount: str, printed: str) -> None:
    assert json.dumps(money_number(Decimal(amount))) == printed


def test_an_amount_that_is_not_known_is_null() -> None:
    assert money_number(None) is None
    assert money_number(Decimal("NaN")) is None
    assert Spending("m", Decimal(0), known=0, unknown=2).as_json()["cost_usd"] is None


def test_times_are_iso_8601_in_utc() -> None:
    local = datetime(2026, 11, 21, 13, 0, tzinfo=timezone(timedelta(hours=1)))

    assert time_text(local) == "2026-11-21T12:00:00.000Z"
    assert time_text(None) is None


def _record(**fields: Any) -> Record:
    when = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    known = {"seq": 1, "handle": "sub-abcdefgh", "id": None, "endpoint": "https://x/api/v1", "state": State.SUBMITTED}
    return Record(**{**known, "created_at": when, **fields})


def test_the_documented_job_object() -> None:
    record = _record(
        id="job-1",
        status="completed",
        model="m",
        prompt="p",
        ended_at=datetime(2026, 11, 21, 12, 1, tzinfo=UTC),
        cost=Decimal("0.05"),
        quote={"kind": "listed", "usd": 0.05},
        outputs=(Output(0, "/v/boat.mp4", 7, "ab"),),
        request={"model": "m"},
        generation_id="gen-1",
        batch="batch-1",
        batch_name="night",
        mark="keep",
        note="the best",
        extra={"new": 1},
        frames=(FrameSource("last", "ab", job="job-0", use="first_frame"),),
    )

    assert record.as_json() == {
        "id": "job-1",
        "handle": "sub-abcdefgh",
        "status": "completed",
        "model": "m",
        "prompt": "p",
        "endpoint": "https://x/api/v1",
        "profile": None,
        "created_at": "2026-11-21T12:00:00.000Z",
        "ended_at": "2026-11-21T12:01:00.000Z",
        "watched": False,
        "quote": {"kind": "listed", "usd": 0.05},
        "cost_usd": 0.05,
        "is_byok": None,
        "error": None,
        "outputs": [{"index": 0, "path": "/v/boat.mp4", "bytes": 7, "sha256": "ab"}],
        "request": {"model": "m"},
        "frames": [
            {
                "use": "first_frame",
                "number": 0,
                "job": "job-0",
                "output": 0,
                "file": None,
                "at": "last",
                "sha256": "ab",
                "named": None,
            }
        ],
        "generation_id": "gen-1",
        "batch": "night",
        "mark": "keep",
        "note": "the best",
        "extra": {"new": 1},
    }


def test_what_is_not_known_is_null() -> None:
    known = _record(state=State.UNKNOWN).as_json()

    assert [
        known[name] for name in ("id", "ended_at", "quote", "cost_usd", "request", "model", "batch", "mark", "note")
    ] == [None] * 9
    assert known["status"] == "outcome_unknown"


@pytest.mark.parametrize(
    ("state", "word", "running"),
    [
        (State.PREPARED, "submitting", True),
        (State.SENDING, "submitting", True),
        (State.SUBMITTED, "pending", True),
        (State.UNKNOWN, "outcome_unknown", False),
        (State.NOT_SENT, "not_sent", False),
    ],
)
def test_before_the_service_said_anything_our_own_words_stand_for_the_status(
    state: State, word: str, running: bool
) -> None:
    assert _record(state=state).status_word == word
    assert _record(state=state).is_running is running


def test_the_values_need_neither_sqlite_nor_pydantic() -> None:
    code = "import sys, orvideo.record.values; print({'sqlite3', 'pydantic', 'httpx', 'rich'} & set(sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.drill("X03")
@pytest.mark.parametrize(
    ("job_id", "named"),
    [
        ("gen-vid-1764000000-AbC_9", True),
        ("a.b:c,d@e%f+g=h-i", True),
        ("_a", True),
        ("-a", False),
        ("a b", False),
        ("a;b", False),
        ("$(x)", False),
        ("a\n", False),
        ("é", False),
        ("", False),
        (None, False),
    ],
)
def test_a_job_is_called_by_its_id_where_a_shell_reads_it_as_one_word(job_id: str | None, named: bool) -> None:
    assert _record(id=job_id).name == (job_id if named else "sub-abcdefgh")


@pytest.mark.parametrize(
    ("expected", "saved", "fetched"),
    [
        (None, 0, False),
        (None, 1, True),
        (0, 0, True),
        (0, 1, True),
        (1, 1, True),
        (2, 1, False),
        (2, 2, True),
        (2, 3, True),
    ],
)
def test_a_job_is_fetched_when_as_many_outputs_are_saved_as_it_has(
    expected: int | None, saved: int, fetched: bool
) -> None:
    when = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    outputs = [Output(index, "/v", 1, "ab", when) for index in range(saved)] + [Output(9)]
    assert _record(outputs=tuple(outputs), expected_outputs=expected).is_fetched is fetched


@pytest.mark.parametrize(
    ("state", "final", "running"),
    [(state, final, state in (State.PREPARED, State.SENDING)) for state in State for final in (True, False)
     if state is not State.SUBMITTED] + [(State.SUBMITTED, True, False), (State.SUBMITTED, False, True)],
)  # fmt: skip
def test_a_job_is_running_until_it_is_at_its_end(state: State, final: bool, running: bool) -> None:
    assert _record(state=state, final=final).is_running is running


def test_the_status_is_the_services_word_as_soon_as_it_said_one() -> None:
    assert _record(status="queued", state=State.UNKNOWN).status_word == "queued"
    assert _record(watched=True).as_json()["watched"] is False, "it has no end"
    ended = datetime(2026, 11, 21, 12, 1, tzinfo=UTC)
    assert _record(watched=True, ended_at=ended).as_json()["watched"] is True
    assert _record(watched=False, ended_at=ended).as_json()["watched"] is False


def test_a_sum_says_how_much_of_it_is_known() -> None:
    assert Spending("m", True, Decimal("0.30"), 2, 1, 3, Decimal("0.5"), 4).as_json() == {
        "key": "m", "sandbox": True, "cost_usd": 0.3, "known": 2, "unknown": 1, "pending": 3, "pending_usd": 0.5,
        "byok": 4,
    }  # fmt: skip
    assert Spending(None, known=1).as_json()["cost_usd"] == 0
    own = Spending(None, byok=1).as_json()
    assert (own["cost_usd"], own["pending_usd"]) == (None, None), "an own key's account is unknown, not free"


@pytest.mark.parametrize(
    ("duration", "kept"),
    [
        (2**31 - 1, True),
        (2**31, False),
        (-(2**31) + 1, True),
        (-(2**31), False),
        (True, False),
        (8.0, False),
        ("8", False),
    ],
)
def test_a_duration_that_a_record_can_hold_is_a_part_of_the_shape(duration: object, kept: bool) -> None:
    assert shape_of({"duration": duration}).duration == (duration if kept else None)


def test_a_size_stands_for_the_resolution_and_an_empty_word_for_nothing() -> None:
    assert shape_of({"model": "", "size": "1x1", "resolution": "720p"}).resolution == "1x1"
    assert shape_of({"model": "", "size": "", "resolution": "720p"})[:2] == (None, "720p")
    assert shape_of({"generate_audio": True}).audio is True
    assert shape_of({"generate_audio": 1}).audio is None


def test_what_json_does_not_have_becomes_null_and_names_become_texts() -> None:
    kept = redact_request({"a": (1, float("inf")), "b": {1: float("nan"), "c": [DATA_URL]}, "prompt": DATA_URL})
    assert kept == {"a": [1, None], "b": {"1": None, "c": [{"data_url": DESCRIBED}]}, "prompt": DATA_URL}
    found = {"data_url": DESCRIBED, "more": 1}
    assert redacted_media({"a": found, "b": {"data_url": "x"}, "c": {"data_url": {"bytes": 1}}}) == []
    assert redacted_media({"a": {"b": [[{"data_url": DESCRIBED}]]}}) == [("a.b[0][0]", DESCRIBED)]
