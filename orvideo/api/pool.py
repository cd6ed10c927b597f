"""The connection pool of one origin, and the TLS set-up of the process."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import httpcore
import httpx

from orvideo import shells
from orvideo.api import urls
from orvideo.api.proxies import EnvironmentProxy, proxy_for
from orvideo.api.sockets import Backend, ExchangeTimer
from orvideo.errors import UsageError

#: Called for each step of a request by httpcore, which documents the names of the steps.
Trace = Callable[[str, dict[str, Any]], None]


class OriginPool:
    """The connections to one origin; follows no redirects, repeats no request and keeps no cookies.

    `failed` is the proxy of the last request, where the request got no further than the proxy (finding C06).
    """

    def __init__(self, origin: urls.Origin, *, keep_alive: bool = False) -> None:
        """Raise UsageError for a proxy or certificates that cannot be used (drill N10)."""
        self.backend = Backend()
        self.failed: EnvironmentProxy | None = None
        self._proxy = proxy_for(origin)
        self._pool = httpcore.ConnectionPool(
            # Without TLS the certificates need not be read; an empty context trusts nobody.
            ssl_context=tls_context() if origin.scheme == "https" else _no_tls(),
            proxy=None if self._proxy is None else _proxy_of(self._proxy.proxy),
            max_keepalive_connections=1 if keep_alive else 0,
            keepalive_expiry=30,
            network_backend=self.backend,
        )

    def send(self, request: httpx.Request, timer: ExchangeTimer, trace: Trace) -> httpcore.Response:
        """Send a request and return its response, unread; raises what httpcore, the timer or `trace` raises."""
        self.backend.timer = timer
        self.failed = self._proxy

        def follow(name: str, info: dict[str, Any]) -> None:
            # TLS with the service begins, so the proxy worked; `connection` is the one to the proxy itself.
            if name.endswith("start_tls.started") and not name.startswith("connection."):
                self.failed = None
            trace(name, info)

        try:
            return self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    _url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions={**request.extensions, "trace": follow},
                )
            )
        except httpcore.ProxyError:
            self.failed = self._proxy
            raise

    def close(self) -> None:
        self._pool.close()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxy_of(proxy: httpx.Proxy) -> httpcore.Proxy:
    tls = tls_context() if proxy.url.scheme == "https" else None
    return httpcore.Proxy(_url(proxy.url), auth=proxy.raw_auth, ssl_context=tls)


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context of the process; it is shared because reading the certificates is slow.

    Raises UsageError where SSL_CERT_FILE names something that holds no certificates (drill N10).
    """
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or "they cannot be read"
        raise UsageError(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be used: {strip_codes(str(reason))}.",
            hint=shells.unset_variable("SSL_CERT_FILE", "SSL_CERT_DIR")
            + ", or name a file with certificates in PEM form",
        ) from error


@cache
def _no_tls() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def strip_codes(words: str) -> str:
    """Return an error text without `[Errno 111]` and `[SSL: …]`, cut at 200 characters."""
    words = words.strip()
    while words.startswith("[") and "]" in words:
        words = words.partition("]")[2].strip()
    return words.partition(" (_ssl.c")[0][:200]
