"""The jobs of the sandbox: written once, on disk, and from then on a function of time.

    jobs/ID.json       one job: what was asked, what becomes of it and when. Never changed, so any process may read it.
    media/SHA.EXT      images that came as data URLs
    films/KEY.mp4      films, made when first needed; the same request has the same key and the same bytes
    secret             what signed URLs are signed with

Films that nobody fetched for a day are removed, and made again on demand; jobs and media are kept for 31 days. All of
it together stays below a size (`shelf`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orvideo.api.values import VideoModel, VideoRequest
from orvideo.catalogue.quote import UnknownPrice, bill
from orvideo.clock import Clock
from orvideo.files import write_atomically
from orvideo.sandbox import ids, pace
from orvideo.sandbox.films import Films, Make
from orvideo.sandbox.measures import film_seconds, has_sound, picture_size, upscale_factor
from orvideo.sandbox.media import REFERENCE, Media
from orvideo.sandbox.offer import REFERENCED_SECONDS, Offer, upscales
from orvideo.sandbox.providers import OnNote
from orvideo.sandbox.refusals import Refusal
from orvideo.sandbox.shelf import KEEP, Shelf
from orvideo.sandbox.studio_job import StudioJob, Terms
from orvideo.sandbox.validation import data_image, is_possible

if TYPE_CHECKING:
    from orvideo.lettering.fonts import Fonts
    from orvideo.sandbox.card import Film, Still

#: Part of each film's key: raised when the look of the films changes.
FILM_VERSION = 2
#: Seconds after a job's end in which a look still has its film made ahead; later it is made when it is asked for.
_FRESH = 60

#: What becomes of a job of the sandbox's own models: (status, the service's words).
_FATES = {
    "sandbox/fails": ("failed", "Content policy violation"),
    "sandbox/expires": ("expired", "Job exceeded maximum time to live"),
    "sandbox/cancelled": ("cancelled", None),
    "sandbox/filtered": ("completed", "Video generation completed with no output (content may have been filtered)"),
}
_BAD_IMAGE = "task failed with status: FAIL, message: Image pixel is invalid"


_USUAL = Terms()


class Studio:
    """Jobs and films under one directory, which several processes may use at once. `offer` has the models."""

    def __init__(
        self,
        home: Path,
        *,
        speed: float = 10.0,
        keep: int = KEEP,
        clock: Clock | None = None,
        offer: Offer | None = None,
        on_note: OnNote | None = None,
    ) -> None:
        if not 0 < speed <= 1e9:
            raise ValueError(f"a speed is a number above 0, not {speed}")
        self.home, self.speed = home, speed
        self.offer = offer or Offer.shipped()
        self._clock = clock or Clock()
        #: Told what no client sees.
        self.note: OnNote = on_note or (lambda _: None)
        #: Fonts to take instead of the machine's.
        self.fonts: Fonts | None = None
        self._shelf = Shelf(home, keep)
        self._media, self._films = Media(self._shelf), Films(self._shelf)
        self._read = lru_cache(maxsize=4096)(self._read_job)

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._clock.now().timestamp()

    def close(self) -> None:
        """Stop making films; one that is half-way is given up, and made again when it is asked for."""
        self._films.close()

    # --- jobs

    def submit(
        self, model: VideoModel, request: VideoRequest, received: dict[str, Any], terms: Terms = _USUAL
    ) -> StudioJob:
        """Accept a valid request: decide what becomes of it, bill it, and write it down. Raises Refusal."""
        before = self._previous(model, request)
        width, height = picture_size(model, request, (before.width, before.height) if before else None)
        if not is_possible((width, height)):
            raise Refusal(400, f"Output size {width}x{height} is not supported for this model.")
        seconds = film_seconds(model, request, before.seconds if before else None)
        status, error = _FATES.get(model.id, ("completed", None))
        if status == "completed" and not error and not all(map(_can_be_drawn, _images(request))):
            status, error = "failed", _BAD_IMAGE
        if terms.is_dead and status == "completed":
            status, error = "dead", "task failed with status: DEAD"
        kept = self._media.keep(request.body())
        now = self.now()
        job = StudioJob(
            id=ids.new_id(now, old=terms.has_old_id),
            model=model.id,
            created_at=now,
            speed=self.speed,
            takes=0,
            status=status,
            outputs=0 if error or status != "completed" else 2 if model.id == "sandbox/two-outputs" else 1,
            width=width,
            height=height,
            seconds=seconds,
            sound=has_sound(model, request),
            cost="0",
            error=error,
            is_byok=terms.is_byok,
            request=kept,
            received=self._media.keep(received),
        )
        takes = pace.seconds(model.id, job.id, seconds=seconds, height=min(width, height))
        job = replace(job, takes=takes, cost=_cost(model, request, job, terms))
        path = self.home / "jobs" / f"{job.id}.json"
        write_atomically(path, json.dumps(asdict(job)).encode(), durable=False)
        self._shelf.added(path)
        return job

    def job(self, job_id: str) -> StudioJob:
        """Return a job by its id. Raises Refusal 404."""
        missing = Refusal(404, f"Job {job_id[:200]} not found")
        if not ids.is_id(job_id):
            raise missing
        try:
            job = self._read(job_id)
        except (OSError, ValueError, TypeError):
            raise missing from None
        # Where the names of files have no case, another job's file may answer.
        if job.id != job_id:
            raise missing
        return job

    def _read_job(self, job_id: str) -> StudioJob:
        data = json.loads((self.home / "jobs" / f"{job_id}.json").read_bytes())
        return StudioJob(**data)

    def jobs(self) -> list[StudioJob]:
        """Return every job of this home, oldest first."""
        found = []
        for path in (self.home / "jobs").glob("*.json"):
            with contextlib.suppress(Refusal):
                found.append(self.job(path.stem))
        return sorted(found, key=lambda job: (job.created_at, job.id))

    def status(self, job: StudioJob) -> str:
        """Return a job's status at this moment."""
        done = (self.now() - job.created_at) * job.speed / job.takes
        if done >= 1:
            return job.status
        return "in_progress" if done >= pace.PENDING and pace.shows_progress(job.model) else "pending"

    def received(self, job: StudioJob) -> dict[str, Any]:
        """Return the body of a submit as it came over the wire, data URLs and all."""
        whole = self._media.restore(job.received)
        assert isinstance(whole, dict)
        return whole

    def bills(self) -> list[tuple[float, Decimal]]:
        """Return for each job that has ended the time of its end, in seconds since the epoch, and its bill in USD."""
        now = self.now()
        return [(job.ends_at, job.usd or Decimal(0)) for job in self.jobs() if job.ends_at <= now]

    def _previous(self, model: VideoModel, request: VideoRequest) -> StudioJob | None:
        if request.previous_job_id is None:
            return None
        before = self.job(request.previous_job_id)
        if before.model != model.id:
            raise Refusal(
                400, f"Job {before.id} was made by {before.model}; previous_job_id takes a job of the same model"
            )
        if self.status(before) != "completed" or not before.outputs:
            raise Refusal(400, f"Job {before.id} is not completed")
        return before

    # --- films

    def film(self, job: StudioJob, index: int) -> AbstractContextManager[Path]:
        """Lend the file of a job's output, made if it is not there; it is kept for as long as it is lent.

        The one who asks waits; entering raises OSError, Cancelled.
        """
        return self._films.film(self._film_key(job, index), self._maker(job, index))

    def prepare(self, job: StudioJob) -> None:
        """Have a job's films made in the background, if there is room in the queue: a look must not wait for it."""
        if self.now() - job.ends_at < _FRESH:
            for index in range(job.outputs):
                self._films.ahead(self._film_key(job, index), self._maker(job, index))

    def _film_key(self, job: StudioJob, index: int) -> str:
        """Return what stands for the film's bytes: the request, and the film that it goes on from."""
        chain = []
        before: StudioJob | None = job
        while before is not None:
            request = {name: value for name, value in before.request.items() if name in _SEEN}
            goes_on = "previous_job_id" in before.request
            chain.append([before.model, before.width, before.height, before.seconds, before.sound, goes_on, request])
            before = self._continued(before)
        text = json.dumps([FILM_VERSION, index, chain], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def _continued(self, job: StudioJob) -> StudioJob | None:
        """Return the job that a job goes on from, None when there is none any more."""
        before = job.request.get("previous_job_id")
        if not before:
            return None
        try:
            return self.job(before)
        except Refusal:
            return None

    def _maker(self, job: StudioJob, index: int) -> Make:
        def make_it(path: Path, cancelled: Callable[[], bool]) -> None:
            from orvideo.sandbox.film import make

            film = self._script(job, index)
            make(film, path, cancelled=cancelled)
            for words in film.fonts.unsaid():
                self.note(words)

        return make_it

    def _script(self, job: StudioJob, index: int) -> Film:
        from orvideo.lettering.fonts import machine_fonts
        from orvideo.sandbox.card import Film

        request = VideoRequest.of({**job.request, "model": job.model})
        first, last, references = self._stills(request)
        before = self._continued(job)
        if before is not None and first is None:
            first = self._last_still(before)
        text = f"{request.prompt}\0{request.seed}\0{job.model}\0{index}"
        return Film(
            width=job.width,
            height=job.height,
            seconds=job.seconds,
            model=job.model,
            prompt=request.prompt or "",
            seed=int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:6], "big"),
            sound=job.sound,
            facts=tuple(_facts(job, request, index, self.offer.models.get(job.model))),
            first=first,
            last=last,
            references=references,
            fonts=self.fonts or machine_fonts(),
        )

    def _stills(self, request: VideoRequest) -> tuple[Still | None, Still | None, tuple[Still, ...]]:
        frames = {str(item["frame_type"]): item for item in request.frame_images or []}
        first, last = (
            self._still(kind.replace("_", " "), frames[kind]) if kind in frames else None
            for kind in ("first_frame", "last_frame")
        )
        # Given both, frame_images wins and references are ignored (api notes).
        given = [] if frames else request.input_references or []
        kinds = [str(item["type"]).removesuffix("_url") for item in given]
        names = {"image": "reference", "audio": "audio", "video": "video"}
        labels = [f"{names[kind]} {kinds[: number + 1].count(kind)}" for number, kind in enumerate(kinds)]
        return first, last, tuple(self._still(label, item) for label, item in zip(labels, given, strict=True))

    def _still(self, label: str, part: dict[str, Any]) -> Still:
        from orvideo.sandbox.card import Still

        url = str(part[part["type"]]["url"])
        return Still(label, self._media.read(url)) if url.startswith(REFERENCE) else Still(label, None, url)

    def _last_still(self, before: StudioJob) -> Still:
        import io

        from orvideo.sandbox.card import Still
        from orvideo.sandbox.film import last_frame

        held = io.BytesIO()
        with self._films.made_now(self._film_key(before, 0), self._maker(before, 0)) as path:
            last_frame(path).save(held, "PNG", compress_level=1)
        return Still("continued", held.getvalue())

    # --- tidying and signing

    def tidy(self) -> None:
        """Remove what is too old, or more than is to be kept."""
        self._shelf.tidy(self.now())

    def secret(self) -> bytes:
        """Return the secret of this home, made once: any process can check what another one signed."""
        path = self.home / "secret"
        if not path.exists():
            write_atomically(path, secrets.token_bytes(32), durable=False)
        return path.read_bytes()


