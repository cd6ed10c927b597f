"""A video on its way to the browser: whole, or the part that was asked for, never more than a little in memory."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import falcon

_TYPES = {".webm": "video/webm", ".mov": "video/quicktime"}
_USUAL_TYPE = "video/mp4"
#: The most that is read at once, in bytes.
_CHUNK = 256 * 1024


class _File(io.FileIO):
    """A file that never comes to an early end in silence: one that was cut meanwhile ends the connection."""

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(_CHUNK if size is None or size < 0 else min(size, _CHUNK))
        if not chunk and size:
            raise OSError("the file was cut while it was sent")
        return chunk


def send_video(req: falcon.Request, resp: falcon.Response, path: Path) -> bool:
    """Answer with a file, or the range of it that was asked for; return whether there is such a file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening anything else may wait, or do something
            return False
        file = _File(path)
    except (OSError, ValueError):
        return False
    try:
        found = os.fstat(file.fileno())
        start, end = _describe(req, resp, found, path.suffix.lower())
        if req.method != "HEAD" and start < end:
            file.seek(start)
            resp.set_stream(file, end - start)
            return True
        resp.content_length = end - start
    except BaseException:
        file.close()
        raise
    file.close()
    return True


def _describe(req: falcon.Request, resp: falcon.Response, found: os.stat_result, suffix: str) -> tuple[int, int]:
    """Set the headers, and return where the answer starts and ends (exclusive). Raises HTTPRangeNotSatisfiable."""
    size, etag = found.st_size, f"{found.st_mtime_ns:x}-{found.st_size:x}"
    resp.content_type = _TYPES.get(suffix, _USUAL_TYPE)
    resp.etag = etag
    resp.set_header("Accept-Ranges", "bytes")
    resp.set_header("Cache-Control", "private, no-cache")
    asked = _asked(req, etag)
    if asked is None:
        return 0, size
    first, last = asked
    start = first if first >= 0 else max(0, size + first)
    if start >= size:
        raise falcon.HTTPRangeNotSatisfiable(size)
    end = min(last + 1, size) if last >= 0 else size
    resp.status = falcon.HTTP_206
    resp.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
    return start, end


def _asked(req: falcon.Request, etag: str) -> tuple[int, int] | None:
    """Return the one range that a GET asks for, as Falcon says it; None for the whole file."""
    if_range = req.get_header("If-Range")
    if req.method != "GET" or (if_range is not None and if_range != f'"{etag}"'):
        return None
    try:
        return req.range if req.range_unit == "bytes" else None
    except falcon.HTTPInvalidHeader:  # several at once, or none that can be read: any server may send all
        return None
