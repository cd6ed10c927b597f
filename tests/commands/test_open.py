"""`orvideo open`: a player that notes what it was given, a desktop that is one, and stills in a pseudo-terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pexpect
import pytest
from PIL import Image

from orvideo.film.moment import LAST, Moment
from orvideo.film.stills import info, still
from tests.output import pictures
from tests.output.screens import Screen
from tests.shell import COMMAND, KEY, Shell
from tests.terminal_session import TerminalSession

CHEAP = ("-m", "google/veo-3.1-lite", "-d", "4", "-r", "720p")
#: A player, which appends what it was given to a file beside it, and ends as NOTES says.
PLAYER = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(__file__)
with here.with_suffix(".notes").open("a") as file:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=file)
print("a player's own words")
sys.exit(int(os.environ.get("ENDS", "0")))
"""
DESKTOP = {"DISPLAY": ":9"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a job has made boat.mp4."""
    home = tmp_path_factory.mktemp("made")
    done = Shell(home)("submit", "a paper boat", "--sandbox", "--wait", "-o", str(home / "boat.mp4"), *CHEAP)
    assert done.code == 0, done.err
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """A copy of it, of which the record still names the film in the home that it was made in."""
    return Path(shutil.copytree(made, tmp_path / "home"))


@pytest.fixture
def boat(made: Path) -> Path:
    return made / "boat.mp4"


def program(folder: Path, name: str) -> Path:
    """Put the player into a folder under a name."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(PLAYER)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def notes(player: Path) -> list[tuple[list[str], dict[str, str]]]:
    """Return the arguments and the environment of each time that it was started."""
    path = player.with_suffix(".notes")
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


# With a command


def test_a_command_gets_all_videos_and_never_the_key(orvideo: Shell, home: Path, boat: Path) -> None:
    player = program(home / "bin", "player")
    other = Path(shutil.copy(boat, home / "it's a; $(copy).mp4"))
    env = {"OPENROUTER_API_KEY": KEY, "MY_COPY": f"x{KEY}", "MINE": "kept"}
    done = orvideo("open", "1", str(other), "--with", f"{player} --fs 'two words'", env=env)
    assert (done.code, done.err) == (0, "")
    assert done.lines == [str(boat), str(other)]
    ((arguments, environ),) = notes(player)
    assert arguments == ["--fs", "two words", str(boat), str(other)]
    assert environ["MINE"] == "kept"
    assert not [value for value in environ.values() if KEY in value]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [("--in {} --loop", ["--in", "BOAT", "--loop"]), ("--in={} {}", ["--in=BOAT", "BOAT"]), ("", ["BOAT"])],
)
def test_the_path_is_put_where_the_command_says(
    orvideo: Shell, home: Path, boat: Path, line: str, arguments: list[str]
) -> None:
    player = program(home / "bin", "player")
    assert orvideo("open", "1", "--with", f"{player} {line}").code == 0
    assert notes(player)[0][0] == [one.replace("BOAT", str(boat)) for one in arguments]


def test_the_setting_and_its_variable_name_the_player_and_the_line_beats_them(orvideo: Shell, home: Path) -> None:
    first, second, third = (program(home / "bin", name) for name in ("first", "second", "third"))
    assert orvideo("config", "set", "player", f"{first} --loop").code == 0
    assert orvideo("open", "1").code == 0
    assert orvideo("open", "1", env={"ORVIDEO_PLAYER": str(second)}).code == 0
    assert orvideo("open", "1", "--with", str(third), env={"ORVIDEO_PLAYER": str(second)}).code == 0
    assert [len(notes(one)) for one in (first, second, third)] == [1, 1, 1]
    assert notes(first)[0][0][0] == "--loop"


