"""The drills on fetching (D): what `download`, `wait -o` and `submit --wait -o` do while a video is on its way.

The saving itself has its own drills (test_download.py); here everything goes through the command, and what is looked
at is the exit code, the words, the folder, the record, and which requests reached the server with which headers.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.transport import Limits
from orvideo.record.ledger import Ledger
from tests.clocks import HandClock
from tests.download.films import mp4, webm
from tests.drills.raw_server import RawServer, Reply, chunked, http
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
    send_and_close,
    send_and_stall,
)
from tests.shell import KEY, Result, Shell

drill = pytest.mark.drill
#: More than comes in one piece: what follows the first is read off the connection itself (api.body).
VIDEO = mp4(400_000)
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
        assert "5 attempts" in error["message"]
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
        not_fetched(fetch(orvideo, wire))
        # One that brought something, and five that brought no more.
        assert len(wire.fetches) == 6
        wire._steps["GET", CONTENT][:] = [send_and_close(b"HTTP/1.1 200 X\r\n\r\n" + VIDEO)]
        assert saved(orvideo("download", JOB, "-o", "boat.mp4", "--json")) == VIDEO


@drill("D07")
@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html><title>Oops</title>" * 100, b'{"error": "no"}', b"\x89PNG\r\n\x1a\n" * 99, b"x"]
)
def test_d07_an_error_page_never_gets_the_name(orvideo: Shell, body: bytes) -> None:
    with Wire(DONE, content=[http(200, body, {"Content-Type": "video/mp4"})]) as wire:
        done = fetch(orvideo, wire)
    error = done.error
    assert (done.code, error["kind"], error["charged"]) == (12, "bad_reply", "unknown")
    assert error["resume"] == f"orvideo download {JOB}"
    assert list(Path().glob("boat*")) == []


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
    assert len(wire.fetches) == 2


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
@pytest.mark.parametrize(("status", "code"), [(401, 4), (403, 10), (404, 10), (410, 10)])
def test_d12_d20_a_video_that_is_refused_costs_one_more_look_and_no_more(
    orvideo: Shell, status: int, code: int
) -> None:
    with Wire(DONE, content=[refuse(status, "not yours")]) as wire:
        error = not_fetched(fetch(orvideo, wire), code)
    assert (wire.looks, len(wire.fetches)) == (2, 1)
    assert ("may have expired" in error["message"]) == (status in (404, 410))


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
            before = Path("boat.mp4").stat()
            two.behave(Reply(200, second, close=True))
            again = orvideo("download", JOB)
    assert (again.code, [Path(line).name for line in again.lines]) == (0, ["boat.mp4", "boat-2.mp4"]), again.err
    assert Path("boat.mp4").stat() == before
    assert Path("boat-2.mp4").read_bytes() == second


@drill("D14")
def test_d14_killed_in_the_middle_the_name_holds_nothing_and_the_next_run_completes(orvideo: Shell) -> None:
    head = f'HTTP/1.1 200 X\r\nETag: "v1"\r\nContent-Length: {len(VIDEO)}\r\n\r\n'.encode()
    with Wire(DONE, content=[send_and_stall(head + VIDEO[:40_000]), film(VIDEO)]) as wire:
        wire.bought(orvideo)
        process = orvideo.popen("download", JOB, "-o", "boat.mp4")
        wait_until(lambda: any(Path(part).stat().st_size == 40_000 for part in parts()))
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        assert not Path("boat.mp4").exists()
        again = orvideo.process("download", JOB, "-o", "boat.mp4")
        assert (again.code, again.lines) == (0, ["boat.mp4"]), again.err
        whole = orvideo.process("download", JOB, "-o", "boat.mp4")
    assert Path("boat.mp4").read_bytes() == VIDEO
    assert ranges(wire) == [(None, None), ("bytes=40000-", '"v1"')]
    assert (whole.code, whole.lines) == (0, ["boat.mp4"])
    assert "is here already, whole" in whole.err
    assert wire.posts == 0
    assert parts() == []


@drill("D18")
def test_d18_a_disk_that_is_full_leaves_the_video_at_the_service(orvideo: Shell) -> None:
    large = mp4(3_000_000)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    with Wire(DONE, content=[film(large)]) as wire:
        wire.bought(orvideo)
        pipe: dict[str, Any] = {"stdout": -1, "stderr": -1}
        process = orvideo.popen("download", JOB, "-o", "boat.mp4", preexec_fn=little_room, **pipe)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (14, b"")
        assert b"cannot be written" in err
        assert f"still at the service: orvideo download {JOB}".encode() in err
        assert not Path("boat.mp4").exists()
        again = orvideo("download", JOB, "-o", "boat.mp4")
    assert again.code == 0, again.err
    assert Path("boat.mp4").read_bytes() == large


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
def test_o01_an_existing_output_costs_neither_a_look_nor_a_submit(orvideo: Shell) -> None:
    Path("boat.mp4").write_text("mine")
    with Wire(DONE, content=[film(VIDEO)]) as wire:
        wire.bought(orvideo)
        for argv in (("download", JOB), ("wait", JOB), ("submit", *ORDER, "--wait")):
            done = orvideo(*argv, "-o", "boat.mp4", "--json")
            assert (done.code, done.error["kind"]) == (13, "output_exists")
        assert wire.requests == []
        assert orvideo("download", JOB, "-o", "boat.mp4", "--force").code == 0
    assert Path("boat.mp4").read_bytes() == VIDEO


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
