"""The ids of jobs: `gen-vid-<unix time>-<20 letters and digits>`; before October 2026, 24 small letters and digits."""

from __future__ import annotations

import re
import secrets
import string

#: What `previous_job_id` must be, as the service publishes it.
PUBLISHED = r"^gen-vid-\d+-[0-9A-Za-z]{20}$"
_PUBLISHED = re.compile(PUBLISHED, re.ASCII)

# More strict than the published pattern, since an id names a file: no endless time.
_NEW = re.compile(r"gen-vid-[0-9]{1,12}-[0-9A-Za-z]{20}")
_OLD = re.compile(r"[0-9a-z]{24}")
_GENERATION_OF_OLD = re.compile(r"gen-vid-[0-9]{1,12}-([0-9a-z]{24})")


def new_id(now: float, *, old: bool = False) -> str:
    """Return the id of a job that is submitted now; `old` gives it the form from before October 2026."""
    if old:
        return _random(string.ascii_lowercase + string.digits, 24)
    return f"gen-vid-{int(now)}-{_random(string.ascii_letters + string.digits, 20)}"


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def is_id(text: str) -> bool:
    """Say whether a text is an id of either form, and so safe as the name of a file."""
    return bool(_NEW.fullmatch(text) or _OLD.fullmatch(text))


def is_old(text: str) -> bool:
    """Say whether a text is an id of the form from before October 2026."""
    return bool(_OLD.fullmatch(text))


def is_published(text: str) -> bool:
    """Say whether a text is an id of the form that the service publishes."""
    return bool(_PUBLISHED.fullmatch(text))


def generation_id(job_id: str, created_at: float) -> str:
    """Return the generation's id: the job's own, or, for an old id, one with the time before it."""
    return f"gen-vid-{int(created_at)}-{job_id}" if is_old(job_id) else job_id


def job_of_generation(generation: str) -> str:
    """Return the id of the job that a generation's id stands for, of either form."""
    old = _GENERATION_OF_OLD.fullmatch(generation)
    return old[1] if old else generation
