"""The sandbox as a client meets it: jobs, films, bills and neighbours, over loopback."""

from __future__ import annotations

import base64
import errno
import http.client
import os
import socket
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import httpx
import pytest
from PIL import Image, ImageChops, ImageStat

from orvideo.sandbox.planes import of_frame
from orvideo.sandbox.server import KEY, Sandbox
from orvideo.sandbox.studio import Studio
from tests.sandbox.conftest import SMALL, Start, Turned, picture


def data_url(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def frame(url: str, kind: str = "first_frame") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "frame_type": kind}


def reference(url: str, kind: str = "image_url") -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}}


def first_picture(path: Path) -> Image.Image:
    with av.open(str(path)) as container:
        return of_frame(next(container.decode(video=0)))


def difference(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def shape(path: Path) -> tuple[int, int, int, bool]:
    """Return width, height, frames and whether there is sound."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        return video.width, video.height, frames, bool(container.streams.audio)


def test_a_job_from_submit_to_video(start: Start, turned: Turned, tmp_path: Path) -> None:
    caller = start(speed=10, clock=turned.clock())
    answer = caller.submit(model="google/veo-3.1-lite", duration=4, resolution="720p", aspect_ratio="16:9")
    assert answer.status_code == 202
    job = answer.json()
    assert set(job) == {"id", "polling_url", "status"}
    assert job["status"] == "pending"
    assert job["polling_url"] == f"{caller.sandbox.base_url}/videos/{job['id']}"
    assert caller.look(job["id"])["status"] == "pending"
    turned.turn(2)
    assert caller.look(job["id"])["status"] == "in_progress"
    early = caller.http.get(f"/videos/{job['id']}/content")
    assert (early.status_code, early.json()["error"]["code"]) == (409, 409)
    turned.turn(3)
    done = caller.look(job["id"])
    assert done["status"] == "completed"
    assert done["usage"] == {"cost": 0.2, "is_byok": False}
    assert done["generation_id"] == job["id"]
    assert "urls" not in done
    assert "error" not in done
    content = caller.http.get(done["unsigned_urls"][0], headers={"Range": "bytes=10-"})
    assert content.status_code == 200
    assert content.headers["content-type"] == "video/mp4"
    assert content.headers["transfer-encoding"] == "chunked"
    for absent in ("content-length", "content-disposition", "etag", "accept-ranges"):
        assert absent not in content.headers
    (tmp_path / "film.mp4").write_bytes(content.content)
    assert shape(tmp_path / "film.mp4") == (1280, 720, 96, True)


@pytest.mark.parametrize(
    ("model", "seconds", "least", "most"),
    [
        ("x-ai/grok-imagine-video", 1, 3, 12),
        ("google/veo-3.1-lite", 4, 36, 46),
        ("bytedance/seedance-2.0-mini", 4, 55, 69),
        ("bytedance/seedance-2.5", 4, 120, 390),
        ("sandbox/slow", 4, 1800, 1800),
    ],
)
def test_jobs_take_as_long_as_they_were_seen_to(model: str, seconds: int, least: float, most: float) -> None:
    from orvideo.sandbox import pace

    times = [pace.seconds(model, f"job{n}", seconds=seconds, height=480) for n in range(300)]
    assert min(times) >= least
    assert max(times) <= most
    assert pace.seconds(model, "job1", seconds=seconds, height=480) == times[1]


def test_some_models_never_show_progress(start: Start, turned: Turned) -> None:
    caller = start(speed=1, clock=turned.clock())
    job = caller.submit(model="minimax/hailuo-3-max", duration=5).json()
    turned.turn(30)
    assert caller.look(job["id"])["status"] == "pending"
    turned.turn(300)
    assert caller.look(job["id"])["status"] == "completed"


def test_a_job_outlives_its_process_and_keeps_its_pace(start: Start, turned: Turned, tmp_path: Path) -> None:
    one = start(speed=1, clock=turned.clock())
    job = one.submit(model="google/veo-3.1-lite", duration=4, resolution="720p").json()
    one.sandbox.stop()
    other = start(speed=1000, clock=turned.clock())
    turned.turn(20)
    assert other.look(job["id"])["status"] == "in_progress"
    turned.turn(30)
    done = other.look(job["id"])
    assert done["status"] == "completed"
    assert done["unsigned_urls"][0].startswith(other.sandbox.base_url)


def test_the_same_request_gives_the_same_bytes_in_any_home(start: Start, tmp_path: Path) -> None:
    one, other = start(home=tmp_path / "one"), start(home=tmp_path / "other")
    films = [
        one.film(tmp_path, seed=7, user="me").read_bytes(),
        one.film(tmp_path, seed=7, trace={"trace_id": "x"}).read_bytes(),
        other.film(tmp_path, seed=7).read_bytes(),
    ]
    assert films[0] == films[1] == films[2]
    assert one.film(tmp_path, seed=8).read_bytes() != films[0]
    assert len(list((tmp_path / "one" / "films").glob("*.mp4"))) == 2


# --- what is asked for


@pytest.mark.parametrize(
    ("asked", "sound"), [({}, True), ({"generate_audio": True}, True), ({"generate_audio": False}, False)]
)
def test_sound_is_the_models_own_choice_when_left_out(
    start: Start, tmp_path: Path, asked: dict[str, Any], sound: bool
) -> None:
    request = {"model": "sandbox/two-outputs", "resolution": "480p", "aspect_ratio": "1:1", **asked}
    assert shape(start().film(tmp_path, **request)) == (480, 480, 24, sound)


@pytest.mark.long
def test_groks_small_square_is_what_was_recorded(start: Start, tmp_path: Path) -> None:
    caller = start()
    assert shape(caller.film(tmp_path, aspect_ratio="1:1")) == (544, 544, 24, True)
    assert shape(caller.film(tmp_path, size="480x480")) == (544, 544, 24, True)
    assert shape(caller.film(tmp_path, aspect_ratio="1:1", generate_audio=False)) == (544, 544, 24, False)
    assert shape(caller.film(tmp_path, aspect_ratio="16:9")) == (854, 480, 24, True)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"resolution": "480p", "aspect_ratio": "1:1"}, (640, 640)),
        ({"resolution": "480p", "aspect_ratio": "16:9"}, (864, 496)),
        ({"resolution": "480p", "aspect_ratio": "3:4"}, (560, 752)),
        ({"resolution": "480p", "aspect_ratio": "21:9"}, (992, 432)),
        ({"resolution": "720p", "aspect_ratio": "3:4"}, (834, 1112)),
        ({"resolution": "720p", "aspect_ratio": "1:1"}, (960, 960)),
        ({"resolution": "720p", "aspect_ratio": "21:9"}, (1470, 630)),
        ({"size": "480x480"}, (640, 640)),
        ({"size": "854x480"}, (864, 496)),
    ],
    ids=str,
)
def test_seedance_has_its_real_sizes(start: Start, asked: dict[str, str], size: tuple[int, int]) -> None:
    caller = start()
    body = {"model": "bytedance/seedance-2.0-mini", "prompt": "a boat", "duration": 4, **asked}
    job = caller.http.post("/videos", json=body).json()
    kept = caller.sandbox.studio.job(job["id"])
    assert (kept.width, kept.height) == size


def test_the_first_frame_is_the_given_image(start: Start, tmp_path: Path) -> None:
    image = picture((190, 40, 40), (544, 544))
    path = start().film(tmp_path, aspect_ratio="1:1", frame_images=[frame(data_url(image))])
    given = tmp_path / "given.png"
    given.write_bytes(image)
    with Image.open(given) as opened:
        assert difference(first_picture(path), opened.convert("RGB")) < 3


def test_a_continued_job_begins_where_the_other_ended(start: Start, tmp_path: Path) -> None:
    caller = start()
    request = {"model": "sandbox/slow", "prompt": "a boat"}
    before = caller.job(**request)
    path = caller.film(tmp_path, **{**request, "prompt": "a storm"}, previous_job_id=before["id"])
    film = tmp_path / "before.mp4"
    film.write_bytes(caller.http.get(f"/videos/{before['id']}/content").content)
    from orvideo.sandbox.film import last_frame

    assert difference(first_picture(path), last_frame(film)) < 3
    assert difference(first_picture(path), first_picture(film)) > 3


@pytest.mark.long
def test_a_film_that_another_goes_on_from_is_made_again_when_it_is_gone(start: Start, tmp_path: Path) -> None:
    caller = start()
    before = caller.job(model="sandbox/slow")
    one = caller.film(tmp_path, model="sandbox/slow", previous_job_id=before["id"]).read_bytes()
    for path in (tmp_path / "sandbox" / "films").iterdir():
        path.unlink()
    assert caller.film(tmp_path, model="sandbox/slow", previous_job_id=before["id"]).read_bytes() == one


def test_upscaling_scales(start: Start, tmp_path: Path) -> None:
    caller = start()
    request = {
        "model": "black-forest-labs/flux-video-upscale",
        "input_references": [reference("https://example.com/clip.mp4", "video_url")],
        "upscale_factor": 1.5,
        "creativity": 1,
    }
    answer = caller.http.post("/videos", json=request)
    assert answer.status_code == 202, answer.text
    job = caller.look(answer.json()["id"])
    # 1280x720 x 1.5 for 5 s at 10.5 cents a megapixel-second.
    assert job["usage"]["cost"] == pytest.approx(1920 * 1080 / 1e6 * 5 * 0.105)
    again = caller.http.post("/videos", json={**request, "previous_job_id": job["id"], "upscale_factor": 2})
    assert caller.sandbox.studio.job(again.json()["id"]).width == 3840


def test_two_outputs_differ_and_a_third_is_out_of_range(start: Start) -> None:
    caller = start()
    job = caller.job(model="sandbox/two-outputs")
    assert [url.rpartition("?")[2] for url in job["unsigned_urls"]] == ["index=0", "index=1"]
    one, other = (caller.http.get(url).content for url in job["unsigned_urls"])
    assert one[4:8] == other[4:8] == b"ftyp"
    assert one != other
    assert job["usage"]["cost"] == 0.02
    beyond = caller.http.get(f"/videos/{job['id']}/content?index=5")
    assert beyond.status_code == 400
    assert beyond.json()["error"]["message"] == "Video index 5 out of range (2 videos available)"


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("sandbox/fails", "failed", "Content policy violation"),
        ("sandbox/expires", "expired", "Job exceeded maximum time to live"),
        ("sandbox/cancelled", "cancelled", None),
        (
            "sandbox/filtered",
            "completed",
            "Video generation completed with no output (content may have been filtered)",
        ),
    ],
)
def test_bad_days_are_free_and_have_no_video(start: Start, model: str, status: str, words: str | None) -> None:
    caller = start()
    job = caller.job(model=model)
    assert (job["status"], job.get("error"), job["usage"]["cost"]) == (status, words, 0)
    assert not job.get("unsigned_urls")
    assert caller.http.get(f"/videos/{job['id']}/content").status_code == 404


def test_the_list_has_the_real_models_first_and_then_the_rehearsals(start: Start) -> None:
    listed = start(key=None).http.get("/videos/models").json()["data"]
    own = [entry for entry in listed if entry["id"].startswith("sandbox/")]
    assert len(own) == 6
    assert listed[-6:] == own
    assert "google/veo-3.1" in {entry["id"] for entry in listed[:-6]}
    assert all(entry["description"] and entry["pricing_skus"] for entry in own)


def test_an_image_that_cannot_be_read_fails_the_job_as_it_does_there(start: Start) -> None:
    broken = data_url(picture((1, 2, 3))[:60])
    job = start().job(frame_images=[frame(broken)])
    assert (job["status"], job["usage"]["cost"]) == ("failed", 0)
    assert job["error"] == "task failed with status: FAIL, message: Image pixel is invalid"


def test_what_was_received_is_kept_whole_and_what_was_unknown_went_no_further(start: Start, tmp_path: Path) -> None:
    caller = start()
    body = {
        **SMALL,
        "model": "google/veo-3.1-lite",
        "duration": 4,
        "resolution": "720p",
        "frame_images": [frame(data_url(picture((9, 9, 9)))), frame("https://example.com/b.png", "last_frame")],
        "provider": {
            "options": {
                "google-vertex": {"parameters": {"negativePrompt": "rain", "unknown": 1}},
                "elsewhere": {"parameters": {"personGeneration": "x"}},
            }
        },
        "sead": 7,
        "trace": {"trace_id": "t"},
    }
    answer = caller.http.post("/videos", json=body)
    assert answer.status_code == 202, answer.text
    assert caller.sandbox.received() == [body]
    kept = caller.sandbox.studio.job(answer.json()["id"])
    assert "sead" not in kept.request
    assert kept.request["provider"] == {"parameters": {"negativePrompt": "rain"}}
    assert "base64" not in (tmp_path / "sandbox" / "jobs" / f"{kept.id}.json").read_text()


# --- bills


@pytest.mark.parametrize(
    ("request_", "cost"),
    [
        ({"model": "x-ai/grok-imagine-video", "duration": 1, "resolution": "480p"}, 0.05),
        (
            {
                "model": "x-ai/grok-imagine-video",
                "duration": 1,
                "resolution": "480p",
                "frame_images": [frame("https://example.com/a.png")],
            },
            0.052,
        ),
        ({"model": "google/veo-3.1-lite", "duration": 4, "resolution": "720p", "generate_audio": False}, 0.12),
        (
            {
                "model": "kwaivgi/kling-v3.0-std",
                "duration": 12,
                "resolution": "720p",
                "generate_audio": False,
                "frame_images": [frame("https://example.com/a.png")],
            },
            1.008,
        ),
        (
            {
                "model": "bytedance/seedance-2.0-mini",
                "duration": 4,
                "resolution": "480p",
                "aspect_ratio": "1:1",
                "generate_audio": False,
                "frame_images": [
                    frame("https://example.com/a.png"),
                    frame("https://example.com/b.png", "last_frame"),
                ],
            },
            0.1358,
        ),
    ],
    ids=["grok", "grok-image", "veo", "kling", "seedance"],
)
def test_bills_are_those_that_were_recorded(start: Start, request_: dict[str, Any], cost: float) -> None:
    caller = start()
    answer = caller.http.post("/videos", json={"prompt": "a boat", **request_})
    assert answer.status_code == 202, answer.text
    assert caller.look(answer.json()["id"])["usage"]["cost"] == cost
    for path in ("/key", "/credits"):
        data = caller.http.get(path).json()["data"]
        assert data.get("usage", data.get("total_usage")) == cost


# --- neighbours


def test_the_neighbours_answer(start: Start, turned: Turned) -> None:
    caller = start(speed=1, clock=turned.clock())
    key = caller.http.get("/key").json()["data"]
    assert {"label", "limit", "limit_remaining", "usage", "is_free_tier", "expires_at"} <= set(key)
    general = caller.http.get("/models", params={"output_modalities": "video"}).json()["data"]
    inputs = {entry["id"]: entry["architecture"]["input_modalities"] for entry in general}
    assert inputs["bytedance/seedance-2.0"] == ["text", "image", "audio", "video"]
    assert inputs["black-forest-labs/flux-video-upscale"] == ["video"]
    assert caller.http.get("/models").json() == {"data": [], "links": {"next": None}, "total_count": 0}
    tag = caller.http.get("/models/google/veo-3.1-lite/endpoints").json()["data"]["endpoints"][0]["tag"]
    assert tag == "google-vertex"
    assert caller.http.get("/models/google/nothing/endpoints").status_code == 404
    job = caller.submit().json()
    turned.turn(60)
    generation = caller.look(job["id"])["generation_id"]
    assert caller.http.get("/generation", params={"id": generation}).status_code == 404
    turned.turn(500)
    found = caller.http.get("/generation", params={"id": generation}).json()["data"]
    assert (found["model"], found["total_cost"]) == ("x-ai/grok-imagine-video-20260512", 0.05)
    assert caller.http.get("/generation", params={"id": "gen-nothing"}).status_code == 404
    assert caller.http.get("/generation").status_code == 400


def test_unknown_paths_and_methods_have_the_error_shape(start: Start) -> None:
    http = start().http
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/videos", 405),
        ("DELETE", "/videos/abc", 405),
        ("GET", "/videos/..%2f..%2fsecret", 404),
        ("GET", "/videos/.secret", 404),
        ("GET", "/videos/%00/content", 404),
    ):
        answer = http.request(method, path)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == status
    assert "POST" in http.get("/videos").headers["allow"]


# --- the server


@pytest.mark.long
def test_starts_and_stops_without_leaving_a_thread_or_a_socket(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            with Sandbox(tmp_path, speed=1e6) as sandbox, httpx.Client(timeout=240) as http:
                assert http.get(f"{sandbox.base_url}/videos/models").status_code == 200
                sandbox.stop()
                sandbox.stop()
                with pytest.raises(httpx.ConnectError):
                    httpx.get(f"{sandbox.base_url}/videos/models", timeout=240)
    assert set(threading.enumerate()) == before
    if files is not None:
        assert len(os.listdir("/proc/self/fd")) <= files


def test_stops_at_once_in_the_middle_of_a_long_film_and_a_slow_download(start: Start, tmp_path: Path) -> None:
    caller = start("content-slow:1000")
    small = caller.job()
    with (
        ThreadPoolExecutor() as pool,
        caller.http.stream("GET", f"/videos/{small['id']}/content") as slow,
    ):
        chunks = slow.iter_raw()
        next(chunks)
        job = caller.job(model="google/veo-3.1", duration=8, resolution="4K", aspect_ratio="16:9")
        waiting = pool.submit(caller.http.get, f"/videos/{job['id']}/content")
        next(chunks)
        caller.sandbox.stop()
        assert isinstance(waiting.exception(timeout=240), httpx.TransportError)
    assert not [path for path in (tmp_path / "sandbox" / "films").iterdir() if path.name.endswith(".part")]


def test_a_taken_port_is_an_os_error(start: Start, tmp_path: Path) -> None:
    port = int(start().sandbox.base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError) as refused:  # noqa: PT011 - the words are the system's
        Sandbox(tmp_path / "other", port=port).start()
    assert refused.value.errno in (errno.EADDRINUSE, errno.EACCES)


@pytest.mark.drill("W35")
def test_w35_no_other_program_can_have_the_port_as_well(start: Start) -> None:
    port = int(start().sandbox.base_url.split(":")[2].split("/")[0])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError) as refused:  # noqa: PT011 - the words are the system's
            other.bind(("127.0.0.1", port))
    assert refused.value.errno in (errno.EADDRINUSE, errno.EACCES)


def test_says_each_request_and_writes_nothing_itself(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    said: list[tuple[str, str, int]] = []
    caller = start(on_request=lambda *what: said.append(what))
    caller.submit(model="nothing/here")
    caller.http.get("/videos/abc/content?index=1")
    assert said == [("POST", "/api/v1/videos", 400), ("GET", "/api/v1/videos/abc/content?index=1", 404)]
    assert capfd.readouterr() == ("", "")


def test_many_callers_at_once(start: Start) -> None:
    caller = start()

    def round_trip(number: int) -> str:
        job = caller.submit(prompt=f"number {number}", model="sandbox/fails").json()
        return str(caller.look(job["id"])["status"])

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(round_trip, range(120))) == {"failed"}
    assert len(caller.sandbox.received()) == 120


def test_looks_and_submits_are_answered_while_many_wait_for_films(start: Start, tmp_path: Path) -> None:
    """Far more wait than there are threads for looks; the film that is being made is far from done."""
    caller = start()
    body = {"model": "google/veo-3.1", "duration": 8, "resolution": "4K", "aspect_ratio": "16:9"}
    jobs = [caller.job(**body, prompt=f"number {number}")["id"] for number in range(60)]
    base = urlsplit(caller.sandbox.base_url)
    waiting = [http.client.HTTPConnection(base.netloc, timeout=240) for _ in jobs]
    for connection, job_id in zip(waiting, jobs, strict=True):
        connection.request("GET", f"{base.path}/videos/{job_id}/content", headers={"Authorization": f"Bearer {KEY}"})
    assert caller.look(jobs[0])["status"] == "completed"
    assert caller.submit().status_code == 202
    assert not list((tmp_path / "sandbox" / "films").glob("*.mp4"))
    caller.sandbox.stop()
    for connection in waiting:
        with pytest.raises((OSError, http.client.HTTPException)):
            connection.getresponse()
        connection.close()


def test_a_look_makes_no_film_itself(start: Start, tmp_path: Path) -> None:
    caller = start()
    job = caller.submit().json()
    before = set((tmp_path / "sandbox" / "films").iterdir())
    caller.sandbox.studio.close()
    assert caller.look(job["id"])["status"] == "completed"
    assert set((tmp_path / "sandbox" / "films").iterdir()) == before


def test_old_films_go_and_come_back_and_old_jobs_go(tmp_path: Path, turned: Turned) -> None:
    with (
        Sandbox(tmp_path, speed=1e6) as sandbox,
        httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=240) as http,
    ):
        job = http.post(f"{sandbox.base_url}/videos", json=SMALL).json()
        content = f"{sandbox.base_url}/videos/{job['id']}/content"
        film = http.get(content).content
        os.utime(next((tmp_path / "films").iterdir()), (0, 0))
        sandbox.studio.tidy()
        assert not list((tmp_path / "films").iterdir())
        assert http.get(content).content == film
        later = Studio(tmp_path)
        later.tidy()
        assert len(later.jobs()) == 1
        os.utime(tmp_path / "jobs" / f"{job['id']}.json", (0, 0))
        later.tidy()
        assert not Studio(tmp_path).jobs()


def test_nothing_heavy_is_loaded_before_a_film_is_needed(tmp_path: Path) -> None:
    script = (
        "import json, sys, urllib.request\n"
        "from pathlib import Path\n"
        "from orvideo.sandbox.server import KEY, Sandbox\n"
        "with Sandbox(Path(sys.argv[1])) as sandbox:\n"
        "    head = {'Authorization': f'Bearer {KEY}'}\n"
        "    body = json.dumps({'model': 'sandbox/slow', 'prompt': 'x'}).encode()\n"
        "    call = urllib.request.Request(sandbox.base_url + '/videos', body, head)\n"
        "    job = json.load(urllib.request.urlopen(call))\n"
        "    urllib.request.urlopen(urllib.request.Request(job['polling_url'], None, head)).read()\n"
        "print(sorted({'av', 'PIL', 'numpy', 'httpx', 'rich'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)
