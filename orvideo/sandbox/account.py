"""What the service says of a key and of what it was used for: `/key`, `/credits` and `/generation`.

The fields are those that the official SDKs require; the figures are those of the sandbox's jobs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from orvideo.sandbox.providers import provider_of
from orvideo.sandbox.studio import Studio
from orvideo.sandbox.studio_job import StudioJob, when

#: What a sandbox's account was given, in USD: more than anybody rehearses away.
CREDITS = 1000


def key_document(studio: Studio, key: str) -> dict[str, Any]:
    """Return what `GET /key` says of a key without limits and budgets."""
    return {
        "label": f"{key[:12]}...{key[-3:]}",
        "limit": None,
        "limit_remaining": None,
        "limit_reset": None,
        "include_byok_in_limit": False,
        **_usage(studio),
        **dict.fromkeys(("byok_usage", "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly"), 0),
        "budgets": [],
        "effective_budget": None,
        "allowed_data_regions": ["global"],
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
        "creator_user_id": "user_sandbox",
        "organization_id": None,
        "workspace_id": None,
        "free_model_daily_requests": {"limit": 1000, "used": 0, "remaining": 1000},
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
    }


def _usage(studio: Studio) -> dict[str, float]:
    """Return what was used in all, and since the day, the week (on Monday) and the month began in UTC."""
    bills = studio.bills()
    today = datetime.fromtimestamp(studio.now(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = {
        "usage_daily": today,
        "usage_weekly": today - timedelta(days=today.weekday()),
        "usage_monthly": today.replace(day=1),
    }
    usage = {"usage": _sum(bills, 0)}
    return usage | {name: _sum(bills, start.timestamp()) for name, start in since.items()}


def _sum(bills: list[tuple[float, Decimal]], since: float) -> float:
    return float(sum((usd for at, usd in bills if at >= since), Decimal(0)))


def credits_document(studio: Studio) -> dict[str, Any]:
    """Return what `GET /credits` says."""
    return {"total_credits": CREDITS, "total_usage": _sum(studio.bills(), 0)}


def generation_document(studio: Studio, job: StudioJob) -> dict[str, Any]:
    """Return what `GET /generation` says of a job; a bill that nobody knows is none there."""
    model = studio.offer.models.get(job.model)
    cost = float(job.usd or 0)
    given = [*(job.request.get("frame_images") or []), *(job.request.get("input_references") or [])]
    unknown = (
        "api_type", "app_id", "cache_discount", "finish_reason", "http_referer", "moderation_latency",
        "native_finish_reason", "native_tokens_cached", "native_tokens_completion", "native_tokens_completion_images",
        "native_tokens_prompt", "native_tokens_reasoning", "num_fetches", "num_search_results", "preset_id",
        "provider_responses", "request_id", "response_cache_source_id", "router", "service_tier", "tokens_completion",
        "tokens_prompt", "upstream_id", "upstream_inference_cost", "user_agent", "web_search_engine", "workspace_id",
    )  # fmt: skip
    return {
        "id": job.generation_id,
        "model": (model and model.canonical_slug) or job.model,
        "created_at": when(job.created_at),
        "total_cost": cost,
        "usage": cost,
        "is_byok": job.is_byok,
        "generation_time": round(job.takes * 1000),
        "latency": round(job.takes * 1000),
        "provider_name": provider_of(model)[0] if model else None,
        "cancelled": job.status == "cancelled",
        "streamed": False,
        "num_media_prompt": len(given),
        "num_input_audio_prompt": sum(part["type"] == "audio_url" for part in given),
        "num_media_completion": job.outputs,
        "data_region": "global",
        "origin": "",
        "external_user": job.received.get("user"),
        "session_id": job.received.get("session_id"),
        **dict.fromkeys(unknown),
    }
