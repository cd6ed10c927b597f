"""The list of models: fresh, stale, broken, hostile, and misspelt."""

from __future__ import annotations

import json
import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orvideo.api.values import Span
from orvideo.catalogue import cache
from orvideo.catalogue.listing import Catalogue, load, nearest, parse_models
from orvideo.clock import Clock
from orvideo.errors import BadReply, NotSent, OrvideoError, ServerFault, Unsafe
from tests.catalogue.shelf import RAW

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _at(minutes: float) -> Clock:
    return Clock(now=lambda: NOON + timedelta(minutes=minutes))


class Service:
    """Answers with `entries`, or raises `error`; counts how often it was asked."""

    def __init__(self, entries: list[Any] | None = None, error: OrvideoError | None = None) -> None:
        self.entries = RAW if entries is None else entries
        self.error = error
        self.asked = 0

    def __call__(self) -> list[Any]:
        self.asked += 1
        if self.error:
            raise self.error
        return self.entries


def test_the_list_is_fetched_once_an_hour(tmp_path: Path) -> None:
    path, service = tmp_path / "deep" / "er" / "models.json", Service()
    for minutes, asked in [(0, 1), (1, 1), (59.9, 1), (60, 2), (61, 2), (200, 3)]:
        found = load(path, service, clock=_at(minutes))
        assert service.asked == asked, minutes
        assert len(found.models) == 31
        assert not found.stale
        assert found.note is None


