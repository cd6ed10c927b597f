from __future__ import annotations

import copy
import json
import logging
import os
import pickle
import re
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orvideo.errors import AuthError, ExitCode, OrvideoError, Unsafe
from orvideo.settings.definitions import Source
from orvideo.settings.keys import clean_key
from orvideo.settings.resolving import Settings

KEY = "sk-or-v1-0123456789abcdef-canary"
HOME_URL = "https://openrouter.ai/api/v1"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"ORVIDEO_CONFIG_DIR": str(tmp_path / "config")}


@pytest.mark.drill("K02")
@pytest.mark.parametrize(
    "given_text",
    [
        KEY,
        f"  {KEY}\t",
        f"{KEY}\n",
        f"{KEY}\r\n",
        f'"{KEY}"',
        f"'{KEY}'",
        f"\u201c{KEY}\u201d",
        f"\ufeff{KEY}",
        f"Bearer {KEY}",
        f"bearer  {KEY}",
        f'"Bearer {KEY}"\r\n',
        f'Bearer "{KEY}"',
        f"\ufeff 'BEARER {KEY} '\n",
        f"{KEY}\u200b",
    ],
)
def test_what_copying_adds_is_taken_off(given_text: str, environ: dict[str, str]) -> None:
    assert clean_key(given_text, "here") == KEY
    key = Settings({**environ, "OPENROUTER_API_KEY": given_text}).api_key(HOME_URL)
    assert key.reveal() == KEY
    assert (key.source, key.location, key.note) == (Source.ENVIRONMENT, "OPENROUTER_API_KEY", None)


@pytest.mark.drill("K02")
@pytest.mark.parametrize(
    ("given_text", "fault"),
    [
        ("sk-or-v1-canary\ncanary", "line break"),
        ("sk-or-v1-canary\rcanary", "line break"),
        ("sk-or-v1-canary\0canary", "NUL"),
        ("sk-or-v1 canary", "space"),
        ("sk-or-v1\tcanary", "space"),
        ("sk-or-v1-canarÿ", "not ASCII"),
        ("sk-or-v1-canary\u2028x", "space"),
        ("sk-or-v1-\udcffcanary", "not ASCII"),
        ("sk-or-v1-canary\x1b[2J", "control character"),
        ('sk-or-v1-"canary', "quote"),
        ("canary" * 1000, "longer than"),
        ("https://openrouter.ai/canary", "it is a URL"),
        ("OPENROUTER_API_KEY=sk-or-v1-canary", "NAME=value"),
        ("$canary", "placeholder"),
        ("<canary>", "placeholder"),
        ("sk-or-v1-...", "placeholder"),
        ("your-api-key-canary", "placeholder"),
        ("/run/secrets/canary", "it is a path"),
        ('""', "empty"),
        ("Bearer ", "empty"),
        ("\ufeff", "empty"),
    ],
)
def test_what_cannot_be_a_key_is_refused_without_an_echo(given_text: str, fault: str, environ: dict[str, str]) -> None:
    Settings(environ).store_api_key(KEY)
    broken = Settings({**environ, "OPENROUTER_API_KEY": given_text})
    with pytest.raises(AuthError, match=fault) as refused:
        broken.api_key(HOME_URL)  # and the stored key does not step in
    shown = json.dumps(refused.value.as_json()) + "".join(traceback.format_exception(refused.value))
    assert "OPENROUTER_API_KEY" in shown
    assert "canary" not in shown
    assert refused.value.exit_code == ExitCode.AUTH
    with pytest.raises(AuthError, match=fault):
        Settings(environ).store_api_key(given_text)
    assert Settings(environ).api_key(HOME_URL).reveal() == KEY
    explained = next(setting for setting in broken.all() if setting.name == "api-key")
    assert (explained.value, explained.location) == (None, "OPENROUTER_API_KEY")
    assert "canary" not in str(explained)


@pytest.mark.drill("K02")
@given(st.text(max_size=60))
def test_a_key_is_clean_or_refused_in_the_same_words(text: str) -> None:
    try:
        key = clean_key(text, "here")
    except AuthError as error:
        refusal: str = error.message
    else:
        refusal = ""
    if refusal:
        assert re.fullmatch(
            r"here: this cannot be a key: (it is empty|it is [a-zA-Z=;, ]+|there is a [a-zA-Z ]+)\.", refusal
        )
        return
    assert key
    assert key in text
    assert set(key) <= set(map(chr, range(0x21, 0x7F))) - set("\"'`")


