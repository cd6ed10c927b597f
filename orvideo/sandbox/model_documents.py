"""What the service's general lists say of a model: `/models`, `/models/user`, `/models/count` and its endpoints.

The fields are those that the official SDKs require. Most are about text: here they are null, 0 or empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orvideo.api.values import VideoModel
from orvideo.sandbox.offer import input_modalities
from orvideo.sandbox.providers import provider_of

#: The prices there mean nothing (api notes).
_PRICING = {"prompt": "0", "completion": "0"}


def listed(models: Sequence[VideoModel], offset: int, limit: int | None, following: str) -> dict[str, Any]:
    """Return a page of `GET /models`; `following` is the address of the next page, where there is one."""
    page = models[offset:] if limit is None else models[offset : offset + limit]
    more = bool(page) and offset + len(page) < len(models)
    return {
        "data": [general_entry(model) for model in page],
        "links": {"next": following if more else None},
        "total_count": len(models),
    }


def general_entry(model: VideoModel) -> dict[str, Any]:
    """Return a model's entry in `GET /models`."""
    slug = model.canonical_slug or model.id
    return {
        "id": model.id,
        "canonical_slug": slug,
        "hugging_face_id": model.hugging_face_id,
        "name": model.name or model.id,
        "created": model.created or 0,
        "description": model.description or "",
        "context_length": 0,
        "architecture": _architecture(model),
        "pricing": _PRICING,
        "top_provider": {"context_length": None, "max_completion_tokens": None, "is_moderated": False},
        "per_request_limits": None,
        "supported_parameters": [],
        "supported_voices": None,
        "default_parameters": None,
        "knowledge_cutoff": None,
        "expiration_date": None,
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
    }


def _architecture(model: VideoModel) -> dict[str, Any]:
    taken = input_modalities(model)
    return {
        "modality": f"{'+'.join(taken)}->video",
        "input_modalities": taken,
        "output_modalities": ["video"],
        "tokenizer": "Other",
        "instruct_type": None,
    }


def endpoints_entry(model: VideoModel) -> dict[str, Any]:
    """Return the answer of `GET /models/{id}/endpoints`: one provider."""
    return {
        "id": model.id,
        "name": model.name or model.id,
        "created": model.created or 0,
        "description": model.description or "",
        "architecture": _architecture(model),
        "endpoints": [_endpoint(model)],
    }


def _endpoint(model: VideoModel) -> dict[str, Any]:
    name, tag = provider_of(model)
    unknown = (
        "latency_last_30m", "throughput_last_30m", "uptime_last_5m", "uptime_last_30m", "uptime_last_1d",
        "max_completion_tokens", "max_prompt_tokens", "quantization", "service_tier",
    )  # fmt: skip
    return {
        "name": f"{name} | {model.canonical_slug or model.id}",
        "model_id": model.canonical_slug or model.id,
        "model_name": model.name or model.id,
        "provider_name": name,
        "tag": tag,
        "context_length": 0,
        "pricing": _PRICING,
        "status": 0,
        "native_tools": {},
        "supported_parameters": [],
        "supports_diarization": False,
        "supports_implicit_caching": False,
        "supports_tool_choice": dict.fromkeys(("auto", "function", "none", "required"), False),
        **dict.fromkeys(unknown),
    }
