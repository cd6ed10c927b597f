"""The bad days of keys, gateways and jobs: the sandbox answers as the service was seen to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Start, Turned

HAPPY = {"model": "alibaba/happyhorse-1.0", "duration": 3, "resolution": "720p"}


def error(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()["error"]
    assert found["code"] == status
    return found


@pytest.mark.parametrize("period", ["total", "daily", "weekly", "monthly"])
def test_key_limit(start: Start, period: str) -> None:
    caller = start(f"key-limit:{period}")
    words = f"Key limit exceeded ({period} limit). Manage it using https://openrouter.ai/settings/keys"
    refused = caller.submit()
    assert error(refused, 403) == {"code": 403, "message": words}
    assert "retry-after" not in refused.headers
    key = caller.http.get("/key").json()["data"]
    assert (key["limit"], key["limit_remaining"]) == (10, 0)
    assert key["limit_reset"] == (None if period == "total" else period)
    assert caller.sandbox.received() == []


def test_budget(start: Start, turned: Turned) -> None:
    caller = start("budget", clock=turned.clock())
    refused = error(caller.submit(), 403)
    assert refused["message"] == "Budget limit exceeded"
    metadata = refused["metadata"]
    assert set(metadata) == {"limit_source", "scope", "limit_usd", "spend_usd", "resets_at", "remedy_hint"}
    assert metadata["limit_source"] == "openrouter_workspace_budget"
    assert metadata["spend_usd"] > metadata["limit_usd"]
    budget = caller.http.get("/key").json()["data"]["effective_budget"]
    assert budget["remaining_usd"] <= 0
    assert budget["resets_at"] == metadata["resets_at"] == "2026-12-01T00:00:00Z"
    assert caller.sandbox.received() == []


def test_management_key(start: Start) -> None:
    caller = start("management-key")
    assert "anagement key" in error(caller.submit(), 403)["message"]
    assert caller.http.get("/key").json()["data"]["is_management_key"] is True
    assert caller.sandbox.received() == []


def test_expired_key(start: Start, turned: Turned) -> None:
    caller = start("expired-key", clock=turned.clock())
    for answer in (caller.submit(), caller.http.get("/videos/abc"), caller.http.get("/credits")):
        assert error(answer, 401)["message"] == "API key has expired"
    assert datetime.fromisoformat(caller.http.get("/key").json()["data"]["expires_at"]) < turned.time


def test_a_key_without_these_faults_may_buy(start: Start) -> None:
    caller = start()
    key = caller.http.get("/key").json()["data"]
    assert (key["limit"], key["expires_at"]) == (None, None)
    assert not key.get("is_management_key")
    assert not key.get("effective_budget")
    assert caller.submit().status_code == 202


def test_not_yet_is_said_of_each_video(start: Start) -> None:
    caller = start("not-yet:2")
    job = caller.job(model="sandbox/two-outputs")
    for index in (0, 1):
        path = f"/videos/{job['id']}/content?index={index}"
        for _ in range(2):
            assert error(caller.http.get(path), 404)["message"] == f"Job {job['id']} not found"
        assert caller.http.get(path).status_code == 200


def test_dead(start: Start) -> None:
    caller = start("dead")
    job = caller.job()
    assert (job["status"], job["usage"]["cost"]) == ("dead", 0)
    assert job["error"]
    assert "unsigned_urls" not in job
    assert caller.http.get(f"/videos/{job['id']}/content").status_code == 404
    assert caller.job(model="sandbox/fails")["status"] == "failed"


def test_499_leaves_a_job_that_nobody_was_told_of(start: Start) -> None:
    caller = start("499")
    assert error(caller.submit(), 499)["message"] == "Client closed request"
    (job,) = caller.sandbox.studio.jobs()
    assert caller.look(job.id)["usage"]["cost"] == 0.05
    assert start("499:0.5").submit().status_code == 202


DETAILS = {
    "text": {"detail": "no/such is not a valid model ID"},
    "list": {"detail": [{"loc": ["body"], "msg": "no/such is not a valid model ID", "type": "value_error"}]},
    "problem": {
        "type": "about:blank", "title": "Refused", "status": 400, "detail": "no/such is not a valid model ID",
    },
}  # fmt: skip


@pytest.mark.parametrize("form", DETAILS)
def test_detail(start: Start, form: str) -> None:
    caller = start(f"detail:{form}", "poll-429:1")
    answer = caller.submit(model="no/such")
    assert (answer.status_code, answer.json()) == (400, DETAILS[form])
    kind = "application/problem+json" if form == "problem" else "application/json"
    assert answer.headers["content-type"] == kind
    looked = caller.http.get("/videos/x")
    assert (looked.status_code, looked.headers["retry-after"]) == (429, "1")
    assert "detail" in caller.http.get("/nothing").json()
    assert caller.submit().status_code == 202


def test_detail_is_a_text_without_more(start: Start) -> None:
    assert start("detail").submit(model="no/such").json() == DETAILS["text"]


def test_envelope(start: Start) -> None:
    caller = start("envelope")
    for answer in (caller.submit(), caller.http.get(f"/videos/{caller.sandbox.studio.jobs()[0].id}")):
        wrapped = answer.json()
        assert (wrapped.keys(), wrapped["success"]) == ({"success", "data"}, True)
        assert wrapped["data"]["id"] == caller.sandbox.studio.jobs()[0].id


def test_challenge_page(start: Start) -> None:
    caller = start("challenge-page")
    job = caller.submit()
    looks = [caller.http.get(f"/videos/{job.json()['id']}") for _ in range(4)]
    page = caller.submit()
    assert [job.status_code, page.status_code] == [202, 403], "every other submit"
    assert [look.status_code for look in looks] == [200, 403, 200, 403], "and every other look"
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cf-mitigated"] == "challenge"
    assert "<title>Just a moment...</title>" in page.text
    assert len(caller.sandbox.received()) == 1


def test_odd_place(start: Start) -> None:
    caller = start("odd-place", "signed-urls")
    job = caller.job(model="sandbox/two-outputs")
    assert job["unsigned_urls"] == [f"gs://orvideo-sandbox/{job['id']}/{n}.mp4" for n in (0, 1)]
    assert job["urls"] == [f"s3://orvideo-sandbox/{job['id']}/{n}.mp4" for n in (0, 1)]
    assert caller.http.get(f"/videos/{job['id']}/content?index=1").content[4:8] == b"ftyp"


def test_byok(start: Start) -> None:
    caller = start("byok")
    assert caller.job()["usage"] == {"cost": 0, "is_byok": True}
    assert caller.http.get("/credits").json()["data"]["total_usage"] == 0
    assert start().job()["usage"] == {"cost": 0.05, "is_byok": False}


def test_min_duration_is_billed_as_happyhorse_was(start: Start) -> None:
    assert start().job(**HAPPY)["usage"]["cost"] == pytest.approx(0.2964)
    caller = start("min-duration")
    assert caller.job(**HAPPY)["usage"]["cost"] == pytest.approx(0.494)
    assert caller.job(**{**HAPPY, "duration": 6})["usage"]["cost"] == pytest.approx(0.5928)
    assert start("min-duration:4").job(**HAPPY)["usage"]["cost"] == pytest.approx(0.3952)
