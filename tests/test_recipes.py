"""Every recipe of docs/recipes.md, run as it stands there, in a real shell against the sandbox."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from orvideo.sandbox.server import KEY as SANDBOX_KEY
from orvideo.sandbox.server import Sandbox
from tests.batch.bench import AT_ONCE
from tests.shell import KEY, SCRIPT, Shell

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
BLOCKS = {name: text for _, name, text in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)}
CHEAP = {"ORVIDEO_MODEL": "x-ai/grok-imagine-video", "ORVIDEO_DURATION": "1"}
#: Nobody listens there: nothing is ever accepted.
DEAD = {"ORVIDEO_SANDBOX": "0", "ORVIDEO_BASE_URL": "http://127.0.0.1:9/api/v1", "OPENROUTER_API_KEY": KEY}


@dataclass
class Desk:
    """A folder with the recipes' files in it, and a shell in which `orvideo` is the installed one."""

    home: Path
    shell: Shell
    #: The variables that lead to a sandbox of the test's own, as ORVIDEO_SANDBOX=1 would lead to one for each command.
    env: Mapping[str, str]

    def run(self, *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
        path = f"{SCRIPT.parent}:{os.environ['PATH']}"
        environ = {**self.shell.environ, "PATH": path, **CHEAP, **self.env, **(env or {})}
        done = subprocess.run(
            command, env=environ, cwd=cwd or self.home, capture_output=True, text=True, timeout=240, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.shell("jobs", "--json", "-n", "0").json
        return found

    def submit(self, prompt: str = "a boat", **env: str) -> str:
        code, out, err = self.run("orvideo", "submit", prompt, "-q", env=env)
        assert code == 0, err
        return out.strip()


@pytest.fixture
def desk(orvideo: Shell, home: Path) -> Iterator[Desk]:
    for name, text in BLOCKS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    with sandboxed(home / "sandbox") as env:
        yield Desk(home, orvideo, env)


@contextmanager
def sandboxed(folder: Path, **more: Any) -> Iterator[dict[str, str]]:
    with Sandbox(folder, **{"speed": AT_ONCE, **more}) as sandbox:
        yield {"ORVIDEO_SANDBOX": "0", "ORVIDEO_BASE_URL": sandbox.base_url, "OPENROUTER_API_KEY": SANDBOX_KEY}


@contextmanager
def service(
    desk: Desk, *faults: str, like: Mapping[str, str] | None = None, speed: float = AT_ONCE
) -> Iterator[dict[str, str]]:
    """Serve the sandbox, misbehaving, and yield the variables that lead there; `like` one before: at its place."""
    port = int(like["ORVIDEO_BASE_URL"].split(":")[2].split("/")[0]) if like else 0
    with sandboxed(desk.home / "service", port=port, speed=speed, faults=faults) as env:
        yield env


def is_film(path: Path) -> bool:
    return path.read_bytes()[4:8] == b"ftyp"


def test_every_block_of_the_page_has_a_name_and_a_test() -> None:
    assert len(BLOCKS) == PAGE.count("\n```") // 2
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in BLOCKS if name not in source] == []


# --- submit now, fetch tomorrow -------------------------------------------------------------------------------------


def test_submit_tonight_and_fetch_tomorrow(desk: Desk) -> None:
    assert desk.run("sh", "tonight.sh", "-a boat; $(touch pwned)")[0] == 0
    assert desk.run("sh", "tonight.sh", "another", env={"ORVIDEO_MODEL": "sandbox/fails"})[0] == 0
    fine, failed = (desk.home / "ids.txt").read_text().split()
    code, out, err = desk.run("sh", "tomorrow.sh")
    assert (code, out) == (3, f"films/{fine}.mp4\n")
    assert failed in err
    assert is_film(desk.home / "films" / f"{fine}.mp4")
    assert (desk.home / "ids.txt").read_text() == ""
    assert not (desk.home / "pwned").exists()
    assert desk.run("sh", "tomorrow.sh") == (0, "", "")


def test_what_is_not_done_tomorrow_is_left_for_the_day_after(desk: Desk) -> None:
    (desk.home / "tomorrow.sh").write_text(BLOCKS["tomorrow.sh"].replace("--timeout 10m", "--timeout 1s"))
    with service(desk, speed=1) as env:
        slow = {**env, "ORVIDEO_MODEL": "sandbox/slow"}
        assert desk.run("sh", "tonight.sh", "a boat", env=slow)[0] == 0
        assert desk.run("sh", "tomorrow.sh", env=slow)[0] == 8
    assert len((desk.home / "ids.txt").read_text().split()) == 1


def test_tonight_says_what_each_code_asks_for(desk: Desk) -> None:
    code, out, err = desk.run("sh", "tonight.sh", "a boat", env=DEAD)
    assert (code, out) == (7, "")
    assert "run this again" in err
    with service(desk, "lost-reply") as env:
        code, _, err = desk.run("sh", "tonight.sh", "a boat", env=env)
    assert code == 9
    assert "before you run this again" in err
    assert not (desk.home / "ids.txt").exists()


# --- make a video once ----------------------------------------------------------------------------------------------


def film(desk: Desk, **env: str) -> int:
    (desk.home / "boat.txt").write_text("a boat\n")
    return desk.run("sh", "film.sh", "boat.txt", "boat.mp4", env=env)[0]


def test_a_film_is_made_once(desk: Desk) -> None:
    assert film(desk) == film(desk) == 0
    assert is_film(desk.home / "boat.mp4")
    assert len(desk.jobs()) == 1
    assert sorted(path.name for path in desk.home.glob("boat*")) == ["boat.mp4", "boat.mp4.job", "boat.txt"]


def test_a_film_that_takes_long_is_gone_on_with_and_not_bought_again(desk: Desk) -> None:
    with service(desk, "poll-500:1") as env:
        assert film(desk, **env, ORVIDEO_TIMEOUT="15s") == 8
    with service(desk, "content-404", like=env):
        # Right after the end of a job that is waited out for half a minute.
        assert film(desk, **env, ORVIDEO_TIMEOUT="4s") == 10
    with service(desk, like=env):
        assert film(desk, **env) == 0
    assert is_film(desk.home / "boat.mp4")
    assert len(desk.jobs()) == 1


def test_a_film_that_failed_is_bought_by_the_next_run_alone(desk: Desk) -> None:
    assert film(desk, ORVIDEO_MODEL="sandbox/fails") == 3
    assert len(desk.jobs()) == 1
    assert film(desk) == 0
    assert len(desk.jobs()) == 2


def test_a_film_of_which_nothing_was_accepted_leaves_nothing(desk: Desk) -> None:
    assert film(desk, **DEAD) == 7
    assert not list(desk.home.glob("boat.mp4*"))
    assert film(desk, ORVIDEO_DURATION="99") == 6
    assert film(desk) == 0


def test_a_film_that_may_have_been_paid_for_stops_everything_until_a_person_has_looked(desk: Desk) -> None:
    with service(desk, "lost-reply") as env:
        assert film(desk, **env) == 9
        assert film(desk, **env) == 9
    assert len(desk.jobs()) == 1
    (desk.home / "boat.mp4.job.open").unlink()
    assert film(desk) == 0


def test_make_makes_each_film_once(desk: Desk) -> None:
    (desk.home / "films").mkdir()
    for name in ("one", "two"):
        (desk.home / "films" / f"{name}.txt").write_text(f"film {name}\n")
    assert desk.run("make", "-j", "2")[0] == 0
    assert is_film(desk.home / "films" / "one.mp4")
    os.utime(desk.home / "films" / "one.txt")
    code, out, _ = desk.run("make")
    assert code == 0
    assert "film.sh" not in out
    assert len(desk.jobs()) == 2
    assert BLOCKS["Makefile"].count("\t") == 1


def test_xargs_makes_many_at_a_time(desk: Desk) -> None:
    (desk.home / "films").mkdir()
    for name in ("one", "two and a half", "three"):
        (desk.home / "films" / f"{name}.txt").write_text(name)
    code, out, err = desk.run("sh", "many.sh")
    assert code == 0, err
    assert sorted(out.splitlines()) == ["films/one.mp4", "films/three.mp4", "films/two and a half.mp4"]
    assert sorted(job["prompt"] for job in desk.jobs()) == ["one", "three", "two and a half"]


def test_xargs_starts_no_more_when_there_is_no_money(desk: Desk) -> None:
    (desk.home / "films").mkdir()
    for number in range(12):
        (desk.home / "films" / f"{number}.txt").write_text("a film")
    assert desk.run("sh", "many.sh", env={"ORVIDEO_SANDBOX": "0", "OPENROUTER_API_KEY": ""})[0] == 124


# --- jq -------------------------------------------------------------------------------------------------------------

needs_jq = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq is not installed: its recipes were NOT run; the package jq would prove them"
)


