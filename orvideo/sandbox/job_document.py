"""A job as the service reports it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from orvideo.sandbox.stage import PREFIX, Stage
from orvideo.sandbox.studio import Studio
from orvideo.sandbox.studio_job import StudioJob

_ODD = {"unsigned_urls": "gs://orvideo-sandbox", "urls": "s3://orvideo-sandbox"}


def job_document(stage: Stage, origin: str, job: StudioJob, status: str) -> dict[str, Any]:
    """Return a job as the service reports it; `origin` is where its URLs lead."""
    faults = stage.faults
    base = PREFIX if "relative-urls" in faults else origin + PREFIX
    body: dict[str, Any] = {"id": job.id, "polling_url": f"{base}/videos/{job.id}", "status": status}
    if status == "in_progress" and "status-word" in faults:
        body["status"] = faults.word("status-word")
    if status != job.status:
        return body
    body["generation_id"] = job.generation_id
    body["usage"] = {"cost": cost_of(job) if "no-cost" not in faults else None, "is_byok": job.is_byok}
    if job.error is not None:
        body["error"] = job.error
    if status == "completed" and "no-urls" not in faults:
        body["unsigned_urls"] = [f"{base}/videos/{job.id}/content?index={n}" for n in range(job.outputs)]
        if "odd-place" in faults:
            body |= {name: [f"{place}/{job.id}/{n}.mp4" for n in range(job.outputs)] for name, place in _ODD.items()}
        elif "signed-urls" in faults and job.outputs:
            body |= _signed(stage, origin, job)
    return body


def cost_of(job: StudioJob) -> float | None:
    """Return what a job was billed, as a number of JSON."""
    return None if job.usd is None else float(job.usd)


def signed_path(studio: Studio, job_id: str, index: int, until: int) -> str:
    """Return the path of a video in the signed storage, below /storage/."""
    what = f"{job_id}/{index}/{until}"
    return f"{what}/{hmac.new(studio.secret(), what.encode(), hashlib.sha256).hexdigest()[:40]}"


def _signed(stage: Stage, origin: str, job: StudioJob) -> dict[str, Any]:
    until = int(job.ends_at + stage.faults.argument("signed-urls"))
    base = "" if "relative-urls" in stage.faults else origin
    urls = [f"{base}/storage/{signed_path(stage.studio, job.id, n, until)}" for n in range(job.outputs)]
    return {"urls": urls, "expires_at": until}
