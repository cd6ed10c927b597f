"""`orvideo __complete`: what it offers, and that nothing goes wrong whatever is on this disk."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orvideo.catalogue import cache
from orvideo.completion import answer
from orvideo.record.ledger import Ledger
from orvideo.record.values import Submission
from orvideo.settings.folders import CACHE, CONFIG, STATE, locate
from orvideo.settings.resolving import Settings
from tests.shell import COMMAND, KEY, own_folders

DEFAULT = "https://openrouter.ai/api/v1"
MODELS = [
    {
        "id": "a/one",
        "name": "One",
        "canonical_slug": "a/one-2026",
        "supported_durations": [10, 4],
        "supported_resolutions": ["1080p", "4K", "720p"],
        "supported_sizes": ["1280x720"],
    },
    {"id": "b/two", "supported_durations": [4], "supported_resolutions": None, "supported_aspect_ratios": ["16:9"]},
]


def surroundings(home: Path) -> dict[str, str]:
    """Return an environment in which all of orvideo's folders are below a home."""
    if sys.platform != "win32":
        return {"HOME": str(home)}
    return {"SYSTEMROOT": os.environ.get("SYSTEMROOT", ""), **own_folders(home)}


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return surroundings(home)


def shelve(environ: dict[str, str], models: list[object], endpoint: str = DEFAULT) -> Path:
    path = Path(locate(CACHE, environ), cache.file_name(endpoint))
    assert cache.write(path, models, datetime.now(UTC))
    return path


def offered(environ: dict[str, str], *arguments: str) -> dict[str, str]:
    lines = answer.complete(arguments, environ).splitlines()
    return dict(line.split("\t") for line in lines)


def process(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, "__complete", *arguments], env=environ, capture_output=True, check=False)


# --- models ----------------------------------------------------------------------------------------------------------


def test_models_are_offered_with_their_names(environ: dict[str, str]) -> None:
    shelve(environ, MODELS)
    assert offered(environ, "models", "", "submit") == {"a/one": "One", "b/two": ""}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["submit", "-m", "a/one"], ["4", "10"]),
        (["submit", "-ma/one"], ["4", "10"]),
        (["submit", "--model=b/two", "hi"], ["4"]),
        (["submit", "--model", '"a/one"'], ["4", "10"]),
        (["submit", "--model", "A/ONE-2026"], ["4", "10"]),
        (["submit", "-m", "b/two", "-m", "a/one"], ["4", "10"]),
        (["submit", "--", "-m", "b/two"], ["4", "10"]),
        (["submit"], ["4", "10"]),
        (["submit", "-m", "no/such"], []),
    ],
)
def test_durations_are_those_of_the_model_on_the_line(
    environ: dict[str, str], words: list[str], values: list[str]
) -> None:
    shelve(environ, MODELS)
    assert list(offered(environ, "durations", "", *words)) == values


def test_every_kind_of_value_comes_in_its_own_order(environ: dict[str, str]) -> None:
    shelve(environ, MODELS)
    assert list(offered(environ, "resolutions", "", "submit", "-m", "a/one")) == ["720p", "1080p", "4K"]
    assert list(offered(environ, "sizes", "", "submit")) == ["1280x720"]
    assert offered(environ, "aspect-ratios", "", "submit") == {"16:9": "b/two"}
    assert offered(environ, "durations", "", "models") == {"4": "2 models", "10": "a/one"}


def test_the_model_of_the_settings_counts_where_a_job_is_submitted(environ: dict[str, str]) -> None:
    shelve(environ, MODELS)
    environ["ORVIDEO_MODEL"] = "b/two"
    assert list(offered(environ, "durations", "", "submit")) == ["4"]
    assert list(offered(environ, "durations", "", "models")) == ["4", "10"]


def test_settings_have_values_too(environ: dict[str, str]) -> None:
    shelve(environ, MODELS)
    assert list(offered(environ, "setting-values", "", "config", "set", "model")) == ["a/one", "b/two"]
    assert list(offered(environ, "setting-values", "", "config", "set", "sandbox")) == ["yes", "no"]
    assert offered(environ, "setting-values", "", "config", "set", "api-key") == {}


def test_the_list_is_that_of_the_service_that_the_line_would_ask(environ: dict[str, str]) -> None:
    shelve(environ, [{"id": "open/router"}])
    shelve(environ, [{"id": "sand/box"}], "sandbox")
    shelve(environ, [{"id": "my/own"}], "http://127.0.0.1:8787/api/v1")
    assert list(offered(environ, "models", "", "submit")) == ["open/router"]
    assert list(offered(environ, "models", "", "submit", "--sandbox")) == ["sand/box"]
    assert list(offered({**environ, "ORVIDEO_SANDBOX": "yes"}, "models", "")) == ["sand/box"]
    assert list(offered({**environ, "ORVIDEO_BASE_URL": "http://127.0.0.1:8787/api/v1/"}, "models", "")) == ["my/own"]