@needs_jq
def test_jq_reads_the_documents(desk: Desk) -> None:
    lost = desk.submit("a\tsad boat", ORVIDEO_MODEL="sandbox/fails")
    desk.submit("a boat")
    assert desk.run("orvideo", "wait", "@1", "@2", "-q", "-o", "{id}.mp4")[0] == 3
    ((model, cost),) = [
        line.split("\t") for line in desk.run("sh", "spent.sh")[1].splitlines() if "sandbox" not in line
    ]
    assert model == "x-ai/grok-imagine-video"
    assert float(cost) > 0
    assert desk.run("sh", "failed.sh")[1].split("\t")[::2] == [lost, "a\\tsad boat\n"]
    code, out, err = desk.run("sh", "cheapest.sh")
    assert code == 0, err
    name, usd = out.split()
    assert "/" in name
    assert float(usd) > 0


@needs_jq
def test_jq_shows_which_command_goes_on(desk: Desk) -> None:
    with service(desk, speed=1) as env:
        name = desk.submit("a boat", **env, ORVIDEO_MODEL="sandbox/slow")
        assert desk.run("sh", "go-on.sh", env=env) == (0, f"orvideo wait {name}\n", "")


@needs_jq
def test_jq_finds_what_is_kept(desk: Desk) -> None:
    for name in ("one", "two", "three"):
        assert desk.run("orvideo", "submit", name, "-q", "--wait", "-o", f"{name}.mp4")[0] == 0
    assert desk.run("orvideo", "jobs", "mark", "1", "3", "--keep")[0] == 0
    assert desk.run("sh", "kept.sh")[::2] == (0, "")
    assert sorted(path.name for path in (desk.home / "kept").iterdir()) == ["one.mp4", "three.mp4"]