#: The fields that can be seen in a film; others, such as `user`, must not make another one of it.
_SEEN = ("prompt", "seed", "frame_images", "input_references", "creativity", "upscale_factor")


def _images(request: VideoRequest) -> Iterator[bytes]:
    for part in [*(request.frame_images or []), *(request.input_references or [])]:
        if part["type"] == "image_url" and (data := data_image(part["image_url"]["url"])) is not None:
            yield data


def _can_be_drawn(data: bytes) -> bool:
    from orvideo.sandbox.card import Still

    return Still("", data).picture() is not None


def _cost(model: VideoModel, request: VideoRequest, job: StudioJob, terms: Terms) -> str | None:
    """Return what the job is billed by the model's own price list, None where that gives no price."""
    if terms.is_byok or not job.outputs:
        return "0"
    videos = sum(part["type"] == "video_url" for part in request.input_references or [])
    try:
        once = bill(
            model,
            request,
            width=job.width,
            height=job.height,
            seconds=max(job.seconds, terms.least_seconds),
            input_seconds=videos * REFERENCED_SECONDS,
        )
    except UnknownPrice:
        return None
    # By the request, however many videos come of it: what was quoted is what is billed.
    return str(once)


def _facts(job: StudioJob, request: VideoRequest, index: int, model: VideoModel | None) -> Iterator[str]:
    yield f"{job.width}x{job.height}"
    yield f"{job.seconds} s"
    yield "sound" if job.sound else "silent"
    if request.seed is not None:
        yield f"seed {request.seed}"
    if model is not None and upscales(model):
        yield f"upscaled x{upscale_factor(model, request):g}"
        yield "creative" if request.creativity else "precise"
    if request.previous_job_id:
        yield "continued"
    if job.outputs > 1:
        yield f"output {index + 1} of {job.outputs}"
