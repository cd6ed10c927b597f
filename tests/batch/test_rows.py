"""Rows as they are written down, what they stand for, and where their videos go."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL.PngImagePlugin import PngInfo

from orvideo.batch.formats import Form
from orvideo.batch.identity import RowKeys, batch_id, batch_label, content_key
from orvideo.batch.rows import Row, read_rows
from orvideo.batch.source import Source
from orvideo.request.broken import escaped_as, misread_as
from tests.batch.bench import Bench, rows
from tests.request.images import picture
from tests.shell import Result


def read(text: str, form: Form, output: str | None = None) -> list[Row]:
    rows, troubles = read_rows(Source("b", text, form, None), output=output)
    assert troubles == []
    return rows


def test_a_cell_stands_for_what_the_field_takes() -> None:
    text = (
        "Prompt,duration,audio,seed,Aspect-Ratio,upscale,reference,trace,resolution\n"
        '"a, ""b""\nc",8,no,7,16:9,1.5,"[""a.png"", ""b.png""]","{""k"": 1}",\n'
    )
    (row,) = read(text, Form.CSV)
    assert row.line == 2
    assert row.fields == {
        "prompt": 'a, "b"\nc', "duration": 8, "generate_audio": False, "seed": 7, "aspect_ratio": "16:9",
        "upscale_factor": 1.5, "reference": ["a.png", "b.png"], "trace": {"k": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("prompt,prompt\na,b\n", 1, "there twice"),
        ("prompt,\na,b\n", 2, "no name"),
        ("prompt,durations\na,b\n", 2, "Did you mean duration?"),
        ("prompt,duration\na\n", 2, "1 cell, and the heading has 2"),
        ('prompt,duration\n"a\nb",soon\n', 2, "a whole number"),
        ("prompt,audio\n\na,maybe\n", 3, "true or false"),
        ("prompt,provider\na,{\n", 2, "JSON"),
    ],
)
def test_what_is_wrong_with_a_csv_has_its_line(text: str, line: int, says: str) -> None:
    _, (trouble,) = read_rows(Source("b", text, Form.CSV, None), output=None)
    assert trouble.line == line
    assert says in trouble.message


def test_a_field_of_its_own_counts_where_an_output_asks_for_it() -> None:
    text = json.dumps({"prompt": "a", "scene": 7, "output": "{scene}-{take}.mp4", "take": "x"})
    (row,) = read(text, Form.JSONL)
    assert row.own == {"scene": "7", "take": "x"}
    assert read('{"prompt": "a", "scene": 7}', Form.JSONL, output="{scene}.mp4")[0].own == {"scene": "7"}


@given(
    some.lists(
        some.text(
            some.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffd\ufffe\uffff"), min_size=1
        ).filter(lambda text: text.strip() and not misread_as(text) and not escaped_as(text)),
        max_size=5,
    )
)
def test_any_prompt_that_is_not_broken_text_survives_jsonl(prompts: list[str]) -> None:
    text = "".join(json.dumps(prompt, ensure_ascii=False) + "\n" for prompt in prompts)
    assert [row.fields["prompt"] for row in read(text, Form.JSONL)] == prompts


def test_a_row_is_known_by_what_it_asks_for() -> None:
    one, other = {"prompt": "a", "model": "X/y", "seed": None}, {"model": "x/Y", "prompt": "a"}
    keys, again = RowKeys(), RowKeys()
    first, second, third = (keys.next(content_key(row)) for row in (one, other, {"prompt": "a"}))
    assert first != second
    assert first.rpartition("-")[0] == second.rpartition("-")[0]
    assert third not in (first, second)
    assert [again.next(content_key(row)) for row in ({"prompt": "b"}, one)][1] == first


def test_a_batch_is_known_by_its_place_or_name_and_by_where_it_buys(tmp_path: Path) -> None:
    source = Source("b", "one", Form.TEXT, tmp_path / "b.txt")
    changed = Source("b", "two", Form.TEXT, tmp_path / "b.txt")
    assert batch_label(source, None) == batch_label(changed, None)
    assert batch_label(source, "x") != batch_label(source, None)
    piped = [batch_label(Source("stdin", text, Form.TEXT, None), None) for text in ("one", "two")]
    assert piped[0] != piped[1]
    assert batch_id("x", "sandbox") != batch_id("x", "https://openrouter.ai/api/v1")


@pytest.mark.parametrize(
    ("output", "row", "path"),
    [
        ("clips/", {}, "clips/001-a-boat-"),
        ("clips", {"output": "one.mp4"}, "clips/one.mp4"),
        ("clips/{row}.{ext}", {}, "clips/001.mp4"),
        ("{name}-{scene}.mp4", {"name": "../x", "scene": "a/b"}, "x-a-b.mp4"),
        ("clips/", {"output": "{name}.mp4", "name": "n"}, "clips/n.mp4"),
    ],
)
def test_where_a_video_goes(service: Bench, home: Path, output: str, row: dict[str, str], path: str) -> None:
    (home / "clips").mkdir()
    service.write(json.dumps({"prompt": "a boat", **row}))
    done = service.batch("-o", output)
    assert done.code == 0, done.err
    assert done.lines[0].startswith(path.replace("/", os.sep))
    assert (home / done.lines[0]).is_file()


def test_a_field_that_a_row_lacks_and_a_stream_are_refused(service: Bench) -> None:
    service.write('{"prompt": "a boat"}')
    for output in ("{name}.mp4", "-", "/dev/stdout", "{nonsense}.mp4"):
        assert service.batch("-o", output).code == 2, output
    assert service.received == []


def comment(text: str) -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", text)
    return info


def decoded(run: Callable[[], Result]) -> int:
    """Return how often base64 is decoded while a command runs: the dearest thing that is done with a picture."""
    count = 0

    def watch(frame: FrameType, event: str, what: object) -> None:
        nonlocal count
        count += event == "c_call" and getattr(what, "__name__", "") == "a2b_base64"

    sys.setprofile(watch)
    try:
        done = run()
    finally:
        sys.setprofile(None)
    assert done.code == 0, done.err
    return count


@pytest.mark.drill("R-B17")
@pytest.mark.parametrize("where", ["line", "rows"])
def test_b17_a_picture_that_rows_share_is_decoded_as_often_as_that_of_one_row(
    service: Bench, home: Path, where: str
) -> None:
    line = ("--dry-run", "--first-frame", "boat.png") if where == "line" else ("--dry-run",)
    more = {} if where == "line" else {"first_frame": "boat.png"}
    counts = []
    for number in (1, 12):
        # One that nobody has seen before: what is known of a picture is kept for a while.
        (home / "boat.png").write_bytes(picture(pnginfo=comment(secrets.token_hex())))
        service.write(rows(number, **more))
        counts.append(decoded(lambda: service.batch(*line)))
    assert 0 < counts[0] <= 3, "whether anything was counted, and that it was not much"
    assert counts[1] == counts[0]


def test_pictures_that_differ_are_told_apart(service: Bench, home: Path) -> None:
    asked = []
    for number in range(20):
        (home / f"{number % 10}.png").write_bytes(picture(pnginfo=comment(str(number % 10))))
        asked.append(json.dumps({"prompt": "a boat", "first_frame": f"{number % 10}.png"}))
    service.write("\n".join(asked))
    done = service.batch("--dry-run", "--json")
    assert done.code == 0, done.err
    urls = [row["request"]["frame_images"][0]["image_url"]["url"] for row in done.json["rows"]]
    assert len(set(urls)) == 10
    assert urls[:10] == urls[10:]


def test_rows_that_are_planned_as_one_are_sent_with_their_own_prompts(service: Bench) -> None:
    service.write("a boat\na car\na boat\n", "b.txt")
    assert service.batch(file="b.txt").code == 0
    assert sorted(body["prompt"] for body in service.received) == ["a boat", "a boat", "a car"]
    service.write("a boat\na car\n", "c.txt")
    done = service.batch("-d", "999", file="c.txt")
    assert (done.code, len(service.received)) == (6, 3)
    assert "line 1: " in done.err
    assert "line 2: " in done.err


def test_data_that_is_no_picture_of_the_request_is_sent_as_it_was_given(service: Bench) -> None:
    data = "data:image/png;base64,aGk="
    given: list[dict[str, object]] = [
        {"prompt": "a boat", "provider": {"options": {"xai": {"mask": data}}}},
        {"prompt": "a boat", "trace": {"x": data}},
        {"prompt": "a boat", "user": data},
    ]
    service.write("".join(json.dumps(row) + "\n" for row in given))
    done = service.batch()
    assert done.code == 0, done.err
    for row in given:
        assert [body for body in service.received if row.items() <= body.items()], row


@pytest.mark.parametrize(
    ("limit", "line", "says"),
    [
        ("0.02", (), None),
        ("0.019", (), "line 1: This may cost $0.02, and a job may cost $0.019 (the setting max-cost)."),
        ("9", ("--no-check", "-m", "no/such"), "line 1: This has an unknown price, and a job may cost $9.00"),
    ],
)
def test_no_row_costs_more_than_a_job_may(service: Bench, limit: str, line: tuple[str, ...], says: str | None) -> None:
    service.shell.environ["ORVIDEO_MAX_COST"] = limit
    service.write(rows(1))
    done = service.batch(*line)
    assert (done.code, len(service.received)) == ((0, 1) if says is None else (5, 0)), done.err
    assert says is None or says in done.err
