from __future__ import annotations

import ctypes
import errno
import hashlib
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orvideo.clock import Clock
from orvideo.deadline import Cancelled, Deadline
from orvideo.download import disk
from orvideo.download.naming import beside
from orvideo.download.receipts import write_receipt
from orvideo.download.save import Saved, SaveRequest, is_saved, save
from orvideo.download.targets import Target
from orvideo.download.transfer import Transfer, TransferLimits
from orvideo.errors import (
    BadReply,
    Forbidden,
    NotFetched,
    NotFound,
    OutputExists,
    OutputUnwritable,
    ServerFault,
    ServiceReply,
)
from orvideo.files import move_into_place
from orvideo.record.values import Output, ResumeState
from tests.clocks import HandClock
from tests.download.deciding import decide_target
from tests.download.films import FACTS, Answer, Notes, Offered, Place, mp4, webm

FILM = mp4(3_000_000)
DIGEST = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
def boat(tmp_path: Path) -> Target:
    return decide_target("boat.mp4", cwd=tmp_path)


def keep(place: Place, target: Target, notes: Notes | None = None, clock: Clock | None = None, **more: Any) -> Saved:
    """Save from one place, with a record of its own where none is given."""
    wanted = SaveRequest(
        target, more.pop("facts", FACTS), stdout=more.pop("stdout", None), since=more.pop("since", None)
    )
    deadline = more.pop("deadline", None) or Deadline(clock or HandClock().clock())
    transfer = Transfer(Offered(place), deadline, more.pop("bounds", TransferLimits()), **more)
    return save(transfer, wanted, notes or Notes())


def test_a_saved_video_is_described_whole(boat: Target, tmp_path: Path) -> None:
    notes = Notes()
    saved = keep(Place(FILM), boat, notes)
    assert saved == Saved(tmp_path / "boat.mp4", len(FILM), DIGEST, "mp4")
    assert notes.told == [saved]
    assert notes.resume is None
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_a_video_has_the_mode_that_the_person_gives_new_files(boat: Target, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        keep(Place(FILM), boat)
    finally:
        os.umask(before)
    assert (tmp_path / "boat.mp4").stat().st_mode & 0o777 == 0o640


def test_the_extension_follows_the_content_where_the_name_is_ours(tmp_path: Path) -> None:
    saved = keep(Place(webm()), decide_target(None, cwd=tmp_path))
    assert (saved.kind, saved.notes) == ("webm", ())
    assert os.listdir(tmp_path) == ["20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d.webm"]


def test_a_typed_name_is_kept_and_a_wrong_extension_is_told_of(boat: Target, tmp_path: Path) -> None:
    saved = keep(Place(webm()), boat)
    assert saved.path == tmp_path / "boat.mp4"
    assert saved.notes == ("boat.mp4 holds a WebM, whatever its name says.",)
    assert keep(Place(webm()), decide_target("boat", cwd=tmp_path)).notes == ()


@pytest.mark.drill("F-C09")
def test_f_c09_what_is_no_mp4_is_kept_under_its_own_extension_and_said(tmp_path: Path) -> None:
    gif = b"GIF89a" + bytes(1000) + b";"
    saved = keep(Place(gif), decide_target(None, cwd=tmp_path))
    assert (saved.kind, saved.notes) == ("gif", ("The service sent a GIF, not an MP4.",))
    assert os.listdir(tmp_path) == ["20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d.gif"]
    unknown = b"\x01\x02\x03\xff" * 100
    saved = keep(Place(unknown), decide_target("{seed}.{ext}", cwd=tmp_path))
    assert saved.path == tmp_path / "7.bin"
    assert "does not know" in saved.notes[0]
    assert (tmp_path / "7.bin").read_bytes() == unknown


def test_progress_is_told_at_a_bounded_rate_and_at_both_ends(boat: Target) -> None:
    told: list[tuple[int, int | None]] = []
    keep(Place(FILM), boat, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, len(FILM)), (len(FILM), len(FILM))]


