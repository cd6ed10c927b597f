from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orvideo.errors import OutputUnwritable, UsageError
from orvideo.settings.private import write_private
from orvideo.settings.resolving import Settings

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")
unprivileged = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere; run this as a user"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "config"


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings({"ORVIDEO_CONFIG_DIR": str(folder)})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_comments_and_order_are_kept(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    file.write_text('# mine\ntimeout = "5m" # short\n\nmodel="a/b"\n\n[theirs]\nx = 1 # one\n')
    settings.set("timeout", "10m")
    settings.set("audio", "no")
    settings.set("duration", "8")
    settings.set("max-cost", "$0.50")
    settings.unset("model")
    text = file.read_text()
    assert text.startswith('# mine\ntimeout = "10m" # short\n')
    assert text.endswith("[theirs]\nx = 1 # one\n")
    assert "audio = false\n" in text
    assert "duration = 8\n" in text
    assert 'max-cost = "0.50"\n' in text
    assert "model" not in text


def test_a_byte_order_mark_and_dos_line_ends_are_read(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.toml").write_bytes(b'\xef\xbb\xbfmodel = "a/b"\r\nduration = 4\r\n')
    assert (settings.get("model").value, settings.duration) == ("a/b", 4)
    settings.set("seed", "1")
    assert (settings.get("model").value, settings.get("seed").value) == ("a/b", 1)


def test_bare_numbers_and_choices_of_toml_are_read_exactly(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("max-cost = 0.1\ntimeout = 90\naudio = true\nsandbox = 1\n")
    assert str(settings.max_cost) == "0.1"
    assert (settings.timeout, settings.get("audio").value, settings.sandbox) == (90.0, True, True)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"model = \n", 1),
        (b'\n\nmodel = "a/b\n', 3),
        (b'model = "a"\nmodel = "b"\n', 2),
        (b"[table\n", 1),
        (b"a = 1\nmodel = '\xff'\n", 2),
        (b"\x00", 1),
        (b"x = " + b"[" * 100_000, None),
        (b"x = " + b"9" * 10_000, None),
    ],
)
def test_broken_toml_is_named_and_never_overwritten(
    content: bytes, line: int | None, settings: Settings, folder: Path
) -> None:
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    file.write_bytes(content)
    where = f"{file}:{line}: " if line else f"{file}: "
    for use in (
        lambda: settings.get("model").value,
        lambda: settings.set("model", "a/b"),
        lambda: settings.unset("model"),
        settings.all,
        settings.warnings,
    ):
        with pytest.raises(UsageError) as refused:
            use()
        assert refused.value.message.startswith(where)
        assert f"{file}.broken" in str(refused.value.hint)
    assert file.read_bytes() == content


