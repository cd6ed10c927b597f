from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo import errors, shells
from orvideo.api import refusals, replies
from orvideo.api.exchange import ExchangeResult
from orvideo.api.payload import NotJson
from orvideo.api.redaction import Redactor
from orvideo.errors import BadReply, OrvideoError, ServerFault, ServiceReply

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = "sk-or-v1-canary0123456789abcdef"
CAP = 1_000_000


def reply(body: object, status: int = 400, headers: dict[str, str] | None = None) -> ServiceReply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = ExchangeResult(status=status, headers=httpx.Headers(headers), body=data, complete=True)
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
        (
            b"<html><title>Just a moment...</title>",
            "a page that is not the service's, titled 'Just a moment...'",
        ),
        (b"<html>no title", "a page that is not the service's"),
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
    error = refusals.refusal(reply(body, status), "openrouter.ai")
    assert isinstance(error, OrvideoError)
    assert str(status) in error.message or status == 401
    json.dumps(error.as_json())


def test_a_ray_id_is_kept_for_support() -> None:
    assert reply(b"<html>", 502, {"cf-ray": "8f1-AMS"}).ray == "8f1-AMS"


def hint_of(body: object, status: int, headers: dict[str, str] | None = None) -> str | None:
    """Return the hint of a refused submit."""
    error = refusals.refused_submit(reply(body, status, headers), "openrouter.ai", None)
    assert error is not None
    return error.hint


def test_hints_name_the_next_step() -> None:
    assert hint_of({"error": {"message": "x/y is not a valid model ID"}}, 400) == "orvideo models"
    assert hint_of({"error": {"message": "User not found."}}, 401) == "orvideo config set api-key"
    assert hint_of({}, 429, {"Retry-After": "300"}) == "wait 5 min, then run the same command"
    assert "credits" in (hint_of({"error": {"message": "Insufficient credits"}}, 402) or "")


ALL_STATUSES = range(400, 600)
REFUSALS = {400, 401, 402, 403, 404, 413, 422, 429, 503}


@pytest.mark.drill("M20", "F-A07")
@pytest.mark.parametrize("body", [{"error": {"code": 1, "message": "no"}}, b"<html>", {"detail": "no"}], ids=repr)
def test_f_a07_only_what_is_listed_is_a_refusal_of_a_submit(body: object) -> None:
    refused = {status for status in ALL_STATUSES if refusals.refused_submit(reply(body, status), "x", None)}
    assert refused == (REFUSALS if isinstance(body, dict) and "error" in body else REFUSALS - {503})


@pytest.mark.drill("R-B12")
def test_b12_a_refused_look_or_download_gives_no_advice_about_the_request() -> None:
    own = {"error": {"code": 1, "message": "x is not a valid model ID"}}
    for body in (own, b"<html>", {}):
        for status in ALL_STATUSES:
            error = refusals.refusal(reply(body, status, {"Retry-After": "7"}), "openrouter.ai")
            helps = {401: "orvideo config set api-key", 407: "put the proxy's name and password into HTTPS_PROXY"}
            page_of_401 = status == 401 and isinstance(body, bytes)
            assert error.hint == (None if page_of_401 else helps.get(status))


@pytest.mark.drill("R-B12")
def test_b12_a_refused_submit_is_never_told_to_wait_for_a_job() -> None:
    for status in REFUSALS:
        hint = hint_of({"error": {"code": status, "message": "no"}}, status)
        assert hint
        assert "JOB" not in hint
        assert "orvideo jobs" not in hint


@pytest.mark.drill("F-A09")
@pytest.mark.parametrize(
    ("body", "own"),
    [
        ({"error": {"code": 404, "message": "Job x not found"}}, True),
        ({"error": {"message": "no code"}}, True),
        ({"success": False, "error": {"name": "ZodError", "message": "[]"}}, True),
        ({"error": "a gateway's text"}, False),
        ({"error": {}}, False),
        ({"error": None, "message": "x"}, False),
        ({"detail": "Not Found"}, False),
        ({"message": "no Route matched with those values"}, False),
        ([{"error": {"message": "x"}}], False),
        (b"<html><title>404</title>", False),
        (b"404 page not found", False),
        (b"", False),
    ],
)
def test_f_a09_the_services_own_errors_are_told_from_those_of_others(body: object, own: bool) -> None:
    assert reply(body, 404).own is own


