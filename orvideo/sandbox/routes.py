"""The sandbox over HTTP: the video API as openapi-videos.yaml says it, and its neighbours, as a WSGI application."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.parse import quote, urlencode

import falcon

from orvideo.api.values import VideoModel
from orvideo.sandbox import ids, pace
from orvideo.sandbox.account import credits_document, generation_document, key_document
from orvideo.sandbox.answers import add_error_handlers, answer, cut
from orvideo.sandbox.bad_days import after_submit, before_look, before_submit, in_envelope, terms_of
from orvideo.sandbox.bad_keys import key_changes
from orvideo.sandbox.job_document import job_document
from orvideo.sandbox.model_documents import endpoints_entry, listed
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.sign_in import AuthKeys, AuthPage
from orvideo.sandbox.stage import PREFIX, Route, Stage
from orvideo.sandbox.storage import Storage
from orvideo.sandbox.streams import Sent, film_bytes, spoil
from orvideo.sandbox.studio_job import StudioJob
from orvideo.sandbox.validation import MAX_BODY, parse, understand
from orvideo.sandbox.wire import MIDDLEWARE


def application(stage: Stage) -> falcon.App[falcon.Request, falcon.Response]:
    """Return the WSGI application."""
    app = falcon.App(middleware=MIDDLEWARE)
    add_error_handlers(app, stage)
    routes: tuple[tuple[str, Route], ...] = (
        ("/videos", Videos(stage)),
        ("/videos/models", VideoModels(stage)),
        ("/videos/{job_id}", Video(stage)),
        ("/videos/{job_id}/content", Content(stage)),
        ("/models", Models(stage)),
        ("/models/count", ModelsCount(stage)),
        ("/models/user", ModelsOfUser(stage)),
        ("/models/{author}/{slug}/endpoints", Endpoints(stage)),
        ("/key", Key(stage)),
        ("/credits", Credits(stage)),
        ("/generation", Generation(stage)),
    )
    for path, route in routes:
        app.add_route(PREFIX + path, route)
    app.add_route("/storage/{job_id}/{index:int}/{until:int}/{signature}", Storage(stage))
    app.add_route(PREFIX + "/auth/keys", AuthKeys(stage.sign_in))
    app.add_route("/auth", AuthPage(stage.sign_in))
    return app


class Videos(Route):
    """`POST /videos`."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        raw = self._read(req)
        before_submit(self.stage)
        body = parse(raw)
        terms = terms_of(self.faults)
        model, request = understand(body, self.studio.offer, self.studio.note, old_ids=terms.has_old_id)
        job = self.studio.submit(model, request, body, terms)
        self.stage.callbacks.expect(job)
        document = in_envelope(self.faults, job_document(self.stage, req.prefix, job, "pending"))
        answer(resp, document, 202)
        after_submit(self.faults, resp, document)

    def _read(self, req: falcon.Request) -> bytes:
        if (req.content_length or 0) > MAX_BODY:
            raise Refusal(413, "Request payload too large")
        raw: bytes = req.bounded_stream.read()
        return raw


