from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orvideo.errors import ExitCode, OrvideoError, RecordError, UsageError
from orvideo.settings.folders import CACHE, CONFIG, FOLDERS, STATE, Folder, locate
from orvideo.settings.resolving import Settings

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the places are those of Linux")


def test_a_variable_of_orvideo_names_the_folder_itself(tmp_path: Path) -> None:
    for folder in FOLDERS:
        environ = {f"ORVIDEO_{folder.kind.upper()}_DIR": f" {tmp_path} ", "XDG_STATE_HOME": "/x", "HOME": "/h"}
        assert locate(folder, environ) == str(tmp_path)


@pytest.mark.drill("J11")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.kind)
def test_a_relative_variable_of_orvideo_is_refused(folder: Folder) -> None:
    with pytest.raises(OrvideoError, match=f"{folder.variable} must be an absolute path, and is 'here'") as refused:
        locate(folder, {folder.variable: "here", "HOME": "/h"})
    assert "$PWD/here" in str(refused.value.hint)


@linux
def test_the_places_of_xdg() -> None:
    assert locate(CONFIG, {"HOME": "/h"}) == "/h/.config/orvideo"
    assert locate(STATE, {"HOME": "/h"}) == "/h/.local/state/orvideo"
    assert locate(CACHE, {"HOME": "/h"}) == "/h/.cache/orvideo"
    assert locate(STATE, {"HOME": "/h", "XDG_STATE_HOME": "/s"}) == "/s/orvideo"


@linux
@pytest.mark.drill("J11")
@pytest.mark.parametrize("relative", ["state", "./state", "", "~/state"])
def test_a_relative_xdg_variable_is_ignored(relative: str) -> None:
    assert locate(STATE, {"HOME": "/h", "XDG_STATE_HOME": relative}) == "/h/.local/state/orvideo"


@linux
@pytest.mark.drill("J11")
@pytest.mark.parametrize("home", [None, "", "relative/home"])
def test_without_a_home_the_error_names_the_variable_to_set(home: str | None) -> None:
    environ = {} if home is None else {"HOME": home}
    settings = Settings(environ)
    with pytest.raises(RecordError, match="HOME") as refused:
        _ = settings.state_dir
    assert refused.value.exit_code == ExitCode.RECORD
    assert "ORVIDEO_STATE_DIR" in str(refused.value.hint)
    with pytest.raises(UsageError, match="HOME") as refused_config:
        settings.set("model", "a/b")
    assert "ORVIDEO_CONFIG_DIR" in str(refused_config.value.hint)
    with pytest.raises(RecordError, match="HOME"):
        _ = settings.cache_dir


@linux
@pytest.mark.drill("J11")
def test_without_a_home_the_environment_still_does() -> None:
    settings = Settings({"ORVIDEO_MODEL": "a/b", "OPENROUTER_API_KEY": "sk-or-v1-0123456789abcdef"})
    assert settings.get("model").value == "a/b"
    assert settings.timeout == 1800
    assert settings.api_key(settings.base_url).last4 == "cdef"
    assert settings.warnings() == []


@linux
@pytest.mark.parametrize("xdg", [None, "/elsewhere", "relative"])
def test_the_places_are_those_of_platformdirs(xdg: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import PlatformDirs

    environ = {"HOME": str(tmp_path)}
    if xdg:
        environ |= {folder.xdg_variable: xdg for folder in FOLDERS}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    known = PlatformDirs("orvideo", appauthor=False)
    assert locate(CONFIG, environ) == known.user_config_dir
    assert locate(STATE, environ) == known.user_state_dir
    assert locate(CACHE, environ) == known.user_cache_dir


def test_elsewhere_platformdirs_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # On this machine platformdirs answers for this machine: that it is asked is all that can be seen here.
    monkeypatch.setenv("HOME", str(tmp_path))
    for platform in ("darwin", "win32"):
        for folder in FOLDERS:
            assert tmp_path in Path(locate(folder, {}, platform=platform)).parents
