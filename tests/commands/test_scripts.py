"""What a script and a log see: plain lines, silence where it was asked for, and pages that agree with each other."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import typer

from orvideo import system
from orvideo.commands._app import build_app
from orvideo.commands._hooks import VARIABLES
from orvideo.commands.help import EXIT_CODES
from orvideo.errors import ExitCode
from orvideo.settings.definitions import DEFINITIONS
from orvideo.system import processes
from tests.shell import KEY, Shell

README = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
#: Fast enough for a test, slow enough to be seen on the way: about two seconds.
SLOWLY = {"ORVIDEO_SANDBOX_SPEED": "30"}


@pytest.mark.parametrize("ci", [True, False])
def test_without_a_live_terminal_each_change_is_one_line(orvideo: Shell, ci: bool) -> None:
    line = ("submit", "a boat", "--sandbox", "--wait", "-o", "boat.mp4", *CHEAP)
    done = orvideo(*line, tty=ci, env={**SLOWLY, "CI": "true" if ci else "", "NO_COLOR": "1"})
    assert done.code == 0, done.err
    assert "\x1b" not in done.err
    assert "\r" not in done.err
    job = orvideo("jobs", "--json").json[0]["id"]
    told = [one.removeprefix(f"{job}: ") for one in done.err.splitlines() if one.startswith(f"{job}: ")]
    kinds = [re.split(r"[ ,]", one)[0] for one in told]
    assert kinds[0] in ("pending", "in_progress")
    assert kinds[-3:] == ["downloading", "downloaded", "completed"]
    assert len(set(told)) == len(told), "no line is said twice"
    assert re.fullmatch(r"completed in \d:\d\d, \$0\.12 in the sandbox \(quoted \$0\.12 listed\)", told[-1])


def test_what_is_over_is_not_said_to_take_its_usual_time(orvideo: Shell) -> None:
    for _ in range(2):
        done = orvideo("submit", "a boat", "--sandbox", "--wait", *CHEAP)
    assert "completed" in done.err
    assert "usually" not in done.err


def test_quiet_and_verbose(orvideo: Shell) -> None:
    quiet = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "a.mp4", "-q", *CHEAP)
    assert (quiet.code, quiet.err, quiet.lines) == (0, "", ["a.mp4"])
    loud = orvideo("submit", "a boat", "--sandbox", "--wait", "-o", "b.mp4", "-v", *CHEAP,
                   env={"OPENROUTER_API_KEY": KEY})  # fmt: skip
    calls = re.findall(r"^(GET|POST) (\S+) -> (\d+) in \d+\.\d\d s, \d+ bytes$", loud.err, re.MULTILINE)
    assert [method for method, url, _ in calls].count("POST") == 1
    assert all(url.startswith("http://127.0.0.1:") for _, url, _ in calls)
    assert KEY not in loud.err


def test_a_job_that_ended_badly_is_not_to_be_waited_for(orvideo: Shell) -> None:
    done = orvideo("submit", "a boat", "--sandbox", "--wait", "--json", "-m", "sandbox/fails")
    assert done.code == 3
    assert "wait" not in (done.error["resume"] or "")
    assert done.error["hint"] == f"orvideo jobs show {done.error['job_id']}"


# --- the pages -------------------------------------------------------------------------------------------------------


def test_the_table_of_exit_codes_is_whole() -> None:
    assert [code for code, _, _ in EXIT_CODES] == list(ExitCode)


def test_the_readme_has_the_same_table_as_help() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    told = {int(code): (plain(text), charged) for codes, text, charged in rows for code in codes.split(",")}
    for code, meaning, charged in EXIT_CODES:
        assert told[int(code)][1] == charged, code
        if code < 128:
            assert told[int(code)][0] == plain(meaning), code
    assert set(told) == {int(code) for code in ExitCode}


def plain(text: str) -> str:
    return " ".join(re.sub(r"[*`:;]", "", text).split())


def test_help_names_every_variable(orvideo: Shell) -> None:
    told = {line.split("\t")[0] for line in orvideo("help", "environment").lines}
    assert {name for one in DEFINITIONS for name in one.variables} <= told
    assert "ORVIDEO_API_KEY_COMMAND" not in told
    assert {name for name, _ in VARIABLES} <= told
    assert {
        "OPENROUTER_API_KEY",
        "ORVIDEO_PROFILE",
        "ORVIDEO_CONFIG_DIR",
        "ORVIDEO_STATE_DIR",
        "ORVIDEO_CACHE_DIR",
    } <= told


def test_help_has_all_exit_codes(orvideo: Shell) -> None:
    assert [int(line.split("\t")[0]) for line in orvideo("help", "exit-codes").lines] == [
        int(code) for code in ExitCode
    ]


@pytest.mark.parametrize("page", ["exit-codes", "environment", "output", "schema"])
def test_every_page_fits_a_narrow_terminal_whole(orvideo: Shell, page: str) -> None:
    wide, narrow = orvideo("help", page), orvideo("help", page, tty=True, env={"COLUMNS": "40"})
    assert (wide.code, narrow.code) == (0, 0)
    assert "…" not in narrow.out


@pytest.mark.drill("F-D06")
@pytest.mark.parametrize("page", ["exit-codes", "environment", "output"])
def test_d06_pages_are_folded_on_a_terminal_and_whole_in_a_pipe(orvideo: Shell, page: str) -> None:
    shown = orvideo("help", page, tty=True, env={"COLUMNS": "80", "NO_COLOR": "1"}).out
    assert max(map(len, shown.splitlines())) <= 80
    words = re.sub(r"[:;]|charged", "", " ".join(shown.split())).split()
    piped = re.sub(r"[:;]|charged", "", orvideo("help", page).out).split()
    assert sorted(words) == sorted(piped)
    if page == "exit-codes":
        table = re.findall(r"^(\d+): +.*  charged: \S", shown, re.MULTILINE)
        assert [int(code) for code in table] == list(ExitCode)


@pytest.mark.drill("F-D06")
@pytest.mark.parametrize("columns", [44, 60, 61, 80])
@pytest.mark.parametrize("command", ["submit", "batch", "jobs show"])
def test_d06_help_cuts_no_name_and_shows_no_type_of_python(
    orvideo: Shell, monkeypatch: pytest.MonkeyPatch, columns: int, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = re.sub(r"\x1b\[[\d;]*m", "", orvideo(*command.split(), "--help", tty=True).out)
    assert max(map(len, shown.splitlines())) <= columns
    corner = "┌" if sys.platform == "win32" else "╭"  # an old console has no round ones
    assert (corner in shown) is (columns >= 61)
    assert not re.search(r"<bool>|<list|<str>|JOB\.\.\.|…", shown)
    found = typer.main.get_command(build_app())
    for word in command.split():
        found = found.commands[word]  # type: ignore[attr-defined]
    names = {name for parameter in found.params for name in parameter.opts if name.startswith("--")}
    assert [name for name in sorted(names) if not re.search(rf"{name}\b", shown)] == []


@pytest.mark.drill("F-D12")
def test_d12_the_pages_and_the_help_have_no_words_of_the_house(orvideo: Shell) -> None:
    pages = [orvideo("help", page).out for page in ("exit-codes", "environment", "output", "man")]
    assert not re.search(r"\b(story|gone on from|beats|told to)\b", " ".join(pages), re.IGNORECASE)


@pytest.mark.drill("PS9")
@pytest.mark.parametrize(
    ("parents", "shell"),
    [
        (["orvideo.exe", "powershell.exe", "explorer.exe"], "powershell.exe"),
        (["python.exe", "orvideo.exe", "PowerShell.exe"], "powershell.exe"),
        (["orvideo.exe", "cmd.exe", "powershell.exe"], "cmd.exe"),
        (["pwsh.exe", "powershell.exe"], "pwsh.exe"),
        (["python.exe"], ""),
        ([], ""),
    ],
)
def test_ps9_the_shell_is_the_first_parent_that_is_not_orvideo(parents: list[str], shell: str) -> None:
    assert processes.started_by(parents) == shell


@pytest.mark.drill("PS9")
def test_ps9_a_video_through_windows_powershell_is_warned_of_before_it_is_bought(
    orvideo: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ("submit", "a boat", "--sandbox", "--wait", "-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p", "-o", "-")
    assert "PowerShell" not in orvideo(*line).err
    monkeypatch.setattr(system, "changes_piped_bytes", lambda: True)
    err = orvideo(*line).err
    assert err.index("name a file with -o") < err.index("submitted")
    assert "PowerShell" not in orvideo(*line[:-1], "boat.mp4").err
