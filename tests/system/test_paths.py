"""What is asked of a path has one answer on every system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orvideo import system


@pytest.mark.drill("W32")
@pytest.mark.parametrize("below", ["boat.mp4", "new/boat.mp4", "new/clips/boat.mp4"])
def test_w32_what_is_below_a_file_is_told_so_and_not_as_missing(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / below
    for ask in (os.stat, os.lstat, os.mkdir):
        with pytest.raises(NotADirectoryError), system.files_in_the_way():
            ask(path)
    with pytest.raises(NotADirectoryError):
        system.open_file(path, os.O_RDONLY)


@pytest.mark.drill("W32")
@pytest.mark.parametrize("missing", ["boat.mp4", "new/boat.mp4", "file"])
def test_w32_what_is_missing_is_told_as_missing(tmp_path: Path, missing: str) -> None:
    path = tmp_path / missing
    with pytest.raises(FileNotFoundError), system.files_in_the_way():
        os.stat(path)
    with pytest.raises(FileNotFoundError):
        system.open_file(path, os.O_RDONLY)
