"""The job that an answer to a submit names, read by every means that leave no doubt about its id (M08 to M13)."""

from __future__ import annotations

from pydantic import ValidationError

from orvideo.api import payload, urls
from orvideo.api.payload import NotJson, lenient_id
from orvideo.api.schemas import Job


def job_in(body: bytes) -> Job | None:
    """Return the job in the body of a 2xx answer, None where it names none that could be asked for."""
    try:
        job = Job.model_validate(payload.parse(body))
    except (NotJson, ValidationError):
        found = lenient_id(body)
        if found is None:
            return None
        job = Job(id=found)
    return job if urls.is_usable_id(job.id) else None
