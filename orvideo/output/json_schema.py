"""The JSON Schema of all that orvideo writes as JSON: docs/schema.json, and what `orvideo help schema` prints.

No command needs this to run. The tests check what the commands write against it.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from orvideo.output import json_documents as documents
from orvideo.output import json_events as events
from orvideo.output import json_pictures as pictures

#: What stdout has under --json, by the words of the command; `Job | list[Job]` is an object for one job, else an array.
ANSWERS: dict[str, Any] = {
    "submit": documents.Job,
    "submit --dry-run": documents.DryRun,
    "status": list[documents.Job],
    "wait": documents.Job | list[documents.Job],
    "download": documents.Job | list[documents.Job],
    "models": list[documents.PricedModel] | list[documents.OfferedModel],
    "models ID": documents.Model,
    "jobs": list[documents.Job],
    "jobs list": list[documents.Job],
    "jobs --cost": list[documents.Spending],
    "jobs show": documents.ShownJob,
    "jobs show --request": dict[str, Any],
    "jobs show --receipt": list[str],
    "jobs adopt": documents.Job,
    "jobs forget": list[documents.Forgotten],
    "batch": documents.Batch,
    "join": documents.JoinedFilm,
    "batch --dry-run": documents.BatchPlan,
    "frame": pictures.Frame,
    "sheet": pictures.Sheet,
    "login": documents.Key,
    "logout": documents.LoggedOut,
    "whoami": documents.Key,
    "config list": list[documents.ListedSetting],
    "config get": documents.Setting,
    "config set": documents.StoredSetting,
    "config set api-key": documents.StoredKey,
    "config unset": documents.UnsetSetting,
    "config profiles": list[documents.Profile],
    "config path": documents.Folder,
    "doctor": list[documents.Check],
    "sandbox": documents.Sandbox,
    "sandbox --list-faults": list[documents.Fault],
    "completion install": documents.CompletionInstalled,
    "completion show": documents.CompletionScript,
    "help": list[str],
    "help exit-codes": list[documents.ExitCode],
    "help environment": list[documents.Variable],
    "help output": documents.Text,
    "help man": documents.Text,
    # And what is no answer of --json: a line of --events; under both, a failure on stderr.
    "--events": events.Event,
    "batch --events": events.BatchEvent,
    "on failure": documents.Error,
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of everything: each answer under `$defs` by its command, each object by its name."""
    answers = [(name, "serialization", TypeAdapter(kind)) for name, kind in ANSWERS.items()]
    by_answer, described = TypeAdapter.json_schemas(answers)  # type: ignore[arg-type]
    definitions = {name: by_answer[name, "serialization"] for name in ANSWERS} | described["$defs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The JSON of orvideo",
        "description": (
            "Under $defs: what a command prints under --json, by the command's words; `--events`, a line of that; "
            "`on failure`, stderr when a command fails under either. Times are ISO 8601 in UTC, amounts are USD, "
            "what is not known is null. Fields may be added; ignore those you do not know."
        ),
        "$defs": {name: _tidy(definition) for name, definition in definitions.items()},
    }


def _tidy(value: Any) -> Any:
    """Drop the titles, which repeat the names, and join what the source had to break into lines."""
    if isinstance(value, dict):
        return {
            key: " ".join(item.split()) if key == "description" and isinstance(item, str) else _tidy(item)
            for key, item in value.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_tidy(item) for item in value] if isinstance(value, list) else value