# --- the same as the settings say ------------------------------------------------------------------------------


def test_folders_are_those_of_the_settings(environ: dict[str, str], home: Path) -> None:
    # On Windows XDG's variables mean nothing, and the record is where `surroundings` says.
    environ |= {"ORVIDEO_CACHE_DIR": str(home / "cached"), "XDG_STATE_HOME": str(home / "state")}
    assert cache.write(home / "cached" / cache.file_name(DEFAULT), MODELS, datetime.now(UTC))
    with Ledger(home / "state/orvideo/jobs.db") as ledger:
        submitted(ledger, "job1")
    assert list(offered(environ, "models", "", "submit")) == ["a/one", "b/two"]
    assert list(offered(environ, "jobs", "")) == ["job1"]


STORES = [
    "",
    'base-url = "https://a.example/api/v1"\nmodel = "a/one"\n',
    "base-url='https://A.example/api/v1/'   # mine\nsandbox = true # not now\n",
    'sandbox = false\n"model" = "x/y"\n',
    'sandbox = "on"\nmodel = "a#b"\n',
    '[other]\nmodel = "no"\nsandbox = true\n',
    'title = """\nmodel = "no"\n"""\nmodel = "yes/it-is"\n',
    'base-url = "https://a.example:443/v1"\n',
    'not-a-model = "x"\nmodel = "y/z"\n',
]
VARIABLES: list[dict[str, str]] = [
    {},
    {"ORVIDEO_BASE_URL": "https://b.example/v1"},
    {"OPENROUTER_BASE_URL": " HTTPS://C.example/api/v1/ ", "ORVIDEO_BASE_URL": " "},
    {"ORVIDEO_SANDBOX": "0", "ORVIDEO_MODEL": "e/f"},
]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("variables", VARIABLES)
def test_endpoint_and_model_are_those_of_the_settings(home: Path, store: str, variables: dict[str, str]) -> None:
    environ = {**surroundings(home), **variables}
    folder = Path(locate(CONFIG, environ))
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(store, encoding="utf-8")
    settings = Settings(environ)
    endpoint = "sandbox" if settings.sandbox else settings.base_url
    assert answer._endpoint(["submit"], environ) == endpoint
    assert answer._chosen_model(["submit"], environ) == settings.get("model").value


# --- jobs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(environ: dict[str, str]) -> Iterator[Ledger]:
    with Ledger(Path(locate(STATE, environ), "jobs.db")) as ledger:
        yield ledger


def submitted(ledger: Ledger, name: str, prompt: str = "a boat") -> None:
    seq = ledger.prepare(Submission(request={"model": "a/one", "prompt": prompt}, endpoint=DEFAULT))
    ledger.sending(seq)
    ledger.submitted(seq, name, status="pending", generation_id=None, extra={})


def test_jobs_are_offered_newest_first(environ: dict[str, str], ledger: Ledger) -> None:
    for number in range(40):
        submitted(ledger, f"job{number:02}", f"boat {number}")
    found = offered(environ, "jobs", "")
    assert list(found)[:2] == ["job39", "job38"]
    assert len(found) == answer.MAX_JOBS
    assert found["job39"] == "pending: boat 39"
    assert list(offered(environ, "jobs", "job0")) == [f"job{number:02}" for number in range(10)]
    by_place = offered(environ, "jobs", "@")
    assert (by_place["@1"], by_place["@2"], by_place["@last"]) == (
        "pending: boat 39",
        "pending: boat 38",
        "pending: boat 39",
    )


@pytest.mark.drill("W36")
def test_where_a_video_is_asked_for_jobs_and_files_are_offered(
    environ: dict[str, str], ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for name in ("boat.mp4", "boat.png", "cat.webm", "clips/one.mp4", "clips/text.txt", "two words.mp4"):
        (tmp_path / name).touch()
    submitted(ledger, "job1")
    assert list(offered(environ, "videos", "")) == ["job1", "boat.mp4", "cat.webm"]
    assert list(offered(environ, "videos", "bo")) == ["boat.mp4"]
    assert list(offered(environ, "videos", "jo")) == ["job1"]
    assert list(offered(environ, "videos", "cl")) == ["clips/"]
    assert list(offered(environ, "videos", "clips/")) == ["clips/one.mp4"]
    assert list(offered(environ, "videos", "clips//o")) == ["clips//one.mp4"], "what is typed stays as it is"
    if os.altsep:
        assert list(offered(environ, "videos", "clips\\o")) == ["clips\\one.mp4"]


def test_a_job_without_an_id_is_offered_by_its_local_name(environ: dict[str, str], ledger: Ledger) -> None:
    seq = ledger.prepare(Submission(request={"prompt": "lost"}, endpoint=DEFAULT))
    ledger.sending(seq)
    ledger.outcome_unknown(seq, "no answer")
    handle = ledger.get(seq).handle
    assert offered(environ, "jobs", "") == {handle: "outcome_unknown: lost"}
    assert list(offered(environ, "jobs", handle[:6])) == [handle]


@pytest.mark.parametrize("query", [answer.NEWEST, answer.BY_PREFIX])
def test_the_question_is_answered_by_an_index(ledger: Ledger, query: str) -> None:
    with sqlite3.connect(ledger.path) as connection:
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + query, [0] * query.count("?"))]
    connection.close()
    assert not any("TEMP B-TREE" in step for step in plan)
    assert all("USING" in step for step in plan if step.startswith("SEARCH"))
    assert query is answer.NEWEST or not any(step.startswith("SCAN") for step in plan)


