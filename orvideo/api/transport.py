"""The only place that opens connections: origins, the key, retries, redirects, deadlines.

Three kinds of connection, because they must not disturb each other: looks share one that is kept alive, a submit has
a fresh one (drill M24), a download has one of its own. None follows a redirect or repeats a request by itself.
"""

import contextlib
import functools
import importlib.util
import logging
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

from orvideo import __version__
from orvideo.api import urls
from orvideo.api.exchange import Answer, Exchange, Hand, Line, take_location
from orvideo.api.redaction import Redactor
from orvideo.clock import Clock
from orvideo.errors import AuthError, NotSent, OrvideoError, ServerFault, Unsafe, UsageError

#: Redirects are followed this often and no further (drills N08, P10).
MOST_HOPS = 5
#: Attempts to connect before a submit gives up unsent, and the pauses between them in seconds (drill M01).
CONNECT_PAUSES = (0.5, 1.0)
#: A body is given this many extra seconds for each of its bytes, so that a slow line can carry large images.
SECONDS_PER_BYTE = 1 / (128 * 1024)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: The answers to a download whose body is the video.
STREAMED = frozenset({200, 203, 206})

# They log URLs and header values; signed URLs are secrets, and a server may echo the key (drill K03).
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class AppHeaders(NamedTuple):
    """How the application names itself to the API's own origin (api notes); an empty value is not sent."""

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


class Limits(NamedTuple):
    """How long and how much: seconds, and bytes.

    `connect` is for one attempt to connect, `read` for the pause between two bytes, `submit_total` and `call_total`
    for a whole call once it is connected. A body that arrives at less than `stall_bytes_per_second` over
    `stall_seconds` of waiting has stalled (drill D11). `settle_seconds` after a job's end the service may not have the
    bytes everywhere yet.
    """

    connect: float = 10
    read: float = 60
    submit_total: float = 60
    call_total: float = 60
    json_bytes: int = 8 * 1024 * 1024
    stall_seconds: float = 60
    stall_bytes_per_second: int = 1024
    settle_seconds: float = 30


class Call(NamedTuple):
    """One request as `-v` shows it: no query, because signed URLs have their secret there; no headers."""

    method: str
    url: str
    status: int | None
    seconds: float
    bytes: int


class _NoCookies(CookieJar):
    """Keeps nothing: the API needs no cookies, and a cookie is one more thing that could reach another origin."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        pass


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the one TLS set-up of the process; reading the certificates costs more than a connection.

    Raises UsageError where SSL_CERT_FILE names something that holds no certificates (drill N10).
    """
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "they cannot be read"
        raise UsageError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {_plain(str(reason))}.",
            hint="unset SSL_CERT_FILE SSL_CERT_DIR, or name a file with certificates in PEM form",
        ) from error


@functools.cache
def _no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _new_client(origin: urls.Origin, *, keep_alive: bool) -> httpx.Client:
    """Return an httpx client that does nothing by itself; raises UsageError for a broken set-up (drill N10)."""
    if not origin.is_loopback:
        _check_proxies()
    # Without TLS in play the certificates need not be read: an empty context trusts nobody.
    verify = tls_context() if origin.scheme == "https" else _no_tls()
    try:
        return httpx.Client(
            verify=verify,
            # A proxy elsewhere has no business with this machine's own ports, and would see the key in the clear.
            trust_env=not origin.is_loopback,
            follow_redirects=False,
            cookies=_NoCookies(),
            limits=httpx.Limits(max_keepalive_connections=1 if keep_alive else 0, keepalive_expiry=30),
            event_hooks={"response": [take_location]},
        )
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        # What is left after the check: a NO_PROXY that is no list of hosts.
        raise UsageError(
            "The proxies that the environment names cannot be used.", hint="check NO_PROXY, HTTPS_PROXY, ALL_PROXY"
        ) from error


