"""What the sandbox says of a key: the documented fields, with the figures of its jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orvideo.sandbox.server import KEY
from tests.sandbox.conftest import Caller, Start, Turned

DAY = 86400


def account(caller: Caller) -> dict[str, Any]:
    data: dict[str, Any] = caller.http.get("/key").json()["data"]
    return data


def used(caller: Caller) -> list[float]:
    """Return what was used in all, this month, this week and today."""
    data = account(caller)
    return [data[name] for name in ("usage", "usage_monthly", "usage_weekly", "usage_daily")]


def test_usage_is_reckoned_by_the_day_the_week_and_the_month(start: Start, turned: Turned) -> None:
    turned.time = datetime(2026, 10, 29, 12, tzinfo=UTC)  # a Thursday
    caller = start(clock=turned.clock())
    caller.submit()
    assert used(caller) == [0, 0, 0, 0]
    turned.turn(60)
    assert used(caller) == [0.05] * 4
    turned.turn(DAY)
    assert used(caller) == [0.05, 0.05, 0.05, 0]
    turned.turn(2 * DAY)
    assert used(caller) == [0.05, 0, 0.05, 0]
    turned.turn(DAY)
    assert used(caller) == [0.05, 0, 0, 0]
    caller.submit()
    turned.turn(60)
    assert used(caller) == [0.1, 0.05, 0.05, 0.05]
    assert caller.http.get("/credits").json()["data"] == {"total_credits": 1000, "total_usage": 0.1}


def test_a_key_has_no_limit_and_may_generate(start: Start) -> None:
    data = account(start())
    assert data["label"] == f"{KEY[:12]}...{KEY[-3:]}"
    assert {data[name] for name in ("limit", "limit_remaining", "effective_budget", "expires_at")} == {None}
    assert (data["budgets"], data["allowed_data_regions"], data["is_management_key"]) == ([], ["global"], False)


@pytest.mark.parametrize("path", ["/models", "/models/user"])
def test_models_come_in_pages(start: Start, path: str) -> None:
    http = start().http
    whole = http.get(path, params={"output_modalities": "video"}).json()
    assert whole["total_count"] == len(whole["data"]) > 20
    assert http.get(path, params={"output_modalities": "text,video"}).json() == whole
    address, found = f"{path}?output_modalities=video&limit=20", []
    while address:
        page = http.get(address).json()
        assert page["total_count"] == whole["total_count"]
        found += page["data"]
        address = page["links"]["next"]
    assert found == whole["data"]
    assert http.get(path, params={"limit": "many"}).status_code == 400


def test_the_models_of_a_key_need_a_key(start: Start) -> None:
    assert start(key=None).http.get("/models/user").status_code == 401