def test_a_record_in_use_is_read_and_left_as_it_is(environ: dict[str, str], ledger: Ledger) -> None:
    submitted(ledger, "job1")
    before = ledger.path.read_bytes()
    with sqlite3.connect(ledger.path, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert list(offered(environ, "jobs", "")) == ["job1"]
        writer.execute("ROLLBACK")
    writer.close()
    assert ledger.path.read_bytes() == before


# --- never a complaint -----------------------------------------------------------------------------------------------


def test_nothing_is_made_where_nothing_is(environ: dict[str, str], home: Path) -> None:
    for kind in answer.COMPLETERS:
        done = process(environ, kind, "", "submit")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["jobs"], ["durations", "", "-m"], ["models", "\udcff"], ["setting-values"]]
)
def test_a_line_of_any_shape_has_no_trouble_to_show(environ: dict[str, str], arguments: list[str]) -> None:
    done = process(environ, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"[1]", b'{"version": 1, "models": [null, {"id": 3}]}', b"\xff\xfe"]
)
def test_a_broken_cache_and_record_have_no_trouble_to_show(environ: dict[str, str], content: bytes) -> None:
    path = shelve(environ, MODELS)
    path.write_bytes(content)
    record = Path(locate(STATE, environ), "jobs.db")
    record.parent.mkdir(parents=True)
    record.write_bytes(content)
    for kind in ("models", "durations", "jobs"):
        done = process(environ, kind, "")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert record.read_bytes() == content


def test_settings_that_cannot_be_read_have_no_trouble_to_show(environ: dict[str, str]) -> None:
    shelve(environ, MODELS)
    config = Path(locate(CONFIG, environ), "config.toml")
    config.parent.mkdir(parents=True)
    for content in ("model = ", 'base-url = "ftp://x"'):
        config.write_text(content)
        done = process(environ, "models", "", "submit")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_no_home_and_no_reader_have_no_trouble_to_show(environ: dict[str, str]) -> None:
    assert process({}, "models", "").stderr == b""
    shelve(environ, MODELS)
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "__complete", "models"], env=environ, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.drill("T01")
def test_what_came_from_elsewhere_is_words_and_single_lines(environ: dict[str, str], ledger: Ledger) -> None:
    nasty = "\x1b]52;c;x\x07 one\ttwo\nthree \u202e\x9b31m"
    names = ["-rf", "~root", "a b", "a\tb", "a\nb", "x\u202ey", "\x1b[31m", "", "y" * 300, "good/one"]
    shelve(environ, [{"id": name, "name": nasty} for name in names])
    assert offered(environ, "models", "") == {"good/one": "]52;c;x one two three 31m"}
    submitted(ledger, "job1", nasty * 50)
    output = answer.complete(["jobs", ""], environ)
    assert output.count("\n") == 1
    assert output.rstrip("\n").replace("\t", "").isprintable()
    assert len(output) < 100


@pytest.mark.drill("K12")
def test_the_key_is_nowhere_in_what_is_offered(environ: dict[str, str], ledger: Ledger) -> None:
    environ["OPENROUTER_API_KEY"] = KEY
    shelve(environ, MODELS)
    submitted(ledger, "job1")
    for kind in answer.COMPLETERS:
        assert KEY.encode() not in process(environ, kind, "", "config", "set", "model").stdout


def test_the_record_stays_private(environ: dict[str, str], ledger: Ledger) -> None:
    submitted(ledger, "job1")
    ledger.close()
    process(environ, "jobs", "")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in ledger.path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, json.dumps(modes)


@pytest.mark.drill("G3")
def test_g3_a_blank_is_an_empty_word_as_powershell_has_to_say_it(environ: dict[str, str], ledger: Ledger) -> None:
    submitted(ledger, "job1")
    assert offered(environ, "jobs", " ", "status") == offered(environ, "jobs", "", "status") != {}
