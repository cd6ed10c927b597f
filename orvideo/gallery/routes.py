"""What the gallery's server answers, and to whom: Falcon's application."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote

import falcon

from orvideo.errors import OrvideoError, RecordError
from orvideo.gallery.video import send_video

#: The largest body of a request, in bytes.
LARGEST_BODY = 64 * 1024
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
#: Of the page and what it asks for: nothing of it is kept, framed, or told to another site.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PAGE_POLICY = "frame-ancestors 'none'"
_OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"


class Shown(Protocol):
    """What the server shows, and the marks that it takes. Any thread may call it; each method may raise RecordError."""

    #: What stands in the address; nobody else knows it.
    token: str

    def page(self) -> str:
        """Return the page with all that is known now."""

    def changes(self, since: int) -> dict[str, Any]:
        """Return the cards that changed after a version, and the version now."""

    def video(self, handle: str, number: int) -> Path | None:
        """Return the file of a video that is shown, None where there is none on record."""

    def mark(self, handle: str, mark: str | None, note: str | None) -> bool:
        """Put a mark on record; return whether the job is one of those shown. Raises UsageError for a bad mark."""


def application(
    shown: Shown, port: int, tickets: set[str], crashes: list[BaseException]
) -> falcon.App[falcon.Request, falcon.Response]:
    """Return the WSGI application; each of the `tickets` is let in once, what goes wrong is added to `crashes`."""
    app = falcon.App(middleware=[_Door(shown.token, port, tickets)])

    def crashed(_req: falcon.Request, _resp: falcon.Response, error: Exception, _params: Any) -> NoReturn:
        crashes.append(error)
        raise falcon.HTTPInternalServerError(description="This is a bug in orvideo.")

    app.add_error_handler(Exception, crashed)
    app.add_error_handler(RecordError, _unavailable)
    app.set_error_serializer(_as_text)
    app.add_route("/", _Page(shown))
    app.add_route("/state", _State(shown))
    app.add_route("/video/{handle}/{number:int}", _Video(shown))
    app.add_route("/marks", _Marks(shown))
    return app


def _unavailable(_req: falcon.Request, _resp: falcon.Response, error: RecordError, _params: Any) -> NoReturn:
    raise falcon.HTTPServiceUnavailable(description=error.message)


def _as_text(_req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = f"{error.description or error.title}\n"


class _Door:
    """Lets in who asks by a name of loopback (no site whose name was led to this machine) and knows the token."""

    def __init__(self, token: str, port: int, tickets: set[str]) -> None:
        self._token, self._tickets = token.encode(), tickets
        self._hosts = {f"{name}:{port}" for name in _LOOPBACK}
        if port == 80:  # which browsers leave out
            self._hosts |= set(_LOOPBACK)
        self._origins = {f"http://{host}" for host in self._hosts}

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Check the request, and take the token off its path."""
        resp.set_headers(_HEADERS)
        resp.set_header("Content-Security-Policy", _OTHER_POLICY)
        if (req.get_header("Host") or "").lower() not in self._hosts:
            raise falcon.HTTPError(421, description="The gallery answers only to 127.0.0.1 and localhost.")
        given, slash, rest = req.path.removeprefix("/").partition("/")
        if given in self._tickets and req.method == "GET":
            self._tickets.discard(given)
            raise falcon.HTTPSeeOther(f"/{self._token.decode()}/")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token) or not slash:
            raise falcon.HTTPNotFound(description="Nothing is here. orvideo gallery --serve has shown the address.")
        if req.method == "POST" and req.get_header("Origin") not in self._origins:
            raise falcon.HTTPForbidden(description="Only the gallery's own page sets marks.")
        req.path = f"/{rest}"


class _Route:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown


class _Page(_Route):
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_HTML
        resp.set_header("Content-Security-Policy", _PAGE_POLICY)  # the page brings the rest of it
        resp.text = self._shown.page()

    on_head = on_get


class _State(_Route):
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        since = req.get_param_as_int("since", min_value=0, default=0)
        resp.content_type = falcon.MEDIA_JSON
        resp.text = json.dumps(self._shown.changes(since))

    on_head = on_get


class _Video(_Route):
    def on_get(self, req: falcon.Request, resp: falcon.Response, handle: str, number: int) -> None:
        path = self._shown.video(unquote(handle), number)
        if path is None or not send_video(req, resp, path):
            raise falcon.HTTPNotFound(description="The video is not on this disk.")

    on_head = on_get


class _Marks(_Route):
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        job, mark, note = _mark_in(req)
        try:
            if not self._shown.mark(job, mark, note):
                # Not 404, which is what another gallery at this port says to a page of this one.
                raise falcon.HTTPGone(description="The gallery shows no such job.")
        except RecordError:
            raise
        except OrvideoError as error:
            raise falcon.HTTPUnprocessableEntity(description=error.message) from error
        resp.status = falcon.HTTP_204


def _mark_in(req: falcon.Request) -> tuple[str, str | None, str | None]:
    """Return job, mark and note of a body. Raises HTTPError for anything else."""
    if (req.content_type or "").partition(";")[0].strip().lower() != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(description="A mark is sent as JSON.")
    if (req.content_length or 0) > LARGEST_BODY:
        raise falcon.HTTPContentTooLarge(description="That is too long for a mark.")
    try:
        body = json.loads(req.bounded_stream.read(LARGEST_BODY).decode())
    except (ValueError, RecursionError) as error:
        raise falcon.HTTPBadRequest(description="This is no JSON.") from error
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body.keys() <= {"id", "mark", "note"}:
        raise falcon.HTTPBadRequest(description="A mark is {id, mark, note}.")
    if any(not isinstance(body.get(name), str | None) for name in ("mark", "note")):
        raise falcon.HTTPBadRequest(description="Mark and note are texts, or null.")
    return body["id"], body.get("mark"), body.get("note")
