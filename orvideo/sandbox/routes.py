"""The sandbox over HTTP: the video API as openapi-videos.yaml says it, and its neighbours, as a WSGI application.

The file is longer than 400 lines because it is that whole API, a class for each path, and is read beside the schema.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import falcon
from waitress.channel import ClientDisconnected

from orvideo.sandbox import pace
from orvideo.sandbox.faults import Faults
from orvideo.sandbox.offer import endpoints_entry, general_entry, model_list, models, provider_of
from orvideo.sandbox.refusals import Cancelled, Refusal
from orvideo.sandbox.studio import Studio, StudioJob, when
from orvideo.sandbox.validation import MAX_BODY, parse, understand

#: A key that the sandbox accepts, as it accepts any of the right form except `WRONG_KEY`.
KEY = "sk-or-v1-sandbox0000000000000000000000000000000000000000000000000000"
WRONG_KEY = "sk-or-v1-wrong000000000000000000000000000000000000000000000000000000"
PREFIX = "/api/v1"

_KEY_FORM = re.compile(r"Bearer (sk-or-v1-[!-~]+)")
_CHUNK = 64 * 1024
_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><h1>Bad Gateway</h1><p>Ray ID: 8f0sandbox0000</p></body></html>"
)


class Stage:
    """What every route is handed: the jobs, the faults, and a flag that ends slow answers when the server stops."""

    def __init__(self, studio: Studio, faults: Faults) -> None:
        self.studio, self.faults = studio, faults
        self.closing = threading.Event()
        #: What went wrong in the sandbox itself; a test looks here.
        self.crashes: list[BaseException] = []

    def check_key(self, req: falcon.Request) -> None:
        """Raise Refusal 401 where the service would."""
        given = req.auth
        if not given:
            raise Refusal(401, "No cookie auth credentials found")
        form = _KEY_FORM.fullmatch(given)
        if not form or form[1] == WRONG_KEY or "wrong-key" in self.faults:
            raise Refusal(401, "User not found.")


def application(stage: Stage) -> falcon.App[falcon.Request, falcon.Response]:
    """Return the WSGI application."""
    app = falcon.App(cors_enable=False)
    app.add_error_handler(Exception, _on_crash(stage))
    app.add_error_handler(falcon.HTTPError, _on_http_error)
    app.add_error_handler(Refusal, _on_refusal(stage))
    app.add_error_handler(Cancelled, _on_cancelled)
    routes: tuple[tuple[str, Route], ...] = (
        ("/videos", Videos(stage)),
        ("/videos/models", VideoModels(stage)),
        ("/videos/{job_id}", Video(stage)),
        ("/videos/{job_id}/content", Content(stage)),
        ("/models", Models(stage)),
        ("/models/{author}/{slug}/endpoints", Endpoints(stage)),
        ("/key", Key(stage)),
        ("/credits", Credits(stage)),
        ("/generation", Generation(stage)),
    )
    for path, route in routes:
        app.add_route(PREFIX + path, route)
    app.add_route("/storage/{job_id}/{index:int}/{until:int}/{signature}", Storage(stage))
    return app


def _answer(resp: falcon.Response, body: object, status: int = 200) -> None:
    resp.status = status
    resp.content_type = "application/json"
    # ASCII only: a prompt may hold half a surrogate, which no UTF-8 takes.
    resp.data = json.dumps(body).encode("ascii")


def _page(resp: falcon.Response, status: int, content_type: str = "text/html; charset=UTF-8") -> None:
    resp.status, resp.content_type, resp.data = status, content_type, _PAGE


def _on_refusal(stage: Stage) -> Callable[..., None]:
    def handle(_req: falcon.Request, resp: falcon.Response, refusal: Refusal, _params: dict[str, Any]) -> None:
        zod = refusal.status == 400 and "zod-errors" in stage.faults
        _answer(resp, refusal.zod_body() if zod else refusal.body(), refusal.status)
        for name, value in refusal.headers.items():
            resp.set_header(name, value)

    return handle


def _on_http_error(
    _req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    status = falcon.http_status_to_code(error.status)
    messages = {404: "Not Found", 405: "Method Not Allowed"}
    message = messages.get(status) or error.description or error.title or "Bad Request"
    _answer(resp, Refusal(status, message).body(), status)
    if error.headers:
        resp.set_headers(error.headers)


def _on_cancelled(_req: falcon.Request, resp: falcon.Response, _error: Cancelled, _params: dict[str, Any]) -> None:
    resp.stream = _cut(iter(()))


def _on_crash(stage: Stage) -> Callable[..., None]:
    def handle(_req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]) -> None:
        stage.crashes.append(error)
        _answer(resp, Refusal(500, "Internal Server Error").body(), 500)

    return handle


class Route:
    """One path. Its methods are Falcon's `on_get` and so on."""

    #: Whether the service asks for a key here.
    needs_key: ClassVar[bool] = True

    def __init__(self, stage: Stage) -> None:
        self.stage, self.studio, self.faults = stage, stage.studio, stage.faults

    def let_in(self, req: falcon.Request) -> None:
        """Check the key, before anything else is looked at."""
        if self.needs_key:
            self.stage.check_key(req)

    def job_body(self, req: falcon.Request, job: StudioJob, status: str) -> dict[str, Any]:
        """Return a job as the service reports it."""
        base = PREFIX if "relative-urls" in self.faults else req.prefix + PREFIX
        body: dict[str, Any] = {"id": job.id, "polling_url": f"{base}/videos/{job.id}", "status": status}
        if status == "in_progress" and "status-word" in self.faults:
            body["status"] = self.faults.word("status-word")
        if status != job.status:
            return body
        body["generation_id"] = job.generation_id
        body["usage"] = {"cost": _number(job) if "no-cost" not in self.faults else None, "is_byok": False}
        if job.error is not None:
            body["error"] = job.error
        if status == "completed" and "no-urls" not in self.faults:
            body["unsigned_urls"] = [f"{base}/videos/{job.id}/content?index={n}" for n in range(job.outputs)]
            if "signed-urls" in self.faults and job.outputs:
                body |= self._signed(req, job)
        return body

    def _signed(self, req: falcon.Request, job: StudioJob) -> dict[str, Any]:
        until = int(job.ends_at + self.faults.argument("signed-urls"))
        origin = "" if "relative-urls" in self.faults else req.prefix
        urls = [f"{origin}/storage/{_signed_path(self.studio, job.id, n, until)}" for n in range(job.outputs)]
        return {"urls": urls, "expires_at": until}


