"""Download: the D rows, at the level of saving one output from a place that misbehaves.

The kill drill (D14) tries a sample of its points. All of them: ALL_KILL_POINTS=1 pytest tests/drills/test_download.py
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from orvideo.download.save import Open, Saved, Stream, save
from orvideo.download.targets import Target, decide_target
from orvideo.errors import (
    BadReply,
    BadRequest,
    Forbidden,
    Gone,
    NotFetched,
    NotFound,
    NotReadyYet,
    NotSent,
    OrvideoError,
    PaymentRequired,
    RateLimited,
    ServerFault,
    ServiceReply,
    Unauthorized,
    Unsafe,
)
from tests.clocks import HandClock
from tests.download.films import FACTS, Answer, Place, box, mp4
from tests.drills import download_once, tracing
from tests.drills.tracing import Point, needs_strace

FILM = mp4(100_000)
CUT = ServerFault("The download was cut.")
drill = pytest.mark.drill


class Disk:
    """A folder to save to, and what happened there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hand = HandClock()
        self.told: list[tuple[int, int | None]] = []
        self.recorded: list[Saved] = []

    def target(self, spec: str = "boat.mp4") -> Target:
        return decide_target(spec, cwd=self.folder)

    def save(self, place: Open, **more: Any) -> Saved:
        return save(
            place,
            self.target(),
            facts=FACTS,
            clock=self.hand.clock(),
            on_progress=lambda done, total: self.told.append((done, total)),
            on_saved=self.recorded.append,
            **more,
        )

    def fails(self, place: Open, **more: Any) -> OrvideoError:
        """Save in vain, and hold what every row says: nothing under the name, the id and the way on in the error."""
        with pytest.raises(OrvideoError) as caught:
            self.save(place, **more)
        error = caught.value
        assert not os.path.lexists(self.folder / "boat.mp4")
        assert self.recorded == []
        assert error.job_id == FACTS.id
        assert error.resume == f"orvideo download {FACTS.id}"
        assert error.charged != "no"
        return error

    @property
    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))

    def has_the_film(self, film: bytes = FILM) -> bool:
        return self.names == ["boat.mp4"] and (self.folder / "boat.mp4").read_bytes() == film


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@drill("D01")
def test_d01_a_cut_body_is_resumed_where_it_was_cut(disk: Disk) -> None:
    place = Place(FILM, script=[30_000, 20_000], cut=CUT)
    assert disk.save(place).sha256 == hashlib.sha256(FILM).hexdigest()
    assert place.asked == [(0, None), (30_000, '"v1"'), (50_000, '"v1"')]
    assert disk.has_the_film()


@drill("D01")
def test_d01_a_body_that_ends_short_of_its_length_is_resumed(disk: Disk) -> None:
    place = Place(FILM, script=[30_000])
    disk.save(place)
    assert place.asked == [(0, None), (30_000, '"v1"')]
    assert disk.has_the_film()


@drill("D01")
def test_d01_without_a_validator_a_cut_body_is_begun_again(disk: Disk) -> None:
    place = Place(FILM, etag=None, script=[30_000, 60_000], cut=CUT)
    disk.save(place)
    assert place.asked == [(0, None)] * 3
    assert disk.has_the_film()


@drill("D01")
@pytest.mark.parametrize("etag", ['"v1"', None])
def test_d01_five_attempts_that_bring_nothing_are_enough(etag: str | None, disk: Disk) -> None:
    place = Place(FILM, etag=etag, script=[30_000] + [NotSent("no route")] * 9, cut=CUT)
    error = disk.fails(place)
    assert isinstance(error, NotFetched)
    assert "no route" in error.message
    assert len(place.asked) == 1 + 5
    assert disk.hand.slept == [0.5, 0.5, 1.0, 2.0, 4.0]
    assert len(disk.names) == (2 if etag else 0)  # the .part and its state, if they are of use


@drill("D01")
def test_d01_the_count_begins_again_with_every_progress(disk: Disk) -> None:
    script: list[object] = []
    for _ in range(4):
        script += [NotSent("no route")] * 4 + [10_000]
    place = Place(FILM, script=script, cut=CUT)
    disk.save(place)
    assert len(place.asked) == 21
    assert disk.has_the_film()


