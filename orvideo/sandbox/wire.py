"""How the sandbox behaves on the wire: who may ask by which name, pages in a browser, chunks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import falcon
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from orvideo.sandbox.refusals import Refusal

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LoopbackOnly:
    """Refuses whoever asks by another name than loopback's: a web site whose name was led to this machine."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Raise Refusal 403 for such a name; without one nobody was led anywhere."""
        asked = req.get_header("Host")
        if asked is not None and _name_of(asked) not in _LOOPBACK:
            raise Refusal(403, "The sandbox answers only to 127.0.0.1, localhost and [::1], not to other host names.")


def _name_of(host: str) -> str | None:
    """Return the name in a Host header, lower case and without its port; None for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return None if parts.netloc != host or "@" in host else parts.hostname


class _Cors(falcon.CORSMiddleware[Any, Any]):
    """Lets pages in a browser use the API and the films, and not the page that hands out keys."""

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        if req.path.startswith(("/api/", "/storage/")):
            super().process_response(req, resp, resource, req_succeeded)


#: What looks at each request before its route. Pages in a browser may use it; the key is no secret here.
MIDDLEWARE: list[Any] = [
    LoopbackOnly(),
    _Cors(expose_headers=("Retry-After", "ETag", "Content-Range"), allow_private_network=True),
]


class _Task(WSGITask):  # type: ignore[misc]
    """One answer. What comes in chunks says itself where it ends, so that the connection can stay."""

    def set_close_on_finish(self) -> None:
        if not self.chunked_response or self.wrote_header:
            super().set_close_on_finish()

    def build_response_header(self) -> Any:
        head = super().build_response_header()
        if self.request.command == "HEAD":
            self.chunked_response = False  # an answer without a body has no last chunk either
        return head


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection."""

    task_class = _Task