def _number(job: StudioJob) -> float | None:
    return None if job.usd is None else float(job.usd)


def _signed_path(studio: Studio, job_id: str, index: int, until: int) -> str:
    what = f"{job_id}/{index}/{until}"
    return f"{what}/{hmac.new(studio.secret(), what.encode(), hashlib.sha256).hexdigest()[:40]}"


class Videos(Route):
    """`POST /videos`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        raw = self._read(req)
        self._misbehave_before(resp)
        if resp.data is not None:
            return
        body = parse(raw)
        model, request = understand(body)
        job = self.studio.submit(model, request, body)
        answer = self.job_body(req, job, "pending")
        _answer(resp, answer, 202)
        self._misbehave_after(resp)

    def _read(self, req: falcon.Request) -> bytes:
        if (req.content_length or 0) > MAX_BODY:
            raise Refusal(413, "Request payload too large")
        raw: bytes = req.bounded_stream.read()
        return raw

    def _misbehave_before(self, resp: falcon.Response) -> None:
        faults = self.faults
        if "slow-submit" in faults:
            self.stage.closing.wait(faults.argument("slow-submit"))
        for name, (status, message, metadata) in _SUBMIT_REFUSALS.items():
            if faults.strikes(name):
                raise Refusal(status, message, metadata=metadata)
        for name, status, message in (
            ("submit-429", 429, "Rate limit exceeded"),
            ("submit-503", 503, "No available model provider that meets your routing requirements"),
            ("submit-402-budget", 402, "In-flight budget exhausted"),
        ):
            if faults.strikes(name):
                raise _later(status, message, faults.argument(name))
        if faults.strikes("submit-html"):
            _page(resp, 502)

    def _misbehave_after(self, resp: falcon.Response) -> None:
        whole = resp.data or b""
        if self.faults.strikes("lost-reply"):
            resp.data, resp.stream = None, _cut(iter(()))
        elif self.faults.strikes("half-reply"):
            resp.data = None
            resp.set_stream(_cut(iter((whole[: len(whole) * 3 // 4],))), len(whole))


_SUBMIT_REFUSALS: dict[str, tuple[int, str, dict[str, Any] | None]] = {
    "submit-402": (402, "Insufficient credits. Add more using https://openrouter.ai/credits", None),
    "submit-403": (
        403,
        "Your prompt was flagged by moderation.",
        {"reasons": ["violence"], "flagged_input": "...", "provider_name": "Sandbox", "model_slug": "sandbox"},
    ),
    "submit-404": (404, "No endpoints found matching your data policy", None),
    "submit-413": (413, "Request payload too large", None),
    "submit-500": (500, "Provider returned error", {"raw": '{"error":"overloaded"}', "provider_name": "Sandbox"}),
}


def _later(status: int, message: str, seconds: float) -> Refusal:
    metadata: dict[str, Any] = {"retry_after_seconds": int(seconds)}
    if status == 402:
        metadata["reason"] = "in_flight_budget_exhausted"
    return Refusal(status, message, metadata=metadata, headers={"Retry-After": str(int(seconds))})


def _cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks and then lose the connection, with no end to the body and, before any chunk, no head."""
    yield from chunks
    raise ClientDisconnected