def test_an_interrupted_download_goes_on_in_the_next_process(boat: Target, tmp_path: Path) -> None:
    place, notes = Place(FILM, script=[1_000_000], cut=KeyboardInterrupt()), Notes()
    with pytest.raises(KeyboardInterrupt):
        keep(place, boat, notes)
    assert os.listdir(tmp_path) == [boat.part_for(FACTS).name]
    assert notes.resume == ResumeState(str(boat.part_for(FACTS)), '"v1"', len(FILM))
    told: list[int] = []
    saved = keep(place, boat, notes, on_progress=lambda done, total: told.append(done))
    assert place.asked == [(0, None), (1_000_000, '"v1"')]
    assert told[0] == 1_000_000
    assert saved.sha256 == DIGEST
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_without_a_validator_an_interrupted_download_leaves_nothing_behind(boat: Target, tmp_path: Path) -> None:
    place, notes = Place(FILM, etag=None, script=[1_000_000], cut=KeyboardInterrupt()), Notes()
    with pytest.raises(KeyboardInterrupt):
        keep(place, boat, notes)
    assert os.listdir(tmp_path) == []
    assert notes.resume is None
    keep(place, boat, notes)
    assert place.asked == [(0, None), (0, None)]


@pytest.mark.drill("D01")
def test_a_part_that_nothing_is_known_of_is_emptied_when_new_bytes_come_and_not_before(boat: Target) -> None:
    part = boat.part_for(FACTS)
    part.write_bytes(b"x" * 5_000_000)
    sizes: list[int] = []
    place = Place(FILM, script=[ServerFault("502")])
    keep(place, boat, on_progress=lambda done, total: sizes.append(part.stat().st_size))
    assert sizes[0] == 0
    assert boat.path_for(FACTS).read_bytes() == FILM


@pytest.mark.parametrize("what", ["from before the machine went down", "larger than its total", "of another part"])
def test_a_part_that_its_state_does_not_fit_is_begun_again(what: str, boat: Target, tmp_path: Path) -> None:
    part, notes = boat.part_for(FACTS), Notes()
    part.write_bytes(FILM + b"more" if what == "larger than its total" else bytes(1_000_000))
    notes.resume = ResumeState(str(part), '"v1"', len(FILM))
    if what == "of another part":
        notes.resume = ResumeState("/another/boat.mp4.part", '"v1"', len(FILM))
    elif what == "from before the machine went down":
        os.utime(part, (1, 1))
    place = Place(FILM)
    keep(place, boat, notes)
    assert place.asked == [(0, None)]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert notes.resume is None


@pytest.mark.drill("F-C02")
def test_f_c02_a_record_that_fails_costs_the_resume_and_not_the_video(boat: Target, tmp_path: Path) -> None:
    notes = Notes()
    notes.refuses = True
    saved = keep(Place(FILM), boat, notes)
    assert saved == Saved(tmp_path / "boat.mp4", len(FILM), DIGEST, "mp4", is_recorded=False)
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


@pytest.mark.drill("F-C02")
def test_f_c02_a_cut_that_the_record_cannot_remember_leaves_no_part_behind(boat: Target, tmp_path: Path) -> None:
    notes = Notes()
    notes.refuses = True
    with pytest.raises(KeyboardInterrupt):
        keep(Place(FILM, script=[1_000_000], cut=KeyboardInterrupt()), boat, notes)
    assert os.listdir(tmp_path) == []


# A save that was killed at its end: what its row says is done under the lock, without a byte


def row(target: Target) -> ResumeState:
    path = target.path_for(FACTS)
    return ResumeState(str(target.part_for(FACTS)), None, len(FILM), DIGEST, str(path))


@pytest.mark.drill("D14", "R-B10", "R-B11")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("what", ["no name yet", "both names", "only the name", "only the name beside"])
def test_r_b10_b11_a_whole_part_on_record_is_finished_without_a_byte(what: str, force: bool, tmp_path: Path) -> None:
    target = decide_target("boat.mp4", cwd=tmp_path, force=force)
    part, boat, notes = target.part_for(FACTS), tmp_path / "boat.mp4", Notes()
    notes.resume = row(target)
    if what == "only the name beside":
        boat.write_bytes(b"theirs")
    where = tmp_path / "boat-2f9c1a7d.mp4" if what == "only the name beside" else boat
    (where if what.startswith("only") else part).write_bytes(FILM)
    if what == "both names":
        os.link(part, boat)
    place = Place(FILM)
    saved = keep(place, target, notes)
    assert place.asked == []
    assert (saved.path, saved.sha256, saved.already) == (where, DIGEST, False)
    assert saved.beside == (what == "only the name beside")
    assert notes.told == [saved]
    assert where.read_bytes() == FILM
    assert len(os.listdir(tmp_path)) == (2 if saved.beside else 1)


