from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.api import replies
from orvideo.api.exchange import Answer
from orvideo.api.redaction import Redactor
from orvideo.errors import OrvideoError, ServiceReply

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "sk-or-v1-canary0123456789abcdef"
CAP = 1_000_000


def reply(body: object, status: int = 400, headers: dict[str, str] | None = None) -> ServiceReply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status=status, headers=httpx.Headers(headers), body=bytearray(data), complete=True)
    redactor = Redactor(KEY)
    return replies.service_reply(replies.read(answer, redactor, CAP), redactor, NOW)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"code": 400, "message": "Duration 99s is not supported"}}, "Duration 99s is not supported"),
        ({"error": "just a text"}, "just a text"),
        ({"message": "at the top"}, "at the top"),
        ({"success": False, "error": {"name": "ZodError", "message": "[not json"}}, "[not json"),
        (
            {"error": {"name": "ZodError", "message": '[{"path": ["a", 0], "message": "bad"}, {"message": "worse"}]'}},
            "a.0: bad; worse",
        ),
        (b"", "no message"),
        (b"plain words", "plain words"),
        (b"<html><title>Just a moment...</title>", "Just a moment..."),
        (b"<html>no title", "an HTML page instead of an answer"),
        ({"error": {"message": 7}}, "no message"),
        ({"error": []}, "no message"),
        ([], "no message"),
        ("a text", "a text"),
    ],
)
def test_every_shape_of_an_error_is_read(body: object, message: str) -> None:
    assert reply(body).message == message


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("plain", "plain"),
        ('{"message": "from json"}', "from json"),
        ('{"error": {"message": "nested"}}', "nested"),
        ({"detail": "an object"}, "an object"),
        ('{"odd": 1}', '{"odd": 1}'),
        ("", None),
        (None, None),
        ([], None),
        ("x" * 5000, "x" * 1999 + "…"),
    ],
)
def test_the_providers_own_words(raw: object, words: str | None) -> None:
    assert reply({"error": {"message": "m", "metadata": {"raw": raw}}}).provider_message == words


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "message", "metadata", "raw", "reasons", "patterns", "path", "provider_name"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from([400, 401, 402, 403, 404, 407, 408, 409, 410, 413, 418, 422, 429, 500, 503, 599]),
)
def test_an_error_of_any_type_ends_as_one_of_ours(body: Any, status: int) -> None:
    error = replies.refusal(reply(body, status), "openrouter.ai")
    assert isinstance(error, OrvideoError)
    assert str(status) in error.message or status == 401
    json.dumps(error.as_json())


def test_a_ray_id_is_kept_for_support() -> None:
    assert reply(b"<html>", 502, {"cf-ray": "8f1-AMS"}).ray == "8f1-AMS"


def test_hints_name_the_next_step() -> None:
    def hint(body: object, status: int, headers: dict[str, str] | None = None) -> str | None:
        return replies.refusal(reply(body, status, headers), "openrouter.ai").hint

    assert hint({"error": {"message": "x/y is not a valid model ID"}}, 400) == "orvideo models"
    assert hint({"error": {"message": "User not found."}}, 401) == "orvideo config set api-key"
    assert hint({}, 429, {"Retry-After": "300"}) == "wait 5 min, then run the same command"
    assert "credits" in (hint({"error": {"message": "Insufficient credits"}}, 402) or "")