def test_a_cached_list_is_the_same_list(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    entry = {**RAW[0], "mood_lighting": {"new": True}}
    live = load(path, Service([entry]), clock=_at(0))
    kept = load(path, Service(error=NotSent("away")), clock=_at(5))
    assert kept == live
    assert kept.raw[entry["id"]] == entry


def test_refresh_asks_at_once(tmp_path: Path) -> None:
    path, service = tmp_path / "models.json", Service()
    load(path, service, clock=_at(0))
    load(path, service, clock=_at(1), refresh=True)
    assert service.asked == 2


@pytest.mark.parametrize("error", [NotSent("refused"), ServerFault("HTTP 502"), BadReply("not JSON")])
def test_an_old_list_serves_while_the_service_is_away(tmp_path: Path, error: OrvideoError) -> None:
    path = tmp_path / "models.json"
    load(path, Service(), clock=_at(0))
    found = load(path, Service(error=error), clock=_at(60 * 24 * 3))
    assert found.stale
    assert len(found.models) == 31
    assert found.fetched_at == NOON
    assert found.note is not None
    assert "3 days old" in found.note
    assert error.message in found.note


def test_without_a_cache_the_error_is_the_services_own(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match="refused"):
        load(tmp_path / "models.json", Service(error=NotSent("refused")), clock=_at(0))


def test_a_safety_refusal_is_never_papered_over(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    load(path, Service(), clock=_at(0))
    with pytest.raises(Unsafe):
        load(path, Service(error=Unsafe("bad certificate")), clock=_at(90))


def test_a_clock_that_went_back_makes_the_cache_old_not_eternal(tmp_path: Path) -> None:
    path, service = tmp_path / "models.json", Service()
    load(path, service, clock=_at(0))
    load(path, service, clock=_at(-60 * 24))
    assert service.asked == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"{}",
        b"[" * 200_000,
        b'{"version": 2, "fetched_at": "2026-11-21T12:00:00+00:00", "models": [{"id": "acme/old"}]}',
        b'{"version": 1, "fetched_at": "yesterday", "models": [{"id": "acme/old"}]}',
        b'{"version": 1, "fetched_at": 17, "models": [{"id": "acme/old"}]}',
        b'{"version": 1, "fetched_at": "0001-01-01T00:00:00+14:00", "models": [{"id": "acme/old"}]}',
        b'{"version": 1, "fetched_at": "2026-11-21T12:00:00+00:00", "models": {"id": "acme/old"}}',
        b'{"version": 1, "fetched_at": "2026-11-21T12:00:00+00:00", "models": []}',
        b'{"version": 1, "fetched_at": "2026-11-21T12:00:00+00:00", "models": [7, null, {"id": 3}]}',
        b'{"version": 1, "fetched_at": "2026-11-21T12:00:00+00:00", "models": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_broken_cache_is_fetched_again(tmp_path: Path, content: bytes) -> None:
    path, service = tmp_path / "models.json", Service()
    path.write_bytes(content)
    assert len(load(path, service, clock=_at(1)).models) == 31
    assert service.asked == 1
    assert len(load(path, service, clock=_at(2)).models) == 31
    assert service.asked == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_in_the_place_of_the_cache_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    os.mkfifo(path)
    assert len(load(path, Service(), clock=_at(0)).models) == 31
    assert cache.read(path) is not None


def test_a_directory_in_the_place_of_the_cache_costs_only_time(tmp_path: Path) -> None:
    path, service = tmp_path / "models.json", Service()
    path.mkdir()
    for _ in range(2):
        assert len(load(path, service, clock=_at(0)).models) == 31
    assert service.asked == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["models.json"]


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    service = Service()
    assert len(load(tmp_path / "file" / "models.json", service, clock=_at(0)).models) == 31


def test_a_failed_write_leaves_the_old_cache_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    load(path, Service([RAW[0]]), clock=_at(0))
    before = path.read_bytes()
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        found = load(path, Service(), clock=_at(90))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert len(found.models) == 31
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_cache_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "models.json"
    load(path, Service(), clock=_at(0))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_list_without_a_usable_model_does_not_replace_a_good_one(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    load(path, Service(), clock=_at(0))
    found = load(path, Service([{"id": None}]), clock=_at(90))
    assert found.stale
    assert len(found.models) == 31
    empty = load(tmp_path / "other.json", Service([]), clock=_at(0))
    assert (empty.models, empty.stale) == ([], False)
    assert not (tmp_path / "other.json").exists()


@pytest.mark.drill("X04")
def test_bad_entries_are_skipped_and_counted() -> None:
    bad: list[object] = [7, None, "x", [], {}, {"id": 3}, {"id": ""}, {"id": " a "}, {"id": "a" * 201}, RAW[0]]
    models, raw, skipped = parse_models([RAW[0], *bad, RAW[1]])
    assert [model.id for model in models] == [RAW[0]["id"], RAW[1]["id"]]
    assert list(raw) == [RAW[0]["id"], RAW[1]["id"]]
    assert skipped == len(bad)


@pytest.mark.drill("X04")
def test_a_million_entries_are_survived() -> None:
    models, _, skipped = parse_models({"id": f"a/{number}"} if number % 2 else 0 for number in range(1_000_000))
    assert len(models) + skipped == 1_000_000
    assert 31 < len(models) <= 20_000


@pytest.mark.drill("X04")
def test_wrong_types_and_missing_prices_cost_the_field_not_the_model() -> None:
    odd = {
        "id": "acme/odd",
        "name": 7,
        "supported_durations": "all",
        "supported_resolutions": {"a": 1},
        "generate_audio": "yes",
        "upscale_factor": {"min": "x"},
        "pricing_skus": [],
        "created": "now",
    }
    (model,), _, skipped = parse_models([odd])
    assert (model.name, model.supported_durations, model.generate_audio, model.pricing_skus) == (None,) * 4
    assert (model.upscale_factor, skipped) == (Span(), 0)
    assert parse_models([{**odd, "upscale_factor": 2}])[0][0].upscale_factor is None


def test_hostile_text_comes_back_from_the_cache_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    entry = {**RAW[0], "name": "\ud800 [bold] \x1b[31m \u202e", "nan": float("nan")}
    load(path, Service([entry]), clock=_at(0))
    kept = load(path, Service(error=NotSent("away")), clock=_at(1))
    assert kept.raw[entry["id"]]["name"] == entry["name"]


def test_completion_reads_the_cache_without_pydantic(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    load(path, Service(), clock=_at(0))
    entries = cache.entries(path)
    assert [entry["id"] for entry in entries] == [entry["id"] for entry in RAW]
    assert entries[0]["supported_durations"] == list(range(1, 16))
    assert json.loads(path.read_text())["version"] == 1
    assert cache.entries(tmp_path / "none.json") == []


def test_reading_the_cache_imports_nothing_heavy() -> None:
    import subprocess

    code = "import sys, orvideo.catalogue.cache; print([m for m in ('pydantic', 'httpx', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _catalogue() -> Catalogue:
    models, raw, _ = parse_models(RAW)
    return Catalogue(models, NOON, raw=raw)


@pytest.mark.parametrize("name", ["google/veo-3.1", "Google/VEO-3.1", " google/veo-3.1 ", "google/veo-3.1-20260320"])
def test_a_model_is_found_by_id_or_slug_whatever_the_case(name: str) -> None:
    found = _catalogue().get(name)
    assert found is not None
    assert found.id == "google/veo-3.1"


@pytest.mark.parametrize("name", ["", "veo", "veo-3.1", "google", "google/veo-3.1-huge"])
def test_nothing_is_guessed(name: str) -> None:
    assert _catalogue().get(name) is None


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("google/veo-3.1-lit", "google/veo-3.1-lite"),
        ("veo-3.1-lite", "google/veo-3.1-lite"),
        ("veo3.1", "google/veo-3.1"),
        ("gogle/veo-3.1", "google/veo-3.1"),
        ("veo", "google/veo-3.1"),
        ("sora-2", "openai/sora-2-pro"),
        ("Seedance-2.0-Mini", "bytedance/seedance-2.0-mini"),
        ("grok-imagine-vidoe", "x-ai/grok-imagine-video"),
    ],
)
def test_a_misspelt_id_gets_the_nearest_ones(name: str, first: str) -> None:
    found = _catalogue().nearest(name)
    assert found[0] == first
    assert len(found) <= 3


@pytest.mark.parametrize("name", ["", "zzzz", "x" * 10_000, "\x1b[31m"])
def test_nonsense_is_near_nothing(name: str) -> None:
    assert nearest(name, (entry["id"] for entry in RAW)) == []