@pytest.mark.drill("F-C09", "D14")
@pytest.mark.parametrize("what", ["other bytes", "a link", "cut", "gone"])
def test_f_c09_a_part_that_is_not_what_its_row_says_never_counts(what: str, boat: Target, tmp_path: Path) -> None:
    part, notes = boat.part_for(FACTS), Notes()
    notes.resume = row(boat)
    (tmp_path / "other").write_bytes(FILM[:-1] + b"!")
    if what == "a link":
        part.symlink_to("other")
    elif what == "other bytes":
        part.write_bytes(FILM[:-1] + b"!")
    elif what == "cut":
        part.write_bytes(FILM[:-1])
    place = Place(FILM)
    keep(place, boat, notes)
    assert place.asked == [(0, None)]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert (tmp_path / "other").read_bytes() == FILM[:-1] + b"!"


@pytest.mark.drill("D14")
def test_a_finished_name_that_another_file_has_by_now_is_left_alone(boat: Target, tmp_path: Path) -> None:
    notes = Notes()
    notes.resume = row(boat)
    boat.part_for(FACTS).write_bytes(FILM)
    (tmp_path / "boat.mp4").write_bytes(b"theirs")
    saved = keep(Place(FILM), boat, notes)
    assert (saved.path, saved.beside) == (tmp_path / "boat-2f9c1a7d.mp4", True)
    assert (tmp_path / "boat.mp4").read_bytes() == b"theirs"


@pytest.mark.drill("D14")
def test_a_part_with_a_second_name_is_never_written_to(boat: Target, tmp_path: Path) -> None:
    (tmp_path / "moved.mp4").write_bytes(FILM)
    os.link(tmp_path / "moved.mp4", boat.part_for(FACTS))
    other = mp4(10, seed=1)
    keep(Place(other), boat)
    assert (tmp_path / "moved.mp4").read_bytes() == FILM
    assert (tmp_path / "boat.mp4").read_bytes() == other


# A name that is taken, after the money


