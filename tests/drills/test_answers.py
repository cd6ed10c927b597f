"""Answers that could be told as something else: money in the words of a prompt, a page in place of the service, an end
in the answer to a submit, and silence before and after the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.api.transport import Limits
from tests.download.films import mp4
from tests.drills.raw_server import Peer, Received, http
from tests.drills.service import ORDER
from tests.drills.wire import DONE, JOB, Step, Wire, film, refuse
from tests.shell import Result, Shell

drill = pytest.mark.drill
MODELS = "/api/v1/videos/models"
HTML = {"Content-Type": "text/html"}


def page(status: int) -> bytes:
    return http(status, b"<!DOCTYPE html><html><title>Sign in to the network</title></html>", HTML)


def said(status: int, message: str, **metadata: object) -> bytes:
    return http(status, json.dumps({"error": {"code": status, "message": message, "metadata": metadata}}).encode())


def submit(orvideo: Shell, *answers: Step, **more: str) -> tuple[Result, int]:
    with Wire(submit=answers) as wire:
        orvideo.environ |= wire.env
        return orvideo("submit", *ORDER, "--json", env=more), wire.posts


@drill("F-A06", "M17")
@pytest.mark.parametrize(
    "answer",
    [
        said(403, 'Content policy violation: your prompt: "insufficient credits, the movie"'),
        said(400, 'The prompt "a gambler, out of credit, budget exceeded" was rejected by the safety system'),
        said(400, "Your prompt mentions a budget exceeded film; content policy violation"),
        said(400, "Total token budget exceeded: reduce resolution"),
        said(400, "Provider returned error", raw='{"error":{"message":"Prompt blocked: a payment required sign"}}'),
    ],
    ids=range(5),
)
def test_a06_money_in_the_words_of_a_prompt_is_no_money(orvideo: Shell, answer: bytes) -> None:
    done, posts = submit(orvideo, answer)
    assert (done.code, done.error["kind"], posts) == (6, "rejected", 1), done.err
    assert "credits at" not in done.err


@drill("F-A06")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (said(429, "You exceeded your current quota, please check your plan and billing details."), "a quota"),
        (said(503, "Insufficient balance at provider"), "Insufficient balance"),
        (said(429, "Daily spend limit reached for this key"), "your key's daily limit"),
        (http(400, b'{"error": {"code": 402, "message": "Payment"}}'), "Payment"),
    ],
    ids=range(4),
)
def test_a06_money_is_money_whatever_the_status(orvideo: Shell, answer: bytes, told: str) -> None:
    done, posts = submit(orvideo, answer)
    assert (done.code, done.error["kind"], posts) == (5, "money", 1), done.err
    assert told in done.error["message"]


@drill("F-A09")
@pytest.mark.parametrize("status", [401, 402, 403])
def test_a09_a_page_is_no_judgement_of_the_key_or_the_credits(orvideo: Shell, status: int) -> None:
    done, posts = submit(orvideo, page(status))
    assert (done.code, done.error["kind"], done.error["charged"], posts) == (7, "unavailable", "no", 1), done.err
    assert "credits" not in done.err
    assert "key" not in done.error["message"]
    assert [job["status"] for job in orvideo("jobs", "--json").json] == ["refused"]


@drill("F-C13")
@pytest.mark.parametrize(
    "body",
    [
        {"video": {"id": JOB, "status": "pending"}},
        {"job_id": JOB, "status": "pending"},
        {"data": json.dumps({"id": JOB, "status": "pending"})},
    ],
    ids=range(3),
)
def test_c13_a_job_in_another_envelope_is_a_job(orvideo: Shell, body: object) -> None:
    done, _ = submit(orvideo, http(202, json.dumps(body).encode()))
    assert (done.code, done.json["id"]) == (0, JOB), done.err


@drill("F-C13")
@pytest.mark.parametrize("body", [b"", b'{"status": "pending"}'])
def test_c13_the_place_of_what_was_made_names_the_job(orvideo: Shell, body: bytes) -> None:
    done, _ = submit(orvideo, http(202, body, {"Location": f"/api/v1/videos/{JOB}"}))
    assert (done.code, done.json["id"]) == (0, JOB), done.err
    done, _ = submit(orvideo, http(202, body, {"Location": "/login"}))
    assert (done.code, done.error["charged"]) == (9, "unknown"), done.err


@drill("M08")
def test_a_submit_that_is_answered_with_a_failed_job_says_so(orvideo: Shell) -> None:
    ended = {"id": JOB, "status": "failed", "error": "No boats today", "usage": {"cost": 0}}
    done, _ = submit(orvideo, http(202, json.dumps(ended).encode()))
    assert (done.code, done.error["job_id"], done.error["charged"]) == (3, JOB, "no"), done.err
    assert "No boats today" in done.error["message"]
    assert "orvideo wait" not in done.err
    [job] = orvideo("jobs", "--json").json
    assert (job["status"], job["cost_usd"], job["error"]) == ("failed", 0, "No boats today")


@drill("F-D11")
def test_d11_a_batch_that_was_refused_for_its_content_does_not_advise_itself(orvideo: Shell, home: Path) -> None:
    (home / "rows.txt").write_text("a boat\na ship\n")
    with Wire(submit=[refuse(400, "bad prompt")]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("batch", "rows.txt", *ORDER[1:], "--yes", "--json")
    assert (done.code, done.error["resume"]) == (20, None), done.err
    assert done.json["totals"]["statuses"] == {"refused": 2}
    assert "orvideo batch" not in done.err


@drill("F-A01")
def test_a01_a_limit_that_is_set_to_nothing_lets_nothing_pass(orvideo: Shell) -> None:
    for empty in ("", "  "):
        done, posts = submit(orvideo, ORVIDEO_MAX_COST=empty)
        assert (done.code, done.error["hint"], posts) == (2, shells.unset_variable("ORVIDEO_MAX_COST"), 0)


@drill("F-C05")
def test_c05_no_place_for_the_cache_stops_no_purchase(orvideo: Shell) -> None:
    done, posts = submit(orvideo, HOME="", XDG_CACHE_HOME="")
    assert (done.code, posts) == (0, 1), done.err


@drill("F-D02")
def test_d02_a_home_of_nobody_is_no_folder(orvideo: Shell, home: Path) -> None:
    done = orvideo("submit", *ORDER, "--sandbox", "--wait", "-o", "~nobody-of-this-name/c.mp4", "--json")
    assert (done.code, done.error["hint"]) == (2, "a name that begins so: ./~nobody-of-this-name/c.mp4")
    assert not [path for path in home.iterdir() if path.name.startswith("~")]


@drill("F-D03")
@pytest.mark.parametrize("port", ["-1", "99999"])
def test_d03_a_port_that_is_none_is_refused(orvideo: Shell, port: str) -> None:
    assert orvideo("sandbox", f"--port={port}").err.startswith("error: --port takes a whole number from 0 to 65535")


# --- the time limit holds for what comes before the run and after it ------------------------------------------------


def silent(peer: Peer, request: Received) -> bool:
    peer.server.stopping.wait(240)
    return False


@drill("F-B02")
@pytest.mark.parametrize("command", ["submit", "batch"])
def test_b02_a_silent_list_of_models_ends_with_the_time_limit(orvideo: Shell, home: Path, command: str) -> None:
    # Without the limit of the line each call would go on for ten minutes, which no test may take.
    orvideo.limits = Limits(read=600, call_total=600)
    (home / "rows.txt").write_text("a boat\n")
    first = ORDER[0] if command == "submit" else "rows.txt"
    with Wire(places={MODELS: [silent]}) as wire:
        orvideo.environ |= wire.env
        done = orvideo(command, first, *ORDER[1:], "--timeout", "1s", "--yes", "--json")
        assert (done.code, done.error["charged"], wire.posts) == (7, "no", 0), done.err


@drill("F-B02")
def test_b02_receipts_do_not_wait_for_a_silent_list_of_models(orvideo: Shell, home: Path) -> None:
    orvideo.limits = Limits(read=600, call_total=600)
    with Wire(DONE, content=[film(mp4())], places={MODELS: [silent]}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4", "--receipt", "--timeout", "3s", "--json")
    assert done.code == 0, done.err
    assert json.loads((home / "boat.mp4.json").read_text())["model"]
