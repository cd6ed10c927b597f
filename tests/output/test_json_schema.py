"""The JSON that scripts rely on: every command's real output against the schema, closed to what it does not name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from orvideo.commands._app import build_app
from orvideo.output.json_schema import ANSWERS, schema
from orvideo.record.ledger import Ledger
from orvideo.record.values import Observation, Submission
from tests.clocks import HandClock
from tests.shell import KEY, Shell

ROOT = Path(__file__).parent.parent.parent
CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
ORDER = Submission({"model": "m", "prompt": "p"}, "https://openrouter.example/api/v1")
SCHEMA = schema()


def closed(value: Any) -> Any:
    """Return the schema as tests read it: a field that it does not name is a fault, and not an addition."""
    if isinstance(value, dict):
        shut = {key: closed(item) for key, item in value.items()}
        return (
            {**shut, "additionalProperties": value.get("additionalProperties", False)}
            if "properties" in value
            else shut
        )
    return [closed(item) for item in value] if isinstance(value, list) else value


CLOSED = {name: closed(definition) for name, definition in SCHEMA["$defs"].items()}


def check(document: Any, name: str) -> None:
    validator = jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{name.replace(' ', '%20')}", "$defs": CLOSED},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    faults = [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(document)]
    assert not faults, f"{name}: {faults}"


def test_the_schema_file_is_what_the_models_say() -> None:
    """To bring it up to date: orvideo help schema > docs/schema.json."""
    kept = json.loads((ROOT / "docs" / "schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(SCHEMA)), "orvideo help schema > docs/schema.json"


def test_the_schema_is_one(orvideo: Shell) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert orvideo("help", "schema").json == orvideo("help", "schema", "--json").json == json.loads(json.dumps(SCHEMA))


def test_every_command_that_takes_json_has_a_place_in_it() -> None:
    told = {name.partition(" -")[0] for name in ANSWERS} | {name.split(" ")[0] for name in ANSWERS}
    assert set(commands_with_json()) <= told


def commands_with_json() -> Iterator[str]:
    group = typer.main.get_command(build_app())
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        for words, one in [
            (name, command),
            *((f"{name} {sub}", c) for sub, c in getattr(command, "commands", {}).items()),
        ]:
            if any("--json" in parameter.opts for parameter in one.params):
                yield words


def test_each_field_is_said_to_be_there() -> None:
    for name, definition in SCHEMA["$defs"].items():
        assert set(definition.get("properties", ())) == set(definition.get("required", ())), name


def test_jobs(orvideo: Shell, home: Path) -> None:
    one = orvideo("submit", "a boat", "--sandbox", *CHEAP, "--json")
    check(one.json, "submit")
    check(orvideo("submit", "a boat", "--sandbox", *CHEAP, "--dry-run", "--json").json, "submit --dry-run")
    check(orvideo("submit", "a boat", "--sandbox", "-m", "sandbox/two-outputs", "--json").json, "submit")
    check(orvideo("status", "@1", "@2", "--json").json, "status")
    done = orvideo("wait", "@1", "-o", "boat.mp4", "--json").json
    check(done, "wait")
    assert len(done["outputs"]) == 2
    (home / "films").mkdir()
    check(orvideo("wait", "@1", "@2", "-o", "films/", "--json").json, "wait")
    check(orvideo("download", "@2", "-o", "again.mp4", "--receipt", "--json").json, "download")
    check(orvideo("jobs", "--json").json, "jobs")
    check(orvideo("jobs", "show", "@1", "--json").json, "jobs show")
    check(orvideo("jobs", "show", "@1", "--request", "--json").json, "jobs show --request")
    check(orvideo("jobs", "show", "@2", "--receipt", "--json").json, "jobs show --receipt")
    check(orvideo("jobs", "--cost", "model", "--json").json, "jobs --cost")
    forgotten = orvideo("jobs", "forget", "@1", "--json").json
    check(forgotten, "jobs forget")
    check(orvideo("jobs", "adopt", forgotten[0]["id"], "--sandbox", "--json").json, "jobs adopt")
    check(orvideo("jobs", "--json").json, "jobs")


def test_batch(orvideo: Shell, home: Path) -> None:
    rows = [{"prompt": "a boat"}, {"prompt": "a car", "name": "car", "model": "sandbox/fails"}]
    (home / "films.jsonl").write_text("".join(json.dumps({"model": CHEAP[1], **row}) + "\n" for row in rows))
    check(orvideo("batch", "films.jsonl", "--sandbox", "--dry-run", "--json").json, "batch --dry-run")
    told = [json.loads(line) for line in orvideo("batch", "films.jsonl", "--sandbox", "--events").lines]
    for event in told:
        check(event, "batch --events")
    assert {event["event"] for event in told} == {"planned", "submitted", "status", "ended", "batch_ended"}
    again = orvideo("batch", "films.jsonl", "--sandbox", "--json")
    check(again.json, "batch")
    check({"error": again.error}, "on failure")
    assert again.error["exit_code"] == again.code == 3


def test_models(orvideo: Shell) -> None:
    listed = orvideo("models", "--sandbox", "--json").json
    check(listed, "models")
    assert {type(one["usd_per_second"]) for one in listed} >= {float}
    check(orvideo("models", "--sandbox", "-d", "8", "--audio", "--json").json, "models")
    check(orvideo("models", "google/veo-3.1-lite", "--sandbox", "--json").json, "models ID")


def test_settings(orvideo: Shell) -> None:
    check(orvideo("config", "list", "--json", env={"ORVIDEO_TIMEOUT": "soon"}).json, "config list")
    check(orvideo("config", "set", "model", "a/b", "--json").json, "config set")
    check(orvideo("config", "get", "model", "--json").json, "config get")
    check(orvideo("config", "unset", "model", "--json").json, "config unset")
    check(orvideo("config", "path", "--json").json, "config path")
    check(orvideo("config", "set", "api-key", "--json", stdin=KEY).json, "config set api-key")


def test_a_key(orvideo: Shell) -> None:
    check(orvideo("login", "--with-key", "--json", stdin=KEY).json, "login")
    check(orvideo("logout", "--json").json, "logout")
    check(orvideo("whoami", "--sandbox", "--json").json, "whoami")


def test_pages(orvideo: Shell) -> None:
    check(orvideo("doctor", "--sandbox", "--json").json, "doctor")
    check(orvideo("doctor", "--json").json, "doctor")
    check(orvideo("sandbox", "--list-faults", "--json").json, "sandbox --list-faults")
    check(orvideo("help", "--json").json, "help")
    for page in ("exit-codes", "environment", "output"):
        check(orvideo("help", page, "--json").json, f"help {page}")


def test_completion(orvideo: Shell) -> None:
    check(orvideo("completion", "show", "fish", "--json").json, "completion show")
    check(orvideo("completion", "install", "fish", "--json").json, "completion install")


def test_a_sandbox_says_where_it_is(orvideo: Shell) -> None:
    child = orvideo.popen("sandbox", "--port", "0", "--json", stdout=-1, stderr=-3)
    assert child.stdout is not None
    try:
        check(json.loads(child.stdout.readline()), "sandbox")
    finally:
        child.terminate()
        child.communicate(timeout=240)


@pytest.mark.parametrize(
    "line",
    [
        ["submit"],
        ["submit", "--nonsense"],
        ["submit", "a boat"],
        ["submit", "a boat", "--sandbox", "--wait", "-m", "sandbox/fails"],
        pytest.param(
            ["submit", "a boat", "--sandbox", "--wait", "-m", "sandbox/slow", "--timeout", "15s"],
            marks=pytest.mark.long,
        ),
        ["submit", "a boat", "--sandbox", "-d", "99", *CHEAP[:2]],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("form", ["--json", "--events"])
@pytest.mark.drill("F-D11")
def test_d11_a_failure_is_one_object(orvideo: Shell, line: list[str], form: str) -> None:
    done = orvideo(*line, form, env={"ORVIDEO_SANDBOX_SPEED": "1"} if "--timeout" in line else {})
    documents = [json.loads(row) for row in done.err.splitlines() if row.startswith("{")]
    assert len(documents) == 1
    check(documents[0], "on failure")
    assert documents[0]["error"]["exit_code"] == done.code != 0


def test_a_submit_without_an_answer(orvideo: Shell) -> None:
    dead = {"OPENROUTER_API_KEY": KEY, "ORVIDEO_BASE_URL": "http://127.0.0.1:9/api/v1"}
    done = orvideo("submit", "a boat", *CHEAP, "--no-check", "--json", env=dead)
    check({"error": done.error}, "on failure")


@pytest.mark.drill("F-B11")
def test_the_answer_of_a_submit_of_unknown_outcome_is_shown(orvideo: Shell) -> None:
    raw = b'{"job": "\x1b[2J", "key": "sk-or-v1-0123456789abcdef", "more": "' + b"x" * 5000
    with Ledger(orvideo.home / "state/orvideo/jobs.db") as ledger:
        seq = ledger.prepare(ORDER)
        ledger.sending(seq)
        ledger.answered(seq, 202, raw)
        ledger.outcome_unknown(seq, "it has no id")
    shown = orvideo("jobs", "show", "@1", "--json").json
    check(shown, "jobs show")
    assert shown["answer"]["status"] == 202
    assert shown["answer"]["body"].startswith('{"job": "\x1b[2J", "key": "[key hidden]", "more": "xxx')
    page = orvideo("jobs", "show", "@1")
    assert r'answer:   HTTP 202: {"job": "\x1b[2J", "key": "[key hidden]"' in page.out
    assert max(map(len, page.lines)) < 2100


@pytest.mark.drill("F-B05")
def test_an_end_that_was_not_watched_is_not_told_as_one(orvideo: Shell) -> None:
    time = HandClock()
    with Ledger(orvideo.home / "state/orvideo/jobs.db", clock=time.clock()) as ledger:
        for number, seconds in ((1, 75), (2, 10)):
            seq = ledger.prepare(ORDER)
            ledger.sending(seq)
            ledger.submitted(seq, f"job-{number}", status="pending", generation_id=None, extra={})
            time.sleep(seconds)
            ledger.observed(seq, Observation("completed", final=True))
    shown = orvideo("jobs", "show", "job-1")
    assert "took:" not in shown.out
    assert re.search(r"^end seen: +2026-11-21T12:01:15Z", shown.out, re.MULTILINE)
    watched = orvideo("jobs", "show", "job-2")
    assert re.search(r"^took: +0:10$", watched.out, re.MULTILINE)
    assert [job["watched"] for job in orvideo("jobs", "--json").json] == [True, False]


def test_events(orvideo: Shell) -> None:
    lines = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", *CHEAP, "--events").lines
    orvideo("submit", "a boat", "--sandbox", "-m", "sandbox/fails")
    lines += orvideo("wait", "@1", "--events").lines
    lines += orvideo("wait", "@1", "@2", "--events").lines
    lines += orvideo("download", "@2", "-o", "again.mp4", "--events").lines
    events = [json.loads(line) for line in lines]
    for event in events:
        check(event, "--events")
    assert {event["event"] for event in events} == {"submitted", "status", "saved", "ended"}
    ends = {event["status"]: event for event in events if event["event"] == "ended"}
    assert ends["failed"]["error"]
    assert ends["completed"]["cost_usd"] == 0.12


def test_events_of_bad_days(orvideo: Shell) -> None:
    faults = ("--fault", "submit-429:1:1", "--fault", "poll-500:0.5")
    child = orvideo.popen("sandbox", "--port", "0", *faults, "--speed", "1000000", "--json", stdout=-1, stderr=-3)
    assert child.stdout is not None
    try:
        where = json.loads(child.stdout.readline())
        env = {"ORVIDEO_BASE_URL": where["base_url"], "OPENROUTER_API_KEY": where["key"]}
        done = orvideo("submit", "a boat", "--wait", *CHEAP, "--events", env=env)
    finally:
        child.terminate()
        child.communicate(timeout=240)
    events = [json.loads(line) for line in done.lines]
    for event in events:
        check(event, "--events")
    assert events[0]["event"] == "waiting"