@pytest.mark.drill("R-A4", "O01")
def test_r_a4_a_name_that_is_taken_means_beside(boat: Target, tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").write_bytes(b"theirs")
    (tmp_path / "boat-2f9c1a7d.mp4").write_bytes(b"theirs too")
    notes = Notes()
    saved = keep(Place(FILM), boat, notes)
    assert (saved.path, saved.beside, saved.already) == (tmp_path / "boat-2f9c1a7d-2.mp4", True, False)
    assert notes.told == [saved]
    assert (tmp_path / "boat.mp4").read_bytes() == b"theirs"
    assert saved.path is not None
    assert saved.path.read_bytes() == FILM


@pytest.mark.drill("R-A3", "F-C01")
def test_r_a3_a_file_with_the_very_bytes_of_the_video_is_the_jobs_own(boat: Target, tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").write_bytes(FILM)
    notes = Notes()
    saved = keep(Place(FILM), boat, notes)
    assert (saved.path, saved.already, saved.beside) == (tmp_path / "boat.mp4", True, False)
    assert notes.told == [saved]
    assert os.listdir(tmp_path) == ["boat.mp4"]


@pytest.mark.drill("O01")
def test_where_a_hundred_names_are_taken_the_whole_part_is_kept_for_the_next_save(boat: Target, tmp_path: Path) -> None:
    names = ["boat.mp4", "boat-2f9c1a7d.mp4", *(f"boat-2f9c1a7d-{number}.mp4" for number in range(2, 100))]
    for name in names:
        (tmp_path / name).write_bytes(b"theirs")
    notes, place = Notes(), Place(FILM)
    with pytest.raises(OutputExists, match="so do the names beside it"):
        keep(place, boat, notes)
    assert {(tmp_path / name).read_bytes() for name in names} == {b"theirs"}
    (tmp_path / names[-1]).unlink()
    saved = keep(place, boat, notes)
    assert (saved.path, saved.sha256, len(place.asked)) == (tmp_path / names[-1], DIGEST, 1)


def test_an_output_on_record_whose_file_is_gone_or_changed_is_fetched_again(boat: Target, tmp_path: Path) -> None:
    place, notes = Place(FILM), Notes()
    assert not keep(place, boat, notes).already
    assert keep(place, boat, notes) == Saved(tmp_path / "boat.mp4", len(FILM), DIGEST, already=True)
    (tmp_path / "boat.mp4").unlink()
    assert not keep(place, boat, notes).already
    (tmp_path / "boat.mp4").write_bytes(b"changed")
    assert keep(place, boat, notes).path == tmp_path / "boat-2f9c1a7d.mp4"
    assert len(place.asked) == 3
    assert (tmp_path / "boat.mp4").read_bytes() == b"changed"


@pytest.mark.parametrize(
    ("name", "film", "kind"),
    [
        ("boat.M4V", FILM, None),
        ("boat.m4v", webm(), "a WebM"),
        ("boat.WEBM", webm(), None),
        ("boat.webm", FILM, "an MP4"),
    ],
)
def test_a_name_that_fits_what_it_holds_needs_no_note(name: str, film: bytes, kind: str | None, tmp_path: Path) -> None:
    notes = keep(Place(film), decide_target(name, cwd=tmp_path)).notes
    assert notes == (() if kind is None else (f"{name} holds {kind}, whatever its name says.",))


# Somebody else is at work in the folder


@pytest.mark.drill("R-B4")
def test_r_b4_a_damaged_file_that_a_person_has_removed_by_then_is_no_trouble(boat: Target, tmp_path: Path) -> None:
    seen: list[str] = []

    def remove(done: int, total: int | None) -> None:
        for path in tmp_path.glob("*-damaged*"):
            seen.append(path.name)
            path.unlink()

    places = Offered(Place(FILM[:-1500]), Place(FILM, script=[ServerFault("not now")]))
    transfer = Transfer(places, Deadline(HandClock().clock()), on_progress=remove)
    assert save(transfer, SaveRequest(boat, FACTS), Notes()).path == tmp_path / "boat.mp4"
    assert seen == ["boat-damaged.mp4"]


def test_a_folder_that_is_gone_hides_no_reason_why_there_is_no_video(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()

    def swap(done: int, total: int | None) -> None:
        if len(place.asked) == 2 and folder.is_dir():
            folder.rename(tmp_path / "moved")
            folder.write_bytes(b"a file where the folder was")

    place = Place(FILM, etag=None, script=[1_000_000] * 20, cut=ServerFault("the line went dead"))
    with pytest.raises(NotFetched, match="the line went dead"):
        keep(place, decide_target("boat.mp4", cwd=folder), on_progress=swap)
    assert folder.read_bytes() == b"a file where the folder was"


# Two at once


@pytest.mark.drill("R-A3", "F-C01")
@pytest.mark.parametrize("force", [False, True])
def test_f_c01_whoever_comes_second_waits_and_finds_it_here(force: bool, tmp_path: Path) -> None:
    target = decide_target("boat.mp4", cwd=tmp_path, force=force)
    notes, warnings = Notes(), list[str]()
    second: list[Saved] = []
    place = Place(FILM)
    began = datetime.now(UTC) - timedelta(seconds=1)

    def wait() -> None:
        unused = Place(FILM, script=[AssertionError("it is asked for twice")])
        second.append(keep(unused, target, notes, Clock(), since=began, on_warning=warnings.append))

    other = threading.Thread(target=wait)

    def meanwhile(done: int, total: int | None) -> None:
        if done == 0:
            other.start()
            while not warnings:
                time.sleep(0.01)

    first = keep(place, target, notes, Clock(), since=began, on_progress=meanwhile)
    other.join(240)
    # Between its name and its note a video looks like that of a save that was killed there, and is noted once more.
    assert [saved._replace(already=True) for saved in second] == [first._replace(already=True)]
    assert len(warnings) == 1
    assert "Another orvideo" in warnings[0]
    assert os.listdir(tmp_path) == ["boat.mp4"]


@pytest.mark.drill("F-C01", "R-A5")
@pytest.mark.parametrize("how", ["late", "cancelled"])
def test_f_c01_another_download_is_waited_for_no_longer_than_to_the_deadline(
    how: str, boat: Target, tmp_path: Path
) -> None:
    held = disk.Part.open_locked(boat.part_for(FACTS))
    hand = HandClock()
    deadline = Deadline.after(hand.clock(), 7.0)
    if how == "cancelled":
        with pytest.raises(Cancelled):
            keep(Place(FILM), boat, deadline=deadline, on_warning=lambda text: deadline.cancel())
        assert hand.elapsed == 0
    else:
        with pytest.raises(NotFetched, match="time limit"):
            keep(Place(FILM), boat, deadline=deadline)
        assert 6.9 <= hand.elapsed <= 7.1
    held.close()


@pytest.mark.drill("F-C01")
def test_f_c01_many_at_once_end_with_one_whole_file_that_was_loaded_once(boat: Target, tmp_path: Path) -> None:
    outcomes: list[Saved] = []
    place, notes = Place(FILM), Notes()

    def one() -> None:
        outcomes.append(keep(place, boat, notes, Clock()))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who comes between the name and the record finishes the save, and tells it as its own.
    assert 1 <= [saved.already for saved in outcomes].count(False) < 8
    assert len(outcomes) == 8
    assert place.asked == [(0, None)]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_a_part_that_got_its_name_while_it_was_waited_for_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="fcntl is there on POSIX alone")
    part = tmp_path / "a.part"
    part.write_bytes(b"finished")
    lock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        if not (tmp_path / "a.mp4").exists():
            part.rename(tmp_path / "a.mp4")
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    held = disk.Part.open_locked(part)
    held.append(b"new")
    held.close()
    assert (tmp_path / "a.mp4").read_bytes() == b"finished"
    assert part.read_bytes() == b"new"


@pytest.mark.parametrize("what", ["link", "folder", "fifo"])
def test_something_else_in_the_place_of_the_part_is_not_written_to(what: str, boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)
    (tmp_path / "victim").write_bytes(b"mine")
    if what == "link":
        part.symlink_to("victim")
    elif what == "folder":
        part.mkdir()
    else:
        os.mkfifo(part)
    keep(Place(FILM), boat)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert part.is_symlink() or not part.is_file()
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert sorted(os.listdir(tmp_path)) == sorted([part.name, "boat.mp4", "victim"]), "and no other part stays"


def test_where_ten_names_of_a_part_are_taken_the_first_is_told(boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)
    for path in [part, *(part.with_name(beside(part.name, str(number))) for number in range(2, 11))]:
        path.mkdir()
    with pytest.raises(OutputUnwritable, match=re.escape(f"{part} cannot be written: it is a folder")):
        keep(Place(FILM), boat)


@pytest.mark.drill("F-C09")
def test_f_c09_a_part_that_was_swapped_while_it_grew_gets_no_name(boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)

    def swap(done: int, total: int | None) -> None:
        if done == len(FILM):
            part.unlink()
            part.write_bytes(b"another file")

    with pytest.raises(OutputUnwritable, match="replaced"):
        keep(Place(FILM), boat, on_progress=swap)
    assert not (tmp_path / "boat.mp4").exists()
    assert part.read_bytes() == b"another file"


# Bounds


@pytest.mark.drill("F-C03", "F-B05")
def test_f_c03_a_video_that_does_not_fit_is_not_begun_and_only_its_own_size_is_told(
    boat: Target, tmp_path: Path
) -> None:
    place = Place(FILM, script=[Answer(200, 0, 1 << 39, '"v1"', FILM)])
    bounds = TransferLimits(max_bytes=1 << 45)
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    if free > 1 << 39:
        pytest.skip("SKIPPED: this disk has room for half a TiB")
    with pytest.raises(OutputUnwritable, match=r"no room.*524,288\.0 MiB") as caught:
        keep(place, boat, bounds=bounds)
    assert caught.value.hint == "make room, or save elsewhere with -o"
    assert os.listdir(tmp_path) == []


@pytest.mark.drill("F-C03")
@pytest.mark.parametrize("tells_length", [True, False])
def test_f_c03_a_largest_file_is_held_to_and_nothing_of_a_larger_one_stays(
    tells_length: bool, boat: Target, tmp_path: Path
) -> None:
    place, notes = Place(FILM, tells_length=tells_length), Notes()
    told: list[int] = []
    with pytest.raises(NotFetched, match="more than 1,000,000 are not taken") as caught:
        keep(
            place,
            boat,
            notes,
            bounds=TransferLimits(max_bytes=1_000_000),
            on_progress=lambda done, total: told.append(done),
        )
    assert (told == []) == tells_length, "a size that is announced is refused before its first byte"
    assert (f"has {len(FILM):,} bytes" in caught.value.message) == tells_length
    assert os.listdir(tmp_path) == []
    assert notes.resume is None
    assert len(place.asked) == 1
    assert keep(place, boat, bounds=TransferLimits(max_bytes=len(FILM))).bytes == len(FILM)


@pytest.mark.drill("F-C03")
def test_f_c03_a_length_that_no_file_has_is_unknown(boat: Target, tmp_path: Path) -> None:
    told: list[int | None] = []
    place = Place(FILM, script=[Answer(200, 0, 10**17, '"v1"', FILM)])
    keep(place, boat, on_progress=lambda done, total: told.append(total))
    assert set(told) == {None}
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


@pytest.mark.drill("F-C03")
def test_f_c03_the_last_of_a_disk_is_never_taken(tmp_path: Path) -> None:
    """The room is asked for again and again while a video of unknown size comes."""
    room = os.statvfs(tmp_path)
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    reserved = min(whole * disk.RESERVED_SHARE, disk.RESERVED_MOST)
    disk.require_room(tmp_path, int(free - reserved) - (256 << 20))
    with pytest.raises(OutputUnwritable):
        disk.require_room(tmp_path, int(free - reserved) + (256 << 20))
    with pytest.raises(OutputUnwritable) as caught:
        disk.require_room(tmp_path, None, at_least=1 << 60)
    assert "the rest of the video" not in caught.value.message


def test_folders_of_a_template_are_made(tmp_path: Path) -> None:
    keep(Place(FILM), decide_target("{model}/{seed}/{slug}.{ext}", cwd=tmp_path))
    assert (tmp_path / "veo-3.1/7/a-paper-boat-drifts.mp4").read_bytes() == FILM


# File systems without hard links: the steps that stand in for them, on files.


@pytest.mark.drill("R-B11")
@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("has_renameat2", [True, False])
def test_without_links_a_name_is_given_by_a_rename(
    replaces: bool, has_renameat2: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    if not has_renameat2:
        monkeypatch.setattr(ctypes, "CDLL", no_links)
    part, path = tmp_path / "a.part", tmp_path / "a.mp4"
    part.write_bytes(b"video")
    move_into_place(part, path, replace=replaces)
    assert path.read_bytes() == b"video"
    assert not part.exists()
    part.write_bytes(b"another")
    if replaces:
        move_into_place(part, path, replace=True)
        assert path.read_bytes() == b"another"
    else:
        with pytest.raises(FileExistsError):
            move_into_place(part, path, replace=False)
        assert path.read_bytes() == b"video"
        assert part.read_bytes() == b"another"


# The end of the time


@pytest.mark.drill("D11")
@pytest.mark.parametrize(("tells_length", "of"), [(True, f" of {len(FILM)}"), (False, "")])
def test_a_time_limit_in_the_middle_says_how_far_it_came(tells_length: bool, of: str, boat: Target) -> None:
    hand = HandClock()
    # Each question for the time takes a hundredth of a second.
    clock = hand.clock()._replace(monotonic=lambda: hand.sleep(0.01) or hand.elapsed)
    told: list[int] = []
    place = Place(FILM, tells_length=tells_length)
    with pytest.raises(NotFetched) as caught:
        keep(
            place, boat, deadline=Deadline.after(clock, 7.0), clock=clock,
            on_progress=lambda done, total: told.append(done),
        )  # fmt: skip
    assert 0 < told[-1] <= (came := int(re.findall(r"after (\d+)", caught.value.message)[0])) < len(FILM)
    assert caught.value.message == f"The time limit ended in the middle of the download, after {came}{of} bytes."
    assert 10 < len(told) < len(hand.slept) / 4, "told while it goes on, and not with every piece"
    assert told == sorted(told)


@pytest.mark.drill("F-B06")
@pytest.mark.parametrize(("asked", "waited"), [(None, 1), (0.5, 1), (7.0, 7), (90.0, 60)])
def test_right_after_the_end_a_service_is_given_the_time_it_asks_for(
    asked: float | None, waited: int, boat: Target
) -> None:
    hand = HandClock()
    not_yet = NotFound("not yet", reply=ServiceReply(404, "not yet", retry_after=asked))
    place = Place(FILM, script=[not_yet])
    keep(place, boat, clock=hand.clock(), bounds=TransferLimits(settle_seconds=100))
    assert (len(place.asked), round(hand.elapsed)) == (2, waited)


@pytest.mark.drill("F-B06")
def test_right_after_the_end_a_refusal_is_waited_out_longer_and_longer_and_then_believed(boat: Target) -> None:
    hand = HandClock()
    place, pauses = Place(FILM, script=[NotFound("no")] * 99), list[float]()

    class Timed(Offered):
        def listed(self) -> Any:
            (one,) = super().listed()

            def opened(*asked: Any) -> Any:
                pauses.append(hand.elapsed)
                return one.open(*asked)

            return [one._replace(open=opened)]

    transfer = Transfer(Timed(place), Deadline(hand.clock()), TransferLimits(settle_seconds=30))
    with pytest.raises(NotFetched):
        save(transfer, SaveRequest(boat, FACTS), Notes())
    assert [round(pause) for pause in pauses] == [0, 1, 3, 7, 15, 23, 30]


@pytest.mark.drill("R-A6", "R-A5")
@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_nothing_is_asked_for_once_the_time_ended_while_the_job_was_looked_at(how: str, boat: Target) -> None:
    hand = HandClock()

    class Slow(Offered):
        def refreshed(self, deadline: Deadline) -> Any:
            if how == "cancelled":
                deadline.cancel()
            else:
                hand.sleep(8)
            raise ServerFault("no answer in time")

    refuses, other = Place(FILM, script=[Forbidden("no")]), Place(FILM)
    with pytest.raises(Cancelled if how == "cancelled" else NotFetched):
        save(Transfer(Slow(refuses, other), Deadline.after(hand.clock(), 7.0)), SaveRequest(boat, FACTS), Notes())
    assert (len(refuses.asked), other.asked) == (1, [])


# Streams: a whole video, or nothing


def test_a_stream_gets_the_bytes_and_its_sha256_is_known(tmp_path: Path) -> None:
    out, notes = io.BytesIO(), Notes()
    saved = keep(Place(FILM), decide_target("-", cwd=tmp_path), notes, stdout=out)
    assert saved == Saved(None, len(FILM), DIGEST, "mp4")
    assert notes.told == [saved]
    assert out.getvalue() == FILM
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("etag", ['"v1"', None])
@pytest.mark.parametrize("cuts", [[1_000_000], [5, 11, 12, 13], [100, 2_000_000, 50]])
def test_a_stream_goes_on_after_cuts_without_a_byte_twice(etag: str | None, cuts: list[object], tmp_path: Path) -> None:
    out = io.BytesIO()
    place = Place(FILM, etag=etag, script=list(cuts), cut=ServerFault("cut"))
    saved = keep(place, decide_target("-", cwd=tmp_path), stdout=out)
    assert out.getvalue() == FILM
    assert saved.sha256 == DIGEST


def stall(place: Place) -> Place:
    place.script = [100_000] * 99
    place.cut = ServerFault("cut")
    return place


@pytest.mark.drill("O09")
@pytest.mark.parametrize(
    "place",
    [Place(FILM[:-1], etag=None, tells_length=False), Place(b"<html>no</html>"), stall(Place(FILM, etag=None))],
    ids=["cut", "page", "never whole"],
)
def test_a_stream_that_would_be_no_whole_video_gets_nothing(place: Place, tmp_path: Path) -> None:
    out = io.BytesIO()
    with pytest.raises((NotFetched, BadReply)):
        keep(place, decide_target("-", cwd=tmp_path), stdout=out)
    assert out.getvalue() == b""


@pytest.mark.drill("F-C03")
def test_f_c03_a_stream_has_the_same_bounds(tmp_path: Path) -> None:
    out = io.BytesIO()
    with pytest.raises(NotFetched, match="not taken"):
        keep(Place(FILM), decide_target("-", cwd=tmp_path), stdout=out, bounds=TransferLimits(max_bytes=1000))
    assert out.getvalue() == b""


def test_a_descriptor_gets_the_bytes_and_stays_open(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        os.set_inheritable(out.fileno(), True)
        saved = keep(Place(FILM), decide_target(f"/dev/fd/{out.fileno()}", cwd=tmp_path))
        out.write(b"more")
    assert saved == Saved(None, len(FILM), DIGEST)
    assert (tmp_path / "out").read_bytes() == FILM + b"more"


def test_a_stream_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    closed = io.BytesIO()
    closed.close()
    for stdout in (closed, None):
        with pytest.raises(OutputUnwritable, match="stdout cannot be written: "):
            keep(Place(FILM), decide_target("-", cwd=tmp_path), stdout=stdout)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.set_inheritable(full, True)
        with pytest.raises(OutputUnwritable, match=f"/dev/fd/{full} cannot be written: the disk is full"):
            keep(Place(FILM), decide_target(f"/dev/fd/{full}", cwd=tmp_path))
    finally:
        os.close(full)
    with pytest.raises(OutputUnwritable, match="/dev/full"):
        keep(Place(FILM), decide_target("/dev/full", cwd=tmp_path))
    assert keep(Place(FILM), decide_target("/dev/null", cwd=tmp_path)).path == Path("/dev/null")


# What is here already


@pytest.mark.drill("R-B8")
def test_r_b8_a_saved_file_is_known_again_by_its_content_and_asking_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "boat.mp4"
    path.write_bytes(FILM)
    os.mkfifo(tmp_path / "fifo")
    wanted = SaveRequest(decide_target("boat.mp4", cwd=tmp_path), FACTS)

    def here(path: Path, sha256: str | None, size: int | None, **more: Any) -> bool:
        return is_saved(Output(0, str(path), size, sha256), wanted, **more)

    names: Callable[[], list[str]] = lambda: sorted(os.listdir(tmp_path))  # noqa: E731
    before = names()
    assert here(path, DIGEST, len(FILM))
    assert not here(path, DIGEST, len(FILM) - 1)
    assert not here(path, "0" * 64, len(FILM))
    assert not here(path, None, len(FILM))
    assert not here(tmp_path / "missing", DIGEST, len(FILM), anywhere=True)
    assert not here(tmp_path, DIGEST, len(FILM), anywhere=True)
    assert not here(tmp_path / "fifo", DIGEST, len(FILM), anywhere=True)
    (tmp_path / "copy.mp4").write_bytes(FILM)
    assert not here(tmp_path / "copy.mp4", DIGEST, len(FILM))
    assert here(tmp_path / "copy.mp4", DIGEST, len(FILM), anywhere=True)
    assert names() == sorted([*before, "copy.mp4"])


def test_overwriting_counts_only_what_was_saved_since_it_began(tmp_path: Path) -> None:
    path = tmp_path / "boat.mp4"
    path.write_bytes(FILM)
    now = datetime.now(UTC)
    output = Output(0, str(path), len(FILM), DIGEST, now)
    target = decide_target("boat.mp4", cwd=tmp_path, force=True)
    assert is_saved(output, SaveRequest(target, FACTS, since=now - timedelta(seconds=1)))
    assert not is_saved(output, SaveRequest(target, FACTS, since=now))
    assert not is_saved(output, SaveRequest(target, FACTS))


# Receipts


def test_a_receipt_is_written_beside_its_video_and_never_over_another_file(tmp_path: Path) -> None:
    video = tmp_path / "boat.mp4"
    document = {"job": "x", "cost_usd": 0.12, "none": None}
    receipt = write_receipt(video, document)
    assert receipt == tmp_path / "boat.mp4.json"
    assert json.loads(receipt.read_text()) == {
        "job": "x",
        "cost_usd": 0.12,
        "none": None,
    }
    assert write_receipt(video, document) == receipt
    with pytest.raises(OutputExists):
        write_receipt(video, {"job": "y"})
    write_receipt(video, {"job": "y"}, force=True)
    assert json.loads(receipt.read_text()) == {"job": "y"}
    assert os.listdir(tmp_path) == ["boat.mp4.json"]
    with pytest.raises(OutputUnwritable):
        write_receipt(tmp_path / "missing/boat.mp4", document)