@pytest.mark.parametrize("empty", ["", "   ", "\n"])
def test_an_empty_variable_is_as_good_as_unset(empty: str, environ: dict[str, str]) -> None:
    settings = Settings({**environ, "OPENROUTER_API_KEY": empty})
    with pytest.raises(AuthError, match="There is no API key"):
        settings.api_key(HOME_URL)
    settings.store_api_key(KEY)
    assert settings.api_key(HOME_URL).source == Source.STORE


def test_without_a_key_the_hint_names_the_ways_to_one(environ: dict[str, str]) -> None:
    with pytest.raises(AuthError) as refused:
        Settings(environ).api_key(HOME_URL)
    hint = str(refused.value.hint)
    assert all(way in hint for way in ("OPENROUTER_API_KEY", "orvideo login", "--sandbox"))


def test_the_environment_beats_the_store(environ: dict[str, str]) -> None:
    Settings(environ).store_api_key(KEY)
    other = "sk-or-v1-of-the-environment"
    settings = Settings({**environ, "OPENROUTER_API_KEY": other})
    assert settings.api_key(HOME_URL).reveal() == other
    assert settings.overriding_variable("api-key") == "OPENROUTER_API_KEY"


def test_a_key_of_another_gateway_is_taken_with_a_note(environ: dict[str, str]) -> None:
    key = Settings({**environ, "OPENROUTER_API_KEY": "gw_0123456789abcdef"}).api_key(HOME_URL)
    assert key.note
    assert "sk-or-" in key.note
    assert "0123" not in key.note


@pytest.mark.drill("N17")
@pytest.mark.parametrize(
    "foreign",
    [
        "https://openrouter.ai.evil.example/api/v1",
        "https://openrouter.ai:8443/api/v1",
        "http://127.0.0.1:8080/api/v1",
        "https://eu.openrouter.ai/api/v1",
    ],
)
def test_a_stored_key_goes_to_its_own_origin_only(foreign: str, environ: dict[str, str]) -> None:
    Settings(environ).store_api_key(KEY)
    with pytest.raises(Unsafe, match=r"stored key is for https://openrouter\.ai ") as refused:
        Settings({**environ, "OPENROUTER_BASE_URL": foreign}).api_key(foreign)
    assert refused.value.exit_code == ExitCode.UNSAFE
    assert KEY not in str(refused.value.as_json())
    # A key that came with the same environment goes where that environment says.
    assert Settings({**environ, "OPENROUTER_API_KEY": KEY}).api_key(foreign).reveal() == KEY


@pytest.mark.drill("N17")
@pytest.mark.parametrize(
    "same", ["https://openrouter.ai/api/v1", "https://OpenRouter.ai:443/other", "https://openrouter.ai"]
)
def test_the_same_origin_in_other_words_is_the_same(same: str, environ: dict[str, str]) -> None:
    Settings(environ).store_api_key(KEY)
    assert Settings(environ).api_key(same).reveal() == KEY


@pytest.mark.drill("N17")
def test_a_key_is_bound_to_the_service_that_is_set_when_it_is_stored(environ: dict[str, str]) -> None:
    gateway = "https://gateway.example:8443/api/v1"
    Settings({**environ, "ORVIDEO_BASE_URL": gateway}).store_api_key(KEY)
    assert Settings(environ).api_key(gateway).reveal() == KEY
    with pytest.raises(Unsafe):
        Settings(environ).api_key(HOME_URL)


@pytest.mark.drill("K11")
def test_a_listing_has_the_last_four_characters_at_most(environ: dict[str, str]) -> None:
    settings = Settings(environ)
    assert settings.get("api-key").value is None
    settings.store_api_key(KEY)
    shown = settings.get("api-key")
    assert (shown.value, shown.text, shown.source) == ("…nary", "…nary", Source.STORE)
    assert shown.location == str(Path(environ["ORVIDEO_CONFIG_DIR"], "api-key.json"))
    assert KEY[:-4] not in str(settings.all())
    assert Settings({**environ, "OPENROUTER_API_KEY": "short-key"}).get("api-key").text == "…"


