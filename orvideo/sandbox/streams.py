"""The bytes of a film on their way out, with the faults that cut, slow or replace them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import falcon
from waitress.channel import ClientDisconnected

from orvideo.sandbox.answers import cut
from orvideo.sandbox.refusals import Page, Refusal
from orvideo.sandbox.stage import Stage
from orvideo.sandbox.studio_job import StudioJob

_CHUNK = 64 * 1024


def spoil(stage: Stage, resp: falcon.Response) -> bool:
    """Answer a download in the way of the faults that replace it; say whether one did. Raises Refusal, Page."""
    faults = stage.faults
    if faults.strikes("content-500"):
        raise Refusal(502, "Provider returned error", metadata={"provider_name": "Sandbox", "raw": "upstream 500"})
    if faults.strikes("content-404"):
        raise Refusal(404, "Video not found")
    if faults.strikes("content-gone"):
        raise Refusal(410, "The video is no longer available from the provider")
    if faults.strikes("content-html"):
        raise Page(200, "video/mp4")
    if faults.strikes("content-empty"):
        resp.stream = iter(())
        return True
    return False


def film_bytes(
    stage: Stage, job: StudioJob, index: int, path: Path, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """Return the bytes of a file from `start` to before `end`, with the faults that cut or slow them."""
    chunks = _chunks(path, start, end)
    if "content-slow" in stage.faults:
        chunks = _slowed(chunks, stage.faults.argument("content-slow"), stage.closing)
    if stage.faults.strikes("content-cut", f"{job.id}/{index}"):
        return cut(_first(chunks, int(stage.faults.argument("content-cut"))))
    return chunks


class Sent:
    """The bytes of a film on their way, which is lent until they are closed; the server closes them at the end."""

    def __init__(self, chunks: Iterator[bytes], lent: ExitStack) -> None:
        self._chunks, self._lent = chunks, lent

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        with self._lent:
            if isinstance(self._chunks, Generator):
                self._chunks.close()


def _chunks(path: Path, start: int, end: int | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = None if end is None else end - start
        while chunk := file.read(_CHUNK if left is None else min(_CHUNK, left)):
            yield chunk
            if left is not None:
                left -= len(chunk)


def _first(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        if count <= 0:
            return
        yield chunk[:count]
        count -= len(chunk)


def _slowed(chunks: Iterator[bytes], rate: float, closing: threading.Event) -> Iterator[bytes]:
    step = max(1, int(rate / 10))
    for chunk in chunks:
        for at in range(0, len(chunk), step):
            yield chunk[at : at + step]
            if closing.wait(len(chunk[at : at + step]) / rate):
                raise ClientDisconnected
