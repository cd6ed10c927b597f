"""Everything the API takes, from the line to the wire: what arrives at the service is compared whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openrouter.components.videogenerationrequest import VideoGenerationRequest
from PIL import Image

from orvideo.request.broken import escaped_as, misread_as
from orvideo.sandbox.server import Sandbox
from tests.commands.services import Service, data_url, difference, first_and_last, frame, reference
from tests.request.images import picture, png_that_claims
from tests.shell import Shell

drill = pytest.mark.drill
MODEL = "sandbox/slow"
#: What orvideo fills in for that model.
FILLED = {"duration": 1, "resolution": "480p", "aspect_ratio": "16:9", "generate_audio": True}
PLAIN = {"model": MODEL, "prompt": "a boat", **FILLED}


@pytest.fixture
def service(orvideo: Shell, tmp_path: Path) -> Iterator[Service]:
    with Sandbox(tmp_path / "service", speed=1e6) as sandbox:
        yield Service(sandbox, orvideo)
    assert sandbox.crashes == []


@pytest.fixture
def images(home: Path) -> dict[str, bytes]:
    """Pictures in the current directory, whose names do not tell what they are."""
    made = {
        "first": picture("PNG", (640, 360)),
        "last.txt": picture("JPEG", (640, 360)),
        "third.png": picture("WEBP", (640, 360)),
    }
    for name, data in made.items():
        (home / name).write_bytes(data)
    return made


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["a \udce9t\udce9"], "prompt"),
        (["a boat", "--user", "me\udcff"], "user"),
        (["a boat", "--param", "stability.seed=\udcff"], "provider"),
        (["a boat", "--trace", "run=\udcff"], "trace"),
        (["--request", "order.json"], "prompt"),
        (["-"], "prompt"),
    ],
)
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text_are_refused_and_not_paid_for(
    service: Service, home: Path, line: list[str], name: str, errors: str
) -> None:
    """A prompt in Latin-1 would be bought, and filmed as something else."""
    (home / "order.json").write_text(json.dumps({"prompt": "a \udce9"}))
    done = service.submit(
        *line, "-m", MODEL, process=True, stdin=b"un \xe9t\xe9\n", env={"PYTHONIOENCODING": f"utf-8:{errors}"}
    )
    assert (done.code, service.sandbox.received()) == (2, [])
    assert name in done.err
    assert "UTF-8" in done.err


# --- each field; some through a real process --------------------------------------------------------------------------


def test_frames_from_files_arrive_in_the_services_shape(service: Service, images: dict[str, bytes]) -> None:
    done = service.submit("a boat", "-m", MODEL, "--last-frame", "last.txt", "--first-frame", "first")
    assert done.code == 0, done.err
    frames = [frame(data_url(images["first"])), frame(data_url(images["last.txt"], "jpeg"), "last_frame")]
    assert service.sent() == PLAIN | {"frame_images": frames}


def test_references_of_every_kind(service: Service, images: dict[str, bytes]) -> None:
    line = [
        "--reference",
        "third.png",
        "--reference",
        "https://a.example/x.mp3",
        "--reference",
        "video:https://a.example/x",
    ]
    done = service.submit("a boat", "-m", "bytedance/seedance-2.0-mini", *line, "--yes")
    assert done.code == 0, done.err
    assert service.sent() == {
        "model": "bytedance/seedance-2.0-mini",
        "prompt": "a boat",
        "duration": 4,
        "resolution": "480p",
        "aspect_ratio": "16:9",
        "generate_audio": False,
        "input_references": [
            reference(data_url(images["third.png"], "webp")),
            reference("https://a.example/x.mp3", "audio"),
            reference("https://a.example/x", "video"),
        ],
    }


def test_what_is_for_the_logs_arrives_as_text(service: Service) -> None:
    line = ["--user", "u-1", "--session-id", "s" * 256, "--trace", "trace_id=7", "--trace", "note=a=b",
            "--callback-url", "https://example.com/hook?x=1"]  # fmt: skip
    done = service.submit("a boat", "-m", MODEL, *line)
    assert done.code == 0, done.err
    assert service.sent() == PLAIN | {
        "user": "u-1",
        "session_id": "s" * 256,
        "trace": {"trace_id": "7", "note": "a=b"},
        "callback_url": "https://example.com/hook?x=1",
    }


def test_a_parameter_goes_to_the_provider_that_the_service_names(service: Service) -> None:
    line = ["--param", "mood=calm", "--param", 'negative_prompt={"a": [1, null]}', "--param", "other:mood=true"]
    done = service.submit("a boat", "-m", MODEL, *line, process=True)
    assert done.code == 0, done.err
    assert "provider fake-provider (for mood, negative_prompt)" in done.err
    assert service.sent() == PLAIN | {
        "provider": {
            "options": {
                "other": {"parameters": {"mood": True}},
                "fake-provider": {"parameters": {"mood": "calm", "negative_prompt": {"a": [1, None]}}},
            }
        }
    }
    (job,) = service.sandbox.studio.jobs()
    # The service drops the other provider's block; what is the provider's own reaches it.
    assert job.request["provider"] == {"parameters": {"mood": "calm", "negative_prompt": {"a": [1, None]}}}


def test_upscaling_takes_a_video_by_reference_and_no_prompt(service: Service) -> None:
    line = ["-m", "black-forest-labs/flux-video-upscale", "--reference", "https://a.example/clip.mp4"]
    done = service.submit(*line, "--upscale", "1.5", "--creativity", "1", "--yes")
    assert done.code == 0, done.err
    assert service.sent() == {
        "model": "black-forest-labs/flux-video-upscale",
        "input_references": [reference("https://a.example/clip.mp4", "video")],
        "creativity": 1,
        "upscale_factor": 1.5,
    }
    (job,) = service.sandbox.studio.jobs()
    assert (job.width, job.height) == (1920, 1080)


def test_a_request_file_arrives_as_it_stands(service: Service, home: Path) -> None:
    request = PLAIN | {"seed": 7, "duration": 3, "trace": {"trace_id": "1"}}
    (home / "request.json").write_text(json.dumps(request), encoding="utf-8-sig")
    assert service.submit("--request", "request.json", process=True).code == 0
    assert service.sent() == request
    done = service.submit(
        "--request", "-", "--seed", "8", "--trace", "note=x", stdin=json.dumps(request).encode(), process=True
    )
    assert done.code == 0, done.err
    assert service.last() == request | {"seed": 8, "trace": {"trace_id": "1", "note": "x"}}


def test_an_image_comes_from_stdin_once(service: Service, images: dict[str, bytes]) -> None:
    done = service.submit("a boat", "-m", MODEL, "--first-frame", "-", stdin=images["first"], process=True)
    assert done.code == 0, done.err
    assert service.sent()["frame_images"] == [frame(data_url(images["first"]))]
    twice = service.submit("-", "-m", MODEL, "--first-frame", "-", stdin=images["first"])
    assert twice.code == 2
    assert "the prompt and --first-frame would read it" in twice.err


# --- seen in the film -------------------------------------------------------------------------------------------------


def test_the_film_begins_and_ends_with_the_given_images(service: Service, home: Path) -> None:
    Image.linear_gradient("L").resize((320, 568)).convert("RGB").save(home / "first.png")
    Image.radial_gradient("L").resize((320, 568)).convert("RGB").save(home / "last.png")
    line = ["--first-frame", "first.png", "--last-frame", "last.png", "--wait", "-o", "film.mp4"]
    done = service.submit("a boat", "-m", MODEL, *line)
    assert done.code == 0, done.err
    assert "aspect ratio 9:16 (nearest to the first frame)" in done.err
    first, last = first_and_last(home / "film.mp4")
    assert first.width < first.height
    assert difference(first, Image.open(home / "first.png")) < 6
    assert difference(last, Image.open(home / "last.png")) < 6
    assert difference(first, last) > 30


@pytest.mark.long
def test_a_continued_job_begins_where_the_other_ended(service: Service, home: Path) -> None:
    line = ["--wait", "-o"]
    assert service.submit("a boat", "-m", MODEL, "-a", "9:16", *line, "one.mp4").code == 0
    done = service.submit("a storm", "--continue", "@1", *line, "two.mp4")
    assert done.code == 0, done.err
    (job, _) = service.sandbox.studio.jobs()
    assert service.last() == PLAIN | {"prompt": "a storm", "aspect_ratio": "9:16", "previous_job_id": job.id}
    assert difference(first_and_last(home / "two.mp4")[0], first_and_last(home / "one.mp4")[1]) < 4
    assert difference(first_and_last(home / "two.mp4")[0], first_and_last(home / "one.mp4")[0]) > 4


@pytest.mark.long
def test_two_references_appear_in_the_film(service: Service, home: Path) -> None:
    colours = {"red.png": (190, 50, 40), "blue.png": (30, 60, 170)}
    for name, colour in colours.items():
        Image.new("RGB", (320, 320), colour).save(home / name)
    line = ["--reference", "red.png", "--reference", "blue.png", "--wait", "-o", "film.mp4"]
    assert service.submit("a boat", "-m", MODEL, *line).code == 0
    shown, _ = first_and_last(home / "film.mp4")
    pixels = [shown.getpixel((x, y)) for x in range(0, shown.width, 4) for y in range(0, shown.height, 4)]
    for colour in colours.values():
        assert sum(all(abs(a - b) < 25 for a, b in zip(pixel, colour, strict=True)) for pixel in pixels) > 40


# --- going on from another job ----------------------------------------------------------------------------------------


def test_only_the_model_that_made_a_job_goes_on_from_it(service: Service) -> None:
    assert service.submit("a boat", "-m", MODEL, "--wait").code == 0
    other = service.submit("on", "--continue", "@1", "-m", "sandbox/two-outputs")
    assert other.code == 2
    assert f"made by {MODEL}" in other.err
    # The canonical slug is the same model; a model out of the settings gives way.
    assert service.submit("on", "--continue", "@1", "-m", "sandbox/slow-20261101").code == 0
    assert service.submit("on", "--continue", "@2", env={"ORVIDEO_MODEL": "sandbox/fails"}).code == 0
    assert [request["model"] for request in service.sandbox.received()] == [MODEL] * 3


def test_a_job_that_is_not_completed_or_lives_elsewhere_is_not_gone_on_from(service: Service) -> None:
    assert service.submit("a boat", "-m", MODEL).code == 0
    running = service.submit("on", "--continue", "@1")
    assert (running.code, "is pending as far as is known" in running.err, "orvideo wait" in running.err) == (
        2,
        True,
        True,
    )
    elsewhere = service.submit("on", "--continue", "@1", "--sandbox")
    assert (elsewhere.code, "lives elsewhere" in elsewhere.err) == (2, True)
    assert len(service.sandbox.received()) == 1


def test_an_id_from_elsewhere_needs_its_model(service: Service) -> None:
    assert service.submit("a boat", "-m", MODEL, "--wait").code == 0
    job_id = service.sandbox.studio.jobs()[0].id
    stranger = Service(service.sandbox, Shell(service.shell.home / "elsewhere"))
    stranger.shell.home.mkdir()
    unnamed = stranger.submit("on", "--continue", job_id)
    assert (unnamed.code, "not on record" in unnamed.err) == (2, True)
    assert stranger.submit("on", "--continue", job_id, "-m", MODEL).code == 0
    assert stranger.last()["previous_job_id"] == job_id
    assert stranger.submit("on", "--continue", "@7", "-m", MODEL).code == 2


# --- parameters of providers ------------------------------------------------------------------------------------------


def test_a_parameter_that_the_model_does_not_take_is_refused_with_the_list(service: Service) -> None:
    done = service.submit("a boat", "-m", MODEL, "--param", "mod=calm")
    assert done.code == 6
    assert "does not take the provider parameter mod. It takes mood or negative_prompt." in done.err
    assert service.sandbox.received() == []
    assert service.submit("a boat", "-m", MODEL, "--param", "mod=calm", "--no-check").code == 0
    assert service.sent()["provider"] == {"options": {"fake-provider": {"parameters": {"mod": "calm"}}}}
    # At the service it disappears without a word: that is why it is checked here.
    assert "provider" not in service.sandbox.studio.jobs()[0].request


@pytest.mark.parametrize("value", ["mood", "=calm", ":mood=calm", "sandbox:=calm", 'mood={"a": 1, "a": 2}'])
def test_a_parameter_that_makes_no_sense_is_refused(service: Service, value: str) -> None:
    done = service.submit("a boat", "-m", MODEL, "--param", value)
    assert (done.code, "--param" in done.err) == (2, True)


def test_what_is_given_twice_is_refused(service: Service) -> None:
    for flag, name in (("--param", "mood"), ("--trace", "note")):
        done = service.submit("a boat", "-m", MODEL, flag, f"{name}=1", flag, f"{name}=2")
        assert (done.code, "given twice" in done.err) == (2, True)


# --- what a model takes -----------------------------------------------------------------------------------------------


def test_a_reference_that_the_model_ignores_is_refused(service: Service) -> None:
    line = ["a boat", "-m", "google/veo-3.1-lite", "--reference", "https://a.example/x.mp4"]
    done = service.submit(*line)
    assert (done.code, "does not take video as a reference" in done.err) == (6, True)
    assert service.submit(*line, "--no-check").code == 0
    assert service.sent()["input_references"] == [reference("https://a.example/x.mp4", "video")]


def test_a_model_is_chosen_that_takes_the_kind_of_reference(service: Service) -> None:
    done = service.submit("a boat", "--reference", "https://a.example/x.mp3", "--dry-run")
    assert done.code == 0, done.err
    assert done.json["model"] == "bytedance/seedance-2.0-mini"
    unpriced = service.submit("a boat", "--reference", "https://a.example/x.mp4", "--dry-run")
    assert unpriced.code == 6
    assert "--model bytedance/seedance-2.0-mini" in unpriced.err


def test_frames_beside_references_are_told_of(service: Service, images: dict[str, bytes]) -> None:
    done = service.submit("a boat", "-m", MODEL, "--first-frame", "first", "--reference", "first", "--dry-run")
    assert done.code == 0
    assert "warning: with a first or last frame given, the service ignores the references" in done.err


# --- images that cannot be sent: drills I01 to I08 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trap", "says"),
    [
        pytest.param("fifo", "is a pipe", marks=drill("I01"), id="I01-fifo"),
        pytest.param("/dev/zero", "is a device", marks=drill("I01"), id="I01-zero"),
        pytest.param("folder", "is a directory", marks=drill("I01"), id="I01-directory"),
        pytest.param("large.png", "too large", marks=drill("I02"), id="I02-large"),
        pytest.param("page.png", "a web page", marks=drill("I03"), id="I03-html"),
        pytest.param("empty.png", "empty", marks=drill("I03"), id="I03-empty"),
        pytest.param("film.png", "is not a video that can be read", marks=drill("I03"), id="I03-film"),
        pytest.param("vast.png", "50000 × 50000 pixels", marks=drill("I04"), id="I04-vast"),
        pytest.param("https://u:p@a.example/x.png", "a user name or a password", id="userinfo"),
        pytest.param("http://a.example/x.png", "https only", id="http"),
        pytest.param("missing.png", "no file missing.png", id="missing"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(service: Service, home: Path, trap: str, says: str) -> None:
    if os.name == "posix":
        os.mkfifo(home / "fifo")
    (home / "folder").mkdir()
    with (home / "large.png").open("wb") as file:
        file.truncate(21 * 2**20)
    (home / "page.png").write_text("<!DOCTYPE html><html>")
    (home / "empty.png").write_bytes(b"")
    (home / "film.png").write_bytes(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
    (home / "vast.png").write_bytes(png_that_claims(50_000, 50_000))
    for flag in ("--first-frame", "--reference"):
        done = service.submit("a boat", "-m", MODEL, flag, trap)
        assert done.code == 2
        assert says in done.err
    assert service.sandbox.received() == []


@drill("I05")
def test_i05_a_link_to_an_image_is_followed(service: Service, home: Path, images: dict[str, bytes]) -> None:
    (home / "link.png").symlink_to("first")
    assert service.submit("a boat", "-m", MODEL, "--first-frame", "link.png").code == 0
    assert service.sent()["frame_images"] == [frame(data_url(images["first"]))]


@drill("I08")
def test_i08_a_picture_is_in_no_log_and_in_no_record(service: Service, images: dict[str, bytes]) -> None:
    done = service.submit("a boat", "-m", MODEL, "--first-frame", "first", "--wait", "-v", "--json")
    shown = service.shell("jobs", "show", "@1")
    inside = data_url(images["first"]).partition(",")[2][40:80]
    assert inside not in done.out + done.err + shown.out + shown.err
    for path in service.shell.home.rglob("*"):
        assert not path.is_file() or inside.encode() not in path.read_bytes(), path


# --- a request as JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_text", "says"),
    [
        ('{"model": "sandbox/slow", "promt": "x"}', "did you mean prompt?"),
        ('{"prompt": "x", "durration": 4, "sed": 1}', "'durration', 'sed'"),
        ('{"prompt": "x", "duration": "4"}', "duration takes a whole number, not the text '4'"),
        ('{"prompt": "x", "duration": true}', "duration takes a whole number, not true"),
        ('{"prompt": "x", "duration": 4.5}', "duration takes a whole number, not the number 4.5"),
        ('{"prompt": ["x"]}', "prompt takes a text, not a list"),
        ('{"prompt": "x", "generate_audio": 1}', "generate_audio takes true or false, not the number 1"),
        ('{"prompt": "x", "frame_images": [{"type": "image_url"}]}', "frame_images[0].image_url takes an object"),
        ('{"prompt": "x", "frame_images": ["a.png"]}', "frame_images[0] takes an object, not the text 'a.png'"),
        ('{"prompt": "x", "frame_images": [{"type": "image_url", "image_url": {"url": "a.png"}, '
         '"frame_type": "first_frame"}]}', "neither an https URL nor a data URL"),
        ('{"prompt": "x", "frame_images": [{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}, '
         '"frametype": "first_frame"}]}', "frame_type is first_frame or last_frame"),
        ('{"prompt": "x", "input_references": [{"type": "video_url", '
         '"video_url": {"url": "data:video/mp4;base64,AAAA"}}]}',
         "by https URL only"),
        ('{"prompt": "x", "provider": {"option": {}}}', "did you mean options?"),
        ('{"prompt": "x", "provider": {"options": {"a": 1}}}', "provider.options.a takes an object"),
        ('{"prompt": "x", "callback_url": "http://example.com"}', "not an https URL"),
        ('{"prompt": "x", "first_frame": "a.png"}', "There is no file a.png"),
        ('{"prompt": "x", "first_frame": 1}', "first_frame takes a file or a URL"),
        ('{"prompt": "x", "seed": NaN}', "NaN is no number"),
        ('{"prompt": "x", "upscale_factor": 1e999}', "too large"),
        ('{"prompt": "x", "seed": 1' + "0" * 5000 + "}", "too long"),
        ('{"prompt": "x", "prompt": "y"}', "'prompt' is given twice"),
        ('{"trace": ' + '{"a":' * 200_000 + "1" + "}" * 200_001, "nested too deeply"),
        ('{"trace": ' + '{"a":' * 70 + "1" + "}" * 71, "nested too deeply"),
        ("[]", "not a JSON object"),
        ("", "not JSON"),
        ("{}", "A prompt is needed"),
        (b'{"prompt": "\xff"}', "not UTF-8"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_understood_is_refused(
    orvideo: Shell, home: Path, request_text: str | bytes, says: str
) -> None:
    data = request_text if isinstance(request_text, bytes) else request_text.encode()
    (home / "request.json").write_bytes(data)
    done = orvideo("submit", "--request", "request.json", "--sandbox")
    assert done.code == 2, done.err
    assert says in done.err.replace("\n", " ")
    assert orvideo("jobs", "--json").json == []


@pytest.mark.parametrize("source", ["missing.json", ".", "/dev/full"])
def test_a_request_that_cannot_be_read_is_refused(orvideo: Shell, source: str) -> None:
    assert orvideo("submit", "--request", source, "--sandbox").code == 2


def test_unknown_fields_are_sent_when_it_is_insisted_on(service: Service, home: Path) -> None:
    (home / "request.json").write_text(json.dumps(PLAIN | {"motion": "slow", "camera": {"pan": 1}}))
    assert service.submit("--request", "request.json", "--no-check").code == 0
    assert service.sent() == PLAIN | {"motion": "slow", "camera": {"pan": 1}}


def test_a_file_beats_the_settings_and_a_flag_beats_the_file(service: Service, home: Path) -> None:
    env = {"ORVIDEO_MODEL": "sandbox/fails", "ORVIDEO_SEED": "1", "ORVIDEO_DURATION": "9", "ORVIDEO_RESOLUTION": "720p"}
    (home / "request.json").write_text(json.dumps({"model": MODEL, "prompt": "x", "duration": 4, "seed": None}))
    done = service.submit("--request", "request.json", "-d", "5", "y", "--dry-run", env=env)
    # A null leaves open what a setting would say; what the file does not name is the settings' to say.
    assert done.json == PLAIN | {"prompt": "y", "duration": 5, "resolution": "720p"}


def test_a_size_and_a_resolution_replace_each_other(service: Service, home: Path) -> None:
    model = {"model": "google/veo-3.1", "prompt": "x"}
    (home / "sized.json").write_text(json.dumps(model | {"size": "1280x720"}))
    (home / "shaped.json").write_text(json.dumps(model | {"resolution": "1080p", "aspect_ratio": "9:16"}))
    one = service.submit("--request", "sized.json", "-r", "1080p", "--dry-run").json
    assert (one.get("size"), one["resolution"]) == (None, "1080p")
    other = service.submit("--request", "shaped.json", "--size", "1280x720", "--dry-run").json
    assert (other["size"], other.get("resolution"), other.get("aspect_ratio")) == ("1280x720", None, None)
    settled = service.submit("--request", "sized.json", "--dry-run", env={"ORVIDEO_ASPECT_RATIO": "9:16"}).json
    assert (settled["size"], settled.get("aspect_ratio")) == ("1280x720", None)


# --- past jobs --------------------------------------------------------------------------------------------------------


def test_a_past_request_is_shown_and_sent_again(service: Service) -> None:
    line = ["-m", MODEL, "--seed", "3", "--param", "mood=calm", "--reference", "https://a.example/a.png"]
    assert service.submit("a boat", *line).code == 0
    shown = service.shell("jobs", "show", "@1", "--request")
    assert shown.json == service.sent() == service.shell("jobs", "show", "@1", "--request", "--json").json
    assert service.submit("--request", "-", stdin=shown.out).code == 0
    assert service.last() == service.sandbox.received()[0]
    again = service.submit(
        "--like", "@2", "--seed", "4", env={"ORVIDEO_DURATION": "9", "ORVIDEO_MODEL": "sandbox/fails"}
    )
    assert again.code == 0
    assert "a new job with the request of" in again.err
    assert "quote:" in again.err
    assert service.last() == service.sandbox.received()[0] | {"seed": 4}
    assert len(service.shell("jobs", "--json").json) == 3
    # A past request is whole: what it left open, the settings of today do not fill.
    assert service.submit("a boat", "-m", MODEL).code == 0
    assert service.submit("--like", "@1", env={"ORVIDEO_SEED": "9"}).code == 0
    assert service.last() == PLAIN


def test_images_that_are_not_on_record_are_asked_for_anew(service: Service, images: dict[str, bytes]) -> None:
    frames = ["--first-frame", "first", "--last-frame", "last.txt"]
    assert service.submit("a boat", "-m", MODEL, *frames).code == 0
    shown = service.shell("jobs", "show", "@1", "--request")
    assert "frame_images[0] (image/png" in shown.err
    assert "anew with --last-frame" in shown.err
    for line, stdin in (["--like", "@1"], ""), (["--request", "-"], shown.out):
        refused = service.submit(*line, "--first-frame", "third.png", stdin=stdin)
        assert refused.code == 2
        assert "frame_images[0]" not in refused.err or "--first-frame FILE" not in refused.err
        assert "--last-frame FILE" in refused.err
    assert service.submit("--like", "@1", "--first-frame", "third.png", "--last-frame", "first").code == 0
    first = frame(data_url(images["third.png"], "webp"))
    assert service.last()["frame_images"] == [first, frame(data_url(images["first"]), "last_frame")]
    assert len(service.sandbox.received()) == 2


def test_like_and_request_do_not_go_together_and_an_adopted_job_has_no_request(service: Service) -> None:
    assert service.submit("--like", "@1", "--request", "x").code == 2
    assert service.submit("a boat", "-m", MODEL, "--wait").code == 0
    job_id = service.sandbox.studio.jobs()[0].id
    stranger = Service(service.sandbox, Shell(service.shell.home / "elsewhere"))
    stranger.shell.home.mkdir()
    assert stranger.shell("jobs", "adopt", job_id).code == 0
    for line in (["submit", "--like", "@1"], ["jobs", "show", "@1", "--request"]):
        done = stranger.shell(*line)
        assert (done.code, "not on record" in done.err) == (2, True)


# --- receipts ---------------------------------------------------------------------------------------------------------


@drill("O17")
def test_a_receipt_says_what_a_video_was_and_holds_no_secret(service: Service, home: Path) -> None:
    line = ["-m", "sandbox/two-outputs", "--reference", "https://a.example/a.png?X-Signature=secret", "--callback-url",
            "https://example.com/secret", "--wait", "-o", "boat.mp4", "--receipt"]  # fmt: skip
    done = service.submit("two boats", *line)
    assert done.code == 0, done.err
    job = service.shell("jobs", "show", "@1", "--json").json
    for index, name in enumerate(("boat.mp4", "boat-2.mp4")):
        text = (home / f"{name}.json").read_text()
        assert "secret" not in text
        assert "sk-or" not in text
        receipt = json.loads(text)
        assert receipt["output"] | {"saved_at": None} == {
            "index": index, "file": name, "bytes": (home / name).stat().st_size,
            "sha256": job["outputs"][index]["sha256"], "saved_at": None,
        }  # fmt: skip
        assert receipt["canonical_slug"] == "sandbox/two-outputs-20261101"
        assert (receipt["job_id"], receipt["cost_usd"]) == (job["id"], job["cost_usd"])
        assert receipt["generation_id"] == job["generation_id"] != ""
        assert receipt["request"]["input_references"] == [reference("https://a.example/a.png")]
    before = (home / "boat.mp4.json").read_bytes()
    (home / "boat.mp4.json").unlink()
    later = service.shell("jobs", "show", "@1", "--receipt")
    assert [Path(line).name for line in later.lines] == ["boat.mp4.json", "boat-2.mp4.json"]
    assert (home / "boat.mp4.json").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "code"),
    [(["--receipt"], 2), (["--receipt", "-o", "boat.mp4"], 2), (["--receipt", "--wait", "-o", "-"], 2),
     (["--receipt", "--wait", "-o", "boat.mp4"], 13)],
)  # fmt: skip
def test_a_receipt_that_could_not_be_written_stops_the_submit(
    service: Service, home: Path, line: list[str], code: int
) -> None:
    (home / "boat.mp4.json").write_text("mine")
    assert service.submit("a boat", "-m", MODEL, *line).code == code
    assert service.sandbox.received() == []
    assert (home / "boat.mp4.json").read_text() == "mine"


# --- any request ------------------------------------------------------------------------------------------------------

#: Text that is text (finding A03).
_letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cn"], exclude_characters="\ufffc\ufffd")
_words = st.text(_letters, min_size=1, max_size=20).filter(
    lambda text: text.strip() and not text.startswith("-") and not misread_as(text)
)
_prompts = _words.map(lambda text: f"a boat {text}").filter(  # alone it may be `null`, or letters that nobody sees
    lambda text: not misread_as(text) and not escaped_as(text)
)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)
_blocks = st.fixed_dictionaries({"parameters": st.fixed_dictionaries({}, optional={"mood": _values})})
_IMAGE = data_url(picture("PNG", (8, 8)))
_urls = st.sampled_from(["https://a.example/a.png", "https://a.example/%20?x=1&y=2#z", _IMAGE])


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    frames = draw(st.lists(st.sampled_from(["first_frame", "last_frame"]), unique=True, max_size=2))
    fields = {
        "model": st.just(MODEL),
        "prompt": _prompts,
        "duration": st.integers(1, 10),
        "resolution": st.sampled_from(["480p", "720P"]),
        "aspect_ratio": st.sampled_from(["16:9", "9:16", "1:1"]),
        "generate_audio": st.booleans(),
        "seed": st.integers(-(2**70), 2**70),
        "frame_images": st.tuples(*(st.builds(frame, _urls, st.just(kind)) for kind in frames)).map(list),
        "input_references": st.lists(st.builds(reference, _urls), max_size=2),
        "provider": st.fixed_dictionaries({"options": st.dictionaries(_words, _blocks, max_size=2)}),
        "callback_url": st.just("https://example.com/hook"),
        "user": _words,
        "session_id": _words,
        "trace": st.dictionaries(_words, _values, max_size=3),
        "previous_job_id": _words,
    }
    chosen = draw(st.sets(st.sampled_from(sorted(set(fields) - {"model", "prompt"}))))
    return {name: draw(fields[name]) for name in ("model", "prompt", *sorted(chosen))}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=_requests())
def test_what_dry_run_prints_can_be_fed_back(everlasting: Service, request: dict[str, Any]) -> None:
    one = everlasting.submit("--request", "-", "--dry-run", stdin=json.dumps(request))
    assert one.code == 0, one.err
    body = one.json
    assert {name: body[name] for name in request} == request | (
        {"resolution": request["resolution"].lower()} if "resolution" in request else {}
    )
    other = everlasting.submit("--request", "-", "--dry-run", "--json", stdin=one.out)
    assert other.json["request"] == body
    assert "chosen:" not in other.err
    # The official SDK's own model of a request loses nothing of it.
    understood = VideoGenerationRequest.model_validate(body)
    assert _comparable(json.loads(understood.model_dump_json(by_alias=True, exclude_unset=True))) == _comparable(body)


def _comparable(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the SDK knows by a closed list: the names of providers, and the first keys of a trace."""
    return {name: value for name, value in body.items() if name not in ("provider", "trace")}


@pytest.fixture(scope="module")
def everlasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    with Sandbox(home / "service", speed=1e6) as sandbox:
        yield Service(sandbox, Shell(home))


def test_the_sdk_understands_every_field_that_there_is(service: Service, images: dict[str, bytes]) -> None:
    line = ["--first-frame", "first", "--last-frame", "last.txt", "--reference", "https://a.example/a.mp3",
            "--param", "mood=1", "--callback-url", "https://e.com/", "--user", "u", "--session-id", "s", "--trace",
            "trace_id=t", "--size", "848x480", "--creativity", "1", "--upscale", "2", "-d", "1", "--audio",
            "--seed", "1"]  # fmt: skip
    done = service.submit("a boat", "-m", MODEL, *line, "--no-check", "--dry-run")
    assert done.code == 0, done.err
    body = done.json | {"previous_job_id": "x", "resolution": "480p", "aspect_ratio": "16:9"}
    from orvideo.request.fields import FIELDS

    assert set(body) == set(FIELDS)
    assert set(VideoGenerationRequest.model_validate(body).model_fields_set) == set(FIELDS)
