"""Sends all requests: origins, the key, attempts to connect, redirects.

There are three kinds of connection, which must not disturb each other: GETs of JSON share one that is kept alive, a
submit has a fresh one (drill M24), a download has one of its own. None follows a redirect or repeats a request by
itself.
"""

import contextlib
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import httpcore
import httpx

from orvideo import __version__, shells
from orvideo.api import urls
from orvideo.api.exchange import Exchange, ExchangeResult, Limits
from orvideo.api.pool import OriginPool, strip_codes
from orvideo.api.proxies import EnvironmentProxy
from orvideo.api.redaction import Redactor, Secret
from orvideo.api.sockets import ExchangeTimer
from orvideo.clock import Clock
from orvideo.deadline import Deadline
from orvideo.errors import AuthError, NotSent, OrvideoError, ServerFault, Unsafe, UsageError

__all__ = ["AppHeaders", "Call", "Limits", "Opened", "Transport"]

#: How many redirects are followed (drills N08, P10).
MAX_REDIRECTS = 5
#: Attempts to connect before a submit gives up unsent, and the pauses between them in seconds (drill M01).
CONNECT_PAUSES = (0.5, 1.0)
#: How long after its deadline a submit that is sent may be answered, in seconds: an id is worth it, and the command
#: ends within its second all the same.
ANSWER_GRACE = 0.5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: The answers to a download whose body is the video.
STREAMED = frozenset({200, 203, 206})

#: OpenSSL's codes for a certificate whose time is over, or has not begun.
_OF_THE_CLOCK = {9: "is not valid yet", 10: "has expired"}

# They log URLs and header values; signed URLs are secrets, and a server may echo the key (drill K03).
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class AppHeaders(NamedTuple):
    """The headers by which the application names itself to the API (api notes); an empty value is not sent."""

    referer: str = "https://github.com/orvideo/orvideo"
    title: str = "orvideo"
    categories: str = "cli-agent,video-gen"

    def headers(self) -> dict[str, str]:
        """Return the headers; raises UsageError for a value that no header can have."""
        named = {
            "HTTP-Referer": self.referer,
            "X-OpenRouter-Title": self.title,
            "X-OpenRouter-Categories": self.categories,
        }
        for name, value in named.items():
            if not (value.isascii() and (value.isprintable() or not value)):
                raise UsageError(f"{name} can have only plain ASCII characters, not {value!r}.")
        return {name: value.strip() for name, value in named.items() if value.strip()}


class Call(NamedTuple):
    """One request as `-v` shows it: without headers and query, which may hold secrets."""

    method: str
    url: str
    status: int | None
    seconds: float
    bytes: int


class Opened(NamedTuple):
    """A response whose body is still to be read, on a connection of its own, with its timer."""

    answer: ExchangeResult
    timer: ExchangeTimer
    host: str
    with_key: bool