@needs_jq
def test_jq_follows_the_events(desk: Desk) -> None:
    for name in ("one", "two"):
        assert desk.run("orvideo", "submit", name, "-q", "-o", f"{name}.mp4")[0] == 0
    code, out, err = desk.run("sh", "as-they-come.sh")
    assert code == 0, err
    assert {line.split("/")[-1] for line in out.splitlines()} == {"one.mp4", "two.mp4"}


# --- the end of a job, a pipe, cron ---------------------------------------------------------------------------------


def test_a_command_at_the_end_of_each_job(desk: Desk) -> None:
    assert desk.run("orvideo", "submit", "a boat", "-q", "-o", "boat.mp4")[0] == 0
    lost = desk.submit("another", ORVIDEO_MODEL="sandbox/fails")
    assert desk.run("sh", "keep.sh")[0] == 3
    assert is_film(desk.home / "kept" / "boat.mp4")
    assert (desk.home / "kept" / "bad.txt").read_text().startswith(f"{lost}: failed: ")


@pytest.mark.skipif(
    shutil.which("ffmpeg") is None,
    reason="ffmpeg is not installed: its recipe was NOT run; the package ffmpeg would prove it",
)
def test_a_pipe_into_ffmpeg(desk: Desk) -> None:
    code, out, err = desk.run("bash", "gif.sh", "a boat", "boat.gif")
    assert (code, out, err) == (0, "", "")
    assert (desk.home / "boat.gif").read_bytes()[:6] == b"GIF89a"
    code, _, err = desk.run("bash", "gif.sh", "a boat", "no-such-folder/boat.gif")
    assert code != 0
    assert f"orvideo download {desk.jobs()[0]['id']}" in err


@needs_jq
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed: its recipe was NOT run")
def test_another_client_gets_its_film_from_the_sandbox(desk: Desk) -> None:
    assert desk.run("sh", "curl.sh", 'a "boat"', "boat.mp4") == (0, "", "")
    assert is_film(desk.home / "boat.mp4")


def cron(desk: Desk, **env: str) -> tuple[int, str, str]:
    """Run the line of the crontab as cron does: its own variables, little else, and /bin/sh."""
    lines = [line for line in BLOCKS["crontab"].splitlines() if line and "=" not in line.split()[0]]
    assert all(line.split()[:5] == ["*/10", "*", "*", "*", "*"] for line in lines)
    (command,) = (line.split(maxsplit=5)[5] for line in lines)
    assert "%" not in command, "cron takes it for the end of the line"
    (desk.home / "films").mkdir(exist_ok=True)
    shutil.copy(desk.home / "fetch.sh", desk.home / "films")
    return desk.run("/bin/sh", "-c", command, env=env)


def test_cron_is_silent_while_all_is_well(desk: Desk) -> None:
    targeted = desk.run("orvideo", "submit", "one", "-q", "-o", "one.mp4")[1].strip()
    other = desk.submit("two")
    assert cron(desk) == (0, "", "")
    assert is_film(desk.home / "one.mp4")
    assert [path.suffix for path in (desk.home / "films").glob("*.mp4")] == [".mp4"]
    assert {targeted, other} == {job["id"] for job in desk.jobs() if job["outputs"]}


def test_cron_tells_of_what_went_wrong(desk: Desk) -> None:
    lost = desk.submit("a boat", ORVIDEO_MODEL="sandbox/fails")
    code, out, _ = cron(desk)
    assert code == 0
    assert "ended with 3" in out
    assert lost in out


