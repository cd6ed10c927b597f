"""Download: the D rows, at the level of saving one output from a place that misbehaves.

The kill drills (D14, R-B10) try samples of their points. All of them:
ALL_KILL_POINTS=1 pytest -m "" tests/drills/test_download.py
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from orvideo.deadline import Cancelled, Deadline
from orvideo.download.save import Saved, SaveRequest, save
from orvideo.download.sources import Cut, Verdict, judge_source_error
from orvideo.download.targets import Target
from orvideo.download.transfer import Transfer, TransferLimits
from orvideo.errors import (
    BadReply,
    BadRequest,
    Forbidden,
    Gone,
    NoOutput,
    NotFetched,
    NotFound,
    NotReadyYet,
    NotSent,
    OrvideoError,
    OutputUnwritable,
    PaymentRequired,
    RateLimited,
    Rejected,
    ServerFault,
    ServiceReply,
    ServiceUnavailable,
    Stalled,
    Unauthorized,
    Unsafe,
    UsageError,
)
from tests.clocks import HandClock
from tests.download.deciding import decide_target
from tests.download.films import FACTS, Answer, Notes, Offered, Place, box, mp4
from tests.drills import download_once, tracing
from tests.drills.tracing import Point, needs_strace

FILM = mp4(100_000)
CUT = ServerFault("The download was cut.")
drill = pytest.mark.drill
ALL_KILL_POINTS = bool(os.environ.get("ALL_KILL_POINTS"))


class Disk:
    """A folder to save to, and what happened there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hand = HandClock()
        self.told: list[tuple[int, int | None]] = []
        self.warnings: list[str] = []
        self.notes = Notes()

    def target(self, spec: str = "boat.mp4") -> Target:
        return decide_target(spec, cwd=self.folder)

    def save(self, *places: Place, deadline: Deadline | None = None, settle: float = 0.0, **more: Any) -> Saved:
        return self.save_from(Offered(*places, **more), deadline=deadline, settle=settle)

    def save_from(self, offered: Offered, *, deadline: Deadline | None = None, settle: float = 0.0) -> Saved:
        transfer = Transfer(
            offered,
            deadline or Deadline(self.hand.clock()),
            TransferLimits(settle_seconds=settle),
            on_progress=lambda done, total: self.told.append((done, total)),
            on_warning=self.warnings.append,
        )
        return save(transfer, SaveRequest(self.target(), FACTS), self.notes)

    def fails(self, *places: Place, **more: Any) -> OrvideoError:
        """Save in vain, and hold what every row says: nothing under the name, nothing on record."""
        with pytest.raises(OrvideoError) as caught:
            self.save(*places, **more)
        assert not os.path.lexists(self.folder / "boat.mp4")
        assert self.notes.told == []
        return caught.value

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
    assert disk.hand.elapsed == pytest.approx(0.5 + 0.5 + 1.0 + 2.0 + 4.0)
    assert len(disk.names) == (1 if etag else 0)  # the .part, if it is of use
    assert (disk.notes.resume is not None) == bool(etag)


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
    class Changing(Place):
        @contextmanager
        def __call__(self, start: int, etag: str | None) -> Iterator[Answer]:
            with super().__call__(start, etag) as answer:
                yield answer
            self.data, self.etag = FILM, '"v2"'

    disk.save(Changing(mp4(100_000, seed=1), script=[60_000]))
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
    assert place.asked == [(0, None), (30_000, '"v1"'), (0, None)]
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


@drill("D06", "R-B15")
def test_d06_a_cut_that_stays_is_a_failure_and_what_came_is_kept(disk: Disk) -> None:
    place = Place(FILM[:-1], etag=None, tells_length=False)
    error = disk.fails(place)
    assert isinstance(error, NotFetched)
    assert f"What came is kept: {disk.folder / 'boat-damaged.mp4'}" in error.message
    assert disk.names == ["boat-damaged.mp4"]
    assert (disk.folder / "boat-damaged.mp4").read_bytes() == FILM[:-1]
    assert len(place.asked) == 2


