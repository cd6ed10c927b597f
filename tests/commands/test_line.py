"""How a line is read: options that lost their value, options before a command, and values of no use."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo import __file__ as package
from orvideo import __version__
from orvideo.commands._app import COMMANDS
from orvideo.commands.help import Topic
from orvideo.sandbox.server import KEY, Sandbox
from tests.shell import Shell

BUYS = ("submit", "a boat", "-m", "google/veo-3.1-lite", "-d", "4")


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory, orvideo: Shell) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("service"), speed=1_000_000) as sandbox:
        orvideo.environ |= {"ORVIDEO_BASE_URL": sandbox.base_url, "OPENROUTER_API_KEY": KEY}
        yield sandbox


LOST = [
    ("-o", "--dry-run"), ("-o", "--sandbox"), ("--user", "--dry-run"), ("--exec", "--dry-run", "--wait"),
    ("-wo", "--dry-run"), ("--max-cost", "-y"), ("--timeout", "--", "x"), ("--seed", "--dry-run"),
    ("--reference", "-q"), ("--trace", "--no-such-option"), ("-o",), ("--output",), ("-o", ""), ("--output=",),
    ("--max-cost", " "), ("--max-cost=", "--yes"),
]  # fmt: skip


@pytest.mark.drill("F-A01")
@pytest.mark.parametrize("words", LOST, ids=" ".join)
def test_a01_an_option_that_lost_its_value_buys_nothing(
    orvideo: Shell, service: Sandbox, words: tuple[str, ...]
) -> None:
    done = orvideo(*BUYS, *words)
    assert done.code == 2
    assert "needs a value" in done.err
    assert service.received() == []


@pytest.mark.drill("F-A01")
@pytest.mark.parametrize(
    "line",
    [
        ("batch", "rows.txt", "--report", "--dry-run"),
        ("jobs", "--search", "--cost"),
        ("jobs", "--since", "-n", "3"),
        ("wait", "--all", "--timeout", "--json"),
        ("download", "--all", "-o", "--force"),
        ("models", "--max-cost", "--refresh"),
        ("sandbox", "--port", "--list-faults"),
    ],
    ids=" ".join,
)
def test_a01_so_it_is_in_every_command(orvideo: Shell, line: tuple[str, ...]) -> None:
    done = orvideo(*line)
    assert done.code == 2
    assert "needs a value" in done.err


@pytest.mark.drill("F-A01")
def test_a01_a_value_that_looks_like_an_option_can_be_meant(orvideo: Shell, service: Sandbox) -> None:
    assert orvideo(*BUYS, "--user=--dry-run").code == 0
    assert service.received()[0]["user"] == "--dry-run"
    assert "--output=--x.mp4" in orvideo(*BUYS, "-o", "--x.mp4").err
    # A number is no option, and a dash alone is stdin or stdout.
    assert "'-5'" not in orvideo(*BUYS, "--seed", "-5").err
    assert orvideo("submit", "--prompt-file", "-", *BUYS[2:], stdin="a boat").code == 0
    assert orvideo(*BUYS, "--user", "x", "--", "--dry-run").code == 2


@pytest.mark.drill("F-D03")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("submit", "x", "--seed", "abc"), "--seed takes a whole number, not 'abc'."),
        (("submit", "x", "--upscale", "much"), "--upscale takes a number, not 'much'."),
        (("batch", "f", "-j", "0"), "--jobs takes a whole number from 1 to 1000, not '0'."),
        (("jobs", "-n", "-1"), "--limit takes a whole number, 0 at least, not '-1'."),
        (("jobs", "--cost", "sum"), "--cost takes model, day or month, not 'sum'."),
        (("models", "--sort", "age"), "--sort takes price or name, not 'age'."),
        (("completion", "show", "tcsh"), "SHELL takes bash, zsh, fish or powershell, not 'tcsh'."),
    ],
)
def test_d03_a_value_of_no_use_is_told_in_our_own_words(orvideo: Shell, line: tuple[str, ...], says: str) -> None:
    done = orvideo(*line)
    assert (done.code, done.err.splitlines()[0]) == (2, f"error: {says}")


@pytest.mark.drill("F-A01")
def test_a01_an_empty_value_is_told_as_one(orvideo: Shell) -> None:
    assert orvideo("wait", "--all", "--timeout").err == "error: --timeout needs a value.\n"
    assert orvideo("wait", "--all", "--timeout=").err == "error: --timeout needs a value; this one is empty.\n"


@pytest.mark.drill("F-D03")
def test_d03_options_before_a_command_count_or_are_refused_by_name(orvideo: Shell) -> None:
    assert orvideo("--json", "jobs").json == []
    assert orvideo("-q", "--json", "jobs", "--unfinished").json == []
    assert orvideo("--json", "jobs", "show", "@1").error["exit_code"] == 2
    assert orvideo("jobs", "--json", "show", "@1").error["exit_code"] == 2
    for line in (("jobs", "--unfinished", "show", "@1"), ("--wait", "jobs"), ("jobs", "--cost", "day", "forget", "@1")):
        done = orvideo(*line)
        assert (done.code, "No such option: --" in done.err) == (2, True), done.err
    # An option that only the command has takes its value along.
    early = orvideo("--max-cost", "0.01", "-m", "veo-3.1-lite", "submit", "x", "--sandbox", "--dry-run")
    assert (early.code, "the limit is $0.01" in early.err) == (5, True), early.err
    assert orvideo("--nonsense", "3", "submit", "x", "--sandbox").err.startswith("error: No such option: --nonsense.")
    # What only looks like a command is what it is given for.
    assert orvideo("--model", "submit", "submit", "x", "--sandbox").err.startswith("error: There is no model 'submit'")
    assert orvideo("jobs", "--search", "show").code == 0


@pytest.mark.drill("F-D03")
def test_d03_an_option_means_the_same_to_models_as_to_submit(orvideo: Shell) -> None:
    every = orvideo("models", "--json", "--sandbox").json
    seeded = orvideo("models", "--json", "--sandbox", "--seed", "7", "--first-frame", "boat.png").json
    assert 0 < len(seeded) < len(every)
    assert all(model["filled_request"]["seed"] == 7 for model in seeded)
    assert orvideo("models", "--seed").code == 2


@pytest.mark.drill("F-D03")
def test_d03_an_interval_that_is_too_short_is_said_once(orvideo: Shell) -> None:
    says = "warning: the interval of 1.5s is too short; looks are 2s apart"
    for line in (("submit", "x", "--sandbox", "--wait"), ("wait", "@1"), ("wait", "@1", "@1")):
        assert orvideo(*line, "--interval", "1.5s").err.splitlines().count(says) == 1
    assert says in orvideo("wait", "@1", env={"ORVIDEO_INTERVAL": "1.5s"}).err
    for line in (("wait", "@1", "--interval", "2s"), ("submit", "y", "--sandbox", "--interval", "1.5s")):
        assert "interval" not in orvideo(*line).err


def test_a_number_that_no_job_has_is_not_told_as_a_piece_that_is_too_short(orvideo: Shell) -> None:
    for number in ("99", "@9", "0", "@last"):
        assert f"is called '{number}'; numbers count back" in orvideo("status", number).err
    assert "needs at least 4 characters" in orvideo("status", "abc").err


@pytest.mark.drill("F-D13")
def test_d13_help_alone_lists_commands_and_pages(orvideo: Shell) -> None:
    shown = orvideo("help").out
    assert shown == orvideo("--help").out
    assert [name for name in (*COMMANDS, "exit-codes", "environment", "output", "schema") if name not in shown] == []


def test_orvideo_alone_says_what_it_is_and_shows_five_lines_that_are_commands(orvideo: Shell) -> None:
    done, process = orvideo(), orvideo.process()
    assert (done.code, done.err) == (0, "")
    assert process == done
    assert done.lines[0].startswith("orvideo makes videos through OpenRouter")
    assert max(map(len, done.lines)) < 80
    shown = [line.split(":", 1)[1].strip() for line in done.lines if line.startswith("  ")]
    assert len(shown) == 5
    for line in shown:
        program, *words = shlex.split(line)
        assert program == "orvideo"
        # Help explains a line only where all its words are understood.
        assert orvideo(*words, "--help").code == 0, line
        assert orvideo("help", words[0]).code == 0
    assert "orvideo help COMMAND" in done.lines[-1]


@pytest.mark.drill("F-D13")
def test_d13_help_knows_every_command(orvideo: Shell) -> None:
    for line in (("submit",), ("jobs", "show"), ("jobs", "list"), ("help",), ("config", "set")):
        assert orvideo("help", *line).out == orvideo(*line, "--help").out != ""
    assert "outcome unknown" in orvideo("help", "exit-codes").out


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        (("sbmit",), "orvideo help submit"), (("exit-code",), "orvideo help exit-codes"), (("xyzzy",), "orvideo help"),
        (("jobs", "shwo"), "orvideo jobs --help"),
    ],
)  # fmt: skip
def test_help_about_what_is_not_there_names_what_is(orvideo: Shell, asked: tuple[str, ...], hint: str) -> None:
    done = orvideo("help", *asked, "--json")
    assert (done.code, done.out, done.error["hint"]) == (2, "", hint)
    if len(asked) == 1:
        words = done.error["message"]
        assert f"'{asked[0]}'" in words
        assert [name for name in (*COMMANDS, *(topic.value for topic in Topic)) if name not in words] == []
    else:
        assert "Did you mean 'show'?" in done.error["message"]


@pytest.mark.drill("F-D13")
def test_d13_the_version_says_which_python_and_where(orvideo: Shell) -> None:
    short = orvideo("--version")
    assert short.out == f"orvideo {__version__}\n"
    assert orvideo.process("--version").lines == short.lines
    for line in (("--version", "-v"), ("-V", "--verbose"), ("-v", "--version")):
        done = orvideo.process(*line)
        assert (done.code, done.err, done.lines[0]) == (0, "", short.lines[0])
        python, system, place, *extras = done.lines[1:]
        assert python.startswith(f"Python {sys.version.split()[0]} ({platform.python_implementation()}), ")
        assert platform.machine() in system
        assert str(Path(package).parent) in place
        assert "installed by " in place
        assert "extra sandbox: installed" in extras


@pytest.mark.drill("F-D13")
def test_d13_a_model_is_named_without_its_maker(orvideo: Shell, service: Sandbox) -> None:
    assert orvideo("submit", "a boat", "-m", "VEO-3.1-lite", "-d", "4").code == 0
    assert service.received()[0]["model"] == "google/veo-3.1-lite"
    assert orvideo("submit", "a boat", "-m", "veo-3.1-lit", "-d", "4").code == 6
    assert "sandbox/ exist only there" in orvideo("models", "--sandbox").err


@pytest.mark.drill("F-D13")
def test_d13_jobs_are_listed_filtered_sorted_and_by_the_columns_asked_for(orvideo: Shell, service: Sandbox) -> None:
    for model, seconds in (("google/veo-3.1", "4"), ("google/veo-3.1-lite", "8"), ("google/veo-3.1-lite", "4")):
        orvideo("submit", "a boat", "-m", model, "-d", seconds, "--wait", "--yes")
    every = orvideo("jobs", "list", "--json").json
    assert [job["model"] for job in every] == ["google/veo-3.1-lite", "google/veo-3.1-lite", "google/veo-3.1"]
    assert orvideo("jobs", "--sort", "oldest", "--json").json == every[::-1]
    assert orvideo("jobs", "--sort", "cost", "-n", "1", "--json").json == [every[2]]
    assert orvideo("jobs", "--model", "LITE", "--json").json == every[:2]
    typo = orvideo("jobs", "--status", "completed,faild", "--json")
    assert (typo.code, typo.error["hint"]) == (2, "did you mean failed?")
    assert orvideo("jobs", "--status", "failed", "--json").json == []
    assert orvideo("jobs", "list", "--status", "completed", "--columns", "position, model", "-m", "lite").lines == [
        "1\tgoogle/veo-3.1-lite", "2\tgoogle/veo-3.1-lite",
    ]  # fmt: skip
    assert orvideo("jobs", "--columns", "colour").code == 2


@pytest.mark.drill("F-A01")
def test_a01_help_buys_nothing(orvideo: Shell, service: Sandbox) -> None:
    for line in (("help", "submit", "--"), ("help", "submit", "--", "x"), ("submit", "help"), ("help", "-q", "submit")):
        done = orvideo(*line)
        assert (done.code, done.out.startswith("Usage: orvideo submit")) == (0, True), line
    assert "--output=boat.mp4" in orvideo(*BUYS, "-o=boat.mp4").err
    assert service.received() == []


def test_a_typer_that_nobody_knows_reads_lines_in_its_own_way(orvideo: Shell, home: Path) -> None:
    """The fast way to read plain values knows the inside of some versions; others do without it (`_fast_values`)."""
    (home / "other").mkdir()
    (home / "other" / "sitecustomize.py").write_text("import typer\ntyper.__version__ = '0.99.0'\n")
    unknown = {"PYTHONPATH": f"{home / 'other'}{os.pathsep}{orvideo.environ['PYTHONPATH']}"}
    lines = (
        ("submit", "a boat", "--dry-run", "--sandbox", "--seed", "7", "--trace", "a=b", "--json"),
        ("jobs", "--cost", "model", "--json"), ("jobs", "show", "1"), ("wait", "-o"), ("config", "get", "timeout"),
    )  # fmt: skip
    for line in lines:
        known = orvideo(*line)
        assert orvideo.process(*line, env=unknown) == known, line
    refused = orvideo.process("submit", "a boat", "--seed", "x", "--sandbox", env=unknown)
    assert (refused.code, "--seed" in refused.err, orvideo("jobs", "--json").json) == (2, True, [])
