"""The examples of the docs are run: each line, as it stands, in a shell, against the sandbox."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from orvideo.commands import _options as options
from tests.request.images import exif, picture
from tests.shell import SCRIPT, Shell

DOCS = Path(__file__).parent.parent / "docs"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Lines that cannot run as they stand, and what they are run as.
ELSEWHERE = {
    # A converter that need not be installed.
    "magick boat.heic png:- | ": "cat boat.png | ",
    # An id of a job that another client made.
    "4f9k2mxy8q --model": "4f9k2mxy8q --dry-run --model",
    # A duration that the model does not offer: the sandbox refuses it as the service would.
    "--no-check": "--no-check --dry-run",
}


def examples(page: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [line for block in _BLOCK.findall(text) for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the files that the examples name, and one finished job on record."""
    home = tmp_path_factory.mktemp("workshop")
    for name, kind in (("boat.png", "PNG"), ("day.png", "PNG"), ("night.jpg", "JPEG")):
        (home / name).write_bytes(picture(kind))
    (home / "photo.jpg").write_bytes(picture("JPEG", exif=exif(orientation=6, position=True)))
    shell = Shell(home, {"ORVIDEO_SANDBOX": "1"})
    done = shell("submit", "a boat", "-m", "black-forest-labs/flux-3-video", "--wait", "-o", str(home / "first.mp4"))
    assert done.code == 0, done.err
    (home / "boat.json").write_text(shell("submit", "a boat", "--dry-run").out)
    return home


@pytest.mark.parametrize("line", examples("requests.md"))
def test_an_example_of_the_page_on_requests_runs(
    workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    for said, meant in ELSEWHERE.items():
        line = line.replace(said, meant)
    home = shutil.copytree(workshop, tmp_path / "home")
    monkeypatch.chdir(home)
    shell = Shell(home, {"ORVIDEO_SANDBOX": "1"})
    if set(line) & set("|>"):
        environ = {**shell.environ, "PATH": f"{SCRIPT.parent}:{shell.environ['PATH']}"}
        ran = subprocess.run(["sh", "-ec", line], env=environ, cwd=home, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return
    program, *argv = shlex.split(line)
    assert program == "orvideo"
    done = shell(*argv)
    assert done.code == 0, done.err


def test_every_option_of_a_request_has_an_example() -> None:
    """What submit can be asked for is on the page; options that other commands share are explained elsewhere."""
    text = (DOCS / "requests.md").read_text(encoding="utf-8")
    panels = {"From", "More"}
    for name, alias in vars(options).items():
        option = next(iter(getattr(alias, "__metadata__", ())), None)
        if getattr(option, "rich_help_panel", None) in panels:
            # Typer keeps the first name that an Annotated option declares as its default.
            named = [said for said in (option.default, *(option.param_decls or ())) if isinstance(said, str)]
            flags = named or [f"--{re.sub('(?<=[a-z])(?=[A-Z])', '-', name).lower()}"]
            assert f"{flags[0]} " in text, name
