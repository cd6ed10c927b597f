"""The lines of the docs are typed as they stand, from top to bottom, in one home (finding D01)."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from orvideo.commands import _options as options
from orvideo.sandbox.server import KEY, Sandbox
from tests.shell import SCRIPT, Shell

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [line for block in _BLOCK.findall(text) for line in block.splitlines() if line.strip()]


def typed(shell: Shell, line: str) -> tuple[int, str]:
    """Type one line as a person would, with the key at hand where one is asked for; return exit code and stderr."""
    words = shlex.split(line, comments=True)
    if words[0] in ("export", "unset"):
        name, _, value = words[1].partition("=")
        shell.environ |= {name: value or "0"}
    elif words[0] == "orvideo" and not {"|", ">"} & set(words):
        done = shell(*words[1:], stdin=KEY)
        return done.code, done.err
    else:
        environ = {**shell.environ, "PATH": f"{SCRIPT.parent}:{shell.environ['PATH']}"}
        ran = subprocess.run(["bash", "-ec", line], env=environ, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stderr
    return 0, ""


@pytest.mark.drill("F-D01")
@pytest.mark.long
@pytest.mark.parametrize("page", ["docs/requests.md", "docs/batch.md", "docs/keys.md", "docs/gallery.md"])
def test_d01_every_line_of_a_page_can_be_typed_from_top_to_bottom(
    orvideo: Shell, home: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.chdir(home)
    with Sandbox(home / "service", speed=1_000_000) as service:
        orvideo.environ["ORVIDEO_BASE_URL"] = service.base_url
        for line in lines_of(ROOT / page):
            code, err = typed(orvideo, line)
            assert code == 0, f"{line}\n{err}"


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
