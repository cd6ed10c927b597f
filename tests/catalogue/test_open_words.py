"""Aspect ratios, sizes and resolutions are open: what the catalogue lists is right, whatever its form (C12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orvideo.catalogue.choices import fill
from orvideo.catalogue.fit import check
from orvideo.catalogue.quote import quote
from tests.catalogue.shelf import FIRST, MODELS, ask, invented
from tests.drills.service import Looks, models_with, service, surroundings
from tests.shell import Shell

drill = pytest.mark.drill
pytestmark = drill("F-C12")
MODEL = "google/veo-3.1-lite"
WORDS = {"aspect_ratio": "adaptive", "resolution": "8K HDR", "size": "source"}
FLAGS = {"aspect_ratio": "--aspect-ratio", "resolution": "--resolution", "size": "--size"}


@pytest.fixture
def listing(orvideo: Shell) -> Iterator[Shell]:
    """A shell at a service whose model lists words where others list numbers."""
    models = models_with(**{f"supported_{name}s": [word, "16:9"] for name, word in WORDS.items()})
    with service(looks=Looks(models=models)) as server:
        orvideo.environ |= surroundings(server)
        yield orvideo


@pytest.mark.parametrize("name", WORDS)
def test_c12_what_the_catalogue_lists_is_right_wherever_it_is_said(listing: Shell, home: Path, name: str) -> None:
    word = WORDS[name]
    said = json.dumps({"model": MODEL, "prompt": "a boat", name: word.upper()})
    (home / "one.json").write_text(said)
    (home / "rows.jsonl").write_text(said + "\n")
    (home / "rows.csv").write_text(f"prompt,{name}\na boat,{word}\n")
    line = ("a boat", "-m", MODEL, "--dry-run")
    lines: list[tuple[str, ...]] = [
        ("submit", *line, FLAGS[name], word),
        ("submit", "--request", "one.json", "--dry-run"),
        ("batch", "rows.jsonl", "--dry-run"),
        ("batch", "rows.csv", "-m", MODEL, "--dry-run"),
    ]
    if name != "size":
        assert listing("config", "set", name.replace("_", "-"), word).code == 0
        lines.append(("submit", *line))
    for words in lines:
        done = listing(*words)
        assert done.code == 0, (words, done.err)
        assert json.loads(done.out)[name] == word, words
    assert MODEL in listing("models", FLAGS[name], word, "--json").out


@pytest.mark.parametrize(
    ("flag", "value"), [("-a", "adaptive"), ("-a", "wide as it is"), ("-r", "8K"), ("--size", "1280*720")]
)
def test_c12_what_it_does_not_list_is_refused_unless_nothing_is_checked(orvideo: Shell, flag: str, value: str) -> None:
    with service() as server:
        orvideo.environ |= surroundings(server)
        line = ("submit", "a boat", "-m", MODEL, "--dry-run", "--json", flag, value)
        refused = orvideo(*line)
        assert refused.code == 6, refused.err
        assert value in refused.err
        done = orvideo(*line, "--no-check")
    assert done.code == 0, done.err
    assert value in done.json["request"].values()


@pytest.mark.parametrize(
    ("stated", "fields", "says"),
    [
        ({"supported_aspect_ratios": None}, {"aspect_ratio": "adaptive"}, "is not an aspect ratio"),
        ({"supported_aspect_ratios": []}, {"aspect_ratio": "5:4"}, None),
        ({"supported_sizes": None}, {"size": "1280*720"}, "is not a size"),
        ({"supported_sizes": ["auto"]}, {"size": "AUTO"}, None),
        ({"supported_sizes": ["auto"]}, {"size": "1280*720"}, "does not offer the size"),
        ({"supported_aspect_ratios": ["adaptive"]}, {"aspect_ratio": "adaptive", "size": "854x480"}, None),
    ],
)
def test_c12_the_form_counts_where_nothing_is_listed(
    stated: dict[str, Any], fields: dict[str, Any], says: str | None
) -> None:
    messages = [problem.message for problem in check(invented(**stated), ask("acme/one", **fields))]
    assert len(messages) == (says is not None)
    assert says is None or says in messages[0]


def test_c12_a_word_is_chosen_where_a_picture_says_the_shape() -> None:
    model = invented(supported_aspect_ratios=["adaptive", "9:16", "16:9"])
    assert fill(model, ask("acme/one"))[0].aspect_ratio == "16:9"
    for fields in ({"frame_images": [FIRST]}, {"previous_job_id": "x"}):
        assert fill(model, ask("acme/one", **fields), frame=(10, 20))[0].aspect_ratio == "adaptive"
    assert fill(invented(supported_aspect_ratios=["adaptive", "9:16"]), ask("acme/one"))[0].aspect_ratio == "9:16"
    assert fill(invented(supported_aspect_ratios=["adaptive"]), ask("acme/one"))[0].aspect_ratio == "adaptive"


def test_c12_a_word_is_priced_as_the_dearest_of_the_shapes() -> None:
    model = MODELS["bytedance/seedance-2.0-mini"]
    shapes = model.supported_aspect_ratios or []
    fields = {"duration": 4, "resolution": "480p", "generate_audio": False}
    each = [quote(model, ask(model.id, aspect_ratio=shape, **fields)).usd for shape in shapes]
    word = quote(model, ask(model.id, aspect_ratio="adaptive", **fields))
    assert (word.kind, word.high) == ("about", max(usd for usd in each if usd is not None))
