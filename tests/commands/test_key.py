"""What the service says of the key is heard before anything is sent, once, and stops nothing else (F-A13)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orvideo import shells
from orvideo.api.schemas import KeyInfo
from orvideo.commands._key import problem_of
from tests.api.test_replies import NOW
from tests.drills.raw_server import Behaviour, RawServer, Reply, close_after_request
from tests.drills.service import ORDER, on_record, surroundings
from tests.drills.service import model_list as models
from tests.shell import KEY, Result, Shell

pytestmark = pytest.mark.drill("F-A13")

BASE = "/api/v1"
JOB = {"id": "gen-vid-1763800000-0123456789abcdefghij", "status": "pending"}
#: What a key says that may do all that it is asked for.
FINE: dict[str, Any] = {
    "label": "x", "limit": 10, "limit_remaining": 9.5, "is_management_key": False, "expires_at": None,
    "allowed_data_regions": ["eu"], "budgets": [], "effective_budget": None,
}  # fmt: skip
OVERRUN = {
    "scope": "workspace", "limit_usd": 10, "spend_usd": 10.02, "remaining_usd": -0.02,
    "resets_at": "2026-12-01T00:00:00Z",
}  # fmt: skip


def said(**changed: Any) -> Reply:
    return Reply(200, {"data": {**FINE, **changed}})


@contextmanager
def service(key: Behaviour, submit: Behaviour | None = None) -> Iterator[RawServer]:
    routes = {
        f"{BASE}/videos/models": Reply(200, models()),
        f"{BASE}/videos": submit or Reply(202, JOB),
        f"{BASE}/key": key,
    }
    with RawServer(routes=routes) as server:
        yield server


def dear(orvideo: Shell, server: RawServer, *more: str, **env: str) -> Result:
    """Submit something that costs more than `confirm-above`, without a terminal."""
    return orvideo(
        "submit", *ORDER, "--yes", *more, env={**surroundings(server), "ORVIDEO_CONFIRM_ABOVE": "0.01", **env}
    )


def batch(orvideo: Shell, server: RawServer, home: Path, *more: str) -> Result:
    (home / "rows.txt").write_text("one\ntwo\nthree\n")
    line = ("batch", "rows.txt", *ORDER[1:], "--yes", "-o", str(home), *more)
    return orvideo(*line, env=surroundings(server))


CANNOT: list[tuple[dict[str, Any], int, str]] = [
    ({"is_management_key": True}, 4, "management key"),
    ({"is_provisioning_key": True}, 4, "management key"),
    ({"expires_at": "2026-01-01T00:00:00Z"}, 4, "expired at 2026-01-01 00:00 UTC"),
    ({"allowed_data_regions": []}, 4, "no data region"),
    ({"limit_remaining": 0}, 5, "your key's limit; $10.00 of $10.00 is spent"),
    ({"limit_remaining": -0.5}, 5, "your key's limit; $10.50 of $10.00 is spent"),
    ({"effective_budget": OVERRUN}, 5, "a budget (workspace); $10.02 of $10.00 is spent; it resets at 2026-12-01"),
    ({"budgets": [{"remaining_usd": 5}, {"remaining_usd": 0}, 7]}, 5, "a budget"),
]
#: The same told in another way: what is not said is reckoned.
ALSO_CANNOT: list[tuple[dict[str, Any], int, str]] = [
    ({"effective_budget": {"remaining_usd": None}, "budgets": [OVERRUN]}, 5, "a budget (workspace)"),
    ({"budgets": [{"limit_usd": 5, "spend_usd": 5}]}, 5, "$5.00 of $5.00 is spent"),
    ({"limit": 5, "usage": 5.5, "limit_remaining": None}, 5, "your key's limit; $5.50 of $5.00 is spent"),
    (
        {"limit": 5, "limit_remaining": None, "limit_reset": "daily", "usage": 0, "usage_daily": 5},
        5,
        "your key's limit",
    ),
    ({"limit": 0, "limit_remaining": None}, 5, "your key's limit"),
    ({"expires_at": "1700000000"}, 4, "expired at 2023-11-14"),
    ({"expires_at": 1700000000}, 4, "expired at 2023-11-14"),
]


@pytest.mark.parametrize(("changed", "code", "words"), ALSO_CANNOT, ids=repr)
def test_a13_what_is_not_said_of_a_limit_is_reckoned(changed: dict[str, Any], code: int, words: str) -> None:
    problem = problem_of(KeyInfo.model_validate({**FINE, **changed}), NOW, "x")
    assert problem is not None
    assert problem.exit_code == code
    assert words in problem.message


@pytest.mark.parametrize(("changed", "code", "words"), CANNOT, ids=repr)
def test_a13_what_cannot_work_is_said_before_anything_is_sent(
    changed: dict[str, Any], code: int, words: str, orvideo: Shell, home: Path
) -> None:
    with service(said(**changed)) as server:
        for done in (dear(orvideo, server, "--json"), batch(orvideo, server, home, "--json")):
            assert done.code == code, done.err
            assert words in done.error["message"]
            assert "Nothing was sent." in done.error["message"]
            assert done.error["charged"] == "no"
            assert done.error["hint"]
        assert (server.count("POST"), server.count("GET", f"{BASE}/key")) == (0, 2)
        checked = orvideo("doctor", "--json", env=surroundings(server))
    key = {check["name"]: check for check in checked.json}["key"]
    assert (checked.code, key["ok"]) == (code, False)
    assert words in key["detail"]
    assert KEY not in checked.out + checked.err


MAY: list[dict[str, Any]] = [
    {},
    {"limit": None, "limit_remaining": None},
    {"expires_at": "2100-01-01T00:00:00Z"},
    {"expires_at": "never", "allowed_data_regions": None},
    {"allowed_data_regions": [{"id": "eu"}]},
    {"effective_budget": {"remaining_usd": 3}, "budgets": [{"remaining_usd": -1}]},
    {"limit": 5, "usage": 50, "limit_remaining": None, "limit_reset": "monthly", "usage_monthly": 1},
    {"limit": 5, "usage": 50, "limit_remaining": None, "limit_reset": "yearly"},
    {"expires_at": "4000000000"},
    {"effective_budget": "odd", "budgets": "odd", "limit_remaining": "odd", "is_management_key": "odd"},
]


@pytest.mark.parametrize("changed", MAY, ids=repr)
def test_a13_what_may_work_is_not_said_to_be_wrong(changed: dict[str, Any]) -> None:
    assert problem_of(KeyInfo.model_validate({**FINE, **changed}), NOW, "x") is None


SILENT: dict[str, Behaviour] = {
    "page": Reply(404, b"<html>"),
    "own 404": Reply(404, {"error": {"code": 404, "message": "no"}}),
    "500": Reply(500, b""),
    "somebody's 401": Reply(401, b"no"),
    "403": Reply(403, {"error": {"code": 403, "message": "no"}}),
    "no data": Reply(200, {"data": 7}),
    "web site": Reply(200, b"<html>"),
    "hangs up": close_after_request,
}


@pytest.mark.parametrize("answer", SILENT.values(), ids=SILENT)
def test_a13_a_service_that_does_not_tell_of_the_key_stops_nothing(answer: Behaviour, orvideo: Shell) -> None:
    with service(answer) as server:
        done = dear(orvideo, server)
        assert (done.code, server.count("POST")) == (0, 1), done.err
        assert "key" not in done.err
        assert "what the key may do is not known" in dear(orvideo, server, "-v").err


def test_a13_a_key_that_the_service_refuses_is_not_bought_with(orvideo: Shell) -> None:
    with service(Reply(401, {"error": {"code": 401, "message": "User not found."}})) as server:
        done = dear(orvideo, server, "--json")
        assert (done.code, done.error["hint"], server.count("POST")) == (
            4,
            shells.set_variable("OPENROUTER_API_KEY", "..."),
            0,
        )


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"detail": "Invalid token"}, 4),
        (403, {"error": {"code": 403, "message": "Key limit exceeded"}}, 5),
        (402, {"error": {"code": 402, "message": "Insufficient credits"}}, 5),
    ],
)
def test_a13_a_key_that_is_refused_in_words_buys_nothing(
    status: int, body: dict[str, Any], code: int, orvideo: Shell
) -> None:
    with service(Reply(status, body)) as server:
        done = dear(orvideo, server, "--json")
        assert (done.code, server.count("POST")) == (code, 0), done.err
        assert "Nothing was sent." in done.error["message"]
        assert orvideo("doctor", env=surroundings(server)).code == code


def test_a13_a_key_that_has_too_little_left_is_a_warning(orvideo: Shell) -> None:
    with service(said(limit_remaining=0.01)) as server:
        done = dear(orvideo, server)
        assert (done.code, server.count("POST")) == (0, 1)
        assert "The key has $0.01 left, and this may cost $0.12: the service may refuse it." in " ".join(
            done.err.split()
        )


def test_a13_a_cheap_submit_and_a_dry_run_do_not_ask(orvideo: Shell, home: Path) -> None:
    with service(said()) as server:
        assert dear(orvideo, server, ORVIDEO_CONFIRM_ABOVE="1").code == 0
        assert dear(orvideo, server, "--dry-run").code == 0
        assert batch(orvideo, server, home, "--dry-run").code == 0
        assert server.count("GET", f"{BASE}/key") == 0


def refused(status: int, message: str, **metadata: Any) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "metadata": metadata}})


@pytest.mark.drill("M16", "F-A06")
@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys"),
        refused(403, "Budget limit exceeded", limit_source="openrouter_workspace_budget", remedy_hint="Ask the owner."),
    ],
    ids=["key", "budget"],
)
def test_a06_a_batch_posts_no_more_rows_into_a_limit_of_money(answer: Reply, orvideo: Shell, home: Path) -> None:
    with service(said(), answer) as server:
        done = batch(orvideo, server, home, "-j", "1", "--json")
        assert (done.code, server.count("POST")) == (5, 1), done.err
    assert [row["status"] for row in done.json["rows"]] == ["refused", "not_submitted", "not_submitted"]
    assert "prompt" not in done.err
    assert [record.status_word for record in on_record(home)] == ["refused"]


@pytest.mark.drill("F-A06")
def test_a06_a_submit_into_a_limit_passes_the_services_advice_on(orvideo: Shell, home: Path) -> None:
    advice = "Ask the owner of the workspace."
    answer = refused(403, "Budget limit exceeded", limit_source="openrouter_workspace_budget", remedy_hint=advice)
    with service(said(), answer) as server:
        done = dear(orvideo, server, "--json")
    assert (done.code, done.error["kind"], done.error["charged"]) == (5, "money", "no")
    assert "the workspace's budget" in done.error["message"]
    assert done.error["hint"] == advice.rstrip(".")


@pytest.mark.drill("F-A07")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(400, "no"), 6), (refused(401, "no"), 4), (refused(402, "no"), 5), (refused(403, "no"), 6),
        (refused(404, "no"), 6), (refused(413, "no"), 6), (refused(422, "no"), 6),
        (Reply(503, {"error": {"code": 503, "message": "no", "availability": {"retryable": False}}}), 7),
        (Reply(307, b"", {"Location": "https://elsewhere.example/"}), 15),
    ],
    ids=repr,
)  # fmt: skip
def test_a07_what_the_service_refused_is_on_record_as_refused(
    answer: Reply, code: int, orvideo: Shell, home: Path
) -> None:
    with service(said(), answer) as server:
        done = orvideo("submit", *ORDER, env=surroundings(server))
        assert (done.code, server.count("POST")) == (code, 1), done.err
    [job] = orvideo("jobs", "--json").json
    assert (job["status"], job["id"]) == ("refused", None)
    assert orvideo("jobs", "--unknown", "--json").json == []
    assert [len(orvideo("jobs", "--status", word, "--json").json) for word in ("refused", "not_sent")] == [1, 0]
    assert "refused" in orvideo("jobs", "show", "@1").out


@pytest.mark.drill("M20", "F-A07")
@pytest.mark.parametrize("status", [303, 405, 407, 408, 409, 410, 415, 418, 425, 431, 451, 499, 500, 511, 520, 529])
def test_a07_an_odd_status_leaves_the_outcome_unknown_with_its_answer(status: int, orvideo: Shell, home: Path) -> None:
    with service(said(), refused(status, "what now")) as server:
        done = orvideo("submit", *ORDER, "--json", env=surroundings(server))
        assert (done.code, done.error["charged"], server.count("POST")) == (9, "unknown", 1)
    [job] = orvideo("jobs", "--unknown", "--json").json
    assert job["status"] == "outcome_unknown"
    shown = orvideo("jobs", "show", job["handle"], "--json").json
    assert (shown["answer"]["status"], "what now" in shown["answer"]["body"]) == (status, True)


@pytest.mark.drill("F-A07")
def test_a07_what_was_never_sent_is_not_called_refused(orvideo: Shell) -> None:
    with service(said()) as server:
        env = surroundings(server)
        orvideo("models", "--json", env=env)
    assert orvideo("submit", *ORDER, env=env).code == 7
    [job] = orvideo("jobs", "--json").json
    assert job["status"] == "not_sent"


@pytest.mark.drill("F-C13")
@pytest.mark.parametrize("wrap", [lambda job: job, lambda job: {"success": True, "data": job}], ids=["bare", "wrapped"])
def test_c13_a_wrapped_job_with_a_new_id_is_followed_to_its_end(wrap: Any, orvideo: Shell) -> None:
    routes = {
        f"{BASE}/videos/models": Reply(200, models()), f"{BASE}/videos": Reply(202, wrap(JOB)),
        f"{BASE}/videos/{JOB['id']}": Reply(200, wrap({**JOB, "status": "dead", "error": {"message": "out of luck"}})),
    }  # fmt: skip
    with RawServer(routes=routes) as server:
        done = orvideo("submit", *ORDER, "--wait", "--json", env=surroundings(server))
    assert (done.code, done.error["job_id"]) == (3, JOB["id"])
    assert "ended as dead: out of luck" in done.error["message"]


@pytest.mark.drill("F-A06", "F-D11")
@pytest.mark.parametrize(
    ("answer", "code", "hint"),
    [
        (refused(403, "Budget limit exceeded", limit_source="openrouter_workspace_budget", remedy_hint="Ask her."), 5,
         "Ask her"),
        (Reply(403, {"error": {"code": 403, "message": "not here", "availability": {"fallback_models": ["a/b"]}}}), 20,
         "the same command with -m a/b"),
        (refused(401, "Budget limit"), 4, shells.set_variable("OPENROUTER_API_KEY", "...")),
    ],
    ids=["budget", "fallback", "key"],
)  # fmt: skip
def test_d11_a_refused_batch_passes_the_advice_on_and_tells_the_refusal_once(
    answer: Reply, code: int, hint: str, orvideo: Shell, home: Path
) -> None:
    with service(said(), answer) as server:
        done = batch(orvideo, server, home, "-j", "1", "--json")
    assert (done.code, done.error["hint"]) == (code, hint), done.err
    assert done.err.count("refused the request with" if code != 4 else "refused the API key") == 1
    assert code != 20 or "row 2: the same as row 1\n" in done.err


@pytest.mark.drill("F-A08", "F-D11", "F-A12")
def test_a08_a_batch_says_which_of_its_rows_may_be_paid_for(orvideo: Shell, home: Path) -> None:
    with service(said(), Reply(500, b"oops")) as server:
        done = batch(orvideo, server, home, "--json")
        assert (done.code, done.error["charged"]) == (9, "unknown")
        assert done.error["message"].startswith("3 of 3 rows did not make it: 3 outcome unknown.")
        assert done.error["hint"] == done.error["resume"] == "orvideo jobs --unknown"
        again = batch(orvideo, server, home, "--json")
        assert (again.code, again.error["resume"]) == (9, "orvideo jobs --unknown")
        assert server.count("POST") == 3, "nothing is sent again by itself"
        other = batch(orvideo, server, home, "--name", "other")
        assert (other.code, server.count("POST")) == (5, 3)
    assert "3 of the 3 rows were sent before, outcome unknown (may be paid for)," in other.err
    assert "this may buy them once more" in other.err
    assert "bought" not in other.err
