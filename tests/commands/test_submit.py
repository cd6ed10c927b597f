"""`orvideo submit`, end to end against the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.shell import Shell

CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")


def test_the_line_that_must_always_work(orvideo: Shell, home: Path) -> None:
    done = orvideo("submit", "a paper boat drifts down a rainy street", "--wait", "-o", "boat.mp4", "--sandbox")
    assert (done.code, done.lines) == (0, ["boat.mp4"]), done.err
    assert (home / "boat.mp4").read_bytes()[4:8] == b"ftyp"


def test_stdout_is_the_id_alone_and_the_story_is_on_stderr(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", *CHEAP)
    assert done.code == 0
    assert len(done.lines) == 1
    assert f"submitted {done.lines[0]}" in done.err
    assert "$0.12" in done.err


def test_quiet_leaves_the_answer_alone(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "-q", *CHEAP)
    assert (done.code, done.err) == (0, "")
    assert len(done.lines) == 1


def test_json_is_one_job_document(orvideo: Shell, home: Path) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--json", "--wait", "-o", "boat.mp4", *CHEAP)
    assert done.code == 0, done.err
    job = done.json
    assert job["status"] == "completed"
    assert job["model"] == "google/veo-3.1-lite"
    assert job["prompt"] == "a boat"
    assert job["endpoint"] == "sandbox"
    assert job["cost_usd"] == 0.12
    assert job["quote"]["kind"] == "listed"
    assert job["quote"]["usd"] == 0.12
    assert [Path(output["path"]).name for output in job["outputs"]] == ["boat.mp4"]
    assert job["outputs"][0]["bytes"] == (home / "boat.mp4").stat().st_size
    assert job["request"]["duration"] == 4


def test_events_tell_the_life_of_a_job_a_line_at_a_time(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--events", "--wait", "-o", "boat.mp4", *CHEAP)
    events = [json.loads(line) for line in done.lines]
    names = [event["event"] for event in events]
    assert names[0] == "submitted"
    assert names[-1] == "ended"
    assert "saved" in names
    assert {"status"} <= set(names)
    assert all(event["job_id"] == events[0]["job_id"] for event in events)


@pytest.mark.parametrize("source", ["file", "stdin", "dash-file"])
def test_the_prompt_comes_from_a_file_or_from_stdin(orvideo: Shell, home: Path, source: str) -> None:
    prompt = "ein Boot aus Papier, 紙の船"
    (home / "prompt.txt").write_text(prompt + "\n", encoding="utf-8")
    line = {"file": ["--prompt-file", "prompt.txt"], "stdin": ["-"], "dash-file": ["--prompt-file", "-"]}[source]
    done = orvideo("submit", *line, "--sandbox", "--json", *CHEAP, stdin=prompt + "\n")
    assert done.json["prompt"] == prompt


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ([], "A prompt is needed"),
        (["", "--sandbox"], "The prompt is empty"),
        (["a boat", "--prompt-file", "x"], "one of them"),
        (["--prompt-file", "missing.txt"], "missing.txt cannot be read"),
        (["a boat", "--duration", "soon"], "--duration"),
        (["a boat", "--timeout", "soon"], "--timeout"),
        (["a boat", "--nonsense"], "No such option: --nonsense"),
        (["a boat", "--max-cost", "cheap"], "--max-cost"),
    ],
)
def test_a_bad_line_is_a_usage_error_and_sends_nothing(orvideo: Shell, line: list[str], says: str) -> None:
    done = orvideo("submit", *line)
    assert done.code == 2
    assert done.out == ""
    assert says in done.err
    assert done.err.startswith("error: ")
    assert orvideo("jobs", "--json").json == []


def test_no_key_is_an_authentication_error_with_the_way_out(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--json")
    assert done.code == 4
    assert done.error["kind"] == "auth"
    assert done.error["charged"] == "no"
    assert "orvideo login" in done.error["hint"]


def test_there_is_no_option_that_takes_a_key(orvideo: Shell) -> None:
    assert orvideo("submit", "a boat", "--api-key", "sk-or-v1-x").code == 2


@pytest.mark.drill("O01")
def test_an_existing_output_is_refused_before_anything_is_sent(orvideo: Shell, home: Path) -> None:
    (home / "boat.mp4").write_text("mine")
    done = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", *CHEAP)
    assert done.code == 13
    assert (home / "boat.mp4").read_text() == "mine"
    assert orvideo("jobs", "--json").json == []
    again = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", "--force", *CHEAP)
    assert again.code == 0, again.err
    assert (home / "boat.mp4").read_bytes()[4:8] == b"ftyp"


def test_what_the_model_cannot_do_is_refused_with_what_it_can(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "-m", "google/veo-3.1-lite", "-d", "99", "-r", "8K", "--json")
    assert done.code == 6
    assert "99" in done.error["message"]
    assert "4, 6, 8" in done.error["message"]
    assert "8K" in done.error["message"]
    assert "1080p" in done.error["message"]
    assert orvideo("jobs", "--json").json == []


def test_a_misspelt_model_gets_the_nearest(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "-m", "google/veo-3.1-light")
    assert done.code == 6
    assert "google/veo-3.1-lite" in done.err


def test_what_is_left_open_is_chosen_said_and_sent(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--dry-run", "-m", "google/veo-3.1-lite")
    assert done.code == 0
    assert done.json == {
        "model": "google/veo-3.1-lite",
        "prompt": "a boat",
        "duration": 4,
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "generate_audio": False,
    }
    assert "duration 4 s (shortest)" in done.err
    assert "resolution 720p (lowest)" in done.err
    assert "$0.12" in done.err


@pytest.mark.drill("M29")
def test_a_limit_is_kept_before_the_money_is_spent(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--max-cost", "0.10", "--json", *CHEAP)
    assert (done.code, done.error["kind"], done.error["charged"]) == (5, "money", "no")
    assert "$0.12" in done.error["message"]
    assert orvideo("jobs", "--json").json == []
    assert orvideo("submit", "a boat", "--sandbox", "--max-cost", "0.12", *CHEAP).code == 0


@pytest.mark.parametrize(
    ("model", "code", "word"),
    [
        ("sandbox/fails", 3, "failed"),
        ("sandbox/expires", 3, "expired"),
        ("sandbox/cancelled", 3, "cancelled"),
        ("sandbox/filtered", 12, "no output"),
    ],
)
def test_bad_days_end_with_their_own_codes(orvideo: Shell, home: Path, model: str, code: int, word: str) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", "-m", model, "--json")
    assert done.code == code, done.err
    assert word in done.error["message"]
    assert done.error["job_id"]
    assert not (home / "boat.mp4").exists()


def test_two_outputs_are_both_saved_and_numbered(orvideo: Shell, home: Path) -> None:
    done = orvideo("submit", "two boats", "--sandbox", "--wait", "-o", "boat.mp4", "-m", "sandbox/two-outputs")
    assert (done.code, done.lines) == (0, ["boat.mp4", "boat-2.mp4"]), done.err
    assert (home / "boat-2.mp4").read_bytes()[4:8] == b"ftyp"


def test_the_video_goes_to_a_pipe(orvideo: Shell) -> None:
    done = orvideo.process("submit", "a boat", "--sandbox", "--wait", "-o", "-", *CHEAP)
    assert done.code == 0, done.err
    assert "ftyp" in done.out[:12]


@pytest.mark.long
@pytest.mark.drill("M31")
def test_the_end_of_a_timeout_is_no_failure_and_says_how_to_go_on(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--wait", "--timeout", "15s", "-m", "sandbox/slow", "--json",
                   env={"ORVIDEO_SANDBOX_SPEED": "1"})  # fmt: skip
    assert (done.code, done.error["kind"], done.error["charged"]) == (8, "still_running", "yes")
    assert done.error["resume"] == f"orvideo wait {done.error['job_id']}"
    assert "again" not in done.error["message"]
