"""What the answer to a submit means: a job, a refusal, or an unknown outcome (drills M04 to M23)."""

from __future__ import annotations

from orvideo.api import refusals, replies, urls
from orvideo.api.acceptance import find_job
from orvideo.api.exchange import ExchangeResult
from orvideo.api.redaction import Redactor
from orvideo.api.replies import DecodedReply
from orvideo.api.transport import REDIRECTS, failure_text
from orvideo.api.values import Job
from orvideo.clock import Clock
from orvideo.errors import OrvideoError, OutcomeUnknown, ServiceReply, Unsafe

#: The statuses of a server that has no such endpoint, or none for this method: often a web site's (finding C13).
NO_SUCH_ENDPOINT = (404, 405, 410)


class SubmitReplies:
    """Judges the answers to submits at one base URL."""

    def __init__(
        self, base_url: str, redactor: Redactor, clock: Clock, key_source: refusals.KeySource | None, base_hint: str
    ) -> None:
        self._base_url, self._redactor, self._clock = base_url, redactor, clock
        self._host = urls.origin_of(base_url).host
        self._key_source, self._base_hint = key_source, base_hint

    def unanswered(self, answer: ExchangeResult) -> OutcomeUnknown:
        """Return the error for a submit that was sent and got no answer."""
        if answer.timed_out:
            return _unknown(f"{self._host} did not answer in time.")
        return _unknown(f"The connection to {self._host} failed: {failure_text(answer.error, self._redactor)}.")

    def job_of(self, reading: DecodedReply) -> Job:
        """Return the job that the service made. Raises what `Client.submit` raises for an answer."""
        if 200 <= reading.status < 300:
            return self._accepted(reading)
        raise self._refused(reading)

    def _accepted(self, reading: DecodedReply) -> Job:
        """Return the job in a 2xx answer, also a damaged one whose id is beyond doubt (M08 to M13)."""
        job = find_job(reading.json, reading.data, reading.headers.get("location"))
        if job is None:
            page = f", but with {replies.page_text(reading)}" if reading.is_html or not reading.data else ""
            cut = "" if reading.whole else "; the answer was cut, or cannot be read to its end"
            words = self._service_words(reading)
            raise _unknown(f"{self._host} answered {reading.status} without the id of a job{page}{cut}.{words}")
        if not urls.is_usable_id(job.id):
            raise _unknown(f"{self._host} answered {reading.status} with an id that cannot be used.")
        return job

    def _service_words(self, reading: DecodedReply) -> str:
        """Return the message in an answer that should have been a job, as a sentence (finding C13)."""
        reply = replies.service_reply(reading, self._redactor, self._clock.now())
        has_words = reply.is_json and reply.message != refusals.NO_MESSAGE
        return f" It says: {refusals.reply_text(reply)}" if has_words else ""

    def _refused(self, reading: DecodedReply) -> OrvideoError:
        """Return the error for an answer other than 2xx: refused, or unknown (drills M14 to M22)."""
        status = reading.status
        if 300 <= status < 400:
            return self._redirected(status, reading.headers.get("location"))
        reply = replies.service_reply(reading, self._redactor, self._clock.now())
        refused = refusals.refused_submit(reply, self._host, self._key_source)
        if refused is not None:
            # A gateway may pass the service's own words on in a shape of its own: then an API is there.
            if status in NO_SUCH_ENDPOINT and not reply.own and "No endpoints found" not in reply.message:
                refused.hint = self._base_hint
            return refused
        return _unknown(f"{self._host} answered {status} with the words: {refusals.reply_text(reply)}", reply)

    def _redirected(self, status: int, location: str | None) -> OrvideoError:
        """Return the error for a redirected submit, which is never followed (drill M22)."""
        elsewhere = None
        if status in REDIRECTS and location is not None:
            try:
                target = urls.origin_of(urls.resolve_redirect(location, self._base_url + "/videos", self._base_url).url)
                if target != urls.origin_of(self._base_url):
                    elsewhere = f" to {target.url}, which is not followed."
            except Unsafe as error:
                if "://" in location or location.startswith("//"):
                    elsewhere = f", which is not followed: {error.message}"
        if elsewhere is not None:
            hint = "check the base URL: orvideo config get base-url"
            reply = ServiceReply(status, "")  # it has no words
            return Unsafe(f"{self._host} redirects the submit ({status}){elsewhere}", hint=hint, reply=reply)
        return _unknown(f"{self._host} answered the submit with a redirect ({status}), which is not followed.")


def _unknown(message: str, reply: ServiceReply | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(message, hint="orvideo jobs --unknown", reply=reply)
