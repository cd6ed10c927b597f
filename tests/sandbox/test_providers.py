"""Provider options: which reach the provider, and what is said of those that are dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openrouter.components import ProviderOptions

from orvideo.sandbox.offer import Offer
from orvideo.sandbox.providers import provider_of
from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Start
from tests.shell import Shell

SEEDANCE: dict[str, Any] = {"model": "bytedance/seedance-2.0", "prompt": "a boat", "duration": 4, "resolution": "480p"}


def forwarded(start: Start, options: dict[str, Any], **body: Any) -> tuple[Any, list[str]]:
    """Return what reached the provider of a request with these options, and what was said meanwhile."""
    notes: list[str] = []
    caller = start(on_note=notes.append)
    answer = caller.submit(**{**SEEDANCE, "provider": {"options": options}, **body})
    assert answer.status_code == 202, answer.text
    kept = caller.sandbox.studio.job(answer.json()["id"])
    return (kept.request.get("provider") or {}).get("parameters"), notes


@pytest.mark.parametrize(
    "block",
    [
        {"watermark": False, "req_key": "x"},
        {"parameters": {"watermark": False, "req_key": "x"}},
        {"watermark": False, "parameters": {"req_key": "x"}},
        {"watermark": True, "parameters": {"watermark": False, "req_key": "x"}},
    ],
    ids=["flat", "nested", "both", "twice"],
)
def test_options_are_understood_in_both_forms(start: Start, block: dict[str, Any]) -> None:
    assert forwarded(start, {"seed": block}) == ({"watermark": False, "req_key": "x"}, [])


def test_what_is_dropped_is_said(start: Start) -> None:
    options = {
        "byteplus": {"watermark": False},
        "seed": {"watermark": True, "mood": 1, "parameters": {"wet": 1, "req_key": "k"}},
    }
    kept, notes = forwarded(start, options, sead=7, provider={"options": options, "only": ["seed"]})
    assert kept == {"watermark": True, "req_key": "k"}
    takes = "bytedance/seedance-2.0 takes req_key, watermark"
    assert notes == [
        "dropped sead: an unknown key",
        "dropped provider.only: an unknown key",
        "dropped provider.options.byteplus: bytedance/seedance-2.0 is served by seed",
        f"dropped provider.options.seed.mood: {takes}",
        f"dropped provider.options.seed.parameters.wet: {takes}",
    ]


@pytest.mark.parametrize("block", [{"mood": 1}, {"parameters": {"mood": 1}}, {"parameters": 7}, {}])
def test_a_model_without_options_takes_none(start: Start, block: dict[str, Any]) -> None:
    kept, notes = forwarded(start, {"xai": block}, model="x-ai/grok-imagine-video")
    assert kept is None
    assert [note.endswith(": x-ai/grok-imagine-video takes no options") for note in notes] == [True] * len(block)


def test_nothing_is_said_of_a_request_that_is_refused(start: Start) -> None:
    notes: list[str] = []
    assert start(on_note=notes.append).submit(sead=7, duration=99).status_code == 400
    assert notes == []


def test_every_slug_is_one_that_the_official_sdk_lists_but_klings() -> None:
    listed = {field.alias or name for name, field in ProviderOptions.model_fields.items()}
    unlisted = {
        model.id.partition("/")[0] for model in Offer.shipped().models.values() if provider_of(model)[1] not in listed
    }
    assert unlisted == {"kwaivgi"}


def test_the_command_says_what_was_dropped(orvideo: Shell) -> None:
    child = orvideo.popen("sandbox", "--port", "0", "--json", stdout=-1, stderr=-1)
    assert child.stdout is not None
    try:
        where = json.loads(child.stdout.readline())
        env = {"ORVIDEO_BASE_URL": where["base_url"], "OPENROUTER_API_KEY": KEY}
        param = ["--param", "byteplus:watermark=false"]
        done = orvideo("submit", "a boat", "-m", SEEDANCE["model"], "-d", "4", *param, "--yes", env=env)
    finally:
        child.terminate()
        said = child.communicate(timeout=240)[1]
    assert done.code == 0, done.err
    assert "dropped provider.options.byteplus: bytedance/seedance-2.0 is served by seed" in " ".join(
        said.decode().split()
    )
