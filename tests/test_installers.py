"""A command that needs an extra says the line that installs it, for the installer that was used."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from orvideo import installers
from tests.shell import Result

ROOT = Path(__file__).parent.parent
#: What makes an environment look like an installer's own: a file, and the text that it has.
MARKS = {
    "pip": None,
    "uv": ("pyvenv.cfg", "uv = 0.13.9\n"),
    "pipx": ("pipx_metadata.json", "{}"),
    "uv tool": ("uv-receipt.toml", "[tool]\n"),
}
#: The libraries of this environment, without those of the sandbox's extra.
_WITHOUT = (
    "import sys\nsys.path.append({libraries!r})\nfor name in ('av', 'falcon', 'waitress'): sys.modules[name] = None\n"
)
METADATA = """\
Metadata-Version: 2.4
Name: orvideo
Version: 0.1.0
Provides-Extra: all
Provides-Extra: images
Provides-Extra: sandbox
Provides-Extra: test
Requires-Dist: pillow>=11; extra == 'images'
Requires-Dist: av>=15; extra == 'sandbox'
Requires-Dist: pillow>=11; extra == 'sandbox'
Requires-Dist: pytest>=8.3; extra == 'test'
Requires-Dist: orvideo[images,sandbox]; extra == 'all'
"""


class Environment:
    """A virtual environment with orvideo in it, as an installer leaves one: without the sandbox's libraries."""

    def __init__(self, folder: Path, installed_by: str, url: str | None) -> None:
        venv.create(folder, with_pip=False)
        self.python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        own = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
        libraries = sysconfig.get_path("purelib")
        (own / "others.pth").write_text(f"import others\n{ROOT}\n")
        (own / "others.py").write_text(_WITHOUT.format(libraries=libraries))
        information = own / "orvideo-0.1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(METADATA)
        if url is not None:
            (information / "direct_url.json").write_text(json.dumps({"url": url, "dir_info": {}}))
        if (mark := MARKS[installed_by]) is not None:
            with (folder / mark[0]).open("a") as file:
                file.write(mark[1])

    def run(self, home: Path, *argv: str) -> Result:
        done = subprocess.run(
            [str(self.python), "-m", "orvideo", *argv], env={"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=home, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(
    params=[*((name, None) for name in MARKS), ("pipx", "file:///src/or%20video"), ("uv tool", "file:///s")]
)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str | None, Environment]:
    name, url = request.param
    return name, url, Environment(tmp_path / "an environment", name, url)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="the lines of a POSIX shell; those of Windows are below")
def test_a_person_who_left_the_sandbox_out_is_told_the_line_that_installs_it(
    environment: tuple[str, str | None, Environment], home: Path
) -> None:
    name, url, made = environment
    source = f" @ {url}" if url else ""
    line = {
        "pip": [str(made.python), "-m", "pip", "install", "orvideo[sandbox]"],
        "uv": ["uv", "pip", "install", "--python", str(made.python), "orvideo[sandbox]"],
        # These two make all of it anew, so what is there (pillow, for images) must be asked for again.
        "pipx": ["pipx", "install", "--force", f"orvideo[images,sandbox]{source}"],
        "uv tool": ["uv", "tool", "install", f"orvideo[images,sandbox]{source}"],
    }[name]
    refused = made.run(home, "submit", "a boat", "--sandbox", "--json")
    assert refused.code == 2, refused.err
    assert refused.error["message"].startswith("The sandbox is not installed: ")
    assert shlex.split(refused.error["hint"]) == line
    checks = {check["name"]: check for check in made.run(home, "doctor", "--json", "--sandbox").json}
    assert refused.error["hint"] in checks["sandbox"]["detail"]
    version = made.run(home, "--version", "-v")
    assert version.code == 0, version.err
    assert f"installed by {name}, " in version.out


def test_the_version_says_which_extras_are_there_and_how_to_have_the_others(home: Path, tmp_path: Path) -> None:
    made = Environment(tmp_path / "made", "pip", None)
    (next((tmp_path / "made").rglob("METADATA"))).write_text(
        METADATA.replace("av>=15; extra == 'sandbox'", "no-such-thing>=15; extra == 'sandbox'")
    )
    said = [line for line in made.run(home, "--version", "-v").lines if line.startswith("extra ")]
    images, sandbox = said
    assert images == "extra images: installed"
    assert sandbox.startswith("extra sandbox: not installed (no-such-thing); to have it: ")
    assert "pip install" in sandbox


@pytest.mark.parametrize("name", MARKS)
def test_another_package_goes_where_orvideo_is(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    if (mark := MARKS[name]) is not None:
        (folder / mark[0]).write_text(mark[1])
    line = installers.line_for_package("socksio", prefix=str(folder), python="/a b/python", platform="linux")
    assert shlex.split(line)[:3] == {
        "pip": ["/a b/python", "-m", "pip"], "uv": ["uv", "pip", "install"], "pipx": ["pipx", "inject", "orvideo"],
        "uv tool": ["uv", "tool", "install"],
    }[name]  # fmt: skip
    assert "socksio" in shlex.split(line)


@pytest.mark.drill("W20")
def test_w20_on_windows_the_line_has_double_quotes(tmp_path: Path) -> None:
    line = installers.line_for("sandbox", prefix=str(tmp_path), python=r"C:\my venv\python.exe", platform="win32")
    assert line == r'& "C:\my venv\python.exe" -m pip install "orvideo[sandbox]"'


def test_all_is_every_extra_that_is_for_people() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    of_the_house = {"test", "lint", "mutation"}
    (everything,) = extras.pop("all")
    assert everything == f"orvideo[{','.join(sorted(set(extras) - of_the_house))}]"