@drill("D01")
def test_d01_beginning_again_without_getting_further_is_no_progress(disk: Disk) -> None:
    place = Place(FILM, etag=None, script=[30_000] * 20, cut=CUT)
    disk.fails(place)
    assert len(place.asked) == 1 + 5
    assert disk.names == []


@drill("D02")
def test_d02_a_200_to_a_range_request_begins_again(disk: Disk) -> None:
    place = Place(FILM, ranges=False, script=[60_000], cut=CUT)
    disk.save(place)
    assert place.asked == [(0, None), (60_000, '"v1"')]
    assert disk.has_the_film()
    dones = [done for done, _ in disk.told]
    assert 0 in dones[dones.index(max(dones[:-1])) :], "the bar went back to 0"


@drill("D02")
def test_d02_another_file_with_another_validator_begins_again(disk: Disk) -> None:
    old, new = Place(mp4(100_000, seed=1), script=[60_000], cut=CUT), Place(FILM, etag='"v2"')
    places: list[Place] = [old, new]

    def changing(start: int, etag: str | None) -> AbstractContextManager[Stream]:
        return places.pop(0)(start, etag) if len(places) > 1 else places[0](start, etag)

    disk.save(changing)
    assert disk.has_the_film()


@drill("D03")
@pytest.mark.parametrize(
    "answer",
    [
        Answer(206, 10, len(FILM), '"v1"', FILM[10:]),
        Answer(206, 30_001, len(FILM), '"v1"', FILM[30_001:]),
        Answer(206, 30_000, len(FILM) + 1, '"v1"', FILM[30_000:]),
        Answer(206, 30_000, len(FILM), '"other"', bytes(70_000)),
        Answer(206, 30_000, len(FILM), '"v1"', FILM[30_000:] + b"more"),
    ],
    ids=["before", "after", "other-length", "other-validator", "too-much"],
)
def test_d03_a_part_that_was_not_asked_for_is_dropped(answer: Answer, disk: Disk) -> None:
    place = Place(FILM, script=[30_000, answer], cut=CUT)
    disk.save(place)
    assert disk.has_the_film()


@drill("D03")
def test_d03_wrong_parts_for_ever_are_given_up(disk: Disk) -> None:
    wrong: list[object] = [Answer(206, 7, len(FILM), '"v1"', FILM[7:]) for _ in range(20)]
    place = Place(FILM, script=wrong, cut=CUT)
    assert isinstance(disk.fails(place), NotFetched)
    assert len(place.asked) == 5
    assert disk.names == []


@drill("D04")
def test_d04_416_when_all_is_here_is_the_end(disk: Disk) -> None:
    place = Place(FILM, tells_length=False, script=[len(FILM)], cut=CUT)
    disk.save(place)
    assert place.asked == [(0, None), (len(FILM), '"v1"')]
    assert disk.has_the_film()


@drill("D04")
@pytest.mark.parametrize("length", [None, 29_999, 500_000])
def test_d04_416_otherwise_begins_again(length: int | None, disk: Disk) -> None:
    place = Place(FILM, script=[30_000, Answer(416, 30_000, length, None, b"")], cut=CUT)
    disk.save(place)
    assert place.asked[-1] == (0, None) or place.asked[-1][0] == 0
    assert disk.has_the_film()


@drill("D04")
def test_d04_416_with_another_length_is_not_the_end_of_what_looks_whole(disk: Disk) -> None:
    longer = FILM + box(b"free", bytes(500))
    place = Place(longer, script=[len(FILM), Answer(416, len(FILM), len(longer), '"v1"', b"")], cut=CUT)
    disk.save(place)
    assert disk.has_the_film(longer)


@drill("D06")
@pytest.mark.parametrize("etag", ['"v1"', None])
def test_d06_a_cut_that_http_cannot_see_is_seen_in_the_boxes(etag: str | None, disk: Disk) -> None:
    place = Place(FILM, etag=etag, tells_length=False, script=[30_000, 40_000])
    disk.save(place)
    assert disk.has_the_film()


@drill("D06")
def test_d06_a_cut_that_stays_is_a_failure_and_what_came_is_kept(disk: Disk) -> None:
    place = Place(FILM[:-1], etag=None, tells_length=False)
    error = disk.fails(place)
    assert isinstance(error, NotFetched)
    part = disk.target().part_for(FACTS)
    assert str(part) in error.message
    assert part.read_bytes() == FILM[:-1]
    assert len(place.asked) == 1 + 5


