"""Rows that begin where a clip on record ended: they stay the same rows, whatever is newest meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orvideo.batch.identity import content_key
from orvideo.film.moment import FIRST, LAST
from orvideo.film.stills import still
from orvideo.record.frames import FrameSource
from tests.batch.bench import SMALL, Bench
from tests.commands.services import data_url
from tests.commands.services import frame as part
from tests.commands.test_frames import is_still, sent_pictures
from tests.film.clips import Making, make


@pytest.fixture
def clip(service: Bench, home: Path) -> str:
    """A job whose video is saved as a.mp4, by its id."""
    done = service.shell("submit", "a boat", *SMALL, "--wait", "-o", "a.mp4")
    assert done.code == 0, done.err
    return str(service.records()[0].name)


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps({"prompt": "and on", "user": f"row-{n}", **row}) + "\n" for n, row in enumerate(rows, 1))


def pictures(service: Bench, user: str) -> list[Any]:
    """Return what the row of a user sent: what each picture was for, and what it shows."""
    (body,) = [body for body in service.received if body.get("user") == user]
    return sent_pictures(body)


@pytest.mark.long
def test_rows_begin_with_frames_of_jobs_and_of_files(service: Bench, clip: str, home: Path) -> None:
    rows = [{"first_frame": "@1"}, {"first_frame": f"{clip[-8:]}:first"}, {"reference": "a.mp4:last"}, {}]
    service.write(lines(*rows))
    planned = service.batch("--dry-run", "--json")
    assert planned.code == 0, planned.err
    assert [row["frames"][0]["at"] for row in planned.json["rows"][:3]] == ["last", "first", "last"]
    assert len(service.received) == 1
    done = service.batch()
    assert done.code == 0, done.err
    for number, moment in ((1, LAST), (2, FIRST), (3, LAST)):
        ((_, shown),) = pictures(service, f"row-{number}")
        assert is_still(shown, home / "a.mp4", moment)
    told = {record.row_number: [frame.word for frame in record.frames] for record in service.records()[1:]}
    assert told == {1: [f"{clip}:last"], 2: [f"{clip}:first"], 3: [f"{home / 'a.mp4'}:last"], 4: []}


@pytest.mark.long
def test_at_one_stays_the_job_that_it_was_when_the_batch_goes_on(service: Bench, clip: str, home: Path) -> None:
    """Each bought row is the newest job: were it taken for @1, the rows would be other rows, and bought anew."""
    service.write(lines({}, {"first_frame": "@1"}))
    assert service.batch().code == 0
    assert service.shell("submit", "another", *SMALL, "--wait", "-o", "b.mp4").code == 0
    service.write(lines({}, {"first_frame": "@1"}, {"first_frame": "@1:first"}))
    again = service.batch()
    assert again.code == 0, again.err
    assert sorted(body.get("user", "") for body in service.received) == ["", "", "row-1", "row-2", "row-3"]
    ((_, shown),) = pictures(service, "row-3")
    assert is_still(shown, home / "a.mp4", FIRST)
    assert "nothing to submit" in service.batch().err


@pytest.mark.long
def test_at_one_of_a_row_that_was_not_bought_is_no_row_of_its_batch(service: Bench, clip: str, home: Path) -> None:
    service.write(lines({}))
    assert service.batch().code == 0
    service.write(lines({}, {"first_frame": "@1"}))
    assert service.batch().code == 0
    ((_, shown),) = pictures(service, "row-2")
    assert is_still(shown, home / "a.mp4", LAST)


@pytest.mark.long
def test_a_picture_on_the_line_is_one_of_every_row(service: Bench, clip: str, home: Path) -> None:
    service.write(lines({}, {}, {"first_frame": "a.mp4:first"}))
    assert service.batch("--first-frame", "@1").code == 0
    for number, moment in ((1, LAST), (2, LAST), (3, FIRST)):
        ((_, shown),) = pictures(service, f"row-{number}")
        assert is_still(shown, home / "a.mp4", moment)
    assert [len(record.frames) for record in service.records()] == [0, 1, 1, 1]
    assert "nothing to submit" in service.batch("--first-frame", "@1").err


@pytest.mark.long
def test_a_row_is_the_same_row_wherever_its_video_lies(service: Bench, clip: str, home: Path) -> None:
    service.write(lines({"first_frame": "a.mp4"}))
    assert service.batch().code == 0
    (home / "a.mp4").rename(home / "moved.mp4")
    for word in ("moved.mp4:last", f"{clip}"):
        service.write(lines({"first_frame": word}))
        assert "nothing to submit" in service.batch().err
    assert len(service.received) == 2


def test_a_row_is_the_same_row_whatever_decoder_and_encoder_made_the_picture() -> None:
    """Under another key it would be bought again after an upgrade."""

    def key(data: bytes, **source: Any) -> str:
        frame = FrameSource(**{"at": "last", "sha256": "ab", "use": "first_frame", **source})
        return content_key({"prompt": "a boat", "frame_images": [part(data_url(data))]}, [frame])

    assert key(b"one") == key(b"another", job="job-1", output=1, named="@1") == key(b"one", file="/a.mp4")
    assert len({key(b"one"), key(b"one", at="first"), key(b"one", sha256="cd")}) == 3
    assert key(b"one") == "037d6ab7b0a406fe1819d4e3e657a3d9"


def test_a_column_of_a_csv(service: Bench, clip: str, home: Path) -> None:
    service.write("prompt,first_frame,references\nand on,@1,\nagain,,a.mp4:last\n", "rows.csv")
    done = service.batch(file="rows.csv")
    assert done.code == 0, done.err
    assert [use for body in service.received[1:] for use, _ in sent_pictures(body)] in (
        ["first_frame", "reference"],
        ["reference", "first_frame"],
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("1", "1 could be a job (@1), a row (row:1) or a file"),
        ("@2", "There is no job @2 beside those of this batch"),
        ("@0", "There is no job @0 beside those of this batch"),
        ("nobody:last", "no job of that name on record"),
        ("gone.mp4", "There is no file gone.mp4"),
        ("@1:9s", "has no frame at 9s"),
        ("../out.mp4:last", "is outside of"),
        ("../out.mp4", "is outside of"),
    ],
)
def test_a_row_whose_frame_cannot_be_had_stops_all_before_anything_is_sent(
    service: Bench, clip: str, home: Path, word: str, says: str
) -> None:
    make(home.parent / "out.mp4", Making(size=(640, 360)))
    service.write(lines({}, {"first_frame": word}))
    done = service.batch()
    assert (done.code, len(service.received)) == (2, 1), done.err
    assert says in " ".join(done.err.split())
    assert "line 2: " in done.err


@pytest.mark.long
def test_files_outside_may_be_allowed(service: Bench, home: Path) -> None:
    make(home.parent / "out.mp4", Making(size=(640, 360)))
    service.write(lines({"first_frame": "../out.mp4"}))
    done = service.batch("--allow-outside")
    assert done.code == 0, done.err
    assert is_still(pictures(service, "row-1")[0][1], home.parent / "out.mp4", LAST)


@pytest.mark.long
def test_a_video_that_is_gone_is_fetched_once_and_before_anything_is_sent(
    service: Bench, clip: str, home: Path
) -> None:
    true = still(home / "a.mp4", LAST).image
    (home / "a.mp4").unlink()
    service.write(lines({"first_frame": clip}, {"reference": f"{clip}:last"}))
    done = service.batch()
    assert done.code == 0, done.err
    assert done.err.count(f"{clip}: downloaded") == 1
    assert pictures(service, "row-2")[0][1].tobytes() == true.tobytes()
