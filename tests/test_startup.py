"""Which modules each way to start loads: what makes a start slow is seen here, not in a time that a machine gives.

Every case runs in an interpreter of its own; what is loaded after it ended is the list.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orvideo.record.ledger import Ledger
from orvideo.settings.folders import STATE, locate
from tests.completion import test_answer

#: What costs most, by the name of its package.
HEAVY = {"httpx", "pydantic", "rich", "sqlite3", "typer", "av", "falcon", "platformdirs", "tomlkit", "asyncio"}
#: What costs a tenth of an interpreter's start or more and is easily pulled in.
LIGHT = {"dataclasses", "inspect", "typing", "pathlib", "tempfile", "datetime", "argparse", "logging", "urllib"}

_RUN = """
import os, sys
out, sys.argv = sys.argv[1], ["orvideo", *sys.argv[2:]]
def dump():
    with open(out, "w") as file:
        file.write("\\n".join(sys.modules))
leave = os._exit
os._exit = lambda code: (dump(), leave(code))
try:
    from orvideo.__main__ import run
    run()
finally:
    dump()
"""


def loaded(home: Path, *arguments: str, env: Mapping[str, str] | None = None, code: int = 0) -> set[str]:
    """Return the modules that a command line had loaded in the end; it must end with `code`."""
    out = home / "modules"
    surroundings = test_answer.surroundings(home)
    environ = {**surroundings, "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.defpath, **(env or {})}
    # -S and -I would change what is measured; a clean environment is enough.
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(out), *arguments], env=environ, cwd=home, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr.decode()
    return set(out.read_text().splitlines())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What an interpreter of this environment has loaded when it has done nothing (editable installs add to it)."""
    folder = tmp_path_factory.mktemp("bare")
    done = subprocess.run(
        [sys.executable, "-c", "import sys; print('\\n'.join(sys.modules))"],
        env={"HOME": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.fixture
def jobs(home: Path) -> Path:
    environ = test_answer.surroundings(home)
    with Ledger(Path(locate(STATE, environ), "jobs.db")) as ledger:
        test_answer.submitted(ledger, "job1")
    test_answer.shelve(environ, [{"id": "a/one"}])
    return home


def test_the_version_loads_nothing(home: Path, bare: set[str]) -> None:
    assert loaded(home, "--version") - bare <= {"orvideo", "orvideo.__main__"}


def test_tab_for_models_loads_a_json_reader_and_nothing_else(jobs: Path, bare: set[str]) -> None:
    found = loaded(jobs, "__complete", "models", "", "submit") - bare
    assert not found & (HEAVY | LIGHT)
    assert {name for name in found if name.startswith("orvideo")} == {
        "orvideo", "orvideo.__main__", "orvideo.completion", "orvideo.completion.answer", "orvideo.settings",
        "orvideo.settings.folders", "orvideo.catalogue", "orvideo.catalogue.cache",
    }  # fmt: skip
    assert {"json", "re"} <= found


@pytest.mark.parametrize("prefix", ["", "jo", "@"])
def test_tab_for_jobs_loads_sqlite_and_nothing_else(jobs: Path, bare: set[str], prefix: str) -> None:
    found = loaded(jobs, "__complete", "jobs", prefix) - bare
    assert "sqlite3" in found
    assert not found & (HEAVY - {"sqlite3"} | LIGHT - {"datetime"})
    assert "json" not in found
    assert {name for name in found if name.startswith("orvideo")} == {
        "orvideo", "orvideo.__main__", "orvideo.completion", "orvideo.completion.answer", "orvideo.settings",
        "orvideo.settings.folders",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["--help", "-h", "", "submit --help", "wait --help", "doctor --help", "status -h"])
def test_help_in_a_pipe_is_typer_and_plain_text(home: Path, bare: set[str], line: str) -> None:
    found = loaded(home, *line.split()) - bare
    assert "typer" in found
    assert not found & (HEAVY - {"typer"})


def test_the_help_of_one_command_loads_that_command_alone(home: Path) -> None:
    found = loaded(home, "wait", "--help")
    commands = {name for name in found if name.startswith("orvideo.commands.")}
    assert "orvideo.commands.wait" in commands
    assert not commands & {f"orvideo.commands.{name}" for name in ("submit", "batch", "models", "doctor", "sandbox")}


def test_a_usage_error_costs_no_more_than_a_command(home: Path, bare: set[str]) -> None:
    found = loaded(home, "submit", "--nonsense", code=2) - bare
    assert not found & (HEAVY - {"typer"})


@pytest.mark.parametrize("line", ["jobs", "jobs --json", "jobs show job1", "jobs --cost model"])
def test_the_record_in_a_pipe_needs_no_client_and_no_rich(jobs: Path, bare: set[str], line: str) -> None:
    found = loaded(jobs, *line.split()) - bare
    assert "sqlite3" in found
    # A choice that is given is Typer's to convert, and 0.29 does it with pydantic.
    converted = {"pydantic"} if "--cost" in line else set()
    assert not found & (HEAVY - {"typer", "sqlite3", "platformdirs"} - converted)
    assert not {name for name in found if name.startswith(("orvideo.api.client", "orvideo.api.schemas"))}


@pytest.mark.parametrize("line", ["config path", "config get timeout", "help exit-codes", "completion show bash"])
def test_what_needs_no_record_opens_none(home: Path, bare: set[str], line: str) -> None:
    found = loaded(home, *line.split()) - bare
    assert not found & {"httpx", "rich", "sqlite3", "av", "falcon"}


@pytest.mark.parametrize("line", ["jobs", "config path", "config get timeout", "submit --help", "__complete jobs"])
def test_what_needs_no_key_asks_nobody_for_it(jobs: Path, line: str) -> None:
    assert not loaded(jobs, *line.split()) & {"keyring", "orvideo.settings.key_ring", "orvideo.settings.key_command"}


def test_a_submit_loads_the_wire_and_not_the_drawing(jobs: Path, bare: set[str]) -> None:
    # Nobody listens at this address: everything up to the first byte is done, and then the line ends (7).
    endpoint = "http://127.0.0.1:9/api/v1"
    models = json.loads((Path(__file__).parents[1] / "orvideo/sandbox/models.json").read_text(encoding="utf-8"))
    entries = models["data"] if isinstance(models, dict) else models
    test_answer.shelve(test_answer.surroundings(jobs), entries, endpoint)
    env = {"ORVIDEO_BASE_URL": endpoint, "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef"}
    found = loaded(jobs, "submit", "a boat", "-m", entries[0]["id"], "-q", env=env, code=7) - bare
    assert {"typer", "httpx", "sqlite3"} <= found
    # pydantic reads what few commands ask for; what a purchase brings is read without it. The sandbox, its films, and
    # rich are no part of it; click and rich come with httpx where a click is installed.
    with_click = {"rich"} if "click" in found else set()
    assert not found & ({"av", "falcon", "pydantic", "rich", "tomlkit", "PIL", "asyncio"} - with_click)
    assert not {name for name in found if name.startswith("orvideo.sandbox")}
