"""The client of the video API: one method for each endpoint, which returns values and raises errors of `errors.py`.

It does not retry: whether to ask again, wait or give up is decided by its callers. It never sleeps except between
attempts to connect, and it sends a submit once.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Self

from orvideo.api import auth, refusals, replies, urls
from orvideo.api.acceptance import unwrap_envelope
from orvideo.api.download import Download, content_length, strong_etag, total_of_206, total_of_416
from orvideo.api.exchange import Limits
from orvideo.api.redaction import check_key
from orvideo.api.submit_replies import NO_SUCH_ENDPOINT, SubmitReplies
from orvideo.api.transport import AppHeaders, Call, Opened, Transport
from orvideo.api.values import Job, VideoModel
from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import BadReply, NotFound, NotSent, OrvideoError, ServerFault, Unavailable, Unsafe, UsageError

if TYPE_CHECKING:
    from orvideo.api.schemas import Endpoint, KeyInfo

__all__ = ["AppHeaders", "Call", "Client", "Download", "Limits", "ModelList"]

#: How much of a submit's answer is kept until its id is on record, in bytes (drill M09).
KEPT_ANSWER = 64 * 1024
#: Models beyond this number are counted as skipped (drill X04).
MAX_MODELS = 20_000


class ModelList(NamedTuple):
    """The live list of models: the valid entries as they came, and how many were invalid (drill X04)."""

    raw: list[dict[str, Any]]
    skipped: int


class Client:
    """Talks to one API with one key. Cheap to make; for several threads, make one in each.

    Each call runs in the calling thread and ends at its deadline, when that is cancelled, or at the client's own
    limits.
    """

    def __init__(  # noqa: PLR0913 - six are named, and each has its usual value
        self,
        base_url: str,
        key: str | None,
        *,
        app: AppHeaders = AppHeaders(),  # noqa: B008 - frozen
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Clock = Clock(),  # noqa: B008 - frozen
        on_call: Callable[[Call], None] | None = None,
        key_source: refusals.KeySource | None = None,
        base_variable: str | None = None,
    ) -> None:
        """Raise AuthError for a key that can be none (drill K02), Unsafe or UsageError for a base URL or a header.

        `on_call` is told of each request; `key_source` is what an error calls the place that the key came from,
        and `base_variable` the variable that set the base URL.
        """
        key = None if key is None else check_key(key)
        self._transport = Transport(base_url, key, app=app, limits=limits, clock=clock, on_call=on_call)
        self.base_url = self._transport.base_url
        self._host = urls.origin_of(self.base_url).host
        self._redactor = self._transport.redactor
        self._limits, self._clock, self._key_source = limits, clock, key_source
        self._has_key = key is not None
        #: The hint for an HTML page instead of the API.
        self._base_hint = refusals.base_url_hint(self.base_url, base_variable)
        self._other_base = None if refusals.has_usual_path(self.base_url) else self._base_hint
        #: The hint for a place that nobody listens at, where a person has named it.
        self._named_base = self._base_hint if base_variable else self._other_base
        self._submit_replies = SubmitReplies(self.base_url, self._redactor, clock, key_source, self._base_hint)
        #: The command that sets another key.
        self.key_hint = refusals.key_hint(key_source)

    def __repr__(self) -> str:
        return f"<Client of {self.base_url} {'with a key' if self._has_key else 'without a key'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that is kept open between calls."""
        self._transport.close()

    # Submits

    def submit(
        self,
        body: Mapping[str, Any],
        *,
        on_sending: Callable[[], None] | None = None,
        on_answer: Callable[[int, bytes], None] | None = None,
        deadline: Deadline | None = None,
    ) -> Job:
        """Buy a video: send `body` once, on a fresh connection, and return the job that the service made of it.

        `on_sending` is called right before the first byte is sent, and what it raises stops the request; connecting
        comes first and may be tried three times (drill M01). `on_answer(status, raw)` is called before anything is
        parsed, with at most 64 KiB of the body, without the key, and decompressed as far as that is possible.

        Raises NotSent, AuthError, MoneyError, Rejected, RateLimited, ServiceUnavailable and Unsafe where nothing was
        bought, OutcomeUnknown for every other way of not getting an id (drills M04 to M23). Does not wait on a 429.
        """
        with self._annotating(None):
            answer = self._transport.post("/videos", _encoded(body), on_sending, deadline or Deadline(self._clock))
        if answer.status is None:
            raise self._submit_replies.unanswered(answer)
        reading = replies.read(answer, self._redactor, self._limits.job_bytes)
        if on_answer is not None:
            on_answer(reading.status, reading.data[:KEPT_ANSWER])
        return self._submit_replies.job_of(reading)

    def hurry(self, seconds: float) -> None:
        """End the running submit within `seconds`; one that is not being sent yet ends at once with NotSent (S02).

        May be called from a signal handler and from any thread.
        """
        self._transport.hurry(seconds)

    # Jobs, models and the key

    def job(self, job_id: str, *, deadline: Deadline | None = None) -> Job:
        """Return a job as it is now.

        Raises Unavailable where no answer came, and BadReply for an answer that makes no sense or is about another
        job (drill P08).
        """
        with self._annotating(job_id):
            path, max_bytes = urls.poll_path(job_id), self._limits.job_bytes
            job = Job.of(unwrap_envelope(self._object(path, deadline, max_bytes, with_key=True)))
            if job is None:
                raise BadReply(f"{self._host} answered with something that is no job: it has no id.")
            if job.id != job_id:
                raise BadReply(f"{self._host} was asked for job {job_id} and answered with job {job.id[:80]}.")
            return job

    def models(self, *, deadline: Deadline | None = None) -> ModelList:
        """Return the live list of video models; needs no key."""
        entries = self._list("/videos/models", deadline)
        raw = [entry for entry in entries[:MAX_MODELS] if VideoModel.of(entry) is not None]
        return ModelList(raw, len(entries) - len(raw))

    def model_modalities(self, *, deadline: Deadline | None = None) -> dict[str, list[str]]:
        """Return what each model takes as input: id to `text`, `image`, `video`, `audio`; needs no key (api notes)."""
        found: dict[str, list[str]] = {}
        for entry in self._list("/models?output_modalities=video", deadline):
            name = entry.get("id") if isinstance(entry, dict) else None
            architecture = entry.get("architecture") if isinstance(entry, dict) else None
            taken = architecture.get("input_modalities") if isinstance(architecture, dict) else None
            if isinstance(name, str) and isinstance(taken, list):
                found[name] = [item for item in taken if isinstance(item, str)]
        return found

    def endpoints(self, model_id: str, *, deadline: Deadline | None = None) -> list[Endpoint]:
        """Return the providers of a model; needs no key. Raises NotFound for a model that the service does not know."""
        from orvideo.api.schemas import Endpoint

        entries = self._list(urls.model_path(model_id) + "/endpoints", deadline, "endpoints")
        return [Endpoint.model_validate(entry) for entry in entries if isinstance(entry, dict)]

    def key(self, *, deadline: Deadline | None = None) -> KeyInfo:
        """Return what the service says of the key; raises Unauthorized when it is refused."""
        from orvideo.api.schemas import KeyInfo

        with self._annotating(None):
            data = self._object("/key", deadline, self._limits.job_bytes, with_key=True).get("data")
            if not isinstance(data, dict):
                raise BadReply(f"{self._host} said nothing about the key.")
            return KeyInfo.model_validate(data)

    def exchange_code(self, code: str, verifier: str, *, deadline: Deadline | None = None) -> str:
        """Return the key for the code of a sign-in: sent once, without a key, and no redirect is followed.

        Raises AuthError where the service does not take the code, and else what `auth.read_key` raises.
        """
        with self._annotating(None):
            body = _encoded({"code": code, "code_verifier": verifier, "code_challenge_method": auth.METHOD})
            by = deadline or Deadline(self._clock)
            answer = self._transport.post("/auth/keys", body, None, by, with_key=False)
            return auth.read_key(answer, self._host, self._limits.job_bytes, self._clock.now())

    # Downloads

    def content(
        self,
        job_id: str,
        index: int = 0,
        *,
        start: int = 0,
        etag: str | None = None,
        deadline: Deadline | None = None,
    ) -> AbstractContextManager[Download]:
        """Open one output of a job at the content endpoint; see `fetch`."""
        return self._download(self._content_url(job_id, index), (start, etag), job_id, False, deadline)

    def is_content_url(self, url: str, job_id: str, index: int = 0) -> bool:
        """Say whether a URL of a job is that of its content endpoint."""
        try:
            return urls.resolve_download(url, self.base_url).url == self._content_url(job_id, index)
        except Unsafe:
            return False

    def _content_url(self, job_id: str, index: int) -> str:
        return f"{self.base_url}{urls.poll_path(job_id)}/content?index={index}"

    def fetch(
        self,
        url: str,
        *,
        start: int = 0,
        etag: str | None = None,
        signed: bool = False,
        deadline: Deadline | None = None,
    ) -> AbstractContextManager[Download]:
        """Open a URL out of a job, with the key only where it is the API's own and not `signed` (drills N01 to N08).

        With `start`, the rest from that offset is asked for, and with `etag` only if the file is still the same. An
        answer that is not exactly that rest is not used: the whole file is asked for instead, and `Download.start`
        says so (drills D02, D03). A 416 is returned as a Download without bytes (D04). `deadline` is for all of it, the
        bytes too.

        Raises what `job` raises, BadReply for a content encoding (D10), and Unsafe for a URL that must not be used.
        """
        return self._download(url, (start, etag), None, signed, deadline)

    @contextlib.contextmanager
    def _download(
        self, url: str, part: tuple[int, str | None], job_id: str | None, signed: bool, deadline: Deadline | None
    ) -> Iterator[Download]:
        deadline = deadline or Deadline(self._clock)
        with self._annotating(job_id, hint=None), contextlib.ExitStack() as stack:
            open_ = self._transport.open
            opened = stack.enter_context(open_(url, _range(*part), signed=signed, deadline=deadline))
            download = self._try_download(opened, *part)
            if download is None:
                stack.close()
                opened = stack.enter_context(open_(url, {}, signed=signed, deadline=deadline))
                download = self._try_download(opened, 0, None)
            if download is None:
                raise ServerFault(f"{opened.host} sends a part of the file when asked for all of it.")
            yield download

    def _try_download(self, opened: Opened, start: int, etag: str | None) -> Download | None:
        """Return the download, None for a part that was not asked for; raises for a refusal."""
        answer, headers = opened.answer, opened.answer.headers
        if answer.status == 416 and start > 0:
            return Download(opened, start, total_of_416(headers), self._limits, self._redactor)
        if answer.response is None:
            self._not_opened(opened)
        encoding = headers.get("content-encoding", "identity").strip()
        if encoding.lower() not in ("", "identity"):
            raise BadReply(
                f"{opened.host} sends the video with the content encoding {self._redactor.text(encoding)[:80]!r}, "
                "which was not asked for."
            )
        if answer.status != 206:
            return Download(opened, 0, content_length(headers), self._limits, self._redactor)
        length = total_of_206(headers, start)
        if length is None or (etag is not None and strong_etag(headers) != etag):
            return None  # without the same validator nothing says that it is the rest of the same file
        return Download(opened, start, length, self._limits, self._redactor)

    def _not_opened(self, opened: Opened) -> NoReturn:
        reading = replies.read(opened.answer, self._redactor, self._limits.job_bytes)
        if reading.status < 400:
            raise ServerFault(f"{opened.host} answered {reading.status} instead of the video.")
        reply = replies.service_reply(reading, self._redactor, self._clock.now())
        raise refusals.refusal(reply, opened.host, source=self._key_source, with_key=opened.with_key)

    # Helpers

    def _object(self, path: str, deadline: Deadline | None, max_bytes: int, *, with_key: bool) -> dict[str, Any]:
        deadline = deadline or Deadline(self._clock)
        answer = self._transport.get(path, with_key=with_key, max_bytes=max_bytes, deadline=deadline)
        reading = replies.read(answer, self._redactor, max_bytes)
        if reading.status >= 400:
            reply = replies.service_reply(reading, self._redactor, self._clock.now())
            error = refusals.refusal(reply, self._host, source=self._key_source)
            if reading.status in NO_SUCH_ENDPOINT and not reply.own:
                error.hint = self._other_base
            raise error
        if reading.is_html and reading.status < 300:
            # A web site instead of the API, or the login page of a network.
            page = replies.page_text(reading)
            raise ServerFault(f"{self._host} answered {reading.status} with {page}.", hint=self._other_base)
        if not 200 <= reading.status < 300:
            raise BadReply(f"{self._host} answered {reading.status}, which means nothing here.")
        if not reading.data:
            raise ServerFault(f"{self._host} answered {reading.status} with an empty body.")
        return replies.json_object(reading, self._host)

    def _list(self, path: str, deadline: Deadline | None, name: str | None = None) -> list[Any]:
        """Return the list that is the `data` of an answer, or has a name in there."""
        with self._annotating(None):
            data = self._object(path, deadline, self._limits.list_bytes, with_key=False).get("data")
            value = data.get(name) if name is not None and isinstance(data, dict) else data
            if not isinstance(value, list):
                message = f"{self._host} answered without the list that was asked for."
                raise BadReply(message, hint=self._other_base)
            return value

    @contextlib.contextmanager
    def _annotating(self, job_id: str | None, hint: str | None = "orvideo doctor") -> Iterator[None]:
        """Add the id of its job to an error, or, without a job, a hint that helps to find the cause."""
        try:
            yield
        except OrvideoError as error:
            error.job_id = error.job_id or job_id
            if job_id is not None or hint is None:
                raise
            if isinstance(error, NotSent):
                error.hint = error.hint or self._named_base or hint
            elif isinstance(error, Unavailable | BadReply):
                error.hint = error.hint or hint
            elif isinstance(error, NotFound) and error.reply is not None and not error.reply.own:
                error.hint = error.hint or self._base_hint
            raise


def _range(start: int, etag: str | None) -> dict[str, str]:
    if start <= 0:
        return {}
    return {"Range": f"bytes={start}-"} | ({} if etag is None else {"If-Range": etag})


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        # A lone surrogate becomes a question mark: UTF-8 cannot encode it.
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    except (TypeError, ValueError) as error:
        raise UsageError(f"The request cannot be written as JSON: {error}.") from error