@pytest.mark.drill("F-A09")
def test_f_a09_a_page_is_named_as_such() -> None:
    error = refusals.refusal(reply(b"<html><title>Log in</title>", 404), "openrouter.ai")
    assert error.message == "openrouter.ai answered with 404: a page that is not the service's, titled 'Log in'."


@pytest.mark.drill("F-C13")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Not Found"}, "Not Found"),
        ({"title": "Too busy", "status": 503}, "Too busy"),
        ({"type": "about:blank", "title": "Bad", "detail": "No such route"}, "No such route"),
        ({"detail": [{"loc": ["body", "prompt"], "msg": "is missing"}, {"msg": "x"}]}, "body.prompt: is missing; x"),
        ({"errors": [{"message": "is busy"}, "x"]}, "is busy; x"),
        ({"error": [{"message": "is busy"}]}, "is busy"),
        ({"error": {"errors": [{"message": "is busy"}]}}, "is busy"),
        ([{"message": "is busy"}], "is busy"),
    ],
)
def test_f_c13_what_a_gateway_says_is_read(body: object, message: str) -> None:
    assert reply(body).message == message


@pytest.mark.drill("F-C13")
def test_f_c13_a_page_where_the_api_should_be_asks_about_the_base_url() -> None:
    usual = (
        "is the base URL right? It usually ends in /api/v1: orvideo config set base-url https://x.example:8443/api/v1"
    )
    assert refusals.base_url_hint("https://x.example:8443/v1/") == usual
    assert refusals.base_url_hint("https://x.example/api/v1") == (
        "is the base URL right? See who set it: orvideo config list"
    )
    assert hint_of({"error": {"code": 404, "message": "No endpoints found"}}, 404) == "orvideo models"


@pytest.mark.drill("F-C13")
def test_c13_what_a_variable_sets_is_changed_in_the_variable() -> None:
    assert refusals.base_url_hint("https://x.example/v1", "OPENROUTER_BASE_URL").endswith(
        ": " + shells.set_variable("OPENROUTER_BASE_URL", "https://x.example/api/v1")
    )
    assert refusals.base_url_hint("https://x.example/api/v1", "ORVIDEO_BASE_URL") == (
        "is the base URL right? To use the usual one: " + shells.unset_variable("ORVIDEO_BASE_URL")
    )
    assert refusals.key_hint(refusals.KeySource("the store", "do this")) == "do this"
    assert refusals.key_hint(None) == "orvideo config set api-key"


@pytest.mark.drill("K05")
def test_a_key_in_json_in_json_is_not_shown() -> None:
    inner = json.dumps({"message": KEY}).replace("sk-or", "\\u0073k-or")
    assert KEY not in repr(reply({"error": {"message": "m", "metadata": {"raw": inner}}}))


@pytest.mark.drill("F-C03")
def test_f_c03_a_header_of_100_kb_is_not_read_to_its_end() -> None:
    said = reply({}, 429, {"Retry-After": "9" * 100_000, "CF-Ray": "x" * 100_000})
    assert said.retry_after == 1e9
    assert said.ray == "x" * 120


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("1", "1 s"),
        ("1.2", "2 s"),
        ("119", "119 s"),
        ("120", "2 min"),
        ("121", "3 min"),
        ("7199", "120 min"),
        ("7200", "2 h"),
        ("7201", "3 h"),
    ],
)
@pytest.mark.parametrize("status", [402, 429, 503])
def test_a_submit_that_is_told_to_wait_says_how_long(asked: str, told: str, status: int) -> None:
    own = {"error": {"code": status, "message": "no"}}
    assert hint_of(own, status, {"Retry-After": asked}) == f"wait {told}, then run the same command"


def test_a_refusal_that_waiting_does_not_help_is_not_waited_for() -> None:
    for status in REFUSALS - {402, 429, 503}:
        assert "wait" not in (hint_of({"error": {"code": 1, "message": "no"}}, status, {"Retry-After": "7"}) or "")


