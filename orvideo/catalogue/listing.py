"""The list of models, from the service or from the cache, which is used for an hour."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from orvideo.api.values import VideoModel
from orvideo.catalogue import cache
from orvideo.clock import Clock
from orvideo.errors import BadReply, Unavailable

#: Further entries of a longer list are skipped (drill X04).
_MAX_MODELS = 20_000


class Catalogue(NamedTuple):
    """The models that can be used, and the age of the list.

    `raw` holds each entry by model id as the service sent it. `skipped` counts the entries that are no valid models.
    `stale` is True when the list is old because the service could not be asked; `note` is a sentence about it.
    """

    models: list[VideoModel]
    fetched_at: datetime
    stale: bool = False
    skipped: int = 0
    note: str | None = None
    raw: Mapping[str, dict[str, Any]] = MappingProxyType({})

    def get(self, model_id: str) -> VideoModel | None:
        """Return the model with this id or canonical slug, ignoring case; None when there is none."""
        folded = model_id.strip().casefold()
        by_id = (model for model in self.models if model.id.casefold() == folded)
        by_slug = (model for model in self.models if (model.canonical_slug or "").casefold() == folded)
        return next(by_id, None) or next(by_slug, None)

    def find(self, name: str) -> VideoModel | None:
        """Return the model by id or slug, or by its id without the author where only one model matches."""
        folded = name.strip().casefold()
        tails = [model for model in self.models if model.id.casefold().rpartition("/")[2] == folded]
        return self.get(name) or (tails[0] if len(tails) == 1 else None)

    def nearest(self, model_id: str) -> list[str]:
        """Return up to three ids that are like a misspelt one, the most similar first."""
        return nearest(model_id, (model.id for model in self.models))


def nearest(model_id: str, ids: Iterable[str]) -> list[str]:
    """Return up to three of `ids` that are like a misspelt one, compared with and without the author."""
    folded = model_id.strip().casefold()[:200]
    bare = folded.rpartition("/")[2]
    scores = {
        known: max(_likeness(folded, known.casefold()), _likeness(bare, known.casefold().rpartition("/")[2]))
        for known in ids
    }
    likely = [known for known, score in scores.items() if score >= 0.6]
    return sorted(likely, key=lambda known: (-scores[known], known))[:3]


def _likeness(given: str, known: str) -> float:
    import difflib

    matcher = difflib.SequenceMatcher(None, given, known, autojunk=False)
    # The ratio of a beginning such as "veo" is low, though it is a likely guess.
    if len(given) > 2 and known.startswith(given):
        return 0.9 + 0.1 * len(given) / len(known)
    return matcher.ratio() if matcher.quick_ratio() >= 0.6 else 0.0


def parse_models(entries: Iterable[object]) -> tuple[list[VideoModel], dict[str, dict[str, Any]], int]:
    """Return the usable models, their raw entries by id, and how many entries were skipped (drill X04)."""
    models: list[VideoModel] = []
    raw: dict[str, dict[str, Any]] = {}
    skipped = 0
    for entry in entries:
        model = _model(entry) if len(models) < _MAX_MODELS else None
        if model is None or model.id in raw or not isinstance(entry, dict):
            skipped += 1
            continue
        models.append(model)
        raw[model.id] = entry
    return models, raw, skipped


def _model(entry: object) -> VideoModel | None:
    model = VideoModel.of(entry)
    return model if model is not None and len(model.id) <= 200 and model.id == model.id.strip() else None


def load(
    path: Path | None,
    fetch: Callable[[], list[dict[str, Any]]],
    *,
    clock: Clock = Clock(),  # noqa: B008 - immutable
    max_age: float = 3600,
    refresh: bool = False,
) -> Catalogue:
    """Return the catalogue from the cache at `path` while it is younger than `max_age` seconds, else from `fetch`.

    Without a `path` nothing is kept. When `fetch` raises Unavailable or BadReply, a cache of any age is used, with a
    note; without a cache the error is raised. Other errors, such as an invalid certificate, are always raised.
    """
    now = clock.now()
    cached = cache.read(path) if path is not None else None
    kept = _catalogue(cached.models, cached.fetched_at) if cached else None
    if kept and not kept.models:
        kept = None
    if kept and not refresh and timedelta(0) <= now - kept.fetched_at < timedelta(seconds=max_age):
        return kept
    try:
        entries = fetch()
    except (Unavailable, BadReply) as error:
        if kept is None:
            raise
        return _stale(kept, now, error.message)
    fresh = _catalogue(entries, now)
    if not fresh.models:
        return _stale(kept, now, "it listed no usable model") if kept else fresh
    if path is not None:
        cache.write(path, entries, now)
    return fresh


def _catalogue(entries: list[Any], fetched_at: datetime) -> Catalogue:
    models, raw, skipped = parse_models(entries)
    return Catalogue(models, fetched_at, skipped=skipped, raw=raw)


def _stale(kept: Catalogue, now: datetime, reason: str) -> Catalogue:
    note = f"The list of models is {_age(now - kept.fetched_at)} old: the service could not be asked ({reason})."
    return Catalogue(kept.models, kept.fetched_at, True, kept.skipped, note, kept.raw)


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
