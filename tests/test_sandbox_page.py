"""Every block of docs/sandbox.md, run as it stands there, against `orvideo sandbox` as the page starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orvideo.sandbox.faults import FAULTS
from orvideo.sandbox.server import KEY
from tests.shell import SCRIPT, Shell

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
BLOCKS = {name: text for _, name, text in re.findall(r"^```(\w+) (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)}
#: Modules that another package manager has put here: the folders in which Node and Go look for them.
NODE_SDK = "@openrouter/sdk"
GO_SDK = "github.com/OpenRouterTeam/go-sdk"


def environ(shell: Shell) -> dict[str, str]:
    return {**shell.environ, "PATH": f"{SCRIPT.parent}:{os.environ['PATH']}"}


@contextmanager
def started(shell: Shell, home: Path, block: str) -> Iterator[str]:
    """Start what a block starts, at a free port, and yield its base URL."""
    line = BLOCKS[block].strip()
    line = line if "--port 0" in line else f"{line} --port 0"
    with (home / "log").open("wb") as log:
        running = subprocess.Popen(
            ["sh", "-c", f"exec {line}"], env=environ(shell), cwd=home, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert running.stdout is not None
        yield running.stdout.readline().strip()
    finally:
        running.terminate()
        running.communicate(timeout=60)


@dataclass
class Desk:
    """A folder with the page's files in it, beside a sandbox that runs."""

    home: Path
    shell: Shell
    url: str

    def run(self, *command: str) -> None:
        variables = {"ORVIDEO_BASE_URL": self.url, "OPENROUTER_API_KEY": KEY}
        done = subprocess.run(
            command, env={**environ(self.shell), **variables}, cwd=self.home, capture_output=True, text=True,
            timeout=240, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def has_film(self, name: str) -> bool:
        return (self.home / name).read_bytes()[4:8] == b"ftyp"


@pytest.fixture
def desk(orvideo: Shell, home: Path) -> Iterator[Desk]:
    for name, text in BLOCKS.items():
        (home / name).write_text(text, encoding="utf-8")
    with started(orvideo, home, "start.sh") as url:
        yield Desk(home, orvideo, url)


def test_every_block_of_the_page_has_a_name_and_a_test() -> None:
    assert len(BLOCKS) == PAGE.count("\n```") // 2
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in BLOCKS if f'"{name}"' not in source] == []


def test_the_page_lists_every_fault_as_the_command_does() -> None:
    listed = re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE, re.MULTILINE)
    wanted = [(fault.usage(name), fault.description) for name, fault in FAULTS.items()]
    assert listed == wanted, "the lines of the table: " + "\n".join(f"| `{one}` | {does} |" for one, does in wanted)


def test_the_page_names_every_model_that_exists_only_here(orvideo: Shell) -> None:
    models = [model["id"] for model in orvideo("models", "--sandbox", "--json").json]
    assert [one for one in models if one.startswith("sandbox/") and f"`{one}`" not in PAGE] == []


@pytest.mark.long
def test_the_variables_are_those_that_are_printed(desk: Desk) -> None:
    wanted = BLOCKS["variables.sh"].strip().replace("http://127.0.0.1:8787/api/v1", desk.url)
    give_up = time.monotonic() + 60
    while wanted not in (log := (desk.home / "log").read_text(encoding="utf-8")):
        assert time.monotonic() < give_up, log
        time.sleep(0.05)


@pytest.mark.long
def test_orvideo(desk: Desk) -> None:
    desk.run("sh", "-e", "orvideo.sh")
    assert desk.has_film("boat.mp4")


@pytest.mark.long
def test_a_callback_that_nobody_takes_costs_no_film(desk: Desk) -> None:
    desk.run("sh", "-e", "callback.sh")
    assert desk.has_film("ship.mp4")


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None,
    reason="curl or jq is not installed: the page's lines for curl were NOT run; the packages curl and jq prove them",
)
def test_curl(desk: Desk) -> None:
    desk.run("sh", "-e", "curl.sh")
    assert desk.has_film("curl.mp4")


@pytest.mark.long
def test_the_python_sdk(desk: Desk) -> None:
    desk.run(sys.executable, "boat.py")
    assert desk.has_film("python.mp4")


def node_modules() -> Path | None:
    """Return the folder where Node's packages are installed for all, if the official SDK is in it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    found = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, check=False).stdout.strip()
    folders = [Path(one) for one in [*os.environ.get("NODE_PATH", "").split(os.pathsep), found] if one]
    return next((folder for folder in folders if (folder / NODE_SDK / "package.json").is_file()), None)


@pytest.mark.long
def test_the_typescript_sdk(desk: Desk) -> None:
    folder = node_modules()
    if folder is None:
        pytest.skip(f"the page's lines for TypeScript were NOT run; node and `npm install -g {NODE_SDK}` prove them")
    (desk.home / "node_modules").symlink_to(folder)
    desk.run("node", "boat.mjs")
    assert desk.has_film("node.mp4")


def go_module() -> str | None:
    """Return the version of the official SDK that is in Go's cache of modules, where GOMODCACHE names one."""
    if shutil.which("go") is None or not os.environ.get("GOMODCACHE"):
        return None
    found = sorted(Path(os.environ["GOMODCACHE"]).glob("github.com/!open!router!team/go-sdk@*"))
    return found[-1].name.partition("@")[2] if found else None


@pytest.mark.long
def test_the_go_sdk(desk: Desk) -> None:
    version = go_module()
    if version is None:
        pytest.skip(f"the page's lines for Go were NOT run; go, and {GO_SDK} in the folder GOMODCACHE, prove them")
    (desk.home / "go.mod").write_text(f"module boat\n\ngo 1.25\n\nrequire {GO_SDK} {version}\n")
    desk.run("env", "GOFLAGS=-mod=mod", "GOPROXY=off", f"GOMODCACHE={os.environ['GOMODCACHE']}", "go", "run", "boat.go")
    assert desk.has_film("go.mp4")


@pytest.mark.long
def test_a_bad_day(orvideo: Shell, home: Path) -> None:
    with started(orvideo, home, "bad-day.sh") as url:
        orvideo.environ |= {"ORVIDEO_BASE_URL": url, "OPENROUTER_API_KEY": KEY}
        line = (
            "submit",
            "a boat",
            "-m",
            "grok-imagine-video",
            "-d",
            "1",
            "-r",
            "480p",
            "--wait",
            "-o",
            str(home / "b.mp4"),
        )
        done = orvideo(*line, "--json")
        assert done.code == 0, done.err
    assert json.loads(done.out)["outputs"]
    log = (home / "log").read_text(encoding="utf-8")
    assert len(re.findall(r"GET \S+/content\S* 200", log)) == 2, "the first download was cut"
