"""Which URL may be used, and which may be given the key (drills N01 to N08, X03).

A URL is taken apart by a strict grammar and put together again from what was understood, so that the HTTP library
cannot read it differently. Standard library only: settings may ask without paying for an HTTP client.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, urljoin

from orvideo.errors import BadReply, Unsafe, UsageError

DEFAULT_PORTS = {"http": 80, "https": 443}
#: Longer ids are refused: real ones have some dozens of characters (drill X03).
LONGEST_ID = 512
#: Longer URLs are refused: signed ones have some hundreds of characters (finding C03).
LONGEST_URL = 8 * 1024

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?"
)
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# A backslash is a slash to browsers and a letter to others: no honest URL has one.
_NEVER_IN_A_URL = re.compile("[\x00-\x20\x7f-\x9f\\\\\u2028\u2029\ud800-\udfff]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]|\.(?!\.))*")
#: A name that ends so is an IP address or nothing.
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?[0-9]+\.?")
_PORT = re.compile(r"[0-9]{1,5}")


class Origin(NamedTuple):
    """Scheme, host and port, normalised: lower case, IDNA as ASCII, default ports filled in, IPv6 without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """Return the origin as a URL without a path, the default port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if DEFAULT_PORTS[self.scheme] == self.port else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Say whether the host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class DownloadTarget(NamedTuple):
    """Where to fetch from, and whether the key may go along."""

    url: str
    with_key: bool


class _Parts(NamedTuple):
    origin: Origin
    path: str
    query: str | None

    @property
    def url(self) -> str:
        return self.origin.url + self.path + ("" if self.query is None else f"?{self.query}")


def check_base_url(url: str) -> str:
    """Return the API's base URL, normalised and without a trailing slash.

    Raises Unsafe for plain HTTP beyond this machine and for a name or password inside (drills N04, N06), UsageError
    for what is not a URL of an API at all.
    """
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise Unsafe(
            "The base URL has a user name or a password in it.",
            hint="put the key where keys belong: orvideo config set api-key",
        )
    try:
        parts = _parse(url)
    except ValueError as error:
        raise UsageError(
            f"The base URL cannot be used: {error}.", hint="it looks like https://openrouter.ai/api/v1"
        ) from error
    if parts.query is not None or "#" in url:
        raise UsageError(f"The base URL {url} must end with its path: no query and no fragment.")
    if parts.origin.scheme == "http" and not parts.origin.is_loopback:
        raise Unsafe(f"The base URL {url} would send the key in the clear.", hint="use https")
    return parts.url.rstrip("/")


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute http or https URL; raises Unsafe for anything else."""
    return _parse_or_refuse(url).origin


def poll_path(job_id: str) -> str:
    """Return `/videos/<id>`, the id as one percent-encoded segment; raises BadReply for an id that cannot be one."""
    if not is_usable_id(job_id):
        shown = job_id if len(job_id) <= 60 else job_id[:59] + "…"
        raise BadReply(f"A job cannot have the id {shown!r}.")
    return "/videos/" + quote(job_id, safe="")


def is_usable_id(job_id: str) -> bool:
    """Say whether an id can be one segment of a path: no control characters, not `.` or `..`, not long (drill X03)."""
    return (
        0 < len(job_id) <= LONGEST_ID
        and job_id not in (".", "..")
        and job_id.isprintable()
        and "\N{REPLACEMENT CHARACTER}" not in job_id
    )


def model_path(model_id: str) -> str:
    """Return `/models/<author>/<slug>` percent-encoded; raises UsageError for what is no model id."""
    segments = model_id.split("/")
    if not all(is_usable_id(segment) for segment in segments):
        raise UsageError(f"{model_id!r} is not a model id.", hint="orvideo models")
    return "/models/" + "/".join(quote(segment, safe=":") for segment in segments)