class Transport:
    """Sends requests to one API, and fetches from elsewhere without ever taking the key there."""

    def __init__(
        self,
        base_url: str,
        key: str | None,
        *,
        app: AppHeaders,
        limits: Limits,
        clock: Clock,
        on_call: Callable[[Call], None] | None,
    ) -> None:
        self.base_url = urls.check_base_url(base_url)
        self.limits, self.clock = limits, clock
        self._origin = urls.origin_of(self.base_url)
        self._key = None if key is None else Secret(key)
        self.redactor = Redactor(key)
        self._app = app.headers()
        self._on_call = on_call
        self._kept: OriginPool | None = None
        self._kept_lock = threading.Lock()
        self._submitting: Exchange | None = None
        self._hurried = False

    def close(self) -> None:
        """Close the kept connection; open downloads are closed by their readers."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    # GETs of JSON

    def get(self, path: str, *, with_key: bool, max_bytes: int, deadline: Deadline) -> ExchangeResult:
        """Return the answer to a GET below the base URL, after at most five redirects within the API's own origin.

        Raises NotSent and ServerFault for a connection that failed or a deadline that ended, Unsafe for a redirect
        elsewhere (drill P10).
        """
        url = self.base_url + path
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._get(url, with_key, max_bytes, deadline)
            location = _location(answer)
            if location is None:
                return answer
            target = urls.resolve_redirect(location, url, self.base_url)
            if not target.with_key:
                raise Unsafe(
                    f"{self._origin.host} redirects to {urls.origin_of(target.url).url}, which is not followed."
                )
            url = target.url
        raise Unsafe(f"{self._origin.host} redirects more than {MAX_REDIRECTS} times.")

    def _get(self, url: str, with_key: bool, max_bytes: int, deadline: Deadline) -> ExchangeResult:
        answer = self._get_once(url, with_key, max_bytes, deadline)
        if answer.error is not None and answer.reused and answer.status is None and not answer.timed_out:
            # The server had dropped the kept connection; a GET may be repeated.
            answer = self._get_once(url, with_key, max_bytes, deadline)
        if answer.status is None or (answer.timed_out and answer.status < 400):
            raise self._unanswered(answer, self._origin.host, deadline) from answer.error
        return answer

    def _get_once(self, url: str, with_key: bool, max_bytes: int, deadline: Deadline) -> ExchangeResult:
        request = self._request("GET", url, self._headers(with_key=with_key, accept="application/json"))
        exchange = Exchange(request, self.limits, deadline, 3 * self.limits.connect, self.limits.call_total)
        with self._kept_lock:
            pool = self._kept = self._kept or OriginPool(self._origin, keep_alive=True)
            try:
                answer = self._run(exchange, pool, max_bytes)
            except BaseException:
                self.close()
                raise
            if answer.error is not None:
                self.close()
            return answer

    # Submits

    def post(
        self,
        path: str,
        content: bytes,
        on_sending: Callable[[], None] | None,
        deadline: Deadline,
        *,
        with_key: bool = True,
    ) -> ExchangeResult:
        """Send one POST once, on a fresh connection, and return what came of it (drills M01 to M24).

        `ExchangeResult.status` is None where it may have been sent and nothing readable came. Raises NotSent, AuthError
        (407) and Unsafe (a bad certificate) where nothing was sent, and what `on_sending` raises.
        """
        opening = Deadline.after(self.clock, deadline.left(3 * self.limits.connect))
        answer_by = deadline.later(ANSWER_GRACE)
        try:
            headers = self._headers(with_key=with_key, accept="application/json") | {"Content-Type": "application/json"}
            request = self._request("POST", self.base_url + path, headers, content)
            for pause in (*CONNECT_PAUSES, None):
                seconds = opening.left(3 * self.limits.connect)
                exchange = Exchange(request, self.limits, answer_by, seconds, self.limits.submit_total, on_sending)
                answer = self._post_once(exchange)
                if answer.may_have_been_sent:
                    return answer
                problem = self._unsent(answer, self._origin.host, "submitted" if with_key else "sent")
                again = isinstance(answer.error, httpcore.ConnectError | httpcore.ConnectTimeout) and not self._hurried
                if not again or pause is None or opening.left(pause) < pause or isinstance(problem, Unsafe):
                    raise problem from answer.error
                self.clock.sleep(pause)
            raise AssertionError("the last attempt returns or raises")
        finally:
            self._hurried = False

    def _post_once(self, exchange: Exchange) -> ExchangeResult:
        with contextlib.closing(OriginPool(self._origin)) as pool:
            self._submitting = exchange
            try:
                if self._hurried:
                    exchange.hurry(0)
                return self._run(exchange, pool, self.limits.job_bytes)
            finally:
                self._submitting = None

    def hurry(self, seconds: float) -> None:
        """End the running submit within `seconds`; one that is not being sent yet ends at once, unsent (drill S02).

        Without a running submit, the next one ends unsent.
        """
        self._hurried = True
        submitting = self._submitting
        if submitting is not None:
            submitting.hurry(seconds)

    # Downloads

    @contextlib.contextmanager
    def open(self, url: str, headers: dict[str, str], *, signed: bool, deadline: Deadline) -> Iterator[Opened]:
        """Open a GET whose body is to be streamed, following redirects under the rules of N08.

        A `signed` URL never gets the key, not even at the API's own origin: it needs none (api notes).

        The body is open only for 200, 203 and 206; any other answer has been read. Raises Unsafe for a URL or a
        redirect that must not be followed, NotSent and ServerFault for a connection that failed.
        """
        target = urls.resolve_download(url, self.base_url)
        for _ in range(MAX_REDIRECTS + 1):
            target = urls.DownloadTarget(target.url, target.with_key and not signed)
            with self._open_once(target, headers, deadline) as opened:
                location = _location(opened.answer)
                if location is None:
                    yield opened
                    return
            target = urls.resolve_redirect(location, target.url, self.base_url)
        raise Unsafe(f"The download redirects more than {MAX_REDIRECTS} times.")

    @contextlib.contextmanager
    def _open_once(self, target: urls.DownloadTarget, headers: dict[str, str], deadline: Deadline) -> Iterator[Opened]:
        origin = urls.origin_of(target.url)
        ours = self._headers(with_key=True, accept="*/*") if target.with_key else self._anonymous("*/*")
        request = self._request("GET", target.url, ours | headers, read=self.limits.stall_seconds)
        exchange = Exchange(request, self.limits, deadline, 3 * self.limits.connect, self.limits.call_total)
        with contextlib.closing(OriginPool(origin)) as pool:
            answer = self._run(exchange, pool, self.limits.job_bytes, STREAMED)
            try:
                if answer.status is None:
                    raise self._unanswered(answer, origin.host, deadline) from answer.error
                yield Opened(answer, exchange.timer, origin.host, target.with_key)
            finally:
                if answer.response is not None:
                    answer.response.close()

    # What they share

    def _run(
        self, exchange: Exchange, pool: OriginPool, max_bytes: int, keep_open: frozenset[int] = frozenset()
    ) -> ExchangeResult:
        began = self.clock.monotonic()
        answer = exchange.run(pool, max_bytes, keep_open)
        if self._on_call is not None:
            request = exchange.request
            url = str(request.url.copy_with(query=None))
            self._on_call(Call(request.method, url, answer.status, self.clock.monotonic() - began, len(answer.body)))
        return answer

    def _request(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None = None, read: float | None = None
    ) -> httpx.Request:
        """Return a request; raises Unsafe for a URL that the HTTP library cannot read (R-A7)."""
        seconds = httpx.Timeout(self.limits.read, connect=self.limits.connect, read=read or self.limits.read)
        timeout = {"timeout": seconds.as_dict()}
        try:
            return httpx.Request(method, url, headers=headers, content=content, extensions=timeout)
        except Exception as error:
            raise Unsafe(f"A URL on {urls.origin_of(url).url} cannot be used; nothing was sent there.") from error

    def _anonymous(self, accept: str) -> dict[str, str]:
        return {"User-Agent": f"orvideo/{__version__}", "Accept": accept, "Accept-Encoding": "identity"}

    def _headers(self, *, with_key: bool, accept: str) -> dict[str, str]:
        """Return the headers for the API's own origin, and for no other."""
        headers = self._anonymous(accept) | self._app
        if with_key:
            if self._key is None:
                raise AuthError("There is no API key; nothing was sent.", hint="orvideo config set api-key")
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return headers

    def _unanswered(self, answer: ExchangeResult, host: str, deadline: Deadline) -> OrvideoError:
        """Return the error for a GET without an answer."""
        if not answer.may_have_been_sent:
            return self._unsent(answer, host, "sent")
        if deadline.is_over:
            return ServerFault(f"{host} did not answer before the time limit.")
        if answer.timed_out:
            return ServerFault(f"{host} did not answer in {self.limits.call_total:g} seconds.")
        return ServerFault(f"{host} gave no answer: {failure_text(answer.error, self.redactor)}.")

    def _unsent(self, answer: ExchangeResult, host: str, done: str) -> OrvideoError:
        """Return the error for a request of which no byte was sent (drills M01, M03)."""
        error = answer.error
        if distrust := _certificate_error(error):
            return _distrusted(distrust, host, self.clock.now(), done)
        if self._hurried:
            return NotSent(f"Interrupted before the request was sent to {host}. Nothing was {done}.")
        if answer.failed_proxy is not None:
            return self._proxy_failed(answer, answer.failed_proxy, host, done)
        if answer.timed_out:
            return NotSent(f"{host} could not be reached in time. Nothing was {done}.")
        if _is_caused_by(error, socket.gaierror):
            return NotSent(
                f"{host} could not be reached: no address is known for this name. Nothing was {done}.",
                hint="is this machine online? Then run the same command again, or look further: orvideo doctor",
            )
        return NotSent(f"{host} could not be reached: {failure_text(error, self.redactor)}. Nothing was {done}.")

    def _proxy_failed(self, answer: ExchangeResult, proxy: EnvironmentProxy, host: str, done: str) -> OrvideoError:
        """Return the error for a request that got no further than the proxy (drill M03, finding C06)."""
        words = proxy.without_secrets(failure_text(answer.error, self.redactor))
        if isinstance(answer.error, httpcore.ProxyError) and words.startswith("407"):
            return AuthError(
                f"{proxy} asks for a name and a password ({words}). Nothing was {done}.",
                hint=f"put them into it: {shells.set_variable(proxy.variable, 'http://name:password@host:port')}",
            )
        unreachable = isinstance(answer.error, httpcore.ConnectError | httpcore.ConnectTimeout)
        failed = "could not be reached" if unreachable else f"did not connect to {host}"
        return NotSent(
            f"{proxy} {failed}: {words}. Nothing was {done}.",
            hint=f"check {proxy.variable}, or do without it: {shells.add_to_list('NO_PROXY', host)}",
        )


