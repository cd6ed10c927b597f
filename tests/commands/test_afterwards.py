"""`--exec` and `--notify`: told of every end, and never of the key."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo import shells
from orvideo.commands._hooks import VARIABLES, facts_of, notification, refuse_unsafe
from orvideo.record.values import Output, Record, State
from orvideo.settings.definitions import DEFINITIONS, JOB_VARIABLES
from orvideo.settings.resolving import Settings
from tests.shell import KEY, Shell

CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
#: Writes each fact on a line of its own, in a form that no prompt can fake.
TELL = "; ".join(f"""printf '%s=<%s>\\n' {name} "${name}" >>facts""" for name, _ in VARIABLES)
WHEN = datetime(2026, 11, 21, tzinfo=UTC)
RECORD = Record(
    1, "sub-1", "vid_1", "sandbox", State.SUBMITTED, WHEN, status="completed", final=True,
    model="a/model", prompt="a boat", cost=Decimal("0.12"), outputs=(Output(0, "/films/boat.mp4", 1, "aa", WHEN),),
)  # fmt: skip


#: A line that writes down the variables that it is given.
SEE = "set >seen" if sys.platform == "win32" else "env >seen"


def facts(home: Path) -> dict[str, str]:
    lines = (home / "facts").read_text().replace(">\n", ">\0").split("\0")
    pairs = (line.partition("=") for line in lines if line)
    return {name.removeprefix("ORVIDEO_JOB_"): value[1:-1] for name, _, value in pairs}


def submit(*more: str, prompt: str = "a boat") -> tuple[str, ...]:
    return ("submit", prompt, "--sandbox", "--wait", *more)


def test_a_command_is_told_what_became_of_the_job(orvideo: Shell, home: Path) -> None:
    done = orvideo(*submit(*CHEAP, "-o", "boat.mp4", "--exec", TELL, "--json"))
    assert done.code == 0, done.err
    path = str(home / "boat.mp4")
    assert facts(home) == {
        "ID": done.json["id"], "STATUS": "completed", "PATH": path, "PATHS": path, "COST": "0.12",
        "MODEL": "google/veo-3.1-lite", "PROMPT": "a boat", "ERROR": "",
    }  # fmt: skip


@pytest.mark.drill("W26", "K10")
def test_a_program_finds_the_facts_in_its_environment_on_every_system(orvideo: Shell, home: Path) -> None:
    (home / "tell.py").write_text("import json, os; print(json.dumps(dict(os.environ)), file=open('told', 'w'))")
    env = {"OPENROUTER_API_KEY": KEY, "MY_COPY": KEY, "MINE": "kept"}
    line = shells.command_line([sys.executable, "tell.py"])
    done = orvideo(*submit(*CHEAP, "-o", "boat.mp4", "--exec", line, prompt='ein "Böot" & 紙 %PATH% $HOME'), env=env)
    assert done.code == 0, done.err
    told = json.loads((home / "told").read_text())
    assert told["ORVIDEO_JOB_PROMPT"] == 'ein "Böot" & 紙 %PATH% $HOME'
    assert told["ORVIDEO_JOB_PATH"] == str(home / "boat.mp4")
    assert (told["MINE"], KEY in told.values()) == ("kept", False)


def test_what_it_prints_joins_the_story_and_stdout_stays_the_answer(orvideo: Shell) -> None:
    done = orvideo.process(*submit(*CHEAP, "-o", "boat.mp4", "-q", "--exec", "echo out; echo err >&2"))
    assert (done.code, done.out, done.err) == (0, "boat.mp4\n", "out\nerr\n")


def test_it_does_not_eat_the_input_of_a_loop(orvideo: Shell, home: Path) -> None:
    done = orvideo.process("submit", "-", "--sandbox", "--wait", *CHEAP, "--exec", "cat >eaten", stdin=b"a boat")
    assert done.code == 0, done.err
    assert (home / "eaten").read_bytes() == b""


def test_several_videos_are_named_one_a_line(orvideo: Shell, home: Path) -> None:
    done = orvideo(*submit("-m", "sandbox/two-outputs", "-o", "boat.mp4", "--exec", TELL))
    assert done.code == 0, done.err
    told = facts(home)
    assert told["PATHS"].split("\n") == [str(home / "boat.mp4"), str(home / "boat-2.mp4")]
    assert told["PATH"] == str(home / "boat.mp4")


@pytest.mark.parametrize(
    ("model", "status", "code"), [("sandbox/fails", "failed", 3), ("sandbox/expires", "expired", 3)]
)
def test_a_bad_end_is_an_end(orvideo: Shell, home: Path, model: str, status: str, code: int) -> None:
    done = orvideo(*submit("-m", model, "-o", "boat.mp4", "--exec", TELL))
    assert done.code == code
    told = facts(home)
    assert (told["STATUS"], told["PATH"]) == (status, "")
    assert told["ERROR"]


def test_a_timeout_is_no_end(orvideo: Shell, home: Path) -> None:
    done = orvideo(*submit("-m", "sandbox/slow", "--timeout", "4s", "--exec", TELL),
                   env={"ORVIDEO_SANDBOX_SPEED": "1"})  # fmt: skip
    assert done.code == 8
    assert not (home / "facts").exists()


def test_wait_tells_of_each_job_once(orvideo: Shell, home: Path) -> None:
    names = {orvideo("submit", "a boat", "--sandbox", *CHEAP).lines[0] for _ in range(2)}
    names |= {orvideo("submit", "a boat", "--sandbox", "-m", "sandbox/fails").lines[0]}
    done = orvideo("wait", "--all", "--exec", 'echo "$ORVIDEO_JOB_ID" >>told')
    assert done.code == 3
    assert sorted((home / "told").read_text().split()) == sorted(names)


@pytest.mark.parametrize("prompt", ["$(touch pwned) `touch pwned`; touch pwned\n'\"", "ein Boot, 紙の船"])
def test_a_prompt_is_a_value_and_never_a_command(orvideo: Shell, home: Path, prompt: str) -> None:
    (home / "prompt").write_text(prompt, encoding="utf-8")
    line = ("submit", "--prompt-file", "prompt", "--sandbox", "--wait", *CHEAP, "--exec", TELL)
    done = orvideo.process(*line, env={"LC_ALL": "C", "LANG": "C"})
    assert done.code == 0, done.err
    # No variable can hold a NUL: it is left out.
    assert facts(home)["PROMPT"] == prompt.replace("\0", "")
    assert not (home / "pwned").exists()


def test_no_fact_breaks_the_environment() -> None:
    record = RECORD._replace(prompt="a\0b" + "x" * 200_000, error="\ud800" * 200_000, cost=None)
    told = facts_of(record)
    assert list(told) == [name for name, _ in VARIABLES]
    assert told["ORVIDEO_JOB_COST"] == ""
    assert told["ORVIDEO_JOB_PROMPT"].startswith("abx")
    assert all(len(value) <= 16_000 for value in told.values())


@pytest.mark.drill("K10")
def test_the_command_is_not_told_the_key(orvideo: Shell, home: Path) -> None:
    env = {"OPENROUTER_API_KEY": KEY, "MY_COPY": KEY, "MY_HEADER": f"Bearer {KEY}", "MINE": "kept"}
    done = orvideo(*submit(*CHEAP, "--exec", SEE), env=env)
    assert done.code == 0, done.err
    seen = (home / "seen").read_text()
    assert KEY not in seen
    assert "MINE=kept" in seen


def test_the_command_has_the_surroundings_of_orvideo_and_the_facts(orvideo: Shell, home: Path) -> None:
    done = orvideo.process(*submit(*CHEAP, "--exec", SEE), env={"MINE": "kept"})
    assert done.code == 0, done.err
    seen = {line.partition("=")[0] for line in (home / "seen").read_text().splitlines()}
    assert "MINE" in seen
    # What a shell sets by itself is no addition of ours.
    assert seen - {"PWD", "OLDPWD", "SHLVL", "_"} <= {*orvideo.environ, "MINE", *(name for name, _ in VARIABLES)}


@pytest.mark.drill("K10")
def test_a_stored_key_is_no_variable_either(orvideo: Shell, home: Path) -> None:
    settings = Settings({**orvideo.environ, "MY_COPY": KEY, "OPENROUTER_API_KEY": "another"})
    settings.store_api_key(KEY)
    assert {"MY_COPY", "OPENROUTER_API_KEY"}.isdisjoint(settings.environ_without_key())
    assert "HOME" in settings.environ_without_key()


def test_what_goes_wrong_in_the_command_is_a_warning_and_no_other_code(orvideo: Shell) -> None:
    done = orvideo(*submit(*CHEAP, "-o", "boat.mp4", "--exec", "exit 3"))
    assert (done.code, done.lines) == (0, ["boat.mp4"])
    assert "warning: --exec: it ended with code 3: exit 3" in done.err


def test_a_command_that_a_signal_ended_says_so(orvideo: Shell) -> None:
    orvideo(*submit(*CHEAP, "-o", "boat.mp4"))
    assert "ended by signal 9" in orvideo("wait", "@1", "--exec", "kill -9 $$").err


@pytest.mark.parametrize(("line", "says"), [(["--exec", "true"], "--exec"), (["--notify"], "--notify"),
                                            (["--wait", "--exec", " "], "needs a value")])  # fmt: skip
def test_a_wish_that_cannot_be_fulfilled_sends_nothing(orvideo: Shell, line: list[str], says: str) -> None:
    done = orvideo("submit", "a boat", "--sandbox", *line)
    assert done.code == 2
    assert says in done.err
    assert orvideo("jobs", "--json").json == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_too_and_does_not_say_that_the_job_goes_on(
    orvideo: Shell, home: Path, number: signal.Signals
) -> None:
    hook = "trap 'echo stopped >>trace; exit 1' INT TERM; echo begun >>trace; while :; do sleep 0.1; done"
    line = submit(*CHEAP, "-o", "boat.mp4", "--exec", hook)
    child = orvideo.popen(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    while not (home / "trace").exists():
        assert child.poll() is None
        time.sleep(0.02)
    os.killpg(child.pid, number) if number == signal.SIGINT else child.send_signal(number)
    _, story = child.communicate(timeout=240)
    assert child.returncode == 128 + number
    assert (home / "trace").read_text().split() == ["begun", "stopped"]
    assert b"is at its end already" in story
    assert b"goes on" not in story
    assert (home / "boat.mp4").exists()


def test_the_facts_are_no_settings_and_no_misspelt_ones(orvideo: Shell) -> None:
    assert all(name.startswith(JOB_VARIABLES) for name, _ in VARIABLES)
    assert not any(variable.startswith(JOB_VARIABLES) for one in DEFINITIONS for variable in one.variables)
    told = dict.fromkeys((name for name, _ in VARIABLES), "x")
    assert Settings({**orvideo.environ, **told}).warnings() == []


# --- --notify --------------------------------------------------------------------------------------------------------


def desktop(home: Path, script: str) -> dict[str, str]:
    """Return an environment whose notify-send is `script`."""
    folder = home / "desktop"
    folder.mkdir()
    program = folder / "notify-send"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "OPENROUTER_API_KEY": KEY}


def test_a_desktop_is_notified_with_the_words_as_they_are(orvideo: Shell, home: Path) -> None:
    env = desktop(home, 'printf "<%s>\\n" "$@" >shown; env >seen')
    line = submit(*CHEAP, "--notify", prompt="-")
    done = orvideo(*line, env={**env, "CI": "1"}, stdin="--a <b>bold</b> & $(touch pwned) boat", tty=True)
    assert done.code == 0, done.err
    assert "\a" not in done.err
    name = orvideo("jobs", "--json").json[0]["id"]
    body = "--a &lt;b&gt;bold&lt;/b&gt; &amp; $(touch pwned) boat"
    assert (home / "shown").read_text().splitlines() == [
        "<--app-name=orvideo>", "<-->", f"<completed: {name}>", f"<{body}>",
    ]  # fmt: skip
    assert KEY not in (home / "seen").read_text()


def test_without_a_desktop_the_bell_rings_on_a_terminal_alone(orvideo: Shell, home: Path) -> None:
    env = desktop(home, "exit 1")
    assert orvideo(*submit(*CHEAP, "--notify"), env=env, tty=True).err.count("\a") == 1
    assert "\a" not in orvideo(*submit(*CHEAP, "--notify"), env=env).err


def test_a_mac_gets_the_words_as_arguments_of_a_script_that_is_always_the_same(tmp_path: Path) -> None:
    program = tmp_path / "osascript"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    record = RECORD._replace(prompt='" & do shell script "x"\x1b')
    command = notification(record, "darwin", {"PATH": str(tmp_path)})
    assert command is not None
    assert command[-2:] == ["completed: vid_1", '" & do shell script "x"\\x1b']
    assert not any("do shell" in word for word in command[:-1])
    assert notification(record, "darwin", {"PATH": "/nonexistent"}) is None
    assert notification(record, "win32", {"PATH": str(tmp_path)}) is None


@pytest.mark.drill("W26")
@pytest.mark.parametrize(
    "line", ["echo %ORVIDEO_JOB_PROMPT%", "echo %orvideo_job_error:~0,5%", "cmd /v /c echo !ORVIDEO_JOB_PROMPT!",
             "call echo %%ORVIDEO_JOB_PATH%%"],
)  # fmt: skip
def test_w26_on_windows_no_fact_becomes_part_of_the_line(orvideo: Shell, line: str) -> None:
    for argv in (submit("-o", "boat.mp4", "--exec", line), ("wait", "1", "--exec", line)):
        orvideo.platform = "win32"
        done = orvideo(*argv)
        assert done.code == 2
        assert "$env:ORVIDEO_JOB_PATH" in done.err
    assert orvideo("jobs", "--json").json == [], "nothing was bought"
    refuse_unsafe(line, "linux")


@pytest.mark.drill("W26")
@pytest.mark.parametrize("line", [None, "powershell -File done.ps1", "copy %TEMP%\\a b", "echo $env:ORVIDEO_JOB_ID"])
def test_w26_a_line_without_facts_is_taken_on_windows(line: str | None) -> None:
    refuse_unsafe(line, "win32")
