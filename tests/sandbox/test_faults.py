"""Faults happen when they should, as often as they should, and always the same."""

from __future__ import annotations

import httpx
import pytest

from orvideo.sandbox.faults import FAULTS, Faults
from tests.sandbox.conftest import Start, Turned


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("submit-492", "the nearest is 'submit-429'"),
        ("poll500", "the nearest is 'poll-500'"),
        ("poll-500:2", "a share is a number from 0 to 1"),
        ("poll-500:nan", "a share"),
        ("content-cut:x", "whole number"),
        ("content-slow:0", "1 or more"),
        ("submit-429:1:2:3", "submit-429[:SECONDS[:COUNT]]"),
        ("wrong-key:1", "wrong-key"),
        ("", "the nearest is"),
    ],
)
def test_a_fault_that_is_none(spec: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Faults([spec])
    assert said in str(caught.value)


def test_every_fault_says_what_it_does_and_takes_its_defaults() -> None:
    for name, fault in FAULTS.items():
        assert fault.description.endswith(".")
        assert fault.usage(name).startswith(name)
        assert name in Faults([name])


def test_a_share_is_spread_evenly_and_a_count_is_per_thing() -> None:
    faults = Faults(["poll-500:0.25", "poll-404:2", "content-cut:10:0"])
    assert [faults.strikes("poll-500") for _ in range(8)] == [False, False, False, True] * 2
    assert [faults.strikes("poll-404", "a") for _ in range(3)] == [True, True, False]
    assert faults.strikes("poll-404", "b")
    assert all(faults.strikes("content-cut", "a/0") for _ in range(20))
    assert not faults.strikes("poll-429")


def code(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("retry-after")


def test_submits_that_are_refused_make_no_job(start: Start) -> None:
    for fault, status, after in (
        ("submit-402", 402, None),
        ("submit-402-budget:3", 402, "3"),
        ("submit-403", 403, None),
        ("submit-404", 404, None),
        ("submit-413", 413, None),
        ("submit-429:7", 429, "7"),
        ("submit-500", 500, None),
        ("submit-503", 503, "2"),
        ("submit-html", 502, None),
        ("wrong-key", 401, None),
    ):
        caller = start(fault)
        answer = caller.submit()
        assert code(answer) == (status, after)
        assert answer.headers["content-type"].startswith("text/html" if fault == "submit-html" else "application/json")
        if after:
            assert answer.json()["error"]["metadata"]["retry_after_seconds"] == int(after)
        assert caller.sandbox.received() == []
        again = caller.submit().status_code
        assert again == (202 if after else status)
        caller.sandbox.studio.home.rename(caller.sandbox.studio.home.with_name(fault.replace(":", "-")))


@pytest.mark.parametrize("fault", ["lost-reply", "half-reply"])
def test_a_lost_reply_is_a_job_all_the_same(start: Start, fault: str) -> None:
    caller = start(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        caller.submit()
    (job,) = caller.sandbox.studio.jobs()
    assert caller.look(job.id)["status"] == "completed"
    assert caller.look(job.id)["usage"]["cost"] == 0.05


def test_looks(start: Start) -> None:
    caller = start("poll-404:2")
    job = caller.submit().json()["id"]
    assert [caller.http.get(f"/videos/{job}").status_code for _ in range(4)] == [404, 404, 200, 200]
    for fault, status in (("poll-500", 500), ("poll-429", 429), ("poll-html", 502)):
        http = start(fault).http
        assert [http.get(f"/videos/{job}").status_code for _ in range(4)] == [200, status, 200, status]
    http = start("poll-lost:1").http
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(f"/videos/{job}")


def test_jobs_that_are_told_otherwise(start: Start, turned: Turned) -> None:
    caller = start("status-word:dreaming", "relative-urls", "no-cost", speed=10, clock=turned.clock())
    job = caller.submit(model="google/veo-3.1-lite", duration=4, resolution="720p").json()
    assert job["polling_url"] == f"/api/v1/videos/{job['id']}"
    turned.turn(2)
    assert caller.look(job["id"])["status"] == "dreaming"
    turned.turn(10)
    done = caller.look(job["id"])
    assert done["unsigned_urls"] == [f"/api/v1/videos/{job['id']}/content?index=0"]
    assert done["usage"]["cost"] is None
    bare = start("no-urls", clock=turned.clock()).look(job["id"])
    assert bare["status"] == "completed"
    assert not {"urls", "unsigned_urls"} & set(bare)


def test_zod_errors(start: Start) -> None:
    answer = start("zod-errors").submit(model="no/such")
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert answer.json()["error"]["name"] == "ZodError"
    assert "no/such is not a valid model ID" in answer.json()["error"]["message"]


def test_downloads_that_go_wrong(start: Start) -> None:
    whole = start()
    job = whole.job()["id"]
    film = whole.http.get(f"/videos/{job}/content").content
    for fault, status in (("content-404", 404), ("content-gone", 410), ("content-500:1", 502)):
        assert start(fault).http.get(f"/videos/{job}/content").status_code == status
    page = start("content-html").http.get(f"/videos/{job}/content")
    assert (page.status_code, page.headers["content-type"], page.content[:9]) == (200, "video/mp4", b"<!DOCTYPE")
    assert start("content-empty").http.get(f"/videos/{job}/content").content == b""
    cut = start("content-cut:5000")
    with cut.http.stream("GET", f"/videos/{job}/content") as answer:
        pieces = answer.iter_raw()
        got = next(pieces)
        with pytest.raises(httpx.RemoteProtocolError):
            got += b"".join(pieces)
    assert got == film[:5000]
    assert cut.http.get(f"/videos/{job}/content").content == film
    assert start(f"content-slow:{len(film) * 20}").http.get(f"/videos/{job}/content").content == film


def test_signed_urls_need_no_key_and_take_ranges(start: Start, turned: Turned) -> None:
    caller = start("signed-urls:60", clock=turned.clock())
    job_id = caller.submit().json()["id"]
    turned.turn(1)
    job = caller.look(job_id)
    film = caller.http.get(job["unsigned_urls"][0]).content
    (url,) = job["urls"]
    assert job["expires_at"] == int(turned.time.timestamp()) + 59
    whole = httpx.get(url, timeout=240)
    etag = whole.headers["etag"]
    assert (whole.status_code, whole.content, int(whole.headers["content-length"])) == (200, film, len(film))
    assert etag.startswith('"')
    head = httpx.head(url, timeout=240)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(film)), b"")
    rest = httpx.get(url, headers={"Range": "bytes=1000-", "If-Range": etag}, timeout=240)
    assert (rest.status_code, rest.content) == (206, film[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{len(film) - 1}/{len(film)}"
    part = httpx.get(url, headers={"Range": "bytes=5-9"}, timeout=240)
    assert (part.status_code, part.content) == (206, film[5:10])
    assert httpx.get(url, headers={"Range": "bytes=-7"}, timeout=240).content == film[-7:]
    changed = httpx.get(url, headers={"Range": "bytes=1000-", "If-Range": '"other"'}, timeout=240)
    assert (changed.status_code, len(changed.content)) == (200, len(film))
    beyond = httpx.get(url, headers={"Range": f"bytes={len(film)}-"}, timeout=240)
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(film)}")
    assert httpx.get(url.replace(job_id, job_id[::-1]), timeout=240).status_code == 403
    assert httpx.get(url[:-1] + "x", timeout=240).status_code == 403
    turned.turn(60)
    assert httpx.get(url, timeout=240).status_code == 403
    assert caller.http.get(job["unsigned_urls"][0]).content == film


def test_a_signed_download_that_is_cut_can_go_on(start: Start) -> None:
    caller = start("signed-urls", "content-cut:3000")
    job = caller.job()
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(job["urls"][0], timeout=240)
    rest = httpx.get(job["urls"][0], headers={"Range": "bytes=3000-"}, timeout=240)
    assert rest.status_code == 206
    assert caller.http.get(job["unsigned_urls"][0]).content[3000:] == rest.content


def test_a_slow_submit_is_answered_in_the_end(start: Start) -> None:
    assert start("slow-submit:0.05").submit().status_code == 202
