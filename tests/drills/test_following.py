"""The drills on following (P): what `status`, `wait` and `submit --wait` do while a service, or the way to it, fails.

Everything goes through the command: the exit code, the words, the record, and what reached the server are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orvideo.clock import Clock
from orvideo.jobs.engine import POLLS
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
from tests.clocks import HandClock
from tests.download.films import mp4
from tests.drills.raw_server import Peer, RawServer, Received, Reply, closed_port, http
from tests.drills.service import ORDER, assert_clean
from tests.drills.wire import CONTENT, DONE, JOB, LOOK, Step, Wire, close, film, record_path, refuse, reset
from tests.shell import KEY, Result, Shell

drill = pytest.mark.drill
HTML = http(502, b"<!DOCTYPE html><html><title>Bad gateway</title></html>", {"Content-Type": "text/html"})


@pytest.fixture
def hand(orvideo: Shell) -> HandClock:
    """Time that passes only where orvideo sleeps."""
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


def error_of(done: Result) -> dict[str, Any]:
    """Return the error object, which must name the job and the command that goes on."""
    error = done.error
    assert error["exit_code"] == done.code
    assert error["job_id"] == JOB
    assert error["resume"] == f"orvideo wait {JOB}"
    return error


def record_of(shell: Shell) -> Any:
    with Ledger(record_path(shell)) as ledger:
        return ledger.find(JOB)


TROUBLES = [close, reset, refuse(500), refuse(502), HTML, refuse(429), http(200, b"not json"), http(200, b'{"id": "jo')]


@drill("P01")
def test_p01_missed_looks_are_no_failed_job(orvideo: Shell, hand: HandClock) -> None:
    with Wire(*TROUBLES, {"status": "pending"}, refuse(503, Retry_After="9"), DONE) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert (done.code, done.lines) == (0, [JOB]), done.err
    assert done.err.count("check failed") == len(TROUBLES) + 1
    assert "next check in 9 s" in done.err
    assert wire.posts == 0
    assert_clean(orvideo.home, done)


@drill("P01")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_p01_trouble_without_end_is_still_a_job_that_runs(orvideo: Shell, hand: HandClock, trouble: Step) -> None:
    with Wire(trouble) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "10m", "--json")
    error = error_of(done)
    assert (done.code, done.out, error["kind"], error["charged"]) == (8, "", "still_running", "yes")
    assert hand.elapsed == pytest.approx(600)
    # Backed off: one look a minute in the end, with jitter.
    assert 10 <= wire.looks <= 45
    assert record_of(orvideo).is_running


@drill("P01")
@pytest.mark.parametrize("where", ["http://127.0.0.1:{port}/api/v1", "https://nowhere.invalid/api/v1"])
def test_p01_no_way_to_the_service_is_waited_out(orvideo: Shell, hand: HandClock, where: str) -> None:
    with closed_port() as port:
        base_url = where.format(port=port)
        with Wire() as wire:
            record = wire.bought(orvideo)
        with Ledger(record_path(orvideo)) as ledger:
            seq = ledger.prepare(Submission(request={"prompt": "x"}, endpoint=base_url))
            ledger.sending(seq)
            ledger.submitted(seq, "job-away", status="pending")
            assert record.seq != seq
        done = orvideo("wait", "job-away", "--timeout", "2m", "--json", env={"NO_PROXY": "127.0.0.1,nowhere.invalid"})
    assert (done.code, done.error["job_id"], done.error["charged"]) == (8, "job-away", "yes")
    assert hand.elapsed == pytest.approx(120)


@drill("P01")
def test_p01_one_look_that_fails_shows_the_job_as_it_was_last_seen(orvideo: Shell) -> None:
    with Wire(refuse(502)) as wire:
        wire.bought(orvideo)
        done = orvideo("status", JOB, "--json")
    assert done.code == 7
    assert done.json[0]["status"] == "pending"
    assert error_of(done)["charged"] == "yes"


@drill("P02")
def test_p02_a_job_that_is_not_known_everywhere_yet_is_waited_for(orvideo: Shell, hand: HandClock) -> None:
    with Wire(refuse(404), refuse(404), refuse(404), {"status": "in_progress"}, DONE) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait")
    assert (done.code, done.lines) == (0, [JOB]), done.err
    assert wire.posts == 1


@drill("P02")
def test_p02_a_job_that_stays_unknown_ends_with_its_id(orvideo: Shell, hand: HandClock) -> None:
    with Wire(refuse(404, "no such job")) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "--json")
    error = error_of(done)
    assert (done.code, error["kind"]) == (10, "not_fetched")
    assert "no such job" in error["message"]
    assert f"orvideo jobs show {JOB}" in error["hint"]
    assert hand.elapsed >= 60
    assert wire.posts == 1


@drill("P03")
@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("command", ["wait", "submit"])
def test_p03_a_key_that_is_refused_on_the_way_keeps_the_job(
    orvideo: Shell, hand: HandClock, status: int, command: str
) -> None:
    with Wire({"status": "in_progress"}, refuse(status, f"key {KEY} is gone")) as wire:
        if command == "wait":
            wire.bought(orvideo)
            done = orvideo("wait", JOB, "--json")
        else:
            orvideo.environ |= wire.env
            done = orvideo("submit", *ORDER, "--wait", "--json")
    error = error_of(done)
    assert (done.code, error["kind"], error["charged"]) == (4, "auth", "yes")
    assert wire.looks == 4
    assert record_of(orvideo).is_running
    assert wire.posts == (command == "submit")
    assert_clean(orvideo.home, done)


@drill("P04")
def test_p04_a_status_that_nobody_knows_is_waited_out_and_said_once(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "baking"}, {"status": "baking"}, {"status": "cooling"}, DONE) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert done.code == 0
    assert done.err.count("orvideo does not know the status 'baking'") == 1
    assert done.err.count("orvideo does not know the status 'cooling'") == 1


@drill("P04")
@drill("X06")
def test_p04_a_status_that_stays_unknown_ends_with_the_patience(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "baking"}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "1m", "--json")
    assert done.code == 8
    assert "baking" in error_of(done)["message"]


@drill("P05")
@pytest.mark.parametrize("word", ["COMPLETED", " Completed\n", "completed\t"])
def test_p05_a_status_is_compared_without_case_and_spaces(orvideo: Shell, hand: HandClock, word: str) -> None:
    with Wire({**DONE, "status": word}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert (done.code, done.json["status"]) == (0, "completed")


NO_URLS: list[dict[str, Any]] = [
    {}, {"unsigned_urls": []}, {"unsigned_urls": None, "urls": None}, {"unsigned_urls": [None], "urls": [None]},
]  # fmt: skip


@drill("P06")
@pytest.mark.parametrize("urls", NO_URLS)
def test_p06_completed_without_urls_is_fetched_from_the_content_endpoint(
    orvideo: Shell, hand: HandClock, urls: dict[str, Any]
) -> None:
    video = mp4()
    with Wire({"status": "completed", **urls}, content=[film(video)]) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4")
    assert (done.code, done.lines) == (0, ["boat.mp4"]), done.err
    assert Path("boat.mp4").read_bytes() == video
    assert [request.target for request in wire.fetches] == [CONTENT + "?index=0"]


@drill("P06")
@pytest.mark.parametrize("urls", NO_URLS)
def test_p06_completed_with_nothing_is_no_endless_wait(orvideo: Shell, hand: HandClock, urls: dict[str, Any]) -> None:
    with Wire({"status": "completed", "error": "filtered", **urls}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4", "--json")
    assert done.code == 12
    assert done.error["kind"] == "no_output"
    assert "The service made no video" in done.error["message"]
    assert "filtered" in done.error["message"]
    assert wire.looks == 1
    assert len(wire.fetches) < 12
    assert 29 < hand.elapsed < 40
    assert not list(orvideo.home.glob("boat*"))


ERRORS: list[tuple[Any, str]] = [
    (None, ""),
    ("no boats \x1b[31m", "no boats"),
    ({"code": 400, "message": "no boats"}, "no boats"),
    ({"why": ["no", "boats"]}, '"boats"'),
    (["no boats", 1, None], "no boats"),
    (17, "17"),
    ("no boats " + "x" * 900_000, "no boats"),
]


@drill("P07")
@pytest.mark.parametrize("status", ["failed", "cancelled", "expired"])
@pytest.mark.parametrize(("error", "says"), ERRORS, ids=["none", "text", "object", "other", "list", "number", "900kB"])
def test_p07_an_end_without_a_video_is_final_whatever_its_error(
    orvideo: Shell, hand: HandClock, status: str, error: Any, says: str
) -> None:
    with Wire({"status": status, "error": error}) as wire:
        wire.bought(orvideo, target=str(orvideo.home / "boat.mp4"))
        done = orvideo("wait", JOB)
    assert done.code == 3
    assert f"ended as {status}" in done.err
    assert says in done.err
    assert "\x1b" not in done.err
    assert len(done.err) < 2600
    assert wire.looks == 1
    assert wire.fetches == []
    assert record_of(orvideo).status == status


@drill("P07")
@drill("X02")
def test_p07_an_answer_beyond_the_cap_makes_no_sense_and_keeps_the_job(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "failed", "error": "x" * 10_000_000}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert (done.code, error_of(done)["kind"]) == (12, "bad_reply")
    assert record_of(orvideo).is_running


@drill("P08")
def test_p08_an_answer_about_another_job_makes_no_sense(orvideo: Shell, hand: HandClock) -> None:
    with Wire({**DONE, "id": "job-of-another"}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert (done.code, error_of(done)["kind"]) == (12, "bad_reply")
    assert "job-of-another" in done.error["message"]
    assert record_of(orvideo).is_running


@drill("P08")
def test_p08_a_status_that_goes_backwards_is_said_and_waited_out(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "in_progress"}, {"status": "pending"}, {"status": "in_progress"}, DONE) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB)
    assert done.code == 0
    assert "warning:" in done.err
    assert "went back from in_progress to pending" in done.err


@drill("P08")
@pytest.mark.parametrize("command", ["wait", "download", "download --all", "batch"])
def test_h7_a_stale_look_undoes_no_end_and_the_video_is_fetched(
    orvideo: Shell, hand: HandClock, home: Path, command: str
) -> None:
    (home / "rows.txt").write_text("a boat\n")
    rows = ("batch", str(home / "rows.txt"), *ORDER[1:], "--yes", "-o", str(home / "boat.mp4"))
    with Wire(DONE, {"status": "in_progress"}, content=[refuse(410), film(mp4())]) as wire:
        orvideo.environ |= wire.env
        if command == "batch":
            line = rows
        else:
            wire.bought(orvideo, target=str(home / "boat.mp4"))
            line = (*command.split(), *([] if "--all" in command else [JOB]))
        assert orvideo(*(line if command == "batch" else ("wait", JOB))).code == 10
        done = orvideo(*line)
    assert done.code == 0, done.err
    assert "warning:" in done.err
    assert "went back from completed to in_progress" in done.err
    assert (home / "boat.mp4").read_bytes() == mp4()
    assert record_of(orvideo).status == "completed"


@drill("P08")
def test_h7_a_stale_look_in_mid_download_takes_no_place_away(orvideo: Shell, hand: HandClock, home: Path) -> None:
    with Wire(content=[refuse(410)], places={"/film.mp4": [film(mp4())]}) as wire:
        wire._steps["GET", LOOK][:] = [
            {**DONE, "urls": [f"{wire.origin}/gone.mp4"], "unsigned_urls": [f"{wire.origin}/film.mp4"]},
            {"status": "in_progress"},
        ]
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", str(home / "boat.mp4"))
    assert done.code == 0, done.err
    assert (home / "boat.mp4").read_bytes() == mp4()


@drill("P08")
def test_h7_a_stale_look_of_status_leaves_the_end_as_it_is(orvideo: Shell, hand: HandClock) -> None:
    with Wire(DONE, {"status": "in_progress"}) as wire:
        wire.bought(orvideo)
        assert orvideo("status", JOB).code == 0
        done = orvideo("status", JOB, "--json")
    assert (done.code, done.json[0]["status"]) == (0, "completed")
    assert "went back" in done.err


@drill("P09")
@drill("P17")
@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"usage": {"cost": 0.12}, "new": {"deep": [1]}, "generation_id": None, "model": None}, 0.12),
        ({"usage": None}, None),
        ({"usage": {}}, None),
        ({"usage": {"cost": None}}, None),
        ({"usage": {"cost": "0.50"}}, 0.5),
        ({"usage": {"cost": "free"}}, None),
        ({"usage": {"cost": -1}}, None),
        ({"usage": "none", "generation_id": 7, "model": ["x"]}, None),
        ({"usage": {"cost": float("nan")}}, None),
        ({"usage": {"cost": float("inf")}}, None),
    ],
)
def test_p09_what_is_odd_is_ignored_or_unknown(
    orvideo: Shell, hand: HandClock, fields: dict[str, Any], cost: float | None
) -> None:
    with Wire({**DONE, **fields}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
        again = orvideo("wait", JOB)
    assert (done.code, done.json["cost_usd"]) == (0, cost), done.err
    assert again.code == 0
    assert ("cost unknown" in again.err) == (cost is None)
    assert "$0.00" not in again.err


@drill("P09")
def test_p09_a_number_beyond_all_numbers_is_unknown(orvideo: Shell, hand: HandClock) -> None:
    body = b'{"id": "%s", "status": "completed", "usage": {"cost": 1e999}}' % JOB.encode()
    with Wire(http(200, body)) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--json")
    assert (done.code, done.json["cost_usd"]) == (0, None)


@drill("P10")
def test_p10_a_look_is_led_within_the_service_and_not_out_of_it(orvideo: Shell, hand: HandClock) -> None:
    with RawServer(Reply(200, {"id": JOB, "status": "completed"})) as elsewhere:
        at_home = http(307, headers={"Location": "/api/v1/moved"})
        abroad = http(307, headers={"Location": f"{elsewhere.url}/videos/{JOB}"})
        with Wire(at_home, abroad, places={"/api/v1/moved": [{"id": JOB, "status": "pending"}]}) as wire:
            wire.bought(orvideo)
            done = orvideo("wait", JOB, "--json")
        assert elsewhere.requests == []
    error = error_of(done)
    assert (done.code, error["kind"], error["charged"]) == (15, "unsafe", "yes")
    assert record_of(orvideo).status == "pending"


@drill("P11")
@pytest.mark.parametrize(
    "answer", [{"status": "pending"}, refuse(429, Retry_After="0"), refuse(503, Retry_After="0"), refuse(500)]
)
def test_p11_no_service_is_asked_more_often_than_every_two_seconds(
    orvideo: Shell, hand: HandClock, answer: Mapping[str, Any] | bytes
) -> None:
    asked: list[float] = []

    def look(peer: Peer, request: Received) -> bool:
        asked.append(hand.elapsed)
        return peer.send(answer if isinstance(answer, bytes) else http(200, json.dumps({"id": JOB, **answer}).encode()))

    with Wire(look) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "5m", "-q")
    assert done.code == 8
    assert len(asked) > 5
    # The last look is owed at the deadline, whenever the one before was.
    assert min(later - earlier for earlier, later in pairwise(asked[:-1])) > 1.99


@drill("P12")
def test_p12_many_jobs_share_few_connections(orvideo: Shell) -> None:
    names = [f"job-{number:04}" for number in range(3 * POLLS)]
    paths = {f"/api/v1/videos/{name}": [{"status": "pending"}, DONE] for name in names}
    with Wire(places=paths) as wire:
        for name in names:
            wire.bought(orvideo, name)
        orvideo.clock = quick_clock(40)
        done = orvideo("wait", "--all", "--json")
    assert done.code == 0, done.err
    assert {job["id"] for job in done.json} == set(names)
    assert {job["status"] for job in done.json} == {"completed"}
    assert wire.most_open <= POLLS + 1
    assert wire.connections <= POLLS + 1
    assert [wire.count("GET", path) for path in paths] == [2] * len(names)


@drill("P12")
def test_p12_one_bad_job_among_many_costs_the_others_nothing(orvideo: Shell) -> None:
    ends: dict[str, list[Step]] = {
        "/api/v1/videos/job-good": [{"status": "pending"}, DONE],
        "/api/v1/videos/job-bad": [{"status": "failed", "error": "no boats"}],
        "/api/v1/videos/job-odd": [{**DONE, "id": "other"}],
    }
    with Wire(places=ends) as wire:
        for path in ends:
            wire.bought(orvideo, path.rpartition("/")[2])
        orvideo.clock = quick_clock(40)
        done = orvideo("wait", "--all")
    assert done.code == 3
    assert "no boats" in done.err
    assert "answered with job other" in done.err
    assert set(done.lines) == {"job-good", "job-bad", "job-odd"}


def quick_clock(times: float) -> Clock:
    """Time that runs so many times as fast, for what waits on threads and not on the clock."""
    import time

    start = time.monotonic()
    return Clock(
        now=lambda: datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=(time.monotonic() - start) * times),
        monotonic=lambda: start + (time.monotonic() - start) * times,
        sleep=lambda seconds: time.sleep(seconds / times),
    )


@drill("P13")
@drill("M31")
def test_p13_a_wait_goes_on_in_another_process_and_pays_nothing(orvideo: Shell, hand: HandClock) -> None:
    with Wire({"status": "pending"}, content=[film(mp4())]) as wire:
        orvideo.environ |= wire.env
        first = orvideo("submit", *ORDER, "--wait", "--timeout", "10s", "-o", "boat.mp4", "--json")
        assert first.code == 8
        assert error_of(first)["charged"] == "yes"
        assert "again" not in first.error["message"]
        wire._steps["GET", LOOK][:] = [DONE]
        second = orvideo.process(*first.error["resume"].split()[1:])
    assert (second.code, [Path(line).name for line in second.lines]) == (0, ["boat.mp4"]), second.err
    assert wire.posts == 1
    assert_clean(orvideo.home, first, second)


@drill("P14")
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
def test_p14_a_clock_that_jumps_ends_no_wait(orvideo: Shell, hand: HandClock, jump: timedelta) -> None:
    steady = hand.clock()
    jumps = [0]

    def now() -> datetime:
        jumps[0] += 1
        return steady.now() + jump * (jumps[0] % 2)

    orvideo.clock = Clock(now=now, monotonic=steady.monotonic, sleep=steady.sleep)
    with Wire(*[{"status": "pending"}] * 5, {"status": "in_progress"}, DONE) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "5m")
        listed = orvideo("jobs", tty=True)
    assert done.code == 0, done.err
    assert hand.elapsed < 60
    assert "-1" not in done.err.replace(JOB, "")
    assert " -" not in listed.out.replace(JOB, "")


@drill("P16")
def test_p16_a_job_that_expired_while_everything_slept_is_expired_and_not_late(orvideo: Shell, hand: HandClock) -> None:
    asleep = [False]

    def sleep(seconds: float) -> None:
        # The machine sleeps for a day in the middle of a nap.
        hand.sleep(seconds if asleep[0] else 86400)
        asleep[0] = True

    steady = hand.clock()
    orvideo.clock = Clock(now=steady.now, monotonic=steady.monotonic, sleep=sleep)
    with Wire({"status": "pending"}, {"status": "expired", "error": "too old"}) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "--timeout", "5m", "--json")
    assert done.code == 3
    assert "expired: too old" in done.error["message"]
    assert wire.looks == 2


@pytest.mark.parametrize("command", ["status", "wait", "download"])
def test_a_job_that_was_never_accepted_has_nothing_to_ask_for(orvideo: Shell, command: str) -> None:
    with Wire() as wire:
        wire.bought(orvideo)
        with Ledger(record_path(orvideo)) as ledger:
            unknown, not_sent = (
                ledger.prepare(Submission(request={"prompt": "x"}, endpoint=wire.url)) for _ in range(2)
            )
            ledger.sending(unknown)
            ledger.outcome_unknown(unknown, "The connection failed.")
            ledger.not_sent(not_sent, "Nobody was there.")
            names = ledger.get(unknown).name, ledger.get(not_sent).name
        for name, code, charged in ((names[0], 9, "unknown"), (names[1], 2, "no")):
            done = orvideo(command, name, "--json")
            if command == "status":
                assert (done.code, json.loads(done.out)[0]["id"]) == (0, None)
            else:
                assert (done.code, done.error["charged"]) == (code, charged)
        assert wire.requests == []


@pytest.mark.parametrize("argv", [("status",), ("wait",), ("download",), ("wait", "--all", "@1"), ("wait", "@7")])
def test_no_job_is_a_usage_error(orvideo: Shell, argv: tuple[str, ...]) -> None:
    assert orvideo(*argv).code == 2


def test_a_status_is_asked_for_also_where_the_video_is_here(orvideo: Shell, hand: HandClock) -> None:
    with Wire(DONE, content=[film(mp4())]) as wire:
        wire.bought(orvideo, target=str(orvideo.home / "boat.mp4"))
        assert orvideo("wait", JOB).code == 0
        assert orvideo("status", JOB).code == 0
        assert (wire.looks, len(wire.fetches)) == (2, 1)
        assert orvideo("wait", JOB).code == 0
        assert (wire.looks, len(wire.fetches)) == (2, 1), "a video that is here is waited for no more"
