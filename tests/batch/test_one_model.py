"""One model for a chain whose rows name none, and nothing bought for a chain that cannot go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.batch.bench import Bench, bench
from tests.shell import Result, Shell


def lines(*made: dict[str, Any]) -> str:
    return "".join(json.dumps({"prompt": f"scene {n}", **one}) + "\n" for n, one in enumerate(made, 1))


def plan(service: Bench, *line: str) -> Result:
    return service.shell("batch", "rows.jsonl", "--dry-run", *line)


def models(done: Result) -> list[str]:
    return [json.loads(line)["model"] for line in done.lines]


def test_rows_of_a_chain_that_name_no_model_get_the_cheapest_that_can_do_all_of_them(service: Bench) -> None:
    service.write(lines({"duration": 5}, {"duration": 8}, {"duration": 15}, {"duration": 6, "seed": 3}))
    assert len(set(models(plan(service)))) > 1, "each by itself is cheapest with another one"
    done = plan(service, "--chain")
    [model] = set(models(done))
    assert f"chosen: model {model} (the cheapest that fits all rows of the chain;" in done.err


def test_rows_that_name_a_model_and_other_chains_keep_theirs(service: Bench) -> None:
    long, short = {"duration": 15, "seed": 3}, {"duration": 4}
    service.write(
        lines(
            {**short, "name": "a"}, {**long, "first_frame": "row:a"}, {**short, "model": "google/veo-3.1-lite"},
            {**short, "first_frame": "row:3"}, short, {**short, "reference": "row:5"},
        )
    )  # fmt: skip
    made = models(plan(service))
    alone = models(plan(service, "--name", "other"))
    assert made == alone
    assert made[0] == made[1]
    assert made[2] == "google/veo-3.1-lite"
    assert made[3] == made[4] != made[0]


def test_a_chain_goes_on_with_the_model_that_it_was_begun_with(service: Bench) -> None:
    service.write(lines({"duration": 5}, {"duration": 8}))
    assert service.shell("batch", "rows.jsonl", "--chain").code == 0
    begun = {one["model"] for one in service.received}
    service.write(lines({"duration": 5}, {"duration": 8}, {"duration": 5, "generate_audio": True}))
    done = plan(service, "--chain")
    assert set(models(done)) == begun
    assert "(that of the chain so far)" in done.err
    service.write(lines({"duration": 5}, {"duration": 8}, {"duration": 15}))
    done = plan(service, "--chain")
    assert done.code == 6
    assert "a row can name another one (model)" in done.err


def test_a_chain_that_no_model_can_do_is_refused_whole(service: Bench) -> None:
    service.write(lines({"duration": 30}, {"duration": 1}))
    done = service.shell("batch", "rows.jsonl", "--chain")
    assert (done.code, service.received) == (6, [])
    assert "line 1: No model can do all rows of the chain that begins here" in " ".join(done.err.split())


def test_a_chain_is_not_begun_with_a_model_that_is_not_said_to_take_its_pictures(service: Bench) -> None:
    service.write(lines({}, {}))
    line = ("--chain", "-m", "openai/sora-2-pro", "-d", "4")
    done = service.shell("batch", "rows.jsonl", *line)
    assert (done.code, service.received) == (6, [])
    assert "does not say that openai/sora-2-pro takes a first frame" in " ".join(done.err.split())
    assert plan(service, *line, "--no-check").code == 0


def test_a_row_that_begins_without_a_picture_is_not_sent_that_of_the_line(service: Bench, home: Path) -> None:
    Image.new("RGB", (854, 480), "navy").save(home / "navy.png")
    service.write(lines({}, {"first_frame": "row:none"}))
    for more in ((), ("--chain",)):
        done = service.batch("--first-frame", str(home / "navy.png"), "--dry-run", *more)
        assert ["frame_images" in json.loads(line) for line in done.lines] == [True, False]


def test_a_reference_may_be_one_picture_of_another_row(service: Bench) -> None:
    service.write(lines({}, {"reference": "row:1"}, {"reference": ["row:1:last"]}))
    done = service.batch("--dry-run")
    assert done.code == 0, done.err
    _, *made = (json.loads(line).get("input_references") for line in done.lines)
    assert [[one["image_url"]["url"] for one in each] for each in made] == [["row:1:first"], ["row:1:last"]]


def test_a_row_that_is_called_none_is_not_mistaken_for_no_row(service: Bench) -> None:
    service.write(lines({"name": "none"}, {"first_frame": "row:none"}))
    done = service.batch("--dry-run")
    assert done.code == 2
    assert "line 2: row:none is no picture, or the row of that name (line 1)" in " ".join(done.err.split())


@pytest.mark.parametrize("command", ["submit", "batch"])
def test_what_stands_for_a_picture_to_come_is_no_url_that_a_person_can_give(service: Bench, command: str) -> None:
    part = {"type": "image_url", "image_url": {"url": "awaited:x:last"}, "frame_type": "first_frame"}
    service.write(lines({"frame_images": [part]}))
    source = ["--request", "rows.jsonl"] if command == "submit" else ["rows.jsonl"]
    done = service.shell(command, *source, "--no-check", "-m", "x-ai/grok-imagine-video-1.5-lite", "-d", "1")
    assert (done.code, service.received) == (2, [])
    assert "'awaited:x:last' leads to no picture" in done.err


def test_a_video_saved_beside_a_file_that_took_its_name_is_not_told_as_not_fetched(orvideo: Shell, home: Path) -> None:
    with bench(orvideo, home) as service:
        service.write(lines({}))
        assert service.batch("-o", "clips/").code == 0
        [path] = (home / "clips").iterdir()
        path.write_bytes(b"somebody else's")
        done = service.batch("-o", "clips/")
        assert "1 of 1 rows did not make it: 1 saved under another name." in done.err
        assert "not fetched" not in done.err


def test_a_row_whose_picture_will_be_of_an_older_video_is_told_before_the_money(service: Bench) -> None:
    service.write(lines({}, {}))
    assert service.batch("--chain").code == 0
    assert "bought anew" not in service.batch("--chain", "--dry-run").err
    first = service.records()[0]
    assert service.shell("jobs", "forget", first.name).code == 0
    done = service.batch("--chain", "--dry-run")
    assert "1 row (2) on record took a picture of an earlier video of a row that is bought anew" in done.err