def _location(answer: ExchangeResult) -> str | None:
    """Return where an answer redirects to, None where it does not."""
    return answer.headers.get("location") if answer.status in REDIRECTS else None


def failure_text(error: Exception | None, redactor: Redactor) -> str:
    """Return in a few words why a connection failed, without error numbers.

    The key is taken out: the library repeats what a server sent, and a server may repeat the key (drill K05).
    """
    words = strip_codes(redactor.text(str(error))) if error is not None else ""
    named = {
        httpcore.ConnectTimeout: "no connection in time",
        httpcore.ReadTimeout: "it fell silent",
        httpcore.WriteTimeout: "it stopped taking the request",
    }
    for kind, text in named.items():
        if isinstance(error, kind):
            return text
    return words.rstrip(".") or "the connection was lost"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it: the libraries wrap errors, and give them no classes of their own."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__


def _is_caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in _causes(error))


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return why a certificate was refused, None where that is not what happened."""
    return next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


def _distrusted(error: ssl.SSLCertVerificationError, host: str, now: datetime, done: str) -> Unsafe:
    """Return the error for a certificate that is refused: a date is a matter of the clock, all else of trust."""
    if error.verify_code in _OF_THE_CLOCK:
        told = _OF_THE_CLOCK[error.verify_code]
        here = f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC"
        hint = f"if that is wrong, set the clock: {shells.set_clock()}"
        return Unsafe(f"The certificate of {host} {told}; {here}. Nothing was {done}.", hint=hint)
    told = strip_codes(error.verify_message or str(error))
    trust = shells.set_variable("SSL_CERT_FILE", f"{shells.a_folder()}/certificates.pem")
    return Unsafe(
        f"The certificate of {host} is not to be trusted: {told}. Nothing was {done}.",
        hint=f"somebody may be between you and the service; where that is your company's proxy, trust it: {trust}",
    )
