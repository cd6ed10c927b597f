"""Finding the job in the answer to a submit, also in a wrapped or damaged one (drills M08 to M13)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from orvideo.api import payload, urls
from orvideo.api.payload import NotJson, lenient_id
from orvideo.api.values import Job

#: The names under which gateways wrap a job (finding C13), and how many layers are unwrapped.
_WRAPPERS = ("data", "result", "job", "video", "response")
_MAX_DEPTH = 3
#: A wrapper in a damaged answer: the id outside of it may be a request's.
_WRAPPED = re.compile(rb'"(?:data|result|job|video|response)"\s*:\s*[\[{]')


def find_job(read: Callable[[], object], data: bytes, location: str | None = None) -> Job | None:
    """Return the job that `read` returns, else one with the id found in `data` or `location`, else None.

    `location` is the answer's header, which names what a 201 or 202 has made (RFC 9110, 10.2.2). The id may be one
    that cannot be asked for (drill X03): see `urls.is_usable_id`.
    """
    try:
        job = Job.of(unwrap_envelope(read()))
    except NotJson:
        job = None
    if job is not None:
        return job
    found = (None if _WRAPPED.search(data) else lenient_id(data)) or _id_in_address(location)
    return None if found is None else Job(id=found)


def unwrap_envelope(value: Any) -> Any:
    """Return the job in the envelope of a gateway, with its id, and anything else as it is (finding C13).

    Envelopes are `{"data": {…}}` and its like, also with an id of the request's own, and a list of one job. A job
    without an id has it in its `polling_url`. Where two jobs could be meant, none is.
    """
    for _ in range(_MAX_DEPTH):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        inside = _inside(value)
        if inside is None:
            break
        value = inside
    return _with_id(value)


def _inside(value: Any) -> Any:
    """Return the content of an envelope; None for anything else, and for an envelope of several things."""
    if not isinstance(value, dict):
        return None
    held = [content for name in _WRAPPERS if (content := _content(value.get(name)))]
    if len(held) != 1:
        return None
    # An id beside it is the job's own, unless that is only the request's.
    is_job = _has_id(value) and "success" not in value and (_looks_like_job(value) or not _looks_like_job(held[0]))
    return None if is_job else held[0]


def _content(value: Any) -> Any:
    """Return an object or a list, also one that is written as text; None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        value = payload.json_in(value)
    return value if isinstance(value, dict | list) else None


def _has_id(value: dict[str, Any]) -> bool:
    return value.get("id") not in (None, "")


def _looks_like_job(value: Any) -> bool:
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    return isinstance(one, dict) and not {"status", "polling_url", "generation_id"}.isdisjoint(one)


def _with_id(value: Any) -> Any:
    """Return a job with its `job_id`, or what its `polling_url` ends in, as its id, where it has no other."""
    if not isinstance(value, dict) or _has_id(value):
        return value
    if isinstance(value.get("job_id"), str) and value["job_id"]:
        return {**value, "id": value["job_id"]}
    found = _id_in_address(value.get("polling_url"))
    return value if found is None else {**value, "id": found}


def _id_in_address(address: object) -> str | None:
    """Return the id in the address of a job, None in any other."""
    if not isinstance(address, str):
        return None
    collection, _, name = address.partition("?")[0].rstrip("/").rpartition("/")
    return unquote(name) if name and collection.endswith("/videos") else None


def job_in_body(body: bytes) -> Job | None:
    """Return the job in the body of a 2xx answer, None where it names none that could be asked for."""
    job = find_job(lambda: payload.parse(body), body)
    return job if job is not None and urls.is_usable_id(job.id) else None
