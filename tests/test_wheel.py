"""What is in the wheel: the package and its manual page, which man and mandoc take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from orvideo.commands._app import build_app
from orvideo.commands.help import EXIT_CODES
from orvideo.completion.scripts import manual
from tests.shell import CERTIFICATES

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
MANUAL = "share/man/man1/orvideo.1"


def quiet(*command: str | Path, **how: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built by the command that anybody would use, from what belongs to the package alone."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "*.mp4"))
    environ = {name: value for name, value in os.environ.items() if name != "HTTPS_PROXY"} | CERTIFICATES
    built = quiet(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, source, env=environ)
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("SKIPPED: hatchling cannot be had here, which builds the wheel")
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("orvideo-*.whl")
    return found


def test_the_wheel_has_the_package_and_the_manual_of_this_app(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (place,) = [name for name in names if name.endswith(f".data/data/{MANUAL}")]
        assert archive.read(place).decode() == manual(build_app(), EXIT_CODES)
    needed = ("__main__.py", "py.typed", "sandbox/models.json", "gallery/pages/page.html", "gallery/pages/main.js")
    assert [name for name in needed if f"orvideo/{name}" not in names] == []
    assert [name for name in names if name.startswith(("tests/", "bench/", "docs/"))] == []


def test_an_environment_with_the_wheel_has_the_manual_where_man_looks(wheel: Path, tmp_path: Path) -> None:
    """man looks for pages in share/man beside each bin of PATH."""
    made = tmp_path / "made"
    assert quiet(sys.executable, "-m", "venv", made).returncode == 0
    program = made / ("Scripts" if sys.platform == "win32" else "bin")
    done = quiet(program / "python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    page = made / MANUAL
    assert page.read_text(encoding="utf-8") == manual(build_app(), EXIT_CODES)
    if shutil.which("man") is None:
        pytest.skip("the package man-db would prove the rest")
    found = quiet("man", "-w", "orvideo", env={"PATH": f"{program}:{os.environ['PATH']}", "HOME": str(tmp_path)})
    assert found.stdout.strip() == str(page), found.stderr


@pytest.mark.parametrize(
    "judge", [["man", "--warnings", "-l"], ["mandoc", "-T", "lint", "-W", "warning"]], ids=["man", "mandoc"]
)
def test_the_manual_is_without_fault_for_those_who_show_it(judge: list[str]) -> None:
    if shutil.which(judge[0]) is None:
        pytest.skip(f"{judge[0]} is not here")
    done = quiet(*judge, ROOT / "completions" / "orvideo.1")
    complaints = done.stdout.splitlines() if judge[0] == "mandoc" else []
    # It has no date: that would have to change with no change of the app.
    assert [line for line in complaints if "missing date" not in line] == []
    assert done.stderr == ""