@pytest.mark.drill("M18")
@pytest.mark.parametrize(
    ("headers", "metadata", "seconds"),
    [
        ([("Retry-After", "0")], {}, 0.0),
        ([("Retry-After", "7"), ("Retry-After", "9"), ("Retry-After", "x")], {"retry_after_seconds": 99}, 9.0),
        ([("Retry-After", "-1")], {}, None),
        ([("Retry-After", "x")], {"retry_after_seconds": 7}, 7.0),
        ([], {"retry_after_seconds": "7.5"}, 7.5),
        ([], {"retry_after_seconds": True}, None),
        ([], {"retry_after_seconds": [7]}, None),
        ([("Retry-After", "1e9")], {}, 1e9),
        ([("Retry-After", "1e10")], {}, 1e9),
        ([("Retry-After", "1e999")], {}, 1e9),
        ([("Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT")], {}, 30.0),
        ([("Retry-After", "Sat, 21 Nov 2026 11:59:00 GMT")], {}, 0.0),
        (
            [("Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT"), ("Date", "Sat, 21 Nov 2026 12:00:10 GMT")],
            {},
            20.0,
        ),
    ],
)
def test_how_long_a_service_asks_to_wait(
    headers: list[tuple[str, str]], metadata: dict[str, Any], seconds: float | None
) -> None:
    assert replies.retry_after(httpx.Headers(headers), metadata, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (402, errors.PaymentRequired),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (407, errors.AuthError),
        (408, errors.ServerFault),
        (409, errors.NotReadyYet),
        (410, errors.Gone),
        (413, errors.PayloadTooLarge),
        (418, errors.Rejected),
        (422, errors.Unprocessable),
        (429, errors.RateLimited),
        (499, errors.Rejected),
        (500, errors.ServerFault),
        (503, errors.ServiceUnavailable),
        (599, errors.ServerFault),
    ],
)
def test_a_refusal_is_of_the_kind_of_its_status(status: int, kind: type[OrvideoError]) -> None:
    assert type(refusals.refusal(reply({"error": {"message": "no"}}, status), "x")) is kind


def test_a_key_is_blamed_where_it_was_sent() -> None:
    said = reply({"error": {"message": "no"}}, 401)
    assert (
        refusals.refusal(said, "x", source=refusals.KeySource("the store", "do this")).message
        == "x refused the API key from the store: no."
    )
    assert refusals.refusal(said, "x").message == "x refused the API key: no."
    assert refusals.refusal(said, "x", with_key=False).message == "x answered with 401: no."


@pytest.mark.parametrize("length", [1999, 2000, 2001])
def test_a_message_has_2000_characters_at_most(length: int) -> None:
    said = reply({"error": {"message": "x" * length, "metadata": {"raw": "y" * length}}})
    for text, letter in ((said.message, "x"), (said.provider_message, "y")):
        assert text == (letter * length if length <= 2000 else letter * 1999 + "…")


@pytest.mark.parametrize("length", [119, 120, 121])
def test_a_title_has_120_characters_at_most(length: int) -> None:
    title = "x" * length if length <= 120 else "x" * 119 + "…"
    assert reply(b"<html><TITLE lang=de> %s\n</title>" % (b"x" * length)).message.endswith(f"titled {title!r}")


def test_twenty_reasons_of_200_characters_are_read_and_twenty_complaints() -> None:
    many: list[Any] = [{"message": f"{number}" + "x" * 300} for number in range(30)]
    said = reply({"error": {"message": "m", "metadata": {"reasons": many, "patterns": "p"}}})
    assert [len(reason) for reason in said.reasons] == [200] * 20 + [1]
    short = [{"message": "x"}] * 30
    assert reply({"error": {"message": json.dumps(short)}}).message == "; ".join("x" * 20)


@pytest.mark.drill("M17")
def test_who_said_what_is_told_once() -> None:
    def told(**metadata: Any) -> str:
        return refusals.reply_text(reply({"error": {"message": "it is no", "metadata": metadata}}))

    assert told() == "it is no."
    assert told(provider_name="P") == "it is no. The provider was P."
    assert told(provider_name="P", raw="no") == "it is no. The provider was P."
    assert told(provider_name="P", raw="why!") == "it is no. P says: why!"
    assert told(raw="why") == "it is no. The provider says: why."
    assert told(reasons=["a", {"message": "b"}, 7, ""], patterns=None) == "it is no. Reasons: a, b."


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE", b"<html", b"<HEAD>", b"<body>", b"<?xml", b"<title>", b"\xef\xbb\xbf\r\n\t <html>"]
)
def test_a_page_is_known_by_its_beginning(page: bytes) -> None:
    assert reply(page).message.startswith("a page that is not the service's")


