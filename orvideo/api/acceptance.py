"""The job that an answer to a submit names, read by every means that leave no doubt about its id (M08 to M13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from orvideo.api import payload, urls
from orvideo.api.payload import NotJson, lenient_id
from orvideo.api.schemas import Job


def named_job(read: Callable[[], object], data: bytes) -> Job | None:
    """Return the job that `read` makes of an answer, else one with the id that can be seen in `data`, else None.

    The id may be one that cannot be asked for (drill X03): see `urls.is_usable_id`.
    """
    try:
        return Job.model_validate(unwrapped(read()))
    except (NotJson, ValidationError):
        found = lenient_id(data)
        return None if found is None else Job(id=found)


def unwrapped(value: Any) -> Any:
    """Return the job in a gateway's `{"success": true, "data": {…}}` (finding C13), and anything else as it is."""
    inner = value.get("data") if isinstance(value, dict) and "id" not in value else None
    return inner if isinstance(inner, dict) else value


def job_in(body: bytes) -> Job | None:
    """Return the job in the body of a 2xx answer, None where it names none that could be asked for."""
    job = named_job(lambda: payload.parse(body), body)
    return job if job is not None and urls.is_usable_id(job.id) else None