def _check_proxies() -> None:
    """Raise UsageError, with the variable's name, for a proxy that httpx would answer with a traceback (drill N10)."""
    for scheme, url in urllib.request.getproxies().items():
        if scheme not in ("http", "https", "all"):
            continue
        # What stands before the @ may be a password (drill M03).
        place = url.rpartition("@")[2]
        try:
            proxy = httpx.Proxy(url if "://" in url else f"http://{url}").url
            usable = urls.is_host(proxy.host.lower())
        except (httpx.InvalidURL, ValueError):
            usable = False
        if not usable:
            raise UsageError(
                f"{scheme.upper()}_PROXY is not the URL of a proxy: …{place}",
                hint=f"set {scheme.upper()}_PROXY to http://host:port, or unset it",
            )
        if proxy.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
            raise UsageError(
                f"{scheme.upper()}_PROXY names a SOCKS proxy ({place}), which needs the package socksio.",
                hint="pip install 'httpx[socks]'",
            )


@dataclass(eq=False, repr=False)
class _Kept:
    """The connection that looks share, the line to cut it by, and the thread that uses it."""

    client: httpx.Client
    line: Line
    hand: Hand

    def close(self) -> None:
        self.hand.close()
        self.client.close()
        self.line.close()


class Opened:
    """A response whose body is still to come, on a connection of its own."""

    def __init__(self, answer: Answer, line: Line, host: str, with_key: bool) -> None:
        self.answer, self.line, self.host, self.with_key = answer, line, host, with_key


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
        self._key = None if key is None else SecretStr(key)
        self.redactor = Redactor(key)
        self._app = app.headers()
        self._on_call = on_call
        self._kept: _Kept | None = None
        self._one_look_at_a_time = threading.Lock()
        self._submitting: Exchange | None = None
        self._hurried = False

    def close(self) -> None:
        """Close the connection that is kept; downloads that are open stay with whoever reads them."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    # Looks

    def get(self, path: str, *, with_key: bool) -> Answer:
        """Return the answer to a GET below the base URL, after at most five redirects within the API's own origin.

        Raises NotSent and ServerFault for a connection that failed, Unsafe for a redirect elsewhere (drill P10).
        """
        url = self.base_url + path
        for _ in range(MOST_HOPS + 1):
            answer = self._look(url, with_key=with_key)
            if answer.status not in REDIRECTS or answer.location is None:
                return answer
            target = urls.resolve_redirect(answer.location, url, self.base_url)
            if not target.with_key:
                raise Unsafe(
                    f"{self._origin.host} redirects to {urls.origin_of(target.url).url}, which is not followed."
                )
            url = target.url
        raise Unsafe(f"{self._origin.host} redirects more than {MOST_HOPS} times.")

    def _look(self, url: str, *, with_key: bool) -> Answer:
        answer = self._look_once(url, with_key=with_key)
        if answer.error is not None and answer.reused and answer.status is None and not answer.late:
            # The server had dropped the connection that was kept; looking twice costs nothing.
            answer = self._look_once(url, with_key=with_key)
        if answer.status is None:
            raise self._missed(answer, self._origin.host) from answer.error
        return answer

    def _look_once(self, url: str, *, with_key: bool) -> Answer:
        with self._one_look_at_a_time:
            if self._kept is None:
                self._kept = _Kept(_new_client(self._origin, keep_alive=True), Line(), Hand())
            kept = self._kept
            request = self._request("GET", url, self._headers(with_key=with_key, accept="application/json"))
            try:
                answer = self._run(self._exchange(kept.client, request, kept.line, hand=kept.hand))
            except BaseException:
                self.close()
                raise
            if answer.error is not None or answer.late:
                self.close()
            return answer

    # The submit

    def post(self, path: str, content: bytes, on_sending: Callable[[], None] | None) -> Answer:
        """Send one POST once, on a fresh connection, and return what came of it (drills M01 to M24).

        `Answer.status` is None where it may have been sent and nothing readable came. Raises NotSent, AuthError (407)
        and Unsafe (a bad certificate) where nothing was sent, and what `on_sending` raises.
        """
        give_up = self.clock.monotonic() + 3 * self.limits.connect
        try:
            for pause in (*CONNECT_PAUSES, None):
                answer = self._post_once(path, content, on_sending, give_up - self.clock.monotonic())
                if answer.touched:
                    return answer
                problem = self._unsent(answer, self._origin.host, "submitted")
                again = isinstance(answer.error, httpx.ConnectError | httpx.ConnectTimeout) and not self._hurried
                late = pause is None or self.clock.monotonic() + pause >= give_up
                if not again or late or pause is None or isinstance(problem, Unsafe):
                    raise problem from answer.error
                self.clock.sleep(pause)
            raise AssertionError("the last attempt returns or raises")
        finally:
            self._hurried = False

    def _post_once(
        self, path: str, content: bytes, on_sending: Callable[[], None] | None, opening_seconds: float
    ) -> Answer:
        line = Line()
        headers = self._headers(with_key=True, accept="application/json") | {"Content-Type": "application/json"}
        request = self._request("POST", self.base_url + path, headers, content)
        try:
            with _new_client(self._origin, keep_alive=False) as client:
                self._submitting = self._exchange(
                    client,
                    request,
                    line,
                    opening_seconds=max(opening_seconds, 0.0),
                    answer_seconds=self.limits.submit_total + len(content) * SECONDS_PER_BYTE,
                    on_sending=on_sending,
                )
                if self._hurried:
                    self._submitting.hurry(0)
                return self._run(self._submitting)
        finally:
            self._submitting = None
            line.close()

    def hurry(self, seconds: float) -> None:
        """Shorten the running submit's deadline; one that is not on the wire yet ends at once, unsent (drill S02).

        Outside of a submit it holds for the next one: the signal came just before it.
        """
        self._hurried = True
        submitting = self._submitting
        if submitting is not None:
            submitting.hurry(seconds)

    # Downloads

    @contextlib.contextmanager
    def open(self, url: str, headers: dict[str, str], *, signed: bool = False) -> Iterator[Opened]:
        """Open a GET whose body is to be streamed, following redirects under the rules of N08.

        A `signed` URL never gets the key, not even at the API's own origin: it needs none (api notes).

        The body is open only for 200, 203 and 206; any other answer has been read. Raises Unsafe for a URL or a
        redirect that must not be followed, NotSent and ServerFault for a connection that failed.
        """
        target = urls.resolve_download(url, self.base_url)
        for _ in range(MOST_HOPS + 1):
            target = urls.DownloadTarget(target.url, target.with_key and not signed)
            with self._open_once(target, headers) as opened:
                answer = opened.answer
                if answer.status not in REDIRECTS or answer.location is None:
                    yield opened
                    return
            target = urls.resolve_redirect(answer.location, target.url, self.base_url)
        raise Unsafe(f"The download redirects more than {MOST_HOPS} times.")

    @contextlib.contextmanager
    def _open_once(self, target: urls.DownloadTarget, headers: dict[str, str]) -> Iterator[Opened]:
        origin = urls.origin_of(target.url)
        ours = self._headers(with_key=True, accept="*/*") if target.with_key else self._anonymous("*/*")
        request = self._request("GET", target.url, ours | headers, read=self.limits.stall_seconds)
        line = Line()
        answer = Answer()
        try:
            with _new_client(origin, keep_alive=False) as client:
                try:
                    answer = self._run(self._exchange(client, request, line, keep_open=STREAMED))
                    if answer.status is None or answer.late:
                        raise self._missed(answer, origin.host) from answer.error
                    yield Opened(answer, line, origin.host, target.with_key)
                finally:
                    if answer.response is not None:
                        answer.response.close()
        finally:
            line.close()

    # What they share

    def _exchange(
        self,
        client: httpx.Client,
        request: httpx.Request,
        line: Line,
        *,
        opening_seconds: float | None = None,
        answer_seconds: float | None = None,
        on_sending: Callable[[], None] | None = None,
        keep_open: frozenset[int] = frozenset(),
        hand: Hand | None = None,
    ) -> Exchange:
        return Exchange(
            client,
            request,
            line,
            clock=self.clock,
            opening_seconds=3 * self.limits.connect if opening_seconds is None else opening_seconds,
            answer_seconds=self.limits.call_total if answer_seconds is None else answer_seconds,
            body_cap=self.limits.json_bytes,
            on_sending=on_sending,
            keep_open=keep_open,
            hand=hand,
        )

    def _run(self, exchange: Exchange) -> Answer:
        began = self.clock.monotonic()
        answer = exchange.run()
        if self._on_call is not None:
            request = exchange.request
            url = str(request.url.copy_with(query=None))
            self._on_call(Call(request.method, url, answer.status, self.clock.monotonic() - began, len(answer.body)))
        return answer

    def _request(
        self, method: str, url: str, headers: dict[str, str], content: bytes | None = None, read: float | None = None
    ) -> httpx.Request:
        seconds = httpx.Timeout(self.limits.read if read is None else read, connect=self.limits.connect)
        return httpx.Request(method, url, headers=headers, content=content, extensions={"timeout": seconds.as_dict()})

    def _anonymous(self, accept: str) -> dict[str, str]:
        return {"User-Agent": f"orvideo/{__version__}", "Accept": accept, "Accept-Encoding": "identity"}

    def _headers(self, *, with_key: bool, accept: str) -> dict[str, str]:
        """Return the headers for the API's own origin, and for no other."""
        headers = self._anonymous(accept) | self._app
        if with_key:
            if self._key is None:
                raise AuthError("There is no API key; nothing was sent.", hint="orvideo config set api-key")
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        return headers

    def _missed(self, answer: Answer, host: str) -> OrvideoError:
        """Return the error for a GET that brought no answer: a missed look, whichever way it was missed."""
        if not answer.touched:
            return self._unsent(answer, host, "sent")
        if answer.late:
            return ServerFault(f"{host} did not answer in {self.limits.call_total:g} seconds.", hint="orvideo doctor")
        reason = reason_of(answer.error, self.redactor)
        return ServerFault(f"{host} gave no answer: {reason}.", hint="orvideo doctor")

    def _unsent(self, answer: Answer, host: str, done: str) -> OrvideoError:
        """Return the error for a request of which nothing was written (drills M01, M03)."""
        error = answer.error
        if distrust := _distrust(error):
            return Unsafe(
                f"The certificate of {host} is not to be trusted: {distrust}. Nothing was {done}.",
                hint="check the clock of this machine, SSL_CERT_FILE, and who is between you and the service",
            )
        if isinstance(error, httpx.ProxyError):
            words = _plain(self.redactor.text(str(error)))
            if words.startswith("407"):
                return AuthError(
                    f"The proxy asks for a name and a password ({words}). Nothing was {done}.",
                    hint="put them into HTTPS_PROXY: http://name:password@host:port",
                )
            return NotSent(
                f"The proxy did not connect to {host}: {words}. Nothing was {done}.",
                hint="check HTTPS_PROXY and ALL_PROXY, or add the host to NO_PROXY",
            )
        if self._hurried:
            return NotSent(f"Interrupted before the request was sent to {host}. Nothing was {done}.")
        if answer.late:
            return NotSent(f"{host} could not be reached in time. Nothing was {done}.", hint="orvideo doctor")
        reason = reason_of(error, self.redactor)
        return NotSent(f"{host} could not be reached: {reason}. Nothing was {done}.", hint="orvideo doctor")