@pytest.mark.drill("M18")
@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sat, 21 Nov 2026 12:00:30 -0000", 30.0),
        ("Sat, 21 Nov 2026 14:00:30 +0200", 30.0),
        ("Sat, 21 Nov 2026 12:00:30", 30.0),
        ("Sat, 21 Nov 99999 12:00:30 GMT", None),
        ("Sat, 32 Nov 2026 12:00:30 GMT", None),
        (" ", None),
    ],
)
def test_a_date_means_the_same_wherever_this_machine_is(
    date: str, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "XXX-9")
    time.tzset()
    try:
        assert replies.retry_after(httpx.Headers({"Retry-After": date}), {}, NOW) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


def reading(body: bytes, headers: dict[str, str] | None = None, **more: Any) -> replies.DecodedReply:
    answer = ExchangeResult(
        **{"status": 200, "headers": httpx.Headers(headers), "body": body, "complete": True, **more}
    )
    return replies.read(answer, Redactor(KEY), 100)


def test_what_is_wrong_with_an_answer_is_known_before_it_is_parsed() -> None:
    assert reading(b"{}").json() == {}
    packed = {"Content-Encoding": "gzip"}
    for large in (reading(b"{}", too_large=True), reading(gzip.compress(b" " * 101), packed)):
        assert large.too_large
        with pytest.raises(NotJson, match="too large"):
            large.json()
    strange = reading(b"{}", {"Content-Encoding": "x" * 100})
    with pytest.raises(NotJson, match=f"'{'x' * 80}'"):
        strange.json()
    cut = [reading(b'{"a": 1', complete=False), reading(gzip.compress(b'{"a": ' + b"1" * 30)[:-12], packed)]
    for one in cut:
        assert not one.whole
        with pytest.raises(NotJson) as caught:
            one.json()
        assert caught.value.cut
    assert reading(b"{}").whole


@pytest.mark.parametrize(
    ("body", "more", "kind"),
    [
        (b"<html>", {}, ServerFault),
        (b"plain", {}, ServerFault),
        (b'{"a": 1', {}, ServerFault),
        (b'{"a": }', {}, BadReply),
        (b'{"a": }', {"complete": False}, ServerFault),
        (b"[1]", {}, BadReply),
        (b"7", {}, BadReply),
        (b"plain", {"too_large": True}, BadReply),
        (b"plain", {"headers": httpx.Headers({"Content-Encoding": "br"})}, BadReply),
    ],
)
def test_an_answer_that_makes_no_sense_is_told_from_one_that_went_wrong_on_its_way(
    body: bytes, more: dict[str, Any], kind: type[OrvideoError]
) -> None:
    answer = ExchangeResult(**{"status": 200, "body": body, "complete": True, **more})
    with pytest.raises(kind) as caught:
        replies.json_object(replies.read(answer, Redactor(KEY), 100), "x")
    assert type(caught.value) is kind


def test_a_submit_that_was_answered_by_a_page_or_by_nothing_says_which() -> None:
    page = reading(b"<html><title>Log in</title>", {"cf-ray": "8f1-AMS"})
    assert replies.page_text(page) == "a page that is not the service's, titled 'Log in' (ray 8f1-AMS)"
    assert replies.page_text(reading(b"<html>")) == "a page that is not the service's"
    assert replies.page_text(reading(b"")) == "an empty body"


KEY_LIMIT = "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys"
BUDGET = {
    "limit_source": "openrouter_workspace_budget", "scope": "monthly", "limit_usd": 10, "spend_usd": "10.02",
    "resets_at": "2026-12-01T00:00:00Z", "remedy_hint": "Ask the owner of the workspace to raise its budget.",
}  # fmt: skip


PROVIDER = "Provider returned error"


def refused(message: str, status: int, metadata: object = None, **more: Any) -> OrvideoError:
    """Return the error of a submit that was refused like this."""
    body = {"error": {"code": status, "message": message, "metadata": metadata, **more}}
    error = refusals.refused_submit(reply(body, status), "openrouter.ai", None)
    assert error is not None
    return error


