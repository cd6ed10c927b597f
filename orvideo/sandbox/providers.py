"""Who serves a model, under which slug, and what is dropped on the way to the provider.

The slugs are those that the official SDK 1.3.84 lists for `provider.options`, and the names are those of its list of
providers. Kling is in neither list, so its author's name stands for both. The sandbox's own models have the slug that
the list keeps for a provider that is none: a typed SDK can send no other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orvideo.api.values import VideoModel, VideoRequest

#: By a model's author: the provider's name, and the slug that `provider.options` is keyed by.
_PROVIDERS = {
    "alibaba": ("Alibaba", "alibaba"),
    "black-forest-labs": ("Black Forest Labs", "black-forest-labs"),
    "bytedance": ("Seed", "seed"),
    "google": ("Google", "google-vertex"),
    "heygen": ("HeyGen", "heygen"),
    "kwaivgi": ("Kwaivgi", "kwaivgi"),
    "minimax": ("Minimax", "minimax"),
    "openai": ("OpenAI", "openai"),
    "runway": ("Runway", "runway"),
    "x-ai": ("xAI", "xai"),
    "sandbox": ("FakeProvider", "fake-provider"),
}

#: Told what no client sees, such as what the service would drop without a word.
OnNote = Callable[[str], None]


def provider_of(model: VideoModel) -> tuple[str, str]:
    """Return the provider's name and the slug that `provider.options` is keyed by."""
    author = model.id.partition("/")[0]
    return _PROVIDERS.get(author, (author.replace("-", " ").title(), author))


def routed(model: VideoModel, request: VideoRequest, note: OnNote) -> VideoRequest:
    """Return the request as it goes to the provider: its own options only, and of those the keys the model lists.

    Options are read in both forms, `<slug>.parameters.<key>` and `<slug>.<key>`; a key under `parameters` wins.
    """
    slug = provider_of(model)[1]
    given = request.provider or {}
    _drop(note, "provider", given, {"options"}, "an unknown key")
    options = given.get("options") or {}
    _drop(note, "provider.options", options, {slug}, f"{model.id} is served by {slug}")
    allowed = set(model.allowed_passthrough_parameters or ())
    listed = "takes " + ", ".join(sorted(allowed)) if allowed else "takes no options"
    kept: dict[str, Any] = {}
    for path, block in _forms(f"provider.options.{slug}", options.get(slug) or {}):
        _drop(note, path, block, allowed, f"{model.id} {listed}")
        kept |= {key: value for key, value in block.items() if key in allowed}
    return request._replace(provider={"parameters": kept} if kept else None)


def _forms(path: str, block: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return a block's options in their flat form and in their nested form, each with its path."""
    nested = block.get("parameters")
    if not isinstance(nested, dict):
        return [(path, block)]
    flat = {key: value for key, value in block.items() if key != "parameters"}
    return [(path, flat), (f"{path}.parameters", nested)]


def _drop(note: OnNote, path: str, given: dict[str, Any], kept: set[str], why: str) -> None:
    for key in given:
        if key not in kept:
            note(f"dropped {path}.{key[:80]}: {why}")