def test_a_player_that_fails_is_told_with_its_code_and_the_path_is_answered(
    orvideo: Shell, home: Path, boat: Path
) -> None:
    player = program(home / "bin", "player")
    done = orvideo("open", "1", "--with", str(player), env={"ENDS": "3"})
    assert (done.code, done.lines) == (2, [str(boat)])
    assert f"error: The player ended with code 3: {player}" in done.err
    document = orvideo("open", "1", "--with", str(player), "--json", env={"ENDS": "3"})
    assert document.json[0]["path"] == str(boat)
    assert document.error["exit_code"] == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("no-such-player {}", "There is no program no-such-player here"),
        ("'open", "is not a command"),
        ("''", "is not a command"),
        (" ", "needs a value"),
    ],
)
def test_what_is_no_command_is_refused(orvideo: Shell, line: str, told: str) -> None:
    done = orvideo("open", "1", "--with", line)
    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_what_a_player_prints_is_no_part_of_the_answer(orvideo: Shell, home: Path, boat: Path) -> None:
    player = program(home / "bin", "player")
    done = orvideo.process("open", "1", "--with", str(player))
    assert (done.code, done.out) == (0, f"{boat}\n")
    assert "a player's own words" in done.err
    assert orvideo.process("open", "1", "--with", str(player), "--json").json == [
        {"path": str(boat), "job_id": orvideo("jobs", "show", "1", "--json").json["id"], "index": 0}
    ]


def test_on_a_terminal_too_a_json_document_stays_alone(orvideo: Shell, home: Path) -> None:
    player = program(home / "bin", "player")
    screen = Screen(80)
    with screen.stream() as stdout:
        child = orvideo.popen("open", "1", "--with", str(player), "--json", stdout=stdout, stderr=subprocess.PIPE)
        _, err = child.communicate()
    assert b"a player's own words" in err
    screen.wait_for(lambda lines: lines[-1] == "]")
    assert b"own words" not in screen.raw
    screen.close()


def test_a_player_has_the_terminal_and_ctrl_c_is_for_it_first(orvideo: Shell, home: Path) -> None:
    player = home / "asks.sh"
    player.write_text(
        "trap 'sleep 0.5; echo it is told; exit 0' INT; [ -t 0 ] && [ -t 1 ] && echo has the terminal; read answer\n"
    )
    spawned = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], "open", "1", "--with", f"sh {player} {{}}"], env=orvideo.environ, timeout=60
    )
    spawned.expect("has the terminal")
    spawned.sendintr()
    spawned.expect("it is told")
    spawned.expect(pexpect.EOF)
    spawned.close()
    assert spawned.exitstatus == 128 + signal.SIGINT


# With the system's player


@pytest.mark.parametrize(
    ("platform", "name", "env"),
    [
        ("linux", "xdg-open", DESKTOP),
        ("linux", "xdg-open", {"WAYLAND_DISPLAY": "wayland-0"}),
        ("linux", "gio", DESKTOP),
        ("linux", "wslview", {"WSL_DISTRO_NAME": "Debian"}),
        ("darwin", "open", {}),
    ],
)
def test_the_system_opens_each_video_and_never_gets_the_key(
    orvideo: Shell, home: Path, boat: Path, platform: str, name: str, env: Mapping[str, str]
) -> None:
    player = program(home / "bin", name)
    other = Path(shutil.copy(boat, home / "other.mp4"))
    orvideo.platform, orvideo.environ["PATH"] = platform, str(player.parent)
    done = orvideo("open", "1", str(other), env={**env, "OPENROUTER_API_KEY": KEY})
    assert (done.code, done.lines) == (0, [str(boat), str(other)]), done.err
    more = ["open"] if name == "gio" else []
    assert sorted(arguments for arguments, _ in notes(player)) == sorted([[*more, str(boat)], [*more, str(other)]])
    assert not [value for _, environ in notes(player) for value in environ.values() if KEY in value]


