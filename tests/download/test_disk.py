"""The file that a video grows in, and what a disk has room for."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orvideo import system
from orvideo.download import disk
from orvideo.download.disk import FileInUse, Part
from orvideo.download.receipts import receipt_path, write_receipt
from orvideo.errors import OutputExists, OutputUnwritable
from tests.download.films import noise

FILM = noise(3_000_000)


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    held = Part.open_locked(tmp_path / "a.part")
    yield held
    held.close()


# --- the part


def test_what_was_written_is_counted_summed_and_read_back(part: Part, tmp_path: Path) -> None:
    for start in range(0, len(FILM), 700_000):
        part.append(FILM[start : start + 700_000])
        assert part.size == (tmp_path / "a.part").stat().st_size == min(start + 700_000, len(FILM))
    assert part.digest() == part.digest() == sum_of(FILM)
    assert b"".join(part.pieces()) == FILM
    assert b"".join(part.pieces(len(FILM) - 5)) == FILM[-5:]
    assert part.read(5, 7) == FILM[7:12]
    assert [len(piece) for piece in part.pieces()] == [1 << 20, 1 << 20, len(FILM) - (2 << 20)]
    part.empty()
    assert (part.size, part.digest(), list(part.pieces())) == (0, sum_of(b""), [])
    part.append(b"x")
    assert part.digest() == sum_of(b"x")


def test_the_sum_is_of_all_bytes_in_their_order_however_they_came(part: Part) -> None:
    film = noise(9 << 20, 7)
    cuts = [0, 7, 262_144, 3 << 20, (3 << 20) + 1, 5 << 20, 8 << 20, 9 << 20]
    for begin, end in pairwise(cuts):
        part.append(film[begin:end])
        if begin in (7, 5 << 20):
            assert part.digest() == sum_of(film[:end])
    assert (part.size, part.digest()) == (len(film), sum_of(film))
    part.empty()
    part.append(film)
    assert part.digest() == sum_of(film)


def test_what_an_earlier_process_wrote_counts(tmp_path: Path) -> None:
    (tmp_path / "a.part").write_bytes(FILM)
    for more in (b"", b"more"):
        part = Part.open_locked(tmp_path / "a.part")
        assert part.size == len(FILM)
        part.append(more)
        assert part.digest() == sum_of(FILM + more)
        part.close()


def test_a_part_that_was_cut_behind_our_back_is_an_error_and_not_a_short_video(part: Part) -> None:
    part.append(FILM)
    os.truncate(part.descriptor, 100)
    with pytest.raises(OSError, match="shorter than what was written"):
        list(part.pieces())


def test_a_part_is_held_by_one_and_free_again_when_it_is_closed(part: Part, tmp_path: Path) -> None:
    assert part.folder == tmp_path
    opened = os.listdir("/proc/self/fd")
    with pytest.raises(FileInUse):
        Part.open_locked(tmp_path / "a.part")
    assert os.listdir("/proc/self/fd") == opened, "nothing stays open"
    part.close()
    Part.open_locked(tmp_path / "a.part").close()


@pytest.mark.parametrize(("number", "held"), [(errno.ENOLCK, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)])
def test_where_a_file_system_has_no_locks_none_is_asked_for(
    number: int, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="fcntl is there on POSIX alone")

    def fails(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fails)
    if held:
        Part.open_locked(tmp_path / "a.part").close()
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            Part.open_locked(tmp_path / "a.part")


def test_what_a_disk_will_not_say_twice_is_remembered(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    part.sync()
    assert not part.is_spoiled
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            part.sync()
    assert part.is_spoiled


def test_a_part_without_a_name_is_nowhere_to_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    part = Part.unnamed()
    part.append(b"x")
    assert (part.path, part.folder, list(tmp_path.iterdir())) == (None, tmp_path, [])
    part.remove()
    part.close()


def test_a_name_is_given_and_removed_only_where_it_is_still_its_own(part: Part, tmp_path: Path) -> None:
    part.append(b"video")
    (tmp_path / "a.part").rename(tmp_path / "moved")
    (tmp_path / "a.part").write_bytes(b"another")
    part.remove()
    with pytest.raises(OSError, match="removed or replaced"):
        part.give_name(tmp_path / "a.mp4", replace=True)
    (tmp_path / "a.part").unlink()
    part.remove()
    assert [place.name for place in tmp_path.iterdir()] == ["moved"]


def test_moved_aside_it_goes_on_empty_in_its_old_place(part: Part, tmp_path: Path) -> None:
    part.append(b"damaged")
    part.move_aside(tmp_path / "damaged.mp4")
    part.append(b"new")
    assert (tmp_path / "damaged.mp4").read_bytes() == b"damaged"
    assert (tmp_path / "a.part").read_bytes() == b"new"
    assert (part.size, part.digest()) == (3, sum_of(b"new"))
    with pytest.raises(FileExistsError):
        part.move_aside(tmp_path / "damaged.mp4")
    assert (tmp_path / "damaged.mp4").read_bytes() == b"damaged"


@pytest.mark.parametrize(("number", "spoilt"), [(errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EIO, True)])
def test_a_disk_that_is_full_spoils_nothing_and_one_that_fails_does(
    part: Part, number: int, spoilt: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    part.append(b"before")

    def fails(*args: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", fails)
        with pytest.raises(OSError, match=os.strerror(number)):
            part.append(b"more")
    assert (part.is_spoiled, part.size, part.digest()) == (spoilt, 6, sum_of(b"before"))


def test_what_was_written_in_pieces_is_all_there(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, data, offset: write(descriptor, data[:7], offset))
    part.append(FILM[:100])
    assert (part.size, part.read(200, 0), part.digest()) == (100, FILM[:100], sum_of(FILM[:100]))


def test_a_part_older_than_the_boot_is_known_by_its_time(part: Part, tmp_path: Path) -> None:
    assert not part.is_older_than_this_boot()
    os.utime(tmp_path / "a.part", (1, 1))
    assert part.is_older_than_this_boot()


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can give a file to somebody else")
def test_a_part_that_somebody_else_made_is_used_but_in_a_folder_such_as_tmp(tmp_path: Path) -> None:
    for mode, owner, good in ((0o700, 0, True), (0o1777, 0, True), (0o700, 12345, True), (0o1777, 12345, False)):
        tmp_path.chmod(mode)
        (tmp_path / "a.part").touch()
        os.chown(tmp_path / "a.part", owner, -1)
        if good:
            Part.open_locked(tmp_path / "a.part").close()
        else:
            with pytest.raises(OSError, match="not made by orvideo"):
                Part.open_locked(tmp_path / "a.part")


# --- folders and files


def test_folders_are_made_below_their_base_only(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk.make_folders(tmp_path / "missing/b", tmp_path / "missing")
    (tmp_path / "base").mkdir()
    disk.make_folders(tmp_path / "base/b/c", tmp_path / "base")
    disk.make_folders(tmp_path / "base/b/c", tmp_path / "base")
    disk.make_folders(tmp_path / "elsewhere/x", tmp_path / "base")
    assert (tmp_path / "base/b/c").is_dir()
    assert not (tmp_path / "elsewhere").exists()


def test_a_try_of_a_folder_leaves_nothing_not_even_of_one_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "probe").write_bytes(b"left by a kill")
    disk.try_folder(tmp_path, "probe")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "probe").mkdir()
    with pytest.raises(OSError, match="probe"):
        disk.try_folder(tmp_path, "probe")


def test_a_file_has_the_bytes_of_its_size_and_sum(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"video")
    assert disk.has_content(path, 5, sum_of(b"video").upper())
    for size, digest in ((4, sum_of(b"video")), (6, sum_of(b"video")), (5, sum_of(b"other")), (None, sum_of(b"video"))):
        assert not disk.has_content(path, size, digest)
    assert not disk.has_content(path, 5, None)


@pytest.mark.drill("F-C03")
@pytest.mark.parametrize(
    ("blocks", "free", "most"),
    [
        (1000, 100, 100 * 4096 - 50 * 4096),
        (1000, 50, 0),
        (10**9, 10**6, 10**6 * 4096 - (1 << 30)),
    ],
)
def test_a_twentieth_of_a_disk_and_a_gib_at_most_are_left_free(
    blocks: int, free: int, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = os.statvfs_result((1, 4096, blocks, free + 7, free, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda folder: room)
    disk.require_room(tmp_path, most)
    disk.require_room(tmp_path, None, at_least=most)
    disk.require_room(tmp_path, most, at_least=most + 1)
    for needed, guessed in ((most + 1, 0), (None, most + 1)):
        with pytest.raises(OutputUnwritable, match="There is no room") as refusal:
            disk.require_room(tmp_path, needed, at_least=guessed)
        assert ("the rest of the video has" in refusal.value.message) == (needed is not None)
        assert f"{free * 4096 / 2**20:,.1f} MiB are free" in refusal.value.message


def test_a_disk_that_does_not_know_its_size_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.require_room(tmp_path / "missing", 1 << 60)
    room = os.statvfs_result((1, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda folder: room)
    disk.require_room(tmp_path, 1 << 60)


def test_how_long_a_name_may_be_is_what_the_file_system_says_and_255_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for said, longest in ((143, 143), (255, 255), (1024, 255)):
        monkeypatch.setattr(os, "pathconf", lambda folder, name, said=said: said)
        assert disk.longest_name(tmp_path) == longest
    monkeypatch.undo()
    assert disk.longest_name(tmp_path / "missing") == 255


def test_a_pipe_whose_reader_is_slow_gets_every_byte(part: Part) -> None:
    part.append(FILM[:300_000])
    read, write = os.pipe()
    os.set_blocking(write, False)
    got = bytearray()

    def reader() -> None:
        while data := os.read(read, 50_000):
            got.extend(data)

    thread = threading.Thread(target=reader)
    thread.start()
    disk.copy_out(part, write, "it")
    os.close(write)
    thread.join(240)
    os.close(read)
    assert bytes(got) == FILM[:300_000]


def test_a_reader_that_left_and_a_stream_that_is_closed_are_told_apart(part: Part, tmp_path: Path) -> None:
    part.append(b"x")
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(BrokenPipeError):
        disk.copy_out(part, write, "it")
    os.close(write)
    with pytest.raises(OutputUnwritable, match="it cannot be written"):
        disk.copy_out(part, write, "it")
    with (tmp_path / "b").open("wb") as stream:
        stream.write(b"before ")
        disk.copy_out(part, stream, "it")
    assert (tmp_path / "b").read_bytes() == b"before x"
    with pytest.raises(OutputUnwritable, match="it cannot be written"):
        disk.copy_out(part, stream, "it")
    with (tmp_path / "b").open("rb") as reading:
        assert not system.is_open_to_write(reading.fileno())
    with (tmp_path / "b").open("r+b") as both:
        assert system.is_open_to_write(both.fileno())


def test_what_the_disk_refuses_is_told_and_a_reader_that_left_is_not_its_fault(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), disk.disk_errors(tmp_path):
        raise BrokenPipeError
    with pytest.raises(OutputUnwritable, match="the disk is full") as refusal, disk.disk_errors(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert str(tmp_path / "a") in refusal.value.message


# --- receipts


@pytest.mark.drill("O07")
def test_a_receipts_name_fits_however_long_the_videos_is() -> None:
    for length, name in ((246, "x" * 246 + ".mp4.json"), (247, None), (251, None)):
        path = receipt_path(Path("/v") / ("x" * length + ".mp4"))
        assert len(path.name) <= 255
        assert path.name.endswith(".mp4.json")
        assert name is None or path.name == name


@pytest.mark.drill("O17")
def test_a_receipt_holds_no_secret_at_any_depth(tmp_path: Path) -> None:
    names = ("urls", "unsigned_urls", "Polling_URL", "callback_url", "Authorization", "api_key")
    document: dict[str, Any] = {"a": [dict.fromkeys(names, "secret") | {"b": ("sk-or-v1-0123456789", 1)}]}
    written = write_receipt(tmp_path / "boat.mp4", document).read_text()
    assert json.loads(written) == {"a": [{"b": ["[key hidden]", 1]}]}


def test_a_receipt_is_plain_json_for_people(tmp_path: Path) -> None:
    path = write_receipt(tmp_path / "boat.mp4", {"é": 0.1, "none": None})
    assert path.read_text() == '{\n  "\\u00e9": 0.1,\n  "none": null\n}\n'
    path.write_bytes(b"\xff")
    with pytest.raises(OutputExists, match="already"):
        write_receipt(tmp_path / "boat.mp4", {})
    assert path.read_bytes() == b"\xff"
    assert [place.name for place in tmp_path.iterdir()] == ["boat.mp4.json"]
