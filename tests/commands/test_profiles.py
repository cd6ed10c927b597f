"""Profiles: a key and settings of their own, selected by name, and a record that knows who bought what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orvideo.completion.answer import complete
from tests.commands.payers import CLIENT_A, CLIENT_B, MINE, TELL, Payers, tail
from tests.drills.service import ORDER, on_record
from tests.shell import Result, Shell

pytestmark = pytest.mark.drill("K18")


@pytest.fixture
def server() -> Iterator[Payers]:
    with Payers() as running:
        yield running


@pytest.fixture
def keyed(orvideo: Shell, server: Payers) -> Shell:
    """A shell whose base URL is the server, with a key of no profile and those of two clients."""
    ok(orvideo("config", "set", "base-url", server.url))
    for key, options in ((MINE, []), (CLIENT_A, ["--profile", "client-a"]), (CLIENT_B, ["--profile", "client-b"])):
        ok(orvideo("config", "set", *options, "api-key", stdin=key))
    server.requests.clear()
    return orvideo


def ok(done: Result) -> Result:
    assert done.code == 0, done.err
    return done


def config(orvideo: Shell) -> Path:
    return orvideo.home / "config" / "orvideo" / "config.toml"


def buy(orvideo: Shell, *options: str, **env: str) -> str:
    return ok(orvideo(*options, "submit", *ORDER, env=env)).out.strip()


# --- the key ----------------------------------------------------------------------------------------------------------


def test_each_profile_buys_with_its_own_key(keyed: Shell, server: Payers) -> None:
    assert buy(keyed).endswith(tail(MINE))
    assert buy(keyed, "--profile", "client-a").endswith(tail(CLIENT_A))
    assert buy(keyed, "--profile=CLIENT-B").endswith(tail(CLIENT_B))
    assert buy(keyed, ORVIDEO_PROFILE="client-a").endswith(tail(CLIENT_A))
    assert buy(keyed, "--profile", "client-b", ORVIDEO_PROFILE="client-a").endswith(tail(CLIENT_B))
    after = ok(keyed("submit", *ORDER, "--profile", "client-b"))
    assert after.out.strip().endswith(tail(CLIENT_B))
    assert [one.profile for one in on_record(keyed.home)] == [
        "client-b", "client-b", "client-a", "client-b", "client-a", None,
    ]  # fmt: skip


def test_a_profile_without_a_key_is_not_paid_for_by_another(keyed: Shell, server: Payers) -> None:
    ok(keyed("config", "set", "--profile", "new", "model", "google/veo-3.1-lite"))
    ok(keyed("config", "set", "api-key-command", "no-such-vault"))
    done = keyed("--profile", "new", "submit", *ORDER, "--json")
    assert (done.code, server.count("POST")) == (4, 0)
    assert done.error["message"] == "The profile new has no API key of its own."
    assert done.error["hint"].startswith("orvideo login --profile new; or ")


def test_the_variable_beats_every_profile(keyed: Shell, server: Payers) -> None:
    buy(keyed, "--profile", "client-a", OPENROUTER_API_KEY=MINE)
    assert server.payers("/api/v1/videos") == {tail(MINE)}


def test_a_profile_may_have_a_command(keyed: Shell, home: Path, server: Payers) -> None:
    (home / "read.py").write_text(f"print({CLIENT_B!r})")
    ok(keyed("config", "set", "--profile", "client-a", "api-key-command", f'"{sys.executable}" read.py'))
    assert buy(keyed, "--profile", "client-a").endswith(tail(CLIENT_B))
    assert buy(keyed).endswith(tail(MINE))


def test_a_hook_is_told_the_key_of_no_profile(keyed: Shell, home: Path) -> None:
    ok(keyed("submit", *ORDER, "--wait", "--exec", TELL, env={"A": CLIENT_A, "B": f"x{CLIENT_B}"}))
    told = (home / "told").read_text()
    assert "ORVIDEO_JOB_ID" in told
    assert CLIENT_A not in told
    assert CLIENT_B not in told


# --- the record -------------------------------------------------------------------------------------------------------


def test_every_job_is_asked_for_with_the_key_that_bought_it(keyed: Shell, server: Payers, home: Path) -> None:
    jobs = [buy(keyed), buy(keyed, "--profile", "client-a"), buy(keyed, "--profile", "client-b")]
    # Whatever is selected: the record knows better.
    saved = ok(keyed("wait", "--all", "-o", "{id}.mp4", "--json", env={"ORVIDEO_PROFILE": "client-b"}))
    assert sorted(Path(job["outputs"][0]["path"]).stem for job in saved.json) == sorted(jobs)
    shown = ok(keyed("status", *jobs, "--json")).json
    assert [job["profile"] for job in shown] == [None, "client-a", "client-b"]
    assert {job["status"] for job in shown} == {"completed"}
    ok(keyed("download", jobs[1], "-o", "again.mp4", "--profile", "client-a"))
    assert "profile:" in keyed("jobs", "show", jobs[1]).out.replace("profile ", "profile: ")
    assert "profile" not in keyed("jobs", "show", jobs[0]).out
    assert ok(keyed("jobs", "show", jobs[1], "--json")).json["profile"] == "client-a"


def test_a_job_whose_profile_is_gone_holds_up_no_other(keyed: Shell, server: Payers) -> None:
    mine, lost = buy(keyed), buy(keyed, "--profile", "client-a")
    ok(keyed("config", "unset", "--profile", "client-a", "api-key"))
    config(keyed).write_text(config(keyed).read_text().replace("[profile.client-a]", ""))
    done = keyed("wait", mine, lost, "-o", "{id}.mp4")
    assert done.code == 4
    assert (keyed.home / f"{mine}.mp4").exists()
    told = " ".join(done.err.split())
    assert "The profile client-a bought this job, and there is no such profile any more." in told
    assert "orvideo config set --profile client-a api-key" in told
    ok(keyed("config", "set", "--profile", "client-a", "api-key", stdin=CLIENT_A))
    ok(keyed("wait", lost, "-o", "{id}.mp4"))


def test_an_adopted_job_is_the_selected_profile_s(keyed: Shell) -> None:
    job = f"job-7-{tail(CLIENT_A)}"
    adopted = ok(keyed("--profile", "client-a", "jobs", "adopt", job, "--json")).json
    assert adopted["profile"] == "client-a"
    ok(keyed("wait", job, "-o", "x.mp4"))


def test_a_job_of_the_sandbox_needs_no_profile(keyed: Shell) -> None:
    job = ok(keyed("--profile", "client-a", "submit", *ORDER, "--sandbox", "--json")).json
    assert job["profile"] == "client-a"
    other = ok(keyed("submit", *ORDER, "--sandbox")).out.strip()
    ok(keyed("config", "unset", "--profile", "client-a", "api-key"))
    config(keyed).write_text(config(keyed).read_text().replace("[profile.client-a]", ""))
    ok(keyed("wait", job["id"], other, "-o", "{id}.mp4"))


def test_a_batch_is_finished_by_whom_it_was_begun(keyed: Shell, home: Path, server: Payers) -> None:
    (home / "rows.txt").write_text("one\n")
    line = ("batch", "rows.txt", *ORDER[1:], "--yes", "-o", "{row}.mp4", "--name", "boats")
    ok(keyed("--profile", "client-a", *line))
    ok(keyed(*line))  # nothing is left to be bought: whoever asks may have the videos
    (home / "rows.txt").write_text("one\ntwo\n")
    refused = keyed(*line, "--json")
    assert (refused.code, server.count("POST")) == (2, 1)
    assert refused.error["message"].startswith("This batch was begun with the profile client-a")
    assert refused.error["hint"].startswith("add --profile client-a; ")
    ok(keyed("--profile", "client-a", *line))
    assert server.payers("/api/v1/videos") == {tail(CLIENT_A)}
    assert [one.profile for one in on_record(home)] == ["client-a", "client-a"]


def test_the_line_that_goes_on_with_a_batch_names_the_profile(keyed: Shell, home: Path, server: Payers) -> None:
    (home / "rows.txt").write_text("one\n")
    line = ("batch", "rows.txt", *ORDER[1:], "--yes", "-o", "{row}.mp4", "--timeout", "4s")
    server.status = "in_progress"
    done = keyed("--profile", "client-a", *line, "--json")
    assert done.error["resume"].startswith("orvideo --profile client-a batch rows.txt ")


# --- the settings -----------------------------------------------------------------------------------------------------


def test_the_settings_of_a_profile_beat_those_of_none(orvideo: Shell) -> None:
    ok(orvideo("config", "set", "model", "a/one"))
    ok(orvideo("config", "set", "duration", "4"))
    ok(orvideo("--profile", "a", "config", "set", "model", "a/two"))
    # What belongs to no profile stays above the tables.
    ok(orvideo("config", "set", "resolution", "720p"))
    for options, found in (([], ["a/one", "4", "720p"]), (["--profile", "a"], ["a/two", "4", "720p"])):
        names = ("model", "duration", "resolution")
        assert [orvideo(*options, "config", "get", name).out.strip() for name in names] == found
    where = ok(orvideo("--profile", "a", "config", "get", "model", "--json")).json["where"]
    assert where == f"{config(orvideo)} [profile.a]"
    assert orvideo("--profile", "a", "config", "get", "model", env={"ORVIDEO_MODEL": "a/three"}).out == "a/three\n"
    assert ok(orvideo("config", "unset", "--profile", "a", "model", "--json")).json["removed"] is True
    assert orvideo("--profile", "a", "config", "get", "model").out == "a/one\n"
    assert ok(orvideo("config", "unset", "--profile", "nobody", "model", "--json")).json["removed"] is False


def test_what_a_person_wrote_is_kept_and_its_mistakes_have_a_line(orvideo: Shell) -> None:
    text = (
        "# mine\nmodel = 'a/one'\n\n[profile.'A.b'] # a client\nduration = 'long'\nmodle = 'x'\n\n"
        "[profile.'my client']\n"
    )
    config(orvideo).parent.mkdir(parents=True)
    config(orvideo).write_text(text)
    done = orvideo("--profile", "a.b", "config", "get", "duration", "--json")
    assert done.code == 2
    assert done.error["message"].startswith(f"{config(orvideo)}:5: ")
    looked = {one["detail"]: one["hint"] for one in orvideo("--profile", "a.b", "doctor", "--json").json}
    assert looked[done.error["message"]] == "orvideo config unset --profile a.b duration"
    told = ok(orvideo("config", "list")).err
    assert f"{config(orvideo)}:6: there is no setting 'modle'. Did you mean model?" in " ".join(told.split())
    assert "the profile 'my client' has a name that none can have" in " ".join(told.split())
    ok(orvideo("config", "unset", "--profile", "a.b", "modle"))
    ok(orvideo("config", "set", "--profile", "a.b", "duration", "8"))
    assert config(orvideo).read_text() == text.replace("'long'", '"8"').replace("modle = 'x'\n", "").replace('"8"', "8")


@pytest.mark.parametrize("name", ["", " ", "my client", "../x", "-x", ".x", "a/b", "é", "x" * 65, "a\nb"])
def test_what_cannot_be_a_name_is_refused(name: str, orvideo: Shell) -> None:
    done = orvideo(f"--profile={name}", "config", "set", "model", "a/b")
    assert done.code == 2
    assert "cannot be a profile's name" in done.err
    assert not config(orvideo).exists()


def test_a_profile_that_nothing_defines_is_no_other_one(keyed: Shell, server: Payers) -> None:
    for line, env in (
        (["--profile", "cleint-a", "submit", *ORDER], {}),
        (["submit", *ORDER, "--sandbox"], {"ORVIDEO_PROFILE": "cleint-a"}),
        (["--profile", "cleint-a", "config", "list"], {}),
        (["--profile", "cleint-a", "config", "get", "api-key"], {}),
        (["--profile", "cleint-a", "wait", "1"], {}),
    ):
        done = keyed(*line, "--json", env=env)
        assert done.code == 2, line
        assert "there is no profile 'cleint-a'. Did you mean client-a?" in done.error["message"]
    assert server.count("POST") == 0
    assert keyed("jobs", env={"ORVIDEO_PROFILE": "cleint-a"}).code == 0
    assert keyed("--profile", "cleint-a", "doctor").code == 2


def test_the_list_says_whose_key_is_where(keyed: Shell, server: Payers) -> None:
    ok(keyed("config", "set", "--profile", "poor", "base-url", "https://gateway.example/api/v1"))
    ok(keyed("config", "set", "--profile", "odd", "max-cost", "1"))
    config(keyed).write_text(config(keyed).read_text() + 'base-url = "nonsense"\n')
    rows = {row["name"]: row for row in ok(keyed("--profile", "client-a", "config", "profiles", "--json")).json}
    assert sorted(rows) == ["client-a", "client-b", "odd", "poor"]
    assert [name for name, row in rows.items() if row["active"]] == ["client-a"]
    file = str(config(keyed).with_name("api-key.client-a.json"))
    assert rows["client-a"] == {
        "name": "client-a", "active": True, "base_url": server.url, "key": "…of-a", "key_from": file, "problem": None,
    }  # fmt: skip
    assert (rows["poor"]["base_url"], rows["poor"]["key"]) == ("https://gateway.example/api/v1", None)
    assert rows["odd"]["problem"].startswith(f"{config(keyed)}:12: ")
    told = ok(keyed("config", "profiles"))
    assert CLIENT_A not in told.out
    assert "client-b" in told.out


def test_without_profiles_the_list_is_empty_and_says_how_to_make_one(orvideo: Shell) -> None:
    done = ok(orvideo("config", "profiles"))
    assert (done.out, "orvideo config set --profile NAME api-key" in done.err) == ("", True)
    assert orvideo("config", "profiles", "--json").json == []


# --- the line ---------------------------------------------------------------------------------------------------------


def test_a_profile_may_have_the_name_of_a_command(orvideo: Shell) -> None:
    ok(orvideo("config", "set", "--profile", "jobs", "model", "a/b"))
    assert ok(orvideo("--profile", "jobs", "config", "get", "model")).out == "a/b\n"
    assert "Usage: orvideo config" in ok(orvideo("--profile", "jobs", "help", "config")).out
    assert ok(orvideo("--profile=x", "--profile", "jobs", "config", "get", "model")).out == "a/b\n"
    assert orvideo("--profile").code == 2
    assert "--profile NAME" in " ".join(ok(orvideo("--help")).out.split())


def test_tab_knows_the_names(keyed: Shell) -> None:
    assert complete(["profiles", ""], keyed.environ).splitlines() == ["client-a\t", "client-b\t"]
    assert complete(["models", "", "submit", "--profile", "client-a"], keyed.environ) == ""
