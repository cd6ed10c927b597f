"""The key in the system's keyring: real processes, with a keyring that they choose as a person's is chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import keyrings
from tests.commands.payers import CLIENT_A, MINE, Payers, tail
from tests.drills.service import ORDER
from tests.shell import Result, Shell

pytestmark = pytest.mark.drill("K17")


@pytest.fixture
def ring(home: Path) -> Path:
    """The file of a keyring that is not there yet."""
    return home / "ring.json"


@pytest.fixture
def server() -> Iterator[Payers]:
    with Payers() as running:
        yield running


@pytest.fixture
def keyed(orvideo: Shell, server: Payers, ring: Path) -> Shell:
    """A shell of processes with a keyring, whose base URL is the server."""
    orvideo.environ |= {**keyrings.variables(ring), "ORVIDEO_BASE_URL": server.url}
    return orvideo


def key_file(orvideo: Shell) -> Path:
    return orvideo.home / "config" / "orvideo" / "api-key.json"


def store(orvideo: Shell, key: str, *more: str, **env: str) -> Result:
    done = orvideo.process("config", "set", "api-key", *more, stdin=key.encode(), env=env)
    assert done.code == 0, done.err
    assert key not in done.out + done.err
    return done


def shown(orvideo: Shell, **env: str) -> Any:
    done = orvideo.process("config", "get", "api-key", "--json", env=env)
    assert done.code == 0, done.err
    return done.json


NULL = "keyring.backends.null.Keyring"
FAIL = "keyring.backends.fail.Keyring"


def test_a_key_is_kept_in_the_keyring_and_used_from_there(keyed: Shell, server: Payers, ring: Path) -> None:
    done = store(keyed, MINE)
    assert "in the system's keyring" in done.err
    assert not key_file(keyed).exists()
    assert {"source": "keyring", "where": "the system's keyring", "value": "…mine"}.items() <= shown(keyed).items()
    assert keyed.process("submit", *ORDER).code == 0
    assert server.payers("/api/v1/videos") == {tail(MINE)}
    assert "…mine from the system's keyring: accepted" in keyed.process("doctor").out
    for path in keyed.home.rglob("*"):
        assert not path.is_file() or path == ring or MINE.encode() not in path.read_bytes(), path


def test_storing_in_one_place_removes_the_other_s_copy(keyed: Shell, ring: Path) -> None:
    store(keyed, CLIENT_A, PYTHON_KEYRING_BACKEND=NULL)
    assert key_file(keyed).exists()
    store(keyed, MINE)
    assert not key_file(keyed).exists()
    assert shown(keyed)["value"] == "…mine"
    assert keyed.process("config", "unset", "api-key").code == 0
    assert json.loads(ring.read_text()) == {}


def test_a_key_in_both_places_is_said_and_removed_from_both(keyed: Shell, ring: Path) -> None:
    store(keyed, MINE)
    store(keyed, CLIENT_A, PYTHON_KEYRING_BACKEND=NULL)
    listed = shown(keyed)
    assert (listed["source"], listed["beaten"]) == ("keyring", [str(key_file(keyed))])
    assert keyed.process("config", "unset", "api-key").code == 0
    assert not key_file(keyed).exists()
    assert json.loads(ring.read_text()) == {}


@pytest.mark.parametrize("backend", [NULL, FAIL])
def test_what_keeps_nothing_is_no_keyring(backend: str, keyed: Shell, ring: Path) -> None:
    done = store(keyed, MINE, PYTHON_KEYRING_BACKEND=backend)
    assert "warning" not in done.err
    assert shown(keyed, PYTHON_KEYRING_BACKEND=backend)["source"] == "store"
    assert key_file(keyed).exists()
    assert not ring.exists()


@pytest.mark.parametrize(("state", "named"), [("locked", "KeyringLocked"), ("broken", "OSError")])
def test_a_keyring_that_does_not_work(state: str, named: str, keyed: Shell, server: Payers, ring: Path) -> None:
    ring.write_text(state)
    refused = keyed.process("submit", *ORDER, "--json")
    assert (refused.code, server.count("POST")) == (4, 0)
    assert f"The system's keyring cannot be read ({named})" in refused.error["message"]
    assert "OPENROUTER_API_KEY" in refused.error["hint"]
    done = store(keyed, MINE)
    assert done.err.count("warning") == 1
    assert f"the system's keyring cannot be used ({named}): the key is stored in the file" in " ".join(done.err.split())
    assert keyed.process("submit", *ORDER).code == 0
    assert shown(keyed)["source"] == "store"
    unset = keyed.process("config", "unset", "api-key", "--json")
    assert "a key that is in it is still there" in unset.error["message"]
    assert not key_file(keyed).exists()
    assert "secret-of-the-backend" not in refused.err + done.err + unset.err


def test_a_keyring_that_cannot_be_chosen_is_one_that_does_not_work(keyed: Shell) -> None:
    done = keyed.process("submit", *ORDER, "--json", env={"PYTHON_KEYRING_BACKEND": "no.such.Keyring"})
    assert done.code == 4
    assert "The system's keyring cannot be read" in done.error["message"]


@pytest.mark.drill("N17")
def test_the_keyring_s_key_goes_to_its_own_origin_only(keyed: Shell, server: Payers) -> None:
    store(keyed, MINE)
    with Payers() as other:
        done = keyed.process("submit", *ORDER, "--json", env={"ORVIDEO_BASE_URL": other.url})
        assert (done.code, other.payers(), other.count("POST")) == (15, set(), 0)
    assert f"The stored key is for {server.origin}" in done.error["message"]


@pytest.mark.parametrize("content", ["no document", "{}", '{"key": "a b", "origin": "x"}', "5"])
def test_what_makes_no_sense_is_named_and_not_shown(content: str, keyed: Shell, ring: Path) -> None:
    ring.write_text(json.dumps({"orvideo/(no profile)": content}))
    done = keyed.process("submit", *ORDER, "--json")
    assert done.code == 4
    assert "the system's keyring" in done.error["message"]
    assert done.error["hint"] == "orvideo config set api-key"


def test_each_profile_has_its_own(keyed: Shell, server: Payers, ring: Path) -> None:
    store(keyed, MINE)
    store(keyed, CLIENT_A, "--profile", "client-a")
    assert sorted(json.loads(ring.read_text())) == ["orvideo/(no profile)", "orvideo/client-a"]
    assert keyed.process("--profile", "client-a", "submit", *ORDER).code == 0
    assert server.payers("/api/v1/videos") == {tail(CLIENT_A)}
    assert keyed.process("config", "unset", "--profile", "client-a", "api-key").code == 0
    assert sorted(json.loads(ring.read_text())) == ["orvideo/(no profile)"]


def test_the_variable_and_a_command_ask_no_keyring(keyed: Shell, server: Payers, ring: Path) -> None:
    ring.write_text("locked")
    assert keyed.process("submit", *ORDER, env={"OPENROUTER_API_KEY": MINE}).code == 0
    assert server.payers() == {tail(MINE)}
    assert keyed.process("jobs").code == 0
    assert keyed.process("submit", *ORDER, "--sandbox").code == 0
