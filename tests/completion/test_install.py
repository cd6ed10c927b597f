"""Putting the script where the shell finds it, and touching nothing else."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from orvideo.completion.scripts import FILE_NAMES, MARK
from tests.completion.shells import is_there, script
from tests.shell import Shell

PLACES = {
    "bash": ".local/share/bash-completion/completions/orvideo",
    "zsh": ".zfunc/_orvideo",
    "fish": "config/fish/completions/orvideo.fish",
}


@pytest.mark.parametrize("shell", PLACES)
def test_the_script_goes_where_the_shell_looks_and_nowhere_else(orvideo: Shell, home: Path, shell: str) -> None:
    done = orvideo("completion", "install", shell)
    path = home / PLACES[shell]
    assert (done.code, done.lines) == (0, [str(path)]), done.err
    assert path.read_text(encoding="utf-8") == script(shell)
    assert [file for file in home.rglob("*") if file.is_file()] == [path]
    assert str(path) not in done.err
    again = orvideo("completion", "install", shell)
    assert (again.code, again.lines) == (0, [str(path)])
    assert "already there" in again.err


@pytest.mark.parametrize(
    ("said", "shell"), [("/bin/bash", "bash"), ("/usr/local/bin/zsh", "zsh"), ("/opt/x/fish", "fish")]
)
def test_the_shell_is_told_by_its_variable(orvideo: Shell, said: str, shell: str) -> None:
    done = orvideo("completion", "install", "--json", env={"SHELL": said})
    assert done.json["shell"] == shell
    assert done.json["changed"] is True


@pytest.mark.parametrize("said", ["", "/bin/tcsh"])
def test_an_unknown_shell_is_a_usage_error_that_names_the_known_ones(orvideo: Shell, said: str) -> None:
    # On Windows, without the variable, it is PowerShell.
    done = replace(orvideo, platform="linux")("completion", "install", env={"SHELL": said})
    assert done.code == 2
    assert "bash|zsh|fish|powershell" in done.err


def test_variables_move_the_places(orvideo: Shell, home: Path) -> None:
    done = orvideo("completion", "install", "bash", env={"BASH_COMPLETION_USER_DIR": str(home / "own")})
    assert done.lines == [str(home / "own/completions/orvideo")]
    done = orvideo("completion", "install", "bash", env={"XDG_DATA_HOME": str(home / "data")})
    assert done.lines == [str(home / "data/bash-completion/completions/orvideo")]


def test_a_file_of_somebody_else_is_kept(orvideo: Shell, home: Path) -> None:
    path = home / PLACES["zsh"]
    path.parent.mkdir()
    path.write_text("#compdef orvideo\n# mine\n")
    done = orvideo("completion", "install", "zsh")
    assert done.code == 13
    assert "--force" in done.err
    assert path.read_text() == "#compdef orvideo\n# mine\n"
    assert orvideo("completion", "install", "zsh", "--force").code == 0
    assert MARK in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_older_script_of_ours_is_replaced(orvideo: Shell, home: Path) -> None:
    path = home / PLACES["zsh"]
    path.parent.mkdir()
    path.write_text(f"#compdef orvideo\n# {MARK} Do not edit.\nold\n")
    assert orvideo("completion", "install", "zsh").code == 0
    assert path.read_text(encoding="utf-8") == script("zsh")


def test_a_place_that_cannot_be_written_is_named(orvideo: Shell, home: Path) -> None:
    (home / ".zfunc").write_text("a file where the folder should be")
    done = orvideo("completion", "install", "zsh")
    assert done.code == 14
    assert str(home / ".zfunc/_orvideo") in done.err


def test_powershell_is_told_what_to_add_to_its_profile(orvideo: Shell, home: Path) -> None:
    done = orvideo("completion", "install", "powershell")
    assert (done.code, done.out) == (0, "")
    assert "$PROFILE" in done.err
    assert "orvideo completion show powershell | Out-String | Invoke-Expression" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("shell", FILE_NAMES)
def test_a_script_is_shown_as_it_is(orvideo: Shell, shell: str) -> None:
    done = orvideo("completion", "show", shell)
    assert (done.code, done.out, done.err) == (0, script(shell), "")
    assert orvideo("completion", "show", shell, "--json").json == {"shell": shell, "script": script(shell)}


def test_zsh_finds_what_was_installed_by_the_lines_it_was_told(orvideo: Shell, home: Path) -> None:
    if not is_there("zsh"):
        pytest.skip("zsh is NOT INSTALLED: that it finds the script is not proved here; the package zsh would")
    told = orvideo("completion", "install", "zsh").err
    lines = [line.strip() for line in told.splitlines() if line.startswith("  ")]
    (home / ".zshrc").write_text("\n".join([*lines, 'echo "is $_comps[orvideo]"', ""]))
    done = subprocess.run(
        ["zsh", "-i", "-c", "exit"], env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert "is _orvideo" in done.stdout, done.stderr


@pytest.mark.drill("W29")
def test_w29_without_its_variable_the_shell_of_windows_is_powershell(orvideo: Shell) -> None:
    orvideo.platform = "win32"
    done = orvideo("completion", "install", "--json")
    assert done.json["shell"] == "powershell"
    said = orvideo("completion", "install", "--json", env={"SHELL": "C:\\Program Files\\Git\\usr\\bin\\bash.exe"})
    assert said.json["shell"] == "bash"


@pytest.mark.drill("M7")
def test_m7_on_macos_login_shells_read_another_file(orvideo: Shell) -> None:
    assert "~/.bashrc" in orvideo("completion", "install", "bash").err
    orvideo.platform = "darwin"
    done = orvideo("completion", "install", "bash")
    assert "~/.bash_profile" in done.err
    assert "bashrc" not in done.err
