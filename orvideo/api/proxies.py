"""The proxy that the environment names for an origin, and its text for messages without secrets."""

from __future__ import annotations

import base64
import importlib.util
import re
import urllib.request
from typing import NamedTuple

import httpx

from orvideo.api import urls
from orvideo.errors import UsageError


class EnvironmentProxy(NamedTuple):
    """A proxy and the variable that names it: `place` is host and port, `secrets` must not be shown."""

    variable: str
    place: str
    secrets: tuple[str, ...]
    proxy: httpx.Proxy

    def __str__(self) -> str:
        return f"The proxy {self.place} ({self.variable})"

    def without_secrets(self, words: str) -> str:
        """Return what the proxy said without its user and its password, which it may repeat (finding C06)."""
        for secret in self.secrets:
            # A short name may stand in any word.
            words = re.sub(re.escape(secret) if len(secret) > 3 else rf"\b{re.escape(secret)}\b", "[hidden]", words)
        return words


def _bypasses_proxy(origin: urls.Origin, proxies: dict[str, str]) -> bool:
    """Return whether NO_PROXY, in any of its usual forms, or the system's settings except an origin (finding C06)."""
    place = f"{origin.host}:{origin.port}"
    # With a scheme, with a slash at its end, and with a star before the dot.
    entries = re.findall(r"(?:[a-zA-Z]+://)?(\*$|[^\s,*/][^\s,/]*)", proxies.get("no", "").strip())
    no_proxy = {**proxies, "no": ",".join(entries)}
    named = urllib.request.proxy_bypass_environment(place, no_proxy)  # type: ignore[attr-defined] # typeshed has no such
    return bool(named or urllib.request.proxy_bypass(place))


def proxy_for(origin: urls.Origin) -> EnvironmentProxy | None:
    """Return the proxy that the environment names for an origin; unused variables are not validated (finding C06).

    Raises UsageError, with the variable's name, for one that cannot be used (drill N10).
    """
    found = urllib.request.getproxies()
    # A proxy elsewhere has no business with this machine's own ports, and would see the key in the clear.
    if origin.is_loopback or _bypasses_proxy(origin, found):
        return None
    name = origin.scheme if origin.scheme in found else "all"
    if name not in found:
        return None
    url, variable = found[name], f"{name.upper()}_PROXY"
    # What stands before the @ may be a password (drill M03).
    place = url.rpartition("@")[2]
    try:
        proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
        usable = urls.is_host(proxy.url.host.lower())
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise UsageError(
            f"{variable} is not the URL of a proxy: …{place}",
            hint=f"set {variable} to http://host:port, or unset it",
        )
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        from orvideo.installers import line_for_package

        raise UsageError(
            f"{variable} names a SOCKS proxy ({place}), which needs the package socksio.",
            hint=line_for_package("socksio"),
        )
    return EnvironmentProxy(variable, place.rpartition("://")[2].partition("/")[0], _secrets(url, proxy), proxy)


def _secrets(url: str, proxy: httpx.Proxy) -> tuple[str, ...]:
    """Return the user and the password of a proxy in every form that it may repeat, the longest first."""
    if proxy.raw_auth is None:
        return ()
    parts = [part.decode("utf-8", "replace") for part in proxy.raw_auth]
    parts += [base64.b64encode(b":".join(proxy.raw_auth)).decode("ascii")]
    parts += url.rpartition("@")[0].rpartition("/")[2].split(":", 1)
    return tuple(sorted({part for part in parts if part}, key=len, reverse=True))
