from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import json
import os
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from orvideo.download import partial
from orvideo.download.receipts import write_receipt
from orvideo.download.resuming import Sidecar
from orvideo.download.save import Saved, already_saved, save
from orvideo.download.targets import Target, decide_target
from orvideo.errors import NotFetched, OutputExists, OutputUnwritable, RecordError, ServerFault
from orvideo.record.values import ResumeState
from tests.clocks import HandClock
from tests.download.films import FACTS, Place, mp4, webm

FILM = mp4(3_000_000)
DIGEST = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
def boat(tmp_path: Path) -> Target:
    return decide_target("boat.mp4", cwd=tmp_path)


def test_a_saved_video_is_described_whole(boat: Target, tmp_path: Path) -> None:
    recorded: list[Saved] = []
    saved = save(Place(FILM), boat, facts=FACTS, on_saved=recorded.append)
    assert saved == Saved(tmp_path / "boat.mp4", len(FILM), DIGEST, "mp4")
    assert recorded == [saved]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_a_video_has_the_mode_that_the_person_gives_new_files(boat: Target, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(Place(FILM), boat, facts=FACTS)
    finally:
        os.umask(before)
    assert (tmp_path / "boat.mp4").stat().st_mode & 0o777 == 0o640


def test_the_extension_follows_the_content_where_the_name_is_ours(tmp_path: Path) -> None:
    saved = save(Place(webm()), decide_target(None, cwd=tmp_path), facts=FACTS)
    assert (saved.kind, saved.notes) == ("webm", ())
    assert os.listdir(tmp_path) == ["20261121-023000-veo-3.1-a-paper-boat-drifts-2f9c1a7d.webm"]


def test_a_typed_name_is_kept_and_a_wrong_extension_is_told_of(boat: Target, tmp_path: Path) -> None:
    saved = save(Place(webm()), boat, facts=FACTS)
    assert saved.path == tmp_path / "boat.mp4"
    assert saved.notes == ("boat.mp4 holds a WebM video, whatever its name says.",)
    assert save(Place(webm()), decide_target("boat", cwd=tmp_path), facts=FACTS).notes == ()


def test_progress_is_told_at_a_bounded_rate_and_at_both_ends(boat: Target) -> None:
    hand = HandClock()
    told: list[tuple[int, int | None]] = []
    clock = hand.clock()._replace(monotonic=lambda: hand.elapsed)

    def tell(done: int, total: int | None) -> None:
        told.append((done, total))

    class Slow(Place):
        pass

    place = Slow(FILM)
    save(place, boat, facts=FACTS, clock=clock, on_progress=tell)
    assert told == [(0, len(FILM)), (len(FILM), len(FILM))]


def test_an_interrupted_download_goes_on_in_the_next_process(boat: Target, tmp_path: Path) -> None:
    place = Place(FILM, script=[1_000_000], cut=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        save(place, boat, facts=FACTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        boat.part_for(FACTS).name,
        boat.part_for(FACTS).name + ".json",
    ]
    told: list[int] = []
    saved = save(place, boat, facts=FACTS, on_progress=lambda done, total: told.append(done))
    assert place.asked == [(0, None), (1_000_000, '"v1"')]
    assert told[0] == 1_000_000
    assert saved.sha256 == DIGEST
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_without_a_validator_an_interrupted_download_leaves_nothing_behind(boat: Target, tmp_path: Path) -> None:
    place = Place(FILM, etag=None, script=[1_000_000], cut=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        save(place, boat, facts=FACTS)
    assert os.listdir(tmp_path) == []
    save(place, boat, facts=FACTS)
    assert place.asked == [(0, None), (0, None)]


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"[]", b'{"etag": 1, "source": null, "total": 1}', b"\xff", b"[" * 5000]
)
def test_a_sidecar_that_makes_no_sense_only_costs_the_resume(garbage: bytes, boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)
    part.write_bytes(FILM[:1000])
    part.with_name(part.name + ".json").write_bytes(garbage)
    place = Place(FILM)
    save(place, boat, facts=FACTS)
    assert place.asked == [(0, None)]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


def test_a_part_that_nothing_is_known_of_is_begun_again(boat: Target, tmp_path: Path) -> None:
    boat.part_for(FACTS).write_bytes(b"x" * 5_000_000)
    save(Place(FILM), boat, facts=FACTS)
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


def test_a_part_from_before_the_machine_went_down_is_begun_again(boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)
    part.write_bytes(bytes(1_000_000))
    Sidecar(part).set(ResumeState(str(part), '"v1"', None, len(FILM)))
    os.utime(part, (1, 1))
    place = Place(FILM)
    save(place, boat, facts=FACTS)
    assert place.asked == [(0, None)]
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


def test_a_part_that_is_larger_than_its_total_is_begun_again(boat: Target, tmp_path: Path) -> None:
    part = boat.part_for(FACTS)
    part.write_bytes(FILM + b"more")
    Sidecar(part).set(ResumeState(str(part), '"v1"', None, len(FILM)))
    save(Place(FILM), boat, facts=FACTS)
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


def test_the_state_is_only_used_for_the_part_it_was_written_for(boat: Target, tmp_path: Path) -> None:
    class Memory:
        state: ResumeState | None = ResumeState("/another/boat.mp4.part", '"v1"', None, len(FILM))

        def get(self) -> ResumeState | None:
            return self.state

        def set(self, state: ResumeState) -> None:
            self.state = state

        def clear(self) -> None:
            self.state = None

    memory = Memory()
    boat.part_for(FACTS).write_bytes(bytes(1000))
    place = Place(FILM)
    save(place, boat, facts=FACTS, memory=memory)
    assert place.asked == [(0, None)]
    assert memory.state is None


def test_a_memory_that_fails_costs_the_resume_and_not_the_video(boat: Target, tmp_path: Path) -> None:
    class Broken:
        def get(self) -> ResumeState | None:
            raise RecordError("locked")

        def set(self, state: ResumeState) -> None:
            raise RecordError("locked")

        def clear(self) -> None:
            raise RecordError("locked")

    save(Place(FILM), boat, facts=FACTS, memory=Broken())
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_a_save_that_could_not_be_recorded_is_recorded_by_the_next_without_a_byte(boat: Target, tmp_path: Path) -> None:
    def refuse(saved: Saved) -> None:
        raise RecordError("the record is full")

    with pytest.raises(RecordError) as caught:
        save(Place(FILM), boat, facts=FACTS, on_saved=refuse)
    assert caught.value.job_id == FACTS.id
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    place = Place(FILM)
    recorded: list[Saved] = []
    target = decide_target("boat.mp4", cwd=tmp_path, facts=FACTS)
    saved = save(place, target, facts=FACTS, on_saved=recorded.append)
    assert place.asked == []
    assert recorded == [saved]
    assert saved.sha256 == DIGEST
    assert os.listdir(tmp_path) == ["boat.mp4"]


def test_a_video_that_a_person_moved_after_a_killed_save_is_never_written_to(boat: Target, tmp_path: Path) -> None:
    (tmp_path / "moved.mp4").write_bytes(FILM)
    os.link(tmp_path / "moved.mp4", boat.part_for(FACTS))
    other = mp4(10, seed=1)
    save(Place(other), boat, facts=FACTS)
    assert (tmp_path / "moved.mp4").read_bytes() == FILM
    assert (tmp_path / "boat.mp4").read_bytes() == other


def test_a_second_download_of_the_same_output_stands_back(boat: Target, tmp_path: Path) -> None:
    inner: list[NotFetched] = []

    def meanwhile(done: int, total: int | None) -> None:
        if not inner:
            with pytest.raises(NotFetched, match="Another orvideo") as caught:
                save(Place(FILM), boat, facts=FACTS)
            inner.append(caught.value)

    save(Place(FILM), boat, facts=FACTS, on_progress=meanwhile)
    assert len(inner) == 1
    assert (tmp_path / "boat.mp4").read_bytes() == FILM


def test_a_part_that_got_its_name_while_it_was_waited_for_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "a.part"
    part.write_bytes(b"finished")
    lock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        if not (tmp_path / "a.mp4").exists():
            part.rename(tmp_path / "a.mp4")
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    held = partial.Partial.hold(part)
    held.append(b"new")
    held.close()
    assert (tmp_path / "a.mp4").read_bytes() == b"finished"
    assert part.read_bytes() == b"new"


def test_many_at_once_end_with_one_whole_file(boat: Target, tmp_path: Path) -> None:
    outcomes: list[str] = []

    def one() -> None:
        try:
            save(Place(FILM), boat, facts=FACTS)
            outcomes.append("saved")
        except (NotFetched, OutputExists) as error:
            outcomes.append(error.kind)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("saved") >= 1
    assert (tmp_path / "boat.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["boat.mp4"]


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
    with pytest.raises(OutputUnwritable):
        save(Place(FILM), boat, facts=FACTS)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert not (tmp_path / "boat.mp4").exists()


def test_a_video_that_does_not_fit_is_not_begun(boat: Target, tmp_path: Path) -> None:
    class Huge(Place):
        pass

    from tests.download.films import Answer

    place = Huge(FILM, script=[Answer(200, 0, 1 << 60, '"v1"', FILM)])
    with pytest.raises(OutputUnwritable, match="no room") as caught:
        save(place, boat, facts=FACTS)
    assert "orvideo download vid-gen-2f9c1a7d" in (caught.value.hint or "")
    assert os.listdir(tmp_path) == []


def test_folders_of_a_template_are_made(tmp_path: Path) -> None:
    save(Place(FILM), decide_target("{model}/{seed}/{slug}.{ext}", cwd=tmp_path), facts=FACTS)
    assert (tmp_path / "veo-3.1/7/a-paper-boat-drifts.mp4").read_bytes() == FILM


# File systems without hard links: the steps that stand in for them, on files.


@pytest.mark.parametrize("replaces", [False, True])
def test_without_links_a_name_is_given_by_a_rename(
    replaces: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    part, path = tmp_path / "a.part", tmp_path / "a.mp4"
    part.write_bytes(b"video")
    partial.give_name(part, path, replace=replaces)
    assert path.read_bytes() == b"video"
    assert not part.exists()
    part.write_bytes(b"another")
    if replaces:
        partial.give_name(part, path, replace=True)
        assert path.read_bytes() == b"another"
    else:
        with pytest.raises(FileExistsError):
            partial.give_name(part, path, replace=False)
        assert path.read_bytes() == b"video"
        assert part.read_bytes() == b"another"


# Streams


def test_a_stream_gets_the_bytes_and_its_sha256_is_known(tmp_path: Path) -> None:
    out = io.BytesIO()
    saved = save(Place(FILM), decide_target("-", cwd=tmp_path), facts=FACTS, stdout=out)
    assert saved == Saved(None, len(FILM), DIGEST, "mp4")
    assert out.getvalue() == FILM


@pytest.mark.parametrize("etag", ['"v1"', None])
@pytest.mark.parametrize("cuts", [[1_000_000], [5, 11, 12, 13], [100, 2_000_000, 50]])
def test_a_stream_goes_on_after_cuts_without_a_byte_twice(etag: str | None, cuts: list[object], tmp_path: Path) -> None:
    out = io.BytesIO()
    place = Place(FILM, etag=etag, script=list(cuts), cut=ServerFault("cut"))
    clock = HandClock().clock()
    saved = save(place, decide_target("-", cwd=tmp_path), facts=FACTS, stdout=out, clock=clock)
    assert out.getvalue() == FILM
    assert saved.sha256 == DIGEST


def test_a_stream_that_would_become_another_file_is_given_up(tmp_path: Path) -> None:
    out = io.BytesIO()
    first, second = Place(FILM, etag=None, script=[1_000_000], cut=ServerFault("cut")), Place(mp4(3_000_000, seed=1))
    places = [first, second]

    def either(start: int, etag: str | None) -> object:
        return places.pop(0)(start, etag)

    with pytest.raises(NotFetched, match="another file"):
        save(either, decide_target("-", cwd=tmp_path), facts=FACTS, stdout=out, clock=HandClock().clock())  # type: ignore[arg-type]
    assert FILM.startswith(out.getvalue())


def test_a_stream_that_ends_early_is_a_failure(tmp_path: Path) -> None:
    out = io.BytesIO()
    place = Place(FILM[:-1], etag=None, tells_length=False)
    with pytest.raises(NotFetched):
        save(place, decide_target("-", cwd=tmp_path), facts=FACTS, stdout=out, clock=HandClock().clock())
    assert out.getvalue() == FILM[:-1]


# What is here already


def test_a_saved_file_is_known_again_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "boat.mp4"
    path.write_bytes(FILM)
    os.mkfifo(tmp_path / "fifo")
    assert already_saved(path, DIGEST, len(FILM))
    assert not already_saved(path, DIGEST, len(FILM) - 1)
    assert not already_saved(path, "0" * 64, len(FILM))
    assert not already_saved(path, None, len(FILM))
    assert not already_saved(tmp_path / "missing", DIGEST, len(FILM))
    assert not already_saved(tmp_path, DIGEST, len(FILM))
    assert not already_saved(tmp_path / "fifo", DIGEST, len(FILM))


def test_what_a_killed_save_left_of_a_recorded_file_is_removed(boat: Target, tmp_path: Path) -> None:
    path = tmp_path / "boat.mp4"
    path.write_bytes(FILM)
    os.link(path, boat.part_for(FACTS))
    assert already_saved(path, DIGEST, len(FILM), job_id=FACTS.id)
    assert os.listdir(tmp_path) == ["boat.mp4"]


# Receipts


def test_a_receipt_is_written_beside_its_video_and_never_over_another_file(tmp_path: Path) -> None:
    video = tmp_path / "boat.mp4"
    document = {"job": "x", "cost_usd": Decimal("0.12"), "created_at": FACTS.created_at, "none": None}
    receipt = write_receipt(video, document)
    assert receipt == tmp_path / "boat.mp4.json"
    assert json.loads(receipt.read_text()) == {
        "job": "x",
        "cost_usd": 0.12,
        "created_at": "2026-11-21T02:30:00+00:00",
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
