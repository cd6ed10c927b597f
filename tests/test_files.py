"""Names that are given once, files that are whole, folders that are private."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orvideo import files, system
from orvideo.errors import UsageError

posix = pytest.mark.skipif(os.name != "posix", reason="rights and links are POSIX's")


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **more: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)


def without_renames(monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(monkeypatch)

    def missing(*args: object, **more: object) -> None:
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)


@posix
@pytest.mark.drill("O01")
@pytest.mark.parametrize("lack", [lambda _: None, without_links, without_renames])
def test_a_name_is_given_once_whatever_the_file_system_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: Callable[[pytest.MonkeyPatch], None]
) -> None:
    lack(monkeypatch)
    open_before = len(os.listdir("/dev/fd"))
    old, new = tmp_path / "boat.part", tmp_path / "boat.mp4"
    old.write_bytes(b"mine")
    new.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        files.move_into_place(old, new)
    assert (old.read_bytes(), new.read_bytes()) == (b"mine", b"theirs")
    new.unlink()
    new.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        files.move_into_place(old, new)
    new.unlink()
    files.move_into_place(old, new)
    assert (old.exists(), new.read_bytes(), new.stat().st_nlink) == (False, b"mine", 1)
    assert len(os.listdir("/dev/fd")) == open_before
    old.write_bytes(b"again")
    files.move_into_place(old, new, replace=True)
    assert (old.exists(), new.read_bytes()) == (False, b"again")


@posix
@pytest.mark.parametrize("lack", [lambda _: None, without_links])
def test_what_keeps_a_name_from_being_given_is_told_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: Callable[[pytest.MonkeyPatch], None]
) -> None:
    lack(monkeypatch)
    old = tmp_path / "boat.part"
    old.write_bytes(b"mine")
    with pytest.raises(FileNotFoundError):
        files.move_into_place(old, tmp_path / "missing" / "boat.mp4")
    assert old.read_bytes() == b"mine"


@posix
def test_a_file_is_written_whole_with_the_rights_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    files.write_atomically(path, b"one", mode=0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"one", 0o600)
    with pytest.raises(FileExistsError):
        files.write_atomically(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    files.write_atomically(path, b"three")
    assert path.read_bytes() == b"three"
    with pytest.raises(IsADirectoryError):
        files.write_atomically(tmp_path, b"four")
    assert [place.name for place in tmp_path.iterdir()] == ["config.toml"]
    assert not list(tmp_path.parent.glob(".orvideo-*")), "nothing half done is left"


@posix
@pytest.mark.parametrize("replace", [True, False])
def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    done: list[str] = []

    def watched(call: Callable[..., object], name: str) -> Callable[..., object]:
        def run(*args: object) -> object:
            done.append(name)
            return call(*args)

        return run

    for name in ("fsync", "link", "replace"):
        monkeypatch.setattr(os, name, watched(getattr(os, name), name))
    files.write_atomically(tmp_path / "config.toml", b"one", replace=replace)
    assert done == ["fsync", "replace" if replace else "link", "fsync"]


@posix
@pytest.mark.drill("J12", "K06")
def test_missing_folders_are_private_and_those_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.make_private_folder(tmp_path / "a" / "b")
    rights = [place.stat().st_mode & 0o777 for place in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")]
    assert rights == [0o755, 0o700, 0o700]
    files.make_private_folder(tmp_path / "a" / "b")


@posix
@pytest.mark.drill("F-C04")
@pytest.mark.parametrize(
    ("number", "trusted"), [(errno.EINVAL, True), (errno.EBADF, True), (errno.ENOSYS, True), (errno.EIO, False)]
)
def test_a_folder_that_cannot_be_synced_is_trusted_and_a_disk_that_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, trusted: bool
) -> None:
    before = len(os.listdir("/dev/fd"))

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    if trusted:
        system.sync_folder(tmp_path)
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            system.sync_folder(tmp_path)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.drill("W34", "F-D02")
def test_d02_the_home_of_another_is_never_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", str(tmp_path / "me")), ("USERPROFILE", str(tmp_path / "me")), ("USERNAME", "me")):
        monkeypatch.setenv(name, value)
    (tmp_path / "me").mkdir()
    monkeypatch.chdir(tmp_path / "me")
    assert files.expand_user("~/boat.mp4") == f"{tmp_path / 'me'}/boat.mp4"
    with pytest.raises(UsageError, match="no home of ~nobody-of-this-name") as refused:
        files.expand_user("~nobody-of-this-name/boat.mp4")
    assert refused.value.hint == "a name that begins so: ./~nobody-of-this-name/boat.mp4"
    Path("~nobody-of-this-name").mkdir()
    assert files.expand_user("~nobody-of-this-name/boat.mp4") == "~nobody-of-this-name/boat.mp4"