class Video(Route):
    """`GET /videos/{id}`: reads one small file at most; no film is made in here."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        self.let_in(req)
        faults = self.faults
        if faults.strikes("poll-500"):
            raise Refusal(500, "Internal Server Error")
        if faults.strikes("poll-429"):
            raise _later(429, "Rate limit exceeded", 1)
        if faults.strikes("poll-html"):
            _page(resp, 502)
            return
        if faults.strikes("poll-lost"):
            resp.stream = _cut(iter(()))
            return
        job = self.studio.job(job_id)
        if faults.strikes("poll-404", job.id):
            raise Refusal(404, f"Job {job.id} not found")
        status = self.studio.status(job)
        if status != "pending":
            self.studio.prepare(job)
        _answer(resp, self.job_body(req, job, status))


class Content(Route):
    """`GET /videos/{id}/content`: chunked, no length, no ranges, as recorded (api notes)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        self.let_in(req)
        index = _index(req)
        job = self.studio.job(job_id)
        status = self.studio.status(job)
        if status in ("pending", "in_progress"):
            raise Refusal(409, f"Job {job.id} is not finished yet (status: {status})")
        if not job.outputs:
            raise Refusal(404, job.error or f"Job {job.id} has no video (status: {status})")
        if index >= job.outputs:
            raise Refusal(400, f"Video index {index} out of range ({job.outputs} videos available)")
        resp.content_type = "video/mp4"
        if _spoil(self.stage, resp):
            return
        with ExitStack() as lent:
            path = lent.enter_context(self.studio.film(job, index))
            resp.stream = Sent(_body(self.stage, job, index, path), lent.pop_all())


def _index(req: falcon.Request) -> int:
    text = req.get_param("index")
    if text is None or text == "null":
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refusal(400, f"Invalid input: index: expected a whole number of 0 or more, received {text[:80]!r}")
    return int(text)


def _spoil(stage: Stage, resp: falcon.Response) -> bool:
    """Answer a download in the way of the faults that replace it; say whether one did."""
    faults = stage.faults
    if faults.strikes("content-500"):
        raise Refusal(502, "Provider returned error", metadata={"provider_name": "Sandbox", "raw": "upstream 500"})
    if faults.strikes("content-404"):
        raise Refusal(404, "Video not found")
    if faults.strikes("content-gone"):
        raise Refusal(410, "The video is no longer available from the provider")
    if faults.strikes("content-html"):
        _page(resp, 200, "video/mp4")
        return True
    if faults.strikes("content-empty"):
        resp.stream = iter(())
        return True
    return False


