"""Knowing before paying, end to end: limits, questions, evidence, and the bill beside the quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.sandbox.server import KEY, Sandbox
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Reply
from tests.drills.service import ORDER, surroundings
from tests.drills.service import service as broken
from tests.drills.wire import DONE, JOB, Wire, film
from tests.shell import Person, Shell

CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
DEAR = ("-m", "google/veo-3.1", "-d", "8", "-r", "720p", "--audio")


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, orvideo: Shell) -> Iterator[Sandbox]:
    """A service that is no sandbox as far as the command knows: reached by its address, with a key."""
    with Sandbox(tmp_path_factory.mktemp("service"), speed=1_000_000) as sandbox:
        orvideo.environ |= {"ORVIDEO_BASE_URL": sandbox.base_url, "OPENROUTER_API_KEY": KEY}
        yield sandbox


@pytest.mark.drill("M28")
@pytest.mark.parametrize("reply", ["n\n", "\n", "", "no\n", "what\n"])
def test_a_dear_job_is_asked_about_on_a_terminal_and_only_yes_buys_it(
    orvideo: Shell, service: Sandbox, reply: str
) -> None:
    done = orvideo("submit", "a boat", *DEAR, stdin=reply, tty=True)
    assert done.code == 5
    assert "$3.20" in done.err
    assert "[y/N]" in done.err
    assert "nothing was sent" in done.err
    assert service.received() == []


@pytest.mark.parametrize("words", [("y\n", ()), ("", ("--yes",))])
def test_a_yes_buys_it(orvideo: Shell, service: Sandbox, words: tuple[str, tuple[str, ...]]) -> None:
    reply, more = words
    done = orvideo("submit", "a boat", *DEAR, *more, stdin=reply, tty=True)
    assert done.code == 0, done.err
    assert len(service.received()) == 1


def test_the_sum_above_which_it_asks_is_a_setting(orvideo: Shell, service: Sandbox) -> None:
    assert orvideo("submit", "a boat", *CHEAP, tty=True, stdin="").code == 0
    orvideo("config", "set", "confirm-above", "0.10")
    assert orvideo("submit", "a boat", *CHEAP, tty=True, stdin="").code == 5
    assert len(service.received()) == 1


def test_the_very_sum_is_not_above_it(orvideo: Shell, service: Sandbox) -> None:
    quote = orvideo("submit", "a boat", *CHEAP, "--dry-run", "--json").json["quote"]
    most = quote["usd"]
    assert quote["kind"] == "listed", quote
    for above, code in ((most, 0), (most - 0.001, 5)):
        orvideo("config", "set", "confirm-above", f"{above:.4f}")
        done = orvideo("submit", "a boat", *CHEAP, tty=True, stdin="")
        assert (done.code, len(service.received())) == (code, 1), done.err


def test_without_a_terminal_nothing_asks_and_the_quote_is_on_stderr(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("submit", "a boat", *DEAR, stdin="n\n")
    assert done.code == 0
    assert "$3.20 listed" in done.err
    assert len(service.received()) == 1


@pytest.mark.drill("M29")
def test_an_unknown_price_is_refused_under_a_limit_and_asked_about_without_one(
    orvideo: Shell, service: Sandbox
) -> None:
    line = ("submit", "a boat", "-m", "no/such-model", "--no-check")
    limited = orvideo(*line, "--max-cost", "100", "--json")
    assert (limited.code, limited.error["charged"]) == (5, "no")
    assert "unknown price" in limited.error["message"]
    assert "$0" not in limited.err
    asked = orvideo(*line, tty=True, stdin="n\n")
    assert asked.code == 5
    assert "unknown" in asked.err
    assert service.received() == []


def test_a_limit_from_the_settings_holds_and_the_flag_beats_it(orvideo: Shell, service: Sandbox) -> None:
    orvideo("config", "set", "max-cost", "0.05")
    assert orvideo("submit", "a boat", *CHEAP).code == 5
    assert orvideo("submit", "a boat", *CHEAP, env={"ORVIDEO_MAX_COST": "0.06"}).code == 5
    assert orvideo("submit", "a boat", *CHEAP, "--max-cost", "1").code == 0


def test_a_foreign_endpoint_is_named_before_the_money_is_spent(orvideo: Shell, service: Sandbox) -> None:
    err = orvideo("submit", "a boat", *CHEAP).err
    assert err.index(service.base_url) < err.index("submitted")


def test_a_dry_run_needs_no_key_sends_nothing_and_prints_the_request(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("submit", "a boat", *CHEAP, "--dry-run", "--json", env={"OPENROUTER_API_KEY": ""})
    assert done.code == 0, done.err
    assert done.json["quote"] == {"kind": "listed", "usd": 0.12, "low": None, "high": None, "reasons": []}
    assert done.json["request"]["duration"] == 4
    assert service.received() == []
    assert orvideo("jobs", "--json").json == []


def test_what_was_paid_is_evidence_for_the_next_quote(orvideo: Shell, service: Sandbox) -> None:
    assert "before:" not in orvideo("submit", "a boat", "--dry-run", *CHEAP).err
    assert orvideo("submit", "a boat", *CHEAP, "--wait").code == 0
    again = orvideo("submit", "another boat", "--dry-run", *CHEAP)
    assert "1 such job cost $0.12" in again.err
    assert "such job" not in orvideo("submit", "a boat", "--dry-run", *CHEAP[:4], "-r", "1080p").err


def test_the_bill_is_told_beside_the_quote(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("submit", "a boat", *CHEAP, "--wait")
    assert "$0.12 (quoted $0.12 listed)" in done.err


HORSE = ("-m", "alibaba/happyhorse-1.0", "-d", "3", "-r", "720p")


def billed(cost: float | None, *, status: str = "completed", **usage: object) -> dict[str, object]:
    """Return how a job looks that is at its end, with its bill."""
    return {"status": status, "usage": {"cost": cost, **usage}, "error": None if status == "completed" else "filtered"}


@pytest.mark.drill("F-A05")
def test_a05_a_bill_above_its_quote_is_a_warning_and_raises_the_next_one(orvideo: Shell, home: Path) -> None:
    (home / "rows.txt").write_text("a horse\n")
    with Wire(billed(0.494)) as wire:
        orvideo.environ |= wire.env
        first = orvideo("submit", "a horse", *HORSE, "--max-cost", "0.30", "--wait")
        assert (first.code, wire.posts) == (0, 1), first.err
        assert "quote:  $0.30 listed for" in first.err
        assert f"warning: {JOB} was billed $0.49, more than its quote of $0.30" in first.err
        again = orvideo("submit", "a horse", *HORSE, "--max-cost", "0.30")
        assert again.code == 5
        assert "This may cost $0.49, and the limit is $0.30; nothing was sent." in again.err
        assert "such jobs were billed up to $0.49 before" in again.err
        batch = orvideo("batch", "rows.txt", *HORSE, "--max-cost", "0.45")
        assert (batch.code, "This batch may cost $0.49," in batch.err) == (5, True), batch.err
        rows = orvideo("batch", "rows.txt", *HORSE, env={"ORVIDEO_MAX_COST": "0.30"})
        assert (rows.code, "This may cost $0.49" in rows.err) == (5, True), rows.err
        asked = orvideo("submit", "a horse", *HORSE, tty=True, env={"ORVIDEO_CONFIRM_ABOVE": "0.40"})
        assert (asked.code, "Submit this for $0.30, or up to $0.49? [y/N]" in asked.err) == (5, True)
        assert wire.posts == 1
        quote = orvideo("submit", "a horse", *HORSE, "--dry-run", "--json").json["quote"]
        assert (quote["kind"], quote["usd"], quote["low"], quote["high"]) == ("listed", 0.2964, 0.2964, 0.494)
        listed = [one["id"] for one in orvideo("models", *HORSE[2:], "--max-cost", "0.45", "--json").json]
        assert HORSE[1] not in listed
        assert "alibaba/happyhorse-1.1" in listed
    # Neither the sandbox nor another service takes over what was learnt here.
    assert orvideo("submit", "a horse", *HORSE, "--dry-run", "--json", "--sandbox").json["quote"]["high"] is None


@pytest.mark.drill("F-A05")
@pytest.mark.parametrize("command", ["wait", "batch"])
def test_a05_the_warning_is_given_by_whatever_follows_a_job(orvideo: Shell, home: Path, command: str) -> None:
    (home / "rows.txt").write_text("a horse\n")
    with Wire(billed(0.494), content=[film(mp4())]) as wire:
        orvideo.environ |= wire.env
        if command == "batch":
            done = orvideo("batch", "rows.txt", *HORSE)
        else:
            orvideo("submit", "a horse", *HORSE)
            done = orvideo("wait", JOB)
    assert done.err.count("was billed $0.49, more than its quote of $0.30") == 1, done.err


@pytest.mark.drill("F-A10")
def test_a10_an_estimate_is_asked_about_as_one(orvideo: Shell, service: Sandbox, home: Path) -> None:
    dear = ("-m", "bytedance/seedance-2.0", "-d", "12", "-r", "1080p", "-a", "16:9")
    (home / "rows.txt").write_text("a boat\n")
    assert "Submit this for about $4.51? [y/N]" in orvideo("submit", "a boat", *dear, tty=True, stdin="n\n").err
    assert "Submit 1 row for about $4.51? [y/N]" in orvideo("batch", "rows.txt", *dear, tty=True, stdin="n\n").err
    unknown = ("-m", "no/such-model", "--no-check")
    assert "Submit this for an unknown price? [y/N]" in orvideo("submit", "a boat", *unknown, tty=True).err
    assert service.received() == []


@pytest.mark.drill("F-A10")
def test_a10_a_price_above_a_limit_is_not_told_as_the_limit(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("submit", "a boat", *CHEAP, "--max-cost", "0.1199")
    assert "This may cost $0.12, and the limit is $0.1199; nothing was sent." in done.err
    horse = orvideo("submit", "a horse", *HORSE[:2], "-d", "5", "-r", "720p", "--max-cost", "0.49")
    assert "This may cost $0.494, and the limit is $0.49; nothing was sent." in horse.err
    assert "quote:  $0.494 listed" in horse.err


@pytest.mark.drill("F-A11")
@pytest.mark.parametrize(
    ("cost", "said"), [(0.05, "It was charged $0.05."), (0, "It was charged $0.00."), (None, None)]
)
def test_a11_the_cost_of_a_failed_job_is_told_where_the_service_said_one(
    orvideo: Shell, home: Path, cost: float | None, said: str | None
) -> None:
    (home / "rows.txt").write_text("a horse\n")
    with Wire(billed(cost, status="failed")) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", "a horse", *HORSE, "--wait", "--json")
        batch = orvideo("batch", "rows.txt", *HORSE, "--name", "another") if cost == 0.05 else None
    assert done.code == 3
    assert done.error["message"] == f"Job {JOB} ended as failed: filtered." + (f" {said}" if said else "")
    assert done.error["charged"] == {0.05: "yes", 0: "no", None: "unknown"}[cost]
    assert batch is None or batch.code != 0


@pytest.mark.drill("F-A11")
def test_a11_what_an_own_provider_key_paid_is_never_free(orvideo: Shell, home: Path) -> None:
    with Wire({**DONE, "usage": {"cost": 0, "is_byok": True}}, content=[film(mp4())]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", "a boat", *CHEAP, "-o", "boat.mp4", "--wait", "--json", "--receipt")
    assert done.code == 0, done.err
    assert "completed in 0:00, billed to your own provider key (quoted $0.12 listed)" in done.err
    assert (done.json["cost_usd"], done.json["is_byok"]) == (None, True)
    receipt = json.loads((home / "boat.mp4.json").read_text())
    assert (receipt["cost_usd"], receipt["is_byok"]) == (None, True)
    (sums,) = orvideo("jobs", "--cost", "model", "--json").json
    assert (sums["cost_usd"], sums["known"], sums["unknown"], sums["byok"]) == (None, 0, 0, 1)
    assert re.search("cost: +billed to your own provider key", orvideo("jobs", "show", "@1").out)
    # It is no evidence of what such a clip costs either.
    assert orvideo("submit", "a boat", *CHEAP, "--dry-run", "--json").json["quote"]["high"] is None


@pytest.mark.drill("F-A11")
def test_a11_jobs_are_summed_by_model_and_month_the_sandbox_apart(orvideo: Shell, service: Sandbox) -> None:
    for _ in range(2):
        orvideo("submit", "a boat", *CHEAP, "--wait")
    orvideo("submit", "a boat", *CHEAP)
    orvideo("submit", "a boat", *CHEAP, "--wait", "--sandbox")
    real, play = orvideo("jobs", "--cost", "model", "--json").json
    assert real == {
        "key": "google/veo-3.1-lite", "sandbox": False, "cost_usd": 0.24, "known": 2, "unknown": 0, "pending": 1,
        "pending_usd": 0.12, "byok": 0,
    }  # fmt: skip
    assert (play["key"], play["sandbox"], play["cost_usd"], play["known"]) == (real["key"], True, 0.12, 1)
    by_month = [line.split("\t")[1:] for line in orvideo("jobs", "--cost", "month").lines]
    assert by_month == [["0.24", "2", "0", "1", "0.12", "0", "real"], ["0.12", "1", "0", "0", "", "0", "sandbox"]]
    table = orvideo("jobs", "--cost", "model", tty=True).out
    assert re.search(r"\$0\.24 +2 +1 +\$0\.12 +real", table), table
    assert re.search(r"\$0\.12 +1 +0 +sandbox", table), table


@pytest.mark.drill("F-A11")
@pytest.mark.parametrize(
    ("filters", "counts"),
    [
        ((), (2, 1)),
        (("--search", "boat"), (1, 0)),
        (("-n", "1"), (0, 1)),
        (("-n", "0"), (2, 1)),
        (("--unfinished",), (0, 1)),
        (("--not-downloaded",), (2, 0)),
        (("--since", "1h"), (2, 1)),
        (("--unknown",), None),
        (("--search", "no such thing"), None),
    ],
)
def test_a11_every_filter_holds_for_sums(
    orvideo: Shell, service: Sandbox, filters: tuple[str, ...], counts: tuple[int, int] | None
) -> None:
    for prompt, more in (("a boat", ["--wait"]), ("a duck", ["--wait"]), ("a duck", [])):
        assert orvideo("submit", prompt, *CHEAP, *more).code == 0
    sums = orvideo("jobs", "--cost", "model", *filters, "--json").json
    assert [(one["known"], one["pending"]) for one in sums] == ([counts] if counts else [])


def test_verbose_says_what_the_key_has_left_and_never_the_key(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("submit", "a boat", *CHEAP, "-v")
    assert "the key has" in done.err
    assert "POST" in done.err
    assert KEY not in done.err


def test_the_list_of_models_is_fetched_once_an_hour(orvideo: Shell, service: Sandbox) -> None:
    for _ in range(3):
        assert orvideo("models", "-v").code == 0
    calls = [orvideo("models", "-v").err.count("GET"), orvideo("models", "-v", "--refresh").err.count("GET")]
    assert calls == [0, 1]


def test_a_stale_list_serves_when_the_service_is_away(orvideo: Shell, service: Sandbox) -> None:
    assert orvideo("models").code == 0
    service.stop()
    done = orvideo("models", "--refresh")
    assert done.code == 0
    assert "could not be asked" in done.err
    assert len(done.lines) > 30


def test_models_that_can_do_a_clip_are_listed_with_its_price(orvideo: Shell, service: Sandbox) -> None:
    done = orvideo("models", "--resolution", "1080p", "--duration", "8", "--audio", "--max-cost", "1", "--json")
    listed = {entry["id"]: entry["quote"]["usd"] for entry in done.json}
    assert listed["google/veo-3.1-lite"] == 0.64
    assert all(price <= 1 for price in listed.values())
    assert list(listed.values()) == sorted(listed.values())


def test_one_model_is_shown_whole_with_a_line_to_copy(orvideo: Shell, service: Sandbox) -> None:
    page = orvideo("models", "google/veo-3.1-lite").out
    assert "$0.03 per second at 720p without sound" in page
    assert "negativePrompt" in page
    example = next(line for line in page.splitlines() if "orvideo submit" in line)
    words = example.partition("orvideo ")[2].replace('"a paper boat"', "boat").split()
    assert orvideo(*words, "--dry-run").code == 0


@pytest.mark.drill("F-A04")
@pytest.mark.parametrize(("reply", "code"), [("y\n", 0), ("n\n", 5), ("", 5)])
def test_a04_a_person_is_asked_on_the_controlling_terminal_though_the_prompt_comes_through_a_pipe(
    orvideo: Shell, service: Sandbox, reply: str, code: int
) -> None:
    person = Person(reply)
    done = orvideo("submit", "-", *DEAR, stdin="a boat\n", person=person)
    assert (done.code, len(service.received())) == (code, 1 - bool(code)), done.err
    assert person.asked == ["Submit this for $3.20? [y/N] " + ("" if reply else "\n")]
    assert "[y/N]" not in done.err


@pytest.mark.drill("F-A04")
def test_a04_so_it_is_for_a_batch_from_a_pipe(orvideo: Shell, service: Sandbox) -> None:
    person = Person("n\n")
    assert orvideo("batch", "-", *DEAR, stdin="a boat\na ship\n", person=person).code == 5
    assert (len(person.asked), service.received()) == (1, [])
    # Nothing is asked where a yes was given, where it is cheap, and where nothing is sent.
    for line in (("submit", "x", *DEAR, "--yes"), ("submit", "x", *CHEAP), ("submit", "x", *DEAR, "--dry-run")):
        assert orvideo(*line, person=person).code == 0
    assert len(person.asked) == 1


@pytest.mark.drill("F-A04")
def test_a04_without_a_terminal_an_unknown_price_is_refused(orvideo: Shell, service: Sandbox) -> None:
    line = ("submit", "a boat", "-m", "no/such-model", "--no-check")
    done = orvideo(*line)
    assert (done.code, "price is unknown" in done.err, "--yes" in done.err) == (5, True, True)
    assert service.received() == []
    assert orvideo(*line, "--yes").code == 6  # the service knows no such model
    assert orvideo(*line, "--max-cost", "5", "--yes").code == 5


@pytest.mark.drill("F-A12")
def test_a12_the_same_request_again_is_said_and_asked_about(orvideo: Shell, service: Sandbox) -> None:
    first = orvideo("submit", "a boat", *CHEAP).out.strip()
    said = orvideo("submit", "a boat", *CHEAP)
    assert said.code == 0
    assert re.search(rf"the same request was submitted \w+ ago as {first}; this buys it once more", said.err)
    person = Person("n\n")
    asked = orvideo("submit", "a boat", *CHEAP, person=person)
    assert (asked.code, person.asked) == (5, ["Submit this for $0.12? [y/N] "])
    assert "same request" in orvideo("submit", "a boat", *CHEAP, "--yes", person=person).err
    for other in (("a ship", *CHEAP), ("a boat", *CHEAP, "--seed", "1")):
        assert "same request" not in orvideo("submit", *other, person=person).err
    assert (len(service.received()), len(person.asked)) == (5, 1)


@pytest.mark.drill("F-A12")
def test_a12_after_ten_minutes_it_is_a_new_wish_but_not_while_the_outcome_is_unknown(
    orvideo: Shell, service: Sandbox
) -> None:
    clock = HandClock()
    orvideo.clock = clock.clock()
    orvideo("submit", "a boat", *CHEAP)
    clock.sleep(601)
    assert "same request" not in orvideo("submit", "a boat", *CHEAP).err
    with broken(Reply(500, b"oops")) as server:
        env = surroundings(server)
        assert orvideo("submit", *ORDER, env=env).code == 9
        clock.sleep(24 * 3600)
        again = orvideo("submit", *ORDER, env=env)
    assert "its outcome is unknown" in again.err


@pytest.mark.long
@pytest.mark.drill("F-A12")
def test_a12_rows_of_a_batch_under_another_name_need_a_word(orvideo: Shell, service: Sandbox, home: Path) -> None:
    (home / "one.txt").write_text("a boat\na ship\n")
    (home / "two.txt").write_text("a boat\na ship\na raft\n")
    one, two = (("batch", str(home / name), *CHEAP, "-o", str(home)) for name in ("one.txt", "two.txt"))
    assert orvideo(*one).code == 0
    assert orvideo(*one).code == 0  # the same batch: it goes on
    last = orvideo("jobs", "--json").json[0]["id"]
    for more in ((), ("--yes",)):
        refused = orvideo(*two, *more)
        assert (refused.code, "--again" in refused.err) == (5, True)
        assert re.search(
            rf"2 of the 3 rows were bought before in a batch of .*, the last one \w+ ago as {last}", refused.err
        )
    person = Person("n\n")
    assert (orvideo(*two, person=person).code, len(person.asked)) == (5, 1)
    assert len(service.received()) == 2
    assert orvideo(*two, "--again", "--yes").code == 0
    assert len(service.received()) == 5


@pytest.mark.long
@pytest.mark.drill("F-A12")
def test_a12_a_label_makes_no_other_wish_and_a_batch_knows_what_submit_sent(
    orvideo: Shell, service: Sandbox, home: Path
) -> None:
    first = orvideo("submit", "a boat", *CHEAP).out.strip()
    for label in (("--user", "me"), ("--session-id", "s"), ("--trace", "k=v"), ("--callback-url", "https://a.example")):
        assert f"as {first}" in orvideo("submit", "a boat", *CHEAP, *label, person=Person("n\n")).err
    (home / "rows.txt").write_text("a boat\na ship\n")
    line = ("batch", str(home / "rows.txt"), *CHEAP, "-o", str(home))
    refused = orvideo(*line)
    assert (refused.code, f"as {first}" in refused.err) == (5, True)
    assert len(service.received()) == 1
    assert orvideo(*line, "--again").code == 0
    # The same rows with a choice spelled out are the same request.
    again = orvideo(*line, "-a", "16:9")
    assert (again.code, "this buys it once more" in again.err) == (5, True)


@pytest.mark.drill("F-A12")
def test_a12_a_warning_of_money_is_no_story(orvideo: Shell, service: Sandbox) -> None:
    orvideo("submit", "a boat", *CHEAP, "-q")
    said = orvideo("submit", "a boat", *CHEAP, "-q")
    assert (said.code, said.err.startswith("warning: the same request was submitted")) == (0, True)


@pytest.mark.drill("F-A05")
def test_a05_a_bill_holds_for_the_same_clip_with_its_sound_unsaid_and_for_longer_ones(orvideo: Shell) -> None:
    with Wire(billed(0.494)) as wire:
        orvideo.environ |= wire.env
        assert orvideo("submit", "a horse", *HORSE, "--wait").code == 0
        longer = tuple("4" if word == "3" else word for word in HORSE)
        for line, limit in ((longer, "0.45"), ((*HORSE, "--no-audio", "--no-check"), "0.40")):
            assert orvideo("submit", "another horse", *line, "--max-cost", limit).code == 5
        shorter = tuple("2" if word == "3" else word for word in HORSE)
        assert "0.49" not in orvideo("submit", "a foal", *shorter, "--no-check", "--dry-run").err