@pytest.mark.parametrize("env", [{}, DESKTOP])
def test_where_there_is_no_player_the_error_names_the_path_and_the_option(
    orvideo: Shell, home: Path, boat: Path, env: Mapping[str, str]
) -> None:
    program(home / "bin", "xdg-open" if not env else "nothing")
    orvideo.platform, orvideo.environ["PATH"] = "linux", str(home / "bin")
    done = orvideo("open", "1", env=env)
    assert (done.code, done.lines) == (2, [str(boat)])
    assert f"no desktop here that could play {boat}" in done.err
    assert f"orvideo open {boat} --with mpv" in done.err


def test_a_system_that_refuses_is_told(orvideo: Shell, home: Path) -> None:
    player = program(home / "bin", "xdg-open")
    orvideo.platform, orvideo.environ["PATH"] = "linux", str(player.parent)
    done = orvideo("open", "1", env={**DESKTOP, "ENDS": "4"})
    assert done.code == 2
    assert "xdg-open ended with code 4" in done.err


def test_a_video_that_is_not_here_is_fetched_first(orvideo: Shell, home: Path) -> None:
    player = program(home / "bin", "player")
    job = orvideo("submit", "a harbour", "--sandbox", "-o", "clips/", *CHEAP).lines[0]
    done = orvideo("wait", job, "--timeout", "0s")
    done = orvideo("open", job, "--with", str(player))
    assert done.code in (0, 10), done.err
    while done.code != 0:  # it is not at its end yet
        done = orvideo("open", job, "--with", str(player))
    (path,) = done.lines
    assert Path(path).parent == home / "clips"
    assert notes(player)[-1][0] == [path]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ((), "A job or a video file is needed"),
        (("nothing.mp4",), "There is no video file nothing.mp4"),
        (("77",), "No job in the record is called '77'"),
        (("1", "--terminal", "--with", "mpv"), "one at a time"),
        (("1", "--terminal", "--json"), "--json is for a program"),
        (("1", "--terminal"), "stdout is none"),
    ],
)
def test_a_line_that_makes_no_sense_says_why(orvideo: Shell, line: tuple[str, ...], told: str) -> None:
    done = orvideo("open", *line)
    assert (done.code, done.out) == (2, "")
    assert told in " ".join(done.err.split())


# In the terminal


def seen(shell: Shell, *line: str, env: Mapping[str, str], columns: int = 80, code: int = 0) -> str:
    """Return what a command sends to a pseudo-terminal until it ends with a code."""
    spawned = pexpect.spawn(
        COMMAND[0], [*COMMAND[1:], *line], env={**shell.environ, "COLUMNS": "", **env}, timeout=60,
        dimensions=(24, columns), echo=False,
    )  # fmt: skip
    sent: bytes = spawned.read()
    spawned.close()
    assert spawned.exitstatus == code, sent
    return sent.decode().replace("\r\n", "\n")


def middle(boat: Path) -> Image.Image:
    return still(boat, Moment(info(boat).seconds / 2)).image


TERMINALS: list[tuple[dict[str, str], Callable[[str], pictures.Seen]]] = [
    ({"TERM": "xterm-kitty"}, pictures.kitty),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, pictures.iterm2),
    ({"TERM": "foot"}, pictures.sixel),
    ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, pictures.blocks),
    ({"TERM": "xterm", "ORVIDEO_PICTURES": "kitty"}, pictures.kitty),
]


@pytest.mark.long
@pytest.mark.parametrize(("env", "decode"), TERMINALS)
def test_the_page_of_a_job_ends_with_its_still_as_the_terminal_draws_it(
    orvideo: Shell, boat: Path, env: dict[str, str], decode: Callable[[str], pictures.Seen]
) -> None:
    sent = seen(orvideo, "jobs", "show", "1", env=env)
    image = decode(sent).image
    close = middle(boat).resize(image.size)
    # kitty and iTerm2 get every pixel; sixel has 256 colours.
    most = 8 if decode is pictures.sixel else 0
    distances = [abs(a - b) for a, b in zip(image.tobytes(), close.tobytes(), strict=True)]
    assert sum(distances) / len(distances) <= most
    # Nothing is asked of the terminal.
    assert not any(question in sent for question in ("\x1b[c", "\x1b[16t", "\x1b[14t", "a=q", "\x1b[6n", "\x1b[>"))


