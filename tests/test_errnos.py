"""One table from errno to a sentence (F-C04)."""

import errno
import os
import sys
from pathlib import Path

import pytest

from orvideo import errnos, shells


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.drill("F-C04")
@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "you have no permission"),
        (errno.EPERM, "you have no permission"),
        (errno.EROFS, "can only be read"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "input/output error"),
        (errno.ENAMETOOLONG, "name is too long"),
        (errno.ENOLCK, "no locks"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
    ],
)
def test_f_c04_every_cause_has_its_own_words(number: int, words: str, tmp_path: Path) -> None:
    said = errnos.sentence(refused(number), tmp_path / "boat.mp4")
    assert words in said
    assert str(tmp_path / "boat.mp4") in said
    assert said.endswith(".")
    assert errnos.hint(refused(number), tmp_path / "boat.mp4") is None


@pytest.mark.drill("W25")
def test_w25_on_windows_a_file_may_be_open_in_another_program() -> None:
    assert ("another program" in errnos.reason(refused(errno.EACCES))) is (sys.platform == "win32")


@pytest.mark.drill("F-C04")
def test_f_c04_a_folder_is_made_only_where_it_is_the_folder_that_is_missing(tmp_path: Path) -> None:
    missing = tmp_path / "a b" / "boat.mp4"
    assert errnos.sentence(refused(errno.ENOENT), missing) == f"The folder {tmp_path / 'a b'} does not exist."
    assert errnos.hint(refused(errno.ENOENT), missing) == shells.make_folder(str(tmp_path / "a b"))
    gone = tmp_path / "boat.mp4"
    assert errnos.sentence(refused(errno.ENOENT), gone) == f"{gone} cannot be written: it does not exist."
    assert errnos.hint(refused(errno.ENOENT), gone) is None


def test_what_is_not_in_the_table_is_said_in_the_systems_words(tmp_path: Path) -> None:
    assert errnos.reason(refused(errno.EXDEV)) == os.strerror(errno.EXDEV)
    assert errnos.reason(OSError(errno.EEXIST, "it was not made by orvideo")) == "it was not made by orvideo"
    assert errnos.reason(OSError("the file is short")) == "the file is short"
