from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo.errors import OrvideoError, Unsafe, UsageError
from orvideo.settings.definitions import DEFINITIONS, NAMES, Source
from orvideo.settings.resolving import Settings

#: Each setting: a text it takes, the value that is, and a text it refuses.
EXAMPLES: dict[str, tuple[str, object, str]] = {
    "api-key-command": ("pass show openrouter", "pass show openrouter", '"'),
    "base-url": ("https://gateway.example/api/v1/", "https://gateway.example/api/v1", "not a url"),
    "model": ("google/veo-3.1-lite", "google/veo-3.1-lite", "two words"),
    "duration": ("8", 8, "eight"),
    "resolution": ("720p", "720p", "7\n20"),
    "aspect-ratio": ("16:9", "16:9", "\x1b"),
    "audio": ("off", False, "loud"),
    "seed": ("42", 42, "4.2"),
    "output": ("clips/{id}.{ext}", "clips/{id}.{ext}", "a\nb"),
    "interval": ("5s", 5.0, "0"),
    "timeout": ("1h30m", 5400.0, "soon"),
    "max-cost": ("$0.50", Decimal("0.50"), "cheap"),
    "confirm-above": ("2", Decimal(2), "-2"),
    "max-image-size": ("5MiB", 5 * 1024**2, "big"),
    "max-size": ("2GiB", 2 * 1024**3, "0"),
    "referer": ("https://example.org", "https://example.org", "é"),
    "title": ("My tool", "My tool", "a\rb"),
    "categories": ("cli-agent", "cli-agent", "\x1b"),
    "sandbox": ("1", True, "2"),
    "sandbox-speed": ("100", 100.0, "-1"),
    "player": ("mpv --fs", "mpv --fs", "'mpv"),
    "pictures": ("Kitty", "kitty", "png"),
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ORVIDEO_CONFIG_DIR": str(tmp_path / "config")}


def test_the_examples_are_complete() -> None:
    assert list(EXAMPLES) == [definition.name for definition in DEFINITIONS]


#: A variable that runs a command is a risk: this one stands in config.toml alone.
IN_FILE_ONLY = "api-key-command"
WITH_VARIABLE = [name for name in EXAMPLES if name != IN_FILE_ONLY]


def test_a_command_is_never_taken_from_a_variable(environ: dict[str, str]) -> None:
    assert Settings({**environ, "ORVIDEO_API_KEY_COMMAND": "pass show other"}).get(IN_FILE_ONLY).value is None
    assert [one.name for one in DEFINITIONS if not one.variables] == [IN_FILE_ONLY]
    with pytest.raises(UsageError, match=f"^{IN_FILE_ONLY}: "):
        Settings(environ).set(IN_FILE_ONLY, EXAMPLES[IN_FILE_ONLY][2])


@pytest.mark.parametrize("name", WITH_VARIABLE)
def test_every_setting_can_come_from_each_source(name: str, environ: dict[str, str]) -> None:
    text, value, _ = EXAMPLES[name]
    variable = "ORVIDEO_" + name.upper().replace("-", "_")
    assert Settings(environ).get(name).source == Source.DEFAULT

    Settings(environ).set(name, text)
    stored = Settings(environ).get(name)
    assert (stored.value, stored.source) == (value, Source.STORE)
    assert stored.location == str(Path(environ["ORVIDEO_CONFIG_DIR"], "config.toml"))

    from_variable = Settings({**environ, variable: text}).get(name)
    assert (from_variable.value, from_variable.source, from_variable.location) == (value, Source.ENVIRONMENT, variable)

    from_flag = Settings({**environ, variable: text}, flags={name: text}).get(name)
    assert (from_flag.value, from_flag.source, from_flag.location) == (value, Source.FLAG, f"--{name}")


@pytest.mark.parametrize("name", WITH_VARIABLE)
def test_every_setting_refuses_nonsense_and_names_who_said_it(name: str, environ: dict[str, str]) -> None:
    _, _, nonsense = EXAMPLES[name]
    variable = "ORVIDEO_" + name.upper().replace("-", "_")
    with pytest.raises(UsageError, match=f"^{variable}: "):
        Settings({**environ, variable: nonsense}).get(name)
    with pytest.raises(UsageError, match=f"^--{name}: "):
        Settings(environ, flags={name: nonsense}).get(name)
    with pytest.raises(UsageError, match=f"^{name}: "):
        Settings(environ).set(name, nonsense)
    assert not Path(environ["ORVIDEO_CONFIG_DIR"], "config.toml").exists()


def test_the_stronger_source_wins(environ: dict[str, str]) -> None:
    Settings(environ).set("model", "of/the-store")
    assert Settings(environ).get("model").value == "of/the-store"
    stronger = {**environ, "ORVIDEO_MODEL": "of/the-environment"}
    assert Settings(stronger).get("model").value == "of/the-environment"
    assert Settings(stronger, flags={"model": "of/the-line"}).get("model").value == "of/the-line"
    assert Settings(stronger).with_flags({"model": "of/the-line"}).get("model").value == "of/the-line"
    assert Settings(stronger, flags={"model": None}).get("model").value == "of/the-environment"
    assert Settings(stronger).overriding_variable("model") == "ORVIDEO_MODEL"
    assert Settings(environ).overriding_variable("model") is None


def test_a_flag_may_be_parsed_already(environ: dict[str, str]) -> None:
    settings = Settings(environ, flags={"aspect_ratio": "9:16", "audio": False, "timeout": 3.5})
    assert (settings.get("aspect-ratio").value, settings.get("audio").value, settings.timeout) == ("9:16", False, 3.5)


def test_the_defaults(environ: dict[str, str]) -> None:
    settings = Settings(environ)
    assert settings.base_url == "https://openrouter.ai/api/v1"
    assert settings.get("base-url").source == Source.DEFAULT
    assert settings.timeout == 1800
    assert settings.confirm_above == Decimal("1.00")
    assert settings.max_image_bytes == 20 * 1024**2
    assert settings.sandbox is False
    assert settings.sandbox_speed == 10
    assert (settings.title, settings.categories) == ("orvideo", "cli-agent,video-gen")
    open_ones = ("model", "duration", "resolution", "aspect-ratio", "audio", "seed")
    assert [settings.get(name).value for name in open_ones] == [None] * 6
    assert (settings.output, settings.interval, settings.max_cost) == (None,) * 3


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_variable_set_to_nothing_says_nothing(empty: str, environ: dict[str, str]) -> None:
    settings = Settings({**environ, "ORVIDEO_MODEL": empty, "ORVIDEO_TIMEOUT": empty, "OPENROUTER_BASE_URL": empty})
    assert settings.get("model").value is None
    assert settings.timeout == 1800
    assert settings.get("base-url").source == Source.DEFAULT


@pytest.mark.drill("N17")
def test_the_base_url_of_the_service_s_own_variable_is_the_weaker(environ: dict[str, str]) -> None:
    both = {
        **environ,
        "OPENROUTER_BASE_URL": "https://one.example/v1",
        "ORVIDEO_BASE_URL": "https://two.example/v1",
    }
    assert Settings(both).base_url == "https://two.example/v1"
    del both["ORVIDEO_BASE_URL"]
    found = Settings(both).get("base-url")
    assert (found.value, found.location) == ("https://one.example/v1", "OPENROUTER_BASE_URL")
    assert Settings(both).get("base-url").source == Source.ENVIRONMENT


@pytest.mark.drill("N04")
def test_a_base_url_that_would_send_the_key_in_the_clear_is_unsafe(environ: dict[str, str]) -> None:
    with pytest.raises(Unsafe, match="ORVIDEO_BASE_URL"):
        _ = Settings({**environ, "ORVIDEO_BASE_URL": "http://gateway.example/v1"}).base_url
    assert Settings({**environ, "ORVIDEO_BASE_URL": "http://127.0.0.1:8080/api/v1"}).base_url


@pytest.mark.drill("N17")
def test_a_dotenv_in_the_current_directory_is_not_read(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("OPENROUTER_BASE_URL=https://evil.example\nORVIDEO_MODEL=evil/model\n")
    Path("config.toml").write_text('model = "evil/model"\n')
    assert Settings(environ).get("base-url").source == Source.DEFAULT
    assert Settings(environ).get("model").value is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("aspect_ration", "aspect-ratio"), ("timeot", "timeout"), ("max-costs", "max-cost"), ("modle", "model")],
)
def test_a_misspelt_name_is_answered_with_the_nearest(typed: str, meant: str, environ: dict[str, str]) -> None:
    for use in (Settings(environ).get, Settings(environ).unset, lambda name: Settings(environ).set(name, "x")):
        with pytest.raises(UsageError, match=f"no setting '{typed}'") as refused:
            use(typed)
        assert refused.value.hint == f"did you mean {meant}?"


