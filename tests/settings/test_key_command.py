"""`api-key-command`: what is run, when, with what around it, and what becomes of what it prints."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orvideo.errors import AuthError
from orvideo.settings.key_command import KeyCommand, ask_command
from tests.commands.payers import CLIENT_A, MINE, TELL, Payers, tail
from tests.drills.service import ORDER
from tests.shell import Shell

pytestmark = pytest.mark.drill("K16")

COMMAND_KEY = "sk-or-v1-0123456789abcdef-of-command"
Write = Callable[..., str]


@pytest.fixture
def write(home: Path) -> Write:
    """Write a program that notes each run and what it finds around it; return the command that runs it."""

    def make(body: str = f"print({COMMAND_KEY!r})") -> str:
        program = home / "vault.py"
        program.write_text(
            "import json, os, sys, time\n"
            "here = os.path.dirname(os.path.abspath(__file__))\n"
            "with open(os.path.join(here, 'runs'), 'a') as runs:\n"
            "    runs.write(json.dumps(dict(os.environ)) + '\\n')\n" + body + "\n"
        )
        words = [sys.executable, str(program), "entry"]
        return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)

    return make


def runs(home: Path) -> list[str]:
    file = home / "runs"
    return file.read_text().splitlines() if file.exists() else []


def use(orvideo: Shell, command: str, *more: str) -> None:
    done = orvideo("config", "set", "api-key-command", command, *more)
    assert done.code == 0, done.err


def keep_base_url(orvideo: Shell, server: Payers) -> None:
    assert orvideo("config", "set", "base-url", server.url).code == 0


def test_the_first_line_that_a_command_prints_is_the_key(orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write(f"print({COMMAND_KEY!r}); print('user: somebody'); print('x' * 1_000_000)"))
    with Payers() as server:
        keep_base_url(orvideo, server)
        done = orvideo("submit", *ORDER, "--wait", "-o", "boat.mp4")
        assert done.code == 0, done.err
        assert server.payers() == {"of-command"}
    assert len(runs(home)) == 1
    for path in home.rglob("*"):
        assert not path.is_file() or path.name == "vault.py" or COMMAND_KEY.encode() not in path.read_bytes(), path
    assert COMMAND_KEY not in done.out + done.err


def test_it_is_run_once_for_all_that_a_process_does(orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write())
    (home / "rows.txt").write_text("one\ntwo\nthree\n")
    with Payers() as server:
        keep_base_url(orvideo, server)
        done = orvideo("batch", "rows.txt", *ORDER[1:], "--yes", "-o", str(home))
        assert done.code == 0, done.err
        assert server.count("POST") == 3
        assert orvideo("doctor").code == 0
    assert len(runs(home)) == 2


def test_it_is_run_only_where_a_key_is_needed(orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write())
    for line in (
        ["--help"], ["submit", "--help"], ["jobs"], ["config", "list"], ["config", "get", "api-key"],
        ["config", "get", "api-key-command"], ["config", "profiles"], ["help", "environment"],
        ["submit", *ORDER, "--sandbox"], ["submit", *ORDER, "--dry-run", "--sandbox"],
    ):  # fmt: skip
        done = orvideo(*line)
        assert done.code == 0, done.err
    for kind in ("profiles", "models", "jobs"):
        assert orvideo.process("__complete", kind, "", "submit").code == 0
    with Payers() as server:
        env = {"OPENROUTER_API_KEY": MINE, "OPENROUTER_BASE_URL": server.url}
        assert orvideo("submit", *ORDER, env=env).code == 0
        assert server.payers() == {tail(MINE)}
    assert runs(home) == []


def test_what_wins_is_said_without_running_it(orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write())
    name = Path(sys.executable).name
    with Payers() as server:
        keep_base_url(orvideo, server)
        stored = orvideo("config", "set", "api-key", stdin=MINE)
        assert "the api-key-command beats the stored key" in " ".join(stored.err.split())
        (listed,) = [one for one in orvideo("config", "list", "--json").json if one["name"] == "api-key"]
        file = str(home / "config" / "orvideo" / "api-key.json")
        assert (listed["value"], listed["source"], listed["where"]) == ("…", "command", f"api-key-command ({name})")
        assert listed["beaten"] == [file]
        beaten = orvideo("config", "get", "api-key", "--json", env={"OPENROUTER_API_KEY": CLIENT_A}).json
        assert (beaten["where"], beaten["beaten"]) == ("OPENROUTER_API_KEY", [f"api-key-command ({name})", file])
        assert runs(home) == []
        looked = orvideo("doctor")
        assert f"…mand from api-key-command ({name}) (beats {file}): accepted" in " ".join(looked.out.split())


def test_a_child_is_told_no_key(orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write())
    with Payers() as server:
        keep_base_url(orvideo, server)
        assert orvideo("config", "set", "api-key", stdin=MINE).code == 0
        done = orvideo(
            "submit", *ORDER, "--wait", "--exec", TELL, env={"COPY": f"x{MINE}", "OWN": COMMAND_KEY, "KEPT": "yes"}
        )
    assert done.code == 0, done.err
    (told,) = runs(home)
    assert "KEPT" in told
    assert MINE not in told
    hook = (home / "told").read_text()
    assert "KEPT" in hook
    assert MINE not in hook
    assert COMMAND_KEY not in hook  # it is known by then


@pytest.mark.drill("N17")
def test_its_key_goes_where_config_toml_says_and_nowhere_else(orvideo: Shell, write: Write) -> None:
    use(orvideo, write())
    with Payers() as server:
        done = orvideo("submit", *ORDER, "--json", env={"OPENROUTER_BASE_URL": server.url})
        assert (done.code, server.payers(), server.count("POST")) == (15, set(), 0)
        assert "is for https://openrouter.ai and is not sent to" in done.error["message"]
        keep_base_url(orvideo, server)
        assert orvideo("submit", *ORDER).code == 0


BAD = {
    "fails": ("print('sk-or-v1-canary'); sys.exit(3)", "it ended with code 3"),
    "prints nothing": ("pass", "its first line is empty"),
    "prints an empty line": ("print(); print('sk-or-v1-canary')", "its first line is empty"),
    "prints a sentence": ("print('no such entry: canary')", "there is a space in it"),
    "prints bytes": ("sys.stdout.buffer.write(b'\\xff\\xfecanary\\n')", "it is not text"),
    "prints one endless line": ("print('canary' * 100_000)", "it is longer than"),
}


@pytest.mark.parametrize(("body", "why"), BAD.values(), ids=BAD)
def test_what_a_command_says_is_never_told(body: str, why: str, orvideo: Shell, write: Write) -> None:
    command = write(body)
    use(orvideo, command)
    with Payers() as server:
        keep_base_url(orvideo, server)
        done = orvideo("submit", *ORDER, "--json")
        assert (done.code, server.count("POST")) == (4, 0)
    assert why in done.error["message"]
    assert Path(sys.executable).name in done.error["message"]
    assert done.error["hint"] == f"try it: {command}"
    assert "canary" not in done.out + done.err


def test_a_program_that_is_not_there_is_named(orvideo: Shell) -> None:
    use(orvideo, "no-such-vault show openrouter")
    done = orvideo("submit", *ORDER, "--json")
    assert done.code == 4
    assert done.error["message"].startswith("api-key-command (no-such-vault) cannot be run: ")
    assert done.error["hint"] == "orvideo config set api-key-command COMMAND"


@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
@pytest.mark.parametrize(("name", "mode"), [("config.toml", 0o622), (".", 0o777)])
def test_what_others_can_write_is_not_run(name: str, mode: int, orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write())
    (home / "config" / "orvideo" / name).chmod(mode)
    done = orvideo("submit", *ORDER, "--json")
    assert (done.code, runs(home)) == (4, [])
    assert "is not run" in done.error["message"]
    assert done.error["hint"].startswith("chmod go-w ")


def test_a_key_is_no_part_of_the_command(orvideo: Shell) -> None:
    done = orvideo("config", "set", "api-key-command", f"echo {MINE}")
    assert done.code == 2
    assert MINE not in done.out + done.err


def asked(command: str, home: Path, *, is_stopped: Callable[[], bool] = lambda: False, longest: float = 60) -> str:
    file = home / "config.toml"
    made = KeyCommand(command, file, "https://openrouter.ai")
    return ask_command(made, dict(os.environ), is_stopped, longest=longest).reveal()


def test_a_command_that_takes_too_long_is_ended(home: Path, write: Write) -> None:
    command = write("open(os.path.join(here, 'pid'), 'w').write(str(os.getpid())); time.sleep(1000)")
    with pytest.raises(AuthError, match=r"gave no key within 0\.5 seconds"):
        asked(command, home, longest=0.5)  # that it is not left behind, every test checks


def test_a_signal_that_raises_nothing_ends_it_as_well(home: Path, write: Write) -> None:
    command = write("time.sleep(1000)")
    with pytest.raises(AuthError, match="was interrupted"):
        asked(command, home, is_stopped=lambda: len(runs(home)) > 0)


@pytest.mark.skipif(os.name != "posix", reason="signals mean nothing here")
@pytest.mark.parametrize("line", [["submit", *ORDER], ["wait", "1"], ["doctor"]], ids=lambda line: line[0])
def test_ctrl_c_ends_orvideo_and_the_command(line: list[str], orvideo: Shell, home: Path, write: Write) -> None:
    use(orvideo, write("time.sleep(1000)"))
    with Payers("in_progress") as server:
        keep_base_url(orvideo, server)
        # Only a job that is there can be waited for, and within a run signals raise nothing.
        assert orvideo("submit", *ORDER, env={"OPENROUTER_API_KEY": MINE}).code == 0
        process = orvideo.popen(*line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        while not runs(home) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, (out, err)
    assert b"Traceback" not in err


def test_a_command_may_be_asked_in_words_with_blanks(orvideo: Shell, home: Path, write: Write) -> None:
    (home / "a folder").mkdir()
    write(f"print({COMMAND_KEY!r} if sys.argv[1:] == ['$HOME; a \"b\"'] else 'no')")
    (home / "vault.py").rename(home / "a folder" / "vault.py")
    words = [sys.executable, str(home / "a folder" / "vault.py"), '$HOME; a "b"']
    command = subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
    assert asked(command, home) == COMMAND_KEY
