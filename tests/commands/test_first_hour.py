"""What goes wrong in a person's first hour: each ends in a sentence, and in the command that mends it.

Every test is one thing that a person did, in a clean home, with the installed command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orvideo import shells
from tests.drills.raw_server import CERTIFICATE, Behaviour, RawServer, Reply, Send, closed_port
from tests.drills.service import ORDER, model_list
from tests.shell import COMMAND, KEY, Result, Shell

SOME_FOLDER = shells.a_folder()
ELSEWHERE = {name: shells.set_variable(f"ORVIDEO_{name}_DIR", SOME_FOLDER) for name in ("STATE", "CONFIG")}
SIGN_UP = Reply(200, b"<html><title>Welcome to Hotel WiFi</title></html>", {"Content-Type": "text/html"})


def ended(done: Result, code: int, says: str, hint: str) -> None:
    """Check how a command ended for a person: an error that says it, and what mends it right below."""
    assert done.code == code, done.err
    told = done.err.splitlines()
    place = next(number for number, line in enumerate(told) if line.startswith("error: "))
    assert says in told[place], done.err
    assert told[place].endswith((".", "?", "!")), done.err
    assert [line for line in told[place + 1 :] if line.startswith("hint: ") and hint in line], done.err
    assert "Traceback" not in done.err
    assert KEY not in done.out + done.err


def refused(status: int, message: str, **metadata: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message, "metadata": metadata}})


@contextmanager
def service(
    submit: Behaviour, *, key: Behaviour | None = None, models: Behaviour | None = None, tls: bool | Path = False
) -> Iterator[tuple[RawServer, dict[str, str]]]:
    """Run a service whose submits are answered like this, and yield it and the variables that lead there."""
    fine = Reply(200, {"data": {"label": "x", "limit": None, "limit_remaining": None}})
    routes = {
        "/api/v1/videos/models": models or Reply(200, model_list()),
        "/api/v1/videos": submit,
        "/api/v1/key": key or fine,
    }
    with RawServer(routes=routes, tls=tls) as server:
        yield server, {"ORVIDEO_BASE_URL": server.url, "OPENROUTER_API_KEY": KEY}


# --- the key ---------------------------------------------------------------------------------------------------------


def test_a_person_who_has_no_key_yet(orvideo: Shell) -> None:
    done = orvideo.process("submit", "a paper boat")
    ended(done, 4, "There is no API key", "orvideo ")
    assert "--sandbox" in done.err, "a film can be had without one"


@pytest.mark.parametrize("text", ["https://openrouter.ai/keys", "sk-or-v1-...", "$OPENROUTER_API_KEY", "my key"])
def test_a_person_who_pasted_something_that_is_no_key(orvideo: Shell, text: str) -> None:
    ended(orvideo.process("config", "set", "api-key", stdin=text.encode()), 4, "cannot be a key", "orvideo ")


def test_a_person_whose_key_is_wrong(orvideo: Shell) -> None:
    wrong = refused(401, "User not found.")
    with service(wrong, key=wrong) as (server, env):
        mend = shells.set_variable("OPENROUTER_API_KEY", "...")
        ended(orvideo.process("submit", *ORDER, env=env), 4, "refused the API key from OPENROUTER_API_KEY", mend)
        unset = {"ORVIDEO_BASE_URL": server.url}
        done = orvideo.process("config", "set", "api-key", stdin=KEY.encode(), env=unset)
        ended(done, 4, "The key was not stored", "orvideo config set api-key")


def test_a_person_without_credit(orvideo: Shell) -> None:
    with service(refused(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits")) as (
        _,
        env,
    ):
        done = orvideo.process("submit", *ORDER, env=env)
    ended(done, 5, "Insufficient credits", "https://openrouter.ai/settings/credits")


@pytest.mark.parametrize(
    ("reply", "code", "hint"),
    [
        (refused(403, "Management keys cannot be used to generate. Use an API key."), 6, "openrouter.ai/settings/keys"),
        (refused(403, "Key limit exceeded (total limit). Manage it using it."), 5, "openrouter.ai/settings/keys"),
        (
            refused(403, "Budget limit exceeded", limit_source="openrouter_guardrail_budget"),
            5,
            "openrouter.ai/settings",
        ),
        (refused(403, "This model is not available in your region."), 6, "openrouter.ai/settings/keys"),
        (refused(404, "No endpoints found matching your data policy"), 6, "openrouter.ai/settings/privacy"),
    ],
    ids=["management", "limit", "budget", "region", "policy"],
)
def test_a_person_whose_key_has_no_right_to_video(orvideo: Shell, reply: Reply, code: int, hint: str) -> None:
    with service(reply) as (server, env):
        ended(orvideo.process("submit", *ORDER, env=env), code, "refused the request", hint)
        assert server.count("POST") == 1


# --- the network -----------------------------------------------------------------------------------------------------


def test_a_person_whose_base_url_leads_to_a_port_where_nobody_listens(orvideo: Shell) -> None:
    with closed_port() as port:
        env = {"ORVIDEO_BASE_URL": f"http://127.0.0.1:{port}/api/v1", "OPENROUTER_API_KEY": KEY}
        done = orvideo.process("submit", *ORDER, env=env)
    ended(done, 7, "127.0.0.1 could not be reached", shells.unset_variable("ORVIDEO_BASE_URL"))


def test_a_person_who_is_offline(orvideo: Shell) -> None:
    orvideo.environ["HTTPS_PROXY"] = ""
    stored = orvideo.process("config", "set", "base-url", "https://openrouter.invalid/api/v1")
    assert stored.code == 0, stored.err
    done = orvideo.process("models")
    ended(done, 7, "openrouter.invalid could not be reached: no address is known for this name", "orvideo doctor")
    assert "online?" in done.err


def test_a_person_whose_proxy_is_not_running(orvideo: Shell) -> None:
    with closed_port() as port:
        env = {"OPENROUTER_API_KEY": KEY, "HTTPS_PROXY": f"http://127.0.0.1:{port}"}
        done = orvideo.process("submit", *ORDER, env=env)
    says = f"The proxy 127.0.0.1:{port} (HTTPS_PROXY) could not be reached"
    ended(done, 7, says, shells.add_to_list("NO_PROXY", "openrouter.ai"))


@pytest.mark.parametrize(
    ("answer", "code", "says", "hint"),
    [
        (
            Reply(407, b"<html>Who are you?</html>"), 4, "asks for a name and a password",
            shells.set_variable("HTTPS_PROXY", "http://name:password@host:port"),
        ),
        (Reply(403, b"<html>Blocked by policy</html>"), 7, "did not connect to openrouter.ai: 403", "NO_PROXY"),
        (Send(b"<html>I am no proxy at all</html>\r\n\r\n"), 7, "did not connect to openrouter.ai", "NO_PROXY"),
    ],
    ids=["407", "403", "html"],
)  # fmt: skip
def test_a_person_whose_proxy_refuses(orvideo: Shell, answer: Behaviour, code: int, says: str, hint: str) -> None:
    with RawServer(answer) as proxy:
        env = {"OPENROUTER_API_KEY": KEY, "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
        ended(orvideo.process("submit", *ORDER, env=env), code, says, hint)
        assert {request.method for request in proxy.requests} <= {"CONNECT"}


def test_a_person_in_a_hotel_whose_wifi_answers_for_the_service(orvideo: Shell) -> None:
    with service(SIGN_UP, models=SIGN_UP) as (server, env):
        done = orvideo.process("submit", *ORDER, env=env)
        assert server.count("POST") == 0
    ended(done, 7, "a page that is not the service's, titled 'Welcome to Hotel WiFi'", "orvideo doctor")


# --- the clock and the certificate -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("certificate", "says"), [("expired", "has expired"), ("not_yet_valid", "is not valid yet")])
def test_a_person_whose_clock_is_off(orvideo: Shell, certificate: str, says: str) -> None:
    pem = CERTIFICATE.with_name(f"{certificate}.pem")
    with service(Reply(500, b""), tls=pem) as (server, env):
        env |= {"SSL_CERT_FILE": str(pem)}
        for line in (("submit", *ORDER), ("models",)):
            done = orvideo.process(*line, env=env)
            ended(done, 15, f"The certificate of localhost {says}; this machine's clock says ", shells.set_clock())
        assert server.requests == []


def test_a_person_behind_a_company_that_reads_along(orvideo: Shell) -> None:
    with service(Reply(500, b""), tls=True) as (server, env):
        done = orvideo.process("submit", *ORDER, env=env)
        assert server.requests == []
    ended(done, 15, "is not to be trusted: self-signed certificate", "SSL_CERT_FILE")


def test_a_person_whose_clock_is_off_waits_no_longer_than_the_service_asks(orvideo: Shell) -> None:
    """The date of Retry-After is read by the service's own clock, which is a century ahead of this one."""
    late = {"Date": "Fri, 01 Jan 2126 12:00:00 GMT", "Retry-After": "Fri, 01 Jan 2126 12:00:40 GMT"}
    busy = Reply(429, {"error": {"code": 429, "message": "Slow down."}}, late)
    with service(busy) as (server, env):
        done = orvideo.process("submit", *ORDER, "--timeout", "30s", env=env)
        assert server.count("POST") == 1
    ended(done, 7, "Slow down.", "wait 40 s, then run the same command")


