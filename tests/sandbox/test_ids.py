"""The ids of jobs: of today's form, and of the form from before October 2026."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Start, Turned
from tests.sandbox.test_refusals import words
from tests.shell import Shell

NEW = re.compile(r"gen-vid-([0-9]+)-[0-9A-Za-z]{20}")
OLD = re.compile(r"[0-9a-z]{24}")
BOAT = {"model": "sandbox/slow", "prompt": "a boat", "duration": 1}


def test_an_id_has_the_time_in_it_and_the_generation_has_the_same(start: Start, turned: Turned) -> None:
    caller = start(clock=turned.clock())
    job_id = caller.submit(**BOAT).json()["id"]
    form = NEW.fullmatch(job_id)
    assert form is not None
    assert int(form[1]) == int(turned.time.timestamp())
    turned.turn(600)
    assert caller.look(job_id)["generation_id"] == job_id
    assert caller.http.get("/generation", params={"id": job_id}).json()["data"]["id"] == job_id
    assert caller.http.get(f"/videos/{job_id}/content").status_code == 200


def test_old_ids_are_a_fault_and_can_be_gone_on_from_under_it(start: Start, turned: Turned) -> None:
    caller = start("old-ids", clock=turned.clock())
    job_id = caller.submit(**BOAT).json()["id"]
    assert OLD.fullmatch(job_id)
    submitted = int(turned.time.timestamp())
    turned.turn(600)
    generation = caller.look(job_id)["generation_id"]
    assert generation == f"gen-vid-{submitted}-{job_id}"
    assert caller.http.get("/generation", params={"id": generation}).json()["data"]["id"] == generation
    assert caller.submit(**BOAT, previous_job_id=job_id).status_code == 202
    assert caller.submit(**BOAT, previous_job_id=7).status_code == 400


def test_an_old_job_is_still_there_and_cannot_be_gone_on_from(start: Start) -> None:
    job_id = start("old-ids").job(**BOAT)["id"]
    caller = start()
    assert caller.look(job_id)["status"] == "completed"
    assert caller.http.get(f"/videos/{job_id}/content").status_code == 200
    assert "must match pattern /^gen-vid-" in words(caller.submit(**BOAT, previous_job_id=job_id))


@pytest.mark.parametrize(
    "wrong",
    [
        "abc", "", f"gen-vid--{'x' * 20}", f"gen-vid-1764123456-{'x' * 19}", f"gen-vid-1764123456-{'x' * 21}",
        f"gen-vid-1764123456-{'é' * 20}", f"gen-vid-１２-{'x' * 20}", f" gen-vid-1764123456-{'x' * 20}",
        f"gen-vid-1764123456-{'x' * 20}\n", f"GEN-VID-1764123456-{'x' * 20}",
    ],
)  # fmt: skip
def test_what_is_gone_on_from_has_the_published_form(start: Start, wrong: str) -> None:
    said = words(start().submit(**BOAT, previous_job_id=wrong))
    assert said == "Invalid input: previous_job_id: Invalid string: must match pattern /^gen-vid-\\d+-[0-9A-Za-z]{20}$/"


def test_the_file_of_another_job_does_not_answer(start: Start, tmp_path: Path) -> None:
    """Where the names of files have no case, an id with other letters opens the file of another job."""
    caller = start()
    job_id = caller.submit(**BOAT).json()["id"]
    other = job_id[:-20] + job_id[-20:].swapcase()
    jobs = tmp_path / "sandbox" / "jobs"
    (jobs / f"{other}.json").write_bytes((jobs / f"{job_id}.json").read_bytes())
    assert words(caller.http.get(f"/videos/{other}"), 404) == f"Job {other} not found"


def test_orvideo_knows_a_job_of_either_form_by_any_piece(start: Start, orvideo: Shell, tmp_path: Path) -> None:
    for number, fault in enumerate(([], ["old-ids"])):
        orvideo.environ |= {
            "ORVIDEO_BASE_URL": start(*fault).sandbox.base_url,
            "OPENROUTER_API_KEY": KEY,
            "ORVIDEO_STATE_DIR": str(tmp_path / f"state{number}"),
        }
        line = ["submit", "a boat", "-m", "sandbox/two-outputs", "-d", "1", "--json"]
        ids = [json.loads(orvideo(*line, "--yes").out)["id"] for _ in range(2)]
        listed = orvideo("jobs", env={"COLUMNS": "120"}).out
        for job_id in ids:
            assert job_id[-8:] in listed
            for piece in (job_id, job_id[-8:], job_id[-12:-6]):
                assert orvideo("wait", piece, "--json").json["id"] == job_id, piece
