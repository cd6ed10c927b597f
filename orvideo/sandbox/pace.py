"""How long jobs take: the real times of the api notes, and a formula for the models that nobody has timed."""

from __future__ import annotations

import hashlib

#: The share of a job's time in which it is pending.
PENDING = 0.15
#: (seconds at the start, seconds for each second of video, least and most of that, as factors).
#: Seen: grok 1 s 3-12 s; veo-3.1-lite 4 s 41 s; seedance-2.0-mini 4 s 62 s; seedance-2.5 240 s, 95th percentile 390 s.
_SEEN = {
    "x-ai/grok-imagine-video": (3.5, 1.5, 0.6, 2.4),
    "google/veo-3.1-lite": (25.0, 4.0, 0.9, 1.1),
    "bytedance/seedance-2.0-mini": (38.0, 6.0, 0.9, 1.1),
    "bytedance/seedance-2.5": (180.0, 8.0, 0.6, 1.66),
    "sandbox/slow": (1800.0, 0.0, 1.0, 1.0),
    "sandbox/": (20.0, 2.0, 1.0, 1.0),
}
_UNSEEN = (25.0, 6.0, 0.8, 1.2)
#: Larger pictures take longer, by the shorter side.
_BY_SIDE = ((2000, 3.0), (1400, 2.0), (1000, 1.5))


def seconds(model: str, job_id: str, *, seconds: int, height: int) -> float:
    """Return how many seconds a job takes at the service; the same job always takes the same."""
    start, each, least, most = next((times for name, times in _SEEN.items() if model.startswith(name)), _UNSEEN)
    chance = int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:4], "big") / 2**32
    larger = next((factor for side, factor in _BY_SIDE if height >= side), 1.0)
    return (start + each * seconds) * larger * (least + (most - least) * chance)


def shows_progress(model: str) -> bool:
    """Say whether a model's jobs are ever in_progress: some never are (api notes), here MiniMax's."""
    return not model.startswith("minimax/")


def record_delay(job_id: str) -> float:
    """Return how many seconds after a job's end `GET /generation` knows it: one to eight minutes (api notes)."""
    return 60 + int.from_bytes(hashlib.sha256(job_id.encode()).digest()[4:8], "big") / 2**32 * 420