# --- the disk --------------------------------------------------------------------------------------------------------


def test_a_person_whose_home_is_no_folder(orvideo: Shell) -> None:
    (orvideo.home / "file").touch()
    home = {"HOME": str(orvideo.home / "file")}
    for kind in ("CONFIG", "STATE", "CACHE"):
        home |= {f"XDG_{kind}_HOME": "", f"ORVIDEO_{kind}_DIR": str(orvideo.home / "file" / kind)}
    cannot_be_used(orvideo, home)


def test_a_person_whose_home_cannot_be_written(orvideo: Shell) -> None:
    orvideo.home.joinpath("closed").mkdir(mode=0o500)
    closed = str(orvideo.home / "closed")
    home = {"HOME": closed, "XDG_STATE_HOME": "", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": ""}
    cannot_be_used(orvideo, home, before=as_anybody())


def cannot_be_used(orvideo: Shell, home: dict[str, str], before: tuple[str, ...] = ()) -> None:
    with service(Reply(500, b"")) as (server, env):
        env |= home
        ended(run(orvideo, *before, *COMMAND, "submit", *ORDER, env=env), 11, "cannot be used: ", ELSEWHERE["STATE"])
        assert server.count("POST") == 0
        for line, says in ((("config", "set", "api-key"), "The key"), (("config", "set", "seed", "7"), "The settings")):
            done = run(orvideo, *before, *COMMAND, *line, env=env, stdin=KEY)
            ended(done, 14, f"{says} cannot be ", ELSEWHERE["CONFIG"])


def test_a_person_whose_disk_is_full(orvideo: Shell) -> None:
    """The home is a file system of its own, which only this command and its children see."""
    script = 'mount -t tmpfs -o size=32k none "$HOME" && (head -c 99999 /dev/zero > "$HOME/x"; exec "$@")'
    full = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh")
    if not shutil.which("unshare") or run(orvideo, *full, "true").code:
        pytest.skip("SKIPPED: needs unshare of the package util-linux, and the right to mount, for a disk that is full")
    with service(Reply(500, b"")) as (server, env):
        for kind in ("STATE", "CONFIG", "CACHE"):
            env[f"XDG_{kind}_HOME"] = str(orvideo.home / kind)
        room = f"make room, then run the same command; what is free: {shells.free_space(str(orvideo.home))}"
        ended(run(orvideo, *full, *COMMAND, "submit", *ORDER, env=env), 11, "the disk is full", room)
        assert server.count("POST") == 0
        done = run(orvideo, *full, *COMMAND, "config", "set", "api-key", env=env, stdin=KEY)
        ended(done, 14, "The key cannot be stored: ", room)


def run(orvideo: Shell, *command: str, env: dict[str, str] | None = None, stdin: str = "") -> Result:
    done = subprocess.run(
        command, input=stdin, env={**orvideo.environ, **(env or {})}, cwd=orvideo.home, capture_output=True,
        text=True, timeout=240, check=False, start_new_session=True,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def as_anybody() -> tuple[str, ...]:
    """Return what to put before a command so that rights are heeded: root may write everywhere otherwise."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return ()
    setpriv = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
    if not shutil.which("setpriv") or subprocess.run([*setpriv, "true"], capture_output=True, check=False).returncode:
        pytest.skip("SKIPPED: root may write everywhere; run this as a user, or with setpriv of the package util-linux")
    return setpriv
