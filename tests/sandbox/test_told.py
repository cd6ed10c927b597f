"""What a person is told on each bad day of the sandbox: the exit code, the money, and the words."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Start
from tests.shell import Result, Shell

SMALL = ("-m", "x-ai/grok-imagine-video", "-d", "1", "-r", "480p", "--yes")
#: The key is asked about before a purchase above this.
DEAR = {"ORVIDEO_CONFIRM_ABOVE": "0.01"}


@pytest.fixture
def service(orvideo: Shell, start: Start) -> Any:
    """Start a sandbox with faults, and point the shell at it."""

    def begin(*faults: str, **options: Any) -> Any:
        sandbox = start(*faults, **options).sandbox
        orvideo.environ |= {"ORVIDEO_BASE_URL": sandbox.base_url, "OPENROUTER_API_KEY": KEY}
        return sandbox

    return begin


def buy(orvideo: Shell, *more: str, **env: str) -> Result:
    return orvideo("submit", "a boat", *SMALL, "--json", *more, env=env)


#: The faults, whether /key is asked first, the exit code, and words of the message or the hint.
REFUSED = [
    (["key-limit"], {}, 5, "your key's total limit"),
    (["key-limit:weekly"], DEAR, 5, "Nothing is left of what this key may spend. This is your key's limit"),
    (["budget"], {}, 5, "This is the workspace's budget (monthly); $10.02 of $10.00 is spent; it resets at"),
    (["budget"], DEAR, 5, "This is a budget (monthly); $10.02 of $10.00 is spent"),
    (["management-key"], {}, 6, "Management keys cannot be used to generate"),
    (["management-key"], DEAR, 4, "The key is a management key, which cannot make videos."),
    (["expired-key"], {}, 4, "API key has expired"),
    (["expired-key"], DEAR, 4, "The key expired at "),
    (["detail", "submit-402"], {}, 5, "Insufficient credits"),
    (["detail:list", "submit-403"], {}, 6, "Your prompt was flagged by moderation"),
    (["detail:problem", "submit-413"], {}, 6, "Request payload too large"),
    (["challenge-page:1"], {}, 7, "a page that is not the service's, titled 'Just a moment...'"),
]


@pytest.mark.parametrize(("faults", "env", "code", "words"), REFUSED, ids=repr)
def test_a_refusal_is_told_and_nothing_was_charged(
    orvideo: Shell, service: Any, faults: list[str], env: dict[str, str], code: int, words: str
) -> None:
    sandbox = service(*faults)
    done = buy(orvideo, **env)
    assert (done.code, done.error["charged"]) == (code, "no"), done.err
    assert words in done.error["message"]
    assert done.error["hint"]
    assert ("Nothing was sent." in done.error["message"]) is bool(env)
    assert sandbox.received() == []


def test_words_of_the_service_that_a_gateway_passes_on_are_no_sign_of_a_wrong_url(orvideo: Shell, service: Any) -> None:
    service("detail:problem", "submit-404")
    done = buy(orvideo)
    assert (done.code, done.error["charged"]) == (6, "no")
    assert "No endpoints found matching your data policy" in done.error["message"]
    assert done.error["hint"] == "orvideo models, or allow it at https://openrouter.ai/settings/privacy"


def test_499_may_have_been_charged_and_is_not_sent_again(orvideo: Shell, service: Any) -> None:
    sandbox = service("499")
    done = buy(orvideo, "--wait")
    assert (done.code, done.error["charged"]) == (9, "unknown")
    assert "answered 499 with the words: Client closed request" in done.error["message"]
    assert len(sandbox.received()) == 1
    assert [job["status"] for job in orvideo("jobs", "--unknown", "--json").json] == ["outcome_unknown"]


def test_a_dead_job_has_failed_and_cost_nothing(orvideo: Shell, service: Any) -> None:
    service("dead")
    done = buy(orvideo, "--wait")
    assert (done.code, done.error["charged"]) == (3, "no")
    assert "ended as dead: task failed with status: DEAD" in done.error["message"]


@pytest.mark.parametrize("fault", ["not-yet", "envelope", "challenge-page", "odd-place"])
def test_a_bad_day_that_ends_well(orvideo: Shell, service: Any, home: Path, fault: str) -> None:
    sandbox = service(fault)
    done = buy(orvideo, "--wait", "-o", str(home / "boat.mp4"))
    assert (done.code, done.json["cost_usd"]) == (0, 0.05), done.err
    assert (home / "boat.mp4").read_bytes()[4:8] == b"ftyp"
    assert len(sandbox.received()) == 1
    assert ("s3: is not https" in done.err) is (fault == "odd-place")


def test_a_challenge_page_for_each_look_leaves_the_job_to_be_waited_for(orvideo: Shell, service: Any) -> None:
    before = service()
    bought = buy(orvideo)
    assert bought.code == 0
    before.stop()
    service("challenge-page:1", port=urlsplit(before.base_url).port)
    done = orvideo("wait", bought.json["id"], "--timeout", "2s", "--json")
    assert (done.code, done.error["resume"]) == (8, f"orvideo wait {bought.json['id']}"), done.err
    assert "titled 'Just a moment...'" in done.err


def test_who_pays_with_a_key_of_their_own_is_told_no_price(orvideo: Shell, service: Any) -> None:
    service("byok")
    done = buy(orvideo, "--wait")
    assert (done.code, done.json["cost_usd"], done.json["is_byok"]) == (0, None, True)
    assert "billed to your own provider key" in done.err


def test_a_bill_above_the_list_is_warned_of(orvideo: Shell, service: Any) -> None:
    service("min-duration")
    done = buy(orvideo, "--wait")
    assert (done.code, done.json["cost_usd"], done.json["quote"]["usd"]) == (0, 0.25, 0.05)
    assert "was billed $0.25, more than its quote of $0.05" in done.err