@pytest.mark.drill("M16", "F-A06")
@pytest.mark.parametrize(
    ("message", "status", "metadata", "layer"),
    [
        (KEY_LIMIT, 403, None, "your key's total limit"),
        ("Key limit exceeded (daily limit).", 403, {}, "your key's daily limit"),
        ("key limit reached", 429, {}, "your key's limit"),
        ("Budget limit exceeded", 403, BUDGET, "the workspace's budget (monthly)"),
        ("No", 403, {"limit_source": "openrouter_guardrail_budget"}, "the budget of a guardrail"),
        ("No", 400, {"limit_source": "openrouter_key_limit"}, "your key's limit"),
        ("No", 403, {"limit_source": "openrouter_new_limit"}, "the limit 'openrouter_new_limit'"),
        ("Budget limit exceeded", 403, None, "a budget of your account"),
        ("Budget has been exceeded! Current cost: 3", 400, None, "a budget of your account"),
        ("Insufficient credits", 402, None, "your credits"),
        ("Insufficient credits. Add more", 403, None, "your credits"),
        ("This workspace has exceeded its monthly spending limit.", 403, None, "the workspace's budget"),
        ("Your spending limit has been reached", 403, None, "a budget of your account"),
        ("This request requires more credits, or fewer seconds", 403, None, "your credits"),
        ("Insufficient account balance", 400, None, "your credits"),
        ("Payment required", 403, None, "your credits"),
        ("You exceeded your current quota", 403, None, "a quota of your account"),
        ("Key limit exceeded (weekly limit).", 403, {"reasons": ["limit"]}, "your key's weekly limit"),
        ("Key limit exceeded", 401, None, "your key's limit"),
        ("Not Found", 404, {"limit_source": "openrouter_key_limit"}, "your key's limit"),
        (PROVIDER, 403, {"raw": json.dumps({"error": {"message": KEY_LIMIT}})}, "your key's total limit"),
        (PROVIDER, 403, {"raw": "Insufficient credits"}, "your credits"),
    ],
)
def test_a06_a_refusal_for_money_is_known_by_what_it_says(
    message: str, status: int, metadata: object, layer: str
) -> None:
    error = refused(message, status, metadata)
    assert (error.exit_code, error.kind) == (5, "money")
    assert error.reply is not None
    assert error.reply.limit is not None
    assert error.reply.limit.layer == layer
    assert layer.removeprefix("your").removeprefix("the") in error.message or layer == "your credits"
    assert "prompt" not in (error.hint or "")


@pytest.mark.drill("M17", "F-A06")
@pytest.mark.parametrize(
    ("message", "status", "metadata"),
    [
        ("Your prompt was flagged: insufficient funds", 403, {"reasons": ["violence"]}),
        ("This model is not available in your region.", 403, None),
        ("Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more", 429, None),
        ("Token limit exceeded", 400, None),
        ("Duration limit reached", 400, {"limit_source": 7}),
        ("This exceeds the token budget", 400, None),
        ("Your prompt was flagged", 403, {"reasons": ["x"], "raw": "insufficient credits to the author"}),
        (PROVIDER, 403, {"raw": "Quota exceeded for this project"}),
        ("Quota exceeded: 10 requests a minute", 429, None),
    ],
)
def test_a06_other_refusals_are_not_about_money(message: str, status: int, metadata: object) -> None:
    error = refused(message, status, metadata)
    assert error.exit_code == (7 if status == 429 else 6)
    assert error.reply is not None
    assert error.reply.limit is None


@pytest.mark.drill("F-A06")
def test_a06_the_limit_what_is_spent_when_it_resets_and_the_services_advice_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told(zone: str) -> OrvideoError:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        return refused("Budget limit exceeded", 403, BUDGET)

    try:
        assert told("UTC0").message == (
            "openrouter.ai refused the request with 403: Budget limit exceeded. This is the workspace's budget "
            "(monthly); $10.02 of $10.00 is spent; it resets at 2026-12-01 00:00 UTC."
        )
        assert "it resets at 2026-12-01 00:00 UTC (2026-12-01 09:00 here)." in told("XXX-9").message
        assert told("UTC0").hint == "Ask the owner of the workspace to raise its budget"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.drill("F-A06")