class Video(Route):
    """`GET /videos/{id}`: reads one small file at most; no film is made in here."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        self.let_in(req)
        faults = self.faults
        before_look(faults)
        if faults.strikes("poll-lost"):
            resp.stream = cut(iter(()))
            return
        job = self.studio.job(job_id)
        if faults.strikes("poll-404", job.id):
            raise Refusal(404, f"Job {job.id} not found")
        status = self.studio.status(job)
        if status != "pending":
            self.studio.prepare(job)
        answer(resp, in_envelope(faults, job_document(self.stage, req.prefix, job, status)))


class Content(Route):
    """`GET /videos/{id}/content`: chunked, no length, no ranges, as recorded (api notes)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        self.let_in(req)
        job, index = self._asked(req, job_id)
        resp.content_type = "video/mp4"
        if not spoil(self.stage, resp):
            with ExitStack() as lent:
                path = lent.enter_context(self.studio.film(job, index))
                resp.stream = Sent(film_bytes(self.stage, job, index, path), lent.pop_all())

    def on_head(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Say what `on_get` would, without the film, which is not made for it."""
        self.let_in(req)
        self._asked(req, job_id)
        resp.content_type = "video/mp4"
        resp.stream = iter(())  # the length is not known, as it is not said with the film

    def _asked(self, req: falcon.Request, job_id: str) -> tuple[StudioJob, int]:
        """Return the job and the number of its video. Raises Refusal for what is not there."""
        index = _whole(req, "index") or 0
        job = self.studio.job(job_id)
        status = self.studio.status(job)
        if status in ("pending", "in_progress"):
            raise Refusal(409, f"Job {job.id} is not finished yet (status: {status})")
        if not job.outputs:
            raise Refusal(404, job.error or f"Job {job.id} has no video (status: {status})")
        if index >= job.outputs:
            raise Refusal(400, f"Video index {index} out of range ({job.outputs} videos available)")
        if self.faults.strikes("not-yet", f"{job.id}/{index}"):
            raise Refusal(404, f"Job {job.id} not found")
        return job, index


def _whole(req: falcon.Request, name: str) -> int | None:
    """Return a parameter that is a whole number, None where it is not given. Raises Refusal 400."""
    text = req.get_param(name)
    if text is None or text == "null":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refusal(400, f"Invalid input: {name}: expected a whole number of 0 or more, received {text[:80]!r}")
    return int(text)


class VideoModels(Route):
    """`GET /videos/models`."""

    needs_key = False

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        answer(resp, {"data": self.studio.offer.entries})


class Models(Route):
    """`GET /models?output_modalities=video`: the only place with `architecture.input_modalities` (api notes)."""

    needs_key = False

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        offset, limit = _whole(req, "offset"), _whole(req, "limit")
        following = urlencode({**req.params, "offset": (offset or 0) + (limit or 0)}, doseq=True)
        answer(resp, listed(self._shown(req), offset or 0, limit, f"{req.prefix}{req.path}?{following}"))

    def _shown(self, req: falcon.Request) -> list[VideoModel]:
        wanted = req.get_param("output_modalities") or "text"
        return list(self.studio.offer.models.values()) if {"video", "all"} & set(wanted.split(",")) else []


class ModelsOfUser(Models):
    """`GET /models/user`: the models that a key may use, here all of them."""

    needs_key = True


class ModelsCount(Models):
    """`GET /models/count`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        answer(resp, {"data": {"count": len(self._shown(req))}})


class Endpoints(Route):
    """`GET /models/{author}/{slug}/endpoints`."""

    needs_key = False

    def on_get(self, _req: falcon.Request, resp: falcon.Response, author: str, slug: str) -> None:
        model = self.studio.offer.find(f"{author}/{slug}")
        if model is None:
            raise Refusal(404, f"Model {quote(author)}/{quote(slug)} not found")
        answer(resp, {"data": endpoints_entry(model)})


class Key(Route):
    """`GET /key`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        key = (req.auth or "").partition(" ")[2]
        data = key_document(self.studio, key) | key_changes(self.faults, self.studio.now())
        if (label := self.stage.sign_in.label(req.auth)) is not None:
            data["label"] = label
        answer(resp, {"data": data})


class Credits(Route):
    """`GET /credits`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        answer(resp, {"data": credits_document(self.studio)})


class Generation(Route):
    """`GET /generation?id=`: knows a job only some minutes after its end (api notes)."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.let_in(req)
        asked = req.get_param("id")
        if not asked:
            raise Refusal(400, "Invalid input: id: Required")
        missing = Refusal(404, f"Generation {asked[:200]} not found")
        try:
            job = self.studio.job(ids.job_of_generation(asked))
        except Refusal:
            raise missing from None
        known_at = job.ends_at + pace.record_delay(job.id) / job.speed
        if job.generation_id != asked or self.studio.now() < known_at:
            raise missing
        answer(resp, {"data": generation_document(self.studio, job)})