@drill("D06")
def test_d06_a_file_that_is_damaged_at_the_service_is_fetched_twice_and_not_more(disk: Disk) -> None:
    damaged = box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", bytes(20_000))
    place = Place(damaged)
    error = disk.fails(place)
    assert isinstance(error, NotFetched)
    assert "moov" in error.message
    assert len(place.asked) == 2
    assert disk.target().part_for(FACTS).read_bytes() == damaged


@drill("D07")
@pytest.mark.parametrize("body", [b"<html><title>Bad gateway</title></html>", b'{"error": {"code": 502}}', b"{}"])
def test_d07_an_error_page_is_not_a_video(body: bytes, disk: Disk) -> None:
    error = disk.fails(Place(body))
    assert isinstance(error, BadReply)
    assert disk.names == []


@drill("D07")
def test_d07_an_endless_error_page_is_left_at_once(disk: Disk) -> None:
    place = Place(b"<html>" + bytes(10_000_000), piece=100)
    disk.fails(place)
    assert disk.told[-1][0] == 0


@drill("D07")
def test_d07_another_place_may_have_the_video(disk: Disk) -> None:
    others = iter([Place(FILM), None])
    disk.save(Place(b"<html>" + bytes(100)), others=lambda: next(others))
    assert disk.has_the_film()


@drill("D08")
@pytest.mark.parametrize("tells_length", [True, False])
def test_d08_an_empty_body_is_a_failure(tells_length: bool, disk: Disk) -> None:
    empty: list[object] = [Answer(200, 0, 0 if tells_length else None, None, b"") for _ in range(20)]
    error = disk.fails(Place(FILM, script=empty))
    assert isinstance(error, NotFetched)
    assert "empty" in error.message
    assert disk.names == []


@drill("D10")
@pytest.mark.parametrize("error", [BadReply("gzip was not asked for"), Unsafe("a foreign URL")])
def test_d10_what_the_wire_refuses_is_passed_on(error: OrvideoError, disk: Disk) -> None:
    assert disk.fails(Place(FILM, script=[error])) is error
    assert disk.names == []


@drill("D11")
def test_d11_a_stall_is_resumed(disk: Disk) -> None:
    place = Place(FILM, script=[30_000], cut=ServerFault("The download stalled."))
    disk.save(place)
    assert place.asked == [(0, None), (30_000, '"v1"')]


@drill("D11")
def test_d11_the_time_limit_holds_in_the_middle_of_the_bytes(disk: Disk) -> None:
    clock = disk.hand.clock()

    class Slow(Answer):
        def chunks(self) -> Iterator[bytes]:
            for chunk in super().chunks():
                disk.hand.sleep(1.0)
                yield chunk

    place = Place(FILM, script=[Slow(200, 0, len(FILM), '"v1"', FILM)])
    error = disk.fails(place, deadline=clock.monotonic() + 10.5)
    assert isinstance(error, NotFetched)
    assert "time limit" in error.message
    assert len(disk.hand.slept) == 11
    disk.save(place)
    assert place.asked == [(0, None), (11_000, '"v1"')]


@drill("D11")
def test_d11_the_time_limit_holds_between_attempts(disk: Disk) -> None:
    clock = disk.hand.clock()
    error = disk.fails(Place(FILM, script=[NotSent("no route")] * 9), deadline=clock.monotonic() + 2.0)
    assert "time limit" in error.message
    assert sum(disk.hand.slept) <= 2.0


@drill("D12")
@pytest.mark.parametrize("refusal", [Unauthorized, Forbidden, NotFound, Gone, BadRequest, PaymentRequired])
def test_d12_a_refused_url_is_refreshed_once_and_works(refusal: type[OrvideoError], disk: Disk) -> None:
    fresh = Place(FILM)
    refreshed: list[int] = []

    def refresh() -> Open:
        refreshed.append(1)
        return fresh

    disk.save(Place(FILM, script=[30_000, refusal("expired")], cut=CUT), refresh=refresh)
    assert len(refreshed) == 1
    assert fresh.asked == [(30_000, '"v1"')]
    assert disk.has_the_film()


