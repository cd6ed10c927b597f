"""The drills on fetching (D): what `download`, `wait -o` and `submit --wait -o` do while a video is on its way.

The saving itself has its own drills (test_download.py); here everything goes through the command, and what is looked
at is the exit code, the words, the folder, the record, and which requests reached the server with which headers.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.transport import Limits
from orvideo.record.ledger import Ledger
from tests.clocks import HandClock
from tests.download.films import mp4, webm
from tests.drills.raw_server import Peer, RawServer, Received, Reply, chunked, http
from tests.drills.service import ORDER, assert_clean
from tests.drills.wire import (
    CONTENT,
    DONE,
    JOB,
    LOOK,
    Step,
    Wire,
    close,
    cut_film,
    film,
    record_path,
    refuse,
    reset,
    send_and_close,
    send_and_stall,
)
from tests.request.images import picture
from tests.shell import KEY, SCRIPT, Result, Shell

drill = pytest.mark.drill
#: More than comes in one piece: what follows the first is read off the connection itself (api.body).
VIDEO = mp4(400_000)
PENDING: Step = {"status": "pending"}
NO_URLS: dict[str, Any] = {"status": "completed", "usage": {"cost": 0.12}}
PATIENT = Limits(stall_seconds=0.3)


@pytest.fixture(autouse=True)
def hand(orvideo: Shell) -> HandClock:
    """Time that passes only where orvideo sleeps."""
    hand = HandClock()
    orvideo.clock = hand.clock()
    return hand


def fetch(orvideo: Shell, wire: Wire, *argv: str) -> Result:
    """Run `download -o boat.mp4` for a job that this wire plays, with the error as JSON."""
    wire.bought(orvideo)
    return orvideo("download", JOB, "-o", "boat.mp4", "--json", *argv)


def saved(done: Result) -> bytes:
    """Return the bytes under the name that was asked for; the answer must be true about them."""
    assert done.code == 0, done.err
    (output,) = done.json["outputs"]
    data = Path("boat.mp4").read_bytes()
    assert (output["path"], output["bytes"]) == (os.path.abspath("boat.mp4"), len(data))
    return data


def not_fetched(done: Result, code: int = 10) -> dict[str, Any]:
    """Return the error: nothing has the name, the job is paid for, and the command that goes on is there."""
    error = done.error
    assert (done.code, done.out) == (code, ""), done.err
    assert (error["job_id"], error["resume"], error["charged"]) == (JOB, f"orvideo download {JOB}", "yes")
    assert not Path("boat.mp4").exists()
    return error


def ranges(wire: Wire) -> list[tuple[str | None, str | None]]:
    return [(request.headers.get("range"), request.headers.get("if-range")) for request in wire.fetches]


def parts() -> list[str]:
    return sorted(path.name for path in Path().glob("boat*.part"))


@drill("F-A08", "O04", "O08")
@pytest.mark.parametrize("command", ["wait", "download"])
@pytest.mark.parametrize(("place", "code"), [("rows.txt/x.mp4", 14), ("{nope}.mp4", 2), ("-", 2)])
def test_a08_a_setting_that_names_no_place_is_named_with_the_way_past_it(
    orvideo: Shell, command: str, place: str, code: int
) -> None:
    Path("rows.txt").write_text("a boat")
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        assert orvideo("status", JOB).code == 0
        done = orvideo(command, JOB, "--json", env={"ORVIDEO_OUTPUT": place})
        assert done.code == code, done.err
        error = done.error
        assert error["message"].startswith("ORVIDEO_OUTPUT: ")
        assert "-o " not in error["message"]
        assert (error["charged"], error["job_id"], error["resume"]) == ("yes", JOB, f"orvideo download {JOB}")
        assert error["hint"] == f"save it elsewhere: orvideo download {JOB} -o FILE"
        assert orvideo("download", JOB, "-o", "boat.mp4", env={"ORVIDEO_OUTPUT": place}).code == 0
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("F-A08", "O08")
@pytest.mark.parametrize("command", ["wait", "download"])
def test_a08_a_place_on_record_that_cannot_be_is_not_blamed_on_a_setting(orvideo: Shell, command: str) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo, target="{nope}.mp4")
        assert orvideo("status", JOB).code == 0
        done = orvideo(command, JOB, "--json", env={"ORVIDEO_OUTPUT": "other.mp4"})
        assert done.code == 2, done.err
        assert done.error["message"].startswith("There is no field")
        assert (done.error["charged"], done.error["resume"]) == ("yes", f"orvideo download {JOB}")


@drill("F-A08")
def test_a08_a_setting_is_no_trouble_where_no_video_goes_there(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo, target=os.path.abspath("boat.mp4"))
        for line in (("status", JOB), ("wait", JOB)):
            done = orvideo(*line, "--json", env={"ORVIDEO_OUTPUT": "-"})
            assert done.code == 0, done.err
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("F-A08", "O08")
def test_a08_before_a_purchase_a_setting_that_names_no_place_is_named_too(orvideo: Shell) -> None:
    with Wire() as wire:
        orvideo.environ |= wire.env
        env = {"ORVIDEO_OUTPUT": "-"}
        lines = [(), ("--wait", "--json"), ("--wait", "--receipt")]
        ends = [orvideo("submit", *ORDER, "--yes", *line, env=env) for line in lines]
    assert [done.code for done in ends] == [2] * 3
    assert all("ORVIDEO_OUTPUT: " in done.err for done in ends), ends
    assert wire.posts == 0


@drill("F-A08", "O01")
def test_a08_a_target_on_record_that_takes_nothing_any_more_has_a_way_past_it(orvideo: Shell) -> None:
    Path("clips").write_text("no folder")
    with Wire(PENDING, DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo, target=os.path.abspath("clips/a/boat.mp4"))
        done = orvideo("wait", JOB, "--json")
    assert (done.code, done.error["hint"]) == (14, f"save it elsewhere: orvideo wait {JOB} -o FILE"), done.err


@drill("D01")
def test_d01_a_cut_body_is_resumed_under_its_validator(orvideo: Shell) -> None:
    with Wire(DONE, content=[cut_film(VIDEO, 20_000), film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire) == [(None, None), ("bytes=20000-", '"v1"')]
    assert parts() == []
    assert wire.posts == 0


@drill("D01")
@pytest.mark.parametrize(
    "cut",
    [
        cut_film(VIDEO, 20_000, etag=None),
        cut_film(VIDEO, 20_000, etag='W/"v1"'),
        send_and_close(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(VIDEO[:20_000], end=False)),
    ],
    ids=["no-validator", "weak-validator", "chunked"],
)
def test_d01_a_cut_body_without_a_strong_validator_is_begun_again(orvideo: Shell, cut: Step) -> None:
    with Wire(DONE, content=[cut, film(VIDEO, etag=None)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire) == [(None, None), (None, None)]


@drill("D01")
@drill("P13")
def test_d01_attempts_without_progress_end_and_another_process_goes_on_from_there(orvideo: Shell) -> None:
    with Wire(DONE, content=[cut_film(VIDEO, 20_000), close]) as wire:
        first = fetch(orvideo, wire)
        error = not_fetched(first)
        assert "attempts" in error["message"]
        assert len(wire.fetches) == 1 + 5
        assert len(parts()) == 1
        tried = len(wire.fetches)
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        second = orvideo.process("download", JOB, "-o", "boat.mp4")
    assert (second.code, second.lines) == (0, ["boat.mp4"]), second.err
    assert Path("boat.mp4").read_bytes() == VIDEO
    assert ranges(wire)[tried:] == [("bytes=20000-", '"v1"')]
    assert parts() == []
    assert_clean(orvideo.home, first, second)


@drill("D01")
def test_d01_the_count_of_attempts_begins_again_with_progress(orvideo: Shell) -> None:
    steps = [cut_film(VIDEO, 5_000, start=start) for start in range(0, 50_000, 5_000)]
    with Wire(DONE, content=[*steps, film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert len(wire.fetches) == 11


@drill("D02")
@drill("D03")
@pytest.mark.parametrize(
    "odd",
    [
        {"Content-Range": f"bytes 0-{len(VIDEO) - 1}/{len(VIDEO)}"},
        {"Content-Range": f"bytes 30000-{len(VIDEO) - 1}/{len(VIDEO)}"},
        {"Content-Range": f"bytes 20000-{len(VIDEO) - 1}/*"},
        {"Content-Range": "pages 2-3/4"},
        {},
        {
            "Content-Type": "multipart/byteranges; boundary=x",
            "Content-Range": f"bytes 20000-{len(VIDEO) - 1}/{len(VIDEO)}",
        },
        None,
    ],
    ids=["from-0", "later", "unknown-total", "junk", "none", "multipart", "a-200"],
)
def test_d02_d03_what_is_not_the_rest_that_was_asked_for_is_begun_again(
    orvideo: Shell, odd: dict[str, str] | None
) -> None:
    answer: Step = film(VIDEO, ranges=False) if odd is None else http(206, VIDEO[20_000:], {"ETag": '"v1"', **odd})
    with Wire(DONE, content=[cut_film(VIDEO, 20_000), answer, film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire)[1] == ("bytes=20000-", '"v1"')


@drill("D03", "P13")
def test_m2_the_rest_of_another_places_file_is_never_put_behind_what_is_here(orvideo: Shell) -> None:
    """The validator of the storage means nothing to the content endpoint, whose 206 names none."""
    other = mp4(400_000, seed=1)
    rest = {"Content-Range": f"bytes 20000-{len(other) - 1}/{len(other)}"}
    assert len(other) == len(VIDEO)

    def content(peer: Peer, request: Received) -> bool:
        asked = "range" in request.headers
        return peer.send(http(206, other[20_000:], rest) if asked else http(200, other))

    with Wire(places={"/film.mp4": [cut_film(VIDEO, 20_000), close]}, content=[refuse(410)]) as wire:
        wire._steps["GET", LOOK][:] = [{**DONE, "urls": [f"{wire.origin}/film.mp4"]}, DONE]
        wire.bought(orvideo)
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 10
        assert len(parts()) == 1
        wire._steps["GET", CONTENT][:] = [content]
        wire._steps["GET", LOOK][:] = [DONE]
        again = orvideo("download", JOB, "-o", "boat.mp4", "--json")
        assert ranges(wire)[-2:] == [("bytes=20000-", '"v1"'), (None, None)]
    assert saved(again) == other


@drill("D04")
def test_d04_416_when_all_is_here_is_the_end(orvideo: Shell) -> None:
    whole = send_and_stall(
        b'HTTP/1.1 200 X\r\nETag: "v1"\r\nTransfer-Encoding: chunked\r\n\r\n' + chunked(VIDEO, end=False)
    )
    orvideo.limits = PATIENT
    with Wire(DONE, content=[whole, film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire)[-1] == (f"bytes={len(VIDEO)}-", '"v1"')


@drill("D04")
def test_d04_416_otherwise_begins_again(orvideo: Shell) -> None:
    refused = http(416, b"", {"Content-Range": "bytes */7"})
    with Wire(DONE, content=[cut_film(VIDEO, 20_000), refused, film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire)[2] == (None, None)


@drill("D06")
def test_d06_a_body_without_a_length_that_was_cut_is_seen_in_its_boxes(orvideo: Shell) -> None:
    short = send_and_close(b"HTTP/1.1 200 X\r\nContent-Type: video/mp4\r\n\r\n" + VIDEO[:20_000])
    with Wire(DONE, content=[short]) as wire:
        assert "What came is kept: " in not_fetched(fetch(orvideo, wire))["message"]
        # Once may be an accident on the way; twice the same is all that the service has.
        assert len(wire.fetches) == 2
        assert Path("boat-damaged.mp4").read_bytes() == VIDEO[:20_000]
        wire._steps["GET", CONTENT][:] = [send_and_close(b"HTTP/1.1 200 X\r\n\r\n" + VIDEO)]
        assert saved(orvideo("download", JOB, "-o", "boat.mp4", "--json")) == VIDEO


@drill("D07")
@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><title>Oops</title>" * 100, b'{"error": "no"}', b"<?xml version='1.0'?><Error/>", b"x"]
)
def test_d07_an_error_page_never_gets_the_name(orvideo: Shell, body: bytes) -> None:
    with Wire(DONE, content=[http(200, body, {"Content-Type": "video/mp4"})]) as wire:
        done = fetch(orvideo, wire)
    error = done.error
    assert (done.code, error["kind"], error["charged"]) == (12, "bad_reply", "yes")
    assert error["resume"] == f"orvideo download {JOB}"
    assert list(Path().glob("boat*")) == []


PORTAL = http(200, b"<!DOCTYPE html><title>Log in</title>" * 30, {"Content-Type": "text/html"})


@drill("F-A09")
def test_a09_the_page_of_somebody_else_is_a_missed_look_and_not_the_services_answer(orvideo: Shell) -> None:
    with Wire(DONE, content=[PORTAL]) as wire:
        error = not_fetched(fetch(orvideo, wire))
        assert len([request for request in wire.requests if request.path == CONTENT]) > 1
    assert "a page that is not the service's" in error["message"]


@drill("F-A09")
def test_a09_a_video_behind_such_a_page_is_fetched_whatever_its_content_type(orvideo: Shell) -> None:
    with Wire(DONE, content=[PORTAL, http(200, VIDEO, {"Content-Type": "text/html"})]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO


@drill("D08")
@pytest.mark.parametrize("empty", [http(200), send_and_close(b"HTTP/1.1 200 X\r\n\r\n")])
def test_d08_an_empty_body_is_a_failure(orvideo: Shell, empty: Step) -> None:
    with Wire(DONE, content=[empty]) as wire:
        error = not_fetched(fetch(orvideo, wire))
    assert "empty file" in error["message"]
    assert list(Path().glob("boat*")) == []


@drill("D10")
@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br"])
def test_d10_an_encoding_that_was_not_asked_for_is_refused(orvideo: Shell, encoding: str) -> None:
    with Wire(DONE, content=[http(200, VIDEO, {"Content-Encoding": encoding})]) as wire:
        done = fetch(orvideo, wire)
    assert (done.code, done.error["kind"]) == (12, "bad_reply")
    assert {request.headers["accept-encoding"] for request in wire.fetches} == {"identity"}
    assert list(Path().glob("boat*")) == []


@drill("D11")
def test_d11_a_download_that_stalls_is_resumed(orvideo: Shell) -> None:
    head = f'HTTP/1.1 200 X\r\nETag: "v1"\r\nContent-Length: {len(VIDEO)}\r\n\r\n'.encode()
    orvideo.limits = PATIENT
    with Wire(DONE, content=[send_and_stall(head + VIDEO[:20_000]), film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert ranges(wire)[-1] == ("bytes=20000-", '"v1"')


@drill("D11")
@pytest.mark.parametrize("command", ["download", "wait"])
def test_d11_the_time_limit_holds_for_the_download_too(orvideo: Shell, hand: HandClock, command: str) -> None:
    content: Step = refuse(503, Retry_After="30")
    with Wire(DONE, content=[content]) as wire:
        wire.bought(orvideo)
        done = orvideo(command, JOB, "-o", "boat.mp4", "--timeout", "45s", "--json")
    assert "time limit" in not_fetched(done)["message"]
    assert hand.elapsed < 45
    # At 0 and 30 seconds, and a last time before the end.
    assert len(wire.fetches) == 3


@drill("D12")
def test_d12_a_signed_url_that_expired_is_replaced_once_and_never_sees_the_key(orvideo: Shell) -> None:
    with RawServer(Reply(403, b"<Error>expired</Error>", close=True), Reply(200, VIDEO)) as store:
        old, new = (f"{store.origin}/film.mp4?sig={name}" for name in ("old", "new"))
        with Wire({**DONE, "urls": [old]}, {**DONE, "urls": [new]}) as wire:
            assert saved(fetch(orvideo, wire)) == VIDEO
            assert wire.looks == 2
            assert wire.fetches == []
        assert [request.target[-7:] for request in store.requests] == ["sig=old", "sig=new"]
        assert all("authorization" not in request.headers for request in store.requests)
    assert_clean(orvideo.home)


@drill("D12")
@drill("D20")
@pytest.mark.parametrize(("status", "code"), [(401, 4), (410, 10)])
def test_d12_d20_a_video_that_is_refused_costs_one_more_look_and_no_more(
    orvideo: Shell, status: int, code: int
) -> None:
    with Wire(DONE, content=[refuse(status, "not yours")]) as wire:
        error = not_fetched(fetch(orvideo, wire), code)
    assert (wire.looks, len(wire.fetches)) == (2, 1)
    assert ("may have expired" in error["message"]) == (status == 410)


@drill("D12", "D20", "F-B06")
@pytest.mark.parametrize("status", [403, 404, 416, 425, 500, 503])
def test_f_b06_right_after_the_end_a_refusal_is_waited_out_for_half_a_minute(
    orvideo: Shell, hand: HandClock, status: int
) -> None:
    with Wire(DONE, content=[refuse(status, "not yours")] * 3 + [film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
        assert hand.elapsed < 30
    with Wire(DONE, content=[refuse(status, "not yours")]) as wire:
        wire.bought(orvideo, "job-1a2b3c4e")
        wire._steps["GET", LOOK[:-1] + "e"] = [{**DONE, "unsigned_urls": [CONTENT.replace("4d", "4e") + "?index=0"]}]
        wire._steps["GET", CONTENT.replace("4d", "4e")] = [refuse(status, "not yours")]
        began = hand.elapsed
        done = orvideo("download", "job-1a2b3c4e", "-o", "other.mp4", "--json")
        assert (done.code, done.error["exit_code"]) == (10, 10)
        assert "not yours" in done.error["message"]
        assert 29 < hand.elapsed - began < 45
        assert wire.looks == 0
        # What has been seen to its end before is old news: nothing is waited for.
        began = hand.elapsed
        assert orvideo("download", "job-1a2b3c4e", "-o", "other.mp4", "--json").code == 10
        assert hand.elapsed - began <= 8


@drill("D13")
def test_d13_what_could_be_fetched_is_kept_and_the_rest_is_listed(orvideo: Shell) -> None:
    first, second = mp4(3000, seed=1), mp4(3000, seed=2)
    with RawServer(Reply(200, first, close=True)) as one, RawServer(Reply(404, b"", close=True)) as two:
        job = {**DONE, "urls": [one.origin + "/0.mp4", two.origin + "/1.mp4"]}
        with Wire(job) as wire:
            wire.bought(orvideo)
            done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
            assert (done.code, done.error["resume"]) == (10, f"orvideo download {JOB}")
            assert "1 of the 2 videos" in done.error["message"]
            assert "video 1:" in done.error["message"]
            assert Path("boat.mp4").read_bytes() == first
            with Ledger(record_path(orvideo)) as ledger:
                assert [output.index for output in ledger.find(JOB).outputs if output.path] == [0]
            two.behave(Reply(200, second, close=True))
            again = orvideo("download", JOB, "--json", "--force", "-o", "boat.mp4")
    assert again.code == 0, again.err
    assert [Path(output["path"]).name for output in again.json["outputs"]] == ["boat.mp4", "boat-2.mp4"]
    assert Path("boat-2.mp4").read_bytes() == second


@drill("D13")
def test_d13_the_missing_one_is_fetched_without_touching_the_one_that_is_here(orvideo: Shell) -> None:
    first, second = mp4(3000, seed=1), mp4(3000, seed=2)
    with RawServer(Reply(200, first, close=True)) as one, RawServer(Reply(404, b"", close=True)) as two:
        job = {**DONE, "urls": [one.origin + "/0.mp4", two.origin + "/1.mp4"]}
        with Wire(job) as wire:
            wire.bought(orvideo, target=str(orvideo.home / "boat.mp4"))
            assert orvideo("wait", JOB).code == 10
            before = Path("boat.mp4").stat().st_mtime_ns
            two.behave(Reply(200, second, close=True))
            again = orvideo("download", JOB)
    assert (again.code, [Path(line).name for line in again.lines]) == (0, ["boat.mp4", "boat-2.mp4"]), again.err
    assert Path("boat.mp4").stat().st_mtime_ns == before
    assert Path("boat-2.mp4").read_bytes() == second


TWO: dict[str, Any] = {**DONE, "unsigned_urls": [f"{CONTENT}?index=0", f"{CONTENT}?index=1"]}


@drill("D13")
@pytest.mark.parametrize("look", [refuse(502), DONE, NO_URLS], ids=["missed", "names one", "names none"])
@pytest.mark.parametrize("command", ["download", "wait", "batch"])
def test_h4_a_second_video_that_is_missing_is_told(orvideo: Shell, command: str, look: Step) -> None:
    Path("rows.txt").write_text("a boat\n")
    rows = ("batch", "rows.txt", *ORDER[1:], "-o", "boat.mp4", "--yes")
    line = rows if command == "batch" else (command, JOB, "-o", "boat.mp4", "--json")
    with Wire(TWO, look, content=[film(VIDEO), refuse(410, "gone")]) as wire:
        orvideo.environ |= wire.env
        if command != "batch":
            wire.bought(orvideo)
        for _ in range(2):
            done = orvideo(*line)
            assert done.code == 10, done.err
            assert "1 of the 2 videos" in done.err
            assert Path("boat.mp4").read_bytes() == VIDEO
        assert len(wire.fetches) == 3, "what is here is not fetched again"
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        assert orvideo(*line).code == 0
    assert Path("boat-2.mp4").read_bytes() == VIDEO


@drill("D13")
def test_h4_a_video_that_was_here_before_the_other_came_is_told_with_its_size(orvideo: Shell) -> None:
    second = mp4(5000)
    with Wire(TWO, content=[film(VIDEO), refuse(410, "gone"), film(second)]) as wire:
        wire.bought(orvideo)
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 10
        done = orvideo("download", JOB, "-o", "boat.mp4", "--events")
    events = [json.loads(line) for line in done.lines]
    told = [(one["bytes"], one["sha256"]) for one in events if one["event"] == "saved"]
    assert told == [(len(data), hashlib.sha256(data).hexdigest()) for data in (VIDEO, second)], done.out


@drill("D13")
def test_h4_a_refetch_takes_every_video_of_a_job_whatever_its_looks_name(orvideo: Shell) -> None:
    with Wire(TWO, NO_URLS, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 0
        Path("boat-2.mp4").unlink()
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 0
        assert len(wire.fetches) == 3
    assert Path("boat-2.mp4").read_bytes() == VIDEO


@drill("D14")
def test_d14_killed_in_the_middle_the_name_holds_nothing_and_the_next_run_completes(orvideo: Shell) -> None:
    head = f'HTTP/1.1 200 X\r\nETag: "v1"\r\nContent-Length: {len(VIDEO)}\r\n\r\n'.encode()
    with Wire(DONE, content=[send_and_stall(head + VIDEO[:40_000]), film(VIDEO)]) as wire:
        wire.bought(orvideo)
        process = orvideo.popen("download", JOB, "-o", "boat.mp4")
        wait_until(lambda: any(Path(part).stat().st_size == 40_000 for part in parts()))
        process.kill()
        assert process.wait(240) != 0
        assert not Path("boat.mp4").exists()
        again = orvideo.process("download", JOB, "-o", "boat.mp4")
        assert (again.code, again.lines) == (0, ["boat.mp4"]), again.err
        whole = orvideo.process("download", JOB, "-o", "boat.mp4")
    assert Path("boat.mp4").read_bytes() == VIDEO
    assert ranges(wire) == [(None, None), ("bytes=40000-", '"v1"')]
    assert (whole.code, whole.lines) == (0, ["boat.mp4"])
    assert "is already saved" in whole.err
    assert wire.posts == 0
    assert parts() == []


@drill("D18")
def test_d18_a_disk_that_is_full_leaves_the_video_at_the_service(orvideo: Shell) -> None:
    resource = pytest.importorskip("resource", reason="resource is there on POSIX alone")
    large = mp4(3_000_000)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    with Wire(DONE, content=[film(large)]) as wire:
        wire.bought(orvideo)
        pipe: dict[str, Any] = {"stdout": -1, "stderr": -1}
        process = orvideo.popen("download", JOB, "-o", "boat.mp4", preexec_fn=little_room, **pipe)
        out, err = process.communicate(timeout=240)
        assert (process.returncode, out) == (14, b"")
        assert b"cannot be written" in err
        assert b"larger than its file system, or the limit of this shell" in err
        assert f"orvideo download {JOB}".encode() in err
        assert not Path("boat.mp4").exists()
        again = orvideo("download", JOB, "-o", "boat.mp4")
    assert again.code == 0, again.err
    assert Path("boat.mp4").read_bytes() == large


@drill("D13", "D18")
def test_d18_one_of_two_videos_for_which_there_is_no_room_is_an_error_of_the_disk(orvideo: Shell) -> None:
    resource = pytest.importorskip("resource", reason="resource is there on POSIX alone")
    with Wire(TWO, content=[film(VIDEO), film(mp4(3_000_000))]) as wire:
        wire.bought(orvideo)

        def little_room() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

        pipe: dict[str, Any] = {"stdout": -1, "stderr": -1}
        process = orvideo.popen("download", JOB, "-o", "boat.mp4", preexec_fn=little_room, **pipe)
        out, err = process.communicate(timeout=240)
        assert (process.returncode, out) == (14, b"boat.mp4\n"), err
        assert b"1 of the 2 videos" in err
        assert b"orvideo download" in err
        assert orvideo("download", JOB).code == 0
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("D19")
def test_d19_the_service_names_no_file(orvideo: Shell) -> None:
    headers = {
        "Content-Disposition": 'attachment; filename="../../evil.sh"',
        "Content-Type": "application/x-sh",
        "Content-Location": "/etc/passwd",
    }
    with (
        RawServer(Reply(200, webm(), headers)) as store,
        Wire({**DONE, "urls": [f"{store.origin}/..%2f..%2fevil.exe"]}) as wire,
    ):
        wire.bought(orvideo)
        done = orvideo("download", JOB)
    assert done.code == 0, done.err
    (name,) = done.lines
    assert name.endswith("-veo-3.1-lite-a-paper-boat-1a2b3c4d.webm")
    assert [path.name for path in Path().iterdir() if path.suffix == ".webm"] == [name]
    assert not list(orvideo.home.parent.rglob("evil*"))


@drill("O01")
def test_o01_an_existing_output_is_refused_before_a_submit(orvideo: Shell) -> None:
    Path("boat.mp4").write_text("mine")
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", "boat.mp4", "--json")
        assert (done.code, done.error["kind"]) == (13, "output_exists")
        assert wire.requests == []
    assert Path("boat.mp4").read_text() == "mine"


@drill("R-A4", "O01")
@pytest.mark.parametrize("command", ["download", "wait"])
def test_r_a4_a_name_that_is_taken_after_the_money_means_beside_and_13_and_the_path(
    orvideo: Shell, command: str
) -> None:
    Path("boat.mp4").write_text("mine")
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo(command, JOB, "-o", "boat.mp4")
        assert (done.code, done.lines) == (13, ["boat-1a2b3c4d.mp4"]), done.err
        assert Path("boat.mp4").read_text() == "mine"
        assert Path("boat-1a2b3c4d.mp4").read_bytes() == VIDEO
        again = orvideo(command, JOB, "-o", "boat.mp4")
        assert (again.code, again.lines) == (0, ["boat-1a2b3c4d.mp4"]), again.err
        assert len(wire.fetches) == 1
        assert orvideo("download", JOB, "-o", "boat.mp4", "--force").code == 0
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("R-A4")
@pytest.mark.parametrize("what", ["file", "no folder"])
def test_r_a4_what_happens_to_the_name_while_the_job_is_waited_for(orvideo: Shell, what: str) -> None:
    Path("new/clips").mkdir(parents=True)

    def meanwhile(peer: Peer, request: Received) -> bool:
        if what == "file":
            Path("new/clips/boat.mp4").write_text("theirs")
        else:
            shutil.rmtree("new")
        return peer.send(http(200, json.dumps({"id": JOB, **DONE}).encode()))

    with Wire({"status": "pending"}, meanwhile, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", "new/clips/boat.mp4")
        assert wire.posts == 1
        if what == "file":
            assert (done.code, done.lines) == (13, [os.path.join("new", "clips", "boat-1a2b3c4d.mp4")]), done.err
            assert Path("new/clips/boat.mp4").read_text() == "theirs"
            assert Path("new/clips/boat-1a2b3c4d.mp4").read_bytes() == VIDEO
        else:
            assert done.code == 14
            assert f"orvideo download {JOB}" in done.err
            assert orvideo("download", JOB, "-o", "boat.mp4").code == 0


IN_THE_WAY: dict[str, Callable[[Path], None]] = {
    "fifo": getattr(os, "mkfifo", None),
    "folder": Path.mkdir,
    "loop": lambda path: path.symlink_to(path.name),
    "nowhere": lambda path: path.symlink_to("/nonexistent/x/y"),
    "device": lambda path: path.symlink_to("/dev/random"),
}


def appearing(path: str, what: str) -> Step:
    """Answer a look with "pending", when something has appeared under a name."""

    def step(peer: Peer, request: Received) -> bool:
        IN_THE_WAY[what](Path(path))
        return peer.send(http(200, json.dumps({"id": JOB, "status": "pending"}).encode()))

    return step


@drill("R-A4", "O01", "O02")
@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_h11_whatever_appears_under_the_name_after_the_money_the_video_is_saved_beside(
    orvideo: Shell, what: str, force: tuple[str, ...]
) -> None:
    with Wire(appearing("boat.mp4", what), DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", "boat.mp4", *force)
        assert (done.code, done.lines) == (13, ["boat-1a2b3c4d.mp4"]), done.err
        assert Path("boat-1a2b3c4d.mp4").read_bytes() == VIDEO
        assert os.path.lexists("boat.mp4")
        assert not Path("boat.mp4").is_file()
        assert not (Path("boat.mp4").is_dir() and os.listdir("boat.mp4"))
        again = orvideo("download", JOB)
    assert (again.code, [Path(line).name for line in again.lines]) == (0, ["boat-1a2b3c4d.mp4"]), again.err


@drill("G5")
def test_g5_a_batch_prints_the_path_of_a_video_that_is_saved_beside_once(orvideo: Shell) -> None:
    Path("rows.txt").write_text("a boat\n")
    line = ("batch", "rows.txt", *ORDER[1:], "-o", "boat.mp4", "--yes")

    def appear(peer: Peer, request: Received) -> bool:
        Path("boat.mp4").write_text("theirs")
        return peer.send(http(200, json.dumps({"id": JOB, "status": "pending"}).encode()))

    with Wire(appear, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo(*line)
        assert done.lines == ["boat-1a2b3c4d.mp4"], done.err
        assert orvideo(*line).lines == ["boat-1a2b3c4d.mp4"]
        assert len(wire.fetches) == 1


@drill("R-A4", "O01")
def test_h11_so_it_is_where_the_name_comes_from_the_setting(orvideo: Shell) -> None:
    with Wire(appearing("boat.mp4", "folder"), DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= {**wire.env, "ORVIDEO_OUTPUT": "boat.mp4"}
        done = orvideo("submit", *ORDER, "--wait")
    assert (done.code, [Path(line).name for line in done.lines]) == (13, ["boat-1a2b3c4d.mp4"]), done.err


@drill("R-A4", "O01")
@pytest.mark.parametrize("what", ["fifo", "loop", "device"])
def test_h11_so_it_is_for_a_later_command_and_in_a_batch(orvideo: Shell, what: str) -> None:
    Path("rows.jsonl").write_text('{"prompt": "a boat", "output": "boat.mp4"}\n')
    with Wire(appearing("boat.mp4", what), DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("batch", "rows.jsonl", *ORDER[1:], "--json")
        assert "boat-1a2b3c4d.mp4" in done.out, done.err
        assert Path("boat-1a2b3c4d.mp4").read_bytes() == VIDEO
        Path("boat-1a2b3c4d.mp4").unlink()
        later = orvideo("download", JOB)
    assert (later.code, [Path(line).name for line in later.lines]) == (13, ["boat-1a2b3c4d.mp4"]), later.err


@drill("R-A4", "O01")
@pytest.mark.parametrize(
    ("spec", "taken"), [("clips/", "clips"), ("sub/boat.mp4", "sub"), ("{model}/{id}.mp4", "veo-3.1-lite")]
)
def test_h11_a_file_where_a_folder_should_be_means_above_it(orvideo: Shell, spec: str, taken: str) -> None:
    def appear(peer: Peer, request: Received) -> bool:
        Path(taken).write_text("theirs")
        return peer.send(http(200, json.dumps({"id": JOB, "status": "pending"}).encode()))

    with Wire(appear, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", spec)
        assert done.code == 13, done.err
        (name,) = done.lines
        assert Path(name).parent == Path()
        assert Path(name).read_bytes() == VIDEO
        assert Path(taken).read_text() == "theirs"
        again = orvideo("download", JOB)
        assert (again.code, [Path(line).name for line in again.lines]) == (0, [name]), again.err
        Path(name).unlink()
        later = orvideo("download", JOB)
    assert (later.code, [Path(line).name for line in later.lines]) == (13, [name]), later.err
    assert len(wire.fetches) == 2


@drill("R-A4", "O01", "W32")
def test_h11_so_does_a_file_where_the_folder_above_it_was(orvideo: Shell) -> None:
    Path("sub").mkdir()

    def appear(peer: Peer, request: Received) -> bool:
        Path("sub").rmdir()
        Path("sub").write_text("theirs")
        return peer.send(http(200, json.dumps({"id": JOB, "status": "pending"}).encode()))

    with Wire(appear, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait", "-o", "sub/clips/boat.mp4")
    assert (done.code, done.lines) == (13, ["boat.mp4"]), done.err
    assert (Path("boat.mp4").read_bytes(), Path("sub").read_text()) == (VIDEO, "theirs")


@drill("R-A4", "D14")
@pytest.mark.parametrize("what", IN_THE_WAY)
def test_h11_whatever_has_the_name_of_the_part_keeps_no_video_away(orvideo: Shell, what: str) -> None:
    with Wire(DONE, content=[cut_film(VIDEO, 20_000), close]) as wire:
        assert fetch(orvideo, wire).code == 10
        (part,) = parts()
        Path(part).unlink()
        IN_THE_WAY[what](Path(part))
        wire._steps["GET", CONTENT][:] = [cut_film(VIDEO, 20_000), close]
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 10
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        assert saved(orvideo("download", JOB, "-o", "boat.mp4", "--json")) == VIDEO
        assert ranges(wire)[-1] == ("bytes=20000-", '"v1"')
    assert parts() == [part]


@drill("R-A4", "O04")
def test_h11_where_nothing_can_be_saved_the_hint_works(orvideo: Shell) -> None:
    def appear(peer: Peer, request: Received) -> bool:
        for number in ("", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9", "-10"):
            Path(part.replace(".part", f"{number}.part")).mkdir()
        return peer.send(http(200, json.dumps({"id": JOB, **DONE}).encode()))

    with Wire(DONE, content=[cut_film(VIDEO, 20_000), close]) as wire:
        fetch(orvideo, wire)
        (part,) = parts()
        Path(part).unlink()
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        wire._steps["GET", LOOK][:] = [appear]
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
        hint = f"save it elsewhere: orvideo download {JOB} -o FILE"
        assert (done.code, done.error["hint"]) == (14, hint)
        wire._steps["GET", LOOK][:] = [DONE]
        assert orvideo("download", JOB, "-o", "other.mp4").code == 0


CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"


@drill("R-A1", "P06")
@pytest.mark.parametrize("status", [404, 400])
@pytest.mark.parametrize("command", ["download", "wait"])
def test_r_a1_no_output_is_what_the_service_says_for_half_a_minute(
    orvideo: Shell, hand: HandClock, command: str, status: int
) -> None:
    with Wire(NO_URLS, content=[refuse(status, "Video index 0 out of range")]) as wire:
        wire.bought(orvideo)
        done = orvideo(command, JOB, "-o", "boat.mp4", "--json")
    assert (done.code, done.error["kind"]) == (12, "no_output")
    assert "The service made no video" in done.error["message"]
    assert 29 < hand.elapsed < 40


NONE = refuse(400, "Video index 0 out of range (0 videos available)")
LOGIN = b"<!DOCTYPE html><html><title>Proxy login</title></html>"


@drill("F-D10", "P06")
@pytest.mark.parametrize("command", ["download", "wait", "submit", "batch"])
def test_h5_the_services_own_count_of_no_videos_is_believed_at_once(
    orvideo: Shell, hand: HandClock, command: str
) -> None:
    Path("rows.txt").write_text("a boat\n")
    line = {
        "submit": ("submit", *ORDER, "--wait", "-o", "boat.mp4", "--json"),
        "batch": ("batch", "rows.txt", *ORDER[1:], "--yes", "--json"),
    }.get(command, (command, JOB, "-o", "boat.mp4", "--json"))
    with Wire(NO_URLS, content=[NONE]) as wire:
        orvideo.environ |= wire.env
        if command in ("download", "wait"):
            wire.bought(orvideo)
        done = orvideo(*line, "--timeout", "6s")
        assert (done.code, len(wire.fetches)) == (20 if command == "batch" else 12, 1), done.err
        assert "The service made no video" in done.err + done.out
        assert hand.elapsed < 6
        again = orvideo("download", "--all", "--timeout", "5s", "--json")
        assert (again.code, again.json) == (0, []), again.err


@drill("F-A09", "F-D10", "P06")
@pytest.mark.parametrize("status", [404, 400])
@pytest.mark.parametrize("body", [LOGIN, b"", b'{"error": "nope"}'], ids=["page", "empty", "foreign"])
def test_h5_what_a_proxy_says_of_a_video_is_never_that_the_service_made_none(
    orvideo: Shell, status: int, body: bytes
) -> None:
    with Wire(NO_URLS, content=[http(status, body)]) as wire:
        error = not_fetched(fetch(orvideo, wire))
        assert f"answered with {status}" in error["message"]
        assert [one["id"] for one in orvideo("jobs", "--not-downloaded", "--json").json] == [JOB]
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        assert orvideo("download", "--all").code == 0
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("F-D10", "P06")
def test_h5_a_job_that_named_a_video_once_is_never_said_to_have_made_none(orvideo: Shell) -> None:
    with Wire(DONE, NO_URLS, content=[refuse(404, "Video not found")]) as wire:
        wire.bought(orvideo)
        assert orvideo("status", JOB).code == 0
        error = not_fetched(orvideo("download", JOB, "-o", "boat.mp4", "--json"))
    assert "may have expired" in error["message"]


@drill("F-D10", "P06")
def test_d10_a_job_without_a_video_is_told_once_and_offered_no_more(orvideo: Shell, hand: HandClock) -> None:
    with Wire(NO_URLS, content=[refuse(404, "Video index 0 out of range")]) as wire:
        wire.bought(orvideo)
        assert orvideo("status", JOB).code == 0
        told = orvideo("download", "--all", "--json")
        assert (told.code, told.error["charged"]) == (12, "yes")
        assert told.error["message"].count("charged $0.12.") == 1
        assert told.error["resume"] == f"orvideo jobs show {JOB}"
        before = len(wire.requests)
        for line in (("download", "--all"), ("wait", "--all")):
            again = orvideo(*line, "--json")
            assert (again.code, again.json) == (0, []), again.err
        assert len(wire.requests) == before
        assert orvideo("jobs", "--not-downloaded", "--json").json == []
        assert "made no video" in orvideo("jobs", "show", JOB).out
        # Who asks for it by name gets it tried once more.
        hand.sleep(7200)
        late = orvideo("download", JOB, "--json")
    assert (late.code, "or the bytes have expired" in late.error["message"]) == (12, True)


@drill("P06", "F-A09")
@pytest.mark.parametrize("later", [300, 86_400])
def test_p06_one_refusal_long_after_the_end_may_be_of_one_server_of_many(
    orvideo: Shell, hand: HandClock, later: int
) -> None:
    gone = refuse(404, "not found")
    with Wire(NO_URLS, content=[gone, gone, film(VIDEO)]) as wire:
        wire.bought(orvideo)
        assert orvideo("wait", JOB).code == 0
        hand.sleep(later)
        assert saved(orvideo("download", JOB, "-o", "boat.mp4", "--json")) == VIDEO
    assert hand.elapsed < later + 10


@drill("P06", "F-D10")
@pytest.mark.parametrize(("later", "is_believed"), [(300, True), (86_400, False)])
def test_p06_the_third_refusal_is_believed_and_is_on_record_where_nothing_can_have_expired(
    orvideo: Shell, hand: HandClock, later: int, is_believed: bool
) -> None:
    with Wire(NO_URLS, content=[refuse(404, "not found")]) as wire:
        wire.bought(orvideo)
        assert orvideo("wait", JOB).code == 0
        hand.sleep(later)
        done = orvideo("download", JOB, "-o", "boat.mp4", "--json")
        assert (done.code, done.error["kind"], len(wire.fetches)) == (12, "no_output", 3), done.err
        assert later + 2 < hand.elapsed < later + 10
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        assert orvideo("download", "--all").code == 0
    assert Path("boat.mp4").exists() != is_believed


@drill("P06")
def test_p06_a_connection_that_is_lost_says_nothing_of_a_video(orvideo: Shell, hand: HandClock) -> None:
    gone = refuse(404, "not found")
    with Wire(NO_URLS, content=[gone, gone, close]) as wire:
        wire.bought(orvideo)
        assert orvideo("wait", JOB).code == 0
        hand.sleep(300)
        not_fetched(orvideo("download", JOB, "-o", "boat.mp4", "--json"))


@drill("P06")
@pytest.mark.parametrize("name", ["urls", "unsigned_urls"])
def test_p06_urls_in_a_form_that_is_not_known_name_a_video_all_the_same(orvideo: Shell, name: str) -> None:
    with Wire({**NO_URLS, name: [{"url": "https://storage.example/x"}]}, content=[refuse(404, "not found")]) as wire:
        not_fetched(fetch(orvideo, wire))


@drill("F-D10")
def test_d10_so_it_is_in_a_batch(orvideo: Shell, hand: HandClock, home: Path) -> None:
    (home / "rows.txt").write_text("a boat\n")
    line = ("batch", str(home / "rows.txt"), "-m", "google/veo-3.1-lite", "-d", "4", "--json")
    with Wire(NO_URLS, content=[refuse(404, "Video index 0 out of range")]) as wire:
        orvideo.environ |= wire.env
        first = orvideo(*line)
        before = len(wire.requests)
        again = orvideo(*line)
        asked = [request.path for request in wire.requests[before:]]
    assert (first.code, again.code) == (20, 20)
    assert "made no video" in again.json["rows"][0]["error"]
    assert [path for path in asked if "content" in path or path.endswith("/videos")] == []


@drill("F-D10", "B09")
def test_h6_a_row_that_made_no_video_is_bought_again_when_asked_to_and_only_then(orvideo: Shell) -> None:
    Path("rows.txt").write_text("a boat\n")
    line = ("batch", "rows.txt", *ORDER[1:], "-o", "boat.mp4", "--yes")
    second = f"{LOOK}-2"
    accepted = [http(202, json.dumps({"id": name}).encode()) for name in (JOB, f"{JOB}-2")]
    places = {second: [DONE], f"{second}/content": [film(VIDEO)]}
    with Wire(NO_URLS, content=[NONE], submit=accepted, places=places) as wire:
        orvideo.environ |= wire.env
        assert orvideo(*line).code == orvideo(*line).code == 20
        assert wire.posts == 1
        retried = orvideo(*line, "--retry-failed")
        assert (retried.code, wire.posts) == (0, 2), retried.err
        assert orvideo(*line, "--retry-failed").code == 0
        assert wire.posts == 2, "nothing is bought twice"
    assert Path("boat.mp4").read_bytes() == VIDEO


@drill("R-A1", "F-B06")
@pytest.mark.parametrize("status", [404, 400])
def test_r_a1_a_service_that_is_slow_to_have_its_video_is_waited_for(orvideo: Shell, status: int) -> None:
    with Wire(NO_URLS, content=[refuse(status, "not yet"), refuse(status, "not yet"), film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO


@drill("R-A1")
@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (refuse(502), 10, "attempts"),
        (refuse(429), 10, "attempts"),
        (refuse(409, "not ready"), 10, "not have the video ready yet"),
        (refuse(403, "no"), 10, "403"),
        (refuse(410, "gone"), 10, "may have expired"),
        (refuse(401, "no"), 4, "refused"),
        (send_and_close(CHUNKED + chunked(VIDEO[:9], end=False)), 10, "attempts"),
        (http(200, VIDEO[:-9]), 10, "What came is kept: "),
        (http(200, b""), 10, "empty file"),
        (http(200, b"<html></html>"), 12, "something else than a video"),
    ],
    ids=["502", "429", "409", "403", "410", "401", "cut", "damaged", "empty", "page"],
)  # fmt: skip
def test_r_a1_every_other_trouble_of_a_job_without_urls_is_told_as_it_is(
    orvideo: Shell, content: bytes, code: int, says: str
) -> None:
    with Wire(NO_URLS, content=[content]) as wire:
        done = fetch(orvideo, wire)
    assert done.code == code, done.err
    assert says in done.error["message"]
    assert "made no video" not in done.err


@drill("R-A1")
def test_r_a1_a_slow_download_of_a_job_without_urls_is_a_time_limit(orvideo: Shell) -> None:
    slow = refuse(503, Retry_After="30")
    with Wire(NO_URLS, content=[slow]) as wire:
        error = not_fetched(fetch(orvideo, wire, "--timeout", "40s"))
    assert "time limit" in error["message"]


@drill("R-A6")
@pytest.mark.parametrize(
    "look",
    [refuse(404), refuse(402, "Insufficient credits"), refuse(403), refuse(400), http(200, b"[1]"), refuse(502)],
    ids=["404", "402", "403", "400", "nonsense", "502"],
)
def test_r_a6_a_refreshing_look_that_fails_leaves_the_content_endpoint(orvideo: Shell, look: Step) -> None:
    with RawServer(Reply(403, b"<Error>expired</Error>", close=True)) as store:
        job = {**DONE, "urls": [store.origin + "/film.mp4"]}
        with Wire(job, look, content=[film(VIDEO)]) as wire:
            assert saved(fetch(orvideo, wire)) == VIDEO


@drill("R-A7", "F-B03")
@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example/x.mp4", "ftp://storage.example/x", "gs://bucket/x", "s3://bucket/x", "data:video/mp4,x",
        "https://u:p@storage.example/x", "https://storage.example/a b", "javascript:alert(1)", "",
        "https://xn--/x", "https://xn--a.b/x", "https://☃.example/", "https://999.1.1.1/x", "https://[::1%é]/x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["urls", "unsigned_urls"])
def test_r_a7_one_unusable_url_costs_a_warning_and_not_the_video(orvideo: Shell, url: str, where: str) -> None:
    with Wire({"status": "completed", where: [url]}, content=[film(VIDEO)]) as wire:
        done = fetch(orvideo, wire)
        assert saved(done) == VIDEO
    assert ("is not used: " in done.err) == (where == "urls" and bool(url))


@drill("R-A7", "F-B03", "R-B6")
@pytest.mark.parametrize("host", ["xn--", "999.1.1.1"])
def test_r_a7_a_redirect_to_a_host_that_cannot_be_one_is_not_followed(orvideo: Shell, host: str) -> None:
    away = http(302, b"", {"Location": f"https://{host}/x"})
    with Wire(DONE, content=[away]) as wire:
        done = fetch(orvideo, wire)
        assert (done.code, done.error["charged"], done.error["job_id"]) == (15, "yes", JOB), done.err
    with Wire(away, DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo, "job-2")
        wire._steps["GET", "/api/v1/videos/job-2"] = [away, DONE]
        wire._steps["GET", "/api/v1/videos/job-2/content"] = [film(VIDEO)]
        assert orvideo("wait", "job-2", "-o", "boat.mp4").code == 0


@drill("R-A7")
@pytest.mark.parametrize("line", [("submit", *ORDER), ("models",), ("doctor",)], ids=lambda line: line[0])
def test_r_a7_a_base_url_whose_host_cannot_be_one_is_a_mistake_of_the_line(
    orvideo: Shell, line: tuple[str, ...]
) -> None:
    done = orvideo(*line, "--json", env={"ORVIDEO_BASE_URL": "https://xn--/api/v1", "OPENROUTER_API_KEY": KEY})
    assert done.code == 2, done.err
    assert "its host is not a host name" in done.err + done.out
    assert "bug" not in done.err + done.out


@drill("R-A7", "F-B03")
def test_f_b03_a_bad_certificate_of_the_storage_is_one_place_less(orvideo: Shell) -> None:
    with RawServer(Reply(200, b"never"), tls=True) as store:
        job = {**DONE, "urls": [store.origin + "/film.mp4"]}
        with Wire(job, content=[film(VIDEO)]) as wire:
            done = fetch(orvideo, wire)
            assert saved(done) == VIDEO
        assert "certificate" in done.err
        assert store.requests == []


@drill("R-A7", "F-B03")
def test_f_b03_unsafe_is_the_end_only_where_no_place_is_left_and_nothing_else_was_wrong(orvideo: Shell) -> None:
    away = http(302, b"", {"Location": "http://storage.example/x"})
    with Wire(DONE, content=[away]) as wire:
        assert fetch(orvideo, wire).code == 15
    with Wire({**DONE, "urls": ["http://storage.example/x"]}, content=[refuse(410)]) as wire:
        wire.bought(orvideo, "job-2")
        wire._steps["GET", "/api/v1/videos/job-2"] = [{**DONE, "urls": ["http://storage.example/x"]}]
        wire._steps["GET", "/api/v1/videos/job-2/content"] = [refuse(410)]
        assert orvideo("download", "job-2", "-o", "boat.mp4").code == 10


PLACE = "/film.mp4"


def with_place(wire: Wire, key: str = "urls", **more: Any) -> Wire:
    """Let the job name a place at this server, which answers what the wire has for `PLACE`."""
    wire._steps["GET", LOOK][:] = [{**DONE, key: [wire.origin + PLACE], **more}]
    return wire


@drill("F-B03")
@pytest.mark.parametrize("busy", [refuse(503, "later", Retry_After="60"), refuse(429, "slow", Retry_After="40")])
@pytest.mark.parametrize("which", ["urls", "content"])
def test_h9a_a_place_that_asks_for_patience_is_left_for_another(
    orvideo: Shell, hand: HandClock, busy: Step, which: str
) -> None:
    place, content = (busy, film(VIDEO)) if which == "urls" else (film(VIDEO), busy)
    with Wire(places={PLACE: [place]}, content=[content]) as wire:
        with_place(wire, "urls" if which == "urls" else "unsigned_urls")
        assert saved(fetch(orvideo, wire, "--timeout", "20s")) == VIDEO
    assert hand.elapsed < 1


@drill("F-B06")
def test_h9b_a_pause_beyond_the_time_limit_leaves_a_last_attempt(orvideo: Shell, hand: HandClock) -> None:
    def content(peer: Peer, request: Received) -> bool:
        is_there = hand.elapsed > 5
        return film(VIDEO)(peer, request) if is_there else peer.send(refuse(404, "not yet", Retry_After="50"))  # type: ignore[operator, no-any-return]

    with Wire(DONE, content=[content]) as wire:
        assert saved(fetch(orvideo, wire, "--timeout", "40s")) == VIDEO
        assert len(wire.fetches) == 2
    assert 20 < hand.elapsed < 40


@drill("F-B06")
def test_h9b_a_time_limit_is_not_said_to_have_ended_before_it_has(orvideo: Shell, hand: HandClock) -> None:
    with Wire(DONE, content=[refuse(503, "busy", Retry_After="60")]) as wire:
        error = not_fetched(fetch(orvideo, wire, "--timeout", "30s"))
    assert 20 < hand.elapsed < 30
    assert "The time limit leaves no time for another attempt" in error["message"]
    assert "busy" in error["message"]


@drill("F-B03", "F-B02")
@pytest.mark.parametrize("some", [b"", VIDEO[:2000]], ids=["nothing", "some"])
def test_h9c_a_silent_place_has_its_share_of_the_time_and_no_more(orvideo: Shell, hand: HandClock, some: bytes) -> None:
    head = f'HTTP/1.1 200 X\r\nETag: "v1"\r\nContent-Length: {len(VIDEO)}\r\n\r\n'.encode()

    def silent(peer: Peer, request: Received) -> bool:
        if some:
            peer.send(head + some)
            wait_until(lambda: any(Path(part).stat().st_size for part in parts()))
        hand.sleep(13)
        peer.stall()
        return False

    with Wire(places={PLACE: [silent]}, content=[film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, with_place(wire), "--timeout", "20s")) == VIDEO
    assert hand.elapsed == 13


@drill("F-B03", "F-C03")
def test_h9d_a_length_that_no_disk_holds_is_a_fault_of_the_place(
    orvideo: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: (20 << 20, 0, 20 << 20))
    lie = send_and_close(b"HTTP/1.1 200 X\r\nContent-Length: 8000000000\r\n\r\n" + VIDEO)
    with Wire(places={PLACE: [lie]}, content=[refuse(410)]) as wire:
        done = fetch(orvideo, with_place(wire))
        assert (done.code, "There is no room" in done.error["message"]) == (14, True)
        wire._steps["GET", CONTENT][:] = [film(VIDEO)]
        assert saved(orvideo("download", JOB, "-o", "boat.mp4", "--json")) == VIDEO


@drill("D12", "F-B03")
def test_h9e_a_url_that_has_expired_by_one_of_two_clocks_is_asked_last(orvideo: Shell) -> None:
    with Wire(places={PLACE: [film(VIDEO)]}, content=[refuse(404)]) as wire:
        assert saved(fetch(orvideo, with_place(wire, expires_at=0))) == VIDEO
        assert len(wire.fetches) == 1


@drill("D12")
@pytest.mark.parametrize(("seconds", "is_first"), [(None, True), (35, True), (25, False)])
def test_d12_a_url_with_half_a_minute_left_is_asked_first_and_no_other_place(
    orvideo: Shell, hand: HandClock, seconds: int | None, is_first: bool
) -> None:
    ends = None if seconds is None else hand.clock().now().timestamp() + seconds
    with Wire(places={PLACE: [film(VIDEO)]}, content=[film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, with_place(wire, expires_at=ends))) == VIDEO
        assert (wire.count("GET", PLACE), len(wire.fetches)) == ((1, 0) if is_first else (0, 1))


@drill("D12")
def test_d12_what_the_service_says_of_a_video_is_told_and_not_the_trouble_of_another_place(orvideo: Shell) -> None:
    with Wire(places={PLACE: [close]}, content=[refuse(410, "it has expired")]) as wire:
        error = not_fetched(fetch(orvideo, with_place(wire, "unsigned_urls")))
        assert wire.count("GET", PLACE) > 1, "the other place was asked after the service"
    assert "it has expired" in error["message"]
    assert "The bytes may have expired at the provider." in error["message"]


@drill("F-C03")
def test_c03_more_than_eight_gibibytes_are_not_begun(orvideo: Shell) -> None:
    size = (8 << 30) + 1
    huge = send_and_close(f"HTTP/1.1 200 X\r\nContent-Length: {size}\r\n\r\n".encode() + VIDEO)
    with Wire(DONE, content=[huge]) as wire:
        error = not_fetched(fetch(orvideo, wire))
    assert "has 8,589,934,593 bytes; more than 8,589,934,592 are not taken" in error["message"]
    assert parts() == []


@drill("F-B06")
@pytest.mark.parametrize(
    "not_yet",
    [http(202, b'{"status": "processing"}'), reset, http(200, b'{"status": "processing"}'), refuse(503), http(200)],
    ids=["202", "reset", "json", "503", "empty"],
)
def test_m6_whatever_not_yet_looks_like_it_is_waited_out_for_half_a_minute(
    orvideo: Shell, hand: HandClock, not_yet: Step
) -> None:
    with Wire(DONE, content=[*[not_yet] * 6, film(VIDEO)]) as wire:
        assert saved(fetch(orvideo, wire)) == VIDEO
    assert 20 < hand.elapsed < 30


@drill("R-B4")
def test_r_b4_the_hinted_command_never_empties_what_it_says_is_kept(orvideo: Shell) -> None:
    cut = VIDEO[:-1500]
    with Wire(DONE, content=[film(cut), film(cut), refuse(410, "gone")]) as wire:
        error = not_fetched(fetch(orvideo, wire))
        kept = Path("boat-damaged.mp4")
        assert f"What came is kept: {kept.absolute()}" in error["message"]
        again = orvideo(*error["resume"].split()[1:], "-o", "boat.mp4", "--json")
        assert again.code == 10
        assert "may have expired" in again.error["message"]
        assert "still at the service" not in again.err
    assert kept.read_bytes() == cut
    assert parts() == []


@drill("R-B15")
def test_r_b15_a_damaged_film_in_whole_chunks_is_loaded_twice(orvideo: Shell) -> None:
    with Wire(DONE, content=[send_and_close(CHUNKED + chunked(VIDEO[:-1500]))]) as wire:
        not_fetched(fetch(orvideo, wire))
        assert len(wire.fetches) == 2


@drill("R-A3", "F-C01")
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_f_c01_downloads_of_one_job_at_once_all_end_well(orvideo: Shell, force: tuple[str, ...]) -> None:
    """Once here, ten times with DRILLS=all."""
    pipes: dict[str, Any] = {"stdout": -1, "stderr": -1}
    for number in range(10 if os.environ.get("DRILLS") == "all" else 1):
        Path(str(number)).mkdir()
        with Wire(DONE, content=[film(VIDEO)]) as wire:
            job_id = f"job-{number}"
            wire._steps["GET", f"/api/v1/videos/{job_id}"] = [DONE]
            wire._steps["GET", f"/api/v1/videos/{job_id}/content"] = [film(VIDEO)]
            wire.bought(orvideo, job_id)
            line = ("download", job_id, "-o", f"{number}/boat.mp4", *force)
            started = [orvideo.popen(*line, **pipes) for _ in range(4)]
            ended = [(process.communicate(timeout=240), process.returncode) for process in started]
            assert [(out, code) for (out, _), code in ended] == [(f"{number}{os.sep}boat.mp4\n".encode(), 0)] * 4, ended
        assert os.listdir(str(number)) == ["boat.mp4"]
        assert Path(str(number), "boat.mp4").read_bytes() == VIDEO


@drill("R-A3")
def test_r_a3_who_waits_for_a_job_that_another_saves_meanwhile_finds_it_here(orvideo: Shell) -> None:
    """The second command began when nothing was on record, and goes on when everything is."""
    inner: list[Result] = []

    def meanwhile(peer: Peer, request: Received) -> bool:
        if not inner:
            inner.append(orvideo.process("download", JOB, "-o", "boat.mp4"))
        return peer.send(http(200, json.dumps({"id": JOB, **DONE}).encode()))

    with Wire(meanwhile, content=[film(VIDEO)]) as wire:
        wire._steps["GET", LOOK] = [meanwhile, DONE]
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", "boat.mp4")
        assert (done.code, done.lines) == (0, ["boat.mp4"]), done.err
        assert (inner[0].code, inner[0].lines) == (0, ["boat.mp4"]), inner[0].err
        assert "is already saved" in done.err
        assert len(wire.fetches) == 1


@drill("F-C09")
def test_f_c09_what_was_paid_for_is_kept_whatever_it_is(orvideo: Shell) -> None:
    avi = b"RIFF" + struct.pack("<I", 4 + 300) + b"AVI " + bytes(300)
    with Wire(DONE, content=[film(avi)]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB)
    assert done.code == 0, done.err
    assert done.lines[0].endswith(".avi")
    assert "The service sent an AVI, not an MP4." in done.err
    assert Path(done.lines[0]).read_bytes() == avi


@drill("F-C09")
def test_f_c09_a_webm_of_18_bytes_is_no_success(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(bytes.fromhex("1a45dfa384000000001853806784ec820000"))]) as wire:
        assert "no cluster" in not_fetched(fetch(orvideo, wire))["message"]


@drill("F-C02", "R-A2")
def test_f_c02_a_record_that_is_locked_meanwhile_costs_no_video(orvideo: Shell) -> None:
    locks: list[sqlite3.Connection] = []

    def lock(peer: Peer, request: Received) -> bool:
        locks.append(sqlite3.connect(record_path(orvideo), isolation_level=None, check_same_thread=False))
        locks[0].execute("BEGIN IMMEDIATE")
        return peer.send(http(200, VIDEO, {"ETag": '"v1"'}))

    with Wire(DONE, content=[lock, film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "-o", "boat.mp4")
        assert done.lines == ["boat.mp4"], done.err
        assert done.code in (0, 14)
        assert "record" in done.err
        assert Path("boat.mp4").read_bytes() == VIDEO
        assert parts() == []
        locks[0].close()
        again = orvideo("download", JOB, "-o", "boat.mp4")
    assert (again.code, again.lines) == (0, ["boat.mp4"]), again.err
    assert parts() == []


@drill("F-C03")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="SKIPPED: util-linux is not installed: no small disk")
@pytest.mark.parametrize("headers", [b"", b'ETag: "v1"\r\n'], ids=["no validator", "resumable"])
def test_f_c03_an_endless_body_never_takes_the_last_of_a_disk(orvideo: Shell, headers: bytes) -> None:
    """A disk of 20 MiB of its own, in a mount namespace that ends with the command."""

    def endless(peer: Peer, request: Received) -> bool:
        peer.send(b"HTTP/1.1 200 X\r\n" + headers + b"\r\n" + VIDEO[:100_000])
        while peer.send(bytes(100_000)):
            pass
        return False

    script = 'mount -t tmpfs -o size=20m none small || exit 77; "$@"; code=$?; df --output=avail -B1 small; exit $code'
    Path("small").mkdir()
    with Wire(DONE, content=[endless]) as wire:
        wire.bought(orvideo)
        line = ["unshare", "-rm", "sh", "-c", script, "sh", str(SCRIPT), "download", JOB, "-o", "small/boat.mp4"]
        done = subprocess.run(line, env=orvideo.environ, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip(f"SKIPPED: nothing can be mounted here: {done.stderr.strip()[:100]}")
    assert done.returncode == 14, done.stderr
    assert "There is no room" in done.stderr
    # The `.part` stays where the next run can go on with it.
    assert int(done.stdout.split()[-1]) > (0.9 if headers else 19) * (1 << 20)
    assert not list(Path("small").iterdir())


@drill("F-C03")
def test_f_c03_a_job_has_64_outputs_at_most(orvideo: Shell) -> None:
    many = {"status": "completed", "urls": ["https://127.0.0.1:9/x"] * 70}
    with Wire(many, content=[refuse(410)]) as wire:
        done = fetch(orvideo, wire)
    assert done.code == 10
    assert "64 of the 64 videos" in done.error["message"]


@drill("R-A1", "R-A4")
def test_a_video_that_goes_to_stdout_is_whole_or_nothing_at_all(orvideo: Shell) -> None:
    with Wire(DONE, content=[cut_film(VIDEO, 150_000, etag=None), film(VIDEO, etag=None)]) as wire:
        wire.bought(orvideo)
        done = orvideo.process("download", JOB, "-o", "-")
        assert done.code == 0, done.err
        wire._steps["GET", CONTENT][:] = [http(200, VIDEO[:-1])]
        pipes: dict[str, Any] = {"stdout": -1, "stderr": -1}
        process = orvideo.popen("download", JOB, "-o", "-", **pipes)
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (10, b""), err


@drill("D12")
def test_where_a_video_comes_from_first_a_signed_url_then_the_services_own(orvideo: Shell) -> None:
    """A signed URL that nears its end is not begun with; the content endpoint gets the key."""
    with RawServer(Reply(200, b"never")) as store:
        stale = {**DONE, "urls": [store.origin + "/x.mp4"], "expires_at": 1}
        with Wire(stale, content=[film(VIDEO)]) as wire:
            assert saved(fetch(orvideo, wire)) == VIDEO
            assert [request.headers["authorization"] for request in wire.fetches] == [f"Bearer {KEY}"]
        assert store.requests == []


def test_a_job_that_is_not_finished_is_not_waited_for_and_not_bought(orvideo: Shell) -> None:
    with Wire({"status": "in_progress"}) as wire:
        wire.bought(orvideo)
        done = orvideo("download", JOB, "--json")
    assert (done.code, done.error["kind"], done.error["resume"]) == (8, "still_running", f"orvideo wait {JOB}")
    assert (wire.looks, wire.posts) == (1, 0)


def test_download_all_takes_what_is_missing_and_nothing_else(orvideo: Shell) -> None:
    names = ["job-aaaa1111", "job-bbbb2222"]
    places: dict[str, list[Step]] = {}
    for name in names:
        places[f"/api/v1/videos/{name}"] = [DONE]
        places[f"/api/v1/videos/{name}/content"] = [film(mp4(2000, seed=len(name)))]
    with Wire({"status": "pending"}, places=places) as wire:
        for name in names:
            wire.bought(orvideo, name, status="completed")
        wire.bought(orvideo)
        done = orvideo("download", "--all", "-o", "out-{id}.mp4", "--json")
        assert done.code == 0, done.err
        assert sorted(path.name for path in Path().glob("*.mp4")) == [f"out-{name}.mp4" for name in names]
        again = orvideo("download", "--all", "--json")
    assert (again.code, again.json) == (0, [])
    assert wire.count("GET", LOOK) == 0


def wait_until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


# --- where a video is saved: what -o said now, then what it said at submit, then the setting


def waits_in_vain(orvideo: Shell, *argv: str) -> Result:
    """Run a command that has to give up before there is a video."""
    done = orvideo(*argv, "--timeout", "5s", "--json")
    assert done.code == 8, done.err
    return done


def test_what_a_submit_was_told_beats_the_setting_that_a_later_command_has(orvideo: Shell) -> None:
    orvideo.environ["ORVIDEO_OUTPUT"] = "elsewhere/"
    Path("elsewhere").mkdir()
    with Wire({"status": "in_progress"}, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        waits_in_vain(orvideo, "submit", *ORDER, "--wait", "-o", "boat.mp4")
        wire._steps["GET", LOOK][:] = [http(200, json.dumps({"id": JOB, **DONE}).encode())]
        done = orvideo("wait", JOB)
    assert (done.code, done.lines) == (0, [os.path.abspath("boat.mp4")]), done.err
    assert Path("boat.mp4").read_bytes() == VIDEO
    assert not list(Path("elsewhere").iterdir())


def test_what_a_wait_was_told_is_kept_for_the_command_that_goes_on(orvideo: Shell) -> None:
    with Wire({"status": "in_progress"}, content=[cut_film(VIDEO, 150_000), film(VIDEO)]) as wire:
        wire.bought(orvideo)
        waits_in_vain(orvideo, "wait", JOB, "-o", "boat.mp4")
        wire._steps["GET", LOOK][:] = [http(200, json.dumps({"id": JOB, **DONE}).encode())]
        done = orvideo("download", JOB)
    assert (done.code, done.lines) == (0, [os.path.abspath("boat.mp4")]), done.err
    assert ranges(wire) == [(None, None), ("bytes=150000-", '"v1"')]


def test_a_copy_of_a_video_that_is_here_changes_nothing_on_record(orvideo: Shell) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        assert orvideo("download", JOB, "-o", "boat.mp4").code == 0
        assert orvideo("download", JOB, "-o", "copy.mp4").code == 0
        Path("boat.mp4").unlink()
        Path("copy.mp4").unlink()
        again = orvideo("download", JOB)
    assert (again.code, again.lines) == (0, [os.path.abspath("boat.mp4")]), again.err


@drill("F-D02")
@pytest.mark.parametrize("place", ["flag", "setting", "variable", "folder", "template"])
def test_d02_a_home_is_a_home_wherever_a_path_is_given(
    orvideo: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        if place == "setting":
            assert orvideo("config", "set", "output", "~/boat.mp4").code == 0
        more = {
            "flag": ("--output=~/boat.mp4",), "setting": (), "variable": (), "folder": ("--output=~/clips/",),
            "template": ("--output=~/clips/{slug}.{ext}",),
        }[place]  # fmt: skip
        env = {"ORVIDEO_OUTPUT": "~/boat.mp4"} if place == "variable" else {}
        done = orvideo("wait", JOB, *more, "--json", env=env)
    assert done.code == 0, done.err
    saved = Path(done.json["outputs"][0]["path"])
    assert saved.read_bytes() == VIDEO
    assert saved.parent == (home / "clips" if "clips" in str(more) else home)


@drill("F-D02")
def test_d02_so_it_is_for_all_that_is_read(orvideo: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    (home / "in").mkdir()
    (home / "in" / "prompt.txt").write_text("a boat")
    (home / "in" / "frame.png").write_bytes(picture(size=(640, 480)))
    (home / "in" / "request.json").write_text('{"prompt": "a boat"}')
    (home / "in" / "rows.csv").write_text("prompt,first_frame,output\na boat,~/in/frame.png,~/out/{row}.{ext}\n")
    lines = [
        ("submit", "--prompt-file=~/in/prompt.txt", "--first-frame=~/in/frame.png"),
        ("submit", "--request=~/in/request.json"),
        ("batch", "~/in/rows.csv", "--report=~/report.csv"),
    ]
    for line in lines:
        done = orvideo(*line, "--sandbox", "-m", "x-ai/grok-imagine-video")
        assert done.code == 0, (line, done.err)
    assert (home / "report.csv").exists()
    assert [path.name for path in (home / "out").iterdir()] == ["001.mp4"]
    env = {"ORVIDEO_STATE_DIR": "~/elsewhere"}
    assert orvideo("jobs", "--json", env=env).json == []


@drill("O01", "F-D11")
def test_a_video_that_is_saved_beside_a_taken_name_is_in_the_document(orvideo: Shell, home: Path) -> None:
    (home / "boat.mp4").write_bytes(b"theirs")
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        done = orvideo("wait", JOB, "-o", str(home / "boat.mp4"), "--json")
    assert (done.code, done.error["exit_code"]) == (13, 13)
    assert Path(done.json["outputs"][0]["path"]).read_bytes() == VIDEO
    assert (home / "boat.mp4").read_bytes() == b"theirs"


@drill("F-D01")
def test_d01_a_file_in_a_new_folder_makes_that_folder(orvideo: Shell, home: Path) -> None:
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        assert orvideo("wait", JOB, "-o", str(home / "new" / "deep" / "boat.mp4")).code == 14
        assert orvideo("wait", JOB, "-o", str(home / "new" / "boat.mp4")).code == 0
    assert (home / "new" / "boat.mp4").read_bytes() == VIDEO


@drill("F-D04")
def test_d04_what_is_not_saved_is_said_with_the_command_that_saves_it(orvideo: Shell, home: Path) -> None:
    with Wire({"status": "pending"}, DONE, content=[film(VIDEO)]) as wire:
        orvideo.environ |= wire.env
        done = orvideo("submit", *ORDER, "--wait")
        assert (done.code, done.lines) == (0, [JOB])
        assert done.err.count(f"not saved: orvideo download {JOB}") == 1
        assert f"not saved: orvideo download {JOB}" in orvideo("wait", JOB).err
        saved_one = orvideo("wait", JOB, "-o", "boat.mp4")
        assert "not saved" not in saved_one.err + orvideo("wait", JOB).err