def _body(
    stage: Stage, job: StudioJob, index: int, path: Path, start: int = 0, end: int | None = None
) -> Iterator[bytes]:
    """Return the bytes of a file from `start` to before `end`, with the faults that cut or slow them."""
    chunks = _chunks(path, start, end)
    if "content-slow" in stage.faults:
        chunks = _slowed(chunks, stage.faults.argument("content-slow"), stage.closing)
    if stage.faults.strikes("content-cut", f"{job.id}/{index}"):
        return _cut(_first(chunks, int(stage.faults.argument("content-cut"))))
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


class Storage(Route):
    """Signed storage, as object stores serve it: no key, a length, an ETag, and ranges. Only with `signed-urls`."""

    needs_key = False

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, job_id: str, index: int, until: int, signature: str
    ) -> None:
        job = self._find(job_id, index, until, signature)
        resp.content_type = "video/mp4"
        if _spoil(self.stage, resp):
            return
        with ExitStack() as lent:
            path = lent.enter_context(self.studio.film(job, index))
            size, etag = self._describe(resp, path)
            start, end = self._range(req, etag, size)
            if (start, end) != (0, size):
                resp.status = 206
                resp.set_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            resp.set_stream(Sent(_body(self.stage, job, index, path, start, end), lent.pop_all()), end - start)

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
        signed = _signed_path(self.studio, job_id, index, until)
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


class VideoModels(Route):
    """`GET /videos/models`."""

    needs_key = False

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        _answer(resp, {"data": model_list()})


class Models(Route):
    """`GET /models?output_modalities=video`: the only place with `architecture.input_modalities` (api notes)."""

    needs_key = False

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = req.get_param_as_list("output_modalities") or ["text"]
        shown = models().values() if {"video", "all"} & set(wanted) else ()
        _answer(resp, {"data": [general_entry(model) for model in shown]})


class Endpoints(Route):
    """`GET /models/{author}/{slug}/endpoints`."""

    needs_key = False

    def on_get(self, _req: falcon.Request, resp: falcon.Response, author: str, slug: str) -> None:
        model = models().get(f"{author}/{slug}")
        if model is None:
            raise Refusal(404, f"Model {quote(author)}/{quote(slug)} not found")
        _answer(resp, {"data": endpoints_entry(model)})


class Key(Route):
    """`GET /key`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        data = {
            "label": "sk-or-v1-san...box",
            "limit": None,
            "limit_remaining": None,
            "limit_reset": None,
            "usage": float(self.studio.spent()),
            "is_free_tier": False,
            "is_provisioning_key": False,
            "expires_at": None,
        }
        _answer(resp, {"data": data})


class Credits(Route):
    """`GET /credits`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        _answer(resp, {"data": {"total_credits": 1000, "total_usage": float(self.studio.spent())}})


class Generation(Route):
    """`GET /generation?id=`: knows a job only some minutes after its end (api notes)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        asked = req.get_param("id")
        if not asked:
            raise Refusal(400, "Invalid input: id: Required")
        missing = Refusal(404, f"Generation {asked[:200]} not found")
        try:
            job = self.studio.job(asked.rpartition("-")[2])
        except Refusal:
            raise missing from None
        known_at = job.ends_at + pace.record_delay(job.id) / job.speed
        if job.generation_id != asked or self.studio.now() < known_at:
            raise missing
        model = models()[job.model]
        data = {
            "id": job.generation_id,
            "model": model.canonical_slug,
            "created_at": when(job.created_at),
            "total_cost": _number(job),
            "usage": _number(job),
            "generation_time": round(job.takes * 1000),
            "latency": 1200,
            "provider_name": provider_of(model)[0],
            "is_byok": False,
            "cancelled": job.status == "cancelled",
            "streamed": False,
            "num_media_completion": job.outputs,
        }
        _answer(resp, {"data": data})