@drill("D12")
@drill("D20")
@pytest.mark.parametrize(
    ("refusal", "code"),
    [(Unauthorized, 4), (Forbidden, 10), (NotFound, 10), (Gone, 10), (BadRequest, 10), (PaymentRequired, 10)],
)
def test_d12_a_url_that_stays_refused_is_not_asked_for_again(
    refusal: type[OrvideoError], code: int, disk: Disk
) -> None:
    status = 410 if refusal is Gone else 404 if refusal is NotFound else 403
    refused = refusal("no", reply=ServiceReply(status, "no"))
    first, fresh, other = (Place(FILM, script=[refused] * 9) for _ in range(3))
    refreshed: list[int] = []

    def refresh() -> Open:
        refreshed.append(1)
        return fresh

    others = iter([other, None])
    error = disk.fails(first, refresh=refresh, others=lambda: next(others))
    assert error.exit_code == code
    assert ("expired at the provider" in error.message) == (refusal in (Gone, NotFound))
    assert len(refreshed) == 1
    assert [len(place.asked) for place in (first, fresh, other)] == [1, 1, 1]
    assert disk.hand.slept == []
    assert disk.names == []


@drill("D12")
def test_d12_a_job_that_cannot_be_looked_at_leaves_the_other_places(disk: Disk) -> None:
    def unreachable() -> Open | None:
        raise ServerFault("502")

    others = iter([Place(FILM)])
    disk.save(Place(FILM, script=[Forbidden("expired")]), refresh=unreachable, others=lambda: next(others))
    assert disk.has_the_film()


@drill("D01")
def test_d01_a_silent_place_is_left_for_another_whose_validators_are_its_own(disk: Disk) -> None:
    other = Place(FILM)
    others = iter([other])
    first = Place(mp4(100_000, seed=1), script=[30_000] + [NotSent("no route")] * 9, cut=CUT)
    disk.save(first, others=lambda: next(others, None))
    assert other.asked == [(0, None)]
    assert disk.has_the_film()


@drill("D12")
@pytest.mark.parametrize("error", [RateLimited, NotReadyYet])
def test_d12_a_service_that_asks_for_patience_gets_it(error: type[OrvideoError], disk: Disk) -> None:
    reply = ServiceReply(429, "slow down", retry_after=7.0)
    disk.save(Place(FILM, script=[error("slow down", reply=reply)] * 2))
    assert disk.hand.slept == [7.0, 7.0]


@drill("D13")
def test_d13_several_outputs_have_names_and_parts_of_their_own(disk: Disk) -> None:
    films = [mp4(5000, seed) for seed in range(3)]
    target = disk.target()
    saved = [save(Place(film), target, facts=FACTS, index=index) for index, film in enumerate(films)]
    assert disk.names == ["boat-2.mp4", "boat-3.mp4", "boat.mp4"]
    assert [path.path.read_bytes() for path in saved if path.path] == films


@drill("D19")
def test_d19_the_name_is_never_the_services(disk: Disk) -> None:

    facts = FACTS._replace(id="../../../etc/cron.d/x", model="/abs/..", prompt="..\n/")
    saved = save(Place(FILM), disk.target("./"), facts=facts)
    assert saved.path is not None
    assert saved.path.parent == disk.folder
    assert saved.path.suffix == ".mp4"


# Rows that need a process of its own

ONCE = "tests.drills.download_once"
CHANGING = ("pwrite64", "fsync", "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat")