def test_an_unlike_name_is_answered_with_all(environ: dict[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        Settings(environ).get("qqq")
    assert all(name in str(refused.value.hint) for name in NAMES)


def test_underscores_are_dashes(environ: dict[str, str]) -> None:
    assert Settings(environ).set("aspect_ratio", "1:1").name == "aspect-ratio"


def test_all_has_every_setting_and_its_source(environ: dict[str, str]) -> None:
    Settings(environ).set("resolution", "720p")
    explained = {
        setting.name: setting
        for setting in Settings({**environ, "ORVIDEO_MODEL": "a/b", "ORVIDEO_TIMEOUT": "never"}).all()
    }
    assert tuple(explained) == NAMES
    assert (explained["model"].text, explained["model"].location) == ("a/b", "ORVIDEO_MODEL")
    assert (explained["resolution"].text, explained["resolution"].source) == ("720p", Source.STORE)
    assert (explained["max-image-size"].text, explained["max-image-size"].source) == ("20MiB", Source.DEFAULT)
    broken = explained["timeout"]
    assert (broken.value, broken.source, broken.location) == (None, Source.ENVIRONMENT, "ORVIDEO_TIMEOUT")
    assert broken.problem
    assert "'never'" in broken.problem


def test_unknown_entries_stay_and_are_reported(environ: dict[str, str]) -> None:
    file = Path(environ["ORVIDEO_CONFIG_DIR"], "config.toml")
    file.parent.mkdir()
    file.write_text('model = "a/b"\naspect_ratio = "1:1"\n\n[theirs]\nx = 1\n')
    settings = Settings(environ)
    assert settings.get("model").value == "a/b"
    problems = [warning.message for warning in settings.warnings()]
    assert any(f"{file}:2: there is no setting 'aspect_ratio'. Did you mean aspect-ratio?" in p for p in problems)
    assert any("'theirs'" in problem for problem in problems)
    settings.set("seed", "1")
    assert "theirs" in file.read_text()
    assert Settings(environ).unset("theirs")
    assert not any("'theirs'" in problem for problem, _ in Settings(environ).warnings())


def test_a_key_in_config_toml_is_reported_without_showing_it(environ: dict[str, str]) -> None:
    file = Path(environ["ORVIDEO_CONFIG_DIR"], "config.toml")
    file.parent.mkdir()
    file.write_text('api-key = "sk-or-v1-canary-canary"\n')
    ((problem, _),) = Settings(environ).warnings()
    assert "api-key" in problem
    assert "canary" not in problem
    with pytest.raises(OrvideoError):
        Settings(environ).api_key("https://openrouter.ai/api/v1")


def test_a_misspelt_variable_is_reported_and_one_for_hooks_is_not(environ: dict[str, str]) -> None:
    odd = {**environ, "ORVIDEO_TIMEOT": "5m", "ORVIDEO_JOB_ID": "x", "ORVIDEO_STATUS": "x", "ORVIDEO_PATH": "x"}
    ((problem, _),) = Settings(odd).warnings()
    assert problem == "The variable ORVIDEO_TIMEOT is not read. Did you mean ORVIDEO_TIMEOUT?"
    assert list(Settings({**environ, "ORVIDEO_WEBHOOK_SECRET": "x"}).warnings()) == []
    assert "ORVIDEO_WEBHOOK_SECRET?" in Settings({**environ, "ORVIDEO_WEBHOK_SECRET": "x"}).warnings()[0].message


def test_a_change_is_seen_by_the_same_settings(environ: dict[str, str]) -> None:
    settings = Settings(environ)
    assert settings.get("model").value is None
    settings.set("model", "a/b")
    assert settings.get("model").value == "a/b"
    assert settings.unset("model")
    assert settings.get("model").value is None
    assert not settings.unset("model")


def test_asking_costs_no_heavy_import_and_creates_nothing(tmp_path: Path) -> None:
    script = """
import sys
from orvideo.settings.resolving import Settings
settings = Settings({"HOME": sys.argv[1], "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef"})
settings.timeout, settings.max_cost, settings.warnings(), settings.state_dir, settings.cache_dir
settings.api_key(settings.base_url)
heavy = {"httpx", "pydantic", "rich", "sqlite3", "typer", "tomlkit", "platformdirs", "asyncio"}
heavy |= {"importlib.metadata", "keyring"}
sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])
    assert list(tmp_path.iterdir()) == []