@pytest.mark.parametrize(
    "env",
    [
        {"TERM": "dumb"},
        {"TERM": "linux"},
        {"TERM": "xterm-kitty", "NO_COLOR": "1"},
        {"TERM": "xterm-kitty", "CI": "1"},
        {"TERM": "xterm-kitty", "ORVIDEO_PICTURES": "off"},
    ],
)
def test_no_still_is_drawn_where_none_is_wanted(orvideo: Shell, env: dict[str, str]) -> None:
    sent = seen(orvideo, "jobs", "show", "1", env=env)
    assert "a paper boat" in sent
    assert not any(sign in sent for sign in ("\x1b_G", "\x1bP", "\x1b]1337", "▀"))


def test_the_line_switches_the_still_off(orvideo: Shell) -> None:
    assert "\x1b_G" not in seen(orvideo, "jobs", "show", "1", "--no-picture", env={"TERM": "xterm-kitty"})


def test_a_setting_that_makes_no_sense_stops_only_what_would_draw(orvideo: Shell) -> None:
    env = {"TERM": "xterm-kitty", "ORVIDEO_PICTURES": "png"}
    assert orvideo("jobs", "show", "1", env=env).code == 0
    assert orvideo("jobs", "show", "1", "--no-picture", tty=True, env=env).code == 0
    done = orvideo("jobs", "show", "1", tty=True, env=env)
    assert (done.code, done.out) == (2, "")
    assert "'png' is not one of auto, off, kitty, iterm2, sixel, blocks" in " ".join(done.err.split())


def test_no_pipe_and_no_json_gets_a_still(orvideo: Shell) -> None:
    env = {"TERM": "xterm-kitty", "ORVIDEO_PICTURES": "kitty"}
    assert "\x1b" not in orvideo("jobs", "show", "1", env=env).out
    assert orvideo("jobs", "show", "1", "--json", tty=True, env=env).json["prompt"] == "a paper boat"