# --- CI -------------------------------------------------------------------------------------------------------------


def with_pip(desk: Desk) -> str:
    """Return a PATH whose pip has everything installed already: no test reaches for a registry."""
    stub = desk.home / "stub"
    stub.mkdir(exist_ok=True)
    (stub / "pip").write_text('#!/bin/sh\n[ "$*" = "install orvideo" ]\n')
    (stub / "pip").chmod(0o755)
    return f"{stub}:{SCRIPT.parent}:{os.environ['PATH']}"


def workspace(desk: Desk, name: str, kept: Path | None, patterns: list[str]) -> Path:
    """Return a fresh checkout, with what an earlier run kept put back."""
    folder = desk.home / name
    folder.mkdir()
    (folder / "boat.txt").write_text("a boat\n")
    shutil.copy(desk.home / "film.sh", folder)
    for pattern in patterns if kept else []:
        for path in kept.glob(pattern) if kept else ():
            (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    return folder


def github(desk: Desk, name: str, kept: Path | None, **env: str) -> tuple[int, str, Path]:
    """Run the steps of the workflow as a runner does: expressions filled in, `bash -e`, stop at the first failure."""
    job = yaml.safe_load(BLOCKS[".github/workflows/film.yml"])["jobs"]["film"]
    restored, saved = (
        step["with"]["path"].split() for step in job["steps"] if step.get("uses", "").startswith("actions/cache/")
    )
    assert restored == saved
    folder = workspace(desk, name, kept, restored)
    values = {"github.workspace": str(folder), "secrets.OPENROUTER_API_KEY": ""}

    def filled(variables: Mapping[str, Any]) -> dict[str, str]:
        return {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], str(value))
            for key, value in variables.items()
        }

    for step in job["steps"]:
        if "run" in step:
            variables = {"PATH": with_pip(desk), **filled(job["env"]), **filled(step.get("env", {})), **env}
            code, out, _ = desk.run("bash", "-e", "-c", step["run"], env=variables, cwd=folder)
            if code:
                return code, out, folder
    return 0, out, folder


def gitlab(desk: Desk, name: str, kept: Path | None, **env: str) -> tuple[int, str, Path]:
    """Run the job as a runner does: its variables, before_script and script in one shell with `set -eo pipefail`."""
    job = yaml.safe_load(BLOCKS[".gitlab-ci.yml"])["film"]
    folder = workspace(desk, name, kept, job["cache"]["paths"])
    variables = {key: value.replace("$CI_PROJECT_DIR", str(folder)) for key, value in job["variables"].items()}
    script = "\n".join(["set -eo pipefail", *job["before_script"], *job["script"]])
    code, out, _ = desk.run("bash", "-c", script, env={"PATH": with_pip(desk), **variables, **env}, cwd=folder)
    return code, out, folder


@pytest.mark.parametrize("runner", [github, gitlab])
def test_ci_makes_the_film_once_and_fails_with_the_right_code(desk: Desk, runner: Any) -> None:
    with service(desk, "poll-500:1") as env:
        code, out, first = runner(desk, "first", None, **env, ORVIDEO_TIMEOUT="15s")
    assert code == 8
    assert runner is gitlab or "::warning::" in out
    with service(desk, like=env):
        code, _, second = runner(desk, "second", first, **env)
    assert code == 0
    assert is_film(second / "boat.mp4")
    assert runner(desk, "third", second, **DEAD)[0] == 0
    state = {"ORVIDEO_STATE_DIR": str(desk.home / "third" / ".orvideo")}
    assert len(json.loads(desk.run("orvideo", "jobs", "--json", env=state)[1])) == 1


@pytest.mark.parametrize("runner", [github, gitlab])
def test_ci_tells_a_person_of_what_may_have_been_paid_for(desk: Desk, runner: Any) -> None:
    with service(desk, "lost-reply") as env:
        code, out, first = runner(desk, "first", None, **env)
        assert code == 9
        assert runner is gitlab or "::error::" in out
        assert runner(desk, "second", first, **env)[0] == 9


def test_gitlab_knows_which_codes_are_no_failure(desk: Desk) -> None:
    assert gitlab(desk, "away", None, **DEAD)[0] == 7
    job = yaml.safe_load(BLOCKS[".gitlab-ci.yml"])["film"]
    assert job["retry"]["exit_codes"] == [7]
    assert job["allow_failure"]["exit_codes"] == [8]
    assert job["cache"]["when"] == "always"
    assert shlex.split(job["script"][0]) == ["sh", "film.sh", "boat.txt", "boat.mp4"]
