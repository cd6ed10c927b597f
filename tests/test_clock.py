"""Times that this machine cannot put into its own zone: Windows those before 1970, every system the calendar's ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from orvideo.api.refusals import limit_text
from orvideo.api.values import moment
from orvideo.clock import local
from orvideo.errors import Limit
from orvideo.output.text import local_time
from tests.shell import Shell

pytestmark = pytest.mark.drill("W31")


@pytest.fixture(params=["XXX-9", "XXX+9"], autouse=True)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the machine east and west of Greenwich, where a process can choose."""
    tzset = getattr(time, "tzset", lambda: None)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        tzset()
        yield
    tzset()


ENDS = [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)]


@pytest.mark.parametrize("when", ENDS, ids=str)
def test_w31_every_time_has_a_local_one_or_is_told_in_utc(when: datetime) -> None:
    assert local(when) == when
    assert local(when.replace(tzinfo=None)).tzinfo is not None
    local_time(when)


def test_w31_a_limit_that_never_resets_is_told() -> None:
    told = limit_text(Limit("the key", resets_at=ENDS[-1]))
    assert "it resets at 9999-12-31 23:59 UTC" in told


def test_w31_seconds_mean_the_same_on_every_system() -> None:
    assert moment(-5) == datetime(1969, 12, 31, 23, 59, 55, tzinfo=UTC)
    assert moment(33_000_000_000) == datetime(3015, 9, 24, 10, 40, tzinfo=UTC)
    assert [moment(odd) for odd in (float("nan"), float("inf"), -1e300)] == [None] * 3


@pytest.mark.parametrize("day", ["0001-01-01", "1969-01-01", "9999-12-31"])
def test_w31_jobs_since_any_day_are_listed(day: str, orvideo: Shell) -> None:
    done = orvideo("jobs", "--since", day)
    assert done.code == 0, done.err