def reason_of(error: Exception | None, redactor: Redactor) -> str:
    """Return in a few words why a connection failed: the library's, without its error numbers.

    The library repeats what a server sent that is no HTTP, and a server may repeat the key (drill K05).
    """
    words = _plain(redactor.text(str(error))) if error is not None else ""
    named = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ReadTimeout: "it fell silent",
        httpx.WriteTimeout: "it stopped taking the request",
        httpx.PoolTimeout: "no connection in time",
    }
    for kind, text in named.items():
        if isinstance(error, kind):
            return text
    return words.rstrip(".") or "the connection was lost"


def _plain(words: str) -> str:
    """Drop `[Errno 111]` and `[SSL: …]`, and cut at 200 characters."""
    words = words.strip()
    while words.startswith("[") and "]" in words:
        words = words.partition("]")[2].strip()
    return words.partition(" (_ssl.c")[0][:200]


def _distrust(error: BaseException | None) -> str | None:
    """Return why a certificate was refused, None where that is not what happened.

    httpcore wraps the error as an argument and httpx as a cause; neither gives it a class of its own.
    """
    seen: list[BaseException] = []
    todo = [error]
    while todo:
        one = todo.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        if isinstance(one, ssl.SSLCertVerificationError):
            return _plain(one.verify_message or str(one))
        todo += [one.__cause__, one.__context__, *(part for part in one.args if isinstance(part, BaseException))]
    return None
