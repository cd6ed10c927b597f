"""The list of models of another day: `orvideo sandbox --models FILE`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orvideo.sandbox.offer import Offer
from tests.sandbox.conftest import Start
from tests.shell import Shell

#: A model as it may be tomorrow: fields, words and units that nobody knows yet.
TOMORROW = {
    "id": "acme/dream-9",
    "supported_durations": [3],
    "supported_resolutions": ["9K"],
    "supported_aspect_ratios": ["free"],
    "pricing_skus": {"dreams": "0.5"},
    "allowed_passthrough_parameters": ["depth"],
    "sleeps": {"deep": True},
}


def written(path: Path, document: object, encoding: str = "utf-8") -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding=encoding)
    return path


def test_a_list_of_another_day_is_offered_as_it_is_and_the_rehearsals_stay(start: Start, tmp_path: Path) -> None:
    broken = {"id": 7}
    caller = start(offer=Offer.read(written(tmp_path / "models.json", {"data": [TOMORROW, broken], "more": 1})))
    listed = caller.http.get("/videos/models").json()["data"]
    assert listed[:2] == [TOMORROW, broken]
    assert [entry["id"].partition("/")[0] for entry in listed[2:]] == ["sandbox"] * 6
    job = caller.job(model="acme/dream-9", duration=3, resolution="9K", aspect_ratio="free")
    assert (job["status"], job["usage"]["cost"]) == ("completed", None)
    assert caller.submit(model="google/veo-3.1").status_code == 400
    general = caller.http.get("/models?output_modalities=video").json()["data"]
    assert [entry["name"] for entry in general[:1]] == ["acme/dream-9"]
    (endpoint,) = caller.http.get("/models/acme/dream-9/endpoints").json()["data"]["endpoints"]
    assert (endpoint["provider_name"], endpoint["tag"]) == ("Acme", "acme")
    assert caller.job(model="sandbox/fails")["status"] == "failed"


def test_a_model_of_which_nothing_is_said_can_be_rehearsed(start: Start, tmp_path: Path) -> None:
    caller = start(offer=Offer.read(written(tmp_path / "models.json", {"data": [{"id": "acme/bare"}]})))
    answer = caller.http.post("/videos", json={"model": "acme/bare", "prompt": "a boat"})
    assert answer.status_code == 202, answer.text
    assert caller.look(answer.json()["id"])["usage"]["cost"] is None
    assert caller.http.get("/models?output_modalities=video").json()["data"][0]["created"] == 0
    assert caller.http.get("/models/acme/bare/endpoints").status_code == 200


def test_a_list_that_was_taken_from_a_sandbox_is_the_same_list(start: Start, tmp_path: Path) -> None:
    caller = start()
    listed = caller.http.get("/videos/models")
    taken = written(tmp_path / "models.json", listed.text)
    assert start(offer=Offer.read(taken)).http.get("/videos/models").json() == listed.json()


def test_a_job_outlives_the_list_that_had_its_model(start: Start, tmp_path: Path) -> None:
    job_id = start().job()["id"]
    later = start(offer=Offer.read(written(tmp_path / "models.json", {"data": [TOMORROW]})), speed=1e9)
    assert later.look(job_id)["usage"]["cost"] == 0.05
    assert later.http.get(f"/videos/{job_id}/content").status_code == 200
    assert later.http.get("/models/x-ai/grok-imagine-video/endpoints").status_code == 404


def test_what_windows_powershell_writes_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "models.json", {"data": [TOMORROW]}, encoding="utf-16")
    assert "acme/dream-9" in Offer.read(path).models


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("<html>", "is not JSON"),
        ("", "is not JSON"),
        ([], 'has no list of models under "data"'),
        ({"data": {}}, 'has no list of models under "data"'),
        ({"error": {"code": 500}}, 'has no list of models under "data"'),
        ({"data": []}, "has no model that can be used"),
        ({"data": [{"name": "x"}]}, "has no model that can be used"),
    ],
)
def test_a_file_that_is_no_list_is_refused_at_the_start(
    orvideo: Shell, tmp_path: Path, document: Any, said: str
) -> None:
    path = written(tmp_path / "models.json", document)
    done = orvideo("sandbox", "--models", str(path), "--port", "0", env={"COLUMNS": "400"})
    assert (done.code, done.out) == (2, "")
    assert f"{path} {said}; --models takes an answer of GET /videos/models." in done.err
    assert "curl -fsS https://openrouter.ai/api/v1/videos/models -o models.json" in done.err


def test_a_file_that_is_not_there_is_refused_at_the_start(orvideo: Shell, tmp_path: Path) -> None:
    done = orvideo("sandbox", "--models", str(tmp_path / "none.json"), "--port", "0", env={"COLUMNS": "400"})
    assert (done.code, done.out) == (2, "")
    assert "none.json cannot be read: " in done.err


def test_the_command_offers_the_models_of_the_file(orvideo: Shell, tmp_path: Path) -> None:
    path = written(tmp_path / "models.json", {"data": [TOMORROW]})
    child = orvideo.popen("sandbox", "--models", str(path), "--port", "0", "--json", stdout=-1, stderr=-3)
    assert child.stdout is not None
    try:
        where = json.loads(child.stdout.readline())
        listed = orvideo("models", "--json", env={"ORVIDEO_BASE_URL": where["base_url"]}).json
    finally:
        child.terminate()
        child.communicate(timeout=240)
    assert "acme/dream-9" in {model["id"] for model in listed}


def lines_of_the_page() -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    return [line.strip() for line in page.splitlines() if line.startswith("    curl ") and "/videos/models" in line]


@pytest.mark.parametrize("line", lines_of_the_page(), ids=["to-rehearse", "to-ship"])
def test_the_documented_lines_fetch_a_list(start: Start, tmp_path: Path, line: str) -> None:
    if not all(map(shutil.which, ("bash", "curl", "python3"))):
        pytest.skip("the lines of docs/sandbox.md are not run: they need the packages bash, curl and python3")
    base_url = start().sandbox.base_url
    (tmp_path / "orvideo" / "sandbox").mkdir(parents=True)
    environ = {**os.environ, "NO_PROXY": "127.0.0.1"}
    here = line.replace("https://openrouter.ai/api/v1", base_url)
    done = subprocess.run(
        ["bash", "-ec", here], cwd=tmp_path, env=environ, capture_output=True, encoding="utf-8", timeout=240
    )
    assert done.returncode == 0, done.stderr
    (written_file,) = tmp_path.rglob("models.json")
    assert Offer.read(written_file).models == Offer.shipped().models
