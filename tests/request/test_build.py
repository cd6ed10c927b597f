"""From what is given to the fields that are sent: as a row of a batch calls it, without a command around it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from orvideo.errors import UsageError
from orvideo.record.redaction import redact_request
from orvideo.request.build import MediaSource, Param, missing_media, parse_params, request_fields
from orvideo.request.file import read_request
from tests.commands.services import data_url, frame, reference
from tests.request.images import picture

SOURCE = MediaSource(10**6)
A, B = "https://a.example/a.png", "https://a.example/b.png"


def fields(given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return request_fields({"prompt": "a boat", **given}, SOURCE, **more).fields


def test_short_names_are_turned_into_the_services_own() -> None:
    given = {"first_frame": A, "last_frame": B, "reference": [A, "audio:https://a.example/x"], "param": {"k": None}}
    wanted = request_fields(given, SOURCE)
    assert wanted.fields == {
        "frame_images": [frame(A), frame(B, "last_frame")],
        "input_references": [reference(A), reference("https://a.example/x", "audio")],
        "provider": {"options": {"": {"parameters": {"k": None}}}},
    }
    assert wanted.params == (Param(None, "k", None),)
    assert fields({"reference": A})["input_references"] == [reference(A)]


def test_short_and_long_names_add_up_and_replace_what_lies_below() -> None:
    base = {"frame_images": [frame(A), frame(A, "last_frame")], "input_references": [reference(A)]}
    assert fields({"last_frame": B}, base=base)["frame_images"] == [frame(A), frame(B, "last_frame")]
    assert fields({"first_frame": B}, base=base)["frame_images"] == [frame(B), frame(A, "last_frame")]
    assert fields({"reference": B}, base=base)["input_references"] == [reference(B)]
    both = fields({"reference": B, "input_references": [reference(A)]}, base=base)["input_references"]
    assert both == [reference(A), reference(B)]
    provider = {"options": {"x": {"parameters": {"a": 1, "b": 2}, "c": 3}}}
    assert fields({"param": "x:b=5"}, base={"provider": provider})["provider"] == {
        "options": {"x": {"parameters": {"a": 1, "b": 5}, "c": 3}}
    }
    assert provider == {"options": {"x": {"parameters": {"a": 1, "b": 2}, "c": 3}}}


def test_three_layers() -> None:
    layers: dict[str, Any] = {
        "base": {"seed": 2, "duration": 3},
        "defaults": {"seed": 1, "duration": 1, "user": "u"},
    }
    assert fields({"seed": 5}, **layers) == {"prompt": "a boat", "seed": 5, "duration": 3, "user": "u"}
    assert fields({"seed": None, "user": None}, **layers) == {"prompt": "a boat", "duration": 3}
    traced = fields({"trace": {"a": "3", "c": "4"}}, base={"trace": {"a": "1", "b": "2"}})
    assert traced["trace"] == {"a": "3", "b": "2", "c": "4"}


def test_what_there_is_to_say_of_a_given_image_is_said_wherever_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(picture("PNG", (40, 40)))
    source = MediaSource(10**6, base=tmp_path)
    small = frame(data_url(picture("PNG", (40, 40))))
    for wanted in (
        request_fields({"first_frame": "small.png"}, source),
        request_fields({}, source, base={"frame_images": [small]}),
    ):
        assert len(wanted.warnings) == 1
        assert "40 × 40" in wanted.warnings[0]
    replaced = request_fields({"first_frame": A}, source, base={"frame_images": [small]})
    assert replaced.warnings == ()


def test_no_more_is_read_of_a_request_than_is_taken() -> None:
    data = b'{"prompt": "x"}'
    assert read_request("-", io.BytesIO(data), most=len(data)) == {"prompt": "x"}
    with pytest.raises(UsageError, match="too large: at most 15 bytes"):
        read_request("-", io.BytesIO(data + b" "), most=len(data))
    with pytest.raises(UsageError, match="too large: at most 15 bytes"):
        read_request("/dev/zero", None, most=len(data))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"durration": 4}, "durration"),
        ({"firstframe": A}, "did you mean first_frame?"),
        ({"first_frame": 7}, "first_frame takes a file or a URL"),
        ({"reference": [A, {}]}, "reference takes a file or a URL"),
        ({"param": [1]}, "param takes KEY=VALUE"),
        ({"duration": "4"}, "duration takes a whole number"),
        ({"upscale_factor": 0}, "not more than 0"),
        ({"upscale_factor": float("inf")}, "upscale_factor takes a number"),
        ({"session_id": "s" * 257}, "at most 256 characters; this one has 257"),
        ({"prompt": None}, "A prompt is needed"),
        ({"prompt": ""}, "A prompt is needed"),
        ({"callback_url": "https://u:p@example.com"}, "not an https URL"),
        ({"callback_url": "http://u:p@localhost/"}, "not an https URL"),
        ({"callback_url": "http://localhost.example.com/"}, "not an https URL"),
        ({"callback_url": "https:///x"}, "not an https URL"),
        ({"callback_url": "https://exa mple.com/"}, "not an https URL"),
        ({"provider": {"options": {"": {}}}}, "names no provider"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        fields(given)
    assert says in f"{refused.value.message} {refused.value.hint}"


def test_the_first_frames_size_is_known_wherever_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture("PNG", (400, 700)))
    source = MediaSource(10**6, base=tmp_path)
    first = data_url(picture("PNG", (300, 900)))
    assert request_fields({"first_frame": "a.png"}, source).frame == (400, 700)
    assert request_fields({"last_frame": "a.png"}, source).frame is None
    assert request_fields({"last_frame": "a.png"}, source, base={"frame_images": [frame(first)]}).frame == (300, 900)
    assert request_fields({"first_frame": A}, source).frame is None


@pytest.mark.drill("I07")
def test_i07_a_row_stays_inside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.png").write_bytes(picture())
    source = MediaSource(10**6, root=tmp_path / "inside")
    for path in ("../secret.png", str(tmp_path / "secret.png"), "file://secret.png"):
        for name in ("first_frame", "reference"):
            with pytest.raises(UsageError):
                request_fields({"prompt": "x", name: path}, source)
    # The service's own fields hold URLs only: no way around.
    for url in ("../secret.png", "file:///etc/passwd", str(tmp_path / "secret.png"), "-"):
        with pytest.raises(UsageError, match="neither an https URL nor a data URL"):
            request_fields({"prompt": "x", "input_references": [reference(url)]}, source)


def test_what_the_record_keeps_of_an_image_is_not_sent() -> None:
    kept = redact_request(
        {"frame_images": [frame(data_url(picture()), "last_frame")], "input_references": [reference(A)]}
    )
    assert [flag for _, flag in missing_media(kept)] == ["--last-frame"]
    for check in (True, False):
        with pytest.raises(UsageError, match="not on record"):
            fields({"first_frame": A}, base=kept, check=check)
    assert fields({"last_frame": B}, base=kept)["frame_images"] == [frame(B, "last_frame")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("1.50", 1.5), ("true", True), ("null", None), ('"1"', "1"), ("[1]", [1]), ("yes", "yes"), ("", ""),
     ("NaN", "NaN"), ("1e999", "1e999"), ("9" * 50, "9" * 50), ("{x", "{x"), ("a=b:c", "a=b:c"), (" 7", 7)],
)  # fmt: skip
def test_a_value_is_json_where_it_is_json(text: str, value: Any) -> None:
    (param,) = parse_params(f"slug:key={text}")
    assert param == Param("slug", "key", value)
    assert type(param.value) is type(value)