@pytest.mark.parametrize("content", ["duration = 0.5", "duration = [8]", "duration = {a = 1}", "duration = 1979-05-27"])
def test_a_value_of_the_wrong_kind_is_named_with_its_line(content: str, settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    file = folder / "config.toml"
    file.write_text(f"# first\n{content}\n")
    with pytest.raises(UsageError, match=r"duration|seconds") as refused:
        _ = settings.duration
    assert refused.value.message.startswith(f"{file}:2: ")


@posix
@pytest.mark.drill("K06")
def test_the_files_are_private_from_the_first_moment(settings: Settings, folder: Path) -> None:
    before = os.umask(0)
    try:
        settings.set("model", "a/b")
        settings.store_api_key("sk-or-v1-0123456789abcdef")
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == {
        "config.toml": 0o600,
        "api-key.json": 0o600,
        ".lock": 0o600,
    }


@posix
@pytest.mark.drill("K06")
def test_loose_modes_are_tightened_by_a_change(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "config.toml").touch(0o644)
    (folder / "api-key.json").touch()
    (folder / "api-key.json").chmod(0o644)
    settings.set("model", "a/b")
    settings.store_api_key("sk-or-v1-0123456789abcdef")
    assert mode(folder) == 0o700
    assert mode(folder / "config.toml") == mode(folder / "api-key.json") == 0o600


@posix
@pytest.mark.drill("K06")
def test_a_directory_that_is_shared_on_purpose_is_not_locked(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    Settings({"ORVIDEO_CONFIG_DIR": str(shared)}).set("model", "a/b")
    assert mode(shared) == 0o1777
    assert mode(shared / "config.toml") == 0o600


@posix
@pytest.mark.drill("K06")
def test_a_link_stays_a_link_and_its_target_is_replaced(settings: Settings, folder: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir(mode=0o755)
    target = dotfiles / "orvideo.toml"
    target.write_text("# kept in git\n")
    inode = target.stat().st_ino
    folder.mkdir(parents=True)
    (folder / "config.toml").symlink_to(target)
    settings.set("model", "a/b")
    assert (folder / "config.toml").readlink() == target
    assert target.read_text() == '# kept in git\nmodel = "a/b"\n'
    assert target.stat().st_ino != inode
    assert mode(dotfiles) == 0o755
    assert [path.name for path in dotfiles.iterdir()] == ["orvideo.toml"]


@posix
@pytest.mark.drill("K06")
def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    import resource

    file = tmp_path / "config" / "config.toml"
    write_private(file, b"old")
    script = """
import resource, signal, sys, pathlib
from orvideo.settings.private import write_private
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    write_private(pathlib.Path(sys.argv[1]), b"new" * 100)
except OSError:
    sys.exit(7)
"""
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run([sys.executable, "-c", script, str(file)], cwd=Path(__file__).parents[2])
    assert done.returncode == 7
    assert file.read_bytes() == b"old"
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_what_is_no_file_is_an_error_and_not_a_wait(settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.toml").mkdir()
    with pytest.raises(UsageError, match=r"cannot be read: .*config\.toml"):
        _ = settings.get("model").value


@posix
@pytest.mark.parametrize("trap", ["fifo", "zero"])
def test_a_pipe_or_an_endless_device_is_not_read(trap: str, settings: Settings, folder: Path) -> None:
    folder.mkdir(parents=True)
    if trap == "fifo":
        os.mkfifo(folder / "config.toml")
    else:
        (folder / "config.toml").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="not a regular file"):
        _ = settings.get("model").value


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings({"ORVIDEO_CONFIG_DIR": str(tmp_path / "file" / "config")})
    assert settings.get("model").value is None
    with pytest.raises(OutputUnwritable, match=r"file[/\\]config[/\\]config\.toml"):
        settings.set("model", "a/b")
    with pytest.raises(OutputUnwritable, match=r"file[/\\]config[/\\]api-key\.json"):
        settings.store_api_key("sk-or-v1-0123456789abcdef")


@unprivileged
def test_an_unreadable_file_is_an_error_that_names_it(settings: Settings, folder: Path) -> None:
    settings.set("model", "a/b")
    (folder / "config.toml").chmod(0)
    with pytest.raises(UsageError, match=r"cannot be read: .*config\.toml"):
        _ = Settings({"ORVIDEO_CONFIG_DIR": str(folder)}).get("model").value


@posix
def test_two_processes_at_once_lose_no_change(settings: Settings, folder: Path) -> None:
    script = """
import sys
from orvideo.settings.resolving import Settings
for text in sys.argv[3:]:
    Settings({"ORVIDEO_CONFIG_DIR": sys.argv[1]}).set(sys.argv[2], text)
"""
    changes = {
        "seed": [str(n) for n in range(40)],
        "duration": [str(n) for n in range(1, 41)],
        "title": [f"title {n}" for n in range(40)],
    }
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(folder), name, *texts], cwd=Path(__file__).parents[2])
        for name, texts in changes.items()
    ]
    while any(process.poll() is None for process in running):
        _ = Settings({"ORVIDEO_CONFIG_DIR": str(folder)}).all()  # never sees half a file
    assert [process.returncode for process in running] == [0, 0, 0]
    assert (settings.get("seed").value, settings.duration, settings.title) == (39, 40, "title 39")