@pytest.mark.drill("K13")
def test_neither_key_nor_settings_show_the_key(environ: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings({**environ, "OPENROUTER_API_KEY": KEY})
    key = settings.api_key(HOME_URL)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().debug("%s %r %s", key, [key], settings)
    assert KEY not in caplog.text + f"{key}{key!r}{settings!r}{settings}{copy.copy(settings)!r}"
    assert repr(key) == "ApiKey(…nary)"
    with pytest.raises(TypeError):
        pickle.dumps(key)


@pytest.mark.drill("K10")
def test_a_child_process_is_not_told_the_key(environ: dict[str, str]) -> None:
    settings = Settings({**environ, "OPENROUTER_API_KEY": KEY, "PATH": "/bin"})
    assert settings.environ_without_key() == {**environ, "PATH": "/bin"}


def test_the_stored_key_can_be_forgotten(environ: dict[str, str]) -> None:
    settings = Settings(environ)
    assert not settings.unset("api-key")
    settings.store_api_key(KEY)
    assert settings.unset("api-key")
    assert list(Path(environ["ORVIDEO_CONFIG_DIR"]).glob("api-key*")) == []
    with pytest.raises(AuthError):
        settings.api_key(HOME_URL)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"sk-or-v1-canary",
        b"{}",
        b"[]",
        b"null",
        b'{"key": "sk-or-v1-canary"}',
        b'{"key": 5, "origin": "https://openrouter.ai"}',
        b'{"key": "sk-or-v1-canary canary", "origin": "https://openrouter.ai"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"x" * 2_000_000,
    ],
)
def test_a_broken_key_file_is_named_and_not_shown(content: bytes, environ: dict[str, str]) -> None:
    file = Path(environ["ORVIDEO_CONFIG_DIR"], "api-key.json")
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(AuthError) as refused:
        Settings(environ).api_key(HOME_URL)
    assert str(file) in refused.value.message
    assert "canary" not in "".join(traceback.format_exception(refused.value))
    assert file.read_bytes() == content


def test_a_made_up_origin_in_the_file_fits_nothing(environ: dict[str, str]) -> None:
    file = Path(environ["ORVIDEO_CONFIG_DIR"], "api-key.json")
    file.parent.mkdir()
    file.write_text(json.dumps({"key": KEY, "origin": "*"}))
    file.chmod(0o600)
    with pytest.raises(OrvideoError) as refused:
        Settings(environ).api_key(HOME_URL)
    assert refused.value.exit_code == ExitCode.UNSAFE


@pytest.mark.drill("K01")
def test_the_key_is_no_setting_that_takes_a_text(environ: dict[str, str]) -> None:
    from orvideo.errors import UsageError

    with pytest.raises(UsageError) as refused:
        Settings(environ).set("api-key", KEY)
    assert KEY not in str(refused.value.as_json())
    assert "config set api-key" in str(refused.value.hint)


@pytest.mark.drill("F-C08")
@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o602])
def test_c08_a_key_that_others_can_read_or_change_is_not_used(environ: dict[str, str], mode: int) -> None:
    settings = Settings(environ)
    settings.store_api_key(KEY)
    file = Path(environ["ORVIDEO_CONFIG_DIR"], "api-key.json")
    file.chmod(mode)
    with pytest.raises(AuthError, match="not used") as refused:
        settings.api_key(HOME_URL)
    assert refused.value.hint == f"chmod 600 {file}"
    assert settings.keys() == settings.keys(malformed=True) == [KEY]  # and yet it is shown nowhere
    assert KEY not in settings.environ_without_key().values()
    (shown,) = [one for one in settings.all() if one.name == "api-key"]
    assert "not used" in str(shown.problem)
    file.chmod(0o400)
    assert settings.api_key(HOME_URL).reveal() == KEY


@pytest.mark.drill("F-C08")
@pytest.mark.parametrize("change", ["model", "api-key", "unset"])
def test_c08_what_a_killed_process_left_half_written_is_swept(environ: dict[str, str], change: str) -> None:
    settings = Settings(environ)
    settings.store_api_key(KEY)
    folder = Path(environ["ORVIDEO_CONFIG_DIR"])
    (folder / ".orvideo-0123456789ab.new").write_text(KEY)
    (folder / "notes.new").write_text("a person's own")
    if change == "unset":
        settings.unset("api-key")
    elif change == "model":
        settings.set("model", "a/b")
    else:
        settings.store_api_key(KEY)
    assert [path.name for path in folder.glob("*.new")] == ["notes.new"]
    assert list(folder.glob(".orvideo-*")) == []


@pytest.mark.drill("F-C08")
@pytest.mark.skipif(os.name != "posix", reason="modes mean nothing here")
def test_c08_a_folder_in_which_others_can_swap_the_key_is_as_bad(environ: dict[str, str]) -> None:
    settings, folder = Settings(environ), Path(environ["ORVIDEO_CONFIG_DIR"])
    settings.store_api_key(KEY)
    for mode, is_used in ((0o777, False), (0o770, False), (0o755, True), (0o1777, True)):
        folder.chmod(mode)
        if is_used:
            assert settings.api_key(HOME_URL).reveal() == KEY
        else:
            with pytest.raises(AuthError, match="not used") as refused:
                settings.api_key(HOME_URL)
            assert f"chmod go-w {folder}" in str(refused.value.hint)