@drill("D15")
@needs_strace
@pytest.mark.parametrize("words", [[], ["force"]])
def test_d15_the_order_is_bytes_fsync_name_fsync_of_the_folder_record(words: list[str], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    calls = tracing.traced(ONCE, [str(disk), *words], tmp_path / "log", after=download_once.MARK)
    last: dict[str, list[int]] = {}
    for place, call in enumerate(calls):
        for what, names, text in (
            ("bytes", ("pwrite64",), ""),
            ("sync", ("fsync",), ""),
            ("name", ("link", "linkat", "rename", "renameat", "renameat2"), '/boat.mp4"'),
            ("record", ("rename", "renameat", "renameat2"), '/record"'),
            ("gone", ("unlink", "unlinkat"), '.part"'),
        ):
            if call.name in names and text in call.text:
                last.setdefault(what, []).append(place)
    assert len(last["sync"]) == 2
    file, folder = last["sync"]
    assert last["bytes"][-1] < file < last["name"][0] <= last["name"][-1] < folder
    assert folder < last["record"][-1] < last["gone"][-1]


FAULTS = {
    "write-full": ("pwrite64:error=ENOSPC:when=6", True),
    "write-eio": ("pwrite64:error=EIO:when=6", False),
    "write-quota": ("pwrite64:error=EDQUOT:when=2+", True),
    "fsync-eio": ("fsync:error=EIO:when=1", False),
    "fsync-full": ("fsync:error=ENOSPC:when=1", False),
    "link-full": ("link,linkat:error=ENOSPC:when=1", True),
    "link-eio": ("link,linkat:error=EIO:when=1", True),
    "folder-eio": ("fsync:error=EIO:when=2", True),
}


@drill("D18")
@needs_strace
@pytest.mark.parametrize(("fault", "kept"), FAULTS.values(), ids=FAULTS.keys())
def test_d18_a_disk_that_fails_costs_no_video(fault: str, kept: bool, tmp_path: Path) -> None:
    failed = tracing.run_with(fault, ONCE, [str(tmp_path)])
    error = json.loads(failed.stdout)
    assert error["exit_code"] == failed.returncode == 14, failed.stderr
    assert f"orvideo download {FACTS.id}" in error["hint"]
    assert error["charged"] == "yes"
    assert any(name.endswith(".part") for name in os.listdir(tmp_path)) == kept
    assert_whole_or_absent(tmp_path)
    again = tracing.run(ONCE, [str(tmp_path)])
    assert again.returncode == 0, again.stdout
    assert_done(tmp_path)
    if fault.startswith(("link", "fsync:error=EIO:when=2")):
        assert json.loads(again.stdout)["asked"] == [], "what was whole is not fetched again"


@drill("D18")
@needs_strace
def test_d18_a_whole_video_without_a_name_is_not_fetched_again_even_without_a_validator(tmp_path: Path) -> None:
    failed = tracing.run_with("link,linkat:error=ENOSPC:when=1", ONCE, [str(tmp_path), "no-etag"])
    assert failed.returncode == 14
    again = tracing.run(ONCE, [str(tmp_path), "no-etag"])
    assert json.loads(again.stdout)["asked"] == []
    assert_done(tmp_path)


@drill("D14")
@needs_strace
@pytest.mark.parametrize("words", [[], ["no-etag"]], ids=["resumable", "not resumable"])
def test_d14_killed_at_any_system_call_the_name_never_holds_a_part_and_the_next_run_completes(
    words: list[str], tmp_path: Path
) -> None:
    """A sample of the kill points; with ALL_KILL_POINTS=1 every one of them (about two minutes)."""
    disk = tmp_path / "disk"
    disk.mkdir()
    calls = tracing.traced(ONCE, [str(disk), *words], tmp_path / "log", after=download_once.MARK)
    assert_done(disk)
    points = [Point(call.name, call.number) for call in calls if call.name not in ("exit", "exit_group", "futex")]
    if not os.environ.get("ALL_KILL_POINTS"):
        changing = [Point(call.name, call.number) for call in calls if call.name in CHANGING]
        points = changing[-4:] if words else changing[-10:] + points[:: len(points) // 3]
    killed = 0
    for number, point in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments = [str(folder), *words]
        first = tracing.run_with(f"{point.call}:signal=KILL:when={point.number}", ONCE, arguments)
        killed += first.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert_whole_or_absent(folder)
        again = tracing.run(ONCE, arguments)
        assert again.returncode == 0, (point, again.stdout, again.stderr)
        assert_done(folder)
    assert killed > len(points) * 0.8


def assert_whole_or_absent(folder: Path) -> None:
    target = folder / "boat.mp4"
    assert not target.exists() or target.read_bytes() == download_once.FILM


def assert_done(folder: Path) -> None:
    """The film is there and on record, and nothing else but, at most, the empty file that tried the folder."""
    assert (folder / "boat.mp4").read_bytes() == download_once.FILM
    record = json.loads((folder / "record").read_text())
    assert record["sha256"] == hashlib.sha256(download_once.FILM).hexdigest()
    others = [path for path in folder.iterdir() if path.name not in ("boat.mp4", "record", "record.new")]
    assert [path for path in others if path.stat().st_size > 1024] == []
    assert len(others) <= 1