def is_host(name: str) -> bool:
    """Say whether a name could be a host's: ASCII, in lower case, or an IP address without brackets."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        is_name = _HOST.fullmatch(name) is not None and len(name) <= 254
        return is_name and _ENDS_IN_A_NUMBER.fullmatch(name) is None and _is_readable(name)
    return True


def _is_readable(name: str) -> bool:
    """Say whether the HTTP library can read a name that stands for one in other letters (R-A7)."""
    if not any(label.startswith("xn--") for label in name.split(".")):
        return True
    import idna

    try:
        idna.decode(name)
    except UnicodeError:
        return False
    return True


def resolve_download(url: str, base_url: str) -> DownloadTarget:
    """Return where a URL out of a job leads and whether the key goes along (drills N01 to N06).

    Relative URLs belong to the API's origin. Raises Unsafe for a user name inside, for anything but https (http only
    where the API itself is plain HTTP on this machine), and for what is not a URL.
    """
    return _target(_absolute(url, base_url + "/"), base_url)


def resolve_redirect(location: str, current_url: str, base_url: str) -> DownloadTarget:
    """Return where a redirect leads, under the same rules and never from https down to http (drill N08)."""
    target = _target(_absolute(location, current_url), base_url)
    if origin_of(current_url).scheme == "https" and origin_of(target.url).scheme != "https":
        raise Unsafe(f"{origin_of(current_url).url} redirects from https down to http.")
    return target


def _target(url: str, base_url: str) -> DownloadTarget:
    parts, base = _parse_or_refuse(url), _parse_or_refuse(base_url).origin
    here = base.scheme == "http" and base.is_loopback
    if parts.origin.scheme == "http" and not (here and parts.origin.is_loopback):
        raise Unsafe(f"The service names a URL on {parts.origin.url}, which is not encrypted.")
    return DownloadTarget(parts.url, parts.origin == base)


def _absolute(url: str, current_url: str) -> str:
    if not 0 < len(url) <= LONGEST_URL:
        raise Unsafe("The service names an empty URL." if not url else "The service names a URL that is too long.")
    if _NEVER_IN_A_URL.search(url):
        raise Unsafe("The service names a URL with characters that no URL has.")
    try:
        return url if _HAS_SCHEME.match(url) else urljoin(current_url, url)
    except ValueError as error:
        raise Unsafe("The service names a URL that cannot be one.") from error


def _parse_or_refuse(url: str) -> _Parts:
    try:
        return _parse(url)
    except ValueError as error:
        raise Unsafe(f"The service names a URL that is not followed: {error}.") from error


def _parse(url: str) -> _Parts:
    """Take an absolute URL apart; raises ValueError with a reason that repeats nothing secret."""
    if _NEVER_IN_A_URL.search(url):
        raise ValueError("it has a control character, a space or a backslash in it")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("it is not an absolute https URL")
    scheme = match["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError(f"{scheme}: is not https")
    if "@" in match["authority"]:
        raise ValueError("it has a user name or a password in it")
    host, port = _host_and_port(match["authority"])
    path = _encoded(match["path"]) or "/"
    query = None if match["query"] is None else _encoded(match["query"])
    return _Parts(Origin(scheme, host, DEFAULT_PORTS[scheme] if port is None else port), path, query)


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if authority.startswith("["):
        literal, bracket, rest = authority[1:].partition("]")
        if not bracket or "%" in literal or (rest and not rest.startswith(":")):
            raise ValueError("its host is not a host name")
        host, port = str(ipaddress.IPv6Address(literal)), rest[1:]
    else:
        name, _, port = authority.partition(":")
        try:
            host = (name if name.isascii() else name.encode("idna").decode("ascii")).lower()
        except UnicodeError:
            raise ValueError("its host is not a host name") from None
        if not is_host(host):
            raise ValueError("its host is not a host name")
    if not port:
        return host, None
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise ValueError("its port is not a port")
    return host, int(port)


def _encoded(text: str) -> str:
    """Percent-encode what is not ASCII and leave the rest, the escapes included, as it is."""
    return quote(text, safe="%!$&'()*+,;=:@/?-._~[]{}|^\"<>`")