def test_a06_a_limit_of_odd_numbers_and_times_is_told_without_them() -> None:
    odd = {**BUDGET, "limit_usd": "much", "spend_usd": [1], "resets_at": "soon", "scope": 7, "remedy_hint": None}
    error = refused("Budget limit exceeded", 403, odd)
    assert error.message.endswith("Budget limit exceeded. This is the workspace's budget.")
    assert error.hint == "look at the limit at https://openrouter.ai/settings/keys"


@pytest.mark.drill("F-A06")
def test_a06_what_the_service_says_of_other_models_is_told_and_offered() -> None:
    offered = {
        "code": "no_endpoints", "retryable": False, "retry_after": 30, "docs_url": "https://x/y",
        "excluded_by": ["data_policy", {"message": "zdr"}], "constraint": "region",
        "fallback_models": ["x/a", {"id": "x/b"}, "; rm"],
    }  # fmt: skip
    error = refused("No endpoints found", 404, availability=offered)
    assert error.message == (
        "openrouter.ai refused the request with 404: No endpoints found. Excluded by: data_policy, zdr. Constraint: "
        "region. More at: https://x/y. The service names other models: x/a, x/b."
    )
    assert error.hint == "the same command with -m x/a"
    both = refused("no", 403, {"remedy_hint": "Do it."}, availability={"fallback_models": ["x/a"]})
    assert both.hint == "Do it; or the same command with -m x/a"


@pytest.mark.drill("F-A06")
@pytest.mark.parametrize(
    ("status", "metadata", "availability", "retryable", "seconds"),
    [
        (402, {"reason": "in_flight_budget_exhausted", "retry_after_seconds": 7}, None, None, 7.0),
        (402, {"reason": "weight_exceeds_budget", "retry_after_seconds": 7}, None, False, 7.0),
        (503, {}, {"retryable": False}, False, None),
        (503, {}, {"retryable": True, "retry_after": 9}, True, 9.0),
        (503, {"retry_after_seconds": 3}, {"retryable": "yes", "retry_after": 9}, None, 3.0),
        (503, {}, "odd", None, None),
    ],
)
def test_a06_whether_and_when_to_try_again_is_read(
    status: int, metadata: object, availability: object, retryable: bool | None, seconds: float | None
) -> None:
    error = refused("no", status, metadata, availability=availability)
    assert error.reply is not None
    assert (error.reply.retryable, error.reply.retry_after) == (retryable, seconds)
    assert ("wait" in (error.hint or "")) is (retryable is not False)


@pytest.mark.drill("F-A06")
@pytest.mark.parametrize("seconds", [None, "7"])
def test_a06_a_limit_that_is_said_with_a_time_to_wait_is_waited_for(seconds: str | None) -> None:
    body = {"error": {"code": 503, "message": "no", "metadata": {"limit_source": "openrouter_key_limit"}}}
    error = refusals.refused_submit(reply(body, 503, {"Retry-After": seconds} if seconds else {}), "x", None)
    assert error is not None
    assert error.exit_code == (7 if seconds else 5)


@pytest.mark.drill("F-A09")
@pytest.mark.parametrize("status", [400, 401, 403, 413, 422])
def test_a09_a_page_that_refuses_is_no_judgement_of_the_prompt_or_the_model(status: int) -> None:
    page = reply(b"<html><title>Blocked</title>", status)
    error = refusals.refused_submit(page, "openrouter.ai", None)
    assert error is not None
    assert "a page that is not the service's, titled 'Blocked'" in error.message
    assert error.hint == "something before the service answered, such as a proxy or a firewall: orvideo doctor"


@pytest.mark.drill("M18")
@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (119, "119 s"), (120, "2 min"), (121, "3 min"), (7199, "120 min"), (7200, "2 h"), (7201, "3 h")],
)
def test_m18_how_long_to_wait_is_told_in_a_unit_that_fits(seconds: float, told: str) -> None:
    error = refused("slow down", 429, {"retry_after_seconds": seconds})
    assert error.hint == f"wait {told}, then run the same command"


@pytest.mark.parametrize("status", [400, 403])
def test_a_prompt_that_is_refused_with_reasons_is_what_to_change(status: int) -> None:
    assert refused("no", status, {"reasons": ["violence"]}).hint == "change the prompt"
