"""What one command has saved is replaced by none of its other videos (drill O01)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orvideo.download.disk import Part
from orvideo.download.published import Published


def part(folder: Path, content: bytes) -> Part:
    made = Part.open_locked(folder / "new.part")
    made.append(content)
    return made


@pytest.mark.drill("O01")
def test_a_second_name_of_a_saved_file_is_not_replaced_and_a_foreign_file_is(tmp_path: Path) -> None:
    published = Published()
    published.give_name(part(tmp_path, b"first"), tmp_path / "boat.mp4", replace=True)
    os.link(tmp_path / "boat.mp4", tmp_path / "Boat.mp4")  # as on a disk that does not tell cases apart
    second = part(tmp_path, b"second")
    with pytest.raises(FileExistsError):
        published.give_name(second, tmp_path / "Boat.mp4", replace=True)
    (tmp_path / "other.mp4").write_bytes(b"foreign")
    published.give_name(second, tmp_path / "other.mp4", replace=True)
    assert (tmp_path / "boat.mp4").read_bytes() == b"first"
    assert (tmp_path / "other.mp4").read_bytes() == b"second"


@pytest.mark.drill("O01", "D14")
def test_a_file_that_an_earlier_command_was_killed_over_counts_as_saved(tmp_path: Path) -> None:
    published, path = Published(), tmp_path / "boat.mp4"
    sha256 = part(tmp_path, b"first").digest()
    path.write_bytes(b"first")
    assert not published.keep(path, 5, "00" * 32)
    assert published.keep(path, 5, sha256)
    (tmp_path / "new.part").unlink()
    with pytest.raises(FileExistsError):
        published.give_name(part(tmp_path, b"second"), path, replace=True)