def test_a_job_whose_video_is_gone_or_broken_is_shown_without_it(orvideo: Shell, home: Path, boat: Path) -> None:
    whole = boat.read_bytes()
    try:
        for content in (b"no video", whole[: len(whole) // 2], None):
            boat.unlink()
            if content is not None:
                boat.write_bytes(content)
            done = orvideo("jobs", "show", "1", tty=True, env={"TERM": "xterm-kitty"})
            assert (done.code, done.err) == (0, "")
            assert "\x1b_G" not in done.out
    finally:
        boat.write_bytes(whole)


def test_open_draws_the_still_that_is_asked_for_and_answers_with_the_path(orvideo: Shell, boat: Path) -> None:
    last = still(boat, LAST).image
    for word in ("1:last", f"{boat}:last"):
        sent = seen(orvideo, "open", "--terminal", word, env={"TERM": "xterm-kitty"})
        image = pictures.kitty(sent).image
        assert image.tobytes() == last.resize(image.size).tobytes()
        assert str(boat) in sent.splitlines()[-1]


def test_a_still_fits_40_columns(orvideo: Shell) -> None:
    env = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    assert pictures.blocks(seen(orvideo, "open", "--terminal", "1", env=env, columns=40)).image.size == (39, 22)


@pytest.mark.parametrize(
    ("env", "why", "hint"),
    [
        ({"TERM": "xterm"}, "is not known to draw pictures", "orvideo config set pictures blocks"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "where NO_COLOR is set", "unset NO_COLOR"),
        ({"TERM": "xterm-kitty", "CI": "1"}, "where CI is set", "unset CI"),
        ({"TERM": "dumb"}, "where TERM is dumb", "orvideo frame 1 -o still.png"),
        ({"ORVIDEO_PICTURES": "off"}, "switched off by ORVIDEO_PICTURES", "unset ORVIDEO_PICTURES"),
    ],
)
def test_open_says_why_nothing_is_drawn(orvideo: Shell, env: dict[str, str], why: str, hint: str) -> None:
    done = orvideo("open", "--terminal", "1", tty=True, env={"COLUMNS": "200", **env})
    assert (done.code, done.out) == (2, "")
    assert why in done.err
    assert hint in done.err


@pytest.mark.long
def test_what_is_typed_meanwhile_stays_typed(orvideo: Shell, home: Path) -> None:
    environ = {**orvideo.environ, "PATH": f"{Path(COMMAND[0]).parent}{os.pathsep}{orvideo.environ['PATH']}"}
    with TerminalSession(home, {**environ, "ORVIDEO_PICTURES": "blocks", "COLORTERM": "truecolor"}) as terminal:
        typed = terminal.type("sleep 1; orvideo open --terminal 1; read word; echo got $word\nahead")
    assert typed.shown[-1] == "got ahead"


@pytest.mark.long
@pytest.mark.parametrize("library", ["av", "PIL", "textual_image"])
def test_without_the_extra_the_page_has_no_still_and_open_says_the_line_that_installs_it(
    orvideo: Shell, home: Path, library: str
) -> None:
    (home / "without").mkdir()
    (home / "without" / f"{library}.py").write_text(f"raise ModuleNotFoundError(name={library!r})")
    env = {"TERM": "foot", "PYTHONPATH": str(home / "without")}
    sent = seen(orvideo, "jobs", "show", "1", env=env)
    assert "a paper boat" in sent
    assert "\x1bP" not in sent
    told = seen(orvideo, "open", "--terminal", "1", env=env, code=2)
    assert f"{library}, which is not installed" in " ".join(told.split())
    assert "orvideo[film]" in told


# Links


def test_paths_in_the_list_and_the_page_are_links(orvideo: Shell, boat: Path) -> None:
    for line in (("jobs",), ("jobs", "show", "1", "--no-picture"), ("jobs", "--columns", "id,file")):
        shown = orvideo(*line, tty=True, env={"TERM": "xterm-256color"}).out
        assert f"{boat.as_uri().removeprefix('file://')}\x1b\\" in shown, line
        assert "\x1b]8;;file://" not in orvideo(*line, tty=True, env={"TERM": "linux"}).out
        assert "\x1b" not in orvideo(*line, env={"TERM": "xterm-256color"}).out


# Progress


@pytest.mark.drill("F-D13")
@pytest.mark.long
@pytest.mark.parametrize(
    ("more", "code"),
    [(CHEAP, 0), (("-m", "sandbox/fails"), 3), (("-m", "sandbox/slow"), 128 + signal.SIGINT)],
    ids=["by itself", "by an error", "by Ctrl-C"],
)
def test_d13_the_tab_shows_that_a_job_runs_and_nothing_when_the_command_has_ended(
    orvideo: Shell, more: tuple[str, ...], code: int
) -> None:
    # A job that ends at once is over before anything is drawn.
    speed = "1" if code > 128 else "10"
    env = {**orvideo.environ, "TERM": "xterm-256color", "WT_SESSION": "1", "ORVIDEO_SANDBOX_SPEED": speed}
    line = ["submit", "a tab", "--sandbox", "--wait", "-o", "tab.mp4", *more]
    spawned = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *line], env=env, timeout=60)
    spawned.expect_exact("\x1b]9;4;3;0\x1b\\")
    if code > 128:
        spawned.expect("pending|in_progress")
        spawned.sendintr()
    rest = spawned.read().decode()
    spawned.close()
    assert spawned.exitstatus == code
    told = re.findall(r"\x1b\]9;4;(\d);\d+\x1b\\", rest)
    assert told[-1] == "0"
    assert "2" not in told
