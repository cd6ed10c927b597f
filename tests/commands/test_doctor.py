"""`doctor` does not die of what it should diagnose: each line is a finding, with the command that mends it (F-C05)."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from orvideo import shells
from orvideo.context import sandbox_errors
from orvideo.errors import UsageError
from orvideo.installers import line_for
from orvideo.settings.warnings import shared_folder
from tests.drills.raw_server import RawServer, Reply
from tests.drills.service import model_list
from tests.drills.test_record import as_anybody
from tests.shell import KEY, SCRIPT, Shell

pytestmark = pytest.mark.drill("F-C05")


def looked(orvideo: Shell, *more: str, env: Mapping[str, str] | None = None, sandbox: bool = True) -> dict[str, Any]:
    """Run doctor, check what always holds, and return its findings by name; the exit code is under `code`."""
    line = ["doctor", "--json", *more, *(["--sandbox"] if sandbox else [])]
    done = orvideo(*line, env=env)
    assert done.code != 1, done.err
    assert "Traceback" not in done.err
    found: dict[str, Any] = {"code": done.code, "error": done.error if done.code else None}
    for check in done.json:
        assert check["ok"] or check["hint"], check
        assert "orvideo doctor" not in (check["hint"] or "")
        if check["name"] not in found or found[check["name"]]["ok"]:
            found[check["name"]] = check
    assert done.err.count('{"error"') == (1 if done.code else 0)
    return found


def state(home: Path) -> Path:
    return home / "state" / "orvideo"


def config(home: Path, name: str, content: bytes, mode: int = 0o600) -> None:
    path = home / "config" / "orvideo" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def a_file_in_the_way(home: Path) -> None:
    (home / "state").write_text("x")


def a_link_to_itself(home: Path) -> None:
    (home / "state").symlink_to("state")


def a_folder_for_a_record(home: Path) -> None:
    (state(home) / "jobs.db").mkdir(parents=True)


def no_record_at_all(home: Path) -> None:
    state(home).mkdir(parents=True)
    (state(home) / "jobs.db").write_bytes(b"x" * 4096)


def half_a_record(home: Path) -> None:
    state(home).mkdir(parents=True)
    (state(home) / "jobs.db").write_bytes(b"SQLite format 3\0")


def somebody_elses(home: Path) -> None:
    state(home).mkdir(parents=True)
    with sqlite3.connect(state(home) / "jobs.db") as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()


def a_newer_one(home: Path) -> None:
    Shell(home)("jobs")
    with sqlite3.connect(state(home) / "jobs.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def spoilt(change: str) -> Callable[[Path], None]:
    """Return what leaves a record that SQLite can read and orvideo cannot."""

    def broken(home: Path) -> None:
        Shell(home)("submit", "a boat", "--sandbox", "-q")
        with sqlite3.connect(state(home) / "jobs.db") as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(change)
        connection.close()

    broken.__name__ = change
    return broken


BROKEN = (
    spoilt("UPDATE jobs SET request = '{'"), spoilt("UPDATE jobs SET extra = '7'"), spoilt("DROP TABLE outputs"),
    spoilt("UPDATE jobs SET state = 'new'"), spoilt("UPDATE jobs SET created_at = 'x'"),
    a_file_in_the_way, a_link_to_itself, a_folder_for_a_record, no_record_at_all, half_a_record, somebody_elses,
    a_newer_one,
)  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda f: f.__name__)
def test_c05_a_record_that_cannot_be_used_is_a_finding(
    broken: Callable[[Path], None], home: Path, orvideo: Shell
) -> None:
    broken(home)
    found = looked(orvideo)
    assert found["code"] in (11, 14)
    assert not found["record"]["ok"]
    assert str(state(home)) in found["record"]["detail"]
    for line in (("jobs",), ("jobs", "show", "@1"), ("jobs", "--json")):
        done = orvideo(*line)
        assert done.code == 11, (line, done.err)
    assert orvideo("config", "list").code == 0


@pytest.mark.parametrize("read_only", [True, False])
def test_c05_what_this_user_may_not_touch_is_a_finding(read_only: bool, home: Path, orvideo: Shell) -> None:
    before = as_anybody()
    orvideo("jobs")
    state(home).chmod(0o500 if read_only else 0o000)
    command = [*before, str(SCRIPT), "doctor", "--json"]
    try:
        done = subprocess.run(command, env=orvideo.environ, cwd=home, capture_output=True, text=True, check=False)
    finally:
        state(home).chmod(0o700)
    record = {check["name"]: check for check in json.loads(done.stdout)}["record"]
    assert done.returncode in (4, 11)
    assert not record["ok"]
    assert str(state(home)) in record["detail"]
    assert "ORVIDEO_STATE_DIR" in record["hint"]


def set_to(name: str, value: str = "") -> str:
    """Return how the line begins that sets a variable to what begins so."""
    return shells.set_variable(name, value).removesuffix('"')


MOVE = shells.move("old", "new").removesuffix("old new")
SETTINGS: list[Any] = [
    ("config.toml", {}, "= x", 2, MOVE),
    ("config.toml", {}, "\x00\xff", 2, MOVE),
    ("config.toml", {}, 'duration = "never"', 2, "orvideo config unset duration"),
    ("config.toml", {}, "modle = 'x'", 0, "orvideo config unset modle"),
    ("config.toml", {}, "api-key = 'x'", 0, "orvideo config set api-key"),
    ("api-key.json", {}, "{", 4, "orvideo config set api-key"),
    ("api-key.json", {}, '{"key": "a b", "origin": "https://openrouter.ai"}', 4, "orvideo config set api-key"),
    ("", {"ORVIDEO_TIMEOUT": "never"}, "", 2, shells.unset_variable("ORVIDEO_TIMEOUT")),
    ("", {"ORVIDEO_DURATON": "4"}, "", 0, shells.copy_variable("ORVIDEO_DURATION", "ORVIDEO_DURATON")),
    ("", {"OPENROUTER_APIKEY": "x"}, "", 0, shells.copy_variable("OPENROUTER_API_KEY", "OPENROUTER_APIKEY")),
    ("", {"ORVIDEO_API_KEY": "x"}, "", 0, shells.copy_variable("OPENROUTER_API_KEY", "ORVIDEO_API_KEY")),
    ("", {"OPENROUTER_API_KEY": "a b"}, "", 2, shells.unset_variable("OPENROUTER_API_KEY")),
    ("", {"ORVIDEO_CONFIG_DIR": "here"}, "", 2, set_to("ORVIDEO_CONFIG_DIR")),
    pytest.param(
        "",
        {"HOME": "", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""},
        "",
        2,
        set_to("ORVIDEO_CONFIG_DIR"),
        marks=pytest.mark.skipif(os.name != "posix", reason="HOME and XDG mean nothing there"),
    ),
]


@pytest.mark.parametrize(("name", "env", "content", "code", "mend"), SETTINGS, ids=repr)
def test_c05_what_is_odd_about_the_settings_is_a_finding_with_what_mends_it(
    name: str, env: dict[str, str], content: str, code: int, mend: str, home: Path, orvideo: Shell
) -> None:
    if name:
        config(home, name, content.encode("latin-1"))
    found = looked(orvideo, env=env)
    assert found["code"] == code, found
    assert not found["settings"]["ok"]
    assert mend in found["settings"]["hint"]
    for line in (("jobs",), ("config", "list")):
        done = orvideo(*line, env=env)
        assert done.code in (0, 2, 11), (line, done.err)
        assert "This is a bug" not in done.err


@pytest.mark.skipif(os.name != "posix", reason="rights are told by modes")
def test_c05_a_loose_key_file_is_a_trouble(home: Path, orvideo: Shell) -> None:
    config(home, "api-key.json", json.dumps({"key": KEY, "origin": "https://openrouter.ai"}).encode(), 0o644)
    found = looked(orvideo)
    assert (found["code"], found["settings"]["ok"]) == (4, False)
    assert found["settings"]["hint"] == f"chmod 600 {home}/config/orvideo/api-key.json"


def test_c05_several_troubles_are_one_error_and_each_is_a_line(home: Path, orvideo: Shell) -> None:
    config(home, "config.toml", b"= x")
    a_file_in_the_way(home)
    done = orvideo("doctor")
    assert done.err.count("error: ") == 1
    assert "(record, settings)" in done.err
    assert done.out.count("PROBLEM: ") == 4
    assert done.out.count("not looked at, see settings") == 2
    assert done.out.count("mend it, or move the file aside") == 1


def test_c05_a_set_up_that_works_has_no_finding(orvideo: Shell) -> None:
    found = looked(orvideo)
    assert all(check["ok"] for name, check in found.items() if name not in ("code", "error"))


ROUTES: list[tuple[str, dict[str, Reply], int, str, str]] = [
    (
        "no base path",
        {"/videos/models": Reply(404, b"<html>")},
        6,
        "service",
        set_to("ORVIDEO_BASE_URL", "http://127.0.0.1"),
    ),
    (
        "a web site",
        {"/videos/models": Reply(200, b"<html>")},
        7,
        "service",
        set_to("ORVIDEO_BASE_URL", "http://127.0.0.1"),
    ),
    (
        "another API",
        {"/videos/models": Reply(200, {"hello": 1})},
        12,
        "service",
        set_to("ORVIDEO_BASE_URL", "http://127.0.0.1"),
    ),
    (
        "a gateway",
        {"/videos/models": Reply(404, {"detail": "x"})},
        6,
        "service",
        set_to("ORVIDEO_BASE_URL", "http://127.0.0.1"),
    ),
    ("no /key", {"/videos/models": Reply(200, model_list())}, 0, "key", set_to("ORVIDEO_BASE_URL")),
    ("down", {"/videos/models": Reply(502, b"<html>")}, 7, "service", "orvideo config list"),
]


@pytest.mark.drill("F-C13")
@pytest.mark.parametrize(
    ("what", "routes", "code", "name", "mend"), ROUTES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_c13_what_answers_where_the_api_should_be_is_a_finding(
    what: str, routes: dict[str, Reply], code: int, name: str, mend: str, orvideo: Shell
) -> None:
    # A base URL without /api/v1, of an origin that knows no key.
    with RawServer(Reply(404, b"<html>"), routes=dict(routes)) as server:
        env = {"ORVIDEO_BASE_URL": server.origin, "OPENROUTER_API_KEY": KEY}
        found = looked(orvideo, env=env, sandbox=False)
        assert (found["code"], found[name]["ok"]) == (code, False), found
        assert mend in found[name]["hint"]
        if name == "service":
            submitted = orvideo("submit", "x", "--json", env=env)
            listed = orvideo("models", "--json", env=env)
            for done in (submitted, listed):
                assert done.code in (6, 7, 12)
                if mend.startswith(set_to("ORVIDEO_BASE_URL")):
                    assert mend in done.error["hint"], done.error
            assert server.count("POST") == 0


def test_c05_nobody_there_and_a_bad_certificate_are_findings(orvideo: Shell) -> None:
    with RawServer(tls=True) as server:
        env = {"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": KEY}
        found = looked(orvideo, env=env, sandbox=False)
        assert (found["code"], found["service"]["ok"]) == (15, False)
    env = {"ORVIDEO_BASE_URL": "http://127.0.0.1:1/api/v1", "OPENROUTER_API_KEY": KEY}
    found = looked(orvideo, env=env, sandbox=False)
    mend = shells.unset_variable("ORVIDEO_BASE_URL")
    assert (found["code"], found["service"]["hint"]) == (7, f"is the base URL right? To use the usual one: {mend}")


@pytest.mark.drill("F-C13")
@pytest.mark.parametrize("answer", [Reply(404, b"<html>"), Reply(404, {"detail": "Not Found"}), Reply(200, b"<html>")])
def test_c13_a_look_where_no_api_is_asks_about_the_base_url(answer: Reply, orvideo: Shell) -> None:
    name = "gen-vid-1763800000-0123456789abcdefghij"
    with RawServer(Reply(500, b"")) as server:
        env = {"ORVIDEO_BASE_URL": server.origin, "OPENROUTER_API_KEY": KEY}
        orvideo("jobs", "adopt", name, env=env)  # unseen
        server.behave(answer)
        for line in (("status", name), ("jobs", "adopt", name[:-1] + "k")):
            done = orvideo(*line, env=env)
            assert set_to("ORVIDEO_BASE_URL", f"{server.origin}/api/v1") in " ".join(done.err.split()), (line, done.err)
            assert "knows no job" not in done.err


@pytest.mark.drill("F-C13")
def test_c13_a_stored_base_url_is_changed_where_it_is_stored(orvideo: Shell) -> None:
    with RawServer(Reply(404, b"<html>")) as server:
        orvideo("config", "set", "base-url", server.origin)
        found = looked(orvideo, env={"OPENROUTER_API_KEY": KEY}, sandbox=False)
    assert found["service"]["hint"].endswith(f": orvideo config set base-url {server.origin}/api/v1")


@pytest.mark.drill("F-A13")
@pytest.mark.parametrize(
    ("answer", "mend"),
    [
        (Reply(502, b"<html>"), "see where orvideo looks for it: orvideo config list"),
        (Reply(401, b"<html>"), "see where orvideo looks for it: orvideo config list"),
        (Reply(200, b"<html>"), "see where orvideo looks for it: orvideo config list"),
        (Reply(403, {"error": {"code": 403, "message": "Key limit exceeded"}}), "look at it at https://openrouter.ai"),
        (
            Reply(401, {"error": {"code": 401, "message": "User not found."}}),
            shells.set_variable("OPENROUTER_API_KEY", "..."),
        ),
        (Reply(200, {"data": {"is_management_key": True}}), shells.set_variable("OPENROUTER_API_KEY", "...")),
    ],
)
def test_a13_another_key_is_advised_only_where_the_key_is_wrong(answer: Reply, mend: str, orvideo: Shell) -> None:
    with RawServer(routes={"/api/v1/key": answer, "/api/v1/videos/models": Reply(200, model_list())}) as server:
        env = {"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": KEY}
        assert looked(orvideo, env=env, sandbox=False)["key"]["hint"].startswith(mend)


@pytest.mark.drill("W24")
@pytest.mark.parametrize(
    ("folder", "warned"),
    [
        (r"C:\Users\me\AppData\Local\orvideo", False), (r"c:\users\ME\orvideo", False), (r"C:\orvideo", True),
        (r"C:\Users\me2\orvideo", True), (r"D:\Users\me\orvideo", True),
    ],
)  # fmt: skip
def test_w24_on_windows_a_folder_outside_of_the_profile_is_a_warning(folder: str, warned: bool) -> None:
    environ = {"USERPROFILE": r"C:\Users\me"}
    found = shared_folder(PureWindowsPath(folder), environ, "win32")
    assert (found is not None) == warned
    if found is not None:
        assert "Remove-Item Env:ORVIDEO_CONFIG_DIR" in found.hint
    assert shared_folder(PureWindowsPath(folder), environ, "linux") is None


@pytest.mark.drill("W24")
def test_w24_doctor_tells_of_it_and_it_is_no_trouble(home: Path, orvideo: Shell) -> None:
    orvideo.platform = "win32"
    orvideo.environ |= {"USERPROFILE": r"C:\Users\me", "ORVIDEO_CONFIG_DIR": str(home / "shared")}
    done = orvideo("doctor", "--sandbox")
    assert done.code == 0, done.err
    assert "not in your profile" in done.out
    orvideo.environ["USERPROFILE"] = str(home)
    assert "not in your profile" not in orvideo("doctor", "--sandbox").out


@pytest.mark.drill("W20")
def test_w20_doctor_moves_the_record_aside_and_says_what_it_did(home: Path, orvideo: Shell) -> None:
    orvideo("submit", "a boat", "--sandbox")
    folder = state(home)
    (folder / "jobs.db").write_bytes(b"garbage" * 200)
    assert "orvideo doctor --move-record-aside" in orvideo("jobs").err
    done = orvideo("doctor", "--move-record-aside")
    assert (done.code, done.lines) == (0, [str(folder / "aside-1-jobs.db")]), done.err
    assert "moved jobs.db" in done.err
    assert "new record" in done.err
    assert (folder / "aside-1-jobs.db" / "jobs.db").read_bytes() == b"garbage" * 200
    assert orvideo("jobs", "--json").json == []
    (found,) = orvideo("doctor", "--move-record-aside", "--json").json
    assert (found["name"], found["ok"]) == ("record", True)
    assert "aside-2-jobs.db" in found["detail"]
    assert orvideo("doctor", "--move-record-aside").code == 11, "there is none now"


@pytest.mark.drill("W28")
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ModuleNotFoundError("No module named 'av'", name="av"), "is not installed: av is missing"),
        (ModuleNotFoundError("No module named 'PIL'", name="PIL"), "is not installed: PIL is missing"),
        (ImportError("DLL load failed while importing _pydantic_core", name="_pydantic_core"), "DLL load failed"),
        (ModuleNotFoundError("No module named 'pydantic'", name="pydantic"), "No module named 'pydantic'"),
        (ImportError("av is broken", name="av"), "av is broken"),
    ],
)
def test_w28_only_what_is_not_there_is_not_installed(error: ImportError, says: str) -> None:
    with pytest.raises(UsageError) as refusal, sandbox_errors():
        raise error
    assert says in refusal.value.message
    assert ("is not installed" in refusal.value.message) == (refusal.value.hint == line_for("sandbox"))
