"""Signed storage, as object stores serve it: only with the fault `signed-urls`."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import ExitStack
from pathlib import Path

import falcon

from orvideo.sandbox.job_document import signed_path
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.stage import Route
from orvideo.sandbox.streams import Sent, film_bytes, spoil
from orvideo.sandbox.studio_job import StudioJob


class Storage(Route):
    """Signed storage, as object stores serve it: no key, a length, an ETag, and ranges. Only with `signed-urls`."""

    needs_key = False

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, job_id: str, index: int, until: int, signature: str
    ) -> None:
        job = self._find(job_id, index, until, signature)
        resp.content_type = "video/mp4"
        if spoil(self.stage, resp):
            return
        with ExitStack() as lent:
            path = lent.enter_context(self.studio.film(job, index))
            size, etag = self._describe(resp, path)
            start, end = self._range(req, etag, size)
            if (start, end) != (0, size):
                resp.status = 206
                resp.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            resp.set_stream(Sent(film_bytes(self.stage, job, index, path, start, end), lent.pop_all()), end - start)

    def on_head(
        self, req: falcon.Request, resp: falcon.Response, job_id: str, index: int, until: int, signature: str
    ) -> None:
        job = self._find(job_id, index, until, signature)
        resp.content_type = "video/mp4"
        with self.studio.film(job, index) as path:
            resp.content_length, _ = self._describe(resp, path)

    def _describe(self, resp: falcon.Response, path: Path) -> tuple[int, str]:
        """Set the headers of a file that is stored, and return its size and its ETag."""
        etag = hashlib.sha256(path.name.encode()).hexdigest()[:32]
        resp.etag = etag
        resp.set_header("Accept-Ranges", "bytes")
        return path.stat().st_size, etag

    def _find(self, job_id: str, index: int, until: int, signature: str) -> StudioJob:
        signed = signed_path(self.studio, job_id, index, until)
        if not hmac.compare_digest(signed.encode(), f"{job_id}/{index}/{until}/{signature}".encode()):
            raise Refusal(403, "The request signature does not match")
        if self.studio.now() > until:
            raise Refusal(403, "Request has expired")
        return self.studio.job(job_id)

    def _range(self, req: falcon.Request, etag: str, size: int) -> tuple[int, int]:
        """Return where the answer starts and ends (exclusive): the whole file unless one valid range is asked for."""
        if_range = req.get_header("If-Range")
        try:
            asked = req.range
        except falcon.HTTPInvalidHeader:
            asked = None
        if asked is None or req.range_unit != "bytes" or (if_range and if_range.strip('"') != etag):
            return 0, size
        first, last = asked
        if first < 0:
            first, last = max(0, size + first), size - 1
        if first >= size:
            raise Refusal(416, "Range not satisfiable", headers={"Content-Range": f"bytes */{size}"})
        return first, min(last + 1, size) if last >= 0 else size