@drill("D06", "R-B15")
@pytest.mark.parametrize("tells_length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize("etag", ['"v1"', None])
@pytest.mark.parametrize("ranges", [True, False])
def test_r_b15_a_file_that_is_damaged_at_the_service_is_loaded_twice_and_not_more(
    tells_length: bool, etag: str | None, ranges: bool, disk: Disk
) -> None:
    damaged = box(b"ftyp", b"isom\0\0\2\0") + box(b"mdat", bytes(20_000))
    place = Place(damaged, etag=etag, tells_length=tells_length, ranges=ranges)
    error = disk.fails(place)
    assert isinstance(error, NotFetched)
    assert "moov" in error.message
    assert [start for start, _ in place.asked].count(0) <= 2
    assert len(place.asked) <= 3
    assert (disk.folder / "boat-damaged.mp4").read_bytes() == damaged


@drill("D06")
def test_d06_cuts_that_differ_are_given_up_after_five_attempts_and_the_last_is_kept(disk: Disk) -> None:
    place = Place(FILM, etag=None, tells_length=False, script=[50_000 - number for number in range(9)])
    error = disk.fails(place)
    assert "in 6 attempts" in error.message
    assert len(place.asked) == 1 + 5
    assert disk.names == ["boat-damaged.mp4"]


@drill("R-B4")
def test_r_b4_what_is_kept_of_a_damaged_film_is_never_emptied_by_the_next_run(disk: Disk) -> None:
    cut = FILM[:-1500]
    error = disk.fails(Place(cut))
    kept = disk.folder / "boat-damaged.mp4"
    assert str(kept) in error.message
    gone = disk.fails(Place(cut, script=[Gone("gone", reply=ServiceReply(410, "gone"))] * 9))
    assert gone.hint is None
    assert kept.read_bytes() == cut
    disk.fails(Place(b"<html></html>"))
    assert kept.read_bytes() == cut
    disk.fails(Place(cut))
    assert disk.names == ["boat-damaged.mp4"], "the same is not kept twice"
    disk.fails(Place(cut[:-1]))
    assert disk.names == ["boat-damaged-2.mp4", "boat-damaged.mp4"]


@drill("R-B4")
def test_r_b4_a_damaged_film_stays_while_other_places_are_tried(disk: Disk) -> None:
    cut = FILM[:-1500]
    error = disk.fails(Place(cut), Place(b"<html></html>"), Place(FILM, script=[NotFound("no")] * 9))
    assert isinstance(error, NotFetched)
    assert "is damaged" in error.message
    assert (disk.folder / "boat-damaged.mp4").read_bytes() == cut
    disk.save(Place(cut), Place(FILM))
    assert disk.names == ["boat-damaged.mp4", "boat.mp4"], "what an earlier run has told of is left to the person"


@drill("R-B4")
def test_r_b4_a_damaged_film_is_of_no_use_when_another_place_has_the_film(disk: Disk) -> None:
    disk.save(Place(FILM[:-1500]), Place(FILM))
    assert disk.has_the_film()


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
    disk.save(Place(b"<html>" + bytes(100)), Place(FILM))
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
def test_d10_what_the_wire_refuses_is_passed_on(disk: Disk) -> None:
    error = BadReply("gzip was not asked for")
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
    error = disk.fails(place, deadline=Deadline(clock, clock.monotonic() + 10.5))
    assert isinstance(error, NotFetched)
    assert "time limit" in error.message
    assert len(disk.hand.slept) == 11
    disk.save(place)
    assert place.asked == [(0, None), (11_000, '"v1"')]


@drill("D11")
def test_d11_the_time_limit_holds_between_attempts(disk: Disk) -> None:
    clock = disk.hand.clock()
    deadline = Deadline(clock, clock.monotonic() + 2.0)
    error = disk.fails(Place(FILM, script=[NotSent("no route")] * 9), deadline=deadline)
    assert "time limit" in error.message
    assert sum(disk.hand.slept) <= 2.0


@drill("D11")
def test_d11_a_download_that_nobody_wants_any_more_ends_at_once(disk: Disk) -> None:
    deadline = Deadline(disk.hand.clock())

    class Cancelling(Answer):
        def chunks(self) -> Iterator[bytes]:
            yield FILM[:1000]
            deadline.cancel()
            yield from super().chunks()

    with pytest.raises(Cancelled):
        disk.save(Place(FILM, script=[Cancelling(200, 0, len(FILM), '"v1"', FILM[1000:])]), deadline=deadline)
    assert not (disk.folder / "boat.mp4").exists()
    disk.save(Place(FILM))
    assert disk.has_the_film()


@drill("F-B08")
@pytest.mark.parametrize("stalled", [True, False])
def test_f_b08_what_only_stalls_makes_no_progress_whatever_it_brings(stalled: bool, disk: Disk) -> None:
    stall = (Stalled if stalled else ServerFault)("The download stalled.")
    place = Place(FILM, script=[60] * 400, cut=stall)
    if stalled:
        assert isinstance(disk.fails(place), NotFetched)
        assert len(place.asked) == 5
    else:
        disk.save(place)
        assert len(place.asked) == 401


@drill("D12")
@pytest.mark.parametrize("refusal", [Unauthorized, Forbidden, NotFound, Gone, BadRequest, PaymentRequired])
def test_d12_a_refused_url_is_refreshed_once_and_works(refusal: type[OrvideoError], disk: Disk) -> None:
    fresh = Place(FILM)
    offered = Offered(Place(FILM, script=[30_000, refusal("expired")], cut=CUT), fresh=[fresh])
    disk.save_from(offered)
    assert offered.refreshes == 1
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
    other.name = "The service's own place"
    error = disk.fails(first, other, fresh=[fresh, other])
    assert error.exit_code == code
    assert ("expired at the provider" in error.message) == (refusal in (Gone, NotFound))
    assert [len(place.asked) for place in (first, fresh, other)] == [1, 1, 1]
    assert disk.hand.slept == []
    assert disk.names == []


@drill("D12", "R-A6")
@pytest.mark.parametrize(
    "trouble",
    [
        ServerFault("502"), NotFound("404"), PaymentRequired("402"), Forbidden("403"), BadRequest("400"),
        Unauthorized("401"), BadReply("[1]"), Unsafe("a redirect elsewhere"), Gone("410"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_r_a6_a_job_that_cannot_be_looked_at_leaves_the_other_places(trouble: OrvideoError, disk: Disk) -> None:
    disk.save(Place(FILM, script=[Forbidden("expired")]), Place(FILM), fresh=trouble)
    assert disk.has_the_film()


@drill("R-A6")
@pytest.mark.parametrize("trouble", [NotFound("404"), PaymentRequired("402"), BadReply("[1]")])
def test_r_a6_nor_does_the_look_decide_what_is_told(trouble: OrvideoError, disk: Disk) -> None:
    expired = Forbidden("expired", reply=ServiceReply(403, "expired"))
    error = disk.fails(Place(FILM, script=[expired] * 9), fresh=trouble)
    assert (error.exit_code, "expired" in error.message) == (10, True)


@drill("R-A7", "F-B03")
@pytest.mark.parametrize("trouble", [Unsafe("http: is not used"), UsageError("a broken proxy"), BadReply("gzip")])
def test_r_a7_one_place_that_cannot_be_used_is_skipped(trouble: OrvideoError, disk: Disk) -> None:
    disk.save(Place(FILM, script=[trouble] * 9), Place(FILM))
    assert disk.has_the_film()
    said = f"The storage's URL is not used: {trouble.message}"
    assert disk.warnings == ([] if isinstance(trouble, BadReply) else [said])


@drill("R-A7", "F-B03")
def test_f_b03_unsafe_is_told_only_where_no_place_is_left_and_nothing_else_was_wrong(disk: Disk) -> None:
    unsafe = Unsafe("a foreign redirect")
    assert disk.fails(Place(FILM, script=[unsafe] * 9)) is unsafe
    assert disk.fails(Place(FILM, script=[unsafe] * 9), Place(FILM, script=[NotSent("no route")] * 99)).exit_code == 10
    assert disk.fails(Place(FILM, script=[NotSent("no route")] * 99), Place(FILM, script=[unsafe] * 9)).exit_code == 10


def refusing(kind: type[OrvideoError], status: int, times: int, **more: Any) -> Place:
    """Refuse so many times, in the words of the service itself."""
    reply = ServiceReply(status, "not here", own=True)
    return Place(FILM, script=[kind("not here", reply=reply)] * times, **more)


SETTLING = [
    (NotFound, 404), (Forbidden, 403), (NotReadyYet, 409), (Rejected, 416), (Rejected, 425), (RateLimited, 429),
    (ServerFault, 500), (ServerFault, 502), (ServiceUnavailable, 503),
]  # fmt: skip


@drill("F-B06")
@pytest.mark.parametrize(("kind", "status"), SETTLING)
def test_f_b06_right_after_the_end_a_refusal_means_not_yet(kind: type[OrvideoError], status: int, disk: Disk) -> None:
    disk.save(refusing(kind, status, 6), settle=30.0)
    assert disk.has_the_film()
    assert 0 < disk.hand.elapsed <= 30


@drill("F-B06")
@pytest.mark.parametrize(("kind", "status"), SETTLING)
def test_f_b06_and_is_believed_when_it_stays(kind: type[OrvideoError], status: int, disk: Disk) -> None:
    place = refusing(kind, status, 999)
    assert disk.fails(place, settle=30.0).exit_code == 10
    assert 29.9 <= disk.hand.elapsed <= 45
    assert len(place.asked) < 40


@drill("F-B06")
@pytest.mark.parametrize(("kind", "status"), [(Gone, 410), (Unauthorized, 401), (PaymentRequired, 402)])
def test_f_b06_what_is_no_matter_of_time_is_not_waited_for(kind: type[OrvideoError], status: int, disk: Disk) -> None:
    disk.fails(refusing(kind, status, 99), settle=30.0)
    assert disk.hand.elapsed == 0


@drill("F-B06", "F-B02")
def test_f_b06_it_is_waited_for_no_longer_than_to_the_deadline_and_that_is_only_a_time_limit(disk: Disk) -> None:
    deadline = Deadline.after(disk.hand.clock(), 12.0)
    error = disk.fails(refusing(NotFound, 404, 999), settle=30.0, deadline=deadline, names_outputs=False)
    assert isinstance(error, NotFetched)
    assert "time limit" in error.message
    assert disk.hand.elapsed <= 12.0


@drill("F-B06")
def test_f_b06_another_place_is_tried_before_anything_is_waited_for(disk: Disk) -> None:
    disk.save(refusing(NotFound, 404, 999), Place(FILM), settle=30.0)
    assert disk.hand.elapsed == 0
    assert disk.has_the_film()


@drill("P06", "R-A1")
@pytest.mark.parametrize(("kind", "status"), [(NotFound, 404), (BadRequest, 400)])
def test_r_a1_no_output_is_a_404_or_400_of_a_job_without_urls_that_stays(
    kind: type[OrvideoError], status: int, disk: Disk
) -> None:
    offered = Offered(refusing(kind, status, 999), names_outputs=False)
    with pytest.raises(NoOutput, match="made no video"):
        disk.save_from(offered, settle=30.0)
    assert 29.9 <= disk.hand.elapsed <= 31
    assert offered.refreshes == 0
    assert not isinstance(disk.fails(refusing(kind, status, 999)), NoOutput), "a job that names its outputs has one"
    disk.save(refusing(kind, status, 3), settle=30.0, names_outputs=False)
    assert disk.has_the_film()


@drill("R-A1")
@pytest.mark.parametrize(
    ("place", "code"),
    [
        (refusing(Forbidden, 403, 999), 10), (refusing(Gone, 410, 999), 10), (refusing(NotReadyYet, 409, 999), 10),
        (refusing(RateLimited, 429, 999), 10), (refusing(ServerFault, 502, 999), 10),
        (refusing(Unauthorized, 401, 999), 4), (Place(FILM, etag=None, script=[1000] * 99, cut=CUT), 10),
        (Place(FILM[:-1], etag=None), 10), (Place(FILM, script=[Answer(200, 0, 0, None, b"")] * 99), 10),
    ],
    ids=["403", "410", "409", "429", "502", "401", "cut", "damaged", "empty"],
)  # fmt: skip
def test_r_a1_every_other_trouble_of_a_job_without_urls_is_a_downloads(place: Place, code: int, disk: Disk) -> None:
    error = disk.fails(place, settle=30.0, names_outputs=False)
    assert (error.exit_code, isinstance(error, NoOutput)) == (code, False)


@drill("R-A1")
def test_r_a1_bytes_that_have_come_are_an_output_whatever_is_answered_later(disk: Disk) -> None:
    gone = NotFound("not here", reply=ServiceReply(404, "not here"))
    error = disk.fails(Place(FILM, script=[30_000, *[gone] * 99], cut=CUT), settle=30.0, names_outputs=False)
    assert (error.exit_code, "expired" in error.message) == (10, True)


@drill("F-B03", "F-B06")
def test_one_function_judges_what_a_place_answers() -> None:
    assert judge_source_error(OutputUnwritable("full"), settling=True) is Verdict.STOP
    for trouble in (Cut("cut"), ServerFault("502"), NotSent("no route"), RateLimited("429"), NotReadyYet("409")):
        assert judge_source_error(trouble) is Verdict.RETRY
    for trouble in (NotFound("404"), Forbidden("403")):
        assert [judge_source_error(trouble, settling=settling) for settling in (True, False)] == [
            Verdict.RETRY,
            Verdict.NEXT,
        ]
    assert judge_source_error(BadRequest("400"), settling=True) is Verdict.NEXT
    assert judge_source_error(BadRequest("400"), settling=True, names_outputs=False) is Verdict.RETRY
    for own in (True, False):
        none = BadRequest("none", reply=ServiceReply(400, "Video index 0 out of range (0 videos available)", own=own))
        expected = Verdict.NEXT if own else Verdict.RETRY
        assert judge_source_error(none, settling=True, names_outputs=False) is expected
    for trouble in (Gone("410"), Unauthorized("401"), Unsafe("x"), BadReply("x"), UsageError("x")):
        assert judge_source_error(trouble, settling=True) is Verdict.NEXT


@drill("D01")
def test_d01_a_silent_place_is_left_for_another_whose_validators_are_its_own(disk: Disk) -> None:
    other = Place(FILM, name="The service's own place")
    first = Place(mp4(100_000, seed=1), script=[30_000] + [NotSent("no route")] * 9, cut=CUT)
    disk.save(first, other)
    assert other.asked == [(0, None)]
    assert disk.has_the_film()


@drill("F-B03")
@pytest.mark.parametrize(("rate", "whole"), [(5_000, True), (100, False)])
def test_h9c_a_place_that_keeps_its_pace_is_not_left_at_the_end_of_its_share(
    rate: int, whole: bool, disk: Disk
) -> None:
    """Of 30 seconds each has 15: 5 kB a second buy more, and 100 bytes a second do not."""

    @contextmanager
    def opened(start: int, etag: str | None, deadline: Deadline) -> Iterator[Answer]:
        class Slow(Answer):
            def chunks(self) -> Iterator[bytes]:
                for chunk in super().chunks():
                    disk.hand.sleep(len(chunk) / rate)
                    if deadline.is_over:
                        raise ServerFault("it had not ended at the time limit")
                    yield chunk

        yield Slow(200, 0, len(FILM), None, FILM, piece=50)

    other = Place(FILM)
    offered = Offered(Place(FILM), other)
    slow, content = offered.listed()
    offered.listed = lambda: [slow._replace(open=opened), content]  # type: ignore[method-assign]
    disk.save_from(offered, deadline=Deadline.after(disk.hand.clock(), 30.0))
    assert disk.has_the_film()
    assert (other.asked == []) == whole


@drill("D12")
@pytest.mark.parametrize("error", [RateLimited, NotReadyYet])
def test_d12_a_service_that_asks_for_patience_gets_it(error: type[OrvideoError], disk: Disk) -> None:
    reply = ServiceReply(429, "slow down", retry_after=7.0)
    disk.save(Place(FILM, script=[error("slow down", reply=reply)] * 2))
    assert disk.hand.elapsed == pytest.approx(14.0)


@drill("D12", "F-C03")
def test_d12_patience_has_an_end_whatever_is_asked_for(disk: Disk) -> None:
    reply = ServiceReply(429, "slow down", retry_after=1e9)
    disk.save(Place(FILM, script=[RateLimited("slow down", reply=reply)]))
    assert disk.hand.elapsed == pytest.approx(60.0)


@drill("D13")
def test_d13_several_outputs_have_names_and_parts_of_their_own(disk: Disk) -> None:
    films = [mp4(5000, seed) for seed in range(3)]
    target = disk.target()
    deadline = Deadline(disk.hand.clock())
    saved = [
        save(Transfer(Offered(Place(film)), deadline), SaveRequest(target, FACTS, n), Notes())
        for n, film in enumerate(films)
    ]
    assert disk.names == ["boat-2.mp4", "boat-3.mp4", "boat.mp4"]
    assert [path.path.read_bytes() for path in saved if path.path] == films


@drill("D19")
def test_d19_the_name_is_never_the_services(disk: Disk) -> None:

    facts = FACTS._replace(id="../../../etc/cron.d/x", model="/abs/..", prompt="..\n/")
    transfer = Transfer(Offered(Place(FILM)), Deadline(disk.hand.clock()))
    saved = save(transfer, SaveRequest(disk.target("./"), facts), Notes())
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
    """The last step, the `.part` that goes, is the same step as the name."""
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
        ):
            if call.name in names and text in call.text:
                last.setdefault(what, []).append(place)
    assert len(last["sync"]) == 2
    file, folder = last["sync"]
    # The row that says "whole, meant for this name", and then the output.
    row, output = last["record"][-2:]
    assert last["bytes"][-1] < file < row < last["name"][0] <= last["name"][-1] < folder < output


FAULTS = {
    "write-full": ("pwrite64:error=ENOSPC:when=6", True),
    "write-eio": ("pwrite64:error=EIO:when=6", False),
    "write-quota": ("pwrite64:error=EDQUOT:when=2+", True),
    "fsync-eio": ("fsync:error=EIO:when=1", False),
    "fsync-full": ("fsync:error=ENOSPC:when=1", False),
    "link-full": ("link,linkat:error=ENOSPC:when=1", True),
    "link-eio": ("link,linkat:error=EIO:when=1", True),
    "folder-eio": ("fsync:error=EIO:when=2", False),
}


@drill("D18")
@needs_strace
@pytest.mark.parametrize(("fault", "kept"), FAULTS.values(), ids=FAULTS.keys())
def test_d18_a_disk_that_fails_costs_no_video(fault: str, kept: bool, tmp_path: Path) -> None:
    failed = tracing.run_with(fault, ONCE, [str(tmp_path)])
    error = json.loads(failed.stdout)
    assert error["exit_code"] == failed.returncode == 14, failed.stderr
    assert "cannot be written: " in error["message"]
    assert any(name.endswith(".part") for name in os.listdir(tmp_path)) == kept
    assert_whole_or_absent(tmp_path)
    again = once_more(tmp_path)
    assert_done(tmp_path)
    if fault.startswith(("link", "fsync:error=EIO:when=2")):
        assert again["asked"] == [], "what was whole is not fetched again"


@drill("D18")
@needs_strace
def test_d18_a_whole_video_without_a_name_is_not_fetched_again_even_without_a_validator(tmp_path: Path) -> None:
    failed = tracing.run_with("link,linkat:error=ENOSPC:when=1", ONCE, [str(tmp_path), "no-etag"])
    assert failed.returncode == 14
    assert once_more(tmp_path, "no-etag")["asked"] == []
    assert_done(tmp_path)


@drill("F-C04")
@needs_strace
def test_f_c04_what_a_close_says_is_an_error_of_writing(tmp_path: Path) -> None:
    """The one after the fsync is asked for before the name is given."""
    disk = tmp_path / "disk"
    disk.mkdir()
    calls = tracing.traced(ONCE, [str(disk)], tmp_path / "log", after=download_once.MARK)
    synced = next(place for place, call in enumerate(calls) if call.name == "fsync")
    closing = next(call for call in calls[synced:] if call.name == "close")
    (tmp_path / "again").mkdir()
    failed = tracing.run_with(f"close:error=EIO:when={closing.number}", ONCE, [str(tmp_path / "again")])
    assert failed.returncode == 14, failed.stderr
    assert "input/output error" in json.loads(failed.stdout)["message"]
    assert not (tmp_path / "again/boat.mp4").exists()


NO_LINKS = "link,linkat:error=EPERM"
NO_RENAMES = "renameat2:error=EINVAL"


@pytest.mark.long
@drill("R-B10", "R-B11", "D14", "O01")
@needs_strace
@pytest.mark.parametrize(
    ("missing", "words"),
    [
        pytest.param([], [], id="links"),
        pytest.param([], ["force"], id="links-force"),
        pytest.param([], ["no-etag"], id="links-no validator"),
        pytest.param([NO_LINKS], [], id="no links"),
        pytest.param([NO_LINKS], ["force"], id="no links-force"),
        pytest.param([NO_LINKS, NO_RENAMES], ["no-etag"], id="nothing-no validator"),
    ],
)
def test_r_b10_b11_killed_between_the_last_byte_and_the_record_the_next_run_finishes_without_a_byte(
    missing: list[str], words: list[str], tmp_path: Path
) -> None:
    """On file systems with and without hard links: no byte again, no second copy, nothing left behind."""
    disk = tmp_path / "disk"
    disk.mkdir()
    calls = tracing.traced(ONCE, [str(disk), *words], tmp_path / "log", after=download_once.MARK, faults=missing)
    assert_done(disk)
    synced = next(place for place, call in enumerate(calls) if call.name == "fsync")
    rows = [place for place, call in enumerate(calls) if 'record.new"' in call.text and call.name.startswith("rename")]
    whole = next(place for place in rows if place > synced)
    # A call that is made to fail already cannot be killed as well: the next one is.
    failing = {name for fault in missing for name in fault.partition(":")[0].split(",")}
    changing = [call for call in calls[whole + 1 :] if call.name in CHANGING and call.name not in failing]
    assert len(changing) >= 2
    if missing and not ALL_KILL_POINTS:
        changing = changing[::2]
    for number, call in enumerate(changing):
        folder = tmp_path / str(number)
        folder.mkdir()
        if "force" in words:
            (folder / "boat.mp4").write_bytes(b"old")
        first = tracing.run_with(f"{call.name}:signal=KILL:when={call.number}", ONCE, [str(folder), *words], *missing)
        assert first.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), (call, first.stderr)
        assert once_more(folder, *words, missing=missing)["asked"] == [], call
        assert_done(folder)


@pytest.mark.long
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
    if not ALL_KILL_POINTS:
        changing = [Point(call.name, call.number) for call in calls if call.name in CHANGING]
        points = changing[-4:] if words else changing[-8:] + points[:: len(points) // 3]
    killed = 0
    for number, point in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        first = tracing.run_with(f"{point.call}:signal=KILL:when={point.number}", ONCE, [str(folder), *words])
        killed += first.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
        assert_whole_or_absent(folder)
        once_more(folder, *words)
        assert_done(folder)
    assert killed > len(points) * 0.8


def once_more(folder: Path, *words: str, missing: Sequence[str] = ()) -> dict[str, Any]:
    """Download again and return what was said; in this process, where nothing is made to fail."""
    if missing:
        done = tracing.run(ONCE, [str(folder), *words], *missing)
        code, said = done.returncode, done.stdout
    else:
        with redirect_stdout(io.StringIO()) as out:
            code = download_once.main(folder, list(words))
        said = out.getvalue()
    assert code == 0, said
    return dict(json.loads(said))


def assert_whole_or_absent(folder: Path) -> None:
    target = folder / "boat.mp4"
    assert not target.exists() or target.read_bytes() == download_once.FILM


def assert_done(folder: Path) -> None:
    """The film is there and on record, and nothing else but, at most, the empty file that tried the folder."""
    assert (folder / "boat.mp4").read_bytes() == download_once.FILM
    record = json.loads((folder / "record").read_text())["output"]
    assert record["sha256"] == hashlib.sha256(download_once.FILM).hexdigest()
    others = [path for path in folder.iterdir() if path.name not in ("boat.mp4", "record", "record.new")]
    assert [path for path in others if path.stat().st_size > 1024] == []
    assert len(others) <= 1
